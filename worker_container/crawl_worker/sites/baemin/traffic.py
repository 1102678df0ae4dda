"""What the page itself sends and is answered. Nothing is sent from here: the site refuses calls but of its own pages.

Bodies are read the moment they arrive: they are gone once the page has moved on.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Request, Response

from crawl_worker.sites.baemin.answers import Answer
from crawl_worker.sites.baemin.settings import BaeminSettings
from crawl_worker.sites.baemin.verdicts import blocked_answer
from crawl_worker.sites.owner_site import Outcome, failure

T = TypeVar("T")

LOGIN_PATH = "/v1/login"

BODY_SECONDS = 15
"""For the body of an answer, once its head is here."""


@dataclass(slots=True)
class LoginPost:
    """The one request that carries the password: whether it was seen, and how it was answered."""

    is_sent: bool = False
    status: int | None = None
    failure: str = ""

    @property
    def is_accepted(self) -> bool:
        """Whether the site answered with success."""
        return self.status is not None and self.status < HTTPStatus.MULTIPLE_CHOICES


class Traffic:
    """Listens to one page, from before its first document until it is closed."""

    def __init__(self, page: Page, site: BaeminSettings) -> None:
        self._page = page
        self._site = site
        self._on_their_way: set[Request] = set()
        self._reading: set[asyncio.Task[None]] = set()
        self._last_event = 0.0
        self._leaving = asyncio.Event()
        self._refusal = 0
        self.answers: list[Answer] = []
        self.login = LoginPost()
        self.status: int | None = None
        self.heading_to = ""
        self.document_failure = ""
        page.on("request", self._asked)
        page.on("response", self._answered)
        page.on("requestfailed", self._failed)
        page.on("requestfinished", self._finished)
        page.on("framenavigated", lambda frame: self._arrived() if frame == page.main_frame else None)

    @property
    def still_for(self) -> float:
        """Seconds since the last call of the page began or ended; 0 while one is on its way."""
        if self._on_their_way or self._reading:
            return 0.0
        return asyncio.get_running_loop().time() - self._last_event

    async def unless_leaving(self, work: Coroutine[Any, Any, T]) -> T | None:
        """What a look at the page brings, or None while another document is on its way.

        Chromium holds everything back that is asked of a page once it has begun to go elsewhere, until it is there.
        """
        if self._leaving.is_set():
            work.close()
            return None
        looking = asyncio.ensure_future(work)
        leaving = asyncio.ensure_future(self._leaving.wait())
        try:
            await asyncio.wait({looking, leaving}, return_when=asyncio.FIRST_COMPLETED)
            return looking.result() if looking.done() else None
        finally:
            looking.cancel()
            leaving.cancel()

    def forget(self) -> None:
        """Begin anew: what was answered before belongs to another page."""
        self.answers.clear()
        self._refusal = 0
        self._on_their_way.clear()
        self.document_failure = ""
        self._last_event = asyncio.get_running_loop().time()

    def find(self, wanted: Callable[[Answer], bool]) -> Answer | None:
        """The last answer of this kind."""
        return next((answer for answer in reversed(self.answers) if wanted(answer)), None)

    def refuse_answers(self) -> None:
        """Raise what the answers mean for the whole crawl.

        Raises:
            Blocked: the service answers 403 with a page, or counts our calls (429).
            SessionExpired: 401.
        """
        if self._refusal == HTTPStatus.UNAUTHORIZED:
            raise failure(Outcome.SESSION_EXPIRED, "the session ended while the stores were read", surface="401")
        if self._refusal:
            raise blocked_answer(self._refusal)

    # --- events ---------------------------------------------------------------------------------------------------

    def _asked(self, request: Request) -> None:
        if self._is_document(request):
            self.heading_to = request.url
            self.document_failure = ""
            self._leaving.set()
        elif self._is_login(request):
            self.login.is_sent = True
        elif self._is_call(request):
            self._on_their_way.add(request)
            self._note()

    def _answered(self, response: Response) -> None:
        request = response.request
        if self._is_document(request):
            is_redirect = HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST
            self.status = self.status if is_redirect else response.status
        elif self._is_login(request):
            self.login.status = response.status
        elif self._is_call(request):
            self._refusal = self._refusal or _refusal_in(response)
            reading = asyncio.get_running_loop().create_task(self._read(response))
            self._reading.add(reading)
            reading.add_done_callback(self._reading.discard)

    def _failed(self, request: Request) -> None:
        cause = request.failure or "no reason given"
        if self._is_document(request):
            if "ERR_ABORTED" not in cause:
                self.document_failure = cause
            if request.url == self.heading_to:
                self._arrived()
        elif self._is_login(request) and self.login.status is None:
            self.login.failure = cause
        elif request in self._on_their_way and "ERR_ABORTED" not in cause:
            self._keep(request.url, 0, None)
        self._finished(request)

    def _finished(self, request: Request) -> None:
        if request in self._on_their_way:
            self._on_their_way.discard(request)
            self._note()

    def _arrived(self) -> None:
        self.heading_to = ""
        self._leaving.clear()
        self._note()

    async def _read(self, response: Response) -> None:
        document: object = None
        # No JSON, broken off, or the page has moved on: the status stands for itself.
        with suppress(PlaywrightError, ValueError, TimeoutError):
            async with asyncio.timeout(BODY_SECONDS):
                document = json.loads(await response.text())
        self._keep(response.url, response.status, document)

    def _keep(self, url: str, status: int, document: object) -> None:
        parts = urlsplit(url)
        self.answers.append(
            Answer(path=parts.path, query=tuple(parse_qsl(parts.query)), status=status, document=document)
        )
        self._note()

    def _note(self) -> None:
        self._last_event = asyncio.get_running_loop().time()

    def _is_document(self, request: Request) -> bool:
        try:
            return request.is_navigation_request() and request.frame == self._page.main_frame
        except PlaywrightError:  # the frame of a request may be gone, or not there yet
            return False

    def _is_call(self, request: Request) -> bool:
        return request.url.startswith(f"{self._site.api_url}/") and request.method != "OPTIONS"

    def _is_login(self, request: Request) -> bool:
        address = request.url.split("?")[0]
        return request.method == "POST" and address == f"{self._site.member_url}{LOGIN_PATH}"


def _refusal_in(response: Response) -> int:
    """The status of an answer that concerns the whole crawl, else 0. Its body may be gone before it is read."""
    is_page = "json" not in response.headers.get("content-type", "")
    if response.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}:
        return response.status
    return response.status if response.status == HTTPStatus.FORBIDDEN and is_page else 0
