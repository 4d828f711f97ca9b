"""Train the confidence model: python -m benchmarks.train_ranker DATA

Reads the labelled clinic notes, the rule cases and the CodiEsp training documents, reviews each, and fits two small
logistic models over the features of the proposals (scikit-learn, seed fixed): one for notes with an assessment, one for
narratives. Prints how well each is calibrated by cross-validation over whole notes, and writes weights and card.
"""

from __future__ import annotations

import argparse
import collections
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

import pipeline.guidelines as guidelines
from models.proposal import HIGH, MEDIUM
from models.record import NoteRecord
from models.text import Note, Patient
from pipeline.guidelines.confidence import features, is_narrative
from pipeline.review import review

ON = date(2026, 5, 12)
SEED = 20260512
OUT = Path(__file__).parent.parent / "code_maps" / "ranker"
Row = tuple[str, dict[str, float], bool]


def drafts_of(note: Note) -> tuple[bool, list[tuple[str, dict[str, float]]]]:
    """Whether a note is a narrative, and the code and features of each of its proposals."""
    seen: list[tuple[bool, list[tuple[str, dict[str, float]]]]] = []
    original = guidelines._proposals

    def listening(coding: Any) -> Any:
        seen.append((is_narrative(coding), [(d.code, features(coding, d)) for d in coding.proposed]))
        return original(coding)

    guidelines._proposals = listening
    try:
        review(note)
    finally:
        guidelines._proposals = original
    return seen[0]


def clinic(folder: Path) -> Iterator[tuple[str, Note, Any]]:
    known = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    for path in sorted(folder.glob("*.txt")):
        labels = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        right = {code for label in labels["codes"] for code in label["accept"]}
        patient = (known.get(path.stem) or {}).get("patient") or {}
        note = Note(path.read_bytes().decode(), "outpatient", ON, Patient(patient.get("age"), patient.get("sex")))
        yield path.stem, note, right.__contains__


def cases(path: Path) -> Iterator[tuple[str, Note, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        right, wrong = set(case["codes"]), tuple(case.get("not", ()))

        def judged(code: str, right: set[str] = right, wrong: tuple[str, ...] = wrong) -> bool | None:
            return True if code in right else False if code.startswith(wrong) and wrong else None

        yield case["id"], NoteRecord.model_validate(case).note(), judged


def narratives(folder: Path) -> Iterator[tuple[str, Note, Any]]:
    gold: dict[str, set[str]] = collections.defaultdict(set)
    for line in (folder / "trainD.tsv").read_text(encoding="utf-8").splitlines():
        name, code = line.split("\t")[:2]
        gold[name].add(code.strip().upper())
    for path in sorted((folder / "text_files_en").glob("*.txt")):
        codes = gold[path.stem]

        def judged(code: str, codes: set[str] = codes) -> bool:
            return code in codes or any(code.startswith(g) for g in codes if len(g) > 3)

        yield path.stem, Note(path.read_bytes().decode(), "inpatient", ON), judged


def rows(source: Iterator[tuple[str, Note, Any]]) -> Iterator[tuple[bool, Row]]:
    for name, note, judge in source:
        narrative, found = drafts_of(note)
        for code, values in found:
            answer = judge(code)
            if answer is not None:
                yield narrative, (name, values, bool(answer))


def calibration(probability: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    """Bands, expected calibration error (ten bins), and accuracy by coverage."""
    error = 0.0
    for low in np.arange(0, 1, 0.1):
        inside = (probability >= low) & (probability < low + 0.1 + (low > 0.85))
        if inside.any():
            error += inside.mean() * abs(probability[inside].mean() - right[inside].mean())
    bands = {}
    for band, low, high in (("high", HIGH, 1.01), ("medium", MEDIUM, HIGH), ("low", 0.0, MEDIUM)):
        inside = (probability >= low) & (probability < high)
        bands[band] = {"share": round(float(inside.mean()), 3),
                       "right": round(float(right[inside].mean()), 3) if inside.any() else None}  # fmt: skip
    order = np.argsort(-probability)
    curve = {f"{int(c * 100)} %": round(float(right[order[: max(1, int(len(order) * c))]].mean()), 3)
             for c in (0.25, 0.5, 0.75, 1.0)}  # fmt: skip
    return {"bands": bands, "expected calibration error": round(error, 3), "right at coverage": curve}


def fit(found: list[Row], strength: float, short: float = 1.0) -> tuple[dict[str, Any], dict[str, Any], np.ndarray]:
    """The weights, the calibration by cross-validation over whole notes, and the held-out probabilities.

    `short` weighs the rule cases, which were written to be decided and are easier than notes.
    """
    groups = np.array([name for name, _, _ in found])
    weight = np.array([short if name.startswith("R-") else 1.0 for name, _, _ in found])
    right = np.array([answer for _, _, answer in found])
    vectorizer = DictVectorizer(sparse=False)
    table = vectorizer.fit_transform([values for _, values, _ in found])
    held_out = np.zeros(len(found))
    for train, test in GroupKFold(10).split(table, right, groups):
        model = LogisticRegression(C=strength, max_iter=2000, random_state=SEED).fit(
            table[train], right[train], weight[train]
        )
        held_out[test] = model.predict_proba(table[test])[:, 1]
    model = LogisticRegression(C=strength, max_iter=2000, random_state=SEED).fit(table, right, weight)
    names = vectorizer.get_feature_names_out()
    by_feature = {name: round(float(w), 4) for name, w in zip(names, model.coef_[0], strict=True) if abs(w) > 1e-4}
    return (
        {"start": round(float(model.intercept_[0]), 4), "by_feature": by_feature},
        calibration(held_out, right),
        held_out,
    )


def main() -> None:
    """Fit both models and write weights.json and card.md."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, help="folder that holds data/")
    data = parser.parse_args().data / "data"
    notes = list(rows(clinic(data / "clinic-notes")))
    short = list(rows(cases(data / "rules" / "cases.jsonl")))
    long = list(rows(narratives(data / "codiesp" / "train")))
    assessed = [row for narrative, row in [*notes, *short] if not narrative or row[1]["inpatient"] == 0]
    narrative = [row for is_long, row in long if is_long]
    models, held = {}, {}
    for kind, found, strength, weight in (("assessed", assessed, 0.3, 0.1), ("narrative", narrative, 0.3, 1.0)):
        models[kind], held[kind], guessed = fit(found, strength, weight)
        if kind == "assessed":
            mine = np.array([not name.startswith("R-") for name, _, _ in found])
            answers = np.array([answer for _, _, answer in found])
            held["assessed, clinic notes only"] = calibration(guessed[mine], answers[mine])
    (OUT / "weights.json").write_text(json.dumps(models, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    lines = [
        "# The confidence model", "",
        "Two logistic regressions (scikit-learn, L2, seed fixed) over features of a match: where it stands in the note, what found",
        "it, the chapter, counts of findings and axes, the rules that spoke. No words of any note are features.", "",
        f"Trained on {len({r[0] for _, r in notes})} labelled clinic notes and {len({r[0] for _, r in short})} short rule cases (`assessed`), and on",
        f"{len({r[0] for _, r in long})} CodiEsp training documents (`narrative`). The figures below are for notes held out whole (10 folds).", "",
    ]  # fmt: skip
    for kind, figures in held.items():
        lines += [f"## {kind}", "", "```json", json.dumps(figures, indent=1), "```", ""]
        print(kind, json.dumps(figures))
    lines += [
        "Limits: the labelled notes are few and of a few specialties; the short cases were written to test rules.",
        "",
    ]
    (OUT / "card.md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
