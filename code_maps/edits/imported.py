"""The imported CMS tables for a date of service, and what is at hand.

Unit limits hold for their quarter and no other day. The other tables change little: where no imported edition covers
the date, the nearest one is used and a notice names it. Rows of add-on codes have dates of their own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from code_maps.edits import AgeClass, CmsTables, UnitLimit, edit_rules
from code_maps.edits.layouts import KINDS
from code_maps.home import home
from code_maps.icd10cm import cache
from code_maps.icd10cm.problems import ImportProblem

# Which edits each kind of file makes possible, by the table that a rule names in `needs`.
_SERVES = {
    "unit-limits": ("unit_limits",),
    "addons": ("addon_primaries",),
    "global-days": ("global_days", "bilateral"),
    "mce": ("age_classes", "manifestations"),
    "age-list": ("age_classes",),
    "sex-list": ("sexes",),
    "ptp-changes": (),
}


@dataclass(frozen=True)
class Edition:
    """One imported table. `to` is None for a table without an end of its own; `since` None for one without dates."""

    kind: str
    since: dt.date | None
    to: dt.date | None
    file: str
    count: int
    refused: tuple[tuple[str, int, int], ...]
    path: Path

    def covers(self, on: dt.date | None) -> bool:
        """Whether a date of service lies in its dates; without a date it is taken to."""
        return on is None or ((self.since is None or self.since <= on) and (self.to is None or on <= self.to))


@dataclass(frozen=True)
class PairChange:
    """One change of an NCCI pair. `setting` is practitioner or hospital outpatient: they are different tables."""

    column1: str
    column2: str
    change: str
    indicator: str
    since: dt.date
    setting: str


def folder() -> Path:
    """Where the tables are kept."""
    return home() / "edits"


def editions(kind: str | None = None) -> tuple[Edition, ...]:
    """The imported tables, by kind and first day. A damaged file is left out: `edits import` replaces it."""
    found = []
    for name in (kind,) if kind else KINDS:
        for path in sorted((folder() / name).glob("*.part")):
            try:
                said = cache.about(path)
            except (OSError, cache.Damaged):
                continue
            since, to = (dt.date.fromisoformat(said[k]) if said.get(k) else None for k in ("from", "to"))
            refused = tuple((reason, n, row) for reason, n, row in said.get("refused", ()))
            found.append(Edition(name, since, to, said["file"], said["count"], refused, path))
    return tuple(found)


def forget() -> None:
    """Read the tables anew at the next question."""
    _read.cache_clear()
    _made.cache_clear()


@lru_cache(maxsize=32)
def _read(path: Path, stamp: int) -> dict[str, Any]:
    table: dict[str, Any] = cache.read(path).take("table")
    return table


def _content(edition: Edition) -> dict[str, Any]:
    try:
        return _read(edition.path, edition.path.stat().st_mtime_ns)
    except (cache.Damaged, OSError, ValueError, KeyError) as error:
        raise ImportProblem(
            f"the imported table is damaged ({type(error).__name__})", str(edition.path),
            f"Import {edition.file} again: `chartproof edits import`.",
        ) from None  # fmt: skip


def _nearest(kind: str, on: dt.date | None) -> Edition | None:
    """The edition that covers a date, else the last before it, else the first after it."""
    known = editions(kind)
    if not known:
        return None
    if on is None:
        return known[-1]
    return next((e for e in reversed(known) if e.since is None or e.since <= on), known[0])


def tables_on(on: dt.date | None) -> CmsTables:
    """The imported tables for a date of service; each is None when nothing for it is imported.

    `lasting` of the answer says which tables stand in for others, `uncovered` which don't cover the date. Raises
    ImportProblem for a table that is damaged.
    """
    stamps = tuple((str(path), path.stat().st_mtime_ns) for path in sorted(folder().glob("*/*.part")))
    return _made(on, stamps) if stamps else CmsTables()


@lru_cache(maxsize=64)
def _made(on: dt.date | None, stamps: tuple[tuple[str, int], ...]) -> CmsTables:
    uncovered: dict[str, str] = {}
    lasting: list[str] = []
    parts: dict[str, Any] = {}
    limits = editions("unit-limits")
    fitting = [e for e in limits if e.covers(on)]
    if fitting:
        edition = fitting[-1]
        parts["unit_limits"] = {code: UnitLimit(*pair) for code, pair in _content(edition)["limits"].items()}
        if edition.since and edition.to:
            parts["unit_limit_dates"] = (edition.since, edition.to)
    elif limits:
        uncovered["unit_limits"] = ", ".join(f"{e.since} to {e.to}" for e in limits)
    if addons := _nearest("addons", on):
        parts["addon_primaries"] = _primaries(_content(addons)["rows"], on)
    if fees := _nearest("global-days", on):
        days: Mapping[str, list[str]] = _content(fees)["days"]
        parts["global_days"] = {code: pair[0] for code, pair in days.items()}
        parts["bilateral"] = {code: pair[1] for code, pair in days.items()}
        lasting += _stands_in(fees, on)
    if mce := _nearest("mce", on):
        content = _content(mce)
        ages: Mapping[str, AgeClass] = content["ages"]
        parts["age_classes"] = ages
        parts["manifestations"] = frozenset(content["lists"]["manifestation_not_pdx"])
        lasting += _stands_in(mce, on)
    elif age := _nearest("age-list", on):
        parts["age_classes"] = _content(age)["codes"]
    if sex := _nearest("sex-list", on):
        parts["sexes"] = _content(sex)["codes"]
    return CmsTables(**parts, lasting=tuple(lasting), uncovered=uncovered)


def _stands_in(edition: Edition, on: dt.date | None) -> list[str]:
    if edition.covers(on):
        return []
    about = KINDS[edition.kind]
    return [f"{about[0].upper()}{about[1:]} of {edition.since} are used: none that covers {on} is imported."]


def _primaries(rows: list[list[Any]], on: dt.date | None) -> dict[str, frozenset[str]]:
    """The add-on codes that have rows of type 1 only on a date, with their primaries."""
    kinds: dict[str, set[int]] = {}
    mains: dict[str, set[str]] = {}
    day = on.isoformat() if on else ""
    for code, main, kind, since, to in rows:
        # ISO dates compare as text. The last day of a row is its deletion date.
        if (day and since and day < since) or (to and day and day > to) or (to and not day):
            continue
        kinds.setdefault(code, set()).add(kind)
        mains.setdefault(code, set()).add(main)
    return {code: frozenset(mains[code]) for code, found in kinds.items() if found == {1}}


def pair_changes(service: str) -> tuple[PairChange, ...]:
    """The imported changes of pairs with a procedure: a layer of its own, never part of a claim's edits."""
    return tuple(
        PairChange(one, two, change, indicator, dt.date.fromisoformat(since), setting)
        for edition in editions("ptp-changes")
        for one, two, change, indicator, since, setting in _content(edition)["rows"]
        if service in (one, two)
    )


