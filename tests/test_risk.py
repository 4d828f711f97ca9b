"""The risk-adjustment layer: categories through hccinfhir, and what in the note supports each condition."""

from __future__ import annotations

import ast
import datetime as dt
import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from code_maps import hcc
from code_maps.meat import supports
from exchange import rendered
from models.problem import InputProblem
from models.text import Note, Patient
from pipeline.queries import queries_for
from pipeline.review import review

pytest.importorskip("hccinfhir")

ROOT = Path(__file__).parent.parent
DAY = dt.date(2026, 5, 12)
NOTE = """PMH: COPD, gout.
Medications: tiotropium, metformin.
Labs: A1c 8.1 %.
Exam: Monofilament felt on both feet.
Assessment:
1. Type 2 diabetes with diabetic chronic kidney disease stage 3b, worsening. Continue metformin.
2. Heart failure.
3. Acute sinusitis.
"""


def risks(text, on=DAY, age=70, sex="female"):
    report = review(Note(text, date_of_service=on, patient=Patient(age, sex)), hcc=True)
    return {c.code: c for c in report.risk}


def kinds(condition):
    return {m.kind for m in condition.meat}


# --- the table -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "year", "models"),
    [
        (dt.date(2024, 12, 31), 2025, (hcc.V24, hcc.V28)),
        (dt.date(2025, 1, 1), 2026, (hcc.V28,)),
        (dt.date(2026, 5, 12), 2027, (hcc.V28,)),
    ],
)
def test_the_payment_year_and_its_models_follow_from_the_date(on, year, models):
    table = hcc.table_for(on)
    assert (table.payment_year, table.models) == (year, models)
    assert str(year) in table.notices[0]


def test_without_a_date_there_is_no_year():
    with pytest.raises(InputProblem, match="date of service"):
        hcc.table_for(None)


def test_a_year_without_a_table_is_an_error_that_names_those_with_one():
    with pytest.raises(InputProblem, match=r"payment year 2020.*2024, 2025"):
        hcc.table_for(dt.date(2019, 3, 1))


def test_without_hccinfhir_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(hcc, "find_spec", lambda name: None)
    with pytest.raises(InputProblem, match=r"chartproof\[hcc\]"):
        hcc.table_for(DAY)


@pytest.mark.parametrize(
    ("code", "state", "categories"),
    [
        ("E11.22", "mapped", ["HCC37"]),
        ("E1122", "mapped", ["HCC37"]),
        ("J44.9", "mapped", ["HCC280"]),
        ("I10", "none", []),
        ("J01.90", "none", []),
        ("e11.22", "unknown", []),
        ("diabetes", "unknown", []),
        ("I42.00", "unknown", []),
    ],
)
def test_every_code_has_an_answer(code, state, categories):
    answer = hcc.table_for(DAY).of(code)
    assert (answer.state, [c.number for c in answer.categories]) == (state, categories)
    assert bool(answer.why) == (state == "unknown")


def test_a_code_that_cms_edits_by_age_or_sex_says_so():
    table = hcc.table_for(DAY)
    assert table.of("J41.0", Patient(60, "female")).state == "mapped"
    child = table.of("J41.0", Patient(9, "female"))
    assert child.state == "none"
    assert "edit for age or sex" in child.why
    assert table.of("J41.0", Patient(9, None)).state == "mapped"


