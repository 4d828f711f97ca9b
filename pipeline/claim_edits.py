"""Claim edits: what is wrong with a claim as it is written, whatever the policies say.

Each edit is a rule file in code_maps/edits/rules and a function here under the same name. An edit whose CMS table isn't
imported isn't run, and a notice says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from code_maps.coverage import Services
from code_maps.edits import CmsTables, edit_rules
from code_maps.edits.imported import tables_on
from code_maps.edits.validity import Status, billable_children, validity
from code_maps.icd10cm import CodeSet
from code_maps.places import lies_under
from code_maps.rulefile import Rule
from models.claim import Claim, ClaimLine, Edit

CodesFor = Callable[[dt.date | None], CodeSet]
TablesFor = Callable[[dt.date | None], CmsTables]


@dataclass(frozen=True)
class _Claim:
    """A claim with what the edits ask about. `sound` are its valid diagnoses, each once, in claim order."""

    claim: Claim
    release: CodeSet
    status: dict[str, Status]
    sound: tuple[str, ...]
    tables: CmsTables
    tables_for: TablesFor

    def pointed(self, line: ClaimLine) -> tuple[str, ...]:
        """The sound diagnoses that a line points to, in the order of the pointers."""
        count = len(self.claim.diagnoses)
        found = (self.claim.diagnoses[p - 1] for p in line.pointers if 1 <= p <= count)
        return tuple(dx for dx in dict.fromkeys(found) if dx in self.sound)

    def on(self, line: ClaimLine) -> dt.date | None:
        """The date of a line."""
        return line.date_of_service or self.claim.date_of_service

    def tables_on(self, line: ClaimLine) -> CmsTables:
        """The tables of a line's own date, which may lie in another quarter than the claim's."""
        return self.tables if line.date_of_service is None else self.tables_for(line.date_of_service)


@dataclass(frozen=True)
class _Hit:
    """Where an edit fires and what is wrong there."""

    why: str
    line: int | None = None
    dx: str | None = None
    extra: tuple[tuple[str, Any], ...] = ()


def claim_edits(
    claim: Claim, codes_for: CodesFor, tables: CmsTables | TablesFor = tables_on
) -> tuple[tuple[Edit, ...], tuple[str, ...]]:
    """The edits that fire, in the order claim, lines, and notices about edits that weren't run.

    `codes_for` gives the release for a date of service; `tables` what was imported from CMS, or how to get it for a
    date of service.
    """
    on = claim.date_of_service
    tables_for: TablesFor = (lambda _: tables) if isinstance(tables, CmsTables) else tables
    days = list(dict.fromkeys((on, *(line.date_of_service or on for line in claim.lines))))
    at_hand = [tables_for(day) for day in days]
    status = {dx: validity(dx, on, codes_for) for dx in dict.fromkeys(claim.diagnoses)}
    sound = tuple(dx for dx, how in status.items() if how == "valid")
    case = _Claim(claim, codes_for(on), status, sound, at_hand[0], tables_for)
    edits: list[Edit] = []
    skipped: list[str] = []
    uncovered: list[str] = []
    for rule in edit_rules():
        if not rule.holds_on(on):
            continue
        needs = rule.data.get("needs")
        if needs and all(getattr(table, needs) is None for table in at_hand):
            if needs in at_hand[0].uncovered:
                uncovered.append(f"{rule.id} (imported: {at_hand[0].uncovered[needs]})")
            else:
                skipped.append(rule.id)
            continue
        for hit in _EDITS[rule.id](case, rule):
            edits.append(
                Edit(edit=rule.id, severity=rule.data["severity"], line=hit.line, dx=hit.dx, why=hit.why,
                     source=str(rule.sources[0]), extra=dict(hit.extra))
            )  # fmt: skip
    notices = []
    if skipped:
        notices.append(
            f"Not checked, nothing imported: {', '.join(skipped)}. `chartproof edits import` reads CMS's files."
        )
    if uncovered:
        notices.append(f"Not checked, nothing imported covers {on}: {', '.join(uncovered)}.")
    notices += dict.fromkeys(notice for table in at_hand for notice in table.lasting)
    unchecked = [dx for dx, how in status.items() if how == "unchecked"]
    if unchecked:
        notices.append(f"Not checked, no release covers {on}: whether {', '.join(unchecked)} is valid.")
    edits.sort(key=lambda e: (_ORDER[e.severity], e.line or 0, e.edit, e.dx or ""))
    return tuple(edits), tuple(notices)


_ORDER = {"error": 0, "warning": 1, "info": 2}


def _values(rule: Rule) -> dict[str, Any]:
    values: dict[str, Any] = rule.data.get("values", {})
    return values


def _numbered(case: _Claim) -> Iterator[tuple[int, ClaimLine]]:
    return enumerate(case.claim.lines, 1)


# --- diagnoses and pointers --------------------------------------------------------------------------------------


def _no_diagnosis(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    if not case.claim.diagnoses:
        yield _Hit("The claim has no diagnosis.")


def _too_many_diagnoses(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    count, most = len(case.claim.diagnoses), _values(rule)["most"]
    if count > most:
        yield _Hit(f"The claim has {count} diagnoses; {most} can be sent.")


def _duplicate_diagnosis(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    for dx in case.sound:
        if case.claim.diagnoses.count(dx) > 1:
            yield _Hit(f"{dx} stands on the claim more than once.", dx=dx)


def _pointer_missing(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    for number, line in _numbered(case):
        if case.claim.diagnoses and not line.pointers:
            yield _Hit(f"Line {number} ({line.code}) points to no diagnosis.", number)


def _pointer_dangling(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    count = len(case.claim.diagnoses)
    for number, line in _numbered(case):
        bad = [p for p in line.pointers if not 1 <= p <= count]
        if count and bad:
            yield _Hit(f"Line {number} ({line.code}) points to position {bad[0]}; the claim has 1 to {count}.", number)


def _pointer_too_many(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    most = _values(rule)["most"]
    for number, line in _numbered(case):
        if len(line.pointers) > most:
            yield _Hit(f"Line {number} ({line.code}) has {len(line.pointers)} pointers; {most} can be sent.", number)


def _by_status(status: Status, why: str) -> Callable[[_Claim, Rule], Iterable[_Hit]]:
    def edit(case: _Claim, rule: Rule) -> Iterable[_Hit]:
        for dx, how in case.status.items():
            if how == status:
                below = ", ".join(billable_children(dx, case.release)) if dx in case.release else ""
                shown = why.format(dx=dx, on=case.claim.date_of_service or "the release in use", below=below)
                yield _Hit(shown, dx=dx)

    return edit


# --- diagnoses among themselves ----------------------------------------------------------------------------------


def _manifestation(dx: str, case: _Claim, values: dict[str, Any]) -> bool:
    if case.tables.manifestations is not None:
        return dx in case.tables.manifestations
    if any(lies_under(dx, place) for place in values["places"]):
        return True
    title = case.release.title(dx).lower()
    if any(words in title for words in values["not_titles"]):
        return False
    if any(words in title for words in values["titles"]):
        return True
    own = [n for n in case.release.notes(dx, "code_first") if n.origin[1:2].isdigit() and "-" not in n.origin]
    return any("underlying" in n.text.lower() for n in own) and any(words in title for words in values["links"])


def _manifestation_first_listed(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    first = case.claim.diagnoses[:1]
    if first and first[0] in case.sound and _manifestation(first[0], case, _values(rule)):
        yield _Hit(f"{first[0]} is the manifestation of another disease, which is coded before it.", dx=first[0])


def _unacceptable_first_listed(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    first = case.claim.diagnoses[:1]
    if not first or first[0] not in case.sound:
        return
    dx, values = first[0], _values(rule)
    manifestation = next(r for r in edit_rules() if r.id == "manifestation-first-listed")
    if _manifestation(dx, case, _values(manifestation)):
        return
    underdosing = lies_under(dx, values["underdosing"]) and dx.replace(".", "")[5:6] == "6"
    if underdosing or any(lies_under(dx, place) for place in values["places"]):
        yield _Hit(f"{dx} can't be the first diagnosis: it adds to another one.", dx=dx)


def _excludes1_conflict(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    for i, one in enumerate(case.sound):
        for other in case.sound[i + 1 :]:
            note = case.release.excludes1(one, other)
            if note is not None:
                why = f"{one} and {other} exclude each other: Excludes1 note at {note.origin}, {case.release.release}."
                yield _Hit(why, dx=one, extra=(("with", other),))


def _missing_use_additional(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    for dx in case.sound:
        for row in _values(rule)["partners"]:
            if not any(lies_under(dx, place) for place in row["codes"]):
                continue
            lacking = [
                places for places in row["needs"]
                if not any(lies_under(other, place) for other in case.sound for place in places)
            ]  # fmt: skip
            if lacking:
                shown = " and ".join(" or ".join(f"{place}-" for place in places) for places in lacking)
                yield _Hit(f"{dx} asks for an additional code {shown}, which the claim doesn't have.", dx=dx)


def _dx_age_conflict(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    age = case.claim.patient.age
    for dx in case.sound if age is not None else ():
        group = (case.tables.age_classes or {}).get(dx)
        if group is not None and age is not None:
            low, high = _values(rule)[group]
            if not low <= int(age) <= high:
                yield _Hit(f"{dx} is a {group} diagnosis; the patient is {age:g}.", dx=dx)


def _dx_sex_conflict(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    sex = case.claim.patient.sex
    for dx in case.sound:
        theirs = (case.tables.sexes or {}).get(dx)
        if sex is not None and theirs is not None and theirs != sex:
            yield _Hit(f"{dx} is a diagnosis of {theirs} patients; the patient is {sex}.", dx=dx)


# --- sides -------------------------------------------------------------------------------------------------------

_SIDES = ("right", "left", "bilateral")


def side_of(dx: str, release: CodeSet) -> str | None:
    """right, left, bilateral, unspecified, or None for a code of a family that has no sides.

    A code has a side when a code beside it in the tabular differs only in it: left ventricular failure has none.
    """
    if "bilateral" in release.title(dx).lower().split():
        return "bilateral"
    stem = dx
    if len(dx) == 8 and (release.parent(dx) or "") in release and release.seventh_characters(dx):
        stem = release.parent(dx) or dx
    parent = release.parent(stem)
    if parent is None:
        return None
    words = {code: release.title(code).lower().split() for code in release.children(parent)}
    bare = {code: [w.strip(",") for w in title] for code, title in words.items()}
    mine = bare.get(stem, [])
    others = [title for code, title in bare.items() if code != stem]
    for side in ("right", "left"):
        if side in mine:
            mirror = [("left" if side == "right" else "right") if w == side else w for w in mine]
            return side if mirror in others else None
    sided = any("right" in title for title in others) and any("left" in title for title in others)
    if not sided:
        return None
    return "unspecified" if "unspecified" in mine else None


def _sides(case: _Claim, rule: Rule) -> Iterator[tuple[int, ClaimLine, str, str, list[tuple[str, str | None]]]]:
    """Lines with exactly one of RT and LT: number, line, its side, the other, and the pointed diagnoses' sides."""
    right, left = _values(rule)["right"], _values(rule)["left"]
    for number, line in _numbered(case):
        if (right in line.modifiers) == (left in line.modifiers):
            continue
        side, other = ("right", "left") if right in line.modifiers else ("left", "right")
        yield number, line, side, other, [(dx, side_of(dx, case.release)) for dx in case.pointed(line)]


