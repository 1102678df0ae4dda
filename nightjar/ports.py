"""What the use cases need from outside, in their own words. A port exists where two real implementations do."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from nightjar.domain.progress import ProgressEvent
from nightjar.domain.rank import Reading
from nightjar.domain.target import Target
from nightjar.domain.tracking import RankType, Search, Source
from nightjar.errors import Invalid, NightjarError
from nightjar.tasks import Message, Queue


class TaskQueue(Protocol):
    """The broker, as publishers and the janitor see it."""

    def publish(self, queue: Queue, messages: Sequence[Message]) -> None:
        """Append messages to a queue, in order, in as few round trips as possible. Raises QueueUnavailable."""

    def depth(self, queue: Queue) -> int:
        """Messages of the queue that are not acknowledged: waiting ones and those in workers' hands."""

    def waiting_ids(self, queue: Queue) -> frozenset[UUID]:
        """The task ids of all messages that `depth` counts."""

    def epoch(self) -> str | None:
        """A mark that was left in the broker; None after its memory was lost."""

    def begin_epoch(self, epoch: str) -> None:
        """Leave a new mark."""

    def close(self) -> None:
        """Give the connections back."""


class QueueUnavailable(NightjarError):
    """The broker did not take or give anything in time; the rows wait, the janitor publishes them."""


class ProgressChannel(Protocol):
    """Where a worker tells how its tasks get on. It never costs a task anything."""

    async def publish(self, event: ProgressEvent) -> None:
        """Hand an event over. Never raises and never waits; what cannot be sent in time is dropped, oldest first."""


class CancelAnnouncer(Protocol):
    """Tells workers at once what the row says anyway: somebody wants this task to stop."""

    def announce(self, task_id: UUID) -> None:
        """Tell all workers. Never raises, and returns within half a second whether or not anybody heard it."""


class SecretStore(Protocol):
    """Where credentials and sessions are kept. Values are text; neither they nor parts of them are ever logged."""

    def put(self, name: str, value: str) -> None:
        """Keep a value under a name, in place of what was there. Raises SecretsUnavailable."""

    def get(self, name: str) -> str | None:
        """What is kept under this name. Raises SecretsUnavailable."""

    def delete(self, name: str) -> None:
        """Forget it for good, if there is such a secret. Raises SecretsUnavailable."""


class SecretsOff(Invalid):
    """The settings do not say how secrets are kept: set SECRETS_KEY (a Fernet key), or SECRET_STORE=aws."""


class SecretsUnavailable(NightjarError):
    """The secret store did not answer, or refused; nothing of the secret is in this error."""


class Archive(Protocol):
    """Where what was seen is kept: a folder here, a bucket in the cloud."""

    def put(self, name: str, data: bytes, content_type: str) -> str:
        """Keep bytes under a name (parts between slashes) and return where they are kept.

        Bytes under the same name are replaced. Raises ArchiveUnavailable, or Invalid for a name that is none.
        """

    def get(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """The bytes kept under a name: all of them, or `length` from `offset` on (fewer where the object ends).

        Raises ArchiveUnavailable, NotFound if nothing is kept under this name, or Invalid for a name that is none.
        """

    def names(self, prefix: str) -> Iterator[str]:
        """The names below a prefix, which is itself a name, in no particular order. Raises as `get`, but not NotFound.

        What is put or deleted meanwhile may be among them or not.
        """

    def delete(self, name: str) -> None:
        """Forget the bytes under a name, if there are any. Raises ArchiveUnavailable, or Invalid."""


class ArchiveUnavailable(NightjarError):
    """The archive did not take or give it in time; the message says what to do."""


class RankSource(Protocol):
    """Reads the result list of a search, from the pages or from the official API."""

    @property
    def source(self) -> Source:
        """Which of the two it is; recorded with every result."""

    async def read(
        self, search: Search, *, wanted: Sequence[Target], depth: int, seen_end: int | None = None
    ) -> Reading:
        """The organic rows, read to `depth`, to the end, or until every wanted target was met.

        `seen_end` is the number of rows after which an earlier attempt saw this list end; it confirms such an end.

        Raises:
            EndInDoubt: the list ended where it may have been cut, and no earlier attempt saw it end there.
            Blocked: the site refuses to serve us.
            RetryLater: a passing fault (time-out, connection, 5xx, short or empty page).
            GiveUp: the page is not understood (`layout_changed`), or the request is refused for good.
            HostBusy: the host has no free slot soon.
        """


RankSources = Mapping[RankType, RankSource]
"""The source of each rank type that is switched on."""
