"""Korean designs: tables that lay out, a product with ARIA roles, a notice board of an office, a news page of divs."""

from __future__ import annotations

from typing import Final

from tests.doubles.web.hosts.designs.design import Design
from tests.doubles.web.markup import Element, a, el, heading, items, noise, rows, text
from tests.doubles.web.page import PageNumbers
from tests.doubles.web.words import korean, product

_COPYRIGHT: Final = "이 누리집의 글은 모두 지어낸 것이며 누구의 것도 아닙니다."
_OFFICE: Final = "바람개비시 등대구 포구로 1, 대표전화 02-0000-0000"


def soup() -> Design:
    """Tables within tables and fonts: not one element that says what it is; no language, and EUC-KR."""
    links = [a("/soup/intro", "가게 소개"), a("/soup/goods", "물건 보기"), a("/soup/map", "오시는 길")]
    menu = el("td", *(piece for link in links for piece in (link, el("br"))), id="leftmenu", role="nav", width="150")
    story = [text(sentence, tag="font", size="2") for sentence in korean(7, "soup")]
    spaced = [piece for sentence in story for piece in (sentence, el("br"), el("br"))]
    content = el(
        "td", el("font", el("b", "등대 골목의 오래된 가게"), size="4"), el("br"), *spaced, id="content", role="main"
    )
    body = el(
        "body",
        el("table", el("tr", el("td", el("font", "바람개비 상회", size="5"), id="top_header", colspan="2",
                                role="header")),
           el("tr", menu, content),
           el("tr", el("td", noise(_COPYRIGHT, tag="font"), el("br"), noise(_OFFICE, tag="font"), id="footer",
                       colspan="2", role="footer")),
           width="800", border="0"),
        bgcolor="#ffffff",
    )  # fmt: skip
    return Design(name="soup", path="/soup/index", title="등대 골목의 오래된 가게", language="ko", body=body,
                  says_language=False, charset="euc-kr")  # fmt: skip


def goods() -> Design:
    """A product page of divs whose roles are said by ARIA."""
    name = product(17)
    main = _aria(
        "main",
        heading(1, name),
        el("div", el("span", "판매가", class_="label"), el("strong", "12,800원"), class_="price"),
        *(text(sentence) for sentence in korean(3, "goods", 1)),
        heading(2, "자세히"),
        *(text(sentence) for sentence in korean(5, "goods", 2)),
        heading(2, "규격"),
        rows(("항목", "값"), ("크기", "가로 12 cm"), ("무게", "340 g"), ("만든 곳", "바람개비 마을")),
        heading(2, "고르기"),
        items("푸른색", "붉은색", "나무색"),
    )
    side = _aria(
        "complementary",
        heading(2, "함께 본 물건"),
        items(*(a(f"/goods/{number}", product(number)) for number in (3, 29, 41))),
        noise("지금 가입하면 다음 장날에 쓸 수 있는 쿠폰을 드립니다."),
    )
    body = el(
        "body",
        _aria("banner", el("div", a("/goods", "고운 그릇집")),
              _aria("navigation", items(a("/goods/new", "새 물건"), a("/goods/best", "많이 찾는 물건")))),
        main,
        side,
        _aria("contentinfo", noise(_COPYRIGHT), noise(_OFFICE)),
    )  # fmt: skip
    return Design(name="goods", path="/goods/17", title=f"{name} - 고운 그릇집", language="ko", body=body,
                  description=f"{name}을 소개합니다.")  # fmt: skip


_ROLES: Final = {"main": "main", "complementary": "aside", "banner": "header", "navigation": "nav",
                 "contentinfo": "footer"}  # fmt: skip


def _aria(role: str, *children: Element | str) -> Element:
    return Element(tag="div", attributes=f' role="{role}"', children=children, role=_ROLES[role])


