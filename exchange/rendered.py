"""A report for people: plain or coloured text for the terminal, Markdown, and a page of HTML.

Note text is escaped in every format: rich markup, Markdown and HTML show it, none runs it.
"""

from __future__ import annotations

import html
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rich.console import Console
from rich.text import Text

from code_maps.icd10cm import load
from models.finding import Finding
from models.gap import Gap
from models.proposal import Evidence
from models.report import Report
from models.text import Section

WIDTH = 100

VERDICT_WORDS = {
    "PASS": ("ok", "supported"),
    "PASS_DX_DOC_GAP": ("warn", "diagnosis covered, a condition isn't shown"),
    "NO_POLICY": ("quiet", "no policy on file"),
    "UNVERIFIED_PAYER": ("quiet", "payer's rules not on file"),
    "MANUAL_REVIEW": ("warn", "needs a person to read it"),
    "FAIL_NOT_LINKED": ("risk", "diagnosis not linked"),
    "FAIL_SECONDARY_MISSING": ("risk", "second diagnosis missing"),
    "FAIL_DX": ("risk", "diagnosis not covered"),
    "NON_COVERED": ("risk", "not covered"),
    "RESTRICTED_FREQUENCY": ("risk", "too soon or too often"),
    "ERROR_NO_DX": ("risk", "no diagnosis pointed to"),
}
"""A verdict in plain words, with how it weighs: ok, warn, risk or quiet."""

STATE_SIGN = {"ok": "✓", "warn": "!", "risk": "✗", "quiet": "–"}
_STATE_STYLE = {"ok": "green", "warn": "yellow", "risk": "bold red", "quiet": "dim"}


def verdict_words(verdict: str) -> tuple[str, str]:
    """How a verdict weighs, and what it says in plain words."""
    return VERDICT_WORDS.get(verdict, ("warn", verdict.lower().replace("_", " ")))


def words(text: str, most: int = 70) -> str:
    """Note text on one line, shortened at a word."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1].rsplit(" ", 1)[0] + "…"


def _where(section: str) -> str:
    return section.replace("_", " ")


def _count(number: int, one: str) -> str:
    return f"{number} {one}{'s' * (number != 1)}"


def answer_parts(report: Report) -> list[tuple[str, str]]:
    """The review's answer, part by part, each with how it weighs: what a coder wants to know first."""
    supported = len(report.proposals)
    parts = [("ok" if supported else "warn", f"{_count(supported, 'code')} supported")]
    if report.claim:
        at_risk: dict[str, list[int]] = {}
        for v in report.claim.lines:
            state, said = verdict_words(v.verdict)
            if state == "risk":
                at_risk.setdefault(said, []).append(v.line)
        for said, lines in at_risk.items():
            several = "s" * (len(lines) > 1)
            parts.append(("risk", f"line{several} {', '.join(map(str, lines))} at risk: {said}"))
        if report.claim.lines and not at_risk:
            parts.append(("ok", "no line at risk"))
        errors = sum(e.severity == "error" for e in report.claim.edits)
        if errors:
            parts.append(("risk", _count(errors, "claim error")))
        if report.claim.undocumented:
            parts.append(("warn", f"{', '.join(report.claim.undocumented)} billed, not in the note"))
    parts.append(("warn" if report.gaps else "ok", _count(len(report.gaps), "gap") if report.gaps else "no gaps"))
    em = report.em
    if em and em.supports:
        said = f"{' or '.join(em.supports)} supported"
        parts.append(("warn", f"{said}, {em.billed} billed") if em.flag and em.billed else ("ok", said))
    return parts


def answer(report: Report) -> str:
    """The review in one line."""
    return " · ".join(said for _, said in answer_parts(report))


def query_text(gap: Gap, on: date | None) -> str:
    """A gap as a query to the provider, ready to copy: the note's own words, an open question, no hint at payment."""
    lines = [f"Query about the note of {on}" if on else "Query about the note", ""]
    if gap.evidence:
        lines.append("The note says:")
        for e in gap.evidence[:3]:
            place = f" ({_where(e.section)})" if e.section else ""
            lines.append(f'- "{words(e.text, 160)}"{place}')
        lines.append("")
    lines.append(gap.ask)
    if gap.options:
        lines += ["", *(f"[ ] {option}" for option in gap.options)]
    return "\n".join([*lines, "", "Please answer in the note or an addendum, by your clinical judgement."])


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

