"""The text of a page, whatever it says about its bytes."""

import random
import time

import pytest

from crawl_worker.engine.charset import charset_of, text_of

WORD = "맛있는 집"
META = '<meta charset="{}">'


@pytest.mark.parametrize(
    ("body", "content_type", "charset"),
    [
        (b"x", "", "utf-8"),
        (b"x", "text/html", "utf-8"),
        (b"x", "text/html; charset=EUC-KR", "cp949"),
        (b"x", 'text/html; charset="ks_c_5601-1987"', "cp949"),
        (b"x", "text/html;charset=iso-8859-1", "cp1252"),
        (b"x", "text/html; charset=Shift_JIS", "cp932"),
        (b"x", "text/html; charset=gb2312", "gb18030"),
        (b"x", "text/html; boundary=x; Charset = 'EUC-KR' ; y=1", "cp949"),
        (b"x", "text/html; notcharset=euc-kr", "utf-8"),
        (b"x", "text/html; charset=no-such-charset", "utf-8"),
        (b"x", "text/html; charset=hex", "utf-8"),
        (b"x", "text/html; charset=unicode_escape", "utf-8"),
        (b"x", "text/html; charset=utf-7", "utf-8"),
        (b'<meta charset="euc-kr">', "text/html", "cp949"),
        (b"<META CHARSET = euc-kr >", "text/html", "cp949"),
        (b'<meta http-equiv="Content-Type" content="text/html; charset=euc-kr">', "", "cp949"),
        (b'<meta charset="euc-kr">', "text/html; charset=utf-8", "utf-8"),
        (b'<meta charset="nonsense">', "text/html", "utf-8"),
        (b" " * 5000 + b'<meta charset="euc-kr">', "text/html", "utf-8"),
        (b"\xef\xbb\xbfx", "text/html; charset=euc-kr", "utf-8-sig"),
        (b"\xff\xfex\x00", "text/html", "utf-16"),
    ],
)
def test_the_header_comes_before_the_page_and_a_byte_order_mark_before_both(
    body: bytes, content_type: str, charset: str
) -> None:
    assert charset_of(body, content_type) == charset


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("utf-8", "맛있는 집에서 밥을 먹었다"),
        ("cp949", "맛있는 집에서 밥을 먹었다"),
        ("cp949", "메뉴: 국수 7,000원 (大/小) ― 쌈"),
        ("cp949", "똠방각하와 펲시콜라"),
        ("cp932", "川のそばの小さな食堂で昼ごはんを食べました"),
        ("euc_jp", "川のそばの小さな食堂で昼ごはんを食べました"),
        ("gb18030", "今天的天气很好，我们一起去公园散步，然后在河边的小饭馆吃午饭。"),
        ("big5", "今天的天氣很好，我們一起去公園散步，然後在河邊的小飯館吃午飯。"),
        ("cp1251", "Сегодня хорошая погода, и мы пойдем гулять в парк."),
        ("cp1252", "Une journée d’été à Besançon où les élèves étaient déjà prêts à fêter."),
    ],
)
def test_a_page_that_names_no_charset_is_read_by_the_look_of_its_bytes(codec: str, text: str) -> None:
    page = f"<html><head><title>x</title></head><body>{f'<p class=one>{text}</p>' * 3}</body></html>"
    assert text_of(page.encode(codec), "text/html") == page


def test_utf_8_that_was_cut_or_damaged_stays_utf_8() -> None:
    body = ("맛있는 집 " * 100).encode()
    assert charset_of(body[:-2], "") == "utf-8"
    assert charset_of(body[:301] + b"\xff" + body[302:], "") == "utf-8"


def test_what_is_no_text_costs_little() -> None:
    body = random.Random(7).randbytes(8_000_000)
    started = time.process_time()
    text_of(body, "text/html")
    assert time.process_time() - started < 2


def test_an_xml_declaration_is_the_pages_own_word() -> None:
    page = '<?xml version="1.0" encoding="euc-kr"?><html><p>집</p></html>'
    assert text_of(page.encode("cp949"), "application/xhtml+xml") == page


def test_a_syllable_that_euc_kr_lacks_is_read_as_browsers_do() -> None:
    assert text_of("믜".encode("cp949"), "text/html; charset=euc-kr") == "믜"


def test_bytes_that_the_charset_does_not_know_are_marked_not_dropped() -> None:
    assert text_of(b"ab\xffcd", "text/html; charset=utf-8") == "ab\N{REPLACEMENT CHARACTER}cd"


def test_the_meta_of_a_korean_page_is_obeyed() -> None:
    page = META.format("euc-kr") + WORD
    assert text_of(page.encode("cp949"), "text/html") == page
