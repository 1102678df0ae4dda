"""Recognises that a page is one of a list of pages, from its links and its own words."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from crawl_worker.sites.web.link_labels import Step, number_in, step_in, total_in
from nightjar.domain.pagination_plan import PAGE, Pagination, PaginationKind
from nightjar.domain.section import Section, SectionLink

_PAGE_NAMES = frozenset(
    (
        *("page", "p", "pg", "paged", "pageno", "pagenum", "pagenumber", "pageindex", "currentpage", "curpage"),
        *("cpage", "cp", "npage", "nowpage", "gotopage", "pageid", "pn", "pp"),
    )
)
_OFFSET_NAMES = frozenset(("offset", "start", "skip", "from", "startrow", "startindex", "limitstart"))

_IN_QUERY = re.compile(r"[?&;]([^=&;]+)=(\d{1,6})(?=[&;]|$)")
_IN_PATH = re.compile(r"(?<=/)([a-zA-Z_-]*?)[-_/]?(\d{1,6})(?=/|$|\?|\.[a-z]{2,5}(?:\?|$))")
_TWO = 2


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A link by one of the numbers in its address."""

    number: int
    label: int | Step | None
    section: int | None


@dataclass(slots=True)
class _Family:
    """Addresses that differ in one number only."""

    name: str
    in_query: bool
    links: list[_Numbered] = field(default_factory=list)
    own: int | None = None
    """The number in the address of the page itself."""

    @property
    def is_named(self) -> bool:
        return self.name in _PAGE_NAMES or self.name in _OFFSET_NAMES

    @property
    def labelled(self) -> dict[int, int]:
        """Page number as shown to number in the address."""
        return {link.label: link.number for link in self.links if isinstance(link.label, int) and link.label > 0}

    @property
    def steps(self) -> dict[Step, int]:
        """Where next, last and so on lead."""
        return {link.label: link.number for link in self.links if isinstance(link.label, Step)}


@dataclass(frozen=True, slots=True)
class _Count:
    """How the numbers of a family count: page n has start + (n - 1) * step."""

    start: int
    step: int

    def page(self, number: int) -> int | None:
        page, rest = divmod(number - self.start, self.step)
        return page + 1 if rest == 0 and page >= 0 else None


def pagination_of(url: str, links: Iterable[SectionLink], sections: Sequence[Section]) -> Pagination | None:
    """The list that the page at `url` is one page of; the likeliest, if there are several. None: there is none."""
    families = _families(url, links)
    found = [(weight, pattern) for pattern, family in families.items() if (weight := _weight(family))]
    for _, pattern in sorted(found, key=lambda each: each[0], reverse=True):
        count = _count_of(families[pattern])
        if count is not None:
            return _pagination(pattern, families[pattern], count, sections)
    return None


def _families(url: str, links: Iterable[SectionLink]) -> dict[str, _Family]:
    families: dict[str, _Family] = {}
    for link in links:
        label = number_in(link.text) or step_in(link.text, link.rel)
        for pattern, name, number, in_query in _numbers_in(link.url):
            family = families.setdefault(pattern, _Family(name, in_query))
            family.links.append(_Numbered(number, label, link.section))
    for pattern, _, number, _ in _numbers_in(url):
        if pattern in families:
            families[pattern].own = number
    return families


def _numbers_in(url: str) -> Iterator[tuple[str, str, int, bool]]:
    """Every number of an address that may count pages: the pattern, what the number is called, the number, where."""
    path_from = url.find("/", url.find("//") + 2)
    query_from = url.find("?")
    query_from = len(url) if query_from < 0 else query_from
    for found in _IN_QUERY.finditer(url, query_from):
        name = found[1].lower().replace("_", "").replace("-", "").rpartition(".")[2]
        yield _pattern(url, found), name, int(found[2]), True
    if path_from >= 0:
        for found in _IN_PATH.finditer(url, path_from, query_from):
            before = url[path_from : found.start()].rstrip("/").rpartition("/")[2]
            yield _pattern(url, found), (found[1].strip("-_") or before).lower(), int(found[2]), False


def _pattern(url: str, found: re.Match[str]) -> str:
    return f"{url[: found.start(2)]}{PAGE}{url[found.end(2) :]}"


