"""The saved queries: one file each, deployed as they stand there, each naming what it reads."""

from pathlib import Path
from typing import Any

import pytest

from tests.infrastructure.cloudformation import SAVED_QUERIES, TEMPLATE, load, resources
from tests.infrastructure.query_fields import fields_of

FILES = sorted(SAVED_QUERIES.parent.glob("*.logs-insights"))
TITLE, READS = "# title: ", "# reads: "


def head_of(path: Path) -> tuple[str, set[str]]:
    """The question and the services whose lines it reads."""
    first, second, *_ = path.read_text(encoding="utf-8").splitlines()
    assert first.startswith(TITLE), f"{path.name} begins with `{TITLE}QUESTION`"
    assert second.startswith(READS), f"{path.name} has a second line `{READS}SERVICE, SERVICE`"
    return first.removeprefix(TITLE), set(second.removeprefix(READS).split(", "))


def deployed() -> dict[str, dict[str, Any]]:
    """The query definitions by their questions."""
    found = resources(load(SAVED_QUERIES), "AWS::Logs::QueryDefinition").values()
    definitions = [definition["Properties"] for definition in found]
    by_question = {definition["Name"]["Fn::Sub"].removeprefix("${Folder}/"): definition for definition in definitions}
    assert len(by_question) == len(definitions)
    return by_question


def test_there_is_a_definition_for_each_file_and_no_other() -> None:
    assert FILES
    assert sorted(deployed()) == sorted(head_of(path)[0] for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_definition_is_the_text_of_its_file(path: Path) -> None:
    question, _ = head_of(path)
    advice = f"copy the text of {path.name} into stack.yaml"
    assert deployed()[question]["QueryString"] == path.read_text(encoding="utf-8"), advice


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_query_reads_the_log_groups_of_the_services_that_it_names(path: Path) -> None:
    question, services = head_of(path)
    groups = {group["Ref"] for group in deployed()[question]["LogGroupNames"]}
    assert groups == {"".join(word.capitalize() for word in name.split("_")) + "LogGroup" for name in services}


def test_the_main_template_hands_every_log_group_to_the_queries() -> None:
    handed = load(TEMPLATE)["Resources"]["SavedQueries"]["Properties"]["Parameters"]
    wanted = load(SAVED_QUERIES)["Parameters"].keys()
    assert handed == {"Folder": {"Ref": "AWS::StackName"}} | {name: {"Ref": name} for name in wanted - {"Folder"}}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_query_names_fields_and_starts_by_choosing_lines(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert fields_of(text)
    assert "filter " in text


def test_why_a_tracking_has_no_rank_is_among_the_questions() -> None:
    assert "Why has tracking N no rank today?" in deployed()
