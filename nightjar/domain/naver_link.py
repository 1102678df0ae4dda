"""What one link to Naver means: a place, a blog post, a cafe article, or a short link that must be followed first.

Every spelling of the same thing gives the same target. A link is taken apart, never searched: the host must be exactly
one of the known ones, so `blog.naver.com.evil.example` and `naver.com@evil.example` mean nothing here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from nightjar.domain.target import BlogTarget, CafeTarget, PlaceTarget, Target
from nightjar.errors import Invalid


@dataclass(frozen=True, slots=True)
class ShortLink:
    """A naver.me link: what it leads to is known only after following it."""

    url: str


SHORT_HOST = "naver.me"
SITE_DOMAIN = "naver.com"

_MAP_HOSTS = frozenset({"map.naver.com", "m.map.naver.com"})
_PLACE_HOSTS = frozenset({"m.place.naver.com", "pcmap.place.naver.com", "place.naver.com"})
_BLOG_HOSTS = frozenset({"blog.naver.com", "m.blog.naver.com"})
_CAFE_HOSTS = frozenset({"cafe.naver.com", "m.cafe.naver.com"})
_SEARCH_HOSTS = frozenset({"search.naver.com", "m.search.naver.com", "s.search.naver.com"})
_LEGACY_BLOG_SUFFIX = ".blog.me"

_NUMBER = re.compile(r"[0-9]{1,18}")
_VERTICAL = re.compile(r"[a-z]{2,30}")
_BLOG_ID = re.compile(r"[a-z0-9_-]{2,40}")
_CAFE_SLUG = re.compile(r"[a-z0-9_-]{2,60}")
_SHORT_CODE = re.compile(r"[A-Za-z0-9_-]{1,40}")
_NETLOC = re.compile(r"(?P<host>[a-z0-9._-]+)(?::(?:80|443)?)?")

_PLACE_PARAMETERS = ("placeid", "id", "pinid")
"""Names of the parameter that carries a place number, whole and in lower case: `menuid` or `clientid` is not one."""

_BLOG_PAGES = frozenset(
    {"api", "buddy", "category", "comment", "commentlist", "feed", "guestbook", "home", "main", "market", "memo", "my"}
    | {"nvisitor", "popup", "postlist", "postprint", "postscrap", "postview", "profile", "prologue", "rss", "search"}
    | {"section", "tag", "tags", "theme", "widget"}
)
"""First path segments of a blog address that are pages of the service and never the id of a blog."""

_CAFE_PAGES = frozenset(
    {"articlelist", "articleread", "articlesearchlist", "articlewrite", "ca-fe", "cafehome", "cafes", "common", "f-e"}
    | {"mycafe", "mycafeintro", "search", "static"}
)
"""The same for a cafe address."""

_MAX_WRAPPINGS = 3
"""A link inside a link inside a link; nobody pastes more. The same number of rounds of percent encoding is undone."""


@dataclass(frozen=True, slots=True)
class _Address:
    host: str
    segments: tuple[str, ...]
    parameters: Mapping[str, str]
    path: str
    query: str


def read_link(url: str) -> Target | ShortLink:
    """The target of an absolute http or https link.

    Raises:
        Invalid: the link names no place, post or article; the message says why, as the first half of a sentence.
    """
    return _read(url, wrappings=0)


def target_of_link(url: str) -> Target | None:
    """The target of a link that a result list shows, or None where it leads elsewhere."""
    try:
        target = read_link(url)
    except Invalid:
        return None
    return None if isinstance(target, ShortLink) else target


def is_site_host(host: str) -> bool:
    """Whether a host is naver.com or below it."""
    return host == SITE_DOMAIN or host.endswith(f".{SITE_DOMAIN}")


def host_of_link(url: str) -> str:
    """The host of an http or https link, in lower case and without a port.

    Raises:
        Invalid: another scheme, a user name, an unusual port, or no host at all.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise Invalid("this is not a link") from error
    if parts.scheme.lower() not in {"http", "https"}:
        raise Invalid(f"only http and https links are read, not {parts.scheme or 'a link without a scheme'}")
    netloc = _NETLOC.fullmatch(parts.netloc.lower())
    if netloc is None:
        raise Invalid("the host of this link is not a plain Naver host")
    return netloc["host"].rstrip(".")


