"""Which pages are read over HTTP and which in the browser, from what was seen of pages like them."""

import json
import time

import pytest

from crawl_worker.sites.web.document import read_document
from crawl_worker.sites.web.engine_choice import GAINLESS, PROBE_EVERY, Content, EngineChoice, Verdict
from nightjar.domain.site_crawl import Engine

TEXT = " ".join(f"word{letter}{other}" for letter in "abcdefghij" for other in "klmnopqrst")
LINKS = "".join(f'<a href="/p/{number}">page</a>' for number in range(5))
COUNTER = '<script src="/count.js?v=1"></script>'
PLAIN = f"<p>{TEXT}</p>{LINKS}"


def content(html: str) -> Content:
    document = read_document(html, "http://site.test/")
    return Content(document.text, frozenset(link.url for link in document.links))


def judged(choice: EngineChoice, html: str) -> Verdict:
    return choice.judge(html, content(html))


def rendered(choice: EngineChoice, html: str, after: str) -> None:
    """Let a page be judged, rendered, and compared."""
    verdict = judged(choice, html)
    assert verdict.engine is Engine.BROWSER, "it would not have been rendered"
    choice.learn(verdict, content(html), content(after))


@pytest.mark.parametrize(
    "script",
    [
        "",
        '<script type="application/ld+json">{"@type": "Article"}</script>',
        '<script type="application/json">{"href": "/x"}</script>',
        '<script type="text/template"><a href="/x">x</a></script>',
        '<a onclick="go()">x</a>',
    ],
)
def test_a_page_on_which_no_script_runs_needs_no_browser(script: str) -> None:
    assert judged(EngineChoice(), PLAIN + script) == Verdict(Engine.HTTP, "no script runs on it")


@pytest.mark.parametrize(
    "script",
    [
        "<script>go()</script>",
        '<script type="text/javascript">go()</script>',
        '<script type="application/x-javascript">go()</script>',
        '<SCRIPT TYPE="module" src="/m.js"></SCRIPT>',
        '<img src="x" onerror="go()">',
        '<iframe src="javascript:go()"></iframe>',
    ],
)
def test_a_page_with_a_script_of_an_unknown_kind_is_rendered(script: str) -> None:
    assert judged(EngineChoice(), PLAIN + script).engine is Engine.BROWSER


def test_an_empty_shell_is_rendered_each_time() -> None:
    choice = EngineChoice()
    shell = '<div id="root"></div><script src="/app.js"></script>'
    for _ in range(5):
        rendered(choice, shell, shell)
    assert judged(choice, shell) == Verdict(Engine.BROWSER, "it is hardly anything without its scripts")


def test_after_two_pages_without_gain_their_kind_is_read_over_http() -> None:
    choice = EngineChoice()
    for number in range(2):
        page = f"<h1>{number}</h1>{PLAIN}{COUNTER}"
        rendered(choice, page, page)
    assert judged(choice, f"<h1>more</h1>{PLAIN}{COUNTER}").engine is Engine.HTTP


def test_a_kind_read_over_http_is_tried_again_now_and_then() -> None:
    choice = EngineChoice()
    page = PLAIN + COUNTER
    for _ in range(2):
        rendered(choice, page, page)
    engines = [judged(choice, page).engine for _ in range(PROBE_EVERY)]
    assert engines == [Engine.HTTP] * (PROBE_EVERY - 1) + [Engine.BROWSER]
    choice.learn(choice.judge(page, content(page)), content(page), content(page + '<a href="/new">x</a>'))
    assert judged(choice, page).engine is Engine.BROWSER


def test_one_new_link_makes_a_kind_script_made_at_once() -> None:
    choice = EngineChoice()
    rendered(choice, PLAIN + COUNTER, PLAIN + COUNTER + '<a href="/made">x</a>')
    verdict = judged(choice, PLAIN + COUNTER)
    assert (verdict.engine, verdict.reason) == (Engine.BROWSER, "scripts make text or links on pages like it")


