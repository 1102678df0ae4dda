"""Where the three origins of the owner site are."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self
from urllib.parse import urlencode, urlsplit

from crawl_worker.sites.owner_site import SiteConfig, SiteWaits
from nightjar.settings import BadSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class BaeminSettings:
    """Base URLs without a slash at the end. The defaults are the real hosts; a replica takes their place in tests."""

    member_url: str = "https://biz-member.baemin.com"
    self_url: str = "https://self.baemin.com"
    api_url: str = "https://self-api.baemin.com"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """`BAEMIN_MEMBER_URL`, `BAEMIN_SELF_URL`, `BAEMIN_API_URL`.

        Raises:
            BadSettings: a base URL is not an http or https address without a path.
        """
        given = {item.name: environment.get(f"BAEMIN_{item.name.upper()}", "").strip() for item in fields(cls)}
        return cls(**{name: _checked(name, value) for name, value in given.items() if value})

    def origins(self) -> frozenset[str]:
        """All base URLs."""
        return frozenset((self.member_url, self.self_url, self.api_url))

    def stand_ins(self) -> frozenset[str]:
        """Those that are not the real hosts: what the egress rule has to open to this site."""
        return self.origins() - type(self)().origins()

    def config(self, waits: SiteWaits | None = None) -> SiteConfig:
        """The site's addresses and waits for the job that drives it."""
        home = f"{self.self_url}/"
        return SiteConfig(
            name="baemin",
            login_url=f"{self.member_url}/login?{urlencode({'returnUrl': home})}",
            home_url=home,
            api_url=self.api_url,
            waits=waits or SiteWaits(),
        )


def _checked(name: str, value: str) -> str:
    base = value.rstrip("/")
    parts = urlsplit(base)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query or parts.fragment:
        raise BadSettings(f"BAEMIN_{name.upper()}={value!r} is not an address such as https://self.baemin.com")
    return base
