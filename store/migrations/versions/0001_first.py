"""Notes, gaps, their steps and queries, decisions, exercise results, and the audit trail with its guards.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.String(32)
_NAME = sa.String(200)
_MOMENT = sa.DateTime(timezone=True)
# PostgreSQL samples columns for its planner, and keeps the samples when rows go. Words and names must not end there.
_UNSAMPLED = {
    "notes": ("external_id", "text", "encounter", "report"),
    "gaps": ("key", "fingerprint", "body"),
    "steps": ("reason",),
    "queries": ("title", "text"),
    "decisions": ("reason",),
    "results": ("learner", "wrong_rules"),
}

_SQLITE_GUARDS = (
    "CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END",
    "CREATE TRIGGER audit_undeleted BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END",
    "CREATE TRIGGER audit_next BEFORE INSERT ON audit WHEN NEW.seq <> (SELECT count FROM audit_head) + 1 "
    "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END",
    "CREATE TRIGGER audit_head_kept BEFORE DELETE ON audit_head "
    "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END",
    "CREATE TRIGGER audit_head_forward BEFORE UPDATE ON audit_head WHEN NEW.count <> OLD.count + 1 "
    "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END",
)
_POSTGRES_GUARDS = (
    "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$",
    "CREATE FUNCTION audit_check_next() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN IF NEW.seq <> (SELECT count FROM audit_head) + 1 THEN "
    "RAISE EXCEPTION 'the audit trail is append-only'; END IF; RETURN NEW; END $$",
    "CREATE FUNCTION audit_check_head() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN IF NEW.count <> OLD.count + 1 THEN "
    "RAISE EXCEPTION 'the audit trail is append-only'; END IF; RETURN NEW; END $$",
    "CREATE TRIGGER audit_unchanged BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_untruncated BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_next BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_check_next()",
    "CREATE TRIGGER audit_head_kept BEFORE DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_head_untruncated BEFORE TRUNCATE ON audit_head "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_head_forward BEFORE UPDATE ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_check_head()",
)


def upgrade() -> None:
    """From an empty database."""
    op.create_table(
        "notes",
        sa.Column("id", _ID, nullable=False),
        sa.Column("series", _ID, nullable=False),
        sa.Column("external_id", _NAME, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("earlier", _ID),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("encounter", sa.Text, nullable=False),
        sa.Column("report", sa.Text, nullable=False),
        sa.Column("provider", _NAME, nullable=False),
        sa.Column("services", sa.Text, nullable=False),
        sa.Column("date_of_service", sa.Date),
        sa.Column("saved_at", _MOMENT, nullable=False),
        sa.Column("saved_by", _NAME, nullable=False),
        sa.Column("salt", _ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notes"),
        sa.ForeignKeyConstraint(["earlier"], ["notes.id"], name="fk_notes_earlier"),
        sa.UniqueConstraint("external_id", "version", name="uq_notes_external_id_version"),
    )
    op.create_table(
        "gaps",
        sa.Column("id", _ID, nullable=False),
        sa.Column("note", _ID, nullable=False),
        sa.Column("series", _ID, nullable=False),
        sa.Column("key", _NAME, nullable=False),
        sa.Column("fingerprint", _NAME, nullable=False),
        sa.Column("rule", _NAME, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("opened_at", _MOMENT, nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.Column("queried_at", _MOMENT),
        sa.Column("answered_at", _MOMENT),
        sa.Column("closed_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_gaps"),
        sa.ForeignKeyConstraint(["note"], ["notes.id"], name="fk_gaps_note"),
    )
    op.create_table(
        "steps",
        sa.Column("id", _ID, nullable=False),
        sa.Column("gap", _ID, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("from_status", sa.String(16), nullable=False),
        sa.Column("to_status", sa.String(16), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("who", _NAME, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("salt", _ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_steps"),
        sa.ForeignKeyConstraint(["gap"], ["gaps.id"], name="fk_steps_gap"),
    )
    op.create_table(
        "queries",
        sa.Column("id", _ID, nullable=False),
        sa.Column("gap", _ID, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("provider", _NAME, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("sent_at", _MOMENT, nullable=False),
        sa.Column("sent_by", _NAME, nullable=False),
        sa.Column("salt", _ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_queries"),
        sa.ForeignKeyConstraint(["gap"], ["gaps.id"], name="fk_queries_gap"),
    )
    op.create_table(
        "decisions",
        sa.Column("id", _ID, nullable=False),
        sa.Column("note", _ID, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("code", sa.String(16), nullable=False),
        sa.Column("decision", sa.String(16), nullable=False),
        sa.Column("replacement", sa.String(16)),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("who", _NAME, nullable=False),
        sa.Column("salt", _ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
        sa.ForeignKeyConstraint(["note"], ["notes.id"], name="fk_decisions_note"),
    )
    op.create_table(
        "results",
        sa.Column("id", _ID, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("learner", _NAME, nullable=False),
        sa.Column("exercise", _NAME, nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("wrong_rules", sa.Text, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("salt", _ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_results"),
    )
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("who", _NAME, nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_one")),
    )
    for table, column in _INDEXES:
        op.create_index(f"ix_{table}_{column}", table, [column])
    op.bulk_insert(head, [{"id": 1, "count": 0, "hash": "0" * 64}])
    postgres = op.get_bind().dialect.name == "postgresql"
    for guard in _POSTGRES_GUARDS if postgres else _SQLITE_GUARDS:
        op.execute(guard)
    if postgres:
        for name, columns in _UNSAMPLED.items():
            for column in columns:
                op.execute(f"ALTER TABLE {name} ALTER COLUMN {column} SET STATISTICS 0")


_INDEXES = (
    ("notes", "series"),
    ("notes", "provider"),
    ("notes", "saved_at"),
    ("gaps", "note"),
    ("gaps", "series"),
    ("gaps", "status"),
    ("steps", "gap"),
    ("queries", "gap"),
    ("decisions", "note"),
    ("results", "learner"),
    ("results", "at"),
    ("audit", "subject"),
)


def downgrade() -> None:
    """To an empty database."""
    for table in ("audit_head", "audit", "results", "decisions", "queries", "steps", "gaps", "notes"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        for function in ("audit_refuse", "audit_check_next", "audit_check_head"):
            op.execute(f"DROP FUNCTION {function}()")
