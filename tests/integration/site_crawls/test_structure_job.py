"""Stored pages are analysed in the database: sections, links between pages, plans for lists, and the crawl's end."""

import asyncio
import io
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import networkx as nx
import pytest
from sqlalchemy import text

from crawl_worker.engine.fetched import FetchedPage
from crawl_worker.engine.store import Store
from crawl_worker.sites.web.crawl_news import CrawlNews
from crawl_worker.sites.web.urls import hash_of
from crawl_worker.sites.web.warc import WarcObject
from crawl_worker.tasks.structure_job import Analysed, StructureJob, StructureTools
from infra.local.push_graph import main
from nightjar.adapters.archive.folder import FolderArchive
from nightjar.adapters.redis.task_queue import RedisTaskQueue
from nightjar.application.graph_export import cypher_pieces, graphml_pieces, json_pieces
from nightjar.application.site_crawls import CrawlStart, add_analysis, start
from nightjar.application.site_graphs import graph_edges, graph_nodes
from nightjar.database.engine import Database
from nightjar.database.sections import StoredSection
from nightjar.domain.progress import ProgressEvent
from nightjar.domain.site_crawl import CrawlOrder, Engine
from nightjar.domain.site_graph import GraphEdge, GraphNode
from nightjar.domain.task import Claim, TaskState
from nightjar.errors import LeaseLost, RetryLater
from nightjar.ports import Archive, ArchiveUnavailable
from tests.doubles.graph_server import PASSWORD, USERNAME, GraphServer

SITE = "http://lantern.example"
LEASE = timedelta(seconds=30)


def page(title: str, *links: str, more: str = "") -> str:
    anchors = "".join(f'<li><a href="{href}">{href}</a></li>' for href in links)
    return f"""<html lang="ko"><head><title>{title}</title></head><body><nav><ul>{anchors}</ul></nav>
        <main><h1>{title}</h1><p>등불을 켜는 사람들이 강가에 모여 한 해를 이야기한다.</p>{more}</main></body></html>"""


PAGES: Mapping[str, str] = {
    "/": page("Home", "/a", "/moved", "/missing", "/list"),
    "/a": page("A", "/", "/b"),
    "/b": page("B", "/a"),
    "/list": page("List", "/", more='<div><b>1</b> <a href="?page=2">2</a> … <a href="?page=40">40</a></div>'),
}


