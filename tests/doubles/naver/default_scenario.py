"""The world that is shown when no other is given, and thirty trackings worth registering in it. All invented."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from tests.doubles.naver.identities import cafe
from tests.doubles.naver.scenario import Keyword, RankType, Scenario, ShortLink, Target, Tracking

FOOD: Final = "모형동 맛집"
COFFEE: Final = "견본역 커피"
DENTIST: Final = "가상시 치과"
HAIR: Final = "모형구 미용실"
BOOKS: Final = "작은 서점 나들이"
LANTERN: Final = "캠핑 등불 추천"
NO_RESULT: Final = "검색되지않는낱말"
"""No list of any type holds this keyword."""
RARE: Final = "드문낱말 찾기"
"""Twelve results in blog and cafe, nine in place: a list may really be that short."""
ENDS_EARLY: Final = "견본로 문구점"
"""The place list claims 187 businesses and ends after 100."""


def default_scenario(seed: int) -> Scenario:
    """The default world; the seed decides the club ids in the addresses of cafe trackings."""
    return Scenario(
        keywords=_places() + _blogs() + _cafes() + _edges(),
        short_links=_short_links(),
        closed_places=frozenset({"9900000404"}),
        trackings=_place_trackings() + _blog_trackings() + _cafe_trackings(seed),
    )


def _places() -> tuple[Keyword, ...]:
    return (
        Keyword(
            rank_type="place",
            keyword=FOOD,
            rows=412,
            vertical="restaurant",
            targets=(
                Target(key="9900000101", around=6, swing=5, name="솔바람 국수"),
                Target(key="9900000102", around=38, swing=20, absence=0.5, name="돌담 밥상"),
                Target(key="9900000103", around=150, swing=60, name="나룻배 식당"),
                Target(key="9900000104", around=295, swing=30, name="등대 화덕"),
            ),
        ),
        Keyword(
            rank_type="place",
            keyword=COFFEE,
            rows=210,
            list_end=210,
            targets=(
                Target(key="9900000201", around=3, swing=2, name="찻잔 로스터"),
                Target(key="9900000202", around=64, swing=30, absence=0.4, name="구름 커피"),
            ),
        ),
        Keyword(
            rank_type="place",
            keyword=DENTIST,
            rows=100,
            list_end=100,
            vertical="hospital",
            targets=(
                Target(key="9900000301", around=12, swing=8, name="맑은 견본치과의원"),
                Target(key="9900000302", around=55, swing=10, absence=0.8, name="고운 모형치과의원"),
            ),
        ),
        Keyword(
            rank_type="place",
            keyword=HAIR,
            rows=54,
            list_end=54,
            vertical="hairshop",
            targets=(Target(key="9900000401", around=20, swing=9, absence=0.3, name="목화 살롱"),),
        ),
    )


def _blogs() -> tuple[Keyword, ...]:
    return (
        Keyword(
            rank_type="blog",
            keyword=FOOD,
            rows=140,
            targets=(
                Target(key="nj_lantern01/223400000101", around=4, swing=3),
                Target(key="nj_willow02/223400000102", around=33, swing=9, absence=0.5),
                Target(key="nj_pebble03/223400000103", around=96, swing=12),
                Target(key="nj_harbor04/223400000104", around=12, swing=11),
            ),
        ),
        Keyword(
            rank_type="blog",
            keyword=BOOKS,
            rows=90,
            targets=(
                Target(key="nj_lantern01/223400000201", around=9, swing=6),
                Target(key="nj_bookend05/223400000202", around=60, swing=20, absence=0.6),
                Target(key="nj_inkwell06/223400000203", around=28, swing=6),
            ),
        ),
        Keyword(
            rank_type="blog",
            keyword=LANTERN,
            rows=120,
            targets=(
                Target(key="nj_tent07/223400000301", around=2, swing=1, absence=0.3),
                Target(key="nj_ember08/223400000302", around=18, swing=14),
                Target(key="nj_trail09/223400000303", around=45, swing=10, absence=0.9),
            ),
        ),
    )


def _cafes() -> tuple[Keyword, ...]:
    return (
        Keyword(
            rank_type="cafe",
            keyword=FOOD,
            rows=110,
            targets=(
                Target(key="njcafetable/1200101", around=5, swing=4),
                Target(key="njcafespoon/1200102", around=48, swing=16, absence=0.5),
                Target(key="njcafetable/1200103", around=22, swing=8),
                Target(key="njcafebowl/1200104", around=92, swing=14),
            ),
        ),
        Keyword(
            rank_type="cafe",
            keyword=LANTERN,
            rows=75,
            targets=(
                Target(key="njcafecamp/1200201", around=1, swing=1),
                Target(key="njcafecamp/1200202", around=15, swing=12, absence=0.4),
                Target(key="njcafeforest/1200203", around=61, swing=9, absence=0.7),
            ),
        ),
        Keyword(
            rank_type="cafe",
            keyword=BOOKS,
            rows=64,
            targets=(
                Target(key="njcafepaper/1200301", around=30, swing=5),
                Target(key="njcafeshelf/1200302", around=8, swing=7),
                Target(key="njcafeshelf/1200303", around=55, swing=10, absence=0.3),
            ),
        ),
    )


def _edges() -> tuple[Keyword, ...]:
    kinds: tuple[RankType, ...] = ("blog", "cafe", "place")
    nothing = tuple(Keyword(rank_type=kind, keyword=NO_RESULT, rows=0) for kind in kinds)
    rare = tuple(Keyword(rank_type=kind, keyword=RARE, rows=9 if kind == "place" else 12) for kind in kinds)
    early = Keyword(
        rank_type="place",
        keyword=ENDS_EARLY,
        rows=187,
        list_end=100,
        targets=(Target(key="9900000501", around=120, swing=0, name="연필 상회"),),
    )
    return (*nothing, *rare, early)


def _short_links() -> dict[str, ShortLink]:
    place = "https://map.naver.com/p/entry/place/9900000101?c=15.00,0,0,0,dh&placePath=/home"
    return {
        "place1": ShortLink(location=place),
        "blog1": ShortLink(location="https://m.blog.naver.com/nj_lantern01/223400000101"),
        "cafe1": ShortLink(location="https://m.cafe.naver.com/njcafetable/1200101"),
        "twohops": ShortLink(kind="two_hops", location=place),
        "interstitial": ShortLink(kind="interstitial", location="https://m.place.naver.com/place/9900000201/home"),
        "loop": ShortLink(kind="loop"),
        "elsewhere": ShortLink(location="https://example.com/promotion?from=naver.me"),
        "missing": ShortLink(kind="missing"),
    }


def _place_trackings() -> tuple[Tracking, ...]:
    food = quote(FOOD)
    pasted = (
        (FOOD, "9900000101", "https://m.place.naver.com/restaurant/9900000101/home?entry=pll"),
        (FOOD, "9900000102", "https://m.place.naver.com/restaurant/9900000102/review/visitor"),
        (FOOD, "9900000103", "https://pcmap.place.naver.com/restaurant/9900000103/home"),
        (FOOD, "9900000104", "https://m.place.naver.com/restaurant/9900000104"),
        (FOOD, "9900000101", f"https://map.naver.com/p/search/{food}/place/9900000101?c=15.00,0,0,0,dh"),
        (COFFEE, "9900000201", "https://map.naver.com/p/entry/place/9900000201"),
        (COFFEE, "9900000202", "9900000202"),
        (DENTIST, "9900000301", "https://m.place.naver.com/hospital/9900000301/home"),
        (DENTIST, "9900000302", "https://m.place.naver.com/hospital/9900000302/home"),
        (HAIR, "9900000401", "https://m.place.naver.com/hairshop/9900000401/home"),
    )
    return tuple(_tracking("place", *item) for item in pasted)


def _blog_trackings() -> tuple[Tracking, ...]:
    pasted = (
        (FOOD, "nj_lantern01/223400000101", "https://naver.me/blog1"),
        (FOOD, "nj_willow02/223400000102", "https://m.blog.naver.com/nj_willow02/223400000102"),
        (
            FOOD,
            "nj_pebble03/223400000103",
            "https://blog.naver.com/PostView.naver?blogId=nj_pebble03&logNo=223400000103",
        ),
        (FOOD, "nj_harbor04/223400000104", "blog.naver.com/NJ_Harbor04/223400000104"),
        (BOOKS, "nj_lantern01/223400000201", "https://blog.naver.com/nj_lantern01/223400000201?trackingCode=rss#top"),
        (BOOKS, "nj_bookend05/223400000202", "https://blog.naver.com/nj_bookend05/223400000202"),
        (BOOKS, "nj_inkwell06/223400000203", "https://blog.naver.com/nj_inkwell06?Redirect=Log&logNo=223400000203"),
        (LANTERN, "nj_tent07/223400000301", "https://blog.naver.com/nj_tent07/223400000301"),
        (
            LANTERN,
            "nj_ember08/223400000302",
            "https://m.blog.naver.com/PostView.nhn?blogid=nj_ember08&logno=223400000302",
        ),
        (LANTERN, "nj_trail09/223400000303", "https://blog.naver.com/nj_trail09/223400000303"),
    )
    return tuple(_tracking("blog", *item) for item in pasted)


def _cafe_trackings(seed: int) -> tuple[Tracking, ...]:
    def club(slug: str) -> str:
        return cafe(seed, slug).club_id

    table, bowl, forest = club("njcafetable"), club("njcafebowl"), club("njcafeforest")
    pasted = (
        (FOOD, "njcafetable/1200101", "https://cafe.naver.com/njcafetable/1200101"),
        (FOOD, "njcafespoon/1200102", "https://m.cafe.naver.com/njcafespoon/1200102"),
        (FOOD, "njcafetable/1200103", f"https://cafe.naver.com/ca-fe/cafes/{table}/articles/1200103"),
        (FOOD, "njcafebowl/1200104", f"https://cafe.naver.com/f-e/cafes/{bowl}/articles/1200104?menuid=3"),
        (LANTERN, "njcafecamp/1200201", "https://cafe.naver.com/njcafecamp/1200201?art=ZXh0.abc&q=x"),
        (LANTERN, "njcafecamp/1200202", "https://cafe.naver.com/njcafecamp/1200202"),
        (LANTERN, "njcafeforest/1200203", f"https://cafe.naver.com/ArticleRead.nhn?clubid={forest}&articleid=1200203"),
        (BOOKS, "njcafepaper/1200301", "https://cafe.naver.com/njcafepaper/1200301"),
        (BOOKS, "njcafeshelf/1200302", "https://m.cafe.naver.com/ca-fe/web/cafes/njcafeshelf/articles/1200302"),
        (BOOKS, "njcafeshelf/1200303", "https://cafe.naver.com/njcafeshelf/1200303"),
    )
    return tuple(_tracking("cafe", *item) for item in pasted)


def _tracking(rank_type: RankType, keyword: str, key: str, url: str) -> Tracking:
    return Tracking(rank_type=rank_type, keyword=keyword, target_url=url, target_key=key)
