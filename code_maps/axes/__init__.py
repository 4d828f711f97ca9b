"""Words for laterality, acuity, severity, stage, type, episode, control … as the tabular's titles use them.

`said_as.csv` maps what clinicians write ("R", "b/l", "stage III", "mod") to the words of the titles; `axis_of.csv`
says which axis a title word belongs to, and so what an open axis is called.
"""

from __future__ import annotations

from functools import cache

from code_maps.tables import read_table
from code_maps.terms import merge_phrases, words


def _rows(name: str) -> list[dict[str, str]]:
    return list(read_table("code_maps.axes", name))


@cache
def said_as() -> dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]]:
    """First folded word -> (all folded words, title words they stand for), longest first."""
    found: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
    for row in _rows("said_as.csv"):
        said = tuple(w for w, _, _ in words(row["said"]))
        becomes = merge_phrases(list(words(row["as"])), {})
        found.setdefault(said[0], []).append((said, tuple(w for w, _, _ in becomes)))
    for options in found.values():
        options.sort(key=lambda option: -len(option[0]))
    return found


@cache
def axis_of() -> dict[str, str]:
    """Folded title word -> axis (one of the contract's `missing` items)."""
    return {next(words(row["word"]))[0]: row["axis"] for row in _rows("axis_of.csv")}
