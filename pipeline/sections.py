"""Text -> Layout: the sections, sentences and problems of a note.

Plain regular expressions, no model. Time grows with the length of the text: a heading is looked for only at
the start of a line and before a colon, in a window of fixed width.

A heading belongs to its section but to no sentence: sentences cover the text between headings. A bullet or
a list number is no part of a sentence either. Semicolons don't end sentences; lines do, unless the next one
carries on.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from code_maps.sections.headings import Heading, Headings, fold, headings, prose
from models.text import Layout, Problem, Section, Sentence

PROBLEM_CATEGORIES = frozenset(
    ("assessment", "assessment_plan", "plan", "diagnoses", "discharge_diagnoses", "mdm", "hospital_course")
)
_ASSESSED = frozenset(("assessment", "assessment_plan", "diagnoses", "discharge_diagnoses"))
_STUDIES = frozenset(("labs", "imaging", "results"))
_ADDENDA = frozenset((("addendum",), ("addendum", "note"), ("late", "entry")))
_ADDED = re.compile(r"(?i:addend(?:um|a)|late[ -]entry)\b")
_ADDENDUM = re.compile(
    r"(?i:addend(?:um|a)|late[ -]entry)\b(?:[ \t,;#()\[\]*_–—-]|\d{1,4}(?:[/.:-]\d{1,4})*|[A-Z]\.|"
    r"\b(?i:addend(?:um|a)|late|entry|note|number|by|dr|am|pm|a\.m|p\.m|hrs|at|on|to|of|the|dated|entered)\b\.?|"
    r"[A-Z][A-Za-z'’-]*\.?)*+(?::(?!\d)|$)"
)
_BEFORE_EXAM = frozenset(
    ("chief_complaint", "history_of_present_illness", "social_history", "medications", "allergies", "vitals")
)
_MAX_LABEL = 72
_MAX_WORDS = 400
_MAX_CHARS = 4000

_LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_DECORATION = re.compile(
    r"[\s\ufeff\u200b]*+(?:(?:[#*_=~>|•·▪◦‣●■➢►+\-–—]++|\(?(?:\d{1,2}|[IVX]{1,4}|[A-Z])[.)](?=[ \t]))"
    r"[\s\ufeff\u200b]*+)*+"
)
_BULLET_SIGN = re.compile(r"[•·▪◦‣●■➢►+\-–—]|(?<!\*)\*(?!\*)")
_BOUNDARY = re.compile(r"(?:\.(?!\w)|[;!?|:•\t])[\"')\]*_]*(?:,[ \t]*)?|[ \t\xa0]{2,}|,[ \t]*|[ \t]/[ \t]")
_WORD_START = re.compile(r"(?<![^\s(*_.,;:|])[^\W\d_]")
_SPACE = re.compile(r"[ \t\xa0]*")
_AFTER_COLON = re.compile(r"[:：]*[*_]*(?:[ \t\xa0]*,[ \t\xa0]+)?[ \t\xa0]*")
_SIGNED = re.compile(r"(?:electronically )?(?:signed|dictated|transcribed|authenticated|attested) by\b", re.I)
_FUNCTION_WORDS = prose("function_words")

_MARKER = re.compile(
    r"[\s\ufeff\u200b]*+(?:"
    r"(?P<bullet>[•·▪◦‣●■➢►⁃∙]+|\*(?!\*)|[+\-–—→>]+(?=[\s\[☐])|-(?=[A-Za-z])|o(?=[ \t]{1,4}[A-Z]))[\s]*+"
    r"|(?P<hash>#{1,6})(?!\d)[\s]*+(?=[^\W_]|[(*])"
    r"|[(#]?(?P<number>\d{1,2})(?:[.)]|(?<=#\d)[:\s]|:(?=[ \t]+[A-Z]))(?:[\s]++|(?=[A-Z]))"
    r"|\(?(?P<letter>[a-zA-Z])(?:\)[ \t]+(?=[^\W\d_])|\.[ \t]+(?=[A-Z](?!oli|iff|ylori)))"
    r")?(?:\*\*|__)?"
)
_INLINE_ITEM = re.compile(r"(?<![^\s,;:)])(?<!\d,)[(#]?(\d{1,2})[.):]\s+(?=[A-Za-z(\"“])|\s[•●▪■]\s*(?=\S)")
_MAY_HOLD_ITEM = re.compile(r"\d[.):]\s|[•●▪■]")  # cheap: most lines hold none
_STOP = re.compile(r"[.!?…]++[\"')\]”’]*(?=[\s,]|$)|[.!?](?=[A-Z][a-z]{2})")
_LABEL = re.compile(r"([^\W\d_](?:(?![:.;!?] )[^:\n\r]){1,80}):(?=\s|$)")
_DASH = re.compile(r"\s[-–—]{1,2}\s|\s?—\s?|--")
_VERB = re.compile(
    r"\b(?:is|are|was|were|has|had|have|will|presents?|denies|reports?|states|am|be|been|does|did)\b", re.I
)
_WORD = re.compile(r"[^\W_]+(?:[-'’/.][^\W_]+)*")
_ORDINAL = re.compile(
    r"(?:(?:first|second|third|fourth|fifth|sixth|next|last|other|main|\d(?:st|nd|rd|th))\s+)?"
    r"(?:problem|issue|diagnosis|concern|complaint)s?(?:\s+of)?[,:]?\s+"
    r"(?:(?:which is|that is|the|his|her|their)\s+)*",
    re.I,
)
_CONTINUES = prose("continues")


@dataclass(slots=True)
class _Mark:
    """A label that may begin a section."""

    start: int
    end: int
    body: int
    heading: Heading
    first: bool
    own_line: bool
    upper: bool
    bullet: bool
    level: int = 0
    system: str = ""
    study: bool = False


@dataclass(slots=True)
class _Item:
    """A paragraph, list item or line: what line breaks and list marks set apart."""

    start: int
    end: int
    kind: str
    indent: int = 0
    number: int = 0
    blank_before: bool = False
    own_line: bool = True


def read_layout(text: str) -> Layout:
    """Sections, sentences and problems of `text`; positions are offsets into it, end exclusive."""
    table = headings()
    marks = _chosen(text, _marks(text, table), table)
    sections = []
    for i, mark in enumerate(marks):
        end = marks[i + 1].start if i + 1 < len(marks) else len(text)
        body = min(mark.body, end)
        sections.append(Section(mark.heading.category, text[mark.start : mark.end].strip(), mark.start, end, body))
    sentences: list[Sentence] = []
    problems: list[Problem] = []
    first = sections[0].start if sections else len(text)
    regions = [(0, first, -1)] + [(s.body, s.end, i) for i, s in enumerate(sections)]
    for start, end, index in regions:
        items = _items(text, start, end, table)
        spans = [span for item in items for span in _sentences(text, item.start, item.end, table)]
        found: list[Problem] = []
        if index >= 0 and sections[index].category in PROBLEM_CATEGORIES:
            found = _problems(text, items, spans, sections[index], index, table)
        offset = len(problems)
        starts = [p.start for p in found]
        for s, e in spans:
            at = bisect_right(starts, s) - 1
            sentences.append(Sentence(s, e, index, offset + at if at >= 0 and s < found[at].end else -1))
        problems.extend(found)
    return Layout(tuple(sections), tuple(sentences), tuple(problems))


# --- headings -------------------------------------------------------------------------------------


# The number of a list item right before a label: "1. Tobacco use" is a problem.
_NUMBER = re.compile(r"(?:^|(?<=\n))[ \t]*\(?\d{1,2}[.)][ \t]*\Z")


def _look_up(label: str, table: Headings) -> tuple[Heading | None, str, bool]:
    """What a label heads, the kind of system it names (either, exam or ""), and whether it names a study."""
    key = fold(label)
    if not key or len(key) > 9:
        return None, "", False
    row = table.rows.get(key)
    if row:
        return row, "", False
    system = table.systems.get(key)
    if system:
        return None, system, False
    if key in table.sublabels and len(key) > 1:
        return None, "", False
    low, high = 0, len(key)
    while high - low > 1 and key[high - 1] in table.after:
        high -= 1
        row = table.rows.get(key[low:high])
        if row:
            return row, "", False
    while high - low > 1 and key[low] in table.before:
        low += 1
        row = table.rows.get(key[low:high])
        if row:
            return row, "", False
    core = key[low:high]
    if len(core) > 5 or core[0] in _FUNCTION_WORDS:
        return None, "", False
    if len(core) > 1:
        if core[-1] == "exam":
            return Heading("physical_exam", frozenset(("weak",))), "", False
        if core[-1] == "history" and len(core) < 5:
            category = "family_history" if "family" in core else "past_medical_history"
            return Heading(category, frozenset(("weak",))), "", False
        if core[-1] == "diagnosis" and len(core) < 4:
            return Heading("diagnoses"), "", False
    words = set(core)
    if not words & table.not_study:
        if words & table.imaging and not ("us" in words and "US" not in label and words & table.imaging == {"us"}):
            return Heading("imaging", frozenset(("weak", "line"))), "", True
        if words & table.results:
            return Heading("results", frozenset(("weak", "line"))), "", True
    return None, "", False


def _fits(label: str, heading: Heading) -> bool:
    """Whether the letters of a label suit the flags of its row."""
    return not (heading.flags & {"upper", "single"}) or label.upper() == label


def _marks(text: str, table: Headings) -> list[_Mark]:
    """Every label that may begin a section, in order."""
    found: list[_Mark] = []
    before_ended = True  # the line before is blank or ends a sentence
    previous_end = 0
    for line in _LINE.finditer(text):
        start, end = line.span()
        if text.count("\n", previous_end, start) > 1 or (not found and previous_end == 0):
            before_ended = True
        previous_end = end
        decoration = _DECORATION.match(text, start, end)
        at = decoration.end() if decoration else start
        if at >= end:
            before_ended = True
            continue
        stop = end
        while stop > at and text[stop - 1] in " \t\xa0*_#=~|-–—":
            stop -= 1
        signs = text[start:at]
        bullet = bool(_BULLET_SIGN.search(signs)) if at > start else False
        level = signs.count("#")
        mark = _addendum(text, at, end, bullet, level) if text[at] in "AaLl" else None
        if mark is None and stop - at <= _MAX_LABEL:
            mark = _own_line(text, start, at, stop, end, bullet, level, before_ended, table)
        if mark is None and text[at].isalpha():
            mark = _line_start(text, start, at, end, bullet, level, table)
        if mark is not None:
            found.append(mark)
        if text.find(":", at, end) >= 0 or text.find("：", at, end) >= 0:
            _colons(text, start, at, end, bullet, level, table, found)
        last = text[stop - 1] if stop > at else "."
        before_ended = last in ".!?:;"
    return found


def _addendum(text: str, at: int, end: int, bullet: bool, level: int) -> _Mark | None:
    """What was written later, headed so at a line's start: its date, time and author are part of the heading.

    It counts as assessment: what is added to a note is what its author makes of it.
    """
    said = _ADDENDUM.match(text, at, end)
    if said is None or not text[at].isupper() or said.end() - at > 2 * _MAX_LABEL:
        return None
    label = text[at : said.end()].rstrip(" \t:*_-–—")
    body = said.end() + len(text[said.end() : end]) - len(text[said.end() : end].lstrip(" \t*_"))
    upper = label.isupper()
    return _Mark(at, at + len(label), body, Heading("assessment_plan"), True, body >= end, upper, bullet, level)


def _own_line(
    text: str,
    start: int,
    at: int,
    stop: int,
    end: int,
    bullet: bool,
    level: int,
    ended: bool,
    table: Headings,
) -> _Mark | None:
    """A heading that has its line to itself."""
    core = stop
    colon = False
    while core > at and text[core - 1] in ":：. *_-–—":
        colon = colon or text[core - 1] in ":："
        core -= 1
    label = text[at:core]
    if not label or ":" in label:
        return None
    signed = _SIGNED.match(label)
    if signed:
        return _Mark(at, at + signed.end(), at + signed.end(), Heading("other"), True, True, False, bullet)
    heading, system, study = _look_up(label, table)
    if heading is None and not system:
        if level and not colon and len(label) <= _MAX_LABEL and text[at:stop] == label and level >= 2:
            return _Mark(at, core, end, Heading("other", frozenset(("markdown",))), True, True, False, False, level)
        return None
    if heading is not None and "inline" in heading.flags:
        return None
    if (study and not colon) or (heading is not None and not _fits(label, heading)):
        return None
    first = label[0]
    if not colon and not level and not (first.isupper() or ended):
        return None
    if text[core:stop].startswith(".") and not (ended and first.isupper()):
        return None
    return _Mark(
        at,
        core,
        end,
        heading or Heading("physical_exam"),
        True,
        True,
        label.isupper(),
        bullet,
        level,
        system,
        study,
    )


def _line_start(text: str, start: int, at: int, end: int, bullet: bool, level: int, table: Headings) -> _Mark | None:
    """A heading at a line's start without a colon: 'Plan - …', 'S/ …', 'PMH HTN', '| Plan | …'."""
    window = text[at : min(end, at + _MAX_LABEL)]
    first = window[0]
    if not first.isupper():
        return None
    # S/ O/ A/ P/ A/P/
    if first in "SOAP" and window[1:2] == "/":
        slash = re.match(r"(S|O|A/P|A|P)/(?=\s)\s*", window)
        if slash:
            key = ("a", "and", "p") if "/" in slash[1] else (slash[1].lower(),)
            row = table.rows[key]
            return _Mark(at, at + slash.end(1), at + slash.end(), row, True, False, True, bullet, level)
    cut = re.search(r"\s+[-–—]{1,2}\s+|[ \t]*[|\t][ \t]*|[ ]{3,}", window)
    if cut and cut.start() > 1:
        label = window[: cut.start()]
        if ":" not in label and len(label) < 50:
            heading, system, study = _look_up(label, table)
            if heading is not None and heading.category and not study and _fits(label, heading):
                body = at + cut.end()
                return _Mark(at, at + cut.start(), body, heading, True, False, label.isupper(), bullet, level)
            if system and "|" in cut[0]:
                return None
    # capitals followed by ordinary words: 'PHYSICAL EXAM Well appearing'
    capitals = re.match(r"[A-Z][A-Z/&]+x?(?: (?:[A-Z][A-Z/&]+|&|/))*(?=[ ])", window)
    if capitals:
        words = capitals[0].split(" ")
        for count in range(len(words), 0, -1):
            label = " ".join(words[:count])
            heading, _, study = _look_up(label, table)
            if heading is None or "bare" not in heading.flags or study:
                continue
            rest = window[len(label) :].lstrip()
            next_word = rest.split(" ", 1)[0] if rest else ""
            if not next_word or next_word[0] in ":-–—.,":
                return None
            if len(label) > 4 and ((next_word.isupper() and len(next_word) > 1) or next_word[0].islower()):
                return None
            if len(label) <= 4 and not (next_word[0].isalnum() or next_word[0] in "(#*"):
                return None
            if len(label) <= 4 and next_word[0].islower() and "upper" not in heading.flags:
                return None
            body = at + len(window) - len(rest) if len(window) == end - at else at + len(label) + 1
            return _Mark(at, at + len(label), body, heading, True, False, True, bullet, level)
    return None


