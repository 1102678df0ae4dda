"""What may be a name in an archive: the same in a folder and in a bucket, on every system."""

import re

from nightjar.errors import Invalid

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=-]{0,199}")


def checked(name: str) -> str:
    """The name. Raises Invalid for one that could leave the archive or means something to a file system."""
    if not all(_PART.fullmatch(part) for part in name.split("/")):
        raise Invalid(
            f"{name!r} is no name in an archive: parts of letters, digits, '.', '_', '=', '-' between slashes"
        )
    return name
