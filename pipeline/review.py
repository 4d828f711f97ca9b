"""review(note, claim) -> Report: the only place that knows the order of the steps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from code_maps.guidelines import facts as guideline_facts
from code_maps.hcc import table_for as hcc_table
from code_maps.icd10cm import CodeSet, load
from code_maps.terms import term_index
from models.claim import Claim, ClaimCheck
from models.finding import Finding, Kind, Mention
from models.problem import InputProblem
from models.proposal import Candidate, Proposal
from models.report import NoteFacts, Report, plain
from models.text import Layout, Note, Patient, Span
from pipeline import claims
from pipeline.assertions import assert_spans
from pipeline.claim_edits import claim_edits
from pipeline.evaluation_management import level
from pipeline.extractors import abbreviations, extract
from pipeline.findings import Reading, as_findings, kind_of, match_terms, read_words
from pipeline.gaps import denial_risks, elements_of, problem_elements, rationale_links, seek_gaps
from pipeline.guidelines import Coding, decide
from pipeline.language import ner
from pipeline.proposals import Surroundings
from pipeline.risk import conditions
from pipeline.sections import read_layout


def review(
    note: Note,
    claim: Claim | None = None,
    model: str | None = None,
    hcc: bool = False,
    settled: Collection[str] | None = None,
) -> Report:
    """Review one note, with or without the claim that was billed for it.

    The date of service chooses the code set; without one the newest release with known dates is used and the report
    says so. `model` names an installed spaCy model whose mentions are added to the findings. `hcc` adds the optional
    risk-adjustment layer (hccinfhir). `settled` are fingerprints of gaps that were judged before: on the same words they
    aren't asked again but listed apart. Raises nothing for any text of 0 to 1,000,000 characters; InputProblem for a
    model that isn't installed, and for what `hcc` can't be had without.
    """
    table = hcc_table(note.date_of_service) if hcc else None
    codes = load(note.date_of_service)
    notices = [*codes.notices, *(table.notices if table else ())]
    if note.date_of_service is None:
        notices.append(f"No date of service was given: the newest installed release, {codes.release}, is used.")
    layout = read_layout(note.text)
    findings, reading = read_findings(note.text, layout, codes, model)
    explained = rationale_links(findings, layout)
    findings = tuple(replace(f, links=(*f.links, *explained[f.id])) if f.id in explained else f for f in findings)
    coding = Coding(
        codes=codes,
        note=note,
        layout=layout,
        around=Surroundings(reading, layout, findings, doubt_excludes=note.setting == "outpatient"),
        facts=guideline_facts(),
    )
    proposals, candidates, withheld = decide(coding, findings)
    if not codes.covers:
        # A release that doesn't cover the date proves nothing about it: offered, not proposed.
        why = f"{codes.release} doesn't cover this date of service"
        candidates = [*(Candidate(p.code, p.confidence, why, p.findings) for p in proposals), *candidates]
        proposals = []
    problems = problem_elements(codes, layout, findings, proposals, note.text)
    elements = elements_of(f for f in findings if f.patients)
    if claim is not None:
        claim = of_encounter(claim, note)
    check = _checked(note, layout, claim, findings, proposals) if claim is not None else None
    found = seek_gaps(codes, note, layout, findings, proposals, problems, check, settled or ())
    gaps = found.gaps
    em = level(findings, proposals, claim, note.text, layout) if note.setting == "outpatient" else None
    return Report(
        note=NoteFacts(len(note.text), note.setting, note.date_of_service, codes.release, tuple(notices)),
        sections=layout.sections,
        findings=findings,
        proposals=tuple(proposals),
        candidates=tuple(candidates),
        withheld=tuple(withheld),
        claim=check,
        em=em,
        gaps=gaps,
        elements=elements,
        problem_elements=problems,
        denial_risks=denial_risks(check, em, gaps, elements),
        risk=conditions(codes, note, layout, findings, proposals, candidates, table, coding.facts) if table else None,
        settled=found.settled if settled is not None else None,
        further_gaps=found.further,
    )


def _checked(
    note: Note, layout: Layout, claim: Claim, findings: Sequence[Finding], proposals: Sequence[Proposal]
) -> ClaimCheck:
    """The claim against policies, edits and the note."""
    evidence = claims.NoteEvidence(
        note.text, tuple(findings), tuple(proposals), lambda spans: assert_spans(note.text, layout, list(spans))
    )
    assumed = bool(claim.lines and not claim.diagnoses and proposals)
    if assumed:
        claim = claims.assume(claim, proposals, load)
    check = claims.check_claim(claim, load, evidence)
    edits, notices = claim_edits(claim, load)
    return check.model_copy(
        update={"edits": edits, "assumed_diagnoses": assumed, "notices": (*check.notices, *notices)}
    )


def of_encounter(claim: Claim, note: Note) -> Claim:
    """A claim with the note's date of service, age and sex where it has none of its own."""
    patient: dict[str, Any] = {}
    if claim.patient.age is None and note.patient.age is not None:
        patient["age"] = note.patient.age
    if claim.patient.sex is None and note.patient.sex is not None:
        patient["sex"] = note.patient.sex
    changes: dict[str, Any] = {"patient": claim.patient.model_copy(update=patient)} if patient else {}
    if claim.date_of_service is None and note.date_of_service is not None:
        changes["date_of_service"] = note.date_of_service
    return claim.model_copy(update=changes) if changes else claim


