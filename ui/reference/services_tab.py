"""Services: favourites, and the quick reference of one service for a date, a state and a payer."""

from __future__ import annotations

import streamlit as st

from code_maps.services import change_favourites, favourites, find_services, service_code, service_name
from models.problem import InputProblem
from pipeline.quick_reference import QuickReference, quick_reference
from ui.parts import esc, plain_label
from ui.reference.parts import Asked, go, links, opened, quiet, unlink
from ui.reference.policy_card import card_html


def draw(asked: Asked) -> None:
    """The Services tab."""
    unlink()
    left, right = st.columns([0.34, 0.66], gap="medium")
    with left:
        _choose()
    with right:
        payer = st.text_input("Payer", key="ref_payer", placeholder="medicare", width=240).strip() or "medicare"
        code = opened("service")
        if code is None:
            quiet("Choose a favourite, or enter a CPT or HCPCS code or words of a service.")
        else:
            found = quick_reference(code, asked.codes, asked.on, asked.state, payer)
            _heading(found, payer)
            _page(found)


def _choose() -> None:
    written = st.text_input(
        "Find a service", key="ref_service_words", placeholder="83036, or words: prothrombin", on_change=_open_code
    ).strip()
    if written:
        found = find_services(written)
        if found:
            links("services", "service", ((code.partition("-")[0], name) for code, name in found), "service")
        elif opened("service") != written.upper():
            quiet("No service at hand has these words. A code of five characters can be opened all the same.")
    kept = favourites()
    with st.container(key="ref_favourites", gap=None):
        st.html('<h2 class="cp-h">Favourites</h2>')
        if not kept:
            quiet(
                "None yet. Open a service and add it. The terminal has the same ones: chartproof services favourites."
            )
        for code in kept:
            name, away = st.columns([0.86, 0.14], vertical_alignment="center")
            mark = "▸ " if code == opened("service") else ""
            name.button(
                f"{mark}**{code}**&ensp;{plain_label(service_name(code) or '')}", key=f"favourite_{code}",
                type="tertiary", on_click=go, args=("service", code),
            )  # fmt: skip
            away.button("✕", key=f"drop_{code}", type="tertiary", help=f"Remove {code} from the favourites",
                        on_click=_change, kwargs={"remove": code})  # fmt: skip


def _open_code() -> None:
    try:
        go("service", service_code(st.session_state["ref_service_words"]))
    except InputProblem:
        return  # words: the list below shows what has them


def _change(add: str = "", remove: str = "") -> None:
    try:
        change_favourites([add] if add else [], [remove] if remove else [])
    except InputProblem as problem:
        st.session_state["ref_favourite_problem"] = str(problem)


def _heading(found: QuickReference, payer: str) -> None:
    problem = st.session_state.pop("ref_favourite_problem", "")
    if problem:
        st.error(plain_label(problem), icon=":material/error:")
    title, button = st.columns([0.74, 0.26], vertical_alignment="top")
    where = f"on {found.on or 'any date'}, in {found.state or 'any state'}, {payer}"
    title.html(
        f'<div class="cp-tab"><h2>{esc(found.code)}&ensp;{esc(found.name or "service")}</h2>'
        f'<div class="cp-sub">{esc(where)} · ICD-10-CM {esc(found.release)}</div></div>'
    )
    if found.code in favourites():
        button.button("★ Remove favourite", key="unstar", on_click=_change, kwargs={"remove": found.code},
                      width="stretch")  # fmt: skip
    else:
        button.button("☆ Add favourite", key="star", on_click=_change, kwargs={"add": found.code}, width="stretch")


def _page(found: QuickReference) -> None:
    if found.reason:
        st.html(f"<p>{esc(found.reason)}</p>")
    for card in found.policies:
        st.html(f'<div class="ref-card">{card_html(card, headed=True)}</div>')
        st.button(f"Open {plain_label(card.id)}", key=f"open_{card.id}", type="tertiary", on_click=go,
                  args=("policy", card.id))  # fmt: skip
    if found.edits:
        rows = "".join(f'<div class="cp-edit">{esc(b.says)} <code>{esc(b.edit)}</code></div>' for b in found.edits)
        st.html(f'<h3 class="cp-h">Edits that bear on it</h3>{rows}')
    if found.pairs:
        rows = "".join(
            f'<div class="cp-edit"><b>{esc(p.column1)}</b> with <b>{esc(p.column2)}</b>: {esc(p.change)} {p.since}, '
            f"modifier indicator {esc(p.indicator)}, {esc(p.setting)}</div>"
            for p in found.pairs[:100]
        )
        st.html(
            f'<details class="ref-more"><summary>Procedure pairs that changed: {len(found.pairs)} '
            f"(NCCI; a layer of its own)</summary>{rows}</details>"
        )
    for notice in found.notices:
        quiet(notice)
