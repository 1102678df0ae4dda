"""How many requests a rank check sends to which host, so that a batch can be given enough time."""

from math import ceil

from nightjar.domain.tracking import Device, RankType, Source

ROWS_PER_PAGE = 30
"""Rows of one load of the blog and cafe tabs."""

ROWS_PER_API_CALL = 100
"""The most that the official search API gives at once."""

PLACE_NAVIGATIONS = 2
"""A place list is fetched once; where it is longer than its first load, a browser opens it and scrolls."""


def planned_requests(rank_type: RankType, device: Device, *, depth: int, source: Source) -> dict[str, int]:
    """Requests of one check by host, if the list is read to `depth`. The keys name the setting of the host."""
    if source is Source.OFF:
        return {}
    if source is Source.API:
        return {"NAVER_API_URL": ceil(depth / ROWS_PER_API_CALL)}
    if rank_type is RankType.PLACE:
        host = "NAVER_PLACE_URL" if device is Device.MOBILE else "NAVER_PCPLACE_URL"
        return {host: PLACE_NAVIGATIONS}
    first = "NAVER_SEARCH_URL" if device is Device.PC else "NAVER_MOBILE_SEARCH_URL"
    return {first: 1, "NAVER_SEARCH_MORE_URL": max(0, ceil(depth / ROWS_PER_PAGE) - 1)}
