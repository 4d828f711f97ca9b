"""What changed between two releases, among the billable codes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from code_maps.icd10cm.codeset import CodeSet
from code_maps.icd10cm.release import open_release, releases


@dataclass(frozen=True)
class Diff:
    """Billable codes with titles, in tabular order; a code that became a heading counts as deleted.

    added, deleted  (code, title)
    revised         (code, old title, new title)
    """

    old: str
    new: str
    added: tuple[tuple[str, str], ...]
    deleted: tuple[tuple[str, str], ...]
    revised: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Stand:
    """What one code is in a release: from which day, and what has changed against the release before."""

    release: str
    since: dt.date
    state: Literal["billable", "heading", "absent"]
    title: str
    what: Literal["", "new", "gone", "revised", "now a heading", "now billable"]


def history(code: str) -> tuple[Stand, ...]:
    """What one category or code is in each installed release, oldest first; what the oldest has is no change."""
    found: list[Stand] = []
    for info in releases():
        codes = open_release(info.id)
        there = code in codes
        state: Literal["billable", "heading", "absent"] = "absent"
        if there:
            state = "billable" if codes.is_billable(code) else "heading"
        title = codes.title(code) if there else ""
        before = found[-1] if found else None
        found.append(Stand(info.id, info.effective[0], state, title, _change(before, state, title)))
    return tuple(found)


def _change(
    before: Stand | None, state: str, title: str
) -> Literal["", "new", "gone", "revised", "now a heading", "now billable"]:
    if before is None or (before.state == state == "absent"):
        return ""
    if before.state == "absent":
        return "new"
    if state == "absent":
        return "gone"
    if before.state != state:
        return "now a heading" if state == "heading" else "now billable"
    return "revised" if before.title != title else ""


def diff(old_id: str, new_id: str) -> Diff:
    """Compare two installed releases by name. Raises UnknownRelease with the names of those installed."""
    return compare(open_release(old_id), open_release(new_id))


def compare(old: CodeSet, new: CodeSet) -> Diff:
    """Compare two releases at hand."""
    before = {code: old.title(code) for code in old.billable()}
    after = {code: new.title(code) for code in new.billable()}
    return Diff(
        old.release,
        new.release,
        tuple((code, title) for code, title in after.items() if code not in before),
        tuple((code, title) for code, title in before.items() if code not in after),
        tuple((code, before[code], title) for code, title in after.items() if code in before and before[code] != title),
    )
