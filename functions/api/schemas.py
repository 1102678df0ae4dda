"""What travels over the wire. Domain objects never do; each answer is made from one by `of`."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Generic, Literal, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from nightjar.application.api_keys import LABEL_MAX_LENGTH, Role
from nightjar.database.api_keys import ApiKey
from nightjar.database.rank_history import HistoryRow
from nightjar.database.trackings import LastRank, TrackingView
from nightjar.domain.batch import Batch, FailedItem
from nightjar.domain.rank import Outcome
from nightjar.domain.task import Task, TaskState
from nightjar.domain.tracking import Device, RankType, TrackingStatus

Item = TypeVar("Item", bound=BaseModel)

Degrees = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Label = Annotated[str, Field(min_length=1, max_length=LABEL_MAX_LENGTH)]


class Body(BaseModel):
    """A body: unknown fields are refused, so that a typing error does not pass for a default."""

    model_config = ConfigDict(extra="forbid")


class Page(BaseModel, Generic[Item]):
    """A part of a list; `next` is the cursor of the following part, null at the end."""

    items: Sequence[Item]
    next: str | None


# --- requests -----------------------------------------------------------------------------------------------------


class Options(Body):
    """`timeout`: seconds that the work may take; the limits of the service hold as well."""

    timeout: Annotated[int, Field(strict=True, ge=1, le=86_400)] | None = None


class StartRequest(Body):
    """The body of a request that only starts something; it may be left out."""

    options: Options | None = None


class LocationBody(Body):
    """Where the searcher stands: x is the longitude, y the latitude, in degrees."""

    x: Degrees
    y: Degrees


class RegisterRequest(Body):
    """What is to be followed."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "rank_type": "place",
                    "keyword": "강남 파스타",
                    "target_url": "https://m.place.naver.com/restaurant/1234567890/home",
                    "location": {"x": 127.0276, "y": 37.4979},
                },
                {
                    "rank_type": "blog",
                    "keyword": "제주 여행 코스",
                    "target_url": "https://blog.naver.com/blogid/223456789012",
                },
            ]
        },
    )

    rank_type: RankType
    keyword: str
    target_url: str
    location: LocationBody | None = None
    device: Device | None = None
    options: Options | None = None


class ChangeTrackingRequest(Body):
    """Stop a tracking, or follow it again."""

    status: TrackingStatus


class IssueKeyRequest(Body):
    """A key for a person or a program; keys of one owner see the same objects. The owner is by default the name."""

    name: Label
    role: Role = Role.OWNER
    owner: Label | None = None


# --- trackings ----------------------------------------------------------------------------------------------------


class LastCheck(BaseModel):
    """The newest day. `known_on` and `known_rank` are those of the newest day that is not unknown."""

    checked_on: date
    checked_at: datetime
    outcome: Outcome
    rank: int | None
    session_number: int
    source: str
    reason: str | None
    known_on: date | None
    known_rank: int | None

    @classmethod
    def of(cls, last: LastRank) -> Self:
        """As it is shown."""
        return cls(
            checked_on=last.checked_on,
            checked_at=last.checked_at,
            outcome=last.outcome,
            rank=last.rank,
            session_number=last.session_number,
            source=last.source,
            reason=last.reason,
            known_on=last.known_on,
            known_rank=last.known_rank,
        )


class Place(BaseModel):
    """A point: longitude and latitude."""

    x: float
    y: float


class TrackingAnswer(BaseModel):
    """A tracking and its newest result; `target_url` is the one spelling of the target."""

    id: int
    status: TrackingStatus
    rank_type: RankType
    keyword: str
    target_url: str
    vertical: str | None
    location: Place | None
    device: Device
    owner: str
    current_session: int
    created_at: datetime
    last: LastCheck | None

    @classmethod
    def of(cls, view: TrackingView) -> Self:
        """As it is shown."""
        tracking, search = view.tracking, view.tracking.search
        return cls(
            id=tracking.id,
            status=tracking.status,
            rank_type=search.rank_type,
            keyword=search.keyword,
            target_url=tracking.target_url,
            vertical=search.vertical,
            location=Place(x=search.location.x, y=search.location.y) if search.location else None,
            device=search.device,
            owner=tracking.owner,
            current_session=tracking.current_session,
            created_at=tracking.created_at,
            last=LastCheck.of(view.last) if view.last else None,
        )


