"""A field that finds codes while one types: a combobox (WAI-ARIA pattern) of our own, answered by `code_maps`."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files

import streamlit as st

from code_maps.icd10cm import CodeSet, search
from code_maps.services import service_name

Hit = tuple[str, str]

_HTML = """
<div class="find"><label><span></span>
  <input type="text" role="combobox" autocomplete="off" spellcheck="false" aria-expanded="false" aria-autocomplete="list"
    aria-controls="hits"></label>
  <ul id="hits" role="listbox" hidden></ul><div class="none" role="status"></div></div>
"""

_JS = """
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".find");
  const input = root.querySelector("input"), list = root.querySelector("ul"), none = root.querySelector(".none");
  const state = (root.state ||= { at: -1, timer: 0 });
  root.querySelector("label span").textContent = data.label;
  list.setAttribute("aria-label", data.label);
  input.placeholder = data.hint;
  const shut = () => { list.hidden = true; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); state.at = -1; };
  const pick = (code) => { input.value = ""; none.textContent = ""; shut(); setTriggerValue("picked", code); };
  const mark = (at) => {
    const all = [...list.children];
    if (!all.length) return;
    state.at = (at + all.length) % all.length;
    all.forEach((li, n) => li.setAttribute("aria-selected", String(n === state.at)));
    all[state.at].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", all[state.at].id);
  };
  input.oninput = () => {
    clearTimeout(state.timer);
    const asked = input.value.trim();
    if (asked.length < 2) { shut(); none.textContent = ""; return; }
    state.timer = setTimeout(() => setTriggerValue("asked", asked), 120);
  };
  input.onkeydown = (event) => {
    if (event.key === "ArrowDown" && !list.hidden) { event.preventDefault(); mark(state.at + 1); }
    if (event.key === "ArrowUp" && !list.hidden) { event.preventDefault(); mark(state.at - 1); }
    if (event.key === "Escape") shut();
    if (event.key === "Enter" && !list.hidden && list.children.length) {
      event.preventDefault();
      pick(data.hits[Math.max(state.at, 0)][0]);
    }
  };
  input.onblur = () => setTimeout(shut, 150);
  if (input.value.trim() && input.value.trim() === data.asked) {
    list.replaceChildren(...data.hits.map(([code, title], n) => {
      const li = document.createElement("li"), b = document.createElement("b");
      b.textContent = code;
      li.id = "hit" + n;
      li.setAttribute("role", "option");
      li.setAttribute("aria-selected", "false");
      li.append(b, " " + title);
      li.onmousedown = (event) => { event.preventDefault(); pick(code); };
      return li;
    }));
    list.hidden = data.hits.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    none.textContent = data.hits.length ? "" : "No code has these words.";
    state.at = -1;
  }
}
"""

_mount = st.components.v2.component(
    "chartproof_lookup", html=_HTML, css=files("ui").joinpath("lookup.css").read_text(encoding="utf-8"), js=_JS
)


@lru_cache(maxsize=2)
def _vocabulary(codes: CodeSet) -> tuple[list[str], Counter[str]]:
    """Every word of the titles, in order, and how often it stands there."""
    counts = Counter(word for node in codes.nodes() for word in codes.title(node).lower().replace(",", " ").split())
    return sorted(counts), counts


def hits(codes: CodeSet, asked: str, most: int = 8, services: bool = False) -> list[Hit]:
    """Billable codes for what was typed so far, best first: the last word may be unfinished, a code may be too.

    With `services`, a CPT or HCPCS code that we have a name for comes first.
    """
    text = " ".join(asked.split())
    upper = text.upper()
    found: list[Hit] = []
    name = service_name(upper) if services and len(upper) == 5 else None
    if name:
        found.append((upper, name))
    if upper[:1].isalpha() and any(c.isdigit() for c in upper) and " " not in upper:
        plain = upper.replace(".", "")
        dotted = plain if len(plain) <= 3 else f"{plain[:3]}.{plain[3:]}"
        found += [(c, codes.title(c)) for c in _under(codes, dotted, most * 3)]
    for words in _finished(codes, text):
        nodes = [code for code, _, _ in search(codes, words, most)]
        # What can be billed as it stands comes before what lies under a heading.
        found += [(c, codes.title(c)) for c in nodes if codes.is_billable(c)][: most // 2]
        found += [(c, codes.title(c)) for node in nodes for c in _under(codes, node, 4)]
    return list(dict.fromkeys(found))[:most]


def _under(codes: CodeSet, start: str, most: int) -> list[str]:
    """The billable codes at or below a node; of a code that isn't finished, those that begin with it."""
    if start in codes:
        waiting: list[str] = [start]
        found: list[str] = []
        while waiting and len(found) < most:
            node = waiting.pop(0)
            if codes.is_billable(node):
                found.append(node)
            waiting[:0] = codes.children(node)
        return found
    stem = start[:-1].rstrip(".")
    if len(stem) < 3 or stem not in codes:
        return []
    return [c for child in codes.children(stem) if child.startswith(start) for c in _under(codes, child, most)][:most]


def _finished(codes: CodeSet, text: str) -> list[str]:
    """The words as typed, and with the last one finished in its most frequent ways."""
    *first, last = text.lower().split() or [""]
    words, counts = _vocabulary(codes)
    place = bisect_left(words, last)
    ways = []
    while place < len(words) and words[place].startswith(last):
        ways.append(words[place])
        place += 1
    best = sorted(ways, key=lambda w: (w != last, -counts[w]))[:2]
    return [" ".join([*first, word]) for word in best] or [text]


@st.fragment  # type: ignore[untyped-decorator]
def lookup(label: str, key: str, codes: CodeSet, on_pick: Callable[[str], None], services: bool = False) -> None:
    """Draw the field. `on_pick` gets the code that was chosen, before the page is drawn again."""
    state = st.session_state

    def asked() -> None:
        state[f"{key}_asked"] = state[key].get("asked") or ""

    def picked() -> None:
        code = state[key].get("picked")
        state[f"{key}_asked"] = ""
        if code:
            on_pick(code)
            state[f"{key}_done"] = True

    if state.pop(f"{key}_done", False):
        st.rerun()
    words = state.get(f"{key}_asked", "")
    _mount(
        key=key, on_asked_change=asked, on_picked_change=picked,
        data={"label": label, "asked": words, "hits": hits(codes, words, services=services) if words else [],
              "hint": "words, or a code"},
    )  # fmt: skip