def test_a_file_of_the_working_folder_is_not_read(tmp_path, monkeypatch):
    (tmp_path / "ra_dx_to_cc_2027.csv").write_text(
        "diagnosis_code,cc,model_name\nI10,1,CMS-HCC Model V28\n", encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    hcc._load.cache_clear()
    assert hcc.table_for(DAY).of("I10").state == "none"


def test_hccinfhir_stands_behind_one_module():
    for folder in ("models", "code_maps", "pipeline", "exchange", "store", "ui"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                assert path.name == "hcc.py" or not any(n.split(".")[0] == "hccinfhir" for n in names), path


# --- a review --------------------------------------------------------------------------------------------------------


def test_it_is_there_only_when_asked_for():
    note = Note(NOTE, date_of_service=DAY)
    assert "risk" not in review(note).to_dict()
    shown = review(note, hcc=True).to_dict()
    assert shown["risk"]
    assert "payment year 2027" in " ".join(shown["note"]["notices"])
    del shown["risk"], shown["note"]["notices"]
    plain = review(note).to_dict()
    del plain["note"]["notices"]
    assert plain == shown


def test_support_is_shown_by_kind_with_its_words():
    diabetes = risks(NOTE)["E11.22"]
    assert kinds(diabetes) == {"monitor", "evaluate", "assess", "treat"}
    assert diabetes.supported
    assert diabetes.chronic == "systemic"
    for piece in diabetes.meat:
        assert NOTE[piece.evidence.start : piece.evidence.end] == piece.evidence.text
    said = {m.kind: m.evidence.text for m in diabetes.meat}
    assert said["monitor"] == "A1c 8.1 %"
    assert said["assess"] == "worsening"
    assert "metformin" in said["treat"]


def test_a_condition_that_is_only_named_is_not_supported():
    failure = risks(NOTE)["I50.9"]
    assert failure.state == "mapped"
    assert not failure.supported
    assert not failure.meat


@pytest.mark.parametrize("heading", ["PMH", "Problem List", "Past Medical History"])
def test_a_history_or_a_problem_list_alone_supports_nothing(heading):
    found = risks(
        f"{heading}: COPD, prostate cancer.\nMedications: tiotropium.\nAssessment:\n1. Acute sinusitis.", sex="male"
    )
    assert not found["J44.9"].supported
    assert found["J44.9"].hcc
    assert "history or a list" in found["J44.9"].why


def test_a_drug_in_the_list_treats_what_is_assessed():
    found = risks("Medications: tiotropium.\nAssessment:\n1. COPD.")
    assert found["J44.9"].supported
    assert kinds(found["J44.9"]) == {"treat"}
    stopped = risks("Medications: stopped tiotropium.\nAssessment:\n1. COPD.")
    assert not stopped["J44.9"].supported


def test_another_persons_value_or_a_return_precaution_is_no_support():
    assert not risks("Assessment:\n1. COPD.\nFamily History: mother takes tiotropium.")["J44.9"].supported


def test_a_lower_category_gives_way_to_a_higher_one_that_is_supported():
    long_term = risks("Assessment:\n1. Type 2 diabetes with diabetic neuropathy, stable, on insulin glargine.")
    assert [h.below for h in long_term["Z79.4"].hcc] == ["HCC37"]
    assert [h.below for h in long_term["E11.40"].hcc] == [None]


def test_a_code_newer_than_the_table_is_unknown_and_shown():
    on = dt.date(2026, 11, 2)
    one = risks("Assessment:\n1. Dilated cardiomyopathy, stable.", on=on)["I42.00"]
    assert one.state == "unknown"
    assert "I42.0" in one.why
    report = review(Note("Assessment:\n1. Dilated cardiomyopathy, stable.", date_of_service=on), hcc=True)
    assert "unknown to the table" in rendered.as_text(report)


def test_a_query_never_holds_any_of_it():
    note = Note(NOTE, date_of_service=DAY)
    without, with_risk = review(note), review(note, hcc=True)
    assert without.gaps == with_risk.gaps
    provider, same = queries_for(with_risk, "Dr. A"), queries_for(without, "Dr. A")
    assert provider == same
    assert provider.queries
    said = [q.text for q in provider.queries] + [rendered.query_text(gap, DAY) for gap in with_risk.gaps]
    assert not any(word in text.lower() for text in said for word in ("hcc", "raf", "risk adj", "payment", "categor"))


def test_every_kind_of_output_shows_it():
    report = review(Note(NOTE, date_of_service=DAY), hcc=True)
    assert "HCC37 (V28) Diabetes with Chronic Complications" in rendered.as_text(report)
    assert "## Risk adjustment" in rendered.as_markdown(report)
    assert "<h2>Risk adjustment</h2>" in rendered.as_html(report, NOTE)
    assert max(len(line) for line in rendered.as_text(report).splitlines()) <= rendered.WIDTH
    plain = review(Note(NOTE, date_of_service=DAY))
    assert "RISK ADJUSTMENT" not in rendered.as_text(plain)


def test_the_table_of_support_names_values_and_places_that_exist(codes):
    known = set()
    import tomllib

    raw = tomllib.loads((ROOT / "code_maps" / "elements" / "quantities.toml").read_text(encoding="utf-8"))
    known |= set(raw["analyte"])
    for row in supports().rows:
        assert row.analytes <= known
        for place in row.places:
            assert all(end in codes for end in place.split("-")), place


# --- the command line ----------------------------------------------------------------------------------------------


def run(*arguments, note=NOTE):
    return CliRunner().invoke(cli.app, ["review", "-", *arguments], input=note.encode())


def test_the_option_adds_it_and_json_has_it():
    shown = run("--on", "2026-05-12", "--hcc", "--format", "json")
    assert shown.exit_code == 0
    assert {c["code"] for c in json.loads(shown.stdout)["risk"]} >= {"E11.22", "I50.9"}


def test_without_a_date_the_call_cannot_be_used():
    asked = run("--hcc")
    assert isinstance(asked.exception, InputProblem)


def test_nothing_of_it_is_imported_when_it_is_not_asked_for():
    import subprocess

    code = (
        "import sys; from pipeline.review import review_text; review_text('Cough.'); print('hccinfhir' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "False"
