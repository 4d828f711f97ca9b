"""Reads the tabular list, the official XML of any year, into `Tables`."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from code_maps.icd10cm.notes import Kind
from code_maps.icd10cm.problems import ImportProblem
from code_maps.icd10cm.tables import Tables

_KINDS: dict[str, Kind] = {
    "includes": "includes",
    "inclusionTerm": "inclusion_term",
    "excludes1": "excludes1",
    "excludes2": "excludes2",
    "codeFirst": "code_first",
    "useAdditionalCode": "use_additional",
    "codeAlso": "code_also",
    "sevenChrNote": "seventh_character",
    "notes": "notes",
}

_NOT_APPLICABLE = re.compile(
    r"7th characters (?P<characters>.+?) do not apply to codes in category \w{3} "
    r"with 6th character (?P<sixth>.+)"
)


def parse_xml(data: bytes, where: str) -> Element:
    """The root element of an XML file. Raises ImportProblem, with line and column, when it isn't sound
    XML."""
    try:
        root: Element = ElementTree.parse(BytesIO(data)).getroot()
    except ParseError as error:
        line, column = error.position
        raise ImportProblem(
            f"the XML breaks off or is malformed at line {line}, column {column}",
            where,
            "Download the file again from CDC or CMS and import it unchanged.",
        ) from None
    except DefusedXmlException:
        raise ImportProblem(
            "the XML declares entities or refers to files outside, which official files don't do",
            where,
            "Import the file as CDC or CMS publishes it.",
        ) from None
    return root


def version(root: Element, where: str) -> int:
    """The fiscal year in the file's `version` element. Raises ImportProblem when it isn't a year."""
    text = (root.findtext("version") or "").strip()
    if not (text.isdigit() and 2010 <= int(text) <= 2100):
        raise ImportProblem(
            "the file has no fiscal year in its <version> element",
            where,
            "Name the release, such as FY2026-04.",
        )
    return int(text)


def read_tabular(root: Element, where: str) -> Tables:
    """Compile the tabular. Raises ImportProblem when the file lacks what a tabular has."""
    if root.tag != "ICD10CM.tabular":
        raise ImportProblem(
            f"the outermost element is <{root.tag}>", where, "A tabular list opens with <ICD10CM.tabular>."
        )
    reader = _Reader(where)
    for chapter in root.iter("chapter"):
        reader.chapter(chapter)
    if not reader.titles:
        raise ImportProblem("there are no chapters in it", where, "A tabular list has <chapter> elements with codes.")
    reader.take_out_seventh_characters()
    notes = reader.notes
    return Tables(reader.titles, reader.above, reader.sevenths, lambda: notes)


class _Reader:
    """Gathers the parts of `Tables` in document order."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.titles: dict[str, str] = {}
        self.above: dict[str, str] = {}
        self.sevenths: dict[str, dict[str, str]] = {}
        self.notes: dict[str, list[tuple[str, str]]] = {}

    def chapter(self, element: Element) -> None:
        number = self._add(element, _text(element.find("name")))
        sections = [(_block(section), section) for section in element.findall("section")]
        # The file lists sections flat. One without codes of its own ("C00-C96", "V00-X58") is the heading of
        # those whose range it holds; sections with codes never contain others, although C7A sorts between C76
        # and C80.
        headings = [block for block, section in sections if section.find("diag") is None]
        for block, section in sections:
            self._add(section, block)
            self.above[block] = _narrowest(block, headings) or number
            for category in section.findall("diag"):
                self.above[self._code(category)] = block

    def _code(self, element: Element) -> str:
        code = self._add(element, _text(element.find("name")))
        definition = element.find("sevenChrDef")
        if definition is not None:
            self.sevenths[code] = {
                extension.get("char", ""): _text(extension) for extension in definition.findall("extension")
            }
        for child in element.findall("diag"):
            self._code(child)
        return code

    def take_out_seventh_characters(self) -> None:
        """Heed the notes that take seventh characters from some codes: those of S06 that mean death (S06.1X7)
        have an initial encounter only. 76 codes would be too many without this."""
        for code, notes in self.notes.items():
            for _, text in notes:
                found = _NOT_APPLICABLE.search(text)
                if found is None:
                    continue
                characters = re.findall(r"\b[A-Z0-9]\b", found["characters"])
                sixth = set(re.findall(r"(?<![\w])[0-9A-Z](?= - )", found["sixth"]))
                for below in [c for c in self.titles if c.startswith(code) and len(c) == 7 and c[6] in sixth]:
                    definition = self.sevenths.get(code, {})
                    self.sevenths[below] = {c: m for c, m in definition.items() if c not in characters}

    def _add(self, element: Element, code: str) -> str:
        """Take in an element's title and notes under its code; returns the code."""
        title = _text(element.find("desc"))
        if not code or not title:
            raise ImportProblem(
                f"a <{element.tag}> has no name or no description (after {next(reversed(self.titles), 'the start')})",
                self.where,
                "Import the file as CDC or CMS publishes it.",
            )
        # Chapters and blocks repeat their range at the end of the title.
        self.titles[code] = title if element.tag == "diag" else title.rsplit(" (", 1)[0]
        notes: list[tuple[str, str]] = []
        for part in element:
            kind = _KINDS.get(part.tag)
            if kind is not None:
                notes.extend((kind, _text(note)) for note in part.findall("note"))
            elif part.tag == "sevenChrDef":
                notes.extend(("seventh_character", _text(note)) for note in part.findall("note"))
        notes = [(kind, text) for kind, text in notes if text]
        if notes:
            self.notes[code] = notes
        return code


def _text(element: Element | None) -> str:
    """An element's text with single spaces: the files break lines and indent inside notes."""
    return " ".join("".join(element.itertext()).split()) if element is not None else ""


def _block(section: Element) -> str:
    """A block's id. The files call a block of one category by the category (C50); here it is C50-C50, or else
    the block and the category would be one node."""
    name: Any = section.get("id", "").strip()
    return name if "-" in name or not name else f"{name}-{name}"


def _narrowest(block: str, headings: list[str]) -> str | None:
    """The smallest of the headings that holds the block, if any."""
    low, high = block.split("-")
    holders = []
    for heading in headings:
        first, last = heading.split("-")
        if heading != block and first <= low and high <= last:
            holders.append((first, [-ord(c) for c in last], heading))
    return max(holders)[2] if holders else None
