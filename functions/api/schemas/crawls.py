"""Site crawls on the wire."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from functions.api.schemas.requests import Body, Options
from functions.api.schemas.tasks import TaskFault
from nightjar.database.crawls import Crawl
from nightjar.database.frontier_lists import FailedUrl, SkippedUrl
from nightjar.database.pages import StoredPage
from nightjar.database.sections import StoredSection
from nightjar.domain.site_crawl import Engine, PageState, Scope
from nightjar.domain.task import Task, TaskState

MAX_URL_LENGTH = 2_000

MAX_PATTERNS = 50
"""In each of the two lists: every link of every page is held against all of them."""

MAX_PATTERN_LENGTH = 500

CrawlUrl = Annotated[str, StringConstraints(min_length=1, max_length=MAX_URL_LENGTH, pattern=r"^[^\x00-\x1f]+$")]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PATTERN_LENGTH, pattern=r"^[^\x00]+$")]
Patterns = Annotated[tuple[Pattern, ...], Field(max_length=MAX_PATTERNS)]
Depth = Annotated[int, Field(strict=True, ge=0, le=20)]
PageLimit = Annotated[int, Field(strict=True, ge=1, le=10_000_000)]
Yes = Annotated[bool, Field(strict=True)]
DelaySeconds = Annotated[float, Field(strict=True, ge=0, le=3600, allow_inf_nan=False)]


class StartCrawlRequest(Body):
    """What is to be crawled, and how far.

    `depth` counts link hops from the start page, `limit` pages. `scope`: pages of the same host and port, or of the
    whole site (its registrable domain). `include` and `exclude` are regular expressions (RE2) that are looked for in
    path and query; where `include` has any, one of them has to be found. `delay`: seconds between two requests to a
    host; a longer Crawl-delay of its robots.txt wins.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"url": "https://shop.example/", "depth": 3, "limit": 1000},
                {
                    "url": "https://shop.example/goods",
                    "limit": 20000,
                    "scope": "site",
                    "engine": "auto",
                    "include": ["^/goods/"],
                    "exclude": ["[?&]sort="],
                    "delay": 1.5,
                },
            ]
        },
    )

    url: CrawlUrl
    depth: Depth = 3
    limit: PageLimit = 1000
    engine: Engine = Engine.AUTO
    scope: Scope = Scope.HOST
    background: Yes = False
    include: Patterns = ()
    exclude: Patterns = ()
    screenshots: Yes = False
    delay: DelaySeconds | None = None
    structure: Yes = True
    options: Options | None = None


class StartedCrawlAnswer(BaseModel):
    """A crawl that is under way: follow it at /api/v1/crawls/{task_id}, or live at /api/v1/tasks/{task_id}/live."""

    task_id: UUID
    status: TaskState


class CountsAnswer(BaseModel):
    """Where the URLs stand that were found: `discovered` is the sum of the rest, at every moment."""

    discovered: int
    queued: int
    leased: int
    done: int
    failed: int
    skipped: int


class CrawlAnswer(BaseModel):
    """A crawl as it is now.

    `total_nodes` counts pages and, once they were analysed, sections. `engines` and `browser_share` say which engine
    fetched how many pages; they, like `pagination` (the lists of the site, and which pages of each to read), come with
    the end. `execution_time` is in seconds.
    """

    task_id: UUID
    status: TaskState
    url: str
    scope: Scope
    depth: int
    limit: int
    engine: Engine
    include: list[str]
    exclude: list[str]
    screenshots: bool
    structure: bool
    delay: float
    counts: CountsAnswer
    pages_crawled: int
    total_nodes: int
    execution_time: float
    engines: dict[str, int] | None
    browser_share: float | None
    pagination: list[dict[str, object]] | None
    end_reason: str | None
    step: str | None
    progress: int
    message: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: TaskFault | None
    retry_of: UUID | None

    @classmethod
    def of(cls, crawl: Crawl, task: Task, *, now: datetime) -> Self:
        """As it is shown at `now`."""
        return cls.model_validate(_values(crawl, task, now))


