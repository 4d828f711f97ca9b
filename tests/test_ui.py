"""The pages of the workbench, run without a browser: what is shown, what is refused, and that a note stays text."""

from __future__ import annotations

import csv
import datetime as dt
import html
import io
import json
import logging
import re
import tomllib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("streamlit.testing.v1", reason="streamlit isn't installed")
from streamlit.testing.v1 import AppTest

from code_maps.icd10cm import load
from exchange.rendered import as_html, as_markdown, as_text, marked_note, query_text
from models.claim import Claim, ClaimCheck, Edit, Policy, Verdict
from models.finding import Assertion, Cue, Finding
from models.gap import EvaluationManagement, LevelReason
from models.report import Report
from models.text import Note, Patient
from pipeline.review import review
from pipeline.suppose import suppose
from store import open_store
from ui import decisions, downloads, inputs
from ui.decisions import Made
from ui.lookup import hits
from ui.note_view import note_data
from ui.results import TAB_OF, Shown, next_on, results_on, words_of
from ui.samples import samples

APP = str(Path(__file__).resolve().parent.parent / "app.py")
NOTE = """CC: right knee pain.
HPI: Denies chest pain. Right knee pain for six months.
Family history: father had a stroke.
ASSESSMENT AND PLAN
1. Primary osteoarthritis of the right knee. Failed 8 weeks of physical therapy.
2. Hypertension, controlled on lisinopril.
"""
HOSTILE = (
    "ASSESSMENT\n1. Hypertension <script>window.pwned=1</script> on lisinopril.\n"
    "2. Type 2 diabetes <img src=x onerror=window.pwned=1> **bold** $\\frac{1}{0}$ [link](http://evil.example/x) :smile:\n"
    "3. \u202eright knee pain\u202c </div></mark><style>*{display:none}</style> \x1b[31mred\x07\n"
    "4. אסתמה חמורה שלום `code` <a href='javascript:alert(1)'>x</a> &lt;b&gt; \U0001f9e0 asthma.\n"
)


@pytest.fixture
def app():
    """The Review page with nothing entered."""
    opened = AppTest.from_file(APP, default_timeout=120).run()
    assert not opened.exception
    return opened


def pasted(app: AppTest, text: str) -> AppTest:
    """The note as the editor in the browser hands it over (tests/browser does it with a real one)."""
    app.session_state["text"] = text
    app.date_input(key="on").set_value(dt.date(2026, 5, 12))
    return app.run()


def open_tab(app: AppTest, name: str) -> AppTest:
    app.session_state["tab"] = name
    return app.run()


def shown(app: AppTest) -> str:
    """Everything that st.html drew, styles aside."""
    return "\n".join(h.value for h in app.html if not h.value.startswith("<style"))


def drawn_note(app: AppTest) -> dict:
    """What the browser is given to draw the note from."""
    for component in app.get("bidi_component"):
        data = json.loads(component.proto.mixed.json if component.proto.HasField("mixed") else component.proto.json)
        if "pieces" in data:
            return data
    raise AssertionError("no note is drawn")


def codes_shown(app: AppTest) -> list[str]:
    return re.findall(r'data-do="code:\d+"[^>]*><b>([^<]+)</b>', shown(app))


def opened(app: AppTest, key: str) -> AppTest:
    """A result opened, as a click on it does."""
    app.session_state["open"] = None if app.session_state["open"] == key else key
    app.session_state["tab"] = TAB_OF[key.partition(":")[0]]
    return app.run()


