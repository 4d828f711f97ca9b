"""Numbers with their measure: vital signs, laboratory values, scores, durations, ages, gestation, doses.

`values` holds analyte, quantity, unit and, where said, second (diastolic pressure), comparator (<, >, <=,
>=) and flag (low, high, normal). Bedside measures are of kind exam, laboratory values and scores of kind
result, tobacco amounts history, doses treatment; ages, durations and weeks of pregnancy are status.
"""

from __future__ import annotations

import re
from functools import cache

from code_maps.elements import elements
from models.finding import Kind, Mention
from models.text import Layout
from pipeline.extractors.common import Line, Phrases, Reading, read, tokens

_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?$")
_COMPARATORS = {"<": "<", ">": ">", "≤": "<=", "≥": ">=", "~": "~", "=": "="}
_SPELLED = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10,    "eleven": 11, "twelve": 12, "several": None, "few": None, "couple": None, "a": 1, "an": 1,
}  # fmt: skip
_SPAN = {
    "day": "d", "days": "d", "d": "d", "week": "wk", "weeks": "wk", "wk": "wk", "wks": "wk", "month": "mo",
    "months": "mo", "mo": "mo", "mos": "mo", "year": "y", "years": "y", "yr": "y", "yrs": "y", "hour": "h",
    "hours": "h", "hr": "h", "hrs": "h", "h": "h", "minute": "min", "minutes": "min", "min": "min",
    "mins": "min",
}  # fmt: skip
_YEARS = re.compile(r"(?:19|20)\d\d$")
Value = tuple[tuple[str, str | float | int | None], ...]


@cache
def _analytes() -> Phrases:
    table = elements("quantities")["analyte"]
    return Phrases({word: name for name, row in table.items() for word in row["words"]})


@cache
def _units() -> Phrases:
    return Phrases(elements("quantities")["units"])


@cache
def _flags() -> dict[str, str]:
    return {word: flag for flag, words in elements("quantities")["flags"].items() for word in words}


@cache
def _fill() -> frozenset[str]:
    return frozenset(w for word in elements("quantities")["fill"]["words"] for w in word.split())


@cache
def _dose_units() -> Phrases:
    return Phrases(elements("treatments")["dose"]["units"])


def _number(word: str) -> float | int | None:
    if not _NUMBER.match(word):
        return None
    plain = word.replace(",", "")
    return float(plain) if "." in plain else int(plain)


def _value(line: Line, i: int, row: dict[str, object]) -> tuple[int, Value] | None:
    """The number that belongs to a measure ending before word `i`: the end of it and its values."""
    words = line.words
    flags, fill = _flags(), _fill()
    flag: str | None = None
    comparator: str | None = None
    sign = 1
    steps = 0
    depth = 0
    while i < len(words) and steps < 9:
        word = words[i]
        if word in _COMPARATORS:
            comparator = _COMPARATORS[word]
        elif word in flags:
            flag = flags[word]
        elif word in ("-", "–", "−") and row.get("signed"):
            sign = -1
        elif word == "(":
            depth += 1
        elif word == ")" and depth:
            depth -= 1
        elif word in fill or word in ":=[]-–)/*":
            if word in ("above", "over", "greater") and i + 1 < len(words):
                comparator = ">"
            elif word in ("below", "under", "less"):
                comparator = "<"
        elif depth and not word[0].isdigit() and steps < 6:
            pass
        else:
            break
        if word in ("above", "over", "greater"):
            comparator = ">"
        i += 1
        steps += 1
    if i >= len(words):
        return None
    quantity = _number(words[i])
    if quantity is None or (_YEARS.match(words[i]) and not row.get("titer") and float(row["high"]) < 1000):  # type: ignore[arg-type]
        return None
    if row.get("signed") and i and words[i - 1] not in "-–−" and line.starts[i] > 0 and sign == 1:
        pass
    end = i + 1
    if end < len(words) and words[end] == "/" and end + 1 < len(words) and not row.get("second"):
        following = _number(words[end + 1])
        if (following is not None and row.get("scored") and following == 10) or (
            following is not None and str(row.get("unit", "")) == f"/{words[end + 1]}"
        ):
            end += 2
        elif following is not None and len(words) > end + 2 and words[end + 2] == "/":
            return None
        elif following is not None and not row.get("titer"):
            return None  # a date or a fraction
    if row.get("scored") and end == i + 1:
        if words[end : end + 2] in (["out", "of"],):
            end += 3 if end + 2 < len(words) else 2
        elif not (end < len(words) and words[end] in ".,;)") and end != len(words):
            return None
    second: float | int | None = None
    if row.get("second") and end + 1 < len(words) and words[end] in ("/", "over"):
        second = _number(words[end + 1])
        if second is not None:
            end += 2
    if row.get("titer") and end + 1 < len(words) and words[end] == ":":
        second = _number(words[end + 1])
        if second is not None:
            end += 2
    unit = str(row.get("unit", ""))
    found = _units().at(words, end) if end < len(words) else None
    if found:
        end, unit = found[0], found[1] or unit
    elif row.get("measured"):
        return None
    elif (
        second is None
        and end < len(words)
        and words[end] in _SPAN
        and unit != "/min"
        and words[end] not in ("h", "min")
    ):
        return None  # "pulse for 2 days"
    if row.get("unit") == "" and unit == "ft" and end < len(words):  # 5 feet 9 inches
        inches = _number(words[end])
        if inches is not None and inches < 12:
            quantity, unit, end = quantity * 12 + inches, "in", end + 1
            more = _units().at(words, end) if end < len(words) else None
            end = more[0] if more else end
    quantity = quantity * sign
    foreign = unit != str(row.get("unit", "")) and bool(row.get("unit"))  # said in another unit than the usual
    if not foreign and not float(row["low"]) <= quantity <= float(row["high"]):  # type: ignore[arg-type]
        return None
    values: list[tuple[str, str | float | int | None]] = [("quantity", quantity)]
    if second is not None:
        values.append(("second", second))
    values.append(("unit", unit))
    if comparator and comparator != "=":
        values.append(("comparator", comparator))
    if flag:
        values.append(("flag", flag))
    return end, tuple(values)


