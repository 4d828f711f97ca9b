"""Headings and what they head: the reader of headings.csv and layout.toml.

`headings()` gives the frozen table; `fold(label)` gives the form in which a heading is looked up.
"""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

CATEGORIES = frozenset(
    [
        "chief_complaint",
        "history_of_present_illness",
        "past_medical_history",
        "past_surgical_history",
        "family_history",
        "social_history",
        "allergies",
        "medications",
        "review_of_systems",
        "vitals",
        "physical_exam",
        "labs",
        "imaging",
        "results",
        "assessment",
        "assessment_plan",
        "plan",
        "diagnoses",
        "discharge_diagnoses",
        "hospital_course",
        "procedure",
        "indication",
        "instructions",
        "patient_education",
        "obstetric_history",
        "immunizations",
        "mdm",
        "counseling",
        "other_clinician",
        "other",
    ]
)
# weak: stays a label inside a problem section. bare: begins a line without a colon. line: only at a line's
# start. upper: capitals only. single: one letter of S, O, A, P. inline: only with text behind it.
FLAGS = frozenset(["weak", "bare", "line", "upper", "single", "inline"])

_TOKEN = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*|[&/+]")
_PARENTHESIS = re.compile(r"\([^()]{0,60}\)|\[[^\[\]]{0,60}\]")
_JOINED = re.compile(r"\b(follow|x|pre|post|work)[ ‐‑–](up|ray|op|operative|procedure|procedural)\b")
_NUMBER = re.compile(r"#?\d[\d./:\-]*(?:st|nd|rd|th|am|pm|h|hrs)?(?![^\W_])")


@dataclass(frozen=True, slots=True)
class Heading:
    """What a heading heads; `category` is "" for labels that look like headings and aren't."""

    category: str
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Headings:
    """The table of headings and the word lists of layout.toml."""

    rows: dict[tuple[str, ...], Heading]
    systems: dict[tuple[str, ...], str]
    sublabels: frozenset[tuple[str, ...]]
    before: frozenset[str]
    after: frozenset[str]
    imaging: frozenset[str]
    results: frozenset[str]
    not_study: frozenset[str]
    actions: frozenset[str]
    leads: tuple[str, ...]
    never: frozenset[str]
    lower: frozenset[str]
    letters: frozenset[str]
    counted: frozenset[str]
    starters: frozenset[str]


@cache
def _layout() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(files("code_maps.sections").joinpath("layout.toml").read_text(encoding="utf-8"))


@cache
def _tokens() -> dict[str, str]:
    return dict(_layout()["tokens"])  # type: ignore[arg-type]


def prose(key: str) -> frozenset[str]:
    """One list of the `[prose]` table of layout.toml."""
    return frozenset(_layout()["prose"][key])


def _singular(token: str) -> str:
    if len(token) > 3 and token.endswith("s") and not token.endswith(("ss", "us", "is")):
        return token[:-3] + "y" if token.endswith("ies") and len(token) > 4 else token[:-1]
    return token


def fold(label: str) -> tuple[str, ...]:
    """The words of a label as they are compared: lower case, singular, without numbers and brackets."""
    if "(" in label or "[" in label:
        label = _PARENTHESIS.sub(" ", label)
    label = _JOINED.sub(r"\1-\2", _NUMBER.sub(" ", label.lower().replace("_", " ").replace("’", "'")))
    known = _tokens()
    found = [known.get(t) or _singular(t) for t in _TOKEN.findall(label)]
    while found and found[-1] == "and":
        found.pop()
    return tuple(found)


def _strings(words: Iterable[str]) -> frozenset[str]:
    return frozenset(w.lower() for w in words)


@cache
def headings() -> Headings:
    """The table, read once.

    Raises ValueError naming the row when a category or a flag is unknown or two rows disagree.
    """
    rows: dict[tuple[str, ...], Heading] = {}
    lines = files("code_maps.sections").joinpath("headings.csv").read_text(encoding="utf-8").splitlines()
    for number, row in enumerate(csv.DictReader(lines), start=2):
        category = "" if row["category"] == "none" else row["category"]
        flags = frozenset(row["flags"].split())
        if category and category not in CATEGORIES:
            raise ValueError(f"headings.csv, row {number}: {category!r} is no section category")
        if not flags <= FLAGS:
            raise ValueError(f"headings.csv, row {number}: {sorted(flags - FLAGS)} is none of {sorted(FLAGS)}")
        key = fold(row["heading"]) or (row["heading"],)
        known = rows.get(key)
        if known and known.category != category:
            raise ValueError(f"headings.csv, row {number}: {row['heading']!r} is also {known.category or 'none'!r}")
        rows[key] = Heading(category, flags | known.flags if known else flags)
    layout = _layout()
    systems = {fold(label): "either" for label in layout["systems"]["either"]}
    systems.update({fold(label): "exam" for label in layout["systems"]["exam"]})
    return Headings(
        rows=rows,
        systems=systems,
        sublabels=frozenset(fold(label) for label in layout["sublabels"]["labels"]),
        before=_strings(layout["modifiers"]["before"]),
        after=_strings(_singular(w) for w in layout["modifiers"]["after"]) | _strings(layout["modifiers"]["after"]),
        imaging=_strings(layout["imaging"]["words"]),
        results=_strings(layout["imaging"]["results"]),
        not_study=_strings(layout["imaging"]["not"]),
        actions=_strings(layout["actions"]["words"]),
        leads=tuple(sorted(layout["leads"]["phrases"], key=len, reverse=True)),
        never=_strings(layout["abbreviations"]["never"]),
        lower=_strings(layout["abbreviations"]["lower"]),
        letters=_strings(layout["abbreviations"]["letters"]),
        counted=_strings(layout["abbreviations"]["counted"]),
        starters=_strings(layout["abbreviations"]["starters"]),
    )
