"""One shape of log for functions and workers, and saved queries that name only fields which really occur."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from infra.local.events import nightly_event
from infra.local.lambda_runtime import LambdaRuntime
from infra.local.stack import API, JANITOR, WORKERS, Stack
from tests.acceptance.night import FAST, NightSystem, wait_until
from tests.doubles.baemin.replica import Replica as OwnerSite
from tests.doubles.naver.replica import Replica
from tests.infrastructure.query_fields import fields_of

ROOT = Path(__file__).parents[2]
QUERIES = sorted((ROOT / "infra" / "queries").glob("*.logs-insights"))
KEYWORDS = [f"기록 낱말 {number}" for number in range(6)]


@dataclass
class RealRun:
    """A run with API, workers, janitor and the fan-out in the real Lambda runtime, and everything it logged."""

    system: NightSystem
    owner_site: OwnerSite
    client: httpx.Client
    functions_log: str = ""
    request_id: str = ""
    issued_keys: list[str] = field(default_factory=list)

    def lines(self) -> list[dict[str, Any]]:
        texts = [log.read_text(errors="replace") for log in self.system.stack.logs.values() if log.exists()]
        everything = "\n".join([*texts, self.functions_log]).splitlines()
        parsed = [json.loads(line) for line in everything if line.startswith("{")]
        return [line for line in parsed if "message" in line]


@pytest.fixture(scope="module")
def run() -> Iterator[RealRun]:
    settings = {**FAST, "WORKER_CONCURRENCY": "2"}
    with Replica() as replica, OwnerSite() as owner_site:
        processes = {API, WORKERS, JANITOR}
        sites = {**replica.settings, **owner_site.settings, "NAVER_CAFE_SOURCE": "api"}
        with Stack({**settings, **sites}, processes=processes, workers=1) as stack:
            headers = {"Authorization": f"Bearer {stack.api_key}"}
            with httpx.Client(base_url=stack.api_url, headers=headers, timeout=20) as client:
                system = NightSystem(replica, stack)
                real_run = RealRun(system=system, owner_site=owner_site, client=client)
                play(real_run)
                yield real_run
                system.database.close()


def play(run: RealRun) -> None:
    """Register over the API, crawl stores, then nights in which everything happens that a query asks about."""
    run.request_id = str(uuid.uuid4())
    for keyword in KEYWORDS:
        body = {"rank_type": "blog", "keyword": keyword, "target_url": "https://blog.naver.com/nj_log01/223400009001"}
        answer = run.client.post("/api/v1/trackings", json=body, headers={"X-Request-Id": run.request_id})
        assert answer.status_code == 201, answer.text
        task_id = answer.json()["task_id"]
        wait_until(lambda: run.client.get(f"/api/v1/tasks/{task_id}/result").status_code == 200, 30)  # noqa: B023
    use_keys(run)
    for login_id, status in (("ok-1", "completed"), ("bad-password", "failed")):
        crawl_stores(run, login_id, status)
    control = run.system.replica.control
    play_night(run, date(2026, 5, 1), fault={"fault_id": "GARBAGE", "site": "search"})
    control.clear_faults()
    control.fault("S403", site="search", limit=1)
    play_night(run, date(2026, 5, 2), fault={"fault_id": "503", "site": "search_more"})
    control.clear_faults()
    kill_a_worker_in_the_middle(run, date(2026, 5, 3))


def use_keys(run: RealRun) -> None:
    """Use keys: of ours an issued, a wrong and a revoked one; Naver's in a call that works and in some that fail."""
    body = {"name": "front desk", "role": "owner", "owner": "log-shop"}
    issued = run.client.post("/api/v1/keys", json=body).json()
    run.issued_keys += [issued["key"], "nj_a-key-that-nobody-has-issued-0123456789"]
    bearers = [{"Authorization": f"Bearer {key}"} for key in run.issued_keys]
    cafe = {"rank_type": "cafe", "target_url": "https://cafe.naver.com/njlogcafe/1200901"}
    for keyword, fault in (("기록 찻집", ""), ("기록 고장", "500")):
        if fault:
            run.system.replica.control.fault(fault, site="api")
        answer = run.client.post("/api/v1/trackings", json={**cafe, "keyword": keyword}, headers=bearers[0])
        assert answer.status_code == 201, answer.text
        address = f"/api/v1/tasks/{answer.json()['task_id']}/result"
        wait_until(lambda: run.client.get(address).status_code == 200, 30)  # noqa: B023
        assert run.client.get(address).json()["status"] == ("failed" if fault else "completed")
    run.system.replica.control.clear_faults()
    assert run.client.get("/api/v1/trackings", headers=bearers[1]).status_code == 401
    assert run.client.delete(f"/api/v1/keys/{issued['id']}").status_code == 204
    assert run.client.get("/api/v1/trackings", headers=bearers[0]).status_code == 401


