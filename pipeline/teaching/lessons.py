"""Lessons: every rule with an example where it has its say and the nearest one where it hasn't, as they are reviewed.

Nothing is written down twice: why, source, limits and examples stand in the rule file, and what an example gives is
asked of the same steps that serve a real note.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from code_maps.coverage import PolicyBook, PolicyList, policies
from code_maps.edits import CmsTables, UnitLimit
from code_maps.icd10cm import load
from code_maps.rulefile import Rule
from models.claim import Claim
from models.lesson import Change, Lesson, LessonSource, Result, Shown
from models.problem import InputProblem
from models.report import Report
from models.text import Note, Patient
from pipeline.claim_edits import claim_edits
from pipeline.claims import NoteEvidence, check_claim
from pipeline.explain import every_rule, rule_of
from pipeline.gaps.context import Case
from pipeline.gaps.rules import by_rules
from pipeline.queries import lint
from pipeline.review import review
from pipeline.sections import read_layout
from pipeline.teaching.claim_words import claim_text, read_claim
from pipeline.teaching.outcomes import changes, claim_results, edit_result, gap_result, results_of, words_apart

EXAMPLE_DAY = dt.date(2026, 5, 12)
"""The date of service of examples that name none; tests of the rule files use the same day."""


def lessons() -> tuple[Lesson, ...]:
    """A lesson for every rule of every family, by family and id."""
    return tuple(lesson(rule.id) for rule in every_rule())


@lru_cache(maxsize=1024)
def lesson(key: str) -> Lesson:
    """One rule as a lesson. Raises InputProblem for an id that no rule has, or a rule without both kinds of example."""
    rule = rule_of(key)
    shown = examples_of(rule)
    example, counter = _contrast(rule, shown)
    only_example, only_counter = words_apart(example.text, counter.text)
    return Lesson(
        id=rule.id,
        family=rule.family,
        title=rule.title,
        why=rule.why,
        sources=tuple(LessonSource(str(s), s.url) for s in rule.sources),
        limits=rule.limits,
        in_force=rule.in_force,
        example=example,
        counterexample=counter,
        only_example=only_example,
        only_counter=only_counter,
        changes=tuple(sorted(changes(example.results, counter.results), key=lambda c: rule.id not in _rules_of(c))),
        others=tuple(s for s in shown if s not in (example, counter)),
    )


def examples_of(rule: Rule) -> tuple[Shown, ...]:
    """Every example of a rule file with what it gives, in the file's order."""
    return tuple(_shown(rule, example, number) for number, example in enumerate(rule.examples, 1))


def _rules_of(change: Change) -> set[str]:
    return {r.rule for r in (change.before, change.after) if r}


def _contrast(rule: Rule, shown: Sequence[Shown]) -> tuple[Shown, Shown]:
    """The two examples on either side of the rule that differ least; of equal ones the first.

    Where the report names the rule in all of a file's examples, or in none (the order of codes, say), the file's own
    order tells: the rule's example first, the contrast last.
    """
    fires, silent = [s for s in shown if s.fires], [s for s in shown if not s.fires]
    if not fires or not silent:
        if len(shown) < 2:
            raise InputProblem("the rule file needs an example on either side", rule.id, "add an [[example]]")
        return replace(shown[0], fires=True), replace(shown[-1], fires=False)
    out_of_force = {s.number for s in silent if any(r.value == "NO_POLICY" for r in s.results)}
    pairs = [
        (other.number in out_of_force, _apart(one, other), one.number, other.number, one, other)
        for one in fires
        for other in silent
    ]
    best = min(pairs, key=lambda row: row[:4])
    return best[4], best[5]


def _apart(one: Shown, other: Shown) -> float:
    same = difflib.SequenceMatcher(None, one.text.split(), other.text.split(), autojunk=False).ratio()
    return round(1 - same + 0.2 * (one.about != other.about), 6)


# --- examples, by family -------------------------------------------------------------------------------------------


def _shown(rule: Rule, example: Mapping[str, Any], number: int) -> Shown:
    """An example of a rule file, reviewed by the steps that its family belongs to."""
    match rule.family:
        case "edit":
            claim = Claim.model_validate(example["claim"])
            results = _edit_results(claim, example.get("tables", {}))
            fires = any(r.rule == rule.id for r in results)
            shown = Shown("claim", claim_text(claim), (), fires, results, claim=claim)
        case "policy":
            shown = _policy_shown(rule, example)
        case "query":
            results = _query_results(example["text"], example["setting"])
            fires = any(r.rule == rule.id for r in results)
            shown = Shown("query", example["text"], (example["setting"],), fires, results)
        case _:
            shown = _note_shown(rule, example)
    return replace(shown, number=number)


