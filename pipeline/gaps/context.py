"""What the gap families look at: one note with its findings and proposals, looked up once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from code_maps.gaps import proper_names
from code_maps.icd10cm import CodeSet
from code_maps.places import Places
from code_maps.rulefile import Rule
from code_maps.terms.abbreviations import abbreviations
from code_maps.terms.drugs import drugs
from models.claim import ClaimCheck
from models.finding import Finding
from models.gap import Gap, WouldChange
from models.proposal import Evidence, Proposal
from models.report import ProblemElements
from models.text import Layout, Note, Sentence

ASSESSED = frozenset(("assessment", "assessment_plan", "diagnoses", "discharge_diagnoses", "plan", "mdm"))
EXAM = frozenset(("physical_exam", "vitals"))
RESULT = frozenset(("labs", "imaging", "results"))
DECIDED = ASSESSED | {"instructions"}
_ADULT = 18
_CHILD = re.compile(
    r"\b(?:\d{1,2}[ -](?:months?|mo|weeks?|wk|days?)[ -]old|(?:[1-9]|1[0-7])[ -]?(?:years?[ -]old|y/?o|y\.o\.|y(?: \d+ m[o]?)?)"
    r"(?! ago)\b[^.\n]{0,12}\b(?:boy|girl|male|female|child|infant|baby|[mf]\b)|pediatrics?|well[ -]child|infant|toddler|newborn)\b"
)
_TOLD = frozenset(("chief_complaint", "history_of_present_illness", "interval_history", "subjective"))
_TRIED = re.compile(
    r"\b(?:physical therapy|therapy|exercises?|ibuprofen|naproxen|meloxicam|tylenol|acetaminophen|nsaids?|advil|aleve|injections?|"
    r"brace|splint|orthotics?|ice|icing|heat|rest(?:ing)?|massage|chiropract\w+|medications?|relief)\b"
)
_TELLING = re.compile(r"[a-z]{3,}")
_DULL = frozenset(
    "pain acute chronic right left with without disease disorder unspecified other status patient history strain sprain contusion injury not and the of".split()
)
_ENDS = re.compile(r"^\W+|(?:['’][sS])?\W*$")
_ROMAN = re.compile(r"[IVX]+[ABCab]?")
_LONGEST_ACRONYM = 6
_TURNS = re.compile(r"\bbut\b|\bhowever\b|\bexcept\b|\balthough\b|\botherwise\b|;")
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
    standing: dict[str, tuple[list[int], str]] = field(default_factory=dict)
    plan: str | None = None
    of_child: bool | None = None
    named: frozenset[str] | None = None
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

    def part(self, where: str) -> tuple[list[int], str]:
        """The sentences of the "exam", the "results" or all "other" sections, and their lower-case text."""
        if not self.standing:
            numbers: dict[str, list[int]] = {"exam": [], "results": [], "other": []}
            for number, place in enumerate(self.layout.sentences):
                numbers[place_of(self.layout.category_of(place))].append(number)
            self.standing = {w: (mine, "\n".join(map(self.sentence, mine))) for w, mine in numbers.items()}
        return self.standing[where]

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
        """The condition in the note's own words, as they stand inside a sentence."""
        if not proposal.evidence:
            return in_sentence(self.codes.title(proposal.code))
        first = proposal.evidence[0]
        start, end = first.start, first.end
        for other in proposal.evidence[1:]:  # two readings of the same words: "chronic obstructive pulmonary disease"
            if other.start < end and start < other.end:
                start, end = min(start, other.start), max(end, other.end)
        return in_sentence(self.note.text[start:end])

    def evidence(self, proposal: Proposal) -> tuple[Evidence, ...]:
        """The words of a proposal and the last sentence of its problem that says something of it."""
        return proposal.evidence[:2]

    def bearing(self, proposal: Proposal, item: str) -> tuple[Evidence, ...]:
        """The sentences that a missing item should have stood in: what was examined of it, ordered for it, told of it."""
        if item == "exam":
            numbers = self.part("exam")[0]
        elif item in ("history", "duration", "conservative-treatment"):
            numbers = [n for n in self.part("other")[0] if self.layout.category_of(self.layout.sentences[n]) in _TOLD]
        elif item == "rationale":
            acts = [f for f in self.actions if f.section in DECIDED and f.sentence >= 0 and not f.historical]
            mine = [f for f in acts if f.problem == proposal.problem >= 0] or acts
            numbers = list(dict.fromkeys(f.sentence for f in mine))[:1]
            return tuple(self.quote_sentence(self.layout.sentences[n]) for n in numbers)
        else:
            return ()
        if item == "conservative-treatment":
            found = [n for n in numbers if _TRIED.search(self.sentence(n))]
        else:
            words = [w for w in _TELLING.findall(" ".join(e.text.lower() for e in proposal.evidence)) if w not in _DULL]
            found = [n for n in numbers if words_in(words, self.sentence(n))] or (numbers[:1] if item != "exam" else [])
        return tuple(self.quote_sentence(self.layout.sentences[n]) for n in found[:2])

    @property
    def child(self) -> bool:
        """Whether the patient is a child, by the age given or the first words of the note."""
        if self.of_child is None:
            age = self.note.patient.age
            self.of_child = age < _ADULT if age is not None else _CHILD.search(self.text, 0, 2000) is not None
        return self.of_child

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
        if self.named is None:
            mine = (f for found in self.by_category.values() for f in found)
            self.named = frozenset(f.place for f in mine if f.kind != "treatment")
        return any(place in places for place in self.named)

    def main(self) -> Proposal | None:
        """The problem that the visit is about: the first proposal of the assessment that is a condition or symptom."""
        real = [p for p in self.proposals if p.code[0] not in "VWXYZ"]
        return next((p for p in real if self.assessed(p)), real[0] if real else None)


