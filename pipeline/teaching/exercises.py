"""Exercises: a note to be coded by a learner, and the learner's answers graded with the words and the rule for each.

The truth is ChartProof's review of an invented note whose result a person read line by line (`code_maps/exercises`); an
educator may make one of any note, and then answers for its key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from code_maps.edits.evaluation_management import level_of_code
from code_maps.exercises import exercises
from code_maps.icd10cm import CodeSet, load
from models.claim import Claim
from models.gap import Gap
from models.lesson import Answers, Exercise, ExpectedGap, GapMark, Graded, Mark, MarkResult
from models.problem import InputProblem
from models.proposal import Proposal
from models.report import Report
from models.text import Note
from pipeline.review import review

HALF = 0.5
"""What a right category, another detail or a neighbouring level earns; what an invented code or gap costs."""


def exercise(key: str) -> Exercise:
    """One exercise by its id. Raises InputProblem for an id that none has."""
    found = exercises().get(key)
    if found is None:
        raise InputProblem(f"no exercise {key!r}", "exercises", f"known are {', '.join(exercises())}")
    return found


def exercise_for(key: str, title: str, note: Note, claim: Claim | None = None, level: bool = True) -> Exercise:
    """An exercise of a note, with ChartProof's own review as its key: read the key before a class uses it.

    `level` asks for the level of the visit as well, where the note supports one.
    """
    report = review(note, claim)
    gaps = tuple(dict.fromkeys(ExpectedGap(g.code or "", g.missing) for g in report.gaps))
    asked = tuple(report.em.supports) if level and report.em else ()
    return Exercise(key, title, (), "", note, claim, tuple(p.code for p in report.proposals), gaps, asked)


@lru_cache(maxsize=64)
def _reviewed(note: Note, claim: str) -> Report:
    return review(note, Claim.model_validate_json(claim) if claim else None)


def review_of(exercise: Exercise) -> Report:
    """The review of an exercise's note."""
    return _reviewed(exercise.note, exercise.claim.model_dump_json(exclude_unset=True) if exercise.claim else "")


def key_of(exercise: Exercise) -> Answers:
    """The answers that earn full marks."""
    gaps = tuple(GapMark(code=g.code, missing=g.missing) for g in exercise.gaps if g.counted)
    return Answers(codes=exercise.codes, gaps=gaps, level=exercise.level[-1] if exercise.level else "")


def grade(exercise: Exercise, answers: Answers) -> Graded:
    """Answers against the key. The same answers get the same marks.

    A code counts one point: whole when right, half in the right category with another detail; a code that the note
    doesn't support costs half. The first-listed code counts one where there are several. A gap counts one, half for
    another detail of the same condition, and an invented one costs half; a gap that the key holds but doesn't count is
    right, for nothing. The level counts one, half when one step off. Together never below nothing.
    """
    report = review_of(exercise)
    release = load(exercise.note.date_of_service)
    marks = [
        *_codes(exercise, answers, report, release),
        *_order(exercise, answers, report),
        *_gaps(exercise, answers, report),
        *_level(exercise, answers, report),
    ]
    total = sum(m.of for m in marks)
    earned = min(total, max(0.0, sum(m.points for m in marks)))
    return Graded(exercise.id, answers.learner, earned, total, tuple(marks))


def _written(code: str) -> str:
    """A code as the tabular writes it: capitals, with its dot."""
    plain = code.strip().upper().replace(".", "").replace(" ", "")
    return plain if len(plain) <= 3 else f"{plain[:3]}.{plain[3:]}"


# --- codes ---------------------------------------------------------------------------------------------------------


