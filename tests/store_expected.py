"""The stored reports of the sample notes: `python -m tests.store_expected [NAME…]` rewrites them.

Read what changed (`git diff sample_notes`) as a coder before committing it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "sample_notes"


def names():
    """The names of the sample notes."""
    return sorted(path.parent.name for path in FOLDER.glob("*/note.txt"))


def review_sample(name):
    """One sample with its encounter and claim, reviewed as the command line does."""
    from models.record import NoteRecord, validated
    from pipeline.review import review

    folder = FOLDER / name
    encounter = folder / "encounter.json"
    record = validated(
        NoteRecord,
        {
            **(json.loads(encounter.read_text(encoding="utf-8")) if encounter.is_file() else {}),
            "id": name,
            "text": (folder / "note.txt").read_bytes().decode("utf-8"),
            "claim": json.loads((folder / "claim.json").read_text(encoding="utf-8")),
        },
        name,
    )
    return review(record.note(), record.claim)


def essence(report):
    """What must not change unnoticed: codes in order, what a rule withholds, verdicts, gaps, and the E/M level."""
    whole = report.to_dict()
    return {
        "release": whole["note"]["release"],
        "codes": [p["code"] for p in whole["proposals"]],
        "withheld": [f"{w['code']} {w['rule']}" for w in whole["withheld"]],
        "lines": [f"{v['line']} {v['code']} {v['verdict']}" for v in (whole["claim"] or {}).get("lines", [])],
        "edits": [
            " ".join(str(part) for part in (e["edit"], e["line"] or e["dx"] or "claim"))
            for e in (whole["claim"] or {}).get("edits", [])
        ],
        "undocumented": (whole["claim"] or {}).get("undocumented", []),
        "unbilled": (whole["claim"] or {}).get("unbilled", []),
        "gaps": [f"{g['missing']} {g['code'] or '-'}" for g in whole["gaps"]],
        "mdm": whole["em"]["mdm"] if whole["em"] else None,
    }


def stored(name):
    """What was stored for a sample."""
    return json.loads((FOLDER / name / "expected.json").read_text(encoding="utf-8"))


def main(chosen):
    """Store the reports of `chosen` samples, or of all."""
    for name in chosen or names():
        text = json.dumps(essence(review_sample(name)), ensure_ascii=False, indent=1) + "\n"
        (FOLDER / name / "expected.json").write_text(text, encoding="utf-8")
        print(name)


if __name__ == "__main__":
    main(sys.argv[1:])
