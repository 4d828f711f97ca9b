"""Review: a note and a claim go in; codes, verdicts, gaps and the proof for each come out."""

from __future__ import annotations

import json
import logging
from importlib.resources import files

import streamlit as st

from code_maps.icd10cm import load
from exchange.rendered import STATE_SIGN, answer_parts, as_html, as_markdown
from models.claim import Claim
from models.record import NoteRecord
from models.report import Report
from models.text import Note
from pipeline.review import review
from ui import inputs, panels
from ui.note_view import show_note
from ui.samples import samples

_log = logging.getLogger("chartproof.ui")
_TABS = ("Codes", "Claim", "Gaps", "E/M", "Why not")


def style() -> None:
    """The looks that all pages share; from a file beside this one, never from the network."""
    st.html(f"<style>{files('ui').joinpath('page.css').read_text(encoding='utf-8')}</style>")


def page() -> None:
    """The Review page."""
    style()
    given = inputs.sidebar()
    if given.note_problem:
        st.error(panels.plain_label(given.note_problem), icon=":material/error:")
        return
    if given.record is None:
        _hello()
        _warm()
        return
    if given.claim_problem:
        st.error(panels.plain_label(f"The claim isn't checked. {given.claim_problem}"), icon=":material/error:")
    report = _reviewed(given.record, given.claim)
    if report is not None:
        _answer(report, given.record.text)
        _workspace(report, given.record.text, given.claim)


def _hello() -> None:
    st.html(
        '<div class="cp-hello"><h1>Does the note prove the claim?</h1>'
        "<p>Paste a note on the left, add the encounter and the claim, and see the codes that the note supports, "
        "whether each billed line stands, and what the documentation lacks: each with the words and the rule behind "
        "it.</p>"
        '<p class="cp-quiet">Nothing leaves this machine. The note is kept only while this page is open.</p></div>'
    )
    known = samples()
    if known:
        _, middle, _ = st.columns([1, 3, 1])
        with middle, st.container(horizontal=True, horizontal_alignment="center"):
            favourites = [n for n in ("diabetes-ckd", "knee-osteoarthritis", "heart-failure") if n in known] or list(
                known
            )[:3]
            for name in favourites:
                st.button(
                    panels.plain_label(known[name].title), key=f"try_{name}", on_click=inputs.take_sample, args=(name,)
                )


@st.cache_resource(show_spinner=False)  # type: ignore[untyped-decorator]
def _warm() -> bool:
    """Load code sets and terms while the first note is still being pasted."""
    review(Note("Cough."))
    return True


def _reviewed(record: NoteRecord, claim: Claim | None) -> Report | None:
    """The review of what was entered; the last one is kept with the session, in memory only."""
    state = st.session_state
    key = (record, claim)
    known = state.get("reviewed")
    if known and known[0] == key and (claim is None or known[0][1].model_fields_set == claim.model_fields_set):
        return known[1]  # type: ignore[no-any-return]
    for name in [n for n in state if str(n).startswith("suppose_")]:
        del state[name]
    state["chosen"] = None
    try:
        with st.spinner("Reading the note …"):
            report = review(record.note(), claim)
    except (
        Exception
    ) as error:  # Neither the page nor the log may show what an unforeseen error says: it can quote the note.
        trace = error.__traceback__
        while trace and trace.tb_next:
            trace = trace.tb_next
        where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "unknown"
        _log.error("review failed: %s at %s", type(error).__name__, where)
        st.error(
            panels.plain_label(
                f"This note can't be reviewed: {type(error).__name__}. That is a fault of ChartProof, not of the note."
            ),
            icon=":material/error:",
        )
        return None
    state["reviewed"] = (key, report)
    return report


def _answer(report: Report, text: str) -> None:
    note = report.note
    parts = "".join(
        f'<span class="cp-part s-{state}"><i aria-hidden="true">{STATE_SIGN[state]}</i>{panels.esc(said)}</span>'
        for state, said in answer_parts(report)
    )
    facts = " · ".join(
        [note.setting, str(note.date_of_service or "no date of service"), f"ICD-10-CM {note.release}", *note.notices]
    )
    left, right = st.columns([1, 0.13], vertical_alignment="top", gap="small")
    left.html(f'<div class="cp-answer" role="status">{parts}</div><div class="cp-sub">{panels.esc(facts)}</div>')
    with right.popover("Report", icon=":material/download:", width="stretch", key="downloads"):
        st.download_button(
            "JSON", lambda: json.dumps(report.to_dict(), ensure_ascii=False, indent=1), "report.json",
            "application/json",
            on_click="ignore", width="stretch", key="get_json",
        )  # fmt: skip
        st.download_button(
            "Markdown",
            lambda: as_markdown(report),
            "report.md",
            "text/markdown",
            on_click="ignore",
            width="stretch",
            key="get_md",
        )
        st.download_button(
            "HTML",
            lambda: as_html(report, text),
            "report.html",
            "text/html",
            on_click="ignore",
            width="stretch",
            key="get_html",
        )


@st.fragment  # type: ignore[untyped-decorator]
def _workspace(report: Report, text: str, claim: Claim | None) -> None:
    """Note and results side by side; choosing a code or marked words redraws only this part."""
    chosen = st.session_state.get("chosen")
    proposal = report.proposals[chosen] if chosen is not None and chosen < len(report.proposals) else None
    codes = load(report.note.date_of_service)

    def picked() -> None:
        """Marked words were clicked: choose the first code that rests on them."""
        ids = set((st.session_state["marks"].get("picked") or "").split())
        numbers = [n for n, p in enumerate(report.proposals) if ids.intersection(p.findings)]
        if numbers:
            st.session_state["chosen"] = numbers[0]
            st.session_state["tab"] = "Codes"

    left, right = st.columns([0.55, 0.45], gap="medium")
    with left:
        show_note(report, text, proposal, picked)
    with right, st.container(key="results"):
        tabs = dict(zip(_TABS, st.tabs(_TABS, key="tab", on_change="rerun"), strict=True))
        if tabs["Codes"].open:
            with tabs["Codes"]:
                panels.codes_panel(report, codes)
        if tabs["Claim"].open:
            with tabs["Claim"]:
                panels.claim_panel(report, claim, codes)
        if tabs["Gaps"].open:
            with tabs["Gaps"]:
                panels.gaps_panel(report)
        if tabs["E/M"].open:
            with tabs["E/M"]:
                panels.level_panel(report)
        if tabs["Why not"].open:
            with tabs["Why not"]:
                panels.why_not_panel(report)
