"""What the extractors share: a note read into words, and lists of phrases found in them.

A note is read once: each sentence becomes a `Line` of words with their places. `Phrases` finds any number of
phrases in one pass over the words, so cost grows with the note and not with the lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from code_maps.sections.headings import fold, headings
from models.finding import Kind, Mention
from models.text import Layout
from pipeline.language import lowered

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W_]+)*\d*|[^\W_]+|[^\w\s]")
ENDS = frozenset(".;!?|•")
BREAKS = ENDS | frozenset(",:()")
HISTORY_SECTIONS = frozenset(
    ("past_medical_history", "past_surgical_history", "family_history", "social_history", "allergies",
     "obstetric_history", "immunizations")
)  # fmt: skip
PLAN_SECTIONS = frozenset(("assessment_plan", "plan", "mdm", "instructions"))
DECISION_SECTIONS = PLAN_SECTIONS | frozenset(("assessment", "diagnoses", "hospital_course", "discharge_diagnoses"))
EXAM_SECTIONS = frozenset(("physical_exam", "vitals"))
RESULT_SECTIONS = frozenset(("labs", "imaging", "results"))


@dataclass(slots=True)
class Line:
    """One sentence in words. `category` and `heading` (lower case) are its section's, "" outside any."""

    start: int
    end: int
    category: str
    heading: str
    words: list[str]
    starts: list[int]
    ends: list[int]
    lists: int = 0
    """The lists of phrases whose first words stand here, one bit for each; of the first `asked` lists."""
    asked: int = 0
    notes: dict[str, Any] = field(default_factory=dict)
    """What several modules ask about the line, kept under a name of their choice."""


@dataclass(slots=True)
class Reading:
    """A note in words."""

    text: str
    layout: Layout
    lines: list[Line]


def tokens(text: str, start: int, end: int) -> tuple[list[str], list[int], list[int]]:
    """Words and signs between two positions, lower case; a hyphen inside a word only separates."""
    return _tokens(text, lowered(text), start, end)


def _tokens(text: str, lower: str | None, start: int, end: int) -> tuple[list[str], list[int], list[int]]:
    words: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    last = -1
    for token in _TOKEN.finditer(text if lower is None else lower, start, end):
        word = token[0]
        low, high = token.span()
        if low == last and word in "-‐‑" and low + 1 < end and text[low + 1].isalnum():
            continue
        words.append(word)
        starts.append(low)
        ends.append(high)
        last = high
    if lower is None:
        words = [word.lower().replace("’", "'") for word in words]
    return words, starts, ends


def read(text: str, layout: Layout) -> Reading:
    """The words of every sentence of a note."""
    headings = [s.title.lower() for s in layout.sections]
    lower = lowered(text)
    lines = []
    for s in layout.sentences:
        words, starts, ends = _tokens(text, lower, s.start, s.end)
        if words:
            heading = headings[s.section] if s.section >= 0 else ""
            lines.append(Line(s.start, s.end, layout.category_of(s), heading, words, starts, ends))
    return Reading(text, layout, lines)


_NONE = object()
# First word of a phrase -> the lists that have it, one bit for each list made so far. One look at each word of a line
# tells which of the two dozen lists are worth a search there: few are.
_lists_of: dict[str, int] = {}
_lists_made: list[Phrases] = []


class Phrases:
    """A set of phrases, each with a value, found in a line's words; the longest at a place wins."""

    __slots__ = ("_by_first", "_number")

    def __init__(self, phrases: Iterable[str] | Mapping[str, Any]) -> None:
        pairs = phrases.items() if isinstance(phrases, Mapping) else ((p, p) for p in phrases)
        by_first: dict[str, dict[int, dict[tuple[str, ...], Any]]] = {}
        for phrase, value in pairs:
            words = tuple(tokens(phrase, 0, len(phrase))[0])
            if words:
                by_first.setdefault(words[0], {}).setdefault(len(words), {}).setdefault(words, value)
        # First word -> (length, phrases of that length), longest first.
        self._by_first = {word: tuple(sorted(lengths.items(), reverse=True)) for word, lengths in by_first.items()}
        self._number = len(_lists_made)
        _lists_made.append(self)
        for word in by_first:
            _lists_of[word] = _lists_of.get(word, 0) | 1 << self._number

    def at(self, words: list[str], i: int) -> tuple[int, Any] | None:
        """The end (exclusive) and value of the longest phrase that begins at word `i`."""
        for size, phrases in self._by_first.get(words[i], ()):
            value = phrases.get(tuple(words[i : i + size]), _NONE)
            if value is not _NONE:
                return i + size, value
        return None

    def of(self, line: Line) -> list[tuple[int, int, Any]]:
        """The phrases in a line, as `find` gives them."""
        if line.asked <= self._number:
            line.asked = len(_lists_made)
            lists = 0
            for word in line.words:
                lists |= _lists_of.get(word, 0)
            line.lists = lists
        return self.find(line.words) if line.lists >> self._number & 1 else []

    def find(self, words: list[str], low: int = 0, high: int | None = None) -> list[tuple[int, int, Any]]:
        """Phrases from left to right without overlap: first word, end (exclusive), value."""
        first = self._by_first
        found: list[tuple[int, int, Any]] = []
        high = len(words) if high is None else high
        i = low
        while i < high:
            if words[i] in first:
                hit = self.at(words, i)
                if hit and hit[0] <= high:
                    found.append((i, hit[0], hit[1]))
                    i = hit[0]
                    continue
            i += 1
        return found


def clauses(line: Line, colon: bool = True) -> Iterator[tuple[int, int]]:
    """Stretches of words between commas, semicolons, stops and, if `colon`, colons outside brackets."""
    begin = 0
    depth = 0
    for i, word in enumerate(line.words):
        if word == "(":
            depth += 1
        elif word == ")":
            depth = max(0, depth - 1)
        elif (word in ENDS or word == "," or (word == ":" and colon)) and not (depth and word != "."):
            if i > begin:
                yield begin, i
            begin = i + 1
    if begin < len(line.words):
        yield begin, len(line.words)


def stop(line: Line, i: int, signs: frozenset[str] = BREAKS) -> int:
    """Index of the first of `signs` at or after word `i`, or the line's length."""
    words = line.words
    while i < len(words) and words[i] not in signs:
        i += 1
    return i


def mention(
    kind: Kind,
    line: Line,
    i: int,
    j: int,
    source: str,
    values: tuple[tuple[str, str | float | int | None], ...] = (),
) -> Mention:
    """A mention of the words i to j (exclusive) of a line."""
    return Mention(kind, line.starts[i], line.ends[j - 1], source=source, values=values)


def labels(line: Line, text: str, i: int, j: int) -> bool:
    """Whether the words i to j are a label ("Neck:", "Cardiovascular" alone) and say nothing themselves."""
    if j - i > 5:
        return False
    if j < len(line.words) and line.words[j] == ":":
        return True
    return i == 0 and j >= len(line.words) and fold(text[line.starts[i] : line.ends[j - 1]]) in headings().systems


def worded(line: Line, i: int, j: int) -> bool:
    """Whether there is a letter among the words i to j."""
    return any(w[0].isalpha() for w in line.words[i:j])
