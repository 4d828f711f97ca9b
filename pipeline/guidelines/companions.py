"""Codes that a proposed diagnosis calls for: drugs taken, body mass index, partners, organisms (OCG I.A.13, I.B.14)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from code_maps.terms import term_words
from code_maps.terms.drugs import Drug, drugs
from models.finding import Finding
from pipeline.guidelines.assertion import OVER, treated_cancer
from pipeline.guidelines.coding import Coding, as_code, under_any
from pipeline.proposals import Draft


def drugs_named(findings: Iterable[Finding]) -> list[tuple[Finding, Drug]]:
    """Every drug that the patient has to do with, with the table's facts about it."""
    table = drugs()
    found = []
    for finding in findings:
        if (
            finding.kind != "treatment"
            or not finding.patients
            or finding.assertion.presence in ("negated", "hypothetical")
        ):
            continue
        said = re.findall(r"[a-z][a-z-]+", finding.text.lower())
        for drug in dict.fromkeys([*map(" ".join, pairwise(said)), *said]):
            if drug in table:
                found.append((finding, table[drug]))
                break
    return found


def drugs_taken(findings: Iterable[Finding]) -> list[tuple[Finding, Drug]]:
    """The drugs that the patient takes or is given."""
    return [
        (finding, drug) for finding, drug in drugs_named(findings)
        if (finding.codable or _listed_in_history(finding)) and finding.value("action") not in ("stopped", "held")
    ]  # fmt: skip


def _listed_in_history(finding: Finding) -> bool:
    """A drug under a heading for past history, not said to be over: "PMH: diabetes on metformin"."""
    return finding.present and finding.patients and not any(OVER.search(cue.text) for cue in finding.assertion.cues)


_TEMPORARY = re.compile(
    r"sliding scale|during (?:the|this|his|her) (?:stay|admission|hospital)|temporar|while inpatient", re.I
)
_NOT_TAKEN = re.compile(
    r"\b(?:not|never|isn't|no longer|stopped|refuses?|declined?|off)\b[^.;,]{0,25}$|next week", re.I
)


def diabetes_drugs(coding: Coding) -> None:
    """OCG I.C.4.a.3: what a diabetic takes is coded; insulin given for a time only isn't."""
    if any(under_any(d.code, ("E10",)) for d in coding.proposed):
        for draft in [d for d in coding.proposed if d.code == "Z79.4"]:
            coding.withhold(draft, "diabetes-drug-status", "Type 1 diabetes implies insulin.")
    if any(under_any(d.code, ("O24.4",)) for d in coding.proposed):
        # OCG I.C.15.i: the code of gestational diabetes says how it is controlled.
        for draft in [d for d in coding.proposed if under_any(d.code, ("Z79.4", "Z79.84", "Z79.85"))]:
            coding.withhold(draft, "diabetes-drug-status", "Not beside a code of gestational diabetes (OCG I.C.15.i).")
        _gestational_control(coding)
        return
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
        draft = as_code(coding, finding, drug.long_term, "diabetes-drug-status", why)
        coding.proposed.append(draft)


_DIET = re.compile(
    r"\b(?:on diet|diet[- ]controlled|controlled (?:by|with|on) diet|diet (?:alone|only))\b|, diet\b", re.I
)


def _gestational_control(coding: Coding) -> None:
    """OCG I.C.15.i: gestational diabetes by what controls it: insulin, else an oral drug, else diet."""
    taken = {drug.long_term for _, drug in drugs_taken(coding.around.findings)}
    if "Z79.4" in taken:
        word = "insulin"
    elif "Z79.84" in taken:
        word = "oral"
    elif _DIET.search(coding.note.text):
        word = "diet"
    else:
        return
    for draft in [d for d in coding.proposed if under_any(d.code, ("O24.4",))]:
        if "unspecified control" not in coding.codes.title(draft.code):
            continue
        siblings = coding.codes.children(coding.codes.parent(draft.code) or draft.code)
        code = next((c for c in siblings if re.search(rf"\b{word}\b", coding.codes.title(c))), None)
        if code:
            coding.swap(draft, code, "diabetes-drug-status", f"Gestational diabetes, controlled by {word}.")


