"""Alembic migrations of the store; `store.database` runs them whenever a database is opened."""
