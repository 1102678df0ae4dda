"""The shell of a page that draws itself: a configuration and a script. Invented."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Final

from tests.doubles.control_port import Json
from tests.doubles.reply import Reply

INVENTED: Final = "<!-- replica: names, texts and the frame of this page are invented -->"
_SCRIPTS: Final = Path(__file__).parent
_SCRIPT_NAMES: Final = frozenset({"login.js", "owner.js", "popups.js", "signing.js"})


def drawn_page(title: str, scripts: tuple[str, ...], config: Json) -> Reply:
    """A page whose scripts draw it into `#root` from the configuration."""
    tags = "".join(f'<script src="/assets/{name}"></script>' for name in scripts)
    text = json.dumps(config, ensure_ascii=False).replace("</", "<\\/")
    return document(
        title,
        f'<div id="root"></div><script id="replica-config" type="application/json">{text}</script>{tags}',
    )


def document(title: str, body: str, status: int = 200) -> Reply:
    """A whole page."""
    return Reply.page(
        f'<!doctype html><html lang="ko"><head><meta charset="utf-8">{INVENTED}<title>{escape(title)}</title>'
        f"</head><body>{body}</body></html>",
        status,
    )


def static(path: str) -> Reply | None:
    """A script of the replica, an empty icon, or None for any other path."""
    if path == "/favicon.ico":
        return Reply(status=204, content_type="image/x-icon")
    name = path.removeprefix("/assets/")
    if not path.startswith("/assets/") or name not in _SCRIPT_NAMES:
        return None
    return Reply(
        body=(_SCRIPTS / name).read_bytes(),
        content_type="text/javascript; charset=UTF-8",
        headers=(("Cache-Control", "max-age=3600"),),
    )
