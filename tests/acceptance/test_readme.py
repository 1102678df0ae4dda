"""The README's commands were run, and its links lead somewhere."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from infra.local.stack import API, JANITOR, WORKERS, Stack
from tests.acceptance.night import FAST
from tests.doubles.naver.replica import Replica

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))


def test_every_curl_command_works_in_order_as_it_stands() -> None:
    commands = re.findall(r"```bash\n(.*?)```", README, flags=re.DOTALL)
    assert len(commands) >= 5
    with Replica() as replica:
        processes = {API, WORKERS, JANITOR}
        with Stack({**FAST, **replica.settings}, processes=processes, workers=1) as stack:
            environment = os.environ | {"API": stack.api_url, "KEY": stack.api_key}
            for command in commands:
                script = f"set -euo pipefail\n{command}"
                done = subprocess.run(
                    ["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
                )
                assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z-]+)", README))))
def test_every_make_target_that_is_named_exists(target: str) -> None:
    assert target in TARGETS


PATHS = re.findall(r"`((?:functions|nightjar|worker_container|infra|tests)/[\w./-]*)`", README)


@pytest.mark.parametrize("path", sorted(set(PATHS)))
def test_every_path_that_is_named_exists(path: str) -> None:
    assert (ROOT / path).exists()
