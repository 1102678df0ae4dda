"""What the links of a result list mean."""

from urllib.parse import parse_qs, urlsplit, urlunsplit

from selectolax.lexbor import LexborNode

from nightjar.domain.naver_link import target_of_link
from nightjar.domain.target import target_key

_COUNTER_PATH = "/p/crd/rd"
_AD_HOST = "ader.naver.com"
_AD_HELP = "help.naver.com"
_AD_HELP_MARKS = ("integration_m68", "NSP")
AD_LABEL = "광고"

_MAX_WRAPPINGS = 3


def address_of(anchor: LexborNode) -> str:
    """Where an anchor truly leads: `cru` is the address behind the site's own click counter."""
    return unwrapped(anchor.attributes.get("cru") or anchor.attributes.get("href") or "")


def unwrapped(address: str) -> str:
    """The address inside /p/crd/rd?u=ADDRESS, or the address as it is."""
    for _ in range(_MAX_WRAPPINGS):
        parts = urlsplit(address)
        inner = parse_qs(parts.query).get("u") if parts.path == _COUNTER_PATH else None
        if not inner:
            break
        address = inner[0]
    return address


def row_key(address: str) -> str | None:
    """The key of the row that leads to an address; None where the address says nothing.

    Posts on other hosts count as well: they are told apart by their address, so that a repeat is known as one.
    """
    target = target_of_link(address)
    if target is not None:
        return target_key(target)
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path == _COUNTER_PATH:
        return None
    return "url:" + urlunsplit((parts.scheme, parts.netloc.lower(), parts.path.rstrip("/"), parts.query, ""))


def is_advert_address(address: str) -> bool:
    """Whether a link goes over the click host of adverts."""
    return (urlsplit(address).hostname or "") == _AD_HOST


def has_advert_label(card: LexborNode) -> bool:
    """Whether a card is labelled as an advert: by the word alone, or by a link to the page that explains it.

    The word within a link to a post or an author is a title or a name; a keyword may well be that word.
    """
    if any(_explains_adverts(anchor) for anchor in card.css("a[href]")):
        return True
    if AD_LABEL not in card.text():
        return False
    candidates = (node for node in card.css("*") if node.text(strip=True) == AD_LABEL)
    return any(not _is_within_link(node, card) for node in candidates)


def _explains_adverts(anchor: LexborNode) -> bool:
    address = anchor.attributes.get("href") or ""
    return (urlsplit(address).hostname or "") == _AD_HELP and any(mark in address for mark in _AD_HELP_MARKS)


def _is_within_link(node: LexborNode, card: LexborNode) -> bool:
    current: LexborNode | None = node
    while current is not None and current.mem_id != card.mem_id:
        if current.tag == "a" and (current.attributes.get("href") or "#") != "#":
            return True
        current = current.parent
    return False
