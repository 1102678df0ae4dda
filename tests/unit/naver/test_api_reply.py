import json

import pytest

from crawl_worker.sites.naver.api_reply import judge_api
from nightjar.errors import Blocked, ErrorCode, GiveUp, RetryLater, TaskFailure
from tests.unit.naver.pages import answer

API = "https://naverapihub.apigw.ntruss.com/search/v1/blog?query=x"


def reply(links: list[str], total: int) -> str:
    items = [{"title": "<b>국수</b>", "link": link} for link in links]
    return json.dumps({"lastBuildDate": "", "total": total, "start": 1, "display": len(items), "items": items})


def hub(code: str, message: str = "", details: str = "") -> str:
    return json.dumps({"error": {"errorCode": code, "message": message, "details": details}})


def old(code: str, message: str = "") -> str:
    return json.dumps({"errorMessage": message, "errorCode": code})


def failure(text: str, status: int) -> TaskFailure:
    with pytest.raises(TaskFailure) as raised:
        judge_api(answer(text, status, url=API), start=1, display=100)
    return raised.value


def test_every_form_of_link_becomes_its_row() -> None:
    links = [
        "https://blog.naver.com/NJ_lamp1/223400000001",
        "https://blog.naver.com/nj_lamp2?Redirect=Log&logNo=223400000002",
        "https://nj.tistory.com/5",
        "http://cafe.naver.com/njcafemoss001/11?art=ZXh0",
    ]
    page = judge_api(answer(reply(links, 4), url=API), start=1, display=100)
    assert page.rows == (
        "blog:nj_lamp1/223400000001",
        "blog:nj_lamp2/223400000002",
        "url:https://nj.tistory.com/5",
        "cafe:njcafemoss001/11",
    )
    assert page.total == 4


def test_no_result_at_all_is_a_whole_reply() -> None:
    assert judge_api(answer(reply([], 0), url=API), start=1, display=100).rows == ()


@pytest.mark.parametrize(("start", "total"), [(1, 412), (1, 4), (101, 104)])
def test_fewer_rows_than_the_reply_itself_claims_are_a_short_page(start: int, total: int) -> None:
    text = reply(["https://blog.naver.com/nj/223400000001"] * 3, total)
    with pytest.raises(RetryLater, match="short page"):
        judge_api(answer(text, url=API), start=start, display=100)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (hub("200", "Authentication Failed"), 401),
        (old("024", "NID AUTH Result Invalid"), 401),
        (old("024", "Scope Status Invalid"), 401),
        (hub("210", "Permission Denied"), 403),
        (hub("300", "URL not found"), 404),
        (old("SE05"), 404),
        ("<html>Forbidden</html>", 403),
        (hub("200"), 200),
    ],
)
def test_what_only_the_deployer_can_mend_says_so(text: str, status: int) -> None:
    raised = failure(text, status)
    assert isinstance(raised, GiveUp)
    assert raised.code is ErrorCode.ACTION_REQUIRED


@pytest.mark.parametrize(
    ("text", "status"),
    [(hub("400", "Quota Exceeded"), 429), (old("010"), 429), (old("012"), 429), ("", 429), (hub("400"), 200)],
)
def test_a_limit_of_calls_leaves_the_api_alone_for_a_while(text: str, status: int) -> None:
    raised = failure(text, status)
    assert isinstance(raised, Blocked)
    assert raised.details["surface"] == "QUOTA"


@pytest.mark.parametrize(
    ("text", "status"), [(hub("900"), 500), (hub("900"), 400), (old("SE99"), 500), ("", 503), ("{", 200), ("", 200)]
)
def test_trouble_of_the_api_passes(text: str, status: int) -> None:
    raised = failure(text, status)
    assert isinstance(raised, RetryLater)
    assert raised.code is ErrorCode.UPSTREAM_ERROR


@pytest.mark.parametrize("code", ["SE01", "SE02", "SE03", "SE04", "SE06"])
def test_a_call_that_is_wrong_is_given_up(code: str) -> None:
    raised = failure(old(code), 400)
    assert isinstance(raised, GiveUp)
    assert raised.code is ErrorCode.UPSTREAM_ERROR
    assert code in raised.message


@pytest.mark.parametrize("document", [{"items": []}, {"total": 3}, {"payload": 1}, [], "x", None])
def test_a_reply_of_another_form_is_a_changed_layout(document: object) -> None:
    assert failure(json.dumps(document), 200).code is ErrorCode.LAYOUT_CHANGED


def test_what_the_api_says_of_a_key_is_not_repeated() -> None:
    texts = [
        hub("200", "Authentication Failed", "key SECRET-KEY is invalid"),
        old("024", "Not Exist Client Secret SECRET-KEY"),
        hub("SECRET-KEY"[:3], "SECRET-KEY"),
    ]
    for text in texts:
        raised = failure(text, 401)
        assert "SECRET-KEY" not in f"{raised.message} {raised.details}"
