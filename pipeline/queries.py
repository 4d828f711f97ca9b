"""Queries to providers: whether one is compliant, and compliant ones from the gaps of a report.

The linter reads a query as a title, clinical indicators, a question and its answers, and tests the statements R-J1 to
R-J10 (AHIMA/ACDIS, Guidelines for Achieving a Compliant Query Practice, 2022 Update), each from its own rule file.
Words inside quotation marks are the record's: they count as indicators and are never judged.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from code_maps.queries import Condition, Mention, indicators, query_rules, words_of
from models.gap import Gap
from models.query import ProviderQueries, Query, QueryLint, QuotedIndicator, Unasked
from models.report import Report

MAX_QUERY = 50_000
_MAX_QUOTE = 300

# --- reading a query ---------------------------------------------------------------------------------------------

_QUOTE = re.compile(r'"[^"\n]*"|“[^”\n]*”')
_BOX = r"(?:\[\s*[xX✓✔_]?\s*\]|\(\s*[_]?\s*\)|[☐☑☒□○◯❏❑])"
_OPTION_LINE = re.compile(rf"^\s*(?:[-*•]\s*)?(?:{_BOX}\s*|(?:[A-Ha-h]|\d{{1,2}})[.)]\s+)(?=\S)")
_BULLET = re.compile(r"^\s*[-*•–]\s+")
_BOXES = re.compile(_BOX)
_ASK_HEADING = re.compile(
    r"^\s*(?:question|query|request|ask|clarification requested|action requested)s?\s*[:\-]\s*", re.I
)
_CHOICES = re.compile(r"\b(?:options|choices|answers)\s*:\s*", re.I)
_ASKS = re.compile(
    r"\?|\b(?:please|kindly|can (?:you|the|a|an|this)|could you|would you|we ask|you are asked|requesting)\b", re.I
)
_YES_NO = re.compile(r"\byes\s*(?:/|or|\||,|-)\s*no\b|\(\s*y\s*/\s*n\s*\)|\by/n\b|\banswer yes\b", re.I)
_SENTENCES = re.compile(r"(?<=[.?!])\s+(?=[A-Z\"“(\[])")
_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = rf"(?:{'|'.join(f'{m}|{m[:3]}' for m in _MONTHS)}|sept)\.?"
_FULL_DATE = re.compile(
    rf"(?P<iso>\d{{4}}-\d\d?-\d\d?)|(?P<us>\d{{1,2}}[/-]\d{{1,2}}[/-](?:\d{{4}}|\d\d))(?!\d)"
    rf"|(?P<words>\b{_MONTH} \d{{1,2}},? \d{{4}}|\b\d{{1,2}} {_MONTH} \d{{4}})",
    re.I,
)
_RANGE_DATE = re.compile(r"\b\d{1,2}/\d{1,2}\s*[-–]\s*(?=\d{1,2}/\d{1,2}/\d)")
_SHORT_DATE = re.compile(r"\b(?:0\d|1[0-2])/(?:[0-2]\d|3[01])\b(?![/\d])")
_MONTH_YEAR = re.compile(
    rf"\b(?:0?[1-9]|1[0-2])/((?:19|20)\d\d)\b|\b{_MONTH} ((?:19|20)\d\d)\b|\b((?:19|20)\d\d)\b", re.I
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of the clinical indicators, and the year and month of its latest date (0 without one)."""

    text: str
    month: int
    stale: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """A query in its parts. In `ask`, `free`, `spoken` and `options` quotations are blanked out."""

    title: str
    ask: str
    free: str
    spoken: str
    clauses: tuple[Clause, ...]
    options: tuple[str, ...]
    yes_no: bool
    setting: str

    @property
    def evidence(self) -> list[str]:
        """The text of all clauses, dates taken out."""
        return [_without_dates(c.text) for c in self.clauses]

    def diagnoses(self) -> list[str]:
        """The answers that offer a diagnosis."""
        passed = (words_of("R-J4", "other"), words_of("R-J4", "unable"), words_of("R-J6", "no_diagnosis"))
        return [o for o in self.options if not any(p.search(o) for p in passed)]


