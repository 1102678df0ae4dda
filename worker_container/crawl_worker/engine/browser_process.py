"""One running Chromium with its driver: they start and end together, by force where they do not end by themselves."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Self

import psutil
from playwright.async_api import Browser as Chromium
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Playwright, async_playwright

from crawl_worker.engine.chromium import find_chromium
from crawl_worker.engine.settings import EngineSettings
from nightjar.errors import ErrorCode, RetryLater

LAUNCH_TIMEOUT_SECONDS = 30

CLEARING_LOOK_SECONDS = 0.01

NO_WAY_OUT = "http://127.0.0.1:9"
"""The proxy of whatever is not part of a visit: the discard port, where nothing listens."""

# What Chromium is given of the environment: enough to find its fonts and its folders, no credentials, no addresses.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DISPLAY")
_ENVIRONMENT_PREFIXES = ("XDG_", "FONTCONFIG_")

NETWORK_SWITCHES = (
    "--proxy-bypass-list=<-loopback>",  # loopback and link-local go through the proxy too, which refuses them
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no name is looked up but by the proxy
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
)
NO_IMAGES = ("--blink-settings=imagesEnabled=false", "--disable-remote-fonts")


class RunningChromium:
    """Chromium, its driver, and what recycling asks about them."""

    def __init__(self, driver: Playwright, chromium: Chromium, root: psutil.Process) -> None:
        self.chromium = chromium
        self.started_at = asyncio.get_running_loop().time()
        self.pages = 0
        self.memory_seen = 0
        self.memory_looked_at = float("-inf")
        self._driver = driver
        self._driver_process = _child_above(root)
        self._root = root
        self._profile = _profile_folder(root)
        self._killed = False

    @classmethod
    async def launch(cls, settings: EngineSettings) -> Self:
        """Start both. Raises RetryLater with what to do where that fails."""
        program = chosen_program(settings)
        driver: Playwright | None = None
        try:
            driver = await async_playwright().start()
            chromium = await _launch(driver, program, settings)
            return cls(driver, chromium, psutil.Process(await _pid(chromium)))
        except (PlaywrightError, psutil.Error) as error:
            if driver is not None:
                await within(settings.close_grace, driver.stop())
            raise does_not_start(program, error) from error

    @property
    def is_alive(self) -> bool:
        """Whether it runs and its driver talks to it."""
        return not self._killed and self.chromium.is_connected() and self._root.is_running()

    @property
    def age(self) -> timedelta:
        """Since the launch."""
        return timedelta(seconds=asyncio.get_running_loop().time() - self.started_at)

    def memory(self) -> int:
        """Bytes of RSS over the process tree, blocking for some milliseconds. Shared pages count in each process."""
        return tree_memory(self._root)

    def kill(self) -> None:
        """End the process tree now."""
        self._killed = True
        for process in tree_of(self._root):
            with suppress(psutil.Error):
                process.kill()

    async def close(self, grace: timedelta) -> None:
        """End Chromium and its driver, each by force after `grace`, and clear their folders away."""
        if not await within(grace, self.chromium.close()):
            self.kill()
        await within(grace, self._cleared_away())
        if not await within(grace, self._driver.stop()):
            with suppress(psutil.Error):
                self._driver_process.kill()
        if self._profile is not None:
            await asyncio.to_thread(shutil.rmtree, self._profile, ignore_errors=True)

    async def _cleared_away(self) -> None:
        """Wait for the driver to remove the folders that it made: when it is stopped before, they stay."""
        while self._profile is not None and self._profile.exists() and self._driver_process.is_running():  # noqa: ASYNC110
            await asyncio.sleep(CLEARING_LOOK_SECONDS)  # nobody tells


def tree_of(root: psutil.Process) -> list[psutil.Process]:
    """A process and all below it; empty when it is gone."""
    try:
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def tree_memory(root: psutil.Process) -> int:
    """Bytes of RSS over a process tree, blocking for some milliseconds. Shared pages count in each process."""
    total = 0
    for process in tree_of(root):
        with suppress(psutil.Error):
            total += process.memory_info().rss
    return total


async def _launch(driver: Playwright, program: Path, settings: EngineSettings) -> Chromium:
    return await driver.chromium.launch(
        executable_path=program,
        headless=settings.headless,
        args=[*NETWORK_SWITCHES, *(NO_IMAGES if settings.block_media else ())],
        env=chromium_environment(os.environ),
        proxy={"server": NO_WAY_OUT},
        timeout=LAUNCH_TIMEOUT_SECONDS * 1000,
        # When it ends is decided here: a signal to the worker first lets the visit finish.
        handle_sigint=False,
        handle_sigterm=False,
        handle_sighup=False,
    )


async def within(grace: timedelta, work: Awaitable[object]) -> bool:
    """Whether something that ends a process came to its own end in time."""
    try:
        async with asyncio.timeout(grace.total_seconds()):
            await work
    except (TimeoutError, PlaywrightError):
        return False
    return True


def does_not_start(program: Path, error: Exception) -> RetryLater:
    """The error of a Chromium that could not be started, with what to do."""
    reasons = [line.strip() for line in str(error).splitlines() if line.strip()]
    return RetryLater(
        ErrorCode.INTERNAL,
        f"Chromium does not start from {program} ({reasons[-1] if reasons else type(error).__name__}): "
        "run `make setup`, or set CHROMIUM_PATH to a Chromium that starts",
    )


def chromium_environment(environment: Mapping[str, str]) -> dict[str, str | float | bool]:
    """What Chromium inherits: names that are known to be harmless and needed."""
    return {
        name: value
        for name, value in environment.items()
        if name in _ENVIRONMENT or name.startswith(_ENVIRONMENT_PREFIXES)
    }


def chosen_program(settings: EngineSettings) -> Path:
    """The Chromium to start. Raises RetryLater with what to do where there is none."""
    program = find_chromium(str(settings.chromium_path or ""))
    if program is None:
        where = (
            f"CHROMIUM_PATH={settings.chromium_path} is no program" if settings.chromium_path else "none is installed"
        )
        raise RetryLater(
            ErrorCode.INTERNAL, f"there is no Chromium ({where}): run `make setup`, or set CHROMIUM_PATH to one"
        )
    return program


async def _pid(chromium: Chromium) -> int:
    session = await chromium.new_browser_cdp_session()
    answer = await session.send("SystemInfo.getProcessInfo")
    await session.detach()
    return next(int(process["id"]) for process in answer["processInfo"] if process["type"] == "browser")


def _profile_folder(root: psutil.Process) -> Path | None:
    """The folder that the driver made for this Chromium."""
    switch = "--user-data-dir="
    try:
        folders = [argument.removeprefix(switch) for argument in root.cmdline() if argument.startswith(switch)]
    except psutil.Error:
        return None
    return Path(folders[0]) if folders else None


def _child_above(process: psutil.Process) -> psutil.Process:
    """The child of this process that `process` descends from: the driver, also where a script starts Chromium."""
    return next((above for above in process.parents() if above.ppid() == os.getpid()), process)
