"""Row `cold_start`: from the start of the runtime to the first answer, against a bare FastAPI + Mangum hello."""

import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter

from infra.local.bench.hello import APP
from infra.local.bench.rows import Row
from infra.local.events import http_event
from infra.local.lambda_runtime import LambdaRuntime
from infra.local.package import unpack
from infra.local.stack import Stack
from tests.doubles.naver.replica import Replica

ROUNDS = 9
GET_TARGET = 1.6
POST_TARGET = 2.0
DESK_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
JSON = {"Content-Type": "application/json"}
BODY = json.dumps(
    {"rank_type": "blog", "keyword": "첫 요청", "target_url": "https://blog.naver.com/nj_cold01/223400008001"}
)


def measure() -> list[Row]:
    """Medians over rounds in which every contender starts once, in turn: the load of the machine hits all alike."""
    with tempfile.TemporaryDirectory(prefix="nightjar-bench-") as folder, Replica() as replica:
        ours, hello = build(Path(folder))
        with Stack(replica.settings, processes=()) as stack:
            headers = {"Authorization": f"Bearer {stack.api_key}"}
            contenders = {
                "hello": (hello, "hello.handler", http_event("GET", "/hello")),
                "get": (ours, "functions.api.app.handler", http_event("GET", "/api/v1/trackings", headers=headers)),
                "post": (
                    ours,
                    "functions.api.app.handler",
                    http_event("POST", "/api/v1/trackings", headers=headers | JSON, body=BODY),
                ),
            }
            times: dict[str, list[float]] = {name: [] for name in contenders}
            for _ in range(ROUNDS):
                for name, (code, handler, event) in contenders.items():
                    times[name].append(one_cold_start(code, handler, event, stack.env))
    median = {name: statistics.median(values) for name, values in times.items()}
    return [
        Row(name="cold_start hello", value=median["hello"], unit="s", target="", ok=None),
        _row("cold_start first GET", median["get"], median["hello"], GET_TARGET),
        _row("cold_start first POST", median["post"], median["hello"], POST_TARGET),
    ]


def build(folder: Path) -> tuple[Path, Path]:
    """The API's zip content and a hello from the same lock, both with compiled code."""
    ours, hello = folder / "api", folder / "hello"
    unpack("api", ours, python=DESK_PYTHON)
    shutil.copytree(ours, hello)
    for part in ("nightjar", "functions"):
        shutil.rmtree(hello / part)
    (hello / "hello.py").write_text(APP)
    return ours, hello


def one_cold_start(code: Path, handler: str, event: Mapping[str, object], env: Mapping[str, str]) -> float:
    """Seconds from starting the runtime to the answer of its first invocation."""
    started = perf_counter()
    with LambdaRuntime(handler, env, build_dir=code) as function:
        answer = function.invoke(event)
        took = perf_counter() - started
    if not isinstance(answer, dict) or answer.get("statusCode") not in {200, 201, 409}:
        raise RuntimeError(f"{handler} did not answer as it should: {answer}")
    return took


def _row(name: str, value: float, hello: float, target: float) -> Row:
    return Row(
        name=name,
        value=value,
        unit="s",
        against={"hello": value / hello},
        target=f"at most {target}x hello",
        ok=value <= target * hello,
    )
