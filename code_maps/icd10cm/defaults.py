"""The child that a node stands for when nothing more is said, where the titles alone don't tell: `defaults.csv`; where the
index gives one word of the term a child of its own, `defaults_by_word.csv` ("depression" and "major depression")."""

from __future__ import annotations

from functools import cache

from code_maps.tables import read_table


@cache
def defaults() -> dict[str, str]:
    """Node -> its default child, from the Alphabetic Index's main terms."""
    return {row["node"]: row["child"] for row in read_table("code_maps.icd10cm", "defaults.csv")}


@cache
def defaults_by_word() -> dict[str, tuple[tuple[str, str], ...]]:
    """Node -> (word, child) pairs: the child taken instead of the default where the word is said."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for row in read_table("code_maps.icd10cm", "defaults_by_word.csv"):
        found[row["node"]] = (*found.get(row["node"], ()), (row["word"], row["child"]))
    return found
