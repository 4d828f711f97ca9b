"""Term matching: the words of a note that lead to a place in the tabular.

A term matches when all of its words stand near one another in one clause, in any order: an inverted index from each
term's rarest word finds the terms, a proximity limit keeps their words together, and the longest match wins.
Cost grows with the number of words, not with the number of terms.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from code_maps.axes import axis_of, said_as
from code_maps.axes.branches import SIDES
from code_maps.terms import TermIndex, fold, words
from code_maps.terms.misspellings import spelled
from code_maps.terms.words import STOP, WORD
from models.finding import Assertion, Finding, Kind, Mention
from models.text import Layout

# Punctuation that ends a clause: words on both sides don't belong to one term.
_BREAK = re.compile(r"[;:•\n\r|()\[\]]|(?<!\b[A-Z])[.?!](?=\s|$)|,|(?<=\s)[-–—]+(?=\s)")
# Words that may stand between those of a term, at a price in distance.
_JOIN = {
    "and": 1,
    "or": 9,
    "versus": 9,
    "vs": 9,
    "with": 2,
    "but": 4,
    "from": 2,
    "due": 2,
    "secondary": 2,
    "without": 4,
    "no": 4,
    "not": 2,
}
# A stage 3a is also a stage 3.
_STAGE = re.compile(r"(stage-\d)[ab]")
_QUALIFIERS = frozenset(
    "psychotic feature features joint unspecified type left right bilateral without early sustained full partial".split()
)
Span = tuple[int, int]
AxisWords = dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]]
_SLACK = {1: 0, 2: 1, 3: 2}


class Token(NamedTuple):
    """A folded word of the note. `clause` and `part` count the stretches between punctuation, `part` without commas; `at`
    is the distance from the sentence's start, `step` the same without the long forms of abbreviations; a `meant` word is
    what an axis word stands for, and begins no term alone."""

    word: str
    start: int
    end: int
    clause: int
    at: int
    part: int = 0
    meant: bool = False
    step: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """The words of a note, sentence by sentence, as the term matcher and the descent see them."""

    sentences: tuple[tuple[Token, ...], ...]


def read_words(text: str, layout: Layout, index: TermIndex, long_forms: Sequence[tuple[int, int, str]] = ()) -> Reading:
    """Fold the words of each sentence; abbreviations in `long_forms` (start, end, words) are read in full.

    Words that say an axis in other terms ("R", "b/l", "HFpEF") are followed by the title words they stand for.
    """
    axes, new = said_as(), tuple.__new__  # what Token() calls in the end; this runs for every word of the note
    expanded = {start: (end, long) for start, end, long in long_forms}
    starts = sorted(expanded)
    rows: list[tuple[Token, ...]] = []
    clause = 0
    for sentence in layout.sentences:
        raw = [
            (spelled(fold(m[0]), index), m.start(), m.end()) for m in WORD.finditer(text, sentence.start, sentence.end)
        ]
        here = bisect_left(starts, sentence.start)
        pending = starts[here : bisect_left(starts, sentence.end)]
        if pending:
            raw = _in_full(text, raw, pending, expanded)
        said = text[sentence.start : sentence.end]
        breaks = [(m.start() + sentence.start, m.group() == ",") for m in _BREAK.finditer(said)]
        row: list[Token] = []
        at, step, next_break, clause, part = 0, 0, 0, clause + 1, 0
        last = (-1, -1)
        for word, start, end in index.merge(raw):
            while next_break < len(breaks) and breaks[next_break][0] < start:
                part += not breaks[next_break][1]
                next_break += 1
                clause += 1
            if last != (start, end):
                far = _JOIN.get(word, 0) if word in STOP or word in _JOIN else 1
                at, step = at + far, step + far
                last = (start, end)
            elif word not in STOP:
                at += 1
            row.append(new(Token, (word, start, end, clause, at, part, False, step)))
        rows.append(_with_axes(row, axes))
    return Reading(tuple(rows))


def _in_full(
    text: str, raw: list[tuple[str, int, int]], pending: list[int], expanded: dict[int, tuple[int, str]]
) -> list[tuple[str, int, int]]:
    """The words of a sentence, with the long forms of its abbreviations (`pending`: where they begin) put in."""
    full: list[tuple[str, int, int]] = []
    skip = -1
    for word, start, end in raw:
        if start < skip:
            continue
        while pending and pending[0] <= start:
            at = pending.pop(0)
            until, long = expanded[at]
            full.append((fold(text[at:until]), at, until))  # terms may use the abbreviation itself
            full.extend((w, at, until) for w, _, _ in words(long))
            skip = until
        if start >= skip:
            full.append((word, start, end))
    return full


def _with_axes(row: list[Token], axes: AxisWords) -> tuple[Token, ...]:
    """`row` with the title words that its axis words stand for, at the same places."""
    if not any(token[0] in axes or token[0].startswith("stage-") for token in row):
        return tuple(row)
    said: list[Token] = []
    for i, token in enumerate(row):
        said.append(token)
        for words_said, becomes in axes.get(token.word, ()):
            if len(token.word) == 1 and i and row[i - 1].word[-1:].isdigit():
                continue  # "2 L" is a volume, no side
            following = row[i : i + len(words_said)]
            if tuple(t.word for t in following) == words_said:
                end = following[-1].end
                said.extend(
                    Token(word, token.start, end, token.clause, token.at, token.part, True, token.step)
                    for word in becomes
                )
                break
        if token.word.startswith("stage-"):
            stage = _STAGE.fullmatch(token.word)
            if stage:
                said.append(token._replace(word=stage.group(1)))
    return tuple(said)


def match_terms(reading: Reading, index: TermIndex) -> list[tuple[int, Mention]]:
    """Every longest term in each sentence, as (sentence number, mention without a kind yet)."""
    found: list[tuple[int, Mention]] = []
    for number, row in enumerate(reading.sentences):
        found.extend((number, mention) for mention in _match(row, index))
    return found


def _qualified(chosen: tuple[Token, ...], tokens: list[Token], axes: Mapping[str, str]) -> bool:
    """Whether what a term takes from behind a comma is nothing but a qualifier, as in titles: "sprain, right ankle",
    "depressive disorder, recurrent, severe". A list of findings isn't."""
    first = chosen[0].clause
    behind = {t.clause for t in chosen if t.clause != first}
    return all(
        t.word in STOP or t.word in _QUALIFIERS or t.word in axes or t.word.split("-")[0] in axes
        for t in tokens
        if t.clause in behind
    )


