"""Small pages in the forms that Naver's have been seen in. All names and texts are invented."""

import json
from typing import Any

from crawl_worker.engine.http import Response

SEARCH = "https://search.naver.com/search.naver?ssc=tab.blog.all&query=x"
MORE = "https://s.search.naver.com/p/review/50/search.naver?page=2&start=31&equery=ab%2Bcd"
HELP = "https://help.naver.com/alias/search/integration_m68.naver"


def answer(text: str, status: int = 200, url: str = SEARCH, **headers: str) -> Response:
    return Response(url, status, {name.replace("_", "-"): value for name, value in headers.items()}, text)


def page(main: str) -> str:
    return (
        "<!doctype html><html><head><style>.captcha{display:none}</style></head><body>"
        "<nav><ul><li><a href='https://blog.naver.com/nj_menu/223400009999'>메뉴</a></li></ul></nav>"
        f"{main}<aside><a href='https://blog.naver.com/nj_side/223400008888'>인기</a></aside></body></html>"
    )


def post(number: int, blog: str = "nj_lamp") -> str:
    return f"https://blog.naver.com/{blog}{number}/{223_400_000_000 + number}"


def post_key(number: int, blog: str = "nj_lamp") -> str:
    return f"blog:{blog}{number}/{223_400_000_000 + number}"


def card(
    address: str, *, title: str = "모형동 산책", inside: str = "", target: str = ".nblg", hashed: str = "Orf2UU"
) -> str:
    return (
        f'<div class="{hashed}" data-template-id="ugcItem">'
        f'<a href="https://blog.naver.com/nj_author" data-heatmap-target="articleSourceJSX_title">글쓴이</a>'
        f'<a href="{address}" data-heatmap-target="{target}"><span class="h{hashed}">{title}</span></a>'
        f'<a href="{address}" data-heatmap-target=".thumb"><img></a>{inside}</div>'
    )


def cards(count: int, first: int = 1) -> str:
    return "".join(card(post(number)) for number in range(first, first + count))


def old_card(address: str, inside: str = "") -> str:
    return (
        f'<li class="bx"><div class="view_wrap"><a class="name" href="https://blog.naver.com/nj_author">글쓴이</a>{inside}'
        f'<a class="title_link" href="{address}">제목</a><a class="dsc_link" href="{address}">글</a></div></li>'
    )


def article(number: int, slug: str = "njcafemoss001") -> str:
    return f"https://cafe.naver.com/{slug}/{number}?art=abc.def&q=x"


def cafe_row(address: str, inside: str = "") -> str:
    return (
        f'<li class="bx _bx"><div class="user_box"><a class="name" href="https://cafe.naver.com/njcafemoss001">카페</a>'
        f'{inside}</div><div class="detail_box"><a class="title_link" href="{address}">글 제목</a></div></li>'
    )


def xload(url: str = MORE, headers: dict[str, str] | None = None) -> str:
    sent = f",headers:{json.dumps(headers)}" if headers else ""
    return f"<script>function XLoad(o){{}}</script><script>new XLoad({{url:{json.dumps(url)}{sent}}});</script>"


def no_result(keyword: str = "없는낱말") -> str:
    return page(f"<div><p>'{keyword}'에 대한 검색결과가 없습니다.</p></div>")


def load(html: str, url: str = "") -> str:
    return json.dumps({"collection": [{"html": html}], "url": url})


def limited(words: str) -> str:
    return f"<!doctype html><html><body><h1>{words}</h1><p>IP 192.0.2.7</p></body></html>"


def shop(place_id: str | None, **more: object) -> dict[str, object]:
    return {"__typename": "PlaceListBusinessesItem", "id": place_id, "name": f"가게 {place_id}", **more}


def apollo(
    items: list[dict[str, object]], *, total: object = None, query: str = "국수", start: int = 1
) -> dict[str, Any]:
    """A state with references, a list of adverts, and a list of another query."""
    argument = json.dumps({"input": {"query": query, "start": start}}, ensure_ascii=False)
    refs, entities = [], {}
    for index, item in enumerate(items):
        key = f"Item:{item['id']}:{index}"
        entities[key] = item
        refs.append({"__ref": key})
    listing = {"items": refs, "total": len(items) if total is None else total}
    advert = {"id": "77777777", "name": "광고 가게", "adId": "nad-1", "__typename": "PlaceAdSummary"}
    other = json.dumps({"input": {"query": "다른 낱말"}}, ensure_ascii=False)
    root = {
        "__typename": "Query",
        f"adBusinesses({argument})": {"items": [{"__ref": "Ad:1"}], "total": 1},
        f"placeList({argument})": {"businesses": listing},
        f"placeList({other})": {"businesses": {"items": [{"id": str(n)} for n in range(100, 300)], "total": 200}},
        "recommendedPlaces": [{"__ref": "Recommended:5"}],
    }
    return {"ROOT_QUERY": root, "Ad:1": advert, "Recommended:5": shop("55555555"), **entities}


def place_page(state: dict[str, Any]) -> str:
    return (
        "<!doctype html><html><body><ul></ul><script>window.__APOLLO_STATE__ = "
        f'{json.dumps(state, ensure_ascii=False)};\nwindow.__PLACE_STATE__ = {{"a":"}}; </"}};</script></body></html>'
    )
