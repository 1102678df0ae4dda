"""Lists of many pages: which pages are read, how politely, and what becomes of those that cannot be read."""

from datetime import timedelta
from itertools import pairwise
from time import monotonic

import pytest
from aiohttp import web

from crawl_worker.tasks.pagination_job import MAX_TEXT
from nightjar.domain.site_crawl import Engine
from nightjar.domain.task import TaskState
from tests.doubles.faulty_site import FaultySite
from tests.integration.pagination.conftest import Answers
from tests.integration.pagination.reader import ListReader, errors_of, results_of

pytestmark = pytest.mark.anyio

SCRIPTED = """<title>목록</title><ul id=list></ul><script>for (let n = 0; n < 7; n++)
list.innerHTML += `<li><a href="/goods/${n}">상품 ${n} 이름이 조금 긴 상품입니다</a></li>`;</script>"""


def has_list(site: FaultySite, last: int = 30) -> None:
    for number in range(1, last + 1):
        links = "".join(f'<a href="/goods/{number}-{item}">상품 {item}</a>' for item in range(number % 5))
        site.page(f"/list/{number}", f"<title>목록 {number}</title><p>{number}쪽입니다.</p>{links}")


def shown_pages(site: FaultySite) -> list[str]:
    return [path for path in site.paths if path != "/robots.txt"]


@pytest.mark.parametrize(
    ("total", "strategy", "pages"),
    [
        (1, "all", [1]),
        (5, "all", [1, 2, 3, 4, 5]),
        (6, "representative", [1, 2, 3, 6]),
        (20, "representative", [1, 2, 3, 20]),
        (30, "sampling", [1, 2, 3, 10, 20, 30]),
    ],
)
async def test_the_length_of_a_list_says_which_of_its_pages_are_read(
    reader: ListReader, site: FaultySite, total: int, strategy: str, pages: list[int]
) -> None:
    has_list(site)
    task = await reader.reads("/list/{page}", total)
    results = results_of(task)
    assert [one["page"] for one in results] == pages
    assert shown_pages(site) == [f"/list/{number}" for number in pages]
    assert site.paths.count("/robots.txt") == 1
    assert task.result is not None
    shown = {name: task.result[name] for name in ("strategy", "pages_crawled", "total_pages", "errors")}
    assert shown == {"strategy": strategy, "pages_crawled": len(pages), "total_pages": total, "errors": []}
    for one in results:
        assert (one["title"], one["status"]) == (f"목록 {one['page']}", 200)
        assert (one["url"], one["links_count"]) == (site.url(f"/list/{one['page']}"), one["page"] % 5)
        assert one["text"].startswith(f"{one['page']}쪽입니다.")


async def test_a_page_that_fails_is_told_and_does_not_end_the_rest(
    reader: ListReader, site: FaultySite, answers: Answers
) -> None:
    has_list(site, 1)
    answers("/list/2", lambda _: web.Response(status=403))
    answers("/list/4", lambda _: web.Response(status=418))
    site.page("/list/5", "<title>five</title>")
    task = await reader.reads("/list/{page}", 5)
    assert [one["page"] for one in results_of(task)] == [1, 5]
    assert errors_of(task) == {2: "blocked", 3: "not_found", 4: "upstream_error"}


async def test_a_fault_that_passes_is_tried_once_more_after_the_others(
    reader: ListReader, site: FaultySite, answers: Answers
) -> None:
    has_list(site, 3)
    del site.pages["/list/2"]
    asked = []

    def answer(_: web.BaseRequest) -> web.StreamResponse:
        asked.append(1)
        if len(asked) == 1:
            return web.Response(status=502)
        return web.Response(text="<title>late</title>", content_type="text/html")

    answers("/list/2", answer)
    task = await reader.reads("/list/{page}", 3)
    assert [one["title"] for one in results_of(task)] == ["목록 1", "late", "목록 3"]
    assert shown_pages(site) == ["/list/1", "/list/2", "/list/3", "/list/2"]
    assert errors_of(task) == {}