def _match(row: tuple[Token, ...], index: TermIndex) -> list[Mention]:
    axes = axis_of()
    by_part: dict[int, list[Token]] = {}
    for token in row:
        by_part.setdefault(token.part, []).append(token)
    matches: list[tuple[int, int, tuple[Token, ...], str, str]] = []
    by_word = index.by_word
    for tokens in by_part.values():
        places: dict[str, list[Token]] = {}
        for token in tokens:
            places.setdefault(token.word, []).append(token)
        heard = set(places)
        held: dict[Span, int] = {}
        for token in tokens:
            held[token.start, token.end] = held.get((token.start, token.end), 0) + (not token.meant)
        for word in [word for word in places if word in by_word]:
            for _, said, place, source in index.among(word, heard):
                if not heard.issuperset(said):
                    continue
                for anchor in places[word]:
                    if source == "general" and len(said) == 1 and held[anchor.start, anchor.end] > 2:
                        continue  # one word of a long abbreviation: shock wave lithotripsy is no shock
                    if source == "eponym" and anchor.end - anchor.start <= len(word):
                        continue
                    chosen = _nearest(anchor, said, places, held)
                    if chosen and not all(t.meant for t in chosen):
                        if chosen[0].clause != chosen[-1].clause and not _qualified(chosen, tokens, axes):
                            continue
                        spread = chosen[-1].at - chosen[0].at + 1 - len(said)
                        matches.append((-len(said), spread, chosen, place, source))
    matches.sort(key=lambda m: (m[4] == "general", m[0], m[1], m[2][0].start, m[3]))
    kept: list[tuple[frozenset[Token], Mention]] = []
    for _, _, chosen, place, source in matches:
        mine = frozenset(chosen)
        if any(
            (mine <= theirs and (mine == theirs or not _apart(place, other.place) or place[:3] == other.place[:3]))
            or _inside(chosen, mine, place, theirs, other)
            for theirs, other in kept
        ):
            continue
        spans = tuple(dict.fromkeys((t.start, t.end) for t in chosen))
        start, end = min(s for s, _ in spans), max(e for _, e in spans)
        kept.append((mine, Mention("condition", start, end, place, source, tokens=spans)))
    outer = [(theirs, m) for theirs, m in kept]
    found = [
        m for mine, m in kept
        if not any(
            o is not m and o.source != "general" and mine & theirs and o.start <= m.start and m.end <= o.end
            and o.end - o.start > m.end - m.start and not _apart(m.place, o.place) and len(mine) <= len(theirs)
            and not _two_at_once(mine, theirs)
            for theirs, o in outer
        )
    ]  # fmt: skip
    whole = [(theirs, m) for theirs, m in kept if any(len(t.word) == t.end - t.start for t in theirs)]
    pieces = {
        id(m) for mine, m in kept
        if any(o is not m and o.place[:3] == m.place[:3] and o.tokens == m.tokens and _in_piece(mine, theirs)
               for theirs, o in whole)
    }  # fmt: skip
    unique = {(m.start, m.end, m.place): m for m in reversed(found) if id(m) not in pieces}
    return sorted(unique.values(), key=lambda m: (m.start, m.end, m.place))


