"""The pages of the owner site in a real browser: what is drawn late, what lies over it, and where it leads."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as NotInTime

from tests.doubles.baemin.replica import Replica
from tests.integration.doubles.baemin_owner import ID, PASSWORD, SELECT, get, log_in, owner_page, screen

BACKDROP = "[data-testid=backdrop]"
TODAY = "오늘 하루 보지 않기"


def home(site: Replica) -> str:
    return site.urls["BAEMIN_SELF_URL"] + "/"


def login_url(site: Replica) -> str:
    return site.urls["BAEMIN_MEMBER_URL"] + "/login"


def the_click_is_swallowed(page: Page) -> bool:
    try:
        page.get_by_role("button", name="주문내역 주문내역").click(timeout=250)
    except NotInTime as error:
        return "backdrop" in str(error)
    return False


def test_the_login_form_is_drawn_after_the_page_has_loaded(site: Replica, browser: Browser) -> None:
    site.control.timing(form_ms=[400, 400])
    with owner_page(browser, site) as page:
        page.goto(login_url(site), wait_until="load")
        assert page.locator("input").count() == 0
        page.wait_for_selector(ID)
        assert "아이디" in (page.locator(ID).get_attribute("placeholder") or "")
        assert page.locator(PASSWORD).get_attribute("type") == "password"
        expect(page.get_by_role("button", name="로그인")).to_have_attribute("type", "submit")


def test_the_login_sends_neither_id_nor_password_in_clear(site: Replica, browser: Browser) -> None:
    account = site.control.account("ok-1")
    with owner_page(browser, site) as page:
        with page.expect_request("**/v1/login") as sent:
            log_in(page, site, account)
        body = sent.value.post_data or ""
        page.wait_for_url(home(site))
    assert account["login_id"] not in body
    assert account["password"] not in body
    asked = [entry["path"] for entry in site.control.requests(site="member", kind="xhr")]
    assert asked == ["/v1/login/init", "/v1/login"]


def test_after_the_login_the_way_leads_back_where_it_was_meant_to(site: Replica, browser: Browser) -> None:
    account = site.control.account("ok-4-brands")
    wanted = f"{home(site)}shops/{account['stores'][2]['platform_store_id']}/manage"
    with owner_page(browser, site) as page:
        page.goto(wanted, wait_until="domcontentloaded")
        assert page.url.startswith(login_url(site) + "?returnUrl=")
        log_in(page, site, account)
        page.wait_for_url(wanted)
        page.goto(login_url(site) + "?returnUrl=http%3A%2F%2F127.0.0.1%3A9%2F")
        log_in(page, site, account)
        page.wait_for_url(home(site))


def test_the_session_is_a_cookie_that_all_origins_share_and_scripts_cannot_read(
    site: Replica, browser: Browser
) -> None:
    with owner_page(browser, site) as page:
        log_in(page, site, site.control.account("ok-1"))
        page.wait_for_url(home(site))
        (cookie,) = page.context.cookies()
        assert (cookie["domain"], cookie["path"], cookie["httpOnly"]) == ("127.0.0.1", "/", True)
        assert page.evaluate("document.cookie") == ""
        state = page.context.storage_state()
    with owner_page(browser, site, state=state) as page:
        page.goto(home(site))
        assert screen(page) == "in"


@pytest.mark.parametrize(
    ("rule", "meaning"), [("maintenance", "maintenance"), ("blocked_403", "blocked"), ("captcha", "action_required")]
)
def test_the_login_page_can_be_another_screen(site: Replica, browser: Browser, rule: str, meaning: str) -> None:
    site.control.site(login_page=rule)
    with owner_page(browser, site) as page:
        page.goto(login_url(site))
        assert screen(page) == meaning


def test_the_login_page_can_have_another_form_or_none(site: Replica, browser: Browser) -> None:
    with owner_page(browser, site) as page:
        site.control.site(login_page="never_renders")
        page.goto(login_url(site))
        page.wait_for_timeout(250)
        assert page.locator("#root > *").count() == 0
        site.control.site(login_page="changed")
        page.reload()
        page.wait_for_selector("input")
        assert page.locator(f"{ID}, form, button[type=submit]").count() == 0
        assert page.locator("input").count() == 2


@pytest.mark.parametrize("where", ["login", "start"])
def test_a_visitor_without_a_session_is_sent_away(site: Replica, browser: Browser, where: str) -> None:
    site.control.site(logged_out=where)
    with owner_page(browser, site) as page:
        page.goto(home(site))
        if where == "start":
            assert page.url == home(site) + "start"
            page.get_by_text("셀프서비스 시작하기").click()
        page.wait_for_selector(ID)


def test_the_login_address_of_the_owner_origin_is_a_false_404_with_a_way_out(site: Replica, browser: Browser) -> None:
    with owner_page(browser, site) as page:
        page.goto(home(site) + "login")
        assert "페이지를 찾을 수 없음" in page.locator("body").inner_text()
        page.get_by_role("button", name="홈으로 이동").click()
        page.wait_for_selector(ID)


def test_home_has_doubled_names_a_docked_chatbot_and_options_that_come_late(site: Replica, browser: Browser) -> None:
    site.control.timing(options_ms=[1500, 1500])
    account = site.control.account("ok-4-brands")
    site.control.mode("ok-4-brands", popups="none")
    with owner_page(browser, site, session_of="ok-4-brands") as page:
        page.goto(home(site))
        for name in ("리뷰관리", "가게관리", "주문내역", "정산내역"):
            expect(page.get_by_role("button", name=f"{name} {name}", exact=True)).to_be_visible()
        expect(page.locator("[role=dialog][class*=ChatRoom-module]")).to_be_visible()
        assert page.locator(f"{SELECT} option").count() == 0
        page.wait_for_selector(f"{SELECT} option", state="attached")
        values = page.locator(f"{SELECT} option").evaluate_all("all => all.map(one => one.value)")
        assert values == ["", *(row["platform_store_id"] for row in account["stores"])]
        page.select_option(SELECT, values[3])
        expect(page.locator("[class^=ShopSelect-module] h3")).to_contain_text(account["stores"][2]["store_name"])


def test_the_classes_of_the_select_can_have_another_suffix(site: Replica, browser: Browser) -> None:
    site.control.mode("ok-4-brands", select="other_suffix", popups="none")
    with owner_page(browser, site, session_of="ok-4-brands") as page:
        page.goto(home(site))
        page.wait_for_selector(f"{SELECT} option", state="attached")
        assert "ShopSelect-module___pC1" not in (page.locator(SELECT).get_attribute("class") or "")


def test_one_of_many_options_is_there_twice(site: Replica, browser: Browser) -> None:
    with owner_page(browser, site, session_of="ok-120") as page:
        page.goto(home(site))
        page.wait_for_selector(f"{SELECT} option", state="attached")
        values = page.locator(f"{SELECT} option").evaluate_all("all => all.map(one => one.value)")
    assert (len(values), len(set(values))) == (122, 121)


def test_the_review_page_has_another_select_first_and_its_rows_grow(site: Replica, browser: Browser) -> None:
    with owner_page(browser, site, session_of="ok-120") as page:
        page.goto(home(site))
        page.get_by_role("button", name="리뷰관리 리뷰관리").click()
        page.wait_for_url(re.compile("/reviews$"))
        page.wait_for_selector("[data-index]")
        assert "ShopSelect" not in (page.locator("select").first.get_attribute("class") or "")
        assert page.locator("[data-index]").first.inner_text().count("리뷰번호") == 1
        total = int(page.get_by_role("tab").first.inner_text().removeprefix("전체(").removesuffix(")"))
        assert total > 20
        expect(page.locator("[data-index]")).to_have_count(20)
        page.get_by_role("button", name="더보기").click()
        expect(page.locator("[data-index]")).to_have_count(min(total, 40))


def test_a_foreign_or_unknown_shop_leads_home(site: Replica) -> None:
    foreign = site.control.account("ok-4-brands")["stores"][0]["platform_store_id"]
    (cookie,) = site.control.open_session("ok-1")["cookies"]
    session = {"Cookie": f"{cookie['name']}={cookie['value']}"}
    for number in (foreign, "99999999", "abc"):
        answer = get(f"{home(site)}shops/{number}/manage", session)
        assert (answer.status, answer.headers["location"]) == (302, "/")
    assert "페이지를 찾을 수 없음" in get(home(site) + "nowhere", session).text


@pytest.mark.parametrize(
    ("mode", "way_out"),
    [
        ("immediate", TODAY),
        ("immediate", "X"),
        ("immediate", "Escape"),
        ("immediate", "backdrop"),
        ("only_x", "X"),
        ("escape_ignored", "backdrop"),
        ("guide", "X"),
    ],
)
def test_a_popup_swallows_clicks_until_it_is_closed(site: Replica, browser: Browser, mode: str, way_out: str) -> None:
    site.control.mode("ok-1", popups=mode)
    with owner_page(browser, site, session_of="ok-1") as page:
        page.goto(home(site))
        page.wait_for_selector(BACKDROP)
        assert the_click_is_swallowed(page)
        if mode in {"only_x", "escape_ignored", "guide"}:
            page.keyboard.press("Escape")
            assert page.locator(BACKDROP).count() == 1
        if way_out == "Escape":
            page.keyboard.press("Escape")
        elif way_out == "backdrop":
            page.locator(BACKDROP).click(position={"x": 5, "y": 5})
        else:
            page.get_by_role("button", name="닫기" if way_out == "X" else way_out, exact=True).click()
        expect(page.locator(BACKDROP)).to_have_count(0)
        page.get_by_role("button", name="주문내역 주문내역").click()
        page.wait_for_url(home(site) + "orders/history")


def test_stacked_popups_close_one_by_one(site: Replica, browser: Browser) -> None:
    with owner_page(browser, site, session_of="ok-4-brands") as page:
        page.goto(home(site))
        for left in (3, 2, 1):
            expect(page.locator(BACKDROP)).to_have_count(left)
            page.keyboard.press("Escape")
        expect(page.locator(BACKDROP)).to_have_count(0)


def test_a_late_popup_comes_after_a_while_and_another_after_the_first_escape(site: Replica, browser: Browser) -> None:
    site.control.timing(late_popup_ms=[200, 200])
    site.control.mode("ok-1", popups="late")
    with owner_page(browser, site, session_of="ok-1") as page:
        page.goto(home(site))
        assert page.locator(BACKDROP).count() == 0
        page.wait_for_selector(BACKDROP)
        page.keyboard.press("Escape")
        expect(page.locator(BACKDROP)).to_have_count(0)
        page.wait_for_selector(BACKDROP)


def test_a_popup_returns_on_each_visit_until_it_is_refused_for_the_day(site: Replica, browser: Browser) -> None:
    site.control.mode("ok-1", popups="returning")
    with owner_page(browser, site, session_of="ok-1") as page:
        page.goto(home(site))
        page.wait_for_selector(BACKDROP)
        page.get_by_role("button", name="닫기", exact=True).click()
        page.reload()
        page.wait_for_selector(BACKDROP)
        page.get_by_role("button", name=TODAY).click()
        page.reload()
        page.wait_for_selector("#board > *")
        assert page.locator(BACKDROP).count() == 0


def test_the_period_dialog_is_a_dialog_without_a_backdrop(site: Replica, browser: Browser) -> None:
    site.control.mode("ok-1", popups="period_dialog")
    number = site.control.account("ok-1")["stores"][0]["platform_store_id"]
    with owner_page(browser, site, session_of="ok-1") as page:
        page.goto(f"{home(site)}shops/{number}/reviews")
        dialog = page.get_by_role("dialog").filter(has_text="최근 30일")
        expect(dialog).to_contain_text("기간")
        assert page.locator(BACKDROP).count() == 0
        dialog.get_by_role("button", name="적용").click()
        expect(dialog).to_have_count(0)


def test_the_bot_rules_send_programs_to_the_block_screen_or_give_them_no_form(site: Replica, browser: Browser) -> None:
    with owner_page(browser, site, session_of="ok-1") as page:
        site.control.site(bot_rule="webdriver")
        for url in (login_url(site), home(site)):
            page.goto(url)
            page.wait_for_url(home(site) + "bridge")
            assert "잠시 후 다시 시도해 주세요" in page.locator("body").inner_text()
        agent = page.evaluate("navigator.userAgent")
        site.control.site(bot_rule="header", bot_header=agent)
        page.goto(login_url(site))
        page.wait_for_timeout(250)
        assert page.locator("input").count() == 0
        site.control.site(bot_header="SomethingElse")
        page.reload()
        page.wait_for_selector(ID)
    assert site.control.counters()["all"]["bridges"] == 2


@pytest.mark.parametrize("when", ["loaded", "parsing"])
def test_an_endless_script_holds_its_page_and_dies_with_the_context(site: Replica, browser: Browser, when: str) -> None:
    site.control.timing(hang=20)
    site.control.mode("ok-1", endless="home", endless_when=when, popups="none")
    with owner_page(browser, site, session_of="ok-1") as page:
        page.set_default_timeout(1000)
        page.goto(home(site), wait_until="commit")
        with pytest.raises(NotInTime):
            page.locator("nothing").wait_for(timeout=500)
        with pytest.raises(NotInTime):
            page.get_by_role("button", name="주문내역 주문내역").click(timeout=500)
    with owner_page(browser, site, session_of="ok-4-brands") as page:
        page.goto(home(site))
        assert screen(page) == "in"


def test_the_script_of_the_login_page_can_be_endless_too(site: Replica, browser: Browser) -> None:
    site.control.timing(hang=20)
    site.control.site(login_page="endless")
    with owner_page(browser, site) as page:
        page.goto(login_url(site), wait_until="commit")
        with pytest.raises(NotInTime):
            page.wait_for_selector(ID, timeout=500)
