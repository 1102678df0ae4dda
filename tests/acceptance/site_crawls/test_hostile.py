"""A host that means harm: each of its pages ends as itself, the crawl goes on, and nothing is reached by its help."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from tests.acceptance.site_crawls.system import Crawled, WebCrawls, seconds_of
from tests.doubles.web.canary import SCHEMES, canary_addresses
from tests.doubles.web.hosts.hostile import ENDINGS, ENDLESS_REDIRECT, HARMLESS
from tests.doubles.web.hosts.reach import reach_paths

LONGEST = 120
"""Seconds for a crawl of all of it, where one request may take three and is tried four times."""

REDIRECTS_AT_MOST = 15


@pytest.fixture(scope="module")
def harm(shared_crawls: WebCrawls) -> Iterator[Crawled]:
    """Every hostile page there is, in one crawl."""
    shared_crawls.web.control.reset()
    yield shared_crawls.crawl(shared_crawls.web.url("hostile"), depth=1, limit=10_000, seconds=LONGEST)
    shared_crawls.settle_down()


def test_every_page_ends_as_itself_and_the_crawl_goes_on(shared_crawls: WebCrawls, harm: Crawled) -> None:
    target = shared_crawls.web.target
    done = {target("hostile", url) for url in harm.urls}
    failed = {target("hostile", error["url"]): error["code"] for error in harm.errors}
    wrong = {
        path: failed.get(path, "done" if path in done else "nowhere")
        for path, ending in ENDINGS.items()
        if not (failed[path] in ending.codes if path in failed else ending.done and path in done)
    }
    assert wrong == {}
    assert HARMLESS in done
    assert harm.answer["status"] == "completed"
    assert all(error["message"] for error in harm.errors)
    assert harm.counts["discovered"] == sum(harm.frontier.values())


def test_redirects_without_end_are_left_after_some(shared_crawls: WebCrawls, harm: Crawled) -> None:
    asked = shared_crawls.web.control.requests(site="hostile", path_prefix=ENDLESS_REDIRECT.removesuffix("1"))
    assert 5 < len(asked) <= REDIRECTS_AT_MOST
    assert any("redirects" in error["message"] for error in harm.errors)


def test_links_and_redirects_reach_no_address_that_is_not_public(shared_crawls: WebCrawls, harm: Crawled) -> None:
    moved = [path for path in reach_paths(shared_crawls.web.urls) if "/move/redirect/" in path]
    led = {skip["target"] for skip in harm.skipped if skip["reason"] == "redirect"}
    assert len(led) > len(moved) / 2
    assert shared_crawls.web.control.canary_hits() == []


def test_a_whole_site_that_leads_to_this_machine_does_not_reach_it(crawls: WebCrawls) -> None:
    """With the scope `site` the canary's addresses on the same host name are links of the crawl: all are refused."""
    crawled = crawls.crawl(
        crawls.web.url("hostile", "/reach/links"), depth=1, scope="site", include=["^/[a-z0-9-]+$"], limit=10_000
    )
    refused = [error["url"] for error in crawled.errors if error["code"] == "egress_refused"]
    assert len(refused) > 3, (crawled.errors, crawled.skipped)
    assert crawled.urls == [crawls.web.url("hostile", "/reach/links")]
    assert crawls.web.control.canary_hits() == []


def test_no_spelling_of_a_private_address_is_a_start(crawls: WebCrawls) -> None:
    """Each is refused by the API, or the crawl fails because of the egress rule or a name that does not resolve."""
    started, answers = {}, {}
    for name, url in {**crawls.web.canary_addresses, **{scheme: scheme for scheme in SCHEMES}}.items():
        for spelling in (url, url.replace(":" + crawls.web.urls["canary"].rpartition(":")[2], "")):
            answer = crawls.ask(spelling, depth=0)
            answers[spelling] = answer.status_code
            if answer.status_code == 202:
                started[name] = answer.json()["task_id"]
    assert set(answers.values()) <= {422, 202}
    assert list(answers.values()).count(422) > len(answers) * 0.8
    for name, task_id in started.items():
        crawled = crawls.finished(task_id)
        assert crawled.answer["status"] == "failed"
        assert crawled.answer["error"]["code"] == ("egress_refused" if resolves(name) else "upstream_error"), name
    assert crawls.web.control.canary_hits() == []


def resolves(name: str) -> bool:
    """Whether this machine knows an address for a name of the canary: for some of them not every machine does."""
    host = urlsplit(canary_addresses(80)[name]).hostname or ""
    with suppress(OSError):
        return bool(socket.getaddrinfo(host, 80))
    return False


def test_nothing_that_a_page_does_in_the_browser_reaches_this_machine(crawls: WebCrawls) -> None:
    """Sub-resources, WebSockets, fetch, workers, forms, frames, windows: each to each of the forbidden addresses."""
    kinds = ["socket", "fetch", "xhr", "image", "frame", "script", "style", "worker", "beacon", "window", "frame-form"]
    include = [f"^/reach/each/({'|'.join(kinds)})$", "^/reach/service-worker$"]
    include += [f"^/reach/move/(refresh|location|form)/{name}$" for name in ("plain", "name", "decimal", "six")]
    crawled = crawls.crawl(
        crawls.web.url("hostile"), depth=1, engine="browser", include=include, limit=10_000, seconds=90
    )
    assert crawled.answer["status"] == "completed"
    read = [url for url in crawled.urls if "/reach/each/" in url]
    assert len(read) >= len(kinds) - 2
    assert crawls.web.control.canary_hits() == []


@pytest.mark.parametrize("name", ["selfsigned", "expired"])
def test_a_bad_certificate_is_a_failure_of_its_page(crawls: WebCrawls, name: str) -> None:
    crawled = crawls.crawl(crawls.web.url(name), depth=0)
    assert crawled.answer["status"] == "failed"
    (error,) = crawled.errors
    assert error["code"] == "upstream_error"
    assert "certificate" in error["message"]
    assert crawled.counts["discovered"] == sum(crawled.frontier.values())


def test_a_crawl_that_cannot_be_had_fails_soon(crawls: WebCrawls) -> None:
    assert seconds_of(lambda: crawls.crawl("http://no-such-host.replica.invalid/", depth=0)) < 30
