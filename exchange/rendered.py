"""A report for people: plain or coloured text for the terminal, Markdown, and a page of HTML.

Note text is escaped in every format: rich markup, Markdown and HTML show it, none runs it.
"""

from __future__ import annotations

import html
import sys
from collections.abc import Iterable
from datetime import date

from rich.console import Console
from rich.text import Text

from code_maps.icd10cm import load
from models.finding import Finding
from models.proposal import Evidence
from models.report import Report

WIDTH = 100
_VERDICT_STYLE = {"PASS": "green", "PASS_DX_DOC_GAP": "yellow", "NO_POLICY": "dim", "MANUAL_REVIEW": "yellow"}


def words(text: str, most: int = 70) -> str:
    """Note text on one line, shortened at a word."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1].rsplit(" ", 1)[0] + "…"


def _where(section: str) -> str:
    return section.replace("_", " ")


def answer(report: Report) -> str:
    """The review in one line: what a coder wants to know first."""
    parts = [f"{len(report.proposals)} code{'s' * (len(report.proposals) != 1)} supported"]
    if report.claim and report.claim.lines:
        at_risk = [v for v in report.claim.lines if v.verdict.startswith(("FAIL", "ERROR", "NON", "RESTRICTED"))]
        parts.append(
            "; ".join(f"line {v.line} at risk ({v.verdict})" for v in at_risk) if at_risk else "no line at risk"
        )
    parts.append(f"{len(report.gaps)} gap{'s' * (len(report.gaps) != 1)}")
    if report.em:
        parts.append(f"E/M {' or '.join(report.em.supports)} supported")
    return " · ".join(parts)


# --- terminal ----------------------------------------------------------------------------------------------------


def print_text(report: Report, colour: bool) -> None:
    """Print a report to standard output, at most 100 columns wide."""
    console = Console(
        file=sys.stdout, width=WIDTH, no_color=not colour, force_terminal=colour, highlight=False, soft_wrap=False
    )
    for line in text_lines(report):
        console.print(line)


def as_text(report: Report) -> str:
    """The terminal report as plain text."""
    return "\n".join(line.plain.rstrip() for line in text_lines(report))


def text_lines(report: Report) -> list[Text]:
    """The terminal report, line by line."""
    lines: list[Text] = []

    def put(*parts: str | tuple[str, str]) -> None:
        lines.append(Text.assemble(*parts))

    def head(title: str) -> None:
        put("")
        put((title, "bold cyan"))

    note = report.note
    put(("ChartProof", "bold"), f"   {note.setting}   {note.date_of_service or 'no date'}   ICD-10-CM {note.release}")
    put((answer(report), "bold"))
    for notice in note.notices:
        _wrapped(lines, "  ! ", notice, "yellow")
    head("CODES")
    if not report.proposals:
        put("  none that the note supports")
    for p in report.proposals:
        title = words(p.description, 58)
        first = "first" if p.first_listed else ""
        put(f"{p.rank:2}  ", (f"{p.code:9}", "bold green"), f"{title:59} {first:6} ", (f"{p.band} {p.confidence:.2f}", "dim"))
        if p.evidence:
            rules = [r.id for r in p.rules if r.id != "specificity-descent"]
            _wrapped(
                lines, " " * 13, f'"{words(p.evidence[0].text)}"  {_where(p.evidence[0].section)}'
                + (f"   rule {', '.join(dict.fromkeys(rules))}" if rules else ""), "dim",
            )  # fmt: skip
    shown = [w for w in report.withheld if w.rule not in _QUIET_RULES]
    if shown:
        head("NOT CODED")
        by_id = {f.id: f for f in report.findings}
        for w in shown[:12]:
            said = words(by_id[w.findings[0]].text, 40) if w.findings else ""
            _wrapped(lines, f"    {w.code:9}", f'"{said}": {w.why}   {w.rule}')
        if len(shown) > 12:
            put(f"    and {len(shown) - 12} more (--format json)")
    if report.candidates:
        head("CANDIDATES")
        for c in report.candidates[:8]:
            _wrapped(lines, f"    {c.code:9}", c.why)
        if len(report.candidates) > 8:
            put(f"    and {len(report.candidates) - 8} more (--format json)")
    _claim_lines(report, lines, put, head)
    if report.gaps:
        head("GAPS")
        for gap in report.gaps:
            about = f"{gap.code}, " if gap.code else ""
            _wrapped(lines, f"{gap.priority:2}  ", f"{gap.ask}   {about}{gap.missing}   {gap.rule}")
            if gap.would_change and gap.would_change.to:
                _wrapped(lines, "      ", f"would change {gap.would_change.from_code} to {', '.join(gap.would_change.to[:5])}", "dim")
    head("DOCUMENTED")
    names = ("symptoms", "history", "exam", "results", "rationale")
    put("    ", "   ".join(f"{'yes' if getattr(report.elements, n) else 'no '} {n}" for n in names))
    if report.em:
        head("E/M")
        em = report.em
        billed = f"; billed {em.billed}" + (f": {em.flag}" if em.flag else "") if em.billed else ""
        _wrapped(
            lines, "    ", f"note supports {' or '.join(em.supports)} (problems {em.problems}, data {em.data}, "
            f"risk {em.risk}){billed}",
        )  # fmt: skip
    if report.denial_risks:
        head("DENIAL RISK")
        for risk in report.denial_risks:
            _wrapped(lines, f"    {risk.level:7}", f"{risk.cause}: {risk.why}", "yellow")
    put("")
    put(("More on any code, rule or policy: chartproof explain ID", "dim"))
    return lines


# Said of nearly every note; the JSON report has them all.
_QUIET_RULES = {"negated-finding", "hypothetical-finding", "more-specific-documented"}


def _wrapped(lines: list[Text], start: str, body: str, style: str = "") -> None:
    """A paragraph that hangs under its first word."""
    import textwrap

    width = WIDTH - len(start)
    for number, piece in enumerate(textwrap.wrap(body, width, break_on_hyphens=False) or [""]):
        lines.append(Text.assemble(start if number == 0 else " " * len(start), (piece, style) if style else piece))


def _claim_lines(report: Report, lines: list[Text], put, head) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    check = report.claim
    if check is None:
        return
    head("CLAIM")
    if check.assumed_diagnoses:
        put(("    The claim names no diagnoses: the proposed codes stand in for them.", "yellow"))
    for v in check.lines:
        style = _VERDICT_STYLE.get(v.verdict, "red")
        put(f" line {v.line}  {v.code:7} {', '.join(v.diagnoses) or 'none':22} ", (v.verdict, style))
        _wrapped(lines, " " * 9, v.why)
        if v.policy:
            version = f" version {v.policy.version}" if v.policy.version is not None else ""
            _wrapped(lines, " " * 9, f"{v.policy.kind} {v.policy.id}{version}: {v.policy.title}", "dim")
        if v.missing:
            _wrapped(lines, " " * 9, f"missing: {'; '.join(v.missing)}", "yellow")
        extra = [f"CARC {v.carc}"] * bool(v.carc) + [f"RARC {v.rarc}"] * bool(v.rarc)
        if v.modifiers_suggested:
            extra.append(f"modifiers {', '.join(v.modifiers_suggested)}")
        if v.supported_but_not_pointed:
            extra.append(f"supported but not pointed to: {', '.join(v.supported_but_not_pointed)}")
        if extra:
            _wrapped(lines, " " * 9, "; ".join(extra), "dim")
    for e in check.edits:
        place = f"line {e.line}" if e.line else (e.dx or "claim")
        _wrapped(lines, f" {e.severity:8}", f"{place}: {e.why}   {e.edit}", "red" if e.severity == "error" else "yellow")
    for title, codes in (("billed, not documented", check.undocumented), ("documented, not billed", check.unbilled)):
        if codes:
            _wrapped(lines, "    ", f"{title}: {', '.join(codes)}")
    for notice in check.notices:
        _wrapped(lines, "  ! ", notice, "yellow")


# --- Markdown ----------------------------------------------------------------------------------------------------


def _md(text: str) -> str:
    """Text that Markdown shows as it is."""
    escaped = "".join("\\" + c if c in "\\`*_{}[]()#+-.!|~>" else c for c in " ".join(text.split()))
    return html.escape(escaped, quote=False)


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    shown = ["| " + " | ".join(_md(cell) for cell in row) + " |" for row in rows]
    return ["", "| " + " | ".join(headings) + " |", "|" + "---|" * len(headings), *shown, ""] if shown else ["", "none", ""]


def as_markdown(report: Report) -> str:
    """The report as Markdown."""
    note = report.note
    out = ["# ChartProof report", "", f"{note.setting}, {note.date_of_service or 'no date of service'}, ICD-10-CM {note.release}", ""]
    out += [f"**{_md(answer(report))}**", ""] + [f"> {_md(n)}" for n in note.notices]
    out += ["## Codes", *_table(
        ("", "code", "description", "evidence", "confidence", "rules"),
        ((str(p.rank), p.code, p.description, "; ".join(f'"{words(e.text)}"' for e in p.evidence[:2]),
          f"{p.band} {p.confidence:.2f}", ", ".join(r.id for r in p.rules)) for p in report.proposals))]  # fmt: skip
    out += ["## Not coded", *_table(("code", "why", "rule"), ((w.code, w.why, w.rule) for w in report.withheld))]
    out += ["## Candidates", *_table(("code", "why"), ((c.code, c.why) for c in report.candidates))]
    if report.claim:
        out += ["## Claim", *_table(
            ("line", "code", "diagnoses", "verdict", "why", "policy", "missing"),
            ((str(v.line), v.code, ", ".join(v.diagnoses), v.verdict, v.why,
              f"{v.policy.kind} {v.policy.id}" if v.policy else "", "; ".join(v.missing)) for v in report.claim.lines))]  # fmt: skip
        out += ["### Edits", *_table(("severity", "where", "edit", "why"), (
            (e.severity, f"line {e.line}" if e.line else (e.dx or "claim"), e.edit, e.why) for e in report.claim.edits))]  # fmt: skip
    out += ["## Gaps", *_table(("", "missing", "question", "code", "rule"), (
        (str(g.priority), g.missing, g.ask, g.code or "", g.rule) for g in report.gaps))]  # fmt: skip
    out += ["## Denial risk", *_table(("level", "cause", "why"), ((r.level, r.cause, r.why) for r in report.denial_risks))]
    return "\n".join(out)


# --- HTML --------------------------------------------------------------------------------------------------------

MARK_CSS = """
.note { white-space: pre-wrap; overflow-wrap: anywhere; font: 15px/1.6 system-ui, sans-serif; }
.note mark { color: inherit; border-radius: 3px; padding: 0 1px; border-bottom: 2px solid transparent; }
.k-condition { background: #1d6fd633; border-color: #1d6fd6 !important; }
.k-symptom { background: #c77d0a33; border-color: #c77d0a !important; }
.k-history, .k-status { background: #7a5cc433; border-color: #7a5cc4 !important; }
.k-exam { background: #1a8f6a33; border-color: #1a8f6a !important; }
.k-result { background: #0a8ea833; border-color: #0a8ea8 !important; }
.k-treatment, .k-order { background: #b1457f33; border-color: #b1457f !important; }
.k-rationale { background: #6b7a1233; border-color: #6b7a12 !important; }
.a-negated { text-decoration: line-through; background: #8884; border-color: #888 !important; }
.a-uncertain { border-bottom-style: dashed !important; }
.a-historical { border-bottom-style: dotted !important; }
.a-family, .a-other { font-style: italic; }
.a-hypothetical::before { content: "["; } .a-hypothetical::after { content: "]"; }
.a-coded { font-weight: 650; }
"""


def marked_note(text: str, findings: Iterable[Finding], coded: frozenset[str] = frozenset()) -> str:
    """The note as HTML with its findings marked; everything of the note is escaped.

    Overlapping findings: the one whose code is proposed wins, then the longer.
    """
    ordered = sorted(findings, key=lambda f: (f.id not in coded, -(f.end - f.start), f.start))
    taken: list[Finding] = []
    busy: set[int] = set()
    for finding in ordered:
        places = range(finding.start, finding.end)
        if finding.end - finding.start <= 2000 and busy.isdisjoint(places):
            busy.update(places)
            taken.append(finding)
    out, at = [], 0
    for finding in sorted(taken, key=lambda f: f.start):
        said = finding.assertion
        classes = [f"k-{finding.kind}", f"a-{said.presence}"]
        if said.temporality == "historical":
            classes.append("a-historical")
        if said.experiencer != "patient":
            classes.append(f"a-{said.experiencer}")
        if finding.id in coded:
            classes.append("a-coded")
        about = ", ".join(
            [finding.kind, said.presence, said.temporality, said.experiencer]
            + ([finding.place] if finding.place else [])
            + [f"cue: {c.text}" for c in said.cues[:2]]
        )
        out.append(html.escape(text[at : finding.start]))
        out.append(
            f'<mark id="{finding.id}" class="{" ".join(classes)}" title="{html.escape(about, quote=True)}" tabindex="0">'
            f"{html.escape(text[finding.start : finding.end])}</mark>"
        )
        at = finding.end
    out.append(html.escape(text[at:]))
    return f'<div class="note" dir="auto">{"".join(out)}</div>'


def _quoted(evidence: Evidence) -> str:
    return f'<q>{html.escape(words(evidence.text))}</q> <small>{html.escape(_where(evidence.section))}</small>'


def as_html(report: Report, text: str) -> str:
    """One self-contained page: the answer, the codes, the claim, the gaps, and the note with its findings marked."""

    def cell(value: object) -> str:
        return f"<td>{html.escape(str(value))}</td>"

    def table(headings: tuple[str, ...], rows: Iterable[Iterable[object]]) -> str:
        head = "".join(f"<th>{h}</th>" for h in headings)
        body = "".join("<tr>" + "".join(cell(v) for v in row) + "</tr>" for row in rows)
        return f"<table><tr>{head}</tr>{body}</table>" if body else "<p>none</p>"

    note = report.note
    coded = frozenset(i for p in report.proposals for i in p.findings)
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>ChartProof report</title><style>",
        "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}",
        "table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.3rem .5rem;",
        "border-bottom:1px solid #8884}", MARK_CSS, "</style>",
        f"<h1>ChartProof</h1><p>{note.setting}, {note.date_of_service or 'no date of service'}, "
        f"ICD-10-CM {html.escape(note.release)}</p><p><strong>{html.escape(answer(report))}</strong></p>",
        "".join(f"<p>{html.escape(n)}</p>" for n in note.notices), "<h2>Codes</h2>",
        "<table><tr><th></th><th>code</th><th>description</th><th>evidence</th><th>confidence</th><th>rules</th></tr>",
    ]  # fmt: skip
    for p in report.proposals:
        shown = "<br>".join(_quoted(e) for e in p.evidence[:3])
        rules = ", ".join(r.id for r in p.rules)
        parts.append(
            f"<tr>{cell(p.rank)}{cell(p.code)}{cell(p.description)}<td>{shown}</td>"
            f"{cell(f'{p.band} {p.confidence:.2f}')}{cell(rules)}</tr>"
        )
    parts.append("</table><h2>Not coded</h2>")
    parts.append(table(("code", "why", "rule"), ((w.code, w.why, w.rule) for w in report.withheld)))
    parts += ["<h2>Candidates</h2>", table(("code", "why"), ((c.code, c.why) for c in report.candidates))]
    if report.claim:
        rows = ((v.line, v.code, ", ".join(v.diagnoses), v.verdict, v.why, "; ".join(v.missing)) for v in report.claim.lines)
        parts += ["<h2>Claim</h2>", table(("line", "code", "diagnoses", "verdict", "why", "missing"), rows)]
        parts.append(table(("severity", "edit", "why"), ((e.severity, e.edit, e.why) for e in report.claim.edits)))
    parts += ["<h2>Gaps</h2>", table(("", "missing", "question", "code", "rule"), (
        (g.priority, g.missing, g.ask, g.code or "", g.rule) for g in report.gaps))]  # fmt: skip
    parts += ["<h2>Denial risk</h2>", table(("level", "cause", "why"), ((r.level, r.cause, r.why) for r in report.denial_risks))]
    parts += ["<h2>Note</h2>", marked_note(text, report.findings, coded), "</html>"]
    return "".join(parts)


# --- one code ----------------------------------------------------------------------------------------------------


def code_page(code: str, on: date | None) -> str:
    """One code as the tabular shows it, notes inherited from where they stand. Raises UnknownCode."""
    codes = load(on)
    code = code.strip().upper()
    path = [*reversed(codes.ancestors(code)), code]
    lines = [f"{code}  {codes.title(code)}", f"ICD-10-CM {codes.release}   {'billable' if codes.is_billable(code) else 'a heading, not billable'}", ""]
    lines += [f"{'  ' * depth}{node}  {codes.title(node)}" for depth, node in enumerate(path)]
    if codes.inclusion_terms(code):
        lines += ["", "Includes terms:", *(f"  {term}" for term in codes.inclusion_terms(code))]
    for note in codes.notes(code):
        if note.kind != "inclusion_term":
            lines.append(f"{note.kind.replace('_', ' ')} (at {note.origin}): {note.text}")
    below = codes.children(code)
    if below:
        lines += ["", "Below it:", *(f"  {child}  {codes.title(child)}" for child in below)]
    lines += [f"! {notice}" for notice in codes.notices]
    return "\n".join(lines)
