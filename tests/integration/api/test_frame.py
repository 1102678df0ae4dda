"""What surrounds every request: its id, its limit, its line in the log, and an answer whatever happens."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from time import monotonic

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from functions.api import frame
from functions.api.factory import create_app
from nightjar.wiring import Api
from tests.integration.api.callers import OPERATOR_KEY, CallerClient, Client, a_registration, error_of
from tests.integration.api.log_lines import all_lines, lines_of


@pytest.mark.parametrize("given", ["a", "night-42", "9d7c0a52-3a0f-4d5e-9f1e-0f4d8a7b6c5d", "Root=1-67891233-abcdef"])
def test_a_request_id_is_taken_over_and_answered(client: Client, given: str) -> None:
    assert client.get("/health", headers={"x-request-id": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", " ", "a b", '"}{', "가".encode().decode("latin-1"), "x" * 129, "-x", "a\tb"])
def test_a_request_id_that_is_none_is_replaced(client: Client, given: str) -> None:
    answered = client.get("/health", headers={"x-request-id": given.encode("latin-1")}).headers["x-request-id"]
    assert answered != given
    assert len(answered) == 36


def test_an_error_carries_the_request_id_too(client: Client) -> None:
    for path in ("/nothing", "/api/v1/trackings"):
        assert client.get(path, headers={"x-request-id": "r-1"}).headers["x-request-id"] == "r-1"


def test_every_request_leaves_one_line_with_the_route_and_never_its_content(owner: CallerClient, log: StringIO) -> None:
    body = a_registration(keyword="아무도 모르는 말")
    tracking = owner.post("/api/v1/trackings", body, x_request_id="r-7").json()
    owner.get(f"/api/v1/trackings/{tracking['id']}", cursor="secret-cursor")
    owner.get("/nothing/of/ours")
    lines = lines_of(log, "request")
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("POST", "/api/v1/trackings", 201),
        ("GET", "/api/v1/trackings/{tracking_id}", 200),
        ("GET", None, 404),
    ]
    assert lines[0]["correlation_id"] == "r-7"
    assert str(lines[0]["owner"]).startswith("shop")
    assert all(line["duration_ms"] >= 0 for line in lines)
    assert lines[2]["owner"] is None
    for content in ("아무도", "secret-cursor", "1234567", "nothing/of/ours"):
        assert content not in log.getvalue()


def test_no_key_is_ever_logged_or_repeated(
    client: Client, operator: CallerClient, log: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = operator.post("/api/v1/keys", {"name": "x"}).json()
    holder = CallerClient(client, issued["key"])
    answers = [
        holder.get("/api/v1/trackings"),
        holder.post("/api/v1/trackings", {"keyword": issued["key"], "key": issued["key"]}),
        CallerClient(client, issued["key"] + "x").get("/api/v1/trackings"),
        operator.delete(f"/api/v1/keys/{issued['id']}"),
        holder.get("/api/v1/trackings"),
    ]
    monkeypatch.setattr("functions.api.dependencies.authenticate", _breaks)
    answers.append(holder.get("/api/v1/trackings"))
    assert answers[-1].status_code == 500
    for key in (issued["key"], OPERATOR_KEY):
        assert key not in log.getvalue()
        assert all(key not in answer.text for answer in answers)


def _breaks(*_arguments: object, **_named: object) -> None:
    raise RuntimeError("a fault of our own")


def test_a_bug_is_a_500_that_tells_nothing_and_is_logged_with_its_stack(
    owner: CallerClient, log: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.api.routes.trackings.page_of", _breaks)
    answer = owner.send("GET", "/api/v1/trackings", headers={"x-request-id": "r-8"})
    assert answer.status_code == 500
    assert error_of(answer)["code"] == "internal"
    assert "a fault of our own" not in answer.text
    assert answer.headers["x-request-id"] == "r-8"
    failed = lines_of(log, "request_failed")
    assert len(failed) == 1
    assert "a fault of our own" in failed[0]["exception"]
    assert failed[0]["correlation_id"] == "r-8"
    assert lines_of(log, "request")[0]["status"] == 500


def test_log_lines_of_one_request_do_not_carry_the_id_of_another(owner: CallerClient, log: StringIO) -> None:
    for number in range(3):
        owner.post("/api/v1/batches", x_request_id=f"r-{number}")
    for number in range(3):
        mine = [line for line in all_lines(log) if line.get("correlation_id") == f"r-{number}"]
        assert [line["message"] for line in mine] == ["batch_started", "batch_completed", "request"]


@pytest.fixture
def server(api: Api, log: StringIO) -> Iterator[str]:  # noqa: ARG001
    """The address of the API behind a real uvicorn. Its thread logs to `log`, not between the tests."""
    with served(create_app(api)) as address:
        yield address


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    configuration = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(configuration)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listener.close()


HEADERS = {"authorization": f"Bearer {OPERATOR_KEY}", "content-type": "application/json"}


@pytest.mark.parametrize("megabytes", [2, 10])
def test_a_large_body_is_a_413_over_a_real_connection_whether_announced_or_not(server: str, megabytes: int) -> None:
    def in_parts() -> Iterator[bytes]:
        for _ in range(megabytes * 16):
            yield b"x" * 65_536

    announced = httpx.post(f"{server}/api/v1/trackings", content=b"x" * megabytes * 2**20, headers=HEADERS, timeout=30)
    chunked = httpx.post(f"{server}/api/v1/trackings", content=in_parts(), headers=HEADERS, timeout=30)
    for answer in (announced, chunked):
        assert answer.status_code == 413
        assert "1 MB" in str(error_of(answer)["message"])


def test_a_file_may_be_larger_than_other_bodies_but_not_without_end(server: str) -> None:
    path = f"{server}/api/v1/trackings/import"
    text = {**HEADERS, "content-type": "text/csv"}
    line = b"blog,x" + b" " * 360 + b",https://blog.naver.com/nj_lantern01/223400000101,,,\n"
    taken = httpx.post(path, content=b"rank_type,keyword,target_url\n" + line * 4_000, headers=text, timeout=30)
    assert taken.status_code == 202
    refused = httpx.post(path, content=b"rank_type,keyword,target_url\n" + line * 5_500, headers=text, timeout=30)
    assert refused.status_code == 413
    assert "2 MB" in str(error_of(refused)["message"])


def test_a_length_that_lies_does_not_get_a_large_body_in(server: str) -> None:
    host, port = server.removeprefix("http://").split(":")
    head = f"POST /api/v1/trackings HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {OPERATOR_KEY}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head.encode() + b"{}" + b"x" * 10)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 422")  # the two bytes that were announced


def test_a_body_that_does_not_come_is_a_408(server: str, monkeypatch: pytest.MonkeyPatch, owner: CallerClient) -> None:
    monkeypatch.setattr(frame, "BODY_SECONDS", 0.2)
    host, port = server.removeprefix("http://").split(":")
    head = f"POST /api/v1/trackings HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {owner.key}\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall((head + "Content-Length: 100\r\n\r\n{").encode())
        answer = connection.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 408")


def test_half_a_file_of_a_caller_who_went_away_is_not_imported(server: str, owner: CallerClient, log: StringIO) -> None:
    host, port = server.removeprefix("http://").split(":")
    head = f"POST /api/v1/trackings/import HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {owner.key}\r\n"
    file = "rank_type,keyword,target_url\nblog,x,https://blog.naver.com/nj_lantern01/223400000101\n"
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall((head + "Content-Length: 5000\r\n\r\n" + file).encode())
    deadline = monotonic() + 10
    while all(line["path"] == "/api/v1/keys" for line in lines_of(log, "request")):
        assert monotonic() < deadline, "the request never ended"
    assert owner.get("/api/v1/trackings").json()["items"] == []


def test_a_fault_in_the_middle_of_a_file_cuts_it_off_so_that_nobody_takes_it_for_whole(
    api: Api, owner: CallerClient, log: StringIO
) -> None:
    lines = "".join(f"blog,검색어,https://blog.naver.com/nj_lantern01/22340000{number:04}\n" for number in range(600))
    owner.imports(f"rank_type,keyword,target_url\n{lines}")
    pages = iter([True, False])

    def breaks_at_the_second_page(_rows: object) -> str:
        if next(pages):
            return "first\n"
        raise RuntimeError("a fault of our own")

    with pytest.MonkeyPatch.context() as patch, served(create_app(api)) as address:
        patch.setattr("functions.api.exports.tracking_lines", breaks_at_the_second_page)
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"{address}/api/v1/trackings?format=csv", headers={"authorization": f"Bearer {owner.key}"})
    assert "a fault of our own" in lines_of(log, "request_failed")[0]["exception"]


def test_json_in_answers_is_utf_8_and_readable(owner: CallerClient) -> None:
    answer = owner.post("/api/v1/trackings", a_registration(keyword="읽을 수 있는 말"))
    assert "읽을 수 있는 말" in answer.text
    assert json.loads(answer.content)["keyword"] == "읽을 수 있는 말"
