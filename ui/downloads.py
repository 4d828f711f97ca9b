"""What leaves the page: the report with the coder's decisions in every format, and saving on this machine when asked."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import html
import io
import json
from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from exchange import summary
from exchange.paper import Heading, Paper, Table, as_docx, as_pdf
from exchange.records import harmless
from exchange.rendered import as_html, as_markdown, query_text
from models.claim import Claim
from models.problem import InputProblem
from models.record import NoteRecord
from models.report import Report
from models.worklist import Saved
from store import Store
from ui import access, decisions
from ui.kept import kept as shared_store
from ui.parts import esc, plain_label

_HEADINGS = ("code", "decision", "replacement", "reason", "who", "at")
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def _cells() -> list[tuple[str, ...]]:
    return [
        (m.code, m.decision, m.replacement or "", m.reason, m.who, m.at)
        for m in sorted(decisions.all_made().values(), key=lambda m: m.code)
    ]


def as_json(report: Report) -> str:
    """The report as the contract has it, with the decisions beside it."""
    whole = {**report.to_dict(), "decisions": decisions.rows(report)}
    return json.dumps(whole, ensure_ascii=False, indent=1)


def markdown(report: Report) -> str:
    """The report as Markdown, then the decisions."""
    rows = _cells()
    if not rows:
        return as_markdown(report)
    lines = ["", "## Decisions", "", f"| {' | '.join(_HEADINGS)} |", "|" + "---|" * len(_HEADINGS)]
    lines += ["| " + " | ".join(html.escape(plain_label(cell), quote=False) for cell in row) + " |" for row in rows]
    return as_markdown(report) + "\n".join([*lines, ""])


def page(report: Report, text: str) -> str:
    """The report as a page of HTML, the decisions before the note."""
    rows = _cells()
    if not rows:
        return as_html(report, text)
    head = "".join(f"<th>{name}</th>" for name in _HEADINGS)
    body = "".join("<tr>" + "".join(f"<td>{esc(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    table = f"<h2>Decisions</h2><table><tr>{head}</tr>{body}</table>"
    before, mark, after = as_html(report, text).partition("<h2>Note</h2>")
    return before + table + mark + after


def paper(report: Report) -> Paper:
    """The report as a document with the decisions at its end."""
    made = summary.as_paper(report)
    rows = tuple(tuple(row[:5]) for row in _cells())
    if not rows:
        return made
    table = Table(_HEADINGS[:5], rows, (1, 1, 1.2, 3.4, 1.4), 0)
    return replace(made, blocks=(*made.blocks, Heading("Decisions"), table))


def codes_csv(report: Report) -> str:
    """Every code as a row of CSV with what was decided about it. No cell is a formula."""
    head, *rows = csv.reader(io.StringIO(summary.codes_csv(report)))
    code = head.index("code")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*head, "decision", "replacement", "reason", "who"])
    for row in rows:
        m = decisions.made(row[code])
        cells = (m.decision, m.replacement or "", m.reason, m.who) if m else ("", "", "", "")
        writer.writerow([*row, *map(harmless, cells)])
    return out.getvalue()


def queries(report: Report) -> str:
    """The queries of all gaps, ready to copy."""
    return "\n\n".join(query_text(gap, report.note.date_of_service) for gap in report.gaps) + "\n"


def report_menu(report: Report, record: NoteRecord) -> None:
    """The report in every format; each is made when it is asked for."""
    offered: list[tuple[str, Callable[[], str | bytes], str, str]] = [
        ("PDF", lambda: as_pdf(paper(report)), "report.pdf", "application/pdf"),
        ("Word", lambda: as_docx(paper(report)), "report.docx", _WORD),
        ("HTML", lambda: page(report, record.text), "report.html", "text/html"),
        ("Markdown", lambda: markdown(report), "report.md", "text/markdown"),
        ("JSON", lambda: as_json(report), "report.json", "application/json"),
        ("Codes as CSV", lambda: codes_csv(report), "codes.csv", "text/csv"),
        ("Gaps as CSV", lambda: summary.gaps_csv(report), "gaps.csv", "text/csv"),
    ]
    if report.gaps:
        offered.append(("Queries as text", lambda: queries(report), "queries.txt", "text/plain"))
    menu = st.popover("Report", icon=":material/download:", key="downloads", on_change="rerun")
    if not menu.open:
        return
    with menu:
        for label, made, name, mime in offered:
            st.download_button(
                label, made, name, mime, on_click="ignore", width="stretch", key=f"get_{name.replace('.', '_')}"
            )


def save_menu(report: Report, record: NoteRecord, claim: Claim | None) -> None:
    """Keep note, report and decisions on this machine, which happens only here and only when it is asked for."""
    state = st.session_state
    menu = st.popover("Save", icon=":material/save:", key="saving", on_change="rerun")
    if not menu.open:
        return
    with menu:
        try:
            kept = shared_store()
        except InputProblem as problem:
            st.error(plain_label(str(problem)), icon=":material/error:")
            return
        st.html(
            "<p class='cp-quiet'>The note is kept with its report and your decisions, until it is purged "
            f"(<code>chartproof store purge</code>), in<br><code>{esc(kept.where)}</code></p>"
        )
        day = record.date_of_service or "undated"  # the same note has the same name on any day
        fallback = f"{day} {hashlib.sha256(record.text.encode('utf-8', 'replace')).hexdigest()[:6]}"
        name = st.text_input("Name of the note", value=state.get("note_name") or fallback, key="save_as", max_chars=200)
        provider = st.text_input("Provider", key="provider", max_chars=200, placeholder="who wrote it; may stay empty")
        if not access.signs_in():
            access.user_menu()

        def save() -> None:
            state["saved"] = _save(kept, report, record, claim, name, provider)
            state["note_name"] = name

        st.button("Save on this machine", type="primary", width="stretch", key="save", on_click=save)
        said = state.pop("saved", None)
        if said:
            (st.error if said.startswith("✗") else st.success)(plain_label(said))


def _save(kept: Store, report: Report, record: NoteRecord, claim: Claim | None, name: str, provider: str) -> str:
    """Save, and say what came of it."""
    now = dt.datetime.now(dt.UTC)
    who = access.current_user()
    whole = record.model_copy(
        update={"id": name.strip() or "note", "claim": claim, "provider": provider.strip() or None}
    )
    try:
        saved = kept.save_note(whole, report.to_dict(), who=who, when=now)
        counted = _save_decisions(kept, saved, who, now)
    except InputProblem as problem:
        return f"✗ {problem}"
    said = {"new": "Saved", "new version": f"Saved as version {saved.version}", "unchanged": "Already saved"}[saved.as_]
    return f"{said}, {counted} decision{'s' * (counted != 1)}, {saved.opened} gap{'s' * (saved.opened != 1)} opened."


def _save_decisions(kept: Store, saved: Saved, who: str, now: dt.datetime) -> int:
    """The decisions that the store doesn't have yet; the last about a code is the one that counts."""
    known = {d.code: (d.decision, d.replacement, d.reason) for d in kept.decisions(saved.note)}
    fresh = [m for m in decisions.all_made().values() if known.get(m.code) != (m.decision, m.replacement, m.reason)]
    for m in fresh:
        kept.decide(
            saved.note, m.code, m.decision, who=m.who or who, when=now, reason=m.reason, replacement=m.replacement
        )
    return len(fresh)
