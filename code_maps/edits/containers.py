"""Files, folders, zips and workbooks as tables of text cells, with guards against bombs and names that lead outside.

Nothing is unpacked to disk. Workbooks are read by openpyxl in its read-only mode, over defusedxml.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from code_maps.icd10cm.problems import ImportProblem

MAX_FILE = 100_000_000
"""Bytes of one file. The largest official ones that are read here have 6 million."""
MAX_MEMBERS = 200
MAX_UNPACKED = 300_000_000
MAX_RATIO = 200
MAX_ROWS = 400_000

Row = list[str]


@dataclass(frozen=True)
class File:
    """One file's content, its own name, and the name of the zip or folder around it.

    `named` is true when the user named this very file: then it must be one that can be used.
    """

    where: str
    name: str
    container: str
    data: bytes
    named: bool


def files(path: Path) -> Iterator[File]:
    """The files at a path: itself, those in a folder, or the members of a zip. Raises ImportProblem."""
    if path.is_dir():
        for below in sorted(path.rglob("*")):
            if below.is_file() and not below.name.startswith("."):
                yield from (replace(file, named=False) for file in files(below))
        return
    try:
        size = path.stat().st_size
        if size > MAX_FILE:
            raise ImportProblem(f"it has {size:,} bytes", str(path), f"CMS's files have less than {MAX_FILE:,}.")
        data = path.read_bytes()
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ImportProblem(f"it can't be read ({why})", str(path), "Check the path and its rights.") from None
    if data.startswith(b"PK") and not is_workbook(data):
        yield from _members(path, data)
    else:
        yield File(str(path), path.name, path.resolve().parent.name, data, True)


def is_workbook(data: bytes) -> bool:
    """Whether the bytes are an XLSX workbook and no other zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "[Content_Types].xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def _guarded(archive: zipfile.ZipFile, where: str, right: str) -> list[zipfile.ZipInfo]:
    """The members of a zip, after looking at their number, sizes and names. Raises ImportProblem."""
    infos = [info for info in archive.infolist() if not info.is_dir()]
    total = sum(info.file_size for info in infos)
    if len(infos) > MAX_MEMBERS or total > MAX_UNPACKED:
        raise ImportProblem(
            f"it holds {len(infos):,} files of {total:,} bytes, far more than official ones", where, right
        )
    for info in infos:
        if info.file_size > 1_000_000 and info.file_size > MAX_RATIO * max(info.compress_size, 1):
            raise ImportProblem("a file in it is packed far more tightly than tables are", where, right)
        name = PurePosixPath(info.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or (name.parts and ":" in name.parts[0]):
            raise ImportProblem("a name in the zip points outside of it", where, right)
        if info.flag_bits & 1:
            raise ImportProblem("the zip is encrypted", where, "Unpack it and import what is in it.")
    return infos


def _members(path: Path, data: bytes) -> Iterator[File]:
    right = "Download the zip again from CMS and import it unchanged."
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in _guarded(archive, str(path), right):
                name = PurePosixPath(info.filename.replace("\\", "/")).name
                if name.startswith(".") or "__MACOSX" in info.filename:
                    continue
                where = f"{path} ({name})"
                with archive.open(info) as member:
                    # One byte more than is stated: a header that lies is noticed.
                    content = member.read(min(info.file_size, MAX_FILE) + 1)
                if len(content) > min(info.file_size, MAX_FILE):
                    raise ImportProblem("a file in the zip is larger than it may be", where, right)
                yield File(where, name, path.name, content, False)
    except ImportProblem:
        raise
    except Exception as error:
        # zlib.error, EOFError and others come while a damaged member is read.
        raise ImportProblem(f"the zip is damaged ({type(error).__name__})", str(path), right) from None


def tables(file: File) -> Iterator[list[Row]]:
    """The tables of a file as rows of text cells: one for a text file, one for each sheet of a workbook.

    Rows keep their order; row 1 is the first of the list. Nothing is yielded for what is no table. Raises
    ImportProblem for a damaged workbook.
    """
    if file.data.startswith(b"PK"):
        if is_workbook(file.data):
            yield from _sheets(file)
        return
    text = decoded(file.data)
    if text is not None:
        yield list(_delimited(text))


def decoded(data: bytes) -> str | None:
    """A text file's text; None for what isn't text. CMS files are ASCII, UTF-8 or cp1252."""
    if b"\0" in data[:4000]:
        return None
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _delimited(text: str) -> Iterator[Row]:
    """Rows of a CSV, tab or bar separated text, whichever mark its first thousand lines hold most often."""
    head = text[:60_000]
    mark = max(",\t|", key=head.count)
    for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=mark)):
        if number >= MAX_ROWS:
            return
        yield [re.sub(r"\s+", " ", cell).strip() for cell in row]


def _sheets(file: File) -> Iterator[list[Row]]:
    import openpyxl

    right = "Open it in a spreadsheet program and save it as .xlsx or .csv again, or download it again from CMS."
    if not openpyxl.DEFUSEDXML:
        raise ImportProblem("workbooks need the package defusedxml", file.where, "Install it, or import the CSV.")
    try:
        with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
            _guarded(archive, file.where, right)
        book = openpyxl.load_workbook(io.BytesIO(file.data), read_only=True, data_only=True, keep_links=False)
        try:
            for sheet in book.worksheets:
                rows: list[Row] = []
                for row in sheet.iter_rows(values_only=True):
                    rows.append([_cell(value) for value in row])
                    if len(rows) > MAX_ROWS:
                        break
                yield rows
        finally:
            book.close()
    except ImportProblem:
        raise
    except Exception as error:
        # openpyxl raises KeyError, ValueError, zlib.error and more for what is no sound workbook.
        raise ImportProblem(f"the workbook can't be read ({type(error).__name__})", file.where, right) from None


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if hasattr(value, "strftime"):
        return str(value.strftime("%Y-%m-%d"))
    return re.sub(r"\s+", " ", str(value)).strip()
