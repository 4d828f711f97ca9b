"""The text of a rule, for `chartproof explain`, the Learn page and the docs: all from the one rule file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from code_maps.coverage import policies
from code_maps.edits import edit_rules
from code_maps.gaps import gap_rules
from code_maps.guidelines import guideline_rules
from code_maps.icd10cm import load
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


def all_rules() -> list[dict[str, Any]]:
    """Every rule as {"id", "family", "title", "why", "sources", "limits"}, by family and id."""
    found = sorted(_all().values(), key=lambda r: (r.family, r.id))
    return [
        {
            "id": r.id,
            "family": r.family,
            "title": r.title,
            "why": r.why,
            "sources": [str(s) for s in r.sources],
            "limits": list(r.limits),
        }
        for r in found
    ]


def explain(key: str) -> str:
    """One rule as a page of text; an ICD-10-CM code gives its title and says where to look further.

    Raises InputProblem for an id that nothing has, with the nearest that exist.
    """
    rule = _all().get(key)
    if rule:
        return _page(rule)
    codes = load()
    if key in codes:
        return f"{key}  {codes.title(key)}\n\nAll notes that hold for it: chartproof codes show {key}"
    near = [known for known in _all() if key.lower() in known or known in key.lower()][:5]
    raise InputProblem(
        f"no rule, gap, edit, policy or code {key!r}", "explain",
        f"near it: {', '.join(near)}" if near else "`chartproof rules` lists them all",
    )  # fmt: skip


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
