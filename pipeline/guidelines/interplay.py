"""What drafts do to one another: merge, combine, exclude, and the order they are reported in (OCG I.A.12-17, I.B.5-12)."""

from __future__ import annotations

import re
from dataclasses import replace

from code_maps.axes import axis_of
from code_maps.axes.branches import SIDES
from code_maps.guidelines.index_links import index_links
from code_maps.icd10cm import CodeSet
from code_maps.places import Places
from code_maps.terms import term_words as words_of
from code_maps.terms import words
from models.finding import Finding
from pipeline.guidelines.coding import WEIGHT, Coding, strength, under_any, where
from pipeline.proposals import Draft, drafts_for, evidence_for


def merge_same(coding: Coding) -> None:
    """OCG I.B.12: a code is reported once; what says it again is more evidence."""
    by_code: dict[str, list[Draft]] = {}
    for draft in coding.proposed:
        by_code.setdefault(draft.code, []).append(draft)
    merged = []
    for same in by_code.values():
        best = max(same, key=lambda d: strength(coding, d))
        if len(same) > 1:
            others = [d for d in same if d is not best]
            findings = dict.fromkeys([*best.findings, *(f for d in others for f in d.findings)])
            rules = dict.fromkeys([*best.rules, *(r for d in others for r in d.rules)])
            best = replace(best, findings=tuple(findings), rules=tuple(rules))
        merged.append(best)
    coding.proposed = merged


def prefer_specific(coding: Coding) -> None:
    """OCG I.B.2: of codes that name one condition, the more specific stands for it."""
    for short in list(coding.proposed):
        for long in coding.proposed:
            if (
                short is not long and short.code[:3] == long.code[:3] and len(short.findings) <= len(long.findings)
                and all(any(_within(f, g) for g in long.findings) for f in short.findings)
                and not _names_less(coding.codes, long.code, short.code)
            ):  # fmt: skip
                coding.withhold(short, "more-specific-documented", f"{long.code} is what the same words name.")
                break
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


def _names_less(codes: CodeSet, code: str, other: str) -> bool:
    """Whether a code is for another side, or unspecified where the other isn't."""
    sides = {_side_of(codes, code), _side_of(codes, other)}
    vague = ["nspecified" in codes.title(c) for c in (code, other)]
    named = [_regions_named(codes, c) for c in (code, other)]
    if not vague[1] and named[1] and named[0] and not named[0] & named[1]:
        return True  # two joints behind one "pain in"
    return {"right", "left"} <= sides or (vague[0] and not vague[1])


def _regions_named(codes: CodeSet, code: str) -> frozenset[str]:
    """The body parts that a code's title names."""
    axes = axis_of()
    return frozenset(w for w in words_of(codes.title(code)) if axes.get(w) == "site")


def _within(inner: Finding, outer: Finding) -> bool:
    """Whether the words of one finding lie within, or overlap with, the longer words of another."""
    shorter = inner.end - inner.start < outer.end - outer.start
    return shorter and inner.start < outer.end and outer.start < inner.end


def _is_vaguer(codes: CodeSet, vague: Draft, sharp: Draft) -> bool:
    """Whether `vague` is the unspecified end of a place that holds `sharp`."""
    place = vague.finding.place
    if place in codes and not codes.is_billable(place) and sharp.code.startswith(place) and vague.code[0] not in "ST":
        return bool(vague.path.open_axes)
    if _says_no_more(codes, vague.code) and not _says_no_more(codes, sharp.code):
        return True
    if not sharp.code.startswith(codes.parent(vague.code) or "-"):
        return False
    title = codes.title(vague.code).lower()
    if "remission" in title:
        return False
    return ("unspecified" in title or "without complication" in title) and len(vague.path.axes) <= len(sharp.path.axes)


def _says_no_more(codes: CodeSet, code: str) -> bool:
    """Whether a code is the ".9" that repeats the title of its category: epilepsy, unspecified, of the epilepsies.

    In a category of "other" diseases that code is a disease of its own (I73.9 beside Raynaud's), and a symptom or an
    injury says where it is.
    """
    category, node = code[:3], f"{code[:3]}.9"
    if code[0] in "RSTVWXYZ" or not code.startswith(node) or node not in codes:
        return False
    whole, said = codes.title(category), codes.title(node)
    whole = whole.removeprefix("Other and unspecified ")
    return (
        "unspecified" in said.lower() and not whole.startswith("Other") and set(words_of(said)) <= set(words_of(whole))
    )


