"""The gate in Postgres: order, pauses, cool-downs, and holds that nobody is left with."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from crawl_worker.engine.host_gate import GateRules, PostgresHostGate
from crawl_worker.engine.store import Store
from nightjar.database.engine import Database
from nightjar.errors import Blocked, HostBusy

HOST = "search.example:443"
BUDGET = timedelta(seconds=30)


def rules(*, delay: float = 0.02, cooldown: float = 60, patience: float = 1) -> GateRules:
    return GateRules(
        delay=timedelta(seconds=delay), cooldown=timedelta(seconds=cooldown), patience=timedelta(seconds=patience)
    )


@pytest.fixture
def stores(database_url: str) -> Iterator[list[Store]]:
    """Eight children's stores, each with a connection of its own."""
    stores = [Store(Database(database_url, name=f"gate-{number}"), name=f"gate-{number}") for number in range(8)]
    yield stores
    for store in stores:
        store.close()


def test_a_check_that_has_begun_is_not_sent_away_by_newcomers(stores: list[Store]) -> None:
    """Eight children on one host: a check goes back before its first request, or it is done whole."""
    requests: list[int] = []
    done: list[int] = []

    async def child(number: int) -> None:
        checks = 0
        while checks < 3:
            gate = PostgresHostGate(stores[number], rules(patience=0.1))
            try:
                for _request in range(3):
                    async with gate.hold(HOST, budget=BUDGET):
                        requests.append(number)
                        await asyncio.sleep(0.005)
            except HostBusy:
                await asyncio.sleep(0.05)
                continue
            checks += 1
            done.append(number)

    async def all_children() -> None:
        await asyncio.gather(*(child(number) for number in range(8)))

    asyncio.run(asyncio.wait_for(all_children(), 60))
    assert len(done) == 8 * 3
    assert len(requests) == 3 * len(done)


def test_a_wait_that_is_cancelled_leaves_no_hold(stores: list[Store], database: Database) -> None:
    async def cancelled_wait(number: int) -> None:
        gate = PostgresHostGate(stores[number % 8], rules())
        host = f"host-{number}:443"

        async def hold() -> None:
            async with gate.hold(host, budget=BUDGET):
                await asyncio.sleep(60)

        task = asyncio.create_task(hold())
        await asyncio.sleep(0.0005 * number)
        task.cancel()
        await asyncio.wait({task})

    async def many() -> None:
        for number in range(40):
            await cancelled_wait(number)

    asyncio.run(many())
    with database.transaction() as uow:
        held = uow.connection.execute(text("SELECT count(*) FROM hosts WHERE holder IS NOT NULL")).scalar_one()
    assert held == 0


def test_a_holder_that_dies_leaves_at_least_the_pause_behind(stores: list[Store], database: Database) -> None:
    async def take_and_die() -> None:
        gate = PostgresHostGate(stores[0], rules(delay=300))
        await gate.hold(HOST, budget=timedelta(seconds=1)).__aenter__()  # and never leaves

    asyncio.run(take_and_die())
    with database.transaction() as uow:
        standing = uow.hosts.standing(HOST)
    assert standing is not None
    assert standing.next_at - standing.now > timedelta(seconds=290)


def test_a_block_sends_everybody_away_until_the_cool_down_ends(stores: list[Store]) -> None:
    async def meet_a_block() -> None:
        gate = PostgresHostGate(stores[0], rules())
        with pytest.raises(Blocked):
            async with gate.hold(HOST, budget=BUDGET):
                raise Blocked("refused")

    async def come_later() -> HostBusy:
        with pytest.raises(HostBusy) as caught:
            async with PostgresHostGate(stores[1], rules()).hold(HOST, budget=BUDGET):
                raise AssertionError("nobody may be let in")
        return caught.value

    async def both() -> HostBusy:
        await meet_a_block()
        return await come_later()

    busy = asyncio.run(both())
    assert busy.host == HOST


def test_hosts_do_not_wait_for_each_other(stores: list[Store]) -> None:
    async def two_hosts() -> None:
        first, second = (PostgresHostGate(stores[number], rules(delay=60)) for number in (0, 1))
        async with first.hold("a:443", budget=BUDGET), second.hold("b:443", budget=BUDGET):
            pass

    asyncio.run(asyncio.wait_for(two_hosts(), 5))
