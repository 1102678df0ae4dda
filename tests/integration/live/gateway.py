"""The management API of a WebSocket API, as boto3 speaks to it: posts and ends connections, and fails when asked to."""

import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import unquote

from infra.local.addresses import LOOPBACK


class Gateway:
    """A server on loopback. `answers` maps a connection id to the status of its next answers; else 200."""

    def __init__(self) -> None:
        self.posted: dict[str, list[str]] = defaultdict(list)
        self.ended: list[str] = []
        self.answers: dict[str, list[int]] = {}
        self.tries: dict[str, int] = defaultdict(int)
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._answer(gateway._post(self._connection(), text))

            def do_DELETE(self) -> None:
                gateway.ended.append(self._connection())
                self._answer(204)

            def _connection(self) -> str:
                stage, _, connection = self.path.partition("/@connections/")
                assert stage == "/live"
                assert "AWS4-HMAC-SHA256" in self.headers["Authorization"]
                return unquote(connection)

            def _answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://{LOOPBACK}:{self._server.server_address[1]}/live"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _post(self, connection_id: str, text: str) -> int:
        self.tries[connection_id] += 1
        waiting = self.answers.get(connection_id, [])
        status = waiting.pop(0) if len(waiting) > 1 else (waiting or [200])[0]
        if status == 200:
            self.posted[connection_id].append(text)
        return status
