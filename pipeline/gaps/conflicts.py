"""Conflicts: places where the note contradicts itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from code_maps.rulefile import Rule
from models.finding import Finding
from models.gap import Gap
from models.proposal import Evidence
from pipeline.gaps.context import ASSESSED, EXAM, RESULT, Case, affirmed, in_sentence, make_gap, words_in

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
_AGED = re.compile(r"old\b(?! (?:son|daughter|brother|sister|mother|father|child|wife|husband))|y/o\b|yo\b|y\.o\.")
_AGE = re.compile(r"\b(\d{1,3})(?:[ -](?:years?|yrs?)[ -]old| ?(?:y/o|yo|y\.o\.))")
_OLDEST = 120
_NOT_NOW = re.compile(
    r"\b(?:when|since|at (?:the )?age|was|were|mother|father|sister|brother|wife|husband|daughter|son|family|partner|spouse|ago|until|"
    r"child|children|grand\w+|friend|neighbou?r|injury|history of)\b"
)
_ACUITY = re.compile(
    r"\b(acute|chronic) (?:(?:systolic|diastolic|combined|congestive|hypoxic|hypoxemic|hypercapnic|bacterial|maxillary|left|right|bilateral) ){0,2}"
    r"(heart failure|respiratory failure|sinusitis|bronchitis|pancreatitis|cholecystitis|gastritis|pyelonephritis|subdural|"
    r"otitis media|deep vein thrombosis|pulmonary embolism|prostatitis|hepatitis|urticaria|laryngitis|tonsillitis)\b"
)
_BOTH_AT_ONCE = r"\bacute[ -](?:on|and)[ -](?:top of )?chronic|\bacute exacerbation"
_PAST = re.compile(r"\b(?:history|hx|h/o|prior|previous|former|past|resolved|last|ago)\b")
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
    if not (words_in(("left", "lt"), case.text) and words_in(("right", "rt"), case.text)):
        return []
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


def age_conflict(case: Case, rule: Rule) -> list[Gap]:
    """Two ages of the patient in one note, or an age that isn't the registered one."""
    registered = case.note.patient.age
    first: Evidence | None = None
    known: int | None = None
    for at in _AGED.finditer(case.text):
        match = _AGE.search(case.text, max(0, at.start() - 10), at.end())
        if match is None:
            continue
        age = int(match[1])
        number = _sentence_at(case, match.start())
        if number is None or age > _OLDEST or _NOT_NOW.search(case.sentence(number)):
            continue
        shown = case.quote_sentence(case.layout.sentences[number])
        # A birthday may lie between the visit and the registration.
        if registered is not None and abs(age - registered) > 1:
            return [make_gap(rule, None, (shown,))]
        if known is not None and first is not None and abs(age - known) > 1:
            return [make_gap(rule, None, (first, shown))]
        if known is None:
            known, first = age, shown
    return []


def acuity_conflict(case: Case, rule: Rule) -> list[Gap]:
    """One condition called acute in one place and chronic in another, and never acute on chronic."""
    if "acute" not in case.text or "chronic" not in case.text:
        return []
    first: dict[str, tuple[str, int]] = {}
    for match in _ACUITY.finditer(case.text):
        word, condition = match[1], match[2]
        number = _sentence_at(case, match.start())
        if number is None or not affirmed(case.sentence(number)) or _PAST.search(case.sentence(number)):
            continue
        known = first.setdefault(condition, (word, number))
        if known[0] != word and known[1] != number and not re.search(_BOTH_AT_ONCE, case.text):
            shown = tuple(case.quote_sentence(case.layout.sentences[n]) for n in (known[1], number))
            about = next((p for p in case.proposals if condition in case.near(p)), None)
            return [make_gap(rule, about.code if about else None, shown, condition)]
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
            return [make_gap(rule, code, shown, in_sentence(finding.text))]
    return []


def finding_not_examined(case: Case, rule: Rule) -> list[Gap]:
    """The assessment speaks of something "noted on exam" that the recorded examination doesn't have."""
    seen = " ".join(case.text[s.start : s.end] for s in case.layout.sections if s.category in EXAM)
    if not seen or "exam" not in case.text or not _EXAMINED.search(case.decided()):
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
    "history-of-current": history_of_current, "age-conflict": age_conflict, "acuity-conflict": acuity_conflict,
}  # fmt: skip
