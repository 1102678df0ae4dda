"""The cafe tab, desktop and phone, and the home of a cafe."""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawl_worker.sites.naver.links import address_of, has_advert_label, is_advert_address, row_key

_TITLE_LINK = "li a.title_link"
_CLUB_ID = re.compile(r"""g_sClubId\s*=\s*["']?(\d{1,18})""")


def cafe_rows(html: str) -> tuple[list[str | None], int]:
    """The keys of the organic rows of a page or of a load, and how many cards there were, adverts included.

    Rows that offer options or name a cafe look alike but have no title link.
    """
    anchors = LexborHTMLParser(html).css(_TITLE_LINK)
    organic = [anchor for anchor in anchors if not _is_advert(anchor)]
    return [row_key(address_of(anchor)) for anchor in organic], len(anchors)


def club_id_of(html: str) -> str | None:
    """The number of a cafe, from its home page."""
    found = _CLUB_ID.search(html)
    return found.group(1) if found else None


def _is_advert(anchor: LexborNode) -> bool:
    return is_advert_address(address_of(anchor)) or has_advert_label(_card_of(anchor))


def _card_of(anchor: LexborNode) -> LexborNode:
    node = anchor
    while node.parent is not None and node.tag != "li":
        node = node.parent
    return node