def healed_bone(coding: Coding) -> None:
    """OCG I.C.13.d.1: an old fracture of an osteoporotic, named in one breath with the osteoporosis, has its own code."""
    for draft in [d for d in coding.proposed if under_any(d.code, ("M80",)) and _says_healed(coding, d)]:
        why = "The fracture has healed: osteoporosis without a current fracture (OCG I.C.13.d.1)."
        at = coding.proposed.index(draft)
        if not any(under_any(d.code, ("M81",)) for d in coding.proposed):
            coding.proposed.insert(at + 1, as_code(coding, draft.finding, "M81.0", "history-of", why))
        if not any(d.code in ("Z87.310", "Z87.81") for d in coding.proposed):
            coding.proposed.append(as_code(coding, draft.finding, "Z87.310", "history-of", why))
        coding.withhold(draft, "history-of", why)
    porous = [d for d in coding.proposed if under_any(d.code, ("M81",))]
    for draft in [d for d in coding.proposed if d.code == "Z87.81"]:
        if any(d.finding.sentence == draft.finding.sentence >= 0 for d in porous):
            coding.swap(draft, "Z87.310", "use-additional", "The note at M81 asks for a healed osteoporosis fracture.")


def _says_healed(coding: Coding, draft: Draft) -> bool:
    if draft.finding.sentence < 0:
        return False
    sentence = coding.layout.sentences[draft.finding.sentence]
    return bool(
        re.search(r"\b(?:healed|resolved)\b", coding.note.text[draft.finding.end : sentence.end], re.IGNORECASE)
    )


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
                coding.proposed.index(draft) + 1, as_code(coding, draft.finding, where_, "use-additional", why)
            )


def anemia_of_pregnancy(coding: Coding) -> None:
    """Tabular, O99: the anemia itself is coded beside O99.0; iron deficiency is the one that its words may hold."""
    for draft in [d for d in coding.proposed if under_any(d.code, ("O99.0",))]:
        if any(under_any(d.code, ("D50-D64",)) for d in coding.proposed):
            return
        for finding in draft.findings:
            if finding.sentence < 0:
                continue
            sentence = coding.layout.sentences[finding.sentence]
            if _LACKS_IRON.search(coding.note.text, sentence.start, sentence.end):
                why = f"{draft.code} asks for it, and the same words say it."
                anemia = as_code(coding, finding, "D50.9", "use-additional", why)
                coding.proposed.insert(coding.proposed.index(draft) + 1, anemia)
                for lack in [d for d in coding.proposed if d.code == "E61.1"]:
                    coding.withhold(lack, "more-specific-documented", "D50.9 says that the lack is an anemia.")
                return


_LACKS_IRON = re.compile(r"\biron[- ]deficien\w+", re.IGNORECASE)


def requested_symptoms(coding: Coding) -> None:
    """OCG I.A.13: a symptom that a code's own note asks for is coded beside it (N40.1 and the urinary symptom)."""
    for draft in list(coding.proposed):
        notes = [n for n in coding.codes.notes(draft.code, "use_additional") if n.codes]
        for candidate, why in list(coding.candidates):
            same = (
                candidate.finding.problem == draft.finding.problem >= 0
                or candidate.finding.sentence == draft.finding.sentence
            )
            if same and candidate.code[0] in "RN" and any(n.codes.matches(candidate.code) for n in notes):
                coding.candidates.remove((candidate, why))
                said = f"The note at {draft.code} asks for it."
                coding.proposed.append(replace(candidate, rules=(*candidate.rules, ("use-additional", said))))
        _inside_the_term(coding, draft)