def _colons(
    text: str, start: int, at: int, end: int, bullet: bool, level: int, table: Headings, found: list[_Mark]
) -> None:
    """Headings before a colon, at the line's start or within it."""
    floor = at
    position = at
    while True:
        colon = text.find(":", position, end)
        wide = text.find("：", position, min(end, colon) if colon >= 0 else end)
        if wide >= 0:
            colon = wide
        if colon < 0:
            return
        position = colon + 1
        if text[colon + 1 : colon + 3] == "//":
            continue
        low = max(floor, colon - _MAX_LABEL)
        window = text[low:colon]
        hard = low in (at, floor)
        comma = False
        begin = 0
        for cut in _BOUNDARY.finditer(window):
            if window[cut.end() :].strip("*_ ") == "":
                break
            if cut[0].startswith(","):
                continue
            begin, hard = cut.end(), True
        segment = window[begin:]
        base = low + begin
        mark = None
        count = 0
        starts = [m.start() for m in _WORD_START.finditer(segment)][-9:]
        for offset in starts:
            begins = base + offset
            label = text[begins:colon].rstrip(" \t\xa0*_")
            gap = text[base:begins]
            real = hard and gap.strip(" \t\xa0*_(\"'") == ""
            comma = gap.rstrip().endswith(",")
            count += 1
            if not (real or comma or label[0].isupper()):
                continue
            heading, system, study = _look_up(label, table)
            if heading is None and not system:
                continue
            first = begins == at or (begins - at <= 2 and text[at:begins].strip("*_ ") == "")
            upper = label.isupper() and len(label) > 3
            joined = begins > 1 and text[begins - 1] == "," and text[begins - 2] in ".,) "  # ".,HEADING:"
            if not first and joined and label.isupper():
                first = True
            if not first and not _inside(text, begins, label, heading, system, study, real, comma, upper):
                if real:
                    break
                continue
            if heading is not None and not _fits(label, heading):
                break
            if heading is not None and "single" in heading.flags and not _letter(text, label, colon, end):
                break
            body = _AFTER_COLON.match(text, colon, end)
            if heading is not None and not heading.category:
                break
            mark = _Mark(
                begins, begins + len(label), body.end() if body else colon + 1,
                heading or Heading("physical_exam"), first, False, upper, bullet and first,
                level, system, study,
            )  # fmt: skip
            break
        if mark is not None and not (found and found[-1].start == mark.start):
            found.append(mark)
            floor = mark.body
        else:
            floor = max(floor, colon + 1)


