"""Images and Lambda packages, made once for all tests of this folder. `make test` leaves the folder out."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local import package
from tests.containers import engine


@pytest.fixture(autouse=True, scope="session")
def _engine() -> None:
    if not engine.answers():
        pytest.exit("no container engine answers: start Docker, then run `make test-containers` again", returncode=1)


@pytest.fixture(scope="session")
def worker_image(_engine: None) -> Iterator[str]:
    """The worker's image."""
    engine.build("worker", "nightjar-worker:test")
    yield "nightjar-worker:test"
    engine.docker("image", "rm", "nightjar-worker:test")


@pytest.fixture(scope="session")
def api_image(_engine: None) -> Iterator[str]:
    """The API's image."""
    engine.build("api", "nightjar-api:test")
    yield "nightjar-api:test"
    engine.docker("image", "rm", "nightjar-api:test")


@pytest.fixture(scope="session")
def cloud_packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every function as it is unpacked in the cloud, for the cloud's Python."""
    folder = tmp_path_factory.mktemp("cloud")
    for name in package.functions():
        package.unpack(name, folder / name)
    return {name: folder / name for name in package.functions()}
