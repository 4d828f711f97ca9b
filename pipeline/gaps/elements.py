"""The five documentation elements, by note and by problem, and what of them an assessed problem lacks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from code_maps.icd10cm import CodeSet
from code_maps.meat import supports
from code_maps.rulefile import Rule
from models.finding import Finding, Link
from models.gap import Elements, Gap, Missing
from models.proposal import Evidence, Proposal
from models.report import ProblemElements
from models.text import Layout
from pipeline.gaps.context import ASSESSED, DECIDED, EXAM, RESULT, Case, make_gap

_HISTORY = frozenset(
    {"history_of_present_illness", "past_medical_history", "past_surgical_history", "social_history", "family_history"}
)
_COMMON = frozenset(
    "unspecified other with without disease disorder right left initial encounter type pain chronic acute patient "
    "history status stable current normal elevated level levels mild moderate severe".split()
)
_WORD = re.compile(r"[^\W\d_]{4,}")
_KNOWN_TO_EXPLAIN = frozenset({"condition", "symptom", "treatment", "order", "result"})


def elements_of(findings: Iterable[Finding]) -> Elements:
    """Which of the five elements some findings hold."""
    kinds: set[str] = set()
    for finding in findings:
        kinds.add(finding.kind)
        if finding.section in EXAM:
            kinds.add("exam")
        elif finding.section in RESULT:
            kinds.add("result")
        elif finding.section in _HISTORY:
            kinds.add("history")
    return Elements(
        symptoms="symptom" in kinds,
        history="history" in kinds,
        exam="exam" in kinds,
        results="result" in kinds,
        rationale="rationale" in kinds,
    )


def problem_elements(
    codes: CodeSet, layout: Layout, findings: Sequence[Finding], proposals: Sequence[Proposal]
) -> tuple[ProblemElements, ...]:
    """The five elements of each assessed problem.

    They come from its own text, and from findings about the same body part or condition anywhere in the note: those
    that share a telling word or the category, the values that monitor it, the words of an examination that go with it
    (code_maps/meat.toml), and reasons linked to it.
    """
    shared = [(f, frozenset(_WORD.findall(f.text.lower()))) for f in findings if f.patients]
    table = supports()
    found = []
    for proposal in proposals:
        if proposal.code[0] in "ZVWXY":
            continue
        words = set(_WORD.findall(codes.title(proposal.code).lower()))
        for evidence in proposal.evidence:
            words.update(_WORD.findall(evidence.text.lower()))
        words -= _COMMON
        analytes, exam = table.analytes(proposal.code), table.exam(proposal.code)
        own, category = frozenset(proposal.findings), proposal.code[:3]
        mine = [
            f for f, said in shared
            if f.id in own
            or (proposal.problem >= 0 and f.problem == proposal.problem)
            or not words.isdisjoint(said)
            or (f.place[:3] == category)
            or (bool(analytes) and f.values and f.value("analyte") in analytes)
            or (bool(exam) and f.section in EXAM and not exam.isdisjoint(said))
        ]  # fmt: skip
        about = " ".join(proposal.evidence[0].text.split()).lower() if proposal.evidence else codes.title(proposal.code)
        found.append(ProblemElements(about, proposal.code, elements_of(mine), tuple(f.id for f in mine)))
    return tuple(found)


def rationale_links(findings: Sequence[Finding], layout: Layout) -> dict[str, tuple[Link, ...]]:
    """Each reason (a finding of kind rationale) with what it explains: finding id -> its links.

    A reason explains the treatments and orders of its sentence; where there are none, those of the sentence before it
    in the same problem; and it names its condition ("for"): the nearest one of its sentence, else of its problem.
    """
    in_sentence: dict[int, list[Finding]] = {}
    title_of: dict[int, Finding] = {}
    for finding in findings:
        if finding.kind not in _KNOWN_TO_EXPLAIN:
            continue
        in_sentence.setdefault(finding.sentence, []).append(finding)
        if finding.kind == "condition" and finding.problem >= 0:
            title_of.setdefault(finding.problem, finding)
    links: dict[str, tuple[Link, ...]] = {}
    for reason in findings:
        if reason.kind != "rationale" or reason.sentence < 0:
            continue
        here = in_sentence.get(reason.sentence, [])
        acts = [f for f in here if f.kind in ("treatment", "order")]
        if not acts and layout.sentences[reason.sentence - 1].problem == reason.problem and reason.sentence > 0:
            acts = [f for f in in_sentence.get(reason.sentence - 1, []) if f.kind in ("treatment", "order")]
        found = [Link(f.id, "explains") for f in acts]
        causes = [f for f in here if f.kind in ("condition", "symptom") and f.patients]
        cause = min(causes, key=lambda f: abs(f.start - reason.start), default=title_of.get(reason.problem))
        if cause is not None:
            found.append(Link(cause.id, "for"))
        if found:
            links[reason.id] = tuple(dict.fromkeys(found))
    return links


# --- checks ---------------------------------------------------------------------------------------------------------

_VITALS = re.compile(
    r"\b(?:vital signs?|vitals|blood pressure)\b[^.\n]{0,30}\b(?:elevated|high|low|reviewed|abnormal|normal|stable)\b"
)
_JUDGED = re.compile(r"\b(?:elevated|abnormal|decreased|reduced|low|high|increased|worsening|borderline)\b")
_STUDY = re.compile(
    r"\b(?:x-?rays?|radiographs?|mri|ct|cat scan|ultrasound|echo\w*|ekg|ecg|electrocardiogram|mammogram|dexa|biopsy|"
    r"pathology|study|studies|imaging|scans?|stress test|emg|colonoscopy|endoscopy|spirometry|pft|labs?|blood ?work|"
    r"culture|panel|cbc|cmp|bmp|urinalysis)\b"
)
_UNNAMED = re.compile(
    r"\b(?:these|this|it|results?|findings|imaging|images|films|labs?|studies)\b[^.\n]{0,25}\b(?:reveal|show|demonstrate|were|was|are|is)"
)
_PARTS = (
    "knee", "shoulder", "ankle", "hip", "wrist", "elbow", "foot", "hand", "back", "neck", "finger", "thumb", "toe",
    "leg", "arm", "spine", "breast", "ear", "eye", "skin", "abdomen", "throat", "heel", "rib", "groin", "testic", "hallux",
)  # fmt: skip
_SINCE = re.compile(
    r"\b(?:for|since|over|past|last|x|about|ago|started|began|onset|yesterday|today|this morning|noticed)\b[^.\n]{0,40}"
    r"\b(?:\d+|few|several|couple|one|two|three|four|five|six|seven|eight|day|days|week|weeks|month|months|year|years|"
    r"january|february|march|april|may|june|july|august|september|october|november|december|\d{4})\b|\bago\b|\bsince\b"
)
_COMPLAINTS = frozenset(("M25", "M54", "M79", "G89", "I10", "E78"))
_SELF_EVIDENT = frozenset(
    ("ice", "rest", "heat", "elevation", "massage", "hydration", "fluids", "exercise", "diet", "compression")
)
_ACTS = frozenset({"started", "changed", "increased", "decreased"})
_REASON = re.compile(
    r"\b(?:because|due to|given|since|in order to|so that|to (?:help|reduce|rule|evaluate|assess|treat|prevent|"
    r"determine|improve|control|manage|strengthen|see|check|ensure|further|better|confirm|monitor)|for (?:pain|further|"
    r"evaluation|inflammation|symptom)|secondary to|concern|as needed for|reasoning)\b"
)


def no_status(case: Case, rule: Rule) -> list[Gap]:
    """An assessed lasting condition about which no word says how it is doing."""
    table, found = supports(), []
    for proposal in case.proposals:
        if (
            proposal.code[:3] in _COMPLAINTS
            or proposal.code[0] in "STVWXYOR"
            or (proposal.code[0] == "Z" and proposal.code[:3] not in ("Z21", "Z85", "Z86"))
        ):
            continue
        if not table.status.search(case.near(proposal)):
            found.append(
                make_gap(rule, proposal.code, case.evidence(proposal), case.about(proposal), rank=proposal.rank)
            )
    return found[:3]


def missing_elements(case: Case) -> list[Gap]:
    """A visit without any examination, and a plan without a word of why (rule missing-element)."""
    return [*_no_examination(case), *_no_rationale(case)]


def _missing(
    proposal: Proposal, missing: Missing, about: str, ask: str, evidence: tuple[Evidence, ...], priority: int
) -> Gap:
    return Gap(
        id=f"element-{missing}:{proposal.code[:3]}",
        kind="element",
        code=proposal.code,
        missing=missing,
        about=about,
        evidence=evidence,
        ask=ask.format(about=about),
        options=(),
        why="Medical necessity is shown by the note itself: what was found, and why it is done.",
        rule="missing-element",
        source="Social Security Act, section 1862(a)(1)(A)",
        priority=priority + min(proposal.rank, 9),
    )


def _no_examination(case: Case) -> list[Gap]:
    """A visit without any finding of an examination."""
    main = case.main()
    if main is None or any(f.kind == "exam" or f.section in EXAM for f in case.findings):
        return []
    ask = "Please document any physical examination findings of this visit that bear on the {about}."
    return [_missing(main, "exam", case.about(main), ask, case.evidence(main), 20)]


def part_not_examined(case: Case, rule: Rule) -> list[Gap]:
    """An injury or complaint of a body part whose examination isn't in the note."""
    seen = " ".join(case.text[s.start : s.end] for s in case.layout.sections if s.category in EXAM)
    if not seen:
        return []
    found = []
    for proposal in case.proposals:
        if proposal.code[0] not in "MSRLNHD" or not case.assessed(proposal):
            continue
        part = next((p for p in _PARTS if p in case.about(proposal)), None)
        if part and part not in seen and not any(w in seen for w in _SAME_PART.get(part, ())):
            found.append(
                make_gap(rule, proposal.code, case.evidence(proposal), case.about(proposal), rank=proposal.rank)
            )
    return found[:2]


