"""Tables of records: JSON lines, CSV and Parquet, read one record at a time and written in the same order.

Codes, dates and "NA" stay text: CSV is read with `dtype=str, keep_default_na=False`. A line that can't be read is a
record with its error; the others go on.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from models.problem import InputProblem

FORMATS = (".jsonl", ".csv", ".parquet")
# Cells that hold JSON when they begin like it.
_NESTED = ("claim", "patient", "report")


class BadRecord(dict[str, Any]):
    """A record that couldn't be read; holds "id" and "error" only."""


def check_format(path: Path) -> None:
    """Raise InputProblem unless the file's ending is one that is read and written."""
    if path.suffix.lower() not in FORMATS:
        raise InputProblem(f"the ending {path.suffix!r} isn't known", path.name, f"use one of {', '.join(FORMATS)}")


def read_records(path: Path) -> Iterator[dict[str, Any]]:
    """Every record of a file, in order. Raises InputProblem when the file as a whole can't be read."""
    check_format(path)
    if not path.is_file():
        raise InputProblem("no such file", str(path), "name a .jsonl, .csv or .parquet file")
    if path.suffix.lower() == ".jsonl":
        yield from _jsonl(path)
    elif path.suffix.lower() == ".csv":
        yield from _csv(path)
    else:
        yield from _parquet(path)


def _jsonl(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            where = f"{path.name}, line {number}"
            try:
                record = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except UnicodeDecodeError as error:
                yield BadRecord(id=f"line {number}", error=f"{where}: byte {error.start + 1} isn't UTF-8")
                continue
            except ValueError as error:
                reason = getattr(error, "msg", "not JSON")
                yield BadRecord(id=f"line {number}", error=f"{where}: not JSON: {reason}")
                continue
            if isinstance(record, dict):
                yield record
            else:
                yield BadRecord(
                    id=f"line {number}", error=f"{where}: a record is a JSON object, not a {type(record).__name__}"
                )


def _csv(path: Path) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(sys.maxsize)
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            names = reader.fieldnames or []
            for name in ("id", "text"):
                if name not in names:
                    raise InputProblem(
                        f"no column {name!r}", path.name, "the first line names the columns; id and text are needed"
                    )
            for row in reader:
                where = f"{path.name}, line {reader.line_num}"
                if None in row or None in row.values():
                    yield BadRecord(
                        id=row.get("id") or where, error=f"{where}: as many fields as columns are needed ({len(names)})"
                    )
                else:
                    yield _from_cells(row, where)
    except UnicodeDecodeError as error:
        raise InputProblem(f"byte {error.start + 1} isn't UTF-8", path.name, "save the file as UTF-8") from None
    except csv.Error as error:
        raise InputProblem(f"not CSV: {error}", path.name) from None


def _parquet(path: Path) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputProblem(f"not a Parquet file: {str(error).splitlines()[0]}", path.name) from None
    number = 0
    for batch in file.iter_batches(batch_size=256):
        for row in batch.to_pylist():
            number += 1
            cells = {
                k: v if isinstance(v, (str, dict, list, int, float)) or v is None else str(v) for k, v in row.items()
            }
            yield _from_cells(cells, f"{path.name}, row {number}")


def _from_cells(row: dict[str, Any], where: str) -> dict[str, Any]:
    """A flat row as a record: empty cells are absent, `age` and `sex` belong to the patient, `claim` may be JSON."""
    record: dict[str, Any] = {}
    patient: dict[str, Any] = {}
    for name, value in row.items():
        if value is None or (value == "" and name != "text"):
            continue
        if name in ("age", "sex"):
            patient[name] = value
        elif name in _NESTED and isinstance(value, str):
            try:
                record[name] = json.loads(value)
            except ValueError:
                return BadRecord(id=str(row.get("id", where)), error=f"{where}: the cell {name!r} isn't JSON")
        else:
            record[name] = value
    if patient:
        record["patient"] = {**record.get("patient", {}), **patient}
    return record


def dump(value: Any) -> str:  # noqa: ANN401
    """One line of JSON, the same for the same value on every machine."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def write_records(path: Path, answers: Iterable[dict[str, Any]]) -> int:
    """Write answers in order and return how many were errors. CSV and Parquet hold id, report (as JSON) and error."""
    check_format(path)
    failed = 0
    if path.suffix.lower() == ".jsonl":
        with path.open("w", encoding="utf-8", newline="\n") as out:
            for answer in answers:
                failed += "error" in answer
                out.write(dump(answer) + "\n")
        return failed
    if path.suffix.lower() == ".csv":
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, ["id", "report", "error"], lineterminator="\n")
            writer.writeheader()
            for answer in answers:
                failed += "error" in answer
                writer.writerow(_cells(answer))
        return failed
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.string()) for name in ("id", "report", "error")])
    with pq.ParquetWriter(path, schema) as writer_:
        rows: list[dict[str, Any]] = []
        for answer in answers:
            failed += "error" in answer
            rows.append(_cells(answer))
            if len(rows) == 256:
                writer_.write_table(pa.Table.from_pylist(rows, schema=schema))
                rows = []
        writer_.write_table(pa.Table.from_pylist(rows, schema=schema))
    return failed


def _cells(answer: dict[str, Any]) -> dict[str, Any]:
    report = answer.get("report")
    return {
        "id": _harmless(str(answer.get("id", ""))),
        "report": dump(report) if report is not None else "",
        "error": answer.get("error", ""),
    }


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + cell if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def finished(path: Path) -> int:
    """How many whole answers a .jsonl file holds; a last line that a crash cut short is removed."""
    whole, count = 0, 0
    with path.open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):
                break
            try:
                json.loads(line)
            except ValueError:
                break
            whole += len(line)
            count += 1
    with path.open("r+b") as file:
        file.truncate(whole)
    return count
