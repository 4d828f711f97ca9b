"""Which drafts become proposals: the coding guidelines, applied in a fixed order.

Each step is named after its rule file in `code_maps/guidelines/`; what a step decides carries that id into the report.
Nothing is dropped: what isn't proposed ends up as a candidate or withheld, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from code_maps.axes.branches import SIDES
from code_maps.guidelines import Facts, lies_under
from code_maps.icd10cm import CodeSet
from code_maps.terms.drugs import Drug, drugs
from models.finding import Finding
from models.proposal import Candidate, Evidence, Proposal, RuleUse, Withheld
from models.text import Layout, Note
from code_maps.terms import term_words as words_of
from pipeline.proposals import Draft, Surroundings, drafts_for, evidence_for

ASSESSED = frozenset({"assessment", "assessment_plan", "diagnoses", "discharge_diagnoses", "mdm"})
_PLANNED = frozenset({"plan", "hospital_course"})
_BACKGROUND = frozenset(
    {"past_medical_history", "past_surgical_history", "social_history", "medications", "allergies", "immunizations"}
)
_EXAMINED = frozenset({"physical_exam", "vitals", "labs", "imaging", "results", "review_of_systems"})
_REASON = frozenset({"chief_complaint", "indication"})

# How much a place in the note says for coding what stands there.
_WEIGHT = {"title": 0.92, "assessed": 0.8, "narrative": 0.72, "reason": 0.7, "planned": 0.66, "background": 0.5,
           "examined": 0.35}  # fmt: skip


def where(finding: Finding, layout: Layout) -> str:
    """Where a finding stands, in the words of `_WEIGHT`."""
    section = finding.section
    if section in ASSESSED or section in _PLANNED:
        if finding.problem >= 0:
            problem = layout.problems[finding.problem]
            if problem.title_start <= finding.start < problem.title_end:
                return "title"
        return "assessed" if section in ASSESSED else "planned"
    if section in _REASON:
        return "reason"
    if section in _BACKGROUND or section == "family_history":
        return "background"
    return "examined" if section in _EXAMINED else "narrative"


@dataclass(slots=True)
class Coding:
    """The coding of one note under way."""

    codes: CodeSet
    note: Note
    layout: Layout
    around: Surroundings
    facts: Facts
    treated: frozenset[str] = frozenset()
    proposed: list[Draft] = field(default_factory=list)
    candidates: list[tuple[Draft, str]] = field(default_factory=list)
    withheld: list[tuple[Draft, str, str]] = field(default_factory=list)

    @property
    def outpatient(self) -> bool:
        return self.note.setting == "outpatient"

    def stands(self, draft: Draft) -> str:
        return where(draft.finding, self.layout)

    def withhold(self, draft: Draft, rule: str, why: str) -> None:
        if draft in self.proposed:
            self.proposed.remove(draft)
        self.withheld.append((draft, rule, why))

    def set_aside(self, draft: Draft, why: str) -> None:
        if draft in self.proposed:
            self.proposed.remove(draft)
        self.candidates.append((draft, why))

    def swap(self, draft: Draft, code: str, rule: str, why: str) -> Draft:
        """Replace the code of a proposed draft."""
        new = replace(draft, code=code, rules=(*draft.rules, (rule, why)))
        self.proposed[self.proposed.index(draft)] = new
        return new


Step = Callable[[Coding], None]


def under_any(code: str, places: Iterable[str]) -> bool:
    """Whether a code lies at or below one of several places."""
    return any(lies_under(code, place) for place in places)


# --- assertion -------------------------------------------------------------------------------------------------


def by_assertion(coding: Coding, findings: Iterable[Finding]) -> list[Draft]:
    """Sort findings with a place into drafts that may be coded and those that their assertion keeps from it."""
    usable: list[Draft] = []
    for finding in findings:
        if not finding.place:
            continue
        assertion = finding.assertion
        if assertion.presence == "negated":
            _keep_back(coding, finding, "negated-finding", "The note says that it isn't there.")
        elif assertion.presence == "hypothetical":
            _keep_back(coding, finding, "hypothetical-finding", "Named as something that might come, not as something found.")
        elif assertion.experiencer == "family" or finding.section == "family_history":
            _family(coding, finding)
        elif assertion.experiencer == "other":
            _keep_back(coding, finding, "other-person", "It is somebody else's, not the patient's.")
        elif assertion.presence == "uncertain":
            usable.extend(_uncertain(coding, finding))
        elif _operated(coding, finding):
            usable.extend(_past(coding, finding))
        elif assertion.temporality == "historical" and finding.place[0] not in "Z":
            if _stays_current(coding, finding):
                why = "A lifelong disease isn't over because it is called a history of."
                usable.extend(
                    replace(d, rules=(*d.rules, ("chronic-stays-current", why)))
                    for d in drafts_for(coding.codes, coding.around, finding)
                )
            else:
                usable.extend(_past(coding, finding))
        else:
            usable.extend(drafts_for(coding.codes, coding.around, finding))
    return usable


def _plain(coding: Coding, finding: Finding) -> Draft:
    return drafts_for(coding.codes, coding.around, finding)[0]


def _keep_back(coding: Coding, finding: Finding, rule: str, why: str) -> None:
    coding.withheld.append((_plain(coding, finding), rule, why))


def _family(coding: Coding, finding: Finding) -> None:
    """OCG I.C.21.c.4: a relative's disease is at most a family-history code."""
    code = coding.facts.history_code(finding.place, "family")
    if code and finding.place[0] != "Z":
        draft = _as_code(coding, finding, code, "family-history", "A relative's disease is coded as family history.")
        coding.candidates.append((draft, "family history; coded where it bears on this visit"))
        _keep_back(coding, finding, "family-history", "It is a relative's, not the patient's.")
    elif finding.place[0] == "Z" and "Z80" <= finding.place[:3] <= "Z84":
        coding.candidates.append((_plain(coding, finding), "family history; coded where it bears on this visit"))
    else:
        _keep_back(coding, finding, "family-history", "It is a relative's, not the patient's.")


