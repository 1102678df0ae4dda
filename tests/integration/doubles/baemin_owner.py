"""An owner in a browser, and a reader of the owner site that shares no code with the replica."""

import hashlib
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Response

from tests.doubles.baemin.replica import Json, Replica

SELECT = "select[class*='ShopSelect']"
ID, PASSWORD = "input[name=id][data-testid=id]", "input[name=password][data-testid=password]"
PATIENCE = 3.0
TEXTS = (
    re.compile(r"\[(?P<service>[^\]]+)\] (?P<name>.+) / (?P<category>[^/]+?) \d{5,}"),
    re.compile(r"\[(?P<service>[^\]]+)\] (?P<name>.+) / (?P<category>[^/]+)"),
    re.compile(r"(?P<name>.+) / (?P<category>[^/]+?) \d{5,}"),
    re.compile(r"(?P<category>\S+) \d{5,} (?P<name>.+)"),
)
SCREENS = {
    "시스템 점검": "maintenance",
    "비정상 동작이 감지되어": "blocked",
    "보안 위배 접근 제한": "blocked",
    "본인인증": "action_required",
    "다음에 변경": "action_required",
    "약관 동의": "action_required",
    "계정이 잠겼습니다": "action_required",
    "일치하지 않습니다": "invalid_credentials",
    "사장님 공간": "layout_changed",
    "가게관리": "in",
}


@dataclass
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def data(self) -> Json:
        found: Json = json.loads(self.body)
        return found


def get(url: str, headers: dict[str, str] | None = None, method: str = "GET") -> Answer:
    """One request without a browser; redirects are not followed."""
    request = urllib.request.Request(url, headers=headers or {}, method=method)
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=10) as reply:
            return Answer(reply.status, _lower(reply.headers), reply.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, _lower(error.headers), error.read())


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@dataclass
class Calls:
    """The API as the script of one page calls it, with the cookie of a session."""

    site: Replica
    state: Json
    count: int = 0
    page: Json = field(default_factory=dict)

    @property
    def cookie(self) -> str:
        (cookie,) = self.state["cookies"]
        return f"{cookie['name']}={cookie['value']}"

    def open_page(self) -> None:
        shown = get(self.site.urls["BAEMIN_SELF_URL"] + "/", {"Cookie": self.cookie}).text
        found = re.search(r'id="replica-config" type="application/json">(.+?)</script>', shown)
        assert found, f"no page was drawn: {shown}"
        self.page = json.loads(found[1])["signing"]

    def header(self, path: str, at: int | None = None) -> str:
        if not self.page:
            self.open_page()
        self.count += 1
        at = at or int(time.time() * 1000)
        made = hashlib.sha256(f"{self.page['key']}|{self.count}|{at}|{path}".encode()).hexdigest()
        return f"{self.page['page']}-{self.count}|{at}|{made}"

    def get(self, path: str, query: str = "", **headers: str) -> Answer:
        usual = {
            "Origin": self.site.urls["BAEMIN_SELF_URL"],
            "Cookie": self.cookie,
            "x-e-request": headers.pop("signed", "") or self.header(path),
        }
        return get(self.site.urls["BAEMIN_API_URL"] + path + query, usual | headers)


@contextmanager
def owner_page(
    browser: Browser, site: Replica, *, session_of: str = "", state: Mapping[str, object] | None = None
) -> Iterator[Page]:
    """A page of a context of its own, with a new session of an account or with a saved state."""
    saved: Any = site.control.open_session(session_of) if session_of else state
    opened = browser.new_context(storage_state=saved)
    opened.set_default_timeout(PATIENCE * 1000)
    try:
        yield opened.new_page()
    finally:
        opened.close()


def log_in(page: Page, site: Replica, account: Json) -> None:
    """Fills in and sends the login form; does not wait for what comes of it."""
    if not page.url.startswith(site.urls["BAEMIN_MEMBER_URL"]):
        page.goto(site.urls["BAEMIN_MEMBER_URL"] + "/login", wait_until="domcontentloaded")
    page.fill(ID, account["login_id"])
    page.fill(PASSWORD, account["password"])
    page.click("button[type=submit]")


