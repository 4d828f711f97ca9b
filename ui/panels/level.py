"""The level of the visit that the note supports, element by element."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import streamlit as st

from exchange.rendered import level_part
from models.finding import Finding
from models.gap import LevelReason
from models.report import Report
from ui.parts import chip, esc, quiet, said


def level_panel(report: Report) -> None:
    """Medical decision making with its reasons, each beside the words it was read from."""
    em = report.em
    if em is None:
        st.html(quiet("No visit to level: the claim has no office or hospital visit code."))
        return
    state = level_part(em)[0]
    billed = f"<p>{chip(state, em.flag or level_part(em)[1])} billed: <b>{esc(em.billed)}</b></p>" if em.billed else ""
    top = (
        f'<div class="cp-card s-{state}"><div class="cp-top">The note supports '
        f"<b>{esc(' or '.join(em.supports)) or 'no level'}</b>"
        f"</div><p>Medical decision making: <b>{esc(em.mdm)}</b></p>{billed}</div>"
    )
    by_id = {f.id: f for f in report.findings}
    rows = []
    for element, level in (("problems", em.problems), ("data", em.data), ("risk", em.risk)):
        reasons = [r for r in em.reasons if r.element == element]
        rows.append(
            f'<tr><th scope="row">{element}</th><td><b>{esc(level)}</b></td><td>{_reasons(reasons, by_id)}</td></tr>'
        )
    rest = [r for r in em.reasons if r.element not in ("problems", "data", "risk")]
    if rest:
        rows.append(f'<tr><th scope="row">other</th><td></td><td>{_reasons(rest, by_id)}</td></tr>')
    st.html(f'{top}<table class="cp-table cp-wide"><tbody>{"".join(rows)}</tbody></table>')


def _reasons(reasons: Iterable[LevelReason], by_id: Mapping[str, Finding]) -> str:
    shown = []
    for reason in reasons:
        found = [by_id[i] for i in reason.findings[:4] if i in by_id]
        quoted = " ".join(said(f.text, [(f.start, f.end)], 40) for f in found)
        shown.append(f"<div>{esc(reason.why)} {quoted}</div>")
    return "".join(shown)
