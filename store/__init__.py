"""What the user chose to keep: notes, gaps, decisions and their audit trail. The only place that knows SQLAlchemy."""
