"""Place lists whose page appends rows that it already has: only what is shown tells them."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiohttp import web

from crawl_worker.engine.browser import Browser
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.http import HttpClient
from crawl_worker.sites.naver import place_visit
from nightjar.domain.tracking import Device
from nightjar.errors import EndInDoubt, ErrorCode, GiveUp, RetryLater
from tests.integration.naver.desk import ENGINE, Desk, a_search

pytestmark = pytest.mark.anyio

_PAGE = """<!doctype html><html><head><meta name="viewport" content="width=device-width"></head><body>
<div id="_pcmap_list_scroll_container" style="height:500px;overflow-y:auto"><ul></ul></div>
<div>@buttons@</div>
<script>window.__APOLLO_STATE__ = @state@;</script>
<script>
  const rows = @rows@, box = document.getElementById('_pcmap_list_scroll_container'), list = box.querySelector('ul');
  function more() {
    for (const row of rows.splice(0, 8)) {
      const item = document.createElement('li');
      item.style.height = '90px';
      item.dataset.laimExpId = row.advert ? 'undefined*e' : 'undefined';
      item.innerHTML = row.id && !row.hidden ? `<a href="https://m.place.naver.com/place/${row.id}?entry=pll">${row.name}</a>`
        : `<a href="#">${row.name}</a><ul><li>새로 오픈했어요</li></ul>`;
      if (row.hidden) { item.__reactProps$x1 = {children: [{props: {place: {id: row.id, name: row.name}}}]}; }
      list.appendChild(item);
    }
  }
  more(); more();
  box.addEventListener('scroll', () => { if (box.scrollTop + 800 > box.scrollHeight) { more(); } });
</script></body></html>"""


@dataclass
class ShownList:
    """A place host with one list. `shown` are the rows that appear while it is scrolled.

    `pages` is the number of its page buttons, which do nothing.
    """

    state: list[dict[str, object]]
    shown: list[dict[str, object]]
    total: int
    pages: int = 0
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        argument = json.dumps({"input": {"query": request.query["query"]}}, ensure_ascii=False)
        listing = {"businesses": {"total": self.total, "items": self.state}}
        state = json.dumps({"ROOT_QUERY": {f"placeList({argument})": listing}})
        buttons = "".join(f'<a role="button" href="#">{number}</a>' for number in range(1, self.pages + 1))
        page = _PAGE.replace("@state@", state).replace("@rows@", json.dumps(self.shown)).replace("@buttons@", buttons)
        return web.Response(text=page, content_type="text/html")


def shops(count: int, **more: object) -> list[dict[str, object]]:
    return [{"id": str(88_000_000 + number), "name": f"가게 {number}", **more} for number in range(count)]


KEYS = tuple(f"place:{88_000_000 + number}" for number in range(200))


@pytest.fixture
async def list_host() -> AsyncIterator[ShownList]:
    host = ShownList(state=shops(20), shown=shops(60), total=60)
    application = web.Application()
    application.router.add_get("/place/list", host.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield host
    await runner.cleanup()


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests of this module."""
    browser = Browser(ENGINE)
    yield browser
    await browser.close()


@pytest.fixture
async def desk(list_host: ShownList, browser: Browser) -> AsyncIterator[Desk]:
    """A desk at that list, for phone and PC."""
    http = HttpClient(ENGINE, EgressRule(allowed_origins=frozenset({list_host.url})))
    yield Desk({"NAVER_PLACE_URL": list_host.url, "NAVER_PCPLACE_URL": list_host.url}, http, browser)
    await http.close()


@pytest.mark.parametrize("device", Device)
async def test_the_rows_shown_are_read_and_adverts_among_them_are_not(
    list_host: ShownList, desk: Desk, device: Device
) -> None:
    list_host.shown = shops(60)
    list_host.shown.insert(0, {"id": "77777777", "name": "광고 가게", "advert": True})
    list_host.shown.insert(30, {"id": "77777778", "name": "광고 가게", "advert": True})
    reading = await desk.reading(a_search("place", "국수", device=device))
    assert reading.rows == KEYS[:60]


async def test_an_id_that_stands_in_no_link_is_found_in_the_row_itself(list_host: ShownList, desk: Desk) -> None:
    list_host.shown = shops(60, hidden=True)
    assert (await desk.reading(a_search("place", "국수"))).rows == KEYS[:60]


async def test_a_row_without_any_id_takes_a_slot(list_host: ShownList, desk: Desk) -> None:
    list_host.shown[40] = {"id": None, "name": "이름 없는 가게"}
    assert (await desk.reading(a_search("place", "국수"))).rows == (*KEYS[:40], None, *KEYS[41:60])


async def test_rows_that_begin_otherwise_than_the_state_are_not_believed(list_host: ShownList, desk: Desk) -> None:
    list_host.shown.insert(3, {"id": "77777777", "name": "표시 없는 광고"})
    with pytest.raises(GiveUp, match="rows shown are not those of its state") as refusal:
        await desk.reading(a_search("place", "국수"))
    assert refusal.value.code is ErrorCode.LAYOUT_CHANGED


async def test_a_list_that_stops_growing_early_is_a_short_page(list_host: ShownList, desk: Desk) -> None:
    list_host.shown = shops(40)
    with pytest.raises(RetryLater, match="short page"):
        await desk.reading(a_search("place", "국수"))


@pytest.mark.parametrize(("device", "first"), [(Device.PC, 70), (Device.MOBILE, 60)])
async def test_a_full_first_batch_after_which_nothing_comes_is_no_reading(
    list_host: ShownList, desk: Desk, device: Device, first: int
) -> None:
    list_host.state, list_host.shown, list_host.total = shops(first), shops(first), 412
    with pytest.raises(RetryLater, match="nothing came after the first"):
        await desk.reading(a_search("place", "국수", device=device))


async def test_a_pc_list_of_less_than_a_page_may_end_before_its_total(list_host: ShownList, desk: Desk) -> None:
    list_host.state, list_host.shown, list_host.total = shops(54), shops(54), 412
    search = a_search("place", "국수", device=Device.PC)
    with pytest.raises(EndInDoubt):
        await desk.reading(search)
    assert (await desk.reading(search, seen_end=54)).rows == KEYS[:54]


@pytest.mark.parametrize(("pages", "message"), [(10, "nothing came after"), (11, "more than 10 pages")])
async def test_pages_are_turned_up_to_a_limit_and_a_list_beyond_it_is_no_reading(
    list_host: ShownList, desk: Desk, monkeypatch: pytest.MonkeyPatch, pages: int, message: str
) -> None:
    monkeypatch.setattr(place_visit, "PAUSE_MS", 5)
    list_host.state, list_host.shown, list_host.total, list_host.pages = shops(70), shops(70), 412, pages
    with pytest.raises(RetryLater, match=message):
        await desk.reading(a_search("place", "국수", device=Device.PC))
