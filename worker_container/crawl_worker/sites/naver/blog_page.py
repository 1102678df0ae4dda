"""The blog tab: cards as HTML on the desktop, as JSON in script calls on the phone."""

from collections.abc import Iterator
from typing import TypeAlias

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawl_worker.sites.naver.links import (
    AD_LABEL,
    address_of,
    has_advert_label,
    is_advert_address,
    row_key,
    unwrapped,
)
from crawl_worker.sites.naver.script_json import values_after

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

_CARD = '[data-template-id^="ugcItem"]'
_TITLE_LINKS = ('a[data-heatmap-target=".nblg"]', 'a[data-heatmap-target=".tit"]', 'a[data-heatmap-target=".link"]')
_OLD_TITLE_LINK = "li a.title_link"
_MOBILE_CALL = "bootstrap("
_ADDRESSES = ("titleHref", "contentHref", "href")


def blog_rows(html: str) -> tuple[list[str | None], int]:
    """The keys of the organic rows of a page or of a load, and how many cards there were, adverts included."""
    cards = [*_desktop_cards(html), *_mobile_cards(html)]
    return [row_key(address) for address in cards if address is not None], len(cards)


def _desktop_cards(html: str) -> Iterator[str | None]:
    """For each card the address of its post, None for an advert; "" where the card has no title link."""
    tree = LexborHTMLParser(html)
    for card in tree.css(_CARD):
        if not _is_nested(card):
            yield _address_of_card(card, _title_link(card))
    for anchor in tree.css(_OLD_TITLE_LINK):
        yield _address_of_card(_list_item_of(anchor), anchor)


def _is_nested(card: LexborNode) -> bool:
    parent = card.parent
    while parent is not None:
        if (parent.attributes.get("data-template-id") or "").startswith("ugcItem"):
            return True
        parent = parent.parent
    return False


def _title_link(card: LexborNode) -> LexborNode | None:
    """The one link that counts: a card also links to its author, its picture and to other posts of the blog."""
    return next((found for selector in _TITLE_LINKS if (found := card.css_first(selector)) is not None), None)


def _list_item_of(anchor: LexborNode) -> LexborNode:
    node = anchor
    while node.parent is not None and node.tag != "li":
        node = node.parent
    return node


def _address_of_card(card: LexborNode, title_link: LexborNode | None) -> str | None:
    address = address_of(title_link) if title_link is not None else ""
    return None if is_advert_address(address) or has_advert_label(card) else address


def _mobile_cards(html: str) -> Iterator[str | None]:
    for block in values_after(html, _MOBILE_CALL):
        if _is_blog_block(block):
            for item in _items(block):
                yield _address_of_item(item)


def _is_blog_block(block: Json) -> bool:
    """Blocks name their area or their id; `web_gen` blocks and the like are no posts."""
    if not isinstance(block, dict):
        return False
    meta, refs = block.get("meta"), block.get("refs")
    area = meta.get("area") if isinstance(meta, dict) else None
    block_id = refs.get("blockId") if isinstance(refs, dict) else None
    return str(area).startswith("urB_") or "blog" in str(block_id)


def _items(node: Json) -> Iterator[dict[str, Json]]:
    """The cards of a block in document order, wherever they are nested; what is inside a card is no card."""
    if isinstance(node, dict):
        if str(node.get("templateId", "")).startswith("ugcItem"):
            props = node.get("props")
            yield props if isinstance(props, dict) else node
            return
        children: list[Json] = list(node.values())
    else:
        children = node if isinstance(node, list) else []
    for child in children:
        yield from _items(child)


def _address_of_item(item: dict[str, Json]) -> str | None:
    address = next((value for name in _ADDRESSES if isinstance(value := item.get(name), str) and value), "")
    return None if is_advert_address(address) or _is_labelled(item) else unwrapped(address)


def _is_labelled(item: dict[str, Json]) -> bool:
    """Titles and names stand in the item itself, labels in objects of their own."""
    return any(_holds_label(value) for name, value in item.items() if name != "afterArticles")


def _holds_label(value: Json) -> bool:
    if isinstance(value, dict):
        return any(inner == AD_LABEL or _holds_label(inner) for inner in value.values())
    return isinstance(value, list) and any(inner == AD_LABEL or _holds_label(inner) for inner in value)
