"""The tables. `migrations/` leads to exactly these; a test compares the two.

Whatever may hold words of a note (text, reports, evidence, queries, reasons) has the type `Words`: JSON in ASCII, so that
every character a note can hold, NUL and lone surrogates too, comes back as it was from every database.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

HEAD_REVISION = "0001"


class Words(sa.TypeDecorator[Any]):
    """A JSON value that may hold words of a note."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:  # noqa: ANN401
        """To JSON, keys in a fixed order."""
        return None if value is None else canonical(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:  # noqa: ANN401
        """From JSON."""
        return None if value is None else json.loads(value)


class Moment(sa.TypeDecorator[datetime]):
    """A moment in UTC. SQLite knows no time zones: there it is kept without one."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """To UTC. A moment without a time zone is a mistake of the caller."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """In UTC again."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def canonical(value: Any) -> str:  # noqa: ANN401
    """One JSON text for one value: ASCII, no blanks, keys in order."""
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)
_ID = sa.String(32)
_NAME = sa.String(200)

notes = sa.Table(
    "notes",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("series", _ID, nullable=False, index=True),
    sa.Column("external_id", _NAME, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("earlier", _ID, sa.ForeignKey("notes.id")),
    sa.Column("text", Words, nullable=False),
    sa.Column("encounter", Words, nullable=False),
    sa.Column("report", Words, nullable=False),
    sa.Column("provider", _NAME, nullable=False, index=True),
    sa.Column("services", sa.Text, nullable=False),
    sa.Column("date_of_service", sa.Date),
    sa.Column("saved_at", Moment, nullable=False, index=True),
    sa.Column("saved_by", _NAME, nullable=False),
    sa.Column("salt", _ID, nullable=False),
    sa.UniqueConstraint("external_id", "version"),
)
gaps = sa.Table(
    "gaps",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("note", _ID, sa.ForeignKey("notes.id"), nullable=False, index=True),
    sa.Column("series", _ID, nullable=False, index=True),
    sa.Column("key", _NAME, nullable=False),
    sa.Column("fingerprint", _NAME, nullable=False),
    sa.Column("rule", _NAME, nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("body", Words, nullable=False),
    sa.Column("status", sa.String(16), nullable=False, index=True),
    sa.Column("opened_at", Moment, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("queried_at", Moment),
    sa.Column("answered_at", Moment),
    sa.Column("closed_at", Moment),
)
steps = sa.Table(
    "steps",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("gap", _ID, sa.ForeignKey("gaps.id"), nullable=False, index=True),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("from_status", sa.String(16), nullable=False),
    sa.Column("to_status", sa.String(16), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("who", _NAME, nullable=False),
    sa.Column("reason", Words, nullable=False),
    sa.Column("salt", _ID, nullable=False),
)
queries = sa.Table(
    "queries",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("gap", _ID, sa.ForeignKey("gaps.id"), nullable=False, index=True),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("provider", _NAME, nullable=False),
    sa.Column("title", Words, nullable=False),
    sa.Column("text", Words, nullable=False),
    sa.Column("sent_at", Moment, nullable=False),
    sa.Column("sent_by", _NAME, nullable=False),
    sa.Column("salt", _ID, nullable=False),
)
decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("note", _ID, sa.ForeignKey("notes.id"), nullable=False, index=True),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("code", sa.String(16), nullable=False),
    sa.Column("decision", sa.String(16), nullable=False),
    sa.Column("replacement", sa.String(16)),
    sa.Column("reason", Words, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("who", _NAME, nullable=False),
    sa.Column("salt", _ID, nullable=False),
)
results = sa.Table(
    "results",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("learner", _NAME, nullable=False, index=True),
    sa.Column("exercise", _NAME, nullable=False),
    sa.Column("score", sa.Float, nullable=False),
    sa.Column("wrong_rules", Words, nullable=False),
    sa.Column("at", Moment, nullable=False, index=True),
    sa.Column("salt", _ID, nullable=False),
)
# Times, facts and hashes stand in the trail as the text that was hashed.
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("who", _NAME, nullable=False),
    sa.Column("action", sa.String(32), nullable=False),
    sa.Column("subject", sa.String(64), nullable=False, index=True),
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("previous", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)
audit_head = sa.Table(
    "audit_head",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.CheckConstraint("id = 1", name="one"),
)
