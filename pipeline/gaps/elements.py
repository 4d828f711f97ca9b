"""The five documentation elements, by note and by problem, and what of them an assessed problem lacks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache

from code_maps.gaps import gap_rules
from code_maps.icd10cm import CodeSet
from code_maps.meat import supports
from code_maps.places import Places
from code_maps.rulefile import Rule
from models.finding import Finding, Link
from models.gap import Elements, Gap, Missing
from models.proposal import Evidence, Proposal
from models.report import ProblemElements
from models.text import Layout
from pipeline.gaps.context import ASSESSED, DECIDED, EXAM, RESULT, Case, in_sentence, make_gap

_HISTORY = frozenset(
    {"history_of_present_illness", "past_medical_history", "past_surgical_history", "social_history", "family_history"}
)
_COMMON = frozenset(
    "unspecified other with without disease disorder right left initial encounter type pain chronic acute patient "
    "history status stable current normal elevated level levels mild moderate severe primary essential syndrome".split()
)
_WORD = re.compile(r"[^\W\d_]{4,}")
_OF_KIND = {
    "symptom": "symptoms", "history": "history", "exam": "exam", "result": "results", "rationale": "rationale",
}  # fmt: skip
_OTHER_SIDE = {"right": "left", "left": "right"}
_LONGEST_LABEL = 60
# What is said of an earlier treatment behind it, and of one before it.
_NOT_ENOUGH = re.compile(
    r"(?:did not help|not helping|ha(?:s|ve) not (?:helped|been enough)|no longer|ineffective|not at goal|above goal)\b",
    re.I,
)
_FAILED = re.compile(
    r"(?:(?:ha(?:s|ve|d|ving) |who )?fail|despite|in spite of|no (?:relief|improvement|response|benefit))", re.I
)
_QUOTED = 3  # more would tell nothing further
_KNOWN_TO_EXPLAIN = frozenset({"condition", "symptom", "treatment", "order", "result"})


def elements_of(findings: Iterable[Finding]) -> Elements:
    """Which of the five elements some findings hold."""
    held = {name for finding in findings for name in _shows(finding)}
    return Elements(**dict.fromkeys(held, True))


def _shows(finding: Finding) -> Iterator[str]:
    """The elements that a finding documents: by what it is, and by the section it stands in."""
    if finding.kind in _OF_KIND and not (finding.kind == "symptom" and finding.section in EXAM | RESULT):
        yield _OF_KIND[finding.kind]
    if finding.section in EXAM and finding.kind in ("symptom", "condition", "status", "history"):
        yield "exam"  # a result that stands among the examination is none
    elif finding.section in RESULT and finding.kind not in ("treatment", "order", "rationale", "result"):
        yield "results"
    elif finding.section in _HISTORY and finding.kind != "history":
        yield "history"


def problem_elements(
    codes: CodeSet, layout: Layout, findings: Sequence[Finding], proposals: Sequence[Proposal], text: str = ""
) -> tuple[ProblemElements, ...]:
    """The five elements of each assessed problem, with the words that show them.

    They come from its own text, and from findings about the same body part or condition anywhere in the note: those
    that share a telling word or the category, the values that monitor it, the words of an examination that go with it
    (code_maps/meat.toml), and reasons linked to it. What is said of the other side, or of another condition with a
    problem of its own, is none of its. In `text` a label tells what is examined ("Right knee: small effusion, …").
    """
    labels = _labels(layout, text)
    shared = []
    for finding in findings:
        if finding.patients:
            label = labels.get(finding.sentence, "") if finding.section in EXAM | RESULT else ""
            shared.append((finding, frozenset(_WORD.findall(f"{label} {finding.text}".lower()))))
    table = supports()
    found = []
    for proposal in proposals:
        if proposal.code[0] in "ZVWXY":
            continue
        title = codes.title(proposal.code).lower()
        words = set(_WORD.findall(title))
        for evidence in proposal.evidence:
            words.update(_WORD.findall(evidence.text.lower()))
        side = next((s for s in _OTHER_SIDE if s in words), "")
        words -= _COMMON
        analytes, exam = table.analytes(proposal.code), table.exam(proposal.code)
        own, category = frozenset(proposal.findings), proposal.code[:3]
        mine = [
            f for f, said in shared
            if f.id in own
            or (proposal.problem >= 0 and f.problem == proposal.problem)
            or _alike(f, said, words, side)
            or (f.place[:3] == category)
            or (bool(analytes) and f.values and f.value("analyte") in analytes)
            or (bool(exam) and f.section in EXAM and not exam.isdisjoint(said))
        ]  # fmt: skip
        about = in_sentence(proposal.evidence[0].text if proposal.evidence else codes.title(proposal.code))
        ids = tuple(f.id for f in mine)
        found.append(ProblemElements(about, proposal.code, elements_of(mine), ids, _said(mine)))
    return tuple(found)


def _alike(finding: Finding, said: frozenset[str], words: set[str], side: str) -> bool:
    """Whether a finding speaks of a problem by its words, and not of the other side or of a problem of its own."""
    if finding.kind == "condition" and finding.place and finding.problem >= 0:
        return False
    if side and _OTHER_SIDE[side] in said and side not in said:
        return False
    return not words.isdisjoint(said)


def _labels(layout: Layout, text: str) -> dict[int, str]:
    """The words before a colon that begin a sentence of an examination or a result, by the number of the sentence."""
    found = {}
    for number, place in enumerate(layout.sentences):
        if layout.category_of(place) in EXAM | RESULT:
            label, colon, _ = text[place.start : min(place.end, place.start + _LONGEST_LABEL)].partition(":")
            if colon:
                found[number] = label
    return found


def _said(findings: Sequence[Finding]) -> tuple[tuple[str, tuple[Evidence, ...]], ...]:
    """For each element the first findings that show it, none twice."""
    shown: dict[str, list[Evidence]] = {}
    for finding in findings:
        for name in _shows(finding):
            said = shown.setdefault(name, [])
            if len(said) < _QUOTED and all(finding.end <= e.start or e.end <= finding.start for e in said):
                said.append(Evidence(finding.start, finding.end, finding.text, finding.section))
    return tuple((name, tuple(shown[name])) for name in _OF_KIND.values() if name in shown)


def rationale_links(findings: Sequence[Finding], layout: Layout) -> dict[str, tuple[Link, ...]]:
    """Each reason (a finding of kind rationale) with what it explains: finding id -> its links.

    A reason explains the treatments and orders of its sentence that aren't part of it; where there are none, those of
    the sentence before it in the same problem, else of the one behind it. What failed explains what is done next, never
    itself ("physical therapy did not help; MRI"). It names its condition ("for"): the nearest one of its sentence, else
    that of its problem.
    """
    in_sentence: dict[int, list[Finding]] = {}
    title_of: dict[int, Finding] = {}
    for finding in findings:
        if finding.kind not in _KNOWN_TO_EXPLAIN:
            continue
        in_sentence.setdefault(finding.sentence, []).append(finding)
        if finding.kind == "condition" and finding.problem >= 0:
            title_of.setdefault(finding.problem, finding)

    def acts_of(number: int, problem: int) -> list[Finding]:
        if not 0 <= number < len(layout.sentences) or layout.sentences[number].problem != problem:
            return []
        return [f for f in in_sentence.get(number, ()) if f.kind in ("treatment", "order")]

    links: dict[str, tuple[Link, ...]] = {}
    for reason in findings:
        if reason.kind != "rationale" or reason.sentence < 0:
            continue
        here = in_sentence.get(reason.sentence, [])
        inside = [f for f in here if reason.start <= f.start and f.end <= reason.end]
        outside = [f for f in here if f.kind in ("treatment", "order") and f not in inside]
        before, behind = (acts_of(reason.sentence + step, reason.problem) for step in (-1, 1))
        if _NOT_ENOUGH.match(reason.text):
            acts = [f for f in here if f.kind in ("treatment", "order") and f.start >= reason.start] or behind
        elif _FAILED.match(reason.text):
            acts = outside or behind
        else:
            acts = outside or [f for f in inside if f.kind in ("treatment", "order")] or before or behind
        found = [Link(f.id, "explains") for f in acts]
        causes = [f for f in here if f.kind in ("condition", "symptom") and f.patients]
        cause = min(causes, key=lambda f: abs(f.start - reason.start), default=title_of.get(reason.problem))
        if cause is not None:
            found.append(Link(cause.id, "for"))
        if found:
            links[reason.id] = tuple(dict.fromkeys(found))
    return links


# --- checks ---------------------------------------------------------------------------------------------------------

_SPOKEN_OF = re.compile(
    r"\d|\bgoal\b|\bexac\b|\bacute\b|\btargets?\b|\btriggered by\b|\bno (?:change|complaints|symptoms|flares?|issues|concerns|recent)\b|"
    r"\bfollow(?:s|ing|ed)?[ -]?up\b|\b(?:see|seen|managed|followed) (?:by|with)\b|\bnew(?:ly)?\b|\bcontinues\b|\bper \w+ology\b"
)
# Nobody is examined by telephone, and a report of a procedure or a test is no visit.
_UNSEEN = re.compile(
    r"\b(?:telehealth|telemedicine|video visit|phone (?:visit|call)|telephone|virtual visit|audio[ -]only|e-?visit|"
    r"(?:operative|procedure|endoscopy|colonoscopy|radiology|pathology) (?:report|note)|discharge summary|"
    r"withdrawal time|scope (?:was|reached))\b"
)
_ORDERED_IS_ENOUGH = frozenset(("E03", "E05", "E78", "M10"))
_READ = re.compile(r"\b(?:normal|at goal|in range|therapeutic|undetectable|within)\b")
_VITALS = re.compile(
    r"\b(?:vital signs?|vitals|blood pressure)\b[^.\n]{0,30}\b(?:elevated|high|low|reviewed|abnormal|normal|stable)\b"
)
_DATED = re.compile(
    r"\b\d{1,2}/(?:\d{1,2}/)?\d{2,4}\b|\b(?:19|20)\d\d\b|\b\w*[a-z]-?\d{1,2}\b|\b\d+[ -](?:weeks?|months?|years?|days?)\b"
)
_DIGIT = re.compile(r"\d")
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
    r"\b(?:yesterday|this morning|last (?:night|week|month|year)|\d+[dwmy]|x ?\d+ ?[dwmy])\b|"
    r"\b(?:for|since|over|past|last|x|about|ago|started|began|onset|noticed)\b[^.\n]{0,40}"
    r"\b(?:\d+|few|several|couple|one|two|three|four|five|six|seven|eight|day|days|week|weeks|month|months|year|years|"
    r"january|february|march|april|may|june|july|august|september|october|november|december|\d{4})\b|\bago\b|\bsince\b"
)
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
    """An assessed lasting condition of which no word says how it stands to its goal.

    Where it is treated or measured, only the leading problems are asked about, and last: whether a chronic illness is
    stable decides how much a visit was, but what the coding trade calls MEAT is met.
    """
    table, found = supports(), []
    lasting = _places(rule.id)
    for proposal in case.proposals:
        if proposal.code not in lasting or not case.assessed(proposal):
            continue
        near = case.near(proposal)
        if table.status.search(near) or _SPOKEN_OF.search(near):
            continue
        treated = any(case.by_analyte.get(a) for a in _analytes(proposal.code)) or _acted_on(case, proposal)
        if treated and proposal.rank > _LEADING:
            continue
        rank = 9 if treated else proposal.rank
        found.append(make_gap(rule, proposal.code, case.evidence(proposal), case.about(proposal), rank=rank))
    return found[:2]


@cache
def _places(rule: str, key: str = "code") -> Places:
    """The places that a rule file names, read once."""
    return Places(next(r for r in gap_rules() if r.id == rule).data["when"][key])


_LEADING = 3


@lru_cache(maxsize=4096)
def _analytes(code: str) -> frozenset[str]:
    return supports().analytes(code)


def _acted_on(case: Case, proposal: Proposal) -> bool:
    """Whether a drug, a study or a referral stands in the problem or the sentence of a proposal."""
    sentences = {case.by_id[key].sentence for key in proposal.findings if case.by_id[key].section in ASSESSED}
    return any(
        f.sentence in sentences or (f.problem == proposal.problem >= 0) for f in case.actions if not f.historical
    )


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
    if main is None or any(f.kind == "exam" or f.section in EXAM for f in case.findings) or _UNSEEN.search(case.text):
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
        if proposal.code[0] not in "MSRLNHD" or "M80" <= proposal.code[:3] <= "M85" or not case.assessed(proposal):
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
        if _DIGIT.search(sentence):
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
        if finding.section not in RESULT and finding.section not in ASSESSED:
            continue
        sentence = case.sentence(finding.sentence)
        if not _JUDGED.search(sentence) or _DIGIT.search(_DATED.sub(" ", sentence)):
            continue
        about = next((p for p in case.proposals if p.problem == finding.problem >= 0), None)
        about = about or next((p for p in case.proposals if finding.id in p.findings), None) or case.main()
        found.append(make_gap(rule, about.code if about else None, (case.quote(finding),), rank=len(found)))
    return list({g.evidence: g for g in found}.values())[:1]


def no_monitoring_value(case: Case, rule: Rule) -> list[Gap]:
    """An assessed condition that is followed by values, none of which stands in the note."""
    found: list[Gap] = []
    for proposal in case.proposals:
        wanted = _analytes(proposal.code)
        if not wanted or proposal.code not in _places(rule.id) or not case.assessed(proposal):
            continue
        if proposal.code[:3] in _ORDERED_IS_ENOUGH and any(
            f.kind == "order" and f.problem == proposal.problem >= 0 for f in case.actions
        ):
            continue  # it was asked for today
        if _READ.search(case.near(proposal)):
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
    if (
        main is None
        or main.code[0] not in "MSRLJGHKNAB"
        or main.code in _places("status-missing")
        or "J30" <= main.code[:3] < "K"
        or case.proposals[0].code[0] == "Z"
    ):
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
    """A study, a referral, a device or a drug begun for a symptom, an injury or a complaint of the joints, or under no
    problem at all, with no reason in its sentence or problem.

    Under a disease the disease is the reason: "lipid panel" under hyperlipidemia needs no other; a drug begun or changed,
    or a major study, does where nothing is said of how the disease is doing.
    """
    reasons = {f.problem for f in case.findings if f.kind == "rationale" and f.problem >= 0}
    sentences = {f.sentence for f in case.findings if f.kind == "rationale"}
    found: dict[str, tuple[int, Gap]] = {}
    for finding in case.actions:
        if finding.section not in DECIDED or finding.sentence < 0 or not finding.present or finding.historical:
            continue
        weight = _weight(finding)
        if not weight or finding.sentence in sentences or _REASON.search(case.sentence(finding.sentence)):
            continue
        problem = next((p for p in case.proposals if p.problem == finding.problem >= 0), None)
        problem = problem or (case.main() if finding.problem < 0 else None)
        if problem is None or (finding.problem in reasons and weight < _STUDIED):
            continue
        if _DOUBT.search(case.near(problem)) or _ENDING.search(case.sentence(finding.sentence)):
            continue
        if problem.code[0] not in "RSMT" and (weight < _BEGUN or _told_why(case, problem)):
            continue
        about = in_sentence(finding.text)
        if about in _SELF_EVIDENT or (problem.code in found and found[problem.code][0] >= weight):
            continue
        shown = (case.quote(finding), *problem.evidence[:1])
        ask = "Please document the reasoning for the {about}."
        found[problem.code] = (weight, _missing(problem, "rationale", about, ask, shown, 40))
    return [gap for _, gap in found.values()][:2]


_DOUBT = re.compile(r"\b(?:rule out|r/o|suspect(?:ed|s)?|possible|probable|concern(?:ed|ing)?|to exclude)\b")
_ENDING = re.compile(r"\b(?:wean|discontinue|stop|remove|refill)\b")
_STUDIED = 3
_BEGUN = 2


def _told_why(case: Case, problem: Proposal) -> bool:
    """Whether the paragraph of a disease says how it is doing, or gives a number: reason enough for what is done."""
    if any(case.by_analyte.get(a) for a in _analytes(problem.code)):
        return True
    near = case.near(problem)
    return supports().status.search(near) is not None or _WORSE.search(near) is not None


_WORSE = re.compile(
    r"\b(?:elevated|abnormal|high|low|not at|above|below|positive|consistent with|reports?|complain\w*|new)\b|\d ?(?:%|mg/dl|mmhg)|\d/\d"
)
_ADVANCED = re.compile(
    r"\b(?:mri|ct|cat scan|pet|emg|nerve conduction|catheteri[sz]ation|stress|arthrogram|biops\w+|surg\w+)\b", re.I
)


def _weight(finding: Finding) -> int:
    """How much a reason matters for an order or treatment; 0 where none is asked for."""
    if finding.kind == "order":
        return _STUDIED if _ADVANCED.search(finding.text) else 1 if finding.source in ("imaging", "referral") else 0
    if finding.value("class"):
        return 2 if finding.value("action") in _ACTS else 0
    return 1 if finding.source == "procedure" and finding.value("action") in _ACTS else 0


def symptom_not_assessed(case: Case, rule: Rule) -> list[Gap]:
    """A symptom that the patient reports and that neither the assessment nor the plan takes up.

    Only symptoms of the places that the rule names, and only where a condition of the same chapter isn't assessed: what
    belongs to a disease is dealt with under it.
    """
    if case.sections.isdisjoint(ASSESSED):
        return []
    decided, wanted = case.decided(), _places(rule.id, "finding")
    explained = {p.code[0] for p in case.proposals if case.assessed(p)}
    found: dict[str, Gap] = {}
    for finding in case.findings:
        if (
            not finding.place
            or finding.kind != "symptom"
            or finding.place not in wanted
            or finding.section not in _REPORTED
        ):
            continue
        if not (finding.patients and finding.present) or finding.historical or finding.sentence < 0:
            continue
        if any(p.code[:3] == finding.place[:3] for p in case.proposals) or finding.text.lower()[:5] in decided:
            continue
        if not explained.isdisjoint(_OF_CHAPTER.get(finding.place[:3], "")) or _BEGAN_EARLY.search(
            case.sentence(finding.sentence)
        ):
            continue
        gap = make_gap(rule, finding.place, (case.quote(finding),), in_sentence(finding.text), rank=len(found))
        found.setdefault(finding.place[:3], gap)
    return list(found.values())[:2]


_BEGAN_EARLY = re.compile(
    r"\b(?:at birth|resolved|went away|initially|at (?:that|the) time|by then|improved|no longer)\b"
)
_REPORTED = frozenset(
    ("history_of_present_illness", "review_of_systems", "chief_complaint", "subjective", "interval_history")
)
# The chapters whose diseases such a symptom usually belongs to.
_OF_CHAPTER = {
    "R00": "IE", "R06": "IJD", "R07": "IJK", "R10": "KNM", "R11": "KNA", "R13": "JKC", "R19": "KA", "R20": "GMSE", "R31": "N", "R35": "NE",
    "R39": "N", "R41": "FG", "R42": "HI", "R51": "GIJ", "R53": "DC", "R55": "I", "R63": "CE", "R68": "JAN", "G47": "FG",
}  # fmt: skip


ELEMENTS: dict[str, Callable[[Case, Rule], list[Gap]]] = {
    "no-status": no_status, "part-not-examined": part_not_examined,
    "vitals-without-values": vitals_without_values, "result-without-value": result_without_value,
    "no-monitoring-value": no_monitoring_value, "study-not-named": study_not_named, "no-duration": no_duration,
    "symptom-not-assessed": symptom_not_assessed,
}  # fmt: skip
