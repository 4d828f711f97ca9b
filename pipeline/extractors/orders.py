"""Orders: tests, images, referrals and consultations asked for."""

from __future__ import annotations

from functools import cache

from code_maps.elements import elements, word_set
from models.finding import Mention
from models.text import Layout
from pipeline.extractors.common import (
    BREAKS,
    EXAM_SECTIONS,
    HISTORY_SECTIONS,
    PLAN_SECTIONS,
    Line,
    Phrases,
    Reading,
    mention,
    read,
    worded,
)  # fmt: skip
from pipeline.extractors.studies import studies

_GENERIC = word_set("orders", "generic")
_NOT_GENERIC = word_set("orders", "not_generic")
_CUES = word_set("orders", "cues")
_PASSIVE = frozenset(("requested", "ordered", "arranged", "scheduled"))
_AUXILIARY = frozenset(("was", "were", "is", "i", "we", "has", "have", "had", "patient", "as", "they"))
_PAST = word_set("orders", "past")
_FOUND = word_set("orders", "found")
_EXPLICIT = word_set("orders", "explicit")
_DOSED = word_set("orders", "dosed")


@cache
def _verbs() -> Phrases:
    return Phrases(elements("orders")["words"]["verbs"])


@cache
def _specialties() -> Phrases:
    return Phrases(elements("orders")["words"]["specialties"])


@cache
def _referral() -> frozenset[str]:
    return frozenset(elements("orders")["words"]["referral"])


def _phrase_end(line: Line, i: int, most: int) -> int:
    words = line.words
    j = i
    while j < len(words) and j - i < most and words[j] not in BREAKS and words[j] not in _CUES:
        j += 1
    return j


