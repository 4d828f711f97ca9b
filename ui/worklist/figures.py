"""Charts of the gaps and scorecards of the providers, drawn in the page; no patient, no note, no words in them."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import streamlit as st

from exchange.kept import table_csv
from models.worklist import GapFilter, KeptGap, Scorecard
from pipeline.scorecards import by_provider, by_rule, by_week, card, scorecards
from ui.parts import esc

_MOST_BARS = 12
_COLOURS = {"open": "#b8740f", "closed": "#2a8c68", "opened": "#b8740f"}
_HEADINGS = ("Provider", "Notes", "Gaps", "Per note", "Open", "Queried", "Answered", "Resolved", "Dismissed",
             "Response rate", "Median days to answer")  # fmt: skip


def charts(gaps: Sequence[KeptGap]) -> None:
    """Gaps by rule, by provider and over time, and how many queries are answered."""
    if not gaps:
        st.html('<p class="cp-quiet">No gaps with these filters.</p>')
        return
    left, right = st.columns(2, gap="large")
    with left:
        _bars("Gaps by rule", by_rule(gaps), 200)
    with right:
        _bars("Gaps by provider", [(name or "no provider", at, n) for name, at, n in by_provider(gaps)], 150)
    with left:
        _weeks(gaps)
    with right:
        _responses(gaps)


def _bars(name: str, counted: Sequence[tuple[str, str, int]], label: int) -> None:
    first = list(dict.fromkeys(n for n, _, _ in counted))[:_MOST_BARS]
    rows = [{"name": n, "state": at, "gaps": count} for n, at, count in counted if n in first]
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            y=alt.Y("name:N", sort=first, title=None, axis=alt.Axis(labelLimit=label, labelOverlap=False)),
            x=alt.X("sum(gaps):Q", title=None, axis=alt.Axis(tickMinStep=1, format="d")),
            color=_colour(("open", "closed")),
            order=alt.Order("state:N", sort="descending"),
            tooltip=["name:N", "state:N", "gaps:Q"],
        )
        .properties(height=24 * len(first) + 80)
    )
    _draw(name, chart, [(r["name"], r["state"], r["gaps"]) for r in rows], ("", "State", "Gaps"))


def _weeks(gaps: Sequence[KeptGap]) -> None:
    counted = by_week(gaps)
    rows = [{"week": week.isoformat(), "what": what, "gaps": count} for week, what, count in counted]
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            x=alt.X("week:O", title="week of", axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y("gaps:Q", title=None, axis=alt.Axis(tickMinStep=1, format="d")),
            xOffset=alt.XOffset("what:N", sort=["opened", "closed"]),
            color=_colour(("opened", "closed")),
            tooltip=["week:O", "what:N", "gaps:Q"],
        )
        .properties(height=260)
    )
    _draw(
        "Opened and closed, by week", chart, [(r["week"], r["what"], r["gaps"]) for r in rows], ("Week of", "", "Gaps")
    )


def _responses(gaps: Sequence[KeptGap]) -> None:
    cards_ = [c for c in scorecards(gaps, {}) if c.response_rate is not None][:_MOST_BARS]
    whole = card("all", gaps, 0)
    if whole.response_rate is None:
        st.html(_heading("Response rate") + '<p class="cp-quiet">No query has been sent yet.</p>')
        return
    rows = [{"name": c.provider or "no provider", "rate": c.response_rate, "queries": c.queried} for c in cards_]
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_bar(cornerRadiusEnd=2, color="#17698c")
        .encode(
            y=alt.Y("name:N", sort="-x", title=None, axis=alt.Axis(labelLimit=150, labelOverlap=False)),
            x=alt.X("rate:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5)),
            tooltip=["name:N", alt.Tooltip("rate:Q", format=".0%"), "queries:Q"],
        )
        .properties(height=24 * len(rows) + 60)
    )
    table = [(r["name"], f"{r['rate']:.0%}", r["queries"]) for r in rows]
    name = f"Response rate: {whole.response_rate:.0%} of {whole.queried:,} queries"
    _draw(name, chart, table, ("", "Answered", "Queries"))


def _colour(states: tuple[str, str]) -> alt.Color:
    return alt.Color(
        "state:N" if "open" in states else "what:N",
        scale=alt.Scale(domain=list(states), range=[_COLOURS[s] for s in states]),
        legend=alt.Legend(title=None, orient="top", offset=2),
    )


def _heading(text: str) -> str:
    return f'<h2 class="cp-h">{esc(text)}</h2>'


def _draw(name: str, chart: Any, rows: Sequence[Sequence[object]], headings: Sequence[str]) -> None:  # noqa: ANN401
    """A chart, and the same as a table for whoever can't see it."""
    st.html(_heading(name))
    st.altair_chart(chart.configure_view(strokeWidth=0), width="stretch", key=f"wl_chart_{name[:14]}")
    head = "".join(f'<th scope="col">{esc(h)}</th>' if h else "<td></td>" for h in headings)
    body = "".join("<tr>" + "".join(f"<td><bdi>{esc(cell)}</bdi></td>" for cell in row) + "</tr>" for row in rows)
    st.html(
        f"<details><summary>As a table</summary><table class='cp-table'><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></details>"
    )


def cards(gaps: Sequence[KeptGap], notes: Mapping[str, int], wanted: GapFilter) -> None:
    """The providers side by side, in figures only, and the same as CSV."""
    chosen = {name: count for name, count in notes.items() if not wanted.providers or name in wanted.providers}
    found = scorecards(gaps, chosen)
    if not found:
        st.html('<p class="cp-quiet">No notes with these filters.</p>')
        return
    whole = card("All providers", gaps, sum(chosen.values()))
    head = "".join(f'<th scope="col">{html.escape(h)}</th>' for h in _HEADINGS)
    body = "".join(_row(c) for c in found) + _row(whole, "w-sum")
    partly = wanted.kinds or wanted.services
    st.html(
        f'<div class="cp-scroll"><table class="cp-table w-cards"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        '<p class="cp-sub">Answered: a queried gap that the provider answered, or that an addendum resolved. Days are '
        "counted from the first query. No patient and no word of a note is in these figures."
        + (" Gaps are counted with the filters above; notes are all of the provider's." if partly else "")
        + "</p>"
    )
    st.download_button(
        "Scorecards as CSV", lambda: table_csv(_HEADINGS, (_cells(c) for c in (*found, whole))), "scorecards.csv", "text/csv",
        on_click="ignore", icon=":material/table:", key="wl_cards",
    )  # fmt: skip


def _cells(c: Scorecard) -> tuple[object, ...]:
    return (
        c.provider or "no provider", c.notes, c.gaps, c.gaps_per_note, c.live, c.queried, c.answered, c.resolved,
        c.dismissed, c.response_rate, c.median_days,
    )  # fmt: skip


def _row(c: Scorecard, cls: str = "") -> str:
    name, *figures = _cells(c)
    rate = "–" if c.response_rate is None else f"{c.response_rate:.0%}"
    shown = ["–" if f is None else f"{f:,}" if isinstance(f, int) else f"{f}" for f in figures]
    shown[-2] = rate
    return (
        f'<tr class="{cls}"><th scope="row"><bdi>{esc(name)}</bdi></th>'
        + "".join(f"<td>{esc(s)}</td>" for s in shown)
        + "</tr>"
    )
