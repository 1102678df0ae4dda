import pytest

from nightjar.domain.tracking import Source
from nightjar.errors import Blocked, ErrorCode, GiveUp, RetryLater, TaskFailure
from tests.doubles.naver.replica import Replica
from tests.integration.naver.desk import Desk, a_search

pytestmark = pytest.mark.anyio

FOOD = "모형동 맛집"
SECRET_ID, SECRET_KEY = "an-id-nobody-knows", "a-key-nobody-knows"


async def failure(desk: Desk, rank_type: str = "blog", **settings: str) -> TaskFailure:
    with pytest.raises(TaskFailure) as raised:
        await desk.reading(a_search(rank_type, FOOD), source=Source.API, settings=settings)
    return raised.value


@pytest.mark.parametrize("rank_type", ["blog", "cafe"])
async def test_a_key_that_is_refused_needs_the_deployer_and_is_not_told(desk: Desk, rank_type: str) -> None:
    raised = await failure(desk, rank_type, NAVER_API_KEY_ID=SECRET_ID, NAVER_API_KEY=SECRET_KEY)
    assert isinstance(raised, GiveUp)
    assert raised.code is ErrorCode.ACTION_REQUIRED
    assert "NAVER_API_KEY" in raised.message
    assert "nobody-knows" not in f"{raised.message} {raised.details}"


async def test_a_key_without_search_is_told_apart_from_a_wrong_key(desk: Desk) -> None:
    raised = await failure(desk, NAVER_API_KEY_ID="replica-key-id-without-search")
    assert raised.code is ErrorCode.ACTION_REQUIRED
    assert "not enabled" in raised.message


@pytest.mark.parametrize("missing", ["NAVER_API_KEY_ID", "NAVER_API_KEY"])
async def test_without_a_key_nothing_is_sent(replica: Replica, desk: Desk, missing: str) -> None:
    raised = await failure(desk, **{missing: ""})
    assert raised.code is ErrorCode.ACTION_REQUIRED
    assert replica.control.requests() == []


async def test_the_limit_of_the_day_is_a_block(replica: Replica, desk: Desk) -> None:
    replica.control.options(api_quota=1)
    await desk.reading(a_search("blog", FOOD), source=Source.API)
    raised = await failure(desk)
    assert isinstance(raised, Blocked)
    assert raised.details["surface"] == "QUOTA"


@pytest.mark.parametrize("fault", ["SHORT", "500", "503", "TRUNCATED", "RESET", "EMPTY"])
async def test_passing_faults_of_the_api_are_tried_later(replica: Replica, desk: Desk, fault: str) -> None:
    replica.control.fault(fault, site="api")
    assert isinstance(await failure(desk), RetryLater)


async def test_a_reply_that_nobody_knows_is_a_changed_layout(replica: Replica, desk: Desk) -> None:
    replica.control.fault("GARBAGE", site="api")
    assert (await failure(desk)).code is ErrorCode.LAYOUT_CHANGED


async def test_a_fault_after_the_first_hundred_rows_gives_no_reading(replica: Replica, desk: Desk) -> None:
    replica.control.fault("500", site="api", after=1)
    with pytest.raises(RetryLater):
        await desk.reading(a_search("blog", FOOD), depth=140, source=Source.API)
