"""The level of an office visit from the note: problems addressed, data, risk; two of three, or total time.

Levels are 0 to 3. The level says what the note shows and no more: what was thought but not written doesn't count.
Measured on the 24 labelled clinic notes: level 24, problems 24, data 20, risk 24 of 24. They were looked at while the
word lists were written, and 17 of them are moderate, so this says little about other notes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from code_maps.edits.evaluation_management import level_of_code, level_of_time, visit_facts
from code_maps.guidelines import facts as guideline_facts
from code_maps.places import lies_under
from models.claim import Claim
from models.finding import Finding
from models.gap import EvaluationManagement, LevelReason
from models.proposal import Proposal
from models.text import Layout

PROBLEMS = ("minimal", "low", "moderate", "high")
DATA = ("minimal", "limited", "moderate", "extensive")
MDM = ("straightforward", "low", "moderate", "high")
DECISION = frozenset({"assessment", "assessment_plan", "plan", "diagnoses", "mdm", "instructions"})
_CHANGES = frozenset({"started", "increased", "changed", "decreased"})
_INJURY = re.compile(r"\b(?:fracture|sprain|strain|contusion)\b")
ABOVE, BELOW, SUPPORTED = (
    "billed level above documentation",
    "billed level below documentation",
    "billed level supported",
)


@dataclass(frozen=True)
class _Level:
    """How high an element stands and why."""

    height: int
    reasons: tuple[LevelReason, ...]


def level(
    findings: Sequence[Finding], proposals: Sequence[Proposal], claim: Claim | None, text: str, layout: Layout
) -> EvaluationManagement | None:
    """Medical decision making of an office visit, the codes it supports, and how the billed level compares.

    None when the note has neither an assessed problem nor a decision: there is nothing to level.
    """
    decided = _decision_text(text, layout)
    assessed = [p for p in proposals if p.code[0] not in "VWXY"]
    if not assessed and not decided.strip():
        return None
    problems = _problems(assessed, findings, text, layout, decided)
    data = _data(findings, text)
    risk = _risk(findings, proposals, decided)
    height = sorted((problems.height, data.height, risk.height))[1]
    minutes, at = _minutes(text)
    heights = dict.fromkeys(("new", "established"), height)
    reasons = [*problems.reasons, *data.reasons, *risk.reasons]
    if minutes is not None:
        for family in heights:
            heights[family] = max(height, level_of_time(family, minutes) or 0)
        reasons.append(LevelReason("time", f"Total time stated: {minutes} minutes ({at})."))
    codes = visit_facts()["codes"]
    billed, flag = _billed(claim, heights)
    return EvaluationManagement(
        problems=PROBLEMS[problems.height],
        data=DATA[data.height],
        risk=PROBLEMS[risk.height],
        mdm=MDM[height],
        supports=tuple(dict.fromkeys(codes[family][heights[family]] for family in heights)),
        reasons=tuple(reasons),
        billed=billed,
        flag=flag,
    )


def _billed(claim: Claim | None, heights: dict[str, int]) -> tuple[str | None, str | None]:
    """The first office visit on the claim and how its level compares with what the note supports."""
    for line in claim.lines if claim else ():
        found = level_of_code(line.code)
        if found is not None:
            family, height = found
            shown = heights[family]
            return line.code, ABOVE if height > shown else BELOW if height < shown else SUPPORTED
    return None, None


# --- text --------------------------------------------------------------------------------------------------------


def _decision_text(text: str, layout: Layout) -> str:
    """The sections where problems are assessed and decided, lower case."""
    return "\n".join(text[s.body : s.end] for s in layout.sections if s.category in DECISION).lower()


_UNSAID = re.compile(r"\b(?:no|not|denies|without|never|if|should|may|unless|could)\b[^.;:\n]*$")


def _has(text: str, words: Iterable[str]) -> str | None:
    """The first of some words that a lower-case text says without a denial or a condition before it."""
    for word in words:
        if word.rstrip("*") not in text:
            continue
        for match in _pattern(word).finditer(text):
            before = text[max(0, match.start() - 22) : match.start()]
            if not _UNSAID.search(before):
                return word
    return None


@lru_cache(maxsize=4096)
def _pattern(word: str) -> re.Pattern[str]:
    """A word with its endings; one with a star at its end with any ending."""
    ending = r"\w*" if word.endswith("*") else r"(?:s|es|ed|d|ing)?(?!\w)"
    return re.compile(rf"(?<![\w-]){re.escape(word.rstrip('*'))}{ending}")


@lru_cache(maxsize=4096)
def _exact(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")


_RUN = re.compile(r"[\w-]+")


class _Names:
    """Names under keys, found in lower-case words without trying every name: by the first run of letters of each."""

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        self._by_first: dict[str, list[tuple[str, str]]] = {}
        for key, name in names:
            first = _RUN.match(name)
            self._by_first.setdefault(first.group() if first else "", []).append((key, name))

    def keys(self, words: str) -> set[str]:
        """The keys whose names stand among some words as words of their own."""
        return {
            key
            for first in ("", *_RUN.findall(words))
            for key, name in self._by_first.get(first, ())
            if name in words and _exact(name).search(words)
        }


@cache
def _test_names() -> _Names:
    return _Names((key, name) for key, names in visit_facts()["tests"].items() for name in names)


@cache
def _over_the_counter() -> _Names:
    return _Names((name, name) for name in visit_facts()["risk"]["over_the_counter"])


def _under(code: str, places: Iterable[str]) -> bool:
    return any(lies_under(code, place) for place in places)


# --- problems ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Problem:
    """One problem of the assessment: its codes, its words, its findings, and what was done for it."""

    name: str
    codes: tuple[str, ...]
    words: str
    findings: tuple[str, ...]
    changed: bool
    worked_up: bool


def _listed(
    proposals: Sequence[Proposal], findings: Sequence[Finding], text: str, layout: Layout, decided: str
) -> list[_Problem]:
    """The problems that the visit addressed: those of the assessment, else what the note proposes first.

    A problem of the list without a proposal counts by its words; a status (transplant, long-term drug) doesn't count
    beside the disease it belongs to. A mention in the past history is not addressed.
    """
    own = [p for p in proposals if p.section in DECISION]
    numbers = sorted({p.problem for p in own if p.problem >= 0} | set(range(len(layout.problems))))
    by_problem: dict[int, list[Finding]] = {}
    for finding in findings:
        by_problem.setdefault(finding.problem, []).append(finding)
    found = []
    for number in numbers:
        problem = layout.problems[number] if number < len(layout.problems) else None
        mine = [p for p in own if p.problem == number]
        if problem is None or (not mine and not _names_problem(text[problem.title_start : problem.title_end])):
            continue
        words = text[problem.start : problem.end].lower()
        title = " ".join(text[problem.title_start : problem.title_end].lower().split())
        inside = by_problem.get(number, [])
        found.append(_problem(title[:80], mine, words, inside))
    loose = [p for p in own if p.problem < 0 and p.code[0] != "Z"]
    found.extend(_problem(_named(p), [p], decided, []) for p in loose if not any(p.code in q.codes for q in found))
    if not found and proposals:
        found = [_problem(_named(proposals[0]), [proposals[0]], decided, findings)]
    if len(found) == 1:
        only = found[0]
        inside = [f for f in findings if f.section in DECISION]
        mine = [p for p in proposals if p.code in only.codes]
        found = [_problem(only.name, mine, f"{only.words}\n{decided}", inside)]
    return found


def _names_problem(title: str) -> bool:
    """Whether a title names something to assess, rather than an instruction."""
    return 0 < len(title.split()) <= 8 and not re.search(r"(?i)prevent|health maintenance|return|follow|call", title)


def _named(proposal: Proposal) -> str:
    return " ".join(proposal.evidence[0].text.lower().split()) if proposal.evidence else proposal.code


def _problem(name: str, proposals: Sequence[Proposal], words: str, inside: Sequence[Finding]) -> _Problem:
    codes = tuple(p.code for p in proposals)
    return _Problem(
        name=name,
        codes=codes,
        words=words,
        findings=tuple(dict.fromkeys(f for p in proposals for f in p.findings)),
        changed=any(
            f.kind == "treatment" and f.present and f.value("action") in _CHANGES and _prescription(f) for f in inside
        ),
        worked_up=any(f.kind == "order" and f.present for f in inside),
    )


def _problems(
    proposals: Sequence[Proposal], findings: Sequence[Finding], text: str, layout: Layout, decided: str
) -> _Level:
    listed = _listed(proposals, findings, text, layout, decided)
    heights: list[tuple[int, str, _Problem]] = []
    stable: list[_Problem] = []
    minor = 0
    for problem in listed:
        height, why = _weigh(problem)
        if why == "stable chronic illness":
            stable.append(problem)
        minor += height == 0
        heights.append((height, why, problem))
    if not heights:
        return _Level(0, (LevelReason("problems", "No problem is assessed."),))
    heights.sort(key=lambda h: -h[0])
    height, why, problem = heights[0]
    reasons = [LevelReason("problems", f"{problem.name}: {why}.", problem.findings)]
    if height < 2 and len(stable) >= 2:
        names = ", ".join(p.name for p in stable)
        reasons = [LevelReason("problems", f"Two or more stable chronic illnesses: {names}.", _ids(stable))]
        height = 2
    elif height == 0 and minor >= 2:
        reasons = [LevelReason("problems", "Two or more self-limited or minor problems.", _ids(listed))]
        height = 1
    return _Level(height, tuple(reasons))


def _ids(problems: Iterable[_Problem]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f for p in problems for f in p.findings))


def _weigh(problem: _Problem) -> tuple[int, str]:
    """The level of one problem and what kind of problem it is."""
    facts = visit_facts()["problems"]
    codes, words = problem.codes, problem.words
    own = f"{problem.name}\n{words}"
    if any(_under(c, facts["emergent"]) for c in codes) or _has(words, facts["severe_words"]):
        return 3, "illness that threatens life or function"
    if any(_under(c, facts["injuries"]) for c in codes) or _INJURY.search(problem.name):
        complicated = _has(own, facts["complicated"])
        if complicated and not any(word in problem.name for word in facts["not_complicated"]):
            return 2, "acute complicated injury"
        return 1, "acute uncomplicated injury"
    lasting = (*facts["chronic"], *guideline_facts().chronic)
    chronic = any(_under(c, lasting) for c in codes) or "chronic" in problem.name
    settled = _has(words, facts["stable_words"])
    if chronic:
        worse = _has(words, facts["worse_words"])
        if (worse or problem.changed) and not (settled and not problem.changed and worse is None):
            return 2, "chronic illness that is worse or not at its goal"
        return 1, "stable chronic illness"
    prognosis = _has(own, facts["prognosis_words"])
    sign = not codes or any(_under(c, facts["signs"]) for c in codes)
    if prognosis and not settled:
        return 2, "new problem with uncertain prognosis"
    if sign and problem.worked_up and any(c[0] == "R" for c in codes) and problem.changed:
        return 2, "new problem with uncertain prognosis"
    if codes and all(_under(c, facts["minor"]) for c in codes):
        return 0, "self-limited or minor problem"
    if codes and all(c[0] == "Z" for c in codes):
        return 1, "stable chronic illness"
    return 1, "acute uncomplicated illness"


# --- data --------------------------------------------------------------------------------------------------------


def _data(findings: Sequence[Finding], text: str) -> _Level:
    facts = visit_facts()["data"]
    tests: dict[str, list[str]] = {}
    for finding in findings:
        if finding.kind not in ("order", "result") or not finding.patients:
            continue
        if finding.kind == "order":
            if not finding.present or finding.section == "chief_complaint" or finding.source == "referral":
                continue
        elif finding.section in facts["history_sections"]:
            continue
        for key in _tests(finding, facts["not_tests"]):
            tests.setdefault(key, []).append(finding.id)
    for general in ("labs", "imaging"):
        if len(tests) > 1:
            tests.pop(general, None)
    lower = text.lower()
    external = _has(lower, facts["external"])
    historian = _has(lower, facts["historian"])
    interpreted = _has(lower, facts["interpretation"])
    discussed = _has(lower, facts["discussion"])
    items = len(tests) + bool(external)
    first = items + bool(historian) >= 3
    categories = first + bool(interpreted) + bool(discussed)
    height = 3 if categories >= 2 else 2 if categories else 1 if items >= 2 or historian else 0
    reasons = []
    if tests:
        ids = tuple(dict.fromkeys(i for found in tests.values() for i in found))
        reasons.append(LevelReason("data", f"Unique tests ordered or reviewed: {', '.join(tests)}.", ids))
    for said, what in (
        (external, "Notes from outside reviewed"), (historian, "An independent historian"),
        (interpreted, "Independent interpretation of a test"), (discussed, "Discussion with another clinician"),
    ):  # fmt: skip
        if said:
            reasons.append(LevelReason("data", f"{what} ({said})."))
    return _Level(height, tuple(reasons) or (LevelReason("data", "No test, outside note or other source."),))


def _tests(finding: Finding, not_tests: Iterable[str]) -> list[str]:
    """The tests that a finding names, each under one name; an order that no list knows counts by its own words."""
    words = finding.text.lower()
    found = _test_names().keys(words)
    named = [key for key in visit_facts()["tests"] if key in found] if found else []
    if "a1c" in named and "cbc" in named:
        named.remove("cbc")  # "hemoglobin A1c"
    if named or finding.kind == "result" or finding.source not in ("labs", "imaging", "other"):
        return named
    return [] if any(word in words for word in not_tests) else [" ".join(words.split())[:40]]


# --- risk --------------------------------------------------------------------------------------------------------


def _prescription(finding: Finding) -> bool:
    """Whether a treatment is a drug that needs a prescription: a drug, and not one that is sold over the counter."""
    if finding.source not in ("drug", "frequency", "dose"):
        return False
    words = finding.text.lower()
    if not re.search(r"[a-z]{4,}", words) or re.match(r"\d|start|take|continu|use|using|apply", words):
        return False
    return not _over_the_counter().keys(words)


def _risk(findings: Sequence[Finding], proposals: Sequence[Proposal], decided: str) -> _Level:
    facts = visit_facts()["risk"]
    said = _has(decided, (*facts["high_words"], *facts["toxicity"]))
    if said:
        return _Level(3, (LevelReason("risk", f"A decision of high risk ({said})."),))
    acting = set(facts["acting"])
    mine = [
        f for f in findings
        if f.kind == "treatment" and f.patients and not f.historical and f.section in facts["decision_sections"]
        and f.assertion.presence == "present"
    ]  # fmt: skip
    drugs = [
        f
        for f in mine
        if _prescription(f) and (f.value("action") in acting or f.section == "procedure" or re.search(r"\d", f.text))
    ]
    if drugs:
        names = ", ".join(dict.fromkeys(f.text.split()[0] for f in drugs))
        return _Level(2, (LevelReason("risk", f"Prescription drug management: {names}.", tuple(f.id for f in drugs)),))
    words = _has(decided, facts["prescribing_words"])
    if words:
        return _Level(2, (LevelReason("risk", f"Prescription drug management ({words})."),))
    for key, what in (("surgery", "Decision about surgery"), ("social", "Social circumstances limit care")):
        words = _has(decided, facts[key])
        if words:
            return _Level(2, (LevelReason("risk", f"{what} ({words})."),))
    if mine or _has(decided, (*facts["low_words"], *facts["over_the_counter"])):
        ids = tuple(f.id for f in mine)
        return _Level(1, (LevelReason("risk", "Over-the-counter drugs, therapy or devices.", ids),))
    if decided.strip():
        return _Level(1 if proposals else 0, (LevelReason("risk", "No drug, procedure or device is decided on."),))
    return _Level(0, (LevelReason("risk", "The note holds no plan."),))


# --- time --------------------------------------------------------------------------------------------------------


# Every pattern of a stated time needs one of these.
_TIMED = re.compile(r"\d\s*min|total time", re.IGNORECASE)


def _minutes(text: str) -> tuple[int | None, str]:
    """The total time of the day that the note states, and its words. Time for something of its own isn't the total."""
    facts = visit_facts()["time"]
    best: tuple[int | None, str] = (None, "")
    if not _TIMED.search(text):
        return best
    for pattern in facts["patterns"]:
        for match in re.finditer(pattern, text, re.IGNORECASE):
            begin = max(text.rfind("\n", 0, match.start()) + 1, match.start() - 20)
            around = text[begin : match.end() + 60].split("\n")[0].lower()
            if any(word in around for word in facts["not_total"]):
                continue
            minutes = int(match[1])
            if minutes <= 240 and (best[0] is None or minutes > best[0]):
                best = (minutes, " ".join(match[0].split()))
    return best
