"""Site crawls: what was ordered, the counts that add up at every moment, and the end.

Whoever changes the frontier of a crawl locks its row first. So the counts are exact, the limit is exact, and no two
writers of one crawl meet in another order.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, text

from nightjar.domain.site_crawl import CrawlCounts, CrawlOrder, Engine, Scope
from nightjar.domain.task import TaskState

INSERT = text("""
    INSERT INTO crawls (task_id, owner, start_url, scope, scope_key, depth, page_limit, engine, include, exclude,
                        screenshots, structure, delay, user_agent, urgent, deadline)
    VALUES (:task_id, :owner, :url, :scope, '', :depth, :limit, :engine, CAST(:include AS text[]),
            CAST(:exclude AS text[]), :screenshots, :structure, CAST(:delay AS interval), '', :urgent,
            clock_timestamp() + CAST(:timeout AS interval))
""")

INSERT_HOST = text("""
    INSERT INTO crawl_hosts (crawl_id, host, origin, urgent)
    SELECT task_id, :host, :origin, urgent FROM crawls WHERE task_id = :crawl_id
    ON CONFLICT (crawl_id, host) DO UPDATE SET due_at = least(crawl_hosts.due_at, clock_timestamp())
""")

# The row of the task waits for no message: it is never due. The first claim of a URL starts it.
PARK_TASK = text("UPDATE tasks SET not_before = 'infinity' WHERE id = :task_id")

COLUMNS = """
    task_id, owner, start_url, scope, scope_key, depth, page_limit, engine, include, exclude, screenshots, structure,
    delay, user_agent, urgent, state, end_reason, deadline, discovered, queued, leased, done, failed, skipped,
    sitemaps, sitemaps_read, pagination
"""

GET = text(f"""
    SELECT {COLUMNS} FROM crawls WHERE task_id = :crawl_id AND (CAST(:owner AS text) IS NULL OR owner = :owner)
""")  # noqa: S608  # a constant

# NO KEY: rows that refer to a crawl share a lock on its key. Two slices that add pages of it, then lock it, would wait
# for each other.
LOCK_IF_FREE = text(f"""
    SELECT {COLUMNS} FROM crawls WHERE task_id = :crawl_id AND state = 'open' FOR NO KEY UPDATE SKIP LOCKED
""")  # noqa: S608  # a constant

LOCK = text(f"SELECT {COLUMNS} FROM crawls WHERE task_id = :crawl_id FOR NO KEY UPDATE")  # noqa: S608  # a constant

COUNT = text("""
    UPDATE crawls
    SET discovered = discovered + :discovered, queued = queued + :queued, leased = leased + :leased,
        done = done + :done, failed = failed + :failed, skipped = skipped + :skipped
    WHERE task_id = :crawl_id
    RETURNING discovered, queued, leased, done, failed, skipped
""")

SET_IDENTITY = text("""
    UPDATE crawls SET scope_key = :scope_key, user_agent = coalesce(nullif(user_agent, ''), :user_agent)
    WHERE task_id = :crawl_id
""")

SET_SITEMAPS = text("""
    UPDATE crawls
    SET sitemaps = CAST(:sitemaps AS text[]),
        sitemaps_read = CASE WHEN CAST(:read AS text) IS NULL THEN sitemaps_read
            ELSE array_append(sitemaps_read, CAST(:read AS text)) END
    WHERE task_id = :crawl_id
""")

START_TASK = text("""
    UPDATE tasks SET state = 'in_progress', started_at = clock_timestamp(), attempt = 1
    WHERE id = :crawl_id AND state = 'pending'
""")

REPORT = text("""
    UPDATE tasks SET step = :step, progress = greatest(progress, :progress), total = :total, message = :message
    WHERE id = :crawl_id AND state = 'in_progress'
""")

# Of what is still queued or in hand no row is touched: from now on it counts as skipped, by the end of the crawl.
BEGIN_ANALYSING = text("""
    UPDATE crawls
    SET state = 'analysing', end_reason = CASE WHEN queued > 0 THEN 'limit' END, skipped = skipped + queued, queued = 0
    WHERE task_id = :crawl_id AND state = 'open'
