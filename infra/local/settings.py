"""Which settings of the environment belong to Nightjar, and where its programs are found."""

import os
import sys
from collections.abc import Mapping

from infra.local.child import ROOT

_PREFIXES = ("NAVER_", "BAEMIN_", "CRAWL_", "WORKER_", "TASK_", "RANK_DEPTH_", "NIGHTJAR_", "SECRET_", "SECRETS_")
_NAMES = frozenset(
    {
        "DATABASE_URL", "REDIS_URL", "REDIS_KEY_PREFIX", "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "RESULT_EXPIRES",
        "BROKER_VISIBILITY_TIMEOUT", "JANITOR_INTERVAL_SECONDS", "LEASE_SECONDS", "PUBLISH_WINDOW", "HEADLESS_BROWSER",
        "CHROMIUM_PATH", "ARCHIVE_URL", "LOG_LEVEL", "LIVE_ENDPOINT",
    }
)  # fmt: skip


def nightjar_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings of Nightjar among the variables of an environment."""
    return {name: value for name, value in environment.items() if name in _NAMES or name.startswith(_PREFIXES)}


def program_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program of the stack: this process's own, the settings, and where the code lies."""
    return {
        **os.environ,
        **settings,
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "worker_container"))),
        "PYTHONUNBUFFERED": "1",
        "PATH": os.pathsep.join((os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath))),  # noqa: PTH120
    }