def _as_code(coding: Coding, finding: Finding, place: str, rule: str, why: str) -> Draft:
    moved = replace(finding, place=place)
    drafts = drafts_for(coding.codes, coding.around, moved)
    return replace(drafts[0], finding=finding, findings=(finding,), rules=((rule, why),))


def _uncertain(coding: Coding, finding: Finding) -> list[Draft]:
    """OCG IV.H (outpatient) and II.H, III.C (inpatient)."""
    if finding.place[0] in "RZ" and coding.outpatient:
        return drafts_for(coding.codes, coding.around, finding) if finding.place[0] == "R" else []
    if coding.outpatient:
        _keep_back(coding, finding, "outpatient-uncertain", "A suspected diagnosis isn't coded in an outpatient note.")
        return []
    if under_any(finding.place, coding.facts.confirmed_only):
        _keep_back(coding, finding, "confirmed-only", "Coded only when confirmed, in any setting.")
        return []
    categories = {s.category for s in coding.layout.sections}
    final = next((c for c in ("discharge_diagnoses", "diagnoses", "assessment") if c in categories), None)
    if final and finding.section != final:
        _keep_back(coding, finding, "inpatient-uncertain", "Suspected earlier; the final diagnoses don't keep it.")
        return []
    why = "A diagnosis still uncertain at discharge is coded as if established."
    return [
        replace(d, rules=(*d.rules, ("inpatient-uncertain", why)))
        for d in drafts_for(coding.codes, coding.around, finding)
    ]


_OPERATION = re.compile(r"\s+(?:repair(?:ed)?|resection|removal|removed|excision|excised|extraction|surgery|ablation)\b", re.IGNORECASE)


def _operated(coding: Coding, finding: Finding) -> bool:
    """Whether the words go on to name an operation on the condition: "aneurysm repair", "hernia surgery"."""
    if finding.place[0] in "RZSTVWXY":
        return False
    return bool(_OPERATION.match(coding.note.text, finding.end))


_OVER = re.compile(r"resolved|status post|s/p|no longer|in remission|cured|ago|prior|previous|old|remote|childhood", re.IGNORECASE)


def _stays_current(coding: Coding, finding: Finding) -> bool:
    """OCG IV.I: "history of" a chronic disease, or a past-history section, names a disease that still is there."""
    place = finding.place
    if not under_any(place, coding.facts.chronic) or under_any(place, coding.facts.may_end):
        return False
    return not any(_OVER.search(cue.text) for cue in finding.assertion.cues)


def _past(coding: Coding, finding: Finding) -> list[Draft]:
    """OCG I.C.21.c.4: what is over is a personal-history code, or nothing."""
    code = coding.facts.history_code(finding.place, "personal")
    why = "The condition is over; it is coded as personal history."
    if code is None:
        _keep_back(coding, finding, "history-of", "The note says that it is over.")
        return []
    _keep_back(coding, finding, "history-of", "The note says that it is over.")
    return [_as_code(coding, finding, code, "history-of", why)]


# --- what is assessed -------------------------------------------------------------------------------------------


