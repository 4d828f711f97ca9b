"""The Learn page, run without a browser: every tab, what is typed again reviewed, answers graded, results in and out."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json

import pytest

pytest.importorskip("streamlit.testing.v1", reason="streamlit isn't installed")
from streamlit.testing.v1 import AppTest

from code_maps.exercises import exercises
from models.problem import InputProblem
from models.worklist import ExerciseResult
from pipeline.explain import every_rule
from pipeline.teaching.lessons import lesson
from ui.learn.class_tab import read_results, results_csv
from ui.learn.parts import changes_html, marked, results_html

AT = dt.datetime(2026, 5, 12, 10, 30, tzinfo=dt.UTC)


def run_page() -> AppTest:
    def draw() -> None:
        from ui.learn import page

        page()

    return AppTest.from_function(draw, default_timeout=120)


@pytest.fixture
def app(tmp_path, monkeypatch):
    """The page with a store of its own and nothing in it."""
    monkeypatch.setenv("CHARTPROOF_DATABASE", f"sqlite:///{tmp_path / 'kept.db'}")
    return sound(run_page().run())


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def open_tab(app: AppTest, name: str) -> AppTest:
    app.session_state["learn_tab"] = name
    return sound(app.run())


def shown(app: AppTest) -> str:
    return "\n".join(h.value for h in app.html if not h.value.startswith("<style"))


def component(app: AppTest, holding: str) -> dict:
    for one in app.get("bidi_component"):
        data = json.loads(one.proto.mixed.json if one.proto.HasField("mixed") else one.proto.json)
        if holding in data:
            return data
    raise AssertionError(holding)


# --- lessons -----------------------------------------------------------------------------------------------------------


def test_a_lesson_stands_with_both_examples_and_what_changes(app):
    text = shown(app)
    assert "A suspected diagnosis is coded in an outpatient note" in text
    assert "<mark>Possible pneumonia.</mark>" in text and "<mark>Pneumonia.</mark>" in text
    assert "What changes from left to right" in text and "J18.9 is coded" in text
    assert "Section IV.H" in text


def test_words_and_family_choose_lessons_and_one_opens(app):
    app.selectbox(key="learn_family").set_value("edit")
    app.text_input(key="learn_words").set_value("modifier 25")
    sound(app.run())
    keys = {b.key for b in app.button if b.key and b.key.startswith("learn_")}
    assert "learn_em-missing-25" in keys and "learn_outpatient-uncertain" not in keys
    app.button(key="learn_em-missing-25").click()
    sound(app.run())
    assert "A visit beside a minor procedure" in shown(app) and "99213-25" in shown(app)
    app.text_input(key="learn_words").set_value("zebra")
    sound(app.run())
    assert "No lesson has these words" in shown(app)


def test_both_texts_open_in_editors_with_what_they_give(app):
    app.button(key="learn_try").click()
    sound(app.run())
    data = component(app, "text")
    assert data["text"] == "Assessment: Cough. Possible pneumonia."
    assert shown(app).count("learn-live") == 2
    app.button(key="learn_try").click()
    assert "learn-live" not in shown(sound(app.run()))


@pytest.mark.parametrize("key", [r.id for r in every_rule()][::23])
def test_every_kind_of_lesson_can_be_drawn_and_tried(app, key):
    app.session_state["learn_rule"] = key
    sound(app.run())
    assert lesson(key).title.split()[0] in shown(app)
    app.button(key="learn_try").click()
    sound(app.run())
    assert not app.error


def test_words_of_notes_are_escaped():
    assert marked("<b>a</b> one two", ("one",)) == "&lt;b&gt;a&lt;/b&gt; <mark>one</mark> two"
    assert marked("one\ntwo one", ("one two", "one")) == "<mark>one\ntwo</mark> <mark>one</mark>"
    assert marked("a", ("", "zz")) == "a"
    found = lesson("outpatient-uncertain")
    from dataclasses import replace

    hostile = tuple(replace(r, said="<img src=x>", rule="<i>") for r in found.example.results)
    assert "<img" not in results_html(hostile, "x") and "<i>" not in results_html(hostile, "x")
    changed = tuple(replace(c, before=None, after=hostile[0]) for c in found.changes)
    assert "<img" not in changes_html(changed)


# --- pairs ---------------------------------------------------------------------------------------------------------------


def test_the_words_that_go_are_struck_and_another_pair_can_be_chosen(app):
    open_tab(app, "Minimal pairs")
    assert "<del>right </del>" in shown(app)
    assert "M17.11 becomes M17.10" in shown(app)
    app.button(key="learn_pair_1").click()
    sound(app.run())
    assert "<del>right </del>" not in shown(app)


def test_a_note_of_ones_own_is_read_as_text(app):
    open_tab(app, "Minimal pairs")
    app.selectbox(key="learn_note").set_value("A note of your own")
    sound(app.run())
    assert "Paste a note" in shown(app)
    app.text_area(key="learn_own").set_value("Assessment:\n1. Chronic kidney disease, stage 4. <script>x</script>")
    sound(app.run())
    assert "<del>" in shown(app) and "<script>" not in shown(app)


# --- practice --------------------------------------------------------------------------------------------------------------


def practise(app: AppTest, key: str, codes, gaps=(), level="") -> AppTest:
    open_tab(app, "Practice")
    app.selectbox(key="learn_exercise").set_value(key)
    sound(app.run())
    app.session_state["learn_answers"][key].update(codes=list(codes), gaps=list(gaps), level=level)
    app.run()
    app.button(key="learn_grade").click()
    return sound(app.run())


def test_the_key_is_hidden_until_the_answers_are_graded(app):
    open_tab(app, "Practice")
    app.selectbox(key="learn_exercise").set_value("possible-pneumonia")
    sound(app.run())
    assert "productive cough" in shown(app)
    assert "R05.9" not in shown(app) and "<mark>" not in shown(app)
    assert exercises()["possible-pneumonia"].teaches not in shown(app)


def test_answers_are_graded_with_rule_and_words_and_lead_to_lessons(app):
    practise(app, "possible-pneumonia", ["R05.9", "J18.9"])
    text = shown(app)
    assert "outpatient-uncertain" in text and "missed" in text and "R50.9" in text
    assert "<mark>" in text
    assert exercises()["possible-pneumonia"].teaches in text.replace("&#x27;", "'")
    app.button(key="learn_read_outpatient-uncertain").click()
    sound(app.run())
    assert app.session_state["learn_tab"] == "Lessons"


def test_codes_can_be_moved_and_taken_away_and_gaps_added(app):
    open_tab(app, "Practice")
    app.selectbox(key="learn_exercise").set_value("knee-side-missing")
    sound(app.run())
    app.session_state["learn_answers"]["knee-side-missing"]["codes"] = ["I10", "M17.9"]
    sound(app.run())
    app.button(key="learn_up_knee-side-missing_1").click()
    sound(app.run())
    assert app.session_state["learn_answers"]["knee-side-missing"]["codes"] == ["M17.9", "I10"]
    app.button(key="learn_drop_knee-side-missing_1").click()
    sound(app.run())
    app.selectbox(key="learn_gap_of_knee-side-missing").set_value("M17.9")
    app.selectbox(key="learn_gap_what_knee-side-missing").set_value("laterality")
    app.run()
    app.button(key="learn_gap_add_knee-side-missing").click()
    sound(app.run())
    assert app.session_state["learn_answers"]["knee-side-missing"] == {
        "codes": ["M17.9"], "gaps": [("M17.9", "laterality")], "level": "",
    }  # fmt: skip
    app.button(key="learn_grade").click()
    assert "laterality of M17.9" in shown(sound(app.run()))
    app.button(key="learn_again").click()
    sound(app.run())
    assert "learn-score" not in shown(app)


# --- checklists and class ----------------------------------------------------------------------------------------------------


def test_a_checklist_is_shown_and_a_code_that_is_none_is_one_clear_line(app):
    open_tab(app, "Checklists")
    app.button(key="learn_service_E0601").click()
    sound(app.run())
    assert "G47.33" in shown(app) and "<h1>" not in shown(app)
    assert len(app.get("download_button")) == 4
    app.text_input(key="learn_service").set_value("heart")
    sound(app.run())
    assert ["no CPT or HCPCS code" in e.value for e in app.error] == [True]


def test_a_result_that_is_kept_stands_in_the_class(app):
    open_tab(app, "Practice")
    app.text_input(key="learn_learner").set_value("Learner <b>7</b>")
    practise(app, "possible-pneumonia", ["J18.9"])
    app.button(key="learn_keep").click()
    sound(app.run())
    assert [s.value for s in app.success]
    open_tab(app, "Class")
    assert "Learner &lt;b&gt;7&lt;/b&gt;" in shown(app) and "Possible pneumonia before" in shown(app)
    app.button(key="learn_wrong_outpatient-uncertain").click()
    sound(app.run())
    assert "A suspected diagnosis" in shown(app)


def test_without_a_store_results_stay_in_the_session(app, monkeypatch):
    monkeypatch.setenv("CHARTPROOF_DATABASE", "sqlite:////proc/nowhere/kept.db")
    practise(app, "possible-pneumonia", ["R05.9"])
    app.button(key="learn_keep").click()
    sound(app.run())
    open_tab(app, "Class")
    assert "no name" in shown(app)


def test_results_go_out_as_csv_without_formulas_and_come_back():
    given = [ExerciseResult("=cmd()", "possible-pneumonia", 0.625, ("outpatient-uncertain", "sequencing"), AT)]
    text = results_csv(given)
    assert next(csv.DictReader(io.StringIO(text)))["learner"] == "'=cmd()"
    [back] = read_results(text.encode(), "r.csv")
    assert (back.score, back.wrong_rules, back.at) == (0.625, given[0].wrong_rules, AT)
    assert read_results(b"", "r.csv") == []


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\xff\xfe\x00", "can't be read"),
        (b"a,b\n1,2\n", "columns are missing"),
        (b"learner,exercise,percent,wrong_rules,at\nx,y,much,,2026-05-12\n", "line 2"),
        (b"learner,exercise,percent,wrong_rules,at\nx,y,50,,soon\n", "line 2"),
        (b"learner,exercise,percent,wrong_rules,at\nx,y,250,,2026-05-12\n", "0 to 100"),
    ],
)
def test_a_file_of_results_with_a_mistake_is_refused(data, says):
    with pytest.raises(InputProblem, match=says):
        read_results(data, "r.csv")