def _read(url: str, *, wrappings: int) -> Target | ShortLink:
    host = host_of_link(url)
    parts = urlsplit(url)
    if host in _SEARCH_HOSTS:
        return _unwrap(parts.path, parts.query, wrappings=wrappings)
    reader = _reader_of(host)
    try:
        return reader(_address(host, parts.path, parts.query))
    except Invalid:
        # Copies out of other programs carry percent-encoded separators: place%2F123. Only the rest of the link is
        # decoded, so that no encoding can move the host.
        path, _, query = _decoded(parts.path).partition("?")
        if path == parts.path:
            raise
        return reader(_address(host, path, f"{query}&{parts.query}"))


def _reader_of(host: str) -> Callable[[_Address], Target | ShortLink]:
    if host == SHORT_HOST:
        return _short_link
    if host in _MAP_HOSTS:
        return _place_on_map
    if host in _PLACE_HOSTS:
        return _place
    if host in _BLOG_HOSTS:
        return _blog_post
    if host in _CAFE_HOSTS:
        return _cafe_article
    if host.endswith(_LEGACY_BLOG_SUFFIX):
        return _legacy_blog_post
    raise Invalid(f"{host} is not a host of Naver places, blogs or cafes")


def _address(host: str, path: str, query: str) -> _Address:
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query):
        parameters.setdefault(name.lower(), value)
    segments = tuple(unquote(segment) for segment in path.split("/") if segment)
    return _Address(host=host, segments=segments, parameters=parameters, path=path, query=query)


def _decoded(text: str) -> str:
    for _ in range(_MAX_WRAPPINGS):
        once_more = unquote(text)
        if once_more == text:
            break
        text = once_more
    return text


def _unwrap(path: str, query: str, *, wrappings: int) -> Target | ShortLink:
    """The link inside a click counter of the search pages: /p/crd/rd?...&u=TARGET."""
    parameters = {name.lower(): value for name, value in parse_qsl(query)}
    inner = parameters.get("cru") or parameters.get("u")
    if not path.endswith("/rd") or not inner:
        raise Invalid("a search page is not one place, post or article")
    if wrappings == _MAX_WRAPPINGS:
        raise Invalid("this link is wrapped too many times")
    return _read(inner, wrappings=wrappings + 1)


def _number(text: str | None) -> str | None:
    return text if text and _NUMBER.fullmatch(text) else None


# --- places -------------------------------------------------------------------------------------------------------


def _place_on_map(address: _Address) -> PlaceTarget:
    place_id = _number_after_place(address.segments) or _place_parameter(address)
    if place_id is None:
        raise Invalid("this map link names no place (it is a search or an area): open the place, then copy its link")
    return PlaceTarget(place_id=place_id)


def _number_after_place(segments: tuple[str, ...]) -> str | None:
    """The number after the last segment `place`. The segment after `search` is the keyword, whatever it says."""
    for index in range(len(segments) - 2, -1, -1):
        searched_for = index > 0 and segments[index - 1] == "search"
        if segments[index] == "place" and not searched_for and _number(segments[index + 1]):
            return segments[index + 1]
    return None


def _place(address: _Address) -> PlaceTarget:
    match address.segments:
        case (vertical, place_id, *_) if _VERTICAL.fullmatch(vertical.lower()) and _number(place_id):
            named = vertical.lower()
            # "place" is the general list: naming it says no more than a link from the map does.
            return PlaceTarget(place_id=place_id, vertical=None if named == "place" else named)
    in_parameters = _place_parameter(address)
    if in_parameters is None:
        raise Invalid("this link leads to a list or a page of places, not to one place")
    return PlaceTarget(place_id=in_parameters)


