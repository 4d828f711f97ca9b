"""review(note, claim) -> Report: the only place that knows the order of the steps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from code_maps.guidelines import facts as guideline_facts
from code_maps.icd10cm import CodeSet, load
from code_maps.terms import term_index
from models.claim import Claim
from models.finding import Finding, Mention
from models.proposal import Candidate
from models.report import NoteFacts, Report
from models.text import Layout, Note, Span
from pipeline.assertions import assert_spans
from pipeline.extractors import abbreviations, extract
from pipeline.findings import Reading, as_findings, kind_of, match_terms, read_words
from pipeline.gaps import denial_risks, elements_of, find_gaps, problem_elements
from pipeline.guidelines import Coding, decide
from pipeline.proposals import Surroundings
from pipeline.sections import read_layout


def review(note: Note, claim: Claim | None = None) -> Report:
    """Review one note, with or without the claim that was billed for it.

    The date of service chooses the code set; without one the newest release with known dates is used and the report
    says so. Raises nothing for any text of 0 to 1,000,000 characters.
    """
    codes = load(note.date_of_service)
    notices = list(codes.notices)
    if note.date_of_service is None:
        notices.append(f"No date of service was given: the newest installed release, {codes.release}, is used.")
    layout = read_layout(note.text)
    findings, reading = read_findings(note.text, layout, codes)
    coding = Coding(
        codes=codes,
        note=note,
        layout=layout,
        around=Surroundings(reading, layout, findings),
        facts=guideline_facts(),
    )
    proposals, candidates, withheld = decide(coding, findings)
    if not codes.covers:
        # A release that doesn't cover the date proves nothing about it: offered, not proposed.
        why = f"{codes.release} doesn't cover this date of service"
        candidates = [*(Candidate(p.code, p.confidence, why, p.findings) for p in proposals), *candidates]
        proposals = []
    problems = problem_elements(codes, layout, findings, proposals)
    elements = elements_of(f for f in findings if f.patients)
    gaps = find_gaps(codes, note, layout, findings, proposals, problems)
    return Report(
        note=NoteFacts(len(note.text), note.setting, note.date_of_service, codes.release, tuple(notices)),
        sections=layout.sections,
        findings=findings,
        proposals=tuple(proposals),
        candidates=tuple(candidates),
        withheld=tuple(withheld),
        gaps=gaps,
        elements=elements,
        problem_elements=problems,
        denial_risks=denial_risks(None, None, gaps, elements),
    )


def read_findings(text: str, layout: Layout, codes: CodeSet) -> tuple[tuple[Finding, ...], Reading]:
    """Everything that the note says: terms with their place in the tabular, and what the extractors find, asserted."""
    index = term_index(codes)
    reading = read_words(text, layout, index, abbreviations.expand(text, layout))
    mentions: list[tuple[int, Mention]] = []
    for number, mention in match_terms(reading, index):
        section = layout.category_of(layout.sentences[number])
        mentions.append((number, replace(mention, kind=kind_of(mention.place, section))))
    mentions.extend(_located(layout, extract(text, layout)))
    asserted = assert_spans(text, layout, [Span(m.start, m.end) for _, m in mentions])
    return as_findings(text, layout, mentions, asserted), reading


def _located(layout: Layout, mentions: Sequence[Mention]) -> list[tuple[int, Mention]]:
    """Mentions with the number of the sentence they begin in; -1 outside every sentence."""
    found, number = [], 0
    for mention in sorted(mentions, key=lambda m: (m.start, m.end, m.kind)):
        while number < len(layout.sentences) and layout.sentences[number].end <= mention.start:
            number += 1
        inside = number < len(layout.sentences) and layout.sentences[number].start <= mention.start
        found.append((number if inside else -1, mention))
    return found


def review_text(text: str, on: dt.date | None = None) -> Report:
    """Review bare text as an outpatient note."""
    return review(Note(text, date_of_service=on))
