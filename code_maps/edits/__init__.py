"""Claim edits: one TOML rule file per edit, and the shape of the CMS tables that some of them need.

edit_rules()   the rule files by id; `data["values"]` holds what the edit compares with
CmsTables      unit limits, add-on codes, global days, age and sex lists; each None until it is imported
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from code_maps.rulefile import Rule, RuleProblem, read_rules

OWN_KEYS = {"severity", "needs", "carc", "values"}
SEVERITIES = ("error", "warning", "info")

AgeClass = Literal["newborn", "pediatric", "maternity", "adult"]


@dataclass(frozen=True)
class UnitLimit:
    """A medically unlikely edit: the most units, and whether they count by line (1) or by day (2, 3)."""

    units: int
    indicator: int


@dataclass(frozen=True)
class CmsTables:
    """What has been imported from CMS files; None means not imported. `*_dates` are the first and last day served."""

    unit_limits: Mapping[str, UnitLimit] | None = None
    unit_limit_dates: tuple[dt.date, dt.date] | None = None
    addon_primaries: Mapping[str, frozenset[str]] | None = None
    global_days: Mapping[str, str] | None = None
    bilateral: Mapping[str, str] | None = None
    age_classes: Mapping[str, AgeClass] | None = None
    sexes: Mapping[str, Literal["female", "male"]] | None = None
    manifestations: frozenset[str] | None = None
    uncovered: Mapping[str, str] = field(default_factory=dict)
    """Tables that are imported, but not for the date: the dates that are at hand."""
    lasting: tuple[str, ...] = ()
    """What the user should be told about the tables in use."""


NOTHING_IMPORTED = CmsTables()


@cache
def edit_rules() -> tuple[Rule, ...]:
    """The rule files, by id. Raises RuleProblem for a severity or a need that isn't known."""
    found = tuple(read_rules("code_maps.edits.rules", "edit", OWN_KEYS))
    for rule in found:
        if rule.data.get("severity") not in SEVERITIES:
            raise RuleProblem(f"{rule.id}.toml: severity must be one of {', '.join(SEVERITIES)}")
        if rule.data.get("needs", "") not in ("", *CmsTables.__dataclass_fields__):
            known = ", ".join(CmsTables.__dataclass_fields__)
            raise RuleProblem(f"{rule.id}.toml: needs names no table; known are {known}")
    return found
