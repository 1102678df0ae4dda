"""What the JSON service says, in each envelope, and what is made of what it does not say."""

import pytest

from crawl_worker.sites.baemin.answers import (
    SEARCH_PATH,
    Answer,
    Json,
    business_no,
    read_search,
    rows_of,
    with_detail,
)
from crawl_worker.sites.owner_site import RawStore

STORE = RawStore(store_id="10000001", name="텍스트 이름", category="분식", service_type="음식배달", raw_label="label")
DETAIL = {
    "shopNo": 10000001,
    "name": "가상분식 테스트점",
    "categories": [{"name": "카페·디저트"}],
    "address": {"road": {"address": "모형로 1"}, "latitude": 37.5, "longitude": 127.0},
    "telephone": "050-0000-0001",
    "operationStatus": "OPEN",
}


def search(rows: list[Json], *, size: int = 2, status: int = 200, key: str = "contents") -> Answer:
    return Answer(path=SEARCH_PATH, query=(("pageSize", str(size)),), status=status, document={key: rows})


def row(number: int) -> Json:
    return {"shopNo": number, "name": f"가게 {number}"}


def test_pages_of_a_search_are_one_list_once_the_shorter_page_has_come() -> None:
    full = read_search([search([row(1), row(2)]), search([row(3), row(4)])])
    assert ([store.store_id for store in full.stores], full.is_whole) == (["1", "2", "3", "4"], False)
    whole = read_search([search([row(1), row(2)]), search([row(2)], key="content")])
    assert ([store.store_id for store in whole.stores], whole.is_whole) == (["1", "2"], True)


def test_an_empty_list_was_seen_and_a_failed_call_was_not() -> None:
    assert read_search([search([])]).is_whole
    failed = read_search([search([], status=500)])
    assert (failed.is_whole, failed.has_failed) == (False, True)
    assert not read_search([]).is_whole
    other = Answer(path="/v4/store/shops/temporary-stop-status", query=(), status=200, document={"content": []})
    assert not read_search([other]).is_whole


def test_rows_that_are_not_understood_make_no_whole_list() -> None:
    assert not read_search([search([{"cell": 1}])]).is_whole


@pytest.mark.parametrize(
    "document",
    [
        {"contents": [1]},
        {"content": [1]},
        {"data": {"content": [1], "last": True}},
        {"code": 200, "data": {"contents": [1]}},
    ],
)
def test_the_list_is_found_in_every_known_envelope(document: Json) -> None:
    assert rows_of(document) == [1]


@pytest.mark.parametrize("document", [None, [], {"data": None}, {"errorType": "X"}, "text", {"contents": None}])
def test_what_holds_no_list_is_not_an_empty_one(document: Json) -> None:
    assert rows_of(document) is None


def test_a_detail_adds_what_it_says_and_wins_over_the_text() -> None:
    read = with_detail(STORE, DETAIL)
    assert read == RawStore(
        store_id="10000001",
        name="가상분식 테스트점",
        category="카페·디저트",
        service_type="음식배달",
        road_address="모형로 1",
        lat=37.5,
        lng=127.0,
        phone="050-0000-0001",
        status="OPEN",
        raw_label="label",
        source="detail",
    )


def test_what_a_detail_does_not_say_stays_unknown() -> None:
    read = with_detail(STORE, {"data": {"shopNo": "10000001"}})
    assert read is not None
    assert (read.name, read.category) == ("텍스트 이름", "분식")
    unknown = (read.road_address, read.lat, read.lng, read.phone, read.status, read.brand, read.business_no)
    assert unknown == (None,) * 7
    assert read.gone == frozenset()


def test_a_field_that_is_there_and_empty_is_gone() -> None:
    read = with_detail(STORE, DETAIL | {"telephone": "", "operationStatus": None})
    assert read is not None
    assert (read.phone, read.status, read.gone) == (None, None, frozenset({"phone", "status"}))


@pytest.mark.parametrize(
    "document", [None, [], {}, DETAIL | {"shopNo": 10000002}, DETAIL | {"shopNo": True}, {"data": []}]
)
def test_the_detail_of_another_store_or_of_none_is_not_taken(document: Json) -> None:
    assert with_detail(STORE, document) is None


@pytest.mark.parametrize(
    "address", [None, "x", {"road": "x"}, {"latitude": "37", "longitude": 999}, {"latitude": True}]
)
def test_an_address_in_another_shape_is_unknown(address: Json) -> None:
    read = with_detail(STORE, DETAIL | {"address": address})
    assert read is not None
    assert (read.road_address, read.lat, read.lng) == (None, None, None)


def test_the_registration_number_is_read_where_it_is() -> None:
    assert business_no({"businessNo": "000-00-00001"}) == "000-00-00001"
    assert business_no({"businessNo": 5}) is None
    assert business_no(None) is None
