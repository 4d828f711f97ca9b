"""What an answer to a gap would change: the note is reviewed again with the answer supposed to stand in it.

A gap's `would_change` is what the tabular alone promises; what is said here comes out of a whole review, with every
rule and policy. The note and its report are never changed; words that are only supposed are marked as such, and every
place that is named is a place in the note as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from code_maps.coverage.policy import Criterion, Way
from code_maps.gaps import axis_questions, element_wordings, gap_rules, is_open_answer
from code_maps.icd10cm import CodeSet, load
from models.claim import Claim
from models.gap import Gap, Supposed, SupposedEvidence
from models.proposal import Evidence
from models.report import Report
from models.text import Layout, Note
from pipeline.claims import book_at_hand
from pipeline.compare import compare
from pipeline.review import review
from pipeline.sections import read_layout

_ASSESSED = ("assessment_plan", "assessment", "diagnoses", "discharge_diagnoses", "plan", "mdm")
_HISTORY = ("history_of_present_illness", "interval_history", "subjective", "chief_complaint")
# Where a statement is written, by what is missing: the first of these sections that the note has. Where it has none
# the statement gets a heading of its own at the end.
_WRITTEN_IN: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "exam": ("Physical exam", ("physical_exam", "vitals")),
    "history": ("History of present illness", _HISTORY),
    "duration": ("History of present illness", _HISTORY),
    "conservative-treatment": ("History of present illness", _HISTORY),
    "result": ("Results", ("results", "labs", "imaging")),
}
_OPEN = "An open question: what changes depends on the provider's own words."
_POLICY = "No words that the policy names answer this: its own text has to be read."
_NOTHING = "This answer adds nothing that a code or a policy could rest on."
_SAME = "No code and no verdict changes."
_SIDE = re.compile(r"\b(?:right|left|bilateral)\b", re.IGNORECASE)
_CRITERION = "policy-criteria"
_BILLED = re.compile(r"Documentation of ([A-Z]\w\w(?:\.\w{1,4})?)$")


@dataclass(frozen=True, slots=True)
class _Insert:
    """Words put into a note at a place of it."""

    at: int
    words: str


def answers(gap: Gap) -> tuple[str, ...]:
    """The answers to a gap that can be supposed: its options, a policy's criterion, or the one statement that its rule
    words; none for an open question."""
    if gap.options:
        return gap.options
    if gap.rule == _CRITERION:
        return (gap.about,)
    said = _statement(gap)
    return (said,) if said else ()


def suppose(
    note: Note, claim: Claim | None, report: Report, gap: Gap, answer: str, model: str | None = None
) -> Supposed:
    """What would become of `report`, the review of `note` and `claim`, if `answer` to `gap` stood in the note.

    An answer that says nothing further ("Other", "Unable to determine") and one to an open question change nothing, and
    the result says so. Where there are several usual ways to write an answer the first one that leads to a code of
    `would_change` counts, else the first that changes anything, else the first. Costs one review for each way tried.
    """
    if is_open_answer(answer):
        return Supposed(answer, why=_NOTHING)
    layout = read_layout(note.text)
    ways = _ways(note, claim, report, layout, gap, answer)
    if not ways:
        return Supposed(answer, why=_POLICY if gap.rule == _CRITERION else _OPEN)
    found: list[Supposed] = []
    for inserts in ways:
        text = _with(note.text, inserts)
        then = review(replace(note, text=text), claim, model=model)
        found.append(_difference(gap, answer, report, then, note.text, inserts))
        if _rank(gap, found[-1]) == 0:
            break
    return min(found, key=lambda one: _rank(gap, one))


def suppose_answers(
    note: Note, claim: Claim | None, report: Report, gap: Gap, model: str | None = None
) -> tuple[Supposed, ...]:
    """What each answer to one gap would change; one entry that says so where there is no answer to suppose."""
    said = answers(gap)
    if not said:
        return (Supposed("", why=_OPEN),)
    return tuple(suppose(note, claim, report, gap, answer, model) for answer in said)


def with_supposed(note: Note, claim: Claim | None, report: Report, model: str | None = None) -> Report:
    """The report with what each answer would change beside every gap; all else is as it was."""
    gaps = tuple(replace(gap, supposed=suppose_answers(note, claim, report, gap, model)) for gap in report.gaps)
    return replace(report, gaps=gaps)


# --- composing ---------------------------------------------------------------------------------------------------


@cache
def _wordings() -> Mapping[str, tuple[str, ...]]:
    """Rule id -> how an answer to its question is written."""
    return {rule.id: tuple(rule.data["supposed"]) for rule in gap_rules() if "supposed" in rule.data}


def _wording(gap: Gap) -> tuple[str, ...]:
    if gap.rule == "open-axis":
        return next((q.supposed for q in axis_questions().values() if q.missing == gap.missing), ())
    if gap.rule == "missing-element":
        return element_wordings().get(gap.missing, ())
    return _wordings().get(gap.rule, ())


def _statement(gap: Gap) -> str:
    """The statement that answers a gap without options, or "" where none is worded."""
    said = next((w for w in _wording(gap) if "{answer}" not in w), "")
    return _sentence(said.replace("{about}", gap.about).replace("{evidence}", "…"))


def _sentence(words: str) -> str:
    words = words.strip()
    return words[:1].upper() + words[1:]


def _ways(
    note: Note, claim: Claim | None, report: Report, layout: Layout, gap: Gap, answer: str
) -> list[tuple[_Insert, ...]]:
    """The ways to write an answer into the note, most usual first."""
    if gap.rule == _CRITERION:
        said, assessed = _criterion_words(note, claim, report, gap)
        return [(_placed(note.text, layout, "other" if assessed else "history", None, said),)] if said else []
    anchor = _anchor(report, gap)
    if not gap.options:
        statement = _statement(gap)
        if statement.startswith("…") and gap.evidence:
            words = gap.evidence[0].text.rstrip(" .;,")
            return [(_Insert(gap.evidence[0].start + len(words), statement[1:]),)]
        return [(_placed(note.text, layout, gap.missing, anchor, statement),)] if statement else []
    ways: list[tuple[_Insert, ...]] = []
    titles = load(note.date_of_service)
    for wording in _wording(gap) or ("{evidence}, {answer}",):
        said = _filled(wording, gap, answer, titles)
        if not said:
            continue
        before, inline, after = said.partition("{evidence}")
        if not inline:
            ways.append((_placed(note.text, layout, gap.missing, anchor, _sentence(said)),))
        elif anchor is not None:
            pieces = (_Insert(anchor.start, before), _Insert(anchor.end, after))
            ways.append(tuple(p for p in pieces if p.words))
    return ways


def _filled(wording: str, gap: Gap, answer: str, codes: CodeSet) -> str:
    """A wording with all but "{evidence}" filled in; "" where it asks for what the answer doesn't give."""
    code = _promised(gap, answer)
    side = _SIDE.search(answer)
    known = {
        "{answer}": answer,
        "{about}": gap.about,
        "{side}": side[0].lower() if side else "",
        "{title}": codes.title(code) if code and code in codes else "",
    }
    for name, value in known.items():
        if name in wording:
            if not value:
                return ""
            wording = wording.replace(name, value)
    return wording


