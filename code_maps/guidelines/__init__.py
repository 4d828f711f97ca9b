"""Coding conventions: one TOML file per rule, and the tables that the rules read.

integral_symptoms.csv   disease -> symptoms that belong to it (OCG I.B.5)
chronic.csv             chronic diseases; `systemic` ones are coded whenever they are current (OCG IV.I, IV.J)
with_conditions.csv     pairs that have a combination code, or that "with" links (OCG I.A.15, I.B.9)
use_additional.csv      partners that are coded after a code (OCG I.A.13)
first_listed.csv        codes that stand first when they are the reason for the visit, and those that never do
organisms.csv           organism words (a pattern) -> B95-B97 code
drug_induced.csv        condition -> its code where a drug brought it on; `drug` empty is any drug
drug_classes.csv        words for a whole class of drugs (a pattern) -> stem of the adverse-effect code
settings.toml           short lists of places that steps ask about
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from code_maps.places import Places
from code_maps.rulefile import Rule, read_rules
from code_maps.tables import read_table

OWN_KEYS = {"effect", "when"}


@dataclass(frozen=True, slots=True)
class Combination:
    """One row of with_conditions.csv."""

    rule: str
    disease: Places
    condition: Places
    becomes: str
    drop: tuple[str, ...]
    note: str
    source: str
    heads: frozenset[str] = frozenset()  # the categories of `disease`; empty when it holds ranges or chapters

    def drop_for(self, code: str) -> Places:
        """What is not coded beside the combination, for a disease code of this row."""
        return Places(place.replace("{d}", code[:3]) for place in self.drop)


@dataclass(frozen=True, slots=True)
class Facts:
    """The tables, arranged for look-up."""

    rules: Mapping[str, Rule]
    combinations: tuple[Combination, ...]
    integral_rows: tuple[tuple[Places, tuple[str, ...]], ...]
    integral_known: dict[str, Places]
    systemic: Places
    chronic: Places
    first: Places
    never_first: Places
    history: Mapping[str, tuple[str, str]]
    confirmed_only: Places
    may_end: Places
    always: Places
    symptom_like: Places
    standing_status: Places
    after_operation: Places
    implants: Places
    encounters: Places
    regional_symptoms: Places
    organisms: tuple[tuple[re.Pattern[str], str], ...]
    region_words: Mapping[str, frozenset[str]]
    # (condition, its code where a drug brought it on, stem of that drug or "" for any)
    drug_induced: tuple[tuple[str, str, str], ...] = ()
    # (words right before or behind the effect, stem, name)
    drug_classes: tuple[tuple[re.Pattern[str], str, str], ...] = ()
    by_sex: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    seventh_words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def history_code(self, place: str, whose: str) -> str | None:
        """The personal or family history code (a place) for a disease, from the longest row that holds it."""
        for length in range(len(place), 2, -1):
            row = self.history.get(place[:length].rstrip("."))
            if row:
                return (row[0] if whose == "personal" else row[1]) or None
        return None

    def integral(self, code: str) -> Places:
        """The symptoms that belong to a disease, from every row that holds its code."""
        if code not in self.integral_known:
            found = [symptom for places, symptoms in self.integral_rows if code in places for symptom in symptoms]
            self.integral_known[code] = Places(found)
        return self.integral_known[code]

    def regions(self, words: str) -> frozenset[str]:
        """The regions of the body that some words name."""
        said = set(re.findall(r"[a-z]+", words.lower()))
        return frozenset(region for region, names in self.region_words.items() if names & said)


def _rows(name: str) -> list[dict[str, str]]:
    return list(read_table("code_maps.guidelines", name))


def _heads(places: list[str]) -> frozenset[str]:
    """The categories of some places, or nothing when one of them spans more than a category."""
    if any("-" in place or len(place) < 3 for place in places):
        return frozenset()
    return frozenset(place[:3] for place in places)


def _history() -> dict[str, tuple[str, str]]:
    return {
        place: (row["personal_history"].strip(), row["family_history"].strip())
        for row in read_table("code_maps.terms", "history.csv")
        for place in _expand(row["place"])
    }


def _expand(place: str) -> Iterable[str]:
    """A range of categories of one letter ('C15-C26') as single categories; anything else as it is."""
    match = re.fullmatch(r"([A-Z])(\d\d)-([A-Z])(\d\d)", place)
    if match and match.group(1) == match.group(3):
        return [f"{match.group(1)}{n:02d}" for n in range(int(match.group(2)), int(match.group(4)) + 1)]
    return [place]


@cache
def guideline_rules() -> dict[str, Rule]:
    """The guideline rule files by id."""
    return {rule.id: rule for rule in read_rules("code_maps.guidelines.rules", "guideline", OWN_KEYS)}


@cache
def facts() -> Facts:
    """All guideline tables, read once."""
    settings = tomllib.loads(files("code_maps.guidelines").joinpath("settings.toml").read_text(encoding="utf-8"))
    lists = settings["places"]
    listed = _rows("first_listed.csv")
    chronic = _rows("chronic.csv")
    return Facts(
        rules=guideline_rules(),
        combinations=tuple(
            Combination(
                rule=row.get("rule") or "with-convention",
                disease=Places(row["disease"].split("|")),
                condition=Places(row["condition"].split("|")),
                becomes=row["becomes"],
                drop=tuple(row["drop"].split()),
                note=row["note"],
                source=row["source"],
                heads=_heads(row["disease"].split("|")),
            )
            for row in _rows("with_conditions.csv")
        ),
        integral_rows=tuple(
            (Places((row["disease"],)), tuple(row["symptoms"].split())) for row in _rows("integral_symptoms.csv")
        ),
        integral_known={},
        systemic=Places(row["place"] for row in chronic if row["class"] == "systemic"),
        chronic=Places(row["place"] for row in chronic),
        first=Places(row["place"] for row in listed if row["when"] == "first"),
        never_first=Places(row["place"] for row in listed if row["when"] == "never-first"),
        history=_history(),
        confirmed_only=Places(lists["confirmed_only"]),
        may_end=Places(lists["may_end"]),
        always=Places(lists["always"]),
        symptom_like=Places(lists["symptom_like"]),
        standing_status=Places(lists["standing_status"]),
        after_operation=Places(lists["after_operation"]),
        implants=Places(lists["implants"]),
        encounters=Places(lists["encounters"]),
        regional_symptoms=Places(lists["regional_symptoms"]),
        organisms=tuple(
            (re.compile(rf"\b(?:{row['words']})\b", re.IGNORECASE), row["code"]) for row in _rows("organisms.csv")
        ),
        drug_induced=tuple((row["code"], row["becomes"], row["drug"]) for row in _rows("drug_induced.csv")),
        drug_classes=tuple(
            (re.compile(rf"\b(?:{row['words']})\b", re.IGNORECASE), row["drug"], row["name"])
            for row in _rows("drug_classes.csv")
        ),
        region_words={name: frozenset(words) for name, words in settings["regions"].items()},
        by_sex={place: (sex, other) for place, (sex, other) in settings["by_sex"].items()},
        seventh_words={name: tuple(words) for name, words in settings["seventh"].items()},
    )
