"""Review: a note and a claim go in; codes, verdicts, gaps and the proof for each come out."""

from __future__ import annotations

import gc
import logging
from contextlib import nullcontext

import streamlit as st

from code_maps.icd10cm import load
from exchange.rendered import STATE_SIGN, answer_parts
from models.claim import Claim
from models.gap import Gap, Supposed
from models.problem import InputProblem
from models.record import NoteRecord
from models.report import Report
from models.text import Note
from pipeline.compare import compare
from pipeline.review import review
from pipeline.suppose import suppose
from ui import access, downloads, inputs, panels
from ui.note_view import show_note, told
from ui.parts import esc, plain_label
from ui.results import TAB_OF, Shown, find, next_on, words_of
from ui.samples import samples
from ui.style import style

__all__ = ["page", "style"]

_log = logging.getLogger("chartproof.ui")
_TABS = ("Codes", "Claim", "Gaps", "E/M", "Why not")
_FAVOURITES = ("diabetes-ckd", "knee-osteoarthritis", "heart-failure")
_LONG = 20_000


def page() -> None:
    """The Review page."""
    style()
    access.require("coder", "cdi", "educator")
    given = inputs.sidebar()
    # What comes and goes has a place of its own above: the note's place never moves, or the browser would build it anew.
    with st.container(gap=None):
        if given.file_problem:
            st.error(plain_label(given.file_problem), icon=":material/error:")
        if given.file_notice:
            st.info(plain_label(given.file_notice), icon=":material/info:")
    _workspace(given)
    if not st.session_state.get("text"):
        _warm()


@st.fragment  # type: ignore[untyped-decorator]
def _workspace(given: inputs.Inputs) -> None:
    """Answer, note and results. What happens in here draws only this part again, the sidebar stays as it is."""
    state = st.session_state
    if state.pop("whole_page", False):
        st.rerun()
    text: str = state.get("text", "")
    report = None
    with st.container(gap="small", key="top"):
        if text.strip():
            try:
                record = given.record(text)
            except InputProblem as problem:
                st.error(plain_label(str(problem)), icon=":material/error:")
            else:
                report = _reviewed(record, given.claim)
        if report is not None:
            _answer(report, record, given)
    opened = state.get("open")
    shown = words_of(report, opened) if report else Shown()

    def on_told() -> None:
        _heard(report, given.claim)

    left, right = st.columns([0.55, 0.45], gap="medium")
    with left:
        show_note(report, text if report else "", shown, on_told)
    with right:
        if report is None:
            _hello()
        else:
            with st.container(key="results"):
                _results(report, record, given.claim, opened)


def _heard(report: Report | None, claim: Claim | None) -> None:
    """What was done in the browser: a note given or edited, words or a result clicked, pointers taken over."""
    state = st.session_state
    about, content = told()
    if about == "text":
        inputs.set_text(content)
    elif report is None:
        return
    elif about == "words":
        key = next_on(report, content.split(), state.get("open"))
        if key:
            _open(key)
    elif about == "point" and content.isdigit():
        verdict = find(report, f"line:{content}")
        pointers = getattr(verdict, "pointers_suggested", ())
        if pointers and claim:
            inputs.point(int(content), pointers)
            state["whole_page"] = True
    elif about in TAB_OF:
        key = f"{about}:{content}"
        if state.get("open") == key:
            state["open"] = None
        else:
            _open(key)


def _open(key: str) -> None:
    st.session_state["open"] = key
    st.session_state["tab"] = TAB_OF[key.partition(":")[0]]
    st.session_state["deciding"] = None


def _hello() -> None:
    st.html(
        '<div class="cp-hello"><h1>Does the note prove the claim?</h1>'
        "<p>Paste a note, add the encounter and the claim on the left, and see the codes that the note supports, "
        "whether each billed line stands, and what the documentation lacks: each with the words and the rule behind "
        "it.</p>"
        '<p class="cp-quiet">Nothing leaves this machine. A note is kept only while this page is open, unless you save '
        "it.</p></div>"
    )
    known = samples()
    favourites = [n for n in _FAVOURITES if n in known] or list(known)[:3]
    with st.container(key="tries", gap="small"):
        for name in favourites:
            st.button(plain_label(known[name].title), key=f"try_{name}", on_click=_try, args=(name,))


def _try(name: str) -> None:
    inputs.take_sample(name)
    st.session_state["whole_page"] = True