def choose_assessed(coding: Coding, drafts: list[Draft]) -> None:
    """OCG IV.F, IV.G, IV.J: what the provider assessed is coded; the rest needs a reason to be."""
    stated = [d for d in drafts if coding.stands(d) in ("title", "assessed")]
    firm = [d for d in stated if d.code[0] not in "RZ"]
    firm_problems = {d.finding.problem for d in stated if coding.stands(d) == "title"}
    in_title = any(coding.stands(d) == "title" for d in stated)
    for draft in drafts:
        stands, code = coding.stands(draft), draft.code
        if draft.finding.source == "general" and (stated or coding.outpatient):
            coding.set_aside(draft, "a general word; the note says elsewhere what is meant")
            continue
        symptom = code[0] == "R" or under_any(code, coding.facts.symptom_like)
        if not stated:
            _narrative(coding, draft, symptom)
        elif stands == "title":
            coding.proposed.append(draft)
        elif stands == "assessed" and code[0] in "ZVWXY":
            _status(coding, draft)
        elif stands == "assessed":
            if symptom and (in_title if not firm else draft.finding.problem in firm_problems or firm):
                coding.set_aside(draft, "a symptom inside an assessed problem")
            else:
                coding.proposed.append(draft)
        elif code[0] in "ZVWXY":
            _status(coding, draft)
        elif symptom:
            coding.set_aside(draft, "a symptom outside the assessment")
        elif under_any(code, (*coding.facts.systemic, *coding.facts.always)) or _is_treated(coding, draft):
            coding.proposed.append(replace(draft, rules=(*draft.rules, (
                "coexisting-condition", "A chronic disease that is treated or bears on care is coded."))))
        else:
            coding.set_aside(draft, "mentioned outside the assessment, without monitoring, evaluation or treatment")


def _is_treated(coding: Coding, draft: Draft) -> bool:
    return under_any(draft.code, coding.treated) or any(lies_under(p, draft.finding.place) for p in coding.treated)


def _narrative(coding: Coding, draft: Draft, symptom: bool) -> None:
    stands = coding.stands(draft)
    if any(rule == "history-of" for rule, _ in draft.rules):
        coding.set_aside(draft, "past history; coded where it bears on this visit")
    elif draft.code[0] in "ZVWXY":
        _status(coding, draft)
    elif not coding.outpatient:
        coding.proposed.append(draft)
    elif stands == "examined" and symptom:
        coding.set_aside(draft, "an exam finding or review-of-systems item")
    elif stands == "background" and not symptom:
        if under_any(draft.code, coding.facts.systemic) or _is_treated(coding, draft):
            coding.proposed.append(draft)
        else:
            coding.set_aside(draft, "mentioned in past history only")
    else:
        coding.proposed.append(draft)


def _status(coding: Coding, draft: Draft) -> None:
    """Status and encounter codes hold wherever they are said; history and circumstance codes need relevance."""
    if draft.code[0] in "VWXY" and coding.stands(draft) in ("planned", "assessed"):
        coding.set_aside(draft, "an activity in the plan, not a cause")
        return
    past = draft.finding.historical or coding.stands(draft) == "background"
    if under_any(draft.code, coding.facts.after_operation) and not past:
        coding.set_aside(draft, "an operation of this episode, not yet a status")
    elif draft.code[0] in "VWXY" or under_any(draft.code, coding.facts.standing_status):
        coding.proposed.append(draft)
    elif under_any(draft.code, coding.facts.encounters) and _opens(coding, draft):
        coding.proposed.append(draft)
    else:
        coding.set_aside(draft, "a circumstance outside the assessment")


def _opens(coding: Coding, draft: Draft) -> bool:
    """Whether an encounter code says why the patient came: the reason for the visit, or the note's first sentences."""
    return coding.stands(draft) == "reason" or 0 <= draft.finding.sentence < 3


def external_causes(coding: Coding) -> None:
    """OCG I.C.20: how an injury came about is coded beside the injury, the most specific statement of it."""
    injured = any(d.code[0] in "ST" for d in coding.proposed)
    for group in ("VWX", ("Y92",), ("Y93",), ("Y99",)):
        mine = [d for d in coding.proposed if d.code[0] in "VWXY" and d.code.startswith(tuple(group))]
        keep = max(mine, key=lambda d: (d.path.open_axes == (), len(d.finding.text), -d.finding.start), default=None)
        for draft in mine:
            if not injured or draft is not keep:
                coding.set_aside(draft, "an external cause is coded once, beside an injury" if injured else
                                 "an external cause without an injury that is coded")  # fmt: skip


