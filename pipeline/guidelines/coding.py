"""The coding of one note under way: what the steps share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache

from code_maps.axes.descent import Evidence, Path, descend
from code_maps.guidelines import Facts
from code_maps.icd10cm import CodeSet
from code_maps.places import Places
from models.finding import Finding
from models.text import Layout, Note
from pipeline.proposals import Draft, Surroundings, drafts_for

ASSESSED = frozenset({"assessment", "assessment_plan", "diagnoses", "discharge_diagnoses", "mdm"})
_PLANNED = frozenset({"plan", "hospital_course"})
_BACKGROUND = frozenset(
    {"past_medical_history", "past_surgical_history", "social_history", "medications", "allergies", "immunizations"}
)
_EXAMINED = frozenset({"physical_exam", "vitals", "labs", "imaging", "results", "review_of_systems"})
_REASON = frozenset({"chief_complaint", "indication"})

# How much a place in the note says for coding what stands there.
WEIGHT = {"title": 0.92, "assessed": 0.8, "narrative": 0.72, "reason": 0.7, "planned": 0.66, "background": 0.5,
           "examined": 0.35, "other clinician": 0.4}  # fmt: skip


def where(finding: Finding, layout: Layout) -> str:
    """Where a finding stands, in the words of `WEIGHT`."""
    section = finding.section
    if section in ASSESSED or section in _PLANNED:
        if finding.problem >= 0:
            problem = layout.problems[finding.problem]
            if problem.title_start <= finding.start < problem.title_end:
                return "title"
        return "assessed" if section in ASSESSED else "planned"
    if section in _REASON:
        return "reason"
    if section in _BACKGROUND or section == "family_history":
        return "background"
    if section == "other_clinician":
        return "other clinician"
    return "examined" if section in _EXAMINED else "narrative"


@dataclass(slots=True)
class Coding:
    """The coding of one note under way."""

    codes: CodeSet
    note: Note
    layout: Layout
    around: Surroundings
    facts: Facts
    treated: frozenset[str] = frozenset()
    proposed: list[Draft] = field(default_factory=list)
    candidates: list[tuple[Draft, str]] = field(default_factory=list)
    withheld: list[tuple[Draft, str, str]] = field(default_factory=list)

    @property
    def outpatient(self) -> bool:
        return self.note.setting == "outpatient"

    def stands(self, draft: Draft) -> str:
        return where(draft.finding, self.layout)

    def withhold(self, draft: Draft, rule: str, why: str) -> None:
        if draft in self.proposed:
            self.proposed.remove(draft)
        self.withheld.append((draft, rule, why))

    def set_aside(self, draft: Draft, why: str) -> None:
        if draft in self.proposed:
            self.proposed.remove(draft)
        self.candidates.append((draft, why))

    def swap(self, draft: Draft, code: str, rule: str, why: str) -> Draft:
        """Replace the code of a proposed draft."""
        new = replace(draft, code=code, rules=(*draft.rules, (rule, why)))
        self.proposed[self.proposed.index(draft)] = new
        return new


Step = Callable[[Coding], None]


def under_any(code: str, places: Iterable[str]) -> bool:
    """Whether a code lies at or below one of several places."""
    return code in (places if isinstance(places, Places) else _places(tuple(places)))


@lru_cache(maxsize=4096)
def _places(places: tuple[str, ...]) -> Places:
    return Places(places)


def strength(coding: Coding, draft: Draft) -> float:
    """How much the place where a draft stands says for coding it."""
    return WEIGHT[coding.stands(draft)]


def as_code(coding: Coding, finding: Finding, place: str, rule: str, why: str) -> Draft:
    moved = replace(finding, place=place)
    drafts = drafts_for(coding.codes, coding.around, moved)
    return replace(drafts[0], finding=finding, findings=(finding,), rules=((rule, why),))


def plain(coding: Coding, finding: Finding) -> Draft:
    """What a finding would be coded as by its place alone."""
    path = _unspecified(coding.codes, finding.place, finding.source)
    return Draft(path.code, finding, path)


@lru_cache(maxsize=20_000)
def _unspecified(codes: CodeSet, place: str, source: str) -> Path:
    return descend(codes, place, Evidence([]), source not in ("table", "eponym", "acronym"))[0]


def keep_back(coding: Coding, finding: Finding, rule: str, why: str) -> None:
    coding.withheld.append((plain(coding, finding), rule, why))
