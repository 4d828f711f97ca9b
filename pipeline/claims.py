"""Whether claim lines stand: procedure, pointed diagnoses and date of service against the policies that hold.

A verdict comes from the diagnoses that a line points to and nothing else (837P SV107). A policy filters and flags;
it never adds a code. What an imported article and a starter policy say has the same shape, so both are judged here.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from code_maps.coverage import (
    CodeList,
    CoveragePolicy,
    Criterion,
    Frequency,
    Group,
    NonCovered,
    PolicyBook,
    Way,
    policy_book,
)
from code_maps.coverage.payer import payer_source
from code_maps.icd10cm import CodeSet
from models.claim import Claim, ClaimCheck, ClaimLine, OtherPolicy, Policy, Verdict, VerdictName
from models.finding import Assertion, Finding
from models.proposal import Evidence, Proposal
from models.text import Span

CodesFor = Callable[[dt.date | None], CodeSet]
Asserted = Callable[[Sequence[Span]], Sequence[Assertion]]

MOST_DIAGNOSES = 12  # 837P, HI01 to HI12
MOST_POINTERS = 4  # 837P, SV107-1 to SV107-4


@dataclass(frozen=True)
class NoteEvidence:
    """What the note gives to a claim: its text, what was found and proposed, and how words in it are asserted.

    Without `asserted`, words count wherever they stand.
    """

    text: str
    findings: tuple[Finding, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    asserted: Asserted | None = None


def check_claim(
    claim: Claim, codes_for: CodesFor, evidence: NoteEvidence | None = None, book: PolicyBook | None = None
) -> ClaimCheck:
    """One verdict for each line, and the codes that note and claim don't share when the note is at hand.

    `codes_for` gives the release for a date of service. Claim edits are another step.
    """
    book = book or book_at_hand()
    lines = tuple(_judge(number, line, claim, codes_for, evidence, book) for number, line in enumerate(claim.lines, 1))
    release = codes_for(claim.date_of_service)
    undocumented = _undocumented(claim, release, evidence) if evidence else ()
    if evidence:
        lines = tuple(_with_documentation(v, undocumented, evidence) for v in lines)
        lines = _with_pointers(lines, claim, evidence.proposals, undocumented, codes_for, book)
    billed = set(claim.diagnoses)
    return ClaimCheck(
        lines=lines,
        undocumented=undocumented,
        unbilled=tuple(dict.fromkeys(p.code for p in evidence.proposals if p.code not in billed)) if evidence else (),
        notices=tuple(_notices(claim, codes_for)),
    )


def book_at_hand() -> PolicyBook:
    """The user's own payer policies, what was imported, and the starter policies, in this order."""
    return PolicyBook((payer_source(), *policy_book().sources))


def _notices(claim: Claim, codes_for: CodesFor) -> Iterable[str]:
    for problem in payer_source().problems:
        yield f"A payer policy isn't used: {problem}"
    dates = dict.fromkeys(line.date_of_service or claim.date_of_service for line in claim.lines)
    for on in dates or {claim.date_of_service: None}:
        release = codes_for(on)
        if on is None:
            yield f"The claim has no date of service: release {release.release} is used."
        elif not release.covers:
            yield f"No installed release covers {on}: whether diagnoses are valid then was not checked."


# --- one line ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Case:
    """One line with everything that a policy may ask about."""

    number: int
    line: ClaimLine
    claim: Claim
    on: dt.date | None
    release: CodeSet
    pointed: tuple[str, ...]
    note: NoteEvidence | None

    def counts(self, code: str) -> bool:
        """Whether a diagnosis is billable on the date of service; a release that doesn't cover it proves nothing."""
        return self.release.is_billable(code) or not self.release.covers

    def everywhere(self) -> tuple[str, ...]:
        """All diagnoses of the claim that count."""
        return tuple(dict.fromkeys(code for code in self.claim.diagnoses if self.counts(code)))


@dataclass
class _Route:
    """One way through a policy that a line's diagnoses open."""

    group: int | None
    verdict: VerdictName = "PASS"
    reasons: list[str] = field(default_factory=list)
    diagnoses: tuple[str, ...] = ()
    evidence: list[Evidence] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    refused: str = ""

    def lower(self, verdict: VerdictName, reason: str, missing: str = "") -> None:
        """Make it no better than a verdict, and say why."""
        if _RANK[verdict] > _RANK[self.verdict]:
            self.verdict = verdict
        self.reasons.append(reason)
        if missing:
            self.missing.append(missing)


_RANK: dict[VerdictName, int] = {"PASS": 0, "PASS_DX_DOC_GAP": 1, "MANUAL_REVIEW": 2}


