"""API keys, for operators."""

from uuid import UUID

from fastapi import APIRouter, Response

from functions.api.dependencies import ByOperator, Cursor, Limit
from functions.api.paging import moment_behind, page_of
from functions.api.schemas.keys import IssuedKey, IssueKeyRequest, KeyAnswer
from functions.api.schemas.listing import Page
from nightjar.application import api_keys
from nightjar.errors import NotFound

router = APIRouter(prefix="/api/v1/keys", tags=["keys"])

LISTING = "keys"


@router.post("", status_code=201, summary="Issue a key")
def issue_key(call: ByOperator, body: IssueKeyRequest) -> IssuedKey:
    """The key is in this answer and nowhere else: only its hash is kept."""
    with call.transaction() as uow:
        issued, key = api_keys.issue(uow, name=body.name, role=body.role, owner=body.owner or body.name)
    return IssuedKey(**KeyAnswer.of(issued).model_dump(exclude={"revoked_at"}), key=key)


@router.get("", summary="List keys")
def list_keys(call: ByOperator, cursor: Cursor = None, limit: Limit = 50) -> Page[KeyAnswer]:
    """Newest first, revoked ones included."""
    before = moment_behind(LISTING, cursor)
    with call.transaction() as uow:
        found = uow.api_keys.page(before=before, limit=limit + 1)
    keys, following = page_of(found, limit, listing=LISTING, place=lambda key: (key.created_at, key.id))
    return Page(items=[KeyAnswer.of(key) for key in keys], next=following)


@router.delete("/{key_id}", status_code=204, summary="Revoke a key", response_class=Response)
def revoke_key(call: ByOperator, key_id: UUID) -> None:
    """It is refused from now on, and stays in the list."""
    with call.transaction() as uow:
        if not uow.api_keys.revoke(key_id):
            raise NotFound(f"there is no key {key_id}")
