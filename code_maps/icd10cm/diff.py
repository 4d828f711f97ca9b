"""What changed between two releases, among the billable codes."""

from __future__ import annotations

from dataclasses import dataclass

from code_maps.icd10cm.codeset import CodeSet
from code_maps.icd10cm.release import open_release


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
