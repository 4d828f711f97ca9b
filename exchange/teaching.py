"""Lessons, minimal pairs, checklists and graded answers for people: text, Markdown, HTML to print, DOCX.

Words of notes and rules are escaped in every format; nothing in them is read as markup.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from textwrap import fill, indent

from exchange.paper import Block, Heading, Items, Paper, Text
from exchange.rendered import verdict_words, visible, words
from models.lesson import Checklist, ChecklistLine, Graded, Lesson, Mark, Pair, Result, Shown
from pipeline.teaching.outcomes import said

WIDTH = 96
FAMILIES = {
    "guideline": "Coding rules",
    "gap": "Documentation gaps",
    "edit": "Claim edits",
    "policy": "Coverage policies",
    "query": "Queries to providers",
}
KIND_NAMES = {
    "code": "Codes", "withheld": "Withheld", "verdict": "Verdicts", "missing": "Not shown",
    "undocumented": "Billed, not in the note", "edit": "Claim edits", "gap": "Gaps", "level": "Visit level",
    "violation": "Faults of the query",
}  # fmt: skip


def result_said(result: Result) -> str:
    """One result in plain words, its key first."""
    match result.kind:
        case "code":
            return f"{result.key} {result.said}" + (f" ({result.value})" if result.value else "")
        case "withheld":
            return f"{result.key}: {result.said} ({result.rule})"
        case "verdict":
            return f"{result.key}: {verdict_words(result.value)[1]} ({result.value})"
        case "gap":
            return f"{result.said} ({result.rule})"
        case "edit":
            return f"{result.said} ({result.rule})"
        case "level":
            return f"{result.value} ({result.said})"
        case "violation":
            return f"{result.said} ({result.key})"
        case _:
            return result.key


def by_kind(results: Iterable[Result]) -> dict[str, list[Result]]:
    """Results under their kind, kinds in the order of KIND_NAMES."""
    found: dict[str, list[Result]] = {}
    for kind in KIND_NAMES:
        mine = [r for r in results if r.kind == kind]
        if mine:
            found[kind] = mine
    return found


# --- lessons ---------------------------------------------------------------------------------------------------------


def lesson_text(lesson: Lesson) -> str:
    """A lesson for a terminal."""
    start, end = lesson.in_force
    lines = [f"{lesson.id}  ({FAMILIES.get(lesson.family, lesson.family)})", lesson.title, "", fill(lesson.why, WIDTH)]
    lines += ["", f"In force: {start or 'always'} to {end or 'now'}"] if start or end else [""]
    lines += [f"Source: {s.said}" + (f"  {s.url}" if s.url else "") for s in lesson.sources]
    lines += [fill(f"Limit: {limit}", WIDTH, subsequent_indent="  ") for limit in lesson.limits]
    for head, shown in (("EXAMPLE", lesson.example), ("COUNTEREXAMPLE", lesson.counterexample)):
        lines += ["", _head(head, shown), indent(visible_lines(shown.text), "  ")]
        lines += [f"  -> {r}" for r in _results(shown)] or ["  -> nothing"]
    lines += ["", "THE DIFFERENCE"]
    lines += [f"  only in the example: {words(w, 200)}" for w in lesson.only_example]
    lines += [f"  only in the counterexample: {words(w, 200)}" for w in lesson.only_counter]
    lines += [fill(f"* {said(c)}", WIDTH, initial_indent="  ", subsequent_indent="    ") for c in lesson.changes]
    return "\n".join(lines)


def _head(name: str, shown: Shown) -> str:
    return f"{name} ({', '.join(shown.about)})" if shown.about else name


def _results(shown: Shown) -> list[str]:
    return [result_said(r) for r in shown.results if r.kind != "level"]


def visible_lines(text: str) -> str:
    """Text with its lines kept and without control characters."""
    return "\n".join(visible(line.expandtabs()) for line in text.splitlines())


def lesson_markdown(lesson: Lesson) -> str:
    """A lesson as Markdown; notes stand in code blocks."""
    lines = [f"# {_md(lesson.title)}", "", f"`{lesson.id}` · {FAMILIES.get(lesson.family, lesson.family)}", ""]
    lines += [_md(lesson.why), "", *(f"- Source: {_md(s.said)} {s.url}".rstrip() for s in lesson.sources)]
    lines += [f"- Limit: {_md(limit)}" for limit in lesson.limits]
    for head, shown in (("Example", lesson.example), ("Counterexample", lesson.counterexample)):
        lines += ["", f"## {_head(head, shown)}", "", _fenced(shown.text), ""]
        lines += [f"- {_md(r)}" for r in _results(shown)] or ["- nothing"]
    lines += ["", "## The difference", ""]
    lines += [f"- Only in the example: {_md(w)}" for w in lesson.only_example]
    lines += [f"- Only in the counterexample: {_md(w)}" for w in lesson.only_counter]
    lines += [f"- {_md(said(c))}" for c in lesson.changes]
    return "\n".join(lines) + "\n"


def _fenced(text: str) -> str:
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall(r"`+", text)), 3)
    return f"{fence}\n{visible_lines(text)}\n{fence}"


def _md(text: str) -> str:
    """Text on one line with every sign of Markdown escaped."""
    return re.sub(r"([\\`*_{}\[\]()#+!|<>~$])", r"\\\1", visible(" ".join(text.split())))


def lesson_html(lesson: Lesson) -> str:
    """A lesson as a page of its own."""
    sides = "".join(
        f"<section><h2>{esc(_head(head, shown))}</h2><pre>{html.escape(visible_lines(shown.text))}</pre><ul>"
        + ("".join(f"<li>{esc(r)}</li>" for r in _results(shown)) or "<li>nothing</li>")
        + "</ul></section>"
        for head, shown in (("Example", lesson.example), ("Counterexample", lesson.counterexample))
    )
    facts = "".join(f"<li>Source: {esc(s.said)}{_link(s.url)}</li>" for s in lesson.sources)
    facts += "".join(f"<li>Limit: {esc(limit)}</li>" for limit in lesson.limits)
    apart = "".join(f"<li>only in the example: <q>{esc(w)}</q></li>" for w in lesson.only_example)
    apart += "".join(f"<li>only in the counterexample: <q>{esc(w)}</q></li>" for w in lesson.only_counter)
    apart += "".join(f"<li>{esc(said(c))}</li>" for c in lesson.changes)
    return _page(
        lesson.title,
        f'<p class="sub"><code>{esc(lesson.id)}</code> · {esc(FAMILIES.get(lesson.family, lesson.family))}</p>'
        f'<p>{esc(lesson.why)}</p><ul class="facts">{facts}</ul><div class="two">{sides}</div>'
        f"<h2>The difference</h2><ul>{apart}</ul>",
    )


def esc(text: object) -> str:
    """Text on one line, made safe for HTML."""
    return html.escape(visible(" ".join(str(text).split())), quote=True)


def _link(url: str) -> str:
    return f' <a href="{esc(url)}">{esc(url)}</a>' if url.startswith("https://") else ""


def _page(title: str, body: str) -> str:
    style = files("exchange").joinpath("teaching.css").read_text(encoding="utf-8")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{esc(title)}</title>'
        f"<style>{style}</style></head><body><main><h1>{esc(title)}</h1>{body}</main></body></html>\n"
    )


# --- pairs -----------------------------------------------------------------------------------------------------------


def pairs_text(text: str, pairs: Sequence[Pair]) -> str:
    """Minimal pairs for a terminal: the words that go, where they stood, and what changes."""
    if not pairs:
        return "No single element of this note changes what the review says."
    lines: list[str] = []
    for number, pair in enumerate(pairs, 1):
        about = f" of {pair.about}" if pair.about else ""
        lines += [f"{number:2}  without the {pair.element}{about}: [{words(pair.removed, 120)}]"]
        before, after = around(text, pair)
        lines += [f"      … {words(before, 80)} [ ] {words(after, 60)}"]
        lines += [fill(f"* {said(c)}", WIDTH, initial_indent="    ", subsequent_indent="      ") for c in pair.changes]
    return "\n".join(lines)


def around(text: str, pair: Pair, most: int = 70) -> tuple[str, str]:
    """The words before and behind the place of a removal, on one line each."""
    before = " ".join(text[max(0, pair.start - most) : pair.start].split())
    after = " ".join(text[pair.end : pair.end + most].split())
    return before.partition(" ")[2] if pair.start > most else before, after.rpartition(" ")[0] or after


# --- checklists ------------------------------------------------------------------------------------------------------


def checklist_title(checklist: Checklist) -> str:
    """To support 83036 (glycated hemoglobin or protein), document"""
    name = f" ({checklist.name})" if checklist.name else ""
    return f"To support {checklist.code}{name}, document"


def checklist_about(checklist: Checklist) -> str:
    """The date, state and payer that a checklist holds for."""
    return f"{checklist.on or 'any date'} · {checklist.state or 'any state'} · {checklist.payer}"


def checklist_text(checklist: Checklist) -> str:
    """A checklist for a terminal."""
    lines = [checklist_title(checklist), checklist_about(checklist)]
    for part in checklist.parts:
        lines += ["", part.title.upper()]
        for line in part.lines:
            lines.append(fill(f"[ ] {line.text}", WIDTH, initial_indent=" ", subsequent_indent="     "))
            lines += [f"       {place:9} {title}".rstrip() for place, title in line.items]
            lines.append(fill(_standing(line), WIDTH, initial_indent="     ", subsequent_indent="     "))
    lines += ["", *(fill(f"Note: {n}", WIDTH, subsequent_indent="      ") for n in checklist.notices)]
    return "\n".join(lines).rstrip()


def _standing(line: ChecklistLine) -> str:
    return f"({line.source}; {line.rule})" if line.rule and line.rule not in line.source else f"({line.source})"


def checklist_markdown(checklist: Checklist) -> str:
    """A checklist as Markdown with boxes to tick."""
    lines = [f"# {_md(checklist_title(checklist))}", "", _md(checklist_about(checklist))]
    for part in checklist.parts:
        lines += ["", f"## {part.title}", ""]
        for line in part.lines:
            lines.append(f"- [ ] {_md(line.text)} *{_md(_standing(line))}*")
            lines += [f"  - {_md(f'{place} {title}'.rstrip())}" for place, title in line.items]
    lines += ["", *(f"> {_md(n)}  " for n in checklist.notices)]
    return "\n".join(lines).rstrip() + "\n"


def checklist_html(checklist: Checklist) -> str:
    """A checklist as one page to print."""
    body = [f'<p class="sub">{esc(checklist_about(checklist))}</p>']
    for part in checklist.parts:
        body.append(f'<h2>{esc(part.title)}</h2><ul class="ticks">{"".join(map(_tick, part.lines))}</ul>')
    if checklist.notices:
        body.append(f'<ul class="notices">{"".join(f"<li>{esc(n)}</li>" for n in checklist.notices)}</ul>')
    return _page(checklist_title(checklist), "".join(body))


def _tick(line: ChecklistLine) -> str:
    items = "".join(f"<li><b>{esc(place)}</b> {esc(title)}</li>" for place, title in line.items)
    return (
        f'<li><span class="box" aria-hidden="true"></span><div>{esc(line.text)} <small>{esc(_standing(line))}</small>'
        + (f'<ul class="items">{items}</ul>' if items else "")
        + "</div></li>"
    )


def checklist_paper(checklist: Checklist) -> Paper:
    """A checklist as a document, for Word and PDF."""
    blocks: list[Block] = []
    for part in checklist.parts:
        blocks.append(Heading(part.title))
        for line in part.lines:
            blocks.append(Items((line.text,), "☐"))
            if line.items:
                blocks.append(Text(";  ".join(f"{place} {title}".rstrip() for place, title in line.items)))
            blocks.append(Text(_standing(line), "quiet"))
    if checklist.notices:
        blocks += [Heading("To bear in mind", 2), *(Text(notice, "quiet") for notice in checklist.notices)]
    return Paper(
        checklist_title(checklist), checklist_about(checklist), tuple(blocks), f"ChartProof · {checklist.code}"
    )


# --- graded answers --------------------------------------------------------------------------------------------------

MARK_SIGNS = {
    "right": ("ok", "right"), "also right": ("ok", "also right"), "less specific": ("warn", "less specific"),
    "other detail": ("warn", "right category, other detail"), "near": ("warn", "one level off"),
    "missed": ("risk", "missed"), "invented": ("risk", "not in the note"),
}  # fmt: skip
"""How a mark weighs, and its words."""


def points(number: float) -> str:
    """Points without needless digits, with a real minus."""
    return f"{number:g}".replace("-", "−")


def graded_text(graded: Graded) -> str:
    """Graded answers for a terminal."""
    who = f"{visible(graded.learner)}: " if graded.learner else ""
    lines = [f"{graded.exercise}  {who}{points(graded.points)} of {points(graded.of)} ({graded.percent} %)"]
    for mark in graded.marks:
        lines += ["", *_mark_lines(mark)]
    return "\n".join(lines)


def _mark_lines(mark: Mark) -> Iterator[str]:
    said_ = MARK_SIGNS[mark.result][1]
    shown = (
        mark.given if mark.given == mark.expected or not mark.expected else f"{mark.given or '–'} -> {mark.expected}"
    )
    yield f"{mark.kind:5} {visible(shown)}  {said_}  {points(mark.points)} of {points(mark.of)}"
    yield fill(mark.why, WIDTH, initial_indent="      ", subsequent_indent="      ")
    for quoted in mark.words[:3]:
        yield f'      "{words(quoted, 80)}"'
    if mark.rules:
        yield f"      rule {', '.join(mark.rules)}"
