"""Reads the plain-text files: the order file, the list of codes with titles, and the order file's addenda.

Order file (CMS, fixed width, counted from 1): order number 1-5, code 7-13, billable 15, short title 17-76,
long title from 78. Code list: code, blanks, title. Addenda: action 1-13, billable 14, code 16-22, short title
24-83, long title from 85, and a summary at the end."""

from __future__ import annotations

import re
from dataclasses import dataclass

from code_maps.icd10cm.notes import dotted
from code_maps.icd10cm.problems import ImportProblem
from code_maps.icd10cm.tables import Changes, Tables, is_block, is_chapter

ORDER_LINE = re.compile(r"(?P<number>\d{5}) (?P<code>[A-Z][0-9A-Z]{2,6}) +(?P<billable>[01]) ")
CODE_LINE = re.compile(r"(?P<code>[A-Z][0-9A-Z]{2,6})\s+(?P<title>\S.*)")
ADDENDA_LINE = re.compile(
    r"(?P<action>Add|Delete|Revise from|Revise to): +(?P<billable>[01]) (?P<code>[A-Z][0-9A-Z]{2,6}) "
)
_SUMMARY = re.compile(r"\s*(?P<count>\d+) codes in icd10cm_order_(?P<year>20\d\d)\w*\.txt", re.IGNORECASE)


def read_order(text: str, where: str, base: Tables | None) -> Tables:
    """A release from an order file. Chapters and blocks come from `base`: order files have none."""
    rows: list[tuple[str, str]] = []
    billable: dict[str, bool] = {}
    for number, line in _lines(text):
        match = ORDER_LINE.match(line)
        if match is None or not line[77:].strip():
            raise ImportProblem(
                f"line {number} isn't a line of an order file",
                where,
                "A line has order number, code, 0 or 1, a short title and from column 78 the long one.",
            )
        if int(match["number"]) != len(rows) + 1:
            raise ImportProblem(
                f"line {number} has order number {match['number']} where {len(rows) + 1:05} follows",
                where,
                "Lines are missing or doubled: download the file again and import it unchanged.",
            )
        code = dotted(match["code"])
        rows.append((code, line[77:].strip()))
        billable[code] = match["billable"] == "1"
    tables = _from_rows(rows, base)
    for code, flag in billable.items():
        if flag == (code in tables.below):
            kind = "billable, but other codes are below it" if flag else "a heading, but nothing is below it"
            raise ImportProblem(
                f"{code} is marked as {kind}",
                where,
                "Lines are missing: download the file again and import it unchanged.",
            )
    return tables


def read_code_list(text: str, where: str, base: Tables | None) -> Tables:
    """A release from a list of billable codes; headings, which the list lacks, are taken from `base`."""
    listed: dict[str, str] = {}
    for number, line in _lines(text):
        match = CODE_LINE.fullmatch(line.rstrip())
        if match is None:
            raise ImportProblem(
                f"line {number} isn't a code and its title",
                where,
                "A line has a code without dot, blanks and the title.",
            )
        listed[dotted(match["code"])] = " ".join(match["title"].split())
    rows: dict[str, str] = {}
    known = base.titles if base is not None else {}
    for code, title in listed.items():
        for length in (3, *range(5, len(code))):
            heading = code[:length]
            if length < len(code) and heading not in rows and (length == 3 or heading in known):
                rows[heading] = known.get(heading, f"{heading} (heading; the list gives no title)")
        rows[code] = title
    return _from_rows(list(rows.items()), base)


@dataclass(frozen=True)
class Addenda:
    """An addenda file: the changes, and (fiscal year, billable codes) before and after as its summary states
    them."""

    changes: Changes
    before: tuple[int, int] | None
    after: tuple[int, int] | None


def read_addenda(text: str, where: str) -> Addenda:
    """Read the addenda of an order file. Raises ImportProblem for a line of changes that is cut or
    misplaced."""
    rows: dict[str, list[tuple[str, str, bool]]] = {
        "Add": [],
        "Delete": [],
        "Revise from": [],
        "Revise to": [],
    }
    stated: list[tuple[int, int]] = []
    for number, line in _lines(text):
        match = ADDENDA_LINE.match(line)
        if match is not None:
            title = line[84:].strip() or line[23:83].strip()
            rows[match["action"]].append((dotted(match["code"]), title, match["billable"] == "1"))
        elif re.match(r"(Add|Delete|Revise)\b", line):
            raise ImportProblem(
                f"line {number} isn't a line of an addenda file",
                where,
                "A line has Add, Delete or Revise and a colon, 0 or 1, the code, a short and a long title.",
            )
        elif summary := _SUMMARY.match(line):
            stated.append((int(summary["year"]), int(summary["count"])))
    if len(rows["Revise from"]) != len(rows["Revise to"]):
        raise ImportProblem(
            "the numbers of 'Revise from' and 'Revise to' differ",
            where,
            "Download the file again: lines are missing.",
        )
    changes = Changes(tuple(rows["Add"]), tuple(rows["Delete"]), tuple(rows["Revise to"]))
    two = len(stated) == 2
    return Addenda(changes, stated[0] if two else None, stated[1] if two else None)


def _from_rows(rows: list[tuple[str, str]], base: Tables | None) -> Tables:
    """Tables from codes and titles in order: the prefix gives the parent, `base` the chapters and blocks."""
    above: dict[str, str] = {}
    upper: dict[str, str] = {}
    for code, _ in rows:
        if len(code) == 3 and base is not None:
            place = base.above.get(code) or base.place(code)
            if place is not None:
                above[code] = place
                while place is not None:
                    upper[place] = base.titles[place]
                    if place in base.above:
                        above[place] = base.above[place]
                    place = base.above.get(place)
    titles = {}
    if base is not None:
        titles = {
            node: title for node, title in base.titles.items() if node in upper and (is_block(node) or is_chapter(node))
        }
    titles.update(rows)
    return Tables(titles, above)


def _lines(text: str) -> list[tuple[int, str]]:
    """Numbered lines that aren't blank."""
    return [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
