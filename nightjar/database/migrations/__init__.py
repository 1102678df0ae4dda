"""Migrations. A file's name says whether it runs before (`pre`) or after (`post`) the new code is deployed."""
