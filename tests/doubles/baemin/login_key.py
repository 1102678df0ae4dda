"""The RSA key with which the login page's script hides id and password on their way.

Known: that the page asks for a key (`tag`, `value`) and encrypts with it. Invented: form of `value`, padding, names.
The key is small and made from the seed: it keeps plain passwords out of request bodies, and is no protection.
"""

from __future__ import annotations

import random
import secrets
from collections import OrderedDict
from typing import Final

_EXPONENT: Final = 65_537
_PRIME_BITS: Final = 512
_WITNESSES: Final = 24
_TAGS_KEPT: Final = 10_000
_PADDING_MARK: Final = 2


class LoginKey:
    """A key pair; each tag that is handed out is good for one login."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        p, q = _prime(chance), _prime(chance)
        self._modulus = p * q
        self._private = pow(_EXPONENT, -1, (p - 1) * (q - 1))
        self._tags: OrderedDict[str, None] = OrderedDict()

    def hand_out(self) -> dict[str, str]:
        """The answer to `/v1/login/init`: a new tag, and modulus and exponent in hexadecimal."""
        tag = secrets.token_hex(8)
        self._tags[tag] = None
        if len(self._tags) > _TAGS_KEPT:
            self._tags.popitem(last=False)
        return {"tag": tag, "value": f"{self._modulus:x}:{_EXPONENT:x}"}

    def use_up(self, tag: str) -> bool:
        """Whether the tag was handed out and not used before."""
        return self._tags.pop(tag, "") is None

    def read(self, hidden: object) -> str:
        """The text in a hexadecimal cipher text; "" where it cannot be read."""
        try:
            number = pow(int(str(hidden), 16), self._private, self._modulus)
            block = number.to_bytes(_PRIME_BITS // 4, "big")
            mark, _, text = block[1:].partition(b"\0")
            return text.decode() if mark[:1] == bytes([_PADDING_MARK]) else ""
        except ValueError:
            return ""


def _prime(chance: random.Random) -> int:
    while True:
        candidate = chance.getrandbits(_PRIME_BITS) | 1 << _PRIME_BITS - 1 | 1 << _PRIME_BITS - 2 | 1
        if candidate % _EXPONENT != 1 and _is_prime(candidate, chance):
            return candidate


def _is_prime(candidate: int, chance: random.Random) -> bool:
    """The test of Miller and Rabin; wrong once in 4**24."""
    if any(candidate % small == 0 for small in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31)):
        return False
    odd, twos = candidate - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(chance.randrange(2, candidate - 1), odd, twos, candidate) for _ in range(_WITNESSES))


def _passes(witness: int, odd: int, twos: int, candidate: int) -> bool:
    value = pow(witness, odd, candidate)
    if value in (1, candidate - 1):
        return True
    for _ in range(twos - 1):
        value = value * value % candidate
        if value == candidate - 1:
            return True
    return False
