"""Assertion of findings: whether one is there, when, and whose it is, with the cues that say so.

medspaCy's ConText is the engine; its rules are ours (`code_maps/cues/`), literal phrases all. We find the phrases;
which of them limit one another, how far each reaches and which finding it modifies is for ConText's graph. It is given
one sentence at a time, because it tries every cue on every cue and finding, and only findings that a cue could reach
at all: a quarter of them. What it can't decide is decided afterwards by the small functions below: how far a cue reaches over
commas, `for` and the like; check boxes, signs and yes/no answers; lists under a heading; past against chronic;
relatives who merely report.

Performance
-----------
Measured in November 2026 on two shared cores, with the sections of `pipeline/sections.py`. The first half of each
set was looked at while the cues were written; the second was scored at milestones, and its errors were read for their
kind, too. So the figures (first / second half) are those of development data. The second crafted half, scored before
any of it was read, gave 0.925 for all three attributes and for codable: expect that of notes nobody has looked at.

- 294 crafted sentences and short notes: all three attributes 1.000 / 0.993, codable or not 1.000 / 0.993.
- 1,183 ConText test sentences: negation F1 0.987 / 0.992, hypothetical 0.750 / 1.000 (29 cases), historical 0.743 /
  0.694. In historical, what is missed is by convention or can't be seen: chronic diseases in a past-history list stay
  current here and are historical there, and many are list items ("Anemia.") whose heading that set left out.
  A `history of` a chronic disease in prose is historical unless treatment is named beside it.
- Speed: 2.3 ms for 430 words with 83 findings (30 notes), linear. Reading the phrases takes 0.07 s, once; spaCy, which
  ConText needs, another half a second, when the first cue could reach a finding.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple

from code_maps.cues import CueGroup, cue_groups, persistence
from models.finding import Assertion, Cue, Experiencer, Presence, Temporality
from models.text import Layout, Sentence, Span
from pipeline.language import lowered, medspacy_part, tokens

_MAX_TOKENS = 120  # longer sentences are cut: ConText's work grows with the square
_LEAD_TOKENS = 12


@dataclass(frozen=True, slots=True)
class _Edge:
    """A cue that reaches a finding; positions are tokens of the piece of text that was read."""

    group: CueGroup
    start: int
    end: int
    distance: int
    before: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of text given to ConText at once: a sentence, with the heading or list lead above it, if any."""

    places: list[tuple[int, int]]  # of every token, in the note
    words: list[str]  # lower case
    first: int  # the first token that isn't lead
    category: str  # of the section
    title: str  # of the section, lower case
    years: frozenset[str]  # all that the note names


def _category(group: CueGroup) -> str:
    return "+".join([group.role.upper(), *sorted(s.upper() for s in group.stops)])


@lru_cache(maxsize=1)
def _rules() -> tuple[Any, ...]:
    """A ConText rule for each cue group, in order; its metadata is the group."""
    context = medspacy_part("context")
    groups = cue_groups()
    categories = {(_category(g), g.role, g.stops) for g in groups}
    rules = []
    for group in groups:
        direction = {"both": "BIDIRECTIONAL", "none": "PSEUDO", "end": "TERMINATE"}.get(
            group.direction, group.direction.upper()
        )
        ends = {
            name
            for name, role, stops in categories
            if (role in group.ends and role != "stop")
            or stops & group.ends
            or (role == group.role and role not in ("pseudo", "stop"))
        }
        rules.append(
            context.ConTextRule(
                group.literals[0],
                _category(group),
                direction=direction,
                max_scope=group.scope,
                terminated_by=ends,
                metadata={"group": group},
            )
        )
    return tuple(rules)


class _Reach(NamedTuple):
    """How a wording reaches: the number of its cue group, to which sides, and over how many words.

    Cues that only limit what others say reach nowhere.
    """

    group: int
    forward: bool
    backward: bool
    scope: int


_Found = tuple[int, int, _Reach]
"""A wording in a piece: its first and last token (end exclusive) and how it reaches."""
_Wordings = dict[str, dict[int, dict[tuple[str, ...], _Reach]]]
_NO_LIMIT = 10_000


@lru_cache(maxsize=1)
def _wordings() -> _Wordings:
    """The wordings of all cues by their first word and their number of words."""
    by_first: _Wordings = {}
    for number, group in enumerate(cue_groups()):
        says = group.role not in ("pseudo", "stop", "affirmation")
        reach = _Reach(
            number,
            says and group.direction in ("forward", "both"),
            says and group.direction in ("backward", "both"),
            group.scope or _NO_LIMIT,
        )
        for literal in group.literals:
            words = tuple([literal[a:b].lower() for a, b in tokens(literal)])
            by_first.setdefault(words[0], {}).setdefault(len(words), {})[words] = reach
    return by_first


