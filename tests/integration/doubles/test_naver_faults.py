"""Faults, the rate rule, the request log and the life of the process: what tests of the crawler lean on."""

import http.client
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.naver.default_scenario import BOOKS, FOOD, LANTERN
from tests.doubles.naver.replica import Replica, ReplicaError
from tests.integration.doubles import naver_reader as reader

ROOT = Path(__file__).resolve().parents[3]


def blog_url(replica: Replica, keyword: str = FOOD) -> str:
    return reader.address(replica.urls["NAVER_SEARCH_URL"], "/search.naver", ssc="tab.blog.all", query=keyword)


def place_url(replica: Replica, **query: object) -> str:
    return reader.address(replica.urls["NAVER_PLACE_URL"], "/restaurant/list", query=FOOD, **query)


def api_call(replica: Replica, path: str = "/search/v1/blog", **query: object) -> reader.Page:
    keys = {
        "X-NCP-APIGW-API-KEY-ID": replica.urls["NAVER_API_KEY_ID"],
        "X-NCP-APIGW-API-KEY": replica.urls["NAVER_API_KEY"],
    }
    return reader.get(reader.address(replica.urls["NAVER_API_URL"], path, **query), keys)


def test_a_refused_search_is_a_403_of_28_kilobytes_with_the_known_words(replica: Replica) -> None:
    replica.control.fault("S403", site="search")
    page = reader.get(blog_url(replica))
    assert page.status == 403
    assert 26_000 < len(page.body) < 30_000
    assert "검색 서비스 이용이 제한되었습니다" in page.text
    assert "제한 해제" in page.text
    assert "127.0.0.1" in page.text


def test_a_captcha_notice_has_status_200_and_no_results(replica: Replica) -> None:
    replica.control.fault("S200")
    page = reader.get(blog_url(replica))
    assert page.status == 200
    assert "자동입력 방지" in page.text
    assert "ugcItem" not in page.text


@pytest.mark.parametrize(("fault", "status"), [("P429", 429), ("P200", 200)])
def test_a_refused_place_page_prints_the_address_of_the_caller(replica: Replica, fault: str, status: int) -> None:
    replica.control.fault(fault, site="place")
    page = reader.get(place_url(replica))
    assert page.status == status
    assert "과도한 접근 요청으로 서비스 이용이 제한되었습니다" in page.text
    assert "127.0.0.1" in page.text
    assert "retry-after" not in page.headers
    assert reader.get(replica.urls["NAVER_PLACE_URL"] + "/robots.txt").status == status


def test_a_refusal_can_say_when_to_come_back(replica: Replica) -> None:
    replica.control.fault("P429", site="place", retry_after=7)
    assert reader.get(place_url(replica)).headers["retry-after"] == "7"


def test_an_empty_reply_has_status_200_and_no_bytes(replica: Replica) -> None:
    replica.control.fault("EMPTY", site="search")
    page = reader.get(blog_url(replica))
    assert (page.status, page.body) == (200, b"")


def test_a_short_page_has_three_rows_and_still_a_next_load(replica: Replica) -> None:
    replica.control.fault("SHORT")
    page = reader.get(blog_url(replica)).text
    assert len(reader.blog_keys(page)) == 3
    assert reader.next_load(page)[0]
    total, rows = reader.listing(reader.apollo(reader.get(place_url(replica)).text))
    assert (total, len(rows)) == (412, 3)
    assert len(api_call(replica, query=FOOD, display=100).data["items"]) == 3
    replica.control.fault("SHORT", drops_next=True)
    assert reader.next_load(reader.get(blog_url(replica)).text)[0] == ""


def test_graphql_and_map_have_refusals_of_their_own(replica: Replica) -> None:
    graphql = replica.urls["NAVER_PLACE_GRAPHQL_URL"] + "/graphql"
    replica.control.fault("G405", site="place_graphql", limit=1)
    captcha = reader.get(graphql, method="POST", body="[]")
    assert captcha.status == 405
    assert "WtmCaptcha" in captcha.text
    replica.control.fault("GERR", site="place_graphql")
    assert "errors" in reader.get(graphql, method="POST", body="[]").data[0]
    replica.control.fault("CE", site="map")
    assert "CE_EMPTY_TOKEN" in reader.get(replica.urls["NAVER_MAP_URL"] + "/p/api/search/allSearch").text


def test_a_login_redirect_leads_to_the_login_host(replica: Replica) -> None:
    replica.control.fault("LOGIN", site="search")
    page = reader.get(blog_url(replica))
    assert page.status == 302
    assert page.headers["location"].startswith(replica.urls["REPLICA_NID_URL"] + "/nidlogin.login?")
    assert "로그인" in reader.get(page.headers["location"]).text


