"""The web front door: page setup and navigation; nothing else.

Streamlit runs this file (`chartproof app`, `make app`). Every page is a module in `ui/`.
"""

from __future__ import annotations

import streamlit as st

from ui import reference, review_page

st.set_page_config(page_title="ChartProof", page_icon=":material/fact_check:", layout="wide")

st.navigation(
    [
        st.Page(review_page.page, title="Review", icon=":material/description:", url_path="review", default=True),
        st.Page(reference.page, title="Reference", icon=":material/menu_book:", url_path="reference"),
    ]
).run()
