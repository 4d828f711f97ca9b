"""Input and output of many records: JSON lines, CSV and Parquet; what can't be read is an error of its own."""

from __future__ import annotations

import csv
import json

import pytest

from exchange.records import check_format, dump, finished, read_records, write_records
from models.claim import Claim
from models.problem import InputProblem
from models.record import NoteRecord, validated


def test_json_lines_are_read_with_bom_empty_lines_and_crlf(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"id": "a", "text": "caf\xc3\xa9"}\r\n\r\n{"id": "b", "text": ""}\n')
    assert list(read_records(path)) == [{"id": "a", "text": "café"}, {"id": "b", "text": ""}]


def test_a_bad_line_is_an_error_with_its_number_and_the_others_go_on(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_bytes(
        b'{"id": "a", "text": "x"}\n{"id": "b", "text": "secretword\n[1]\n\xff\xfe\n{"id": "c", "text": "y"}\n'
    )
    read = list(read_records(path))
    assert [r["id"] for r in read] == ["a", "line 2", "line 3", "line 4", "c"]
    assert all("error" in r for r in read[1:4])
    assert "line 2" in read[1]["error"] and "secretword" not in json.dumps(read)


def test_csv_keeps_codes_dates_and_na_as_text(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text(
        'id,text,setting,age,sex,claim\n007,"a, ""b""\nNA",inpatient,67,female,"{""diagnoses"": [""E11.9""]}"\nNA,,,,,\n',
        encoding="utf-8",
    )
    first, second = read_records(path)
    assert first == {
        "id": "007", "text": 'a, "b"\nNA', "setting": "inpatient", "patient": {"age": "67", "sex": "female"},
        "claim": {"diagnoses": ["E11.9"]},
    }  # fmt: skip
    assert second == {"id": "NA", "text": ""}
    assert validated(NoteRecord, first, "x").note().patient.age == 67


def test_a_csv_row_with_a_field_too_many_is_an_error_of_its_own(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("id,text\na,b\nc,d,e\nf\ng,h\n", encoding="utf-8")
    assert ["error" in r for r in read_records(path)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("x.csv", b"id,note\na,b\n", "text"),
        ("x.csv", b"\xff\xff", "UTF-8"),
        ("x.parquet", b"no parquet", "Parquet"),
        ("x.docx", b"", "ending"),
        ("missing.jsonl", None, "no such file"),
    ],
)
def test_a_file_that_cannot_be_read_at_all_is_a_problem_that_names_it(tmp_path, name, content, word):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputProblem) as problem:
        list(read_records(path))
    assert word in str(problem.value) and name in str(problem.value)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("ending", [".jsonl", ".csv", ".parquet"])
def test_what_is_written_is_read_again_in_order(tmp_path, ending):
    path = tmp_path / f"out{ending}"
    answers = [{"id": str(n), "report": {"n": n, "é": '\n🙂"'}} for n in range(600)] + [{"id": "bad", "error": "why"}]
    assert write_records(path, iter(answers)) == 1
    if ending == ".jsonl":
        assert [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] == answers
        return
    if ending == ".csv":
        with path.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
    else:
        import pyarrow.parquet as pq

        rows = pq.read_table(path).to_pylist()
    assert [row["id"] for row in rows] == [answer["id"] for answer in answers]
    assert json.loads(rows[5]["report"]) == answers[5]["report"] and not rows[5]["error"]
    assert rows[-1]["error"] == "why" and not rows[-1]["report"]


def test_parquet_is_read_with_nested_and_empty_cells(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "in.parquet"
    pq.write_table(pa.Table.from_pylist([
        {"id": "a", "text": "x", "patient": {"age": 60.0, "sex": "male"}, "date_of_service": "2026-05-12"},
        {"id": "b", "text": "y", "patient": None, "date_of_service": None},
    ]), path)  # fmt: skip
    first, second = read_records(path)
    assert validated(NoteRecord, first, "x").note().patient.age == 60
    assert second == {"id": "b", "text": "y"}


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_an_id_that_a_spreadsheet_would_run_is_made_harmless_in_csv(tmp_path, cell):
    path = tmp_path / "out.csv"
    write_records(path, [{"id": cell, "report": {}}])
    with path.open(encoding="utf-8", newline="") as lines:
        assert next(csv.DictReader(lines))["id"] == "'" + cell


def test_finished_counts_whole_answers_and_removes_what_a_crash_cut_short(tmp_path):
    path = tmp_path / "out.jsonl"
    whole = '{"id":"a"}\n{"id":"b"}\n'
    for rest in ("", '{"id":"c"', '{"id":"c"}', "\x00\x00\n"):
        path.write_text(whole + rest, encoding="utf-8")
        assert finished(path) == 2
        assert path.read_text(encoding="utf-8") == whole


def test_the_same_value_is_dumped_the_same_and_unicode_stays_readable():
    assert dump({"b": 1, "a": "é"}) == '{"b":1,"a":"é"}'


def test_an_unknown_ending_is_refused_with_those_that_are_known(tmp_path):
    with pytest.raises(InputProblem, match=r"\.jsonl, \.csv, \.parquet"):
        check_format(tmp_path / "out.xlsx")


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({"text": "x"}, "id"),
        ({"id": "a"}, "text"),
        ({"id": "a", "text": 5}, "text"),
        ({"id": "a", "text": "x", "setting": "emergency"}, "setting"),
        ({"id": "a", "text": "x", "date_of_service": "12/05/2026"}, "date_of_service"),
        ({"id": "a", "text": "x", "patient": {"sex": "other"}}, "patient.sex"),
        ({"id": "a", "text": "x", "claim": {"lines": [{"modifiers": []}]}}, "claim.lines.0.code"),
        ({"id": "a", "text": "x", "claim": {"diagnosis": ["I10"]}}, "claim.diagnosis"),
    ],
)
def test_a_malformed_record_names_its_field(record, field):
    with pytest.raises(InputProblem) as problem:
        validated(NoteRecord, record, "record 'a'")
    assert field in str(problem.value) and "record 'a'" in str(problem.value)


@pytest.mark.parametrize("record", [None, [], "text", 5])
def test_what_is_no_object_is_refused(record):
    with pytest.raises(InputProblem):
        validated(NoteRecord, record, "line 1")


def test_a_number_as_id_and_unknown_keys_are_taken():
    read = validated(NoteRecord, {"id": 7, "text": "x", "labels": ["I10"]}, "x")
    assert read.id == "7" and read.setting == "outpatient" and read.date_of_service is None


def test_the_claim_fills_in_what_the_record_leaves_out():
    claim = {"date_of_service": "2026-05-12", "patient": {"age": 67, "sex": "female"}}
    note = validated(NoteRecord, {"id": "a", "text": "x", "claim": claim}, "x").note()
    assert (str(note.date_of_service), note.patient.age, note.patient.sex) == ("2026-05-12", 67, "female")
    own = validated(
        NoteRecord,
        {"id": "a", "text": "x", "date_of_service": "2026-05-11", "patient": {"age": 1}, "claim": claim},
        "x",
    ).note()
    assert (str(own.date_of_service), own.patient.age, own.patient.sex) == ("2026-05-11", 1, "female")


def test_absent_and_null_last_seen_are_different():
    unknown = Claim.model_validate({"patient": {}}).patient
    never = Claim.model_validate({"patient": {"last_seen": None}}).patient
    assert "last_seen" not in unknown.model_fields_set and "last_seen" in never.model_fields_set
    assert Claim.model_validate({}).history is None and Claim.model_validate({"history": []}).history == ()
