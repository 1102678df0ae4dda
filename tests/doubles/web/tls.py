"""Two ports that speak TLS with certificates which no client may accept, made anew at every start."""

from __future__ import annotations

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.doubles.serving import HOST, Handler
from tests.doubles.web.site_handler import logged
from tests.doubles.web.stage import Stage

VALID_DAYS: Final = {"selfsigned": (-1, 30), "expired": (-60, -30)}
"""Host -> the days, from today, between which its certificate is valid. Nobody has signed either."""


async def listen(stage: Stage) -> list[web.ServerRunner]:
    """Listens on a free port for each certificate; `https://127.0.0.1:PORT` of each goes into the stage's urls."""
    runners = []
    for name, days in VALID_DAYS.items():
        runner = web.ServerRunner(web.Server(_greeter(stage, name), access_log=None), shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, HOST, 0, ssl_context=_context(days)).start()
        stage.urls[name] = f"https://{HOST}:{runner.addresses[0][1]}"
        runners.append(runner)
    return runners


def _greeter(stage: Stage, name: str) -> Handler:
    async def greet(request: web.BaseRequest) -> web.StreamResponse:
        async with logged(stage, name, request) as entry:
            entry.status = 200
            return web.Response(text="<title>tls</title><p>nobody may read this", content_type="text/html")

    return greet


def _context(days: tuple[int, int]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        both = Path(folder) / "both.pem"
        both.write_bytes(_certificate(*days))
        context.load_cert_chain(both)
    return context


def _certificate(first_day: int, last_day: int) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "replica.invalid")])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=first_day))
        .not_valid_after(now + timedelta(days=last_day))
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
