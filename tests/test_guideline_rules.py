"""The coding guidelines: every rule file's examples through a whole review, and the tables that the steps read."""

from __future__ import annotations

import ast
import csv
import datetime as dt
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from code_maps.axes.descent import Evidence, descend
from code_maps.guidelines import facts
from code_maps.icd10cm import load
from code_maps.places import lies_under
from models.text import Note, Patient
from pipeline.explain import all_rules
from pipeline.review import review

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "code_maps" / "guidelines"
ON = dt.date(2026, 5, 12)
EXAMPLE_KEYS = {"note", "setting", "on", "age", "sex", "codes", "not", "withheld", "first", "gap", "no_gap"}
HEADERS = {
    "with_conditions": ["disease", "condition", "becomes", "drop", "keep", "note", "source"],
    "integral_symptoms": ["disease", "symptoms", "note"],
    "chronic": ["place", "class", "note"],
    "first_listed": ["place", "when", "note"],
    "use_additional": ["code", "needs", "when", "note"],
}
AT_LEAST = {"with_conditions": 100, "integral_symptoms": 260, "chronic": 150, "first_listed": 60, "use_additional": 60}
KEYS = {
    "with_conditions": ("disease", "condition", "becomes"),
    "integral_symptoms": ("disease",),
    "chronic": ("place",),
    "first_listed": ("place",),
    "use_additional": ("code", "needs"),
}
DIABETES = ("E08", "E09", "E10", "E11", "E13")


def table(name):
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def examples():
    return [(rule.id, n, example) for rule in facts().rules.values() for n, example in enumerate(rule.examples)]


def read(example):
    patient = Patient(example.get("age"), example.get("sex"))
    return review(Note(example["note"], example.get("setting", "outpatient"), example.get("on", ON), patient))


# --- rule files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "number", "example"), examples(), ids=lambda value: value if isinstance(value, str) else None
)
def test_example(rule, number, example):
    assert set(example) <= EXAMPLE_KEYS
    report = read(example)
    codes = [p.code for p in report.proposals]
    held = {w.code for w in report.withheld if w.rule == rule}
    assert set(example["codes"]) <= set(codes), f"{codes}, withheld {held}"
    for prefix in example.get("not", ()):
        assert not [c for c in codes if c.startswith(prefix)], codes
    assert set(example.get("withheld", ())) <= held
    if "first" in example:
        assert codes[0] == example["first"], codes
    gaps = {gap.rule for gap in report.gaps}
    assert set(example.get("gap", ())) <= gaps
    assert not set(example.get("no_gap", ())) & gaps


def test_every_rule_that_a_step_names_has_a_file():
    steps = "\n".join(p.read_text(encoding="utf-8") for p in sorted((ROOT / "pipeline" / "guidelines").glob("*.py")))
    named = set(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)+)"', steps)) | {"excludes1"}
    assert {"adverse-effect", "integral-symptom", "outpatient-uncertain"} <= named
    named |= {row.rule for row in facts().combinations}
    assert not named - set(facts().rules)


