"""Coverage policies: every example of every policy file runs, and the reader refuses what it doesn't know."""

from __future__ import annotations

import datetime as dt

import pytest

from code_maps.coverage import PolicyBook, PolicyList, is_medicare, parse_policy, policies, policy_book
from code_maps.coverage.policy import Frequency
from code_maps.icd10cm import load
from code_maps.rulefile import RuleProblem
from models.claim import Claim
from pipeline.claims import NoteEvidence, check_claim, reached

EXAMPLES = [(p, n, e) for p in policies() for n, e in enumerate(p.rule.examples, 1)]
EXAMPLE_KEYS = {
    "on", "code", "diagnoses", "pointers", "history", "age", "sex", "note", "modifiers", "contract", "abn_on_file",
    "verdict", "group", "reasons", "missing", "modifiers_suggested", "liability",
}  # fmt: skip


def claim_of(example):
    diagnoses = example["diagnoses"]
    history = example.get("history")
    return Claim.model_validate({
        "date_of_service": example["on"],
        "contract": example.get("contract", "B"),
        "state": "FL",
        "patient": {"age": example.get("age"), "sex": example.get("sex")},
        "diagnoses": diagnoses,
        "lines": [{
            "code": example["code"],
            "modifiers": example.get("modifiers", []),
            "pointers": example.get("pointers", list(range(1, len(diagnoses) + 1))),
        }],
        "history": None if history is None else [{"code": c, "date_of_service": d} for c, d in history],
        "abn_on_file": example.get("abn_on_file", False),
    })  # fmt: skip


@pytest.mark.parametrize(("policy", "number", "example"), EXAMPLES, ids=[f"{p.id}-{n}" for p, n, _ in EXAMPLES])
def test_an_example_of_a_policy_gets_its_verdict(policy, number, example):
    assert set(example) <= EXAMPLE_KEYS
    note = NoteEvidence(example["note"]) if "note" in example else None
    book = PolicyBook((PolicyList((policy,)),))
    line = check_claim(claim_of(example), load, note, book).lines[0]
    assert line.verdict == example["verdict"], line.why
    assert (line.policy.group if line.policy else None) == example.get("group")
    assert set(example.get("reasons", [])) <= set(line.reasons)
    assert set(example.get("missing", [])) <= set(line.missing)
    if "modifiers_suggested" in example:
        assert list(line.modifiers_suggested) == example["modifiers_suggested"]
    if "liability" in example:
        assert line.liability == example["liability"]


@pytest.mark.parametrize("policy", policies(), ids=lambda p: p.id)
def test_a_policy_has_an_example_that_passes_or_denies_and_one_outside_its_dates(policy):
    verdicts = [e["verdict"] for e in policy.rule.examples]
    assert len(set(verdicts)) > 1
    early = [e for e in policy.rule.examples if policy.effective and e["on"] < policy.effective]
    assert early
    assert all(e["verdict"] == "NO_POLICY" for e in early)


@pytest.mark.parametrize("policy", policies(), ids=lambda p: p.id)
def test_every_diagnosis_place_of_a_policy_is_in_the_release(policy):
    release = load(dt.date(2026, 5, 12))
    lists = [g.codes for g in policy.groups] + [g.marked for g in policy.groups] + [n.codes for n in policy.noncovered]
    for codes in lists:
        for place in (*codes.places, *(end for ends in codes.ranges for end in ends)):
            assert place in release, place


@pytest.mark.parametrize("policy", policies(), ids=lambda p: p.id)
def test_marked_codes_lie_in_their_group(policy):
    for group in policy.groups:
        for place in group.marked.places:
            assert group.codes.match(place), place


def test_the_policies_of_one_procedure_and_date_never_contradict_by_number():
    codes = [c for p in policies() for c in p.services.codes]
    assert len(codes) == len(set(codes))


def test_medicare_advantage_is_not_medicare_fee_for_service():
    assert is_medicare("Medicare  Part B")
    assert not is_medicare("Medicare Advantage")
    assert not is_medicare("aetna")


def test_the_book_says_why_it_has_no_policy():
    book = policy_book()
    day = dt.date(2026, 5, 12)
    assert book.find("99213", day, "FL", "B", "medicare").reason == "no-article"
    assert book.find("83036", day, "FL", "DME", "medicare").reason == "contract-type-mismatch"
    assert book.find("83036", dt.date(2010, 1, 1), "FL", "B", "medicare").reason == "not-effective-on-dos"


HEADER = """
id = "x"
title = "t"
why = "w"
limits = ["l"]
kind = "NCD"
services = ["1"]
basis = "indications"
[[source]]
title = "s"
[[example]]
code = "1"
"""


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('[[group]]\nnumber = 1\ncodez = ["I10"]', "codez"),
        ("[[group]]\nnumber = 1", "codes"),
        ('[[group]]\nnumber = 1\ncodes = ["I10"]\nrequires = [2]', "requires group 2"),
        ("[[frequency]]\nat_most = 1\nfull_months = 2", "exactly one"),
        ('[[criterion]]\ntext = "a"\nways = [{ wordz = ["b"] }]', "wordz"),
    ],
)
def test_a_policy_file_with_an_unknown_or_missing_key_is_refused_by_name(more, says):
    with pytest.raises(RuleProblem, match=says):
        parse_policy(HEADER + more, "x.toml")


@pytest.mark.parametrize(
    ("limit", "last", "on", "expected"),
    [
        (Frequency(fewer_than_days=90), "2026-02-12", "2026-05-12", True),
        (Frequency(fewer_than_days=90), "2026-02-11", "2026-05-12", False),
        (Frequency(at_least_months=3), "2026-02-13", "2026-05-12", True),
        (Frequency(at_least_months=3), "2026-02-12", "2026-05-12", False),
        (Frequency(at_least_months=1), "2026-01-31", "2026-02-28", False),
        (Frequency(full_months=11), "1998-01-31", "1998-12-31", True),
        (Frequency(full_months=11), "1998-01-31", "1999-01-01", False),
        (Frequency(at_most=1), "2025-05-13", "2026-05-12", True),
        (Frequency(at_most=1), "2025-05-12", "2026-05-12", False),
        (Frequency(at_most=1, per="calendar year"), "2025-12-31", "2026-01-01", False),
        (Frequency(at_most=1, per="ever"), "1990-12-31", "2026-01-01", True),
        (Frequency(at_most=1, per="ever"), "2026-12-31", "2026-01-01", False),
    ],
)
def test_a_limit_in_time_is_reached_on_the_right_day(limit, last, on, expected):
    assert reached(limit, dt.date.fromisoformat(on), [dt.date.fromisoformat(last)]) is expected
