"""A report for people: plain or coloured text for the terminal, Markdown, and a page of HTML.

Note text is escaped in every format: rich markup, Markdown and HTML show it, none runs it.
"""

from __future__ import annotations

import html
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rich.console import Console
from rich.text import Text

from code_maps.gaps import is_open_answer
from code_maps.icd10cm import load
from models.claim import Edit
from models.comparison import Comparison
from models.finding import Finding
from models.gap import EvaluationManagement, Gap, Supposed
from models.proposal import Evidence
from models.report import ProblemElements, Report
from models.risk import ConditionRisk, Hcc
from models.text import Section
from models.versions import Versions

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


_UNSEEN = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD)


def visible(text: str) -> str:
    """Text without control characters and changes of direction: a note can't move the cursor or turn words round."""
    return text.translate(_UNSEEN)


def words(text: str, most: int = 70) -> str:
    """Note text on one line, shortened at a word."""
    flat = visible(" ".join(text.split()))
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
    if report.em and report.em.supports:
        parts.append(level_part(report.em))
    return parts


def level_part(em: EvaluationManagement) -> tuple[str, str]:
    """How the billed level of a visit compares with the note, and in words."""
    if em.billed in em.supports:
        return "ok", f"{em.billed} supported"
    said = f"{' or '.join(em.supports)} supported"
    if not em.billed:
        return "quiet", said
    return ("risk" if "above" in (em.flag or "") else "warn"), f"{said}, {em.billed} billed"


def edit_why(edit: Edit) -> str:
    """Where a claim edit fired and why, the line named once."""
    place = f"line {edit.line}" if edit.line else (edit.dx or "claim")
    return edit.why if edit.why.lower().startswith(place.lower()) else f"{place}: {edit.why}"


def answer(report: Report) -> str:
    """The review in one line."""
    return " · ".join(said for _, said in answer_parts(report))


def query_text(gap: Gap, on: date | None) -> str:
    """A gap as a query to the provider, ready to copy: the note's own words with place and date, then the question.

    The form is that of the AHIMA/ACDIS practice brief that `pipeline.queries` checks; nothing hints at payment.
    """
    day = f"{on:%m/%d/%Y}" if on else "(date)"
    lines = [f"Clarification: {gap.about}", "Clinical indicators:"]
    for e in gap.evidence[:3]:
        place = _where(e.section).capitalize() if e.section else "Note"
        lines.append(f'- {place} {day}: "{words(e.text, 160)}"')
    return "\n".join([*lines, f"Question: {gap.ask}", *(f"[ ] {option}" for option in gap.options)])


ELEMENTS = ("symptoms", "history", "exam", "results", "rationale")
"""The five documentation elements, in the order in which they are shown."""


def element_words(problem: ProblemElements) -> list[tuple[str, list[str]]]:
    """Each element that is documented for a problem, with the words that show it, quoted."""
    return [(name, [f'"{words(e.text, 40)}"' for e in said[:2]]) for name, said in problem.evidence]


def _element_rows(report: Report) -> Iterable[tuple[str, ...]]:
    for p in report.problem_elements:
        said = {name: "; ".join(quoted) for name, quoted in element_words(p)}
        yield (words(p.problem, 60), p.code or "", *(said.get(name, "no") for name in ELEMENTS))


def supposed_words(one: Supposed) -> str:
    """What one answer would change, in words; "" for an answer that says nothing further."""
    if is_open_answer(one.answer):
        return "" if one.answer else one.why
    told = [f"{was or 'nothing'} -> {will or 'no code'}" for was, will in one.codes]
    told += [f"line {line}: {was} -> {will}" for line, was, will in one.verdicts]
    if one.levels is not None:
        told.append("E/M " + " -> ".join(" or ".join(level) or "no level" for level in one.levels))
    if not told:
        told = ["settles this; codes and verdicts stay" if one.resolved else "codes and verdicts stay"]
    said = f'if "{visible(one.answer)}": {", ".join(told)}'
    return f"{said} ({one.why})" if one.why and (one.codes or not one.words) else said


def would_change_words(gap: Gap) -> str:
    """What the answers to a gap would change, in a line: found by reviewing again, where that was asked for."""
    if gap.supposed is not None:
        return " · ".join(filter(None, map(supposed_words, gap.supposed)))
    if gap.would_change and gap.would_change.to:
        more = " …" if len(gap.would_change.to) > 5 else ""
        return f"would change {gap.would_change.from_code} to {', '.join(gap.would_change.to[:5])}{more}"
    return ""


