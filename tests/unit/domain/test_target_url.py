from contextlib import suppress
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nightjar.domain.naver_link import ShortLink, target_of_link
from nightjar.domain.target import (
    BlogTarget,
    CafeTarget,
    PlaceTarget,
    canonical_url,
    target_from_key,
    target_key,
)
from nightjar.domain.target_url import MAX_LENGTH, parse_target
from nightjar.domain.tracking import RankType
from nightjar.errors import Invalid

SHOP = PlaceTarget(place_id="1234567890")
RESTAURANT = PlaceTarget(place_id="1234567890", vertical="restaurant")

PLACES = [
    ("1234567890", SHOP),
    ("  1234567890\n", SHOP),
    ("123456", PlaceTarget(place_id="123456")),
    ("https://map.naver.com/p/entry/place/1234567890", SHOP),
    ("https://map.naver.com/p/entry/place/1234567890?c=15.00,0,0,0,dh&placePath=/home", SHOP),
    ("https://map.naver.com/p/entry/place/1234567890?lng=127.1&lat=37.5&placePath=%2Fmenu%3Fid%3D77", SHOP),
    (
        "https://map.naver.com/p/search/%EA%B0%95%EB%82%A8%20%EB%A7%9B%EC%A7%91/place/1234567890?isCorrectAnswer=true",
        SHOP,
    ),
    ("https://map.naver.com/p/search/강남 맛집/place/1234567890", SHOP),
    ("https://map.naver.com/p/search/place/place/1234567890", SHOP),
    ("https://map.naver.com/p/search/999999/place/1234567890", SHOP),
    ("https://map.naver.com/place/1234567890", SHOP),
    ("https://map.naver.com/v5/entry/place/1234567890?placePath=%3Fentry=pll", SHOP),
    ("https://map.naver.com/v5/search/%EA%B5%AD%EC%88%98/place/1234567890", SHOP),
    ("https://map.naver.com/p/entry/place%2F1234567890", SHOP),
    ("https://map.naver.com/p/search/%EA%B5%AD%EC%88%98/place%252F1234567890", SHOP),
    ("https%3A%2F%2Fmap.naver.com%2Fp%2Fentry%2Fplace%2F1234567890", SHOP),
    ("https%253A%252F%252Fmap.naver.com%252Fp%252Fentry%252Fplace%252F1234567890", SHOP),
    ("https://map.naver.com/?pinId=1234567890&pinType=place", SHOP),
    ("https://map.naver.com/p?placeId=1234567890", SHOP),
    ("https://m.map.naver.com/p/entry/place/1234567890", SHOP),
    ("https://m.place.naver.com/place/1234567890", SHOP),
    ("https://m.place.naver.com/place/1234567890/home", SHOP),
    ("https://m.place.naver.com/restaurant/1234567890/home", RESTAURANT),
    ("https://m.place.naver.com/restaurant/1234567890/review/visitor?entry=pll&reviewSort=recent", RESTAURANT),
    ("https://m.place.naver.com/RESTAURANT/1234567890", RESTAURANT),
    ("http://m.place.naver.com/restaurant/1234567890/home#tab", RESTAURANT),
    ("HTTPS://M.PLACE.NAVER.COM/restaurant/1234567890", RESTAURANT),
    ("//m.place.naver.com/restaurant/1234567890/home", RESTAURANT),
    ("m.place.naver.com/restaurant/1234567890/home", RESTAURANT),
    ("https://m.place.naver.com:443/restaurant/1234567890/home", RESTAURANT),
    ("https://m.place.naver.com./restaurant/1234567890/home", RESTAURANT),
    ("https://pcmap.place.naver.com/restaurant/1234567890/menu/list?from=map", RESTAURANT),
    ("https://place.naver.com/restaurant/1234567890/home", RESTAURANT),
    ("https://m.place.naver.com/restaurant%2F1234567890%2Fhome", RESTAURANT),
    ("https://m.place.naver.com/share?id=1234567890&tabsPath=%2Fhome", SHOP),
    ("https://m.place.naver.com/cafe/1234567890/home", PlaceTarget(place_id="1234567890", vertical="cafe")),
    ("https://m.place.naver.com/nailshop/1234567890", PlaceTarget(place_id="1234567890", vertical="nailshop")),
    ("https://m.place.naver.com/popupstore/1234567890", PlaceTarget(place_id="1234567890", vertical="popupstore")),
    (
        "[네이버 지도]\n솔바람 국수\n가상시 모형동 12\nhttps://m.place.naver.com/restaurant/1234567890/home?entry=pll\n",
        RESTAURANT,
    ),
    ("여기예요 (https://m.place.naver.com/restaurant/1234567890/home).", RESTAURANT),
    ("우리 가게는 m.place.naver.com/restaurant/1234567890/home, 많이 와 주세요", RESTAURANT),
    (
        "https://m.search.naver.com/p/crd/rd?m=1&u=https%3A%2F%2Fm.place.naver.com%2Frestaurant%2F1234567890%2Fhome",
        RESTAURANT,
    ),
]

