"""Free TCP ports on loopback."""

import random
import socket

LOOPBACK = "127.0.0.1"
# Below the range from which Linux takes the ports of outgoing connections: a port that a server gives up for a moment,
# in a restart, is not taken by somebody's connection.
_LOWEST, _HIGHEST = 20_000, 32_000
_TRIES = 200


def free_port() -> int:
    """A TCP port of 127.0.0.1 on which nothing listens. Raises OSError when none is found."""
    for _ in range(_TRIES):
        port = random.randint(_LOWEST, _HIGHEST)  # noqa: S311 - no secret
        if is_free(port):
            return port
    raise OSError(f"no free TCP port found between {_LOWEST} and {_HIGHEST} on {LOOPBACK}")


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def accepts_connections(port: int, timeout: float = 1.0) -> bool:
    """Whether something listens on the port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=timeout):
            return True
    except OSError:
        return False
