"""What the documentation lacks: open axes of the codes that are proposed, rule files, and missing elements.

One module for each family of gaps; `find_gaps` asks them all and keeps what a reader can act on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from code_maps.icd10cm import CodeSet
from models.claim import ClaimCheck
from models.finding import Finding
from models.gap import Gap
from models.proposal import Proposal
from models.report import ProblemElements
from models.text import Layout, Note
from pipeline.gaps.context import Case
from pipeline.gaps.denial import denial_risks
from pipeline.gaps.elements import elements_of, missing_elements, problem_elements, rationale_links
from pipeline.gaps.rules import by_rules
from pipeline.gaps.specificity import open_axes

__all__ = ["GapsFound", "denial_risks", "elements_of", "find_gaps", "problem_elements", "rationale_links", "seek_gaps"]

_MOST = 8  # more than a reader can act on at once
_ENOUGH = 6  # a seventh and eighth must matter
_MATTERS = 50
_FEW = 4  # a question of low priority is asked only where there are few others
_LOW = 55
_DETAILS = frozenset(
    ("type", "acuity", "severity", "stage", "laterality", "site", "cause", "organism", "episode", "complication",
     "control", "status")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GapsFound:
    """The gaps to show, most important first; those left out for their number; and those that were settled before."""

    gaps: tuple[Gap, ...] = ()
    further: tuple[Gap, ...] = ()
    settled: tuple[Gap, ...] = ()


def find_gaps(
    codes: CodeSet,
    note: Note,
    layout: Layout,
    findings: Sequence[Finding],
    proposals: Sequence[Proposal],
    problems: Sequence[ProblemElements],
    check: ClaimCheck | None = None,
) -> tuple[Gap, ...]:
    """All gaps of a note, most important first, at most eight. `check` is the claim, checked, if there is one."""
    return seek_gaps(codes, note, layout, findings, proposals, problems, check).gaps


def seek_gaps(
    codes: CodeSet,
    note: Note,
    layout: Layout,
    findings: Sequence[Finding],
    proposals: Sequence[Proposal],
    problems: Sequence[ProblemElements],
    check: ClaimCheck | None = None,
    settled: Collection[str] = (),
) -> GapsFound:
    """The gaps of a note, those beyond the eight that are shown, and those whose fingerprint is in `settled`.

    A settled gap takes no place among the eight.
    """
    case = Case(codes, note, layout, findings, proposals, problems, check)
    found = [*open_axes(case), *by_rules(case), *missing_elements(case)]
    known = {g.fingerprint: g for g in found if g.fingerprint in settled} if settled else {}
    chosen = _chosen([g for g in found if g.fingerprint not in known] if known else found)
    shown = {g.id for g in chosen}
    further = {g.id: g for g in found if g.id not in shown and not (known and g.fingerprint in known)}
    return GapsFound(chosen, tuple(further.values()), tuple(sorted(known.values(), key=lambda g: g.id)))


def _family(gap: Gap) -> str:
    return "detail" if gap.missing in _DETAILS else "indicator" if gap.missing == "clinical-indicator" else "element"


def _chosen(gaps: Sequence[Gap]) -> tuple[Gap, ...]:
    """The most important gaps. A further question of the same family about one condition, and a further one of the
    same family at all, comes later: a reader gets breadth before depth."""
    left = list(
        {
            (gap.code or "", gap.missing, gap.evidence[:1], gap.kind == "policy" and gap.about): gap
            for gap in sorted(gaps, key=lambda g: -g.priority)
        }.values()
    )
    asked: Counter[str] = Counter()
    taken: list[Gap] = []
    seen: set[str] = set()
    while left and len(taken) < _MOST:
        costs = [(_cost(gap, asked), gap.evidence[0].start if gap.evidence else 0, gap.id, gap) for gap in left]
        cost, _, _, best = min(costs, key=lambda c: c[:3])
        left.remove(best)
        if best.id in seen or (len(taken) >= _ENOUGH and cost > _MATTERS):
            continue
        if len(taken) >= _FEW and best.priority >= _LOW:
            continue
        seen.add(best.id)
        taken.append(best)
        family, category = _family(best), (best.code or best.id)[:3]
        asked.update((family, f"{family} {category}", f"{best.missing} {category}"))
    return tuple(replace(gap, priority=number) for number, gap in enumerate(taken, 1))


def _cost(gap: Gap, asked: Counter[str]) -> int:
    family, category = _family(gap), (gap.code or gap.id)[:3]
    again = 100 if asked[f"{gap.missing} {category}"] else 0
    return gap.priority + 12 * asked[f"{family} {category}"] + 5 * asked[family] + again
