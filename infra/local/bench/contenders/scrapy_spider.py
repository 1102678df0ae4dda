"""Scrapy, tuned for speed by its documentation: LinkExtractor, no delay, robots.txt or cookies. It keeps nothing."""

from collections.abc import AsyncIterator, Iterator

from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response
from scrapy.linkextractors import LinkExtractor

from infra.local.bench.contenders.share import Report, Share, given_share, tell, wait_for_the_start

SETTINGS = {
    "ASYNCIO_EVENT_LOOP": "uvloop.Loop",
    "COOKIES_ENABLED": False,
    "DOWNLOAD_DELAY": 0,
    "LOG_LEVEL": "ERROR",
    "LOGSTATS_INTERVAL": 0,
    "RETRY_ENABLED": False,
    "ROBOTSTXT_OBEY": False,
    "TELNETCONSOLE_ENABLED": False,
}


class Pages(Spider):  # type: ignore[misc]  # Scrapy is in another environment
    """Title and links of each page; Scrapy's own filter sees to it that no page is asked for twice."""

    name = "pages"

    def __init__(self, share: Share, report: Report) -> None:
        super().__init__()
        self._share = share
        self._report = report
        self._extractor = LinkExtractor()

    async def start(self) -> AsyncIterator[Request]:
        """The start page."""
        yield Request(self._share.start)

    def parse(self, response: Response) -> Iterator[Request]:
        """Every link of a page."""
        links = self._extractor.extract_links(response)
        self._report.read(response.css("title::text").get(), len(links))
        for link in links:
            if self._share.owns(link.url):
                yield Request(link.url)


def main() -> None:
    """Crawl the share of the command line."""
    share = given_share()
    report = wait_for_the_start()
    concurrency = {
        "CONCURRENT_REQUESTS": share.concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": share.concurrency,
    }
    process = AsyncCrawlerProcess(SETTINGS | concurrency)
    process.crawl(Pages, share=share, report=report)
    process.start()
    tell(report)


if __name__ == "__main__":
    main()
