"""From findings to draft codes: the descent, with the evidence that stands around each finding.

A draft is what one finding alone would be coded as. Which drafts become proposals, and what they do to one another,
is for `pipeline.guidelines`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

from code_maps.axes import axis_of
from code_maps.axes.branches import SIDES, branches
from code_maps.axes.descent import Evidence, Path, descend, entry
from code_maps.icd10cm import CodeSet
from code_maps.terms.words import STOP
from models.finding import Finding
from models.text import Layout
from pipeline.findings import Reading, Token

_QUIET = frozenset(
    "normal unremarkable asymptomatic negative no not without denies other opposite contralateral intact".split()
)
_DOUBTS = frozenset("likely probably probable possible possibly presumed presumably suspected perhaps".split())
_DENIALS = frozenset("no not without denies denied negative never absent".split())
_AXIS_WORDS = frozenset({"laterality", "acuity", "severity", "stage", "type", "control", "episode"})


@dataclass(frozen=True, slots=True, eq=False)
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


Place = tuple[int, int]


@cache
def _sites() -> frozenset[str]:
    """The title words that name a body part."""
    return frozenset(word for word, axis in axis_of().items() if axis == "site")


class _Heard:
    """Words said in several groups of tokens: where each stands first, and where first in another group.

    So the words of all groups but one are told without reading the groups again; a note of many findings would
    otherwise be read once for each of them.
    """

    __slots__ = ("_count", "_first", "_groups", "_second")

    def __init__(self) -> None:
        self._first: dict[str, tuple[int, int, Place]] = {}
        self._second: dict[str, tuple[int, int, Place]] = {}
        self._groups: set[int] = set()
        self._count = 0

    def add(self, group: int, tokens: Iterable[Token]) -> None:
        """Hear the tokens of a group; the same group may come again."""
        first, second = self._first, self._second
        self._groups.add(group)
        for token in tokens:
            word = token.word
            known = first.get(word)
            if known is None:
                first[word] = (self._count, group, (token.start, token.end))
            elif known[1] != group and word not in second:
                second[word] = (self._count, group, (token.start, token.end))
            else:
                continue
            self._count += 1

    def without(self, group: int) -> dict[str, Place]:
        """Each word said outside a group, in the order of their first places there."""
        if group not in self._groups:
            return {word: place for word, (_, _, place) in self._first.items()}
        if len(self._groups) == 1:
            return {}
        rest = []
        for word, known in self._first.items():
            other = known if known[1] != group else self._second.get(word)
            if other is not None:
                rest.append((other[0], word, other[2]))
        return {word: place for _, word, place in sorted(rest)}


@dataclass(slots=True)
class Surroundings:
    """The words of a note, arranged for questions about what stands around a finding."""

    reading: Reading
    layout: Layout
    findings: Sequence[Finding]
    # OCG IV.H: in the outpatient setting a doubted kind, stage or cause doesn't specify what is sure.
    doubt_excludes: bool = False
    by_sentence: dict[int, list[Finding]] = field(default_factory=lambda: defaultdict(list))
    by_problem: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    by_category: dict[str, list[Finding]] = field(default_factory=lambda: defaultdict(list))
    by_word: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    pregnancy: dict[str, Place] = field(default_factory=dict)
    # Worked out when first asked for.
    _everywhere: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    _own: dict[tuple[int, int, int], list[Token]] = field(default_factory=dict)
    _behind: dict[int, set[Place]] = field(default_factory=dict)
    _unsure: dict[int, set[Place]] = field(default_factory=dict)
    _problems: dict[int, _Heard] = field(default_factory=dict)
    _categories: dict[str, _Heard] = field(default_factory=dict)
    _alike: dict[frozenset[str], _Heard] = field(default_factory=dict)
    _sided: dict[str, _Heard] = field(default_factory=dict)
    _sided_sites: dict[str, dict[str, Place]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for finding in self.findings:
            if finding.place:
                self.by_sentence[finding.sentence].append(finding)
                if finding.present and finding.patients:
                    self.by_category[finding.place[:3]].append(finding)
        for number, sentence in enumerate(self.layout.sentences):
            if sentence.problem >= 0:
                self.by_problem[sentence.problem].append(number)
        self.pregnancy = _weeks(self.findings)
        sites = _sites()
        for number, row in enumerate(self.reading.sentences):
            for token in row:
                word = token.word
                if word in sites:
                    self.by_word[word].append((number, token.clause))
                elif word in _BIRTH:
                    self.pregnancy.setdefault(_BIRTH[word], (token.start, token.end))

    def clauses_with(self, word: str) -> Sequence[tuple[int, int]]:
        """Where a word stands, as (sentence, clause)."""
        if not self._everywhere:
            for number, row in enumerate(self.reading.sentences):
                for token in row:
                    self._everywhere.setdefault(token.word, []).append((number, token.clause))
        return self._everywhere.get(word, ())

    def own(self, finding: Finding) -> list[Token]:
        """The tokens inside a finding."""
        key = (finding.sentence, finding.start, finding.end)
        own = self._own.get(key)
        if own is None:
            row = self.reading.sentences[finding.sentence] if finding.sentence >= 0 else ()
            own = self._own[key] = [t for t in row if finding.start <= t.start and t.end <= finding.end]
        return own

    def clause(self, number: int, clauses: Iterable[int]) -> list[Token]:
        """The tokens of some clauses of a sentence."""
        wanted = set(clauses)
        return [t for t in self.reading.sentences[number] if t.clause in wanted]

    def said(self, number: int, clauses: Iterable[int]) -> list[Token]:
        """The tokens of some clauses of a sentence that aren't denied."""
        unsure = self.unsure(number)
        return [t for t in self.clause(number, clauses) if (t.start, t.end) not in unsure]

    def denied(self, number: int) -> set[Place]:
        """Places of words in a sentence that stand behind a denial in their clause."""
        found = self._behind.get(number)
        if found is None:
            found = self._behind[number] = _after(_DENIALS, self.reading.sentences[number]) if number >= 0 else set()
        return found

    def unsure(self, number: int) -> set[Place]:
        """Places of words in a sentence that stand behind a denial or, where that excludes them, a doubt."""
        if not self.doubt_excludes or number < 0:
            return self.denied(number)
        found = self._unsure.get(number)
        if found is None:
            doubted = _after(_DOUBTS, self.reading.sentences[number])
            found = self._unsure[number] = self.denied(number) | doubted if doubted else self.denied(number)
        return found

    def in_problem(self, number: int) -> _Heard:
        """What is said under a problem, by sentence. In a title that lists several conditions each has its own words."""
        heard = self._problems.get(number)
        if heard is None:
            heard = self._problems[number] = _Heard()
            title_end = self.layout.problems[number].title_end
            for at in self.by_problem[number]:
                if not (self.layout.sentences[at].start < title_end and len(self.by_sentence[at]) > 1):
                    heard.add(at, _said_of_patient(self, at))
        return heard

    def of_category(self, category: str) -> _Heard:
        """What is said in the clauses of a category's findings, by sentence."""
        heard = self._categories.get(category)
        if heard is None:
            heard = self._categories[category] = _Heard()
            for other in self.by_category[category]:
                heard.add(other.sentence, self.said(other.sentence, {t.clause for t in self.own(other)}))
        return heard

    def alike(self, words: frozenset[str]) -> _Heard:
        """What is said in clauses that hold at least two of some words, by sentence."""
        heard = self._alike.get(words)
        if heard is None:
            heard = self._alike[words] = _Heard()
            times: dict[tuple[int, int], int] = {}
            for word in words:
                for place in set(self.clauses_with(word)):
                    times[place] = times.get(place, 0) + 1
            for number, clause in sorted(place for place, count in times.items() if count >= 2):
                heard.add(number, self.said(number, (clause,)))
        return heard

    def sides_of_place(self, place: str) -> _Heard:
        """The sides named in the clauses of findings of one subcategory, by finding (its id()): M25.5 is any joint."""
        place = place[:6]
        heard = self._sided.get(place)
        if heard is None:
            heard = self._sided[place] = _Heard()
            for other in self.by_category[place[:3]]:
                if other.place[:6] != place:
                    continue
                clause = self.clause(other.sentence, {t.clause for t in self.own(other)})
                heard.add(id(other), [t for t in clause if t.word in SIDES])
        return heard

    def sides_of_site(self, site: str) -> dict[str, Place]:
        """The sides that the note names with a body part where it doesn't call it normal."""
        sides = self._sided_sites.get(site)
        if sides is None:
            sides = self._sided_sites[site] = {}
            for number, clause in self.by_word[site]:
                said = self.clause(number, (clause,))
                if not any(t.word in _QUIET for t in said):
                    for token in said:
                        if token.word in SIDES:
                            sides.setdefault(token.word, (token.start, token.end))
        return sides


