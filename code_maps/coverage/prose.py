"""What the prose beside a coverage article's code lists says, as far as it can be read.

Contractors write the rules of a list in words: which procedures it serves, that a second code from another list is
needed, which modifier the line must carry, how often a service is covered. These patterns read such sentences. What
they can't read is said to be unreadable, and a person has to look: the codes are then taken as they stand, and no
reading makes a list stricter than its text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from code_maps.coverage.policy import Frequency, Services

# --- text --------------------------------------------------------------------------------------------------------

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)\b[^>]*>|<!--.*?-->|<!\[?[A-Za-z][^>]*>", re.DOTALL)
_BLOCKS = frozenset({"p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr"})
_ABBREVIATION = re.compile(r"\b(e\.g|i\.e|etc|vs|no|dr|fig|sec|approx|incl|u\.s|cf)\.(?=\s)", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])[\"”’)\]]*\s+(?=[\"“‘(\[]*[A-Z0-9*])")


def plain_text(cell: str) -> str:
    """A cell's words: tags gone, entities undone however often they were escaped, one line for each block."""
    text = cell
    for _ in range(4):
        before = text
        text = html.unescape(_TAG.sub(_blank, text))
        if text == before:
            break
    lines = (" ".join(line.replace("\xa0", " ").split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _blank(tag: re.Match[str]) -> str:
    name = (tag[2] or "").lower()
    return "\n" if name in _BLOCKS else " " if name == "td" else ""


def sentences(text: str) -> list[str]:
    """The sentences of a plain text; a line's end is the end of a sentence."""
    found: list[str] = []
    for line in text.split("\n"):
        guarded = _ABBREVIATION.sub(lambda m: m[1].replace(".", "\0") + "\0", line)
        found.extend(s.replace("\0", ".").strip() for s in _SENTENCE.split(guarded))
    return [s for s in found if s]


# --- codes -------------------------------------------------------------------------------------------------------

_PROCEDURE = r"(?<![\w.])(?:\d{5}|[A-V]\d{4}|\d{4}[A-Z])(?![\w]|\.\d)"
_SPAN = re.compile(
    rf"({_PROCEDURE})(?:\s*(?:-|–|—|\bthrough\b|\bthru\b|\bto\b)\s*(?:and including\s+)?({_PROCEDURE}))?"
)
_SCOPE_WORD = re.compile(r"\b(?:CPT|HCPCS|procedures?|codes?)\b", re.IGNORECASE)
# A procedure that is only a companion says nothing about the list.
_COMPANION = re.compile(
    r"\b(?:same (?:day|date)|add-?on|instead of|rather than|in place of|bundled|separately payable|mutually exclusive)\b",
    re.IGNORECASE,
)
_NOT_FOR = re.compile(
    r"\b(?:do(?:es)? not apply|not apply|(?:do|must|should|may|can)(?: ?not|n't) (?:be )?use[d]?|not (?:be )?used|"
    r"except(?:ing)?(?: for)?|exclud\w+|other than|not (?:intended |valid |applicable )?(?:for|to)|with the exception of)\b",
    re.IGNORECASE,
)


def mentioned(sentence: str, listed: Collection[str]) -> frozenset[str]:
    """The procedures that a sentence names; a span is the listed procedures inside it."""
    found: set[str] = set()
    for match in _SPAN.finditer(sentence):
        low, high = match[1], match[2]
        # A number that the article doesn't list is a procedure only where it is called one.
        named = bool(_SCOPE_WORD.search(sentence[max(0, match.start() - 25) : match.start()]))
        if high and len(high) == len(low) and low <= high:
            found.update(code for code in listed if len(code) == len(low) and low <= code <= high)
            found.update(c for c in (low, high) if named)
        else:
            found.update(c for c in (low, high) if c and (named or c in listed))
    return frozenset(found)


_ICD = re.compile(r"\b[A-TV-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?\b(?!\d)")
# "When billed with CPT 12345": a companion of the service, not the service.
_BILLED_WITH = re.compile(
    r"\b(?:when|if|only|and)?\s*(?:it is |they are |also )?(?:billed|reported|performed|submitted|done) "
    r"(?:\w+ )?(?:with|in conjunction with|together with)\b[^.;]*", re.IGNORECASE,
)  # fmt: skip


# --- references to groups ----------------------------------------------------------------------------------------

_WORDS = {w: n for n, w in enumerate(
    ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
     "eighteen nineteen twenty").split())}  # fmt: skip
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "X": 10}
_NUMBER = (
    r"(?:\d{1,2}(?!\d|[.,]\d)|\b(?:VIII|VII|VI|IV|IX|III|II|I|V|X)\b|\b(?:one|two|three|four|five|six|seven|eight)\b)"
)
_GROUP = re.compile(
    rf"\b(?:[Gg]roup|GROUP|[Ll]ist|LIST|[Tt]able)s?\s*(?:#|[Nn]o\.?|[Nn]umber)?\s*(?P<first>{_NUMBER})"
    rf"(?P<more>(?:\s*(?:,\s*(?:and|or)?|\band/or\b|\band\b|\bor\b|&|/|-|–|\bthrough\b)\s*(?:[Gg]roups?|[Ll]ists?)?\s*"
    rf"{_NUMBER}(?!\s*(?:of|or more|code|diagnos)\b))*)"
)
_PROCEDURE_GROUP = re.compile(r"\b(?:CPT|HCPCS|procedure|service)\b(?![^,;]*\b(?:ICD|diagnos))", re.IGNORECASE)


@dataclass(frozen=True)
class _Reference:
    start: int
    end: int
    numbers: tuple[int, ...]
    alternatives: bool


def _value(written: str) -> int:
    if written.isdigit():
        return int(written)
    return _ROMAN.get(written) or _WORDS.get(written.lower(), 0)


