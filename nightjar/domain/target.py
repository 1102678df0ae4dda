"""What is looked for in a result list: a place, a blog post or a cafe article, whatever link it was given by."""

from dataclasses import dataclass
from typing import assert_never

from nightjar.domain.tracking import RankType


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceTarget:
    """A shop on the map. `place_id` is its number; `vertical` the list that its link named, if any."""

    place_id: str
    vertical: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlogTarget:
    """One blog post. `blog_id` is lower case."""

    blog_id: str
    log_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CafeTarget:
    """One cafe article. A cafe has a slug and a number (`club_id`); a link carries one of the two."""

    article_id: str
    slug: str | None = None
    club_id: str | None = None


Target = PlaceTarget | BlogTarget | CafeTarget


def target_keys(target: Target) -> frozenset[str]:
    """Every row key that means this target."""
    match target:
        case PlaceTarget(place_id=place_id):
            return frozenset({place_key(place_id)})
        case BlogTarget(blog_id=blog_id, log_no=log_no):
            return frozenset({blog_key(blog_id, log_no)})
        case CafeTarget(article_id=article_id, slug=slug, club_id=club_id):
            by_slug = {cafe_key(slug, article_id)} if slug else set()
            by_club = {club_key(club_id, article_id)} if club_id else set()
            return frozenset(by_slug | by_club)
        case _:
            assert_never(target)


def place_key(place_id: str) -> str:
    """The row key of a place."""
    return f"place:{place_id}"


def blog_key(blog_id: str, log_no: str) -> str:
    """The row key of a blog post; blog ids are compared without case."""
    return f"blog:{blog_id.lower()}/{log_no}"


def cafe_key(slug: str, article_id: str) -> str:
    """The row key of a cafe article by the slug of its cafe, as result lists show it."""
    return f"cafe:{slug.lower()}/{article_id}"


def club_key(club_id: str, article_id: str) -> str:
    """The row key of a cafe article by the number of its cafe, as people often paste it."""
    return f"club:{club_id}/{article_id}"


def target_key(target: Target) -> str:
    """The one key that a tracking stores: by slug where it is known."""
    keys = target_keys(target)
    return next((key for key in keys if not key.startswith("club:")), next(iter(keys)))


def target_from_key(key: str) -> Target:
    """The target that `target_key` made the key of."""
    kind, _, rest = key.partition(":")
    if kind == "place":
        return PlaceTarget(place_id=rest)
    owner, _, item = rest.partition("/")
    if kind == "blog":
        return BlogTarget(blog_id=owner, log_no=item)
    if kind == "club":
        return CafeTarget(article_id=item, club_id=owner)
    return CafeTarget(article_id=item, slug=owner)


def canonical_url(target: Target) -> str:
    """The one address under which a target is shown, whatever was pasted."""
    match target:
        case PlaceTarget(place_id=place_id):
            return f"https://m.place.naver.com/place/{place_id}/home"
        case BlogTarget(blog_id=blog_id, log_no=log_no):
            return f"https://blog.naver.com/{blog_id}/{log_no}"
        case CafeTarget(article_id=article_id, slug=str(slug)):
            return f"https://cafe.naver.com/{slug}/{article_id}"
        case CafeTarget(article_id=article_id, club_id=club_id):
            return f"https://cafe.naver.com/ca-fe/cafes/{club_id}/articles/{article_id}"
        case _:
            assert_never(target)


def rank_type_of(target: Target) -> RankType:
    """The rank type that a target can be tracked by."""
    match target:
        case PlaceTarget():
            return RankType.PLACE
        case BlogTarget():
            return RankType.BLOG
        case CafeTarget():
            return RankType.CAFE
        case _:
            assert_never(target)
