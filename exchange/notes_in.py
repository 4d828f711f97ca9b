"""Notes in: text, Word and PDF files, and tables and zips of many notes, read in memory only.

A note is protected health information: nothing here writes a temporary file, and no message quotes what a file holds.
What can't be read is an InputProblem that says what would be right; of many notes, a bad one is a record with its
error and the others go on.
"""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from code_maps.archives import Limits, Member, opened_zip
from code_maps.icd10cm.problems import ImportProblem
from exchange.records import FORMATS, BadRecord, records_in
from models.problem import InputProblem

ENDINGS = (".txt", ".docx", ".pdf")
"""How the name of a file with one note ends."""

MANY_ENDINGS = (*FORMATS, ".zip")
"""How the name of a file with many notes ends."""

MAX_CHARACTERS = 1_000_000
MAX_FILE = 20_000_000
MAX_MANY = 200_000_000
MAX_PAGES = 500

# Pictures make a Word file large; its text is one part of it.
_DOCX = Limits(members=2_000, total=200_000_000, ratio=200, ratio_from=1_000_000, depth=1)
_MAX_BODY = 40_000_000
_ZIP = Limits(members=10_000, total=500_000_000, ratio=200, ratio_from=1_000_000, depth=1)

# Letters that PDF files hold as one sign for the look of it; a term is found only when they are spelled out.
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})


@dataclass(frozen=True, slots=True)
class NoteFile:
    """The text of a file, and what a reader should know about how it was read."""

    text: str
    notices: tuple[str, ...] = ()


def read_note(name: str, data: bytes) -> str:
    """The text of a .txt, .docx or .pdf file; `name` is the file's name. Raises InputProblem, as `read_note_file`."""
    return read_note_file(name, data).text


def read_note_file(name: str, data: bytes) -> NoteFile:
    """As `read_note`, with notices: pages of a PDF that hold pictures and no text aren't read.

    Raises InputProblem for what is broken, encrypted, too large, expands beyond reason or holds no text.
    """
    where = PurePath(name).name or "the file"
    read = {".txt": _text, ".docx": _docx, ".pdf": _pdf}.get(PurePath(name).suffix.lower())
    if read is None:
        right = f"use one of {', '.join(ENDINGS)}"
        if PurePath(name).suffix.lower() in (".doc", ".rtf", ".odt"):
            right = "save it as .docx, .pdf or .txt"
        raise InputProblem(f"the ending {PurePath(name).suffix!r} isn't known", where, right)
    if len(data) > MAX_FILE:
        raise InputProblem(f"{len(data):,} bytes", where, f"a file has at most {MAX_FILE:,}; split it")
    found = read(where, data)
    if not found.text.strip():
        raise InputProblem("it holds no text", where, "choose a file that holds a note")
    if len(found.text) > MAX_CHARACTERS:
        raise InputProblem(
            f"{len(found.text):,} characters", where, f"a note has at most {MAX_CHARACTERS:,}; split the file"
        )
    return found


