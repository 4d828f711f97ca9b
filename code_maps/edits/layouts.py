"""CMS's layouts of edit tables, recognised by their header and read into plain tables. Only code numbers are kept.

MUE            Practitioner Services MUE Values: a notice above a header with line breaks in it
add-on codes   CMS's columns (AOC_Edit_Type, Add-On_Code … dates as YYYYDDD) or Add-on Code, Primary Code, Type …
fee schedule   PPRRVU: a header over several rows, GLOB DAYS and BILAT SURG; or HCPCS, GLOB DAYS, BILAT SURG;
               or the fixed-width text
MCE lists      Edit, Code; or the two texts H0519F3 … AGE and SEX
PTP changes    Column 1, Column 2, Modifier: one quarter's additions, deletions and changes of indicator
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from code_maps.edits.containers import Row
from code_maps.icd10cm.problems import ImportProblem

Kind = str
KINDS: dict[Kind, str] = {
    "unit-limits": "medically unlikely edits, practitioner services",
    "addons": "add-on codes",
    "global-days": "global days and bilateral indicators",
    "mce": "Medicare Code Editor lists of diagnoses",
    "age-list": "age list of diagnoses (H0519F3)",
    "sex-list": "sex list of diagnoses (H0519F3)",
    "ptp-changes": "NCCI procedure-to-procedure changes of a quarter",
}

_SERVICE = re.compile(r"[0-9A-Z]\d{3}[0-9A-Z]")
_DIAGNOSIS = re.compile(r"[A-Z]\d[0-9A-Z]{1,5}|[A-Z][A-Z]\d[0-9A-Z]{0,4}")
_GLOBALS = frozenset({"000", "010", "090", "MMM", "XXX", "YYY", "ZZZ"})
_BILATERALS = frozenset("01239")
_AGES = {"age_newborn": "newborn", "age_pediatric": "pediatric", "age_maternity": "maternity", "age_adult": "adult"}
_MCE_EDITS = frozenset({*_AGES, "manifestation_not_pdx", "unacceptable_pdx", "unacceptable_pdx_unless_secondary"})
_AGE_LINE = re.compile(r"([A-Z0-9]{3,7})\s+([0-3]) (newborn|pediatric|maternity|adult) \(age\s*[\d\s+-]+\)")
_SEX_LINE = re.compile(r"([A-Z0-9]{3,7})\s+[12] (female|male)")


@dataclass
class Table:
    """What was read from one table: what is kept, how many rows were loaded, and why others weren't."""

    kind: Kind
    blobs: dict[str, Any]
    loaded: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    first_refused: dict[str, int] = field(default_factory=dict)
    dates: tuple[dt.date, dt.date | None] | None = None
    notices: tuple[str, ...] = ()

    def refuse(self, reason: str, row: int) -> None:
        """Count a row that isn't used."""
        self.refused[reason] += 1
        self.first_refused.setdefault(reason, row)


def read_table(rows: list[Row], text: str | None, name: str, where: str) -> Table | str | None:
    """The table that some rows are, a reason why a known table isn't used, or None for what isn't known here.

    `text` is the text of a text file, for the layouts without columns; `name` the file's name.
    """
    if re.search(r"(?<![A-Z])MCD(?![A-Z])|MEDICAID", name.upper()):
        return "a table of Medicaid; Medicare's are used"
    if text is not None:
        lines = [line.rstrip() for line in text.splitlines() if line.strip()]
        for pattern, kind in ((_AGE_LINE, "age-list"), (_SEX_LINE, "sex-list")):
            if lines and pattern.fullmatch(lines[0]):
                return _listed(lines, pattern, kind, where)
    for number, row in enumerate(rows[:80]):
        cells = [_key(cell) for cell in row]
        for recognise, read in _HEADERS:
            if recognise(cells):
                return read(rows, number, name, where)
    if text is not None and re.search(r"^HDR", text[:3000], re.MULTILINE) and "PPRRVU" in name.upper():
        return _fixed_width(text, where)
    return None


def _key(cell: str) -> str:
    return re.sub(r"[^a-z0-9]", "", cell.lower())


