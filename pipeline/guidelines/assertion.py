"""What its assertion makes of a finding: denied, doubted, over, a relative's (OCG I.C.21.c.4, II.H, III.C, IV.H, IV.I)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from models.finding import Finding
from pipeline.guidelines.coding import Coding, as_code, keep_back, plain, under_any
from pipeline.proposals import Draft, drafts_for


def by_assertion(coding: Coding, findings: Iterable[Finding]) -> list[Draft]:
    """Sort findings with a place into drafts that may be coded and those that their assertion keeps from it."""
    usable: list[Draft] = []
    findings = tuple(findings)
    firm = _covered(f for f in findings if f.place and f.source != "general")
    for finding in findings:
        if not finding.place:
            continue
        sexed = coding.facts.by_sex.get(finding.place)
        if sexed and coding.note.patient.sex not in (None, sexed[0]) and sexed[1] in coding.codes:
            finding = replace(finding, place=sexed[1])
        if finding.source == "general" and finding.start in firm:
            coding.candidates.append((plain(coding, finding), "a word of a longer term"))
            continue
        assertion = finding.assertion
        if assertion.presence == "negated":
            keep_back(coding, finding, "negated-finding", "The note says that it isn't there.")
        elif assertion.presence == "hypothetical":
            keep_back(
                coding, finding, "hypothetical-finding", "Named as something that might come, not as something found."
            )
        elif assertion.experiencer == "family" or finding.section == "family_history":
            _family(coding, finding)
        elif assertion.experiencer == "other":
            keep_back(coding, finding, "other-person", "It is somebody else's, not the patient's.")
        elif assertion.presence == "uncertain":
            usable.extend(_uncertain(coding, finding))
        elif _impending(coding, finding):
            why = "Impending or threatened, and not said to have happened (OCG I.B.11)."
            keep_back(coding, finding, "impending-condition", why)
        elif finding.place == "B20" and _only_positive(coding, finding):
            why = "HIV positive without symptoms or HIV-related illness is a status (OCG I.C.1.a.2.d)."
            usable.append(as_code(coding, finding, "Z21", "hiv-status", why))
        elif _LINK_DENIED.search(coding.note.text[max(0, finding.start - 40) : finding.start]):
            coding.candidates.append((plain(coding, finding), "named only to deny a link"))
        elif finding.section == "allergies" and finding.place[0] != "Z":
            coding.candidates.append((plain(coding, finding), "a reaction listed under allergies"))
        elif _names_a_test(coding, finding):
            coding.candidates.append((plain(coding, finding), "the name of a test, not a finding"))
        elif finding.place.startswith("F17.2") and (whose := _smoking(coding, finding)) != "current":
            if whose == "past":
                usable.append(as_code(coding, finding, "Z87.891", "history-of", "The patient has stopped."))
                keep_back(coding, finding, "history-of", "The note says that it is over.")
            else:
                keep_back(coding, finding, "other-person", "It is somebody else's, not the patient's.")
        elif finding.place == "Z86.73" and _WITH_RESIDUE.match(coding.note.text, finding.end):
            why = "A deficit that an old stroke left is coded as its sequela (OCG I.C.9.d)."
            usable.append(as_code(coding, finding, "I69.3", "history-of", why))
        elif finding.place[0] == "C" and treated_cancer(coding):
            usable.extend(_past(coding, finding))
        elif finding.historical and finding.place[0] in "ST" and _sequela(coding, finding):
            usable.extend(drafts_for(coding.codes, coding.around, finding))
        elif _operated(coding, finding):
            usable.extend(_past(coding, finding))
        elif _of_this_stay(coding, finding):
            usable.extend(drafts_for(coding.codes, coding.around, finding))
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


def _family(coding: Coding, finding: Finding) -> None:
    """OCG I.C.21.c.4: a relative's disease is at most a family-history code."""
    code = coding.facts.history_code(finding.place, "family")
    if code and finding.place[0] != "Z":
        draft = as_code(coding, finding, code, "family-history", "A relative's disease is coded as family history.")
        coding.candidates.append((draft, "family history; coded where it bears on this visit"))
        keep_back(coding, finding, "family-history", "It is a relative's, not the patient's.")
    elif finding.place[0] == "Z" and "Z80" <= finding.place[:3] <= "Z84":
        coding.candidates.append((plain(coding, finding), "family history; coded where it bears on this visit"))
    else:
        keep_back(coding, finding, "family-history", "It is a relative's, not the patient's.")