_SYMPTOM_OF_NOTE = re.compile(r"^(?P<words>[^()]+)\((?P<code>[RN]\d\d(?:\.\w+)?)\)$")


def _inside_the_term(coding: Coding, draft: Draft) -> None:
    """A symptom that a note asks for and that the diagnosis's own words hold: "enlarged prostate with urinary retention"."""
    own = {t.word for t in coding.around.own(draft.finding)}
    for note in coding.codes.notes(draft.code, "use_additional"):
        match = _SYMPTOM_OF_NOTE.match(note.text)
        if match is None or note.origin != draft.code:
            continue
        said = set(term_words(match["words"]))
        if said and said <= own and not any(d.code.startswith(match["code"]) for d in coding.proposed):
            why = f"The note at {draft.code} asks for it, and the same words say it."
            coding.proposed.append(as_code(coding, draft.finding, match["code"], "use-additional", why))


_COMPLICATION = re.compile(
    r"\bcomplications? of (?:the |his |her |this |recent |prior )*(?:[a-z]+ ){0,2}(?:surgery|operation|procedure|\w+ectomy|\w+plasty)\b",
    re.IGNORECASE,
)
# Body system of the condition -> "other postprocedural complications" of that system (tabular).
_POSTPROCEDURAL = (
    (("G00-G99",), "G97.82"), (("H00-H59",), "H59.89"), (("H60-H95",), "H95.89"), (("I00-I99",), "I97.89"),
    (("J00-J99",), "J95.89"), (("K00-K94",), "K91.89"), (("L00-L99",), "L76.82"), (("M00-M99",), "M96.89"),
    (("N00-N99",), "N99.89"), (("E00-E89",), "E89.89"),
)  # fmt: skip


def complications_of_care(coding: Coding) -> None:
    """OCG I.B.16: a condition that the provider calls a complication of the surgery has its system's complication code."""
    for draft in list(coding.proposed):
        finding = draft.finding
        if finding.sentence < 0 or "postprocedural" in coding.codes.title(draft.code).lower():
            continue
        sentence = coding.layout.sentences[finding.sentence]
        said = _COMPLICATION.search(coding.note.text, finding.end, sentence.end)
        # The condition itself, not another one named later in the sentence.
        if said is None or said.start() - finding.end > 25:
            continue
        code = next((code for places, code in _POSTPROCEDURAL if under_any(draft.code, places)), None)
        if code and code in coding.codes and not any(d.code == code for d in coding.proposed):
            why = f"The provider calls {draft.code} a complication of the procedure; it is coded first."
            complication = as_code(coding, finding, code, "complication-of-care", why)
            coding.proposed.insert(coding.proposed.index(draft), complication)


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
                number = next(
                    (n for n, s in enumerate(coding.layout.sentences) if s.start <= match.start() < s.end), -1
                )
                found = Finding(
                    "", "result", match.group(), match.start(), match.end(), draft.finding.assertion, sentence=number
                )
                why = f"The organism of {draft.code}."
                known = _finding_at(coding, found) or (draft.finding if draft.finding.sentence == number >= 0 else None)
                if known is not None:
                    coding.proposed.append(as_code(coding, known, code, "use-additional", why))
                break


def _finding_at(coding: Coding, wanted: Finding) -> Finding | None:
    """A present finding of the patient that holds some words; a code needs one to rest on."""
    return next(
        (f for f in coding.around.findings if f.codable and f.start < wanted.end and wanted.start < f.end),
        None,
    )


def abnormal_findings(coding: Coding) -> None:
    """OCG IV.P: a general examination with an abnormal finding has a code of its own."""
    found = any(under_any(d.code, ("R00-R94",)) or _newly_abnormal(coding, d) for d in coding.proposed)
    for plain, abnormal in (("Z00.00", "Z00.01"), ("Z00.129", "Z00.121"), ("Z01.419", "Z01.411")):
        for draft in [d for d in coding.proposed if d.code == plain and found]:
            coding.swap(draft, abnormal, "sequencing", "The examination has an abnormal finding, coded beside it.")


