"""Which indicators support which condition: the reader of indicators.toml, and the matching of its words and values."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from code_maps.rulefile import RuleProblem

_KEYS = {"names", "strong", "weak"}
_VALUE = re.compile(r"(?P<analyte>[a-z0-9]+)(?P<sign><=|>=|<|>)(?P<limit>-?\d+(?:\.\d+)?)")
# Abbreviations that are also words, or that mean several things, count only in capitals.
_NEEDS_CAPITALS = frozenset({"mono", "mash", "aids"})
_NOT_BEFORE = re.compile(
    r"\b(?:no|not|denie[sd]|deny|denying|without|w/o|negative for|absent|never|free of|ruled out|neither|nor|unlikely|lacks?)\b"
    r"[^;.\n]{0,60}$"
)
_CONTINUES = re.compile(r"\b(?:but|however|although|except|started|on|with|due to|now)\b")
_NOT_AFTER = re.compile(
    r"^[\s\W]{0,3}(?:\d[\d/]*\W{0,3})?(?:is |are |was |were |has been )?(?:negative|normal|absent|not seen|ruled out|unremarkable|no growth)\b"
)
_FAMILY = re.compile(
    r"\b(?:mother|father|sister|brother|son|daughter|aunt|uncle|grand\w+|family history|fhx?|husband|wife|spouse)\b"
)
# The second number of a pair (a diastolic pressure) is no value of its own.
_NUMBER = re.compile(r"(?<![\d.])(?<!\d/)-?\d[\d,]*(?:\.\d+)?")
_WORD = re.compile(r"[a-z]{2,}")
# Words that may stand between the numbers of one series of values.
_BETWEEN = frozenset(
    "on pre op post postop preop day to then from of at ra now mg dl ng ml pg mmol meq is was were score predicted up down "
    "baseline repeat admission left right total peak initial latest level today and value ratio rose fell dropped".split()
)


@dataclass(frozen=True, slots=True)
class Value:
    """A measured value on one side of a limit: `sodium<135`."""

    analyte: str
    sign: str
    limit: float

    def holds(self, number: float) -> bool:
        """Whether a number lies on the side that counts. Temperatures above 45 are read as Fahrenheit."""
        if self.analyte == "temp" and number > 45:
            number = (number - 32) / 1.8
        if self.sign == "<":
            return number < self.limit
        if self.sign == ">":
            return number > self.limit
        return number <= self.limit if self.sign == "<=" else number >= self.limit


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition, the words that name it, and what supports it."""

    id: str
    names: re.Pattern[str]
    strong: tuple[Value | re.Pattern[str], ...]
    weak: tuple[Value | re.Pattern[str], ...]


@dataclass(frozen=True, slots=True)
class Mention:
    """A condition named in a text."""

    condition: Condition
    start: int
    end: int
    text: str


def is_negated(text: str, start: int, end: int) -> bool:
    """Whether words of a clause (lower case) stand under a negation, or are another person's."""
    before = text[max(0, start - 120) : start]
    found = _NOT_BEFORE.search(before)
    if found and not _CONTINUES.search(found.group()):
        return True
    return bool(_NOT_AFTER.match(text[end : end + 40])) or bool(_FAMILY.search(before[-60:]))


