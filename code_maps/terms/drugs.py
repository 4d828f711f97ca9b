"""Drugs: the reader of drugs.csv (drug, class, long_term, adverse_stem, for, note)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

COLUMNS = ("drug", "class", "long_term", "adverse_stem", "for", "note")


@dataclass(frozen=True, slots=True)
class Drug:
    """A drug: its class, the code for its long-term use, the stem of its adverse-effect code, its uses."""

    name: str
    drug_class: str = ""
    long_term: str = ""
    adverse_stem: str = ""
    used_for: str = ""
    note: str = ""


@cache
def drugs() -> Mapping[str, Drug]:
    """The table by lower-case name; empty when drugs.csv isn't there.

    Raises ValueError naming the column or row when a column is missing or unknown or a drug stands there
    twice.
    """
    path = files("code_maps.terms").joinpath("drugs.csv")
    if not path.is_file():
        return MappingProxyType({})
    table: dict[str, Drug] = {}
    reader = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    if set(reader.fieldnames or ()) != set(COLUMNS):
        raise ValueError(f"drugs.csv: columns are {reader.fieldnames}, expected {list(COLUMNS)}")
    for row in reader:
        name = row["drug"].strip().lower()
        if not name:
            raise ValueError(f"drugs.csv, line {reader.line_num}: no drug")
        if name in table:
            raise ValueError(f"drugs.csv, line {reader.line_num}: {name!r} stands there twice")
        table[name] = Drug(name, row["class"], row["long_term"], row["adverse_stem"], row["for"], row["note"] or "")
    return MappingProxyType(table)