def find(reading: Reading) -> list[Mention]:
    """Orders of a note already read into words."""
    found: list[Mention] = []
    for line in reading.lines:
        category = line.category
        if (
            category in EXAM_SECTIONS
            or category in ("imaging", "results", "medications", "review_of_systems")
            or category in HISTORY_SECTIONS
        ):
            continue
        words = line.words
        if category == "labs":
            listed = list(studies(line))
            named = sum(s.j - s.i for s in listed)
            if listed and named == sum(w[0].isalnum() and w != "and" for w in words):
                found.extend(mention("order", line, s.i, s.j, s.kind) for s in listed)
            continue
        verbs = [(i, j) for i, j, _ in _verbs().of(line)]
        planned = category in PLAN_SECTIONS
        reason = not _REASON.isdisjoint(words)
        taken: list[tuple[int, int]] = []
        for study in studies(line):
            i, j = study.i, study.j
            if study.result > 0 or (j < len(words) and words[j][0].isdigit() and not planned):
                continue
            if j < len(words) and (
                words[j] in _DOSED
                or (words[j][0].isdigit() and words[j + 1 : j + 2] and words[j + 1] in _DOSED | {"%", "/"})
            ):
                continue
            if j < len(words) and words[j][:1].isdigit() and study.ambiguous:
                continue
            if not _FOUND.isdisjoint(words[max(0, i - 3) : i]):
                continue
            near = [v for v in verbs if i - 9 <= v[0] < i or j <= v[0] <= j + 3]
            if category in ("history_of_present_illness", "chief_complaint"):
                near = [v for v in near if words[v[0]] in _EXPLICIT]
            past = (
                not _PAST.isdisjoint(words[max(0, i - 5) : i])
                or "ago" in words[j : j + 6]
                or (words[j : j + 1] == ["in"] and words[j + 1 : j + 2] and words[j + 1][:2] in ("19", "20"))
            )
            if past and not any(words[v[0]] in ("repeat", "recheck", "will", "order", "refer") for v in near):
                continue
            fragment = i <= 3 and (category == "" or category in ("assessment", "diagnoses", "hospital_course"))
            if (
                near
                or (planned and not study.ambiguous)
                or (planned and i <= 2 and not study.ambiguous)
                or (fragment and reason and not study.ambiguous)
            ):
                low = i
                while (
                    low > 0
                    and i - low < 3
                    and words[low - 1][0].isalnum()
                    and words[low - 1] not in _CUES
                    and not _is_verb(verbs, low - 1)
                    and words[low - 1] not in ("a", "an", "the", "of", "will", "we")
                ):
                    low -= 1
                end = _phrase_end(line, j, 4) if j < len(words) and words[j] in ("with", "without") else j
                if j < len(words) and words[j] in ("with", "without"):
                    end = _phrase_end(line, j + 1, 3)
                elif j < len(words) and words[j] in (
                    "of",
                    "study",
                    "panel",
                    "scan",
                    "test",
                    "level",
                    "abdomen",
                    "chest",
                    "head",
                    "right",
                    "left",
                    "lumbar",
                    "brain",
                ):
                    end = _phrase_end(line, j, 5)
                found.append(mention("order", line, low, max(end, j), study.kind))
                taken.append((low, max(end, j)))
        for i, j, _ in _specialties().of(line):
            before = words[max(0, i - 6) : i]
            after = words[j : j + 2]
            asked = not _referral().isdisjoint(before) or (
                bool(after)
                and after[0]
                in ("referral", "consult", "consultation", "evaluation", "consulted", "clinic", "appointment")
            )
            asked = (
                asked
                or after in (["to", "see"], ["to", "evaluate"], ["to", "follow"], ["to", "consult"])
                or words[i].endswith("clearance")
                or words[j - 1] in ("clearance", "opinion")
            )
            with_them = before[-1:] == ["with"] and not {
                "follow",
                "followup",
                "appointment",
                "schedule",
                "scheduled",
                "see",
                "up",
            }.isdisjoint(before)
            if not (asked or with_them):
                if not (
                    planned
                    and (j == len(words) or words[j] in BREAKS)
                    and (i == 0 or words[i - 1] in BREAKS or words[i - 1] in ("to", "see"))
                ):
                    continue
                if len(words[i]) < 3:
                    continue
            if not _PAST.isdisjoint(before) and not planned and "referred" not in before:
                continue
            low = i
            for at in range(max(0, i - 6), i):
                if words[at] in _referral():
                    low = at
                    break
            high = (
                j + 1
                if after and after[0] in ("referral", "consult", "consultation", "evaluation", "clinic", "appointment")
                else j
            )
            found.append(mention("order", line, low, high, "referral"))
            taken.append((low, high))
        for i, j in verbs:
            if any(low <= i < high for low, high in taken):
                continue
            word = words[i]
            if word in ("refer", "referred", "referral", "referring", "consult"):
                begin = j
                while begin < len(words) and words[begin] in (
                    "him",
                    "her",
                    "them",
                    "patient",
                    "the",
                    "pt",
                    "to",
                    "back",
                    "was",
                    "placed",
                    "made",
                    "for",
                    "this",
                ):
                    begin += 1
                end = _phrase_end(line, begin, 6)
                if words[begin : begin + 1] and words[begin] in ("me", "our", "us", "my", "here", "as"):
                    continue
                near_taken = any(low < end and i < high for low, high in taken)
                if end > begin and not near_taken and (words[j : j + 1] != ["pain"]) and category != "chief_complaint":
                    found.append(mention("order", line, i, end, "referral"))
            elif word in _PASSIVE and 0 < i <= 5 and (planned or category == "") and (i, j) == verbs[0]:
                if worded(line, 0, i) and words[i - 1] not in _AUXILIARY:
                    found.append(mention("order", line, 0, i, "order"))
            elif word in _GENERIC and (
                planned or (category in ("", "assessment", "hospital_course", "history_of_present_illness") and i <= 4)
            ):
                begin = j
                while begin < len(words) and words[begin] in (
                    "a",
                    "an",
                    "the",
                    "for",
                    "another",
                    "some",
                    "her",
                    "his",
                ):
                    begin += 1
                end = _phrase_end(line, begin, 6)
                if (
                    end > begin
                    and words[begin] not in _NOT_GENERIC
                    and worded(line, begin, end)
                    and words[begin][0].isalnum()
                    and not any(low < end and begin < high for low, high in taken)
                ):
                    found.append(mention("order", line, begin, end, "order"))
    return found


def _is_verb(verbs: list[tuple[int, int]], at: int) -> bool:
    return any(i <= at < j for i, j in verbs)


_REASON = word_set("orders", "reason")


def orders(text: str, layout: Layout) -> list[Mention]:
    """Tests, imaging, referrals and consultations asked for, by place; `source` says which."""
    return sorted(find(read(text, layout)), key=lambda m: (m.start, m.end))
