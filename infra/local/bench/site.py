"""The pages that all contenders crawl, served by a process of its own."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.child import ROOT, Child

START_SECONDS = 20.0
STOP_SECONDS = 5.0


@contextmanager
def static_site(pages: int, *, script_made: bool = False) -> Iterator[str]:
    """The URL of the front page of a site of `pages` like pages on loopback. Raises RuntimeError if it does not start.

    With `script_made`, content and links of a page are made by a script in it.
    """
    command = [sys.executable, "-m", "tests.doubles.web.static_site", "--pages", str(pages)]
    command += ["--script-made"] if script_made else []
    with tempfile.TemporaryDirectory(prefix="nightjar-bench-") as folder:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        server = Child(command, log=Path(folder) / "site.log", env=environment)
        try:
            yield _url_of(server)
        finally:
            server.stop(STOP_SECONDS)


def _url_of(server: Child) -> str:
    deadline = time.monotonic() + START_SECONDS
    while not (printed := server.output()).endswith("\n"):
        if not server.is_alive or time.monotonic() > deadline:
            raise RuntimeError(f"the site of the bench did not start: {printed[-1000:]}")
        time.sleep(0.02)
    url: str = json.loads(printed.splitlines()[0])["url"]
    return url
