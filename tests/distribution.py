"""How the tests are dealt out to processes that run side by side."""

from pathlib import PurePosixPath

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

TOGETHER = ("tests/packaging", "tests/acceptance/")
"""Folders whose files share what takes long to make: zips of all functions, a whole system."""


class ByWhatTheyShare(LoadScopeScheduling):  # type: ignore[misc]  # the plugin carries no types
    """A file goes to one process, a folder that shares something expensive too, in the order of collection.

    That order begins with what takes longest, so that all processes end at about the same time.
    """

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


def unit_of(nodeid: str) -> str:
    """What is run by one process: a file, or a folder of those that share something expensive."""
    file = nodeid.partition("::")[0]
    folder = f"{PurePosixPath(file).parent}"
    return folder if folder.startswith(TOGETHER) else file
