import os
import time
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import psutil
import pytest

from infra.local.events import nightly_event
from infra.local.lambda_runtime import LambdaError, LambdaRuntime
from tests.integration.local.processes import all_gone

HANDLER = """
import os, time
from datetime import date

def handler(event, context):
    if "raise" in event:
        raise LookupError(event["raise"])
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "nothing" in event:
        return None
    return {
        "event": event,
        "request_id": context.aws_request_id,
        "left_ms": context.get_remaining_time_in_millis(),
        "memory_mb": context.memory_limit_in_mb,
        "function": context.function_name,
        "env": dict(os.environ),
        "file": __file__,
    }
"""
TIMEOUT_SECONDS = 2


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "app"
    folder.mkdir()
    (folder / "tiny.py").write_text(HANDLER)
    return folder


@pytest.fixture(scope="module")
def runtime(built: Path) -> Iterator[LambdaRuntime]:
    with LambdaRuntime(
        "tiny.handler", {"SETTING": "given"}, build_dir=built, memory_mb=256, timeout_s=TIMEOUT_SECONDS
    ) as runtime:
        yield runtime


def answer_of(runtime: LambdaRuntime, event: Mapping[str, object]) -> dict[str, object]:
    answer = runtime.invoke(event)
    assert isinstance(answer, dict)
    return answer


def test_the_function_gets_the_event_and_a_real_context(runtime: LambdaRuntime, built: Path) -> None:
    event = {"name": "강남 맛집", "numbers": [1, 2]}

    answer = answer_of(runtime, event)

    assert answer["event"] == event
    assert answer["memory_mb"] == "256"
    assert answer["function"] == "tiny.handler"
    assert answer["file"] == str(built / "tiny.py")
    left = answer["left_ms"]
    assert isinstance(left, int)
    assert 0 < left <= TIMEOUT_SECONDS * 1000
    assert answer["request_id"] != answer_of(runtime, event)["request_id"]


def test_the_function_sees_its_settings_and_nothing_else_of_this_machine(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_DESK", "private")

    with LambdaRuntime("tiny.handler", {"SETTING": "given"}, build_dir=built) as runtime:
        environment = answer_of(runtime, {})["env"]

    assert isinstance(environment, dict)
    assert environment["SETTING"] == "given"
    assert environment["AWS_REGION"] == "ap-northeast-2"
    assert "SECRET_OF_THE_DESK" not in environment
    assert "HOME" not in environment


def test_an_answer_of_nothing_is_none(runtime: LambdaRuntime) -> None:
    assert runtime.invoke({"nothing": True}) is None


def test_an_error_of_the_function_is_raised_with_its_own_payload(runtime: LambdaRuntime) -> None:
    with pytest.raises(LambdaError, match=r"tiny\.handler: LookupError: no such thing") as raised:
        runtime.invoke({"raise": "no such thing"})

    assert raised.value.payload["errorType"] == "LookupError"
    assert "LookupError" in runtime.log
    assert answer_of(runtime, {})["function"] == "tiny.handler"


def test_a_function_that_takes_too_long_is_cut_off_and_the_next_event_is_served(runtime: LambdaRuntime) -> None:
    started = time.monotonic()

    with pytest.raises(LambdaError, match="timed out after 2"):
        runtime.invoke({"sleep": 60})

    assert time.monotonic() - started < TIMEOUT_SECONDS + 3
    assert answer_of(runtime, {})["function"] == "tiny.handler"


def test_a_handler_that_does_not_exist_is_told(built: Path) -> None:
    with (
        LambdaRuntime("tiny.no_such_function", {}, build_dir=built) as runtime,
        pytest.raises(LambdaError, match="no_such_function"),
    ):
        runtime.invoke({})


def test_without_a_build_the_working_copy_is_run_with_a_real_scheduled_event() -> None:
    handler = "tests.integration.local.echo.handler"
    with LambdaRuntime(handler, {"PATH": os.environ["PATH"]}) as runtime:
        answer = answer_of(runtime, nightly_event(date(2026, 11, 22)))

    assert answer == {"time": "2026-11-21T16:00:00Z", "detail-type": "Scheduled Event", "function": "local"}


def test_nothing_runs_when_it_is_left(built: Path) -> None:
    with LambdaRuntime("tiny.handler", {}, build_dir=built) as runtime:
        runtime.invoke({})
        pids = [runtime.pid or 0, *(child.pid for child in psutil.Process(runtime.pid).children(recursive=True))]
        assert len(pids) > 1

    assert all_gone(pids, seconds=5)


def test_it_does_not_outlive_its_time(built: Path) -> None:
    with LambdaRuntime("tiny.handler", {}, build_dir=built, lifetime_s=1) as runtime:
        pids = [runtime.pid or 0, *(child.pid for child in psutil.Process(runtime.pid).children(recursive=True))]

        assert all_gone(pids, seconds=8)
        with pytest.raises(LambdaError, match="the runtime gave no answer"):
            runtime.invoke({})
