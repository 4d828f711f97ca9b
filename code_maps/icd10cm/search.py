"""Finds codes by words: for people at the terminal and in the workbench, not for proposing codes from
notes."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import lru_cache

from code_maps.icd10cm.codeset import CodeSet, Content

_WORD = re.compile(r"[^\W_]+")
_EMPTY = frozenset(["a", "an", "and", "by", "for", "in", "of", "on", "or", "the", "to", "with"])

Hit = tuple[str, str, float]
"""Code, title, score between 0 and 1."""


def search(cs: CodeSet, words: str, limit: int = 20) -> list[Hit]:
    """The nodes whose title or one of whose inclusion terms fits the words best, best first.

    The score is the share of the query that is found times the share of the text that the query makes up,
    rare words counting more. Seventh-character codes aren't listed: their stem is. A code as query puts that
    code first."""
    asked = frozenset(_words(words))
    hits: dict[str, float] = {}
    code = words.strip().upper()
    if code in cs:
        hits[code] = 1.0
    texts, weights = _texts(cs._content)
    heaviest = max(weights.values(), default=1.0)
    total = sum(weights.get(word, heaviest) for word in asked)
    if total:
        for node, text, weight in texts:
            common = asked & text
            if common:
                found = sum(weights[word] for word in common)
                score = found / total * (0.5 + 0.5 * found / weight)
                if score > hits.get(node, 0.0):
                    hits[node] = score
    # Sorting is stable: among equals the tabular order holds.
    best = sorted(hits.items(), key=lambda item: -item[1])[: max(limit, 0)]
    return [(node, cs.title(node), round(score, 4)) for node, score in best]


def _words(text: str) -> list[str]:
    """Lower-case words without the empty ones; a plural s goes, so that "fractures" finds "fracture"."""
    found = []
    for word in _WORD.findall(text.lower()):
        if word not in _EMPTY:
            found.append(
                word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith(("ss", "is", "us")) else word
            )
    return found


@lru_cache(maxsize=2)
def _texts(content: Content) -> tuple[list[tuple[str, frozenset[str], float]], dict[str, float]]:
    """Every title and inclusion term as (node, words, weight), and the weight of each word (inverse
    frequency)."""
    tables = content.tables
    rows: list[tuple[str, frozenset[str]]] = []
    for node, title in tables.titles.items():
        if node[0].isalpha() and "-" not in node:
            rows.append((node, frozenset(_words(title))))
            rows.extend(
                (node, frozenset(_words(text))) for kind, text in tables.notes.get(node, ()) if kind == "inclusion_term"
            )
    counts = Counter(word for _, text in rows for word in text)
    weights = {word: math.log(1 + len(rows) / count) for word, count in counts.items()}
    return [(node, text, sum(weights[word] for word in sorted(text))) for node, text in rows if text], weights
