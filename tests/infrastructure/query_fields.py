"""Which log fields a CloudWatch Logs Insights query names."""

import re
from collections.abc import Iterator

# Comments, texts and patterns come first: what looks like a name inside of them is none.
TOKEN = re.compile(
    r"""
      (?P<comment> \#[^\n]* )
    | (?P<text>    "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' )
    | (?P<pattern> (?<=like) \s* /(?:\\.|[^/\\\n])*/ | (?<==~) \s* /(?:\\.|[^/\\\n])*/ )
    | (?P<quoted>  `[^`]+` )
    | (?P<number>  \d[\w.]* )
    | (?P<name>    @?[A-Za-z_][\w.]* )
    | (?P<other>   \S )
    """,
    re.VERBOSE,
)

WORDS = frozenset(
    {
        "fields", "display", "filter", "stats", "sort", "limit", "dedup", "parse", "unnest", "unmask", "diff",
        "by", "as", "asc", "desc", "and", "or", "not", "in", "like", "into", "true", "false",
    }
)  # fmt: skip


def fields_of(query: str) -> set[str]:
    """The fields of log lines that a query names: no built-in @field, no name that the query itself gave before."""
    tokens = list(_tokens(query))
    given: set[str] = set()
    named: set[str] = set()
    for position, (kind, value) in enumerate(tokens):
        before = tokens[position - 1][1].lower() if position else ""
        after = tokens[position + 1][1] if position + 1 < len(tokens) else ""
        name = value.strip("`")
        if kind not in {"name", "quoted"} or name.startswith("@"):
            continue
        if before == "as":
            given.add(name)
        elif name not in given and (kind == "quoted" or (name.lower() not in WORDS and after != "(")):
            named.add(name)
    return named


def _tokens(query: str) -> Iterator[tuple[str, str]]:
    for found in TOKEN.finditer(query):
        kind = str(found.lastgroup)
        if kind != "comment":
            yield kind, found.group().strip()
