"""Crawlee's ParselCrawler with everything in memory, a fixed concurrency, no robots.txt. It keeps nothing."""

import logging

import uvloop
from crawlee import ConcurrencySettings, RequestOptions, RequestTransformAction
from crawlee.crawlers import ParselCrawler, ParselCrawlingContext
from crawlee.storage_clients import MemoryStorageClient

from infra.local.bench.contenders.share import Report, Share, given_share, tell, wait_for_the_start


async def crawl(share: Share, report: Report) -> None:
    """Title and links of each page; Crawlee's queue sees to it that no page is asked for twice."""
    crawler = ParselCrawler(
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
    async def read(context: ParselCrawlingContext) -> None:
        links = context.selector.css("a::attr(href)").getall()
        report.read(context.selector.css("title::text").get(), len(links))
        if share.of == 1:
            await context.enqueue_links()
        else:
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