def _found_in(words: list[str]) -> list[_Found]:
    """Every wording that stands among some words, from left to right."""
    by_first = _wordings()
    found: list[_Found] = []
    for i, word in enumerate(words):
        lengths = by_first.get(word)
        if lengths:
            for length, wordings in lengths.items():
                reach = wordings.get(tuple(words[i : i + length]))
                if reach is not None:
                    found.append((i, i + length, reach))
    return found


def _may_reach(cue: _Found, where: tuple[int, int]) -> bool:
    """Whether nothing but other cues could keep a cue from a finding: it stands on the right side and near enough."""
    start, end, (_, forward, backward, scope) = cue
    low, high = where
    return (forward and 0 <= low - end < scope) or (backward and 0 <= start - high < scope)


def _modifiers(found: list[_Found], size: int) -> list[Any]:
    """ConText's modifiers for the wordings found in a sentence of `size` tokens; of overlapping ones the longest stays.

    medspaCy would find the wordings itself, in a Doc, at twenty times the price; from here on all is its own.
    """
    context, rules = medspacy_part("context"), _rules()
    prune = medspacy_part("common.util").prune_overlapping_matches
    modifiers = []
    for reach, start, end in prune([(reach, start, end) for start, end, reach in found]):
        rule = rules[reach.group]
        forward, backward = rule.direction != "BACKWARD", rule.direction != "FORWARD"
        modifiers.append(
            context.ConTextModifier(
                rule,
                start,
                end,
                None,
                max(0, start - reach.scope) if backward else end,
                min(size, end + reach.scope) if forward else start,
            )
        )
    return modifiers


class _Target(NamedTuple):
    """A finding as ConText's graph sees it: first and last token (end exclusive)."""

    start: int
    end: int
    label_: str = "finding"


# --- public -------------------------------------------------------------------------------------------------------


def assert_spans(text: str, layout: Layout, spans: Sequence[Span]) -> list[Assertion]:
    """How each of `spans` is asserted, in their order.

    Sentences, sections and lists come from `layout`; a span outside any sentence is read by itself. A span over several
    sentences is asserted by the one in which it begins.
    """
    sentences = layout.sentences
    starts = [s.start for s in sentences]
    lower = lowered(text)
    years = frozenset(_ANY_YEAR.findall(text))
    first: dict[tuple[int, int], int] = {}  # several findings may stand on the same words
    same = [first.setdefault((span.start, span.end), number) for number, span in enumerate(spans)]
    by_sentence: dict[int, list[int]] = {}
    for number in first.values():
        start = spans[number].start
        at = bisect_right(starts, start) - 1
        if at >= 0 and start >= sentences[at].end:
            at = -1
        by_sentence.setdefault(at, []).append(number)
    pieces: list[tuple[_Piece, list[int]]] = []
    for at, numbers in by_sentence.items():
        if at < 0:
            for number in numbers:
                alone = Sentence(spans[number].start, spans[number].end)
                pieces.extend(_pieces(text, lower, layout, alone, None, spans, [number], years))
        else:
            pieces.extend(_pieces(text, lower, layout, sentences[at], _lead(text, layout, at), spans, numbers, years))
    answers = dict.fromkeys(first.values(), Assertion())
    for piece, numbers in pieces:
        found = _found_in(piece.words)
        cues = [cue for cue in found if cue[2].forward or cue[2].backward]
        reachable: dict[int, _Target] = {}
        for number in numbers:
            where = _tokens_of(piece, spans[number]) if cues else (0, 0)
            if any(_may_reach(cue, where) for cue in cues):
                reachable[number] = _Target(*where)
            else:  # ConText could find nothing here: it isn't asked
                answers[number] = _decide(text, piece, spans[number], where, [])
        if reachable:
            for number, edges in _edges(piece, found, reachable):
                target = reachable[number]
                answers[number] = _decide(text, piece, spans[number], (target.start, target.end), edges)
    return [answers[number] for number in same]


_FAR = 1 << 62


def _tokens_of(piece: _Piece, span: Span) -> tuple[int, int]:
    """The first and last token (end exclusive) of a span in its piece."""
    places = piece.places
    low = max(bisect_right(places, (span.start, _FAR)) - 1, min(piece.first, len(places) - 1))
    return low, max(low + 1, bisect_left(places, (span.end, 0)))


_SENTENCE = re.compile(r"[^\s](?:[^\n.!?]|[.!?](?!\s+[A-Z\d\n]|\s*\Z))*[.!?]*")


def plain_layout(text: str) -> Layout:
    """Sentences by lines and full stops, without sections: for text that is a sentence or two."""
    return Layout(sentences=tuple(Sentence(m.start(), m.end()) for m in _SENTENCE.finditer(text)))