POST = BlogTarget(blog_id="nj_lamp01", log_no="223400000101")

POSTS = [
    ("https://blog.naver.com/nj_lamp01/223400000101", POST),
    ("https://blog.naver.com/NJ_Lamp01/223400000101", POST),
    ("http://blog.naver.com/nj_lamp01/223400000101?trackingCode=rss#comment", POST),
    ("blog.naver.com/nj_lamp01/223400000101/", POST),
    ("https://m.blog.naver.com/nj_lamp01/223400000101", POST),
    ("https://blog.naver.com/PostView.naver?blogId=nj_lamp01&logNo=223400000101", POST),
    ("https://blog.naver.com/PostView.nhn?blogId=nj_lamp01&logNo=223400000101&redirect=Dlog", POST),
    ("https://m.blog.naver.com/PostView.naver?blogid=NJ_LAMP01&logno=223400000101", POST),
    ("https://m.blog.naver.com/postview.nhn?LOGNO=223400000101&BLOGID=nj_lamp01", POST),
    ("https://blog.naver.com/nj_lamp01?Redirect=Log&logNo=223400000101", POST),
    ("https://nj_lamp01.blog.me/223400000101", POST),
    ("http://NJ_lamp01.blog.me/223400000101?Redirect=Log", POST),
    ("https://blog.naver.com/nj_lamp01%2F223400000101", POST),
    ("https%3A%2F%2Fblog.naver.com%2Fnj_lamp01%2F223400000101", POST),
    ("https://search.naver.com/p/crd/rd?m=1&px=1&u=https%3A%2F%2Fblog.naver.com%2Fnj_lamp01%2F223400000101&r=3", POST),
    ("https://search.naver.com/p/crd/rd?m=1&cru=https%3A%2F%2Fblog.naver.com%2Fnj_lamp01%2F223400000101", POST),
    ("제 글입니다: https://blog.naver.com/nj_lamp01/223400000101 읽어 주세요!", POST),
    ("https://blog.naver.com/nj_lamp01/223400000101에서 봤어요", POST),
    ("작은 서점 나들이\n모형 블로그\nhttps://m.blog.naver.com/nj_lamp01/223400000101\n", POST),
    # The same post twice, as some share sheets do.
    ("https://blog.naver.com/nj_lamp01/223400000101 https://m.blog.naver.com/nj_lamp01/223400000101", POST),
]

BY_SLUG = CafeTarget(article_id="12345", slug="njcafemoss001")
BY_NUMBER = CafeTarget(article_id="12345", club_id="20000001")
BY_BOTH = CafeTarget(article_id="12345", slug="njcafemoss001", club_id="20000001")

