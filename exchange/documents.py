"""Queries to providers as documents: DOCX and plain text.

Both hold exactly what the linter has read. Text of notes is only ever text: control characters, characters that turn
the direction of writing, and whatever XML doesn't allow are taken out, nothing in it becomes a field, a link or a
line of its own. The same queries give the same bytes.
"""

from __future__ import annotations

import io
import unicodedata
import zipfile
from collections.abc import Sequence

from models.query import ProviderQueries, Query

_MOST = 2_000  # characters of one paragraph; a query's own limits are far below
_EPOCH = (1980, 1, 1, 0, 0, 0)
_EMPTY = "No queries.\n"


def plain(text: str) -> str:
    """A piece of text as one harmless line: no control, format, private or unpaired surrogate characters."""
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") else c for c in text)
    line = " ".join(kept.split())
    return line if len(line) <= _MOST else line[: _MOST - 1] + "…"


def as_text(groups: Sequence[ProviderQueries]) -> str:
    """The queries as plain text, one provider after the other."""
    blocks: list[str] = []
    for group in groups:
        for number, query in enumerate(group.queries, 1):
            head = f"To: {plain(group.provider)} ({number} of {len(group.queries)})"
            blocks.append("\n".join((head, *_lines(query))))
    return "\n\n".join(blocks) + "\n" if blocks else _EMPTY


def as_docx(groups: Sequence[ProviderQueries]) -> bytes:
    """The queries as a Word document, each provider on a page of his own."""
    from docx import Document

    document = Document()
    document.core_properties.author = "ChartProof"
    document.core_properties.title = "Documentation queries"
    document.core_properties.comments = ""
    asked = [group for group in groups if group.queries]
    if not asked:
        document.add_paragraph(_EMPTY.strip())
    for number, group in enumerate(asked):
        if number:
            document.add_page_break()
        document.add_heading(f"To: {plain(group.provider)}", level=1)
        for query in group.queries:
            _add(document, query)
    written = io.BytesIO()
    document.save(written)
    return undated(written.getvalue())


def _lines(query: Query) -> list[str]:
    lines = [plain(query.title), "Clinical indicators"]
    lines += [f'- {plain(q.source)} {q.on:%m/%d/%Y}: "{plain(q.quote)}"' for q in query.indicators]
    lines.append(f"Question: {plain(query.question)}")
    lines += [f"[ ] {plain(option)}" for option in query.options]
    return lines


def _add(document, query: Query) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    document.add_heading(plain(query.title), level=2)
    document.add_paragraph().add_run("Clinical indicators").bold = True
    for quoted in query.indicators:
        line = f'{plain(quoted.source)} {quoted.on:%m/%d/%Y}: "{plain(quoted.quote)}"'
        document.add_paragraph(line, style="List Bullet")
    asked = document.add_paragraph()
    asked.add_run("Question: ").bold = True
    asked.add_run(plain(query.question))
    for option in query.options:
        document.add_paragraph(f"☐ {plain(option)}")
    if not query.options:
        document.add_paragraph("Answer: ______________________________")


def undated(data: bytes) -> bytes:
    """The same archive with one fixed time on all its parts."""
    fixed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist(), key=lambda n: (n != "[Content_Types].xml", n)):
            new.writestr(zipfile.ZipInfo(name, _EPOCH), old.read(name), zipfile.ZIP_DEFLATED)
    return fixed.getvalue()
