"""Instructional notes of the tabular list, and the codes that their text names.

The official text names codes in many ways: `E08-E13`, `O24.-`, `I70.2--I70.7-`, `F10.- -F19.-`, `M05.00 to
M05.8A`, `T36-T50 with fifth or sixth character 5`, `I69. with final characters -23`. They are read here into
spans of codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Kind = Literal[
    "includes",
    "inclusion_term",
    "excludes1",
    "excludes2",
    "code_first",
    "use_additional",
    "code_also",
    "seventh_character",
    "notes",
]

# A category is a letter, a digit and a letter or digit. FY2026 brought QA0 with a letter in second place;
# only Q is let through, because genes and receptors (GM2, CR3, GH1) look like that too. No dot-less longer
# code counts: O157 is a bacterium's antigen. Vitamin B12 and the muscular dystrophies LGMD R12 and R22 are
# words, not categories.
_CODE = re.compile(
    r"(?<!itamin )(?<!LGMD )"
    r"(?<![A-Za-z0-9./:])"
    r"(?P<category>[A-Z][0-9][0-9A-Z]|Q[A-Z][0-9])"
    r"(?:\.(?P<rest>[0-9A-Z]{1,4}))?"
    r"(?![0-9A-Za-z])"
)

# What may stand between the two ends of a range: "-", "--", ".-", " -", " - ", "- -", "to". A dash that
# follows the code directly and is followed by a space ("I69.81- I69.91-") is a placeholder, and what comes
# next a new item.
_RANGE = re.compile(r"\.?-{1,2}|\.?-?\s+-\s*|[.\-]*\s+(?:to|through)\s+")

_ORDINALS = {"third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "six": 6, "seventh": 7} | {
    f"{n}th": n for n in range(4, 8)
}
_ORDINAL = "|".join(_ORDINALS)
_QUALIFIER = re.compile(
    rf"with\s+(?:appropriate\s+)?(?P<first>final|{_ORDINAL})(?:\s+(?P<join>or|to)\s+(?P<second>{_ORDINAL}))?"
    r"[\s-]+characters?\s+"
    r"(?P<values>[-.]?[0-9A-Z]{1,3}(?:-[0-9A-Z])?(?:\s*(?:,|\bor\b)\s*[-.]?[0-9A-Z]{1,3}(?:-[0-9A-Z])?)*)"
    r"(?![0-9A-Za-z])"
)
_OPEN_FRACTURE = re.compile(r"with\s+open\s+fracture\s+7th\s+character")


@dataclass(frozen=True, slots=True)
class Characters:
    """A condition on a code's characters: `positions` are counted from 1 without the dot; none means the
    end."""

    positions: tuple[int, ...]
    together: bool
    values: frozenset[str]

    def holds(self, bare: str) -> bool:
        """True if the code without its dot has one of the values there."""
        if not self.positions:
            return len(bare) > 3 and bare[3:].endswith(tuple(self.values))
        if self.together:
            return bare[self.positions[0] - 1 : self.positions[-1]] in self.values
        # "fifth or sixth character" means the last of them that is in use: T39.015 is an adverse effect by
        # its sixth character although its fifth is 1; T58.01X has a placeholder in sixth place.
        for position in reversed(self.positions):
            character = bare[position - 1 : position]
            if character and character != "X":
                return character in self.values
        return False


@dataclass(frozen=True, slots=True)
class Span:
    """Codes from `low` to `high` (without dots), each end with everything below it, some only under a
    condition."""

    low: str
    high: str
    only: Characters | None = None

    def holds(self, bare: str) -> bool:
        """True if the code without its dot is named by this span."""
        if bare < self.low or bare[: len(self.high)] > self.high:
            return False
        return self.only is None or self.only.holds(bare)


@dataclass(frozen=True, slots=True)
class CodeRanges:
    """The codes that a text names. False if it names none."""

    spans: tuple[Span, ...] = ()

    def matches(self, code: str) -> bool:
        """True if the code (with or without dot) is named, is below a named code, or lies inside a range."""
        bare = code.replace(".", "")
        return any(span.holds(bare) for span in self.spans)

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __iter__(self) -> Iterator[Span]:
        return iter(self.spans)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One note of the tabular: its kind and text, and the code, block or chapter under which it stands."""

    kind: Kind
    text: str
    origin: str

    @property
    def codes(self) -> CodeRanges:
        """The codes that the text names (read once for each text)."""
        return parse_codes(self.text)


def dotted(code: str) -> str:
    """A code with its dot: `I5022` -> `I50.22`; a category stays as it is."""
    bare = code.replace(".", "")
    return bare if len(bare) <= 3 else f"{bare[:3]}.{bare[3:]}"


def _values(text: str) -> frozenset[str]:
    """`1-4 or 6` -> 1 2 3 4 6; `-23` -> 23; `.00 or .01` -> 00 01."""
    values: set[str] = set()
    for item in re.split(r"\s*(?:,|\bor\b)\s*", text):
        first, dash, last = item.lstrip("-.").partition("-")
        if dash:
            values.update(c for c in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" if first <= c <= last)
        else:
            values.add(first)
    return frozenset(values)


def _characters(match: re.Match[str]) -> Characters:
    """The condition that a phrase such as `with fifth or sixth character 1-4` states."""
    if match["first"] == "final":
        positions: tuple[int, ...] = ()
    elif match["second"]:
        positions = (_ORDINALS[match["first"]], _ORDINALS[match["second"]])
    else:
        positions = (_ORDINALS[match["first"]],)
    return Characters(positions, match["join"] == "to", _values(match["values"]))


@lru_cache(maxsize=20_000)
def parse_codes(text: str) -> CodeRanges:
    """Read every code and range in a note's text, with the condition on characters that follows it.

    A condition holds for the codes before it back to the opening parenthesis: `(E08, E09 with final
    characters .00)`. A range that runs backwards is taken as its two ends. Nothing is looked up: ends such as
    K93 needn't exist."""
    text = text.replace("–", "-").replace("—", "-")
    found = list(_CODE.finditer(text))
    if not found:
        return CodeRanges()
    spans: list[tuple[int, Span]] = []
    i = 0
    while i < len(found):
        start, low = found[i].start(), _bare(found[i])
        high = low
        if i + 1 < len(found) and _RANGE.fullmatch(text, found[i].end(), found[i + 1].start()):
            after = _bare(found[i + 1])
            i += 1
            if after >= low:
                high = after
            else:
                spans.append((start, Span(low, low)))
                start, low, high = found[i].start(), after, after
        spans.append((start, Span(low, high)))
        i += 1
    for qualifier in (*_QUALIFIER.finditer(text), *_OPEN_FRACTURE.finditer(text)):
        # Letters of the 7th character that mean an open fracture (initial or later encounter), as in S52.
        only = (
            _characters(qualifier)
            if "first" in qualifier.groupdict()
            else Characters((7,), False, frozenset("BCEFHJMNQR"))
        )
        opening = text.rfind("(", 0, qualifier.start())
        spans = [
            (
                at,
                Span(span.low, span.high, only) if span.only is None and opening < at < qualifier.start() else span,
            )
            for at, span in spans
        ]
    return CodeRanges(tuple(span for _, span in spans))


def _bare(match: re.Match[str]) -> str:
    return match["category"] + (match["rest"] or "")
