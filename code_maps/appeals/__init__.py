"""What a denial says, and the first level of Medicare's appeals: facts with their sources (reasons.toml).

from code_maps.appeals import denials
denials().reason("50").cause
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from models.problem import InputProblem


@dataclass(frozen=True, slots=True)
class Reason:
    """An adjustment reason code in our own words. `first` is what comes before, or instead of, an appeal."""

    carc: str
    cause: str
    answer: str
    source: str
    first: str = ""


@dataclass(frozen=True, slots=True)
class Sourced:
    """A fact in our own words, and where it stands."""

    words: str
    source: str


@dataclass(frozen=True, slots=True)
class Level:
    """The level of appeal: days to ask for it from receipt of the determination, which is presumed after some days."""

    name: str
    days: int
    presumed: int
    form: str
    holds: str
    sources: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Denials:
    """The whole table."""

    level: Level
    reopening: Sourced
    amendment: Sourced
    necessity: Sourced
    reasons: tuple[Reason, ...]

    def reason(self, carc: str | None) -> Reason | None:
        """A code in our words; None for one that the table doesn't have."""
        return next((r for r in self.reasons if r.carc == carc), None)


@cache
def denials() -> Denials:
    """The table of reasons.toml."""
    raw = tomllib.loads(files("code_maps.appeals").joinpath("reasons.toml").read_text(encoding="utf-8"))
    level = dict(raw["level"])
    sources = tuple((source["title"], source["url"]) for source in level.pop("source"))
    return Denials(
        Level(**level, sources=sources),
        Sourced(**raw["reopening"]),
        Sourced(**raw["amendment"]),
        Sourced(**raw["necessity"]),
        tuple(Reason(**reason) for reason in raw["reason"]),
    )


_CARC = re.compile(r"(?:(?:CO|PR|OA|PI|CR)[ -]?)?([A-Z]?\d{1,3})", re.IGNORECASE)


def carc_of(written: str) -> str:
    """An adjustment reason code without its group: "CO-50" is "50". Raises InputProblem."""
    found = _CARC.fullmatch(written.strip())
    if not found:
        raise InputProblem(
            f"{written!r} is no adjustment reason code", "the reason code", "write it as 50, CO-50 or B7"
        )
    return found[1].upper().lstrip("0") or "0"