def _references(sentence: str) -> tuple[list[_Reference], list[_Reference]]:
    """The lists of diagnoses that a sentence refers to, and the lists of procedures."""
    diagnoses: list[_Reference] = []
    procedures: list[_Reference] = []
    for match in _GROUP.finditer(sentence):
        numbers = [_value(match["first"])]
        for joint, written in re.findall(rf"(through|-|–|,|and/or|and|or|&|/)[^\dIVXa-z]*(?:groups?|lists?)?\s*({_NUMBER})",
                                         match["more"], re.IGNORECASE):  # fmt: skip
            value = _value(written)
            span = joint in ("through", "-", "–") and numbers[-1] < value
            numbers.extend(range(numbers[-1] + 1, value + 1) if span else [value])
        reference = _Reference(
            match.start(), match.end(), tuple(dict.fromkeys(numbers)), bool(re.search(r"\bor\b", match["more"]))
        )
        after = sentence[match.end() : match.end() + 30]
        before = sentence[max(0, match.start() - 40) : match.start()]
        is_procedure = re.match(r"\s*(?:CPT|HCPCS|procedure|service)", after, re.IGNORECASE) or re.search(
            r"(?:CPT|HCPCS|procedure|service)s?(?: codes?)?\s*$", before, re.IGNORECASE
        ) or (
            re.search(r"(?:CPT|HCPCS|procedure|service)[^.;]{0,25}\b(?:in|from|of|listed in|under)\s+(?:the\s+)?$", before, re.IGNORECASE)
            and not re.search(r"ICD|diagnos", before[-25:], re.IGNORECASE)
        )  # fmt: skip
        (procedures if is_procedure else diagnoses).append(reference)
    return diagnoses, procedures


# --- what one list's prose says ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class GroupProse:
    """What the prose of one list of covered diagnoses says.

    services   procedures it serves; None when it names none
    requires   ways to complete it: each is a set of lists of which a code is needed as well
    condition  a condition in words that a claim can't show
    marked     the condition of the codes with an asterisk; marked_requires as requires, for them alone
    unreadable the sentence that couldn't be read
    limits     how often a service is covered for this list
    """

    services: frozenset[str] | None = None
    requires: tuple[tuple[int, ...], ...] = ()
    secondary: bool = False
    first_pointer: bool = False
    modifiers: tuple[str, ...] = ()
    condition: str = ""
    marked: str = ""
    marked_requires: tuple[tuple[int, ...], ...] = ()
    unreadable: str = ""
    limits: tuple[Frequency, ...] = ()


_NEGATED_NEED = re.compile(
    r"\bwith(?:out| or without)\b|\bnot (?:\w+ )?(?:require\w*|need\w*|necessary|have to|mandatory)\b|\bneed(?:s)? not\b|"
    r"\bno (?:secondary|additional|second|other|further)\b|\b(?:is|are) optional\b|"
    r"(?<!not )(?<!not be )(?<!never )\b(?:stands?|billed|reported|used|submitted|sufficient|support\w*|covered|payable)\b(?: \w+){0,3} "
    r"(?:alone|by (?:it|them)sel(?:f|ves)|on (?:its|their) own)\b",
    re.IGNORECASE,
)
_FORBIDDEN = re.compile(r"\b(?:not|never|cannot|can't|don't|doesn't)\b", re.IGNORECASE)
_NEED = re.compile(
    r"\b(?:requir\w+|must|shall|needs?|needed|ha(?:s|ve) to|should|only (?:when|if|with)|"
    r"(?:when|if|unless) (?:\w+ )?(?:reported|billed|submitted|used|accompanied|paired|listed|coded)|"
    r"(?:when|if|unless) (?:a|an|one|at least one|any)\b|"
    r"in (?:combination|conjunction|addition)|together with|along with|alongside|accompanied by|paired with|coupled with|"
    r"(?:reported|billed|submitted|used|listed|coded) with|(?:report|bill|submit|use|list|code|pair|combine)\b[^.;]{0,40}\bwith|combined with|in tandem with|plus|both|as well as)\b|\+",
    re.IGNORECASE,
)
_SECONDARY_WORD = (
    r"(?:secondary|second|additional|supporting|supplementary|supplemental|companion|accompanying|partner)"
)
_PRIMARY_WORD = r"(?:primary|principal|first-listed|underlying|main|first)"
_ALONE = re.compile(
    r"\b(?:not|never|cannot|can't|don't|doesn't)\b[^.;]{0,70}\b(?:alone|by (?:it|them)sel(?:f|ves)|on (?:its|their) own|"
    r"as (?:the |a |an )?(?:only|sole|primary|first|principal|stand-?alone)\b|stand-?alone|"
    r"without (?:a|an|another|any|one|first)\b)|\b(?:only|solely) (?:when (?:\w+ )?)?(?:as )(?:an? |the )?"
    rf"{_SECONDARY_WORD}\b",
    re.IGNORECASE,
)
_LABELLED_SECONDARY = re.compile(
    rf"\b{_SECONDARY_WORD}(?:\s+\(?[\w-]+\)?){{0,2}}?\s+(?:diagnos[ei]s|codes?|list|conditions?|ICD[\w-]*)"
    rf"|\b(?:as|is|are|be) (?:an? |the )?(?:secondary|supplementary|second)\b",
    re.IGNORECASE,
)
_NOT_WITHOUT = re.compile(r"\b(?:not|never|cannot|can't)\b[^.;]{0,70}\bwithout\b", re.IGNORECASE)


def _frees(sentence: str) -> bool:
    """Whether a sentence says that no second code is needed. "Not when reported alone" says the opposite."""
    return bool(_NEGATED_NEED.search(_NOT_WITHOUT.sub(" ", _ALONE.sub(" ", sentence))))


