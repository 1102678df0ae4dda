"""Each kind of page holds what is known of the real one, and the traps that a reader must survive."""

import json
import re
from itertools import pairwise
from urllib.parse import quote

import pytest

from tests.doubles.naver.default_scenario import COFFEE, FOOD, HAIR, LANTERN, NO_RESULT, RARE
from tests.doubles.naver.replica import Replica
from tests.integration.doubles import naver_reader as reader


def search(replica: Replica, **query: object) -> str:
    return reader.get(reader.address(replica.urls["NAVER_SEARCH_URL"], "/search.naver", **query)).text


@pytest.mark.parametrize("selection", [{"ssc": "tab.blog.all"}, {"where": "blog"}])
def test_a_blog_page_mixes_adverts_repeats_and_other_hosts_into_thirty_cards(
    replica: Replica, selection: dict[str, str]
) -> None:
    html = search(replica, query=FOOD, **selection)
    keys = reader.blog_keys(html)
    assert len(keys) == 30
    assert len(set(keys)) == 29, "one post is listed twice"
    assert html.count("https://ader.naver.com/v1/") >= 2
    first_post = html[html.index("data-template-id") :]
    assert first_post.index("ader.naver.com") < first_post.index('".nblg"'), "an advert leads the page"
    assert any("tistory.com" in key for key in keys)
    assert 'href="https://search.naver.com/p/crd/rd?' in html
    assert ".captcha" in html
    assert "일시적으로 제한" in html


def test_the_card_of_a_sibling_post_links_to_the_target_but_is_not_the_target(replica: Replica) -> None:
    keyword, key = "형제 글 시험", "nj_sibling01/223400008801"
    target = {"key": key, "around": 20, "ranks": {"2026-03-02": None}}
    replica.control.put_scenario({"keywords": [{"rank_type": "blog", "keyword": keyword, "targets": [target]}]})
    html = search(replica, ssc="tab.blog.all", query=keyword)
    assert f'href="https://blog.naver.com/{key}" data-heatmap-target=".series"' in html
    assert key not in reader.blog_keys(html)


def test_an_advert_leads_through_the_click_host_to_the_tracked_post(replica: Replica) -> None:
    html = search(replica, ssc="tab.blog.all", query=FOOD)
    path = re.search(r"https://ader\.naver\.com(/v1/[^\"]+)", html)
    assert path
    click = reader.get(replica.urls["REPLICA_ADER_URL"] + path[1])
    assert (click.status, click.headers["location"]) == (302, "https://blog.naver.com/nj_lantern01/223400000101")


def test_the_old_and_the_mutated_design_hold_the_same_rows(replica: Replica) -> None:
    usual = reader.blog_keys(search(replica, ssc="tab.blog.all", query=FOOD))
    replica.control.design("mutated")
    mutated = search(replica, ssc="tab.blog.all", query=FOOD)
    assert "sds-comps" not in mutated
    assert "fds-ugc" not in mutated
    assert reader.blog_keys(mutated) == usual
    assert "\\u0026" in mutated[mutated.index("new XLoad(") :]
    replica.control.design("old")
    old = search(replica, ssc="tab.blog.all", query=FOOD)
    assert "data-template-id" not in old[old.index("<body>") :]
    assert reader.old_blog_keys(old) == usual


@pytest.mark.parametrize("version", ["old", "mutated"])
def test_cafe_and_place_rows_stay_the_same_in_every_design(replica: Replica, version: str) -> None:
    place = reader.address(replica.urls["NAVER_PLACE_URL"], "/place/list", query=COFFEE)
    talks = reader.cafe_keys(search(replica, ssc="tab.cafe.all", query=FOOD))
    before = reader.get(place).text
    replica.control.design(version)
    assert reader.cafe_keys(search(replica, ssc="tab.cafe.all", query=FOOD)) == talks
    after = reader.get(place).text
    ids = [[item["id"] for item in reader.listing(reader.apollo(html))[1]] for html in (before, after)]
    assert ids[0] == ids[1]
    assert "VLTHu" in before
    assert "VLTHu" not in after


@pytest.mark.parametrize("ssc", ["tab.blog.all", "tab.cafe.all"])
def test_a_keyword_without_results_says_so_and_shows_no_list(replica: Replica, ssc: str) -> None:
    html = search(replica, ssc=ssc, query=NO_RESULT)
    assert f"'{NO_RESULT}'에 대한 검색결과가 없습니다" in html
    assert "data-replica-list" not in html


