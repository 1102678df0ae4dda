"""An archive in a folder. A reader sees a file as a whole or not at all."""

from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from nightjar.adapters.archive.names import checked
from nightjar.ports import ArchiveUnavailable


class FolderArchive:
    """Files below `folder`, which is made when it is first needed. Only its owner can read them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, data: bytes, content_type: str) -> str:  # noqa: ARG002  # a file has no such field
        """Keep bytes under a name; the path of the file. Raises ArchiveUnavailable."""
        target = self._folder / checked(name)
        try:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with NamedTemporaryFile(dir=target.parent, prefix=".", delete=False) as unfinished:
                unfinished.write(data)
            _finish(Path(unfinished.name), target)
        except OSError as error:
            message = f"{target} cannot be written ({error.strerror}): set ARCHIVE_URL to a folder with room"
            raise ArchiveUnavailable(message) from error
        return str(target)


def _finish(unfinished: Path, target: Path) -> None:
    try:
        unfinished.replace(target)
    except OSError:
        with suppress(OSError):
            unfinished.unlink()
        raise
