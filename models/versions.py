"""Two versions of one note, the later with an addendum or edits: what became of the gaps, codes and verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.comparison import Comparison
from models.gap import Gap
from models.report import plain
from models.text import Span

SCHEMA = "chartproof.versions/1"


@dataclass(frozen=True, slots=True)
class KeptGap:
    """A gap of both versions, as the later one has it.

    `unchanged` says whether it rests on the same words as before; `shown` whether the later report has it among those
    that it shows (a gap may give way to more important ones without being answered).
    """

    gap: Gap
    unchanged: bool
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Versions:
    """What differs from the earlier version to the later.

    `addenda` are the headings of what was written later, each with the date it carries; `written` are the places in
    the later text of lines whose words the earlier one doesn't have. `resolved` quotes the earlier text, all else the
    later.
    """

    resolved: tuple[Gap, ...] = ()
    opened: tuple[Gap, ...] = ()
    kept: tuple[KeptGap, ...] = ()
    settled: tuple[Gap, ...] = ()
    addenda: tuple[str, ...] = ()
    written: tuple[Span, ...] = ()
    comparison: Comparison | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, keys in a fixed order."""
        shown = plain(self)
        if self.comparison is not None:
            shown["comparison"] = self.comparison.to_dict()
        return {"schema": SCHEMA, **shown}
