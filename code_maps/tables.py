"""The CSV tables that come with the package: every cell is text, none is taken for a number, a date or nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from importlib.resources import files


def read_table(package: str, name: str) -> Iterator[dict[str, str]]:
    """The rows of a table by column name. Raises ValueError that names the table and line when a row has too many or
    too few cells."""
    text = files(package).joinpath(name).read_text(encoding="utf-8")
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    for row in reader:
        if None in row or None in row.values():
            raise ValueError(f"{name}, line {reader.line_num}: {len(reader.fieldnames or ())} cells are needed")
        yield row