def _judge(
    number: int, line: ClaimLine, claim: Claim, codes_for: CodesFor, note: NoteEvidence | None, book: PolicyBook
) -> Verdict:
    if not book.checks(claim.payer):
        why = "The payer isn't Medicare fee-for-service: its own policies decide, and none are at hand."
        return _plain(number, line, "UNVERIFIED_PAYER", ("payer-not-medicare",), why)
    if not claim.diagnoses:
        return _no_diagnosis(number, line, "no-diagnosis", "The claim has no diagnosis.")
    if not line.pointers:
        return _no_diagnosis(number, line, "no-pointer", "The line points to no diagnosis.")
    good = [p for p in dict.fromkeys(line.pointers) if 1 <= p <= len(claim.diagnoses)]
    if not good:
        return _no_diagnosis(number, line, "dangling-pointer", "The line points only to positions that don't exist.")
    on = line.date_of_service or claim.date_of_service
    found = book.find(line.code, on, claim.state, claim.contract, claim.payer)
    pointed = tuple(dict.fromkeys(claim.diagnoses[p - 1] for p in good))
    if not found.policies:
        return _plain(number, line, "NO_POLICY", (found.reason,), _NO_POLICY[found.reason], pointed)
    case = _Case(number, line, claim, on, codes_for(on), pointed, note)
    verdict = _by_policies(case, _applying(found.policies, line.code))
    if len(good) < len(dict.fromkeys(line.pointers)):
        verdict = verdict.model_copy(update={"reasons": (*verdict.reasons, "dangling-pointer")})
    return verdict


_NO_POLICY = {
    "no-article": "No policy at hand speaks of this procedure: that makes it neither covered nor not covered.",
    "not-in-jurisdiction": "The policies at hand for this procedure don't hold in this state.",
    "not-effective-on-dos": "The policy at hand for this procedure isn't in force on the date of service.",
    "article-retired": "The policy for this procedure was retired before the date of service.",
    "article-proposed": "The policy for this procedure is only proposed.",
    "contract-type-mismatch": "The policies at hand for this procedure belong to another kind of contract.",
}


_ONE_OF_MANY = ("LCD", "Article", "payer")
# Which of several policies decides a line: the one whose diagnoses it meets best, then the one that names them, and
# last one that doesn't list them (VERDICTS: a line gets the most favourable outcome that a single route gives).
_FAVOUR: tuple[VerdictName, ...] = (
    "PASS", "PASS_DX_DOC_GAP", "MANUAL_REVIEW", "RESTRICTED_FREQUENCY", "FAIL_NOT_LINKED", "FAIL_SECONDARY_MISSING",
    "NON_COVERED", "FAIL_DX",
)  # fmt: skip


def _applying(policies: Sequence[CoveragePolicy], service: str) -> tuple[CoveragePolicy, ...]:
    """Those of the policies for a line, most authority first, that are judged side by side.

    Contractors and payers write several policies about one procedure, each for its own conditions: a line that one of
    them supports isn't judged by the others. Those that list diagnoses for the procedure leave out those that don't.
    Statute and NCDs go before and stand alone.
    """
    first = policies[0]
    if first.kind not in _ONE_OF_MANY:
        return (first,)
    equals = [p for p in policies if p.kind == first.kind]
    ruling = [p for p in equals if _groups(p, service) or any(n.serves(service) for n in p.noncovered)
              or service in p.never_covered]  # fmt: skip
    return tuple(ruling or equals)


def _by_policies(case: _Case, policies: Sequence[CoveragePolicy]) -> Verdict:
    """The verdict of the policy that applies to the line's diagnoses; the others are named with theirs."""
    verdicts = [_by_policy(case, policy) for policy in policies]
    used = min(verdicts, key=lambda v: _FAVOUR.index(v.verdict))
    rest = [v for v in verdicts if v is not used]
    if not rest:
        return used
    others = tuple(
        OtherPolicy(id=v.policy.id, title=v.policy.title, version=v.policy.version, verdict=v.verdict)
        for v in rest if v.policy
    )  # fmt: skip
    named = ", ".join(f"{o.id} ({o.verdict})" for o in others)
    return used.model_copy(update={
        "other_policies": others,
        "reasons": (*used.reasons, "several-policies"),
        "why": f"{used.why} Also in force for this line: {named}.",
    })  # fmt: skip


