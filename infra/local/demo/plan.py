"""What happens in each night: which day it is, and what the site does to the searches. Fixed by a seed.

Troubles last for a whole night, so that the checks they meet stay unknown, or pass after a few requests, so that the
checks recover; on a calm night the site may still wear another design, or give its long lists to a browser only.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import cycle
from random import Random
from types import MappingProxyType

RANK_TYPES_OF = MappingProxyType(
    {
        "search": frozenset({"blog", "cafe"}),
        "search_more": frozenset({"blog", "cafe"}),
        "place": frozenset({"place"}),
    }
)
"""The rank types that read a site of the replica."""

TROUBLED_SHARE = 0.45
"""Share of nights with a trouble: with 30 nights each trouble is met once."""

TWICE_EVERY = 10
"""EventBridge delivers at least once: one night in so many gets its event twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that the site does to the requests for one keyword, or for all of them (`everywhere`).

    `fault` and `conditions` are those of the replica's control API. `summary` goes on with the keyword.
    """

    fault: str
    site: str
    summary: str
    conditions: Mapping[str, object] = field(default_factory=dict)
    everywhere: bool = False


LASTING = (
    Trouble(fault="S403", site="search", summary="blog and cafe search refuses (403)"),
    Trouble(fault="P429", site="place", summary="the place list refuses (429)"),
    Trouble(fault="EMPTY", site="search", summary="blog and cafe search answers with nothing"),
    Trouble(fault="SHORT", site="search", summary="blog and cafe search gives 3 rows of a page"),
    Trouble(fault="500", site="search", summary="blog and cafe search breaks (500)"),
    Trouble(fault="TRUNCATED", site="search_more", summary="later pages of blog and cafe search are cut off"),
    Trouble(fault="GARBAGE", site="place", summary="the place list has a layout that nobody knows"),
    Trouble(fault="LOGIN", site="search", summary="blog and cafe search asks for a login"),
    Trouble(fault="502", site="place", summary="the place site is down (502)", everywhere=True),
)
"""Troubles of a whole night."""

PASSING = (
    Trouble(fault="S200", site="search", summary="blog and cafe search refuses once", conditions={"limit": 1}),
    Trouble(fault="P200", site="place", summary="the place list refuses once", conditions={"limit": 1}),
    Trouble(fault="503", site="place", summary="the place list breaks twice (503)", conditions={"limit": 2}),
    Trouble(
        fault="RESET",
        site="search",
        summary="the connection to blog and cafe search drops once",
        conditions={"limit": 1, "partial": True},
    ),
)
"""Troubles that are over after one or two requests."""

OLD, NEW, MUTATED = "old", "new", "mutated"
SURROUNDINGS = (
    (OLD, False), (NEW, True), (NEW, False), (MUTATED, False), (NEW, False),
    (NEW, False), (OLD, False), (NEW, False), (NEW, False), (NEW, False),
)  # fmt: skip
"""(design of the site, long place lists open in a browser only) of calm nights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One night to come. `number` counts from 1; `deliveries` is how often its event arrives."""

    number: int
    day: date
    trouble: Trouble | None = None
    keyword: str = ""
    design: str = NEW
    needs_browser: bool = False
    deliveries: int = 1

    def touches(self, rank_type: str, keyword: str) -> bool:
        """Whether the trouble may have met the search of such a tracking."""
        if self.trouble is None or rank_type not in RANK_TYPES_OF[self.trouble.site]:
            return False
        return self.trouble.everywhere or keyword == self.keyword

    @property
    def story(self) -> str:
        """What is special about the night, in words; "" for a usual one."""
        told = []
        if self.trouble:
            told.append(self.trouble.summary + ("" if self.trouble.everywhere else f": {self.keyword}"))
        if self.design != NEW:
            told.append(f"the site wears its {self.design} design")
        if self.needs_browser:
            told.append("long place lists open in a browser only")
        if self.deliveries > 1:
            told.append("the event arrives twice")
        return "; ".join(told)


def plan_nights(count: int, *, first: date, keywords: Mapping[str, Sequence[str]], seed: int) -> list[Night]:
    """`count` nights from the day `first` on. `keywords` are those that are followed, by rank type.

    The same arguments give the same nights. The first trouble of all is a lasting one, however few nights there are.
    """
    drawn = Random(seed)  # noqa: S311 - no secret
    troubles = _troubles(drawn)
    troubled = set(drawn.sample(range(count), k=max(round(count * TROUBLED_SHARE), min(count, 1))))
    twice = drawn.randrange(min(TWICE_EVERY, max(count, 1)))
    surroundings = cycle(SURROUNDINGS)
    nights = []
    for index in range(count):
        day = first + timedelta(days=index)
        deliveries = 2 if index % TWICE_EVERY == twice else 1
        if index in troubled:
            trouble = next(troubles)
            keyword = "" if trouble.everywhere else drawn.choice(_searched(trouble, keywords))
            nights.append(Night(number=index + 1, day=day, trouble=trouble, keyword=keyword, deliveries=deliveries))
        else:
            design, needs_browser = next(surroundings)
            nights.append(
                Night(number=index + 1, day=day, design=design, needs_browser=needs_browser, deliveries=deliveries)
            )
    return nights


def _troubles(drawn: Random) -> Iterator[Trouble]:
    first = drawn.choice(LASTING)
    rest = [trouble for trouble in (*LASTING, *PASSING) if trouble is not first]
    drawn.shuffle(rest)
    return cycle((first, *rest))


def _searched(trouble: Trouble, keywords: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """The keywords whose searches read the troubled site, in a fixed order."""
    return sorted({word for kind in RANK_TYPES_OF[trouble.site] for word in keywords.get(kind, ())})
