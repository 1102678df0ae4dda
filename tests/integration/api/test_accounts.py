"""Accounts: credentials come in, and are in no answer, no log line and no row that can be read."""

from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from uuid import UUID, uuid4

import pytest
from httpx import Response
from sqlalchemy import text

from functions.api.factory import create_app
from nightjar.application.accounts import credentials_of, save_session, session_of
from nightjar.database.engine import Database
from nightjar.domain.account import AccountStatus, LoginOutcome
from nightjar.wiring import Api, build_api
from tests.integration.api.callers import OPERATOR_KEY, CallerClient, client_of, error_of
from tests.integration.api.conftest import Alone, environment_of

PASSWORD = "등불-hunter2-Zx!"
PATH = "/api/v1/accounts"


def gives(caller: CallerClient, login_id: str = "lantern001", password: str = PASSWORD) -> Response:
    return caller.post(PATH, {"platform": "baemin", "login_id": login_id, "password": password})


def given(caller: CallerClient, login_id: str = "lantern001", password: str = PASSWORD) -> str:
    answer = gives(caller, login_id, password)
    assert answer.status_code in {200, 201}, answer.text
    return str(answer.json()["id"])


def started(caller: CallerClient, account_id: str) -> Response:
    return caller.post("/api/baemin/start-crawling", {"account_id": account_id})


def test_an_account_is_shown_without_its_password_and_with_a_masked_login(owner: CallerClient) -> None:
    answer = gives(owner)
    assert answer.status_code == 201
    shown = answer.json()
    assert shown["login_id"] == "la***"
    assert (shown["status"], shown["credentials_version"], shown["blocked_until"]) == ("ready", 1, None)
    assert owner.get(f"{PATH}/{shown['id']}").json() == shown
    assert owner.get(PATH).json() == {"items": [shown], "next": None}


@pytest.mark.parametrize(("login_id", "shown"), [("a", "***"), ("ab", "a***"), ("abc", "a***"), ("abcdefgh", "ab***")])
def test_of_a_login_at_most_two_characters_and_half_of_it_are_shown(
    owner: CallerClient, login_id: str, shown: str
) -> None:
    assert gives(owner, login_id).json()["login_id"] == shown


def test_the_worker_finds_what_the_owner_gave(owner: CallerClient, api: Api) -> None:
    account_id = UUID(given(owner, " lantern001 "))
    found = credentials_of(api.secrets(), account_id)
    assert found is not None
    assert (found.login_id, found.password) == ("lantern001", PASSWORD)
    assert "hunter2" not in repr(found)
    assert "lantern001" not in repr(found)


def test_the_same_login_again_is_the_next_version_of_the_same_account(owner: CallerClient, api: Api) -> None:
    account_id = given(owner)
    save_session(api.database.transaction, api.secrets(), UUID(account_id), "{}")
    with api.database.transaction() as uow:
        attempt = uow.accounts.begin_login(UUID(account_id), uuid4())
        assert attempt is not None
        uow.accounts.end_login(attempt.id, LoginOutcome.INVALID_CREDENTIALS, reason="the site said so")
    refused = owner.get(f"{PATH}/{account_id}").json()
    assert (refused["status"], refused["status_reason"]) == (AccountStatus.INVALID_CREDENTIALS, "the site said so")
    again = gives(owner, password="another-one")
    assert again.status_code == 200
    shown = again.json()
    assert (shown["id"], shown["status"], shown["status_reason"]) == (account_id, "ready", None)
    assert shown["credentials_version"] == 2
    found = credentials_of(api.secrets(), UUID(account_id))
    assert found is not None
    assert found.password == "another-one"
    assert session_of(api.secrets(), UUID(account_id)) is None, "the new credentials were never tried"


def test_the_same_login_of_two_owners_is_two_accounts(owner: CallerClient, stranger: CallerClient) -> None:
    assert given(owner) != given(stranger)


def test_a_login_given_at_the_same_moment_is_one_account_that_can_log_in(owner: CallerClient, api: Api) -> None:
    with ThreadPoolExecutor(max_workers=6) as pool:
        answers = list(pool.map(lambda number: gives(owner, password=f"pw-{number}"), range(6)))
    assert sorted(answer.status_code for answer in answers) == [*[200] * 5, 201]
    (account_id,) = {answer.json()["id"] for answer in answers}
    found = credentials_of(api.secrets(), UUID(account_id))
    assert found is not None
    assert found.password.startswith("pw-")