def _inside(
    text: str,
    begins: int,
    label: str,
    heading: Heading | None,
    system: str,
    study: bool,
    real: bool,
    comma: bool,
    upper: bool,
) -> bool:
    """Whether a label before a colon within a line may be a heading."""
    if system:
        return (real and label[0].isupper()) or upper
    if heading is None or study:
        return False
    if "line" in heading.flags and not upper:
        return False
    if real:
        return True
    if not label[0].isupper():
        return False
    words = [w for w in label.split() if w[0].isalpha()]
    if any(w[0].islower() and w not in ("and", "of", "on", "at", "for", "the", "in") for w in words):
        return False
    before = text[max(0, begins - 24) : begins].rstrip(" ,*_").rsplit(None, 1)
    word = before[-1].lower() if before else ""
    if comma:
        return upper or "weak" not in heading.flags
    if "single" in heading.flags or len(label) < 2:
        return False
    if word in _FUNCTION_WORDS or word.endswith(("'s", "’s", "-", "/")):
        return False
    named = bool(before) and before[-1][:1].isupper() and word not in ("ra", "today") and not word[-1:].isdigit()
    return upper or not named or len(words) > 1  # "Treatment Plan:" is no plan of its own, "RA Plan:" is


def _letter(text: str, label: str, colon: int, end: int) -> bool:
    """Whether 'P:' opens a plan and isn't a pulse."""
    rest = text[colon + 1 : min(end, colon + 8)].strip()
    return not (label == "P" and re.match(r"\d{2,3}(?![.)\d])", rest))


