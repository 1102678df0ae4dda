"""A web site on loopback with the faults that a crawler meets, and a log of what reached it."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote

from aiohttp import web


@dataclass
class FaultySite:
    """Answers at `url`; `seen` are the requests in their order."""

    port: int = 0
    seen: list[web.BaseRequest] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)
    """Paths of pages that a test adds, and their HTML."""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def url(self, path: str = "/") -> str:
        return self.origin + path

    def page(self, path: str, html: str) -> str:
        self.pages[path] = html
        return self.url(path)

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.seen]

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.seen.append(request)
        if request.path in self.pages:
            kind = "text/javascript" if request.path.endswith(".js") else "text/html"
            return web.Response(text=self.pages[request.path], content_type=kind)
        fault = FAULTS.get(request.path)
        return await fault(request) if fault else web.Response(status=404, text="no such page")


@asynccontextmanager
async def faulty_site() -> AsyncIterator[FaultySite]:
    """The site, while the block runs."""
    site = FaultySite()
    server = web.Server(site.answer, handler_cancellation=True)
    runner = web.ServerRunner(server, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.port = runner.addresses[0][1]
    try:
        yield site
    finally:
        await runner.cleanup()


async def _plain(_: web.BaseRequest) -> web.StreamResponse:
    return web.Response(text="<title>plain</title><p>a page</p>", content_type="text/html", headers={"X-Word": "one"})


async def _echo(request: web.BaseRequest) -> web.StreamResponse:
    return web.json_response(
        {"method": request.method, "headers": dict(request.headers), "body": (await request.read()).decode()}
    )


async def _slow(_: web.BaseRequest) -> web.StreamResponse:
    await asyncio.sleep(60)
    return web.Response(text="late")


async def _trickle(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(600):
        await response.write(b"x")
        await asyncio.sleep(0.1)
    return response


async def _reset(request: web.BaseRequest) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def _half(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "text/html"})
    await response.prepare(request)
    await response.write(b"only this")
    assert request.transport is not None
    request.transport.close()
    return response


async def _garbage(request: web.BaseRequest) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.write(b"this is not HTTP\r\n\r\n")
    request.transport.close()
    return web.Response()


async def _broken(_: web.BaseRequest) -> web.StreamResponse:
    return web.Response(status=503, text="later", headers={"Retry-After": "7"})


async def _huge(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(1000):
        await response.write(b"y" * 100_000)
    return response


async def _gzip(_: web.BaseRequest) -> web.StreamResponse:
    body = gzip.compress("<p>압축된 글</p>".encode())
    return web.Response(body=body, headers={"Content-Encoding": "gzip", "Content-Type": "text/html; charset=utf-8"})


async def _bomb(_: web.BaseRequest) -> web.StreamResponse:
    packer = zlib.compressobj(level=1, wbits=31)
    body = b"".join(packer.compress(bytes(1_000_000)) for _ in range(300)) + packer.flush()
    return web.Response(body=body, headers={"Content-Encoding": "gzip", "Content-Type": "text/html"})


async def _not_gzip(_: web.BaseRequest) -> web.StreamResponse:
    return web.Response(body=b"plain after all", headers={"Content-Encoding": "gzip"})


async def _euc_kr(_: web.BaseRequest) -> web.StreamResponse:
    return web.Response(
        body="<p>믜맛있는 집</p>".encode("cp949"), headers={"Content-Type": "text/html; charset=EUC-KR"}
    )


async def _euc_kr_meta(_: web.BaseRequest) -> web.StreamResponse:
    html = '<meta http-equiv="Content-Type" content="text/html; charset=euc-kr"><p>맛있는 집</p>'
    return web.Response(body=html.encode("cp949"), headers={"Content-Type": "text/html"})


async def _moved(_: web.BaseRequest) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": "/plain"})


async def _to_metadata(_: web.BaseRequest) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data/"})


async def _away(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": unquote(request.query_string)})


async def _sets_cookie(_: web.BaseRequest) -> web.StreamResponse:
    return web.Response(text="<p>bake</p>", content_type="text/html", headers={"Set-Cookie": "visitor=7; Path=/"})


async def _script(_: web.BaseRequest) -> web.StreamResponse:
    return web.Response(text="self.loaded = 1", content_type="text/javascript")


async def _file(_: web.BaseRequest) -> web.StreamResponse:
    return web.Response(body=b"PK", headers={"Content-Type": "application/zip", "Content-Disposition": "attachment"})


async def _redirects_to_itself(_: web.BaseRequest) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": "/circle"})


FAULTS: dict[str, Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]] = {
    "/plain": _plain,
    "/echo": _echo,
    "/slow": _slow,
    "/trickle": _trickle,
    "/reset": _reset,
    "/half": _half,
    "/garbage": _garbage,
    "/broken": _broken,
    "/huge": _huge,
    "/gzip": _gzip,
    "/bomb": _bomb,
    "/not-gzip": _not_gzip,
    "/euc-kr": _euc_kr,
    "/euc-kr-meta": _euc_kr_meta,
    "/moved": _moved,
    "/to-metadata": _to_metadata,
    "/away": _away,
    "/circle": _redirects_to_itself,
    "/file.zip": _file,
    "/cookie": _sets_cookie,
    "/script.js": _script,
}
"""What each path does to its visitor."""
