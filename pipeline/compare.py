"""compare(before, after) -> Comparison: how two reviews of the same note differ. A pure function of two reports.

Made for the same note in the other setting (OCG II and III against IV) or on another date of service (another release,
other versions of policies), and for two versions of a note; the order of the two is that of the call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from models.claim import Verdict
from models.comparison import (
    CodeMoved,
    CodeOnOneSide,
    CodeReplaced,
    Comparison,
    OnOneSide,
    Reviewed,
    RuleDecides,
    Side,
    VerdictChange,
)
from models.proposal import Proposal
from models.report import Report


def compare(before: Report, after: Report, by_words: bool = False) -> Comparison:
    """What differs from one report to the other. Codes are matched by the places of their evidence.

    `by_words` is for texts that differ: codes are matched by the words of their evidence, and by category where the
    words were changed. Raises ValueError without it for reports of notes of different length, which can't be the same.
    """
    if not by_words and before.note.length != after.note.length:
        raise ValueError(f"two notes: {before.note.length:,} and {after.note.length:,} characters")
    old = {p.code: p for p in before.proposals}
    new = {p.code: p for p in after.proposals}
    lost = [p for p in before.proposals if p.code not in new]
    won = [p for p in after.proposals if p.code not in old]
    pairs = _pairs(lost, won, _shared_words if by_words else _shared_places)
    paired = {p.code for pair in pairs for p in pair}
    return Comparison(
        before=_reviewed(before),
        after=_reviewed(after),
        added=tuple(_on_one_side(p, before, by_words) for p in won if p.code not in paired),
        gone=tuple(_on_one_side(p, after, by_words) for p in lost if p.code not in paired),
        replaced=tuple(
            CodeReplaced(was.code, now.code, now.description, now.evidence[:2], _why_replaced(was, now, before, after))
            for was, now in pairs
        ),
        moved=tuple(_moved(old[code], new[code]) for code in old if code in new and _differs(old[code], new[code])),
        kept=tuple(code for code in new if code in old),
        withheld=_withheld(before, after),
        verdicts=_verdicts(before, after),
        edits=_one_sided(_edits(before), _edits(after)),
        gaps=_one_sided(_gaps(before), _gaps(after)),
        levels=_levels(before, after),
    )


def _reviewed(report: Report) -> Reviewed:
    note = report.note
    return Reviewed(note.setting, note.date_of_service, note.release, note.notices)


def _places(proposal: Proposal) -> frozenset[tuple[int, int]]:
    return frozenset((e.start, e.end) for e in proposal.evidence)


def _shared_places(a: Proposal, b: Proposal) -> int:
    """How many places of the note two codes share."""
    return len(_places(a) & _places(b))


def _shared_words(a: Proposal, b: Proposal) -> int:
    """How many quotations of two codes are the same words, or hold the others'; one category counts least."""
    mine, other = ({" ".join(e.text.split()).casefold() for e in p.evidence} for p in (a, b))
    same = sum(x in y or y in x for x in mine for y in other if x and y)
    return 2 * same + (a.code[:3] == b.code[:3])


def _pairs(
    lost: Sequence[Proposal], won: Sequence[Proposal], shared_by: Callable[[Proposal, Proposal], int]
) -> list[tuple[Proposal, Proposal]]:
    """Codes that rest on the same words, each used once: first those that share most."""
    shared = [(-many, a.rank, b.rank, a, b) for a in lost for b in won if (many := shared_by(a, b))]
    taken: set[str] = set()
    pairs = []
    for _, _, _, a, b in sorted(shared, key=lambda row: row[:3]):
        if a.code not in taken and b.code not in taken:
            taken |= {a.code, b.code}
            pairs.append((a, b))
    return sorted(pairs, key=lambda pair: pair[1].rank)


def _kept_back(code: str, report: Report) -> tuple[str | None, str]:
    """The rule that keeps a code from being proposed in a report, and why; the first that says so."""
    for withheld in report.withheld:
        if withheld.code == code:
            return withheld.rule, withheld.why
    for candidate in report.candidates:
        if candidate.code == code:
            return None, f"A candidate: {candidate.why}."
    return None, ""


