"""What an imported Alphabetic Index links by "with" or "in" (OCG I.A.15), as combinations below our own table.

A line "Diabetes, with, amyotrophy E11.44" says: a code of the main term, and a code to which the partner's words lead,
are the line's code. The main term's own code gives way to it; so does the partner's, unless the notes of the
line's code ask for it beside.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

from code_maps.guidelines import Combination
from code_maps.home import home
from code_maps.icd10cm import CodeSet
from code_maps.icd10cm import cache as stored
from code_maps.places import Places, lies_under
from code_maps.terms import term_index
from code_maps.terms.alphabetic_index import index_stamp, with_links

WHY = 'The Alphabetic Index joins the two by "with" or "in".'
SOURCE = "ICD-10-CM Alphabetic Index, as imported"
# A link that another guideline wants stated: sepsis and the failure of an organ (OCG I.C.1.d).
_STATED = Places(("A40", "A41"))
Row = tuple[str, str, str, list[str]]
"""Disease, condition, what they become, and what is dropped: places."""

_known: dict[tuple[str, Path, str], Mapping[str, tuple[Combination, ...]]] = {}


def index_links(codes: CodeSet) -> Mapping[str, tuple[Combination, ...]]:
    """The index's combinations by the category of the disease; empty when no index was imported for the release."""
    stamp = index_stamp(codes.release)
    if not stamp:
        return {}
    key = (codes.release, home(), stamp)
    if key not in _known:
        found: dict[str, list[Combination]] = defaultdict(list)
        for disease, condition, becomes, drop in _rows(codes, stamp):
            row = Combination(
                "with-convention", Places((disease,)), Places((condition,)), becomes, tuple(drop), WHY, SOURCE,
                frozenset((disease[:3],)),
            )  # fmt: skip
            found[disease[:3]].append(row)
        _known[key] = {category: tuple(rows) for category, rows in found.items()}
    return _known[key]


def _rows(codes: CodeSet, stamp: str) -> list[Row]:
    """The rows, from the cache or worked out (a few seconds for the whole index) and cached."""
    digest = hashlib.sha256(files("code_maps.guidelines").joinpath("index_links.py").read_bytes()).hexdigest()[:12]
    path = home() / "cache" / f"links-{codes.release}-{digest}{stamp}.bin"
    try:
        cached: list[Row] = stored.read(path).take("rows")
        return cached
    except (FileNotFoundError, stored.Damaged):
        found = sorted(_worked_out(codes))
        with suppress(OSError):
            stored.write(path, {"release": codes.release}, {"rows": found})
        return found


def _worked_out(codes: CodeSet) -> Iterator[Row]:
    places = {frozenset(said): place for said, place, source in term_index(codes).entries if source != "index"}
    seen: set[tuple[str, str]] = set()
    for _, partner, main, becomes in with_links(codes):
        condition = places.get(frozenset(partner))
        # Below the main term's own category every code is the disease; elsewhere only the code that it names.
        disease = main[:3] if becomes[:3] == main[:3] and codes.is_billable(main) else main
        if (
            condition is None
            or (disease, condition) in seen
            or main in _STATED
            or becomes == main
            or lies_under(condition, becomes[:3])
            or lies_under(condition, disease)
            or lies_under(disease, condition)
        ):
            continue
        seen.add((disease, condition))
        drop = [main]
        if not _asked_beside(codes, becomes, condition):
            drop.append(condition)
        yield disease, condition, becomes, drop


def _asked_beside(codes: CodeSet, code: str, other: str) -> bool:
    """Whether a note of the code asks for the other before, after or beside it."""
    return any(
        note.codes.matches(other)
        for kind in ("code_first", "use_additional", "code_also")
        for note in codes.notes(code, kind)
    )