def _column(cells: list[str], wanted: Iterable[str], where: str, row: int, needed: bool = True) -> int | None:
    names = tuple(wanted)
    found = [
        at for at, cell in enumerate(cells)
        if any(cell == name or (name.endswith("*") and cell.startswith(name[:-1])) for name in names)
    ]  # fmt: skip
    if len(found) > 1 and cells[found[0]] == cells[found[1]]:
        raise ImportProblem(
            f"the header in row {row + 1} has the column {names[0].rstrip('*')!r} twice",
            where,
            "Import the file as CMS publishes it.",
        )
    if found:
        return found[0]
    if needed:
        raise ImportProblem(
            f"the header in row {row + 1} has no column {names[0].rstrip('*')!r}",
            where,
            "Import the file as CMS publishes it; `chartproof edits import --help` names the layouts.",
        )
    return None


def _at(row: Row, column: int | None) -> str:
    return row[column].strip() if column is not None and column < len(row) else ""


def _service(cell: str) -> str | None:
    """A CPT or HCPCS code; a spreadsheet's number gets its leading zeros back."""
    cell = cell.strip().upper()
    if cell.isdigit() and len(cell) < 5:
        cell = cell.zfill(5)
    return cell if _SERVICE.fullmatch(cell) else None


def diagnosis(cell: str) -> str | None:
    """A diagnosis with its dot, from either way of writing it; None for what has another form."""
    bare = cell.strip().upper().replace(".", "")
    if not _DIAGNOSIS.fullmatch(bare):
        return None
    return bare if len(bare) == 3 else f"{bare[:3]}.{bare[3:]}"


def as_date(cell: str) -> dt.date | None:
    """A date as CMS writes it: YYYYDDD, YYYYMMDD, 2026-04-01 or 04/01/2026. Raises ValueError for anything else."""
    cell = cell.strip()
    if cell in ("", "*", "0"):
        return None
    if re.fullmatch(r"\d{7}", cell):
        return dt.datetime.strptime(cell, "%Y%j").date()
    if re.fullmatch(r"\d{8}", cell):
        return dt.datetime.strptime(cell, "%Y%m%d").date()
    if re.fullmatch(r"\d{1,2}/\d{1,2}/\d{4}", cell):
        return dt.datetime.strptime(cell, "%m/%d/%Y").date()
    return dt.date.fromisoformat(cell[:10])


