"""An imported Alphabetic Index as terms: the weakest source, below our tables, the titles and the inclusion terms.

`index_rows(codes)` gives the words of each line (main term and subterms, without the modifiers in parentheses) and the
place that the line's code names; a line that only says "see" gives the place of the line it points at, where that is
named word for word. `with_links(codes)` gives what the index presumes by "with" or "in" (OCG I.A.15): main term, partner,
place; code_maps/guidelines/index_links.py makes combinations of them.
Both are empty when no index was imported. The tables of neoplasms and drugs aren't read here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import islice

from code_maps.home import home
from code_maps.icd10cm import CodeSet, IndexEntry
from code_maps.terms import term_words

_TABLES = frozenset({"diseases", "external causes"})
# What the index says of a line and nobody says of a patient.
_UNSAID = re.compile(r"\b(?:NEC|NOS|not elsewhere classified|not otherwise specified|unspecified)\b")
# A line for what has no line of its own: its words are those of the line above.
_RESIDUAL = re.compile(r"\b(?:specified|other|by type|by site|type)\b", re.IGNORECASE)
_WITH = re.compile(r"with\b(?:\s*\(.*\))?[\s,]*", re.IGNORECASE)
_IN = re.compile(r"in(?:\s*\(.*\))?", re.IGNORECASE)
_BROAD = re.compile(r"\bNEC\b|\bnot elsewhere classified\b")
_CATEGORY = re.compile(r"(?:sub)?category\s+([A-Z][0-9A-Z]{2}(?:\.[0-9A-Z]*)?)", re.IGNORECASE)
_MOST_WORDS = 8
_SHORT = 3

Said = tuple[str, ...]


def index_rows(codes: CodeSet) -> Iterator[tuple[Said, str]]:
    """(folded words, place) of the index's lines, each pair once, in the order of the index."""
    places: dict[frozenset[str], str] = {}
    pointing: list[tuple[tuple[str, ...], str]] = []
    seen: set[tuple[frozenset[str], str]] = set()
    for entry in _lines(codes):
        place = _place(codes, entry.code)
        if place is None:
            if entry.code is None and entry.see:
                pointing.append((entry.terms, entry.see))
            continue
        for said in _said(entry.terms):
            places.setdefault(frozenset(said), place)
            if _usable(said, place) and (frozenset(said), place) not in seen:
                seen.add((frozenset(said), place))
                yield said, place
    for terms, see in pointing:
        target = _category(codes, see) or places.get(frozenset(term_words(_UNSAID.sub(" ", see))))
        for said in _said(terms) if target else ():
            if target and _usable(said, target) and (frozenset(said), target) not in seen:
                seen.add((frozenset(said), target))
                yield said, target


def with_links(codes: CodeSet) -> Iterator[tuple[Said, Said, str, str]]:
    """(words before "with", words after it, place of the main term, place of the link): links that the index presumes.

    Lines for conditions "not elsewhere classified" aren't among them: there the provider has to state the link.
    """
    lines = list(_lines(codes))
    own: dict[tuple[str, ...], str] = {}
    for entry in lines:
        place = _place(codes, entry.code)
        if place is not None:
            own.setdefault(entry.terms, place)
    for entry in lines:
        place = _place(codes, entry.code)
        at = next(
            (i for i, piece in enumerate(entry.terms) if i and (_WITH.match(piece) or _IN.fullmatch(piece))), None
        )
        main_place = own.get(entry.terms[:at]) if at else None
        if place is None or at is None or main_place is None:
            continue
        head = "" if _IN.fullmatch(entry.terms[at]) else _WITH.sub("", entry.terms[at], count=1)
        partner = " ".join((head, *entry.terms[at + 1 :]))
        if _RESIDUAL.search(partner) or _BROAD.search(partner):
            continue
        other = term_words(_UNSAID.sub(" ", partner))
        for main in _said(entry.terms[:at]):
            if main and other:
                yield main, other, main_place, place


def index_stamp(release: str) -> str:
    """What tells one imported index of a release from another, for the name of a compiled file; "" without one."""
    digest = hashlib.sha256()
    found = sorted((home() / "releases" / release).glob("index-*.part"))
    for path in found:
        about = path.stat()
        digest.update(f"{path.name} {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:8] if found else ""


def _lines(codes: CodeSet) -> Iterator[IndexEntry]:
    return (entry for entry in codes.index_entries() if entry.table in _TABLES)


def _place(codes: CodeSet, code: str | None) -> str | None:
    """The node that a printed code names: 'H93.29-' is H93.29."""
    place = (code or "").rstrip("-").rstrip(".")
    return place if place and place in codes else None


def _category(codes: CodeSet, see: str) -> str | None:
    """The place of "see category T75.0"."""
    found = _CATEGORY.fullmatch(see.strip())
    return _place(codes, found.group(1)) if found else None


def _said(terms: Iterable[str]) -> Iterator[Said]:
    """The words of a line, once for each form of its main term: "Abdomen, abdominal" has two."""
    pieces = [_UNSAID.sub(" ", piece) for piece in terms]
    if not pieces or any(_RESIDUAL.search(piece) for piece in pieces[1:]):
        return
    below = " ".join(_forms(piece)[0] for piece in pieces[1:])
    given: set[frozenset[str]] = set()
    for form in _forms(pieces[0]):
        said = term_words(f"{form} {below}")
        if said and frozenset(said) not in given:
            given.add(frozenset(said))
            yield said


def _forms(piece: str) -> tuple[str, ...]:
    """The forms of one word that a piece lists ("Fall, falling"), or the piece as a whole."""
    forms = tuple(form.strip() for form in piece.split(",") if form.strip())
    alike = len(forms) > 1 and all(" " not in f and f[:3].lower() == forms[0][:3].lower() for f in forms)
    return tuple(islice(forms, 4)) if alike else (piece,)


def _usable(said: Said, place: str) -> bool:
    """Whether the words alone can lead to the place: one short word can't, nor one word to a factor or a cause."""
    if len(said) > _MOST_WORDS:
        return False
    return len(said) > 1 or (len(said[0]) > _SHORT and place[0] not in "VWXYZ")