_SAME_PART = {
    "back": ("spine", "lumbar", "thoracic", "paraspinal", "straight leg", "flexion"), "neck": ("cervical", "spine"),
    "spine": ("back", "lumbar", "cervical", "paraspinal", "straight leg"), "abdomen": ("abdominal", "gastrointestinal"),
    "ear": ("tympanic", "tm "), "eye": ("pupil", "conjunctiv", "sclera"), "throat": ("pharyn", "tonsil", "oropharynx"),
    "foot": ("feet", "plantar", "pedal"), "skin": ("rash", "lesion", "derm"), "leg": ("extremit", "calf", "thigh"),
    "arm": ("extremit", "forearm"), "hand": ("finger", "grip", "thenar"), "heel": ("foot", "plantar", "calcane"),
    "testic": ("scrot", "genito"), "rib": ("chest",), "finger": ("hand", "digit"), "thumb": ("hand", "cmc"), "hallux": ("toe", "mtp", "first ray"), "hip": ("trochant", "groin"),
}  # fmt: skip


def vitals_without_values(case: Case, rule: Rule) -> list[Gap]:
    """Vital signs that are judged ("elevated", "reviewed") without a number."""
    for number, place in enumerate(case.layout.sentences):
        category = case.layout.category_of(place)
        if category not in EXAM and category != "review_of_systems":
            continue
        sentence = case.sentence(number)
        if any(c.isdigit() for c in sentence):
            continue
        if _VITALS.search(sentence) or (category == "vitals" and _JUDGED.search(sentence)):
            main = case.main()
            rank = 0 if _JUDGED.search(sentence) else 9
            return [make_gap(rule, main.code if main else None, (case.quote_sentence(place),), rank=rank)]
    return []


