"""The result panels of the Review page: codes, claim, gaps, E/M level, and what wasn't coded and why.

Words of the note and of files reach the page through `html.escape` or as plain text, never as Markdown.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import streamlit as st

from code_maps.icd10cm import CodeSet
from exchange.rendered import STATE_SIGN, edit_why, level_part, query_text, verdict_words, words
from models.claim import Claim, ClaimCheck, ClaimLine, Verdict
from models.finding import Finding
from models.gap import Elements, Gap, LevelReason
from models.problem import InputProblem
from models.proposal import Evidence, OpenAxis, Proposal
from models.report import Report
from pipeline.explain import all_rules, explain

_BAND_SIGN = {"high": "●●●", "medium": "●●○", "low": "●○○"}
_ELEMENTS = ("symptoms", "history", "exam", "results", "rationale")
_ABSENT_RULES = {"negated-finding", "hypothetical-finding", "more-specific-documented"}
_UNKNOWN = "not documented"


def esc(text: object) -> str:
    """Text made safe for HTML, on one line of its own direction."""
    return html.escape(" ".join(str(text).split()), quote=True)


def _quote(e: Evidence, most: int = 150) -> str:
    where = f'<span class="cp-where">{esc(e.section.replace("_", " "))}</span>' if e.section else ""
    return f'<div class="cp-quote"><q dir="auto"><bdi>{esc(words(e.text, most))}</bdi></q>{where}</div>'


def _chip(state: str, text: str) -> str:
    return f'<span class="cp-chip s-{state}">{STATE_SIGN[state]} {esc(text)}</span>'


def plain_label(text: str) -> str:
    """Text for the label of a widget, where Markdown would be read: every sign of it is escaped."""
    return "".join("\\" + c if c in "\\`*_{}[]()#+-.!|~>$:<&^=@" else c for c in " ".join(text.split()))


def _apart(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Evidence in order, without what lies inside or across an earlier or longer quote of the same words."""
    kept: list[Evidence] = []
    for e in evidence:
        over = [k for k in kept if k.start < e.end and e.start < k.end]
        if not over:
            kept.append(e)
        elif all(e.end - e.start > k.end - k.start for k in over):
            kept[kept.index(over[0])] = e
            kept = [k for k in kept if k is e or k not in over]
    return kept


# --- codes ---------------------------------------------------------------------------------------------------------


def choose(number: int) -> None:
    """Choose a proposal by its number in the report, or let go of it."""
    st.session_state["chosen"] = None if st.session_state.get("chosen") == number else number


def codes_panel(report: Report, codes: CodeSet) -> None:
    """The proposed codes, most important first; the chosen one opens with its proof."""
    if not report.proposals:
        st.html('<p class="cp-quiet">The note supports no code. “Why not” says what was considered.</p>')
    chosen = st.session_state.get("chosen")
    for number, p in enumerate(report.proposals):
        is_open = number == chosen
        with st.container(key=f"code_{number}_{'open' if is_open else 'shut'}", gap=None):
            st.button(
                f"**{p.code}**&ensp;{plain_label(p.description)}", key=f"pick_{number}", type="tertiary",
                on_click=choose, args=(number,), width="stretch",
            )  # fmt: skip
            first = "first-listed · " if p.first_listed else ""
            open_ = (
                f' · <span class="cp-open">? {esc(", ".join(a.axis for a in p.open_axes))}</span>'
                if p.open_axes
                else ""
            )
            st.html(
                f'<div class="cp-meta"><span>{first}<span title="confidence {p.confidence:.2f} of 1">'
                f'<span class="cp-dots" aria-hidden="true">{_BAND_SIGN[p.band]}</span> '
                f"{p.band} {p.confidence:.2f}</span>"
                f"{open_}</span></div>" + "".join(_quote(e) for e in _apart(p.evidence)[: 6 if is_open else 1])
            )
            if is_open:
                _proof(number, p, codes)
    if report.candidates:
        several = "s" * (len(report.candidates) != 1)
        st.html(f'<p class="cp-quiet">{len(report.candidates)} candidate{several} under “Why not”.</p>')


