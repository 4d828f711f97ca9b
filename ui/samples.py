"""The invented notes that come with ChartProof."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Sample:
    """A note with its encounter, its claim, and a page on what it teaches."""

    name: str
    text: str
    encounter: Mapping[str, Any]
    claim: Mapping[str, Any]
    about: str


@cache
def samples() -> dict[str, Sample]:
    """All samples by name."""
    found = {}
    for folder in sorted(files("sample_notes").iterdir(), key=lambda f: f.name):
        if folder.is_dir() and folder.joinpath("note.txt").is_file():
            read = {n: folder.joinpath(n).read_bytes().decode("utf-8") for n in ("note.txt", "claim.json", "about.md")}
            claim = json.loads(read["claim.json"])
            path = folder.joinpath("encounter.json")
            encounter = json.loads(path.read_bytes()) if path.is_file() else {}
            found[folder.name] = Sample(folder.name, read["note.txt"], encounter, claim, read["about.md"])
    return found
