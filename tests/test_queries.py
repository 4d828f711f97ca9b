"""Queries to providers: what the linter finds, what the writer writes, and the documents made of it."""

from __future__ import annotations

import datetime as dt
import io
import json
import string
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from code_maps.queries import WORD_LISTS, indicators, query_rules
from code_maps.queries.conditions import read_indicators
from code_maps.rulefile import RuleProblem
from exchange.documents import as_docx, as_text
from models.gap import Gap, Missing
from models.proposal import Evidence
from models.query import ProviderQueries
from models.report import NoteFacts, Report
from pipeline.queries import MAX_QUERY, QueryProblem, by_provider, lint, queries_for, read_query, write_query

ROOT = Path(__file__).parent.parent
DAY = dt.date(2026, 5, 12)
LAST = "\n[ ] Other: ____\n[ ] Unable to determine"


def examples():
    return [(rule.id, n, example) for rule in query_rules().values() for n, example in enumerate(rule.examples)]


def violations(text, setting="outpatient"):
    return [v.removeprefix("R-") for v in lint(text, setting).violations]


def about(indicators_, question, options=""):
    return violations(
        f"Clarification: documentation\nClinical indicators: {indicators_}\nQuestion: {question}{options}"
    )


# --- rule files and table ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "number", "example"), examples(), ids=lambda v: v if isinstance(v, str) else None)
def test_example(rule, number, example):
    assert list(lint(example["text"], example["setting"]).violations) == example["violations"]


@pytest.mark.parametrize("code", list(WORD_LISTS))
def test_every_rule_has_examples_on_both_sides(code):
    rule = query_rules()[code]
    fires = [code in e["violations"] for e in rule.examples]
    assert fires.count(True) >= 3
    assert fires.count(False) >= 3
    assert rule.limits
    assert rule.data["suggestion"]


def test_the_table_knows_enough_conditions_and_each_is_named_once():
    table = indicators()
    assert len(table.conditions) >= 220
    for condition in table.conditions:
        assert condition.strong, condition.id


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"names": ["x"], "strong": ["nosuch<3"]}, "no analyte 'nosuch'"),
        ({"names": ["x"], "strong": ["y"], "medium": []}, "unknown key 'medium'"),
        ({"names": ["x"]}, "names and strong are needed"),
    ],
)
def test_a_wrong_row_of_the_table_is_named(row, said):
    with pytest.raises(RuleProblem, match=said):
        read_indicators({"limits": [], "source": [], "analyte": {}, "condition": {"x": row}})


@pytest.mark.parametrize(
    ("name", "clauses", "supported"),
    [
        ("sepsis", ["T 39.2, HR 118", "lactate 2.8"], True),
        ("sepsis", ["T 102.6, WBC 18"], True),
        ("sepsis", ["T 98.9, HR 80, WBC 9"], False),
        ("sepsis", ["no tachycardia, no leukocytosis", "HR 110"], False),
        ("hyponatremia", ["Na 119"], True),
        ("hyponatremia", ["Na 138"], False),
        ("shock", ["BP 98/60"], False),
        ("aki", ["creatinine 0.9, then 2.4"], True),
        ("pneumonia", ["CXR without infiltrate"], False),
        ("arterial-ulcer", ["ABI: left 0.6"], True),
        ("malignancy", ["mother had a breast mass"], False),
        ("diastolic-heart-failure", ["EF 30%"], False),
        ("systolic-heart-failure", ["EF 30%"], True),
    ],
)
def test_values_and_words_support_a_condition_unless_negated(name, clauses, supported):
    condition = next(c for c in indicators().conditions if c.id == name)
    assert indicators().supports(condition, clauses) is supported


# --- the linter: what is easily taken for a violation, and what is one -----------------------------------------------


@pytest.mark.parametrize(
    ("words", "fires"),
    [
        ("The RAF score would rise.", True),
        ("BRAF was tested.", False),
        ("The HCC closes a gap.", True),
        ("AUDIT-C was 9.", False),
        ("AUDIT score 14 was noted.", False),
        ("The auditor asked.", True),
        ("The payer denied it.", True),
        ("She denies pain.", False),
        ("The severity of illness is low.", True),
        ("The severity of the asthma is unclear.", False),
        ("He claims relief.", False),
        ("The claim will fail.", True),
        ("Incentive spirometry was taught.", False),
        ("Quality of life was discussed.", False),
        ("Our quality score fell.", True),
        ("The lipid profile was drawn.", False),
        ("ROM is full.", False),
        ("SOI is 2.", True),
    ],
)
def test_money_is_told_from_clinical_words(words, fires):
    found = about('note 05/12/2026 "asthma".', f"Please describe the asthma. {words}")
    assert ("J2" in found) is fires, found


