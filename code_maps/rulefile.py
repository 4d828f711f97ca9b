"""The one header that every rule file has, whatever its family: read strictly.

A rule is a TOML file named by its id. An unknown key, a missing source or an id that isn't the file's name is an
error that names the file and the key.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule stands: a document, its edition and the place in it."""

    title: str
    edition: str = ""
    place: str = ""
    url: str = ""

    def __str__(self) -> str:
        return ", ".join(part for part in (self.title, self.edition, self.place) if part)


@dataclass(frozen=True, slots=True)
class Rule:
    """The header of a rule file; `data` holds the keys of its own family."""

    id: str
    family: str
    title: str
    why: str
    sources: tuple[Source, ...]
    limits: tuple[str, ...] = ()
    in_force: tuple[dt.date | None, dt.date | None] = (None, None)
    status: str = "active"
    examples: tuple[dict[str, Any], ...] = ()
    data: dict[str, Any] = field(default_factory=dict)

    def holds_on(self, on: dt.date | None) -> bool:
        """Whether the rule is in force on a date; without a date it is if it hasn't ended."""
        start, end = self.in_force
        if on is None:
            return end is None
        return (start is None or start <= on) and (end is None or on <= end)


class RuleProblem(Exception):
    """A rule file that can't be used: which file, which key, and what would be right."""


_HEADER = {"id", "title", "status", "in_force", "why", "limits", "source", "example"}


def read_rules(package: str, family: str, own_keys: set[str]) -> Iterator[Rule]:
    """Every rule file of a folder, by id. `own_keys` are the keys that this family adds to the header."""
    folder = files(package)
    for path in sorted((p for p in folder.iterdir() if p.name.endswith(".toml")), key=lambda p: p.name):
        yield parse_rule(path.read_text(encoding="utf-8"), path.name, family, own_keys)


def parse_rule(text: str, name: str, family: str, own_keys: set[str]) -> Rule:
    """One rule file. Raises RuleProblem with the file and the key."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleProblem(f"{name}: not TOML: {error}") from error
    unknown = set(raw) - _HEADER - own_keys
    if unknown:
        raise RuleProblem(
            f"{name}: unknown key {sorted(unknown)[0]!r}; known are {', '.join(sorted(_HEADER | own_keys))}"
        )
    for key in ("id", "title", "why", "source", "example", "limits"):
        if key not in raw:
            raise RuleProblem(f"{name}: the key {key!r} is missing")
    if raw["id"] != name.removesuffix(".toml"):
        raise RuleProblem(f"{name}: id is {raw['id']!r}; it must be the file's name")
    force = raw.get("in_force", {})
    return Rule(
        id=raw["id"],
        family=family,
        title=raw["title"],
        why=raw["why"],
        sources=tuple(Source(**s) for s in raw["source"]),
        limits=tuple(raw["limits"]),
        in_force=(force.get("from"), force.get("to")),
        status=raw.get("status", "active"),
        examples=tuple(raw["example"]),
        data={key: raw[key] for key in own_keys if key in raw},
    )