def office_list(page: int = 3) -> Design:
    """The notice board of an office: a table of notices, and page numbers in blocks of ten with first and last."""
    total, per_page = 14, 10
    newest = 137 - (page - 1) * per_page
    notices = [
        (str(number), a(f"/office/notice/view?id={number}", korean(1, "office", number)[0]), "총무과", "2025-03-04")
        for number in range(newest, newest - per_page, -1)
    ]
    block = range((page - 1) // 10 * 10 + 1, min((page - 1) // 10 * 10 + 10, total) + 1)
    turns: list[Element | str] = [a(office_path(1), "처음")]
    turns += [a(office_path(n), str(n)) if n != page else el("strong", str(n)) for n in block]
    turns += [a(office_path(min(block[-1] + 1, total)), "다음"), a(office_path(total), "마지막")]
    contents = el(
        "div",
        heading(2, "공지사항"),
        el("p", "총 137건, ", el("span", f"{page}/{total}쪽"), class_="total"),
        rows(("번호", "제목", "부서", "날짜"), *notices, caption="공지사항 목록", class_="bbs_list"),
        el("div", *turns, class_="paging", role="nav"),
        id="contents", role="main",
    )  # fmt: skip
    numbers = PageNumbers(pattern="/office/notice/list?menu=21&pageIndex={page}", kind="query", current=page,
                          total=total)  # fmt: skip
    return Design(name="office-list", path=office_path(page), title="공지사항 - 등대구청", language="ko",
                  body=_office(contents), numbers=numbers)  # fmt: skip


def office_path(page: int) -> str:
    """A page of the board."""
    return f"/office/notice/list?menu=21&pageIndex={page}"


def office_view() -> Design:
    """One notice of that office: its facts in a table, its words below."""
    title = "등대 둘레길 정비에 따른 통행 안내"
    contents = el(
        "div",
        heading(2, "공지사항"),
        heading(3, title),
        rows(("부서", "총무과"), ("날짜", "2025-03-04"), ("전화", "02-0000-0000"), head=False, class_="bbs_info"),
        el("div", *(text(sentence) for sentence in korean(8, "office view")), class_="bbs_text"),
        el("p", a(office_path(1), "목록")),
        id="contents", role="main",
    )  # fmt: skip
    return Design(name="office-view", path="/office/notice/view?id=110", title=f"{title} - 등대구청", language="ko",
                  body=_office(contents))  # fmt: skip


def _office(contents: Element) -> Element:
    top = el(
        "div",
        heading(1, "등대구청"),
        el("div", items(a("/office/news", "구정 소식"), a("/office/service", "민원")), id="gnb", role="nav"),
        id="header", role="header",
    )  # fmt: skip
    side = el("div", items(a(office_path(1), "공지사항"), a("/office/jobs", "채용")), id="lnb", role="nav")
    bottom = el("div", noise(_OFFICE), noise(_COPYRIGHT), id="footer", role="footer")
    return el("body", el("div", top, el("div", side, contents, id="container"), bottom, id="wrap"))


def paper() -> Design:
    """A news page of divs with the usual names, with a byline, adverts between paragraphs and a column of links."""
    title = "남쪽 포구에 열여섯 해 만에 첫 배가 들어오다"
    one, two = korean(4, "paper", 1), korean(5, "paper", 2)
    article = el(
        "div",
        heading(1, title),
        el("p", "등대구 김바람 기자", class_="byline"),
        *(text(sentence) for sentence in one),
        noise("광고: 지금 담으면 배송비를 받지 않습니다.", tag="div", class_="ad"),
        heading(2, "포구의 아침"),
        *(text(sentence) for sentence in two),
        class_="article", role="article",
    )  # fmt: skip
    body = el(
        "body",
        el("div", a("/paper", "포구신문"), el("div", items(a("/paper/town", "동네"),
           a("/paper/sea", "바다")), class_="menu", role="nav"),
           class_="header", role="header"),
        el("div", article, class_="content", role="main"),
        el("div", heading(2, "많이 본 글"),
           items(*(a(f"/paper/{n}", korean(1, "paper side", n)[0]) for n in range(1, 5)), tag="ol"),
           class_="sidebar", role="aside"),
        el("div", noise(_COPYRIGHT), class_="footer", role="footer"),
    )  # fmt: skip
    return Design(name="paper", path="/paper/2025/boat", title=title, language="ko", body=body)
