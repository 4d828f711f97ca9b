"""The gaps in order of effect, each with its query; then what is documented for each problem."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from code_maps.icd10cm import CodeSet
from exchange.rendered import query_text, verdict_words, words
from models.gap import Gap, Supposed
from models.report import ProblemElements, Report
from pipeline.suppose import answers
from ui.parts import apart, esc, heading, plain_label, quiet, quote, shows, spans_of

_ELEMENTS = ("symptoms", "history", "exam", "results", "rationale")

Suppose = Callable[[Gap, str], Supposed]


def gaps_panel(report: Report, codes: CodeSet, opened: str | None, suppose: Suppose) -> None:
    """The gaps; the open one with its query to copy and what an answer would change (`suppose` reviews that)."""
    if not report.gaps:
        st.html(quiet("No gap found: what is coded is said as precisely as the tabular asks."))
    shut: list[str] = []
    for number, gap in enumerate(report.gaps):
        key = f"gap:{number}"
        if key != opened:
            shut.append(f'<div class="cp-card cp-gap">{_gap(key, gap, False)}</div>')
            continue
        if shut:
            st.html("".join(shut))
        shut = []
        with st.container(key="open_card", gap=None):
            st.html(_gap(key, gap, True))
            _answers(gap, codes, suppose)
            text = query_text(gap, report.note.date_of_service)
            st.html(heading("Query"))
            st.code(text, language=None, wrap_lines=True)
            st.download_button(
                "Query as text", text, "query.txt", "text/plain", on_click="ignore", key="get_query", type="tertiary",
                icon=":material/download:",
            )  # fmt: skip
    more = len(report.further_gaps)
    if more:
        shut.append(quiet(f"{more} less important gap{'s' * (more != 1)} left out."))
    st.html("".join(shut) + _documented(report))


def _gap(key: str, gap: Gap, is_open: bool) -> str:
    code = f" <code>{esc(gap.code)}</code>" if gap.code else ""
    parts = [
        f'<button class="cp-pick" data-result="{key}" data-do="{key}" aria-expanded="{str(is_open).lower()}">'
        f'<span class="cp-chip s-warn">? {esc(gap.missing)}</span> <b>{esc(words(gap.about, 60))}</b>{code}</button>'
        f"<p>{esc(gap.ask)}</p>"
    ]
    if gap.options and not is_open:
        parts.append('<p class="cp-opts">' + "".join(f"<span>{esc(o)}</span>" for o in gap.options) + "</p>")
    parts.extend(quote(e) for e in apart(gap.evidence)[: 6 if is_open else 1])
    if gap.would_change and gap.would_change.to:
        to = ", ".join(gap.would_change.to[:6]) + (" …" if len(gap.would_change.to) > 6 else "")
        parts.append(f"<p>Would change <b>{esc(gap.would_change.from_code)}</b> → <b>{esc(to)}</b></p>")
    if is_open:
        source = f" {esc(gap.source)}." if gap.source else ""
        parts.append(f"<p>{esc(gap.why)}{source} <code>{esc(gap.rule)}</code></p>")
    return "".join(parts)


def _answers(gap: Gap, codes: CodeSet, suppose: Suppose) -> None:
    """What an answer would change: reviewed when it is asked for; the note itself stays as it is."""
    possible = answers(gap)
    if not possible:
        return
    picked = st.pills(
        "Suppose the provider answers …",
        possible,
        key=f"answer_{gap.id}",
        format_func=lambda a: plain_label(words(a, 60)),
    )
    if picked is not None:
        st.html(f'<div class="cp-suppose">{_supposed(suppose(gap, picked), codes)}</div>')


def _supposed(s: Supposed, codes: CodeSet) -> str:
    """A supposed answer's effect in words: codes, verdicts, level, gaps that close or open."""
    rows = []
    for now, then in s.codes:
        title = codes.title(then) if then and then in codes else ""
        rows.append(f"<div><b>{esc(now or 'no code')}</b> → <b>{esc(then or 'no code')}</b> {esc(title)}</div>")
    for line, was, then in s.verdicts:
        rows.append(f"<div>Line {line}: {esc(verdict_words(was)[1])} → <b>{esc(verdict_words(then)[1])}</b></div>")
    if s.levels:
        now_, then_ = (" or ".join(level) or "no level" for level in s.levels)
        rows.append(f"<div>E/M: {esc(now_)} → <b>{esc(then_)}</b></div>")
    if s.resolved:
        rows.append(f"<div>{len(s.resolved)} gap{'s' * (len(s.resolved) != 1)} would close.</div>")
    if s.opened:
        rows.append(f"<div>{len(s.opened)} gap{'s' * (len(s.opened) != 1)} would open.</div>")
    rows.append(f"<div>{esc(s.why)}</div>" if s.why else "")
    return (
        "".join(rows)
        + '<div class="cp-where">Only supposed: the note is unchanged, and this can\'t be coded from it.</div>'
    )


def _cell(problem: ProblemElements, name: str) -> str:
    """Whether an element is documented for a problem; the words that say so can be shown in the note."""
    if not getattr(problem.elements, name):
        return '<td><span class="s-risk">✗</span> no</td>'
    spans = [(e.start, e.end) for element, shown in problem.evidence if element == name for e in shown]
    yes = '<span class="s-ok">✓</span> yes'
    return f'<td><button class="cp-said" {shows(spans)}>{yes}</button></td>' if spans else f"<td>{yes}</td>"


def _documented(report: Report) -> str:
    by_id = {f.id: f for f in report.findings}
    whole = "".join(
        '<td><span class="s-ok">✓</span> yes</td>'
        if getattr(report.elements, n)
        else '<td><span class="s-risk">✗</span> no</td>'
        for n in _ELEMENTS
    )
    rows = [f'<tr><th scope="row">the whole note</th>{whole}</tr>']
    for p in report.problem_elements:
        spans = spans_of(p.findings, by_id)
        name = esc(words(p.problem, 44))
        shown = f'<button class="cp-said" {shows(spans)}>{name}</button>' if spans else name
        cells = "".join(_cell(p, n) for n in _ELEMENTS)
        rows.append(f'<tr><th scope="row">{shown} <code>{esc(p.code or "")}</code></th>{cells}</tr>')
    head = "".join(f'<th scope="col">{n}</th>' for n in _ELEMENTS)
    return (
        f'{heading("What the note documents")}<div class="cp-scroll" tabindex="0" role="region" '
        'aria-label="What the note documents"><table class="cp-table">'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )
