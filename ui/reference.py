"""Reference: one search box over codes and rules."""

from __future__ import annotations

import streamlit as st

from code_maps.icd10cm import load, releases, search
from exchange.rendered import code_page
from pipeline.explain import all_rules, explain


def page() -> None:
    """The Reference page."""
    st.title("Reference", anchor=False)
    on = st.date_input("Date of service", value=None, key="reference_on", format="YYYY-MM-DD")
    asked = st.text_input("Code, words of a title, or a rule", key="asked", placeholder="I50.22, heart failure, integral-symptom")
    codes = load(on)
    for notice in codes.notices:
        st.caption(notice)
    if asked:
        known = {rule["id"] for rule in all_rules()}
        if asked.strip().upper() in codes:
            st.code(code_page(asked.strip().upper(), on), language=None, wrap_lines=True)
        elif asked.strip() in known:
            st.code(explain(asked.strip()), language=None, wrap_lines=True)
        else:
            rows = [{"code": code, "title": title} for code, title, _ in search(codes, asked, 30)]
            rows += [{"code": r["id"], "title": r["title"]} for r in all_rules() if asked.lower() in r["title"].lower()]
            st.dataframe(rows, hide_index=True, width="stretch") if rows else st.caption("Nothing has these words.")
    with st.expander("Code sets at hand"):
        for info in releases():
            st.text(str(info))
    with st.expander("Rules"):
        st.dataframe([{k: r[k] for k in ("id", "family", "title")} for r in all_rules()], hide_index=True, width="stretch")
