"""Brings CMS's Medicare Coverage Database downloads in: zips as they come, what is in them, or folders of that.

Tables are found by name and columns by header, whatever their order. Every row is loaded, or left out and counted
with its reason. Descriptors of procedures and modifiers are dropped on the way in. Nothing is put to use before
everything has been read and checked.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import itertools
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path

from code_maps import archives
from code_maps.archives import Member
from code_maps.coverage.mcd import store
from code_maps.coverage.mcd.store import Builder, Imported, TableCount
from code_maps.coverage.mcd.tables import (
    COLUMNS,
    DATES,
    HEADERLESS,
    KEYS,
    KINDS,
    NEEDED,
    SHARED,
    WANTED,
    KindName,
    is_descriptor,
    kind_of,
)
from code_maps.icd10cm.problems import ImportProblem

Progress = Callable[[str, int, int], None]
"""Called with the table at hand, bytes read so far and bytes in all."""

_AGAIN = "Download it again from the Medicare Coverage Database and import it unchanged."
_BATCH = 5_000
_MOST_UNDECODED = 50
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T]\d{2}:\d{2}:\d{2}(?:\.\d+)?)?")
_UNDEFINED = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")  # bytes that cp1252 doesn't have

csv.field_size_limit(1 << 28)


@dataclass(frozen=True)
class Warned:
    """Rows of one table left out for one reason, or something to know about a table (`rows` 0)."""

    table: str
    reason: str
    rows: int = 0
    first_line: int | None = None

    def __str__(self) -> str:
        if not self.rows:
            return f"{self.table}: {self.reason}"
        rows = "1 row" if self.rows == 1 else f"{self.rows:,} rows"
        at = f" ({'line' if self.rows == 1 else 'first on line'} {self.first_line})" if self.first_line else ""
        return f"{self.table}: {rows} left out: {self.reason}{at}"


@dataclass(frozen=True)
class ImportReport:
    """What an import did: one entry for each download, what was left out, and the files that were passed over."""

    imported: tuple[Imported, ...]
    warnings: tuple[Warned, ...]
    skipped: tuple[str, ...] = ()


@dataclass
class _Download:
    """The tables of one kind that stand together in one zip or folder."""

    kind: KindName
    given: Path
    tables: dict[str, Member] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The name that the user knows it by."""
        return self.given.name or str(self.given)


def import_paths(paths: Iterable[str | Path], progress: Progress | None = None) -> ImportReport:
    """Import downloads: zips, folders and single CSV files of one download.

    A download replaces the earlier one of its kind (articles, LCDs, NCDs); other kinds stay. Raises ImportProblem
    for what can't be used, and nothing has changed then.
    """
    places = [Path(path) for path in paths]
    where = store.folder()
    built: list[tuple[Builder, Imported]] = []
    builders: list[Builder] = []
    warnings: list[Warned] = []
    try:
        where.mkdir(parents=True, exist_ok=True)
        with archives.opened(places, spool=where) as members:
            downloads, skipped = _downloads(members, places)
            meter = _Meter(progress, 2 * sum(m.size for d in downloads for m in d.tables.values()))
            for download in downloads:
                builders.append(Builder(where))
                entry, said = _load(download, builders[-1], meter)
                built.append((builders[-1], entry))
                warnings.extend(said)
        store.commit(built, where)
    except (OSError, sqlite3.Error) as error:
        what = f"it can't be written ({getattr(error, 'strerror', None) or error})"
        right = "Make room, or let CHARTPROOF_HOME name a folder that can be written."
        raise ImportProblem(what, str(where), right) from None
    finally:
        for builder in builders:
            builder.discard()
    return ImportReport(tuple(entry for _, entry in built), tuple(warnings), tuple(skipped))


@dataclass
class _Meter:
    progress: Progress | None
    total: int
    done: int = 0

    def step(self, table: str, count: int) -> None:
        self.done += count
        if self.progress:
            self.progress(table, min(self.done, self.total), self.total)


# --- which tables belong together --------------------------------------------------------------------------------


