"""`make demo`, in short: it ends by itself, tells the truth, says what is wrong, and leaves nothing running."""

import csv
import io
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import expect, sync_playwright
from plotly.offline import get_plotlyjs
from rich.console import Console

from crawl_worker.engine.chromium import find_chromium
from infra.local.demo import play, store_crawl
from infra.local.demo.__main__ import INTERRUPTED, SEED, run
from infra.local.demo.printing import PLAIN_WIDTH, Narrator
from tests.integration.local.processes import ROOT, all_gone, eventually

END_SECONDS = 120
SANDBOX = ["--no-sandbox"]  # containers and root have none; the page is our own
FIRST_NIGHT = "  night  1/"


class Demo:
    """The command as make starts it, in a process group of its own as in a terminal."""

    def __init__(self, console: Path, *arguments: str, **environment: str) -> None:
        self._console = console
        with console.open("w") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "infra.local.demo", *arguments],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'worker_container'}", **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def console(self) -> str:
        return self._console.read_text(encoding="utf-8")

    def plays(self) -> bool:
        """Whether the first night is over in time."""
        return eventually(lambda: FIRST_NIGHT in self.console, seconds=END_SECONDS)

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self._process.pid).children(recursive=True)

    def press_ctrl_c(self) -> None:
        os.killpg(self._process.pid, signal.SIGINT)

    def wait(self) -> int:
        return self._process.wait(END_SECONDS)

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@contextmanager
def demo(folder: Path, *arguments: str, **environment: str) -> Iterator[Demo]:
    started = Demo(folder / "console", "--out", str(folder / "out"), *arguments, **environment)
    try:
        yield started
    finally:
        started.kill()


def data_folders(family: list[psutil.Process]) -> set[Path]:
    """The temporary folders that the processes name in their command lines."""
    words = [word for process in family for word in process.cmdline()]
    return {Path(*Path(word).parts[:3]) for word in words if word.startswith("/tmp/nightjar-")}


def opens_without_a_network(page: Path, *, charts: int, days: int) -> None:
    """The page draws all its charts, complains of nothing, and fits on a phone."""
    complaints: list[str] = []
    with sync_playwright() as driver, driver.chromium.launch(executable_path=find_chromium(), args=SANDBOX) as browser:
        phone = browser.new_context(offline=True, viewport={"width": 390, "height": 800}).new_page()
        phone.on("console", lambda message: complaints.append(message.text))
        phone.on("pageerror", lambda error: complaints.append(str(error)))
        phone.goto(page.as_uri())
        expect(phone.locator(".js-plotly-plot:has(.main-svg)")).to_have_count(charts)
        assert phone.locator(".scatterlayer .point").count() == days
        assert phone.evaluate("document.documentElement.scrollWidth") == 390
    assert complaints == []


def test_three_nights_end_with_every_day_right_a_page_and_the_history(tmp_path: Path) -> None:
    elsewhere = {"DATABASE_URL": "postgresql+pg8000://nobody@127.0.0.1:1/nothing", "NAVER_BLOG_SOURCE": "off"}
    with demo(tmp_path, "--nights", "3", **elsewhere) as running:
        assert running.plays(), running.console
        family = running.family()
        assert running.wait() == 0, running.console
    said, out = running.console, tmp_path / "out"

    assert re.search(r"✓ 120 days compared with what the site really showed: all right", said)
    assert re.search(r"✓ 4 stores of an owner read as the site shows them, with one login; .* cancelled within", said)
    told = re.findall(r"(?m)^ +(\d+) % +(\w+)", said)
    ends = [step for step in told if step[1] in {"login_submit", "completed", "cancelled"}]
    assert ends == [("40", "login_submit"), ("100", "completed"), ("60", "cancelled")]
    assert len(re.findall(r"(?m)^ +1000\d{4} ", said)) == 4
    assert len(re.findall(r"(?m)^ +\d+ +(place|blog|cafe)", said)) == 30
    assert re.search(r"[1-9]\d* failed", said)
    assert all_gone(process.pid for process in family)

    page = (out / "index.html").read_text(encoding="utf-8")
    assert page.count(get_plotlyjs()) == 1
    opens_without_a_network(out / "index.html", charts=31, days=120)

    written = (out / "history.csv").read_text(encoding="utf-8")
    assert written.count("\ufeff") == 1
    rows = list(csv.DictReader(io.StringIO(written.removeprefix("\ufeff"))))
    assert set(Counter(row["tracking_id"] for row in rows).values()) == {4}
    assert {row["outcome"] for row in rows} >= {"exposed", "unknown"}
    assert len(rows) == 120


def test_a_history_and_stores_that_are_not_what_was_shown_end_with_1_and_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(play.DEPTHS, "cafe", 3)  # as if ranks of a cafe list that lie deeper than 3 were wrong
    monkeypatch.setattr(store_crawl, "SHOWN_AS", {**store_crawl.SHOWN_AS, "phone": "store_name"})
    said = io.StringIO()
    narrator = Narrator(Console(file=said, width=PLAIN_WIDTH))

    assert run(narrator, nights=1, seed=SEED, out=tmp_path, keep=False) == 1

    assert re.search(r"✗ \d+ differences between the history and what was shown:", said.getvalue())
    line = r"tracking \d+ \(cafe, .*\), \S+: stored exposed \d+ on a .* night, shown was not exposed among 3 rows"
    assert re.search(line, said.getvalue())
    assert not re.search(r"tracking \d+ \((place|blog)", said.getvalue())
    assert "✗ 4 things are wrong with the crawls of an owner's stores" in said.getvalue()
    assert re.search(r"store 1000\d{4}: phone is \S+, shown is '", said.getvalue())
    assert "differences between the history" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_ctrl_c_ends_it_in_good_order(tmp_path: Path) -> None:
    with demo(tmp_path, "--nights", "30") as running:
        assert running.plays(), running.console
        family = running.family()
        folders = data_folders(family)
        assert folders
        running.press_ctrl_c()

        assert running.wait() == INTERRUPTED, running.console

    assert running.console.endswith("demo: stopped; nothing is left running\n")
    assert "Traceback" not in running.console
    assert all_gone(process.pid for process in family)
    assert not any(folder.exists() for folder in folders)


def test_a_part_that_fails_on_the_way_ends_it_with_a_message(tmp_path: Path) -> None:
    with demo(tmp_path, "--nights", "30") as running:
        assert running.plays(), running.console
        family = running.family()
        (replica,) = [process for process in family if "tests.doubles.naver" in process.cmdline()]
        replica.kill()

        assert running.wait() == 1, running.console

    assert "demo: the replica of Naver does not play along" in running.console.splitlines()[-1]
    assert "Traceback" not in running.console
    assert all_gone(process.pid for process in family)


def test_a_part_that_does_not_start_ends_it_with_a_message(tmp_path: Path) -> None:
    with demo(tmp_path, REDIS_SERVER="no-such-redis") as running:
        assert running.wait() == 1

    assert running.console == "demo: REDIS_SERVER=no-such-redis is no program; correct it or unset it\n"


@pytest.mark.parametrize("nights", ["0", "366", "many"])
def test_a_number_of_nights_that_cannot_be_played_is_refused(nights: str, tmp_path: Path) -> None:
    with demo(tmp_path, "--nights", nights) as running:
        assert running.wait() == 2

    assert "--nights" in running.console
