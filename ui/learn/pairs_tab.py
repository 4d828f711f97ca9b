"""Minimal pairs: a note with one element removed, and what that changes."""

from __future__ import annotations

import datetime as dt
import html
from functools import lru_cache

import streamlit as st

from code_maps.exercises import exercises
from exchange.rendered import words
from exchange.teaching import around, visible_lines
from models.claim import Claim
from models.lesson import Pair
from models.record import NoteRecord, validated
from models.text import Note
from pipeline.teaching.pairs import minimal_pairs
from ui.learn.parts import changes_html, part
from ui.parts import chip, esc, plain_label, quiet
from ui.samples import samples

_OWN = "A note of your own"
_FIRST = "knee-osteoarthritis"
_TONE = {"code": ("risk", "a code"), "verdict": ("risk", "a verdict"), "undocumented": ("risk", "a billed code"),
         "edit": ("warn", "an edit"), "missing": ("warn", "a criterion"), "gap": ("warn", "a gap"),
         "level": ("quiet", "the level")}  # fmt: skip


def draw() -> None:
    """The Minimal pairs tab."""
    titles = {name: sample.title for name, sample in samples().items()}
    titles |= {name: f"{one.title} (exercise)" for name, one in exercises().items()}
    names = [_OWN, *titles]
    left, right = st.columns([0.36, 0.64], gap="medium")
    with left:
        start = names.index(_FIRST) if _FIRST in names else 0
        name = st.selectbox("Note", names, index=start, key="learn_note", format_func=lambda n: titles.get(n, n))
        note, claim = _own() if name == _OWN else _given(name)
        if not note.text.strip():
            st.html(quiet("Paste a note: each element that matters is taken out in turn."))
            return
        with st.spinner("Taking out one element after the other …"):
            pairs = minimal_pairs(note, claim) if name == _OWN else _known(name)
        if not pairs:
            st.html(quiet("No single element of this note changes what the review says."))
            return
        chosen = min(st.session_state.get("learn_pair", {}).get(name, 0), len(pairs) - 1)
        st.html(part(f"Without … · {len(pairs)}"))
        with st.container(key="learn_list_pairs", gap=None):
            for number, pair in enumerate(pairs):
                about = f" of {plain_label(pair.about)}" if pair.about else ""
                st.button(
                    f"{'▸ ' if number == chosen else ''}**{plain_label(pair.element)}**{about}: "
                    f"{plain_label(words(pair.removed, 46))}",
                    key=f"learn_pair_{number}", type="tertiary", on_click=_choose, args=(name, number),
                )  # fmt: skip
    with right:
        _pair(note, pairs[chosen])


def _choose(name: str, number: int) -> None:
    st.session_state["learn_pair"] = {name: number}


def _own() -> tuple[Note, Claim | None]:
    text = st.text_area(
        "Note", key="learn_own", height=220, max_chars=20_000, help="Kept while this page is open only."
    )
    on = st.date_input("Date of service", value=None, key="learn_own_on", min_value=dt.date(2015, 10, 1))
    setting = st.segmented_control(
        "Setting", ["outpatient", "inpatient"], default="outpatient", key="learn_own_setting"
    )
    return Note(text or "", setting or "outpatient", on), None


def _given(name: str) -> tuple[Note, Claim | None]:
    if name in exercises():
        return exercises()[name].note, exercises()[name].claim
    sample = samples()[name]
    claim = validated(Claim, dict(sample.claim), name) if sample.claim else None
    record = validated(NoteRecord, {**sample.encounter, "id": name, "text": sample.text, "claim": claim}, name)
    return record.note(), claim


@lru_cache(maxsize=32)
def _known(name: str) -> tuple[Pair, ...]:
    """The pairs of a note that comes with ChartProof; notes of users are never kept."""
    return minimal_pairs(*_given(name))


def _pair(note: Note, pair: Pair) -> None:
    kinds = dict.fromkeys(c.kind for c in pair.changes)
    chips = " ".join(chip(*_TONE[kind]) for kind in kinds if kind in _TONE)
    about = f" of {esc(pair.about)}" if pair.about else ""
    text = note.text
    before, after = around(text, pair)
    st.html(
        f'<div class="learn-head"><h2>Without the {esc(pair.element)}{about}</h2><p>It changes {chips}</p></div>'
        f'<p class="learn-excerpt" dir="auto">… {esc(words(before, 90))} <del>{esc(words(pair.removed, 400))}</del> '
        f"{esc(words(after, 90))} …</p>{changes_html(pair.changes, most=8)}"
    )
    # One piece each, so that no line break is lost where the pieces meet.
    before, gone, after = text[: pair.start], text[pair.start : pair.end], text[pair.end :]
    st.html(
        f'<div class="learn-note" dir="auto" tabindex="0" role="region" aria-label="Note with the words that go">'
        f"{_escaped(before)}<del>{_escaped(gone)}</del>{_escaped(after)}</div>"
    )


def _escaped(text: str) -> str:
    ends = "\n" if text.endswith("\n") else ""
    return html.escape(visible_lines(text) + ends)