def _weight(family: _Family) -> int:
    """How much speaks for a list. A name such as `page` does, numbers as words do, and so do words such as 'next'.

    Days of a calendar are numbers too: without a telling name they are no list unless a step leads along them.
    """
    shown, steps = len(family.labelled), len(family.steps)
    if not shown and not steps:
        return 0
    if not family.is_named and not (shown >= _TWO and steps):
        return 0
    return shown + _TWO * steps + (_TWO if family.is_named else 0)


def _count_of(family: _Family) -> _Count | None:
    """How the family counts, from two numbered links, or else from what its name promises."""
    shown = sorted(family.labelled.items())
    if len(shown) >= _TWO:
        (page, number), (last_page, last_number) = shown[0], shown[-1]
        step, rest = divmod(last_number - number, last_page - page)
        count = _Count(number - (page - 1) * step, step)
        fits = rest == 0 and step > 0 and all(count.page(number) == page for page, number in shown)
        return count if fits and count.start >= 0 else None
    if family.name in _OFFSET_NAMES:
        return _count_of_offset(family, dict(shown))
    start = shown[0][1] - shown[0][0] + 1 if shown else 1
    return _Count(start, 1) if start in {0, 1} else None


def _count_of_offset(family: _Family, shown: dict[int, int]) -> _Count | None:
    """With a single link: page n lies n - 1 steps from 0; the next one a step from here."""
    for page, number in shown.items():
        if page > 1 and number % (page - 1) == 0 and number:
            return _Count(0, number // (page - 1))
    following = family.steps.get(Step.NEXT)
    step = following - (family.own or 0) if following is not None else 0
    return _Count(0, step) if step > 0 else None


def _pagination(pattern: str, family: _Family, count: _Count, sections: Sequence[Section]) -> Pagination:
    words = _words_around(family, sections)
    current = (count.page(family.own) if family.own is not None else None) or _unlinked_number(family, words) or 1
    known = [current, *family.labelled, *(page for link in family.links if (page := count.page(link.number)))]
    said = _said_total(family, count, words)
    total = max([said, *family.labelled, current]) if said else max(known)
    return Pagination(
        url_pattern=pattern,
        kind=_kind(family, count),
        start=count.start,
        step=count.step,
        current=current,
        total=total,
        complete=said is not None or _ends_here(family, count, current, words),
    )


def _kind(family: _Family, count: _Count) -> PaginationKind:
    if family.name in _OFFSET_NAMES or count.step > 1:
        return PaginationKind.OFFSET
    return PaginationKind.QUERY if family.in_query else PaginationKind.PATH


def _said_total(family: _Family, count: _Count, words: str) -> int | None:
    """The last page by a link to the end, or in words."""
    last = family.steps.get(Step.LAST)
    by_link = count.page(last) if last is not None else None
    by_words = total_in(words)
    return max(filter(None, (by_link, by_words)), default=None)


def _ends_here(family: _Family, count: _Count, current: int, words: str) -> bool:
    """Whether the highest number shown is the last: no step leads on, or the numbers leap to it (`1 2 3 … 40`)."""
    shown = sorted({*family.labelled, current})
    following = family.steps.get(Step.NEXT)
    page = count.page(following) if following is not None else None
    if page is None:
        return len(shown) > 1 and current <= shown[-1]
    if page > shown[-1]:
        return False
    leaps = len(shown) > 1 and shown[-1] - shown[-2] > 1
    return leaps or "…" in words or "..." in words or shown[-1] == page


def _words_around(family: _Family, sections: Sequence[Section]) -> str:
    """The text of the sections that the pager stands in, and of those around them that are menus."""
    places: dict[int, int] = defaultdict(int)
    for link in family.links:
        if link.section is not None and link.label is not None:
            places[link.section] += 1
            parent = sections[link.section].parent
            if parent is not None:
                places[parent] += 1
    return "\n".join(sections[place].text[-2_000:] for place in sorted(places))


def _unlinked_number(family: _Family, words: str) -> int | None:
    """The number that a pager shows without a link is the page itself."""
    shown = family.labelled
    if not shown:
        return None
    unlinked = {int(word) for word in re.findall(r"(?<!\d)\d{1,6}(?!\d)", words)} - set(shown)
    near = [number for number in unlinked if 1 <= number <= max(shown) + 1]
    return near[0] if len(near) == 1 else None
