"""API keys, for operators."""

from uuid import UUID

from fastapi import APIRouter, Response

from functions.api.dependencies import ByOperator, Deps, Paged
from functions.api.paging import moment_behind, page_of
from functions.api.schemas import IssuedKey, IssueKeyRequest, KeyAnswer, Page
from nightjar.application import api_keys
from nightjar.errors import NotFound

router = APIRouter(prefix="/api/v1/keys", tags=["keys"])

LISTING = "keys"


@router.post("", status_code=201, summary="Issue a key")
def issue_key(api: Deps, caller: ByOperator, body: IssueKeyRequest) -> IssuedKey:  # noqa: ARG001  # must be an operator
    """The key is in this answer and nowhere else: only its hash is kept."""
    with api.database.transaction() as uow:
        issued, key = api_keys.issue(uow, name=body.name, role=body.role, owner=body.owner or body.name)
    return IssuedKey(**KeyAnswer.of(issued).model_dump(exclude={"revoked_at"}), key=key)


@router.get("", summary="List keys")
def list_keys(api: Deps, caller: ByOperator, paging: Paged) -> Page[KeyAnswer]:  # noqa: ARG001  # must be an operator
    """Newest first, revoked ones included."""
    before = moment_behind(LISTING, paging.cursor)
    with api.database.transaction() as uow:
        found = uow.api_keys.page(before=before, limit=paging.limit + 1)
    keys, following = page_of(found, paging.limit, listing=LISTING, place=lambda key: (key.created_at, key.id))
    return Page(items=[KeyAnswer.of(key) for key in keys], next=following)


@router.delete("/{key_id}", status_code=204, summary="Revoke a key", response_class=Response)
def revoke_key(api: Deps, caller: ByOperator, key_id: UUID) -> None:  # noqa: ARG001  # must be an operator
    """It is refused from now on, and stays in the list."""
    with api.database.transaction() as uow:
        if not uow.api_keys.revoke(key_id):
            raise NotFound(f"there is no key {key_id}")
