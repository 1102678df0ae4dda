"""The same request with the same Idempotency-Key is carried out once, and answered alike each time."""

from collections.abc import Callable
from dataclasses import dataclass

from nightjar.database.unit_of_work import UnitOfWork
from nightjar.errors import Conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKey:
    """The key that a client gave a request, and the hash of method, path and body."""

    owner: str
    key: str
    request_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request is answered: an HTTP status and a JSON object."""

    status: int
    body: dict[str, object]


def once(uow: UnitOfWork, request: RequestKey | None, work: Callable[[], Answer]) -> Answer:
    """Do the work, or give the answer of the first time. Without a key the work is done each time.

    The key is stored in the transaction of the work: an error takes it back, and of several requests at the same
    moment one works while the others wait for its answer.

    Raises:
        Conflict: the key belongs to another request.
    """
    if request is None:
        return work()
    stored = uow.idempotent_requests.begin(request.owner, request.key, request.request_hash)
    if stored is None:
        answer = work()
        uow.idempotent_requests.finish(request.owner, request.key, status=answer.status, answer=answer.body)
        return answer
    if stored.request_hash != request.request_hash:
        raise Conflict("this Idempotency-Key was used for another request; take a new key for a new request")
    return Answer(status=stored.status, body=stored.answer)
