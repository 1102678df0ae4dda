"""From an answer to an outcome: what its headers and its links mean by the rules of a crawl."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from crawl_worker.engine.fetched import FetchedPage
from crawl_worker.engine.web_client import WebClient
from crawl_worker.sites.web.crawl_desk import CrawlDesk
from crawl_worker.sites.web.engine_choice import EngineChoice
from crawl_worker.sites.web.judging import Outcome
from crawl_worker.sites.web.page_fetching import PageFetcher, RendererOf
from nightjar.domain.site_crawl import Engine, SkipReason
from tests.unit.web.test_judging import URL, leased
from tests.unit.web.test_link_rules import CRAWL, RULES


class Answering:
    """Stands for the network: gives one answer."""

    def __init__(self, body: bytes, headers: Mapping[str, str]) -> None:
        self._answer = FetchedPage(
            url=URL,
            final_url=URL,
            status=200,
            headers=tuple(headers.items()),
            body=body,
            engine=Engine.HTTP,
            started_at=datetime.now(UTC),
            elapsed=timedelta(0),
        )

    async def fetch(self, url: str, *, user_agent: str) -> FetchedPage:  # noqa: ARG002  # as the client has it
        return replace(self._answer, url=url, final_url=url)


def outcome_of(body: str, **headers: str) -> Outcome:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    web = cast("WebClient", Answering(body.encode(), named))
    fetcher = PageFetcher(web, cast("RendererOf", None), retry_delay=timedelta(seconds=1))
    return asyncio.run(fetcher.outcome_of(leased(), RULES, EngineChoice(), timedelta(0)))


@pytest.mark.parametrize("wish", ["noindex", "none", "nightjar: noindex"])
def test_a_file_that_asks_not_to_be_kept_is_not_kept(wish: str) -> None:
    outcome = outcome_of("%PDF-1.7", Content_Type="application/pdf", X_Robots_Tag=wish)
    assert outcome.page is None
    assert outcome.end is not None
    assert outcome.end.reason is SkipReason.NOINDEX


@pytest.mark.parametrize("wish", ["nofollow", "otherbot: noindex", ""])
def test_any_other_file_is_kept(wish: str) -> None:
    assert outcome_of("%PDF-1.7", Content_Type="application/pdf", X_Robots_Tag=wish).page is not None


@pytest.mark.parametrize("canonical", ["https://shop.example/a", "http://www.shop.example/a", "/a?sort=up"])
def test_a_page_that_names_an_address_outside_the_crawl_is_kept(canonical: str) -> None:
    outcome = outcome_of(f'<link rel="canonical" href="{canonical}"><p>Goods', Content_Type="text/html")
    assert outcome.page is not None


def test_a_page_that_names_an_address_of_the_crawl_makes_room_for_it() -> None:
    outcome = outcome_of('<link rel="canonical" href="/a?color=red"><p>Goods', Content_Type="text/html")
    assert outcome.page is None
    assert outcome.end is not None
    assert (outcome.end.reason, outcome.end.target) == (SkipReason.CANONICAL, "http://shop.example/a?color=red")


def test_screenshots_count_among_what_is_not_written_yet() -> None:
    desk = CrawlDesk(CRAWL, {}, in_hand=1)
    outcome = outcome_of("<p>Goods", Content_Type="text/html")
    assert outcome.page is not None
    desk.add(replace(outcome, page=replace(outcome.page, screenshot=b"x" * 1000)))
    assert desk.bytes == 1000 + len("<p>Goods")
