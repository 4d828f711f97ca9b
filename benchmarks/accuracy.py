"""Accuracy on labelled data, scored by the scripts that come with it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from exchange.records import dump
from models.text import Note, Patient, Span
from pipeline.assertions import assert_spans
from pipeline.batch import review_record
from pipeline.review import review
from pipeline.sections import read_layout

ON = date(2026, 5, 12)


def measure(folder: Path) -> dict[str, dict[str, Any]]:
    """Name of a set -> the figures that its scorer prints."""
    data, tools = folder / "data", folder / "tools"
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        answers = Path(scratch) / "answers.jsonl"

        def score(name: str, tool: str, gold: Path, rows: Iterator[dict[str, Any]]) -> None:
            answers.write_text("".join(dump(row) + "\n" for row in rows), encoding="utf-8")
            run = subprocess.run(
                [sys.executable, str(tools / tool), str(gold), str(answers), "--json"],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            found[name] = json.loads(run.stdout)

        notes = data / "clinic-notes"
        score("clinic notes", "score_notes.py", notes, _clinic(notes))
        codiesp = data / "codiesp" / "dev"
        score("codiesp dev", "score_codes.py", codiesp / "devD.tsv", _codiesp(codiesp / "text_files_en"))
        for name in ("sentences", "crafted"):
            gold = data / "assertions" / f"{name}.jsonl"
            tool = "score_assertions.py" if name == "sentences" else "score_spans.py"
            score(f"assertions {name}", tool, gold, _assertions(gold))
        cases = data / "rules" / "cases.jsonl"
        score("rule cases", "score_rules.py", cases, map(review_record, _lines(cases)))
        gold = data / "elements" / "elements.jsonl"
        score("elements", "score_spans.py", gold, _reports(gold))
    return found


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def _clinic(folder: Path) -> Iterator[dict[str, Any]]:
    known = json.loads(_text(folder / "index.json"))
    for path in sorted(folder.glob("*.txt")):
        patient = (known.get(path.stem) or {}).get("patient") or {}
        note = Note(_text(path), "outpatient", ON, Patient(patient.get("age"), patient.get("sex")))
        yield {"id": path.stem, "report": review(note).to_dict()}


def _codiesp(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.txt")):
        yield {"id": path.stem, "report": review(Note(_text(path), "inpatient", ON)).to_dict()}


def _reports(path: Path) -> Iterator[dict[str, Any]]:
    for row in _lines(path):
        yield {"id": row["id"], "report": review(Note(row["text"], date_of_service=ON)).to_dict()}


def _assertions(path: Path) -> Iterator[dict[str, Any]]:
    for row in _lines(path):
        said = assert_spans(row["text"], read_layout(row["text"]), [Span(row["start"], row["end"])])[0]
        yield {
            "id": row["id"],
            "presence": said.presence,
            "temporality": said.temporality,
            "experiencer": said.experiencer,
        }


def figure(figures: dict[str, dict[str, Any]], path: str) -> float:
    """One figure by its path, such as "clinic notes/codes/f1"."""
    name, *keys = path.split("/")
    value: Any = figures[name]
    for key in keys:
        value = value[key]
    return float(value)


def show(figures: dict[str, dict[str, Any]]) -> None:
    """Print every set's figures."""
    for name, values in figures.items():
        print(f"\n{name}")
        for key, value in values.items():
            shown = "  ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
            print(f"  {key:18} {shown}")


def below_floors(figures: dict[str, dict[str, Any]]) -> bool:
    """Compare with benchmarks/floors.toml, print each floor, and say whether one isn't reached."""
    floors = tomllib.loads(Path(__file__).with_name("floors.toml").read_text(encoding="utf-8"))
    failed = False
    print()
    for direction in ("at_least", "at_most"):
        for path, floor in floors[direction].items():
            value = figure(figures, path)
            good = value >= floor if direction == "at_least" else value <= floor
            failed |= not good
            print(f"{'ok  ' if good else 'FAIL'} {path}: {value} ({direction.replace('_', ' ')} {floor})")
    return failed
