"""What a coverage policy says, in the one shape that starter policies, CMS articles and payers' own policies share.

Codes of one group are alternatives. A group may serve some procedures only, may require a partner from other groups,
and may carry conditions that a claim can't show. Nothing here decides: that is `pipeline.claims`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from code_maps.icd10cm import CodeSet
from code_maps.rulefile import Rule

Kind = Literal["NCD", "LCD", "Article", "statute", "payer"]
Basis = Literal["code list", "indications"]
Match = Literal["exact", "range", "place"]

# The order of authority: 42 CFR 405.1060, 405.1062. A payer's own policy counts for that payer only.
PRECEDENCE: tuple[Kind, ...] = ("statute", "NCD", "LCD", "Article", "payer")


def _under(code: str, place: str) -> bool:
    """Whether a code is a place or lies below it."""
    return code.startswith(place) and (len(place) > 3 or code[3:4] in ("", "."))


@dataclass(frozen=True)
class CodeList:
    """Diagnoses that a policy names: single codes, ranges with both ends, and places with everything below them.

    An article's list has codes and ranges, matched exactly. A starter policy has places: its source gives conditions
    in words, and the places are our reading of them.
    """

    codes: frozenset[str] = frozenset()
    ranges: tuple[tuple[str, str], ...] = ()
    places: tuple[str, ...] = ()

    def match(self, code: str) -> Match | None:
        """How a billable code is on the list, if it is."""
        if code in self.codes:
            return "exact"
        if any(low <= code <= high or _under(code, high) for low, high in self.ranges):
            return "range"
        return "place" if any(_under(code, place) for place in self.places) else None

    def old_parent(self, code: str, release: CodeSet) -> str | None:
        """A listed code that isn't billable in this release and has the code below it."""
        if code not in release:
            return None
        return next((a for a in release.ancestors(code) if a in self.codes and not release.is_billable(a)), None)

    def __bool__(self) -> bool:
        return bool(self.codes or self.ranges or self.places)


@dataclass(frozen=True)
class Services:
    """Procedures by number; ranges run over codes of equal length. An empty one serves every procedure."""

    codes: frozenset[str] = frozenset()
    ranges: tuple[tuple[str, str], ...] = ()

    def __contains__(self, code: object) -> bool:
        if not isinstance(code, str):
            return False
        return code in self.codes or any(low <= code <= high and len(code) == len(low) for low, high in self.ranges)

    def __bool__(self) -> bool:
        return bool(self.codes or self.ranges)

    @classmethod
    def of(cls, written: Iterable[str]) -> Services:
        """From a list such as ["83036", "90653-90662"]."""
        singles, ranges = set(), []
        for item in written:
            low, dash, high = item.partition("-")
            if dash:
                ranges.append((low, high))
            else:
                singles.add(low)
        return cls(frozenset(singles), tuple(ranges))


@dataclass(frozen=True)
class Measure:
    """A number that stands beside one of some words in the note, such as an apnea index."""

    words: tuple[str, ...]
    at_least: float = float("-inf")
    at_most: float = float("inf")


@dataclass(frozen=True)
class Way:
    """One way to meet a criterion; all of its parts that are given must hold.

    `age` is in years, both ends included. `codes` are diagnoses anywhere on the claim or proposed from the note.
    """

    words: tuple[str, ...] = ()
    measure: Measure | None = None
    codes: CodeList = CodeList()
    modifiers: tuple[str, ...] = ()
    age: tuple[float, float] | None = None
    sex: str | None = None


@dataclass(frozen=True)
class Criterion:
    """Something the policy asks for besides a diagnosis. Any one way is enough.

    A `binding` criterion is a condition of the coverage itself: without it the diagnosis alone proves only half.
    A criterion that isn't binding is listed when the note lacks it and changes no verdict. `groups` limits it to
    routes through these groups.
    """

    text: str
    ways: tuple[Way, ...]
    services: Services = Services()
    groups: tuple[int, ...] = ()
    binding: bool = False

    def serves(self, service: str, group: int | None) -> bool:
        """Whether it is asked for a procedure on a route through a group."""
        return (not self.services or service in self.services) and (not self.groups or group in self.groups)