def text_of(data: bytes, where: str) -> str:
    """Bytes as the text of a note, line ends kept. Raises InputProblem where they aren't UTF-8, or are too many."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputProblem(f"byte {error.start + 1} isn't UTF-8", where, "save the note as UTF-8 text") from None
    if len(text) > MAX_CHARACTERS:
        raise InputProblem(f"{len(text):,} characters", where, f"a note has at most {MAX_CHARACTERS:,}; split the file")
    return text


def read_many(name: str, data: bytes) -> Iterator[dict[str, Any]]:
    """The records of a .csv, .jsonl or .parquet file, or the notes of a .zip of text, Word and PDF files, in order.

    A record is what `models.record.NoteRecord` takes; of a zip, its id is the name of the file. One that can't be
    read is {"id", "error"}. Raises InputProblem when the file as a whole can't be used.
    """
    where = PurePath(name).name or "the file"
    ending = PurePath(name).suffix.lower()
    if ending not in MANY_ENDINGS:
        raise InputProblem(f"the ending {ending!r} isn't known", where, f"use one of {', '.join(MANY_ENDINGS)}")
    if len(data) > MAX_MANY:
        raise InputProblem(f"{len(data):,} bytes", where, f"a file has at most {MAX_MANY:,}; split it")
    if ending == ".zip":
        yield from _zip(where, data)
        return
    try:
        yield from records_in(io.BytesIO(data), where)
    except (MemoryError, OverflowError, RecursionError, NotImplementedError) as error:
        # What a table library raises for a file that lies about itself.
        raise InputProblem(f"it can't be read ({type(error).__name__})", where, "export it again") from None


def _zip(where: str, data: bytes) -> Iterator[dict[str, Any]]:
    try:
        with opened_zip(where, data, _ZIP) as members:
            if not members:
                raise InputProblem("it holds no files", where, f"put files in it: {', '.join(ENDINGS)}")
            for member in members:
                try:
                    yield {"id": member.path, "text": read_note(member.path, _bytes(member))}
                except InputProblem as problem:
                    yield BadRecord(id=member.path, error=str(problem))
    except ImportProblem as problem:
        raise InputProblem(problem.what, where, "zip the files again, without a zip inside the zip") from None


def _bytes(member: Member) -> bytes:
    if member.size > MAX_FILE:
        raise InputProblem(f"{member.size:,} bytes", member.path, f"a file has at most {MAX_FILE:,}; split it")
    try:
        return b"".join(member.chunks())
    except ImportProblem as problem:
        raise InputProblem(problem.what, member.path, "zip the file again") from None


# --- text --------------------------------------------------------------------------------------------------------


def _text(where: str, data: bytes) -> NoteFile:
    text = text_of(data, where)
    if "\0" in text:
        raise InputProblem("it isn't text: it holds zero bytes", where, "save the note as UTF-8 text")
    return NoteFile(text)


# --- Word --------------------------------------------------------------------------------------------------------

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
# Deleted text, the copy for programs that can't show the first choice, and what stands outside of the text.
_UNREAD = frozenset(
    {f"{_W}del", f"{_W}moveFrom", f"{_W}rPr", f"{_W}sdtPr", f"{_W}instrText",
     "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}
)  # fmt: skip
_DEEPEST = 200


def _docx(where: str, data: bytes) -> NoteFile:
    """Paragraphs and tables in order, page headers and footers left out.

    Read from the XML itself: python-docx leaves out content controls and insertions that are still tracked, and
    templates of record systems are full of the former.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    if data[:4] == b"\xd0\xcf\x11\xe0":
        raise InputProblem("it is encrypted, or of an old version of Word", where, "save it as .docx without password")
    try:
        with opened_zip(where, data, _DOCX) as members:
            part = next((m for m in members if m.path == "word/document.xml"), None)
            if part is None:
                raise InputProblem("it is no Word document", where, "save it as .docx again")
            if part.size > _MAX_BODY:
                raise InputProblem(
                    f"its text unpacks to {part.size:,} bytes", where, f"at most {_MAX_BODY:,}; split the file"
                )
            root = fromstring(b"".join(part.chunks()), forbid_dtd=True)
    except ImportProblem as problem:
        raise InputProblem(problem.what, where, "save it as .docx again") from None
    except (ParseError, DefusedXmlException, ValueError, LookupError, zipfile.BadZipFile):
        raise InputProblem("its text isn't the XML of a Word document", where, "save it as .docx again") from None
    body = root.find(f"{_W}body")
    if body is None:
        raise InputProblem("it is no Word document", where, "save it as .docx again")
    lines: list[str] = []
    try:
        _blocks(body, lines, 0)
    except RecursionError:
        raise InputProblem("it is nested too deep", where, "save it as plain text") from None
    return NoteFile("\n".join(lines).strip("\n") + "\n")


def _blocks(holder: Element, lines: list[str], depth: int) -> None:
    """The paragraphs and tables below an element, each a line or several."""
    if depth > _DEEPEST:
        raise RecursionError
    for child in holder:
        if child.tag == f"{_W}p":
            lines.extend(_paragraph(child))
        elif child.tag == f"{_W}tbl":
            _table(child, lines, depth + 1)
        elif child.tag not in _UNREAD:
            _blocks(child, lines, depth + 1)


def _table(table: Element, lines: list[str], depth: int) -> None:
    """A row is one line with its cells set apart; a row whose cells hold several lines is read cell by cell."""
    for row in _own(table, f"{_W}tr"):
        cells: list[list[str]] = []
        for cell in _own(row, f"{_W}tc"):
            inside: list[str] = []
            _blocks(cell, inside, depth + 1)
            cells.append([line for line in inside if line.strip()])
        if all(len(cell) <= 1 for cell in cells):
            lines.append("\t".join(cell[0] if cell else "" for cell in cells).rstrip("\t"))
        else:
            lines.extend(line for cell in cells for line in cell)


