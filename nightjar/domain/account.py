"""An account of a shop owner at a delivery platform, and how its logins ended. Credentials are not part of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID


class Platform(StrEnum):
    """Where stores are read."""

    BAEMIN = "baemin"


class AccountStatus(StrEnum):
    """Whether an account can be crawled.

    With `invalid_credentials` not before its owner gives others; `blocked` not before its time is over. With
    `action_required` its owner has to do something at the site first, and is believed to have done it who starts again.
    """

    READY = "ready"
    INVALID_CREDENTIALS = "invalid_credentials"
    ACTION_REQUIRED = "action_required"
    BLOCKED = "blocked"


class LoginOutcome(StrEnum):
    """How a login ended. `failed` is any end that says nothing about the account: a time-out, a fault of the site."""

    OK = "ok"
    INVALID_CREDENTIALS = "invalid_credentials"
    ACTION_REQUIRED = "action_required"
    BLOCKED = "blocked"
    FAILED = "failed"


BACK_OFF = timedelta(minutes=30)
"""How long an account is left alone after the site refused it: logging in again at once makes a block last."""

MASK = "***"
SHOWN_CHARACTERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as the system sees it. `credentials_version` grows each time its owner gives the credentials."""

    id: UUID
    owner: str
    platform: Platform
    login_id: str
    status: AccountStatus
    status_reason: str | None
    blocked_until: datetime | None
    credentials_version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAttempt:
    """A login that is about to be made, with the credentials of this version."""

    id: int
    account_id: UUID
    task_id: UUID
    credentials_version: int


def masked(login_id: str) -> str:
    """How a login id is shown: enough for its owner to tell two apart, at most half of it."""
    return login_id[: min(SHOWN_CHARACTERS, len(login_id) // 2)] + MASK


def exclusive_key(account_id: UUID) -> str:
    """Under which its crawls exclude each other: one browser at a time is logged in to an account."""
    return f"account:{account_id}"
