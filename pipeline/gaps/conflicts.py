"""Conflicts: places where the note contradicts itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from code_maps.rulefile import Rule
from models.finding import Finding
from models.gap import Gap
from models.proposal import Evidence
from pipeline.gaps.context import ASSESSED, EXAM, RESULT, Case, make_gap

_SIDED = re.compile(
    r"\b(left|right|lt\.?|rt\.?)[ -](?:\w+ )?(knee|shoulder|ankle|hip|wrist|elbow|foot|hand|leg|arm|breast|eye|ear|"
    r"finger|thumb|toe|heel|calf|thigh|groin|flank|kidney|ovary|testicle|lung|hemithorax)\b"
)
_BOTH = re.compile(r"\b(?:bilateral|both|contralateral|other|opposite)\b")
_UNHURT = re.compile(
    r"\b(?:normal|unremarkable|denies|no|not|intact|without|history|previous|prior|surgery|ago|fractured)\b"
)
_FEMALE = re.compile(r"\b(?:cervix|uterus|ovar(?:y|ies)|vagina(?:l)?|menstrual|pregnant|gravid)\b")
_MALE = re.compile(r"\b(?:prostate|testic(?:le|les|ular)|scrot(?:um|al)|penis|penile)\b")
_OTHER_PERSON = re.compile(
    r"\b(?:mother|father|sister|brother|wife|husband|daughter|son|family|partner|spouse|no|not)\b"
)
_UNSURE = re.compile(
    r"\b(?:possible|probable|likely|suspicious|questionable|suspected|concern(?:ing)? for|may represent|cannot exclude)\b"
)
_HISTORY_OF = re.compile(r"\b(?:history of|h/o|hx of)\b")
_LASTING = ("I10", "E11", "E10", "E78", "I48", "J44", "J45", "E03", "G40", "I50", "N18", "M06", "F32", "F33")
_EXAMINED = re.compile(r"\b(?:on|noted on|seen on|found on|felt on) (?:physical |today's |my )?exam(?:ination)?\b")
_THINGS = (
    "nodule",
    "mass",
    "lump",
    "murmur",
    "lesion",
    "rash",
    "edema",
    "effusion",
    "ulcer",
    "tenderness",
    "hernia",
    "lymph node",
    "thickening",
)


def side_conflict(case: Case, rule: Rule) -> list[Gap]:
    """One part called left in one place and right in another, in the history and the examination or assessment."""
    first: dict[str, tuple[str, int]] = {}
    for match in _SIDED.finditer(case.text):
        side, part = match[1][0], match[2]
        near = case.text[max(0, match.start() - 60) : match.end() + 30]
        if _BOTH.search(near):
            return []
        known = first.setdefault(part, (side, match.start()))
        if known[0] != side:
            number = [_sentence_at(case, at) for at in (known[1], match.start())]
            if None in number or number[0] == number[1]:
                continue
            numbers = [n for n in number if n is not None]
            if any(_UNHURT.search(case.sentence(n)) for n in numbers):
                continue
            shown = tuple(case.quote_sentence(case.layout.sentences[n]) for n in numbers)
            about = next((p for p in case.proposals if part in case.near(p)), None)
            return [make_gap(rule, about.code if about else None, shown, part)]
    return []


def _sentence_at(case: Case, position: int) -> int | None:
    for number, place in enumerate(case.layout.sentences):
        if place.start <= position < place.end:
            return number
    return None


def sex_conflict(case: Case, rule: Rule) -> list[Gap]:
    """An organ that the documented sex doesn't have."""
    sex = case.note.patient.sex
    if sex is None:
        return []
    for match in (_FEMALE if sex == "male" else _MALE).finditer(case.text):
        number = _sentence_at(case, match.start())
        if number is not None and not _OTHER_PERSON.search(case.sentence(number)):
            return [make_gap(rule, None, (case.quote_sentence(case.layout.sentences[number]),))]
    return []


