"""The web front door: page setup and navigation; nothing else.

Streamlit runs this file (`chartproof app`, `make app`). Every page is a module in `ui/`.
"""

from __future__ import annotations

import streamlit as st

from ui import reference, review_page

# A picture of our own: Streamlit would fetch a named icon for the browser tab from the network.
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#17698c"/>'
    '<path d="M8 17l5.5 5.5L24 11" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round"/></svg>'
)

st.set_page_config(page_title="ChartProof", page_icon=_ICON, layout="wide", initial_sidebar_state=330)
st.navigation(
    [
        st.Page(review_page.page, title="Review", icon=":material/description:", url_path="review", default=True),
        st.Page(reference.page, title="Reference", icon=":material/menu_book:", url_path="reference"),
    ],
    position="top",
).run()
