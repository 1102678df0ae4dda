"""Place GraphQL (`pcmap-api.place` and `api.place`): POST of one operation or an array of them.

Known: operation names, aliases, the limits, 405 for GET. Invented: `businessType` in the input, which
says what vertical is meant.
"""

from __future__ import annotations

from typing import Final, cast

from tests.doubles.naver.exchange import Ask, Scene
from tests.doubles.naver.pages import place_json
from tests.doubles.naver.pages.place import LARGEST_DISPLAY, slice_rows
from tests.doubles.naver.scenario import Json
from tests.doubles.naver.world import View
from tests.doubles.reply import Reply

_ALIASES: Final = {
    "getPlacesList": "businesses",
    "getRestaurants": "restaurantList",
    "getRestaurantList": "restaurantList",
    "getAdBusinessList": "adBusinesses",
}


def answer(ask: Ask, scene: Scene) -> Reply:
    """The reply to a POST; an array for an array, an object for an object."""
    if ask.method != "POST":
        return Reply.page("<!doctype html><title>405</title>", 405)
    operations = ask.graphql_operations
    if not operations:
        return Reply.data({"errors": [{"message": "Must provide query string."}]}, 400)
    results = [_operation(operation, scene) for operation in operations]
    return Reply.data(results if ask.body.lstrip()[:1] == b"[" else results[0])


def _operation(operation: Json, scene: Scene) -> Json:
    alias = _ALIASES.get(str(operation.get("operationName")))
    variables = cast("Json", operation.get("variables") or {})
    given = cast("Json", variables.get("input") or {})
    if alias is None or not given.get("query"):
        return {
            "errors": [{"message": f"Unknown operation {operation.get('operationName')!r} or no query"}],
            "data": None,
        }
    view = _view(given, alias, scene)
    if alias == "adBusinesses":
        rows = [row for _, row in scene.world.adverts(view, 1)]
        adverts = [place_json.advert_json(row, index, view, scene) for index, row in enumerate(rows)]
        return {"data": {alias: {"__typename": "PlaceAdsResult", "total": len(adverts), "items": adverts}}}
    start, display = _whole(given.get("start"), 1), min(_whole(given.get("display"), 50), LARGEST_DISPLAY)
    shape = "restaurantList" if alias == "restaurantList" else place_json.shape_of(view, scene)
    rows_json = [
        place_json.item_json(row, index, view, shape, scene)
        for index, row in enumerate(slice_rows(view, start, display, scene), start)
    ]
    total = place_json.total_of(view, scene)
    return {
        "data": {alias: {"total": total, "items": rows_json, "queryString": view.keyword, "siteSort": "relativity"}}
    }


def _view(given: Json, alias: str, scene: Scene) -> View:
    usual = "restaurant" if alias == "restaurantList" else scene.world.keyword("place", str(given["query"])).vertical
    return View(
        rank_type="place",
        keyword=" ".join(str(given["query"]).split()),
        day=scene.day,
        device="pc" if given.get("deviceType") == "pcmap" else "mobile",
        vertical=str(given.get("businessType") or usual),
        x=_coordinate(given.get("x")),
        y=_coordinate(given.get("y")),
    )


def _whole(value: object, default: int) -> int:
    return value if isinstance(value, int) and value > 0 else default


def _coordinate(value: object) -> float | None:
    try:
        return float(str(value)) if value not in (None, "") else None
    except ValueError:
        return None
