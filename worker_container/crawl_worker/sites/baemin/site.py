"""The owner site, as the job knows it."""

from crawl_worker.engine.browser import BrowserPage
from crawl_worker.engine.site_turns import SiteTurns
from crawl_worker.sites.baemin.settings import BaeminSettings
from crawl_worker.sites.baemin.visit import BaeminVisit
from crawl_worker.sites.owner_site import OwnerVisit, SiteConfig, SiteWaits


class BaeminSite:
    """As `OwnerSite`."""

    def __init__(self, settings: BaeminSettings, *, waits: SiteWaits | None = None) -> None:
        self._settings = settings
        self._config = settings.config(waits)

    @property
    def config(self) -> SiteConfig:
        """Its addresses and limits."""
        return self._config

    def visit(self, page: BrowserPage, turns: SiteTurns) -> OwnerVisit:
        """Begin a crawl on a fresh page."""
        return BaeminVisit(page, turns, self._settings, self._config)
