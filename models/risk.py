"""The risk-adjustment layer: hierarchical condition categories, and what in the note supports each condition.

Optional, and apart from the rest: nothing of it goes into a query to a provider, a gap or a proposal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from models.proposal import Evidence

MeatKind = Literal["monitor", "evaluate", "assess", "treat"]
HccState = Literal["mapped", "none", "unknown"]


@dataclass(frozen=True, slots=True)
class Hcc:
    """A category of one payment model. `chronic` is CMS's mark, None where the table has none for the category.

    `below` names a category of the same model that is also documented and takes its place (the hierarchy).
    """

    model: str
    category: str
    label: str
    chronic: bool | None = None
    below: str | None = None


@dataclass(frozen=True, slots=True)
class Meat:
    """One piece of support: monitored, evaluated, assessed or treated, with its words."""

    kind: MeatKind
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class ConditionRisk:
    """One condition of the note. `proposed` is False for one that only a history or a problem list names.

    `state`: mapped to a category, none (the code is in no category), or unknown (the table doesn't know the code).
    `chronic` is "systemic" or "chronic" by our own table (code_maps/guidelines/chronic.csv), "" otherwise.
    """

    code: str
    description: str
    payment_year: int
    state: HccState
    hcc: tuple[Hcc, ...]
    chronic: Literal["systemic", "chronic", ""]
    meat: tuple[Meat, ...]
    supported: bool
    why: str
    proposed: bool = True
