"""The least that can be called a crawler with a browser: Playwright, and a few pages that are used again."""

import asyncio

import uvloop
from playwright.async_api import Page, async_playwright

from infra.local.bench.contenders.share import Report, Share, given_share, tell, wait_for_the_start
from infra.local.bench.contenders.visits import CHROMIUM, Visits


async def crawl(share: Share) -> Report:
    """Until no page is left. The browser and its pages are open before the start."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM)
        context = await browser.new_context()
        pages = [await context.new_page() for _ in range(share.concurrency)]
        report = wait_for_the_start()
        visits = Visits(share, report)
        await asyncio.gather(*(_work(visits, page) for page in pages))
        await browser.close()
    return report


async def _work(visits: Visits, page: Page) -> None:
    async def html_of(url: str) -> str:
        await page.goto(url)
        return await page.content()

    await visits.work(html_of)


async def main() -> None:
    """Crawl the share of the command line."""
    tell(await crawl(given_share()))


if __name__ == "__main__":
    uvloop.run(main())
