"""The text of a section, gathered piece by piece."""

import re

MAX_TEXT = 20_000
"""Characters of a section; what goes beyond is cut off."""

_CELL = re.compile(r" *\t *")
_LINES = re.compile(r"[ \t]*\n\s*")
_SPACE = re.compile(r"\s+")


def one_line(text: str) -> str:
    """The text with every run of white space made one space."""
    return " ".join(text.split())


class SectionText:
    """Gathers a text up to MAX_TEXT."""

    __slots__ = ("_length", "_pieces")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0

    def say(self, words: str) -> None:
        """Words go on in the same line; white space of any kind counts as a space."""
        piece = _SPACE.sub(" ", words)
        begins_a_line = not self._pieces or self._pieces[-1] in {"\n", "\t"}
        if self._length < MAX_TEXT and not (begins_a_line and piece == " "):
            self._pieces.append(piece)
            self._length += len(piece)

    def next_line(self) -> None:
        """A block begins or ends."""
        if self._pieces and self._pieces[-1] not in {"\n", "\t"}:
            self._pieces.append("\n")

    def next_cell(self) -> None:
        """Another cell begins in the row."""
        if self._pieces and self._pieces[-1] == "\n":
            self._pieces[-1] = "\t"

    def plain(self) -> str:
        """The lines, without empty ones and without space at their ends."""
        text = _CELL.sub("\t", "".join(self._pieces))
        return re.sub(r" {2,}", " ", _LINES.sub("\n", text)).strip()[:MAX_TEXT]
