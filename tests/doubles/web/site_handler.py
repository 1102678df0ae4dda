"""Answers the requests to one site that is made of pages."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from tests.doubles.serving import Handler
from tests.doubles.web.hosts.shop_oddities import SESSION
from tests.doubles.web.page import Page, Site
from tests.doubles.web.rendering import body_of, content_type_of, sitemap_body, with_origins
from tests.doubles.web.stage import Entry, Stage

_DROPPED: Final = re.compile(
    r"[?&;](?:utm_\w+|gclid|fbclid|phpsessid|jsessionid|sid=[0-9a-f]{16,})[^&?]*", re.IGNORECASE
)
_OK: Final = 200


def site_handler(stage: Stage, site: Site) -> Handler:
    """The handler of a site."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        async with logged(stage, site.name, request) as entry:
            response = await _answer(stage, site, request.raw_path)
            entry.status = response.status
            return response

    return handle


@asynccontextmanager
async def logged(stage: Stage, host: str, request: web.BaseRequest) -> AsyncIterator[Entry]:
    """Notes a request, and its end when the block is left. The block sets the status."""
    path, _, query = request.raw_path.partition("?")
    stage.in_flight[host] += 1
    entry = Entry(
        site=host,
        host_port=request.host,
        method=request.method,
        path=path,
        query=query,
        kind="page",
        user_agent=request.headers.get("User-Agent", ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        in_flight=stage.in_flight[host],
    )
    stage.log.add(entry)
    try:
        yield entry
    except asyncio.CancelledError:
        entry.fault = "client gone"
        raise
    finally:
        stage.in_flight[host] -= 1
        entry.finished_monotonic = time.monotonic()
        entry.close(entry.status or 0, entry.fault)


async def _answer(stage: Stage, site: Site, raw_target: str) -> web.Response:
    if site.name in stage.delays:
        await asyncio.sleep(stage.delays[site.name])
    if raw_target in {"/robots.txt", "/robots-moved.txt"}:
        return await _robots(stage, site, raw_target)
    trouble = stage.trouble_of(site.name)
    if trouble is not None:
        return _short(trouble.status, trouble.retry_after)
    if raw_target in site.sitemaps:
        body = sitemap_body(site.sitemaps[raw_target], stage.urls[site.name])
        kind = "application/gzip" if raw_target.endswith(".gz") else "text/plain" if "txt" in raw_target else "text/xml"
        return web.Response(body=body, headers={"Content-Type": kind})
    target = meant(raw_target)
    page = site.page(target)
    return _short(404) if page is None else await _page(stage, site, target, page)


async def _robots(stage: Stage, site: Site, target: str) -> web.Response:
    robots = stage.robots_of(site.name)
    await asyncio.sleep(robots.delay)
    if robots.location and target == "/robots.txt":
        return web.Response(status=robots.status, headers={"Location": robots.location})
    status = _OK if robots.location else robots.status
    text = with_origins(robots.text, stage.urls) if status == _OK else "no rules here"
    return web.Response(status=status, body=text.encode(), headers={"Content-Type": "text/plain"})


async def _page(stage: Stage, site: Site, target: str, page: Page) -> web.Response:
    await asyncio.sleep(page.delay)
    status = stage.status_of(site.name, target, page)
    if status != page.status:
        return _short(status, page.retry_after)
    headers = {"Content-Type": content_type_of(page), **dict(page.headers)}
    if page.location is not None:
        headers["Location"] = with_origins(page.location.href, stage.urls)
    body = body_of(site, page, stage.urls)
    if SESSION.encode() in body:
        body = re.sub(SESSION.encode(), lambda _: secrets.token_hex(16).encode(), body)
    return web.Response(status=status, body=body, headers=headers)


def meant(raw_target: str) -> str:
    """The address without tracking and session parameters: the site shows the same page whatever they are."""
    stripped = _DROPPED.sub("", raw_target)
    if "?" not in stripped and "&" in stripped:
        return stripped.replace("&", "?", 1)
    return stripped


def _short(status: int, retry_after: str = "") -> web.Response:
    headers = {"Retry-After": retry_after} if retry_after else {}
    text = f"<!doctype html><title>{status}</title><p>This answer is no page."
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)
