import pytest

from nightjar.domain.rank_plan import planned_requests
from nightjar.domain.tracking import Device, RankType, Source

PC, MOBILE = Device.PC, Device.MOBILE


@pytest.mark.parametrize(
    ("rank_type", "device", "depth", "source", "requests"),
    [
        (RankType.BLOG, PC, 100, Source.PAGE, {"NAVER_SEARCH_URL": 1, "NAVER_SEARCH_MORE_URL": 3}),
        (RankType.CAFE, MOBILE, 100, Source.PAGE, {"NAVER_MOBILE_SEARCH_URL": 1, "NAVER_SEARCH_MORE_URL": 3}),
        (RankType.BLOG, PC, 30, Source.PAGE, {"NAVER_SEARCH_URL": 1}),
        (RankType.BLOG, PC, 31, Source.PAGE, {"NAVER_SEARCH_URL": 1, "NAVER_SEARCH_MORE_URL": 1}),
        (RankType.PLACE, MOBILE, 300, Source.PAGE, {"NAVER_PLACE_URL": 6}),
        (RankType.PLACE, PC, 300, Source.PAGE, {"NAVER_PCPLACE_URL": 5}),
        (RankType.BLOG, PC, 100, Source.API, {"NAVER_API_URL": 1}),
        (RankType.CAFE, PC, 1000, Source.API, {"NAVER_API_URL": 10}),
        (RankType.CAFE, PC, 100, Source.OFF, {}),
    ],
)
def test_a_check_costs_the_requests_that_its_depth_takes(
    rank_type: RankType, device: Device, depth: int, source: Source, requests: dict[str, int]
) -> None:
    assert planned_requests(rank_type, device, depth=depth, source=source) == requests
