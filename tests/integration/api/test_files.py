"""CSV in and out: what people keep in spreadsheets."""

import csv
import io
from datetime import date, timedelta
from time import perf_counter

import pytest

from nightjar.adapters.redis.task_queue import RedisTaskQueue
from nightjar.application.tracking_csv import HISTORY_COLUMNS, TRACKING_COLUMNS
from nightjar.tasks import Queue
from nightjar.wiring import Api
from tests.factories import exposed, unknown
from tests.integration.api.callers import CallerClient, error_of
from tests.integration.api.conftest import Alone

HEADER = "rank_type,keyword,target_url,x,y,device\n"
BLOG = "https://blog.naver.com/nj_lantern01/22340000"


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_good_lines_are_taken_and_broken_ones_told_by_line(owner: CallerClient) -> None:
    answer = owner.imports(
        HEADER
        + "place,강남 파스타,https://m.place.naver.com/restaurant/1234567890/home,127.0276,37.4979,\n"
        + "blog,제주 여행,https://blog.naver.com/nj_lantern01,,,\n"
        + "\n"
        + f"blog,제주 여행,{BLOG}0001,,,pc\n"
        + f"news,제주 여행,{BLOG}0001,,,\n"
        + f"blog,   ,{BLOG}0001,,,\n"
        + f"blog,제주 여행,{BLOG}0002,127,,\n"
        + f"blog,제주 여행,{BLOG}0002,x,y,\n"
        + f"blog,제주 여행,{BLOG}0002,1,91,\n"
        + f"blog,제주 여행,{BLOG}0002,nan,1,\n"
        + f"blog,제주 여행,{BLOG}0002,,,tablet\n"
        + f"blog,제주, 여행,{BLOG}0002,,,pc\n"
        + "blog\n"
        + f" Blog , 제주  여행 , {BLOG}0003 ,,,Mobile\n"
    )
    assert answer.status_code == 202
    body = answer.json()
    told = {line["line"]: (line["status"], line["message"]) for line in body["items"]}
    assert {line for line, (status, _) in told.items() if status == "created"} == {2, 5, 15}
    said = {
        3: "not one post",
        6: "place, blog, cafe",
        7: "blank",
        8: "both",
        9: "both be numbers",
        10: "latitude",
        11: "longitude",
        12: "pc, mobile",
        13: "cells",
        14: "keyword",
    }
    for line, words in said.items():
        status, message = told[line]
        assert status == "error"
        assert words in str(message), message
    assert (body["created"], body["exists"], body["errors"], body["checks"]) == (3, 0, 10, 3)
    shown = owner.get("/api/v1/trackings").json()["items"]
    assert {(item["keyword"], item["device"]) for item in shown} == {
        ("강남 파스타", "mobile"),
        ("제주 여행", "pc"),
        ("제주 여행", "mobile"),
    }


def test_imported_trackings_join_the_nightly_queue_with_one_check_per_search(alone: Alone, redis_url: str) -> None:
    lines = [f"blog,부산 여행,{BLOG}{number:04},,,pc\n" for number in range(5)]
    lines += [f"blog,부산 여행,{BLOG}0001,,,mobile\n", f"blog,부산 여행,{BLOG}0001,129.0,35.1,pc\n"]
    body = alone.operator.imports(HEADER + "".join(lines)).json()
    assert (body["created"], body["checks"]) == (7, 3)
    queue = RedisTaskQueue(redis_url)
    published = queue.waiting_ids(Queue.NIGHTLY)
    queue.close()
    assert len(published) == 3
    with alone.database.transaction() as uow:
        checks = [uow.rank_checks.get(task_id) for task_id in published]
    assert sorted(len(check.trackings) for check in checks if check) == [1, 1, 5]