def fall_back_to_symptoms(coding: Coding) -> None:
    """OCG IV.D, IV.H: without a confirmed diagnosis the symptom or reason for the visit is coded."""
    doubtful = {d.finding.problem for d, rule, _ in coding.withheld if rule == "outpatient-uncertain"}
    have = {d.finding.problem for d in coding.proposed}
    aside = list(coding.candidates)
    chosen: list[Draft] = []
    for draft, _ in aside:
        if draft.code[0] == "R" or under_any(draft.code, coding.facts.symptom_like):
            problem = draft.finding.problem
            if problem >= 0 and problem in doubtful and problem not in have:
                chosen.append(draft)
    main = [d for d in coding.proposed if d.code[0] != "Z"]
    if not main and not chosen:
        for stands in ("assessed", "planned", "reason", "narrative", "examined"):
            chosen = [
                d for d, _ in aside
                if coding.stands(d) == stands and (d.code[0] == "R" or under_any(d.code, coding.facts.symptom_like))
            ][:3]  # fmt: skip
            if chosen:
                break
    for draft in chosen:
        coding.candidates = [(d, why) for d, why in coding.candidates if d is not draft]
        why = "No diagnosis is confirmed, so the sign or symptom is coded."
        coding.proposed.append(replace(draft, rules=(*draft.rules, ("symptom-when-unconfirmed", why))))


# --- codes that a proposed diagnosis calls for --------------------------------------------------------------------


def drugs_taken(findings: Iterable[Finding]) -> list[tuple[Finding, Drug]]:
    """The drugs that the patient takes or is given, with the table's facts about each."""
    table = drugs()
    found = []
    for finding in findings:
        if finding.kind != "treatment" or not finding.codable or finding.value("action") in ("stopped", "held"):
            continue
        said = re.findall(r"[a-z][a-z-]+", finding.text.lower())
        for drug in dict.fromkeys([*map(" ".join, zip(said, said[1:], strict=False)), *said]):
            if drug in table:
                found.append((finding, table[drug]))
                break
    return found


_TEMPORARY = re.compile(r"sliding scale|during (?:the|this|his|her) (?:stay|admission|hospital)|temporar|while inpatient", re.I)
_NOT_TAKEN = re.compile(r"\b(?:not|never|isn't|no longer|stopped|refuses?|declined?|off)\b[^.;,]{0,25}$|next week", re.I)


def diabetes_drugs(coding: Coding) -> None:
    """OCG I.C.4.a.3: what a diabetic takes is coded; insulin given for a time only isn't."""
    diabetes = [d for d in coding.proposed if under_any(d.code, ("E08", "E09", "E11", "E13", "O24"))]
    if not diabetes:
        return
    seen = {d.code for d in coding.proposed}
    for finding, drug in drugs_taken(coding.around.findings):
        if drug.long_term not in ("Z79.4", "Z79.84", "Z79.85") or drug.long_term in seen:
            continue
        if finding.sentence >= 0:
            sentence = coding.layout.sentences[finding.sentence]
            if drug.long_term == "Z79.4" and _TEMPORARY.search(coding.note.text, sentence.start, sentence.end):
                continue
            if _NOT_TAKEN.search(coding.note.text[sentence.start : finding.start]):
                continue
        seen.add(drug.long_term)
        why = f"{drug.name} is taken for diabetes."
        draft = _as_code(coding, finding, drug.long_term, "diabetes-drug-status", why)
        coding.proposed.append(draft)


def partners(coding: Coding) -> None:
    """OCG I.A.13, "use additional code": what a combination code asks for and its own words already say."""
    for code, place in (("I12", "N18"), ("I13", "N18"), ("22", "N18"), ("621", "L97")):
        for draft in list(coding.proposed):
            mine = draft.code.startswith(code) if code[0] == "I" else (
                under_any(draft.code, ("E08", "E09", "E10", "E11", "E13")) and draft.code.endswith("." + code)
            )  # fmt: skip
            if not mine or any(d.code.startswith(place) for d in coding.proposed):
                continue
            why = f"{draft.code} asks for it, and the same words say it."
            where_ = place
            if place == "L97":
                said = coding.note.text[draft.finding.start : draft.finding.end].lower()
                near = coding.layout.sentences[draft.finding.sentence] if draft.finding.sentence >= 0 else None
                said = coding.note.text[near.start : near.end].lower() if near else said
                where_ = "L97.4" if "heel" in said or "midfoot" in said else "L97.5"
            coding.proposed.insert(
                coding.proposed.index(draft) + 1, _as_code(coding, draft.finding, where_, "use-additional", why)
            )