def spare_vague_injuries(coding: Coding) -> None:
    """OCG I.C.19.b: an injury whose kind isn't told is no other one than the injury of that region whose kind is."""
    injuries = [d for d in coding.proposed if d.code[0] == "S"]
    for vague in injuries:
        if "Unspecified injury" not in coding.codes.title(vague.code[:5]):
            continue
        for sharp in injuries:
            sides = {_side_of(coding.codes, vague.code), _side_of(coding.codes, sharp.code)}
            if sharp.code[:2] == vague.code[:2] and sharp.code[:5] != vague.code[:5] and not {"right", "left"} <= sides:
                coding.withhold(vague, "more-specific-documented", f"{sharp.code} says what the injury is.")
                break


def _side_of(codes: CodeSet, code: str) -> str | None:
    said = set(re.findall(r"[a-z]+", codes.title(code).lower())) & SIDES
    return next(iter(said)) if len(said) == 1 else None


def combine(coding: Coding) -> None:
    """OCG I.A.15 ("with") and I.B.9 (combination codes)."""
    categories = {d.code[:3] for d in coding.proposed}
    # Our table first; what only an imported Alphabetic Index links comes after it.
    linked = index_links(coding.codes)
    from_index = [row for category in sorted(categories) for row in linked.get(category, ())]
    for row in (*coding.facts.combinations, *from_index):
        if row.heads and row.heads.isdisjoint(categories):
            continue
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
            already = next((d for d in coding.proposed if under_any(d.code, (becomes,))), None)
            if already is not None:
                for draft in (disease, partner):
                    if draft is not already and under_any(draft.code, row.drop_for(disease.code)):
                        coding.withhold(draft, row.rule, f"{already.code} takes its place. {row.note}")
                        at, said = coding.proposed.index(already), dict.fromkeys((*already.findings, *draft.findings))
                        already = coding.proposed[at] = replace(already, findings=tuple(said))
                continue
            target = disease if under_any(disease.code, row.drop_for(disease.code)) else partner
            # The note may say more of the same at another place: the scar is a low transverse one.
            tried = [drafts_for(coding.codes, coding.around, replace(f, place=place)) for f in target.findings]
            drafts = min(tried, key=lambda found: (not found[0].path.complete, len(found[0].path.open_axes)))
            if drafts[0].path.open_axes:
                # The other of the two may say what this one leaves open: the side of the sciatica, not of the back pain.
                partners = partner if target is disease else disease
                others = drafts_for(coding.codes, coding.around, replace(partners.finding, place=place))
                if others[0].path.complete and len(others[0].path.open_axes) < len(drafts[0].path.open_axes):
                    drafts = others
            if not drafts[0].path.complete:
                continue
            why = row.note or f"{coding.codes.title(drafts[0].code)} takes both."
            rule = (row.rule, why)
            new = replace(
                drafts[0], finding=max((disease, partner), key=lambda d: (strength(coding, d), -d.finding.start)).finding,
                findings=tuple(dict.fromkeys((*disease.findings, *partner.findings))),
                rules=(*disease.rules, rule),
            )  # fmt: skip
            gone = [d for d in (disease, partner) if under_any(d.code, row.drop_for(disease.code))]
            at = min(coding.proposed.index(d) for d in (gone or [disease]))
            coding.proposed.insert(at, new)
            for draft in gone:
                coding.withhold(draft, row.rule, f"{new.code} takes its place. {why}")
            categories = {d.code[:3] for d in coding.proposed}


_UNRELATED = re.compile(r"\b(?:not|un)[- ]?(?:due|related|caused|from|secondary|associated)\b", re.IGNORECASE)


def _said_unrelated(coding: Coding, a: Draft, b: Draft) -> bool:
    """OCG I.A.15: the provider's word that two conditions are unrelated wins.

    Looked for in their sentences: "CKD due to hypertension, not due to diabetes" parts kidney disease and diabetes only.
    """
    names = [{t.word for f in d.findings for t in coding.around.own(f)} for d in (a, b)]
    for mine, other in ((a, names[1]), (b, names[0])):
        for finding in mine.findings:
            if finding.sentence < 0:
                continue
            sentence = coding.layout.sentences[finding.sentence]
            for match in _UNRELATED.finditer(coding.note.text, sentence.start, sentence.end):
                if other & {
                    word for word, _, _ in words(coding.note.text[match.end() : min(match.end() + 40, sentence.end)])
                }:
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
            regional = (
                under_any(draft.code, coding.facts.regional_symptoms)
                and diagnosis.code[0] in "MST"
                and bool(_regions(coding, diagnosis))
            )
            if _same_region(coding, draft, diagnosis) if regional else under_any(draft.code, symptoms):
                why = f"Part of {diagnosis.code}, {coding.codes.title(diagnosis.code)}."
                coding.withhold(draft, "integral-symptom", why)
                break


