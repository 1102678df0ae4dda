"""The official search API: NAVER API HUB, and the older developers' host with its other headers and error envelope.

Known: addresses, headers, limits, fields, `<b>` marks, both envelopes, error codes. Invented: the accepted keys, the
wording of `details`, and which envelope the HUB uses for a bad parameter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import Final

from tests.doubles.naver.exchange import Ask, Scene
from tests.doubles.naver.rows import Row
from tests.doubles.naver.scenario import Json, RankType
from tests.doubles.naver.world import View
from tests.doubles.reply import Reply

KEY_ID: Final = "replica-key-id"
KEY: Final = "replica-key"
KEY_ID_WITHOUT_SEARCH: Final = "replica-key-id-without-search"
OLD_CLIENT_ID: Final = "replica-client"
OLD_CLIENT_SECRET: Final = "replica-client-secret"
_HUB_PATH: Final = re.compile(r"/search/v1/(\w+)")
_OLD_PATH: Final = re.compile(r"/v1/search/(\w+)\.json")
_TYPES: Final[dict[str, RankType]] = {"blog": "blog", "cafearticle": "cafe", "local": "place"}
_LAST_START: Final = 1000
_LARGEST_DISPLAY: Final = 100
_LOCAL_DISPLAY: Final = 5


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call is refused, in the words of both hosts."""

    status: int
    old_code: str
    old_message: str
    hub_code: str
    hub_message: str
    hub_details: str


_OVER_QUOTA: Final = Refusal(
    429, "010", "Request count is over the limit.", "400", "Quota Exceeded", "Daily limit reached."
)
_UNKNOWN: Final = Refusal(
    404, "SE05", "Invalid search api (존재하지 않는 검색 api 입니다.)", "300", "Not Found Exception", "URL not found."
)


class Quota:
    """Calls of the day. The official limit is 25,000 a day over all kinds of search."""

    def __init__(self) -> None:
        self._day = ""
        self._calls = 0

    def take(self, day: str, allowed: int) -> bool:
        """Counts a call; False when it is over the limit."""
        if day != self._day:
            self._day, self._calls = day, 0
        self._calls += 1
        return self._calls <= allowed


def answer(ask: Ask, scene: Scene) -> Reply:
    """One call, the quota apart (`over_quota`)."""
    hub = not ask.path.startswith("/v1/")
    found = (_HUB_PATH if hub else _OLD_PATH).fullmatch(ask.path)
    refusal = _wrong_key(ask, hub) or (None if found and found[1] in _TYPES else _UNKNOWN)
    if refusal or found is None:
        return _refused(refusal or _UNKNOWN, hub)
    wrong = _wrong_parameter(ask, found[1])
    if wrong:
        return _refused(wrong, hub)
    return Reply.data(_result(ask, found[1], scene))


def is_counted(ask: Ask) -> bool:
    """Whether a call counts against the quota."""
    return ask.path.startswith(("/v1/search/", "/search/v1/"))


def over_quota(ask: Ask) -> Reply:
    """The answer to a call too many."""
    return _refused(_OVER_QUOTA, not ask.path.startswith("/v1/"))


def _refused(refusal: Refusal, hub: bool) -> Reply:
    if hub:
        error = {"errorCode": refusal.hub_code, "message": refusal.hub_message, "details": refusal.hub_details}
        return Reply.data({"error": error}, refusal.status)
    return Reply.data({"errorMessage": refusal.old_message, "errorCode": refusal.old_code}, refusal.status)


