"""API keys: issued once, kept as hashes, looked up by hash."""

import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from nightjar.database.api_keys import ApiKey
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.errors import Invalid, Unauthorized

KEY_BYTES = 32
"""Random bytes in a key: nobody guesses 256 bits, so a plain SHA-256 needs no salt and no stretching."""

PREFIX_LENGTH = 8
"""Characters of a key that are kept readable (`nj_` and five more), so that a person can tell keys apart."""

MAX_PREFIX_SHARE = 4
"""At most a quarter of a key is kept readable, however short somebody made the bootstrap key."""

LABEL_MAX_LENGTH = 100

BOOTSTRAP_NAME = "bootstrap"


class Role(StrEnum):
    """An operator sees everything and issues keys; an owner sees its own objects."""

    OPERATOR = "operator"
    OWNER = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sent a request. New objects are the caller's; `sees` narrows what is found, None is everything."""

    owner: str
    role: Role

    @property
    def sees(self) -> str | None:
        """The owner whose objects this caller finds."""
        return None if self.role is Role.OPERATOR else self.owner


def issue(uow: UnitOfWork, *, name: str, role: Role, owner: str) -> tuple[ApiKey, str]:
    """A new key: how it is listed, and the key itself, which nobody can read again. Raises Invalid."""
    key = "nj_" + secrets.token_urlsafe(KEY_BYTES)
    issued = _store(uow, key, name=_label("name", name), role=role, owner=_label("owner", owner))
    if issued is None:
        raise RuntimeError("two random keys are equal: the random source of this machine is broken")
    return issued, key


def authenticate(uow: UnitOfWork, key: str, *, bootstrap_key: str) -> Caller:
    """Who holds this key. The bootstrap key is stored when it is first used. Raises Unauthorized."""
    found = uow.api_keys.find(_hash(key))
    if found is None and bootstrap_key and hmac.compare_digest(_hash(key), _hash(bootstrap_key)):
        found = ensure_bootstrap_key(uow, bootstrap_key) or uow.api_keys.find(_hash(key))
    if found is None:
        raise Unauthorized("this API key is unknown or was revoked")
    return Caller(owner=found.owner, role=Role(found.role))


def ensure_bootstrap_key(uow: UnitOfWork, key: str) -> ApiKey | None:
    """Store the operator key of the settings; None if it is stored, or was revoked, already."""
    return _store(uow, key, name=BOOTSTRAP_NAME, role=Role.OPERATOR, owner=BOOTSTRAP_NAME)


def _store(uow: UnitOfWork, key: str, *, name: str, role: Role, owner: str) -> ApiKey | None:
    prefix = key[: min(PREFIX_LENGTH, len(key) // MAX_PREFIX_SHARE)]
    return uow.api_keys.add(name=name, role=role, owner=owner, key_hash=_hash(key), prefix=prefix)


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _label(field: str, text: str) -> str:
    label = " ".join(unicodedata.normalize("NFC", text).split())
    if not label or len(label) > LABEL_MAX_LENGTH or any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in label):
        raise Invalid(f"{field} must be 1 to {LABEL_MAX_LENGTH} characters without control characters")
    return label