def test_a_slow_reply_comes_whole_and_late(replica: Replica) -> None:
    replica.control.fault("SLOW", site="search", delay=0.3)
    began = time.monotonic()
    assert len(reader.blog_keys(reader.get(blog_url(replica)).text)) == 30
    assert time.monotonic() - began >= 0.3
    replica.control.fault("SLOW", site="search", delay=30)
    with pytest.raises(TimeoutError):
        reader.get(blog_url(replica), timeout=0.2)


def test_a_dropped_connection_gives_nothing_or_half(replica: Replica) -> None:
    replica.control.fault("RESET", site="search")
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        reader.get(blog_url(replica))
    replica.control.fault("RESET", site="search", partial=True)
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        reader.get(blog_url(replica))
    assert {entry["status"] for entry in replica.control.requests(site="search")} == {0}


@pytest.mark.parametrize("status", ["500", "502", "503"])
def test_server_errors_have_their_status(replica: Replica, status: str) -> None:
    replica.control.fault(status, site="search")
    assert reader.get(blog_url(replica)).status == int(status)


def test_a_truncated_reply_ends_in_the_middle(replica: Replica) -> None:
    whole = reader.get(blog_url(replica))
    replica.control.fault("TRUNCATED")
    part = reader.get(blog_url(replica))
    assert whole.body.startswith(part.body)
    assert 0.5 < len(part.body) / len(whole.body) < 0.7
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        _ = api_call(replica, query=FOOD).data


def test_garbage_has_normal_size_and_none_of_the_known_markers(replica: Replica) -> None:
    replica.control.fault("GARBAGE")
    markers = (
        "ugcItem",
        "lst_view",
        "title_link",
        "APOLLO",
        "XLoad",
        "naver.com",
        "제한",
        "captcha",
        "검색결과가 없습니다",
        "items",
    )
    for page in (reader.get(blog_url(replica)), reader.get(place_url(replica)), api_call(replica, query=FOOD)):
        assert page.status == 200
        assert len(page.body) > 1_000
        assert not [marker for marker in markers if marker in page.text]


def test_a_fault_meets_only_what_its_conditions_name(replica: Replica) -> None:
    replica.control.fault("S403", site="search", keyword=FOOD, day="2026-03-02", user_agent="Robot")
    robot = {"User-Agent": "Robot/1"}
    assert reader.get(blog_url(replica), robot).status == 403
    assert reader.get(blog_url(replica)).status == 200
    assert reader.get(blog_url(replica, BOOKS), robot).status == 200
    replica.control.set_day("2026-03-03")
    assert reader.get(blog_url(replica), robot).status == 200
    replica.control.set_day("2026-03-02")
    replica.control.clear_faults()
    assert reader.get(blog_url(replica), robot).status == 200


def test_a_fault_can_begin_late_and_be_spent(replica: Replica) -> None:
    replica.control.fault("503", site="search", after=1, limit=2)
    assert [reader.get(blog_url(replica)).status for _ in range(5)] == [200, 503, 503, 200, 200]
    assert replica.control.faults()[0]["met"] == 5


def test_a_block_can_come_in_the_middle_of_a_list(replica: Replica) -> None:
    replica.control.fault("EMPTY", site="search_more", step=2)
    url, headers = reader.next_load(reader.get(blog_url(replica)).text)
    assert reader.get(url, headers).body == b""
    replica.control.fault("P429", site="place", step=3)
    statuses = [reader.get(place_url(replica, start=start, display=100)).status for start in (1, 101, 201)]
    assert statuses == [200, 200, 429]
    replica.control.fault("500", site="api", step=2)
    assert [api_call(replica, query=FOOD, display=50, start=start).status for start in (1, 51)] == [200, 500]


def test_a_fault_can_wait_until_a_cookie_is_old(replica: Replica) -> None:
    cookie = reader.get(blog_url(replica)).headers["set-cookie"].split(";")[0]
    replica.control.fault("S403", site="search", cookie_age=0.2)
    assert reader.get(blog_url(replica), {"Cookie": cookie}).status == 200
    time.sleep(0.25)
    assert reader.get(blog_url(replica), {"Cookie": cookie}).status == 403


@pytest.mark.parametrize("wrong", [{"id": "S404"}, {"id": "S403", "site": "www"}, {"id": "S403", "when": 1}])
def test_a_mistyped_fault_is_refused_with_what_is_accepted(replica: Replica, wrong: dict[str, Any]) -> None:
    with pytest.raises(ReplicaError, match=r"one of|has the fields"):
        replica.control.fault(wrong.pop("id"), **wrong)


def test_a_mistyped_scenario_is_refused(replica: Replica) -> None:
    with pytest.raises(ReplicaError, match="Keyword has no field"):
        replica.control.put_scenario({"keywords": [{"rank_type": "blog", "keyword": "낱말", "row": 5}]})
    with pytest.raises(ReplicaError, match="unknown traps"):
        replica.control.put_scenario(
            {"keywords": [{"rank_type": "cafe", "keyword": "낱말", "traps": ["nameless_row"]}]}
        )


