"""An appeal of a denied claim line: what the policy asks for, what the note shows of it, and what it doesn't."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from models.claim import Policy, VerdictName
from models.proposal import Evidence

PointState = Literal["shown", "on the claim", "not documented", "contradicted"]


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to show.

    `asked` is what the policy (or, without one, the law) asks for, in our words. `excerpts` are whole sentences of the
    note, verbatim at their positions; `facts` are what the claim says. A point is "shown" only with an excerpt, and
    "on the claim" only with a fact. `required` marks a condition of the coverage itself.
    """

    asked: str
    state: PointState
    excerpts: tuple[Evidence, ...] = ()
    facts: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class Appeal:
    """Everything that a letter says of its own accord.

    `warnings` come before the letter: what speaks against sending it, or what has to be done first. `arguable` is False
    where note and claim don't carry the line, and the letter then asks for nothing. `cause` and `answer` are empty for
    a reason code that we have no words for. `citation` names the document that the policy stands in. `medicare` is False for other payers, whose levels and limits aren't known.
    """

    line: int
    code: str
    service: str | None
    modifiers: tuple[str, ...]
    date_of_service: date | None
    diagnoses: tuple[tuple[str, str], ...]
    verdict: VerdictName
    arguable: bool
    medicare: bool
    carc: str | None = None
    rarc: str | None = None
    cause: str = ""
    answer: str = ""
    policy: Policy | None = None
    citation: str = ""
    points: tuple[Point, ...] = ()
    warnings: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
