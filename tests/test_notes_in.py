"""Notes from text, Word and PDF files, and from tables and zips of many; hostile files are a clear problem."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from docx import Document
from fpdf import FPDF
from hypothesis import given
from hypothesis import strategies as st

from exchange import notes_in
from exchange.notes_in import read_many, read_note, read_note_file
from models.problem import InputProblem
from models.record import NoteRecord, validated

NOTE = "Subjective: cough for 3 days.\n\nAssessment:\n1. Acute bronchitis."


def docx_bytes(fill):
    document = Document()
    fill(document)
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def docx_of(body_xml):
    """A Word file with a body of one's own."""
    data = docx_bytes(lambda document: None)
    return replaced(data, "word/document.xml", (
        '<?xml version="1.0" encoding="UTF-8"?><w:document '
        'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
        f'xmlns:wps="urn:shape"><w:body>{body_xml}</w:body></w:document>'
    ).encode())  # fmt: skip


def replaced(data, name, content):
    new = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as out:
        for member in old.namelist():
            out.writestr(member, content if member == name else old.read(member))
    return new.getvalue()


def pdf_bytes(*pages, picture=(), encrypt=None):
    pdf = FPDF()
    pdf.set_font("Helvetica", size=11)
    if encrypt is not None:
        pdf.set_encryption(owner_password="owner", user_password=encrypt)
    for number, text in enumerate(pages):
        pdf.add_page()
        if number in picture:
            from PIL import Image

            pdf.image(Image.new("RGB", (40, 40), (200, 200, 200)), x=10, y=10, w=100)
        if text:
            pdf.multi_cell(0, 6, text)
    return bytes(pdf.output())


def zip_bytes(files, compress=zipfile.ZIP_DEFLATED):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", compress) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return written.getvalue()


SAMPLE_DOCX = docx_bytes(lambda d: [d.add_paragraph(line) for line in NOTE.split("\n")])
SAMPLE_PDF = pdf_bytes(NOTE, "Plan: fluids, rest.")


def outcome(name, data):
    """The text that is read, and what the problem says; one of them is empty."""
    try:
        return read_note(name, data), ""
    except InputProblem as problem:
        return "", str(problem)


# --- one note ----------------------------------------------------------------------------------------------------


def test_a_text_file_is_taken_as_it_is_without_its_byte_order_mark():
    assert read_note("n.txt", b"\xef\xbb\xbfcaf\xc3\xa9\r\nline two\r\n") == "café\r\nline two\r\n"
    assert read_note("N.TXT", NOTE.encode()) == NOTE


def test_paragraphs_and_tables_of_a_word_file_come_in_order_without_page_headers():
    def fill(document):
        document.sections[0].header.paragraphs[0].text = "Clinic letterhead"
        document.sections[0].footer.paragraphs[0].text = "Page foot"
        document.add_heading("Vitals", 1)
        table = document.add_table(rows=2, cols=2)
        for row, cells in enumerate((("Blood pressure", "152/94 mmHg"), ("Pulse", "88"))):
            for column, text in enumerate(cells):
                table.cell(row, column).text = text
        document.add_paragraph("Assessment")
        document.add_paragraph("Hypertension, uncontrolled", style="List Number")
        document.add_paragraph("Increase lisinopril.")

    assert read_note("visit.docx", docx_bytes(fill)) == (
        "Vitals\nBlood pressure\t152/94 mmHg\nPulse\t88\nAssessment\n- Hypertension, uncontrolled\nIncrease lisinopril.\n"
    )