def _proof(number: int, p: Proposal, codes: CodeSet) -> None:
    """Why this code: its place in the tabular, the details that led there, the next question, the rules."""
    st.html(f'<nav class="cp-crumb" aria-label="Place in the tabular">{breadcrumb(codes, p.code)}</nav>')
    if p.axes:
        said = "".join(f"<li>{esc(a.axis)}: <b>{esc(a.value)}</b></li>" for a in p.axes)
        st.html(f'<div class="cp-h">Documented</div><ul class="cp-facts">{said}</ul>')
    for axis in p.open_axes:
        _question(number, p, axis, codes)
    if p.rules:
        st.html('<div class="cp-h">Rules</div>')
    known = _rule_ids()
    shown = []
    for rule in p.rules:
        said = f"{esc(rule.why)} <code>{esc(rule.id)}</code>"
        if rule.id in known:
            said = f"<details><summary>{said}</summary><pre>{html.escape(_explained(rule.id))}</pre></details>"
        shown.append(f'<div class="cp-rule">{said}</div>')
    st.html("".join(shown))


def _question(number: int, p: Proposal, axis: OpenAxis, codes: CodeSet) -> None:
    """An open axis as the next question; an answer shows what the code would be, and never edits the note."""
    choices = {c.value: c.code for c in axis.choices}
    picked = st.pills(
        f"Not in the note: **{plain_label(axis.axis)}**. Suppose it said …", [*choices, _UNKNOWN],
        key=f"suppose_{number}_{axis.axis}", format_func=plain_label,
    )  # fmt: skip
    if picked is None:
        return
    if picked == _UNKNOWN:
        said = f"Then <b>{esc(p.code)}</b> stays, and the gap stays open."
    else:
        code = choices[picked]
        title = codes.title(code) if code in codes else ""
        said = f"Then it would be <b>{esc(code)}</b> {esc(title)}. The note doesn't say it: ask (Gaps), don't code it."
    st.html(f'<div class="cp-suppose">{said}</div>')


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


def _explained(rule: str) -> str:
    try:
        return explain(rule)
    except InputProblem as problem:
        return str(problem)


# --- claim ---------------------------------------------------------------------------------------------------------


def claim_panel(report: Report, claim: Claim | None, codes: CodeSet) -> None:
    """Lines against diagnoses, a verdict for each line with its policy, then the edits."""
    check = report.claim
    if claim is None:
        st.html('<p class="cp-quiet">No claim yet. Enter diagnoses and lines on the left to check them.</p>')
        return
    if check is None:
        st.html('<p class="cp-quiet">This release doesn\'t check claims yet.</p>' + _matrix(claim, None, codes, report))
        return
    if check.assumed_diagnoses:
        st.html(f"<p>{_chip('warn', 'The claim names no diagnoses: the proposed codes stand in for them.')}</p>")
    st.html(_matrix(claim, check, codes, report))
    st.html("".join(_verdict(v) for v in check.lines))
    st.html(_shared(check) + _edits(check) + _risks(report))
    for notice in check.notices:
        st.html(f'<p class="cp-quiet">{esc(notice)}</p>')


def _cell(line: ClaimLine, position: int, code: str, v: Verdict | None) -> tuple[str, str, str]:
    """A cell of the matrix: how it weighs, its sign, and its words."""
    pointed = position in line.pointers
    if v is None:
        return ("plain", "●", "pointed") if pointed else ("none", "·", "")
    if v.verdict in ("NO_POLICY", "UNVERIFIED_PAYER"):
        return ("quiet", "●", "no policy") if pointed else ("none", "·", "")
    if not pointed:
        return ("warn", "○", "not pointed") if code in v.supported_but_not_pointed else ("none", "·", "")
    if code in v.diagnoses and verdict_words(v.verdict)[0] in ("ok", "warn"):
        return "ok", "✓", "supports"
    return "risk", "✗", "no support"


