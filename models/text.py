"""Places in a note: spans, sections, sentences and the problems of an assessment.

Every position is an offset in Unicode code points, end exclusive, into the text exactly as it was given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Setting = Literal["outpatient", "inpatient"]
Sex = Literal["female", "male"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the note's text."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The words at this place of `text`."""
        return text[self.start : self.end]

    def overlaps(self, other: Span) -> bool:
        """Whether the two share at least one character."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Section:
    """A headed part of a note. `start` is where the heading begins, `body` where its text begins."""

    category: str
    title: str
    start: int
    end: int
    body: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence or list item. `section` and `problem` are indexes into the layout; -1 is none."""

    start: int
    end: int
    section: int = -1
    problem: int = -1


@dataclass(frozen=True, slots=True)
class Problem:
    """One item of an assessment with everything written under it.

    `title_start` and `title_end` mark the words that name the problem ("1. Type 2 diabetes.").
    """

    start: int
    end: int
    title_start: int
    title_end: int
    section: int = -1


@dataclass(frozen=True, slots=True)
class Layout:
    """How a note is laid out. Sentences are in order and don't overlap; blank text belongs to none."""

    sections: tuple[Section, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    problems: tuple[Problem, ...] = ()

    def category_of(self, sentence: Sentence) -> str:
        """The section category of a sentence, "" outside any section."""
        return self.sections[sentence.section].category if sentence.section >= 0 else ""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is known about the patient. None is unknown."""

    age: float | None = None
    sex: Sex | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A clinician's note and the facts about the encounter it belongs to."""

    text: str
    setting: Setting = "outpatient"
    date_of_service: date | None = None
    patient: Patient = field(default_factory=Patient)
    id: str = ""
    provider: str | None = None
