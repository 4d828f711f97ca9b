"""Places in the tabular as a set to ask: does a code lie at or below one of them?

A place is a chapter letter ("R"), a category ("I50"), a subcategory ("M25.5") or a range of categories ("J12-J18",
both ends with all that is below them).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator


class Places:
    """A frozen set of places; `code in places` costs a few look-ups, however many places there are."""

    __slots__ = ("_lengths", "_ranges", "_said", "_single")

    def __init__(self, said: Iterable[str]) -> None:
        self._said = tuple(said)
        self._single = frozenset(place for place in self._said if "-" not in place)
        self._lengths = tuple(sorted({len(place) for place in self._single}))
        pairs = (place.split("-") for place in self._said if "-" in place)
        self._ranges = tuple((low, high) for low, high in pairs)

    def __contains__(self, code: object) -> bool:
        if not isinstance(code, str):
            return False
        single = self._single
        for length in self._lengths:
            if code[:length] in single:
                return True
        return any(low <= code[: len(low)] and code[: len(high)] <= high for low, high in self._ranges)

    def __iter__(self) -> Iterator[str]:
        return iter(self._said)

    def __bool__(self) -> bool:
        return bool(self._said)


def lies_under(code: str, place: str) -> bool:
    """Whether a code lies at or below a place, or in a range of places ('J12-J18', 'Z80-Z84')."""
    if "-" in place:
        low, high = place.split("-")
        return low <= code[: len(low)] and code[: len(high)] <= high
    return code.startswith(place) and (len(place) != 3 or code[3:4] in ("", "."))
