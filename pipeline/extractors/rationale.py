"""Rationale: the reason given for a test or a treatment, with the word that introduces it."""

from __future__ import annotations

import re
from functools import cache

from code_maps.elements import elements, word_set
from models.finding import Mention
from models.text import Layout
from pipeline.extractors.common import (
    EXAM_SECTIONS,
    HISTORY_SECTIONS,
    PLAN_SECTIONS,
    RESULT_SECTIONS,
    Line,
    Phrases,
    Reading,
    mention,
    read,
    worded,
)  # fmt: skip
from pipeline.extractors.studies import studies
from pipeline.extractors.treatments import treated

_ENDS = frozenset(".;!?•|")
_TURN = word_set("rationale", "turn")
_TIMID = word_set("rationale", "timid")


@cache
def _cues() -> Phrases:
    table = elements("rationale")["words"]
    cues = dict.fromkeys(table["strong"], "strong")
    cues.update(
        {
            cue: "timid"
            for cue in table["strong"]
            if cue in _TIMID or (cue.startswith("to ") and cue.split()[1] in _PLAIN)
        }
    )
    cues.update({cue: cue for cue in table["weak"]})
    return Phrases(cues)


# Infinitives that give a reason only beside a decision ("to help", "to find").
_PLAIN = word_set("rationale", "plain")


@cache
def _sets() -> tuple[frozenset[str], ...]:
    table = elements("rationale")["words"]
    return tuple(frozenset(table[name]) for name in ("since_not", "as_not", "for_not", "given_not", "decision"))


def _kept(line: Line, i: int, j: int, cue: str, decided: bool) -> bool:
    """Whether an ambiguous cue introduces a reason here."""
    words = line.words
    since_not, as_not, for_not, given_not, _ = _sets()
    after = words[j] if j < len(words) else ""
    before = words[i - 1] if i else ""
    if not after or (not after[0].isalnum() and after not in ("<", ">", "'", '"')):
        return j - i > 1 and words[j - 1] not in _OPEN and cue in ("strong", "timid") and decided
    if cue in ("timid", "strong") and words[i] == "to" and _asked(words, i):
        return False
    told = line.category in ("history_of_present_illness", "chief_complaint")
    if told and (cue != "strong" or words[i] == "for") and _DONE.isdisjoint(words[max(0, i - 12) : i]):
        return False
    if cue == "timid" and words[i] == "as":
        return (
            decided
            and words[j] not in ("can", "would", "likes")
            and before not in _NOT_BEFORE_AS
            and _clause(words, j - 1)
        )
    if cue == "strong":
        return True
    if cue == "timid":
        return decided
    if not decided:
        return cue == "due to" and line.category in PLAN_SECTIONS
    if cue == "given":
        return (
            after not in given_not
            and before
            not in (
                "was",
                "were",
                "been",
                "be",
                "is",
                "injection",
                "patch",
                "sheet",
                "handout",
                "and",
                "dose",
                "fluids",
            )
            and not after[0].isdigit()
        )
    if cue == "since":
        if after in ("the", "her", "his"):
            return any(w in _VERBS for w in words[j + 1 : j + 9])
        return after not in since_not and not after[0].isdigit()
    if cue == "as":
        return after not in as_not and before not in _NOT_BEFORE_AS and _clause(words, j)
    if cue in ("due to", "secondary to"):
        return True
    if cue == "for":
        if after in for_not or after[0].isdigit() or re.match(r"(?:two|three|four|several|many|at)$", after):
            return False
        return before not in (
            "follow",
            "allergic",
            "negative",
            "positive",
            "significant",
            "notable",
            "looking",
            "screen",
            "accounted",
            "except",
            "presents",
            "here",
            "seen",
            "responsible",
            "history",
            "waiting",
            "awaiting",
            "provided",
            "prescription",
            "prescriptions",
            "referral",
            "note",
            "letter",
            "excuse",
            "discussed",
            "visit",
            "presented",
            "remarkable",
        )
    if cue == "after" and not _FOUND.isdisjoint(words[j : j + 5]):
        return True
    if cue == "after":
        return any(
            w
            in (
                "failed",
                "failure",
                "failing",
                "inadequate",
                "trial",
                "despite",
                "no",
                "lack",
                "persistent",
                "exhausting",
                "worsening",
                "without",
                "recurrent",
                "starting",
                "unsuccessful",
                "conservative",
                "relapse",
                "incomplete",
                "relief",
                "response",
                "benefit",
                "recurrence",
                "intolerance",
                "progression",
                "trying",
                "tried",
                "ineffective",
                "two",
                "three",
                "several",
                "multiple",
                "repeated",
                "many",
            )
            for w in words[j : j + 6]
        )
    if cue == "with":
        if after in ("her", "his", "their", "known", "strong"):
            return "old" not in words[:i] and not {"history", "risk", "allergy", "known"}.isdisjoint(words[j : j + 4])
        return (
            after
            in (
                "persistent",
                "worsening",
                "failure",
                "concern",
                "ongoing",
                "suspicion",
                "failed",
                "refractory",
            )
            and line.category in PLAN_SECTIONS
        )
    if cue == "until":
        return not {
            "deferred",
            "defer",
            "hold",
            "held",
            "withheld",
            "postponed",
            "delayed",
            "wait",
            "avoid",
            "delay",
            "postpone",
        }.isdisjoint(words[:i])
    return cue not in ("while", "when", "though", "although", "unless", "if")