async def test_what_robots_txt_disallows_is_not_asked_for(reader: ListReader, site: FaultySite) -> None:
    has_list(site, 5)
    site.page("/robots.txt", "User-agent: *\nDisallow: /list/2\nDisallow: /list/4")
    task = await reader.reads("/list/{page}", 5)
    assert [one["page"] for one in results_of(task)] == [1, 3, 5]
    assert errors_of(task) == {2: "robots_disallowed", 4: "robots_disallowed"}
    assert "/list/2" not in site.paths


async def test_a_list_that_robots_txt_disallows_fails_for_this_reason(reader: ListReader, site: FaultySite) -> None:
    has_list(site, 5)
    site.page("/robots.txt", "User-agent: Nightjar\nDisallow: /")
    task = await reader.reads("/list/{page}", 5)
    assert (task.state, task.error_code, task.error_retryable) == ("failed", "robots_disallowed", False)
    assert site.paths == ["/robots.txt"]


async def test_a_host_that_cannot_say_what_it_allows_is_not_crawled(
    reader: ListReader, site: FaultySite, answers: Answers
) -> None:
    has_list(site, 5)
    answers("/robots.txt", lambda _: web.Response(status=500))
    task = await reader.reads("/list/{page}", 5)
    assert task.state is TaskState.PENDING, "it is tried again"
    for _ in range(2):
        task = await reader.attempt(task.id)
    assert (task.state, task.error_code, task.error_retryable) == ("failed", "upstream_error", True)
    assert shown_pages(site) == []
    with reader.database.transaction() as uow:
        kept = uow.robots.get(site.origin)
    assert kept is not None
    assert (kept.status, kept.fresh, kept.failures > 0) == (503, True, True)
    assert site.paths.count("/robots.txt") == kept.failures, "while that is fresh nobody asks again"


async def test_rules_that_another_worker_keeps_are_not_asked_for_again(reader: ListReader, site: FaultySite) -> None:
    has_list(site, 2)
    with reader.database.transaction() as uow:
        body = "User-agent: *\nDisallow: /list/1"
        uow.robots.keep(site.origin, status=200, body=body, ttl=timedelta(hours=1))
    task = await reader.reads("/list/{page}", 2)
    assert errors_of(task) == {1: "robots_disallowed"}
    assert site.paths == ["/list/2"]


async def test_requests_keep_the_pause_or_a_longer_crawl_delay(
    reader: ListReader, site: FaultySite, answers: Answers
) -> None:
    moments = []

    def answer(_: web.BaseRequest) -> web.StreamResponse:
        moments.append(monotonic())
        return web.Response(text="<title>a page</title>", content_type="text/html")

    for number in (1, 2, 3):
        answers(f"/list/{number}", answer)
    site.page("/robots.txt", "User-agent: *\nCrawl-delay: 0.4")
    results_of(await reader.reads("/list/{page}", 3))
    assert all(later - earlier >= 0.4 for earlier, later in pairwise(moments))
    assert len(moments) == 3


async def test_a_host_that_wants_fewer_requests_is_left_alone_and_what_was_read_is_kept(
    reader: ListReader, site: FaultySite, answers: Answers
) -> None:
    has_list(site, 5)
    del site.pages["/list/3"]
    answers("/list/3", lambda _: web.Response(status=429, headers={"Retry-After": "120"}))
    task = await reader.reads("/list/{page}", 5)
    assert [one["page"] for one in results_of(task)] == [1, 2]
    assert errors_of(task) == {3: "blocked", 4: "blocked", 5: "blocked"}
    assert shown_pages(site) == ["/list/1", "/list/2", "/list/3"]
    with reader.database.transaction() as uow:
        cooling = uow.hosts.cooling()
        standing = uow.hosts.standing(site.origin.removeprefix("http://"))
    assert standing is not None
    assert cooling[site.origin.removeprefix("http://")] - standing.now > timedelta(seconds=100)
    waiting = await reader.reads("/list/{page}", 1)
    assert (waiting.state, waiting.attempt) == ("pending", 0), "a host that cools down costs no attempt"


