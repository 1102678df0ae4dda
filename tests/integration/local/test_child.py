import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from infra.local.child import Child
from tests.integration.local.processes import PYTHON, ROOT, all_gone, eventually, is_running

FOREVER = (*PYTHON, "import time; print('up', flush=True); time.sleep(600)")
IGNORING = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)"
STUBBORN = (*PYTHON, f"{IGNORING}; time.sleep(600)")
WITH_A_CHILD = """
import subprocess, sys, time
inner = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"])
print(inner.pid, flush=True)
time.sleep(600)
"""
PARENT_OF_ONE = (*PYTHON, WITH_A_CHILD)
# Starts one of each kind, tells the process ids and waits to be killed.
OWNER = """
import json, sys, tempfile, time
from pathlib import Path
import psutil
from infra.local.child import Child, remove_at_the_end
from infra.local.postgres import EmbeddedPostgres
from infra.local.redis import EmbeddedRedis
folder = Path(tempfile.mkdtemp(dir=sys.argv[1]))
remove_at_the_end(folder)
servers = [EmbeddedPostgres(folder / "postgres", durable=False), EmbeddedRedis(folder / "redis")]
for server in servers:
    server.start()
children = [Child(command, log=folder / "log") for command in json.loads(sys.argv[2])]
time.sleep(0.5)
pids = [process.pid for process in psutil.Process().children(recursive=True)]
print(json.dumps({"folder": str(folder), "pids": pids}), flush=True)
if sys.argv[3] == "wait":
    time.sleep(600)
"""


def started(child: Child) -> bool:
    return eventually(lambda: "\n" in child.output(), seconds=5)


def test_it_ends_in_good_order_when_asked(tmp_path: Path) -> None:
    child = Child(FOREVER, log=tmp_path / "log")
    assert started(child)

    assert child.stop(timeout=5)
    assert child.exit_code == -signal.SIGTERM


def test_one_that_ignores_the_signal_is_killed_and_that_is_told(tmp_path: Path) -> None:
    child = Child(STUBBORN, log=tmp_path / "log")
    assert started(child)

    assert not child.stop(timeout=0.3)
    assert child.exit_code == -signal.SIGKILL


def test_its_output_is_what_it_printed_and_not_what_stood_in_the_log_before(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("from an earlier run\n")

    child = Child((*PYTHON, "import sys; print('out'); print('error', file=sys.stderr)"), log=log)
    child.wait(5)

    assert sorted(child.output().split()) == ["error", "out"]


def test_a_program_that_does_not_exist_is_told_in_the_log(tmp_path: Path) -> None:
    child = Child(["/no/such/program"], log=tmp_path / "log")

    assert child.wait(5) == 1
    assert child.output() == "/no/such/program could not be started: No such file or directory\n"


def test_a_leader_that_dies_takes_its_own_children_with_it(tmp_path: Path) -> None:
    child = Child(PARENT_OF_ONE, log=tmp_path / "log")
    assert started(child)
    inner = int(child.output())

    child.send(signal.SIGTERM)
    child.wait(5)

    assert all_gone([inner], seconds=5)


def test_ctrl_c_in_the_terminal_does_not_reach_it(tmp_path: Path) -> None:
    child = Child(FOREVER, log=tmp_path / "log")
    assert started(child)

    assert os.getpgid(child.pid) == child.pid != os.getpgid(0)
    assert child.stop(timeout=5)


@pytest.mark.parametrize("end", ["sigkill", "exit"])
def test_nothing_is_left_when_the_owner_is_gone(tmp_path: Path, end: str) -> None:
    commands = json.dumps([FOREVER, STUBBORN, PARENT_OF_ONE])
    how = "wait" if end == "sigkill" else "exit"
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path), commands, how], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with owner:
        assert owner.stdout is not None
        left = json.loads(owner.stdout.readline())
        assert len(left["pids"]) > 6, left
        if end == "sigkill":
            assert all(map(is_running, left["pids"]))
            owner.kill()
        owner.wait(20)

    assert all_gone(left["pids"], seconds=15)
    assert eventually(lambda: not Path(left["folder"]).exists(), seconds=5)


def test_an_owner_that_dies_in_the_middle_of_a_start_leaves_nothing(tmp_path: Path) -> None:
    """The child registers itself, so there is no moment in which nobody knows it."""
    marker = f"nightjar-test-{time.monotonic_ns()}"
    script = f"""
import os, signal
from pathlib import Path
from infra.local.child import Child
for number in range(5):
    Child([*{PYTHON!r}, "import time; time.sleep(600)", {marker!r}], log=Path({str(tmp_path)!r}) / "log")
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=20, check=False)

    def marked() -> list[int]:
        return [p.pid for p in psutil.process_iter(["cmdline"]) if marker in (p.info["cmdline"] or [])]

    assert eventually(lambda: not marked(), seconds=10)