@st.cache_resource(show_spinner=False)  # type: ignore[untyped-decorator]
def _warm() -> bool:
    """Load code sets and terms while the first note is still being pasted.

    What is loaded stays for good: Streamlit collects garbage after every run, and without `freeze` it would look
    through all terms each time (about 80 ms before the last change reaches the browser).
    """
    review(Note("Cough."))
    gc.collect()
    gc.freeze()
    return True


def _reviewed(record: NoteRecord, claim: Claim | None) -> Report | None:
    """The review of what was entered; the last one is kept with the session, in memory only."""
    state = st.session_state
    key = (record, claim)
    known = state.get("reviewed")
    if known and known[0] == key and (claim is None or known[0][1].model_fields_set == claim.model_fields_set):
        return known[1]  # type: ignore[no-any-return]
    for name in [n for n in state if str(n).startswith(("suppose_", "answer_"))]:
        del state[name]
    try:
        # A spinner is a change to the page of its own: only where there is something to wait for.
        with st.spinner("Reading the note …") if len(record.text) > _LONG else nullcontext():
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
            plain_label(
                f"This note can't be reviewed: {type(error).__name__}. That is a fault of ChartProof, not of the note."
            ),
            icon=":material/error:",
        )
        return None
    state["open"] = _same_result(known[1], report, state.get("open")) if known else None
    _remember_before(record, report)
    state["reviewed"] = (key, report)
    return report


def _same_result(before: Report, after: Report, key: str | None) -> str | None:
    """The key of the result that was open, in the new report: by its code or gap id, wherever it ranks now."""
    result = find(before, key)
    if result is None or key is None:
        return None
    kind = key.partition(":")[0]
    if kind == "line":
        return key if find(after, key) else None
    name = "id" if kind == "gap" else "code"
    lists = {"code": after.proposals, "gap": after.gaps, "held": after.withheld, "maybe": after.candidates}
    wanted = getattr(result, name)
    return next((f"{kind}:{n}" for n, other in enumerate(lists[kind]) if getattr(other, name) == wanted), None)


def _remember_before(record: NoteRecord, report: Report) -> None:
    """Keep the review to compare with: the first of this text, before its setting or date was changed."""
    state = st.session_state
    before = state.get("before")
    if before is None or before[0].text != record.text:
        state["before"] = (record, report)


def _answer(report: Report, record: NoteRecord, given: inputs.Inputs) -> None:
    note = report.note
    parts = "".join(
        f'<span class="cp-part s-{state}"><i aria-hidden="true">{STATE_SIGN[state]}</i>{esc(text)}</span>'
        for state, text in answer_parts(report)
    )
    if given.claim_problems:
        parts += (
            '<span class="cp-part s-risk"><i aria-hidden="true">✗</i>the claim isn\'t checked: see beside it</span>'
        )
    facts = " · ".join(
        [note.setting, str(note.date_of_service or "no date of service"), f"ICD-10-CM {note.release}", *note.notices]
    )
    with st.container(horizontal=True, vertical_alignment="top", gap="small", key="answer"):
        st.html(f'<div class="cp-answer" role="status">{parts}</div><div class="cp-sub">{esc(facts)}</div>')
        downloads.report_menu(report, record)
        downloads.save_menu(report, record, given.claim)
    before = st.session_state.get("before")
    if before and (before[0].setting, before[0].date_of_service) != (record.setting, record.date_of_service):
        found = compare(before[1], report)
        panels.changes_panel(found)


def _results(report: Report, record: NoteRecord, claim: Claim | None, opened: str | None) -> None:
    codes = load(report.note.date_of_service)

    def supposing(gap: Gap, answer: str) -> Supposed:
        return suppose(record.note(), claim, report, gap, answer)

    tabs = dict(zip(_TABS, st.tabs(_TABS, key="tab", on_change="rerun"), strict=True))
    draw = {
        "Codes": lambda: panels.codes_panel(report, codes, opened),
        "Claim": lambda: panels.claim_panel(report, claim, codes, opened),
        "Gaps": lambda: panels.gaps_panel(report, codes, opened, supposing),
        "E/M": lambda: panels.level_panel(report),
        "Why not": lambda: panels.why_not_panel(report, codes, opened),
    }
    for name, tab in tabs.items():
        if tab.open:
            with tab:
                draw[name]()
