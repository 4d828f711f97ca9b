"""The four causes of denial: how likely each is on this claim, and why."""

from __future__ import annotations

from collections.abc import Sequence

from models.claim import ClaimCheck
from models.gap import DenialRisk, Elements, EvaluationManagement, Gap


def denial_risks(
    check: ClaimCheck | None, em: EvaluationManagement | None, gaps: Sequence[Gap], elements: Elements
) -> tuple[DenialRisk, ...]:
    """How likely each of the four causes of denial is, and why, worst first."""
    found: list[DenialRisk] = []
    if check:
        uncovered = [v for v in check.lines if v.verdict in ("FAIL_DX", "NON_COVERED", "FAIL_SECONDARY_MISSING")]
        if uncovered:
            found.append(
                DenialRisk("non-covered diagnosis", "high", uncovered[0].why, tuple(v.line for v in uncovered))
            )
        unlinked = [v for v in check.lines if v.verdict in ("FAIL_NOT_LINKED", "ERROR_NO_DX")]
        if unlinked:
            found.append(DenialRisk("no linkage", "high", unlinked[0].why, tuple(v.line for v in unlinked)))
        undocumented = check.undocumented
        if undocumented:
            why = f"Billed and not supported by the note: {', '.join(undocumented)}."
            found.append(DenialRisk("inadequate documentation", "high", why))
        thin = [v for v in check.lines if v.verdict == "PASS_DX_DOC_GAP"]
        if thin:
            found.append(DenialRisk("inadequate documentation", "medium", thin[0].why, tuple(v.line for v in thin)))
    missing = [n for n in ("symptoms", "history", "exam", "results", "rationale") if not getattr(elements, n)]
    if check and len(missing) >= 3 and not any(r.cause == "inadequate documentation" for r in found):
        found.append(DenialRisk("inadequate documentation", "medium", f"The note shows no {', '.join(missing)}."))
    if em and em.flag == "billed level above documentation":
        found.append(
            DenialRisk("upcoding", "high", f"Billed {em.billed}; the note supports {' or '.join(em.supports)}.")
        )
    rank = {"high": 0, "medium": 1, "low": 2}
    return tuple(sorted(found, key=lambda r: rank[r.level]))
