"""Where a URL of the web points to: its host and its origin, each with the port, also where it is the default one."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

WEB_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class WebAddress:
    """`name` is a host name or an address (IPv6 in brackets)."""

    scheme: str
    name: str
    port: int

    @classmethod
    def of(cls, url: str) -> Self:
        """That of an absolute URL. Raises ValueError if its scheme is not of the web, or it names no host."""
        parts = urlsplit(url)
        name = parts.hostname
        if parts.scheme not in WEB_PORTS or not name:
            raise ValueError(f"{url!r} is not an absolute URL of http or https")
        port = WEB_PORTS[parts.scheme] if parts.port is None else parts.port
        return cls(parts.scheme, f"[{name}]" if ":" in name else name, port)

    @property
    def host(self) -> str:
        """Such as `shop.example:443`."""
        return f"{self.name}:{self.port}"

    @property
    def origin(self) -> str:
        """Such as `https://shop.example:443`."""
        return f"{self.scheme}://{self.host}"
