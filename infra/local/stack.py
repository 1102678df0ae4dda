"""The embedded stack: servers, migrations, API, workers, janitor and Beat, as one thing that starts and stops.

    with Stack({"CRAWL_DELAY_SECONDS": "0.01"}, workers=2) as stack:
        httpx.get(f"{stack.api_url}/ready")
        stack.process("worker-1").kill()

Everything lies in one data folder; a stack without one gets a temporary folder, which is gone when it ends.
"""

import base64
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.local import programs
from infra.local.addresses import LOOPBACK, free_port
from infra.local.child import remove_at_the_end
from infra.local.postgres import EmbeddedPostgres
from infra.local.process import ManagedProcess, OneTimeJob, Program
from infra.local.readiness import Readiness, answers_http, has_settled, takes_messages
from infra.local.redis import EmbeddedRedis
from infra.local.settings import nightjar_settings, program_environment
from infra.local.state import STATE_FILE, FolderLock, StackState
from infra.local.supervisor import RestartPolicy, Stage, Supervisor
from nightjar.tasks import Queue

API, WORKERS, JANITOR, BEAT = "api", "workers", "janitor", "beat"
EVERYTHING = frozenset({API, WORKERS, JANITOR, BEAT})
WITHOUT_BEAT = EVERYTHING - {BEAT}
"The default: nothing happens in the middle of a test because of the time of day."
_WORKER_STOP_SECONDS = 30.0


def _say_nothing(_: str) -> None:
    """A stack inside a test reports through its logs and errors."""


