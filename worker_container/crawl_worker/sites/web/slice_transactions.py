"""The small transactions of a slice: what it puts off, lets go of, and gives back to others."""

from datetime import datetime, timedelta
from uuid import UUID

from nightjar.database.frontier import SliceLease
from nightjar.database.unit_of_work import UnitOfWork

PUT_OFF = timedelta(minutes=1)
"""Before a turn that could not be taken is tried again."""


def put_off(crawl_id: UUID, host: str, uow: UnitOfWork) -> None:
    """Look at a host of a crawl later: its turn could not be taken."""
    if uow.crawls.lock_if_free(crawl_id) is not None:
        uow.crawls.set_due(crawl_id, host, datetime.now().astimezone() + PUT_OFF)


def let_go(uow: UnitOfWork, *, crawl_id: UUID, lease: SliceLease) -> None:
    """Let URLs of a cancelled crawl go.

    Not of one that is open after all: its counts hold what is in hand until the slice ends.
    """
    crawl = uow.crawls.lock(crawl_id)
    if crawl is None or crawl.state != "open":
        uow.frontier.give_back(crawl_id, lease)


def release(uow: UnitOfWork, *, host: str, slice_id: UUID, pause: timedelta) -> None:
    """Let others to a host, after what is left of the pause."""
    uow.host_lanes.release(host, slice_id, pause=pause)