ARTICLES = [
    ("https://cafe.naver.com/njcafemoss001/12345", BY_SLUG),
    ("https://cafe.naver.com/NJCafeMoss001/12345", BY_SLUG),
    ("https://m.cafe.naver.com/njcafemoss001/12345", BY_SLUG),
    ("cafe.naver.com/njcafemoss001/12345", BY_SLUG),
    ("https://cafe.naver.com/njcafemoss001/12345?art=ZXh0ZXJuYWw.abc-_.def&q=%EB%AA%A8%ED%98%95", BY_SLUG),
    ("https://cafe.naver.com/ca-fe/cafes/20000001/articles/12345", BY_NUMBER),
    ("https://cafe.naver.com/ca-fe/cafes/20000001/articles/12345?oldPath=x&menuid=3", BY_NUMBER),
    ("https://cafe.naver.com/f-e/cafes/20000001/articles/12345?menuid=7&referrerAllArticles=true", BY_NUMBER),
    ("https://m.cafe.naver.com/ca-fe/web/cafes/20000001/articles/12345", BY_NUMBER),
    ("https://m.cafe.naver.com/ca-fe/web/cafes/20000001/menus/7/articles/12345", BY_NUMBER),
    ("https://m.cafe.naver.com/ca-fe/web/cafes/njcafemoss001/articles/12345?useCafeId=false", BY_SLUG),
    ("https://m.cafe.naver.com/ca-fe/web/cafes/njcafemoss001/menus/7/articles/12345", BY_SLUG),
    ("https://cafe.naver.com/ArticleRead.nhn?clubid=20000001&articleid=12345", BY_NUMBER),
    ("https://m.cafe.naver.com/ArticleRead.naver?ClubId=20000001&ArticleId=12345&boardtype=L", BY_NUMBER),
    ("https://cafe.naver.com/njcafemoss001/ArticleRead.nhn?clubid=20000001&articleid=12345", BY_BOTH),
    (
        "https://cafe.naver.com/njcafemoss001?iframe_url=/ArticleRead.nhn%3Fclubid=20000001%26articleid%3D12345",
        BY_BOTH,
    ),
    ("https://cafe.naver.com/njcafemoss001?iframe_url=/ArticleRead.nhn%3Farticleid%3D12345%26page%3D1", BY_SLUG),
    (
        "https://cafe.naver.com/njcafemoss001?iframe_url_utf8=%2FArticleRead.nhn%253Fclubid=20000001%2526articleid=12345",
        BY_BOTH,
    ),
    ("https://cafe.naver.com/njcafemoss001%2F12345", BY_SLUG),
    (
        "https://search.naver.com/p/crd/rd?u=https%3A%2F%2Fcafe.naver.com%2Fnjcafemoss001%2F12345%3Fart%3Dabc",
        BY_SLUG,
    ),
]

SHORT_LINKS = [
    ("https://naver.me/Ab3dEfG7", "https://naver.me/Ab3dEfG7"),
    ("http://NAVER.ME/Ab3dEfG7?x=1", "https://naver.me/Ab3dEfG7"),
    ("naver.me/Ab3dEfG7", "https://naver.me/Ab3dEfG7"),
    ("[네이버 지도]\n솔바람 국수\n가상시 모형동 12\nhttps://naver.me/Ab3dEfG7", "https://naver.me/Ab3dEfG7"),
    ("https://naver.me/Ab3dEfG7에서 확인하세요", "https://naver.me/Ab3dEfG7"),
    ("(https://naver.me/Ab3dEfG7)", "https://naver.me/Ab3dEfG7"),
]

PLACE, BLOG, CAFE = RankType.PLACE, RankType.BLOG, RankType.CAFE


def wrapped(url: str, times: int) -> str:
    for _ in range(times):
        url = f"https://search.naver.com/p/crd/rd?u={quote(url, safe='')}"
    return url