def test_a_layout_table_of_a_word_file_keeps_its_lines():
    def fill(document):
        cell = document.add_table(rows=1, cols=1).cell(0, 0)
        cell.text = "Assessment"
        cell.add_paragraph("1. Gout of the left foot")
        inner = cell.add_table(rows=1, cols=2)
        inner.cell(0, 0).text, inner.cell(0, 1).text = "Uric acid", "9.1 mg/dL"

    assert read_note("n.docx", docx_bytes(fill)) == "Assessment\n1. Gout of the left foot\nUric acid\t9.1 mg/dL\n"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<w:sdt><w:sdtContent><w:p><w:r><w:t>In a control</w:t></w:r></w:p></w:sdtContent></w:sdt>", "In a control"),
        ("<w:p><w:sdt><w:sdtContent><w:r><w:t>Chosen</w:t></w:r></w:sdtContent></w:sdt></w:p>", "Chosen"),
        ("<w:p><w:ins><w:r><w:t>new</w:t></w:r></w:ins><w:del><w:r><w:delText>old</w:delText></w:r></w:del></w:p>",
         "new"),
        ("<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/></w:r></w:p>", "a\tb\nc-"),
        ("<w:p><w:hyperlink><w:r><w:t>linked</w:t></w:r></w:hyperlink></w:p>", "linked"),
        ("<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>item</w:t></w:r></w:p>", "- item"),
        ("<w:p><w:r><mc:AlternateContent><mc:Choice><wps:wsp><w:txbxContent><w:p><w:r><w:t>Box</w:t></w:r></w:p>"
         "</w:txbxContent></wps:wsp></mc:Choice><mc:Fallback><w:p><w:r><w:t>Box</w:t></w:r></w:p></mc:Fallback>"
         "</mc:AlternateContent><w:t>Beside</w:t></w:r></w:p>", "Beside\nBox"),
        ("<w:p><w:r><w:instrText>HYPERLINK evil</w:instrText><w:t>field</w:t></w:r></w:p>", "field"),
    ],
)  # fmt: skip
def test_words_in_controls_boxes_and_tracked_changes_are_read_once(body, text):
    assert read_note("n.docx", docx_of(body)) == text + "\n"


def test_every_page_of_a_pdf_is_read():
    text = read_note("n.pdf", SAMPLE_PDF)
    assert "cough for 3 days" in text and "1. Acute bronchitis." in text
    assert text.index("Acute bronchitis") < text.index("Plan: fluids, rest.")


def test_a_sign_for_two_letters_in_a_pdf_is_spelled_out():
    pdf = FPDF()
    pdf.add_page()
    pdf.add_font("D", "", Path(notes_in.__file__).parent / "fonts" / "DejaVuSans.ttf")
    pdf.set_font("D", size=11)
    pdf.cell(text="Atrial \ufb01brillation")
    assert "fibrillation" in read_note("n.pdf", bytes(pdf.output()))


def test_a_scan_is_a_problem_that_says_so():
    with pytest.raises(InputProblem, match="scan"):
        read_note("scan.pdf", pdf_bytes("", "", picture=(0, 1)))
    with pytest.raises(InputProblem, match="no text"):
        read_note("blank.pdf", pdf_bytes(""))


def test_a_page_with_a_picture_and_no_text_is_named():
    found = read_note_file("mixed.pdf", pdf_bytes("Chest pain.", "", picture=(1,)))
    assert "Chest pain." in found.text
    assert len(found.notices) == 1 and "page 2" in found.notices[0]
    assert read_note_file("n.pdf", SAMPLE_PDF).notices == ()


def test_an_encrypted_pdf_is_a_problem_and_one_that_only_restricts_is_read():
    with pytest.raises(InputProblem, match="encrypted"):
        read_note("locked.pdf", pdf_bytes("secretword", encrypt="pw"))
    assert "openword" in read_note("open.pdf", pdf_bytes("openword", encrypt=""))


def test_pdf_with_too_many_pages_is_a_problem(monkeypatch):
    monkeypatch.setattr(notes_in, "MAX_PAGES", 2)
    with pytest.raises(InputProblem, match="3 pages"):
        read_note("long.pdf", pdf_bytes("a", "b", "c"))