def test_a_line_that_exists_already_is_told_with_its_id(owner: CallerClient) -> None:
    existing = owner.registers(rank_type="blog", keyword="부산 여행", target_url=f"{BLOG}0001")
    body = owner.imports(
        HEADER + f"blog,부산 여행,{BLOG}0001,,,\nblog,부산 여행,{BLOG}0002,,,\nblog,부산  여행,{BLOG}0002,,,\n"
    ).json()
    assert [(line["status"], line["id"]) for line in body["items"]] == [
        ("exists", existing["id"]),
        ("created", body["items"][1]["id"]),
        ("exists", body["items"][1]["id"]),
    ]
    assert body["checks"] == 1


def test_imported_trackings_are_the_callers(owner: CallerClient, stranger: CallerClient) -> None:
    file = HEADER + f"blog,부산 여행,{BLOG}0001,,,\n"
    first, second = owner.imports(file).json(), stranger.imports(file).json()
    assert (first["created"], second["created"]) == (1, 1)
    assert owner.get(f"/api/v1/trackings/{second['items'][0]['id']}").status_code == 404


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_files_of_korean_spreadsheets_are_read(owner: CallerClient, encoding: str) -> None:
    text = HEADER.replace("\n", "\r\n") + f"blog,똠방각하 맛집,{BLOG}0001,,,\r\n"
    assert owner.imports(text.encode(encoding)).json()["created"] == 1
    assert owner.get("/api/v1/trackings").json()["items"][0]["keyword"] == "똠방각하 맛집"


def test_short_links_of_a_file_are_followed(owner: CallerClient) -> None:
    body = owner.imports(
        HEADER + "blog,부산,https://naver.me/blog1,,,\nblog,서울,https://naver.me/blog1,,,\n"
        "place,부산,https://naver.me/loop,,,\n"
    ).json()
    assert [line["status"] for line in body["items"]] == ["created", "created", "error"]
    assert "circle" in body["items"][2]["message"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\n\n,,\n", "empty"),
        (b"keyword,target_url\na,b\n", "rank_type"),
        (b"rank_type,keyword,target_url,colour\n", "colour"),
        (b"rank_type,keyword,target_url,x,x\n", "repeats x"),
        (b"rank_type;keyword;target_url\n", "lacks"),
        ("rank_type,keyword,target_url\nblog,가,b\n".encode("utf-16"), "UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "lacks"),
        (b'"rank_type,keyword\n', "header"),
    ],
)
def test_a_file_that_is_none_is_a_422_with_what_is_accepted(owner: CallerClient, content: bytes, said: str) -> None:
    answer = owner.imports(content)
    assert answer.status_code == 422
    assert said in str(error_of(answer)["message"])


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x"])
def test_a_body_that_says_it_is_something_else_is_a_415(owner: CallerClient, content_type: str) -> None:
    answer = owner.imports(HEADER, **{"content-type": content_type})
    assert answer.status_code == 415
    assert "text/csv" in str(error_of(answer)["message"])


def test_a_file_with_too_many_lines_is_refused_whole(owner: CallerClient) -> None:
    answer = owner.imports(HEADER + f"blog,부산,{BLOG}0001,,,\n" * 5_001)
    assert answer.status_code == 422
    assert "5000" in str(error_of(answer)["message"])
    assert owner.get("/api/v1/trackings").json()["items"] == []


def test_five_thousand_lines_take_seconds(owner: CallerClient) -> None:
    lines = "".join(f"blog,검색어 {number // 2},{BLOG}{number:04},,,\n" for number in range(5_000))
    started = perf_counter()
    body = owner.imports(HEADER + lines).json()
    assert (body["created"], body["errors"], body["checks"]) == (5_000, 0, 2_500)
    assert perf_counter() - started < 10


