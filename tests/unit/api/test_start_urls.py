"""The URL of a crawl: one spelling, and no private address in any."""

import pytest

from functions.api.start_urls import start_url
from nightjar.domain.web_address import WebAddress
from nightjar.errors import Invalid


@pytest.mark.parametrize(
    ("given", "spelled"),
    [
        ("https://shop.example", "https://shop.example/"),
        ("  HTTPS://Shop.Example:443/a/../b?q=1#top ", "https://shop.example/b?q=1"),
        ("http://가게.한국/공지", "http://xn--o39akk.xn--3e0b707e/%EA%B3%B5%EC%A7%80"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("http://[2606:4700::1]/", "http://[2606:4700::1]/"),
        ("http:\\\\shop.example\\a", "http://shop.example/a"),
    ],
)
def test_a_url_gets_the_spelling_of_browsers(given: str, spelled: str) -> None:
    assert start_url(given) == spelled


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "0x7f.0.0.1", "2130706433", "017700000001", "10.0.0.1", "169.254.169.254", "０.0.0.0",
     "[::]", "[::1]", "[fe80::1]", "[fd00::1]", "[::ffff:127.0.0.1]", "[64:ff9b::a00:1]"],
)  # fmt: skip
def test_a_private_address_is_refused_in_every_spelling(host: str) -> None:
    with pytest.raises(Invalid, match="not a public address"):
        start_url(f"http://{host}/")


@pytest.mark.parametrize("url", ["http://shop.example:22/", "https://shop.example:80/", "http://8.8.8.8:443/"])
def test_another_port_than_that_of_the_scheme_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="port"):
        start_url(url)


def test_an_open_origin_is_open_to_exactly_its_scheme_host_and_port() -> None:
    origins = frozenset({"http://127.0.0.1:8080"})
    assert start_url("http://2130706433:8080/a", open_origins=origins) == "http://127.0.0.1:8080/a"
    for url in ("https://127.0.0.1:8080/", "http://127.0.0.1/", "http://127.0.0.2:8080/"):
        with pytest.raises(Invalid):
            start_url(url, open_origins=origins)


@pytest.mark.parametrize(
    "url", ["https://me@shop.example/", "https://:pw@shop.example/", "https://me:pw@shop.example/"]
)
def test_credentials_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(Invalid, match="user name or a password") as refused:
        start_url(url)
    assert "pw" not in refused.value.message.replace("password", "")


def test_an_address_always_has_its_port() -> None:
    assert WebAddress.of("https://shop.example/a").origin == "https://shop.example:443"
    assert WebAddress.of("http://[2606:4700::1]/").host == "[2606:4700::1]:80"
    assert WebAddress.of("http://shop.example:8080").host == "shop.example:8080"
    for wrong in ("shop.example", "ftp://shop.example/", "http:///a", "http://shop.example:x/"):
        with pytest.raises(ValueError, match=r".+"):
            WebAddress.of(wrong)
