import stat
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.state import STATE_FILE, FolderLock, InUseError, NoStackError, StackState
from tests.integration.local.processes import ROOT

STATE = StackState(
    supervisor_pid=1,
    api_url="http://127.0.0.1:1",
    database_url="postgresql+pg8000://nightjar:secret@127.0.0.1:2/nightjar",
    redis_url="redis://127.0.0.1:3/0",
    env={"CRAWL_DELAY_SECONDS": "0"},
    pids={"api": 4, "beat": None},
)
HOLDER = """
import sys
from pathlib import Path
from infra.local.state import FolderLock
with FolderLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_running_stack_is_found_with_all_that_it_told(tmp_path: Path) -> None:
    with FolderLock(tmp_path):
        STATE.write(tmp_path)

        assert StackState.of_running_stack(tmp_path) == STATE


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    STATE.write(tmp_path)

    assert stat.S_IMODE((tmp_path / STATE_FILE).stat().st_mode) == 0o600


def test_what_a_dead_stack_left_behind_is_no_running_stack(tmp_path: Path) -> None:
    with FolderLock(tmp_path):
        STATE.write(tmp_path)

    with pytest.raises(NoStackError, match="start one with `make dev`"):
        StackState.of_running_stack(tmp_path)


def test_a_folder_without_a_stack_is_not_made_by_looking(tmp_path: Path) -> None:
    with pytest.raises(NoStackError):
        StackState.of_running_stack(tmp_path / "nowhere")

    assert not (tmp_path / "nowhere").exists()


def test_a_stack_that_is_still_starting_says_so(tmp_path: Path) -> None:
    with FolderLock(tmp_path), pytest.raises(NoStackError, match="still starting"):
        StackState.of_running_stack(tmp_path)


def test_a_folder_serves_one_stack_at_a_time_and_is_free_when_that_one_is_killed(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(InUseError, match="another stack runs on"), FolderLock(tmp_path):
            pass
        holder.kill()
        holder.wait(10)

    with FolderLock(tmp_path) as lock:
        assert lock.is_held()
