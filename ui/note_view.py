"""The note with its findings marked: filters by kind and assertion, words of the chosen code, two-way with the results.

The browser side builds every node with `textContent`: nothing of a note is ever read as HTML.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from importlib.resources import files
from itertools import pairwise
from typing import Any

import streamlit as st

from exchange.rendered import KINDS, MARK_CSS, Piece, described, pieces, results_of
from models.proposal import Proposal
from models.report import Report

NoteData = dict[str, Any]

_HTML = """
<div class="cp">
  <div class="legend" role="group" aria-label="Marks shown in the note"></div>
  <div class="scroll" tabindex="0" role="region" aria-label="Note"><div class="note"></div></div>
  <div class="about" aria-live="polite"></div>
</div>
"""

_JS = """
const HINT = "Point at marked words: what they are, the cue that decided, the codes that rest on them.";

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".cp");
  const [note, legend, about] = [".note", ".legend", ".about"].map((name) => root.querySelector(name));
  const state = (root.state ||= { off: new Set(), coded: false, hush: false, key: null, chosen: null });
  const el = (tag, text, cls) => {
    const node = document.createElement(tag);
    if (text) node.textContent = text;
    if (cls) node.className = cls;
    return node;
  };
  const apply = () => {
    for (const mark of note.querySelectorAll("mark")) {
      const m = mark.piece;
      const off = state.off.has(m.k) || (state.hush && m.neg) || (state.coded && !m.coded);
      mark.classList.toggle("off", off && !mark.classList.contains("lit"));
      mark.tabIndex = off ? -1 : 0;
    }
  };
  const build = () => {
    note.replaceChildren();
    for (const piece of data.pieces) {
      const plain = () => (piece.h ? el("b", "", "h") : document.createDocumentFragment());
      const node = piece.k ? el("mark", "", piece.cls) : plain();
      for (const [text, axis] of piece.t) node.append(axis ? el("i", text, "axis") : document.createTextNode(text));
      if (piece.k) {
        node.piece = piece;
        node.dataset.tag = piece.tag;
        node.dataset.id = piece.id;
        node.title = piece.about;
        node.setAttribute("role", "button");
        node.setAttribute("aria-description", piece.about);
        const tell = () => { about.textContent = piece.about; };
        node.onmouseenter = tell; node.onfocus = tell;
        node.onmouseleave = () => { about.textContent = HINT; };
        node.onclick = () => { if (!node.classList.contains("off")) setTriggerValue("picked", piece.ids.join(" ")); };
        node.onkeydown = (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); node.onclick(); } };
      }
      note.append(node);
    }
  };
  const toggle = (label, letter, count, pressed, flip, cls) => {
    const button = el("button", "", cls);
    button.type = "button";
    if (letter) button.append(el("b", letter));
    button.append(el("span", label));
    if (count !== null) button.append(el("small", String(count)));
    button.setAttribute("aria-pressed", String(pressed()));
    button.onclick = () => { flip(); button.setAttribute("aria-pressed", String(pressed())); apply(); };
    legend.append(button);
  };
  if (state.key !== data.key) {
    state.key = data.key;
    build();
    about.textContent = HINT;
    legend.replaceChildren();
    for (const [kind, letter, label, count] of data.kinds)
      toggle(label, letter, count, () => !state.off.has(kind),
        () => state.off.has(kind) ? state.off.delete(kind) : state.off.add(kind), "k-" + kind);
    legend.append(el("span", "", "gap"));
    toggle("coded only", "", null, () => state.coded, () => { state.coded = !state.coded; }, "only");
    toggle("hide negated", "", data.negated, () => state.hush, () => { state.hush = !state.hush; }, "only");
  }
  const shown = new Set(data.shown);
  root.classList.toggle("chosen", shown.size > 0);
  let first = null;
  for (const mark of note.querySelectorAll("mark")) {
    const lit = mark.piece.ids.some((id) => shown.has(id));
    mark.classList.toggle("lit", lit);
    if (lit && (!first || (mark.piece.main && !first.piece.main))) first = mark;
  }
  apply();
  if (state.chosen !== data.chosen) {
    state.chosen = data.chosen;
    const box = root.querySelector(".scroll");
    if (first) {
      const at = first.getBoundingClientRect(), frame = box.getBoundingClientRect();
      if (at.top < frame.top + 8 || at.bottom > frame.bottom - 8)
        box.scrollTop += at.top - frame.top - frame.height / 3;
    }
    const open = () => document.querySelector('[class*="st-key-code_"][class*="_open"]');
    if (data.chosen) setTimeout(() => open()?.scrollIntoView({ block: "nearest" }), 250);
  }
}
"""

_CSS = files("ui").joinpath("note.css").read_text(encoding="utf-8")
_mount = st.components.v2.component("chartproof_note", html=_HTML, css=MARK_CSS + _CSS, js=_JS)


def note_data(report: Report, text: str, chosen: Proposal | None) -> NoteData:
    """What the browser needs to draw the note: its pieces in order, the legend, and what is to be shown."""
    coded = frozenset(key for p in report.proposals for key in p.findings)
    results = results_of(report)
    main = [(e.start, e.end) for e in chosen.evidence[:1]] if chosen else []
    axes = [(a.start, a.end) for a in chosen.axes] if chosen else []
    drawn = []
    counts: dict[str, int] = {}
    negated = 0
    for piece in pieces(text, report.findings, coded, report.sections):
        entry: dict[str, Any] = {"t": _cut(text, piece, axes)}
        if piece.heading:
            entry["h"] = 1
        finding = piece.finding
        if finding:
            said = list(dict.fromkeys(r for key in piece.ids for r in results.get(key, ())))
            is_coded = not coded.isdisjoint(piece.ids)
            is_negated = finding.assertion.presence == "negated"
            counts[finding.kind] = counts.get(finding.kind, 0) + 1
            negated += is_negated
            entry |= {
                "k": finding.kind, "cls": piece.classes + (" a-coded" if is_coded else ""), "tag": piece.tag,
                "id": finding.id, "ids": list(piece.ids), "about": described(finding, said), "coded": is_coded,
                "neg": is_negated, "main": any(a < piece.end and piece.start < b for a, b in main),
            }  # fmt: skip
        drawn.append(entry)
    kinds = [[kind, letter, name, counts[kind]] for kind, (letter, name) in KINDS.items() if kind in counts]
    name = f"{chosen.rank} {chosen.code}" if chosen else ""
    key = hashlib.sha256(
        f"{text}\0{axes}\0{main}\0{report.note}\0{len(report.findings)}".encode("utf-8", "replace")
    ).hexdigest()
    return {
        "key": key, "pieces": drawn, "kinds": kinds, "negated": negated, "chosen": name,
        "shown": list(chosen.findings) if chosen else [],
    }  # fmt: skip


def _cut(text: str, piece: Piece, axes: Iterable[tuple[int, int]]) -> list[list[Any]]:
    """The text of a piece, cut where words begin or end that decided a step of the chosen code."""
    edges = sorted({piece.start, piece.end, *(e for axis in axes for e in axis if piece.start < e < piece.end)})
    return [
        [text[a:b], int(any(start <= a and b <= end for start, end in axes))]
        for a, b in pairwise(edges)
    ]  # fmt: skip


def show_note(report: Report, text: str, chosen: Proposal | None, on_picked: Callable[[], None]) -> None:
    """Draw the note. `on_picked` runs when marked words are clicked; their ids stand in the state of "marks"."""
    _mount(key="marks", data=note_data(report, text, chosen), on_picked_change=on_picked)