def _matrix(claim: Claim, check: ClaimCheck | None, codes: CodeSet, report: Report) -> str:
    """Lines x diagnoses; under each diagnosis whether the note has it."""
    diagnoses: Sequence[str] = claim.diagnoses
    lines: Sequence[ClaimLine] = claim.lines
    verdicts = {v.line: v for v in check.lines} if check else {}
    if check and check.assumed_diagnoses:
        diagnoses = tuple(dict.fromkeys(p.code for p in report.proposals))[:12]
        lines = [
            line.model_copy(update={"pointers": [n for n, d in enumerate(diagnoses, 1) if d in verdicts[k].diagnoses]})
            if k in verdicts else line
            for k, line in enumerate(lines, 1)
        ]  # fmt: skip
    if not diagnoses or not lines:
        return ""
    proposed = {p.code for p in report.proposals}
    missing = set(check.undocumented) if check else set()
    head = []
    for letter, d in zip("ABCDEFGHIJKL", diagnoses, strict=False):
        title = codes.title(d) if d in codes else "not in this release"
        near = next((p for p in report.proposals if p.code[:3] == d[:3]), None)
        sign, said, state = ("", "", "")
        if d in proposed:
            sign, said, state = "✓", "in the note", "s-ok"
        elif d in missing:
            sign, said, state = "✗", "not in the note", "s-risk"
        elif near:
            sign, said, state = "≈", f"note: {near.code}", "s-warn"
        head.append(
            f'<th scope="col" title="{esc(title)}"><small>{letter}</small>{esc(d)}'
            f'<span class="cp-in {state}">{sign} {esc(said)}</span></th>'
        )
    rows = []
    for number, line in enumerate(lines, 1):
        cells = []
        for position, d in enumerate(diagnoses[:12], 1):
            state, sign, said = _cell(line, position, d, verdicts.get(number))
            cells.append(
                f'<td class="s-{state}" title="{esc(f"line {number}, {d}: {said}") if said else ""}">'
                f"{sign}<span>{said}</span></td>"
            )
        label = f"{esc(line.code)} {esc(' '.join(line.modifiers))}".strip()
        rows.append(f'<tr><th scope="row"><small>{number}</small>{label}</th>{"".join(cells)}</tr>')
    return (
        f'<div class="cp-scroll"><table class="cp-matrix"><thead><tr><td></td>{"".join(head)}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _verdict(v: Verdict) -> str:
    state, said = verdict_words(v.verdict)
    parts = [
        f'<div class="cp-card s-{state}"><div class="cp-top"><b>Line {v.line}</b> <b>{esc(v.code)}</b> '
        f"{_chip(state, said)}"
        f'<code class="cp-end">{esc(v.verdict)}</code></div>'
    ]
    if v.why:
        parts.append(f"<p>{esc(v.why)}</p>")
    if v.supported_but_not_pointed:
        parts.append(
            f"<p>○ Supported, but the line doesn't point to it: {esc(', '.join(v.supported_but_not_pointed))}</p>"
        )
    parts.extend(f"<p>Missing: {esc(item)}</p>" for item in v.missing)
    parts.extend(_quote(e) for e in v.evidence[:3])
    if v.modifiers_suggested:
        parts.append(f"<p>Modifier to consider: {esc(', '.join(v.modifiers_suggested))}</p>")
    facts = []
    if v.policy:
        p = v.policy
        about = [f"version {p.version}"] * (p.version is not None) + [f"group {p.group}"] * (p.group is not None)
        about += [f"since {p.effective}"] * bool(p.effective) + [f"by {p.basis}"]
        facts.append(f"<b>{esc(p.kind)} {esc(p.id)}</b> {esc(p.title)} <span>({esc(', '.join(about))})</span>")
        if p.quote:
            facts.append(f"<blockquote>{esc(words(p.quote, 600))}</blockquote>")
        if p.url:
            facts.append(f"<span>{esc(p.url)}</span>")
    if v.carc:
        rarc = f", RARC {esc(v.rarc)}" if v.rarc else ""
        liable = "" if v.liability == "none" else f"; liable: the {esc(v.liability)}"
        facts.append(f"If denied, likely CARC {esc(v.carc)}{rarc}{liable}")
    if v.reasons:
        facts.append(f"Reasons: {esc(', '.join(v.reasons))}")
    if facts:
        named = "Policy and codes" if v.policy else "More"
        parts.append(f"<details><summary>{named}</summary>{''.join(f'<div>{f}</div>' for f in facts)}</details>")
    return "".join(parts) + "</div>"


def _shared(check: ClaimCheck) -> str:
    rows = []
    if check.undocumented:
        rows.append(f"<p>{_chip('risk', 'Billed, not in the note')} {esc(', '.join(check.undocumented))}</p>")
    if check.unbilled:
        rows.append(f"<p>{_chip('warn', 'In the note, not billed')} {esc(', '.join(check.unbilled))}</p>")
    return "".join(rows)


def _edits(check: ClaimCheck) -> str:
    if not check.edits:
        return ""
    weight = {"error": "risk", "warning": "warn", "info": "quiet"}
    order = {"error": 0, "warning": 1, "info": 2}
    rows = []
    for e in sorted(check.edits, key=lambda e: order[e.severity]):
        rows.append(
            f'<div class="cp-edit">{_chip(weight[e.severity], e.severity)} {esc(edit_why(e))} '
            f'<code title="{esc(e.source)}">{esc(e.edit)}</code></div>'
        )
    return '<div class="cp-h">Claim edits</div>' + "".join(rows)


def _risks(report: Report) -> str:
    if not report.denial_risks:
        return ""
    weight = {"high": "risk", "medium": "warn", "low": "quiet"}
    rows = "".join(
        f'<div class="cp-edit">{_chip(weight[r.level], r.level)} <b>{esc(r.cause)}</b> {esc(r.why)}</div>'
        for r in report.denial_risks
    )
    return '<div class="cp-h">Risk of denial</div>' + rows


# --- gaps ----------------------------------------------------------------------------------------------------------


def gaps_panel(report: Report) -> None:
    """The gaps in order of effect, each with a query ready to copy; then what is documented for each problem."""
    if not report.gaps:
        st.html('<p class="cp-quiet">No gap found: what is coded is said as precisely as the tabular asks.</p>')
    for number, gap in enumerate(report.gaps):
        with st.container(key=f"gap_{number}", gap=None):
            st.html(_gap(gap))
            with st.expander("Query to copy"):
                st.code(query_text(gap, report.note.date_of_service), language=None, wrap_lines=True)
    st.html(_documented(report))


def _gap(gap: Gap) -> str:
    code = f" <code>{esc(gap.code)}</code>" if gap.code else ""
    parts = [
        f'<div class="cp-top"><b>{gap.priority}</b> <span class="cp-chip s-warn">? {esc(gap.missing)}</span> '
        f"<b>{esc(words(gap.about, 60))}</b>{code}</div><p>{esc(gap.ask)}</p>"
    ]
    if gap.options:
        parts.append('<p class="cp-opts">' + "".join(f"<span>{esc(o)}</span>" for o in gap.options) + "</p>")
    parts.extend(_quote(e) for e in gap.evidence[:2])
    if gap.would_change and gap.would_change.to:
        to = ", ".join(gap.would_change.to[:6]) + (" …" if len(gap.would_change.to) > 6 else "")
        parts.append(f"<p>Would change <b>{esc(gap.would_change.from_code)}</b> → <b>{esc(to)}</b></p>")
    source = f" {esc(gap.source)}." if gap.source else ""
    parts.append(
        f"<details><summary>Why</summary><div>{esc(gap.why)}{source} <code>{esc(gap.rule)}</code></div></details>"
    )
    return "".join(parts)


def _yes(value: bool) -> str:
    return '<span class="s-ok">✓</span> yes' if value else '<span class="s-risk">✗</span> no'


def _documented(report: Report) -> str:
    def row(name: str, e: Elements) -> str:
        return (
            f'<tr><th scope="row">{name}</th>' + "".join(f"<td>{_yes(getattr(e, n))}</td>" for n in _ELEMENTS) + "</tr>"
        )

    rows = [row("the whole note", report.elements)]
    rows += [
        row(f"{esc(words(p.problem, 44))} <code>{esc(p.code or '')}</code>", p.elements)
        for p in report.problem_elements
    ]
    head = "".join(f'<th scope="col">{n}</th>' for n in _ELEMENTS)
    return (
        '<div class="cp-h">What the note documents</div><div class="cp-scroll"><table class="cp-table">'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


# --- level, and what isn't coded -------------------------------------------------------------------------------------


def level_panel(report: Report) -> None:
    """The level of the visit that the note supports, element by element."""
    em = report.em
    if em is None:
        st.html('<p class="cp-quiet">No visit to level: the claim has no office or hospital visit code.</p>')
        return
    state = level_part(em)[0]
    billed = f"<p>{_chip(state, em.flag or level_part(em)[1])} billed: <b>{esc(em.billed)}</b></p>" if em.billed else ""
    st.html(
        f'<div class="cp-card s-{state}"><div class="cp-top">The note supports '
        f"<b>{esc(' or '.join(em.supports)) or 'no level'}</b>"
        f"</div><p>Medical decision making: <b>{esc(em.mdm)}</b></p>{billed}</div>"
    )
    by_id = {f.id: f for f in report.findings}
    rows = []
    for element, level in (("problems", em.problems), ("data", em.data), ("risk", em.risk)):
        reasons = [r for r in em.reasons if r.element == element]
        rows.append(
            f'<tr><th scope="row">{element}</th><td><b>{esc(level)}</b></td><td>{_reasons(reasons, by_id)}</td></tr>'
        )
    rest = [r for r in em.reasons if r.element not in ("problems", "data", "risk")]
    if rest:
        rows.append(f'<tr><th scope="row">other</th><td></td><td>{_reasons(rest, by_id)}</td></tr>')
    st.html(f'<table class="cp-table cp-wide"><tbody>{"".join(rows)}</tbody></table>')


def _reasons(reasons: Iterable[LevelReason], by_id: Mapping[str, Finding]) -> str:
    shown = []
    for reason in reasons:
        quoted = "; ".join(f"“{esc(words(by_id[i].text, 40))}”" for i in reason.findings[:4] if i in by_id)
        shown.append(f"<div>{esc(reason.why)}{f' <bdi>{quoted}</bdi>' if quoted else ''}</div>")
    return "".join(shown)


def why_not_panel(report: Report) -> None:
    """Codes that a rule held back and codes that were only considered, each with the words and the reason."""
    by_id = {f.id: f for f in report.findings}

    def rows(items: Iterable[tuple[str, str, str, Sequence[str]]]) -> str:
        shown = []
        for code, why, rule, ids in items:
            said = next((by_id[i].text for i in ids if i in by_id), "")
            quote = f'<q dir="auto"><bdi>{esc(words(said, 60))}</bdi></q>' if said else ""
            shown.append(f'<div class="cp-edit"><b>{esc(code)}</b> {quote} {esc(why)} <code>{esc(rule)}</code></div>')
        return "".join(shown)

    held = [(w.code, w.why, w.rule, w.findings) for w in report.withheld if w.rule not in _ABSENT_RULES]
    absent = [(w.code, w.why, w.rule, w.findings) for w in report.withheld if w.rule in _ABSENT_RULES]
    considered = [(c.code, c.why, f"{c.confidence:.2f}", c.findings) for c in report.candidates]
    parts = []
    if held:
        parts.append(f'<div class="cp-h">Held back by a rule</div>{rows(held)}')
    if considered:
        parts.append(f'<div class="cp-h">Considered, not proposed</div>{rows(considered)}')
    if absent:
        parts.append(
            '<details class="cp-more"><summary>Absent, only possible later, or said more precisely elsewhere '
            f"({len(absent)})</summary>{rows(absent)}</details>"
        )
    st.html("".join(parts) or '<p class="cp-quiet">Nothing was held back.</p>')
