"""Postgres, the only place where truth lives: engine, unit of work, one repository a noun, migrations."""
