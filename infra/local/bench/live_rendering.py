"""A process that keeps one headless Chromium rendering pages until it is stopped: the company that live progress has.

    python -m infra.local.bench.live_rendering

It prints a line for each page.
"""

import asyncio

from playwright.async_api import async_playwright

from crawl_worker.engine.chromium import find_chromium

PAGE = """\
<!doctype html><title>shop</title><table></table><script>
for (let row = 0; row < 2000; row++) {
  const cells = document.querySelector("table").insertRow();
  for (let cell = 0; cell < 8; cell++) cells.insertCell().textContent = Math.sin(row * cell).toFixed(6);
}
document.title = document.body.offsetHeight;
</script>"""


async def render() -> None:
    """Render a page of 16,000 cells, and the next, for ever."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium())
        page = await browser.new_page()
        while True:
            await page.set_content(PAGE)
            await page.screenshot()
            print("rendered", flush=True)


if __name__ == "__main__":
    asyncio.run(render())
