"""The text of a page, whatever it says about its bytes."""

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


def test_a_syllable_that_euc_kr_lacks_is_read_as_browsers_do() -> None:
    assert text_of("믜".encode("cp949"), "text/html; charset=euc-kr") == "믜"


def test_bytes_that_the_charset_does_not_know_are_marked_not_dropped() -> None:
    assert text_of(b"ab\xffcd", "text/html; charset=utf-8") == "ab\N{REPLACEMENT CHARACTER}cd"


def test_the_meta_of_a_korean_page_is_obeyed() -> None:
    page = META.format("euc-kr") + WORD
    assert text_of(page.encode("cp949"), "text/html") == page