def check_claim(claim: Claim, note_text: str | None = None) -> dict[str, Any]:
    """Check a claim, with or without its note, as plain JSON: lines, edits and what else ClaimCheck holds.

    With a note the review's own answer is given; a claim without diagnoses is then checked with the proposed ones.
    """
    if note_text is not None:
        patient = Patient(claim.patient.age, claim.patient.sex)
        checked = review(Note(note_text, date_of_service=claim.date_of_service, patient=patient), claim).claim
    else:
        edits, notices = claim_edits(claim, load)
        checked = claims.check_claim(claim, load)
        checked = checked.model_copy(update={"edits": edits, "notices": (*checked.notices, *notices)})
    answer: dict[str, Any] = plain(checked)
    return answer


def read_findings(
    text: str, layout: Layout, codes: CodeSet, model: str | None = None
) -> tuple[tuple[Finding, ...], Reading]:
    """Everything that the note says: terms with their place in the tabular, and what the extractors find, asserted.

    `model` names a spaCy model; what it finds and nothing else did is added, without a place in the tabular.
    """
    index = term_index(codes)
    reading = read_words(text, layout, index, abbreviations.expand(text, layout))
    mentions: list[tuple[int, Mention]] = []
    for number, mention in match_terms(reading, index):
        if mention.source == "acronym" and text[mention.start : mention.end].islower():
            continue
        section = layout.category_of(layout.sentences[number])
        mentions.append((number, replace(mention, kind=kind_of(mention.place, section))))
    mentions.extend(_located(layout, extract(text, layout)))
    if model is not None:
        mentions.extend(_located(layout, _of_model(text, model, [m for _, m in mentions])))
    asserted = assert_spans(text, layout, [Span(m.start, m.end) for _, m in mentions])
    return as_findings(text, layout, mentions, asserted), reading


# Labels of trained models and the kind of finding they name; other labels (people, dates) are no findings.
_LABELS: dict[str, Kind] = {
    **dict.fromkeys(("DISEASE", "PROBLEM", "DISORDER", "CONDITION", "CANCER", "ENTITY"), "condition"),
    **dict.fromkeys(("SIGN", "SYMPTOM", "SIGN_SYMPTOM"), "symptom"),
    **dict.fromkeys(("CHEMICAL", "SIMPLE_CHEMICAL", "DRUG", "MEDICATION", "TREATMENT"), "treatment"),
    **dict.fromkeys(("TEST", "LAB", "DIAGNOSTIC_PROCEDURE"), "result"),
}


def _of_model(text: str, model: str, known: Sequence[Mention]) -> list[Mention]:
    """What a trained model finds outside the words already found."""
    try:
        entities = ner(model)(text)
    except ValueError as problem:
        raise InputProblem(str(problem), f"model {model!r}") from None
    taken = [Span(m.start, m.end) for m in known]
    return [
        Mention(_LABELS[label.upper()], start, end, source="model")
        for start, end, label in entities
        if label.upper() in _LABELS and not any(span.overlaps(Span(start, end)) for span in taken)
    ]


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
