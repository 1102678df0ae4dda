"""Set-up of a working copy: `python3 -m infra.local.setup`, what `make setup` does.

On a machine with nothing but python3 (3.11 or newer, with venv and pip), make and git it makes
    .venv       the project, editable, with all that it, its tests and its tools need, from tests/requirements.txt
    .venv-sam   the SAM command line, whose own pins would fight with ours
and finds or installs a Chromium. Every package is checked against the hashes of the locks. A stamp in each environment
says what it was made from, so a second run does nothing. Only the standard library is used, and above the version check
nothing that Python 3.6 cannot read, so that an old interpreter can say that it is too old.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the one place that runs on whatever python3 is
    sys.exit(
        f"setup: Python 3.11 or newer is needed, this is {sys.version.split()[0]}; try `make setup PYTHON=python3.11`"
    )

import ctypes.util
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from infra.local.uv import uv_environment

ROOT = Path(__file__).resolve().parents[2]
TESTS_LOCK = ROOT / "tests" / "requirements.txt"
SAM_LOCK = ROOT / "infra" / "local" / "sam-requirements.txt"
VENV = ROOT / ".venv"
SAM_VENV = ROOT / ".venv-sam"
_STAMP = "made-from"
_STEP_TIMEOUT_SECONDS = 900
_TAIL_LINES = 15


class SetupError(Exception):
    """A step failed; the message is one line that says what to do."""


def main() -> int:
    """Bring the working copy to what the locks say; returns the exit code."""
    try:
        with alone():
            _make_project_environment()
            make_environment(SAM_VENV, SAM_LOCK, "the SAM command line")
            _provide_chromium()
            _provide_openmp()
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def alone() -> Iterator[None]:
    """One set-up at a time in a working copy: a second one waits for the first, then finds the work done."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _make_project_environment() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    installed = {name: pyproject.get(name) for name in ("build-system", "project")}
    made_from = _digest(TESTS_LOCK.read_bytes(), json.dumps(installed).encode(), sys.version.encode())
    if _is_made(VENV, made_from):
        return
    _say("installing the project and its tools into .venv")
    _need_uv()
    _uv("pip", "sync", "--require-hashes", "--compile-bytecode", _relative(TESTS_LOCK), into=VENV)
    _uv("pip", "install", "--no-deps", "--no-build-isolation", "--editable", ".", into=VENV)
    _stamp(VENV, made_from)


def make_environment(venv: Path, lock: Path, what: str) -> None:
    """Bring an environment beside .venv, for tools whose pins would fight with ours, to what its lock says.

    Raises SetupError.
    """
    made_from = _digest(lock.read_bytes(), sys.version.encode())
    if _is_made(venv, made_from):
        return
    _say(f"installing {what} into {venv.name}")
    if not _runs(venv):
        _uv("venv", "--allow-existing", "--no-project", venv.name, into=VENV)
    _uv("pip", "sync", "--require-hashes", "--compile-bytecode", _relative(lock), into=venv)
    _stamp(venv, made_from)


