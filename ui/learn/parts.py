"""What the tabs of the Learn page share: results, changes, and texts with their words marked, as safe HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from exchange.rendered import verdict_words
from exchange.teaching import KIND_NAMES, by_kind, visible_lines
from models.lesson import Change, Result
from pipeline.teaching.outcomes import said
from ui.parts import chip, esc, heading, quiet

_STATE = {
    "code": "ok", "withheld": "quiet", "missing": "warn", "undocumented": "risk", "edit": "warn", "gap": "warn",
    "level": "quiet", "violation": "risk",
}  # fmt: skip
_MOST = 4


def marked(text: str, runs: Iterable[str], tag: str = "mark") -> str:
    """A text as HTML, its lines kept, with runs of words marked where they first stand, in order."""
    shown, at, pieces = visible_lines(text), 0, []
    for run in runs:
        found = re.compile(r"\s+".join(map(re.escape, visible_lines(run).split()))).search(shown, at) if run else None
        if found and found.group():
            pieces += [html.escape(shown[at : found.start()]), f"<{tag}>{html.escape(found.group())}</{tag}>"]
            at = found.end()
    return "".join((*pieces, html.escape(shown[at:])))


def results_html(results: Sequence[Result], rule: str = "", most: int = _MOST) -> str:
    """Results under headings; the rule's own first and in full, of the others the first few, the rest folded away."""
    if not results:
        return quiet("Nothing: no code, no gap, nothing withheld.")
    parts = []
    for kind, found in by_kind([r for r in results if r.kind != "level"]).items():
        ordered = sorted(found, key=lambda r: rule not in r.rule.split(", "))
        own = sum(rule in r.rule.split(", ") for r in ordered)
        shown_first = most if kind in ("code", "verdict", "edit", "violation") else 1
        rows = [_row(r, own=rule in r.rule.split(", ")) for r in ordered]
        shown, rest = rows[: max(own, shown_first)], rows[max(own, shown_first) :]
        folded = f"<details><summary>{len(rest)} more</summary>{''.join(rest)}</details>" if rest else ""
        parts.append(heading(KIND_NAMES[kind]) + "".join(shown) + folded)
    return "".join(parts)


def _row(result: Result, own: bool) -> str:
    plain = result.rule == "specificity-descent" and not own  # the rule of every code
    rule = f' <code title="{esc(result.rule)}">{esc(result.rule)}</code>' if result.rule and not plain else ""
    cls = "learn-row learn-own" if own else "learn-row"
    match result.kind:
        case "code":
            first = f" {chip('ok', result.value)}" if result.value else ""
            return f'<div class="{cls}"><b>{esc(result.key)}</b> {esc(result.said)}{first}{rule}</div>'
        case "verdict":
            state, words = verdict_words(result.value)
            return (
                f'<div class="{cls}"><b>{esc(result.key)}</b> {chip(state, words)} {esc(result.said)}'
                f' <code title="{esc(result.value)}">{esc(result.value)}</code></div>'
            )
        case "withheld":
            return f'<div class="{cls}"><b>{esc(result.key)}</b> {esc(result.said)}{rule}</div>'
        case _:
            words = result.said or result.key
            return f'<div class="{cls}">{chip(_STATE[result.kind], _short(result))} {esc(words)}{rule}</div>'


def _short(result: Result) -> str:
    match result.kind:
        case "gap":
            return result.value
        case "edit":
            return result.value
        case "violation":
            return result.key
        case "missing":
            return "not shown"
        case _:
            return result.value or result.kind


def changes_html(changes: Sequence[Change], rule: str = "", most: int = 4) -> str:
    """What changes from one text to the other, one line each: a sign, and plain words."""
    if not changes:
        return quiet("Nothing changes.")
    rows = [
        f'<li class="learn-change{" learn-own" if rule and _by(change, rule) else ""}"><i aria-hidden="true">{_sign(change)}</i>'
        f"<span>{esc(_capital(said(change)))}</span></li>"
        for change in changes
    ]
    rest = rows[most:]
    folded = f'<details><summary>{len(rest)} more</summary><ul class="learn-changes">{"".join(rest)}</ul></details>'
    return f'<ul class="learn-changes">{"".join(rows[:most])}</ul>' + (folded if rest else "")


def _by(change: Change, rule: str) -> bool:
    return any(rule in r.rule.split(", ") for r in (change.before, change.after) if r)


def _sign(change: Change) -> str:
    return "↔" if change.before and change.after else "+" if change.after else "−"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def part(text: str) -> str:
    """A heading of a part of a tab, one level above those inside a lesson or a sheet."""
    return f'<h2 class="cp-h">{esc(text)}</h2>'
