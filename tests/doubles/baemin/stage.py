"""The state of a running replica, and the one way from a request to an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.doubles.baemin.accounts import Account, default_accounts, ordinary_accounts
from tests.doubles.baemin.conduct import Conduct, SiteRules, Timing, changed
from tests.doubles.baemin.counters import Counters
from tests.doubles.baemin.exchange import Answer, Ask
from tests.doubles.baemin.freezer import Freezer
from tests.doubles.baemin.login_key import LoginKey
from tests.doubles.baemin.pages import api, member, owner
from tests.doubles.baemin.pages.frame import static
from tests.doubles.baemin.sessions import COOKIE, Session, Sessions, storage_state
from tests.doubles.baemin.signing import Signatures
from tests.doubles.baemin.truth import stores
from tests.doubles.control_port import Json
from tests.doubles.request_log import LoggedRequest, RequestLog
from tests.doubles.seeded import number

_ANSWERS: Final[dict[str, Callable[[Ask, Stage], Answer]]] = {
    "member": member.answer,
    "self": owner.answer,
    "api": api.answer,
}
_MOST_CREATED: Final = 2_000


@dataclass(slots=True, kw_only=True)
class Entry(LoggedRequest):
    """One request, with the account that it belongs to ("" where nobody knows), and whether it was frozen."""

    login_id: str
    frozen: bool = False


class Stage:
    """Everything that the control API can change. `urls` is filled in once the ports are known."""

    def __init__(self, seed: int, timing: Timing) -> None:
        self.seed = seed
        self.urls: dict[str, str] = {}
        self.key = LoginKey()
        self.signatures = Signatures()
        self.sessions = Sessions(seed)
        self.freezer = Freezer()
        self.counters = Counters()
        self.log = RequestLog(Entry)
        self._first_timing = timing
        self._draws = 0
        self.passwords: set[str] = set()
        self.start_over()

    def start_over(self) -> None:
        """Back to the start: accounts, ways, rules, waits, sessions, freezes, log and counters."""
        self.freezer.release()
        self.sessions.clear()
        self.forget_requests()
        self.accounts: dict[str, Account] = {one.login_id: one for one in default_accounts(self.seed)}
        self._note_passwords()
        self._conducts: dict[str, Conduct] = {}
        self._saved: dict[str, Session] = {}
        self._blocked: set[str] = set()
        self.rules = SiteRules()
        self.timing = self._first_timing
        for account in self.accounts.values():
            if account.saved_session:
                self._saved[account.login_id] = self.sessions.open(account.login_id)
                self._saved[account.login_id].valid = account.saved_session == "valid"

    def forget_requests(self) -> None:
        """Empties log and counters."""
        self.log.clear()
        self.counters.clear()

    def conduct(self, login_id: str) -> Conduct:
        """How an account behaves now. Raises KeyError for an unknown one."""
        return self._conducts.get(login_id, self.accounts[login_id].conduct)

    def set_conduct(self, login_id: str, given: Json) -> None:
        """Changes some ways of an account. Raises KeyError or ValueError for what is not known."""
        self._conducts[login_id] = changed(self.conduct(login_id), given)

    def create(self, prefix: str, count: int, shops: int) -> list[Json]:
        """Adds ordinary accounts. Raises ValueError for more than 2,000, or more than 900 shops."""
        if not (0 < count <= _MOST_CREATED and 0 <= shops <= 900):
            raise ValueError(f"at most {_MOST_CREATED} accounts with at most 900 shops, got {count} and {shops}")
        made = ordinary_accounts(self.seed, prefix, count, shops)
        self.accounts |= {one.login_id: one for one in made}
        self._note_passwords()
        return [self.describe(one) for one in made]

    def _note_passwords(self) -> None:
        for one in self.accounts.values():
            self.passwords |= {one.password, one.right_password}

    def describe(self, account: Account) -> Json:
        """What a test needs to know of an account: how to log in, how it must end, and what can be read."""
        saved = self._saved.get(account.login_id)
        return {
            "login_id": account.login_id,
            "password": account.password,
            "right_password": account.right_password,
            "expected_outcome": account.outcome,
            "expected_login_posts": account.login_posts,
            "storage_state": storage_state(saved) if saved else None,
            "owner_number": account.owner_number,
            "stores": stores(account, self.conduct(account.login_id)),
            "note": account.note,
        }

    def uses_up(self, session: Session) -> bool:
        """Counts a request of a session; whether its account is blocked now."""
        session.requests += 1
        limit = self.conduct(session.login_id).blocked_after
        if limit and session.requests > limit:
            self._blocked.add(session.login_id)
        return session.login_id in self._blocked

    def is_closed(self, login_id: str) -> bool:
        """Whether there is maintenance, for all or for the account."""
        return self.rules.maintenance or (bool(login_id) and self.conduct(login_id).maintenance)

    def is_unwanted(self, ask: Ask) -> bool:
        """Whether the rule about headers holds against a request."""
        return self.rules.bot_rule == "header" and self.rules.bot_header in ask.user_agent

    def draw(self, what: str, between: tuple[int, int]) -> int:
        """The next wait of a kind, in milliseconds: a function of the seed and of how many were drawn before."""
        self._draws += 1
        least, most = between
        return least + number(self.seed, what, self._draws) % (max(most - least, 0) + 1)

    def whose(self, ask: Ask) -> str:
        """The account behind a request: that of its session, or of its login post; "" where nobody knows."""
        session = self.sessions.find(ask.cookies.get(COOKIE, ""))
        return session.login_id if session else member.login_id(ask, self)

    def note_login_post(self, ask: Ask) -> None:
        """Counts a login post as it arrives: one that hangs or is broken off has reached the site all the same."""
        if member.is_login_post(ask):
            self.counters.count("login_posts", member.login_id(ask, self))

    def respond(self, ask: Ask) -> Answer:
        """The answer to a request."""
        found = static(ask.path)
        return Answer(reply=found) if found is not None else _ANSWERS[ask.site](ask, self)
