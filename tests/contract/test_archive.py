"""One contract for both archives: a folder, and a bucket of S3 (moto, through boto3 itself)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from nightjar.adapters.archive.folder import FolderArchive
from nightjar.adapters.archive.s3 import S3Archive
from nightjar.errors import Invalid
from nightjar.ports import Archive, ArchiveUnavailable

BUCKET = "nightjar-archive"
NAME = "evidence/2026-11-24/task-1-blocked.png"
Read = Callable[[str], bytes]


@pytest.fixture(params=["folder", "s3"])
def archive_and_read(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Archive, Read]]:
    if request.param == "folder":
        yield FolderArchive(tmp_path / "archive"), lambda address: Path(address).read_bytes()
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})

        def read(address: str) -> bytes:
            key = address.removeprefix(f"s3://{BUCKET}/")
            return bytes(client.get_object(Bucket=BUCKET, Key=key)["Body"].read())

        yield S3Archive(BUCKET, "crawls/"), read


def test_what_is_put_is_found_at_the_address_that_is_returned(archive_and_read: tuple[Archive, Read]) -> None:
    archive, read = archive_and_read
    address = archive.put(NAME, b"\x89PNG first", "image/png")
    assert address.endswith(NAME)
    assert read(address) == b"\x89PNG first"


def test_the_same_name_again_replaces_what_was_there(archive_and_read: tuple[Archive, Read]) -> None:
    archive, read = archive_and_read
    archive.put(NAME, b"first", "image/png")
    assert read(archive.put(NAME, b"second", "image/png")) == b"second"


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../up", "a/../b", "a//b", "a/.hidden", "a\\b", "a b", "a\n", "ü"])
def test_a_name_that_could_leave_the_archive_is_refused(archive_and_read: tuple[Archive, Read], name: str) -> None:
    archive, _ = archive_and_read
    with pytest.raises(Invalid):
        archive.put(name, b"", "image/png")


def test_a_folder_that_cannot_be_written_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ArchiveUnavailable, match="ARCHIVE_URL"):
        FolderArchive(tmp_path / "file").put(NAME, b"", "image/png")


def test_a_folder_is_its_owners_alone_and_holds_no_half_files(tmp_path: Path) -> None:
    address = Path(FolderArchive(tmp_path / "archive").put(NAME, b"whole", "image/png"))
    assert address.stat().st_mode & 0o077 == 0
    assert [found.name for found in address.parent.iterdir()] == [address.name]


def test_a_bucket_that_does_not_exist_says_what_to_look_at(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")
    with mock_aws(), pytest.raises(ArchiveUnavailable, match="ARCHIVE_URL"):
        S3Archive("no-such-bucket").put(NAME, b"", "image/png")
