"""What an option of the shop select says. Its value is the shop's number; its text has been seen in four forms."""

import re
from dataclasses import dataclass

NUMBER = re.compile(r"\d{4,12}")
"""A shop number: 8 digits as a rule, 5 to 8 seen."""

_FORMS = (
    re.compile(r"\[(?P<service>[^\]]+)\]\s*(?P<name>.+)\s+/\s+(?P<category>.+?)\s+(?P<number>\d{4,12})"),
    re.compile(r"\[(?P<service>[^\]]+)\]\s*(?P<name>.+)\s+/\s+(?P<category>.+)"),
    re.compile(r"(?!\[)(?P<name>.+)\s+/\s+(?P<category>.+?)\s+(?P<number>\d{4,12})"),
    re.compile(r"(?!\[)(?P<category>\S+)\s+(?P<number>\d{4,12})\s+(?P<name>.+)"),
)
"""In the order in which they are tried. A name may hold a slash; the category stands behind the last one."""

_SERVICE_ONLY = re.compile(r"\[(?P<service>[^\]]+)\]\s*(?P<name>.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A text, read. What it does not say is None; `number` is the one in the text, which may be another shop's."""

    name: str
    category: str | None = None
    service: str | None = None
    number: str | None = None


def read_label(text: str, value: str) -> Label:
    """The parts of an option's text.

    Two forms can fit one text; then the one is right that finds the option's own number. Where none fits, the whole
    text is the name. The service in brackets is kept as it stands, so is the category with its dots.
    """
    folded = " ".join(text.split())
    readings = [_label(found) for form in _FORMS if (found := form.fullmatch(folded))]
    if not readings:
        return read_heading(folded)
    return next((reading for reading in readings if reading.number == value), readings[0])


def read_heading(text: str) -> Label:
    """The parts of the heading over the select: the name, and the service if it is there."""
    folded = " ".join(text.split())
    found = _SERVICE_ONLY.fullmatch(folded)
    return _label(found) if found else Label(name=folded)


def _label(found: re.Match[str]) -> Label:
    parts = found.groupdict()
    return Label(
        name=parts["name"].strip(),
        category=parts.get("category"),
        service=parts["service"].strip() if parts.get("service") else None,
        number=parts.get("number"),
    )