def requested_symptoms(coding: Coding) -> None:
    """OCG I.A.13: a symptom that a code's own note asks for is coded beside it (N40.1 and the urinary symptom)."""
    for draft in list(coding.proposed):
        notes = [n for n in coding.codes.notes(draft.code, "use_additional") if n.codes]
        for candidate, why in list(coding.candidates):
            same = candidate.finding.problem == draft.finding.problem >= 0 or candidate.finding.sentence == draft.finding.sentence
            if same and candidate.code[0] in "RN" and any(n.codes.matches(candidate.code) for n in notes):
                coding.candidates.remove((candidate, why))
                said = f"The note at {draft.code} asks for it."
                coding.proposed.append(replace(candidate, rules=(*candidate.rules, ("use-additional", said))))


def organisms(coding: Coding) -> None:
    """Tabular, chapters 1, 10, 13, 14: the organism of an infection is coded after it (B95-B97)."""
    text = coding.note.text
    for draft in list(coding.proposed):
        asks = [n for n in coding.codes.notes(draft.code, "use_additional") if n.codes.matches("B96.20")]
        if not asks or draft.code[0] == "B":
            continue
        for pattern, code in coding.facts.organisms:
            match = pattern.search(text)
            if match and code in coding.codes and not any(d.code[:2] == "B9" for d in coding.proposed):
                number = next((n for n, s in enumerate(coding.layout.sentences) if s.start <= match.start() < s.end), -1)
                found = Finding("", "result", match.group(), match.start(), match.end(), draft.finding.assertion, sentence=number)
                why = f"The organism of {draft.code}."
                known = _finding_at(coding, found)
                if known is not None:
                    coding.proposed.append(_as_code(coding, known, code, "use-additional", why))
                break


def _finding_at(coding: Coding, wanted: Finding) -> Finding | None:
    """A present finding of the patient that holds some words; a code needs one to rest on."""
    return next(
        (f for f in coding.around.findings if f.codable and f.start < wanted.end and wanted.start < f.end),
        None,
    )


def injuries_over(coding: Coding) -> None:
    """OCG I.C.21.c.7: no aftercare Z code for an injury; its own code carries the seventh character."""
    injured = any(d.code[0] in "ST" for d in coding.proposed)
    for draft in list(coding.proposed):
        if injured and under_any(draft.code, ("Z47", "Z48", "Z51.89")):
            coding.withhold(draft, "seventh-character", "The injury code with its seventh character says it.")
    if any(under_any(d.code, ("I11", "I12", "I13")) for d in coding.proposed):
        for draft in [d for d in coding.proposed if d.code == "I10"]:
            coding.withhold(draft, "with-convention", "The combination code holds the hypertension.")
    others = any(d.code[0] == "O" and d.code != "O80" for d in coding.proposed)
    for draft in [d for d in coding.proposed if d.code == "O80" and others]:
        coding.withhold(draft, "more-specific-documented", "O80 is for a delivery without any complication (OCG I.C.15.n).")


def body_mass_index(coding: Coding) -> None:
    """OCG I.B.14 and the note at Z68: the BMI is coded beside a weight diagnosis, by age."""
    weight = ("E66", "E65", "E67", "E40-E46", "R63.4", "R63.5", "R63.6", "O99.2")
    if not any(under_any(d.code, weight) for d in coding.proposed):
        return
    for finding in coding.around.findings:
        value = finding.value("quantity")
        if finding.value("analyte") != "bmi" or not isinstance(value, (int, float)) or not finding.present:
            continue
        age = coding.note.patient.age
        if age is not None and age < 20:
            return  # Z68.5- goes by percentile, not by the index
        code = _bmi_code(float(value))
        if code and code in coding.codes:
            why = "The provider documents a weight diagnosis and the index."
            coding.proposed.append(_as_code(coding, finding, code, "bmi-with-weight-diagnosis", why))
        return


def _bmi_code(value: float) -> str | None:
    """The Z68 code of an adult's index: Z68.1 to 19.9, one code a unit to 39.9, then in fives and tens (tabular)."""
    if value < 20:
        return "Z68.1"
    if value < 40:
        return f"Z68.{int(value)}"
    for limit, code in ((45, "Z68.41"), (50, "Z68.42"), (60, "Z68.43"), (70, "Z68.44")):
        if value < limit:
            return code
    return "Z68.45"


# --- what drafts do to one another ------------------------------------------------------------------------------


