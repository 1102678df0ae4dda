import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.child import Child
from infra.local.process import OneTimeJob, Program, StartError
from infra.local.supervisor import RestartPolicy, Supervisor
from tests.integration.local.processes import PYTHON, eventually

# Writes "NAME up" into the diary, then "NAME down" when it is asked to end.
DIARIST = """
import signal, sys, time
name, diary, delay = sys.argv[1], sys.argv[2], float(sys.argv[3])
def write(word):
    with open(diary, "a") as file:
        file.write(name + " " + word + "\\n")
def end(*_):
    write("down")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
time.sleep(delay)
write("up")
print("up", flush=True)
while True:
    time.sleep(60)
"""
FAST = RestartPolicy(first_delay=0.05, longest_delay=0.2, most=3, within=30)


class Bench:
    """A folder with a diary, and a supervisor whose words are kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.diary = folder / "diary"
        self.said: list[str] = []
        self.supervisor = Supervisor(say=self.said.append, policy=FAST)

    def program(self, name: str, *, delay: float = 0) -> Program:
        return self.script(name, DIARIST, name, str(self.diary), str(delay))

    def script(self, name: str, code: str, *arguments: str, start_timeout: float = 5) -> Program:
        return Program(
            name,
            [*PYTHON, code, *arguments],
            log=self.folder / f"{name}.log",
            env={},
            is_ready=_says_up,
            start_timeout=start_timeout,
            stop_timeout=1,
        )

    def entries(self) -> list[str]:
        return self.diary.read_text().splitlines()


def _says_up(child: Child) -> bool:
    return "up" in child.output()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.supervisor.stop()


def test_a_stage_waits_until_the_one_before_it_is_ready_and_all_stop_in_reverse(bench: Bench) -> None:
    for stage in (["slow"], ["middle"], ["last"]):
        bench.supervisor.bring_up([bench.program(name, delay=0.3 if name == "slow" else 0) for name in stage])
    bench.supervisor.stop()

    assert bench.entries() == ["slow up", "middle up", "last up", "last down", "middle down", "slow down"]
    assert bench.said == ["slow is ready", "middle is ready", "last is ready"]


def test_what_is_in_one_stage_starts_side_by_side(bench: Bench) -> None:
    bench.supervisor.bring_up([bench.program("slow", delay=0.5), bench.program("quick")])

    assert bench.entries() == ["quick up", "slow up"]


def test_a_process_that_is_killed_is_started_again_and_that_is_said(bench: Bench) -> None:
    program = bench.program("worker")
    bench.supervisor.bring_up([program])
    bench.supervisor.watch()
    pid = program.pid

    program.kill()

    assert eventually(lambda: "worker is ready again" in bench.said)
    assert program.pid not in {None, pid}
    assert "worker died; starting it again in 0.05 s" in bench.said


def test_a_process_that_was_stopped_on_purpose_stays_down(bench: Bench) -> None:
    stopped, killed = bench.program("stopped"), bench.program("killed")
    bench.supervisor.bring_up([stopped, killed])
    bench.supervisor.watch()

    stopped.stop()
    killed.kill()

    assert eventually(lambda: "killed is ready again" in bench.said)
    assert not stopped.is_alive
    assert bench.entries().count("stopped up") == 1


def test_a_process_that_keeps_dying_is_given_up_after_longer_and_longer_delays(bench: Bench) -> None:
    crash = "import sys, time; print('up', flush=True); time.sleep(0.2); sys.exit(3)"
    bench.supervisor.bring_up([bench.script("crashing", crash)])
    bench.supervisor.watch()

    assert bench.supervisor.ended.wait(15)
    assert bench.supervisor.failure == "crashing died 4 times in 30 s; see its log"
    assert [line for line in bench.said if "died" in line] == [
        f"crashing died; starting it again in {delay} s" for delay in ("0.05", "0.1", "0.2")
    ]


def test_a_process_that_does_not_come_back_is_tried_again(bench: Bench) -> None:
    code = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).stat(); print('up', flush=True); time.sleep(60)"
    needed = bench.folder / "needed"
    needed.touch()
    program = bench.script("needy", code, str(needed))
    bench.supervisor.bring_up([program])
    bench.supervisor.watch()

    needed.unlink()
    program.kill()
    assert eventually(lambda: any("needy ended with exit code 1" in line for line in bench.said))
    needed.touch()

    assert eventually(lambda: "needy is ready again" in bench.said)


def test_a_start_that_fails_ends_with_the_last_lines_of_the_log(bench: Bench) -> None:
    broken = bench.script("broken", "import sys; print('the reason'); sys.exit(7)")

    with pytest.raises(StartError, match=r"(?s)broken ended with exit code 7 .*ends with:\n    the reason"):
        bench.supervisor.bring_up([broken])


def test_a_process_that_never_gets_ready_is_ended(bench: Bench) -> None:
    silent = bench.script("silent", "import time; time.sleep(60)", start_timeout=0.3)

    with pytest.raises(StartError, match=r"silent was not ready after 0\.3 s; its log is .* and is empty"):
        bench.supervisor.bring_up([silent])
    assert not silent.is_alive


def test_a_process_that_does_not_stop_in_time_is_killed_and_that_is_said(bench: Bench) -> None:
    ignores = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    program = bench.script("stubborn", f"{ignores}; print('up', flush=True); time.sleep(60)")
    bench.supervisor.bring_up([program])

    bench.supervisor.stop()

    assert not program.is_alive
    assert bench.said[-1] == "stubborn did not stop in time and was killed"


def test_a_stop_does_not_wait_for_a_start_that_hangs(bench: Bench) -> None:
    hanging = bench.script("hanging", "import time; time.sleep(60)", start_timeout=60)
    failures: list[StartError] = []

    def start() -> None:
        try:
            hanging.start()
        except StartError as error:
            failures.append(error)

    starter = threading.Thread(target=start)
    starter.start()
    assert eventually(lambda: hanging.is_alive)
    hanging.stop()
    starter.join(5)

    assert not starter.is_alive()
    assert [str(failure) for failure in failures] == ["hanging was stopped while it started"]
    assert not hanging.is_alive


def test_a_restart_gives_a_new_process_under_the_same_name(bench: Bench) -> None:
    program = bench.program("worker")
    program.start()
    pid = program.pid

    program.restart()

    assert program.pid not in {None, pid}
    program.stop()


def test_a_signal_from_outside_counts_as_a_death(bench: Bench) -> None:
    program = bench.program("worker")
    program.start()

    program.kill(signal.SIGTERM)

    assert program.wait(5) == 0
    assert program.has_died
    program.stop()


def test_a_one_time_job_holds_up_the_rest_until_it_has_ended(bench: Bench) -> None:
    code = "import sys, time; time.sleep(0.3); open(sys.argv[1], 'a').write('job done\\n')"
    job = OneTimeJob("job", [*PYTHON, code, str(bench.diary)], log=bench.folder / "job.log", env={})

    bench.supervisor.bring_up([job])
    bench.supervisor.bring_up([bench.program("after")])

    assert bench.entries() == ["job done", "after up"]
    assert not job.has_died


def test_a_one_time_job_that_fails_is_a_failed_start(bench: Bench) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such table')"]
    job = OneTimeJob("job", command, log=bench.folder / "job.log", env={})

    with pytest.raises(StartError, match=r"(?s)job ended with exit code 1; .*no such table"):
        bench.supervisor.bring_up([job])