def _uncertain(coding: Coding, finding: Finding) -> list[Draft]:
    """OCG IV.H (outpatient) and II.H, III.C (inpatient)."""
    if finding.place[0] == "R" and coding.outpatient:
        return drafts_for(coding.codes, coding.around, finding)
    if coding.outpatient:
        keep_back(coding, finding, "outpatient-uncertain", "A suspected diagnosis isn't coded in an outpatient note.")
        return []
    if under_any(finding.place, coding.facts.confirmed_only):
        keep_back(coding, finding, "confirmed-only", "Coded only when confirmed, in any setting.")
        if under_any(finding.place, ("J09", "J10")):
            why = "An influenza whose virus isn't confirmed is coded to the unidentified virus (OCG I.C.10.c)."
            return [as_code(coding, finding, "J11.1", "inpatient-uncertain", why)]
        return []
    categories = {s.category for s in coding.layout.sections}
    final = next((c for c in ("discharge_diagnoses", "diagnoses", "assessment") if c in categories), None)
    if final and finding.section != final:
        keep_back(coding, finding, "inpatient-uncertain", "Suspected earlier; the final diagnoses don't keep it.")
        return []
    why = "A diagnosis still uncertain at discharge is coded as if established."
    return [
        replace(d, rules=(*d.rules, ("inpatient-uncertain", why)))
        for d in drafts_for(coding.codes, coding.around, finding)
    ]


_IMPENDING = re.compile(r"\b(?:impending|threatened)\s+$", re.IGNORECASE)
_ITS_OWN_TERM = ("O20.0", "O60", "O47", "I20.0", "G45.9")


def _impending(coding: Coding, finding: Finding) -> bool:
    """OCG I.B.11: whether a condition is called impending; terms that mean just that have places of their own."""
    before = coding.note.text[max(0, finding.start - 12) : finding.start]
    return bool(_IMPENDING.search(before)) and not under_any(finding.place, _ITS_OWN_TERM)


_OPERATION = re.compile(
    r"\s+(?:repair(?:ed)?|resection|removal|removed|excision|excised|extraction|surgery|ablation)\b", re.IGNORECASE
)


def _sequela(coding: Coding, finding: Finding) -> bool:
    """OCG I.B.10: an old injury that left something is coded with its sequela character."""
    if finding.sentence < 0:
        return False
    sentence = coding.layout.sentences[finding.sentence]
    said = coding.note.text[sentence.start : sentence.end].lower()
    return any(words in said for words in coding.facts.seventh_words["sequela"])


def _covered(findings: Iterable[Finding]) -> frozenset[int]:
    """Every position that lies in one of some findings."""
    return frozenset(at for f in findings for at in range(f.start, f.end))


_LINK_DENIED = re.compile(
    r"\b(?:not|un)[- ]?(?:due|related|secondary|caused|attributed|attributable)(?: to| by)?\s+(?:the |his |her )?$",
    re.IGNORECASE,
)
_TEST_NAME = re.compile(
    r"\s+(?:ultrasound|ultrasonography|screen(?:ing)?s?|scans?|panels?|test(?:s|ing)?|levels?|titers?|antibod(?:y|ies)|serolog(?:y|ies)"
    r"|cultures?|swabs?|pcr|antigens?|markers?|vaccines?|vaccination|prophylaxis|clinic|protocol"
    r"|(?:(?:and|or)\s+\w+\s+)?precautions)\b",
    re.IGNORECASE,
)
_WATCHED_FOR = re.compile(r"\s+surveillance\b", re.IGNORECASE)


