"""The child that a node stands for when nothing more is said, where the titles alone don't tell: `defaults.csv`."""

from __future__ import annotations

from functools import cache

from code_maps.tables import read_table


@cache
def defaults() -> dict[str, str]:
    """Node -> its default child, from the Alphabetic Index's main terms."""
    return {row["node"]: row["child"] for row in read_table("code_maps.icd10cm", "defaults.csv")}
