"""Which URLs the patterns of an order let in, and that no pattern takes long."""

from time import perf_counter

import pytest

from nightjar.domain.url_patterns import UrlPatterns
from nightjar.errors import Invalid


@pytest.mark.parametrize(
    ("include", "exclude", "admitted", "refused"),
    [
        ([], [], ["/", "/a?b=c"], []),
        (["^/goods/"], [], ["/goods/1"], ["/", "/x/goods/1"]),
        (["^/goods/", "^/$"], [], ["/goods/1", "/"], ["/goods"]),
        ([], ["[?&]sort="], ["/goods?page=2"], ["/goods?sort=new", "/goods?page=2&sort=new"]),
        (["^/goods/"], ["/old/"], ["/goods/1"], ["/goods/old/1", "/old/1"]),
        (["(?i)goods"], [], ["/GOODS"], ["/good"]),
        (["^/공지/"], [], ["/%EA%B3%B5%EC%A7%80/1", "/공지/1"], ["/1"]),
        ([], ["%20"], ["/a b"], ["/a%20b"]),
    ],
)
def test_patterns_are_looked_for_in_path_and_query(
    include: list[str], exclude: list[str], admitted: list[str], refused: list[str]
) -> None:
    patterns = UrlPatterns(include=include, exclude=exclude)
    assert [patterns.admits(one) for one in admitted] == [True] * len(admitted)
    assert [patterns.admits(one) for one in refused] == [False] * len(refused)


@pytest.mark.parametrize("pattern", ["[", "(?=a)", r"(a)\1", "*", "((a{100}){100}){100}"])
def test_what_is_no_pattern_is_refused_by_name(pattern: str) -> None:
    with pytest.raises(Invalid, match="exclude: "):
        UrlPatterns(exclude=[pattern])


def test_a_pattern_that_would_take_for_ever_elsewhere_takes_no_time() -> None:
    patterns = UrlPatterns(exclude=["^(/a+)+$", "(.*)(.*)(.*)x$"])
    began = perf_counter()
    assert patterns.admits("/a" * 900 + "!")
    assert perf_counter() - began < 0.5
