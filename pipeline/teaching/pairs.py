"""Minimal pairs: a note and the same note with one element removed, and what that changes in the review.

What may be removed comes from the review itself: the words that decided a step of a code, results, findings of the
examination, treatments with their duration, linking words, reasons, the signature. Each removal leaves text that still
reads as a note; whole diagnoses are never removed, since a note without them is another note and not the same with less.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from models.claim import Claim
from models.finding import Finding
from models.lesson import Change, Pair
from models.report import Report
from models.text import Layout, Note, Sentence
from pipeline.review import review
from pipeline.sections import read_layout
from pipeline.teaching.outcomes import added_codes, changes, results_of

MOST_TRIED = 120
"""Removals that are reviewed for one note: the ones tried first are those that decided a code."""

_WEIGHT = {"code": 0, "verdict": 1, "undocumented": 1, "withheld": 2, "edit": 2, "missing": 3, "gap": 4, "level": 5}
_NUMBER = r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve|several)"
_DURATION = re.compile(
    rf"\b(?:for|over|after|since|during)?\s*(?:about |nearly |the past |the last |at least )?{_NUMBER}[ -]"
    r"(?:days?|weeks?|months?|years?)\b(?: of(?: \w+){1,3}?(?=[,.;)\n]| in | with | and ))?",
    re.I,
)
_LINK = re.compile(
    r"\b(?:due to|secondary to|caused by|because of|related to|attributed to|complicated by|complicating|"
    r"associated with|in the setting of|resulting from)\b[^.,;:()\n]*",
    re.I,
)
_MINUTES = re.compile(r"[^.\n]*\b\d+ min(?:utes)?\b[^.\n]*", re.I)
_SIGNED = re.compile(r"^[^\n]*\b(?:electronically |e-)?signed\b[^\n]*$", re.I | re.M)
_DANGLING = re.compile(
    r"(?:^|(?<=[\s(]))(?:of|the|a|an|with|due to|secondary to|and|or|to|for|in|on|by|from|at|after|over|her|his|is|was|"
    r"because of|without|status post)[ \t]+$",
    re.I,
)
_CANT_FOLLOW = re.compile(r"[.,;:)\n]|(?:due|with|of|and|or|in|on|from|without|to|for)\b", re.I)
_LATER = re.compile(r"(?:stage|grade|class|type|severity|level)\b", re.I)
_AXIS = {
    "laterality": "side", "type": "type", "acuity": "acuity", "stage": "stage", "severity": "severity", "site": "site",
    "episode": "episode",
}  # fmt: skip
_DETAILS = {
    element: re.compile(rf"\b(?:{words})\b", re.I)
    for element, words in {
        "side": "left|right|bilateral|both",
        "acuity": "acute on chronic|acute|subacute|chronic",
        "severity": "mild|moderate|severe",
        "stage": "stage [0-5][ab]?|stage i{1,3}v?|grade [1-4]|class [1-4]",
        "type": "type [12]|primary|secondary|systolic|diastolic|paroxysmal|persistent|permanent|mixed|recurrent",
    }.items()
}
_KIND = {
    "result": "result", "exam": "examination finding", "rationale": "reason", "treatment": "treatment",
    "symptom": "symptom", "history": "history", "status": "status",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Cut:
    element: str
    about: str
    start: int
    end: int


def minimal_pairs(note: Note, claim: Claim | None = None, most: int = 40) -> tuple[Pair, ...]:
    """Versions of a note with one element removed, those first that change a code, then a verdict, then a gap.

    Only removals that change something are kept, of those that change the same the shortest; a removal after which
    another diagnosis surfaces is left out: that is no detail less. The same note gives the same pairs.
    """
    report = review(note, claim)
    layout = read_layout(note.text)
    before = results_of(report)
    tried: set[tuple[int, int]] = set()
    found: dict[frozenset[tuple[str, str, str]], Pair] = {}
    for cut in _cuts(note.text, layout, report):
        span = _tidied(note.text, layout, cut)
        if span is None or span in tried:
            continue
        if len(tried) == MOST_TRIED:
            break
        tried.add(span)
        start, end = span
        near = _categories(start, layout, report)
        shortened = note.text[:start] + note.text[end:]
        differs = changes(before, results_of(review(replace(note, text=shortened), claim)))
        if added_codes(differs) or not any(_tells(c, near) for c in differs):
            continue
        moved = [c.before.code for c in differs if c.kind == "code" and c.before]
        told = [r.code for c in differs if _tells(c, near) for r in (c.after, c.before) if r and r.code]
        about = next(iter((*moved, *([cut.about] if cut.about else ()), *told)), "")
        pair = Pair(cut.element, about, start, end, note.text[start:end], shortened, differs)
        key = _essence(differs)
        if key not in found or end - start < found[key].end - found[key].start:
            found[key] = pair
    return tuple(sorted(found.values(), key=_rank))[:most]


def _categories(at: int, layout: Layout, report: Report) -> frozenset[str]:
    """The categories coded for the problem of the assessment in which a place lies; empty outside the assessment."""
    sentence = next((s for s in layout.sentences if s.start <= at < s.end), None)
    if sentence is None or sentence.problem < 0:
        return frozenset()
    return frozenset(p.code[:3] for p in report.proposals if p.problem == sentence.problem)


def _tells(change: Change, near: frozenset[str]) -> bool:
    """Whether a change is worth a pair: no mere withheld code that goes, no gap that closes, and none of another problem.

    A review shows eight gaps at most, so one of another problem may move up only because there is room.
    """
    if change.kind == "withheld":
        return False
    if change.kind == "gap":
        return change.after is not None and (not near or change.after.code[:3] in near)
    return True


def _essence(differs: tuple[Change, ...]) -> frozenset[tuple[str, str, str]]:
    return frozenset((c.kind, c.before.key if c.before else "", c.after.key if c.after else "") for c in differs)


def _rank(pair: Pair) -> tuple[int, int, int, int]:
    weight = min(_WEIGHT.get(c.kind, 9) for c in pair.changes)
    # A code that becomes less specific teaches more than one that is gone.
    whole = not any(c.kind == "code" and c.before and c.after for c in pair.changes) if weight == 0 else 0
    return weight, int(whole), pair.end - pair.start, pair.start


# --- what may be removed -------------------------------------------------------------------------------------------


def _cuts(text: str, layout: Layout, report: Report) -> Iterator[_Cut]:
    """Removals in the order in which they are tried."""
    for p in report.proposals:
        for a in p.axes:
            yield _Cut(_AXIS.get(a.axis, a.axis), p.code, a.start, a.end)
        for e in p.evidence:
            # Details that the term itself holds, so that no step of its own was needed.
            for element, pattern in _DETAILS.items():
                for match in pattern.finditer(e.text):
                    yield _Cut(element, p.code, e.start + match.start(), e.start + match.end())
            for match in re.finditer(r",[^,;.]+", e.text):
                yield _Cut("detail", p.code, e.start + match.start() + 1, e.start + match.end())
    told = {i: p.code for p in reversed(report.proposals) for i in p.findings}
    findings = [f for f in report.findings if f.patients]
    for match in _LINK.finditer(text):
        if any(match.start() < f.start < match.end() for f in findings):
            yield _Cut("link", _about(match.start(), layout, findings, told), match.start(), match.end())
    for match in _DURATION.finditer(text):
        lead = len(match.group()) - len(match.group().lstrip())
        yield _Cut(
            "duration", _about(match.start(), layout, findings, told), match.start() + lead, match.end()
        )  # fmt: skip
    for finding in sorted(findings, key=lambda f: (f.kind not in ("rationale", "result", "exam"), f.start)):
        about = told.get(finding.id, "")
        if finding.kind not in _KIND or finding.sentence < 0 or (about and finding.kind == "symptom"):
            continue
        start, end = _segment(text, layout.sentences[finding.sentence], finding)
        if not re.search(r"[^,;]\n\s*[A-Z]", text[start:end]):  # two lines that aren't one sentence
            yield _Cut(_KIND[finding.kind], about, start, end)
    for finding in findings:
        if finding.kind in ("rationale", "result", "exam", "treatment", "status") and finding.sentence >= 0:
            sentence = layout.sentences[finding.sentence]
            if sentence.start == 0 or (sentence.section < 0 and "\n" not in text[: sentence.start]):
                continue  # the heading of the note
            yield _Cut(_KIND[finding.kind], told.get(finding.id, ""), sentence.start, sentence.end)
    for pattern, element in ((_MINUTES, "time"), (_SIGNED, "signature")):
        for match in pattern.finditer(text):
            yield _Cut(element, "", match.start(), match.end())


def _about(at: int, layout: Layout, findings: list[Finding], told: dict[str, str]) -> str:
    """The code that rests on words of the sentence in which a place lies."""
    sentence = next((s for s in layout.sentences if s.start <= at < s.end), None)
    if sentence is None:
        return ""
    return next((told[f.id] for f in findings if f.id in told and sentence.start <= f.start < sentence.end), "")


def _segment(text: str, sentence: Sentence, finding: Finding) -> tuple[int, int]:
    """The item of a list or the clause in which a finding stands: from one comma or semicolon to the next."""
    start = max((text.rfind(mark, sentence.start, finding.start) + 1 for mark in ",;:"), default=0) or sentence.start
    ends = [at for mark in ",;" if (at := text.find(mark, finding.end, sentence.end)) >= 0]
    end = min(ends, default=sentence.end)
    while start < finding.start and text[start] in " \t\n":
        start += 1
    return max(start, sentence.start), end


# --- text that still reads -------------------------------------------------------------------------------------------


def _tidied(text: str, layout: Layout, cut: _Cut) -> tuple[int, int] | None:
    """The span to take out, with the blank, comma or brackets that would be left over; None if the rest won't read."""
    start, end = cut.start, cut.end
    while start < end and text[start].isspace():
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in ".,;"):
        end -= 1
    inside = text[start:end]
    if inside.count("(") != inside.count(")"):
        return None
    if start >= end or any(start <= p.title_start and p.title_end <= end for p in layout.problems if p.title_end):
        return None
    if re.match(r" side\b", text[end:]):
        end += 5
    if text[start - 1 : start] == "(" and text[end : end + 1] == ")":
        start, end = start - 1, end + 1
    closes = end >= len(text) or text[end] in ".,;:)\n"
    if closes:
        before = text[:start]
        while match := _DANGLING.search(before[-40:]):
            start -= len(match.group())
            before = text[:start]
    opens = _opens(text, start)
    if closes and text[:start].rstrip(" \t").endswith(":"):
        if text[end : end + 1] in (",", ";"):
            # The first of several items: the label stays with the others.
            end += 1
            while text[end : end + 1] in (" ", "\t"):
                end += 1
            return (start, end) if text[end : end + 1] != "\n" else None
        # A label goes with all that it labels.
        start = max(text.rfind("\n", 0, start), text.rfind(". ", 0, start) + 1) + 1
    if opens and closes and text[end : end + 1] in (",", ";"):
        return None
    if opens and closes:
        # A sentence or line of its own goes with its stop, and with its line if nothing else stands there.
        end += text[end : end + 1] in (".", ",", ";") and end < len(text)
        return _line(text, start, end)
    if closes:
        kept = text[:start].rstrip(" \t\n")
        if kept[-1:] in (",", ";"):
            kept = kept[:-1]
        elif cut.element in (*_AXIS.values(), "detail") and not _LATER.match(text[start:end]) and cut.start == start:
            return None  # the noun itself: "of the right ___."
        return (len(kept), end) if len(kept) < end and text[len(kept) : start].count("\n") <= 1 else None
    if opens and cut.element not in _AXIS.values():
        return None
    while end < len(text) and text[end] in " \t":
        end += 1
    return (start, end) if end < len(text) and not _CANT_FOLLOW.match(text, end) else None


def _opens(text: str, at: int) -> bool:
    """Whether a place begins a sentence, a line or an item of a list."""
    before = text[:at].rstrip(" \t")
    return not before or before[-1] in "\n.:" or re.search(r"(?:^|\n)\s*(?:\d+[.)]|[-*•])$", before) is not None


def _line(text: str, start: int, end: int) -> tuple[int, int] | None:
    """A whole sentence with the blanks after it; None where it would leave the number of a list item alone."""
    begin = text.rfind("\n", 0, start) + 1
    stop = text.find("\n", end)
    stop = len(text) if stop < 0 else stop
    alone = not text[begin:start].strip() and not text[end:stop].strip()
    if re.fullmatch(r"\s*(?:\d+[.)]|[-*•])\s*", text[begin:start]) and not text[end:stop].strip():
        return None
    if alone:
        return begin, min(stop + 1, len(text))
    while end < len(text) and text[end] in " \t":
        end += 1
    return start, end
