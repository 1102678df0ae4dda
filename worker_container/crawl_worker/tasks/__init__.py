"""Shells: a name, a queue by that name, and a call. What they call is tested without a broker."""
