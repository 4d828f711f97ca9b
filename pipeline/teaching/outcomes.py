"""A report as a list of results that can be laid beside another, and how two lists differ."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence

from models.claim import ClaimCheck, Edit
from models.gap import Gap
from models.lesson import Change, Result
from models.proposal import Proposal
from models.report import Report

_ABSENT = frozenset({"negated-finding", "hypothetical-finding"})
"""Rules that say of nearly every note that something isn't there: no news in a comparison."""

_ORDER = ("code", "verdict", "undocumented", "gap", "edit", "missing", "level", "withheld", "violation")


def results_of(report: Report) -> tuple[Result, ...]:
    """Everything that a review says and that a change of the note may change, most important first."""
    found = [_code(p, report) for p in report.proposals]
    if report.claim:
        found += claim_results(report.claim)
    found += [gap_result(g) for g in report.gaps]
    texts = {f.id: f.text for f in report.findings}
    found += [
        Result("withheld", w.code, w.rule, w.why, w.rule, tuple(texts[i] for i in w.findings if i in texts), w.code)
        for w in report.withheld
        if w.rule not in _ABSENT
    ]
    if report.em and report.em.supports:
        em = report.em
        parts = f"problems {em.problems}, data {em.data}, risk {em.risk}"
        found.append(Result("level", "visit", " or ".join(em.supports), f"{em.mdm}: {parts}"))
    return tuple(sorted(found, key=lambda r: _ORDER.index(r.kind)))


def claim_results(check: ClaimCheck) -> list[Result]:
    """The verdicts, what each lacks, the edits, and what is billed without being documented."""
    found: list[Result] = []
    for v in check.lines:
        line, policy = f"line {v.line}, {v.code}", v.policy.id if v.policy else ""
        found.append(Result("verdict", line, v.verdict, v.why, policy))
        found += [Result("missing", f"{line}: {text}", "not shown", text, policy) for text in v.missing]
    found += [edit_result(e) for e in check.edits]
    found += [Result("undocumented", code, "billed, not in the note", code=code) for code in check.undocumented]
    return found


def edit_result(edit: Edit) -> Result:
    """One claim edit."""
    place = f"line {edit.line}" if edit.line else edit.dx or "claim"
    return Result("edit", f"{edit.edit}, {place}", edit.severity, edit.why, edit.edit, code=edit.dx or "")


def _code(proposal: Proposal, report: Report) -> Result:
    first = "first-listed" if proposal.first_listed and len(report.proposals) > 1 else ""
    rules = [r.id for r in proposal.rules if r.id != "specificity-descent"] or [r.id for r in proposal.rules]
    quoted = tuple(dict.fromkeys(e.text for e in proposal.evidence))
    return Result(
        "code", proposal.code, first, proposal.description, ", ".join(dict.fromkeys(rules)), quoted, proposal.code
    )


def gap_result(gap: Gap) -> Result:
    """A gap, known by its rule, its detail and the category of its code: a code that changes keeps its gaps."""
    category = (gap.code or "")[:3]
    said = f"{gap.about}: {gap.ask}" if gap.about else gap.ask
    return Result(
        "gap", f"{gap.missing} {category} {gap.rule}".replace("  ", " "), gap.missing, said, gap.rule,
        tuple(dict.fromkeys(e.text for e in gap.evidence)), gap.code or "",
    )  # fmt: skip


# --- differences ---------------------------------------------------------------------------------------------------


def changes(before: Sequence[Result], after: Sequence[Result]) -> tuple[Change, ...]:
    """What the second list says otherwise than the first, most important first.

    A code that goes and one that comes are one change where they share a category, or words that both rest on.
    """
    found = [*_code_changes(before, after)]
    for kind in _ORDER:
        if kind == "code":
            continue
        old, new = _by_key(before, kind), _by_key(after, kind)
        for key in dict.fromkeys((*old, *new)):
            was, now = old.get(key), new.get(key)
            if was is None or now is None or was.value != now.value:
                found.append(Change((was or now).kind, was, now))  # type: ignore[union-attr]
    # What one list codes and the other withholds is told once, by the code.
    told = {r.code for c in found if c.kind == "code" for r in (c.before, c.after) if r}
    return tuple(c for c in found if not (c.kind == "withheld" and c.before and not c.after and c.before.code in told))


def _by_key(results: Iterable[Result], kind: str) -> dict[str, Result]:
    return {r.key if r.kind != "withheld" else f"{r.key} {r.rule}": r for r in results if r.kind == kind}


def _code_changes(before: Sequence[Result], after: Sequence[Result]) -> Iterator[Change]:
    old, new = _by_key(before, "code"), _by_key(after, "code")
    gone, come = [r for k, r in old.items() if k not in new], [r for k, r in new.items() if k not in old]
    taken: set[str] = set()
    for was in gone:
        near = [(-_near(was, now), n, now) for n, now in enumerate(come) if now.key not in taken and _near(was, now)]
        best = min(near)[2] if near else None
        if best:
            taken.add(best.key)
        yield Change("code", was, best, detail=best is not None)
    yield from (Change("code", None, now) for now in come if now.key not in taken)
    for key, was in old.items():
        if key in new and was.value != new[key].value and new[key].value:
            yield Change("code", was, new[key])


def _near(one: Result, other: Result) -> int:
    """How much two codes have in common: a category (2), words they rest on (1)."""
    first = {w for text in one.words for w in _tokens(text)}
    second = {w for text in other.words for w in _tokens(text)}
    return 2 * (one.key[:3] == other.key[:3]) + bool(first & second)


_SMALL = frozenset("a an and at by due for from in is of on or the to type with without not no".split())


def _tokens(text: str) -> list[str]:
    """The telling words of a text by how they begin, so that depression and depressive are one."""
    return [t[:6] for t in re.findall(r"[a-z]{3,}", text.lower()) if t not in _SMALL]


def added_codes(found: Iterable[Change]) -> list[str]:
    """Codes that come without one of the same words or category that goes."""
    return [c.after.key for c in found if c.kind == "code" and c.after and not c.before]


def words_apart(one: str, other: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words that only the first of two texts has, and only the second, in order; neighbours stand together."""
    a, b = re.findall(r"\S+", one), re.findall(r"\S+", other)
    only_a, only_b = [], []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag != "equal":
            only_a += [" ".join(a[i:j])] if j > i else []
            only_b += [" ".join(b[k:m])] if m > k else []
    return tuple(only_a), tuple(only_b)


def said(change: Change) -> str:
    """A change in one line of plain words."""
    was, now = change.before, change.after
    if change.kind == "code":
        if was and now and was.key == now.key:
            return f"{now.key} becomes the first-listed code"
        if was and now:
            return f"{was.key} becomes {now.key} ({now.said})"
        return f"{now.key} is coded ({now.said})" if now else f"{was.key} is no longer coded ({was.said})"  # type: ignore[union-attr]
    if was and now:
        return f"{_thing(now)}: {was.value} becomes {now.value}"
    one = now or was
    assert one is not None
    return f"{'now' if now else 'no longer'} {_thing(one)}" + (f" is {one.value}" if one.kind == "verdict" else "")


def _thing(result: Result) -> str:
    match result.kind:
        case "gap":
            return f"a gap: {result.said}"
        case "withheld":
            return f"withheld: {result.key}, {result.said}"
        case "missing":
            return f"missing on {result.key}"
        case "undocumented":
            return f"billed without documentation: {result.key}"
        case "edit":
            return f"a claim edit: {result.key}"
        case "violation":
            return f"a fault of the query: {result.said}"
        case "level":
            return "the level of the visit"
        case _:
            return result.key
