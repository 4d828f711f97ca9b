"""Gaps by rule files: what sets a rule off, and what else must hold (vocabulary in code_maps.gaps)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from code_maps.gaps import gap_rules
from code_maps.places import Places
from code_maps.rulefile import Rule
from models.finding import Finding
from models.gap import Gap
from models.proposal import Evidence, Proposal
from pipeline.gaps.conflicts import CONFLICTS
from pipeline.gaps.context import DECIDED, EXAM, RESULT, Case, affirmed, make_gap, words_in
from pipeline.gaps.elements import ELEMENTS
from pipeline.gaps.linkage import LINKAGE
from pipeline.gaps.policy import POLICY

Check = Callable[[Case, Rule], list[Gap]]
CHECKS: dict[str, Check] = {**CONFLICTS, **ELEMENTS, **LINKAGE, **POLICY}
Shown = tuple[Evidence, ...]
_PER_RULE = 2


def by_rules(case: Case) -> list[Gap]:
    """The gaps of all rule files in force on the date of service."""
    index = _rules_on(case.note.date_of_service)
    asked = list(index.always)
    for analyte in case.by_analyte:
        asked += index.of_analyte.get(analyte, ())
    # In an order of its own: a set's order changes from run to run.
    for category in dict.fromkeys(p.code[:3] for p in case.proposals):
        asked += index.of_category.get(category, ())
    return [gap for rule in dict.fromkeys(rule.id for rule in asked) for gap in _by_rule(case, index.by_id[rule])]


@dataclass(frozen=True, slots=True)
class _Index:
    """The rules in force, by what they wait for."""

    by_id: dict[str, Rule]
    always: tuple[Rule, ...]
    of_analyte: dict[str, list[Rule]]
    of_category: dict[str, list[Rule]]


@lru_cache(maxsize=32)
def _rules_on(on: dt.date | None) -> _Index:
    index = _Index({}, (), {}, {})
    always = []
    for rule in gap_rules():
        if rule.status != "active" or not rule.holds_on(on):
            continue
        when = rule.data["when"]
        index.by_id[rule.id] = rule
        categories = _categories(rule.id, "code") if "code" in when else None
        if "analyte" in when:
            index.of_analyte.setdefault(when["analyte"], []).append(rule)
        elif categories is not None:
            for category in sorted(categories):
                index.of_category.setdefault(category, []).append(rule)
        else:
            always.append(rule)
    return replace(index, always=tuple(always))


@cache
def _places(rule: str, key: str) -> Places:
    return Places(next(r for r in gap_rules() if r.id == rule).data["when"][key])


@cache
def _categories(rule: str, key: str) -> frozenset[str] | None:
    """The categories of a rule's places; None when a range or a letter is among them."""
    said = _places(rule, key)
    return None if any("-" in place or len(place) < 3 for place in said) else frozenset(p[:3] for p in said)


def _by_rule(case: Case, rule: Rule) -> list[Gap]:
    when = rule.data["when"]
    if "check" in when:
        return CHECKS[when["check"]](case, rule) if _holds(case, rule, when) else []
    shown: Shown | None = None
    for trigger, seek in _TRIGGERS.items():
        if trigger in when:
            shown = seek(case, rule, when)
            if shown is None:
                return []
    fitting = _fitting(case, rule, when)
    if ("code" in when and not fitting) or not _holds(case, rule, when):
        return []
    if "code" not in when:
        return [make_gap(rule, rule.data.get("code"), shown or (), key=rule.data.get("code") or "")]
    return [
        make_gap(rule, p.code, (*(shown or ()), *case.evidence(p))[:3], _said_as(case, rule, p), rank=p.rank)
        for p in fitting[:_PER_RULE]
    ]


def _fitting(case: Case, rule: Rule, when: dict[str, Any]) -> list[Proposal]:
    """The proposals that a rule about a code is about."""
    if "code" not in when:
        return []
    places = _places(rule.id, "code")
    return [p for p in case.proposals if p.code in places and _fits(case, p, when)]


def _said_as(case: Case, rule: Rule, proposal: Proposal) -> str:
    """What a question calls the condition: the rule's name for it, or the note's where the rule leaves it open."""
    return str(rule.data["about"]) or case.about(proposal)


def _fits(case: Case, proposal: Proposal, when: dict[str, Any]) -> bool:
    if "assessed" in when and case.assessed(proposal) != when["assessed"]:
        return False
    if "words" in when and not words_in(when["words"], case.near(proposal)):
        return False
    return "words_not" not in when or not words_in(when["words_not"], case.near(proposal))


