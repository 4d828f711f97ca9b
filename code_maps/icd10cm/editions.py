"""Names and dates of releases: `FY2026` is the edition of 1 October 2025, `FY2026-04` its update of 1 April
2026."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any

_ID = re.compile(r"FY(?P<year>20\d\d)(?:-(?P<month>0[1-9]|1[0-2]))?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_IN_NAME = re.compile(
    r"(?<![a-z])(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sep(?:t|tember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?![a-z])"
)
_YEAR_IN_NAME = re.compile(r"(?<!\d)(20\d\d)(?!\d)")

Dates = tuple[dt.date, dt.date]


def dates(release: str) -> Dates:
    """First and last date of service of a release, from its name. Raises ValueError for another form of
    name."""
    match = _ID.fullmatch(release)
    if match is None:
        raise ValueError(f"{release!r} is no release; a release is named like FY2026 or FY2026-04")
    year, month = int(match["year"]), int(match["month"] or 10)
    return dt.date(year - 1 if month >= 10 else year, month, 1), dt.date(year, 9, 30)


def serves(release: str) -> Dates:
    """Like `dates`, but from the day its codes have been in force where releases.toml says so."""
    first, last = dates(release)
    return _facts().get(release, {}).get("codes_from", first), last


def named(year: int, month: int = 10) -> str:
    """The name of the edition of a fiscal year and month: October is the year's own."""
    return f"FY{year}" if month == 10 else f"FY{year}-{month:02}"


def canonical(release: str) -> str:
    """A name as a user writes it, brought to its form (`fy2026-10` -> `FY2026`). Raises ValueError like
    `dates`."""
    release = release.strip().upper()
    dates(release)
    return release.removesuffix("-10")


def month_in(name: str) -> int | None:
    """The month that a file name mentions: `icd10cm-tabular-April-2025.xml` -> 4."""
    found = _MONTH_IN_NAME.search(name.lower())
    return _MONTHS.index(found[1][:3]) + 1 if found else None


def year_in(name: str) -> int | None:
    """The fiscal year that a file name mentions: `icd10cm_order_addenda_2027.txt` -> 2027."""
    found = _YEAR_IN_NAME.findall(name)
    return int(found[-1]) if found else None


@lru_cache(maxsize=1)
def _facts() -> dict[str, dict[str, Any]]:
    data = tomllib.loads(files(__package__).joinpath("releases.toml").read_text(encoding="utf-8"))
    return {entry["id"]: entry for entry in data["release"]}
