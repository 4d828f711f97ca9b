"""What the gap families look at: one note with its findings and proposals, looked up once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from code_maps.icd10cm import CodeSet
from code_maps.places import Places
from code_maps.rulefile import Rule
from models.claim import ClaimCheck
from models.finding import Finding
from models.gap import Gap
from models.proposal import Evidence, Proposal
from models.report import ProblemElements
from models.text import Layout, Note, Sentence

ASSESSED = frozenset(("assessment", "assessment_plan", "diagnoses", "discharge_diagnoses", "plan", "mdm"))
EXAM = frozenset(("physical_exam", "vitals"))
RESULT = frozenset(("labs", "imaging", "results"))
DECIDED = ASSESSED | {"instructions"}
_NEGATED = re.compile(r"\b(?:no|not|denies|denied|without|negative|none|never|normal)\b")


@dataclass(slots=True)
class Case:
    """One note as the gap families see it; what is looked up often is looked up once."""

    codes: CodeSet
    note: Note
    layout: Layout
    findings: Sequence[Finding]
    proposals: Sequence[Proposal]
    problems: Sequence[ProblemElements]
    check: ClaimCheck | None = None
    text: str = ""
    by_id: dict[str, Finding] = field(default_factory=dict)
    by_analyte: dict[str, list[Finding]] = field(default_factory=dict)
    by_category: dict[str, list[Finding]] = field(default_factory=dict)
    drugs: dict[str, list[Finding]] = field(default_factory=dict)
    actions: list[Finding] = field(default_factory=list)
    sections: frozenset[str] = frozenset()
    lower: dict[int, str] = field(default_factory=dict)
    plan: str | None = None
    around: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lowered = self.note.text.lower()
        # A few letters grow when they are made small (U+0130); positions must stay.
        self.text = lowered if len(lowered) == len(self.note.text) else self.note.text
        self.by_id = {f.id: f for f in self.findings}
        for finding in self.findings:
            assertion = finding.assertion
            if assertion.experiencer != "patient":
                continue
            values = dict(finding.values)
            if "analyte" in values:
                self.by_analyte.setdefault(str(values["analyte"]), []).append(finding)
            if assertion.presence in ("negated", "hypothetical"):
                continue
            if finding.place:
                self.by_category.setdefault(finding.place[:3], []).append(finding)
            if finding.kind in ("treatment", "order"):
                self.actions.append(finding)
                if values.get("class") and values.get("action") not in ("stopped", "held"):
                    self.drugs.setdefault(str(values["class"]), []).append(finding)
        self.sections = frozenset(s.category for s in self.layout.sections)

    def sentence(self, number: int) -> str:
        """A sentence in lower case."""
        found = self.lower.get(number)
        if found is None:
            place = self.layout.sentences[number]
            found = self.lower[number] = self.text[place.start : place.end]
        return found

    def quote(self, finding: Finding) -> Evidence:
        """The whole sentence that a finding stands in: a query quotes it so that it can be judged."""
        if finding.sentence < 0:
            return Evidence(finding.start, finding.end, finding.text, finding.section)
        return self.quote_sentence(self.layout.sentences[finding.sentence])

    def quote_sentence(self, place: Sentence) -> Evidence:
        """A sentence as evidence, without the blanks and bullets at its ends."""
        text = self.note.text
        start, end = place.start, place.end
        while start < end and not text[start].isalnum():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        return Evidence(start, end, text[start:end], self.layout.category_of(place))

    def near(self, proposal: Proposal) -> str:
        """The lower-case words around a proposal: the sentences of its findings and the problem they stand under."""
        known = self.around.get(proposal.code)
        if known is not None:
            return known
        problems, sentences = set(), set()
        for key in proposal.findings:
            finding = self.by_id[key]
            if finding.problem >= 0:
                problems.add(finding.problem)
            elif finding.sentence >= 0:
                sentences.add(finding.sentence)
        pieces = [self.text[p.start : p.end] for p in (self.layout.problems[n] for n in sorted(problems))]
        pieces += [self.sentence(n) for n in sorted(sentences)]
        pieces += [e.text.lower() for e in proposal.evidence]
        found = self.around[proposal.code] = " ".join(pieces)
        return found

    def about(self, proposal: Proposal) -> str:
        """The condition in the note's own words."""
        if not proposal.evidence:
            return self.codes.title(proposal.code)
        return " ".join(proposal.evidence[0].text.split()).lower()

    def evidence(self, proposal: Proposal) -> tuple[Evidence, ...]:
        """The words of a proposal and the last sentence of its problem that says something of it."""
        return proposal.evidence[:2]

    def decided(self) -> str:
        """The lower-case text of assessment, plan and instructions; all of it where nothing is headed so."""
        if self.plan is None:
            pieces = [self.text[s.start : s.end] for s in self.layout.sections if s.category in DECIDED]
            self.plan = " ".join(pieces) or self.text
        return self.plan

    def assessed(self, proposal: Proposal) -> bool:
        """Whether a proposal is a problem of the assessment."""
        return proposal.section in ASSESSED or proposal.problem >= 0

    def coded(self, places: Places) -> bool:
        """Whether any proposal lies under one of some places."""
        return any(p.code in places for p in self.proposals)

    def mentioned(self, places: Places) -> bool:
        """Whether a condition or symptom under one of some places is mentioned as the patient's, coded or not."""
        return any(f.place in places and f.kind != "treatment" for mine in self.by_category.values() for f in mine)

    def main(self) -> Proposal | None:
        """The problem that the visit is about: the first proposal of the assessment that is a condition or symptom."""
        real = [p for p in self.proposals if p.code[0] not in "VWXYZ"]
        return next((p for p in real if self.assessed(p)), real[0] if real else None)


def affirmed(sentence: str) -> bool:
    """Whether a lower-case sentence has no word that denies."""
    return not _NEGATED.search(sentence)


def make_gap(
    rule: Rule,
    code: str | None,
    evidence: tuple[Evidence, ...],
    about: str = "",
    *,
    rank: int = 0,
    key: str = "",
    missing: str = "",
    ask: str = "",
) -> Gap:
    """A gap by a rule file. `about` fills the question; `rank` puts less important problems later."""
    data: dict[str, Any] = rule.data
    about = about or data["about"]
    item = missing or data["missing"]
    return Gap(
        id=f"{rule.id}:{key or (code or evidence[0].text if evidence or code else rule.id)[:3]}",
        kind=data["kind"],
        code=code,
        missing=item,  # type: ignore[arg-type]
        about=about,
        evidence=evidence,
        ask=(ask or data["ask"]).replace("{about}", about),
        options=tuple(data["options"]),
        why=rule.why,
        rule=rule.id,
        source=str(rule.sources[0]),
        priority=data["priority"] * 10 + min(rank, 9),
    )


def words_in(words: Iterable[str], text: str) -> bool:
    """Whether one of some words stands in a lower-case text."""
    return any(map(text.__contains__, words))