def result_without_value(case: Case, rule: Rule) -> list[Gap]:
    """A test result called abnormal for which no number stands anywhere."""
    found: list[Gap] = []
    for finding in case.findings:
        if finding.kind != "result" or not finding.codable or finding.sentence < 0:
            continue
        sentence = case.sentence(finding.sentence)
        if any(c.isdigit() for c in sentence) or not _JUDGED.search(sentence):
            continue
        if finding.section not in RESULT and finding.section not in ASSESSED:
            continue
        about = next((p for p in case.proposals if p.problem == finding.problem >= 0), None)
        about = about or next((p for p in case.proposals if finding.id in p.findings), None) or case.main()
        found.append(make_gap(rule, about.code if about else None, (case.quote(finding),), rank=len(found)))
    return list({g.evidence: g for g in found}.values())[:1]


def no_monitoring_value(case: Case, rule: Rule) -> list[Gap]:
    """An assessed condition that is followed by values, none of which stands in the note."""
    table, found = supports(), []
    for proposal in case.proposals:
        wanted = table.analytes(proposal.code)
        if not wanted or not case.assessed(proposal) or proposal.code[:3] in ("F41", "F40", "E66"):
            continue
        given = [f for a in wanted for f in case.by_analyte.get(a, ()) if f.value("quantity") is not None]
        if not given:
            found.append(
                make_gap(rule, proposal.code, case.evidence(proposal), case.about(proposal), rank=proposal.rank)
            )
    return found[:2]


