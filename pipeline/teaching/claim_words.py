"""A claim in words, one fact a line, and back: so that two claims can be compared, and one be changed, by their words.

date of service 2026-05-12
patient aged 67, female, last seen never
diagnosis A E11.9
line 1 83036-QW 2 units points to A
earlier 83036 on 2026-04-02
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from models.claim import Claim
from models.problem import InputProblem
from models.record import validated

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_LINE = re.compile(
    r"line (?P<number>\d+) (?P<code>\S+?)(?P<modifiers>(?:-\S+?)*)(?: (?P<units>[\d.]+) units)?"
    r"(?: points to (?P<points>nothing|[A-Z\d]+(?: [A-Z\d]+)*))?(?: on (?P<on>\S+))?"
)
_KNOWN = (
    "date of service, patient, contract, payer, diagnosis, line, earlier, no earlier service, an ABN is on file, note"
)


def claim_text(claim: Claim, note: str | None = None) -> str:
    """A claim, one fact a line; `note` is what the note says beside it."""
    return "\n".join((*_lines(claim), *([f'note "{note}"'] if note else ())))


def _lines(claim: Claim) -> Iterator[str]:
    who = [f"aged {claim.patient.age:g}"] if claim.patient.age is not None else []
    who += [claim.patient.sex] if claim.patient.sex else []
    if "last_seen" in claim.patient.model_fields_set:
        who.append(f"last seen {claim.patient.last_seen or 'never'}")
    if claim.date_of_service:
        yield f"date of service {claim.date_of_service}"
    if who:
        yield f"patient {', '.join(who)}"
    if claim.contract == "DME":
        yield "contract DME"
    if claim.payer != "medicare":
        yield f"payer {claim.payer}"
    yield from (f"diagnosis {letter} {code}" for letter, code in zip(LETTERS, claim.diagnoses, strict=False))
    for number, line in enumerate(claim.lines, 1):
        code = "-".join((line.code, *line.modifiers))
        units = f" {line.units:g} units" if line.units != 1 else ""
        letters = [LETTERS[p - 1] if 1 <= p <= len(LETTERS) else str(p) for p in line.pointers]
        pointed = f"points to {' '.join(letters) or 'nothing'}"
        day = f" on {line.date_of_service}" if line.date_of_service else ""
        yield f"line {number} {code}{units} {pointed}{day}"
    if claim.history is not None:
        yield from [f"earlier {h.code} on {h.date_of_service}" for h in claim.history] or ["no earlier service"]
    if claim.abn_on_file:
        yield "an ABN is on file"


def read_claim(text: str, base: Claim) -> tuple[Claim, str | None]:
    """The claim that some words say, and the note beside it. What words don't tell (the state) is `base`'s.

    Raises InputProblem with the number of the line that can't be read.
    """
    data: dict[str, Any] = {"state": base.state, "patient": {}, "diagnoses": [], "lines": []}
    note = None
    head, mark, rest = text.partition('note "')
    if mark and (not head or head.endswith("\n")):
        text, note = head, rest.rstrip().removesuffix('"')
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not _take(" ".join(line.split()), data):
            raise InputProblem("not understood", f"line {number} of the claim", f"begin it with one of: {_KNOWN}")
    return validated(Claim, data, "the claim"), note


def _take(line: str, data: dict[str, Any]) -> bool:
    """Put one line into the data of the claim; whether it was understood."""
    word, _, rest = line.partition(" ")
    match word.lower():
        case "date" if line.lower().startswith("date of service "):
            data["date_of_service"] = line[len("date of service ") :]
        case "patient":
            return all(_patient(part.strip(), data["patient"]) for part in rest.split(","))
        case "contract":
            data["contract"] = rest.upper()
        case "payer":
            data["payer"] = rest
        case "diagnosis":
            data["diagnoses"].append(rest.split(" ")[-1].upper())
        case "line":
            return _service(line, data)
        case "earlier" if " on " in rest:
            code, _, day = rest.partition(" on ")
            data.setdefault("history", []).append({"code": code.upper(), "date_of_service": day})
        case "no" if line.lower() == "no earlier service":
            data.setdefault("history", [])
        case "an" if line.lower() == "an abn is on file":
            data["abn_on_file"] = True
        case _:
            return False
    return True


def _patient(part: str, patient: dict[str, Any]) -> bool:
    low = part.lower()
    if low.startswith("aged "):
        patient["age"] = part[5:]
    elif low in ("female", "male"):
        patient["sex"] = low
    elif low.startswith("last seen "):
        patient["last_seen"] = None if low.endswith("never") else part[10:]
    else:
        return False
    return True


def _service(line: str, data: dict[str, Any]) -> bool:
    found = _LINE.fullmatch(line)
    if not found:
        return False
    points = (found["points"] or "").split()
    pointers = [] if points == ["nothing"] else [LETTERS.index(p) + 1 if p in LETTERS else p for p in points]
    row = {"code": found["code"].upper(), "pointers": pointers, "units": found["units"] or 1}
    row["modifiers"] = [m.upper() for m in found["modifiers"].split("-") if m]
    data["lines"].append({**row, "date_of_service": found["on"]} if found["on"] else row)
    return True
