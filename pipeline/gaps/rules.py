"""Gaps by rule files: what sets a rule off, and what else must hold (vocabulary in code_maps.gaps)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from code_maps.gaps import gap_rules
from code_maps.places import Places
from code_maps.rulefile import Rule
from models.finding import Finding
from models.gap import Gap, WouldChange
from models.proposal import Evidence, Proposal
from pipeline.gaps.conflicts import CONFLICTS
from pipeline.gaps.context import DECIDED, Case, affirmed, clause_of, make_gap, place_of, words_in
from pipeline.gaps.elements import ELEMENTS
from pipeline.gaps.linkage import LINKAGE
from pipeline.gaps.policy import POLICY

Check = Callable[[Case, Rule], list[Gap]]
CHECKS: dict[str, Check] = {**CONFLICTS, **ELEMENTS, **LINKAGE, **POLICY}
Shown = tuple[Evidence, ...]
Seek = Callable[[Case, Rule, dict[str, Any]], Shown | None]
_PER_RULE = 2
_SHOWN = 4
_EVERYWHERE = ("exam", "results", "other")
_BEFORE_A_NAME = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|Miss)\.? |\b[A-Z][a-z]+ )$")
_PER_VOLUME = re.compile(r"g/(?:l|ml|dl)\b")
_AIMED = re.compile(r"\b(?:targets?|goal (?:is|of)|aim(?:ing)? for|keep|if|reference|normal range)\b", re.IGNORECASE)


def by_rules(case: Case) -> list[Gap]:
    """The gaps of all rule files in force on the date of service."""
    index = _rules_on(case.note.date_of_service)
    asked = [*index.always, *(index.of_line if case.check else ())]
    for analyte in case.by_analyte:
        asked += index.of_analyte.get(analyte, ())
    for name in case.drugs:
        asked += index.of_drug.get(name, ())
    # In an order of its own: a set's order changes from run to run.
    for category in dict.fromkeys(p.code[:3] for p in case.proposals):
        asked += index.of_category.get(category, ())
    return [gap for rule in {ready.rule.id: ready for ready in asked}.values() for gap in _by_rule(case, rule)]


@dataclass(frozen=True, slots=True)
class _Ready:
    """A rule with what is looked up in it for every note."""

    rule: Rule
    when: dict[str, Any]
    seek: tuple[Seek, ...]
    check: Check | None


@dataclass(frozen=True, slots=True)
class _Index:
    """The rules in force, by what they wait for."""

    always: tuple[_Ready, ...]
    of_line: tuple[_Ready, ...]
    of_analyte: dict[str, list[_Ready]]
    of_drug: dict[str, list[_Ready]]
    of_category: dict[str, list[_Ready]]


@lru_cache(maxsize=32)
def _rules_on(on: dt.date | None) -> _Index:
    index = _Index((), (), {}, {}, {})
    always, of_line = [], []
    for rule in gap_rules():
        if rule.status != "active" or not rule.holds_on(on):
            continue
        when = rule.data["when"]
        seek = tuple(seek for trigger, seek in _TRIGGERS.items() if trigger in when)
        ready = _Ready(rule, when, seek, CHECKS[when["check"]] if "check" in when else None)
        categories = _categories(rule.id, "code") if "code" in when else None
        if "analyte" in when:
            index.of_analyte.setdefault(when["analyte"], []).append(ready)
        elif "drug_class" in when:
            for name in when["drug_class"]:
                index.of_drug.setdefault(name, []).append(ready)
        elif "line" in when:
            of_line.append(ready)
        elif categories is not None:
            for category in sorted(categories):
                index.of_category.setdefault(category, []).append(ready)
        else:
            always.append(ready)
    return replace(index, always=tuple(always), of_line=tuple(of_line))


@cache
def _places(rule: str, key: str) -> Places:
    return Places(next(r for r in gap_rules() if r.id == rule).data["when"][key])


@lru_cache(maxsize=1 << 16)
def _lies_there(rule: str, key: str, code: str) -> bool:
    """Whether a code lies under the places of a rule; a note's codes are asked for again and again."""
    return code in _places(rule, key)


@cache
def _categories(rule: str, key: str) -> frozenset[str] | None:
    """The categories of a rule's places; None when a range or a letter is among them."""
    said = _places(rule, key)
    return None if any("-" in place or len(place) < 3 for place in said) else frozenset(p[:3] for p in said)


@cache
def _pattern(said: str) -> re.Pattern[str]:
    return re.compile(said)


def _by_rule(case: Case, ready: _Ready) -> list[Gap]:
    rule, when = ready.rule, ready.when
    if ready.check is not None:
        return ready.check(case, rule) if _holds(case, rule, when) else []
    shown: Shown | None = None
    for seek in ready.seek:
        shown = seek(case, rule, when)
        if shown is None:
            return []
    fitting = _fitting(case, rule, when)
    if ("code" in when and not fitting) or not _holds(case, rule, when):
        return []
    if "code" not in when:
        return [make_gap(rule, rule.data.get("code"), shown or (), key=rule.data.get("code") or "")]
    return [
        make_gap(
            rule, p.code, (*(shown or ()), *case.evidence(p), *case.bearing(p, rule.data["missing"]))[:_SHOWN],
            _said_as(case, rule, p), rank=p.rank, would_change=_would_change(case, rule, p.code),
        )
        for p in fitting[:_PER_RULE]
    ]  # fmt: skip


def _would_change(case: Case, rule: Rule, code: str) -> WouldChange | None:
    """The codes that a rule says its options lead to, those of the release only; None where it says nothing of them."""
    named = [said.replace("{category}", code[:3]) for said in rule.data.get("leads_to", ())]
    to = tuple(other for other in named if other != code and case.codes.is_billable(other))
    return WouldChange(code, to) if to else None


