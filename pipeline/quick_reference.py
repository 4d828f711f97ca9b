"""Quick reference for one service: what supports it on a date, what the note has to show, limits, edits that bite.

It states what the policies and tables at hand say and proposes no diagnosis: whether one is documented is the note's
matter.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from code_maps.coverage import CodeList, CoveragePolicy, Criterion, Frequency, Group, PolicyBook, policy_book
from code_maps.coverage.payer import payer_source
from code_maps.coverage.policy import Services
from code_maps.edits import CmsTables, edit_rules
from code_maps.edits.imported import PairChange, pair_changes, tables_on
from code_maps.icd10cm import CodeSet
from code_maps.services import service_code, service_name

MOST_SHOWN = 60
"""Codes of one list that are shown; the number of all is told."""


@dataclass(frozen=True)
class Support:
    """Diagnoses of one group: `places` as the policy writes them, with the title where the release has one.

    `needs` are conditions beside a diagnosis, in words.
    """

    group: int
    places: tuple[tuple[str, str], ...]
    count: int
    needs: tuple[str, ...] = ()
    quote: str = ""


@dataclass(frozen=True)
class Card:
    """What one policy says about the service."""

    id: str
    kind: str
    title: str
    version: int | None
    effective: dt.date | None
    basis: str
    url: str | None
    never_covered: bool
    supports: tuple[Support, ...]
    refused: tuple[Support, ...]
    documentation: tuple[str, ...]
    limits: tuple[str, ...]
    caveats: tuple[str, ...]


@dataclass(frozen=True)
class Bite:
    """An edit that bears on the service: its rule and what it says about this code."""

    edit: str
    says: str


@dataclass(frozen=True)
class QuickReference:
    """One service on a date in a state. `reason` says why there is no policy."""

    code: str
    name: str | None
    on: dt.date | None
    state: str | None
    release: str
    policies: tuple[Card, ...] = ()
    reason: str = ""
    edits: tuple[Bite, ...] = ()
    pairs: tuple[PairChange, ...] = ()
    notices: tuple[str, ...] = ()


_REASONS = {
    "no-article": "No policy at hand speaks of it: that makes it neither covered nor not covered.",
    "not-in-jurisdiction": "The policies at hand for it don't hold in this state.",
    "not-effective-on-dos": "The policy at hand for it isn't in force on this date.",
    "article-retired": "The policy for it was retired before this date.",
    "article-proposed": "The policy for it is only proposed.",
    "contract-type-mismatch": "The policies at hand for it belong to another kind of contract.",
}


def quick_reference(
    code: str,
    release: CodeSet,
    on: dt.date | None = None,
    state: str | None = None,
    payer: str = "medicare",
    book: PolicyBook | None = None,
    tables: CmsTables | None = None,
) -> QuickReference:
    """What is at hand for a service on a date; raises InputProblem for what is no CPT or HCPCS code.

    `release` is the code set of the date, for titles. Professional contracts are asked first, then equipment.
    """
    code = service_code(code)
    source = payer_source()
    book = book or PolicyBook((source, *policy_book().sources))
    found = book.find(code, on, state, "B", payer)
    if not found.policies:
        equipment = book.find(code, on, state, "DME", payer)
        found = equipment if equipment.policies else found
    tables = tables if tables is not None else tables_on(on)
    notices = [f"A payer policy isn't used: {problem}" for problem in source.problems]
    if state is None and any(p.states for p in found.policies):
        notices.append("Some of these policies hold in certain states only: name the state.")
    notices += [*release.notices, *tables.lasting]
    missing = [name for name in _TABLES if getattr(tables, name) is None]
    if missing:
        shown = ", ".join(_TABLES[name] for name in missing)
        notices.append(f"Not imported for this date, so not shown: {shown}. `chartproof edits status` says more.")
    return QuickReference(
        code=code,
        name=service_name(code),
        on=on,
        state=state,
        release=release.release,
        policies=tuple(card(policy, release, code) for policy in found.policies),
        reason="" if found.policies else _REASONS[found.reason],
        edits=tuple(_bites(code, on, tables)),
        pairs=pair_changes(code),
        notices=tuple(notices),
    )


_TABLES = {
    "unit_limits": "unit limits",
    "addon_primaries": "add-on codes",
    "global_days": "global days and bilateral indicators",
}


def card(policy: CoveragePolicy, release: CodeSet, code: str | None = None) -> Card:
    """What a policy says about one service, or, without one, about all of its services."""

    def about(services: Services) -> bool:
        return code is None or not services or code in services

    return Card(
        id=policy.id,
        kind=policy.kind,
        title=policy.title,
        version=policy.version,
        effective=policy.effective,
        basis=policy.basis,
        url=policy.url,
        never_covered=code is not None and code in policy.never_covered,
        supports=tuple(_support(g, policy, release, code) for g in policy.groups if about(g.services)),
        refused=tuple(
            Support(n.number, *_listed(n.codes, release), needs=_only_for(n.services, code), quote=n.quote)
            for n in policy.noncovered
            if about(n.services)
        ),
        documentation=tuple(_for(c.services, code) + _asked(c) for c in policy.criteria if about(c.services)),
        limits=tuple(_for(f.services, code) + _limit(f) for f in policy.frequency if about(f.services)),
        caveats=policy.rule.limits,
    )


def shown_services(services: Services) -> str:
    """Procedures as a policy file writes them: 83036, 90653-90662."""
    return ", ".join(sorted([c for c in services.codes if c] + [f"{low}-{high}" for low, high in services.ranges]))


def _for(services: Services, code: str | None) -> str:
    return f"{shown_services(services)}: " if code is None and services else ""


def _only_for(services: Services, code: str | None) -> tuple[str, ...]:
    return (f"for {shown_services(services) or 'no procedure'}",) if code is None and services else ()


def _support(group: Group, policy: CoveragePolicy, release: CodeSet, code: str | None) -> Support:
    needs = list(_only_for(group.services, code))
    if group.secondary:
        needs.append("never alone: it is the partner of another group")
    for number in group.requires:
        partner = policy.group(number)
        codes = ", ".join(place for place, _ in _listed(partner.codes, release)[0][:6]) if partner else ""
        needs.append(f"a code of group {number} as well ({codes} …)")
    if group.modifiers:
        needs.append(f"modifier {' or '.join(group.modifiers)}: {group.condition or 'shows the condition'}")
    elif group.condition:
        needs.append(group.condition)
    if group.marked:
        marked = ", ".join(place for place, _ in _listed(group.marked, release)[0][:6])
        needs.append(f"for {marked}: {group.mark}")
    if group.first_pointer:
        needs.append("the first pointer of the line")
    if group.unreadable:
        needs.append(f"a person has to read: {group.unreadable}")
    return Support(group.number, *_listed(group.codes, release), needs=tuple(needs), quote=group.quote)


def _listed(codes: CodeList, release: CodeSet) -> tuple[tuple[tuple[str, str], ...], int]:
    """The places and codes of a list in order, each with its title, and how many there are."""
    every = sorted({*codes.places, *codes.codes, *(f"{low}-{high}" for low, high in codes.ranges)})
    shown = tuple((place, release.title(place) if place in release else "") for place in every[:MOST_SHOWN])
    return shown, len(every)


def _asked(criterion: Criterion) -> str:
    only = f" (groups {', '.join(map(str, criterion.groups))})" if criterion.groups else ""
    return f"{criterion.text}{only}{'; without it the line is only half proved' if criterion.binding else ''}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _limit(limit: Frequency) -> str:
    if limit.fewer_than_days is not None:
        said = f"not within {_count(limit.fewer_than_days, 'day')} of the last"
    elif limit.at_least_months is not None:
        said = f"not within {_count(limit.at_least_months, 'month')} of the last"
    elif limit.full_months is not None:
        said = f"after {limit.full_months} full months following the month of the last"
    else:
        said = f"at most {limit.at_most} {'ever' if limit.per == 'ever' else f'in any {limit.per}'}"
    if limit.ages:
        low, high = limit.ages
        said += f", {low:g} years and older" if high > 120 else f", aged {low:g} to {int(high)}"
    if limit.diagnoses:
        said += f", for {', '.join(sorted(limit.diagnoses.places))}"
    if limit.unless:
        said += f", unless {', '.join(sorted(limit.unless.places))}"
    return f"{said}: {limit.quote}" if limit.quote else said


# --- edits -------------------------------------------------------------------------------------------------------


def _bites(code: str, on: dt.date | None, tables: CmsTables) -> Iterator[Bite]:
    values = {rule.id: rule.data.get("values", {}) for rule in edit_rules() if rule.holds_on(on)}

    def listed(edit: str) -> bool:
        return edit in values and code in Services.of(values[edit]["services"])

    deleted = values.get("procedure-deleted", {}).get("deleted", {}).get(code)
    if deleted is not None and (on is None or on >= deleted):
        yield Bite("procedure-deleted", f"The code was deleted on {deleted}.")
    limit = (tables.unit_limits or {}).get(code)
    if limit is not None and limit.units > 0:
        per = "on a line" if limit.indicator == 1 else "a day"
        yield Bite("mue-exceeded", f"At most {_count(limit.units, 'unit')} {per} (indicator {limit.indicator}).")
    mains = (tables.addon_primaries or {}).get(code)
    if mains:
        more = f" and {len(mains) - 8} more" if len(mains) > 8 else ""
        yield Bite("addon-without-primary", f"Paid only beside {', '.join(sorted(mains)[:8])}{more}.")
    days = (tables.global_days or {}).get(code)
    if days in values.get("em-missing-25", {}).get("days", ()):
        yield Bite("em-missing-25", f"Global days {days}: a visit of the same day needs modifier 25.")
    elif listed("em-missing-25"):
        yield Bite("em-missing-25", "Beside a procedure with global days 000 or 010 it needs modifier 25.")
    indicator = (tables.bilateral or {}).get(code)
    if indicator in values.get("bilateral-modifier-invalid", {}).get("indicators", ()):
        yield Bite("bilateral-modifier-invalid", f"Bilateral indicator {indicator}: modifier 50 isn't used.")
    if listed("em-new-but-established"):
        yield Bite("em-new-but-established", "Only for patients not seen in the group for three years.")
    if listed("em-established-but-new"):
        yield Bite("em-established-but-new", "Only for patients seen in the group within three years.")
    if "modifier-25-not-em" in values and not listed("modifier-25-not-em"):
        yield Bite("modifier-25-not-em", "No evaluation and management service: modifier 25 doesn't belong on it.")


def as_text(found: QuickReference) -> str:
    """The quick reference for a terminal."""
    lines = [f"{found.code}  {found.name or 'service'}", f"on {found.on or 'any date'}, {found.state or 'any state'}"]
    lines += ["", found.reason] if found.reason else []
    for card in found.policies:
        lines += ["", *_card_lines(card)]
    if found.edits:
        lines += ["", "Edits that bear on it"]
        lines += [f"  {bite.edit}: {bite.says}" for bite in found.edits]
    if found.pairs:
        lines += ["", "Procedure pairs that changed (NCCI; a layer of its own)"]
        lines += [
            f"  {p.column1} with {p.column2}: {p.change} {p.since}, modifier indicator {p.indicator}, {p.setting}"
            for p in found.pairs[:20]
        ]
        lines += [f"  … {len(found.pairs) - 20} more"] if len(found.pairs) > 20 else []
    lines += ["", *(f"Note: {notice}" for notice in found.notices)] if found.notices else []
    return "\n".join(lines)


def _card_lines(card: Card) -> Iterator[str]:
    version = f", version {card.version}" if card.version else ""
    since = f", in force from {card.effective}" if card.effective else ""
    yield f"{card.kind} {card.id}{version}{since} ({card.basis})"
    yield f"  {card.title}"
    if card.never_covered:
        yield "  Covered for no diagnosis."
    for name, rows in (("Supported by", card.supports), ("Not supported by", card.refused)):
        for support in rows:
            yield f"  {name} (group {support.group})"
            for place, title in support.places:
                yield f"    {place:9} {title}".rstrip()
            if support.count > len(support.places):
                yield f"    … {support.count - len(support.places)} more"
            for need in support.needs:
                yield f"    needs: {need}"
    if not card.supports and not card.never_covered:
        yield "  It asks for no diagnosis of its own."
    for name, texts in (("The note shows", card.documentation), ("Limit", card.limits), ("Mind", card.caveats)):
        for text in texts:
            yield f"  {name}: {text}"
    if card.url:
        yield f"  {card.url}"
