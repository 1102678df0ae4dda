"""Every error of Nightjar, classed by the reaction it causes.

The reaction is the class; the cause is the `code`, one of the closed list in `ErrorCode`; the sentence is for people.
"""

from datetime import datetime
from enum import StrEnum


class ErrorCode(StrEnum):
    """Why a task failed. Closed: clients may switch over it."""

    TIMEOUT = "timeout"
    BLOCKED = "blocked"
    ACTION_REQUIRED = "action_required"
    INVALID_CREDENTIALS = "invalid_credentials"
    SESSION_EXPIRED = "session_expired"
    NO_STORES = "no_stores"
    NOT_FOUND = "not_found"
    LAYOUT_CHANGED = "layout_changed"
    MAINTENANCE = "maintenance"
    ROBOTS_DISALLOWED = "robots_disallowed"
    EGRESS_REFUSED = "egress_refused"
    TOO_LARGE = "too_large"
    UPSTREAM_ERROR = "upstream_error"
    WORKER_LOST = "worker_lost"
    BATCH_TIMEOUT = "batch_timeout"
    STEP_FAILED = "step_failed"
    INTERNAL = "internal"


class NightjarError(Exception):
    """Something went wrong in Nightjar."""

    def __init__(self, message: str = "", *, details: dict[str, object] | None = None) -> None:
        self.message = message or (self.__doc__ or "").strip().splitlines()[0]
        self.details = details or {}
        super().__init__(self.message)


# --- told to the client -------------------------------------------------------------------------------------------


class Invalid(NightjarError):
    """The input is not what is accepted here."""


class SourceOff(Invalid):
    """The source that would answer this is switched off in the settings."""


class Unauthorized(NightjarError):
    """The API key is missing, unknown or revoked."""


class Forbidden(NightjarError):
    """The role of this API key does not allow this."""


class NotFound(NightjarError):
    """There is no such object, or it belongs to somebody else."""


class Conflict(NightjarError):
    """The object is in a state that does not allow this."""


# --- reactions of a running task ----------------------------------------------------------------------------------


class TaskFailure(NightjarError):
    """A task cannot go on; the subclass says what happens next, `code` says why."""

    def __init__(self, code: ErrorCode, message: str, *, details: dict[str, object] | None = None) -> None:
        super().__init__(message, details=details)
        self.code = code


class RetryLater(TaskFailure):
    """A passing fault: the task is tried again, which costs it an attempt."""


class EndInDoubt(RetryLater):
    """A list ended after `rows` rows, perhaps only because it was cut: a later attempt has to see it end there too."""

    def __init__(self, message: str, *, rows: int) -> None:
        super().__init__(ErrorCode.UPSTREAM_ERROR, message, details={"rows": rows})
        self.rows = rows


class GiveUp(TaskFailure):
    """Trying again would not help."""


class Blocked(TaskFailure):
    """The site refuses to serve us: stop, say so, and leave the host alone for the cool-down."""

    def __init__(self, message: str, *, details: dict[str, object] | None = None) -> None:
        super().__init__(ErrorCode.BLOCKED, message, details=details)


class HostBusy(NightjarError):
    """The host has no free slot soon: the task waits in the database, which costs it no attempt."""

    def __init__(self, host: str, *, not_before: datetime) -> None:
        super().__init__(f"{host} has no free slot before {not_before.isoformat(timespec='seconds')}")
        self.host = host
        self.not_before = not_before


class LeaseLost(NightjarError):
    """Somebody else owns the task now: everything of this attempt is dropped."""


class TaskCancelled(NightjarError):
    """The owner cancelled the task."""