def test_a_search_without_a_keyword_is_a_front_page(replica: Replica) -> None:
    assert "ugcItem" not in search(replica, ssc="tab.blog.all")


def test_a_rare_keyword_has_one_page_and_no_next_load(replica: Replica) -> None:
    html = search(replica, ssc="tab.blog.all", query=RARE)
    assert len(set(reader.blog_keys(html))) == 12
    assert reader.next_load(html) == ("", {})


def test_a_load_answers_only_to_the_values_that_the_page_issued(replica: Replica) -> None:
    url, headers = reader.next_load(search(replica, ssc="tab.blog.all", query=FOOD))
    assert reader.get(url, headers).data["collection"][0]["html"]
    assert reader.get(url.replace("equery=", "equery=0"), headers).body == b""
    assert reader.get(url).body == b"", "the header of the page is needed too"
    replica.control.options(query_info_header=False)
    assert reader.get(url).body != b""


def test_start_on_the_tab_is_ignored_unless_told_otherwise(replica: Replica) -> None:
    first = reader.blog_keys(search(replica, ssc="tab.blog.all", query=FOOD))
    assert reader.blog_keys(search(replica, ssc="tab.blog.all", query=FOOD, start=31)) == first
    replica.control.options(search_start="honoured")
    assert reader.blog_keys(search(replica, ssc="tab.blog.all", query=FOOD, start=31)) != first


def test_a_phone_gets_script_blocks_and_a_desktop_is_sent_away(replica: Replica) -> None:
    url = reader.address(replica.urls["NAVER_MOBILE_SEARCH_URL"], "/search.naver", ssc="tab.m_blog.all", query=FOOD)
    phone = reader.get(url, reader.PHONE)
    assert len(reader.phone_blog_keys(phone.text)) == 30
    desktop = reader.get(url, reader.DESKTOP)
    assert desktop.status == 302
    assert desktop.headers["location"].startswith(replica.urls["NAVER_SEARCH_URL"] + "/search.naver?")
    assert reader.blog_keys(reader.get(desktop.headers["location"]).text)


def test_a_cafe_page_has_decoys_adverts_and_signed_links(replica: Replica) -> None:
    html = search(replica, ssc="tab.cafe.all", query=FOOD)
    assert len(reader.cafe_keys(html)) == 30
    assert html.count('<li class="bx">') >= 4, "rows of options and of cafe names"
    assert html.count(">광고<") == 2
    assert re.search(r"https://cafe\.naver\.com/\w+/\d+\?art=\w+\.\w+\.\w+&amp;q=", html)


def test_a_cafe_load_without_the_values_of_the_page_is_muddled_or_empty(replica: Replica) -> None:
    page = search(replica, ssc="tab.cafe.all", query=FOOD)
    url, _ = reader.next_load(page)
    minimal = reader.address(
        replica.urls["NAVER_SEARCH_MORE_URL"], "/p/cafe/48/search.naver", ssc="tab.cafe.all", query=FOOD, start=31
    )
    muddled = reader.cafe_keys(reader.get(minimal).data["result"]["section"][0]["html"])
    assert len(set(muddled) & set(reader.cafe_keys(page))) >= 7
    assert reader.get(url.replace("nqx_context=", "other=")).body == b""


def test_a_cafe_home_names_its_club_id(replica: Replica) -> None:
    base = replica.urls["NAVER_CAFE_URL"]
    club = replica.control.club_id("njcafetable")
    assert f'g_sClubId = "{club}"' in reader.get(f"{base}/njcafetable").text
    assert "njcafetable" not in reader.get(f"{base}/f-e/cafes/{club}/articles/1200101?menuid=1").text
    assert reader.get(f"{base}/nosuchcafe").status == 404


def test_integrated_search_shows_places_posts_and_adverts_apart(replica: Replica) -> None:
    html = search(replica, where="nexearch", query=FOOD)
    rows = re.findall(r'data-nmb_res-doc-id="(\d+)"', html)
    assert 5 <= len(rows) <= 8
    assert 'data-nmb_rese-doc-id="nad-' in html
    assert f"https://m.place.naver.com/restaurant/list?query={quote(FOOD)}" in html
    assert "인기글" in html
    assert 'cru="https://cafe.naver.com/' in html
    phone = reader.get(
        reader.address(replica.urls["NAVER_MOBILE_SEARCH_URL"], "/search.naver", query=FOOD), reader.PHONE
    )
    assert phone.text.count("entry.bootstrap(document") >= 10