""")

CLOSE = text("""
    UPDATE crawls
    SET state = 'closed', end_reason = coalesce(end_reason, :reason), skipped = skipped + queued + leased, queued = 0,
        leased = 0
    WHERE task_id = :crawl_id AND state <> 'closed'
    RETURNING task_id
""")

STOP_LOOKING = text("UPDATE crawl_hosts SET due_at = 'infinity' WHERE crawl_id = :crawl_id")

END_TASK = text("""
    UPDATE tasks
    SET state = :state, finished_at = clock_timestamp(), lease_until = NULL, result = CAST(:result AS jsonb),
        started_at = coalesce(started_at, clock_timestamp()),
        progress = CASE WHEN :state = 'completed' THEN 100 ELSE progress END,
        step = CASE WHEN :state = 'completed' THEN 'completed' ELSE step END,
        message = CASE WHEN :state = 'completed' THEN 'completed' ELSE message END,
        error_code = :code, error_message = :error, error_retryable = :retryable
    WHERE id = :crawl_id AND state IN ('pending', 'in_progress')
    RETURNING id
""")

ELAPSED = text("""
    SELECT extract(epoch FROM coalesce(finished_at, clock_timestamp()) - started_at) AS seconds
    FROM tasks WHERE id = :crawl_id
""")

DUE_HOSTS = text("""
    SELECT crawl_id, host FROM crawl_hosts WHERE due_at <= clock_timestamp() ORDER BY urgent DESC, due_at LIMIT :limit
""")

NEXT_DUE = text("""
    SELECT extract(epoch FROM min(due_at) - clock_timestamp()) AS seconds FROM crawl_hosts WHERE due_at < 'infinity'
""")

SET_DUE = text("""
    UPDATE crawl_hosts SET due_at = coalesce(CAST(:due_at AS timestamptz), 'infinity')
    WHERE crawl_id = :crawl_id AND host = :host
""")

HOST = text("SELECT origin, engine_choice FROM crawl_hosts WHERE crawl_id = :crawl_id AND host = :host")

WAKE = text("""
    INSERT INTO crawl_hosts (crawl_id, host, origin, urgent)
    SELECT c.task_id, f.host, f.origin, c.urgent
    FROM crawls AS c, json_to_recordset(CAST(:hosts AS json)) AS f (host text, origin text)
    WHERE c.task_id = :crawl_id ORDER BY f.host
    ON CONFLICT (crawl_id, host) DO UPDATE SET due_at = least(crawl_hosts.due_at, clock_timestamp())
""")

KEEP_CHOICE = text("""
    UPDATE crawl_hosts SET engine_choice = CAST(:choice AS jsonb) WHERE crawl_id = :crawl_id AND host = :host
""")

OPEN_AMONG = text("SELECT task_id FROM crawls WHERE task_id = ANY(CAST(:ids AS uuid[])) AND state = 'open'")

ENGINES = text("SELECT engine, count(*) AS pages FROM pages WHERE crawl_id = :crawl_id GROUP BY engine ORDER BY engine")

# Where the start page moved there are several without a hop: the last one is where it led.
START_PAGE = text("""
    SELECT state, reason, error_code, error_message FROM frontier WHERE crawl_id = :crawl_id
    ORDER BY depth, seq DESC LIMIT 1
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crawl:
    """A row of `crawls`. `scope_key` is empty until the start page was looked at."""

    task_id: UUID
    owner: str | None
    start_url: str
    scope: Scope
    scope_key: str
    depth: int
    page_limit: int
    engine: Engine
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    screenshots: bool
    structure: bool
    delay: timedelta
    user_agent: str
    urgent: bool
    state: str
    end_reason: str | None
    deadline: datetime | None
    counts: CrawlCounts
    sitemaps: tuple[str, ...]
    """Still to be read; an empty one stands for those that robots.txt names."""

    sitemaps_read: tuple[str, ...]
    pagination: list[dict[str, object]] | None

    @property
    def reads_sitemaps(self) -> bool:
        """Whether the pages that sitemaps list are wanted: it is about more than the start page."""
        return self.depth > 0 and self.page_limit > 1

    @property
    def room(self) -> int:
        """How many pages may still be taken in hand."""
        return self.page_limit - self.counts.leased - self.counts.done


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlFault:
    """Why a crawl failed."""

    code: str
    message: str
    retryable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPage:
    """What became of the page where a crawl began."""

    state: str
    reason: str | None
    error_code: str | None
    error_message: str | None


