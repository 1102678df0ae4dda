"""One folder a site; strangers to each other."""
