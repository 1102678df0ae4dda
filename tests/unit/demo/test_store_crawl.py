"""The judge of an owner's crawls finds what is wrong, and nothing else."""

from dataclasses import replace

import pytest

from infra.local.demo.store_crawl import Crawl, LiveStep, PlayedCrawls, judged
from tests.unit.demo.crawled import crawl, crawls, shown, step, store

RIGHT = crawls()
FIRST = RIGHT.first.steps


def found(played: PlayedCrawls) -> tuple[str, ...]:
    return judged(played, played.stores).differences


def with_first(*steps: LiveStep, status_later: str = "completed") -> PlayedCrawls:
    return replace(RIGHT, first=Crawl(steps=steps, status_later=status_later))


def test_crawls_that_are_right_have_no_differences() -> None:
    assert found(RIGHT) == ()


@pytest.mark.parametrize(
    ("played", "line"),
    [
        (with_first(*FIRST[:2], *FIRST[3:]), "the first crawl: after number 2 came number 4"),
        (with_first(*FIRST[:-1]), "the first crawl had to end completed, once and at last; the last that was told is"),
        (with_first(), "the first crawl had to end completed, once and at last; the last that was told is nothing"),
        (with_first(*FIRST, replace(FIRST[-1], seq=6)), "the first crawl had to end completed, once and at last"),
        (with_first(*FIRST, step(6, "saving", 80)), "the first crawl had to end completed, once and at last"),
        (with_first(*FIRST[:-1], replace(FIRST[-1], percent=80)), "the first crawl ended at 80 percent"),
        (with_first(*FIRST, status_later="failed"), "the first crawl is failed later"),
        (with_first(FIRST[0], step(2, "parsing", 70), *FIRST[2:]), "the first crawl went back from 70 to 60 percent"),
        (with_first(FIRST[0], step(2, "login_submit", 45), *FIRST[2:]), "the step login_submit was told with 45"),
        (replace(RIGHT, cancelled=crawl()), "the second crawl had to end cancelled"),
        (replace(RIGHT, cancel_seconds=2.5), "the cancelled crawl ended after 2.5 s"),
        (replace(RIGHT, login_posts=2), "the site was sent 2 logins, one was needed"),
        (replace(RIGHT, stores=()), "store 10000001 is not stored"),
        (replace(RIGHT, stores=(store(), store("3"))), "store 3 is stored, but not shown"),
        (replace(RIGHT, stores=(store(phone="050"),)), "store 10000001: phone is '050', shown is None"),
        (replace(RIGHT, stores=(store(business_type=None),)), "store 10000001: business_type is None, shown is '한식'"),
    ],
)
def test_what_is_wrong_is_told(played: PlayedCrawls, line: str) -> None:
    assert any(line in difference for difference in found(played)), found(played)


def test_a_cancelled_crawl_must_leave_the_stores_alone() -> None:
    assert judged(RIGHT, ()).differences == ("the cancelled crawl changed the stores",)


def test_a_failed_message_is_told_with_its_reason() -> None:
    told = {"epoch": "e", "seq": 3, "status": "failed", "step": None, "message": "Logging in", "progress": 0}

    heard = LiveStep.from_json(
        {**told, "error": {"code": "blocked", "message": "the site refuses", "retryable": False}}
    )

    assert (heard.step, heard.message, heard.is_running) == ("", "the site refuses", False)


def test_the_truth_of_a_store_is_that_of_the_api_in_other_words() -> None:
    assert set(shown()) - set(store()) == {"category", "service_type"}
