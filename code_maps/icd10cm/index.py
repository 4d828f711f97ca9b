"""Reads the Alphabetic Index, the external-cause index, the neoplasm table and the drug table (official
XML)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from code_maps.icd10cm.problems import ImportProblem

Row = tuple[tuple[str, ...], str | None, str | None, str | None, str, str | None, str | None, tuple[str, ...]]
"""The fields of codeset.IndexEntry, in their order."""

_CODE = re.compile(r"[A-Z][0-9A-Z]{2}(\.[0-9A-Z]*)?-?")


def which_index(root: Element, where: str) -> str:
    """'diseases', 'external causes', 'neoplasms' or 'drugs'. Raises ImportProblem for something else."""
    title = (root.findtext("title") or "").upper()
    first = (root.findtext("indexHeading/head") or "").strip().lower()
    if "EXTERNAL CAUSE" in title:
        return "external causes"
    if "INDEX TO DISEASES" in title:
        return "diseases"
    if first in ("neoplasm", "substance"):
        return "neoplasms" if first == "neoplasm" else "drugs"
    raise ImportProblem(
        "it says neither by its title nor by its columns which index it is",
        where,
        "Import one of the two indexes, the neoplasm table or the drug table unchanged.",
    )


def read_index(root: Element, where: str) -> list[Row]:
    """Every line that gives a code or refers on. Raises ImportProblem when there is none."""
    index = which_index(root, where)
    columns = {head.get("col", ""): _text(head) for head in root.findall("indexHeading/head")}
    rows = [row for term in root.iterfind("letter/mainTerm") for row in _rows(term, (), (), index, columns)]
    if not rows:
        raise ImportProblem("there are no index terms in it", where, "An index has <mainTerm> elements with codes.")
    return rows


def _rows(
    element: Element, path: tuple[str, ...], extra: tuple[str, ...], index: str, columns: dict[str, str]
) -> Iterator[Row]:
    """The lines of a term and of the terms below it."""
    title = element.find("title")
    words, modifiers = _title(title) if title is not None else ("", ())
    path, extra = (*path, words), extra + modifiers
    see = element.findtext("see")
    category = element.findtext("seecat")
    if category:
        see = f"category {category.strip()}"
    see_also = element.findtext("seeAlso")
    codes = [_text(code) for code in element.findall("code")]
    # "subcat" prints as "subcategory T75.0": any code below it, which the other lines write with a dash.
    codes.extend(f"{_text(code)}-" for code in element.findall("subcat"))
    manifestation = element.findtext("manif")
    if manifestation and not _CODE.fullmatch(manifestation.strip()):
        # The neoplasm table of 2026 has words there, once.
        extra, manifestation = (*extra, " ".join(manifestation.split())), None
    cells = [(columns.get(cell.get("col", "")), _text(cell)) for cell in element.findall("cell")]
    lines = [(None, code) for code in codes] + [(column, code) for column, code in cells if _CODE.fullmatch(code)]
    if not lines and (see or see_also):
        lines = [(None, "")]
    for column, code in lines:
        yield path, code or None, _clean(see), _clean(see_also), index, column, _clean(manifestation), extra
    for term in element.findall("term"):
        yield from _rows(term, path, extra, index, columns)


def _title(title: Element) -> tuple[str, tuple[str, ...]]:
    """A title's essential words, and its nonessential modifiers as printed."""
    words = [title.text or ""]
    modifiers = []
    for child in title:
        modifiers.append(" ".join("".join(child.itertext()).split()))
        words.append(child.tail or "")
    return " ".join(" ".join(words).split()), tuple(modifiers)


def _text(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _clean(text: str | None) -> str | None:
    return " ".join(text.split()) if text and text.strip() else None