@dataclass(frozen=True, slots=True)
class Indicators:
    """The whole table."""

    conditions: tuple[Condition, ...]
    analytes: Mapping[str, re.Pattern[str]]

    def named(self, text: str) -> list[Mention]:
        """The conditions that a text names without negating them, in order; the longest name wins."""
        lower = text.lower()
        found: list[Mention] = []
        for condition in self.conditions:
            for match in condition.names.finditer(lower):
                start, end = match.span()
                if not _in_capitals(text[start:end]) or is_negated(lower, start, end):
                    continue
                found.append(Mention(condition, start, end, text[start:end]))
        # Of two equally long names the later row of the table is the more specific.
        order = {c.id: n for n, c in enumerate(self.conditions)}
        found.sort(key=lambda m: (m.start - m.end, -order[m.condition.id], m.start))
        kept: list[Mention] = []
        for mention in found:
            if all(mention.end <= other.start or other.end <= mention.start for other in kept):
                kept.append(mention)
        return sorted(kept, key=lambda m: m.start)

    def documents(self, condition: Condition, clauses: Iterable[str]) -> bool:
        """Whether one of the clauses names the condition as this patient's."""
        return any(
            _in_capitals(clause[m.start() : m.end()]) and not is_negated(clause.lower(), m.start(), m.end())
            for clause in clauses
            for m in condition.names.finditer(clause.lower())
        )

    def score(self, condition: Condition, clauses: Iterable[str]) -> int:
        """2 for a strong indicator, 1 for each weak one; 2 is enough to offer the condition as an answer."""
        lower = [clause.lower() for clause in clauses]
        if any(self._holds(test, lower) for test in condition.strong):
            return 2
        return sum(self._holds(test, lower) for test in condition.weak)

    def supports(self, condition: Condition, clauses: list[str]) -> bool:
        """Whether a record made of these clauses lets the condition be offered."""
        return self.documents(condition, clauses) or self.score(condition, clauses) >= 2

    def measures(self, clause: str) -> bool:
        """Whether a clause holds a measured value of a known analyte."""
        lower = clause.lower()
        return any(_numbers(lower, m.end()) for pattern in self.analytes.values() for m in pattern.finditer(lower))

    def _holds(self, test: Value | re.Pattern[str], clauses: list[str]) -> bool:
        if isinstance(test, Value):
            pattern = self.analytes[test.analyte]
            return any(test.holds(n) for c in clauses for m in pattern.finditer(c) for n in _numbers(c, m.end()))
        return any(not is_negated(c, m.start(), m.end()) for c in clauses for m in test.finditer(c))


def _in_capitals(words: str) -> bool:
    """Short abbreviations must stand in capitals ("PE" is a diagnosis, "pe" may be part of anything)."""
    return (len(words) > 3 and words.lower() not in _NEEDS_CAPITALS) or words != words.lower()


def _numbers(text: str, start: int) -> list[float]:
    """The series of values that follows an analyte's name: "0.9, then 2.4"."""
    rest = text[start : start + 70].split(";")[0].split("\n")[0].split('"')[0]
    stop = next((m.start() for m in _WORD.finditer(rest) if m.group() not in _BETWEEN), len(rest))
    rest = rest[:stop]
    return [float(n.replace(",", "")) for n in _NUMBER.findall(rest) if n.strip("-,")]


@cache
def indicators() -> Indicators:
    """The table of this installation. Raises RuleProblem that names the condition and the key."""
    raw = tomllib.loads(files("code_maps.queries").joinpath("indicators.toml").read_text(encoding="utf-8"))
    return read_indicators(raw)


def read_indicators(raw: Mapping[str, object]) -> Indicators:
    """A table as TOML reads it. Raises RuleProblem that names the condition and the key."""
    for key in ("limits", "source", "analyte", "condition"):
        if key not in raw:
            raise RuleProblem(f"indicators.toml: the key {key!r} is missing")
    named, listed = raw["analyte"], raw["condition"]
    assert isinstance(named, dict) and isinstance(listed, dict)
    analytes = {name: _any_of(words) for name, words in named.items()}
    conditions = []
    for name, row in listed.items():
        unknown = set(row) - _KEYS
        if unknown or "names" not in row or "strong" not in row:
            what = f"unknown key {sorted(unknown)[0]!r}" if unknown else "names and strong are needed"
            raise RuleProblem(f"indicators.toml, condition.{name}: {what}; known are {', '.join(sorted(_KEYS))}")
        tests = [tuple(_test(name, t, analytes) for t in row.get(key, ())) for key in ("strong", "weak")]
        conditions.append(Condition(name, _any_of(row["names"]), tests[0], tests[1]))
    return Indicators(tuple(conditions), analytes)


def _test(name: str, text: str, analytes: Mapping[str, re.Pattern[str]]) -> Value | re.Pattern[str]:
    value = _VALUE.fullmatch(text)
    if not value:
        return _any_of([re.sub(r"(?<=\w)\*", r"\\w*", text)])
    if value["analyte"] not in analytes:
        raise RuleProblem(f"indicators.toml, condition.{name}: no analyte {value['analyte']!r}")
    return Value(value["analyte"], value["sign"], float(value["limit"]))


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<![\w])(?:{'|'.join(longest_first)})(?![\w])")
