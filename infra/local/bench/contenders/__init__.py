"""Programs of the peers' environment that the `http` and `browser` rows are measured against."""
