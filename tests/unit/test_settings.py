from datetime import timedelta

import pytest

from nightjar.domain.tracking import RankType, Source
from nightjar.settings import (
    BadSettings,
    SecretKeeper,
    api_settings,
    fan_out_settings,
    janitor_settings,
    worker_settings,
)

LEAST = {"DATABASE_URL": "postgresql+pg8000://u:secret@db/nightjar"}


def test_what_is_not_set_has_the_documented_default() -> None:
    settings = fan_out_settings(LEAST)
    assert settings.ranks.delay == timedelta(seconds=2)
    assert settings.ranks.batch_timeout == timedelta(hours=1)
    assert settings.ranks.depths == {RankType.PLACE: 300, RankType.BLOG: 100, RankType.CAFE: 100}
    assert settings.stores.publish_window == 20_000
    assert janitor_settings(LEAST).lease == timedelta(seconds=60)


def test_without_keys_every_source_is_off() -> None:
    assert set(api_settings(LEAST).ranks.sources.values()) == {Source.OFF}


def test_with_keys_blog_and_cafe_are_read_through_the_official_api_and_places_stay_off() -> None:
    sources = api_settings(LEAST | {"NAVER_API_KEY_ID": "id", "NAVER_API_KEY": "key"}).ranks.sources
    assert sources == {RankType.PLACE: Source.OFF, RankType.BLOG: Source.API, RankType.CAFE: Source.API}


def test_places_have_no_api_source() -> None:
    with pytest.raises(BadSettings, match="NAVER_PLACE_SOURCE='api' is not one of page, off"):
        api_settings(LEAST | {"NAVER_PLACE_SOURCE": "api"})


def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong = {"CRAWL_DELAY_SECONDS": "soon", "RANK_DEPTH_BLOG": "0", "CRAWL_BATCH_TIMEOUT": "-1"}
    with pytest.raises(BadSettings) as caught:
        fan_out_settings(wrong)
    for name in ("DATABASE_URL", *wrong):
        assert name in caught.value.message


@pytest.mark.parametrize("delay", ["nan", "inf", "-0.1", "2s"])
def test_a_delay_is_a_finite_number_of_seconds(delay: str) -> None:
    with pytest.raises(BadSettings, match="CRAWL_DELAY_SECONDS"):
        fan_out_settings(LEAST | {"CRAWL_DELAY_SECONDS": delay})


def test_the_broker_is_redis_unless_another_is_named() -> None:
    assert worker_settings(LEAST | {"REDIS_URL": "redis://r/0"}, cores=2).stores.broker_url == "redis://r/0"
    other = LEAST | {"REDIS_URL": "redis://r/0", "CELERY_BROKER_URL": "redis://b/0"}
    assert worker_settings(other, cores=2).stores.broker_url == "redis://b/0"


def test_a_worker_has_one_child_a_core() -> None:
    assert worker_settings(LEAST, cores=7).concurrency == 7


def test_no_error_shows_a_password() -> None:
    with pytest.raises(BadSettings) as caught:
        fan_out_settings(LEAST | {"PUBLISH_WINDOW": "none"})
    assert "secret" not in caught.value.message


def test_secrets_are_kept_in_the_table_under_each_key_that_is_given() -> None:
    first, second = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=", "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="
    assert api_settings(LEAST).secrets.keys == ()
    secrets = api_settings(LEAST | {"SECRETS_KEY": f"{first}, {second}"}).secrets
    assert (secrets.keeper, secrets.keys) == (SecretKeeper.TABLE, (first, second))
    assert worker_settings(LEAST | {"SECRET_STORE": "aws"}, cores=1).secrets.keeper is SecretKeeper.AWS


@pytest.mark.parametrize("key", ["hunter2", "QUFB", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=,hunter2", "훈터2"])
def test_a_key_for_secrets_that_is_none_is_told_without_being_repeated(key: str) -> None:
    with pytest.raises(BadSettings, match="SECRETS_KEY is not a key of 32 bytes") as caught:
        api_settings(LEAST | {"SECRETS_KEY": key})
    assert key not in caught.value.message


def test_keys_are_in_no_repr() -> None:
    key = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
    assert key not in repr(api_settings(LEAST | {"SECRETS_KEY": key}))
