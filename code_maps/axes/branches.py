"""What tells the children of a node apart: read off the words in which their titles differ.

`branches(codes, node)` is all that the descent needs to know about a node. Each branch says which side it wants,
which word groups support it (any one of them), which words it says are absent, and whether it is the child that adds
nothing to its parent, the one to take when the note is silent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from code_maps.axes import axis_of
from code_maps.icd10cm import CodeSet
from code_maps.icd10cm.defaults import defaults
from code_maps.terms import _phrases as phrases
from code_maps.terms import merge_phrases, words
from code_maps.terms.words import STOP

SIDES = frozenset({"right", "left", "bilateral"})
_PAREN = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
_SPLIT = re.compile(r"[,;/]|\bor\b|\band\b")
_SPLIT_OR = re.compile(r"[,;/]|\bor\b")
_WITHOUT = re.compile(
    r"\b(?:without(?: mention of)?|not)\s+((?:[^,;]+, )+and [^,;]+|[^,;]+?)(?=,|;|\bwith\b|\bof (?:right|left|unspecified|bilateral)\b|$)",
    re.IGNORECASE,
)
_RESIDUAL = re.compile(r"\bother\b(?!\s+than)|\bnot elsewhere classified\b", re.IGNORECASE)
_UNSPECIFIED = re.compile(r"\bunspecified\b|\bNOS\b", re.IGNORECASE)
# Words that a title adds and that nobody writes in a note.
_SILENT = STOP | {
    "type",
    "part",
    "site",
    "level",
    "eye",
    "involving",
    "affected",
    "mention",
    "encounter",
    "region",
    "side",
    "severity",
}
# Said of a title when its opposite must be said in the note: silence means this one.
_PRESUMED = {
    "uncomplicated": "complication",
    "displaced": "nondisplaced",  # tabular notes at S12, S22, S32 …: not indicated is coded to displaced
    "closed": "open",
}


@dataclass(frozen=True, slots=True)
class Branch:
    """One child of a node, and what a note must say to lead there."""

    code: str
    side: str | None
    groups: tuple[frozenset[str], ...]
    absent: frozenset[str]
    residual: bool
    unspecified: bool
    default: bool
    axis: str
    label: str
    needs: bool = True  # the title itself adds words, besides what it says is absent


def _folded(text: str) -> tuple[str, ...]:
    return tuple(w for w, _, _ in merge_phrases(list(words(text)), phrases()))


def _side(title: str) -> str | None:
    said = set(re.findall(r"[a-z]+", title.lower()))
    if "bilateral" in said or "both" in said or {"right", "left"} <= said:
        return "bilateral"
    if "right" in said:
        return "right"
    return "left" if "left" in said and "ventricular" not in said else None


def _groups(title: str, known: frozenset[str]) -> tuple[frozenset[str], ...]:
    """Alternative sets of words of `title` that its parent and all of its siblings don't have."""
    groups = []
    # "and" in a title is and/or (OCG I.A.14), except where the title says that it takes both.
    split = _SPLIT_OR if "ombined" in title else _SPLIT
    for piece in split.split(title):
        new = frozenset(w for w in _folded(piece) if w not in known and w not in _SILENT and w not in SIDES)
        if new:
            groups.append(new)
    return tuple(dict.fromkeys(groups))


