"""The policies that stand in imported coverage downloads: which article holds for a line, and what it says.

Which article: VERDICTS rules from the data dictionary. Proposed documents never count; of an article's versions the
one in force on the date of service; a contractor of the right kind whose jurisdiction holds the state on that date;
the procedure among the article's own, or, where it lists none (DME), among those of its related LCD.
"""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from sys import intern
from typing import Any

from code_maps.coverage.mcd import store
from code_maps.coverage.mcd.store import Imported
from code_maps.coverage.policy import CodeList, CoveragePolicy, Frequency, Group, NonCovered, Services
from code_maps.coverage.prose import (
    DenialProse,
    GroupProse,
    Listed,
    frequency_limits,
    is_never_covered,
    plain_text,
    read_denial,
    read_groups,
)
from code_maps.icd10cm.problems import ImportProblem
from code_maps.rulefile import Rule, Source

PLACEHOLDER = "XX000"
_SUBTYPE = {"B": 2, "DME": 4}
# A whole state stands for its parts and they for it; CMS's letters for a territory where the post has others.
_PARTS = {"NY": ("DN", "QN", "UN"), "CA": ("NF", "SF"), "MO": ("EM", "WM")}
_SAME = {"MP": ("CNMI",), "CNMI": ("MP",)}
_MARKS = frozenset({"*", "Y", "y"})
_RESPONSES = frozenset({3, 5})  # responses to comments and drafts say nothing about coverage
_QUOTE = 700
_URL = "https://www.cms.gov/medicare-coverage-database/view"


@dataclass(frozen=True)
class Version:
    """One version of a document and the dates between which it holds.

    ended is the last day by any of its end dates; retired tells that it is the whole document that ended then.
    """

    id: int
    number: int
    title: str
    effective: dt.date | None
    ended: dt.date | None
    retired: bool
    proposed: bool

    def holds_on(self, on: dt.date | None) -> bool:
        """Whether a date lies between its dates, both included; without a date, whether it has no end."""
        if on is None:
            return self.ended is None
        return (self.effective is None or self.effective <= on) and (self.ended is None or on <= self.ended)


def in_force(versions: Iterable[Version], on: dt.date | None) -> Version | None:
    """The version that holds on a date: the latest to take effect, then the highest number; proposed ones never."""
    holding = [v for v in versions if not v.proposed and v.holds_on(on)]
    return max(holding, key=lambda v: (v.effective or dt.date.min, v.number), default=None)


def why_none(versions: Sequence[Version], on: dt.date | None) -> str:
    """Why no version holds: proposed only, retired, or not in force on the date."""
    usable = [v for v in versions if not v.proposed]
    if not usable:
        return "article-proposed"
    begun = [v for v in usable if on is None or v.effective is None or v.effective <= on]
    last = max(begun, key=lambda v: (v.effective or dt.date.min, v.number), default=None)
    return "article-retired" if last is not None and last.retired else "not-effective-on-dos"


