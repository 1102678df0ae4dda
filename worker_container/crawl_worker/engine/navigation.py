"""What Chromium tells of one navigation: its documents, its requests, and why it failed."""

import asyncio
from dataclasses import dataclass, field

from yarl import URL

from crawl_worker.engine.browser_errors import crashed, meaning_of
from crawl_worker.engine.cdp import Answer
from crawl_worker.engine.egress_proxy import Door
from nightjar.errors import ErrorCode, GiveUp, TaskFailure

_NOT_AWAITED = frozenset({"Image", "Font", "Media", "Ping", "EventSource", "WebSocket", "Prefetch", "Manifest"})
"""Kinds of request that no text depends on, or that end with the page."""

_NOT_COUNTED = frozenset({"Document", "Image", "Font", "Media", "Ping"})

_BY_SCRIPT = frozenset({"XHR", "Fetch"})

_OUR_OWN_DOING = frozenset({"net::ERR_ABORTED", "net::ERR_HTTP_RESPONSE_CODE_FAILURE"})
"""Another navigation took its place; or an error status without a body, which is an answer."""

SOON_SECONDS = 1
"""A page that announces to go elsewhere within this time is followed."""

_ANNOUNCED = "announced"


@dataclass(slots=True)
class Navigation:
    """From the command to go somewhere to the reading; fed with the events of its page."""

    url: str
    main_frame: str
    door: Door
    max_requests: int
    max_bytes: int
    failed: asyncio.Future[None]
    """Ends with the failure of the page, never with a result."""

    document: str = ""
    """Chromium's name (loader id) of the document that is shown; empty while it is the one before."""

    parsed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while the document shown is there to its end."""

    quiet: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while nothing is under way that the text may depend on."""

    responses: dict[str, Answer] = field(default_factory=dict)
    """Of documents, by loader id."""

    by_script: int = 0
    """Requests that scripts made."""

    _address: str = ""
    _asked: str = ""
    """The latest request for the document itself; those of its frames may fail as they like."""

    _counted: int = 0
    _bytes: int = 0
    _under_way: set[str] = field(default_factory=set)

    def hear(self, event: str, told: Answer) -> None:
        """Take in one event."""
        match event:
            case "Network.requestWillBeSent":
                self._on_request(told)
            case "Network.responseReceived":
                self._on_response(told)
            case "Network.dataReceived" if told["requestId"] in self.responses:
                self._on_document_data(told["dataLength"])
            case "Network.loadingFinished":
                self._end(told["requestId"])
            case "Network.loadingFailed":
                self._on_failed_request(told)
            case "Page.frameNavigated":
                self._on_shown(told)
            case "Page.domContentEventFired" if self.document:
                self.parsed.set()
            case "Page.frameScheduledNavigation":
                self._on_announced(told)
            case "Inspector.targetCrashed":
                self.fail(crashed(self.url))

    def cause(self, fault: str) -> TaskFailure:
        """Our error for a document that did not load: what the egress proxy knows, else what Chromium says."""
        address = URL(self._address or self.url)
        return self.door.failure(address.host or "", address.port or 0) or meaning_of(fault, str(address))

    def too_large(self) -> GiveUp:
        """The error of a document with more than `max_bytes`, as it comes or as scripts make it."""
        message = f"{self.url} has more than {self.max_bytes:,} bytes"
        return GiveUp(ErrorCode.TOO_LARGE, message, details={"url": self.url})

    def fail(self, failure: TaskFailure) -> None:
        """End the navigation."""
        if not self.failed.done():
            self.failed.set_exception(failure)

    # --- events ---------------------------------------------------------------------------------------------------

    def _on_request(self, told: Answer) -> None:
        kind = told.get("type", "Other")
        if kind == "Document" and told.get("frameId") == self.main_frame:
            self._address, self._counted = told["request"]["url"], 0
            self._asked = told["requestId"]
            self._begin(self._asked)
        elif self.document:  # earlier it belongs to the page before
            self._counted += kind not in _NOT_COUNTED
            if self._counted > self.max_requests:
                self.fail(self._greedy())
            self.by_script += kind in _BY_SCRIPT or (kind == "Script" and self.parsed.is_set())
            if kind not in _NOT_AWAITED:
                self._begin(told["requestId"])

    def _on_response(self, told: Answer) -> None:
        if told.get("type") == "Document" and told.get("frameId") == self.main_frame:
            self.responses[told["requestId"]] = told["response"]
            self._bytes = 0

    def _on_document_data(self, count: int) -> None:
        self._bytes += count
        if self._bytes > self.max_bytes:
            self.fail(self.too_large())

    def _on_failed_request(self, told: Answer) -> None:
        request = told["requestId"]
        is_ours = request == self._asked and request in self._under_way
        self._end(request)
        fault = told.get("errorText", "")
        if is_ours and fault not in _OUR_OWN_DOING:
            self.fail(self.cause(fault))

    def _on_shown(self, told: Answer) -> None:
        frame = told["frame"]
        if frame["id"] != self.main_frame:
            return
        self.document = frame["loaderId"]
        self.parsed.clear()
        self._under_way &= {self.document}
        self._look()

    def _on_announced(self, told: Answer) -> None:
        if told["frameId"] == self.main_frame and self.document and told["delay"] <= SOON_SECONDS:
            self._begin(_ANNOUNCED)

    # --- what is under way ----------------------------------------------------------------------------------------

    def _begin(self, request: str) -> None:
        self._under_way.add(request)
        self._look()

    def _end(self, request: str) -> None:
        self._under_way.discard(request)
        self._look()

    def _look(self) -> None:
        if self._under_way:
            self.quiet.clear()
        else:
            self.quiet.set()

    def _greedy(self) -> GiveUp:
        message = f"{self.url} asks for more than {self.max_requests} sub-resources"
        return GiveUp(ErrorCode.TOO_LARGE, message, details={"url": self.url})
