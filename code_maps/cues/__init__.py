"""Words that negate, doubt, date or attribute a finding: one TOML file per family, read into frozen records.

A file has the header of every rule file (`id`, `title`, `why`, `limits`, `[[source]]`) and `[[cue]]` rows:

    [[cue]]
    id        = "absence-after"
    role      = "negation"          # what it does; see ROLES
    direction = "backward"          # forward | backward | both | none (swallows its words) | end (stops all others)
    literals  = ["(is|was|were) not (seen|found)"]       # each (a|b) is written out; an empty choice is allowed
    scope     = 8                   # most words between cue and finding; absent: the whole sentence
    ends      = ["comma", "clause"] # what else stops it, besides the ends of direction "end"; see ENDS
    traits    = ["turning"]   # further conditions, which pipeline/assertions.py knows by name; see TRAITS
    fires     = ["{Effusion: negated} is not seen."]
    spares    = ["{Effusion: present} is seen."]

Unknown keys, roles, ends and traits are errors, and so is a literal that stands twice: the longest match wins, and
between equals the order would decide.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from code_maps.rulefile import Source

ROLES = (
    "negation",
    "uncertainty",
    "hypothesis",
    "history",
    "family",
    "other-person",
    "affirmation",
    "stop",
    "pseudo",
)
DIRECTIONS = ("forward", "backward", "both", "none", "end")
ENDS = (
    "comma",
    "semicolon",
    "colon",
    "and",
    "for",
    "by",
    "in",
    "with",
    "then",  # words and signs between cue and finding
    "clause",
    "causal",
    "present",
    "person",
    "affirmation",
    "negation",
    "uncertainty",
    "family",  # other cues
)
STOPS = ("clause", "causal", "present", "person")
TRAITS = (
    "adjacent",
    "chronic-stays",
    "her-own",
    "not-its-cause",
    "opens-clause",
    "past-event",
    "presupposes",
    "relative",
    "standing-list",
    "turning",
)

_FILE_KEYS = {"id", "title", "why", "limits", "source", "cue"}
_SOURCE_KEYS = {"title", "edition", "place", "url"}
_CUE_KEYS = {"id", "role", "direction", "literals", "scope", "ends", "traits", "stops", "fires", "spares"}


@dataclass(frozen=True, slots=True)
class CueGroup:
    """Cues that work alike. `stops` names what the cue ends, for others that list it in their `ends`."""

    id: str
    role: str
    direction: str
    literals: tuple[str, ...]
    scope: int | None
    ends: frozenset[str]
    traits: frozenset[str]
    stops: frozenset[str]
    fires: tuple[str, ...]
    spares: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CueFile:
    """One family of cues, with its reasons and sources."""

    id: str
    title: str
    why: str
    limits: tuple[str, ...]
    sources: tuple[Source, ...]
    groups: tuple[CueGroup, ...]


_CHOICE = re.compile(r"\(([^()]*)\)")


def expand(literal: str) -> list[str]:
    """Every wording of a literal with choices: `(is|was) not seen` gives two. Choices don't nest."""
    parts = _CHOICE.split(literal)
    if any(c in part for part in parts[::2] for c in "()|"):
        raise ValueError(f"choices must read (a|b) and may not nest: {literal!r}")
    choices = [part.split("|") if i % 2 else [part] for i, part in enumerate(parts)]
    return [" ".join("".join(words).split()) for words in itertools.product(*choices)]


def _texts(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(v, str) and v for v in value):
        raise ValueError(f"{where} must be a list of texts with at least one entry, not {value!r}")
    return tuple(value)


def _known(found: Iterable[str], allowed: Iterable[str], where: str) -> None:
    unknown = sorted(set(found) - set(allowed))
    if unknown:
        raise ValueError(f"{where}: unknown {', '.join(map(repr, unknown))}; one of {', '.join(sorted(allowed))}")


def read_cue_file(path: Path) -> CueFile:
    """One TOML file as a record.

    Raises ValueError naming file, cue and key of anything that isn't as described above.
    """
    with path.open("rb") as file:
        try:
            data = tomllib.load(file)
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"{path.name} is not valid TOML: {error}") from error
    _known(data, _FILE_KEYS, path.name)
    for key in ("id", "title", "why", "limits", "source", "cue"):
        if not data.get(key):
            raise ValueError(f"{path.name}: {key!r} is missing or empty")
    if data["id"] != path.stem:
        raise ValueError(f"{path.name}: id is {data['id']!r}, the file's name says {path.stem!r}")
    sources = []
    for row in data["source"]:
        _known(row, _SOURCE_KEYS, f"{path.name}, source")
        sources.append(Source(**row))
    groups = []
    for row in data["cue"]:
        where = f"{path.name}, cue {row.get('id', '?')!r}"
        _known(row, _CUE_KEYS, where)
        for key in ("id", "role", "direction", "literals", "fires", "spares"):
            if key not in row:
                raise ValueError(f"{where}: {key!r} is missing")
        _known([row["role"]], ROLES, f"{where}, role")
        _known([row["direction"]], DIRECTIONS, f"{where}, direction")
        _known(row.get("ends", []), ENDS, f"{where}, ends")
        _known(row.get("traits", []), TRAITS, f"{where}, traits")
        _known(row.get("stops", []), STOPS, f"{where}, stops")
        scope = row.get("scope")
        if scope is not None and (not isinstance(scope, int) or scope < 1):
            raise ValueError(f"{where}: scope must be a number of words from 1, not {scope!r}")
        literals = [word for text in _texts(row["literals"], f"{where}, literals") for word in expand(text)]
        groups.append(
            CueGroup(
                id=row["id"],
                role=row["role"],
                direction=row["direction"],
                literals=tuple(dict.fromkeys(literals)),
                scope=scope,
                ends=frozenset(row.get("ends", [])),
                traits=frozenset(row.get("traits", [])),
                stops=frozenset(row.get("stops", [])),
                fires=_texts(row["fires"], f"{where}, fires"),
                spares=_texts(row["spares"], f"{where}, spares"),
            )
        )
    return CueFile(
        id=data["id"],
        title=data["title"],
        why=data["why"],
        limits=_texts(data["limits"], f"{path.name}, limits"),
        sources=tuple(sources),
        groups=tuple(groups),
    )


@lru_cache(maxsize=1)
def cue_files() -> tuple[CueFile, ...]:
    """All cue files of this folder, by name. Raises ValueError when two cues claim the same words."""
    files = tuple(read_cue_file(path) for path in sorted(Path(__file__).parent.glob("*.toml")))
    seen: dict[str, str] = {}
    for file in files:
        for group in file.groups:
            place = f"{file.id}/{group.id}"
            for literal in group.literals:
                key = literal.lower()
                if key in seen:
                    raise ValueError(f"the words {literal!r} stand in {seen[key]} and in {place}: keep one")
                seen[key] = place
    return files


def cue_groups() -> tuple[CueGroup, ...]:
    """The cues of all files."""
    return tuple(group for file in cue_files() for group in file.groups)
