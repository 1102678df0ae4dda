"""What is followed: a target, for a keyword, in one kind of search."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from nightjar.errors import Invalid

KEYWORD_MAX_LENGTH = 200
"""Characters; longer than any query that the site's own search box takes."""

EXPOSED_DAYS_IN_SESSION = 25
"""A session is 25 days on which a rank was seen; the 26th such day opens the next session."""


class RankType(StrEnum):
    """Which of the three ranks is measured."""

    PLACE = "place"
    BLOG = "blog"
    CAFE = "cafe"


class Device(StrEnum):
    """Whose page is read: the desktop's or the phone's."""

    PC = "pc"
    MOBILE = "mobile"


class TrackingStatus(StrEnum):
    """An active tracking is checked every night; a stopped one keeps its history."""

    ACTIVE = "active"
    STOPPED = "stopped"


class Source(StrEnum):
    """Where a rank was read: the official search API or the pages that people see. Their orders differ."""

    API = "api"
    PAGE = "page"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where the searcher stands: x is the longitude, y the latitude, in degrees (WGS84)."""

    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Everything that a result list depends on. Trackings with equal searches share one rank check a night."""

    rank_type: RankType
    keyword: str
    device: Device
    vertical: str | None = None
    location: Location | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """One target followed for one search by one owner."""

    id: int
    owner: str
    search: Search
    target_key: str
    target_url: str
    status: TrackingStatus
    current_session: int
    created_at: datetime
    stopped_at: datetime | None = None


def normalise_keyword(text: str) -> str:
    """NFC, trimmed, runs of white space as one blank. Blanks stay: with and without are different queries.

    Raises:
        Invalid: the keyword is blank, too long, or carries control characters.
    """
    if any(unicodedata.category(character) in {"Cc", "Cs"} and not character.isspace() for character in text):
        raise Invalid("keyword must not contain control characters")
    keyword = " ".join(unicodedata.normalize("NFC", text).split())
    if not keyword:
        raise Invalid("keyword must not be blank")
    if len(keyword) > KEYWORD_MAX_LENGTH:
        raise Invalid(f"keyword must have at most {KEYWORD_MAX_LENGTH} characters")
    return keyword


def default_device(rank_type: RankType) -> Device:
    """Places are looked up on the phone; the blog and cafe tabs are read on the desktop."""
    return Device.MOBILE if rank_type is RankType.PLACE else Device.PC


def default_vertical(rank_type: RankType, vertical_of_target: str | None) -> str | None:
    """The place list to read: the one of the target's URL, else the general one. Blog and cafe have none.

    There is no `cafe` list (it answers 404): cafes are found in the list of restaurants.
    """
    if rank_type is not RankType.PLACE:
        return None
    if vertical_of_target == "cafe":
        return "restaurant"
    return vertical_of_target or "place"