@dataclass(frozen=True)
class Group:
    """One list of covered diagnoses.

    requires      groups of which a partner code is needed as well (AND), whatever the order of the pointers
    secondary     a list of partners: never supports alone
    marked        codes with an asterisk, whose condition `mark` can't be seen on a claim
    modifiers     one of these on the line shows the condition that `condition` states
    condition     a condition in words on the whole group
    unreadable    prose that can't be read as scope, AND or condition: a person has to look
    first_pointer the text asks for the code as first pointer
    """

    number: int
    codes: CodeList
    services: Services = Services()
    requires: tuple[int, ...] = ()
    secondary: bool = False
    marked: CodeList = CodeList()
    mark: str = ""
    modifiers: tuple[str, ...] = ()
    condition: str = ""
    unreadable: str = ""
    first_pointer: bool = False
    quote: str = ""

    def serves(self, service: str) -> bool:
        """Whether the group is meant for a procedure."""
        return not self.services or service in self.services


@dataclass(frozen=True)
class NonCovered:
    """A list of diagnoses that don't support a service. `absolute`: they deny whatever else is listed.

    `statutory` says that the law excludes the service for this reason: the patient pays, GY tells so.
    """

    number: int
    codes: CodeList
    services: Services = Services()
    absolute: bool = False
    statutory: bool = False
    carc: str = "50"
    rarc: str | None = None
    quote: str = ""

    def serves(self, service: str) -> bool:
        """Whether the list is meant for a procedure."""
        return not self.services or service in self.services


@dataclass(frozen=True)
class Frequency:
    """A limit in time on services of the same procedure code. Exactly one of the limits is given.

    fewer_than_days   restricted when less than that many days have passed since the last service
    at_least_months   restricted when the last service's date + months lies after the date of service
    full_months       whole calendar months that must have passed after the month of the last service
    at_most           so many services, this one included, within `per`: 12 months, calendar year or ever

    `ages` limits it to an age; `diagnoses` to lines supported by these and nothing else; `unless` is a list of
    diagnoses and `unless_words` words of the note that lift it.
    """

    services: Services = Services()
    fewer_than_days: int | None = None
    at_least_months: int | None = None
    full_months: int | None = None
    at_most: int | None = None
    per: Literal["12 months", "calendar year", "ever"] = "12 months"
    ages: tuple[float, float] | None = None
    diagnoses: CodeList = CodeList()
    unless: CodeList = CodeList()
    unless_words: tuple[str, ...] = ()
    carc: str = "151"
    quote: str = ""


@dataclass(frozen=True)
class CoveragePolicy:
    """A policy as it stood in one version. `rule` is its header for explanations.

    never_covered  procedures that the policy covers for no diagnosis at all
    statutory      its denials are exclusions by law (GY, patient liable), not medical-necessity decisions
    states         two-letter states it holds in; empty is everywhere
    payers         folded names of payers it belongs to; empty is Medicare fee-for-service
    contracts      B, DME, or both
    """

    rule: Rule
    kind: Kind
    services: Services
    basis: Basis = "code list"
    version: int | None = None
    groups: tuple[Group, ...] = ()
    noncovered: tuple[NonCovered, ...] = ()
    never_covered: Services = Services()
    frequency: tuple[Frequency, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    statutory: bool = False
    carc: str = "50"
    rarc: str | None = None
    states: frozenset[str] = frozenset()
    payers: frozenset[str] = frozenset()
    contracts: frozenset[str] = frozenset({"B"})
    quote: str = ""

    @property
    def id(self) -> str:
        """The policy's id, as in `chartproof explain`."""
        return self.rule.id

    @property
    def title(self) -> str:
        """What the policy is about."""
        return self.rule.title

    @property
    def effective(self) -> dt.date | None:
        """The first day of this version."""
        return self.rule.in_force[0]

    @property
    def url(self) -> str | None:
        """Where to read it."""
        return next((s.url for s in self.rule.sources if s.url), None)

    def group(self, number: int | None) -> Group | None:
        """A group by its number."""
        return self._by_number.get(number) if number is not None else None

    @cached_property
    def _by_number(self) -> dict[int, Group]:
        return {g.number: g for g in self.groups}