def _by_policy(case: _Case, policy: CoveragePolicy) -> Verdict:
    """The verdict of one policy, by the order of precedence of VERDICTS.md."""
    code = case.line.code
    if code in policy.never_covered:
        return _verdict(case, policy, "NON_COVERED", None, ("service-noncovered",), case.pointed)
    counted = tuple(c for c in case.pointed if case.counts(c))
    invalid = () if len(counted) == len(case.pointed) else ("dx-not-valid-on-dos",)
    lists = [n for n in policy.noncovered if n.serves(code)]
    hits = [(n, dx) for n in lists for dx in counted if n.codes.match(dx)]
    denied = next(((n, dx) for n, dx in hits if n.absolute), None)
    if denied:
        return _verdict(case, policy, "NON_COVERED", denied[0].number, ("dx-noncovered", *invalid), (denied[1],),
                        refusal=denied[0])  # fmt: skip
    routes = _routes(case, policy, counted)
    seen = ("dx-noncovered",) if hits else ()
    open_routes = [r for r in routes if not r.refused]
    if open_routes:
        best = min(open_routes, key=lambda r: (_RANK[r.verdict], _number(r.group)))
        return _limited(case, policy, best, (*seen, *invalid))
    refused = next((r for r in routes if r.refused), None)
    if refused:
        return _verdict(case, policy, "NON_COVERED", None, (*refused.reasons, *invalid), refused.diagnoses,
                        missing=(refused.refused,))  # fmt: skip
    if not _groups(policy, code) and lists and not hits:
        free = _Route(None, "PASS", ["not-on-noncovered-list"], counted)
        return _limited(case, policy, free, invalid)
    everywhere = _routes(case, policy, case.everywhere())
    others = tuple(dict.fromkeys(dx for r in everywhere if not r.refused for dx in r.diagnoses if dx not in counted))
    if any(not r.refused for r in everywhere):
        reasons = ("covered-dx-not-pointed", *seen, *invalid)
        return _verdict(case, policy, "FAIL_NOT_LINKED", None, reasons, case.pointed, unlinked=others)
    old = next(
        ((g, dx) for g in _groups(policy, code) if not g.secondary for dx in counted
         if g.codes.old_parent(dx, case.release)), None
    )  # fmt: skip
    if old:
        return _verdict(case, policy, "MANUAL_REVIEW", old[0].number, ("list-code-not-billable", *seen), (old[1],))
    alone = next(((g, dx) for g in _groups(policy, code) if g.requires for dx in counted if g.codes.match(dx)), None)
    if alone:
        return _verdict(case, policy, "FAIL_SECONDARY_MISSING", alone[0].number,
                        ("secondary-missing", *seen, *invalid), (alone[1],))  # fmt: skip
    if hits:
        refusal, dx = hits[0]
        return _verdict(
            case, policy, "NON_COVERED", refusal.number, ("dx-noncovered", *invalid), (dx,), refusal=refusal
        )
    partner = any(g.secondary and g.codes.match(dx) for g in _groups(policy, code) for dx in counted)
    lacking = ("no-covered-dx", *(("primary-missing",) if partner else ()), *invalid)
    lacking += ("unreadable-prose",) if any(g.unreadable for g in _groups(policy, code)) else ()
    return _verdict(case, policy, "FAIL_DX", None, lacking, case.pointed)


def _number(group: int | None) -> int:
    return group if group is not None else 0


def _groups(policy: CoveragePolicy, service: str) -> list[Group]:
    return [g for g in policy.groups if g.serves(service)]


def _routes(case: _Case, policy: CoveragePolicy, diagnoses: Sequence[str]) -> list[_Route]:
    """Every way through the policy that some diagnoses open; those that a criterion on the claim closes are refused."""
    groups = _groups(policy, case.line.code)
    if not any(not g.secondary for g in groups):
        if any(n.serves(case.line.code) for n in policy.noncovered):
            return []
        return [_without_groups(case, policy, diagnoses)]
    by_number = {g.number: g for g in policy.groups}
    found = []
    for group in groups:
        hits = [dx for dx in diagnoses if group.codes.match(dx)]
        if group.secondary or not hits:
            continue
        partners: list[str] = []
        for number in group.requires:
            partner = next((dx for dx in diagnoses if by_number[number].codes.match(dx)), None)
            if partner is None:
                break
            partners.append(partner)
        if len(partners) < len(group.requires):
            continue
        route = _Route(group.number, "PASS", ["dx-covered"], tuple(dict.fromkeys([*hits, *partners])))
        if partners:
            route.reasons.append("dx-secondary-covered")
        if any(group.codes.match(dx) == "range" for dx in hits):
            route.reasons.append("range-match")
        if group.first_pointer and hits[0] != case.pointed[0]:
            route.reasons.append("primary-not-first")
        _conditions(case, group, hits, route)
        _criteria(case, policy, route)
        found.append(route)
    return found


def _without_groups(case: _Case, policy: CoveragePolicy, diagnoses: Sequence[str]) -> _Route:
    """The way through a policy that has no diagnosis rule for the procedure."""
    route = _Route(None, "PASS", [], tuple(diagnoses))
    if policy.groups:
        route.lower("PASS_DX_DOC_GAP", "no-group-for-code", "The policy lists no diagnoses for this procedure")
    elif policy.criteria or policy.basis == "code list":
        route.lower("PASS_DX_DOC_GAP", "criteria-only")
    else:
        route.reasons.append("no-diagnosis-rule")
    _criteria(case, policy, route)
    return route