class Desk:
    """A crawl whose pages are all in, two a WARC object."""

    def __init__(self, database: Database, folder: Path, redis_url: str) -> None:
        self.database = database
        self.archive = FolderArchive(folder)
        self.queue = RedisTaskQueue(redis_url, origin="test")
        self.said = _Said()
        self.store = Store(database, name="store")
        with database.transaction() as uow:
            begun = start(
                uow,
                CrawlOrder(url=f"{SITE}/"),
                CrawlStart(
                    owner="me", correlation_id="c", host="lantern.example:80", origin=SITE, delay=timedelta(seconds=1)
                ),
            )
            self.crawl_id = begun.task_id
            uow.crawls.start_task(self.crawl_id)

    def keep(self, pages: Mapping[str, str], *, in_object: int = 2) -> None:
        """Archive pages and store their rows."""
        items = list(pages.items())
        for first in range(0, len(items), in_object):
            self._keep_object(dict(items[first : first + in_object]))

    def _keep_object(self, pages: Mapping[str, str]) -> None:
        name = f"crawls/{self.crawl_id}/{uuid4()}.warc.gz"
        warc = WarcObject(crawl=str(self.crawl_id), user_agent="Nightjar")
        places = {path: warc.add(_fetched(path, html)) for path, html in pages.items()}
        self.archive.put(name, warc.close(), "application/warc")
        with self.database.transaction() as uow:
            uow.connection.execute(
                text("INSERT INTO crawl_objects (archive_object, crawl_id, pages) VALUES (:name, :id, :pages)"),
                {"name": name, "id": self.crawl_id, "pages": len(pages)},
            )
            for path, (offset, length) in places.items():
                uow.connection.execute(INSERT_PAGE, _row(self.crawl_id, path, pages[path], name, offset, length))

    def moved(self, path: str, target: str) -> None:
        """A URL that redirects."""
        values = {"id": self.crawl_id, "url": SITE + path, "hash": hash_of(SITE + path), "target": SITE + target}
        with self.database.transaction() as uow:
            uow.connection.execute(INSERT_MOVED, values)

    def ready(self) -> UUID:
        """All pages are in: the task that analyses them."""
        with self.database.transaction() as uow:
            uow.connection.execute(
                text("UPDATE crawls SET done = :n, discovered = :n, queued = 0 WHERE task_id = :id"),
                {"n": 4, "id": self.crawl_id},
            )
            uow.crawls.begin_analysing(self.crawl_id)
            return add_analysis(uow, self.crawl_id)

    def claim(self, task_id: UUID) -> Claim:
        with self.database.transaction() as uow:
            claim = uow.tasks.claim(task_id, lease=LEASE)
        assert claim is not None
        return claim

    def job(self, *, archive: Archive | None = None, span: timedelta = timedelta(seconds=45)) -> StructureJob:
        news = CrawlNews(self.store, self.said)
        tools = StructureTools(store=self.store, queue=self.queue, archive=archive or self.archive, news=news)
        return StructureJob(tools, span=span)

    async def run(self, task_id: UUID, *, span: timedelta = timedelta(seconds=45)) -> None:
        """Attempts until the task has ended."""
        while True:
            job, claim = self.job(span=span), self.claim(task_id)
            await job.settle(claim, await job.work(claim, _silent))
            with self.database.transaction() as uow:
                task = uow.tasks.get(task_id, owner=None)
            if task is not None and task.state is TaskState.COMPLETED:
                return

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        with self.database.transaction() as uow:
            return [tuple(row) for row in uow.connection.execute(text(statement), {"id": self.crawl_id})]

    def nodes(self) -> Iterator[GraphNode]:
        return graph_nodes(self.database.transaction, self.crawl_id)

    def edges(self) -> Iterator[GraphEdge]:
        return graph_edges(self.database.transaction, self.crawl_id)

    def links(self) -> set[tuple[str, str, str]]:
        found = self.rows("""SELECT s.url, t.url, l.kind FROM page_links AS l
            JOIN pages AS s ON s.id = l.source_id JOIN pages AS t ON t.id = l.target_id WHERE l.crawl_id = :id""")
        return {(str(a).removeprefix(SITE), str(b).removeprefix(SITE), str(kind)) for a, b, kind in found}


INSERT_PAGE = text("""
    INSERT INTO pages (crawl_id, url_hash, url, final_url, host, status, engine, content_type, headers, title, text,
                       links, canonical_url, bytes, fetched_at, elapsed_ms, archive_object, archive_offset,
                       archive_length)
    VALUES (:id, :hash, :url, :url, 'lantern.example:80', 200, 'http', 'text/html', '[]', :title, '',
            CAST(:links AS jsonb), :canonical, 1, now(), 1, :name, :offset, :length)
""")

INSERT_MOVED = text("""
    INSERT INTO frontier (crawl_id, url_hash, url, host, depth, state, reason, target)
    VALUES (:id, :hash, :url, 'lantern.example:80', 1, 'skipped', 'redirect', :target)
""")


def _fetched(path: str, html: str) -> FetchedPage:
    return FetchedPage(
        url=SITE + path,
        final_url=SITE + path,
        status=200,
        headers=(("Content-Type", "text/html; charset=utf-8"),),
        body=html.encode(),
        engine=Engine.HTTP,
        started_at=datetime.now(UTC),
        elapsed=timedelta(milliseconds=1),
    )


def _row(crawl_id: UUID, path: str, html: str, name: str, offset: int, length: int) -> dict[str, object]:
    hrefs = [part.partition('"')[0] for part in html.split('<a href="')[1:]]
    return {
        "id": crawl_id,
        "hash": hash_of(SITE + path),
        "url": SITE + path,
        "title": html.partition("<title>")[2].partition("</title>")[0],
        "links": json.dumps([[SITE + href, False] for href in hrefs if href.startswith("/")]),
        "canonical": f"{SITE}/a" if path == "/b" else None,
        "name": name,
        "offset": offset,
        "length": length,
    }


