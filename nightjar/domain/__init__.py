"""Frozen values and pure functions. Imports the standard library and `nightjar.errors`, nothing else."""
