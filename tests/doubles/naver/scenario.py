"""What the replica shows: keywords, targets and how those move, adverts, traps, short links. All frozen, all JSON.

`Scenario.from_json` refuses fields and values that it does not know, so that a mistyped test fails at once.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Literal, TypeVar, cast

RankType = Literal["place", "blog", "cafe"]
Json = dict[str, object]
Built = TypeVar("Built")

TRAPS: Final[dict[RankType, frozenset[str]]] = {
    "blog": frozenset(
        {
            "duplicate_post",
            "sibling_post",
            "foreign_hosts",
            "related_posts",
            "redirect_links",
            "block_words",
        }
    ),
    "cafe": frozenset({"duplicate_post", "decoy_rows", "numeric_links", "block_words"}),
    "place": frozenset({"repeated_row", "nameless_row", "nested_promo"}),
}
"""Traps by rank type; a keyword that names none gets them all. What each does is told in the README."""

SHORT_LINK_KINDS: Final = frozenset({"redirect", "two_hops", "interstitial", "loop", "missing"})
APOLLO_SHAPES: Final = frozenset({"placeList", "restaurantList", "hospitals", "nested"})


class ScenarioError(ValueError):
    """The scenario is not usable; the message names the field and what is accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A tracked row and how it moves from day to day.

    key: place `{id}`, blog `{blogId}/{logNo}`, cafe `{slug}/{articleId}`.
    around, swing: centre and reach of the walk, in ranks. absence: share of ten-day spans (0 to 1) with a stretch of
    two to four days on which the target is not listed. ranks: days (YYYY-MM-DD) with a fixed rank, None for not listed.
    """

    key: str
    around: int = 10
    swing: int = 5
    absence: float = 0.0
    absent_days: tuple[str, ...] = ()
    ranks: dict[str, int | None] = field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advert:
    """An advert that stands before the n-th card of a page. `target` copies that row's title; "" is a stranger.

    style: `ader` links to the click host, `direct` links to the post and only its label tells.
    """

    before: int
    page: int = 1
    target: str = ""
    style: Literal["ader", "direct"] = "ader"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyword:
    """One keyword of one rank type.

    rows: organic rows that exist; list_end: rows that the pages ever give (place lists stop at 54, 100, 210 or 300);
    first_batch: rows of the first Apollo batch on m.place; apollo: shape of the Apollo state, "" for the usual one of
    the vertical. traps None means all of the type.
    """

    rank_type: RankType
    keyword: str
    rows: int = 120
    list_end: int = 300
    vertical: str = "place"
    first_batch: int = 50
    apollo: str = ""
    targets: tuple[Target, ...] = ()
    adverts: tuple[Advert, ...] | None = None
    traps: frozenset[str] | None = None

    @property
    def reachable(self) -> int:
        """Organic rows that a patient reader can reach."""
        return min(self.rows, self.list_end)

    def has_trap(self, name: str) -> bool:
        """Whether the trap is set for this keyword."""
        return name in (TRAPS[self.rank_type] if self.traps is None else self.traps)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortLink:
    """What naver.me answers for a code."""

    kind: str = "redirect"
    location: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """A tracking worth registering: what a person would paste, and the target key it must come to."""

    rank_type: RankType
    keyword: str
    target_url: str
    target_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything the replica shows."""

    keywords: tuple[Keyword, ...] = ()
    short_links: dict[str, ShortLink] = field(default_factory=dict)
    closed_places: frozenset[str] = frozenset()
    trackings: tuple[Tracking, ...] = ()

    @staticmethod
    def from_json(document: Json) -> Scenario:
        """Builds a scenario. Raises ScenarioError for unknown fields or values."""
        known = _known_fields(Scenario, document)
        links = cast("dict[str, Json]", known.get("short_links", {}))
        return Scenario(
            keywords=tuple(_keyword(item) for item in _objects(known.get("keywords", ()))),
            short_links={code: _short_link(link) for code, link in links.items()},
            closed_places=frozenset(cast("list[str]", known.get("closed_places", ()))),
            trackings=tuple(_build(Tracking, item) for item in _objects(known.get("trackings", ()))),
        )

    def to_json(self) -> Json:
        """The same scenario as JSON; `from_json` gives it back."""
        return cast("Json", _plain(asdict(self)))

    def merged(self, other: Scenario) -> Scenario:
        """This scenario with the other's keywords, links and trackings put over it."""
        replaced = {(item.rank_type, item.keyword) for item in other.keywords}
        kept = tuple(item for item in self.keywords if (item.rank_type, item.keyword) not in replaced)
        return Scenario(
            keywords=kept + other.keywords,
            short_links=self.short_links | other.short_links,
            closed_places=self.closed_places | other.closed_places,
            trackings=self.trackings + other.trackings,
        )


def _keyword(document: Json) -> Keyword:
    values = _known_fields(Keyword, document)
    if values.get("rank_type") not in TRAPS:
        raise ScenarioError(f"rank_type must be one of {sorted(TRAPS)}, got {values.get('rank_type')!r}")
    values["targets"] = tuple(_target(item) for item in _objects(values.get("targets", ())))
    if values.get("adverts") is not None:
        values["adverts"] = tuple(_build(Advert, item) for item in _objects(values["adverts"]))
    if values.get("traps") is not None:
        values["traps"] = frozenset(cast("list[str]", values["traps"]))
        unknown = cast("frozenset[str]", values["traps"]) - TRAPS[cast("RankType", values["rank_type"])]
        if unknown:
            raise ScenarioError(f"unknown traps {sorted(unknown)} for rank_type {values['rank_type']}")
    if values.get("apollo") and values["apollo"] not in APOLLO_SHAPES:
        raise ScenarioError(f"apollo must be one of {sorted(APOLLO_SHAPES)}, got {values['apollo']!r}")
    return _build(Keyword, values)


def _target(document: Json) -> Target:
    values = _known_fields(Target, document)
    values["absent_days"] = tuple(cast("list[str]", values.get("absent_days", ())))
    return _build(Target, values)


def _short_link(document: Json) -> ShortLink:
    link = _build(ShortLink, document)
    if link.kind not in SHORT_LINK_KINDS:
        raise ScenarioError(f"short link kind must be one of {sorted(SHORT_LINK_KINDS)}, got {link.kind!r}")
    return link


def _build(kind: type[Built], document: Json) -> Built:
    try:
        return kind(**_known_fields(kind, document))
    except TypeError as error:
        raise ScenarioError(f"{kind.__name__}: {error}") from error


def _known_fields(kind: type, document: Json) -> dict[str, Any]:
    known = {item.name for item in fields(kind)}
    unknown = set(document) - known
    if unknown:
        raise ScenarioError(f"{kind.__name__} has no field {sorted(unknown)}; known: {sorted(known)}")
    return dict(document)


def _objects(value: object) -> list[Json]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, dict) for item in value):
        raise ScenarioError(f"expected a list of objects, got {value!r:.80}")
    return cast("list[Json]", list(value))


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
