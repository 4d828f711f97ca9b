"""A document as blocks, written as PDF, Word or plain text. The same document gives the same bytes on every machine.

Text is only ever text: control characters and characters that turn the direction of writing are shown as �, nothing
becomes a field, a link or a line of its own. The PDF embeds DejaVu Sans (exchange/fonts), so that it looks the same
everywhere; what the font can't draw is shown as � and said at the end.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import textwrap
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from itertools import zip_longest
from typing import Any, Literal

from exchange.documents import undated

Tone = Literal["plain", "strong", "quiet", "warning"]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 stands over a part of the document, 2 over a piece of it."""

    text: str
    level: Literal[1, 2] = 1


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Quote:
    """Words quoted, with the place they come from."""

    text: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list; `mark` stands before each item, such as a bullet or a box to tick."""

    items: tuple[str, ...]
    mark: str = "•"


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines set apart from the rest: the answer, a warning, a text to copy."""

    lines: tuple[str, ...]
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings. `widths` are shares of the line; `strong` is the column whose cells are bold, -1 none."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    strong: int = -1


Block = Heading | Text | Quote | Items | Panel | Table


@dataclass(frozen=True, slots=True)
class Paper:
    """A document: its title, a line about it, its blocks, and what stands at the foot of every page."""

    title: str
    about: str
    blocks: tuple[Block, ...]
    foot: str = ""


_UNSHOWN = "�"
# Joiners shape letters of some scripts and a soft hyphen marks where a word may break; none of them is seen.
_SILENT = {0x200C: None, 0x200D: None, 0x00AD: None}


