"""What the pages of a list give, and what has been read of it so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nightjar.domain.rank import Reading, organic_rows
from nightjar.domain.target import CafeTarget, Target, cafe_key, target_keys


@dataclass(frozen=True, slots=True)
class NextLoad:
    """How the page asks for what follows: its own address and headers, with values that only it knows."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """The organic rows of one page or load in document order, and the way on.

    No way on means that the list is over; `is_end` says that this is beyond doubt.
    """

    rows: tuple[str | None, ...]
    more: NextLoad | None = None
    is_end: bool = False


class Progress:
    """The rows of one search that were read so far, and whether more are needed."""

    def __init__(self, wanted: Sequence[Target], depth: int) -> None:
        self._wanted = wanted
        self._depth = depth
        self._read: list[str | None] = []
        self._clubs: dict[str, str | None] = {}

    def add(self, rows: Sequence[str | None]) -> bool:
        """Take the rows of one more page; False if not one of them is new."""
        known = set(self._read)
        self._read.extend(rows)
        return any(row is None or row not in known for row in rows)

    def replace(self, rows: Sequence[str | None]) -> None:
        """Take rows in place of all that were read: a reader that sees the whole list again and again."""
        self._read = list(rows)

    def note_cafe(self, slug: str, club_id: str | None) -> None:
        """Keep what was learnt of a cafe; None says that there is no such cafe."""
        self._clubs[slug] = club_id

    def knows_cafe(self, slug: str) -> bool:
        """Whether a cafe was looked up before."""
        return slug in self._clubs

    @property
    def same_cafe(self) -> dict[str, str]:
        """Slug to number, of the cafes that were looked up and exist."""
        return {slug: club_id for slug, club_id in self._clubs.items() if club_id}

    @property
    def counted(self) -> list[str | None]:
        """The rows that count, up to the depth. A row that names its cafe by number gets the slug where known."""
        slug_of = {club_id: slug for slug, club_id in self.same_cafe.items()}
        return organic_rows((_by_slug(row, slug_of) for row in self._read), depth=self._depth)

    def is_enough(self) -> bool:
        """Whether the depth was reached or every wanted target was met."""
        counted = self.counted
        return len(counted) >= self._depth or self._met_all(frozenset(row for row in counted if row))

    def reading(self) -> Reading:
        """What is handed on."""
        return Reading(rows=tuple(self.counted), same_cafe=self.same_cafe)

    def _met_all(self, keys: frozenset[str]) -> bool:
        return bool(self._wanted) and all(self._keys_of(target) & keys for target in self._wanted)

    def _keys_of(self, target: Target) -> frozenset[str]:
        keys = target_keys(target)
        if isinstance(target, CafeTarget) and target.club_id:
            slugs = (slug for slug, club_id in self.same_cafe.items() if club_id == target.club_id)
            keys |= {cafe_key(slug, target.article_id) for slug in slugs}
        return keys


def cafe_and_article(row: str | None, kind: str) -> tuple[str, str] | None:
    """The cafe and the article of a row key of a kind (`cafe`: by slug, `club`: by number), or None."""
    found_kind, _, rest = (row or "").partition(":")
    cafe, _, article_id = rest.partition("/")
    return (cafe, article_id) if found_kind == kind and article_id else None


def _by_slug(row: str | None, slug_of: Mapping[str, str]) -> str | None:
    found = cafe_and_article(row, "club")
    return cafe_key(slug_of[found[0]], found[1]) if found and found[0] in slug_of else row
