"""A host that throttles ends lists early for some ten seconds: what it cuts must not become a `not exposed`."""

import pytest

from nightjar.domain.tracking import Device, Search
from nightjar.errors import EndInDoubt
from tests.doubles.naver.replica import Replica
from tests.integration.naver.desk import Desk, a_search, a_target, truths

pytestmark = pytest.mark.anyio

ABSENT = {"blog": "nj_nobody/223400009999", "cafe": "njcafenowhere/9999999", "place": "9900009999"}
TABS = [(rank_type, device) for rank_type in ("blog", "cafe") for device in Device]


def show(replica: Replica, rank_type: str, rows: int, **more: object) -> str:
    """A keyword with so many organic rows and none of the usual traps."""
    keyword = {"rank_type": rank_type, "keyword": "긴 낱말", "rows": rows, "traps": [], **more}
    replica.control.put_scenario({"keywords": [keyword]})
    return "긴 낱말"


async def seen_end(desk: Desk, search: Search, *, before: int | None = None) -> int:
    """After how many rows an attempt saw the list end that it did not believe."""
    with pytest.raises(EndInDoubt) as doubt:
        await desk.reading(search, [a_target(search.rank_type, ABSENT[search.rank_type])], seen_end=before)
    assert not desk.gate.held
    return doubt.value.rows


async def reads_the_whole(replica: Replica, desk: Desk, search: Search, *, before: int) -> bool:
    """Whether an attempt, told of the end that was seen before, reads what is really shown."""
    key = ABSENT[search.rank_type]
    reading = await desk.reading(search, [a_target(search.rank_type, key)], seen_end=before)
    return len(reading.rows) == truths(replica, search, [key])[0]["checked_count"]


@pytest.mark.parametrize(("rank_type", "device"), TABS)
@pytest.mark.parametrize(("step", "left"), [(2, range(31, 34)), (3, range(59, 64)), (4, range(86, 94))])
async def test_a_cut_load_that_drops_the_way_on_is_no_end(
    replica: Replica, desk: Desk, step: int, left: range, rank_type: str, device: Device
) -> None:
    search = a_search(rank_type, show(replica, rank_type, 200), device=device)
    replica.control.fault("SHORT", site="search_more", step=step, drops_next=True, limit=1)
    rows = await seen_end(desk, search)
    assert rows in left
    assert await reads_the_whole(replica, desk, search, before=rows)


async def test_a_list_that_is_cut_at_another_place_each_time_is_never_believed(replica: Replica, desk: Desk) -> None:
    search = a_search("blog", show(replica, "blog", 200))
    replica.control.fault("SHORT", site="search_more", step=2, drops_next=True, limit=1)
    first = await seen_end(desk, search)
    replica.control.fault("SHORT", site="search_more", step=3, drops_next=True, limit=1)
    second = await seen_end(desk, search, before=first)
    assert first < second
    assert await reads_the_whole(replica, desk, search, before=second)


@pytest.mark.parametrize("place_start", ["honoured", "ignored"])
@pytest.mark.parametrize("end", [54, 100])
async def test_empty_batches_of_a_place_list_are_no_end(
    replica: Replica, desk: Desk, end: int, place_start: str
) -> None:
    """The list sends nothing after some rows for as long as an attempt lasts, and goes on afterwards."""
    replica.control.options(place_start=place_start)
    search = a_search("place", show(replica, "place", 130, list_end=end))
    assert await seen_end(desk, search) == end
    show(replica, "place", 130)
    assert await reads_the_whole(replica, desk, search, before=end)


async def test_a_target_on_a_short_batch_that_nothing_follows_waits_for_a_second_attempt(
    replica: Replica, desk: Desk
) -> None:
    """Two answers of a throttled host look like that: a cut batch, then an empty one."""
    target = {"key": "9900000999", "around": 53, "swing": 0}
    search = a_search("place", show(replica, "place", 130, list_end=54, targets=[target]))
    wanted = [a_target("place", "9900000999")]
    with pytest.raises(EndInDoubt):
        await desk.reading(search, wanted)
    assert await desk.results(search, wanted) == truths(replica, search, ["9900000999"])
