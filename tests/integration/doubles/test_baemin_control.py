"""The owner site's API and control port: the signed header, faults, counters, sessions, and freezing a step."""

import socket
import time
from http.client import IncompleteRead
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Error as BrowserError

from tests.doubles.baemin.replica import Json, Replica, ReplicaError
from tests.integration.doubles.baemin_owner import ID, Calls, get, log_in, owner_page

PROFILE = "/v1/session/profile"
SEARCH = "/v4/store/shops/search"
REFUSED = "보안 위배 접근 제한"


def calls(site: Replica, login_id: str = "ok-4-brands") -> Calls:
    return Calls(site, site.control.open_session(login_id))


def search(site: Replica, login_id: str, page_size: int = 50, last: str = "") -> Json:
    owner = site.control.account(login_id)["owner_number"]
    query = f"?shopOwnerNo={owner}&lastOffsetId={last}&pageSize={page_size}&desc=true"
    return calls(site, login_id).get(SEARCH, query).data


def test_a_signed_call_is_answered_once_with_cors_for_the_owner_origin(site: Replica) -> None:
    owner = calls(site)
    signed = owner.header(PROFILE)
    first, again = owner.get(PROFILE, signed=signed), owner.get(PROFILE, signed=signed)
    assert first.data == {"shopOwnerNumber": site.control.account("ok-4-brands")["owner_number"]}
    assert first.headers["access-control-allow-origin"] == site.urls["BAEMIN_SELF_URL"]
    assert first.headers["access-control-allow-credentials"] == "true"
    assert (again.status, "access-control-allow-origin" in again.headers) == (403, False)
    assert REFUSED in again.text


@pytest.mark.parametrize("why", ["absent", "malformed", "stale", "forged", "foreign"])
def test_a_call_without_a_good_header_gets_a_403_page_without_cors(site: Replica, why: str) -> None:
    owner = calls(site)
    good = owner.header(PROFILE)
    sent = {
        "absent": "",
        "malformed": "1|2|3",
        "stale": owner.header(PROFILE, at=int(time.time() * 1000) - 120_000),
        "forged": good[:-1] + ("0" if good[-1] != "0" else "1"),
        "foreign": good,
    }[why]
    headers = {"Cookie": owner.cookie, "x-e-request": sent, "Origin": site.urls["BAEMIN_SELF_URL"]}
    if why == "foreign":
        del headers["Origin"]
    answer = get(site.urls["BAEMIN_API_URL"] + PROFILE, headers)
    assert (answer.status, "access-control-allow-origin" in answer.headers) == (403, False)
    assert REFUSED in answer.text
    assert [entry["fault"] for entry in site.control.requests(path=PROFILE)] == [f"header: {why}"]
    assert site.control.counters()["all"]["unsigned"] == 1


def test_a_raw_fetch_in_the_page_fails_while_the_page_itself_is_answered(site: Replica, browser: Browser) -> None:
    raw = f"fetch('{site.urls['BAEMIN_API_URL']}{PROFILE}', {{credentials: 'include'}}).then(r => r.status)"
    with owner_page(browser, site, session_of="ok-1-no-select") as page:
        with page.expect_response(lambda answer: answer.url.endswith(PROFILE) and answer.ok) as own:
            page.goto(site.urls["BAEMIN_SELF_URL"] + "/")
        assert own.value.request.headers["service-channel"] == "SELF_SERVICE_PC"
        page.wait_for_selector("#board > *")
        with pytest.raises(BrowserError, match="Failed to fetch"):
            page.evaluate(raw)
    outside = get(site.urls["BAEMIN_API_URL"] + PROFILE)
    assert (outside.status, outside.headers["content-type"].split(";")[0]) == (403, "text/html")


def test_the_search_goes_on_from_the_last_number_until_a_short_page(site: Replica) -> None:
    found: list[int] = []
    sizes = []
    for _ in range(3):
        rows = search(site, "ok-120", last=str(found[-1]) if found else "")["contents"]
        sizes.append(len(rows))
        found += [row["shopNo"] for row in rows]
    assert sizes == [50, 50, 19]
    assert found == sorted(set(found), reverse=True)
    site.control.mode("ok-120", rows_key="content")
    assert len(search(site, "ok-120")["content"]) == 50