# --- terminal ----------------------------------------------------------------------------------------------------

# Said of nearly every note; the JSON report has them all.
QUIET_RULES = {"negated-finding", "hypothetical-finding", "more-specific-documented"}
_SEVERITY_STYLE = {"error": "bold red", "warning": "yellow", "info": "dim"}
_MOST_LISTED = 10


def print_text(report: Report, colour: bool) -> None:
    """Print a report to standard output, at most 100 columns wide; colours only if asked for."""
    _print(text_lines(report), colour)


def print_comparison(found: Comparison, colour: bool) -> None:
    """Print how two reviews differ, as `print_text` prints one."""
    _print(comparison_lines(found), colour)


def print_versions(found: Versions, colour: bool) -> None:
    """Print what an addendum or edits changed, as `print_text` prints a report."""
    _print(versions_lines(found), colour)


def _print(lines: Iterable[Text], colour: bool) -> None:
    console = Console(file=sys.stdout, width=WIDTH, no_color=not colour, force_terminal=colour, highlight=False)
    for line in lines:
        console.print(line, no_wrap=True, crop=False, overflow="ignore") if colour else print(line.plain.rstrip())


def as_text(report: Report) -> str:
    """The terminal report as plain text."""
    return "\n".join(line.plain.rstrip() for line in text_lines(report))


class _Page:
    """The terminal report as it is written: no line wider than WIDTH; control characters are shown, not sent."""

    def __init__(self) -> None:
        self.lines: list[Text] = []

    def put(self, *parts: str | tuple[str, str]) -> None:
        """One line of parts, each plain or with a style; cut at WIDTH."""
        shown = [visible(p) if isinstance(p, str) else (visible(p[0]), p[1]) for p in parts]
        line = Text.assemble(*shown)
        line.truncate(WIDTH, overflow="ellipsis")
        self.lines.append(line)

    def head(self, title: str) -> None:
        """A heading with a blank line above."""
        self.put("")
        self.put((title, "bold cyan"))

    def wrap(self, start: str, body: str, style: str = "", start_style: str = "") -> None:
        """A paragraph that hangs under its first word."""
        start, body = visible(start), visible(body)
        for number, piece in enumerate(textwrap.wrap(body, WIDTH - len(start), break_on_hyphens=False) or [""]):
            first = number == 0
            self.put((start if first else " " * len(start), start_style if first else ""), (piece, style))

    def rest(self, number: int, option: str = "--format json") -> None:
        """Says how many more there are, if any, and where."""
        if number > 0:
            self.put((f"    and {number} more ({option})", "dim"))


def text_lines(report: Report) -> list[Text]:
    """The terminal report, line by line."""
    page = _Page()
    note = report.note
    page.put(
        ("ChartProof", "bold"), f"   {note.setting}   {note.date_of_service or 'no date'}   ICD-10-CM {note.release}"
    )
    page.wrap("", answer(report), "bold")
    for notice in note.notices:
        page.wrap("  ! ", notice, "yellow")
    _code_lines(report, page)
    _claim_lines(report, page)
    _gap_lines(report, page)
    em = report.em
    if em:
        page.head("E/M")
        billed = f"; billed {em.billed}" + (f": {em.flag}" if em.flag else "") if em.billed else ""
        level = f"(problems {em.problems}, data {em.data}, risk {em.risk})"
        said = f"note supports {' or '.join(em.supports) or 'no level'} {level}{billed}"
        page.wrap("    ", said, _STATE_STYLE[level_part(em)[0]] if em.flag else "")
    if report.denial_risks:
        page.head("RISK OF DENIAL")
        for risk in report.denial_risks:
            page.wrap(
                f"    {risk.level:8}",
                f"{risk.cause}: {risk.why}",
                start_style="yellow" if risk.level != "low" else "dim",
            )
    _risk_lines(report, page)
    page.put("")
    page.put(("More on any code, rule or policy: chartproof explain ID", "dim"))
    return page.lines