def _regions(coding: Coding, draft: Draft) -> frozenset[str]:
    """The regions of the body that a code's title, or else the note's words, name."""
    return coding.facts.regions(coding.codes.title(draft.code)) or coding.facts.regions(draft.finding.text)


def _same_region(coding: Coding, symptom: Draft, diagnosis: Draft) -> bool:
    """Pain, stiffness or swelling at the site of a musculoskeletal disease or an injury."""
    if diagnosis.code[0] not in "MSTGI" or not under_any(symptom.code, coding.facts.regional_symptoms):
        return False
    mine, theirs = _regions(coding, symptom), _regions(coding, diagnosis)
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


# A fetus is what every seventh character of these categories is about, and tells none of them apart.
_EVERY_FETUS = frozenset(words_of("fetus fetal other unspecified"))


# What is healed is the mark of an old operation, not the injury.
_SCAR = re.compile(r"\bhealed (?:\w+ ){0,2}(?:scars?|incisions?|wounds? from|ports?)\b")


def _seventh(coding: Coding, draft: Draft, characters: dict[str, str]) -> tuple[str, str]:
    """The character and why: by the course of an injury, or by the words of its meaning (stage, fetus)."""
    said = coding.facts.seventh_words
    finding = draft.finding
    sentence = coding.layout.sentences[finding.sentence] if finding.sentence >= 0 else None
    near = coding.note.text[sentence.start : sentence.end].lower() if sentence else ""
    whole = _SCAR.sub(" ", coding.note.text.lower())

    def hears(kind: str, text: str) -> bool:
        return any(words in text for words in said[kind])

    if under_any(draft.code, ("T36-T50",)) and "A" in characters and not hears("subsequent", near):
        return "A", "The effect of the drug is looked after at this visit."
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
    tokens = {word for tier in evidence_for(coding.around, finding).tiers for word in tier} - _EVERY_FETUS
    meant = {char: set(words_of(meaning)) for char, meaning in characters.items()}
    # "Eye" stands in every meaning and tells none from the others.
    telling = {
        char: {w for w in said if sum(w in other for other in meant.values()) == 1} for char, said in meant.items()
    }
    best = max(characters, key=lambda char: (len(telling[char] & tokens), char in "09", characters[char]))
    if telling[best] & tokens:
        return best, f"The note says {characters[best]}."
    for char in ("0", "9"):
        if char in characters:
            return char, "The note doesn't say which."
    return min(characters), "The note doesn't say which."


_CALLED_UNRELATED = re.compile(r"\bunrelated\b|\bnot related\b", re.IGNORECASE)


def _called_unrelated(coding: Coding, draft: Draft) -> bool:
    """OCG I.A.12.a: whether the problem of a draft is said to have nothing to do with the others."""
    if any(rule == "excludes1-unrelated" for rule, _ in draft.rules):
        return True
    if draft.finding.problem < 0:
        return False
    problem = coding.layout.problems[draft.finding.problem]
    return bool(_CALLED_UNRELATED.search(coding.note.text, problem.start, problem.end))


def settle_excludes1(coding: Coding) -> None:
    """OCG I.A.12.a: two codes that exclude each other aren't reported together."""
    for first in list(coding.proposed):
        for second in list(coding.proposed):
            if first not in coding.proposed or second not in coding.proposed or first.code >= second.code:
                continue
            note = coding.codes.excludes1(first.code, second.code)
            if note is None:
                continue
            if {_side_of(coding.codes, first.code), _side_of(coding.codes, second.code)} == {"right", "left"}:
                continue  # one condition in each ear or limb: the note is about two of the same part
            if _called_unrelated(coding, first) or _called_unrelated(coding, second):
                for draft in (first, second):
                    why = f"Excludes1 at {note.origin}; the provider calls the two unrelated (OCG I.A.12.a)."
                    coding.swap(draft, draft.code, "excludes1-unrelated", why)
                break
            loser = min((first, second), key=lambda d: _claim_to_stay(coding, d))
            winner = second if loser is first else first
            why = f'"{note.text}" stands under Excludes1 at {note.origin}; {winner.code} is kept.'
            coding.withhold(loser, "excludes1", why)


