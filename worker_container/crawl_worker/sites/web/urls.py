"""URLs of a site crawl: one spelling each (WHATWG), one hash, one host, and what belongs to a crawl."""

import hashlib
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from urllib.parse import urlsplit
from uuid import UUID

import ada_url
from publicsuffixlist import PublicSuffixList

from nightjar.domain.site_crawl import Scope
from nightjar.errors import Invalid

MAX_URL_LENGTH = 2_000
"""Characters. Longer ones are not written by people: they grow in traps."""

_WEB_PORTS = {"http": 80, "https": 443}

# What campaigns and sessions add to a URL. They change nothing about the page, and each visitor gets another one.
_NOISE = re.compile(
    r"(?:utm_[a-z_]+|gclid|gclsrc|dclid|fbclid|msclkid|yclid|igshid|mc_cid|mc_eid|_ga|n_media|n_query|n_rank"
    r"|phpsessid|jsessionid|aspsessionid[a-z]*|cfid|cftoken)",
    re.IGNORECASE,
)
_SESSION = re.compile(r"(?:s|sid|sess|session|sessionid|session_id|token)=[0-9a-f]{16,64}", re.IGNORECASE)
_SESSION_IN_PATH = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/?#;]*", re.IGNORECASE)

# A path that WHATWG leaves as it is. Most links look like this, and need not be taken apart.
_PLAIN_PATH = re.compile(r"/(?:[A-Za-z0-9_~-][A-Za-z0-9_.~-]*/)*(?:[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)?")

_NUMBERS = re.compile(r"[0-9a-f]{16,}|\d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class WebUrl:
    """A normalised URL without its fragment; `host` is host:port, also where the port is the default one."""

    text: str
    host: str
    origin: str

    @property
    def hash(self) -> UUID:
        """128 bits that stand for the URL."""
        return hash_of(self.text)


def hash_of(url: str) -> UUID:
    """128 bits that stand for a normalised URL."""
    return UUID(bytes=hashlib.blake2b(url.encode(), digest_size=16).digest())


def spelled(href: str, base: str) -> str | None:
    """A link as WHATWG spells it, without fragment and without what campaigns and sessions add; None if it is no URL.

    Links with other schemes than http and https are no links of a crawl: None as well. `base` is spelled already.
    """
    if _is_plain_path(href):
        return "/".join(base.split("/", 3)[:3]) + href
    try:
        url: str = ada_url.join_url(base, href)
    except ValueError:
        return None
    url = url.partition("#")[0]
    if not url.startswith(("http://", "https://")):
        return None
    if "?" in url or ";" in url:
        url = _without_noise(url)
    return url


@lru_cache(maxsize=20_000)
def _is_plain_path(href: str) -> bool:
    """Whether it can be put behind its origin as it is. The pages of a site have most of their links in common."""
    return _PLAIN_PATH.fullmatch(href) is not None


def web_url(spelling: str) -> WebUrl:
    """The parts of a URL that `spelled` made."""
    scheme, rest = spelling.split("://", 1)
    authority = rest.partition("/")[0].rpartition("@")[2]
    host = authority if _has_port(authority) else f"{authority}:{_WEB_PORTS[scheme]}"
    return WebUrl(spelling, host, f"{scheme}://{host}")


def start_url(url: str) -> WebUrl:
    """The URL that a crawl begins with. Raises Invalid."""
    spelling = spelled(url.strip(), "about:blank")
    if spelling is None or not spelling.startswith("http"):  # a path alone stays one, whatever it is joined to
        raise Invalid(f"{url!r} is not a URL of the web (http:// or https://)")
    return web_url(spelling)


def scope_key(url: WebUrl, scope: Scope) -> str:
    """What all pages of a crawl that begins here have in common: host and port, or the registrable domain."""
    return url.host if scope is Scope.HOST else registrable_domain(url.host)


@lru_cache(maxsize=10_000)
def registrable_domain(host: str) -> str:
    """The part of host:port that somebody registered; an address, or a name of one part, stands for itself."""
    name = host.rpartition(":")[0]
    if name.startswith("[") or name.replace(".", "").isdigit():
        return name
    return _suffixes().privatesuffix(name.rstrip(".")) or name


def template_of(url: str) -> str:
    """The form of a URL: its numbers and long hexadecimal words are N, the values of its query are left out."""
    parts = urlsplit(url)
    names = sorted(pair.partition("=")[0] for pair in parts.query.split("&") if pair)
    return f"{parts.netloc}{_NUMBERS.sub('N', parts.path)}?{'&'.join(names)}"


def repeats_itself(url: str) -> bool:
    """Whether its path goes round in circles: the same two or three folders three times in a row, or one six times."""
    folders = urlsplit(url).path.strip("/").split("/")
    if len(folders) < 6:  # noqa: PLR2004  # the shortest circle; /a/a/a is a path that sites do have
        return False
    return any(_circles(folders, size) for size in (1, 2, 3))


def same_but_for_spelling(url: str, other: str) -> bool:
    """Whether two URLs differ by their query only, or by scheme, `www.` and a slash at the end."""
    one, two = urlsplit(url), urlsplit(other)
    path = one.path.rstrip("/") == two.path.rstrip("/")
    return path and one.netloc.removeprefix("www.") == two.netloc.removeprefix("www.")


def _circles(folders: list[str], size: int) -> bool:
    times = 6 if size == 1 else 3
    return any(
        folders[start : start + size] * times == folders[start : start + size * times]
        for start in range(len(folders) - size * times + 1)
    )


def _without_noise(url: str) -> str:
    head, question, query = url.partition("?")
    if ";" in head:
        head = _without_session(head)
    if not question:
        return head
    kept = [pair for pair in query.split("&") if not _is_noise(pair)]
    return f"{head}?{'&'.join(kept)}" if kept and any(kept) else head


def _without_session(head: str) -> str:
    """Without the session in its path. What is left is spelled anew: a folder may be `..` without its session."""
    start = head.index("/", len("https://"))
    path = _SESSION_IN_PATH.sub("", head[start:])
    return str(ada_url.join_url(head[:start], path)) if path.startswith("/") and not path.startswith("//") else head


def _is_noise(pair: str) -> bool:
    return _NOISE.fullmatch(pair.partition("=")[0]) is not None or _SESSION.fullmatch(pair) is not None


def _has_port(authority: str) -> bool:
    colon = authority.rfind(":")
    return colon > authority.rfind("]")


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
