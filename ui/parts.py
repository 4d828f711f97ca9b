"""Small pieces of HTML that the pages share. Words of notes and files pass through `esc`, never through Markdown.

A button with `data-show` lights its words in the note beside it, in the browser alone; one with `data-do` tells the
page what to do (`ui.note_view` listens to both).
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

from exchange.rendered import STATE_SIGN, words
from models.finding import Finding
from models.proposal import Evidence

Spans = Sequence[tuple[int, int]]


def esc(text: object) -> str:
    """Text made safe for HTML, on one line of its own direction."""
    return html.escape(" ".join(str(text).split()), quote=True)


def plain_label(text: str) -> str:
    """Text for the label of a widget, where Markdown would be read: every sign of it is escaped."""
    return "".join("\\" + c if c in "\\`*_{}[]()#+-.!|~>$:<&^=@" else c for c in " ".join(text.split()))


def chip(state: str, text: str) -> str:
    """A small label that says how something weighs, by a sign and words as well as by colour."""
    return f'<span class="cp-chip s-{state}">{STATE_SIGN[state]} {esc(text)}</span>'


def heading(text: str) -> str:
    """A heading inside a panel."""
    return f'<h3 class="cp-h">{esc(text)}</h3>'


def quiet(text: str) -> str:
    """A remark that asks for nothing."""
    return f'<p class="cp-quiet">{esc(text)}</p>'


def shows(spans: Spans) -> str:
    """The attribute that lights words of the note, by their places."""
    return f'data-show="{" ".join(f"{start}-{end}" for start, end in spans)}"'


def spans_of(ids: Iterable[str], by_id: Mapping[str, Finding]) -> list[tuple[int, int]]:
    """The places of findings in the note."""
    return [(by_id[i].start, by_id[i].end) for i in ids if i in by_id]


def quote(e: Evidence, most: int = 150) -> str:
    """Words of the note with their section, as a button that shows them there."""
    where = f'<span class="cp-where">{esc(e.section.replace("_", " "))}</span>' if e.section else ""
    return (
        f'<button class="cp-quote" {shows([(e.start, e.end)])}>'
        f'<q dir="auto"><bdi>{esc(words(e.text, most))}</bdi></q>{where}</button>'
    )


def said(text: str, spans: Spans, most: int = 60) -> str:
    """Words of the note inside a line of text, as a button that shows them there."""
    return f'<button class="cp-said" {shows(spans)}><q dir="auto"><bdi>{esc(words(text, most))}</bdi></q></button>'


def act(what: str, label: str, cls: str = "cp-do") -> str:
    """A button that tells the page what to do; `label` is HTML."""
    return f'<button class="{cls}" data-do="{esc(what)}">{label}</button>'


def apart(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Evidence in order, without what lies inside or across an earlier or longer quote of the same words."""
    kept: list[Evidence] = []
    for e in evidence:
        over = [k for k in kept if k.start < e.end and e.start < k.end]
        if not over:
            kept.append(e)
        elif all(e.end - e.start > k.end - k.start for k in over):
            kept[kept.index(over[0])] = e
            kept = [k for k in kept if k is e or k not in over]
    return kept
