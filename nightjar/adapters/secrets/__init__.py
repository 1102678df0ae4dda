"""Where secrets are kept: an encrypted table, or AWS Secrets Manager."""
