"""One launch of the browser for each page: how pages are rendered where nobody thought of speed."""

import asyncio

import uvloop
from playwright.async_api import async_playwright

from infra.local.bench.contenders.share import Report, Share, given_share, tell, wait_for_the_start
from infra.local.bench.contenders.visits import CHROMIUM, Visits


async def crawl(share: Share, report: Report) -> None:
    """Until no page is left."""
    visits = Visits(share, report)
    async with async_playwright() as playwright:

        async def html_of(url: str) -> str:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM)
            page = await browser.new_page()
            await page.goto(url)
            html = await page.content()
            await browser.close()
            return html

        await asyncio.gather(*(visits.work(html_of) for _ in range(share.concurrency)))


async def main() -> None:
    """Crawl the share of the command line."""
    report = wait_for_the_start()
    await crawl(given_share(), report)
    tell(report)


if __name__ == "__main__":
    uvloop.run(main())
