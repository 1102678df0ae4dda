"""Two workers at one crawl: together they keep the pause of its host, and the exact limit."""

import json
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.acceptance.site_crawls.system import WebCrawls, a_system, differences
from tests.doubles.web.truth import expected

CLOCK = 0.01


@pytest.fixture(scope="module")
def system() -> Iterator[WebCrawls]:
    """Two workers with one child each."""
    with a_system({"WORKER_CONCURRENCY": "1"}, workers=2) as system:
        yield system


@pytest.fixture
def crawls(system: WebCrawls) -> Iterator[WebCrawls]:
    """The system, at rest."""
    yield system
    system.settle_down()


def test_two_workers_together_keep_the_pause_of_a_host(crawls: WebCrawls) -> None:
    pause = 0.2
    started = [crawls.start(crawls.web.url("designs"), depth=2, limit=15, delay=pause) for _ in range(3)]
    for task_id in started:
        assert len(crawls.finished(task_id).pages) == 15
    asked = crawls.web.control.requests(site="designs")
    assert len(asked) >= 45
    spaces = [after["monotonic"] - before["finished_monotonic"] for before, after in pairwise(asked)]
    assert min(spaces) >= pause - CLOCK
    assert max(request["in_flight"] for request in asked) == 1


def test_two_workers_share_a_crawl_and_find_the_truth(crawls: WebCrawls) -> None:
    crawls.web.control.delay("designs", 0.1)
    crawled = crawls.crawl(crawls.web.url("designs"), depth=3, limit=10_000)
    assert differences(crawls.web, "designs", crawled, expected("designs", depth=3)) == []
    requests = crawls.web.control.requests(site="designs")
    assert len({f"{request['path']}?{request['query']}" for request in requests}) == len(requests)
    assert max(request["in_flight"] for request in requests) <= 10


@pytest.mark.parametrize("limit", [7, 1500])
def test_two_workers_together_keep_the_exact_limit(crawls: WebCrawls, limit: int) -> None:
    crawls.web.control.delay("crowd", 0.03)
    before = pages_by_worker(crawls)
    crawled = crawls.crawl(crawls.web.url("crowd"), depth=3, limit=limit)
    assert len(crawled.pages) == len(set(crawled.urls)) == crawled.counts["done"] == limit
    assert max(look["done"] + look["leased"] for look in crawled.watched) <= limit
    assert len(crawls.web.control.requests(site="crowd", path_prefix="/p/")) <= limit
    crawls.settle_down()
    after = pages_by_worker(crawls)
    fetched = [after[worker] - before[worker] for worker in after]
    assert sum(fetched) == limit
    assert min(fetched) > 0 or limit < 100


def pages_by_worker(crawls: WebCrawls) -> dict[str, int]:
    """How many pages each worker has stored, by its log."""
    return {
        name: sum(json.loads(line)["pages"] for line in log.read_text().splitlines() if "slice_ended" in line)
        for name, log in crawls.stack.logs.items()
        if name.startswith("worker-")
    }
