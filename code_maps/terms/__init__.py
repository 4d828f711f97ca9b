"""Clinicians' words to places in the tabular.

An entry is a set of folded words and the shallowest node that they alone support. Entries come, strongest first,
from our tables (`chNN_*.csv`), from the tabular's titles, from its inclusion terms, and from `general.csv`: words such
as "pain" that name a code only in a record where nothing says more. The compiled index is kept in
the cache folder, keyed by the release and by the content of the tables.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from threading import Lock

from code_maps.home import home
from code_maps.icd10cm import CodeSet
from code_maps.icd10cm import cache as stored
from code_maps.tables import read_table
from code_maps.terms.words import content, fold, words

SCHEMA = 15
_TABLE, _TITLE, _INCLUSION, _EPONYM, _ACRONYM, _GENERAL = "table", "title", "inclusion", "eponym", "acronym", "general"
_INDEX = "index"

_COUNTED = frozenset({"stage", "type", "grade", "class"})
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iiia": "3a", "iiib": "3b", "iv": "4", "v": "5"}

# Titles that say nothing about a patient when they stand alone in a sentence.
_TOO_GENERAL = frozenset(
    "pain injury fracture cancer neoplasm disease infection swelling mass lump lesion wound burn complication "
    "examination observation screening family history counseling fall accident exposure sleeping heart lung kidney "
    "liver stomach brain blood skin eye nose mouth breast bone joint muscle nerve vein artery other care follow "
    "problem stress work rest delivery labor birth abnormal elevated low disorder syndrome condition degeneration "
    "inflammation obstruction stenosis ulcer hemorrhage contusion sprain strain laceration tear rupture dislocation "
    "effusion hernia cyst polyp nodule enlargement hypertrophy atrophy perforation abscess foreign body poisoning "
    "crushing amputation spasm instability death cardiac multiple single local general primary secondary acute "
    "chronic recurrent hypothermia twin triplet quadruplet intermediate drug medication exercise activity stiffness "
    "reaction allergy status use abuse dependence family member bacteria virus fungus parasite tumor edema test "
    "hand foot arm leg knee hip shoulder ankle wrist elbow neck back head face trunk abdomen chest pelvis thorax "
    "gas water dust smoke fire animal dog cat food milk insect plant illness fit hanging immersion labile stable forcep "
    "cocaine band axis atla conical affective cholinergic hallucinogen antidiabetic corrosion 1st 2nd 3rd adenohypophyseal "
    "accretion asthenic cuneiform astragalus callus fibrinogen falling keratosis erythema infestation growth nervous tension "
    "conduct mole walking standing sitting crying shock stress grief gait posture worry surgery procedure operation "
    "malignancy vsg crisis hemoglobin splinter prep gist veteran gamble divorce mela cardiomem name cold flutter strain radiation radiotherapy chemotherapy dialysis vaccine immunization ventilator malleus trochlear iliopubic premature ganglion alcohol tobacco caffeine opioid cannabis".split()
)

# Pairs whose other reading is the common one: the renal pelvis is no pelvic kidney.
_OTHERWISE = frozenset(
    map(frozenset, ({"kidney", "pelvis"}, {"blood", "urine"}, {"infection", "disease"}, {"parasite", "disease"}))
)
_PAREN = re.compile(r"\s*\(([^()]*)\)")
_BRACKET = re.compile(r"\s*\[([^\[\]]*)\]")
_TAIL = re.compile(
    r",\s*unspecified\b[^,;]*|,\s*\w+ not specified\b|,?\s*(?:\bunspecified\b|\bnot otherwise specified\b|\bnot elsewhere classified\b|\bNOS\b|\bNEC\b"
    r"|\bin diseases classified elsewhere\b|\bso stated\b)",
    re.IGNORECASE,
)
_OTHER = re.compile(r"^(?:other(?: and unspecified)?(?: specified)?|unspecified|certain)\s+", re.IGNORECASE)


Entry = tuple[tuple[str, ...], str, str]
"""Folded words, place, source."""
Numbered = tuple[int, tuple[str, ...], str, str]
"""An entry behind its number in the index."""


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Entries kept as lines of text: of 60,000 a note asks for a few hundred, and text is quick to read."""

    lines: list[str]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Lines:
        """Entries as lines."""
        return cls(["\t".join((" ".join(said), place, source)) for said, place, source in entries])

    def __getitem__(self, number: int) -> Entry:
        said, place, source = self.lines[number].split("\t")
        return tuple(said.split(" ")), place, source

    def __iter__(self) -> Iterator[Entry]:
        return (self[number] for number in range(len(self.lines)))

    def __eq__(self, other: object) -> bool:
        return list(self) == other if isinstance(other, list) else self is other


