"""Elements of documentation: symptoms, history, examination, results, treatments, orders, reasons, numbers.

Each module finds one kind in a note; `extract` runs them all over one reading of it.
"""

from __future__ import annotations

from dataclasses import replace

from models.finding import Mention
from models.text import Layout
from pipeline.extractors import exam, history, orders, quantities, rationale, results, symptoms, treatments
from pipeline.extractors.common import read

_MODULES = (symptoms, history, exam, results, treatments, orders, rationale, quantities)


def extract(text: str, layout: Layout) -> list[Mention]:
    """Every mention the extractors find, by place and kind; the same words of one kind are given once."""
    reading = read(text, layout)
    best: dict[tuple[int, int, str], Mention] = {}
    for module in _MODULES:
        for mention in module.find(reading):
            key = (mention.start, mention.end, mention.kind)
            known = best.get(key)
            if known is None or len(mention.values) > len(known.values):
                best[key] = mention
    return _dosed([best[key] for key in sorted(best)])


def _dosed(mentions: list[Mention]) -> list[Mention]:
    """Doses inside the words of a drug become values of that drug."""
    kept: list[Mention] = []
    drug = -1
    for m in mentions:
        if m.kind == "treatment" and m.source == "quantity":
            if drug >= 0 and m.end <= kept[drug].end:
                names = {name for name, _ in kept[drug].values}
                dose = tuple((k, v) for k, v in m.values if k in ("quantity", "unit") and k not in names)
                kept[drug] = replace(kept[drug], values=kept[drug].values + dose)
                continue
        elif m.kind == "treatment" and (drug < 0 or m.end > kept[drug].end):
            drug = len(kept)
        kept.append(m)
    return kept
