"""Findings: what the note says, of what kind, and how it is asserted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["symptom", "history", "exam", "result", "condition", "treatment", "order", "rationale", "status"]
Presence = Literal["present", "negated", "uncertain", "hypothetical"]
Temporality = Literal["current", "historical"]
Experiencer = Literal["patient", "family", "other"]


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that decide how a finding is asserted, and the part they play.

    `role` is one of negation, uncertainty, hypothesis, history, family, other-person.
    """

    text: str
    start: int
    end: int
    role: str


@dataclass(frozen=True, slots=True)
class Assertion:
    """Whether a finding is there, when, and whose it is, with the cues that say so."""

    presence: Presence = "present"
    temporality: Temporality = "current"
    experiencer: Experiencer = "patient"
    cues: tuple[Cue, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A relation from one finding to another: "due to", "with", "for", "treats", "explains" …"""

    to: str
    role: str


@dataclass(frozen=True, slots=True)
class Mention:
    """Words that an extractor or the term matcher found, before they are asserted.

    `place` is the shallowest place in the tabular the words support ("" when they name none); `source` says what
    found them (a table's name, "title", "quantity", "model" …). `values` holds numbers with their unit
    (quantity, unit, analyte, …) or other details, as plain JSON values in a tuple of pairs. `tokens` are the spans of the single words when
    they don't stand side by side.
    """

    kind: Kind
    start: int
    end: int
    place: str = ""
    source: str = ""
    values: tuple[tuple[str, str | float | int | None], ...] = ()
    tokens: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """An asserted mention. `sentence`, `section` and `problem` are indexes into the layout; -1 is none."""

    id: str
    kind: Kind
    text: str
    start: int
    end: int
    assertion: Assertion
    section: str = ""
    sentence: int = -1
    problem: int = -1
    place: str = ""
    source: str = ""
    values: tuple[tuple[str, str | float | int | None], ...] = ()
    links: tuple[Link, ...] = ()

    @property
    def present(self) -> bool:
        """Asserted as there, now or in the past."""
        return self.assertion.presence == "present"

    @property
    def patients(self) -> bool:
        """About the patient, not a relative or somebody else."""
        return self.assertion.experiencer == "patient"

    @property
    def historical(self) -> bool:
        """Over: a past event, a resolved or treated condition."""
        return self.assertion.temporality == "historical"

    @property
    def codable(self) -> bool:
        """Present, current and the patient's own."""
        return self.present and self.patients and not self.historical

    def value(self, name: str) -> str | float | int | None:
        """One of `values` by its name, or None."""
        return dict(self.values).get(name)
