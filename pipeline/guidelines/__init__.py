"""Which drafts become proposals: the coding guidelines, applied in a fixed order.

Each step is named after its rule file in `code_maps/guidelines/`; what a step decides carries that id into the report.
Nothing is dropped: what isn't proposed ends up as a candidate or withheld, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from models.finding import Finding
from models.proposal import Candidate, Evidence, Proposal, RuleUse, Withheld
from pipeline.guidelines.assertion import by_assertion
from pipeline.guidelines.coding import Coding, Step, under_any
from pipeline.guidelines.companions import (
    abnormal_findings,
    after_cancer,
    anemia_of_pregnancy,
    blood_thinners,
    body_mass_index,
    complications_of_care,
    diabetes_drugs,
    drugs_taken,
    healed_bone,
    infection_of_severe_sepsis,
    influenza_virus,
    injuries_over,
    organisms,
    partners,
    requested_symptoms,
    screening,
    treatment_encounters,
    weeks_of_gestation,
)
from pipeline.guidelines.confidence import confidence, is_narrative
from pipeline.guidelines.drug_effects import adverse_effects, effects_of_drug_classes, underdosing
from pipeline.guidelines.interplay import (
    combine,
    drop_integral,
    keep_billable,
    merge_same,
    order,
    prefer_specific,
    settle_excludes1,
    seventh_characters,
    spare_vague_injuries,
)
from pipeline.guidelines.selection import choose_assessed, external_causes, fall_back_to_symptoms

__all__ = ["Coding", "decide"]

STEPS: tuple[Step, ...] = (
    fall_back_to_symptoms,
    merge_same,
    prefer_specific,
    combine,
    merge_same,
    prefer_specific,
    spare_vague_injuries,
    external_causes,
    partners,
    anemia_of_pregnancy,
    infection_of_severe_sepsis,
    drop_integral,
    requested_symptoms,
    influenza_virus,
    organisms,
    injuries_over,
    healed_bone,
    complications_of_care,
    diabetes_drugs,
    blood_thinners,
    weeks_of_gestation,
    adverse_effects,
    effects_of_drug_classes,
    underdosing,
    body_mass_index,
    treatment_encounters,
    screening,
    after_cancer,
    abnormal_findings,
    merge_same,
    seventh_characters,
    keep_billable,
    settle_excludes1,
    order,
)


def decide(coding: Coding, findings: Sequence[Finding]) -> tuple[list[Proposal], list[Candidate], list[Withheld]]:
    """Apply every guideline to the findings of a note."""
    coding.treated = frozenset(place for _, drug in drugs_taken(findings) for place in drug.used_for.split())
    choose_assessed(coding, by_assertion(coding, findings))
    for step in STEPS:
        step(coding)
    if not coding.layout.sections and not coding.outpatient and is_narrative(coding):
        # A bare narrative names no final diagnosis: nothing tells what the stay was for, so the surest come first.
        sure = {d.code: confidence(coding, d, narrative=True) for d in coding.proposed}
        coding.proposed.sort(key=lambda d: (under_any(d.code, coding.facts.never_first), -sure[d.code]))
    _say_again(coding)
    return _proposals(coding), _candidates(coding), _withheld(coding)


def _say_again(coding: Coding) -> None:
    """Set-aside findings of a code that is proposed after all are more evidence for it."""
    by_code = {d.code: d for d in coding.proposed}
    more: dict[str, list[Finding]] = {}
    kept = []
    for draft, why in coding.candidates:
        if draft.code in by_code and all(f.codable for f in draft.findings):
            more.setdefault(draft.code, []).extend(draft.findings)
        else:
            kept.append((draft, why))
    coding.candidates = kept
    coding.proposed = [
        replace(d, findings=tuple(dict.fromkeys([*d.findings, *more[d.code]]))) if d.code in more else d
        for d in coding.proposed
    ]


def _proposals(coding: Coding) -> list[Proposal]:
    found = []
    narrative = is_narrative(coding)
    for rank, draft in enumerate(coding.proposed, 1):
        rules = [
            RuleUse("specificity-descent", f"{draft.finding.place} and the words around it lead to {draft.path.code}.")
        ]
        rules += [RuleUse(rule, why) for rule, why in draft.rules]
        found.append(
            Proposal(
                code=draft.code,
                description=coding.codes.title(draft.code),
                confidence=confidence(coding, draft, narrative),
                findings=tuple(f.id for f in draft.findings),
                evidence=tuple(Evidence(f.start, f.end, f.text, f.section) for f in draft.findings),
                place=draft.finding.place,
                axes=draft.path.axes,
                open_axes=draft.path.open_axes,
                rules=tuple(rules),
                rank=rank,
                first_listed=rank == 1,
                problem=draft.finding.problem,
                section=draft.finding.section,
            )
        )
    return found


def _candidates(coding: Coding) -> list[Candidate]:
    merged: dict[tuple[str, str], list[str]] = {}
    for draft, why in coding.candidates:
        merged.setdefault((draft.code, why), []).extend(f.id for f in draft.findings)
    return [Candidate(code, 0.3, why, tuple(dict.fromkeys(ids))) for (code, why), ids in merged.items()]


def _withheld(coding: Coding) -> list[Withheld]:
    merged: dict[tuple[str, str, str], list[str]] = {}
    for draft, rule, why in coding.withheld:
        merged.setdefault((draft.code, rule, why), []).extend(f.id for f in draft.findings)
    return [Withheld(code, rule, why, tuple(dict.fromkeys(ids))) for (code, rule, why), ids in merged.items()]