def _downloads(members: Sequence[Member], places: Sequence[Path]) -> tuple[list[_Download], list[str]]:
    """The downloads among some files, each complete; and the files that are none of theirs."""
    skipped: list[str] = []
    by_holder: dict[str, dict[str, Member]] = {}
    for member in members:
        table = member.name.lower().removesuffix(".csv")
        if not member.name.lower().endswith(".csv") or (table not in SHARED and kind_of(table) is None):
            skipped.append(member.where)
            continue
        tables = by_holder.setdefault(member.holder, {})
        if table in tables:
            raise ImportProblem(f"{table}.csv is in it twice", member.where, _AGAIN)
        tables[table] = member
    found: dict[KindName, _Download] = {}
    for holder, tables in by_holder.items():
        for kind in KINDS:
            own = {name: member for name, member in tables.items() if kind_of(name) == kind}
            if not own:
                continue
            shared = {name: member for name, member in tables.items() if name in SHARED and kind != "ncd"}
            download = _Download(kind, next(iter(own.values())).given, {**shared, **own})
            _complete(download, holder)
            if kind in found:
                raise ImportProblem(
                    f"there are two downloads of {kind}s, the other is {found[kind].source}", holder,
                    "Import one of them: a later import replaces the earlier one.",
                )  # fmt: skip
            found[kind] = download
    if not found:
        raise ImportProblem(
            "there is no coverage download among what was given", ", ".join(map(str, places)) or "the call",
            "Give current_article.zip, current_lcd.zip, ncd.zip, or a folder of their CSV files.",
        )  # fmt: skip
    return [found[kind] for kind in KINDS if kind in found], skipped


def _complete(download: _Download, holder: str) -> None:
    missing = [name for name in NEEDED[download.kind] if name not in download.tables]
    if missing:
        raise ImportProblem(
            f"the table {', '.join(f'{name}.csv' for name in missing)} is missing", holder,
            f"Give the whole download of {download.kind}s, as it comes from the Medicare Coverage Database.",
        )  # fmt: skip


# --- reading one download ----------------------------------------------------------------------------------------


def _load(download: _Download, builder: Builder, meter: _Meter) -> tuple[Imported, list[Warned]]:
    warnings: list[Warned] = []
    counts: dict[str, TableCount] = {}
    digest = hashlib.sha256()
    notices = []
    for name, unknown in WANTED[download.kind].items():
        if name not in download.tables:
            warnings.append(Warned(f"{name}.csv", f"missing: {unknown}"))
            notices.append(str(warnings[-1]))
    for name in sorted(download.tables):
        member = download.tables[name]
        encoding, summed, undecoded = _sniff(member, name, meter)
        digest.update(f"{name}:{summed}\n".encode())
        if undecoded:
            warnings.append(Warned(f"{name}.csv", f"{undecoded} bytes are neither UTF-8 nor cp1252: shown as \ufffd"))
        counts[name], said = _load_table(member, name, encoding, builder, meter)
        warnings.extend(said)
    builder.close()
    dates = [m.modified for m in download.tables.values() if m.modified]
    date = max(dates).isoformat() if dates else ""
    file = store.new_name(download.kind, digest.hexdigest())
    entry = Imported(download.kind, file, download.source, date, digest.hexdigest(), counts, tuple(notices))
    return entry, warnings


def _sniff(member: Member, name: str, meter: _Meter) -> tuple[str, str, int]:
    """A file's encoding (UTF-8 if all of it is, else cp1252), its digest, and how many bytes are neither."""
    import codecs

    digest = hashlib.sha256()
    decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
    undefined = 0
    first = True
    for block in member.chunks():
        if first:
            _look_at(block, member)
            first = False
        if b"\0" in block:
            raise ImportProblem("its encoding isn't UTF-8 or cp1252: it holds zero bytes", member.where, _AGAIN)
        digest.update(block)
        undefined += len(_UNDEFINED.findall(block))
        if decoder:
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                decoder = None
        meter.step(name, len(block))
    if first:
        raise ImportProblem("it is empty (0 bytes): the header is missing", member.where, _AGAIN)
    if decoder:
        try:
            decoder.decode(b"", final=True)
            return "utf-8-sig", digest.hexdigest(), 0
        except UnicodeDecodeError:
            pass
    if undefined > _MOST_UNDECODED:
        raise ImportProblem("its encoding is neither UTF-8 nor cp1252", member.where, _AGAIN)
    return "cp1252", digest.hexdigest(), undefined


def _look_at(block: bytes, member: Member) -> None:
    """Refuse what is plainly no CSV."""
    if block.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ImportProblem("its encoding is UTF-16; CMS writes UTF-8 or cp1252", member.where, _AGAIN)
    if block.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        raise ImportProblem("it is an HTML page, not CSV: it has no header with columns", member.where, _AGAIN)


