"""Trackings on the wire."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from functions.api.schemas.requests import Body, Options
from nightjar.database.rank_history import HistoryRow
from nightjar.database.trackings import LastRank, TrackingView
from nightjar.domain.rank import Outcome
from nightjar.domain.tracking import Device, RankType, TrackingStatus

Degrees = Annotated[float, Field(strict=True, allow_inf_nan=False)]


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
