"""A release's codes, titles and notes, as the compiled files hold them, and how one year's changes apply to them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
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
    above     block -> block or chapter, category -> block or chapter; below a category the prefix says the parent
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
            parent = (
                shorter if len(shorter := code[:-1]) > 3 and shorter in self.titles else self.parent(code)
            )
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
        """For `cache.write`. Codes and titles are joined by line ends: splitting is quicker than a list in JSON."""
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
    """The tables after an update. The order files list a code that becomes a heading as deleted and added again."""
    again = {code for code, _, _ in changes.added}
    titles, above, sevenths = dict(base.titles), dict(base.above), dict(base.sevenths)
    # Two passes over deletions: seventh-character codes vanish with their stem; one that is deleted alone takes its
    # character out of its stem's definition.
    gone = {code for code, _, _ in changes.deleted} - again
    for code in gone:
        if titles.pop(code, None) is None:
            stem = base.parent(code)
            if stem is not None and stem not in gone:
                sevenths[stem] = {
                    c: m for c, m in seventh_definition(base, stem).items() if padded(stem, c) != code
                }
        above.pop(code, None)
        sevenths.pop(code, None) if code not in base.titles else None
    after = Tables(titles, above, sevenths, lambda: base.notes)
    new: list[str] = []
    for code, title, _ in sorted(changes.added):
        if code in titles:
            titles[code] = title
            continue
        stem = after.parent(code)
        character = code[-1]
        # A new seventh-character code of a new stem follows from the definition that the stem inherits.
        if (
            stem is not None
            and character in seventh_definition(after, stem)
            and padded(stem, character) == code
        ):
            continue
        if len(code) == 3:
            place = after.place(code)
            if place is not None:
                above[code] = place
        titles[code] = title
        new.append(code)
    for code, title, _ in changes.revised:
        if code in titles:
            titles[code] = title
    after.titles = _in_order(titles, new, after)
    return after


def _in_order(titles: dict[str, str], new: Iterable[str], tables: Tables) -> dict[str, str]:
    """The titles with the new codes moved from the end to where the tabular would print them."""
    new = list(new)
    order = list(titles)[: len(titles) - len(new)]
    for code in new:
        parent = tables.parent(code)
        at = order.index(parent) + 1 if parent in order else len(order)
        root = parent if parent is not None and not (is_block(parent) or is_chapter(parent)) else None
        if root is None:
            # A category: before the next larger one in the same place, else after the last smaller one.
            heads = sorted(c for c in order if len(c) == 3 and c[0].isalpha())
            following = bisect_left(heads, code)
            at = order.index(heads[following]) if following < len(heads) else len(order)
            while at and (is_block(order[at - 1]) or is_chapter(order[at - 1])):
                at -= 1
        else:
            while at < len(order) and order[at].startswith(root) and order[at] < code:
                at += 1
        order.insert(at, code)
    return {code: titles[code] for code in order}
