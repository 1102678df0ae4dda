"""The hosts of the replica that are made of pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from tests.doubles.web.hosts.app import app
from tests.doubles.web.hosts.crowd import crowd
from tests.doubles.web.hosts.designs.site import designs_site
from tests.doubles.web.hosts.journal import journal
from tests.doubles.web.hosts.shop import shop
from tests.doubles.web.page import Site

SITES: Final[Mapping[str, Callable[[], Site]]] = {
    "shop": cache(shop),
    "journal": cache(journal),
    "designs": cache(designs_site),
    "app": cache(app),
    "crowd": cache(crowd),
}
"""Name -> the site; made when first asked for."""
