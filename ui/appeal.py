"""Appeal: left what the policy of a denied line asks for with the note's words beside it, right the letter."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import streamlit as st

from code_maps.appeals import denials
from code_maps.services import service_name
from exchange import letters, paper
from exchange.rendered import verdict_words
from models.appeal import Appeal, Point, PointState
from models.claim import Claim
from models.problem import InputProblem
from models.record import NoteRecord, validated
from models.report import Report
from pipeline.appeals import appeal
from pipeline.review import review
from ui import access
from ui.parts import chip, esc, plain_label
from ui.samples import samples
from ui.style import style

_OPEN = ""  # the note on the Review page; any other value is the name of a sample
_FIRST = "sleep-apnea"
_EXPECTED = "expected"
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_STATES: dict[PointState, tuple[str, str]] = {
    "shown": ("ok", "in the note"),
    "on the claim": ("quiet", "on the claim"),
    "not documented": ("warn", "not documented"),
    "contradicted": ("risk", "speaks against it"),
}


@dataclass(frozen=True, slots=True)
class _Case:
    """A note with its claim, and the review of both."""

    record: NoteRecord
    claim: Claim
    report: Report


def page() -> None:
    """The Appeal page."""
    style()
    st.html(f"<style>{files('ui').joinpath('appeal.css').read_text(encoding='utf-8')}</style>")
    access.require("coder", "cdi", "educator")
    st.html('<h1 class="ap-title">Appeal of a denied line</h1>')
    opened = _opened()
    choices = [*([_OPEN] if opened else []), *(n for n, sample in samples().items() if sample.claim.get("lines"))]
    if not choices:
        st.html('<p class="cp-quiet">Enter a note and its claim on the Review page first.</p>')
        return
    with st.container(key="appeal_case"):
        one, two, three = st.columns([1.4, 1.4, 1], vertical_alignment="bottom")
    _follow(opened)
    name = _chosen(one, choices)
    case = opened if opened and name == _OPEN else _sample(name)
    line, carc = _asked(case, two, three)
    try:
        draft = appeal(case.record.note(), case.claim, line, carc, case.report)
    except InputProblem as problem:
        st.error(plain_label(str(problem)), icon=":material/error:")
        return
    left, right = st.columns([0.48, 0.52], gap="medium")
    with left, st.container(key="appeal_points"):
        st.html(_criteria(draft))
    with right:
        _letter(draft)


# --- which line --------------------------------------------------------------------------------------------------


def _follow(opened: _Case | None) -> None:
    """Turn to the note of the Review page whenever another one is opened there."""
    state = st.session_state
    about = _fingerprint(opened) if opened else None
    if state.get("appeal_opened") != about:
        state["appeal_opened"] = about
        if opened:
            state["appeal_note"] = _OPEN


def _fingerprint(case: _Case) -> str:
    """What tells one note with its claim from another; the words can't be read from it."""
    return hashlib.sha256(repr((case.record, case.claim)).encode()).hexdigest()


def _chosen(place: Any, choices: Sequence[str]) -> str:  # noqa: ANN401  (a column of Streamlit)
    """Which note: the one on the Review page, or a sample."""
    state = st.session_state
    if state.get("appeal_note") not in choices:
        kept = [n for n in (state.get("appeal_note_kept"), _OPEN, _FIRST) if n in choices]
        state["appeal_note"] = kept[0] if kept else choices[0]
    titles = {name: sample.title for name, sample in samples().items()}
    name: str = place.selectbox(
        "Note and claim", choices, key="appeal_note",
        format_func=lambda n: titles[n] if n else "The note open on the Review page",
        help="A note with a claim that is open on the Review page stands first; the others are samples.",
    )  # fmt: skip
    state["appeal_note_kept"] = name
    return name


def _opened() -> _Case | None:
    """What is open on the Review page, if it has a claim with lines."""
    reviewed = st.session_state.get("reviewed")
    if not reviewed:
        return None
    (record, claim), report = reviewed
    if claim is None or not claim.lines or report is None or report.claim is None:
        return None
    return _Case(record, claim, report)


def _sample(name: str) -> _Case:
    known = st.session_state.get("appeal_sample")
    if known and known[0] == name:
        return known[1]  # type: ignore[no-any-return]
    sample = samples()[name]
    claim = validated(Claim, dict(sample.claim), name)
    record = validated(NoteRecord, {"id": name, "text": sample.text, **sample.encounter, "claim": claim}, name)
    case = _Case(record, claim, review(record.note(), claim))
    st.session_state["appeal_sample"] = (name, case)
    return case