def _chosen(text: str, marks: list[_Mark], table: Headings) -> list[_Mark]:
    """The labels that do begin a section, given what is open where they stand."""
    plans = sum(m.heading.category == "plan" and not m.own_line and m.first for m in marks)
    assessed_later = max(
        (i for i, m in enumerate(marks) if m.heading.category in _ASSESSED and not _ADDED.match(text, m.start)),
        default=-1,
    )
    discharge = (
        any(m.heading.category == "hospital_course" for m in marks)
        or "ischarge summary" in text[:2000]
        or ("DISCHARGE SUMMARY" in text)
    )
    hashes = any(m.level and "markdown" not in m.heading.flags for m in marks)
    chosen: list[_Mark] = []
    for i, mark in enumerate(marks):
        current = chosen[-1] if chosen else None
        category = current.heading.category if current else ""
        if current and mark.start < current.body:
            continue
        if mark.system:
            opens = (
                current is None
                or category == "vitals"
                or (mark.system == "exam" and mark.first and category in _BEFORE_EXAM)
            )
            if opens and not mark.bullet:
                chosen.append(mark)
            continue
        if "markdown" in mark.heading.flags:
            if not hashes or (current and category in PROBLEM_CATEGORIES and not 0 < mark.level <= current.level):
                continue
            chosen.append(mark)
            continue
        if current:
            same_style = mark.own_line == current.own_line and (mark.upper or not current.upper)
            if category in PROBLEM_CATEGORIES:
                numbered = _NUMBER.search(text, max(0, mark.start - 8), mark.start)
                nested = not mark.first or mark.bullet or bool(numbered) or not same_style
                if "weak" in mark.heading.flags and nested:
                    continue
                if (
                    numbered
                    and not mark.upper
                    and ":" not in text[mark.start : mark.body]
                    and (mark.heading.category not in PROBLEM_CATEGORIES)
                ):
                    continue  # an item of the list: "3. Food allergy"
                if (
                    category == "assessment_plan"
                    and mark.heading.category in ("assessment", "plan")
                    and not mark.own_line
                    and (current.own_line or plans > 1)
                    and not mark.upper
                ):
                    continue
                if (
                    category == "assessment"
                    and mark.heading.category == "plan"
                    and plans > 1
                    and current.own_line
                    and not mark.own_line
                ):
                    continue
            if "weak" in mark.heading.flags and mark.heading.category == category:
                continue
            if category in _STUDIES and not mark.own_line and current.own_line:
                if "weak" in mark.heading.flags and (mark.heading.category in _STUDIES or mark.bullet):
                    continue
                if (
                    mark.heading.category == "assessment"
                    and not mark.upper
                    and fold(text[mark.start : mark.end]) in (("impression",), ("conclusion",))
                ):
                    continue
            if category == "review_of_systems" and mark.heading.category in ("past_medical_history",) and mark.bullet:
                continue
            if category in _STUDIES and not mark.own_line and _of_study(text, mark):
                continue
        read_out = fold(text[mark.start : mark.end]) in (("impression",), ("conclusion",))
        if read_out and category in _STUDIES and i < assessed_later:
            mark.heading = Heading("imaging")
        if mark.heading.category == "diagnoses" and discharge and "final" in text[mark.start : mark.end].lower():
            mark.heading = Heading("discharge_diagnoses", mark.heading.flags)
        chosen.append(mark)
    return chosen