def _note_shown(rule: Rule, example: Mapping[str, Any]) -> Shown:
    patient = Patient(example.get("age"), example.get("sex"))
    note = Note(example["note"], example.get("setting", "outpatient"), example.get("on", EXAMPLE_DAY), patient)
    claim = Claim.model_validate(example["claim"]) if "claim" in example else None
    report = review(note, claim)
    about = [note.setting, str(note.date_of_service)]
    about += [f"aged {patient.age:g}"] if patient.age is not None else []
    about += [patient.sex] if patient.sex else []
    about += [line for line in claim_text(claim).splitlines() if line.startswith("line")] if claim else []
    results = results_of(report)
    if rule.family == "gap":
        results += _unlisted(rule, note, report)
    fires = rule.id in _named(report) or any(r.rule == rule.id for r in results)
    return Shown("note", note.text, tuple(about), fires, results, note=note, claim=claim)


def _unlisted(rule: Rule, note: Note, report: Report) -> tuple[Result, ...]:
    """A gap that the rule finds and the review doesn't list, because another question comes first."""
    listed = {r.key for r in results_of(report)}
    case = Case(
        load(note.date_of_service), note, read_layout(note.text), report.findings, report.proposals,
        report.problem_elements, report.claim,
    )  # fmt: skip
    found = (gap_result(g) for g in by_rules(case) if g.rule == rule.id)
    later = "(found; the review asks another question first)"
    return tuple(replace(r, said=f"{r.said} {later}") for r in found if r.key not in listed)


def _named(report: Report) -> set[str]:
    """The rules that have a say in a report."""
    used = {rule.id for p in report.proposals for rule in p.rules}
    return used | {w.rule for w in report.withheld} | {g.rule for g in report.gaps}


def _policy_shown(rule: Rule, example: Mapping[str, Any]) -> Shown:
    diagnoses, history = example["diagnoses"], example.get("history")
    line = {
        "code": example["code"],
        "modifiers": example.get("modifiers", []),
        "pointers": example.get("pointers", list(range(1, len(diagnoses) + 1))),
    }
    claim = Claim.model_validate({
        "date_of_service": example["on"],
        "contract": example.get("contract", "B"),
        "state": "FL",
        "payer": example.get("payer", "medicare"),
        "patient": {"age": example.get("age"), "sex": example.get("sex")},
        "diagnoses": diagnoses,
        "lines": [line],
        "history": None if history is None else [{"code": c, "date_of_service": d} for c, d in history],
        "abn_on_file": example.get("abn_on_file", False),
    })  # fmt: skip
    results = _policy_results(rule.id, claim, example.get("note"))
    return Shown("claim", claim_text(claim, example.get("note")), (), _supports(rule, results), results, claim=claim)


def _supports(rule: Rule, results: Iterable[Result]) -> bool:
    """Whether a policy carries the line; for one that never does, whether it holds at all."""
    verdict = next(r.value for r in results if r.kind == "verdict")
    best = next((v for v in ("PASS", "PASS_DX_DOC_GAP") if any(e["verdict"] == v for e in rule.examples)), None)
    return verdict == best if best else verdict != "NO_POLICY"


def _policy_results(key: str, claim: Claim, note: str | None) -> tuple[Result, ...]:
    book = PolicyBook((PolicyList(tuple(p for p in policies() if p.id == key)),))
    return tuple(claim_results(check_claim(claim, load, NoteEvidence(note) if note else None, book)))


def _edit_results(claim: Claim, tables: Mapping[str, Any]) -> tuple[Result, ...]:
    edits, _ = claim_edits(claim, load, _tables(tables))
    return tuple(edit_result(e) for e in edits)


def _tables(written: Mapping[str, Any]) -> CmsTables:
    """CMS tables as an example of an edit writes them."""
    made: dict[str, Any] = dict(written)
    if "unit_limits" in made:
        made["unit_limits"] = {code: UnitLimit(*pair) for code, pair in made["unit_limits"].items()}
    if "addon_primaries" in made:
        made["addon_primaries"] = {code: frozenset(found) for code, found in made["addon_primaries"].items()}
    return CmsTables(**made)


def _query_results(text: str, setting: str) -> tuple[Result, ...]:
    by_code = {r.data["code"]: r.id for r in every_rule() if r.family == "query"}
    found = lint(text, setting)
    return tuple(
        Result("violation", code, "breaks", why, by_code.get(code, code))
        for code, why in zip(found.violations, found.why, strict=True)
    )


# --- try it ----------------------------------------------------------------------------------------------------------


def try_again(lesson: Lesson, shown: Shown, text: str) -> tuple[Result, ...]:
    """What an example gives after its text was changed: a note, a query, or a claim in the words of `claim_text`.

    The tables of the lesson's rule file stay: an edit is asked with the tables of its example, a policy alone. Raises
    InputProblem for a line of a claim that can't be read.
    """
    rule = rule_of(lesson.id)
    example = rule.examples[shown.number - 1]
    if shown.kind == "query":
        return _query_results(text, example["setting"])
    if shown.kind == "note":
        assert shown.note is not None
        note = replace(shown.note, text=text)
        report = review(note, shown.claim)
        return results_of(report) + (_unlisted(rule, note, report) if rule.family == "gap" else ())
    assert shown.claim is not None
    claim, said = read_claim(text, shown.claim)
    if rule.family == "policy":
        return _policy_results(rule.id, claim, said) if claim.lines else ()
    return _edit_results(claim, example.get("tables", {}))
