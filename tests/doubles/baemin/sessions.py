"""Sessions: cookies that a login gives, and how they end. Names and life of the cookies are invented."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from tests.doubles.control_port import Json
from tests.doubles.seeded import token

COOKIE: Final = "replica_session"
LIFE_SECONDS: Final = 7200
_TOKEN_LENGTH: Final = 40


@dataclass(slots=True)
class Session:
    """A login of an account: how much it was used, and whether it still holds."""

    token: str
    login_id: str
    api_calls: int = 0
    requests: int = 0
    valid: bool = True


class Sessions:
    """All sessions. Tokens are a function of the seed and of the order of logins."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._sessions: dict[str, Session] = {}
        self._given_out: list[str] = []

    def open(self, login_id: str) -> Session:
        """A new session of an account."""
        session = Session(token(_TOKEN_LENGTH, self._seed, "session", login_id, len(self._given_out)), login_id)
        self._sessions[session.token] = session
        self._given_out.append(session.token)
        return session

    def find(self, value: str) -> Session | None:
        """The session of a cookie while it holds."""
        found = self._sessions.get(value)
        return found if found is not None and found.valid else None

    def invalidate(self, login_id: str = "") -> int:
        """Ends the sessions of an account, or all; how many ended."""
        ending = [one for one in self._sessions.values() if one.valid and login_id in ("", one.login_id)]
        for session in ending:
            session.valid = False
        return len(ending)

    def clear(self) -> None:
        """Forgets all sessions; none of their cookies holds any more. The numbering goes on: no token comes twice."""
        self._sessions.clear()

    def tokens(self) -> list[str]:
        """Every cookie value that was ever given out."""
        return list(self._given_out)


def cookie_header(session: Session) -> str:
    """The Set-Cookie value of a session. Cookies are shared by all ports of a host, as on the parent domain."""
    return f"{COOKIE}={session.token}; Path=/; Max-Age={LIFE_SECONDS}; HttpOnly; SameSite=Lax"


def storage_state(session: Session) -> Json:
    """The session as a browser context saves it."""
    cookie = {
        "name": COOKIE,
        "value": session.token,
        "domain": "127.0.0.1",
        "path": "/",
        "expires": int(time.time()) + LIFE_SECONDS,
        "httpOnly": True,
        "secure": False,
        "sameSite": "Lax",
    }
    return {"cookies": [cookie], "origins": []}
