"""Results: what a test, an image or a specimen showed."""

from __future__ import annotations

from code_maps.elements import word_set
from models.finding import Mention
from models.text import Layout
from pipeline.extractors.common import (
    DECISION_SECTIONS,
    RESULT_SECTIONS,
    Reading,
    clauses,
    mention,
    read,
    worded,
)
from pipeline.extractors.studies import studies

_WILL = word_set("studies", "results_will")


def find(reading: Reading) -> list[Mention]:
    """Results of a note already read into words."""
    found: list[Mention] = []
    for line in reading.lines:
        if line.category in RESULT_SECTIONS:
            for i, j in clauses(line, colon=False):
                if worded(line, i, j):
                    found.append(mention("result", line, i, j, line.category))
            continue
        if line.category in ("medications", "allergies", "family_history", "vitals"):
            continue
        for study in studies(line):
            before = line.words[max(0, study.i - 5) : study.i]
            asked = not _WILL.isdisjoint(before)
            if study.result > 0 and not (
                asked and line.category in DECISION_SECTIONS | {""} and "showed" not in line.words
            ):
                found.append(mention("result", line, study.i, max(study.result, study.j), study.kind))
            elif study.result < 0 and before[-1:] and before[-1] in _BEFORE and study.kind != "other":
                found.append(mention("result", line, study.i - 1, study.j, study.kind))
    return found


_BEFORE = word_set("studies", "results_before")


def results(text: str, layout: Layout) -> list[Mention]:
    """Laboratory, imaging, pathology and other test results in words, in the order of the text."""
    return sorted(find(read(text, layout)), key=lambda m: (m.start, m.end))
