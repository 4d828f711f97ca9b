"""One release of ICD-10-CM, to ask about codes: titles, places in the tree, notes, seventh characters."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

from code_maps.icd10cm.notes import Instruction, Kind, parse_codes
from code_maps.icd10cm.problems import UnknownCode
from code_maps.icd10cm.tables import Tables, is_block, is_chapter, padded, seventh_definition

_PARENTHESES = re.compile(r"\([^()]*\)")

NodeKind = Literal["chapter", "block", "category", "code"]


class IndexEntry(NamedTuple):
    """A line of the Alphabetic Index or of one of its tables.

    terms         main term and subterms, without nonessential modifiers: ('Abnormal', 'auditory perception')
    code          as printed, dash included ('H93.29-'), or None where the line only refers on
    see           'see' and 'see also' texts, or None
    table         'diseases', 'external causes', 'neoplasms' or 'drugs'
    column        the table's column ('Malignant Primary', 'Adverse effect'), or None
    nonessential  the words in parentheses, one text for each term of the path that has any:
                  ('(-astasia) (hysterical)',)
    """

    terms: tuple[str, ...]
    code: str | None
    see: str | None
    see_also: str | None
    table: str
    column: str | None = None
    manifestation: str | None = None
    nonessential: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Content:
    """What all views of one release share: its tables and what has been worked out from them so far."""

    release: str
    tables: Tables
    entries: Callable[[], Iterator[IndexEntry]] = lambda: iter(())
    notices: tuple[str, ...] = ()
    chains: dict[tuple[str, Kind | None], tuple[Instruction, ...]] = field(default_factory=dict)
    leaves: dict[str, tuple[str, ...]] = field(default_factory=dict)
    billable: dict[str, bool] = field(default_factory=dict)


class CodeSet:
    """A release, seen from one date of service. Codes have their dot (`I50.22`); unknown codes raise
    UnknownCode.

    Nodes are chapters ('9'), blocks ('I30-I5A'; a block of a single category is 'B20-B20'), categories and
    codes. Seventh-character codes are nodes too, made from their stem: `S82.101A` below `S82.101`, `T14.8XXA`
    below `T14.8`. `code in codeset` and `nodes()` speak of categories and what is below; the other methods
    also take blocks and chapters."""

    def __init__(
        self,
        content: Content,
        effective: tuple[dt.date, dt.date],
        notices: tuple[str, ...] = (),
        covers: bool = True,
    ) -> None:
        self._content = content
        self._tables = content.tables
        self.release = content.release
        self.effective = effective
        self.notices = (*notices, *content.notices)
        self.covers = covers

    # Two dates of service that see the same release see the same codes: what is worked out for one holds for the other.

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CodeSet) and other._content is self._content

    def __hash__(self) -> int:
        return hash(id(self._content))

    def __repr__(self) -> str:
        return f"<CodeSet {self.release} {self.effective[0]}..{self.effective[1]}>"

    # Nodes

    def __contains__(self, code: object) -> bool:
        """True for a category or code of the release, billable or not."""
        if not isinstance(code, str) or is_block(code) or is_chapter(code):
            return False
        return code in self._tables.titles or self._stem(code) is not None

    def kind(self, code: str) -> NodeKind:
        """What a node is: chapter, block, category or code (which includes subcategories)."""
        self._known(code)
        if is_chapter(code):
            return "chapter"
        if is_block(code):
            return "block"
        return "category" if len(code) == 3 else "code"

    def title(self, code: str) -> str:
        """The node's title; a seventh-character code has its stem's, a comma and the character's meaning."""
        title = self._tables.titles.get(code)
        if title is not None:
            return title
        stem = self._known(code)
        return f"{self._tables.titles[stem]}, {seventh_definition(self._tables, stem)[code[-1]]}"

    def inclusion_terms(self, code: str) -> tuple[str, ...]:
        """The node's own inclusion terms (none are inherited)."""
        self._known(code)
        return tuple(text for kind, text in self._tables.notes.get(code, ()) if kind == "inclusion_term")

    def nodes(self) -> Iterator[str]:
        """Every category and code in tabular order, seventh-character codes after their stem."""
        for code in self._tables.titles:
            if not (is_block(code) or is_chapter(code)):
                yield code
                if code not in self._tables.below:
                    yield from self.children(code)

    # Tree

    @cached_property
    def roots(self) -> tuple[str, ...]:
        """The chapters in tabular order; in a release that knows none, the nodes that nothing is above."""
        chapters = tuple(node for node in self._tables.titles if is_chapter(node))
        return chapters or tuple(node for node in self._tables.titles if self._tables.parent(node) is None)

    def parent(self, code: str) -> str | None:
        """The node above; None above a chapter."""
        self._known(code)
        return self._tables.parent(code)

    def children(self, code: str) -> tuple[str, ...]:
        """The nodes directly below, in tabular order; a stem's are its seventh-character codes."""
        below = self._tables.below.get(code)
        if below is not None:
            return below
        known = self._content.leaves.get(code)
        if known is None:
            known = ()
            if self._known(code) == code and not (is_block(code) or is_chapter(code)):
                known = tuple(padded(code, character) for character in seventh_definition(self._tables, code))
            self._content.leaves[code] = known
        return known

    def ancestors(self, code: str) -> tuple[str, ...]:
        """The nodes above, nearest first: up to the category, then its blocks, then the chapter."""
        self._known(code)
        found = []
        node = self._tables.parent(code)
        while node is not None:
            found.append(node)
            node = self._tables.parent(node)
        return tuple(found)

    def chapter(self, code: str) -> str:
        """The number of the chapter: '9' for I50.22. Empty in a release that knows no chapters."""
        top = (code, *self.ancestors(code))[-1]
        return top if is_chapter(top) else ""

    def category(self, code: str) -> str:
        """The three-character category of a category or code."""
        self._known(code)
        if is_block(code) or is_chapter(code):
            raise ValueError(f"{code} is above the categories")
        return code[:3]

    # Billing

    def is_billable(self, code: str) -> bool:
        """True for a code that has nothing below it and may stand on a claim; False for headings and unknown
        codes."""
        known = self._content.billable.get(code)
        if known is None:
            if code not in self:
                return False  # not kept: there is no end of strings that are no code
            known = self._content.billable[code] = not self.children(code)
        return known

    def billable(self) -> Iterator[str]:
        """Every billable code in tabular order."""
        return (code for code in self.nodes() if not self.children(code))

    def seventh_characters(self, code: str) -> dict[str, str]:
        """Character -> meaning, as defined for this code or the nearest node above it; empty where there are
        none."""
        stem = self._known(code)
        found = seventh_definition(self._tables, stem)
        if not found and not self._tables.sevenths:
            # A list of codes defines none; they show in the titles: "stem title, initial encounter".
            if len(stem) == 8:
                stem = self._tables.parent(stem) or stem
            start = f"{self._tables.titles[stem]}, "
            leaves = [leaf for leaf in self._tables.below.get(stem, ()) if padded(stem, leaf[-1]) == leaf]
            if leaves and all(self._tables.titles[leaf].startswith(start) for leaf in leaves):
                found = {leaf[-1]: self._tables.titles[leaf].removeprefix(start) for leaf in leaves}
        return dict(found)

    def extend(self, stem: str, char: str) -> str | None:
        """The stem with its seventh character, filled with X: ('T14.8', 'A') -> 'T14.8XXA'. None where that
        is no billable code: another character, a heading, or a code without seventh characters."""
        if len(char) != 1 or stem not in self._tables.titles or is_block(stem) or is_chapter(stem):
            return None
        code = padded(stem, char)
        return code if code in self.children(stem) else None

    # Notes

    def notes(self, code: str, kind: Kind | None = None) -> tuple[Instruction, ...]:
        """The notes that hold for a node, of one kind or all: its own first, then those of each ancestor."""
        chain = self._content.chains.get((code, kind))
        if chain is None:
            chain = tuple(
                Instruction(which, text, node)  # type: ignore[arg-type]
                for node in (code, *self.ancestors(code))
                for which, text in self._tables.notes.get(node, ())
                if kind is None or which == kind
            )
            self._content.chains[(code, kind)] = chain
        return chain

    def excludes1(self, a: str, b: str) -> Instruction | None:
        """The Excludes1 note, own or inherited, of either code that names the other; None where they go
        together.

        A code and its ancestor don't exclude each other. Where a note stands above both codes, only the codes
        that it gives in parentheses are excluded: "pneumoconiosis with tuberculosis, any type in A15 (J65)",
        above all of A15-A19, doesn't set A15 against A18."""
        above_a, above_b = (a, *self.ancestors(a)), (b, *self.ancestors(b))
        if a in above_b or b in above_a:
            return None
        for code, other, above_other in ((a, b, above_b), (b, a, above_a)):
            for note in self.notes(code, "excludes1"):
                excluded = note.codes
                if note.origin in above_other:
                    excluded = parse_codes(" ".join(_PARENTHESES.findall(note.text)))
                if excluded.matches(other):
                    return note
        return None

    # Index and bookkeeping

    def index_entries(self) -> Iterator[IndexEntry]:
        """The lines of the imported Alphabetic Index and its tables; none if none was imported for the
        release."""
        return self._content.entries()

    @cached_property
    def billable_count(self) -> int:
        """How many codes are billable."""
        return sum(1 for _ in self.billable())

    def _stem(self, code: str) -> str | None:
        """The stem of a seventh-character code that follows from it, else None."""
        if len(code) != 8 or code[3] != ".":
            return None
        stem = self._tables.parent(code)
        if stem is None or stem in self._tables.below:
            return None
        return stem if code[-1] in seventh_definition(self._tables, stem) and padded(stem, code[-1]) == code else None

    def _known(self, code: str) -> str:
        """The node that holds the code's title: itself, or the stem of a seventh-character code."""
        if code in self._tables.titles:
            return code
        stem = self._stem(code)
        if stem is None:
            raise UnknownCode(code, self.release)
        return stem
