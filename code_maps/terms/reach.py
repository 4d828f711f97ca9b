"""Which codes our terms can lead to: the billable codes that no words of a note reach.

A node is reached when a term's place is the node, or when a reached node above has a branch that leads to it: by words,
by a side, by a word that the note denies, or as the child to take when the note is silent. Seventh characters follow
from the course of the visit and are reached with their stem. What the extractors read from values alone (Z68, Z3A …) counts
only where a term names it too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from code_maps.axes.branches import Branch, branches
from code_maps.axes.descent import entry
from code_maps.icd10cm import CodeSet
from code_maps.terms import TermIndex

_KEPT = frozenset({"table", "eponym"})
"""Sources whose places are descended from as they stand; others are first climbed from an unspecified code."""


def reached(codes: CodeSet, index: TermIndex) -> frozenset[str]:
    """The categories and codes that some term leads to."""
    found: set[str] = set()
    waiting = sorted({p if source in _KEPT else entry(codes, p) for _, p, source in index.entries if p in codes})
    while waiting:
        node = waiting.pop()
        if node in found:
            continue
        found.add(node)
        below = branches(codes, node)
        if below:
            waiting.extend(branch.code for branch in below if _leads(branch))
        else:
            waiting.extend(codes.children(node))  # seventh characters
    return frozenset(found)


def _leads(branch: Branch) -> bool:
    """Whether anything that a note can say, or its silence, takes this branch."""
    if branch.default or branch.groups:
        return True
    return not branch.residual and (branch.side is not None or bool(branch.absent))


def unreached(codes: CodeSet, index: TermIndex) -> tuple[str, ...]:
    """The billable codes that no term leads to, in tabular order."""
    known = reached(codes, index)
    return tuple(code for code in codes.billable() if code not in known)


def by_chapter(codes: CodeSet, some: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Chapter -> (how many of `some` stand there, how many billable codes it has)."""
    mine = Counter(map(codes.chapter, some))
    total = Counter(map(codes.chapter, codes.billable()))
    return {chapter: (mine[chapter], count) for chapter, count in total.items()}
