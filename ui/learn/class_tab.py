"""A class's results: who answered what how well, and which rules are got wrong most; CSV in and out."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import Counter, defaultdict
from collections.abc import Sequence

import streamlit as st

from code_maps.exercises import exercises
from exchange.records import harmless
from models.problem import InputProblem
from models.worklist import ExerciseResult
from pipeline.explain import every_rule
from ui import access
from ui.kept import kept
from ui.learn.lessons_tab import choose
from ui.learn.parts import part
from ui.parts import esc, plain_label, quiet

COLUMNS = ("learner", "exercise", "percent", "wrong_rules", "at")
_MOST_ROWS = 20_000


def draw() -> None:
    """The Class tab, for educators."""
    access.require("educator")
    try:
        found = list(kept().results())
        where = f"Kept on this machine, in {kept().where}."
    except InputProblem:
        found = []
        where = "Nothing can be kept here: the results of this page are gone when it is closed. Download them."
    found += st.session_state.get("learn_results", [])
    left, right = st.columns([0.62, 0.38], gap="medium")
    with right:
        with st.popover(
            "Add results from another workbench", icon=":material/upload:", key="learn_add", width="stretch"
        ):
            given = st.file_uploader("Results as CSV", type="csv", key="learn_csv")
        if given is not None:
            found += read_results(given.getvalue(), given.name)
        st.download_button(
            "Download all as CSV", lambda: results_csv(found), "class-results.csv", "text/csv", on_click="ignore",
            icon=":material/download:", key="learn_get_csv", width="stretch", disabled=not found,
        )  # fmt: skip
        st.html(quiet(where))
        if found:
            _most_wrong(found)
    with left:
        if not found:
            st.html(quiet("No result yet. Under Practice, “Keep for the class” puts one here."))
            return
        _table("By learner", "learner", _means(found, lambda r: r.learner))
        titles = {key: one.title for key, one in exercises().items()}
        _table("By exercise", "exercise", _means(found, lambda r: titles.get(r.exercise, r.exercise)))


def _means(found: Sequence[ExerciseResult], name) -> list[tuple[str, int, int]]:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Name, how many answers, and their mean in per cent; the weakest first."""
    scores: dict[str, list[float]] = defaultdict(list)
    for result in found:
        scores[name(result)].append(result.score)
    rows = [(key, len(all_), round(100 * sum(all_) / len(all_))) for key, all_ in scores.items()]
    return sorted(rows, key=lambda row: (row[2], row[0]))


def _table(title: str, column: str, rows: Sequence[tuple[str, int, int]]) -> None:
    body = "".join(
        f'<tr><th scope="row">{esc(name)}</th><td>{count}</td><td><span class="learn-bar" aria-hidden="true">'
        f'<i style="width:{mean}%"></i></span>{mean} %</td></tr>'
        for name, count, mean in rows
    )
    st.html(
        f'{part(title)}<table class="cp-table cp-wide learn-class"><thead><tr><th scope="col">{column}</th>'
        f'<th scope="col">answers</th><th scope="col">mean</th></tr></thead><tbody>{body}</tbody></table>'
    )


def _most_wrong(found: Sequence[ExerciseResult]) -> None:
    titles = {rule.id: rule.title for rule in every_rule()}
    counts = Counter(rule for result in found for rule in result.wrong_rules if rule in titles)
    if not counts:
        return
    st.html(part("Got wrong most: the lessons to teach"))
    with st.container(key="learn_list_wrong", gap=None):
        for rule, count in sorted(counts.items(), key=lambda row: (-row[1], row[0]))[:10]:
            st.button(
                f"**{count}**&ensp;{plain_label(titles[rule])}", key=f"learn_wrong_{rule}", type="tertiary",
                on_click=choose, args=(rule,),
            )  # fmt: skip


def results_csv(found: Sequence[ExerciseResult]) -> str:
    """Results as CSV; no cell is a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for r in found:
        cells = (r.learner, r.exercise, f"{100 * r.score:.1f}", " ".join(r.wrong_rules), r.at.isoformat())
        writer.writerow([harmless(cell) for cell in cells])
    return out.getvalue()


def read_results(data: bytes, name: str) -> list[ExerciseResult]:
    """Results from such a CSV file. Raises InputProblem with the line."""
    try:
        rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error):
        raise InputProblem("it can't be read", name, "use a CSV file in UTF-8") from None
    if rows and not set(COLUMNS) <= set(rows[0]):
        raise InputProblem("columns are missing", name, f"use {', '.join(COLUMNS)}")
    if len(rows) > _MOST_ROWS:
        raise InputProblem(f"{len(rows):,} results", name, f"at most {_MOST_ROWS:,}")
    found = []
    for number, row in enumerate(rows, 2):
        try:
            score, at = float(row["percent"]) / 100, dt.datetime.fromisoformat(row["at"])
        except (TypeError, ValueError):
            raise InputProblem(
                "percent is no number or at no date", f"{name} line {number}", "70.0 and 2026-05-12"
            ) from None
        if not 0 <= score <= 1:
            raise InputProblem("percent isn't from 0 to 100", f"{name} line {number}")
        found.append(
            ExerciseResult(row["learner"], row["exercise"], score, tuple((row["wrong_rules"] or "").split()), at)
        )
    return found