def screen(page: Page, seconds: float = PATIENCE) -> str:
    """What a page turns out to show: `in`, or an outcome."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if page.locator("iframe[title=reCAPTCHA]").count():
            return "action_required"
        text = page.locator("body").inner_text()
        for words, meaning in SCREENS.items():
            if words in text:
                return meaning
        page.wait_for_timeout(15)
    return "timeout"


@dataclass
class Crawl:
    """A crawl of an account by hand: how it ended, and what was read of each shop in the shape of the truth."""

    site: Replica
    account: Json
    details_of: set[str] | None = None
    """Shops whose own page is opened; None is all."""
    outcome: str = ""
    rows: dict[str, Json] = field(default_factory=dict)
    answers: list[Response] = field(default_factory=list)

    def run(self, page: Page, patience: float = PATIENCE) -> None:
        page.context.on("response", self._note_answer)
        home = self.site.urls["BAEMIN_SELF_URL"] + "/"
        page.goto(home, wait_until="domcontentloaded")
        if urlsplit(page.url).path == "/login":
            log_in(page, self.site, self.account)
            page.wait_for_timeout(50)
        self.outcome = screen(page, patience)
        if self.outcome == "in":
            self.outcome = self._read(page)

    def _note_answer(self, answer: Response) -> None:
        self.answers.append(answer)

    def _read(self, page: Page) -> str:
        page.wait_for_selector("#board > *")
        self._read_select(page)
        self._read_answers()
        if not self.rows:
            return "no_stores"
        for number in list(self.rows):
            ended = self._read_detail(page, number) if self.details_of is None or number in self.details_of else ""
            if ended:
                return ended
        page.goto(self.site.urls["BAEMIN_SELF_URL"] + "/mypage/owner")
        page.wait_for_selector("#board > *")
        self._read_answers()
        return "ok"

    def _read_select(self, page: Page) -> None:
        if not page.locator(SELECT).count():
            self._read_heading(page)
            return
        page.wait_for_selector(f"{SELECT} option", state="attached")
        options = page.locator(f"{SELECT} option").evaluate_all("all => all.map(one => [one.value, one.text])")
        for number, text in options:
            if number:
                found = next(match for pattern in TEXTS if (match := pattern.fullmatch(text))).groupdict()
                self._note(
                    number,
                    "select",
                    store_name=found["name"],
                    category=found["category"],
                    service_type=found.get("service"),
                    raw_label=text,
                )

    def _read_heading(self, page: Page) -> None:
        heading = page.locator("[class^=ShopSelect-module] h3")
        if heading.count():
            number = re.search(r"\d{5,}", page.locator("[class^=ShopSelect-module] p").inner_text())
            found = re.fullmatch(r"\[(.+)\] (.+)", heading.inner_text())
            assert number
            assert found
            self._note(number[0], "heading", service_type=found[1], store_name=found[2], raw_label=heading.inner_text())

    def _read_detail(self, page: Page, number: str) -> str:
        page.goto(f"{self.site.urls['BAEMIN_SELF_URL']}/shops/{number}/manage", wait_until="domcontentloaded")
        page.wait_for_selector("#board > *, input[name=id], h1")
        self._read_answers()
        path = urlsplit(page.url).path
        return {"/login": "session_expired", "/bridge": "blocked"}.get(path, "")

    def _read_answers(self) -> None:
        for answer in self.answers:
            parts = urlsplit(answer.url)
            if answer.status == 200 and answer.request.method == "GET" and "/v4/store/" in parts.path:
                self._read_answer(parts.path, answer.json())
        self.answers.clear()

    def _read_answer(self, path: str, found: Json) -> None:
        if path.endswith("/search"):
            for row in found["contents"] if "contents" in found else found["content"]:
                self._note(str(row["shopNo"]), "search", store_name=row["name"])
        elif path.endswith("/by-shop-owner-number"):
            for row in found["content"]:
                self._note(str(row["shopNo"]), "search", temporary_stop=row["temporaryStop"])
        elif "shop-owners" in path:
            for row in self.rows.values():
                row["business_no"] = found["businessNo"]
        else:
            address = found["address"]
            self._note(
                str(found["shopNo"]),
                "detail",
                store_name=found["name"],
                category=found["categories"][0]["name"],
                road_address=address.get("road", {}).get("address"),
                lat=address["latitude"],
                lng=address["longitude"],
                phone=found.get("telephone"),
                status=found.get("operationStatus"),
            )

    def _note(self, number: str, place: str, **values: object) -> None:
        row = self.rows.setdefault(number, {"platform_store_id": number, "seen_in": set()})
        row["seen_in"].add(place)
        for name, value in values.items():
            if value is not None:
                row[name] = value


def as_read(rows: dict[str, Json], truth: list[Json]) -> list[Json]:
    """What was read, with None for what was not, in the order of the truth; shops that the truth lacks come last."""
    order = [row["platform_store_id"] for row in truth]
    names = truth[0].keys() if truth else ()
    found = sorted(rows, key=lambda number: order.index(number) if number in order else len(order))
    return [
        {name: sorted(rows[number]["seen_in"]) if name == "seen_in" else rows[number].get(name) for name in names}
        for number in found
    ]


def as_shown(truth: list[Json], details_of: set[str]) -> list[Json]:
    """The truth, without the details of shops whose page was not opened."""
    shown = []
    for given in truth:
        row = dict(given, seen_in=sorted(given["seen_in"]))
        if row["platform_store_id"] not in details_of:
            row |= dict.fromkeys(("road_address", "lat", "lng", "phone", "status"))
            row["seen_in"] = [place for place in row["seen_in"] if place != "detail"]
        shown.append(row)
    return shown
