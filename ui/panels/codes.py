"""The proposed codes, most important first; the open one with its proof and the coder's decision."""

from __future__ import annotations

import html
from functools import cache

import streamlit as st

from code_maps.icd10cm import CodeSet, Instruction
from exchange.rendered import words
from models.problem import InputProblem
from models.proposal import OpenAxis, Proposal
from models.report import Report
from pipeline.explain import all_rules, explain
from ui import decisions
from ui.parts import act, apart, esc, heading, plain_label, quiet, quote
from ui.results import results_on

_BAND_SIGN = {"high": "●●●", "medium": "●●○", "low": "●○○"}
_UNKNOWN = "not documented"
_MUST = {"code_first": "Code first", "use_additional": "Use additional code", "code_also": "Code also",
         "excludes1": "Excludes1: never together"}  # fmt: skip
_MAY = {"excludes2": "Excludes2: may stand beside", "includes": "Includes", "inclusion_term": "Inclusion terms"}


def codes_panel(report: Report, codes: CodeSet, opened: str | None) -> None:
    """The proposed codes; the one that is open shows why, and takes a decision."""
    if not report.proposals:
        st.html(quiet("The note supports no code. “Why not” says what was considered."))
    shut: list[str] = []
    for number, p in enumerate(report.proposals):
        if f"code:{number}" != opened:
            shut.append(f'<div class="cp-card cp-code">{_head(number, p, False)}{_first_quote(p)}</div>')
            continue
        if shut:
            st.html("".join(shut))
        shut = []
        with st.container(key="open_card", gap=None):
            st.html(_head(number, p, True) + "".join(quote(e) for e in apart(p.evidence)[:6]))
            decisions.decide(report, p.code, codes, [c.code for a in p.open_axes for c in a.choices])
            for axis in p.open_axes:
                _question(p, axis, codes)
            st.html(_proof(report, p, codes) + _rules(p) + _instructions(codes, p.code))
    count = len(report.candidates)
    if count:
        shut.append(quiet(f"{count} candidate{'s' * (count != 1)} under “Why not”."))
    if shut:
        st.html("".join(shut))


def _head(number: int, p: Proposal, is_open: bool) -> str:
    facts = ["first-listed"] * p.first_listed
    facts.append(f'<span class="cp-dots" aria-hidden="true">{_BAND_SIGN[p.band]}</span> {p.band} {p.confidence:.2f}')
    if p.open_axes:
        facts.append(f'<span class="cp-open">? {esc(", ".join(a.axis for a in p.open_axes))}</span>')
    made = decisions.made(p.code)
    if made:
        facts.append(decisions.badge(made))
    key = f"code:{number}"
    return (
        f'<button class="cp-pick" data-result="{key}" data-do="{key}" aria-expanded="{str(is_open).lower()}">'
        f"<b>{esc(p.code)}</b> <span>{esc(p.description)}</span></button>"
        f'<div class="cp-meta">{" · ".join(facts)}</div>'
    )


def _first_quote(p: Proposal) -> str:
    return "".join(quote(e) for e in apart(p.evidence)[:1])


def _proof(report: Report, p: Proposal, codes: CodeSet) -> str:
    """Why this code: its place in the tabular, the details that led there, the gaps on the same words."""
    parts = [f'<nav class="cp-crumb" aria-label="Place in the tabular">{breadcrumb(codes, p.code)}</nav>']
    if p.axes:
        shown = "".join(f"<li>{esc(a.axis)}: <b>{esc(a.value)}</b></li>" for a in p.axes)
        parts.append(f'{heading("Documented")}<ul class="cp-facts">{shown}</ul>')
    gaps = [key for key in results_on(report, p.findings) if key.startswith("gap:")]
    links = [
        act(key, f"? {esc(report.gaps[int(key[4:])].missing)}: {esc(words(report.gaps[int(key[4:])].about, 40))}")
        for key in gaps
    ]
    if links:
        parts.append(f'{heading("Gaps on these words")}<div class="cp-links">{"".join(links)}</div>')
    return "".join(parts)


