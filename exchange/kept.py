"""What the store keeps, as files: everything as JSON lines in a folder or a zip, and tables for spreadsheets."""

from __future__ import annotations

import csv
import io
import os
import zipfile
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from exchange.records import dump, harmless
from models.problem import InputProblem
from models.worklist import KeptGap

Table = tuple[str, Iterable[Mapping[str, Any]]]

_GAP_COLUMNS: tuple[tuple[str, Callable[[KeptGap], object]], ...] = (
    ("note", lambda g: g.external_id),
    ("version", lambda g: g.version),
    ("provider", lambda g: g.provider),
    ("date_of_service", lambda g: g.date_of_service),
    ("priority", lambda g: g.gap.priority),
    ("family", lambda g: g.gap.kind),
    ("missing", lambda g: g.gap.missing),
    ("rule", lambda g: g.gap.rule),
    ("code", lambda g: g.gap.code),
    ("about", lambda g: g.gap.about),
    ("ask", lambda g: g.gap.ask),
    ("status", lambda g: g.status),
    ("opened", lambda g: g.opened_at),
    ("queried", lambda g: g.queried_at),
    ("answered", lambda g: g.answered_at),
    ("closed", lambda g: g.closed_at),
)


def gaps_csv(gaps: Iterable[KeptGap]) -> str:
    """Gaps as a table for spreadsheets; nothing in it is read as a formula. Holds words of notes."""
    return table_csv([name for name, _ in _GAP_COLUMNS], ([value(g) for _, value in _GAP_COLUMNS] for g in gaps))


def table_csv(headings: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Rows as CSV; a cell that a spreadsheet would take for a formula is made plain text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(headings)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool | int | float):
        return str(value)
    return harmless(" ".join(str(value).split()))


def write_export(target: Path, tables: Iterable[Table], gaps: Iterable[KeptGap]) -> dict[str, int]:
    """Write every table as NAME.jsonl and the gaps as gaps.csv, into a new zip (PATH.zip) or folder.

    Gives how many rows each table has. The files are for their owner only. Raises InputProblem where `target` is there
    already or can't be written.
    """
    try:
        if target.suffix.lower() == ".zip":
            with (
                os.fdopen(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file,
                zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
            ):
                return _write(lambda name: archive.open(name, "w"), tables, gaps)
        target.mkdir(mode=0o700, parents=True)
        return _write(lambda name: (target / name).open("wb"), tables, gaps)
    except FileExistsError:
        raise InputProblem("is there already", str(target), "name a new folder or .zip") from None
    except OSError as error:
        raise InputProblem(f"can't be written: {error.strerror}", str(target)) from None


def _write(open_: Callable[[str], Any], tables: Iterable[Table], gaps: Iterable[KeptGap]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, rows in tables:
        counts[name] = 0
        with open_(f"{name}.jsonl") as out:
            for row in rows:
                out.write((dump(row) + "\n").encode("utf-8", "backslashreplace"))
                counts[name] += 1
    with open_("gaps.csv") as out:
        out.write(gaps_csv(gaps).encode("utf-8", "backslashreplace"))
    return counts