class Reader(HTMLParser):
    """Tags and text of a piece of HTML, as a browser would read them."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.text = ""
        self.attributes: set[str] = set()
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data):
        self.text += data


# --- the review page -------------------------------------------------------------------------------------------------


def test_an_empty_form_says_what_to_do_and_reviews_nothing(app):
    assert "Does the note prove the claim?" in shown(app)
    assert "Nothing leaves this machine" in shown(app)
    assert not codes_shown(app)


@pytest.mark.skipif(not samples(), reason="no sample notes are installed")
@pytest.mark.parametrize("name", ["knee-osteoarthritis", "diabetes-ckd", "sepsis-discharge"])
def test_a_sample_fills_the_form_and_shows_its_codes(app, name):
    sample = samples()[name]
    app.selectbox(key="sample").set_value(name).run()
    assert not app.exception
    assert not app.error
    assert app.session_state["text"] == sample.text
    assert app.session_state["setting"] == sample.encounter.get("setting", "outpatient")
    reviewed = app.session_state["reviewed"][1]
    assert codes_shown(app) == [p.code for p in reviewed.proposals] != []
    assert f"{len(reviewed.proposals)} codes supported" in shown(app)


@pytest.mark.skipif(not samples(), reason="no sample notes are installed")
@pytest.mark.parametrize("name", list(samples()))
def test_the_form_reads_a_sample_claim_back_as_it_was_written(app, name):
    app.selectbox(key="sample").set_value(name).run()
    written = Claim.model_validate(samples()[name].claim)
    read = app.session_state["reviewed"][0][1]
    assert read.model_dump() == written.model_dump()
    assert ("last_seen" in read.patient.model_fields_set) == ("last_seen" in written.patient.model_fields_set)


@pytest.mark.skipif(not samples(), reason="no sample notes are installed")
def test_every_tab_of_every_sample_opens(app):
    for name in samples():
        app.selectbox(key="sample").set_value(name).run()
        for tab in ("Codes", "Claim", "Gaps", "E/M", "Why not"):
            open_tab(app, tab)
            assert not app.exception, (name, tab)
            assert not app.error, (name, tab)


def test_the_page_works_without_samples(monkeypatch):
    monkeypatch.setattr("ui.samples.files", lambda name: (_ for _ in ()).throw(ModuleNotFoundError(name)))
    samples.cache_clear()
    try:
        app = AppTest.from_file(APP, default_timeout=120).run()
        assert not app.exception
        assert "Does the note prove the claim?" in shown(app)
        assert codes_shown(pasted(app, NOTE))
    finally:
        samples.cache_clear()


def test_a_pasted_note_is_reviewed(app):
    pasted(app, NOTE)
    assert not app.exception
    assert "M17.11" in codes_shown(app)
    note = drawn_note(app)
    assert "".join(piece["t"] for piece in note["pieces"]) == NOTE


def test_marks_say_kind_assertion_cue_and_codes_without_colour(app):
    pasted(app, NOTE)
    marks = {p["t"]: p for p in drawn_note(app)["pieces"] if "k" in p}
    denied = marks["chest pain"]
    assert denied["tag"].endswith("·no")
    assert "a-negated" in denied["cls"]
    assert "negated" in denied["about"]
    assert "“Denies”" in denied["about"]
    coded = marks["Primary osteoarthritis of the right knee"]
    assert coded["coded"]
    assert "M17.11" in coded["about"]
    assert any("family" in p["cls"] and "family" in p["tag"] for p in marks.values())


def test_opening_a_code_shows_its_words_and_its_place_and_opening_it_again_lets_go(app):
    pasted(app, NOTE)
    number = codes_shown(app).index("M17.11")
    opened(app, f"code:{number}")
    note = drawn_note(app)
    proposal = app.session_state["reviewed"][1].proposals[number]
    assert [proposal.evidence[0].start, proposal.evidence[0].end] in note["spans"]
    assert [NOTE[a:b] for a, b in note["axes"]] == ["right"]
    assert "chapter 13" in shown(app)
    assert "specificity-descent" in shown(app)
    opened(app, f"code:{number}")
    assert drawn_note(app)["spans"] == []


def test_an_open_code_shows_its_instructional_notes_with_where_they_come_from(app):
    pasted(app, "ASSESSMENT\n1. Acute on chronic systolic heart failure, on furosemide.\n")
    opened(app, f"code:{codes_shown(app).index('I50.23')}")
    page = html.unescape(shown(app))
    assert "Instructional notes" in page
    assert "heart failure due to hypertension (I11.0)" in page
    assert "from I50<" in page
    assert "Excludes1: never together" in page


def test_an_open_axis_is_a_question_and_supposing_never_edits_the_note(app):
    pasted(app, "ASSESSMENT\n1. Chronic heart failure, on furosemide.\n")
    report = app.session_state["reviewed"][1]
    number, proposal = next((n, p) for n, p in enumerate(report.proposals) if p.open_axes)
    opened(app, f"code:{number}")
    axis = proposal.open_axes[0]
    app.pills(key=f"suppose_{proposal.code}_{axis.axis}").set_value(axis.choices[0].value).run()
    assert axis.choices[0].code in shown(app)
    assert app.session_state["reviewed"][1] is report


def test_every_gap_comes_with_a_query_to_copy_and_to_download(app):
    open_tab(pasted(app, "ASSESSMENT\n1. Heart failure, on furosemide.\n"), "Gaps")
    gaps = app.session_state["reviewed"][1].gaps
    assert gaps
    for number, gap in enumerate(gaps):
        opened(app, f"gap:{number}")
        [code] = app.code
        assert code.value == query_text(gap, dt.date(2026, 5, 12))
        assert gap.ask in code.value
        assert app.get("download_button")


def test_supposing_an_answer_to_a_gap_reviews_again_and_leaves_note_and_report_alone(app):
    pasted(app, "ASSESSMENT\n1. Asthma, on albuterol.\n")
    report = app.session_state["reviewed"][1]
    number, gap = next((n, g) for n, g in enumerate(report.gaps) if g.missing == "severity")
    opened(app, f"gap:{number}")
    app.pills(key=f"answer_{gap.id}").set_value(gap.options[0]).run()
    assert not app.exception
    assert "Only supposed: the note is unchanged" in html.unescape(shown(app))
    then = suppose(app.session_state["reviewed"][0][0].note(), None, report, gap, gap.options[0])
    assert then.codes
    assert all(f"<b>{code}</b>" in shown(app) for _, code in then.codes if code)
    assert app.session_state["reviewed"][1] is report


# --- from words to results and back --------------------------------------------------------------------------------


def test_words_open_the_code_first_and_then_what_else_rests_on_them(reviewed):
    report = reviewed("ASSESSMENT\n1. Heart failure, on furosemide.\n")
    [code] = [n for n, p in enumerate(report.proposals) if p.code == "I50.9"]
    ids = report.proposals[code].findings[:1]
    on = results_on(report, ids)
    assert on[0] == f"code:{code}"
    assert any(key.startswith("gap:") for key in on)
    assert next_on(report, ids, None) == on[0]
    assert next_on(report, ids, on[0]) == on[1]
    assert next_on(report, ids, on[-1]) == on[0]
    assert next_on(report, ["nothing"], None) is None


def test_every_result_shows_words_that_stand_in_the_note(reviewed):
    text = NOTE + "3. No pneumonia. Possible gout.\n"
    report = reviewed(text)
    keys = results_on(report, [f.id for f in report.findings])
    assert {key.partition(":")[0] for key in keys} >= {"code", "held"}
    for key in keys:
        places = words_of(report, key).spans
        assert places, key
        assert all(0 <= a < b <= len(text) for a, b in places), key


@pytest.mark.parametrize("key", [None, "", "code:99", "code:x", "line:1", "gap:-1", "other:0"])
def test_a_key_of_another_report_shows_nothing(reviewed, key):
    assert words_of(reviewed(NOTE), key) == Shown()


def test_every_quote_in_the_results_can_be_shown_in_the_note(app):
    pasted(app, NOTE)
    for tab in ("Codes", "Claim", "Gaps", "E/M", "Why not"):
        open_tab(app, tab)
        for place in re.findall(r'data-show="([^"]*)"', shown(app)):
            for start, end in (map(int, span.split("-")) for span in place.split()):
                assert 0 <= start < end <= len(NOTE)


# --- decisions -----------------------------------------------------------------------------------------------------


def decided(app: AppTest) -> dict:
    return {code: (m.decision, m.replacement, m.reason) for code, m in app.session_state["decisions"].items()}


def test_a_code_is_accepted_with_one_press_and_pressed_again_taken_back(app):
    pasted(app, NOTE)
    opened(app, f"code:{codes_shown(app).index('M17.11')}")
    app.button(key="do_accept_M17.11").click().run()
    assert decided(app) == {"M17.11": ("accept", None, "")}
    assert "accepted" in shown(app)
    app.button(key="do_accept_M17.11").click().run()
    assert decided(app) == {}


def test_rejecting_asks_for_a_reason_and_nothing_is_rejected_before(app):
    pasted(app, NOTE)
    opened(app, f"code:{codes_shown(app).index('I10')}")
    app.button(key="do_reject_I10").click().run()
    assert decided(app) == {}
    app.selectbox(key="reason_reject_I10_").set_value("Already in another code").run()
    assert decided(app) == {"I10": ("reject", None, "Already in another code")}
    assert "rejected: Already in another code" in shown(app)


def test_a_replacement_needs_a_billable_code_and_a_reason(app):
    pasted(app, NOTE)
    opened(app, f"code:{codes_shown(app).index('I10')}")
    app.button(key="do_replace_I10").click().run()
    app.session_state["replacement_I10"] = "I15"
    app.run()
    assert "billable" in html.unescape(shown(app))
    assert not [s for s in app.selectbox if str(s.key).startswith("reason_")]
    app.session_state["replacement_I10"] = "I15.9"
    app.run()
    app.selectbox(key="reason_replace_I10_I15.9").set_value("The words mean another condition").run()
    assert decided(app) == {"I10": ("replace", "I15.9", "The words mean another condition")}


def test_a_code_that_a_rule_holds_back_can_be_taken_with_a_reason(app):
    pasted(app, "ASSESSMENT\n1. Possible pneumonia.\n2. Hypertension, on lisinopril.\n")
    report = app.session_state["reviewed"][1]
    number, held = next((n, w) for n, w in enumerate(report.withheld) if w.code.startswith("J18"))
    opened(app, f"held:{number}")
    app.selectbox(key=f"reason_accept_{held.code}_").set_value("Confirmed by the provider").run()
    assert decided(app) == {held.code: ("accept", None, "Confirmed by the provider")}


def test_decisions_stand_in_every_download(app, monkeypatch):
    pasted(app, NOTE)
    report = app.session_state["reviewed"][1]
    reason = "=1+1 <b>|why|</b>"
    kept = {"I10": Made("I10", "reject", reason, None, "local user", "2026-05-12T10:00:00+00:00")}
    monkeypatch.setattr(decisions, "all_made", lambda: kept)
    assert json.loads(downloads.as_json(report))["decisions"][0]["reason"] == reason
    assert json.loads(downloads.as_json(report))["schema"] == "chartproof.report/1"
    assert "## Decisions" in downloads.markdown(report)
    assert "<b>" not in downloads.markdown(report).partition("## Decisions")[2]
    page = Reader(downloads.page(report, NOTE))
    assert reason in page.text
    rows = list(csv.DictReader(io.StringIO(downloads.codes_csv(report))))
    assert [r["reason"] for r in rows if r["code"] == "I10"] == ["'" + reason]
    assert any(getattr(block, "text", "") == "Decisions" for block in downloads.paper(report).blocks)
    for made, start in ((downloads.as_pdf, b"%PDF"), (downloads.as_docx, b"PK")):
        assert made(downloads.paper(report)).startswith(start)


def test_an_edited_note_keeps_its_decisions_and_another_note_has_none(app):
    pasted(app, NOTE)
    opened(app, f"code:{codes_shown(app).index('I10')}")
    app.button(key="do_accept_I10").click().run()
    with_state(app, lambda: inputs.set_text(NOTE + "3. Gout.\n"))
    assert "I10" in decided(app)
    with_state(app, lambda: inputs.set_text("ASSESSMENT\n1. Asthma.\n"))
    assert decided(app) == {}


def with_state(app: AppTest, change) -> AppTest:
    """A change made as a callback makes it, to the state of this page."""
    state = SimpleNamespace(session_state=app.session_state)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ui.inputs.st", state)
        patch.setattr("ui.decisions.st", state)
        change()
    return app.run()


def test_the_result_that_was_open_stays_open_when_the_note_is_edited(app):
    pasted(app, NOTE)
    opened(app, f"code:{codes_shown(app).index('I10')}")
    app.session_state["text"] = NOTE.replace("1. Primary", "0. Gout, on allopurinol.\n1. Primary")
    app.run()
    assert codes_shown(app)[int(app.session_state["open"].removeprefix("code:"))] == "I10"


# --- what changes --------------------------------------------------------------------------------------------------


def test_the_other_setting_shows_what_changes_and_back_again_nothing(app):
    pasted(app, "ASSESSMENT\n1. Probable pneumonia, started on ceftriaxone.\n2. Hypertension, on lisinopril.\n")
    assert "What changes" not in shown(app)
    app.segmented_control(key="setting").set_value("inpatient").run()
    page = html.unescape(shown(app))
    assert "What changes" in page
    assert "outpatient → inpatient" in page
    assert "J18.9" in page.partition("What changes")[2].partition("</details>")[0]
    app.segmented_control(key="setting").set_value("outpatient").run()
    assert "What changes" not in shown(app)


def test_another_date_shows_what_changes(app):
    pasted(app, NOTE)
    app.date_input(key="on").set_value(dt.date(2025, 3, 1)).run()
    assert "2026-05-12 → 2025-03-01" in html.unescape(shown(app))


# --- saving --------------------------------------------------------------------------------------------------------


@pytest.fixture
def kept_apart(tmp_path, monkeypatch):
    """A database of the test's own."""
    monkeypatch.setenv("CHARTPROOF_DATABASE", f"sqlite:///{tmp_path / 'kept.db'}")
    return tmp_path / "kept.db"