def test_a_deleted_account_is_gone_with_its_secrets_and_its_crawl(owner: CallerClient, api: Api) -> None:
    account_id = given(owner)
    save_session(api.database.transaction, api.secrets(), UUID(account_id), "{}")
    task_id = started(owner, account_id).json()["task_id"]
    assert owner.delete(f"{PATH}/{account_id}").status_code == 204
    assert owner.get(f"{PATH}/{account_id}").status_code == 404
    assert owner.get(PATH).json()["items"] == []
    assert owner.get(f"/api/v1/tasks/{task_id}").json()["status"] == "cancelled"
    assert started(owner, account_id).status_code == 404
    assert credentials_of(api.secrets(), UUID(account_id)) is None
    assert session_of(api.secrets(), UUID(account_id)) is None
    with api.database.transaction() as uow:
        kept = uow.connection.execute(text("SELECT login_id FROM accounts WHERE id = :id"), {"id": account_id})
        assert kept.scalar_one() == ""


def test_deleting_again_deletes_what_a_crawl_had_kept_in_between(owner: CallerClient, api: Api) -> None:
    account_id = UUID(given(owner))
    assert owner.delete(f"{PATH}/{account_id}").status_code == 204
    api.secrets().put(f"accounts/{account_id}/session", "left over")
    assert owner.delete(f"{PATH}/{account_id}").status_code == 204
    assert session_of(api.secrets(), account_id) is None


def test_a_crawl_that_ends_after_the_deletion_keeps_no_session(owner: CallerClient, api: Api) -> None:
    account_id = UUID(given(owner))
    owner.delete(f"{PATH}/{account_id}")
    save_session(api.database.transaction, api.secrets(), account_id, "{}")
    assert session_of(api.secrets(), account_id) is None


def test_somebody_elses_account_is_a_404_for_everything(owner: CallerClient, stranger: CallerClient) -> None:
    for account_id in (given(owner), str(uuid4())):
        answers = [
            stranger.get(f"{PATH}/{account_id}"),
            stranger.delete(f"{PATH}/{account_id}"),
            started(stranger, account_id),
        ]
        assert [(answer.status_code, error_of(answer)["code"]) for answer in answers] == [(404, "not_found")] * 3
    assert stranger.get(PATH).json()["items"] == []


def test_an_operator_sees_the_accounts_of_all(owner: CallerClient, operator: CallerClient) -> None:
    account_id = given(owner)
    assert operator.get(f"{PATH}/{account_id}").json()["login_id"] == "la***"


def test_accounts_are_listed_page_by_page(owner: CallerClient) -> None:
    made = [given(owner, f"lantern{number}") for number in range(5)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = owner.get(PATH, limit="2", **cursor).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == made[::-1]


SECRET = "hunter2-in-a-wrong-place"
WRONG: tuple[object, ...] = (
    {"platform": "baemin", "login_id": SECRET},
    {"platform": "baemin", "login_id": "lantern001", "password": ""},
    {"platform": "baemin", "login_id": "lantern001", "password": SECRET * 20},
    {"platform": "baemin", "login_id": "lantern001", "password": {"value": SECRET}},
    {"platform": "baemin", "login_id": "lantern001", "password": [SECRET]},
    {"platform": "baemin", "login_id": {"id": SECRET}, "password": SECRET},
    {"platform": "baemin", "login_id": f"{SECRET}\u0000", "password": SECRET},
    {"platform": "baemin", "login_id": SECRET * 20, "password": SECRET},
    {"platform": SECRET, "login_id": "lantern001", "password": SECRET},
    {"platform": "baemin", "login_id": "lantern001", "password": SECRET, "more": SECRET},
    [SECRET],
    SECRET,
)


@pytest.mark.parametrize("body", WRONG)
def test_a_body_that_is_refused_is_not_repeated_in_the_answer_or_in_the_log(
    owner: CallerClient, log: StringIO, body: object
) -> None:
    answer = owner.post(PATH, body)
    assert answer.status_code == 422, answer.text
    assert error_of(answer)["code"] == "invalid"
    assert "hunter2" not in answer.text
    assert "hunter2" not in log.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (f'{{"password": "{SECRET}"'.encode(), "application/json"),
        (f"platform=baemin&password={SECRET}".encode(), "application/x-www-form-urlencoded"),
        (f'{{"platform": "baemin", "login_id": "x", "password": "{SECRET}"}}'.encode(), "text/plain"),
        (b'{"password": "\xff' + SECRET.encode(), "application/json"),
    ],
)
def test_a_body_that_cannot_be_read_is_not_repeated_either(
    owner: CallerClient, log: StringIO, content: bytes, kind: str
) -> None:
    answer = owner.send("POST", PATH, content=content, headers={"content-type": kind})
    assert answer.status_code == 422, answer.text
    assert "hunter2" not in answer.text
    assert "hunter2" not in log.getvalue()


