"""The looks that all pages share."""

from __future__ import annotations

from importlib.resources import files

import streamlit as st


def style() -> None:
    """Put the shared looks on the page; from a file beside this one, never from the network."""
    st.html(f"<style>{files('ui').joinpath('page.css').read_text(encoding='utf-8')}</style>")
