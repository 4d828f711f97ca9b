"""Practice: a note to be coded, then the graded answer with the words and the rule for each mark."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, get_args

import streamlit as st

from code_maps.edits.evaluation_management import visit_facts
from code_maps.exercises import exercises
from code_maps.icd10cm import CodeSet, load
from exchange.rendered import words
from exchange.teaching import MARK_SIGNS, points
from models.gap import Missing
from models.lesson import Answers, Exercise, GapMark, Graded, Mark
from models.problem import InputProblem
from models.worklist import ExerciseResult
from pipeline.explain import every_rule
from pipeline.teaching.exercises import grade
from ui.kept import kept
from ui.learn.lessons_tab import choose
from ui.learn.parts import marked, part
from ui.lookup import lookup
from ui.parts import chip, esc, plain_label, quiet

_WHOLE = "the whole note"
_RIGHT = ("right", "also right")


def draw() -> None:
    """The Practice tab."""
    every = exercises()
    left, right = st.columns([0.52, 0.48], gap="medium")
    with left:
        key = st.selectbox(
            "Exercise", list(every), key="learn_exercise",
            format_func=lambda k: f"{every[k].title} · {', '.join(every[k].topics)}",
        )  # fmt: skip
        one = every[key]
        graded = _graded().get(key)
        about = [one.note.setting, str(one.note.date_of_service or "")]
        about += [f"aged {one.note.patient.age:g}"] if one.note.patient.age is not None else []
        about += [one.note.patient.sex] if one.note.patient.sex else []
        about += [f"billed {', '.join(line.code for line in one.claim.lines)}"] if one.claim else []
        st.html(
            f'<div class="cp-sub">{esc(" · ".join(filter(None, about)))}</div>'
            f'<div class="learn-note" dir="auto" tabindex="0" role="region" aria-label="Note to be coded">'
            f"{marked(one.note.text.strip(), _quoted(one, graded))}</div>"
        )
    with right:
        if graded:
            _result(one, graded)
        else:
            _ask(one, load(one.note.date_of_service))


def _answers(key: str) -> dict[str, Any]:
    """What the learner has marked so far in an exercise."""
    every: dict[str, dict[str, Any]] = st.session_state.setdefault("learn_answers", {})
    return every.setdefault(key, {"codes": [], "gaps": [], "level": ""})


def _graded() -> dict[str, Graded]:
    found: dict[str, Graded] = st.session_state.setdefault("learn_graded", {})
    return found


def _quoted(one: Exercise, graded: Graded | None) -> list[str]:
    """The words of all marks in the order in which they stand in the note; none before the answers are graded."""
    if graded is None:
        return []
    found = {quoted for mark in graded.marks for quoted in mark.words if quoted in one.note.text}
    return sorted(found, key=one.note.text.find)


# --- the learner's side ----------------------------------------------------------------------------------------------


def _ask(one: Exercise, codes: CodeSet) -> None:
    marks = _answers(one.id)
    st.html(part("1 · Codes, in the order of the claim"))
    lookup("Find a code", f"learn_find_{one.id}", codes, lambda code: _add(one.id, code))
    _chosen(one.id, codes)
    st.html(part("2 · Gaps: what does the documentation lack?"))
    about, missing, add = st.columns([0.42, 0.4, 0.18], vertical_alignment="bottom", gap="small")
    of = about.selectbox("Of", [*marks["codes"], _WHOLE], key=f"learn_gap_of_{one.id}")
    what = missing.selectbox("Missing", get_args(Missing), key=f"learn_gap_what_{one.id}")
    gap = ("" if of == _WHOLE else of, what)
    add.button("Add", key=f"learn_gap_add_{one.id}", on_click=_add_gap, args=(one.id, gap), width="stretch")
    with st.container(key="learn_list_gaps", gap=None):
        for number, (code, lacking) in enumerate(marks["gaps"]):
            st.button(
                plain_label(f"{lacking} of {code or _WHOLE}"), key=f"learn_gap_{one.id}_{number}", type="tertiary",
                icon=":material/close:", on_click=_drop, args=(one.id, "gaps", number), help="Take it away",
            )  # fmt: skip
    if one.level:
        st.html(part("3 · The visit code that the note supports"))
        known = visit_facts()["codes"]
        levels = known["established"] if one.level[-1] in known["established"] else known["new"]
        picked = st.segmented_control(
            "Level", levels, key=f"learn_level_{one.id}", default=marks["level"] or None, label_visibility="collapsed"
        )
        marks["level"] = picked or ""
    name, go = st.columns([0.66, 0.34], vertical_alignment="bottom", gap="small")
    name.text_input("Your name or number", key="learn_learner", max_chars=80, placeholder="may stay empty")
    go.button("Grade", icon=":material/done_all:", key="learn_grade", on_click=_grade, args=(one,), width="stretch")


def _add(key: str, code: str) -> None:
    marks = _answers(key)
    if code not in marks["codes"]:
        marks["codes"].append(code)


def _add_gap(key: str, gap: tuple[str, str]) -> None:
    marks = _answers(key)
    if gap not in marks["gaps"]:
        marks["gaps"].append(gap)


def _drop(key: str, kind: str, number: int) -> None:
    del _answers(key)[kind][number]


def _up(key: str, number: int) -> None:
    marks = _answers(key)["codes"]
    marks[number - 1], marks[number] = marks[number], marks[number - 1]


def _chosen(key: str, codes: CodeSet) -> None:
    marks = _answers(key)["codes"]
    if not marks:
        st.html(quiet("No code yet. The first one is the first-listed."))
    with st.container(key="learn_list_codes", gap=None):
        for number, code in enumerate(marks):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"learn_code_{number}"):
                st.html(f"<b>{number + 1}&ensp;{esc(code)}</b> {esc(codes.title(code) if code in codes else '')}")
                if number:
                    st.button(
                        "Up", icon=":material/arrow_upward:", key=f"learn_up_{key}_{number}", type="tertiary",
                        on_click=_up, args=(key, number), help=f"Move {plain_label(code)} up",
                    )  # fmt: skip
                st.button(
                    "Remove", icon=":material/close:", key=f"learn_drop_{key}_{number}", type="tertiary",
                    on_click=_drop, args=(key, "codes", number), help=f"Remove {plain_label(code)}",
                )  # fmt: skip


def _grade(one: Exercise) -> None:
    marks = _answers(one.id)
    answers = Answers(
        learner=" ".join(str(st.session_state.get("learn_learner") or "").split()),
        codes=tuple(marks["codes"]),
        gaps=tuple(GapMark(code=code, missing=missing) for code, missing in marks["gaps"]),
        level=marks["level"],
    )
    _graded()[one.id] = grade(one, answers)


# --- the graded side -------------------------------------------------------------------------------------------------


def _result(one: Exercise, graded: Graded) -> None:
    state = "ok" if graded.percent >= 80 else "warn" if graded.percent >= 50 else "risk"
    st.html(
        f'<div class="learn-score" role="status"><b>{points(graded.points)} of {points(graded.of)}</b>'
        f"{chip(state, f'{graded.percent} %')}<span>{esc(one.teaches)}</span></div>"
    )
    st.html("".join(_marked(mark) for mark in graded.marks))
    rules = _rules(graded.marks)
    if rules:
        titles = {rule.id: rule.title for rule in every_rule()}
        st.html(part("Lessons to read"))
        with st.container(key="learn_list_rules", gap=None):
            for rule in rules:
                st.button(
                    plain_label(titles[rule]), key=f"learn_read_{rule}", type="tertiary", on_click=choose, args=(rule,),
                    icon=":material/school:",
                )  # fmt: skip
    again, keep = st.columns(2, gap="small")
    again.button("Try again", key="learn_again", on_click=_again, args=(one.id,), width="stretch")
    keep.button("Keep for the class", key="learn_keep", on_click=_keep, args=(graded,), width="stretch")
    told = st.session_state.pop("learn_told", None)
    if told:
        (st.error if told.startswith("✗") else st.success)(plain_label(told))


def _marked(mark: Mark) -> str:
    state, result = MARK_SIGNS[mark.result]
    if mark.expected and mark.given and mark.given != mark.expected:
        answer = f"<b>{esc(mark.given)}</b> → <b>{esc(mark.expected)}</b>"
    else:
        answer = f"<b>{esc(mark.given or mark.expected)}</b>"
    worth = f"{points(mark.points)} of {points(mark.of)}" if mark.of else points(mark.points)
    quoted = " ".join(f'<q dir="auto"><bdi>{esc(words(w, 70))}</bdi></q>' for w in mark.words[:3])
    rules = " ".join(f"<code>{esc(rule)}</code>" for rule in mark.rules)
    return (
        f'<div class="cp-card s-{state}"><div class="cp-top"><span class="learn-kind">{esc(mark.kind)}</span>{answer} '
        f'{chip(state, result)}<span class="cp-end">{worth}</span></div><p>{esc(mark.why)}</p>'
        + (f'<p class="learn-words">{quoted} {rules}</p>' if quoted or rules else "")
        + "</div>"
    )


def _rules(marks: Iterable[Mark]) -> list[str]:
    """The rules of what wasn't right, each once; rules of every code are left out."""
    known = {rule.id for rule in every_rule()}
    wrong = [rule for mark in marks if mark.result not in _RIGHT for rule in mark.rules]
    return [rule for rule in dict.fromkeys(wrong) if rule in known]


def _again(key: str) -> None:
    _graded().pop(key, None)
    st.session_state["learn_answers"].pop(key, None)
    st.session_state.pop(f"learn_level_{key}", None)


def _keep(graded: Graded) -> None:
    """Keep the result where the class's results are kept; in this session where nothing can be kept."""
    result = ExerciseResult(
        graded.learner or "no name", graded.exercise, graded.points / graded.of if graded.of else 1.0,
        tuple(_rules(graded.marks)), dt.datetime.now(dt.UTC),
    )  # fmt: skip
    try:
        kept().keep_result(result)
        st.session_state["learn_told"] = f"Kept for {result.learner}: {graded.percent} %."
    except InputProblem:
        st.session_state.setdefault("learn_results", []).append(result)
        st.session_state["learn_told"] = "Kept while this page is open only; download the results under Class."
