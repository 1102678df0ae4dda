"""Store-owner crawls: accounts, secrets, logins, stores; one active crawl per account; who watches a task live."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ACCOUNTS = """
CREATE TABLE accounts (
    id                   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner                text NOT NULL,
    platform             text NOT NULL CHECK (platform IN ('baemin')),
    login_id             text NOT NULL,
    status               text NOT NULL DEFAULT 'ready'
                         CHECK (status IN ('ready', 'invalid_credentials', 'action_required', 'blocked')),
    status_reason        text,
    blocked_until        timestamptz,
    credentials_version  integer NOT NULL DEFAULT 1,   -- grows when the owner gives a new password
    created_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at           timestamptz
);
CREATE UNIQUE INDEX accounts_one_login ON accounts (owner, platform, login_id) WHERE deleted_at IS NULL
"""

LOGIN_ATTEMPTS = """
CREATE TABLE login_attempts (
    id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id           uuid NOT NULL REFERENCES accounts,
    credentials_version  integer NOT NULL,
    task_id              uuid NOT NULL,
    started_at           timestamptz NOT NULL DEFAULT clock_timestamp(),  -- before the password is sent
    ended_at             timestamptz,
    outcome              text                          -- NULL: nobody knows how it ended
);
CREATE INDEX login_attempts_of_account ON login_attempts (account_id, id)
"""

SECRETS = """
CREATE TABLE secrets (
    name        text PRIMARY KEY,
    ciphertext  bytea NOT NULL,                        -- the key is not in this database
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""

STORES = """
CREATE TABLE stores (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner              text NOT NULL,
    platform           text NOT NULL,
    platform_store_id  text NOT NULL,
    account_id         uuid NOT NULL REFERENCES accounts,
    store_name         text NOT NULL,
    business_type      text,                           -- NULL is 'was not read', in every column below
    sub_type           text,
    brand              text,
    address            text,
    road_address       text,
    lat                double precision,
    lng                double precision,
    phone              text,
    status             text,
    business_no        text,
    raw_label          text,
    source             text NOT NULL,
    first_seen_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    missing_since      timestamptz,                    -- a complete list of its account no longer held it
    UNIQUE (owner, platform, platform_store_id)
)
"""

STORE_CHANGES = """
CREATE TABLE store_changes (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store_id    bigint NOT NULL REFERENCES stores,
    task_id     uuid NOT NULL,
    field       text NOT NULL,
    old_value   text,
    new_value   text,
    changed_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX store_changes_of_store ON store_changes (store_id, id);
CREATE INDEX store_changes_of_task ON store_changes (task_id)
"""

EXCLUSIVE_TASKS = """
ALTER TABLE tasks ADD COLUMN exclusive_key text;
CREATE UNIQUE INDEX tasks_exclusive ON tasks (exclusive_key)
    WHERE exclusive_key IS NOT NULL AND state IN ('pending', 'in_progress')
"""

LIVE_CONNECTIONS = """
CREATE TABLE live_connections (
    connection_id  text PRIMARY KEY,
    owner          text,                               -- NULL with role NULL: has not shown its key yet
    role           text,
    task_id        uuid,
    connected_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at     timestamptz NOT NULL
);
CREATE INDEX live_connections_of_task ON live_connections (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX live_connections_expired ON live_connections (expires_at)
"""


def upgrade() -> None:
    for script in (ACCOUNTS, LOGIN_ATTEMPTS, SECRETS, STORES, STORE_CHANGES, EXCLUSIVE_TASKS, LIVE_CONNECTIONS):
        for statement in script.split(";\n"):
            op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX tasks_exclusive")
    op.execute("ALTER TABLE tasks DROP COLUMN exclusive_key")
    for table in ("live_connections", "store_changes", "stores", "secrets", "login_attempts", "accounts"):
        op.execute(f"DROP TABLE {table}")
