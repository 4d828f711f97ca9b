"""From findings to draft codes: the descent, with the evidence that stands around each finding.

A draft is what one finding alone would be coded as. Which drafts become proposals, and what they do to one another,
is for `pipeline.guidelines`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from code_maps.axes import axis_of
from code_maps.axes.branches import SIDES
from code_maps.axes.descent import Evidence, Path, descend
from code_maps.icd10cm import CodeSet
from code_maps.terms.words import STOP
from models.finding import Finding
from models.text import Layout
from pipeline.findings import Reading, Token

_QUIET = frozenset("normal unremarkable asymptomatic negative no not without denies other opposite contralateral intact".split())
_DENIALS = frozenset("no not without denies denied negative never absent".split())
_AXIS_WORDS = frozenset({"laterality", "acuity", "severity", "stage", "type", "control", "episode"})


@dataclass(frozen=True, slots=True)
class Draft:
    """A code that one finding leads to. `stem` wants a seventh character; `complete` is False at a header."""

    code: str
    finding: Finding
    path: Path
    findings: tuple[Finding, ...] = ()
    rules: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not self.findings:
            object.__setattr__(self, "findings", (self.finding,))


@dataclass(slots=True)
class Surroundings:
    """The words of a note, arranged for questions about what stands around a finding."""

    reading: Reading
    layout: Layout
    findings: Sequence[Finding]
    by_sentence: dict[int, list[Finding]] = field(default_factory=lambda: defaultdict(list))
    by_problem: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    by_category: dict[str, list[Finding]] = field(default_factory=lambda: defaultdict(list))
    by_word: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    pregnancy: dict[str, tuple[int, int]] = field(default_factory=dict)
    _everywhere: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for finding in self.findings:
            if finding.place:
                self.by_sentence[finding.sentence].append(finding)
                if finding.present and finding.patients:
                    self.by_category[finding.place[:3]].append(finding)
        for number, sentence in enumerate(self.layout.sentences):
            if sentence.problem >= 0:
                self.by_problem[sentence.problem].append(number)
        self.pregnancy = _pregnancy(self.reading, self.findings)
        table = axis_of()
        for number, row in enumerate(self.reading.sentences):
            for token in row:
                if table.get(token.word) == "site":
                    self.by_word[token.word].append((number, token.clause))

    def clauses_with(self, word: str) -> Sequence[tuple[int, int]]:
        """Where a word stands, as (sentence, clause)."""
        if not self._everywhere:
            for number, row in enumerate(self.reading.sentences):
                for token in row:
                    self._everywhere.setdefault(token.word, []).append((number, token.clause))
        return self._everywhere.get(word, ())

    def own(self, finding: Finding) -> list[Token]:
        """The tokens inside a finding."""
        if finding.sentence < 0:
            return []
        return [
            t for t in self.reading.sentences[finding.sentence] if finding.start <= t.start and t.end <= finding.end
        ]

    def clause(self, number: int, clauses: Iterable[int]) -> list[Token]:
        """The tokens of some clauses of a sentence."""
        wanted = set(clauses)
        return [t for t in self.reading.sentences[number] if t.clause in wanted]

    def said(self, number: int, clauses: Iterable[int]) -> list[Token]:
        """The tokens of some clauses of a sentence that aren't denied."""
        denied = _denied(self.reading.sentences[number])
        return [t for t in self.clause(number, clauses) if (t.start, t.end) not in denied]


_WEEK = re.compile(r"(\d{1,2})")


def _pregnancy(reading: Reading, findings: Sequence[Finding]) -> dict[str, tuple[int, int]]:
    """The words of chapter 15's axes that the whole note settles: the trimester, childbirth, the puerperium.

    Trimesters are counted as the chapter's note says: to 13 weeks 6 days, to 27 weeks 6 days, and from 28 weeks.
    """
    found: dict[str, tuple[int, int]] = {}
    for finding in findings:
        weeks = finding.value("quantity")
        if finding.value("analyte") == "gestational_age" and isinstance(weeks, (int, float)) and finding.patients:
            place = (finding.start, finding.end)
            name = "first" if weeks < 14 else "second" if weeks < 28 else "third"
            found.update({name: place, "trimester": place})
            break
    for row in reading.sentences:
        for token in row:
            if token.word in ("delivery", "delivered", "cesarean"):
                found.setdefault("childbirth", (token.start, token.end))
            elif token.word in ("postpartum", "puerperium"):
                found.setdefault("puerperium", (token.start, token.end))
    return found