def _of_study(text: str, mark: _Mark) -> bool:
    """Whether an addendum is one to the report it stands in: run in, without a date, right below the report."""
    label = text[mark.start : mark.end]
    above = text[max(0, mark.start - 3) : mark.start]
    return fold(label) in _ADDENDA and not any(c.isdigit() for c in label) and "\n\n" not in above.replace("\r", "")


# --- items and sentences --------------------------------------------------------------------------


def _items(text: str, start: int, end: int, table: Headings) -> list[_Item]:
    """Paragraphs and list items between two positions; wrapped lines are put together."""
    items: list[_Item] = []
    expected = 1
    previous_end = start
    open_line = ""  # the last line of the item that may carry on
    for line in _LINE.finditer(text, start, end):
        low, high = line.span()
        while high > low and text[high - 1].isspace():
            high -= 1
        blank = not items or text.count("\n", previous_end, low) > 1 or text.count("\r", previous_end, low) > 1
        if high <= low or not text[low:high].strip(" \t\xa0*_=~-–—#|\ufeff\u200b"):
            open_line = ""
            continue
        marker = _MARKER.match(text, low, high)
        at = marker.end() if marker else low
        if at >= high:
            open_line = ""
            continue
        kind, number, indent = "plain", 0, 0
        if marker:
            if marker["bullet"]:
                kind = "bullet"
            elif marker["hash"]:
                kind = "hash"
            elif marker["number"]:
                kind, number = "number", int(marker["number"])
            elif marker["letter"]:
                kind = "letter"
            indent = _indent(text, low, at)
        if kind == "plain" and open_line and not blank and _carries_on(open_line, text, at, high):
            items[-1].end = high
            open_line = text[max(low, high - 400) : high]
            previous_end = high
            continue
        while high > at and text[high - 1] in " \t|":
            high -= 1
        if high <= at:
            continue
        if kind == "number":
            expected = number + 1
        head = _Item(at, high, kind, indent, number, blank)
        items.append(head)
        if _MAY_HOLD_ITEM.search(text, at, high):
            for part in _INLINE_ITEM.finditer(text, at, high):
                inline = int(part[1]) if part[1] else 0
                if part[1]:
                    if inline != expected:
                        continue
                    before = text[max(at, part.start() - 20) : part.start()].rstrip()
                    if inline == 1 and before and before[-1] not in ":.,;)" and part.start() > at:
                        continue
                    word = _WORD.findall(before)[-1:]
                    if word and before[-1].isalnum() and word[0].lower() in table.counted:
                        continue
                    expected = inline + 1
                cut = part.start()
                if cut > items[-1].start:
                    items[-1].end = cut
                else:
                    items.pop()
                items.append(_Item(part.end(), high, "number" if inline else "bullet", indent, inline, False, False))
        open_line = text[max(low, high - 400) : high]
        previous_end = high
    kept = []
    for item in items:
        while item.end > item.start and (text[item.end - 1].isspace() or text[item.end - 1] in "\ufeff\u200b"):
            item.end -= 1
        while item.start < item.end and (text[item.start].isspace() or text[item.start] in ",\ufeff\u200b"):
            item.start += 1
        if item.end > item.start:
            kept.append(item)
    return kept


