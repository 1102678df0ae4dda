"""Everything that the nightly rank run stands on."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

API_KEYS = """
CREATE TABLE api_keys (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name        text NOT NULL,
    role        text NOT NULL CHECK (role IN ('operator', 'owner')),
    owner       text NOT NULL,                 -- whose objects this key sees; several keys may share an owner
    key_hash    bytea NOT NULL UNIQUE,         -- SHA-256 of a 256-bit random key; the key itself is never stored
    prefix      text NOT NULL,                 -- first characters, so that a person can tell keys apart
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    revoked_at  timestamptz
)
"""

SEARCHES = """
CREATE TABLE searches (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rank_type  text NOT NULL CHECK (rank_type IN ('place', 'blog', 'cafe')),
    keyword    text NOT NULL,
    device     text NOT NULL CHECK (device IN ('pc', 'mobile')),
    vertical   text,
    x          double precision,
    y          double precision,
    UNIQUE NULLS NOT DISTINCT (keyword, rank_type, device, vertical, x, y)
)
"""

TRACKINGS = """
CREATE TABLE trackings (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner            text NOT NULL,
    search_id        bigint NOT NULL REFERENCES searches,
    target_key       text NOT NULL,
    target_url       text NOT NULL,
    status           text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'stopped')),
    current_session  integer NOT NULL DEFAULT 1 CHECK (current_session >= 1),
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    stopped_at       timestamptz
);
CREATE UNIQUE INDEX trackings_one_active ON trackings (owner, search_id, target_key) WHERE status = 'active';
CREATE INDEX trackings_of_owner ON trackings (owner, id);
CREATE INDEX trackings_of_club ON trackings (split_part(target_key, '/', 1)) WHERE target_key LIKE 'club:%'
"""

BATCHES = """
CREATE TABLE batches (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind               text NOT NULL CHECK (kind IN ('nightly', 'manual')),
    run_key            date NOT NULL,          -- the Korean day that the results belong to
    owner              text,                   -- NULL: all owners
    total              bigint NOT NULL DEFAULT 0,
    success            bigint NOT NULL DEFAULT 0,
    failed             bigint NOT NULL DEFAULT 0,
    failed_items       jsonb NOT NULL DEFAULT '[]',
    published_through  bigint NOT NULL DEFAULT 0,  -- checkpoint: checks up to this seq were put on the queue
    last_seq           bigint NOT NULL DEFAULT 0,
    published_at       timestamptz,            -- when the checkpoint last moved
    correlation_id     text NOT NULL,
    started_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    deadline_at        timestamptz NOT NULL,
    finished_at        timestamptz,
    announced_at       timestamptz             -- when its batch_completed line was written
);
CREATE UNIQUE INDEX batches_one_nightly ON batches (run_key) WHERE kind = 'nightly';
CREATE INDEX batches_open ON batches (id) WHERE finished_at IS NULL;
CREATE INDEX batches_unannounced ON batches (id) WHERE announced_at IS NULL
"""

TASKS = """
CREATE TABLE tasks (
    id                   uuid PRIMARY KEY,
    kind                 text NOT NULL,
    queue                text NOT NULL,
    owner                text,                 -- NULL: the system's own work
    state                text NOT NULL DEFAULT 'pending'
                         CHECK (state IN ('pending', 'in_progress', 'completed', 'failed', 'cancelled')),
    attempt              integer NOT NULL DEFAULT 0,   -- the fence: grows with each claim, never shrinks
    uncounted            integer NOT NULL DEFAULT 0,   -- claims that cost nothing (host busy, graceful stop)
    lease_until          timestamptz,
    not_before           timestamptz NOT NULL DEFAULT '-infinity',
    published_at         timestamptz,          -- a message is out (rows without seq)
    batch_id             bigint REFERENCES batches,
    seq                  bigint,               -- place in its batch until first claimed: published by the checkpoint
    payload              jsonb NOT NULL DEFAULT '{}',
    correlation_id       text NOT NULL,
    step                 text,
    progress             smallint NOT NULL DEFAULT 0,
    total                bigint,
    message              text,
    result               jsonb,
    error_code           text,
    error_message        text,
    error_retryable      boolean,
    cancel_requested_at  timestamptz,
    retry_of             uuid,
    timeout_seconds      integer,
    created_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at           timestamptz,
    finished_at          timestamptz
);
CREATE INDEX tasks_open_of_batch ON tasks (batch_id, seq) WHERE state IN ('pending', 'in_progress');
CREATE INDEX tasks_unpublished ON tasks (queue, not_before)
    WHERE state = 'pending' AND seq IS NULL AND published_at IS NULL;
