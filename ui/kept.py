"""The store that the pages share: opened once for each database, by all sessions."""

from __future__ import annotations

import os

import streamlit as st

from code_maps.home import home
from store import Store, open_store


def kept() -> Store:
    """The store. Raises InputProblem where it can't be opened."""
    store: Store = _opened(os.environ.get("CHARTPROOF_DATABASE", ""), str(home()))
    return store


@st.cache_resource(show_spinner=False)  # type: ignore[untyped-decorator]
def _opened(url: str, folder: str) -> Store:
    return open_store(url or None)
