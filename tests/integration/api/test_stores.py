"""Stores as they are listed and exported."""

import csv
import io
from uuid import UUID, uuid4

import pytest

from nightjar.domain.account import Account
from nightjar.domain.store import Store
from nightjar.wiring import Api
from tests.integration.api.callers import CallerClient, error_of
from tests.integration.api.test_accounts import given
from tests.integration.stores.records import a_store, account_now, saved

PATH = "/api/v1/stores"


def account_of(caller: CallerClient, api: Api, login_id: str = "lantern001") -> Account:
    return account_now(api.database, UUID(given(caller, login_id)))


def saved_by(api: Api, account: Account, *stores: Store) -> None:
    saved(api.database, account, *stores)


def numbers(caller: CallerClient, **filters: object) -> list[str]:
    answer = caller.get(PATH, **filters)
    assert answer.status_code == 200, answer.text
    return [item["platform_store_id"] for item in answer.json()["items"]]


def test_a_store_is_shown_whole_with_null_for_what_was_not_read(owner: CallerClient, api: Api) -> None:
    account = account_of(owner, api)
    saved_by(api, account, a_store("1", store_name="가상 카페·디저트 & 빵", sub_type="[음식배달]", lat=37.5, lng=127.0))
    (shown,) = owner.get(PATH).json()["items"]
    assert (shown["platform"], shown["account_id"], shown["platform_store_id"]) == ("baemin", str(account.id), "1")
    assert (shown["store_name"], shown["sub_type"], shown["lat"]) == ("가상 카페·디저트 & 빵", "[음식배달]", 37.5)
    assert {shown[name] for name in ("phone", "status", "brand", "address", "business_no", "missing_since")} == {None}
    assert (shown["last_changes"], shown["changed_by"]) == ([], None)


def test_each_store_says_what_changed_last(owner: CallerClient, api: Api) -> None:
    account = account_of(owner, api)
    saved_by(api, account, a_store("1", status="OPEN"), a_store("2"))
    saved_by(api, account, a_store("1", status="CLOSED"), a_store("2"))
    two, one = owner.get(PATH).json()["items"]
    assert one["last_changes"] == [{"field": "status", "old_value": "OPEN", "new_value": "CLOSED"}]
    assert UUID(one["changed_by"])
    assert two["last_changes"] == []


def test_stores_are_found_by_account_number_status_and_absence(owner: CallerClient, api: Api) -> None:
    one, other = account_of(owner, api, "lantern001"), account_of(owner, api, "lantern002")
    saved_by(api, one, a_store("1", status="OPEN"), a_store("2", status="CLOSED"))
    saved_by(api, one, a_store("1"))
    saved_by(api, other, a_store("3", status="OPEN"))
    assert numbers(owner) == ["3", "2", "1"]
    assert numbers(owner, account_id=one.id) == ["2", "1"]
    assert numbers(owner, platform_store_id="3") == ["3"]
    assert numbers(owner, status="OPEN") == ["3", "1"]
    assert numbers(owner, missing="true") == ["2"]
    assert numbers(owner, missing="false", platform="baemin") == ["3", "1"]
    assert numbers(owner, account_id=uuid4()) == []
    (changed,) = owner.get(PATH, missing="true").json()["items"]
    assert numbers(owner, changed_since=changed["changed_at"]) == ["3", "2"]
    assert numbers(owner, changed_since="2999-01-01T00:00:00") == []


def test_stores_are_listed_page_by_page(owner: CallerClient, api: Api) -> None:
    saved_by(api, account_of(owner, api), *(a_store(str(number)) for number in range(10, 15)))
    first = owner.get(PATH, limit=2).json()
    assert [item["platform_store_id"] for item in first["items"]] == ["14", "13"]
    assert numbers(owner, limit=200, cursor=first["next"]) == ["12", "11", "10"]


def test_an_owner_sees_its_own_stores_only(
    owner: CallerClient, stranger: CallerClient, operator: CallerClient, api: Api
) -> None:
    account = account_of(owner, api)
    saved_by(api, account, a_store("1"))
    assert numbers(stranger) == []
    assert numbers(stranger, account_id=account.id) == []
    assert stranger.get(PATH, format="csv").text.count("\r\n") == 1
    assert numbers(operator, account_id=account.id) == ["1"]


def test_the_stores_of_a_deleted_account_stay(owner: CallerClient, api: Api) -> None:
    account = account_of(owner, api)
    saved_by(api, account, a_store("1"))
    owner.delete(f"/api/v1/accounts/{account.id}")
    assert numbers(owner) == ["1"]


def test_a_file_holds_all_stores_that_fit_and_no_formula(owner: CallerClient, api: Api) -> None:
    account = account_of(owner, api)
    saved_by(api, account, *(a_store(str(number)) for number in range(1_000, 1_600)))
    saved_by(
        api, account_of(owner, api, "lantern002"), a_store("1", store_name="=HYPERLINK(1)", phone="02-1", lat=37.5)
    )
    answer = owner.get(PATH, format="csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="stores.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 601
    assert (rows[0]["store_name"], rows[0]["phone"], rows[0]["lat"], rows[0]["brand"]) == (
        "'=HYPERLINK(1)",
        "02-1",
        "37.5",
        "",
    )
    only = owner.get(PATH, format="csv", platform_store_id="1")
    assert len(list(csv.DictReader(io.StringIO(only.content.decode("utf-8-sig"))))) == 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("missing=perhaps", "missing"),
        ("account_id=1", "account_id"),
        ("platform=elsewhere", "platform"),
        ("changed_since=yesterday", "changed_since"),
        ("changed_since=0001-01-01T00:00:00%2B14:00", "changed_since"),
        ("changed_since=9999-12-31T23:59:59-14:00", "changed_since"),
        ("cursor=x", "cursor"),
        ("status=%00", "status"),
    ],
)
def test_a_filter_that_means_nothing_is_a_422(owner: CallerClient, query: str, said: str) -> None:
    answer = owner.get(f"{PATH}?{query}")
    assert answer.status_code == 422
    assert said in str(error_of(answer)["message"])
