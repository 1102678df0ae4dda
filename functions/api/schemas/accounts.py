"""Accounts on the wire. Credentials come in; they never go out."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr, StringConstraints

from functions.api.schemas.requests import Body
from nightjar.domain.account import Account, AccountStatus, Platform, masked

LoginId = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")
]
Password = Annotated[SecretStr, Field(min_length=1, max_length=200)]


class GiveCredentialsRequest(Body):
    """How to log in at a platform. The same login_id again replaces the password."""

    platform: Platform
    login_id: LoginId
    password: Password


class AccountAnswer(BaseModel):
    """An account as it is shown: of the login only how it begins, of the password nothing.

    `status` says whether it can be crawled: `ready`; `invalid_credentials`: give others first; `action_required`: do at
    the site what `status_reason` says, then start again; `blocked`: the site refused it, wait until `blocked_until`.
    """

    id: UUID
    platform: Platform
    login_id: Annotated[str, Field(description="Masked.", examples=["la***"])]
    status: AccountStatus
    status_reason: str | None
    blocked_until: datetime | None
    credentials_version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, account: Account) -> Self:
        """As it is shown."""
        return cls(
            id=account.id,
            platform=account.platform,
            login_id=masked(account.login_id),
            status=account.status,
            status_reason=account.status_reason,
            blocked_until=account.blocked_until,
            credentials_version=account.credentials_version,
            created_at=account.created_at,
            updated_at=account.updated_at,
        )