@dataclass(slots=True, kw_only=True)
class CountChange:
    """What a transaction adds to the counts of a crawl; `discovered` follows from the rest."""

    queued: int = 0
    leased: int = 0
    done: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def discovered(self) -> int:
        """URLs that were not known before."""
        return self.queued + self.leased + self.done + self.failed + self.skipped


class Crawls:
    """Rows of `crawls` and `crawl_hosts`, and the tasks that stand for whole crawls."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self,
        task_id: UUID,
        order: CrawlOrder,
        *,
        owner: str | None,
        delay: timedelta,
        urgent: bool,
        timeout: timedelta | None,
        host: str,
        origin: str,
    ) -> None:
        """Store the order of a task, ready for the next slice. `host` is host:port of the start page."""
        values = {
            "task_id": task_id,
            "owner": owner,
            "url": order.url,
            "scope": order.scope,
            "depth": order.depth,
            "limit": order.limit,
            "engine": order.engine,
            "include": list(order.include),
            "exclude": list(order.exclude),
            "screenshots": order.screenshots,
            "structure": order.structure,
            "delay": delay,
            "urgent": urgent,
            "timeout": timeout,
        }
        self._connection.execute(INSERT, values)
        self._connection.execute(PARK_TASK, {"task_id": task_id})
        self._connection.execute(INSERT_HOST, {"crawl_id": task_id, "host": host, "origin": origin})

    def get(self, crawl_id: UUID, *, owner: str | None) -> Crawl | None:
        """The crawl, if it exists and (for an owner) is theirs."""
        return self._one(GET, {"crawl_id": crawl_id, "owner": owner})

    def lock_if_free(self, crawl_id: UUID) -> Crawl | None:
        """The open crawl, locked; None if somebody else holds it now, or it is not open."""
        return self._one(LOCK_IF_FREE, {"crawl_id": crawl_id})

    def lock(self, crawl_id: UUID) -> Crawl | None:
        """The crawl, locked; waits for whoever holds it."""
        return self._one(LOCK, {"crawl_id": crawl_id})

    def count(self, crawl_id: UUID, change: CountChange) -> CrawlCounts:
        """Change the counts; what they are then."""
        values = {
            "discovered": change.discovered,
            "queued": change.queued,
            "leased": change.leased,
            "done": change.done,
            "failed": change.failed,
            "skipped": change.skipped,
        }
        row = self._connection.execute(COUNT, {**values, "crawl_id": crawl_id}).one()
        return CrawlCounts(**row._asdict())

    def identify(self, crawl_id: UUID, *, scope_key: str, user_agent: str) -> None:
        """What belongs to the crawl, and who its workers say they are: the first one to say so counts."""
        values = {"crawl_id": crawl_id, "scope_key": scope_key, "user_agent": user_agent}
        self._connection.execute(SET_IDENTITY, values)

    def set_sitemaps(self, crawl_id: UUID, sitemaps: Sequence[str], *, read: str | None = None) -> None:
        """The sitemaps that are still to be read, after `read` was."""
        values = {"crawl_id": crawl_id, "sitemaps": list(sitemaps), "read": read}
        self._connection.execute(SET_SITEMAPS, values)

    def start_task(self, crawl_id: UUID) -> None:
        """From now on the crawl is being worked at."""
        self._connection.execute(START_TASK, {"crawl_id": crawl_id})

    def report(self, crawl_id: UUID, *, step: str, progress: int, total: int, message: str) -> None:
        """How far it came."""
        values = {"step": step, "progress": progress, "total": total, "message": message}
        self._connection.execute(REPORT, {**values, "crawl_id": crawl_id})

    def begin_analysing(self, crawl_id: UUID) -> None:
        """All pages are in; what is still queued is not fetched any more."""
        self._connection.execute(BEGIN_ANALYSING, {"crawl_id": crawl_id})
        self._connection.execute(STOP_LOOKING, {"crawl_id": crawl_id})

    def close(self, crawl_id: UUID, *, reason: str | None) -> bool:
        """Nothing more is fetched. What was queued or in hand counts as skipped, by `reason`. Whether it was open."""
        if self._connection.execute(CLOSE, {"crawl_id": crawl_id, "reason": reason}).first() is None:
            return False
        self._connection.execute(STOP_LOOKING, {"crawl_id": crawl_id})
        return True

    def end_task(
        self,
        crawl_id: UUID,
        state: TaskState,
        *,
        result: Mapping[str, object] | None = None,
        fault: CrawlFault | None = None,
    ) -> bool:
        """Give the task its final state, unless it has one. Whether this did it."""
        values = {
            "crawl_id": crawl_id,
            "state": state,
            "result": None if result is None else json.dumps(result),
            "code": fault.code if fault else None,
            "error": fault.message if fault else None,
            "retryable": fault.retryable if fault else None,
        }
        return self._connection.execute(END_TASK, values).first() is not None

    def elapsed_seconds(self, crawl_id: UUID) -> float:
        """Since the first URL was taken in hand; 0 before that."""
        return float(self._connection.execute(ELAPSED, {"crawl_id": crawl_id}).scalar_one_or_none() or 0)

    def due_hosts(self, *, limit: int) -> list[tuple[UUID, str]]:
        """Pairs of crawl and host where there may be work now; those that somebody waits for first."""
        return [(row.crawl_id, row.host) for row in self._connection.execute(DUE_HOSTS, {"limit": limit})]

    def seconds_to_next_due(self) -> float | None:
        """When to look again; None if no crawl waits for anything."""
        seconds = self._connection.execute(NEXT_DUE).scalar_one()
        return None if seconds is None else float(seconds)

    def set_due(self, crawl_id: UUID, host: str, due_at: datetime | None) -> None:
        """When to look at this host again; None: not until a new URL of it is found."""
        self._connection.execute(SET_DUE, {"crawl_id": crawl_id, "host": host, "due_at": due_at})

    def host(self, crawl_id: UUID, host: str) -> tuple[str, dict[str, object] | None]:
        """The origin of a host of a crawl, and what `auto` has learned of its pages."""
        row = self._connection.execute(HOST, {"crawl_id": crawl_id, "host": host}).one()
        return row.origin, row.engine_choice

    def wake(self, crawl_id: UUID, origins: Mapping[str, str]) -> None:
        """There is work at these hosts (host:port to origin) now."""
        hosts = json.dumps([{"host": host, "origin": origins[host]} for host in sorted(origins)])
        self._connection.execute(WAKE, {"crawl_id": crawl_id, "hosts": hosts})

    def keep_engine_choice(self, crawl_id: UUID, host: str, choice: Mapping[str, object]) -> None:
        """Keep what `auto` has learned."""
        values = {"crawl_id": crawl_id, "host": host, "choice": json.dumps(choice)}
        self._connection.execute(KEEP_CHOICE, values)

    def open_among(self, crawl_ids: Sequence[UUID]) -> set[UUID]:
        """Those of the crawls that are still fetching pages."""
        return {row.task_id for row in self._connection.execute(OPEN_AMONG, {"ids": list(crawl_ids)})}

    def pages_by_engine(self, crawl_id: UUID) -> dict[str, int]:
        """How many pages each engine fetched."""
        return {row.engine: int(row.pages) for row in self._connection.execute(ENGINES, {"crawl_id": crawl_id})}

    def start_page(self, crawl_id: UUID) -> StartPage | None:
        """What became of the start page."""
        row = self._connection.execute(START_PAGE, {"crawl_id": crawl_id}).first()
        return StartPage(**row._asdict()) if row else None

    def _one(self, statement: object, values: Mapping[str, object]) -> Crawl | None:
        row = self._connection.execute(statement, values).first()  # type: ignore[call-overload]
        if row is None:
            return None
        columns = row._asdict()
        counts = CrawlCounts(**{name: columns.pop(name) for name in CrawlCounts.__dataclass_fields__})
        columns |= {"scope": Scope(row.scope), "engine": Engine(row.engine)}
        columns |= {name: tuple(columns[name]) for name in ("include", "exclude", "sitemaps", "sitemaps_read")}
        return Crawl(**columns, counts=counts)
