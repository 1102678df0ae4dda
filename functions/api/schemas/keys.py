"""API keys on the wire."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field

from functions.api.schemas.requests import Body
from nightjar.application.api_keys import LABEL_MAX_LENGTH, Role
from nightjar.database.api_keys import ApiKey

Label = Annotated[str, Field(min_length=1, max_length=LABEL_MAX_LENGTH)]


class IssueKeyRequest(Body):
    """A key for a person or a program; keys of one owner see the same objects. The owner is by default the name."""

    name: Label
    role: Role = Role.OWNER
    owner: Label | None = None


class KeyAnswer(BaseModel):
    """A key as it is listed: never the key itself, only how it begins."""

    id: UUID
    name: str
    role: Role
    owner: str
    prefix: str
    created_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """As it is listed."""
        return cls(
            id=key.id,
            name=key.name,
            role=Role(key.role),
            owner=key.owner,
            prefix=key.prefix,
            created_at=key.created_at,
            revoked_at=key.revoked_at,
        )


class IssuedKey(BaseModel):
    """A new key. `key` is shown this once: only its hash is kept."""

    id: UUID
    name: str
    role: Role
    owner: str
    prefix: str
    created_at: datetime
    key: str