_ONE_LETTER = frozenset(
    (
        "p",
        "r",
        "t",
        "k",
        "na",
        "ca",
        "cr",
        "rate",
        "pain",
        "neck",
        "fasting",
        "length",
        "o2",
        "hg",
        "resp",
        "ef",
        "tc",
    )
)


def _measures(line: Line, found: list[Mention]) -> None:
    table = elements("quantities")["analyte"]
    for i, j, name in _analytes().of(line):
        row = table[name]
        hit = _value(line, j, row)
        if hit is None:
            continue
        end, values = hit
        if line.words[i] in _ONE_LETTER and j - i == 1 and len(line.words[i]) < 3:
            gap = line.words[j:end]
            if len(gap) > 4 or (name == "oxygen_saturation" and dict(values).get("unit") != "%"):
                continue
            if name in ("heart_rate", "respiratory_rate", "temperature") and line.category not in (
                "vitals",
                "physical_exam",
                "",
            ):
                continue
        if name == "temperature":
            unit = dict(values)["unit"]
            quantity = float(dict(values)["quantity"] or 0)
            if not unit:
                if not (34 <= quantity <= 43 or 93 <= quantity <= 108):
                    continue
                values = tuple(("unit", "F" if quantity > 60 else "C") if k == "unit" else (k, v) for k, v in values)
        if name == "blood_pressure" and "second" not in dict(values) and line.words[i] == "readings":
            continue
        found.append(
            Mention(
                row["kind"],
                line.starts[i],
                line.ends[end - 1],
                source="quantity",
                values=(("analyte", name), *values),
            )
        )