def _fitting(case: Case, rule: Rule, when: dict[str, Any]) -> list[Proposal]:
    """The proposals that a rule about a code is about."""
    if "code" not in when:
        return []
    return [p for p in case.proposals if _lies_there(rule.id, "code", p.code) and _fits(case, p, when)]


def _said_as(case: Case, rule: Rule, proposal: Proposal) -> str:
    """What a question calls the condition: the rule's name for it, or the note's where the rule leaves it open."""
    return str(rule.data["about"]) or case.about(proposal)


def _fits(case: Case, proposal: Proposal, when: dict[str, Any]) -> bool:
    if "assessed" in when and case.assessed(proposal) != when["assessed"]:
        return False
    if "seventh" in when and proposal.code[7:] not in when["seventh"]:
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
    if "no_drug_class" in when and any(case.drugs.get(name) for name in when["no_drug_class"]):
        return False
    if "no_section" in when and not case.sections.isdisjoint(when["no_section"]):
        return False
    if "with_code" in when and not any(_lies_there(rule.id, "with_code", p.code) for p in case.proposals):
        return False
    if "no_code" in when:
        if any(_lies_there(rule.id, "no_code", p.code) for p in case.proposals):
            return False
        if "drug_class" in when and case.mentioned(_places(rule.id, "no_code")):
            return False
    if "planned" in when and not words_in(when["planned"], case.decided()):
        return False
    if "anywhere" in when and not words_in(when["anywhere"], case.text):
        return False
    if "without" in when and words_in(when["without"], case.text):
        return False
    return "without_match" not in when or not _pattern(when["without_match"]).search(case.text)


# --- what sets a rule off: each gives the evidence, or None ---------------------------------------------------------


def _by_analyte(case: Case, rule: Rule, when: dict[str, Any]) -> Shown | None:
    if case.child and "age_to" not in when:
        return None  # the limits are those of adults
    above, below = when.get("above", float("-inf")), when.get("below", float("inf"))
    limited = "above" in when or "below" in when
    shown: list[Evidence] = []
    for finding in case.by_analyte.get(when["analyte"], ()):
        if finding.assertion.presence == "hypothetical" or not _stands(finding, when):
            continue
        values = dict(finding.values)
        quantity = values.get("quantity")
        if "unit" in when and not _in_unit(case.quote(finding).text.lower(), when["unit"]):
            continue
        if isinstance(quantity, (int, float)):
            # "< 3" is above no limit, and "> 60" below none.
            unbounded = ("above" in when and values.get("comparator") in ("<", "<=")) or (
                "below" in when and values.get("comparator") in (">", ">=")
            )
            if limited and not unbounded and above < quantity < below and not _AIMED.search(case.quote(finding).text):
                shown.append(case.quote(finding))
        elif "flag" in when and values.get("flag") == when["flag"] and finding.present:
            shown.append(case.quote(finding))
        if len(shown) >= when.get("times", 1):
            return tuple(dict.fromkeys(shown))
    return None


def _in_unit(sentence: str, unit: str) -> bool:
    """Whether a sentence gives its values in a unit, or in none: "6 and 7 ng/L" has one unit for both."""
    return unit in sentence or _PER_VOLUME.search(sentence) is None


def _stands(finding: Finding, when: dict[str, Any]) -> bool:
    if "places" not in when:
        return True
    return place_of(finding.section) in when["places"]


def _by_words(case: Case, rule: Rule, when: dict[str, Any]) -> Shown | None:
    for where in when.get("places", _EVERYWHERE):
        numbers, text = case.part(where)
        if not words_in(when["of"], text):
            continue
        said = [word for word in when["said"] if word in text]
        named = said and [word for word in when["of"] if word in text]
        if not named:
            continue
        for number in numbers:
            sentence = case.sentence(number)
            spoken = next((word for word in said if word in sentence), None)
            if spoken and words_in(named, sentence) and affirmed(clause_of(sentence, spoken).replace(spoken, " ")):
                return (case.quote_sentence(case.layout.sentences[number]),)
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
        if finding.section not in DECIDED or finding.historical or _a_name(case, finding):
            continue
        if words_in(words, finding.text.lower()):
            return (case.quote(finding),)
    return None


def _a_name(case: Case, finding: Finding) -> bool:
    """Whether a word with a capital stands within a sentence after another such word: "Ms. Walker" is no device."""
    if not finding.text.istitle():
        return False
    return _BEFORE_A_NAME.search(case.note.text, max(0, finding.start - 20), finding.start) is not None


def _by_line(case: Case, rule: Rule, when: dict[str, Any]) -> Shown | None:
    lines = case.check.lines if case.check else ()
    if not any(v.code.startswith(tuple(when["line"])) for v in lines):
        return None
    main = case.main()
    return main.evidence[:1] if main else ()


def _by_match(case: Case, rule: Rule, when: dict[str, Any]) -> Shown | None:
    found = _pattern(when["match"]).search(case.text) if words_in(when["anywhere"], case.text) else None
    if found is None:
        return None
    text = case.note.text
    start = text.rfind("\n", 0, found.start()) + 1
    end = text.find("\n", found.end())
    line = text[start : end if end >= 0 else len(text)]
    inset = len(line) - len(line.lstrip())
    start, line = start + inset, line.strip()
    return (Evidence(start, start + len(line), line),)


_TRIGGERS: dict[str, Seek] = {
    "analyte": _by_analyte, "said": _by_words, "finding": _by_finding, "drug_class": _by_drug, "order": _by_order,
    "line": _by_line, "match": _by_match,
}  # fmt: skip


def checks() -> Iterator[str]:
    """The names of the computed checks that there are."""
    yield from CHECKS