def crawl_stores(run: RealRun, login_id: str, status: str) -> None:
    password = run.owner_site.control.account(login_id)["password"]
    body = {"platform": "baemin", "login_id": login_id, "password": password}
    account = run.client.post("/api/v1/accounts", json=body).json()
    task = run.client.post("/api/baemin/start-crawling", json={"account_id": account["id"]}).json()
    address = f"/api/v1/tasks/{task['task_id']}/result"
    wait_until(lambda: run.client.get(address).status_code == 200, 60)
    answer = run.client.get(address).json()
    assert answer["status"] == status, answer


def play_night(run: RealRun, day: date, fault: dict[str, str]) -> None:
    run.system.replica.control.fault(**fault)
    run.system.await_end(fan_out(run, day), seconds=60)


def fan_out(run: RealRun, day: date) -> int:
    run.system.replica.control.set_day(day)
    with LambdaRuntime("functions.nightly_fanout.app.handler", run.system.stack.env) as function:
        answer = function.invoke(nightly_event(day))
        run.functions_log += function.log
    assert isinstance(answer, dict)
    return int(answer["batch_id"])


def kill_a_worker_in_the_middle(run: RealRun, day: date) -> None:
    run.system.replica.control.fault("SLOW", site="search", delay=1)
    batch_id = fan_out(run, day)
    wait_until(lambda: any(row[0] == "in_progress" for row in run.system.open_tasks(batch_id)), 30)
    pid = run.system.stack.process("worker-1").pid
    assert pid is not None
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        process.kill()
    run.system.replica.control.clear_faults()
    run.system.await_end(batch_id, seconds=60)


@pytest.mark.parametrize("query", QUERIES, ids=lambda path: path.stem)
def test_every_field_that_a_saved_query_names_exists_in_the_log_of_a_real_run(run: RealRun, query: Path) -> None:
    existing = {field for line in run.lines() for field in line}
    assert fields_of(query.read_text()) - existing == set()


@pytest.mark.parametrize("message", ["login_begun", "store_crawl_failed", "stores_saved"])
def test_a_query_about_store_crawls_finds_lines_that_have_its_fields(run: RealRun, message: str) -> None:
    lines = [line for line in run.lines() if line["message"] == message]
    queries = [text for path in QUERIES if f'filter message = "{message}"' in (text := path.read_text())]
    assert lines
    assert queries
    for query in queries:
        assert all(fields_of(query) <= line.keys() for line in lines), query


def test_functions_and_workers_share_one_shape(run: RealRun) -> None:
    by_service: dict[str, set[str]] = {}
    for line in run.lines():
        if "service" in line:
            by_service.setdefault(line["service"], set()).update(line)
    assert {"api", "nightly_fanout", "worker", "janitor"} <= set(by_service)
    for fields in by_service.values():
        assert {"timestamp", "level", "message", "service"} <= fields


def test_the_correlation_id_of_a_request_reaches_the_last_line_of_the_worker(run: RealRun) -> None:
    ours = [line for line in run.lines() if line.get("correlation_id") == run.request_id]
    assert {"request", "crawl_result"} <= {line["message"] for line in ours}
    assert {"api", "worker"} <= {line["service"] for line in ours}


def test_the_correlation_id_of_the_event_reaches_every_line_of_its_batch(run: RealRun) -> None:
    started = next(line for line in run.lines() if line["message"] == "batch_started")
    ours = [line for line in run.lines() if line.get("correlation_id") == started["correlation_id"]]
    assert {"batch_started", "crawl_result", "batch_completed"} <= {line["message"] for line in ours}


def test_one_changed_layout_is_one_alarm(run: RealRun) -> None:
    alarms = [line for line in run.lines() if line["message"] == "layout_changed"]
    assert len(alarms) == 1
    assert alarms[0]["level"] == "ERROR"


def test_no_log_holds_a_key_or_a_password(run: RealRun) -> None:
    secrets = [run.system.stack.api_key, run.system.stack.database_url.split("@")[0].rsplit(":", 1)[1]]
    texts = [log.read_text(errors="replace") for log in run.system.stack.logs.values() if log.exists()]
    everything = "\n".join([*texts, run.functions_log])
    secrets += run.owner_site.control.secrets()
    secrets += [*run.issued_keys, run.system.replica.settings["NAVER_API_KEY"]]
    calls = run.system.replica.control.requests(site="api")
    assert {200, 500} <= {call["status"] for call in calls}  # so Naver's key was used
    assert [secret[:4] for secret in secrets if secret in everything] == []
