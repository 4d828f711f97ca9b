"""What supports a condition beside its own paragraph (meat.toml): values, words of an examination, words of a status."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from code_maps.places import Places


@dataclass(frozen=True, slots=True)
class Support:
    """The values and examination words that go with some places of the tabular."""

    places: Places
    analytes: frozenset[str]
    exam: frozenset[str]


@dataclass(frozen=True, slots=True)
class Supports:
    """The whole table. `status` finds the words by which a provider says how a condition is doing."""

    rows: tuple[Support, ...]
    status: re.Pattern[str]

    def analytes(self, code: str) -> frozenset[str]:
        """The measured values that monitor a condition."""
        return frozenset(a for row in self.rows if code in row.places for a in row.analytes)

    def exam(self, code: str) -> frozenset[str]:
        """The words of an examination that go with a condition."""
        return frozenset(w for row in self.rows if code in row.places for w in row.exam)


@cache
def supports() -> Supports:
    """The table, read once. Raises ValueError for an unknown key."""
    raw = tomllib.loads(files("code_maps").joinpath("meat.toml").read_text(encoding="utf-8"))
    for row in raw["condition"]:
        if set(row) != {"places", "analytes", "exam"}:
            raise ValueError(f"meat.toml: keys are {sorted(row)}, expected places, analytes, exam")
    words = sorted(raw["status"], key=len, reverse=True)
    return Supports(
        tuple(Support(Places(r["places"]), frozenset(r["analytes"]), frozenset(r["exam"])) for r in raw["condition"]),
        re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b", re.IGNORECASE),
    )