def _codes(exercise: Exercise, answers: Answers, report: Report, release: CodeSet) -> Iterator[Mark]:
    given = list(dict.fromkeys(_written(c) for c in answers.codes if c.strip()))
    proposals = {p.code: p for p in report.proposals}
    near = _paired([c for c in exercise.codes if c not in given], [c for c in given if c not in exercise.codes])
    for code in exercise.codes:
        proposal = proposals.get(code)
        quoted = _quoted(proposal)
        name = f"{code} {release.title(code) if code in release else ''}".strip()
        rules = _rules(proposal)
        if code in given:
            yield Mark("code", "right", code, code, 1, 1, name, rules, quoted)
        elif code in near:
            why = f"The right category. The note says more: {_details(proposal)}, which makes it {name}."
            result: MarkResult = "less specific"
            if not _less_specific(near[code], code, release):
                result = "other detail"
                why = f"The right category with another detail: the note supports {name} ({_details(proposal)})."
            yield Mark("code", result, near[code], code, HALF, 1, why, rules, quoted)
        else:
            yield Mark("code", "missed", "", code, 0, 1, f"The note supports {name}.", rules, quoted)
    for code in given:
        if code not in exercise.codes and code not in near.values():
            why, rules, quoted = _not_supported(code, report, release)
            yield Mark("code", "invented", code, "", -HALF, 0, why, rules, quoted)


def _paired(missed: Sequence[str], extra: Sequence[str]) -> dict[str, str]:
    """Missed codes -> a given one of the same category, each used once."""
    found: dict[str, str] = {}
    for code in missed:
        mate = next((c for c in extra if c[:3] == code[:3] and c not in found.values()), None)
        if mate:
            found[code] = mate
    return found


def _less_specific(given: str, expected: str, release: CodeSet) -> bool:
    """Whether a code is a heading, or leaves open more than the expected one does."""
    if given not in release or not release.is_billable(given):
        return True
    return release.title(given).lower().count("unspecified") > release.title(expected).lower().count("unspecified")


def _quoted(proposal: Proposal | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(e.text for e in proposal.evidence))[:3] if proposal else ()


def _rules(proposal: Proposal | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(r.id for r in proposal.rules)) if proposal else ()


def _details(proposal: Proposal | None) -> str:
    said = [f"{a.axis} {a.value}" for a in proposal.axes] if proposal else []
    return ", ".join(dict.fromkeys(said)) or "the words below"


def _not_supported(code: str, report: Report, release: CodeSet) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Why a code isn't supported: the rule that keeps it back, why it was only considered, or that nothing says it."""
    texts = {f.id: f.text for f in report.findings}
    if code not in release:
        return f"{code} is no code of {release.release}.", (), ()
    held = [w for w in report.withheld if w.code == code] or [w for w in report.withheld if w.code[:3] == code[:3]]
    if held:
        quoted = tuple(texts[i] for i in held[0].findings if i in texts)
        return held[0].why, (held[0].rule,), quoted[:3]
    seen = [c for c in report.candidates if c.code == code] or [c for c in report.candidates if c.code[:3] == code[:3]]
    if seen:
        quoted = tuple(texts[i] for i in seen[0].findings if i in texts)
        return f"Only considered: {seen[0].why}.", (), quoted[:3]
    return f"Nothing in the note says {release.title(code)}.", (), ()


def _order(exercise: Exercise, answers: Answers, report: Report) -> Iterator[Mark]:
    """Whether the first code is the one that stands first; asked where there are several."""
    if len(exercise.codes) < 2:
        return
    first = exercise.codes[0]
    given = _written(answers.codes[0]) if answers.codes and answers.codes[0].strip() else ""
    quoted = _quoted(next((p for p in report.proposals if p.code == first), None))
    if given[:3] == first[:3]:
        yield Mark("order", "right", given, first, 1, 1, f"{first} stands first.", ("sequencing",), quoted)
    else:
        yield Mark("order", "missed", given, first, 0, 1, f"{first} stands first.", ("sequencing",), quoted)


# --- gaps ------------------------------------------------------------------------------------------------------------


