"""Who may send to a host, when, and over how many connections: in rows that all slices share."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

from nightjar.database.engine import Database
from nightjar.database.host_lanes import HostLane

HOST = "shop.example:443"
FIRST, LONGEST = timedelta(seconds=1), timedelta(seconds=60)
MINUTE = timedelta(seconds=60)


def lane(database: Database) -> HostLane:
    with database.transaction() as uow:
        found = uow.host_lanes.lock_if_free(HOST)
    assert found is not None
    return found


def hold(database: Database, slice_id: UUID, seconds: float = 10) -> bool:
    with database.transaction() as uow:
        return uow.host_lanes.hold(HOST, slice_id, span=timedelta(seconds=seconds))


def test_a_held_host_is_nobody_elses_until_it_is_released(database: Database) -> None:
    mine, other = uuid4(), uuid4()
    lane(database)
    assert hold(database, mine)
    assert lane(database).held_by_another(other)
    assert not lane(database).held_by_another(mine)
    assert not hold(database, other)
    assert hold(database, mine), "who holds it may hold it longer"
    with database.transaction() as uow:
        uow.host_lanes.release(HOST, other, pause=timedelta(0))
    assert not hold(database, other), "only its holder releases it"
    with database.transaction() as uow:
        uow.host_lanes.release(HOST, mine, pause=timedelta(seconds=2))
    released = lane(database)
    assert released.holder is None
    assert timedelta(seconds=1) < released.next_at - released.now <= timedelta(seconds=2)


def test_a_hold_is_never_made_shorter_by_its_holder(database: Database) -> None:
    mine = uuid4()
    lane(database)
    hold(database, mine, seconds=50)
    hold(database, mine, seconds=1)
    held = lane(database)
    assert held.next_at - held.now > timedelta(seconds=40)


def test_a_hold_that_ran_out_is_anybodys(database: Database) -> None:
    dead, other = uuid4(), uuid4()
    lane(database)
    hold(database, dead, seconds=-1)
    assert not lane(database).held_by_another(other)
    assert hold(database, other)
    assert lane(database).holder == other
    assert not hold(database, dead)


def test_of_many_slices_at_once_one_holds_the_host(database: Database) -> None:
    lane(database)
    with ThreadPoolExecutor(8) as pool:
        held = list(pool.map(lambda _: hold(database, uuid4()), range(16)))
    assert held.count(True) == 1


def test_a_slice_that_ends_lets_others_in_everywhere(database: Database) -> None:
    mine = uuid4()
    lane(database)
    hold(database, mine)
    with database.transaction() as uow:
        uow.host_lanes.share(HOST, mine, maximum=8, lease=MINUTE)
        uow.host_lanes.release_all(mine, pause=timedelta(seconds=1))
    assert lane(database).holder is None
    with database.transaction() as uow:
        assert uow.host_lanes.share(HOST, uuid4(), maximum=8, lease=MINUTE) == 8


def test_a_locked_host_is_passed_over(database: Database) -> None:
    lane(database)
    with database.transaction() as first:
        assert first.host_lanes.lock_if_free(HOST) is not None
        with database.transaction() as second:
            assert second.host_lanes.lock_if_free(HOST) is None


# --- shares -------------------------------------------------------------------------------------------------------


def share(database: Database, slice_id: UUID, maximum: int = 8) -> int:
    """As a claim takes one: with the host locked. 0 as well if somebody else has it locked."""
    with database.transaction() as uow:
        if uow.host_lanes.lock_if_free(HOST) is None:
            return 0
        return uow.host_lanes.share(HOST, slice_id, maximum=maximum, lease=MINUTE)


def test_connections_of_all_slices_never_add_up_above_the_maximum(database: Database) -> None:
    slices = [uuid4() for _ in range(6)]
    shares = dict.fromkeys(slices, 0)
    for turn in range(30):
        slice_id = slices[turn % 6]
        shares[slice_id] = share(database, slice_id)
        assert sum(shares.values()) <= 8
    assert sum(shares.values()) == 8
    assert max(shares.values()) == 2, "nobody has more than a fair share in the end"


def test_shares_taken_at_the_same_moment_stay_below_the_maximum(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: share(database, uuid4(), maximum=5), range(24)))
    with database.transaction() as uow:
        total = uow.connection.exec_driver_sql("SELECT sum(connections) FROM host_shares").scalar_one()
    assert total <= 5


def test_the_share_of_a_dead_slice_runs_out(database: Database) -> None:
    dead, other = uuid4(), uuid4()
    with database.transaction() as uow:
        assert uow.host_lanes.share(HOST, dead, maximum=8, lease=timedelta(seconds=-1)) == 8
    assert share(database, other) == 8


# --- back-off -----------------------------------------------------------------------------------------------------


def back_off(database: Database, retry_after: timedelta | None = None) -> None:
    with database.transaction() as uow:
        uow.host_lanes.back_off(HOST, first=FIRST, longest=LONGEST, retry_after=retry_after)


def test_a_host_that_asks_for_less_is_asked_half_as_often_each_time_up_to_a_minute(database: Database) -> None:
    lane(database)
    seconds = []
    for _ in range(8):
        back_off(database)
        seconds.append(lane(database).backoff.total_seconds())
    assert seconds == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_host_that_answers_well_is_asked_more_often_again(database: Database) -> None:
    lane(database)
    back_off(database)
    back_off(database)
    pauses = []
    for answers in (1, 3, 6, 1, 1):
        with database.transaction() as uow:
            uow.host_lanes.ease(HOST, answers=answers)
        pauses.append(lane(database).backoff.total_seconds())
    assert pauses == [1, 0.5, 0.125, 0, 0]


def test_the_wait_that_a_host_asks_for_is_kept_and_never_made_shorter(database: Database) -> None:
    lane(database)
    assert not lane(database).cooling
    back_off(database, timedelta(seconds=100))
    back_off(database, timedelta(seconds=3))
    waiting = lane(database)
    assert waiting.cooling
    assert waiting.cooldown_until is not None
    assert waiting.cooldown_until - waiting.now > timedelta(seconds=90)
