"""HTTP/1.1 as it is spoken: what comes before an answer, how it ends, and when a connection is used again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from yarl import URL

from crawl_worker.engine.connections import Answer, Connections
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.settings import EngineSettings
from nightjar.errors import RetryLater

pytestmark = pytest.mark.anyio

Ask = Callable[..., Awaitable[Answer]]
OK = b"HTTP/1.1 200 OK\r\n"


class Server:
    """Answers every request of a connection with the same bytes; `close` after the first."""

    def __init__(self, answer: bytes, *, close: bool = False) -> None:
        self.answer = answer
        self.close = close
        self.heads: list[bytes] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                self.heads.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(self.answer)
                await writer.drain()
                if self.close:
                    return
        except (asyncio.IncompleteReadError, OSError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def asking(server: Server) -> AsyncIterator[Ask]:
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    origin = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    connections = Connections(EngineSettings(), EgressRule(frozenset({origin})))

    async def ask(headers: dict[str, str] | None = None, *, method: str = "GET", body: bytes = b"") -> Answer:
        url = URL(f"{origin}/path?q=1#part")
        return await connections.exchange(url, connections.head(headers or {}), method=method, body=body)

    yield ask
    await connections.close()
    listener.close()


async def test_hints_before_the_answer_are_passed_over() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    async with asking(Server(hints + OK + b"Content-Length: 2\r\n\r\nok")) as ask:
        assert ((await ask()).status, (await ask()).body) == (200, b"ok")


@pytest.mark.parametrize("version", [b"HTTP/1.0", b"HTTP/1.1"])
async def test_a_body_without_a_length_ends_with_its_connection(version: bytes) -> None:
    server = Server(version + b" 200 OK\r\n\r\nall of it", close=True)
    async with asking(server) as ask:
        assert [(await ask()).body for _ in range(2)] == [b"all of it"] * 2
    assert server.connections == 2


async def test_chunks_and_trailers_are_read_to_their_end() -> None:
    chunked = OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n4;x=y\r\n two\r\n0\r\nX-Trailer: z\r\n\r\n"
    server = Server(chunked)
    async with asking(server) as ask:
        assert [(await ask()).body for _ in range(2)] == [b"one two"] * 2
    assert server.connections == 1


@pytest.mark.parametrize(
    ("answer", "connections"),
    [
        (OK + b"Content-Length: 2\r\n\r\nok", 1),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 1),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 1),
        (OK + b"Content-Length: 2\r\nConnection: close\r\n\r\nok", 3),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 3),
        (OK + b"Content-Length: 2\r\n\r\nok" + OK + b"Content-Length: 6\r\n\r\npoison", 3),
    ],
)
async def test_a_connection_is_used_again_where_it_is_clean_and_the_server_keeps_it(
    answer: bytes, connections: int
) -> None:
    server = Server(answer)
    async with asking(server) as ask:
        for _ in range(3):
            assert (await ask()).body in {b"ok", b""}
            await asyncio.sleep(0.01)
    assert server.connections == connections


async def test_a_request_says_what_it_must_and_no_more() -> None:
    server = Server(OK + b"Content-Length: 0\r\n\r\n")
    async with asking(server) as ask:
        await ask({"user-agent": "Reader/1", "ACCEPT": "text/html"})
        await ask({"X-Word": "집"}, method="POST", body=b"")
    first, second = (head.decode().split("\r\n") for head in server.heads)
    assert first[0] == "GET /path?q=1 HTTP/1.1"
    assert first[1].startswith("Host: 127.0.0.1:")
    names = sorted(line.partition(":")[0].lower() for line in first[1:-2])
    assert names == ["accept", "accept-encoding", "accept-language", "host", "user-agent"]
    assert "X-Word: 집" in second
    assert "Content-Length: 0" in second


async def test_an_answer_to_head_has_no_body_to_wait_for() -> None:
    async with asking(Server(OK + b"Content-Length: 500\r\n\r\n")) as ask:
        assert (await ask(method="HEAD")).headers["content-length"] == "500"


@pytest.mark.parametrize("headers", [{"A": "b\r\nC: d"}, {"A\r\nB": "c"}, {"A": "b\0"}, {"A b": "c"}, {"": "c"}])
async def test_a_header_that_would_not_stay_one_line_is_not_sent(headers: dict[str, str]) -> None:
    server = Server(OK + b"Content-Length: 0\r\n\r\n")
    async with asking(server) as ask:
        with pytest.raises(ValueError, match="is no header"):
            await ask(headers)
    assert server.heads == []


async def test_a_connection_that_was_left_in_the_middle_is_not_used_again() -> None:
    server = Server(OK + b"Content-Length: 10\r\n\r\nhalf")
    async with asking(server) as ask:
        for _ in range(2):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await ask()
    assert server.connections == 2


async def test_a_server_that_closes_without_a_word_is_told_as_such() -> None:
    async with asking(Server(b"", close=True)) as ask:
        with pytest.raises(RetryLater, match="broke the connection"):
            await ask()