def _words(tokens: Iterable[Token]) -> dict[str, tuple[int, int]]:
    said: dict[str, tuple[int, int]] = {}
    for token in tokens:
        said.setdefault(token.word, (token.start, token.end))
    return said


def _taken(around: Surroundings, finding: Finding) -> set[tuple[int, int]]:
    """Places of axis words that belong to other findings of the same sentence, or that are denied."""
    table = axis_of()
    taken: set[tuple[int, int]] = set()
    mine = {(t.start, t.end) for t in around.own(finding)}
    row = around.reading.sentences[finding.sentence] if finding.sentence >= 0 else ()
    for other in around.by_sentence[finding.sentence]:
        if other is finding or (other.start < finding.end and finding.start < other.end):
            continue
        if other.present and any(t.word == "with" and finding.end <= t.start < other.start for t in row):
            continue  # "atherosclerosis with claudication": what is joined by "with" describes it
        for token in around.own(other):
            whole = not other.present or not other.patients
            axis = table.get(token.word) or table.get(token.word.split("-")[0])
            if (token.start, token.end) not in mine and (whole or axis in _AXIS_WORDS):
                taken.add((token.start, token.end))
    return taken


def _denied(tokens: Sequence[Token]) -> set[tuple[int, int]]:
    """Places of words that stand behind a denial in their clause."""
    found: set[tuple[int, int]] = set()
    behind = -1
    for token in tokens:
        if token.word in _DENIALS:
            behind = token.clause
        elif token.word in ("but", "with"):
            behind = -1
        elif token.clause == behind:
            found.add((token.start, token.end))
    return found


def evidence_for(around: Surroundings, finding: Finding) -> Evidence:
    """What the note says around `finding`, in tiers: clause, sentence, problem, the same condition elsewhere."""
    row = around.reading.sentences[finding.sentence] if finding.sentence >= 0 else ()
    own = around.own(finding)
    clauses = {t.clause for t in own}
    taken = _taken(around, finding)
    denied = _denied(row)
    free = [t for t in row if (t.start, t.end) not in taken and ((t.start, t.end) not in denied or t in own)]
    busy = {t.clause for f in around.by_sentence[finding.sentence] if f is not finding for t in around.own(f)} - clauses
    tiers = [
        _words([*own, *(t for t in free if t.clause in clauses)]),
        _words(t for t in free if t.clause not in busy),
    ]
    problem: list[Token] = []
    if finding.problem >= 0:
        title = around.layout.problems[finding.problem]
        for number in around.by_problem[finding.problem]:
            sentence = around.layout.sentences[number]
            # In a title that lists several conditions each has its own words.
            if number != finding.sentence and not (sentence.start < title.title_end and len(around.by_sentence[number]) > 1):
                problem.extend(_said_of_patient(around, number))
    tiers.append(_words(problem))
    elsewhere: list[Token] = []
    for other in around.by_category[finding.place[:3]]:
        if other is not finding and other.sentence != finding.sentence:
            elsewhere.extend(around.said(other.sentence, {t.clause for t in around.own(other)}))
    elsewhere.extend(_same_words(around, finding, own))
    tiers.append(_words(elsewhere))
    sides, both = _sides(around, finding, own, free, problem)
    if finding.place[:3] in _DOMINANCE and len(sides) == 1:
        # OCG I.C.6.a: unless the note says otherwise the right side is the dominant one
        side = next(iter(sides))
        heard = {t.word for line in around.reading.sentences for t in line} & {"lefthanded", "handed"}
        dominant = (side == "right") != bool(heard and "left" in _handed(around))
        at = sides[side]
        tiers[0].update({"dominant": at} if dominant else {"dominant": at, "non": at})
    if finding.place[0] == "O":
        tiers[0].update({word: at for word, at in around.pregnancy.items() if word not in tiers[0]})
    behind = {t.word for t in row if (t.start, t.end) in denied and t.clause in clauses}
    return Evidence(tiers, sides, both, frozenset(behind))


_DOMINANCE = frozenset({"G81", "G83", "I69"})


