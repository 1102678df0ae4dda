"""How many requests a rank check costs: what the time-out of a night is computed from."""

from nightjar.domain.tracking import Device, RankType, Source

ROWS_PER_LOAD = 30
"""Cards of a blog or cafe page, and of each further load of it, seen on the live site in 2026."""

ROWS_PER_API_CALL = 100
"""The largest `display` that the official search API accepts."""

ROWS_PER_PLACE_LOAD = {Device.PC: 70, Device.MOBILE: 50}
"""Rows of the first batch of a place list; the phone's varies between 15 and 100 by report."""


def planned_requests(rank_type: RankType, device: Device, *, depth: int, source: Source) -> dict[str, int]:
    """Requests of one check that reads its list to `depth` rows, by the setting that names the host.

    It is an upper estimate: a check stops as soon as all its targets were met.
    """
    if source is Source.OFF:
        return {}
    if source is Source.API:
        return {"NAVER_API_URL": _loads(depth, ROWS_PER_API_CALL)}
    if rank_type is RankType.PLACE:
        return {_place_host(device): _loads(depth, ROWS_PER_PLACE_LOAD[device])}
    first = "NAVER_SEARCH_URL" if device is Device.PC else "NAVER_MOBILE_SEARCH_URL"
    more = _loads(depth, ROWS_PER_LOAD) - 1
    return {first: 1, "NAVER_SEARCH_MORE_URL": more} if more else {first: 1}


def _place_host(device: Device) -> str:
    return "NAVER_PCPLACE_URL" if device is Device.PC else "NAVER_PLACE_URL"


def _loads(depth: int, rows: int) -> int:
    return -(-depth // rows)