def _load_table(
    member: Member, name: str, encoding: str, builder: Builder, meter: _Meter
) -> tuple[TableCount, list[Warned]]:
    with io.TextIOWrapper(
        io.BufferedReader(member.open(), 1 << 18), encoding=encoding, errors="replace", newline=""
    ) as text:
        reader = csv.reader(text, strict=True)
        try:
            head = next(reader, None)
            if head is None:
                raise ImportProblem("the header is missing", member.where, _AGAIN)
            header, rows = _header(head, name, member), reader
            if header is None:
                header = HEADERLESS[name]
                return _insert(name, header, itertools.chain([head], rows), reader, builder, member, meter)
            return _insert(name, header, rows, reader, builder, member, meter)
        except csv.Error as error:
            raise ImportProblem(
                f"line {reader.line_num} isn't CSV ({error})", f"{member.where}, line {reader.line_num}", _AGAIN
            ) from None


def _header(row: Sequence[str], name: str, member: Member) -> tuple[str, ...] | None:
    """The column names of a table; None where a table that may lack its header lacks it."""
    columns = tuple(cell.strip().lower() for cell in row)
    if name in HEADERLESS and len(row) == len(HEADERLESS[name]) and columns[0].isdigit():
        return None
    missing = [column for column in COLUMNS.get(name, ()) if column not in columns]
    if missing:
        what = f"the column {', '.join(missing)} is missing in the header of {name}.csv"
        raise ImportProblem(what, member.where, _AGAIN)
    if len(set(columns)) < len(columns) or not all(_NAME.fullmatch(column) for column in columns):
        raise ImportProblem(f"the first line of {name}.csv is no header with column names", member.where, _AGAIN)
    return columns


# What one table's rows look like to the loop below: csv's reader, or a chain around it.
_Rows = Iterator[list[str]]


def _insert(
    name: str, header: tuple[str, ...], rows: _Rows, reader: object, builder: Builder, member: Member, meter: _Meter
) -> tuple[TableCount, list[Warned]]:
    keep = [n for n, column in enumerate(header) if not is_descriptor(name, column)]
    pick = itemgetter(*keep) if len(keep) > 1 else lambda row: (row[keep[0]],)
    statement = builder.create(name, [header[n] for n in keep])
    keys = [header.index(key) for key in KEYS if key in header]
    first, second = (keys[0], keys[-1]) if keys else (0, 0)
    numbered = bool(keys)
    dates = [header.index(column) for column in DATES.get(name, ())]
    width = len(header)
    refused: Counter[str] = Counter()
    lines: dict[str, int] = {}
    loaded = 0
    batch: list[Sequence[str]] = []
    share = member.size
    for row in rows:
        if len(row) != width or dates or (numbered and not (row[first].isdigit() and row[second].isdigit())):
            reason = _refusal(row, header, keys, dates)
            if reason is not None:
                if row:
                    refused[reason] += 1
                    lines.setdefault(reason, getattr(reader, "line_num", 0))
                continue
        batch.append(pick(row))
        if len(batch) == _BATCH:
            builder.add(statement, batch)
            loaded += _BATCH
            batch = []
            part = share // 8
            share -= part
            meter.step(name, part)
    builder.add(statement, batch)
    loaded += len(batch)
    builder.finish_table(name)
    meter.step(name, share)
    said = [Warned(f"{name}.csv", reason, count, lines[reason]) for reason, count in refused.items()]
    return TableCount(loaded, refused.total()), said


def _refusal(row: Sequence[str], header: Sequence[str], keys: Sequence[int], dates: Sequence[int]) -> str | None:
    """Why a row is left out; None if it isn't. A blank line is no row."""
    if not row:
        return "blank"
    if tuple(cell.strip().lower() for cell in row) == tuple(header):
        return "the header is repeated"
    if len(row) != len(header):
        return f"wrong number of fields ({len(header)} columns)"
    for key in keys:
        if not row[key].strip().isdigit():
            return f"the column {header[key]} is no number"
    for place in dates:
        cell = row[place].strip()
        if cell and not _is_date(cell):
            return f"the column {header[place]} is no date"
    return None


def _is_date(cell: str) -> bool:
    found = _DATE.fullmatch(cell)
    if not found:
        return False
    try:
        dt.date.fromisoformat(found[1])
    except ValueError:
        return False
    return True
