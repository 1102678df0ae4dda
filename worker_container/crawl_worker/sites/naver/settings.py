"""Where the hosts of Naver are, and the key of its official API."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Self
from urllib.parse import urlsplit

from nightjar.settings import BadSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class NaverSettings:
    """Base URLs without a slash at the end. The defaults are the real hosts; a replica takes their place in tests."""

    search_url: str = "https://search.naver.com"
    search_more_url: str = "https://s.search.naver.com"
    mobile_search_url: str = "https://m.search.naver.com"
    place_url: str = "https://m.place.naver.com"
    pcplace_url: str = "https://pcmap.place.naver.com"
    place_graphql_url: str = "https://pcmap-api.place.naver.com"
    map_url: str = "https://map.naver.com"
    cafe_url: str = "https://cafe.naver.com"
    short_url: str = "https://naver.me"
    api_url: str = "https://naverapihub.apigw.ntruss.com"
    api_key_id: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """`NAVER_SEARCH_URL` and so on, by the names of the fields.

        Raises:
            BadSettings: a base URL is not an http or https address.
        """
        given = {item.name: environment.get(f"NAVER_{item.name.upper()}", "").strip() for item in fields(cls)}
        return cls(**{name: _checked(name, value) for name, value in given.items() if value})

    def origins(self) -> tuple[str, ...]:
        """All base URLs: what the egress rule opens to this site."""
        values = (getattr(self, item.name) for item in fields(self) if item.name.endswith("_url"))
        return tuple(dict.fromkeys(values))


def _checked(name: str, value: str) -> str:
    if not name.endswith("_url"):
        return value
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise BadSettings(f"NAVER_{name.upper()}={value!r} is not an address such as https://search.naver.com")
    return value.rstrip("/")
