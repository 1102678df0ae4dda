"""A whole system around the replica of the owner site: API, worker, janitor, and what a test wants to see of them."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import redis
from sqlalchemy import text

from infra.local.stack import API, JANITOR, WORKERS, Stack
from infra.local.supervisor import RestartPolicy
from nightjar.adapters.secrets.encrypted_table import EncryptedTable
from nightjar.application.accounts import session_name
from nightjar.database.engine import Database
from tests.acceptance.night import FAST, wait_until
from tests.acceptance.store_crawls.chromium import Browsers
from tests.doubles.baemin.replica import Json, Replica

OWNER, STRANGER = "shop", "stranger"
WORKER = "worker-1"
FINAL = ("completed", "failed", "cancelled")
AFTER_THE_END = "changed after its end"

SETTINGS = {**FAST, "CRAWL_TIMEOUT_SECONDS": "15", "LEASE_SECONDS": "3", "WORKER_CONCURRENCY": "2"}

SOON_AGAIN = RestartPolicy(first_delay=0.1, longest_delay=0.1, most=1000)
"""A worker that is killed again and again by tests comes back each time."""

WITNESS = """
CREATE TABLE seen_states (
    n bigint GENERATED ALWAYS AS IDENTITY, task_id uuid, state text, at timestamptz DEFAULT clock_timestamp());
CREATE FUNCTION see_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state IN ('completed', 'failed', 'cancelled') THEN
        INSERT INTO seen_states (task_id, state) VALUES (NEW.id, 'changed after its end');
    ELSIF TG_OP = 'INSERT' OR OLD.state <> NEW.state THEN
        INSERT INTO seen_states (task_id, state) VALUES (NEW.id, NEW.state);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER seen AFTER INSERT OR UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION see_state()