def test_details_are_those_of_the_own_shops_only(site: Replica) -> None:
    stores = {name: site.control.account(name)["stores"][0] for name in ("ok-4-brands", "ok-1")}
    own = calls(site).get(f"/v4/store/shops/{stores['ok-4-brands']['platform_store_id']}")
    foreign = calls(site).get(f"/v4/store/shops/{stores['ok-1']['platform_store_id']}")
    assert own.data["name"] == stores["ok-4-brands"]["store_name"]
    assert (foreign.status, foreign.data["errorType"]) == (404, "NOT_FOUND")
    other_owner = calls(site).get(SEARCH, "?shopOwnerNo=209999999999")
    assert (other_owner.status, other_owner.data["errorType"]) == (400, "INVALID_PARAMETER")


@pytest.mark.parametrize(
    ("way", "status", "kind"),
    [
        ("error_500", 500, "application/json"),
        ("unauthorised_401", 401, "application/json"),
        ("limited_429", 429, "application/json"),
        ("forbidden_403", 403, "text/html"),
        ("wrong_type", 200, "text/html"),
    ],
)
def test_the_api_misbehaves_as_it_is_told_on_the_paths_that_are_named(
    site: Replica, way: str, status: int, kind: str
) -> None:
    site.control.mode("ok-4-brands", api=way, api_path="/v1/session")
    answer = calls(site).get(PROFILE)
    assert (answer.status, answer.headers["content-type"].split(";")[0]) == (status, kind)
    assert calls(site).get("/v2/maintenance").data == {"maintenance": False}
    assert "contents" in search(site, "ok-4-brands")


def test_the_api_can_be_slow_or_cut_its_answer(site: Replica) -> None:
    site.control.timing(slow_api=0.3)
    site.control.mode("ok-4-brands", api="slow")
    began = time.monotonic()
    assert calls(site).get(PROFILE).status == 200
    assert time.monotonic() - began >= 0.3
    site.control.mode("ok-4-brands", api="cut")
    with pytest.raises(IncompleteRead):
        calls(site).get(PROFILE)
    assert site.control.requests(path=PROFILE)[-1]["status"] == 0


def test_a_dropped_login_has_happened_all_the_same(site: Replica, browser: Browser) -> None:
    site.control.mode("ok-1", login="cut")
    with owner_page(browser, site) as page:
        log_in(page, site, site.control.account("ok-1"))
        page.wait_for_selector("[role=alert]")
    counted = site.control.counters("ok-1")
    assert (counted["login_posts"], counted["logins"]) == (1, 1)


def test_counters_tell_accounts_apart_and_start_again_at_zero(site: Replica) -> None:
    for login_id in ("ok-1", "ok-1", "ok-4-brands"):
        assert calls(site, login_id).get(PROFILE).status == 200
    counted = site.control.counters()
    assert {name: one["api_calls"] for name, one in counted["accounts"].items()} == {"ok-1": 2, "ok-4-brands": 1}
    assert (counted["all"]["api_calls"], counted["all"]["pages"]) == (3, 3)
    assert [entry["login_id"] for entry in site.control.requests(site="api")] == ["ok-1", "ok-1", "ok-4-brands"]
    site.control.reset_log()
    assert not any(site.control.counters()["all"].values())
    assert site.control.requests() == []


def test_sessions_end_when_they_are_told_to_and_with_a_reset(site: Replica) -> None:
    ended, other, late = calls(site, "ok-1"), calls(site), calls(site)
    for one in (ended, other, late):
        one.open_page()
    assert site.control.invalidate_sessions("ok-1") == 1
    answer = ended.get(PROFILE)
    assert (answer.status, answer.data["errorType"]) == (401, "UNAUTHORIZED")
    away = get(site.urls["BAEMIN_SELF_URL"] + "/", {"Cookie": ended.cookie})
    assert away.headers["location"].startswith(site.urls["BAEMIN_MEMBER_URL"] + "/login")
    assert other.get(PROFILE).status == 200
    site.control.reset()
    assert late.get(PROFILE).status == 401


def test_a_session_that_has_had_its_calls_is_dead_for_pages_too(site: Replica) -> None:
    site.control.mode("ok-1", session_calls=1)
    owner = calls(site, "ok-1")
    assert [owner.get(PROFILE).status for _ in range(2)] == [200, 401]
    away = get(site.urls["BAEMIN_SELF_URL"] + "/", {"Cookie": owner.cookie})
    assert away.headers["location"].startswith(site.urls["BAEMIN_MEMBER_URL"] + "/login")
    assert site.control.counters("ok-1")["expiries"] == 1