@dataclass(frozen=True, slots=True)
class TermIndex:
    """Entries by their rarest word."""

    entries: list[Entry] | Lines
    by_word: dict[str, list[int]]
    phrases: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]]
    _grouped: dict[str, tuple[list[Numbered], dict[str, list[Numbered]]]] = field(default_factory=dict)

    def among(self, word: str, heard: set[str]) -> list[Numbered]:
        """The entries whose rarest word is `word` and that may stand among the words heard, in order.

        Entries of several words are looked up by one other of their words, so that most are never looked at.
        """
        grouped = self._grouped.get(word)
        if grouped is None:
            alone: list[Numbered] = []
            beside: dict[str, list[Numbered]] = {}
            for number in self.by_word.get(word, ()):
                entry = self.entries[number]
                # The longest word is seldom one that stands everywhere.
                other = max((w for w in entry[0] if w != word), key=len, default="")
                (beside.setdefault(other, []) if other else alone).append((number, *entry))
            grouped = self._grouped[word] = (alone, beside)
        alone, beside = grouped
        others = beside.keys() & heard if beside else ()
        if not others:
            return alone
        return sorted([*alone, *(entry for other in others for entry in beside[other])])

    def merge(self, tokens: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
        """`tokens` with the phrases of phrases.csv put in their other form; positions still point at the text."""
        return merge_phrases(tokens, self.phrases)


def tables() -> list[str]:
    """The names of the term tables, in order."""
    folder = files("code_maps.terms")
    return sorted(p.name for p in folder.iterdir() if re.fullmatch(r"ch\d\d_\w+\.csv", p.name))


def rows(table: str) -> Iterator[tuple[str, str, str]]:
    """(term, place, note) of one table."""
    for row in read_table("code_maps.terms", table):
        yield row["term"], row["place"], row["note"]


@cache
def _phrases() -> dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]]:
    """First folded word -> (all folded words, what they become), longest first."""
    found: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = defaultdict(list)
    for row in read_table("code_maps.terms", "phrases.csv"):
        said = tuple(w for w, _, _ in words(row["phrase"]))
        found[said[0]].append((said, tuple(w for w, _, _ in words(row["as"]))))
    for options in found.values():
        options.sort(key=lambda option: -len(option[0]))
    return dict(found)


def merge_phrases(
    tokens: list[tuple[str, int, int]], phrases: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]]
) -> list[tuple[str, int, int]]:
    """Replace known phrases in a row of (folded word, start, end); the replacement spans the whole phrase."""
    if not any(word in phrases or word in _COUNTED for word, _, _ in tokens):
        return tokens
    merged: list[tuple[str, int, int]] = []
    i = 0
    while i < len(tokens):
        if tokens[i][0] in _COUNTED and i + 1 < len(tokens):
            number = _ROMAN.get(tokens[i + 1][0], tokens[i + 1][0])
            if number[0].isdigit() and len(number) <= 2 and tokens[i + 1][1] - tokens[i][2] <= 2:
                # "stage 3a" is one word: its number must not serve a "type 2" beside it
                merged.append((f"{tokens[i][0]}-{number}", tokens[i][1], tokens[i + 1][2]))
                i += 2
                continue
        for said, becomes in phrases.get(tokens[i][0], ()):
            if len(said) <= len(tokens) - i and all(tokens[i + k][0] == said[k] for k in range(1, len(said))):
                start, end = tokens[i][1], tokens[i + len(said) - 1][2]
                merged.extend((word, start, end) for word in becomes)
                i += len(said)
                break
        else:
            merged.append(tokens[i])
            i += 1
    return merged


