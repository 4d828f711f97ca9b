"""The level of an office visit: elements, two of three, time, and the billed level."""

from __future__ import annotations

import datetime as dt

import pytest

from code_maps.edits.evaluation_management import level_of_code, level_of_time, visit_facts
from models.claim import Claim
from models.text import Note
from pipeline.review import review

DAY = dt.date(2026, 5, 12)
STABLE_TWO = "ASSESSMENT AND PLAN\n1. Type 2 diabetes, well controlled. Continue metformin 500 mg daily.\n2. Hypertension, stable. Continue lisinopril 10 mg daily."
WORSE = "ASSESSMENT AND PLAN\n1. COPD exacerbation, worsening. Start prednisone 40 mg daily."
SPRAIN = "ASSESSMENT\nRight ankle sprain.\n\nPLAN\nRest, ice, ibuprofen as needed and an ankle brace."
MI = "ASSESSMENT AND PLAN\n1. Acute myocardial infarction. Admit to the hospital. I discussed with Dr. Smith of cardiology. I independently interpreted the ECG."


def em(text, claim=None):
    return review(Note(text, date_of_service=DAY), claim).em


@pytest.mark.parametrize(
    ("text", "problems", "risk", "mdm"),
    [
        (STABLE_TWO, "moderate", "moderate", "moderate"),
        (WORSE, "moderate", "moderate", "moderate"),
        (SPRAIN, "low", "low", "low"),
        (MI, "high", "high", "high"),
    ],
)
def test_problems_risk_and_two_of_three(text, problems, risk, mdm):
    found = em(text)
    assert (found.problems, found.risk, found.mdm) == (problems, risk, mdm)
    assert all(r.why for r in found.reasons)


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ("Order CBC.", "minimal"),
        ("Order CBC and TSH.", "limited"),
        ("Order CBC, TSH and chest x-ray.", "moderate"),
        ("Order TSH. Recheck TSH in a month.", "minimal"),
        ("I independently interpreted the ECG.", "moderate"),
        ("I independently interpreted the ECG and discussed with Dr. Smith.", "extensive"),
        ("Continue lisinopril 10 mg daily.", "minimal"),
    ],
)
def test_data_counts_unique_tests_and_categories(plan, expected):
    assert em(f"ASSESSMENT AND PLAN\n1. Hypertension, stable. {plan}").data == expected


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ("Continue lisinopril 10 mg daily.", "moderate"),
        ("Take ibuprofen as needed.", "low"),
        ("Physical therapy.", "low"),
        ("Admit to the hospital.", "high"),
        ("No need to admit the patient to the hospital.", "low"),
    ],
)
def test_risk_is_that_of_what_is_decided(plan, expected):
    assert em(f"ASSESSMENT AND PLAN\n1. Hypertension. {plan}").risk == expected


@pytest.mark.parametrize(
    ("code", "flag"),
    [
        ("99215", "billed level above documentation"),
        ("99214", "billed level supported"),
        ("99213", "billed level below documentation"),
        ("99204", "billed level supported"),
        ("20610", None),
        ("99211", None),
    ],
)
def test_the_billed_level_is_compared(code, flag):
    claim = Claim.model_validate(
        {"date_of_service": DAY, "diagnoses": ["I10"], "lines": [{"code": code, "pointers": [1]}]}
    )
    found = em(STABLE_TWO, claim)
    assert found.supports == ("99204", "99214")
    assert found.flag == flag
    assert found.billed == (code if flag else None)


def test_an_overbilled_visit_is_a_denial_risk():
    claim = Claim.model_validate(
        {"date_of_service": DAY, "diagnoses": ["S93.401A"], "lines": [{"code": "99215", "pointers": [1]}]}
    )
    report = review(Note(SPRAIN, date_of_service=DAY), claim)
    assert any(r.cause == "upcoding" for r in report.denial_risks)


@pytest.mark.parametrize(
    ("said", "supports"),
    [
        ("Total time: 42 minutes.", ("99203", "99215")),
        ("I spent a total of 39 minutes on the day of the visit.", ("99203", "99214")),
        ("I spent 40 minutes on smoking cessation counseling.", ("99203", "99213")),
        ("She walks 40 minutes a day.", ("99203", "99213")),
    ],
)
def test_total_time_lifts_the_level_and_other_minutes_do_not(said, supports):
    assert em(f"{SPRAIN}\n{said}").supports == supports


@pytest.mark.parametrize(
    ("family", "minutes", "height"),
    [
        ("established", 29, 1),
        ("established", 30, 2),
        ("established", 40, 3),
        ("established", 9, None),
        ("new", 44, 1),
        ("new", 45, 2),
    ],
)
def test_minutes_must_be_met_or_exceeded(family, minutes, height):
    assert level_of_time(family, minutes) == height


def test_codes_and_their_levels():
    assert level_of_code("99202") == ("new", 0)
    assert level_of_code("99215") == ("established", 3)
    assert level_of_code("99201") is None
    assert set(visit_facts()) == {"codes", "problems", "data", "tests", "risk", "time"}


def test_a_note_without_assessment_or_plan_has_no_level():
    assert em("") is None
    assert em("Patient seen.") is None


def test_an_inpatient_note_has_no_office_level():
    assert review(Note(STABLE_TWO, setting="inpatient", date_of_service=DAY)).em is None
