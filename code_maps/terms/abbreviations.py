"""Abbreviations: the reader of abbreviations.csv (short, long, when, note).

`when` says in what company a short form stands for this long form: words, one of which must be near, or
`section:NAME`, separated by spaces or semicolons. Empty means always. `note` holds "upper" for short forms
that are read in capitals only.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

COLUMNS = ("short", "long", "when", "note")


@dataclass(frozen=True, slots=True)
class Abbreviation:
    """One reading of a short form, the sections and the words (lower case) that decide for it."""

    short: str
    long: str
    sections: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    upper: bool = False

    @property
    def always(self) -> bool:
        """Whether it needs no company."""
        return not self.sections and not self.words


def readings_of(rows: list[dict[str, str]]) -> Mapping[str, tuple[Abbreviation, ...]]:
    """Short form -> its readings, from the rows of the table.

    Raises ValueError naming the row when a short or long form is missing or a reading stands there twice.
    """
    table: dict[str, list[Abbreviation]] = {}
    seen: set[tuple[str, str]] = set()
    for number, row in enumerate(rows, start=2):
        short, long = row["short"].strip(), row["long"].strip()
        if not short or not long:
            raise ValueError(
                f"abbreviations.csv, row {number}: short and long are both needed, found {short!r}, {long!r}"
            )
        when = re.split(r"[\s;|,]+", (row.get("when") or "").strip())
        when = [word for word in when if word]
        sections = frozenset(w[8:].strip() for w in when if w.startswith("section:"))
        words = frozenset(w.lower() for w in when if not w.startswith("section:"))
        key = (short, long)
        if key in seen:
            raise ValueError(f"abbreviations.csv, row {number}: {short!r} for {long!r} stands there twice")
        seen.add(key)
        table.setdefault(short, []).append(
            Abbreviation(short, long, sections, words, "upper" in (row.get("note") or "").split())
        )
    return MappingProxyType({short: tuple(found) for short, found in table.items()})


@cache
def abbreviations() -> Mapping[str, tuple[Abbreviation, ...]]:
    """Short form -> its readings; empty when abbreviations.csv isn't there.

    Raises ValueError naming the column or row at fault.
    """
    path = files("code_maps.terms").joinpath("abbreviations.csv")
    if not path.is_file():
        return MappingProxyType({})
    reader = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    if set(reader.fieldnames or ()) != set(COLUMNS):
        raise ValueError(f"abbreviations.csv: columns are {reader.fieldnames}, expected {list(COLUMNS)}")
    return readings_of(list(reader))
