"""What a page shows at one moment, as far as judging it needs."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Error as PlaywrightError

from crawl_worker.engine.browser import BrowserPage

NAVIGATION_WORDS = ("리뷰관리", "가게관리", "주문내역", "정산내역", "메뉴관리")
"""Words of the owner pages' navigation: two of them make a navigation, one may occur anywhere."""

ID_FIELD = 'input[name="id"], input[data-testid="id"]'
PASSWORD_FIELD = 'input[name="password"], input[data-testid="password"]'  # noqa: S105  # a selector

_LOOK = """
([idField, passwordField, words]) => {
  const shown = (element) => element.getClientRects().length > 0;
  const labels = [...document.querySelectorAll("nav *, header *, button, a, [role=button]")].map((e) => e.textContent);
  const alerts = [...document.querySelectorAll("[role=alert], .error-message, [class*=error i]")].filter(shown);
  const frames = [...document.querySelectorAll("iframe")].filter(shown);
  return {
    title: document.title,
    text: (document.body?.innerText ?? "").slice(0, 20000),
    words: words.filter((word) => labels.some((label) => label.includes(word))).length,
    shops: document.querySelectorAll('a[href*="/shops/"]').length,
    form: !!document.querySelector(idField) && !!document.querySelector(passwordField),
    fields: document.querySelectorAll("input, select, textarea, button").length,
    alerts: alerts.map((e) => e.innerText.trim()).filter(Boolean).slice(0, 3),
    captcha: frames.some((f) => /captcha/i.test(f.title + " " + f.src) && !/size=invisible/.test(f.src)),
  };
}
"""

_IN_BETWEEN = re.compile("context was destroyed|navigat|Frame was detached", re.IGNORECASE)
"""What Playwright says when a page goes elsewhere while it is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What is shown. `status` is the one of the document, None where it is not known."""

    url: str
    status: int | None = None
    title: str = ""
    text: str = ""
    words: int = 0
    shops: int = 0
    form: bool = False
    fields: int = 0
    alerts: tuple[str, ...] = ()
    captcha: bool = False

    @property
    def has_navigation(self) -> bool:
        """Whether it is one of the owner's pages with their navigation."""
        return self.words > 1

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all has been drawn."""
        return not self.text.strip() and not self.fields

    @property
    def path(self) -> str:
        """The path of its address."""
        return urlsplit(self.url).path or "/"

    def is_at(self, base_url: str) -> bool:
        """Whether it is on this origin."""
        here, there = urlsplit(self.url), urlsplit(base_url)
        return (here.scheme, here.netloc) == (there.scheme, there.netloc)


async def look(page: BrowserPage, status: int | None) -> Screen | None:
    """What the page shows now, or None while it is on its way from one document to the next."""
    try:
        seen: dict[str, Any] = await page.evaluate(_LOOK, [ID_FIELD, PASSWORD_FIELD, list(NAVIGATION_WORDS)])
    except PlaywrightError as error:
        if _IN_BETWEEN.search(error.message):
            return None
        raise
    return Screen(**seen | {"url": page.url, "status": status, "alerts": tuple(seen["alerts"])})
