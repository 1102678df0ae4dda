from collections.abc import Iterator

import pytest

from tests.doubles.naver.replica import Replica

DAY = "2026-03-02"


@pytest.fixture(scope="module")
def running() -> Iterator[Replica]:
    with Replica("--day", DAY) as replica:
        yield replica


@pytest.fixture
def replica(running: Replica) -> Replica:
    """The running replica as it was at its start."""
    running.control.reset()
    running.control.set_day(DAY)
    return running