def read_query(text: str, setting: str) -> Reading:
    """A query's parts. A query without headings is read by its sentences: those that ask, and those that tell."""
    lines = [line for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    title = ""
    heading = words_of("R-J1", "heading")
    if lines and not _starts_body(lines[0], heading):
        title = lines.pop(0).strip()
    told: list[str] = []
    asked: list[str] = []
    free: list[str] = []
    options: list[str] = []
    part: Literal["free", "told", "asked"] = "free"
    for line in lines:
        blank = _blank_quotes(line)
        if (part != "told" and (_OPTION_LINE.match(blank) or len(_BOXES.findall(blank)) > 1)) or _BOXES.match(
            blank.strip()
        ):
            options += _options_of(line)
            continue
        opened = heading.match(blank.strip())
        if opened:
            part = "told"
            told.append(line.strip()[opened.end() :])
            continue
        question = _ASK_HEADING.match(blank)
        if question:
            part = "asked"
            line, blank = line[question.end() :], blank[question.end() :]
        choices = _CHOICES.search(blank)
        if choices and part == "asked":
            options += [o.strip() for o in re.split(r"[;|]|,(?! )", line[choices.end() :]) if o.strip()]
            line = line[: choices.start()]
        if part == "asked":
            boxes = list(_BOXES.finditer(_blank_quotes(line)))
            if len(boxes) > 1:
                options += _options_of(line[boxes[0].start() :])
                line = line[: boxes[0].start()]
            elif options and _BULLET.match(line):
                options.append(_BULLET.sub("", line).strip())
                continue
            asked.append(line)
            continue
        for sentence in _sentences(line):
            bare = _blank_quotes(sentence)
            if _ASKS.search(bare):
                asked.append(sentence)
                if '"' in sentence or "“" in sentence:
                    told.append(sentence)
            elif part == "told" and (_BULLET.match(line) or _telling(sentence) or not _own_words(bare)):
                told.append(sentence)
            else:
                free.append(sentence)
                if _telling(sentence):
                    told.append(sentence)
    ask = "\n".join(asked)
    shown = [o for o in (re.sub(r"\s+", " ", o).strip() for o in options) if o]
    yes_no = any(re.match(r"\W*yes\b", o, re.I) for o in shown) or bool(_YES_NO.search(_blank_quotes(ask)))
    return Reading(
        title=title,
        ask=_blank_quotes(ask),
        free=_blank_quotes("\n".join(free)),
        spoken=_blank_quotes(text),
        clauses=tuple(_clauses(told)),
        options=tuple(_blank_quotes(o) for o in shown),
        yes_no=yes_no,
        setting=setting,
    )


def _starts_body(line: str, heading: re.Pattern[str]) -> bool:
    blank = _blank_quotes(line)
    return bool(
        heading.match(blank.strip()) or (_ASK_HEADING.match(blank) and "?" in blank) or _OPTION_LINE.match(blank)
        or "?" in blank or len(line) > 120 or (_FULL_DATE.search(blank) and '"' in line)
    )  # fmt: skip


def _sentences(line: str) -> list[str]:
    """The sentences of a line; a quotation is never cut."""
    cuts = [m.span() for m in _SENTENCES.finditer(_blank_quotes(line))]
    starts, ends = [0, *(end for _, end in cuts)], [*(start for start, _ in cuts), len(line)]
    return [line[start:end] for start, end in zip(starts, ends, strict=True)]


def _telling(sentence: str) -> bool:
    """Whether a sentence reports from the record: a quotation, a date, or a measured value."""
    return '"' in sentence or "“" in sentence or bool(_FULL_DATE.search(sentence)) or indicators().measures(sentence)


def _own_words(sentence: str) -> bool:
    """Whether the sender speaks for himself, between indicators."""
    return bool(
        re.search(
            r"\b(?:we|our|us|i|my|you|your|this (?:query|message|prompt|patient's|chart)"
            r"|(?:must|should|needs? to|has to) be|capture[ds]?|affects?)\b",
            sentence,
            re.I,
        )
    ) or bool(words_of("R-J3", "generic").search(sentence))


def _options_of(line: str) -> list[str]:
    """The answers on a line: one after each box, or the line without its letter or number."""
    boxes = list(_BOXES.finditer(_blank_quotes(line)))
    if not boxes:
        return [_OPTION_LINE.sub("", line).strip()]
    ends = [*(b.start() for b in boxes[1:]), len(line)]
    # A ticked box stays visible: it leads.
    return [
        (b.group() + " " if re.search(r"[xX✓✔☑☒]", b.group()) else "") + line[b.end() : end].strip()
        for b, end in zip(boxes, ends, strict=True)
    ]


def _blank_quotes(text: str) -> str:
    """The text with the words of every quotation replaced by dots; positions stay."""
    return _QUOTE.sub(lambda m: m.group()[0] + "·" * (len(m.group()) - 2) + m.group()[-1], text)


def _without_dates(text: str) -> str:
    return _SHORT_DATE.sub(" ", _FULL_DATE.sub(" ", _RANGE_DATE.sub(" ", text)))


def _clauses(told: Sequence[str]) -> list[Clause]:
    pieces: list[str] = []
    for line in told:
        start, blank = 0, _blank_quotes(line)
        for cut in re.finditer(r";|(?<=[a-z0-9\"”)])\.\s+(?=[A-Z\"“])", blank):
            pieces.append(line[start : cut.start()])
            start = cut.end()
        pieces.append(line[start:])
    pieces = [p.strip(" \t-*•") for p in pieces if p.strip(" \t-*•.")]
    months = [_latest_month(p) for p in pieces]
    newest = max(months, default=0)
    stale = words_of("R-J3", "stale")
    return [
        Clause(p, m, (bool(m) and newest - m > 13) or bool(stale.search(_blank_quotes(p))))
        for p, m in zip(pieces, months, strict=True)
    ]


def _latest_month(text: str) -> int:
    """The latest date in a clause as a count of months since year 0; 0 without a date. Quoted years are history."""
    blank = _blank_quotes(text)
    found = []
    for match in _FULL_DATE.finditer(blank):
        numbers = [int(n) for n in re.findall(r"\d+", match.group())]
        if match["iso"]:
            year, month = numbers[0], numbers[1]
        elif match["us"]:
            year, month = numbers[2], numbers[0]
        else:
            month_name = re.search(r"[a-z]{3}", match.group().lower())
            assert month_name
            year, month = numbers[-1], [m[:3] for m in _MONTHS].index(month_name.group()) + 1
        found.append((year + 2000 if year < 100 else year) * 12 + month)
    if not found:
        found = [int(next(g for g in m.groups() if g)) * 12 + 12 for m in _MONTH_YEAR.finditer(blank)]
    return max(found, default=0)


# --- the ten statements ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Judgement:
    """What has been found while a query is judged: code -> the words or names that the reason shows."""

    found: dict[str, str] = field(default_factory=dict)

    def add(self, code: str, what: str) -> None:
        self.found.setdefault(code, what)


def lint(text: str, setting: str) -> QueryLint:
    """Whether a query is compliant, and if not, which statements it violates, why, and what would be right.

    `setting` is outpatient or inpatient. Raises ValueError for a text longer than MAX_QUERY characters.
    """
    if len(text) > MAX_QUERY:
        raise ValueError(f"{len(text):,} characters; a query has at most {MAX_QUERY:,}")
    reading = read_query(text, setting)
    judgement = _Judgement()
    for judge in (
        _indicator,
        _money,
        _answers,
        _title,
        _wording,
        _yes_no,
        _stale,
        _not_a_gap,
        _no_effect,
        _retention,
        _uncertain,
    ):
        judge(reading, judgement)
    rules = query_rules()
    order = [code for code in rules if code in judgement.found]
    return QueryLint(
        compliant=not order,
        violations=tuple(order),
        why=tuple(f"{rules[c].title}: {judgement.found[c]}." for c in order),
        suggestions=tuple(str(rules[c].data["suggestion"]) for c in order),
    )


def _indicator(query: Reading, judgement: _Judgement) -> None:
    """R-J1."""
    source, no_source = words_of("R-J1", "source"), words_of("R-J1", "no_source")
    for number, clause in enumerate(query.clauses):
        dated = _FULL_DATE.search(clause.text) or _SHORT_DATE.search(clause.text)
        if not dated:
            continue
        blank = _blank_quotes(clause.text)
        bare = _without_dates(blank)
        following = query.clauses[number + 1].text if number + 1 < len(query.clauses) else ""
        content = (
            _QUOTE.search(clause.text)
            or following.startswith(('"', "“"))
            or re.search(r"\d", bare)
            or len(re.findall(r"[A-Za-z]{2,}", bare)) > 2
        )
        before = re.findall(r"[A-Za-z&/.]+", blank[: dated.start()])
        named = any(re.fullmatch(source, w) for w in re.findall(r"[A-Za-z&/-]+", bare)) or any(
            re.search(rf"(?<!\w)(?:{p})(?!\w)", bare, re.I) for p in (" ?& ?".join(("i", "o")), "h ?& ?p", "a ?& ?p")
        )
        if content and (named or indicators().measures(clause.text) or any(not no_source.fullmatch(w) for w in before)):
            return
    judgement.add("R-J1", "no entry is quoted with its source and date")


def _money(query: Reading, judgement: _Judgement) -> None:
    """R-J2: anywhere outside quotations."""
    allowed = words_of("R-J2", "allowed")
    text = allowed.sub(lambda m: "·" * len(m.group()), query.spoken)
    liver = re.search(r"hepat|liver|li-?rads|\bafp\b", query.spoken + " ".join(query.evidence), re.I)
    for match in _whole(words_of("R-J2", "banned"), text):
        if (
            match.group().lower() in ("hcc", "hccs")
            and liver
            and not re.search(r"\braf\b|risk|captur|score", text, re.I)
        ):
            continue
        judgement.add("R-J2", f"it says {match.group().strip()!r}")
        return


def _whole(pattern: re.Pattern[str], text: str) -> Iterable[re.Match[str]]:
    """Matches that begin and end where a word does."""
    for match in pattern.finditer(text):
        before, after = text[: match.start()][-1:], text[match.end() :][:1]
        first, last = match.group()[:1], match.group()[-1:]
        if not (first.isalnum() and before.isalnum()) and not (last.isalnum() and after.isalnum()):
            yield match


def _answers(query: Reading, judgement: _Judgement) -> None:
    """R-J3, R-J4 and R-J6, for the answers of a multiple choice."""
    emphasis = words_of("R-J4", "emphasis")
    diagnoses = query.diagnoses()
    other = any(words_of("R-J4", "other").search(o) for o in query.options)
    unable = any(words_of("R-J4", "unable").search(o) for o in query.options)
    marked = next((o for o in query.options if emphasis.search(o)), None)
    if marked:
        judgement.add("R-J4", f"the answer {marked[:60]!r} is emphasized")
    capitals = [
        d for d in diagnoses if len(re.findall(r"[A-Z]{4,}", d)) > 1 and not re.search(r"[a-z]{4,}", _strip_brackets(d))
    ]
    if capitals and len(capitals) < len(diagnoses):
        judgement.add("R-J4", f"the answer {capitals[0][:60]!r} alone stands in capitals")
    if not query.yes_no and query.options and (diagnoses or other != unable) and not (other and unable):
        missing = " or ".join(n for n, there in (("'other'", other), ("'unable to determine'", unable)) if not there)
        judgement.add("R-J4", f"the answers lack {missing}")
    if query.yes_no or not diagnoses:
        return
    unsupported = [name for name in (_unsupported(query, d) for d in diagnoses) if name]
    if unsupported:
        judgement.add("R-J3", f"nothing quoted bears on {unsupported[0]!r}")
        judgement.add("R-J4", f"the answer {unsupported[0]!r} is not supported by the indicators")
        if len(unsupported) == len(diagnoses):
            judgement.add("R-J6", "none of the answers is supported by the indicators")


def _strip_brackets(text: str) -> str:
    return re.sub(r"\([^)]*\)", "", text)


def _unsupported(query: Reading, option: str) -> str | None:
    """The first condition of an answer that nothing in the indicators supports. What the answer excludes ("without
    sepsis") isn't offered; a condition that the table doesn't know counts as supported."""
    table = indicators()
    offered = re.sub(r"\b(?:without|not|no|absence of|ruled out)\b[^,;]*", "", option, flags=re.I)
    for mention in table.named(offered):
        if not table.supports(mention.condition, query.evidence):
            return mention.text
    return None


_OF_THE_RECORD = re.compile(r"\b(?:document\w*|charts?|notes?|your|record\w*|wrote|written|listed|states?)\b", re.I)


def _documented(query: Reading, condition: Condition) -> bool:
    """Whether the indicators of this encounter, or the sender's account of the record, name a condition."""
    generic = words_of("R-J3", "generic")
    account = [s for s in _SENTENCES.split(query.free) if _OF_THE_RECORD.search(s) and not generic.search(s)]
    current = [_without_dates(c.text) for c in query.clauses if not c.stale]
    return indicators().documents(condition, [*current, *account])


def _title(query: Reading, judgement: _Judgement) -> None:
    """R-J4, and R-J3 without support: a title that names a diagnosis which isn't documented."""
    for mention in indicators().named(query.title):
        if _documented(query, mention.condition):
            continue
        judgement.add("R-J4", f"the title names {mention.text!r}, which isn't documented")
        if not indicators().supports(mention.condition, query.evidence):
            judgement.add("R-J3", f"nothing quoted bears on {mention.text!r}")


def _wording(query: Reading, judgement: _Judgement) -> None:
    """R-J4 and R-J3 in the question and around it."""
    own = "\n".join((query.title, query.free, query.ask, *query.options))
    led = next(iter(_whole(words_of("R-J4", "leading"), own)), None)
    if led:
        judgement.add("R-J4", f"it says {led.group().strip()!r}")
    table = indicators()
    asked = f"{query.free}\n{query.ask}"
    generic = words_of("R-J3", "generic").search(asked)
    for mention in table.named(asked):
        if _documented(query, mention.condition):
            continue
        before = re.split(r"[.?!\n]", asked[: mention.start])[-1]
        supported = table.supports(mention.condition, query.evidence)
        told = None if query.yes_no else words_of("R-J4", "introduces").search(before)
        if told:
            judgement.add("R-J4", f"it tells the provider to document {mention.text!r}")
        if not supported and (told or generic or words_of("R-J3", "introduces").search(before)):
            judgement.add("R-J3", f"nothing quoted bears on {mention.text!r}")
        elif generic and told:
            judgement.add("R-J3", f"{mention.text!r} is inferred from what is usual, not from this record")


def _yes_no(query: Reading, judgement: _Judgement) -> None:
    """R-J5."""
    asks = words_of("R-J5", "question")
    table = indicators()
    named = [m for m in table.named(query.ask) if not _documented(query, m.condition)]
    introduced = [m for m in named if _introduces(query.ask, m)]
    closed = query.yes_no or (not query.options and introduced and query.ask.count("?") == 1)
    if not closed:
        return
    allowed = words_of("R-J5", "allowed").search(query.ask)
    if introduced and not (allowed and re.search(r"present on|poa|admission|agree with", allowed.group(), re.I)):
        judgement.add("R-J5", f"yes or no would establish {introduced[0].text!r}")
    elif not allowed and (named or (asks.search(query.ask) and not table.named(query.ask))):
        judgement.add("R-J5", f"yes or no would establish {named[0].text if named else 'what is not documented'!r}")
    elif query.options and query.yes_no:
        other = any(words_of("R-J4", "other").search(o) for o in query.options)
        unable = any(words_of("R-J4", "unable").search(o) for o in query.options)
        if not (other and unable):
            judgement.add("R-J4", "yes and no stand without 'other' and 'unable to determine'")


def _introduces(ask: str, mention: Mention) -> bool:
    """Whether a question asks if the patient has a condition ("Does the patient have sepsis?")."""
    before = re.split(r"[.?!\n:]", ask[: mention.start])[-1].strip()
    return bool(
        re.match(
            r"(?:based on [^,]*, |in your [^,]*, |can you confirm (?:that|if|whether) )?(?:does|do|did|has|have|is|was|would|could|should|can|are|were)\b"
            r"(?!.*\b(?:documented|the|known)\W*$)",
            before,
            re.I,
        )
    )


def _stale(query: Reading, judgement: _Judgement) -> None:
    """R-J3: a condition that only an old or foreign record names, and nothing of this encounter bears on."""
    if not any(c.stale for c in query.clauses):
        return
    table = indicators()
    current = [_without_dates(c.text) for c in query.clauses if not c.stale]
    for mention in [*table.named(query.ask), *(m for o in query.options for m in table.named(o))]:
        condition = mention.condition
        if not table.supports(condition, query.evidence):
            continue
        if not table.documents(condition, current) and not table.score(condition, current):
            judgement.add("R-J3", f"only an earlier or foreign record names {mention.text!r}")
            return
    old = [c.text for c in query.clauses if c.stale]
    named = table.named(" ; ".join(_without_dates(t) for t in old))
    if (
        not named
        and old
        and current
        and not re.search(r"\b(?:assessment|impression|diagnos[ie]s)\b", " ".join(current), re.I)
    ):
        shared = {w for t in old for q in _QUOTE.findall(t) for w in re.findall(r"[a-z]{5,}", q.lower())}
        asked = set(re.findall(r"[a-z]{5,}", query.ask.lower()))
        if shared & asked and not (shared & set(re.findall(r"[a-z]{5,}", " ".join(current).lower()))):
            judgement.add("R-J3", "only an earlier or foreign record names the condition")


def _not_a_gap(query: Reading, judgement: _Judgement) -> None:
    """R-J7."""
    own = words_of("R-J7", "unless").sub("", "\n".join((query.title, query.free, query.ask)))
    for name, what in (("campaign", "a campaign"), ("practice", "a question about practice")):
        match = next(iter(_whole(words_of("R-J7", name), own)), None)
        if match:
            judgement.add("R-J7", f"{match.group().strip()[:60]!r} is {what}")
            return


_SIDE_ASKED = re.compile(
    r"\b(?:side|sides|laterality|right or left|left or right|which (?:knee|hip|shoulder|wrist|ankle|elbow|hand|foot|leg|arm|eye|ear|breast"
    r"|kidney|lung|thumb|finger|toe|limb|heel|forearm|thigh|calf|ovary|testicle|extremity))\b",
    re.I,
)
_RIGHT = re.compile(
    r"\b(?:right|rt|R)\b(?! (?:ventric|atri|heart|lower lobe|upper lobe|middle lobe|bundle|axis|hand dominant|-hand))"
)
_LEFT = re.compile(
    r"\b(?:left|lt|L)\b(?! (?:ventric|atri|heart|lower lobe|upper lobe|bundle|axis|main|shift|for|the|AMA|hand dominant))"
)
_BOTH = re.compile(r"\b(?:bilateral(?:ly)?|both)\b", re.I)
_ORGANISM = r"(?:mrsa|mssa|e\.? ?coli|klebsiella|pseudomonas|streptococc\w+|staph\w+|pneumococc\w+|influenza|covid|legionella|proteus|enterococc\w+)"
# What is asked for -> the words by which an indicator answers it already.
_ANSWERED: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(asked, re.I), re.compile(answered, re.I))
    for asked, answered in (
        (r"\bstage\b(?! of labou?r)", r"\bstage (?:[0-5][abc]?|i{1,3}v?|iv|v)\b"),
        (r"\btype(?:,? (?:and|or) [\w ]+)? of (?:the |this |your )?(?:patient.s )?diabetes\b|\bdiabetes type\b|\btype of (?:the )?dm\b", r"\btype (?:1|2|i|ii)\b|\bt[12]dm\b|\bdm ?[12]\b"),
        (r"\btype(?:,? (?:and|or) [\w ]+)? of (?:the |this )?(?:congestive )?(?:heart failure|chf|hf)\b", r"\b(?:systolic|diastolic|hfref|hfpef)\b(?! (?:bp|blood))"),
        (r"\bacuity\b|\bacute or chronic\b|\bchronic or acute\b", r"\b(?:acute|chronic|subacute)\b(?= [a-z]+)(?! (?:distress|kidney disease|obstructive|pain))"),
        (r"\bseverity of (?:the |this )?asthma\b", r"\b(?:mild|moderate|severe),? (?:persistent|intermittent)\b|\bintermittent asthma\b"),
        (r"\bseverity of (?:the |this )?(?:depress|major depress|mdd)", r"\b(?:mdd|depress\w+)\b[^;\"]*\b(?:mild|moderate|severe)\b|\b(?:mild|moderate|severe) (?:major )?depress"),
        (r"\bseverity of (?:the |this )?(?:\w+.calorie )?malnutrition\b", r"\b(?:mild|moderate|severe) (?:protein.calorie )?malnutrition\b"),
        (r"\b(?:organism|pathogen|bacteri\w+)\b", rf"\b(?:due to|from|caused by|secondary to) {_ORGANISM}|\b{_ORGANISM} (?:pneumonia|uti|sepsis|cellulitis|bacteremia|cystitis|pyelonephritis|infection)\b"),
        (r"\btrimester\b|\bweeks of gestation\b|\bgestational age\b", r"\b\d+ ?(?:\d/7 )?(?:w|wk|wks|weeks)\b(?! (?:ago|of pain))|\btrimester\b"),
        (r"\btype of (?:the |this )?(?:atrial fibrillation|afib|a-?fib|af)\b", r"\b(?:paroxysmal|persistent|permanent)\b"),
        (r"\btype of (?:the |this )?(?:osteoarthritis|oa)\b", r"\b(?:primary|post.?traumatic|secondary) (?:oa|osteoarthritis)\b"),
        (r"\b(?:degree|depth) of (?:the |this )?burn\b|\bburn degree\b", r"\b(?:first|second|third|1st|2nd|3rd).degree\b"),
        (r"\bclass of (?:the |this )?obesity\b|\bobesity class\b", r"\bclass (?:[123]|i{1,3})\b"),
        (r"\btype of (?:the |this )?fracture\b|\bopen or closed\b", r"\b(?:open|closed) (?:\w+ )?fracture\b"),
        (r"\brelationship (?:between|of) [^?]*(?:diabetes|t2dm|dm)\b", r"\bdiabetic (?:ckd|nephropathy|neuropathy|retinopathy|polyneuropathy|foot ulcer|kidney disease|ulcer)\b"),
    )
)  # fmt: skip
_OPEN_DETAIL = re.compile(r"\b(?:type|cause|etiology|acuity|severity|stage|status|phase|relationship|site|location|degree|organism|control|complication\w*|episode|diagnosis|condition)\b", re.I)  # fmt: skip


