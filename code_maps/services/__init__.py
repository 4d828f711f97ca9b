"""Billed services in our own words, and the user's favourites. CPT descriptors are the AMA's and stand nowhere here.

service_name("83036")            "glycated hemoglobin or protein"
favourites(), change_favourites  the codes that the user keeps at hand, in home()/favourites.json
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from code_maps.coverage.policy import Services
from code_maps.home import home, replace_file
from code_maps.tables import read_table
from models.problem import InputProblem

MOST_FAVOURITES = 200


@cache
def _names() -> tuple[tuple[Services, str], ...]:
    rows = read_table("code_maps.services", "names.csv")
    return tuple((Services.of(row["codes"].split(";")), row["name"]) for row in rows)


def service_name(code: str) -> str | None:
    """What a procedure code is, in our own words; None for one that isn't in the table."""
    return next((name for services, name in _names() if code in services), None)


def find_services(words: str, most: int = 40) -> list[tuple[str, str]]:
    """Services whose code begins with some text or whose name has all its words: (code, name), by code.

    A range of codes, such as 71045-71048, stands as one of them.
    """
    asked = words.casefold().split()
    found = []
    for services, name in _names():
        written = [*services.codes, *(f"{low}-{high}" for low, high in services.ranges)]
        named = all(word in name.casefold() for word in asked)
        found += [(code, name) for code in written if named or code.casefold().startswith(words.strip().casefold())]
    return sorted(found)[:most] if asked else []


def service_code(written: str) -> str:
    """A CPT or HCPCS code as printed. Raises InputProblem for what has another form."""
    code = written.strip().upper()
    if not re.fullmatch(r"[0-9A-Z]\d{3}[0-9A-Z]", code):
        raise InputProblem(
            f"{written!r} is no CPT or HCPCS code", "service", "write it as printed, such as 83036 or G0296"
        )
    return code


def favourites_file() -> Path:
    """Where the favourites are kept."""
    return home() / "favourites.json"


def favourites() -> tuple[str, ...]:
    """The user's favourite services, in the order in which they were added. Raises InputProblem for a damaged file."""
    try:
        found = json.loads(favourites_file().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise InputProblem(
            f"the favourites can't be read ({type(error).__name__})", str(favourites_file()),
            'put it right, such as ["83036", "G0296"], or remove the file',
        ) from None  # fmt: skip
    if not isinstance(found, list):
        raise InputProblem("the favourites are no list", str(favourites_file()), 'write ["83036", "G0296"]')
    return tuple(dict.fromkeys(service_code(str(code)) for code in found))


def change_favourites(add: Iterable[str] = (), remove: Iterable[str] = ()) -> tuple[str, ...]:
    """The favourites after adding and removing codes; stored at once or not at all.

    Raises InputProblem for what is no code, for a code to remove that isn't a favourite, and where the folder can't
    be written.
    """
    known = list(favourites())
    gone = [service_code(code) for code in remove]
    if absent := [code for code in gone if code not in known]:
        raise InputProblem(
            f"{absent[0]} is no favourite", "--remove", f"the favourites are {', '.join(known) or 'none yet'}"
        )
    changed = tuple(c for c in dict.fromkeys([*known, *map(service_code, add)]) if c not in gone)
    if len(changed) > MOST_FAVOURITES:
        raise InputProblem(f"{len(changed)} favourites", "--add", f"keep at most {MOST_FAVOURITES}")
    target = favourites_file()
    try:
        replace_file(target, json.dumps(changed).encode())
    except OSError as error:
        raise InputProblem(
            f"the favourites can't be written ({error.strerror or type(error).__name__})", str(target),
            "make room, or let CHARTPROOF_HOME name a folder that can be written",
        ) from None  # fmt: skip
    return changed