_CHANGED = re.compile(
    r"\b(?:acute|exacerbation|flare|flaring|uncontrolled|not controlled|poorly controlled|worsening|worse|newly|new (?:onset|diagnosis))\b",
    re.IGNORECASE,
)


def _newly_abnormal(coding: Coding, draft: Draft) -> bool:
    """OCG I.C.21.c.13: an abnormal finding is one newly found, or a chronic condition that got worse."""
    if draft.code[0] in "ZVWXY" or coding.stands(draft) != "title":
        return False
    sentence = coding.layout.sentences[draft.finding.sentence]
    return bool(_CHANGED.search(coding.note.text, sentence.start, sentence.end))


_SEPSIS = (
    "A40",
    "A41",
    "A02.1",
    "A22.7",
    "A26.7",
    "A32.7",
    "A42.7",
    "A54.86",
    "B37.7",
    "O85",
    "O86.04",
    "P36",
    "T81.44",
    "T80.2",
)


_TYPE_A = re.compile(r"\s+(?:[Tt]ype |virus )?A\b")


def influenza_virus(coding: Coding) -> None:
    """OCG I.C.10.c: influenza that the provider calls type A has an identified virus ("A" is a word that terms pass over)."""
    for draft in [d for d in coding.proposed if under_any(d.code, ("J11",))]:
        code = draft.code.replace("J11", "J10")
        named = any(_TYPE_A.match(coding.note.text, f.end) for f in draft.findings)
        if named and coding.codes.is_billable(code):
            coding.swap(draft, code, "more-specific-documented", "Influenza A is an identified virus.")


def infection_of_severe_sepsis(coding: Coding) -> None:
    """OCG I.C.1.d.1.b: severe sepsis needs the code of its infection first; unknown, it is A41.9."""
    for draft in [d for d in coding.proposed if under_any(d.code, ("R65.2",))]:
        if not any(under_any(d.code, _SEPSIS) for d in coding.proposed):
            why = "Severe sepsis is coded after the underlying infection; none is named."
            coding.proposed.insert(
                coding.proposed.index(draft), as_code(coding, draft.finding, "A41.9", "use-additional", why)
            )


def weeks_of_gestation(coding: Coding) -> None:
    """Tabular, chapter 15: the weeks of gestation are coded beside a code of the chapter, when the note gives them."""
    ours = [d for d in coding.proposed if d.code[0] == "O" and not under_any(d.code, ("O00-O08", "O80", "O82"))]
    if not ours or any(d.code.startswith("Z3A") for d in coding.proposed):
        return
    for finding in coding.around.findings:
        weeks = finding.value("quantity")
        if finding.value("analyte") == "gestational_age" and isinstance(weeks, (int, float)) and finding.codable:
            code = f"Z3A.{int(weeks):02d}"
            if code in coding.codes:
                coding.proposed.append(
                    as_code(coding, finding, code, "use-additional", "Chapter 15 asks for the weeks.")
                )
            return


def blood_thinners(coding: Coding) -> None:
    """OCG I.C.21.c.3: long-term anticoagulation is coded beside the condition that it is for."""
    why_taken = ("I48", "I26", "I82", "D68.5", "D68.6", "Z95.2", "Z86.71")
    if not any(under_any(d.code, why_taken) for d in coding.proposed) or any(
        d.code == "Z79.01" for d in coding.proposed
    ):
        return
    for finding, drug in drugs_taken(coding.around.findings):
        if drug.long_term == "Z79.01":
            coding.proposed.append(
                as_code(coding, finding, "Z79.01", "use-additional", f"{drug.name} is taken for it.")
            )
            return


