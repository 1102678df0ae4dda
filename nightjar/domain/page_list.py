"""A list that goes over many pages: what was ordered, and what was read of it."""

from dataclasses import dataclass

from nightjar.domain.pagination_plan import PAGE
from nightjar.domain.site_crawl import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class PageListOrder:
    """Which list is to be read. `url_pattern` is an absolute URL with `{page}` where the number goes."""

    url_pattern: str
    total_pages: int
    engine: Engine = Engine.AUTO

    def url_of(self, page: int) -> str:
        """The address of a page, from 1."""
        return self.url_pattern.replace(PAGE, str(page))

    def payload(self) -> dict[str, object]:
        """What the row of the task keeps."""
        return {"url_pattern": self.url_pattern, "total_pages": self.total_pages, "engine": self.engine}

    @classmethod
    def of(cls, payload: dict[str, object]) -> "PageListOrder":
        """The order that `payload` has written."""
        return cls(
            url_pattern=str(payload["url_pattern"]),
            total_pages=int(str(payload["total_pages"])),
            engine=Engine(str(payload["engine"])),
        )
