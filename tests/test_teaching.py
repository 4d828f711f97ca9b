"""Teaching material: a lesson of every rule, minimal pairs, checklists, exercises and graded answers."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli import app
from code_maps.exercises import exercises, parse_exercise
from exchange import teaching
from exchange.paper import as_docx, as_pdf
from models.claim import Claim
from models.lesson import Answers, GapMark
from models.problem import InputProblem
from models.text import Note, Patient
from pipeline.explain import every_rule
from pipeline.review import review
from pipeline.teaching.checklist import checklist
from pipeline.teaching.claim_words import claim_text, read_claim
from pipeline.teaching.exercises import exercise, exercise_for, grade, key_of, review_of
from pipeline.teaching.lessons import examples_of, lesson, lessons, try_again
from pipeline.teaching.outcomes import added_codes, changes, results_of, said, words_apart
from pipeline.teaching.pairs import minimal_pairs
from tests.store_expected import FOLDER, names

DAY = dt.date(2026, 5, 12)
RULES = [rule.id for rule in every_rule()]
# Rules that leave no name in a report, or leave it in every one: the file's order tells which example is which.
BY_ORDER = {
    "chronic-stays-current", "family-history", "inpatient-uncertain", "more-specific-documented", "not-billable",
    "sequencing", "specificity-descent", "symptom-when-unconfirmed",
}  # fmt: skip

KNEE = """HPI: 58-year-old man with knee pain for two years. Eight weeks of physical therapy gave little relief.
Exam: BP 128/78. Knee: crepitus, range 5 to 110 degrees, ligaments stable.
Assessment:
1. Primary osteoarthritis of the right knee, worse. Injection today because therapy has failed.
2. Chronic kidney disease, stage 3b, stable.
"""


def run(*arguments, stdin=None):
    return CliRunner().invoke(app, list(arguments), input=stdin, catch_exceptions=True)


def sample(name):
    from models.record import NoteRecord, validated

    folder = FOLDER / name
    encounter = folder / "encounter.json"
    data = json.loads(encounter.read_text(encoding="utf-8")) if encounter.is_file() else {}
    claim = json.loads((folder / "claim.json").read_text(encoding="utf-8"))
    text = (folder / "note.txt").read_bytes().decode("utf-8")
    record = validated(NoteRecord, {**data, "id": name, "text": text, "claim": claim}, name)
    return record.note(), record.claim


# --- lessons ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", RULES)
def test_every_rule_is_a_lesson_with_reason_source_example_and_counterexample(key):
    found = lesson(key)
    assert found.why and found.title
    assert found.sources and all(s.said for s in found.sources)
    assert found.limits
    assert found.example.fires and not found.counterexample.fires
    assert found.example.text.strip() and found.counterexample.text.strip()
    assert found.example.number != found.counterexample.number
    assert found.only_example or found.only_counter or found.example.about != found.counterexample.about
    assert found.changes


@pytest.mark.parametrize("key", [key for key in RULES if key not in BY_ORDER])
def test_the_rule_has_its_say_in_one_example_and_not_in_the_other(key):
    shown = examples_of(next(rule for rule in every_rule() if rule.id == key))
    assert any(s.fires for s in shown)
    assert not all(s.fires for s in shown)


def test_the_rules_told_by_order_are_those_that_need_it():
    for key in BY_ORDER:
        shown = examples_of(next(rule for rule in every_rule() if rule.id == key))
        assert len({s.fires for s in shown}) == 1, key


def test_the_lesson_of_a_gap_shows_the_gap_in_the_example_only():
    for key in (rule.id for rule in every_rule() if rule.family == "gap"):
        found = lesson(key)
        assert [r for r in found.example.results if r.kind == "gap" and r.rule == key], key
        assert not [r for r in found.counterexample.results if r.kind == "gap" and r.rule == key], key


def test_the_nearest_counterexample_is_chosen_and_the_words_that_differ_are_named():
    found = lesson("negated-finding")
    assert found.example.text == "Assessment: Chest pain. No pneumonia on the film."
    assert found.counterexample.text == "Assessment: Chest pain. Pneumonia on the film."
    assert (found.only_example, found.only_counter) == (("No pneumonia",), ("Pneumonia",))
    assert "J18.9 is coded" in " ".join(said(c) for c in found.changes)


def test_what_the_rule_itself_changes_comes_first():
    found = lesson("em-missing-25")
    assert found.changes[0].before.rule == "em-missing-25"
    assert lesson("ncd-190-21-glycated-hemoglobin").changes[0].kind == "verdict"
    assert lesson("query-leading").changes[0].kind == "violation"


def test_lessons_are_in_order_and_named_once():
    found = lessons()
    assert [one.id for one in found] == RULES
    assert len(set(RULES)) == len(RULES)
    assert {one.family for one in found} == set(teaching.FAMILIES)


def test_an_example_that_is_changed_is_reviewed_again():
    found = lesson("outpatient-uncertain")
    as_it_is = try_again(found, found.example, found.example.text)
    assert as_it_is == found.example.results
    sure = try_again(found, found.example, found.example.text.replace("Possible pneumonia", "Pneumonia"))
    assert "J18.9" in {r.key for r in sure if r.kind == "code"}
    assert changes(as_it_is, sure)


def test_a_claim_that_is_changed_is_checked_again_with_the_tables_of_its_example():
    found = lesson("em-missing-25")
    assert "em-missing-25" in {r.rule for r in try_again(found, found.example, found.example.text)}
    put_right = found.example.text.replace("99213 points", "99213-25 points")
    assert "em-missing-25" not in {r.rule for r in try_again(found, found.example, put_right)}
    with pytest.raises(InputProblem, match="line 2 of the claim"):
        try_again(found, found.example, "date of service 2026-05-12\nhello")
    with pytest.raises(InputProblem, match="date_of_service"):
        try_again(found, found.example, "date of service soon")


def test_a_policy_and_a_query_are_tried_again():
    found = lesson("ncd-190-21-glycated-hemoglobin")
    moved = found.example.text.replace("E11.65", "I10")
    assert moved != found.example.text
    assert {r.value for r in try_again(found, found.example, moved) if r.kind == "verdict"} == {"FAIL_DX"}
    assert try_again(found, found.example, "") == ()
    found = lesson("query-money")
    assert not try_again(found, found.example, found.counterexample.text)


def claims():
    for rule in every_rule():
        for shown in examples_of(rule):
            if shown.kind == "claim":
                yield shown


def test_every_claim_of_a_lesson_is_read_back_from_its_words():
    count = 0
    for shown in claims():
        count += 1
        read, note = read_claim(shown.text, shown.claim)
        assert read.model_dump() == shown.claim.model_dump()
        assert claim_text(read, note) == shown.text
        assert ("last_seen" in read.patient.model_fields_set) == ("last seen" in shown.text)
    assert count > 300


@given(st.text(max_size=80))
def test_any_words_are_a_claim_or_one_clear_problem(words):
    said = ""
    try:
        read_claim(words, Claim())
    except InputProblem as problem:
        said = str(problem)
    assert not said or "claim" in said


def test_a_claim_in_words_names_what_differs():
    claim = Claim.model_validate({
        "date_of_service": DAY, "diagnoses": ["E11.9", "I10"], "history": [], "patient": {"age": 70, "last_seen": None},
        "lines": [{"code": "83036", "modifiers": ["QW"], "pointers": [2], "units": 2}, {"code": "99213"}],
    })  # fmt: skip
    assert claim_text(claim).splitlines()[1:] == [
        "patient aged 70, last seen never", "diagnosis A E11.9", "diagnosis B I10",
        "line 1 83036-QW 2 units points to B", "line 2 99213 points to nothing", "no earlier service",
    ]  # fmt: skip


@given(st.lists(st.sampled_from("a b c d e".split())), st.lists(st.sampled_from("a b c d e".split())))
def test_words_apart_are_words_of_their_own_side(one, other):
    only_one, only_other = words_apart(" ".join(one), " ".join(other))
    assert not (only_one or only_other) if one == other else (only_one or only_other)
    assert all(word in one for run in only_one for word in run.split())
    assert all(word in other for run in only_other for word in run.split())


def test_a_report_does_not_differ_from_itself(reviewed):
    report = results_of(reviewed(KNEE))
    assert changes(report, report) == ()


# --- minimal pairs ---------------------------------------------------------------------------------------------------


def notes():
    yield Note(KNEE, date_of_service=DAY), None
    for name in names():
        yield sample(name)
    for one in exercises().values():
        yield one.note, one.claim


def test_one_element_less_is_one_span_less_and_never_another_diagnosis():
    found = 0
    for note, claim in notes():
        before = review(note, claim)
        codes = {p.code for p in before.proposals}
        for pair in minimal_pairs(note, claim):
            found += 1
            assert note.text[pair.start : pair.end] == pair.removed
            assert note.text[: pair.start] + note.text[pair.end :] == pair.shortened
            assert pair.changes
            after = review(replace(note, text=pair.shortened), claim)
            assert changes(results_of(before), results_of(after)) == pair.changes
            assert added_codes(pair.changes) == []
            gone = {p[:3] for p in codes - {p.code for p in after.proposals}}
            for code in {p.code for p in after.proposals} - codes:
                paired = next(c for c in pair.changes if c.after and c.after.key == code and c.kind == "code")
                assert code[:3] in gone or set(paired.before.words) & set(paired.after.words) or paired.detail
    assert found > 80


def test_the_shortened_note_still_reads():
    import re

    for note, claim in notes():
        for pair in minimal_pairs(note, claim):
            joint = pair.shortened[max(0, pair.start - 3) : pair.start + 3]
            assert not re.search(r"[,;]\s*[,.;]|\(\s*\)|  [a-z]", joint), (pair.removed, joint)
            assert not re.search(r"\b(?:of|the|with|due to)[.,;]", pair.shortened[pair.start - 8 : pair.start + 2])
            assert not re.search(r"(?m)^\s*\d+[.)]\s*$", pair.shortened) or re.search(r"(?m)^\s*\d+[.)]\s*$", note.text)


def test_the_side_and_the_stage_lead_to_the_less_specific_code():
    found = {(p.element, c.before.key, c.after.key) for p in minimal_pairs(Note(KNEE, date_of_service=DAY))
             for c in p.changes if c.kind == "code" and c.before and c.after}  # fmt: skip
    assert ("side", "M17.11", "M17.10") in found
    assert any(before == "N18.32" and after == "N18.9" for _, before, after in found)


def test_pairs_that_change_a_code_come_first_and_the_same_note_gives_the_same_pairs():
    note, claim = sample("knee-osteoarthritis")
    pairs = minimal_pairs(note, claim)
    assert pairs == minimal_pairs(note, claim)
    coded = [any(c.kind == "code" for c in p.changes) for p in pairs]
    assert coded == sorted(coded, reverse=True)
    assert {"side", "treatment"} <= {p.element for p in pairs}


def test_a_verdict_that_falls_is_in_a_pair():
    claim = Claim.model_validate({
        "date_of_service": DAY, "state": "FL", "contract": "DME", "lines": [{"code": "E0601", "pointers": [1]}],
        "diagnoses": ["G47.33"],
    })  # fmt: skip
    text = ("HPI: Snoring and daytime sleepiness. He was instructed in the use of the device.\n"
            "Sleep study: AHI 34, recorded at home.\nAssessment:\n1. Obstructive sleep apnea, severe. CPAP.\n")  # fmt: skip
    pairs = minimal_pairs(Note(text, date_of_service=DAY), claim)
    kinds = {c.kind for p in pairs if "34" in p.removed for c in p.changes}
    assert kinds & {"verdict", "missing"}


def test_a_note_with_nothing_to_remove_has_no_pairs():
    assert minimal_pairs(Note("", date_of_service=DAY)) == ()
    assert minimal_pairs(Note("Assessment:\n1. Asthma.", date_of_service=DAY)) == ()


# --- checklists ------------------------------------------------------------------------------------------------------


def test_every_line_of_a_checklist_has_its_source():
    for code in ("83036", "E0601", "99214", "72148", "11721", "G0296", "V5010"):
        found = checklist(code, DAY, "FL")
        assert found.parts
        assert all(line.source and line.text for part in found.parts for line in part.lines), code


def test_a_checklist_names_diagnoses_criteria_limits_rules_and_edits():
    found = checklist("E0601", DAY, "FL")
    titles = [part.title for part in found.parts]
    assert titles == ["A diagnosis that supports it", "What the note shows", "The record", "The claim"]
    assert ("G47.33", "Obstructive sleep apnea (adult) (pediatric)") in found.parts[0].lines[0].items
    assert "a condition of the coverage" in found.parts[1].lines[0].text
    assert "How often" in [part.title for part in checklist("83036", DAY, "FL").parts]
    assert any("30 minutes" in line.text for part in checklist("99214", DAY).parts for line in part.lines)
    assert not any("minutes" in line.text for part in checklist("83036", DAY).parts for line in part.lines)


def test_a_rule_for_gaps_stands_on_the_checklists_it_bears_on():
    def rules(code):
        return {line.rule for part in checklist(code, DAY, "FL").parts for line in part.lines}

    assert "imaging-conservative" in rules("72148")
    assert "imaging-conservative" not in rules("83036")
    assert "cancer-screening-history" in rules("G0296")
    assert "time-statement" in rules("99214")
    assert "time-statement" not in rules("72148")
    assert "signature-missing" in rules("83036")


def test_a_service_without_a_policy_says_so_and_a_code_that_is_none_is_refused():
    assert any("neither covered nor not covered" in n for n in checklist("99214", DAY).notices)
    with pytest.raises(InputProblem, match="no CPT or HCPCS code"):
        checklist("heart", DAY)


def test_a_checklist_prints_in_four_forms_and_the_same_bytes_each_time():
    from docx import Document

    found = checklist("83036", DAY, "FL")
    page = teaching.checklist_html(found)
    assert "@page" in page and "<script" not in page and "http://" not in page
    assert teaching.checklist_markdown(found).count("- [ ]") == sum(len(p.lines) for p in found.parts)
    data = as_docx(teaching.checklist_paper(found))
    assert data == as_docx(teaching.checklist_paper(found))
    assert as_pdf(teaching.checklist_paper(found)).startswith(b"%PDF")
    text = "\n".join(p.text for p in Document(io.BytesIO(data)).paragraphs)
    assert "Z86.32 Personal history of gestational diabetes" in text
    assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None


def test_words_of_rules_and_notes_are_escaped():
    found = lesson("outpatient-uncertain")
    hostile = replace(found, title="<script>x</script>", example=replace(found.example, text="<img src=x> **b** `c`"))
    page = teaching.lesson_html(hostile)
    assert "<script>" not in page and "<img" not in page
    assert "````" not in teaching.lesson_markdown(found)
    assert "\\<script\\>" in teaching.lesson_markdown(hostile)
    bad = replace(checklist("83036", DAY), name="<b>")
    assert "<b>)" not in teaching.checklist_html(bad)


# --- exercises ---------------------------------------------------------------------------------------------------------

KEYS = sorted(exercises())


def test_there_are_exercises_of_many_kinds():
    assert len(KEYS) >= 20
    topics = {topic for one in exercises().values() for topic in one.topics}
    assert {"side", "type", "stage", "uncertain diagnosis", "sequencing", "screening", "with convention"} <= topics
    assert {one.note.setting for one in exercises().values()} == {"outpatient", "inpatient"}
    assert sum(bool(one.level) for one in exercises().values()) >= 8
    assert sum(any(g.counted for g in one.gaps) for one in exercises().values()) >= 6


@pytest.mark.parametrize("key", KEYS)
def test_the_review_of_an_exercise_is_its_key(key):
    one = exercise(key)
    assert 70 <= len(one.note.text.split()) <= 250
    report = review_of(one)
    assert tuple(p.code for p in report.proposals) == one.codes
    found = {(g.code or "", g.missing) for g in report.gaps}
    assert {(g.code, g.missing) for g in one.gaps if g.counted} <= found
    assert found <= {(g.code, g.missing) for g in one.gaps}
    if one.level:
        assert report.em.supports == one.level


@pytest.mark.parametrize("key", KEYS)
def test_the_key_earns_full_marks_and_nothing_earns_nothing(key):
    one = exercise(key)
    best = grade(one, key_of(one))
    assert best.points == best.of and best.percent == 100
    assert {m.result for m in best.marks} == {"right"}
    assert all(m.why for m in best.marks)
    none = grade(one, Answers())
    assert none.points == 0 and none.of == best.of
    assert {m.result for m in none.marks} == {"missed"}


@given(
    st.sampled_from(KEYS),
    st.lists(st.sampled_from(["I10", "M17.9", "m1712", "J18.9", "E11.9", "N18.30", "xyz", "", "Z79.4"]), max_size=6),
    st.lists(
        st.sampled_from([("I50.9", "type"), ("", "other"), ("M17", "laterality"), ("N18.9", "stage")]), max_size=4
    ),
    st.sampled_from(["", "99213", "99214", "99215", "hello"]),
)
def test_grading_stays_within_its_marks_and_is_the_same_each_time(key, codes, gaps, level):
    one = exercise(key)
    answers = Answers(codes=codes, gaps=[GapMark(code=c, missing=m) for c, m in gaps], level=level)
    found = grade(one, answers)
    assert 0 <= found.points <= found.of
    assert found == grade(one, answers)
    # One more invented code never helps.
    assert grade(one, answers.model_copy(update={"codes": (*answers.codes, "A00.0")})).points <= found.points
    told = [m for m in found.marks if m.kind == "code"]
    assert {m.expected for m in told if m.expected} == set(one.codes)
    # Nothing that the learner wrote goes ungraded.
    wrote = {c.replace(".", "").upper() for c in answers.codes if c.strip()}
    assert {m.given.replace(".", "") for m in told if m.given} == wrote


def result(found, given):
    return next(m for m in found.marks if m.given == given)


def test_each_kind_of_answer_is_told_with_words_and_rule():
    one = exercise("possible-pneumonia")
    found = grade(one, Answers(codes=["R05.9", "J18.9"], gaps=[GapMark(code="R05.9", missing="cause")]))
    invented = result(found, "J18.9")
    assert (invented.result, invented.rules, invented.points) == ("invented", ("outpatient-uncertain",), -0.5)
    assert any("pneumonia" in w.lower() for w in invented.words)
    assert [m.expected for m in found.marks if m.result == "missed"] == ["R50.9"]
    assert result(found, "cause of R05.9").result == "also right"
    assert "note" in result(found, "R05.9").result or result(found, "R05.9").result == "right"


def test_the_right_category_earns_half_and_says_what_was_missed():
    one = exercise("hip-osteoarthritis")
    found = grade(one, Answers(codes=["M16.10"]))
    mark = result(found, "M16.10")
    assert (mark.result, mark.expected, mark.points, mark.of) == ("less specific", "M16.12", 0.5, 1)
    assert "left" in mark.why
    other = result(grade(one, Answers(codes=["M16.11"])), "M16.11")
    assert (other.result, other.points) == ("other detail", 0.5)
    heading = result(grade(one, Answers(codes=["M16"])), "M16")
    assert heading.result == "less specific"
    unknown = result(grade(one, Answers(codes=["M16.12", "Q99.99"])), "Q99.99")
    assert "no code" in unknown.why


def test_codes_are_read_with_or_without_dot_and_the_first_listed_counts():
    one = exercise("screening-colonoscopy-polyp")
    assert grade(one, Answers(codes=["z1211", "k635", "Z80.0"])).percent == 100
    swapped = grade(one, Answers(codes=["K63.5", "Z12.11", "Z80.0"]))
    assert swapped.points == swapped.of - 1
    assert next(m for m in swapped.marks if m.kind == "order").result == "missed"


def test_gaps_and_level_are_graded():
    one = exercise("knee-side-missing")
    found = grade(one, Answers(gaps=[GapMark(code="M17", missing="laterality"), GapMark(code="M17.9", missing="organism"),
                                     GapMark(code="J45", missing="severity")]))  # fmt: skip
    assert result(found, "laterality of M17").result == "right"
    assert result(found, "organism of M17.9").result == "other detail"
    assert result(found, "severity of J45").result == "invented"
    one = exercise("copd-exacerbation-smoker")
    levels = {level: next(m for m in grade(one, Answers(level=level)).marks if m.kind == "level").result
              for level in ("99214", "99213", "99212", "")}  # fmt: skip
    assert levels == {"99214": "right", "99213": "near", "99212": "missed", "": "missed"}


def test_an_exercise_can_be_made_of_any_note():
    made = exercise_for("mine", "A knee", Note(KNEE, date_of_service=DAY, patient=Patient(58, "male")))
    assert "M17.11" in made.codes
    assert grade(made, key_of(made)).percent == 100


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('title = "x"', "titel = 1", "titel"),
        ('title = "x"', "", "title"),
        ('id = "own"', 'id = "other"', "file's name"),
        ('note = "Assessment: Asthma."', "note = 7", "note"),
        ('codes = ["J45.909"]', 'codes = ["J45.909"]\nsetting = "home"', "setting"),
        ('codes = ["J45.909"]', 'codes = ["J45.909"]\ndate_of_service = "soon"', "date"),
        ('codes = ["J45.909"]', 'codes = ["J45.909"]\n[[gap]]\nmissing = "luck"', "gap"),
        ('title = "x"', "title =", "not TOML"),
    ],
)
def test_an_exercise_file_with_a_mistake_is_refused_by_file_and_key(old, new, says):
    text = 'id = "own"\ntitle = "x"\ntopics = []\nteaches = "y"\nnote = "Assessment: Asthma."\ncodes = ["J45.909"]\n'
    assert parse_exercise(text, "own.toml").codes == ("J45.909",)
    with pytest.raises(InputProblem, match=says) as problem:
        parse_exercise(text.replace(old, new, 1), "own.toml")
    assert str(problem.value).startswith("own.toml")
    assert "Asthma" not in str(problem.value)


# --- commands --------------------------------------------------------------------------------------------------------


def test_a_lesson_is_printed_in_three_forms():
    text = run("lesson", "outpatient-uncertain")
    assert text.exit_code == 0
    assert "COUNTEREXAMPLE" in text.output and "THE DIFFERENCE" in text.output and "IV.H" in text.output
    assert run("lesson", "outpatient-uncertain", "--format", "markdown").output.startswith("# ")
    assert run("lesson", "outpatient-uncertain", "--format", "html").output.startswith("<!doctype html>")
    assert isinstance(run("lesson", "nosuch").exception, InputProblem)
    assert isinstance(run("lesson", "sequencing", "--format", "pdf").exception, InputProblem)


def test_pairs_are_printed(tmp_path):
    note = tmp_path / "note.txt"
    note.write_text(KNEE, encoding="utf-8")
    text = run("pairs", str(note), "--on", "2026-05-12")
    assert text.exit_code == 0
    assert "without the side of M17.11: [right]" in text.output and "M17.11 becomes M17.10" in text.output
    assert json.loads(run("pairs", str(note), "--json").output)[0]["changes"]
    assert "No single element" in run("pairs", "-", stdin="Hello.").output


def test_a_checklist_is_printed_and_written(tmp_path):
    assert "[ ]" in run("checklist", "83036", "--on", "2026-05-12", "--state", "fl").output
    target = tmp_path / "c.docx"
    assert run("checklist", "83036", "--format", "docx", "--out", str(target)).exit_code == 0
    assert target.read_bytes()[:2] == b"PK"
    page = tmp_path / "c.html"
    run("checklist", "83036", "--format", "html", "--out", str(page))
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "--out" in str(run("checklist", "83036", "--format", "docx").exception)
    assert isinstance(run("checklist", "83036", "--out", str(tmp_path / "no" / "c")).exception, InputProblem)


def test_exercises_are_listed_read_and_graded(tmp_path):
    assert all(key in run("exercises").output for key in KEYS)
    read = run("exercises", "possible-pneumonia").output
    assert "productive cough" in read and "J18.9" not in read
    given = tmp_path / "a.json"
    given.write_text('{"learner": "L1", "codes": ["R05.9", "J18.9"]}', encoding="utf-8")
    text = run("grade", "possible-pneumonia", str(given))
    assert text.exit_code == 0
    assert "L1: " in text.output and "missed" in text.output and "outpatient-uncertain" in text.output
    assert json.loads(run("grade", "possible-pneumonia", str(given), "--json").output)["percent"] <= 50
    own = tmp_path / "own.toml"
    own.write_text(
        'id = "own"\ntitle = "x"\ntopics = []\nteaches = "y"\nnote = "Assessment: Asthma."\ncodes = ["J45.909"]\n',
        encoding="utf-8",
    )
    assert "own" in run("grade", str(own), "-", stdin='{"codes": ["J45.909"]}').output
    assert "not JSON" in str(run("grade", "possible-pneumonia", "-", stdin="{").exception)
    assert isinstance(run("grade", "possible-pneumonia", "-", stdin='{"code": []}').exception, InputProblem)
    assert isinstance(run("grade", "nosuch", "-", stdin="{}").exception, InputProblem)
