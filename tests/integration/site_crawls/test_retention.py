"""Site crawls are forgotten a month after their end, piece by piece; nothing of them stays behind in the archive."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from crawl_worker.tasks import scheduled
from nightjar.adapters.archive.folder import FolderArchive
from nightjar.application import retention
from nightjar.application.archive_sweeping import sweep_archive
from nightjar.application.retention import delete_expired_crawls, delete_expired_tasks
from nightjar.database.engine import Database
from nightjar.database.unit_of_work import UnitOfWork
from nightjar.wiring import FanOut, build_fan_out
from tests.integration.api.crawled import Frontier
from tests.integration.site_crawls.desk import CrawlDesk, a_crawl, answered

TABLES = ("pages", "frontier", "crawl_objects", "crawl_hosts", "crawls", "page_structures", "sections", "page_links")
LONG = timedelta(minutes=1)


@pytest.fixture
def archive(tmp_path: Path) -> FolderArchive:
    return FolderArchive(tmp_path)


def ended(database: Database, *, days: float, pages: int = 3) -> CrawlDesk:
    """A crawl with so many pages and their structures, which ended so long ago."""
    desk = a_crawl(database)
    urls = Frontier(database, desk.crawl_id)
    urls.has("done", pages)
    urls.has("skipped", pages, reason="depth")
    urls.is_stored()
    desk.run(
        """INSERT INTO page_structures (page_id, crawl_id, main_text, markdown, metadata)
                SELECT id, crawl_id, '', '', '{}' FROM pages WHERE crawl_id = :id""",
        id=desk.crawl_id,
    )
    desk.run(
        """INSERT INTO sections (page_id, position, crawl_id, type, text, path)
                SELECT id, n, crawl_id, 'main', '', '' FROM pages, generate_series(1, 3) AS n
                WHERE crawl_id = :id""",
        id=desk.crawl_id,
    )
    desk.run(
        """INSERT INTO page_links (crawl_id, source_id, target_id, kind)
                SELECT crawl_id, id, id, 'link' FROM pages WHERE crawl_id = :id""",
        id=desk.crawl_id,
    )
    desk.run("INSERT INTO crawl_objects (archive_object, crawl_id, pages) VALUES (:name, :id, :pages)",
             name=f"crawls/{desk.crawl_id}/first.warc.gz", id=desk.crawl_id, pages=pages)  # fmt: skip
    urls.ends()
    desk.run(
        "UPDATE tasks SET finished_at = now() - CAST(:age AS interval) WHERE id = :id",
        age=timedelta(days=days),
        id=desk.crawl_id,
    )
    return desk


def rows(desk: CrawlDesk) -> dict[str, int]:
    """How many rows of each table."""
    return {table: len(desk.rows(f"SELECT 1 AS one FROM {table}")) for table in TABLES}  # names above


def test_a_crawl_that_ended_long_ago_goes_with_everything_that_hangs_on_it(database: Database) -> None:
    desk = ended(database, days=31)
    assert min(rows(desk).values()) > 0
    assert delete_expired_crawls(database.transaction, within=LONG) == 1
    assert set(rows(desk).values()) == {0}
    assert desk.rows("SELECT id FROM tasks WHERE kind = 'crawl'") == []


def test_crawls_that_are_young_or_not_over_stay_whole(database: Database) -> None:
    young, running = ended(database, days=29), a_crawl(database)
    running.run("UPDATE tasks SET created_at = now() - interval '90 days' WHERE id = :id", id=running.crawl_id)
    before = rows(young)
    assert delete_expired_crawls(database.transaction, within=LONG) == 0
    assert delete_expired_tasks(database.transaction) == 0
    assert rows(young) == before


def test_other_expired_tasks_go_at_once_but_a_crawl_never_in_one_statement(database: Database) -> None:
    desk = ended(database, days=31)
    desk.run("""INSERT INTO tasks (id, kind, queue, payload, correlation_id, state, finished_at)
                VALUES (gen_random_uuid(), 'rank_check', 'nightly', '{}', 'x', 'completed', now() - interval '31 d')""")
    assert delete_expired_tasks(database.transaction) == 1
    assert rows(desk)["pages"] == 3


def test_what_hosts_asked_of_crawlers_long_ago_goes_and_what_they_asked_lately_stays(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ROBOTS_PAGE", 2)
    ages = {
        "https://a.example:443": 9,
        "https://b.example:443": 8.5,
        "https://c.example:443": 8,
        "https://d.example:443": 6,
    }
    with database.transaction() as uow:
        for origin, days in ages.items():
            uow.robots.keep(origin, status=200, body="", ttl=timedelta(days=-days))
        uow.robots.keep("https://e.example:443", status=200, body="", ttl=timedelta(days=1))
    delete_expired_tasks(database.transaction)
    with database.transaction() as uow:
        kept = [origin for origin in (*ages, "https://e.example:443") if uow.robots.get(origin) is not None]
    assert kept == ["https://d.example:443", "https://e.example:443"]


def test_a_large_crawl_goes_in_pieces_of_bounded_size(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "CRAWL_PAGES", 40)
    monkeypatch.setattr(retention, "CRAWL_ROWS", 50)
    desk = ended(database, days=31, pages=100)
    seen = []

    @contextmanager
    def counted() -> Iterator[UnitOfWork]:
        before = rows(desk)
        with database.transaction() as uow:
            yield uow
        after = rows(desk)
        seen.append({table: before[table] - after[table] for table in TABLES})

    assert delete_expired_crawls(counted, within=LONG) == 1
    assert [piece["pages"] for piece in seen if piece["pages"]] == [40, 40, 20]
    assert max(piece["frontier"] for piece in seen) == 50
    assert max(piece["page_links"] for piece in seen) == 50
    assert set(rows(desk).values()) == {0}


def test_deleting_goes_on_where_the_time_was_up(database: Database) -> None:
    desk = ended(database, days=31, pages=5)
    assert delete_expired_crawls(database.transaction, within=timedelta(0)) == 0
    with database.transaction() as uow:
        assert uow.expired_crawls.forget_piece(desk.crawl_id, pages=3, rows=10)
    assert rows(desk)["pages"] == 2
    assert delete_expired_crawls(database.transaction, within=LONG) == 1
    assert set(rows(desk).values()) == {0}


# --- the archive --------------------------------------------------------------------------------------------------


def test_an_object_without_pages_goes_a_day_after_its_crawl_ended(database: Database, archive: FolderArchive) -> None:
    desk = ended(database, days=2)
    kept = keep(archive, f"crawls/{desk.crawl_id}/first.warc.gz")
    keep(archive, f"crawls/{desk.crawl_id}/{uuid4()}.warc.gz")
    assert sweep_archive(database.transaction, archive, within=LONG) == 1
    assert list(archive.names("crawls")) == [kept]
    assert sweep_archive(database.transaction, archive, within=LONG) == 0


def test_an_object_whose_row_may_still_come_is_left_alone(database: Database, archive: FolderArchive) -> None:
    running, just_ended = a_crawl(database), ended(database, days=0.9)
    running.keep(answered(running.open(), "/more"))
    names = {keep(archive, f"crawls/{desk.crawl_id}/{uuid4()}.warc.gz") for desk in (running, just_ended)}
    assert sweep_archive(database.transaction, archive, within=LONG) == 0
    assert set(archive.names("crawls")) == names


def test_objects_of_a_deleted_crawl_go_with_it(database: Database, archive: FolderArchive) -> None:
    old, young = ended(database, days=31), ended(database, days=3)
    keep(archive, f"crawls/{old.crawl_id}/first.warc.gz")
    kept = keep(archive, f"crawls/{young.crawl_id}/first.warc.gz")
    assert sweep_archive(database.transaction, archive, within=LONG) == 0, "its pages still name it"
    delete_expired_crawls(database.transaction, within=LONG)
    assert sweep_archive(database.transaction, archive, within=LONG) == 1
    assert list(archive.names("crawls")) == [kept]


def test_what_is_not_of_a_site_crawl_is_left_alone(database: Database, archive: FolderArchive) -> None:
    names = {keep(archive, name) for name in ("crawls/notes/first.warc.gz", "screens/1.png", f"{uuid4()}/a.png")}
    assert sweep_archive(database.transaction, archive, within=LONG) == 0
    assert {name for name in names if archive.get(name) == b"bytes"} == names


def test_more_objects_than_are_looked_up_at_once_are_swept(
    database: Database, archive: FolderArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightjar.application.archive_sweeping.NAMES_AT_ONCE", 7)
    for _ in range(20):
        keep(archive, f"crawls/{uuid4()}/first.warc.gz")
    assert sweep_archive(database.transaction, archive, within=timedelta(0)) == 0
    assert sweep_archive(database.transaction, archive, within=LONG) == 20
    assert list(archive.names("crawls")) == []


def keep(archive: FolderArchive, name: str) -> str:
    archive.put(name, b"bytes", "application/warc")
    return name


@pytest.fixture
def parts(database_url: str, redis_url: str) -> Iterator[FanOut]:
    parts = build_fan_out({"DATABASE_URL": database_url, "REDIS_URL": redis_url})
    yield parts
    parts.close()


def test_the_clean_up_deletes_tasks_also_where_the_archive_does_not_answer(
    database: Database, parts: FanOut, tmp_path: Path
) -> None:
    (tmp_path / "crawls").write_text("no folder")
    desk = ended(database, days=31)
    assert scheduled.cleanup_expired_tasks(parts, FolderArchive(tmp_path)) == 1
    assert set(rows(desk).values()) == {0}
    (tmp_path / "crawls").unlink()
    archive = FolderArchive(tmp_path)
    keep(archive, f"crawls/{desk.crawl_id}/first.warc.gz")
    assert scheduled.cleanup_expired_tasks(parts, archive) == 0
    assert list(archive.names("crawls")) == []
