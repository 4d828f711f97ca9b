"""Coverage: import of a download as large as CMS's, and claim lines checked against it, beside a pandas merge.

The rows are synthetic and as many as CMS's article download of 2026 has (431,120 covered diagnoses in 2,002
articles). The peer is the plain way: pandas reads the same tables and merges the same claim lines with them by
procedure, contractor, state and diagnosis, which answers only whether a pointed code is on some list.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

from code_maps.coverage.mcd.tables import COLUMNS, NEEDED

ARTICLES, ROWS, LINES, LINES_EACH = 2_002, 431_120, 10_000, 4
ON = date(2026, 5, 12)
MOST_SECONDS, MOST_MEGABYTES = 60, 600
_STAMP = "2026-01-01 10:11:12.123000000"
_STATES = ["FL", "NY", "TX", "CA", "OH", "PA", "IL", "GA", "NC", "MI", "WA", "AZ"]


def make(
    path: Path, rows: int = ROWS, articles: int = ARTICLES, lines: int = LINES, seed: int = 7
) -> list[dict[str, Any]]:
    """Write a synthetic download in CMS's format, and give back claims of four lines about it."""
    from code_maps.icd10cm import load

    rng = random.Random(seed)
    codes = list(load(ON).billable())
    titles = {code: load(ON).title(code) for code in codes}
    tables: dict[str, list[list[object]]] = {name: [] for name in NEEDED["article"]}
    tables["state_lookup"] = [[n, s] for n, s in enumerate(_STATES, 1)]
    for number in range(1, len(_STATES) + 1):
        tables["contractor"].append([number, 9, 1, f"Contractor {number}", 2])
        tables["contractor_jurisdiction"].append([number, 9, 1, number, "1900-01-01 00:00:00", ""])
    claims: list[dict[str, Any]] = []
    waiting: dict[str, list[tuple[str, str]]] = {}
    each = [rows // articles + (n < rows % articles) for n in range(articles)]
    for n, size in enumerate(each):
        article, version, held = 100_000 + n, rng.randint(1, 40), 1 + n % len(_STATES)
        services = [f"{10_000 + 9 * (n // len(_STATES)) + k:05}" for k in range(9)]
        tables["article"].append([article, version, 6, f"Synthetic {n}", "2024-01-01 00:00:00", "",
                                  "<p>Records must be legible.</p>", "A", "", "", ""])  # fmt: skip
        tables["article_x_contractor"].append([article, version, held, 9, 1])
        tables["article_x_hcpc_code_group"].append([article, version, 1, "<p>Services</p>"])
        tables["article_x_hcpc_code"].extend([article, version, code, 1, "N"] for code in services)
        prose = f"<p>The following ICD-10-CM codes support medical necessity for CPT codes {services[0]}-{services[-1]}:</p>"
        tables["article_x_icd10_covered_group"].append([article, version, 1, prose, ""])
        chosen = rng.sample(codes, size)
        tables["article_x_icd10_covered"].extend(
            [article, version, code, 1, "N", place, "", titles[code]] for place, code in enumerate(chosen, 1)
        )
        for _ in range(lines // articles + (n < lines % articles)):
            diagnosis = rng.choice(chosen if rng.random() < 0.7 else codes)
            waiting.setdefault(_STATES[held - 1], []).append((rng.choice(services), diagnosis))
    for state, found in waiting.items():
        rng.shuffle(found)
        for at in range(0, len(found), LINES_EACH):
            some = found[at : at + LINES_EACH]
            claims.append({
                "date_of_service": ON.isoformat(), "state": state, "contract": "B", "payer": "medicare",
                "diagnoses": [dx for _, dx in some],
                "lines": [{"code": code, "pointers": [n]} for n, (code, _) in enumerate(some, 1)],
            })  # fmt: skip
    rng.shuffle(claims)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, found in tables.items():
            columns = [*COLUMNS[name], *(["description"] if name == "article_x_icd10_covered" else []), "last_updated"]
            text = io.StringIO()
            writer = csv.writer(text, quoting=csv.QUOTE_ALL)
            writer.writerow(columns)
            writer.writerows([*row, _STAMP] for row in found)
            archive.writestr(f"{name}.csv", text.getvalue())
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("current_article_csv.zip", inner.getvalue())
    return claims


_IMPORT = """
import resource, sys, time
from code_maps.coverage.mcd import import_paths
start = time.perf_counter()
report = import_paths([sys.argv[1]])
rows = report.imported[0].tables["article_x_icd10_covered"].loaded
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, rows)
"""


def import_cost(path: Path, home: Path) -> tuple[float, float, int]:
    """Seconds, peak megabytes and covered rows of an import in a fresh process."""
    root = str(Path(__file__).parent.parent)
    run = subprocess.run(
        [sys.executable, "-c", _IMPORT, str(path)], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": root, "CHARTPROOF_HOME": str(home)},
    )  # fmt: skip
    seconds, memory, rows = run.stdout.split()
    return float(seconds), float(memory), int(rows)


def ours(claims: list[dict[str, Any]]) -> tuple[float, float, float, list[bool]]:
    """Lines a second: first time (articles are read as they are met), again, and through the whole check with edits."""
    from code_maps.icd10cm import load
    from models.claim import Claim
    from pipeline.claims import check_claim
    from pipeline.review import check_claim as whole_check

    lines = sum(len(claim["lines"]) for claim in claims)
    validated = [Claim.model_validate(claim) for claim in claims]
    rates = []
    for _ in range(2):
        start = time.perf_counter()
        checked = [check_claim(claim, load) for claim in validated]
        rates.append(lines / (time.perf_counter() - start))
    start = time.perf_counter()
    for claim in claims:
        json.dumps(whole_check(Claim.model_validate(claim)))
    whole = lines / (time.perf_counter() - start)
    return rates[0], rates[1], whole, [line.verdict == "PASS" for c in checked for line in c.lines]


def pandas_merge(path: Path, claims: list[dict[str, Any]]) -> tuple[float, float, list[bool]]:
    """Lines a second of merges on tables in memory: all lines at once, and claim by claim (the first 50)."""
    import pandas as pd

    with zipfile.ZipFile(path) as outer, zipfile.ZipFile(io.BytesIO(outer.read("current_article_csv.zip"))) as inner:
        read = {
            name: pd.read_csv(io.BytesIO(inner.read(f"{name}.csv")), dtype=str, keep_default_na=False)
            for name in ("article", "article_x_contractor", "article_x_hcpc_code", "article_x_icd10_covered",
                         "contractor", "contractor_jurisdiction", "state_lookup")
        }  # fmt: skip
    version = ["article_id", "article_version"]
    contractor = ["contractor_id", "contractor_type_id", "contractor_version"]

    def merged(lines: pd.DataFrame) -> pd.Series:
        found = lines.merge(
            read["article_x_hcpc_code"][[*version, "hcpc_code_id"]], left_on="code", right_on="hcpc_code_id"
        )
        found = found.merge(read["article"][[*version, "article_eff_date"]], on=version)
        found = found[found.article_eff_date <= found.on]
        found = found.merge(read["article_x_contractor"][[*version, *contractor]], on=version)
        found = found.merge(read["contractor"][[*contractor, "contractor_subtype_id"]], on=contractor)
        found = found[found.contractor_subtype_id == "2"]
        found = found.merge(read["contractor_jurisdiction"][[*contractor, "state_id"]], on=contractor)
        found = found.merge(read["state_lookup"], on="state_id")
        found = found[found.state_abbrev == found.state]
        found = found.merge(
            read["article_x_icd10_covered"][[*version, "icd10_code_id"]], left_on=[*version, "diagnosis"],
            right_on=[*version, "icd10_code_id"],
        )  # fmt: skip
        return lines.number.isin(found.number)

    flat = [
        (claim["date_of_service"], claim["state"], line["code"], claim["diagnoses"][line["pointers"][0] - 1], number)
        for number, claim in enumerate(claims) for line in claim["lines"]
    ]  # fmt: skip
    lines = pd.DataFrame(flat, columns=["on", "state", "code", "diagnosis", "claim"])
    lines["number"] = range(len(lines))
    start = time.perf_counter()
    covered = merged(lines)
    at_once = len(lines) / (time.perf_counter() - start)
    start = time.perf_counter()
    few = 50
    for number in range(few):
        merged(lines[lines.claim == number])
    return at_once, few * LINES_EACH / (time.perf_counter() - start), list(covered)


def main() -> bool:
    """Print the table; True if a limit is broken."""
    with tempfile.TemporaryDirectory() as scratch:
        path, home = Path(scratch) / "current_article.zip", Path(scratch) / "home"
        before = os.environ.get("CHARTPROOF_HOME")
        os.environ["CHARTPROOF_HOME"] = str(home)
        try:
            claims = make(path)
            seconds, memory, rows = import_cost(path, home)
            first, again, whole, verdicts = ours(claims)
            at_once, single, covered = pandas_merge(path, claims)
        finally:
            if before is None:
                del os.environ["CHARTPROOF_HOME"]
            else:
                os.environ["CHARTPROOF_HOME"] = before
    agree = sum(a == b for a, b in zip(verdicts, covered, strict=True))
    print(
        f"\ncoverage (synthetic, {rows:,} covered diagnoses in {ARTICLES:,} articles; {LINES:,} claim lines, {LINES_EACH} to a claim)"
    )
    print(f"  import, seconds                  {seconds:10.1f}   limit {MOST_SECONDS}")
    print(f"  import, peak MB                  {memory:10.0f}   limit {MOST_MEGABYTES}")
    print(f"  verdicts a second, first time    {first:10,.0f}")
    print(f"  verdicts a second                {again:10,.0f}")
    print(f"  whole check with edits, a second {whole:10,.0f}")
    print(
        f"  pandas merge, all at once        {at_once:10,.0f}   ratio {again / at_once:6.1f}, first time {first / at_once:6.1f}"
    )
    print(f"  pandas merge, claim by claim     {single:10,.1f}   ratio {again / single:6,.0f}")
    print(f"  lines on which both agree        {agree:10,}")
    print(f"  this process's own peak, MB      {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:10.0f}")
    return seconds > MOST_SECONDS or memory > MOST_MEGABYTES or again < at_once


if __name__ == "__main__":
    sys.exit(main())