def _holds(case: Case, rule: Rule, when: dict[str, Any]) -> bool:
    """Whether the conditions that aren't about one proposal hold."""
    patient = case.note.patient
    if when.get("setting") not in (None, case.note.setting) or when.get("sex") not in (None, patient.sex):
        return False
    if "age_from" in when and (patient.age is None or patient.age < when["age_from"]):
        return False
    if "age_to" in when and (patient.age is None or patient.age > when["age_to"]):
        return False
    if "section" in when and case.sections.isdisjoint(when["section"]):
        return False
    if "no_section" in when and not case.sections.isdisjoint(when["no_section"]):
        return False
    if "no_code" in when:
        places = _places(rule.id, "no_code")
        if case.coded(places) or ("drug_class" in when and case.mentioned(places)):
            return False
    if "planned" in when and not words_in(when["planned"], case.decided()):
        return False
    if "anywhere" in when and not words_in(when["anywhere"], case.text):
        return False
    return not words_in(when.get("without", ()), case.text)


# --- what sets a rule off: each gives the evidence, or None ---------------------------------------------------------


def _by_analyte(case: Case, rule: Rule, when: dict[str, Any]) -> Shown | None:
    above, below = when.get("above", float("-inf")), when.get("below", float("inf"))
    limited = "above" in when or "below" in when
    for finding in case.by_analyte.get(when["analyte"], ()):
        if finding.assertion.presence == "hypothetical" or not _stands(finding, when):
            continue
        values = dict(finding.values)
        quantity = values.get("quantity")
        if isinstance(quantity, (int, float)):
            if limited and above < quantity < below and "target" not in case.quote(finding).text.lower():
                return (case.quote(finding),)
        elif "flag" in when and values.get("flag") == when["flag"] and finding.present:
            return (case.quote(finding),)
    return None


def _stands(finding: Finding, when: dict[str, Any]) -> bool:
    if "places" not in when:
        return True
    where = "exam" if finding.section in EXAM else "results" if finding.section in RESULT else "other"
    return where in when["places"]


def _by_words(case: Case, rule: Rule, when: dict[str, Any]) -> Shown | None:
    named = list(filter(case.text.__contains__, when["of"]))
    if not named:
        return None
    said = list(filter(case.text.__contains__, when["said"]))
    if not said:
        return None
    for number, place in enumerate(case.layout.sentences):
        sentence = case.sentence(number)
        spoken = next((word for word in said if word in sentence), None)
        if spoken and words_in(named, sentence) and affirmed(sentence.replace(spoken, " ")):
            category = case.layout.category_of(place)
            where = "exam" if category in EXAM else "results" if category in RESULT else "other"
            if where in when.get("places", (where,)):
                return (case.quote_sentence(place),)
    return None


def _by_finding(case: Case, rule: Rule, when: dict[str, Any]) -> Shown | None:
    places = _places(rule.id, "finding")
    categories = _categories(rule.id, "finding")
    for category in case.by_category if categories is None else categories:
        for finding in case.by_category.get(category, ()):
            if finding.place in places and not finding.historical and _stands(finding, when):
                return (case.quote(finding),)
    return None


def _by_drug(case: Case, rule: Rule, when: dict[str, Any]) -> Shown | None:
    for name in when["drug_class"]:
        for finding in case.drugs.get(name, ()):
            if finding.codable:
                return (case.quote(finding),)
    return None


def _by_order(case: Case, rule: Rule, when: dict[str, Any]) -> Shown | None:
    words = when["order"]
    if not words_in(words, case.text):
        return None
    for finding in case.actions:
        if finding.section in DECIDED and not finding.historical and words_in(words, finding.text.lower()):
            return (case.quote(finding),)
    return None


def _by_line(case: Case, rule: Rule, when: dict[str, Any]) -> Shown | None:
    lines = case.check.lines if case.check else ()
    if not any(v.code.startswith(tuple(when["line"])) for v in lines):
        return None
    main = case.main()
    return main.evidence[:1] if main else ()


_TRIGGERS: dict[str, Callable[[Case, Rule, dict[str, Any]], Shown | None]] = {
    "analyte": _by_analyte, "said": _by_words, "finding": _by_finding, "drug_class": _by_drug, "order": _by_order,
    "line": _by_line,
}  # fmt: skip


def checks() -> Iterator[str]:
    """The names of the computed checks that there are."""
    yield from CHECKS
