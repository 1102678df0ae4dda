"""The zips of all functions, made once a session for the desk's Python, and unpacked outside of the repository."""

import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from infra.local import package
from infra.local.lambda_runtime import LambdaRuntime
from nightjar.database.engine import Database
from tests.packaging.built import Built, Store

DESK_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="session")
def builds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Built]:
    """Every function by its name."""
    folder = tmp_path_factory.mktemp("packages")
    with ThreadPoolExecutor(max_workers=2) as threads:
        made = threads.map(lambda name: _build(name, folder), package.functions())
    return {build.name: build for build in made}


def _build(name: str, folder: Path) -> Built:
    staging, zipped, unpacked = folder / f"{name}-staging", folder / f"{name}.zip", folder / name
    assert package.unpack(name, staging, python=DESK_PYTHON), "the desk's own Python compiles for itself"
    package.zip_folder(staging, zipped)
    shutil.rmtree(staging)
    shutil.unpack_archive(zipped, unpacked)
    return Built(name=name, zipped=zipped, folder=unpacked)


@pytest.fixture
def store(database: Database, database_url: str, redis_url: str) -> Store:
    """The real Postgres and Redis of this test."""
    return Store(database=database, database_url=database_url, redis_url=redis_url)


@pytest.fixture
def runtimes(builds: dict[str, Built], store: Store) -> Iterator["Runtimes"]:
    """Starts built functions in the real Lambda runtime, and stops them."""
    running = Runtimes(builds, store)
    yield running
    running.stop()


class Runtimes:
    """The functions of a test in the Lambda runtime."""

    def __init__(self, builds: dict[str, Built], store: Store) -> None:
        self._builds = builds
        self._store = store
        self._running: list[LambdaRuntime] = []

    def start(self, name: str, **settings: str) -> LambdaRuntime:
        """One function, from its unpacked zip."""
        build = self._builds[name]
        environment = {**self._store.settings, **settings}
        lifetime = int(timedelta(minutes=2).total_seconds())
        runtime = LambdaRuntime(build.handler, environment, build_dir=build.folder, lifetime_s=lifetime)
        self._running.append(runtime.__enter__())
        return runtime

    def stop(self) -> None:
        for runtime in self._running:
            runtime.stop()