def _conditions(case: _Case, group: Group, hits: Sequence[str], route: _Route) -> None:
    """The written conditions of a group that a claim shows by a modifier, or not at all."""
    if group.unreadable:
        route.lower("MANUAL_REVIEW", "unreadable-prose", group.unreadable)
    if group.marked and all(group.marked.match(dx) for dx in hits):
        route.lower("PASS_DX_DOC_GAP", "asterisk-condition", group.mark)
    if group.modifiers:
        if not set(group.modifiers) & set(case.line.modifiers):
            route.lower("PASS_DX_DOC_GAP", "modifier-condition",
                        group.condition or f"Modifier {' or '.join(group.modifiers)}")  # fmt: skip
    elif group.condition:
        route.lower("PASS_DX_DOC_GAP", "group-condition", group.condition)


def _limited(case: _Case, policy: CoveragePolicy, route: _Route, more: Sequence[str]) -> Verdict:
    """A route's verdict, which a limit in time may replace."""
    state, limit, evidence = _frequency(case, policy, route)
    reasons = (*route.reasons, *((f"frequency-{state}",) if state else ()), *more)
    if state == "exceeded" and limit:
        return _verdict(case, policy, "RESTRICTED_FREQUENCY", route.group, reasons, route.diagnoses, limit=limit)
    return _verdict(case, policy, route.verdict, route.group, reasons, route.diagnoses,
                    missing=tuple(route.missing), evidence=(*route.evidence, *evidence))  # fmt: skip


# --- frequency ---------------------------------------------------------------------------------------------------


def months_later(day: dt.date, months: int) -> dt.date:
    """The same day so many months later; the last day of the month where it has no such day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def reached(limit: Frequency, on: dt.date, earlier: Sequence[dt.date]) -> bool:
    """Whether one more service on a date would break a limit, after services on `earlier` dates."""
    past = [day for day in earlier if day < on]
    if not past:
        return False
    last = max(past)
    if limit.fewer_than_days is not None:
        return (on - last).days < limit.fewer_than_days
    if limit.at_least_months is not None:
        return months_later(last, limit.at_least_months) > on
    if limit.full_months is not None:
        return (on.year - last.year) * 12 + on.month - last.month <= limit.full_months
    if limit.at_most is None:
        return False
    if limit.per == "12 months":
        past = [day for day in past if months_later(day, 12) > on]
    elif limit.per == "calendar year":
        past = [day for day in past if day.year == on.year]
    return len(past) + 1 > limit.at_most


def _frequency(
    case: _Case, policy: CoveragePolicy, route: _Route
) -> tuple[str, Frequency | None, tuple[Evidence, ...]]:
    """ok, exceeded, unverified, exception or "" where no limit applies; the limit and the words that lift it."""
    age = case.claim.patient.age
    applies = [
        f for f in policy.frequency
        if (not f.services or case.line.code in f.services)
        and (not f.diagnoses or (route.diagnoses and all(f.diagnoses.match(dx) for dx in route.diagnoses)))
        and not any(f.unless.match(dx) for dx in case.pointed)
        and (f.ages is None or age is None or f.ages[0] <= age <= f.ages[1])
    ]  # fmt: skip
    if not applies:
        return "", None, ()
    if case.claim.history is None or case.on is None:
        return "unverified", None, ()
    earlier = [h.date_of_service for h in case.claim.history if h.code == case.line.code]
    unknown = False
    for limit in applies:
        if not reached(limit, case.on, earlier):
            continue
        if limit.ages is not None and age is None:
            unknown = True
            continue
        lifted = _said(case.note, limit.unless_words)
        if lifted:
            return "exception", limit, lifted[:1]
        return "exceeded", limit, ()
    return ("unverified" if unknown else "ok"), None, ()


# --- criteria ----------------------------------------------------------------------------------------------------


def _criteria(case: _Case, policy: CoveragePolicy, route: _Route) -> None:
    """What the policy asks for besides diagnoses: met by claim or note, contradicted by the claim, or not seen."""
    for criterion in policy.criteria:
        if not criterion.serves(case.line.code, route.group):
            continue
        state, evidence = _criterion(case, criterion)
        if state == "met":
            route.evidence.extend(evidence)
        elif state == "contradicted" and criterion.binding:
            route.refused = criterion.text
            route.reasons = ["criterion-not-met"]
            return
        elif criterion.binding:
            route.lower("PASS_DX_DOC_GAP", "group-condition", criterion.text)
        elif case.note is not None:
            route.missing.append(criterion.text)


def _criterion(case: _Case, criterion: Criterion) -> tuple[str, tuple[Evidence, ...]]:
    states = [_way(case, way) for way in criterion.ways]
    for state, evidence in states:
        if state == "met":
            return state, evidence
    return ("contradicted" if all(s == "contradicted" for s, _ in states) else "unknown"), ()


def _way(case: _Case, way: Way) -> tuple[str, tuple[Evidence, ...]]:
    patient = case.claim.patient
    unknown = False
    evidence: list[Evidence] = []
    if way.age is not None:
        if patient.age is None:
            unknown = True
        elif not way.age[0] <= patient.age <= way.age[1]:
            return "contradicted", ()
    if way.sex is not None:
        if patient.sex is None:
            unknown = True
        elif patient.sex != way.sex:
            return "contradicted", ()
    if way.words:
        found = _said(case.note, way.words)
        unknown |= not found
        evidence.extend(found[:1])
    if way.measure is not None:
        measured = _measured(case.note, way.measure.words, way.measure.at_least, way.measure.at_most)
        unknown |= not measured
        evidence.extend(measured[:1])
    if way.codes:
        documented = [p.code for p in case.note.proposals] if case.note else []
        unknown |= not any(way.codes.match(dx) for dx in (*case.everywhere(), *documented))
    if way.modifiers:
        unknown |= not set(way.modifiers) & set(case.line.modifiers)
    return ("unknown" if unknown else "met"), tuple(evidence)


@dataclass(frozen=True, slots=True)
class CriterionRead:
    """A criterion of a policy as claim and note show it.

    `state` is met, contradicted (by the claim) or unknown. `evidence` are words of the note; `facts` what the claim
    says, in words of ours.
    """

    text: str
    binding: bool
    state: str
    evidence: tuple[Evidence, ...] = ()
    facts: tuple[str, ...] = ()


def read_criteria(
    claim: Claim, number: int, policy: CoveragePolicy, group: int | None, codes_for: CodesFor, note: NoteEvidence
) -> tuple[CriterionRead, ...]:
    """Each criterion that a policy asks for on a claim line (1-based) through a group, and what shows it."""
    line = claim.lines[number - 1]
    on = line.date_of_service or claim.date_of_service
    pointed = tuple(claim.diagnoses[p - 1] for p in line.pointers if 1 <= p <= len(claim.diagnoses))
    case = _Case(number, line, claim, on, codes_for(on), pointed, note)
    found = []
    for criterion in policy.criteria:
        if criterion.serves(line.code, group):
            state, evidence = _criterion(case, criterion)
            met = next((way for way in criterion.ways if _way(case, way)[0] == "met"), None)
            proofs, facts = _shown(case, met) if met else ((), ())
            found.append(CriterionRead(criterion.text, criterion.binding, state, (*evidence, *proofs), facts))
    return tuple(found)


def _shown(case: _Case, way: Way) -> tuple[tuple[Evidence, ...], tuple[str, ...]]:
    """What meets a way beside its words and numbers: evidence of proposed codes, and facts of the claim."""
    patient, facts, evidence = case.claim.patient, [], []
    if way.age is not None:
        facts.append(f"age {patient.age:g}")
    if way.sex is not None:
        facts.append(f"sex {patient.sex}")
    if way.codes:
        facts += [f"diagnosis {dx}" for dx in case.everywhere() if way.codes.match(dx)]
        proposals = case.note.proposals if case.note else ()
        evidence = [e for p in proposals if way.codes.match(p.code) for e in p.evidence[:1]]
    facts += [f"modifier {m}" for m in way.modifiers if m in case.line.modifiers]
    return tuple(evidence), tuple(facts)


_DENIALS = ("no ", "not ", "never ", "denies ", "without ")


def _said(note: NoteEvidence | None, words: Iterable[str]) -> tuple[Evidence, ...]:
    """Where the note says one of some words of the patient and doesn't deny them, in the order of the text."""
    if note is None:
        return ()
    places = sorted(
        {(m.start(), m.end(), word.startswith(_DENIALS)) for word in words for m in _word(word).finditer(note.text)}
    )
    return tuple(_evidence(note, a, b) for a, b in _affirmed(note, places))


