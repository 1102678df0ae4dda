"""What is forgotten, and when. Trackings and their history are kept for ever."""

from datetime import timedelta
from time import monotonic

from nightjar.database.engine import Transactions

KEEP_ENDED_TASKS = timedelta(days=30)
"""Long enough to answer 'why has this tracking no rank' a month later; the history itself stays."""

KEEP_ANSWERS = timedelta(days=1)
"""Nobody repeats a request under the same Idempotency-Key a day later."""

KEEP_ROBOTS = timedelta(days=7)
"""After an answer of robots.txt expired: what was asked then is of no use, except that the host was silent lately."""

PAGE = 5_000

ROBOTS_PAGE = 500
"""An answer may have half a megabyte."""

CRAWL_PAGES, CRAWL_ROWS = 1_000, 10_000
"""Of a site crawl that are deleted at once: with the sections of its pages some ten thousand rows, half a second."""


def delete_expired_tasks(transactions: Transactions) -> int:
    """Delete tasks that ended long ago, page by page in short transactions; how many. Old answers go with them.

    Site crawls are left to `delete_expired_crawls`: too much hangs on them.
    """
    _forget_answers(transactions)
    _forget_robots(transactions)
    deleted = 0
    while True:
        with transactions() as uow:
            page = uow.tasks.delete_expired(age=KEEP_ENDED_TASKS, page=PAGE)
        deleted += page
        if page < PAGE:
            return deleted


def delete_expired_crawls(transactions: Transactions, *, within: timedelta) -> int:
    """Delete site crawls that ended long ago, each in many short transactions; how many went whole.

    Ends after `within`, also if there is more to do: the next run goes on where this one stopped.
    """
    until = monotonic() + within.total_seconds()
    deleted = 0
    while monotonic() < until:
        with transactions() as uow:
            oldest = uow.expired_crawls.ids(age=KEEP_ENDED_TASKS, number=1)
        if not oldest:
            break
        is_more = True
        while is_more and monotonic() < until:
            with transactions() as uow:
                is_more = uow.expired_crawls.forget_piece(oldest[0], pages=CRAWL_PAGES, rows=CRAWL_ROWS)
        deleted += not is_more
    return deleted


def _forget_answers(transactions: Transactions) -> None:
    page = PAGE
    while page == PAGE:
        with transactions() as uow:
            page = uow.idempotent_requests.delete_expired(age=KEEP_ANSWERS, page=PAGE)


def _forget_robots(transactions: Transactions) -> None:
    page = ROBOTS_PAGE
    while page == ROBOTS_PAGE:
        with transactions() as uow:
            page = uow.robots.delete_expired(age=KEEP_ROBOTS, page=ROBOTS_PAGE)


def forget_expired_connections(transactions: Transactions) -> int:
    """Delete the rows of WebSocket connections that API Gateway has ended by now; how many."""
    deleted = 0
    while True:
        with transactions() as uow:
            page = uow.live_connections.delete_expired(page=PAGE)
        deleted += page
        if page < PAGE:
            return deleted
