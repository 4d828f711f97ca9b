"""Reports for people: at most 100 columns, and note text that is shown and never run."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from exchange.rendered import as_html, as_markdown, as_text, code_page, marked_note, text_lines, words
from models.claim import ClaimCheck, Edit, Verdict
from models.gap import Supposed
from models.proposal import Candidate, Evidence, Withheld
from tests.store_expected import FOLDER, names, review_sample

HOSTILE = '<script>alert(1)</script> <img src=x onerror="alert(2)"> [bold red]x[/bold red] | **b** `c` [l](javascript:x) &amp; \x1b[31m'


@pytest.fixture(scope="module")
def hostile():
    """A report with hostile words wherever the note or the claim can put words."""
    report = review_sample("knee-osteoarthritis")
    evidence = (Evidence(0, 5, HOSTILE, "assessment_plan"),)
    first = replace(report.proposals[0], evidence=evidence)
    return replace(
        report,
        proposals=(first, *report.proposals[1:]),
        findings=tuple(replace(f, text=HOSTILE) for f in report.findings),
        candidates=(Candidate("I10", 0.3, HOSTILE, ("f1",)),),
        withheld=(Withheld("J18.9", "outpatient-uncertain", HOSTILE, ("f1",)),),
        gaps=tuple(
            replace(
                g, about=HOSTILE, ask=HOSTILE, evidence=evidence,
                supposed=(Supposed(HOSTILE, words=((0, HOSTILE),), codes=((HOSTILE, None),), why=HOSTILE),),
            )
            for g in report.gaps
        ),
        settled=tuple(replace(g, about=HOSTILE, ask=HOSTILE) for g in report.gaps),
        problem_elements=tuple(
            replace(p, problem=HOSTILE, evidence=(("exam", evidence), ("history", evidence)))
            for p in report.problem_elements
        ),
        claim=ClaimCheck(
            lines=(Verdict(line=1, code=HOSTILE, verdict="FAIL_DX", why=HOSTILE, missing=(HOSTILE,), evidence=evidence),),
            edits=(Edit(edit="dx-unknown", severity="error", dx=HOSTILE, why=HOSTILE, source="x"),),
            undocumented=(HOSTILE,), notices=(HOSTILE,),
        ),
    )  # fmt: skip


class Tags(HTMLParser):
    """The tags and attributes of a page, and its text."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text = set(), set(), []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text.append(data)


def test_html_shows_hostile_words_and_runs_none(hostile):
    text = f"{HOSTILE}\n" + (FOLDER / "knee-osteoarthritis" / "note.txt").read_text(encoding="utf-8")
    page = Tags(as_html(hostile, text))
    assert not {"script", "img", "iframe", "a"} & page.tags
    assert not [name for name in page.attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in "".join(page.text)


def test_text_shows_rich_markup_as_it_stands(hostile):
    assert "[bold red]" in as_text(hostile)
    assert "<script>" in as_text(hostile)


def test_markdown_escapes_what_would_be_a_tag_or_a_cell(hostile):
    page = as_markdown(hostile)
    assert "<script>" not in page and "<img" not in page
    # a cell that isn't escaped would break its table: every row has as many bars as its heading
    for table in re.findall(r"(?:^\|.*\n?)+", page, re.MULTILINE):
        bars = {len(re.findall(r"(?<!\\)\|", row)) for row in table.strip().splitlines()}
        assert len(bars) == 1, table


@pytest.mark.parametrize("name", names())
def test_the_text_report_is_at_most_a_hundred_columns_wide(name):
    report = review_sample(name)
    assert [line.plain for line in text_lines(report) if len(line.plain.rstrip()) > 100] == []


def test_the_text_report_of_hostile_words_is_narrow_too(hostile):
    assert [line.plain for line in text_lines(hostile) if len(line.plain.rstrip()) > 100] == []


def test_the_text_report_holds_no_control_characters(hostile):
    assert "\x1b" not in as_text(hostile)


@pytest.mark.parametrize("name", names())
def test_all_formats_name_every_proposed_code(name):
    report = review_sample(name)
    text = (FOLDER / name / "note.txt").read_text(encoding="utf-8")
    for page in (as_text(report), as_markdown(report).replace("\\", ""), as_html(report, text)):
        assert [p.code for p in report.proposals if p.code not in page] == []


@pytest.mark.parametrize("name", names())
def test_the_marked_note_is_the_note(name):
    text = (FOLDER / name / "note.txt").read_bytes().decode("utf-8")
    page = marked_note(text, review_sample(name).findings)
    assert html.unescape(re.sub(r"<[^>]*>", "", page)) == text


def test_overlapping_findings_are_marked_once_and_the_coded_one_wins():
    report = review_sample("depression-anxiety")
    text = (FOLDER / "depression-anxiety" / "note.txt").read_text(encoding="utf-8")
    coded = frozenset(i for p in report.proposals for i in p.findings[:1])
    page = marked_note(text, report.findings, coded)
    assert page.count("<mark") == page.count("</mark>")
    assert any(f'id="{i}"' in page for i in coded)
    assert not re.search(r"<mark[^>]*>[^<]*<mark", page)


def test_an_empty_report_is_rendered(reviewed):
    report = reviewed("")
    assert "none that the note supports" in as_text(report)
    assert as_markdown(report) and "<h2>Note</h2>" in as_html(report, "")


def test_long_words_of_a_note_are_cut_at_a_word():
    assert words("a  b\n c") == "a b c"
    assert len(words("word " * 50)) <= 70 and words("word " * 50).endswith("…")
    assert len(words("x" * 500)) <= 70


def test_a_page_of_a_code_names_title_path_and_inherited_notes():
    import datetime as dt

    page = code_page("i50.22", dt.date(2026, 5, 12))
    assert page.startswith("I50.22") and "Chronic systolic" in page and "billable" in page
    assert "(at I50)" in page


def test_the_elements_of_each_problem_stand_in_every_format_with_their_words(reviewed):
    text = "HPI: Right knee pain for a year.\nAssessment:\n1. Osteoarthritis of the right knee.\n"
    report = reviewed(text)
    (problem,) = report.problem_elements
    assert problem.elements.symptoms
    assert 'symptoms: "Right knee pain"' in as_text(report)
    for shown in (as_markdown(report), as_html(report, text)):
        assert "Right knee pain" in shown.split("Documented")[1].split("E/M")[0]
    assert max(map(len, as_text(report).splitlines())) <= 100
