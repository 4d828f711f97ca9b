"""A denied claim line to an appeal: each thing that its policy asks for, with the note's own sentences beside it.

Nothing is said that note, claim or policy don't hold: a point without words of the note isn't shown, and where the
record doesn't carry the line the appeal says so instead of arguing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from code_maps.appeals import carc_of, denials
from code_maps.coverage import CoveragePolicy, is_medicare
from code_maps.icd10cm import CodeSet, load
from code_maps.rulefile import Source
from code_maps.services import service_name
from models.appeal import Appeal, Point
from models.claim import Claim, ClaimCheck, Verdict
from models.finding import Finding
from models.problem import InputProblem
from models.proposal import Evidence
from models.report import Report
from models.text import Layout, Note, Span
from pipeline import claims
from pipeline.assertions import assert_spans
from pipeline.review import of_encounter, review
from pipeline.sections import read_layout

MOST_EXCERPTS = 3
_LONGEST = 400

# A sentence that says that something wasn't done never shows that it was, whatever words it holds.
_UNDONE = re.compile(
    r"\b(?:not|never|n't|yet to be)\s+(?:been\s+|be\s+)?(?:done|performed|held|offered|discussed|documented|obtained|"
    r"completed|given|received|had|tried|available)\b|\b(?:declin|refus|deferr|postpon|cancel)\w*\b|\bnot yet\b",
    re.IGNORECASE,
)

# What the record lacks for these can't be argued; the claim is put right, or the service isn't covered.
_CORRECTED = frozenset({"ERROR_NO_DX", "FAIL_NOT_LINKED"})
_UNSUPPORTED = frozenset({"FAIL_DX", "FAIL_SECONDARY_MISSING", "NON_COVERED", "RESTRICTED_FREQUENCY"})


@dataclass(frozen=True)
class _Case:
    note: Note
    claim: Claim
    report: Report
    check: ClaimCheck
    verdict: Verdict
    layout: Layout
    release: CodeSet


def appeal(note: Note, claim: Claim, line: int, carc: str | None = None, report: Report | None = None) -> Appeal:
    """The appeal of one claim line (1-based). `carc` is the reason code of the remittance; else the predicted one.

    `report` is the review of this note and claim, if it is at hand. Raises InputProblem for a line that isn't there
    or a reason code that can't be one.
    """
    if not 1 <= line <= len(claim.lines):
        raise InputProblem(f"there is no line {line}", "the claim", f"it has lines 1 to {len(claim.lines)}")
    given = carc_of(carc) if carc else None
    report = report or review(note, claim)
    assert report.claim is not None
    claim = of_encounter(claim, note)
    if report.claim.assumed_diagnoses:
        claim = claims.assume(claim, report.proposals, load)
    verdict = report.claim.lines[line - 1]
    billed = claim.lines[line - 1]
    on = billed.date_of_service or claim.date_of_service
    case = _Case(note, claim, report, report.claim, verdict, read_layout(note.text), load(on))
    code = given or verdict.carc
    reason = denials().reason(code)
    policy = _policy(case)
    points = _points(case, policy)
    pointed = [claim.diagnoses[p - 1] for p in billed.pointers if 1 <= p <= len(claim.diagnoses)]
    medicare = is_medicare(claim.payer)
    warnings = tuple(_warnings(case, points, pointed, given))
    return Appeal(
        line=line,
        code=billed.code,
        service=service_name(billed.code),
        modifiers=billed.modifiers,
        date_of_service=on,
        diagnoses=tuple((dx, case.release.title(dx) if dx in case.release else "") for dx in dict.fromkeys(pointed)),
        verdict=verdict.verdict,
        arguable=_arguable(case, points, pointed),
        medicare=medicare,
        carc=code,
        rarc=verdict.rarc if code == verdict.carc else None,
        cause=reason.cause if reason else "",
        answer=reason.answer if reason else "",
        policy=verdict.policy,
        citation=next((str(source) for source in policy.rule.sources), "") if policy else "",
        points=points,
        warnings=warnings,
        sources=tuple(_sources(policy, medicare)),
    )


# --- whether it can be argued ------------------------------------------------------------------------------------


def _arguable(case: _Case, points: Sequence[Point], pointed: Sequence[str]) -> bool:
    if case.verdict.verdict in _CORRECTED | _UNSUPPORTED or _undocumented(case, pointed) or _level_above(case):
        return False
    if any(p.required and p.state in ("not documented", "contradicted") for p in points):
        return False
    return any(p.state == "shown" for p in points)


def _undocumented(case: _Case, pointed: Sequence[str]) -> list[str]:
    return [dx for dx in dict.fromkeys(pointed) if dx in case.check.undocumented]


def _level_above(case: _Case) -> bool:
    em = case.report.em
    return bool(em and em.billed == case.verdict.code and em.supports and em.billed not in em.supports)


def _warnings(case: _Case, points: Sequence[Point], pointed: Sequence[str], given: str | None) -> Iterable[str]:
    """What has to be known before the letter is sent, what weighs most first."""
    verdict, facts = case.verdict, denials()
    lacking = _undocumented(case, pointed)
    if lacking:
        yield f"The note doesn't show {', '.join(lacking)}, to which the line points."
    if verdict.verdict in _UNSUPPORTED:
        yield f"The claim isn't supported: {verdict.why}"
    if _level_above(case):
        em = case.report.em
        assert em is not None
        yield f"The note supports {' or '.join(em.supports)}; {em.billed} was billed."
    known = lacking or verdict.verdict in _UNSUPPORTED  # what the first point would say again
    missing = [p.asked for p in points[1 if known else 0 :] if p.state == "not documented" and p.required]
    if missing:
        yield f"The note doesn't show what {'the policy asks' if verdict.policy else 'is asked'} for: {'; '.join(missing)}."
    against = [p.asked for p in points if p.state == "contradicted"]
    if against:
        yield f"The claim speaks against what the policy asks for: {'; '.join(against)}."
    if verdict.verdict in _CORRECTED:
        yield f"{verdict.why} {facts.reopening.words} ({facts.reopening.source})"
    if not any(p.state == "shown" for p in points):
        yield "No words of the note were found that answer the denial."
    if missing or lacking or verdict.verdict in _UNSUPPORTED:
        yield f"{facts.amendment.words} ({facts.amendment.source})"
    reason = facts.reason(given or verdict.carc)
    if reason and reason.first:
        yield reason.first
    if given and verdict.carc and given != verdict.carc:
        yield f"The remittance says {given}; by our reading of the claim {verdict.carc} was to be expected."
    if given and not reason:
        yield f"Reason code {given} has no text here; read what X12's list says of it."
    if verdict.verdict.startswith("PASS"):
        yield f"By our reading the line stands: {verdict.why}"


def _sources(policy: CoveragePolicy | None, medicare: bool) -> Iterable[str]:
    facts = denials()
    if policy:
        yield from (_cited(source) for source in policy.rule.sources)
    elif medicare:
        yield facts.necessity.source
    if medicare:
        yield from (f"{title}, {url}" for title, url in facts.level.sources)


def _cited(source: Source) -> str:
    return f"{source}, {source.url}" if source.url else str(source)


# --- points ------------------------------------------------------------------------------------------------------


def _points(case: _Case, policy: CoveragePolicy | None) -> tuple[Point, ...]:
    points = [_diagnosis(case)] if case.verdict.verdict != "ERROR_NO_DX" else []
    if policy:
        points += _criteria(case, policy)
        points += _limits(case, policy)
    if _is_visit(case):
        points += _level(case)
    elif not policy or len(points) == 1:
        points += _elements(case)
    return tuple(points)


def _policy(case: _Case) -> CoveragePolicy | None:
    """The policy that decided the line, with its criteria."""
    named = case.verdict.policy
    if named is None:
        return None
    line, claim = case.claim.lines[case.verdict.line - 1], case.claim
    on = line.date_of_service or claim.date_of_service
    found = claims.book_at_hand().find(line.code, on, claim.state, claim.contract, claim.payer)
    return next((p for p in found.policies if p.id == named.id and p.version == named.version), None)


def _diagnosis(case: _Case) -> Point:
    """The condition that the line is for, as the note documents it."""
    verdict = case.verdict
    wanted = verdict.diagnoses
    covered = "A diagnosis that the policy covers" if verdict.policy else "The condition that the service was for"
    if verdict.verdict in _UNSUPPORTED and verdict.verdict != "RESTRICTED_FREQUENCY":
        return Point(covered, "not documented", required=True)
    asked = f"{covered}: {', '.join(wanted)}" if wanted else covered
    if verdict.verdict == "FAIL_NOT_LINKED" and verdict.supported_but_not_pointed:
        wanted = verdict.supported_but_not_pointed
        asked = f"{covered}: {', '.join(wanted)}, which the line doesn't point to"
    excerpts = _excerpts(case, (place for dx in wanted for place in _saying(case, dx)))
    if excerpts:
        return Point(asked, "shown", excerpts, required=True)
    if wanted and not set(wanted) & set(case.check.undocumented):
        return Point(asked, "on the claim", (), tuple(f"diagnosis {dx}" for dx in wanted), required=True)
    return Point(asked, "not documented", required=True)


def _saying(case: _Case, dx: str) -> list[Evidence]:
    """Words of the note that say a diagnosis: its evidence, or present findings of the patient that name it."""
    proved = [e for p in case.report.proposals if p.code == dx for e in p.evidence[:2]]
    if proved or dx in case.check.undocumented:
        return proved
    return [_words(f) for f in case.report.findings if f.place and dx.startswith(f.place) and f.present and f.patients][
        :2
    ]


def _criteria(case: _Case, policy: CoveragePolicy) -> list[Point]:
    """What the policy asks for beside a diagnosis, and what else the verdict says is missing."""
    named = case.verdict.policy
    note = claims.NoteEvidence(
        case.note.text, case.report.findings, case.report.proposals,
        lambda spans: assert_spans(case.note.text, case.layout, list(spans)),
    )  # fmt: skip
    group = named.group if named else None
    read = claims.read_criteria(case.claim, case.verdict.line, policy, group, load, note)
    points = []
    for criterion in read:
        excerpts = tuple(e for e in _excerpts(case, criterion.evidence) if not _UNDONE.search(e.text))
        if criterion.state == "contradicted":
            points.append(Point(criterion.text, "contradicted", required=criterion.binding))
        elif criterion.state == "met" and excerpts:
            points.append(Point(criterion.text, "shown", excerpts, criterion.facts, criterion.binding))
        elif criterion.state == "met" and criterion.facts and not criterion.evidence:
            points.append(Point(criterion.text, "on the claim", (), criterion.facts, criterion.binding))
        else:
            points.append(Point(criterion.text, "not documented", required=criterion.binding))
    known = {p.asked for p in points}
    documentation = tuple(f"Documentation of {dx}" for dx in case.verdict.diagnoses)
    others = [m for m in case.verdict.missing if m not in known and m not in documentation]
    return [*points, *(Point(text, "not documented", required=True) for text in others)]


def _limits(case: _Case, policy: CoveragePolicy) -> list[Point]:
    """A limit in time that the policy sets on the service, and the earlier services that the claim knows."""
    state = next((r.removeprefix("frequency-") for r in case.verdict.reasons if r.startswith("frequency-")), None)
    if state is None:
        return []
    code = case.verdict.code
    said = next((limit.quote for limit in policy.frequency if code in limit.services and limit.quote), "")
    asked = f"The limit in time of the policy: “{said}”" if said else "The limit in time of the policy"
    past = [p for p in case.claim.history or () if p.code == code]
    facts = tuple(f"{p.code} on {p.date_of_service}" for p in past)
    if case.claim.history is not None and not past:
        facts = (f"no earlier {code} known",)
    if state == "exceeded":
        return [Point(asked, "contradicted", (), facts, required=True)]
    return [Point(asked, "on the claim" if facts else "not documented", (), facts)]


def _is_visit(case: _Case) -> bool:
    em = case.report.em
    return bool(em and em.billed == case.verdict.code)


def _level(case: _Case) -> list[Point]:
    """What the level of a visit rests on."""
    em = case.report.em
    assert em is not None
    by_id = {f.id: f for f in case.report.findings}
    points = []
    for reason in em.reasons:
        excerpts = _excerpts(case, [_words(by_id[key]) for key in reason.findings if key in by_id])
        if excerpts:
            points.append(
                Point(f"Medical decision making, {reason.element}: {reason.why.rstrip('.')}", "shown", excerpts)
            )
    return points


_ELEMENTS: tuple[tuple[str, Callable[[Finding], bool]], ...] = (
    ("Symptoms", lambda f: f.kind == "symptom"),
    ("History and course", lambda f: f.kind == "history" or "history" in f.section),
    ("Treatment given or tried", lambda f: f.kind == "treatment"),
    ("Examination", lambda f: f.kind == "exam" or "exam" in f.section),
    ("Results", lambda f: f.kind == "result" or "result" in f.section),
    ("Why the service was chosen", lambda f: f.kind == "rationale"),
)


def _elements(case: _Case) -> list[Point]:
    """What shows a service reasonable and necessary where no policy lists criteria: the elements of documentation.

    Those of the problem that the line's diagnoses name; of the whole note only where no problem of it is one of them.
    """
    pointed = (*case.verdict.diagnoses, *_pointed(case))
    wanted = {dx[:3] for dx in pointed}
    named = {f.id for f in case.report.findings if f.place[:3] in wanted and f.present and f.patients}
    mine = {
        key for p in case.report.problem_elements
        if (p.code and p.code[:3] in wanted) or not named.isdisjoint(p.findings) for key in p.findings
    }  # fmt: skip
    findings = [f for f in case.report.findings if f.patients and f.assertion.presence in ("present", "negated")]
    about = [f for f in findings if f.id in mine] or findings
    points = []
    for name, fits in _ELEMENTS:
        chosen = [f for f in about if fits(f)]
        chosen.sort(key=lambda f: not f.present)
        excerpts = _excerpts(case, [_words(f) for f in chosen], most=2)
        points.append(Point(name, "shown" if excerpts else "not documented", excerpts))
    return points


def _pointed(case: _Case) -> list[str]:
    line = case.claim.lines[case.verdict.line - 1]
    return [case.claim.diagnoses[p - 1] for p in line.pointers if 1 <= p <= len(case.claim.diagnoses)]


# --- excerpts ----------------------------------------------------------------------------------------------------


def _words(finding: Finding) -> Evidence:
    return Evidence(finding.start, finding.end, finding.text, finding.section)


def _excerpts(case: _Case, places: Iterable[Evidence], most: int = MOST_EXCERPTS) -> tuple[Evidence, ...]:
    """The sentences around some words, each once, in the order in which they are given."""
    found: dict[tuple[int, int], Evidence] = {}
    for place in places:
        span = _sentence(case, place)
        if any(a <= span.start and span.end <= b for a, b in found):
            continue
        section = _section(case.layout, span.start)
        found[span.start, span.end] = Evidence(span.start, span.end, span.of(case.note.text), section)
        if len(found) == most:
            break
    return tuple(found.values())


def _sentence(case: _Case, place: Evidence) -> Span:
    """The sentence around some words; of a very long one the part around them, cut at spaces."""
    text = case.note.text
    around = next((s for s in case.layout.sentences if s.start <= place.start < s.end), None)
    start, end = (min(around.start, place.start), max(around.end, place.end)) if around else (place.start, place.end)
    after = next((s for s in case.layout.sentences if s.start >= end), None)
    if after and text[end - 1] not in ".;:!?" and "\n" not in text[end : after.start]:
        end = after.end  # cut in the middle of a line: the rest of the line belongs to it
    if end - start > _LONGEST:
        low = max(start, place.start - _LONGEST // 2)
        high = min(end, max(place.end, place.start + _LONGEST // 2))
        start = start if low == start else text.find(" ", low, place.start) + 1 or place.start
        cut = text.rfind(" ", place.end, high)
        end = end if high == end else cut if cut > place.end else place.end
    title = next((s for s in case.layout.sections if s.start == start and s.body >= end), None)
    if title is not None:  # a heading alone says nothing: the first sentence below it belongs to it
        first = next((s for s in case.layout.sentences if s.start >= end and s.start < title.end), None)
        end = min(first.end, first.start + _LONGEST) if first else end
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end)


def _section(layout: Layout, at: int) -> str:
    return next((s.category for s in reversed(layout.sections) if s.start <= at < s.end), "")