def _own(holder: Element, tag: str) -> list[Element]:
    """The rows of a table or the cells of a row, also those in content controls; not those of tables inside."""
    found = []
    for child in holder:
        if child.tag == tag:
            found.append(child)
        elif child.tag not in (f"{_W}tbl", f"{_W}tr", f"{_W}tc", f"{_W}p", *_UNREAD):
            found.extend(_own(child, tag))
    return found


def _paragraph(paragraph: Element) -> list[str]:
    """The lines of a paragraph. An item of a list gets a dash: its number or bullet isn't part of the text."""
    pieces: list[str] = []
    boxes: list[str] = []
    _pieces(paragraph, pieces, boxes, 0)
    text = "".join(pieces)
    if text.strip() and _listed(paragraph):
        text = f"- {text}"
    return [*text.split("\n"), *boxes]


def _listed(paragraph: Element) -> bool:
    about = paragraph.find(f"{_W}pPr")
    if about is None:
        return False
    style = about.find(f"{_W}pStyle")
    named = style is not None and style.get(f"{_W}val", "").startswith(("ListBullet", "ListNumber"))
    return named or about.find(f"{_W}numPr") is not None


def _pieces(holder: Element, pieces: list[str], boxes: list[str], depth: int) -> None:
    if depth > _DEEPEST:
        raise RecursionError
    for child in holder:
        if child.tag == f"{_W}t":
            pieces.append(child.text or "")
        elif child.tag in (f"{_W}tab", f"{_W}ptab"):
            pieces.append("\t")
        elif child.tag in (f"{_W}br", f"{_W}cr"):
            pieces.append("\n")
        elif child.tag == f"{_W}noBreakHyphen":
            pieces.append("-")
        elif child.tag == f"{_W}txbxContent":
            _blocks(child, boxes, depth + 1)
        elif child.tag not in _UNREAD and child.tag != f"{_W}pPr":
            _pieces(child, pieces, boxes, depth + 1)


# --- PDF ---------------------------------------------------------------------------------------------------------


def _pdf(where: str, data: bytes) -> NoteFile:
    """The text of every page, pages set apart by an empty line."""
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError

    _hush()
    try:
        reader = PdfReader(io.BytesIO(data))
        number = len(reader.pages)
        if not 0 < number <= MAX_PAGES:
            raise InputProblem(f"{number:,} pages", where, f"a note has 1 to {MAX_PAGES}; split the file")
        pages: list[str] = []
        pictures: list[int] = []
        length = 0
        for count, page in enumerate(reader.pages, 1):
            text = page.extract_text() or ""
            length += len(text)
            if length > MAX_CHARACTERS:
                raise InputProblem(
                    f"more than {MAX_CHARACTERS:,} characters", where, "a note is shorter; split the file"
                )
            pages.append(text.strip("\r\n"))
            if not text.strip() and _has_pictures(page):
                pictures.append(count)
    except InputProblem:
        raise
    except (FileNotDecryptedError, DependencyError):
        raise InputProblem("it is encrypted", where, "save it without a password") from None
    except LimitReachedError:
        raise InputProblem("it expands beyond the limit of a note", where, "save it as plain text") from None
    except Exception as error:
        # A broken file makes pypdf raise nearly anything, and what it says may quote the file.
        raise InputProblem(
            f"it is broken ({type(error).__name__})", where, "save it as PDF again, or as text"
        ) from None
    text = "\n\n".join(page for page in pages if page.strip()).translate(_LIGATURES)
    text = "".join(" " if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)
    if not text.strip():
        what = "it is a scan: it holds pictures and no text" if pictures else "it holds no text"
        raise InputProblem(what, where, "have its text recognised (OCR), or save it as text")
    notices: tuple[str, ...] = ()
    if pictures:
        several = "s" * (len(pictures) > 1)
        notices = (f"{where}: page{several} {', '.join(map(str, pictures))}: a picture without text, not read.",)
    return NoteFile(text + "\n", notices)


def _has_pictures(page: Any) -> bool:  # noqa: ANN401  (a page of pypdf)
    resources = page.get("/Resources")
    objects = resources.get_object().get("/XObject") if resources is not None else None
    return bool(objects is not None and len(objects.get_object()))


def _hush() -> None:
    """Keep pypdf's warnings out of every log: they quote bytes of the file."""
    log = logging.getLogger("pypdf")
    log.propagate = False
    if not log.handlers:
        log.addHandler(logging.NullHandler())
