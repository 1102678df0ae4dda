"""What a site crawl found: pages, errors and skips, page by page and as streams, over thousands of rows."""

import json
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import text

from nightjar.database.frontier_lists import FAILED, FRESH, RETRIES, SKIPPED
from nightjar.database.pages import PAGE
from nightjar.domain.task import TaskState
from nightjar.wiring import Api
from tests.integration.api.callers import CallerClient, error_of
from tests.integration.api.conftest import Alone
from tests.integration.api.crawled import Frontier, ordered

MANY = 3_000


@pytest.fixture
def frontier(owner: CallerClient, api: Api) -> Frontier:
    """Of an open crawl of the owner."""
    return Frontier(api.database, ordered(owner))


def pages_path(frontier: Frontier) -> str:
    return f"/api/v1/crawls/{frontier.crawl_id}/pages"


def errors_path(frontier: Frontier) -> str:
    return f"/api/v1/crawls/{frontier.crawl_id}/errors"


def all_of(caller: CallerClient, path: str, **parameters: object) -> Iterator[dict[str, object]]:
    """All items of a list, over its cursors."""
    cursor: dict[str, object] = {}
    while True:
        answer = caller.get(path, **parameters, **cursor)
        assert answer.status_code == 200, answer.text
        yield from answer.json()["items"]
        if answer.json()["next"] is None:
            return
        cursor = {"cursor": answer.json()["next"]}


