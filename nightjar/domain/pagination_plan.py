"""Lists that go over many pages: how their pages are addressed, and which of them are worth reading."""

from dataclasses import dataclass
from enum import StrEnum

PAGE = "{page}"
"""What stands in a URL pattern where the number goes."""

ALL_UP_TO = 5
REPRESENTATIVE_UP_TO = 20
"""Pages: a list with more is sampled."""

_REPRESENTATIVE = (1, 2, 3)
_SAMPLE = (1, 2, 3, 10, 20)


class PaginationStrategy(StrEnum):
    """Which pages of a list are read."""

    ALL = "all"
    REPRESENTATIVE = "representative"
    SAMPLING = "sampling"


class PaginationKind(StrEnum):
    """Where the number stands in the address, and what it counts: pages, or items to leave out."""

    QUERY = "query"
    PATH = "path"
    OFFSET = "offset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pagination:
    """A list of pages, as one of its pages shows it."""

    url_pattern: str
    """An absolute URL with `{page}` in it."""

    kind: PaginationKind
    start: int = 1
    """The number in the address of the first page: 0 at lists that count from 0, and mostly at offsets."""

    step: int = 1
    """From page to page; the items on a page, for an offset."""

    current: int
    """The number of the page that shows the list, from 1."""

    total: int
    """The highest page known of."""

    complete: bool
    """Whether the list ends at `total`: the page says so. Otherwise there may be more."""

    def url_of(self, page: int) -> str:
        """The address of a page, from 1."""
        return self.url_pattern.replace(PAGE, str(self.start + (page - 1) * self.step))


@dataclass(frozen=True, slots=True, kw_only=True)
class PaginationPlan:
    """Which pages of a list to read, in their order."""

    strategy: PaginationStrategy
    total_pages: int
    pages: tuple[int, ...]


def plan_of(total_pages: int) -> PaginationPlan:
    """Up to 5 pages all; up to 20 the first three and the last; of more also the 10th and the 20th.

    Raises ValueError for a list without pages.
    """
    if total_pages < 1:
        raise ValueError(f"a list has at least one page, not {total_pages}")
    if total_pages <= ALL_UP_TO:
        return _plan(PaginationStrategy.ALL, total_pages, tuple(range(1, total_pages + 1)))
    if total_pages <= REPRESENTATIVE_UP_TO:
        return _plan(PaginationStrategy.REPRESENTATIVE, total_pages, (*_REPRESENTATIVE, total_pages))
    return _plan(PaginationStrategy.SAMPLING, total_pages, (*_SAMPLE, total_pages))


def _plan(strategy: PaginationStrategy, total_pages: int, pages: tuple[int, ...]) -> PaginationPlan:
    return PaginationPlan(strategy=strategy, total_pages=total_pages, pages=pages)
