"""Claim edits: every example of every rule file runs; validity over releases; sides read from the tabular."""

from __future__ import annotations

import datetime as dt

import pytest

from code_maps.edits import NOTHING_IMPORTED, CmsTables, UnitLimit, edit_rules
from code_maps.edits.validity import validity
from code_maps.icd10cm import load
from models.claim import Claim
from pipeline.claim_edits import _EDITS, claim_edits, side_of, years_later

EXAMPLES = [(r, n, e) for r in edit_rules() for n, e in enumerate(r.examples, 1)]
DAY = dt.date(2026, 5, 12)


def tables_of(written):
    made = dict(written)
    if "unit_limits" in made:
        made["unit_limits"] = {code: UnitLimit(*pair) for code, pair in made["unit_limits"].items()}
    if "addon_primaries" in made:
        made["addon_primaries"] = {code: frozenset(found) for code, found in made["addon_primaries"].items()}
    return CmsTables(**made)


@pytest.mark.parametrize(("rule", "number", "example"), EXAMPLES, ids=[f"{r.id}-{n}" for r, n, _ in EXAMPLES])
def test_an_example_of_an_edit_fires_or_not_as_it_says(rule, number, example):
    assert set(example) <= {"claim", "fires", "line", "dx", "with", "tables"}
    edits, _ = claim_edits(Claim.model_validate(example["claim"]), load, tables_of(example.get("tables", {})))
    mine = [e for e in edits if e.edit == rule.id]
    assert bool(mine) is example["fires"], mine
    if mine:
        assert (mine[0].line, mine[0].dx) == (example.get("line"), example.get("dx"))
        assert mine[0].severity == rule.data["severity"]
        assert mine[0].why
        assert mine[0].source
        assert mine[0].extra.get("with") == example.get("with")


@pytest.mark.parametrize("rule", edit_rules(), ids=lambda r: r.id)
def test_an_edit_has_an_example_that_fires_and_one_that_does_not(rule):
    assert {e["fires"] for e in rule.examples} == {True, False}


def test_every_rule_file_has_its_function_and_the_other_way_round():
    assert set(_EDITS) == {r.id for r in edit_rules()}


def test_edits_whose_table_is_not_imported_are_named_in_a_notice():
    claim = Claim.model_validate(
        {"date_of_service": DAY, "diagnoses": ["I10"], "lines": [{"code": "99213", "pointers": [1]}]}
    )
    edits, notices = claim_edits(claim, load, NOTHING_IMPORTED)
    assert edits == ()
    assert any("mue-exceeded" in n and "dx-age-conflict" in n for n in notices)
    everything = tables_of(
        {"unit_limits": {}, "addon_primaries": {}, "global_days": {}, "bilateral": {}, "age_classes": {}, "sexes": {}}
    )
    assert claim_edits(claim, load, everything)[1] == ()


def test_a_code_that_fails_a_validity_edit_takes_no_part_in_other_edits():
    claim = Claim.model_validate({"date_of_service": DAY, "diagnoses": ["M54.5", "M54.5", "M54.41"], "lines": []})
    assert [e.edit for e in claim_edits(claim, load)[0]] == ["dx-header"]


@pytest.mark.parametrize(
    ("code", "on", "expected"),
    [
        ("I50.22", "2026-05-12", "valid"),
        ("I50", "2026-05-12", "header"),
        ("S52.501", "2026-05-12", "missing-7th"),
        ("T14.8", "2026-05-12", "missing-7th"),
        ("T14.8XX", "2026-05-12", "missing-7th"),
        ("S52.5", "2026-05-12", "header"),
        ("S52.501Z", "2026-05-12", "unknown"),
        ("i50.22", "2026-05-12", "unknown"),
        ("", "2026-05-12", "unknown"),
        ("M72.2", "2026-09-30", "valid"),
        ("M72.2", "2026-10-01", "header"),
        ("I50.22", "1999-01-01", "valid"),
        ("Q99.99", "1999-01-01", "unchecked"),
    ],
)
def test_validity_is_told_by_date(code, on, expected):
    assert validity(code, dt.date.fromisoformat(on), load) == expected


@pytest.mark.parametrize(
    ("code", "side"),
    [
        ("M17.11", "right"), ("M17.12", "left"), ("M17.0", "bilateral"), ("I50.1", None), ("M25.569", "unspecified"),
        ("H25.13", "bilateral"), ("S52.501A", "right"), ("S52.509A", "unspecified"), ("I10", None), ("M75.102", "left"),
        ("C50.912", "left"), ("I82.413", "bilateral"),
    ],
)  # fmt: skip
def test_the_side_of_a_code_is_read_from_its_neighbours(code, side):
    assert side_of(code, load(DAY)) == side


def test_years_later_on_a_leap_day():
    assert years_later(dt.date(2024, 2, 29), 3) == dt.date(2027, 2, 28)
