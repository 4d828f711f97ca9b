"""Words as the term matcher compares them: case, plurals, possessives, spelling and adjectives folded.

`words(text)` splits; `fold(word)` gives the form that is compared. Two texts that differ only in number, word
order, hyphens, British or American spelling, or a Latin adjective for an English noun ("renal", "kidney") give the
same set of folded words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from code_maps.tables import read_table

WORD = re.compile(r"(?:stage|type|grade|class)-\d[ab]?|[^\W_]+(?:['’][^\W_]+)?", re.IGNORECASE)

# Words that carry no meaning for the comparison of terms.
STOP = frozenset(
    "a an the of in on at to for and or by with due as is are was be been being into from during per via this that "
    "these those his her their its my your our whose which who nos nec disease disorder disorders diseases syndrome "
    "condition conditions unspecified other specified elsewhere classified not".split()
)
# … of these, the ones that still tell one term from another and are only dropped when something else is left.
WEAK = frozenset("disease disorder syndrome condition".split())
# … and of these, the ones that always do: "disorder of white blood cells" isn't "white blood cells".
_KEPT = frozenset({"disorder", "condition"})

_IRREGULAR = {
    "feet": "foot", "teeth": "tooth", "vertebrae": "vertebra", "bronchi": "bronchus", "diverticula": "diverticulum",
    "metastases": "metastasis", "mets": "metastasis", "met": "metastasis", "metastatic": "metastasis",
    "metastasized": "metastasis", "emboli": "embolism", "embolus": "embolism", "thrombi": "thrombosis",
    "thrombus": "thrombosis", "calculi": "calculus", "bacilli": "bacillus", "fungi": "fungus", "nuclei": "nucleus",
    "uteri": "uterus", "men": "man", "women": "woman", "children": "child", "lice": "louse", "bruises": "bruise",
    "ova": "ovum", "septa": "septum", "atria": "atrium", "phalanges": "phalanx", "larynges": "larynx",
    "diabetes": "diabetes", "diabetics": "diabetes", "rabies": "rabies", "herpes": "herpes", "caries": "caries",
    "scabies": "scabies", "ascites": "ascites", "measles": "measles", "mumps": "mumps", "pus": "pus",
    "lens": "lens", "pancreas": "pancreas", "biceps": "biceps", "triceps": "triceps", "quadriceps": "quadriceps",
    "series": "series", "species": "species", "gas": "gas", "yes": "yes", "his": "his", "this": "this",
    "nares": "naris", "axes": "axis", "crises": "crisis", "diagnoses": "diagnosis", "ankylosing": "ankylosing",
    "aids": "aids", "abscesses": "abscess", "menses": "menses", "knives": "knife", "leaves": "leaf",
    "veins": "vein", "uterine": "uterus", "lenses": "lens",
}  # fmt: skip


@cache
def _table() -> dict[str, str]:
    """Word -> the word it is compared as, from words.csv (spelling, adjectives, plain synonyms)."""
    return {row["word"]: row["as"] for row in read_table("code_maps.terms", "words.csv")}


def _singular(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is", "ous")):
        if word.endswith("ies") and len(word) > 4:
            return word[:-3] + "y"
        if word.endswith(("ches", "shes", "sses", "xes", "zes")):
            return word[:-2]
        if (
            word.endswith("ses")
            and word[-4:-3] in "aeiou"
            and len(word) > 5
            and word.endswith(("oses", "yses", "ases"))
        ):
            return word[:-2] + "is" if word.endswith(("oses", "yses")) else word[:-1]
        return word[:-1]
    return word


@lru_cache(maxsize=100_000)
def fold(word: str) -> str:
    """The form of one word that is compared; "" for a word that is only a possessive or mark."""
    word = word.casefold().replace("’", "'")
    if word.endswith("'s"):
        word = word[:-2]
    elif "'" in word:
        word = word.replace("'", "")
    table = _table()
    if word in table:
        return table[word]
    single = _singular(word)
    return table.get(single, single)


def words(text: str) -> Iterator[tuple[str, int, int]]:
    """Each word of `text` folded, with its start and end."""
    for match in WORD.finditer(text):
        yield fold(match.group()), match.start(), match.end()


def content(text: str) -> tuple[str, ...]:
    """The folded words of a term that count, in order, each once.

    Stop words are left out; weak ones ("disease", "syndrome") are kept when nothing else tells the term apart,
    that is when fewer than three other words remain.
    """
    folded = [word for word, _, _ in words(text)]
    strong = [w for w in folded if w and (w not in STOP or w in _KEPT)]
    if len(strong) < 3:
        strong = [w for w in folded if w and (w not in STOP or w in WEAK)]
    return tuple(dict.fromkeys(strong))
