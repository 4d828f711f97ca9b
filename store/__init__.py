"""What the user chose to keep: notes, gaps, decisions and their audit trail. The only place that knows SQLAlchemy."""

from store.kept import Store, open_store

__all__ = ["Store", "open_store"]
