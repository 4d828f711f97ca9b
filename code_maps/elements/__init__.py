"""Words from which the elements of documentation are read, one file per kind.

`elements("symptoms")` gives the tables of symptoms.toml. Every file says its id, title, why,
limits and source.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

_HEADER = ("id", "title", "why", "limits", "source")


@cache
def elements(name: str) -> dict[str, Any]:
    """The tables of one file.

    Raises ValueError when the header is incomplete or `id` isn't the file's name.
    """
    data = tomllib.loads(files("code_maps.elements").joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    missing = [key for key in _HEADER if not data.get(key)]
    if missing or data["id"] != name:
        raise ValueError(
            f"elements/{name}.toml: header needs id = {name!r}, title, why, limits, source; missing {missing}"
        )
    return {key: value for key, value in data.items() if key not in _HEADER}


@cache
def word_set(name: str, key: str) -> frozenset[str]:
    """One list of the `[context]` table of a file: words that decide what stands beside them.

    Raises KeyError when the file has no such list.
    """
    return frozenset(elements(name)["context"][key])
