"""From what people paste to the target that is tracked."""

import re
from collections.abc import Iterator
from urllib.parse import quote, unquote

from nightjar.domain.naver_link import ShortLink, read_link
from nightjar.domain.target import PlaceTarget, Target, rank_type_of
from nightjar.domain.tracking import RankType
from nightjar.errors import Invalid

__all__ = ["MAX_LENGTH", "ShortLink", "parse_target"]

MAX_LENGTH = 2048
"""Characters. Share sheets add a few lines of text, cafe links a token of some hundred characters."""

_MAX_LINKS = 10
"""Links looked at in one text; a share sheet has one."""

_BARE_PLACE_ID = re.compile(r"[0-9]{6,12}")
_WITH_SCHEME = re.compile(r"https?(?:://|%3a%2f%2f|%253a%252f%252f)\S+", re.IGNORECASE)
_WITHOUT_SCHEME = re.compile(
    r"(?:(?<![\w@.%:/-])|(?<=^//)|(?<=\s//))(?:[a-z0-9_-]+\.)+[a-z]{2,}\.?(?::\d+)?/\S+", re.IGNORECASE | re.ASCII
)
_OTHER_SCHEME = re.compile(r"\b([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_NOT_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")
_AROUND_A_LINK = ")]}>\"'.,;!…’”」』）〉》"

_ACCEPTED = {
    RankType.PLACE: (
        "a place number of 6 to 12 digits, or a link to one place such as "
        "https://map.naver.com/p/entry/place/1234567890, https://m.place.naver.com/restaurant/1234567890/home "
        "or https://naver.me/xxxxxxxx"
    ),
    RankType.BLOG: (
        "a link to one post such as https://blog.naver.com/blogid/223456789012, "
        "https://m.blog.naver.com/PostView.naver?blogId=blogid&logNo=223456789012 or https://naver.me/xxxxxxxx"
    ),
    RankType.CAFE: (
        "a link to one article such as https://cafe.naver.com/slug/12345, "
        "https://cafe.naver.com/ca-fe/cafes/10000000/articles/12345 or https://naver.me/xxxxxxxx"
    ),
}


def parse_target(rank_type: RankType, text: str) -> Target | ShortLink:
    """The one target that a pasted text names, or the short link that must be followed to learn it.

    Text around the link, a missing scheme, percent-encoded copies and every known form of address are understood.

    Raises:
        Invalid: with a sentence that says what is wrong and what is accepted for this rank type.
    """
    pasted = text.strip()
    try:
        return _one_target(rank_type, pasted)
    except Invalid as error:
        raise Invalid(f"target_url: {error.message}. Accepted for {rank_type}: {_ACCEPTED[rank_type]}.") from error


def _one_target(rank_type: RankType, pasted: str) -> Target | ShortLink:
    if not pasted:
        raise Invalid("it is empty")
    if len(pasted) > MAX_LENGTH:
        raise Invalid(f"it has more than {MAX_LENGTH} characters")
    if _NOT_TEXT.search(pasted):
        raise Invalid("it holds characters that no link has")
    if rank_type is RankType.PLACE and _BARE_PLACE_ID.fullmatch(pasted):
        return PlaceTarget(place_id=pasted)
    found = _targets_in(pasted)
    return _only(_of_type(rank_type, found))


def _targets_in(pasted: str) -> list[Target | ShortLink]:
    """What the links of a text mean. Where none means anything, the reason of the first is raised."""
    found: list[Target | ShortLink] = []
    first_reason: Invalid | None = None
    for spellings in _links_in(pasted):
        try:
            found.append(_first_readable(spellings))
        except Invalid as reason:
            first_reason = first_reason or reason
    if not found:
        raise first_reason or Invalid(_why_no_link(pasted))
    return found


def _links_in(pasted: str) -> Iterator[tuple[str, ...]]:
    """Each link of a text in the spellings to try, most literal first."""
    links = list(_WITH_SCHEME.finditer(pasted)) or list(_WITHOUT_SCHEME.finditer(pasted))
    for link in links[:_MAX_LINKS]:
        literal = link.group().rstrip(_AROUND_A_LINK)
        rest_of_line = pasted[link.start() :].splitlines()[0].strip()
        yield tuple(
            _with_scheme(spelling) for spelling in (literal, _ascii_start(literal), _blanks_quoted(rest_of_line))
        )


def _with_scheme(link: str) -> str:
    if re.match(r"https?%", link, re.IGNORECASE):
        link = unquote(link) if "://" in unquote(link) else unquote(unquote(link))
    return link if re.match(r"https?://", link, re.IGNORECASE) else f"https://{link}"


def _ascii_start(link: str) -> str:
    """Without a word that was written right behind the link, as Korean particles are."""
    return re.split(r"[^\x21-\x7e]", link, maxsplit=1)[0]


def _blanks_quoted(line: str) -> str:
    """Address bars show, and people type, blanks within the keyword of a map search."""
    return quote(line, safe="%/:?#[]@!$&'()*+,;=~") if " " in line else line


def _first_readable(spellings: tuple[str, ...]) -> Target | ShortLink:
    first_reason: Invalid | None = None
    for link in dict.fromkeys(spellings):
        try:
            return read_link(link)
        except Invalid as reason:
            first_reason = first_reason or reason
    raise first_reason or Invalid("this is not a link")


def _why_no_link(pasted: str) -> str:
    scheme = _OTHER_SCHEME.search(pasted)
    if scheme:
        return f"only http and https links are read, not {scheme.group(1).lower()}"
    return "no link to Naver was found in it"


def _of_type(rank_type: RankType, found: list[Target | ShortLink]) -> list[Target | ShortLink]:
    targets = [target for target in found if not isinstance(target, ShortLink)]
    fitting: list[Target | ShortLink] = [target for target in targets if rank_type_of(target) is rank_type]
    short_links: list[Target | ShortLink] = [link for link in found if isinstance(link, ShortLink)]
    if not fitting and not short_links:
        raise Invalid(f"this is a {rank_type_of(targets[0])} link, which cannot be tracked as {rank_type}")
    return fitting or short_links


def _only(found: list[Target | ShortLink]) -> Target | ShortLink:
    different = dict.fromkeys(found)
    if len(different) > 1:
        raise Invalid("it holds more than one link; give one")
    return found[0]
