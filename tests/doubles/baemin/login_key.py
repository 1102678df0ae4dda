"""The RSA key with which the login page's script hides id and password on their way.

Known: that the page asks for a key (`tag`, `value`) and encrypts with it. Invented: form of `value`, padding, names.
"""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode
from collections import OrderedDict
from typing import Final

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_EXPONENT: Final = 65_537
_BITS: Final = 2048
_TAGS_KEPT: Final = 10_000


class LoginKey:
    """A key pair; each tag that is handed out is good for one login."""

    def __init__(self) -> None:
        self._private = generate_private_key(_EXPONENT, _BITS)
        public = self._private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self._value = b64encode(public).decode()
        self._tags: OrderedDict[str, None] = OrderedDict()

    def hand_out(self) -> dict[str, str]:
        """The answer to `/v1/login/init`: a new tag, and the public key (SubjectPublicKeyInfo in base64)."""
        tag = secrets.token_hex(8)
        self._tags[tag] = None
        if len(self._tags) > _TAGS_KEPT:
            self._tags.popitem(last=False)
        return {"tag": tag, "value": self._value}

    def use_up(self, tag: str) -> bool:
        """Whether the tag was handed out and not used before."""
        return self._tags.pop(tag, "") is None

    def read(self, hidden: object) -> str:
        """The text in a cipher text in base64; "" where it cannot be read."""
        try:
            text = self._private.decrypt(b64decode(str(hidden)), OAEP(MGF1(SHA256()), SHA256(), label=None))
            return text.decode()
        except ValueError:
            return ""