def _inside(
    chosen: tuple[Token, ...], mine: frozenset[Token], place: str, theirs: frozenset[Token], other: Mention
) -> bool:
    """Whether a match lies within a longer one of another category and shares a word with it: the longer one meant it."""
    if not mine & theirs or _apart(place, other.place):
        return False
    if _two_at_once(mine, theirs):
        return False
    start, end = min(t.start for t in chosen), max(t.end for t in chosen)
    return other.start <= start and end <= other.end


def _in_piece(mine: frozenset[Token], theirs: frozenset[Token]) -> bool:
    """Whether a match has one word out of an abbreviation's long form where another has the abbreviation: "anemia of CKD"
    is no anemia of a chronic disease."""
    return any(
        len(t.word) == t.end - t.start and all(o.end - o.start < len(o.word) for o in mine if o.start == t.start)
        for t in theirs - mine
    )


def _two_at_once(mine: frozenset[Token], theirs: frozenset[Token]) -> bool:
    """Whether two matches are two conditions named in one breath: "acute and chronic sinusitis", "burns of the face and
    arms". "Acute on chronic" is one condition, and its words stand next to each other."""
    differ = sorted(mine ^ theirs, key=lambda t: t.start)
    if len(differ) != 2:
        return False
    axes = axis_of()
    if all(axes.get(t.word) == "site" for t in differ):
        return True
    return (
        {t.word for t in differ} == {"acute", "chronic"}
        and differ[1].at - differ[0].at == 1 + _JOIN["and"]
        and differ[0].clause == differ[1].clause
    )


def _apart(place: str, other: str) -> bool:
    """Whether two places say different things of the same words: the same category (sides), or a disease and the
    circumstances around it ("laceration by glass", "dog bite")."""
    return place[:3] == other[:3] or _circumstance(place) != _circumstance(other)


def _circumstance(place: str) -> str:
    """Which question a place answers: what it is, how it came about, or where, in what activity and status."""
    if place[0] not in "VWXY":
        return "what"
    return place[:3] if place[:3] in ("Y92", "Y93", "Y99") else "how"


