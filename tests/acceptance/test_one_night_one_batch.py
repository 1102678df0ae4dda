"""The same EventBridge event, delivered twice."""

import threading
from datetime import date

from functions.nightly_fanout.handling import Handler
from infra.local.events import nightly_event
from tests.acceptance.night import NightSystem


def test_the_same_event_twice_at_the_same_moment_makes_one_batch_and_one_row_per_tracking(
    system: NightSystem, night: date
) -> None:
    event = nightly_event(night)
    system.replica.control.set_day(night)
    start = threading.Barrier(2)
    answers = []

    def deliver() -> None:
        handler = Handler(system.stack.env)
        start.wait()
        answers.append(handler.handle(event, None))
        handler.close()

    threads = [threading.Thread(target=deliver) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    batch_ids = {answer["batch_id"] for answer in answers}
    assert len(batch_ids) == 1
    assert sorted(bool(answer["new"]) for answer in answers) == [False, True]
    batch_id = int(str(batch_ids.pop()))
    batch = system.await_end(batch_id)
    assert (batch["total"], batch["success"]) == (len(system.followed), len(system.followed))
    assert sorted(system.rows(night)) == sorted(item.id for item in system.followed)
    assert len(system.lines("crawl_result", batch_id=batch_id)) == len(system.followed)
    assert len(system.lines("batch_completed", batch_id=batch_id)) == 1


def test_each_distinct_search_is_read_once_in_a_night(system: NightSystem, night: date) -> None:
    system.await_end(system.fan_out(night))
    searches = {item.search for item in system.followed}
    first_pages = [
        request
        for request in system.replica.control.requests(kind="page")
        if request["step"] == 1 and request["site"] in {"search", "place"}
    ]
    assert len(searches) < len(system.followed)
    assert len({(request["site"], request["path"], request["query"]) for request in first_pages}) == len(first_pages)
    assert len(first_pages) == len(searches)
