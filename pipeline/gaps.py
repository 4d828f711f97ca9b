"""What the documentation lacks: open axes of the codes that are proposed, rule files, and missing elements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from code_maps.gaps import axis_questions, gap_rules, silent_places
from code_maps.icd10cm import CodeSet
from code_maps.places import lies_under
from code_maps.rulefile import Rule
from models.claim import ClaimCheck
from models.finding import Finding
from models.gap import DenialRisk, Elements, EvaluationManagement, Gap, WouldChange
from models.proposal import Evidence, OpenAxis, Proposal
from models.report import ProblemElements
from models.text import Layout, Note

_MOST = 8  # more than a reader can act on at once
_PER_PROPOSAL = 2
_EXAM = frozenset({"physical_exam", "vitals"})
_RESULT = frozenset({"labs", "imaging", "results"})
_HISTORY = frozenset(
    {"history_of_present_illness", "past_medical_history", "past_surgical_history", "social_history", "family_history"}
)
_OPTIONS = ("Other", "Unable to determine")


def find_gaps(
    codes: CodeSet,
    note: Note,
    layout: Layout,
    findings: Sequence[Finding],
    proposals: Sequence[Proposal],
    problems: Sequence[ProblemElements],
) -> tuple[Gap, ...]:
    """All gaps of a note, most important first, at most eight."""
    gaps = [
        *_open_axes(codes, proposals),
        *(gap for rule in gap_rules() if rule.holds_on(note.date_of_service)
          for gap in _by_rule(rule, note, layout, findings, proposals)),
        *_missing_elements(proposals, problems, findings),
    ]  # fmt: skip
    first: dict[str, Gap] = {}
    for gap in gaps:
        first.setdefault(gap.id, gap)
    ordered = sorted(first.values(), key=lambda g: (g.priority, g.evidence[0].start if g.evidence else 0, g.id))
    return tuple(_numbered(ordered[:_MOST]))


def _numbered(gaps: Iterable[Gap]) -> Iterable[Gap]:
    return (replace(gap, priority=number) for number, gap in enumerate(gaps, 1))


def _open_axes(codes: CodeSet, proposals: Sequence[Proposal]) -> list[Gap]:
    """The specificity gaps: where the descent found no word to go by."""
    questions = axis_questions()
    found: list[Gap] = []
    for proposal in proposals:
        if any(lies_under(proposal.code, place) for place in silent_places()) and not _sided(proposal.open_axes):
            continue
        taken = 0
        for axis in sorted(proposal.open_axes, key=lambda a: a.axis != "laterality"):
            question = questions.get(axis.axis)
            only_side = proposal.code[0] in "RZ" or any(lies_under(proposal.code, p) for p in silent_places())
            if question is None or taken == _PER_PROPOSAL or (only_side and axis.axis != "laterality"):
                continue
            if len(axis.choices) < 2 and axis.axis in ("complication", "status", "type", "site", "control", "acuity"):
                continue
            taken += 1
            about = _about(codes, proposal)
            shown = axis.choices[:6]
            found.append(
                Gap(
                    id=f"specificity-{question.missing}:{proposal.code[:3]}",
                    kind="specificity",
                    code=proposal.code,
                    missing=question.missing,  # type: ignore[arg-type]
                    about=about,
                    evidence=proposal.evidence[:2],
                    ask=question.ask.format(about=about),
                    options=(*(c.value for c in shown), *_OPTIONS),
                    why=question.why,
                    would_change=WouldChange(proposal.code, tuple(c.code for c in shown)),
                    rule="open-axis",
                    source=f"ICD-10-CM tabular {codes.release}, {codes.category(proposal.code)}",
                    priority=question.weight * 10 + min(proposal.rank, 9),
                )
            )
    return found


def _sided(axes: Iterable[OpenAxis]) -> bool:
    return any(a.axis == "laterality" for a in axes)


def _about(codes: CodeSet, proposal: Proposal) -> str:
    """The condition in the note's own words."""
    return " ".join(proposal.evidence[0].text.split()).lower() if proposal.evidence else codes.title(proposal.code)


def _by_rule(
    rule: Rule, note: Note, layout: Layout, findings: Sequence[Finding], proposals: Sequence[Proposal]
) -> list[Gap]:
    when = rule.data["when"]
    text = note.text.lower()
    if when.get("setting") not in (None, note.setting) or any(w in text for w in when.get("without", ())):
        return []
    if "anywhere" in when and not any(w in text for w in when["anywhere"]):
        return []
    if any(lies_under(p.code, place) for p in proposals for place in when.get("no_code", ())):
        return []
    if "analyte" in when:
        for finding in findings:
            value = finding.value("quantity")
            if finding.value("analyte") == when["analyte"] and isinstance(value, (int, float)) and finding.patients:
                if value > when.get("above", float("-inf")) and value < when.get("below", float("inf")):
                    shown = Evidence(finding.start, finding.end, finding.text, finding.section)
                    return [_gap(rule, rule.data.get("code"), (shown,), finding.text)]
        return []
    for proposal in proposals:
        if any(lies_under(proposal.code, place) for place in when["code"]):
            near = _near(text, layout, findings, proposal)
            if "words" not in when or any(word in near for word in when["words"]):
                return [_gap(rule, proposal.code, proposal.evidence[:2], proposal.code)]
    return []


def _gap(rule: Rule, code: str | None, evidence: tuple[Evidence, ...], key: str) -> Gap:
    data = rule.data
    return Gap(
        id=f"{rule.id}:{(code or key)[:3]}",
        kind=data["kind"],
        code=code,
        missing=data["missing"],
        about=data["about"],
        evidence=evidence,
        ask=data["ask"],
        options=tuple(data["options"]),
        why=rule.why,
        rule=rule.id,
        source=str(rule.sources[0]),
        priority=data["priority"] * 10,
    )


