"""Checklists: to support a service, document this; on one page to print."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from code_maps.services import favourites, service_name
from exchange import teaching
from exchange.paper import as_docx, as_pdf
from pipeline.teaching.checklist import checklist
from ui.parts import esc, plain_label, quiet

_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_OFTEN = ("E0601", "83036", "G0296", "99214", "72148", "11721")


def draw() -> None:
    """The Checklists tab."""
    code_, on_, state_, payer_ = st.columns([0.3, 0.24, 0.16, 0.3], vertical_alignment="bottom", gap="small")
    code = code_.text_input(
        "Service (CPT or HCPCS code)", key="learn_service", placeholder="E0601", max_chars=5
    ).strip()
    on = on_.date_input(
        "Date of service", value=None, key="learn_on", format="YYYY-MM-DD", min_value=dt.date(2015, 10, 1)
    )
    state = state_.text_input("State", key="learn_state", max_chars=2, placeholder="any").strip().upper() or None
    payer = payer_.text_input("Payer", key="learn_payer", placeholder="medicare").strip() or "medicare"
    if not code:
        st.html(quiet("A code gives one page: the diagnoses, what the note shows, limits, the record and the claim."))
        with st.container(horizontal=True, key="learn_often"):
            for often in dict.fromkeys((*favourites()[:4], *_OFTEN)):
                name = service_name(often)
                st.button(
                    plain_label(f"{often} {name or ''}".strip()),
                    key=f"learn_service_{often}",
                    on_click=_take,
                    args=(often,),
                )
        return
    found = checklist(code, on, state, payer)
    name = f"checklist-{found.code}"
    st.html(f'<div class="learn-sheet">{_sheet(teaching.checklist_html(found))}</div>')
    forms = (
        ("Page to print (HTML)", lambda: teaching.checklist_html(found), f"{name}.html", "text/html"),
        ("Word", lambda: as_docx(teaching.checklist_paper(found)), f"{name}.docx", _WORD),
        ("PDF", lambda: as_pdf(teaching.checklist_paper(found)), f"{name}.pdf", "application/pdf"),
        ("Markdown", lambda: teaching.checklist_markdown(found), f"{name}.md", "text/markdown"),
    )
    with st.container(horizontal=True):
        for label, made, file, mime in forms:
            st.download_button(
                label,
                made,
                file,
                mime,
                on_click="ignore",
                icon=":material/download:",
                key=f"learn_get_{file.split('.')[1]}",
            )
    st.html(
        f'<p class="cp-quiet">{esc("Policies, edits and rules as they are at hand here; no diagnosis is proposed.")}</p>'
    )


def _take(code: str) -> None:
    st.session_state["learn_service"] = code


def _sheet(page: str) -> str:
    """What stands on the page to print, without its own looks and head; its heading is one of this page."""
    body = page.split("<main>", 1)[1].split("</main>", 1)[0]
    return body.replace("<h2>", "<h3>").replace("</h2>", "</h3>").replace("<h1>", "<h2>").replace("</h1>", "</h2>")