def quarter(day: dt.date) -> tuple[dt.date, dt.date]:
    """The first and last day of a date's quarter."""
    month = 3 * ((day.month - 1) // 3) + 1
    after = dt.date(day.year + (month == 10), 1 if month == 10 else month + 3, 1)
    return dt.date(day.year, month, 1), after - dt.timedelta(days=1)


def date_in_name(text: str) -> dt.date | None:
    """A date in a file's name or a notice: Eff_04-01-2026, Effective 04/01/2026, 2026Q3."""
    found = re.search(r"eff(?:ective)?[ _-]*(\d{1,2})[-/](\d{1,2})[-/](\d{4})", text, re.IGNORECASE)
    if found:
        month, day, year = map(int, found.groups())
        try:
            return dt.date(year, month, day)
        except ValueError:
            return None
    found = re.search(r"(20\d\d) ?[-_]?Q([1-4])", text, re.IGNORECASE)
    return dt.date(int(found[1]), 3 * int(found[2]) - 2, 1) if found else None


# --- medically unlikely edits ------------------------------------------------------------------------------------


def _is_mue(cells: list[str]) -> bool:
    return any(c.startswith("hcpcscptcode") for c in cells) and any("muevalue" in c for c in cells)


def _mue(rows: list[Row], header: int, name: str, where: str) -> Table | str:
    cells = [_key(cell) for cell in rows[header]]
    code = _column(cells, ("hcpcscptcode*",), where, header)
    value = next(at for at, c in enumerate(cells) if "muevalue" in c)
    if not cells[value].startswith("practitioner"):
        return f"unit limits of another setting ({rows[header][value]}); practitioner services are checked"
    how = _column(cells, ("mueadjudicationindicator*",), where, header)
    said = date_in_name(" ".join(" ".join(row) for row in rows[:header]))
    named = date_in_name(name)
    if said and named and said != named:
        raise ImportProblem(
            f"the notice in it says {said}, its name {named}", where, "Import the file as CMS publishes it."
        )
    since = said or named
    if since is None:
        raise ImportProblem(
            "neither the notice above the header nor the file's name says from which day the limits hold",
            where,
            "Keep CMS's name, such as MCR_MUE_PractitionerServices_Eff_04-01-2026.csv.",
        )
    found: dict[str, list[int]] = {}
    table = Table("unit-limits", {"limits": found}, dates=(since, quarter(since)[1]))
    for number, row in _below(rows, header):
        service, units, indicator = _service(_at(row, code)), _at(row, value), _at(row, how)[:1]
        if service is None:
            table.refuse("no CPT or HCPCS code", number)
        elif not units.isdigit():
            table.refuse("the value is no whole number", number)
        elif indicator not in ("1", "2", "3"):
            table.refuse("the adjudication indicator isn't 1, 2 or 3", number)
        else:
            _once(table, found, service, [int(units), int(indicator)], number)
    return table


def _below(rows: list[Row], header: int) -> Iterable[tuple[int, Row]]:
    return ((n, row) for n, row in enumerate(rows[header + 1 :], header + 2) if any(row))


def _once(table: Table, found: dict[str, Any], key: str, value: Any, number: int) -> None:  # noqa: ANN401
    if key in found:
        table.refuse("repeats a row" if found[key] == value else "contradicts an earlier row of the code", number)
    else:
        found[key] = value
        table.loaded += 1


# --- add-on codes ------------------------------------------------------------------------------------------------


def _is_addon(cells: list[str]) -> bool:
    return "addoncode" in cells and "primarycode" in cells


def _addon(rows: list[Row], header: int, name: str, where: str) -> Table:
    cells = [_key(cell) for cell in rows[header]]
    addon = _column(cells, ("addoncode",), where, header)
    primary = _column(cells, ("primarycode",), where, header)
    kind = _column(cells, ("type", "aocedittype", "addoncodetype"), where, header)
    start = _column(cells, ("effectivedate", "aocediteffdt", "aocediteffdate", "aocediteffectivedate"), where, header)
    ends = [
        _column(cells, names, where, header, needed=False)
        for names in (("deletiondate", "aoceditdeldt", "aoceditdeldate"), ("aocdeldt",), ("primarycodedeldt",))
    ]
    since = date_in_name(name) or date_in_name(" ".join(" ".join(row) for row in rows[:header]))
    if since is None:
        raise ImportProblem(
            "the file's name doesn't say of which quarter it is", where, "Keep CMS's name, such as AOC_V2026Q3-MCR.txt."
        )
    found: list[list[Any]] = []
    seen: set[tuple[str, ...]] = set()
    table = Table("addons", {"rows": found}, dates=(since, None))
    for number, row in _below(rows, header):
        code, main, type_ = _service(_at(row, addon)), _at(row, primary).upper(), _at(row, kind)[-1:]
        try:
            first = as_date(_at(row, start))
            last = min((d for d in (as_date(_at(row, end)) for end in ends) if d), default=None)
        except ValueError:
            table.refuse("a date can't be read", number)
            continue
        if code is None:
            table.refuse("no add-on code", number)
        elif main != "CCCCC" and _service(main) is None:
            table.refuse("no primary code", number)
        elif type_ not in ("1", "2", "3"):
            table.refuse("the type isn't 1, 2 or 3", number)
        else:
            item = [code, main if main == "CCCCC" else _service(main), int(type_), _iso(first), _iso(last)]
            key = tuple(map(str, item))
            if key in seen:
                table.refuse("repeats a row", number)
                continue
            seen.add(key)
            found.append(item)
            table.loaded += 1
    return table


def _iso(day: dt.date | None) -> str:
    return day.isoformat() if day else ""


# --- fee schedule ------------------------------------------------------------------------------------------------


def _is_fees(cells: list[str]) -> bool:
    return bool(cells) and cells[0] == "hcpcs"


def _fees(rows: list[Row], header: int, name: str, where: str) -> Table | str:
    wide = len(rows[header])
    # The names of columns run over up to five rows; a notice above them fills one cell only.
    above = [row for row in rows[max(0, header - 5) : header] if sum(bool(c) for c in row) > 2]
    names = [_key("".join(_at(row, at) for row in (*above, rows[header]))) for at in range(wide)]
    modifier = next((at for at, n in enumerate(names) if n in ("mod", "modifier")), None)
    days = next((at for at, n in enumerate(names) if n.startswith("glob") and n.endswith("days")), None)
    sides = next((at for at, n in enumerate(names) if n.startswith("bilat")), None)
    if days is None and sides is None:
        return "a table of procedures without global days and bilateral indicators"
    if days is None or sides is None:
        lacking = "GLOB DAYS" if days is None else "BILAT SURG"
        raise ImportProblem(
            f"the header in row {header + 1} has no column {lacking!r}",
            where,
            "Import the PPRRVU file of CMS's relative value files as it is.",
        )
    table = _fee_table(_fee_dates(name, rows[:header], where))
    for number, row in _below(rows, header):
        _fee_row(table, _at(row, 0), _at(row, modifier), _at(row, days), _at(row, sides), number)
    return table


def _fixed_width(text: str, where: str) -> Table | str:
    """The text of a relative value file: code 1-5, modifier 6-7, global days 141-143, bilateral indicator 163.

    The places are checked on every row; where they don't fit, the CSV or workbook of the same zip is asked for.
    """
    lines = text.splitlines()
    body = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and not line.startswith(("HDR", "TRL"))]
    for _number, line in body:
        if line[140:143] not in _GLOBALS or line[162:163] not in _BILATERALS:
            return "global days aren't in columns 141-143 of this text; the CSV or XLSX of the same zip is read"
    head = [[line] for line in lines if line.startswith("HDR")]
    table = _fee_table(_fee_dates("", head, where))
    for number, line in body:
        _fee_row(table, line[:5], line[5:7], line[140:143], line[162:163], number)
    return table


