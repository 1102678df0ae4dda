"""Documents that are nested too deep are flattened before a parser sees them.

An HTML parser looks through all open elements at many a start tag: 5,000 open elements take lexbor 0.1 s, 20,000 take
1.6 s, 100,000 most of a minute. Browsers stop at a depth of 512; people write some 30.
"""

import re
from dataclasses import dataclass

MAX_DEPTH = 200
"""Of elements within each other, once a document is flattened. libxml2 has a limit of its own at 256."""

HARMLESS_START_TAGS = 2000
"""A document with fewer cannot be nested deeper than that, which costs a parser some milliseconds."""

_TAG = re.compile(r"""<(/?)([a-zA-Z][a-zA-Z0-9:-]*)((?:[^<>"']++|"[^"]*"|'[^']*')*+)>?""")
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
)
# A start tag of these closes the last one of its kind: their end tags are often left out.
_CLOSED_BY_THE_NEXT = frozenset(("a", "p", "li", "dt", "dd", "tr", "td", "th", "option"))
_FOREIGN = frozenset(("svg", "math"))


def flattened(html: str) -> str:
    """The document without the tags that stand deeper than MAX_DEPTH, but links. Texts stay. Linear in its length."""
    if html.count("<") - html.count("</") <= HARMLESS_START_TAGS:
        return html
    depth = _Depth()
    if all(depth.after(tag) <= MAX_DEPTH for tag in _TAG.finditer(html)):
        return html
    depth = _Depth()
    return _TAG.sub(lambda tag: tag[0] if depth.keeps(tag) else " ", html)


@dataclass(slots=True)
class _Depth:
    """How many elements are open, tag by tag, as nearly as one can say without parsing."""

    depth: int = 0
    foreign: int = 0
    in_script: bool = False

    def after(self, tag: re.Match[str]) -> int:
        """The depth after this tag."""
        closing, name = bool(tag[1]), tag[2].lower()
        if self.in_script or name == "script":
            self.in_script = not (closing and name == "script")
        elif name not in _VOID and name not in _CLOSED_BY_THE_NEXT and not self._closes_itself(tag, name):
            self.depth = max(0, self.depth + (-1 if closing else 1))
            if name in _FOREIGN:
                self.foreign = max(0, self.foreign + (-1 if closing else 1))
        return self.depth

    def keeps(self, tag: re.Match[str]) -> bool:
        """Whether a tag, the next one, is not too deep; links are kept at any depth, since they do not nest."""
        return max(self.depth, self.after(tag)) <= MAX_DEPTH or tag[2] in {"a", "A"}

    def _closes_itself(self, tag: re.Match[str], name: str) -> bool:
        """`<path/>` ends at once within SVG; `<div/>` does not."""
        return self.foreign > 0 and tag[3].endswith("/") and name not in {"div", "span", "table", "ul", "ol", "b", "i"}