def test_nothing_of_an_account_is_in_the_log_or_in_the_database_in_the_clear(alone: Alone, log: StringIO) -> None:
    owner = alone.operator.issues_a_key_to("shop")
    account_id = given(owner)
    save_session(alone.database.transaction, alone.api.secrets(), UUID(account_id), '{"cookies": "c00kie-value"}')
    started(owner, account_id)
    given(owner, password="another-hunter2")
    with alone.database.transaction() as uow:
        tables = uow.connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars()
        dump = "".join(
            str(row)
            for table in tables
            for row in uow.connection.execute(text(f"SELECT CAST(t AS text) FROM {table} AS t"))
        )
    assert account_id in dump
    for secret in ("hunter2", "등불", "c00kie-value"):
        assert secret not in dump
        assert secret.encode().hex() not in dump, "bytes are dumped in hex"
        assert secret not in log.getvalue()
    assert "lantern001" not in log.getvalue()
    assert "start-crawling" in log.getvalue()


def test_a_database_that_breaks_is_logged_without_what_it_was_told(alone: Alone, log: StringIO) -> None:
    owner = alone.operator.issues_a_key_to("shop")
    with alone.database.transaction() as uow:
        uow.connection.execute(text("ALTER TABLE accounts RENAME COLUMN status_reason TO reason"))
    answer = gives(owner)
    assert answer.status_code == 500
    assert "status_reason" in log.getvalue()
    assert "lantern001" not in log.getvalue() + answer.text
    assert "hunter2" not in log.getvalue() + answer.text


def test_without_a_key_for_secrets_credentials_are_refused_with_the_setting_to_make(
    database_url: str, redis_url: str
) -> None:
    api = build_api(environment_of(database_url, redis_url, SECRETS_KEY=""))
    with client_of(create_app(api)) as client:
        answer = gives(CallerClient(client, OPERATOR_KEY))
    api.close()
    assert answer.status_code == 422
    assert error_of(answer)["code"] == "secrets_off"
    assert "SECRETS_KEY" in str(error_of(answer)["message"])


def test_a_secret_store_that_is_away_is_a_503_and_changes_nothing(
    database_url: str, redis_url: str, database: Database, monkeypatch: pytest.MonkeyPatch, log: StringIO
) -> None:
    for name, value in {
        "AWS_DEFAULT_REGION": "ap-northeast-2",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    api = build_api(environment_of(database_url, redis_url, SECRET_STORE="aws", LOG_LEVEL="DEBUG"))
    with client_of(create_app(api)) as client:
        answer = gives(CallerClient(client, OPERATOR_KEY))
    api.close()
    assert (answer.status_code, error_of(answer)["code"]) == (503, "unavailable")
    assert "hunter2" not in answer.text + log.getvalue()
    with database.transaction() as uow:
        assert uow.accounts.page(owner=None, before=None, limit=10) == []


def test_the_document_marks_the_password_as_never_given_back(owner: CallerClient) -> None:
    schema = owner.get("/openapi.json").json()["components"]["schemas"]
    password = schema["GiveCredentialsRequest"]["properties"]["password"]
    assert (password["format"], password["writeOnly"]) == ("password", True)
    assert "password" not in schema["AccountAnswer"]["properties"]