def _ends(edges: list[dict[str, str]]) -> set[str]:
    return {edge[end] for edge in edges for end in ("source", "target")}


class _Said:
    """Keeps what is told to those who watch."""

    def __init__(self) -> None:
        self.events: list[ProgressEvent] = []

    async def publish(self, event: ProgressEvent) -> None:
        self.events.append(event)


async def _silent(*_: object, **__: object) -> None:
    return None


@pytest.fixture
def desk(database: Database, tmp_path: Path, redis_url: str) -> Iterator[Desk]:
    desk = Desk(database, tmp_path / "archive", redis_url)
    yield desk
    desk.store.close()
    desk.queue.close()


def test_an_analysed_crawl_is_complete_with_sections_links_and_plan(desk: Desk) -> None:
    desk.keep(PAGES)
    desk.moved("/moved", "/b")
    task_id = desk.ready()
    asyncio.run(desk.run(task_id))
    assert desk.rows("SELECT state FROM tasks WHERE id = :id") == [("completed",)]
    assert desk.rows("SELECT state FROM crawls WHERE task_id = :id") == [("closed",)]
    assert desk.rows("SELECT count(*), min(language) FROM page_structures WHERE crawl_id = :id") == [(4, "ko")]
    assert desk.links() == {
        ("/", "/a", "link"),
        ("/", "/b", "link"),
        ("/", "/list", "link"),
        ("/a", "/", "link"),
        ("/a", "/b", "link"),
        ("/b", "/a", "link"),
        ("/b", "/a", "canonical"),
        ("/list", "/", "link"),
    }
    assert [(event.status, event.progress) for event in desk.said.events] == [
        ("in_progress", 79),
        ("in_progress", 99),
        ("completed", 100),
    ]
    ((plan,),) = desk.rows("SELECT pagination FROM crawls WHERE task_id = :id")
    assert isinstance(plan, list)
    assert (plan[0]["url_pattern"], plan[0]["total_pages"], plan[0]["strategy"], plan[0]["pages"]) == (
        f"{SITE}/list?page={{page}}",
        40,
        "sampling",
        [1, 2, 3, 10, 20, 40],
    )


def test_the_graph_of_a_crawl_has_all_its_nodes_and_edges(desk: Desk) -> None:
    desk.keep(PAGES)
    asyncio.run(desk.run(desk.ready()))
    ((sections, tops),) = desk.rows(
        "SELECT count(*), count(*) FILTER (WHERE parent IS NULL) FROM sections WHERE crawl_id = :id"
    )
    assert isinstance(sections, int)
    assert isinstance(tops, int)
    assert 0 < tops < sections
    graph = json.loads("".join(json_pieces(desk.nodes(), desk.edges())))
    assert len(graph["nodes"]) == len(PAGES) + sections
    assert len(graph["edges"]) == len(desk.links()) + sections
    assert _ends(graph["edges"]) <= {node["id"] for node in graph["nodes"]}
    loaded = nx.read_graphml(io.BytesIO("".join(graphml_pieces(desk.nodes(), desk.edges())).encode()))
    assert (loaded.number_of_nodes(), loaded.number_of_edges()) == (len(graph["nodes"]), len(graph["edges"]))


def test_the_cypher_of_a_crawl_makes_the_same_graph(desk: Desk, tmp_path: Path) -> None:
    desk.keep(PAGES)
    asyncio.run(desk.run(desk.ready()))
    graph = json.loads("".join(json_pieces(desk.nodes(), desk.edges())))
    server = GraphServer(tmp_path / "graph")
    server.start()
    try:
        server.load("".join(cypher_pieces(desk.nodes(), desk.edges())))
        nodes = server.rows("MATCH (n) RETURN n.id, n.kind, n.url, n.title")
        edges = server.rows("MATCH (a)-[e]->(b) RETURN a.id, b.id, toLower(type(e))")
    finally:
        server.stop()
    assert sorted(map(tuple, nodes)) == sorted(tuple(node.values()) for node in graph["nodes"])
    assert sorted(map(tuple, edges)) == sorted(tuple(edge.values()) for edge in graph["edges"])