def _laterality_mismatch(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    for number, line, side, other, sides in _sides(case, rule):
        wrong = [dx for dx, s in sides if s == other]
        if wrong and not any(s in (side, "bilateral") for _, s in sides):
            yield _Hit(f"Line {number} ({line.code}) says {side}; {wrong[0]} says {other}.", number, wrong[0])


def _laterality_unspecified(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    for number, line, side, _other, sides in _sides(case, rule):
        vague = [dx for dx, s in sides if s == "unspecified"]
        if vague and not any(s in _SIDES for _, s in sides):
            yield _Hit(f"Line {number} ({line.code}) says {side}; {vague[0]} leaves the side open.", number, vague[0])


# --- modifiers and procedures ------------------------------------------------------------------------------------


def _together(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    values = _values(rule)
    for number, line in _numbered(case):
        modifiers = set(line.modifiers)
        if set(values["together"]) <= modifiers and (not values.get("any_of") or modifiers & set(values["any_of"])):
            shown = ", ".join(m for m in line.modifiers if m in (*values["together"], *values.get("any_of", ())))
            yield _Hit(f"Line {number} ({line.code}) has {shown}, which contradict each other.", number)


def _services(rule: Rule) -> Services:
    return Services.of(_values(rule)["services"])


def _modifier_25_not_em(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    for number, line in _numbered(case):
        if "25" in line.modifiers and line.code not in _services(rule):
            yield _Hit(f"Line {number}: {line.code} is no evaluation and management service.", number)


def _em_missing_25(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    values = _values(rule)
    for number, line in _numbered(case):
        days = case.tables_on(line).global_days or {}
        if line.code not in _services(rule) or set(values["modifiers"]) & set(line.modifiers):
            continue
        minor = next(
            (o for n, o in _numbered(case)
             if n != number and days.get(o.code) in values["days"] and case.on(o) == case.on(line)), None
        )  # fmt: skip
        if minor:
            yield _Hit(f"Line {number} ({line.code}) stands beside {minor.code} without modifier 25.", number)


def years_later(day: dt.date, years: int) -> dt.date:
    """The same day so many years later; 28 February where there is no 29th."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _seen_recently(case: _Claim, line: ClaimLine, years: int) -> bool | None:
    """Whether the patient was seen within so many years; None when the claim doesn't say."""
    patient, on = case.claim.patient, case.on(line)
    if "last_seen" not in patient.model_fields_set or on is None:
        return None
    return patient.last_seen is not None and years_later(patient.last_seen, years) > on


def _em_new_but_established(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    for number, line in _numbered(case):
        if line.code in _services(rule) and _seen_recently(case, line, _values(rule)["years"]):
            seen = case.claim.patient.last_seen
            yield _Hit(f"Line {number}: {line.code} is for new patients; this one was last seen on {seen}.", number)


def _em_established_but_new(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    for number, line in _numbered(case):
        if line.code in _services(rule) and _seen_recently(case, line, _values(rule)["years"]) is False:
            seen = case.claim.patient.last_seen or "never"
            yield _Hit(f"Line {number}: {line.code} is for established patients; last seen: {seen}.", number)


def _procedure_deleted(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    for number, line in _numbered(case):
        since, on = _values(rule)["deleted"].get(line.code), case.on(line)
        if since is not None and on is not None and on >= since:
            yield _Hit(f"Line {number}: {line.code} was deleted on {since}.", number)


def _bilateral_modifier_invalid(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    for number, line in _numbered(case):
        indicator = (case.tables_on(line).bilateral or {}).get(line.code)
        if "50" in line.modifiers and indicator in _values(rule)["indicators"]:
            yield _Hit(
                f"Line {number}: {line.code} has bilateral indicator {indicator}; 50 isn't used with it.", number
            )


def _mue_exceeded(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    totals: dict[tuple[str, dt.date | None], float] = {}
    for number, line in _numbered(case):
        tables, on = case.tables_on(line), case.on(line)
        limit, dates = (tables.unit_limits or {}).get(line.code), tables.unit_limit_dates
        if limit is None or limit.units < 1 or case.claim.contract != "B":
            continue
        if dates is not None and (on is None or not dates[0] <= on <= dates[1]):
            continue
        before = totals.get((line.code, on), 0.0)
        totals[(line.code, on)] = before + line.units
        if limit.indicator == 1:
            over = line.units > limit.units
        else:
            over = before <= limit.units < before + line.units
        if over:
            per = "line" if limit.indicator == 1 else "day"
            yield _Hit(f"Line {number}: {line.code} has more than {limit.units} units a {per}.", number)


def _addon_without_primary(case: _Claim, rule: Rule) -> Iterable[_Hit]:
    billed = {line.code for line in case.claim.lines}
    for number, line in _numbered(case):
        primaries = (case.tables_on(line).addon_primaries or {}).get(line.code)
        if case.claim.contract == "B" and primaries and not primaries & billed:
            shown = ", ".join(sorted(primaries)[:4])
            yield _Hit(f"Line {number}: {line.code} is an add-on to {shown}; the claim has none of its codes.", number)


_EDITS: dict[str, Callable[[_Claim, Rule], Iterable[_Hit]]] = {
    "no-diagnosis": _no_diagnosis,
    "too-many-diagnoses": _too_many_diagnoses,
    "duplicate-diagnosis": _duplicate_diagnosis,
    "pointer-missing": _pointer_missing,
    "pointer-dangling": _pointer_dangling,
    "pointer-too-many": _pointer_too_many,
    "dx-unknown": _by_status("unknown", "{dx} is in no release at hand; codes have their dot, as in I50.22."),
    "dx-header": _by_status("header", "{dx} is a heading on {on}: {below} … are below it."),
    "dx-missing-7th": _by_status("missing-7th", "{dx} lacks its seventh character."),
    "dx-retired": _by_status("retired", "{dx} was valid in an earlier release and isn't on {on}."),
    "dx-not-yet-effective": _by_status("not-yet-effective", "{dx} is valid only in a release after {on}."),
    "dx-age-conflict": _dx_age_conflict,
    "dx-sex-conflict": _dx_sex_conflict,
    "manifestation-first-listed": _manifestation_first_listed,
    "unacceptable-first-listed": _unacceptable_first_listed,
    "excludes1-conflict": _excludes1_conflict,
    "missing-use-additional": _missing_use_additional,
    "laterality-mismatch": _laterality_mismatch,
    "laterality-unspecified": _laterality_unspecified,
    "bilateral-modifier-invalid": _bilateral_modifier_invalid,
    "modifier-ga-gz": _together,
    "modifier-gx-with-ga-or-gz": _together,
    "modifier-gy-with-gz": _together,
    "modifier-25-not-em": _modifier_25_not_em,
    "em-missing-25": _em_missing_25,
    "em-new-but-established": _em_new_but_established,
    "em-established-but-new": _em_established_but_new,
    "procedure-deleted": _procedure_deleted,
    "mue-exceeded": _mue_exceeded,
    "addon-without-primary": _addon_without_primary,
}
