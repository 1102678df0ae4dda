"""An archive in a bucket of S3."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from nightjar.adapters.archive.names import checked
from nightjar.ports import ArchiveUnavailable

LIMITS = Config(connect_timeout=3, read_timeout=15, retries={"total_max_attempts": 3, "mode": "standard"})
"""A page of 200 responses has a few megabytes; three attempts end within a minute."""


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
            message = f"s3://{self._bucket}/{key} cannot be written ({error}): see ARCHIVE_URL and the role's rights"
            raise ArchiveUnavailable(message) from error
        return f"s3://{self._bucket}/{key}"