def _risk_lines(report: Report, page: _Page) -> None:
    """The risk-adjustment layer, where it was asked for: what has a category or is chronic, the rest counted."""
    if report.risk is None:
        return
    shown = [c for c in report.risk if c.hcc or c.chronic or c.state == "unknown"]
    page.head("RISK ADJUSTMENT")
    if not shown:
        page.put("    no condition with a category")
    for c in shown:
        state = "ok" if c.supported else "risk"
        page.put(
            f"  {STATE_SIGN[state]} ", (f"{c.code:9}", _STATE_STYLE[state]), words(c.description, 50), ("  " + risk_flags(c), "dim")
        )  # fmt: skip
        for hcc in c.hcc:
            page.wrap(" " * 13, hcc_words(hcc), "dim")
        page.wrap(" " * 13, c.why, "" if c.supported else "yellow")
        for kind in _MEAT:
            said = [
                f'"{words(m.evidence.text, 40)}" {_where(m.evidence.section)}'.rstrip()
                for m in c.meat
                if m.kind == kind
            ]
            if said:
                page.wrap(f"{'':13}{kind:10}", "; ".join(said), "dim")
    if len(shown) < len(report.risk):
        page.put((f"    {len(report.risk) - len(shown)} more in no category (--format json)", "dim"))


_MEAT = ("monitor", "evaluate", "assess", "treat")


def risk_flags(condition: ConditionRisk) -> str:
    """What a condition is beside its category: chronic by our table, unknown to CMS's, named in a list only."""
    flags = [condition.chronic] * bool(condition.chronic) + ["unknown to the table"] * (condition.state == "unknown")
    return ", ".join(flags + ["not proposed"] * (not condition.proposed))


def hcc_words(hcc: Hcc) -> str:
    """A category with its label, CMS's chronic mark and the category that takes its place."""
    model = hcc.model.removeprefix("CMS-HCC Model ")
    marks = ["chronic"] * bool(hcc.chronic) + [f"gives way to {hcc.below}"] * bool(hcc.below)
    return f"{hcc.category} ({model}) {hcc.label}" + (f" [{', '.join(marks)}]" if marks else "")


def comparison_lines(found: Comparison) -> list[Text]:
    """How two reviews of one note differ, line by line."""
    page = _Page()
    for name, side in (("before", found.before), ("after", found.after)):
        about = f"{side.setting}   {side.date_of_service or 'no date'}   ICD-10-CM {side.release}"
        page.put((f"{name:8}", "bold"), about)
        for notice in side.notices:
            page.wrap("  ! ", notice, "yellow")
    page.wrap("", comparison_answer(found), "bold")
    _changed_codes(found, page)
    changed = {c.code for c in (*found.added, *found.gone)} | {c for r in found.replaced for c in (r.before, r.after)}
    decisive = [w for w in found.withheld if w.code in changed or w.rule not in QUIET_RULES]
    if decisive:
        page.head("RULES THAT DECIDE")
        for w in sorted(decisive, key=lambda w: w.code not in changed)[:_MOST_LISTED]:
            page.wrap(f"  {w.side:8}{w.code:9}", f"withheld: {w.why}  {w.rule}", "dim")
        page.rest(len(decisive) - _MOST_LISTED)
    _changed_verdicts(found, page)
    for title, rows in (("CLAIM EDITS", found.edits), ("GAPS", found.gaps)):
        if rows:
            page.head(title)
            for row in rows[:_MOST_LISTED]:
                sign, style = ("-", "red") if row.side == "before" else ("+", "green")
                page.wrap(f"  {sign} ", f"{row.about}: {row.why}  {row.id}", start_style=style)
            page.rest(len(rows) - _MOST_LISTED)
    return page.lines


def versions_answer(found: Versions) -> str:
    """What a later version of a note changed, in one line."""
    parts = [
        f"{len(gaps)} {name}"
        for name, gaps in (("resolved", found.resolved), ("opened", found.opened), ("kept", found.kept))
        if gaps
    ]
    said = f"gaps: {', '.join(parts)}" if parts else "no gaps before or after"
    return f"{said} · {comparison_answer(found.comparison)}" if found.comparison else said


