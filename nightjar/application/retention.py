"""What is forgotten, and when. Trackings and their history are kept for ever."""

from datetime import timedelta

from nightjar.database.engine import Transactions

KEEP_ENDED_TASKS = timedelta(days=30)
"""Long enough to answer 'why has this tracking no rank' a month later; the history itself stays."""

PAGE = 5_000


def delete_expired_tasks(transactions: Transactions) -> int:
    """Delete tasks that ended long ago, page by page in short transactions; how many."""
    deleted = 0
    while True:
        with transactions() as uow:
            page = uow.tasks.delete_expired(age=KEEP_ENDED_TASKS, page=PAGE)
        deleted += page
        if page < PAGE:
            return deleted
