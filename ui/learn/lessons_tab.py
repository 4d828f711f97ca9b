"""Lessons: one rule each, with an example and a counterexample side by side, and both to be tried in an editor."""

from __future__ import annotations

import streamlit as st

from code_maps.rulefile import Rule
from exchange.teaching import FAMILIES, lesson_html, lesson_markdown
from models.lesson import Lesson, Shown
from models.problem import InputProblem
from pipeline.explain import every_rule
from pipeline.teaching.lessons import lesson, try_again
from pipeline.teaching.outcomes import changes, words_apart
from ui.learn.editor import live_text
from ui.learn.parts import changes_html, marked, part, results_html
from ui.parts import esc, heading, plain_label, quiet

_MOST = 60
_FIRST = "outpatient-uncertain"


def draw() -> None:
    """The Lessons tab."""
    left, right = st.columns([0.28, 0.72], gap="medium")
    with left:
        _list()
    with right, st.container(key="learn_lesson"):
        key = st.session_state.get("learn_rule", _FIRST)
        _lesson(lesson(key))


def choose(key: str) -> None:
    """Open a lesson."""
    st.session_state["learn_rule"] = key
    st.session_state["learn_tab"] = "Lessons"
    st.session_state.pop("learn_trying", None)


def _list() -> None:
    words = st.text_input("Words or an id", key="learn_words", placeholder="uncertain, laterality, 83036").casefold()
    family = st.selectbox(
        "Family", [None, *FAMILIES], key="learn_family", format_func=lambda name: FAMILIES.get(name, "All families")
    )
    shown = [r for r in every_rule() if (family is None or r.family == family) and _has(r, words.split())]
    if not shown:
        st.html(quiet("No lesson has these words."))
    for name, title in FAMILIES.items():
        mine = [r for r in shown if r.family == name]
        if not mine:
            continue
        st.html(part(f"{title} · {len(mine)}"))
        with st.container(key=f"learn_list_{name}", gap=None):
            for rule in mine[: _MOST if family or words else 12]:
                st.button(
                    plain_label(rule.title), key=f"learn_{rule.id}", type="tertiary", on_click=choose, args=(rule.id,),
                    help=plain_label(rule.id),
                )  # fmt: skip
        if len(mine) > (_MOST if family or words else 12):
            st.html(quiet("… and more: choose the family, or write some words."))


def _has(rule: Rule, words: list[str]) -> bool:
    text = f"{rule.id} {rule.title} {rule.why} {' '.join(map(str, rule.data.get('services', ())))}".casefold()
    return all(word in text for word in words)


def _lesson(found: Lesson) -> None:
    facts = f"{FAMILIES[found.family]} · {found.id}"
    start, end = found.in_force
    facts += f" · in force {start or 'always'} to {end or 'now'}" if start or end else ""
    trying = st.session_state.get("learn_trying") == found.id
    head, try_, more = st.columns([0.66, 0.19, 0.15], vertical_alignment="top", gap="small")
    head.html(
        f'<div class="learn-head"><h2>{esc(found.title)}</h2><div class="cp-sub">{esc(facts)}</div>'
        f"<p>{esc(found.why)}</p></div>"
    )
    try_.button(
        "Back" if trying else "Try it", icon=":material/undo:" if trying else ":material/edit:", key="learn_try",
        on_click=_toggle, args=(found.id,), width="stretch",
        help="The lesson as it stands" if trying else "Change the words, and see what the review says",
    )  # fmt: skip
    with more.popover("Print", icon=":material/download:", key="learn_print", width="stretch"):
        st.download_button(
            "Page (HTML)", lambda: lesson_html(found), f"{found.id}.html", "text/html", on_click="ignore",
            key="learn_get_html", width="stretch",
        )  # fmt: skip
        st.download_button(
            "Markdown", lambda: lesson_markdown(found), f"{found.id}.md", "text/markdown", on_click="ignore",
            key="learn_get_md", width="stretch",
        )  # fmt: skip
    if trying:
        _try(found)
    else:
        left, right = st.columns(2, gap="small")
        left.html(_side("The rule applies", found.example, found.only_example, found.id, "yes"))
        right.html(_side("It doesn't", found.counterexample, found.only_counter, found.id, "no"))
        st.html(heading("What changes from left to right") + changes_html(found.changes, found.id))
    sources = "".join(f"<li>{esc(s.said)}{_web(s.url)}</li>" for s in found.sources)
    limits = "".join(f"<li>{esc(limit)}</li>" for limit in found.limits)
    st.html(
        f'<div class="learn-two"><div>{heading("Source")}<ul class="cp-facts">{sources}</ul></div>'
        f'<div>{heading("Limits")}<ul class="cp-facts">{limits}</ul></div></div>'
    )
    if found.others:
        several = f"{len(found.others)} more example{'s' * (len(found.others) != 1)} of this rule"
        with st.expander(several):
            for other in found.others:
                st.html(_side("The rule applies" if other.fires else "It doesn't", other, (), found.id, ""))


def _toggle(key: str) -> None:
    state = st.session_state
    state["learn_trying"] = None if state.get("learn_trying") == key else key


def _web(url: str) -> str:
    return f' <a href="{esc(url)}" rel="noreferrer">{esc(url)}</a>' if url.startswith("https://") else ""


def _side(title: str, shown: Shown, apart: tuple[str, ...], rule: str, cls: str) -> str:
    about = f'<span class="cp-sub">{esc(" · ".join(shown.about))}</span>' if shown.about else ""
    sign = {"yes": '<i aria-hidden="true">●</i> ', "no": '<i aria-hidden="true">○</i> '}.get(cls, "")
    return (
        f'<section class="learn-side {cls}"><h3>{sign}{esc(title)}</h3>{about}'
        f'<div class="learn-text" dir="auto">{marked(shown.text, apart)}</div>{results_html(shown.results, rule)}</section>'
    )


@st.fragment  # type: ignore[untyped-decorator]
def _try(found: Lesson) -> None:
    """Both texts in editors that are reviewed again while one types."""
    sides = []
    left, right = st.columns(2, gap="small")
    for column, title, shown, name in (
        (left, "The example, to be changed", found.example, "one"),
        (right, "The counterexample, to be changed", found.counterexample, "two"),
    ):
        with column:
            text = live_text(title, f"learn_text_{found.id}_{name}", shown.text)
            results = None
            try:
                results = try_again(found, shown, text)
                st.html(f'<div class="learn-live">{results_html(results, found.id)}</div>')
            except InputProblem as problem:
                st.html(f'<p class="learn-problem">{esc(problem)}</p>')
        sides.append((text, results))
    (one, first), (two, second) = sides
    if first is None or second is None:
        return
    only_one, only_two = words_apart(one, two)
    apart = "".join(f"<li>left only: <mark>{esc(w)}</mark></li>" for w in only_one[:4])
    apart += "".join(f"<li>right only: <mark>{esc(w)}</mark></li>" for w in only_two[:4])
    st.html(
        heading("What changes from left to right")
        + (f'<ul class="learn-apart">{apart}</ul>' if apart else "")
        + changes_html(changes(first, second), found.id)
    )