def term_words(term: str) -> tuple[str, ...]:
    """The folded content words of a term, phrases merged: what the matcher compares."""
    merged = merge_phrases(list(words(term)), _phrases())
    return content(" ".join(word for word, _, _ in merged))


def _said_in_other_words(title: str, brackets: bool) -> Iterator[str]:
    """A title and the shorter forms that mean the same: without (…), and, in titles, what stands in […]."""
    title = _TAIL.sub("", title).strip(" ,")
    plain = _PAREN.sub("", title)
    for inside in _BRACKET.findall(plain) if brackets else ():
        if " " in inside or (
            inside.islower() and len(inside) > 5
        ):  # a lone name or acronym may be a common word: "[ALL]"
            yield inside
    plain = _BRACKET.sub("", plain).strip(" ,")
    yield plain
    yield _BRACKET.sub("", title).replace("(", "").replace(")", "")


def _from_tabular(codes: CodeSet) -> Iterator[tuple[tuple[str, ...], str, str]]:
    for code in codes.nodes():
        if code[0] in "VWXY" or code.startswith("Z68") or "T36" <= code[:3] <= "T50" or len(code) == 8:
            # external causes and drugs only through our tables; seventh characters are added after the descent
            continue
        title = codes.title(code)
        if "classified elsewhere" in title and "not elsewhere" not in title and code[:2] != "B9":
            continue  # a manifestation: its words alone name a disease with a place of its own
        # "Unspecified jaundice" is jaundice; what "other" leaves open says too little in few words.
        plain = title.startswith("Unspecified ") and code[0] not in "STM"
        other = bool(_OTHER.match(title)) and not plain
        for form in _said_in_other_words(title, brackets=True):
            said = term_words(_OTHER.sub("", form))
            if (
                said
                and not (other and (len(said) < 3 or code[0] in "STM"))
                and not (len(said) == 1 and said[0] in _TOO_GENERAL)
            ) and not (code[0] == "Z" and len(said) < 2):
                yield said, code, _TITLE
        if code[0] == "Z" and codes.kind(code) == "category":
            continue
        for term in codes.inclusion_terms(code):
            for form in _said_in_other_words(term, brackets=False):
                said = term_words(form)
                if said and not (len(said) == 1 and (said[0] in _TOO_GENERAL or code[0] == "Z" or len(said[0]) <= 3)):
                    yield said, code, _INCLUSION


def _shallowest(codes: CodeSet, places: Iterable[str]) -> str | None:
    """The place that all others lie below, or None when they lie apart."""
    ordered = sorted(set(places), key=len)
    top = ordered[0]
    return top if all(place == top or top in codes.ancestors(place) for place in ordered[1:]) else None


def _single(said: tuple[str, ...], source: str, eponyms: set[str], acronyms: set[str]) -> str:
    """The source of an entry: a term of one word may be a surname or an acronym, which match more narrowly."""
    if len(said) > 1 or source != _TABLE:
        return source
    return _EPONYM if said[0] in eponyms else _ACRONYM if said[0] in acronyms else source


