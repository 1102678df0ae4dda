"""Values that look random and are a pure function of their parts: the same in every process."""

from __future__ import annotations

import hashlib


def number(*parts: object) -> int:
    """A 64-bit number that depends on the parts alone: same parts, same number, in every process."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def token(length: int, *parts: object) -> str:
    """An opaque hexadecimal value of the given length, a function of the parts."""
    text = "\x1f".join(map(str, parts))
    return hashlib.shake_128(text.encode()).hexdigest((length + 1) // 2)[:length]