_FIRST = re.compile(
    r"\b(?:first|primary|principal)\b[^.;]{0,30}\b(?:diagnos[ei]s|pointer|position|pointed|referenced|listed)\b|"
    r"\b(?:listed|reported|sequenced|coded|pointed|billed|placed|appear|reference[d]?|entered|given)\b(?: \w+){0,3}? "
    r"(?:first\b|as (?:the |a )?(?:primary|principal|first)\b|in the first\b)|\bfirst-listed\b",
    re.IGNORECASE,
)
_NO_FIRST = re.compile(rf"\bnot\b[^.;]{{0,40}}\b{_PRIMARY_WORD}\b", re.IGNORECASE)
_SUPPORTS = re.compile(
    r"\b(?:supports?|supporting|covered|coverage|payable|medical(?:ly)? necess\w+|reasonable and necessary|indicat\w+|"
    r"stand(?:s)? alone)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Listed:
    """What an article's tables list beside its diagnoses: procedures, all and by group, and modifiers by group."""

    procedures: frozenset[str] = frozenset()
    groups: Mapping[int, Collection[str]] = field(default_factory=dict)
    prose: Mapping[int, str] = field(default_factory=dict)
    modifiers: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    modifier_prose: Mapping[int, str] = field(default_factory=dict)


def read_groups(
    paragraphs: Mapping[int, str],
    asterisks: Mapping[int, str] | None = None,
    listed: Listed | None = None,
    body: str = "",
) -> dict[int, GroupProse]:
    """What the prose of an article's covered lists says, by number of the list. All texts are plain.

    Of `body`, the general text, only sentences about numbered lists of diagnoses count. The prose of a procedure
    group may say which lists its procedures need, that of a modifier group that the line must carry one of its own.
    """
    listed = listed or Listed()
    named = tuple(dict.fromkeys(m for group in listed.modifiers.values() for m in group))
    reader = _Reader(frozenset(paragraphs), listed.procedures, listed.groups, named)
    for number, text in paragraphs.items():
        reader.paragraph(number, text, (asterisks or {}).get(number, ""))
    for sentence in sentences(body):
        if re.search(r"\b(?:ICD|diagnos)", sentence, re.IGNORECASE):
            reader.relation(None, sentence)
    for number, text in listed.prose.items():
        reader.procedure_group(text, listed.groups.get(number, ()))
    for number, text in listed.modifier_prose.items():
        for sentence in sentences(text):
            reader.modifier_group(sentence, listed.modifiers.get(number, ()))
    return reader.resolved()


@dataclass
class _Notes:
    """What has been read about one list, before the lists are seen together."""

    services: set[str] = field(default_factory=set)
    excluded: set[str] = field(default_factory=set)
    requires: list[tuple[tuple[int, ...], ...]] = field(default_factory=list)
    says_secondary: bool = False
    says_alone: bool = False
    called_secondary: bool = False
    supports: bool = False
    prose: GroupProse = field(default_factory=GroupProse)


@dataclass
class _Reader:
    known: frozenset[int]
    listed: frozenset[str]
    procedures: Mapping[int, Collection[str]]
    modifiers: tuple[str, ...]
    notes: dict[int, _Notes] = field(default_factory=dict)
    linked: dict[int, set[str]] = field(default_factory=dict)

    def of(self, number: int) -> _Notes:
        return self.notes.setdefault(number, _Notes())

    def paragraph(self, number: int, text: str, asterisk: str) -> None:
        """Read one list's paragraph and the text of its asterisk."""
        notes = self.of(number)
        limits = frequency_limits(text, self.listed)
        limited = {limit.quote for limit in limits}
        marked = [s for s in sentences(asterisk) if not _EMPTY.fullmatch(s)]
        changes = replace(notes.prose, limits=tuple(limits))
        for sentence in sentences(text):
            if _EMPTY.fullmatch(sentence):
                continue
            if _ASTERISK.search(sentence):
                marked.append(sentence)
                self.scope(number, sentence)
                continue
            scoped = self.scope(number, sentence)
            related = self.relation(number, sentence)
            self.labels(number, sentence, related)
            found = required_modifiers(sentence, self.modifiers)
            if found:
                changes = replace(
                    changes,
                    modifiers=tuple(dict.fromkeys((*changes.modifiers, *found))),
                    condition=changes.condition if changes.modifiers else sentence,
                )
            elif related or sentence in limited:
                continue
            elif not related and is_unreadable(sentence, resolved=scoped):
                changes = replace(changes, unreadable=changes.unreadable or sentence)
            elif is_condition(sentence) and not changes.modifiers and not self.of(number).says_secondary:
                changes = replace(changes, condition=changes.condition or sentence)
        if marked:
            own = _Reader(self.known, self.listed, self.procedures, ())
            for sentence in marked:
                own.relation(number, sentence)
            ways = own.of(number).requires
            changes = replace(changes, marked=" ".join(marked), marked_requires=ways[0] if len(ways) == 1 else ())
        notes.prose = replace(changes, first_pointer=notes.prose.first_pointer)

    def procedure_group(self, text: str, codes: Collection[str]) -> None:
        """Note which lists of diagnoses the procedures of a group are said to need."""
        for sentence in sentences(text):
            if not re.search(r"\b(?:ICD|diagnos)", sentence, re.IGNORECASE) or _FORBIDDEN.search(sentence):
                continue
            for reference in _references(sentence)[0]:
                for number in self.known.intersection(reference.numbers):
                    self.linked.setdefault(number, set()).update(codes)

    def modifier_group(self, sentence: str, modifiers: Collection[str]) -> None:
        """Note that the line must carry one of a group's modifiers, for the lists named or for all."""
        found = required_modifiers(sentence, tuple(modifiers)) or (
            tuple(modifiers) if modifiers and re.search(r"\b(?:must|required)\b", sentence) and not _FORBIDDEN.search(sentence) else ()
        )  # fmt: skip
        if not found:
            return
        named = {n for r in _references(sentence)[0] for n in r.numbers} & self.known
        for number in named or self.known:
            notes = self.of(number)
            if not notes.prose.modifiers:
                notes.prose = replace(notes.prose, modifiers=found, condition=sentence)

    def scope(self, number: int, sentence: str) -> bool:
        """Note the procedures that a sentence names for a list, or takes from it."""
        notes = self.of(number)
        codes = set(mentioned(_BILLED_WITH.sub(" ", sentence), self.listed) or mentioned(sentence, self.listed))
        for reference in _references(sentence)[1]:
            codes.update(c for n in reference.numbers for c in self.procedures.get(n, ()))
        if not codes or (_COMPANION.search(sentence) and not re.search(r"\bsupport|\bappl(?:y|ies)\b", sentence)):
            return False
        denial = _NOT_FOR.search(sentence)
        if denial is None:
            notes.services |= codes
            return True
        before = set(mentioned(sentence[: denial.start()], self.listed))
        notes.services |= before
        notes.excluded |= codes - before
        return True

    def relation(self, number: int | None, sentence: str) -> bool:
        """Note that one list needs a code of another. True if the sentence spoke of such a relation."""
        references = _references(sentence)[0]
        mentioned_numbers = {n for r in references for n in r.numbers}
        if not mentioned_numbers - {number}:
            return False
        need = _NOT_WITHOUT.search(sentence) or _NEED.search(sentence)
        if _frees(sentence):
            return True
        pairing = re.search(
            r"\band (?:an?|one|at least one|any|1) [^.;]{0,60}?(?:group|list)\b", sentence, re.IGNORECASE
        )
        if not need and not pairing:
            return bool(_SEE.search(sentence))
        if need and _only_reads(sentence):
            return False
        place = need.start() if need else pairing.start() if pairing else 0
        before = [r for r in references if r.end <= place]
        after = [r for r in references if r.end > place]
        subjects, objects = self._sides(number, before, after)
        if subjects is None:
            return True
        unknown = {*subjects, *(n for r in objects for n in r.numbers)} - self.known
        if unknown:
            return False
        self._require(sentence, subjects, objects)
        return True

    def _sides(
        self, number: int | None, before: list[_Reference], after: list[_Reference]
    ) -> tuple[tuple[int, ...] | None, list[_Reference]]:
        """Which lists a sentence is about and which it asks for. None where it gives a choice and asks for nothing."""
        ahead = tuple(dict.fromkeys(n for r in before for n in r.numbers))
        choice = any(r.alternatives for r in before)
        if after and ahead:
            objects = [r for r in after if set(r.numbers) - set(ahead)]
            if objects:
                if len(ahead) > 1 and choice is False and len(before) > 1:
                    # "One code of 1 and one of 2 together with one of 3": all are needed.
                    return ahead[:1], [*before[1:], *objects]
                return ahead, objects
            return (None, [])
        if after:
            numbers = {n for r in after for n in r.numbers}
            if number is not None and number in numbers:
                if any(r.alternatives for r in after):
                    return None, []
                rest = [replace(r, numbers=tuple(n for n in r.numbers if n != number)) for r in after]
                return (number,), [r for r in rest if r.numbers]
            if number is not None:
                return (number,), after
            first, *others = after
            if first.alternatives:
                return None, []
            if len(first.numbers) > 1:
                return first.numbers[:1], [replace(first, numbers=first.numbers[1:]), *others]
            return (first.numbers, others) if others else (None, [])
        # All before the verb: "a code from Group 1 and one from Group 2 must be reported", "Group 2 must be present".
        if choice:
            return None, []
        if number is not None and number not in ahead:
            return (number,), before
        if len(ahead) < 2:
            return None, []
        lead = number if number is not None and number == min(ahead) else min(ahead)
        rest = [replace(r, numbers=tuple(n for n in r.numbers if n != lead)) for r in before]
        return (lead,), [r for r in rest if r.numbers]

    def _require(self, sentence: str, subjects: tuple[int, ...], objects: list[_Reference]) -> None:
        ways: list[tuple[int, ...]] = [()]
        for reference in objects:
            numbers = reference.numbers
            if reference.alternatives:
                ways = [(*way, n) for way in ways for n in numbers]
            else:
                ways = [(*way, *numbers) for way in ways]
        either = len(objects) > 1 and re.search(r"\bor\b", sentence[objects[0].end : objects[-1].start])
        if either:
            ways = [(n,) for r in objects for n in r.numbers]
        primary = False
        for reference in objects:
            lead = sentence[max(0, reference.start - 45) : reference.start]
            if re.search(rf"\b{_SECONDARY_WORD}\b[^.;]*$", lead, re.IGNORECASE):
                for n in reference.numbers:
                    self.of(n).called_secondary = True
            elif re.search(r"\b(?:primary|principal|first-listed|underlying|main)\b[^.;]*$", lead, re.IGNORECASE):
                primary = True
        for subject in subjects:
            complete = tuple(tuple(n for n in dict.fromkeys(way) if n != subject) for way in ways)
            complete = tuple(way for way in complete if way)
            if not complete:
                continue
            if primary:
                self.of(subject).says_secondary = True
            else:
                self.of(subject).requires.append(complete)

    def labels(self, number: int, sentence: str, related: bool) -> None:
        """Note that a list is one of secondary codes, that it supports by itself, or asks for the first pointer."""
        notes = self.of(number)
        negated = _frees(sentence)
        alone = bool(_ALONE.search(sentence))
        others = bool({n for r in _references(sentence)[0] for n in r.numbers} - {number})
        secondary = (
            bool(_LABELLED_SECONDARY.search(sentence)) and not negated and not others and not _ICD.search(sentence)
        )
        if secondary and _NEED.search(sentence) and re.search(
            rf"\b(?:requir\w+|needs?|with|accompanied by|plus|and) (?:an? |one |at least one |any )?{_SECONDARY_WORD}\b", sentence,
            re.IGNORECASE,
        ):  # fmt: skip
            secondary = False  # it asks for a secondary code and is none
        notes.says_secondary |= secondary
        notes.says_alone |= alone and not negated
        if not alone and not secondary and not _FORBIDDEN.search(sentence) and _SUPPORTS.search(sentence):
            notes.supports |= not related or negated
        if _FIRST.search(sentence) and not _NO_FIRST.search(sentence) and not secondary and not alone:
            own = not any(
                re.search(rf"\b{_PRIMARY_WORD}\b[^.;]{{0,30}}$", sentence[: r.start], re.IGNORECASE)
                for r in _references(sentence)[0] if number not in r.numbers
            )  # fmt: skip
            if own:
                notes.prose = replace(notes.prose, first_pointer=True)

    def resolved(self) -> dict[int, GroupProse]:
        """Every list with what the others say about it taken in."""
        asked = {n for notes in self.notes.values() for ways in notes.requires for way in ways for n in way}
        secondary = set()
        for number, notes in self.notes.items():
            needs = bool(notes.requires)
            implied = number in asked and not notes.supports
            if notes.says_secondary or (not needs and (notes.says_alone or implied)):
                secondary.add(number)
        for number, notes in self.notes.items():
            partners = {n for ways in notes.requires for way in ways for n in way}
            for other in partners - secondary:
                back = {n for ways in self.of(other).requires for way in ways for n in way}
                if number in back and number not in secondary:
                    notes_other = self.of(other)
                    lower = notes_other if notes_other.called_secondary and not notes.called_secondary else None
                    secondary.add(other if lower or other > number else number)
        found = {}
        for number in self.known:
            notes = self.of(number)
            prose = notes.prose
            services: frozenset[str] | None = frozenset(notes.services - notes.excluded) or None
            if services is None and notes.excluded & self.listed:
                services = frozenset(self.listed - notes.excluded) or frozenset(notes.excluded)
                if not self.listed - notes.excluded:
                    services = None
            if services is None and self.linked:
                elsewhere = {code for codes in self.linked.values() for code in codes}
                own = frozenset(self.listed - elsewhere) | frozenset(self.linked.get(number, ()))
                services = own or frozenset({""})
            ways = _crossed(notes.requires) if number not in secondary else ()
            found[number] = replace(prose, services=services, requires=ways, secondary=number in secondary)
        return found


def _crossed(needs: list[tuple[tuple[int, ...], ...]]) -> tuple[tuple[int, ...], ...]:
    """Ways to meet several needs at once."""
    ways: list[tuple[int, ...]] = [()]
    for need in dict.fromkeys(needs):
        ways = [tuple(dict.fromkeys((*way, *more))) for way in ways for more in need]
    return tuple(dict.fromkeys(way for way in ways if way))


_SEE = re.compile(r"\b(?:see|refer to|use|listed in|found in)\b", re.IGNORECASE)
_EMPTY = re.compile(r"[\s\W]*(?:n/?a|none|not applicable|null)?[\s\W]*", re.IGNORECASE)
_ASTERISK = re.compile(r"\basterisk|\(\*\)|^\*|\s\*\s|\bmarked\b|\bdenoted (?:by|with)\b", re.IGNORECASE)


def _only_reads(sentence: str) -> bool:
    """Whether a sentence merely points the reader to another list."""
    return bool(re.match(r"\s*(?:please )?(?:see|refer to)\b", sentence, re.IGNORECASE))


# --- conditions --------------------------------------------------------------------------------------------------

_BOILERPLATE = re.compile(
    r"\b(?:highest (?:level|degree) of specificity|greatest specificity|responsibility|legible|(?:up)?on request|"
    r"not (?:\w+ ){0,2}(?:assure|guarantee|imply|indicate|ensure)|all[- ]inclusive|exhaustive|"
    r"must be reasonable and necessary|(?:meet|met|meets)\b[^.;]{0,40}\b(?:criteria|requirements)\b[^.;]{0,30}"
    r"\b(?:attached|associated|related|this|applicable) (?:determination|LCD|policy)|"
    r"(?:do|does) not|(?:see|refer to) the|as (?:of|per) the|CMS|effective|not on the claim|edits?|editing)\b",
    re.IGNORECASE,
)
_PATIENT = r"(?:patients?|beneficiar(?:y|ies)|persons?|individuals?|members?|those|women|men|children|adults)"
_LISTED_HERE = r"(?:following|below|listed|these|above|ICD|codes?|diagnos[ei]s|CPT|HCPCS|procedures?|services?)"
# Conditions that say no more than that a code of the list is reported.
_HARMLESS = re.compile(
    r"\b(?:when|if|where) (?:medically )?(?:necessary|appropriate|applicable|available|indicated)\b|"
    r"\b(?:only )?(?:when|if) (?:they are |it is )?(?:billed|reported|submitted|used|performed|listed)(?: \w+)? (?:with|for|on|by|in conjunction with) "
    r"(?:the |any |one |of |at least )*(?:CPT|HCPCS|ICD|procedures?|services?|following|these|codes?|diagnos[ei]s|claim)[^.;,]*|"
    rf"\b(?:for|in) {_PATIENT} (?:with|having|who have|undergoing|diagnosed with|receiving|being treated for)\b[^.;]{{0,60}}\b{_LISTED_HERE}\b[^.;]*|"
    r"\b(?:only )?(?:when|if|where|for)\b[^.;]{0,60}\b(?:one|any) (?:or more )?of (?:the|these) (?:following|codes|diagnos[ei]s|conditions|ICD|indications)[^.;]*",
    re.IGNORECASE,
)
_RECORD = r"(?:records?|documentation|chart|notes?|reports?|file|history)"
_CONDITION = re.compile(
    r"\b(?:only|covered|payable|considered|reimbursed|allowed|supports?|appropriate|necessary|accepted|used|apply|applies|reported)\b"
    rf"[^.;]{{0,60}}\b(?:when|if|after|once|for {_PATIENT}|in {_PATIENT})\b|"
    r"\bprovided (?:that|the|there)\b|\bas long as\b|\bon condition\b|\bin the presence of\b|\bin the absence of\b|"
    rf"\b(?:limited|restricted|reserved) (?:to|for) (?:\w+ )?{_PATIENT}\b|"
    rf"\b{_RECORD}\b[^.;]{{0,40}}\b(?:must|shall|ha(?:s|ve) to|needs? to)\b|"
    rf"\b{_PATIENT}\b[^.;]{{0,25}}\b(?:must|ha(?:s|ve) to|needs? to|who)\b|"
    r"\bmust (?:have|show|demonstrate|contain|include|document|be (?:documented|under|treated|seen|ordered|present|"
    r"established|confirmed|met|evaluated|at least|aged|shown|recorded|tried|failed|preceded|performed|supported))\b|"
    r"\brequir\w+[^.;]{0,40}\b(?:documentation|documented|record|evidence|report|trial|failure|test|order|therapy|"
    r"treatment|history|proof|prior)\b|\b(?:documentation|evidence|proof|record) of\b[^.;]{0,80}\b(?:is|are|be) (?:required|needed|necessary)\b|\b(?:after|following) (?:the )?(?:failure|a trial|at least|unsuccessful|inadequate)\b|"
    r"^(?:when|if|where) ",
    re.IGNORECASE,
)


def is_condition(sentence: str) -> bool:
    """Whether a sentence puts a condition on patient, record or service that a claim can't show."""
    if _BOILERPLATE.search(sentence):
        return False
    return bool(_CONDITION.search(_HARMLESS.sub(" ", sentence)))


_RELATION = re.compile(
    r"\b(?:together with|in (?:combination|conjunction)|combin(?:ed|ation)s?|along with|accompanied by|paired|pairs?|in addition to|"
    r"coupled|jointly|concurrent(?:ly)?|in tandem|singly|either|one another|each other|unless|except|excepting|otherwise|"
    r"excluding|other than|subject to|depend(?:s|ing|ent)|respectively|vice versa|as the case may be|alternat\w+|"
    r"some of|certain|corresponding|as appropriate)\b",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"\b(?:matrix|matrices|cross-?walk|algorithm|flow ?chart|decision (?:tree|table)|appendix|annex|schedule|grid|worksheet|"
    r"preceding|foregoing|aforementioned|previous(?:ly)? (?:list|section|table|group|named|mentioned)|"
    r"(?:identified|described|listed|noted|named|mentioned|indicated|specified|given|shown|set (?:out|forth)) "
    r"(?:above|earlier|elsewhere|before|previously)|"
    r"(?:above|other|earlier|former|latter|next|prior) (?:list|group|section|table|codes?)|"
    r"(?:section|part|column|row|paragraph|condition|step|chart|exhibit|footnote|note) (?:[A-Z]|\d{1,2}|[IVX]+)\b|"
    r"(?:first|second|third|fourth|fifth) (?:condition|column|row|criterion|step|list|pathway|tier))\b",
    re.IGNORECASE,
)
_CODEISH = re.compile(
    r"\b(?:codes?|diagnos[ei]s|lists?|groups?|section|those|conditions?|entries|items?|these|ICD[\w-]*)\b",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"\b(?:together with|in (?:combination|conjunction)|combin(?:ed|ation)s?|along with|accompanied by|paired|pairs?|in addition to|"
    r"coupled|jointly|in tandem|one another|each other)\b",
    re.IGNORECASE,
)


def is_unreadable(sentence: str, resolved: bool = False) -> bool:
    """Whether a sentence relates codes or lists to one another in a way that isn't understood.

    `resolved` says that it names procedures, so that a relation in it may be to them.
    """
    text = _HARMLESS.sub(" ", sentence)
    if not _CODEISH.search(text) or (_BOILERPLATE.search(text) and not _ELSEWHERE.search(text)):
        return False
    away = len(_ELSEWHERE.findall(text))
    relations = len(_RELATION.findall(text))
    numbered = any(_references(text)[0])
    if resolved:
        return away + relations > 2
    if away and (
        relations
        or re.search(r"\b(?:may|must|only|if|when|where|appl(?:y|ies)|used?|per|according|govern)", text, re.IGNORECASE)
    ):
        return True
    if _STRONG.search(text) and not _frees(text):
        return True
    return relations > 1 or bool(numbered and _NEED.search(text) and relations)


# --- modifiers ---------------------------------------------------------------------------------------------------

_TOKEN = r"-?(?:[A-Z][A-Z0-9]|\d{2})(?![\w-])"
_JOIN = r"(?:\s*(?:,\s*(?:or|and)?|/|\bor\b|\band/or\b|\band\b|&)\s*(?:the\s+)?(?:modifiers?\s+)?[\"“'‘(]*)"
_AFTER = re.compile(
    rf"\b[Mm]odifiers?(?:\(s\))?\s*(?:is|are|of|such as|namely|[:\-–—(\"“'‘])*\s*[\"“'‘(]*({_TOKEN}(?:[\"”'’)]*{_JOIN}{_TOKEN})*)"
)
_BEFORE = re.compile(
    rf"(?<![\w-])({_TOKEN}(?:[\"”'’)]*{_JOIN}{_TOKEN})*)[\"”'’)]*\s+(?:(?:HCPCS|CPT|class findings)\s+)?[Mm]odifiers?\b"
)
_MUST = re.compile(
    r"\b(?:must|shall|requir\w+|needs?|needed|ha(?:s|ve) to|append(?:ed)?|only (?:when|if|with)|should|is to be|are to be|add|attach|include|use|report)\b",
    re.IGNORECASE,
)
_NO_MODIFIER = re.compile(
    r"\b(?:not|no|never|without)\b[^.;]{0,30}\bmodifiers?\b|\bmodifiers?\b[^.;]{0,40}\b(?:not|never|optional|n't)\b|\bmay be (?:added|appended|used)\b",
    re.IGNORECASE,
)
_DENIED_WITHOUT = re.compile(
    r"\bwithout\b[^.;]{0,40}\bmodifiers?\b[^.;]*\b(?:denied|rejected|not (?:be )?(?:covered|paid|payable))",
    re.IGNORECASE,
)
# They say who pays for a denied line, not what a line must have to be covered (Medicare Claims Processing Manual 30.50).
_LIABILITY = frozenset({"GA", "GX", "GY", "GZ"})
_NOT_TOKENS = frozenset({
    "OR", "IF", "IN", "OF", "TO", "ON", "BE", "IS", "NO", "AN", "AT", "BY", "DO", "AS", "IT", "WE", "MD", "CM",
})  # fmt: skip


def required_modifiers(sentence: str, listed: Sequence[str] = ()) -> tuple[str, ...]:
    """The modifiers of which a sentence asks one on the line; those the article lists where it names none itself."""
    if not re.search(r"\bmodifiers?\b", sentence, re.IGNORECASE):
        return ()
    if not _DENIED_WITHOUT.search(sentence) and (_NO_MODIFIER.search(sentence) or not _MUST.search(sentence)):
        return ()
    found: dict[str, None] = {}
    for pattern in (_AFTER, _BEFORE):
        for match in pattern.finditer(sentence):
            for token in re.findall(_TOKEN, match[1]):
                name = token.lstrip("-")
                if name not in _NOT_TOKENS:
                    found[name] = None
    named = tuple(name for name in found if name not in _LIABILITY)
    if found:
        return named
    return tuple(name for name in listed if name not in _LIABILITY)


# --- lists that deny ---------------------------------------------------------------------------------------------

_ABSOLUTE = re.compile(
    r"\b(?:even (?:if|when|though|where)|regardless|irrespective|whether or not|no matter|notwithstanding|"
    r"in (?:any|every|all) (?:case|circumstance)s?|under (?:any|no) circumstances?|despite|always (?:be )?den(?:y|ied)|"
    r"any (?:other|covered|additional|supporting) (?:code|diagnos[ei]s)[^.;]{0,40}(?:also|present|reported)|"
    r"takes? precedence|overrides?|never (?:be )?(?:covered|payable|paid))\b",
    re.IGNORECASE,
)
_STATUTORY = re.compile(
    r"\b(?:statut\w+|exclu(?:ded|sion) (?:by|from) (?:law|Medicare)|1862\(a\)\((?:[2-9]|1\d))", re.IGNORECASE
)


@dataclass(frozen=True)
class DenialProse:
    """What the prose of a list of non-covered diagnoses says. `services` None: it names no procedures."""

    services: frozenset[str] | None = None
    absolute: bool = False
    statutory: bool = False


def read_denial(
    text: str, listed: Collection[str] = (), procedures: Mapping[int, Collection[str]] | None = None
) -> DenialProse:
    """Read the paragraph of a list of diagnoses that don't support a service."""
    codes: set[str] = set()
    for sentence in sentences(text):
        exception = re.search(r"\b(?:except(?:ing)?(?: for)?|other than|excluding)\b", sentence, re.IGNORECASE)
        codes |= mentioned(sentence[: exception.start()] if exception else sentence, listed)
        for reference in _references(sentence)[1]:
            codes.update(c for n in reference.numbers for c in (procedures or {}).get(n, ()))
        if exception and not codes:
            codes |= set(listed) - mentioned(sentence[exception.start() :], listed)
    statutory = bool(_STATUTORY.search(text))
    return DenialProse(frozenset(codes) or None, bool(_ABSOLUTE.search(text)), statutory)


_NEVER = re.compile(
    r"\b(?:(?:is|are|be|considered|remain|deemed)\s+(?:\w+\s+){0,2}?(?:not|never|non-?)\s?(?:\w+ ){0,2}?(?:covered|payable|reimbursable|reasonable|"
    r"medically necessary|eligible|a benefit|a covered)|"
    r"non-?covered|never covered|not covered|no coverage|will be denied|will not be (?:covered|paid|reimbursed)|"
    r"(?:is|are) (?:always |all )?denied|experimental|investigational|not reasonable and necessary|unproven|"
    r"excluded from coverage|lack (?:of )?(?:medical necessity|coverage))\b",
    re.IGNORECASE,
)
_ONLY_SOMETIMES = re.compile(
    r"\b(?:when|if|unless|except|until|without|with(?! no)|only|more (?:often|than)|in excess|outside|other than|"
    r"for (?!any\b|all\b|every\b|each\b|CPT|HCPCS|the following (?:CPT|HCPCS)|Medicare|coverage|payment|services? on)|not otherwise|separately|"
    r"as (?:a )?(?:screening|routine)|prior to|before|where)\b",
    re.IGNORECASE,
)


def is_never_covered(text: str) -> str:
    """The sentence by which a procedure group is said never to be covered; "" if there is none.

    A sentence that denies under some condition only isn't one.
    """
    for sentence in sentences(text):
        if _NEVER.search(sentence) and (
            not _ONLY_SOMETIMES.search(sentence)
            or re.search(r"\bfor any (?:indication|diagnosis|reason|condition|purpose)", sentence, re.IGNORECASE)
        ):
            return sentence
    return ""


# --- limits in time ----------------------------------------------------------------------------------------------

_COUNT_WORDS = {
    **{word: str(n) for word, n in _WORDS.items()}, "once": "1 times", "twice": "2 times", "thrice": "3 times",
    "annually": "per year", "yearly": "per year", "monthly": "per month", "weekly": "per week",
    "quarterly": "every 3 months", "semiannually": "every 6 months", "biennially": "every 2 years",
    "twenty-four": "24", "thirty": "30", "thirty-six": "36", "sixty": "60", "ninety": "90", "forty-five": "45",
}  # fmt: skip
_COUNT_WORD = re.compile(rf"\b(?:{'|'.join(sorted(_COUNT_WORDS, key=len, reverse=True))})\b", re.IGNORECASE)
_UNIT = r"(day|week|month|year)s?"
_ARTICLE = r"(?:(?:any|an?|the|each|every|1|one|rolling|consecutive|continuous|given|same|full|calendar|single|period of|span of)\s+)*"
_SOFT = re.compile(
    r"\b(?:expected|generally|usually|typically|rarely|ordinarily|normally|seldom|recommended|anticipated|customar\w+)\b"
)
_DENIES = re.compile(
    r"\b(?:den(?:y|ied|ial)|reject\w*|not (?:be )?(?:\w+ )?(?:covered|paid|payable|allowed|reimbursed|reasonable|necessary|billed|reported|performed)"
    r"|non-?covered|may not|cannot|must not|shall not|not (?:medically )?necessary)\b"
)
_LIMITS = re.compile(
    r"\b(?:limit\w*|no more|not (?:be )?(?:\w+ )?(?:more|exceed)|more (?:often |frequently )?than|maximum|at most|exceed\w*|excess|up to|only|"
    r"restrict\w*|allow\w*|covered|covers|payable|paid|may be|frequency|den(?:y|ied)|not to exceed|permitted|reimbursed|considered)\b"
)
_TOO_SOON = re.compile(
    rf"\b(?:fewer|less|sooner|earlier) than (\d+) {_UNIT}|\bwithin (?:the )?(?:\w+ )?(\d+) {_UNIT} (?:of|after|from|following|since) "
    r"(?:the |an? |any |its |their )?(?:\w+ )?(?:previous|last|prior|preceding|earlier|another|initial|first|most recent)"
)
_SINCE = re.compile(
    r"\b(?:previous|last|prior|preceding|earlier|apart|between|elaps\w+|passed|pass|repeat\w*|another|most recent|initial|first|same)\b"
)
_APART = re.compile(
    rf"\b(?:at least|a minimum of|minimum of|no (?:sooner|earlier|less|fewer) than|not (?:sooner|earlier|less|fewer) than|interval of) "
    rf"(\d+) (full |calendar )?{_UNIT}"
)
_PER = re.compile(
    r"(?<![\d.\-/])(\d{1,3})(?![\d.]|\s*(?:mg|ml|mcg|units? of|years? (?:of age|old))) (?:or more )?(?:[a-z'/()\-]+ ){0,7}?"
    rf"(?:per|every|each|in|within|during|over|an?|for|across) {_ARTICLE}(?:(\d{{1,3}}) )?(?:consecutive |full |rolling |continuous )?(calendar )?{_UNIT}\b"
)
_EVER = re.compile(
    r"(?<![\d.])(\d{1,2}) (?:[a-z'/()\-]+ ){0,6}?(?:per|in (?:a|the|their|his or her)|during (?:a|the)|of a) (?:[a-z']+ )?lifetime\b"
)
_NOT_SERVICES = re.compile(
    r"\b(?:symptoms?|pain|therapy has|conservative|care of|under the care|seen by|date last seen|age[ds]?|life expectancy|duration)\b"
)


def frequency_limits(text: str, listed: Collection[str] = ()) -> list[Frequency]:
    """The limits in time that a plain text puts on services; soft wording ("is not expected") is no limit.

    A limit holds for the procedures that its sentence names, else for those that the paragraph named last, else for
    all. A limit that can't be expressed is left out: never stricter than the text.
    """
    found: list[Frequency] = []
    for line in text.split("\n"):
        last: frozenset[str] = frozenset()
        for sentence in sentences(line):
            denied = bool(_DENIES.search(sentence.lower()))
            for clause in re.split(r"[;]", sentence):
                codes = mentioned(clause, listed)
                last = codes or last
                for limit in _limits(clause, denied):
                    made = replace(limit, services=Services(last), quote=sentence)
                    if made not in found:
                        found.append(made)
    return found


def _counted(clause: str) -> str:
    """A clause in lower case with its numbers as figures."""
    text = _SPAN.sub("code", clause).lower().replace("–", "-").replace("’", "'")
    text = re.sub(r"\b[a-z-]+ \((\d+)\)", r"\1", text)
    text = re.sub(r"\b(\d+)-(day|week|month|year)", r"\1 \2", text)
    text = re.sub(r"\b([a-z]+)-(day|week|month|year)", r"\1 \2", text)
    text = re.sub(r"\bevery other (day|week|month|year)", r"every 2 \1s", text)
    text = _COUNT_WORD.sub(lambda m: _COUNT_WORDS[m[0].lower()], text)
    text = re.sub(r"\b(?:a single|single)\b", "1", text)
    text = re.sub(r"\bthan (every|each)\b", r"than 1 times \1", text)
    text = re.sub(r"[,\"“”]", " ", text)
    return re.sub(r"\s+", " ", text)


def _limits(clause: str, denied: bool) -> Iterable[Frequency]:
    text = _counted(clause)
    if _SOFT.search(text) and not _DENIES.search(text.replace("not expected", "")):
        return
    if _NOT_SERVICES.search(text):
        return
    for match in _TOO_SOON.finditer(text):
        if denied and _SINCE.search(text):
            yield _interval(int(match[1] or match[3]), match[2] or match[4])
    for match in _APART.finditer(text):
        if not _SINCE.search(text):
            continue
        count, unit = int(match[1]), match[3]
        full = match[2] == "full " and unit == "month" and re.search(r"\b(?:after|following|since) the month\b", text)
        yield Frequency(full_months=count) if full else _interval(count, unit)
    for match in _EVER.finditer(text):
        if _LIMITS.search(text):
            yield Frequency(at_most=int(match[1]), per="ever")
    if not _LIMITS.search(text) and not re.match(r"(?:cpt|hcpcs)[^:]{0,60}: \d+ ", text):
        return
    for match in _PER.finditer(text):
        limit = _rate(match, text)
        if limit is not None:
            yield limit


def _rate(match: re.Match[str], text: str) -> Frequency | None:
    count = int(match[1]) - bool(re.match(r"\d+ or more\b", match[0]) and _DENIES.search(text))
    number, unit = int(match[2] or 1), match[4]
    calendar = bool(match[3]) or "calendar" in match[0]
    if count < 1:
        return None
    if unit == "month" and number == 12 and not calendar:
        return Frequency(at_most=count, per="12 months")
    if unit == "year" and number == 1:
        # "Per year" can mean either; the calendar year never restricts more.
        rolling = re.search(r"\b(?:rolling|consecutive|continuous|any)\b", match[0]) and not calendar
        per: Literal["12 months", "calendar year"] = "12 months" if rolling else "calendar year"
        return Frequency(at_most=count, per=per)
    if unit == "day" and number == 365:
        return Frequency(at_most=count, per="12 months")
    if count != 1 or calendar or (unit == "day" and number == 1):
        return None
    return _interval(number, unit)


def _interval(count: int, unit: str) -> Frequency:
    days: dict[str, Callable[[int], Frequency]] = {
        "day": lambda n: Frequency(fewer_than_days=n),
        "week": lambda n: Frequency(fewer_than_days=7 * n),
        "month": lambda n: Frequency(at_least_months=n),
        "year": lambda n: Frequency(at_least_months=12 * n),
    }
    return days[unit](count)
