"""The name under which the gate knows a host."""

import pytest

from crawl_worker.engine.politeness import host_of


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Search.Site.test/search?q=1", "search.site.test:443"),
        ("http://site.test", "site.test:80"),
        ("http://site.test:80/x", "site.test:80"),
        ("http://127.0.0.1:8123/list", "127.0.0.1:8123"),
        ("http://[::1]:8123/", "[::1]:8123"),
        ("https://user:word@site.test:8443/", "site.test:8443"),
    ],
)
def test_a_host_is_named_in_lower_case_with_its_port(url: str, host: str) -> None:
    assert host_of(url) == host
