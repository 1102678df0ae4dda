"""What a host asks of crawlers: robots.txt by RFC 9309."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from protego import Protego
from yarl import URL

from crawl_worker.engine.fetched import FetchedPage
from crawl_worker.engine.web_client import WebClient
from nightjar.errors import ErrorCode, GiveUp, RetryLater

PRODUCT_TOKEN = "Nightjar"  # noqa: S105  # a name, no secret
"""Our name in robots.txt. Groups for it come before those for `*`."""

MAX_BYTES = 500 * 1024
"""What RFC 9309 wants read at least; the rest is ignored, as Google does."""

MAX_REDIRECTS = 5
"""RFC 9309, 2.3.1.2."""

LONGEST_DELAY = timedelta(days=1)
"""Of a Crawl-delay: more is taken for a slip of the pen, and would overflow a clock."""

MAX_SITEMAPS = 1000

# "User-agent: Nightjar/1.0" names the product Nightjar (RFC 9309, 2.2.1); the parser compares the whole value.
_VERSION = re.compile(r"^(\s*user-?agent\s*:\s*[\w-]+)/[^\s#]*", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RobotsRules:
    """What one origin allows us. `status` and `text` are all that is needed to make them again."""

    status: int
    text: str
    crawl_delay: timedelta | None
    sitemaps: tuple[str, ...]
    """As written: absolute URLs by the rules, anything in practice."""

    _parsed: Protego | None = field(repr=False, compare=False)

    @classmethod
    def of_answer(cls, status: int, body: bytes | str) -> Self:
        """The rules that an answer means: 2xx its text, 429 and 5xx a host to leave alone, all else no rules.

        A redirect that is left is one too many: then there is no robots.txt (RFC 9309, 2.3.1.2).

        Raises:
            RetryLater: the host cannot say now (2.3.1.4): nothing may be fetched until it can.
        """
        if status == 429 or status >= 500:  # noqa: PLR2004  # 429 asks for fewer requests, not for more
            raise RetryLater(ErrorCode.UPSTREAM_ERROR, f"robots.txt cannot be had: the host answers {status}")
        text = _text(body) if 200 <= status < 300 else ""  # noqa: PLR2004
        if not text.strip():
            return cls(status, text, None, (), None)
        parsed = Protego.parse(_VERSION.sub(r"\1", text))
        return cls(status, text, _delay(parsed), tuple(dict.fromkeys(parsed.sitemaps))[:MAX_SITEMAPS], parsed)

    def allows(self, url: str) -> bool:
        """Whether we may fetch a URL of the origin."""
        return self._parsed is None or self._parsed.can_fetch(url, PRODUCT_TOKEN)


async def fetch_robots(client: WebClient, origin: str, user_agent: str) -> RobotsRules:
    """Ask an origin (scheme://host:port) for its rules, over up to five redirects, each judged by the egress rule.

    Raises:
        GiveUp: no connection can be made, now or later: the egress rule or its certificate speaks against the origin.
        RetryLater: the host cannot be asked, or cannot say: nothing may be fetched until it can.
    """
    url = str(URL(origin).join(URL("/robots.txt")))
    answer = await _ask(client, url, user_agent)
    for _ in range(MAX_REDIRECTS):
        onward = _target(answer)
        if onward is None:
            break
        try:
            answer = await _ask(client, onward, user_agent)
        except GiveUp as failure:
            raise RetryLater(failure.code, f"{url} leads to {failure.message}") from failure
    return RobotsRules.of_answer(answer.status, answer.body)


async def _ask(client: WebClient, url: str, user_agent: str) -> FetchedPage:
    try:
        return await client.fetch(url, user_agent=user_agent)
    except GiveUp as failure:
        if failure.code is not ErrorCode.TOO_LARGE:
            raise
        raise RetryLater(failure.code, f"robots.txt cannot be had: {failure.message}") from failure


def _target(answer: FetchedPage) -> str | None:
    place = answer.header("Location")
    if answer.status not in {301, 302, 303, 307, 308} or not place:
        return None
    try:
        return str(URL(answer.url).join(URL(place)))
    except ValueError:
        return None


def _text(body: bytes | str) -> str:
    """UTF-8 by the standard; no NUL, which text in Postgres cannot hold."""
    text = body if isinstance(body, str) else body[:MAX_BYTES].decode("utf-8-sig", errors="replace")
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _delay(parsed: Protego) -> timedelta | None:
    seconds = parsed.crawl_delay(PRODUCT_TOKEN)
    return None if seconds is None else min(timedelta(seconds=min(seconds, 1e9)), LONGEST_DELAY)
