"""The risk-adjustment layer of a review: category, chronic mark and MEAT support of each condition.

MEAT (monitored, evaluated, assessed, treated) is shorthand of the coding trade, not text of CMS. A condition is called
supported when the provider names it at this visit, outside past history and problem lists, and at least one kind of
support stands in the note (RULES.md, R-K1 to R-K4). A fact for the coder: nothing here changes a proposal, a gap or a query.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from code_maps.guidelines import Facts
from code_maps.hcc import Category, HccTable
from code_maps.icd10cm import CodeSet
from code_maps.meat import supports
from code_maps.places import Places
from code_maps.terms.drugs import drugs
from models.finding import Finding
from models.proposal import Candidate, Evidence, Proposal
from models.risk import ConditionRisk, Hcc, Meat, MeatKind
from models.text import Layout, Note

_BACKGROUND = frozenset(
    {"past_medical_history", "past_surgical_history", "social_history", "family_history", "medications", "allergies"}
)
_VITALS = frozenset(
    {"blood_pressure", "heart_rate", "respiratory_rate", "oxygen_saturation", "temperature", "weight", "bmi"}
)
_KINDS: tuple[MeatKind, ...] = ("monitor", "evaluate", "assess", "treat")
_MOST = 3  # pieces of one kind: more prove nothing more


def conditions(
    codes: CodeSet,
    note: Note,
    layout: Layout,
    findings: Sequence[Finding],
    proposals: Sequence[Proposal],
    candidates: Sequence[Candidate],
    table: HccTable,
    facts: Facts,
) -> tuple[ConditionRisk, ...]:
    """Every proposed condition with its category and support, then what only a history or a problem list names."""
    by_id = {f.id: f for f in findings}
    found: list[ConditionRisk] = []
    for proposal in proposals:
        own = [by_id[key] for key in proposal.findings]
        found.append(_condition(codes, note, layout, findings, table, facts, proposal.code, own))
    taken = {p.code for p in proposals}
    for candidate in candidates:
        own = [by_id[key] for key in candidate.findings if key in by_id]
        listed = own and all(f.codable and _listed(f) for f in own)
        if candidate.code in taken or not listed or not codes.is_billable(candidate.code):
            continue
        taken.add(candidate.code)
        one = _condition(codes, note, layout, findings, table, facts, candidate.code, own)
        if one.state != "none":
            found.append(replace(one, proposed=False))
    return tuple(_with_hierarchy(table, found))


def _condition(
    codes: CodeSet, note: Note, layout: Layout, findings: Sequence[Finding], table: HccTable, facts: Facts, code: str,
    own: Sequence[Finding],
) -> ConditionRisk:  # fmt: skip
    answer = table.of(code, note.patient)
    meat = _meat(note, layout, findings, code, own)
    stated = not all(_listed(f) for f in own)
    kinds = [kind for kind in _KINDS if any(m.kind == kind for m in meat)]
    if not stated:
        why = "Named in a history or a list only; the provider doesn't take it up at this visit."
    elif not kinds:
        why = "Named, and neither monitored, evaluated, assessed nor treated."
    else:
        words = {"monitor": "monitored", "evaluate": "evaluated", "assess": "assessed", "treat": "treated"}
        why = f"{', '.join(words[kind] for kind in kinds).capitalize()} at this visit."
    if answer.why:
        why = f"{why} {answer.why[0].upper()}{answer.why[1:]}."
    return ConditionRisk(
        code=code,
        description=codes.title(code),
        payment_year=table.payment_year,
        state=answer.state,
        hcc=tuple(Hcc(c.model, c.number, c.label, c.chronic) for c in answer.categories),
        chronic="systemic" if code in facts.systemic else "chronic" if code in facts.chronic else "",
        meat=meat,
        supported=bool(stated and kinds),
        why=why,
    )


def _with_hierarchy(table: HccTable, found: Sequence[ConditionRisk]) -> Iterable[ConditionRisk]:
    """Categories that give way to a higher one of a supported condition."""
    counted = [Category(h.model, h.category, h.label, h.chronic) for c in found if c.supported for h in c.hcc]
    for condition in found:
        marked = []
        for hcc in condition.hcc:
            over = table.over(Category(hcc.model, hcc.category, hcc.label, hcc.chronic), counted)
            marked.append(replace(hcc, below=over.number if over else None))
        yield replace(condition, hcc=tuple(marked))


def _listed(finding: Finding) -> bool:
    """Whether a finding stands in a history or a problem list, which no provider's assessment is (R-K2)."""
    return finding.section in _BACKGROUND


