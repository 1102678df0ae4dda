"""The README's commands were run, and its links lead somewhere."""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from infra.local.stack import API, JANITOR, WORKERS, Stack
from tests.acceptance.night import FAST
from tests.doubles.baemin.replica import Replica as OwnerSite
from tests.doubles.naver.replica import Replica
from tests.doubles.web.replica import WebReplica

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))


def test_every_command_works_in_order_as_it_stands() -> None:
    commands = re.findall(r"```bash\n(.*?)```", README, flags=re.DOTALL)
    assert sum("curl" in command for command in commands) >= 8
    with Replica() as replica, OwnerSite() as owner_site, WebReplica() as web:
        sites = {**replica.settings, **owner_site.settings, "CRAWL_ALLOWED_ORIGINS": ",".join(web.origins)}
        with Stack({**FAST, **sites}, processes={API, WORKERS, JANITOR}, workers=1) as stack:
            owner = owner_site.control.account("ok-1")
            given = {"API": stack.api_url, "KEY": stack.api_key}
            given |= {"LOGIN": owner["login_id"], "PASSWORD": owner["password"], "SITE": web.url("shop", "")}
            said = in_one_shell(commands, os.environ | given)
            assert '"step":"completed"' in said
            assert owner["stores"][0]["store_name"] in said
            for told in ('"pages":[{', '"strategy":"representative"', '"reason":"log_out"', '"markdown":"'):
                assert told in said, told
            assert owner_site.control.counters("ok-1")["login_posts"] == 1


def in_one_shell(commands: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run all commands as a reader pastes them, until one fails; what they said."""
    script = "set -euo pipefail\n" + "".join(f"echo; echo '--- block {n}'\n{text}" for n, text in enumerate(commands))
    done = subprocess.run(
        ["bash", "-c", script], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\nof\n{script}"
    return done.stdout


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z-]+)", README))))
def test_every_make_target_that_is_named_exists(target: str) -> None:
    assert target in TARGETS


PATHS = re.findall(r"`((?:functions|nightjar|worker_container|infra|tests)/[\w./-]*)`", README)


@pytest.mark.parametrize("path", sorted(set(PATHS)))
def test_every_path_that_is_named_exists(path: str) -> None:
    assert (ROOT / path).exists()