def test_a_pdf_whose_page_expands_beyond_reason_is_a_problem():
    import zlib

    bomb = zlib.compress(b" " * 300_000_000, 9)
    head = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    page = b"3 0 obj<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<<>>>>endobj\n"
    stream = b"4 0 obj<</Length %d/Filter/FlateDecode>>stream\n" % len(bomb) + bomb + b"\nendstream endobj\n"
    with pytest.raises(InputProblem):
        read_note("bomb.pdf", head + page + stream + b"trailer<</Root 1 0 R>>\n%%EOF")


@pytest.mark.parametrize(
    ("name", "data", "word"),
    [
        ("n.txt", b"", "no text"),
        ("n.txt", b"  \n", "no text"),
        ("n.txt", b"caf\xe9", "UTF-8"),
        ("n.txt", b"a\0b", "zero bytes"),
        ("n.doc", b"x", "ending"),
        ("n", b"x", "ending"),
        ("n.docx", b"no zip", "zip"),
        ("n.docx", SAMPLE_DOCX[:400], "zip"),
        ("n.docx", zip_bytes({"a.txt": "x"}), "no Word document"),
        ("n.docx", replaced(SAMPLE_DOCX, "word/document.xml", b"<a><b>"), "XML"),
        ("n.docx", replaced(SAMPLE_DOCX, "word/document.xml", b"<a/>"), "no Word document"),
        ("n.docx", b"\xd0\xcf\x11\xe0rest", "encrypted"),
        ("n.docx", docx_of(""), "no text"),
        ("n.docx", zip_bytes({"../word/document.xml": "x"}), "points outside"),
        ("n.pdf", b"", "broken"),
        ("n.pdf", b"%PDF-1.4 rubbish", "broken"),
        ("n.pdf", SAMPLE_PDF[: len(SAMPLE_PDF) // 3], "n.pdf"),
    ],
)
def test_what_cannot_be_read_is_one_line_that_names_the_file(name, data, word):
    with pytest.raises(InputProblem, match=word) as problem:
        read_note(name, data)
    assert "\n" not in str(problem.value) and str(problem.value).startswith(name)


def test_entities_in_a_word_file_are_refused_and_never_expanded():
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>'
    outside = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
    for xml in (bomb, outside):
        with pytest.raises(InputProblem, match="XML"):
            read_note("n.docx", replaced(SAMPLE_DOCX, "word/document.xml", xml))


def test_a_word_file_that_expands_beyond_reason_is_refused_unread():
    with pytest.raises(InputProblem, match="expands"):
        read_note("n.docx", replaced(SAMPLE_DOCX, "word/document.xml", b"<a>" + b" " * 30_000_000 + b"</a>"))


def test_a_word_file_nested_without_end_is_a_problem():
    deep = "<w:p>" + "<w:smartTag>" * 5_000 + "<w:r><w:t>x</w:t></w:r>" + "</w:smartTag>" * 5_000 + "</w:p>"
    with pytest.raises(InputProblem, match="nested"):
        read_note("n.docx", docx_of(deep))


def test_limits_of_size_and_of_characters_hold(monkeypatch):
    monkeypatch.setattr(notes_in, "MAX_FILE", 10)
    with pytest.raises(InputProblem, match="11 bytes"):
        read_note("n.txt", b"x" * 11)
    monkeypatch.undo()
    with pytest.raises(InputProblem, match="1,000,001 characters"):
        read_note("n.txt", b"x" * 1_000_001)
    with pytest.raises(InputProblem, match="characters"):
        read_note("n.docx", docx_of("<w:p><w:r><w:t>" + " ".join(map(str, range(180_000))) + "</w:t></w:r></w:p>"))


# --- many notes --------------------------------------------------------------------------------------------------


def test_a_zip_gives_a_record_for_each_file_and_bad_ones_do_not_stop_others():
    data = zip_bytes(
        {"a/one.txt": NOTE, "b/one.txt": "Other note.", "two.docx": SAMPLE_DOCX, "three.pdf": SAMPLE_PDF,
         "bad.pdf": b"rubbish", "picture.png": b"\x89PNG", "empty.txt": ""}
    )  # fmt: skip
    read = list(read_many("notes.zip", data))
    assert [r["id"] for r in read] == [
        "a/one.txt", "b/one.txt", "two.docx", "three.pdf", "bad.pdf", "picture.png", "empty.txt"
    ]  # fmt: skip
    assert [set(r) for r in read] == [{"id", "text"}] * 4 + [{"id", "error"}] * 3
    assert read[0]["text"] == NOTE and "bronchitis" in read[2]["text"] and "bronchitis" in read[3]["text"]
    assert validated(NoteRecord, read[0], "x").setting == "outpatient"


def test_csv_json_lines_and_parquet_give_the_same_records():
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        {"id": "007", "text": "a, b\nNA", "setting": "inpatient", "date_of_service": "2026-05-12", "provider": "Dr A"},
        {"id": "8", "text": "x", "setting": "outpatient", "date_of_service": "2026-05-13", "provider": "Dr B"},
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    table = io.StringIO()
    import csv

    writer = csv.DictWriter(table, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    parquet = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), parquet)
    for name, data in (("n.jsonl", lines), ("n.csv", table.getvalue().encode()), ("n.parquet", parquet.getvalue())):
        assert list(read_many(name, data)) == rows


def test_a_bad_line_is_a_record_with_its_error_and_never_the_words():
    bad = b'{"id": "b", "text": "secretword\n{"id": "c", "text": "\\ud83d secretword"}\n' + b"[" * 100_000 + b"\n[2]\n"
    read = list(read_many("n.jsonl", b'{"id": "a", "text": "x"}\n' + bad + b'{"id": "d", "text": "y"}\n'))
    assert [r["id"] for r in read] == ["a", "line 2", "line 3", "line 4", "line 5", "d"]
    assert all(set(r) == {"id", "error"} for r in read[1:5])
    assert "secretword" not in json.dumps(read)
    whole = list(read_many("n.jsonl", b'{"id": "e", "text": "\\ud83d\\ude00"}'))
    assert whole == [{"id": "e", "text": "😀"}]


@pytest.mark.parametrize(
    ("name", "data", "word"),
    [
        ("n.xlsx", b"", "ending"),
        ("n.zip", b"rubbish", "zip"),
        ("n.zip", b"", "zip"),
        ("n.zip", zip_bytes({}), "no files"),
        ("n.zip", zip_bytes({"inner.zip": zip_bytes({"a.txt": "x"})}), "nested"),
        ("n.zip", zip_bytes({"../a.txt": "x"}), "points outside"),
        ("n.zip", zip_bytes({"a.txt": "x" * 20_000_000}), "expands"),
        ("n.csv", b"id,note\na,b\n", "text"),
        ("n.csv", b'id,text\na,"b', "CSV"),
        ("n.parquet", b"rubbish", "Parquet"),
    ],
)
def test_a_collection_that_cannot_be_used_is_one_clear_problem(name, data, word):
    with pytest.raises(InputProblem, match=word) as problem:
        list(read_many(name, data))
    assert "\n" not in str(problem.value) and name in str(problem.value)


def test_a_zip_that_lies_about_the_size_of_a_file_gives_no_more_than_it_states():
    data = zip_bytes({"a.txt": "x" * 1000, "b.txt": "fine"}, zipfile.ZIP_STORED)
    lied = data.replace((1000).to_bytes(4, "little") * 2, (1000).to_bytes(4, "little") + (10).to_bytes(4, "little"))
    assert lied != data
    read = list(read_many("n.zip", lied))
    assert "error" in read[0] or len(read[0]["text"]) <= 10
    assert read[1] == {"id": "b.txt", "text": "fine"}


def test_nothing_is_written_to_disk(monkeypatch, tmp_path):
    import tempfile

    def refused(*args, **kwargs):
        raise AssertionError("a temporary file")

    for name in ("NamedTemporaryFile", "TemporaryFile", "SpooledTemporaryFile", "mkstemp", "mkdtemp"):
        monkeypatch.setattr(tempfile, name, refused)
    monkeypatch.chdir(tmp_path)
    list(read_many("n.zip", zip_bytes({"a.txt": NOTE, "b.docx": SAMPLE_DOCX, "c.pdf": SAMPLE_PDF})))
    assert list(tmp_path.iterdir()) == []


def test_no_word_of_a_broken_file_reaches_a_log_or_a_message(caplog, capfd):
    caplog.set_level(logging.DEBUG)
    for name in ("n.pdf", "n.docx", "n.txt"):
        for data in (b"secretword " * 40 + b"\xff\0", SAMPLE_PDF.replace(b"%PDF-", b"secretword")):
            assert "secretword" not in outcome(name, data)[1]
    assert "secretword" not in caplog.text
    assert "secretword" not in "".join(capfd.readouterr())


def _mutated(data):
    """Bytes of a good file with some changed, cut out or put in."""

    @st.composite
    def build(draw):
        out = bytearray(data)
        for _ in range(draw(st.integers(1, 6))):
            at = draw(st.integers(0, max(len(out) - 1, 0)))
            change = draw(st.sampled_from(("set", "cut", "insert", "truncate")))
            if change == "set" and out:
                out[at] = draw(st.integers(0, 255))
            elif change == "cut":
                del out[at : at + draw(st.integers(1, 40))]
            elif change == "insert":
                out[at:at] = draw(st.binary(max_size=20))
            else:
                del out[max(at, 1) :]
        return bytes(out)

    return build()


def _good():
    import pyarrow as pa
    import pyarrow.parquet as pq

    parquet = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([{"id": "a", "text": NOTE, "age": 60.0}] * 3), parquet)
    return {
        "n.docx": SAMPLE_DOCX,
        "n.pdf": SAMPLE_PDF,
        "n.zip": zip_bytes({"a.txt": NOTE, "b.txt": "x"}),
        "n.parquet": parquet.getvalue(),
        "n.csv": b'id,text,claim\na,"x, y","{""diagnoses"": []}"\nb,z,\n',
        "n.jsonl": b'{"id": "a", "text": "x"}\n{"id": "b", "text": "y"}\n',
    }


