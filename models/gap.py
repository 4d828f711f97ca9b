"""Documentation gaps, elements, E/M level and denial risks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from models.proposal import Evidence

GapKind = Literal["specificity", "element", "linkage", "validity", "indicator", "conflict", "policy", "authentication"]
Missing = Literal[
    "type", "acuity", "severity", "stage", "laterality", "site", "cause", "organism", "episode", "complication",
    "control", "status", "linkage", "rationale", "result", "exam", "history", "duration", "conservative-treatment",
    "clinical-indicator", "other",
]  # fmt: skip
DenialCause = Literal["non-covered diagnosis", "inadequate documentation", "upcoding", "no linkage"]


@dataclass(frozen=True, slots=True)
class WouldChange:
    """The code that is supported now, and those that an answer could lead to."""

    from_code: str
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SupposedEvidence:
    """Words that a code would rest on. Supposed ones aren't in the note and have no place in it."""

    text: str
    supposed: bool
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Supposed:
    """What the review would say if an answer to a gap stood in the note; found by reviewing the note again.

    `words` are those supposed to be written, with the place in the note where they are put. `codes` are pairs of the
    code now and then (None: there is none), `verdicts` the claim lines whose verdict changes (line, now, then),
    `levels` the E/M levels now and then when they differ; `resolved` and `opened` are gap ids. `expected` says whether
    a code of `would_change.to` comes out (None where none is expected). `why` says what happens in words.
    """

    answer: str
    words: tuple[tuple[int, str], ...] = ()
    codes: tuple[tuple[str | None, str | None], ...] = ()
    verdicts: tuple[tuple[int, str, str], ...] = ()
    levels: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    resolved: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    evidence: tuple[SupposedEvidence, ...] = ()
    expected: bool | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """Something the documentation lacks. `id` is stable for the same evidence; `priority` 1 comes first.

    `supposed` is there only where it was asked for: what each answer would change.
    """

    id: str
    kind: GapKind
    code: str | None
    missing: Missing
    about: str
    evidence: tuple[Evidence, ...]
    ask: str
    options: tuple[str, ...]
    why: str
    rule: str
    source: str
    would_change: WouldChange | None = None
    priority: int = 0
    supposed: tuple[Supposed, ...] | None = None

    @property
    def fingerprint(self) -> str:
        """What makes this gap the same one in another version of the note: its id and the words of its evidence.

        Positions, white space and capitals don't matter. The words themselves can't be read from it.
        """
        said = sorted(" ".join(e.text.split()).casefold() for e in self.evidence)
        return f"{self.id}#{hashlib.sha256(chr(10).join(said).encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Elements:
    """Which of the five documentation elements the note (or one problem of it) holds."""

    symptoms: bool = False
    history: bool = False
    exam: bool = False
    results: bool = False
    rationale: bool = False


@dataclass(frozen=True, slots=True)
class LevelReason:
    """Why an element of medical decision making has its level."""

    element: str
    why: str
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EvaluationManagement:
    """Medical decision making read from the note, and how the billed level compares."""

    problems: str
    data: str
    risk: str
    mdm: str
    supports: tuple[str, ...]
    reasons: tuple[LevelReason, ...] = ()
    billed: str | None = None
    flag: str | None = None


@dataclass(frozen=True, slots=True)
class DenialRisk:
    """One of the four causes of denial, how likely, and why."""

    cause: DenialCause
    level: Literal["high", "medium", "low"]
    why: str
    lines: tuple[int, ...] = ()