def versions_lines(found: Versions) -> list[Text]:
    """What an addendum or edits of a note changed, line by line."""
    page = _Page()
    page.wrap("", versions_answer(found), "bold")
    for title in found.addenda:
        page.put("  added: ", words(title))
    page.head("GAPS")
    for sign, style, gaps in (("-", "green", found.resolved), ("+", "red", found.opened)):
        for gap in gaps:
            name = "resolved" if sign == "-" else "opened"
            page.wrap(f"  {sign} ", f"{name}: {gap.ask}  {gap.id}", start_style=style)
    for kept in found.kept:
        state = "the same words" if kept.unchanged else "other words now"
        state += "" if kept.shown else ", behind more important ones"
        page.wrap("  = ", f"kept ({state}): {kept.gap.ask}  {kept.gap.id}", "dim")
    for gap in found.settled:
        page.wrap("  = ", f"settled before: {gap.ask}  {gap.id}", "dim")
    if not (found.resolved or found.opened or found.kept or found.settled):
        page.put("    none in either version")
    if found.comparison is not None:
        _changed_codes(found.comparison, page)
        _changed_verdicts(found.comparison, page)
    return page.lines


def comparison_answer(found: Comparison) -> str:
    """The difference in one line."""
    if found.same:
        return "nothing differs"
    parts = [
        f"{len(rows)} {name}"
        for name, rows in (("added", found.added), ("gone", found.gone), ("changed", found.replaced))
        if rows
    ]
    parts = [f"codes: {', '.join(parts)}"] if parts else ["the same codes"]
    parts += [_count(len(found.verdicts), "verdict") + " changed"] * bool(found.verdicts)
    return " · ".join(parts)


def _changed_verdicts(found: Comparison, page: _Page) -> None:
    if found.verdicts:
        page.head("VERDICTS")
        for v in found.verdicts:
            page.put(f" line {v.line:<2} {v.code:7} ", (f"{v.verdict[0]} -> {v.verdict[1]}", "bold"))
            page.wrap(" " * 9, v.why)
    if found.levels is not None:
        page.head("E/M")
        page.put("    ", " -> ".join(" or ".join(level) or "no level" for level in found.levels))


def _changed_codes(found: Comparison, page: _Page) -> None:
    page.head("CODES")
    for sign, style, rows in (("+", "bold green", found.added), ("-", "bold red", found.gone)):
        for one in rows:
            page.put(f"  {sign} ", (f"{one.code:9}", style), words(one.description, 80))
            said = f'"{words(one.evidence[0].text)}": ' if one.evidence else ""
            absent = "before: " if sign == "+" else "after: "
            page.wrap(" " * 13, f"{said}{absent}{one.why}" + (f"  {one.rule}" if one.rule else ""), "dim")
            for rule in one.rules:
                page.wrap(" " * 13, f"{'after' if sign == '+' else 'before'}: {rule.why}  {rule.id}", "dim")
    for pair in found.replaced:
        page.put("  ~ ", (f"{pair.before} -> {pair.after}", "bold yellow"), f"  {words(pair.description, 70)}")
        said = f'"{words(pair.evidence[0].text)}": ' if pair.evidence else ""
        page.wrap(" " * 13, f"{said}{pair.why}", "dim")
    firsts = [m for m in found.moved if m.first_listed[0] != m.first_listed[1]]
    for move in firsts:
        page.put("    ", f"{move.code:9}", "first-listed now" if move.first_listed[1] else "no longer first-listed")
    if found.kept:
        page.wrap("  = ", ", ".join(found.kept), "dim")
    if not (found.added or found.gone or found.replaced or found.kept):
        page.put("    none on either side")


