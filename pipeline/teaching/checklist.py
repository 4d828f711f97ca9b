"""To support this service, document …: one page for a billed code, from policies, edits and the rules for gaps.

It names what may be asked for and proposes no diagnosis. Every line says where it stands.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from code_maps.coverage import is_medicare
from code_maps.edits import edit_rules
from code_maps.edits.evaluation_management import level_of_code, visit_facts
from code_maps.gaps import gap_rules
from code_maps.icd10cm import CodeSet, load
from code_maps.rulefile import Rule
from code_maps.services import service_name
from models.lesson import Checklist, ChecklistLine, ChecklistPart
from pipeline.quick_reference import Card, QuickReference, Support, quick_reference

MOST_ITEMS = 14
"""Diagnoses of one list that are printed; the line says how many there are."""

_LEVELS = ("straightforward", "low", "moderate", "high")
_BINDING = "; without it the line is only half proved"


def checklist(
    code: str,
    on: dt.date | None = None,
    state: str | None = None,
    payer: str = "medicare",
    found: QuickReference | None = None,
) -> Checklist:
    """What to document for a service on a date in a state; raises InputProblem for what is no CPT or HCPCS code.

    `found` is the quick reference of the same service where the caller has it already.
    """
    found = found or quick_reference(code, load(on), on, state, payer)
    name = service_name(found.code)
    parts = (
        ChecklistPart("A diagnosis that supports it", tuple(_diagnoses(found.policies))),
        ChecklistPart("What the note shows", tuple(_documentation(found.policies))),
        ChecklistPart("How often", tuple(_limits(found.policies))),
        ChecklistPart("The level of the visit", tuple(_level(found.code))),
        ChecklistPart("The record", tuple(_record(found.code, name or "", found.policies, load(on)))),
        ChecklistPart("The claim", tuple(_claim(found))),
    )
    notices = [found.reason] if found.reason else []
    if not is_medicare(payer):
        notices.append("Policies of Medicare are shown only where the payer has none of its own on file.")
    notices += [f"{card.id}: {caveat}" for card in found.policies for caveat in card.caveats]
    return Checklist(
        found.code, name, on, state, payer, tuple(p for p in parts if p.lines), (*notices, *found.notices)
    )  # fmt: skip


def _source(card: Card, group: int | None = None) -> str:
    version = f", version {card.version}" if card.version is not None else ""
    since = f", in force from {card.effective}" if card.effective else ""
    return f"{card.kind} {card.id}{version}{since}" + (f", group {group}" if group is not None else "")


def _diagnoses(cards: Sequence[Card]) -> Iterator[ChecklistLine]:
    for card in cards:
        if card.never_covered:
            yield ChecklistLine("Covered for no diagnosis at all.", _source(card), card.id)
        for support in card.supports:
            many = f"one of {support.count}" if support.count > MOST_ITEMS else "one of these"
            lead = "This diagnosis" if support.count == 1 else f"A diagnosis under {many}"
            needs = tuple(("and", need) for need in support.needs)
            items = (*_items(support), *needs)
            yield ChecklistLine(f"{lead}, documented by the provider", _source(card, support.group), card.id, items)
        for support in card.refused:
            yield ChecklistLine("Not enough", _source(card, support.group), card.id, _items(support))


def _items(support: Support) -> tuple[tuple[str, str], ...]:
    return support.places[:MOST_ITEMS]


def _documentation(cards: Sequence[Card]) -> Iterator[ChecklistLine]:
    for card in cards:
        for text in card.documentation:
            must = text.removesuffix(_BINDING)
            yield ChecklistLine(
                f"{must} (a condition of the coverage)" if must != text else text, _source(card), card.id
            )


def _limits(cards: Sequence[Card]) -> Iterator[ChecklistLine]:
    for card in cards:
        for text in card.limits:
            yield ChecklistLine(text[:1].upper() + text[1:], _source(card), card.id)


def _level(code: str) -> Iterator[ChecklistLine]:
    """Office visits: two of three elements, or the time of the day."""
    level = level_of_code(code)
    if level is None:
        return
    family, number = level
    minutes = visit_facts()["codes"][f"{family}_minutes"][number]
    source = "CPT, evaluation and management guidelines, 2021 office visits, medical decision making; time"
    at_least = f"{_LEVELS[number]} or higher" if number < 3 else _LEVELS[3]
    yield ChecklistLine(
        f"Two of three are {at_least}: the problems addressed, the data reviewed or ordered, the risk of management",
        source,
    )  # fmt: skip
    yield ChecklistLine(
        f"Or the total time on the date, at least {minutes} minutes, and what it was spent on",
        source,
    )  # fmt: skip
    yield ChecklistLine(
        "Each problem with its status and what was done for it: a problem that is only listed isn't addressed",
        source,
    )  # fmt: skip


def _record(code: str, name: str, cards: Sequence[Card], release: CodeSet) -> Iterator[ChecklistLine]:
    """What the rules for gaps ask of every record that bills the service."""
    for rule in gap_rules():
        if rule.data["kind"] in ("policy", "authentication") and _bears(rule, code, name, cards):
            asked = (
                rule.data["ask"]
                .replace("{about}", "service" if "order" in rule.data["when"] else "condition")
                .removeprefix("Please ")
            )
            only = ", ".join(rule.data["when"].get("code", ()))
            text = asked[:1].upper() + asked[1:]
            if "match" in rule.data["when"] and "if it applies" not in text:
                text = f"{text.rstrip('.')}, where it applies."
            yield ChecklistLine(f"{text} (diagnoses under {only})" if only else text, str(rule.sources[0]), rule.id)


def _bears(rule: Rule, code: str, name: str, cards: Sequence[Card]) -> bool:
    """Whether a rule for gaps can be set off by a record that bills the service."""
    when = rule.data["when"]
    if "check" in when:
        return False  # the criteria of the policy, which stand above
    if "line" in when:
        return any(code.startswith(prefix) for prefix in when["line"])
    named = (*when.get("order", ()), *when.get("planned", ()))
    if named:
        return any(word.strip() in name.lower() for word in named)
    if "code" in when:
        listed = [place for card in cards for s in card.supports for place, _ in s.places]
        return any(place.startswith(tuple(when["code"])) for place in listed)
    # Of every record; those that ask for the time of the encounter, of visits only.
    return "time of the encounter" not in rule.data["ask"] or level_of_code(code) is not None


def _claim(found: QuickReference) -> Iterator[ChecklistLine]:
    rules = {rule.id: rule for rule in edit_rules() if rule.holds_on(found.on)}
    for bite in found.edits:
        yield ChecklistLine(bite.says, str(rules[bite.edit].sources[0]) if bite.edit in rules else "", bite.edit)
    if pointing := rules.get("pointer-missing"):
        text = f"Point the line to the diagnosis that supports it, the most important first. {pointing.why}"
        yield ChecklistLine(text, str(pointing.sources[0]), pointing.id)
