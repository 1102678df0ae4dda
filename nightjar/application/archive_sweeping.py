"""What is left in the archive without a row that names it: of workers that died in between, and of deleted crawls.

An object is put into the archive first, its row commits later. The archive does not tell how old an object is; so only
objects of crawls that are gone, or that ended a day ago, are looked at: nobody adds a row for these any more.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from time import monotonic
from uuid import UUID

from nightjar.database.engine import Transactions
from nightjar.ports import Archive

FOLDER = "crawls"
"""Objects of site crawls are named `crawls/<task id>/<any name>`."""

SETTLED = timedelta(days=1)

NAMES_AT_ONCE = 500


def sweep_archive(transactions: Transactions, archive: Archive, *, within: timedelta) -> int:
    """Delete objects that no page is in; how many. Ends after `within`, also if there is more to do.

    Raises ArchiveUnavailable.
    """
    until = monotonic() + within.total_seconds()
    deleted = 0
    names = _objects_of_crawls(archive)
    while (part := list(islice(names, NAMES_AT_ONCE))) and monotonic() < until:
        with transactions() as uow:
            unwanted = uow.expired_crawls.unwanted(json.dumps(part), settled=SETTLED)
        for name in unwanted:
            archive.delete(name)
        deleted += len(unwanted)
    return deleted


def _objects_of_crawls(archive: Archive) -> Iterator[dict[str, str]]:
    """Names and crawls; what is named otherwise is somebody else's."""
    for name in archive.names(FOLDER):
        crawl_id = _uuid(name.split("/")[1])
        if crawl_id is not None:
            yield {"name": name, "crawl_id": str(crawl_id)}


def _uuid(word: str) -> UUID | None:
    try:
        return UUID(word)
    except ValueError:
        return None
