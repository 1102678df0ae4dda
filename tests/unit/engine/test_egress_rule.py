"""Which addresses and URLs the egress rule lets through, in every spelling."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawl_worker.engine.egress import EgressRule
from nightjar.domain.public_address import is_public
from nightjar.errors import ErrorCode, GiveUp, Invalid

NOT_PUBLIC = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.1",
    "169.254.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1",
    "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "100::1", "64:ff9b:1::1", "fc00::1", "fd00:ec2::254", "fe80::1", "febf::1", "fec0::1",
    "ff02::1", "2001::1", "2001:db8::1", "2001:10::1", "3fff::1", "5f00::1", "4000::1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1",
    "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:0a00:1::",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "126.1.1.1", "128.0.0.1", "169.253.1.1",
    "172.15.255.255", "172.32.0.1", "192.167.1.1", "192.169.0.1", "198.17.1.1", "198.20.0.1", "223.255.255.255",
    "2400:cb00::1", "2606:4700::1111", "2a00:1450::1", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:101:101::1",
]  # fmt: skip


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_globally_routable_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.integers(0, 2**32 - 1))
def test_an_embedded_address_is_judged_like_the_plain_one(number: int) -> None:
    plain = is_public(IPv4Address(number))
    mapped = IPv6Address((0xFFFF << 32) | number)
    nat64 = IPv6Address((0x64FF9B << 96) | number)
    six_to_four = IPv6Address((0x2002 << 112) | (number << 80))
    assert [is_public(mapped), is_public(nat64), is_public(six_to_four)] == [plain] * 3


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_what_is_public_here_is_never_private_to_python(address: IPv6Address) -> None:
    if is_public(address):
        assert not address.is_loopback
        assert not address.is_link_local
        assert not address.is_multicast
        assert not address.is_unspecified


REFUSED_URLS = [
    "ftp://site.test/", "file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "ws://site.test/",
    "//site.test/", "site.test/path", "", "http://", "http:///path", "http://site.test:8080/", "http://site.test:443/",
    "https://site.test:80/", "http://site.test:0/", "http://site.test:22/", "https://site.test:99999/",
    "http://127.0.0.1/", "http://169.254.169.254/latest/", "http://10.1.2.3/", "http://[::1]/", "http://[::]/",
    "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[64:ff9b::7f00:1]/", "http://[fe80::1%25eth0]/",
    "http://[fd00:ec2::254]/", "http://0.0.0.0/", "http://user:word@127.0.0.1/",
]  # fmt: skip


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_a_url_outside_the_public_web_is_refused(url: str) -> None:
    with pytest.raises(GiveUp, match="is refused") as caught:
        EgressRule().check_url(url)
    assert caught.value.code is ErrorCode.EGRESS_REFUSED


@pytest.mark.parametrize(
    "url", ["http://site.test/", "https://site.test/a?b=c", "http://SITE.test:80/", "https://1.1.1.1/"]
)
def test_a_url_of_the_public_web_passes(url: str) -> None:
    EgressRule().check_url(url)


RULE = EgressRule(frozenset({"http://127.0.0.1:8123", "https://Replica.test"}))


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8123/list", "https://replica.test/", "https://REPLICA.test:443/x", "http://site.test/"]
)
def test_an_allowed_origin_is_open(url: str) -> None:
    RULE.check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:8123/",
        "http://127.0.0.1:8124/",
        "http://127.0.0.1/",
        "http://127.0.0.2:8123/",
        "http://localhost:8123/",
        "http://replica.test:8443/",
    ],
)
def test_an_allowed_origin_opens_nothing_beside_it(url: str) -> None:
    with pytest.raises(GiveUp):
        RULE.check_url(url)


def test_an_allowed_host_may_resolve_to_loopback_and_others_may_not() -> None:
    loopback = ip_address("127.0.0.1")
    RULE.check_address("replica.test", 443, loopback)
    with pytest.raises(GiveUp, match=r"other\.test:443 is refused: it resolves to 127\.0\.0\.1"):
        RULE.check_address("other.test", 443, loopback)
    with pytest.raises(GiveUp):
        RULE.check_address("replica.test", 80, loopback)


@pytest.mark.parametrize("origin", ["", "replica.test", "ftp://replica.test", "http://", "http://replica.test:port"])
def test_a_setting_that_is_no_origin_is_an_error_at_once(origin: str) -> None:
    with pytest.raises(Invalid, match="is not an origin"):
        EgressRule(frozenset({origin}))
