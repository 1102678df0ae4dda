"""Crawls of an owner's stores as the demo would have watched them, right unless a test bends them."""

from typing import Any

from infra.local.demo.store_crawl import Crawl, LiveStep, PlayedCrawls

STEPS = (("initialization", 0), ("login_submit", 40), ("extraction", 60), ("saving", 80))


def step(seq: int, name: str, percent: int, status: str = "in_progress", message: str = "") -> LiveStep:
    return LiveStep(epoch="e1", seq=seq, status=status, step=name, percent=percent, message=message or f"doing {name}")


def crawl(*, ends: str = "completed") -> Crawl:
    told = [step(number, name, percent) for number, (name, percent) in enumerate(STEPS, start=1)]
    last = step(
        len(told) + 1, "completed" if ends == "completed" else "saving", 100 if ends == "completed" else 80, ends
    )
    return Crawl(steps=(*told, last), status_later=ends)


def store(number: str = "10000001", **fields: Any) -> dict[str, Any]:
    """A store in the API's answer."""
    usual = {
        "platform_store_id": number,
        "store_name": "모형 국수",
        "business_type": "한식",
        "sub_type": "음식배달",
        "raw_label": f"[음식배달] 모형 국수 / 한식 {number}",
        "road_address": "모형시 견본구 가상로 1",
        "lat": 37.5,
        "lng": 127.0,
        "phone": None,
        "status": "OPEN",
        "business_no": "000-00-00001",
    }
    return usual | fields


def shown(number: str = "10000001") -> dict[str, Any]:
    """The same store in the replica's truth."""
    stored = store(number)
    return {**stored, "category": stored.pop("business_type"), "service_type": stored.pop("sub_type")}


def crawls() -> PlayedCrawls:
    return PlayedCrawls(
        first=crawl(),
        cancelled=crawl(ends="cancelled"),
        cancel_seconds=0.08,
        stores=(store(),),
        shown=(shown(),),
        login_posts=1,
    )
