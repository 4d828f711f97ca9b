"""The note: an editor to paste it into, and the note with its findings marked, both in one place.

Findings are shown by kind and assertion with a legend and filters; the words of the chosen result are lit. The browser
side builds every node with `textContent`: nothing of a note is ever read as HTML. It also listens to the buttons of the
results (`ui.parts`), so that showing their words needs no answer from Python.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import streamlit as st

from exchange.rendered import KINDS, MARK_CSS, described, pieces, results_of
from models.report import Report
from ui.results import Shown

NoteData = dict[str, Any]

_HTML = """
<div class="cp">
  <div class="bar"><div class="legend" role="group" aria-label="Marks shown in the note"></div>
    <button type="button" class="edit" aria-keyshortcuts="Alt+E" title="Edit the note (Alt+E)">Edit</button></div>
  <div class="scroll" tabindex="0" role="region" aria-label="The note with its marks"><div class="note" dir="auto"></div></div>
  <div class="about" aria-live="polite"></div>
  <div class="editing"><textarea aria-label="Note" spellcheck="false" dir="auto"></textarea>
    <div class="buttons"><button type="button" class="go" aria-keyshortcuts="Control+Enter">Review</button>
      <button type="button" class="back" aria-keyshortcuts="Escape">Back to the marks</button>
      <span class="keys">Ctrl+Enter reviews</span></div></div>
</div>
"""

_JS = """
const HINT = "Point at marked words: what they are and what rests on them; a click opens it. " +
  "Alt+\\u2193 next result, Alt+E edit.";
