"""Reference: one search box over codes and rules; a code reads like the tabular, a rule like its file."""

from __future__ import annotations

import html
from typing import Any

import streamlit as st

from code_maps.icd10cm import CodeSet, load, releases, search
from code_maps.icd10cm.problems import UnknownRelease
from models.problem import InputProblem
from pipeline.explain import all_rules, explain
from ui.panels import esc, plain_label
from ui.review_page import style

_KINDS = {
    "includes": "Includes",
    "excludes1": "Excludes1: never together",
    "excludes2": "Excludes2: another condition, may stand beside",
    "code_first": "Code first",
    "use_additional": "Use additional code",
    "code_also": "Code also",
    "inclusion_term": "Inclusion terms",
}


def _go(key: str) -> None:
    st.session_state["asked"] = key


def page() -> None:
    """The Reference page."""
    style()
    state = st.session_state
    for name, value in state.get("reference_kept", {}).items():
        if name not in state:
            state[name] = value
    with st.sidebar:
        on = st.date_input("Date of service", value=None, key="reference_on", format="YYYY-MM-DD")
        st.caption("Without a date the newest installed release is shown.")
        with st.expander("Code sets at hand"):
            for info in releases():
                st.text(str(info))
    asked = st.text_input(
        "Search",
        key="asked",
        label_visibility="collapsed",
        icon=":material/search:",
        placeholder="A code, words of a title, or a rule: I50.22, heart failure, integral-symptom",
    )
    state["reference_kept"] = {"asked": asked, "reference_on": on}
    try:
        codes = load(on)
    except UnknownRelease as problem:
        st.error(plain_label(str(problem)), icon=":material/error:")
        return
    for notice in codes.notices:
        st.html(f'<p class="cp-quiet">{esc(notice)}</p>')
    wanted = asked.strip()
    rules = all_rules()
    if not wanted:
        st.html(
            f'<p class="cp-quiet">ICD-10-CM {esc(codes.release)}: {codes.billable_count:,} billable codes; '
            f"{len(rules)} rules.</p>"
        )
        _rules(rules)
    elif wanted.upper() in codes:
        _code(codes, wanted.upper())
    elif any(rule["id"] == wanted for rule in rules):
        _rule(wanted)
    else:
        _hits(codes, wanted, rules)


def _hits(codes: CodeSet, wanted: str, rules: list[dict[str, Any]]) -> None:
    low = wanted.lower()
    near = [r for r in rules if low in r["title"].lower() or low in r["id"] or low in r["why"].lower()]
    found = search(codes, wanted, 25)
    if not found and not near:
        st.html('<p class="cp-quiet">Nothing has these words. Try fewer, or a code.</p>')
    with st.container(key="hits", gap=None):
        for code, title, _ in found:
            mark = "" if codes.is_billable(code) else " (heading)"
            st.button(
                f"**{code}**&ensp;{plain_label(title)}{mark}",
                key=f"hit_{code}",
                type="tertiary",
                on_click=_go,
                args=(code,),
            )
    if near:
        _rules(near)


def _rules(rules: list[dict[str, Any]]) -> None:
    names = {"guideline": "Coding rules", "gap": "Documentation gaps", "edit": "Claim edits", "policy": "Policies"}
    for family in dict.fromkeys(r["family"] for r in rules):
        st.html(f'<div class="cp-h">{esc(names.get(family, family))}</div>')
        with st.container(key=f"rules_{family}", gap=None):
            for r in rules:
                if r["family"] == family:
                    st.button(
                        f"**{plain_label(r['id'])}**&ensp;{plain_label(r['title'])}",
                        key=f"rule_{r['id']}",
                        type="tertiary",
                        on_click=_go,
                        args=(r["id"],),
                    )


def _rule(key: str) -> None:
    try:
        text = explain(key)
    except InputProblem as problem:
        text = str(problem)
    head, _, body = text.partition("\n")
    st.html(f'<div class="cp-tab"><h2>{esc(head)}</h2><pre class="cp-text">{html.escape(body)}</pre></div>')


def _code(codes: CodeSet, code: str) -> None:
    """One code as the tabular shows it: its place, its notes and where each is inherited from, and what is below."""
    state = "billable" if codes.is_billable(code) else "a heading, not billable"
    way = [*reversed(codes.ancestors(code)), code]
    steps = []
    for depth, node in enumerate(way):
        shown = f"<b>{esc(_name(codes, node).capitalize() if node.isdigit() else node)}</b> {esc(codes.title(node))}"
        steps.append(f'<li style="padding-left:{depth * 1.1:.1f}rem">{shown}</li>')
    st.html(
        f'<div class="cp-tab"><h2>{esc(code)}&ensp;{esc(codes.title(code))}</h2>'
        f'<div class="cp-sub">ICD-10-CM {esc(codes.release)} · {state}</div><ol>{"".join(steps)}</ol></div>'
    )
    grouped: dict[str, list[str]] = {}
    for term in codes.inclusion_terms(code):
        grouped.setdefault("inclusion_term", []).append(f"<dd>{esc(term)}</dd>")
    for note in codes.notes(code):
        if note.kind != "inclusion_term":
            source = "" if note.origin == code else f"<small>from {esc(_name(codes, note.origin))}</small>"
            grouped.setdefault(note.kind, []).append(f"<dd>{esc(note.text)}{source}</dd>")
    parts = [
        f"<dt>{esc(_KINDS.get(kind, kind.replace('_', ' ').capitalize()))}</dt>{''.join(notes)}"
        for kind, notes in sorted(grouped.items(), key=lambda item: [*_KINDS, item[0]].index(item[0]))
    ]
    if parts:
        st.html(f'<div class="cp-tab"><dl>{"".join(parts)}</dl></div>')
    above = [node for node in reversed(way[:-1]) if codes.kind(node) in ("category", "code")]
    below = codes.children(code)
    if above:
        st.html('<div class="cp-h">Above it</div>')
        with st.container(key="above", gap=None):
            for node in above:
                _link(codes, node)
    if below:
        st.html('<div class="cp-h">Below it</div>')
        with st.container(key="below", gap=None):
            for node in below[:60]:
                _link(codes, node)


def _name(codes: CodeSet, node: str) -> str:
    return f"chapter {node}" if codes.kind(node) == "chapter" else node


def _link(codes: CodeSet, node: str) -> None:
    title = plain_label(codes.title(node))
    st.button(f"**{node}**&ensp;{title}", key=f"go_{node}", type="tertiary", on_click=_go, args=(node,))
