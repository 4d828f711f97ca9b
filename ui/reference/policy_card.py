"""What a policy asks for, as HTML: its lists of diagnoses, what the note has to show, its limits."""

from __future__ import annotations

from pipeline.quick_reference import Card, Support
from ui.parts import esc
from ui.reference.parts import named, web

_OPEN = 12
"""Lists no longer than this are shown at once; longer ones open on a click."""


def card_html(card: Card, *, headed: bool) -> str:
    """A card as HTML. With `headed`, it says which policy it is."""
    parts = []
    if headed:
        version = f", version {card.version}" if card.version else ""
        since = f", in force from {card.effective}" if card.effective else ""
        parts.append(
            f'<div class="cp-top"><b>{esc(named(card.kind, card.id))}</b> {esc(card.title)}</div>'
            f'<div class="cp-sub">{esc(card.basis)}{esc(version)}{esc(since)}{web(card.url)}</div>'
        )
    if card.never_covered:
        parts.append("<p><b>Covered for no diagnosis.</b></p>")
    for name, rows in (("Supported by", card.supports), ("Not supported by", card.refused)):
        parts.extend(_support(name, row, "code" if card.basis == "code list" else "place") for row in rows)
    if not card.supports and not card.refused and not card.never_covered:
        parts.append("<p>It asks for no diagnosis of its own.</p>")
    for name, texts in (
        ("The note shows", card.documentation),
        ("Limits in time", card.limits),
        ("Mind", card.caveats),
    ):
        if texts:
            items = "".join(f"<li>{esc(text)}</li>" for text in texts)
            parts.append(f'<h3 class="cp-h">{name}</h3><ul class="cp-facts">{items}</ul>')
    return "".join(parts)


def _support(name: str, support: Support, thing: str) -> str:
    needs = "".join(f"<li>{esc(need)}</li>" for need in support.needs)
    codes = "".join(f"<li><b>{esc(place)}</b> {esc(title)}</li>" for place, title in support.places)
    if support.count > len(support.places):
        codes += f"<li>… {support.count - len(support.places):,} more</li>"
    many = f"1 {thing}" if support.count == 1 else f"{support.count:,} {thing}s"
    opened = " open" if support.count <= _OPEN else ""
    quote = f"<blockquote>{esc(support.quote)}</blockquote>" if support.quote else ""
    return (
        f'<h3 class="cp-h">{name} · group {support.group}</h3>'
        + (f'<ul class="cp-facts">{needs}</ul>' if needs else "")
        + f"<details{opened}><summary>{many}</summary><ul class='ref-codes'>{codes}</ul></details>{quote}"
    )
