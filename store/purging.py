"""Removing for good: the rows, and the words from the files of the database.

SQLite overwrites what is deleted (`secure_delete`), is rebuilt without it (VACUUM, in memory, no temporary file), and its
write-ahead file is emptied. On PostgreSQL the tables are rewritten (VACUUM FULL); words are kept out of the planner's
statistics by the schema. Out of reach, and the administrator's: PostgreSQL's own write-ahead log until its segments are
used again, backups and replicas, snapshots of the file system, and the spare cells of a solid-state disk.

The purge is an entry of the audit trail. The entries of what was removed stay: they hold no words.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from models.problem import InputProblem
from models.worklist import Purged
from store.audit import Trail
from store.database import shown, writing
from store.schema import decisions, gaps, notes, queries, results, steps

_PATIENCE = 10.0  # seconds until readers are done
_AT_ONCE = 500  # ids in one statement; SQLite takes 32,766 parameters, older ones 999


def purge(
    engine: sa.Engine,
    *,
    who: str,
    when: datetime,
    facts: Mapping[str, Any],
    before: datetime | None = None,
    external_id: str | None = None,
) -> Purged:
    """Remove notes with all their versions, gaps, queries and decisions: one, or those last saved before a moment.

    With `before` exercise results of that age go too. Raises InputProblem when the words can't be cleared from the
    files because another program is reading; the rows are gone then, and purging again clears the rest.
    """
    with writing(engine) as connection:
        series, old_results = _chosen(connection, before, external_id)
        of_series = _ids(connection, notes.c.id, notes.c.series, series)
        of_gaps = _ids(connection, gaps.c.id, gaps.c.series, series)
        removed = [*of_series, *old_results]
        if removed:
            for table, column, ids in (
                (queries, queries.c.gap, of_gaps), (steps, steps.c.gap, of_gaps), (decisions, decisions.c.note, of_series),
                (gaps, gaps.c.id, of_gaps), (results, results.c.id, old_results),
            ):  # fmt: skip
                for some in several(ids):
                    connection.execute(table.delete().where(column.in_(some)))
            for some in several(series):
                # A later version points at an earlier one: let go first.
                connection.execute(notes.update().where(notes.c.series.in_(some)).values(earlier=None))
                connection.execute(notes.delete().where(notes.c.series.in_(some)))
        trail = Trail(connection, who, when)
        trail.add("purged", "store", {**facts, "notes": len(series), "removed": removed})
        trail.close()
    scrub(engine)
    return Purged(len(series), len(of_gaps), len(old_results))


def _chosen(connection: sa.Connection, before: datetime | None, external_id: str | None) -> tuple[list[str], list[str]]:
    """The series and the results to remove."""
    if external_id is not None:
        found = sa.select(notes.c.series).where(notes.c.external_id == external_id).distinct()
        return list(connection.execute(found).scalars()), []
    found = sa.select(notes.c.series).group_by(notes.c.series).having(sa.func.max(notes.c.saved_at) < before)
    old = sa.select(results.c.id).where(results.c.at < before)
    return list(connection.execute(found).scalars()), list(connection.execute(old).scalars())


def _ids(connection: sa.Connection, id: sa.Column[str], by: sa.Column[str], series: list[str]) -> list[str]:
    return [
        found for some in several(series) for found in connection.execute(sa.select(id).where(by.in_(some))).scalars()
    ]


def several(ids: list[str]) -> list[list[str]]:
    """Ids in groups that one statement takes."""
    return [ids[n : n + _AT_ONCE] for n in range(0, len(ids), _AT_ONCE)]


def scrub(engine: sa.Engine) -> None:
    """Clear deleted words from the files of the database. Raises InputProblem while another program is reading."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in (queries, steps, decisions, gaps, notes, results):
                connection.exec_driver_sql(f"VACUUM FULL {table.name}")
        return
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {int(_PATIENCE * 1000)}")
        cursor.execute("VACUUM")
        busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.OperationalError:
        busy = True
    finally:
        raw.invalidate()  # with its shorter patience
        raw.close()
    if busy:
        raise InputProblem(
            "the rows are removed, but another program is reading: the write-ahead file may still hold words",
            shown(engine.url),
            "purge again when it is done",
        )
