"""The accounts of the replica, one for each way a crawl can end, and the outcome that each must have. All invented."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from tests.doubles.baemin.conduct import Conduct
from tests.doubles.baemin.shops import TRAP_NAMES, Shop, shop
from tests.doubles.seeded import token

_FIRST_SHOP: Final = 10_000_001
_SHOPS_APART: Final = 1_000
_FIRST_CREATED_SHOP: Final = 30_000_001
_MANY: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An owner. `password` is what the crawl is given, `right_password` what the site takes.

    outcome: the one of the closed list in which a crawl must end. saved_session: `valid` or `stale` where a crawl
    starts with a session of earlier. login_posts: how many logins a crawl may post.
    """

    login_id: str
    password: str
    right_password: str
    owner_number: str
    business_no: str
    shops: tuple[Shop, ...]
    outcome: str = "ok"
    conduct: Conduct = field(default_factory=Conduct)
    saved_session: str = ""
    login_posts: int = 1
    note: str = ""


def default_accounts(seed: int) -> list[Account]:
    """All accounts that the replica starts with."""
    return [make(seed, index) for index, make in enumerate(_MAKERS)]


def ordinary_accounts(seed: int, prefix: str, count: int, shops: int) -> list[Account]:
    """So many accounts without any trouble, `PREFIX-0001` and on, with so many shops each."""
    return [_created(seed, f"{prefix}-{index + 1:04d}", index, shops) for index in range(count)]


def _created(seed: int, login_id: str, index: int, shops: int) -> Account:
    first = _FIRST_CREATED_SHOP + index * _SHOPS_APART
    return _account(seed, login_id, 1000 + index, tuple(shop(seed, first, n) for n in range(shops)))


def _account(seed: int, login_id: str, index: int, shops: tuple[Shop, ...]) -> Account:
    password = f"pw-{token(20, seed, 'password', login_id)}!"
    return Account(
        login_id=login_id,
        password=password,
        right_password=password,
        owner_number=f"2099{index + 1:08d}",
        business_no=f"000-00-{index % 100_000:05d}",
        shops=shops,
    )


def _plain(seed: int, index: int, login_id: str, shops: int) -> Account:
    first = _FIRST_SHOP + index * _SHOPS_APART
    return _account(seed, login_id, index, tuple(shop(seed, first, n, form=1 + n % 4) for n in range(shops)))


def _ok_1(seed: int, index: int) -> Account:
    return replace(_plain(seed, index, "ok-1", 1), conduct=Conduct(popups="immediate"), note="one shop")


def _ok_1_no_select(seed: int, index: int) -> Account:
    conduct = Conduct(select="heading_only")
    return replace(_plain(seed, index, "ok-1-no-select", 1), conduct=conduct, note="one shop, a heading and no select")


def _ok_4_brands(seed: int, index: int) -> Account:
    first = _FIRST_SHOP + index * _SHOPS_APART
    names = TRAP_NAMES[:4]
    shops = tuple(shop(seed, first, n, name=name, kitchen=0) for n, name in enumerate(names))
    account = _account(seed, "ok-4-brands", index, shops)
    return replace(account, conduct=Conduct(popups="stacked"), note="four brands at one address")


def _ok_120(seed: int, index: int) -> Account:
    first = _FIRST_SHOP + index * _SHOPS_APART
    shops = [
        shop(seed, first, n, name=TRAP_NAMES[n] if n < len(TRAP_NAMES) else "", form=1 + n % 4) for n in range(_MANY)
    ]
    shops[20] = replace(shops[20], form=1, text_number="99999999")
    shops[30] = replace(shops[30], status="CLOSED")
    shops[40] = replace(shops[40], in_search=False, in_detail=False)
    account = _account(seed, "ok-120", index, tuple(shops))
    note = (
        "120 shops, all four texts, awkward names; one text with a foreign number, one closed, one deleted, one twice"
    )
    return replace(account, conduct=Conduct(popups="late"), note=note)


def _ok_none(seed: int, index: int) -> Account:
    return replace(_plain(seed, index, "ok-none", 0), outcome="no_stores", note="no shop at all")


