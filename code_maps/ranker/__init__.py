"""Weights of the confidence model, as JSON beside its card; `benchmarks/train_ranker.py` makes them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic model: what it adds for each feature, and where it starts."""

    start: float
    by_feature: dict[str, float]


@cache
def weights(kind: str) -> Weights:
    """The model for notes with an assessment ("assessed") or for narratives without one ("narrative")."""
    data = json.loads(files("code_maps.ranker").joinpath("weights.json").read_text(encoding="utf-8"))[kind]
    return Weights(data["start"], data["by_feature"])