def test_nothing_is_written_before_save_is_pressed_and_then_note_report_and_decisions_are_kept(app, kept_apart):
    pasted(app, NOTE)
    opened(app, f"code:{codes_shown(app).index('I10')}")
    app.button(key="do_accept_I10").click().run()
    assert not kept_apart.exists()
    app.session_state["saving"] = True
    app.run()
    assert str(kept_apart) in html.unescape(shown(app))
    app.text_input(key="save_as").set_value("visit 7").run()
    app.button(key="save").click().run()
    assert not app.exception
    assert "Saved" in app.success[0].value
    store = open_store()
    [version] = store.versions("visit 7")
    assert version.record.text == NOTE
    assert version.saved_by == "local user"
    assert [(d.code, d.decision) for d in store.decisions(version.id)] == [("I10", "accept")]
    store.close()
    app.button(key="save").click().run()
    assert "Already saved" in app.success[0].value


# --- looking codes up ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "code"),
    [("osteoarthritis right kne", "M17.11"), ("i50.2", "I50.20"), ("I5022", "I50.22"), ("m17.1", "M17.10"),
     ("type 2 diabetes", "E11.9"), ("83036", "83036")],
)  # fmt: skip
def test_codes_are_found_while_they_are_typed(asked, code):
    found = hits(load(dt.date(2026, 5, 12)), asked, services=True)
    assert code in [c for c, _ in found]


