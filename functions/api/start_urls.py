"""The URL that a crawl begins with, read by the rules of browsers and judged without a single look-up.

What a name resolves to is for the worker to judge, at the moment when it connects.
"""

from collections.abc import Set as AbstractSet
from ipaddress import ip_address

import ada_url

from nightjar.domain.pagination_plan import PAGE
from nightjar.domain.public_address import is_public
from nightjar.domain.web_address import WEB_PORTS, WebAddress
from nightjar.errors import Invalid


def start_url(url: str, *, open_origins: AbstractSet[str] = frozenset()) -> str:
    """The one spelling of a URL, without its fragment.

    `open_origins` (scheme://host:port) may be crawled although they are not public. Raises Invalid.
    """
    spelling = _spelled(url)
    address = WebAddress.of(spelling)
    if address.origin in open_origins:
        return spelling
    if address.port != WEB_PORTS[address.scheme]:
        raise _refused(url, f"port {address.port} is not the one of {address.scheme}")
    if _is_private(address.name):
        raise _refused(url, f"{address.name} is not a public address")
    return spelling


def url_pattern(pattern: str, *, last: int, open_origins: AbstractSet[str] = frozenset()) -> str:
    """The pattern of a list with `{page}` in its path or query, whose pages 1 to `last` may be crawled.

    Raises Invalid.
    """
    written = pattern.strip()
    if PAGE not in written:
        raise Invalid(f"url_pattern: {pattern!r} lacks {PAGE}; give one like https://shop.example/goods?page={PAGE}")
    pages = [start_url(written.replace(PAGE, str(number)), open_origins=open_origins) for number in (1, last)]
    if WebAddress.of(pages[0]) != WebAddress.of(pages[1]) or (last > 1 and pages[0] == pages[1]):
        raise Invalid(f"url_pattern: {PAGE} has to stand in the path or in the query")
    return written.partition("#")[0]


def _spelled(url: str) -> str:
    try:
        parsed = ada_url.URL(url.strip())
    except ValueError:
        raise Invalid(f"url: {url!r} is not an absolute URL; give one like https://shop.example/goods") from None
    if parsed.protocol not in {"http:", "https:"}:
        raise Invalid(f"url: {url!r} is not a URL of the web; give one that begins with http:// or https://")
    if parsed.username or parsed.password:
        raise Invalid("url: it holds a user name or a password; pages behind a log-in are not crawled")
    return str(parsed.href).partition("#")[0]


def _is_private(name: str) -> bool:
    try:
        return not is_public(ip_address(name.strip("[]")))
    except ValueError:
        return False


def _refused(url: str, why: str) -> Invalid:
    return Invalid(f"url: {url!r} is refused: {why}. Only public web addresses may be crawled.")
