"""Codes that a rule held back and codes that were only considered; any of them can be taken with a reason."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from code_maps.icd10cm import CodeSet
from exchange.rendered import words
from models.report import Report
from ui import decisions
from ui.parts import esc, heading, quiet, said, spans_of

_ABSENT_RULES = {"negated-finding", "hypothetical-finding", "more-specific-documented"}
_Row = tuple[str, str, str, str, Sequence[str]]


def why_not_panel(report: Report, codes: CodeSet, opened: str | None) -> None:
    """What isn't coded, each with its words and the reason; the open one can be taken all the same."""
    held: list[_Row] = []
    absent: list[_Row] = []
    for number, w in enumerate(report.withheld):
        row = (f"held:{number}", w.code, w.why, f"<code>{esc(w.rule)}</code>", w.findings)
        (absent if w.rule in _ABSENT_RULES and f"held:{number}" != opened else held).append(row)
    considered: list[_Row] = [
        (f"maybe:{n}", c.code, c.why, f"<small>confidence {c.confidence:.2f}</small>", c.findings)
        for n, c in enumerate(report.candidates)
    ]
    _rows(report, codes, "Held back by a rule", held, opened)
    _rows(report, codes, "Considered, not proposed", considered, opened)
    if absent:
        shown = "".join(_row(report, codes, row, False) for row in absent)
        st.html(
            '<details class="cp-more"><summary>Absent, only possible later, or said more precisely elsewhere '
            f"({len(absent)})</summary>{shown}</details>"
        )
    if not (held or considered or absent):
        st.html(quiet("Nothing was held back."))


def _rows(report: Report, codes: CodeSet, title: str, rows: Sequence[_Row], opened: str | None) -> None:
    """Rows under a heading; the open one in a card of its own, with the decision."""
    shut = [heading(title)] if rows else []
    for row in rows:
        if row[0] != opened:
            shut.append(_row(report, codes, row, False))
            continue
        st.html("".join(shut))
        shut = []
        with st.container(key="open_card", gap=None):
            st.html(_row(report, codes, row, True))
            decisions.take(report, row[1], row[2])
    if shut:
        st.html("".join(shut))


def _row(report: Report, codes: CodeSet, row: _Row, is_open: bool) -> str:
    key, code, why, source, ids = row
    by_id = {f.id: f for f in report.findings}
    spans = spans_of(ids, by_id)
    text = next((by_id[i].text for i in ids if i in by_id), "")
    title = codes.title(code) if code in codes else ""
    made = decisions.made(code)
    return (
        f'<div class="cp-edit"><button class="cp-pick" data-result="{key}" data-do="{key}" '
        f'aria-expanded="{str(is_open).lower()}"><b>{esc(code)}</b> <span>{esc(words(title, 70))}</span></button>'
        f"<div>{said(text, spans) if text else ''} {esc(why)} {source} {decisions.badge(made) if made else ''}</div></div>"
    )