# Words of chapter 15's axes that the whole note settles.
_BIRTH = {
    "delivered": "childbirth", "liveborn": "childbirth",
    "postpartum": "puerperium", "puerperium": "puerperium",
}  # fmt: skip


def _weeks(findings: Sequence[Finding]) -> dict[str, Place]:
    """The trimester, as its words in chapter 15's titles.

    Trimesters are counted as the chapter's note says: to 13 weeks 6 days, to 27 weeks 6 days, and from 28 weeks.
    """
    for finding in findings:
        if not finding.values or finding.value("analyte") != "gestational_age" or not finding.patients:
            continue
        weeks = finding.value("quantity")
        if isinstance(weeks, (int, float)):
            place = (finding.start, finding.end)
            name = "first" if weeks < 14 else "second" if weeks < 28 else "third"
            return {name: place, "trimester": place}
    return {}


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
    rivals = around.by_sentence[finding.sentence]
    if len(rivals) < 2 and (not rivals or rivals[0] is finding):
        return taken
    row = around.reading.sentences[finding.sentence] if finding.sentence >= 0 else ()
    joins = [t.start for t in row if t.word == "with"]
    for other in rivals:
        if other is finding or (other.start < finding.end and finding.start < other.end):
            continue
        if other.place[0] == "Z" and other.present:
            continue  # a planned or past operation has the side of what it is for
        if other.present and any(finding.end <= at < other.start for at in joins):
            continue  # "atherosclerosis with claudication": what is joined by "with" describes it
        for token in around.own(other):
            whole = not other.present or not other.patients
            axis = table.get(token.word) or table.get(token.word.split("-")[0])
            counted = token.word.split("-")[0] in ("type", "stage", "grade", "class") and "-" in token.word
            if (token.start, token.end) not in mine and (whole or counted or axis in _AXIS_WORDS):
                taken.add((token.start, token.end))
    return taken


