"""How the programs of the stack are asked whether they do their work."""

import urllib.request
from collections.abc import Callable, Mapping
from http import HTTPStatus

from infra.local.child import Child
from infra.local.programs import worker_node
from nightjar.adapters.celery.application import make_celery
from nightjar.settings import worker_settings

_HTTP_TIMEOUT_SECONDS = 2.0
_PING_TIMEOUT_SECONDS = 0.5
_SETTLED_SECONDS = 1.0

Readiness = Callable[[Child], bool]


def answers_http(url: str) -> Readiness:
    """Ready when a GET of the address is answered with 200."""

    def is_ready(_: Child) -> bool:
        try:
            with urllib.request.urlopen(url, timeout=_HTTP_TIMEOUT_SECONDS) as answer:  # noqa: S310 - our own address
                return bool(answer.status == HTTPStatus.OK)
        except OSError:
            return False

    return is_ready


def takes_messages(name: str, settings: Mapping[str, str]) -> Readiness:
    """Ready when the Celery worker of that name answers over the broker: it answers only while it consumes."""
    node = worker_node(name)

    def is_ready(_: Child) -> bool:
        application = make_celery(worker_settings(settings, cores=1))
        with application.connection_for_write() as connection:
            return bool(application.control.ping([node], timeout=_PING_TIMEOUT_SECONDS, connection=connection, limit=1))

    return is_ready


def has_settled(child: Child) -> bool:
    """For programs that nobody can ask: they have survived their start."""
    return child.age > _SETTLED_SECONDS
