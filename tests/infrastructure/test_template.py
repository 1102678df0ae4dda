"""What template.yaml promises, beyond being valid."""

import os
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from functions.janitor import metrics as janitor_metrics
from functions.nightly_fanout import metrics as nightly_metrics
from infra.local import package
from infra.local.child import ROOT
from nightjar import observability, settings, wiring
from nightjar.domain.kst import kst_day
from tests.infrastructure.cloudformation import (
    LIVE_API,
    SAVED_QUERIES,
    TEMPLATE,
    Resource,
    environment_of,
    functions,
    load,
    resources,
)

FUNCTIONS = functions()
SAM_ENVIRONMENT = {"AWS_DEFAULT_REGION": "ap-northeast-2", "SAM_CLI_TELEMETRY": "0", "CI": "true"}
GATEWAY_SECONDS = 30
"""An HTTP API gives up on its integration after this time."""


def sam(*arguments: str) -> str:
    command = [str(ROOT / ".venv-sam" / "bin" / "sam"), *arguments]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **SAM_ENVIRONMENT},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("path", [TEMPLATE, LIVE_API, SAVED_QUERIES], ids=lambda path: path.name)
def test_the_template_is_valid_and_lint_finds_nothing(path: Path) -> None:
    assert "is a valid SAM Template" in sam("validate", "--lint", "--template", str(path))


def test_sam_builds_a_function_and_the_saved_queries_from_the_template(tmp_path: Path) -> None:
    sam("build", "--build-in-source", "--build-dir", str(tmp_path / "built"), "JanitorFunction")
    assert (tmp_path / "built" / "JanitorFunction" / "functions" / "janitor" / "app.py").is_file()
    assert (tmp_path / "built" / "JanitorFunction" / "nightjar" / "py.typed").is_file()
    assert (tmp_path / "built" / "SavedQueries" / "template.yaml").is_file()


