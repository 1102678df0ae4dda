"""The JSON of place lists: Apollo state inside pages, and the same rows as GraphQL gives them.

Known: the names of root keys, entity types and fields, the kinds of values (counts as text, buckets, nulls), adverts
as entities of their own. Invented: the recommendation that is no row, the entity of a row without id, the arguments
beside `query`.
"""

from __future__ import annotations

import json
from typing import Final

from tests.doubles.naver.exchange import Scene
from tests.doubles.naver.identities import Shop
from tests.doubles.naver.rows import Row
from tests.doubles.naver.scenario import Json
from tests.doubles.naver.world import View
from tests.doubles.seeded import token

_USUAL_SHAPES: Final = {"restaurant": "restaurantList", "hospital": "hospitals", "hairshop": "nested"}
_ROOTS: Final = {
    "placeList": "placeList",
    "restaurantList": "restaurantList",
    "hospitals": "hospitals",
    "nested": "placeList",
}
_TYPES: Final = {
    "placeList": "PlaceListBusinessesItem",
    "restaurantList": "RestaurantListSummary",
    "hospitals": "HospitalSummary",
    "nested": "PlaceListBusinessesItem",
}
_MUTATED: Final = {
    "PlaceListBusinessesItem": "PlaceFeedCard",
    "RestaurantListSummary": "DiningFeedCard",
    "HospitalSummary": "ClinicFeedCard",
    "PlaceAdSummary": "SponsoredFeedCard",
}
_TRICKY: Final = "줄 끝에 }; 가 있고 </div> 도 있는 소개 {글}"


def shape_of(view: View, scene: Scene) -> str:
    """Which Apollo shape a list has: that of the keyword, else the usual one of design and vertical."""
    chosen = scene.world.keyword("place", view.keyword).apollo
    if chosen:
        return chosen
    return "restaurantList" if scene.design == "old" else _USUAL_SHAPES.get(view.vertical, "placeList")


def type_name(shape: str, design: str) -> str:
    """The entity type of an organic row."""
    name = _TYPES[shape]
    return _MUTATED[name] if design == "mutated" else name


def apollo_state(view: View, rows: tuple[Row, ...], start: int, display: int, scene: Scene) -> Json:
    """`window.__APOLLO_STATE__` of a list page that shows `rows` from row `start` (1-based)."""
    shape = shape_of(view, scene)
    argument = json.dumps({"input": _input(view, start, display)}, ensure_ascii=False, separators=(",", ":"))
    state: Json = {}
    items = [_place_entity(state, row, index, view, shape, scene) for index, row in enumerate(rows, start)]
    listing: Json = {"__typename": "PlaceListResult", "total": total_of(view, scene), "items": items}
    root: Json = {
        "__typename": "Query",
        f"{_ROOTS[shape]}({argument})": listing
        if shape == "restaurantList"
        else {"__typename": "PlaceList", "businesses": listing},
    }
    adverts = scene.world.adverts(view, 1) if start == 1 else ()
    root[f"adBusinesses({argument})"] = _advert_result(state, [row for _, row in adverts], view, scene)
    _add_recommendation(state, root, view, scene)
    return {"ROOT_QUERY": root, **state}


def total_of(view: View, scene: Scene) -> int:
    """Businesses that the list claims to have; a page may end before."""
    return scene.world.keyword("place", view.keyword).rows


def item_json(row: Row, index: int, view: View, shape: str, scene: Scene) -> Json:
    """One organic row with all its fields."""
    shop = scene.world.shop(row.key, view.vertical)
    return {
        "__typename": type_name(shape, scene.design),
        "id": row.key or None,
        "apolloCacheId": row.key or None,
        "dbType": "drt",
        "name": row.title,
        **_shop_fields(shop, view.vertical),
        "newOpening": index % 12 == 5,
        "microReview": _TRICKY if index % 10 == 3 else None,
        "rank": None,
    }


