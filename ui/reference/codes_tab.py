"""Codes: the tree of the tabular, and a code's page: its place, its notes and where they come from, and its dates."""

from __future__ import annotations

from functools import lru_cache

import streamlit as st

from code_maps.icd10cm import CodeSet, Diff, ReleaseInfo, Stand, UnknownCode, diff, history, releases
from ui.parts import esc, plain_label
from ui.reference.parts import Asked, chip, go, link, opened, quiet, table, unlink
from ui.reference.tree import show_tree, visible_rows

_KINDS = {
    "inclusion_term": "Inclusion terms",
    "includes": "Includes",
    "excludes1": "Excludes1: never together",
    "excludes2": "Excludes2: another condition, may stand beside",
    "code_first": "Code first",
    "use_additional": "Use additional code",
    "code_also": "Code also",
}
_SIGNS = {
    "new": "+ new", "gone": "− gone", "revised": "~ revised", "now a heading": "▸ now a heading",
    "now billable": "✓ now billable",
}  # fmt: skip
_MOST_BELOW = 60


@st.fragment  # type: ignore[untyped-decorator]
def draw(asked: Asked) -> None:
    """The Codes tab; opening and choosing redraws only this part."""
    codes = asked.codes
    code = opened("code")
    left, right = st.columns([0.4, 0.6], gap="medium")
    with left, st.container(key="ref_tree"):
        _tree(codes, code)
    with right, st.container(key="ref_code_page", gap=None):
        if code is None:
            unlink()
            quiet(
                f"ICD-10-CM {codes.release}: {codes.billable_count:,} billable codes. Open the tree with the arrow keys "
                "or a click, or search for a code or for words."
            )
        elif _is_node(codes, code):
            link("code", code)
            _page(codes, code)
        else:
            _elsewhere(codes, code)
        for notice in codes.notices:
            quiet(notice)


def _is_node(codes: CodeSet, key: str) -> bool:
    try:
        codes.kind(key)
    except UnknownCode:
        return False
    return True


# --- the tree --------------------------------------------------------------------------------------------------------


def _tree(codes: CodeSet, code: str | None) -> None:
    state = st.session_state
    open_nodes: set[str] = state.setdefault("ref_open_nodes", set())
    known = code is not None and _is_node(codes, code)
    if code is not None and known and state.get("ref_tree_at") != (code, codes.release):
        state["ref_tree_at"] = (code, codes.release)
        open_nodes.update(codes.ancestors(code))
    show_tree(visible_rows(codes, open_nodes), code if known else None, _toggled, _picked)


def _toggled() -> None:
    node = st.session_state["tree"].get("toggled")
    if node:
        st.session_state["ref_open_nodes"] = st.session_state["ref_open_nodes"] ^ {node}


def _picked() -> None:
    node = st.session_state["tree"].get("picked")
    if node:
        go("code", node)
        st.session_state["ref_open_nodes"] = st.session_state["ref_open_nodes"] | {node}


# --- one code --------------------------------------------------------------------------------------------------------


def _page(codes: CodeSet, code: str) -> None:
    kind = codes.kind(code)
    billable = codes.is_billable(code)
    state = chip("ok", "billable") if billable else chip("quiet", f"{_name(codes, code, kind_only=True)}, not billable")
    way = [*reversed(codes.ancestors(code)), code]
    steps = []
    for depth, node in enumerate(way):
        named = f"<b>{esc(_name(codes, node))}</b> {esc(codes.title(node))}"
        steps.append(f'<li style="padding-left:{depth * 1.1:.1f}rem">{named}</li>')
    heading = f"Chapter {code}" if kind == "chapter" else code
    st.html(
        f'<div class="cp-tab"><h2>{esc(heading)}&ensp;{esc(codes.title(code))}</h2>'
        f'<div class="cp-sub">ICD-10-CM {esc(codes.release)} · {state}</div>'
        f'<nav aria-label="Place in the tabular"><ol>{"".join(steps)}</ol></nav></div>' + _notes(codes, code)
    )
    _dates(codes, code, kind)
    _characters(codes, code)
    _around(codes, code, way[:-1])


def _name(codes: CodeSet, node: str, *, kind_only: bool = False) -> str:
    kind = codes.kind(node)
    if kind_only:
        return {"chapter": "a chapter", "block": "a block"}.get(kind, "a heading")
    return f"Chapter {node}" if kind == "chapter" else node


