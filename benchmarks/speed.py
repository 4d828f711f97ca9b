"""Speed, memory, cold start and growth, each as a ratio to a peer in the same run.

The peer is medspaCy's default pipeline (PyRuSH, sectionizer, target matcher, ConText) holding the same tabular terms.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

ON = date(2026, 5, 12)


def sample_notes(folder: Path | None) -> list[str]:
    """Notes to time: the unlabelled visits of the data folder, or our own samples."""
    path = folder / "data" / "notes" / "clinic_visits_unlabelled.jsonl" if folder else None
    if path and path.is_file():
        with path.open(encoding="utf-8") as lines:
            return [json.loads(line)["text"] for line in lines if line.strip()]
    root = Path(__file__).parent.parent / "sample_notes"
    return [p.read_bytes().decode("utf-8") for p in sorted(root.glob("*/note.txt"))]


def _medspacy() -> Callable[[str], object]:
    """medspaCy's default pipeline with the tabular's titles and inclusion terms as target rules."""
    import medspacy
    from loguru import logger
    from medspacy.ner import TargetRule

    from code_maps.icd10cm import load

    logger.remove()  # PyRuSH logs every token of the note; ours never does
    nlp = medspacy.load()
    nlp.add_pipe("medspacy_sectionizer")
    codes = load(ON)
    terms: dict[str, str] = {}
    for code in codes.nodes():
        if len(code) < 8:
            for term in (codes.title(code), *codes.inclusion_terms(code)):
                terms.setdefault(term.lower(), code)
    matcher = nlp.get_pipe("medspacy_target_matcher")
    matcher.add([TargetRule(term, code) for term, code in terms.items()])
    return nlp


def throughput(folder: Path | None, rounds: int = 3, most: int = 30) -> tuple[float, float]:
    """Notes a second of processor time, ours and medspaCy's, in turns over the same notes; the median of the rounds."""
    from models.text import Note
    from pipeline.review import review

    texts = sample_notes(folder)[:most]

    def ours(text: str) -> object:
        return review(Note(text, date_of_service=ON)).to_dict()

    theirs = _medspacy()
    rates: dict[str, list[float]] = {"ours": [], "theirs": []}
    ours(texts[0]), theirs(texts[0])
    for _ in range(rounds):
        for name, run in (("ours", ours), ("theirs", theirs)):
            start = time.process_time()  # processor time: other programs on the machine don't count
            for text in texts:
                run(text)
            rates[name].append(len(texts) / (time.process_time() - start))
    return statistics.median(rates["ours"]), statistics.median(rates["theirs"])


def growth(folder: Path | None) -> list[tuple[int, float]]:
    """Seconds for one note at 1, 4 and 16 times its length, each the best of five."""
    from models.text import Note
    from pipeline.review import review

    text = max(sample_notes(folder)[:30], key=len)
    found = []
    for times in (1, 4, 16):
        long = "\n\n".join([text] * times)
        note = Note(long, date_of_service=ON)
        best = min(_timed(partial(review, note)) for _ in range(5))
        found.append((times, best))
    return found


def _timed(run: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    start = clock()
    run()
    return clock() - start


def cold_start(rounds: int = 5) -> tuple[float, float]:
    """Seconds of `chartproof review` on a short note and of `import medspacy`, as whole processes in turns."""
    with tempfile.TemporaryDirectory() as scratch:
        note = Path(scratch) / "note.txt"
        note.write_text("CC: knee pain\nAssessment: Right knee pain.\nPlan: ibuprofen.\n", encoding="utf-8")
        ours = [sys.executable, "-m", "cli", "review", str(note), "--on", ON.isoformat()]
        theirs = [sys.executable, "-c", "import medspacy"]
        root = Path(__file__).parent.parent

        def run(command: list[str]) -> None:
            subprocess.run(command, cwd=root, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        run(ours), run(theirs)
        wall = time.perf_counter
        pairs = [(_timed(lambda: run(ours), wall), _timed(lambda: run(theirs), wall)) for _ in range(rounds)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


_PEAK = """
import resource, sys, json
from datetime import date
sys.path.insert(0, sys.argv[1])
from benchmarks.speed import sample_notes
from pathlib import Path
from models.text import Note
from pipeline.review import review
for text in sample_notes(Path(sys.argv[2]) if sys.argv[2] else None):
    review(Note(text, date_of_service=date(2026, 5, 12))).to_dict()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_memory(folder: Path | None) -> float:
    """Peak resident memory in MB of one fresh process that reviews all the notes."""
    root = str(Path(__file__).parent.parent)
    run = subprocess.run(
        [sys.executable, "-c", _PEAK, root, str(folder or "")], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": root},
    )  # fmt: skip
    return int(run.stdout.split()[-1]) / 1024


def main(folder: Path | None) -> None:
    """Print the table."""
    memory = peak_memory(folder)
    start, peer_start = cold_start()
    ours, theirs = throughput(folder)
    print("\nspeed (one process, same run)")
    print(
        f"  full review, notes a second      {ours:8.1f}   medspaCy default {theirs:6.1f}   ratio {ours / theirs:6.1f}"
    )
    print(
        f"  cold start, short note, seconds  {start:8.2f}   import medspacy  {peer_start:6.2f}   ratio {start / peer_start:6.2f}"
    )
    print(f"  peak memory, MB                  {memory:8.0f}")
    base = None
    for times, seconds in growth(folder):
        base = base or seconds
        print(f"  a note {times:2} times as long, costs     {seconds / base:8.1f} times")
    print(f"  this process's own peak, MB      {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f}")
