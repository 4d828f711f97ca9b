"""The text of a rule, for `chartproof explain`, the Learn page and the docs: all from the one rule file."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from typing import Any

from code_maps.coverage import policies
from code_maps.coverage.mcd import described
from code_maps.coverage.payer import payer_source
from code_maps.edits import edit_rules
from code_maps.gaps import gap_rules
from code_maps.guidelines import guideline_rules
from code_maps.icd10cm import ImportProblem, load
from code_maps.queries import query_rules
from code_maps.rulefile import Rule
from models.problem import InputProblem


@cache
def _all() -> dict[str, Rule]:
    return {rule.id: rule for rule in _every()}


def _every() -> Iterator[Rule]:
    yield from guideline_rules().values()
    yield from gap_rules()
    yield from edit_rules()
    yield from (policy.rule for policy in policies())
    yield from query_rules().values()


def every_rule() -> tuple[Rule, ...]:
    """Every rule of every family, by family and id."""
    return tuple(sorted(_all().values(), key=lambda r: (r.family, r.id)))


def all_rules() -> list[dict[str, Any]]:
    """Every rule as {"id", "family", "title", "why", "sources", "limits"}, by family and id."""
    return [
        {
            "id": r.id,
            "family": r.family,
            "title": r.title,
            "why": r.why,
            "sources": [str(s) for s in r.sources],
            "limits": list(r.limits),
        }
        for r in every_rule()
    ]


def explain(key: str) -> str:
    """One rule or policy as a page of text; an ICD-10-CM code gives its title and says where to look further.

    Policies are those of the starter set, the user's own payer policies and imported documents (A56680, L33831,
    NCD 240). Raises InputProblem for an id that nothing has, with the nearest that exist, and ImportProblem where
    imported documents are damaged.
    """
    rule = _all().get(key) or next((p.rule for p in payer_source().policies if p.id == key), None)
    if rule:
        return _page(rule)
    codes = load()
    if key in codes:
        return f"{key}  {codes.title(key)}\n\nAll notes that hold for it: chartproof codes show {key}"
    imported = described.show_lines(key)
    if imported:
        return "\n".join(imported)
    raise InputProblem(f"no rule, gap, edit, policy or code {key!r}", "explain", _near(key))


def rule_of(key: str) -> Rule:
    """One rule by its id. Raises InputProblem for an id that no rule has, with the nearest that exist."""
    rule = _all().get(key)
    if rule is None:
        raise InputProblem(f"no rule, gap, edit or policy {key!r}", "lesson", _near(key))
    return rule


def _imported() -> list[str]:
    try:
        return described.ids()
    except ImportProblem:
        return []  # they can't be near; a question about one of them says that they are damaged


def _near(key: str) -> str:
    known = {i.casefold(): i for i in (*_all(), *(p.id for p in payer_source().policies), *_imported())}
    low = key.casefold().strip()
    near = [known[i] for i in known if low and (low in i or i in low)]
    near += [known[i] for i in get_close_matches(low, known, 5, 0.75) if known[i] not in near]
    near = near[:5]
    return f"near it: {', '.join(near)}" if near else "`chartproof rules` lists them all"


def _page(rule: Rule) -> str:
    lines = [f"{rule.id}  ({rule.family})", rule.title, "", rule.why, ""]
    start, end = rule.in_force
    if start or end:
        lines.append(f"In force: {start or 'always'} to {end or 'now'}")
    lines += [f"Source: {source}" for source in rule.sources]
    lines += [f"Limit: {limit}" for limit in rule.limits]
    for example in rule.examples:
        said = str(example.get("note") or example.get("text") or "")
        shown = {k: v for k, v in example.items() if k not in ("note", "text")}
        lines += ["", "Example:", *(f"  {line}" for line in said.splitlines())]
        lines += [f"  -> {name}: {value}" for name, value in shown.items()]
    return "\n".join(lines)