def test_the_graph_of_a_crawl_is_pushed_by_its_task_id(
    desk: Desk, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.keep({"/": page("Home", "/")})
    asyncio.run(desk.run(desk.ready()))
    server = GraphServer(tmp_path / "graph")
    server.start()
    for name, value in {
        "DATABASE_URL": database_url,
        "NEO4J_URL": server.bolt_url,
        "NEO4J_USERNAME": USERNAME,
        "NEO4J_PASSWORD": "",
    }.items():
        monkeypatch.setenv(name, value)
    try:
        assert main([str(desk.crawl_id)]) == 1
        assert "NEO4J_PASSWORD is not set" in capsys.readouterr().err
        monkeypatch.setenv("NEO4J_PASSWORD", PASSWORD)
        assert main([str(uuid4())]) == 1
        assert "there is no crawl" in capsys.readouterr().err
        assert main([str(desk.crawl_id)]) == 0
        assert capsys.readouterr().out == "push_graph: 5 nodes and 5 edges\n"
    finally:
        server.stop()


def test_sections_are_read_by_key_without_a_gap(desk: Desk) -> None:
    desk.keep(PAGES)
    asyncio.run(desk.run(desk.ready()))
    with desk.database.transaction() as uow:
        all_at_once = uow.sections.page(desk.crawl_id, limit=1000)
        one_by_one: list[StoredSection] = []
        after = (0, -1)
        while page := uow.sections.page(desk.crawl_id, after=after, limit=1):
            one_by_one += page
            after = page[0].page_id, page[0].position
    assert one_by_one == list(all_at_once)
    assert {section.parent_id for section in all_at_once} - {None} <= {section.id for section in all_at_once}


def test_an_attempt_whose_time_is_up_comes_back_and_loses_nothing(desk: Desk) -> None:
    desk.keep(PAGES, in_object=1)
    task_id = desk.ready()
    asyncio.run(desk.run(task_id, span=timedelta(milliseconds=1)))
    assert desk.rows("SELECT count(*) FROM page_structures WHERE crawl_id = :id") == [(4,)]
    assert desk.rows("SELECT count(*) FROM crawl_objects WHERE analysed_at IS NULL AND crawl_id = :id") == [(0,)]


def test_a_crawl_with_many_pages_gets_helpers_and_each_object_is_analysed_once(desk: Desk) -> None:
    pages = {f"/p{number}": page(f"P{number}", "/p1") for number in range(24)}
    desk.keep(pages, in_object=1)
    task_id = desk.ready()

    async def all_of_them() -> list[Analysed]:
        first = desk.claim(task_id)
        main = asyncio.create_task(desk.job().work(first, _silent))
        helpers: list[UUID] = []
        while not helpers:
            await asyncio.sleep(0.01)
            with desk.database.transaction() as uow:
                rows = uow.connection.execute(text("SELECT id FROM tasks WHERE payload ? 'helps'"))
                helpers = [row.id for row in rows]
        claims = [desk.claim(helper) for helper in helpers]
        found = await asyncio.gather(main, *(desk.job().work(claim, _silent) for claim in claims))
        for claim, outcome in zip([first, *claims], found, strict=True):
            await desk.job().settle(claim, outcome)
        return found

    found = asyncio.run(all_of_them())
    assert len(found) == 4
    assert sum(outcome.pages for outcome in found) == 24
    assert desk.rows("SELECT state FROM tasks WHERE id = :id") == [("completed",)]
    assert desk.rows("SELECT DISTINCT state FROM tasks WHERE kind = 'analyse_structure'") == [("completed",)]


def test_what_a_dead_worker_had_in_hand_is_analysed_by_the_next(desk: Desk) -> None:
    desk.keep(PAGES)
    task_id = desk.ready()
    dead = desk.claim(task_id)
    with desk.database.transaction() as uow:
        assert uow.page_structures.claim_object(desk.crawl_id, task_id=task_id, attempt=dead.attempt) is not None
        uow.tasks.release(dead, counted=True)
    asyncio.run(desk.run(task_id))
    assert desk.rows("SELECT count(*) FROM page_structures WHERE crawl_id = :id") == [(4,)]


def test_a_worker_that_lost_its_object_stores_nothing(desk: Desk) -> None:
    desk.keep(PAGES, in_object=4)
    task_id = desk.ready()
    claim = desk.claim(task_id)
    job = desk.job(archive=_Stolen(desk))
    with pytest.raises(LeaseLost):
        asyncio.run(job.work(claim, _silent))
    assert desk.rows("SELECT count(*) FROM page_structures WHERE crawl_id = :id") == [(0,)]
    assert desk.links() == set()


def test_analysing_twice_changes_nothing(desk: Desk) -> None:
    desk.keep(PAGES)
    task_id = desk.ready()
    asyncio.run(desk.run(task_id))
    before = desk.rows("SELECT page_id, position, path, text FROM sections WHERE crawl_id = :id ORDER BY 1, 2")
    links = desk.links()
    with desk.database.transaction() as uow:
        uow.connection.execute(text("UPDATE crawls SET state = 'analysing'"))
        uow.connection.execute(text("UPDATE crawl_objects SET analysed_at = NULL"))
        again = add_analysis(uow, desk.crawl_id)
    asyncio.run(desk.run(again))
    assert desk.rows("SELECT page_id, position, path, text FROM sections WHERE crawl_id = :id ORDER BY 1, 2") == before
    assert desk.links() == links


def test_a_page_whose_bytes_are_gone_is_left_out_and_the_crawl_ends(desk: Desk) -> None:
    desk.keep(PAGES)
    ((name,),) = desk.rows("SELECT min(archive_object) FROM crawl_objects WHERE crawl_id = :id")
    desk.archive.delete(str(name))
    asyncio.run(desk.run(desk.ready()))
    assert desk.rows("SELECT count(*) FROM page_structures WHERE crawl_id = :id") == [(2,)]
    assert desk.rows("SELECT state FROM tasks WHERE id = :id") == [("completed",)]


def test_an_archive_that_is_away_costs_an_attempt_and_no_page(desk: Desk) -> None:
    desk.keep(PAGES)
    task_id = desk.ready()
    claim = desk.claim(task_id)
    job = desk.job(archive=_Away(desk))

    async def attempt() -> None:
        with pytest.raises(RetryLater) as raised:
            await job.work(claim, _silent)
        await job.settle(claim, raised.value)

    asyncio.run(attempt())
    assert desk.rows("SELECT state, not_before > now() FROM tasks WHERE kind = 'analyse_structure'") == [
        ("pending", True)
    ]


def test_a_cancelled_crawl_is_not_analysed(desk: Desk) -> None:
    desk.keep(PAGES)
    task_id = desk.ready()
    with desk.database.transaction() as uow:
        uow.crawls.close(desk.crawl_id, reason="cancelled")
        uow.crawls.end_task(desk.crawl_id, TaskState.CANCELLED)
    asyncio.run(desk.run(task_id))
    assert desk.rows("SELECT count(*) FROM page_structures WHERE crawl_id = :id") == [(0,)]
    assert desk.rows("SELECT state FROM tasks WHERE id = :id") == [("cancelled",)]


class _Stolen(FolderArchive):
    """While it is read, somebody else takes the object over."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def get(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        with self._desk.database.transaction() as uow:
            uow.connection.execute(text("UPDATE crawl_objects SET lease_attempt = lease_attempt + 1"))
        return self._desk.archive.get(name, offset, length)


class _Away(_Stolen):
    """Nobody answers."""

    def get(self, name: str, offset: int = 0, length: int | None = None) -> bytes:  # noqa: ARG002
        raise ArchiveUnavailable("the archive does not answer")