def assert_sentence(text: str, start: int, end: int, layout: Layout | None = None) -> Assertion:
    """How the words from `start` to `end` are asserted where `text` is one whole record.

    Without a layout, lines and full stops part the text into sentences, and there are no sections.
    """
    layout = layout or plain_layout(text)
    return assert_spans(text, layout, [Span(start, end)])[0]


# --- one sentence -------------------------------------------------------------------------------------------------


def _pieces(
    text: str,
    lower: str | None,
    layout: Layout,
    sentence: Sentence,
    lead: Span | None,
    spans: Sequence[Span],
    numbers: list[int],
    years: frozenset[str],
) -> Iterable[tuple[_Piece, list[int]]]:
    """The sentence as pieces of bounded length, each with the numbers of the spans that begin in it."""
    section = layout.sections[sentence.section] if sentence.section >= 0 else None
    category, title = (section.category, section.title.lower()) if section else ("", "")
    low = sentence.start
    high = max([sentence.end, *[spans[n].end for n in numbers]])
    places = tokens(text, low, high)
    head = tokens(text, lead.start, lead.end)[-_LEAD_TOKENS:] if lead else []

    def piece(part: list[tuple[int, int]]) -> _Piece:
        both = head + part if head else part
        if lower is not None:
            words = [lower[a:b] for a, b in both]
        else:
            words = [text[a:b].lower().replace("’", "'") for a, b in both]
        return _Piece(both, words, len(head), category, title, years)

    if len(places) <= _MAX_TOKENS:
        if places:
            yield piece(places), numbers
        return
    waiting = sorted(numbers, key=lambda n: spans[n].start)
    begin = taken = 0
    while begin < len(places) and taken < len(waiting):
        end = min(begin + _MAX_TOKENS, len(places))
        if end < len(places):
            end = next(
                (i + 1 for i in range(end - 1, begin + _MAX_TOKENS // 2, -1) if text[places[i][0]] in ",;.:"),
                end,
            )
        bound = places[end][0] if end < len(places) else high + 1
        inside = []
        while taken < len(waiting) and spans[waiting[taken]].start < bound:
            inside.append(waiting[taken])
            taken += 1
        if inside:
            reach = max(spans[n].end for n in inside)
            more = end
            while more < len(places) and places[more][0] < reach and more < end + _MAX_TOKENS:
                more += 1
            yield piece(places[begin:more]), inside
        begin = end


def _edges(piece: _Piece, found: list[_Found], targets: dict[int, _Target]) -> Iterable[tuple[int, list[_Edge]]]:
    """For each span, by its number, the cues that reach it: ConText's, less those that our own conditions stop."""
    graph = medspacy_part("context").ConTextGraph(
        targets=sorted(set(targets.values())), modifiers=_modifiers(found, len(piece.words))
    )
    graph.update_scopes()
    graph.apply_modifiers()
    reached: dict[_Target, list[Any]] = {}
    for target, modifier in graph.edges:
        reached.setdefault(target, []).append(modifier)
    for number, target in targets.items():
        low, high, _ = target
        edges = []
        for modifier in reached.get(target, ()):
            start, end = modifier.modifier_span
            if start < high and low < end:
                continue  # ConText lets a cue inside the finding modify it
            before = end <= low
            between = (end, low) if before else (high, start)
            edge = _Edge(modifier.rule.metadata["group"], start, end, between[1] - between[0], before)
            if _reaches(edge, piece, between, (low, high)):
                edges.append(edge)
        yield number, edges


# --- how far a cue reaches -----------------------------------------------------------------------------------------


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_VERBS = frozenset(["is", "are", "was", "were", "has", "have", "had"])
_FOR_DOUBT = _words(
    """
    suspicious concerning worrisome evidence suspicion concern positive specific
    """
)
_RELATIVES = _words(
    """
    family mother father parents parent mom dad wife husband spouse partner daughter son sister brother
    friend caregiver
    """
)
_LOOSE = frozenset(",-–—:")
_THEN = _words(
    """
    stop start call take hold then go return increase decrease we will would consider use seek come she
    he ok
    """
)
_FINAL = _words(
    """
    bilaterally throughout symmetrically
    by at on this today and but given per based after since because though although in as or when with x
    until now clinically again however while for
    """
)
_REPORTS = _words(
    """
    reports report reported states state stated says said notes note noted notices noticed describes
    described denies denied thinks thought believes worried concerned worries complains asks asked
    requests wants brought brings drove drives called calls took takes helps helped accompanies
    accompanied gives gave found saw witnessed heard woke interprets translates lives works endorses
    observed observes mentions told tells feels confirms confirmed agrees present bedside came insists
    counts wonders recalls added adds explains explained admits provides provided supplied
    """
)
_STILL = _words("still ongoing continues continue continued continuing persistent")
_OWN = _words("her his their your my patient's")
_CAUSES = _words("cause causes etiology source reason explanation origin")
_SKIP = _words(
    """
    are were has have had is was also who both at that and the
    """
)
_POSSESSIVE = _words(
    """
    her his their your my its this these those patient's
    """
)
_PERSISTS = _words(
    """
    persist persists persisted persisting continue continues continued continuing fail fails remain
    remains linger lingers worsen worsens worsened progress progresses worse last lasts
    """
)
_NOT_BETTER = _words(
    """
    not doesn't don't isn't aren't no without hasn't won't
    """
)
_BETTER = _words(
    """
    improve improves improved improving improvement resolve resolves resolved better respond responds
    settle subside clear cleared relieved go controlled gone
    """
)
_VISIT = _words(
    """
    follow f/u followup check recheck management visit appointment monitoring medication medications
    refill refills evaluation reevaluation
    """
)


def _reaches(edge: _Edge, piece: _Piece, between: tuple[int, int], where: tuple[int, int]) -> bool:
    """Whether the cue still reaches the finding, given the words between and around them."""
    words = piece.words
    group, low, high = edge.group, *between
    ends = group.ends
    middle = words[low:high]
    if middle and middle[0] == ":" and edge.before:
        middle = middle[1:]
    if middle and not (not edge.before and len(middle) == 1 and middle[0] in _LOOSE):  # "X, likely." "X - resolved"
        if "," in middle and ("comma" in ends or (not edge.before and not _VERBS.isdisjoint(middle))):
            return False
        if (
            "semicolon" in ends
            and words[edge.end : edge.end + 1] != [":"]
            and (";" in middle or _spaced_dash(piece, low, high))
        ):
            return False
        if "colon" in ends and ":" in middle:
            return False
        if "and" in ends and "and" in middle:
            return False
        if "by" in ends and "by" in middle:
            return False
        if "in" in ends and "in" in middle:
            return False
        if "with" in ends and ("with" in middle or "w/" in middle):
            return False
        if "for" in ends and _for_between(middle):
            return False
        if "then" in ends and any(
            a in ",;:" and b in _THEN for a, b in zip(middle, [*middle[1:], words[where[0]]], strict=True)
        ):
            return False
    if edge.before and group.role == "uncertainty":
        # "Likely flare of her gout", "the likely cause of the pain": the gout and the pain are there.
        if not _OWN.isdisjoint(words[max(edge.end, where[0] - 2) : where[0]]):
            return False
        if not _CAUSES.isdisjoint(middle) and _VERBS.isdisjoint(middle):
            return False
    traits = group.traits
    if not traits:
        return True
    after = words[where[1] : where[1] + 5]
    if "turning" in traits and edge.before == _is_final(words, edge):
        return False
    if "opens-clause" in traits and edge.start and words[edge.start - 1][0].isalnum():
        return False
    if "adjacent" in traits and edge.distance > 1:
        return False
    if "relative" in traits and _only_reports(words, edge.end, where[0]):
        return False
    if "her-own" in traits and (
        (where[0] and words[where[0] - 1] in _POSSESSIVE)
        or (group.role == "uncertainty" and not _RELATIVES.isdisjoint(words[max(0, edge.start - 3) : edge.start]))
    ):
        return False
    if "presupposes" in traits and _presupposed(words, edge, where, after):
        return False
    return not (
        "not-its-cause" in traits
        and {"cause", "etiology", "source", "reason", "origin"} & set(words[max(0, where[0] - 5) : where[0]])
    )


def _spaced_dash(piece: _Piece, low: int, high: int) -> bool:
    for i in range(max(low, 1), min(high, len(piece.places) - 1)):
        if (
            piece.words[i] in "-–—"
            and piece.places[i][0] > piece.places[i - 1][1]
            and piece.places[i + 1][0] > piece.places[i][1]
        ):
            return True
    return False


def _for_between(middle: list[str]) -> bool:
    """`no drug for X`, but not `no fever for 3 days or X`."""
    return any(
        word == "for"
        and middle[i - 1 if i else 0] not in _FOR_DOUBT
        and (i + 1 == len(middle) or not middle[i + 1][0].isdigit())
        for i, word in enumerate(middle)
    )


def _is_final(words: list[str], edge: _Edge) -> bool:
    """Whether a cue that works both ways stands after what it is about: `X denied.` but `denied X`."""
    if edge.start == 0 or not any(word[0].isalpha() for word in words[: edge.start]):
        return False
    following = words[edge.end] if edge.end < len(words) else ""
    if following == ":":
        return False
    return not following or not following[0].isalpha() or following in _FINAL


def _only_reports(words: list[str], begin: int, target: int) -> bool:
    """`Mother reports X`, `wife is worried about X`: the relative tells, the patient has it."""
    for word in words[begin : min(begin + 4, target)]:
        if word in _REPORTS:
            return True
        if word not in _SKIP:
            return False
    return False


def _presupposed(words: list[str], edge: _Edge, where: tuple[int, int], after: list[str]) -> bool:
    """`if X persists`, `if no improvement in X`: X is there already."""
    if not edge.before:
        return False
    if words[edge.end : edge.end + 1] and words[edge.end] in _NOT_BETTER and _BETTER & set(words[edge.end : where[0]]):
        return True
    if not _STILL.isdisjoint(words[edge.end : where[0]]):
        return True
    for i, word in enumerate(after):
        if word in ",;.":
            return False
        if word in _PERSISTS:
            return True
        if word in _NOT_BETTER:
            return bool(_BETTER & set(after[i : i + 4]))
    return False


# --- past or current ----------------------------------------------------------------------------------------------

_PAST_WORDS = re.compile(
    r"\A(?:s/p|status[- ]post|history of|h/o|hx of|prior|previous|remote|old|healed|resolved|former)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[;.](?:\s|$)")
_NEXT_STATEMENT = re.compile(
    r"\b(?:who|presents?|presented|presenting|admitted|transferred|brought|comes?|came|complain\w*|was|but)\b",
    re.IGNORECASE,
)
_CURED = re.compile(
    r"(?:s/p|status post|status-post|treated (?:with|by|in|19|20)|, treated|had|after|underwent)\b[^.;]{0,40}?"
    r"(?:\w+ectomy|resection|excision|excised|mohs|radiation|xrt|chemo\w*|ablation|19\d\d|20\d\d|surgery)",
    re.IGNORECASE,
)
_YEAR = re.compile(
    r"\A(?:\s(?=(?:19|20)\d\d\b)|[^.;\n]{0,24}?(?:\bin|\(|,|\bof)\s*)(?:(?:early|late|mid|spring|summer|fall|winter|(?:jan|feb|mar|apr|may|jun|jul|aug|"
    r"sep|oct|nov|dec)[a-z]*)\s+(?:of\s+)?)?((?:19|20)\d\d)\b",
    re.IGNORECASE,
)
_AT_AGE = re.compile(r"\A[^.;,\n]{0,12}?\bat (?:the )?age (?:of )?\d", re.IGNORECASE)
_ANY_YEAR = re.compile(r"\b(?:19|20)\d\d\b")

_PAST_SECTIONS = frozenset(("past_medical_history", "past_surgical_history", "obstetric_history"))


def _in_an_earlier_year(text: str, years: frozenset[str], span: Span, after: str) -> bool:
    """`DVT in 2009`, but not `diagnosed with DVT in 2009`, and not the latest of the years that the note names."""
    if _AT_AGE.match(after):
        return not persistence.SINCE.search(text[max(0, span.start - 40) : span.end + 20])
    year = _YEAR.match(after)
    if year is None or persistence.SINCE.search(text[max(0, span.start - 40) : span.end + 20]):
        return False
    return len(years) < 2 or year.group(1) < max(years)


_CURE = re.compile(r"[ ,(]*(?:s/p|status|treated|had|after|underwent)\b", re.IGNORECASE)
_DIGIT = re.compile(r"\d")


def _untimed(text: str, piece: _Piece, span: Span) -> bool:
    """Whether nothing but a cue could make a finding past: no word of its own, no year or treatment after it, no
    section. Cheap, and true of most findings."""
    if piece.category in _PAST_SECTIONS or piece.category == "allergies":
        return False
    if _PAST_WORDS.match(span.of(text)) or _CURE.match(text, span.end):
        return False
    end = piece.places[-1][1]
    if not _DIGIT.search(text, span.end, end):
        return True
    after = text[span.end : end]
    return not (_YEAR.match(after) or _AT_AGE.match(after))


def _temporality(
    text: str, piece: _Piece, span: Span, where: tuple[int, int], edges: list[_Edge]
) -> tuple[Temporality, list[_Edge]]:
    if not edges and _untimed(text, piece, span):
        return "current", []
    category, title = piece.category, piece.title
    words = span.of(text)
    after = text[span.end : piece.places[-1][1]]
    clause = _CLAUSE_END.split(after, maxsplit=1)[0]
    nearby = _NEXT_STATEMENT.split(clause[:60])[0]
    chronic = bool(persistence.CHRONIC.search(words)) and not persistence.EVENT.search(words)
    cancer = bool(persistence.CANCER.search(words))
    history = [e for e in edges if e.group.role == "history"]
    if cancer and persistence.UNDER_TREATMENT.search(clause):
        return "current", []
    kept = []
    for edge in history:
        traits = edge.group.traits
        near = text[piece.places[min(where[0], edge.start)][0] : piece.places[max(where[1], edge.end) - 1][1]]
        if (
            "chronic-stays" in traits
            and chronic
            and (
                persistence.LIFELONG.search(words)
                or "standing-list" in traits
                or edge.start < piece.first
                or persistence.TREATED.search(nearby)
            )
        ):
            continue
        if (
            "past-event" in traits
            and not edge.before
            and (persistence.SINCE.search(near) or (chronic and "ago" in near.split()))
        ):
            continue
        kept.append(edge)
    if kept:
        return "historical", kept
    if any(e.group.role == "history" for e in edges):
        return "current", []
    if _PAST_WORDS.match(words):
        return "historical", []
    if cancer and _CURED.match(clause.lstrip(" ,(")):
        return "historical", []
    if not chronic and _in_an_earlier_year(text, piece.years, span, after):
        return "historical", []
    if category in _PAST_SECTIONS and not re.search(
        r"active|current|chronic|problem list", re.sub("inactive", "", title)
    ):
        if chronic or persistence.TREATED.search(clause):
            return "current", []
        return "historical", []
    if category == "allergies":
        return "historical", []
    return "current", []


# --- check boxes, signs, answers -----------------------------------------------------------------------------------

_BOX = re.compile(r"\[[ _]{0,3}\]|\[[xX✓✔*]\]|[☐☑☒□■✓✔]|\( {0,2}\)|\([xX✓]\)")
_ANSWER = re.compile(
    r"""(?:\s?/\s?\w+(?:\ \w+)?){0,3}\s*(?:\([^)\n]{0,40}\)\s*)?(?:[:?=]+|\.{2,}|[-–—](?=\s))\s*
    (?P<no>no|none|n|neg|negative|denied|denies|absent|not\ present|never|nil|not\ reported|0|-|no\ complaints?)?
    (?P<yes>yes|y|pos|positive|present|endorsed|\+|reported)?
    (?!['’\w])(?=\s*(?:$|[.,;|/)\n\]]|\s{2}|\w+(?:\s\w+){0,3}\s*[:?]))""",
    re.IGNORECASE | re.VERBOSE,
)
_MARK_BEFORE = re.compile(r"[\[☐☑☒□■✓✔(+?⊕⊖–−-]")
_BOX_BEFORE = re.compile(r"[\[☐☑☒□■✓✔(]")
_MARK_AFTER = frozenset("[☐☑☒:=/(?.-–—+")
_BOX_AFTER = re.compile(r"\s?(\[[ xX✓✔]?\]|[☐☑☒])")
_BOX_ANSWER = re.compile(r"\s?[:=]\s?(\[[ xX✓✔]?\]|[☐☑☒])")
_PARTED_FROM_BOX = re.compile(r"[.;:]\s|\s{3,}\S|,")
_CHOSEN = re.compile(
    r"\s*[:?]?\s*(?:\[(?P<y1>[ xX✓])\]\s*(?:yes|y|pos\w*)\s*\[(?P<n1>[ xX✓])\]\s*(?:no?|neg\w*)|"
    r"\[(?P<n2>[ xX✓])\]\s*(?:no|n|neg\w*)\s*\[(?P<y2>[ xX✓])\]\s*(?:yes|y|pos\w*))\b",
    re.IGNORECASE,
)
_SIGN_AFTER = re.compile(r"\s?(?:\((?P<b>[+-])\)|(?P<p>\+)(?=\s*(?:$|[,;./\n]))|(?P<m>-)(?=\s*(?:$|[,;/\n])))")
_BEFORE_SIGN = re.compile(r"\([+-]\)")
_SIGN_BEFORE = re.compile(
    r"(?:\((?P<b>[+-])\)|(?P<q>\?{1,3})|(?P<s>\+|-|–|−|⊕|⊖))(?P<gap>\s?)(?P<rest>(?:[^\W\d_]+\s){0,2})\Z"
)


def _marked(text: str, span: Span) -> tuple[Presence, Span] | None:
    """What a check box, a yes/no answer or a sign says of a finding, with its place; None where there is none."""
    low = max(text.rfind("\n", max(0, span.start - 160), span.start) + 1, span.start - 160, 0)
    limit = min(len(text), span.end + 80)
    high = text.find("\n", span.end, limit)
    high = limit if high < 0 else high
    before, after = text[low : span.start], text[span.end : high]

    # What could say anything begins right after the finding or stands somewhere before it.
    follows = after.lstrip()[:1] in _MARK_AFTER if after else False
    precedes = _MARK_BEFORE.search(before) is not None
    if not follows and not precedes:
        return None
    chosen = _CHOSEN.match(after) if follows else None
    if chosen:
        yes = (chosen["y1"] or chosen["y2"] or "").strip()
        no = (chosen["n1"] or chosen["n2"] or "").strip()
        if bool(yes) != bool(no):
            return ("present" if yes else "negated"), Span(span.end + chosen.start(), span.end + chosen.end())
    behind = _BOX_ANSWER.match(after) if follows else None
    if behind:
        place = Span(span.end + behind.start(1), span.end + behind.end())
        return ("present" if _ticked(behind.group(1)) else "negated"), place
    boxes = list(_BOX.finditer(before)) if precedes and _BOX_BEFORE.search(before) else []
    if boxes:
        box, gap = boxes[-1], before[boxes[-1].end() :]
        if not _PARTED_FROM_BOX.search(gap) and len(gap.split()) <= 6:
            place = Span(low + box.start(), low + box.end())
            if _ticked(box.group()):
                return None if re.search(r"\b(?:no|denies|not)\b", gap, re.I) else ("present", place)
            return "negated", place
    elif follows and (found := _BOX_AFTER.match(after)):
        return ("present" if _ticked(found.group(1)) else "negated"), Span(
            span.end + found.start(1), span.end + found.end()
        )
    answer = _ANSWER.match(after) if follows else None
    if answer and (answer["no"] or answer["yes"]):
        name = "no" if answer["no"] else "yes"
        return ("negated" if answer["no"] else "present"), Span(
            span.end + answer.start(name), span.end + answer.end(name)
        )
    return _signed(text, span, low, high)


def _signed(text: str, span: Span, low: int, high: int) -> tuple[Presence, Span] | None:
    """`+ fever`, `-chills`, `(-) cough`, `?gout`, `cough (+)`."""
    before, after = text[low : span.start], text[span.end : high]
    sign = _SIGN_BEFORE.search(before)
    suffix_style = bool(sign and sign["b"]) and _BEFORE_SIGN.split(before, maxsplit=1)[0].rstrip()[-1:].isalnum()
    if sign and not suffix_style:
        place = Span(low + sign.start(), low + sign.start() + len(sign["b"] or sign["q"] or sign["s"]))
        if sign["q"]:
            return ("uncertain", place) if not re.search(r"\w\Z", before[: sign.start()]) else None
        if sign["b"]:
            return ("negated" if sign["b"] == "-" else "present"), Span(place.start, place.end + 2)
        lead = before[: sign.start()].rstrip()
        if sign["s"] in "+⊕":
            return ("present", place) if not lead or not lead[-1].isalnum() else None
        if lead and (lead[-1].isalnum() or lead[-1] in ")%"):
            return None  # a dash between words
        bullet = (not lead and sign["gap"]) or (not lead and _bullets_around(text, low, high))
        if not bullet and (not sign["gap"] or lead[-1:] in ",;/:("):
            return "negated", place
    behind = _SIGN_AFTER.match(after)
    if behind and not re.match(r"\s?\+\s?/", after):
        minus = "-" in (behind["b"] or behind["m"] or "")
        if not (minus and behind["m"] and after[:1] == " "):
            return ("negated" if minus else "present"), Span(span.end + behind.start(), span.end + behind.end())
    return None


def _bullets_around(text: str, low: int, high: int) -> bool:
    """Whether the line before or after begins with the same kind of dash and a blank, as in a list."""
    above = text[text.rfind("\n", 0, max(0, low - 1)) + 1 : max(0, low - 1)].lstrip()
    below = text[high + 1 : high + 40].lstrip()
    return above[:1] == "-" or below[:1] == "-"


def _ticked(box: str) -> bool:
    return any(c in box for c in "xX✓✔☑☒■*")


# --- the decision --------------------------------------------------------------------------------------------------

_RELATIVE_AFTER = re.compile(
    r"\s?\((?:(?:in|maternal|paternal|his|her)\s)*(?:mother|father|mom|dad|brother|sister|sibling|grandmother|grandfather|aunt|uncle|"
    r"cousin|son|daughter|parent|mgm|mgf|pgm|pgf)s?(?=[),;\s])",
    re.IGNORECASE,
)
_ROLE_OF: dict[str, str] = {"uncertain": "uncertainty", "negated": "negation", "hypothetical": "hypothesis"}


def _decide(text: str, piece: _Piece, span: Span, where: tuple[int, int], edges: list[_Edge]) -> Assertion:
    presence, causes = _presence(piece, edges) if edges else ("present", [])
    experiencer, people = _experiencer(edges, piece.category)
    if experiencer == "patient" and _RELATIVE_AFTER.match(text, span.end):
        experiencer = "family"
    marked = _marked(text, span)
    cues: list[Cue] = []
    if marked is not None and not (marked[0] == "present" and presence in ("hypothetical", "uncertain")):
        presence, causes = marked[0], []
        if presence in _ROLE_OF:
            cues.append(Cue(marked[1].of(text), marked[1].start, marked[1].end, _ROLE_OF[presence]))
    temporality: Temporality = "current"
    times: list[_Edge] = []
    if experiencer == "patient" and presence == "present":
        temporality, times = _temporality(text, piece, span, where, edges)
    elif presence in ("negated", "uncertain"):
        # "No history of X", "possible old X": no word of a time but these. A denied habit or allergy is history, too.
        times = [e for e in edges if e.group.role == "history" and e.before]
        if times or (presence == "negated" and persistence.HABIT.search(span.of(text))):
            temporality = "historical"
    if not (cues or causes or people or times):
        return _uncued(presence, temporality, experiencer)
    for edge in [*causes, *people, *times]:
        start, end = piece.places[edge.start][0], piece.places[edge.end - 1][1]
        cues.append(Cue(text[start:end], start, end, edge.group.role))
    return Assertion(
        presence, temporality, experiencer, tuple(sorted(set(cues), key=lambda c: (c.start, c.end, c.role)))
    )


@cache
def _uncued(presence: Presence, temporality: Temporality, experiencer: Experiencer) -> Assertion:
    return Assertion(presence, temporality, experiencer)


def _nearest(edges: list[_Edge], role: str) -> _Edge | None:
    return min((e for e in edges if e.group.role == role), key=lambda e: e.distance, default=None)


def _presence(piece: _Piece, edges: list[_Edge]) -> tuple[Presence, list[_Edge]]:
    """Hypothetical before negated before uncertain, unless a nearer cue of another clause says otherwise."""
    hypothesis, negation = _nearest(edges, "hypothesis"), _nearest(edges, "negation")
    doubt, assertion = _nearest(edges, "uncertainty"), _nearest(edges, "affirmation")
    if assertion is not None:
        # What asserts and stands nearer than the doubt wins: "suspected, now confirmed".
        if doubt is not None and assertion.distance < doubt.distance:
            doubt = None
        if negation is not None and assertion.distance < negation.distance and negation.before == assertion.before:
            negation = None
    if hypothesis is not None:
        return "hypothetical", [hypothesis]
    if negation is not None and doubt is not None:
        parted = negation.before and (
            (doubt.before and negation.end <= doubt.start and _parted(piece.words[negation.end : doubt.start]))
            or (
                not doubt.before
                and doubt.distance <= negation.distance
                and "," in piece.words[negation.end : negation.end + negation.distance]
            )
        )
        return ("uncertain", [doubt]) if parted else ("negated", [negation])
    if negation is not None:
        return "negated", [negation]
    if doubt is not None:
        return "uncertain", [doubt]
    return "present", []


def _parted(words: list[str]) -> bool:
    return any(word in (",", ";", "and", ".") for word in words)


def _experiencer(edges: list[_Edge], category: str) -> tuple[Experiencer, list[_Edge]]:
    if not edges:
        return ("family" if category == "family_history" else "patient"), []
    family, other = _nearest(edges, "family"), _nearest(edges, "other-person")
    if other is not None and (family is None or other.distance <= family.distance or other.start < family.start):
        return "other", [other]
    if family is not None:
        return "family", [family]
    if category == "family_history":
        return "family", []
    return "patient", []


# --- headings and list leads ---------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _has_cue(words: str) -> bool:
    """Whether a heading or list lead holds a cue that can reach what stands below it."""
    said = [words[a:b].lower() for a, b in tokens(words)]
    found = _found_in(said)
    if not any(reach.forward for _, _, reach in found):
        return False
    return any(
        modifier.direction in ("FORWARD", "BIDIRECTIONAL")
        and modifier.rule.metadata["group"].role not in ("stop", "pseudo", "affirmation")
        for modifier in _modifiers(found, len(said))
    )


def _lead(text: str, layout: Layout, at: int) -> Span | None:
    """What stands above a list item and governs it ("Denies:"), or the heading of the section it begins."""
    sentence = layout.sentences[at]
    section = layout.sections[sentence.section] if sentence.section >= 0 else None
    item = _is_item(text, sentence.start)
    if item:
        for back in range(at - 1, max(-1, at - 40), -1):
            above = layout.sentences[back]
            if above.section != sentence.section:
                break
            if _is_item(text, above.start):
                continue
            words = text[above.start : above.end].strip()
            if (words.endswith(":") or (len(words.split()) <= 6 and not words.endswith("."))) and len(words) <= 120:
                return Span(above.start, above.end) if _has_cue(words) else None
            break
    if section is None or not (item or sentence.start - section.body <= 3):
        return None
    if len(section.title) > 60 or section.category == "family_history" or not _has_cue(section.title):
        return None
    found = text.find(section.title, section.start, section.body)
    return Span(found, found + len(section.title)) if found >= 0 else None


_ITEM = re.compile(r"\s*(?:[-–—•·*▪◦‣●■➢►>]+|\(?\d{1,2}[.)]|\[[ xX]?\]|[☐☑☒])\s*\Z")


def _is_item(text: str, start: int) -> bool:
    """Whether a bullet or number stands before this place on its line."""
    return bool(_ITEM.match(text, text.rfind("\n", 0, start) + 1, start))
