"""The sample notes, reviewed whole and compared with what was read and stored (`python -m tests.store_expected`)."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest

from models.claim import Claim
from tests.store_expected import FOLDER, essence, names, review_sample, stored
from ui.samples import samples

NAMES = names()


def test_there_are_samples_of_many_specialties():
    assert len(NAMES) >= 14
    assert "knee-osteoarthritis" in NAMES  # `make run` reviews it


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_complete(name):
    folder = FOLDER / name
    claim = Claim.model_validate(json.loads((folder / "claim.json").read_text(encoding="utf-8")))
    assert claim.date_of_service and dt.date(2026, 4, 1) <= claim.date_of_service <= dt.date(2026, 9, 15)
    assert claim.diagnoses and claim.lines and claim.state and claim.patient.age is not None
    about = (folder / "about.md").read_text(encoding="utf-8")
    for part in ("**Who.**", "**What it teaches.**", "**Codes.**", "**Traps.**", "**The claim.**", "**Gaps.**"):
        assert part in about
    text = (folder / "note.txt").read_text(encoding="utf-8")
    assert 600 < len(text) < 6000
    # No name, number or address of anybody, not even an invented one.
    assert not re.search(r"\b(?:Mr|Mrs|Ms|MRN|DOB|SSN|Tel)\b|@|\d{3}-\d{2}-\d{4}", text)


@pytest.mark.parametrize("name", NAMES)
def test_codes_named_in_claim_and_page_exist(name, codes):
    claim = json.loads((FOLDER / name / "claim.json").read_text(encoding="utf-8"))
    for code in claim["diagnoses"]:
        assert codes.is_billable(code), code
    about = (FOLDER / name / "about.md").read_text(encoding="utf-8")
    taught = about.split("**Codes.**")[1].split("**Traps.**")[0]
    for code in re.findall(r"\b[A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?\b(?!\.?-)", taught):
        assert code in codes, code


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_reviewed_as_stored(name):
    assert essence(review_sample(name)) == stored(name)


def test_the_workbench_finds_the_same_samples():
    assert sorted(samples()) == NAMES
    assert samples()["sepsis-discharge"].encounter == {"setting": "inpatient"}
    assert samples()["knee-osteoarthritis"].encounter == {}


# What a coder must see, whatever else changes: (sample, codes proposed, codes not proposed).
CERTAIN = [
    ("knee-osteoarthritis", ["M17.11", "E66.811", "Z68.33", "I10"], ["M25.561", "K25.9", "M17.12"]),
    ("diabetes-ckd", ["E11.22", "I12.9", "N18.32", "Z79.4", "Z79.84"], ["I10", "I63.9", "E11.65", "R07.9", "E11.9"]),
    ("heart-failure", ["I11.0", "I50.23", "I48.0", "I25.5"], ["I10", "I50.9", "I26.99", "R07.9", "I21.9"]),
    ("copd-pneumonia", ["J44.0", "J44.1"], ["I26.99", "J93.9", "J44.9", "J18.0", "U07.1"]),
    ("screening-colonoscopy", ["Z12.11", "K63.5"], ["D12.2", "Z80.0", "R63.4"]),
    ("annual-wellness", ["Z00.01", "E04.1", "I10", "E78.5"], ["Z00.00", "C50.919", "E03.9"]),
    ("ankle-fracture-followup", ["S82.65XD"], ["S82.65XA", "S82.64XD", "M25.572"]),
    ("depression-anxiety", ["F33.1", "F41.1"], ["F31.81", "F31.9", "F10.20", "R45.851", "F32.A"]),
    ("breast-cancer-surveillance", ["Z08", "Z85.3"], ["C56.9"]),
    ("pregnancy-hypertension", [], ["O14.90", "O14.93", "I10", "Z33.1"]),
    ("pediatric-otitis", ["H66.001"], ["H66.002", "R50.9", "H66.90"]),
    ("low-back-pain-mri", ["M54.41"], ["M51.26", "M54.50", "Z85.9"]),
    ("sleep-apnea", ["G47.33", "Z68.41", "I1A.0"], ["G47.31", "G47.30", "I63.9", "R06.83", "E11.9"]),
    ("lung-cancer-screening", ["Z12.2", "J44.9"], ["C34.90", "C61", "F17.210"]),
    ("sepsis-discharge", ["R65.20", "N17.9", "G93.41", "E87.6", "N10"], ["J18.9", "I63.9", "Z79.4", "R65.21", "R50.9"]),
    ("dermatology-biopsy", ["D49.2", "L57.0", "L82.1"], ["C43.9", "D48.5", "C44.91"]),
    ("chest-pain-rule-out", ["R07.9"], ["I24.9", "K21.9", "K22.4", "I26.99", "I71.00", "E11.9", "R03.0"]),
    ("telehealth-refill", ["E03.9"], ["E11.9", "I10", "J45.909", "F32.A", "E05.90", "E04.1"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "there", "absent"), CERTAIN, ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_certain_in_a_sample_is_seen(name, there, absent):
    found = [p.code for p in review_sample(name).proposals]
    assert [code for code in there if code not in found] == []
    assert [code for code in absent if code in found] == []
    assert len(found) == len(set(found))


# Where the engine was wrong when the samples were read; each becomes an ordinary test once it is right.
WANTED = [
    ("copd-pneumonia", ["J18.9"], ["J18.1"]),
    ("copd-pneumonia", ["F17.210"], ["F17.200"]),
    ("annual-wellness", [], ["I79.0", "I71.40"]),
    ("annual-wellness", [], ["Z68.26"]),
    ("chest-pain-rule-out", ["Z72.0"], ["F17.200"]),
    ("lung-cancer-screening", ["Z87.891"], ["F17.200"]),
    ("pediatric-otitis", ["Z77.22", "Z88.0"], []),
    ("pediatric-otitis", ["Z77.22"], ["F17.200"]),
    ("pediatric-otitis", [], ["H66.41"]),
    ("breast-cancer-surveillance", [], ["C50.912"]),
    ("depression-anxiety", [], ["F33.8"]),
    ("dermatology-biopsy", [], ["C44.619", "Z12.83"]),
    ("diabetes-ckd", [], ["E78.5"]),
    ("heart-failure", ["Z79.01"], []),
    ("heart-failure", ["Z95.5", "Z87.891"], ["F17.200"]),
    ("low-back-pain-mri", [], ["I73.9"]),
    ("pregnancy-hypertension", ["O13.3", "O34.219", "Z3A.33"], ["O10.013", "O32.1XX0", "Z01.30", "Z98.891"]),
    ("pregnancy-hypertension", ["O24.410"], ["O24.420"]),
    ("screening-colonoscopy", [], ["K64.8"]),
    ("sepsis-discharge", ["A41.51"], ["A41.9", "Z86.19"]),
    ("sepsis-discharge", ["B96.20", "E11.9"], ["E11.36"]),
]


@pytest.mark.xfail(reason="known fault of the engine when the samples were read", strict=False)
@pytest.mark.parametrize(("name", "there", "absent"), WANTED, ids=lambda v: v if isinstance(v, str) else "")
def test_what_a_coder_would_also_see(name, there, absent):
    found = [p.code for p in review_sample(name).proposals]
    assert [code for code in there if code not in found] == []
    assert [code for code in absent if code in found] == []
