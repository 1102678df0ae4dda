"""Chromium inherits nothing that a page could want."""

from crawl_worker.engine.browser_process import chromium_environment


def test_no_credential_and_no_address_of_ours_reaches_chromium() -> None:
    ours = {
        "AWS_ACCESS_KEY_ID": "a", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x", "ECS_AGENT_URI": "http://x",
        "ECS_CONTAINER_METADATA_URI_V4": "http://x", "DATABASE_URL": "postgresql://u:p@h/d", "REDIS_URL": "redis://h",
        "CELERY_BROKER_URL": "redis://h", "NAVER_API_KEY": "k", "NAVER_API_KEY_ID": "i", "SOME_TOKEN": "t",
        "NIGHTJAR_BOOTSTRAP_API_KEY": "k", "http_proxy": "http://x", "HTTPS_PROXY": "http://x", "PYTHONPATH": "/x",
    }  # fmt: skip
    assert chromium_environment(ours) == {}


def test_chromium_keeps_what_it_needs_to_start_and_to_find_fonts() -> None:
    needed = {
        "PATH": "/usr/bin",
        "HOME": "/home/x",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp/x",
        "XDG_CACHE_HOME": "/c",
        "TZ": "UTC",
    }
    assert chromium_environment(needed) == needed
