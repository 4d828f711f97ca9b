"""A text field that tells what is typed while it is typed, after a short pause."""

from __future__ import annotations

import hashlib

import streamlit as st

_HTML = '<label class="live"><span></span><textarea spellcheck="false"></textarea></label>'

_CSS = """
.live { display: block; font-family: var(--st-font), sans-serif; color: var(--st-text-color); }
.live span { display: block; font-size: 12.5px; font-weight: 600; margin-bottom: .25rem; }
.live textarea { width: 100%; box-sizing: border-box; resize: vertical; font: inherit; font-size: 13.5px; line-height: 1.55;
  color: inherit; background: var(--st-secondary-background-color); border-radius: .45rem; padding: .5rem .7rem;
  border: 1px solid color-mix(in srgb, currentColor 45%, transparent); field-sizing: content; min-height: 7rem; max-height: 26rem; }
.live textarea:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
"""

_JS = """
export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".live"), area = root.querySelector("textarea");
  const state = (root.state ||= { key: null, timer: 0 });
  root.querySelector("span").textContent = data.label;
  if (state.key !== data.key) {
    state.key = data.key;
    area.value = data.text;
  }
  area.oninput = () => {
    clearTimeout(state.timer);
    state.timer = setTimeout(() => setStateValue("text", area.value), 250);
  };
}
"""

_mount = st.components.v2.component("chartproof_live_text", html=_HTML, css=_CSS, js=_JS)


def live_text(label: str, key: str, text: str) -> str:
    """Draw the field with `text` in it, and give what stands in it now. Another `text` begins anew."""
    begun = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
    result = _mount(
        key=f"{key}_{begun}", data={"label": label, "text": text, "key": begun}, default={"text": text},
        on_text_change=lambda: None,
    )  # fmt: skip
    written = result.get("text")
    return text if written is None else str(written)
