"""Walk down the tabular from a place as far as the documentation carries.

At each node the branch that the nearest evidence supports is taken; where none is, the child that adds nothing to its
parent, and the others are the open axis. Evidence comes in tiers, nearest first: the clause, the sentence, the
problem, the same condition elsewhere in the note.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from code_maps.axes.branches import Branch, branches
from code_maps.icd10cm import CodeSet
from code_maps.icd10cm.defaults import defaults_by_word
from models.proposal import Axis, Choice, OpenAxis

_RESIDUAL = re.compile(r"other\b|unspecified\b", re.IGNORECASE)
Words = Mapping[str, tuple[int, int]]
"""Folded word -> where it stands in the note."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What may decide a branch. `sides` is what the note says of the side: {} unknown, two of them a contradiction
    unless `both` is True. `denied` are words that the note negates near the finding."""

    tiers: Sequence[Words]
    sides: Words = field(default_factory=dict)
    both: bool = False
    denied: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Path:
    """Where a descent ended: a code (billable, or a stem that wants a seventh character), and what decided it."""

    code: str
    axes: tuple[Axis, ...] = ()
    open_axes: tuple[OpenAxis, ...] = ()
    conflict: str | None = None
    complete: bool = True


def descend(codes: CodeSet, place: str, evidence: Evidence, climb: bool = True) -> list[Path]:
    """The codes that `place` and its evidence lead to: one, or one for each side where no bilateral code exists.

    `climb` first goes up from an unspecified code; a place from our tables was chosen and is kept.
    """
    top = entry(codes, place) if climb else place
    return _down(codes, top, evidence, Path(top, open_axes=_open_above(codes, top)))


@lru_cache(maxsize=20_000)
def _open_above(codes: CodeSet, place: str) -> tuple[OpenAxis, ...]:
    """The axes that a place leaves open above itself: "asthma exacerbation" is J45.901 and says no severity."""
    found: list[OpenAxis] = []
    node = place
    while len(node) > 3 and node[0] not in "ZVWXY" and (parent := codes.parent(node)) and parent in codes:
        options = branches(codes, parent)
        if any(b.default and b.code == node for b in options):
            others = [b for b in options if not b.default and not b.residual and not b.unspecified]
            if others:
                found.append(OpenAxis(_axis_name(others), tuple(Choice(b.label, b.code) for b in others)))
        node = parent
    return tuple(reversed(found))


@lru_cache(maxsize=20_000)
def entry(codes: CodeSet, place: str) -> str:
    """The node that words for an unspecified code really name: the one above it, where its axes are still open."""
    while len(place) > 3 and place[0] not in "ZVWXY":
        parent = codes.parent(place)
        if parent is None or parent not in codes or _RESIDUAL.match(codes.title(parent)):
            break
        if not any(b.default and b.code == place for b in branches(codes, parent)):
            break
        place = parent
    return place


def _down(codes: CodeSet, node: str, evidence: Evidence, path: Path) -> list[Path]:
    while True:
        options = branches(codes, node)
        if not options:
            return [Path(node, path.axes, path.open_axes, path.conflict, path.complete)]
        sided = [b for b in options if b.side in ("right", "left")]
        if evidence.both and sided and not any(b.side == "bilateral" for b in options):
            mine = [b for b in sided if b.side in evidence.sides or "bilateral" in evidence.sides]
            ends: list[Path] = []
            for side in ("right", "left"):
                only = Evidence(evidence.tiers, _only(evidence.sides, side), False, evidence.denied)
                best = _best([b for b in mine if b.side == side], only)
                if best:
                    ends.extend(_down(codes, best[0].code, only, _step(path, best[0], only, best[1])))
            if len(ends) > 1:
                return ends
        chosen = _best(options, evidence) if _may_decide(codes, node, evidence) else None
        chosen = chosen or _further_down(codes, options, evidence) or _presumed(node, options, evidence)
        if chosen:
            branch, used = chosen
            path = _step(path, branch, evidence, used)
            node = branch.code
            continue
        default = next((b for b in options if b.default), None)
        for word, child in defaults_by_word().get(node, ()):
            if evidence.tiers and word in evidence.tiers[0]:
                default = next((b for b in options if b.code == child), default)
        others = [b for b in options if not b.default and not b.residual and not b.unspecified] or [
            b for b in options if not b.default and not b.residual
        ]
        opened = path.open_axes
        if others:
            axis = _axis_name(others)
            opened = (*opened, OpenAxis(axis, tuple(Choice(b.label, b.code) for b in others)))
        conflict = path.conflict
        if sided and len({"right", "left"} & set(evidence.sides)) == 2 and not evidence.both:
            conflict = "laterality"
        path = Path(path.code, path.axes, opened, conflict, path.complete)
        if default is None:
            return [Path(node, path.axes, path.open_axes, path.conflict, complete=False)]
        node = default.code


@lru_cache(maxsize=20_000)
def _words_of(codes: CodeSet, node: str) -> tuple[frozenset[str], frozenset[str]]:
    """The words that support a branch of a node, and those that a branch says are absent."""
    options = branches(codes, node)
    return (
        frozenset().union(*(group for option in options for group in option.groups)),
        frozenset().union(*(option.absent for option in options)),
    )


@lru_cache(maxsize=20_000)
def _words_below(codes: CodeSet, node: str) -> frozenset[str]:
    """The words that support a branch of a node or of its branches."""
    below = (_words_of(codes, option.code)[0] for option in branches(codes, node))
    return _words_of(codes, node)[0].union(*below)


def _may_decide(codes: CodeSet, node: str, evidence: Evidence) -> bool:
    """Whether the evidence holds a side or any word of a node's branches: without one, no branch is supported."""
    words, absent = _words_of(codes, node)
    return (
        bool(evidence.sides)
        or not absent.isdisjoint(evidence.denied)
        or not all(words.isdisjoint(tier) for tier in evidence.tiers)
    )


