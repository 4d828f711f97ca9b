"""The queue of the Worklist as a table whose rows open; words of notes reach it as text, never as HTML."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

import streamlit as st

from models.gap import Gap
from models.worklist import KeptGap

_HTML = '<div class="cq"><table><thead></thead><tbody></tbody></table></div>'

_JS = """
export default function ({ data, parentElement, setTriggerValue }) {
  const el = (tag, text, cls) => {
    const node = document.createElement(tag);
    if (text) node.textContent = text;
    if (cls) node.className = cls;
    return node;
  };
  const head = parentElement.querySelector("thead"), body = parentElement.querySelector("tbody");
  const top = el("tr");
  for (const name of data.head) {
    const cell = el("th", name);
    cell.scope = "col";
    top.append(cell);
  }
  head.replaceChildren(top);
  body.replaceChildren();
  for (const row of data.rows) {
    const line = el("tr", "", "s-" + row.status);
    const dots = el("td", "", "dots");
    const sign = el("span", row.dots);
    sign.setAttribute("aria-hidden", "true");
    dots.append(sign, el("span", row.priority, "sr"));
    const gap = el("td", "", "gap");
    const open = el("button", row.gap);
    open.type = "button";
    open.dir = "auto";
    open.onclick = (event) => { event.stopPropagation(); setTriggerValue("picked", row.id); };
    gap.append(open);
    if (row.code) gap.append(el("code", row.code));
    const status = el("td");
    status.append(el("span", row.sign + " " + row.status, "chip"));
    const note = el("td", "", "src");
    note.append(el("bdi", row.note));
    if (row.version) note.append(el("small", row.version));
    const provider = el("td");
    provider.append(el("bdi", row.provider));
    line.append(dots, note, el("td", row.on, "day"), provider, gap, el("td", row.kind, "kind"), el("td", row.age, "day"), status);
    line.onclick = () => setTriggerValue("picked", row.id);
    body.append(line);
  }
}
"""

_CSS = files("ui.worklist").joinpath("queue.css").read_text(encoding="utf-8")
_mount = st.components.v2.component("chartproof_queue", html=_HTML, css=_CSS, js=_JS)

HEAD = ("Priority", "Note", "Date", "Provider", "What is missing", "Family", "Age", "Status")
SIGNS = {"open": "○", "queried": "?", "answered": "↩", "resolved": "✓", "dismissed": "–"}


def dots(priority: int) -> str:
    """How much a gap weighs in its note, in three steps."""
    return "●●●" if priority <= 1 else "●●○" if priority <= 3 else "●○○"


def age(since: dt.datetime, now: dt.datetime) -> str:
    """How long ago, in the largest unit that says something."""
    seconds = (now - since).total_seconds()
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "now"


def title(gap: KeptGap) -> str:
    """A kept gap in a few words."""
    return title_of(gap.gap)


def title_of(gap: Gap) -> str:
    """A gap in a few words: what it is about, and what is missing."""
    about = " ".join(gap.about.split()) or gap.rule.replace("-", " ")
    about = about[:1].upper() + about[1:]
    missing = gap.missing.replace("-", " ")
    return about if missing == "other" else f"{about}: {missing}"


def queue_data(gaps: Sequence[KeptGap], now: dt.datetime) -> dict[str, Any]:
    """What the browser needs to draw the queue."""
    return {
        "head": HEAD,
        "rows": [
            {
                "id": g.id, "dots": dots(g.gap.priority), "priority": f"priority {g.gap.priority}",
                "note": g.external_id, "version": f"v{g.version}" if g.version > 1 else "",
                "on": g.date_of_service.isoformat() if g.date_of_service else "–", "provider": g.provider or "–",
                "gap": title(g), "code": g.gap.code or "", "kind": g.gap.kind, "age": age(g.opened_at, now),
                "status": g.status, "sign": SIGNS[g.status],
            }
            for g in gaps
        ],
    }  # fmt: skip


def show_queue(gaps: Sequence[KeptGap], now: dt.datetime, on_picked: Callable[[], None]) -> None:
    """Draw the queue. `on_picked` runs when a row is opened; its gap's id stands in the state of "queue"."""
    _mount(key="queue", data=queue_data(gaps, now), on_picked_change=on_picked)
