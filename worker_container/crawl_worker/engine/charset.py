"""From the bytes of a page to its text: header first, then the page's own word, then what the bytes look like."""

import codecs
import re
from functools import lru_cache

from crawl_worker.engine.charset_guess import guessed_charset

# The names that pages write where Python's codec of that name is narrower than what browsers read (WHATWG Encoding).
_WIDER = {
    "euc-kr": "cp949",
    "euc_kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "ksc5601": "cp949",
    "korean": "cp949",
    "windows-949": "cp949",
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "shift_jis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
}
_PLAIN = re.compile(
    r"(utf-?8|utf-16(le|be)?|iso-8859-\d{1,2}|windows-\d{3,4}|cp\d{3,4}|euc-jp|iso-2022-jp|big5|gb18030|koi8-[ru])"
)
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_PARAMETER = re.compile(r";\s*charset\s*=\s*[\"']?\s*([\w.:\-]{2,40})", re.IGNORECASE | re.ASCII)
_XML = re.compile(rb"<\?xml[^>]{0,100}?\sencoding\s*=\s*[\"']([a-zA-Z0-9_:.\-]{2,40})")
_XML_WITHIN = 200
_META = re.compile(rb"<meta[^>]{1,200}?charset\s*=\s*[\"']?\s*([a-zA-Z0-9_:.\-]{2,40})", re.IGNORECASE)
_META_WITHIN = 4096
"""Bytes; browsers look at the first 1024, some pages put scripts before."""


def text_of(body: bytes, content_type: str) -> str:
    """The text of a body; bytes that the charset does not know become U+FFFD."""
    return body.decode(charset_of(body, content_type), errors="replace")


def charset_of(body: bytes, content_type: str) -> str:
    """The Python codec to read a body with."""
    for mark, codec in _BOMS:
        if body.startswith(mark):
            return codec
    return _of_header(content_type) or _codec(_of_page(body)) or guessed_charset(body)


@lru_cache(maxsize=1024)
def _of_header(content_type: str) -> str | None:
    found = _PARAMETER.search(content_type)
    return _codec(found.group(1)) if found else None


def _of_page(body: bytes) -> str:
    if body.startswith(b"<?xml"):
        declared = _XML.match(body, 0, _XML_WITHIN)
        if declared:
            return declared.group(1).decode("ascii")
    found = _META.search(body, 0, _META_WITHIN)
    return found.group(1).decode("ascii") if found else ""


def _codec(label: str) -> str | None:
    label = label.strip().lower()
    codec = _WIDER.get(label, label if _PLAIN.fullmatch(label) else "")
    try:
        return codecs.lookup(codec).name if codec else None
    except LookupError:
        return None
