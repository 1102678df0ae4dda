from alembic import context
from sqlalchemy import create_engine, pool, text

MIGRATION_LOCK = 7_302_011
"""Advisory lock: two deployments at once migrate one after the other."""


def run() -> None:
    """Bring the database of the configured URL to the newest version, in one transaction."""
    url = context.config.get_main_option("sqlalchemy.url") or ""
    engine = create_engine(url, poolclass=pool.NullPool, connect_args={"timeout": 60})
    with engine.connect() as connection:
        context.configure(connection=connection, transactional_ddl=True)
        with context.begin_transaction():
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            context.run_migrations()


run()
