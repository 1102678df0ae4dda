"""What a page fetch gives back, whichever engine did it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from nightjar.domain.site_crawl import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedPage:
    """One answer, read to its end within all limits. A 4xx, a 5xx and (over HTTP) a 3xx are answers too."""

    url: str
    """As it was asked for."""

    final_url: str
    """Where the content came from: the browser follows redirects and scripts; the HTTP client follows nothing."""

    status: int
    headers: tuple[tuple[str, str], ...]
    """As received, in order; of the browser those of the document."""

    body: bytes
    """After Content-Encoding; of the browser the rendered document as UTF-8."""

    engine: Engine
    started_at: datetime
    elapsed: timedelta
    screenshot: bytes | None = None
    """PNG of the visible part, if one was asked for and the browser was used."""

    def header(self, name: str) -> str:
        """The first header of this name, in any case; empty if there is none."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")

    def values(self, name: str) -> tuple[str, ...]:
        """All headers of this name, in any case."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case; empty if the answer names none."""
        return self.header("content-type").partition(";")[0].strip().lower()
