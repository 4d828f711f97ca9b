"""Figures about gaps: counts, rates and days, for providers, rules and weeks."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as some

from models.gap import Gap
from models.worklist import STATUSES, KeptGap
from pipeline.scorecards import answer_of, by_provider, by_rule, by_week, card, scorecards

NOON = dt.datetime(2026, 5, 12, 12, 0, tzinfo=dt.UTC)  # a Tuesday
DAY = dt.timedelta(days=1)


def gap(provider="Dr A", status="open", rule="r", opened=0, queried=None, answered=None, closed=None):
    at = lambda days: None if days is None else NOON + days * DAY  # noqa: E731
    shown = Gap("g", "element", None, "exam", "asthma", (), "?", (), "", rule, "")
    return KeptGap("x", "n", "e", 1, provider, None, "outpatient", (), shown, status, at(opened), at(opened), at(queried),
                   at(answered), at(closed))  # fmt: skip


def test_a_card_counts_and_rates():
    cards = scorecards(
        [
            gap(status="answered", queried=1, answered=3),
            gap(status="resolved", queried=1, closed=5),
            gap(status="queried", queried=1),
            gap(status="dismissed", queried=1, closed=2),
            gap(status="resolved", closed=2),
            gap(),
            gap("Dr B"),
        ],
        {"Dr A": 3, "Dr C": 1},
    )
    assert [c.provider for c in cards] == ["Dr A", "Dr B", "Dr C"]
    a, b, c = cards
    assert (a.notes, a.gaps, a.gaps_per_note, a.live) == (3, 6, 2.0, 3)
    assert (a.queried, a.answered, a.resolved, a.dismissed) == (4, 2, 2, 1)
    assert (a.response_rate, a.median_days) == (0.5, 3.0)
    assert (b.notes, b.gaps_per_note, b.response_rate, b.median_days) == (0, None, None, None)
    assert (c.notes, c.gaps) == (1, 0)


def test_an_answer_is_the_first_answer_or_the_addendum_that_resolved():
    assert answer_of(gap(status="resolved", queried=1, answered=2, closed=9)) == 1.0
    assert answer_of(gap(status="resolved", queried=1, closed=4)) == 3.0
    assert answer_of(gap(status="dismissed", queried=1, closed=4)) is None
    assert answer_of(gap(status="resolved", closed=4)) is None
    assert answer_of(gap(status="queried", queried=1)) is None


def test_rules_and_providers_come_with_the_most_gaps_first():
    gaps = [gap(rule="b"), gap(rule="a"), gap(rule="b", status="dismissed"), gap("Dr B", rule="b")]
    assert by_rule(gaps) == (("b", "open", 2), ("b", "closed", 1), ("a", "open", 1))
    assert by_provider(gaps) == (("Dr A", "open", 2), ("Dr A", "closed", 1), ("Dr B", "open", 1))


def test_weeks_begin_on_monday_and_none_is_left_out():
    found = by_week([gap(), gap(opened=-1), gap(status="resolved", opened=14, closed=15)])
    monday = dt.date(2026, 5, 11)
    week = dt.timedelta(weeks=1)
    assert found == (
        (monday, "opened", 2), (monday, "closed", 0), (monday + week, "opened", 0), (monday + week, "closed", 0),
        (monday + 2 * week, "opened", 1), (monday + 2 * week, "closed", 1),
    )  # fmt: skip
    assert by_week([]) == ()


days = some.none() | some.integers(0, 30)


@given(
    some.lists(
        some.builds(gap, some.sampled_from("AB"), some.sampled_from(STATUSES), queried=days, answered=days, closed=days)
    )
)
def test_figures_add_up(gaps):
    whole = card("all", gaps, 5)
    each = scorecards(gaps, {})
    for name in ("gaps", "live", "queried", "answered", "resolved", "dismissed"):
        assert sum(getattr(c, name) for c in each) == getattr(whole, name)
    assert whole.live + whole.resolved + whole.dismissed == whole.gaps
    assert whole.answered <= whole.queried
    assert whole.response_rate is None or 0 <= whole.response_rate <= 1
    assert sum(n for _, _, n in by_rule(gaps)) == len(gaps)
