"""The pitfalls of Celery on Redis that the configuration must avoid."""

import pytest

from nightjar.adapters.celery.application import make_celery, selected_queues
from nightjar.adapters.celery.child_replacement import LOOK_EVERY_SECONDS, PromptChildReplacement
from nightjar.domain.kst import KST
from nightjar.settings import worker_settings
from nightjar.tasks import ROUTES, Queue, TaskKind

LEAST = {"DATABASE_URL": "postgresql+pg8000://u:p@db/nightjar", "REDIS_URL": "redis://127.0.0.1:1/0"}


def configured(**environment: str) -> dict[str, object]:
    return dict(make_celery(worker_settings(LEAST | environment, cores=2)).conf)


def test_every_task_has_a_queue_by_its_name() -> None:
    assert set(ROUTES) == set(TaskKind)
    routes = make_celery(worker_settings(LEAST, cores=2)).conf.task_routes
    assert routes == {str(kind): {"queue": str(queue)} for kind, queue in ROUTES.items()}


def test_messages_are_acknowledged_late_and_fetched_one_at_a_time() -> None:
    settings = configured()
    assert settings["task_acks_late"] is True
    assert settings["worker_prefetch_multiplier"] == 1
    assert settings["worker_disable_prefetch"] is True


def test_a_child_that_is_killed_does_not_send_its_message_round_for_ever() -> None:
    assert configured()["task_reject_on_worker_lost"] is False


def test_only_json_is_accepted() -> None:
    assert configured()["accept_content"] == ["json"]


def test_time_limits_are_nested_inside_the_visibility_time_out() -> None:
    settings = worker_settings(LEAST, cores=2)
    hard = settings.hard_time_limit.total_seconds()
    assert settings.soft_time_limit.total_seconds() < hard < settings.visibility_timeout
    assert configured()["task_time_limit"] == hard
    assert configured().get("task_soft_time_limit") is None


def test_every_socket_of_the_broker_has_a_time_out_and_reconnecting_never_ends() -> None:
    settings = configured()
    options = settings["broker_transport_options"]
    assert isinstance(options, dict)
    assert {"socket_timeout", "socket_connect_timeout", "health_check_interval"} <= options.keys()
    assert "retry_on_timeout" not in options
    assert settings["broker_connection_max_retries"] is None
    assert settings["broker_channel_error_retry"] is True


def test_results_are_rows_so_nothing_is_kept_in_a_result_backend() -> None:
    assert configured()["task_ignore_result"] is True
    assert configured()["result_backend"] is None


def test_a_result_backend_is_used_only_if_it_is_set() -> None:
    assert configured(CELERY_RESULT_BACKEND="redis://127.0.0.1:1/2")["task_ignore_result"] is False


def test_the_pool_is_prefork_and_logs_are_ours() -> None:
    settings = configured()
    assert settings["worker_pool"] == "prefork"
    assert settings["worker_hijack_root_logger"] is False
    assert settings["worker_redirect_stdouts"] is False


def test_a_shared_redis_is_told_apart_by_the_prefix() -> None:
    options = configured(REDIS_KEY_PREFIX="nj:")["broker_transport_options"]
    assert isinstance(options, dict)
    assert options["global_keyprefix"] == "nj:"


def test_worker_queues_selects_queues_and_nothing_means_all() -> None:
    assert selected_queues("") == tuple(Queue)
    assert selected_queues(" nightly , stores ") == (Queue.NIGHTLY, Queue.STORES)
    with pytest.raises(ValueError, match="nowhere"):
        selected_queues("nowhere")


def test_the_night_begins_at_the_configured_korean_time() -> None:
    schedule = configured(CRAWL_SCHEDULE_HOUR="3", CRAWL_SCHEDULE_MINUTE="30")
    beat = schedule["beat_schedule"]
    assert isinstance(beat, dict)
    assert (beat["nightly"]["schedule"].hour, beat["nightly"]["schedule"].minute) == ({3}, {30})
    assert schedule["timezone"] is KST


def test_ended_children_are_looked_for_more_often_than_celery_does() -> None:
    app = make_celery(worker_settings(LEAST, cores=2))
    assert PromptChildReplacement in app.steps["worker"]
    assert LOOK_EVERY_SECONDS <= 1