@pytest.mark.parametrize("asked", ["", "zz", "<script>", "E11.", "99999", "a" * 5000, "\u202e"])
def test_whatever_is_typed_only_billable_codes_are_found(asked):
    codes = load(dt.date(2026, 5, 12))
    assert all(codes.is_billable(code) for code, _ in hits(codes, asked))


# --- entries that can't be used ----------------------------------------------------------------------------------------


def with_lines(app: AppTest, diagnoses: str, *lines: dict) -> AppTest:
    app.session_state["lines"] = [{"code": "", "modifiers": "", "units": 1.0, "pointers": "", **line} for line in lines]
    app.session_state["grid"] = app.session_state["grid"] + 1
    app.text_input(key="diagnoses").set_value(diagnoses)
    return pasted(app, NOTE)


@pytest.mark.parametrize("pointer", ["M", "1", "A Z", "É"])
def test_a_bad_pointer_is_a_clear_error_and_the_note_is_reviewed_all_the_same(app, pointer):
    with_lines(app, "M17.11", {"code": "20610", "pointers": pointer})
    [error] = app.error
    assert "Claim line 1" in error.value
    assert "A to L" in error.value
    assert "M17.11" in codes_shown(app)


@pytest.mark.parametrize(
    ("entered", "read"), [("A", (1,)), ("ab", (1, 2)), ("B, A", (2, 1)), ("a b", (1, 2)), ("L", (12,)), ("", ())]
)
def test_pointers_are_letters_in_any_common_spelling(app, entered, read):
    with_lines(app, "M17.11 I10", {"code": "20610", "pointers": entered})
    assert not app.error
    assert app.session_state["reviewed"][0][1].lines[0].pointers == read