def _gaps(exercise: Exercise, answers: Answers, report: Report) -> Iterator[Mark]:
    given = list(dict.fromkeys((_written(g.code), g.missing) for g in answers.gaps))
    used: set[tuple[str, str]] = set()
    counted = [g for g in exercise.gaps if g.counted]
    matched = {g: _match(g, given, used) for g in (*counted, *(g for g in exercise.gaps if not g.counted))}
    for expected in counted:
        why, rules, quoted = _gap_said(_gap_of(expected, report), expected)
        answer = matched[expected]
        if answer:
            yield Mark("gap", "right", _gap_name(*answer), _name(expected), 1, 1, why, rules, quoted)
            continue
        near = next((a for a in given if a not in used and a[0][:3] == expected.code[:3] and a[0]), None)
        if near and not _open(near, report):
            used.add(near)
            yield Mark("gap", "other detail", _gap_name(*near), _name(expected), HALF, 1, why, rules, quoted)
        else:
            yield Mark("gap", "missed", "", _name(expected), 0, 1, why, rules, quoted)
    for expected, answer in matched.items():
        if answer and not expected.counted:
            why, rules, quoted = _gap_said(_gap_of(expected, report), expected)
            yield Mark("gap", "also right", _gap_name(*answer), _name(expected), 0, 0, why, rules, quoted)
    for answer in given:
        if answer in used:
            continue
        if _open(answer, report):
            why = "The code set asks for this detail, and the note doesn't give it."
            yield Mark("gap", "also right", _gap_name(*answer), _gap_name(*answer), 0, 0, why, ("open-axis",))
        else:
            why = "The note says it, or the code doesn't ask for it."
            yield Mark("gap", "invented", _gap_name(*answer), "", -HALF, 0, why)


def _match(
    expected: ExpectedGap, given: Sequence[tuple[str, str]], used: set[tuple[str, str]]
) -> tuple[str, str] | None:
    """The given gap of the same detail and category, taken out of those that are left."""
    for answer in given:
        if answer not in used and answer[1] == expected.missing and answer[0][:3] == expected.code[:3]:
            used.add(answer)
            return answer
    return None


def _open(answer: tuple[str, str], report: Report) -> bool:
    code, missing = answer
    return bool(code) and any(
        p.code[:3] == code[:3] and any(axis.axis == missing for axis in p.open_axes) for p in report.proposals
    )


def _gap_of(expected: ExpectedGap, report: Report) -> Gap | None:
    return next(
        (g for g in report.gaps if g.missing == expected.missing and (g.code or "")[:3] == expected.code[:3]), None
    )


def _gap_said(gap: Gap | None, expected: ExpectedGap) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    if gap is None:
        return f"The {expected.missing} isn't documented.", (), ()
    return gap.ask, (gap.rule,), tuple(dict.fromkeys(e.text for e in gap.evidence))[:3]


def _gap_name(code: str, missing: str) -> str:
    return f"{missing} of {code}" if code else missing


def _name(expected: ExpectedGap) -> str:
    return _gap_name(expected.code, expected.missing)


# --- level -----------------------------------------------------------------------------------------------------------


def _level(exercise: Exercise, answers: Answers, report: Report) -> Iterator[Mark]:
    if not exercise.level:
        return
    given, expected = answers.level.strip().upper(), " or ".join(exercise.level)
    em = report.em
    why = f"Problems {em.problems}, data {em.data}, risk {em.risk}: two of three make it {em.mdm}." if em else ""
    by_id = {f.id: f.text for f in report.findings}
    quoted = tuple(dict.fromkeys(by_id[i] for r in (em.reasons if em else ()) for i in r.findings if i in by_id))[:3]
    if given in exercise.level:
        yield Mark("level", "right", given, expected, 1, 1, why, (), quoted)
        return
    got, want = level_of_code(given), level_of_code(exercise.level[-1])
    if got and want and abs(got[1] - want[1]) == 1:
        yield Mark("level", "near", given, expected, HALF, 1, why, (), quoted)
    else:
        yield Mark("level", "missed", given, expected, 0, 1, why, (), quoted)
