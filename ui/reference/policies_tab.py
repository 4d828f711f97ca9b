"""Policies: those that hold in a state, by status and kind, and a page for each with dates, criteria and source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import streamlit as st

from code_maps.coverage.catalogue import Entry, catalogue, out_of_date, policy_of, prose_of
from code_maps.coverage.payer import payer_source
from code_maps.coverage.policy import Kind
from code_maps.icd10cm import load
from pipeline.quick_reference import card, shown_services
from ui.parts import esc
from ui.reference.found import policies_with
from ui.reference.parts import Asked, chip, command, dates, link, links, named, opened, quiet, unlink, web
from ui.reference.policy_card import card_html

IMPORT = "chartproof policies import current_article.zip current_lcd.zip ncd.zip"
_KINDS = ("NCD", "LCD", "Article", "statute", "payer")
_STATUS = ("in force", "future", "retired", "replaced", "proposed", "out of date")
_MOST = 60
_ORIGINS = {
    "starter": "written from its source, part of ChartProof", "payer": "your own payer policy",
    "imported": "imported from the Medicare Coverage Database",
}  # fmt: skip


def draw(asked: Asked) -> None:
    """The Policies tab."""
    day, said = asked.day()
    entries = catalogue()
    old = out_of_date(day)
    for problem in payer_source().problems:
        st.html(f"<p>{chip('warn', f'A payer policy isn’t used: {problem}')}</p>")
    if not any(e.origin == "imported" for e in entries):
        command("No CMS document is imported, so articles and LCDs are missing. Download them from the Medicare "
                "Coverage Database and run", IMPORT)  # fmt: skip
    left, right = st.columns([0.4, 0.6], gap="medium")
    with left:
        _list(entries, asked, day, said, old)
    with right:
        key = opened("policy")
        entry = next((e for e in entries if e.id == key), None)
        if entry is None:
            unlink()
            quiet("Choose a policy: its dates, what it asks for, and its source." if key is None
                  else f"No policy {key} is at hand.")  # fmt: skip
        else:
            link("policy", entry.id)
            _page(entry, day, old)


def status_of(entry: Entry, day: dt.date, old: Mapping[Kind, int]) -> str:
    """A policy's status on a day; one in force whose download is too old is out of date."""
    status = entry.state_on(day)
    return "out of date" if status == "in force" and entry.origin == "imported" and entry.kind in old else status


def _list(entries: list[Entry], asked: Asked, day: dt.date, said: str, old: Mapping[Kind, int]) -> None:
    words = st.text_input("Words or an id", key="ref_policy_words", placeholder="A56680, or words: nail debridement")
    one, two = st.columns(2)
    kinds = one.multiselect("Kind", _KINDS, key="ref_policy_kinds", placeholder="all")
    wanted = two.multiselect("Status", _STATUS, key="ref_policy_status", placeholder="all")
    stands = {e.id: status_of(e, day, old) for e in entries}
    shown = [
        e for e in policies_with(words, entries)
        if (not kinds or e.kind in kinds) and (not wanted or stands[e.id] in wanted)
        and (asked.state is None or e.holds_in(asked.state))
    ]  # fmt: skip
    where = f", in {asked.state}" if asked.state else ""
    quiet(f"{len(shown):,} of {len(entries):,}{where}, as of {said}.")
    links("policies", "policy", ((e.id, f"{e.title} · {e.kind}, {stands[e.id]}") for e in shown[:_MOST]), "policy")
    if len(shown) > _MOST:
        quiet(f"{len(shown) - _MOST:,} more: narrow the list by words, kind, status or state.")


def _page(entry: Entry, day: dt.date, old: Mapping[Kind, int]) -> None:
    status = status_of(entry, day, old)
    sign = {"in force": "ok", "future": "quiet", "out of date": "warn"}.get(status, "risk")
    start, end = entry.dates_on(day)
    version = entry.version_on(day)
    policy = policy_of(entry, day)
    facts = [("Dates", dates(start, end)), ("Where it is from", _ORIGINS[entry.origin])]
    if version:
        others = [str(v.number) for v in entry.versions if v.number != version.number]
        facts.insert(1, ("Version", f"{version.number}" + (f" (others: {', '.join(others)})" if others else "")))
    facts.append(("States", ", ".join(sorted(entry.states)) or "all"))
    if entry.payers:
        facts.append(("Payer", ", ".join(sorted(entry.payers))))
    if policy:
        facts += [("Procedures", shown_services(policy.services) or "none listed"),
                  ("Contract", " and ".join(sorted(policy.contracts)) or "no Part B or DME contractor")]  # fmt: skip
    if status == "out of date":
        facts.append(("Its download", f"{old[entry.kind]:,} days old on {day}; CMS puts out a new one every week"))
    rows = "".join(f"<dt>{esc(name)}</dt><dd>{esc(value)}</dd>" for name, value in facts)
    st.html(
        f'<div class="cp-tab"><h2>{esc(named(entry.kind, entry.id))}</h2><p class="ref-title">{esc(entry.title)}</p>'
        f'<div class="cp-sub">{chip(sign, f"{status} on {day}")}</div><dl class="ref-facts">{rows}</dl></div>'  # type: ignore[arg-type]
    )
    if policy:
        st.html(card_html(card(policy, load(day)), headed=False))
        if policy.never_covered:
            st.html(f"<p><b>Never covered:</b> {esc(shown_services(policy.never_covered))}</p>")
        sources = "".join(f"<li>{esc(s)}{web(s.url)}</li>" for s in policy.rule.sources)
        why = f"<p>{esc(policy.rule.why)}</p>"
        st.html(f'<h3 class="cp-h">Source</h3>{why}<ul class="cp-facts">{sources}</ul>')
    prose = prose_of(entry, day)
    if prose:
        texts = "".join(
            f"<details><summary>{esc(heading)}</summary><div class='ref-prose'>{_paragraphs(text)}</div></details>"
            for heading, text in prose
        )
        st.html(f'<h3 class="cp-h">Text</h3>{texts}')


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{esc(line)}</p>" for line in text.split("\n") if line.strip())
