"""Every policy at hand in one list: starter policies, the user's payer policies, and imported CMS documents.

    [entry for entry in catalogue() if entry.state_on(day) == "in force" and entry.holds_in("FL")]

The list says what there is and when it holds; what a policy asks for is `policy_of` and `prose_of`.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

from code_maps.coverage.mcd import described
from code_maps.coverage.mcd.reader import McdPolicies, Version, in_force, state_names
from code_maps.coverage.mcd.store import read_manifest
from code_maps.coverage.payer import payer_source
from code_maps.coverage.policy import CoveragePolicy, Kind
from code_maps.coverage.starter import policies

Status = Literal["in force", "future", "retired", "replaced", "proposed"]
Origin = Literal["starter", "payer", "imported"]

_KINDS: dict[str, Kind] = {"article": "Article", "lcd": "LCD", "ncd": "NCD"}


@dataclass(frozen=True)
class Entry:
    """One policy, with the version that an id stands for on a date left to `version_on`.

    states    two-letter states it holds in; empty is everywhere
    payers    payers it belongs to; empty is Medicare fee-for-service
    versions  of an imported document, all that the download has
    policy    of a starter or payer policy, what it says
    """

    id: str
    kind: Kind
    title: str
    origin: Origin
    states: frozenset[str] = frozenset()
    payers: frozenset[str] = frozenset()
    versions: tuple[Version, ...] = ()
    policy: CoveragePolicy | None = None

    def version_on(self, on: dt.date) -> Version | None:
        """The version in force on a date, else the one nearest to it; None for a policy without versions."""
        if not self.versions:
            return None
        begun = [v for v in self.versions if v.effective is None or v.effective <= on]
        return in_force(self.versions, on) or max(
            begun or self.versions, key=lambda v: (not v.proposed, v.effective or dt.date.min, v.number)
        )

    def dates_on(self, on: dt.date) -> tuple[dt.date | None, dt.date | None]:
        """First and last day of the policy as it stands on a date."""
        if self.policy is not None:
            return self.policy.rule.in_force
        version = self.version_on(on)
        return (version.effective, version.ended) if version else (None, None)

    def state_on(self, on: dt.date) -> Status:
        """Whether it holds on a date, will hold, has ended, or is only proposed."""
        if self.policy is not None:
            start, end = self.policy.rule.in_force
            return "future" if start and start > on else "retired" if end and end < on else "in force"
        if in_force(self.versions, on):
            return "in force"
        usable = [v for v in self.versions if not v.proposed]
        if not usable:
            return "proposed"
        begun = [v for v in usable if v.effective is None or v.effective <= on]
        if not begun:
            return "future"
        last = max(begun, key=lambda v: (v.effective or dt.date.min, v.number))
        return "retired" if last.retired else "replaced"

    def holds_in(self, state: str) -> bool:
        """Whether it holds in a state; a policy of the whole country holds in each."""
        return not self.states or bool(state_names(state) & self.states)


def catalogue() -> list[Entry]:
    """Every policy at hand: the starter set by id, then the user's own, then imported documents by kind and number.

    Raises ImportProblem where imported documents are damaged.
    """
    found = [_of_file(policy, "starter") for policy in policies()]
    found += [_of_file(policy, "payer") for policy in payer_source().policies]
    imported = described.opened()
    return found + (_documents(imported) if imported else [])


def _of_file(policy: CoveragePolicy, origin: Origin) -> Entry:
    return Entry(policy.id, policy.kind, policy.title, origin, policy.states, policy.payers, policy=policy)


def _documents(imported: McdPolicies) -> list[Entry]:
    states = imported.places()
    versions: dict[tuple[str, int], list[Version]] = defaultdict(list)
    for kind, version in imported.documents():
        versions[kind, version.id].append(version)
    found = []
    for (kind, number), known in versions.items():
        latest = max(known, key=lambda v: (v.effective or dt.date.min, v.number))
        found.append(
            Entry(
                described.doc_id(kind, latest), _KINDS[kind], latest.title, "imported",
                states.get((kind, number), frozenset()), versions=tuple(known),
            )
        )  # fmt: skip
    return found


def policy_of(entry: Entry, on: dt.date) -> CoveragePolicy | None:
    """What a policy asks for on a date; None for an imported LCD or NCD, which have prose only."""
    version = entry.version_on(on)
    if version is None or entry.kind != "Article":
        return entry.policy
    imported = described.opened()
    return imported.policy(version.id, version.number) if imported else None


def prose_of(entry: Entry, on: dt.date) -> list[tuple[str, str]]:
    """The text of an imported document on a date, as headed paragraphs; none for a policy of our own."""
    version, imported = entry.version_on(on), described.opened()
    if version is None or imported is None:
        return []
    kind = next(name for name, shown in _KINDS.items() if shown == entry.kind)
    return imported.text(kind, version.id, version.number)


def out_of_date(on: dt.date) -> dict[Kind, int]:
    """The kinds of imported documents whose download is too old on a date, each with its age in days."""
    found: dict[Kind, int] = {}
    for kind, entry in read_manifest().items():
        age = described.age(entry, on)
        if age is not None and age > described.FRESH:
            found[_KINDS[kind]] = age.days
    return found


@dataclass(frozen=True)
class Turn:
    """A change of one imported document: when, which, and what happens to it."""

    on: dt.date
    id: str
    title: str
    what: Literal["takes effect", "ends"]
    version: int


def turns(entries: list[Entry], since: dt.date, to: dt.date | None = None) -> list[Turn]:
    """Versions of imported documents that take effect or end from one day to another, in order of days."""
    found = []
    for entry in entries:
        for v in entry.versions:
            if v.proposed:
                continue
            if v.effective and since <= v.effective and (to is None or v.effective <= to):
                found.append(Turn(v.effective, entry.id, v.title, "takes effect", v.number))
            if v.retired and v.ended and since <= v.ended and (to is None or v.ended <= to):
                found.append(Turn(v.ended, entry.id, v.title, "ends", v.number))
    return sorted(found, key=lambda t: (t.on, t.id, t.version))
