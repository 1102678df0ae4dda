"""What is told of a running task."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from nightjar.domain.progress import (
    MESSAGE_MAX_LENGTH,
    STORE_CRAWL_STEPS,
    LiveMessage,
    Position,
    ProgressEvent,
    ProgressFault,
    percent_of,
    row_message,
)
from nightjar.domain.task import TaskState

EVENT = ProgressEvent(
    task_id=UUID(int=7),
    status=TaskState.FAILED,
    step="login_submit",
    message="로그인 " * 300,
    progress=40,
    at=datetime(2026, 3, 2, 1, 2, 3, 456789, tzinfo=UTC),
    counts={"stores": 2},
    error=ProgressFault(code="invalid_credentials", message="x" * 900, retryable=False),
)


def test_the_steps_of_a_store_crawl_begin_at_rising_percents_from_0_to_100() -> None:
    percents = list(STORE_CRAWL_STEPS.values())
    assert percents == sorted(set(percents))
    assert (percents[0], percents[-1]) == (0, 100)
    assert percent_of("crawl_baemin_stores", "extraction") == 60
    assert percent_of("rank_check", "completed") == 100
    assert percent_of("rank_check", "extraction") is None


def test_a_message_has_its_place_its_whole_state_and_short_texts() -> None:
    told = EVENT.as_json("e", 3)
    assert list(told) == [
        "epoch", "seq", "task_id", "status", "step", "message", "progress", "counts", "at", "error"
    ]  # fmt: skip
    assert told["at"] == "2026-03-02T01:02:03.456+00:00"
    assert len(str(told["message"])) == MESSAGE_MAX_LENGTH
    assert isinstance(told["error"], dict)
    assert len(told["error"]["message"]) == MESSAGE_MAX_LENGTH
    assert json.loads(EVENT.as_text()) | {"epoch": "e", "seq": 3} == told


def test_a_message_is_read_as_it_was_written() -> None:
    message = row_message(EVENT, Position("e", 3))
    assert LiveMessage.parse(message.text) == message
    assert message.is_final


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", "{}", '{"epoch": "e", "seq": "x", "task_id": 1}'])
def test_what_is_no_message_is_told_apart(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        LiveMessage.parse(text)
