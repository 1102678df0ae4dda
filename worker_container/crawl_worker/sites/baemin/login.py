"""The login form: filled and sent once, then watched until two signs say how it ended."""

import asyncio
from datetime import timedelta
from http import HTTPStatus

from playwright.async_api import Error as PlaywrightError

from crawl_worker.engine.browser import BrowserPage
from crawl_worker.sites.baemin.popups import dismiss_popups
from crawl_worker.sites.baemin.screen import ID_FIELD, PASSWORD_FIELD, Screen, look
from crawl_worker.sites.baemin.settings import BaeminSettings
from crawl_worker.sites.baemin.traffic import Traffic
from crawl_worker.sites.baemin.verdicts import classify, is_owner_page, layout_changed, refused_login
from crawl_worker.sites.owner_site import Credentials, LoginOutcome, Outcome, RevealCredentials, failure

LOOK_SECONDS = 0.1
TYPING_MS = 5_000
CLICK_TRIES = 3
SILENCE_SECONDS = 5.0
"""A refusal without a word: so long after the answer the page would have said something."""

SUBMIT = f'form:has({PASSWORD_FIELD.split(",")[0]}) button[type="submit"], button[type="submit"]:has-text("로그인")'

OK = LoginOutcome(outcome=Outcome.OK)


class LoginForm:
    """The form of the page that is open."""

    def __init__(self, page: BrowserPage, site: BaeminSettings, traffic: Traffic) -> None:
        self._page = page
        self._site = site
        self._traffic = traffic
        self._answered_at: float | None = None

    async def send(self, reveal: RevealCredentials, *, patience: timedelta) -> LoginOutcome:
        """Fill the form, send it with one click, and wait for the end. Nothing of the credentials is in any error."""
        screen = await self._traffic.unless_leaving(look(self._page, self._traffic.status))
        challenge = classify(screen, self._site) if screen is not None else None
        if challenge is not None:
            return challenge  # before the password is typed
        await self._reach_button()
        credentials = await reveal()
        await self._type(ID_FIELD, credentials.login_id)
        await self._type(PASSWORD_FIELD, credentials.password)
        await self._click()
        return _without(credentials, await self._watch(patience))

    async def _reach_button(self) -> None:
        """Have nothing lie over the button. A trial click checks what a click would meet, and does not click."""
        for _ in range(CLICK_TRIES):
            await dismiss_popups(self._page)
            try:
                await self._page.locator(SUBMIT).first.click(trial=True, timeout=TYPING_MS / CLICK_TRIES)
            except PlaywrightError:
                continue
            return
        changed = layout_changed("the login form has no button that can be pressed")
        raise failure(changed.outcome, changed.message, surface="login_button")

    async def _type(self, field: str, text: str) -> None:
        try:
            await self._page.locator(field).first.fill(text, timeout=TYPING_MS)
        except PlaywrightError:
            failed = True  # the message of Playwright holds the text: it is left behind here
        else:
            failed = False
        if failed:
            raise failure(Outcome.UPSTREAM_ERROR, "the login form went away while it was filled in")

    async def _click(self) -> None:
        """Click once. If that fails it may still have been sent: it is not clicked again."""
        try:
            await self._page.locator(SUBMIT).first.click(timeout=TYPING_MS, no_wait_after=True)
        except PlaywrightError:
            failed = True
        else:
            failed = False
        if failed:
            raise failure(Outcome.TIMEOUT, "the button of the login form could not be pressed")

    async def _watch(self, patience: timedelta) -> LoginOutcome:
        until = asyncio.get_running_loop().time() + patience.total_seconds()
        while asyncio.get_running_loop().time() < until:
            screen = await self._traffic.unless_leaving(look(self._page, self._traffic.status))
            found = self._judged(screen) if screen is not None else self._judged_by_traffic()
            if found is not None:
                return found
            await asyncio.sleep(LOOK_SECONDS)
        return self._not_over()

    def _judged(self, screen: Screen) -> LoginOutcome | None:
        """How the login ended, as soon as it can be said."""
        post, site = self._traffic.login, self._site
        found = classify(screen, site)
        if found is not None and not (found.outcome in _CLOSED and post.is_accepted):
            return found
        if is_owner_page(screen, site) and (screen.has_navigation or screen.shops or post.is_accepted):
            return OK
        if screen.form and screen.alerts and post.is_sent and not post.failure:
            return refused_login(" ".join(screen.alerts), post.status)
        return self._judged_by_traffic() or self._refused_in_silence()

    def _judged_by_traffic(self) -> LoginOutcome | None:
        """What the requests alone say: accepted and sent on to the owner's pages, or broken off."""
        post, target = self._traffic.login, Screen(url=self._traffic.heading_to)
        if post.is_accepted and is_owner_page(target, self._site):
            return OK
        if post.failure:
            message = f"the connection broke while the password was sent ({post.failure})"
            return LoginOutcome(outcome=Outcome.UPSTREAM_ERROR, message=message, surface="cut")
        return None

    def _refused_in_silence(self) -> LoginOutcome | None:
        """A site that refuses and says nothing for a while has said all it will."""
        status = self._traffic.login.status
        if status is None or status < HTTPStatus.BAD_REQUEST:
            return None
        now = asyncio.get_running_loop().time()
        self._answered_at = self._answered_at or now
        return refused_login("", status) if now - self._answered_at > SILENCE_SECONDS else None

    def _not_over(self) -> LoginOutcome:
        if self._traffic.login.is_accepted:
            return layout_changed("the login was accepted, but did not lead to the owner's pages")
        message = "the site did not say in time whether the login was accepted"
        return LoginOutcome(outcome=Outcome.TIMEOUT, message=message, surface="login_silence")


_CLOSED = frozenset({Outcome.MAINTENANCE, Outcome.UPSTREAM_ERROR})
"""Screens behind the door: that they are shown says nothing about a login that was accepted."""


def _without(credentials: Credentials, outcome: LoginOutcome) -> LoginOutcome:
    """The outcome without the credentials, which a page may repeat in what it says."""
    message = outcome.message
    for secret in (credentials.password, credentials.login_id):
        message = message.replace(secret, "***") if secret else message
    return LoginOutcome(outcome=outcome.outcome, message=message, surface=outcome.surface)