def _handed(around: Surroundings) -> str:
    """Which hand the note calls dominant, as a word, or ""."""
    for row in around.reading.sentences:
        for before, word in zip(row, row[1:], strict=False):
            if word.word in ("handed", "hand") and before.word in ("left", "right"):
                return before.word
    return ""


def _same_words(around: Surroundings, finding: Finding, own: Sequence[Token]) -> list[Token]:
    """Clauses elsewhere that name the finding by at least two of its words: "sacral ulcer stage 2" for a pressure ulcer
    of the sacrum."""
    mine = {t.word for t in own if t.word not in STOP}
    if len(mine) < 2:
        return []
    heard: dict[tuple[int, int], int] = {}
    for word in mine:
        for place in set(around.clauses_with(word)):
            heard[place] = heard.get(place, 0) + 1
    found: list[Token] = []
    for (number, clause), times in sorted(heard.items()):
        if times >= 2 and number != finding.sentence:
            found.extend(around.said(number, (clause,)))
    return found


def _said_of_patient(around: Surroundings, number: int) -> list[Token]:
    """A sentence's words, without those of findings that are denied, doubted or somebody else's."""
    row = around.reading.sentences[number]
    denied = _denied(row)
    for other in around.by_sentence[number]:
        if not other.present or not other.patients:
            denied |= {(t.start, t.end) for t in around.own(other)}
    return [t for t in row if (t.start, t.end) not in denied]


def _sides(
    around: Surroundings, finding: Finding, own: Sequence[Token], free: Sequence[Token], problem: Sequence[Token]
) -> tuple[dict[str, tuple[int, int]], bool]:
    """The sides that the note gives a finding, and whether it means both.

    Looked for in the finding's words, its clause, its sentence, its problem, the same condition elsewhere, and at last
    wherever the note names the body part with a side and doesn't call it normal.
    """
    inside = [t for t in own if t.word in SIDES]
    if inside:
        return _gather(inside)
    clauses = {t.clause for t in own}
    near = [t for t in free if t.word in SIDES and t.clause in clauses]
    if near and own:
        here = own[0].at
        rivals = [f for f in around.by_sentence[finding.sentence] if f is not finding]

        def mine(token: Token) -> bool:
            distance = min(abs(token.at - t.at) for t in own)
            return not any(
                min((abs(token.at - t.at) for t in around.own(f)), default=99) < distance for f in rivals
            ) or abs(token.at - here) <= 2

        near = [t for t in near if mine(t)]
        if near:
            return _gather(near)
    sentence = [t for t in free if t.word in SIDES]
    others = {
        f.place[:3] for f in around.by_sentence[finding.sentence]
        if f.present and f.source != "general" and f.place[0] != "Z" and f.place[:3] != finding.place[:3]
    }  # fmt: skip
    if sentence and len(others) <= 1:
        return _gather(sentence)
    found = [t for t in problem if t.word in SIDES]
    if found:
        sides, both = _gather(found)
        if len(sides) == 1 or both:
            return sides, both
    elsewhere: list[Token] = []
    for other in around.by_category[finding.place[:3]]:
        if other is not finding:
            words = around.own(other)
            clause = around.clause(other.sentence, {t.clause for t in words})
            elsewhere.extend(t for t in clause if t.word in SIDES)
    table = axis_of()
    for site in {t.word for t in own if table.get(t.word) == "site"}:
        for number, clause_number in around.by_word[site]:
            said = around.clause(number, {clause_number})
            if not any(t.word in _QUIET for t in said):
                elsewhere.extend(t for t in said if t.word in SIDES)
    return _gather(elsewhere, apart=True)


def _gather(tokens: Sequence[Token], apart: bool = False) -> tuple[dict[str, tuple[int, int]], bool]:
    sides = _words(tokens)
    both = "bilateral" in sides or ({"right", "left"} <= sides.keys() and not apart)
    if apart and {"right", "left"} <= sides.keys():
        both = False
    return sides, both


def drafts_for(codes: CodeSet, around: Surroundings, finding: Finding) -> list[Draft]:
    """What `finding` alone would be coded as: one draft, or one for each side."""
    climb = finding.source not in ("table", "eponym")
    return [Draft(p.code, finding, p) for p in descend(codes, finding.place, evidence_for(around, finding), climb)]
