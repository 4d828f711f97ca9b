"""Reference: one search box over codes, services, policies and rules, and a tab for each, for queries and for status.

What is open has an address of its own (`?code=I50.22`, `?rule=…`, `?policy=…`); nothing else that is entered has.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.resources import files

import streamlit as st

from code_maps.icd10cm import load
from code_maps.icd10cm.problems import ImportProblem, UnknownRelease
from models.problem import InputProblem
from ui import access
from ui.parts import plain_label
from ui.reference import codes_tab, found, linter_tab, policies_tab, rules_tab, services_tab, status_tab
from ui.reference.parts import Asked, follow_link, go, keep, quiet, restore, unlink
from ui.style import style

__all__ = ["page"]

_TABS = {
    "Codes": codes_tab.draw,
    "Services": services_tab.draw,
    "Policies": policies_tab.draw,
    "Rules": rules_tab.draw,
    "Query linter": linter_tab.draw,
    "Status": status_tab.draw,
}


def page() -> None:
    """The Reference page."""
    access.require("coder", "cdi", "educator")
    style()
    st.html(f"<style>{files('ui').joinpath('reference.css').read_text(encoding='utf-8')}</style>")
    st.html('<h1 class="cp-off-screen">Reference</h1>')
    restore()
    follow_link()
    search, date, state = st.columns([0.66, 0.19, 0.15], vertical_alignment="bottom", gap="small")
    written = search.text_input(
        "Search codes, services, policies and rules", key="asked", icon=":material/search:", on_change=_open_exact,
        placeholder="A code, a service, a policy, a rule, or words: I50.22, 83036, heart failure, integral-symptom",
    )  # fmt: skip
    on = date.date_input("Date of service", value=None, key="reference_on", format="YYYY-MM-DD")
    us_state = state.text_input("State", key="reference_state", max_chars=2, placeholder="any")
    keep()
    try:
        codes = load(on)
    except (UnknownRelease, ImportProblem) as problem:
        st.error(plain_label(str(problem)), icon=":material/error:")
        return
    asked = Asked(codes, on, us_state.strip().upper() or None)
    if written.strip() and found.exact(written, asked) is None:
        unlink()
        _safely(partial(found.draw, written, asked))
        return
    tabs = dict(zip(_TABS, st.tabs(list(_TABS), key="ref_tab", on_change="rerun"), strict=True))
    for name, draw in _TABS.items():
        if tabs[name].open:
            with tabs[name]:
                _safely(partial(draw, asked))


def _open_exact() -> None:
    """Open what the search box names by its id; words are searched for when the page is drawn."""
    written = st.session_state["asked"]
    try:
        codes = load(st.session_state.get("reference_on"))
        hit = found.exact(written, Asked(codes, None, None))
    except (UnknownRelease, ImportProblem):
        return
    if hit:
        go(*hit)
        st.session_state["asked"] = written


def _safely(draw: Callable[[], None]) -> None:
    """Draw a part; a damaged file or an entry that can't be used is one clear line."""
    try:
        draw()
    except (ImportProblem, InputProblem) as problem:
        st.error(plain_label(str(problem)), icon=":material/error:")
    except UnknownRelease as problem:
        quiet(str(problem))
