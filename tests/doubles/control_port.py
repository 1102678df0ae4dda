"""The control port of a replica: JSON in and out; a mistake answers 400 and says why."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

Json = dict[str, Any]
Action = Callable[[Json], object]


async def answer_control(request: web.BaseRequest, actions: Mapping[tuple[str, str], Action]) -> web.Response:
    """Answers one control request by the action of its method and path; an action that returns None says "ok"."""
    action = actions.get((request.method, request.path))
    if action is None:
        known = sorted(f"{method} {path}" for method, path in actions)
        return _answer({"error": f"no {request.method} {request.path}; known: {known}"}, 404)
    try:
        return _answer(action(await _given(request)))
    except (ValueError, KeyError, TypeError) as error:
        return _answer({"error": f"{type(error).__name__}: {error}"}, 400)


async def _given(request: web.BaseRequest) -> Json:
    if request.method == "GET":
        return dict(request.query)
    text = (await request.content.read()).decode()
    document = json.loads(text) if text else {}
    if not isinstance(document, dict):
        raise TypeError(f"the body must be a JSON object, got {text:.80}")
    return document


def _answer(document: object, status: int = 200) -> web.Response:
    return web.json_response(document if document is not None else {"ok": True}, status=status)
