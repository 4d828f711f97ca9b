"""Which result stands on which words: from a result to its words in the note, and from words to their results.

A result is named by a key: "code:0" is the first proposal, "gap:2" the third gap, "line:1" the verdict of line 1,
"held:0" the first withheld code, "maybe:0" the first candidate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from models.proposal import Evidence
from models.report import Report

TAB_OF = {"code": "Codes", "line": "Claim", "gap": "Gaps", "held": "Why not", "maybe": "Why not"}


@dataclass(frozen=True, slots=True)
class Shown:
    """Words of the note that a result rests on; `axes` are those that decided a step down the tabular."""

    key: str = ""
    spans: tuple[tuple[int, int], ...] = ()
    axes: tuple[tuple[int, int], ...] = ()


def find(report: Report, key: str | None) -> object | None:
    """The result that a key names; None for a key of another report."""
    kind, _, number = (key or "").partition(":")
    if not number.isdigit():
        return None
    if kind == "line":
        lines = report.claim.lines if report.claim else ()
        return next((v for v in lines if v.line == int(number)), None)
    lists: dict[str, Sequence[object]] = {
        "code": report.proposals, "gap": report.gaps, "held": report.withheld, "maybe": report.candidates
    }  # fmt: skip
    found = lists.get(kind, ())
    return found[int(number)] if int(number) < len(found) else None


def words_of(report: Report, key: str | None) -> Shown:
    """The words that the result named by `key` rests on."""
    result = find(report, key)
    if result is None or key is None:
        return Shown()
    evidence: Iterable[Evidence] = getattr(result, "evidence", ())
    spans = [(e.start, e.end) for e in evidence]
    places = {f.id: (f.start, f.end) for f in report.findings}
    spans += [places[i] for i in getattr(result, "findings", ()) if i in places]
    axes = tuple((a.start, a.end) for a in getattr(result, "axes", ()))
    return Shown(key, tuple(dict.fromkeys(spans)), axes)


def _everything(report: Report) -> Iterator[str]:
    yield from (f"code:{n}" for n in range(len(report.proposals)))
    yield from (f"gap:{n}" for n in range(len(report.gaps)))
    yield from (f"line:{v.line}" for v in (report.claim.lines if report.claim else ()))
    yield from (f"held:{n}" for n in range(len(report.withheld)))
    yield from (f"maybe:{n}" for n in range(len(report.candidates)))


def results_on(report: Report, ids: Iterable[str]) -> list[str]:
    """The results that rest on any of the findings: codes first, then gaps, claim lines, codes held back, candidates."""
    wanted = set(ids)
    places = [(f.start, f.end) for f in report.findings if f.id in wanted]
    found = []
    for key in _everything(report):
        result = find(report, key)
        if not wanted.isdisjoint(getattr(result, "findings", ())) or any(
            e.start < end and start < e.end for e in getattr(result, "evidence", ()) for start, end in places
        ):
            found.append(key)
    return found


def next_on(report: Report, ids: Iterable[str], now: str | None) -> str | None:
    """The result to open for a click on words: the first that rests on them, or the one after that which is open."""
    found = results_on(report, ids)
    if not found:
        return None
    return found[(found.index(now) + 1) % len(found)] if now in found else found[0]
