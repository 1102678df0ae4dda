"""What a place list's own script asks its data service (GraphQL), and what it is answered."""

import json

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Request
from playwright.async_api import Response as BrowserResponse

from crawl_worker.engine.http import Response
from nightjar.errors import ErrorCode, RetryLater

_DATA_PATH = "/graphql"


class DataTraffic:
    """Listens to one page. Nothing is sent by it: the calls are the page's own."""

    def __init__(self) -> None:
        self.on_their_way: set[Request] = set()
        self.redirect: Response | None = None
        self._replies: list[BrowserResponse] = []
        self._failure = ""

    def watch(self, page: Page) -> None:
        """Begin to listen, before the page navigates."""
        page.on("request", self._asked)
        page.on("response", self._answered)
        page.on("requestfailed", self._failed)

    async def arrived(self) -> list[tuple[int | None, Response]]:
        """The replies since the last call, each with the row number that was asked for, where that is told.

        Raises:
            RetryLater: a call failed: what it would have brought is missing.
        """
        if self._failure:
            message = f"the place list could not load further rows ({self._failure}); a partial list is no reading"
            raise RetryLater(ErrorCode.UPSTREAM_ERROR, message)
        replies, self._replies = self._replies, []
        arrived = [(start_of(reply.request), await as_ours(reply)) for reply in replies]
        self.on_their_way.difference_update(reply.request for reply in replies)
        return arrived

    def _asked(self, request: Request) -> None:
        if _is_for_data(request):
            self.on_their_way.add(request)

    def _answered(self, response: BrowserResponse) -> None:
        if _is_for_data(response.request):
            self._replies.append(response)
        elif response.request.is_navigation_request() and "location" in response.headers:
            self.redirect = Response(response.url, response.status, _headers(response), "")

    def _failed(self, request: Request) -> None:
        if _is_for_data(request):
            self.on_their_way.discard(request)
            self._failure = request.failure or "no reason given"


async def as_ours(response: BrowserResponse) -> Response:
    """A response of the browser as the judges know responses.

    Raises:
        RetryLater: its body did not come.
    """
    try:
        text = await response.text()
    except (PlaywrightError, UnicodeDecodeError) as error:
        message = f"{response.url} broke off ({type(error).__name__}); a part is no reading"
        raise RetryLater(ErrorCode.UPSTREAM_ERROR, message) from error
    return Response(response.url, response.status, _headers(response), text)


def start_of(request: Request) -> int | None:
    """The `start` that a call asks for, or None where it cannot be read."""
    try:
        document = json.loads(request.post_data or "")
        operation = document[0] if isinstance(document, list) else document
        start = operation["variables"]["input"]["start"]
    except (ValueError, LookupError, TypeError):
        return None
    return start if isinstance(start, int) else None


def _is_for_data(request: Request) -> bool:
    return request.method == "POST" and request.url.split("?")[0].endswith(_DATA_PATH)


def _headers(response: BrowserResponse) -> dict[str, str]:
    """With the names as the judges write them; the browser gives all of them in lower case."""
    return {name.title(): value for name, value in response.headers.items()}
