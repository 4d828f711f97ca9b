"""Teaching material: lessons, minimal pairs, checklists, exercises and their graded answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from models.claim import Claim
from models.gap import Missing
from models.text import Note

ResultKind = Literal["code", "withheld", "verdict", "missing", "undocumented", "edit", "gap", "level", "violation"]


@dataclass(frozen=True, slots=True)
class Result:
    """One thing that a review says.

    `key` is what it is about (a code, a claim line, a gap's rule and detail), `value` what is said of it, `said` the
    same in words, `rule` the rule behind it and `words` the words it rests on.
    """

    kind: ResultKind
    key: str
    value: str = ""
    said: str = ""
    rule: str = ""
    words: tuple[str, ...] = ()
    code: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What differs between two reviews. None on one side: it is only on the other.

    `detail` says that the later code stands for the same words or category as the earlier one: one detail more or less.
    """

    kind: ResultKind
    before: Result | None
    after: Result | None
    detail: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """An example with what ChartProof says of it. `fires`: the rule has its say in it.

    `text` is the note or the query, or the claim in words; `note` and `claim` are what was reviewed.
    """

    kind: Literal["note", "claim", "query"]
    text: str
    about: tuple[str, ...]
    fires: bool
    results: tuple[Result, ...]
    note: Note | None = None
    claim: Claim | None = None
    number: int = 0


@dataclass(frozen=True, slots=True)
class LessonSource:
    """Where a rule stands."""

    said: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One rule as a lesson. `only_example` and `only_counter` are the words by which the two differ."""

    id: str
    family: str
    title: str
    why: str
    sources: tuple[LessonSource, ...]
    limits: tuple[str, ...]
    in_force: tuple[date | None, date | None]
    example: Shown
    counterexample: Shown
    only_example: tuple[str, ...]
    only_counter: tuple[str, ...]
    changes: tuple[Change, ...]
    others: tuple[Shown, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """A note and the same note with one element removed: `text[start:end]` is gone from `shortened`.

    `element` is what the words carry (laterality, result, linkage …), `about` the code or problem they carry it for.
    """

    element: str
    about: str
    start: int
    end: int
    removed: str
    shortened: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class ChecklistLine:
    """One thing to document or to do, with the rule or policy that asks for it. `items` are alternatives under it."""

    text: str
    source: str
    rule: str = ""
    items: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ChecklistPart:
    """A headed part of a checklist."""

    title: str
    lines: tuple[ChecklistLine, ...]


@dataclass(frozen=True, slots=True)
class Checklist:
    """What to document for one service on a date in a state. `notices` say what it can't tell."""

    code: str
    name: str | None
    on: date | None
    state: str | None
    payer: str
    parts: tuple[ChecklistPart, ...]
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExpectedGap:
    """A gap that an exercise's key names. `counted` ones are missed when not marked; the others are right as well."""

    code: str
    missing: Missing
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Exercise:
    """A note to be coded by a learner, with its key: the codes in order, the gaps, and the visit's level.

    A person read the key line by line; it is ChartProof's own review of the note, and a test keeps the two in step.
    """

    id: str
    title: str
    topics: tuple[str, ...]
    teaches: str
    note: Note
    claim: Claim | None
    codes: tuple[str, ...]
    gaps: tuple[ExpectedGap, ...]
    level: tuple[str, ...] = ()


class GapMark(BaseModel):
    """A gap that a learner marks: the detail that is missing, and the code or category it is missing for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = ""
    missing: Missing


class Answers(BaseModel):
    """A learner's answers: codes in the order of the claim, gaps, and the visit code the note supports."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    learner: str = ""
    codes: tuple[str, ...] = Field(default=(), max_length=60)
    gaps: tuple[GapMark, ...] = Field(default=(), max_length=60)
    level: str = ""


MarkResult = Literal["right", "less specific", "other detail", "missed", "invented", "near", "also right"]


@dataclass(frozen=True, slots=True)
class Mark:
    """One answer, graded. `given` or `expected` is empty for what is missed or invented; `points` may be negative."""

    kind: Literal["code", "order", "gap", "level"]
    result: MarkResult
    given: str
    expected: str
    points: float
    of: float
    why: str
    rules: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Graded:
    """A learner's answers to one exercise, graded: `points` of `of`, never below nothing."""

    exercise: str
    learner: str
    points: float
    of: float
    marks: tuple[Mark, ...]

    @property
    def percent(self) -> int:
        """The part of the full marks, in whole per cent."""
        return round(100 * self.points / self.of) if self.of else 100