def test_a_rule_that_any_step_writes_down_has_a_file():
    """`rule="…"`, `edit="…"` and `RuleUse("…", …)` anywhere in the pipeline, beside the ids that come from the files."""
    named = set()
    for path in sorted((ROOT / "pipeline").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                given = [k.value for k in node.keywords if k.arg in ("rule", "edit")]
                if isinstance(node.func, ast.Name) and node.func.id == "RuleUse":
                    given += node.args[:1]
                named |= {v.value for v in given if isinstance(v, ast.Constant) and isinstance(v.value, str)}
    assert {"open-axis", "missing-element", "specificity-descent"} <= named
    assert not named - {rule["id"] for rule in all_rules()}


@pytest.mark.parametrize("folder", sorted(p.parent.name for p in (ROOT / "sample_notes").glob("*/note.txt")))
def test_every_rule_in_the_report_of_a_sample_can_be_explained(folder):
    note = (ROOT / "sample_notes" / folder / "note.txt").read_text(encoding="utf-8")
    report = read({"note": note, "setting": "inpatient" if "discharge" in folder else "outpatient"})
    used = {rule.id for p in report.proposals for rule in p.rules}
    used |= {w.rule for w in report.withheld} | {gap.rule for gap in report.gaps}
    assert used
    assert not used - {rule["id"] for rule in all_rules()}


def test_every_rule_has_an_example_that_fires_and_one_that_does_not():
    for rule in facts().rules.values():
        assert len(rule.examples) >= 2, rule.id
        assert rule.sources, rule.id
        assert all("FY2026" in source.edition and source.place for source in rule.sources), rule.id
        assert any(
            example.get("withheld") or example.get("not") or example.get("first") or example.get("no_gap")
            for example in rule.examples
        ) or rule.data.get("effect") in ("add", "complete", "choose"), rule.id


# --- tables -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HEADERS)
def test_table_is_plain(name):
    raw = (FOLDER / f"{name}.csv").read_bytes()
    assert b"\r" not in raw
    assert raw.endswith(b"\n")
    rows = table(name)
    assert list(rows[0]) == HEADERS[name]
    assert len(rows) >= AT_LEAST[name]
    assert all(None not in row and None not in row.values() for row in rows)
    twice = [key for key, n in Counter(tuple(row[k] for k in KEYS[name]) for row in rows).items() if n > 1]
    assert not twice


def exists(codes, place):
    if "{d}" in place:
        return all(place.replace("{d}", d) in codes for d in DIABETES)
    ends = place.split("-")
    return (
        len(ends) <= 2
        and all(end in codes for end in ends)
        and all(a < b and len(a) == len(b) for a, b in pairwise(ends))
    )


@pytest.mark.parametrize("name", HEADERS)
def test_every_place_exists(name):
    codes = load(ON)
    missing = []
    for row in table(name):
        for column in ("disease", "condition", "becomes", "place", "code"):
            missing += [p for p in row.get(column, "").split("|") if p and not exists(codes, p)]
        for column in ("drop", "symptoms", "needs"):
            missing += [p for p in row.get(column, "").split() if not exists(codes, p)]
    assert not missing


def test_values_are_of_the_closed_lists():
    assert {row["class"] for row in table("chronic")} == {"systemic", "chronic"}
    assert {row["when"] for row in table("first_listed")} == {"first", "never-first"}
    assert all(row["symptoms"] for row in table("integral_symptoms"))
    assert all(row["needs"] and row["when"] for row in table("use_additional"))


def overlap(codes, place, others):
    return any(
        lies_under(place, other) or lies_under(other, place)
        for other in others
        if "-" not in other and "-" not in place
    ) or any(
        "-" in p
        and (low := p.split("-")[0]) in codes
        and any(lies_under(low, o) or lies_under(o.split("-")[0], p) for o in q)
        for p, q in [(place, others), *((o, [place]) for o in others)]
    )


def test_a_combination_replaces_one_of_its_parts_and_can_be_reached():
    codes = load(ON)
    for row in table("with_conditions"):
        diseases, conditions = row["disease"].split("|"), row["condition"].split("|")
        categories = {d[:3] for d in diseases}
        for category in categories:
            becomes = row["becomes"].replace("{d}", category)
            drops = [p.replace("{d}", category) for p in row["drop"].split()]
            assert becomes in codes, row
            # without any further words the descent ends at a code, or at one that only wants its seventh character
            for path in descend(codes, becomes, Evidence([{}, {}, {}, {}], {}, False, frozenset())):
                assert path.complete, (becomes, path.code)
                assert path.code.startswith(becomes), (becomes, path.code)
            parts = [d for d in diseases if d[:3] == category] + conditions
            if not drops:
                assert row["keep"] == "both", row
            elif row["keep"] != "both":
                assert any(overlap(codes, part, drops) for part in parts), row
            # the disease must not already be the combination: the row would never be applied
            assert not all(lies_under(d, becomes) for d in diseases), row


def test_drop_names_only_the_parts_of_the_row():
    codes = load(ON)
    for row in table("with_conditions"):
        diseases, conditions = row["disease"].split("|"), row["condition"].split("|")
        for place in row["drop"].split():
            place = place.replace("{d}", diseases[0])
            assert overlap(codes, place, diseases + conditions), (row["disease"], row["condition"], place)


def test_nothing_is_both_first_and_never_first_by_the_same_row():
    first = {row["place"] for row in table("first_listed") if row["when"] == "first"}
    never = {row["place"] for row in table("first_listed") if row["when"] == "never-first"}
    assert not first & never


def test_manifestations_and_side_effects_are_never_first():
    codes = load(ON)
    never = facts().never_first
    for code in codes.billable():
        title = codes.title(code).lower()
        manifestation = "in diseases classified elsewhere" in title
        effect = (
            code[0] == "T" and title.startswith(("adverse effect of", "underdosing of")) and "T36" <= code[:3] <= "T50"
        )
        if manifestation or effect:
            assert any(lies_under(code, place) for place in never), code


def test_symptoms_that_a_coder_codes_are_not_integral():
    integral = facts().integral
    for disease, symptom in (
        ("J44.9", "R31.0"),
        ("J44.9", "R09.02"),
        ("J18.9", "R09.02"),
        ("I63.9", "R47.01"),
        ("A41.9", "R65.20"),
        ("N39.0", "R31.9"),
        ("F32.A", "R45.851"),
        ("K74.60", "R18.8"),
        ("E11.9", "R73.03"),
    ):
        assert not any(lies_under(symptom, place) for place in integral(disease)), (disease, symptom)


@pytest.mark.parametrize(
    ("disease", "symptom"),
    [
        ("J18.9", "R05.9"),
        ("I50.22", "R06.02"),
        ("K35.80", "R10.31"),
        ("N20.0", "R10.A1"),
        ("G43.909", "R51.9"),
        ("M17.11", "M25.561"),
    ],
)
def test_symptoms_of_a_disease_belong_to_it(disease, symptom):
    assert any(lies_under(symptom, place) for place in facts().integral(disease))


@pytest.mark.parametrize(
    "code", ["E11.9", "I10", "J44.9", "I50.9", "N18.31", "G20.A1", "B20", "C50.911", "M06.9", "G40.909", "I48.91"]
)
def test_systemic_diseases(code):
    assert any(lies_under(code, place) for place in facts().systemic)


@pytest.mark.parametrize("code", ["E03.9", "E78.5", "K21.9", "J45.909", "M17.11", "F32.A", "N40.1"])
def test_other_chronic_diseases_are_not_systemic(code):
    assert any(lies_under(code, place) for place in facts().chronic)
    assert not any(lies_under(code, place) for place in facts().systemic)
