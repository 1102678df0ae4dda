"""What a crawl keeps of an account outside the browser: its session, the ledger of logins, a picture of a refusal."""

import asyncio
import json
from datetime import UTC, datetime

from playwright.async_api import Error as PlaywrightError

from crawl_worker.engine.browser import BrowserPage, SavedState
from crawl_worker.engine.store import Store
from crawl_worker.sites.owner_site import Credentials, OwnerVisit
from nightjar.application import store_crawling
from nightjar.application.accounts import save_session
from nightjar.database.engine import Transactions
from nightjar.domain.account import Account, LoginAttempt, LoginOutcome
from nightjar.domain.task import Claim
from nightjar.errors import ErrorCode, GiveUp, RetryLater, TaskFailure
from nightjar.observability import logger
from nightjar.ports import Archive, ArchiveUnavailable, SecretStore, SecretsUnavailable

PICTURED = frozenset({ErrorCode.BLOCKED, ErrorCode.ACTION_REQUIRED, ErrorCode.LAYOUT_CHANGED})
"""Outcomes of which a person wants to see the page."""

SESSION_SECONDS = 10
"""For reading cookies and local storage: a page that hangs may hold that back."""

log = logger(__name__)


class AccountKeeping:
    """For one attempt. `open_login` is a login whose end is yet to be written; `evidence` names a picture."""

    def __init__(self, store: Store, secrets: SecretStore, archive: Archive, claim: Claim, account: Account) -> None:
        self._store = store
        self._secrets = secrets
        self._archive = archive
        self._claim = claim
        self._account = account
        self.open_login: LoginAttempt | None = None
        self.evidence = ""

    async def saved_session(self) -> SavedState | None:
        """The cookies of an earlier crawl. What cannot be read is no session: a login is the way out."""
        text = await self._secret("session")
        try:
            state = json.loads(text) if text else None
        except ValueError:
            return None
        return state if isinstance(state, dict) and "cookies" in state else None  # type: ignore[return-value]  # JSON

    async def save_session(self, page: BrowserPage) -> None:
        """Keep the cookies of the page's context, for the next crawl."""
        try:
            async with asyncio.timeout(SESSION_SECONDS):
                state = await page.context.storage_state()
        except (TimeoutError, PlaywrightError) as error:
            log.warning("session_not_saved", cause=type(error).__name__)
            return
        try:
            await self._store.spanning(lambda transactions: self._save_session(transactions, json.dumps(state)))
        except SecretsUnavailable as error:
            log.warning("session_not_saved", cause=error.message)

    def _save_session(self, transactions: Transactions, state: str) -> None:
        """In one piece in the writer's thread: a deletion of the account cuts the crawl off, but not this."""
        save_session(transactions, self._secrets, self._account.id, state)

    async def forget_session(self) -> None:
        """The session is dead: do not try it again."""
        try:
            await asyncio.to_thread(self._secrets.delete, self._name("session"))
        except SecretsUnavailable as error:
            log.warning("session_not_forgotten", cause=error.message)

    async def reveal(self) -> Credentials:
        """Write down that a login follows, commit that, then open the credentials.

        Raises:
            AccountRefused: there must not be a login now.
            GiveUp: there are no credentials.
            RetryLater: the secret store does not answer.
        """
        claim, account = self._claim, self._account
        self.open_login = await self._store.run(lambda uow: store_crawling.begin_login(uow, claim, account))
        log.info("login_begun", account_id=str(account.id), credentials_version=self.open_login.credentials_version)
        try:
            credentials = _credentials(await self._secret("credentials"))
        except TaskFailure:
            await self._end_login(LoginOutcome.FAILED)  # nothing was sent
            raise
        return credentials

    async def login_succeeded(self) -> None:
        """Write down that the login that was begun led to a session."""
        await self._end_login(LoginOutcome.OK)

    async def keep_evidence(self, visit: OwnerVisit, fault: TaskFailure) -> None:
        """Keep a picture of the page that the owner or a developer has to see. Its loss changes nothing."""
        if fault.code not in PICTURED or isinstance(fault, store_crawling.AccountRefused):
            return
        picture = await visit.evidence()
        if picture is None:
            log.warning("no_evidence", cause="the page does not let itself be emptied and pictured")
            return
        name = f"evidence/{datetime.now(UTC):%Y-%m-%d}/{self._claim.task_id}-{self._claim.attempt}-{fault.code}.png"
        try:
            await asyncio.to_thread(self._archive.put, name, picture, "image/png")
            self.evidence = name
        except ArchiveUnavailable as error:
            log.warning("no_evidence", cause=error.message)

    async def _end_login(self, outcome: LoginOutcome) -> None:
        attempt, self.open_login = self.open_login, None
        if attempt is not None:
            attempt_id = attempt.id
            await self._store.run(lambda uow: uow.accounts.end_login(attempt_id, outcome))

    async def _secret(self, kind: str) -> str | None:
        try:
            return await asyncio.to_thread(self._secrets.get, self._name(kind))
        except SecretsUnavailable as error:
            raise RetryLater(ErrorCode.UPSTREAM_ERROR, error.message) from error

    def _name(self, kind: str) -> str:
        return f"accounts/{self._account.id}/{kind}"


def _credentials(text: str | None) -> Credentials:
    """From what the secret store holds. Nothing of it is in the error, not even as its cause."""
    try:
        given = json.loads(text or "{}")
        return Credentials(login_id=str(given["login_id"]), password=str(given["password"]))
    except (ValueError, LookupError, TypeError):
        pass
    raise GiveUp(ErrorCode.ACTION_REQUIRED, "there are no credentials for this account; give them again")