def streamed(caller: CallerClient, path: str) -> list[dict[str, object]]:
    answer = caller.send("GET", path, headers={"accept": "application/x-ndjson"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_page_is_shown_with_all_that_is_known_of_it(owner: CallerClient, frontier: Frontier, api: Api) -> None:
    frontier.has("done", 2)
    frontier.is_stored()
    with api.database.transaction() as uow:
        uow.connection.execute(
            text("""
                INSERT INTO page_structures (page_id, crawl_id, main_text, markdown, language, metadata)
                SELECT min(id), crawl_id, '본문', '# 제목', 'ko', '{}' FROM pages WHERE crawl_id = :id GROUP BY crawl_id
            """),
            {"id": frontier.crawl_id},
        )
    first, second = owner.get(pages_path(frontier), headers="true").json()["items"]
    assert (first["markdown"], first["language"], second["markdown"]) == ("# 제목", "ko", None)
    assert first["links"] == [f"{first['url']}/next", "https://other.example/"]
    assert first["headers"] == [["Content-Type", "text/html"], ["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]]
    assert (first["final_url"], first["title"]) == (f"{first['url']}?", f"제목 {first['url']}")
    assert (first["status"], first["engine"], first["engine_reason"]) == (200, "http", "it has no script")
    assert first["text"].startswith("본문 본문")
    assert owner.get(pages_path(frontier)).json()["items"][0]["headers"] is None


def test_a_page_that_only_a_sitemap_led_to_has_no_depth(owner: CallerClient, frontier: Frontier) -> None:
    frontier.has("done", 10)
    frontier.is_stored()
    depths = [page["depth"] for page in owner.get(pages_path(frontier)).json()["items"]]
    assert Counter(depths) == {None: 2, 0: 2, 1: 2, 2: 2, 3: 2}


def test_thousands_of_pages_come_each_once_in_the_order_in_which_they_were_stored(
    owner: CallerClient, frontier: Frontier
) -> None:
    frontier.has("done", MANY)
    frontier.is_stored()
    listed = list(all_of(owner, pages_path(frontier), limit=200))
    assert len({page["url"] for page in listed}) == len(listed) == MANY
    assert [page["id"] for page in listed] == sorted(int(str(page["id"])) for page in listed)
    assert streamed(owner, pages_path(frontier)) == listed
    assert owner.get(pages_path(frontier), limit=1).json()["items"] == listed[:1]


def test_pages_of_other_crawls_are_not_among_them(owner: CallerClient, frontier: Frontier, api: Api) -> None:
    other = Frontier(api.database, ordered(owner))
    for one, number in ((frontier, 3), (other, 5)):
        one.has("done", number)
        one.is_stored()
    assert [len(owner.get(pages_path(one)).json()["items"]) for one in (frontier, other)] == [3, 5]
    cursor = owner.get(pages_path(frontier), limit=1).json()["next"]
    answer = owner.get(pages_path(other), cursor=cursor)
    assert (answer.status_code, error_of(answer)["code"]) == (422, "invalid")


def test_long_pages_come_in_answers_that_lambda_can_give(owner: CallerClient, frontier: Frontier) -> None:
    frontier.has("done", 60)
    frontier.is_stored(words=60_000)
    answers = []
    cursor: dict[str, object] = {}
    while cursor != {"cursor": None}:
        answers.append(owner.get(pages_path(frontier), limit=200, **cursor))
        cursor = {"cursor": answers[-1].json()["next"]}
    assert max(len(answer.content) for answer in answers) < 6_000_000
    assert sum(len(answer.json()["items"]) for answer in answers) == 60
    assert len(answers) > 1


def test_a_stream_of_pages_takes_no_more_memory_than_a_few_of_them(frontier: Frontier, api: Api) -> None:
    from functions.api.crawl_reading import some_pages
    from functions.api.ndjson import _lines
    from functions.api.schemas.crawls import PageAnswer

    frontier.has("done", 2_000)
    frontier.is_stored(words=5_000)
    tracemalloc.start()
    characters = 0
    for piece in _lines(
        api.database,
        None,
        lambda uow, behind: some_pages(uow, frontier.crawl_id, after=behind, limit=200),
        lambda page: page.id,
        PageAnswer.of,
    ):
        characters += len(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert characters > 25_000_000
    assert peak < 25_000_000


def test_errors_are_listed_apart_with_their_codes_and_attempts(owner: CallerClient, frontier: Frontier) -> None:
    frontier.has("failed", MANY, code="timeout")
    frontier.has("done", 3)
    frontier.has("skipped", 3, reason="robots")
    frontier.is_stored()
    listed = list(all_of(owner, errors_path(frontier), limit=200))
    assert len({failed["url"] for failed in listed}) == len(listed) == MANY
    assert {(one["code"], one["message"], one["attempts"]) for one in listed} == {("timeout", "the page: timeout", 1)}
    assert streamed(owner, errors_path(frontier)) == listed


def test_skips_are_listed_with_their_reasons_and_targets(owner: CallerClient, frontier: Frontier) -> None:
    frontier.has("skipped", MANY, reason="robots")
    frontier.has("skipped", 2, reason="redirect", target="https://shop.example/new")
    frontier.has("failed", 3, code="timeout")
    frontier.is_stored()
    listed = list(all_of(owner, errors_path(frontier), kind="skipped", limit=199))
    assert Counter((one["reason"], one["target"]) for one in listed) == {
        ("robots", None): MANY,
        ("redirect", "https://shop.example/new"): 2,
    }
    assert len({one["url"] for one in listed}) == MANY + 2
    assert streamed(owner, f"{errors_path(frontier)}?kind=skipped") == listed


def test_what_an_open_crawl_has_still_to_do_is_not_skipped(owner: CallerClient, frontier: Frontier) -> None:
    frontier.has("queued", 5)
    frontier.has("skipped", 1, reason="depth")
    frontier.is_stored()
    assert len(owner.get(errors_path(frontier), kind="skipped").json()["items"]) == 1


@pytest.mark.parametrize("state", [TaskState.COMPLETED, TaskState.CANCELLED])
def test_what_was_left_when_a_crawl_ended_is_skipped_for_the_reason_of_its_end(
    owner: CallerClient, frontier: Frontier, state: TaskState
) -> None:
    reason = "limit" if state is TaskState.COMPLETED else "cancelled"
    frontier.has("done", 2)
    frontier.has("skipped", 500, reason="depth")
    frontier.has("queued", 500)
    frontier.has("queued", 500, host="www.shop.example:443")
    frontier.has("queued", 300, waits=True)
    frontier.is_stored()
    frontier.ends(state, reason=reason)
    listed = list(all_of(owner, errors_path(frontier), kind="skipped", limit=190))
    assert Counter(one["reason"] for one in listed) == {"depth": 500, reason: 1_300}
    assert len({one["url"] for one in listed}) == len(listed)
    assert streamed(owner, f"{errors_path(frontier)}?kind=skipped") == listed
    counts = owner.get(f"/api/v1/crawls/{frontier.crawl_id}").json()["counts"]
    assert (counts["skipped"], counts["queued"], counts["discovered"]) == (len(listed), 0, len(listed) + 2)


def test_the_query_wins_over_the_accept_header(owner: CallerClient, frontier: Frontier) -> None:
    path = f"{pages_path(frontier)}?format=json"
    answer = owner.send("GET", path, headers={"accept": "application/x-ndjson"})
    assert answer.json() == {"items": [], "next": None}
    assert owner.get(pages_path(frontier), format="ndjson").text == ""


@pytest.mark.parametrize("query", ["format=xml", "kind=all", "limit=0", "limit=201", "cursor=x", "cursor=MXxza2lwcGVk"])
def test_a_list_that_nobody_can_give_is_a_422(owner: CallerClient, frontier: Frontier, query: str) -> None:
    for rest in ("pages", "errors"):
        if rest == "pages" and query.startswith("kind"):
            continue
        assert owner.get(f"/api/v1/crawls/{frontier.crawl_id}/{rest}?{query}").status_code == 422


def test_no_list_scans_or_sorts_what_it_does_not_show(alone: Alone) -> None:
    """Read as a plan of the server's, over crawls of many rows of every state."""
    for crawl_id in (ordered(alone.operator) for _ in range(4)):
        frontier = Frontier(alone.database, crawl_id)
        for state in ("done", "failed", "skipped", "queued"):
            frontier.has(state, 3_000, reason="depth", code="timeout")
        frontier.has("queued", 1_000, waits=True)
        frontier.is_stored(words=1)
    place = {"crawl_id": crawl_id, "after": 100, "limit": 50, "host": "shop.example:443", "depth": 1, "seq": 10}
    with alone.database.transaction() as uow:
        uow.connection.execute(
            text("""
                INSERT INTO page_structures (page_id, crawl_id, main_text, markdown, metadata)
                SELECT id, crawl_id, '', '', '{}' FROM pages
            """)
        )
        uow.connection.execute(text("ANALYZE frontier, pages, page_structures"))
        plans = {
            statement: "\n".join(
                row[0] for row in uow.connection.execute(text(f"EXPLAIN (COSTS OFF) {statement}"), place)
            )
            for statement in (PAGE, FAILED, SKIPPED, FRESH, RETRIES)
        }
    indexes = {
        PAGE: "pages_of_crawl",
        FAILED: "frontier_errors",
        SKIPPED: "frontier_skipped",
        FRESH: "frontier_fresh",
        RETRIES: "frontier_retries",
    }
    for statement, plan in plans.items():
        assert f" {indexes[statement]}" in plan, plan
        assert "Seq Scan" not in plan, plan
        assert statement is RETRIES or "Sort" not in plan, plan


def test_pages_of_an_unknown_crawl_are_a_404_in_every_format(owner: CallerClient) -> None:
    for query in ("", "?format=ndjson"):
        answer = owner.get(f"/api/v1/crawls/{UUID(int=7)}/pages{query}")
        assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found")
