"""Accounts of shop owners at delivery platforms."""

from uuid import UUID

from fastapi import APIRouter, Response

from functions.api.cancelling import announce
from functions.api.dependencies import By, Cursor, Limit
from functions.api.paging import moment_behind, page_of
from functions.api.schemas.accounts import AccountAnswer, GiveCredentialsRequest
from functions.api.schemas.listing import Page
from nightjar.application import accounts

router = APIRouter(prefix="/api/v1/accounts", tags=["accounts"])

LISTING = "accounts"
CREATED = 201


@router.post(
    "",
    summary="Give credentials",
    responses={201: {"model": AccountAnswer, "description": "A new account"}},
)
def give_credentials(call: By, body: GiveCredentialsRequest, response: Response) -> AccountAnswer:
    """A new account (201), or other credentials for the account of this login (200): it is ready to be crawled again.

    Credentials are kept encrypted and are in no answer, log line or message.
    """
    credentials = accounts.Credentials(login_id=body.login_id, password=body.password.get_secret_value())
    account = accounts.give_credentials(
        call.transaction, call.api.secrets(), credentials, owner=call.owner, platform=body.platform
    )
    if account.credentials_version == 1:
        response.status_code = CREATED
    return AccountAnswer.of(account)


@router.get("", summary="List accounts")
def list_accounts(call: By, cursor: Cursor = None, limit: Limit = 50) -> Page[AccountAnswer]:
    """Newest first. An owner sees its own, an operator all."""
    before = moment_behind(LISTING, cursor)
    with call.transaction() as uow:
        found = uow.accounts.page(owner=call.sees, before=before, limit=limit + 1)
    shown, following = page_of(found, limit, listing=LISTING, place=lambda account: (account.created_at, account.id))
    return Page(items=[AccountAnswer.of(account) for account in shown], next=following)


@router.get("/{account_id}", summary="Get an account")
def get_account(call: By, account_id: UUID) -> AccountAnswer:
    """Whether it can be crawled, and what is in the way."""
    return AccountAnswer.of(accounts.account_of(call.transaction, account_id, owner=call.sees))


@router.delete("/{account_id}", status_code=204, summary="Delete an account", response_class=Response)
def delete_account(call: By, account_id: UUID) -> None:
    """Login, credentials and session are forgotten and a running crawl is cancelled; the stores stay."""
    running = accounts.delete_account(call.transaction, call.api.secrets(), account_id, owner=call.sees)
    if running is not None:
        announce(call, running)