def _anchor(report: Report, gap: Gap) -> Evidence | None:
    """The words of the note that an answer is written beside: those of the code, in the assessment if it stands there."""
    proposal = next((p for p in report.proposals if p.code == gap.code), None)
    places = proposal.evidence if proposal else gap.evidence
    return next((e for e in places if e.section in _ASSESSED), next(iter(places), None))


def _placed(text: str, layout: Layout, missing: str, anchor: Evidence | None, statement: str) -> _Insert:
    """A statement where it would be written: in the section that it belongs to, or behind the sentence it answers."""
    heading, categories = _WRITTEN_IN.get(missing, ("Assessment", _ASSESSED))
    if missing not in _WRITTEN_IN and anchor is not None and anchor.section in _ASSESSED:
        at = next((s.end for s in layout.sentences if s.start <= anchor.start < s.end), anchor.end)
        stop = "" if text[max(0, at - 1) : at] in (".", "!", "?", ":", ";") else "."
        return _Insert(at, f"{stop} {statement}")
    for category in categories:
        section = next((s for s in reversed(layout.sections) if s.category == category), None)
        if section is not None:
            end = section.end - len(text[section.body : section.end]) + len(text[section.body : section.end].rstrip())
            return _Insert(max(section.body, end), f"\n{statement}")
    return _Insert(len(text), f"\n\n{heading}:\n{statement}")


def _with(text: str, inserts: Sequence[_Insert]) -> str:
    for insert in sorted(inserts, key=lambda i: -i.at):
        text = text[: insert.at] + insert.words + text[insert.at :]
    return text


def _criterion_words(note: Note, claim: Claim | None, report: Report, gap: Gap) -> tuple[str, bool]:
    """What the note would say to meet a policy's criterion, in the policy's words, and whether it is a diagnosis."""
    billed = _BILLED.match(gap.about)
    if billed:
        codes = load(note.date_of_service)
        return (f"{codes.title(billed[1])}." if billed[1] in codes else ""), True
    for criterion in _criteria_of(claim, report, gap):
        for way in criterion.ways:
            said = _words_of(way)
            if said:
                return said, False
    return "", False


def _criteria_of(claim: Claim | None, report: Report, gap: Gap) -> Iterable[Criterion]:
    """The criteria that a gap is about, as the policies of its line state them."""
    if claim is None or report.claim is None:
        return
    book, on = book_at_hand(), claim.date_of_service or report.note.date_of_service
    for verdict in report.claim.lines:
        if gap.about not in verdict.missing or not gap.id.startswith(f"policy-criteria:{verdict.code}-"):
            continue
        day = claim.lines[verdict.line - 1].date_of_service or on
        for policy in book.find(verdict.code, day, claim.state, claim.contract, claim.payer).policies:
            yield from (c for c in policy.criteria if c.text == gap.about)


