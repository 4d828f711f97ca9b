"""Treatments: drugs, procedures and devices, the drug's class and what was done (started, stopped …)."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from code_maps.elements import elements, word_set
from code_maps.terms.drugs import drugs
from models.finding import Mention
from models.text import Layout
from pipeline.extractors.common import (
    BREAKS,
    EXAM_SECTIONS,
    PLAN_SECTIONS,
    RESULT_SECTIONS,
    Line,
    Phrases,
    Reading,
    clauses,
    mention,
    read,
    worded,
)  # fmt: skip

_SKIP = frozenset(("allergies", "family_history", "review_of_systems", "vitals"))
_FREQUENCY = word_set("treatments", "frequency")
_OFTEN = word_set("treatments", "often")
_COUNTS = word_set("treatments", "counts")
_NOT_OFTEN = word_set("treatments", "not_often")
_SENTENCE = word_set("treatments", "sentence")
_LEVEL = word_set("treatments", "level")
_ACTION_NP = word_set("treatments", "action_np")
_NOT_NP = word_set("treatments", "not_np")


@cache
def _drugs() -> Phrases:
    table = elements("treatments")["words"]
    names: dict[str, str] = dict.fromkeys(table["drugs"], "")
    names.update({name: drug.drug_class for name, drug in drugs().items()})
    return Phrases(names)


@cache
def _ending() -> re.Pattern[str]:
    words = elements("treatments")["words"]
    ends = sorted((e for e in words["endings"] if len(e) > 3), key=len, reverse=True)
    return re.compile(r"[a-z]{2,}(?:" + "|".join(map(re.escape, ends)) + r")$")


@cache
def _prefixes() -> tuple[str, ...]:
    return tuple(elements("treatments")["words"]["prefixes"])


@cache
def _not_endings() -> frozenset[str]:
    return frozenset(elements("treatments")["words"]["not_endings"])


@cache
def _procedures() -> Phrases:
    return Phrases(elements("treatments")["words"]["procedures"])


@cache
def _actions() -> Phrases:
    table = elements("treatments")
    actions = dict.fromkeys(table["words"]["actions"], "")
    for action, words in table["action"].items():
        actions.update(dict.fromkeys(words, action))
    return Phrases(actions)


@cache
def _units() -> Phrases:
    return Phrases([u for u in elements("treatments")["dose"]["units"] if u != "%"])


_LOOSE = word_set("treatments", "loose")


@lru_cache(maxsize=50_000)
def _like_drug(word: str) -> bool:
    if len(word) < 6 or not word.isalpha() or word in _not_endings():
        return False
    return (len(word) > 6 and word.startswith(_prefixes())) or bool(_ending().match(word))


def treated(line: Line) -> bool:
    """Whether a line names a drug or a dose; the cheap test of others."""
    words = line.words
    if _drugs().of(line):
        return True
    return (
        any(w in ("mg", "mcg", "units") for w in words)
        or any(_like_drug(w) for w in words)
        or bool(_procedures().of(line))
    )


_STOPS = frozenset((".", ";"))


def _action(line: Line, i: int, j: int, actions: list[tuple[int, int, str]]) -> str | None:
    """What was done with the thing at words i to j: the nearest action before it, or just after it."""
    words = line.words
    best: str | None = None
    for low, high, action in actions:
        if not action:
            continue
        before = high <= i and i - high <= 6 and _STOPS.isdisjoint(words[high:i])
        after = low >= j and low - j <= 6 and best is None and words[low] not in ("on", "use")
        if before or (after and _STOPS.isdisjoint(words[j:low]) and "," not in words[j:low]):
            best = action
    return best


def _dose_end(line: Line, j: int) -> int:
    """The end of a dose and its frequency that begin at word `j`."""
    words = line.words
    at = j
    if at < len(words) and words[at] == "(":
        return j
    number = at < len(words) and words[at][0].isdigit()
    if number:
        at += 1
        while at < len(words) and words[at] in ("-", "/", "–") and at + 1 < len(words) and words[at + 1][0].isdigit():
            at += 2
        unit = _units().at(words, at) if at < len(words) else None
        if unit:
            at = unit[0]
        elif words[at - 1].isdigit():
            return j
    elif not (
        at < len(words)
        and (
            words[at] in ("daily", "bid", "tid", "prn", "nightly", "twice", "once", "weekly")
            or (words[at : at + 1] == ["at"] and words[at + 1 : at + 2] and words[at + 1][0].isdigit())
        )
    ):
        return j
    while at < len(words) and at - j < 12 and (words[at] in _FREQUENCY or words[at][0].isdigit()):
        at += 1
    while at > j and words[at - 1] in ("for", "at", "in", "the", "a", "by", "as", "with", "x", "per"):
        at -= 1
    return at


def _add(
    found: list[Mention],
    taken: list[tuple[int, int]],
    actions: list[tuple[int, int, str]],
    line: Line,
    i: int,
    j: int,
    source: str,
    drug_class: str = "",
) -> None:
    """Note the treatment at words i to j with its class and what was done."""
    action = _action(line, i, j, actions)
    values: list[tuple[str, str | float | int | None]] = []
    if drug_class:
        values.append(("class", drug_class))
    if action:
        values.append(("action", action))
    found.append(mention("treatment", line, i, j, source, tuple(values)))
    taken.append((i, j))


def find(reading: Reading) -> list[Mention]:
    """Treatments of a note already read into words."""
    found: list[Mention] = []
    for line in reading.lines:
        category = line.category
        words = line.words
        if category in _SKIP or category in EXAM_SECTIONS:
            continue
        actions = list(_actions().of(line))
        taken: list[tuple[int, int]] = []
        if category in RESULT_SECTIONS and not actions:
            continue

        named = [(i, j, c) for i, j, c in _drugs().of(line)]
        covered = {k for i, j, _ in named for k in range(i, j)}
        named += [(i, i + 1, "") for i, w in enumerate(words) if i not in covered and _like_drug(w)]
        planned = category in PLAN_SECTIONS or category in ("medications", "procedure", "hospital_course")
        for i, j, drug_class in sorted(named):
            if j < len(words) and words[j] in _LEVEL:
                continue
            if words[i] in _LOOSE and j - i == 1 and not planned and not actions:
                continue
            if (
                i
                and words[i - 1] in ("to", "of")
                and i > 1
                and words[i - 2] in ("allergy", "allergic", "allergies", "reaction")
            ):
                continue
            if words[i - 1 : i] and j < len(words) and words[j] == "allergy":
                continue
            end = max(_dose_end(line, j), j)
            _add(found, taken, actions, line, i, end, "drug", drug_class)
        for i, word in enumerate(words):  # an unknown drug by its dose
            if i and word[0].isdigit() and i + 1 < len(words) and not any(low <= i < high for low, high in taken):
                unit = _units().at(words, i + 1)
                if (
                    unit
                    and unit[1] in ("mg", "mcg", "units", "meq", "tablet", "tablets", "puffs", "mg/kg")
                    and words[unit[0] : unit[0] + 1] != ["/"]
                ):
                    low = i
                    while (
                        low > 0
                        and i - low < 3
                        and words[low - 1][0].isalpha()
                        and words[low - 1] not in BREAKS
                        and words[low - 1] not in ("to", "of", "is", "at", "from", "was", "with", "the", "and")
                        and not any(a <= low - 1 < b for a, b, _ in actions)
                    ):
                        low -= 1
                    _add(found, taken, actions, line, low, max(_dose_end(line, i), unit[0]), "dose")
        if planned or category == "":
            for i, word in enumerate(words):  # an unknown drug by how often it is taken
                if i and word in _OFTEN and not any(low <= i <= high for low, high in taken):
                    name = words[i - 1]
                    if word == "every" and not (
                        words[i + 1 : i + 2] and (words[i + 1][0].isdigit() or words[i + 1] in _COUNTS)
                    ):
                        continue
                    first = reading.text[line.starts[i - 1]]
                    if (
                        name.isalpha()
                        and len(name) > 3
                        and name not in _NOT_OFTEN
                        and (first.isupper() or category == "medications")
                    ):
                        _add(found, taken, actions, line, i - 1, max(_dose_end(line, i), i + 1), "frequency")
        for i, j, _ in _procedures().of(line):
            if any(low < j and i < high for low, high in taken) or words[j : j + 1] in ([":"], ["forward"]):
                continue
            if (
                words[i] in _LOOSE
                and j - i == 1
                and not planned
                and not any((low < i and i - high <= 6) or (low >= j and low - j <= 3) for low, high, _ in actions)
            ):
                continue
            if category in (
                "past_medical_history",
                "past_surgical_history",
                "social_history",
                "obstetric_history",
            ):
                continue
            end = j
            if words[i] in ("injected", "transfused") and j < len(words) and words[j] in ("with", "of"):
                end = min(j + 5, len(words))
                while end > j and not set(words[j:end]).isdisjoint(BREAKS):
                    end -= 1
            elif j < len(words):
                end = max(_dose_end(line, j), j)
            _add(found, taken, actions, line, i, end, "procedure")
        if category == "medications":
            for i, j in clauses(line):
                if worded(line, i, j) and j - i <= 16 and not any(low < j and i < high for low, high in taken):
                    _add(found, taken, actions, line, i, j, "medications")
        elif planned or category in ("", "assessment"):
            for i, j, _ in actions:
                if words[i] not in _ACTION_NP or any(low < j + 4 and i < high for low, high in taken):
                    continue
                begin = j
                while begin < len(words) and words[begin] in (
                    "a",
                    "an",
                    "the",
                    "her",
                    "his",
                    "current",
                    "with",
                    "on",
                    "using",
                ):
                    begin += 1
                end = begin
                while (
                    end < len(words)
                    and end - begin < 5
                    and words[end] not in BREAKS
                    and words[end] not in ("for", "and", "or", "to", "as", "given", "because", "if", "in", "until")
                ):
                    end += 1
                if (
                    end > begin
                    and words[begin][0].isalpha()
                    and words[begin] not in _NOT_NP
                    and not words[begin].endswith("ing")
                    and worded(line, begin, end)
                ) and (
                    words[i] in ("recommend", "continue", "continued", "start", "started") or category in PLAN_SECTIONS
                ):
                    _add(found, taken, actions, line, begin, end, "plan")
        if (
            category == "procedure"
            and not taken
            and len(words) <= 16
            and _SENTENCE.isdisjoint(words)
            and worded(line, 0, len(words))
        ):
            _add(found, taken, actions, line, 0, len(words), "procedure")
    return found


def treatments(text: str, layout: Layout) -> list[Mention]:
    """Drugs, procedures and devices in the order of the text; `values` holds class and action where known."""
    return sorted(find(read(text, layout)), key=lambda m: (m.start, m.end))