def test_a_block_outlives_the_session_that_met_it(site: Replica) -> None:
    site.control.mode("ok-1", blocked_after=2, block_page="403")
    owner = calls(site, "ok-1")
    assert [owner.get(PROFILE).status for _ in range(2)] == [200, 403]
    fresh = site.control.open_session("ok-1")["cookies"][0]
    page = get(site.urls["BAEMIN_SELF_URL"] + "/", {"Cookie": f"{fresh['name']}={fresh['value']}"})
    assert (page.status, REFUSED in page.text) == (403, True)
    assert site.control.counters("ok-1")["blocks"] == 2


def test_the_secrets_are_every_password_and_every_cookie(site: Replica) -> None:
    account = site.control.account("bad-password")
    cookie = site.control.open_session("ok-1")["cookies"][0]["value"]
    made = site.control.create_accounts(1)[0]
    site.control.reset()
    assert {account["password"], account["right_password"], cookie, made["password"]} <= set(site.control.secrets())


def test_a_frozen_login_page_holds_the_browser_until_it_is_released(site: Replica, browser: Browser) -> None:
    site.control.freeze("login_page")
    with owner_page(browser, site) as page:
        page.evaluate(f"location.href = '{site.urls['BAEMIN_MEMBER_URL']}/login'")
        held = site.control.wait_frozen("login_page")
        assert (held["path"], held["login_id"]) == ("/login", "")
        site.control.release()
        page.wait_for_selector(ID)
    assert site.control.frozen() == []


@pytest.mark.parametrize("step", ["login_init", "login_submit", "navigation", "extraction", "detail"])
def test_each_step_freezes_for_the_account_that_is_named(site: Replica, browser: Browser, step: str) -> None:
    account = site.control.account("ok-4-brands")
    site.control.freeze(step, login_id="" if step == "login_init" else "ok-4-brands")
    with owner_page(browser, site) as page:
        log_in(page, site, account)
        if step == "detail":
            page.wait_for_selector("#board > *")
            number = account["stores"][0]["platform_store_id"]
            page.evaluate(f"location.href = '/shops/{number}/manage'")
        held = site.control.wait_frozen(step)
        assert held["login_id"] == ("" if step == "login_init" else "ok-4-brands")
        assert calls(site, "ok-1").get(PROFILE).status == 200, "another account goes on"
        posts = site.control.counters("ok-4-brands")["login_posts"]
        assert posts == (0 if step == "login_init" else 1), "a post counts as it arrives"
        site.control.release(step)
        page.wait_for_selector("#board > *")
    assert any(entry["frozen"] for entry in site.control.requests())


def test_a_freeze_is_bounded_and_forgets_clients_that_are_gone(site: Replica) -> None:
    site.control.freeze("login_page", seconds=0.3)
    began = time.monotonic()
    assert get(site.urls["BAEMIN_MEMBER_URL"] + "/login").status == 200
    assert 0.3 <= time.monotonic() - began < 3
    site.control.release()
    site.control.freeze("login_page")
    address = urlsplit(site.urls["BAEMIN_MEMBER_URL"])
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=5) as client:
        client.sendall(f"GET /login HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        site.control.wait_frozen("login_page")
    deadline = time.monotonic() + 5
    while site.control.frozen() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert site.control.frozen() == []
    last = site.control.requests(path="/login")[-1]
    assert (last["status"], last["fault"]) == (0, "client gone")


def test_a_mistake_in_a_control_call_is_explained(site: Replica) -> None:
    with pytest.raises(ReplicaError, match="no account 'nobody'"):
        site.control.mode("nobody", popups="none")
    with pytest.raises(ReplicaError, match="popups is one of"):
        site.control.mode("ok-1", popups="confetti")
    with pytest.raises(ReplicaError, match="there is no 'colour'"):
        site.control.site(colour="mint")
    with pytest.raises(ReplicaError, match="form_ms must be like"):
        site.control.timing(form_ms="soon")
    with pytest.raises(ReplicaError, match="step is one of"):
        site.control.freeze("breakfast")
    with pytest.raises(ReplicaError, match="at most"):
        site.control.create_accounts(0)


def test_the_settings_are_those_of_the_product(site: Replica) -> None:
    assert sorted(site.settings) == ["BAEMIN_API_URL", "BAEMIN_MEMBER_URL", "BAEMIN_SELF_URL"]
    assert len({urlsplit(url).port for url in site.urls.values()}) == 4
    assert {urlsplit(url).hostname for url in site.urls.values()} == {"127.0.0.1"}
