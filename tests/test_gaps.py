"""Documentation gaps: each rule file by its own examples, the vocabulary, the families, and what a query makes of them."""

from __future__ import annotations

import datetime as dt
import json
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from code_maps.gaps import CHECKS, gap_rules
from code_maps.rulefile import RuleProblem
from models.claim import Claim, ClaimCheck, Verdict
from models.text import Note, Patient
from pipeline.gaps import find_gaps, problem_elements, rationale_links
from pipeline.gaps.context import Case, in_sentence
from pipeline.gaps.policy import policy_criteria
from pipeline.gaps.rules import by_rules, checks
from pipeline.queries import lint, queries_for, write_query
from pipeline.review import review
from pipeline.sections import read_layout
from tests.store_expected import FOLDER, names

DAY = dt.date(2026, 5, 12)
EXAMPLE_KEYS = {"note", "setting", "sex", "age", "claim", "gaps"}
EXAMPLES = [(rule.id, n) for rule in gap_rules() for n in range(len(rule.examples))]


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
    claim = Claim.model_validate(example["claim"]) if "claim" in example else None
    check = review(Note(example["note"], date_of_service=DAY), claim).claim
    found = by_rules(case_of(codes, example["note"], check=check, **about))
    assert {g.missing for g in found if g.rule == rule_id} == set(example["gaps"])
    for gap in found:
        if gap.rule == rule_id and gap.evidence:
            query = write_query(gap, DAY, "Dr. Rowe", example.get("setting", "outpatient"))
            assert lint(query.text, example.get("setting", "outpatient")).compliant, query.text


@pytest.mark.parametrize("rule", gap_rules(), ids=lambda rule: rule.id)
def test_a_rule_file_has_an_example_that_fires_and_one_that_does_not(rule):
    assert rule.limits and rule.sources
    assert any(not e["gaps"] for e in rule.examples)
    assert any(e["gaps"] for e in rule.examples)


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


# --- the elements of a problem, with their words -----------------------------------------------------------------------


def elements_of_first(text):
    report = read(text)
    return report.problem_elements[0], report


def test_each_element_of_a_problem_quotes_the_words_that_show_it():
    text = (
        "HPI: Right knee pain for a year.\nExam: Right knee: small effusion, crepitus.\n"
        "Imaging: Films of the right knee show osteophytes.\n"
        "Assessment:\n1. Osteoarthritis of the right knee. Knee brace because walking hurts.\n"
    )
    problem, report = elements_of_first(text)
    said = dict(problem.evidence)
    for name in ("symptoms", "history", "exam", "results", "rationale"):
        assert getattr(problem.elements, name) == (name in said), name
        assert all(text[e.start : e.end] == e.text for e in said[name])
    assert {"small effusion", "crepitus"} <= {
        e.text for e in said["exam"]
    }  # the label of their sentence names the knee
    shown = report.to_dict()["problem_elements"][0]["evidence"]
    assert set(shown["exam"][0]) == {"start", "end", "text", "section"}


def test_what_is_said_of_the_other_side_is_no_evidence():
    text = "Exam: Left knee: small effusion, crepitus.\nAssessment:\n1. Osteoarthritis of the right knee.\n"
    assert not elements_of_first(text)[0].elements.exam
    both = "Exam: Right and left knee: small effusion, crepitus.\nAssessment:\n1. Osteoarthritis of the right knee.\n"
    assert elements_of_first(both)[0].elements.exam


def test_another_problem_is_no_evidence_for_a_problem_that_shares_a_word_with_it():
    text = "Assessment:\n1. Essential hypertension, at goal.\n2. Primary osteoarthritis of the right knee.\n"
    problem, report = elements_of_first(text)
    words = {f.text for f in report.findings if f.id in problem.findings}
    assert not any("osteoarthritis" in w for w in words)


def test_a_result_among_the_examination_is_a_result_and_a_sign_is_no_complaint():
    text = "Objective: LVEF 30 %.\nAssessment:\n1. Ischemic cardiomyopathy.\n"
    problem, _ = elements_of_first(text)
    assert problem.elements.results
    assert not problem.elements.exam
    text = "Exam: No edema.\nAssessment:\n1. Heart failure.\n"
    problem, _ = elements_of_first(text)
    assert problem.elements.exam
    assert not problem.elements.symptoms