class McdPolicies:
    """The policies of imported articles. Opens its files when first asked; safe for threads and forked processes."""

    def __init__(self, manifest: Mapping[str, Imported], where: Path) -> None:
        self.manifest = dict(manifest)
        self._where = where
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._pid = 0
        self._found: dict[tuple[str, dt.date | None, str | None, str], tuple[tuple[CoveragePolicy, ...], str]] = {}
        self._policies: dict[tuple[int, int], CoveragePolicy] = {}
        self._for_code: dict[tuple[int, int, str], CoveragePolicy] = {}
        self._versions: dict[int, tuple[Version, ...]] = {}
        self._procedures: dict[tuple[int, int], frozenset[str]] = {}
        self._holders: dict[tuple[int, int], tuple[_Holder, ...]] = {}
        self._candidates: dict[str, tuple[int, ...]] = {}
        self._contractors: dict[tuple[int, int, int], _Contractor] | None = None
        self._states: dict[int, str] = {}

    # --- asking ---

    def lookup(
        self, code: str, on: dt.date | None, state: str | None, contract: str
    ) -> tuple[tuple[CoveragePolicy, ...], str]:
        """The articles that hold for a procedure, and without any the reason, of the one that came nearest."""
        key = (code, on, state, contract)
        found = self._found.get(key)
        if found is None:
            with self._lock:
                found = self._look_up(code, on, state, contract)
                if len(self._found) > 200_000:
                    self._found.clear()
                self._found[key] = found
        return found

    def _look_up(
        self, code: str, on: dt.date | None, state: str | None, contract: str
    ) -> tuple[tuple[CoveragePolicy, ...], str]:
        policies, reason, nearest = [], "no-article", -1
        for article in self._articles_with(code):
            versions = self._versions_of(article)
            chosen = in_force(versions, on)
            if chosen is not None and code not in self._services(chosen):
                continue
            shown = chosen or self._nearest(versions, code)
            if shown is None:
                continue
            if all(v.proposed for v in versions):
                failed = 0, "article-proposed"
            elif not (holders := [h for h in self._holders_of(shown) if h.subtype == _SUBTYPE.get(contract)]):
                failed = 1, "contract-type-mismatch"
            elif not any(h.holds(state, on) for h in holders):
                failed = 2, "not-in-jurisdiction"
            elif chosen is None:
                failed = 3, why_none(versions, on)
            else:
                policies.append(self._policy_for(chosen, code))
                continue
            if failed[0] > nearest:
                nearest, reason = failed
        policies.sort(key=lambda p: (not p.groups and not p.noncovered, p.id))
        return tuple(policies), reason

    def policy(self, article: int, version: int | None = None) -> CoveragePolicy | None:
        """One article as a policy, in one version or its latest."""
        with self._lock:
            versions = [v for v in self._versions_of(article) if version in (None, v.number)]
            chosen = max(versions, key=lambda v: (v.effective or dt.date.min, v.number), default=None)
            return self._compiled(chosen) if chosen else None

    def documents(self) -> list[tuple[str, Version]]:
        """Every imported document with its kind, in the order of kinds and numbers; NCDs have a section in the title."""
        with self._lock:
            found: list[tuple[str, Version]] = []
            for kind, (table, columns) in _HEADERS.items():
                schema = self._schema(kind, table)
                if schema is None:
                    continue
                rows = self._rows(f'SELECT {columns} FROM {schema}."{table}" ORDER BY 1, 2')
                found.extend((kind, _version(row)) for row in rows)
            return found

    def places(self) -> dict[tuple[str, int], frozenset[str]]:
        """The states of every article and LCD, by kind and number, from the contractors of all its versions."""
        found: dict[tuple[str, int], set[str]] = defaultdict(set)
        with self._lock:
            known = self._known_contractors()
            for kind in ("article", "lcd"):
                if not self._has(kind, f"{kind}_x_contractor"):
                    continue
                rows = self._rows(
                    f"SELECT DISTINCT {kind}_id, contractor_id, contractor_type_id, contractor_version "
                    f"FROM {kind}.{kind}_x_contractor"
                )
                for number, *key in rows:
                    contractor = known.get((key[0], key[1], key[2]))
                    if contractor is not None:
                        found[kind, number].update(state for state, _, _ in contractor.places if state)
        return {key: frozenset(states) for key, states in found.items()}

    def text(self, kind: str, number: int, version: int) -> list[tuple[str, str]]:
        """The prose of a document as headed plain paragraphs."""
        with self._lock:
            found: list[tuple[str, str]] = []
            for table, heading, columns in _TEXTS[kind]:
                schema = self._schema(kind, table)
                if schema is None:
                    continue
                key = ("ncd_id", "ncd_vrsn_num") if kind == "ncd" else (f"{kind}_id", f"{kind}_version")
                rows = self._rows(
                    f'SELECT {columns} FROM {schema}."{table}" WHERE {key[0]}=? AND {key[1]}=? ORDER BY 1',
                    number,
                    version,
                )
                for label, *cells in rows:
                    title = heading.format(label)
                    found.extend((title, text) for cell in cells if (text := plain_text(str(cell or ""))))
            return found

    # --- the store ---

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401  (what SQLite takes)
        if self._db is None or self._pid != os.getpid():
            # A connection must not be used on both sides of a fork.
            self._db, self._pid = self._connected(), os.getpid()
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise self._damaged(error) from None

    def _connected(self) -> sqlite3.Connection:
        try:
            files = {kind: self._where / entry.file for kind, entry in self.manifest.items()}
            missing = [path for path in files.values() if not path.is_file()]
            if missing:
                raise ImportProblem("the file is gone", str(missing[0]), _MEND)
            db = sqlite3.connect(":memory:", check_same_thread=False, uri=True)
            store.attach(db, files)
            return db
        except sqlite3.Error as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> ImportProblem:
        return ImportProblem(f"the imported policies can't be read ({error})", str(self._where), _MEND)

    def _has(self, kind: str, table: str) -> bool:
        entry = self.manifest.get(kind)
        return entry is not None and table in entry.tables

    def _schema(self, kind: str, table: str) -> str | None:
        return kind if self._has(kind, table) else None

    def _articles_with(self, code: str) -> tuple[int, ...]:
        found = self._candidates.get(code)
        if found is None:
            own = {
                r[0]
                for r in self._rows(
                    "SELECT DISTINCT article_id FROM article.article_x_hcpc_code WHERE hcpc_code_id=?", code
                )
            }
            if self._has("lcd", "lcd_x_hcpc_code"):
                lcds = self._rows("SELECT DISTINCT lcd_id FROM lcd.lcd_x_hcpc_code WHERE hcpc_code_id=?", code)
                for (lcd,) in lcds:
                    own |= {
                        r[0]
                        for r in self._rows(
                            "SELECT DISTINCT article_id FROM article.article_related_documents WHERE r_lcd_id=?", lcd
                        )
                    }
                    if self._has("lcd", "lcd_related_documents"):
                        own |= {
                            r[0]
                            for r in self._rows(
                                "SELECT DISTINCT r_article_id FROM lcd.lcd_related_documents WHERE lcd_id=? AND r_article_id<>''",
                                lcd,
                            )
                        }
            found = tuple(sorted(a for a in own if isinstance(a, int) and self._versions_of(a)))
            self._candidates[code] = found
        return found  # fmt: skip

    def _versions_of(self, article: int) -> tuple[Version, ...]:
        found = self._versions.get(article)
        if found is None:
            columns = _HEADERS["article"][1]
            rows = self._rows(f"SELECT {columns} FROM article.article WHERE article_id=?", article)
            versions = [_version(row) for row in rows if row[-1] not in _RESPONSES]
            if self._has("article", "article_future_retire"):
                dates = self._rows("SELECT retire_dt FROM article.article_future_retire WHERE article_id=?", article)
                retire = min((d for row in dates if (d := _date(row[0]))), default=None)
                if retire is not None:
                    versions = [
                        replace(v, ended=retire, retired=True) if v.ended is None or v.ended > retire else v
                        for v in versions
                    ]
            found = self._versions[article] = tuple(versions)
        return found

    def _nearest(self, versions: Sequence[Version], code: str) -> Version | None:
        """The latest version that lists a procedure, for saying why none holds."""
        listing = [v for v in versions if code in self._services(v)]
        return max(listing, key=lambda v: (not v.proposed, v.effective or dt.date.min, v.number), default=None)

    def _services(self, version: Version) -> frozenset[str]:
        key = (version.id, version.number)
        found = self._procedures.get(key)
        if found is None:
            groups = self._procedure_groups(version)
            found = self._procedures[key] = frozenset(code for codes in groups.values() for code in codes)
        return found

    def _procedure_groups(self, version: Version) -> dict[int, frozenset[str]]:
        """The procedures of an article by their groups; those of its related LCD where it lists none."""
        rows = self._rows(
            "SELECT hcpc_code_group, hcpc_code_id FROM article.article_x_hcpc_code WHERE article_id=? AND article_version=?",
            version.id, version.number,
        )  # fmt: skip
        own = _by_group(rows)
        if own or not self._has("lcd", "lcd_x_hcpc_code"):
            return own
        for lcd, wanted in self._related_lcds(version):
            at_hand = [
                r[0] for r in self._rows("SELECT DISTINCT lcd_version FROM lcd.lcd_x_hcpc_code WHERE lcd_id=?", lcd)
            ]
            if not at_hand:
                continue
            number = wanted if wanted in at_hand else max(at_hand)
            query = "SELECT hcpc_code_group, hcpc_code_id FROM lcd.lcd_x_hcpc_code WHERE lcd_id=? AND lcd_version=?"
            found = _by_group(self._rows(query, lcd, number))
            if found:
                return found
        return own

    def _related_lcds(self, version: Version) -> list[tuple[int, int | None]]:
        found: dict[int, int | None] = {}
        rows = self._rows(
            "SELECT r_lcd_id, r_lcd_version FROM article.article_related_documents "
            "WHERE article_id=? AND article_version=? AND r_lcd_id<>''", version.id, version.number,
        )  # fmt: skip
        if self._has("lcd", "lcd_related_documents"):
            rows += self._rows(
                "SELECT lcd_id, lcd_version FROM lcd.lcd_related_documents WHERE r_article_id=? ORDER BY lcd_version DESC",
                version.id,
            )  # fmt: skip
        for lcd, number in rows:
            if isinstance(lcd, int):
                found.setdefault(lcd, number if isinstance(number, int) else None)
        return list(found.items())

    # --- contractors ---

    def _holders_of(self, version: Version) -> tuple[_Holder, ...]:
        """The contractors of a version with the places where they hold it."""
        key = (version.id, version.number)
        found = self._holders.get(key)
        if found is None:
            known = self._known_contractors()
            rows = self._rows(
                "SELECT contractor_id, contractor_type_id, contractor_version FROM article.article_x_contractor "
                "WHERE article_id=? AND article_version=?", *key,
            )  # fmt: skip
            rows = list(dict.fromkeys(rows))
            only: frozenset[str] | None = None
            if len(rows) == 1 and self._has("article", "article_x_primary_jurisdiction"):
                # The dictionary: a document of a single contractor holds in the states of this table.
                query = "SELECT state_id FROM article.article_x_primary_jurisdiction WHERE article_id=? AND article_version=?"
                only = frozenset(self._states.get(r[0], "") for r in self._rows(query, *key)) or None
            contractors = [known[row] for row in rows if row in known]
            found = self._holders[key] = tuple(_Holder(c.subtype, c.places, only) for c in contractors)
        return found

    def _known_contractors(self) -> dict[tuple[int, int, int], _Contractor]:
        if self._contractors is None:
            found: dict[tuple[int, int, int], _Contractor] = {}
            for kind in ("lcd", "article"):  # the article download's own tables last: they decide
                if not self._has(kind, "contractor"):
                    continue
                self._states.update(dict(self._rows(f"SELECT state_id, state_abbrev FROM {kind}.state_lookup")))
                places: dict[tuple[int, int, int], list[tuple[str, dt.date | None, dt.date | None]]] = defaultdict(list)
                for *key, state, active, term in self._rows(
                    "SELECT contractor_id, contractor_type_id, contractor_version, state_id, active_date, term_date "
                    f"FROM {kind}.contractor_jurisdiction"
                ):
                    places[key[0], key[1], key[2]].append((self._states.get(state, ""), _date(active), _date(term)))
                for *key, subtype in self._rows(
                    "SELECT contractor_id, contractor_type_id, contractor_version, contractor_subtype_id "
                    f"FROM {kind}.contractor"
                ):
                    at = (key[0], key[1], key[2])
                    found[at] = _Contractor(subtype, tuple(places.get(at, ())))
            self._contractors = found
        return self._contractors

    # --- what an article says ---

    def _policy_for(self, version: Version, code: str) -> CoveragePolicy:
        """The policy as a procedure sees it: its quote is the prose that speaks of that procedure."""
        key = (version.id, version.number, code)
        found = self._for_code.get(key)
        if found is None:
            policy = self._compiled(version)
            if code in policy.never_covered:
                quote = policy.quote
            else:
                quotes = [g.quote for g in policy.groups if g.serves(code) and g.quote]
                quotes += [n.quote for n in policy.noncovered if n.serves(code) and n.quote]
                quote = "\n".join(dict.fromkeys(quotes))[:_QUOTE]
            found = self._for_code[key] = replace(policy, quote=quote)
        return found

    def _compiled(self, version: Version) -> CoveragePolicy:
        key = (version.id, version.number)
        found = self._policies.get(key)
        if found is None:
            found = self._policies[key] = self._compile(version)
        return found

    def _compile(self, version: Version) -> CoveragePolicy:
        key = (version.id, version.number)
        by_group = self._procedure_groups(version)
        listed = frozenset(c for codes in by_group.values() for c in codes)
        procedures = self._prose("article_x_hcpc_code_group", "hcpc_code_group", "paragraph", key)
        covered = self._codes("article_x_icd10_covered", "icd10_covered_group", "asterisk", key)
        denied = self._codes("article_x_icd10_noncovered", "icd10_noncovered_group", "''", key)
        paragraphs = self._prose("article_x_icd10_covered_group", "icd10_covered_group", "paragraph", key)
        refusals = self._prose("article_x_icd10_noncovered_group", "icd10_noncovered_group", "paragraph", key)
        body = self._body(key)
        said = read_groups(
            {n: paragraphs.get(n, "") for n in covered},
            self._prose("article_x_icd10_covered_group", "icd10_covered_group", "icd10_covered_ast", key),
            Listed(listed, by_group, procedures, *self._modifiers(key)),
            body,
        )
        never: dict[str, str] = {}
        for number, text in procedures.items():
            if is_never_covered(text):
                never.update(dict.fromkeys(by_group.get(number, ()), text))
        limits = frequency_limits(body, listed)
        for number, text in procedures.items():
            here = by_group.get(number, frozenset())
            limits += [f if f.services else replace(f, services=Services(here)) for f in frequency_limits(text, listed)]
        for number in covered:
            limits += [_of_group(f, said[number], covered[number], len(covered)) for f in said[number].limits]
        return CoveragePolicy(
            rule=_rule(version),
            kind="Article",
            services=Services(listed),
            version=version.number,
            groups=tuple(g for n in sorted(covered) for g in _groups(n, covered[n], said[n], paragraphs.get(n, ""))),
            noncovered=tuple(
                _noncovered(n, denied[n], read_denial(refusals.get(n, ""), listed, by_group), refusals.get(n, ""))
                for n in sorted(denied)
            ),
            never_covered=Services(frozenset(never)),
            frequency=tuple(dict.fromkeys(limits)),
            rarc="N115",
            states=frozenset(state for h in self._holders_of(version) for state, _, _ in h.places if state),
            contracts=frozenset(
                c for c, subtype in _SUBTYPE.items() if any(h.subtype == subtype for h in self._holders_of(version))
            ),
            quote="\n".join(dict.fromkeys(never.values()))[:_QUOTE],
        )

    def _prose(self, table: str, group: str, column: str, key: tuple[int, int]) -> dict[int, str]:
        rows = self._rows(
            f'SELECT "{group}", "{column}" FROM article."{table}" WHERE article_id=? AND article_version=?', *key
        )
        return {int(n): plain_text(text) for n, text in rows if isinstance(n, int)}

    def _body(self, key: tuple[int, int]) -> str:
        rows = self._rows("SELECT description FROM article.article WHERE article_id=? AND article_version=?", *key)
        return "\n".join(plain_text(row[0] or "") for row in rows)

    def _modifiers(self, key: tuple[int, int]) -> tuple[dict[int, tuple[str, ...]], dict[int, str]]:
        """The modifiers of an article by their groups, and the prose of these groups."""
        groups: dict[int, list[str]] = defaultdict(list)
        for number, code in self._rows(
            "SELECT hcpc_modifier_group, hcpc_modifier_code_id FROM article.article_x_hcpc_modifier "
            "WHERE article_id=? AND article_version=?", *key,
        ):  # fmt: skip
            if isinstance(number, int) and code and code not in ("XX", PLACEHOLDER):
                groups[number].append(code)
        prose = self._prose("article_x_hcpc_modifier_group", "hcpc_modifier_group", "paragraph", key)
        return {n: tuple(codes) for n, codes in groups.items()}, prose

    def _codes(self, table: str, group: str, mark: str, key: tuple[int, int]) -> dict[int, _Listed]:
        """A table's diagnoses by their lists, with ranges; placeholders are no codes, and an empty list is none."""
        found = self._rows(
            f'SELECT "{group}", icd10_code_id, "range", {mark} FROM article."{table}" '
            "WHERE article_id=? AND article_version=? ORDER BY sort_order, icd10_code_id", *key,
        )  # fmt: skip
        if all(span == "N" and not mark for _, _, span, mark in found):
            # Nearly every list: single codes without an asterisk.
            singles: dict[int, set[str]] = defaultdict(set)
            for number, code, _, _ in found:
                singles[number].add(code)
            for codes in singles.values():
                codes.discard(PLACEHOLDER)
            if all(isinstance(number, int) for number in singles) and all(map(_is_clean, singles.values())):
                return {n: _Listed(CodeList(frozenset(codes)), CodeList()) for n, codes in singles.items() if codes}
        rows: dict[int, list[tuple[str, str, bool]]] = defaultdict(list)
        for number, code, span, marked in found:
            code = code.strip().upper()
            if code and code != PLACEHOLDER:
                place = number if isinstance(number, int) else 1
                rows[place].append((code, span.strip(), marked.strip() in _MARKS))
        return {number: _listed(listed) for number, listed in rows.items()}


