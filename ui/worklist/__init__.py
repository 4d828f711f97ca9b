"""Worklist: the gaps of many notes by priority, the queries to their providers, and what became of each."""

from __future__ import annotations

import datetime as dt
from importlib.resources import files

import streamlit as st

from models.problem import InputProblem
from models.worklist import STATUSES, KeptGap
from store import Store
from ui import access
from ui.kept import kept
from ui.parts import esc, plain_label
from ui.style import style
from ui.worklist import filters, upload
from ui.worklist.figures import cards, charts
from ui.worklist.opened import opened
from ui.worklist.queue_view import SIGNS, show_queue
from ui.worklist.sheet import sheet

_TABS = ("Queue", "Query sheet", "Charts", "Scorecards")
_ON_A_PAGE = 50


def page() -> None:
    """The Worklist page."""
    access.require("cdi")
    style()
    st.html(f"<style>{files('ui.worklist').joinpath('worklist.css').read_text(encoding='utf-8')}</style>")
    try:
        store = kept()
        with st.sidebar:
            upload.sidebar(store)
        _page(store)
    except InputProblem as problem:
        st.error(plain_label(str(problem)), icon=":material/error:")


def _page(store: Store) -> None:
    now = dt.datetime.now(dt.UTC)
    gap = st.session_state.get("wl_gap")
    upload.under_way(quietly=gap is not None)
    if gap is not None:
        try:
            opened(store, gap, now)
            return
        except InputProblem as problem:  # It was purged meanwhile.
            st.session_state["wl_gap"] = None
            st.warning(plain_label(str(problem)), icon=":material/warning:")
    choices = store.choices()
    if not sum(choices.statuses.values()) and not store.notes_by_provider():
        _hello(store)
        return
    said = "".join(
        f'<span class="cp-part w-{s}"><i aria-hidden="true">{SIGNS[s]}</i>{choices.statuses[s]:,} {s}</span>'
        for s in STATUSES
    )
    st.html(f'<h1 class="cp-unseen">Worklist</h1><div class="cp-answer" role="status">{said}</div>')
    wanted = filters.filters(choices)
    tabs = dict(zip(_TABS, st.tabs(_TABS, key="wl_tab", on_change="rerun"), strict=True))
    if tabs["Queue"].open:
        with tabs["Queue"]:
            _queue(store.queue(wanted), now)
    if tabs["Query sheet"].open:
        with tabs["Query sheet"]:
            sheet(store, store.queue(filters.live(wanted)))
    if tabs["Charts"].open:
        with tabs["Charts"]:
            charts(store.queue(filters.whatever_the_status(wanted)))
    if tabs["Scorecards"].open:
        with tabs["Scorecards"]:
            cards(store.queue(filters.whatever_the_status(wanted)), store.notes_by_provider(), wanted)


def _hello(store: Store) -> None:
    st.html(
        '<div class="cp-hello"><h1>What does the documentation lack?</h1>'
        "<p>Choose a file with notes on the left. Each is reviewed; what its documentation lacks comes into one queue, "
        "the most important first, with a compliant query to its provider ready to send.</p>"
        '<p class="cp-quiet">CSV, JSON lines or Parquet with the columns <code>id</code> and <code>text</code> '
        "(also <code>date_of_service</code>, <code>setting</code>, <code>provider</code>, <code>age</code>, "
        "<code>sex</code>, <code>claim</code>), or a ZIP of text, Word or PDF files.</p>"
        f'<p class="cp-quiet">Notes uploaded here are stored: in <code>{esc(store.where)}</code>, until you remove '
        "them. Nothing leaves this machine.</p></div>"
    )


def _queue(gaps: tuple[KeptGap, ...], now: dt.datetime) -> None:
    if not gaps:
        st.html('<p class="cp-quiet">Nothing here with these filters.</p>')
        return
    pages = -(-len(gaps) // _ON_A_PAGE)
    at = min(st.session_state.get("wl_page", 0), pages - 1)
    shown = gaps[at * _ON_A_PAGE : (at + 1) * _ON_A_PAGE]

    def picked() -> None:
        id = st.session_state["queue"].get("picked")
        if id:
            st.session_state["wl_gap"] = id
            st.session_state["wl_ids"] = tuple(g.id for g in gaps)

    with st.container(key="wl_queue", height="content"):
        show_queue(shown, now, picked)
    if pages > 1:
        with st.container(horizontal=True, vertical_alignment="center", key="wl_pager"):
            st.button("Previous", icon=":material/chevron_left:", disabled=at == 0, on_click=_turn, args=(at - 1,))
            st.button("Next", icon=":material/chevron_right:", disabled=at == pages - 1, on_click=_turn, args=(at + 1,))
            first = at * _ON_A_PAGE + 1
            st.html(f'<span class="cp-quiet">{first:,} to {first + len(shown) - 1:,} of {len(gaps):,}</span>')


def _turn(to: int) -> None:
    st.session_state["wl_page"] = to
