"""The child that a node stands for when nothing more is said, where the titles alone don't tell: `defaults.csv`."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files


@cache
def defaults() -> dict[str, str]:
    """Node -> its default child, from the Alphabetic Index's main terms."""
    with files("code_maps.icd10cm").joinpath("defaults.csv").open(encoding="utf-8", newline="") as lines:
        return {row["node"]: row["child"] for row in csv.DictReader(lines)}