"""
"""Writes down every state that a task was ever in, whoever wrote it, and every write to a task that had ended."""

_numbers = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """An account of the replica that was given to the system."""

    login_id: str
    account_id: str


class CrawlSystem:
    """The running system, seen by a test. `shop` and `stranger` are two owners' API clients."""

    def __init__(self, replica: Replica, stack: Stack, browsers: Browsers) -> None:
        self.replica = replica
        self.stack = stack
        self.browsers = browsers
        self.accounts_at_the_start = {account["login_id"] for account in replica.control.accounts()}
        self.answers: list[str] = []
        self.database = Database(stack.database_url, name="test", pool_size=4)
        with self.database.transaction() as uow:
            uow.connection.exec_driver_sql(WITNESS)
        with self._client(stack.api_key) as operator:
            self.key = self._key(operator, OWNER)
            self.shop = self._client(self.key)
            self.stranger = self._client(self._key(operator, STRANGER))

    def close(self) -> None:
        """Give the connections back."""
        self.shop.close()
        self.stranger.close()
        self.database.close()

    # --- accounts -------------------------------------------------------------------------------------------------

    def give(self, account: Json) -> Owner:
        """Give an account of the replica to the API, with the session that it starts with."""
        body = {"platform": "baemin", "login_id": account["login_id"], "password": account["password"]}
        answer = self.shop.post("/api/v1/accounts", json=body)
        assert answer.status_code == 201, answer.text
        account_id = answer.json()["id"]
        if account["storage_state"]:
            self.secrets.put(session_name(UUID(account_id)), json.dumps(account["storage_state"]))
        return Owner(login_id=account["login_id"], account_id=account_id)

    def new_owner(self, *, shops: int = 2, **ways: object) -> Owner:
        """An ordinary account that no other test uses."""
        (account,) = self.replica.control.create_accounts(1, shops=shops, prefix=f"own{next(_numbers)}")
        if ways:
            self.replica.control.mode(account["login_id"], **ways)
        return self.give(account)

    @cached_property
    def secrets(self) -> EncryptedTable:
        """The secret store of the running system."""
        return EncryptedTable(self.database.transaction, keys=(self.stack.env["SECRETS_KEY"],))

    def claims(self, task_id: str) -> int:
        """How often a worker began this task, also where it cost no attempt (the host was busy, the worker stopped)."""
        with self.database.transaction() as uow:
            row = uow.connection.execute(text("SELECT attempt FROM tasks WHERE id = :id"), {"id": task_id})
            return int(row.scalar_one())

    def logins(self, owner: Owner) -> list[str | None]:
        """The ledger: how each login ended, oldest first."""
        query = "SELECT outcome FROM login_attempts WHERE account_id = :id ORDER BY id"
        return [row["outcome"] for row in self.rows(query, id=owner.account_id)]

    def login_posts(self, owner: Owner) -> int:
        """How often the replica was sent a password."""
        return int(self.replica.control.counters(owner.login_id)["login_posts"])

    # --- tasks ----------------------------------------------------------------------------------------------------

    def start(self, owner: Owner, *, timeout: int | None = None) -> str:
        """Start a crawl; its task."""
        options = {"options": {"timeout": timeout}} if timeout else {}
        answer = self.shop.post("/api/baemin/start-crawling", json={"account_id": owner.account_id, **options})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["task_id"])

    def task(self, task_id: str) -> dict[str, Any]:
        """As the API shows it."""
        answer = self.shop.get(f"/api/v1/tasks/{task_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def state(self, task_id: str) -> str:
        """As its row has it."""
        return str(self.rows("SELECT state FROM tasks WHERE id = :id", id=task_id)[0]["state"])

    def await_end(self, task_id: str, *, seconds: float = 60) -> dict[str, Any]:
        """The task once it has ended."""
        wait_until(lambda: self.state(task_id) in FINAL, seconds, lambda: self.rows("TABLE tasks")[-5:])
        return self.task(task_id)

    def crawl(self, owner: Owner) -> dict[str, Any]:
        """One crawl from its start to its end."""
        return self.await_end(self.start(owner))

    def states(self, task_id: str) -> list[str]:
        """Every state that the task was ever in, in order."""
        return [
            row["state"] for row in self.rows("SELECT * FROM seen_states WHERE task_id = :id ORDER BY n", id=task_id)
        ]

    def ends(self, task_id: str) -> list[str]:
        """The final states that the task was ever in, and each write that came after one."""
        return [state for state in self.states(task_id) if state in (*FINAL, AFTER_THE_END)]

    # --- stores ---------------------------------------------------------------------------------------------------

    def stores(self, owner: Owner) -> list[dict[str, Any]]:
        """All stores of an account as the API lists them, page by page."""
        found: list[dict[str, Any]] = []
        query: dict[str, str | int] = {"account_id": owner.account_id, "limit": 50}
        while True:
            page = self.shop.get("/api/v1/stores", params=query).json()
            found += page["items"]
            if page["next"] is None:
                return found
            query["cursor"] = page["next"]

    def rows(self, query: str, **values: object) -> list[Mapping[str, Any]]:
        """Rows of the database."""
        with self.database.transaction() as uow:
            return [row._asdict() for row in uow.connection.execute(text(query), values)]

    # --- disasters ------------------------------------------------------------------------------------------------

    @property
    def worker_pid(self) -> int | None:
        """Of the worker's main process; None while it is dead."""
        return self.stack.process(WORKER).pid

    def flush_redis(self) -> None:
        """Redis forgets everything."""
        with redis.Redis.from_url(self.stack.redis_url) as client:
            client.flushall()

    def let_holds_run_out(self) -> None:
        """Let the time pass for which a host stays held by a worker that died: up to a minute of real time."""
        with self.database.transaction() as uow:
            uow.connection.exec_driver_sql("UPDATE hosts SET next_at = clock_timestamp(), holder = NULL")
            uow.connection.exec_driver_sql("UPDATE tasks SET not_before = clock_timestamp() WHERE state = 'pending'")

    def settle_down(self) -> None:
        """After a test: nothing is frozen, nobody works."""
        self.replica.control.release()
        self.replica.control.site(login_page="known")
        self.browsers.release()
        for row in self.rows("SELECT id FROM tasks WHERE state IN ('pending', 'in_progress')"):
            self.shop.delete(f"/api/v1/tasks/{row['id']}")
        wait_until(
            lambda: not self.rows("SELECT id FROM tasks WHERE state IN ('pending', 'in_progress')"),
            30,
            lambda: self.rows("SELECT id, state, step FROM tasks WHERE state IN ('pending', 'in_progress')"),
        )

    # --- clients --------------------------------------------------------------------------------------------------

    def _client(self, key: str) -> httpx.Client:
        hooks = {"response": [self._keep]}
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.stack.api_url, headers=headers, timeout=30, event_hooks=hooks)

    def _keep(self, response: httpx.Response) -> None:
        self.answers.append(response.read().decode())

    @staticmethod
    def _key(operator: httpx.Client, owner: str) -> str:
        answer = operator.post("/api/v1/keys", json={"name": owner, "role": "owner", "owner": owner})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["key"])


@contextmanager
def a_system(folder: Path) -> Iterator[CrawlSystem]:
    """One worker with two children, and a browser whose start a test can hold."""
    browsers = Browsers(folder)
    with Replica() as replica:
        settings = {**SETTINGS, **browsers.settings, **replica.settings}
        processes = {API, WORKERS, JANITOR}
        with Stack(settings, processes=processes, interactive_worker=False, policy=SOON_AGAIN) as stack:
            system = CrawlSystem(replica, stack, browsers)
            yield system
            system.close()


def seconds_until(condition: Callable[[], bool], *, limit: float) -> float:
    """How long it took; fails beyond the limit."""
    began = time.monotonic()
    wait_until(condition, limit)
    return time.monotonic() - began