def _measured(note: NoteEvidence | None, words: Iterable[str], low: float, high: float) -> tuple[Evidence, ...]:
    """Where a number within bounds stands beside one of some words: shortly after it, or just before it."""
    if note is None:
        return ()
    places = []
    for word in words:
        for m in _word(word).finditer(note.text):
            after = re.match(r"[^.;\n\d]{0,40}?(\d+(?:\.\d+)?)", note.text[m.end() : m.end() + 60])
            before = re.search(r"(\d+(?:\.\d+)?)\+?[ \-]{0,3}$", note.text[max(0, m.start() - 12) : m.start()])
            if before and low <= float(before[1]) <= high:
                places.append((m.start() - len(before[0]), m.end(), False))
            elif after and not before and low <= float(after[1]) <= high:
                places.append((m.start(), m.end() + after.end(), False))
    return tuple(_evidence(note, a, b) for a, b in _affirmed(note, sorted(set(places))))


def _word(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)


def _affirmed(note: NoteEvidence, places: Sequence[tuple[int, int, bool]]) -> list[tuple[int, int]]:
    if note.asserted is None or not places:
        return [(a, b) for a, b, _ in places]
    said = note.asserted([Span(a, b) for a, b, _ in places])
    return [
        (a, b) for (a, b, denial), s in zip(places, said, strict=True)
        if s.experiencer == "patient" and (denial or s.presence == "present")
    ]  # fmt: skip


def _evidence(note: NoteEvidence, start: int, end: int) -> Evidence:
    return Evidence(start, end, note.text[start:end])


