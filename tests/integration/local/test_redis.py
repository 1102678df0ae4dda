from collections.abc import Iterator

import psutil
import pytest
import redis

from infra.local.process import StartError
from infra.local.redis import EmbeddedRedis


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(server: EmbeddedRedis) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(server.url(), decode_responses=True, socket_timeout=5) as client:
        yield client


def test_it_listens_on_loopback_only(server: EmbeddedRedis) -> None:
    listening = [c for c in psutil.Process(server.pid).net_connections() if c.status == psutil.CONN_LISTEN]

    assert {(c.laddr.ip, c.laddr.port) for c in listening} == {("127.0.0.1", server.port)}


def test_a_full_memory_refuses_writes_and_drops_no_key(client: "redis.Redis") -> None:
    client.set("first", "kept")
    client.config_set("maxmemory", "1")
    try:
        with pytest.raises(redis.OutOfMemoryError):
            client.set("second", "refused")
        assert client.get("first") == "kept"
    finally:
        client.config_set("maxmemory", "0")


def test_the_numbered_databases_are_apart(server: EmbeddedRedis, client: "redis.Redis") -> None:
    client.set("only", "in 0")

    with redis.Redis.from_url(server.url(db=1), decode_responses=True) as other:
        assert other.get("only") is None


def test_a_restart_keeps_the_address_and_the_keys(server: EmbeddedRedis, client: "redis.Redis") -> None:
    url, pid = server.url(), server.pid
    client.rpush("list", "a", "b")

    server.restart()

    assert (server.url(), server.pid != pid) == (url, True)
    assert client.lrange("list", 0, -1) == ["a", "b"]


def test_a_kill_loses_no_key(server: EmbeddedRedis, client: "redis.Redis") -> None:
    client.set("written", "just now")

    server.kill()
    server.wait(5)

    assert server.has_died
    server.revive()
    assert client.get("written") == "just now"


def test_a_stopped_server_stays_down(server: EmbeddedRedis, client: "redis.Redis") -> None:
    server.stop()

    server.revive()

    assert not server.is_alive
    with pytest.raises(redis.ConnectionError):
        client.ping()
    server.start()
    assert client.ping()


def test_a_server_that_does_not_exist_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("REDIS_SERVER", "redis-server-of-nowhere")

    with pytest.raises(StartError, match="REDIS_SERVER=redis-server-of-nowhere is no program"):
        EmbeddedRedis(tmp_path_factory.mktemp("other")).start()
