"""Which pages a site lists, in every form that such lists come in."""

import gzip
import time
import tracemalloc

import pytest

from crawl_worker.sites.web.sitemap import MAX_ENTRIES, Sitemap, read_sitemap

URL = "https://site.test/maps/sitemap.xml"
NS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def urlset(*places: str, ns: str = NS) -> str:
    rows = "".join(f"<url><loc>{place}</loc><lastmod>2026-11-24</lastmod></url>" for place in places)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset {ns}>{rows}</urlset>'


def pages(text: str | bytes) -> tuple[str, ...]:
    return read_sitemap(text.encode() if isinstance(text, str) else text, URL).pages


def test_pages_are_told_once_and_in_order() -> None:
    assert pages(urlset("https://site.test/b", " https://site.test/a\n", "https://site.test/b")) == (
        "https://site.test/b",
        "https://site.test/a",
    )


def test_an_index_lists_further_files() -> None:
    index = f"<sitemapindex {NS}><sitemap><loc>https://site.test/1.xml.gz</loc></sitemap></sitemapindex>"
    assert read_sitemap(index.encode(), URL) == Sitemap((), ("https://site.test/1.xml.gz",))


@pytest.mark.parametrize("ns", ["", 'xmlns="http://wrong.test/"', 'xmlns:image="http://www.google.com/schemas"'])
def test_a_missing_or_wrong_namespace_does_not_matter(ns: str) -> None:
    assert pages(urlset("https://site.test/a", ns=ns)) == ("https://site.test/a",)


def test_a_prefix_does_not_matter_and_a_picture_is_no_page() -> None:
    text = (
        f'<s:urlset xmlns:s="x" xmlns:image="y" {NS}><s:url><s:loc>https://site.test/a</s:loc>'
        "<image:image><image:loc>https://site.test/a.png</image:loc></image:image></s:url></s:urlset>"
    )
    assert pages(text) == ("https://site.test/a",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_any_unicode_is_read(encoding: str) -> None:
    text = "<urlset><url><loc>https://site.test/한글</loc></url></urlset>"
    assert pages(text.encode(encoding)) == ("https://site.test/한글",)


def test_escapes_and_cdata_are_text() -> None:
    assert pages(urlset("https://site.test/?a=1&amp;b=2", "<![CDATA[https://site.test/?c=1&d=2]]>")) == (
        "https://site.test/?a=1&b=2",
        "https://site.test/?c=1&d=2",
    )


def test_a_packed_file_is_known_by_its_bytes() -> None:
    assert pages(gzip.compress(urlset("https://site.test/a").encode())) == ("https://site.test/a",)


def test_plain_text_is_a_list() -> None:
    assert pages("\ufeffhttps://site.test/a\r\n\r\n https://site.test/b \nnot a url\nftp://site.test/c\n") == (
        "https://site.test/a",
        "https://site.test/b",
        "https://site.test/maps/not a url",
    )


def test_rss_and_atom_list_pages_too() -> None:
    rss = "<rss><channel><link>https://site.test/</link><item><link>https://site.test/n1</link></item></channel></rss>"
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><link href="https://site.test/"/><entry>'
        '<link rel="self" href="/self"/><link href="/n2"/></entry></feed>'
    )
    assert pages(rss) == ("https://site.test/n1",)
    assert pages(atom) == ("https://site.test/n2",)


def test_a_relative_place_is_below_the_file() -> None:
    assert pages(urlset("/a", "b")) == ("https://site.test/a", "https://site.test/maps/b")


def test_of_a_broken_file_all_before_the_fault_is_read() -> None:
    whole = urlset(*[f"https://site.test/{turn}" for turn in range(10)])
    cut = whole[: whole.index("/7</loc>")]
    assert len(pages(cut)) == 7
    assert len(pages(whole.replace("/7</loc>", "/7&bad</loc>"))) == 7


@pytest.mark.parametrize("body", [b"", b"\x1f\x8b", b"<", b"<?xml encoding='no-such'?><a/>", b"\xff\xfe<", b"<html>"])
def test_what_is_no_sitemap_lists_nothing(body: bytes) -> None:
    assert read_sitemap(body, URL) == Sitemap()


def test_an_entity_bomb_is_not_lit() -> None:
    rows = "".join(f'<!ENTITY e{turn} "{f"&e{turn - 1};" * 10}">' for turn in range(1, 10))
    bomb = f'<!DOCTYPE urlset [<!ENTITY e0 "https://site.test/">{rows}]>{urlset("&e9;").partition("?>")[2]}'
    started = time.process_time()
    assert pages(bomb) == ()
    assert time.process_time() - started < 1


def test_a_file_of_the_machine_is_not_read() -> None:
    text = '<!DOCTYPE u [<!ENTITY f SYSTEM "file:///etc/hostname">]><urlset><url><loc>/&f;</loc></url></urlset>'
    assert pages(text) == ()


@pytest.mark.parametrize("body", [bytes(100_000_000), b"\n" * 100_000_000, b"<u>" + b"<a/>" * 5_000_000])
def test_a_packed_bomb_costs_little(body: bytes) -> None:
    bomb = gzip.compress(body, 1)
    del body
    tracemalloc.start()
    started = time.process_time()
    assert pages(bomb) == ()
    assert tracemalloc.get_traced_memory()[1] < 150_000_000
    tracemalloc.stop()
    assert time.process_time() - started < 20, "about 1 s, and several times that while memory is traced"


def test_of_a_packed_file_that_was_cut_the_first_part_is_read() -> None:
    packed = gzip.compress("\n".join(f"https://site.test/{turn * 7919}" for turn in range(1000)).encode())
    assert 100 < len(pages(packed[: len(packed) // 2])) < 1000


def test_entries_beyond_the_limit_are_ignored() -> None:
    text = "\n".join(f"https://site.test/{turn}" for turn in range(MAX_ENTRIES + 10))
    assert len(pages(text)) == MAX_ENTRIES
    assert pages("https://site.test/" + "x" * 2100) == ()


def test_elements_within_elements_end_the_reading() -> None:
    assert pages(urlset("https://site.test/a").replace("</urlset>", "<a>" * 5000)) == ("https://site.test/a",)
    assert pages("<urlset>" + "<a>" * 5000 + urlset("https://site.test/a").partition("?>")[2]) == ()
