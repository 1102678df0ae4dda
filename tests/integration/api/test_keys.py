"""Keys: issued once, listed without themselves, revoked for good; roles."""

import hashlib
import json
from collections.abc import Callable

import pytest

from functions.api.factory import create_app
from nightjar.application.api_keys import ensure_bootstrap_key
from nightjar.database.engine import Database
from nightjar.wiring import Api, build_api
from tests.integration.api.callers import OPERATOR_KEY, CallerClient, Client, client_without_start_up, error_of
from tests.integration.api.conftest import Alone, environment_of


def test_a_key_is_shown_once_and_only_its_hash_is_stored(operator: CallerClient, api: Api) -> None:
    issued = operator.post("/api/v1/keys", {"name": "dashboard", "role": "owner", "owner": "shop"}).json()
    assert issued["key"].startswith("nj_")
    assert len(issued["key"]) == 46
    listed = operator.get("/api/v1/keys").json()["items"][0]
    assert {"id": listed["id"], "name": "dashboard", "role": "owner", "owner": "shop"}.items() <= listed.items()
    assert "key" not in listed
    with api.database.transaction() as uow:
        found = uow.api_keys.find(hashlib.sha256(issued["key"].encode()).digest())
    assert found is not None
    assert issued["key"].startswith(found.prefix)
    assert len(found.prefix) == 8


def test_a_new_key_works_until_it_is_revoked(operator: CallerClient, client: Client) -> None:
    issued = operator.post("/api/v1/keys", {"name": "shop"}).json()
    holder = CallerClient(client, issued["key"])
    assert holder.get("/api/v1/trackings").status_code == 200
    assert operator.delete(f"/api/v1/keys/{issued['id']}").status_code == 204
    refused = holder.get("/api/v1/trackings")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert operator.get("/api/v1/keys").json()["items"][0]["revoked_at"] is not None


def test_a_key_is_by_default_an_owners_and_owned_by_its_name(operator: CallerClient) -> None:
    issued = operator.post("/api/v1/keys", {"name": "corner shop"}).json()
    assert (issued["role"], issued["owner"]) == ("owner", "corner shop")


def test_an_owner_issues_lists_and_revokes_no_keys(owner: CallerClient, operator: CallerClient) -> None:
    key_id = operator.get("/api/v1/keys").json()["items"][0]["id"]
    answers = [
        owner.post("/api/v1/keys", {"name": "x", "role": "operator"}),
        owner.get("/api/v1/keys"),
        owner.delete(f"/api/v1/keys/{key_id}"),
    ]
    assert [(answer.status_code, error_of(answer)["code"]) for answer in answers] == [(403, "forbidden")] * 3
    assert owner.get("/api/v1/trackings").status_code == 200


def test_two_keys_of_one_owner_see_the_same_trackings(operator: CallerClient, client: Client) -> None:
    keys = [operator.post("/api/v1/keys", {"name": name, "owner": "shop"}).json()["key"] for name in ("a", "b")]
    first, second = (CallerClient(client, key) for key in keys)
    tracking = first.registers()
    assert second.get(f"/api/v1/trackings/{tracking['id']}").status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer   "},
        {"authorization": "Basic bmo6bmo="},
        {"authorization": OPERATOR_KEY},
        {"authorization": "Bearer nj_wrong"},
        {"authorization": f"Bearer {OPERATOR_KEY}x"},
        {"authorization": "Bearer \xff\xfe"},
        {"authorization": "Bearer " + "k" * 8000},
    ],
)
def test_a_missing_or_wrong_key_is_a_401_that_does_not_repeat_it(client: Client, header: dict[str, str]) -> None:
    sent = {name: value.encode("latin-1") for name, value in header.items()}
    answer = client.get("/api/v1/trackings", headers=sent)
    assert answer.status_code == 401
    assert error_of(answer)["code"] == "unauthorized"
    key = header.get("authorization", "").removeprefix("Bearer ").strip()
    assert len(key) < 10 or key not in answer.text


def test_the_scheme_is_read_without_case(client: Client) -> None:
    assert client.get("/api/v1/trackings", headers={"authorization": f"bearer {OPERATOR_KEY}"}).status_code == 200


def test_the_bootstrap_key_is_there_after_the_start_and_once(alone: Alone) -> None:
    with alone.database.transaction() as uow:
        before = uow.api_keys.page(before=None, limit=10)
    assert [(key.name, key.role) for key in before] == [("bootstrap", "operator")]
    assert alone.operator.get("/api/v1/keys").status_code == 200
    with alone.database.transaction() as uow:
        assert uow.api_keys.page(before=None, limit=10) == before


def test_a_revoked_bootstrap_key_does_not_come_back(alone: Alone) -> None:
    other = alone.operator.post("/api/v1/keys", {"name": "other", "role": "operator"}).json()
    keys = alone.operator.get("/api/v1/keys").json()["items"]
    bootstrap = next(key for key in keys if key["name"] == "bootstrap")
    assert CallerClient(alone.client, other["key"]).delete(f"/api/v1/keys/{bootstrap['id']}").status_code == 204
    assert alone.operator.get("/api/v1/trackings").status_code == 401
    assert alone.operator.get("/api/v1/trackings").status_code == 401


def test_the_bootstrap_key_is_stored_when_it_is_first_used_if_the_start_could_not(
    database_url: str, redis_url: str
) -> None:
    api = build_api(environment_of(database_url, redis_url))
    with client_without_start_up(create_app(api)) as client:
        assert CallerClient(client, OPERATOR_KEY).get("/api/v1/keys").json()["items"][0]["name"] == "bootstrap"
    api.close()


def test_a_short_bootstrap_key_is_not_given_away_by_its_prefix(database: Database) -> None:
    with database.transaction() as uow:
        stored = ensure_bootstrap_key(uow, "secret")
    assert stored is not None
    assert stored.prefix == "s"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "   "},
        {"name": "a\x00b"},
        {"name": "x" * 101},
        {"name": "shop", "owner": " "},
        {"name": "shop", "role": "admin"},
        {"name": 5},
        {"name": "shop", "colour": "red"},
        {"name": "\ud800"},
    ],
)
def test_a_key_without_a_usable_name_owner_or_role_is_refused(operator: CallerClient, body: dict[str, object]) -> None:
    answer = operator.send(
        "POST",
        "/api/v1/keys",
        content=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 422
    assert error_of(answer)["code"] == "invalid"


def test_revoking_a_key_that_is_not_there_is_a_404(operator: CallerClient) -> None:
    answer = operator.delete("/api/v1/keys/00000000-0000-0000-0000-000000000000")
    assert answer.status_code == 404


def test_owners_named_alike_but_for_blanks_are_one(owner_named: Callable[[str], CallerClient]) -> None:
    tracking = owner_named("corner  shop").registers()
    assert owner_named(" corner shop ").get(f"/api/v1/trackings/{tracking['id']}").status_code == 200
