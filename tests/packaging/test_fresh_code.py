"""No build ships old code: an edit is in the next one, for the cloud's Python too."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local import package

MARKER = 'THE_EDIT = "made between two builds"\n'


@pytest.fixture
def copied_tree(tmp_path: Path) -> Path:
    """What a build reads, in a place where a test may edit it."""
    tree = tmp_path / "tree"
    for name in ("nightjar", "functions", "infra"):
        shutil.copytree(package.ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(package.ROOT / name, tree / name)
    return tree


def build(tree: Path, into: Path) -> Path:
    """As make does, for the Python of the cloud; no interpreter of it is needed."""
    command = [sys.executable, "-m", "infra.local.package", "unpack", "janitor", "--into", str(into)]
    subprocess.run(command, cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)}, check=True, timeout=120)
    return into


def test_an_edit_of_shared_code_is_in_the_next_build(copied_tree: Path, tmp_path: Path) -> None:
    source = copied_tree / "nightjar" / "domain" / "kst.py"
    built = build(copied_tree, tmp_path / "built") / "nightjar" / "domain" / "kst.py"
    assert MARKER not in built.read_text()
    source.write_text(source.read_text() + MARKER)
    build(copied_tree, tmp_path / "built")
    assert MARKER in built.read_text()


def test_a_deleted_module_is_gone_from_the_next_build(copied_tree: Path, tmp_path: Path) -> None:
    extra = copied_tree / "functions" / "janitor" / "extra.py"
    extra.write_text(MARKER)
    built = build(copied_tree, tmp_path / "built") / "functions" / "janitor"
    assert (built / "extra.py").exists()
    extra.unlink()
    build(copied_tree, tmp_path / "built")
    assert (built / "app.py").exists()
    assert not (built / "extra.py").exists()


def test_libraries_are_those_of_the_clouds_python_whatever_the_desk_runs(copied_tree: Path, tmp_path: Path) -> None:
    built = build(copied_tree, tmp_path / "built")
    assert {library.suffixes[0] for library in _libraries(built)} == {".cpython-313-x86_64-linux-gnu"}


def _libraries(folder: Path) -> Iterator[Path]:
    return folder.rglob("*.so")
