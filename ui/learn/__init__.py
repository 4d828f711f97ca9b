"""Learn: lessons, minimal pairs, practice with graded answers, checklists to print, and a class's results."""

from __future__ import annotations

from importlib.resources import files

import streamlit as st

from code_maps.icd10cm.problems import UnknownRelease
from models.problem import InputProblem
from ui import access
from ui.learn import checklists_tab, class_tab, lessons_tab, pairs_tab, practice_tab
from ui.parts import plain_label
from ui.style import style

__all__ = ["page"]

_TABS = {
    "Lessons": lessons_tab.draw,
    "Minimal pairs": pairs_tab.draw,
    "Practice": practice_tab.draw,
    "Checklists": checklists_tab.draw,
    "Class": class_tab.draw,
}
# Fields that Streamlit forgets while another page or tab is shown.
_KEPT = (
    "learn_tab", "learn_words", "learn_family", "learn_note", "learn_exercise", "learn_learner", "learn_service",
    "learn_on", "learn_state", "learn_payer",
)  # fmt: skip


def page() -> None:
    """The Learn page. The results of a class are shown to educators only."""
    access.require("coder", "cdi", "educator")
    style()
    looks = files("ui").joinpath("learn.css").read_text(encoding="utf-8")
    st.html(f'<style>{looks}</style><h1 class="cp-off-screen">Learn</h1>')
    state = st.session_state
    for name, value in state.get("learn_kept", {}).items():
        if name not in state:
            state[name] = value
    names = [name for name in _TABS if name != "Class" or access.allowed("educator")]
    tabs = dict(zip(names, st.tabs(names, key="learn_tab", on_change="rerun"), strict=True))
    for name in names:
        if tabs[name].open:
            with tabs[name]:
                try:
                    _TABS[name]()
                except (InputProblem, UnknownRelease) as problem:
                    st.error(plain_label(str(problem)), icon=":material/error:")
    state["learn_kept"] = {**state.get("learn_kept", {}), **{name: state[name] for name in _KEPT if name in state}}
