import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.local.locks import LOCKS, ROOT, LockError, check_locks


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for path in ("pyproject.toml", *(lock.path for lock in LOCKS)):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    return tmp_path


def change_pyproject(root: Path, old: str, new: str) -> None:
    file = root / "pyproject.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_the_locks_of_the_working_copy_fit(copy: Path) -> None:
    check_locks(copy)


def test_a_new_dependency_of_one_deployable_makes_its_lock_and_the_tests_lock_stale(copy: Path) -> None:
    change_pyproject(copy, "api-server = [", 'api-server = [\n    "itsdangerous",')

    with pytest.raises(LockError) as raised:
        check_locks(copy)

    told = str(raised.value)
    assert "worker_container/requirements.txt" in told
    assert "tests/requirements.txt" in told
    assert "janitor" not in told
    assert told.endswith("run `make lock` and commit the result")


def test_a_new_dependency_of_the_core_makes_every_lock_of_it_stale(copy: Path) -> None:
    change_pyproject(copy, "dependencies = [", 'dependencies = [\n    "itsdangerous",')

    with pytest.raises(LockError) as raised:
        check_locks(copy)

    assert all((lock.path in str(raised.value)) == lock.with_project for lock in LOCKS)


def remove(file: Path) -> None:
    file.unlink()


def strip_mark(file: Path) -> None:
    file.write_text("".join(file.read_text().splitlines(keepends=True)[1:]))


@pytest.mark.parametrize("damage", [remove, strip_mark])
def test_a_lock_that_is_missing_or_not_made_by_us_is_stale(copy: Path, damage: Callable[[Path], None]) -> None:
    damage(copy / "functions/janitor/requirements.txt")

    with pytest.raises(LockError, match=r"out of date .*: functions/janitor/requirements\.txt;"):
        check_locks(copy)


def test_what_does_not_concern_dependencies_makes_no_lock_stale(copy: Path) -> None:
    change_pyproject(copy, "line-length = 120", "line-length = 100")

    check_locks(copy)


def test_every_pin_has_hashes_and_no_lock_names_where_packages_come_from() -> None:
    for lock in LOCKS:
        text = (ROOT / lock.path).read_text()
        pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]

        assert pins
        assert all(line.endswith("\\") for line in pins), lock.path
        assert "://" not in text
        assert "--index-url" not in text