def merge_same(coding: Coding) -> None:
    """OCG I.B.12: a code is reported once; what says it again is more evidence."""
    by_code: dict[str, Draft] = {}
    for draft in coding.proposed:
        known = by_code.get(draft.code)
        if known is None:
            by_code[draft.code] = draft
        else:
            better, other = (draft, known) if _strength(coding, draft) > _strength(coding, known) else (known, draft)
            findings = tuple(dict.fromkeys((*better.findings, *other.findings)))
            by_code[draft.code] = replace(better, findings=findings, rules=tuple(dict.fromkeys((*better.rules, *other.rules))))
    coding.proposed = list(by_code.values())


def _strength(coding: Coding, draft: Draft) -> float:
    return _WEIGHT[coding.stands(draft)]


def prefer_specific(coding: Coding) -> None:
    """OCG I.B.2: of codes that name one condition, the more specific stands for it."""
    for vague in list(coding.proposed):
        for sharp in coding.proposed:
            if sharp is vague or sharp.code == vague.code or sharp.code[:3] != vague.code[:3]:
                continue
            sides = {_side_of(coding.codes, sharp.code), _side_of(coding.codes, vague.code)}
            if {"right", "left"} <= sides:
                continue
            if _is_vaguer(coding.codes, vague, sharp):
                why = f"{sharp.code} says the same more precisely."
                coding.withhold(vague, "more-specific-documented", why)
                coding.proposed[coding.proposed.index(sharp)] = replace(
                    sharp, findings=tuple(dict.fromkeys((*sharp.findings, *vague.findings)))
                )
                break


def _is_vaguer(codes: CodeSet, vague: Draft, sharp: Draft) -> bool:
    """Whether `vague` is the unspecified end of a place that holds `sharp`."""
    if not sharp.code.startswith(codes.parent(vague.code) or "-"):
        return False
    place = vague.finding.place
    if place in codes and not codes.is_billable(place) and (sharp.code.startswith(place)):
        return bool(vague.path.open_axes)
    title = codes.title(vague.code).lower()
    return ("unspecified" in title or "without complication" in title) and len(vague.path.axes) <= len(sharp.path.axes)


def _side_of(codes: CodeSet, code: str) -> str | None:
    said = set(re.findall(r"[a-z]+", codes.title(code).lower())) & SIDES
    return next(iter(said)) if len(said) == 1 else None


def combine(coding: Coding) -> None:
    """OCG I.A.15 ("with") and I.B.9 (combination codes)."""
    for row in coding.facts.combinations:
        for disease in [d for d in coding.proposed if under_any(d.code, row.disease)]:
            if disease not in coding.proposed:
                continue
            partner = next(
                (
                    d for d in coding.proposed
                    if d is not disease and d.finding.source != "general" and under_any(d.code, row.condition)
                ),
                None,
            )  # fmt: skip
            if partner is None or _said_unrelated(coding, disease, partner):
                continue
            becomes = row.becomes.replace("{d}", disease.code[:3])
            place = becomes if becomes in coding.codes else None
            if place is None or under_any(disease.code, (becomes,)):
                continue
            target = disease if under_any(disease.code, row.drop_for(disease.code)) else partner
            moved = replace(target.finding, place=place)
            drafts = drafts_for(coding.codes, coding.around, moved)
            if not drafts[0].path.complete:
                continue
            why = row.note or f"{coding.codes.title(drafts[0].code)} takes both."
            rule = (row.rule, why)
            new = replace(
                drafts[0], finding=disease.finding,
                findings=tuple(dict.fromkeys((*disease.findings, *partner.findings))),
                rules=(*disease.rules, rule),
            )  # fmt: skip
            gone = [d for d in (disease, partner) if under_any(d.code, row.drop_for(disease.code))]
            at = min(coding.proposed.index(d) for d in (gone or [disease]))
            coding.proposed.insert(at, new)
            for draft in gone:
                coding.withhold(draft, row.rule, f"{new.code} takes its place. {why}")


_UNRELATED = re.compile(r"\b(?:not|un)[- ]?(?:due|related|caused|from|secondary|associated)\b", re.IGNORECASE)


def _said_unrelated(coding: Coding, a: Draft, b: Draft) -> bool:
    """OCG I.A.15: the provider's word that two conditions are unrelated wins. Looked for in their own sentences,
    where both are named."""
    names = [{t.word for f in d.findings for t in coding.around.own(f)} for d in (a, b)]
    for draft in (a, b):
        for finding in draft.findings:
            if finding.sentence < 0:
                continue
            sentence = coding.layout.sentences[finding.sentence]
            said = coding.note.text[sentence.start : sentence.end]
            if _UNRELATED.search(said):
                words = {t.word for t in coding.around.reading.sentences[finding.sentence]}
                if all(name & words for name in names):
                    return True
    return False