def test_words_of_the_record_are_never_judged():
    quoted = 'note 05/12/2026 "possible DRG audit, payer denied, does the patient have sepsis? delete this message"'
    assert about(quoted, "Please clarify the entry in your own words.") == []


@pytest.mark.parametrize(
    ("question", "options", "found"),
    [
        ("What is the diagnosis?", "\n[ ] Hyponatremia\n[ ] Pseudohyponatremia" + LAST, []),
        ("What is the diagnosis?", "\n[ ] Hyponatremia\n[ ] Other: ____", ["J4"]),
        ("What is the diagnosis?", "\n[ ] Hyponatremia\n[ ] Unable to determine", ["J4"]),
        ("What is the diagnosis?", "\n[x] Hyponatremia" + LAST, ["J4"]),
        ("What is the diagnosis?", "\n[ ] Hyponatremia\n[ ] Gout" + LAST, ["J3", "J4"]),
        ("What is the diagnosis?", "\n[ ] Gout\n[ ] Cirrhosis" + LAST, ["J3", "J4", "J6"]),
        ("Does the patient have hyponatremia?", "\n[ ] Yes\n[ ] No", ["J5"]),
        ("Does the patient have hyponatremia?", " Yes/No", ["J5"]),
        ("What condition was treated?", "", []),
        ("Please add hyponatremia.", "", ["J4"]),
        ("Please add gout.", "", ["J3", "J4"]),
        ("What is the diagnosis?", "\n[ ] Possible hyponatremia" + LAST, ["J10"]),
        ("Would you give salt tablets?", "", ["J7"]),
        ("What is the diagnosis?", "\na) Hyponatremia\nb) Other\nc) Unable to determine", []),
        ("What is the diagnosis?", " [ ] Hyponatremia [ ] Other [ ] Unable to determine", []),
    ],
)
def test_one_finding_asked_in_many_ways(question, options, found):
    assert about("Na 119 (labs 05/12/2026); fluid restriction (plan 05/12/2026)", question, options) == found


@pytest.mark.parametrize(
    "text", ["", "\n", "?", "[ ]", '"', "Question:", "[ ] [ ] [ ]", "\x00\u202e", "a" * 5000, "(" * 3000]
)
def test_odd_text_is_judged_without_failing(text):
    assert "R-J1" in lint(text, "outpatient").violations


@given(st.text(max_size=300), st.sampled_from(["outpatient", "inpatient"]))
def test_any_text_gets_one_reason_and_one_suggestion_for_each_violation(text, setting):
    said = lint(text, setting)
    assert said.compliant is (not said.violations)
    assert len(said.violations) == len(said.why) == len(said.suggestions)
    assert list(said.violations) == sorted(said.violations, key=list(WORD_LISTS).index)
    assert said == lint(text, setting)


def test_a_quotation_with_sentences_in_it_stays_one():
    quoted = 'note 05/12/2026 "Seen. Please add gout. Does the patient have sepsis? DRG 291."'
    assert about(quoted, "Please clarify the entry in your own words.") == []


def test_a_query_that_is_too_long_is_refused():
    with pytest.raises(ValueError, match="at most"):
        lint("a" * (MAX_QUERY + 1), "outpatient")


def test_the_cost_of_a_query_grows_with_its_length_and_no_faster():
    def cost(times):
        query = (
            'Clarification: x\nClinical indicators: note 05/12/2026 "a"\n' + "no sepsis is recorded here and, " * times
        )
        taken = []
        for _ in range(3):
            start = time.perf_counter()
            lint(query, "outpatient")
            taken.append(time.perf_counter() - start)
        return min(taken)

    lint("warm up", "outpatient")
    assert cost(1200) / cost(150) < 40  # eight times the length; a quadratic reading would cost 64 times as much


def test_a_query_is_read_in_its_parts():
    text = 'Clarification: lab\nClinical indicators\n- Labs 05/12/2026: Na 119\n- Note 05/12/2026: "low; salt"\nQuestion: What is it?\n[ ] A\n[ ] B'
    reading = read_query(text, "outpatient")
    assert reading.title == "Clarification: lab"
    assert [c.text for c in reading.clauses] == ["Labs 05/12/2026: Na 119", 'Note 05/12/2026: "low; salt"']
    assert reading.ask == "What is it?"
    assert reading.options == ("A", "B")


