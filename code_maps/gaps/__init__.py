"""Documentation gaps: how an open axis is asked about, and the gaps that the tabular can't derive, one file each.

A rule file's `[when]` is a closed vocabulary, all parts of which must hold:

    code      the proposal lies under one of these places
    anywhere  one of these stands anywhere in the note
    words     one of these stands in the sentences or the problem of the proposal
    without   none of these stands anywhere in the note
    analyte, above, below   a measured value of the note on the far side of a limit
    no_code   no proposal lies under these places
    setting   outpatient or inpatient
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from code_maps.rulefile import Rule, read_rules

OWN_KEYS = {"kind", "missing", "about", "code", "ask", "options", "priority", "when"}
WHEN_KEYS = {"code", "words", "anywhere", "without", "analyte", "above", "below", "no_code", "setting"}


@dataclass(frozen=True, slots=True)
class AxisQuestion:
    """How an open axis is asked about. `weight` orders gaps: small comes first."""

    missing: str
    ask: str
    why: str
    weight: int


@cache
def axis_questions() -> Mapping[str, AxisQuestion]:
    """Axis name -> its question."""
    text = files("code_maps.gaps").joinpath("axes.toml").read_text(encoding="utf-8")
    return {name: AxisQuestion(**row) for name, row in tomllib.loads(text)["axis"].items()}


@cache
def silent_places() -> tuple[str, ...]:
    """Places whose open axes aren't asked about: the answer would be no help to anyone."""
    text = files("code_maps.gaps").joinpath("axes.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["silent"]["places"])


@cache
def gap_rules() -> tuple[Rule, ...]:
    """The rule files, by id. An unknown key in `[when]` is an error."""
    found = tuple(read_rules("code_maps.gaps.rules", "gap", OWN_KEYS))
    for rule in found:
        unknown = set(rule.data.get("when", {})) - WHEN_KEYS
        if unknown:
            raise ValueError(
                f"{rule.id}.toml: unknown key {sorted(unknown)[0]!r} in [when]; known are {sorted(WHEN_KEYS)}"
            )
    return found
