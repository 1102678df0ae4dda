"""Secrets in a table of Postgres, encrypted with a key that only the processes know (Fernet: AES-128-CBC with HMAC)."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from nightjar.database.engine import DatabaseUnavailable, Transactions
from nightjar.ports import SecretsUnavailable

SEPARATOR = "\0"


class EncryptedTable:
    """`keys` are Fernet keys: the first encrypts, each decrypts, so that a new one can be put before the old one.

    A ciphertext holds the name it belongs to: moved to another row it is refused.
    """

    def __init__(self, transactions: Transactions, *, keys: tuple[str, ...]) -> None:
        self._transactions = transactions
        self._cipher = MultiFernet([Fernet(key) for key in keys])

    def put(self, name: str, value: str) -> None:
        """Keep a value under a name. Raises SecretsUnavailable."""
        ciphertext = self._cipher.encrypt(f"{name}{SEPARATOR}{value}".encode())
        try:
            with self._transactions() as uow:
                uow.secrets.put(name, ciphertext)
        except DatabaseUnavailable as error:
            raise SecretsUnavailable(error.message) from error

    def get(self, name: str) -> str | None:
        """What is kept under this name. Raises SecretsUnavailable, also if no key of ours opens it."""
        try:
            with self._transactions() as uow:
                ciphertext = uow.secrets.get(name)
        except DatabaseUnavailable as error:
            raise SecretsUnavailable(error.message) from error
        return None if ciphertext is None else self._opened(name, ciphertext)

    def delete(self, name: str) -> None:
        """Forget it, if there is such a secret. Raises SecretsUnavailable."""
        try:
            with self._transactions() as uow:
                uow.secrets.delete(name)
        except DatabaseUnavailable as error:
            raise SecretsUnavailable(error.message) from error

    def _opened(self, name: str, ciphertext: bytes) -> str:
        try:
            owner, _, value = self._cipher.decrypt(ciphertext).decode().partition(SEPARATOR)
        except InvalidToken:
            raise SecretsUnavailable(
                f"the secret {name} was encrypted with another SECRETS_KEY; put the old key behind the new one, "
                "separated by a comma, or give the credentials again"
            ) from None
        if owner != name:
            raise SecretsUnavailable(f"the secret {name} was moved here from another name; give the credentials again")
        return value