const el = (tag, text, cls) => {
  const node = document.createElement(tag);
  if (text) node.textContent = text;
  if (cls) node.className = cls;
  return node;
};
const lines = (text) => text.replace(/\\r\\n?/g, "\\n");

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".cp");
  const [note, legend, about, box, editor, edit, back] =
    [".note", ".legend", ".about", ".scroll", "textarea", ".edit", ".back"].map((name) => root.querySelector(name));
  const text = data.pieces.map((piece) => piece.t).join("");
  const fresh = !root.state;
  const state = (root.state ||= { off: new Set(), coded: false, hush: false, key: null, seen: null, cut: [] });
  const smooth = () => matchMedia("(prefers-reduced-motion: no-preference)").matches && data.pieces.length < 4000;

  const apply = () => {
    for (const mark of note.querySelectorAll("mark")) {
      const m = mark.piece;
      const off = state.off.has(m.k) || (state.hush && m.neg) || (state.coded && !m.coded);
      mark.classList.toggle("off", off && !mark.classList.contains("lit"));
      mark.tabIndex = off ? -1 : 0;
    }
  };
  const build = () => {
    const all = document.createDocumentFragment();
    state.nodes = [];
    state.cut = [];
    for (const piece of data.pieces) {
      const node = piece.k ? el("mark", piece.t, piece.cls) : el(piece.h ? "b" : "span", piece.t, piece.h ? "h" : "");
      node.piece = piece;
      if (piece.k) {
        node.dataset.tag = piece.tag;
        node.title = piece.about;
        node.setAttribute("role", "button");
        node.setAttribute("aria-description", piece.about);
      }
      state.nodes.push(node);
      all.append(node);
    }
    note.replaceChildren(all);
  };
  const markOf = (event) => event.target.closest?.("mark");
  const explain = (event) => { about.textContent = markOf(event)?.piece.about ?? HINT; };
  note.onmouseover = explain;
  if (fresh) note.addEventListener("focusin", explain);
  note.onclick = (event) => {
    const mark = markOf(event);
    if (mark && !mark.classList.contains("off") && getSelection().isCollapsed) tell("words:" + mark.piece.ids.join(" "));
  };
  note.onkeydown = (event) => {
    const mark = markOf(event);
    if (mark && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      tell("words:" + mark.piece.ids.join(" "));
    }
  };
  const tell = (what) => setTriggerValue("told", what);

  // Words that are shown: marks over them are lit, and the words themselves are set off, marked or not.
  const light = (spans, axes) => {
    for (const node of state.cut) node.replaceChildren(document.createTextNode(node.piece.t));
    state.cut = [];
    root.classList.toggle("chosen", spans.length > 0);
    let first = null;
    const main = spans[0];
    for (const node of state.nodes) {
      const p = node.piece, over = spans.some(([a, b]) => a < p.e && p.a < b);
      if (p.k) node.classList.toggle("lit", over);
      if (!over) continue;
      if (main[0] < p.e && p.a < main[1]) first ||= node;
      const edges = new Set([p.a, p.e]);
      for (const [a, b] of [...axes, ...(p.k ? [] : spans)]) for (const at of [a, b]) if (p.a < at && at < p.e) edges.add(at);
      const cuts = [...edges].sort((a, b) => a - b), chars = [...p.t];
      const inside = (a, b, places) => places.some(([s, e]) => s <= a && b <= e);
      node.replaceChildren(...cuts.slice(1).map((b, n) => {
        const a = cuts[n], text = chars.slice(a - p.a, b - p.a).join("");
        if (inside(a, b, axes)) return el("i", text, "axis");
        return !p.k && inside(a, b, spans) ? el("i", text, "said") : document.createTextNode(text);
      }));
      state.cut.push(node);
    }
    apply();
    first = first?.querySelector("i.said") || first;
    if (first) {
      const at = first.getBoundingClientRect(), frame = box.getBoundingClientRect();
      if (at.top < frame.top + 8 || at.bottom > frame.bottom - 8)
        box.scrollTo({ top: box.scrollTop + at.top - frame.top - frame.height / 3, behavior: smooth() ? "smooth" : "auto" });
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

  // The editor: opened where the reader is, and closed again without losing the place.
  const write = (open) => {
    root.classList.toggle("writing", open);
    if (!open) return;
    if (!state.written) {
      const part = box.scrollHeight > box.clientHeight ? box.scrollTop / (box.scrollHeight - box.clientHeight) : 0;
      editor.value = text;
      state.written = true;
      editor.scrollTop = part * (editor.scrollHeight - editor.clientHeight);
    }
  };
  const review = () => { if (editor.value.trim()) tell("text:" + (editor.value === lines(text) ? text : editor.value)); };
  const leave = () => { if (text) { state.written = false; write(false); box.focus({ preventScroll: true }); } };
  root.querySelector(".go").onclick = review;
  back.onclick = leave;
  edit.style.display = data.fixed ? "none" : "";
  edit.onclick = () => { if (!data.fixed) { write(true); editor.focus({ preventScroll: true }); } };
  editor.onkeydown = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); review(); }
    if (event.key === "Escape") leave();
  };

  // Buttons of the results, and the keys that step through them. One listener, however often the page is drawn.
  const showing = (button) => {
    for (const other of document.querySelectorAll("[data-show].cp-on")) if (other !== button) other.classList.remove("cp-on");
    const on = button.classList.toggle("cp-on");
    const spans = on ? button.dataset.show.split(" ").filter(Boolean).map((s) => s.split("-").map(Number)) : data.spans;
    write(false);
    light(spans, on ? [] : data.axes);
  };
  const click = (event) => {
    const button = event.target.closest?.("[data-show], [data-do]");
    if (!button || !root.isConnected) return;
    if (button.dataset.show !== undefined) return showing(button);
    state.focus = button.dataset.do;
    tell(button.dataset.do);
  };
  const key = (event) => {
    if (!event.altKey || event.ctrlKey || event.metaKey || !root.isConnected) return;
    if (event.key.toLowerCase() === "e" && text) { event.preventDefault(); edit.onclick(); }
    // In a field these keys are the field's own: Alt+Down opens a list of choices.
    if ((event.key !== "ArrowDown" && event.key !== "ArrowUp") || event.composedPath()[0].matches("input, textarea, select")) return;
    const all = [...document.querySelectorAll("[data-result]")].filter((b) => b.checkVisibility());
    if (!all.length) return;
    event.preventDefault();
    const now = all.findIndex((b) => b.getAttribute("aria-expanded") === "true");
    const step = event.key === "ArrowDown" ? 1 : -1;
    all[(now + step + all.length) % all.length].click();
  };
  root.off?.();
  document.addEventListener("click", click);
  document.addEventListener("keydown", key);
  root.off = () => { document.removeEventListener("click", click); document.removeEventListener("keydown", key); };

  if (state.key !== data.key) {
    state.key = data.key;
    state.seen = null;
    state.written = false;
    write(!text);
    build();
    about.textContent = HINT;
    legend.replaceChildren();
    for (const [kind, letter, label, count] of data.kinds)
      toggle(label, letter, count, () => !state.off.has(kind),
        () => state.off.has(kind) ? state.off.delete(kind) : state.off.add(kind), "k-" + kind);
    toggle("coded only", "", null, () => state.coded, () => { state.coded = !state.coded; }, "only");
    toggle("hide negated", "", data.negated, () => state.hush, () => { state.hush = !state.hush; }, "only");
    back.hidden = !text;
    editor.placeholder = data.hint;
    apply();
  }
  const seen = data.chosen + JSON.stringify(data.spans);
  if (state.seen !== seen) {
    state.seen = seen;
    light(data.spans, data.axes);
    const card = () => document.querySelector(`[data-result="${data.chosen}"]`);
    // The results are drawn after the note: a moment later the card is there, and the focus goes back to its button.
    if (data.chosen || state.focus) setTimeout(() => {
      const found = card();
      found?.scrollIntoView({ block: "nearest" });
      const asked = state.focus && document.querySelector(`[data-do="${state.focus}"]`);
      if (document.activeElement === document.body) asked?.focus({ preventScroll: true });
      state.focus = null;
    }, 120);
  }
  return () => root.off?.();
}
"""

_CSS = files("ui").joinpath("note.css").read_text(encoding="utf-8")
_mount = st.components.v2.component("chartproof_note", html=_HTML, css=MARK_CSS + _CSS, js=_JS)
_PASTE = "Paste a note here, then Ctrl+Enter. Sample notes are on the left."


def note_data(report: Report | None, text: str, shown: Shown = Shown()) -> NoteData:  # noqa: B008  (frozen)
    """What the browser needs to draw the note: its pieces in order, the legend, and what is to be shown.

    Places count characters as Python does; the browser counts them the same way before it cuts.
    """
    drawn: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    negated = 0
    if report is not None:
        coded = frozenset(key for p in report.proposals for key in p.findings)
        results = results_of(report)
        for piece in pieces(text, report.findings, coded, report.sections):
            entry: dict[str, Any] = {"a": piece.start, "e": piece.end, "t": text[piece.start : piece.end]}
            if piece.heading:
                entry["h"] = 1
            finding = piece.finding
            if finding:
                known = list(dict.fromkeys(r for key in piece.ids for r in results.get(key, ())))
                is_coded = not coded.isdisjoint(piece.ids)
                is_negated = finding.assertion.presence == "negated"
                counts[finding.kind] = counts.get(finding.kind, 0) + 1
                negated += is_negated
                entry |= {
                    "k": finding.kind, "cls": piece.classes + (" a-coded" if is_coded else ""), "tag": piece.tag,
                    "ids": list(piece.ids), "about": described(finding, known), "coded": is_coded, "neg": is_negated,
                }  # fmt: skip
            drawn.append(entry)
    elif text:
        drawn.append({"a": 0, "e": len(text), "t": text})
    kinds = [[kind, letter, name, counts[kind]] for kind, (letter, name) in KINDS.items() if kind in counts]
    about = report and (report.note, len(report.findings), [p.code for p in report.proposals])
    key = hashlib.sha256(f"{text}\0{about}".encode("utf-8", "replace")).hexdigest()
    return {
        "key": key, "pieces": drawn, "kinds": kinds, "negated": negated, "hint": _PASTE,
        "chosen": shown.key, "spans": [list(s) for s in shown.spans], "axes": [list(a) for a in shown.axes],
    }  # fmt: skip


def show_note(
    report: Report | None, text: str, shown: Shown, on_told: Callable[[], None], *, fixed: bool = False
) -> None:
    """Draw the note. `on_told` runs when the browser has something to say: see `told`. A fixed note can't be edited."""
    _mount(key="marks", data=note_data(report, text, shown) | {"fixed": fixed}, on_told_change=on_told)


def told() -> tuple[str, str]:
    """What the browser said: what it is about and its content, such as ("words", "f3 f7"), ("text", the edited note)."""
    said = st.session_state["marks"].get("told") or ""
    about, _, content = said.partition(":")
    return about, content
