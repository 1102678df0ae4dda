"""What /docs shows beyond what the routes say themselves: how to authenticate, and the one shape of all errors.

Imported by the first request for the document.
"""

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from functions.api.nouns import Noun

ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "details"],
            "properties": {
                "code": {"type": "string", "examples": ["invalid", "not_found", "conflict"]},
                "message": {"type": "string", "description": "What happened and what is accepted, in a sentence."},
                "details": {"type": "object"},
            },
        }
    },
}

SECURITY_SCHEME = {"type": "http", "scheme": "bearer", "description": "An API key: `Authorization: Bearer KEY`."}


def document(app: FastAPI) -> dict[str, Any]:
    """The whole document: every noun is imported for it."""
    routes = [part for route in app.routes for part in (route.routes if isinstance(route, Noun) else (route,))]
    schema = get_openapi(title=app.title, version=version("nightjar"), description=app.description, routes=routes)
    return _completed(schema)


def _completed(schema: dict[str, Any]) -> dict[str, Any]:
    """The framework's document with our security and our errors in place of the framework's."""
    components = schema.setdefault("components", {})
    components["securitySchemes"] = {"APIKey": SECURITY_SCHEME}
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Error"] = ERROR_SCHEMA
    error = {
        "description": "Not done",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"] |= {"4XX": error, "5XX": error}
            if path.startswith("/api/"):
                operation["security"] = [{"APIKey": []}]
    return schema
