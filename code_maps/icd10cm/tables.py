"""A release's codes, titles and notes, as the compiled files hold them, and how one year's changes apply to
them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from code_maps.icd10cm.notes import dotted

NotesByCode = dict[str, list[tuple[str, str]]]
"""Code, block or chapter -> its own notes in their order: (kind, text)."""


@dataclass
class Tables:
    """What the tabular list says, without seventh-character codes, which are made from `sevenths`.

    titles    every chapter ('9'), block ('I30-I5A', also 'B20-B20'), category and code, in tabular order
    above     block or category -> the block or chapter above; below a category the prefix says the parent
    sevenths  code -> its definition of seventh characters; holds for the leaves below, the nearest one wins
    notes_of  gives the notes; called at most once, when the first note is asked for
    """

    titles: dict[str, str]
    above: dict[str, str]
    sevenths: dict[str, dict[str, str]] = field(default_factory=dict)
    notes_of: Callable[[], NotesByCode] = dict

    @cached_property
    def notes(self) -> NotesByCode:
        """Own notes of every node that has any."""
        return self.notes_of()

    @cached_property
    def below(self) -> dict[str, tuple[str, ...]]:
        """Node -> its children in tabular order, without seventh-character codes."""
        found: dict[str, list[str]] = {}
        for code in self.titles:
            # Nearly every parent is one character shorter; the quick look halves the time for 47,000 codes.
            parent = shorter if len(shorter := code[:-1]) > 3 and shorter in self.titles else self.parent(code)
            if parent is not None:
                found.setdefault(parent, []).append(code)
        return {code: tuple(children) for code, children in found.items()}

    def parent(self, code: str) -> str | None:
        """The node above a node or seventh-character code; None above a chapter or for an orphan."""
        if code in self.above:
            return self.above[code]
        if is_block(code):
            return None
        shorter = code[:-1]
        # Placeholders that only fill up to the seventh place (T14.8XXA) are no nodes and are passed over.
        while len(shorter) >= 3:
            if shorter in self.titles:
                return shorter
            shorter = shorter[:-1]
        return None

    def place(self, category: str) -> str | None:
        """The narrowest block, else the chapter, whose range of categories holds this category."""
        blocks = [(block, *block.split("-")) for block in self.titles if is_block(block)]
        inside = [(low, high, block) for block, low, high in blocks if low <= category <= high]
        if inside:
            return max(inside, key=lambda item: (item[0], [-ord(c) for c in item[1]]))[2]
        ranges: dict[str, list[str]] = {}
        for block, low, high in blocks:
            chapter = block
            while chapter in self.above:
                chapter = self.above[chapter]
            ranges.setdefault(chapter, []).extend((low, high))
        for chapter, ends in ranges.items():
            if min(ends) <= category <= max(ends):
                return chapter
        return None

    def blobs(self) -> dict[str, Any]:
        """For `cache.write`. Codes and titles are joined by line ends: splitting is quicker than a list in
        JSON."""
        return {
            "codes": {
                "codes": "\n".join(self.titles),
                "titles": "\n".join(self.titles.values()),
                "above": self.above,
                "sevenths": self.sevenths,
            },
            "notes": self.notes,
        }

    @classmethod
    def from_blobs(cls, take: Callable[[str], Any]) -> Tables:
        """From `Compiled.take`; the notes are taken later, when needed."""
        core = take("codes")
        titles = dict(zip(core["codes"].split("\n"), core["titles"].split("\n"), strict=True))
        return cls(titles, core["above"], core["sevenths"], lambda: take("notes"))


def is_block(code: str) -> bool:
    """True for a block's id, `I30-I5A`."""
    return "-" in code


def is_chapter(code: str) -> bool:
    """True for a chapter's number, `9`."""
    return code.isdigit()


@dataclass(frozen=True)
class Changes:
    """One update: what is added, deleted and revised, as (code, title, billable) with dotted codes."""

    added: tuple[tuple[str, str, bool], ...]
    deleted: tuple[tuple[str, str, bool], ...]
    revised: tuple[tuple[str, str, bool], ...]


def padded(stem: str, character: str) -> str:
    """A stem with its seventh character, filled with X: `T14.8`, `A` -> `T14.8XXA`."""
    return dotted(stem.replace(".", "").ljust(6, "X") + character)


def seventh_definition(tables: Tables, stem: str) -> dict[str, str]:
    """Seventh character -> meaning for this code: the nearest definition upwards, or nothing."""
    node: str | None = stem
    while node is not None and not is_block(node):
        if node in tables.sevenths:
            return tables.sevenths[node]
        node = tables.parent(node)
    return {}


def apply(changes: Changes, base: Tables) -> Tables:
    """The tables after an update. Titles of seventh-character codes follow from their stems'.

    The order files list a code that becomes a heading as deleted and added again.
    """
    titles, above, sevenths = dict(base.titles), dict(base.above), dict(base.sevenths)
    after = Tables(titles, above, sevenths, lambda: base.notes)
    added = {code: title for code, title, _ in changes.added}
    gone = sorted({code for code, _, _ in changes.deleted} - set(added))
    for code in gone:
        if code in base.titles:
            for part in (titles, above, sevenths):
                part.pop(code, None)
    for code in gone:
        stem = after.parent(code)
        if code not in base.titles and stem == base.parent(code) and stem is not None:
            # A seventh-character code that goes alone: its stem stays, without that character.
            left = {c: m for c, m in seventh_definition(after, stem).items() if padded(stem, c) != code}
            sevenths[stem] = left
    new: list[str] = []
    for code, title in sorted(added.items()):
        if code in titles:
            titles[code] = title
            continue
        stem = after.parent(code)
        definition = seventh_definition(after, stem) if stem is not None else {}
        if stem is not None and definition and padded(stem, code[-1]) == code:
            # A seventh-character code follows from its stem's definition, which may need another character.
            if code[-1] not in definition:
                sevenths[stem] = {**definition, code[-1]: title.removeprefix(f"{titles[stem]}, ")}
            continue
        place = after.place(code) if len(code) == 3 else None
        if place is not None:
            above[code] = place
        titles[code] = title
        new.append(code)
    for code, title, _ in changes.revised:
        if code in titles:
            titles[code] = title
    after.titles = _in_order(titles, new, after)
    return after


def _in_order(titles: dict[str, str], new: list[str], tables: Tables) -> dict[str, str]:
    """The titles with the new codes (sorted, at the end) moved to where the tabular would print them."""
    # Chapters and blocks stand alone, a category with everything below it.
    groups: dict[str, list[str]] = {}
    for code in list(titles)[: len(titles) - len(new)]:
        groups.setdefault(code if is_block(code) or is_chapter(code) else code[:3], []).append(code)
    order = list(groups)
    for code in new:
        if len(code) == 3:
            following = min((key for key in order if len(key) == 3 and key > code), default=None)
            at = len(order) if following is None else order.index(following)
            while at and len(order[at - 1]) != 3:
                at -= 1
            order.insert(at, code)
            groups[code] = [code]
            continue
        members, parent = groups[code[:3]], tables.parent(code) or code[:3]
        at = members.index(parent) + 1
        while at < len(members) and members[at].startswith(parent) and members[at] < code:
            at += 1
        members.insert(at, code)
    return {code: titles[code] for key in order for code in groups[key]}
