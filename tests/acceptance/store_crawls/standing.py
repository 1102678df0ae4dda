"""Lets a crawl come to a step and stand there, each step by other means."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from tests.acceptance.night import wait_until
from tests.acceptance.store_crawls.system import CrawlSystem, Owner

WITHOUT_LOGIN = {"login_page", "login_init"}
"""Steps at which the site does not know yet who comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A crawl that stands."""

    owner: Owner
    task_id: str


Stand = Callable[[CrawlSystem], AbstractContextManager[Standing]]


def frozen(step: str) -> Stand:
    """The site does not answer a request of this step."""

    @contextmanager
    def stand(system: CrawlSystem) -> Iterator[Standing]:
        owner = system.new_owner()
        login_id = "" if step in WITHOUT_LOGIN else owner.login_id
        system.replica.control.freeze(step, login_id=login_id, seconds=60)
        task_id = system.start(owner)
        system.replica.control.wait_frozen(step, login_id=login_id, seconds=40)
        if step not in {*WITHOUT_LOGIN, "login_submit"}:
            wait_until(lambda: system.logins(owner) == ["ok"], 10)
        yield Standing(owner=owner, task_id=task_id)
        system.replica.control.release(step)

    return stand


def endless(page: str, path: str) -> Stand:
    """The script of a page never ends."""

    @contextmanager
    def stand(system: CrawlSystem) -> Iterator[Standing]:
        control = system.replica.control
        owner = system.new_owner()
        if page == "login":
            control.site(login_page="endless")
        else:
            control.mode(owner.login_id, endless=page)
        before = max((request["seq"] for request in control.requests(kind="page")), default=0)
        task_id = system.start(owner)
        wait_until(lambda: bool(control.requests(kind="page", path_prefix=path, after_seq=before, status=200)), 40)
        yield Standing(owner=owner, task_id=task_id)
        control.site(login_page="known")

    return stand


@contextmanager
def browser_start(system: CrawlSystem) -> Iterator[Standing]:
    """The browser has been started and does not come up."""
    owner = system.new_owner()
    system.browsers.hold_the_next_start()
    task_id = system.start(owner)
    wait_until(lambda: system.browsers.one_waits, 20)
    yield Standing(owner=owner, task_id=task_id)
    system.browsers.release()


@contextmanager
def saving(system: CrawlSystem) -> Iterator[Standing]:
    """Another session holds the table of stores."""
    owner = system.new_owner()
    with system.database.transaction() as other:
        other.connection.exec_driver_sql("LOCK TABLE stores IN ACCESS EXCLUSIVE MODE")
        task_id = system.start(owner)
        wait_until(lambda: bool(system.rows(WAITS_FOR_STORES)), 40)
        yield Standing(owner=owner, task_id=task_id)


WAITS_FOR_STORES = "SELECT pid FROM pg_locks WHERE relation = CAST('stores' AS regclass) AND NOT granted"
