"""Status: what is imported of code sets, edits and policies, what it covers, what changed, what is out of date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import streamlit as st

from code_maps.coverage.catalogue import catalogue, turns
from code_maps.coverage.mcd import read_manifest
from code_maps.coverage.mcd.described import FRESH, age
from code_maps.coverage.payer import payer_source
from code_maps.edits import edit_rules
from code_maps.edits.imported import editions, newest_changes, waiting
from code_maps.edits.layouts import KINDS
from code_maps.icd10cm import load, releases
from ui.parts import esc
from ui.reference.codes_tab import changes
from ui.reference.parts import Asked, chip, command, dates, quiet, table, unlink
from ui.reference.policies_tab import IMPORT

_MOST = 300
_RECENT = dt.timedelta(days=90)


def draw(asked: Asked) -> None:
    """The Status tab."""
    unlink()
    today = dt.date.today()
    st.session_state.setdefault("ref_as_of", asked.on or today)
    day = st.date_input("Out of date as of", key="ref_as_of", format="YYYY-MM-DD", width=240) or today
    quiet(f"As of {day}{' (today)' if day == today else ''}: what covers this date, and what is too old for it.")
    for part in (_codes, _edits, _policies):
        with st.container(gap="xsmall"):
            part(day)


# --- code sets -------------------------------------------------------------------------------------------------------


def _codes(day: dt.date) -> None:
    st.html('<h2 class="ref-h">Code sets</h2>')
    known = releases()
    serving = load(day)
    if serving.covers:
        said = chip("ok", f"{serving.release} covers {day}")
        st.html(f"<p>{said}</p>")
        for notice in serving.notices:
            quiet(notice)
    else:
        st.html(f"<p>{chip('warn', f'out of date: no installed release covers {day}')}</p>")
        command("Import the tabular list of that fiscal year (from CMS or CDC):", "chartproof codes import FILES")
    st.html(
        table(
            ("Release", "Dates of service", "Billable codes", "Where it is from", "Notes", "Index", f"On {day}"),
            (
                (i.id, f"{i.effective[0]} to {i.effective[1]}", f"{i.billable:,}", i.source, _yes(i.has_notes),
                 _yes(i.has_index), "in use" if i.id == serving.release and serving.covers else "")
                for i in known
            ),
            "Code sets",
        )
    )  # fmt: skip
    if len(known) < 2:
        quiet("What changed can be told once a second release is installed.")
        return
    found = changes(known[-2].id, known[-1].id, known)
    st.html(f'<h3 class="cp-h">What changed from {esc(found.old)} to {esc(found.new)}</h3>')
    _changed("new", found.added, ("Code", "Title"))
    _changed("gone", found.deleted, ("Code", "Title"))
    _changed("revised", found.revised, ("Code", "Title before", "Title now"))


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _changed(what: str, rows: Sequence[Iterable[str]], head: Sequence[str]) -> None:
    if not rows:
        quiet(f"None {what}.")
        return
    more = f"<p class='cp-quiet'>{len(rows) - _MOST:,} more.</p>" if len(rows) > _MOST else ""
    st.html(
        f'<details class="ref-more"><summary>{len(rows):,} {what}</summary>{table(head, rows[:_MOST], what)}{more}</details>'
    )


# --- edits -----------------------------------------------------------------------------------------------------------


def _edits(day: dt.date) -> None:
    st.html('<h2 class="ref-h">Claim edits</h2>')
    known = editions()
    if not known:
        command("None of CMS's edit files is imported. Download them from CMS and run",
                "chartproof edits import MUE.csv add-on.txt rvu.zip mce.zip")  # fmt: skip
    else:
        st.html(
            table(
                ("Table", "Dates", "Rows", "Refused", "File", f"On {day}"),
                (
                    (KINDS[e.kind], dates(e.since, e.to) if e.since else "without dates", f"{e.count:,}",
                     f"{sum(n for _, n, _ in e.refused):,}", e.file.rpartition("/")[2],
                     "covers it" if e.covers(day) else "doesn't cover it")
                    for e in known
                ),
                "Imported edit tables",
            )
        )  # fmt: skip
    stale = [
        kind for kind in KINDS if (of := [e for e in known if e.kind == kind]) and not any(e.covers(day) for e in of)
    ]
    for kind in stale:
        st.html(f"<p>{chip('warn', f'out of date on {day}: {KINDS[kind]}')}</p>")
    lacking = waiting()
    if lacking:
        rows = (
            (KINDS[kind], ", ".join(rules) or "shown in the quick reference only") for kind, rules in lacking.items()
        )
        st.html('<h3 class="cp-h">Not imported</h3>' + table(("Table", "Edits that wait for it"), rows, "Not imported"))
    quiet(f"{len(edit_rules())} edits in all; those that need no file of CMS are always checked.")
    for kind in dict.fromkeys(e.kind for e in known):
        found = newest_changes(kind)
        if found is None:
            continue
        st.html(f'<h3 class="cp-h">What changed in {esc(KINDS[kind])}, {found.old.since} to {found.new.since}</h3>')
        _changed("new", found.added, ("Procedure", "Now"))
        _changed("gone", found.deleted, ("Procedure", "Before"))
        _changed("changed", found.changed, ("Procedure", "Before", "Now"))


# --- policies --------------------------------------------------------------------------------------------------------


def _policies(day: dt.date) -> None:
    st.html('<h2 class="ref-h">Policies</h2>')
    entries = catalogue()
    own = payer_source()
    starters = sum(e.origin == "starter" for e in entries)
    quiet(f"{starters} starter policies, {len(own.policies)} payer policies of your own.")
    for problem in own.problems:
        st.html(f"<p>{chip('warn', problem)}</p>")
    manifest = read_manifest()
    if not manifest:
        command("No CMS document is imported. Download articles, LCDs and NCDs and run", IMPORT)
        return
    rows = []
    for kind, entry in manifest.items():
        old = age(entry, day)
        state = "date unknown" if old is None else f"out of date: {old.days:,} days old" if old > FRESH else "fresh"
        loaded = sum(c.loaded for c in entry.tables.values())
        refused = sum(c.refused for c in entry.tables.values())
        rows.append(
            (kind, entry.date or "unknown", f"{len(entry.tables)}", f"{loaded:,}", f"{refused:,}", entry.source, state)
        )
    head = ("Kind", "Download of", "Tables", "Rows", "Left out", "File", f"On {day}")
    st.html(table(head, rows, "Imported policies"))
    if any(row[-1].startswith("out of date") for row in rows):
        command("CMS puts out a new download every week:", IMPORT)
    for notice in (n for entry in manifest.values() for n in entry.notices):
        quiet(notice)
    for heading, since, to in (
        (f"Took effect or ended in the 90 days up to {day}", day - _RECENT, day),
        (f"Will take effect or end after {day}", day + dt.timedelta(days=1), None),
    ):
        found = turns(entries, since, to)
        st.html(f'<h3 class="cp-h">{heading}</h3>')
        _changed("documents", [(t.id, str(t.version), str(t.on), t.what, t.title) for t in found],
                 ("Policy", "Version", "Date", "What", "Title"))  # fmt: skip
    quiet("A download replaces the one before it, so what changed is told by the documents' own dates.")