def test_a_place_list_hides_its_traps_in_one_script(replica: Replica) -> None:
    url = reader.address(replica.urls["NAVER_PLACE_URL"], "/restaurant/list", query=FOOD)
    html = reader.get(url).text
    script = html[html.index("window.__APOLLO_STATE__") :]
    assert "window.__PLACE_STATE__ = " in script[: script.index("</script>")]
    assert "}; 가 있고 </div>" in script
    state = reader.apollo(html)
    total, items = reader.listing(state)
    assert (total, len(items)) == (412, 50)
    adverts = [value for key, value in state.items() if "AdSummary" in key]
    assert {item["id"] for item in items} & {advert["id"] for advert in adverts}, "a shop is advert and row"
    assert all(advert["adId"].startswith("nad-") for advert in adverts)
    assert any("," in item["totalReviewCount"] for item in items)
    assert {item["visitorReviewScore"] for item in items} == {None}


def test_rows_of_a_place_list_tell_adverts_by_attribute_and_label(replica: Replica) -> None:
    phone = reader.get(reader.address(replica.urls["NAVER_PLACE_URL"], "/restaurant/list", query=FOOD)).text
    pc = reader.get(reader.address(replica.urls["NAVER_PCPLACE_URL"], "/restaurant/list", query=FOOD)).text
    assert phone.count('data-laim-exp-id="undefined*e"') == phone.count(">광고<") == 3
    assert len(re.findall(r'data-laim-exp-id="undefined(?:undefined)?"', phone)) == 15
    assert "새로 오픈했어요" in phone
    assert 'href="https://m.place.naver.com/restaurant/99' in phone
    assert 'href="https://m.place.naver.com' not in pc[: pc.index("<script>")]
    assert len(reader.listing(reader.apollo(pc))[1]) == 70


@pytest.mark.parametrize(
    ("vertical", "keyword", "entity"),
    [
        ("place", COFFEE, "PlaceListBusinessesItem"),
        ("restaurant", FOOD, "RestaurantListSummary"),
        ("hospital", FOOD, "HospitalSummary"),
    ],
)
def test_apollo_names_follow_the_vertical_and_change_in_the_mutated_design(
    replica: Replica, vertical: str, keyword: str, entity: str
) -> None:
    url = reader.address(replica.urls["NAVER_PLACE_URL"], f"/{vertical}/list", query=keyword)
    usual = reader.apollo(reader.get(url).text)
    assert any(key.startswith(f"{entity}:") for key in usual)
    replica.control.design("mutated", site="place")
    mutated = reader.apollo(reader.get(url).text)
    assert not any(key.startswith(f"{entity}:") for key in mutated)
    assert [item["id"] for item in reader.listing(mutated)[1]] == [item["id"] for item in reader.listing(usual)[1]]


def test_a_nested_apollo_state_has_no_references(replica: Replica) -> None:
    html = reader.get(reader.address(replica.urls["NAVER_PLACE_URL"], "/hairshop/list", query=HAIR)).text
    root = reader.apollo(html)["ROOT_QUERY"]
    assert "__ref" not in json.dumps([root[key] for key in root if key.startswith("placeList(")])


def test_there_is_no_cafe_list(replica: Replica) -> None:
    assert reader.get(reader.address(replica.urls["NAVER_PLACE_URL"], "/cafe/list", query=COFFEE)).status == 404


def test_a_place_page_redirects_to_its_vertical_and_a_closed_one_is_gone(replica: Replica) -> None:
    base = replica.urls["NAVER_PLACE_URL"]
    moved = reader.get(f"{base}/place/9900000101/home")
    assert (moved.status, moved.headers["location"]) == (302, f"{base}/restaurant/9900000101/home")
    page = reader.get(moved.headers["location"]).text
    assert 'property="og:title" content="솔바람 국수 : 네이버"' in page
    assert re.search(r"방문자 리뷰 [\d,]+", page)
    assert reader.apollo(page)["PlaceDetailBase:9900000101"]["visitorReviewsTotal"] >= 0
    assert reader.get(f"{base}/place/9900000404/home").status == 404


