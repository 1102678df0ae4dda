"""What can be read of an account's shops, given how the account behaves: the answer that a crawl must come to."""

from __future__ import annotations

from tests.doubles.baemin.accounts import Account
from tests.doubles.baemin.conduct import Conduct
from tests.doubles.baemin.shops import Shop
from tests.doubles.control_port import Json


def stores(account: Account, conduct: Conduct) -> list[Json]:
    """One row a shop in the order of the site; None where the site shows nothing. `seen_in` says where it shows up."""
    return [row for shop in account.shops if (row := _row(account, conduct, shop))["seen_in"]]


def _row(account: Account, conduct: Conduct, shop: Shop) -> Json:
    answers = conduct.api == "ok" and conduct.layout == "known"
    selected = conduct.select in ("full", "other_suffix") and conduct.layout == "known"
    headed = conduct.select == "heading_only" and conduct.layout == "known" and shop is account.shops[0]
    searched = answers and shop.in_search
    detailed = answers and shop.in_detail and shop.number not in conduct.failing_details
    places = {"select": selected, "heading": headed, "search": searched, "detail": detailed}
    return {
        "platform_store_id": shop.number,
        "store_name": shop.name,
        "category": shop.category if selected or detailed else None,
        "service_type": shop.service if selected or headed else None,
        "raw_label": shop.label if selected else shop.heading if headed else None,
        "road_address": shop.road_address if detailed else None,
        "lat": shop.lat if detailed else None,
        "lng": shop.lng if detailed else None,
        "phone": shop.phone if detailed else None,
        "status": shop.status if detailed else None,
        "temporary_stop": shop.stopped if searched else None,
        "business_no": account.business_no if answers else None,
        "seen_in": [name for name, seen in places.items() if seen],
    }