def _meat(
    note: Note, layout: Layout, findings: Sequence[Finding], code: str, own: Sequence[Finding]
) -> tuple[Meat, ...]:
    """The support of a condition: from its own paragraph, and from values, examinations and drugs that go with it."""
    problems = {f.problem for f in own if f.problem >= 0}
    sentences = {f.sentence for f in own if f.sentence >= 0 and not _listed(f)}
    analytes, exam = supports().analytes(code), supports().exam(code)
    pieces: list[tuple[MeatKind, Evidence]] = []
    for finding in findings:
        if not finding.patients or finding.assertion.presence in ("hypothetical", "uncertain") or finding.historical:
            continue
        near = finding.problem in problems or (finding.problem < 0 and finding.sentence in sentences)
        kind = _kind(finding, near, code, analytes, exam)
        if kind is not None:
            pieces.append((kind, Evidence(finding.start, finding.end, finding.text, finding.section)))
    pieces += [("assess", evidence) for evidence in _status(note, layout, own)]
    found: list[Meat] = []
    for wanted in _KINDS:
        mine = sorted({e for kind, e in pieces if kind == wanted}, key=lambda e: (e.start, -e.end))
        apart = [e for n, e in enumerate(mine) if not any(o.start <= e.start and e.end <= o.end for o in mine[:n])]
        found += [Meat(wanted, e) for e in apart[:_MOST]]
    return tuple(found)


def _kind(finding: Finding, near: bool, code: str, analytes: frozenset[str], exam: frozenset[str]) -> MeatKind | None:
    """What a finding says for a condition, or None."""
    analyte = finding.value("analyte")
    present = finding.assertion.presence == "present"
    if finding.kind in ("result", "exam") and analyte in analytes:
        return "monitor"
    if near and (finding.kind == "result" or analyte in _VITALS):
        return "monitor"
    if finding.kind == "exam" and (near or exam & set(re.findall(r"[a-z]+", finding.text.lower()))):
        return "evaluate"
    if finding.kind == "treatment" and present and analyte is None:
        return "treat" if near or _is_for(finding, code) else None
    return "treat" if finding.kind == "order" and near and present else None


def _is_for(finding: Finding, code: str) -> bool:
    """Whether a drug, wherever it is named, is for the condition and still taken."""
    if finding.value("action") in ("stopped", "held") or finding.section == "allergies":
        return False
    table = drugs()
    for word in re.findall(r"[a-z][a-z-]+", finding.text.lower()):
        drug = table.get(word)
        if drug is not None and drug.used_for and code in Places(drug.used_for.split()):
            return True
    return False


def _status(note: Note, layout: Layout, own: Sequence[Finding]) -> list[Evidence]:
    """The words in a condition's own paragraph, or else its sentence, that say how it is doing."""
    places: set[tuple[int, int, str]] = set()
    for finding in own:
        if finding.problem >= 0:
            problem = layout.problems[finding.problem]
            places.add((problem.start, problem.end, finding.section))
        elif finding.sentence >= 0 and not _listed(finding):
            sentence = layout.sentences[finding.sentence]
            places.add((sentence.start, sentence.end, finding.section))
    found = []
    for start, end, section in sorted(places):
        for match in supports().status.finditer(note.text, start, end):
            found.append(Evidence(match.start(), match.end(), match.group(), section))
    return found
