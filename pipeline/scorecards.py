"""Figures about gaps and what became of them: counts and rates, never a patient, a note or its words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from statistics import median

from models.worklist import LIVE, KeptGap, Scorecard

_DAY = 86_400


def scorecards(gaps: Iterable[KeptGap], notes: Mapping[str, int]) -> tuple[Scorecard, ...]:
    """A card for each provider, by name. `notes` says how many notes each has; one without a gap has a card too."""
    mine: dict[str, list[KeptGap]] = defaultdict(list)
    for gap in gaps:
        mine[gap.provider].append(gap)
    return tuple(card(provider, mine[provider], notes.get(provider, 0)) for provider in sorted({*notes, *mine}))


def card(provider: str, gaps: Iterable[KeptGap], notes: int) -> Scorecard:
    """The figures of some gaps. A gap counts as answered once it was answered, whatever became of it since.

    `response_rate` is the share of queried gaps that were answered, or resolved by an addendum; None without a query.
    `median_days` is from the first query to the first answer or, without one, to the resolution.
    """
    gaps = list(gaps)
    queried = [g for g in gaps if g.queried_at is not None]
    answered = [g for g in queried if answer_of(g) is not None]
    days = [answer_of(g) or 0.0 for g in answered]
    status = Counter(g.status for g in gaps)
    return Scorecard(
        provider=provider,
        notes=notes,
        gaps=len(gaps),
        gaps_per_note=round(len(gaps) / notes, 2) if notes else None,
        live=sum(status[s] for s in LIVE),
        queried=len(queried),
        answered=len(answered),
        resolved=status["resolved"],
        dismissed=status["dismissed"],
        response_rate=round(len(answered) / len(queried), 3) if queried else None,
        median_days=round(median(days), 1) if days else None,
    )


def answer_of(gap: KeptGap) -> float | None:
    """The days from a gap's first query to its answer; None while there is none."""
    if gap.queried_at is None:
        return None
    end = gap.answered_at or (gap.closed_at if gap.status == "resolved" else None)
    return None if end is None or end < gap.queried_at else (end - gap.queried_at).total_seconds() / _DAY


def by_rule(gaps: Iterable[KeptGap]) -> tuple[tuple[str, str, int], ...]:
    """Rule, "open" or "closed", and how many gaps; the most frequent rule first."""
    return _counted((g.gap.rule, g.status) for g in gaps)


def by_provider(gaps: Iterable[KeptGap]) -> tuple[tuple[str, str, int], ...]:
    """Provider, "open" or "closed", and how many gaps; the one with the most first."""
    return _counted((g.provider, g.status) for g in gaps)


def _counted(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str, int], ...]:
    counts: Counter[tuple[str, str]] = Counter((name, "open" if at in LIVE else "closed") for name, at in pairs)
    totals: Counter[str] = Counter()
    for (name, _), count in counts.items():
        totals[name] += count
    order = sorted(totals, key=lambda name: (-totals[name], name))
    return tuple((name, at, counts[name, at]) for name in order for at in ("open", "closed") if counts[name, at])


def by_week(gaps: Iterable[KeptGap]) -> tuple[tuple[date, str, int], ...]:
    """Monday of a week, "opened" or "closed", and how many gaps; every week from the first to the last, zeros too."""
    counts: Counter[tuple[date, str]] = Counter()
    for gap in gaps:
        counts[_monday(gap.opened_at.date()), "opened"] += 1
        if gap.closed_at is not None:
            counts[_monday(gap.closed_at.date()), "closed"] += 1
    if not counts:
        return ()
    first, last = min(week for week, _ in counts), max(week for week, _ in counts)
    weeks = [first + timedelta(weeks=n) for n in range((last - first).days // 7 + 1)]
    return tuple((week, what, counts[week, what]) for week in weeks for what in ("opened", "closed"))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