_MONTHS = {"jan": 1, "apr": 4, "jul": 7, "oct": 10}
_RELEASES = {"a": 1, "b": 4, "c": 7, "d": 10}


def _fee_dates(name: str, above: list[Row], where: str) -> tuple[dt.date, dt.date]:
    said = " ".join(" ".join(row) for row in above)
    for text in (name, said):
        year = re.search(r"(20\d\d)", text) or re.search(r"(?:PPRRVU|RVU)(\d\d)(?!\d)", text, re.IGNORECASE)
        month = re.search(r"(?<![a-z])(jan|apr|jul|oct)", text, re.IGNORECASE)
        letter = re.search(r"RVU\d\d([A-D])", text, re.IGNORECASE)
        if year and (month or letter):
            number = int(year[1]) % 100 + 2000
            first = _MONTHS[month[1].lower()] if month else _RELEASES[letter[1].lower()] if letter else 1
            return dt.date(number, first, 1), dt.date(number, 12, 31)
    raise ImportProblem(
        "neither the file's name nor its first rows say of which release it is",
        where,
        "Keep CMS's name, such as PPRRVU2026_Apr_nonQPP.csv.",
    )


def _fee_table(dates: tuple[dt.date, dt.date]) -> Table:
    return Table("global-days", {"days": {}}, dates=dates)


def _fee_row(table: Table, code: str, modifier: str, days: str, sides: str, number: int) -> None:
    service = _service(code)
    days = days.strip().zfill(3) if days.strip().isdigit() else days.strip()
    if service is None:
        table.refuse("no CPT or HCPCS code", number)
    elif modifier.strip():
        table.refuse("a row for a modifier (26, TC, 53): the row of the whole service counts", number)
    elif days not in _GLOBALS:
        table.refuse("global days aren't 000, 010, 090, MMM, XXX, YYY or ZZZ", number)
    elif sides.strip() not in _BILATERALS:
        table.refuse("the bilateral indicator isn't 0, 1, 2, 3 or 9", number)
    else:
        _once(table, table.blobs["days"], service, [days, sides.strip()], number)


# --- lists of diagnoses ------------------------------------------------------------------------------------------


def _is_mce(cells: list[str]) -> bool:
    return cells[:2] == ["edit", "code"]


