"""Studies named in a note: laboratory tests, images and other tests, with what stands around them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from code_maps.elements import elements, word_set
from pipeline.extractors.common import ENDS, PLAN_SECTIONS, Line, Phrases

_WEAK_SHOWS = word_set("studies", "weak_shows")


@dataclass(slots=True)
class Study:
    """A study in a line: its words, its kind (labs, imaging, other), the end of its result (-1: none)."""

    i: int
    j: int
    kind: str
    ambiguous: bool
    result: int = -1


@cache
def _names() -> Phrases:
    table = elements("studies")["words"]
    ambiguous = set(table["ambiguous"])
    names = {}
    for kind in ("labs", "imaging", "other"):
        for name in table[kind]:
            names[name] = (kind, name in ambiguous)
    return Phrases(names)


@cache
def _shows() -> Phrases:
    return Phrases(elements("studies")["words"]["shows"])


def studies(line: Line) -> list[Study]:
    """The studies of a line, those with a result marked."""
    found: list[Study] | None = line.notes.get("studies")
    if found is None:
        found = line.notes["studies"] = []
        words = line.words
        hits = _names().of(line)
        for at, (i, j, (kind, ambiguous)) in enumerate(hits):
            limit = hits[at + 1][0] if at + 1 < len(hits) else len(words)
            found.append(Study(i, j, kind, ambiguous, _result(line, j, limit)))
    return found


def _result(line: Line, j: int, limit: int) -> int:
    """The end of the result stated after a study that ends before word `j`, or -1."""
    words = line.words
    at = j
    comma = False
    while at < min(limit, j + 14):
        word = words[at]
        if word in ENDS:
            return -1
        if word == ":" and at - j <= 5 and not comma:
            return _until(line, at + 1) if at + 1 < len(words) else -1
        if word == ",":
            comma = True
        if word in ("to", "if", "because", "given", "for", "since", "as") and at > j:
            return -1
        if word == "with" and at == j and at + 1 < len(words) and words[at + 1] not in _NOT_WITH:
            return _until(line, at + 1) if line.category not in PLAN_SECTIONS else -1
        hit = _shows().at(words, at)
        if hit:
            weak = hit[1] in _WEAK_SHOWS
            if not weak or (at - j <= 4 and not comma):
                if words[at] in ("is", "was", "are", "were") and hit[0] < len(words) and words[hit[0]] in _ASKED:
                    return -1
                return _until(line, hit[0])
        at += 1
    return -1


_NOT_WITH = word_set("studies", "not_with")
_ASKED = word_set("studies", "asked")


def _until(line: Line, i: int) -> int:
    words = line.words
    end = i
    while end < len(words) and words[end] not in ENDS and end - i < 30:
        if words[end] == "," and end - i >= 3:
            break
        end += 1
    return max(end, i)
