"""versions(before, after, …) -> Versions: what an addendum or an edit of a note changed. A pure function.

A gap is the same one in both versions when its id is: ids name the question and the condition, not a place. Whether it
rests on the same words is told by its fingerprint, so that white space and what was written around it don't matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from models.gap import Gap
from models.report import Report
from models.text import Span
from models.versions import KeptGap, Versions
from pipeline.compare import compare

_ADDED = re.compile(r"(?:addend(?:um|a)|late[ -]entry)\b", re.IGNORECASE)
_HEADED = re.compile(
    r"(?i:addend(?:um|a)|late[ -]entry)\b[^a-z\n:]*(?:(?i:by|dr|at|on|note|late entry|addendum)\b[^\n:]*)?(?:[:\n]|$)"
)
_LINE = re.compile(r"[^\r\n]*\S[^\r\n]*")
_WORD = re.compile(r"\w+")


def versions(before: Report, after: Report, text_before: str, text_after: str) -> Versions:
    """How the reports of two versions of a note differ; each report is the review of the text beside it.

    A gap that the later report only leaves out for more important ones isn't resolved but kept.
    """
    old = {g.id: g for g in (*before.further_gaps, *(before.settled or ()), *before.gaps)}
    shown = {g.id: g for g in after.gaps}
    settled = {g.id: g for g in after.settled or ()}
    new = {**{g.id: g for g in after.further_gaps}, **settled, **shown}
    seen = {g.id for g in before.gaps} | shown.keys()
    return Versions(
        resolved=tuple(g for g in before.gaps if g.id not in new),
        opened=tuple(g for g in after.gaps if g.id not in old),
        kept=tuple(
            KeptGap(gap, gap.fingerprint == old[gap.id].fingerprint, gap.id in shown)
            for gap in _in_order(new, after)
            if gap.id in old and gap.id in seen and gap.id not in settled
        ),
        settled=tuple(settled.values()),
        addenda=tuple(s.title for s in after.sections if _ADDED.match(s.title)),
        written=tuple(_written(text_before, text_after)),
        comparison=compare(before, after, by_words=True),
    )


def with_addendum(text: str, addendum: str) -> str:
    """A note with an addendum below it, headed so unless it heads itself."""
    headed = addendum.lstrip()
    return f"{text}\n\n{headed}" if _HEADED.match(headed) else f"{text}\n\nADDENDUM\n{addendum}"


def _in_order(gaps: dict[str, Gap], after: Report) -> list[Gap]:
    """Gaps in the order of the report, those it leaves out behind."""
    place = {g.id: n for n, g in enumerate(after.gaps)}
    return sorted(gaps.values(), key=lambda g: (place.get(g.id, len(place)), g.id))


def _written(before: str, after: str) -> Iterator[Span]:
    """The lines of a text whose words, in their order, stand nowhere in the earlier one."""
    known = " " + " ".join(_WORD.findall(before.casefold())) + " "
    for line in _LINE.finditer(after):
        said = _WORD.findall(line[0].casefold())
        if said and f" {' '.join(said)} " not in known:
            yield Span(line.start() + len(line[0]) - len(line[0].lstrip()), line.start() + len(line[0].rstrip()))
