"""Site crawls as workers leave them: pages and what is left of the frontier, by the thousand where need be."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import text

from nightjar.application import site_crawls
from nightjar.database.engine import Database
from nightjar.domain.task import TaskState
from tests.integration.api.callers import CallerClient

START = "https://shop.example/"
HOST = "shop.example:443"

FRONTIER = text("""
    INSERT INTO frontier (crawl_id, url_hash, url, host, depth, state, reason, target, attempts, not_before,
                          error_code, error_message)
    SELECT :crawl_id, CAST(md5(:name || n) AS uuid), 'https://shop.example/' || :name || n, :host,
           CASE WHEN mod(n, 5) = 0 THEN 32767 ELSE mod(n, 4) END, :state, :reason, :target, 1,
           CASE WHEN CAST(:waits AS boolean) THEN clock_timestamp() END, :code, :message
    FROM generate_series(1, CAST(:number AS integer)) AS n
""")

PAGES = text("""
    INSERT INTO pages (crawl_id, url_hash, url, final_url, host, status, engine, engine_reason, content_type, charset,
                       headers, title, text, links, canonical_url, bytes, fetched_at, elapsed_ms, archive_object,
                       archive_offset, archive_length, screenshot)
    SELECT crawl_id, url_hash, url, url || '?', host, 200, 'http', 'it has no script', 'text/html', 'utf-8',
           '[["Content-Type", "text/html"], ["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]]', '제목 ' || url,
           repeat('본문 ', CAST(:words AS integer)),
           json_build_array(json_build_array(url || '/next', false), json_build_array('https://other.example/', true)),
           NULL, 11000, clock_timestamp(), 12, 'crawls/a.warc.gz', 0, 900, NULL
    FROM frontier WHERE crawl_id = :crawl_id AND state = 'done'
    ORDER BY seq
""")

SECTIONS = text("""
    INSERT INTO sections (page_id, position, parent, crawl_id, type, heading, level, text, path)
    SELECT p.id, n, nullif(n - 1, -1), p.crawl_id, CASE n WHEN 0 THEN 'main' ELSE 'section' END, '제목 ' || n, 2,
           repeat('글 ', CAST(:words AS integer)), 'main[1]/section[' || n || ']'
    FROM pages AS p, generate_series(0, CAST(:number AS integer) - 1) AS n WHERE p.crawl_id = :crawl_id
""")

LINKS = text("""
    INSERT INTO page_links (crawl_id, source_id, target_id, kind)
    SELECT crawl_id, id, lead(id, 1, id) OVER (ORDER BY id), 'link' FROM pages WHERE crawl_id = :crawl_id
""")

COUNT = text("""
    UPDATE crawls SET done = f.done, failed = f.failed, skipped = f.skipped, queued = f.queued,
                      discovered = f.done + f.failed + f.skipped + f.queued
    FROM (SELECT count(*) FILTER (WHERE state = 'done') AS done, count(*) FILTER (WHERE state = 'failed') AS failed,
                 count(*) FILTER (WHERE state = 'skipped') AS skipped,
                 count(*) FILTER (WHERE state = 'queued') AS queued
          FROM frontier WHERE crawl_id = :crawl_id) AS f
    WHERE task_id = :crawl_id
""")


@dataclass(frozen=True, slots=True)
class Frontier:
    """Writes what a crawl of somebody has met."""

    database: Database
    crawl_id: UUID

    def has(
        self,
        state: str,
        number: int,
        *,
        reason: str | None = None,
        target: str | None = None,
        code: str | None = None,
        waits: bool = False,
        host: str = HOST,
    ) -> None:
        """So many URLs in this state, with addresses of their own."""
        name = f"{state}/{uuid4().hex[:6]}/"
        values = {"crawl_id": self.crawl_id, "host": host, "state": state, "reason": reason, "target": target}
        values |= {"code": code, "message": code and f"the page: {code}", "waits": waits}
        with self.database.transaction() as uow:
            uow.connection.execute(FRONTIER, values | {"name": name, "number": number})

    def is_stored(self, *, words: int = 20) -> None:
        """Pages of all that is done, and counts that add up."""
        with self.database.transaction() as uow:
            uow.connection.execute(PAGES, {"crawl_id": self.crawl_id, "words": words})
            uow.connection.execute(COUNT, {"crawl_id": self.crawl_id})

    def is_analysed(self, *, sections: int, words: int = 3) -> None:
        """So many sections of each page, one within the other; each page leads to the next, the last to itself."""
        values = {"crawl_id": self.crawl_id, "number": sections, "words": words}
        with self.database.transaction() as uow:
            uow.connection.execute(SECTIONS, values)
            uow.connection.execute(LINKS, values)

    def ends(self, state: TaskState = TaskState.COMPLETED, *, reason: str = "limit") -> None:
        with self.database.transaction() as uow:
            uow.crawls.start_task(self.crawl_id)
            uow.crawls.close(self.crawl_id, reason=reason)
            result = site_crawls.result_of(uow, self.crawl_id)
            uow.crawls.end_task(self.crawl_id, state, result=result)


def ordered(caller: CallerClient, **body: object) -> UUID:
    """The task of a new crawl."""
    answer = caller.post("/api/v1/crawl", {"url": START, "background": True, "limit": 100_000} | body)
    assert answer.status_code == 202, answer.text
    return UUID(answer.json()["task_id"])
