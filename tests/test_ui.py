"""The pages of the workbench, run without a browser: what is shown, what is refused, and that a note stays text."""

from __future__ import annotations

import datetime as dt
import html
import json
import logging
import re
import tomllib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytest.importorskip("streamlit.testing.v1", reason="streamlit isn't installed")
from streamlit.testing.v1 import AppTest

from exchange.rendered import as_html, as_markdown, as_text, marked_note, query_text
from models.claim import Claim, ClaimCheck, Edit, Policy, Verdict
from models.finding import Assertion, Cue, Finding
from models.gap import EvaluationManagement, LevelReason
from models.report import Report
from models.text import Note, Patient
from pipeline.review import review
from ui.note_view import note_data
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
    app.text_area(key="text").set_value(text)
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
    [component] = app.get("bidi_component")
    return json.loads(component.proto.mixed.json if component.proto.HasField("mixed") else component.proto.json)


def codes_shown(app: AppTest) -> list[str]:
    labels = [b.label for b in app.button if b.key and b.key.startswith("pick_")]
    return [re.match(r"\*\*(.+?)\*\*", label).group(1) for label in labels]


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
    assert app.text_area(key="text").value == sample.text
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
    assert "".join(text for piece in note["pieces"] for text, _ in piece["t"]) == NOTE


def test_marks_say_kind_assertion_cue_and_codes_without_colour(app):
    pasted(app, NOTE)
    marks = {"".join(t for t, _ in p["t"]): p for p in drawn_note(app)["pieces"] if "k" in p}
    denied = marks["chest pain"]
    assert denied["tag"].endswith("·no")
    assert "a-negated" in denied["cls"]
    assert "negated" in denied["about"]
    assert "“Denies”" in denied["about"]
    coded = marks["Primary osteoarthritis of the right knee"]
    assert coded["coded"]
    assert "M17.11" in coded["about"]
    assert any("family" in p["cls"] and "family" in p["tag"] for p in marks.values())


def test_choosing_a_code_shows_its_words_and_its_place_and_choosing_again_lets_go(app):
    pasted(app, NOTE)
    number = codes_shown(app).index("M17.11")
    app.button(key=f"pick_{number}").click().run()
    note = drawn_note(app)
    proposal = app.session_state["reviewed"][1].proposals[number]
    assert note["shown"] == list(proposal.findings)
    assert [t for p in note["pieces"] for t, axis in p["t"] if axis] == ["right"]
    assert "chapter 13" in shown(app)
    assert "specificity-descent" in shown(app)
    app.button(key=f"pick_{number}").click().run()
    assert drawn_note(app)["shown"] == []


def test_an_open_axis_is_a_question_and_supposing_never_edits_the_note(app):
    pasted(app, "ASSESSMENT\n1. Chronic heart failure, on furosemide.\n")
    report = app.session_state["reviewed"][1]
    number, proposal = next((n, p) for n, p in enumerate(report.proposals) if p.open_axes)
    app.button(key=f"pick_{number}").click().run()
    axis = proposal.open_axes[0]
    [question] = [p for p in app.pills if p.key == f"suppose_{number}_{axis.axis}"]
    question.set_value(axis.choices[0].value).run()
    assert axis.choices[0].code in shown(app)
    assert app.session_state["reviewed"][1] is report


def test_gaps_come_with_a_query_to_copy(app):
    open_tab(pasted(app, "ASSESSMENT\n1. Heart failure, on furosemide.\n"), "Gaps")
    gaps = app.session_state["reviewed"][1].gaps
    assert gaps
    assert [c.value for c in app.code] == [query_text(g, dt.date(2026, 5, 12)) for g in gaps]
    assert gaps[0].ask in app.code[0].value


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


@pytest.mark.parametrize(
    ("field", "entered"), [("history", "83036 yesterday"), ("history", "83036"), ("last_seen", "last week")]
)
def test_a_bad_date_names_its_field(app, field, entered):
    app.text_input(key=field).set_value(entered)
    with_lines(app, "M17.11", {"code": "20610", "pointers": "A"})
    assert "Earlier services" in app.error[0].value or "Last seen" in app.error[0].value


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"\xff\xfebad", "UTF"), (b"", "empty"), (b"note\0\0", "zero bytes"), (b"a" * 1_000_001, "1,000,000")],
)
def test_a_file_that_is_no_note_is_a_clear_error(app, data, said):
    app.file_uploader(key="upload").set_value(("note.txt", data, "text/plain")).run()
    assert not app.exception
    [error] = app.error
    assert said in error.value.replace("\\", "")


def test_an_uploaded_file_is_reviewed(app):
    app.file_uploader(key="upload").set_value(("note.txt", b"\xef\xbb\xbf" + NOTE.encode(), "text/plain")).run()
    assert not app.error
    assert app.text_area(key="text").value == NOTE
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
        assert not read.tags & {"script", "img", "style", "a", "iframe", "svg", "object"}, tab
        assert not {a for a in read.attributes if a.startswith("on")}, tab
        for element in [*app.markdown, *app.caption, *app.error]:
            assert "pwned" not in element.value
    for number in range(len(codes_shown(open_tab(app, "Codes")))):
        app.button(key=f"pick_{number}").click().run()
        assert not app.exception
        assert not Reader(shown(app)).tags & {"script", "img", "style", "a"}
    assert "".join(t for p in drawn_note(app)["pieces"] for t, _ in p["t"]) == HOSTILE


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
    assert "".join(t for p in note_data(report, text, None)["pieces"] for t, _ in p["t"]) == text
    assert Reader(marked_note(text, findings)).text == text


def test_overlapping_findings_share_one_mark_that_knows_them_all():
    text = "acute on chronic heart failure"
    said = Assertion("present", "current", "patient", (Cue("acute", 0, 5, "history"),))
    long = Finding("f1", "condition", text, 0, 30, said)
    short = Finding("f2", "condition", text[17:], 17, 30, said)
    both = note_data(Report(note=review(Note(text)).note, findings=(long, short)), text, None)["pieces"]
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
            assert not re.search(r"https?://|query_params|persist=|@import|url\(", text), path.name
