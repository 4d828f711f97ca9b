"""The spaCy language object, medspaCy's parts, and optional named-entity models.

Three things keep this light and private:

- `language()` is a blank English pipeline with a tokenizer of one regular expression. No sentence splitter: PyRuSH, the
  one medspaCy brings, writes every token of the note to standard error through loguru.
- `medspacy_part()` imports one part of medspaCy without the package's own start-up, which loads QuickUMLS, NLTK and
  PyRuSH. spaCy itself, half a second on two shared cores, is imported only when it is needed; `import medspacy` alone
  takes 2.5 s.
- `ner()` loads a trained model only when the user names one.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
import threading
import types
import warnings
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # half a second; imported when something is first asked of spaCy or ConText
    from spacy.language import Language
    from spacy.tokens import Doc
    from spacy.vocab import Vocab

Entity = tuple[int, int, str]

# Written with a slash or sign and read as one word.
_SLASHED = (
    r"s/p|w/o|h/o|p/h/o|r/o|c/o|f/u|c/w|w/u|b/c|b/l|y/o|n/v/d|n/v|f/c/s|f/c|h/a|d/c|d/t|o/w|c/f|f/h|p/w|w/"
    r"|\+/-|-ve|\+ve"
)
_TOKEN = re.compile(
    rf"(?=./|[+-])(?:{_SLASHED})(?![A-Za-z0-9])"  # clinical shorthand; the look ahead spares most words 25 choices
    r"|\[\s?[xX✓✔]?\s?\]|\((?:\s?[xX+\-]\s?|\s)\)|_{2,}"  # check boxes, signs in brackets, blanks to fill in
    r"|\d+(?:[.,]\d+)*(?:[a-e](?![^\W_]))?"  # numbers, 3a
    r"|[^\W\d_][^\W_]*(?:['’](?!s\b)[^\W_]+)*"  # words, don't, FEV1, T2DM
    r"|['’]s\b"  # possessive
    r"|[^\w\s]|_",  # any other sign, on its own
    re.IGNORECASE,
)


def tokens(text: str, start: int = 0, end: int = sys.maxsize) -> list[tuple[int, int]]:
    """Where the words and signs of `text` begin and end, between two positions; blank text belongs to none."""
    return [match.span() for match in _TOKEN.finditer(text, start, end)]


def lowered(text: str) -> str | None:
    """The text in lower case with straight apostrophes, each sign in its place; None where lower case is longer, or
    depends on the sign's neighbours (a capital sigma), and words must be folded one by one."""
    lower = text.lower().replace("’", "'")
    return lower if len(lower) == len(text) and "Σ" not in text else None


class ClinicalTokenizer:
    """Tokenizer for clinical text. As in spaCy, nothing is lost: the Doc's text is the text given.

    `s/p`, `w/o`, `h/o`, `r/o`, check boxes (`[ ]`, `[x]`) and signs (`+`, `?`) are tokens of their own.
    """

    def __init__(self, vocab: Vocab) -> None:
        self.vocab = vocab

    def __call__(self, text: str) -> Doc:
        words: list[str] = []
        spaces: list[bool] = []
        last = 0
        for start, end in tokens(text):
            gap = text[last:start]
            if gap:
                # One blank after a word is the word's own; anything more is a token, as in spaCy's tokenizer.
                if words and gap[0] == " ":
                    spaces[-1] = True
                    gap = gap[1:]
                if gap:
                    words.append(gap)
                    spaces.append(False)
            words.append(text[start:end])
            spaces.append(False)
            last = end
        tail = text[last:]
        if tail and words and tail[0] == " ":
            spaces[-1] = True
            tail = tail[1:]
        if tail:
            words.append(tail)
            spaces.append(False)
        from spacy.tokens import Doc

        return Doc(self.vocab, words=words, spaces=spaces)


@lru_cache(maxsize=1)
def language() -> Language:
    """The blank English pipeline with our tokenizer. Made once, then shared."""
    import spacy

    silence_logs()
    nlp = spacy.blank("en")
    nlp.tokenizer = ClinicalTokenizer(nlp.vocab)
    return nlp


@lru_cache(maxsize=4)
def ner(model: str) -> Callable[[str], list[Entity]]:
    """A trained named-entity model as a function from text to (start, end, label).

    Raises ValueError when `model` isn't installed: models install as packages of their own and are never downloaded.
    """
    if importlib.util.find_spec(model) is None and not Path(model).exists():
        raise ValueError(
            f"language model {model!r} is not installed: install its package (such as en_ner_bc5cdr_md from scispaCy) "
            "into this environment, or leave the model out"
        )
    import spacy

    nlp = spacy.load(model)

    def entities(text: str) -> list[Entity]:
        return [(ent.start_char, ent.end_char, ent.label_) for ent in nlp(text).ents]

    return entities


_lock = threading.Lock()
_parts: dict[str, types.ModuleType] = {}


def medspacy_part(name: str) -> types.ModuleType:
    """medspaCy's module `name` ("context", "section_detection", "target_matcher"), without the package's start-up.

    The parts we use need nothing of `medspacy/__init__.py`. While one is imported, a bare package with the same path
    stands in for `medspacy`, and one without contents for `quickumls`, whose name `medspacy.util` imports. Both are
    taken away again, so that a later `import medspacy` by anybody runs as usual. Where medspaCy is already imported,
    its own part is returned.

    Raises ImportError when medspaCy isn't installed.
    """
    full = f"medspacy.{name}"
    with _lock:
        if full in _parts:
            return _parts[full]
        if "medspacy" in sys.modules:
            return importlib.import_module(full)
        spec = importlib.util.find_spec("medspacy")
        if spec is None or spec.submodule_search_locations is None:
            raise ImportError("medspacy is not installed: run `make`, or install medspacy 1.3.1")
        bare = types.ModuleType("medspacy")
        bare.__path__ = list(spec.submodule_search_locations)
        bare.__spec__ = spec
        stand_in = types.ModuleType("quickumls")
        stand_in.spacy_component = None  # type: ignore[attr-defined]
        borrowed = {"medspacy": bare, **_parts}
        if "quickumls" not in sys.modules:
            borrowed["quickumls"] = stand_in
        sys.modules.update(borrowed)
        try:
            with warnings.catch_warnings():  # medspacy.common switches all warnings off
                part = importlib.import_module(full)
        finally:
            for key in [k for k in sys.modules if k == "medspacy" or k.startswith("medspacy.")]:
                module = sys.modules.pop(key)
                if key != "medspacy":
                    _parts[key] = module
            if sys.modules.get("quickumls") is stand_in:
                del sys.modules["quickumls"]
        silence_logs()
        return part


def silence_logs() -> None:
    """Keep PyRuSH from logging the words of a note, where somebody has imported it."""
    loguru = sys.modules.get("loguru")
    if loguru is not None:
        loguru.logger.disable("PyRuSH")


def long_form(words: list[str], short: str) -> int | None:
    """Which of `words`, all before "(short)", begins the long form that the note defines; None when they define none.

    scispaCy's abbreviation detector decides (Schwartz and Hearst, PSB 2003); it needs no trained model.
    """
    from scispacy.abbreviation import find_abbreviation
    from spacy.tokens import Doc

    doc = Doc(language().vocab, words=[*words, "(", short, ")"])
    _, found = find_abbreviation(doc[: len(words)], doc[len(words) + 1 : len(words) + 2])
    return None if found is None else int(found.start)
