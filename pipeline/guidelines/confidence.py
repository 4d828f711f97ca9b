"""How likely a proposal is right: a small logistic model over features of the match, never over words of the note.

Trained by `benchmarks/train_ranker.py`; what it was trained on and how well it is calibrated stands in
`code_maps/ranker/card.md`.
"""

from __future__ import annotations

import math
from functools import lru_cache

from code_maps.icd10cm import CodeSet
from code_maps.ranker import weights
from pipeline.guidelines.coding import Coding, where
from pipeline.proposals import Draft

# Rules that add a code to a diagnosis, or that speak for it being coded at this visit.
_TELLING_RULES = frozenset(
    {
        "bmi-with-weight-diagnosis", "diabetes-drug-status", "use-additional", "adverse-effect", "underdosing",
        "with-convention", "coexisting-condition", "symptom-when-unconfirmed", "history-of", "family-history",
        "seventh-character", "inpatient-uncertain", "chronic-stays-current", "screening-encounter",
    }
)  # fmt: skip


def is_narrative(coding: Coding) -> bool:
    """Whether the note has no assessment that codes stand in."""
    return not any(coding.stands(d) in ("title", "assessed") for d in coding.proposed)


def features(coding: Coding, draft: Draft) -> dict[str, float]:
    """What the model sees of a draft: places, counts and kinds, each between 0 and about 1."""
    best = {where(f, coding.layout) for f in draft.findings}
    words = len(draft.finding.text.split())
    found = {
        f"stands:{name}": 1.0 for name in best
    }  # fmt: skip
    found[f"source:{draft.finding.source}"] = 1.0
    found[f"chapter:{draft.code[0]}"] = 1.0
    found[f"words:{min(words, 4)}"] = 1.0
    found["findings"] = min(len(draft.findings) - 1, 4) / 4
    found["axes"] = min(len(draft.path.axes), 3) / 3
    found["open"] = min(len(draft.path.open_axes), 3) / 3
    found["conflict"] = float(bool(draft.path.conflict))
    found["unspecified"] = float(_unspecified(coding.codes, draft.code))
    found["historical"] = float(draft.finding.historical)
    found["inpatient"] = float(not coding.outpatient)
    found["stretched"] = float(draft.finding.end - draft.finding.start > 45)
    for rule, _ in draft.rules:
        if rule in _TELLING_RULES:
            found[f"rule:{rule}"] = 1.0
    return found


@lru_cache(maxsize=20_000)
def _unspecified(codes: CodeSet, code: str) -> bool:
    return "nspecified" in codes.title(code)


def confidence(coding: Coding, draft: Draft, narrative: bool) -> float:
    """The model's probability that a coder would report this code for the note, two decimals, between 0.02 and 0.98."""
    model = weights("narrative" if narrative else "assessed")
    total = model.start + sum(
        model.by_feature.get(name, 0.0) * value for name, value in features(coding, draft).items()
    )
    return round(min(0.98, max(0.02, 1 / (1 + math.exp(-total)))), 2)
