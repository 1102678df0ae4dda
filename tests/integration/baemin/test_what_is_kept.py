"""What a crawl leaves behind: pictures of refusals, stores also of a crawl that fell, and no secret anywhere."""

import asyncio
import json
import logging
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from crawl_worker.engine.browser import BrowserPage, BrowserProfile
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.host_gate import GateRules, PostgresHostGate
from crawl_worker.engine.site_turns import SiteTurns
from crawl_worker.sites.baemin import login
from crawl_worker.sites.baemin.site import BaeminSite
from crawl_worker.sites.owner_site import Credentials, OwnerVisit
from nightjar.domain.store import Store
from nightjar.domain.task import TaskState
from nightjar.errors import RetryLater
from tests.integration.baemin.desk import WAITS, Desk

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG"


@pytest.mark.parametrize("login_id", ["blocked-at-login", "identity-check"])
async def test_a_picture_of_a_refusal_is_kept_and_named(desk: Desk, login_id: str) -> None:
    ended = await desk.crawl(login_id)
    [picture] = desk.folder.rglob("*.png")
    assert picture.read_bytes().startswith(PNG)
    assert str(picture.relative_to(desk.folder)) in (ended.task.error_message or "")
    assert str(desk.folder) not in (ended.task.error_message or ""), "where the archive is concerns no client"
    assert ended.outcome in picture.name
    assert str(ended.task.id) in picture.name


async def test_no_picture_is_kept_of_what_nobody_has_to_look_at(desk: Desk) -> None:
    await desk.crawl("bad-password")
    assert not list(desk.folder.rglob("*"))


@asynccontextmanager
async def login_page(desk: Desk) -> AsyncIterator[tuple[BrowserPage, OwnerVisit]]:
    """A visit that stands before the login form."""
    gate = PostgresHostGate(desk.store, GateRules(delay=desk.delay, cooldown=desk.delay, patience=desk.time_limit))
    site = BaeminSite(desk.settings, waits=WAITS)
    rule = EgressRule(desk.settings.stand_ins())
    async with desk.browser.page(BrowserProfile(user_agent="desk"), rule, outlives=True) as page:
        visit = site.visit(page, SiteTurns(gate, site.config.home_url))
        assert await visit.open_login()
        yield page, visit


async def test_a_picture_is_made_of_emptied_fields(desk: Desk) -> None:
    async with login_page(desk) as (page, visit):
        await page.fill("[name=id]", "a-login-id")
        await page.fill("[name=password]", "a-password")
        picture = await visit.evidence()
        assert picture is not None
        assert picture.startswith(PNG)
        assert await page.eval_on_selector_all("input", "fields => fields.map((field) => field.value)") == ["", ""]


async def test_a_field_that_takes_no_password_leaves_none_in_the_error(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "TYPING_MS", 300)

    async def reveal() -> Credentials:
        return Credentials(login_id="a-login-id", password="a-password")

    async with login_page(desk) as (page, visit):
        await page.eval_on_selector("[name=password]", "(field) => { field.disabled = true; }")
        with pytest.raises(RetryLater) as refused:
            await visit.log_in(reveal)
    told = "".join(traceback.format_exception(refused.value)) + repr(refused.value.__context__)
    assert "a-password" not in told, "Playwright puts what it types into its errors"
    assert "went away" in told


async def test_the_stores_of_a_crawl_that_fell_on_the_way_are_saved(desk: Desk) -> None:
    ended = await desk.crawl("blocked-mid-run")
    assert ended.outcome == "blocked"
    assert len(ended.stores) == 4
    assert "4 stores" in (ended.task.error_message or "")
    assert ended.account is not None
    assert ended.account.blocked_until is not None


async def test_stores_that_are_no_longer_listed_are_marked_as_missing(desk: Desk) -> None:
    account_id = desk.add_account(desk.replica.control.account("ok-1"))
    with desk.database.transaction() as uow:
        gone = Store(platform_store_id="99000001", store_name="gone", source="select")
        uow.stores.save(owner=desk.owner, platform="baemin", account_id=account_id, stores=[gone], task_id=account_id)
    ended = await desk.attempt(account_id, desk.start(account_id))
    assert ended.task.result is not None
    assert (ended.task.result["missing"], ended.task.result["created"]) == (1, 1)


async def test_a_block_leaves_the_host_alone_and_the_next_crawl_waits_without_cost(desk: Desk) -> None:
    await desk.crawl("blocked-at-login")
    ended = await desk.crawl("ok-1")
    assert ended.task.state is TaskState.PENDING
    assert desk.login_posts("ok-1") == 0
    with desk.database.transaction() as uow:
        row = uow.connection.exec_driver_sql(
            "SELECT uncounted, not_before > clock_timestamp() AS waits FROM tasks WHERE id = %s", (ended.task.id,)
        ).one()
    assert (row.uncounted, row.waits) == (1, True)


async def test_two_crawls_at_the_same_time_share_the_host_page_by_page(desk: Desk) -> None:
    other = Desk(desk.replica, desk.browser, desk.url, desk.folder)
    try:
        both = await asyncio.gather(desk.crawl("ok-4-brands"), other.crawl("login-slow"))
    finally:
        other.close()
    assert [ended.outcome for ended in both] == ["ok", "ok"]
    pages = [r["login_id"] for r in desk.replica.control.requests(site="self", kind="page")]
    changes = sum(first != second for first, second in pairwise(pages))
    assert changes >= 2, f"one of them held the host for its whole crawl: {pages}"


async def test_no_secret_is_anywhere_but_in_the_secret_store(
    desk: Desk, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for login_id in ("ok-1", "bad-password", "identity-check"):
        await desk.crawl(login_id)
    desk.replica.control.mode("login-slow", login="cut")
    await desk.crawl("login-slow")
    with desk.database.transaction() as uow:
        tables = ("tasks", "accounts", "login_attempts", "stores", "store_changes", "hosts", "secrets")
        rows = [
            str(row.content)
            for table in tables
            for row in uow.connection.exec_driver_sql(f"SELECT to_jsonb(t)::text AS content FROM {table} AS t")
        ]
    said = json.dumps([event.as_text() for event in desk.diary.events], ensure_ascii=False)
    kept = [path.read_bytes().decode("latin-1") for path in desk.folder.rglob("*") if path.is_file()]
    everything = "\n".join([*rows, said, caplog.text, *capfd.readouterr(), *kept])
    secrets = desk.replica.control.secrets()
    assert len(secrets) > 20
    assert [secret for secret in secrets if secret in everything] == []