def _bare(line: Line, found: list[Mention]) -> None:
    """Numbers that say by themselves what they are: 158/96 mmHg, 30 pack-years, 46-year-old, for 3 weeks."""
    words = line.words
    size = len(words)
    for i, word in enumerate(words):
        spelled = word in _SPELLED
        if not (word[0].isdigit() or spelled):
            if word in ("since", "x") and i + 1 < size:
                _since(line, i, found)
            continue
        quantity = _SPELLED.get(word) if spelled else _number(word)
        if quantity is None and not spelled:
            _glued(line, i, found)
            continue
        following = words[i + 1] if i + 1 < size else ""
        after = words[i + 2] if i + 2 < size else ""
        third = words[i + 3] if i + 3 < size else ""
        # blood pressure and saturation
        if not spelled and following == "/" and after.isdigit() and (third == "mmhg" or third == "mm"):
            end = i + 4 if third == "mmhg" else i + 5
            found.append(
                _made("exam", line, i, min(end, size), "blood_pressure", quantity, "mmHg", second=_number(after))
            )
            continue
        air = after in ("ra", "room", "o2") or (
            after == "on" and (third in ("room", "ra", "oxygen") or third[:1].isdigit())
        )
        if following == "%" and quantity is not None and not spelled and 40 <= quantity <= 100 and air:
            found.append(_made("exam", line, i, i + 2, "oxygen_saturation", quantity, "%"))
            continue
        # tobacco
        if following in ("pack", "packs", "ppd", "pk", "py"):
            if following == "ppd":
                found.append(_made("history", line, i, i + 2, "packs_per_day", quantity, "packs/day"))
            elif after in ("year", "years", "yr", "yrs") or following == "py":
                found.append(
                    _made(
                        "history",
                        line,
                        i,
                        i + (2 if following == "py" else 3),
                        "pack_years",
                        quantity,
                        "pack-years",
                    )
                )
            elif after in ("per", "a", "/", "daily", "of", "each", "every", "cigarettes"):
                end = i + 4 if after in ("per", "a", "/", "each", "every") and third == "day" else i + 3
                found.append(_made("history", line, i, min(end, size), "packs_per_day", quantity, "packs/day"))
            continue
        # age
        if (following in ("year", "yr", "month", "week", "day", "years") and after in ("old", "olds")) or following in (
            "yo",
            "y.o",
        ):
            end = i + 2 if following in ("yo",) else i + 3
            unit = _SPAN.get(following, "y")
            found.append(_made("status", line, i, min(end, size), "age", quantity, unit))
            continue
        if following == "y" and after in ("o", "/", ".") and quantity is not None and not spelled:
            found.append(_made("status", line, i, min(i + 4, size), "age", quantity, "y"))
            continue
        # weeks of pregnancy
        if following in ("weeks", "week", "wks", "wk", "w") and (
            after in ("gestation", "pregnant", "gestational", "ega", "ga", "iup")
            or (after in ("of", "and", "by") and third in ("gestation", "pregnancy", "pregnant", "dates", "ultrasound"))
            or (after != "ago" and not {"pregnant", "pregnancy", "iup"}.isdisjoint(words[max(0, i - 4) : i]))
        ):
            found.append(
                _made(
                    "status",
                    line,
                    i,
                    i + 3 if after in ("gestation", "pregnant", "gestational", "ega", "ga", "iup") else i + 2,
                    "gestational_age",
                    quantity,
                    "wk",
                )
            )
            continue
        # durations
        j = i + 1
        if (following in ("to", "or") and (after.isdigit() or after in _SPELLED)) or (
            following in ("-", "–") and after.isdigit()
        ):
            j = i + 3
        elif following == "of" and spelled:
            j = i + 2
        if j < size and words[j] in _SPAN:
            unit = _SPAN[words[j]]
            if len(words[j]) == 1 or (
                spelled and word in ("a", "an") and i and words[i - 1] not in ("for", "past", "last", "about", "over")
            ):
                continue
            before = words[i - 1] if i else ""
            later = words[j + 1] if j + 1 < size else ""
            about = before in (
                "for",
                "x",
                "past",
                "last",
                "the",
                "about",
                "approximately",
                "over",
                "×",
                "than",
                "nearly",
                "almost",
                "within",
                "in",
                "after",
                "under",
                "roughly",
                "around",
            ) or later in ("ago", "of", "history", "duration", "hx", "now", "course", "prior", "earlier")
            if about or i == 0:
                end = j + 2 if later == "ago" else j + 1
                found.append(_made("status", line, i, end, "duration", quantity, unit))
            continue
        # doses
        if not spelled:
            dose = _dose_units().at(words, i + 1) if i + 1 < size else None
            if (
                dose
                and dose[1] not in ("%", "g", "u")
                and not (
                    dose[0] < size
                    and words[dose[0]] == "/"
                    and dose[0] + 1 < size
                    and words[dose[0] + 1] in ("dl", "l", "g", "ml", "min")
                )
            ):
                found.append(_made("treatment", line, i, dose[0], "dose", quantity, str(dose[1])))


def _glued(line: Line, i: int, found: list[Mention]) -> None:
    """Numbers written with their unit: 500mg, 46yo, 46F, 3wks, 98%."""
    glued = re.match(r"(\d+(?:\.\d+)?)([a-zµ]+)$", line.words[i])
    if not glued:
        return
    quantity, unit = _number(glued[1]), glued[2]
    if unit in ("yo", "y"):
        found.append(_made("status", line, i, i + 1, "age", quantity, "y"))
    elif unit in ("mg", "mcg", "ml", "units", "meq", "cc", "g", "gm") and quantity is not None:
        found.append(_made("treatment", line, i, i + 1, "dose", quantity, unit))
    elif unit in ("ppd",):
        found.append(_made("history", line, i, i + 1, "packs_per_day", quantity, "packs/day"))
    elif unit in _SPAN and len(unit) > 1 and i and line.words[i - 1] in ("x", "for", "past", "last", "×"):
        found.append(_made("status", line, i, i + 1, "duration", quantity, _SPAN[unit]))


def _since(line: Line, i: int, found: list[Mention]) -> None:
    if line.words[i] == "since" and _YEARS.match(line.words[i + 1]):
        found.append(_made("status", line, i, i + 2, "since", int(line.words[i + 1]), "year"))


def _made(
    kind: Kind, line: Line, i: int, j: int, analyte: str, quantity: float | int | None, unit: str,
    second: float | int | None = None,
) -> Mention:  # fmt: skip
    values: list[tuple[str, str | float | int | None]] = [("analyte", analyte), ("quantity", quantity)]
    if second is not None:
        values.append(("second", second))
    values.append(("unit", unit))
    end = line.ends[min(j, len(line.ends)) - 1]
    return Mention(kind, line.starts[i], end, source="quantity", values=tuple(values))


def find(reading: Reading) -> list[Mention]:
    """Quantities of a note already read into words."""
    found: list[Mention] = []
    for line in reading.lines:
        if any(w[0].isdigit() for w in line.words):
            _measures(line, found)
            _bare(line, found)
        elif not _SPELLED.keys().isdisjoint(line.words):
            _bare(line, found)
    taken = {(m.start, m.end): m for m in reversed(found)}
    return [m for m in found if taken[(m.start, m.end)] is m]


def quantities(text: str, layout: Layout) -> list[Mention]:
    """Numbers with their measure and unit, in the order of the text."""
    return sorted(find(read(text, layout)), key=lambda m: (m.start, m.end))


__all__ = ["find", "quantities", "tokens"]
