"""Archives: a folder and a bucket of S3."""
