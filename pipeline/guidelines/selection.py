"""Which drafts are coded at this visit: what the provider assessed, and what else bears on care (OCG IV.D, F, G, I, J)."""

from __future__ import annotations

import re
from dataclasses import replace

from code_maps.axes import axis_of
from code_maps.axes.branches import SIDES
from code_maps.terms import term_words
from pipeline.guidelines.coding import Coding, under_any
from pipeline.proposals import Draft


def choose_assessed(coding: Coding, drafts: list[Draft]) -> None:
    """OCG IV.F, IV.G, IV.J: what the provider assessed is coded; the rest needs a reason to be."""
    stated = [d for d in drafts if coding.stands(d) in ("title", "assessed")]
    firm = [d for d in stated if d.code[0] not in "RZ"]
    firm_problems = {d.finding.problem for d in stated if coding.stands(d) == "title"}
    in_title = any(coding.stands(d) == "title" for d in stated)
    elsewhere = any(d.finding.section != "imaging" and d.code[0] != "Z" for d in drafts)
    current = {d.finding.place[:3] for d in drafts if not d.finding.historical}
    for draft in drafts:
        stands, code = coding.stands(draft), draft.code
        if code[0] == "Z" and draft.finding.historical and draft.finding.place[:3] in current:
            coding.set_aside(draft, "the note says elsewhere that it is current")
            continue
        if draft.finding.historical and code[0] in "ST":
            coding.proposed.append(draft)  # a late effect: by_assertion lets no other past injury through
            continue
        if code == "Z23" and stands != "reason" and _NOT_GIVEN.search(_sentence(coding, draft)):
            coding.set_aside(draft, "a vaccine that isn't given at this visit")
            continue
        if stands == "other clinician":
            _by_another_clinician(coding, draft)
            continue
        if elsewhere and not coding.outpatient and draft.finding.section == "imaging" and stands != "title":
            coding.set_aside(draft, "a radiologist's finding that the attending doesn't restate (OCG III.B)")
            continue
        fuller = None if stands in ("title", "assessed") else _named_more_fully(coding, draft, stated)
        if fuller is not None:
            why = f"The assessment names it more fully: {fuller.code}."
            coding.withheld.append((draft, "more-specific-documented", why))
            continue
        # A general word is what is assessed where it is all that a problem says, and nothing says more of it elsewhere.
        alone = (
            stands == "title"
            and code not in ("R69", "B99.9")
            and _whole_title(coding, draft)
            and not any(
                d is not draft
                and (d.finding.problem == draft.finding.problem or draft.finding.text.lower() in d.finding.text.lower())
                and d.code != code
                for d in drafts
            )
        )
        if draft.finding.source == "general" and (stated or coding.outpatient) and not alone:
            coding.set_aside(draft, "a general word; the note says elsewhere what is meant")
            continue
        symptom = code[0] == "R" or under_any(code, coding.facts.symptom_like)
        if not stated:
            _narrative(coding, draft, symptom)
        elif stands == "title" and draft.code in coding.facts.after_operation:
            _status(coding, draft, stated=True)
        elif stands == "title":
            coding.proposed.append(draft)
        elif stands == "assessed" and code[0] in "ZVWXY":
            _status(coding, draft)
        elif stands == "assessed":
            if (
                symptom
                and not _pursued(coding, draft)
                and (in_title if not firm else draft.finding.problem in firm_problems or firm)
            ):
                coding.set_aside(draft, "a symptom inside an assessed problem")
            else:
                coding.proposed.append(draft)
        elif code[0] in "ZVWXY":
            _status(coding, draft)
        elif symptom:
            coding.set_aside(draft, "a symptom outside the assessment")
        elif (
            draft.finding.section == "chief_complaint"
            or code in coding.facts.systemic
            or code in coding.facts.always
            or _is_treated(coding, draft)
        ):
            coding.proposed.append(
                replace(
                    draft,
                    rules=(
                        *draft.rules,
                        ("coexisting-condition", "A chronic disease that is treated or bears on care is coded."),
                    ),
                )
            )
        else:
            coding.set_aside(draft, "mentioned outside the assessment, without monitoring, evaluation or treatment")


def _pursued(coding: Coding, draft: Draft) -> bool:
    """Whether the plan pursues a symptom by itself: an order or treatment in its sentence, or one that names it."""
    named = {t.word for t in coding.around.own(draft.finding)}
    for other in coding.around.findings:
        if other.kind != "order" or not other.present or other.problem != draft.finding.problem or other.sentence < 0:
            continue
        if other.sentence == draft.finding.sentence:
            return True
        if named & {t.word for t in coding.around.reading.sentences[other.sentence]}:
            return True
    return False