def _is_clean(codes: set[str]) -> bool:
    """Whether codes are written as they should be, without blanks or small letters."""
    joined = "".join(codes)
    return "" not in codes and joined.isascii() and " " not in joined and joined == joined.upper()


# --- small records -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Contractor:
    subtype: Any
    places: tuple[tuple[str, dt.date | None, dt.date | None], ...]


@dataclass(frozen=True)
class _Holder:
    """A contractor of one version of an article; `only` are the states that the version is limited to."""

    subtype: Any
    places: tuple[tuple[str, dt.date | None, dt.date | None], ...]
    only: frozenset[str] | None

    def holds(self, state: str | None, on: dt.date | None) -> bool:
        """Whether a state lies in the jurisdiction on a date. A state that isn't given lies in none."""
        names = state_names(state)
        if self.only is not None and not names & self.only:
            return False
        return any(
            place in names and (on is None or ((begin is None or begin <= on) and (end is None or on <= end)))
            for place, begin, end in self.places
        )


@lru_cache(maxsize=256)
def state_names(state: str | None) -> frozenset[str]:
    """The abbreviations that stand for a state: its own, its parts', or that of the state it is a part of."""
    if not state:
        return frozenset()
    name = state.strip().upper()
    whole = {w for w, parts in _PARTS.items() if name in parts}
    return frozenset({name, *_PARTS.get(name, ()), *_SAME.get(name, ()), *whole})