def advert_json(row: Row, index: int, view: View, scene: Scene) -> Json:
    """One advert. Its `id` may be that of an organic row."""
    shop = scene.world.shop(row.key, view.vertical)
    name = "PlaceAdSummary"
    return {
        "__typename": _MUTATED[name] if scene.design == "mutated" else name,
        "id": row.key,
        "name": row.title,
        **_shop_fields(shop, view.vertical),
        "adId": advert_id(row, index),
        "adDescription": "지금 예약하면 편한 곳",
        "adClickLog": f"https://ader.naver.com/v1/{token(40, 'click', row.key, index)}",
        "impressionEventUrl": f"https://ader.naver.com/e/{token(20, 'seen', row.key, index)}",
        "promotionTitle": "새 단장 기념",
    }


def advert_id(row: Row, index: int) -> str:
    """`nad-...`, the id of an advert."""
    return f"nad-a001-06-{token(15, 'advert', row.key, index)}"


def _input(view: View, start: int, display: int) -> Json:
    device = "pcmap" if view.device == "pc" else "mobile"
    given: Json = {"query": view.keyword, "start": start, "display": display, "deviceType": device, "adult": False}
    if view.x is not None and view.y is not None:
        given |= {"x": str(view.x), "y": str(view.y)}
    return given | {"queryRank": "", "spq": False}


def _place_entity(state: Json, row: Row, index: int, view: View, shape: str, scene: Scene) -> Json:
    item = item_json(row, index, view, shape, scene)
    if shape == "nested":
        return item
    name = type_name(shape, scene.design)
    key = f"{name}:{row.key}" if row.key and shape == "hospitals" else f"{name}:{row.key}:{row.key}"
    key = key if row.key else f"{name}:unlisted-{index}"
    state[key] = item
    return {"__ref": key}


def _advert_result(state: Json, rows: list[Row], view: View, scene: Scene) -> Json:
    refs = []
    for index, row in enumerate(rows):
        item = advert_json(row, index, view, scene)
        key = f"{item['__typename']}:{item['adId']}:{row.key}"
        state[key] = item
        refs.append({"__ref": key})
    return {"__typename": "PlaceAdsResult", "total": len(refs), "items": refs}


def _add_recommendation(state: Json, root: Json, view: View, scene: Scene) -> None:
    """A shop with id and name that is in the state but is no row of the list."""
    row = scene.world.organic(view, len(scene.world.order(view)), 1)
    if row and row[0].key:
        key = f"RecommendedPlace:{row[0].key}"
        state[key] = {"__typename": "RecommendedPlace", "id": row[0].key, "name": row[0].title}
        root["recommendedPlaces"] = [{"__ref": key}]


def _shop_fields(shop: Shop, vertical: str) -> Json:
    return {
        "category": shop.category,
        "businessCategory": vertical,
        "address": shop.address.split()[-1],
        "roadAddress": shop.road_address,
        "commonAddress": "가상시 모형구",
        "fullAddress": shop.address,
        "x": f"{shop.x:.7f}",
        "y": f"{shop.y:.7f}",
        "distance": None,
        "phone": shop.phone,
        "virtualPhone": None,
        "imageUrl": None,
        "imageCount": shop.visitor_reviews % 40,
        "visitorReviewCount": f"{shop.visitor_reviews:,}",
        "visitorReviewScore": None,
        "blogCafeReviewCount": f"{shop.blog_reviews:,}",
        "bookingReviewCount": "0",
        "totalReviewCount": f"{shop.visitor_reviews + shop.blog_reviews:,}",
        "saveCount": shop.save_bucket,
        "newBusinessHours": {"status": "영업 중", "description": "21:00에 영업 종료"},
        "hasBooking": shop.visitor_reviews % 2 == 0,
        "hasNPay": False,
        "bookingUrl": None,
        "talktalkUrl": None,
        "priceCategory": None,
        "options": "주차,예약",
        "detailCid": {"c0": "1000000", "c1": "1000100", "c2": None, "c3": None},
    }