def _near(text: str, layout: Layout, findings: Sequence[Finding], proposal: Proposal) -> str:
    """The lower-case words around a proposal: the sentences of its findings and the problem they stand under."""
    mine = {f.id: f for f in findings}
    pieces = []
    for key in proposal.findings:
        finding = mine[key]
        if finding.problem >= 0:
            problem = layout.problems[finding.problem]
            pieces.append(text[problem.start : problem.end])
        elif finding.sentence >= 0:
            sentence = layout.sentences[finding.sentence]
            pieces.append(text[sentence.start : sentence.end])
    return " ".join(pieces)


# --- documentation elements --------------------------------------------------------------------------------------


def elements_of(findings: Iterable[Finding]) -> Elements:
    """Which of the five elements some findings hold."""
    kinds: set[str] = set()
    for finding in findings:
        kinds.add(finding.kind)
        if finding.section in _EXAM:
            kinds.add("exam")
        elif finding.section in _RESULT:
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
    """The five elements of each assessed problem, from its own text and from findings about the same body part or
    condition elsewhere in the note."""
    found = []
    for proposal in proposals:
        if proposal.code[0] in "ZVWXY":
            continue
        words = {w for w in codes.title(proposal.code).lower().replace(",", " ").split() if len(w) > 3} - _COMMON
        words |= {w for e in proposal.evidence for w in e.text.lower().split() if len(w) > 3}
        mine = [
            f for f in findings
            if f.patients and (
                f.id in proposal.findings
                or (proposal.problem >= 0 and f.problem == proposal.problem)
                or bool(words & set(f.text.lower().split()))
                or f.place[:3] == proposal.code[:3]
            )
        ]  # fmt: skip
        about = _about(codes, proposal)
        found.append(ProblemElements(about, proposal.code, elements_of(mine), tuple(f.id for f in mine)))
    return tuple(found)


_COMMON = frozenset(
    "unspecified other with without disease disorder right left initial encounter type pain chronic acute".split()
)


def _missing_elements(
    proposals: Sequence[Proposal], problems: Sequence[ProblemElements], findings: Sequence[Finding]
) -> list[Gap]:
    """An assessed problem that is treated without a word of why, or any assessment without an examination."""
    by_code = {p.code: p for p in proposals}
    by_id = {f.id: f for f in findings}
    examined = elements_of(findings).exam
    found = []
    for problem in problems[:3]:
        proposal = by_code[problem.code or ""]
        if proposal.section not in ("assessment", "assessment_plan", "diagnoses"):
            continue
        acted = any(
            by_id[key].kind in ("treatment", "order") and by_id[key].problem == proposal.problem
            for key in problem.findings
        )
        wanted = []
        if acted and not problem.elements.rationale:
            wanted.append(("rationale", "Please document the reasoning for the plan for {about}."))
        if not examined and proposal.rank == 1:
            wanted.append(("exam", "Please document the examination findings that bear on {about}."))
        for missing, ask in wanted:
            found.append(
                Gap(
                    id=f"element-{missing}:{proposal.code[:3]}",
                    kind="element",
                    code=proposal.code,
                    missing=missing,  # type: ignore[arg-type]
                    about=problem.problem,
                    evidence=proposal.evidence[:1],
                    ask=ask.format(about=problem.problem),
                    options=(),
                    why="Medical necessity is shown by the note itself: what was found, and why it is done.",
                    rule="missing-element",
                    source="Social Security Act, section 1862(a)(1)(A)",
                    priority=50 + min(proposal.rank, 9),
                )
            )
    return found


# --- denial risks ------------------------------------------------------------------------------------------------


def denial_risks(
    check: ClaimCheck | None, em: EvaluationManagement | None, gaps: Sequence[Gap], elements: Elements
) -> tuple[DenialRisk, ...]:
    """How likely each of the four causes of denial is, and why, worst first."""
    found: list[DenialRisk] = []
    if check:
        uncovered = [v for v in check.lines if v.verdict in ("FAIL_DX", "NON_COVERED", "FAIL_SECONDARY_MISSING")]
        if uncovered:
            found.append(
                DenialRisk("non-covered diagnosis", "high", uncovered[0].why, tuple(v.line for v in uncovered))
            )
        unlinked = [v for v in check.lines if v.verdict in ("FAIL_NOT_LINKED", "ERROR_NO_DX")]
        if unlinked:
            found.append(DenialRisk("no linkage", "high", unlinked[0].why, tuple(v.line for v in unlinked)))
        undocumented = check.undocumented
        if undocumented:
            why = f"Billed and not supported by the note: {', '.join(undocumented)}."
            found.append(DenialRisk("inadequate documentation", "high", why))
        thin = [v for v in check.lines if v.verdict == "PASS_DX_DOC_GAP"]
        if thin:
            found.append(DenialRisk("inadequate documentation", "medium", thin[0].why, tuple(v.line for v in thin)))
    missing = [n for n in ("symptoms", "history", "exam", "results", "rationale") if not getattr(elements, n)]
    if check and len(missing) >= 3 and not any(r.cause == "inadequate documentation" for r in found):
        found.append(DenialRisk("inadequate documentation", "medium", f"The note shows no {', '.join(missing)}."))
    if em and em.flag == "billed level above documentation":
        found.append(
            DenialRisk("upcoding", "high", f"Billed {em.billed}; the note supports {' or '.join(em.supports)}.")
        )
    rank = {"high": 0, "medium": 1, "low": 2}
    return tuple(sorted(found, key=lambda r: rank[r.level]))
