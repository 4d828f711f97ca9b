"""Documentation gaps: how an open axis is asked about, and the gaps that the tabular can't derive, one file each.

A rule file's `[when]` is a closed vocabulary. What sets a rule off is one of

    analyte, above, below   a measured value of the note on the far side of a limit, of the patient, taken as present
    unit      with `analyte`: only a value in this unit (lower case), or in none
    flag      with `analyte`: the value is said to be "high" or "low" where no number stands
    said, of  a sentence that isn't negated says one of `said` and one of `of` ("elevated" + "creatinine")
    match     this regular expression matches in the note (lower case), which has one of the words of
              `anywhere` (looked for first, as that costs little); its line is shown
    finding   a finding at one of these places that isn't negated, of a relative's or hypothetical
    drug_class   a drug of one of these classes (code_maps/terms/drugs.csv) that the patient takes or is given
    order     an order or treatment whose words hold one of these
    line      a claim line with one of these codes ("7214" stands for all that begin so)
    code      a proposal at one of these places
    check     a computed one of CHECKS, by name: how it works stands in the module named there

and all of these must hold as well, where they are given

    code      with another of the above: a proposal lies under one of these places, and the gap is about it
    assessed  the proposal stands in the assessment (true) or not (false)
    seventh   the code ends in one of these seventh characters ("A": the first treatment of an injury)
    words, words_not   one or none of these stands in the sentences or the problem of the proposal
    planned   one of these stands in the assessment, plan or instructions
    anywhere, without  one or none of these stands anywhere in the note
    without_match      this regular expression matches nowhere in the note (lower case)
    with_code a proposal lies under one of these places
    times     with `analyte`: so many values on the far side of the limit ("eGFR over time")
    no_code   no proposal lies under these places; with `drug_class` no condition that is mentioned does either
    no_drug_class   the patient takes or is given no drug of these classes by name
    places    where the finding or sentence stands: exam, results, other (any of these)
    section, no_section   the note has, or hasn't, a section of one of these categories
    sex, age_from, age_to   of the patient; a rule that names one is silent where it isn't known
    setting   outpatient or inpatient

A limit for `analyte` is one of adults: it is silent in the note of a child unless the rule says `age_to`.
Words are lower case and found anywhere in a word ("ectomy"); write a blank where a word begins or ends.

Two optional keys beside `[when]` say what an answer would change (pipeline.suppose):

    supposed  how the answer is written in the note, the most usual way first: "{evidence}" stands for the words of the
              note that are asked about, "{about}" for what the question calls them, "{answer}" for the option, "{side}"
              for the side that it names, "{title}" for the title of the code that it leads to. Without options it is
              one neutral statement; a question whose answer is a diagnosis has none
    leads_to  the codes that the options lead to; "{category}" stands for the category of the gap's code

The questions of axes.toml have `supposed` too.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from code_maps.rulefile import Rule, RuleProblem, read_rules

OWN_KEYS = {"kind", "missing", "about", "code", "ask", "options", "priority", "when", "supposed", "leads_to"}
TRIGGERS = ("check", "analyte", "said", "finding", "drug_class", "order", "line", "match", "code")
WHEN_KEYS = {
    *TRIGGERS, "above", "below", "flag", "of", "assessed", "words", "words_not", "planned", "anywhere", "without", "no_code",
    "places", "section", "no_section", "sex", "age_from", "age_to", "setting",
    "unit", "seventh", "without_match", "with_code", "times",
    "no_drug_class",
}  # fmt: skip
OPEN_ANSWERS = ("Other", "Unable to determine")
"""Answers that every list of options ends with, and that say nothing further."""
CHECKS = {
    "side-conflict": "conflicts", "sex-conflict": "conflicts", "certainty-conflict": "conflicts",
    "presence-conflict": "conflicts", "copied-text": "conflicts", "history-of-current": "conflicts",
    "finding-not-examined": "conflicts", "age-conflict": "conflicts", "acuity-conflict": "conflicts", "no-status": "elements",
    "part-not-examined": "elements", "vitals-without-values": "elements", "result-without-value": "elements",
    "symptom-not-assessed": "elements", "no-monitoring-value": "elements", "study-not-named": "elements", "no-duration": "elements",
    "drug-without-diagnosis": "linkage", "policy-criteria": "policy",
}  # fmt: skip
"""Computed checks and the module of pipeline.gaps that holds each."""


@dataclass(frozen=True, slots=True)
class AxisQuestion:
    """How an open axis is asked about. `weight` orders gaps: small comes first. `supposed` is as in a rule file."""

    missing: str
    ask: str
    why: str
    weight: int
    supposed: tuple[str, ...]


@cache
def axis_questions() -> Mapping[str, AxisQuestion]:
    """Axis name -> its question."""
    text = files("code_maps.gaps").joinpath("axes.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["axis"].items()
    return {name: AxisQuestion(**{**row, "supposed": tuple(row["supposed"])}) for name, row in rows}


@cache
def element_wordings() -> Mapping[str, tuple[str, ...]]:
    """What stands for an answer to rule missing-element, by what is missing."""
    text = files("code_maps.gaps").joinpath("axes.toml").read_text(encoding="utf-8")
    return {name: tuple(row["supposed"]) for name, row in tomllib.loads(text)["element"].items()}


def is_open_answer(answer: str) -> bool:
    """Whether an answer says nothing further."""
    return answer in OPEN_ANSWERS or not answer.strip()


@cache
def proper_names() -> frozenset[str]:
    """Names that keep their capital inside a sentence (proper_names.txt)."""
    text = files("code_maps.gaps").joinpath("proper_names.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


@cache
def silent_places() -> tuple[str, ...]:
    """Places whose open axes aren't asked about: the answer would be no help to anyone."""
    text = files("code_maps.gaps").joinpath("axes.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["silent"]["places"])


def check_wording(rule: Rule) -> None:
    """Raises RuleProblem where `supposed` or `leads_to` of a rule don't go with its options."""
    options = rule.data["options"]
    for wording in rule.data.get("supposed", ()):
        if bool(options) != ("{answer}" in wording):
            raise RuleProblem(
                f"{rule.id}.toml: supposed {wording!r} needs {{answer}} where there are options, and only there"
            )
    if "leads_to" in rule.data and not options:
        raise RuleProblem(f"{rule.id}.toml: leads_to is for the options of a question, and there are none")


@cache
def gap_rules() -> tuple[Rule, ...]:
    """The rule files, by id. Raises RuleProblem for a key or a check in `[when]` that isn't known, or a bad wording."""
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
        if "match" in when and not when.get("anywhere"):
            raise RuleProblem(f"{rule.id}.toml: `match` needs `anywhere`, a word of each of its alternatives")
        if when.get("check", "no-status") not in CHECKS:
            raise RuleProblem(f"{rule.id}.toml: unknown check {when['check']!r}; known are {sorted(CHECKS)}")
        check_wording(rule)
    return found