def _names_a_test(coding: Coding, finding: Finding) -> bool:
    """Whether the words only name a test, a clinic, a vaccine or a precaution: "AAA ultrasound", "hepatitis B serology"."""
    if finding.place[0] in "RZVWXY":
        return False
    if finding.place[0] == "C" and _WATCHED_FOR.match(coding.note.text, finding.end):
        return True  # a cancer that is looked for; "on active surveillance" is one that is there
    return bool(_TEST_NAME.match(coding.note.text, finding.end))


_QUIT = re.compile(
    r"\b(?:quit|gave up|stopped|former|ex-?smok|previously|used to|past|remote|prior|smoked)\b|\bex[- ]", re.IGNORECASE
)
_STILL = re.compile(
    r"\b(?:current(?:ly)?|continues|still|active|smokes|relapsed|resumed|trying to quit|wants to quit|ready to quit|not ready"
    r"|ppd|packs? (?:a|per) day|every day|daily)\b",
    re.IGNORECASE,
)
_OTHERS_SMOKE = re.compile(
    r"\b(?:mother|father|parents?|husband|wife|spouse|household|secondhand|passive)\b", re.IGNORECASE
)


def _smoking(coding: Coding, finding: Finding) -> str:
    """Whose smoking it is, and whether it is over: current, past or other (OCG I.C.5.b, I.C.21.c.4)."""
    if finding.sentence < 0:
        return "current"
    sentence = coding.layout.sentences[finding.sentence]
    said = coding.note.text[sentence.start : sentence.end]
    if _OTHERS_SMOKE.search(said) and not re.search(r"\b(?:patient|pt|he|she)\b", said, re.IGNORECASE):
        return "other"
    following = coding.layout.sentences[finding.sentence + 1 : finding.sentence + 2]
    near = said + " " + " ".join(coding.note.text[s.start : s.end] for s in following)
    if _QUIT.search(said) and not re.search(
        r"\b(?:current(?:ly)?|continues|still|relapsed|resumed|trying|wants|ready|smokes)\b", said, re.I
    ):
        return "past"
    if re.search(r"\b(?:quit|stopped)\b (?:in|at|\d)", near, re.IGNORECASE) and not _STILL.search(said):
        return "past"
    return "current"


_NO_DISEASE = re.compile(
    r"(?i:\bno (?:evidence|signs?) of (?:disease|recurren\w+|malignan\w+)|\bno recurrence|\b(?:cancer|disease)[- ]free)\b|\bNED\b"
)
_ACTIVE_TREATMENT = re.compile(
    r"\b(?:chemotherapy|radiation|immunotherapy|tamoxifen|anastrozole|letrozole|exemestane|leuprolide|trastuzumab|adjuvant)\b"
    r"[^.;]{0,40}\b(?:today|ongoing|current|continue|cycle|week|started|undergoing|on\b)|\b(?:continue|on|undergoing|taking)\b[^.;]{0,30}"
    r"\b(?:tamoxifen|anastrozole|letrozole|exemestane|leuprolide|chemotherapy|radiation|immunotherapy)\b|\bno further\b.{0,1}$",
    re.IGNORECASE,
)


def treated_cancer(coding: Coding) -> bool:
    """OCG I.C.2.m: a cancer that was removed, with no treatment directed at it and no sign of it, is history."""
    text = coding.note.text
    if not _NO_DISEASE.search(text) or _ACTIVE_TREATMENT.search(text):
        return False
    # A metastasis that is there now is disease, whatever an earlier look didn't find.
    return not any(f.codable and under_any(f.place or "", ("C77-C79",)) for f in coding.around.findings)