def _mce(rows: list[Row], header: int, name: str, where: str) -> Table:
    version = re.search(r"v_?(\d{2})[_.](\d)", name, re.IGNORECASE)
    if version is None:
        raise ImportProblem(
            "the file's name doesn't give the version of the code editor", where, "Name it as in mce_v43_1.csv."
        )
    year = int(version[1]) + 1983  # version 43 serves fiscal year 2026; .0 from October, .1 from April
    since = dt.date(year, 4, 1) if int(version[2]) else dt.date(year - 1, 10, 1)
    ages: dict[str, str] = {}
    lists: dict[str, list[str]] = {"manifestation_not_pdx": [], "unacceptable_pdx": []}
    lists["unacceptable_pdx_unless_secondary"] = []
    table = Table("mce", {"ages": ages, "lists": lists}, dates=(since, dt.date(year, 9, 30)))
    for number, row in _below(rows, header):
        edit, code = _at(row, 0), diagnosis(_at(row, 1))
        if edit not in _MCE_EDITS:
            table.refuse("a list that isn't used", number)
        elif code is None:
            table.refuse("no diagnosis code", number)
        elif edit in _AGES:
            _once(table, ages, code, _AGES[edit], number)
        elif code in lists[edit]:
            table.refuse("repeats a row", number)
        else:
            lists[edit].append(code)
            table.loaded += 1
    return table


def _listed(lines: list[str], pattern: re.Pattern[str], kind: Kind, where: str) -> Table:
    found: dict[str, str] = {}
    table = Table(kind, {"codes": found})
    for number, line in enumerate(lines, 1):
        match = pattern.fullmatch(line)
        code = diagnosis(match[1]) if match else None
        if match is None or code is None:
            table.refuse("not a code and its class", number)
        else:
            _once(table, found, code, match[match.re.groups], number)
    table.notices = ("The file has no date: it is used for every date of service.",)
    return table


# --- procedure pairs ---------------------------------------------------------------------------------------------


def _is_pairs(cells: list[str]) -> bool:
    return "column1" in cells and "column2" in cells


_CHANGES = {"additions": "added", "deletions": "deleted", "ccmichgs": "indicator changed"}


def _pairs(rows: list[Row], header: int, name: str, where: str) -> Table | str:
    cells = [_key(cell) for cell in rows[header]]
    one, two = _column(cells, ("column1",), where, header), _column(cells, ("column2",), where, header)
    modifier = _column(cells, ("modifier*",), where, header)
    start = _column(cells, ("effectivedate*",), where, header, needed=False)
    source = _column(cells, ("source",), where, header, needed=False)
    if source is None and _change(name) is None:
        return "a whole file of procedure pairs; only a quarter's Additions, Deletions and CCMIChgs are read"
    found: list[list[str]] = []
    seen: set[tuple[str, ...]] = set()
    days: Counter[dt.date] = Counter()
    table = Table("ptp-changes", {"rows": found})
    differing = 0
    for number, row in _below(rows, header):
        origin = _at(row, source) or name
        first, second, change = _service(_at(row, one)), _service(_at(row, two)), _change(origin)
        indicator = _at(row, modifier)[:1]
        try:
            stated = as_date(_at(row, start))
        except ValueError:
            stated = None
        day = date_in_name(origin) or stated
        if first is None or second is None:
            table.refuse("no pair of codes", number)
        elif change is None:
            table.refuse("the source doesn't say whether it is an addition, a deletion or a change", number)
        elif day is None:
            table.refuse("no date of effect", number)
        elif indicator not in ("0", "1", "9"):
            table.refuse("the modifier indicator isn't 0, 1 or 9", number)
        else:
            setting = "hospital outpatient" if "_OCE_" in origin.upper() else "practitioner"
            item = (first, second, change, indicator, day.isoformat(), setting)
            if item in seen:
                table.refuse("repeats a row", number)
                continue
            seen.add(item)
            differing += stated is not None and stated != day
            days[day] += 1
            found.append(list(item))
            table.loaded += 1
    if days:
        table.dates = quarter(min(days))
    if differing:
        table.notices = (f"{differing:,} rows state another date than the name of CMS's file: the name counts.",)
    return table


def _change(name: str) -> str | None:
    return next((change for word, change in _CHANGES.items() if word in name.lower()), None)


_HEADERS: tuple[tuple[Callable[[list[str]], bool], Callable[[list[Row], int, str, str], Table | str]], ...] = (
    (_is_mue, _mue),
    (_is_addon, _addon),
    (_is_pairs, _pairs),
    (_is_fees, _fees),
    (_is_mce, _mce),
)