def test_the_template_has_all_functions_and_their_handlers_exist() -> None:
    handlers = {found["Properties"]["Handler"] for found in FUNCTIONS.values()}
    assert handlers == {f"functions.{name}.app.handler" for name in package.functions()}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_built_by_a_target_of_the_makefile_from_the_root(name: str) -> None:
    metadata = FUNCTIONS[name]["Metadata"]
    assert (metadata["BuildMethod"], metadata["ProjectRootDirectory"], metadata["ContextPath"]) == (
        "makefile",
        ".",
        ".",
    )
    folder = FUNCTIONS[name]["Properties"]["CodeUri"].removeprefix("functions/")
    assert re.search(rf"^build-{name}:\n\t@.* unpack {folder} ", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_zips_are_made_for_the_runtime_of_the_template() -> None:
    for found in FUNCTIONS.values():
        assert found["Properties"]["Runtime"] == f"python{package.LAMBDA_PYTHON}"
        assert found["Properties"]["Architectures"] == [package.LAMBDA_PLATFORM.partition("-")[0]]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_writes_to_a_log_group_of_its_own_that_forgets(name: str) -> None:
    groups = resources(load(TEMPLATE), "AWS::Logs::LogGroup")
    logging = FUNCTIONS[name]["Properties"]["LoggingConfig"]
    group = groups.pop(logging["LogGroup"]["Ref"])
    assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert logging["LogFormat"] == "JSON"
    others = {
        found["Properties"]["LoggingConfig"]["LogGroup"]["Ref"] for key, found in FUNCTIONS.items() if key != name
    }
    assert logging["LogGroup"]["Ref"] not in others


def test_every_log_group_forgets() -> None:
    for group in resources(load(TEMPLATE), "AWS::Logs::LogGroup").values():
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def schedules_of(function: Resource) -> list[Resource]:
    return [
        event["Properties"]
        for event in function["Properties"].get("Events", {}).values()
        if event["Type"] == "Schedule"
    ]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_event_that_failed_is_kept_or_there_is_a_reason_why_not(name: str) -> None:
    function = FUNCTIONS[name]
    letters = function["Properties"].get("DeadLetterQueue")
    if letters is None:
        assert function["Metadata"]["NoDeadLetterQueue"]
        assert schedules_of(function) == []
        return
    template = load(TEMPLATE)
    queue = letters["TargetArn"]["Fn::GetAtt"][0]
    assert letters["Type"] == "SQS"
    assert queue in resources(template, "AWS::SQS::Queue")
    for schedule in schedules_of(function):
        assert schedule["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": [queue, "Arn"]}
        assert {"MaximumRetryAttempts", "MaximumEventAgeInSeconds"} <= schedule["RetryPolicy"].keys()


def test_every_queue_of_failed_events_has_an_alarm_and_lets_only_its_rule_in() -> None:
    template = load(TEMPLATE)
    watched = {
        alarm["Properties"]["Dimensions"][0]["Value"]["Fn::GetAtt"][0]
        for alarm in resources(template, "AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["MetricName"] == "ApproximateNumberOfMessagesVisible"
    }
    guarded = set()
    for policy in resources(template, "AWS::SQS::QueuePolicy").values():
        [statement] = policy["Properties"]["PolicyDocument"]["Statement"]
        assert statement["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::GetAtt"][1] == "Arn"
        guarded |= {queue["Ref"] for queue in policy["Properties"]["Queues"]}
    assert watched == guarded == set(resources(template, "AWS::SQS::Queue"))


def test_every_alarm_says_what_to_do_about_missing_data_and_tells_the_topic() -> None:
    for alarm in resources(load(TEMPLATE), "AWS::CloudWatch::Alarm").values():
        assert alarm["Properties"]["TreatMissingData"] in {"breaching", "notBreaching", "ignore"}
        assert alarm["Properties"]["AlarmDescription"]
        assert alarm["Properties"]["AlarmActions"]["Fn::If"][0] == "HasAlarmTopic"


def test_an_alarm_watches_a_metric_that_a_function_writes() -> None:
    written = {
        module.SERVICE: {value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)}
        for module in (janitor_metrics, nightly_metrics)
    }
    watched = [
        alarm["Properties"]
        for alarm in resources(load(TEMPLATE), "AWS::CloudWatch::Alarm").values()
        if not alarm["Properties"]["Namespace"].startswith("AWS/")
    ]
    assert watched
    for alarm in watched:
        assert alarm["Namespace"] == observability.METRIC_NAMESPACE
        dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
        assert alarm["MetricName"] in written[dimensions["service"]]
        assert set(dimensions) <= {"service", janitor_metrics.QUEUE}


def test_the_limits_of_time_are_nested() -> None:
    limits = {name: found["Properties"]["Timeout"] for name, found in FUNCTIONS.items()}
    assert limits["ApiFunction"] < GATEWAY_SECONDS
    for name in ("NightlyFanoutFunction", "JanitorFunction"):
        assert wiring.PLANNING_SECONDS < limits[name] <= 900


def test_environments_are_counted_where_they_cost_a_connection() -> None:
    limits = {name: found["Properties"]["ReservedConcurrentExecutions"] for name, found in FUNCTIONS.items()}
    assert limits == {
        "ApiFunction": {"Ref": "ApiConcurrency"},
        "NightlyFanoutFunction": 1,
        "JanitorFunction": 1,
        "LiveUpdatesFunction": 5,
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_stands_in_the_network_that_the_parameters_name(name: str) -> None:
    assert FUNCTIONS[name]["Properties"]["VpcConfig"] == {
        "SubnetIds": {"Ref": "SubnetIds"},
        "SecurityGroupIds": {"Ref": "SecurityGroupIds"},
    }


def dynamic_references(value: object) -> list[str]:
    return re.findall(r"\{\{resolve:secretsmanager:\$\{\w+SecretArn\}:SecretString:\w+\}\}", repr(value))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_secret_is_only_named_by_where_secrets_manager_has_it(name: str) -> None:
    secret = re.compile(r"URL|KEY(?!_PREFIX)|SECRET(?!_STORE|S_PREFIX)|PASSWORD|TOKEN")
    variables = environment_of(FUNCTIONS[name])
    secrets = {variable: value for variable, value in variables.items() if secret.search(variable)}
    assert {"DATABASE_URL", "CELERY_BROKER_URL"} <= secrets.keys()
    assert {variable for variable, value in secrets.items() if not dynamic_references(value)} == set()


def test_no_parameter_carries_a_secret_itself() -> None:
    for name, parameter in load(TEMPLATE)["Parameters"].items():
        assert "NoEcho" not in parameter, name
        if re.search(r"Secret|Key|Password|Url", name):
            assert name.endswith("SecretArn")


def test_no_function_may_read_secrets_and_only_the_api_gets_the_bootstrap_key() -> None:
    assert "secretsmanager:Get" not in TEMPLATE.read_text()
    holders = {name for name, found in FUNCTIONS.items() if "NIGHTJAR_BOOTSTRAP_API_KEY" in environment_of(found)}
    assert holders == {"ApiFunction"}
    assert all("NAVER_API_KEY" not in environment_of(found) for found in FUNCTIONS.values())


def test_a_wildcard_has_a_comment_that_justifies_it() -> None:
    lines = TEMPLATE.read_text().splitlines()
    wild = [line for line in lines if re.search(r"(Resource|Action):.*\*|^\s*- [\w-]+:\w*\*", line)]
    assert wild, "the pattern finds the wildcards that are there"
    assert [line for line in wild if " # " not in line] == []


def test_the_connections_of_the_websocket_api_are_written_to_by_its_function_alone_and_no_others() -> None:
    live = load(LIVE_API)
    [policy] = resources(live, "AWS::IAM::Policy").values()
    assert policy["Properties"]["Roles"] == [{"Ref": "FunctionRole"}]
    [statement] = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "execute-api:ManageConnections"
    for arn in statement["Resource"]:
        assert re.search(r":\$\{Api\}/live/(POST|DELETE)/@connections/\*$", arn["Fn::Sub"])
    handed = load(TEMPLATE)["Resources"]["LiveApi"]["Properties"]["Parameters"]
    assert handed["FunctionRole"] == {"Ref": "LiveUpdatesRole"}
    assert handed.keys() == live["Parameters"].keys()


def test_the_websocket_api_has_the_routes_that_its_function_knows() -> None:
    live = load(LIVE_API)
    routes = {route["Properties"]["RouteKey"] for route in resources(live, "AWS::ApiGatewayV2::Route").values()}
    assert routes == {"$connect", "$disconnect", "$default", "subscribe"}
    [api] = resources(live, "AWS::ApiGatewayV2::Api").values()
    assert api["Properties"]["RouteSelectionExpression"] == "$request.body.action"


def test_every_role_is_of_one_function_and_names_only_that_functions_resources() -> None:
    roles = {found["Properties"]["Role"]["Fn::GetAtt"][0]: name for name, found in FUNCTIONS.items()}
    assert roles.keys() == resources(load(TEMPLATE), "AWS::IAM::Role").keys()
    for role, function in roles.items():
        for policy in load(TEMPLATE)["Resources"][role]["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                resource = statement["Resource"]
                if function == "ApiFunction" and "Fn::Sub" in resource:
                    assert ":secret:nightjar/${AWS::StackName}/accounts/" in resource["Fn::Sub"]
                else:
                    assert resource["Fn::GetAtt"][0].startswith(function.removesuffix("Function"))


def test_the_api_may_write_the_credentials_of_accounts_and_read_none() -> None:
    policies = load(TEMPLATE)["Resources"]["ApiRole"]["Properties"]["Policies"]
    actions = {
        action
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
        for action in statement["Action"]
        if action.startswith("secretsmanager:")
    }
    assert actions == {
        f"secretsmanager:{verb}" for verb in ("CreateSecret", "DeleteSecret", "PutSecretValue", "RestoreSecret")
    }


@pytest.mark.parametrize("hour", range(24))
@pytest.mark.parametrize("month", [1, 7])
def test_the_nightly_rule_fires_at_the_korean_hour(hour: int, month: int) -> None:
    template = load(TEMPLATE)
    moment = datetime(2026, month, 15, hour, 0, tzinfo=ZoneInfo("Asia/Seoul"))
    assert int(template["Mappings"]["KoreanHour"][str(hour)]["Utc"]) == moment.astimezone(UTC).hour
    assert kst_day(moment.astimezone(UTC)) == date(2026, month, 15)


def test_the_nightly_rule_takes_hour_and_minute_from_the_parameters() -> None:
    [schedule] = schedules_of(FUNCTIONS["NightlyFanoutFunction"])
    assert schedule["Schedule"] == {
        "Fn::Sub": [
            "cron(${CrawlScheduleMinute} ${UtcHour} * * ? *)",
            {"UtcHour": {"Fn::FindInMap": ["KoreanHour", {"Ref": "CrawlScheduleHour"}, "Utc"]}},
        ]
    }
    parameters = load(TEMPLATE)["Parameters"]
    assert (parameters["CrawlScheduleHour"]["Default"], parameters["CrawlScheduleMinute"]["Default"]) == (1, 0)


def test_the_janitor_comes_every_minute() -> None:
    [schedule] = schedules_of(FUNCTIONS["JanitorFunction"])
    assert schedule["Schedule"] == "rate(1 minute)"


class Recorded(dict[str, str]):
    """An environment that remembers which variables were asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]  # narrower on purpose
        self.asked.add(key)
        return super().get(key, default)


def test_every_variable_of_the_template_is_a_setting_that_a_function_reads() -> None:
    environment = Recorded({"DATABASE_URL": "postgresql+pg8000://nobody@127.0.0.1/none"})
    for read in (
        settings.api_settings,
        settings.fan_out_settings,
        settings.janitor_settings,
        settings.live_updates_settings,
    ):
        read(environment)
    given = {variable for found in FUNCTIONS.values() for variable in environment_of(found)}
    assert given <= environment.asked


def test_the_defaults_of_the_parameters_are_those_of_the_settings() -> None:
    environment = {"DATABASE_URL": "postgresql+pg8000://nobody@127.0.0.1/none"}
    built_in = settings.fan_out_settings(environment)
    variables = load(TEMPLATE)["Globals"]["Function"]["Environment"]["Variables"]
    defaults = {name: found.get("Default") for name, found in load(TEMPLATE)["Parameters"].items()}
    given = environment | {
        variable: str(defaults[value["Ref"]]) for variable, value in variables.items() if "Ref" in value
    }
    assert settings.fan_out_settings(given) == built_in


def test_the_templates_use_no_yaml_that_cloudformation_does_not_know() -> None:
    for path in (TEMPLATE, LIVE_API, SAVED_QUERIES):
        events = list(yaml.parse(path.read_text()))
        assert not [event for event in events if isinstance(event, yaml.AliasEvent)]
