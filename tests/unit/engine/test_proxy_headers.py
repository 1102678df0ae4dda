"""What the egress proxy sends on of a message's headers."""

import pytest

from crawl_worker.engine.proxy_wire import Allowance, end_to_end
from nightjar.errors import ErrorCode, GiveUp


def test_headers_of_one_hop_stay_behind() -> None:
    received = [
        (b"host", b"site.test"),
        (b"proxy-authorization", b"Basic secret"),
        (b"proxy-connection", b"keep-alive"),
        (b"connection", b"keep-alive, X-Only-Here"),
        (b"x-only-here", b"1"),
        (b"te", b"trailers"),
        (b"upgrade", b"h2c"),
        (b"cookie", b"a=1"),
    ]
    assert end_to_end(received) == [(b"host", b"site.test"), (b"cookie", b"a=1")]


def test_a_message_travels_with_one_framing() -> None:
    received = [(b"content-length", b"5"), (b"transfer-encoding", b"chunked")]
    assert end_to_end(received) == [(b"transfer-encoding", b"chunked")]


def test_an_allowance_ends_at_its_last_byte() -> None:
    allowance = Allowance(10)
    allowance.take(10)
    with pytest.raises(GiveUp, match="more than 10 bytes") as caught:
        allowance.take(1)
    assert caught.value.code is ErrorCode.TOO_LARGE
