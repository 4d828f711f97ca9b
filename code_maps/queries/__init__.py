"""Compliant queries: one rule file for each way in which a query goes wrong, and the table of clinical indicators.

A rule's `code` is the statement of the project's rule list that it tests (`R-J2`), the name by which a violation is
reported. `[words]` holds named lists of patterns (regular expressions; small letters ignore case, a pattern that
begins with `(?-i:` doesn't): which lists a rule has is fixed here, what stands in them is the file's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from code_maps.queries.conditions import Condition, Indicators, Mention, indicators
from code_maps.rulefile import Rule, RuleProblem, read_rules

__all__ = ["Condition", "Indicators", "Mention", "indicators", "query_rules", "words_of"]

OWN_KEYS = {"code", "suggestion", "words"}
EXAMPLE_KEYS = {"text", "setting", "violations"}
# The lists of patterns that the linter asks each rule for.
WORD_LISTS = {
    "R-J1": {"source", "no_source", "heading"},
    "R-J2": {"banned", "allowed"},
    "R-J3": {"generic", "stale", "introduces"},
    "R-J4": {"leading", "introduces", "other", "unable", "emphasis"},
    "R-J5": {"question", "allowed"},
    "R-J6": {"no_diagnosis"},
    "R-J7": {"campaign", "practice", "unless"},
    "R-J8": {"no_effect", "reconfirm", "unless"},
    "R-J9": {"not_retained", "unless"},
    "R-J10": {"uncertain", "unless"},
}


@cache
def query_rules() -> Mapping[str, Rule]:
    """Code (`R-J1` to `R-J10`) -> its rule file, in order. Raises RuleProblem for a missing or unknown key."""
    found = {}
    for rule in read_rules("code_maps.queries.rules", "query", OWN_KEYS):
        code = rule.data.get("code", "")
        if code not in WORD_LISTS or code in found:
            raise RuleProblem(f"{rule.id}.toml: code {code!r}; each of {', '.join(WORD_LISTS)} has one file")
        if set(rule.data.get("words", {})) != WORD_LISTS[code]:
            raise RuleProblem(f"{rule.id}.toml: [words] must hold {', '.join(sorted(WORD_LISTS[code]))}")
        for example in rule.examples:
            if set(example) != EXAMPLE_KEYS:
                raise RuleProblem(f"{rule.id}.toml: an example has {', '.join(sorted(EXAMPLE_KEYS))}")
        found[code] = rule
    return {code: found[code] for code in WORD_LISTS if code in found}


@cache
def words_of(code: str, name: str) -> re.Pattern[str]:
    """One list of patterns of a rule; an empty list matches nothing."""
    patterns = query_rules()[code].data["words"][name]
    return re.compile("|".join(f"(?:{p})" for p in patterns) if patterns else r"(?!)", re.IGNORECASE)
