"""What every store of secrets keeps to: the encrypted table on a real Postgres, and AWS through boto3 itself."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import boto3
import pytest
import structlog
from botocore.stub import Stubber
from cryptography.fernet import Fernet
from moto import mock_aws
from sqlalchemy import text

from nightjar.adapters.secrets.aws import SecretsManager
from nightjar.adapters.secrets.encrypted_table import EncryptedTable
from nightjar.database.engine import Database
from nightjar.observability import configure_logging
from nightjar.ports import SecretStore, SecretsUnavailable

NAME = "accounts/6f1c2f0e-0000-4000-8000-000000000001/credentials"
VALUE = '{"login_id": "lantern001", "password": "등불-Pa55wörd!"}'
KEY = Fernet.generate_key().decode()


@pytest.fixture(autouse=True)
def _region_and_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_DEFAULT_REGION": "ap-northeast-2",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def aws() -> Iterator[SecretsManager]:
    with mock_aws():
        yield SecretsManager(prefix="nightjar/test/")


@pytest.fixture(params=["table", "aws"])
def store(request: pytest.FixtureRequest) -> SecretStore:
    if request.param == "aws":
        aws: SecretsManager = request.getfixturevalue("aws")
        return aws
    database: Database = request.getfixturevalue("database")
    return EncryptedTable(database.transaction, keys=(KEY,))


def test_what_was_put_is_got_to_the_letter(store: SecretStore) -> None:
    store.put(NAME, VALUE)
    assert store.get(NAME) == VALUE


def test_what_nobody_put_is_none(store: SecretStore) -> None:
    assert store.get(NAME) is None


def test_a_second_value_takes_the_place_of_the_first(store: SecretStore) -> None:
    store.put(NAME, VALUE)
    store.put(NAME, "another")
    assert store.get(NAME) == "another"


def test_names_do_not_share_a_value(store: SecretStore) -> None:
    store.put(NAME, VALUE)
    store.put(f"{NAME}/session", "another")
    assert store.get(NAME) == VALUE


def test_what_was_deleted_is_gone_and_can_be_put_again(store: SecretStore) -> None:
    store.put(NAME, VALUE)
    store.delete(NAME)
    assert store.get(NAME) is None
    store.delete(NAME)
    store.put(NAME, "another")
    assert store.get(NAME) == "another"


def test_a_session_of_sixty_kilobytes_is_kept(store: SecretStore) -> None:
    session = "c" * 60_000
    store.put(NAME, session)
    assert store.get(NAME) == session


def test_many_threads_may_use_one_store(store: SecretStore) -> None:
    def use(number: int) -> str | None:
        store.put(f"{NAME}/{number}", f"value {number}")
        return store.get(f"{NAME}/{number}")

    with ThreadPoolExecutor(max_workers=4) as pool:
        assert list(pool.map(use, range(12))) == [f"value {number}" for number in range(12)]


def test_nothing_of_a_secret_is_logged_even_at_debug(store: SecretStore) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = StringIO()
    configure_logging("test", level="DEBUG", stream=stream)
    try:
        store.put(NAME, VALUE)
        store.get(NAME)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
    assert "Pa55" not in stream.getvalue()
    assert "lantern001" not in stream.getvalue()


def test_the_table_holds_nothing_that_can_be_read(database: Database) -> None:
    EncryptedTable(database.transaction, keys=(KEY,)).put(NAME, VALUE)
    with database.transaction() as uow:
        kept = bytes(uow.connection.execute(text("SELECT ciphertext FROM secrets")).scalar_one())
    for part in ("lantern001", "Pa55", "등불", "password"):
        assert part.encode() not in kept


def test_a_new_key_before_the_old_one_reads_what_the_old_one_wrote(database: Database) -> None:
    newer = Fernet.generate_key().decode()
    EncryptedTable(database.transaction, keys=(KEY,)).put(NAME, VALUE)
    both = EncryptedTable(database.transaction, keys=(newer, KEY))
    assert both.get(NAME) == VALUE
    both.put(NAME, VALUE)
    assert EncryptedTable(database.transaction, keys=(newer,)).get(NAME) == VALUE


def test_a_key_that_opens_nothing_says_which_secret_and_what_to_do(database: Database) -> None:
    EncryptedTable(database.transaction, keys=(KEY,)).put(NAME, VALUE)
    with pytest.raises(SecretsUnavailable, match="another SECRETS_KEY; put the old key behind") as caught:
        EncryptedTable(database.transaction, keys=(Fernet.generate_key().decode(),)).get(NAME)
    assert NAME in caught.value.message


def test_a_secret_that_was_moved_to_another_name_is_refused(database: Database) -> None:
    store = EncryptedTable(database.transaction, keys=(KEY,))
    store.put(NAME, VALUE)
    with database.transaction() as uow:
        uow.connection.execute(text("UPDATE secrets SET name = 'accounts/other/credentials'"))
    with pytest.raises(SecretsUnavailable, match="moved here from another name"):
        store.get("accounts/other/credentials")


def test_in_aws_names_lie_below_the_prefix(aws: SecretsManager) -> None:
    aws.put(NAME, VALUE)
    (kept,) = boto3.client("secretsmanager").list_secrets()["SecretList"]
    assert kept["Name"] == f"nightjar/test/{NAME}"


def test_in_aws_a_secret_that_waits_for_its_deletion_is_none(aws: SecretsManager) -> None:
    aws.put(NAME, VALUE)
    boto3.client("secretsmanager").delete_secret(SecretId=f"nightjar/test/{NAME}", RecoveryWindowInDays=7)
    assert aws.get(NAME) is None


def test_in_aws_a_secret_that_waits_for_its_deletion_is_restored_by_a_new_value(aws: SecretsManager) -> None:
    full = f"nightjar/test/{NAME}"
    with Stubber(aws._client) as stub:  # moto takes a value for such a secret, and keeps it deleted
        stub.add_client_error("put_secret_value", service_error_code="InvalidRequestException")
        stub.add_response("restore_secret", {"Name": full}, {"SecretId": full})
        stub.add_response("put_secret_value", {"Name": full}, {"SecretId": full, "SecretString": VALUE})
        aws.put(NAME, VALUE)
        stub.assert_no_pending_responses()


def test_in_aws_what_is_too_large_is_refused_before_it_is_sent(aws: SecretsManager) -> None:
    with pytest.raises(SecretsUnavailable, match="larger than the 65536 bytes"):
        aws.put(NAME, "가" * 22_000)


@pytest.mark.parametrize("method", ["get_secret_value", "put_secret_value", "delete_secret"])
@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "ThrottlingException", "InternalServiceError", "ResourceExistsException"]
)
def test_an_error_of_aws_says_what_was_refused_and_nothing_that_was_sent(
    aws: SecretsManager, method: str, code: str
) -> None:
    calls: dict[str, Callable[[], object]] = {
        "get_secret_value": lambda: aws.get(NAME),
        "put_secret_value": lambda: aws.put(NAME, VALUE),
        "delete_secret": lambda: aws.delete(NAME),
    }
    with Stubber(aws._client) as stub:
        stub.add_client_error(method, service_error_code=code, service_message=f"refused {VALUE}")
        with pytest.raises(SecretsUnavailable) as caught:
            calls[method]()
    assert code in caught.value.message
    assert NAME in caught.value.message
    assert "Pa55" not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert caught.value.__suppress_context__


def test_an_aws_that_cannot_be_reached_is_an_error_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:1")
    with pytest.raises(SecretsUnavailable, match="did not answer about"):
        SecretsManager(prefix="nightjar/test/").get(NAME)


def test_a_postgres_that_is_away_is_told_as_a_secret_store_that_is() -> None:
    away = Database("postgresql+pg8000://nobody@127.0.0.1:1/none", name="test")
    with pytest.raises(SecretsUnavailable, match="does not answer"):
        EncryptedTable(away.transaction, keys=(KEY,)).get(NAME)
    away.close()