def _indent(text: str, low: int, at: int) -> int:
    count = 0
    for sign in text[low:at]:
        if sign == "\t":
            count += 4
        elif sign.isspace():
            count += 1
        else:
            break
    return count


def _carries_on(line: str, text: str, at: int, high: int) -> bool:
    """Whether the line at `at` continues the sentence of the line before."""
    last = line[-1]
    if last in ".!?:;|":
        return False
    first = text[at]
    words = line.rsplit(None, 1)
    tail = words[-1].lower() if words else ""
    if tail in _CONTINUES or last == ",":
        return not _LABEL.match(text, at, min(high, at + 90)) or first.islower()
    if first.islower():
        return len(line) >= 40
    return not (len(line) < 60 or _LABEL.match(text, at, min(high, at + 90)))


def _sentences(text: str, start: int, end: int, table: Headings) -> list[tuple[int, int]]:
    """The sentences of one item."""
    found: list[tuple[int, int]] = []
    begin = start
    for stop in _STOP.finditer(text, start, end):
        after = stop.end()
        if after >= end:
            break
        if text[after] == ",":
            after += 1
            if after < end and not (text[after].isspace() or text[after].isupper()):
                continue
        following = after
        while following < end and text[following].isspace():
            following += 1
        if following >= end:
            break
        if not _ends(text, begin, stop.start(), stop[0], following, table):
            continue
        _add(text, begin, after, found)
        begin = following
    _add(text, begin, end, found)
    return found