def _compile(codes: CodeSet) -> tuple[list[tuple[tuple[str, ...], str, str]], dict[str, list[int]]]:
    strongest: dict[frozenset[str], dict[str, list[tuple[tuple[str, ...], str]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    eponyms: set[str] = set()
    acronyms: set[str] = set()  # PAD is a disease, a pad isn't
    for table in tables():
        for term, place, _ in rows(table):
            said = term_words(term)
            if len(said) == 1 and (said[0] in _TOO_GENERAL or len(said[0]) <= 3 < len(term.split()[-1])):
                continue
            if len(said) == 1 and len(said[0]) <= 4 and len(term.split()) > 1:
                continue  # folding left next to nothing of it: "Hb AS"
            if len(said) == 1 and place.startswith("Z79"):
                continue  # a drug's name alone says nothing about how long it is taken
            if place in ("Z79.4", "Z79.84", "Z79.85") or place.startswith("Z68"):
                continue  # read from the drugs and the measured index themselves
            if said and place in codes:
                # A surname alone is more often a person than a disease: it has to be possessive in the note.
                name = len(said) == 1 and term[:1].isupper() and term[1:2].islower()
                # An infection named by its organism alone gives way to one that has a site.
                source = _GENERAL if place[:3] in ("A49", "B34", "B99") else _TABLE
                strongest[frozenset(said)][source].append((said, place))
                if name:
                    eponyms.add(said[0])
                if len(said) == 1 and term.isupper() and len(term) <= 4:
                    acronyms.add(said[0])
    for said, place, source in _from_tabular(codes):
        strongest[frozenset(said)][source].append((said, place))
    for term, place, _ in rows("general.csv"):
        said = term_words(term)
        if frozenset(said) not in strongest:
            strongest[frozenset(said)][_GENERAL].append((said, place))
    from code_maps.terms.alphabetic_index import index_rows  # it needs this module's term_words

    held = frozenset(strongest)
    for said, place in index_rows(codes):
        if frozenset(said) not in held and not (len(said) == 1 and said[0] in _TOO_GENERAL):
            strongest[frozenset(said)][_INDEX].append((said, place))
    entries: list[tuple[tuple[str, ...], str, str]] = []
    for key, by_source in strongest.items():
        if key in _OTHERWISE:
            continue
        for source in (_TABLE, _TITLE, _INCLUSION, _GENERAL, _INDEX):
            if source in by_source:
                options = by_source[source]
                top = _shallowest(codes, [p for _, p in options])
                if top is None:
                    # Equal words at places that lie apart: a residual ("other") or symptom place gives way.
                    firm = [p for _, p in options if p[0] != "R" and not _OTHER.match(codes.title(p))]
                    top = _shallowest(codes, firm) if firm else None
                if top is None:
                    top = min((p for _, p in options), key=lambda p: (len(p), p)) if source == _TABLE else None
                if top is not None:
                    said = options[0][0]
                    entries.append((said, top, _single(said, source, eponyms, acronyms)))
                break
    entries.sort()
    frequency: dict[str, int] = defaultdict(int)
    for said, _, _ in entries:
        for word in said:
            frequency[word] += 1
    by_word: dict[str, list[int]] = defaultdict(list)
    for number, (said, _, _) in enumerate(entries):
        by_word[min(said, key=lambda word: (frequency[word], word))].append(number)
    return entries, dict(by_word)


def _digest() -> str:
    digest = hashlib.sha256(str(SCHEMA).encode())
    for name in [*tables(), "general.csv", "words.csv", "phrases.csv", "words.py", "__init__.py"]:
        digest.update(files("code_maps.terms").joinpath(name).read_bytes())
    return digest.hexdigest()[:16]


_indexes: dict[tuple[str, Path, str], TermIndex] = {}
_reading = Lock()


def term_index(codes: CodeSet) -> TermIndex:
    """The index for one release: compiled once, then read from the cache in about 40 ms.

    One for a release, not for a CodeSet: there is one of these for every date of service.
    """
    from code_maps.terms.alphabetic_index import index_stamp

    key = (codes.release, home(), index_stamp(codes.release))
    if key not in _indexes:
        with _reading:  # a second thread waits for the first instead of compiling the same beside it
            if key not in _indexes:
                _indexes[key] = _read(codes)
    return _indexes[key]


def _read(codes: CodeSet) -> TermIndex:
    from code_maps.terms.alphabetic_index import index_stamp

    path = home() / "cache" / f"terms-{codes.release}-{_digest()}{index_stamp(codes.release)}.bin"
    try:
        compiled = stored.read(path)
        entries, by_word = Lines(compiled.take("entries")), compiled.take("by_word")
    except (FileNotFoundError, stored.Damaged):
        compiled_entries, by_word = _compile(codes)
        entries = Lines.of(compiled_entries)
        with suppress(OSError):  # a folder that can't be written costs time at every start, nothing else
            stored.write(path, {"release": codes.release}, {"entries": entries.lines, "by_word": by_word})
    return TermIndex(entries, by_word, _phrases())


__all__ = ["TermIndex", "fold", "merge_phrases", "rows", "tables", "term_index", "term_words", "words"]