def test_pointers_without_a_service_are_an_error(app):
    with_lines(app, "M17.11", {"pointers": "A"})
    assert "without a service" in app.error[0].value


def test_everything_wrong_with_a_claim_is_said_at_once_and_nothing_is_lost(app):
    rows = [
        {"code": "2061", "pointers": "A"},
        {"code": "83036", "pointers": "Q"},
        {"code": "20610", "modifiers": "RTX"},
    ]
    with_lines(app, "M17.11", *rows)
    [error] = app.error
    for words in ("Claim line 1", "Claim line 2", "Claim line 3", "no modifier"):
        assert words in error.value.replace("\\", "")
    assert [row["code"] for row in app.session_state["kept_lines"]] == ["2061", "83036", "20610"]
    assert app.text_input(key="diagnoses").value == "M17.11"


def test_suggested_pointers_are_taken_over_into_the_grid(app):
    with_lines(app, "I10 M17.11", {"code": "83036", "pointers": "A"}, {}, {"code": "20610", "pointers": "A"})
    with_state(app, lambda: inputs.point(2, (2, 1)))
    assert [row["pointers"] for row in app.session_state["lines"]] == ["A", "", "B A"]
    assert app.session_state["reviewed"][0][1].lines[1].pointers == (2, 1)


@pytest.mark.parametrize(
    ("code", "diagnoses", "lines"), [("E11.9", "M17.11, E11.9", 0), ("G0296", "M17.11", 1), ("M17.11", "M17.11", 0)]
)
def test_a_code_that_was_found_goes_into_the_claim(app, code, diagnoses, lines):
    with_lines(app, "M17.11")
    with_state(app, lambda: inputs._add(code))
    assert app.text_input(key="diagnoses").value == diagnoses
    assert sum(bool(row["code"]) for row in app.session_state["lines"]) == lines