def certainty_conflict(case: Case, rule: Rule) -> list[Gap]:
    """A diagnosis that the assessment states and a report of the note only calls possible."""
    for proposal in case.proposals:
        if proposal.code[0] in "RZVWXY" or not case.assessed(proposal):
            continue
        for finding in case.by_category.get(proposal.code[:3], ()):
            if finding.section not in RESULT or finding.sentence < 0:
                continue
            if finding.assertion.presence == "uncertain" or _UNSURE.search(case.sentence(finding.sentence)):
                shown = (case.quote(finding), *proposal.evidence[:1])
                return [make_gap(rule, proposal.code, shown, case.about(proposal))]
    return []


def presence_conflict(case: Case, rule: Rule) -> list[Gap]:
    """A symptom told in the history of the present illness and denied in the review of systems."""
    told: dict[str, Finding] = {}
    denied: dict[str, Finding] = {}
    for finding in case.findings:
        if finding.place and finding.patients and not finding.historical and finding.kind == "symptom":
            if finding.section == "history_of_present_illness" and finding.present:
                told.setdefault(finding.place[:5], finding)
            elif finding.section == "review_of_systems" and finding.assertion.presence == "negated":
                denied.setdefault(finding.place[:5], finding)
            elif finding.section == "history_of_present_illness" and finding.assertion.presence == "negated":
                told.pop(finding.place[:5], None)
    for place, finding in told.items():
        if place in denied and place[:3] != "R52":
            shown = (case.quote(finding), case.quote(denied[place]))
            code = next((p.code for p in case.proposals if p.code[:3] == place[:3]), place[:3])
            return [make_gap(rule, code, shown, " ".join(finding.text.lower().split()))]
    return []


def finding_not_examined(case: Case, rule: Rule) -> list[Gap]:
    """The assessment speaks of something "noted on exam" that the recorded examination doesn't have."""
    seen = " ".join(case.text[s.start : s.end] for s in case.layout.sections if s.category in EXAM)
    if not seen or not _EXAMINED.search(case.text):
        return []
    for number, place in enumerate(case.layout.sentences):
        sentence = case.sentence(number)
        if case.layout.category_of(place) in ASSESSED and _EXAMINED.search(sentence):
            thing = next((t for t in _THINGS if t in sentence), None)
            if thing and thing not in seen:
                code = next((p.code for p in case.proposals if thing in case.near(p)), None)
                return [make_gap(rule, code, (case.quote_sentence(place),), thing)]
    return []


def copied_text(case: Case, rule: Rule) -> list[Gap]:
    """A long sentence that stands in the note three times or more."""
    counts = Counter(case.sentence(n).strip() for n, s in enumerate(case.layout.sentences) if s.end - s.start > 60)
    for sentence, times in counts.most_common(1):
        if times >= 3:
            start = case.text.find(sentence)
            shown = Evidence(start, start + len(sentence), case.note.text[start : start + len(sentence)])
            return [make_gap(rule, None, (shown,))]
    return []


def history_of_current(case: Case, rule: Rule) -> list[Gap]:
    """A lasting disease under treatment that the assessment calls "history of"."""
    for proposal in case.proposals:
        if proposal.code[:3] in _LASTING and case.assessed(proposal):
            for evidence in proposal.evidence:
                before = case.text[max(0, evidence.start - 14) : evidence.end]
                if evidence.section in ASSESSED and _HISTORY_OF.search(before) and "past medical" not in before:
                    return [make_gap(rule, proposal.code, case.evidence(proposal), case.about(proposal))]
    return []


CONFLICTS: dict[str, Callable[[Case, Rule], list[Gap]]] = {
    "side-conflict": side_conflict, "sex-conflict": sex_conflict, "certainty-conflict": certainty_conflict,
    "presence-conflict": presence_conflict, "finding-not-examined": finding_not_examined, "copied-text": copied_text,
    "history-of-current": history_of_current,
}  # fmt: skip
