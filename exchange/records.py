"""Tables of records: JSON lines, CSV and Parquet, read one record at a time and written in the same order.

Codes, dates and "NA" stay text: CSV is read with `dtype=str, keep_default_na=False`. A line that can't be read is a
record with its error; the others go on.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from typing import IO, Any

from models.problem import InputProblem

FORMATS = (".jsonl", ".csv", ".parquet")
# Of a Parquet file, which may pack a value that repeats very small.
MOST_UNPACKED = 8_000_000_000
# Cells that hold JSON when they begin like it.
_NESTED = ("claim", "patient", "report")


class BadRecord(dict[str, Any]):
    """A record that couldn't be read; holds "id" and "error" only."""


def check_format(path: PurePath) -> None:
    """Raise InputProblem unless the file's ending is one that is read and written."""
    if path.suffix.lower() not in FORMATS:
        raise InputProblem(f"the ending {path.suffix!r} isn't known", path.name, f"use one of {', '.join(FORMATS)}")


def read_records(path: Path) -> Iterator[dict[str, Any]]:
    """Every record of a file, in order. Raises InputProblem when the file as a whole can't be read."""
    check_format(path)
    if not path.is_file():
        raise InputProblem("no such file", str(path), "name a .jsonl, .csv or .parquet file")
    with path.open("rb") as stream:
        yield from records_in(stream, path.name)


def records_in(stream: IO[bytes], name: str) -> Iterator[dict[str, Any]]:
    """Every record of an open file, in order; the ending of `name` says how it is read. Raises as `read_records`."""
    check_format(PurePath(name))
    read = {".jsonl": _jsonl, ".csv": _csv, ".parquet": _parquet}[PurePath(name).suffix.lower()]
    yield from read(stream, PurePath(name).name)


def _jsonl(stream: IO[bytes], name: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        try:
            record = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            if b"\\ud" in line.lower():
                dump(record).encode()
        except UnicodeDecodeError as error:
            yield BadRecord(id=f"line {number}", error=f"{where}: byte {error.start + 1} isn't UTF-8")
        except UnicodeEncodeError:
            yield BadRecord(id=f"line {number}", error=f"{where}: half of a surrogate pair stands alone")
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", "not JSON" if isinstance(error, ValueError) else "nested too deep")
            yield BadRecord(id=f"line {number}", error=f"{where}: not JSON: {reason}")
        else:
            if isinstance(record, dict):
                yield record
            else:
                yield BadRecord(
                    id=f"line {number}", error=f"{where}: a record is a JSON object, not a {type(record).__name__}"
                )


def _csv(stream: IO[bytes], name: str) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(sys.maxsize)
    try:
        reader = csv.DictReader(io.TextIOWrapper(stream, encoding="utf-8-sig", newline=""), strict=True)
        names = reader.fieldnames or []
        for column in ("id", "text"):
            if column not in names:
                raise InputProblem(
                    f"no column {column!r}", name, "the first line names the columns; id and text are needed"
                )
        for row in reader:
            where = f"{name}, line {reader.line_num}"
            if None in row or None in row.values():
                yield BadRecord(
                    id=row.get("id") or where, error=f"{where}: as many fields as columns are needed ({len(names)})"
                )
            else:
                yield _from_cells(row, where)
    except UnicodeDecodeError as error:
        raise InputProblem(f"byte {error.start + 1} isn't UTF-8", name, "save the file as UTF-8") from None
    except csv.Error as error:
        raise InputProblem(f"not CSV: {error}", name) from None


def _parquet(stream: IO[bytes], name: str) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        file = pq.ParquetFile(stream)
        groups = (file.metadata.row_group(n) for n in range(file.metadata.num_row_groups))
        if sum(group.total_byte_size for group in groups) > MOST_UNPACKED:
            raise InputProblem(f"it unpacks to more than {MOST_UNPACKED:,} bytes", name, "split the file")
        for batch in file.iter_batches(batch_size=256):
            for row in batch.to_pylist():
                number += 1
                cells = {
                    k: v if isinstance(v, (str, dict, list, int, float)) or v is None else str(v)
                    for k, v in row.items()
                }
                yield _from_cells(cells, f"{name}, row {number}")
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputProblem(f"not a Parquet file: {(str(error).splitlines() or [''])[0]}", name) from None


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
            except (ValueError, RecursionError):
                return BadRecord(id=str(row.get("id", where)), error=f"{where}: the cell {name!r} isn't JSON")
        else:
            record[name] = value
    if patient:
        known = record.get("patient", {})
        if not isinstance(known, dict):
            return BadRecord(id=str(row.get("id", where)), error=f"{where}: the patient is no JSON object")
        record["patient"] = {**known, **patient}
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
        "id": harmless(str(answer.get("id", ""))),
        "report": dump(report) if report is not None else "",
        "error": answer.get("error", ""),
    }


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + cell if cell[:1] in ("\t", "\r", "\n") or cell.lstrip()[:1] in ("=", "+", "-", "@") else cell


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
