"""What is forgotten, and when. Trackings and their history are kept for ever."""

from datetime import timedelta

from nightjar.database.engine import Transactions

KEEP_ENDED_TASKS = timedelta(days=30)
"""Long enough to answer 'why has this tracking no rank' a month later; the history itself stays."""

KEEP_ANSWERS = timedelta(days=1)
"""Nobody repeats a request under the same Idempotency-Key a day later."""

PAGE = 5_000


def delete_expired_tasks(transactions: Transactions) -> int:
    """Delete tasks that ended long ago, page by page in short transactions; how many. Old answers go with them."""
    _forget_answers(transactions)
    deleted = 0
    while True:
        with transactions() as uow:
            page = uow.tasks.delete_expired(age=KEEP_ENDED_TASKS, page=PAGE)
        deleted += page
        if page < PAGE:
            return deleted


def _forget_answers(transactions: Transactions) -> None:
    page = PAGE
    while page == PAGE:
        with transactions() as uow:
            page = uow.idempotent_requests.delete_expired(age=KEEP_ANSWERS, page=PAGE)


def forget_expired_connections(transactions: Transactions) -> int:
    """Delete the rows of WebSocket connections that API Gateway has ended by now; how many."""
    deleted = 0
    while True:
        with transactions() as uow:
            page = uow.live_connections.delete_expired(page=PAGE)
        deleted += page
        if page < PAGE:
            return deleted