# --- what the verdict says ---------------------------------------------------------------------------------------


def _plain(
    number: int,
    line: ClaimLine,
    verdict: VerdictName,
    reasons: tuple[str, ...],
    why: str,
    pointed: tuple[str, ...] = (),
) -> Verdict:
    return Verdict(line=number, code=line.code, verdict=verdict, diagnoses=pointed, reasons=reasons, why=why)


def _no_diagnosis(number: int, line: ClaimLine, reason: str, why: str) -> Verdict:
    return Verdict(
        line=number,
        code=line.code,
        verdict="ERROR_NO_DX",
        reasons=(reason,),
        carc="16",
        rarc="M76",
        liability="provider",
        why=f"{why} The claim comes back as incomplete; correct it and send it again.",
    )


def _verdict(
    case: _Case,
    policy: CoveragePolicy,
    verdict: VerdictName,
    group: int | None,
    reasons: Sequence[str],
    diagnoses: tuple[str, ...],
    *,
    missing: tuple[str, ...] = (),
    evidence: tuple[Evidence, ...] = (),
    refusal: NonCovered | None = None,
    limit: Frequency | None = None,
    unlinked: tuple[str, ...] = (),
) -> Verdict:
    named = policy.group(group)
    said = limit or refusal or named
    quote = said.quote if said and said.quote else policy.quote
    statutory = refusal.statutory if refusal else policy.statutory and limit is None
    carc: str | None = None
    rarc: str | None = None
    liability: Literal["provider", "patient", "none"] = "none"
    modifiers: tuple[str, ...] = ()
    if verdict in _DENIED:
        carc = limit.carc if limit else refusal.carc if refusal else policy.carc
        rarc = policy.rarc if refusal is None and limit is None else (refusal.rarc if refusal else None)
        if "dx-not-valid-on-dos" in reasons and verdict == "FAIL_DX":
            carc, rarc = "146", None
        if verdict == "FAIL_NOT_LINKED":
            liability = "provider"  # put right by pointing to the diagnosis: a notice to the patient would be wrong
        elif statutory:
            liability = "patient"
            modifiers = ("GX", "GY") if case.claim.abn_on_file else ("GY",)
        else:
            liability = "patient" if case.claim.abn_on_file else "provider"
            modifiers = ("GA",) if case.claim.abn_on_file else ("GZ",)
    return Verdict(
        line=case.number,
        code=case.line.code,
        verdict=verdict,
        diagnoses=diagnoses,
        reasons=tuple(dict.fromkeys(reasons)),
        policy=Policy(
            id=policy.id, title=policy.title, version=policy.version, kind=policy.kind, group=group,
            effective=policy.effective, basis=policy.basis, url=policy.url, quote=quote or None,
        ),
        evidence=evidence,
        missing=missing,
        carc=carc,
        rarc=rarc,
        liability=liability,
        modifiers_suggested=tuple(m for m in modifiers if m not in case.line.modifiers),
        why=_why(case, policy, verdict, diagnoses, missing, limit, unlinked, reasons),
        supported_but_not_pointed=unlinked or _supported(case, policy),
    )  # fmt: skip


_DENIED = frozenset({"NON_COVERED", "RESTRICTED_FREQUENCY", "FAIL_NOT_LINKED", "FAIL_SECONDARY_MISSING", "FAIL_DX"})


def _supported(case: _Case, policy: CoveragePolicy) -> tuple[str, ...]:
    """Diagnoses on the claim or documented in the note that would support the line and aren't pointed to."""
    documented = [p.code for p in case.note.proposals] if case.note else []
    others = [
        c for c in dict.fromkeys((*case.claim.diagnoses, *documented)) if c not in case.pointed and case.counts(c)
    ]
    groups = [g for g in _groups(policy, case.line.code) if not g.secondary and not g.unreadable and not g.requires]
    return tuple(dx for dx in others if any(g.codes.match(dx) and not g.marked.match(dx) for g in groups))


