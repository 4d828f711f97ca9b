"""Input records: what a line of `batch`, `check`, `assertions` or a claim file holds, validated on the way in."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from models.claim import Claim
from models.problem import InputProblem
from models.text import Note, Patient

R = TypeVar("R", bound=BaseModel)


class InputRecord(BaseModel):
    """Frozen; unknown keys are allowed, since records of other programs carry more (labels, sources)."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class PatientRecord(InputRecord):
    """The patient of an encounter."""

    age: float | None = None
    sex: Literal["female", "male"] | None = None


class NoteRecord(InputRecord):
    """One encounter: a note and what is known about it."""

    id: str
    text: str
    setting: Literal["outpatient", "inpatient"] = "outpatient"
    date_of_service: date | None = None
    patient: PatientRecord = PatientRecord()
    claim: Claim | None = None
    provider: str | None = None

    def note(self) -> Note:
        """The record as the pipeline's Note; the claim's date and patient fill what the record leaves out."""
        claim = self.claim
        return Note(
            text=self.text,
            setting=self.setting,
            date_of_service=self.date_of_service or (claim.date_of_service if claim else None),
            patient=Patient(
                self.patient.age if self.patient.age is not None else (claim.patient.age if claim else None),
                self.patient.sex or (claim.patient.sex if claim else None),
            ),
            id=self.id,
            provider=self.provider,
        )


class SpanRecord(InputRecord):
    """A text with the place of one finding in it."""

    id: str
    text: str
    start: int
    end: int


class ClaimRecord(InputRecord):
    """A claim to check without a note, or with one."""

    id: str
    claim: Claim
    note: str | None = None


class QueryRecord(InputRecord):
    """A query to a provider, to be linted."""

    id: str
    text: str
    setting: Literal["outpatient", "inpatient"] = "outpatient"


def validated(kind: type[R], data: Any, where: str) -> R:  # noqa: ANN401
    """`data` as a record of `kind`. Raises InputProblem that names the field, and never quotes the value."""
    if isinstance(data, dict) and "id" in data and not isinstance(data["id"], str):
        data = {**data, "id": str(data["id"])}
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the record"
        raise InputProblem(f"{place}: {first['msg'].lower()}", where) from None
