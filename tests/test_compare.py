"""The same note in the other setting, or on another date: what differs."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from typer.testing import CliRunner

import cli
from exchange import rendered
from models.claim import Claim, ClaimLine
from models.problem import InputProblem
from models.text import Note
from pipeline.compare import compare
from pipeline.review import review

DAY, LATER = dt.date(2026, 5, 12), dt.date(2026, 11, 2)
UNCERTAIN = "CC: Cough.\nAssessment:\n1. Cough, possible pneumonia.\n2. Hypertension."


def settings(text):
    return compare(review(Note(text, "outpatient", DAY)), review(Note(text, "inpatient", DAY)))


def dates(text, claim=None):
    return compare(review(Note(text, date_of_service=DAY), claim), review(Note(text, date_of_service=LATER), claim))


def test_an_uncertain_diagnosis_is_added_in_a_stay_and_the_rule_says_why():
    found = settings(UNCERTAIN)
    (pneumonia,) = [c for c in found.added if c.code == "J18.9"]
    assert pneumonia.rule == "outpatient-uncertain"
    assert "inpatient-uncertain" in [r.id for r in pneumonia.rules]
    assert ("before", "J18.9", "outpatient-uncertain") in [(w.side, w.code, w.rule) for w in found.withheld]
    assert "I10" in found.kept
    assert UNCERTAIN[pneumonia.evidence[0].start : pneumonia.evidence[0].end] == pneumonia.evidence[0].text


def test_the_other_way_round_it_is_gone():
    found = compare(review(Note(UNCERTAIN, "inpatient", DAY)), review(Note(UNCERTAIN, "outpatient", DAY)))
    (gone,) = [c for c in found.gone if c.code == "J18.9"]
    assert gone.rule == "outpatient-uncertain"
    assert not [c for c in found.added if c.code == "J18.9"]


def test_the_same_words_lead_to_another_code_in_another_release():
    found = dates("Assessment:\n1. Brugada syndrome.\n2. Hypertension.")
    (one,) = found.replaced
    assert (one.before, one.after) == ("I49.8", "I49.81")
    assert "FY2027" in one.why
    assert not found.added
    assert not found.gone
    assert found.kept == ("I10",)


def test_a_verdict_that_changes_is_named():
    claim = Claim(date_of_service=DAY, diagnoses=("I10",), lines=(ClaimLine(code="83036", pointers=(1,)),))
    text = "Assessment:\n1. Hypertension."
    before = review(Note(text, date_of_service=DAY), claim)
    after = review(Note(text, date_of_service=DAY), claim.model_copy(update={"diagnoses": ("E11.9",)}))
    found = compare(before, after)
    (change,) = found.verdicts
    assert change.line == 1
    assert change.verdict[0] != change.verdict[1]
    assert "VERDICTS" in "\n".join(line.plain for line in rendered.comparison_lines(found))


def test_an_edit_on_one_side_is_named():
    claim = Claim(diagnoses=("I49.8",))
    found = dates("Assessment:\n1. Brugada syndrome.", claim)
    assert ("after", "dx-header") in [(e.side, e.id) for e in found.edits]


def test_a_note_against_itself_differs_in_nothing():
    report = review(Note(UNCERTAIN, "outpatient", DAY))
    found = compare(report, report)
    assert found.same
    assert rendered.comparison_answer(found) == "nothing differs"


def test_two_notes_cannot_be_compared():
    with pytest.raises(ValueError, match="two notes"):
        compare(review(Note("Cough.", date_of_service=DAY)), review(Note("Fever today.", date_of_service=DAY)))


def test_every_code_of_both_sides_is_accounted_for():
    for text in (UNCERTAIN, "Assessment:\n1. Dilated cardiomyopathy.\n2. Plantar fasciitis, right foot."):
        for found, before, after in (
            (settings(text), review(Note(text, "outpatient", DAY)), review(Note(text, "inpatient", DAY))),
            (dates(text), review(Note(text, date_of_service=DAY)), review(Note(text, date_of_service=LATER))),
        ):
            old = {c.code for c in found.gone} | {c.before for c in found.replaced} | set(found.kept)
            new = {c.code for c in found.added} | {c.after for c in found.replaced} | set(found.kept)
            assert old == {p.code for p in before.proposals}
            assert new == {p.code for p in after.proposals}


def test_texts_that_differ_are_compared_by_their_words():
    before, after = (
        "Assessment:\n1. Carpal tunnel syndrome.",
        "Assessment:\n1. Carpal tunnel syndrome, right.\n2. Cough.",
    )
    old, new = (review(Note(text, date_of_service=DAY)) for text in (before, after))
    found = compare(old, new, by_words=True)
    assert [(r.before, r.after) for r in found.replaced] == [("G56.00", "G56.01")]
    (added,) = found.added
    assert added.code == "R05.9"
    assert "other text" in added.why
    assert compare(new, new, by_words=True).same


# --- the command line ----------------------------------------------------------------------------------------------


def run(*arguments, note=UNCERTAIN):
    return CliRunner().invoke(cli.app, ["review", "-", "--on", "2026-05-12", *arguments], input=note.encode())


def test_the_setting_is_compared_in_words_and_as_json():
    said = run("--compare-setting")
    assert said.exit_code == 0
    assert "J18.9" in said.stdout
    assert "outpatient-uncertain" in said.stdout
    assert max(map(len, said.stdout.splitlines())) <= rendered.WIDTH
    data = json.loads(run("--compare-setting", "--format", "json").stdout)
    assert data["schema"] == "chartproof.comparison/1"
    assert [data["before"]["setting"], data["after"]["setting"]] == ["outpatient", "inpatient"]
    assert "J18.9" in [c["code"] for c in data["added"]]


def test_the_date_is_compared():
    data = json.loads(
        run("--compare-date", "2026-11-02", "--format", "json", note="Assessment:\n1. Brugada syndrome.").stdout
    )
    assert [data["before"]["release"], data["after"]["release"]] == ["FY2026-04", "FY2027"]
    assert data["replaced"][0]["after"] == "I49.81"


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (("--compare-date", "soon"), "--compare-date"),
        (("--compare-date", "2026-11-02", "--compare-setting"), "--compare-date"),
        (("--compare-setting", "--format", "html"), "--format"),
        (("--compare-setting", "--hcc"), "--hcc"),
    ],
)
def test_what_cannot_be_compared_is_said(arguments, where):
    problem = run(*arguments).exception
    assert isinstance(problem, InputProblem)
    assert where in problem.where