def _ends(text: str, begin: int, dot: int, sign: str, following: int, table: Headings) -> bool:
    """Whether the stop at `dot` ends a sentence that goes on at `following`."""
    if sign[0] != ".":
        return True
    after = text[following]
    low = max(begin, dot - 24)
    head = text[low:dot]
    parts = head.split()
    token = parts[-1].lstrip("([\"'“").lower() if parts else ""
    if len(sign) > 1 and sign.startswith(".."):
        return after.isupper()
    if not token:
        return False
    if token in table.never:
        return False
    if token.isdigit() and len(token) <= 2 and dot - len(token) == begin:
        return False
    if token in table.lower or ("." in token and token.replace(".", "").isalpha()):
        if token == "no":
            return not after.isdigit()
        return after.isupper() or after in "-•"
    if len(token) == 1 and token.isalpha() and text[dot - 1].isupper():
        before = parts[-2] if len(parts) > 1 else ""
        if after.islower() and before.lower().rstrip(".,") not in table.letters:
            return False  # E. coli
        if before.lower().rstrip(".,") in table.letters:
            return True
        following_word = re.match(r"[^\W\d_]+", text[following : following + 20])
        name = bool(before) and (before.lower().rstrip(".") in table.never or before[0].isupper())
        if name and after.isupper() and following_word and following_word[0].lower() not in table.starters:
            return False
    return True


