"""The header `x-e-request` that the site's own script puts on each call: `<id>|<epoch ms>|<hex>`.

Known: its form, and that calls without it fail. Invented: how the hex is made, and what exactly is checked.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections import OrderedDict
from typing import Final

HEADER: Final = "x-e-request"
_FORM: Final = re.compile(r"(?P<page>[0-9a-f]{16})-(?P<count>\d{1,6})\|(?P<at>\d{13})\|(?P<hex>[0-9a-f]{64})")
_RECENT_MS: Final = 60_000
_REMEMBERED: Final = 100_000


class Signatures:
    """Gives each page a key of its own, and judges the headers that are made with it."""

    def __init__(self) -> None:
        self._secret = secrets.token_hex(16)
        self._seen: OrderedDict[str, None] = OrderedDict()

    def page_key(self) -> dict[str, str]:
        """What the script of one page load needs: its id and its key."""
        page = secrets.token_hex(8)
        return {"page": page, "key": self._key(page)}

    def refusal(self, header: str, path: str, now_ms: int) -> str:
        """Why a call is refused: absent, malformed, stale, forged or repeated; "" for a good one, which is used up."""
        if not header:
            return "absent"
        found = _FORM.fullmatch(header)
        if found is None:
            return "malformed"
        if abs(now_ms - int(found["at"])) > _RECENT_MS:
            return "stale"
        made = f"{self._key(found['page'])}|{found['count']}|{found['at']}|{path}"
        if hashlib.sha256(made.encode()).hexdigest() != found["hex"]:
            return "forged"
        if header in self._seen:
            return "repeated"
        self._seen[header] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return ""

    def _key(self, page: str) -> str:
        return hashlib.blake2b(page.encode(), key=self._secret.encode(), digest_size=16).hexdigest()