def _after(cues: frozenset[str], tokens: Sequence[Token]) -> set[tuple[int, int]]:
    """Places of words that stand behind one of some cues (a denial, a doubt) in their clause."""
    found: set[tuple[int, int]] = set()
    behind = -1
    for token in tokens:
        if token.word in cues:
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
    denied = around.denied(finding.sentence)
    unsure = around.unsure(finding.sentence)
    free = [t for t in row if (t.start, t.end) not in taken and ((t.start, t.end) not in unsure or t in own)]
    busy = {t.clause for f in around.by_sentence[finding.sentence] if f is not finding for t in around.own(f)} - clauses
    problem = around.in_problem(finding.problem).without(finding.sentence) if finding.problem >= 0 else {}
    mine = frozenset(t.word for t in own if t.word not in STOP)
    elsewhere = around.of_category(finding.place[:3]).without(finding.sentence)
    if len(mine) > 1:
        # Clauses elsewhere that name the finding by at least two of its words: "sacral ulcer stage 2" for a pressure
        # ulcer of the sacrum.
        elsewhere = around.alike(mine).without(finding.sentence) | elsewhere
    tiers = [
        _words([*own, *(t for t in free if t.clause in clauses)]),
        _words(t for t in free if t.clause not in busy),
        problem,
        elsewhere,
    ]
    sides, both = _sides(around, finding, own, free, problem)
    if finding.place[:3] in _DOMINANCE and len(sides) == 1:
        # OCG I.C.6.a: unless the note says otherwise the right side is the dominant one
        side = next(iter(sides))
        heard = around.clauses_with("lefthanded") or around.clauses_with("handed")
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
        for before, word in pairwise(row):
            if word.word in ("handed", "hand") and before.word in ("left", "right"):
                return before.word
    return ""


