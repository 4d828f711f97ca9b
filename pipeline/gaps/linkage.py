"""Linkage: a drug for which the note documents no reason (drugs.csv, column `for`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from itertools import pairwise

from code_maps.gaps import gap_rules
from code_maps.places import Places
from code_maps.rulefile import Rule
from code_maps.terms.drugs import Drug, drugs
from models.finding import Finding
from models.gap import Gap
from pipeline.gaps.context import Case, make_gap

_WORDS = re.compile(r"[a-z][a-z-]+")
# Taken for so many reasons, or without a prescription, that nobody asks.
_NOT_ASKED = frozenset(
    ("analgesic", "nsaid", "vitamin-mineral", "antihistamine", "laxative", "antacid", "cough-cold", "topical-other",
     "herbal-supplement", "contraceptive", "anesthetic", "antiemetic", "muscle-relaxant", "aspirin", "vaccine",
     "systemic-steroid", "opioid", "topical-steroid", "decongestant", "ophthalmic-other", "antibiotic-other")
)  # fmt: skip
# What a class is for, where its drugs name no place of their own.
_CLASS_FOR = {
    "statin": "E78 I20-I25 I63-I70 E08-E13", "thyroid-replacement": "E00-E07 E89.0 C73 Z85.850", "insulin": "E08-E13 O24 E89.1",
    "oral-hypoglycemic": "E08-E13 R73 O24 E28.2 E66", "erectile-dysfunction": "N52 F52 I27 N40 E29", "bph": "N40 N13 R33 R35 R39 N32 L64",
    "androgen": "E29 E23 F64", "inhaled-steroid": "J40-J47 J84", "inhaled-steroid-combination": "J40-J47 J84 J96",
    "inhaled-anticholinergic": "J40-J47 J84 J96", "bronchodilator": "J00-J47 J84 J96 R06 R05", "antiepileptic": "G40 G43 R56 F31 G50-G64 M79 G89 M54 E11.4 G25 F41 B02 I69",
    "anticoagulant": "I26-I27 I48-I49 I80-I82 Z86.71 D68 Z95 I63 I69 Z86.73 I51 I74 Z79.01", "antiplatelet": "I20-I25 I63-I70 I73-I74 Z95 Z86.73 I65-I66 G45",
    "ssri": "F30-F45 F32 F33 F41 F42 F43 N94 N95 F50 R45 F60-F69", "snri": "F30-F45 M79 G62-G63 E11.4 M54 M17 G89 R45 N95",
    "bisphosphonate": "M80-M81 M85 M88 C79 E83", "migraine": "G43 R51 G44", "antidementia": "F01-F03 G30-G31", "dementia": "F01-F03 G30-G31 R41",
    "antigout": "M10 M1A E79 N20", "overactive-bladder": "N32 N39 R32 R35 R39 N31 N40", "nitrate": "I20-I25 I50 R07",
    "diuretic-loop": "I11 I13 I50 R60 I10 N18 K70-K77 I27 N04 I12 E87 I42", "antipsychotic-atypical": "F20-F39 F03 F84 F41-F43 G47 R45 F05",
    "antidepressant-other": "F30-F45 F17 G47 G43 Z72 R63 M79 R45", "antidepressant-tricyclic": "F30-F45 G43 G47 M79 G62 R51 G89 K58 G44 E11.4",
    "stimulant": "F90 G47 F98 R41", "benzodiazepine": "F40-F48 G40 G47 R56 G25 F10 R45", "hypnotic": "G47 F51", "smoking-cessation": "F17 Z72 Z87",
    "antiandrogen": "C61 L64-L70 N40 Z85", "aromatase-inhibitor": "C50 D05 Z85.3 Z86.0", "serm": "C50 D05 M80-M81 Z85.3 Z86.0", "antithyroid": "E05",
    "antiviral": "B00-B02 J09-J11 A60 U07", "antiretroviral": "B20 Z21 Z20 Z29", "leukotriene-modifier": "J30 J40-J47 L50", "nasal-steroid": "J30-J34 J01 H69 R09",
    "cardiac-glycoside": "I48 I50 I11 I13 I42", "antiarrhythmic": "I44-I49 R00", "ppi": "K20-K31 K92 R10 R12 Z79 K50-K52 R11 R13 K44 B98",
    "h2-blocker": "K20-K31 R12 R10 L50 K44", "beta-blocker": "I10-I25 I34-I52 I11 I13 G43 G25 R00 E05 F40-F41 I71 I85 Z95", "calcium-channel-blocker": "I10-I25 I47-I49 I73 G43 I27 I48",
    "antihypertensive-ace": "I10-I25 I42 I50-I51 N18 E08-E13 R03 I34-I37 Z95", "antihypertensive-arb": "I10-I25 I42 I50-I51 N18 E08-E13 R03",
    "diuretic-thiazide": "I10-I16 R60 I50 N20 R03", "diuretic-potassium-sparing": "I10-I16 I50-I51 I42 K70-K77 E26 R60 L70 L68 E28",
    "dmard": "M05-M14 M30-M36 L40 L93 K50-K51 D86 M45", "lipid-lowering-other": "E78 I25", "mood-stabilizer": "F30-F39",
    "antiparkinson": "G20-G26 F20-F29 G47", "ophthalmic-glaucoma": "H40 H42", "anti-obesity": "E66 E08-E13 R63",
    "hormone-replacement": "N95 N95.1 E28 Z79 N92-N94 E89 M81", "sedative": "G47", "glucose-elevating": "E08-E16",
    "injectable-non-insulin-antidiabetic": "E08-E13 E66 R73", "alcohol-use-disorder": "F10 F11", "opioid-use-disorder": "F11",
}  # fmt: skip


def drug_without_diagnosis(case: Case, rule: Rule) -> list[Gap]:
    """Drugs that the patient takes for which no diagnosis of the note, coded or only mentioned, is a reason."""
    found: dict[str, Gap] = {}
    for name, mine in case.drugs.items():
        if (
            name in _NOT_ASKED
            or name in _with_a_rule()
            or name.startswith(("antibiotic", "vaccine", "immune-globulin"))
        ):
            continue
        for finding in mine:
            drug = _drug(finding)
            if drug is None or not finding.codable or drug.name in found:
                continue
            said = f"{drug.used_for} {_CLASS_FOR.get(drug.drug_class, '')}".split()
            if said and not _explained(case, Places(said)):
                code = drug.long_term or None
                title = next((p for p in case.proposals if p.problem == finding.problem >= 0), None)
                if title is not None:
                    code = title.code
                found[drug.drug_class] = make_gap(
                    rule, code, (case.quote(finding),), _name(finding, drug), key=drug.drug_class
                )
                break
    return list(found.values())[:2]


@cache
def _with_a_rule() -> frozenset[str]:
    """The classes that a rule file of their own asks about."""
    return frozenset(name for rule in gap_rules() for name in rule.data["when"].get("drug_class", ()))


def _explained(case: Case, places: Places) -> bool:
    """Whether a proposal or any finding about the patient that isn't denied gives a drug of this use its reason."""
    return case.coded(places) or case.mentioned(places)


def _drug(finding: Finding) -> Drug | None:
    said = _WORDS.findall(finding.text.lower())
    table = drugs()
    return next((table[d] for d in [*map(" ".join, pairwise(said)), *said] if d in table), None)


def _name(finding: Finding, drug: Drug) -> str:
    """The drug as the note writes it."""
    place = finding.text.lower().find(drug.name)
    return finding.text[place : place + len(drug.name)] if place >= 0 else drug.name


LINKAGE: dict[str, Callable[[Case, Rule], list[Gap]]] = {"drug-without-diagnosis": drug_without_diagnosis}