def _bad_password(seed: int, index: int) -> Account:
    account = _plain(seed, index, "bad-password", 2)
    wrong = f"pw-{token(20, seed, 'wrong password')}!"
    return replace(account, password=wrong, outcome="invalid_credentials", note="the right password leads to two shops")


def _locked(seed: int, index: int) -> Account:
    return _refused(seed, index, "locked", "locked", "action_required")


def _captcha(seed: int, index: int) -> Account:
    return _refused(seed, index, "captcha", "captcha", "action_required")


def _identity_check(seed: int, index: int) -> Account:
    return _refused(seed, index, "identity-check", "identity_check", "action_required")


def _password_change(seed: int, index: int) -> Account:
    return _refused(seed, index, "password-change", "password_change", "action_required")


def _terms(seed: int, index: int) -> Account:
    return _refused(seed, index, "terms", "terms", "action_required")


def _blocked_at_login(seed: int, index: int) -> Account:
    return _refused(seed, index, "blocked-at-login", "blocked", "blocked")


def _never_answers(seed: int, index: int) -> Account:
    return _refused(seed, index, "never-answers", "never_answers", "timeout")


def _refused(seed: int, index: int, login_id: str, login: str, outcome: str) -> Account:
    account = _plain(seed, index, login_id, 2)
    return replace(account, conduct=Conduct(login=login), outcome=outcome, note=f"the login ends as {login}")


def _blocked_mid_run(seed: int, index: int) -> Account:
    account = _plain(seed, index, "blocked-mid-run", 4)
    conduct = Conduct(blocked_after=9)
    return replace(account, conduct=conduct, outcome="blocked", note="home is whole, then the block screen")


def _session_expires(seed: int, index: int) -> Account:
    account = _plain(seed, index, "session-expires-after-6-calls", 4)
    note = "home is whole, then every call answers 401 and every page leads to the login"
    return replace(account, conduct=Conduct(session_calls=6), outcome="session_expired", note=note)


def _login_slow(seed: int, index: int) -> Account:
    return replace(_plain(seed, index, "login-slow", 2), conduct=Conduct(login="slow"), note="the login takes its time")


def _layout_changed(seed: int, index: int) -> Account:
    account = _plain(seed, index, "layout-changed", 2)
    note = "no select, no test ids, other words, other API paths"
    return replace(account, conduct=Conduct(layout="changed"), outcome="layout_changed", note=note)


def _api_down(seed: int, index: int) -> Account:
    account = _plain(seed, index, "api-down-but-select-fine", 4)
    return replace(account, conduct=Conduct(api="error_500"), note="the select is all there is")


def _select_missing(seed: int, index: int) -> Account:
    account = _plain(seed, index, "select-missing-but-api-fine", 4)
    return replace(account, conduct=Conduct(select="missing", rows_key="content"), note="the API is all there is")


def _maintenance(seed: int, index: int) -> Account:
    account = _plain(seed, index, "maintenance", 2)
    conduct = Conduct(maintenance=True)
    return replace(account, conduct=conduct, outcome="maintenance", note="the login works, the owner pages are closed")


def _detail_fails(seed: int, index: int) -> Account:
    account = _plain(seed, index, "detail-fails-for-one-shop", 3)
    conduct = Conduct(failing_details=(account.shops[1].number,))
    return replace(account, conduct=conduct, note="the second shop's detail call answers 500")


def _saved_valid(seed: int, index: int) -> Account:
    account = replace(_plain(seed, index, "saved-session-valid", 2), saved_session="valid", login_posts=0)
    return replace(account, note="starts with a session that still holds")


def _saved_stale(seed: int, index: int) -> Account:
    account = replace(_plain(seed, index, "saved-session-stale", 2), saved_session="stale")
    return replace(account, note="starts with a session that is dead")


_MAKERS: Final = (
    _ok_1,
    _ok_1_no_select,
    _ok_4_brands,
    _ok_120,
    _ok_none,
    _bad_password,
    _locked,
    _captcha,
    _identity_check,
    _password_change,
    _terms,
    _blocked_at_login,
    _blocked_mid_run,
    _session_expires,
    _login_slow,
    _never_answers,
    _layout_changed,
    _api_down,
    _select_missing,
    _maintenance,
    _detail_fails,
    _saved_valid,
    _saved_stale,
)
