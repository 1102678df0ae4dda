"""The reader of queries, which the proof that all their fields exist rests on."""

import pytest

from tests.infrastructure.query_fields import fields_of


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("fields tracking_id, rank", {"tracking_id", "rank"}),
        ("fields @timestamp, @message", set()),
        ('filter message = "batch_started" and level in ["ERROR"]', {"message", "level"}),
        ("filter @message like /tracking_ids: (\\d+)/ or code = 'blocked'", {"code"}),
        ("filter keyword like /a \\/ b/ and rank > 3", {"keyword", "rank"}),
        ("stats count(*) as errors, pct(duration_ms, 95) by bin(5m), path | sort errors desc", {"duration_ms", "path"}),
        ("stats max(rank) as rank by keyword | sort rank asc", {"rank", "keyword"}),
        ("filter a = 1 # and b = 2\n| sort c asc", {"a", "c"}),
        ("stats sum(published / depth) as share by queue | filter share > 0.5", {"published", "depth", "queue"}),
        ("FILTER NOT ispresent(rank) AND outcome LIKE 'exp'", {"rank", "outcome"}),
        ("fields record.metrics.durationMs, `odd-name`", {"record.metrics.durationMs", "odd-name"}),
        ('filter said = "it \\" said # no" and then_some = 1', {"said", "then_some"}),
    ],
)
def test_only_the_fields_of_log_lines_are_found(query: str, fields: set[str]) -> None:
    assert fields_of(query) == fields


def test_an_alias_does_not_hide_a_field_that_was_never_given() -> None:
    assert fields_of("stats max(elapsed_seconds) as seconds by task_id | sort elapsed_secnds desc") == {
        "elapsed_seconds",
        "task_id",
        "elapsed_secnds",
    }
