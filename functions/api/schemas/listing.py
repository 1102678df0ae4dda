"""The shape of every list."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from pydantic import BaseModel

Item = TypeVar("Item", bound=BaseModel)


class Page(BaseModel, Generic[Item]):
    """A part of a list; `next` is the cursor of the following part, null at the end."""

    items: Sequence[Item]
    next: str | None