GOOD = _good()


@pytest.mark.parametrize("name", ["n.txt", "n.docx", "n.pdf"])
@given(data=st.binary(max_size=3000))
def test_any_bytes_are_a_note_or_a_problem(name, data):
    text, problem = outcome(name, data)
    assert bool(text.strip()) != bool(problem) and "\n" not in problem


@pytest.mark.parametrize("name", ["n.docx", "n.pdf"])
@given(data=st.data())
def test_a_damaged_file_is_a_note_or_a_problem(name, data):
    text, problem = outcome(name, data.draw(_mutated(GOOD[name])))
    assert bool(text.encode().strip()) != bool(problem) and "\n" not in problem


@pytest.mark.parametrize("name", ["n.zip", "n.parquet", "n.csv", "n.jsonl"])
@given(data=st.data())
def test_a_damaged_collection_gives_records_errors_or_a_problem(name, data):
    given = data.draw(st.one_of(st.binary(max_size=500), _mutated(GOOD[name])))
    records, problem = [], ""
    try:
        records.extend(read_many(name, given))
    except InputProblem as error:
        problem = str(error)
    assert all(isinstance(record, dict) for record in records) and "\n" not in problem


# --- command -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "data"), [("n.docx", SAMPLE_DOCX), ("n.pdf", SAMPLE_PDF)])
def test_the_review_command_reads_word_and_pdf_files(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 rubbish")
    root = Path(__file__).parent.parent

    def run(path):
        done = subprocess.run(
            [sys.executable, "-m", "cli", "review", str(path), "--on", "2026-05-12", "--format", "json"],
            capture_output=True, text=True, cwd=root, env=dict(os.environ), check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    status, out, _ = run(tmp_path / name)
    assert status == 0 and "J20.9" in [p["code"] for p in json.loads(out)["proposals"]]
    status, out, err = run(tmp_path / "broken.pdf")
    assert status == 2 and not out and "broken" in err and len(err.strip().splitlines()) == 1
