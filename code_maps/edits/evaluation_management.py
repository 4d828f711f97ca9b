"""Facts about office visit levels: codes, minutes, and the words that show problems, data and risk."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

_HEADER = ("id", "title", "why", "limits", "source")


@cache
def visit_facts() -> dict[str, Any]:
    """The tables of evaluation_management.toml. Raises ValueError when its header is incomplete."""
    text = files("code_maps.edits").joinpath("evaluation_management.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    missing = [key for key in _HEADER if not data.get(key)]
    if missing:
        raise ValueError(f"evaluation_management.toml: header needs {', '.join(_HEADER)}; missing {missing}")
    return {key: value for key, value in data.items() if key not in _HEADER}


def level_of_code(code: str) -> tuple[str, int] | None:
    """The family (new, established) and level 0 to 3 of an office visit code; None for any other."""
    codes = visit_facts()["codes"]
    for family in ("new", "established"):
        if code in codes[family]:
            return family, codes[family].index(code)
    return None


def level_of_time(family: str, minutes: int) -> int | None:
    """The highest level whose minutes are met or exceeded; None when not even the lowest is."""
    limits = visit_facts()["codes"][f"{family}_minutes"]
    met = [n for n, least in enumerate(limits) if minutes >= least]
    return met[-1] if met else None