@pytest.mark.parametrize(
    ("field", "entered"), [("history", "83036 yesterday"), ("history", "83036"), ("last_seen", "last week")]
)
def test_a_bad_date_names_its_field(app, field, entered):
    app.text_input(key=field).set_value(entered)
    with_lines(app, "M17.11", {"code": "20610", "pointers": "A"})
    assert "Earlier services" in app.error[0].value or "Last seen" in app.error[0].value


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"\xff\xfebad", "UTF"), (b"", "no text"), (b"note\0\0", "zero"), (b"a" * 1_000_001, "1,000,000")],
)
def test_a_file_that_is_no_note_is_a_clear_error(app, data, said):
    app.file_uploader(key="upload").set_value(("note.txt", data, "text/plain")).run()
    assert not app.exception
    [error] = app.error
    assert said in error.value.replace("\\", "")


def test_an_uploaded_file_is_reviewed(app):
    app.file_uploader(key="upload").set_value(("note.txt", b"\xef\xbb\xbf" + NOTE.encode(), "text/plain")).run()
    assert not app.error
    assert app.session_state["text"] == NOTE
    assert "M17.11" in codes_shown(app)


def test_an_unforeseen_failure_shows_and_logs_no_word_of_the_note(app, monkeypatch, caplog):
    def fails(note, claim=None):
        raise RuntimeError(note.text)

    monkeypatch.setattr("pipeline.review.review", fails)
    with caplog.at_level(logging.DEBUG):
        app = AppTest.from_file(APP, default_timeout=120).run()
        monkeypatch.setattr("ui.review_page.review", fails)
        pasted(app, "ASSESSMENT: Zebrafishitis")
    assert "RuntimeError" in app.error[0].value
    assert not app.exception
    assert "Zebrafishitis" not in caplog.text


# --- the note stays text -------------------------------------------------------------------------------------------------


def test_a_hostile_note_is_shown_as_text(app):
    pasted(app, HOSTILE)
    assert not app.exception
    assert codes_shown(app)
    for tab in ("Codes", "Claim", "Gaps", "E/M", "Why not"):
        open_tab(app, tab)
        read = Reader(shown(app))
        assert not read.tags & {"script", "img", "style", "a", "iframe", "svg", "object", "input", "form"}, tab
        assert not {a for a in read.attributes if a.startswith("on")}, tab
        for element in [*app.markdown, *app.caption, *app.error]:
            assert "pwned" not in element.value
    for number in range(len(codes_shown(open_tab(app, "Codes")))):
        opened(app, f"code:{number}")
        assert not app.exception
        assert not Reader(shown(app)).tags & {"script", "img", "style", "a"}
    assert "".join(p["t"] for p in drawn_note(app)["pieces"]) == HOSTILE


