"""The appeal of a denied line: verbatim excerpts, nothing claimed without them, and honest where the record is silent."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from docx import Document
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from code_maps.appeals import carc_of, denials
from code_maps.coverage import policies
from exchange import letters, paper
from models.claim import Claim
from models.problem import InputProblem
from models.text import Note, Patient
from pipeline.appeals import appeal
from tests.conftest import DAY
from ui.samples import samples

ROOT = Path(__file__).parent.parent
SCREENING = """CHIEF COMPLAINT: visit before lung screening.
HISTORY: 61-year-old man, smoked for 32 pack-years, quit in 2018. Denies cough. No hemoptysis, no weight loss.
ASSESSMENT AND PLAN
1. Former smoker, history of nicotine dependence. Low-dose CT ordered. Shared decision making with a decision aid was done.
"""
SCREENING_CLAIM = {
    "date_of_service": "2026-05-12", "state": "FL", "patient": {"age": 61, "sex": "male"}, "history": [],
    "diagnoses": ["Z87.891"], "lines": [{"code": "71271", "pointers": [1]}],
}  # fmt: skip
KNEE = """CC: right knee pain.
HPI: Right knee pain for nine months, worse on stairs. Physical therapy for ten weeks and naproxen did not help.
EXAM: Right knee with effusion and crepitus.
RESULTS: X-ray of the right knee shows joint space narrowing.
ASSESSMENT AND PLAN
1. Primary osteoarthritis of the right knee. Because therapy failed we injected the joint today.
"""
KNEE_CLAIM = {
    "date_of_service": "2026-05-12", "diagnoses": ["M17.11", "E78.5"],
    "lines": [{"code": "20610", "modifiers": ["RT"], "pointers": [1]}, {"code": "83036", "pointers": [2]},
              {"code": "83036", "pointers": []}, {"code": "99215", "pointers": [1]}],
}  # fmt: skip


def drafted(text, claim, line, carc=None):
    claim = Claim.model_validate(claim)
    return appeal(
        Note(text, date_of_service=DAY, patient=Patient(claim.patient.age, claim.patient.sex)), claim, line, carc
    )


def point(draft, start):
    return next(p for p in draft.points if p.asked.startswith(start))


def flat(text):
    return " ".join(text.split())


def pdf_text(data):
    return flat(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages))


# --- what the record shows ---------------------------------------------------------------------------------------


def test_each_criterion_of_the_policy_has_the_sentence_of_the_note_that_meets_it():
    draft = drafted(SCREENING, SCREENING_CLAIM, 1, "50")
    assert draft.arguable and draft.policy.id == "ncd-210-14-lung-cancer-screening"
    smoked = point(draft, "Tobacco smoking history")
    assert smoked.state == "shown" and "smoked for 32 pack-years" in smoked.excerpts[0].text
    assert "Shared decision making with a decision aid was done." in point(draft, "Counseling").excerpts[0].text
    age = point(draft, "Age 50")
    assert (age.state, age.facts, age.excerpts) == ("on the claim", ("age 61",), ())
    text = letters.as_text(draft)
    assert "NCD 210.14" in text and "version 2" in text and "effective 2022-02-10" in text
    assert "CARC 50" in text and "doesn't deem the service" in flat(text)


def test_a_required_criterion_that_the_note_lacks_is_said_on_top_and_nothing_is_asked_for():
    silent = SCREENING.replace("Shared decision making with a decision aid was done.", "")
    draft = drafted(silent, SCREENING_CLAIM, 1, "50")
    assert not draft.arguable
    lacking = point(draft, "Counseling")
    assert (lacking.state, lacking.excerpts, lacking.required) == ("not documented", (), True)
    text = flat(letters.as_text(draft))
    assert "the draft asks for nothing" in text[:200]
    assert "Counseling and shared decision-making" in text and "be reversed" not in text
    assert "mark the amendment" in text and "3.3.2.5" in text


@pytest.mark.parametrize("said", ["Shared decision making was not done.", "He declined shared decision making.",
                                  "No shared decision making."])  # fmt: skip
def test_a_denied_criterion_is_not_taken_for_met(said):
    denied = SCREENING.replace("Shared decision making with a decision aid was done.", said)
    assert point(drafted(denied, SCREENING_CLAIM, 1), "Counseling").state == "not documented"


def test_an_age_outside_the_policy_is_said_to_speak_against_it():
    draft = drafted(SCREENING, {**SCREENING_CLAIM, "patient": {"age": 81, "sex": "male"}}, 1, "50")
    assert point(draft, "Age 50").state == "contradicted" and not draft.arguable
    text = flat(letters.as_text(draft))
    assert "What the claim speaks against" in text and "be reversed" not in text


def test_without_a_policy_the_elements_of_the_note_are_set_against_the_law():
    draft = drafted(KNEE, KNEE_CLAIM, 1, "CO-50")
    assert draft.policy is None and draft.arguable and draft.carc == "50"
    assert "Because therapy failed we injected the joint today." in point(draft, "Why the service").excerpts[0].text
    assert "effusion" in point(draft, "Examination").excerpts[0].text
    assert "joint space narrowing" in point(draft, "Results").excerpts[0].text
    text = flat(letters.as_text(draft))
    assert "reasonable and necessary" in text and "1862(a)(1)(A)" in text
    assert "No coverage policy for this service is at hand" in text
    assert "We ask that the determination on line 1 be reversed." in text


def test_an_element_that_the_note_lacks_stands_under_what_it_does_not_say():
    draft = drafted("ASSESSMENT\n1. Primary osteoarthritis of the right knee.", KNEE_CLAIM, 1)
    assert point(draft, "Results").state == "not documented"
    text = letters.as_text(draft)
    assert text.index("What this note doesn't say") < text.index("- Results")


# --- what can't be argued ----------------------------------------------------------------------------------------


def test_a_diagnosis_that_the_note_does_not_show_is_said_on_top():
    draft = drafted(KNEE, KNEE_CLAIM, 2, "50")
    assert not draft.arguable
    assert any("E78.5" in w and "doesn't show" in w for w in draft.warnings)


def test_a_line_without_pointer_is_a_correction_and_no_appeal():
    draft = drafted(KNEE, KNEE_CLAIM, 3)
    assert draft.verdict == "ERROR_NO_DX" and draft.carc == "16" and not draft.arguable
    assert any("reopening" in w for w in draft.warnings) and any("MA130" in w for w in draft.warnings)


def test_a_billed_level_above_the_note_is_said_and_not_argued():
    draft = drafted(KNEE, KNEE_CLAIM, 4, "50")
    assert not draft.arguable and any("99215 was billed" in w for w in draft.warnings)
    assert any(p.asked.startswith("Medical decision making") and p.excerpts for p in draft.points)


def test_another_payers_levels_are_not_made_up():
    draft = drafted(KNEE, {**KNEE_CLAIM, "payer": "Acme Health"}, 1)
    text = flat(letters.as_text(draft))
    assert "Redetermination" not in text and "120 days" not in text and "1862" not in text
    assert "the payer's own levels of appeal" in text


# --- the reason code ---------------------------------------------------------------------------------------------


def test_a_given_reason_code_comes_before_the_predicted_one():
    draft = drafted(KNEE, KNEE_CLAIM, 3, "151")
    assert draft.carc == "151" and any("16 was to be expected" in w for w in draft.warnings)


def test_an_unknown_reason_code_has_no_words_of_ours():
    draft = drafted(KNEE, KNEE_CLAIM, 1, "B7")
    assert draft.cause == "" and any("B7" in w for w in draft.warnings)
    assert "The reason given is [reason]." in flat(letters.as_text(draft))


@pytest.mark.parametrize(
    ("written", "code"), [("50", "50"), ("CO-50", "50"), ("co50", "50"), ("PR 119", "119"), ("B7", "B7"), ("016", "16")]
)
def test_a_reason_code_is_read_with_or_without_its_group(written, code):
    assert carc_of(written) == code


@pytest.mark.parametrize("written", ["", "fifty", "12345", "50; drop"])
def test_what_cannot_be_a_reason_code_is_refused(written):
    with pytest.raises(InputProblem):
        carc_of(written)


def test_a_line_that_is_not_there_is_refused():
    with pytest.raises(InputProblem, match="no line 9"):
        drafted(KNEE, KNEE_CLAIM, 9)


def test_every_reason_code_has_a_source_and_words_that_are_not_the_code_lists():
    table = denials()
    assert {r.carc for r in table.reasons} >= {"4", "11", "16", "50", "97", "119", "151", "167"}
    for reason in table.reasons:
        assert reason.source.startswith("https://") and reason.cause and reason.answer
        assert not re.search(r"This \(these\)|non-covered services because", reason.cause)
    assert all(url.startswith("https://") for _, url in table.level.sources)


# --- invariants --------------------------------------------------------------------------------------------------


def denied_lines():
    return list(_denied_lines())


def _denied_lines():
    for name, sample in samples().items():
        for number in range(1, len(sample.claim.get("lines", [])) + 1):
            yield pytest.param(name, number, id=f"{name}-{number}")


def of_sample(name, line, carc=None):
    sample = samples()[name]
    claim = Claim.model_validate(sample.claim)
    from models.record import NoteRecord, validated

    note = validated(NoteRecord, {"id": "x", "text": sample.text, **sample.encounter, "claim": claim}, "x").note()
    return note, appeal(note, claim, line, carc)


def check(text, draft):
    """Excerpts are verbatim at their places, and no state is claimed without what it needs."""
    for p in draft.points:
        for e in p.excerpts:
            assert text[e.start : e.end] == e.text and e.text.strip()
        assert bool(p.excerpts) == (p.state == "shown")
        assert p.state != "on the claim" or p.facts
    if draft.arguable:
        assert any(p.state == "shown" for p in draft.points)
        assert not any(p.required and p.state in ("not documented", "contradicted") for p in draft.points)
    allowed = [flat(paper.clean(text)), *(flat(paper.clean(q)) for q in policy_words())]
    letter = letters.as_paper(draft)
    for block in letter.blocks:
        if isinstance(block, paper.Quote):
            assert any(flat(paper.clean(block.text)) in words for words in allowed), block.text
        for said in re.findall(r"“(.*?)”", " ".join(_texts(block)) if not isinstance(block, paper.Quote) else ""):
            assert any(flat(paper.clean(said)) in words for words in allowed), said
    assert "$" not in letters.as_text(draft) or "$" in text


def policy_words():
    for policy in policies():
        yield policy.quote
        yield from (g.quote for g in policy.groups)
        yield from (n.quote for n in policy.noncovered)
        yield from (f.quote for f in policy.frequency)


def _texts(block):
    for name in ("text", "source"):
        if isinstance(getattr(block, name, None), str):
            yield getattr(block, name)
    for name in ("items", "lines"):
        yield from getattr(block, name, ())


@pytest.mark.parametrize(("name", "line"), denied_lines())
def test_no_quotation_is_from_nowhere_and_no_point_is_claimed_without_words(name, line):
    note, draft = of_sample(name, line, "50")
    check(note.text, draft)


LINES = [
    "1. Primary osteoarthritis of the right knee.", "Right knee pain for six months.", "Exam: crepitus.",
    "Because therapy failed, injected today.", "32 pack-years, quit in 2019.", "Denies cough “at all”.",
    "Shared decision making with a decision aid.", "ASSESSMENT AND PLAN", "HISTORY", "A1c 8.1 %.", "\n", "x" * 900,
    "Type 2 diabetes with CKD stage 3a", "He said: “I want it”. $5 paid", "\u202eevil\u202c", "אסתמה",
]  # fmt: skip


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from(LINES), min_size=0, max_size=9),
    st.sampled_from(["71271", "20610", "83036", "99215", "G0439"]),
)
def test_the_invariants_hold_for_any_note(lines, code):
    text = "\n".join(lines)
    claim = {
        **SCREENING_CLAIM,
        "diagnoses": ["Z87.891", "M17.11", "E11.22"],
        "lines": [{"code": code, "pointers": [1, 2, 3]}],
    }
    draft = drafted(text, claim, 1, "50")
    check(text, draft)
    assert letters.as_pdf(draft).startswith(b"%PDF-")


def test_the_same_note_and_claim_give_the_same_letter():
    one, two = (drafted(SCREENING, SCREENING_CLAIM, 1, "50") for _ in range(2))
    assert letters.as_text(one) == letters.as_text(two)
    assert letters.as_docx(one) == letters.as_docx(two) and letters.as_pdf(one) == letters.as_pdf(two)


# --- the letter --------------------------------------------------------------------------------------------------


def test_all_three_forms_hold_the_quotations_and_the_blanks():
    draft = drafted(SCREENING, SCREENING_CLAIM, 1, "50")
    document = Document(io.BytesIO(letters.as_docx(draft)))
    cells = [c.text for t in document.tables for row in t.rows for c in row.cells]
    word = flat(" ".join([*(p.text for p in document.paragraphs), *cells]))
    for words in (pdf_text(letters.as_pdf(draft)), word, flat(letters.as_text(draft))):
        for blank in ("[Date]", "Beneficiary: [name]", "Claim number: [number]", "[Signature]"):
            assert blank in words
        for p in draft.points:
            for e in p.excerpts:
                assert flat(e.text) in words


def test_the_letter_alone_leaves_out_what_only_its_writer_has_to_know():
    draft = drafted(SCREENING, SCREENING_CLAIM, 1, "50")
    alone = paper.as_plain(letters.as_paper(draft, notes=False))
    assert "Before you send" not in alone and "Before you send" in letters.as_text(draft)


def test_an_edited_letter_becomes_a_document_again():
    draft = drafted(SCREENING, SCREENING_CLAIM, 1, "50")
    text = paper.as_plain(letters.as_paper(draft, notes=False))
    read = paper.from_plain(text.replace("[Signature]", "Jo Example"), foot="")
    assert any(isinstance(b, paper.Quote) and "pack-years" in b.text for b in read.blocks)
    assert sum(isinstance(b, paper.Heading) and b.level == 1 for b in read.blocks) >= 3
    words = pdf_text(paper.as_pdf(read))
    assert "Jo Example" in words and "[Signature]" not in words
    assert flat(paper.as_plain(read)) == flat(text.replace("[Signature]", "Jo Example"))


@given(st.text(alphabet='ab \n-"()1.[]', max_size=120))
def test_no_word_of_an_edited_letter_is_lost(text):
    kept = flat(paper.as_plain(paper.from_plain(text)))
    letters_of = lambda s: sorted(c for c in s if c.isalnum() or c in "[]")  # noqa: E731
    assert letters_of(kept) == letters_of(text)


# --- command -----------------------------------------------------------------------------------------------------


def test_the_command_writes_the_letter_and_says_when_it_cannot_argue(tmp_path):
    (tmp_path / "note.txt").write_text(KNEE, encoding="utf-8")
    (tmp_path / "claim.json").write_text(json.dumps(KNEE_CLAIM), encoding="utf-8")

    def run(*more):
        command = [
            sys.executable,
            "-m",
            "cli",
            "appeal",
            str(tmp_path / "note.txt"),
            "--claim",
            str(tmp_path / "claim.json"),
            *more,
        ]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=dict(os.environ), check=False)

    done = run("--line", "1", "--carc", "50", "--out", str(tmp_path / "a.docx"))
    assert done.returncode == 0 and not done.stdout and not done.stderr
    assert (tmp_path / "a.docx").read_bytes()[:2] == b"PK"
    silent = run("--line", "3")
    assert silent.returncode == 0 and "asks for nothing" in silent.stderr and "Before you send" in silent.stdout
    wrong = run("--line", "1", "--out", str(tmp_path / "a.odt"))
    assert wrong.returncode == 2 and "docx" in wrong.stderr
    absent = run("--line", "7")
    assert absent.returncode == 2 and "no line 7" in absent.stderr and "Traceback" not in absent.stderr
