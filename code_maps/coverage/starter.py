"""Reader of policy files: one TOML file per policy, with the header that every rule file has.

Every key is checked: an unknown one is an error that names the file and the key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from code_maps.coverage.policy import (
    CodeList,
    CoveragePolicy,
    Criterion,
    Frequency,
    Group,
    Measure,
    NonCovered,
    Services,
    Way,
)
from code_maps.rulefile import Rule, RuleProblem, parse_rule

OWN_KEYS = {
    "kind", "version", "services", "basis", "group", "noncovered", "never_covered", "frequency", "criterion",
    "statutory", "carc", "rarc", "states", "payers", "contracts", "quote",
}  # fmt: skip


@cache
def policies() -> tuple[CoveragePolicy, ...]:
    """The starter policies by id. The folder is read as files: imported as a package it would take this name."""
    folder = files("code_maps.coverage").joinpath("policies")
    paths = sorted((p for p in folder.iterdir() if p.name.endswith(".toml")), key=lambda p: p.name)
    return tuple(parse_policy(path.read_text(encoding="utf-8"), path.name) for path in paths)


def parse_policy(text: str, name: str) -> CoveragePolicy:
    """One policy file. Raises RuleProblem with the file and the key."""
    return as_policy(parse_rule(text, name, "policy", OWN_KEYS))


def as_policy(rule: Rule) -> CoveragePolicy:
    """The policy that a rule file states. Raises RuleProblem for a key that isn't known or doesn't fit."""
    data = rule.data
    where = f"{rule.id}.toml"
    for key in ("kind", "services", "basis"):
        if key not in data:
            raise RuleProblem(f"{where}: the key {key!r} is missing")
    groups = tuple(_group(where, row) for row in data.get("group", ()))
    numbers = {g.number for g in groups}
    for group in groups:
        if missing := set(group.requires) - numbers:
            raise RuleProblem(f"{where}: group {group.number} requires group {min(missing)}, which isn't there")
    return CoveragePolicy(
        rule=rule,
        kind=_one_of(where, "kind", data["kind"], ("NCD", "LCD", "Article", "statute", "payer")),
        basis=_one_of(where, "basis", data["basis"], ("code list", "indications")),
        version=data.get("version"),
        services=Services.of(data["services"]),
        groups=groups,
        noncovered=tuple(_noncovered(where, row) for row in data.get("noncovered", ())),
        never_covered=Services.of(data.get("never_covered", ())),
        frequency=tuple(_frequency(where, row) for row in data.get("frequency", ())),
        criteria=tuple(_criterion(where, row) for row in data.get("criterion", ())),
        statutory=data.get("statutory", False),
        carc=data.get("carc", "50"),
        rarc=data.get("rarc"),
        states=frozenset(data.get("states", ())),
        payers=frozenset(name.casefold() for name in data.get("payers", ())),
        contracts=frozenset(data.get("contracts", ("B",))),
        quote=data.get("quote", ""),
    )


def _one_of(where: str, key: str, value: str, known: Iterable[str]) -> Any:  # noqa: ANN401
    if value not in known:
        raise RuleProblem(f"{where}: {key} is {value!r}; it must be one of {', '.join(known)}")
    return value


def _known(where: str, table: str, row: Mapping[str, Any], known: set[str], needed: set[str]) -> None:
    if unknown := set(row) - known:
        raise RuleProblem(f"{where}: unknown key {min(unknown)!r} in [[{table}]]; known are {', '.join(sorted(known))}")
    if missing := needed - set(row):
        raise RuleProblem(f"{where}: the key {min(missing)!r} is missing in [[{table}]]")


def _places(written: Iterable[str]) -> CodeList:
    """Places ("E11", "Z87.891") and ranges of categories ("E08-E13"), each with everything below."""
    places, ranges = [], []
    for item in written:
        low, dash, high = item.partition("-")
        if dash and high:
            ranges.append((low, high))
        else:
            places.append(low)
    return CodeList(places=tuple(places), ranges=tuple(ranges))


def _group(where: str, row: Mapping[str, Any]) -> Group:
    known = {"number", "codes", "services", "requires", "secondary", "marked", "mark", "modifiers", "condition",
             "unreadable", "first_pointer", "quote"}  # fmt: skip
    _known(where, "group", row, known, {"number", "codes"})
    return Group(
        number=row["number"],
        codes=_places(row["codes"]),
        services=Services.of(row.get("services", ())),
        requires=tuple(row.get("requires", ())),
        secondary=row.get("secondary", False),
        marked=_places(row.get("marked", ())),
        mark=row.get("mark", ""),
        modifiers=tuple(row.get("modifiers", ())),
        condition=row.get("condition", ""),
        unreadable=row.get("unreadable", ""),
        first_pointer=row.get("first_pointer", False),
        quote=row.get("quote", ""),
    )


def _noncovered(where: str, row: Mapping[str, Any]) -> NonCovered:
    known = {"number", "codes", "services", "absolute", "statutory", "carc", "rarc", "quote"}
    _known(where, "noncovered", row, known, {"number", "codes"})
    return NonCovered(
        number=row["number"],
        codes=_places(row["codes"]),
        services=Services.of(row.get("services", ())),
        absolute=row.get("absolute", False),
        statutory=row.get("statutory", False),
        carc=row.get("carc", "50"),
        rarc=row.get("rarc"),
        quote=row.get("quote", ""),
    )


def _frequency(where: str, row: Mapping[str, Any]) -> Frequency:
    limits = ("fewer_than_days", "at_least_months", "full_months", "at_most")
    known = {"services", *limits, "per", "ages", "diagnoses", "unless", "unless_words", "carc", "quote"}
    _known(where, "frequency", row, known, set())
    if sum(name in row for name in limits) != 1:
        raise RuleProblem(f"{where}: [[frequency]] needs exactly one of {', '.join(limits)}")
    ages = row.get("ages")
    return Frequency(
        services=Services.of(row.get("services", ())),
        fewer_than_days=row.get("fewer_than_days"),
        at_least_months=row.get("at_least_months"),
        full_months=row.get("full_months"),
        at_most=row.get("at_most"),
        per=_one_of(where, "per", row.get("per", "12 months"), ("12 months", "calendar year", "ever")),
        ages=(ages[0], ages[1]) if ages else None,
        diagnoses=_places(row.get("diagnoses", ())),
        unless=_places(row.get("unless", ())),
        unless_words=tuple(row.get("unless_words", ())),
        carc=row.get("carc", "151"),
        quote=row.get("quote", ""),
    )


def _criterion(where: str, row: Mapping[str, Any]) -> Criterion:
    _known(where, "criterion", row, {"text", "services", "groups", "binding", "ways"}, {"text", "ways"})
    return Criterion(
        text=row["text"],
        ways=tuple(_way(where, way) for way in row["ways"]),
        services=Services.of(row.get("services", ())),
        groups=tuple(row.get("groups", ())),
        binding=row.get("binding", False),
    )


def _way(where: str, row: Mapping[str, Any]) -> Way:
    _known(where, "criterion.ways", row, {"words", "measure", "codes", "modifiers", "age", "sex"}, set())
    measure = row.get("measure")
    if measure is not None:
        _known(where, "measure", measure, {"words", "at_least", "at_most"}, {"words"})
        measure = Measure(
            tuple(measure["words"]), measure.get("at_least", float("-inf")), measure.get("at_most", float("inf"))
        )
    age = row.get("age")
    return Way(
        words=tuple(row.get("words", ())),
        measure=measure,
        codes=_places(row.get("codes", ())),
        modifiers=tuple(row.get("modifiers", ())),
        age=(age[0], age[1]) if age else None,
        sex=row.get("sex"),
    )