def _code_lines(report: Report, page: _Page) -> None:
    by_id = {f.id: f for f in report.findings}

    def quoted(ids: Sequence[str]) -> str:
        said = next((by_id[i].text for i in ids if i in by_id), "")
        return f'"{words(said, 40)}": ' if said else ""

    page.head("CODES")
    if not report.proposals:
        page.put("    none that the note supports")
    for p in report.proposals:
        first = "first" if p.first_listed else ""
        page.put(
            f"{p.rank:2}  ", (f"{p.code:9}", "bold green"), f"{words(p.description, 62):63}{first:6}",
            (f"{p.band:>6} {p.confidence:.2f}", "dim"),
        )  # fmt: skip
        rules = list(dict.fromkeys(r.id for r in p.rules if r.id != "specificity-descent"))
        about = [f'"{words(p.evidence[0].text)}"  {_where(p.evidence[0].section)}'] if p.evidence else []
        about += [f"rule {', '.join(rules)}"] if rules else []
        about += [f"open: {', '.join(a.axis for a in p.open_axes)}"] if p.open_axes else []
        whole = "   ".join(about)
        for said in [whole] if len(whole) <= WIDTH - 13 else about:
            page.wrap(" " * 13, said, "dim")
    held = [w for w in report.withheld if w.rule not in QUIET_RULES]
    if held:
        page.head("NOT CODED")
        for w in held[:_MOST_LISTED]:
            page.wrap(f"    {w.code:9}", f"{quoted(w.findings)}{w.why}  {w.rule}")
        page.rest(len(held) - _MOST_LISTED)
    if report.candidates:
        page.head("CANDIDATES")
        for c in report.candidates[:_MOST_LISTED]:
            page.wrap(f"    {c.code:9}", f"{quoted(c.findings)}{c.why}", "dim")
        page.rest(len(report.candidates) - _MOST_LISTED)


def _claim_lines(report: Report, page: _Page) -> None:
    check = report.claim
    if check is None:
        return
    page.head("CLAIM")
    if check.assumed_diagnoses:
        page.wrap("    ", "The claim names no diagnoses: the proposed codes stand in for them.", "yellow")
    hang = " " * 9
    told = {""}  # why a line has no policy is the same for each: once is enough
    for v in check.lines:
        state, said = verdict_words(v.verdict)
        page.put(
            f" line {v.line:<2} {v.code:7} ", (f"{v.verdict:22}  {STATE_SIGN[state]} {said}", _STATE_STYLE[state]),
            f"  {', '.join(v.diagnoses)}",
        )  # fmt: skip
        if v.why not in told:
            page.wrap(hang, v.why)
        told.add(v.why)
        if v.supported_but_not_pointed:
            page.wrap(hang, f"supported but not pointed to: {', '.join(v.supported_but_not_pointed)}", "yellow")
        if v.missing:
            page.wrap(hang, f"missing: {'; '.join(v.missing)}", "yellow")
        extra = [f"CARC {v.carc}"] * bool(v.carc) + [f"RARC {v.rarc}"] * bool(v.rarc)
        extra += [f"modifier to consider: {', '.join(v.modifiers_suggested)}"] * bool(v.modifiers_suggested)
        if v.policy:
            version = f" version {v.policy.version}" if v.policy.version is not None else ""
            extra.insert(0, f"{v.policy.kind} {v.policy.id}{version}: {v.policy.title}")
        if extra:
            page.wrap(hang, "; ".join(extra), "dim")
    for e in sorted(check.edits, key=lambda e: list(_SEVERITY_STYLE).index(e.severity)):
        page.wrap(f" {e.severity:8}", f"{edit_why(e)}  {e.edit}", start_style=_SEVERITY_STYLE[e.severity])
    for title, codes in (("billed, not in the note", check.undocumented), ("in the note, not billed", check.unbilled)):
        if codes:
            page.wrap(f" {title}: ", ", ".join(codes))
    for notice in check.notices:
        page.wrap("  ! ", notice, "dim")


def _gap_lines(report: Report, page: _Page) -> None:
    if report.gaps:
        page.head("GAPS")
    for gap in report.gaps:
        page.wrap(f"{gap.priority:2}  ", gap.ask)
        if gap.options:
            page.wrap("    ", " / ".join(gap.options), "dim")
        about = [gap.code] * bool(gap.code) + [gap.missing, gap.rule]
        would = would_change_words(gap)
        if would and gap.supposed is None:
            about.append(would)
        page.wrap("    ", " · ".join(str(a) for a in about), "dim")
        if would and gap.supposed is not None:
            page.wrap("    ", would)
    for gap in report.settled or ():
        page.wrap("  = ", f"settled before: {gap.ask}", "dim")
    page.head("DOCUMENTED")
    page.put("    ", "   ".join(f"{STATE_SIGN['ok' if getattr(report.elements, n) else 'risk']} {n}" for n in ELEMENTS))
    for p in report.problem_elements:
        signs = "  ".join(STATE_SIGN["ok" if getattr(p.elements, n) else "risk"] + f" {n}" for n in ELEMENTS)
        page.put(f"    {p.code or '':9}{words(p.problem, 30):31}", (signs, "dim"))
        said = [f"{name}: {', '.join(quoted)}" for name, quoted in element_words(p)]
        if said:
            page.wrap(" " * 13, "; ".join(said), "dim")


