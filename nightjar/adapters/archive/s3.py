"""An archive in a bucket of S3."""

from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError as Urllib3Error

from nightjar.adapters.archive.names import checked
from nightjar.errors import NotFound
from nightjar.ports import ArchiveUnavailable

LIMITS = Config(connect_timeout=3, read_timeout=15, retries={"total_max_attempts": 3, "mode": "standard"})
"""A page of 200 responses has a few megabytes; three attempts end within a minute."""

_BEYOND_THE_END = "InvalidRange"


class S3Archive:
    """Objects below `prefix` of `bucket`. Region and credentials are boto3's own to find."""

    def __init__(self, bucket: str, prefix: str = "", *, client: Any = None) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._client = client or boto3.client("s3", config=LIMITS)

    def put(self, name: str, data: bytes, content_type: str) -> str:
        """Keep bytes under a name; the s3:// address of the object. Raises ArchiveUnavailable."""
        key = self._prefix + checked(name)
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=content_type)
        except (BotoCoreError, ClientError) as error:
            raise self._unavailable("written", key, error) from error
        return f"s3://{self._bucket}/{key}"

    def get(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """The bytes of an object, or a part of them. Raises ArchiveUnavailable or NotFound."""
        key = self._prefix + checked(name)
        if length == 0:
            return b""
        last = "" if length is None else offset + length - 1
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key, Range=f"bytes={offset}-{last}")
            return bytes(answer["Body"].read())
        except self._client.exceptions.NoSuchKey as error:
            raise NotFound(f"s3://{self._bucket}/{key} is not in the archive") from error
        except ClientError as error:
            if error.response["Error"]["Code"] == _BEYOND_THE_END:
                return b""
            raise self._unavailable("read", key, error) from error
        except (BotoCoreError, Urllib3Error) as error:
            raise self._unavailable("read", key, error) from error

    def names(self, prefix: str) -> Iterator[str]:
        """The objects below a prefix. Raises ArchiveUnavailable."""
        key = f"{self._prefix}{checked(prefix)}/"
        try:
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=key):
                for entry in page.get("Contents", ()):
                    yield entry["Key"].removeprefix(self._prefix)
        except (BotoCoreError, ClientError) as error:
            raise self._unavailable("listed", key, error) from error

    def delete(self, name: str) -> None:
        """Delete an object. Raises ArchiveUnavailable."""
        key = self._prefix + checked(name)
        try:
            self._client.delete_object(Bucket=self._bucket, Key=key)
        except (BotoCoreError, ClientError) as error:
            raise self._unavailable("deleted", key, error) from error

    def _unavailable(self, done: str, key: str, error: Exception) -> ArchiveUnavailable:
        place = f"s3://{self._bucket}/{key}"
        return ArchiveUnavailable(f"{place} cannot be {done} ({error}): see ARCHIVE_URL and the role's rights")
