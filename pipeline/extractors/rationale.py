"""Rationale: the reason given for a test or a treatment, with the word that introduces it."""

from __future__ import annotations

import re
from functools import cache

from code_maps.elements import elements
from models.finding import Mention
from models.text import Layout
from pipeline.extractors.common import (
    EXAM_SECTIONS, HISTORY_SECTIONS, PLAN_SECTIONS, RESULT_SECTIONS, Line, Phrases, Reading, mention, read, worded,
)  # fmt: skip
from pipeline.extractors.studies import studies
from pipeline.extractors.treatments import treated

_ENDS = frozenset(".;!?•|")
_TURN = frozenset("we i will start recommend plan she he they patient the continue order then so".split())
_WEAK_STRONG = frozenset(
    "consistent with|suggesting|indicated|failed|failing|failure of|thus|therefore|hence|concerned about|concerned for|concern for|"
    "concerning for|suspicious for|considering|contraindicated|based on|prompted by|as the|as her|as his|as their|as she|as he|as they|"
    "as it|as this|as i|as we|as no|despite|refractory to|in the setting of|as a result of|the result of|in the absence of|in the presence of|"
    "high risk of|reason for|the reason|in case of|rule out|r/o|intolerant of|who failed|rather than|suspecting".split("|")
)


@cache
def _cues() -> Phrases:
    table = elements("rationale")["words"]
    cues = {cue: "strong" for cue in table["strong"]}
    cues.update({cue: "timid" for cue in table["strong"] if cue in _WEAK_STRONG or cue.startswith("to ") and cue.split()[1] in _PLAIN})
    cues.update({cue: cue for cue in table["weak"]})
    return Phrases(cues)


# Infinitives that give a reason only beside a decision ("to help", "to find").
_PLAIN = frozenset(
    "help find keep see make stop increase manage break obtain direct select plan decide prove support find lower reduce improve treat "
    "control cover address allow avoid prevent target relieve slow maintain strengthen aid promote achieve protect minimize decrease "
    "define clear remove return resolve ease calm settle heal speed enable permit taper wean eliminate delay induce sure work pursue explore map grade preserve stabilize define measure guide restore correct replace limit facilitate check monitor follow spare simplify trend track inform compare "
    "optimize ensure alleviate document establish stage determine confirm screen identify assess evaluate".split()
)


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
    if not after or not after[0].isalnum() and after not in ("<", ">", "'", '"'):
        return j - i > 1 and words[j - 1] not in _OPEN and cue in ("strong", "timid") and decided
    if cue in ("timid", "strong") and words[i] == "to" and _asked(words, i):
        return False
    if cue == "strong":
        return True
    if cue == "timid":
        return decided
    if line.category in ("history_of_present_illness", "chief_complaint") and _DONE.isdisjoint(words[max(0, i - 12) : i]):
        return False
    if not decided:
        return cue == "due to" and line.category in PLAN_SECTIONS
    if cue == "given":
        return after not in given_not and before not in ("was", "were", "been", "be", "is", "injection", "patch", "sheet", "handout", "and", "dose", "fluids") and not after[0].isdigit()
    if cue == "since":
        if after in ("the", "her", "his"):
            return any(w in _VERBS for w in words[j + 1 : j + 9])
        return after not in since_not and not after[0].isdigit()
    if cue == "as":
        return after not in as_not and before not in ("well", "such", "soon", "long", "much", "same", "far", "as", "described", "known", "diagnosed", "used", "presents", "works", "employed") and any(
            w in _VERBS or len(w) > 3 and w.endswith(("ed", "s")) for w in words[j : j + 9]
        )
    if cue in ("due to", "secondary to"):
        return True
    if cue == "for":
        if after in for_not or after[0].isdigit() or re.match(r"(?:two|three|four|several|many|at)$", after):
            return False
        return before not in ("follow", "allergic", "negative", "positive", "significant", "notable", "looking", "screen", "accounted", "except", "presents", "here", "seen", "responsible", "history", "waiting", "awaiting", "provided", "prescription", "prescriptions", "referral", "discussed", "visit", "presented", "remarkable")
    if cue == "after":
        return any(w in ("failed", "failure", "failing", "inadequate", "trial", "despite", "no", "lack", "persistent", "exhausting", "worsening", "without", "recurrent", "starting", "unsuccessful", "conservative", "relapse", "incomplete", "relief", "response", "benefit", "recurrence", "intolerance", "progression", "trying", "tried", "ineffective", "two", "three", "several", "multiple", "repeated", "many") for w in words[j : j + 6])
    if cue == "with":
        if after in ("her", "his", "their", "a", "known", "prior", "strong"):
            return not {"history", "risk", "allergy", "known"}.isdisjoint(words[j : j + 4])
        return after in ("persistent", "worsening", "failure", "concern", "ongoing", "suspicion", "failed", "refractory") and line.category in PLAN_SECTIONS
    if cue == "until":
        return not {"deferred", "defer", "hold", "held", "withheld", "postponed", "delayed", "wait", "avoid", "delay", "postpone"}.isdisjoint(words[:i])
    if cue in ("while", "when", "though", "although", "unless", "if"):
        return False
    return True


_VERBS = frozenset(
    "is are was were has have had remains remain did does do could cannot can't didn't not will would may might continues continue "
    "stays stay needs need takes shows showed failed persists persist may suggests requires declined refuses refused lives works "
    "smokes reports reported prefers wants wishes tolerated causes caused caused keeps kept struck meets met interacts wore fell rose "
    "exceeds exceeded worsened improved no home symptoms risk pain cultures failing became becomes lacks increases interferes outweigh "
    "appears seems feels looks got gets gave went came lost gained saw helps helped hurts affects limits carries poses gives".split()
)


_DONE = frozenset(
    "stopped started discontinued switched changed held avoided declined placed prescribed ordered referred obtained increased "
    "decreased admitted given treated taking takes".split()
)
# Words before an infinitive that ask for it: "need to check" gives no reason.
_ASKING = frozenset(
    "need needs needed want wants wanted like able going plan plans continue continues continued used have has had how try tries tried "
    "trying advised asked encouraged instructed agrees agreed wishes prefers unable decided elected willing ready reminded counseled "
    "told began begin begins hopes recommended recommend ought due attempt attempts attempted unlikely likely failed important "
    "reasonable prefer sure hard difficult easy appear appears seem seems".split()
)
_PERSONS = frozenset("him her them patient pt us me".split())


_OPEN = frozenset("to of for by because that as with from a the at in on than is".split())


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
        if category in EXAM_SECTIONS or category in RESULT_SECTIONS or category in HISTORY_SECTIONS or category in (
            "review_of_systems", "medications", "vitals"
        ):
            continue
        words = line.words
        hits = list(_cues().find(words))
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
                if words[end] == "," and end - j > 3 and words[end + 1 : end + 2] and words[end + 1] in ("we", "will", "start", "then", "plan", "recommend"):
                    break
                if words[end] == ":" :
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
