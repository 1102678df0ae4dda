"""Whatever a page writes as a URL is judged: it is refused, or requested as it was judged."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.settings import EngineSettings
from crawl_worker.engine.web_client import WebClient
from nightjar.errors import GiveUp

CLIENT = WebClient(EngineSettings(), EgressRule())
SYNTAX = "http:// https:// // / : @ ? # \\ [ ] %00 %2f xn-- . .. -"
HOSTS = "::1 127.0.0.1 a.test 8.8.8.8 80 443 99999 한글 ①"
PIECES = st.sampled_from([*SYNTAX.split(" "), *HOSTS.split(" "), "\t", "\r\n", " ", "\ud800", "\0"])
WRITTEN = st.one_of(
    st.text(), st.lists(PIECES, max_size=9).map("".join), st.lists(PIECES).map(lambda x: "http://" + "".join(x))
)


@given(WRITTEN)
@example("http://127.0.0.1:404490/")
@example("http://a.test:-1/")
@example("http://a.test:x/")
def test_any_text_is_refused_or_is_a_url_that_the_rule_passes(text: str) -> None:
    try:
        target = CLIENT._judged(text)
    except GiveUp:
        return
    EgressRule().check_url(URL(str(target)))
    assert "\r" not in str(target)
    assert "\n" not in str(target)


@pytest.mark.parametrize("first", ["http://8.8.8.81", "http://8.8.8.8:80", "http://8.8.8.8/"])
def test_what_passed_once_opens_nothing_that_begins_alike(first: str) -> None:
    client = WebClient(EngineSettings(), EgressRule())
    client._judged(first)
    for later in ("http://8.8.8.8:8/", "http://8.8.8.8:81/", "http://8.8.8.8@127.0.0.1/", "https://8.8.8.8:80/"):
        with pytest.raises(GiveUp):
            client._judged(later)
