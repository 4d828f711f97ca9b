"""Documentation gaps, elements, E/M level and denial risks."""

from __future__ import annotations

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
class Gap:
    """Something the documentation lacks. `id` is stable for the same evidence; `priority` 1 comes first."""

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