def _place_parameter(address: _Address) -> str | None:
    numbers = (_number(address.parameters.get(name)) for name in _PLACE_PARAMETERS)
    return next((number for number in numbers if number), None)


# --- blog posts ---------------------------------------------------------------------------------------------------


def _blog_post(address: _Address) -> BlogTarget:
    page = address.segments[0].lower() if address.segments else ""
    of_service = page.partition(".")[0] in _BLOG_PAGES or "." in page
    blog_id = address.parameters.get("blogid", "").lower() if of_service else page
    in_path = address.segments[1] if len(address.segments) > 1 and not of_service else None
    log_no = _number(in_path) or _number(address.parameters.get("logno"))
    if not _BLOG_ID.fullmatch(blog_id):
        raise Invalid("this blog link names no blog")
    if log_no is None:
        raise Invalid("this is the home or a list of a blog, not one post: open the post, then copy its link")
    return BlogTarget(blog_id=blog_id, log_no=log_no)


def _legacy_blog_post(address: _Address) -> BlogTarget:
    blog_id = address.host.removesuffix(_LEGACY_BLOG_SUFFIX)
    log_no = _number(address.segments[0]) if address.segments else None
    log_no = log_no or _number(address.parameters.get("logno"))
    if not _BLOG_ID.fullmatch(blog_id) or log_no is None:
        raise Invalid("this blog.me link names no post")
    return BlogTarget(blog_id=blog_id, log_no=log_no)


# --- cafe articles ------------------------------------------------------------------------------------------------


def _cafe_article(address: _Address) -> CafeTarget:
    target = _article_in_path(address) or _article_in_parameters(address) or _article_in_frame(address)
    if target is None:
        raise Invalid("this is a cafe or a list of it, not one article: open the article, then copy its link")
    return target


def _article_in_path(address: _Address) -> CafeTarget | None:
    match address.segments:
        case (slug, article_id) if _slug(slug) and _number(article_id):
            return CafeTarget(article_id=article_id, slug=slug.lower())
        case (*front, "articles", article_id) if "cafes" in front[:-1] and _number(article_id):
            return _of_cafe(front[front.index("cafes") + 1], article_id)
    return None


def _of_cafe(cafe: str, article_id: str) -> CafeTarget | None:
    """In the new addresses a cafe stands by its number or by its slug in the same position."""
    if _number(cafe):
        return CafeTarget(article_id=article_id, club_id=cafe)
    return CafeTarget(article_id=article_id, slug=cafe.lower()) if _slug(cafe) else None


def _article_in_parameters(address: _Address) -> CafeTarget | None:
    """ArticleRead.nhn?clubid=&articleid=, alone or below the slug of its cafe."""
    page = address.segments[-1].lower() if address.segments else ""
    article_id = _number(address.parameters.get("articleid"))
    if page.partition(".")[0] != "articleread" or article_id is None:
        return None
    club_id = _number(address.parameters.get("clubid"))
    slug = _slug(address.segments[0])
    return CafeTarget(article_id=article_id, slug=slug, club_id=club_id) if slug or club_id else None


def _article_in_frame(address: _Address) -> CafeTarget | None:
    """The old front: the cafe's address with the article's in the parameter iframe_url."""
    frame = address.parameters.get("iframe_url") or address.parameters.get("iframe_url_utf8")
    if not frame:
        return None
    path, _, query = _decoded(frame).partition("?")
    inner = _address(address.host, path, query)
    below_slug = _address(address.host, "/".join((*address.segments, *inner.segments)), query)
    return _article_in_path(inner) or _article_in_parameters(below_slug)


def _slug(text: str) -> str | None:
    slug = text.lower()
    reserved = slug.partition(".")[0] in _CAFE_PAGES
    return slug if _CAFE_SLUG.fullmatch(slug) and not reserved else None


# --- short links --------------------------------------------------------------------------------------------------


def _short_link(address: _Address) -> ShortLink:
    match address.segments:
        case (code,) if _SHORT_CODE.fullmatch(code):
            return ShortLink(f"https://{SHORT_HOST}/{code}")
    raise Invalid("this short link carries no code")