def test_text_that_differs_from_page_to_page_makes_a_kind_script_made() -> None:
    choice = EngineChoice()
    for kind in "ab":
        made = " ".join(f"{kind}{letter}dded" for letter in "abcdefghijklmnop")
        rendered(choice, PLAIN + COUNTER, f"{PLAIN}<p>{made}</p>")
    assert judged(choice, PLAIN + COUNTER).engine is Engine.BROWSER


def test_the_same_notice_on_every_page_makes_no_page_need_a_browser() -> None:
    choice = EngineChoice()
    notice = "<div>We keep small files on your machine so that pages open faster. Do you agree with that, or not?</div>"
    for _ in range(3):
        page = PLAIN + COUNTER
        if judged(choice, page).engine is Engine.BROWSER:
            rendered(choice, page, notice + page)
    assert judged(choice, PLAIN + COUNTER).engine is Engine.HTTP


def test_a_clock_is_no_gain() -> None:
    choice = EngineChoice()
    for hour in range(2):
        rendered(choice, PLAIN + COUNTER, f"{PLAIN}<p>{hour}:00 2026-01-0{hour + 1} 123,456 visitors</p>")
    assert judged(choice, PLAIN + COUNTER).engine is Engine.HTTP


def test_a_script_made_kind_that_gains_nothing_any_more_goes_back_to_http() -> None:
    choice = EngineChoice()
    page = PLAIN + COUNTER
    rendered(choice, page, page + '<a href="/made">x</a>')
    for _ in range(GAINLESS):
        rendered(choice, page, page)
    assert judged(choice, page).engine is Engine.HTTP


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('<script src="/app.1a2b3c4d.js?x=1"></script>', '<script src="/app.99887766.js?x=2"></script>'),
        ("<script>track({at: 12, page: 'one'})</script>", "<script>track({at: 7, page: 'another \\' one'})</script>"),
        ("<script>state = {\"a\": 'x'} // one</script>", "<script>state = {\"b\": 'y'} /* two */</script>"),
        ('<div id="box-17"></div><script>go()</script>', '<div id="box-4"><!-- 4 --> </div><script>go()</script>'),
    ],
)
def test_pages_that_differ_in_numbers_and_words_are_of_one_kind(one: str, other: str) -> None:
    choice = EngineChoice()
    assert judged(choice, PLAIN + one).kind == judged(choice, PLAIN + other).kind != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('<script src="/a.js"></script>', '<script src="/b.js"></script>'),
        ("<script>track(1)</script>", "<script>render(1)</script>"),
        ('<div id="root">x</div><script>go()</script>', '<div id="root"></div><script>go()</script>'),
        ("<x-list></x-list><script>go()</script>", "<script>go()</script>"),
        ('<script type="application/json" id="items">[]</script><script>go()</script>', "<script>go()</script>"),
    ],
)
def test_pages_with_other_scripts_or_other_empty_places_are_of_another_kind(one: str, other: str) -> None:
    choice = EngineChoice()
    assert judged(choice, PLAIN + one).kind != judged(choice, PLAIN + other).kind


def test_what_was_learned_outlives_the_slice() -> None:
    choice = EngineChoice()
    rendered(choice, PLAIN + COUNTER, PLAIN + "<p>and " + TEXT[::-1])
    rendered(choice, PLAIN + "<script>go()</script>", PLAIN)
    assert EngineChoice.from_json(json.loads(json.dumps(choice.as_json()))) == choice


@pytest.mark.parametrize(
    "evil",
    [
        "<script>" + "/*" * 200_000,
        "<script>" + '"' * 400_001,
        "<script>" + "a" * 400_000 + ":</script>",
        "<" * 400_000 + "<script></script>",
        "<script>x</script>" + "<div id=a>" * 50_000,
        " onload" * 60_000,
        "<x-" + "a-" * 200_000,
    ],
    ids=["comments", "quotes", "name", "brackets", "nesting", "handlers", "element"],
)
def test_a_page_made_to_be_slow_to_judge_is_judged_quickly(evil: str) -> None:
    began = time.process_time()
    EngineChoice().judge(evil, Content("", frozenset()))
    assert time.process_time() - began < 1
