"""The charset of a page that names none, guessed from its bytes."""

import codecs
import re
from dataclasses import dataclass

from charset_normalizer import from_bytes

SAMPLE_BYTES = 32_768
"""From the first byte that is not ASCII on: enough for certainty, and a bound on what a guess costs."""

FEW_DAMAGED = 0.05
"""Share of broken characters below which a text is taken for one that was cut or damaged, not for another charset."""

_NOT_ASCII = re.compile(rb"[\x80-\xff]")

_HANGUL = re.compile("[\uac00-\ud7a3]")
_KANA = re.compile("[\u3041-\u30fe]")
_LETTERS = re.compile(r"[^\x00-\x7f\W]")
_FOREIGN = re.compile("[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class _Script:
    """A charset is taken if this share of the letters that are not ASCII belongs to its language's own script."""

    codec: str
    script: re.Pattern[str]
    share: float


_SCRIPTS = (
    _Script("cp932", _KANA, 0.25),  # Japanese mixes kana and Han; no other script brings kana by chance
    _Script("euc_jp", _KANA, 0.25),
    _Script("cp949", _HANGUL, 0.7),  # Chinese read as Korean is up to two thirds Hangul, and much of it broken
)
_OTHERS = ["gb18030", "big5", "cp1251", "koi8_r", "cp1253", "cp874", "cp1252"]


def guessed_charset(body: bytes) -> str:
    """The Python codec to read a body with; UTF-8 wherever it can be."""
    if body.isascii() or _is_utf8(body):
        return "utf-8"
    first = _NOT_ASCII.search(body)
    if first is None:
        return "utf-8"
    sample = body[first.start() : first.start() + SAMPLE_BYTES]
    if _broken_share(sample.decode(errors="replace")) < FEW_DAMAGED:
        return "utf-8"
    for one in _SCRIPTS:
        text = sample.decode(one.codec, errors="replace")
        if _share(one.script, text) >= one.share and _broken_share(text) < FEW_DAMAGED:
            return one.codec
    return _by_statistics(sample)


def _is_utf8(body: bytes) -> bool:
    try:
        codecs.utf_8_decode(body, "strict", True)  # noqa: FBT003  # positional only
    except UnicodeDecodeError:
        return False
    return True


def _by_statistics(sample: bytes) -> str:
    best = from_bytes(
        sample[:4096], steps=3, chunk_size=256, cp_isolation=_OTHERS, preemptive_behaviour=False
    ).best()  # 1 to 15 ms
    return best.encoding if best and best.encoding in _OTHERS else "utf-8"


def _share(script: re.Pattern[str], text: str) -> float:
    return len(script.findall(text)) / max(1, len(_LETTERS.findall(text)))


def _broken_share(text: str) -> float:
    return text.count("\N{REPLACEMENT CHARACTER}") / max(1, len(_FOREIGN.findall(text)))
