"""Documentation gaps: each rule file by its own examples, the vocabulary, the families, and what a query makes of them."""

from __future__ import annotations

import datetime as dt
import json
import time

import pytest

from code_maps.gaps import CHECKS, gap_rules
from models.claim import ClaimCheck, Verdict
from models.text import Note, Patient
from pipeline.gaps import find_gaps, problem_elements, rationale_links
from pipeline.gaps.context import Case
from pipeline.gaps.policy import policy_criteria
from pipeline.gaps.rules import by_rules, checks
from pipeline.queries import lint, queries_for
from pipeline.review import review
from pipeline.sections import read_layout
from tests.store_expected import FOLDER, names

DAY = dt.date(2026, 5, 12)
EXAMPLE_KEYS = {"note", "setting", "sex", "age", "gaps"}
EXAMPLES = [(rule.id, n) for rule in gap_rules() for n in range(len(rule.examples))]
CLAIM_ONLY = {"policy-criteria"}  # sets off with a claim only; tested below


def read(text, setting="outpatient", **patient):
    return review(Note(text, setting, DAY, Patient(**patient)))


def case_of(codes, text, setting="outpatient", check=None, **patient):
    note = Note(text, setting, DAY, Patient(**patient))
    report = review(note)
    layout = read_layout(text)
    return Case(codes, note, layout, report.findings, report.proposals, report.problem_elements, check)


@pytest.mark.parametrize(("rule_id", "number"), EXAMPLES, ids=[f"{r}-{n}" for r, n in EXAMPLES])
def test_an_example_of_a_rule_file_has_the_gaps_it_names(rule_id, number, codes):
    rule = next(r for r in gap_rules() if r.id == rule_id)
    example = rule.examples[number]
    assert set(example) <= EXAMPLE_KEYS
    about = {key: example[key] for key in ("setting", "sex", "age") if key in example}
    found = by_rules(case_of(codes, example["note"], **about))
    assert {g.missing for g in found if g.rule == rule_id} == set(example["gaps"])


@pytest.mark.parametrize("rule", gap_rules(), ids=lambda rule: rule.id)
def test_a_rule_file_has_an_example_that_fires_and_one_that_does_not(rule):
    assert rule.limits and rule.sources
    assert any(not e["gaps"] for e in rule.examples)
    assert rule.id in CLAIM_ONLY or any(e["gaps"] for e in rule.examples)


def test_every_check_that_a_rule_may_name_is_there_and_is_named():
    assert set(checks()) == set(CHECKS)
    assert {r.data["when"]["check"] for r in gap_rules() if "check" in r.data["when"]} == set(CHECKS)


def test_there_are_rules_enough_of_each_family():
    kinds = [rule.data["kind"] for rule in gap_rules()]
    assert kinds.count("validity") >= 25
    assert kinds.count("indicator") >= 40
    assert {"specificity", "element", "linkage", "conflict", "policy", "authentication"} <= set(kinds)


def notes():
    return [(FOLDER / name / "note.txt").read_text(encoding="utf-8") for name in names()] + [
        example["note"] for rule in gap_rules() for example in rule.examples
    ]


def test_every_gap_gives_a_query_that_passes_and_there_are_at_most_eight():
    for text in notes():
        report = read(text)
        assert len(report.gaps) <= 8
        assert [g.priority for g in report.gaps] == list(range(1, len(report.gaps) + 1))
        assert len({g.id for g in report.gaps}) == len(report.gaps)
        asked = queries_for(report, "Dr. Rowe")
        assert not asked.unasked
        assert all(lint(query.text, "outpatient").compliant for query in asked.queries)


def test_a_gap_quotes_the_note_where_it_says():
    for text in notes()[:40]:
        for gap in read(text).gaps:
            assert all(text[e.start : e.end] == e.text for e in gap.evidence), gap.id


def test_the_same_note_has_the_same_gaps():
    text = notes()[0]
    assert read(text).gaps == read(text).gaps


def test_a_criterion_of_a_policy_that_the_note_lacks_is_asked_about(codes):
    verdict = Verdict(
        line=1, code="72148", verdict="PASS_DX_DOC_GAP", diagnoses=("M54.50",),
        missing=("six weeks of conservative treatment", "a physical examination"),
    )  # fmt: skip
    case = case_of(codes, "Assessment:\n1. Low back pain.", check=ClaimCheck(lines=(verdict,)))
    rule = next(r for r in gap_rules() if r.id == "policy-criteria")
    assert [(g.code, g.missing, g.kind) for g in policy_criteria(case, rule)] == [
        ("M54.50", "conservative-treatment", "policy"),
        ("M54.50", "exam", "policy"),
    ]
    assert policy_criteria(case_of(codes, "Assessment:\n1. Low back pain."), rule) == []


def test_a_reason_is_linked_to_what_it_explains():
    text = "Assessment and Plan:\n1. Low back pain.\n- Start cyclobenzaprine 10 mg nightly for muscle spasm."
    report = read(text)
    by_id = {f.id: f for f in report.findings}
    links = rationale_links(report.findings, read_layout(text))
    explained = {by_id[link.to].text for found in links.values() for link in found if link.role == "explains"}
    assert any("cyclobenzaprine" in words for words in explained)
    assert all(by_id[key].kind == "rationale" for key in links)


def test_no_reason_has_no_link():
    text = "Assessment:\n1. Low back pain."
    assert rationale_links(read(text).findings, read_layout(text)) == {}


def test_an_examination_of_the_same_part_counts_for_a_problem_and_another_does_not(codes):
    def exam(seen):
        text = f"Physical Exam: {seen}.\nAssessment:\n1. Osteoarthritis of the right knee."
        return read(text).problem_elements[0].elements.exam

    assert exam("Right knee with effusion")
    assert not exam("Tympanic membranes clear")


def test_a_value_that_monitors_a_condition_counts_for_it():
    report = read("Labs: TSH 2.1.\nAssessment:\n1. Hypothyroidism.")
    assert report.problem_elements[0].elements.results
    assert "monitoring-value-missing" not in {g.rule for g in report.gaps}


def test_gaps_of_a_note_cost_little(codes):
    whole = [(text, read(text)) for text in notes()[: len(names())]]
    laid = [(Note(text, "outpatient", DAY), read_layout(text), report) for text, report in whole]
    best = 1.0
    for _ in range(5):
        start = time.process_time()
        for note, layout, report in laid:
            find_gaps(codes, note, layout, report.findings, report.proposals, report.problem_elements)
        best = min(best, (time.process_time() - start) / len(laid))
    assert best < 0.004  # about 0.001 s; the rest is for slow machines


def test_problem_elements_leaves_out_status_codes(codes):
    report = read("Assessment:\n1. Type 2 diabetes, on insulin glargine.")
    found = problem_elements(codes, read_layout(""), report.findings, report.proposals)
    assert all(p.code and p.code[0] not in "ZVWXY" for p in found)


def test_a_value_alone_is_asked_about_and_the_question_names_no_diagnosis():
    gap = next(g for g in read("Labs: Sodium 128.\nAssessment:\n1. Pneumonia.").gaps if g.kind == "indicator")
    assert "sodium" in gap.ask and "hyponatremia" not in json.dumps(gap.ask).lower()
    assert not any(g.kind == "indicator" for g in read("Labs: Sodium 139.\nAssessment:\n1. Pneumonia.").gaps)