class RegisteredAnswer(TrackingAnswer):
    """A new tracking, and the task of its first check."""

    task_id: UUID | None = None


class HistoryAnswer(BaseModel):
    """One Korean day of a tracking."""

    checked_on: date
    checked_at: datetime
    outcome: Outcome
    rank: int | None
    session_number: int
    checked_count: int | None
    source: str
    reason: str | None

    @classmethod
    def of(cls, row: HistoryRow) -> Self:
        """As it is shown."""
        return cls(
            checked_on=row.checked_on,
            checked_at=row.checked_at,
            outcome=row.outcome,
            rank=row.rank,
            session_number=row.session_number,
            checked_count=row.checked_count,
            source=row.source,
            reason=row.reason,
        )


class ImportedLine(BaseModel):
    """What became of one line: the header is line 1. `message` says what is wrong with it."""

    line: int
    status: Literal["created", "exists", "error"]
    id: int | None = None
    message: str | None = None


class ImportAnswer(BaseModel):
    """The lines in the order of the file, their sums, and the checks that joined the nightly queue."""

    items: list[ImportedLine]
    created: int
    exists: int
    errors: int
    checks: int


# --- batches and tasks --------------------------------------------------------------------------------------------


class FailedTracking(BaseModel):
    """A tracking that stayed unknown, and why."""

    tracking_id: int
    reason: str

    @classmethod
    def of(cls, item: FailedItem) -> Self:
        """As it is shown."""
        return cls(tracking_id=item.tracking_id, reason=item.reason)


class BatchAnswer(BaseModel):
    """A run over many trackings. The figures count trackings; `failed_items` names the first 1,000."""

    id: int
    kind: str
    run_key: date
    total: int
    success: int
    failed: int
    pending: int
    failed_items: list[FailedTracking]
    started_at: datetime
    finished_at: datetime | None
    elapsed_seconds: float

    @classmethod
    def of(cls, batch: Batch, *, now: datetime) -> Self:
        """As it is shown at `now`."""
        return cls(
            id=batch.id,
            kind=batch.kind,
            run_key=batch.run_key,
            total=batch.total,
            success=batch.success,
            failed=batch.failed,
            pending=batch.pending,
            failed_items=[FailedTracking.of(item) for item in batch.failed_items],
            started_at=batch.started_at,
            finished_at=batch.finished_at,
            elapsed_seconds=batch.elapsed_seconds(now),
        )


class TaskFault(BaseModel):
    """Why a task failed: `code` is one of a closed list."""

    code: str
    message: str
    retryable: bool


class TaskAnswer(BaseModel):
    """A task and, once it is over, its result or its error."""

    task_id: UUID
    kind: str
    status: TaskState
    step: str | None
    progress: int
    total: int | None
    message: str | None
    attempt: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    result: dict[str, object] | None
    error: TaskFault | None
    retry_of: UUID | None

    @classmethod
    def of(cls, task: Task) -> Self:
        """As it is shown."""
        error = (
            TaskFault(code=task.error_code, message=task.error_message or "", retryable=bool(task.error_retryable))
            if task.error_code
            else None
        )
        return cls(
            task_id=task.id,
            kind=task.kind,
            status=task.state,
            step=task.step,
            progress=task.progress,
            total=task.total,
            message=task.message,
            attempt=task.attempt,
            created_at=task.created_at,
            started_at=task.started_at,
            finished_at=task.finished_at,
            result=task.result,
            error=error,
            retry_of=task.retry_of,
        )


# --- keys and the service itself ----------------------------------------------------------------------------------


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
