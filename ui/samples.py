"""The invented notes that come with ChartProof."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any


@dataclass(frozen=True, slots=True)
class Sample:
    """A note with its encounter, its claim (empty where there is none), and a page on what it teaches."""

    name: str
    text: str
    encounter: Mapping[str, Any]
    claim: Mapping[str, Any]
    about: str

    @property
    def title(self) -> str:
        """The first heading of the page about it, or the folder's name."""
        first = self.about.lstrip().split("\n", 1)[0]
        return first.removeprefix("# ").strip() if first.startswith("# ") else self.name.replace("-", " ")


@cache
def samples() -> dict[str, Sample]:
    """All samples by name; none where the folder isn't installed. A file that can't be read counts as absent."""
    try:
        folders = sorted(files("sample_notes").iterdir(), key=lambda f: f.name)
    except (ModuleNotFoundError, FileNotFoundError):
        return {}
    found = {}
    for folder in folders:
        if folder.is_dir() and folder.joinpath("note.txt").is_file():
            text = folder.joinpath("note.txt").read_bytes().decode("utf-8")
            about = folder.joinpath("about.md")
            said = about.read_bytes().decode("utf-8") if about.is_file() else ""
            found[folder.name] = Sample(
                folder.name, text, _json(folder.joinpath("encounter.json")), _json(folder.joinpath("claim.json")), said
            )
    return found


def _json(path: Traversable) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        read = json.loads(path.read_bytes())
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
