"""The routes of the API by noun, each imported by the first request for it: a cold start pays for one noun only."""

from collections.abc import Sequence
from functools import cached_property
from importlib import import_module

from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

BASE = "/api/v1"


class Noun(BaseRoute):
    """All routes at and below `prefix`: those of the attribute `router` of a module that is not imported yet."""

    def __init__(self, prefix: str, module: str, *, protocol: str = "http") -> None:
        self._prefix = prefix
        self._module = module
        self._protocol = protocol

    @cached_property
    def routes(self) -> Sequence[BaseRoute]:
        """The routes, imported when they are first asked for."""
        routes: Sequence[BaseRoute] = import_module(self._module).router.routes
        return routes

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The best match of the routes, or none without a look at them where the path lies elsewhere."""
        if scope["type"] != self._protocol or not f"{scope['path']}/".startswith(f"{self._prefix}/"):
            return Match.NONE, {}
        found: tuple[Match, Scope] = (Match.NONE, {})
        for route in self.routes:
            match, child_scope = route.matches(scope)
            if match is Match.FULL:
                return match, child_scope
            if match is Match.PARTIAL and found[0] is Match.NONE:
                found = (match, child_scope)
        return found

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand over to the route that matched; the router has put it into the scope."""
        await scope["route"].handle(scope, receive, send)


# The particular before the general: the first that knows a path has it.
NOUNS = (
    Noun(f"{BASE}/keys", "functions.api.routes.keys"),
    Noun(f"{BASE}/trackings/import", "functions.api.routes.imports"),
    Noun(f"{BASE}/trackings", "functions.api.routes.trackings"),
    Noun(f"{BASE}/batches", "functions.api.routes.batches"),
    Noun(f"{BASE}/tasks", "functions.api.routes.tasks"),
    Noun(f"{BASE}/accounts", "functions.api.routes.accounts"),
    Noun(f"{BASE}/stores", "functions.api.routes.stores"),
    Noun(f"{BASE}/crawl", "functions.api.routes.crawl_starts"),
    Noun(f"{BASE}/crawls", "functions.api.routes.crawls"),
    Noun(f"{BASE}/pagination", "functions.api.routes.pagination"),
    Noun("/api/baemin", "functions.api.routes.store_crawls"),
    Noun(f"{BASE}/tasks", "functions.api.routes.live", protocol="websocket"),
)
