"""Proposed, considered and withheld codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Band = Literal["high", "medium", "low"]

# Where the bands begin: of "high" nine in ten are right on notes held out of training (code_maps/ranker/card.md).
HIGH = 0.85
MEDIUM = 0.5


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words in the note that something rests on."""

    start: int
    end: int
    text: str
    section: str = ""


@dataclass(frozen=True, slots=True)
class Axis:
    """A detail that the note documents and that decided a step down the tabular."""

    axis: str
    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to an open axis and the code it would lead to."""

    value: str
    code: str


@dataclass(frozen=True, slots=True)
class OpenAxis:
    """A detail that the tabular asks for and the note doesn't say."""

    axis: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class RuleUse:
    """A rule that had a say in a result, and what it said here."""

    id: str
    why: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A code that the note supports. `place` is where the words entered the tabular; `start` orders by appearance."""

    code: str
    description: str
    confidence: float
    findings: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    place: str = ""
    axes: tuple[Axis, ...] = ()
    open_axes: tuple[OpenAxis, ...] = ()
    rules: tuple[RuleUse, ...] = ()
    rank: int = 0
    first_listed: bool = False
    problem: int = -1
    section: str = ""

    @property
    def band(self) -> Band:
        """The confidence in three steps."""
        return "high" if self.confidence >= HIGH else "medium" if self.confidence >= MEDIUM else "low"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A code that was considered and isn't proposed, with the reason; a coder may still take it."""

    code: str
    confidence: float
    why: str
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Withheld:
    """A code that a rule keeps from being proposed."""

    code: str
    rule: str
    why: str
    findings: tuple[str, ...]