def _no_effect(query: Reading, judgement: _Judgement) -> None:
    """R-J8."""
    ask = query.ask
    # A clarification of conflicting or unreadable entries asks for what is written, and rightly.
    if words_of("R-J8", "unless").search(f"{query.title}\n{query.free}\n{ask}"):
        return
    record = "\n".join(c.text for c in query.clauses)
    again = next(iter(_whole(words_of("R-J8", "reconfirm"), f"{query.title}\n{query.free}\n{ask}")), None)
    if again and query.clauses:
        judgement.add("R-J8", f"{again.group().strip()[:60]!r}: the quoted entry is complete")
        return
    useless = next(iter(_whole(words_of("R-J8", "no_effect"), ask)), None)
    if useless:
        judgement.add("R-J8", f"{useless.group().strip()[:60]!r} changes no code")
        return
    if query.yes_no:
        return
    asked = [(pattern, answer) for pattern, answer in _ANSWERED if pattern.search(ask)]
    side = _SIDE_ASKED.search(ask)
    if not asked and not side:
        return
    rest = ask
    for pattern, _ in asked:
        rest = pattern.sub(" ", rest)
    rest = _SIDE_ASKED.sub(" ", rest)
    if asked and all(_once(answer, record) for _, answer in asked) and (not side or _side_known(record)):
        if not _OPEN_DETAIL.search(re.sub(r"\b(?:diagnosis|condition)\b", " ", rest, flags=re.I)):
            judgement.add("R-J8", "the quoted entries answer it already")
    elif side and not asked and _side_known(record) and not _OPEN_DETAIL.search(rest):
        judgement.add("R-J8", "the side stands in the quoted entries")