class Stack:
    """A running system.

    `settings` come before those of the environment; with DATABASE_URL or REDIS_URL in either, that server is used
    instead of an embedded one. `processes` picks from EVERYTHING what runs besides the servers. `workers` is the
    number of workers for all queues but `interactive`, named worker-1, worker-2 ...; `interactive` has a worker of
    its own, worker-interactive, or is shared by all when `interactive_worker` is false. `port` 0 means any free port.
    A stack with a `data_dir` keeps its data and is durable; one without is temporary.
    """

    def __init__(
        self,
        settings: Mapping[str, str] | None = None,
        *,
        data_dir: Path | None = None,
        processes: Collection[str] = WITHOUT_BEAT,
        workers: int = 1,
        interactive_worker: bool = True,
        port: int = 0,
        say: Callable[[str], None] = _say_nothing,
        policy: RestartPolicy | None = None,
    ) -> None:
        self._settings = {**nightjar_settings(os.environ), **(settings or {})}
        self._chosen_folder = data_dir
        self._processes = frozenset(processes)
        self._workers = workers
        self._interactive_worker = interactive_worker
        self._port = port or free_port()
        self._say = say
        self._policy = policy
        self._exits = ExitStack()
        self._named: dict[str, ManagedProcess] = {}
        self._supervisor: Supervisor | None = None
        self._postgres: EmbeddedPostgres | None = None
        self._redis: EmbeddedRedis | None = None
        self.data_dir = Path()
        self.env: Mapping[str, str] = {}
        "The settings with which a function or another program joins this stack."

    def __enter__(self) -> Self:
        """Start everything, in order, each waited for. Raises StartError or InUseError; then nothing is left behind."""
        try:
            self._start()
        except BaseException:
            self._exits.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything in reverse order."""
        self._exits.close()

    @property
    def api_url(self) -> str:
        """Where the API answers."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def api_key(self) -> str:
        """The operator's key, which exists from the start."""
        return self.env["NIGHTJAR_BOOTSTRAP_API_KEY"]

    @property
    def database_url(self) -> str:
        """The database, password included."""
        return self.env["DATABASE_URL"]

    @property
    def redis_url(self) -> str:
        """The broker's database of the Redis server."""
        return self.env["REDIS_URL"]

    @property
    def postgres(self) -> EmbeddedPostgres:
        """The embedded server. Raises LookupError when DATABASE_URL named another one."""
        if self._postgres is None:
            raise LookupError("this stack runs on the PostgreSQL of DATABASE_URL, not on an embedded one")
        return self._postgres

    @property
    def redis(self) -> EmbeddedRedis:
        """The embedded server. Raises LookupError when REDIS_URL named another one."""
        if self._redis is None:
            raise LookupError("this stack runs on the Redis of REDIS_URL, not on an embedded one")
        return self._redis

    @property
    def logs(self) -> Mapping[str, Path]:
        """The log file of each process by its name."""
        return {name: process.log for name, process in self._named.items()}

    def process(self, name: str) -> ManagedProcess:
        """A process by its name: postgres, redis, schema, api, worker-1 ..., worker-interactive, janitor, beat.

        Raises LookupError that lists the names.
        """
        if name not in self._named:
            raise LookupError(f"no process {name!r} in this stack; there are: {', '.join(self._named)}")
        return self._named[name]

    def wait(self) -> str:
        """Wait until a process cannot be kept alive; the answer says which and why."""
        if self._supervisor is None:
            return "not started"
        self._supervisor.ended.wait()
        return self._supervisor.failure or "stopped"

    def _start(self) -> None:
        self.data_dir = self._take_folder()
        (self.data_dir / "logs").mkdir(exist_ok=True)
        supervisor = Supervisor(say=self._report, policy=self._policy)
        self._exits.callback(supervisor.stop)
        supervisor.bring_up(self._servers())
        self.env = self._joined_settings()
        supervisor.bring_up([self._migrations()])
        supervisor.bring_up(self._programs())
        self._write_state()
        supervisor.watch()
        self._supervisor = supervisor

    def _take_folder(self) -> Path:
        if self._chosen_folder is None:
            folder = Path(tempfile.mkdtemp(prefix="nightjar-"))
            remove_at_the_end(folder)
            self._exits.callback(shutil.rmtree, folder, ignore_errors=True)
        else:
            folder = self._chosen_folder.resolve()
        self._exits.enter_context(FolderLock(folder))
        state = folder / STATE_FILE
        state.unlink(missing_ok=True)  # what a stack that was killed has left
        self._exits.callback(state.unlink, missing_ok=True)
        return folder

    def _servers(self) -> Stage:
        """The servers that no setting replaces."""
        if "DATABASE_URL" not in self._settings:
            durable = self._chosen_folder is not None
            self._postgres = EmbeddedPostgres(self.data_dir / "postgres", durable=durable)
        if "REDIS_URL" not in self._settings:
            self._redis = EmbeddedRedis(self.data_dir / "redis")
        return [self._named.setdefault(server.name, server) for server in (self._postgres, self._redis) if server]

    def _joined_settings(self) -> dict[str, str]:
        added = {
            "ARCHIVE_URL": str(self.data_dir / "archive"),
            "NIGHTJAR_BOOTSTRAP_API_KEY": _kept(self.data_dir / "api-key", lambda: f"nj_{secrets.token_urlsafe(24)}"),
            "SECRETS_KEY": _kept(self.data_dir / "secrets-key", _new_secrets_key),
        }
        if BEAT in self._processes:
            added["NIGHTJAR_CATCH_UP_NIGHT"] = "true"
        if self._postgres:
            added["DATABASE_URL"] = self._postgres.url()
        if self._redis:
            added["REDIS_URL"] = self._redis.url()
        return {**added, **self._settings, "NIGHTJAR_PORT": str(self._port)}

    def _migrations(self) -> Program:
        environment = program_environment(self.env)
        job = OneTimeJob("schema", programs.migrations(), log=self._log("schema"), env=environment)
        self._named[job.name] = job
        return job

    def _programs(self) -> Stage:
        started = [self._api()] if API in self._processes else []
        started += self._all_workers() if WORKERS in self._processes else []
        started += [self._program(JANITOR, programs.janitor())] if JANITOR in self._processes else []
        started += [self._program(BEAT, programs.beat(self.data_dir / "beat"))] if BEAT in self._processes else []
        return started

    def _api(self) -> Program:
        return self._program(API, programs.api(self._port), is_ready=answers_http(f"{self.api_url}/ready"))

    def _all_workers(self) -> list[Program]:
        split = self._interactive_worker and "WORKER_QUEUES" not in self._settings
        queues = programs.queues_besides_interactive() if split else None
        general = [self._worker(f"worker-{number}", queues) for number in range(1, self._workers + 1)]
        return [self._worker("worker-interactive", Queue.INTERACTIVE), *general] if split else general

    def _worker(self, name: str, queues: str | None) -> Program:
        return self._program(
            name,
            programs.worker(name),
            settings={"WORKER_QUEUES": queues} if queues else {},
            is_ready=takes_messages(name, self.env),
            stop_timeout=_WORKER_STOP_SECONDS,
        )

    def _program(
        self,
        name: str,
        command: Sequence[str],
        *,
        settings: Mapping[str, str] | None = None,
        is_ready: Readiness = has_settled,
        stop_timeout: float = 10.0,
    ) -> Program:
        environment = program_environment({**self.env, **(settings or {})})
        program = Program(
            name,
            command,
            log=self._log(name),
            env=environment,
            is_ready=is_ready,
            stop_timeout=stop_timeout,
        )
        self._named[name] = program
        return program

    def _log(self, name: str) -> Path:
        """The log of a process; the one of the run before is kept beside it."""
        log = self.data_dir / "logs" / f"{name}.log"
        if log.exists():
            log.replace(log.with_suffix(".log.before"))
        return log

    def _report(self, line: str) -> None:
        self._say(line)
        if (self.data_dir / STATE_FILE).exists():
            self._write_state()  # a process that was started again has another id

    def _write_state(self) -> None:
        state = StackState(
            supervisor_pid=os.getpid(),
            api_url=self.api_url,
            database_url=self.database_url,
            redis_url=self.redis_url,
            env=self.env,
            pids={name: process.pid for name, process in self._named.items()},
        )
        state.write(self.data_dir)


def _kept(file: Path, make: Callable[[], str]) -> str:
    """A key of a data folder: made once, so that it still fits after a restart; only its owner can read it."""
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as writing:
            writing.write(make())
    return file.read_text(encoding="ascii")


def _new_secrets_key() -> str:
    """What Fernet takes: 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii")
