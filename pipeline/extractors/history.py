"""History: past, surgical, family, social, allergy, birth and exposure statements."""

from __future__ import annotations

import itertools
import re
from functools import cache

from code_maps.elements import elements, word_set
from models.finding import Mention
from models.text import Layout
from pipeline.extractors.common import (
    BREAKS,
    ENDS,
    HISTORY_SECTIONS,
    Line,
    Phrases,
    Reading,
    clauses,
    mention,
    read,
    stop,
    worded,
)

_SHORT = word_set("history", "short")
_YEAR = re.compile(r"(?:19|20)\d\d$")
_GRAVIDA = re.compile(r"g\d{1,2}p\d{1,4}$")
_REACTIONS = word_set("history", "reactions")
_SUBJECTS = word_set("history", "subjects")


@cache
def _cues() -> Phrases:
    table = elements("history")["words"]
    cues: dict[str, str] = {}
    for kind in ("past", "social", "allergy", "exposure"):
        cues.update(dict.fromkeys(table[kind], kind))
    return Phrases(cues)


@cache
def _relatives() -> frozenset[str]:
    return frozenset(elements("history")["words"]["relatives"])


@cache
def _family() -> Phrases:
    return Phrases(elements("history")["words"]["family"])


def _is_history(line: Line) -> bool:
    if line.category in HISTORY_SECTIONS:
        return True
    heading = line.heading
    return (
        line.category == "history_of_present_illness"
        and ("history" in heading or "hx" in heading)
        and ("present" not in heading and "illness" not in heading)
    )


def _statement(line: Line, i: int, j: int) -> tuple[int, int]:
    """The clause around a cue: back to a subject or break, on to the next break."""
    words = line.words
    low = i
    while low > 0 and words[low - 1] not in BREAKS and words[low - 1] not in _SUBJECTS and i - low < 8:
        low -= 1
    high = j
    while high < len(words) and words[high] not in ENDS and not (words[high] in (",", ")") and high > j):
        high += 1
        if high - j > 24:
            break
    return low, max(high, j)


def find(reading: Reading) -> list[Mention]:
    """History statements of a note already read into words."""
    found: list[Mention] = []
    relatives = _relatives()
    for line in reading.lines:
        if _is_history(line):
            for i, j in clauses(line, colon=False):
                if worded(line, i, j):
                    found.append(mention("history", line, i, j, line.category))
            continue
        if line.category in ("physical_exam", "vitals", "labs", "imaging", "patient_education"):
            continue
        words = line.words
        until = 0
        for i, j, kind in _cues().of(line):
            if i < until:
                continue
            if kind == "social" and j - i == 1 and words[i] in _SHORT and not _social(line, i, j):
                continue
            if kind == "past" and j - i == 1 and words[i] in ("previous", "prior", "hx", "childhood"):
                nouns = words[j : j + 4]
                if words[i] in ("previous", "prior") and not _former(nouns):
                    continue
            if kind == "past" and words[i] == "had" and not _dated(words[j : j + 10]):
                continue
            if i and words[i - 1] in ("natural", "browsing", "medication") and words[i] == "history":
                continue
            low, high = _statement(line, i, j)
            low = max(low, until)
            found.append(mention("history", line, min(low, i), high, kind))
            until = high
        if len(words) <= 8 and ":" in words[1:4] and not _REACTIONS.isdisjoint(words[2:]):
            found.append(mention("history", line, 0, len(words), "allergy"))
        for i, word in enumerate(words):
            if word[0] == "g" and _GRAVIDA.match(word + (words[i + 1] if i + 1 < len(words) else "")):
                found.append(mention("history", line, i, i + 1, "birth"))
            if word in relatives and word != "family" and i + 1 < len(words):
                for low, _, _ in _family().find(words, i + 1, min(len(words), i + 6)):
                    high = min(stop(line, low, ENDS), i + 20)
                    if "," in words[low:high]:
                        high = low + words[low:high].index(",")
                    found.append(mention("history", line, i, max(high, low + 1), "family"))
                    break
            elif word == "family" and words[i + 1 : i + 2] == ["history"]:
                found.append(mention("history", line, i, max(stop(line, i + 2), i + 2), "family"))
    return found


_PAST_NOUNS = word_set("history", "past_nouns")
_PAST_TIMES = word_set("history", "past_times")


def _former(nouns: list[str]) -> bool:
    """Whether what was there before is a part of the history (not an earlier visit or test)."""
    return any(
        n in _PAST_NOUNS or n.endswith(("ectomy", "plasty", "otomy", "ostomy", "pexy", "struction")) for n in nouns
    )


def _dated(words: list[str]) -> bool:
    """Whether a past event is given its time."""
    if any(_YEAR.match(w) or w in _PAST_TIMES for w in words):
        return True
    return any(a == "at" and (b == "age" or b.isdigit()) for a, b in itertools.pairwise(words))


def _social(line: Line, i: int, j: int) -> bool:
    """Whether a short word says how somebody lives."""
    words = line.words
    word = words[i]
    before = words[i - 1] if i else ""
    after = words[j] if j < len(words) else ""
    if word == "single":
        return before in ("is", "a", "") and after in (",", ".", ";", "", "mother", "father", "parent")
    if word == "from":
        return before in ("is", "originally", "immigrated", "came", "returned") and after not in (
            "a",
            "the",
            "this",
        )
    if word == "works":
        return after in (
            "as",
            "in",
            "at",
            "for",
            "nights",
            "full",
            "part",
            "from",
            "with",
            "days",
            "on",
            "outside",
        ) or before in ("who", "she", "he")
    if word == "quit":
        return True
    if word == "diet":
        return line.category == "social_history"
    if word == "grade":
        return before.endswith(("th", "rd", "nd", "st")) and before[:1].isdigit()
    if word in ("alcohol", "tobacco"):
        return after not in ("pad", "swab", "prep")
    if word in ("exposure", "travel"):
        return after != "history" or True
    return True


def history(text: str, layout: Layout) -> list[Mention]:
    """Past, surgical, family, social, allergy, birth and exposure statements; `source` says which."""
    return sorted(find(read(text, layout)), key=lambda m: (m.start, m.end))
