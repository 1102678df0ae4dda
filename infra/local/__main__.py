"""The command line of the embedded stack: `python -m infra.local {dev,worker,beat,flower,nightly}`."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

from infra.local import programs
from infra.local.addresses import is_free
from infra.local.child import ROOT
from infra.local.console import LogFollower
from infra.local.events import nightly_event, scheduled_event
from infra.local.lambda_runtime import LambdaError, LambdaRuntime
from infra.local.process import StartError
from infra.local.settings import nightjar_settings, program_environment
from infra.local.stack import EVERYTHING, Stack
from infra.local.state import InUseError, NoStackError, StackState

_DEFAULT_FOLDER = ROOT / ".nightjar"
_DEFAULT_PORT = 8000
_FAN_OUT = "functions.nightly_fanout.app.handler"
_FAN_OUT_SECONDS = 900  # the longest that Lambda allows


def dev(asked: argparse.Namespace) -> int:
    """Keep the stack up until Ctrl-C; ends with 1 when it does not start or cannot be kept up."""
    port = int(os.environ.get("NIGHTJAR_PORT", _DEFAULT_PORT))
    if not is_free(port):
        raise StartError(f"port {port} is taken; stop what listens there, or choose another with NIGHTJAR_PORT")
    stack = Stack(data_dir=asked.data_dir, processes=EVERYTHING, port=port, say=_announce)
    with LogFollower(lambda: stack.logs), stack:
        _show(stack)
        failure = stack.wait()
    raise StartError(f"{failure}; the stack was stopped")


def worker(asked: argparse.Namespace) -> NoReturn:
    """One more worker for the running stack."""
    _become(programs.worker(f"worker-{os.getpid()}"), asked.data_dir)


def beat(asked: argparse.Namespace) -> NoReturn:
    """Beat alone, for the running stack."""
    _become(programs.beat(asked.data_dir / "beat-alone"), asked.data_dir)


def flower(asked: argparse.Namespace) -> NoReturn:
    """The Celery monitor, for the running stack."""
    _announce(f"Flower on http://127.0.0.1:{programs.FLOWER_PORT}")
    _become(programs.flower(), asked.data_dir)


def nightly(asked: argparse.Namespace) -> int:
    """Hand one EventBridge event to the fan-out function in the Lambda runtime and print its answer."""
    settings = _settings_of_running_stack(asked.data_dir)
    event = _nightly_event(asked.date, settings)
    with LambdaRuntime(_FAN_OUT, settings, timeout_s=_FAN_OUT_SECONDS, lifetime_s=_FAN_OUT_SECONDS + 60) as runtime:
        answer = runtime.invoke(event)
    print(json.dumps(answer, indent=2, ensure_ascii=False))
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    asked = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = asked.command
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        return command(asked)
    except KeyboardInterrupt:
        _announce("stopped")
        return 0
    except (StartError, InUseError, NoStackError, LambdaError) as error:
        print(f"nightjar: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description="Nightjar on one machine.")
    parser.add_argument(
        "--data-dir", type=_absolute, default=_DEFAULT_FOLDER, help="where everything is kept (.nightjar)"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (dev, worker, beat, flower, nightly):
        summary = (command.__doc__ or "").split(";")[0].rstrip(".")
        sub = commands.add_parser(command.__name__, help=summary, description=command.__doc__)
        sub.set_defaults(command=command)
        if command is nightly:
            sub.add_argument("--date", type=date.fromisoformat, help="the KST date of the event, YYYY-MM-DD (today)")
    return parser


def _absolute(path: str) -> Path:
    return Path(path).resolve()


def _become(command: Sequence[str], folder: Path) -> NoReturn:
    """Replace this process by a program that joins the running stack."""
    environment = program_environment(_settings_of_running_stack(folder))
    os.chdir(ROOT)
    os.execve(command[0], list(command), environment)  # noqa: S606 - a list of arguments, no shell


def _settings_of_running_stack(folder: Path) -> dict[str, str]:
    """The stack's settings; what this shell says about the worker comes before them."""
    own = {name: value for name, value in nightjar_settings(os.environ).items() if name.startswith("WORKER_")}
    return {**StackState.of_running_stack(folder).env, **own}


def _nightly_event(day: date | None, settings: dict[str, str]) -> dict[str, object]:
    if day is None:
        return scheduled_event(datetime.now(UTC))
    hour = int(settings.get("CRAWL_SCHEDULE_HOUR", "1"))
    minute = int(settings.get("CRAWL_SCHEDULE_MINUTE", "0"))
    return nightly_event(day, hour=hour, minute=minute)


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    """End as by Ctrl-C: the stack stops in good order."""
    raise KeyboardInterrupt


def _show(stack: Stack) -> None:
    _announce("the stack is up; Ctrl-C stops it")
    for what, value in (
        ("API", f"{stack.api_url}/docs"),
        ("API key", stack.api_key),
        ("Postgres", stack.database_url),
        ("Redis", stack.redis_url),
        ("logs", str(stack.data_dir / "logs")),
    ):
        print(f"    {what:<9} {value}", flush=True)


def _announce(line: str) -> None:
    print(f"nightjar: {line}", flush=True)


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        sys.exit(main())
