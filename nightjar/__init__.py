"""Nightjar: the shared core of the API, the functions and the workers."""
