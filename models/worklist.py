"""What is kept when somebody saves it: notes, their gaps with a life cycle, queries, decisions, and the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Literal, get_args

from models.gap import Gap
from models.record import NoteRecord

Status = Literal["open", "queried", "answered", "resolved", "dismissed"]
Decision = Literal["accept", "reject", "replace"]
SavedAs = Literal["new", "new version", "unchanged"]

STATUSES: tuple[Status, ...] = get_args(Status)
# Where a gap may go from where it is. Back to "open" is the way out of a mistake, and needs a reason as a dismissal does.
NEXT: Mapping[Status, tuple[Status, ...]] = MappingProxyType(
    {
        "open": ("queried", "resolved", "dismissed"),
        "queried": ("answered", "resolved", "dismissed"),
        "answered": ("queried", "resolved", "dismissed"),
        "resolved": ("open",),
        "dismissed": ("open",),
    }
)
LIVE: tuple[Status, ...] = ("open", "queried", "answered")
NEEDS_REASON: tuple[Status, ...] = ("dismissed", "open")
BY_ADDENDUM = "addendum"


@dataclass(frozen=True, slots=True)
class Saved:
    """What saving a note came to. Counts are of its gaps: opened anew, kept as they were, resolved by this version."""

    note: str
    external_id: str
    version: int
    as_: SavedAs
    opened: int = 0
    kept: int = 0
    resolved: int = 0


@dataclass(frozen=True, slots=True)
class KeptNote:
    """One version of a note as it was saved. `earlier` is the version before it; `id` is ours, `record.id` theirs."""

    id: str
    series: str
    version: int
    earlier: str | None
    record: NoteRecord
    report: Mapping[str, Any]
    saved_at: datetime
    saved_by: str


@dataclass(frozen=True, slots=True)
class KeptGap:
    """A gap of a saved note and where it stands. Times are of the first query and answer, and of the last closing."""

    id: str
    note: str
    external_id: str
    version: int
    provider: str
    date_of_service: date | None
    setting: str
    services: tuple[str, ...]
    gap: Gap
    status: Status
    opened_at: datetime
    changed_at: datetime
    queried_at: datetime | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step in a gap's life: who took it, when, and why."""

    gap: str
    from_status: Status
    to_status: Status
    at: datetime
    who: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SentQuery:
    """A query as it was sent."""

    id: str
    gap: str
    provider: str
    title: str
    text: str
    sent_at: datetime
    sent_by: str


@dataclass(frozen=True, slots=True)
class CodeDecision:
    """What a coder decided about a proposed code. `replacement` is the code that takes its place."""

    id: str
    note: str
    code: str
    decision: Decision
    replacement: str | None
    reason: str
    at: datetime
    who: str


@dataclass(frozen=True, slots=True)
class ExerciseResult:
    """A learner's answer to an exercise: a score from 0 to 1 and the rules that were got wrong."""

    learner: str
    exercise: str
    score: float
    wrong_rules: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One link of the audit trail. Holds ids and hashes, never words of a note or of a reason."""

    seq: int
    at: str
    who: str
    action: str
    subject: str
    facts: Mapping[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class AuditHead:
    """How many entries the audit trail has, and the hash of the last."""

    count: int
    hash: str

    def __str__(self) -> str:
        return f"{self.count}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether the audit trail and what it vouches for are whole. `broken_at` is the number of the first bad entry."""

    head: AuditHead
    broken_at: int | None = None
    why: str = ""

    @property
    def whole(self) -> bool:
        """Whether nothing was found."""
        return not self.why


@dataclass(frozen=True, slots=True)
class Purged:
    """How much a purge removed."""

    notes: int
    gaps: int
    results: int = 0


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """Where things are kept, and how many."""

    where: str
    counts: Mapping[str, int]
    statuses: Mapping[Status, int]
    oldest: datetime | None
    head: AuditHead


@dataclass(frozen=True, slots=True)
class GapFilter:
    """Which gaps are asked for; an empty field asks for all."""

    statuses: tuple[Status, ...] = ()
    providers: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    series: str = ""
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to filter by."""

    providers: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    statuses: Mapping[Status, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scorecard:
    """One provider in figures: no patient, no note, no words. Rates are from 0 to 1; None where there is nothing yet."""

    provider: str
    notes: int
    gaps: int
    gaps_per_note: float | None
    live: int
    queried: int
    answered: int
    resolved: int
    dismissed: int
    response_rate: float | None
    median_days: float | None
