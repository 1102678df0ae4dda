"""Site crawls: their orders and counts, the frontier, pages, what was understood of them, and shares of fast hosts."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# The counts stand in one row that every claim and every settlement locks: they add up at every moment.
CRAWLS = """
CREATE TABLE crawls (
    task_id      uuid PRIMARY KEY REFERENCES tasks ON DELETE CASCADE,
    owner        text,
    start_url    text NOT NULL,                        -- normalised
    scope        text NOT NULL CHECK (scope IN ('host', 'site')),
    scope_key    text NOT NULL,                        -- host:port or registrable domain; a redirected start moves it
    depth        smallint NOT NULL CHECK (depth >= 0),
    page_limit   integer NOT NULL CHECK (page_limit > 0),
    engine       text NOT NULL CHECK (engine IN ('auto', 'http', 'browser')),
    include      text[] NOT NULL,
    exclude      text[] NOT NULL,
    screenshots  boolean NOT NULL,
    structure    boolean NOT NULL,
    delay        interval NOT NULL,
    user_agent   text NOT NULL DEFAULT '',
    urgent       boolean NOT NULL,                     -- somebody waits for the answer
    state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'analysing', 'closed')),
    end_reason   text,                                 -- what is still queued when it closes counts as skipped by this
    deadline     timestamptz,
    discovered   integer NOT NULL DEFAULT 0,
    queued       integer NOT NULL DEFAULT 0,
    leased       integer NOT NULL DEFAULT 0,
    done         integer NOT NULL DEFAULT 0,
    failed       integer NOT NULL DEFAULT 0,
    skipped      integer NOT NULL DEFAULT 0,
    sitemaps     text[] NOT NULL DEFAULT '{}',         -- to be read; an empty one: ask robots.txt which there are
    sitemaps_read  text[] NOT NULL DEFAULT '{}',
    pagination   jsonb,                                -- the pagination plan, once the pages were analysed
    CHECK (discovered = queued + leased + done + failed + skipped),
    CHECK (least(queued, leased, done, failed, skipped) >= 0),
    CHECK (leased + done <= page_limit)
);
CREATE INDEX crawls_not_closed ON crawls (task_id) WHERE state <> 'closed'
"""

CRAWL_HOSTS = """
CREATE TABLE crawl_hosts (
    crawl_id       uuid NOT NULL REFERENCES crawls ON DELETE CASCADE,
    host           text NOT NULL,                      -- host:port
    origin         text NOT NULL,                      -- scheme://host:port, of its first URL
    urgent         boolean NOT NULL,
    due_at         timestamptz NOT NULL DEFAULT clock_timestamp(),  -- when to look for work next; infinity: no more
    engine_choice  jsonb,                              -- what `auto` has learned of its pages
    PRIMARY KEY (crawl_id, host)
);
CREATE INDEX crawl_hosts_due ON crawl_hosts (urgent DESC, due_at) WHERE due_at < 'infinity'
"""

# Fresh URLs are claimed by depth, in the order in which they were found; retried ones when they are due.
FRONTIER = """
CREATE TABLE frontier (
    crawl_id       uuid NOT NULL REFERENCES crawls ON DELETE CASCADE,
    url_hash       uuid NOT NULL,                      -- 128 bits of the normalised URL
    url            text NOT NULL,
    host           text NOT NULL,
    depth          smallint NOT NULL,                  -- link hops; 32767: known from a sitemap only
    seq            bigint GENERATED ALWAYS AS IDENTITY,
    state          text NOT NULL,
    reason         text,                               -- why skipped
    target         text,                               -- of a redirect or a canonical link
    requested_url  text,                               -- the URL that redirected here first
    redirects      smallint NOT NULL DEFAULT 0,        -- hops from there to here
    attempts       smallint NOT NULL DEFAULT 0,        -- that cost something
    lost           smallint NOT NULL DEFAULT 0,        -- workers that died with it in hand
    not_before     timestamptz,                        -- of a retry; NULL: never tried, or given back
    leased_by      uuid,                               -- the slice task
    lease_attempt  integer,
    error_code     text,
    error_message  text,
    PRIMARY KEY (crawl_id, url_hash)
);
CREATE INDEX frontier_fresh ON frontier (crawl_id, host, depth, seq)
    WHERE state = 'queued' AND not_before IS NULL;
CREATE INDEX frontier_retries ON frontier (crawl_id, host, not_before)
    WHERE state = 'queued' AND not_before IS NOT NULL;