CREATE INDEX tasks_published ON tasks (queue, published_at)
    WHERE state = 'pending' AND seq IS NULL AND published_at IS NOT NULL;
CREATE INDEX tasks_leases ON tasks (lease_until) WHERE state = 'in_progress';
CREATE INDEX tasks_of_owner ON tasks (owner, created_at DESC, id DESC) WHERE owner IS NOT NULL;
CREATE INDEX tasks_by_age ON tasks (created_at DESC, id DESC);
CREATE INDEX tasks_by_end ON tasks (finished_at) WHERE finished_at IS NOT NULL
"""

RANK_CHECKS = """
CREATE TABLE rank_checks (
    task_id       uuid PRIMARY KEY REFERENCES tasks ON DELETE CASCADE,
    batch_id      bigint REFERENCES batches,
    search_id     bigint NOT NULL,             -- searches are never deleted
    checked_on    date NOT NULL,
    tracking_ids  bigint[] NOT NULL,           -- fixed when planned, ascending
    blocks_met    smallint NOT NULL DEFAULT 0,
    seen_end      integer,                     -- rows after which the last attempt saw the list end, not yet believed
    succeeded     integer NOT NULL DEFAULT 0,
    failed        integer NOT NULL DEFAULT 0,
    reason        text                         -- why all of them stayed unknown
);
CREATE INDEX rank_checks_of_batch ON rank_checks (batch_id) WHERE batch_id IS NOT NULL
"""

RANK_HISTORY = """
CREATE TABLE rank_history (
    tracking_id     bigint NOT NULL REFERENCES trackings,
    checked_on      date NOT NULL,
    checked_at      timestamptz NOT NULL,
    outcome         text NOT NULL CHECK (outcome IN ('exposed', 'not_exposed', 'unknown')),
    rank            integer,
    session_number  integer NOT NULL,
    checked_count   integer,
    source          text NOT NULL,
    reason          text,
    batch_id        bigint,
    PRIMARY KEY (tracking_id, checked_on),
    CHECK ((outcome = 'exposed') = (rank IS NOT NULL)),
    CHECK (rank >= 1),
    CHECK ((outcome = 'unknown') = (reason IS NOT NULL)),
    CHECK (outcome <> 'not_exposed' OR checked_count IS NOT NULL)
);
CREATE INDEX rank_history_exposed ON rank_history (tracking_id, session_number) WHERE rank IS NOT NULL
"""

IDEMPOTENT_REQUESTS = """
CREATE TABLE idempotent_requests (
    owner         text NOT NULL,
    key           text NOT NULL,               -- the Idempotency-Key that the client chose
    request_hash  bytea NOT NULL,              -- SHA-256 of method, path and body: another request may not use the key
    status        smallint NOT NULL DEFAULT 0,
    answer        jsonb,                       -- what was answered, given again for the same request
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (owner, key)
);
CREATE INDEX idempotent_requests_by_age ON idempotent_requests (created_at)
"""

HOSTS = """
CREATE TABLE hosts (
    host            text PRIMARY KEY,          -- host:port
    next_at         timestamptz NOT NULL,      -- nobody may start a request earlier
    holder          uuid,                      -- the one request that is under way
    cooldown_until  timestamptz,
    blocked_at      timestamptz
)
"""

CAFES = """
CREATE TABLE cafes (
    slug        text PRIMARY KEY,
    club_id     text NOT NULL,
    learned_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX cafes_of_club ON cafes (club_id)
"""

ALARMS = """
CREATE TABLE alarms (
    kind       text NOT NULL,
    scope      text NOT NULL,                  -- what it is about; one alarm of a kind per scope
    raised_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (kind, scope)
)
"""


def upgrade() -> None:
    scripts = (
        API_KEYS, SEARCHES, TRACKINGS, BATCHES, TASKS, RANK_CHECKS, RANK_HISTORY, IDEMPOTENT_REQUESTS, HOSTS, CAFES,
        ALARMS,
    )  # fmt: skip
    for script in scripts:
        for statement in script.split(";\n"):
            op.execute(statement)


def downgrade() -> None:
    for table in (
        "alarms",
        "cafes",
        "hosts",
        "idempotent_requests",
        "rank_history",
        "rank_checks",
        "tasks",
        "batches",
        "trackings",
        "searches",
        "api_keys",
    ):
        op.execute(f"DROP TABLE {table}")