@dataclass(frozen=True)
class _Listed:
    """One list of diagnoses as the table has it: all of it, and the part with an asterisk."""

    codes: CodeList
    marked: CodeList


def _listed(rows: Sequence[tuple[str, str, bool]]) -> _Listed:
    singles: list[tuple[str, bool]] = []
    ranges: list[tuple[str, str, bool]] = []
    at = 0
    while at < len(rows):
        code, span, marked = rows[at]
        end = at + 1
        while span == "B" and end < len(rows) and rows[end][1] == "M":
            end += 1
        closed = span == "B" and end < len(rows) and rows[end][1] == "E"
        if closed and end == at + 1:
            ranges.append((code, rows[end][0], marked or rows[end][2]))
            at += 2
            continue
        singles.append((code, marked))
        at += 1
    return _Listed(
        CodeList(frozenset(c for c, _ in singles), tuple((a, b) for a, b, _ in ranges)),
        CodeList(frozenset(c for c, m in singles if m), tuple((a, b) for a, b, m in ranges if m)),
    )


# --- from tables and prose to the shape that all policies share --------------------------------------------------


def _groups(number: int, listed: _Listed, said: GroupProse, paragraph: str) -> list[Group]:
    """One list as groups: one for each way to complete it, and one for marked codes that need more than the others."""
    serves = Services(said.services) if said.services is not None else Services()
    mark = said.marked or "The article marks this code with an asterisk"
    base = Group(
        number=number,
        codes=listed.codes,
        services=serves,
        secondary=said.secondary,
        marked=listed.marked,
        mark=mark[:_QUOTE] if listed.marked else "",
        modifiers=said.modifiers,
        condition=said.condition,
        unreadable=said.unreadable,
        first_pointer=said.first_pointer,
        quote=(f"{paragraph}\n{said.marked}" if said.marked and said.marked not in paragraph else paragraph)[:_QUOTE],
    )
    if listed.marked and said.marked_requires and not said.secondary:
        plain = CodeList(
            listed.codes.codes - listed.marked.codes,
            tuple(r for r in listed.codes.ranges if r not in listed.marked.ranges),
        )
        needing = replace(base, codes=listed.marked, marked=CodeList(), mark="")
        rest = (
            [replace(base, codes=plain, marked=CodeList(), mark="", requires=way) for way in said.requires or ((),)]
            if plain
            else []
        )
        return [*rest, *(replace(needing, requires=way) for way in said.marked_requires)]
    return [replace(base, requires=way) for way in said.requires or ((),)]