def test_the_note_is_in_no_address(app):
    pasted(app, HOSTILE)
    assert not app.query_params


def test_marked_notes_escape_everything_and_lose_nothing(reviewed):
    for text in (HOSTILE, NOTE, "", "<", "\r\nA\u2028B\u200f", "&amp;" * 50):
        report = reviewed(text)
        coded = frozenset(i for p in report.proposals for i in p.findings)
        read = Reader(marked_note(text, report.findings, coded, report.sections))
        assert read.text == text
        assert read.tags <= {"div", "mark", "b"}


def test_no_format_runs_what_a_note_holds(reviewed):
    report = reviewed(HOSTILE)
    page = Reader(as_html(report, HOSTILE))
    assert not page.tags & {"script", "img", "a", "iframe"}
    assert not {a for a in page.attributes if a.startswith("on")}
    assert "http://" not in re.sub(r"http://evil\.example/x", "", as_html(report, HOSTILE))
    markdown = as_markdown(report)
    assert "<script" not in markdown
    assert "<img" not in markdown
    plain = as_text(report)
    assert not set(plain) & {"\x1b", "\x07", "\u202e"}


def test_a_note_of_500_kb_is_drawn_whole(reviewed):
    one = reviewed(HOSTILE)
    times = 500_000 // len(HOSTILE)
    text = HOSTILE * times
    size = len(HOSTILE)
    findings = tuple(
        replace(f, id=f"{f.id}-{n}", start=f.start + n * size, end=f.end + n * size)
        for n in range(times) for f in one.findings
    )  # fmt: skip
    report = Report(note=one.note, findings=findings)
    assert "".join(p["t"] for p in note_data(report, text)["pieces"]) == text
    assert Reader(marked_note(text, findings)).text == text


def test_overlapping_findings_share_one_mark_that_knows_them_all():
    text = "acute on chronic heart failure"
    said = Assertion("present", "current", "patient", (Cue("acute", 0, 5, "history"),))
    long = Finding("f1", "condition", text, 0, 30, said)
    short = Finding("f2", "condition", text[17:], 17, 30, said)
    both = note_data(Report(note=review(Note(text)).note, findings=(long, short)), text)["pieces"]
    assert [p["ids"] for p in both] == [["f1", "f2"]]


# --- claims and levels -----------------------------------------------------------------------------------------------


def checked(report: Report) -> Report:
    """A report with a claim check and a level, whatever the pipeline checks by itself."""
    policy = Policy(
        id="A900101", title="Knee <b>injection</b>", version=3, kind="Article", group=1, quote="Covered if …"
    )
    lines = (
        Verdict(line=1, code="20610", verdict="PASS", diagnoses=("M17.11",), reasons=("dx-covered",), policy=policy),
        Verdict(line=2, code="83036", verdict="FAIL_NOT_LINKED", diagnoses=("M17.11",), why="Points to M17.11 only.",
                supported_but_not_pointed=("I10",), carc="11", liability="provider", missing=("the <i>link</i>",)),
        Verdict(line=3, code="99999", verdict="NO_POLICY"),
    )  # fmt: skip
    edits = (Edit(edit="dangling-pointer", severity="error", line=3, why="Line 3 points to nothing.", source="X12"),)
    check = ClaimCheck(lines=lines, edits=edits, undocumented=("E78.5",), unbilled=("I10",), notices=("one",))
    level = EvaluationManagement(
        "moderate", "limited", "moderate", "moderate", ("99214",), (LevelReason("risk", "a drug"),), "99215",
        "billed level above documentation",
    )  # fmt: skip
    return replace(report, claim=check, em=level)


@pytest.fixture
def checked_app(monkeypatch):
    monkeypatch.setattr("ui.review_page.review", lambda note, claim=None: checked(review(note)))
    app = AppTest.from_file(APP, default_timeout=120).run()
    lines = [("20610", "A"), ("83036", "A"), ("99999", "C")]
    return with_lines(app, "M17.11, I10", *({"code": c, "pointers": p} for c, p in lines))