# --- Markdown ----------------------------------------------------------------------------------------------------


def _md(text: str) -> str:
    """Text that Markdown shows as it is."""
    escaped = "".join("\\" + c if c in "\\`*_{}[]()#+-.!|~>$" else c for c in visible(" ".join(text.split())))
    return html.escape(escaped, quote=False)


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    shown = ["| " + " | ".join(_md(cell) for cell in row) + " |" for row in rows]
    if not shown:
        return ["", "none", ""]
    return ["", "| " + " | ".join(headings) + " |", "|" + "---|" * len(headings), *shown, ""]


def as_markdown(report: Report) -> str:
    """The report as Markdown."""
    note = report.note
    on = note.date_of_service or "no date of service"
    out = ["# ChartProof report", "", f"{note.setting}, {on}, ICD-10-CM {note.release}", ""]
    out += [f"**{_md(answer(report))}**", ""] + [f"> {_md(n)}" for n in note.notices]
    out += ["## Codes", *_table(
        ("", "code", "description", "evidence", "confidence", "rules"),
        ((str(p.rank), p.code, p.description, "; ".join(f'"{words(e.text)}"' for e in p.evidence[:2]),
          f"{p.band} {p.confidence:.2f}", ", ".join(r.id for r in p.rules)) for p in report.proposals))]  # fmt: skip
    out += ["## Not coded", *_table(("code", "why", "rule"), ((w.code, w.why, w.rule) for w in report.withheld))]
    out += ["## Candidates", *_table(("code", "why"), ((c.code, c.why) for c in report.candidates))]
    if report.claim:
        verdicts = (
            (
                str(v.line),
                v.code,
                ", ".join(v.diagnoses),
                v.verdict,
                v.why,
                f"{v.policy.kind} {v.policy.id}" if v.policy else "",
                "; ".join(v.missing),
            )
            for v in report.claim.lines
        )
        edits = ((e.severity, e.edit, edit_why(e)) for e in report.claim.edits)
        out += ["## Claim", *_table(("line", "code", "diagnoses", "verdict", "why", "policy", "missing"), verdicts)]
        out += ["### Edits", *_table(("severity", "edit", "why"), edits)]
    out += ["## Gaps", *_table(("", "missing", "question", "code", "rule", "what an answer would change"), (
        (str(g.priority), g.missing, g.ask, g.code or "", g.rule, would_change_words(g)) for g in report.gaps))]  # fmt: skip
    out += ["## Documented", *_table(("problem", "code", *ELEMENTS), _element_rows(report))]
    if report.settled:
        out += ["### Settled before", *_table(
            ("missing", "question", "code"), ((g.missing, g.ask, g.code or "") for g in report.settled))]  # fmt: skip
    if report.em:
        em = report.em
        said = f"Supports {' or '.join(em.supports)}; billed {em.billed or 'nothing'}. {em.flag or ''}"
        out += ["## E/M", "", _md(said), *_table(("element", "why"), ((r.element, r.why) for r in em.reasons))]
    risks = ((r.level, r.cause, r.why) for r in report.denial_risks)
    out += ["## Risk of denial", *_table(("level", "cause", "why"), risks)]
    if report.risk is not None:
        out += ["## Risk adjustment", *_table(_RISK_HEADINGS, risk_rows(report.risk))]
    return "\n".join(out)


_RISK_HEADINGS = (
    "code",
    "description",
    "category",
    "flags",
    "supported",
    "why",
    "monitor",
    "evaluate",
    "assess",
    "treat",
)


def risk_rows(conditions: Iterable[ConditionRisk]) -> Iterable[tuple[str, ...]]:
    """The risk-adjustment layer as rows: what supports each condition, by kind."""
    for c in conditions:
        said = ("; ".join(f'"{words(m.evidence.text)}"' for m in c.meat if m.kind == kind) for kind in _MEAT)
        categories = "; ".join(hcc_words(h) for h in c.hcc)
        yield (c.code, c.description, categories, risk_flags(c), "yes" if c.supported else "no", c.why, *said)


# --- HTML --------------------------------------------------------------------------------------------------------

