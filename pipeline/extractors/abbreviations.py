"""Abbreviations -> their long forms: those a note defines, and those of the table.

A definition, 'supraventricular tachycardia (SVT)', is read by scispaCy's abbreviation detector, asked only where a note
has a short form in parentheses. Every other place of the short form gets the long form. A short form of the table with
several readings is expanded where its company decides for one, and, where it has no company, as it was read elsewhere in
the note.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from functools import cache

from code_maps.elements import word_set
from code_maps.terms.abbreviations import Abbreviation, abbreviations
from models.text import Layout
from pipeline.language import long_form

_DEFINED = re.compile(r"\(([^\W_][^\s()]{1,9})\)")
_CHUNK = re.compile(r"[^\s,;:()\[\]\"“”<>=]+")
_PART = re.compile(r"[^/\-–+&]+")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
# Short forms whose lower-case spelling is an ordinary word are taken in capitals only.
_ORDINARY = word_set("abbreviations", "ordinary")


def definitions(text: str, layout: Layout) -> dict[str, tuple[int, int, int, int]]:
    """Short forms the note defines -> start and end of the long form, then of the short form there."""
    found: dict[str, tuple[int, int, int, int]] = {}
    starts = [s.start for s in layout.sentences]
    for match in _DEFINED.finditer(text):
        short = match[1]
        if not any(c.isupper() for c in short) or short in found or (short.isupper() and len(short) < 2):
            continue
        at = bisect_right(starts, match.start()) - 1
        floor = starts[at] if at >= 0 else 0
        end = match.start()
        while end > floor and text[end - 1].isspace():
            end -= 1
        words = list(_WORD.finditer(text, max(floor, end - 120), end))
        most = min(len(short) + 5, 2 * len(short))
        if not words or words[-1].end() != end:
            continue
        window = words[-most:]
        first = long_form([w.group() for w in window], short)
        if first is None:
            continue
        begin = window[first].start()
        if end - begin <= len(short) or short.lower() in text[begin:end].lower().split():
            continue
        found[short] = (begin, end, match.start(1), match.end(1))
    return found


def _company(text: str, start: int, end: int) -> frozenset[str]:
    return frozenset(_WORD.findall(text[start:end].lower()))


def _chosen(readings: tuple[Abbreviation, ...], category: str, near: tuple[frozenset[str], ...]) -> str | None:
    """The long form that the company of a short form decides for, or None."""
    fitting = [r for r in readings if category in r.sections]
    if len(fitting) == 1:
        return fitting[0].long
    for words in near:
        counts = [len(r.words & words) for r in readings]
        most = max(counts)
        if most:
            return readings[counts.index(most)].long if counts.count(most) == 1 else None
    fitting = [r for r in readings if r.always]
    return fitting[0].long if len(fitting) == 1 else None


def _lower_of(known: Mapping[str, tuple[Abbreviation, ...]]) -> dict[str, str]:
    return {
        short.lower(): short
        for short, readings in known.items()
        if len(short) > 2 and short.lower() not in _ORDINARY and not any(r.upper for r in readings)
    }


def _several_of(known: Mapping[str, tuple[Abbreviation, ...]]) -> list[str]:
    """The short forms of several words ("C. diff", "hep B")."""
    return sorted((s for s in known if " " in s), key=len, reverse=True)


@cache
def _several() -> list[str]:
    return _several_of(abbreviations())


def _phrases_in(text: str, several: list[str]) -> re.Pattern[str] | None:
    """A pattern of those short forms of several words that a text holds; None when it holds none, as most do."""
    held = [short for short in several if short in text]
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, held)) + r")(?!\w)") if held else None


@cache
def _lower() -> dict[str, str]:
    return _lower_of(abbreviations())


def expand(
    text: str, layout: Layout, table: Mapping[str, tuple[Abbreviation, ...]] | None = None
) -> list[tuple[int, int, str]]:
    """Start, end and long form of every abbreviation whose meaning is decided, in order and without overlap.

    `table` is the table of abbreviations (default: the packaged one). A definition in the note outranks it.
    """
    known = abbreviations() if table is None else table
    lower = _lower() if table is None else _lower_of(known)
    defined = definitions(text, layout) if "(" in text else {}
    phrases = _phrases_in(text, _several() if table is None else _several_of(known))
    found: list[tuple[int, int, str]] = []
    alone: list[tuple[int, int, str]] = []  # short forms that nothing near decides
    read: dict[str, set[str]] = {}
    for index, sentence in enumerate(layout.sentences):
        near: tuple[frozenset[str], ...] = ()
        decided: dict[str, str | None] = {}
        covered = sentence.start
        several = list(phrases.finditer(text, sentence.start, sentence.end)) if phrases else []
        for chunk in _CHUNK.finditer(text, sentence.start, sentence.end):
            while several and several[0].start() <= chunk.start():
                hit = several.pop(0)
                readings = known[hit[0]]
                if hit.start() >= covered and len(readings) == 1 and readings[0].always:
                    found.append((hit.start(), hit.end(), readings[0].long))
                    covered = hit.end()
            if chunk.start() < covered:
                continue
            word = chunk[0].rstrip(".?!'’")
            if not word:
                continue
            if word in known or word in defined or word.lower() in lower:
                pieces = [(chunk.start(), word)]
            elif word.isalnum():
                continue  # in one piece
            else:
                pieces = [(chunk.start() + p.start(), p[0]) for p in _PART.finditer(word)]
                if len(pieces) < 2:
                    continue
            for start, short in pieces:
                end = start + len(short)
                own = defined.get(short)
                if own is not None:
                    if start != own[2] and not own[0] <= start < own[1]:
                        found.append((start, end, text[own[0] : own[1]]))
                    continue
                name = short if short in known else lower.get(short.lower(), "")
                if not name:
                    continue
                readings = known[name]
                if len(readings) == 1 and readings[0].always:
                    found.append((start, end, readings[0].long))
                    continue
                if name not in decided:
                    if not near:
                        others = layout.sentences[max(0, index - 1) : index + 2]
                        near = (
                            _company(text, sentence.start, sentence.end),
                            frozenset().union(*(_company(text, o.start, o.end) for o in others)),
                        )
                    decided[name] = _chosen(readings, layout.category_of(sentence), near)
                long = decided[name]
                if long:
                    found.append((start, end, long))
                    read.setdefault(name, set()).add(long)
                else:
                    alone.append((start, end, name))
    # One writer seldom means two things by one short form.
    settled = {name: next(iter(longs)) for name, longs in read.items() if len(longs) == 1}
    more = [(start, end, settled[name]) for start, end, name in alone if name in settled]
    return sorted([*found, *more]) if more else found