_VERBS = word_set("rationale", "verbs")


_DONE = word_set("rationale", "done")
# Words before an infinitive that ask for it: "need to check" gives no reason.
_ASKING = word_set("rationale", "asking")
_PERSONS = word_set("rationale", "persons")


_FOUND = frozenset(("grew", "showed", "revealed", "returned", "confirmed", "demonstrated"))
_NOT_BEFORE_AS = word_set("rationale", "not_before_as")


def _clause(words: list[str], j: int) -> bool:
    """Whether a verb follows: 'as she is', not 'as her salt intake'."""
    return any(w in _VERBS or (len(w) > 3 and w.endswith(("ed", "s"))) for w in words[j : j + 9])


_OPEN = word_set("rationale", "open")


def _asked(words: list[str], i: int) -> bool:
    before = words[i - 1] if i else ""
    if before in _ASKING:
        return True
    return before in _PERSONS and not _ASKING.isdisjoint(words[max(0, i - 6) : i - 1])


def find(reading: Reading) -> list[Mention]:
    """Reasons of a note already read into words."""
    found: list[Mention] = []
    decision = _sets()[4]
    for line in reading.lines:
        category = line.category
        if (
            category in EXAM_SECTIONS
            or category in RESULT_SECTIONS
            or category in HISTORY_SECTIONS
            or category in ("review_of_systems", "medications", "vitals")
        ):
            continue
        words = line.words
        hits = list(_cues().of(line))
        if not hits:
            continue
        decided = category in PLAN_SECTIONS or not decision.isdisjoint(words)
        if not decided:
            decided = treated(line) or any(s.result < 0 for s in studies(line))
        covered = 0
        for i, j, cue in hits:
            if i < covered:
                continue
            if not _kept(line, i, j, cue, decided):
                continue
            end = j
            first = i <= 2
            while end < len(words) and words[end] not in _ENDS:
                if words[end] == "," and first and end + 1 < len(words) and words[end + 1] in _TURN:
                    break
                if (
                    words[end] == ","
                    and end - j > 3
                    and words[end + 1 : end + 2]
                    and words[end + 1] in ("we", "will", "start", "then", "plan", "recommend")
                ):
                    break
                if words[end] == ":":
                    break
                end += 1
            if end >= j and worded(line, i, end):
                if i and words[i - 1] in ("having", "has", "have", "had") and words[i] == "failed":
                    i -= 1
                found.append(mention("rationale", line, i, min(end, j + 40), words[i]))
                covered = end
    return found


def rationale(text: str, layout: Layout) -> list[Mention]:
    """Reasons with their cue word, in the order of the text; `source` is the cue's first word."""
    return sorted(find(read(text, layout)), key=lambda m: (m.start, m.end))