def _once(answer: re.Pattern[str], record: str) -> bool:
    """Whether the record gives one answer: two different ones are a conflict, and rightly asked about."""
    return len({m.group().lower() for m in answer.finditer(record)}) == 1


def _side_known(record: str) -> bool:
    sides = (bool(_RIGHT.search(_small(record))), bool(_LEFT.search(_small(record))), bool(_BOTH.search(record)))
    return sum(sides) == 1


def _small(text: str) -> str:
    """Lower case, but for single letters (`R` and `L` are sides, `r` isn't)."""
    return re.sub(r"[A-Za-z]{2,}", lambda m: m.group().lower(), text)


def _retention(query: Reading, judgement: _Judgement) -> None:
    """R-J9."""
    text = words_of("R-J9", "unless").sub("", query.spoken)
    match = next(iter(_whole(words_of("R-J9", "not_retained"), text)), None)
    if match:
        judgement.add("R-J9", f"it says {' '.join(match.group().split())[:60]!r}")


def _uncertain(query: Reading, judgement: _Judgement) -> None:
    """R-J10."""
    if query.setting != "outpatient":
        return
    offered = words_of("R-J10", "unless").sub("", "\n".join((query.ask, *query.options)))
    match = next(iter(_whole(words_of("R-J10", "uncertain"), offered)), None)
    if match:
        judgement.add("R-J10", f"it offers {match.group().strip()!r} in an outpatient setting")