def _why(
    case: _Case, policy: CoveragePolicy, verdict: VerdictName, diagnoses: Sequence[str], missing: Sequence[str],
    limit: Frequency | None, unlinked: Sequence[str], reasons: Sequence[str],
) -> str:  # fmt: skip
    """One or two plain sentences."""
    named = f"{policy.kind} {policy.id}" if policy.kind not in ("NCD", "statute") else policy.id
    codes = ", ".join(diagnoses) or "no diagnosis that counts"
    listed = "is on the policy's list" if policy.basis == "code list" else "fits the indications as we read them"
    code = case.line.code
    if verdict == "PASS":
        if not diagnoses or "no-diagnosis-rule" in reasons or "not-on-noncovered-list" in reasons:
            return f"{named} asks {code} for no diagnosis of its own."
        return f"{codes} {listed} ({named})."
    if verdict == "PASS_DX_DOC_GAP":
        shown = "; ".join(missing) or "what the policy asks for besides a diagnosis"
        return f"{codes}: the diagnosis rule of {named} is met. What the claim doesn't show: {shown}."
    if verdict == "MANUAL_REVIEW":
        return f"{codes}: {named} can't be applied to it by rule alone; a person has to read it."
    if verdict == "RESTRICTED_FREQUENCY":
        assert limit is not None
        return f"{codes} supports {code}, but its limit in time is reached ({named}: {limit.quote})."
    if verdict == "FAIL_NOT_LINKED":
        return f"{', '.join(unlinked) or 'Another diagnosis'} would support {code}, but the line doesn't point to it."
    if verdict == "FAIL_SECONDARY_MISSING":
        return f"{codes} supports {code} only together with a second diagnosis, which the line doesn't have ({named})."
    if verdict == "NON_COVERED":
        if "criterion-not-met" in reasons:
            return f"{code} isn't covered for this patient: {missing[0]} ({named})."
        if "service-noncovered" in reasons:
            return f"{code} isn't covered for any diagnosis ({named})."
        return f"{codes} doesn't support {code}: the policy names it as not covered ({named})."
    return f"{', '.join(case.pointed)}: none of the diagnoses that the line points to supports {code} ({named})."


def _with_documentation(verdict: Verdict, undocumented: Sequence[str], note: NoteEvidence) -> Verdict:
    """A line's verdict with the words of the note behind its diagnoses, and those that the note doesn't show."""
    shown = [e for p in note.proposals if p.code in verdict.diagnoses for e in p.evidence[:2]]
    lacking = [dx for dx in verdict.diagnoses if dx in undocumented]
    changes: dict[str, object] = {"evidence": tuple(dict.fromkeys((*shown, *verdict.evidence)))}
    if lacking and verdict.verdict.startswith("PASS"):
        changes["missing"] = (*verdict.missing, *(f"Documentation of {dx}" for dx in lacking))
        changes["reasons"] = (*verdict.reasons, "dx-not-documented")
    return verdict.model_copy(update=changes)


# --- note and claim ----------------------------------------------------------------------------------------------

# Words by which a title says that nothing more is known or that nothing is there: they need no documentation.
_EMPTY = frozenset({
    "a", "an", "and", "as", "at", "by", "for", "from", "in", "is", "of", "on", "or", "other", "the", "to",
    "unspecified", "specified", "not", "elsewhere", "classified", "nec", "nos", "without", "with", "complication",
    "complications", "mention", "due", "type", "primary", "essential", "initial", "encounter", "subsequent",
    "sequela", "side", "disease", "disorder", "current",
})  # fmt: skip


def _content(title: str) -> frozenset[str]:
    """The words of a title that say something, each cut to its stem."""
    return frozenset(w[:6] for w in re.findall(r"[a-z0-9]+", title.lower()) if w not in _EMPTY)


def _undocumented(claim: Claim, release: CodeSet, note: NoteEvidence) -> tuple[str, ...]:
    """Billed diagnoses that the note doesn't prove.

    A billed code is documented when it is proposed; when it says less than a proposal of its category; or when every
    word of its title that says something stands in what a finding of the patient, present or past, says.
    """
    return tuple(dx for dx in dict.fromkeys(claim.diagnoses) if dx in release and not _documented(dx, release, note))


def _documented(dx: str, release: CodeSet, note: NoteEvidence) -> bool:
    if any(p.code == dx for p in note.proposals):
        return True
    wanted = _content(release.title(dx))
    for proposal in note.proposals:
        if proposal.code[:3] == dx[:3] and wanted <= _content(release.title(proposal.code)):
            return True
    for finding in note.findings:
        if not finding.place or not finding.present or not finding.patients or finding.place not in release:
            continue
        if finding.historical and dx[0] != "Z":
            continue
        if dx == finding.place:
            return True
        if dx.startswith(finding.place) and wanted <= _content(f"{release.title(finding.place)} {finding.text}"):
            return True
    return False


def assume(claim: Claim, proposals: Sequence[Proposal], codes_for: CodesFor, book: PolicyBook | None = None) -> Claim:
    """A claim with lines but without diagnoses, with the proposed codes standing in for them.

    Each line points to what the note documents and the policy for it supports, most important first; a line without a
    policy points to the first proposals. A claim that has diagnoses is given back as it is.
    """
    if claim.diagnoses or not claim.lines:
        return claim
    book = book or book_at_hand()
    diagnoses = tuple(dict.fromkeys(p.code for p in proposals))[:MOST_DIAGNOSES]
    lines = tuple(
        line.model_copy(update={"pointers": _pointers(line, claim, diagnoses, codes_for, book)}) for line in claim.lines
    )
    return claim.model_copy(update={"diagnoses": diagnoses, "lines": lines})