KINDS = {
    "condition": ("C", "condition"), "symptom": ("S", "symptom"), "history": ("H", "history"), "status": ("N", "status, number"),
    "exam": ("E", "exam"), "result": ("R", "result"), "treatment": ("T", "treatment"), "order": ("O", "order"),
    "rationale": ("W", "rationale (why)"),
}  # fmt: skip
"""Kinds of findings: the letter that marks carry, and the name in the legend."""

MARK_CSS = """
.note { white-space: pre-wrap; overflow-wrap: anywhere; font: 14px/1.75 system-ui, sans-serif; unicode-bidi: plaintext; }
.note b.h { font-weight: 650; letter-spacing: .01em; }
.note mark { color: inherit; background: none; border-radius: 3px; padding: 1px 1px 0; unicode-bidi: isolate;
  text-decoration: underline; text-decoration-thickness: 1.5px; text-underline-offset: 3px;
  text-decoration-color: color-mix(in srgb, var(--k) 65%, transparent); }
.note mark::after { content: attr(data-tag); font-size: .62em; font-weight: 700; vertical-align: super; line-height: 0;
  display: inline-block; text-decoration: none; margin-left: 1px; color: color-mix(in srgb, var(--k) 70%, currentColor);
  opacity: .85; }
.k-condition { --k: #2f74c8; } .k-symptom { --k: #b8740f; } .k-history, .k-status { --k: #7d63bd; }
.k-exam { --k: #2a8c68; } .k-result { --k: #168a9c; } .k-treatment, .k-order { --k: #b04a7f; } .k-rationale { --k: #75801f; }
.note mark.a-coded { background: color-mix(in srgb, var(--k) 20%, transparent); font-weight: 600;
  text-decoration-color: var(--k); text-decoration-thickness: 2px; }
.note mark.a-uncertain { text-decoration-style: dashed; }
.note mark.a-historical { text-decoration-style: dotted; text-decoration-thickness: 2px; }
.note mark.a-negated { --k: #868686; text-decoration-line: line-through; color: color-mix(in srgb, currentColor 62%, transparent); }
.note mark.a-family, .note mark.a-other { font-style: italic; }
.note mark.a-hypothetical::before { content: "["; opacity: .7; } .note mark.a-hypothetical::after { content: "] " attr(data-tag); }
"""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a note as it is shown: plain text, a heading, or the words of one or more findings."""

    start: int
    end: int
    heading: bool = False
    finding: Finding | None = None
    ids: tuple[str, ...] = ()

    @property
    def classes(self) -> str:
        """What the mark's looks go by: its kind and how it is asserted."""
        if self.finding is None:
            return ""
        said = self.finding.assertion
        names = [f"k-{self.finding.kind}", f"a-{said.presence}"]
        if said.temporality == "historical":
            names.append("a-historical")
        if said.experiencer != "patient":
            names.append(f"a-{said.experiencer}")
        return " ".join(names)

    @property
    def tag(self) -> str:
        """Letters for what colour says too: the kind, and an assertion other than present, current, the patient's."""
        return _tag(self.finding) if self.finding else ""


def _tag(finding: Finding) -> str:
    said = finding.assertion
    extra = {"negated": "no", "uncertain": "?", "hypothetical": "if"}.get(said.presence, "")
    if said.temporality == "historical":
        extra += " past" if extra else "past"
    if said.experiencer != "patient":
        extra += f" {said.experiencer}" if extra else said.experiencer
    return KINDS[finding.kind][0] + (f"·{extra}" if extra else "")


def described(finding: Finding, results: Sequence[str] = ()) -> str:
    """One finding in a sentence: what it is, how it is asserted and by which cue, and what rests on it."""
    said = finding.assertion
    whose = {"patient": "the patient's", "family": "a relative's", "other": "somebody else's"}[said.experiencer]
    time = "past" if said.temporality == "historical" else "current"
    parts = [f"{KINDS[finding.kind][1].split(' (')[0].capitalize()}: {said.presence}, {time}, {whose}."]
    if said.cues:
        parts.append("Decided by " + ", ".join(f"“{words(c.text, 30)}” ({c.role.replace('-', ' ')})" for c in said.cues[:2]) + ".")
    if results:
        parts.append("Rests on it: " + "; ".join(results) + ".")
    elif finding.place:
        parts.append(f"Place in the tabular: {finding.place}.")
    return " ".join(parts)


