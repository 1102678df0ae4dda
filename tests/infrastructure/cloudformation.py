"""Templates as plain dictionaries: `!Ref x` becomes {"Ref": "x"}, `!Sub x` {"Fn::Sub": "x"}, and so on."""

from pathlib import Path
from typing import Any

import yaml

from infra.local.child import ROOT

TEMPLATE = ROOT / "template.yaml"
LIVE_API = ROOT / "infra" / "live.yaml"
SAVED_QUERIES = ROOT / "infra" / "queries" / "stack.yaml"

Resource = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """Knows the short forms of CloudFormation's functions."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    assert isinstance(node, yaml.SequenceNode), f"{name} takes a text or a list here"
    return {name: loader.construct_sequence(node, deep=True)}


_Loader.add_multi_constructor("!", _function)


def load(path: Path) -> dict[str, Any]:
    """A template."""
    loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    assert isinstance(loaded, dict)
    return loaded


def resources(template: dict[str, Any], kind: str) -> dict[str, Resource]:
    """The resources of one type by their logical ids."""
    return {name: found for name, found in template["Resources"].items() if found["Type"] == kind}


def functions() -> dict[str, Resource]:
    """The Lambda functions of the main template, with what all of them share."""
    template = load(TEMPLATE)
    shared = template["Globals"]["Function"]
    return {
        name: {**found, "Properties": {**shared, **found["Properties"]}}
        for name, found in resources(template, "AWS::Serverless::Function").items()
    }


def environment_of(function: Resource) -> dict[str, Any]:
    """The variables of a function, those of the globals included."""
    own = function["Properties"].get("Environment", {}).get("Variables", {})
    return {**load(TEMPLATE)["Globals"]["Function"]["Environment"]["Variables"], **own}
