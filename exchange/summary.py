"""A report as a document to hand over: the answer first, then codes with their evidence, the claim, gaps with queries.

PDF and Word for people, CSV of codes and of gaps for a spreadsheet. The same report gives the same bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from exchange import paper, rendered
from exchange.paper import Block, Heading, Items, Panel, Paper, Table, Text
from exchange.records import harmless
from models.claim import Verdict
from models.gap import Elements, Gap
from models.report import Report

_MOST_ROWS = 40
_ELEMENTS = ("symptoms", "history", "exam", "results", "rationale")
_FOOT = "ChartProof. Proposals for a qualified person to decide; codes rest on the words quoted and on nothing else."


def as_pdf(report: Report) -> bytes:
    """The report as a PDF."""
    return paper.as_pdf(as_paper(report))


def as_docx(report: Report) -> bytes:
    """The report as a Word document."""
    return paper.as_docx(as_paper(report))


def as_paper(report: Report) -> Paper:
    """The report as a document, whatever it is written as."""
    note = report.note
    on = f"date of service {note.date_of_service}" if note.date_of_service else "no date of service"
    blocks: list[Block] = [
        Panel(
            tuple(f"{rendered.STATE_SIGN[state]}  {_sentence(said)}" for state, said in rendered.answer_parts(report))
        )
    ]
    blocks += [Text(notice, "warning") for notice in note.notices]
    blocks += _codes(report)
    blocks += _claim(report)
    blocks += _gaps(report)
    blocks += _level(report)
    blocks += _elements(report)
    blocks += _not_coded(report)
    about = f"{note.setting.capitalize()} note, {on}, ICD-10-CM {note.release}, {note.length:,} characters"
    return Paper("Documentation review", about, tuple(blocks), _FOOT)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _quoted(text: str, section: str) -> str:
    return f"“{rendered.words(text, 160)}”" + (f" ({section.replace('_', ' ')})" if section else "")


def _codes(report: Report) -> list[Block]:
    blocks: list[Block] = [Heading("Codes that the note supports")]
    if not report.proposals:
        return [*blocks, Text("None.")]
    rows = []
    for p in report.proposals:
        said = "; ".join(_quoted(e.text, e.section) for e in p.evidence[:2])
        open_axes = [f"not documented: {', '.join(a.axis for a in p.open_axes)}"] if p.open_axes else []
        first = ["first-listed"] if p.first_listed else []
        about = "; ".join([p.description, *first, *open_axes])
        rows.append((str(p.rank), p.code, about, said, f"{p.band} {p.confidence:.2f}"))
    headings = ("", "Code", "Description", "Words of the note", "Confidence")
    return [*blocks, Table(headings, tuple(rows), (4, 12, 33, 37, 14), strong=1)]


def _claim(report: Report) -> list[Block]:
    check = report.claim
    if check is None:
        return []
    blocks: list[Block] = [Heading("Claim")]
    if check.assumed_diagnoses:
        blocks.append(Text("The claim names no diagnoses: the proposed codes stand in for them.", "warning"))
    rows = []
    for v in check.lines:
        state, said = rendered.verdict_words(v.verdict)
        verdict = f"{rendered.STATE_SIGN[state]} {said}"
        rows.append((str(v.line), v.code, ", ".join(v.diagnoses), verdict, " ".join(_about(v))))
    if rows:
        headings = ("Line", "Service", "Diagnoses", "Verdict", "Why")
        blocks.append(Table(headings, tuple(rows), (6, 11, 13, 20, 50), strong=1))
    if check.edits:
        edits = tuple((e.severity, rendered.edit_why(e), e.edit) for e in check.edits)
        blocks += [Heading("Claim edits", 2), Table(("", "What", "Edit"), edits, (10, 66, 24))]
    for title, codes in (("Billed, not in the note", check.undocumented), ("In the note, not billed", check.unbilled)):
        if codes:
            blocks.append(Text(f"{title}: {', '.join(codes)}."))
    blocks += [Text(notice, "quiet") for notice in check.notices]
    risks = tuple((r.level, r.cause, r.why) for r in report.denial_risks)
    if risks:
        blocks += [Heading("Risk of denial", 2), Table(("Level", "Cause", "Why"), risks, (10, 24, 66))]
    return blocks


def _about(verdict: Verdict) -> Iterable[str]:
    """What a verdict says beside its name, each a sentence."""
    if verdict.why:
        yield verdict.why.rstrip(".") + "."
    if verdict.supported_but_not_pointed:
        yield f"Supported but not pointed to: {', '.join(verdict.supported_but_not_pointed)}."
    if verdict.missing:
        yield f"Missing: {'; '.join(verdict.missing)}."
    if verdict.policy:
        policy = verdict.policy
        version = f" version {policy.version}" if policy.version is not None else ""
        yield f"{policy.kind} {policy.id}{version}: {policy.title.rstrip('.')}."
    if verdict.carc:
        yield f"CARC {verdict.carc}" + (f", RARC {verdict.rarc}." if verdict.rarc else ".")


def _gaps(report: Report) -> list[Block]:
    blocks: list[Block] = [Heading("Gaps and queries")]
    if not report.gaps:
        return [*blocks, Text("No gaps were found.")]
    for gap in report.gaps:
        blocks.append(Heading(f"{gap.priority}  {_sentence(gap.about)}: {gap.missing.replace('-', ' ')}", 2))
        change = gap.would_change
        would = f" An answer could change {change.from_code} to {_some(change.to)}." if change and change.to else ""
        blocks.append(Text(f"{gap.why.rstrip('.')}.{would}"))
        blocks.append(Panel(tuple(_query(gap, report))))
    return blocks


def _query(gap: Gap, report: Report) -> Iterable[str]:
    for line in rendered.query_text(gap, report.note.date_of_service).split("\n"):
        yield line.replace("[ ]", "☐", 1) if line.startswith("[ ]") else line


def _some(codes: Sequence[str], most: int = 6) -> str:
    return ", ".join(codes[:most]) + (" and others" if len(codes) > most else "")


def _level(report: Report) -> list[Block]:
    em = report.em
    if em is None or not em.supports:
        return []
    said = f"The note supports {' or '.join(em.supports)} (problems {em.problems}, data {em.data}, risk {em.risk})"
    billed = f"; billed {em.billed}" + (f": {em.flag}" if em.flag else "") if em.billed else ""
    tone: paper.Tone = "warning" if em.flag else "plain"
    blocks: list[Block] = [Heading("E/M level"), Text(f"{said}{billed}.", tone)]
    if em.reasons:
        blocks.append(Table(("Element", "Why"), tuple((r.element, r.why) for r in em.reasons), (16, 84)))
    return blocks


def _elements(report: Report) -> list[Block]:
    def marks(elements: Elements) -> tuple[str, ...]:
        return tuple("✓ yes" if getattr(elements, name) else "✗ no" for name in _ELEMENTS)

    rows = [("The note", *marks(report.elements))]
    rows += [(" ".join([rendered.words(p.problem, 60), p.code or ""]).strip(), *marks(p.elements))
             for p in report.problem_elements]  # fmt: skip
    headings = ("Documented", *(name.capitalize() for name in _ELEMENTS))
    return [Heading("Documentation elements"), Table(headings, tuple(rows), (35, 13, 13, 13, 13, 13))]


def _not_coded(report: Report) -> list[Block]:
    words_of = {f.id: f.text for f in report.findings}

    def said(ids: Sequence[str]) -> str:
        found = next((words_of[i] for i in ids if i in words_of), "")
        return f"“{rendered.words(found, 80)}”" if found else ""

    blocks: list[Block] = []
    # What is said of nearly every note (denied, hypothetical) comes last.
    withheld = sorted(report.withheld, key=lambda w: w.rule in rendered.QUIET_RULES)
    held = tuple((w.code, said(w.findings), w.why, w.rule) for w in withheld)
    seen = tuple((c.code, said(c.findings), c.why, "") for c in report.candidates)
    for title, rows in (("Not coded, and why", held), ("Considered, not proposed", seen)):
        if rows:
            headings = ("Code", "Words of the note", "Why", "Rule" if rows is held else "")
            blocks += [Heading(title), Table(headings, rows[:_MOST_ROWS], (11, 27, 38, 24), strong=0)]
        if len(rows) > _MOST_ROWS:
            blocks.append(Items((f"{len(rows) - _MOST_ROWS} more stand in the JSON report.",)))
    return blocks


# --- tables ------------------------------------------------------------------------------------------------------


def codes_csv(report: Report) -> str:
    """Every code as a row of CSV: proposed, candidate or withheld, each with its evidence. No cell is a formula."""
    words_of = {f.id: f for f in report.findings}
    headings = ("status", "rank", "code", "description", "first_listed", "confidence", "evidence", "section", "start",
                "end", "open_axes", "rules", "why")  # fmt: skip
    rows: list[Sequence[object]] = []
    for p in report.proposals:
        place = p.evidence[0] if p.evidence else None
        rows.append((
            "proposed", p.rank, p.code, p.description, "yes" if p.first_listed else "no", f"{p.confidence:.2f}",
            " | ".join(e.text for e in p.evidence), place.section if place else "", place.start if place else "",
            place.end if place else "", " | ".join(a.axis for a in p.open_axes),
            " | ".join(r.id for r in p.rules), "",
        ))  # fmt: skip
    others = [("candidate", c.code, f"{c.confidence:.2f}", c.findings, "", c.why) for c in report.candidates]
    others += [("withheld", w.code, "", w.findings, w.rule, w.why) for w in report.withheld]
    for status, code, confidence, ids, rule, why in others:
        found = next((words_of[i] for i in ids if i in words_of), None)
        about = (found.text, found.section, found.start, found.end) if found else ("", "", "", "")
        rows.append((status, "", code, "", "", confidence, *about, "", rule, why))
    return _csv(headings, rows)


def gaps_csv(report: Report) -> str:
    """Every gap as a row of CSV, with its question. No cell is a formula."""
    headings = ("priority", "kind", "missing", "about", "code", "question", "options", "why", "evidence", "would_change",
                "rule")  # fmt: skip
    rows = (
        (g.priority, g.kind, g.missing, g.about, g.code or "", g.ask, " | ".join(g.options), g.why,
         " | ".join(e.text for e in g.evidence), " | ".join(g.would_change.to) if g.would_change else "", g.rule)
        for g in report.gaps
    )  # fmt: skip
    return _csv(headings, rows)


def _csv(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(headings)
    for row in rows:
        writer.writerow([cell if isinstance(cell, int) else harmless(str(cell)) for cell in row])
    return written.getvalue()
