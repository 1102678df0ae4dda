"""One folder or module per outside thing. They do not know each other."""
