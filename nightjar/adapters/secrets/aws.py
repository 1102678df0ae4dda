"""Secrets in AWS Secrets Manager.

The key that encrypts them is AWS's; who may read them is said by IAM, by the prefix of their names.
"""

from collections.abc import Callable
from typing import TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from nightjar.ports import SecretsUnavailable

T = TypeVar("T")

MAX_BYTES = 65_536
"""The most that Secrets Manager keeps under one name."""

LIMITS = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"})
"""At most about 16 s for a call: below what an HTTP API waits for a function."""

ABSENT = "ResourceNotFoundException"
DELETED = "InvalidRequestException"
"""Also what is answered about a secret that is marked for deletion."""


class SecretsManager:
    """One secret per name, below `prefix`. The region and the credentials are those of the process."""

    def __init__(self, *, prefix: str) -> None:
        self._prefix = prefix
        # A session of our own: the module's default one is not made for several threads.
        self._client = boto3.session.Session().client("secretsmanager", config=LIMITS)

    def put(self, name: str, value: str) -> None:
        """Keep a value under a name. Raises SecretsUnavailable, also for one that is too large."""
        if len(value.encode()) > MAX_BYTES:
            raise SecretsUnavailable(f"the secret {name} is larger than the {MAX_BYTES} bytes that are kept")
        full = self._prefix + name
        try:
            self._told(name, lambda: self._client.put_secret_value(SecretId=full, SecretString=value))
        except _Refused as refused:
            if refused.code == DELETED:
                self._told(name, lambda: self._client.restore_secret(SecretId=full))
                self._told(name, lambda: self._client.put_secret_value(SecretId=full, SecretString=value))
            elif refused.code == ABSENT:
                self._told(name, lambda: self._client.create_secret(Name=full, SecretString=value))
            else:
                raise

    def get(self, name: str) -> str | None:
        """What is kept under this name. Raises SecretsUnavailable."""
        try:
            found = self._told(name, lambda: self._client.get_secret_value(SecretId=self._prefix + name))
        except _Refused as refused:
            if refused.code in {ABSENT, DELETED}:
                return None
            raise
        return str(found["SecretString"])

    def delete(self, name: str) -> None:
        """Forget it at once: without the usual weeks in which it could be restored. Raises SecretsUnavailable."""
        full = self._prefix + name
        try:
            self._told(name, lambda: self._client.delete_secret(SecretId=full, ForceDeleteWithoutRecovery=True))
        except _Refused as refused:
            if refused.code != ABSENT:
                raise

    def _told(self, name: str, call: Callable[[], T]) -> T:
        """Make a call. Its errors are not chained: nobody promises that they hold nothing of what was sent."""
        try:
            return call()
        except ClientError as error:
            raise _Refused(name, str(error.response.get("Error", {}).get("Code", "unknown"))) from None
        except BotoCoreError as error:
            raise SecretsUnavailable(
                f"AWS Secrets Manager did not answer about {name} ({type(error).__name__}); "
                "is it reachable from here, and does this process have credentials and a region?"
            ) from None


class _Refused(SecretsUnavailable):
    """Secrets Manager answered with an error."""

    def __init__(self, name: str, code: str) -> None:
        super().__init__(
            f"AWS Secrets Manager refused what was asked about {name} ({code}); may this role do it, below this prefix?"
        )
        self.code = code