def _further_down(
    codes: CodeSet, options: Sequence[Branch], evidence: Evidence
) -> tuple[Branch, frozenset[str]] | None:
    """The one branch that leads to what the clause or sentence says, though its own title doesn't say it.

    I48.2 "Chronic atrial fibrillation" holds I48.21 "Permanent atrial fibrillation".
    """
    near = Evidence(evidence.tiers[:2], evidence.sides, evidence.both, evidence.denied)
    leads: list[tuple[int, Branch]] = []
    heard = {"bilateral", "unilateral"}.union(*near.tiers)
    for option in options:
        size = 0 if _words_below(codes, option.code).isdisjoint(heard) else _depth(codes, option.code, near, 2)
        if size:
            leads.append((size, option))
    if not leads:
        return None
    top = max(size for size, _ in leads)
    best = [option for size, option in leads if size == top]
    return (best[0], frozenset()) if len(best) == 1 else None


def _depth(codes: CodeSet, node: str, evidence: Evidence, levels: int) -> int:
    """How many words of the evidence a branch below `node` answers to, by its own words and not by its side."""
    options = branches(codes, node)
    found = _best(options, evidence)
    if found and found[1]:
        return len(found[1])
    if levels <= 1:
        return 0
    return max((_depth(codes, option.code, evidence, levels - 1) for option in options), default=0)


_PRESUMED = {"M16": "primary", "M17": "primary", "M18": "primary"}
"""What is meant where the note gives the side and not the type. Primary osteoarthritis: Coding Clinic, 4th quarter 2016."""


def _presumed(node: str, options: Sequence[Branch], evidence: Evidence) -> tuple[Branch, frozenset[str]] | None:
    word = _PRESUMED.get(node)
    if word is None or _side(evidence) is None:
        return None
    return _best(options, Evidence(({word: (0, 0)},), evidence.sides, evidence.both, evidence.denied))


def _only(sides: Words, side: str) -> Words:
    return {side: sides.get(side) or sides.get("bilateral") or next(iter(sides.values()))}


def _axis_name(others: Sequence[Branch]) -> str:
    names = [b.axis for b in others]
    if any(b.side for b in others) and all(b.side or not b.groups for b in others):
        return "laterality"
    return max(sorted(set(names)), key=names.count)


def _step(path: Path, branch: Branch, evidence: Evidence, used: frozenset[str]) -> Path:
    axes = list(path.axes)
    for word in sorted(used):
        for tier in evidence.tiers:
            if word in tier:
                axes.append(Axis(branch.axis if branch.axis != "laterality" else "type", word, *tier[word]))
                break
    if branch.side:
        where = evidence.sides.get(branch.side) or next(iter(evidence.sides.values()), None)
        if where:
            axes.append(Axis("laterality", branch.side, *where))
    return Path(branch.code, tuple(dict.fromkeys(axes)), path.open_axes, path.conflict, path.complete)


def _side(evidence: Evidence) -> str | None:
    said = set(evidence.sides)
    if "bilateral" in said or (evidence.both and {"right", "left"} <= said):
        return "bilateral"
    return next(iter(said)) if len(said) == 1 else None


def _best(options: Sequence[Branch], evidence: Evidence) -> tuple[Branch, frozenset[str]] | None:
    """The one branch that the nearest tier supports best, with the words that support it."""
    side = _side(evidence)
    heard: set[str] = set()
    if side:
        heard.add("bilateral" if side == "bilateral" else "unilateral")
    for tier in evidence.tiers:
        heard |= tier.keys()
        scored: list[tuple[float, Branch, frozenset[str]]] = []
        for branch in options:
            if branch.side and branch.side != side:
                continue
            if branch.absent & heard and not branch.absent <= evidence.denied:
                continue
            groups = [g for g in branch.groups if g <= heard and not g & evidence.denied]
            ruled_out = (
                bool(branch.absent) and branch.absent <= evidence.denied and not branch.needs
            )  # "migraine without aura"
            if branch.groups and not groups and not ruled_out and not (branch.side and branch.unspecified):
                continue
            best = frozenset().union(*groups)  # "single episode, mild": each part that is heard counts
            denied = branch.absent & evidence.denied
            score = len(best) + (1 if branch.side else 0) + len(denied) - (0.5 if branch.residual else 0)
            if score > 0 and not (branch.residual and not best):
                scored.append((score, branch, best))
        if scored:
            top = max(score for score, _, _ in scored)
            best_ones = [(b, used) for score, b, used in scored if score == top]
            if len(best_ones) == 1:
                return best_ones[0]
            firm = [(b, used) for b, used in best_ones if not b.unspecified]
            if len(firm) == 1:
                return firm[0]
            if all(b.side for b, _ in best_ones):
                plain = [(b, used) for b, used in best_ones if b.default or b.unspecified]
                return plain[0] if plain else None
            # Two answers at once decide nothing here; a wider tier may.
    return None
