"""Adverse effects, poisoning and underdosing: what a drug did, or what taking too little of it did (OCG I.C.19.e.5)."""

from __future__ import annotations

import re

from models.finding import Finding
from pipeline.guidelines.coding import Coding, as_code, under_any
from pipeline.guidelines.companions import drugs_named
from pipeline.proposals import Draft

_CAUSED = re.compile(
    r"\b(?:due to|from|caused by|secondary to|induced by|because of|reaction to|side effects? of|attributed to|related to"
    r"|after starting|on)\s+(?:the |his |her |taking |use of |starting )*$",
    re.IGNORECASE,
)
_FIRM = re.compile(
    r"\b(?:due to|caused by|secondary to|induced by|reaction to|side effects? of|attributed to)\b", re.IGNORECASE
)
_DRUG_INDUCED = re.compile(r"\b(?:drug|medication|medicine)[- ]?(?:induced|related|overuse)\b", re.IGNORECASE)
_BEHIND = re.compile(
    r",?\s*(due to|caused by|secondary to|induced by|attributed to|from)\s+(?:the |his |her |oral |long[- ]term )*",
    re.IGNORECASE,
)
_BLEEDING = re.compile(r"hemorrh|bleed|hemat|epistaxis|melena|hemopty|ecchymos|purpura", re.IGNORECASE)
_INDUCED = re.compile(r"^[- ](?:induced|related|associated)\b", re.IGNORECASE)
_TOO_LITTLE = re.compile(
    r"skip(?:s|ped|ping)?\b|ran out|running out|miss(?:es|ed|ing)? (?!no\b)(?:\w+ )?doses?|only (?:every other day|once)|less than (?:prescribed|directed)"
    r"|ration(?:s|ed|ing)\b|half (?:the|his|her) (?:dose|pills?)|stopped taking|not (?:been )?taking|(?:not|un)able to afford"
    r"|cannot afford|can't afford|not (?:been )?consistent(?:ly)? (?:with )?(?:tak|us)ing",
    re.IGNORECASE,
)
_COST = re.compile(r"afford|cost|expens|financ|copay|insurance", re.IGNORECASE)
_FORGOT = re.compile(r"forg[eo]t|unintention|memory", re.IGNORECASE)


def adverse_effects(coding: Coding) -> None:
    """OCG I.C.19.e.5.a: the effect first, then the drug's adverse-effect code."""
    for finding, drug in drugs_named(coding.around.findings):
        before, after = _around(coding, finding)
        linked = _CAUSED.search(before) and (_FIRM.search(before) or _DRUG_INDUCED.search(before))
        if not drug.adverse_stem or not (linked or _INDUCED.match(after)):
            continue
        effects = [d for d in coding.proposed if any(f.sentence == finding.sentence for f in d.findings)]
        if not effects or any(under_any(d.code, (drug.adverse_stem,)) for d in coding.proposed):
            continue
        effect = effects[-1]
        # "Oxaliplatin-induced neuropathy" is about what follows, "rash due to amoxicillin" about what stands before.
        ahead = [d for d in effects if any(f.start >= finding.end for f in d.findings)]
        if not linked and ahead:
            effect = min(ahead, key=lambda d: min(f.start for f in d.findings if f.start >= finding.end))
        effects = [_brought_on(coding, effect, drug.adverse_stem)]
        why = f"{drug.name} is named as the cause of {effects[-1].code}, taken as directed."
        draft = as_code(coding, finding, f"{drug.adverse_stem}5", "adverse-effect", why)
        at = coding.proposed.index(effects[-1]) + 1
        coding.proposed.insert(at, draft)
        if drug.long_term == "Z79.01" and _BLEEDING.search(coding.codes.title(effects[-1].code)):
            why = f"Bleeding due to {drug.name}: the hemorrhagic disorder is coded beside the bleeding."
            if not any(d.code == "D68.32" for d in coding.proposed):
                coding.proposed.insert(at, as_code(coding, effects[-1].finding, "D68.32", "adverse-effect", why))