REFUSED = [
    # Nothing, or nothing that is a link
    (PLACE, "", "empty"),
    (BLOG, "   \n ", "empty"),
    (BLOG, "내 블로그", "no link"),
    (PLACE, "12345", "no link"),
    (PLACE, "1234567890123", "no link"),
    (PLACE, "１２３４５６７８９０", "no link"),
    (BLOG, "223400000101", "no link"),
    (CAFE, "12345678", "no link"),
    (BLOG, "https://blog.naver.com/" + "a" * MAX_LENGTH, "2048"),
    (BLOG, "https://blog.naver.com/nj_lamp01/2234\x0000000101", "characters"),
    (BLOG, "https://blog.naver.com/nj_lamp01/2234\ud800", "characters"),
    # Known hosts, but not one place, post or article
    (PLACE, "https://map.naver.com/p/search/%EA%B0%95%EB%82%A8%20%EB%A7%9B%EC%A7%91", "names no place"),
    (PLACE, "https://map.naver.com/p/search/place/1234567890", "names no place"),
    (PLACE, "https://map.naver.com/p/search/국수?c=15.00,0,0,0,dh&searchType=place", "names no place"),
    (PLACE, "https://map.naver.com/p/search/x?menuid=1234567890", "names no place"),
    (PLACE, "https://map.naver.com/p/search/x?clientId=1234567890&myPlaceId=1234567890", "names no place"),
    (PLACE, "https://map.naver.com/p/directions/-/-/-/transit?c=15", "names no place"),
    (PLACE, "https://map.naver.com/", "names no place"),
    (PLACE, "https://m.place.naver.com/restaurant/list?query=%EA%B5%AD%EC%88%98", "list"),
    (PLACE, "https://pcmap.place.naver.com/place/list?query=x&start=71", "list"),
    (PLACE, "https://m.place.naver.com/restaurant/12a4567/home", "list"),
    (PLACE, "https://m.place.naver.com/", "list"),
    (BLOG, "https://blog.naver.com/nj_lamp01", "home"),
    (BLOG, "https://m.blog.naver.com/nj_lamp01?tab=1", "home"),
    (BLOG, "https://nj_lamp01.blog.me/", "names no post"),
    (BLOG, "https://blog.naver.com/PostList.naver?blogId=nj_lamp01&categoryNo=3", "home"),
    (BLOG, "https://blog.naver.com/PostView.naver?blogId=nj_lamp01", "home"),
    (BLOG, "https://blog.naver.com/PostView.naver?logNo=223400000101", "names no blog"),
    (BLOG, "https://blog.naver.com/PostView/223400000101", "names no blog"),
    (BLOG, "https://blog.naver.com/prologue/223400000101", "names no blog"),
    (BLOG, "https://blog.naver.com/widget/223400000101", "names no blog"),
    (BLOG, "https://blog.naver.com/nj_lamp01/about", "home"),
    (BLOG, "https://blog.naver.com/", "names no blog"),
    (CAFE, "https://cafe.naver.com/njcafemoss001", "not one article"),
    (CAFE, "https://cafe.naver.com/ca-fe/12345", "not one article"),
    (CAFE, "https://cafe.naver.com/f-e/cafes/20000001/menus/7", "not one article"),
    (CAFE, "https://cafe.naver.com/ArticleList.nhn?search.clubid=20000001&articleid=5", "not one article"),
    (CAFE, "https://cafe.naver.com/ArticleRead.nhn?articleid=12345", "not one article"),
    (CAFE, "https://cafe.naver.com/njcafemoss001?iframe_url=/ArticleList.nhn%3Fclubid%3D20000001", "not one article"),
    (CAFE, "https://cafe.naver.com/cafes/articles/12345", "not one article"),
    (BLOG, "https://search.naver.com/search.naver?ssc=tab.blog.all&query=x", "search page"),
    (BLOG, "https://search.naver.com/p/crd/rd?m=1&r=2", "search page"),
    (PLACE, "https://naver.me/", "no code"),
    (PLACE, "https://naver.me/a/b", "no code"),
    # The wrong kind of link
    (PLACE, "https://blog.naver.com/nj_lamp01/223400000101", "blog link"),
    (BLOG, "https://cafe.naver.com/njcafemoss001/12345", "cafe link"),
    (CAFE, "https://m.place.naver.com/restaurant/1234567890/home", "place link"),
    # Other hosts, and hosts that only look like Naver's
    (BLOG, "https://njletters.tistory.com/5", "not a host"),
    (BLOG, "https://in.naver.com/nj_lamp01/contents/1", "not a host"),
    (BLOG, "https://www.naver.com/nj_lamp01/223400000101", "not a host"),
    (BLOG, "https://blog.naver.com.evil.example/nj_lamp01/223400000101", "not a host"),
    (BLOG, "https://evilblog.naver.com/nj_lamp01/223400000101", "not a host"),
    (BLOG, "https://evilnaver.com/nj_lamp01/223400000101", "not a host"),
    (BLOG, "https://blog-naver.com/nj_lamp01/223400000101", "not a host"),
    (BLOG, "https://blog.me/223400000101", "not a host"),
    (BLOG, "https://a.b.blog.me/223400000101", "names no post"),
    (PLACE, "https://naver.me.evil.example/Ab3dEfG7", "not a host"),
    (PLACE, "https://xnaver.me/Ab3dEfG7", "not a host"),
    (BLOG, "https://blog.naver.com@evil.example/nj_lamp01/223400000101", "plain Naver host"),
    (BLOG, "https://blog.naver.com:password@evil.example/nj_lamp01/223400000101", "plain Naver host"),
    (BLOG, "https://evil.example\\@blog.naver.com/nj_lamp01/223400000101", "plain Naver host"),
    (BLOG, "https://user@blog.naver.com/nj_lamp01/223400000101", "plain Naver host"),
    (BLOG, "https://blog.naver.com:8080/nj_lamp01/223400000101", "plain Naver host"),
    (BLOG, "https://blog。naver。com/nj_lamp01/223400000101", "plain Naver host"),
    (BLOG, "https://[::1/nj_lamp01/223400000101", "not a link"),
    (BLOG, "https://evil.example/?next=https://blog.naver.com/nj_lamp01/223400000101", "not a host"),
    (BLOG, "https://search.naver.com/p/crd/rd?u=https%3A%2F%2Fevil.example%2Fnj_lamp01%2F223400000101", "not a host"),
    (BLOG, "https://evil.example/p/crd/rd?u=https%3A%2F%2Fblog.naver.com%2Fnj_lamp01%2F223400000101", "not a host"),
    (BLOG, "naver.com@evil.example/nj_lamp01/223400000101", "no link"),
    (BLOG, wrapped("https://blog.naver.com/nj_lamp01/223400000101", 4), "too many times"),
    # Other schemes
    (BLOG, "ftp://blog.naver.com/nj_lamp01/223400000101", "not ftp"),
    (BLOG, "javascript://blog.naver.com/nj_lamp01/223400000101", "not javascript"),
    (BLOG, "file:///etc/passwd", "not file"),
    # More than one answer
    (BLOG, "https://blog.naver.com/nj_lamp01/223400000101 https://blog.naver.com/nj_lamp01/223400000102", "one link"),
    (PLACE, "https://naver.me/aaaa https://naver.me/bbbb", "one link"),
]