def _need_uv() -> None:
    """Put uv into .venv, of exactly the version and hashes of the lock, by pip."""
    if not _runs(VENV):
        shutil.rmtree(VENV, ignore_errors=True)
        advice = "python3 cannot make a virtual environment (on Debian and Ubuntu: apt-get install python3-venv)"
        _run([sys.executable, "-m", "venv", str(VENV)], advice)
    pin = VENV / "uv-requirements.txt"
    pin.write_text(_entry_of("uv", TESTS_LOCK.read_text(encoding="utf-8")), encoding="utf-8")
    pip = [str(_python(VENV)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    _run(
        [*pip, "--require-hashes", "-r", str(pin)], "uv could not be installed by pip: is the package index reachable?"
    )


def _entry_of(package: str, lock: str) -> str:
    """The lines of a lock that pin one package: the requirement and its hashes."""
    lines = lock.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith(f"{package}==")]
    if not starts:
        raise SetupError(f"{_relative(TESTS_LOCK)} does not pin {package}; run `make lock`")
    entry = []
    for line in lines[starts[0] :]:
        entry.append(line)
        if not line.rstrip().endswith("\\"):
            break
    return "\n".join(entry) + "\n"


def _uv(*arguments: str, into: Path) -> None:
    environment = {**uv_environment(), "VIRTUAL_ENV": str(into)}
    if arguments[0] == "pip":
        arguments = (*arguments, "--python", str(_python(into)))
    command = [str(VENV / "bin" / "uv"), "--quiet", *arguments]
    _run(command, f"{into.name} could not be made; what uv said stands above", environment)


def _provide_chromium() -> None:
    if _find_chromium():
        return
    if os.environ.get("CHROMIUM_PATH"):
        raise SetupError(f"CHROMIUM_PATH={os.environ['CHROMIUM_PATH']} is no program; correct it or unset it")
    if shutil.which("apt-get") and os.geteuid() == 0:
        _install_as_root()
    else:
        _download_with_playwright()
    if not _find_chromium():
        raise SetupError("Chromium was installed but is not found; set CHROMIUM_PATH to it")


def _provide_openmp() -> None:
    """The graph database that reads our Cypher in a test needs it; slim images of Debian come without."""
    if ctypes.util.find_library("gomp") or not shutil.which("apt-get") or os.geteuid() != 0:
        return
    _say("no OpenMP found: installing the package libgomp1")
    _install_package("libgomp1")


def _install_package(name: str) -> None:
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    _run(["apt-get", "update", "-qq"], "apt-get update failed: is the package mirror reachable?", quiet)
    advice = f"{name} could not be installed; what apt-get said stands above"
    _run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", name], advice, quiet)


def _install_as_root() -> None:
    """The Debian package; where there is none, Playwright's download with the libraries that it needs."""
    _say("no Chromium found: installing the package chromium-headless-shell")
    try:
        _install_package("chromium-headless-shell")
    except SetupError:
        _say("the package could not be installed (why stands above)")
        _download_with_playwright("--with-deps")


def _download_with_playwright(*options: str) -> None:
    _say("no Chromium found: downloading the headless shell with Playwright")
    playwright = [str(_python(VENV)), "-m", "playwright", "install", "--only-shell", *options, "chromium"]
    _run(playwright, "Chromium could not be downloaded; install one yourself and set CHROMIUM_PATH to it")


def _find_chromium() -> Path | None:
    sys.path.insert(0, str(ROOT / "worker_container"))
    from crawl_worker.engine.chromium import find_chromium  # noqa: PLC0415 - on the path only from here on

    return find_chromium()


def _run(command: Sequence[str], advice: str, environment: Mapping[str, str] | None = None) -> None:
    """Run one step; the end of what it prints is shown only when it fails."""
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_STEP_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SetupError(f"`{' '.join(command[:3])} ...` gave up after {_STEP_TIMEOUT_SECONDS} s: {advice}") from None
    if done.returncode != 0:
        printed = done.stdout.decode(errors="replace").splitlines(keepends=True)
        sys.stderr.writelines(printed[-_TAIL_LINES:])
        raise SetupError(advice)


def _digest(*parts: bytes) -> str:
    # The folder is part of it: a virtual environment does not survive being moved.
    return hashlib.sha256(b"\0".join((str(ROOT).encode(), *parts))).hexdigest()


def _is_made(venv: Path, made_from: str) -> bool:
    stamp = venv / _STAMP
    return _runs(venv) and stamp.is_file() and stamp.read_text(encoding="utf-8") == made_from


def _stamp(venv: Path, made_from: str) -> None:
    (venv / _STAMP).write_text(made_from, encoding="utf-8")


def _runs(venv: Path) -> bool:
    """False too when the interpreter that the environment was made with has gone."""
    return _python(venv).exists() and (venv / "pyvenv.cfg").is_file()


def _python(venv: Path) -> Path:
    return venv / "bin" / "python"


def _relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _say(text: str) -> None:
    print(f"setup: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
