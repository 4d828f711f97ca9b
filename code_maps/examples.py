"""Reader of marked sentences, the examples that stand in rule files.

`No {chest pain: negated}.` is the sentence "No chest pain." with the words "chest pain" marked as negated. A mark may
hold several attributes, parted by commas: `{asthma: family, historical}`. A sentence without marks asserts that nothing
is found. `{{` and `}}` stand for the braces themselves.
"""

from __future__ import annotations

Mark = tuple[int, int, tuple[str, ...]]

ASSERTION_ATTRIBUTES = frozenset(
    {"present", "negated", "uncertain", "hypothetical", "current", "historical", "patient", "family", "other"}
)


def parse_marked(text: str, attributes: frozenset[str] = ASSERTION_ATTRIBUTES) -> tuple[str, list[Mark]]:
    """The plain sentence and its marks as (start, end, attributes); positions are those of the plain sentence.

    Raises ValueError, with the place, for a brace that isn't closed or opened, a mark in a mark, a mark without
    words or without attributes, and an attribute not in `attributes` (an empty set allows any).
    """
    plain: list[str] = []
    length = 0
    marks: list[Mark] = []
    opened = -1
    i = 0

    def fail(what: str, at: int) -> ValueError:
        return ValueError(f"{what} at position {at} of the example {text!r}")

    while i < len(text):
        char = text[i]
        if text[i : i + 2] in ("{{", "}}") and opened < 0:
            plain.append(char)
            length += 1
            i += 2
        elif char == "{":
            if opened >= 0:
                raise fail("a mark inside a mark", i)
            opened = i
            i += 1
        elif char == "}":
            if opened < 0:
                raise fail("a closing brace without an opening one", i)
            words, colon, names = text[opened + 1 : i].rpartition(":")
            if not colon or not words.strip() or not names.strip():
                raise fail("a mark must read {words: attribute}", opened)
            if words != words.strip():
                raise fail("blanks around the words of a mark", opened)
            found = tuple(name.strip() for name in names.split(","))
            for name in found:
                if not name or (attributes and name not in attributes):
                    allowed = ", ".join(sorted(attributes))
                    raise fail(f"unknown attribute {name!r} (one of: {allowed})", opened)
            marks.append((length, length + len(words), found))
            plain.append(words)
            length += len(words)
            opened = -1
            i += 1
        elif opened >= 0:
            i += 1
        else:
            plain.append(char)
            length += 1
            i += 1
    if opened >= 0:
        raise fail("a brace that is not closed", opened)
    return "".join(plain), marks
