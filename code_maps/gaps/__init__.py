"""Documentation gaps: how an open axis is asked about, and the gaps that the tabular can't derive, one file each.

A rule file's `[when]` is a closed vocabulary. What sets a rule off is one of

    analyte, above, below   a measured value of the note on the far side of a limit, of the patient, taken as present
    flag      with `analyte`: the value is said to be "high" or "low" where no number stands
    said, of  a sentence that isn't negated says one of `said` and one of `of` ("elevated" + "creatinine")
    finding   a finding at one of these places that isn't negated, of a relative's or hypothetical
    drug_class   a drug of one of these classes (code_maps/terms/drugs.csv) that the patient takes or is given
    order     an order or treatment whose words hold one of these
    line      a claim line with one of these codes ("7214" stands for all that begin so)
    code      a proposal at one of these places
    check     a computed one of CHECKS, by name: how it works stands in the module named there

and all of these must hold as well, where they are given

    code      with another of the above: a proposal lies under one of these places, and the gap is about it
    assessed  the proposal stands in the assessment (true) or not (false)
    words, words_not   one or none of these stands in the sentences or the problem of the proposal
    planned   one of these stands in the assessment, plan or instructions
    anywhere, without  one or none of these stands anywhere in the note
    no_code   no proposal lies under these places; with `drug_class` no condition that is mentioned does either
    places    where the finding or sentence stands: exam, results, other (any of these)
    section, no_section   the note has, or hasn't, a section of one of these categories
    sex, age_from, age_to   of the patient; a rule that names one is silent where it isn't known
    setting   outpatient or inpatient

Words are lower case and found anywhere in a word ("ectomy"); write a blank where a word begins or ends.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from code_maps.rulefile import Rule, RuleProblem, read_rules

OWN_KEYS = {"kind", "missing", "about", "code", "ask", "options", "priority", "when"}
TRIGGERS = ("check", "analyte", "said", "finding", "drug_class", "order", "line", "code")
WHEN_KEYS = {
    *TRIGGERS, "above", "below", "flag", "of", "assessed", "words", "words_not", "planned", "anywhere", "without", "no_code",
    "places", "section", "no_section", "sex", "age_from", "age_to", "setting",
}  # fmt: skip
CHECKS = {
    "side-conflict": "conflicts", "sex-conflict": "conflicts", "certainty-conflict": "conflicts",
    "presence-conflict": "conflicts", "copied-text": "conflicts", "history-of-current": "conflicts",
    "finding-not-examined": "conflicts", "no-status": "elements",
    "part-not-examined": "elements", "vitals-without-values": "elements", "result-without-value": "elements",
    "no-monitoring-value": "elements", "study-not-named": "elements", "no-duration": "elements",
    "drug-without-diagnosis": "linkage", "policy-criteria": "policy",
}  # fmt: skip
"""Computed checks and the module of pipeline.gaps that holds each."""


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
    """The rule files, by id. Raises RuleProblem for a key or a check in `[when]` that isn't known."""
    found = tuple(read_rules("code_maps.gaps.rules", "gap", OWN_KEYS))
    for rule in found:
        when = rule.data.get("when", {})
        unknown = set(when) - WHEN_KEYS
        if unknown:
            raise RuleProblem(
                f"{rule.id}.toml: unknown key {sorted(unknown)[0]!r} in [when]; known are {sorted(WHEN_KEYS)}"
            )
        if not set(when) & set(TRIGGERS):
            raise RuleProblem(f"{rule.id}.toml: nothing in [when] sets it off; it needs one of {', '.join(TRIGGERS)}")
        if when.get("check", "no-status") not in CHECKS:
            raise RuleProblem(f"{rule.id}.toml: unknown check {when['check']!r}; known are {sorted(CHECKS)}")
    return found
