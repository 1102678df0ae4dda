"""How live messages reach Redis: they are worth little when late, so no call waits long and none is repeated."""

from redis import asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

CONNECT_SECONDS = 0.5
ANSWER_SECONDS = 1.0


def impatient_client(url: str, *, max_connections: int = 4) -> redis.Redis:
    """A client that fails soon and once; whoever uses it decides when to try again. It connects at the first call."""
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
        max_connections=max_connections,
        decode_responses=True,
        encoding_errors="replace",  # what somebody else writes there must not end a listener
    )
