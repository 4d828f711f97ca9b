"""Specificity: an axis that the descent through the tabular found no word for, where it would change the code."""

from __future__ import annotations

from code_maps.gaps import OPEN_ANSWERS, axis_questions, silent_places
from code_maps.places import lies_under
from models.gap import Gap, WouldChange
from models.proposal import OpenAxis, Proposal
from pipeline.gaps.context import ASSESSED, Case

_PER_PROPOSAL = 2
_SPRAINS = frozenset(("S03", "S13", "S23", "S33", "S43", "S53", "S63", "S73", "S83", "S93"))
_NEEDS_CHOICE = frozenset(("complication", "status", "type", "site", "control", "acuity"))


def open_axes(case: Case) -> list[Gap]:
    """The gaps of the open axes, the most telling axis of each code first."""
    found: list[Gap] = []
    headed = not case.sections.isdisjoint(ASSESSED)
    for proposal in case.proposals:
        if headed and not case.assessed(proposal) and proposal is not case.main():
            continue  # only mentioned: nobody asks for the detail of what wasn't dealt with
        silent = proposal.code[0] in "RZ" or any(lies_under(proposal.code, place) for place in silent_places())
        found += [
            _gap(case, proposal, axis, number) for number, axis in enumerate(_asked(proposal, silent)[:_PER_PROPOSAL])
        ]
    return found


def _asked(proposal: Proposal, only_side: bool) -> list[OpenAxis]:
    """The axes worth a question, in order."""
    questions = axis_questions()
    axes = [
        axis for axis in proposal.open_axes
        if axis.axis in questions
        and (axis.axis != "laterality" or _names_sides(axis))
        and (axis.axis == "laterality" or not only_side)
        and (len(axis.choices) > 1 or axis.axis not in _NEEDS_CHOICE)
    ]  # fmt: skip
    return sorted(axes, key=lambda axis: questions[axis.axis].weight)


def _names_sides(axis: OpenAxis) -> bool:
    """Whether the answers are sides: an artery or a chamber that is called left or right is none."""
    said = [choice.value.lower() for choice in axis.choices]
    return not any(word in value for value in said for word in ("coronary", "descending", "circumflex", "main"))


def _gap(case: Case, proposal: Proposal, axis: OpenAxis, number: int) -> Gap:
    # What tells sprains apart is the ligament: a site.
    name = "site" if axis.axis == "type" and proposal.code[:3] in _SPRAINS else axis.axis
    question = axis_questions()[name]
    about = case.about(proposal)
    shown = axis.choices[:6]
    codes = case.codes
    return Gap(
        id=f"specificity-{question.missing}:{proposal.code[:3]}",
        kind="specificity",
        code=proposal.code,
        missing=question.missing,  # type: ignore[arg-type]
        about=about,
        evidence=case.evidence(proposal),
        ask=question.ask.format(about=about),
        options=(*(c.value for c in shown), *OPEN_ANSWERS),
        why=question.why,
        would_change=WouldChange(proposal.code, tuple(c.code for c in shown)),
        rule="open-axis",
        source=f"ICD-10-CM tabular {codes.release}, {codes.category(proposal.code)}",
        priority=question.weight * 10 + number * 10 + min(proposal.rank, 9),
    )
