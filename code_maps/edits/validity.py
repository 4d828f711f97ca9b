"""Whether a diagnosis code is valid on a date of service, and if not, in which way, over all releases at hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Literal

from code_maps.home import home
from code_maps.icd10cm import CodeSet, open_release
from code_maps.icd10cm.editions import dates
from code_maps.icd10cm.release import installed

Status = Literal["valid", "unknown", "header", "missing-7th", "retired", "not-yet-effective", "unchecked"]


def validity(code: str, on: dt.date | None, codes_for: Callable[[dt.date | None], CodeSet]) -> Status:
    """How a code stands on a date of service.

    Without a release that covers the date nothing is said ("unchecked"). Padding with X is forgiven when only the
    seventh character is lacking (OCG I.A.4, I.A.5).
    """
    release = codes_for(on)
    if release.is_billable(code):
        return "valid"
    if not release.covers:
        return "unchecked"
    stem = _stem(code, release)
    if stem is not None:
        return "missing-7th"
    if code in release:
        return "header"
    before, after = _elsewhere(code, on, home())
    return "retired" if before else "not-yet-effective" if after else "unknown"


def _stem(code: str, release: CodeSet) -> str | None:
    """The code without its padding, if all that it lacks is the seventh character."""
    for stem in (code, code.rstrip("X").rstrip(".")):
        if stem in release and release.children(stem) and release.seventh_characters(stem):
            below = release.children(stem)
            if all(release.extend(stem, leaf[-1]) == leaf for leaf in below):
                return stem
    return None


@lru_cache(maxsize=4096)
def _elsewhere(code: str, on: dt.date | None, folder: Path) -> tuple[bool, bool]:
    """Whether the code is billable in an earlier and in a later release. `folder` is where the releases are."""
    before = after = False
    for name in installed():
        since = dates(name)[0]
        if open_release(name).is_billable(code):
            before |= on is None or since <= on
            after |= on is not None and since > on
    return before, after


def billable_children(code: str, release: CodeSet, most: int = 6) -> tuple[str, ...]:
    """The first billable codes below a heading, for a message that says what would be right."""
    found: list[str] = []
    waiting = [code]
    while waiting and len(found) < most:
        node = waiting.pop(0)
        below = release.children(node)
        if below:
            waiting = [*below, *waiting]
        else:
            found.append(node)
    return tuple(found)