def test_an_export_can_be_imported_and_asks_the_same_searches(owner: CallerClient, stranger: CallerClient) -> None:
    owner.registers(keyword="=1+1", target_url="https://m.place.naver.com/restaurant/1234567890/home")
    owner.registers(keyword='say "hi", you', location={"x": -73.98, "y": 40.7}, device="pc")
    owner.registers(rank_type="blog", keyword="'-quoted", target_url=f"{BLOG}0001")
    owner.registers(rank_type="cafe", keyword="@cafe", target_url="https://cafe.naver.com/njcafetable/1200101")
    owner.registers(rank_type="place", target_url="https://map.naver.com/p/entry/place/1234567891")
    exported = owner.get("/api/v1/trackings", format="csv")
    assert exported.status_code == 200
    body = stranger.imports(exported.content).json()
    assert (body["created"], body["errors"]) == (5, 0)

    def searches(caller: CallerClient) -> list[tuple[str, ...]]:
        items = caller.get("/api/v1/trackings").json()["items"]
        names = ("rank_type", "keyword", "target_url", "vertical", "location", "device")
        return sorted(tuple(str(item[name]) for name in names) for item in items)

    assert searches(stranger) == searches(owner)
    assert [line["status"] for line in owner.imports(exported.content).json()["items"]] == ["exists"] * 5


def test_a_stopped_tracking_of_an_export_does_not_come_back_to_life(owner: CallerClient) -> None:
    owner.delete(f"/api/v1/trackings/{owner.registers()['id']}")
    body = owner.imports(owner.get("/api/v1/trackings", format="csv").content).json()
    assert [line["status"] for line in body["items"]] == ["error"]
    assert "stopped" in body["items"][0]["message"]


def test_an_export_is_utf_8_with_a_mark_and_has_all_rows_of_more_than_one_page(owner: CallerClient) -> None:
    lines = "".join(f"blog,검색어,{BLOG}{number:04},,,\n" for number in range(1_101))
    owner.imports(HEADER + lines)
    answer = owner.get("/api/v1/trackings", format="csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="trackings.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbfid,rank_type,")
    rows = rows_of(answer.text)
    assert len({row["id"] for row in rows}) == len(rows) == 1_101
    assert tuple(rows[0]) == TRACKING_COLUMNS
    assert len(rows_of(owner.get("/api/v1/trackings", format="csv", status="stopped").text)) == 0


def test_history_is_exported_with_cells_that_no_spreadsheet_runs(owner: CallerClient, api: Api) -> None:
    tracking_id = int(str(owner.registers()["id"]))
    with api.database.transaction() as uow:
        for number in range(600):
            day = date(2024, 1, 1) + timedelta(days=number)
            uow.rank_history.save([exposed(tracking_id, 5)], checked_on=day, source="page", batch_id=None)
        day = date(2026, 1, 1)
        bad = unknown(tracking_id, '=HYPERLINK("https://evil.example")')
        uow.rank_history.save([bad], checked_on=day, source="page", batch_id=None)
    answer = owner.get(f"/api/v1/trackings/{tracking_id}/history", format="csv")
    rows = rows_of(answer.text)
    assert tuple(rows[0]) == HISTORY_COLUMNS
    assert len(rows) == 601
    assert rows[0]["reason"] == '\'=HYPERLINK("https://evil.example")'
    assert (rows[1]["outcome"], rows[1]["rank"], rows[1]["session_number"]) == ("exposed", "5", "24")
    assert [row["checked_on"] for row in rows] == sorted((row["checked_on"] for row in rows), reverse=True)


def test_the_newest_rank_is_in_the_export(owner: CallerClient, api: Api) -> None:
    tracking_id = int(str(owner.registers()["id"]))
    with api.database.transaction() as uow:
        uow.rank_history.save([exposed(tracking_id, 5)], checked_on=date(2026, 1, 1), source="page", batch_id=None)
        uow.rank_history.save([unknown(tracking_id)], checked_on=date(2026, 1, 2), source="page", batch_id=None)
    row = rows_of(owner.get("/api/v1/trackings", format="csv").text)[0]
    assert [row[name] for name in ("last_checked_on", "last_outcome", "last_rank", "last_known_on")] == [
        "2026-01-02",
        "unknown",
        "",
        "2026-01-01",
    ]
    assert row["last_known_rank"] == "5"
