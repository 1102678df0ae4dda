"""A name is looked up once, its addresses are judged, and only judged ones are handed out."""

import asyncio
import socket
import threading
from datetime import timedelta
from ipaddress import ip_address

import pytest

from crawl_worker.engine.egress import EgressRule, Resolver, system_lookup
from nightjar.errors import ErrorCode, GiveUp, RetryLater

pytestmark = pytest.mark.anyio


class Names:
    """A name service that counts its questions; an answer may be one for each question in turn."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = {name.replace("_", "."): replies for name, replies in answers.items()}
        self.asked: list[str] = []

    def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        replies = self.answers.get(host)
        if not replies:
            raise socket.gaierror(-2, "Name or service not known")
        return replies.pop(0) if len(replies) > 1 else replies[0]


def resolver(names: Names, *, ttl: float = 60, rule: EgressRule | None = None) -> Resolver:
    return Resolver(rule or EgressRule(), ttl=timedelta(seconds=ttl), lookup=names)


async def test_an_answer_is_used_again_until_its_time_is_up() -> None:
    names = Names(site_test=[["1.1.1.1"], ["1.1.1.2"]])
    one = resolver(names, ttl=0.05)
    assert await one.addresses("site.test", 443) == (ip_address("1.1.1.1"),)
    assert await one.addresses("SITE.test", 80) == (ip_address("1.1.1.1"),)
    await asyncio.sleep(0.06)
    assert await one.addresses("site.test", 443) == (ip_address("1.1.1.2"),)
    assert names.asked == ["site.test", "site.test"]
    one.close()


async def test_a_name_that_turns_to_loopback_is_refused_then() -> None:
    names = Names(site_test=[["1.1.1.1"], ["127.0.0.1"]])
    one = resolver(names, ttl=0.01)
    await one.addresses("site.test", 443)
    await asyncio.sleep(0.02)
    with pytest.raises(GiveUp) as caught:
        await one.addresses("site.test", 443)
    assert caught.value.code is ErrorCode.EGRESS_REFUSED
    one.close()


async def test_one_address_that_is_not_public_spoils_the_name() -> None:
    one = resolver(Names(site_test=[["1.1.1.1", "10.0.0.1"]]))
    with pytest.raises(GiveUp, match=r"10\.0\.0\.1"):
        await one.addresses("site.test", 443)
    one.close()


async def test_callers_at_the_same_time_share_one_look_up() -> None:
    gate = threading.Event()
    names = Names(site_test=[["1.1.1.1"]])

    def slowly(host: str) -> list[str]:
        gate.wait(5)
        return names(host)

    one = Resolver(EgressRule(), ttl=timedelta(seconds=60), lookup=slowly)
    callers = [asyncio.ensure_future(one.addresses("site.test", 443)) for _ in range(5)]
    await asyncio.sleep(0.01)
    callers[0].cancel()
    gate.set()
    results = await asyncio.gather(*callers[1:])
    assert results == [(ip_address("1.1.1.1"),)] * 4
    assert names.asked == ["site.test"]
    one.close()


async def test_a_name_that_cannot_be_looked_up_is_tried_again_later() -> None:
    names = Names()
    one = resolver(names)
    with pytest.raises(RetryLater, match=r"site\.test could not be looked up") as caught:
        await one.addresses("site.test", 443)
    assert caught.value.code is ErrorCode.UPSTREAM_ERROR
    names.answers["site.test"] = [["1.1.1.1"]]
    assert await one.addresses("site.test", 443) == (ip_address("1.1.1.1"),)
    one.close()


async def test_a_failure_that_nobody_waited_for_is_not_remembered() -> None:
    names = Names()
    one = resolver(names)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await one.addresses("site.test", 443)
    await asyncio.sleep(0.05)
    names.answers["site.test"] = [["1.1.1.1"]]
    assert await one.addresses("site.test", 443) == (ip_address("1.1.1.1"),)
    one.close()


async def test_a_port_that_is_not_of_the_web_is_refused_before_a_look_up() -> None:
    names = Names(site_test=[["1.1.1.1"]])
    one = resolver(names)
    with pytest.raises(GiveUp, match="port 25"):
        await one.addresses("site.test", 25)
    assert names.asked == []
    one.close()


async def test_an_allowed_name_may_live_on_loopback_at_its_port_alone() -> None:
    rule = EgressRule(frozenset({"http://replica.test:8123"}))
    one = resolver(Names(replica_test=[["127.0.0.1"]]), rule=rule)
    assert await one.addresses("replica.test", 8123) == (ip_address("127.0.0.1"),)
    with pytest.raises(GiveUp):
        await one.addresses("replica.test", 443)
    one.close()


@pytest.mark.parametrize(
    "spelling",
    [
        "localhost", "LOCALHOST", "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1",
        "0177.0.0.1", "017700000001", "0", "0x0", "[::1]", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1",
        "::ffff:7f00:1",
        "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "fe80::1%lo",
    ],
)  # fmt: skip
async def test_no_spelling_of_a_local_address_passes(spelling: str) -> None:
    one = Resolver(EgressRule(), ttl=timedelta(seconds=60), lookup=system_lookup)
    with pytest.raises(GiveUp) as caught:
        await one.addresses(spelling, 80)
    assert caught.value.code is ErrorCode.EGRESS_REFUSED
    one.close()