CREATE INDEX frontier_leased ON frontier (leased_by) WHERE state = 'leased';
CREATE INDEX frontier_errors ON frontier (crawl_id, seq) WHERE state = 'failed';
CREATE INDEX frontier_skipped ON frontier (crawl_id, seq) WHERE state = 'skipped';
CREATE INDEX frontier_duplicates ON frontier USING hash (target) WHERE state = 'skipped' AND reason = 'canonical'
"""

PAGES = """
CREATE TABLE pages (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    crawl_id        uuid NOT NULL REFERENCES crawls ON DELETE CASCADE,
    url_hash        uuid NOT NULL,
    url             text NOT NULL,                     -- as first asked for
    final_url       text NOT NULL,
    host            text NOT NULL,
    status          smallint NOT NULL,
    engine          text NOT NULL,
    engine_reason   text,
    content_type    text NOT NULL,
    charset         text,
    headers         json NOT NULL,                     -- [[name, value], ...] as received
    title           text,
    text            text,
    links           json NOT NULL,                     -- [[url, nofollow], ...] in document order
    canonical_url   text,
    bytes           integer NOT NULL,
    fetched_at      timestamptz NOT NULL,
    elapsed_ms      integer NOT NULL,
    archive_object  text NOT NULL,
    archive_offset  bigint NOT NULL,
    archive_length  integer NOT NULL,
    screenshot      text,
    UNIQUE (crawl_id, url_hash)
);
CREATE INDEX pages_of_crawl ON pages (crawl_id, id);
CREATE INDEX pages_of_object ON pages (archive_object)
"""

# An object holds the responses of one flush; it is uploaded first, this row commits with the pages.
CRAWL_OBJECTS = """
CREATE TABLE crawl_objects (
    archive_object  text PRIMARY KEY,
    crawl_id        uuid NOT NULL REFERENCES crawls ON DELETE CASCADE,
    pages           integer NOT NULL,
    stored_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    analysed_at     timestamptz,
    leased_by       uuid,
    lease_attempt   integer
);
CREATE INDEX crawl_objects_of_crawl ON crawl_objects (crawl_id, analysed_at)
"""

# 20 pages in a row of one form of URL that say the same but for numbers: a trap.
URL_TEMPLATES = """
CREATE TABLE url_templates (
    crawl_id  uuid NOT NULL REFERENCES crawls ON DELETE CASCADE,
    template  text NOT NULL,
    shape     uuid NOT NULL,                           -- of the text of the last pages, without their digits
    alike     integer NOT NULL,
    PRIMARY KEY (crawl_id, template)
)
"""

PAGE_STRUCTURES = """
CREATE TABLE page_structures (
    page_id      bigint PRIMARY KEY REFERENCES pages ON DELETE CASCADE,
    crawl_id     uuid NOT NULL,
    main_text    text NOT NULL,
    markdown     text NOT NULL,
    language     text,
    metadata     jsonb NOT NULL,
    pagination   jsonb,
    analysed_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX page_structures_of_crawl ON page_structures (crawl_id, page_id)
"""

SECTIONS = """
CREATE TABLE sections (
    page_id   bigint NOT NULL REFERENCES pages ON DELETE CASCADE,
    position  integer NOT NULL,                        -- in document order, from 0
    parent    integer,                                 -- position of the parent
    crawl_id  uuid NOT NULL,
    type      text NOT NULL,
    heading   text,
    level     smallint,
    text      text NOT NULL,
    path      text NOT NULL,
    PRIMARY KEY (page_id, position)
);
CREATE INDEX sections_of_crawl ON sections (crawl_id, page_id, position)
"""

PAGE_LINKS = """
CREATE TABLE page_links (
    crawl_id   uuid NOT NULL REFERENCES crawls ON DELETE CASCADE,
    source_id  bigint NOT NULL,
    target_id  bigint NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('link', 'canonical')),
    PRIMARY KEY (crawl_id, source_id, target_id, kind)
)
"""

ROBOTS = """
CREATE TABLE robots (
    origin      text PRIMARY KEY,                      -- scheme://host:port
    status      smallint NOT NULL,                     -- 503 stands for 'nobody answered'
    body        text NOT NULL,
    failures    smallint NOT NULL DEFAULT 0,           -- 5xx or no answer, in a row
    fetched_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL
)
"""

# A host without a pause is shared: the connections of all workers together stay below the maximum.
HOST_SHARES = """
CREATE TABLE host_shares (
    host         text NOT NULL,
    slice_id     uuid NOT NULL,
    connections  integer NOT NULL,
    expires_at   timestamptz NOT NULL,
    PRIMARY KEY (host, slice_id)
);
ALTER TABLE hosts ADD COLUMN backoff interval NOT NULL DEFAULT '0 s'
"""

TABLES = (
    CRAWLS,
    CRAWL_HOSTS,
    FRONTIER,
    PAGES,
    CRAWL_OBJECTS,
    URL_TEMPLATES,
    PAGE_STRUCTURES,
    SECTIONS,
    PAGE_LINKS,
    ROBOTS,
    HOST_SHARES,
)

# Pages are mostly read whole and rarely: the fast compression. A server without lz4 keeps its own.
FAST_COMPRESSION = """
DO $$
BEGIN
    ALTER TABLE pages ALTER COLUMN text SET COMPRESSION lz4, ALTER COLUMN links SET COMPRESSION lz4,
        ALTER COLUMN headers SET COMPRESSION lz4;
    ALTER TABLE page_structures ALTER COLUMN main_text SET COMPRESSION lz4, ALTER COLUMN markdown SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$
"""


def upgrade() -> None:
    for script in TABLES:
        for statement in script.split(";\n"):
            op.execute(statement)
    op.execute(FAST_COMPRESSION)


def downgrade() -> None:
    op.execute("ALTER TABLE hosts DROP COLUMN backoff")
    for table in ("host_shares", "robots", "page_links", "sections", "page_structures", "url_templates"):
        op.execute(f"DROP TABLE {table}")
    for table in ("crawl_objects", "pages", "frontier", "crawl_hosts", "crawls"):
        op.execute(f"DROP TABLE {table}")
