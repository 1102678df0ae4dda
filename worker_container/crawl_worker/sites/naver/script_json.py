"""JSON values that stand in the scripts of a page."""

import json
import re
from collections.abc import Iterator
from typing import Any

_DECODER = json.JSONDecoder(strict=False)
_OBJECT = re.compile(r"""[^;{]{0,400}(?P<object>\{)\s*["}]""")
"""What may stand between a name and its object: an equals sign, or the look-up of an element and a comma."""


class BrokenValue(ValueError):
    """A value begins but does not end: the page broke off, or it is no JSON."""


def values_after(text: str, name: str) -> Iterator[Any]:
    """The JSON objects that follow each occurrence of a name, such as `bootstrap(` or `__APOLLO_STATE__`.

    A value ends where its braces close, not at the end of a line or script: a script tag may hold several values, and
    strings within them hold braces, semicolons and tags. An occurrence without an object behind it is passed over.

    Raises:
        BrokenValue: an object begins and does not end.
    """
    position = text.find(name)
    while position >= 0:
        position += len(name)
        begin = _OBJECT.match(text, position)
        if begin is not None:
            try:
                value, position = _DECODER.raw_decode(text, begin.start("object"))
            except (ValueError, RecursionError) as error:
                raise BrokenValue(f"the value after {name!r} is not whole") from error
            yield value
        position = text.find(name, position)