def _notes(codes: CodeSet, code: str) -> str:
    grouped: dict[str, list[str]] = {}
    for term in codes.inclusion_terms(code):
        grouped.setdefault("inclusion_term", []).append(f"<dd>{esc(term)}</dd>")
    for note in codes.notes(code):
        if note.kind not in ("inclusion_term", "seventh_character"):
            source = "" if note.origin == code else f"<small>from {esc(_name(codes, note.origin))}</small>"
            grouped.setdefault(note.kind, []).append(f"<dd>{esc(note.text)}{source}</dd>")
    order = [*_KINDS, *sorted(grouped.keys() - _KINDS.keys())]
    parts = [
        f"<dt>{esc(_KINDS.get(kind, kind.replace('_', ' ').capitalize()))}</dt>{''.join(grouped[kind])}"
        for kind in order if kind in grouped
    ]  # fmt: skip
    return f'<div class="cp-tab"><dl>{"".join(parts)}</dl></div>' if parts else ""


def _dates(codes: CodeSet, code: str, kind: str) -> None:
    """What became of the code, or of what is below it, in the releases at hand."""
    if kind in ("category", "code"):
        stands = history(code)
        changed = [s for s in stands if s.what]
        st.html('<h3 class="cp-h">By date</h3>')
        if changed:
            st.html("".join(_stand(s) for s in changed))
        else:
            quiet(f"The same in every installed release: {', '.join(s.release for s in stands)}.")
    if codes.children(code):
        _below_by_date(codes, code)


def _stand(stand: Stand) -> str:
    title = f"“{esc(stand.title)}”" if stand.what in ("revised", "new") else ""
    return (
        f'<div class="cp-edit"><b>{esc(_SIGNS[stand.what])}</b> from {stand.since} '
        f"<code>{esc(stand.release)}</code> {title}</div>"
    )


def _below_by_date(codes: CodeSet, code: str) -> None:
    known = releases()
    names = [info.id for info in known]
    at = names.index(codes.release) if codes.release in names else 0
    for old, new in [(names[n], names[n + 1]) for n in (at - 1, at) if 0 <= n < len(names) - 1]:
        found = changes(old, new, known)

        def under(row: tuple[str, ...], old: str = old) -> bool:
            return _lies_below(codes, row[0], code)

        added, deleted, revised = (
            [r for r in rows if under(r)] for rows in (found.added, found.deleted, found.revised)
        )
        if added or deleted or revised:
            rows = [("+ new", *r[:2]) for r in added] + [("− gone", *r[:2]) for r in deleted]
            rows += [("~ revised", r[0], r[-1]) for r in revised]
            said = "".join(
                f'<div class="cp-edit"><b>{sign}</b> {esc(c)} {esc(title)}</div>' for sign, c, title in rows[:200]
            )
            counts = f"{len(added)} new, {len(deleted)} gone, {len(revised)} revised"
            st.html(
                f"<details class='ref-more'><summary>Below it, {esc(old)} to {esc(new)}: {counts}</summary>{said}</details>"
            )


def _lies_below(codes: CodeSet, code: str, node: str) -> bool:
    kind = codes.kind(node)
    if kind in ("category", "code"):
        return code.startswith(node) and code != node
    category = code[:3]
    return category in codes and node in codes.ancestors(category)


@lru_cache(maxsize=8)
def changes(old: str, new: str, at_hand: tuple[ReleaseInfo, ...]) -> Diff:
    """What two releases differ in; worked out once for the releases at hand."""
    return diff(old, new)


def _characters(codes: CodeSet, code: str) -> None:
    found = codes.seventh_characters(code) if codes.kind(code) in ("category", "code") else {}
    if found:
        st.html(
            '<h3 class="cp-h">Seventh characters</h3>'
            + table(("Character", "Meaning"), found.items(), "Seventh characters")
        )


def _around(codes: CodeSet, code: str, way: list[str]) -> None:
    for heading, key, nodes in (("Above it", "above", way), ("Below it", "below", list(codes.children(code)))):
        if not nodes:
            continue
        st.html(f'<h3 class="cp-h">{heading}</h3>')
        with st.container(key=key, gap=None):
            for node in nodes[:_MOST_BELOW]:
                label = f"**{plain_label(_name(codes, node))}**&ensp;{plain_label(codes.title(node))}"
                st.button(label, key=f"go_{node}", type="tertiary", on_click=go, args=("code", node))
        if len(nodes) > _MOST_BELOW:
            quiet(f"{len(nodes) - _MOST_BELOW} more in the tree.")


def _elsewhere(codes: CodeSet, code: str) -> None:
    """A code that this release doesn't have."""
    unlink()
    stands = [s for s in history(code) if s.state != "absent"]
    if not stands:
        quiet(f"No installed release has {code}.")
        return
    link("code", code)
    title = stands[-1].title
    there = ", ".join(s.release for s in stands)
    st.html(
        f'<div class="cp-tab"><h2>{esc(code)}&ensp;{esc(title)}</h2><div class="cp-sub">'
        f"{chip('warn', f'not in ICD-10-CM {codes.release}')} It stands in {esc(there)}: choose a date of service there.</div></div>"
        '<h3 class="cp-h">By date</h3>' + "".join(_stand(s) for s in history(code) if s.what)
    )
