import pytest

from nightjar.domain.target import CafeTarget
from nightjar.domain.tracking import Device, Source
from nightjar.errors import Blocked
from tests.doubles.naver.replica import Replica
from tests.integration.naver.desk import Desk, a_search, a_target, truths

pytestmark = pytest.mark.anyio

FOOD = "모형동 맛집"
SLUG, ARTICLE = "njcafetable", "1200101"
KEY = f"{SLUG}/{ARTICLE}"


def by_number(replica: Replica, article: str = ARTICLE, *, slug: str = SLUG) -> CafeTarget:
    url = f"https://cafe.naver.com/ca-fe/cafes/{replica.control.club_id(slug)}/articles/{article}"
    target = a_target("cafe", url)
    assert isinstance(target, CafeTarget)
    assert target.slug is None
    return target


@pytest.mark.parametrize("device", Device)
async def test_a_link_by_number_has_the_same_rank_as_one_by_slug(replica: Replica, desk: Desk, device: Device) -> None:
    search = a_search("cafe", FOOD, device=device)
    found = await desk.results(search, [by_number(replica), a_target("cafe", KEY)])
    truth = truths(replica, search, [KEY])[0]
    assert truth["outcome"] == "exposed"
    assert found == [truth, truth]


async def test_what_was_learnt_of_the_cafe_is_handed_on(replica: Replica, desk: Desk) -> None:
    reading = await desk.reading(a_search("cafe", FOOD), [by_number(replica)])
    assert reading.same_cafe == {SLUG: replica.control.club_id(SLUG)}


async def test_the_home_of_a_cafe_is_asked_once_and_only_for_a_row_that_could_be_the_target(
    replica: Replica, desk: Desk
) -> None:
    listed, absent = by_number(replica), by_number(replica, "9999999")
    await desk.reading(a_search("cafe", FOOD), [listed, absent, by_number(replica)])
    assert [entry["path"] for entry in replica.control.requests(site="cafe")] == [f"/{SLUG}"]


async def test_the_same_article_number_in_another_cafe_is_not_the_target(replica: Replica, desk: Desk) -> None:
    other = by_number(replica, slug="njcafespoon")
    found = await desk.results(a_search("cafe", FOOD), [other])
    assert found == [{"outcome": "not_exposed", "rank": None, "checked_count": 100}]
    assert len(replica.control.requests(site="cafe")) == 1


async def test_a_cafe_whose_number_is_known_is_not_asked(replica: Replica, desk: Desk) -> None:
    known = CafeTarget(article_id=ARTICLE, slug=SLUG, club_id=replica.control.club_id(SLUG))
    for device in Device:
        search = a_search("cafe", FOOD, device=device)
        assert await desk.results(search, [known]) == truths(replica, search, [KEY])
    assert replica.control.requests(site="cafe") == []


async def test_rows_by_number_are_found_for_targets_by_slug(replica: Replica, desk: Desk) -> None:
    """On the phone some links carry the number: all targets of a list are tried, so that some meet such a row."""
    keyword = {"rank_type": "cafe", "keyword": "번호로", "rows": 60, "traps": ["numeric_links"]}
    targets = [{"key": f"njcafeten/{1_300_000 + n}", "around": 2 * n + 1, "swing": 0} for n in range(20)]
    replica.control.put_scenario({"keywords": [{**keyword, "targets": targets}]})
    search = a_search("cafe", "번호로", device=Device.MOBILE)
    keys = [str(target["key"]) for target in targets]
    assert await desk.results(search, [a_target("cafe", key) for key in keys]) == truths(replica, search, keys)
    assert len(replica.control.requests(site="cafe")) == 1


async def test_a_block_on_the_cafe_host_leaves_the_rank_unknown(replica: Replica, desk: Desk) -> None:
    replica.control.fault("P429", site="cafe")
    with pytest.raises(Blocked):
        await desk.reading(a_search("cafe", FOOD), [by_number(replica)])


async def test_the_api_source_knows_a_cafe_by_its_number_too(replica: Replica, desk: Desk) -> None:
    search = a_search("cafe", FOOD)
    found = await desk.results(search, [by_number(replica)], source=Source.API)
    assert found == truths(replica, search, [KEY], source="api")
