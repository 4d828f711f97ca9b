"""The report as PDF, Word and CSV to hand over: complete, the same on every machine, and hostile text stays text."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from docx import Document
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from exchange import paper, summary
from exchange.paper import Heading, Items, Panel, Paper, Quote, Table, Text
from models.claim import Claim

ROOT = Path(__file__).parent.parent
NOTE = """HISTORY: 58-year-old woman with right knee pain for 6 months. No fever.

ASSESSMENT AND PLAN
1. Primary osteoarthritis of the right knee. Physical therapy for 8 weeks has failed. Inject today.
2. Type 2 diabetes. A1c 8.4 %. Continue metformin.
3. Possible gout.
"""
CLAIM = Claim.model_validate(
    {"date_of_service": "2026-05-12", "state": "FL", "diagnoses": ["M17.11", "E78.5"],
     "lines": [{"code": "20610", "modifiers": ["RT"], "pointers": [1]}, {"code": "83036", "pointers": [2]},
               {"code": "99214", "pointers": [1, 9]}]}
)  # fmt: skip


@pytest.fixture(scope="module")
def report(reviewed):
    return reviewed(NOTE, claim=CLAIM)


def pdf_text(data):
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)


def flat(text):
    return " ".join(text.split())


def docx_text(data):
    document = Document(io.BytesIO(data))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(p.text for p in document.paragraphs), *cells])


@pytest.fixture(scope="module", params=["pdf", "docx"])
def shown(report, request):
    return flat(pdf_text(summary.as_pdf(report)) if request.param == "pdf" else docx_text(summary.as_docx(report)))


def test_every_code_stands_in_the_document_with_words_of_the_note(report, shown):
    assert report.proposals
    for proposal in report.proposals:
        assert proposal.code in shown
        assert flat(proposal.description)[:30] in shown
    assert "Primary osteoarthritis of the right knee" in shown


def test_every_verdict_edit_and_gap_stands_in_the_document(report, shown):
    assert report.claim.lines and report.claim.edits and report.gaps
    for verdict in report.claim.lines:
        assert verdict.code in shown
        assert not verdict.policy or verdict.policy.id in shown
    squeezed = shown.replace(" ", "")  # a long word may be cut at the end of a cell
    for edit in report.claim.edits:
        assert edit.edit in squeezed
    for gap in report.gaps:
        assert flat(gap.ask)[:40] in shown
        for option in gap.options:
            assert flat(option) in shown


def test_what_was_not_coded_stands_in_the_document_with_its_rule(report, shown):
    held = {(w.code, w.rule) for w in report.withheld}
    assert ("M10.9", "outpatient-uncertain") in held
    for code, rule in held:
        assert code in shown and rule in shown
    for candidate in report.candidates:
        assert candidate.code in shown


def test_the_answer_comes_first(report):
    text = flat(pdf_text(summary.as_pdf(report)))
    assert text.index(f"{len(report.proposals)} codes supported") < text.index("Codes that the note supports")


def test_level_and_elements_stand_in_the_document(report, shown):
    assert report.em.supports[0] in shown
    assert all(name in shown for name in ("Symptoms", "History", "Exam", "Results", "Rationale"))


def test_a_report_of_an_empty_note_is_a_document_too(reviewed):
    empty = reviewed("")
    assert "None." in pdf_text(summary.as_pdf(empty)) and "None." in docx_text(summary.as_docx(empty))
    assert list(csv.DictReader(io.StringIO(summary.codes_csv(empty)))) == []


def test_the_same_report_gives_the_same_bytes_in_any_process(report, tmp_path):
    assert summary.as_pdf(report) == summary.as_pdf(report)
    assert summary.as_docx(report) == summary.as_docx(report)
    (tmp_path / "note.txt").write_text(NOTE, encoding="utf-8")
    seen = set()
    for number, zone in enumerate(("UTC", "Asia/Tokyo")):
        for format in ("pdf", "docx"):
            out = tmp_path / f"{number}.{format}"
            env = {**os.environ, "TZ": zone, "PYTHONHASHSEED": str(number)}
            run(["review", tmp_path / "note.txt", "--on", "2026-05-12", "--format", format, "--out", out], env)
            seen.add((format, hashlib.sha256(out.read_bytes()).hexdigest()))
    assert len(seen) == 2


def test_no_time_of_writing_stands_in_either_file(report):
    with zipfile.ZipFile(io.BytesIO(summary.as_docx(report))) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert PdfReader(io.BytesIO(summary.as_pdf(report))).metadata.creation_date.year == 2000


# --- hostile and foreign text ------------------------------------------------------------------------------------


def paper_of(*texts):
    return Paper("Title", "About", tuple(
        block for text in texts
        for block in (Text(text), Quote(text, text), Items((text,)), Panel((text,)), Heading(text, 2),
                      Table(("a", "b"), ((text, text),), (1, 3), strong=0))
    ), "Foot")  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["**bold** __under__ [link](javascript:alert(1))", "<b>bold</b> <script>alert(1)</script>", "{nb} {{nb}} %s \\n",
     "(paren) \\ Tj ET /JS", "=HYPERLINK(\"x\")", "<w:p/> &amp; ]]>"],
)  # fmt: skip
def test_marks_and_commands_stay_text(text):
    pdf = paper.as_pdf(paper_of(text))
    assert flat(pdf_text(pdf)).count(text) >= 6
    reader = PdfReader(io.BytesIO(pdf))
    assert "/Names" not in reader.trailer["/Root"] and "/OpenAction" not in str(reader.trailer["/Root"].get("/AA"))
    assert all("/Annots" not in page for page in reader.pages)
    words = docx_text(paper.as_docx(paper_of(text)))
    assert words.count(text) >= 6


def test_what_moves_or_hides_words_is_shown_in_place():
    text = "safe\u202eevil\x00\x1b[2J\u200bend\ud800\ue000"
    assert paper.clean(text) == "safe�evil��[2J�end��"
    assert paper.clean("a\n\tb\u2028c") == "a b c"
    for words in (pdf_text(paper.as_pdf(paper_of(text))), docx_text(paper.as_docx(paper_of(text)))):
        assert "safe�evil" in words and "\u202e" not in words


@pytest.mark.parametrize("text", ["Müller, žluťoučký, Łódź", "Ελληνικά", "Кириллица", "ქართული", "≥ 5 µg → 3²"])
def test_scripts_of_the_font_are_shown(text):
    assert text in pdf_text(paper.as_pdf(paper_of(text)))
    assert paper._UNSHOWN_NOTICE[:20] not in pdf_text(paper.as_pdf(paper_of(text)))


def test_what_the_font_lacks_is_replaced_and_said():
    words = flat(pdf_text(paper.as_pdf(paper_of("pain 痛み 𠀀 here"))))
    assert "pain �� � here" in words
    assert "can't show" in words
    assert "痛み 𠀀" in docx_text(paper.as_docx(paper_of("pain 痛み 𠀀 here")))


def test_right_to_left_words_are_all_there_in_drawing_order():
    drawn = paper._turned("abc שלום 12 def")
    assert drawn == "abc 12 םולש def"
    assert sorted(drawn) == sorted("abc שלום 12 def")
    assert paper._turned("no such letters é") == "no such letters é"


@given(st.lists(st.text(max_size=200), min_size=1, max_size=3))
def test_any_text_makes_a_document(texts):
    made = paper_of(*texts)
    assert paper.as_pdf(made).startswith(b"%PDF-")
    assert Document(io.BytesIO(paper.as_docx(made)))
    assert paper.as_plain(made).isprintable() or "\n" in paper.as_plain(made)


@pytest.mark.parametrize("length", [30_000, 2_000])
def test_a_cell_and_a_panel_longer_than_a_page_go_on_on_the_next(length):
    long = " ".join(f"word{n}" for n in range(length // 8))
    made = Paper("T", "", (Table(("a", "b"), (("x", long),), (3, 1)), Panel((long,)), Text(long)), "")
    words = pdf_text(paper.as_pdf(made))
    last = f"word{length // 8 - 1}"
    assert words.count(last) == 3
    assert "word0" in words


def test_pages_are_numbered_with_how_many_there_are():
    made = paper.as_pdf(Paper("T", "", (Text("word " * 3_000),), ""))
    numbers = [page.extract_text().split("\n")[-1] for page in PdfReader(io.BytesIO(made)).pages]
    assert len(numbers) > 2 and numbers == [f"{n} / {len(numbers)}" for n in range(1, len(numbers) + 1)]


def test_one_word_wider_than_the_page_is_cut_and_kept():
    long = "x" * 3_000
    assert pdf_text(paper.as_pdf(Paper("T", "", (Text(long),), ""))).count("x") == 3_000


# --- tables ------------------------------------------------------------------------------------------------------


def test_the_table_of_codes_holds_every_code_with_its_place(report):
    rows = list(csv.DictReader(io.StringIO(summary.codes_csv(report))))
    assert [r["code"] for r in rows if r["status"] == "proposed"] == [p.code for p in report.proposals]
    assert sum(r["status"] == "candidate" for r in rows) == len(report.candidates)
    assert sum(r["status"] == "withheld" for r in rows) == len(report.withheld)
    for row in rows:
        if row["status"] == "proposed":
            assert NOTE[int(row["start"]) : int(row["end"])] in row["evidence"]
    assert [r["first_listed"] for r in rows[:2]] == ["yes", "no"]


def test_the_table_of_gaps_holds_every_gap(report):
    rows = list(csv.DictReader(io.StringIO(summary.gaps_csv(report))))
    assert [r["question"] for r in rows] == [g.ask for g in report.gaps]


def test_no_cell_is_a_formula(reviewed):
    shown = reviewed("Assessment:\n1. =Hypertension.\n2. @gout\n3. -type 2 diabetes\n+cough")
    for text in (summary.codes_csv(shown), summary.gaps_csv(shown)):
        for row in csv.reader(io.StringIO(text)):
            assert not any(cell[:1] in "=+-@\t\r" for cell in row if cell)


# --- command -----------------------------------------------------------------------------------------------------


def run(arguments, env=None):
    return subprocess.run(
        [sys.executable, "-m", "cli", *map(str, arguments)], capture_output=True, cwd=ROOT,
        env=env or dict(os.environ), check=False,
    )  # fmt: skip


def test_the_command_writes_each_format_to_a_file_or_a_pipe(tmp_path):
    note = tmp_path / "note.txt"
    note.write_text(NOTE, encoding="utf-8")
    about = ["review", note, "--on", "2026-05-12", "--format"]
    piped = run([*about, "pdf"])
    assert piped.returncode == 0 and piped.stdout.startswith(b"%PDF-") and not piped.stderr
    made = run([*about, "gaps-csv", "--out", tmp_path / "gaps.csv"])
    assert made.returncode == 0 and not made.stdout
    assert (tmp_path / "gaps.csv").read_text(encoding="utf-8").startswith("priority,")
    lost = run([*about, "docx", "--out", tmp_path / "no" / "x.docx"])
    assert lost.returncode == 2 and b"folder" in lost.stderr and b"Traceback" not in lost.stderr
    over = run([*about, "csv", "--out", note])
    assert over.returncode == 2 and note.read_text(encoding="utf-8") == NOTE
