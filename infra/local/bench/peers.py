"""The environment of what our speed is compared with: Scrapy, Crawlee and bare loops, from a lock of their own."""

import json
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from infra.local.setup import ROOT, alone, make_environment

VENV = ROOT / ".venv-peers"
LOCK = ROOT / "infra" / "local" / "bench-peers-requirements.txt"
PYTHON = VENV / "bin" / "python"
NAMED = ("scrapy", "crawlee", "playwright", "aiohttp", "selectolax", "uvloop")
_ASK = """import json, sys
from importlib.metadata import version
print(json.dumps({name: version(name) for name in sys.argv[1:]}))
"""
_ASK_SECONDS = 60


@cache
def provide_peers() -> Path:
    """The interpreter of the peers' environment, which is made first where it is not what the lock says.

    Raises SetupError.
    """
    with alone():
        make_environment(VENV, LOCK, "Scrapy, Crawlee and the bare loops")
    return PYTHON


@cache
def peer_versions() -> Mapping[str, str]:
    """The version of each contender that the environment holds."""
    command = [str(provide_peers()), "-c", _ASK, *NAMED]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=_ASK_SECONDS, check=True)
    versions: dict[str, str] = json.loads(answer.stdout)
    return versions
