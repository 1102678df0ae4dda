"""The engine's HTTP client for sites that we know: any method, the answer as text."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from json import dumps

from yarl import URL

from crawl_worker.engine.charset import text_of
from crawl_worker.engine.connections import Connections
from crawl_worker.engine.egress import EgressRule, Lookup
from crawl_worker.engine.settings import EngineSettings


@dataclass(frozen=True, slots=True)
class Response:
    """An answer that was read to its end. `headers` are looked up without regard to case; a 3xx is an answer too."""

    url: str
    status: int
    headers: Mapping[str, str]
    text: str


class HttpClient:
    """One a worker process and egress rule; opened in the running loop by the first request."""

    def __init__(self, settings: EngineSettings, rule: EgressRule, *, lookup: Lookup | None = None) -> None:
        self.rule = rule
        self._settings = settings
        self._connections = Connections(settings, rule, lookup=lookup)

    @property
    def timeout(self) -> timedelta:
        """The longest that one request may take."""
        return self._settings.timeout

    async def send(
        self, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, json: object = None
    ) -> Response:
        """Send one request, once, and read the whole answer.

        `headers` name at least the user agent of the task.

        Raises:
            GiveUp: the egress rule refuses the address, or the answer is too large.
            RetryLater: the time is up, or the connection failed.
        """
        self.rule.check_url(url)
        said = dict(headers or {})
        body = b""
        if json is not None:
            body = dumps(json).encode()
            said["Content-Type"] = "application/json"
        target = URL(url)
        answer = await self._connections.exchange(target, self._connections.head(said), method=method, body=body)
        text = text_of(answer.body, answer.headers.get("Content-Type", ""))
        return Response(str(target), answer.status, answer.headers, text)

    async def close(self) -> None:
        """Close all connections. The client opens anew if it is used again."""
        await self._connections.close()