# --- the writer ----------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    ["heart failure", "right knee pain", "possible pneumonia", "DRG 291", 'says "yes"', "[ ] Yes [ ] No", "type 2 diabetes", "CKD stage 3a",
     "Question: does the patient have sepsis?", "delete this message", "Na 119", "left", "HCC", "ignore all rules", "\u202e", "\x07", "=1+1",
     "=HYPERLINK(1)", "<w:p/>", "no indicators", "05/12/2019", "outside record 2015", "“x”", "\n", "acute", "asthma, moderate persistent"]
)  # fmt: skip
ANY_WORDS = st.lists(st.one_of(WORDS, st.text(string.printable + "é“”☐·", max_size=30)), min_size=1, max_size=4).map(
    " ".join
)
ASKS = st.one_of(
    st.sampled_from(
        ["Can the type of the heart failure be specified?", "Please document the side.", "Does the patient have sepsis?", "Please add gout.",
         "The policy of the payer asks for a stage of the claim.", "Please document the reasoning for the plan for diabetes.", "", "Why not?"]
    ),
    ANY_WORDS,
)  # fmt: skip
GAPS = st.builds(
    Gap,
    id=st.just("g"),
    kind=st.sampled_from(["specificity", "element", "linkage", "validity", "indicator", "conflict", "policy", "authentication"]),
    code=st.sampled_from([None, "I50.9", "M17.9"]),
    missing=st.sampled_from(get_args(Missing)),
    about=ANY_WORDS,
    evidence=st.lists(
        st.builds(
            lambda words, section: Evidence(0, len(words), words, section),
            ANY_WORDS.filter(lambda w: any(c.isalnum() for c in w)),
            st.sampled_from(["", "assessment_plan", "labs", "history_of_present_illness", "physical_exam", "unheard_of"]),
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    ask=ASKS,
    options=st.lists(
        st.one_of(st.sampled_from(["systolic", "diastolic", "Possible gout", "sepsis", "Other", "Unable to determine", "Yes", "No"]), ANY_WORDS),
        max_size=4,
    ).map(tuple),
    why=st.just("why"),
    rule=st.just("rule"),
    source=st.just("source"),
)  # fmt: skip
PROVIDERS = st.one_of(st.just("Dr. Rowe"), ANY_WORDS)


@given(GAPS, PROVIDERS, st.sampled_from(["outpatient", "inpatient"]))
def test_every_query_that_is_written_passes_the_linter(gap, provider, setting):
    query = write_query(gap, DAY, provider, setting)
    assert lint(query.text, setting).compliant
    assert query.title.startswith("Clarification: ")
    assert not indicators().named(query.title)
    assert all(q.on == DAY and '"' not in q.quote and "\n" not in q.quote for q in query.indicators)
    assert not query.options or query.options[-2:] == ("Other (please specify)", "Unable to determine")
    assert all("05/12/2026" in line for line in query.text.splitlines() if line.startswith("- "))


def gap(evidence=("CHF, stable",), **changes):
    fields = {
        "id": "specificity-type:I50", "kind": "specificity", "code": "I50.9", "missing": "type", "about": "chf",
        "evidence": tuple(Evidence(0, len(t), t, "assessment_plan") for t in evidence),
        "ask": "Can the type of chf be specified?", "options": ("systolic", "diastolic", "Other", "Unable to determine"),
        "why": "why", "rule": "open-axis", "source": "ICD-10-CM",
    }  # fmt: skip
    return Gap(**{**fields, **changes})


def test_a_gap_becomes_a_multiple_choice_with_its_own_answers():
    query = write_query(gap(), DAY, "Dr. Rowe")
    assert query.options == ("systolic", "diastolic", "Other (please specify)", "Unable to determine")
    assert query.question == "Can the type of chf be specified?"
    assert query.text.splitlines()[2] == '- Assessment and plan 05/12/2026: "CHF, stable"'


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        ({"options": ("gout", "cirrhosis")}, "gout"),
        ({"options": ("Possible systolic heart failure",)}, "Possible"),
        ({"ask": "Does the patient have sepsis?", "options": ("Yes", "No")}, "sepsis"),
        ({"ask": "The payer wants the type of the chf."}, "payer"),
        ({"ask": "Please add sepsis."}, "sepsis"),
    ],
)
def test_what_a_gap_says_and_a_query_may_not_is_left_out(changes, lost):
    assert lost not in write_query(gap(**changes), DAY, "Dr. Rowe").text


@pytest.mark.parametrize(("evidence", "day"), [((), DAY), (("...",), DAY), (("CHF",), None)])
def test_without_evidence_or_date_there_is_no_query(evidence, day):
    with pytest.raises(QueryProblem):
        write_query(gap(evidence), day, "Dr. Rowe")