def _said_of_patient(around: Surroundings, number: int) -> list[Token]:
    """A sentence's words, without those of findings that are denied, doubted or somebody else's."""
    row = around.reading.sentences[number]
    unsure = around.unsure(number)
    for other in around.by_sentence[number]:
        if not other.present or not other.patients:
            unsure = unsure | {(t.start, t.end) for t in around.own(other)}
    return [t for t in row if (t.start, t.end) not in unsure]


def _sides(
    around: Surroundings, finding: Finding, own: Sequence[Token], free: Sequence[Token], problem: dict[str, Place]
) -> tuple[dict[str, Place], bool]:
    """The sides that the note gives a finding, and whether it means both.

    Looked for in the finding's words, its clause, its sentence, its problem, the same condition elsewhere, and at last
    wherever the note names the body part with a side and doesn't call it normal.
    """
    inside = [t for t in own if t.word in SIDES]
    if len({t.word for t in inside}) > 1:
        # "pain in the right ankle and the left knee": the knee has the side that follows the ankle.
        named = [t for t in own if t.word in _sites()]
        if len({t.word for t in named}) > 1 and named[-1] is own[-1]:
            before = max(t.start for t in named if t.word != own[-1].word)
            inside = [t for t in inside if t.start > before] or inside
    if inside:
        return _gather(inside)
    clauses = {t.clause for t in own}
    near = [t for t in free if t.word in SIDES and t.clause in clauses]
    if near and own:
        here = own[0].at
        rivals = [f for f in around.by_sentence[finding.sentence] if f is not finding]

        def mine(token: Token) -> bool:
            distance = min(abs(token.at - t.at) for t in own)
            return (
                not any(min((abs(token.at - t.at) for t in around.own(f)), default=99) < distance for f in rivals)
                or abs(token.at - here) <= 2
            )

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
    sides = {word: at for word, at in problem.items() if word in SIDES}
    if sides:
        both = _both(sides)
        if len(sides) == 1 or both:
            return sides, both
    elsewhere = around.sides_of_place(finding.place).without(id(finding))
    for site in dict.fromkeys(t.word for t in own if t.word in _sites()):
        elsewhere = elsewhere | {w: at for w, at in around.sides_of_site(site).items() if w not in elsewhere}
    return elsewhere, "bilateral" in elsewhere and not {"right", "left"} <= elsewhere.keys()


def _gather(tokens: Sequence[Token]) -> tuple[dict[str, Place], bool]:
    sides = _words(tokens)
    return sides, _both(sides)


def _both(sides: dict[str, Place]) -> bool:
    return "bilateral" in sides or {"right", "left"} <= sides.keys()


_UNASKED = Evidence([])


def drafts_for(codes: CodeSet, around: Surroundings, finding: Finding) -> list[Draft]:
    """What `finding` alone would be coded as: one draft, or one for each side."""
    climb = finding.source not in ("table", "eponym", "acronym")
    top = entry(codes, finding.place) if climb else finding.place
    # Most places are codes with nothing below them: no evidence can lead further.
    evidence = evidence_for(around, finding) if branches(codes, top) else _UNASKED
    return [Draft(p.code, finding, p) for p in descend(codes, top, evidence, climb=False)]
