"""Whatever is sent, the answer is never a 500, and always JSON in the one envelope where it is an error."""

import json
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.api.callers import CallerClient, error_of

FEW = settings(
    max_examples=150,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

words = st.sampled_from(
    [
        *("place", "blog", "cafe", "pc", "mobile", "active", "stopped", "owner", "operator", "강남 파스타", "", "{}"),
        *("https://m.place.naver.com/restaurant/1234567890/home", "https://blog.naver.com/nj_lantern01/223400000101"),
        *("baemin", "true", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-03-02", "1e18"),
        *("https://shop.example/{page}", "http://[::1", "http://10.0.0.1/", "[", "(?=a)", "browser", "site"),
        *("=1+1", "\x00", "\ud800", "1e999", "-0", "9" * 400, "%s", "'; DROP TABLE tasks; --", ":owner", "\\"),
    ]
)
texts = words | st.text(max_size=30)
numbers = st.integers() | st.floats() | st.sampled_from([2**63, -(2**63), 10**400, 1e308, -0.0])
leaves = st.none() | st.booleans() | numbers | texts
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
names = st.sampled_from(
    [
        *(
            "rank_type",
            "keyword",
            "target_url",
            "location",
            "device",
            "options",
            "status",
            "name",
            "role",
            "owner",
            "x",
        ),
        *("platform", "login_id", "password", "account_id"),
        *("url", "depth", "include", "exclude", "delay", "engine", "scope", "url_pattern", "total_pages"),
    ]
)
bodies = st.dictionaries(names | texts, values, max_size=7) | values
paths = st.sampled_from(
    [
        *("/api/v1/trackings", "/api/v1/keys", "/api/v1/batches", "/api/v1/trackings/1", "/api/v1/trackings/1/check"),
        *(f"/api/v1/tasks/{uuid4()}/retry", "/api/v1/trackings/import", "/api/v1/tasks", "/", "/metrics"),
        *("/api/v1/accounts", f"/api/v1/accounts/{uuid4()}", "/api/v1/stores", "/api/baemin/start-crawling"),
        *("/api/v1/crawl", f"/api/v1/crawls/{uuid4()}/pages", f"/api/v1/crawls/{uuid4()}/errors", "/api/v1/pagination"),
    ]
)
methods = st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT"])
parameters = st.dictionaries(
    st.sampled_from(
        [
            *("cursor", "limit", "status", "rank_type", "keyword", "format", "kind", "state", "only", "x"),
            *("platform", "account_id", "platform_store_id", "missing", "changed_since"),
        ]
    ),
    texts.filter(lambda text: "\ud800" not in text),
    max_size=4,
)


def never_a_500(caller: CallerClient, method: str, path: str, **sent: object) -> None:
    answer = caller.send(method, path, **sent)  # type: ignore[arg-type]  # whatever hypothesis thought of
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        error_of(answer)


@FEW
@given(methods, paths, bodies)
def test_for_any_json(owner: CallerClient, method: str, path: str, body: object) -> None:
    content = json.dumps(body).encode()
    never_a_500(owner, method, path, content=content, headers={"content-type": "application/json"})


@FEW
@given(
    texts, texts, st.sampled_from(["https://shop.example/", "http://", "//", "javascript:", "", "https://[", "{page}"])
)
def test_for_any_address_and_pattern(owner: CallerClient, text: str, pattern: str, beginning: str) -> None:
    for path, body in (
        ("/api/v1/crawl", {"url": beginning + text, "include": [pattern], "exclude": [text], "background": True}),
        ("/api/v1/pagination", {"url_pattern": f"{beginning}{text}{{page}}", "total_pages": 3}),
    ):
        content = json.dumps(body).encode()
        never_a_500(owner, "POST", path, content=content, headers={"content-type": "application/json"})


@FEW
@given(paths, st.binary(max_size=60), st.sampled_from(["application/json", "text/csv", "x", ""]))
def test_for_any_bytes(owner: CallerClient, path: str, content: bytes, content_type: str) -> None:
    never_a_500(owner, "POST", path, content=content, headers={"content-type": content_type})


@FEW
@given(paths, parameters)
def test_for_any_query(operator: CallerClient, path: str, query: dict[str, str]) -> None:
    never_a_500(operator, "GET", path, params=query)


@FEW
@given(st.lists(st.lists(texts, max_size=8).map(",".join), max_size=6).map("\n".join))
def test_for_any_lines_of_a_file(owner: CallerClient, lines: str) -> None:
    file = "rank_type,keyword,target_url,x,y,device\n" + lines
    never_a_500(owner, "POST", "/api/v1/trackings/import", content=file.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("segment", ["%ff", "%00", "..", "%2e%2e%2fkeys", "'", "%F0%9F%90%A6", "a" * 3000])
def test_for_any_piece_of_a_path(owner: CallerClient, segment: str) -> None:
    for path in (f"/api/v1/trackings/{segment}", f"/api/v1/tasks/{segment}", f"/api/v1/{segment}", f"/{segment}"):
        never_a_500(owner, "GET", path)