def _add(text: str, start: int, end: int, found: list[tuple[int, int]]) -> None:
    """Append a sentence, cut where it is too long to be one."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end <= start:
        return
    if end - start <= 800:
        found.append((start, end))
        return
    words = 0
    begin = start
    comma = semicolon = last = -1
    for word in re.finditer(r"\S+", text[start:end]):
        low, high = start + word.start(), start + word.end()
        while high - begin > _MAX_CHARS and low <= begin + _MAX_CHARS:
            cut = begin + _MAX_CHARS if last <= begin else last
            found.append((begin, _trim(text, begin, cut)))
            begin = _skip(text, cut, end)
            words, comma, semicolon, last = 0, -1, -1, -1
        words += 1
        if words > _MAX_WORDS:
            cut = max(semicolon, comma) if max(semicolon, comma) > begin + (low - begin) // 2 else last
            if cut <= begin:
                cut = low
            found.append((begin, _trim(text, begin, cut)))
            begin = _skip(text, cut, end)
            words = len(text[begin:high].split())
            comma = semicolon = -1
        last = high
        if text[high - 1] == ";":
            semicolon = high
        elif text[high - 1] == ",":
            comma = high
    if begin < end:
        found.append((begin, end))


def _trim(text: str, start: int, end: int) -> int:
    while end > start + 1 and text[end - 1].isspace():
        end -= 1
    return end


def _skip(text: str, start: int, end: int) -> int:
    while start < end and text[start].isspace():
        start += 1
    return start


# --- problems -------------------------------------------------------------------------------------


def _problems(
    text: str, items: list[_Item], spans: list[tuple[int, int]], section: Section, index: int, table: Headings
) -> list[Problem]:
    """The problems of one section: list items, header lines, or paragraphs that name one."""
    if not items:
        return []
    narrative = section.category in ("plan", "mdm", "hospital_course")
    hashes = [i for i in items if i.kind == "hash"]
    numbers = [i for i in items if i.kind == "number"]
    bullets = [i for i in items if i.kind == "bullet"]
    starts: list[_Item] = []
    if hashes:
        starts = hashes
    elif numbers:
        least = min(i.indent for i in numbers)
        starts = [i for i in numbers if i.indent <= least and _names(text, i, table)]
    headers = _headers(text, items, table) if not starts else []
    if headers:
        starts = headers
    elif not starts:
        if bullets:
            least = min(i.indent for i in bullets)
            starts = [i for i in bullets if i.indent <= least and _names(text, i, table)]
            if narrative:
                starts = [i for i in starts if i.end - i.start < 120]
        starts = starts + [i for i in items if i.kind == "plain" and _named_label(text, i, table)]
        if not starts and not bullets and not narrative:
            starts = [i for i in items if i.kind == "plain" and _names(text, i, table)]
    titles = {i.start: _title(text, i.start, i.end, spans) for i in starts}
    for start, end in spans:
        lead = _lead(text, start, end, table)
        if (lead and start not in titles and not (hashes or (numbers and starts))) or (lead and start in titles):
            titles[start] = lead
    if not titles and section.category in _ASSESSED:
        first = items[0]
        titles[first.start] = _title(text, first.start, first.end, spans)
    order = sorted(titles)
    last = items[-1].end
    found = []
    for i, start in enumerate(order):
        until = order[i + 1] if i + 1 < len(order) else last
        end = max(spans[bisect_right(spans, (until - 1, len(text))) - 1][1], start + 1)
        low, high = titles[start]
        found.append(Problem(start, end, low, min(high, end), index))
    return found


def _first_word(text: str, item: _Item) -> str:
    word = re.compile(r"[^\W_]+(?:[-/'’][^\W_]+)*").search(text, item.start, min(item.end, item.start + 60))
    return word[0].lower() if word else ""


def _names(text: str, item: _Item, table: Headings) -> bool:
    """Whether a list item may name a problem: it begins with no verb of action and no sub-label."""
    word = _first_word(text, item)
    if not word or word in table.actions:
        return False
    label = _LABEL.match(text, item.start, min(item.end, item.start + 90))
    return not (label and fold(label[1]) in table.sublabels)


def _named_label(text: str, item: _Item, table: Headings) -> bool:
    """A paragraph 'Diabetes: …' whose label names a problem."""
    label = _LABEL.match(text, item.start, min(item.end, item.start + 90))
    return bool(label) and len(label[1].split()) <= 9 and _names(text, item, table)  # type: ignore[index]


def _headers(text: str, items: list[_Item], table: Headings) -> list[_Item]:
    """Short lines that stand over bullets, labels or a paragraph."""
    found: list[_Item] = []
    for i, item in enumerate(items):
        if item.kind not in ("plain", "bullet") or not item.own_line or item.end - item.start > 100:
            continue
        if item.kind == "bullet":
            continue
        words = text[item.start : item.end].rstrip(".: *_")
        if len(words.split()) > 12 or ". " in words or ": " in words or _VERB.search(words) or not words:
            continue
        if not _names(text, item, table):
            continue
        following = items[i + 1] if i + 1 < len(items) else None
        if following is None:
            if found and item.blank_before and text[item.end - 1] != ".":
                found.append(item)
            continue
        if (
            following.kind in ("bullet", "letter", "number")
            or _LABEL.match(text, following.start, min(following.end, following.start + 90))
            or (
                (following.kind == "plain" and not following.blank_before and following.end - following.start > 60)
                and (item.blank_before or found)
            )
        ):
            found.append(item)
    return found


def _title(text: str, start: int, end: int, spans: list[tuple[int, int]]) -> tuple[int, int]:
    """The words that name a problem: up to a colon, full stop or dash."""
    for _low, high in spans[bisect_right(spans, (start, -1)) :][:1]:
        end = min(end, high)
    label = _LABEL.match(text, start, min(end, start + 90))
    if label:
        end = label.end(1)
    dash = _DASH.search(text, start, end)
    if dash and dash.start() > start + 1:
        end = dash.start()
    while end > start + 1 and text[end - 1] in " \t\r\n.:;,*_|":
        end -= 1
    return start, end


def _lead(text: str, start: int, end: int, table: Headings) -> tuple[int, int] | None:
    """The problem named by 'Regarding her hypertension, …'."""
    opening = text[start : min(end, start + 30)].lower()
    for lead in table.leads:
        if not opening.startswith(lead) or opening[len(lead) : len(lead) + 1] not in (" ", ":"):
            continue
        rest = text[start + len(lead) : min(end, start + len(lead) + 140)]
        owner = re.match(r"[:\s]+(?:(?:his|her|their|the|this|your|patient['’]?s|pt['’]?s|history of|known)\s+)+", rest)
        if not owner:
            if lead in ("for", "re") or not (space := re.match(r"[:\s]+", rest)):
                return None
            owner = space
        low = owner.end()
        ordinal = _ORDINAL.match(rest, low)
        if ordinal:
            low = ordinal.end()
        elif lead.startswith("for"):
            return None
        stop = re.search(r"[,:;.]|\s[-–—]\s|\s(?:he|she|they|we|i|patient|is|was|the patient)\s", rest[low:])
        high = low + stop.start() if stop else len(rest)
        if high <= low:
            return None
        offset = start + len(lead)
        return offset + low, offset + high
    return None
