import json
from typing import Any

import pytest

from crawl_worker.sites.naver.place_page import batch_of_reply, has_errors, place_batch
from crawl_worker.sites.naver.script_json import BrokenValue
from tests.unit.naver.pages import apollo, place_page, shop

THREE: list[dict[str, object]] = [shop("11111111"), shop("22222222"), shop("33333333")]
KEYS = ("place:11111111", "place:22222222", "place:33333333")


def rows(state: dict[str, Any], keyword: str = "국수") -> tuple[str | None, ...]:
    batch = place_batch(place_page(state), keyword)
    assert batch is not None
    return batch.rows


def test_rows_are_the_items_of_the_list_and_neither_adverts_nor_recommendations() -> None:
    assert rows(apollo(THREE)) == KEYS


def test_the_list_of_another_query_is_not_taken_however_long() -> None:
    assert len(rows(apollo(THREE, query="국 수"), "국 수")) == 3
    assert place_batch(place_page({"ROOT_QUERY": apollo(THREE)["ROOT_QUERY"]}), "못 본 낱말") is None


@pytest.mark.parametrize("total", [412, "412"])
def test_total_and_start_are_told(total: object) -> None:
    batch = place_batch(place_page(apollo(THREE, total=total, start=51)), "국수")
    assert batch is not None
    assert (batch.total, batch.start, batch.size) == (412, 51, 3)


def test_a_total_with_thousands_separators_is_a_number() -> None:
    batch = place_batch(place_page(apollo(THREE, total="1,234")), "국수")
    assert batch is not None
    assert batch.total == 1234


def renamed(state: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    return json.loads(json.dumps(state).replace(old, new))  # type: ignore[no-any-return]


def test_names_of_queries_and_types_do_not_matter() -> None:
    state = renamed(renamed(apollo(THREE), "placeList(", "shopFeed("), "PlaceListBusinessesItem", "Feed")
    assert rows(state) == KEYS


def test_items_may_lie_right_under_the_query() -> None:
    state = apollo(THREE)
    root = state["ROOT_QUERY"]
    key = next(key for key in root if key.startswith("placeList(") and "국수" in key)
    root["restaurantList" + key[len("placeList") :]] = root.pop(key)["businesses"]
    assert rows(state) == KEYS


def test_items_may_be_nested_instead_of_referenced() -> None:
    state = apollo(THREE)
    root = state["ROOT_QUERY"]
    key = next(key for key in root if key.startswith("placeList(") and "국수" in key)
    root[key] = {"businesses": {"items": THREE, "total": 3}}
    assert rows({"ROOT_QUERY": root}) == KEYS


@pytest.mark.parametrize("field", ["adId", "adClickLog", "adDescription"])
def test_an_advert_among_the_items_is_dropped(field: str) -> None:
    batch = place_batch(place_page(apollo([shop("99999999", **{field: "nad-a001"}), *THREE])), "국수")
    assert batch is not None
    assert (batch.rows, batch.size) == (KEYS, 4)


def test_empty_advert_fields_make_no_advert() -> None:
    assert rows(apollo([shop("11111111", adId=None, adClickLog=""), *THREE[1:]])) == KEYS


@pytest.mark.parametrize("place_id", [None, "", "abc"])
def test_a_row_without_id_takes_a_slot(place_id: str | None) -> None:
    assert rows(apollo([THREE[0], shop(place_id), THREE[1]])) == ("place:11111111", None, "place:22222222")


def test_a_reference_to_nothing_takes_a_slot() -> None:
    state = apollo(THREE)
    del state["Item:22222222:1"]
    assert rows(state) == ("place:11111111", None, "place:33333333")


def test_braces_semicolons_and_tags_in_texts_do_no_harm() -> None:
    assert rows(apollo([shop("11111111", microReview='줄 끝 }; 와 </div> {"a"'), *THREE[1:]])) == KEYS


def test_a_page_without_state_has_no_batch() -> None:
    assert place_batch("<html><body>다른 쪽</body></html>", "국수") is None


def test_a_list_of_adverts_is_no_list_of_places_even_when_it_is_empty() -> None:
    argument = json.dumps({"input": {"query": "국수"}}, ensure_ascii=False)
    for adverts in ([], [shop("11111111", adId="nad-1")]):
        state = {"ROOT_QUERY": {f"adBusinesses({argument})": {"items": adverts, "total": len(adverts)}}}
        assert place_batch(place_page(state), "국수") is None
    unnamed = {"ROOT_QUERY": {f"promoted({argument})": {"items": [shop("11111111", adId="nad-1")], "total": 1}}}
    assert place_batch(place_page(unnamed), "국수") is None


def test_a_state_that_breaks_off_is_an_error() -> None:
    html = place_page(apollo(THREE))
    with pytest.raises(BrokenValue):
        place_batch(html[: html.index("33333333")], "국수")


@pytest.mark.parametrize("name", ["businesses", "places", "restaurantList"])
@pytest.mark.parametrize("is_array", [True, False])
def test_a_reply_of_the_data_service_is_read_under_any_alias(name: str, *, is_array: bool) -> None:
    result = {"data": {"adBusinesses": {"items": [shop("9")]}, name: {"total": 412, "items": THREE}}}
    batch = batch_of_reply([result] if is_array else result)
    assert batch is not None
    assert (batch.rows, batch.total) == (KEYS, 412)


def test_a_reply_about_something_else_has_no_batch() -> None:
    assert batch_of_reply([{"data": {"adBusinesses": {"items": []}}}]) is None
    assert batch_of_reply({"payload": 1}) is None


def test_errors_without_data_are_noticed() -> None:
    assert has_errors([{"errors": [{"message": "Too many requests"}], "data": None}])
    assert not has_errors([{"errors": [{"message": "partly"}], "data": {"businesses": {}}}])