def _question(p: Proposal, axis: OpenAxis, codes: CodeSet) -> None:
    """An open axis as the next question; an answer shows what the code would be, and never edits the note."""
    choices = {c.value: c.code for c in axis.choices}
    picked = st.pills(
        f"Not in the note: **{plain_label(axis.axis)}**. Suppose it said …", [*choices, _UNKNOWN],
        key=f"suppose_{p.code}_{axis.axis}", format_func=plain_label,
    )  # fmt: skip
    if picked is None:
        return
    if picked == _UNKNOWN:
        then = f"Then <b>{esc(p.code)}</b> stays, and the gap stays open."
    else:
        code = choices[picked]
        title = codes.title(code) if code in codes else ""
        then = f"Then it would be <b>{esc(code)}</b> {esc(title)}. The note doesn't say it: ask (Gaps), don't code it."
    st.html(f'<div class="cp-suppose">{then}</div>')


def _rules(p: Proposal) -> str:
    known = _rule_ids()
    shown = []
    for rule in p.rules:
        why = f"{esc(rule.why)} <code>{esc(rule.id)}</code>"
        if rule.id in known:
            why = f"<details><summary>{why}</summary><pre>{html.escape(_explained(rule.id))}</pre></details>"
        shown.append(f'<div class="cp-rule">{why}</div>')
    return heading("Rules") + "".join(shown) if shown else ""


def _instructions(codes: CodeSet, code: str) -> str:
    """The tabular's notes at the code, with the place they are inherited from: what must be heeded stands open."""
    if code not in codes:
        return ""
    by_kind: dict[str, list[Instruction]] = {}
    for note in codes.notes(code):
        by_kind.setdefault(note.kind, []).append(note)
    must = "".join(_instruction(codes, code, name, by_kind.get(kind, ())) for kind, name in _MUST.items())
    may = "".join(_instruction(codes, code, name, by_kind.get(kind, ())) for kind, name in _MAY.items())
    out = ""
    if must:
        out += heading("Instructional notes") + f'<dl class="cp-notes">{must}</dl>'
    if may:
        out += (
            f'<details><summary>Excludes2, includes, inclusion terms</summary><dl class="cp-notes">{may}</dl></details>'
        )
    return out


def _instruction(codes: CodeSet, code: str, name: str, notes: tuple[Instruction, ...] | list[Instruction]) -> str:
    if not notes:
        return ""
    shown = []
    for note in notes:
        place = f"chapter {note.origin}" if codes.kind(note.origin) == "chapter" else note.origin
        origin = "" if note.origin == code else f" <small>from {esc(place)}</small>"
        shown.append(f"<dd>{esc(note.text)}{origin}</dd>")
    more = "".join(f"<div>{dd.removeprefix('<dd>').removesuffix('</dd>')}</div>" for dd in shown[3:])
    rest = f"<dd><details><summary>{len(shown) - 3} more</summary>{more}</details></dd>" if len(shown) > 4 else ""
    return f"<dt>{esc(name)}</dt>" + "".join(shown[: 3 if rest else 4]) + rest


def breadcrumb(codes: CodeSet, code: str) -> str:
    """The way from the chapter to a code, as HTML; titles stand in the tooltips, and the category's in the open."""
    if code not in codes:
        return esc(code)
    way = [*reversed(codes.ancestors(code)), code]
    shown = []
    for node in way:
        kind = codes.kind(node)
        name = f"chapter {node}" if kind == "chapter" else node
        title = f" {words(codes.title(node), 44)}" if kind == "category" and node != code else ""
        shown.append(
            f'<span title="{esc(codes.title(node))}"><b>{esc(name)}</b>{esc(title) and " " + esc(title)}</span>'
        )
    return '<span class="cp-sep" aria-hidden="true"> › </span>'.join(shown)


@cache
def _rule_ids() -> frozenset[str]:
    return frozenset(rule["id"] for rule in all_rules())


@cache
def _explained(rule: str) -> str:
    try:
        return explain(rule)
    except InputProblem as problem:
        return str(problem)