def injuries_over(coding: Coding) -> None:
    """OCG I.C.21.c.7: no aftercare Z code for an injury; its own code carries the seventh character."""
    injured = any(d.code[0] in "ST" for d in coding.proposed)
    for draft in list(coding.proposed):
        if injured and under_any(draft.code, ("Z47", "Z48", "Z51.89")):
            coding.withhold(draft, "seventh-character", "The injury code with its seventh character says it.")
    if not any(under_any(d.code, ("C50",)) for d in coding.proposed):
        for draft in [d for d in coding.proposed if under_any(d.code, ("Z17",))]:
            coding.set_aside(draft, "receptor status is coded beside a breast cancer that is coded")
    if any(under_any(d.code, ("I11", "I12", "I13")) for d in coding.proposed):
        for draft in [d for d in coding.proposed if d.code == "I10"]:
            coding.withhold(draft, "with-convention", "The combination code holds the hypertension.")
    others = any(d.code[0] == "O" and d.code != "O80" for d in coding.proposed)
    for draft in [d for d in coding.proposed if d.code == "O80" and others]:
        coding.withhold(
            draft, "more-specific-documented", "O80 is for a delivery without any complication (OCG I.C.15.n)."
        )


_CYCLE = re.compile(
    r"\bchemotherap\w+\b[^.;]{0,40}\b(?:cycle|infusion|administration)|\b(?:cycle|infusion)\b[^.;]{0,40}\bchemotherap",
    re.I,
)
_PAIN_CONTROL = re.compile(r"\bpain (?:management|control|clinic|medicine)\b", re.IGNORECASE)


def treatment_encounters(coding: Coding) -> None:
    """OCG I.C.2.e.2 and I.C.6.b.1: a visit for chemotherapy, or for the control of pain, is first-listed as such."""
    if not coding.layout.sentences:
        return
    opening = coding.note.text[: coding.layout.sentences[min(3, len(coding.layout.sentences) - 1)].end]
    cancer = any(under_any(d.code, ("C00-D49",)) for d in coding.proposed)
    wanted = []
    if cancer and _CYCLE.search(opening):
        wanted.append(("chemotherap", "Z51.11", "The visit is for chemotherapy."))
    firm = any(d.code[0] not in "RZ" for d in coding.proposed)
    if firm and _PAIN_CONTROL.search(opening):
        chronic = "G89.2" if re.search(r"\bchronic\b", coding.note.text, re.I) else "G89.1"
        wanted.append(("pain", "G89.29" if chronic == "G89.2" else "G89.18", "The visit is for the control of pain."))
    for word, code, why in wanted:
        found = next((f for f in coding.around.findings if f.codable and word in f.text.lower()), None)
        if found is not None and code in coding.codes and not any(d.code == code for d in coding.proposed):
            coding.proposed.insert(0, as_code(coding, found, code, "treatment-encounter", why))


def screening(coding: Coding) -> None:
    """OCG I.C.21.c.5: a test asked for without a symptom is a screening, named by what is looked for.

    History and family history that bear on a screening or surveillance visit are coded beside it (I.C.21.c.4).
    """
    opening = list(coding.layout.sentences[:4])
    opening += [s for s in coding.layout.sentences if coding.layout.category_of(s) in ("chief_complaint", "indication")]
    titles = " ".join(s.title for s in coding.layout.sections[:3])
    said = (titles + " " + " ".join(coding.note.text[s.start : s.end] for s in opening)).lower()
    watched = any(under_any(d.code, ("Z12", "Z08", "Z09")) for d in coding.proposed)
    if (
        re.search(r"\bscreening\b", said)
        and not watched
        and not re.search(r"never screened|not (?:a )?screening", said)
    ):
        for word, code in (
            ("colonoscop", "Z12.11"),
            ("mammogra", "Z12.31"),
            ("ldct", "Z12.2"),
            ("low-dose ct", "Z12.2"),
            ("low dose ct", "Z12.2"),
            ("pap", "Z12.4"),
            ("dexa", "Z13.820"),
            ("bone density", "Z13.820"),
        ):
            if word in said:
                at = coding.note.text.lower().index(word)
                found = next((f for f in coding.around.findings if f.codable and f.start <= at < f.end), None)
                if found is not None:
                    why = "The test is a screening: the note names no symptom that it is done for."
                    coding.proposed.insert(0, as_code(coding, found, code, "screening-encounter", why))
                    watched = True
                break
    if watched or "surveillance" in said:
        for draft, why in list(coding.candidates):
            if under_any(draft.code, ("Z80", "Z83.71", "Z85", "Z86.0")):
                coding.candidates.remove((draft, why))
                reason = "It bears on a screening or surveillance visit."
                coding.proposed.append(replace(draft, rules=(*draft.rules, ("screening-encounter", reason))))


