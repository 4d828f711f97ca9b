"""Imported coverage documents in words for people: the list, one document, and the state of the imports."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from code_maps.coverage.mcd import store
from code_maps.coverage.mcd.importer import ImportReport
from code_maps.coverage.mcd.reader import McdPolicies, Version
from code_maps.coverage.mcd.store import Imported
from code_maps.coverage.policy import CoveragePolicy, Group

_LETTERS = {"article": "A", "lcd": "L", "ncd": "NCD "}
FRESH = dt.timedelta(days=14)  # CMS puts out new files every week
_ID = re.compile(r"(A|L|DA|DL|NCD)[ -]?(\d{1,6})", re.IGNORECASE)


def opened() -> McdPolicies | None:
    """The imported documents, if there are any. Raises ImportProblem where they are damaged."""
    manifest = store.read_manifest()
    return McdPolicies(manifest, store.folder()) if manifest else None


def import_lines(report: ImportReport) -> Iterator[str]:
    """What an import brought in: one line for each download and one for each of its tables."""
    for entry in report.imported:
        yield from _entry_lines(entry)


def _entry_lines(entry: Imported) -> Iterator[str]:
    loaded = sum(count.loaded for count in entry.tables.values())
    refused = sum(count.refused for count in entry.tables.values())
    left = f", {refused:,} left out" if refused else ""
    yield f"{entry.label}: {entry.source}, {len(entry.tables)} tables, {loaded:,} rows{left}"
    for name, count in sorted(entry.tables.items()):
        left = f"  {count.refused:,} left out" if count.refused else ""
        yield f"  {name + '.csv':44} {count.loaded:>9,}{left}"


def status_lines(on: dt.date) -> Iterator[str]:
    """What is imported and from when, and what is out of date on a day."""
    manifest = store.read_manifest()
    if not manifest:
        yield "Nothing is imported: `chartproof policies import current_article.zip current_lcd.zip ncd.zip`."
    for entry in manifest.values():
        yield from _entry_lines(entry)
        yield from (f"  note: {notice}" for notice in entry.notices)
        old = age(entry, on)
        if old is not None and old > FRESH:
            yield f"  out of date: {old.days:,} days old on {on}; CMS puts out a new download every week"


def age(entry: Imported, on: dt.date) -> dt.timedelta | None:
    """How old a download is on a day; None where it bears no date."""
    return on - dt.date.fromisoformat(entry.date) if entry.date else None


def list_lines() -> Iterator[str]:
    """One line for each version of each imported document."""
    policies = opened()
    for kind, version in policies.documents() if policies else ():
        ended = f"to {version.ended}" if version.ended else ""
        state = "proposed" if version.proposed else "retired" if version.retired and version.ended else ""
        yield f"{doc_id(kind, version):10} {version.number:>4}  {version.effective or ''!s:10}  {ended:13}  {state:8}  {version.title}".rstrip()


def ids() -> list[str]:
    """The ids of all imported documents, each once: A56680, L33831, NCD 240."""
    policies = opened()
    return list(dict.fromkeys(doc_id(kind, v) for kind, v in policies.documents())) if policies else []


def doc_id(kind: str, version: Version) -> str:
    """The id of an imported document as CMS writes it."""
    return f"{_LETTERS[kind]}{version.id}"


def show_lines(id: str, number: int | None = None) -> list[str] | None:
    """One imported document in words: what was read from it and its prose. None if it isn't imported."""
    found = _ID.fullmatch(id.strip())
    policies = opened()
    if found is None or policies is None:
        return None
    kind = {"A": "article", "L": "lcd", "N": "ncd"}[found[1].upper().removeprefix("D")[0]]
    wanted = int(found[2])
    versions = [v for k, v in policies.documents() if k == kind and v.id == wanted and number in (None, v.number)]
    if not versions:
        return None
    version = max(versions, key=lambda v: (v.effective or dt.date.min, v.number))
    lines = [f"{doc_id(kind, version)}, version {version.number}: {version.title}", _dates(version)]
    if len(versions) > 1:
        lines.append(f"other versions: {', '.join(str(v.number) for v in versions if v.number != version.number)}")
    policy = policies.policy(version.id, version.number) if kind == "article" else None
    if policy is not None:
        lines += ["", "What is read from it", *_read_lines(policy)]
    for heading, text in policies.text(kind, version.id, version.number):
        lines += ["", heading, *(f"  {line}" for line in text.split("\n"))]
    return lines


def _dates(version: Version) -> str:
    ended = f" to {version.ended}" if version.ended else ""
    state = (
        ", proposed: never applied" if version.proposed else ", retired" if version.retired and version.ended else ""
    )
    return f"in force from {version.effective or 'an unknown date'}{ended}{state}"


def _read_lines(policy: CoveragePolicy) -> Iterator[str]:
    contracts = " and ".join(sorted(policy.contracts)) or "no Part B or DME contractor"
    yield f"  contract {contracts}; states {', '.join(sorted(policy.states)) or 'none'}"
    yield f"  procedures {', '.join(sorted(policy.services.codes)) or 'none'}"
    if policy.never_covered:
        yield f"  never covered {', '.join(sorted(policy.never_covered.codes))}"
    for group in policy.groups:
        yield f"  group {group.number}: {_size(group)}{''.join(f'; {part}' for part in _parts(group))}"
    for refusal in policy.noncovered:
        always = ", whatever else is listed" if refusal.absolute else ""
        yield f"  not covered, group {refusal.number}: {len(refusal.codes.codes):,} codes{always}"
    for limit in policy.frequency:
        services = ", ".join(sorted(limit.services.codes)) or "every procedure"
        yield f"  limit in time for {services}: {limit.quote}"


def _size(group: Group) -> str:
    ranges = f" and {len(group.codes.ranges):,} ranges" if group.codes.ranges else ""
    return f"{len(group.codes.codes):,} codes{ranges}"


def _parts(group: Group) -> Iterator[str]:
    if group.services:
        yield f"for {', '.join(sorted(c for c in group.services.codes if c)) or 'no procedure'}"
    if group.secondary:
        yield "secondary, never alone"
    if group.requires:
        yield f"needs a code of group {' and of group '.join(map(str, group.requires))}"
    if group.first_pointer:
        yield "first pointer"
    if group.modifiers:
        yield f"modifier {' or '.join(group.modifiers)}"
    elif group.condition:
        yield f"condition: {group.condition}"
    if group.marked:
        yield f"{len(group.marked.codes):,} with asterisk: {group.mark}"
    if group.unreadable:
        yield f"can't be read by rule, a person has to: {group.unreadable}"
