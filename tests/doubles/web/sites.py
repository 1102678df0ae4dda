"""The hosts of the replica that are made of pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from tests.doubles.web.hosts.crowd import crowd
from tests.doubles.web.hosts.shop import shop
from tests.doubles.web.page import Site

SITES: Final[Mapping[str, Callable[[], Site]]] = {"shop": cache(shop), "crowd": cache(crowd)}
"""Name -> the site; made when first asked for."""
