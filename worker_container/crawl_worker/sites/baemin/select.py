"""The shop select of a page, and the heading over it. Class names end in a changing suffix; their beginning stays."""

from dataclasses import dataclass
from typing import Any

from playwright.async_api import Error as PlaywrightError

from crawl_worker.engine.browser import BrowserPage
from crawl_worker.sites.baemin.labels import NUMBER, read_heading, read_label
from crawl_worker.sites.owner_site import RawStore
from nightjar.observability import logger

# Other selects stand on the same pages, also before this one.
_READ = """
() => {
  const select = document.querySelector('select[class*="ShopSelect"]');
  const box = [...document.querySelectorAll('[class*="ShopSelect-module"]')].find((e) => e.querySelector("h3"));
  const around = box ? [...box.children].filter((e) => !e.matches("h3, select")) : [];
  return {
    exists: !!select,
    options: select ? [...select.options].map((option) => [option.value, option.text]) : [],
    heading: box ? box.querySelector("h3").textContent.trim() : "",
    beside: around.map((e) => e.textContent).join(" "),
  };
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopSelect:
    """What was there: stores by the options, and the one of the heading, which is the chosen one only."""

    exists: bool = False
    stores: tuple[RawStore, ...] = ()
    headed: RawStore | None = None


async def read_select(page: BrowserPage) -> ShopSelect:
    """The select as it is now. Its options are attached some time after it; placeholders have no number."""
    try:
        seen: dict[str, Any] = await page.evaluate(_READ)
    except PlaywrightError:
        return ShopSelect()  # the page is on its way elsewhere; whoever asked looks again
    options = ((value, text) for value, text in seen["options"] if NUMBER.fullmatch(value))
    stores = {value: store_of_option(value, text) for value, text in options}
    return ShopSelect(
        exists=bool(seen["exists"]), stores=tuple(stores.values()), headed=_headed(seen["heading"], seen["beside"])
    )


def store_of_option(value: str, text: str) -> RawStore:
    """The store of an option. Its value is the number; a number in the text that is another one is logged, not used."""
    label = read_label(text, value)
    if label.number not in (None, value):
        logger(__name__).warning("shop_number_differs", value=value, in_text=label.number)
    return RawStore(
        store_id=value,
        name=label.name,
        category=label.category,
        service_type=label.service,
        raw_label=text,
        source="select",
    )


def _headed(heading: str, beside: str) -> RawStore | None:
    number = NUMBER.search(beside)
    if not heading or number is None:
        return None
    label = read_heading(heading)
    return RawStore(
        store_id=number.group(), name=label.name, service_type=label.service, raw_label=heading, source="select"
    )