# --- writing queries ---------------------------------------------------------------------------------------------


class QueryProblem(ValueError):
    """A gap that no compliant query can be written for, and why."""


# What is asked for -> the title and the open question. Neither names a condition.
_NEUTRAL = {
    "type": ("type", "Can the type of the condition quoted above be further specified?"),
    "acuity": ("acuity", "Can the acuity of the condition quoted above be further specified?"),
    "severity": ("degree of a condition", "Can the degree of the condition quoted above be further specified?"),
    "stage": ("stage", "Can the stage of the condition quoted above be further specified?"),
    "laterality": ("side", "Please document the side to which the entry quoted above refers."),
    "site": ("site", "Can the site of the condition quoted above be further specified?"),
    "cause": ("cause", "Can the cause of the condition quoted above be further specified, if it is known?"),
    "organism": ("causative organism", "Can the organism responsible be stated, if it is known?"),
    "episode": ("episode of care", "Please clarify the episode of care for the entry quoted above."),
    "complication": ("associated conditions", "Please document any condition associated with the one quoted above, or that there is none."),
    "control": ("current status", "Can the current status of the condition quoted above be described?"),
    "status": ("current status", "Can the current status of the condition quoted above be described?"),
    "linkage": ("relationship of conditions", "Please clarify the relationship, if any, of the entries quoted above."),
    "rationale": ("clinical reasoning", "Please document the reasoning that belongs to the entry quoted above."),
    "result": ("results", "Please document the results that bear on the entry quoted above, if there are any."),
    "exam": ("examination", "Please document the examination findings that bear on the entry quoted above, if there are any."),
    "history": ("history", "Please document the history that bears on the entry quoted above, if there is any."),
    "duration": ("course over time", "Please describe the course over time of what is quoted above."),
    "conservative-treatment": ("earlier treatment", "Please document earlier treatment for what is quoted above, if there was any."),
    "clinical-indicator": ("clinical indicators", "Please document the clinical indicators for the entry quoted above, or clarify it."),
    "other": ("documentation", "Please clarify the entry quoted above in your own words."),
}  # fmt: skip
_PLAINEST = "Please clarify the entry quoted above in your own words."
_SECTIONS = {
    "history_of_present_illness": "History of present illness",
    "assessment_plan": "Assessment and plan",
    "": "Visit note",
}
_LAST_ANSWERS = ("Other (please specify)", "Unable to determine")


