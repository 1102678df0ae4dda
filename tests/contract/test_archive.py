"""One contract for both archives: a folder, and a bucket of S3 (moto, through boto3 itself)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from nightjar.adapters.archive.folder import FolderArchive
from nightjar.adapters.archive.s3 import S3Archive
from nightjar.errors import Invalid, NotFound
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


def test_a_part_is_read_without_the_rest(archive_and_read: tuple[Archive, Read]) -> None:
    archive, _ = archive_and_read
    archive.put(NAME, b"0123456789", "application/warc")
    assert archive.get(NAME) == b"0123456789"
    assert archive.get(NAME, 3, 4) == b"3456"
    assert archive.get(NAME, 8, 100) == b"89"
    assert archive.get(NAME, 4) == b"456789"
    assert archive.get(NAME, 4, 0) == archive.get(NAME, 10, 5) == archive.get(NAME, 99, 5) == b""


def test_what_was_never_put_is_not_found(archive_and_read: tuple[Archive, Read]) -> None:
    archive, _ = archive_and_read
    archive.put(NAME, b"x", "image/png")
    for name in ("evidence/2026-11-24/other.png", "evidence/2026-11-24", f"{NAME}/below"):
        with pytest.raises(NotFound, match="is not in the archive"):
            archive.get(name)


def test_names_are_those_below_a_prefix(archive_and_read: tuple[Archive, Read]) -> None:
    archive, _ = archive_and_read
    kept = {f"crawls/{crawl}/{part}.warc.gz" for crawl in ("one", "one-more") for part in ("a", "b")}
    for name in (*kept, "other/crawls/one/c.warc.gz"):
        archive.put(name, b"x", "application/warc")
    assert set(archive.names("crawls")) == kept
    assert sorted(archive.names("crawls/one")) == ["crawls/one/a.warc.gz", "crawls/one/b.warc.gz"]
    assert list(archive.names("crawls/none")) == []


def test_what_is_deleted_is_gone_and_nothing_else(archive_and_read: tuple[Archive, Read]) -> None:
    archive, _ = archive_and_read
    for name in ("crawls/one/a", "crawls/one/b", "crawls/two/a"):
        archive.put(name, b"x", "application/warc")
    archive.delete("crawls/one/a")
    archive.delete("crawls/one/a")
    archive.delete("crawls/two/a")
    assert list(archive.names("crawls")) == ["crawls/one/b"]
    with pytest.raises(NotFound):
        archive.get("crawls/one/a")


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../up", "a/../b", "a//b", "a/.hidden", "a\\b", "a b", "a\n", "ü"])
def test_a_name_that_could_leave_the_archive_is_refused(archive_and_read: tuple[Archive, Read], name: str) -> None:
    archive, _ = archive_and_read
    for use in (lambda: archive.put(name, b"", "image/png"), lambda: archive.get(name), lambda: archive.delete(name)):
        with pytest.raises(Invalid):
            use()
    with pytest.raises(Invalid):
        list(archive.names(name))


def test_a_folder_that_cannot_be_written_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ArchiveUnavailable, match="ARCHIVE_URL"):
        FolderArchive(tmp_path / "file").put(NAME, b"", "image/png")


def test_a_folder_leaves_no_empty_folders_behind(tmp_path: Path) -> None:
    archive = FolderArchive(tmp_path / "archive")
    archive.put("crawls/one/a", b"x", "application/warc")
    archive.delete("crawls/one/a")
    assert list((tmp_path / "archive").iterdir()) == []


def test_a_file_that_is_being_written_is_no_name_yet(tmp_path: Path) -> None:
    archive = FolderArchive(tmp_path)
    archive.put("crawls/a", b"x", "application/warc")
    (tmp_path / "crawls" / ".unfinished").write_bytes(b"")
    assert list(archive.names("crawls")) == ["crawls/a"]


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
    with mock_aws(), pytest.raises(ArchiveUnavailable, match="ARCHIVE_URL"):
        S3Archive("no-such-bucket").get(NAME)
    with mock_aws(), pytest.raises(ArchiveUnavailable, match="ARCHIVE_URL"):
        list(S3Archive("no-such-bucket").names("crawls"))
    with mock_aws(), pytest.raises(ArchiveUnavailable, match="ARCHIVE_URL"):
        S3Archive("no-such-bucket").delete(NAME)


def test_a_listing_of_several_pages_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        client.meta.events.register(
            "provide-client-params.s3.ListObjectsV2", lambda params, **_: {**params, "MaxKeys": 2}
        )
        archive = S3Archive(BUCKET, client=client)
        for turn in range(5):
            archive.put(f"many/{turn}", b"", "text/plain")
        assert sorted(archive.names("many")) == [f"many/{turn}" for turn in range(5)]
