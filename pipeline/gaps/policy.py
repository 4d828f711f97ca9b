"""Policy: what the policy of a claim line asks of the note beside its codes, and the note doesn't show."""

from __future__ import annotations

import re
from collections.abc import Callable

from code_maps.rulefile import Rule
from models.gap import Gap
from pipeline.gaps.context import Case, make_gap

_WORDS = re.compile(r"[a-z0-9.]+")
_ITEMS = (
    (("conservative", "physical therapy", "medication trial"), "conservative-treatment"),
    (("pack-year", "pack year", "tobacco", "smoking", "history"), "history"),
    (("duration", "weeks", "months", "days"), "duration"),
    (("exam", "face-to-face", "face to face"), "exam"),
    (("result", "test", "study", "imaging", "ahi", "saturation"), "result"),
    (("shared decision", "counsel", "order", "rationale", "necessity"), "rationale"),
)


def policy_criteria(case: Case, rule: Rule) -> list[Gap]:
    """One gap for each criterion that a verdict names as missing, at most two a line."""
    if case.check is None:
        return []
    main = case.main()
    found: list[Gap] = []
    for verdict in case.check.lines:
        code = next(iter(verdict.diagnoses), main.code if main else None)
        evidence = verdict.evidence[:1] or (main.evidence[:1] if main else ())
        for criterion in verdict.missing[:2]:
            said = criterion.lower()
            item = next((item for words, item in _ITEMS if any(w in said for w in words)), "other")
            found.append(
                make_gap(rule, code, evidence, criterion, key=f"{verdict.code}-{_key(criterion)}", missing=item)
            )
    return found


def _key(criterion: str) -> str:
    """A criterion in short, the same however many others are missing beside it."""
    return "-".join(_WORDS.findall(criterion.lower())[:6])


POLICY: dict[str, Callable[[Case, Rule], list[Gap]]] = {"policy-criteria": policy_criteria}