def test_the_answer_names_the_line_at_risk_in_plain_words(checked_app):
    assert "line 2 at risk: diagnosis not linked" in shown(checked_app)
    assert "99214 supported, 99215 billed" in shown(checked_app)
    assert "E78.5 billed, not in the note" in shown(checked_app)


def test_the_matrix_says_pointed_supported_and_not_pointed(checked_app):
    open_tab(checked_app, "Claim")
    page = shown(checked_app)
    cells = re.findall(r'title="(line \d, [^"]+)"', page)
    assert cells == ["line 1, M17.11: supports", "line 2, M17.11: no support", "line 2, I10: not pointed"]
    assert "&lt;b&gt;injection&lt;/b&gt;" in page
    assert "<b>injection" not in page
    assert "the &lt;i&gt;link&lt;/i&gt;" in page
    assert page.count("Line 3 points to nothing.") == 1


def test_the_level_panel_shows_elements_and_reasons(checked_app):
    page = shown(open_tab(checked_app, "E/M"))
    assert "billed level above documentation" in page
    assert "a drug" in page


def test_a_review_that_checks_no_claims_says_so(monkeypatch):
    monkeypatch.setattr("ui.review_page.review", lambda note, claim=None: replace(review(note), claim=None, em=None))
    app = AppTest.from_file(APP, default_timeout=120).run()
    with_lines(app, "M17.11", {"code": "20610", "pointers": "A"})
    assert not open_tab(app, "Claim").exception
    assert "check claims" in shown(app)
    assert not open_tab(app, "E/M").exception


# --- reference -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def reference():
    def page() -> None:
        from ui.reference import page as draw

        draw()

    opened = AppTest.from_function(page, default_timeout=120).run()
    assert not opened.exception
    return opened


def test_a_code_reads_like_the_tabular(reference):
    reference.text_input(key="asked").set_value("e11.22").run()
    page = html.unescape(shown(reference))
    assert "Type 2 diabetes mellitus with diabetic chronic kidney disease" in page
    assert "Chapter 4" in page
    assert "from E11" in page
    assert "Excludes1" in page


def test_words_find_codes_and_a_hit_opens_its_page(reference):
    reference.text_input(key="asked").set_value("paroxysmal atrial fibrillation").run()
    reference.button(key="hit_I48.0").click().run()
    assert "Paroxysmal atrial fibrillation" in shown(reference)
    assert "billable" in shown(reference)


def test_a_rule_is_found_by_its_id(reference):
    from pipeline.explain import all_rules

    rule = all_rules()[0]
    reference.text_input(key="asked").set_value(rule["id"]).run()
    assert rule["title"] in html.unescape(shown(reference))


@pytest.mark.parametrize("asked", ["<script>alert(1)</script>", "zzzzqqqq", "$x$ **y**", "]](("])
def test_a_search_that_finds_nothing_says_so(reference, asked):
    reference.text_input(key="asked").set_value(asked).run()
    assert not reference.exception
    assert "script" not in Reader(shown(reference)).tags


# --- the terminal --------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not samples(), reason="no sample notes are installed")
@pytest.mark.parametrize("name", list(samples()))
def test_the_terminal_report_is_at_most_100_columns_wide(name):
    sample = samples()[name]
    claim = Claim.model_validate(sample.claim) if sample.claim else None
    setting = sample.encounter.get("setting", "outpatient")
    on = claim.date_of_service if claim else None
    report = review(Note(sample.text, setting, on, Patient()), claim)
    assert max(len(line) for line in as_text(report).splitlines()) <= 100


# --- how the workbench is set up -------------------------------------------------------------------------------------------


def test_the_workbench_listens_here_only_and_tells_nobody():
    config = tomllib.loads((Path(APP).parent / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["address"] == "127.0.0.1"
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["showErrorDetails"] == "none"


def test_nothing_in_the_pages_names_another_machine_or_writes_to_disk():
    for path in [Path(APP), *Path(APP).parent.joinpath("ui").iterdir()]:
        if path.suffix in (".py", ".css"):
            text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
            assert not re.search(r"https?://\w|query_params|persist=|@import|\burl\(", text), path.name
