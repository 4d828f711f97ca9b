"""The report: everything that a review says, and its JSON shape (`chartproof.report/1`)."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from functools import cache
from typing import Any

from pydantic import BaseModel

from models.claim import ClaimCheck
from models.finding import Finding
from models.gap import DenialRisk, Elements, EvaluationManagement, Gap
from models.proposal import Candidate, Evidence, Proposal, Withheld
from models.risk import ConditionRisk
from models.text import Section, Setting

SCHEMA = "chartproof.report/1"


@dataclass(frozen=True, slots=True)
class NoteFacts:
    """What the report says about the note as a whole."""

    length: int
    setting: Setting
    date_of_service: date | None
    release: str
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProblemElements:
    """The five documentation elements of one assessed problem, and for each the words that show it (some of them)."""

    problem: str
    code: str | None
    elements: Elements
    findings: tuple[str, ...] = ()
    evidence: tuple[tuple[str, tuple[Evidence, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The answer to "does the note prove the claim?"

    `risk` and `settled` are there only where they were asked for: `settled` are gaps that were judged before on the
    same words. `further_gaps` are those left out because nobody acts on more than a few; they are no part of the JSON.
    """

    note: NoteFacts
    sections: tuple[Section, ...] = ()
    findings: tuple[Finding, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    claim: ClaimCheck | None = None
    em: EvaluationManagement | None = None
    gaps: tuple[Gap, ...] = ()
    elements: Elements = Elements()  # noqa: RUF009  (frozen)
    problem_elements: tuple[ProblemElements, ...] = ()
    denial_risks: tuple[DenialRisk, ...] = ()
    risk: tuple[ConditionRisk, ...] | None = None
    settled: tuple[Gap, ...] | None = None
    further_gaps: tuple[Gap, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values in the contract's shape, keys in a fixed order."""
        shown = _plain(self)
        for name in ("risk", "settled"):
            if getattr(self, name) is None:
                del shown[name]
        return {"schema": SCHEMA, **shown}


def plain(record: Any) -> Any:  # noqa: ANN401
    """A record, or a tuple of them, as plain JSON values in the contract's shape."""
    return _plain(record)


def _finding(finding: Finding) -> dict[str, Any]:
    assertion = finding.assertion
    shown: dict[str, Any] = {
        "id": finding.id,
        "kind": finding.kind,
        "text": finding.text,
        "start": finding.start,
        "end": finding.end,
        "section": finding.section,
        "presence": assertion.presence,
        "temporality": assertion.temporality,
        "experiencer": assertion.experiencer,
        "cues": _plain(assertion.cues) if assertion.cues else [],
        "values": dict(finding.values),
        "links": _plain(finding.links) if finding.links else [],
    }
    if finding.place:
        shown["place"] = finding.place
    return shown


# Fields that steps hand to one another and that are no part of the contract.
_INTERNAL = {
    "Section": {"body"},
    "Proposal": {"problem", "section"},
    "Report": {"further_gaps"},
}
_RENAMED = {"from_code": "from"}


@cache
def _shown(record: type) -> tuple[tuple[str, str], ...] | None:
    """The fields of a kind of record that are shown, each with the name it is shown under; None for other types."""
    if issubclass(record, BaseModel):
        return tuple((name, name) for name in record.model_fields)
    if not is_dataclass(record):
        return None
    hidden = _INTERNAL.get(record.__name__, set())
    return tuple((f.name, _RENAMED.get(f.name, f.name)) for f in fields(record) if f.name not in hidden)


_SIMPLE = (str, int, float, bool, type(None))


def _plain(value: Any) -> Any:  # noqa: ANN401  (any record or container)
    """`value` as JSON knows it: records to objects, tuples to lists, dates to ISO text."""
    kind: Any = type(value)
    if kind in _SIMPLE:
        return value
    if kind is tuple or kind is list:
        return [_plain(item) for item in value]
    if isinstance(value, Finding):
        return _finding(value)
    names = _shown(kind)
    if names is not None:
        shown = {}
        for name, label in names:
            item = getattr(value, name)
            shown[label] = item if type(item) in _SIMPLE else _plain(item)
        if isinstance(value, Proposal):
            shown["band"] = value.band
        elif isinstance(value, ProblemElements):
            shown["evidence"] = {name: _plain(said) for name, said in value.evidence}
        elif isinstance(value, Gap):
            shown["fingerprint"] = value.fingerprint
            if value.supposed is None:
                del shown["supposed"]
        return shown
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    return value