@lru_cache(maxsize=20_000)
def branches(codes: CodeSet, node: str) -> tuple[Branch, ...]:
    """The children of `node` as branches, in tabular order; exactly one or none is the default.

    Seventh-character extensions are no branches: they are added after the descent.
    """
    children = [c for c in codes.children(node) if len(c) < 8]
    if not children:
        return ()
    titles = {c: codes.title(c) for c in children}
    told = [frozenset(_folded(_WITHOUT.sub(" ", t))) for t in titles.values()]
    shared = frozenset.intersection(*told) if len(told) > 1 else frozenset()
    # "Right ear", "left ear", "bilateral": where the side is all that is asked, what every one-sided title repeats adds
    # nothing to it.
    sided = [said for said, title in zip(told, titles.values(), strict=True) if _side(title) in ("right", "left")]
    if len(sided) > 1 and all(_side(t) or _UNSPECIFIED.search(t) or _RESIDUAL.search(t) for t in titles.values()):
        shared |= frozenset.intersection(*sided)
    above = frozenset(_folded(codes.title(node)))
    joined = frozenset[str]()
    if (node[0] in "MS" or node.startswith("O99")) and _SPLIT.search(codes.title(node)):
        # "Subluxation and dislocation of knee": what only some children repeat tells them apart
        some = [above & said for said in told]
        joined = frozenset(w for w in frozenset().union(*some) if sum(w in said for said in some) < len(some))
        if any(not said & joined for said in some):
            joined = frozenset()
    known = (above - joined) | shared
    found: list[tuple[Branch, tuple[frozenset[str], ...]]] = []
    for code, title in titles.items():
        plain = _PAREN.sub(" ", title)
        absent = frozenset(
            w
            for part in _WITHOUT.findall(plain)
            for w in _folded(part)
            if w not in STOP and w not in known and w not in SIDES
        )
        groups = _groups(_UNSPECIFIED.sub(" ", _WITHOUT.sub(" ", plain)), known)
        presumed = {w for group in groups for w in group if w in _PRESUMED}
        absent |= {_PRESUMED[w] for w in presumed}
        groups = tuple(g - presumed for g in groups if g - presumed)
        residual = bool(_RESIDUAL.search(title)) and not all(map(_RESIDUAL.search, titles.values()))
        said_too = []
        for term in () if residual else codes.inclusion_terms(code):
            positive = _PAREN.sub(" ", _UNSPECIFIED.sub(" ", term))
            extra = frozenset(w for w in _folded(positive) if w not in known and w not in _SILENT | SIDES)
            if extra and not _WITHOUT.search(term):
                said_too.append(extra)
        branch = Branch(
            code=code,
            side=_side(title) if _side(codes.title(node)) is None else None,
            groups=tuple(dict.fromkeys((*groups, *said_too))),
            absent=absent,
            residual=residual,
            unspecified=bool(_UNSPECIFIED.search(title)),
            default=False,
            axis=_axis(title, groups, absent),
            label=_label(title, codes.title(node)),
            needs=bool(groups),
        )
        found.append((branch, groups))
    chosen = defaults().get(node) or _named(codes, node, children) or _default(found)
    return tuple(replace(b, default=b.code == chosen) for b, _ in found)


_NOS = re.compile(r",?\s*\bNOS\b")


def _named(codes: CodeSet, node: str, children: list[str]) -> str | None:
    """The child that the tabular itself gives to the node's own words: its inclusion term is "<title of the node> NOS"."""
    title = codes.title(node)
    own = {frozenset(_folded(form)) - STOP for form in (title, _PAREN.sub(" ", title))}
    said = {
        child
        for child in children
        for term in codes.inclusion_terms(child)
        if _NOS.search(term) and frozenset(_folded(_NOS.sub(" ", term))) - STOP in own
    }
    return said.pop() if len(said) == 1 else None


def _default(found: list[tuple[Branch, tuple[frozenset[str], ...]]]) -> str | None:
    """The child that adds nothing to its parent, or else the one that says "unspecified" and adds least."""
    if len(found) == 1:
        return found[0][0].code
    unsided = [(b, groups) for b, groups in found if not b.residual and b.side is None]
    silent = [b for b, groups in unsided if not groups]
    if silent:
        # "unspecified" before "without …"; 9 or 0 as the last character is the tabular's own habit.
        return min(silent, key=lambda b: (bool(b.absent) and not b.unspecified, _habit(b.code), b.code)).code
    others = [b for b, groups in unsided if b.unspecified] or [
        b for b, _ in found if b.side is None and b.residual and "part" in b.label
    ]
    if others and not any(b.unspecified for b, _ in unsided):
        return others[0].code  # a site named as a whole: "other part of trunk" is where the trunk itself goes
    rest = [b for b, groups in found if b.residual and b.side is None and not groups and b.code[0] not in "STZOE"]
    if len(rest) == 1 and not any(b.unspecified for b, _ in found):
        return rest[0].code  # nothing is called unspecified here: what isn't one of the named kinds is another
    vague = [(sum(map(len, groups)), _habit(b.code), b.code) for b, groups in unsided if b.unspecified]
    return min(vague)[2] if vague else None


def _habit(code: str) -> int:
    return {"9": 0, "0": 1}.get(code[-1], 2)


def _axis(title: str, groups: tuple[frozenset[str], ...], absent: frozenset[str]) -> str:
    """Which axis a branch answers: that of the first word it adds that has one."""
    table = axis_of()
    for word in [w for g in groups[:1] for w in sorted(g)] + sorted(absent):
        axis = table.get(word) or table.get(word.split("-")[0])
        if axis:
            return axis
    return "laterality" if _side(title) else "type"


def _label(title: str, parent: str) -> str:
    """What a branch adds to its parent's title, as an answer to choose."""
    known = {w.lower() for w in re.findall(r"[\w-]+", parent)}
    added = [w for w in re.findall(r"[\w'’-]+", title) if w.lower() not in known or w.lower() in SIDES]
    while added and added[0].lower() in ("of", "with", "in", "and", "the"):
        added.pop(0)
    while added and added[-1].lower() in ("of", "with", "in", "and", "the"):
        added.pop()
    return " ".join(added) or title