async def test_redirects_are_followed_and_told(reader: ListReader, site: FaultySite, answers: Answers) -> None:
    has_list(site, 1)
    answers("/old/1", lambda _: web.Response(status=301, headers={"Location": "/list/1"}))
    answers("/old/2", lambda _: web.Response(status=302, headers={"Location": "/old/2"}))
    answers("/old/3", lambda _: web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}))
    task = await reader.reads("/old/{page}", 3)
    (one,) = results_of(task)
    assert (one["url"], one["final_url"]) == (site.url("/old/1"), site.url("/list/1"))
    assert errors_of(task) == {2: "upstream_error", 3: "egress_refused"}


async def test_a_private_address_is_refused(reader: ListReader) -> None:
    task = await reader.reads("http://127.0.0.1:1/list/{page}", 3)
    assert (task.state, task.error_code, task.error_retryable) == ("failed", "egress_refused", False)


async def test_time_that_is_over_ends_the_reading_and_keeps_what_was_read(reader: ListReader, site: FaultySite) -> None:
    has_list(site, 5)
    reader.delay = timedelta(seconds=0.7)
    task = await reader.reads("/list/{page}", 5, seconds=2)
    read = len(results_of(task))
    assert 0 < read < 5
    assert set(errors_of(task).values()) == {"timeout"}


async def test_the_result_is_small_however_long_the_pages_are(reader: ListReader, site: FaultySite) -> None:
    for number in (1, 2):
        site.page(f"/list/{number}", f"<p>{'긴 글 ' * 50_000}</p>")
    for one in results_of(await reader.reads("/list/{page}", 2)):
        assert (len(one["text"]), one["text_length"] > MAX_TEXT) == (MAX_TEXT, True)


async def test_the_browser_is_used_where_it_is_asked_for_or_needed(reader: ListReader, site: FaultySite) -> None:
    has_list(site, 2)
    site.page("/made/1", SCRIPTED)
    over_http = results_of(await reader.reads("/made/{page}", 1, engine=Engine.HTTP))
    assert [(one["engine"], one["links_count"]) for one in over_http] == [("http", 0)]
    by_itself = results_of(await reader.reads("/made/{page}", 1, engine=Engine.AUTO))
    assert [(one["engine"], one["links_count"]) for one in by_itself] == [("browser", 7)]
    assert by_itself[0]["engine_reason"]
    plain = results_of(await reader.reads("/list/{page}", 2, engine=Engine.AUTO))
    assert [one["engine"] for one in plain] == ["http", "http"]
    asked_for = results_of(await reader.reads("/list/{page}", 1, engine=Engine.BROWSER))
    assert [(one["engine"], one["title"]) for one in asked_for] == [("browser", "목록 1")]


async def test_progress_is_told_with_counts(reader: ListReader, site: FaultySite) -> None:
    has_list(site, 3)
    results_of(await reader.reads("/list/{page}", 3))
    working = [event for event in reader.diary.events if event.step == "working"]
    assert [event.counts.get("pages") for event in working] == [None, 1, 2, 3]
    assert reader.diary.events[-1].is_final


@pytest.mark.parametrize("engine", [Engine.HTTP, Engine.BROWSER])
async def test_a_page_in_an_old_charset_reads_right_in_both_engines(
    engine: Engine, reader: ListReader, answers: Answers
) -> None:
    body = "<title>목록</title><p>한글 상품 목록입니다".encode("euc-kr")
    answers("/list/1", lambda _: web.Response(body=body, headers={"Content-Type": "text/html; charset=euc-kr"}))
    (one,) = results_of(await reader.reads("/list/{page}", 1, engine=engine))
    assert (one["title"], one["text"]) == ("목록", "한글 상품 목록입니다")