class PageAnswer(BaseModel):
    """A page. `url` was asked for, `final_url` answered; `depth` is null for what only a sitemap led to.

    `markdown` and `language` come with the analysis. `links` are in the order of the document.
    """

    id: int
    url: str
    final_url: str
    status: int
    depth: int | None
    title: str | None
    engine: str
    engine_reason: str | None
    content_type: str
    charset: str | None
    language: str | None
    text: str | None
    markdown: str | None
    links: list[str]
    canonical_url: str | None
    bytes: int
    fetched_at: datetime
    elapsed_ms: int
    screenshot: str | None
    headers: list[tuple[str, str]] | None

    @classmethod
    def of(cls, page: StoredPage, *, headers: bool = False) -> Self:
        """As it is shown."""
        return cls(
            id=page.id,
            url=page.url,
            final_url=page.final_url,
            status=page.status,
            depth=page.depth,
            title=page.title,
            engine=page.engine,
            engine_reason=page.engine_reason,
            content_type=page.content_type,
            charset=page.charset,
            language=page.language,
            text=page.text,
            markdown=page.markdown,
            links=list(page.links),
            canonical_url=page.canonical_url,
            bytes=page.bytes,
            fetched_at=page.fetched_at,
            elapsed_ms=page.elapsed_ms,
            screenshot=page.screenshot,
            headers=list(page.headers) if headers else None,
        )


class CrawlWithPages(CrawlAnswer):
    """A small crawl that ended while its client waited."""

    pages: list[PageAnswer]


class FailedUrlAnswer(BaseModel):
    """A URL that gave no page, and why: `code` is one of a closed list."""

    url: str
    code: str
    message: str
    attempts: int

    @classmethod
    def of(cls, failed: FailedUrl) -> Self:
        """As it is shown."""
        return cls(url=failed.url, code=failed.code, message=failed.message, attempts=failed.attempts)


class SkippedUrlAnswer(BaseModel):
    """A URL that was found and left out, and why; `target` is where a redirect or a canonical link led."""

    url: str
    reason: str
    target: str | None

    @classmethod
    def of(cls, skipped: SkippedUrl) -> Self:
        """As it is shown."""
        return cls(url=skipped.url, reason=skipped.reason, target=skipped.target)


class SectionAnswer(BaseModel):
    """A part of a page. `position` counts from 0 in document order; `path` leads to it from the top of the page."""

    id: str
    parent_id: str | None
    page_url: str
    type: str
    heading: str | None
    level: int | None
    text: str
    path: str
    position: int

    @classmethod
    def of(cls, section: StoredSection) -> Self:
        """As it is shown."""
        return cls(
            id=section.id,
            parent_id=section.parent_id,
            page_url=section.page_url,
            type=section.type,
            heading=section.heading,
            level=section.level,
            text=section.text,
            path=section.path,
            position=section.position,
        )


def _values(crawl: Crawl, task: Task, now: datetime) -> dict[str, object]:
    result = task.result or {}
    until = task.finished_at or now
    elapsed = (until - task.started_at).total_seconds() if task.started_at else 0.0
    return {
        "task_id": task.id,
        "status": task.state,
        "url": crawl.start_url,
        "scope": crawl.scope,
        "depth": crawl.depth,
        "limit": crawl.page_limit,
        "engine": crawl.engine,
        "include": list(crawl.include),
        "exclude": list(crawl.exclude),
        "screenshots": crawl.screenshots,
        "structure": crawl.structure,
        "delay": crawl.delay.total_seconds(),
        "counts": {str(state): getattr(crawl.counts, state) for state in ("discovered", *PageState)},
        "pages_crawled": crawl.counts.done,
        "total_nodes": result.get("total_nodes", crawl.counts.done),
        "execution_time": round(max(elapsed, 0.0), 3),
        "engines": result.get("engines"),
        "browser_share": result.get("browser_share"),
        "pagination": crawl.pagination,
        "end_reason": crawl.end_reason,
        "step": task.step,
        "progress": task.progress,
        "message": task.message,
        "created_at": task.created_at,
        "started_at": task.started_at,
        "finished_at": task.finished_at,
        "error": TaskFault.of(task),
        "retry_of": task.retry_of,
    }