def write_query(gap: Gap, note_date: date | None, provider: str, setting: str = "outpatient") -> Query:
    """A gap as a compliant query to a provider.

    The title names what is asked for, never a condition; the indicators are the gap's evidence, quoted with section
    and date of service. The question is the gap's own, with its answers, if that passes the linter; else the same
    without answers; else a neutral one. Raises QueryProblem when the gap has no evidence to quote or there is no date
    of service: without them no query is compliant.
    """
    if note_date is None:
        raise QueryProblem("no date of service is known, and an indicator must be quoted with its date")
    quoted = []
    for evidence in gap.evidence:
        words = _quotable(evidence.text)
        if any(c.isalnum() for c in words):
            quoted.append(QuotedIndicator(words, _source(evidence.section), note_date))
    if not quoted:
        raise QueryProblem("nothing in the note can be quoted as an indicator")
    about, neutral = _NEUTRAL.get(gap.missing, _NEUTRAL["other"])
    title = f"Clarification: {about}"
    ask = " ".join(_safe(gap.ask).replace('"', "'").split())
    offered = [" ".join(_safe(o).split()) for o in gap.options]
    passed = (words_of("R-J4", "other"), words_of("R-J4", "unable"))
    answers = tuple(dict.fromkeys(o for o in offered if o and not any(p.search(o) for p in passed)))
    tries = [(ask, (*answers, *_LAST_ANSWERS) if answers else ()), (ask, ()), (neutral, ()), (_PLAINEST, ())]
    for question, options in tries:
        if not question:
            continue
        text = _as_text(title, provider, quoted, question, options)
        if lint(text, setting).compliant:
            return Query(gap.id, provider, title, tuple(quoted), question, options, text)
    raise QueryProblem("no wording of it passes the linter")


