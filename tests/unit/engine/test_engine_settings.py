"""What the environment says, and what it must not say."""

from datetime import timedelta
from pathlib import Path

import pytest

from crawl_worker.engine.settings import EngineSettings
from nightjar.errors import Invalid


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    settings = EngineSettings.from_environment({})
    assert settings == EngineSettings()
    assert settings.timeout == timedelta(seconds=30)
    assert settings.dns_ttl == timedelta(seconds=300)
    assert (settings.max_connections, settings.max_per_host, settings.headless) == (100, 10, True)
    assert settings.chromium_path is None
    assert settings.allowed_origins == frozenset()


def test_each_name_is_read() -> None:
    settings = EngineSettings.from_environment(
        {
            "CRAWL_TIMEOUT_SECONDS": "2.5",
            "CRAWL_DNS_TTL_SECONDS": "7",
            "CRAWL_MAX_CONNECTIONS": "5",
            "CRAWL_MAX_PER_HOST": "3",
            "HEADLESS_BROWSER": "False",
            "CHROMIUM_PATH": "/opt/chromium",
            "CRAWL_USER_AGENTS": "One (a; b, c)\nTwo | Three",
        }
    )
    assert settings.timeout == timedelta(seconds=2.5)
    assert settings.dns_ttl == timedelta(seconds=7)
    assert (settings.max_connections, settings.max_per_host, settings.headless) == (5, 3, False)
    assert settings.chromium_path == Path("/opt/chromium")
    assert settings.user_agents == ("One (a; b, c)", "Two", "Three")


@pytest.mark.parametrize(
    "listed",
    [
        "http://127.0.0.1:8123 https://replica.test",
        "http://127.0.0.1:8123,https://Replica.test:443\n",
        " ,\thttps://replica.test , http://127.0.0.1:8123",
    ],
)
def test_origins_of_our_own_are_separated_by_commas_or_white_space(listed: str) -> None:
    settings = EngineSettings.from_environment({"CRAWL_ALLOWED_ORIGINS": listed})
    assert settings.allowed_origins == {"http://127.0.0.1:8123", "https://replica.test:443"}


def test_an_origin_that_is_none_is_named_with_its_setting() -> None:
    with pytest.raises(Invalid, match=r"CRAWL_ALLOWED_ORIGINS must be a list of origins: 'replica.test'"):
        EngineSettings.from_environment({"CRAWL_ALLOWED_ORIGINS": "http://ok.test replica.test"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CRAWL_TIMEOUT_SECONDS", "0"),
        ("CRAWL_TIMEOUT_SECONDS", "-1"),
        ("CRAWL_TIMEOUT_SECONDS", "nan"),
        ("CRAWL_TIMEOUT_SECONDS", "soon"),
        ("CRAWL_MAX_CONNECTIONS", "0"),
        ("CRAWL_MAX_PER_HOST", "2.5"),
        ("HEADLESS_BROWSER", "maybe"),
    ],
)
def test_a_value_that_makes_no_sense_is_named(name: str, value: str) -> None:
    with pytest.raises(Invalid, match=f"{name} must be .*{value}"):
        EngineSettings.from_environment({name: value})


def test_the_switch_that_lets_pages_past_the_proxy_is_not_accepted() -> None:
    with pytest.raises(Invalid, match="PLAYWRIGHT_DISABLE_FORCED_CHROMIUM_PROXIED_LOOPBACK"):
        EngineSettings.from_environment({"PLAYWRIGHT_DISABLE_FORCED_CHROMIUM_PROXIED_LOOPBACK": "1"})
