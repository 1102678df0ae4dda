"""Lists: whole, without holes and repeats, however they are paged and whatever is added meanwhile."""

import base64
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from nightjar.wiring import Api
from tests.factories import exposed
from tests.integration.api.callers import CallerClient, error_of
from tests.integration.api.conftest import Alone

AT_ONE_MOMENT = text("UPDATE tasks SET created_at = '2026-03-02T01:00:00Z' WHERE correlation_id = :correlation_id")


def walk(
    caller: CallerClient, path: str, *, limit: int, key: str, between: Callable[[], object] = lambda: None
) -> list[object]:
    """The keys of all items, page by page."""
    found: list[object] = []
    parameters: dict[str, object] = {"limit": limit}
    while True:
        page = caller.get(path, **parameters).json()
        assert len(page["items"]) <= limit
        found += [item[key] for item in page["items"]]
        if page["next"] is None:
            return found
        assert page["items"]
        parameters["cursor"] = page["next"]
        between()


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
def test_trackings_are_paged_without_holes_while_others_are_added(owner: CallerClient, limit: int) -> None:
    ids = [owner.registers()["id"] for _ in range(7)]
    assert walk(owner, "/api/v1/trackings", limit=limit, key="id", between=owner.registers) == ids[::-1]


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_tasks_are_paged_without_holes_though_many_were_made_in_one_moment(
    owner: CallerClient, api: Api, limit: int
) -> None:
    lines = "\n".join(f"blog,검색 {number},https://blog.naver.com/nj_lantern01/{number}" for number in range(100, 107))
    made = owner.imports(f"rank_type,keyword,target_url\n{lines}\n", x_request_id=f"made-at-once-{limit}")
    with api.database.transaction() as uow:
        uow.connection.execute(AT_ONE_MOMENT, {"correlation_id": made.headers["x-request-id"]})
    found = walk(owner, "/api/v1/tasks", limit=limit, key="task_id")
    assert len(found) == 7
    assert len(set(found)) == 7


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_history_is_paged_without_holes(owner: CallerClient, api: Api, limit: int) -> None:
    tracking_id = int(str(owner.registers()["id"]))
    days = [date(2026, 3, 1) + timedelta(days=number) for number in range(5)]
    with api.database.transaction() as uow:
        for day in days:
            uow.rank_history.save([exposed(tracking_id)], checked_on=day, source="page", batch_id=None)
    found = walk(owner, f"/api/v1/trackings/{tracking_id}/history", limit=limit, key="checked_on")
    assert found == [day.isoformat() for day in reversed(days)]


def test_batches_and_keys_are_paged_without_holes(alone: Alone) -> None:
    batches = [alone.operator.post("/api/v1/batches").json()["id"] for _ in range(5)]
    assert walk(alone.operator, "/api/v1/batches", limit=2, key="id") == batches[::-1]
    for number in range(4):
        alone.operator.issues_a_key_to(f"shop {number}")
    names = walk(alone.operator, "/api/v1/keys", limit=2, key="name")
    assert names == ["shop 3", "shop 2", "shop 1", "shop 0", "bootstrap"]


LISTS = ("/api/v1/trackings", "/api/v1/tasks", "/api/v1/batches", "/api/v1/keys")


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "",
        "!!!!",
        "가나다",
        "A" * 10_000,
        encoded("1|trackings"),
        encoded("1|trackings|0"),
        encoded("1|trackings|-5"),
        encoded("1|trackings|99999999999999999999"),
        encoded("1|trackings|1|2"),
        encoded("2|trackings|1"),
        encoded("1|batches|x"),
        encoded("1|tasks|yesterday|00000000-0000-0000-0000-000000000000"),
        encoded("1|tasks|2026-03-01T00:00:00|00000000-0000-0000-0000-000000000000"),
        encoded("1|tasks|0001-01-01T00:00:00+23:59|00000000-0000-0000-0000-000000000000"),
        encoded("1|tasks|2026-03-01T00:00:00+00:00|nobody"),
        encoded("1|keys|2026-03-01T00:00:00+00:00"),
    ],
)
def test_a_bad_cursor_is_a_422_that_says_where_cursors_come_from(
    operator: CallerClient, path: str, cursor: str
) -> None:
    answer = operator.get(path, cursor=cursor)
    assert answer.status_code == 422, answer.text
    assert "`next` of the page before" in str(error_of(answer)["message"])


def test_a_cursor_of_one_list_or_tracking_is_none_of_another(owner: CallerClient, api: Api) -> None:
    first, second = (int(str(owner.registers()["id"])) for _ in range(2))
    cursor = owner.get("/api/v1/trackings", limit=1).json()["next"]
    assert owner.get("/api/v1/batches", cursor=cursor).status_code == 422
    with api.database.transaction() as uow:
        for day in (date(2026, 3, 1), date(2026, 3, 2)):
            uow.rank_history.save([exposed(first)], checked_on=day, source="page", batch_id=None)
    cursor = owner.get(f"/api/v1/trackings/{first}/history", limit=1).json()["next"]
    assert owner.get(f"/api/v1/trackings/{second}/history", cursor=cursor).status_code == 422
    assert owner.get(f"/api/v1/trackings/{first}/history", cursor="x").status_code == 422


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", ["0", "-1", "201", "x", "1e3", ""])
def test_a_limit_out_of_range_is_a_422(operator: CallerClient, path: str, limit: str) -> None:
    answer = operator.get(path, limit=limit)
    assert answer.status_code == 422
    assert "limit" in str(error_of(answer)["message"])