def drop_integral(coding: Coding) -> None:
    """OCG I.B.5: signs and symptoms that belong to a confirmed diagnosis aren't coded beside it."""
    firm = [d for d in coding.proposed if d.code[0] not in "RZ" and not under_any(d.code, coding.facts.symptom_like)]
    for draft in list(coding.proposed):
        if draft.code[0] != "R" and not under_any(draft.code, coding.facts.symptom_like):
            continue
        if not coding.outpatient and not any(coding.stands(d) in ("title", "assessed") for d in firm):
            continue  # a narrative without final diagnoses: everything is the record
        for diagnosis in firm:
            symptoms = coding.facts.integral(diagnosis.code)
            if under_any(draft.code, symptoms) or _same_region(coding, draft, diagnosis):
                why = f"Part of {diagnosis.code}, {coding.codes.title(diagnosis.code)}."
                coding.withhold(draft, "integral-symptom", why)
                break


def _same_region(coding: Coding, symptom: Draft, diagnosis: Draft) -> bool:
    """Pain, stiffness or swelling at the site of a musculoskeletal disease or an injury."""
    if diagnosis.code[0] not in "MSTGI" or not under_any(symptom.code, coding.facts.regional_symptoms):
        return False
    mine = coding.facts.regions(coding.codes.title(symptom.code)) or coding.facts.regions(symptom.finding.text)
    theirs = coding.facts.regions(coding.codes.title(diagnosis.code)) or coding.facts.regions(diagnosis.finding.text)
    sides = {_side_of(coding.codes, symptom.code), _side_of(coding.codes, diagnosis.code)}
    return bool(mine & theirs) and not {"right", "left"} <= sides and diagnosis.code[0] in "MST"


def seventh_characters(coding: Coding) -> None:
    """Tabular: the character for the episode of care, the stage or the fetus."""
    for draft in list(coding.proposed):
        characters = coding.codes.seventh_characters(draft.code)
        if not characters or coding.codes.is_billable(draft.code):
            continue
        char, why = _seventh(coding, draft, characters)
        code = coding.codes.extend(draft.code, char)
        if code:
            coding.swap(draft, code, "seventh-character", why)


def _seventh(coding: Coding, draft: Draft, characters: dict[str, str]) -> tuple[str, str]:
    """The character and why: by the course of an injury, or by the words of its meaning (stage, fetus)."""
    said = coding.facts.seventh_words
    finding = draft.finding
    sentence = coding.layout.sentences[finding.sentence] if finding.sentence >= 0 else None
    near = coding.note.text[sentence.start : sentence.end].lower() if sentence else ""
    whole = coding.note.text.lower()

    def hears(kind: str, text: str) -> bool:
        return any(words in text for words in said[kind])

    if "A" in characters or "D" in characters:
        if "S" in characters and hears("sequela", near):
            return "S", "The note calls it a late effect."
        if hears("subsequent", whole) and not hears("active", near):
            for kind, wanted in (("nonunion", "nonunion"), ("malunion", "malunion"), ("delayed", "delayed healing")):
                if hears(kind, whole):
                    for char, meaning in characters.items():
                        if wanted in meaning:
                            return char, f"Seen after active treatment, with {wanted}."
            if "D" in characters:
                return "D", "Active treatment is over; the visit is for routine care of the injury."
        return "A" if "A" in characters else min(characters), "The injury is under active treatment at this visit."
    tokens = {word for tier in evidence_for(coding.around, finding).tiers for word in tier}
    best = max(
        characters, key=lambda char: (len(set(words_of(characters[char])) & tokens), char in "09", characters[char])
    )
    if set(words_of(characters[best])) & tokens:
        return best, f"The note says {characters[best]}."
    for char in ("0", "9"):
        if char in characters:
            return char, "The note doesn't say which."
    return min(characters), "The note doesn't say which."


def settle_excludes1(coding: Coding) -> None:
    """OCG I.A.12.a: two codes that exclude each other aren't reported together."""
    for first in list(coding.proposed):
        for second in list(coding.proposed):
            if first not in coding.proposed or second not in coding.proposed or first.code >= second.code:
                continue
            note = coding.codes.excludes1(first.code, second.code)
            if note is None:
                continue
            loser = min((first, second), key=lambda d: _claim_to_stay(coding, d))
            winner = second if loser is first else first
            why = f'"{note.text}" stands under Excludes1 at {note.origin}; {winner.code} is kept.'
            coding.withhold(loser, "excludes1", why)


