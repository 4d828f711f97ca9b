"""Findings of a physical examination: every clause of an examination, and its phrases elsewhere."""

from __future__ import annotations

import itertools
from functools import cache

from code_maps.elements import elements, word_set
from models.finding import Mention
from models.text import Layout
from pipeline.extractors.common import (
    ENDS,
    EXAM_SECTIONS,
    HISTORY_SECTIONS,
    RESULT_SECTIONS,
    Phrases,
    Reading,
    clauses,
    labels,
    mention,
    read,
    stop,
    worded,
)  # fmt: skip


@cache
def _findings() -> Phrases:
    table = elements("exam")["words"]
    shared = {tuple(p.split()) for p in table["shared"]}
    return Phrases({phrase: tuple(phrase.split()) in shared for phrase in table["findings"]})


@cache
def _verbs() -> Phrases:
    return Phrases(elements("exam")["words"]["verbs"])


def find(reading: Reading) -> list[Mention]:
    """Examination findings of a note already read into words."""
    found: list[Mention] = []
    for line in reading.lines:
        words = line.words
        if line.category in EXAM_SECTIONS or (line.category == "mdm" and "exam" in line.heading):
            for i, j in clauses(line):
                if worded(line, i, j) and not labels(line, reading.text, i, j):
                    found.append(mention("exam", line, i, j, line.category))
            continue
        if (
            line.category in RESULT_SECTIONS
            or line.category in HISTORY_SECTIONS
            or line.category in ("medications", "review_of_systems", "patient_education")
        ):
            continue
        hits = list(_findings().of(line))
        spoken = [j for _, j, _ in _verbs().of(line)]
        if not hits and not spoken:
            continue
        several = sum(not shared for _, _, shared in hits)
        for i, j, shared in hits:
            if shared and not several and not spoken and not _graded(words, i):
                continue
            low, high = i, j
            while (
                low > 0
                and i - low < 4
                and words[low - 1] not in ",.;:()"
                and words[low - 1]
                not in (
                    "and",
                    "with",
                    "has",
                    "had",
                    "is",
                    "are",
                    "the",
                    "there",
                    "no",
                    "to",
                    "for",
                    "she",
                    "he",
                )
            ):
                low -= 1
            high = min(stop(line, j), j + 5)
            while high > j and words[high - 1] in ("and", "with", "the", "no", "or"):
                high -= 1
            found.append(mention("exam", line, low, high, "exam"))
        for j in spoken:
            if j < len(words) and words[j] == ":":
                j += 1
            high = stop(line, j, ENDS)
            if high > j and worded(line, j, high):
                found.append(mention("exam", line, j, min(high, j + 20), "exam"))
    return found


def _graded(words: list[str], i: int) -> bool:
    """Whether a graded or measured word stands before or after ('2+ pitting edema', 'absent … reflex')."""
    near = words[max(0, i - 4) : i + 6]
    return any(w in _GRADES for w in near) or any(a[:1].isdigit() and b == "+" for a, b in itertools.pairwise(near))


_GRADES = word_set("exam", "grades")


def exam(text: str, layout: Layout) -> list[Mention]:
    """Physical examination findings and vital signs in words, in the order of the text."""
    return sorted(find(read(text, layout)), key=lambda m: (m.start, m.end))
