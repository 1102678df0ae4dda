"""Lists that go over many pages, on the wire."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from functions.api.schemas.requests import Body, Options
from nightjar.domain.site_crawl import Engine

UrlPattern = Annotated[str, StringConstraints(min_length=1, max_length=2_000, pattern=r"^[^\x00-\x1f]+$")]
TotalPages = Annotated[int, Field(strict=True, ge=1, le=10_000_000)]


class ReadPagesRequest(Body):
    """Which list is to be read: `{page}` in its URL stands for the number, from 1 to `total_pages`.

    Up to 5 pages all are read; up to 20 the first three and the last; of more also the 10th and the 20th.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"url_pattern": "https://shop.example/goods?page={page}", "total_pages": 40}]},
    )

    url_pattern: UrlPattern
    total_pages: TotalPages
    engine: Engine = Engine.AUTO
    options: Options | None = None
