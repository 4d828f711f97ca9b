"""Exercises: invented notes to be coded by a learner, one TOML file each, with the key that a person read line by line.

    id, title, topics, teaches      what it is called, what it is about, what it teaches (shown after grading)
    setting, date_of_service, age, sex, note, [claim]
    codes      the codes in the order of the claim
    level      the office visit codes that the note supports; absent or empty where none is asked for
    [[gap]]    code (a code or category, "" for none), missing, counted (false: right, and not missed when left out)

The key is ChartProof's own review of the note; a test keeps the two in step. Another educator's file is read the same.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

from models.claim import Claim
from models.gap import Missing
from models.lesson import Exercise, ExpectedGap
from models.problem import InputProblem
from models.record import validated
from models.text import Note, Patient

_NEEDED = {"id": str, "title": str, "topics": list, "teaches": str, "note": str, "codes": list}
_KNOWN = {*_NEEDED, "setting", "date_of_service", "age", "sex", "claim", "level", "gap"}
MAX_FILE = 200_000


@cache
def exercises() -> Mapping[str, Exercise]:
    """The exercises that come with ChartProof, by id."""
    folder = files("code_maps.exercises")
    found = (
        parse_exercise(path.read_text(encoding="utf-8"), path.name)
        for path in sorted((p for p in folder.iterdir() if p.name.endswith(".toml")), key=lambda p: p.name)
    )
    return {exercise.id: exercise for exercise in found}


def read_exercise(path: Path) -> Exercise:
    """An educator's own exercise. Raises InputProblem with the file and the key."""
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise InputProblem(error.strerror or "can't be read", path.name) from None
    except UnicodeDecodeError as error:
        raise InputProblem(f"byte {error.start + 1} isn't UTF-8", path.name, "save the file as UTF-8") from None
    if len(data) > MAX_FILE:
        raise InputProblem(f"{len(data):,} bytes", path.name, f"an exercise has at most {MAX_FILE:,}")
    return parse_exercise(text, path.name)


def parse_exercise(text: str, name: str) -> Exercise:
    """One exercise file, strictly. Raises InputProblem with the file and the key; never quotes the note."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputProblem("not TOML", name, str(error)) from None
    if unknown := set(raw) - _KNOWN:
        raise InputProblem(f"unknown key {min(unknown)!r}", name, f"known are {', '.join(sorted(_KNOWN))}")
    for key, kind in _NEEDED.items():
        if not isinstance(raw.get(key), kind):
            raise InputProblem(f"the key {key!r} is missing or of another kind", name, f"it is a {kind.__name__}")
    if raw["id"] != name.removesuffix(".toml"):
        raise InputProblem(f"id is {raw['id']!r}", name, "it must be the file's name")
    setting = raw.get("setting", "outpatient")
    if setting not in ("outpatient", "inpatient"):
        raise InputProblem(f"setting is {setting!r}", name, "use outpatient or inpatient")
    if raw.get("sex") not in (None, "female", "male"):
        raise InputProblem("sex is of another kind", name, "use female or male")
    day = raw.get("date_of_service")
    if day is not None and not isinstance(day, dt.date):
        raise InputProblem("date_of_service is no date", name, "write it as 2026-05-12, without quotation marks")
    return Exercise(
        id=raw["id"],
        title=raw["title"],
        topics=tuple(raw["topics"]),
        teaches=raw["teaches"],
        note=Note(raw["note"], setting, day, Patient(raw.get("age"), raw.get("sex")), id=raw["id"]),
        claim=validated(Claim, raw["claim"], name) if "claim" in raw else None,
        codes=tuple(raw["codes"]),
        gaps=tuple(_gap(row, name) for row in raw.get("gap", ())),
        level=tuple(raw.get("level", ())),
    )


def _gap(row: Mapping[str, Any], name: str) -> ExpectedGap:
    if set(row) - {"code", "missing", "counted"} or row.get("missing") not in get_args(Missing):
        known = ", ".join(get_args(Missing))
        raise InputProblem("a [[gap]] has code, missing and counted", name, f"missing is one of {known}")
    return ExpectedGap(row.get("code", ""), row["missing"], row.get("counted", True))
