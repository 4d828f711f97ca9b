"""The tree of the tabular: chapters, blocks, categories and codes, opened one by one, with the keys of a tree.

The page keeps which nodes are open and sends the rows that can be seen; the browser side only draws and moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files
from typing import Any

import streamlit as st

from code_maps.icd10cm import CodeSet

_HTML = '<div class="tree" role="tree" aria-label="ICD-10-CM, from chapters to codes"></div>'

# The pattern of a tree view (WAI-ARIA Authoring Practices): one row can be reached by Tab, arrows move between rows.
_JS = """
export default function ({ data, parentElement, setTriggerValue }) {
  const tree = parentElement.querySelector(".tree");
  const state = (tree.state ||= { at: null, shown: null });
  const held = tree.getRootNode().activeElement;
  const had = held && tree.contains(held);
  const ids = data.rows.map((row) => row.id);
  if (!ids.includes(state.at) || state.shown !== data.chosen) state.at = ids.includes(data.chosen) ? data.chosen : ids[0];
  const rows = data.rows.map((row) => {
    const node = document.createElement("div");
    node.className = "row" + (row.id === data.chosen ? " chosen" : "") + (row.billable ? " billable" : "");
    node.setAttribute("role", "treeitem");
    node.setAttribute("aria-level", row.level);
    node.setAttribute("aria-selected", String(row.id === data.chosen));
    if (row.open !== null) node.setAttribute("aria-expanded", String(row.open));
    node.style.paddingLeft = `${(row.level - 1) * 0.85 + 0.2}rem`;
    node.tabIndex = row.id === state.at ? 0 : -1;
    node.dataset.id = row.id;
    const sign = document.createElement("span"), name = document.createElement("b"), title = document.createElement("span");
    sign.className = "sign"; sign.setAttribute("aria-hidden", "true");
    sign.textContent = row.open === null ? "" : row.open ? "▾" : "▸";
    name.textContent = row.name; title.textContent = row.title;
    node.append(sign, name, title);
    node.onfocus = () => { state.at = row.id; };
    node.onclick = () => { state.at = row.id; setTriggerValue(row.id === data.chosen && row.open !== null ? "toggled" : "picked", row.id); };
    return node;
  });
  const move = (to) => {
    if (!rows[to]) return;
    rows.forEach((row, n) => { row.tabIndex = n === to ? 0 : -1; });
    state.at = ids[to];
    rows[to].focus();
  };
  tree.onkeydown = (event) => {
    const at = ids.indexOf(state.at), row = data.rows[at];
    if (!row || event.ctrlKey || event.altKey || event.metaKey) return;
    const above = () => { let n = at; while (n > 0 && data.rows[n].level >= row.level) n -= 1; return n; };
    const keys = {
      ArrowDown: () => move(at + 1), ArrowUp: () => move(at - 1), Home: () => move(0), End: () => move(rows.length - 1),
      ArrowRight: () => { if (row.open === false) setTriggerValue("toggled", row.id); else if (row.open) move(at + 1); },
      ArrowLeft: () => { if (row.open) setTriggerValue("toggled", row.id); else if (row.level > 1) move(above()); },
      Enter: () => setTriggerValue("picked", row.id), " ": () => setTriggerValue("picked", row.id),
    };
    let act = keys[event.key];
    if (!act && event.key.length === 1) {
      const letter = event.key.toUpperCase(), order = [...ids.keys()].map((n) => (at + 1 + n) % ids.length);
      const next = order.find((n) => data.rows[n].name.toUpperCase().startsWith(letter));
      if (next !== undefined) act = () => move(next);
    }
    if (act) { event.preventDefault(); act(); }
  };
  tree.replaceChildren(...rows);
  const at = rows[ids.indexOf(state.at)];
  if (had && at) at.focus({ preventScroll: true });
  if (state.shown !== data.chosen || had) at?.scrollIntoView({ block: "nearest" });
  state.shown = data.chosen;
}
"""

_mount = st.components.v2.component(
    "chartproof_tree", html=_HTML, css=files("ui").joinpath("tree.css").read_text(encoding="utf-8"), js=_JS
)

Row = dict[str, Any]


def visible_rows(codes: CodeSet, open_nodes: Iterable[str]) -> list[Row]:
    """The rows of the tree that can be seen when some nodes are open, in tabular order."""
    wanted = frozenset(open_nodes)
    return list(_rows(codes, codes.roots, wanted, 1))


def _rows(codes: CodeSet, nodes: Iterable[str], wanted: frozenset[str], level: int) -> Iterator[Row]:
    for node in nodes:
        below = codes.children(node)
        kind = codes.kind(node)
        yield {
            "id": node,
            "name": f"{node}." if kind == "chapter" else node,
            "title": codes.title(node),
            "level": level,
            "open": node in wanted if below else None,
            "billable": not below and kind in ("category", "code"),
        }
        if below and node in wanted:
            yield from _rows(codes, below, wanted, level + 1)


def show_tree(
    rows: list[Row], chosen: str | None, on_toggled: Callable[[], None], on_picked: Callable[[], None]
) -> None:
    """Draw the tree. The callbacks find the node in the state of "tree", under "toggled" or "picked"."""
    _mount(key="tree", data={"rows": rows, "chosen": chosen}, on_toggled_change=on_toggled, on_picked_change=on_picked)