@dataclass(frozen=True)
class TableDiff:
    """What two editions of one table differ in, by procedure: what was and what is, in words."""

    old: Edition
    new: Edition
    added: tuple[tuple[str, str], ...]
    deleted: tuple[tuple[str, str], ...]
    changed: tuple[tuple[str, str, str], ...]


def newest_changes(kind: str) -> TableDiff | None:
    """What changed between the two newest editions of unit limits, add-on codes or global days.

    None for another kind, and where fewer than two editions are imported. Raises ImportProblem for a damaged table.
    """
    known = editions(kind)
    if len(known) < 2 or kind not in _IN_WORDS:
        return None
    old, new = known[-2:]
    was, now = (_IN_WORDS[kind](_content(edition)) for edition in (old, new))
    return TableDiff(
        old,
        new,
        tuple((code, now[code]) for code in sorted(now.keys() - was.keys())),
        tuple((code, was[code]) for code in sorted(was.keys() - now.keys())),
        tuple((code, was[code], now[code]) for code in sorted(was.keys() & now.keys()) if was[code] != now[code]),
    )


def _addons_in_words(content: Mapping[str, Any]) -> dict[str, str]:
    mains: dict[str, set[str]] = {}
    for code, main, *_, to in content["rows"]:
        if not to:
            mains.setdefault(code, set()).add(main)
    return {code: f"beside {', '.join(sorted(found))}" for code, found in mains.items()}


_IN_WORDS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, str]]] = {
    "unit-limits": lambda c: {code: f"{units} (indicator {mai})" for code, (units, mai) in c["limits"].items()},
    "addons": _addons_in_words,
    "global-days": lambda c: {code: f"{days}, bilateral {side}" for code, (days, side) in c["days"].items()},
}


def status_lines() -> list[str]:
    """What is imported, with dates and counts, and which edits wait for which file."""
    lines, known = [], editions()
    sound = {edition.path for edition in known}
    for path in sorted(folder().glob("*/*.part")):
        if path not in sound:
            lines.append(f"{path.parent.name:12} damaged: {path.name}; import its file again")
    for edition in known:
        dates = "without dates" if edition.since is None else f"from {edition.since}"
        dates += f" to {edition.to}" if edition.to else ""
        lost = sum(n for _, n, _ in edition.refused)
        lines.append(f"{edition.kind:12} {dates:26} {edition.count:>7,} rows, {lost:,} refused   {edition.file}")
    for kind, rules in waiting().items():
        unchecked = f"; not checked: {', '.join(rules)}" if rules else ""
        lines.append(f"{kind:12} not imported: {KINDS[kind]}{unchecked}")
    return lines


def waiting() -> dict[str, tuple[str, ...]]:
    """The kinds of tables that aren't imported, each with the edits that can't be checked without it."""
    there = {e.kind for e in editions()}
    served = {table for kind in there for table in _SERVES[kind]}
    return {
        kind: tuple(
            r.id for r in edit_rules() if r.data.get("needs") in _SERVES[kind] and r.data["needs"] not in served
        )
        for kind in KINDS if kind not in there
    }  # fmt: skip
