"""How a site is asked: politely, one request at a time to a host, each answer judged before the next may be sent."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

from crawl_worker.engine.browser import Browser, BrowserPage, BrowserProfile
from crawl_worker.engine.http import HttpClient, Response
from crawl_worker.engine.politeness import HostGate, host_of
from nightjar.errors import ErrorCode, RetryLater

T = TypeVar("T")

JUDGING = timedelta(seconds=10)
"""What judging an answer may take beyond the time of the request."""

CLOSING = timedelta(seconds=5)
"""What may pass between the end of a budget and the release of the host: a page is closed, or its browser killed."""


class PoliteFetcher:
    """Requests and visits of one task: they share its user agent, the egress rule of its site, and the gate of all."""

    def __init__(self, gate: HostGate, http: HttpClient, browser: Browser, *, profile: BrowserProfile) -> None:
        self._gate = gate
        self._http = http
        self._browser = browser
        self._profile = profile

    async def fetch(
        self,
        url: str,
        judge: Callable[[Response], T],
        *,
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
        json: object = None,
    ) -> T:
        """Send one request when the host's slot comes, and return what `judge` makes of the answer.

        `judge` runs in a thread, inside the hold: when it raises Blocked, the cool-down begins before anybody else can
        send. Redirects are not followed; a 3xx is an answer to judge. `headers` win over the profile's user agent.

        Raises:
            HostBusy: the host has no free slot soon; nothing was sent.
            GiveUp, RetryLater: as `HttpClient.send`.
            Everything that `judge` raises.
        """
        self._http.rule.check_url(url)
        budget = self._http.timeout + JUDGING
        sent = {"User-Agent": self._profile.user_agent} | dict(headers or {})
        async with self._gate.hold(host_of(url), budget=budget + CLOSING), within(budget, url):
            response = await self._http.send(url, method=method, headers=sent, json=json)
            return await asyncio.to_thread(judge, response)

    async def browse(
        self,
        url: str,
        visit: Callable[[BrowserPage], Awaitable[T]],
        *,
        budget: timedelta,
        profile: BrowserProfile | None = None,
        calls: Sequence[str] = (),
    ) -> T:
        """Give `visit` a fresh page when the slot of the URL's host comes, and return what it returns.

        `visit` navigates and reads; the hold covers the whole visit, so it judges what it sees and raises Blocked
        itself. Playwright's errors leave as ours. `budget` bounds the visit and lies within the limit of the task.
        `calls` are addresses that the page's own script is known to ask: while a host of theirs cools down, nobody
        visits the page.

        Raises:
            HostBusy: the host has no free slot soon, or one of `calls` is cooling down; no page was opened.
            RetryLater: the time is up, the connection failed, or Chromium died.
            GiveUp: the egress rule refuses the address.
            Everything of ours that `visit` raises.
        """
        self._http.rule.check_url(url)
        async with self._gate.hold(host_of(url), budget=budget + CLOSING), within(budget, url):
            for called in calls:
                await self._gate.refuse_cooling(host_of(called))
            async with self._browser.page(profile or self._profile, self._http.rule) as page:
                return await visit(page)


@asynccontextmanager
async def within(budget: timedelta, url: str) -> AsyncIterator[None]:
    """Turn the end of a budget, and time-outs that the work itself sets, into our error."""
    limit = asyncio.timeout(budget.total_seconds())
    try:
        async with limit:
            yield
    except TimeoutError as error:
        over = f"took longer than its budget of {budget.total_seconds():g} s"
        message = f"{url} {over if limit.expired() else 'was not ready in time'}"
        raise RetryLater(ErrorCode.TIMEOUT, message, details={"url": url}) from error
