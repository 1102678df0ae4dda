"""The Chromium of site crawls: driven over its pipe, without a driver, and drawing only when it is told to."""

import asyncio
import fcntl
import os
import shutil
import sys
import tempfile
import threading
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Self

import psutil

from crawl_worker.engine.browser_process import (
    LAUNCH_TIMEOUT_SECONDS,
    NETWORK_SWITCHES,
    NO_IMAGES,
    NO_WAY_OUT,
    chosen_program,
    chromium_environment,
    does_not_start,
    tree_memory,
    tree_of,
    within,
)
from crawl_worker.engine.cdp import Cdp, CdpError
from crawl_worker.engine.settings import EngineSettings

_SWITCHES = (
    "--headless",
    "--no-sandbox",  # containers and root have no user namespaces; the ring around it is the worker's own container
    "--remote-debugging-pipe",
    f"--proxy-server={NO_WAY_OUT}",
    "--block-new-web-contents",  # no pop-ups
    "--disable-site-isolation-trials",  # frames live in their page's process: fewer processes, one session a page
    "--disable-features=IsolateOrigins,site-per-process,BackForwardCache,Translate,OptimizationHints,MediaRouter",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-dev-shm-usage",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--hide-scrollbars",
    "--mute-audio",
    "--no-first-run",
    "--no-default-browser-check",
    "--password-store=basic",
    "--use-mock-keychain",
)

_DRAWS_WHEN_TOLD = ("--enable-begin-frame-control", "--run-all-compositor-stages-before-draw")
"""Only the headless shell can, and not on macOS. Saves half of a page's processor time: a crawl looks at no frame."""

COMMANDS_FD = 3
ANSWERS_FD = 4
"""Where Chromium expects the two pipes."""


class CrawlChromium:
    """Chromium with its connection, and what recycling asks about it."""

    def __init__(self, cdp: Cdp, root: psutil.Process, folder: Path, *, draws_when_told: bool, pictures: bool) -> None:
        self.cdp = cdp
        self.draws_when_told = draws_when_told
        self.pictures = pictures
        self.pages = 0
        self.memory_seen = 0
        self.memory_looked_at = float("-inf")
        self._started_at = asyncio.get_running_loop().time()
        self._root = root
        self._folder = folder
        self._ended = asyncio.Event()
        _tell_the_end(root.pid, self._ended)

    @classmethod
    async def launch(cls, settings: EngineSettings, *, pictures: bool) -> Self:
        """Start it; `pictures` says whether images and fonts are loaded. Raises RetryLater with what to do."""
        program = chosen_program(settings)
        told = sys.platform == "linux" and "headless" in program.name
        folder = Path(tempfile.mkdtemp(prefix="nightjar-chromium-"))
        switches = [*_SWITCHES, *NETWORK_SWITCHES, f"--user-data-dir={folder}", f"--lang={settings.locale}"]
        switches += _DRAWS_WHEN_TOLD if told else ()
        switches += NO_IMAGES if settings.block_media and not pictures else ()
        running: Self | None = None
        try:
            pid, answers, commands = _spawn(program, switches, settings)
            cdp = await Cdp.connect(answers, commands)
            running = cls(cdp, psutil.Process(pid), folder, draws_when_told=told, pictures=pictures)
            async with asyncio.timeout(LAUNCH_TIMEOUT_SECONDS):
                await cdp.send("Browser.getVersion")
        except (CdpError, OSError, TimeoutError, psutil.Error) as error:
            if running is not None:
                await running.close(settings.close_grace)
            shutil.rmtree(folder, ignore_errors=True)
            raise does_not_start(program, error) from error
        return running

    @property
    def is_alive(self) -> bool:
        """Whether it runs and its pipe is open."""
        return self.cdp.is_open and not self._ended.is_set()

    @property
    def age(self) -> timedelta:
        """Since the launch."""
        return timedelta(seconds=asyncio.get_running_loop().time() - self._started_at)

    def memory(self) -> int:
        """Bytes of RSS over the process tree, blocking for some milliseconds. Shared pages count in each process."""
        return tree_memory(self._root)

    async def kill(self) -> None:
        """End the process tree now; pages under way fail."""
        self.cdp.close()
        await asyncio.to_thread(self._kill_tree)

    def _kill_tree(self) -> None:
        for process in tree_of(self._root):
            with suppress(psutil.Error):
                process.kill()

    async def close(self, grace: timedelta) -> None:
        """End Chromium, by force after `grace`, and clear its folder away."""
        if self.is_alive:
            with suppress(CdpError):
                self.cdp.post("Browser.close")
        if not await within(grace, self._ended.wait()):
            await self.kill()
            await within(grace, self._ended.wait())
        self.cdp.close()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)


def _spawn(program: Path, switches: list[str], settings: EngineSettings) -> tuple[int, int, int]:
    """Start the program: its process, the pipe to read answers from, the pipe to write commands to.

    Without a fork of our own: the worker has threads. In a group of its own: a signal to the worker's terminal must not
    end a page under way.
    """
    command_out, command_in = _pipe()
    answer_out, answer_in = _pipe()
    environment = {name: str(value) for name, value in chromium_environment(os.environ).items()}
    try:
        pid = os.posix_spawn(
            program,
            [str(program), *switches],
            {**environment, "TZ": settings.timezone},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, command_out, COMMANDS_FD),
                (os.POSIX_SPAWN_DUP2, answer_in, ANSWERS_FD),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
            setpgroup=0,
        )
    except OSError:
        os.close(command_in)
        os.close(answer_out)
        raise
    finally:
        os.close(command_out)
        os.close(answer_in)
    return pid, answer_out, command_in


def _pipe() -> tuple[int, int]:
    """A pipe whose ends lie above the descriptors that Chromium uses."""
    read_end, write_end = os.pipe()
    ends = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, ANSWERS_FD + 1) for end in (read_end, write_end))
    os.close(read_end)
    os.close(write_end)
    return ends[0], ends[1]


def _tell_the_end(pid: int, ended: asyncio.Event) -> None:
    """Wait for the process in a thread that nobody waits for: a child process must not become a zombie."""
    loop = asyncio.get_running_loop()

    def reap() -> None:
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)
        with suppress(RuntimeError):  # the loop may have ended before Chromium
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=reap, name="chromium-end", daemon=True).start()