KINDS = {
    "condition": ("C", "condition"), "symptom": ("S", "symptom"), "history": ("H", "history"),
    "status": ("N", "status, number"),
    "exam": ("E", "exam"), "result": ("R", "result"), "treatment": ("T", "treatment"), "order": ("O", "order"),
    "rationale": ("W", "rationale (why)"),
}  # fmt: skip
"""Kinds of findings: the letter that marks carry, and the name in the legend."""

MARK_CSS = """
.note { white-space: pre-wrap; overflow-wrap: anywhere; font: 14px/1.75 system-ui, sans-serif;
  unicode-bidi: plaintext; }
.note b.h { font-weight: 650; letter-spacing: .01em; }
.note mark { color: inherit; background: none; border-radius: 3px; padding: 1px 1px 0; unicode-bidi: isolate;
  text-decoration: underline; text-decoration-thickness: 1.5px; text-underline-offset: 3px;
  text-decoration-color: color-mix(in srgb, var(--k) 65%, transparent); }
.note mark::after { content: attr(data-tag); font-size: .62em; font-weight: 700; vertical-align: super; line-height: 0;
  display: inline-block; text-decoration: none; margin-left: 1px; color: color-mix(in srgb, var(--k) 70%, currentColor);
  opacity: .85; }
.k-condition { --k: #2f74c8; } .k-symptom { --k: #b8740f; } .k-history, .k-status { --k: #7d63bd; }
.k-exam { --k: #2a8c68; } .k-result { --k: #168a9c; }
.k-treatment, .k-order { --k: #b04a7f; } .k-rationale { --k: #75801f; }
.note mark.a-coded { background: color-mix(in srgb, var(--k) 20%, transparent); font-weight: 600;
  text-decoration-color: var(--k); text-decoration-thickness: 2px; }
.note mark.a-uncertain { text-decoration-style: dashed; }
.note mark.a-historical { text-decoration-style: dotted; text-decoration-thickness: 2px; }
.note mark.a-negated { --k: #868686; text-decoration-line: line-through;
  color: color-mix(in srgb, currentColor 62%, transparent); }
.note mark.a-family, .note mark.a-other { font-style: italic; }
.note mark.a-hypothetical::before { content: "["; opacity: .7; }
.note mark.a-hypothetical::after { content: "] " attr(data-tag); }
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
        parts.append(
            "Decided by "
            + ", ".join(f"“{words(c.text, 30)}” ({c.role.replace('-', ' ')})" for c in said.cues[:2])
            + "."
        )
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


def pieces(
    text: str, findings: Sequence[Finding], coded: frozenset[str], sections: Iterable[Section] = ()
) -> list[Piece]:
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
                f'<mark id="{piece.finding.id}" class="{classes}" data-tag="{piece.tag}" title="{about}" '
                f'tabindex="0">{shown}</mark>'
            )
        else:
            out.append(f'<b class="h">{shown}</b>' if piece.heading else shown)
    return f'<div class="note" dir="auto">{"".join(out)}</div>'


def _quoted(evidence: Evidence) -> str:
    return f"<q>{html.escape(words(evidence.text))}</q> <small>{html.escape(_where(evidence.section))}</small>"


_PAGE_CSS = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top; padding: .3rem .5rem;
  border-bottom: 1px solid #8884; } q { unicode-bidi: isolate; } h2 { margin: 1.6rem 0 .3rem; font-size: 1.15rem; }
.legend mark { color: inherit; background: none; } @media print { body { margin: 0; } }
"""


