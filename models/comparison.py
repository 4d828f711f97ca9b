"""How two reviews of one note differ: in another setting, or on another date of service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from models.proposal import Evidence, RuleUse
from models.report import plain
from models.text import Setting

SCHEMA = "chartproof.comparison/1"

Side = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Under what a note was reviewed."""

    setting: Setting
    date_of_service: date | None
    release: str
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CodeOnOneSide:
    """A code that one review proposes and the other doesn't: the rules that speak for it where it is proposed, and
    what keeps it back where it isn't (`rule` is None where no rule says)."""

    code: str
    description: str
    evidence: tuple[Evidence, ...]
    rules: tuple[RuleUse, ...]
    rule: str | None
    why: str


@dataclass(frozen=True, slots=True)
class CodeReplaced:
    """The same words of the note lead to another code."""

    before: str
    after: str
    description: str
    evidence: tuple[Evidence, ...]
    why: str


@dataclass(frozen=True, slots=True)
class CodeMoved:
    """A code of both reviews whose rank or confidence differs."""

    code: str
    rank: tuple[int, int]
    first_listed: tuple[bool, bool]
    confidence: tuple[float, float]


@dataclass(frozen=True, slots=True)
class RuleDecides:
    """A rule that withholds a code on one side only."""

    side: Side
    code: str
    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """A claim line whose verdict, or the reasons for it, differ."""

    line: int
    code: str
    verdict: tuple[str, str]
    reasons: tuple[tuple[str, ...], tuple[str, ...]]
    why: str


@dataclass(frozen=True, slots=True)
class OnOneSide:
    """A claim edit or a gap that one review has and the other hasn't."""

    side: Side
    id: str
    about: str
    why: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two reviews of one note, from `before` to `after`."""

    before: Reviewed
    after: Reviewed
    added: tuple[CodeOnOneSide, ...] = ()
    gone: tuple[CodeOnOneSide, ...] = ()
    replaced: tuple[CodeReplaced, ...] = ()
    moved: tuple[CodeMoved, ...] = ()
    kept: tuple[str, ...] = ()
    withheld: tuple[RuleDecides, ...] = ()
    verdicts: tuple[VerdictChange, ...] = ()
    edits: tuple[OnOneSide, ...] = ()
    gaps: tuple[OnOneSide, ...] = ()
    levels: tuple[tuple[str, ...], tuple[str, ...]] | None = None

    @property
    def same(self) -> bool:
        """Whether nothing differs but the setting, date or release itself."""
        lists = (self.added, self.gone, self.replaced, self.moved, self.withheld, self.verdicts, self.edits, self.gaps)
        return not any(lists) and self.levels is None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, keys in a fixed order."""
        return {"schema": SCHEMA, "same": self.same, **plain(self)}
