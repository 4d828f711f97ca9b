"""Two versions of a note: gaps resolved, opened and kept, what was settled before, and addenda as the reader sees them."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import cli
from exchange import rendered
from models.problem import InputProblem
from models.text import Note
from pipeline.review import review
from pipeline.sections import read_layout
from pipeline.versions import versions, with_addendum
from tests.store_expected import FOLDER, names

DAY = dt.date(2026, 5, 12)
NOTE = (
    "HPI: Short of breath for two weeks.\n"
    "Physical exam: Lungs clear, heart regular.\n"
    "Assessment:\n"
    "1. Asthma, stable. Continue albuterol because of wheezing.\n"
    "2. Type 2 diabetes, uncontrolled. Continue metformin because of high readings.\n"
)


def read(text, settled=None):
    return review(Note(text, date_of_service=DAY), settled=settled)


def between(old, new):
    return versions(read(old), read(new), old, new)


def sample(name):
    return (FOLDER / name / "note.txt").read_bytes().decode("utf-8")


def prints(report):
    return {g.fingerprint for g in (*report.gaps, *report.further_gaps)}


# --- what became of the gaps -------------------------------------------------------------------------------------------


def test_an_addendum_that_answers_a_gap_resolves_it_and_changes_the_code():
    asked = {g.id for g in read(NOTE).gaps}
    assert "uncontrolled-diabetes:E11" in asked
    found = between(NOTE, with_addendum(NOTE, "The type 2 diabetes is with hyperglycemia."))
    assert "uncontrolled-diabetes:E11" in {g.id for g in found.resolved}
    assert [(r.before, r.after) for r in found.comparison.replaced] == [("E11.9", "E11.65")]
    assert found.addenda == ("ADDENDUM",)


def test_a_new_diagnosis_opens_its_gaps_and_keeps_the_others_on_the_same_words():
    found = between(NOTE, with_addendum(NOTE, "Carpal tunnel syndrome was found as well."))
    assert any(g.code and g.code.startswith("G56") for g in found.opened)
    kept = {k.gap.id: k for k in found.kept}
    assert kept["uncontrolled-diabetes:E11"].unchanged


def test_a_kept_gap_whose_words_were_edited_says_so():
    found = between(NOTE, NOTE.replace("Type 2 diabetes, uncontrolled", "Diabetes mellitus type 2, uncontrolled"))
    kept = {k.gap.id: k for k in found.kept}
    assert not kept["uncontrolled-diabetes:E11"].unchanged


def test_a_gap_that_gives_way_to_more_important_ones_is_kept_and_not_resolved():
    old = read(NOTE)
    new = read(NOTE)
    pushed = old.gaps[0]
    new = type(new)(
        **{f: getattr(new, f) for f in new.__dataclass_fields__} | {"gaps": new.gaps[1:], "further_gaps": (pushed,)}
    )
    found = versions(old, new, NOTE, NOTE)
    assert not found.resolved
    (kept,) = [k for k in found.kept if k.gap.id == pushed.id]
    assert not kept.shown


def test_the_same_text_twice_changes_nothing():
    found = between(NOTE, NOTE)
    assert not (found.resolved or found.opened or found.written or found.addenda)
    assert all(k.unchanged and k.shown for k in found.kept)
    assert found.comparison.same


def test_what_was_written_is_marked_in_the_later_text_and_reflow_is_not():
    new = (
        NOTE.replace("Short of breath for two weeks.", "Short of breath\nfor two weeks.")
        + "Late entry: no chest pain.\n"
    )
    found = between(NOTE, new)
    assert [new[s.start : s.end] for s in found.written] == ["Late entry: no chest pain."]


def test_every_gap_of_both_versions_is_accounted_for():
    for name in names():
        old = sample(name)
        new = with_addendum(old, "Type 2 diabetes, uncontrolled, was discussed. The pneumonia was ruled out.")
        before, after = read(old), read(new)
        found = versions(before, after, old, new)
        kept = {k.gap.id for k in found.kept}
        assert {g.id for g in before.gaps} <= {g.id for g in found.resolved} | kept
        assert {g.id for g in after.gaps} <= {g.id for g in found.opened} | kept
        assert not {g.id for g in found.resolved} & kept


# --- ids and fingerprints ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", names())
def test_ids_are_unique_and_stay_when_the_note_moves_reflows_or_gets_an_unrelated_addendum(name):
    text = sample(name)
    report = read(text)
    ids = [g.id for g in report.gaps]
    assert len(set(ids)) == len(ids)
    assert len(prints(report)) == len(ids) + len(report.further_gaps)
    moved = read(f"\n\n  \n{text}")
    reflowed = read(text.replace("\n\n", "\n\n\n").replace(". ", ".  "))
    later = read(with_addendum(text, "The patient confirmed the telephone number on file."))
    for other in (moved, reflowed, later):
        assert [g.id for g in other.gaps] == ids
        assert prints(other) == prints(report)


BLANKS = st.sampled_from((" ", "  ", "\t", " \n"))


@given(st.lists(BLANKS, min_size=1, max_size=6), st.integers(0, 5))
def test_white_space_between_words_changes_no_fingerprint(blanks, lines):
    assert blanks
    text = NOTE
    for number, blank in enumerate(b for b in blanks if "\n" not in b):
        words = [m.start() for m in re.finditer(r"(?<=[a-z]) (?=[a-z])", text)]
        at = words[(number * 7) % len(words)]
        text = text[:at] + blank + text[at + 1 :]
    assert prints(read("\n" * lines + text)) == prints(read(NOTE))


def test_a_fingerprint_holds_no_words_of_the_note():
    for gap in read(NOTE).gaps:
        key = gap.fingerprint.split("#")[1]
        assert re.fullmatch(r"[0-9a-f]{16}", key)


# --- settled -----------------------------------------------------------------------------------------------------------


def test_a_settled_gap_does_not_fire_again_on_unchanged_words_and_is_listed():
    report = read(NOTE)
    known = [g.fingerprint for g in report.gaps]
    again = read(with_addendum(NOTE, "The patient was called."), settled=known)
    assert not again.gaps
    assert {g.fingerprint for g in again.settled} == set(known)
    assert {g["id"] for g in again.to_dict()["settled"]} == {g.id for g in report.gaps}


def test_a_settled_gap_fires_again_when_its_words_were_changed():
    known = [g.fingerprint for g in read(NOTE).gaps]
    edited = NOTE.replace("Type 2 diabetes, uncontrolled", "Diabetes mellitus type 2, uncontrolled")
    again = read(edited, settled=known)
    assert "uncontrolled-diabetes:E11" in {g.id for g in again.gaps}
    assert "uncontrolled-diabetes:E11" not in {g.id for g in again.settled}


def test_a_report_speaks_of_settled_gaps_only_when_asked():
    assert "settled" not in read(NOTE).to_dict()
    assert read(NOTE, settled=[]).to_dict()["settled"] == []


def test_a_settled_gap_makes_room_for_one_that_was_left_out():
    for name in names():
        report = read(sample(name))
        if report.further_gaps and len(report.gaps) > 1:
            again = read(sample(name), settled=[report.gaps[0].fingerprint])
            assert len(again.gaps) >= len(report.gaps) - 1
            assert report.gaps[0].id not in {g.id for g in again.gaps} | {g.id for g in again.further_gaps}


# --- addenda as sections -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "title"),
    [
        ("ADDENDUM\n", "ADDENDUM"),
        ("Addendum 05/14/2026:\n", "Addendum 05/14/2026"),
        ("Addendum:\n", "Addendum"),
        ("Late entry 05/14/2026 10:30: ", "Late entry 05/14/2026 10:30"),
        ("LATE ENTRY: ", "LATE ENTRY"),
        ("Addendum by Dr. Moss 5/14/2026:\n", "Addendum by Dr. Moss 5/14/2026"),
        ("Addendum (late entry, 05/14/2026): ", "Addendum (late entry, 05/14/2026)"),
        ("ADDENDUM 05/14/2026 09:15 AM - R. Moss MD\n", "ADDENDUM 05/14/2026 09:15 AM - R. Moss MD"),
    ],
)
def test_an_addendum_counts_as_assessment_and_keeps_its_date(heading, title):
    text = f"Assessment:\n1. Heart failure.\nPlan: Furosemide.\n\n{heading}The heart failure is chronic and systolic.\n"
    section = read_layout(text).sections[-1]
    assert (section.category, section.title) == ("assessment_plan", title)
    report = read(text)
    assert "I50.22" in [p.code for p in report.proposals]
    assert between("Assessment:\n1. Heart failure.\nPlan: Furosemide.\n", text).addenda == (title,)


@pytest.mark.parametrize(
    "line",
    [
        "The addendum of 05/14/2026 was read.",
        "Late entry into care was discussed.",
        "Addendum to follow once the result is in.",
    ],
)
def test_a_sentence_about_an_addendum_opens_no_section(line):
    text = f"Assessment:\n1. Heart failure.\nPlan:\nFurosemide.\n{line}\n"
    assert [s.category for s in read_layout(text).sections] == ["assessment", "plan"]


def test_an_addendum_to_a_report_stays_with_the_report():
    text = "Imaging: MRI lumbar spine with disc bulge.\nAddendum: there is also a small nodule.\nAssessment:\n1. Low back pain.\n"
    assert [s.category for s in read_layout(text).sections] == ["imaging", "assessment"]


def test_an_addendum_that_heads_itself_gets_no_second_heading():
    assert with_addendum("Note.", "Addendum 05/14/2026: more.") == "Note.\n\nAddendum 05/14/2026: more."
    assert with_addendum("Note.", "Late entry 05/14/2026 10:30: more.").count("ADDENDUM") == 0
    assert with_addendum("Note.", "More.") == "Note.\n\nADDENDUM\nMore."
    assert with_addendum("Note.", "Late entry into care.") == "Note.\n\nADDENDUM\nLate entry into care."


# --- the command line --------------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    old, new, more = tmp_path / "old.txt", tmp_path / "new.txt", tmp_path / "more.txt"
    old.write_text(NOTE, encoding="utf-8")
    more.write_text("The type 2 diabetes is with hyperglycemia.", encoding="utf-8")
    new.write_text(with_addendum(NOTE, more.read_text(encoding="utf-8")), encoding="utf-8")
    return old, new, more


def run(*arguments):
    return CliRunner().invoke(cli.app, [*map(str, arguments), "--on", "2026-05-12"])


def test_the_command_says_what_an_addendum_changed_and_composes_one(files):
    old, new, more = files
    said = run("addendum", old, new)
    assert said.exit_code == 0
    told = " ".join(said.stdout.split())
    assert "resolved" in told
    assert "E11.9 -> E11.65" in told
    assert max(map(len, said.stdout.splitlines())) <= rendered.WIDTH
    assert run("addendum", old, more, "--append").stdout == said.stdout


def test_the_command_gives_json_with_fingerprints(files):
    old, new, _ = files
    data = json.loads(run("addendum", old, new, "--format", "json").stdout)
    assert data["schema"] == "chartproof.versions/1"
    assert "uncontrolled-diabetes:E11" in [g["id"] for g in data["resolved"]]
    assert data["comparison"]["replaced"][0]["after"] == "E11.65"
    assert all(set(k) == {"gap", "unchanged", "shown"} for k in data["kept"])


def test_the_command_takes_a_claim_and_names_verdicts(files, tmp_path):
    old, new, _ = files
    claim = tmp_path / "claim.json"
    claim.write_text(
        json.dumps(
            {"date_of_service": "2026-05-12", "diagnoses": ["J44.9"], "lines": [{"code": "94625", "pointers": [1]}]}
        ),
        encoding="utf-8",
    )
    old.write_text("Assessment:\n1. COPD, stable.\n", encoding="utf-8")
    new.write_text("Assessment:\n1. COPD, stable.\n\nADDENDUM\nThis is GOLD III disease.\n", encoding="utf-8")
    data = json.loads(run("addendum", old, new, "--claim", claim, "--format", "json").stdout)
    assert [v["verdict"] for v in data["comparison"]["verdicts"]] == [["PASS_DX_DOC_GAP", "PASS"]]


def test_settled_gaps_are_read_from_a_file(files, tmp_path):
    old, _, _ = files
    report = json.loads(run("review", old, "--format", "json").stdout)
    known = tmp_path / "settled.json"
    known.write_text(json.dumps([g["fingerprint"] for g in report["gaps"]]), encoding="utf-8")
    again = json.loads(run("review", old, "--format", "json", "--settled", known).stdout)
    assert again["gaps"] == []
    assert len(again["settled"]) == len(report["gaps"])
    for format in ("text", "markdown", "html"):
        assert "settled before" in run("review", old, "--format", format, "--settled", known).stdout.lower()


@pytest.mark.parametrize("content", ["not json", '{"a": 1}', "[1, 2]"])
def test_a_settled_file_that_is_no_list_of_texts_is_refused(files, tmp_path, content):
    old, _, _ = files
    known = tmp_path / "settled.json"
    known.write_text(content, encoding="utf-8")
    problem = run("review", old, "--settled", known).exception
    assert isinstance(problem, InputProblem)
    assert "settled.json" in problem.where


def test_standard_input_can_stand_for_one_version_only():
    problem = run("addendum", "-", "-").exception
    assert isinstance(problem, InputProblem)