def _noncovered(number: int, listed: _Listed, said: DenialProse, paragraph: str) -> NonCovered:
    return NonCovered(
        number=number,
        codes=listed.codes,
        services=Services(said.services) if said.services is not None else Services(),
        absolute=said.absolute,
        statutory=said.statutory,
        rarc=None if said.statutory else "N115",
        quote=paragraph[:_QUOTE],
    )


def _of_group(limit: Frequency, said: GroupProse, listed: _Listed, lists: int) -> Frequency:
    """A limit that stands beside one list: for its procedures, and for its diagnoses where there are other lists."""
    services = limit.services or (Services(said.services) if said.services is not None else Services())
    return replace(limit, services=services, diagnoses=listed.codes if lists > 1 else CodeList())


def _rule(version: Version) -> Rule:
    source = Source(
        title="CMS Medicare Coverage Database",
        edition=f"version {version.number}",
        place=f"Article A{version.id}",
        url=f"{_URL}/article.aspx?articleId={version.id}&ver={version.number}",
    )
    return Rule(
        id=f"A{version.id}",
        family="policy",
        title=version.title,
        why="A Medicare contractor's billing and coding article lists the diagnoses that support these procedures.",
        sources=(source,),
        limits=("Prose beside the lists is read by patterns; what they can't read is left to a person.",),
        in_force=(version.effective, version.ended),
    )