@pytest.mark.parametrize(("text", "target"), PLACES)
def test_every_form_of_a_place_link_means_the_place(text: str, target: PlaceTarget) -> None:
    assert parse_target(PLACE, text) == target


@pytest.mark.parametrize(("text", "target"), POSTS)
def test_every_form_of_a_blog_link_means_the_post(text: str, target: BlogTarget) -> None:
    assert parse_target(BLOG, text) == target


@pytest.mark.parametrize(("text", "target"), ARTICLES)
def test_every_form_of_a_cafe_link_means_the_article(text: str, target: CafeTarget) -> None:
    assert parse_target(CAFE, text) == target


@pytest.mark.parametrize("rank_type", RankType)
@pytest.mark.parametrize(("text", "url"), SHORT_LINKS)
def test_a_short_link_must_be_followed_whatever_is_tracked(rank_type: RankType, text: str, url: str) -> None:
    assert parse_target(rank_type, text) == ShortLink(url)


@pytest.mark.parametrize(("rank_type", "text", "reason"), REFUSED)
def test_what_is_not_understood_is_refused_with_a_sentence(rank_type: RankType, text: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason) as refusal:
        parse_target(rank_type, text)
    assert f"Accepted for {rank_type}: a " in refusal.value.message


def test_a_link_may_be_wrapped_more_than_once() -> None:
    assert parse_target(BLOG, wrapped("https://blog.naver.com/nj_lamp01/223400000101", 3)) == POST