def study_not_named(case: Case, rule: Rule) -> list[Gap]:
    """A report ("these reveal …") that doesn't say of which study, part and date it is."""
    for number, place in enumerate(case.layout.sentences):
        if case.layout.category_of(place) in RESULT:
            sentence = case.sentence(number)
            before = case.sentence(number - 1) if number else ""
            if _UNNAMED.search(sentence) and not _STUDY.search(sentence) and not _STUDY.search(before):
                main = case.main()
                return [make_gap(rule, main.code if main else None, (case.quote_sentence(place),))]
    return []


def no_duration(case: Case, rule: Rule) -> list[Gap]:
    """A complaint or injury of the visit without a word of when it began."""
    main = case.main()
    if main is None or main.code[0] not in "MSRLJ" or "J30" <= main.code[:3] < "K" or case.proposals[0].code[0] == "Z":
        return []
    told = " ".join(
        case.text[s.start : s.end] for s in case.layout.sections
        if s.category in ("history_of_present_illness", "chief_complaint", "subjective", "interval_history")
    ) or case.text  # fmt: skip
    told = re.sub(r"\b\d+[- ]year[- ]old\b", "", told)
    if _SINCE.search(told):
        return []
    return [make_gap(rule, main.code, case.evidence(main), case.about(main))]


def _no_rationale(case: Case) -> list[Gap]:
    """A drug begun or changed, a test, a device or a referral with no reason in its sentence or problem."""
    reasons = {f.problem for f in case.findings if f.kind == "rationale" and f.problem >= 0}
    sentences = {f.sentence for f in case.findings if f.kind == "rationale"}
    found: dict[str, Gap] = {}
    for finding in case.actions:
        if finding.section not in DECIDED or finding.sentence < 0 or not finding.present or finding.historical:
            continue
        if finding.kind == "treatment" and finding.value("action") not in _ACTS and finding.source != "procedure":
            continue
        if finding.sentence in sentences or _REASON.search(case.sentence(finding.sentence)):
            continue
        problem = next((p for p in case.proposals if p.problem == finding.problem >= 0), None)
        problem = problem or (case.main() if finding.problem < 0 else None)
        if problem is None or finding.problem in reasons:
            continue
        about = " ".join(finding.text.split()).lower()
        if about in _SELF_EVIDENT:
            continue
        shown = (case.quote(finding), *problem.evidence[:1])
        gap = _missing(problem, "rationale", about, "Please document the reasoning for the {about}.", shown, 40)
        found.setdefault(problem.code, gap)
    return list(found.values())[:2]


ELEMENTS: dict[str, Callable[[Case, Rule], list[Gap]]] = {
    "no-status": no_status, "part-not-examined": part_not_examined,
    "vitals-without-values": vitals_without_values, "result-without-value": result_without_value,
    "no-monitoring-value": no_monitoring_value, "study-not-named": study_not_named, "no-duration": no_duration,
}  # fmt: skip