def results_of(report: Report) -> dict[str, list[str]]:
    """For each finding the codes that rest on it, proposed or not, in words."""
    found: dict[str, list[str]] = {}
    for p in report.proposals:
        for key in p.findings:
            found.setdefault(key, []).append(f"{p.code} {words(p.description, 60)}")
    for w in report.withheld:
        for key in w.findings:
            found.setdefault(key, []).append(f"{w.code} not coded ({w.rule})")
    for c in report.candidates:
        for key in c.findings:
            found.setdefault(key, []).append(f"{c.code} only a candidate ({words(c.why, 60)})")
    return {key: list(dict.fromkeys(said)) for key, said in found.items()}


def _spans_several(finding: Finding, others: Iterable[Finding]) -> bool:
    """Whether two others that don't touch each other lie inside a finding."""
    ends = sorted(
        (o.end, o.start) for o in others
        if finding.start <= o.start and o.end <= finding.end and o.end - o.start < finding.end - finding.start
    )  # fmt: skip
    return bool(ends) and any(start >= ends[0][0] for _, start in ends)


def pieces(text: str, findings: Sequence[Finding], coded: frozenset[str], sections: Iterable[Section] = ()) -> list[Piece]:
    """The note cut into stretches that cover all of it, in order.

    Where findings overlap one mark stands for them: the one whose code is proposed, then the longer, unless it spans
    several that stand apart ("diabetes, hypertension, CKD"); it knows the ids of the others. Findings of more than
    2,000 characters aren't marked.
    """
    usable = [f for f in findings if 0 < f.end - f.start <= 2000]
    inner = [f for f in usable if f.id in coded]
    wide = {f.id for f in inner if _spans_several(f, inner)}
    taken: list[Piece] = []
    busy = bytearray(len(text))
    for finding in sorted(usable, key=lambda f: (f.id not in coded or f.id in wide, -(f.end - f.start), f.start, f.id)):
        if not any(busy[finding.start : finding.end]):
            busy[finding.start : finding.end] = b"\1" * (finding.end - finding.start)
            taken.append(Piece(finding.start, finding.end, finding=finding))
    taken.sort(key=lambda piece: piece.start)
    shared: list[list[str]] = [[] for _ in taken]
    first = 0
    for finding in sorted(usable, key=lambda f: (f.start, f.end, f.id)):
        while first < len(taken) and taken[first].end <= finding.start:
            first += 1
        number = first
        while number < len(taken) and taken[number].start < finding.end:
            if taken[number].end > finding.start:
                shared[number].append(finding.id)
            number += 1
    marks = [Piece(m.start, m.end, finding=m.finding, ids=tuple(ids)) for m, ids in zip(taken, shared, strict=True)]
    heads = [
        Piece(s.start, s.start + len(s.title), heading=True) for s in sections
        if s.title and text.startswith(s.title, s.start) and not any(busy[s.start : s.start + len(s.title)])
    ]  # fmt: skip
    out: list[Piece] = []
    at = 0
    for piece in sorted([*marks, *heads], key=lambda p: p.start):
        if piece.start < at:
            continue
        if piece.start > at:
            out.append(Piece(at, piece.start))
        out.append(piece)
        at = piece.end
    if at < len(text):
        out.append(Piece(at, len(text)))
    return out


def marked_note(
    text: str,
    findings: Sequence[Finding],
    coded: frozenset[str] = frozenset(),
    sections: Iterable[Section] = (),
    results: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """The note as HTML with its findings marked; everything of the note is escaped."""
    out = []
    for piece in pieces(text, findings, coded, sections):
        shown = html.escape(text[piece.start : piece.end])
        if piece.finding:
            known = [said for key in piece.ids for said in (results or {}).get(key, ())]
            classes = piece.classes + (" a-coded" if coded.intersection(piece.ids) else "")
            about = html.escape(described(piece.finding, list(dict.fromkeys(known))), quote=True)
            out.append(
                f'<mark id="{piece.finding.id}" class="{classes}" data-tag="{piece.tag}" title="{about}" tabindex="0">{shown}</mark>'
            )
        else:
            out.append(f'<b class="h">{shown}</b>' if piece.heading else shown)
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