def clean(text: str) -> str:
    """Text on one line: white space is one space, what could move or hide words is �."""
    line = " ".join(text.translate(_SILENT).split())
    if line.isascii() and line.isprintable():
        return line
    return "".join(_UNSHOWN if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn") else c for c in line)


# --- plain text --------------------------------------------------------------------------------------------------

_COLUMNS = 88


def as_plain(paper: Paper) -> str:
    """The document as plain text, at most 88 columns wide where words allow."""
    lines: list[str] = []

    def put(text: str, first: str = "", rest: str | None = None) -> None:
        wrapped = textwrap.wrap(
            clean(text), _COLUMNS, initial_indent=first, subsequent_indent=" " * len(first) if rest is None else rest,
            break_on_hyphens=False, break_long_words=False,
        )  # fmt: skip
        lines.extend(wrapped or [first.rstrip()])

    if paper.title:
        put(paper.title)
    if paper.about:
        put(paper.about)
    for block in paper.blocks:
        lines.append("")
        if isinstance(block, Heading):
            put(block.text)
            if block.level == 1:
                lines.append("-" * len(lines[-1]))
        elif isinstance(block, Text):
            put(block.text)
        elif isinstance(block, Quote):
            put(f'"{clean(block.text)}"' + (f" ({block.source})" if block.source else ""), "    ")
        elif isinstance(block, Items):
            for item in block.items:
                put(item, f"{'-' if block.mark == '•' else block.mark} ")
        elif isinstance(block, Panel):
            for line in block.lines:
                put(line, "  ")
        else:
            for row in block.rows:
                put("; ".join(f"{h}: {c}" if h else c for h, c in zip(block.headings, row, strict=True) if c), "- ")
    if paper.foot:
        lines.append("")
        put(paper.foot)
    return "\n".join(lines).strip("\n") + "\n"


_UNDER = re.compile(r"-{3,}")
_NUMBERED = re.compile(r"\d+\. ")
_QUOTED = re.compile(r'"(.*)"(?: \((.*)\))?')


def from_plain(text: str, title: str = "", foot: str = "") -> Paper:
    """A document from plain text such as `as_plain` writes, edited or not; what isn't recognized is a paragraph."""
    blocks: list[Block] = []
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").strip("\n")):
        lines = [line.rstrip() for line in block.split("\n") if line.strip()]
        if not lines:
            continue
        whole = " ".join(line.strip() for line in lines)
        if len(lines) == 2 and _UNDER.fullmatch(lines[1]):
            blocks.append(Heading(lines[0]))
        elif _NUMBERED.match(lines[0]):
            blocks.append(Heading(whole, 2))
        elif lines[0].startswith("- "):
            items = re.split(r"\n- ", "\n".join(lines)[2:])
            blocks.append(Items(tuple(" ".join(item.split()) for item in items)))
        elif all(line.startswith("    ") for line in lines) and (quoted := _QUOTED.fullmatch(whole)):
            blocks.append(Quote(quoted[1], quoted[2] or ""))
        elif all(line.startswith("  ") for line in lines):
            blocks.append(Panel(tuple(line.strip() for line in lines)))
        else:
            blocks.append(Text(whole))
    return Paper(title, "", tuple(blocks), foot)


# --- Word --------------------------------------------------------------------------------------------------------

_INK = {"plain": None, "strong": None, "quiet": "5B6472", "warning": "8A3B00"}


def as_docx(paper: Paper) -> bytes:
    """The document as a Word file."""
    from docx import Document
    from docx.shared import Mm, Pt, RGBColor

    document = Document()
    about = document.core_properties
    about.author, about.title, about.comments, about.last_modified_by = "ChartProof", clean(paper.title), "", ""
    about.created = about.modified = _DAY
    section = document.sections[0]
    section.page_width, section.page_height = Mm(215.9), Mm(279.4)
    section.left_margin = section.right_margin = Mm(20)
    section.top_margin = section.bottom_margin = Mm(18)
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = "Calibri", Pt(10.5)
    normal.paragraph_format.space_after = Pt(4)

    def say(text: str, tone: Tone = "plain", style: str | None = None, holder: Any = document) -> Any:  # noqa: ANN401
        paragraph = holder.add_paragraph(style=style)
        run = paragraph.add_run(clean(text))
        run.bold = tone == "strong" or None
        if _INK[tone]:
            run.font.color.rgb = RGBColor.from_string(_INK[tone])
        return paragraph

    if paper.title:
        document.add_heading(clean(paper.title), 0)
    if paper.about:
        say(paper.about, "quiet")
    for block in paper.blocks:
        if isinstance(block, Heading):
            document.add_heading(clean(block.text), block.level)
        elif isinstance(block, Text):
            say(block.text, block.tone)
        elif isinstance(block, Quote):
            quoted = say(f"“{clean(block.text)}”")
            quoted.paragraph_format.left_indent = Mm(8)
            if block.source:
                source = quoted.add_run(f"  {clean(block.source)}")
                source.font.size, source.font.color.rgb = Pt(9), RGBColor.from_string("5B6472")
        elif isinstance(block, Items):
            for item in block.items:
                if block.mark == "•":
                    say(item, style="List Bullet")
                else:
                    say(f"{block.mark} {clean(item)}").paragraph_format.left_indent = Mm(8)
        elif isinstance(block, Panel):
            cell = document.add_table(rows=1, cols=1, style="Table Grid").cell(0, 0)
            _shade(cell, "FFF4E5" if block.tone == "warning" else "F1F4F8")
            for number, line in enumerate(block.lines):
                paragraph = cell.paragraphs[0] if number == 0 else cell.add_paragraph()
                paragraph.add_run(clean(line)).bold = block.tone == "strong" or None
            document.add_paragraph()
        else:
            _docx_table(document, block)
    if paper.foot:
        foot = section.footer.paragraphs[0]
        run = foot.add_run(clean(paper.foot))
        run.font.size, run.font.color.rgb = Pt(8), RGBColor.from_string("5B6472")
    written = io.BytesIO()
    document.save(written)
    return undated(written.getvalue())


def _docx_table(document: Any, block: Table) -> None:  # noqa: ANN401  (a document of python-docx)
    from docx.oxml import OxmlElement
    from docx.shared import Mm, Pt

    table = document.add_table(rows=1, cols=len(block.headings), style="Table Grid")
    table.autofit = False
    widths = [Mm(175.9 * share / sum(block.widths)) for share in block.widths]
    head = table.rows[0]._tr.get_or_add_trPr()
    head.append(OxmlElement("w:tblHeader"))
    for row, texts in enumerate((block.headings, *block.rows)):
        cells = table.rows[0].cells if row == 0 else table.add_row().cells
        for column, (cell, text) in enumerate(zip(cells, texts, strict=True)):
            cell.width = widths[column]
            run = cell.paragraphs[0].add_run(clean(text))
            run.font.size = Pt(9)
            run.bold = row == 0 or column == block.strong or None
            cell.paragraphs[0].paragraph_format.space_after = Pt(1)
            if row == 0:
                _shade(cell, "E6EBF2")
    document.add_paragraph()


def _shade(cell: Any, colour: str) -> None:  # noqa: ANN401  (a cell of python-docx)
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    shade = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", colour)):
        shade.set(qn(f"w:{name}"), value)
    cell._tc.get_or_add_tcPr().append(shade)


# --- PDF ---------------------------------------------------------------------------------------------------------

_DAY = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_MARGIN = 19.0
# Stands for the number of pages until it is known; two characters of private use, which `clean` lets nobody write.
_PAGES = "\ue000\ue001"
_DARK, _GREY, _BROWN, _BLUE = (27, 34, 44), (91, 100, 114), (138, 59, 0), (31, 78, 121)
_COLOUR = {"plain": _DARK, "strong": _DARK, "quiet": _GREY, "warning": _BROWN}
_UNSHOWN_NOTICE = (
    f"{_UNSHOWN} stands for a character that this page can't show, or that would have changed how the text is read. "
    "The note itself is unchanged."
)


def as_pdf(paper: Paper) -> bytes:
    """The document as a PDF of letter size."""
    page = _Pages(paper)
    for block, after in zip_longest(paper.blocks, paper.blocks[1:]):
        if isinstance(block, Heading):
            page.room(48 if isinstance(after, Heading) else 26)  # no heading stands at the foot of a page
        page.draw(block)
    if page.unshown:
        page.gap(3)
        page.lines(_UNSHOWN_NOTICE, 8, _GREY)
    return page.finished()


class _Pages:
    """The PDF as it is drawn, from top to bottom."""

    def __init__(self, paper: Paper) -> None:
        from fpdf import FPDF

        foot = clean(paper.foot)
        pages = self

        class Sheet(FPDF):  # type: ignore[misc]
            def footer(self) -> None:
                self.set_y(-14)
                pages.font(7.5, _GREY)
                self.cell(150, 4, pages.shown(foot))
                self.cell(0, 4, f"{self.page_no()} / {_PAGES}", align="R")

        self.unshown = False
        self.pdf = Sheet(format="letter")
        self.pdf.set_creation_date(_DAY)
        self.pdf.set_title(clean(paper.title))
        self.pdf.set_creator("ChartProof")
        self.pdf.set_lang("en")
        self.pdf.alias_nb_pages(_PAGES)
        self.pdf.set_margins(_MARGIN, _MARGIN, _MARGIN)
        self.pdf.set_auto_page_break(False)
        self.pdf.c_margin = 0
        for style, name in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
            with as_file(files("exchange") / "fonts" / name) as path:
                self.pdf.add_font("DejaVu", style, path)
        self.known = {style: frozenset(self.pdf.fonts[f"dejavu{style}"].cmap) for style in ("", "B")}
        self.pdf.add_page()
        self.width = self.pdf.epw
        self.bottom = self.pdf.h - 20
        if paper.title:
            self.lines(paper.title, 17, _DARK, bold=True)
        if paper.about:
            self.lines(paper.about, 9, _GREY)
        self.gap(2)

    def finished(self) -> bytes:
        return bytes(self.pdf.output())

    def font(self, size: float, colour: tuple[int, int, int], bold: bool = False) -> None:
        self.pdf.set_font("DejaVu", "B" if bold else "", size)
        self.pdf.set_text_color(*colour)

    def shown(self, text: str, bold: bool = False) -> str:
        """Text with � for what the font can't draw."""
        known = self.known["B" if bold else ""]
        out = "".join(c if ord(c) in known else _UNSHOWN for c in text)
        self.unshown = self.unshown or _UNSHOWN in out
        return out

    def gap(self, height: float) -> None:
        self.pdf.set_y(self.pdf.get_y() + height)

    def room(self, height: float) -> None:
        """Go to the next page unless `height` is left on this one, or no page is that high."""
        if self.pdf.get_y() + height > self.bottom:
            self.pdf.add_page()

    def wrapped(self, text: str, width: float, size: float, bold: bool = False) -> list[str]:
        """Text cut into lines as wide as `width`, each in the order in which it is drawn."""
        self.font(size, _DARK, bold)
        text = self.shown(clean(text), bold)
        cut: list[str] = self.pdf.multi_cell(width, 1, text, dry_run=True, output="LINES", align="L") if text else [""]
        return [_turned(line) for line in cut]

    def lines(
        self, text: str, size: float, colour: tuple[int, int, int], *, bold: bool = False, left: float = 0,
        mark: str = "",
    ) -> None:  # fmt: skip
        """A paragraph, `mark` hanging before it."""
        height = size * 0.5
        for number, line in enumerate(self.wrapped(text, self.width - left, size, bold)):
            self.room(height)
            self.font(size, colour, bold)
            if mark and number == 0:
                self.pdf.set_x(_MARGIN + left - 5)
                self.pdf.cell(5, height, mark)
            self.pdf.set_x(_MARGIN + left)
            self.pdf.cell(self.width - left, height, line, new_x="LMARGIN", new_y="NEXT")

    def draw(self, block: Block) -> None:
        """One block below what is there."""
        if isinstance(block, Heading):
            self._heading(block)
        elif isinstance(block, Text):
            self.lines(block.text, 9.5, _COLOUR[block.tone], bold=block.tone == "strong")
            self.gap(1.6)
        elif isinstance(block, Quote):
            self._barred(lambda: self._quote(block))
        elif isinstance(block, Items):
            for item in block.items:
                self.lines(item, 9.5, _DARK, left=6, mark=block.mark)
                self.gap(0.7)
            self.gap(1)
        elif isinstance(block, Panel):
            self._panel(block)
        else:
            self._table(block)

    def _heading(self, block: Heading) -> None:
        self.gap(5 if block.level == 1 else 2)
        if block.level == 1:
            self.lines(block.text, 12, _BLUE, bold=True)
            self.pdf.set_draw_color(190, 200, 212)
            self.pdf.set_line_width(0.25)
            self.pdf.line(_MARGIN, self.pdf.get_y() + 0.6, _MARGIN + self.width, self.pdf.get_y() + 0.6)
            self.gap(2.4)
        else:
            self.lines(block.text, 10, _DARK, bold=True)
            self.gap(0.8)

    def _quote(self, block: Quote) -> None:
        self.lines(f"“{clean(block.text)}”", 9.5, _DARK, left=5)
        if block.source:
            self.lines(block.source, 8, _GREY, left=5)

    def _barred(self, draw: Callable[[], None]) -> None:
        """A bar at the left of what is drawn, on the page on which it ends."""
        self.room(10)
        first, top = self.pdf.page_no(), self.pdf.get_y()
        draw()
        if self.pdf.page_no() != first:
            top = _MARGIN
        self.pdf.set_fill_color(190, 200, 212)
        self.pdf.rect(_MARGIN + 1.5, top, 0.7, self.pdf.get_y() - top, style="F")
        self.gap(2)

    def _panel(self, block: Panel) -> None:
        """Lines on a ground; a panel that is higher than the rest of the page goes on on the next one."""
        size, height, pad = 9.5, 4.9, 2.2
        bold = block.tone == "strong"
        rows = [row for line in block.lines for row in self.wrapped(line, self.width - 8, size, bold)]
        whole = len(rows) * height + 2 * pad
        self.room(whole if whole < self.bottom - _MARGIN else 3 * height)
        self.pdf.set_fill_color(*((255, 244, 229) if block.tone == "warning" else (241, 244, 248)))
        while rows:
            fit = max(1, int((self.bottom - self.pdf.get_y() - 2 * pad) / height))
            part, rows = rows[:fit], rows[fit:]
            top = self.pdf.get_y()
            self.pdf.rect(_MARGIN, top, self.width, len(part) * height + 2 * pad, style="F")
            self.pdf.set_y(top + pad)
            self.font(size, _COLOUR[block.tone], bold)
            for row in part:
                self.pdf.set_x(_MARGIN + 4)
                self.pdf.cell(self.width - 8, height, row, new_x="LMARGIN", new_y="NEXT")
            self.gap(pad)
            if rows:
                self.pdf.add_page()
        self.gap(2.5)

    def _table(self, block: Table) -> None:
        widths = [self.width * share / sum(block.widths) for share in block.widths]
        size, height, inset = 8.5, 4.2, 1.4

        def cut(cells: Sequence[str], bold: bool) -> list[list[str]]:
            return [
                self.wrapped(text, width - 2 * inset, size, bold or column == block.strong)
                for column, (text, width) in enumerate(zip(cells, widths, strict=True))
            ]

        def row_of(cells: list[list[str]], bold: bool) -> None:
            """The cells line by line, so that one that is longer than a page goes on on the next."""
            for number in range(max(map(len, cells))):
                if self.pdf.get_y() + height > self.bottom:
                    self.pdf.add_page()
                    if not bold:
                        head()
                top, left = self.pdf.get_y(), _MARGIN
                if bold:
                    self.pdf.set_fill_color(230, 235, 242)
                    self.pdf.rect(left, top - 0.6, self.width, height + 1.2, style="F")
                for column, cell in enumerate(cells):
                    if number < len(cell):
                        self.font(size, _DARK, bold or column == block.strong)
                        self.pdf.set_xy(left + inset, top)
                        self.pdf.cell(widths[column] - 2 * inset, height, cell[number])
                    left += widths[column]
                self.pdf.set_xy(_MARGIN, top + height)

        def head() -> None:
            row_of(cut(block.headings, bold=True), bold=True)
            self.gap(1.8)

        if not block.rows:
            return
        self.room(20)
        self.gap(0.6)
        head()
        for cells in block.rows:
            lines = cut(cells, bold=False)
            needed = max(map(len, lines)) * height
            if self.pdf.get_y() + needed > self.bottom and needed < self.bottom - _MARGIN - 12:
                self.pdf.add_page()
                head()
            row_of(lines, bold=False)
            self.gap(0.9)
            self.pdf.set_draw_color(214, 220, 228)
            self.pdf.set_line_width(0.15)
            self.pdf.line(_MARGIN, self.pdf.get_y(), _MARGIN + self.width, self.pdf.get_y())
            self.gap(1.1)
        self.gap(2)


def _turned(line: str) -> str:
    """A line in the order in which it is drawn: right-to-left letters reversed. Arabic letters aren't joined."""
    if line.isascii() or not any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in line):
        return line
    from fpdf.bidi import BidiParagraph

    turned: str = BidiParagraph(line).get_reordered_string()
    return turned
