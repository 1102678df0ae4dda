"""Bodies. Unknown fields are refused, so that a typing error does not pass for a default."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Body(BaseModel):
    """What every body has in common."""

    model_config = ConfigDict(extra="forbid")


class Options(Body):
    """`timeout`: seconds that the work may take; the limits of the service hold as well."""

    timeout: Annotated[int, Field(strict=True, ge=1, le=86_400)] | None = None


class StartRequest(Body):
    """The body of a request that only starts something; it may be left out."""

    options: Options | None = None