def test_graphql_gives_the_rows_of_the_list_page_by_page(replica: Replica) -> None:
    url = replica.urls["NAVER_PLACE_GRAPHQL_URL"] + "/graphql"
    asked = {"query": FOOD, "start": 51, "display": 200, "deviceType": "mobile", "businessType": "restaurant"}
    body = json.dumps([{"operationName": "getPlacesList", "variables": {"input": asked}, "query": "..."}])
    rows = reader.get(url, method="POST", body=body).data[0]["data"]["businesses"]
    page = reader.address(replica.urls["NAVER_PLACE_URL"], "/restaurant/list", query=FOOD, start=51, display=100)
    assert [row["id"] for row in rows["items"]] == [
        row["id"] for row in reader.listing(reader.apollo(reader.get(page).text))[1]
    ]
    beyond = json.dumps({"operationName": "getPlacesList", "variables": {"input": asked | {"start": 5000}}})
    assert reader.get(url, method="POST", body=beyond).data["data"]["businesses"]["items"] == []
    adverts = json.dumps([{"operationName": "getAdBusinessList", "variables": {"input": asked}}])
    assert reader.get(url, method="POST", body=adverts).data[0]["data"]["adBusinesses"]["items"]
    assert reader.get(url).status == 405


def test_the_map_is_a_shell_and_its_preview_is_in_another_order(replica: Replica) -> None:
    base = replica.urls["NAVER_MAP_URL"]
    shell = reader.get(f"{base}/p/search/{quote(COFFEE)}")
    assert "<iframe" not in shell.text
    assert "searchIframe" in shell.text
    preview = reader.address(base, "/p/api/search/allSearch", query=COFFEE, type="all")
    assert "CE_EMPTY_TOKEN" in reader.get(preview).text
    token = re.search(r"token=(\w{44})", shell.text)
    assert token
    shown = [row["id"] for row in reader.get(f"{preview}&token={token[1]}").data["result"]["place"]["list"]]
    listed = reader.place_keys(replica.urls["NAVER_PLACE_URL"], "place", COFFEE)
    assert len(shown) == 9
    assert shown != listed[:9]
    entry = reader.get(f"{base}/p/entry/place/9900000101").text
    assert f"{replica.urls['NAVER_PCPLACE_URL']}/restaurant/9900000101/home" in entry


def test_short_links_lead_where_the_scenario_says(replica: Replica) -> None:
    base = replica.urls["NAVER_SHORT_URL"]
    seen = {}
    for code in ("place1", "blog1", "cafe1", "elsewhere", "missing"):
        reply = reader.get(f"{base}/{code}")
        seen[code] = (reply.status, reply.headers.get("location", "")[:32])
    assert seen == {
        "place1": (302, "https://map.naver.com/p/entry/pl"),
        "blog1": (302, "https://m.blog.naver.com/nj_lant"),
        "cafe1": (302, "https://m.cafe.naver.com/njcafet"),
        "elsewhere": (302, "https://example.com/promotion?fr"),
        "missing": (404, ""),
    }
    first = reader.get(f"{base}/twohops")
    second = reader.get(first.headers["location"])
    assert (first.status, second.status) == (301, 302)
    assert "/p/entry/place/9900000101" in second.headers["location"]
    assert 'http-equiv="refresh" content="0; url=https://m.place.naver.com' in reader.get(f"{base}/interstitial").text
    loop = [f"{base}/loop"]
    loop += [reader.get(loop[-1]).headers["location"] for _ in range(1)]
    assert reader.get(loop[-1]).headers["location"] == loop[0]


def test_robots_close_the_search_hosts(replica: Replica) -> None:
    text = reader.get(replica.urls["NAVER_SEARCH_URL"] + "/robots.txt").text
    assert "User-agent: *\nDisallow: /\n" in text


def test_pages_are_compressed_and_set_a_cookie(replica: Replica) -> None:
    url = reader.address(replica.urls["NAVER_SEARCH_URL"], "/search.naver", ssc="tab.blog.all", query=LANTERN)
    plain, packed = reader.get(url), reader.get(url, {"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) < len(plain.body) / 3
    assert plain.headers["set-cookie"].startswith("NNB=")
    assert plain.headers["content-type"] == "text/html; charset=UTF-8"


def test_loads_overlap_by_at_most_two_cards(replica: Replica) -> None:
    page = search(replica, ssc="tab.blog.all", query=FOOD)
    pages = [reader.blog_keys(page)]
    url, headers = reader.next_load(page)
    while url:
        document = reader.get(url, headers).data
        pages.append(reader.blog_keys(document["collection"][0]["html"]))
        url = document["url"]
    assert len(pages) >= 5
    repeated = [len(set(before) & set(after)) for before, after in pairwise(pages)]
    assert max(repeated) >= 1
    assert max(repeated) <= 3, "two cards of the load before, and the one post that is listed twice"