_POSITIVE = re.compile(r"\bHIV[- ]?(?:test )?(?:positive|\+)|positive for HIV|asymptomatic HIV", re.IGNORECASE)
_HIV_ILLNESS = re.compile(
    r"(?<!never had an )(?<!never an )(?<!never any )(?<!never )(?<!without )(?<!without any )(?<!no )\b(?:AIDS\b|HIV disease|HIV[- ]related|opportunistic)",
    re.IGNORECASE,
)


def _only_positive(coding: Coding, finding: Finding) -> bool:
    """Whether the note calls the patient HIV positive and names no HIV disease or illness."""
    text = coding.note.text
    return bool(_POSITIVE.search(text)) and not _HIV_ILLNESS.search(text)


def _operated(coding: Coding, finding: Finding) -> bool:
    """Whether the words go on to name an operation on the condition: "aneurysm repair", "hernia surgery"."""
    if finding.place[0] in "RZSTVWXY" or finding.section in ("plan", "indication"):
        return False
    return bool(_OPERATION.match(coding.note.text, finding.end))


OVER = re.compile(
    r"resolved|status post|s/p|no longer|in remission|cured|ago|prior|previous|old|remote|childhood", re.IGNORECASE
)


_SETTLED = re.compile(r"(?:now |has |have |since )*(?:resolved|resolving|recovered|improved)", re.IGNORECASE)
_FINAL = ("discharge_diagnoses", "diagnoses", "hospital_course")


def _of_this_stay(coding: Coding, finding: Finding) -> bool:
    """OCG II, III: a final diagnosis of a stay that has resolved by discharge was treated in it, and is coded."""
    assertion = finding.assertion
    return (
        not coding.outpatient
        and assertion.temporality == "historical"
        and finding.section in _FINAL
        and bool(assertion.cues)
        and all(_SETTLED.fullmatch(cue.text) for cue in assertion.cues)
    )


def _stays_current(coding: Coding, finding: Finding) -> bool:
    """OCG IV.I: "history of" a chronic disease, or a past-history section, names a disease that still is there."""
    place = finding.place
    if not under_any(place, coding.facts.chronic) or under_any(place, coding.facts.may_end):
        return False
    return not any(OVER.search(cue.text) for cue in finding.assertion.cues)


# A stroke -> the category of its sequelae (tabular, I69).
_STROKES = {"I60": "I69.0", "I61": "I69.1", "I62": "I69.2", "I63": "I69.3", "I64": "I69.3"}
_LEFT_BEHIND = re.compile(
    r"\b(?:due to|secondary to|from|after|following|residual|sequelae? of|late effects? of)\b[^.;:]{0,30}$",
    re.IGNORECASE,
)


_WITH_RESIDUE = re.compile(
    r"[^.;:\n]{0,20}?\bwith (?:mild |some |a )*(?:residual|persist\w+|ongoing|chronic|lasting)\b", re.IGNORECASE
)


def _before(coding: Coding, finding: Finding) -> str:
    """The text of a finding's sentence before it."""
    if finding.sentence < 0:
        return ""
    return coding.note.text[coding.layout.sentences[finding.sentence].start : finding.start]


def _past(coding: Coding, finding: Finding) -> list[Draft]:
    """OCG I.C.21.c.4: what is over is a personal-history code, or nothing."""
    code = coding.facts.history_code(finding.place, "personal")
    why = "The condition is over; it is coded as personal history."
    if code is None:
        keep_back(coding, finding, "history-of", "The note says that it is over.")
        return []
    keep_back(coding, finding, "history-of", "The note says that it is over.")
    left = _LEFT_BEHIND.search(_before(coding, finding)) or _WITH_RESIDUE.match(coding.note.text, finding.end)
    if finding.place[:3] in _STROKES and left:
        why = "A deficit that an old stroke left is coded as its sequela (OCG I.C.9.d)."
        return [as_code(coding, finding, _STROKES[finding.place[:3]], "history-of", why)]
    return [as_code(coding, finding, code, "history-of", why)]