def _asked(case: _Case, lines: Any, codes: Any) -> tuple[int, str | None]:  # noqa: ANN401  (columns of Streamlit)
    """The denied line, and the reason code of the remittance."""
    state = st.session_state
    assert case.report.claim is not None
    verdicts = case.report.claim.lines
    risk = next((v.line for v in verdicts if verdict_words(v.verdict)[0] == "risk"), 1)
    about = _fingerprint(case)
    if state.get("appeal_about") != about:
        state["appeal_about"], state["appeal_line"], state["appeal_carc"] = about, risk, _EXPECTED
        state["appeal_line_kept"] = risk
    if state.get("appeal_line") not in range(1, len(verdicts) + 1):
        state["appeal_line"] = state.get("appeal_line_kept", risk)
    if "appeal_carc" not in state:
        state["appeal_carc"] = state.get("appeal_carc_kept", _EXPECTED)

    def named(line: int) -> str:
        verdict = verdicts[line - 1]
        what = service_name(verdict.code) or verdict_words(verdict.verdict)[1]
        return f"{line}: {verdict.code} {what}"

    line = lines.selectbox("Denied line", [v.line for v in verdicts], key="appeal_line", format_func=named)
    state["appeal_line_kept"] = line
    known = [r.carc for r in denials().reasons]
    expected = verdicts[line - 1].carc
    carc = codes.selectbox(
        "Reason code (CARC)", [_EXPECTED, *known], key="appeal_carc", accept_new_options=True,
        format_func=lambda c: (f"as expected: {expected}" if expected else "not known") if c == _EXPECTED else c,
        help="The code of the remittance, such as 50 or CO-50. Codes that aren't listed can be typed.",
    )  # fmt: skip
    state["appeal_carc_kept"] = carc or _EXPECTED
    return line, None if carc in (None, _EXPECTED) else carc


# --- criteria ----------------------------------------------------------------------------------------------------


def _criteria(draft: Appeal) -> str:
    """What is asked for, each with the words that show it, as HTML."""
    shown = sum(p.state in ("shown", "on the claim") for p in draft.points)
    state, said = verdict_words(draft.verdict)
    head = f'<p class="ap-sum">{chip(state, said)} {shown} of {len(draft.points)} points shown</p>'
    return head + _policy(draft) + "".join(_point(p) for p in draft.points)


def _policy(draft: Appeal) -> str:
    policy = draft.policy
    if policy is None:
        necessity = denials().necessity
        what = f"{necessity.words} ({necessity.source})" if draft.medicare else "The payer's own policy isn't at hand."
        return f'<h2 class="cp-h">No policy on file</h2><div class="ap-policy">{esc(what)}</div>'
    named = draft.citation or f"{policy.kind} {policy.id}: {policy.title}"
    quote = f'<blockquote><q dir="auto">{esc(policy.quote)}</q></blockquote>' if policy.quote else ""
    link = ""
    if policy.url and policy.url.startswith("https://"):
        link = f' <a href="{esc(policy.url)}" target="_blank" rel="noopener noreferrer">read it at its source</a>'
    return f'<h2 class="cp-h">Policy</h2><div class="ap-policy">{esc(named)}.{link}{quote}</div><h2 class="cp-h">What it asks for</h2>'


def _point(point: Point) -> str:
    state, label = _STATES[point.state]
    if point.state == "not documented" and point.required:
        state = "risk"
    body = "".join(
        f'<blockquote><q dir="auto"><bdi>{esc(e.text)}</bdi></q><small>{esc(_place(e.section))} characters {e.start} to {e.end}'
        "</small></blockquote>"
        for e in point.excerpts
    )
    if point.facts:
        body += f'<p class="ap-none">From the claim: {esc(", ".join(point.facts))}.</p>'
    required = "" if not point.required else "<small>a condition of the coverage</small>"
    return (
        f'<div class="cp-card ap-point s-{state}"><div class="cp-top"><b>{esc(point.asked)}</b>'
        f"{chip(state, label)}</div>{required}{body}</div>"
    )


def _place(section: str) -> str:
    return f"{section.replace('_', ' ').capitalize()}," if section else "Note,"


# --- letter ------------------------------------------------------------------------------------------------------


def _letter(draft: Appeal) -> None:
    """What has to be known before sending, the letter to edit, and the ways to take it along."""
    st.html(_before(letters.before_sending(draft), draft.arguable))
    state = st.session_state
    written = paper.as_plain(letters.as_paper(draft, notes=False))
    signature = hashlib.sha256(written.encode()).hexdigest()
    if state.get("appeal_signature") != signature:
        state["appeal_signature"], state["appeal_text"] = signature, written
    elif "appeal_text" not in state:
        state["appeal_text"] = state.get("appeal_text_kept", written)
    bar = st.container(key="appeal_bar")
    text = st.text_area("Letter: fill the blanks in brackets", key="appeal_text", height=430)
    state["appeal_text_kept"] = text
    # An edited letter is read back from its text; an untouched one keeps its own form.
    made = letters.as_paper(draft, notes=False) if text == written else paper.from_plain(text, foot=letters.FOOT)
    name = f"appeal-line-{draft.line}"
    one, two, three, four = bar.columns([1, 1, 1, 1.3], gap="small")
    one.download_button(
        "Word",
        paper.as_docx(made),
        f"{name}.docx",
        _WORD,
        icon=":material/download:",
        width="stretch",
        on_click="ignore",
    )
    two.download_button(
        "PDF", paper.as_pdf(made), f"{name}.pdf", "application/pdf", icon=":material/download:", width="stretch",
        on_click="ignore",
    )  # fmt: skip
    three.download_button(
        "Text", text, f"{name}.txt", "text/plain", icon=":material/download:", width="stretch", on_click="ignore"
    )
    four.button(
        "Write it anew", on_click=_anew, disabled=text == written, icon=":material/restart_alt:", width="stretch"
    )


def _anew() -> None:
    st.session_state.pop("appeal_signature", None)


def _before(lines: Sequence[str], arguable: bool) -> str:
    items = "".join(f"<li>{esc(line)}</li>" for line in lines)
    kind = "" if arguable else " s-risk"
    return f'<div class="ap-before{kind}" role="note"><b>Before you send this</b><ul>{items}</ul></div>'