def _words_of(way: Way) -> str:
    """The words that meet one way of a criterion; "" where it asks for what no note can say."""
    if way.codes or way.modifiers or way.age is not None or way.sex is not None:
        return ""
    said = [way.words[0]] if way.words else []
    if way.measure is not None:
        number = way.measure.at_least if way.measure.at_least > float("-inf") else way.measure.at_most
        said.append(f"{way.measure.words[0]} {number:g}")
    return _sentence(", ".join(said)) + "." if said else ""


# --- what differs ------------------------------------------------------------------------------------------------


def _changes(supposed: Supposed) -> bool:
    return bool(supposed.codes or supposed.verdicts or supposed.levels)


def _rank(gap: Gap, supposed: Supposed) -> int:
    """How well a way to write an answer was understood: 0 as the tabular promises, 4 not at all."""
    arrived = [new for _, new in supposed.codes if new]
    promised = _promised(gap, supposed.answer)
    if _leads_to(arrived, (promised,)) if promised else supposed.expected:
        return 0
    if supposed.expected:
        return 1
    return 2 if arrived or supposed.verdicts else 3 if _changes(supposed) else 4


def _difference(gap: Gap, answer: str, now: Report, then: Report, text: str, inserts: tuple[_Insert, ...]) -> Supposed:
    """Two reports as one answer: what each code, verdict and level becomes."""
    found = compare(now, then, by_words=True)
    codes = (
        *((r.before, r.after) for r in found.replaced),
        *((g.code, None) for g in found.gone),
        *((None, a.code) for a in found.added),
    )
    verdicts = tuple((v.line, *v.verdict) for v in found.verdicts if v.verdict[0] != v.verdict[1])
    was, will = _ids(now), _ids(then)
    promised = _promised(gap, answer)
    # A heading is no code yet, but it is where the answer leads: it asks for what comes next.
    heading = next((c.code for c in then.candidates if promised and c.code.startswith(promised)), None)
    if heading and (gap.code, None) in codes:
        codes = tuple((gap.code, heading) if pair == (gap.code, None) else pair for pair in codes)
    arrived = {after for _, after in codes if after}
    to = gap.would_change.to if gap.would_change else ()
    # Answers that no code of their own is promised to may well change nothing.
    expected = True if to and _leads_to(arrived, to) else False if promised else None
    return Supposed(
        answer=answer,
        words=tuple((i.at, i.words.strip()) for i in inserts),
        codes=codes,
        verdicts=verdicts,
        levels=found.levels,
        resolved=tuple(i for i in was if i not in will),
        opened=tuple(i for i in will if i not in was),
        evidence=tuple(
            dict.fromkeys(
                _evidence(e, text, inserts) for p in then.proposals if p.code in arrived for e in p.evidence[:2]
            )
        ),
        expected=expected,
        why=_why(heading, promised, expected) if codes or verdicts or found.levels else _SAME,
    )


def _why(heading: str | None, promised: str, expected: bool | None) -> str:
    if heading and expected:
        return f"{heading} is a heading: a further detail is needed before it is a code."
    if expected is False:
        return f"The tabular alone would lead to {promised}; the review of the whole note doesn't."
    return ""


def _promised(gap: Gap, answer: str) -> str:
    """The code that the tabular alone promises for one answer; "" where none is said."""
    to = gap.would_change.to if gap.would_change else ()
    said = [option for option in gap.options if not is_open_answer(option)]
    return to[said.index(answer)] if answer in said and len(said) == len(to) else ""


def _leads_to(codes: Iterable[str], promised: tuple[str, ...]) -> bool:
    """Whether one of some codes is promised, or lies under it (a stem that other words complete)."""
    return any(code.startswith(promised) for code in codes)


def _ids(report: Report) -> dict[str, None]:
    """All gaps that a report knows of, shown, left out or settled before."""
    return dict.fromkeys(g.id for g in (*report.gaps, *report.further_gaps, *(report.settled or ())))


def _evidence(evidence: Evidence, text: str, inserts: tuple[_Insert, ...]) -> SupposedEvidence:
    """Evidence of the supposed note, with its place in the real one unless supposed words are part of it."""
    start, end, shift = evidence.start, evidence.end, 0
    for insert in sorted(inserts, key=lambda i: i.at):
        low = insert.at + shift
        high = low + len(insert.words)
        if evidence.start < high and evidence.end > low:
            return SupposedEvidence(evidence.text, supposed=True)
        if evidence.start >= high:
            start, end = start - len(insert.words), end - len(insert.words)
        shift += len(insert.words)
    same = text[start:end] == evidence.text
    return SupposedEvidence(evidence.text, not same, start if same else None, end if same else None)
