"""Brings CMS's files for claim edits in: files, folders and zips, recognised by their headers.

Everything is read and checked before anything is stored, so that a failed import changes nothing. What is stored is
compiled: `home()/edits/<kind>/<first day>.part`. Several quarters stand side by side.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from code_maps.archives import FileRead, contents, decoded
from code_maps.edits.containers import LIMITS, tables
from code_maps.edits.imported import folder, forget
from code_maps.edits.layouts import KINDS, Table, read_table
from code_maps.icd10cm import cache
from code_maps.icd10cm.problems import ImportProblem

UNDATED = "undated"


@dataclass(frozen=True)
class EditImport:
    """What became of one file. `kind` is 'skipped' for one that was passed over; `notices` say why.

    count    rows loaded
    refused  reasons why rows weren't, each with the number of rows and the first of them
    """

    file: str
    kind: str
    dates: tuple[dt.date, dt.date | None] | None = None
    count: int = 0
    refused: tuple[tuple[str, int, int], ...] = ()
    notices: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.kind == "skipped":
            return f"{self.file}: passed over: {'; '.join(self.notices)}"
        said = f"{self.file}: {KINDS[self.kind]}, {shown_dates(self.dates)}: {self.count:,} rows loaded"
        lost = sum(n for _, n, _ in self.refused)
        said += f", {lost:,} refused" if lost else ", none refused"
        for reason, n, row in self.refused:
            said += f"\n  refused {n:,} ({reason}), the first in row {row}"
        return said + "".join(f"\n  {notice}" for notice in self.notices)


def shown_dates(dates: tuple[dt.date, dt.date | None] | None) -> str:
    """Dates of effect in words."""
    if dates is None:
        return "without dates"
    return f"{dates[0]} to {dates[1]}" if dates[1] else f"from {dates[0]}"


@dataclass(frozen=True)
class _Part:
    result: EditImport
    blobs: dict[str, Any]


def import_edits(paths: Iterable[str | Path]) -> list[EditImport]:
    """Import files, folders and zips; one result for each file found.

    Raises ImportProblem for a file that can't be used, and when there is none to use; nothing has been stored then.
    In folders and zips, files of other kinds are passed over and reported as 'skipped'.
    """
    places = [Path(path) for path in paths]
    results: list[EditImport] = []
    parts: dict[tuple[str, str], _Part] = {}
    for file in contents(places, LIMITS):
        read = _read(file)
        if isinstance(read, str):
            results.append(EditImport(file.where, "skipped", notices=(read,)))
            continue
        for table in read:
            result = _result(file, table)
            key = (table.kind, table.dates[0].isoformat() if table.dates else UNDATED)
            twin = parts.get(key)
            if twin is None:
                parts[key] = _Part(result, table.blobs)
                results.append(result)
            elif table.kind == "ptp-changes":
                # CMS has one file for each kind of change: they belong together.
                both = [*twin.blobs["rows"], *(r for r in table.blobs["rows"] if r not in twin.blobs["rows"])]
                parts[key] = _Part(twin.result, {"rows": both})
                results.append(result)
            elif twin.blobs != table.blobs:
                raise ImportProblem(
                    f"it differs from {twin.result.file}, though both hold {KINDS[table.kind]} from {key[1]}",
                    file.where,
                    "Import one of them.",
                )
            else:
                results.append(EditImport(file.where, "skipped", notices=(f"the same as {twin.result.file}",)))
    if not parts:
        raise ImportProblem(
            "there is no file for claim edits among what was given",
            ", ".join(map(str, places)) or "the call",
            "Give CMS's MUE, add-on, relative value, MCE or PTP change files, or zips or folders of them.",
        )
    _store(parts)
    return results


def _read(file: FileRead) -> list[Table] | str:
    """The tables of a file, or why it is passed over. Raises ImportProblem for one that the user named."""
    found: list[Table] = []
    reasons: list[str] = []
    text = None if file.data.startswith(b"PK") else decoded(file.data)
    for rows in tables(file):
        # The name of the zip tells the quarter where the file's own doesn't.
        name = file.name if any(c.isdigit() for c in file.name) else f"{file.name} {file.container}"
        read = read_table(rows, text, name, file.where)
        if isinstance(read, str):
            reasons.append(read)
        elif read is not None:
            _sound(read, file)
            found.append(read)
    if found:
        return found
    why = "; ".join(reasons) or "no file for claim edits that can be used"
    if file.named:
        raise ImportProblem(
            why if reasons else "it is no file for claim edits that can be used",
            file.where,
            "Give CMS's MUE (practitioner services), add-on, PPRRVU, MCE or PTP change file.",
        )
    return why


def _sound(table: Table, file: FileRead) -> None:
    """Raises ImportProblem for a table of which little or nothing could be loaded."""
    lost = sum(n for reason, n in table.refused.items() if not reason.startswith(("a row for a modifier", "repeats")))
    if table.loaded and lost <= table.loaded:
        return
    reason, row = next(iter(table.first_refused.items()), ("it has no rows below its header", 0))
    raise ImportProblem(
        f"{lost:,} of {lost + table.loaded:,} rows can't be used: {reason}" + (f", first in row {row}" if row else ""),
        file.where,
        "The file seems to be cut or changed: download it again and import it unchanged.",
    )


def _result(file: FileRead, table: Table) -> EditImport:
    refused = tuple((reason, n, table.first_refused[reason]) for reason, n in table.refused.items())
    return EditImport(file.where, table.kind, table.dates, table.loaded, refused, table.notices)


def _store(parts: dict[tuple[str, str], _Part]) -> None:
    cache.put((_to_write(kind, since, part) for (kind, since), part in parts.items()), folder())
    forget()


def _to_write(kind: str, since: str, part: _Part) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    dates = part.result.dates
    about = {
        "kind": kind,
        "file": Path(part.result.file).name,
        "from": dates[0].isoformat() if dates else "",
        "to": dates[1].isoformat() if dates and dates[1] else "",
        "count": part.result.count if kind != "ptp-changes" else len(part.blobs["rows"]),
        "refused": [list(item) for item in part.result.refused],
    }
    return folder() / kind / f"{since}.part", about, {"table": part.blobs}
