"""The lock files: one a deployable, each with hashes, all made from pyproject.toml.

    python -m infra.local.locks write [--upgrade]    what `make lock` does
    python -m infra.local.locks check                what `make check` does

The tests' lock is made first and constrains the others, so what was tested is what ships. The first line of a lock is
a fingerprint of what it was made from; a check compares it with pyproject.toml and needs neither network nor newer
versions. Only the standard library is used: the set-up reads the locks before anything is installed.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.local.uv import with_uv_on_path

ROOT = Path(__file__).resolve().parents[2]
PYTHON_FLOOR = "3.11"
_MARK = "# made by `make lock` from "
_COMPILE_TIMEOUT_SECONDS = 300


class LockError(Exception):
    """A lock could not be made, or does not fit pyproject.toml; the message is one line for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """One lock file and the lists of pyproject.toml that it is made from."""

    path: str
    with_project: bool = True
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    follows: str | None = None
    "The lock whose versions this one must share."


_EVERY_EXTRA = ("api", "nightly-fanout", "janitor", "live-updates", "worker", "api-server", "graph-push")
TESTS = Lock(path="tests/requirements.txt", extras=_EVERY_EXTRA, groups=("dev",))
SAM = Lock(path="infra/local/sam-requirements.txt", with_project=False, groups=("sam",))
PEERS = Lock(path="infra/local/bench-peers-requirements.txt", with_project=False, groups=("peers",), follows=TESTS.path)
LOCKS = (
    TESTS,
    Lock(path="functions/api/requirements.txt", extras=("api",), follows=TESTS.path),
    Lock(path="functions/nightly_fanout/requirements.txt", extras=("nightly-fanout",), follows=TESTS.path),
    Lock(path="functions/janitor/requirements.txt", extras=("janitor",), follows=TESTS.path),
    Lock(path="functions/live_updates/requirements.txt", extras=("live-updates",), follows=TESTS.path),
    # One image has the targets worker and api.
    Lock(path="worker_container/requirements.txt", extras=("worker", "api", "api-server"), follows=TESTS.path),
    SAM,
    PEERS,
)


def write_locks(root: Path = ROOT, *, upgrade: bool = False) -> None:
    """Make every lock anew; versions that still fit are kept unless `upgrade`. Raises LockError."""
    pyproject = _read_pyproject(root)
    for lock in LOCKS:
        print(f"locking {lock.path}", flush=True)
        _compile(lock, root, upgrade=upgrade)
        target = root / lock.path
        pins = target.read_text(encoding="utf-8")
        body = "".join(line for line in pins.splitlines(keepends=True) if not line.startswith(_MARK))
        target.write_text(f"{_MARK}{fingerprint(lock, pyproject)}\n{body}", encoding="utf-8")


def check_locks(root: Path = ROOT) -> None:
    """Raise LockError that names every lock which was not made from the pyproject.toml of today."""
    pyproject = _read_pyproject(root)
    stale = [lock.path for lock in LOCKS if _mark_of(root / lock.path) != fingerprint(lock, pyproject)]
    if stale:
        raise LockError(f"out of date with pyproject.toml: {', '.join(stale)}; run `make lock` and commit the result")


def fingerprint(lock: Lock, pyproject: Mapping[str, object]) -> str:
    """sha256 of everything in pyproject.toml that the lock is made from, and of how it is made."""
    project = _table(pyproject, "project")
    extras = _table(project, "optional-dependencies")
    groups = _table(pyproject, "dependency-groups")
    made_from = {
        "dependencies": project.get("dependencies") if lock.with_project else None,
        "extras": {name: extras.get(name) for name in lock.extras},
        "groups": {name: groups.get(name) for name in lock.groups},
        "follows": lock.follows,
        "python": PYTHON_FLOOR,
    }
    text = json.dumps(made_from, sort_keys=True)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _compile(lock: Lock, root: Path, *, upgrade: bool) -> None:
    command = ["uv", "pip", "compile", "--quiet", "--generate-hashes", "--universal", "--python-version", PYTHON_FLOOR]
    command += ["--no-header", "--no-emit-index-url", "--output-file", lock.path]
    command += ["pyproject.toml"] if lock.with_project else []
    command += [f"--extra={name}" for name in lock.extras] + [f"--group={name}" for name in lock.groups]
    command += [f"--constraints={lock.follows}"] if lock.follows else []
    command += ["--upgrade"] if upgrade else []
    environment = with_uv_on_path(dict(os.environ))
    try:
        subprocess.run(command, cwd=root, env=environment, check=True, timeout=_COMPILE_TIMEOUT_SECONDS)
    except FileNotFoundError:
        raise LockError("uv is not installed; run `make setup` first") from None
    except subprocess.TimeoutExpired:
        raise LockError(f"{lock.path}: no answer from the package registry in {_COMPILE_TIMEOUT_SECONDS} s") from None
    except subprocess.CalledProcessError:
        raise LockError(f"{lock.path} could not be made; what uv said stands above") from None


def _read_pyproject(root: Path) -> dict[str, object]:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def _table(parent: Mapping[str, object], name: str) -> Mapping[str, object]:
    table = parent.get(name)
    return table if isinstance(table, dict) else {}


def _mark_of(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open(encoding="utf-8") as lock:
        first = lock.readline()
    return first.removeprefix(_MARK).strip() if first.startswith(_MARK) else None


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.locks", description="The lock files of the project.")
    parser.add_argument("verb", choices=("write", "check"))
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that pyproject.toml allows")
    asked = parser.parse_args(arguments)
    try:
        if asked.verb == "write":
            write_locks(upgrade=asked.upgrade)
        else:
            check_locks()
    except LockError as error:
        print(f"locks: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
