"""Which URLs of a site a crawl wants, by regular expressions of whoever ordered it.

Matched by RE2, in time that grows with the length of the URL alone: no pattern of a stranger can keep a worker busy.
"""

from collections.abc import Sequence
from urllib.parse import unquote

import re2

from nightjar.errors import Invalid

MEMORY_BYTES = 2_000_000
"""Of one compiled pattern, the states that it meets included."""


class UrlPatterns:
    """Patterns that are looked for anywhere in path and query (`/path?query`), as it is written or decoded."""

    def __init__(self, *, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> None:
        """Raises Invalid, naming the list and the pattern that cannot be used."""
        self._include = [_compiled("include", pattern) for pattern in include]
        self._exclude = [_compiled("exclude", pattern) for pattern in exclude]

    def admits(self, path_and_query: str) -> bool:
        """Whether one of `include` (if there is any) is found in it, and none of `exclude`."""
        if not self._include and not self._exclude:
            return True
        spellings = {path_and_query, unquote(path_and_query)} if "%" in path_and_query else (path_and_query,)
        if self._include and not _any_found(self._include, spellings):
            return False
        return not _any_found(self._exclude, spellings)


def _any_found(patterns: Sequence["re2._Regexp[str]"], spellings: "set[str] | tuple[str, ...]") -> bool:
    return any(pattern.search(spelling) for pattern in patterns for spelling in spellings)


def _compiled(name: str, pattern: str) -> "re2._Regexp[str]":
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MEMORY_BYTES
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else error.args[0]
        raise Invalid(
            f"{name}: {pattern!r} is no regular expression that can be used: {reason} "
            "(the syntax is that of RE2: no look-around, no back-references)"
        ) from None
