"""The container engine as tests use it: the docker command line, with a limit on everything."""

import json
import os
import subprocess
from collections.abc import Mapping
from typing import Any, Self
from uuid import uuid4

from infra.local.child import ROOT

COMMAND_SECONDS = 60
BUILD_SECONDS = 900
STOP_SECONDS = 30


class EngineError(Exception):
    """A docker command failed; the message is what it said."""


def docker(*arguments: str, seconds: float = COMMAND_SECONDS) -> str:
    """What a docker command prints. Raises EngineError, also when docker is missing or does not answer in time."""
    command = ["docker", *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "DOCKER_BUILDKIT": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"{' '.join(command[:3])}: {error}") from error
    if done.returncode != 0:
        raise EngineError(
            f"{' '.join(command[:3])} ended with {done.returncode}: {(done.stdout + done.stderr)[-3000:]}"
        )
    return done.stdout


def answers() -> bool:
    """Whether an engine is there."""
    try:
        docker("info", "--format", "{{.ServerVersion}}", seconds=20)
    except EngineError:
        return False
    return True


def build(target: str, tag: str) -> None:
    """Build a target of the project's Dockerfile from the repository's root."""
    docker(
        "build", "--file", "worker_container/Dockerfile", "--target", target, "--tag", tag, ".", seconds=BUILD_SECONDS
    )


ON_HOST = ("--network", "host")
"""Where the tests' servers listen."""

HARDENED = ("--read-only", "--tmpfs", "/tmp:rw,mode=1777", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
"""How the images are meant to run: nothing in them may change but the temporary folder."""


def run(image: str, *command: str, environment: Mapping[str, str] | None = None) -> str:
    """What a program of an image prints, in a container that is gone afterwards."""
    variables = [f"--env={name}={value}" for name, value in (environment or {}).items()]
    return docker("run", "--rm", *ON_HOST, *HARDENED, *variables, image, *command)


class Container:
    """A running container. It goes with its block."""

    def __init__(
        self,
        image: str,
        *command: str,
        environment: Mapping[str, str],
        options: tuple[str, ...] = (*ON_HOST, *HARDENED),
    ) -> None:
        self._image = image
        self._command = command
        self._options = (*options, *(f"--env={name}={value}" for name, value in environment.items()))
        self.name = f"nightjar-test-{uuid4().hex[:12]}"

    def __enter__(self) -> Self:
        docker("run", "--detach", "--name", self.name, *self._options, self._image, *self._command)
        return self

    def __exit__(self, *_: object) -> None:
        docker("rm", "--force", self.name)

    @property
    def state(self) -> dict[str, Any]:
        """Running, ExitCode, Health and so on."""
        state = json.loads(docker("inspect", "--format", "{{json .State}}", self.name))
        assert isinstance(state, dict)
        return state

    @property
    def log(self) -> str:
        """All that it has printed."""
        done = subprocess.run(
            ["docker", "logs", self.name], capture_output=True, text=True, timeout=COMMAND_SECONDS, check=True
        )
        return done.stdout + done.stderr

    def execute(self, *command: str) -> str:
        """What a second program in the container prints."""
        return docker("exec", self.name, *command)

    def stop(self) -> int:
        """SIGTERM, and SIGKILL after a while; the exit code."""
        docker("stop", "--time", str(STOP_SECONDS), self.name, seconds=STOP_SECONDS + COMMAND_SECONDS)
        return int(self.state["ExitCode"])