def effects_of_drug_classes(coding: Coding) -> None:
    """OCG I.C.19.e.5.a, where only the class of the drug is named: "opioid-induced constipation", "anemia due to chemo"."""
    for draft in list(coding.proposed):
        if draft.code[0] in "TZ" or any(
            d.code[5:6] == "5" and d.code[0] == "T" and _same_words(d, draft) for d in coding.proposed
        ):
            continue
        for finding in draft.findings:
            known = next((row for row in coding.facts.drug_classes if _brings_on(coding, finding, row[0])), None)
            if known is None or not finding.codable:
                continue
            _, stem, name = known
            effect = _brought_on(coding, draft, stem)
            if not any(under_any(d.code, (stem,)) for d in coding.proposed):
                why = f"{name} is named as the cause of {effect.code}, taken as directed."
                cause = as_code(coding, finding, f"{stem}5", "adverse-effect", why)
                coding.proposed.insert(coding.proposed.index(effect) + 1, cause)
            break


def _same_words(one: Draft, other: Draft) -> bool:
    return any(f.sentence == g.sentence >= 0 for f in one.findings for g in other.findings)


def _brings_on(coding: Coding, finding: Finding, words: re.Pattern[str]) -> bool:
    """Whether the class of drugs that some words name is said to have brought a finding on."""
    before, after = _around(coding, finding)
    said = words.search(finding.text)
    if said and _INDUCED.match(finding.text[said.end() :]):
        return True
    for match in words.finditer(before):
        if re.fullmatch(r"[- ](?:induced|related|associated) (?:\w+ ){0,2}", before[match.end() :], re.IGNORECASE):
            return True
    behind = _BEHIND.match(after)
    firm = behind and (behind[1].lower() != "from" or _DRUG_INDUCED.search(finding.text))
    return bool(firm and words.match(after, behind.end()))  # type: ignore[union-attr]


def _brought_on(coding: Coding, effect: Draft, stem: str) -> Draft:
    """An effect with the code that it has where a drug brought it on, where there is one."""
    for code, becomes, drug in coding.facts.drug_induced:
        if effect.code == code and drug in ("", stem) and effect in coding.proposed:
            why = f"A drug brought it on: {coding.codes.title(becomes)}."
            return coding.swap(effect, becomes, "adverse-effect", why)
    return effect


def underdosing(coding: Coding) -> None:
    """OCG I.C.19.e.5.c: taking less than prescribed is coded after the condition it bears on, with its reason."""
    for finding, drug in drugs_named(coding.around.findings):
        places = tuple(drug.used_for.split())
        treated = [d for d in coding.proposed if places and under_any(d.code, places)]
        if not drug.adverse_stem or not treated or finding.sentence < 0:
            continue
        sentence = coding.layout.sentences[finding.sentence]
        said = coding.note.text[sentence.start : sentence.end]
        if not _TOO_LITTLE.search(said) or any(d.code.startswith(f"{drug.adverse_stem}6") for d in coding.proposed):
            continue
        why = f"Less {drug.name} is taken than prescribed."
        reason = "Z91.120" if _COST.search(said) else "Z91.138" if _FORGOT.search(said) else "Z91.14"
        at = coding.proposed.index(treated[-1]) + 1
        coding.proposed[at:at] = [
            as_code(coding, finding, f"{drug.adverse_stem}6", "underdosing", why),
            as_code(coding, finding, reason, "underdosing", f"Why less {drug.name} is taken."),
        ]
        return


def _around(coding: Coding, finding: Finding) -> tuple[str, str]:
    """The text before and behind a finding in its sentence."""
    if finding.sentence < 0:
        return "", ""
    sentence = coding.layout.sentences[finding.sentence]
    text = coding.note.text
    return text[sentence.start : finding.start], text[finding.end : sentence.end]
