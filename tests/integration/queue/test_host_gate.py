"""The gate in Postgres: order, pauses, cool-downs, and holds that nobody is left with."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from crawl_worker.engine.host_gate import GateRules, PostgresHostGate
from crawl_worker.engine.store import Store
from nightjar.database.engine import Database
from nightjar.database.unit_of_work import UnitOfWork
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


def block_of(store: Store, host: str, block: Blocked) -> dict[str, float]:
    """Meet a block while `host` is held; the seconds for which each host is left alone."""

    async def meet() -> None:
        async with PostgresHostGate(store, rules()).hold(host, budget=BUDGET):
            raise block

    def cooling(uow: UnitOfWork) -> dict[str, float]:
        now = uow.connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        return {name: (until - now).total_seconds() for name, until in uow.hosts.cooling().items()}

    with pytest.raises(Blocked):
        asyncio.run(meet())
    return asyncio.run(store.run(cooling))


@pytest.mark.parametrize(("asked_for", "seconds"), [(None, 60), (5, 60), (90, 90), (10 * 86_400, 86_400), ("soon", 60)])
def test_a_host_that_says_when_to_come_back_is_left_alone_until_then_but_never_for_more_than_a_day(
    stores: list[Store], asked_for: object, seconds: float
) -> None:
    left_alone = block_of(stores[0], HOST, Blocked("refused", details={"retry_after_seconds": asked_for}))
    assert left_alone == {HOST: pytest.approx(seconds, abs=3)}


def test_a_later_block_never_shortens_a_cool_down(stores: list[Store]) -> None:
    block_of(stores[0], "list:443", Blocked("refused", details={"host": "data:443", "retry_after_seconds": 900}))
    left_alone = block_of(stores[0], "map:443", Blocked("refused", details={"host": "data:443"}))
    assert left_alone["data:443"] == pytest.approx(900, abs=5)


def test_a_block_by_another_host_than_the_one_held_cools_down_both(stores: list[Store]) -> None:
    left_alone = block_of(stores[0], "list:443", Blocked("refused", details={"host": "data:443"}))
    assert left_alone == {"list:443": pytest.approx(60, abs=3), "data:443": pytest.approx(60, abs=3)}


def test_a_host_that_cools_down_is_refused_without_being_asked(stores: list[Store]) -> None:
    gate = PostgresHostGate(stores[1], rules())
    asyncio.run(gate.refuse_cooling("data:443"))  # never asked before
    left_alone = block_of(stores[0], "list:443", Blocked("refused", details={"host": "data:443"}))
    with pytest.raises(HostBusy) as busy:
        asyncio.run(gate.refuse_cooling("data:443"))
    assert busy.value.host == "data:443"
    assert left_alone["data:443"] > 50


def test_hosts_do_not_wait_for_each_other(stores: list[Store]) -> None:
    async def two_hosts() -> None:
        first, second = (PostgresHostGate(stores[number], rules(delay=60)) for number in (0, 1))
        async with first.hold("a:443", budget=BUDGET), second.hold("b:443", budget=BUDGET):
            pass

    asyncio.run(asyncio.wait_for(two_hosts(), 5))
