"""Bring the database to the newest schema: `python -m nightjar.database.migrate` reads DATABASE_URL."""

import os
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config

SCRIPTS = Path(__file__).parent / "migrations"


def migrate(url: str) -> None:
    """Upgrade the database at `url` to head. Safe to run at any time and from several places at once."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(config, "head")


def main() -> int:
    """Exit 0 after an upgrade, 2 if DATABASE_URL is missing."""
    url = os.environ.get("DATABASE_URL")
    if not url:
        sys.stderr.write("DATABASE_URL is not set: say which database to migrate (postgresql+pg8000://...)\n")
        return 2
    migrate(url)
    return 0


if __name__ == "__main__":
    sys.exit(main())
