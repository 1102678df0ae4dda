"""The shell that all search pages share: head, navigation, the side column, the script of an endless list.

Invented: all of the shell's markup and words. Known: the form of the `new XLoad({...})` call.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import quote

from tests.doubles.naver.exchange import SCRIPT_HEADER
from tests.doubles.naver.identities import blog_id, log_no
from tests.doubles.naver.rows import Row
from tests.doubles.seeded import number, token

INVENTED: Final = "<!-- replica: names, texts and the frame of this page are invented -->"
_STYLE: Final = ".captcha{display:none}.ad_area{color:#888}li,div[data-template-id]{min-height:60px}"
_XLOAD: Final = (
    "function XLoad(o){var busy=false;function more(){if(busy||!o.url)return;"
    "if(window.innerHeight+window.scrollY<document.body.scrollHeight-400)return;busy=true;"
    "var h=Object.assign({},o.headers||{});h['" + SCRIPT_HEADER + "']='1';"
    "fetch(o.url,{headers:h}).then(function(r){return r.json()}).then(function(d){"
    "var c=(d.collection||[])[0]||{};o.url=c.html?d.url:'';"
    "document.querySelector('[data-replica-list]').insertAdjacentHTML('beforeend',c.html||'');busy=false})"
    ".catch(function(){o.url=''})}window.addEventListener('scroll',more)}"
)


@dataclass(frozen=True, slots=True)
class Dress:
    """Class names of a design version: `mutated` renames every one, the others keep them."""

    design: str

    def __call__(self, names: str) -> str:
        """A `class` attribute for the names."""
        if self.design == "mutated":
            names = " ".join(f"{token(5, name)[0:1] or 'x'}{token(7, 'mutated', name)}" for name in names.split())
        return f'class="{names}"'


def search_page(keyword: str, seed: int, main: str, *, script: str = "") -> str:
    """A whole search page around its main part."""
    shown = escape(keyword)
    return (
        f'<!doctype html><html lang="ko"><head><meta charset="utf-8">{INVENTED}<title>{shown} : 네이버 검색</title>'
        f"<style>{_STYLE}</style></head><body>{_navigation(keyword)}{_related_keywords(keyword)}"
        f'<div id="container"><div id="content"><h2>{shown} 검색 결과</h2>{main}</div>'
        f"{_side_column(keyword, seed)}</div>{script}<footer>모형 바닥글</footer></body></html>"
    )


def front_page() -> str:
    """What a search without a keyword shows: no results at all."""
    return (
        f'<!doctype html><html lang="ko"><head><meta charset="utf-8">{INVENTED}<title>검색</title></head>'
        '<body><form action="/search.naver"><input name="query" placeholder="검색어를 입력하세요"></form></body></html>'
    )


def no_results(keyword: str) -> str:
    """The only trustworthy zero."""
    return f"<div id=\"notfound\"><p>'{escape(keyword)}'에 대한 검색결과가 없습니다.</p></div>"


def marked(text: str, keyword: str) -> str:
    """Escaped text with the keyword in `<mark>`."""
    return escape(text).replace(escape(keyword), f"<mark>{escape(keyword)}</mark>")


def advert_address(row: Row) -> str:
    """The address of the click host; its token tells the click host where to send a visitor."""
    return f"https://ader.naver.com/v1/{advert_token(row.url)}"


def advert_token(url: str) -> str:
    """An opaque token that holds the target address (the encoding is invented)."""
    return f"{url.encode().hex()}~{token(16, url)}"


def link(row: Row) -> str:
    """`href`, and `cru` where the page leads through its own redirect."""
    if not row.through_redirect:
        return f'href="{escape(row.url)}"'
    through = f"https://search.naver.com/p/crd/rd?m=1&px=0&rank=0&u={quote(row.url, safe='')}"
    return f'href="{escape(through)}" cru="{escape(row.url)}"'


def endless(url: str, headers: dict[str, str], design: str) -> str:
    """The script that announces the next load; "" where the list is over."""
    if not url:
        return ""
    address = json.dumps(url)
    if design == "mutated":
        address = address.replace("/", "\\/").replace("&", "\\u0026")
    sent = f",headers:{json.dumps(headers, separators=(',', ':'))}" if headers else ""
    return f"<script>{_XLOAD}</script><script>var more=new XLoad({{url:{address}{sent}}});</script>"


def script_json(value: object) -> str:
    """JSON for a script tag; values may hold `};` and `</`, but nothing that ends the tag."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("</script", "<\\/script")


def _navigation(keyword: str) -> str:
    tabs = (("전체", "tab.nx.all"), ("블로그", "tab.blog.all"), ("카페", "tab.cafe.all"))
    links = "".join(f'<li><a href="?ssc={ssc}&amp;query={quote(keyword)}">{name}</a></li>' for name, ssc in tabs)
    return f'<nav role="tablist"><ul>{links}</ul></nav>'


def _related_keywords(keyword: str) -> str:
    words = ("추천", "후기", "가격", "예약")
    links = "".join(
        f'<li><a href="?query={quote(f"{keyword} {word}")}">{escape(keyword)} {word}</a></li>' for word in words
    )
    return f'<div id="nx_related"><h3>연관 검색어</h3><ul>{links}</ul></div>'


def _side_column(keyword: str, seed: int) -> str:
    """Popular posts of other keywords, with blog and cafe links that are no results."""
    posts = (number(seed, "side", keyword, n) for n in range(4))
    links = "".join(
        f'<li><a href="https://blog.naver.com/{blog_id(seed, value % 5000)}/{log_no("side", value)}">'
        "함께 많이 찾는 글</a></li>"
        for value in posts
    )
    cafe = '<li><a href="https://cafe.naver.com/njcafeside001/1234567">이웃 모임 글</a></li>'
    return f'<aside id="sub_pack"><h3>지금 많이 찾는</h3><ul>{links}{cafe}</ul></aside>'
