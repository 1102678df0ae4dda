import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pg8000.dbapi
import pg8000.exceptions
import psutil
import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from infra.local.postgres import EmbeddedPostgres
from infra.local.process import StartError
from infra.local.unprivileged import NOBODY, Identity, hand_over
from tests.integration.local.processes import all_gone


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path_factory.mktemp("server"), durable=False)
    server.start()
    yield server
    server.stop()


def run(server: EmbeddedPostgres, statement: str, database: str = "nightjar") -> list[tuple[object, ...]]:
    engine = create_engine(server.url(database), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        result = connection.execute(text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []


def processes_of(server: EmbeddedPostgres) -> list[psutil.Process]:
    leader = psutil.Process(server.pid)
    return [leader, *leader.children(recursive=True)]


def test_it_answers_with_a_database_in_unicode(server: EmbeddedPostgres) -> None:
    assert run(server, "SELECT current_database(), pg_encoding_to_char(encoding) FROM pg_database LIMIT 1") == [
        ("nightjar", "UTF8")
    ]
    assert run(server, "SELECT lower('ÄÖ'), '강남 맛집'") == [("äö", "강남 맛집")]


def test_it_listens_on_loopback_and_on_no_unix_socket(server: EmbeddedPostgres) -> None:
    listening = []
    for process in processes_of(server):
        with suppress(psutil.NoSuchProcess):  # one of its short-lived children
            listening += [c for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN]

    assert {(c.laddr.ip, c.laddr.port) for c in listening} == {("127.0.0.1", server.port)}
    assert run(server, "SHOW unix_socket_directories") == [("",)]


def test_a_wrong_password_is_refused(server: EmbeddedPostgres) -> None:
    with pytest.raises(pg8000.exceptions.DatabaseError, match="password authentication failed"):
        pg8000.dbapi.connect("nightjar", host="127.0.0.1", port=server.port, password="guess", timeout=5)


def test_only_the_owner_can_read_the_password(server: EmbeddedPostgres) -> None:
    password = make_url(server.url()).password
    kept = [file for file in server.log.parent.iterdir() if file.is_file() and file.read_text() == password]

    assert [stat.S_IMODE(file.stat().st_mode) for file in kept] == [0o600]


def test_it_runs_for_whoever_starts_it_and_changes_no_owner(server: EmbeddedPostgres) -> None:
    folder = server.log.parent

    assert {path.stat().st_uid for path in (folder, *folder.rglob("*"))} == {os.geteuid()}


def test_a_restart_keeps_the_address_and_the_rows(server: EmbeddedPostgres) -> None:
    url, pid = server.url(), server.pid
    run(server, "CREATE TABLE kept (n int)")
    run(server, "INSERT INTO kept VALUES (1)")

    server.restart()

    assert server.pid != pid
    assert server.url() == url
    assert run(server, "SELECT n FROM kept") == [(1,)]


def test_a_kill_takes_the_sessions_with_it_and_loses_nothing_that_was_committed(server: EmbeddedPostgres) -> None:
    run(server, "CREATE TABLE survivors (n int)")
    run(server, "INSERT INTO survivors SELECT generate_series(1, 100)")
    pids = [process.pid for process in processes_of(server)]

    server.kill()

    assert all_gone(pids, seconds=5)
    assert server.has_died
    server.revive()
    assert run(server, "SELECT count(*) FROM survivors") == [(100,)]


def test_databases_are_copied_from_a_template_and_dropped_under_their_users(server: EmbeddedPostgres) -> None:
    server.create_database("original")
    run(server, "CREATE TABLE copied (n int)", "original")
    server.create_database("copy", template="original")
    engine = create_engine(server.url("copy"))

    with engine.connect() as connection:
        connection.execute(text("SELECT * FROM copied"))
        server.drop_database("copy")
        connection.invalidate()
    engine.dispose()

    assert run(server, "SELECT datname FROM pg_database WHERE datname = 'copy'") == []


def test_a_second_server_on_the_same_folder_is_refused(server: EmbeddedPostgres) -> None:
    second = EmbeddedPostgres(server.log.parent, durable=False)

    with pytest.raises(StartError, match=rf"process {server.pid}\) already runs"):
        second.start()


def test_a_taken_port_is_told_with_the_last_lines_of_the_log(server: EmbeddedPostgres, tmp_path: Path) -> None:
    second = EmbeddedPostgres(tmp_path, port=server.port, durable=False)

    with pytest.raises(StartError, match="could not bind IPv4 address"):
        second.start()
    assert not second.is_alive


def test_the_pid_file_of_a_killed_server_is_healed_when_its_number_belongs_to_another(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, durable=False)
    server.start()
    server.kill()
    server.stop()
    pid_file = tmp_path / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines(keepends=True)
    pid_file.write_text("".join([f"{os.getpid()}\n", *lines[1:]]))

    server.start()

    assert run(server, "SELECT 1") == [(1,)]
    server.stop()


def test_without_user_namespaces_root_hands_the_folder_to_nobody() -> None:
    is_root = os.geteuid() == 0
    user = NOBODY if is_root else os.geteuid()
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        server = EmbeddedPostgres(Path(folder), durable=False, identity=_nobody_or_self(is_root=is_root))
        server.start()
        try:
            assert psutil.Process(server.pid).uids().effective == user
            assert (Path(folder) / "data").stat().st_uid == user
        finally:
            server.stop()


def _nobody_or_self(*, is_root: bool) -> Identity:
    return Identity(user=NOBODY) if is_root else Identity()


def test_a_folder_that_nobody_can_reach_is_told_with_the_way_out(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "data").mkdir(parents=True)
    closed.chmod(0o700)

    with pytest.raises(PermissionError, match=r"cannot enter .*; choose a data folder"):
        hand_over(closed / "data", Identity(user=NOBODY))