def _by_another_clinician(coding: Coding, draft: Draft) -> None:
    """OCG I.B.14: nurses, dietitians and others may document stages, the BMI and social circumstances, no diagnosis."""
    if under_any(draft.code, ("Z55-Z65",)):
        coding.proposed.append(draft)
    else:
        coding.set_aside(draft, "stated by another clinician than the provider")


def _is_treated(coding: Coding, draft: Draft) -> bool:
    return under_any(draft.code, coding.treated) or any(
        place.startswith(draft.finding.place) for place in coding.treated
    )


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


def _status(coding: Coding, draft: Draft, stated: bool = False) -> None:
    """Status and encounter codes hold wherever they are said; history and circumstance codes need relevance."""
    if draft.code[0] in "VWXY" and coding.stands(draft) in ("planned", "assessed"):
        coding.set_aside(draft, "an activity in the plan, not a cause")
        return
    planned = draft.finding.sentence >= 0 and _PLANNED.search(_sentence(coding, draft))
    past = (not planned and (stated or draft.finding.historical)) or (
        not planned and coding.stands(draft) == "background"
    )
    if under_any(draft.code, coding.facts.implants) and planned:
        coding.set_aside(draft, "an operation that is only planned")
    elif under_any(draft.code, coding.facts.after_operation) and not past:
        coding.set_aside(draft, "an operation of this episode, not yet a status")
    elif (
        draft.code[0] in "VWXY"
        or under_any(draft.code, coding.facts.standing_status)
        or (under_any(draft.code, coding.facts.encounters) and _opens(coding, draft))
        or (draft.code == "Z23" and _given_now(coding, draft))
    ):
        coding.proposed.append(draft)
    else:
        coding.set_aside(draft, "a circumstance outside the assessment")


_GIVEN = re.compile(r"\b(?:given|gave|administered|today|received)\b", re.IGNORECASE)
_NOT_GIVEN = re.compile(
    r"\b(?:declin\w+|refus\w+|defer\w+|due|overdue|next|already|last|previous\w*|prior|up to date|recommend\w*|completed|ago"
    r"|in (?:19|20)\d\d|\d+/(?:\d+/)?(?:19|20)?\d\d)\b",
    re.IGNORECASE,
)


def _given_now(coding: Coding, draft: Draft) -> bool:
    """OCG I.C.21.c.2: whether the assessment or plan says that a vaccine was given at this visit."""
    if coding.stands(draft) not in ("title", "assessed", "planned") or draft.finding.sentence < 0:
        return False
    said = _sentence(coding, draft)
    return bool(_GIVEN.search(said)) and not _NOT_GIVEN.search(said)


_PLANNED = re.compile(
    r"\b(?:planned|scheduled|will (?:undergo|have|need|insert|place|implant|receive|proceed with)|plan(?:s|ning)? for|discussed|recommend\w*|candidate for)\b",
    re.I,
)


def _sentence(coding: Coding, draft: Draft) -> str:
    sentence = coding.layout.sentences[draft.finding.sentence]
    return coding.note.text[sentence.start : sentence.end]


def _opens(coding: Coding, draft: Draft) -> bool:
    """Whether an encounter code says why the patient came: the reason for the visit, or the note's first sentences."""
    return coding.stands(draft) == "reason" or 0 <= draft.finding.sentence < 3


def _named_more_fully(coding: Coding, draft: Draft, stated: list[Draft]) -> Draft | None:
    """The assessed draft whose words hold all of an unspecified draft's and more: a "cardiomyopathy" of the history is
    the "ischemic cardiomyopathy" of the assessment."""
    if "unspecified" not in coding.codes.title(draft.code) or draft.finding.historical:
        return None
    own = {t.word for t in coding.around.own(draft.finding)}
    for other in stated:
        asks = coding.codes.notes(other.code, "use_additional")
        if (other.code[0] == "O" and draft.code[0] != "O") or any(n.codes.matches(draft.code) for n in asks):
            continue  # asked for beside the other: the ulcer of varicose veins, the condition that complicates a pregnancy
        if other.code != draft.code and own < {t.word for t in coding.around.own(other.finding)}:
            return other
    return None


def _whole_title(coding: Coding, draft: Draft) -> bool:
    """Whether a draft's words are all that its problem's title says, sides, courses and the like aside."""
    problem = coding.layout.problems[draft.finding.problem]
    axes = axis_of()
    own = {t.word for t in coding.around.own(draft.finding)}
    said = term_words(coding.note.text[problem.title_start : problem.title_end])
    return all(w in own or w in SIDES or w in axes or not w.isalpha() for w in said)


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
    aside = [(d, why) for d, why in coding.candidates if d.finding.codable and d.finding.source != "general"]
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