def as_html(report: Report, text: str) -> str:
    """One self-contained page: the answer, the codes, the claim, the gaps, and the note with its findings marked."""

    def cell(value: object) -> str:
        return f"<td>{html.escape(visible(str(value)))}</td>"

    def table(headings: tuple[str, ...], rows: Iterable[Iterable[object]]) -> str:
        head = "".join(f"<th>{h}</th>" for h in headings)
        body = "".join("<tr>" + "".join(cell(v) for v in row) + "</tr>" for row in rows)
        return f"<table><tr>{head}</tr>{body}</table>" if body else "<p>none</p>"

    note = report.note
    coded = frozenset(i for p in report.proposals for i in p.findings)
    parts = [
        "<!doctype html><html lang=en><head><meta charset=utf-8>",
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>ChartProof report</title><style>{_PAGE_CSS}{MARK_CSS}</style></head><body>",
        f"<h1>ChartProof</h1><p>{note.setting}, {note.date_of_service or 'no date of service'}, "
        f"ICD-10-CM {html.escape(note.release)}</p><p><strong>{html.escape(answer(report))}</strong></p>",
        "".join(f"<p>{html.escape(n)}</p>" for n in note.notices),
        "<h2>Codes</h2>",
        "<table><tr><th></th><th>code</th><th>description</th><th>evidence</th><th>confidence</th><th>rules</th></tr>",
    ]
    for p in report.proposals:
        shown = "<br>".join(_quoted(e) for e in p.evidence[:3])
        rules = ", ".join(r.id for r in p.rules)
        parts.append(
            f"<tr>{cell(p.rank)}{cell(p.code)}{cell(p.description)}<td>{shown}</td>"
            f"{cell(f'{p.band} {p.confidence:.2f}')}{cell(rules)}</tr>"
        )
    parts.append("</table>")
    if report.claim:
        verdicts = (
            (v.line, v.code, ", ".join(v.diagnoses), f"{v.verdict}: {verdict_words(v.verdict)[1]}", v.why,
             f"{v.policy.kind} {v.policy.id}" if v.policy else "", "; ".join(v.missing))
            for v in report.claim.lines
        )  # fmt: skip
        edits = (
            (e.severity, f"line {e.line}" if e.line else e.dx or "claim", e.edit, e.why) for e in report.claim.edits
        )
        headings = ("line", "code", "diagnoses", "verdict", "why", "policy", "missing")
        parts += ["<h2>Claim</h2>", table(headings, verdicts)]
        parts += ["<h3>Edits</h3>", table(("severity", "where", "edit", "why"), edits)]
    gaps = (
        (g.priority, g.missing, g.ask, " / ".join(g.options), g.code or "", g.rule, would_change_words(g))
        for g in report.gaps
    )
    headings = ("", "missing", "question", "options", "code", "rule", "what an answer would change")
    parts += ["<h2>Gaps</h2>", table(headings, gaps)]
    parts += ["<h2>Documented</h2>", table(("problem", "code", *ELEMENTS), _element_rows(report))]
    if report.settled:
        settled = ((g.missing, g.ask, g.code or "") for g in report.settled)
        parts += ["<h3>Settled before</h3>", table(("missing", "question", "code"), settled)]
    em = report.em
    if em:
        level = ((r.element, r.why) for r in em.reasons)
        said = f"The note supports {' or '.join(em.supports)}" + (f"; billed {em.billed}" if em.billed else "")
        parts += [
            "<h2>E/M</h2>",
            f"<p>{html.escape(said)}. {html.escape(em.flag or '')}</p>",
            table(("element", "why"), level),
        ]
    risks = ((r.level, r.cause, r.why) for r in report.denial_risks)
    parts += ["<h2>Risk of denial</h2>", table(("level", "cause", "why"), risks)]
    if report.risk is not None:
        parts += ["<h2>Risk adjustment</h2>", table(_RISK_HEADINGS, risk_rows(report.risk))]
    legend = " ".join(
        f'<mark class="k-{kind}" data-tag="{letter}">{name}</mark>' for kind, (letter, name) in KINDS.items()
    )
    marked = marked_note(text, report.findings, coded, report.sections, results_of(report))
    parts += ["<h2>Note</h2>", f'<p class="note legend">{legend}</p>', marked]
    parts.append("<h2>Not coded</h2>")
    parts.append(table(("code", "why", "rule"), ((w.code, w.why, w.rule) for w in report.withheld)))
    parts += ["<h2>Candidates</h2>", table(("code", "why"), ((c.code, c.why) for c in report.candidates))]
    return "".join([*parts, "</body></html>"])


# --- one code ----------------------------------------------------------------------------------------------------


def code_page(code: str, on: date | None) -> str:
    """One code as the tabular shows it, notes inherited from where they stand. Raises UnknownCode."""
    codes = load(on)
    code = code.strip().upper()
    path = [*reversed(codes.ancestors(code)), code]
    state = "billable" if codes.is_billable(code) else "a heading, not billable"
    lines = [f"{code}  {codes.title(code)}", f"ICD-10-CM {codes.release}   {state}", ""]
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