def queries_for(
    report: Report, provider: str | None = None, *, note_date: date | None = None, limit: int | None = None
) -> ProviderQueries:
    """The queries that a report gives rise to, for the provider who wrote the note, most important gap first.

    `note_date` stands in when the report has no date of service. Gaps that can't be asked about are in `unasked`,
    with the reason; `limit` keeps the first queries only.
    """
    named = " ".join(_safe(provider or "").split())[:200] or "Provider of the note"
    queries: list[Query] = []
    unasked: list[Unasked] = []
    for gap in report.gaps:
        if limit is not None and len(queries) >= limit:
            unasked.append(Unasked(gap.id, f"beyond the first {limit}"))
            continue
        try:
            queries.append(write_query(gap, report.note.date_of_service or note_date, named, report.note.setting))
        except QueryProblem as problem:
            unasked.append(Unasked(gap.id, str(problem)))
    return ProviderQueries(named, tuple(queries), tuple(unasked))


def by_provider(found: Iterable[ProviderQueries]) -> tuple[ProviderQueries, ...]:
    """The queries of several reports, one group for each provider, by name."""
    groups: dict[str, list[ProviderQueries]] = {}
    for one in found:
        groups.setdefault(one.provider, []).append(one)
    return tuple(
        ProviderQueries(
            provider,
            tuple(q for one in mine for q in one.queries),
            tuple(u for one in mine for u in one.unasked),
        )
        for provider, mine in sorted(groups.items())
    )


def _source(section: str) -> str:
    """The name of a section as a query shows it."""
    return _SECTIONS.get(section) or section.replace("_", " ").capitalize()


def _safe(text: str) -> str:
    """Text without control and format characters (terminal codes, text direction); line ends stay as blanks."""
    return "".join(c if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") else " " for c in text)


def _quotable(text: str) -> str:
    """Words of the note on one line and without double quotes, at most 300 characters."""
    words = " ".join(re.sub('["“”„«»]', "'", _safe(text)).split())
    return words if len(words) <= _MAX_QUOTE else words[: _MAX_QUOTE - 1].rstrip() + "…"


def _as_text(
    title: str, provider: str, quoted: Sequence[QuotedIndicator], question: str, options: Sequence[str]
) -> str:
    lines = [title, "Clinical indicators"]
    lines += [f'- {q.source} {q.on:%m/%d/%Y}: "{q.quote}"' for q in quoted]
    lines.append(f"Question: {question}")
    lines += [f"[ ] {option}" + (": ______" if option == _LAST_ANSWERS[0] else "") for option in options]
    return "\n".join(lines)
