"""Two sources, one list; a list that was not seen is never an empty one."""

import pytest

from crawl_worker.sites.baemin.answers import SearchList
from crawl_worker.sites.baemin.select import ShopSelect, store_of_option
from crawl_worker.sites.baemin.store_list import StoreList
from crawl_worker.sites.owner_site import RawStore
from nightjar.errors import TaskFailure

OPTION = store_of_option("10000001", "[음식배달] 텍스트 이름 / 분식 99999999")
SEARCHED = RawStore(store_id="10000001", name="이름 / 그대로", source="api")
OTHER = RawStore(store_id="10000002", name="둘째", source="api")


def listed(select: ShopSelect, search: SearchList) -> StoreList:
    return StoreList(select=select, search=search)


def code_of(found: StoreList) -> str:
    with pytest.raises(TaskFailure) as refused:
        found.stores()
    return refused.value.code


def test_stores_of_both_sources_are_merged_by_number_and_the_name_is_the_one_of_the_search() -> None:
    found = listed(
        ShopSelect(exists=True, stores=(OPTION,)), SearchList(stores=(OTHER, SEARCHED), is_whole=True)
    ).stores()
    assert [(store.store_id, store.name, store.category) for store in found] == [
        ("10000001", "이름 / 그대로", "분식"),
        ("10000002", "둘째", None),
    ]
    assert found[0].raw_label == "[음식배달] 텍스트 이름 / 분식 99999999"


def test_the_value_of_an_option_wins_over_the_number_in_its_text() -> None:
    assert OPTION.store_id == "10000001"


def test_no_stores_is_said_only_of_a_list_that_was_seen() -> None:
    assert code_of(listed(ShopSelect(), SearchList(is_whole=True))) == "no_stores"
    assert code_of(listed(ShopSelect(), SearchList())) == "layout_changed"
    assert code_of(listed(ShopSelect(exists=True), SearchList())) == "layout_changed"
    assert code_of(listed(ShopSelect(), SearchList(has_failed=True))) == "upstream_error"


def test_a_part_of_a_list_is_no_list() -> None:
    assert code_of(listed(ShopSelect(), SearchList(stores=(OTHER,)))) == "upstream_error"
    headed = ShopSelect(headed=OPTION)
    assert code_of(listed(headed, SearchList(has_failed=True))) == "upstream_error", "the heading shows one of many"


def test_the_heading_tells_more_of_the_store_that_it_shows() -> None:
    headed = RawStore(store_id="10000001", name="텍스트", service_type="음식배달", raw_label="[음식배달] 텍스트")
    [store] = listed(ShopSelect(headed=headed), SearchList(stores=(SEARCHED,), is_whole=True)).stores()
    assert (store.name, store.service_type, store.raw_label) == ("이름 / 그대로", "음식배달", "[음식배달] 텍스트")


def test_waiting_ends_when_both_are_there_or_the_page_is_still() -> None:
    options = ShopSelect(exists=True, stores=(OPTION,))
    assert listed(options, SearchList(is_whole=True)).is_settled(still_for=0, still=1)
    assert not listed(options, SearchList()).is_settled(still_for=0.9, still=1)
    assert listed(options, SearchList()).is_settled(still_for=1, still=1)
    assert not listed(ShopSelect(exists=True), SearchList(is_whole=True)).is_settled(still_for=1, still=1)