def _pointers(
    line: ClaimLine, claim: Claim, diagnoses: Sequence[str], codes_for: CodesFor, book: PolicyBook
) -> tuple[int, ...]:
    on = line.date_of_service or claim.date_of_service
    found = book.find(line.code, on, claim.state, claim.contract, claim.payer)
    places = range(1, len(diagnoses) + 1)
    if not found.policies:
        return tuple(places)[:MOST_POINTERS]
    groups = [g for policy in _applying(found.policies, line.code) for g in _groups(policy, line.code)]
    supporting = [n for n in places if any(_in_group(g, diagnoses[n - 1]) for g in groups)]
    supporting.sort(key=lambda n: (all(g.secondary for g in groups if _in_group(g, diagnoses[n - 1])), n))
    return tuple(supporting or places)[: MOST_POINTERS if supporting else 1]


def _in_group(group: Group, dx: str) -> bool:
    codes: CodeList = group.codes
    return codes.match(dx) is not None


# --- pointers ----------------------------------------------------------------------------------------------------

_HOLDS: dict[VerdictName, int] = {"PASS": 0, "PASS_DX_DOC_GAP": 1, "MANUAL_REVIEW": 2}


def best_pointers(
    claim: Claim, proposals: Sequence[Proposal], codes: CodesFor, book: PolicyBook
) -> tuple[tuple[int, ...], ...]:
    """For each line the best legal pointers: positions in the claim's diagnoses, most important first.

    Only diagnoses that the note documents and that are valid on the line's date are pointed to, only among the first
    twelve, and at most four (837P HI, SV107). With a policy, the fewest that reach its best verdict come first and
    others that it supports follow; without one, or where nothing supports the line, the line's own documented
    pointers, else the first documented diagnoses. A line is () when no diagnosis of the claim is documented.
    """
    documented = _documented_positions(claim, proposals, codes)
    return tuple(_best(number, line, claim, documented, codes, book) for number, line in enumerate(claim.lines, 1))


def _documented_positions(claim: Claim, proposals: Sequence[Proposal], codes: CodesFor) -> list[int]:
    """Positions of the diagnoses that can be pointed to and that the proposals prove, each diagnosis once."""
    release = codes(claim.date_of_service)
    note = NoteEvidence("", (), tuple(proposals))
    first = claim.diagnoses[:MOST_DIAGNOSES]
    return [
        n for n, dx in enumerate(first, 1)
        if dx not in first[: n - 1] and dx in release and _documented(dx, release, note)
    ]  # fmt: skip


def _best(
    number: int, line: ClaimLine, claim: Claim, documented: Sequence[int], codes: CodesFor, book: PolicyBook
) -> tuple[int, ...]:
    on = line.date_of_service or claim.date_of_service
    release = codes(on)
    legal = [n for n in documented if release.is_billable(claim.diagnoses[n - 1]) or not release.covers]
    own = [n for n in dict.fromkeys(line.pointers) if n in legal]
    usual = tuple(own or legal)[:MOST_POINTERS]
    found = book.find(line.code, on, claim.state, claim.contract, claim.payer)
    if not legal or not found.policies:
        return usual
    policies = _applying(found.policies, line.code)

    def holds(pointers: tuple[int, ...]) -> int:
        pointed = tuple(claim.diagnoses[p - 1] for p in pointers)
        verdict = _by_policies(_Case(number, line, claim, on, release, pointed, None), policies).verdict
        return _HOLDS.get(verdict, len(_HOLDS))

    # Those that the line points to already are tried first, so that a suggestion changes no more than it must.
    order = [*own, *(n for n in legal if n not in own)]
    tries = [(n,) for n in order] + [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]]
    reached = {pointers: holds(pointers) for pointers in tries}
    best = min(tries, key=lambda pointers: (reached[pointers], len(pointers), tries.index(pointers)))
    if reached[best] == len(_HOLDS):
        return usual
    level = reached[best]
    for n in [n for n in order if n not in best and reached[(n,)] <= level]:
        if len(best) < MOST_POINTERS and holds((*best, n)) <= level:
            best = (*best, n)
    return best


def _with_pointers(
    lines: Sequence[Verdict], claim: Claim, proposals: Sequence[Proposal], undocumented: Sequence[str],
    codes: CodesFor, book: PolicyBook,
) -> tuple[Verdict, ...]:  # fmt: skip
    """The verdicts, with better pointers where a line doesn't pass or points to what isn't legal or documented."""
    documented: list[int] | None = None
    answer = []
    for verdict, line in zip(lines, claim.lines, strict=True):
        legal = 0 < len(line.pointers) <= MOST_POINTERS and all(
            1 <= p <= min(len(claim.diagnoses), MOST_DIAGNOSES) and claim.diagnoses[p - 1] not in undocumented
            for p in line.pointers
        )
        if not (legal and verdict.verdict in ("PASS", "NO_POLICY", "UNVERIFIED_PAYER")):
            if documented is None:
                documented = _documented_positions(claim, proposals, codes)
            pointers = _best(verdict.line, line, claim, documented, codes, book)
            if pointers and pointers != line.pointers:
                verdict = verdict.model_copy(update={"pointers_suggested": pointers})
        answer.append(verdict)
    return tuple(answer)
