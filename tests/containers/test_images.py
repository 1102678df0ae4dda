"""The images as they are deployed: no root, a root that is read-only, no privileges; and they do their work so."""

import json
import signal
import time
from collections.abc import Iterator
from datetime import date

import httpx
import pytest

from infra.local.addresses import LOOPBACK, free_port
from infra.local.postgres import EmbeddedPostgres
from infra.local.stack import JANITOR, Stack
from nightjar.domain.tracking import RankType
from tests.acceptance.night import FAST, NightSystem, differences, wait_until
from tests.containers import engine
from tests.containers.engine import Container
from tests.doubles.naver.replica import Replica

NIGHT = date(2026, 3, 2)
ENDED_BY_SIGTERM = 128 + signal.SIGTERM
"""Uvicorn shuts down in good order, and then lets the signal end it."""

KEY = "nj_operator_key_of_this_test_only_0123456789"


@pytest.mark.parametrize("image", ["worker_image", "api_image"])
def test_an_image_runs_without_root_and_carries_no_tools_to_build(image: str, request: pytest.FixtureRequest) -> None:
    name = request.getfixturevalue(image)
    question = (
        "id -u; cat /proc/1/comm; command -v gcc cc make git || echo none; ls /opt/nightjar/bin | grep pip || echo none"
    )
    user, first_process, tools, pip = engine.run(name, "sh", "-c", question).splitlines()
    assert int(user) != 0
    assert first_process == "tini"
    assert (tools, pip) == ("none", "none")


@pytest.mark.parametrize("image", ["worker_image", "api_image"])
def test_an_image_starts_its_program_without_a_shell(image: str, request: pytest.FixtureRequest) -> None:
    config = json.loads(
        engine.docker("image", "inspect", "--format", "{{json .Config}}", request.getfixturevalue(image))
    )
    assert config["Entrypoint"] == ["tini", "--"]
    assert "sh" not in config["Cmd"][0]


def test_nightjar_is_installed_compiled_and_of_the_clouds_python(worker_image: str) -> None:
    question = (
        "import importlib.util as u, os, sys, nightjar.errors as m;"
        "print(sys.version_info[:2], m.__file__, os.path.exists(u.cache_from_source(m.__file__)))"
    )
    expected = "(3, 13) /opt/nightjar/lib/python3.13/site-packages/nightjar/errors.py True"
    assert engine.run(worker_image, "python", "-c", question).strip() == expected


def test_the_workers_image_finds_a_headless_shell_and_celery(worker_image: str) -> None:
    question = "from crawl_worker.engine.chromium import find_chromium; print(find_chromium())"
    assert engine.run(worker_image, "python", "-c", question).strip().endswith("chromium-headless-shell")
    assert engine.run(worker_image, "celery", "--version").startswith("5.7")


def test_the_apis_image_has_no_browser(api_image: str) -> None:
    question = "import importlib.util as u; print(u.find_spec('playwright'), u.find_spec('crawl_worker'))"
    assert engine.run(api_image, "python", "-c", question).strip() == "None None"


def test_the_workers_image_migrates_a_database(worker_image: str, postgres: EmbeddedPostgres) -> None:
    postgres.create_database("from_the_image")
    url = postgres.url("from_the_image")
    engine.run(worker_image, "python", "-m", "nightjar.database.migrate", environment={"DATABASE_URL": url})
    again = engine.run(worker_image, "python", "-m", "nightjar.database.migrate", environment={"DATABASE_URL": url})
    assert "Traceback" not in again


@pytest.fixture
def system() -> Iterator[NightSystem]:
    """Postgres, Redis, a replica of Naver and the janitor; the worker is the test's."""
    with Replica() as replica, Stack({**FAST, **replica.settings}, processes={JANITOR}) as stack:
        system = NightSystem(replica, stack)
        for item in replica.control.scenario()["trackings"]:
            if "naver.me" not in item["target_url"]:
                system.follow(RankType(item["rank_type"]), item["keyword"], item["target_url"], item["target_key"])
        yield system
        system.database.close()


def test_a_worker_in_its_container_reads_a_whole_night_truly_and_stops_in_good_order(
    worker_image: str, system: NightSystem
) -> None:
    with Container(worker_image, environment=system.stack.env) as worker:
        batch = system.await_end(system.fan_out(NIGHT), seconds=180)
        assert batch["success"] == batch["total"] == len(system.followed), worker.log[-3000:]
        assert differences(system.rows(NIGHT), system.truths(NIGHT)) == []
        assert "crawl_result" in worker.log
        began = time.monotonic()
        assert worker.stop() == 0
        assert time.monotonic() - began < engine.STOP_SECONDS


def test_a_worker_that_is_stopped_in_mid_batch_gives_its_work_back(worker_image: str, system: NightSystem) -> None:
    with Container(worker_image, environment={**system.stack.env, "CRAWL_DELAY_SECONDS": "1"}) as worker:
        batch_id = system.fan_out(NIGHT)
        wait_until(lambda: len(system.rows(NIGHT)) > 0, 60, lambda: worker.log[-3000:])
        assert worker.stop() == 0
        assert {state for state, *_ in system.open_tasks(batch_id)} == {"pending"}
    with Container(worker_image, environment=system.stack.env):
        assert system.await_end(batch_id, seconds=180)["success"] == len(system.followed)


def test_the_apis_container_becomes_healthy_and_takes_a_tracking(api_image: str, system: NightSystem) -> None:
    port = free_port()
    environment = {
        **system.stack.env,
        "NIGHTJAR_BOOTSTRAP_API_KEY": KEY,
        "NAVER_BLOG_SOURCE": "page",
    }
    command = ("uvicorn", "--factory", "functions.api.factory:create_app_from_environment", "--port", str(port))
    with Container(api_image, *command, environment=environment) as api:
        wait_until(lambda: _answers(f"http://{LOOPBACK}:{port}/health"), 30, lambda: api.log[-3000:])
        answer = httpx.post(
            f"http://{LOOPBACK}:{port}/api/v1/trackings",
            headers={"Authorization": f"Bearer {KEY}"},
            json={"rank_type": "blog", "keyword": "tea", "target_url": "https://blog.naver.com/brewer/223000000003"},
            timeout=10,
        )
        assert answer.status_code == 201, answer.text
        assert api.stop() == ENDED_BY_SIGTERM
        assert "Application shutdown complete" in api.log
        assert KEY not in api.log


def test_the_apis_container_is_healthy_by_its_own_check(api_image: str) -> None:
    options = (*engine.HARDENED, "--health-interval", "1s")
    environment = {"DATABASE_URL": "postgresql+pg8000://nobody@127.0.0.1:1/none"}
    with Container(api_image, environment=environment, options=options) as api:
        wait_until(lambda: api.state["Health"]["Status"] == "healthy", 30, lambda: api.log[-3000:])


def test_the_janitor_runs_from_the_apis_image(api_image: str, system: NightSystem) -> None:
    system.stack.process("janitor").stop()
    system.fan_out(NIGHT)
    with Container(api_image, "python", "-m", "functions.janitor.loop", environment=system.stack.env) as janitor:
        wait_until(lambda: "queue_figures" in janitor.log, 30, lambda: janitor.log[-3000:])
        assert janitor.stop() == 0


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
