"""Misspelled long words: the one known word that a word of the note can only be a slip for.

`corrected(word, index)` answers for a folded word that no term, drug or ordinary English word knows. It would rather
say nothing than guess: the first letter must be right, the distance is one slip (a letter left out, added, changed or
two changed places), two in words of ten letters or more, and no other known word may lie nearly as near. Two words
that differ in a part that carries meaning ("hypo" and "hyper", "itis" and "osis", "ectomy" and "otomy") never stand for
each other.

`ordinary_words.txt` holds the ordinary English words that lie near a word of our terms; `python -m
code_maps.terms.misspellings LIST` writes it anew from a list of English words, one a line.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import OSA

from code_maps.terms import TermIndex
from code_maps.terms.drugs import drugs
from code_maps.terms.words import fold, words

LEAST = 7
"""Shorter words lie too near one another."""
_LONG = 10
_MOST_KEPT = 50_000

# Beginnings and endings that carry the meaning. A word that has one of a group whole is no slip for a word that has
# another.
_BEGINNINGS: tuple[tuple[str, ...], ...] = (
    ("hyper", "hypo"),
    ("inter", "intra", "infra"),
    ("pre", "pro", "peri", "per", "para"),
    ("ante", "anti"),
    ("ab", "ad"),
    ("endo", "ecto", "epi", "exo", "entero"),
    ("macro", "micro"),
    ("mono", "poly", "oligo", "pan"),
    ("uni", "bi", "tri", "quadri"),
    ("supra", "super", "sub"),
    ("brady", "tachy"),
    ("hemi", "hemo", "hema"),
    ("myo", "myco", "myelo", "muco", "myxo"),
)
# Parts that look alike, anywhere in a word.
_ROOTS: tuple[tuple[str, ...], ...] = (
    ("ureter", "urethr", "uter"),
    ("prostat", "prosthe"),
    ("inject", "infect", "infest"),
    ("maxill", "axill", "mamill"),
    ("periton", "perine", "perone"),
    ("ileo", "ilio", "ilei", "ilii", "ileac", "iliac"),
    ("graph", "gnath"),
    ("vesic", "viscer"),
    ("humer", "numer"),
    ("trache", "trochle"),
    ("corne", "corona"),
    ("palat", "palpat"),
    ("adeno", "adreno"),
    ("phag", "phas", "phon"),
    ("malle", "mall"),
    ("gravid", "gravis"),
    ("cutane", "cute"),
    ("stenosis", "sclerosis"),
    ("menorrh", "metrorrh"),
    ("cephal", "cephaly"),
)
# What begins a compound: with a known word behind it, it's a word of its own and no slip.
_COMBINING = frozenset(
    "abdomino acro adeno adipo angio ano antero anterior anti arterio arthro atrio auto bi bili broncho cardio "
    "cephalo cerebro cervico cholecysto chondro choledocho colo colpo contra costo counter cranio crico cyst "
    "cysto cyto de dento dermato dermo dis dorso duodeno dys electro encephalo endo entero epi ethmo ex extra "
    "fascio femoro fibro fore gastro genito gingivo gluteo glyco hemato hemi hemo hepato hydro hyper hypo "
    "hystero ileo ilio immuno in infero infra inguino inter intra ischio jejuno kerato labio laparo laryngo "
    "latero leuko lipo litho lumbo lympho macro mal mandibulo maxillo medio mega meningo meta micro mid mono "
    "multi musculo myco myelo myo naso necro neo nephro neuro non oculo occipito omento oro ortho osteo oto over "
    "palato pan pancreatico para parieto pelvi per peri pharyngo photo plantar pleuro pneumo poly post postero "
    "pre pro procto pseudo psycho pubo pulmo pyelo pylo radio re recto reno retino retro rhino sacro salpingo "
    "sclero scapulo semi sero sino spheno spino spleno spondylo sterno stylo sub supero super supra syn tachy "
    "talo temporo tendo teno thermo thoraco thrombo thyro tibio trachea tracheo trans tri tympano ulno un under "
    "uni up uretero urethro uro utero vagino vaso ventriculo vertebro vesico viscero xero zygomatico".split()
)
_ENDINGS = (
    "ectomy", "otomy", "ostomy", "oscopy", "oscope", "oscopist", "ography", "ogram", "oplasty", "opexy",
    "orrhaphy", "ocentesis", "odesis", "itis", "iasis", "osis", "oma", "omas", "omata", "otic", "itic", "pathy",
    "penia", "cytosis", "philia", "emia", "uria", "algia", "plegia", "paresis", "phagia", "phasia", "plasia",
    "trophy", "ptosis", "lysis", "cele", "rrhea", "rrhagia", "megaly", "malacia", "ectasia", "ectasis", "stenosis",
    "spasm", "pnea", "opia", "opsia", "ileum", "ilium", "ian", "ial",
)  # fmt: skip
# Endings of drug names: what looks like a drug that we don't know is none of our words.
_DRUG = (
    "mab", "nib", "pril", "olol", "statin", "azole", "mycin", "micin", "cillin", "sartan", "oxacin", "floxacin",
    "tidine", "prazole", "vir", "parin", "gliptin", "glutide", "gliflozin", "caine", "zepam", "zolam", "dronate",
    "triptan", "thiazide", "setron", "lukast", "terol", "sone", "solone", "onide", "oxetine", "ipramine",
    "triptyline", "azepine", "barbital", "dipine", "zosin", "mide", "cycline", "fenac", "profen", "coxib", "grel",
    "xaban", "tinib", "ciclib", "taxel", "platin", "rubicin",
)  # fmt: skip
# Endings that make another word of the same stem: "inferiorly" is no slip for "inferior".
_DERIVED = (
    "osities", "osity", "ically", "ally", "ation", "ational", "ators", "ator", "ated", "ate", "ative", "ular",
    "aris", "alis", "icus", "ious", "eous", "ous", "able", "ible", "ings", "ing", "ist", "ism", "ity", "ary",
    "ory", "ery", "ive", "ian", "ium", "ula", "uli", "ies", "ed", "er", "or", "al", "ic", "is", "us", "um", "ia",
    "ae", "ly", "ar", "es", "ant", "ent", "ance", "ence", "ency", "ancy", "e", "y", "a", "i", "o", "s", "ese",
    "ified", "ify",
)  # fmt: skip
# "-itis" and "-osis" as they are mistyped: no endings of other words.
_SLIPPED = ("it", "its", "itus", "ittis", "iits", "etis", "ois", "os", "osus")
# The same word with another ending.
_INFLECTED = (
    "ations",
    "ation",
    "ally",
    "ings",
    "ing",
    "ated",
    "ate",
    "ies",
    "ed",
    "es",
    "al",
    "ic",
    "ly",
    "s",
    "y",
    "e",
    "d",
)


@dataclass(slots=True)
class _Vocabulary:
    """What is known: by first letter and length, the words that a slip may stand for and those that only stand by."""

    known: AbstractSet[str]
    targets: dict[tuple[str, int], list[str]]
    others: dict[tuple[str, int], list[str]]
    drugs: AbstractSet[str]
    answers: dict[str, str | None] = field(default_factory=dict)


_vocabularies: dict[int, tuple[TermIndex, _Vocabulary]] = {}


@cache
def _ordinary() -> frozenset[str]:
    """The ordinary English words near our terms, folded."""
    path = files("code_maps.terms").joinpath("ordinary_words.txt")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return frozenset(fold(line) for line in lines if line and not line.startswith("#"))


def _target_words(index: TermIndex) -> set[str]:
    """The long words of diseases, injuries and symptoms: letters only, and no drugs."""
    some = {
        word
        for said, place, _ in index.entries
        if place[0] not in "VWXYZ"
        for word in said
        if len(word) >= LEAST and word.isalpha()
    }
    return some - _medicines()


@cache
def _medicines() -> frozenset[str]:
    """The words of drug names."""
    return frozenset(
        word for name in drugs() for word, _, _ in words(name) if len(word) >= LEAST - 1 and word.isalpha()
    )


def _buckets(some: Iterable[str]) -> dict[tuple[str, int], list[str]]:
    found: dict[tuple[str, int], list[str]] = defaultdict(list)
    for word in sorted(some):
        found[word[0], len(word)].append(word)
    return dict(found)


def _vocabulary(index: TermIndex) -> _Vocabulary:
    """The vocabulary of one index, built on the first long word that nothing knows."""
    held = _vocabularies.get(id(index))
    if held is not None:
        return held[1]
    targets = _target_words(index)
    said_too = {word for said, _, _ in index.entries for word in said}
    medicines, ordinary = _medicines(), _ordinary()
    made = _Vocabulary(
        known=targets | medicines | ordinary | said_too,
        targets=_buckets(targets),
        others=_buckets(word for word in (medicines | ordinary | said_too) - targets if len(word) >= LEAST - 1),
        drugs=medicines,
    )
    if len(_vocabularies) > 8:
        _vocabularies.clear()
    _vocabularies[id(index)] = (index, made)
    return made


def corrected(word: str, index: TermIndex) -> str | None:
    """The known word that the folded `word` is a misspelling of; None when it is known, short, or not surely one."""
    if len(word) < LEAST or not (word.isascii() and word.isalpha()):
        return None
    vocabulary = _vocabulary(index)
    if word in vocabulary.known:
        return None
    if word not in vocabulary.answers:
        if len(vocabulary.answers) >= _MOST_KEPT:
            vocabulary.answers.clear()
        vocabulary.answers[word] = _nearest(word, vocabulary)
    return vocabulary.answers[word]


def spelled(word: str, index: TermIndex) -> str:
    """The folded `word` as its writer meant it; the word itself wherever that is not sure."""
    return word if len(word) < LEAST else corrected(word, index) or word


def _nearest(word: str, vocabulary: _Vocabulary) -> str | None:
    """The one target near enough, with nothing else nearly as near."""
    if word.endswith(_DRUG):
        return None
    most = 2 if len(word) >= _LONG else 1
    near = _within(word, vocabulary.targets, most + 1)
    if not near or near[0][0] > most:
        return None
    distance, best = near[0]
    if len(best) < LEAST or _apart(word, best) or _derived(word, best) or _compound(word, vocabulary.known):
        return None
    for far, other in near[1:]:
        doubtful = distance + (distance > 1 or (_apart(other, best) and _apart(best, other)))
        if far <= doubtful and not (_stem(other) == _stem(best) if far == distance else _same(other, best)):
            return None
    for far, other in _within(word, vocabulary.others, distance + 1):
        if far <= distance + (other in vocabulary.drugs) and not _same(other, best):
            return None
    return best


def _within(word: str, buckets: dict[tuple[str, int], list[str]], most: int) -> list[tuple[int, str]]:
    """(distance, word) of the words with the same first letter, at most `most` slips away, nearest first."""
    found: list[tuple[int, str]] = []
    for length in range(len(word) - most, len(word) + most + 1):
        choices: Sequence[str] = buckets.get((word[0], length), ())
        if choices:
            hits = process.extract(word, choices, scorer=OSA.distance, score_cutoff=most, limit=None)
            found.extend((int(distance), choice) for choice, distance, _ in hits)
    return sorted(found)


def _apart(typed: str, known: str) -> bool:
    """Whether a word that was typed has, whole, a part that means something else than that of the known word."""
    for group in _BEGINNINGS:
        said, meant = _longest(typed, group), _longest(known, group)
        if said and said != meant and (meant or len(said) > 2):
            return True
    for group in _ROOTS:
        said, meant = _held(typed, group), _held(known, group)
        if said and meant and said != meant:
            return True
    said, meant = _ending(typed), _ending(known)
    return bool(said) and said != meant


def _held(word: str, group: Sequence[str]) -> str:
    return max((root for root in group if root in word), key=len, default="")


def _derived(typed: str, known: str) -> bool:
    """Whether two words have one stem and each a whole ending: another word of the same family, no slip."""
    if typed.endswith(_SLIPPED) and known.endswith(("itis", "osis", "iasis")):
        return False
    stem = _shared(typed, known)
    for length in range(stem, max(stem - 4, 4), -1):
        ours, theirs = typed[length:], known[length:]
        if (ours, theirs) != ("is", "es") and (not ours or ours in _DERIVED) and (not theirs or theirs in _DERIVED):
            return True
    return False


def _compound(word: str, known: AbstractSet[str]) -> bool:
    """Whether a word is a known one behind a combining form: "hemi" + "thorax", "peri" + "prostatic"."""
    return any(
        word[:split] in _COMBINING and (fold(word[split:]) in known or word[split:] in _ENDINGS)
        for split in range(2, len(word) - 3)
    )


def _longest(word: str, group: Sequence[str]) -> str:
    return max((start for start in group if word.startswith(start)), key=len, default="")


def _ending(word: str) -> str:
    return max((end for end in _ENDINGS if word.endswith(end)), key=len, default="")


def _same(one: str, other: str) -> bool:
    """Whether two words are the same but for their inflection: "diarrhea" and "diarrheal"."""
    stem = _shared(one, other)
    return _stem(one) == _stem(other) or (stem >= 6 and max(len(one), len(other)) - stem <= 2)


def _shared(one: str, other: str) -> int:
    """How many letters two words begin with in common."""
    stem = 0
    while stem < min(len(one), len(other)) and one[stem] == other[stem]:
        stem += 1
    return stem


def _stem(word: str) -> str:
    for end in _INFLECTED:
        if word.endswith(end) and len(word) - len(end) >= 5:
            return word[: -len(end)]
    return word


def ordinary_words(english: Iterable[str], index: TermIndex) -> list[str]:
    """Of a list of English words, those that lie near a long word of our terms and aren't one."""
    targets = _target_words(index)
    buckets = _buckets(targets)
    folded = {fold(line.strip()) for line in english}
    long = (word for word in folded - targets if len(word) >= LEAST - 1 and word.isalpha() and word.isascii())
    return sorted(word for word in long if _within(word, buckets, 2))


def main(arguments: Sequence[str]) -> None:
    """Write the words of a list that belong into ordinary_words.txt to standard output."""
    from code_maps.icd10cm import load
    from code_maps.terms import term_index

    english = Path(arguments[0]).read_text(encoding="utf-8").splitlines()
    print("\n".join(ordinary_words(english, term_index(load(None)))))


if __name__ == "__main__":
    main(sys.argv[1:])
