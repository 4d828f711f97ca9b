"""Symptoms: what the patient feels, from words that name it and from what is reported or denied."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from code_maps.elements import elements, word_set
from models.finding import Mention
from models.text import Layout
from pipeline.extractors.common import (
    BREAKS,
    EXAM_SECTIONS,
    HISTORY_SECTIONS,
    RESULT_SECTIONS,
    Line,
    Phrases,
    Reading,
    clauses,
    labels,
    mention,
    read,
    worded,
)  # fmt: skip

_ITEM_ENDS = word_set("symptoms", "item_ends")
_TRIM = word_set("symptoms", "trim")
_SAID = word_set("symptoms", "said")
_HISTORY = word_set("symptoms", "history")
_VISIT = word_set("symptoms", "visit")


@cache
def _heads() -> Phrases:
    return Phrases(elements("symptoms")["words"]["heads"])


@cache
def _stop() -> frozenset[str]:
    return frozenset(elements("symptoms")["words"]["stop"])


@cache
def _report() -> Phrases:
    return Phrases(elements("symptoms")["cues"]["report"])


@cache
def _not() -> frozenset[str]:
    return frozenset(elements("symptoms")["cues"]["not"])


def _named(line: Line) -> Iterator[tuple[int, int]]:
    """Head words with the words before them that belong to them."""
    words, stops = line.words, _stop()
    floor = 0
    for i, j, _ in _heads().of(line):
        if words[j : j + 1] == ["bowel"]:
            continue  # irritable bowel
        low = i
        while low > floor and i - low < 4 and words[low - 1] not in stops and words[low - 1][0].isalpha():
            low -= 1
        yield low, j
        floor = j


def _items(line: Line, i: int) -> Iterator[tuple[int, int]]:
    """The things listed after a verb of reporting that ends before word `i`."""
    words = line.words
    refused = _not()
    count = 0
    while i < len(words) and count < 12:
        while i < len(words) and (words[i] in _TRIM or words[i] == ","):
            if words[i] in refused and words[i] not in _TRIM:
                return
            i += 1
        begin = i
        while i < len(words) and words[i] not in BREAKS and words[i] not in _ITEM_ENDS:
            i += 1
        if i == begin:
            return
        if words[begin] in refused and count == 0:
            return
        if i - begin <= 8 and refused.isdisjoint(words[begin : begin + 2]) and worded(line, begin, i):
            yield begin, i
        count += 1
        if i >= len(words) or words[i] not in (",", "and", "or"):
            return


_HAVING = frozenset(("has", "had", "having", "have"))
_SAYING = frozenset(("notes", "says", "reports", "states", "noticed"))


@cache
def _parts() -> tuple[frozenset[str], Phrases, Phrases]:
    table = elements("symptoms")["words"]
    return frozenset(table["parts"]), Phrases(table["part_verbs"]), Phrases(table["verbs"])


@cache
def _telling() -> frozenset[str]:
    """The words that a complaint in plain words may begin at."""
    return _parts()[0] | _HAVING | _SAYING


def _told(line: Line) -> Iterator[tuple[int, int]]:
    """Complaints in plain words: 'her fingers turn white', 'cannot climb stairs', 'loses urine'."""
    words = line.words
    parts, moves, verbs = _parts()
    telling = _telling()
    for i in [i for i, word in enumerate(words) if word in telling]:
        word = words[i]
        if word in parts:
            for at in range(i + 1, min(i + 3, len(words))):
                if words[at] in BREAKS:
                    break
                if moves.at(words, at):
                    yield (
                        max(0, i - 1) if i and words[i - 1] in ("right", "left", "both") else i,
                        _told_end(words, at + 1),
                    )
                    break
        elif word in _HAVING and i + 1 < len(words) and words[i + 1] not in _NOT_HAD:
            for at in range(i + 1, min(i + 6, len(words))):
                if words[at] in BREAKS or words[at] in _NOT_HAD:
                    break
                if words[at] in parts:
                    yield i + 1, at + 1
                    break
        elif word in _SAYING and i + 2 < len(words):
            at = i + 2 if words[i + 1] == "that" else i + 1
            end = _told_end(words, at)
            if words[at] in ("he", "she", "it", "they", "his", "her") and _TOLD_NOT.isdisjoint(words[at:end]):
                yield at, end
    for i, j, _ in verbs.of(line):
        end = _told_end(words, j)
        if end > j or j - i > 1:
            yield i, end


def _told_end(words: list[str], at: int) -> int:
    begin = at
    while (
        at < len(words)
        and words[at] not in BREAKS
        and words[at] not in ("and", "but", "since", "because", "which")
        and at - begin < 7
    ):
        at += 1
    return at


_NOT_HAD = word_set("symptoms", "not_had")
_TOLD_NOT = word_set("symptoms", "told_not")
_TOLD = frozenset(("", "history_of_present_illness", "chief_complaint", "review_of_systems"))


def find(reading: Reading) -> list[Mention]:
    """Symptoms of a note already read into words."""
    found: list[Mention] = []
    for line in reading.lines:
        category = line.category
        if (
            category in EXAM_SECTIONS
            or category in RESULT_SECTIONS
            or category in HISTORY_SECTIONS
            or category == "medications"
        ):
            continue
        spans = list(_named(line))
        listed: list[tuple[int, int]] = []
        if category in ("review_of_systems", "chief_complaint"):
            for i, j in clauses(line):
                if labels(line, reading.text, i, j):
                    continue
                while i < j and line.words[i] in _SAID:
                    i += 1
                if i < j and j - i <= 10 and worded(line, i, j) and _VISIT.isdisjoint(line.words[i:j]):
                    listed.append((i, j))
        elif category not in (
            "plan",
            "instructions",
            "procedure",
            "patient_education",
            "counseling",
            "other",
        ):
            for i, j, _ in _report().of(line):
                if not _HISTORY.isdisjoint(line.words[max(0, i - 4) : i]):
                    continue
                listed.extend(_items(line, j))
        if category in _TOLD:
            listed.extend(_told(line))
        for i, j in listed:
            if not any(low < j and i < high for low, high in spans):
                spans.append((i, j))
        found.extend(mention("symptom", line, i, j, "symptom") for i, j in spans)
    return found


def symptoms(text: str, layout: Layout) -> list[Mention]:
    """Symptom phrases in the order of the text; how they are asserted is decided later."""
    return sorted(find(read(text, layout)), key=lambda m: (m.start, m.end))