def test_the_rate_rule_blocks_a_hasty_client_and_forgives_it_later(replica: Replica) -> None:
    assert [reader.get(blog_url(replica)).status for _ in range(15)] == [200] * 15, "off at start"
    replica.control.rate_rule(enabled=True, search_requests=3, search_window=5, block=0.3)
    assert [reader.get(blog_url(replica)).status for _ in range(5)] == [200, 200, 200, 403, 403]
    time.sleep(0.35)
    assert reader.get(blog_url(replica)).status == 200
    replica.control.rate_rule(enabled=True)
    assert [reader.get(place_url(replica)).status for _ in range(6)] == [200] * 5 + [429]


def test_the_log_tells_what_came_when_and_why_it_was_refused(replica: Replica) -> None:
    replica.control.fault("S403", site="search", keyword=LANTERN)
    reader.get(blog_url(replica), {"User-Agent": "Nightjar test"})
    time.sleep(0.1)
    reader.get(blog_url(replica, LANTERN))
    reader.get(replica.urls["NAVER_SEARCH_URL"] + "/favicon.ico")
    reader.get(blog_url(replica), {"X-Replica-Script": "1"})
    first, second, icon, script = replica.control.requests(site="search")
    assert (first["user_agent"], first["keyword"], first["status"], first["fault"]) == ("Nightjar test", FOOD, 200, "")
    assert (second["keyword"], second["status"], second["fault"]) == (LANTERN, 403, "S403")
    assert [first["kind"], icon["kind"], script["kind"]] == ["page", "static", "xhr"]
    assert 0.1 <= second["started_at"] - first["started_at"] < 2
    assert second["monotonic"] - first["monotonic"] == pytest.approx(
        second["started_at"] - first["started_at"], abs=0.05
    )
    assert first["finished_at"] >= first["started_at"]
    assert replica.urls["NAVER_SEARCH_URL"].endswith(first["host_port"])
    assert len(replica.control.requests(site="search", kind="page", keyword=FOOD)) == 1
    replica.control.reset_log()
    assert replica.control.requests() == []


def test_a_request_in_flight_is_already_in_the_log(replica: Replica) -> None:
    replica.control.fault("SLOW", site="search", delay=30)
    with pytest.raises(TimeoutError):
        reader.get(blog_url(replica), timeout=0.2)
    entry = replica.control.requests(site="search")[0]
    assert (entry["fault"], entry["status"]) == ("SLOW", None)


def test_the_api_has_limits_and_two_kinds_of_errors(replica: Replica) -> None:
    good = api_call(replica, query=FOOD, display=100).data
    assert (good["total"], good["display"], len(good["items"])) == (140, 100, 100)
    assert "<b>" in good["items"][0]["title"]
    assert any("Redirect=Log" in item["link"] for item in good["items"])
    assert len(api_call(replica, "/search/v1/cafearticle", query=FOOD, display=100).data["items"]) == 100
    local = api_call(replica, "/search/v1/local", query=FOOD, display=5).data["items"]
    assert len(local) == 5
    assert "id" not in local[0]
    wrong = (api_call(replica, query=FOOD, display=101), api_call(replica, query=FOOD, start=1001), api_call(replica))
    assert [reply.data["error"]["errorCode"] for reply in wrong] == ["SE02", "SE03", "SE01"]
    hub = replica.urls["NAVER_API_URL"]
    missing = reader.get(reader.address(hub, "/search/v1/blog", query=FOOD))
    assert (missing.status, missing.data["error"]["errorCode"]) == (401, "200")
    old = reader.get(reader.address(hub, "/v1/search/blog.json", query=FOOD))
    assert (old.status, old.data["errorCode"]) == (401, "024")
    keys = {"X-Naver-Client-Id": "replica-client", "X-Naver-Client-Secret": "replica-client-secret"}
    assert reader.get(reader.address(hub, "/v1/search/blog.json", query=FOOD), keys).data["items"]


def test_the_api_stops_at_its_daily_quota(replica: Replica) -> None:
    replica.control.options(api_quota=2)
    assert [api_call(replica, query=FOOD).status for _ in range(3)] == [200, 200, 429]
    replica.control.set_day("2026-03-03")
    assert api_call(replica, query=FOOD).status == 200


def test_the_process_announces_itself_and_stops_on_sigterm(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "tests.doubles.naver", "--ready-file", str(ready)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()
        assert ready.read_text() == line
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert process.stdout.read() == ""


def test_the_process_does_not_outlive_the_one_that_started_it() -> None:
    script = (
        "import os; from tests.doubles.naver.replica import Replica; "
        "replica = Replica().start(); print(replica.pid, flush=True); os._exit(1)"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
    deadline = time.monotonic() + 5
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
