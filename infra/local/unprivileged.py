"""How a program that refuses to run as root is run by root.

PostgreSQL refuses. In a user namespace that maps root to another id it runs, and every file stays root's: nothing is
changed on disk. Where user namespaces are not to be had (some containers), the program runs as the user `nobody`, and
its folder is handed to that user.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

NOBODY = 65534
_MAPPED_ID = 1000
_PROBE_TIMEOUT_SECONDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What to put before a command, and the user to become before it (None: stay)."""

    prefix: tuple[str, ...] = ()
    user: int | None = None


def unprivileged_identity() -> Identity:
    """How to run a program that refuses root, on this machine and as this user."""
    if os.geteuid() != 0:
        return Identity()
    namespace = _namespace_prefix()
    return Identity(prefix=namespace) if namespace else Identity(user=NOBODY)


def hand_over(folder: Path, identity: Identity) -> None:
    """Give the folder and all in it to the identity's user. Raises PermissionError if that user cannot reach it."""
    if identity.user is None:
        return
    closed = [parent for parent in folder.resolve().parents if not parent.stat().st_mode & 0o001]
    if closed:
        raise PermissionError(
            "no user namespaces are allowed here, so PostgreSQL runs as the user `nobody`, "
            f"who cannot enter {closed[-1]}; choose a data folder that everybody can reach (--data-dir), "
            "or work as a user other than root"
        )
    print(f"user namespaces are not allowed here: PostgreSQL runs as `nobody`, who now owns {folder}", file=sys.stderr)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, identity.user, identity.user, follow_symlinks=False)


@cache
def _namespace_prefix() -> tuple[str, ...]:
    prefix = ("unshare", "--user", f"--map-user={_MAPPED_ID}", f"--map-group={_MAPPED_ID}")
    if shutil.which("unshare") is None:
        return ()
    try:
        probe = subprocess.run([*prefix, "true"], capture_output=True, timeout=_PROBE_TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return ()
    return prefix if probe.returncode == 0 else ()