def after_cancer(coding: Coding) -> None:
    """OCG I.C.21.c.8: a visit after completed treatment with no sign of the disease is a follow-up examination."""
    past = [d for d in coding.proposed if under_any(d.code, ("Z85", "Z86.00"))]
    if not past or not treated_cancer(coding) or any(under_any(d.code, ("Z08", "Z09")) for d in coding.proposed):
        return
    code = "Z08" if any(under_any(d.code, ("Z85",)) for d in past) else "Z09"
    why = "Treatment is completed, and the note finds no sign of the disease."
    coding.proposed.insert(0, as_code(coding, past[0].finding, code, "follow-up-examination", why))
    for draft in [d for d in coding.proposed if under_any(d.code, ("Z12",))]:
        coding.set_aside(draft, "the visit is a follow-up examination, not a screening")


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
            break  # Z68.5- goes by percentile, not by the index
        code = _bmi_code(float(value))
        if code and code in coding.codes:
            why = "The provider documents a weight diagnosis and the index."
            coding.proposed.append(as_code(coding, finding, code, "bmi-with-weight-diagnosis", why))
        return
    _bmi_percentile(coding, weight)


_PERCENTILE = re.compile(
    r"(?P<of>\b1[2-9]\d ?%|\b[2-9]\d\d ?%)?[^.;%]{0,12}\b(?P<rank>\d{1,2}(?:\.\d+)?)(?:st|nd|rd|th) ?(?:percentile|%[- ]?ile)",
    re.IGNORECASE,
)


def _bmi_percentile(coding: Coding, weight: tuple[str, ...]) -> None:
    """Z68.5- of a patient of 2 to 19 years, by the percentile that the note gives (tabular)."""
    age = coding.note.patient.age
    if age is not None and not 2 <= age < 20:
        return
    for sentence in coding.layout.sentences:
        said = coding.note.text[sentence.start : sentence.end]
        match = _PERCENTILE.search(said)
        if match is None or not re.search(r"\bBMI\b|body mass", said, re.IGNORECASE):
            continue
        code = _percentile_code(float(match["rank"]), int(re.sub(r"\D", "", match["of"])) if match["of"] else None)
        near = [f for f in coding.around.findings if f.codable and sentence.start <= f.start < sentence.end]
        heavy = [d.finding for d in coding.proposed if under_any(d.code, weight)]
        rests_on = next((f for f in near if f.value("analyte") == "bmi"), (near or heavy)[0])
        if code in coding.codes:
            why = "The provider documents a weight diagnosis and the percentile."
            coding.proposed.append(as_code(coding, rests_on, code, "bmi-with-weight-diagnosis", why))
        return


def _percentile_code(rank: float, share: int | None) -> str:
    """The code of a percentile, or of a percentage of the 95th percentile where one is given (tabular, Z68.5-)."""
    if share is not None and rank == 95:
        return "Z68.56" if share >= 140 else "Z68.55"
    for limit, code in ((5, "Z68.51"), (85, "Z68.52"), (95, "Z68.53")):
        if rank < limit:
            return code
    return "Z68.54"


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