@pytest.mark.parametrize(
    ("plan", "explained"),
    [
        ("Failed metformin; start semaglutide.", {"semaglutide"}),
        ("A1c above goal. Raise glargine to 26 units.", {"glargine", "26 units"}),
        ("Physical therapy did not help. MRI lumbar spine ordered.", {"MRI lumbar spine ordered"}),
        ("Physical therapy has not been enough, so we agreed on an injection today.", {"injection"}),
        ("Because of the rash, amoxicillin was stopped.", {"amoxicillin"}),
        ("Switch to losartan owing to cough on lisinopril.", {"losartan"}),
        ("In view of the falling eGFR we stop metformin.", {"metformin"}),
        ("CT of the chest to rule out pulmonary embolism.", {"CT of the chest"}),
        ("Note for work.", set()),
    ],
)
def test_a_reason_explains_what_is_done_and_never_what_failed(plan, explained):
    text = f"Assessment and plan:\n1. Type 2 diabetes.\n{plan}\n"
    report = read(text)
    by_id = {f.id: f for f in report.findings}
    found = {
        by_id[link.to].text
        for f in report.findings
        if f.kind == "rationale"
        for link in f.links
        if link.role == "explains"
    }
    assert found == explained


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Old anterior MI", "old anterior MI"),
        ("COPD", "COPD"),
        ("COPD EXACERBATION", "COPD exacerbation"),
        ("CHEST PAIN", "chest pain"),
        ("Type II Diabetes", "type II diabetes"),
        ("PARKINSON'S DISEASE", "Parkinson's disease"),
        ("Left Achilles tendinitis", "left Achilles tendinitis"),
        ("Hepatitis C", "hepatitis C"),
        ("Meloxicam", "meloxicam"),
        ("post-COVID", "post-COVID"),
    ],
)
def test_a_condition_keeps_the_capitals_that_belong_to_it(written, said):
    assert in_sentence(written) == said


@given(st.text(max_size=60))
def test_words_in_a_sentence_are_the_same_words(words):
    assert in_sentence(words).casefold().split() == words.casefold().split()


@pytest.mark.parametrize("other", ["Heart failure", "CKD stage 3a", "Heart failure.\n3. CKD stage 3a"])
def test_a_relation_that_the_classification_presumes_is_not_asked_about(other):
    report = read(f"Assessment:\n1. Hypertension.\n2. {other}.")
    assert not any(g.missing == "linkage" for g in report.gaps)


@pytest.mark.parametrize(
    "said", ["LVEF 30 %", "above target", "at goal", "triggered by dust", "improving", "no change", "tolerating it"]
)
def test_a_status_in_other_words_is_one(said):
    report = read(f"Assessment:\n1. Ischemic cardiomyopathy, {said}.")
    assert "status-missing" not in {g.rule for g in (*report.gaps, *report.further_gaps)}


def test_the_limits_of_adults_are_not_for_children():
    child = read("3-year-old boy.\nVitals: HR 132.\nAssessment:\n1. Constipation.")
    adult = read("53-year-old man.\nVitals: HR 132.\nAssessment:\n1. Constipation.")
    assert "heart-rate-high" not in {g.rule for g in child.gaps}
    assert "heart-rate-high" in {g.rule for g in adult.gaps}


def test_one_part_of_a_sentence_may_deny_and_the_other_affirm():
    report = read("Physical Exam: No bruit, but mild thyromegaly.\nAssessment:\n1. Acute bronchitis.")
    rules = {g.rule for g in report.gaps}
    assert "thyroid-enlarged" in rules and "bruit" not in rules


def test_an_order_by_the_name_of_a_person_is_none():
    text = "Assessment:\n1. Osteoarthritis of the right knee. Mr. Walker agrees with the plan."
    assert "mobility-device-criteria" not in {g.rule for g in read(text).gaps}


def test_a_question_of_an_element_shows_the_sentence_it_should_have_stood_in():
    text = (
        "HPI: She fell on her right knee two days ago.\nPhysical Exam: Right knee is bruised.\n"
        "Assessment:\n1. Contusion of the right knee."
    )
    gap = next(g for g in read(text).gaps if g.rule == "injury-examination")
    assert any("bruised" in e.text for e in gap.evidence)


def test_a_disease_is_the_reason_for_its_usual_test():
    text = "Assessment:\n1. Hyperlipidemia, stable. Lipid panel today.\n2. Left knee pain. We will order an MRI of the left knee."
    report = read(text)
    asked = [g for g in (*report.gaps, *report.further_gaps) if g.missing == "rationale"]
    assert [g.code[:3] for g in asked] == ["M25"]


def test_a_match_rule_must_name_the_words_it_is_looked_for_by(tmp_path, monkeypatch):
    rule = next(r for r in gap_rules() if "match" in r.data["when"])
    broken = replace(rule, data={**rule.data, "when": {"match": "x"}})
    monkeypatch.setattr("code_maps.gaps.read_rules", lambda *_: [broken])
    gap_rules.cache_clear()
    try:
        with pytest.raises(RuleProblem, match="anywhere"):
            gap_rules()
    finally:
        gap_rules.cache_clear()


def test_a_result_below_what_the_test_can_measure_is_not_high(reviewed):
    def rules(note):
        return {gap.rule for gap in reviewed(note).gaps}

    assert "troponin-high" not in rules("Labs: Troponin <3.\nAssessment:\n1. Acute bronchitis.")
    assert "egfr-low-over-time" not in rules("Labs: eGFR >60. eGFR >60 in March.\nAssessment:\n1. Acute bronchitis.")
    assert "troponin-high" in rules("Labs: Troponin 3.\nAssessment:\n1. Acute bronchitis.")
