from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count

import pytest

from nightjar.domain.tracking import RankType
from tests.acceptance.night import NightSystem, a_stack
from tests.doubles.naver.replica import Replica

_day_numbers = count()


@pytest.fixture(scope="package")
def shared_system() -> Iterator[NightSystem]:
    """Two workers, the janitor, and the trackings of the default scenario that need no short link."""
    with Replica() as replica, a_stack(replica) as stack:
        system = NightSystem(replica, stack)
        for item in replica.control.scenario()["trackings"]:
            if "naver.me" not in item["target_url"]:
                system.follow(RankType(item["rank_type"]), item["keyword"], item["target_url"], item["target_key"])
        yield system
        system.database.close()


@pytest.fixture
def system(shared_system: NightSystem) -> Iterator[NightSystem]:
    """The shared system with a replica that has no faults and an empty log."""
    shared_system.replica.control.reset()
    yield shared_system
    shared_system.replica.control.reset()


@pytest.fixture
def night() -> date:
    """A day that no other test uses."""
    return date(2026, 3, 2) + timedelta(days=next(_day_numbers))