def _wrong_key(ask: Ask, hub: bool) -> Refusal | None:
    if hub:
        key_id = ask.headers.get("x-ncp-apigw-api-key-id", "")
        key = ask.headers.get("x-ncp-apigw-api-key", "")
        if key_id == KEY_ID_WITHOUT_SEARCH:
            return Refusal(403, "", "", "210", "Permission Denied", "The API is not enabled for this application.")
        details = (
            "Authentication information is missing." if not (key_id and key) else "Invalid authentication information."
        )
        good = (key_id, key) == (KEY_ID, KEY)
        return None if good else Refusal(401, "", "", "200", "Authentication Failed", details)
    client = ask.headers.get("x-naver-client-id", "")
    secret = ask.headers.get("x-naver-client-secret", "")
    if (client, secret) == (OLD_CLIENT_ID, OLD_CLIENT_SECRET):
        return None
    if not client or not secret:
        reason = f"Not Exist Client {'Secret' if client else 'ID'} : Authentication failed. (인증에 실패했습니다.)"
    else:
        reason = "NID AUTH Result Invalid (1000) : Authentication failed. (인증에 실패했습니다.)"
    return Refusal(401, "024", reason, "", "", "")


def _wrong_parameter(ask: Ask, kind: str) -> Refusal | None:
    largest = _LOCAL_DISPLAY if kind == "local" else _LARGEST_DISPLAY
    last = 1 if kind == "local" else _LAST_START
    sorts = {"random", "comment"} if kind == "local" else {"sim", "date"}
    if not ask.keyword:
        return _parameter("SE01", "Incorrect query request (잘못된 쿼리요청입니다.)")
    if not 1 <= ask.whole("display", 1 if kind == "local" else 10) <= largest:
        return _parameter("SE02", "Invalid display value (부적절한 display 값입니다.)")
    if not 1 <= ask.whole("start", 1) <= last:
        return _parameter("SE03", "Invalid start value (부적절한 start 값입니다.)")
    if ask.query.get("sort", min(sorts)) not in sorts:
        return _parameter("SE04", "Invalid sort value (부적절한 sort 값입니다.)")
    return None


def _parameter(code: str, message: str) -> Refusal:
    return Refusal(400, code, message, code, "Bad Request", message)


def _result(ask: Ask, kind: str, scene: Scene) -> Json:
    view = View(rank_type=_TYPES[kind], keyword=ask.keyword, day=scene.day, source="api")
    start, display = ask.whole("start", 1), ask.whole("display", 1 if kind == "local" else 10)
    if ask.query.get("sort") == "date":
        newest = sorted(scene.world.organic(view), key=lambda row: row.written, reverse=True)
        shown = tuple(newest[start - 1 : start - 1 + display])
    else:
        shown = scene.world.organic(view, start, display)
    total = len(scene.world.order(view))
    shown = shown[:3] if scene.short else shown
    items = [_item(kind, row, view, scene) for row in shown]
    return {
        "lastBuildDate": f"{scene.day:%a, %d %b %Y} 09:00:00 +0900",
        "total": min(total, _LOCAL_DISPLAY) if kind == "local" else total,
        "start": start,
        "display": len(items),
        "items": items,
    }


def _item(kind: str, row: Row, view: View, scene: Scene) -> Json:
    common: Json = {"title": _bold(row.title, view.keyword), "description": _bold(row.text, view.keyword)}
    if kind == "blog":
        return common | {
            "link": _blog_link(row),
            "bloggername": row.author,
            "bloggerlink": row.author_url.removeprefix("https://"),
            "postdate": f"{row.written:%Y%m%d}",
        }
    if kind == "cafearticle":
        return common | {
            "link": row.url.replace("https:", "http:") + "?art=ZXh0",
            "cafename": row.author,
            "cafeurl": row.author_url,
        }
    shop = scene.world.shop(row.key, scene.world.keyword("place", view.keyword).vertical)
    return {
        "title": _bold(row.title, view.keyword),
        "link": "",
        "category": shop.category,
        "description": "",
        "telephone": "",
        "address": shop.address,
        "roadAddress": shop.road_address,
        "mapx": str(round(shop.x * 10**7)),
        "mapy": str(round(shop.y * 10**7)),
    }


def _blog_link(row: Row) -> str:
    """Most links are canonical; one in eleven has the older form with parameters."""
    if row.key.startswith("https://") or row.value % 11:
        return row.url
    blog, log = row.key.split("/")
    return f"https://blog.naver.com/{blog}?Redirect=Log&logNo={log}"


def _bold(text: str, keyword: str) -> str:
    return escape(text).replace(escape(keyword), f"<b>{escape(keyword)}</b>")
