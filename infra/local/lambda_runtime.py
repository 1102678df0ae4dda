"""A function in the real Lambda runtime, without containers.

The runtime client that AWS ships (`awslambdaric`) runs under AWS's Runtime Interface Emulator, whose binary comes
with the SAM command line in .venv-sam. Events go in over HTTP and answers come out, with a real deadline, request id
and context, just as a function in the cloud gets them.
"""

import importlib.metadata
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from infra.local.addresses import LOOPBACK, accepts_connections, free_port
from infra.local.child import ROOT, Child

_RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")
_INVOKE_PATH = "/2015-03-31/functions/function/invocations"
_START_SECONDS = 10.0
_STOP_SECONDS = 5.0
_TAIL_CHARACTERS = 1500
_MARGIN_SECONDS = 10.0
"The emulator cuts a function off at its own limit; this much later the caller gives up."


class LambdaError(Exception):
    """The function failed. `payload` is its own error answer: errorType, errorMessage, stackTrace, requestId."""

    def __init__(self, message: str, payload: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.payload = dict(payload or {})


class LambdaRuntime:
    """One execution environment of one function.

    `handler` is module.function as in a template. `env` is all that the function sees besides what Lambda itself sets.
    `build_dir` is the unpacked zip; without it the code is taken from the working copy. `timeout_s` bounds one
    invocation as in the cloud, and `lifetime_s` the whole environment: it never outlives that, or the process that
    started it.

    The function is loaded by the first invocation, as after a cold start. Use it as a context manager.
    """

    def __init__(
        self,
        handler: str,
        env: Mapping[str, str],
        *,
        build_dir: Path | None = None,
        memory_mb: int = 512,
        timeout_s: int = 30,
        lifetime_s: int = 600,
    ) -> None:
        self.handler = handler
        self._timeout_s = timeout_s
        self._lifetime_s = lifetime_s
        self._code = ROOT if build_dir is None else build_dir.resolve()
        self._log = tempfile.TemporaryDirectory(prefix="nightjar-lambda-")
        # A zip is run without the packages of the desk (-S): what it lacks must be missed here, not in the cloud.
        self._python = (sys.executable,) if build_dir is None else (sys.executable, "-S")
        path = [self._code] if build_dir is None else [self._code, _runtime_alone(Path(self._log.name) / "runtime")]
        self._env = {
            **_lambda_environment(handler, memory_mb, timeout_s),
            **env,
            "PYTHONPATH": os.pathsep.join(map(str, path)),
        }
        self._port = 0
        self._child: Child | None = None

    def __enter__(self) -> Self:
        """Start the emulator. Raises LambdaError when it does not come up."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the emulator and the function."""
        self.stop()

    def invoke(self, event: Mapping[str, object]) -> object:
        """Hand one event to the function and return its answer (JSON, mostly an object).

        Raises LambdaError when the function raised, was cut off at its limit, or does not answer.
        """
        try:
            answer = httpx.post(
                f"http://{LOOPBACK}:{self._port}{_INVOKE_PATH}",
                json=dict(event),
                timeout=self._timeout_s + _MARGIN_SECONDS,
            )
        except httpx.HTTPError as error:
            raise LambdaError(
                f"{self.handler}: the runtime gave no answer ({error!r}); its log ends with:\n{self._tail()}"
            ) from error
        return self._judge(answer)

    @property
    def log(self) -> str:
        """What the function and the emulator have written, as it would stand in the log group."""
        return self._child.output() if self._child else ""

    @property
    def pid(self) -> int | None:
        """The process id of the emulator; the function is its child."""
        return self._child.pid if self._child else None

    def stop(self) -> None:
        """Stop the emulator and the function; the log is gone with them."""
        if self._child:
            self._child.stop(_STOP_SECONDS)
            self._child = None
        self._log.cleanup()

    def _start(self) -> None:
        self._port, runtime_port = free_port(), free_port()
        command = [
            *_time_limit(self._lifetime_s),
            str(emulator()),
            *("--runtime-interface-emulator-address", f"{LOOPBACK}:{self._port}"),
            *("--runtime-api-address", f"{LOOPBACK}:{runtime_port}"),
            *(*self._python, "-m", "awslambdaric", self.handler),
        ]
        log = Path(self._log.name) / "lambda.log"
        self._child = Child(command, log=log, env=self._env, folder=self._code, stop_signal=signal.SIGTERM)
        deadline = time.monotonic() + _START_SECONDS
        while not accepts_connections(self._port):
            if not self._child.is_alive or time.monotonic() > deadline:
                raise LambdaError(
                    f"{self.handler}: the runtime emulator did not start; its log ends with:\n{self._tail()}"
                )
            time.sleep(0.01)

    def _tail(self) -> str:
        return self.log[-_TAIL_CHARACTERS:]

    def _judge(self, answer: httpx.Response) -> object:
        """The emulator answers 200 for a function that raised; its error object tells it apart."""
        try:
            payload: object = answer.json()
        except ValueError:
            raise LambdaError(
                f"{self.handler}: {answer.text.strip()[:500]}; its log ends with:\n{self._tail()}"
            ) from None
        if isinstance(payload, dict) and {"errorType", "errorMessage"} <= payload.keys():
            raise LambdaError(f"{self.handler}: {payload['errorType']}: {payload['errorMessage']}", payload)
        if answer.status_code != httpx.codes.OK:
            raise LambdaError(f"{self.handler}: the runtime answered {answer.status_code}: {answer.text[:500]}")
        return payload


def emulator() -> Path:
    """The emulator's binary for this processor. Raises LambdaError when the set-up has not been run."""
    machine = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
    name = f"aws-lambda-rie-{machine}"
    found = next((ROOT / ".venv-sam").glob(f"lib/python*/site-packages/samcli/local/rapid/{name}"), None)
    if found is None:
        raise LambdaError(f"{name} is not in .venv-sam; run `make setup`")
    if not os.access(found, os.X_OK):
        found.chmod(0o755)  # a wheel does not always keep the mode
    return found


def _runtime_alone(folder: Path) -> Path:
    """A folder that holds the runtime client, as links, and nothing else of this environment."""
    folder.mkdir()
    for name in _RUNTIME_CLIENT:
        distribution = importlib.metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files or ()} - {os.pardir}:
            (folder / top).symlink_to(str(distribution.locate_file(top)))
    return folder


def _time_limit(seconds: int) -> tuple[str, ...]:
    return ("timeout", "--kill-after=5", str(seconds)) if shutil.which("timeout") else ()


def _lambda_environment(handler: str, memory_mb: int, timeout_s: int) -> dict[str, str]:
    """What Lambda itself sets, and no more of this machine's environment than a program needs to run."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "_HANDLER": handler,
        "AWS_REGION": "ap-northeast-2",
        "AWS_DEFAULT_REGION": "ap-northeast-2",
        "AWS_LAMBDA_FUNCTION_NAME": handler.split(".")[-3] if handler.count(".") > 1 else handler,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_s),
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
    }