def _claim_to_stay(coding: Coding, draft: Draft) -> tuple[float, ...]:
    title = coding.codes.title(draft.code).lower()
    vague = "unspecified" in title or "not specified" in title
    return (draft.code[0] not in "RZ", not vague, _strength(coding, draft), len(draft.findings),
            -draft.finding.start)  # fmt: skip


def keep_billable(coding: Coding) -> None:
    """OCG IV.F, I.B.2: only a complete code is proposed; a header is a gap."""
    for draft in list(coding.proposed):
        if not coding.codes.is_billable(draft.code):
            coding.set_aside(draft, f"{draft.code} is a heading; the note doesn't say which of the codes below it")


def order(coding: Coding) -> None:
    """OCG I.A.13, IV.G, IV.I, I.C.21.c: the reason for the visit first, causes before what they cause, status last."""
    facts = coding.facts

    stated_somewhere = any(coding.stands(d) in ("title", "assessed") for d in coding.proposed)

    def key(draft: Draft) -> tuple[float, ...]:
        stands = coding.stands(draft)
        stated = {"title": 0, "assessed": 0, "reason": 1}.get(stands, 2)
        never = under_any(draft.code, facts.never_first)
        opens = stands in ("reason", "narrative") or draft.finding.problem in (-1, 0)
        first = under_any(draft.code, facts.first) and not never and opens
        later = 2 if never else 0 if first else 1
        if not stated_somewhere and not coding.outpatient:
            return (later, 0, -len(draft.findings), draft.finding.start)  # a narrative: what it dwells on
        return (later, stated, draft.finding.problem if stated == 0 else 0, draft.finding.start)

    coding.proposed.sort(key=key)
    for draft in list(coding.proposed):
        # code first: whatever a note of this code or an ancestor asks for goes before it
        for note in coding.codes.notes(draft.code, "code_first"):
            before = [d for d in coding.proposed if d is not draft and note.codes.matches(d.code)]
            if before:
                coding.proposed.remove(draft)
                at = max(coding.proposed.index(d) for d in before) + 1
                coding.proposed.insert(at, draft)
    for draft in list(coding.proposed):
        for note in coding.codes.notes(draft.code, "use_additional"):
            for other in [d for d in coding.proposed if d is not draft and note.codes.matches(d.code)]:
                if coding.proposed.index(other) < coding.proposed.index(draft):
                    if any(n.codes.matches(other.code) for n in coding.codes.notes(other.code, "code_first")):
                        continue
                    coding.proposed.remove(other)
                    coding.proposed.insert(coding.proposed.index(draft) + 1, other)


STEPS: tuple[Step, ...] = (
    fall_back_to_symptoms,
    merge_same,
    prefer_specific,
    combine,
    merge_same,
    external_causes,
    partners,
    drop_integral,
    requested_symptoms,
    organisms,
    injuries_over,
    diabetes_drugs,
    body_mass_index,
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
    return _proposals(coding), _candidates(coding), _withheld(coding)


def _proposals(coding: Coding) -> list[Proposal]:
    found = []
    for rank, draft in enumerate(coding.proposed, 1):
        confidence = _confidence(coding, draft)
        rules = [RuleUse("specificity-descent", f"{draft.finding.place} and the words around it lead to {draft.path.code}.")]
        rules += [RuleUse(rule, why) for rule, why in draft.rules]
        found.append(
            Proposal(
                code=draft.code,
                description=coding.codes.title(draft.code),
                confidence=confidence,
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


def _confidence(coding: Coding, draft: Draft) -> float:
    base = max(_strength(coding, draft), *(_WEIGHT[where(f, coding.layout)] for f in draft.findings))
    base += 0.03 * min(2, len(draft.findings) - 1)
    base -= 0.1 * bool(draft.path.conflict) + 0.05 * (draft.finding.source == "inclusion")
    return round(max(0.05, min(0.98, base)), 2)


def _candidates(coding: Coding) -> list[Candidate]:
    taken = {d.code for d in coding.proposed}
    merged: dict[tuple[str, str], list[str]] = {}
    for draft, why in coding.candidates:
        if draft.code not in taken:
            merged.setdefault((draft.code, why), []).extend(f.id for f in draft.findings)
    return [Candidate(code, 0.3, why, tuple(dict.fromkeys(ids))) for (code, why), ids in merged.items()]


def _withheld(coding: Coding) -> list[Withheld]:
    merged: dict[tuple[str, str, str], list[str]] = {}
    for draft, rule, why in coding.withheld:
        merged.setdefault((draft.code, rule, why), []).extend(f.id for f in draft.findings)
    return [Withheld(code, rule, why, tuple(dict.fromkeys(ids))) for (code, rule, why), ids in merged.items()]
