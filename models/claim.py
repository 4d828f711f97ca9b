"""Claims as they are billed, and what checking them says.

The claim is validated by pydantic: an unknown key, a malformed date or a pointer that is no number is an error
that names the place.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.proposal import Evidence

VerdictName = Literal[
    "UNVERIFIED_PAYER",
    "ERROR_NO_DX",
    "NO_POLICY",
    "NON_COVERED",
    "RESTRICTED_FREQUENCY",
    "PASS",
    "PASS_DX_DOC_GAP",
    "MANUAL_REVIEW",
    "FAIL_NOT_LINKED",
    "FAIL_SECONDARY_MISSING",
    "FAIL_DX",
]


class Record(BaseModel):
    """Frozen, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ClaimPatient(Record):
    """The patient as the claim knows them. `last_seen`: absent is unknown, None is never (see `model_fields_set`)."""

    age: float | None = None
    sex: Literal["female", "male"] | None = None
    last_seen: date | None = None


class ClaimLine(Record):
    """One billed service. Pointers are 1-based positions in the claim's diagnoses, most important first."""

    code: str
    modifiers: tuple[str, ...] = ()
    units: float = 1
    pointers: tuple[int, ...] = ()
    date_of_service: date | None = None


class PastService(Record):
    """An earlier service of the patient, for frequency limits."""

    code: str
    date_of_service: date


class Claim(Record):
    """A professional claim. `history` None is unknown, () is known to be none."""

    date_of_service: date | None = None
    payer: str = "medicare"
    state: str | None = None
    contract: Literal["B", "DME"] = "B"
    patient: ClaimPatient = Field(default_factory=ClaimPatient)
    diagnoses: tuple[str, ...] = ()
    lines: tuple[ClaimLine, ...] = ()
    history: tuple[PastService, ...] | None = None
    abn_on_file: bool = False


class Policy(Record):
    """The policy that decided a line, by id, version and group."""

    id: str
    title: str
    version: int | None = None
    kind: Literal["NCD", "LCD", "Article", "statute", "payer"]
    group: int | None = None
    effective: date | None = None
    basis: Literal["code list", "indications"] = "code list"
    url: str | None = None
    quote: str | None = None


class OtherPolicy(Record):
    """Another policy for the line that holds on its date and in its state, and what it alone would say."""

    id: str
    title: str
    version: int | None = None
    verdict: VerdictName


class Verdict(Record):
    """Whether one claim line stands, and by which rule. CARC and RARC are predictions, as numbers only.

    `other_policies` are those that were judged as well and weren't decisive. `pointers_suggested` are better pointers to diagnoses that the note documents, where the line's own don't carry it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    line: int
    code: str
    verdict: VerdictName
    diagnoses: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    policy: Policy | None = None
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()
    carc: str | None = None
    rarc: str | None = None
    liability: Literal["provider", "patient", "none"] = "none"
    modifiers_suggested: tuple[str, ...] = ()
    why: str = ""
    supported_but_not_pointed: tuple[str, ...] = ()
    pointers_suggested: tuple[int, ...] = ()
    other_policies: tuple[OtherPolicy, ...] = ()


class Edit(Record):
    """A claim edit that fired. `extra` holds what single edits add, such as the partner of an Excludes1 pair."""

    edit: str
    severity: Literal["error", "warning", "info"]
    line: int | None = None
    dx: str | None = None
    why: str
    source: str
    extra: dict[str, Any] = Field(default_factory=dict)


class ClaimCheck(Record):
    """What checking a claim says: one verdict a line, the edits, and the codes that note and claim don't share."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    lines: tuple[Verdict, ...] = ()
    edits: tuple[Edit, ...] = ()
    undocumented: tuple[str, ...] = ()
    unbilled: tuple[str, ...] = ()
    assumed_diagnoses: bool = False
    notices: tuple[str, ...] = ()
