from collections.abc import Callable
from pathlib import Path

import pytest

from crawl_worker.engine import chromium
from crawl_worker.engine.chromium import find_chromium

Install = Callable[[str], Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs programs into an otherwise empty machine."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CHROMIUM_PATH", raising=False)
    monkeypatch.delenv("PLAYWRIGHT_BROWSERS_PATH", raising=False)
    monkeypatch.setattr(
        chromium, "_HEADLESS_SHELL_PATHS", (str(tmp_path / "usr/lib/chromium/chromium-headless-shell"),)
    )
    monkeypatch.setattr(chromium, "_FULL_PATHS", ())

    def install(path: str) -> Path:
        program = tmp_path / path
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        return program

    return install


PLAYWRIGHT = ".cache/ms-playwright"


def test_a_machine_without_a_browser_has_none(install: Install) -> None:
    install("bin/firefox")

    assert find_chromium() is None


def test_the_headless_shell_is_preferred_to_a_full_browser(install: Install) -> None:
    install("bin/chromium")
    install("bin/google-chrome")
    shell = install("bin/chromium-headless-shell")

    assert find_chromium() == shell


def test_the_program_is_preferred_to_the_script_that_starts_it(install: Install) -> None:
    install("bin/chromium-headless-shell")
    program = install("usr/lib/chromium/chromium-headless-shell")

    assert find_chromium() == program


def test_the_shell_that_playwright_downloaded_is_preferred_to_a_full_browser(install: Install) -> None:
    install("bin/chromium")
    install(f"{PLAYWRIGHT}/chromium_headless_shell-999/chrome-linux/headless_shell")
    newest = install(f"{PLAYWRIGHT}/chromium_headless_shell-1200/chrome-headless-shell-linux64/chrome-headless-shell")

    assert find_chromium() == newest


def test_playwrights_own_folder_may_be_elsewhere(
    install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell = install("browsers/chromium_headless_shell-1/chrome-linux/headless_shell")
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "browsers"))

    assert find_chromium() == shell


@pytest.mark.parametrize("command", ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])
def test_a_full_browser_serves_where_there_is_no_shell(install: Install, command: str) -> None:
    browser = install(f"bin/{command}")

    assert find_chromium() == browser


def test_the_chosen_one_wins(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("bin/chromium-headless-shell")
    chosen = install("opt/my-chromium")

    assert find_chromium(str(chosen)) == chosen
    monkeypatch.setenv("CHROMIUM_PATH", str(chosen))
    assert find_chromium() == chosen


def test_a_choice_that_is_no_program_is_not_replaced_by_another(install: Install, tmp_path: Path) -> None:
    install("bin/chromium")
    text = tmp_path / "notes.txt"
    text.write_text("not a program")

    assert find_chromium(str(text)) is None
    assert find_chromium(str(tmp_path / "missing")) is None