def _claim_to_stay(coding: Coding, draft: Draft) -> tuple[float, ...]:
    title = coding.codes.title(draft.code).lower()
    vague = "unspecified" in title or "not specified" in title
    return (draft.code[0] not in "RZ", not vague, "without" not in title, strength(coding, draft), len(draft.findings),
            -draft.finding.start)  # fmt: skip


def keep_billable(coding: Coding) -> None:
    """OCG IV.F, I.B.2: only a complete code is proposed; a header is a gap."""
    for draft in list(coding.proposed):
        if not coding.codes.is_billable(draft.code):
            coding.set_aside(draft, f"{draft.code} is a heading; the note doesn't say which of the codes below it")


_DUE = re.compile(r"\s*,?\s*(?:is |was )?(?:due|secondary) to\b[^.;:,]{0,30}$", re.IGNORECASE)


def _stated_cause(coding: Coding, draft: Draft) -> Draft | None:
    """The cause that the note states right behind a condition whose "code first" asks for an underlying cause."""
    notes = coding.codes.notes(draft.code, "code_first")
    if not any("underlying" in note.text for note in notes):
        return None
    end = draft.finding.end
    for other in coding.proposed:
        start = other.finding.start
        near = other is not draft and other.finding.sentence == draft.finding.sentence and start >= end
        if near and _DUE.fullmatch(coding.note.text, end, start):
            return other
    return None


# A visit for radiotherapy, chemotherapy or immunotherapy is for that, wherever it is listed (OCG I.C.2.e.2).
_SOLE_REASONS = Places(("Z51.0", "Z51.1"))


def order(coding: Coding) -> None:
    """OCG I.A.13, IV.G, IV.I, I.C.21.c: the reason for the visit first, causes before what they cause, status last."""
    facts = coding.facts

    stated_somewhere = any(coding.stands(d) in ("title", "assessed") for d in coding.proposed)

    def key(draft: Draft) -> tuple[float, ...]:
        said = max(draft.findings, key=lambda f: (WEIGHT[where(f, coding.layout)], -f.start))  # where it counts most
        stands = where(said, coding.layout)
        stated = {"title": 0, "assessed": 0, "reason": 1}.get(stands, 2)
        never = under_any(draft.code, facts.never_first)
        opens = stands in ("reason", "narrative") or said.problem in (-1, 0)
        first = under_any(draft.code, facts.first) and not never and (opens or draft.code in _SOLE_REASONS)
        left_over = draft.code[0] in "ST" and draft.code.endswith("S")  # OCG I.B.10: the residual before its cause
        later = 2 if never else 0 if first else 1
        if not stated_somewhere and not coding.outpatient:
            return (later, 0, -len(draft.findings), said.start)  # a narrative: what it dwells on
        problem = said.problem if said.problem >= 0 else 99
        return (later, stated, problem if stated == 0 else 0, left_over, said.start)

    coding.proposed.sort(key=key)
    for draft in list(coding.proposed):
        # code first: whatever a note of this code or an ancestor asks for goes before it
        for note in coding.codes.notes(draft.code, "code_first"):
            before = [d for d in coding.proposed if d is not draft and note.codes.matches(d.code)]
            if before:
                coding.proposed.remove(draft)
                at = max(coding.proposed.index(d) for d in before) + 1
                coding.proposed.insert(at, draft)
        cause = _stated_cause(coding, draft)
        if cause is not None and coding.proposed.index(cause) > coding.proposed.index(draft):
            coding.proposed.remove(cause)
            coding.proposed.insert(coding.proposed.index(draft), cause)
    for draft in list(coding.proposed):
        for note in coding.codes.notes(draft.code, "use_additional"):
            for other in [d for d in coding.proposed if d is not draft and note.codes.matches(d.code)]:
                if coding.proposed.index(other) < coding.proposed.index(draft):
                    if any(n.codes.matches(other.code) for n in coding.codes.notes(other.code, "code_first")):
                        continue
                    coding.proposed.remove(other)
                    coding.proposed.insert(coding.proposed.index(draft) + 1, other)
