"""What changes when the note is reviewed in the other setting or on another date."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from exchange.rendered import comparison_answer, verdict_words, words
from models.comparison import Comparison
from models.proposal import Evidence
from ui.parts import esc, said


def changes_panel(found: Comparison) -> None:
    """The difference in one line, and opened: code by code, verdict by verdict, with the rule that decides."""
    was, now = found.before, found.after
    moved = [
        f"{a} → {b}"
        for a, b in ((was.setting, now.setting), (was.date_of_service, now.date_of_service), (was.release, now.release))
        if a != b
    ]
    rows = [
        *(_row("＋", "added", c.code, c.description, c.evidence, c.why) for c in found.added),
        *(_row("－", "gone", c.code, c.description, c.evidence, c.why) for c in found.gone),
        *(_row("⇄", "changed", f"{c.before} → {c.after}", c.description, c.evidence, c.why) for c in found.replaced),
        *(
            _row("↕", "moved", m.code, "first-listed now" if m.first_listed[1] else "no longer first-listed", (), "")
            for m in found.moved
            if m.first_listed[0] != m.first_listed[1]
        ),
        *(
            _row(
                "≠",
                "verdict",
                f"line {v.line} {v.code}",
                f"{verdict_words(v.verdict[0])[1]} → {verdict_words(v.verdict[1])[1]}",
                (),
                v.why,
            )
            for v in found.verdicts
        ),
    ]
    if found.levels is not None:
        levels = " → ".join(" or ".join(level) or "no level" for level in found.levels)
        rows.append(_row("≠", "level", "E/M", levels, (), ""))
    for title, both in (("edit", found.edits), ("gap", found.gaps)):
        rows += [
            _row(
                "－" if one.side == "before" else "＋",
                f"{title} {'gone' if one.side == 'before' else 'added'}",
                one.about,
                "",
                (),
                one.why,
            )
            for one in both
        ]
    about = f"{', '.join(moved)}: {comparison_answer(found)}"
    st.html(
        f'<details class="cp-diff" open><summary><b>What changes</b> {esc(about)}</summary>'
        f'<div class="cp-diffs">{"".join(rows)}</div></details>'
    )


def _row(sign: str, kind: str, name: str, about: str, evidence: Iterable[Evidence], why: str) -> str:
    quoted = " ".join(said(e.text, [(e.start, e.end)], 50) for e in list(evidence)[:1])
    return (
        f'<div class="cp-edit"><span class="cp-chip s-quiet"><span aria-hidden="true">{sign}</span> {esc(kind)}</span> '
        f"<b>{esc(name)}</b> {esc(words(about, 80))} {quoted} <span>{esc(why)}</span></div>"
    )
