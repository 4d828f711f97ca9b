"""python -m benchmarks [DATA] [--gates] [--only accuracy|speed|coverage|workbench]: print the tables; with --gates fail below a floor.

DATA is the folder that holds `data/` and `tools/`; without it accuracy is left out and said so.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import accuracy, coverage, speed


def main() -> int:
    """Run what was asked for; the exit status is 1 when a floor isn't reached."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, help="folder with data/ and tools/")
    parser.add_argument("--gates", action="store_true", help="compare accuracy with benchmarks/floors.toml")
    parser.add_argument("--only", choices=("accuracy", "speed", "coverage", "workbench"))
    options = parser.parse_args()
    failed = False
    if options.only in (None, "accuracy"):
        if options.data is None or not (options.data / "data").is_dir():
            print("accuracy: left out, no data folder was given")
        else:
            figures = accuracy.measure(options.data)
            accuracy.show(figures)
            if options.gates:
                failed = accuracy.below_floors(figures)
    if options.only in (None, "speed") and not options.gates:
        speed.main(options.data)
    if options.only == "coverage":
        failed |= coverage.main()
    if options.only == "workbench":
        from benchmarks import workbench  # needs a browser: only when asked for

        failed |= workbench.main()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
