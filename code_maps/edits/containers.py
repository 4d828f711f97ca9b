"""Text files and workbooks as tables of text cells; workbooks are read by openpyxl in its read-only mode, over defusedxml."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator

from code_maps import archives
from code_maps.archives import FileRead, Limits
from code_maps.icd10cm.problems import ImportProblem

# The largest official files that are read here have 6 million bytes. A workbook is a zip that is read as one file.
LIMITS = Limits(members=200, total=300_000_000, file=100_000_000, whole=(".xlsx", ".xlsm"))
MAX_ROWS = 400_000

Row = list[str]


def is_workbook(data: bytes) -> bool:
    """Whether the bytes are an XLSX workbook and no other zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "[Content_Types].xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def tables(file: FileRead) -> Iterator[list[Row]]:
    """The tables of a file as rows of text cells: one for a text file, one for each sheet of a workbook.

    Rows keep their order; row 1 is the first of the list. Nothing is yielded for what is no table. Raises
    ImportProblem for a damaged workbook.
    """
    if file.data.startswith(b"PK"):
        if not is_workbook(file.data):
            raise ImportProblem("the workbook is damaged", file.where, "Download it again and import it unchanged.")
        yield from _sheets(file)
        return
    text = archives.decoded(file.data)
    if text is not None:
        yield list(_delimited(text))


def _delimited(text: str) -> Iterator[Row]:
    """Rows of a CSV, tab or bar separated text, whichever mark its first thousand lines hold most often."""
    head = text[:60_000]
    mark = max(",\t|", key=head.count)
    for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=mark)):
        if number >= MAX_ROWS:
            return
        yield [re.sub(r"\s+", " ", cell).strip() for cell in row]


def _sheets(file: FileRead) -> Iterator[list[Row]]:
    import openpyxl

    right = "Open it in a spreadsheet program and save it as .xlsx or .csv again, or download it again from CMS."
    if not openpyxl.DEFUSEDXML:
        raise ImportProblem("workbooks need the package defusedxml", file.where, "Install it, or import the CSV.")
    try:
        with archives.opened_zip(file.where, file.data, LIMITS):
            pass  # its directory is looked at: neither bombs nor names that lead outside
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
