"""What the coder decides about codes: kept with the session, shown in every download, and saved with the note.

Nothing blocks: a code that a rule holds back can be taken all the same, with a reason.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import streamlit as st

from code_maps.icd10cm import CodeSet
from models.report import Report
from ui.access import current_user
from ui.lookup import lookup
from ui.parts import esc, heading, plain_label

Kind = Literal["accept", "reject", "replace"]
_SIGN = {"accept": "✓ accepted", "reject": "✗ rejected", "replace": "⇄ replaced"}
_REASONS: dict[str, tuple[str, ...]] = {
    "accept": ("Documented elsewhere in the record", "The rule doesn't apply here", "Confirmed by the provider"),
    "reject": ("Not evaluated or treated at this encounter", "The words don't support it", "Already in another code",
               "Not the patient's current condition"),
    "replace": ("More specific code is documented", "The words mean another condition", "Guideline asks for the other code"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """One decision. `replacement` is the code that takes the place of `code`."""

    code: str
    decision: Kind
    reason: str
    replacement: str | None
    who: str
    at: str


def all_made() -> dict[str, Made]:
    """The decisions of this session about the note at hand, by code."""
    return st.session_state.setdefault("decisions", {})  # type: ignore[no-any-return]


def made(code: str) -> Made | None:
    """What was decided about a code."""
    return all_made().get(code)


def forget() -> None:
    """Another note: its codes aren't decided yet."""
    st.session_state["decisions"] = {}
    st.session_state["deciding"] = st.session_state["note_name"] = None


def rows(report: Report) -> list[dict[str, Any]]:
    """The decisions as plain values, in the order of the report; those on codes it no longer names come last."""
    order = [p.code for p in report.proposals] + [w.code for w in report.withheld] + [c.code for c in report.candidates]
    known = {code: place for place, code in reversed(list(enumerate(order)))}
    return [asdict(m) for m in sorted(all_made().values(), key=lambda m: known.get(m.code, len(order)))]


def badge(m: Made) -> str:
    """A decision in a few words."""
    other = f" by {esc(m.replacement)}" if m.replacement else ""
    reason = f": {esc(m.reason)}" if m.reason else ""
    return f'<span class="cp-made m-{m.decision}" title="{esc(m.who)}">{_SIGN[m.decision]}{other}{reason}</span>'


def _keep(code: str, kind: Kind, reason: str = "", replacement: str | None = None) -> None:
    at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    all_made()[code] = Made(code, kind, reason, replacement, current_user(), at)
    st.session_state["deciding"] = None


def _press(code: str, kind: Kind) -> None:
    """A button was pressed: it decides, asks for what is still needed, or takes its own decision back."""
    state = st.session_state
    known = made(code)
    if known and known.decision == kind:
        del all_made()[code]
        state["deciding"] = None
    elif kind == "accept":
        _keep(code, kind)
    else:
        state["deciding"] = None if state.get("deciding") == (code, kind) else (code, kind)


def decide(report: Report, code: str, codes: CodeSet, near: Iterable[str]) -> None:
    """Accept, reject or replace a proposed code. `near` are codes that would stand in its place."""
    state = st.session_state
    known = made(code)
    now = known.decision if known else None
    with st.container(horizontal=True, key="decide", gap="small"):
        for kind, label, keys in (("accept", "Accept", "Alt+A"), ("reject", "Reject", "Alt+X"), ("replace", "Replace", "Alt+P")):  # fmt: skip
            st.button(
                f"{_SIGN[kind][0]} {label}" if now != kind else f"{_SIGN[kind][0]} {label}ed".replace("eed", "ed"),
                key=f"do_{kind}_{code}", shortcut=keys, on_click=_press, args=(code, kind),
                type="primary" if now == kind else "secondary",
                help="Press again to take it back" if now == kind else None,
            )  # fmt: skip
    if known:
        st.html(badge(known))
    if state.get("deciding") == (code, "reject"):
        _reason(code, "reject")
    elif state.get("deciding") == (code, "replace"):
        _replacement(report, code, codes, near)


def take(report: Report, code: str, why: str) -> None:
    """Take a code that was held back or only considered, with a reason."""
    known = made(code)
    if known:
        st.html(badge(known))
        st.button("Take it back", key="undo", on_click=lambda: all_made().pop(code, None), icon=":material/undo:")
        return
    st.html(
        f"{heading('Take it all the same')}<div class='cp-where'>The flag stays in the record, with your reason.</div>"
    )
    _reason(code, "accept")


def _reason(code: str, kind: Kind, replacement: str | None = None) -> None:
    key = f"reason_{kind}_{code}_{replacement or ''}"

    def given() -> None:
        reason = " ".join(str(st.session_state.get(key) or "").split())
        if reason:
            _keep(code, kind, reason[:500], replacement)

    st.selectbox(
        "Reason", _REASONS[kind], index=None, key=key, accept_new_options=True, on_change=given,
        placeholder="Choose a reason or type one",
    )  # fmt: skip


def _replacement(report: Report, code: str, codes: CodeSet, near: Iterable[str]) -> None:
    """Which code takes the place: one of those near at hand or one looked up; then the reason."""
    state = st.session_state
    name = f"replacement_{code}"
    at_hand = [c for c in dict.fromkeys([*near, *(c.code for c in report.candidates)]) if c != code and c in codes][:6]

    def chosen(other: str) -> None:
        state[name] = other

    if at_hand:
        st.pills(
            "Near at hand", at_hand, key=f"near_{code}", on_change=lambda: chosen(state[f"near_{code}"] or ""),
            format_func=lambda c: plain_label(f"{c} {codes.title(c)[:40]}"),
        )  # fmt: skip
    lookup("Find the code", f"find_{code}", codes, chosen)
    other = state.get(name)
    if not other:
        return
    if other not in codes or not codes.is_billable(other):
        st.html(
            f'<p class="cp-quiet" role="alert">✗ {esc(other)} isn\'t billable in ICD-10-CM {esc(codes.release)}.</p>'
        )
        return
    st.html(f"<p>{esc(code)} → <b>{esc(other)}</b> {esc(codes.title(other))}</p>")
    _reason(code, "replace", other)
