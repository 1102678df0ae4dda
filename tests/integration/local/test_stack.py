"""The whole stack: started once for the tests that only look at it, and once more by its command line."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
import redis
from sqlalchemy import create_engine, text

from infra.local.addresses import free_port
from infra.local.process import StartError
from infra.local.stack import EVERYTHING, JANITOR, Stack
from nightjar.settings import janitor_settings
from tests.integration.local.processes import ROOT, all_gone, eventually

SETTINGS = {"JANITOR_INTERVAL_SECONDS": "1", "WORKER_CONCURRENCY": "1"}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack(SETTINGS, processes=EVERYTHING) as stack:
        yield stack


def test_every_process_of_it_runs(stack: Stack) -> None:
    names = ("postgres", "redis", "api", "worker-1", "worker-interactive", "janitor", "beat")

    assert [name for name in names if not stack.process(name).is_alive] == []


def test_its_addresses_answer(stack: Stack) -> None:
    assert httpx.get(f"{stack.api_url}/ready", timeout=10).status_code == 200
    engine = create_engine(stack.database_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM trackings")).scalar_one() == 0
    engine.dispose()
    with redis.Redis.from_url(stack.redis_url) as client:
        assert client.ping()


def test_the_operators_key_opens_the_api(stack: Stack) -> None:
    url = f"{stack.api_url}/api/v1/trackings"

    assert httpx.get(url, headers={"Authorization": f"Bearer {stack.api_key}"}, timeout=10).status_code == 200
    assert httpx.get(url, headers={"Authorization": "Bearer wrong"}, timeout=10).status_code == 401


def test_it_encrypts_credentials_with_a_key_that_only_its_owner_can_read(stack: Stack) -> None:
    account = {"platform": "baemin", "login_id": "lantern001", "password": "hunter2"}
    url, key = f"{stack.api_url}/api/v1/accounts", {"Authorization": f"Bearer {stack.api_key}"}

    assert httpx.post(url, json=account, headers=key, timeout=10).status_code == 201
    kept = stack.data_dir / "secrets-key"
    assert kept.read_text() == stack.env["SECRETS_KEY"]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_where_beat_starts_the_nights_the_janitor_opens_one_that_was_missed(stack: Stack) -> None:
    assert janitor_settings(stack.env).catches_up


def test_interactive_work_has_a_worker_of_its_own(stack: Stack) -> None:
    queues = {
        name: set(re.findall(r"\.> (\w+) +exchange=", stack.logs[name].read_text()))
        for name in ("worker-1", "worker-interactive")
    }

    assert queues["worker-interactive"] == {"interactive"}
    assert "nightly" in queues["worker-1"]
    assert "interactive" not in queues["worker-1"]


def test_a_process_that_is_killed_comes_back(stack: Stack) -> None:
    api = stack.process("api")
    pid = api.pid

    api.kill()

    assert eventually(lambda: api.pid not in {None, pid} and _answers(stack), seconds=30)


def _answers(stack: Stack) -> bool:
    try:
        return httpx.get(f"{stack.api_url}/health", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def test_a_name_that_is_not_there_is_answered_with_the_names_that_are(stack: Stack) -> None:
    with pytest.raises(LookupError, match="no process 'worker-7' in this stack; there are: postgres, redis, schema"):
        stack.process("worker-7")


def test_the_server_of_database_url_is_used_instead_of_an_embedded_one(database_url: str, redis_url: str) -> None:
    settings = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    with Stack(settings, processes={JANITOR}) as stack:
        assert (stack.database_url, stack.redis_url) == (database_url, redis_url)
        assert not janitor_settings(stack.env).catches_up  # no Beat: a night comes only from the test itself
        with pytest.raises(LookupError, match="DATABASE_URL"):
            _ = stack.postgres
        folder = stack.data_dir
        assert not (folder / "postgres").exists()

    assert not folder.exists()


def test_a_program_that_does_not_start_ends_the_start_and_leaves_nothing() -> None:
    before = {process.pid for process in psutil.Process().children(recursive=True)}

    with (
        pytest.raises(StartError, match=r"(?s)janitor ended with exit code 2 .*JANITOR_INTERVAL_SECONDS"),
        Stack({"JANITOR_INTERVAL_SECONDS": "soon"}, processes={JANITOR}),
    ):
        pass

    assert {process.pid for process in psutil.Process().children(recursive=True)} <= before


class CommandLine:
    """`python -m infra.local` on a data folder, as make calls it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.env = {
            **os.environ,
            **SETTINGS,
            "NIGHTJAR_PORT": str(self.port),
            "PYTHONPATH": f"{ROOT}:{ROOT / 'worker_container'}",
        }

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "infra.local", "--data-dir", str(self.folder), *arguments]

    def dev(self) -> subprocess.Popen[str]:
        with (self.folder.parent / "console").open("w") as console:
            return subprocess.Popen(
                self.command("dev"), cwd=ROOT, env=self.env, stdout=console, stderr=console, text=True
            )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=60, check=False
        )

    def console(self) -> str:
        return (self.folder.parent / "console").read_text()


@pytest.fixture
def command_line(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "data")


def test_dev_stays_up_serves_a_night_and_ends_in_good_order(command_line: CommandLine) -> None:
    with command_line.dev() as dev:
        assert eventually(lambda: "the stack is up" in command_line.console(), seconds=60), command_line.console()
        state = json.loads((command_line.folder / "stack.json").read_text())
        pids = [process.pid for process in psutil.Process(dev.pid).children(recursive=True)]

        first = command_line.run("nightly", "--date", "2026-11-22")
        again = command_line.run("nightly", "--date", "2026-11-22")
        second_stack = command_line.run("dev")

        dev.send_signal(signal.SIGTERM)
        assert dev.wait(60) == 0, command_line.console()

    assert httpx.URL(state["api_url"]).port == command_line.port
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["run_key"] == "2026-11-22"
    assert json.loads(again.stdout)["batch_id"] == json.loads(first.stdout)["batch_id"]
    assert (second_stack.returncode, "is taken" in second_stack.stderr) == (1, True)
    assert all_gone(pids, seconds=5)
    assert not (command_line.folder / "stack.json").exists()
    assert re.search(r"api +\| ", command_line.console())


def test_nothing_runs_after_the_supervisor_was_killed_and_the_folder_starts_again(command_line: CommandLine) -> None:
    with command_line.dev() as dev:
        assert eventually(lambda: "the stack is up" in command_line.console(), seconds=60), command_line.console()
        pids = [process.pid for process in psutil.Process(dev.pid).children(recursive=True)]
        dev.kill()
        dev.wait(10)

    assert all_gone(pids)
    nightly = command_line.run("nightly")
    assert (nightly.returncode, "start one with `make dev`" in nightly.stderr) == (1, True)
    with Stack(SETTINGS, data_dir=command_line.folder, processes=set()) as stack:
        assert stack.postgres.is_alive
