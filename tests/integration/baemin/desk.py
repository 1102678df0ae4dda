"""A desk at which stores are crawled: the real attempt, browser, gate, database and secrets, against the replica."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

from cryptography.fernet import Fernet

from crawl_worker.engine.attempt import AttemptRules, Attempts
from crawl_worker.engine.browser import Browser
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.host_gate import GateRules, PostgresHostGate
from crawl_worker.engine.store import Store
from crawl_worker.sites.baemin.settings import BaeminSettings
from crawl_worker.sites.baemin.site import BaeminSite
from crawl_worker.sites.owner_site import SiteWaits
from crawl_worker.tasks.store_crawl import CrawlTools, StoreCrawlJob
from nightjar.adapters.archive.folder import FolderArchive
from nightjar.adapters.secrets.encrypted_table import EncryptedTable
from nightjar.application.store_crawling import CrawlRules
from nightjar.database.engine import Database
from nightjar.database.stores import StoreRow
from nightjar.database.tasks import NewTask
from nightjar.domain.account import Account, Platform
from nightjar.domain.progress import ProgressEvent
from nightjar.domain.task import Task
from nightjar.tasks import Message, Queue, TaskKind
from tests.doubles.baemin.replica import Json, Replica

SECONDS = timedelta(seconds=1)
WAITS = SiteWaits(
    form=3 * SECONDS, login=4 * SECONDS, home=3 * SECONDS, stores=6 * SECONDS, still=0.6 * SECONDS, detail=3 * SECONDS
)
"""Long enough for the replica on a busy machine, short enough for a test of what never comes."""


class NoQueue:
    """No message is sent here: a test runs each attempt itself."""

    def publish(self, queue: Queue, messages: list[Message]) -> None:
        """Send nothing."""


@dataclass
class Diary:
    """What was reported, in order."""

    events: list[ProgressEvent] = field(default_factory=list)

    async def publish(self, event: ProgressEvent) -> None:
        self.events.append(event)

    @property
    def steps(self) -> list[str]:
        """The steps, each time one began."""
        steps = [event.step or "" for event in self.events if not event.is_final]
        return [step for index, step in enumerate(steps) if not index or steps[index - 1] != step]


@dataclass(frozen=True, slots=True)
class Ended:
    """A task after its attempt, and what it left behind."""

    task: Task
    account: Account | None
    stores: list[StoreRow]
    steps: list[str]

    @property
    def outcome(self) -> str:
        """In the words of the replica: the error code, or `ok`."""
        return self.task.error_code or ("ok" if self.task.state == "completed" else str(self.task.state))


class Desk:
    """Runs crawls of accounts of the replica, one attempt at a time."""

    def __init__(self, replica: Replica, browser: Browser, database_url: str, folder: Path) -> None:
        self.owner = f"owner-{uuid4()}"
        self.replica = replica
        self.browser = browser
        self.folder = folder
        self.url = database_url
        self.settings = BaeminSettings.from_environment(replica.settings)
        self.database = Database(database_url, name="desk", pool_size=4)
        self.store = Store(Database(database_url, name="desk-store"), name="store")
        self.pulse = Store(Database(database_url, name="desk-pulse"), name="pulse")
        self.secrets = EncryptedTable(self.database.transaction, keys=(Fernet.generate_key().decode(),))
        self.diary = Diary()
        self.waits = WAITS
        self.time_limit = self.details_limit = timedelta(seconds=60)
        self.delay = timedelta(milliseconds=10)

    def close(self) -> None:
        """Give the connections back."""
        self.store.close()
        self.pulse.close()
        self.database.close()

    def forget_hosts(self) -> None:
        """No host is held, paused or left alone from an earlier test."""
        with self.database.transaction() as uow:
            uow.connection.exec_driver_sql("DELETE FROM hosts")

    def add_account(self, account: Json, *, password: str = "") -> UUID:
        """Store an account of the replica as the API does, with the session that it starts with."""
        account_id = uuid4()
        with self.database.transaction() as uow:
            uow.accounts.give_credentials(
                account_id, owner=self.owner, platform=Platform.BAEMIN, login_id=account["login_id"]
            )
        given = {"login_id": account["login_id"], "password": password or account["password"]}
        self.secrets.put(f"accounts/{account_id}/credentials", json.dumps(given))
        if account["storage_state"]:
            self.secrets.put(f"accounts/{account_id}/session", json.dumps(account["storage_state"]))
        return account_id

    def start(self, account_id: UUID) -> UUID:
        """A task, as the API stores it."""
        task = NewTask(
            kind=TaskKind.CRAWL_BAEMIN_STORES,
            queue=Queue.STORES,
            correlation_id="desk",
            owner=self.owner,
            payload={"account_id": str(account_id)},
        )
        with self.database.transaction() as uow:
            return uow.tasks.add(task)

    async def crawl(self, login_id: str) -> Ended:
        """One attempt at a new task for an account of the replica."""
        account_id = self.add_account(self.replica.control.account(login_id))
        return await self.attempt(account_id, self.start(account_id))

    async def attempt(self, account_id: UUID, task_id: UUID) -> Ended:
        """One attempt, with everything that a worker would give it."""
        await self.attempts().run(task_id, self.job())
        return self.look(account_id, task_id)

    def attempts(self) -> Attempts:
        """The runner of attempts, with a short lease."""
        return Attempts(
            store=self.store,
            pulse=self.pulse,
            queue=NoQueue(),  # type: ignore[arg-type]  # only its way of publishing is used
            channel=self.diary,
            rules=AttemptRules(lease=timedelta(seconds=3), soft_limit=self.time_limit),
            stopping=asyncio.Event(),
        )

    def job(self) -> StoreCrawlJob:
        """A job, as the worker puts it together."""
        gates = GateRules(delay=self.delay, cooldown=timedelta(seconds=30), patience=timedelta(seconds=5))
        tools = CrawlTools(
            store=self.store,
            browser=self.browser,
            rule=EgressRule(self.settings.stand_ins()),
            secrets=self.secrets,
            archive=FolderArchive(self.folder),
            rules=CrawlRules(retry_delay=timedelta(0), time_limit=self.details_limit),
        )
        gate = PostgresHostGate(self.store, gates)
        return StoreCrawlJob(tools, BaeminSite(self.settings, waits=self.waits), gate, user_agent="desk")

    def look(self, account_id: UUID, task_id: UUID) -> Ended:
        """What the database says now."""
        with self.database.transaction() as uow:
            task = uow.tasks.get(task_id, owner=self.owner)
            account = uow.accounts.get(account_id, owner=self.owner)
            stores = uow.stores.page(owner=self.owner, before=None, limit=500, filters={"account_id": account_id})
        assert task is not None
        return Ended(task, account, stores, self.diary.steps)

    def logins(self, account_id: UUID) -> list[str | None]:
        """The ledger: the outcome of each login of an account, oldest first."""
        with self.database.transaction() as uow:
            query = "SELECT outcome FROM login_attempts WHERE account_id = %s ORDER BY id"
            rows = uow.connection.exec_driver_sql(query, (account_id,))
            return [row.outcome for row in rows]

    def login_posts(self, login_id: str) -> int:
        """How often the replica was sent a password for this account."""
        return int(self.replica.control.counters(login_id)["login_posts"])


def as_read(stores: list[StoreRow]) -> dict[str, Mapping[str, object]]:
    """The stored stores by number, in the words of the replica's truth."""
    return {
        store.platform_store_id: {
            "store_name": store.store_name,
            "category": store.business_type,
            "service_type": store.sub_type,
            "raw_label": store.raw_label,
            "road_address": store.road_address,
            "lat": store.lat,
            "lng": store.lng,
            "phone": store.phone,
            "status": store.status,
            "business_no": store.business_no,
        }
        for store in stores
    }


def as_shown(account: Json) -> dict[str, Mapping[str, object]]:
    """What the replica says of an account's stores."""
    left_out = {"platform_store_id", "temporary_stop", "seen_in"}
    return {
        row["platform_store_id"]: {name: value for name, value in row.items() if name not in left_out}
        for row in account["stores"]
    }