def test_of_several_links_the_one_of_the_wanted_kind_counts() -> None:
    text = "https://blog.naver.com/nj_lamp01/223400000101 그리고 https://m.place.naver.com/restaurant/1234567890/home"
    assert parse_target(BLOG, text) == POST
    assert parse_target(PLACE, text) == RESTAURANT


def test_a_full_link_counts_before_a_short_one() -> None:
    assert parse_target(BLOG, "https://naver.me/abcd https://blog.naver.com/nj_lamp01/223400000101") == POST


ids = st.from_regex(r"[1-9][0-9]{5,11}", fullmatch=True)
words = st.from_regex(r"[a-z0-9_]{3,20}", fullmatch=True)
keywords = st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable() and text.strip())


@given(place_id=ids, keyword=keywords)
@example(place_id="1234567890", keyword="place")
@example(place_id="1234567890", keyword="a/place/999999")
def test_the_keyword_of_a_map_search_never_changes_the_place(place_id: str, keyword: str) -> None:
    url = f"https://map.naver.com/p/search/{quote(keyword, safe='')}/place/{place_id}?c=15"
    assert parse_target(PLACE, url) == PlaceTarget(place_id=place_id)


@given(target=st.one_of(
    st.builds(PlaceTarget, place_id=ids),
    st.builds(BlogTarget, blog_id=words.map("nj_{}".format), log_no=ids),
    st.builds(CafeTarget, article_id=ids, slug=words.map("njcafe{}".format)),
    st.builds(CafeTarget, article_id=ids, club_id=ids),
))  # fmt: skip
def test_a_canonical_address_and_a_key_lead_back_to_their_target(
    target: PlaceTarget | BlogTarget | CafeTarget,
) -> None:
    assert target_of_link(canonical_url(target)) == target
    assert target_from_key(target_key(target)) == target


@given(rank_type=st.sampled_from(RankType), text=st.text(max_size=300))
@example(rank_type=BLOG, text="https://[")
@example(rank_type=BLOG, text="https://blog.naver.com/%ZZ/%")
@example(rank_type=PLACE, text="https://map.naver.com/p/search/\ud800 x/place/1234567890")
@example(rank_type=CAFE, text="https://cafe.naver.com/a?iframe_url=" + "%25" * 300)
def test_any_text_is_understood_or_refused_but_never_breaks(rank_type: RankType, text: str) -> None:
    with suppress(Invalid):
        parse_target(rank_type, text)


NAVER_LIKE = st.sampled_from(["blog.naver.com", "naver.me", "cafe.naver.com", "map.naver.com", "m.place.naver.com"])


@given(
    host=NAVER_LIKE,
    other=st.from_regex(r"[a-z0-9]{1,10}", fullmatch=True),
    glue=st.sampled_from([".", "-", "", "@", "%40", "\\", "%2e"]),
)
def test_no_host_that_merely_contains_a_known_one_is_believed(host: str, other: str, glue: str) -> None:
    lookalikes = [f"{host}{glue}{other}.example", f"{other}{glue}{host}.example", f"{other}x-{host}"]
    for lookalike in lookalikes:
        for rank_type, path in (
            (BLOG, "nj_lamp01/223400000101"),
            (PLACE, "place/1234567890"),
            (CAFE, "njcafemoss001/1"),
        ):
            with pytest.raises(Invalid):
                parse_target(rank_type, f"https://{lookalike}/{path}")