def place_of(category: str) -> str:
    """Whether a section of some category holds an examination, results or something else (`places` of a rule file)."""
    return "exam" if category in EXAM else "results" if category in RESULT else "other"


def in_sentence(words: str) -> str:
    """Words of a note as they stand inside a sentence: a capital at a beginning goes, acronyms and names keep theirs."""
    shouted = words.isupper()
    return " ".join(_small(word, shouted) for word in words.split())


@lru_cache(maxsize=4096)
def _small(word: str, shouted: bool) -> str:
    if word.islower() or word.isdigit():
        return word
    if "-" in word or "/" in word:
        return re.sub(r"[^/-]+", lambda piece: _small(piece[0], shouted), word)
    bare = _ENDS.sub("", word)
    if bare.capitalize() in proper_names():
        return word if not shouted else word.lower().replace(bare.lower(), bare.capitalize())
    known = bare in abbreviations() or _ROMAN.fullmatch(bare) is not None
    if known and (len(bare) > 1 or not shouted):
        return word
    if bare[1:].islower() or len(bare) == 1:
        brand = not shouted and "brand" in getattr(drugs().get(bare.lower()), "note", "")
        return word if brand or (len(bare) == 1 and not shouted) else word.lower()
    return word.lower() if shouted or (len(bare) > _LONGEST_ACRONYM and bare.isupper()) else word


def affirmed(sentence: str) -> bool:
    """Whether a lower-case sentence has no word that denies."""
    return not _NEGATED.search(sentence)


def clause_of(sentence: str, word: str) -> str:
    """The part of a sentence that a word stands in: "no thyromegaly, but a bruit" denies one and affirms the other."""
    for piece in _TURNS.split(sentence):
        if word in piece:
            return piece
    return sentence


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
    would_change: WouldChange | None = None,
) -> Gap:
    """A gap by a rule file. `about` fills the question; `rank` puts less important problems later."""
    data: dict[str, Any] = rule.data
    about = about or data["about"]
    item = missing or data["missing"]
    short = code or (" ".join(evidence[0].text.split()) if evidence else rule.id)
    return Gap(
        id=f"{rule.id}:{key or short[:3]}",
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
        would_change=would_change,
        priority=data["priority"] * 10 + min(rank, 9),
    )


def words_in(words: Iterable[str], text: str) -> bool:
    """Whether one of some words stands in a lower-case text."""
    return any(map(text.__contains__, words))