def _nearest(
    anchor: Token, said: tuple[str, ...], places: dict[str, list[Token]], held: Mapping[Span, int]
) -> tuple[Token, ...] | None:
    """The tokens of a term around its rarest word, or None when they stand too far apart. `held` counts the words of each
    span: more than one in an abbreviation."""
    if len(said) == 1:
        return (anchor,)
    chosen = [anchor]
    for word in said:
        if word != anchor.word:
            chosen.append(min(places[word], key=lambda t: (t.clause != anchor.clause, abs(t.at - anchor.at))))
    chosen.sort(key=lambda t: (t.start, t.at))
    if _torn(chosen, places):
        return None
    limit = len(said) + _SLACK.get(len(said), 3)
    low, high = min(t.at for t in chosen), max(t.at for t in chosen)
    if high - low >= limit and any(
        held[t.start, t.end] > 1 and len(t.word) == t.end - t.start for t in chosen
    ):  # the term has the abbreviation itself ("IUD removal"): its long form doesn't part the words
        low, high = min(t.step for t in chosen), max(t.step for t in chosen)
    if high - low < limit or (len(said) == 2 and high - low <= _FAR and _across_sites(chosen, places)):
        return tuple(chosen)
    return None


_FAR = 6


def _across_sites(chosen: list[Token], places: dict[str, list[Token]]) -> bool:
    """Whether nothing but another body part and "and" stands between the two words of a term: one "pain in" may have
    two joints behind it ("pain in the right ankle and the left knee")."""
    first, last = chosen
    axes = axis_of()
    if axes.get(last.word) != "site" or first.clause != last.clause:
        return False
    between = [
        t for tokens in places.values() for t in tokens
        if first.start < t.start < last.start and t.word not in SIDES and not t.meant
    ]  # fmt: skip
    beside = max(between, key=lambda t: t.start, default=None)
    return (
        any(t.word == "and" for t in between)
        and all(t.word in STOP or axes.get(t.word) == "site" for t in between)
        and (beside is None or axes.get(beside.word) != "site")  # "lumbar spine" is one part
    )


def _torn(chosen: list[Token], places: dict[str, list[Token]]) -> bool:
    """Whether a match takes a piece out of a long abbreviation: "asthma and COPD" is no chronic obstructive asthma."""
    spans = {(t.start, t.end) for t in chosen}
    if len(spans) == len(chosen):
        return False
    for span in spans:
        used = sum((t.start, t.end) == span and t.word not in SIDES for t in chosen)
        held = sum(
            word not in STOP and word not in SIDES and any((t.start, t.end) == span for t in tokens)
            for word, tokens in places.items()
        )
        if used > 1 and held > 3 and used < held - 1 and len(spans) > 1:  # one of them is the abbreviation itself
            return True
    return False


def kind_of(place: str, section: str) -> Kind:
    """What kind of finding a place in the tabular is."""
    if section == "family_history":
        return "history"
    if place[0] == "R":
        return "result" if "R70" <= place[:3] <= "R97" else "symptom"
    if place[0] == "Z":
        return "history" if "Z80" <= place[:3] <= "Z92" and place[:3] != "Z79" else "status"
    return "condition"


def as_findings(
    text: str,
    layout: Layout,
    mentions: Iterable[tuple[int, Mention]],
    assertions: Sequence[Assertion],
) -> tuple[Finding, ...]:
    """Mentions with their assertions as numbered findings, in order of appearance."""
    rows = [
        (m.start, m.end, m.kind, m.place, number, m, a) for (number, m), a in zip(mentions, assertions, strict=True)
    ]
    rows.sort(key=lambda row: row[:4])
    found = []
    for n, (start, end, kind, place, number, mention, assertion) in enumerate(rows, 1):
        where = layout.sentences[number] if number >= 0 else None
        found.append(
            Finding(
                id=f"f{n}",
                kind=kind,
                text=text[start:end],
                start=start,
                end=end,
                assertion=assertion,
                section=layout.category_of(where) if where else "",
                sentence=number,
                problem=where.problem if where else -1,
                place=place,
                source=mention.source,
                values=mention.values,
            )
        )
    return tuple(found)
