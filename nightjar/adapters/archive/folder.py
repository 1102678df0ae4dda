"""An archive in a folder. A reader sees a file as a whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from nightjar.adapters.archive.names import checked
from nightjar.errors import NotFound
from nightjar.ports import ArchiveUnavailable


class FolderArchive:
    """Files below `folder`, which is made when it is first needed. Only its owner can read them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, data: bytes, content_type: str) -> str:  # noqa: ARG002  # a file has no such field
        """Keep bytes under a name; the path of the file. Raises ArchiveUnavailable."""
        target = self._folder / checked(name)
        try:
            with _unfinished_in(target.parent) as unfinished:
                unfinished.write(data)
            _finish(Path(unfinished.name), target)
        except OSError as error:
            message = f"{target} cannot be written ({error.strerror}): set ARCHIVE_URL to a folder with room"
            raise ArchiveUnavailable(message) from error
        return str(target)

    def get(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """The bytes of a file, or a part of them. Raises ArchiveUnavailable or NotFound."""
        target = self._folder / checked(name)
        try:
            with target.open("rb") as file:
                file.seek(offset)
                return file.read() if length is None else file.read(length)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise NotFound(f"{target} is not in the archive") from error
        except OSError as error:
            raise _unreadable(target, error) from error

    def names(self, prefix: str) -> Iterator[str]:
        """The files below a folder of the archive. Raises ArchiveUnavailable."""
        top = self._folder / checked(prefix)
        for folder, _, files in os.walk(top, onerror=_tell_unless_gone):
            for file in files:
                if not file.startswith("."):  # of a `put` under way
                    yield (Path(folder) / file).relative_to(self._folder).as_posix()

    def delete(self, name: str) -> None:
        """Delete a file, and the folders that it leaves empty. Raises ArchiveUnavailable."""
        target = self._folder / checked(name)
        try:
            target.unlink(missing_ok=True)
        except NotADirectoryError:
            return
        except OSError as error:
            message = f"{target} cannot be deleted ({error.strerror}): see the rights of ARCHIVE_URL"
            raise ArchiveUnavailable(message) from error
        with suppress(OSError):  # not empty, or somebody else did it
            for parent in target.relative_to(self._folder).parents[:-1]:
                (self._folder / parent).rmdir()


def _tell_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise _unreadable(Path(error.filename), error) from error


def _unreadable(path: Path, error: OSError) -> ArchiveUnavailable:
    return ArchiveUnavailable(f"{path} cannot be read ({error.strerror}): see ARCHIVE_URL and its rights")


def _unfinished_in(folder: Path) -> IO[bytes]:
    """A new file in a folder, which is made. A `delete` may take the folder away between the two: then once more."""
    for _ in range(2):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileNotFoundError):
            return _new_file(folder)
    return _new_file(folder)


def _new_file(folder: Path) -> IO[bytes]:
    return NamedTemporaryFile(dir=folder, prefix=".", delete=False)  # the caller closes it


def _finish(unfinished: Path, target: Path) -> None:
    try:
        unfinished.replace(target)
    except OSError:
        with suppress(OSError):
            unfinished.unlink()
        raise
