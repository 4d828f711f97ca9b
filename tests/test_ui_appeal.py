"""The Appeal page, run without a browser: criteria with the note's words, the letter, and what is kept."""

from __future__ import annotations

import html
import io

import pytest

pytest.importorskip("streamlit.testing.v1", reason="streamlit isn't installed")
from docx import Document
from streamlit.testing.v1 import AppTest

from exchange import letters, paper
from models.claim import Claim
from models.record import NoteRecord, validated
from pipeline.review import review

NOTE = """CC: right knee pain.
HPI: Right knee pain for nine months. Physical therapy for ten weeks did not help.
EXAM: Right knee with effusion <b>at all</b> **really**.
ASSESSMENT AND PLAN
1. Primary osteoarthritis of the right knee. Because therapy failed we injected the joint today.
"""
CLAIM = {
    "date_of_service": "2026-05-12", "diagnoses": ["M17.11", "E78.5"],
    "lines": [{"code": "20610", "modifiers": ["RT"], "pointers": [1]}, {"code": "83036", "pointers": [2]}],
}  # fmt: skip


def run_page() -> AppTest:
    def draw() -> None:
        from ui.appeal import page

        page()

    return AppTest.from_function(draw, default_timeout=120)


def opened(text: str = NOTE, claim: dict | None = None) -> AppTest:
    """The page with a note and claim open on the Review page."""
    billed = Claim.model_validate(claim or CLAIM)
    record = validated(NoteRecord, {"id": "note", "text": text, "date_of_service": "2026-05-12"}, "x")
    app = run_page()
    app.session_state["reviewed"] = ((record, billed), review(record.note(), billed))
    return sound(app.run())


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def shown(app: AppTest) -> str:
    return html.unescape("\n".join(h.value for h in app.html if not h.value.startswith("<style")))


def raw(app: AppTest) -> str:
    return "\n".join(h.value for h in app.html if not h.value.startswith("<style"))


def letter(app: AppTest) -> str:
    return app.text_area(key="appeal_text").value


def test_without_a_note_a_sample_with_a_denied_line_is_shown():
    app = sound(run_page().run())
    assert app.selectbox(key="appeal_note").value == "sleep-apnea"
    assert "E0601" in letter(app) and "not linked" in shown(app)


def test_the_note_of_the_review_page_comes_first_and_its_denied_line_is_chosen():
    app = opened()
    assert app.selectbox(key="appeal_note").value == ""
    assert app.selectbox(key="appeal_line").value == 2
    assert "Line 2: 83036" in letter(app)


def test_words_of_the_note_stand_beside_each_point_and_what_lacks_is_said():
    app = sound(opened().selectbox(key="appeal_line").select(1).run())
    page = shown(app)
    assert "Because therapy failed we injected the joint today." in page
    assert "not documented" in page and "Results" in page
    assert "Because therapy failed we injected the joint today." in letter(app)


def test_the_words_of_a_note_are_shown_as_text():
    app = sound(opened().selectbox(key="appeal_line").select(1).run())
    assert "<b>at all</b>" not in raw(app) and "&lt;b&gt;at all&lt;/b&gt;" in raw(app)
    assert "<b>at all</b> **really**" in letter(app)


def test_a_reason_code_changes_the_letter():
    app = sound(opened().selectbox(key="appeal_carc").set_value("151").run())
    assert "this frequent" in " ".join(letter(app).split())


def test_an_unsupported_line_says_so_first():
    app = opened()
    assert "the draft asks for nothing" in shown(app)
    assert "be reversed" not in letter(app)


def test_an_edited_letter_stays_until_another_line_is_chosen_or_it_is_written_anew():
    app = sound(opened().selectbox(key="appeal_line").select(1).run())
    first = letter(app)
    app = sound(app.text_area(key="appeal_text").set_value(first.replace("[Signature]", "Jo Example")).run())
    assert "Jo Example" in letter(sound(app.run()))
    anew = next(b for b in app.button if b.label == "Write it anew")
    assert not anew.disabled
    assert letter(sound(anew.click().run())) == first
    app = sound(app.selectbox(key="appeal_line").select(2).run())
    assert "Line 2" in letter(app)


def test_another_note_on_the_review_page_is_followed():
    app = sound(run_page().run())
    record = validated(NoteRecord, {"id": "note", "text": NOTE, "date_of_service": "2026-05-12"}, "x")
    claim = Claim.model_validate(CLAIM)
    app.session_state["reviewed"] = ((record, claim), review(record.note(), claim))
    app = sound(app.run())
    assert app.selectbox(key="appeal_note").value == "" and "Line 2: 83036" in letter(app)


@pytest.mark.parametrize("lines", [[], None])
def test_a_note_without_claim_lines_is_no_case(lines):
    app = run_page()
    record = validated(NoteRecord, {"id": "note", "text": NOTE, "date_of_service": "2026-05-12"}, "x")
    claim = None if lines is None else Claim.model_validate({"diagnoses": ["M17.11"]})
    app.session_state["reviewed"] = ((record, claim), review(record.note(), claim))
    app = sound(app.run())
    assert app.selectbox(key="appeal_note").value == "sleep-apnea"


def test_the_letter_on_the_page_is_the_letter_of_the_command_without_the_notes_to_its_writer():
    from pipeline.appeals import appeal

    app = sound(opened().selectbox(key="appeal_line").select(1).run())
    record = validated(NoteRecord, {"id": "note", "text": NOTE, "date_of_service": "2026-05-12"}, "x")
    draft = appeal(record.note(), Claim.model_validate(CLAIM), 1)
    assert letter(app) == paper.as_plain(letters.as_paper(draft, notes=False))
    document = Document(io.BytesIO(letters.as_docx(draft)))
    assert any("therapy failed" in p.text for p in document.paragraphs)