def report(*gaps, on=DAY):
    return Report(NoteFacts(100, "outpatient", on, "FY2026-04"), gaps=gaps)


def test_queries_of_a_report_are_for_its_provider_and_nothing_disappears():
    found = queries_for(report(gap(), gap((), id="signature")), "Dr. Rowe")
    assert [q.gap for q in found.queries] == ["specificity-type:I50"]
    assert [u.gap for u in found.unasked] == ["signature"]
    assert queries_for(report(gap(), on=None)).unasked
    assert queries_for(report(gap(), on=None), note_date=DAY).queries
    assert queries_for(report(gap(), gap()), limit=1).unasked[0].why == "beyond the first 1"


def test_queries_of_several_reports_are_grouped_by_provider():
    one, two = queries_for(report(gap()), "Dr. B"), queries_for(report(gap()), "Dr. A")
    assert [(g.provider, len(g.queries)) for g in by_provider([one, two, one])] == [("Dr. A", 1), ("Dr. B", 2)]


def test_the_gaps_of_a_real_review_become_compliant_queries(reviewed):
    text = "ASSESSMENT AND PLAN:\n1. Heart failure. Continue furosemide.\n2. Knee osteoarthritis. Injection today."
    found = queries_for(reviewed(text), "Dr. Rowe")
    assert found.queries
    assert all(lint(q.text, "outpatient").compliant for q in found.queries)
    assert all(q.quote in " ".join(text.split()) for query in found.queries for q in query.indicators)


# --- documents -----------------------------------------------------------------------------------------------------


def hostile():
    words = 'pain \x00\x1b[31m \u202eevil\u202c <w:p xmlns:w="x">&amp; ]]> \ud800 =cmd|calc'
    return [queries_for(report(gap((words,))), "Dr. \x07 <b>Rowe</b>\n[ ] Yes")]


def test_a_word_document_holds_the_queries_as_text_only():
    from docx import Document

    data = as_docx(hostile())
    shown = [p.text for p in Document(io.BytesIO(data)).paragraphs]
    assert shown[0] == "To: Dr. <b>Rowe</b> [ ] Yes"
    assert any("<w:p xmlns:w='x'>&amp; ]]> =cmd|calc" in line for line in shown)
    assert not any(ord(c) < 32 or c in "\u202e\u202c" for line in shown for c in line)
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        assert b"instrText" not in parts.read("word/document.xml")


def test_plain_text_has_no_control_characters_and_one_line_for_each_piece():
    text = as_text(hostile())
    assert not any(c in text for c in "\x00\x1b\x07\u202e")
    assert text.splitlines()[0] == "To: Dr. <b>Rowe</b> [ ] Yes (1 of 1)"
    text.encode("utf-8")


def test_the_same_queries_give_the_same_bytes():
    assert as_docx(hostile()) == as_docx(hostile())


def test_no_queries_is_said_in_both_documents():
    assert as_text([ProviderQueries("Dr. Rowe")]) == "No queries.\n"
    assert as_docx([])


# --- the command ---------------------------------------------------------------------------------------------------


def command(tmp_path, lines, name="in.jsonl"):
    (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), "lint-query", str(tmp_path / name), str(tmp_path / "out.jsonl")],
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    out = tmp_path / "out.jsonl"
    return done, [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()] if out.exists() else []


def test_lint_query_answers_in_order_and_a_bad_record_is_its_own_error(tmp_path):
    good = {"id": "a", "text": "Sepsis query\nPlease pick:\n[ ] Sepsis", "setting": "inpatient"}
    lines = [json.dumps(good), "{not json", json.dumps({"id": "c"}), json.dumps({"id": "d", "text": "secret", "setting": "ward"}),
             json.dumps({"id": "e", "text": "x" * (MAX_QUERY + 1)}), "[1]"]  # fmt: skip
    done, answers = command(tmp_path, lines)
    assert done.returncode == 1
    assert answers[0]["violations"] == ["R-J1", "R-J3", "R-J4", "R-J6"]
    assert answers[0]["compliant"] is False
    assert len(answers[0]["why"]) == 4
    assert [a["id"] for a in answers] == ["a", "line 2", "c", "d", "e", "line 6"]
    assert all("error" in a for a in answers[1:])
    assert "secret" not in done.stderr + json.dumps(answers)


def test_lint_query_refuses_a_file_that_is_no_jsonl(tmp_path):
    done, answers = command(tmp_path, ["id,text"], "in.csv")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not answers
