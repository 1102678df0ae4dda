"""What was understood of the pages of a crawl, and which objects of the archive are still to be analysed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text

from nightjar.domain.pagination_plan import Pagination, PaginationKind
from nightjar.domain.section import Section

JSON_LENGTH = 8_000_000
"""Characters of pages and sections in one statement, about."""

# An object whose holder is not working any more, or is at another attempt, is free again.
CLAIM_OBJECT = text("""
    UPDATE crawl_objects SET leased_by = :task_id, lease_attempt = :attempt
    WHERE archive_object = (
        SELECT o.archive_object FROM crawl_objects AS o
        WHERE o.crawl_id = :crawl_id AND o.analysed_at IS NULL AND NOT EXISTS (
            SELECT FROM tasks AS t WHERE t.id = o.leased_by AND t.attempt = o.lease_attempt
                                     AND t.state = 'in_progress' AND t.id <> :task_id)
        ORDER BY o.archive_object LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING archive_object
""")

PAGES_OF_OBJECT = text("""
    SELECT id, final_url AS url, url_hash, content_type, charset, links, canonical_url, archive_offset AS "offset",
           archive_length AS length
    FROM pages WHERE archive_object = :archive_object ORDER BY id
""")

FINISH_OBJECT = text("""
    UPDATE crawl_objects SET analysed_at = clock_timestamp(), leased_by = NULL, lease_attempt = NULL
    WHERE archive_object = :archive_object AND leased_by = :task_id AND lease_attempt = :attempt AND analysed_at IS NULL
    RETURNING archive_object
""")

PROGRESS = text("""
    SELECT coalesce(sum(pages) FILTER (WHERE analysed_at IS NOT NULL), 0) AS analysed, coalesce(sum(pages), 0) AS pages,
           count(*) FILTER (WHERE analysed_at IS NULL) AS objects_left
    FROM crawl_objects WHERE crawl_id = :crawl_id
""")

STORE = text("""
    INSERT INTO page_structures (page_id, crawl_id, main_text, markdown, language, metadata, pagination)
    SELECT p.id, p.crawl_id, s.main_text, s.markdown, s.language, s.metadata, s.pagination
    FROM json_to_recordset(CAST(:pages AS json))
         AS s (page_id bigint, main_text text, markdown text, language text, metadata jsonb, pagination jsonb)
    JOIN pages AS p ON p.id = s.page_id
    ON CONFLICT (page_id) DO UPDATE
    SET main_text = excluded.main_text, markdown = excluded.markdown, language = excluded.language,
        metadata = excluded.metadata, pagination = excluded.pagination, analysed_at = clock_timestamp()
""")

FORGET_SECTIONS = text("DELETE FROM sections WHERE page_id = ANY(CAST(:page_ids AS bigint[]))")

STORE_SECTIONS = text("""
    INSERT INTO sections (page_id, position, parent, crawl_id, type, heading, level, text, path)
    SELECT p.id, s.position, s.parent, p.crawl_id, s.type, s.heading, s.level, s.text, s.path
    FROM json_to_recordset(CAST(:sections AS json))
         AS s (page_id bigint, position integer, parent integer, type text, heading text, level smallint, text text,
               path text)
    JOIN pages AS p ON p.id = s.page_id
""")

# A list shows itself on each of its pages; the page that knows of most counts.
LISTS = text("""
    SELECT s.url_pattern, s.kind, s.start, s.step, max(s.current) AS current, max(s.total) AS total,
           (array_agg(s.complete ORDER BY s.total DESC, s.complete DESC))[1] AS complete
    FROM page_structures AS p
    CROSS JOIN LATERAL jsonb_to_record(p.pagination)
        AS s (url_pattern text, kind text, start integer, step integer, current integer, total integer,
              complete boolean)
    WHERE p.crawl_id = :crawl_id AND p.pagination IS NOT NULL
    GROUP BY 1, 2, 3, 4 ORDER BY count(*) DESC, 1 LIMIT :limit
""")

KEEP_PLAN = text("UPDATE crawls SET pagination = CAST(:plan AS jsonb) WHERE task_id = :crawl_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageToAnalyse:
    """A stored page, where its bytes are, and where it leads."""

    id: int
    url: str
    url_hash: UUID
    content_type: str
    charset: str | None
    links: tuple[str, ...]
    canonical_url: str | None
    offset: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysedPage:
    """What was understood of a page. `metadata` holds what JSON can."""

    page_id: int
    main_text: str
    markdown: str
    language: str | None
    metadata: Mapping[str, object]
    pagination: Pagination | None
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisProgress:
    """How far the analysis of a crawl came."""

    analysed: int
    pages: int
    objects_left: int


class PageStructures:
    """Rows of `page_structures`, `sections` (written) and `crawl_objects`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim_object(self, crawl_id: UUID, *, task_id: UUID, attempt: int) -> str | None:
        """An object that nobody else analyses now: its name. None if there is none."""
        values = {"crawl_id": crawl_id, "task_id": task_id, "attempt": attempt}
        return self._connection.execute(CLAIM_OBJECT, values).scalar_one_or_none()

    def pages_of(self, archive_object: str) -> Sequence[PageToAnalyse]:
        """The pages whose bytes are in an object."""
        rows = self._connection.execute(PAGES_OF_OBJECT, {"archive_object": archive_object})
        return [PageToAnalyse(**row._asdict() | {"links": tuple(url for url, *_ in row.links)}) for row in rows]

    def finish_object(self, archive_object: str, *, task_id: UUID, attempt: int) -> bool:
        """An object is done; False if it is in other hands, and then nothing of it may be committed."""
        values = {"archive_object": archive_object, "task_id": task_id, "attempt": attempt}
        return self._connection.execute(FINISH_OBJECT, values).first() is not None

    def progress(self, crawl_id: UUID) -> AnalysisProgress:
        """How far the analysis came."""
        row = self._connection.execute(PROGRESS, {"crawl_id": crawl_id}).one()
        return AnalysisProgress(analysed=int(row.analysed), pages=int(row.pages), objects_left=int(row.objects_left))

    def store(self, pages: Sequence[AnalysedPage]) -> None:
        """Keep what was understood, in the place of what was there; pages that are gone meanwhile are left out."""
        self._connection.execute(FORGET_SECTIONS, {"page_ids": [page.page_id for page in pages]})
        for rows in _batches(_page_row(page) for page in pages):
            self._connection.execute(STORE, {"pages": rows})
        for rows in _batches(_section_row(page, section) for page in pages for section in page.sections):
            self._connection.execute(STORE_SECTIONS, {"sections": rows})

    def lists(self, crawl_id: UUID, *, limit: int) -> Sequence[Pagination]:
        """The lists that the pages of a crawl are pages of, those with most pages first."""
        rows = self._connection.execute(LISTS, {"crawl_id": crawl_id, "limit": limit})
        return [Pagination(**row._asdict() | {"kind": PaginationKind(row.kind)}) for row in rows]

    def keep_plan(self, crawl_id: UUID, plan: Sequence[Mapping[str, object]]) -> None:
        """Which pages of the lists of a crawl are worth reading."""
        self._connection.execute(KEEP_PLAN, {"crawl_id": crawl_id, "plan": json.dumps(plan)})


def _page_row(page: AnalysedPage) -> dict[str, object]:
    pagination = page.pagination
    return {
        "page_id": page.page_id,
        "main_text": page.main_text,
        "markdown": page.markdown,
        "language": page.language,
        "metadata": page.metadata,
        "pagination": {name: getattr(pagination, name) for name in pagination.__slots__} if pagination else None,
    }


def _section_row(page: AnalysedPage, section: Section) -> dict[str, object]:
    return {"page_id": page.page_id, **{name: getattr(section, name) for name in section.__slots__}}


def _batches(rows: Iterator[dict[str, object]]) -> Iterator[str]:
    """JSON arrays of about JSON_LENGTH characters at most."""
    pieces: list[str] = []
    length = 0
    for row in rows:
        piece = json.dumps(row, ensure_ascii=False)
        pieces.append(piece)
        length += len(piece)
        if length >= JSON_LENGTH:
            yield f"[{','.join(pieces)}]"
            pieces, length = [], 0
    if pieces:
        yield f"[{','.join(pieces)}]"
