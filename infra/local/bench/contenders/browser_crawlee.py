"""Crawlee's PlaywrightCrawler, everything in memory, a fixed concurrency, no robots.txt, no invented fingerprint."""

import logging

import uvloop
from crawlee import ConcurrencySettings, RequestOptions, RequestTransformAction
from crawlee.crawlers import PlaywrightCrawler, PlaywrightCrawlingContext
from crawlee.storage_clients import MemoryStorageClient

from infra.local.bench.contenders.share import Report, Share, given_share, tell, wait_for_the_start
from infra.local.bench.contenders.visits import CHROMIUM


async def crawl(share: Share, report: Report) -> None:
    """Title and links of each page; Crawlee's queue sees to it that no page is asked for twice."""
    crawler = PlaywrightCrawler(
        browser_type="chromium",
        headless=True,
        browser_launch_options={"executable_path": CHROMIUM, "chromium_sandbox": False},
        fingerprint_generator=None,
        storage_client=MemoryStorageClient(),
        concurrency_settings=ConcurrencySettings(
            min_concurrency=share.concurrency,
            desired_concurrency=share.concurrency,
            max_concurrency=share.concurrency,
        ),
        use_session_pool=False,
        retry_on_blocked=False,
        configure_logging=False,
    )

    def only_ours(options: RequestOptions) -> RequestOptions | RequestTransformAction:
        return options if share.owns(options["url"]) else "skip"

    @crawler.router.default_handler  # type: ignore[untyped-decorator]  # Crawlee is in another environment
    async def read(context: PlaywrightCrawlingContext) -> None:
        links = await context.page.locator("a[href]").count()
        report.read(await context.page.title(), links)
        await context.enqueue_links(transform_request_function=only_ours)

    await crawler.run([share.start])


async def main() -> None:
    """Crawl the share of the command line."""
    logging.disable(logging.ERROR)
    report = wait_for_the_start()
    await crawl(given_share(), report)
    tell(report)


if __name__ == "__main__":
    uvloop.run(main())
