"""The command line: exit status, one clear line for what can't be used, no traceback, no note text beside the result."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cli
from tests.store_expected import FOLDER

ROOT = Path(__file__).resolve().parent.parent
KNEE = FOLDER / "knee-osteoarthritis"
MARKER = "Zyxwvugraph"


@pytest.fixture
def run(monkeypatch, capfd):
    """run(*arguments, stdin=None) -> (status, standard output, standard error), in this process."""

    def of(*arguments, stdin=None):
        monkeypatch.setattr(sys, "argv", ["chartproof", *map(str, arguments)])
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capfd.readouterr()
        status = 0
        try:
            cli.main()
        except SystemExit as end:
            status = end.code or 0
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return status, out, err

    return of


@pytest.fixture
def note(tmp_path):
    """A short note in a file."""
    path = tmp_path / "note.txt"
    path.write_text(f"{MARKER}\nAssessment:\n1. Hypertension.\n2. CKD stage 3a.\n", encoding="utf-8")
    return path


def refused(answer, *said):
    """Status 2, nothing on standard output, and one line on standard error that holds `said`."""
    status, out, err = answer
    assert status == 2 and out == ""
    assert len(err.strip().splitlines()) == 1, err
    for word in said:
        assert word in err
    return True


# --- review -------------------------------------------------------------------------------------------------------


def test_review_gives_the_contracts_json(run, note):
    status, out, err = run("review", note, "--on", "2026-05-12", "--format", "json")
    report = json.loads(out)
    assert status == 0 and err == ""
    assert report["schema"] == "chartproof.report/1"
    assert [p["code"] for p in report["proposals"]] == ["I12.9", "N18.31"]
    for key in (
        "note",
        "sections",
        "findings",
        "proposals",
        "candidates",
        "withheld",
        "claim",
        "em",
        "gaps",
        "elements",
        "denial_risks",
    ):
        assert key in report


@pytest.mark.parametrize("format", ["text", "html", "markdown"])
def test_review_gives_a_page_for_people(run, note, format):
    status, out, err = run("review", note, "--on", "2026-05-12", "--format", format)
    out = out.replace("\\.", ".")  # Markdown escapes
    assert status == 0 and err == "" and "I12.9" in out and "N18.31" in out
    assert "\x1b[" not in out  # plain in a pipe
    if format == "text":
        assert max(map(len, out.splitlines())) <= 100


def test_review_with_a_claim_reads_its_day_and_patient(run):
    status, out, err = run("review", KNEE / "note.txt", "--claim", KNEE / "claim.json", "--format", "json")
    assert status == 0 and err == ""
    assert json.loads(out)["note"]["date_of_service"] == "2026-05-12"


def test_review_reads_standard_input_and_keeps_line_ends(run):
    text = "Assessment:\r\n1. Gout.\r\n"
    status, out, _ = run("review", "-", "--on", "2026-05-12", "--format", "json", stdin=b"\xef\xbb\xbf" + text.encode())
    assert status == 0 and json.loads(out)["note"]["length"] == len(text)


def test_review_without_a_day_says_which_release_it_used(run, note):
    status, out, _ = run("review", note, "--format", "json")
    assert status == 0
    assert any("date of service" in notice for notice in json.loads(out)["note"]["notices"])


def test_review_of_an_empty_note_is_no_error(run, tmp_path):
    (tmp_path / "empty.txt").write_bytes(b"")
    status, out, _ = run("review", tmp_path / "empty.txt", "--on", "2026-05-12")
    assert status == 0 and "none that the note supports" in out


def test_review_in_an_inpatient_setting_is_another_review(run, tmp_path):
    path = tmp_path / "n.txt"
    path.write_text("DISCHARGE DIAGNOSES:\n1. Probable pneumonia\n", encoding="utf-8")
    _, out, _ = run("review", path, "--on", "2026-05-12", "--setting", "inpatient", "--format", "json")
    _, other, _ = run("review", path, "--on", "2026-05-12", "--format", "json")
    assert [p["code"] for p in json.loads(out)["proposals"]] == ["J18.9"]
    assert [p["code"] for p in json.loads(other)["proposals"]] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--on", "12.05.2026"], ["--on", "2026-05-12"]),
        (["--setting", "emergency"], ["--setting", "inpatient"]),
        (["--sex", "x"], ["--sex", "female"]),
        (["--format", "rtf"], ["--format", "json"]),
        (["--claim", "no-such-claim.json"], ["no-such-claim.json"]),
    ],
)
def test_review_refuses_what_it_does_not_know_and_says_what_would_be_right(run, note, arguments, said):
    assert refused(run("review", note, *arguments), *said)


def test_review_refuses_a_file_that_is_not_there_or_no_text(run, tmp_path):
    assert refused(run("review", tmp_path / "none.txt"), "none.txt", "no such file")
    (tmp_path / "latin.txt").write_bytes(f"{MARKER} caf\xe9".encode("latin-1"))
    answer = run("review", tmp_path / "latin.txt")
    assert refused(answer, "UTF-8") and MARKER not in answer[2]
    (tmp_path / "long.txt").write_text("a" * 1_000_001, encoding="utf-8")
    assert refused(run("review", tmp_path / "long.txt"), "1,000,001", "1,000,000")
    assert refused(run("review", tmp_path))  # a folder


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        ("{", ["not JSON"]),
        ("[]", ["claim.json"]),
        ('{"diagnosis": ["I10"]}', ["diagnosis"]),
        ('{"lines": [{"units": 1}]}', ["lines.0.code"]),
        ('{"date_of_service": "yesterday"}', ["date_of_service"]),
        ('{"lines": [{"code": "99213", "pointers": ["first"]}]}', ["lines.0.pointers.0"]),
    ],
)
def test_review_refuses_a_claim_that_is_none_and_names_the_place(run, note, tmp_path, claim, said):
    path = tmp_path / "claim.json"
    path.write_text(claim, encoding="utf-8")
    answer = run("review", note, "--claim", path)
    assert refused(answer, *said) and MARKER not in answer[2]


@pytest.mark.parametrize(
    "arguments", [["review"], ["review", "a", "b"], ["nonsense"], ["review", "x", "--nonsense"], ["batch", "x"]]
)
def test_a_call_that_cannot_be_understood_is_status_2(run, arguments):
    status, out, err = run(*arguments)
    assert status == 2 and out == "" and err


HOSTILE = "Assessment:\n1. Pain <script>alert(1)</script> in the [bold]chest[/bold] `x` **y** [a](javascript:b) | z\n2. Gout\n"


@pytest.mark.parametrize("format", ["text", "html", "markdown"])
def test_hostile_words_of_a_note_are_shown_as_text(run, tmp_path, format):
    path = tmp_path / "n.txt"
    path.write_text(HOSTILE, encoding="utf-8")
    status, out, err = run("review", path, "--on", "2026-05-12", "--format", format)
    assert status == 0 and err == ""
    if format == "html":
        assert "<script>" not in out and "&lt;script&gt;alert(1)&lt;/script&gt;" in out
    elif format == "markdown":
        assert "<script>" not in out


# --- batch --------------------------------------------------------------------------------------------------------

RECORDS = [
    {"id": "a", "text": "Assessment:\n1. Gout.", "date_of_service": "2026-05-12"},
    {"id": "bad", "text": 5},
    {"id": "b", "text": "", "date_of_service": "2026-05-12"},
    {"id": "c", "text": f"{MARKER}. Assessment: asthma", "date_of_service": "2026-05-12", "setting": MARKER},
    {"id": "d", "text": "Assessment:\n1. Asthma.", "date_of_service": "2026-05-12"},
]


def write_lines(path, records):
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


def read_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_batch_keeps_the_order_and_bad_records_go_on_with_status_1(run, tmp_path):
    source = write_lines(tmp_path / "in.jsonl", RECORDS)
    status, out, err = run("batch", source, tmp_path / "out.jsonl")
    answers = read_lines(tmp_path / "out.jsonl")
    assert status == 1 and out == "" and "2 record" in err and MARKER not in err
    assert [a["id"] for a in answers] == ["a", "bad", "b", "c", "d"]
    assert ["error" in a for a in answers] == [False, True, False, True, False]
    assert [p["code"] for p in answers[4]["report"]["proposals"]] == ["J45.909"]
    assert MARKER not in answers[3]["error"]


def test_batch_with_two_workers_writes_the_same_bytes(run, tmp_path):
    source = write_lines(tmp_path / "in.jsonl", RECORDS * 3)
    assert run("batch", source, tmp_path / "one.jsonl")[0] == 1
    assert run("batch", source, tmp_path / "two.jsonl", "--workers", 2)[0] == 1
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_batch_reads_and_writes_tables(run, tmp_path, ending):
    rows = [{"id": "01", "text": "Assessment:\n1. Gout.", "date_of_service": "2026-05-12", "setting": "outpatient"},
            {"id": "02", "text": "Assessment:\n1. Asthma.", "date_of_service": "2026-05-12", "setting": ""}]  # fmt: skip
    source, target = tmp_path / f"in{ending}", tmp_path / f"out{ending}"
    if ending == ".csv":
        with source.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    else:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(rows), source)
    status, _, err = run("batch", source, target)
    assert (status, err) == (0, "")
    if ending == ".csv":
        with target.open(encoding="utf-8", newline="") as lines:
            read = list(csv.DictReader(lines))
    else:
        read = pq.read_table(target).to_pylist()
    assert [row["id"] for row in read] == ["01", "02"]
    assert json.loads(read[1]["report"])["proposals"][0]["code"] == "J45.909"


@pytest.mark.parametrize("cut", [0, 1, 40, -1, -30])
def test_batch_resumes_after_a_crash_and_loses_nothing(run, tmp_path, cut):
    source = write_lines(tmp_path / "in.jsonl", RECORDS)
    run("batch", source, tmp_path / "whole.jsonl")
    whole = (tmp_path / "whole.jsonl").read_bytes()
    target = tmp_path / "out.jsonl"
    target.write_bytes(whole[:cut] if cut else b"")
    run("batch", source, target, "--resume")
    assert target.read_bytes() == whole


def test_batch_that_was_done_and_is_resumed_changes_nothing(run, tmp_path):
    source = write_lines(tmp_path / "in.jsonl", RECORDS[:1])
    assert run("batch", source, tmp_path / "out.jsonl")[0] == 0
    before = (tmp_path / "out.jsonl").read_bytes()
    assert run("batch", source, tmp_path / "out.jsonl", "--resume")[0] == 0
    assert (tmp_path / "out.jsonl").read_bytes() == before


def test_batch_refuses_files_it_cannot_use(run, tmp_path):
    source = write_lines(tmp_path / "in.jsonl", RECORDS)
    assert refused(run("batch", tmp_path / "none.jsonl", tmp_path / "out.jsonl"), "none.jsonl")
    assert refused(run("batch", source, tmp_path / "out.xlsx"), ".xlsx", ".jsonl")
    assert refused(run("batch", source, tmp_path / "out.jsonl", "--engine", "threads"), "--engine")
    assert not (tmp_path / "out.xlsx").exists()


def test_batch_of_nothing_writes_nothing(run, tmp_path):
    (tmp_path / "in.jsonl").write_bytes(b"")
    assert run("batch", tmp_path / "in.jsonl", tmp_path / "out.jsonl")[0] == 0
    assert (tmp_path / "out.jsonl").read_bytes() == b""


# --- the other commands -------------------------------------------------------------------------------------------


def test_assertions_answers_each_span(run, tmp_path):
    text = "Denies chest pain. Mother had asthma."
    write_lines(tmp_path / "in.jsonl", [
        {"id": "1", "text": text, "start": 7, "end": 17},
        {"id": "2", "text": text, "start": 30, "end": 36},
        {"id": "3", "text": text, "start": 30, "end": 3000},
        {"id": "4", "text": text},
    ])  # fmt: skip
    status, _, err = run("assertions", tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    answers = read_lines(tmp_path / "out.jsonl")
    assert status == 1 and "chest" not in err
    assert answers[0]["presence"] == "negated" and answers[0]["experiencer"] == "patient"
    assert answers[0]["cues"][0]["text"] == "Denies"
    assert answers[1]["experiencer"] == "family"
    assert "error" in answers[2] and "error" in answers[3]


def test_check_answers_claims_without_notes(run, tmp_path):
    claim = json.loads((KNEE / "claim.json").read_text(encoding="utf-8"))
    write_lines(tmp_path / "in.jsonl", [{"id": "1", "claim": claim}, {"id": "2", "claim": {"lines": 5}}, {"id": "3"}])
    status, _, _ = run("check", tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    answers = read_lines(tmp_path / "out.jsonl")
    assert status == 1
    assert [line["code"] for line in answers[0]["lines"]] == ["99214", "20610", "J3301"]
    assert isinstance(answers[0]["edits"], list)
    assert "error" in answers[1] and "error" in answers[2]


def test_codes_show_search_releases_and_diff(run):
    status, out, _ = run("codes", "show", "I50.22", "--on", "2026-05-12")
    assert status == 0 and "Chronic systolic" in out and "(at I50)" in out
    status, out, _ = run("codes", "search", "gout", "--on", "2026-05-12")
    assert status == 0 and "M10" in out
    status, out, _ = run("codes", "releases")
    assert status == 0 and "FY2026" in out
    assert refused(run("codes", "show", "Q99.ZZ", "--on", "2026-05-12"), "Q99.ZZ")
    assert refused(run("codes", "show", "I10", "--on", "soon"), "--on")
    assert refused(run("codes", "diff", "FY1999", "FY2026"))
    assert refused(run("codes", "import", "no-such-file.xml"), "no-such-file.xml")


def test_rules_are_listed_and_each_is_explained(run):
    status, out, _ = run("rules", "--json")
    listed = json.loads(out)
    assert status == 0 and len(listed) > 5
    assert all(rule["id"] and rule["title"] and rule["why"] for rule in listed)
    for rule in listed[:: max(1, len(listed) // 10)]:
        status, page, _ = run("explain", rule["id"])
        assert status == 0 and rule["title"] in page
    assert refused(run("explain", "no-such-rule"), "no-such-rule")
    status, plain, _ = run("rules")
    assert status == 0 and listed[0]["id"] in plain


def test_the_workbench_does_not_open_to_the_network_without_sign_in(run):
    status, _, err = run("app", "--host", "0.0.0.0")
    assert status == 2 and "127.0.0.1" in err


def test_help_names_every_command(run):
    status, out, err = run("--help")
    assert status == 0
    for name in ("review", "batch", "assertions", "check", "codes", "edits", "policies", "explain", "rules", "app"):
        assert name in out + err


# --- in a process of its own --------------------------------------------------------------------------------------


def process(*arguments, **more):
    return subprocess.run(
        [sys.executable, "-m", "cli", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, **more
    )


def test_a_process_prints_the_report_and_nothing_else():
    ran = process("review", KNEE / "note.txt", "--claim", KNEE / "claim.json", "--format", "json")
    assert ran.returncode == 0 and ran.stderr == ""
    assert "M17.11" in [p["code"] for p in json.loads(ran.stdout)["proposals"]]


def test_a_process_writes_utf8_where_the_terminal_knows_ascii_only():
    ran = process(
        "review",
        "-",
        "--format",
        "json",
        input="Assessment: gout, 5 µg\n",
        env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": ""},
    )
    assert ran.returncode == 0, ran.stderr


def test_a_process_that_fails_says_one_line():
    ran = process("review", "none.txt")
    assert ran.returncode == 2 and ran.stdout == "" and len(ran.stderr.strip().splitlines()) == 1


def test_the_unreached_codes_are_counted_by_chapter(run):
    code, out, _ = run("codes", "unreached", "--counts")
    counts = [
        (int(a.replace(",", "")), int(b.replace(",", "")))
        for a, b in re.findall(r"^chapter +\d+ +([\d,]+) of +([\d,]+)$", out, flags=re.MULTILINE)
    ]
    (total,) = re.findall(r"^together +([\d,]+) of", out, flags=re.MULTILINE)
    assert code == 0 and len(counts) == 22
    assert sum(missed for missed, _ in counts) == int(total.replace(",", ""))
    assert 0 < counts[8][0] < counts[8][1] / 4  # the circulatory chapter is reached for the most part
