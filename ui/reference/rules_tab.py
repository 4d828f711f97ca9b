"""Rules: by family, and a page for each with why it exists, its source, its limits and its examples."""

from __future__ import annotations

from typing import Any

import streamlit as st

from code_maps.rulefile import Rule
from pipeline.explain import every_rule
from ui.parts import esc
from ui.reference.parts import Asked, chip, dates, link, links, opened, quiet, unlink, web

_FAMILIES = {
    "guideline": "Coding rules", "gap": "Documentation gaps", "edit": "Claim edits", "query": "Queries",
}  # fmt: skip
# Names of what an example says, in words.
_SAID = {
    "codes": "codes", "not": "not these codes", "first": "first-listed", "withheld": "held back", "gaps": "gaps",
    "gap": "gap", "no_gap": "no gap", "fires": "the edit fires", "line": "on line", "dx": "for diagnosis",
    "violations": "breaks", "setting": "setting", "age": "age", "sex": "sex", "with": "with", "missing": "missing",
}  # fmt: skip


def draw(asked: Asked) -> None:
    """The Rules tab."""
    rules = [rule for rule in every_rule() if rule.family != "policy"]
    left, right = st.columns([0.4, 0.6], gap="medium")
    with left:
        _list(rules)
    with right:
        key = opened("rule")
        rule = next((r for r in rules if r.id == key), None)
        if rule is None:
            unlink()
            quiet("Choose a rule: why it exists, where it stands, its limits and examples." if key is None
                  else f"There is no rule {key}.")  # fmt: skip
        else:
            link("rule", rule.id)
            _page(rule)


def _list(rules: list[Rule]) -> None:
    words = st.text_input("Words or an id", key="ref_rule_words", placeholder="integral symptom").casefold().split()
    family = st.pills("Family", list(_FAMILIES), key="ref_rule_family", format_func=_FAMILIES.__getitem__)
    shown = [
        r for r in rules
        if (family is None or r.family == family)
        and all(w in f"{r.id} {r.title} {r.why} {r.data.get('code', '')}".casefold() for w in words)
    ]  # fmt: skip
    if not shown:
        quiet("No rule has these words.")
    for name, heading in _FAMILIES.items():
        mine = [(r.id, r.title) for r in shown if r.family == name]
        if mine:
            links(f"rules_{name}", "rule", mine, "rule", f"{heading} · {len(mine)}")


def _page(rule: Rule) -> None:
    start, end = rule.in_force
    code = f" · {rule.data['code']}" if rule.family == "query" else ""
    facts = f"{_FAMILIES[rule.family]}{code} · {dates(start, end) if start or end else 'whatever the date'}"
    state = "" if rule.status == "active" else chip("warn", rule.status)
    sources = "".join(f"<li>{esc(source)}{web(source.url)}</li>" for source in rule.sources)
    limits = "".join(f"<li>{esc(limit)}</li>" for limit in rule.limits)
    parts = [
        f'<div class="cp-tab"><h2>{esc(rule.id)}</h2><p class="ref-title">{esc(rule.title)}</p>'
        f'<div class="cp-sub">{esc(facts)} {state}</div></div>',
        f'<h3 class="cp-h">Why</h3><p>{esc(rule.why)}</p>',
        f'<h3 class="cp-h">Source</h3><ul class="cp-facts">{sources}</ul>',
    ]
    if limits:
        parts.append(f'<h3 class="cp-h">Limits</h3><ul class="cp-facts">{limits}</ul>')
    if rule.family == "query":
        parts.append(f'<h3 class="cp-h">What would be right</h3><p>{esc(rule.data["suggestion"])}</p>')
    if rule.examples:
        parts.append('<h3 class="cp-h">Examples</h3>' + "".join(map(_example, rule.examples)))
    st.html("".join(parts))


def _example(example: dict[str, Any]) -> str:
    text = str(example.get("note") or example.get("text") or "")
    quote = "".join(f"<p>{esc(line)}</p>" for line in text.splitlines() if line.strip())
    said = "".join(
        f"<li>{esc(_SAID.get(name, name))}: <b>{esc(_words(value))}</b></li>"
        for name, value in example.items() if name not in ("note", "text", "tables")
    )  # fmt: skip
    return (
        f'<div class="ref-example">{f"<blockquote>{quote}</blockquote>" if quote else ""}'
        f'<ul class="cp-facts">{said}</ul></div>'
    )


def _words(value: object) -> str:
    """A value of an example in words; a claim as its date, diagnoses and lines."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{str(name).replace('_', ' ')} {_words(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value)) or "none"
    return str(value)