def _by_group(rows: Iterable[tuple[Any, ...]]) -> dict[int, frozenset[str]]:
    groups: dict[int, set[str]] = defaultdict(set)
    for number, code in rows:
        code = code.strip().upper()
        if code and code != PLACEHOLDER:
            groups[number if isinstance(number, int) else 1].add(intern(code))
    return {number: frozenset(codes) for number, codes in groups.items()}


_HEADERS = {
    "article": ("article", "article_id, article_version, title, article_eff_date, article_end_date, "
                "article_rev_end_date, date_retired, status, display_id, article_type"),
    "lcd": ("lcd", "lcd_id, lcd_version, title, rev_eff_date, ent_det_end_date, rev_end_date, date_retired, status, "
            "display_id, 0"),
    "ncd": ("ncd_trkg", "ncd_id, ncd_vrsn_num, ncd_mnl_sect || ' ' || ncd_mnl_sect_title, ncd_efctv_dt, "
            "ncd_trmntn_dt, '', '', 'A', '', 0"),
}  # fmt: skip
# Where a document's prose stands: table, heading, and columns of which the first goes into the heading.
_TEXTS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "article": (
        ("article", "Text", "article_id, description"),
        ("article_x_hcpc_code_group", "Procedures, group {}", "hcpc_code_group, paragraph"),
        ("article_x_hcpc_modifier_group", "Modifiers, group {}", "hcpc_modifier_group, paragraph"),
        (
            "article_x_icd10_covered_group",
            "Covered diagnoses, group {}",
            "icd10_covered_group, paragraph, icd10_covered_ast",
        ),
        ("article_x_icd10_noncovered_group", "Non-covered diagnoses, group {}", "icd10_noncovered_group, paragraph"),
    ),
    "lcd": (
        ("lcd", "Indications", "lcd_id, indication"),
        ("lcd_x_hcpc_code_group", "Procedures, group {}", "hcpc_code_group, paragraph"),
    ),
    "ncd": (
        ("ncd_trkg", "Service", "ncd_id, itm_srvc_desc"),
        ("ncd_trkg", "Indications and limitations", "ncd_id, indctn_lmtn"),
    ),
}


def _version(row: Sequence[Any]) -> Version:
    number, version, title, effective, *ends, status, display, _ = row
    dates = [day for day in map(_date, ends) if day is not None]
    *_, retired = ends
    return Version(
        id=number,
        number=version,
        title=plain_text(title or ""),
        effective=_date(effective),
        ended=min(dates, default=None),
        retired=bool(_date(retired)) or (status or "").strip().upper() == "R" or _date(ends[0]) is not None,
        proposed=(status or "").strip().upper() == "P" or (display or "").strip().upper().startswith("D"),
    )


@lru_cache(maxsize=16_384)
def _date(cell: Any) -> dt.date | None:  # noqa: ANN401  (a cell)
    """The date of a cell, without its time; the import has refused what is none."""
    text = str(cell or "").strip()
    return dt.date.fromisoformat(text[:10]) if text else None


_MEND = "Import the downloads again with `chartproof policies import`."