def _on_one_side(proposal: Proposal, other: Report, by_words: bool) -> CodeOnOneSide:
    """A proposal that the other report doesn't have; `by_words` where that is of another text."""
    rules = tuple(r for r in proposal.rules if r.id != "specificity-descent")
    rule, why = _kept_back(proposal.code, other)
    if not why and by_words:
        why = "The other text has no words for it, or not these."
    elif not why:
        by_place = [w for w in other.withheld if set(w.findings) & set(proposal.findings)]
        if by_place:
            rule, why = by_place[0].rule, by_place[0].why
        else:
            why = "Neither proposed nor withheld: the words lead to no code of the release, or to none in this setting."
    return CodeOnOneSide(proposal.code, proposal.description, proposal.evidence[:2], rules, rule, why)


def _why_replaced(was: Proposal, now: Proposal, before: Report, after: Report) -> str:
    """Why the same words lead to another code: a rule of the new one, what keeps the old one back, or the release."""
    told = {(r.id, r.why) for r in was.rules}
    for rule in now.rules:
        if rule.id != "specificity-descent" and (rule.id, rule.why) not in told:
            return f"{rule.why} ({rule.id})"
    rule_id, why = _kept_back(was.code, after)
    if rule_id:
        return f"{why} ({rule_id})"
    if before.note.release != after.note.release:
        return f"{before.note.release} leads these words to {was.code}, {after.note.release} to {now.code}."
    return why or "The words around it are read otherwise here."


def _differs(was: Proposal, now: Proposal) -> bool:
    return (was.rank, was.first_listed, was.confidence) != (now.rank, now.first_listed, now.confidence)


def _moved(was: Proposal, now: Proposal) -> CodeMoved:
    return CodeMoved(
        was.code, (was.rank, now.rank), (was.first_listed, now.first_listed), (was.confidence, now.confidence)
    )


def _withheld(before: Report, after: Report) -> tuple[RuleDecides, ...]:
    """What a rule withholds on one side only."""
    sides: tuple[tuple[Side, Report, Report], ...] = (("before", before, after), ("after", after, before))
    return tuple(
        RuleDecides(side, w.code, w.rule, w.why)
        for side, mine, other in sides
        for w in mine.withheld
        if (w.code, w.rule) not in {(o.code, o.rule) for o in other.withheld}
    )


def _verdicts(before: Report, after: Report) -> tuple[VerdictChange, ...]:
    old: dict[int, Verdict] = {v.line: v for v in before.claim.lines} if before.claim else {}
    found = []
    for now in after.claim.lines if after.claim else ():
        was = old.get(now.line)
        if was is not None and (was.verdict, was.reasons) != (now.verdict, now.reasons):
            both = (was.verdict, now.verdict), (was.reasons, now.reasons)
            found.append(VerdictChange(now.line, now.code, both[0], both[1], now.why))
    return tuple(found)


def _edits(report: Report) -> list[OnOneSide]:
    edits = report.claim.edits if report.claim else ()
    return [OnOneSide("before", e.edit, f"line {e.line}" if e.line else (e.dx or "claim"), e.why) for e in edits]


def _gaps(report: Report) -> list[OnOneSide]:
    return [OnOneSide("before", g.id, g.about, g.ask) for g in report.gaps]


def _one_sided(before: Iterable[OnOneSide], after: Iterable[OnOneSide]) -> tuple[OnOneSide, ...]:
    old, new = {(o.id, o.about): o for o in before}, {(o.id, o.about): o for o in after}
    gone = [o for key, o in old.items() if key not in new]
    come = [OnOneSide("after", o.id, o.about, o.why) for key, o in new.items() if key not in old]
    return (*gone, *come)


def _levels(before: Report, after: Report) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The E/M levels that the two support, when they differ; none in an inpatient stay."""
    old = before.em.supports if before.em else ()
    new = after.em.supports if after.em else ()
    return None if old == new else (old, new)
