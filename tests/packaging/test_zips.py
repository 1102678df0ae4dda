"""What is in the zips, and what is not."""

import json
import re
import sys
import zipfile
from pathlib import Path

import pytest

from infra.local import package
from tests.packaging.built import Built

FUNCTIONS = package.functions()
BUDGETS_MB = {"api": (23, 70), "janitor": (16, 52), "live_updates": (16, 52), "nightly_fanout": (16, 52)}
"""Zipped and unpacked, with compiled code; a quarter above what was measured (18.5/57, 13.1/42, 13.1/42 MB)."""

NOWHERE = ("celery", "kombu", "playwright", "boto3", "botocore", "cryptography", "sqlalchemy.orm",
           "alembic", "crawl_worker")  # fmt: skip
FORBIDDEN = {
    "api": NOWHERE,
    "janitor": (*NOWHERE, "fastapi", "starlette", "mangum", "pydantic", "aiohttp"),
    "live_updates": (*NOWHERE, "fastapi", "starlette", "mangum", "pydantic", "aiohttp"),
    "nightly_fanout": (*NOWHERE, "fastapi", "starlette", "mangum", "pydantic", "aiohttp"),
}


def test_every_function_has_a_budget_and_a_list_of_what_it_must_not_import() -> None:
    assert set(BUDGETS_MB) == set(FORBIDDEN) == set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_handler_imports_with_nothing_but_its_zip(builds: dict[str, Built], name: str) -> None:
    build = builds[name]
    assert build.on_import.nightjar == build.folder / "nightjar" / "__init__.py"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_import_loads_no_package_that_the_function_does_not_need(builds: dict[str, Built], name: str) -> None:
    assert builds[name].on_import.imported(*FORBIDDEN[name]) == set()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_zip_carries_no_package_of_another_deployable(builds: dict[str, Built], name: str) -> None:
    parts = {entry.name for entry in builds[name].folder.iterdir()}
    assert parts & {package.partition(".")[0] for package in FORBIDDEN[name]} - {"sqlalchemy"} == set()
    assert {entry.name for entry in (builds[name].folder / "functions").iterdir()} == {
        name,
        "__init__.py",
        "__pycache__",
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_zip_stays_within_its_budget(builds: dict[str, Built], name: str) -> None:
    zipped, unpacked = BUDGETS_MB[name]
    build = builds[name]
    assert build.zipped.stat().st_size < zipped * 1_000_000
    assert sum(file.stat().st_size for file in build.folder.rglob("*") if file.is_file()) < unpacked * 1_000_000


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_zip_holds_the_types_and_the_compiled_code_but_no_tests_and_no_traces_of_the_desk(
    builds: dict[str, Built], name: str
) -> None:
    names = zipfile.ZipFile(builds[name].zipped).namelist()
    assert "nightjar/py.typed" in names
    assert f"nightjar/__pycache__/__init__.{sys.implementation.cache_tag}.pyc" in names
    unwanted = re.compile(r"(^|/)(tests?|testing)/|^bin/|/(RECORD|direct_url\.json|uv_cache\.json)$|requirements\.txt$")
    assert [entry for entry in names if unwanted.search(entry)] == []


def test_compiled_code_names_its_source_as_lambda_unpacks_it(builds: dict[str, Built]) -> None:
    folder = builds["janitor"].folder
    compiled = folder / "nightjar" / "__pycache__" / f"errors.{sys.implementation.cache_tag}.pyc"
    assert b"/var/task/nightjar/errors.py" in compiled.read_bytes()
    traces = [path for path in folder.rglob("*.pyc") if str(package.ROOT).encode() in path.read_bytes()]
    assert traces == []


def test_two_builds_of_one_tree_are_equal_byte_by_byte(builds: dict[str, Built], tmp_path: Path) -> None:
    package.unpack("janitor", tmp_path / "again", python=f"{sys.version_info.major}.{sys.version_info.minor}")
    package.zip_folder(tmp_path / "again", tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == builds["janitor"].zipped.read_bytes()


def test_a_function_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(package.PackageError, match=r"no functions/nightly/app\.py; the functions are api, janitor"):
        package.unpack("nightly", tmp_path)


def test_the_first_event_of_the_api_loads_nothing_that_it_does_not_need(builds: dict[str, Built]) -> None:
    from infra.local.events import http_event

    settings = {"DATABASE_URL": "postgresql+pg8000://nobody@127.0.0.1:1/none"}
    called = builds["api"].call(http_event("GET", "/health"), settings)
    assert called.answer["statusCode"] == 200
    assert json.loads(called.answer["body"])
    assert called.imported(*FORBIDDEN["api"]) == set()
