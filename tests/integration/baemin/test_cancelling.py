"""A crawl that is cut off leaves nothing behind, wherever it stands: its context is gone within a second."""

import asyncio
from collections.abc import AsyncIterator, Callable
from time import monotonic
from uuid import UUID

import pytest

from tests.integration.baemin.desk import Desk

pytestmark = pytest.mark.anyio

FROZEN_STEPS = {
    "login_page": "login_page",
    "login_init": "login_submit",
    "login_submit": "login_submit",
    "navigation": "navigation",
    "extraction": "extraction",
    "detail": "extraction",
}
"""What the replica freezes, and the step at which the crawl then stands."""

ENDLESS = ("login", "home", "manage")
"""The page whose script never ends."""


async def eventually(holds: Callable[[], bool], seconds: float = 10) -> None:
    until = monotonic() + seconds
    while not await asyncio.to_thread(holds):
        assert monotonic() < until, "it did not happen in time"
        await asyncio.sleep(0.02)


def cancel(desk: Desk, task_id: UUID) -> None:
    with desk.database.transaction() as uow:
        assert uow.tasks.request_cancel(task_id)


async def cancelled_after(desk: Desk, task_id: UUID, stands: Callable[[], bool]) -> float:
    """Run a crawl, wait until it stands, cancel it; seconds from the cancel to its end."""
    attempts = desk.attempts()

    async def announced() -> AsyncIterator[UUID]:
        yield task_id

    running = asyncio.create_task(attempts.run(task_id, desk.job()))
    await eventually(stands)
    await asyncio.to_thread(cancel, desk, task_id)
    began = monotonic()
    await attempts.listen_for_cancels(announced(), also_tell=lambda _: None)
    await running
    return monotonic() - began


@pytest.mark.parametrize(("frozen", "step"), FROZEN_STEPS.items())
async def test_a_crawl_that_waits_for_the_site_is_gone_within_a_second(desk: Desk, frozen: str, step: str) -> None:
    desk.replica.control.freeze(frozen)
    account_id = desk.add_account(desk.replica.control.account("ok-4-brands"))
    task_id = desk.start(account_id)

    def stands() -> bool:
        is_held = any(held["step"] == frozen for held in desk.replica.control.frozen())
        return is_held and desk.diary.steps[-1] == step

    seconds = await cancelled_after(desk, task_id, stands)
    assert seconds < 1
    ended = desk.look(account_id, task_id)
    assert ended.task.state == "cancelled"
    assert ended.stores == []
    expected = {"login_init": [None], "login_submit": [None], "login_page": []}
    assert desk.logins(account_id) == expected.get(frozen, ["ok"]), "a login that was cut off has an unknown end"


@pytest.mark.parametrize("page", ENDLESS)
async def test_an_endless_script_of_the_page_does_not_hold_the_crawl(desk: Desk, page: str) -> None:
    if page == "login":
        desk.replica.control.site(login_page="endless")
    desk.replica.control.mode("saved-session-valid", endless="" if page == "login" else page)
    login_id = "ok-1" if page == "login" else "saved-session-valid"
    account_id = desk.add_account(desk.replica.control.account(login_id))
    task_id = desk.start(account_id)
    path = {"login": "/login", "home": "/", "manage": "/shops/"}[page]

    def stands() -> bool:
        return bool(desk.replica.control.requests(path_prefix=path, kind="page"))

    seconds = await cancelled_after(desk, task_id, stands)
    assert seconds < 1
    assert desk.look(account_id, task_id).task.state == "cancelled"


async def test_what_is_cut_off_can_be_started_again(desk: Desk) -> None:
    desk.replica.control.freeze("detail")
    account_id = desk.add_account(desk.replica.control.account("ok-4-brands"))
    task_id = desk.start(account_id)
    await cancelled_after(desk, task_id, lambda: bool(desk.replica.control.frozen()))
    desk.replica.control.release()
    ended = await desk.attempt(account_id, desk.start(account_id))
    assert ended.outcome == "ok"
    assert desk.login_posts("ok-4-brands") == 1, "the session of the cancelled crawl still holds"
    with desk.database.transaction() as uow:
        assert uow.tasks.page(owner=desk.owner, kind=None, states=["cancelled"], before=None, limit=9)[0].id == task_id
