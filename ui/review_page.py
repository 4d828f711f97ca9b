"""Review: a note and a claim go in; codes, verdicts, gaps and the proof for each come out."""

from __future__ import annotations

import datetime as dt
import html
import json
from typing import Any

import streamlit as st

from exchange.rendered import MARK_CSS, answer, as_html, as_markdown, marked_note, words
from models.claim import Claim
from models.problem import InputProblem
from models.proposal import Proposal
from models.record import NoteRecord, validated
from models.report import Report
from pipeline.review import review
from ui.samples import samples

_MOST = 1_000_000
_LEGEND = (
    ("k-condition", "condition"), ("k-symptom", "symptom"), ("k-exam", "exam"), ("k-result", "result"),
    ("k-history", "history, status"), ("k-treatment", "treatment, order"), ("k-rationale", "rationale"),
    ("a-negated", "negated"), ("a-uncertain k-condition", "uncertain"), ("a-historical k-condition", "past"),
    ("a-family k-condition", "family, other"), ("a-hypothetical k-condition", "hypothetical"),
)  # fmt: skip
_VERDICT_ICON = {"PASS": ":material/check_circle:", "NO_POLICY": ":material/remove:"}
_OUTSIDE = "Nothing leaves this machine: the note is reviewed here and kept only while this page is open."


def page() -> None:
    """The Review page."""
    st.html(f"<style>{MARK_CSS}{_PAGE_CSS}</style>")
    record, claim, problem = _inputs()
    if problem:
        st.error(problem)
        return
    if record is None:
        st.title("ChartProof")
        st.write("Does the note prove the claim? Paste a note or pick a sample on the left.")
        st.caption(_OUTSIDE)
        return
    report = _review(record.model_dump_json(), claim.model_dump_json(exclude_unset=True) if claim else None)
    st.subheader(answer(report), anchor=False)
    for notice in report.note.notices:
        st.caption(notice)
    left, right = st.columns([0.55, 0.45], gap="medium")
    with right:
        shown = _results(report, record.text)
    with left:
        _note(report, record.text, shown)


_PAGE_CSS = """
.note { max-height: 74vh; overflow-y: auto; padding: .75rem 1rem; border: 1px solid #8884; border-radius: .5rem; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem .5rem; font-size: 12px; margin-bottom: .35rem; }
.legend span { border-radius: 3px; padding: 0 4px; border-bottom: 2px solid transparent; }
.dim mark:not(.a-shown) { background: none !important; border-color: transparent !important; text-decoration: none; font-weight: 400; }
.a-shown { outline: 2px solid #1d6fd6; }
.crumb { font-size: 12px; opacity: .75; } .quote { border-left: 3px solid #1d6fd6; padding-left: .5rem; margin: .2rem 0; }
"""


@st.cache_data(max_entries=20, show_spinner="Reading the note …")
def _review(record: str, claim: str | None) -> Report:
    """Reviews are kept in memory for as long as the server runs, never on disk."""
    read = validated(NoteRecord, json.loads(record), "the note")
    billed = validated(Claim, json.loads(claim), "the claim") if claim else None
    return review(read.note(), billed)


# --- inputs --------------------------------------------------------------------------------------------------------


def _take_sample() -> None:
    """Fill the form from the chosen sample."""
    sample = samples().get(st.session_state["sample"])
    if sample is None:
        return
    claim = sample.claim
    state = st.session_state
    state["text"] = sample.text
    state["setting"] = sample.encounter.get("setting", "outpatient")
    state["on"] = dt.date.fromisoformat(claim["date_of_service"])
    patient = claim.get("patient", {})
    state["age"], state["sex"] = patient.get("age"), patient.get("sex")
    state["payer"], state["state"] = claim.get("payer", "medicare"), claim.get("state", "")
    state["diagnoses"] = ", ".join(claim.get("diagnoses", []))
    state["lines"] = [
        {"code": line["code"], "modifiers": " ".join(line.get("modifiers", [])), "units": line.get("units", 1),
         "pointers": " ".join(chr(64 + p) for p in line.get("pointers", []))}
        for line in claim.get("lines", [])
    ]  # fmt: skip
    state["version"] = state.get("version", 0) + 1


def _inputs() -> tuple[NoteRecord | None, Claim | None, str | None]:
    state = st.session_state
    state.setdefault("on", None)
    with st.sidebar:
        st.selectbox("Sample note", ["", *samples()], key="sample", on_change=_take_sample, format_func=lambda n: n or "none")
        upload = st.file_uploader("Note file (.txt)", type=["txt"])
        if upload is not None and state.get("upload") != upload.file_id:
            state["upload"] = upload.file_id
            try:
                state["text"] = upload.getvalue().decode("utf-8-sig")
            except UnicodeDecodeError as error:
                return None, None, f"{upload.name}: byte {error.start + 1} isn't UTF-8; save the note as UTF-8 text."
        text = st.text_area("Note", key="text", height=220, max_chars=_MOST, placeholder="Paste a note")
        one, two = st.columns(2)
        on = one.date_input("Date of service", key="on", min_value=dt.date(2015, 10, 1), format="YYYY-MM-DD")
        setting = two.segmented_control("Setting", ["outpatient", "inpatient"], key="setting", format_func=lambda s: {"outpatient": "OP", "inpatient": "IP"}[s])
        age = one.number_input("Age", min_value=0.0, max_value=130.0, value=None, step=1.0, key="age")
        sex = two.selectbox("Sex", [None, "female", "male"], key="sex", format_func=lambda s: s or "unknown")
        payer = one.text_input("Payer", key="payer", placeholder="medicare")
        us_state = two.text_input("State", key="state", max_chars=2, placeholder="FL")
        diagnoses = st.text_input("Diagnoses on the claim, A to L", key="diagnoses", placeholder="M17.11, E11.22")
        st.caption("Claim lines: procedure, modifiers, units, pointers as letters")
        lines = st.data_editor(
            state.get("lines") or [{"code": "", "modifiers": "", "units": 1, "pointers": ""}],
            num_rows="dynamic", key=f"grid{state.get('version', 0)}", hide_index=True, width="stretch",
        )  # fmt: skip
    if not (text or "").strip():
        return None, None, None
    try:
        claim = _claim(on, payer, us_state, age, sex, diagnoses, lines)
        record = validated(
            NoteRecord,
            {"id": "note", "text": text, "setting": setting or "outpatient", "date_of_service": on,
             "patient": {"age": age, "sex": sex}},
            "the form",
        )  # fmt: skip
    except InputProblem as problem:
        return None, None, str(problem)
    return record, claim, None


def _claim(
    on: dt.date | None, payer: str, us_state: str, age: float | None, sex: str | None, diagnoses: str, lines: Any,  # noqa: ANN401
) -> Claim | None:
    billed = []
    for number, row in enumerate(lines, 1):
        code = str(row.get("code") or "").strip().upper()
        if not code:
            continue
        pointers = []
        for letter in str(row.get("pointers") or "").replace(",", " ").upper().split():
            if len(letter) != 1 or not "A" <= letter <= "L":
                raise InputProblem(f"{letter!r} is no pointer", f"line {number}", "pointers are letters from A to L")
            pointers.append(ord(letter) - 64)
        modifiers = str(row.get("modifiers") or "").replace(",", " ").upper().split()
        billed.append({"code": code, "modifiers": modifiers, "units": row.get("units") or 1, "pointers": pointers})
    codes = diagnoses.replace(",", " ").upper().split()
    if not billed and not codes:
        return None
    data = {"date_of_service": on, "payer": payer.strip() or "medicare", "state": us_state.strip().upper() or None,
            "patient": {"age": age, "sex": sex}, "diagnoses": codes, "lines": billed}  # fmt: skip
    return validated(Claim, data, "the claim")


# --- results -------------------------------------------------------------------------------------------------------


def _note(report: Report, text: str, shown: frozenset[str]) -> None:
    legend = "".join(f'<span class="{css}">{name}</span>' for css, name in _LEGEND)
    coded = frozenset(i for p in report.proposals for i in p.findings)
    body = marked_note(text, report.findings, coded | shown)
    if shown:
        for key in shown:
            body = body.replace(f'id="{key}" class="', f'id="{key}" class="a-shown ')
        body = f'<div class="dim">{body}</div>'
    st.html(f'<div class="legend" aria-label="Legend">{legend}</div>{body}')


def _results(report: Report, text: str) -> frozenset[str]:
    """The result panels; returns the findings whose words are to be shown in the note."""
    names = {p.code: p for p in report.proposals}
    picked = st.selectbox(
        "Show the words behind", ["", *names],
        format_func=lambda c: f"{c}  {words(names[c].description, 50)}" if c else "everything",
    )  # fmt: skip
    codes, claim, gaps, level, why_not = st.tabs(["Codes", "Claim", "Gaps", "E/M", "Why not"])
    with codes:
        if not report.proposals:
            st.info("The note supports no code.")
        for p in report.proposals:
            _code(p)
    with claim:
        _claim_panel(report)
    with gaps:
        _gaps_panel(report)
    with level:
        _level_panel(report)
    with why_not:
        rows = [{"code": w.code, "why": w.why, "rule": w.rule} for w in report.withheld]
        rows += [{"code": c.code, "why": c.why, "rule": "candidate"} for c in report.candidates]
        st.dataframe(rows, hide_index=True, width="stretch") if rows else st.caption("Nothing was held back.")
    one, two, three = st.columns(3)
    one.download_button("JSON", json.dumps(report.to_dict(), ensure_ascii=False, indent=1), "report.json", "application/json")
    two.download_button("Markdown", as_markdown(report), "report.md", "text/markdown")
    three.download_button("HTML", as_html(report, text), "report.html", "text/html")
    return frozenset(names[picked].findings) if picked else frozenset()


def _code(p: Proposal) -> None:
    first = " · first-listed" if p.first_listed else ""
    with st.container(border=True):
        st.markdown(f"**{p.rank}&ensp;{p.code}**&ensp;{_escaped(p.description)}")
        st.caption(f"{p.band} {p.confidence:.2f}{first} · from {p.place}")
        for e in p.evidence[:3]:
            where = html.escape(e.section.replace("_", " "))
            st.html(f'<div class="quote">{html.escape(words(e.text, 140))} <small class="crumb">{where}</small></div>')
        with st.expander("Why this code"):
            for axis in p.axes:
                st.markdown(f"- {_escaped(axis.axis)}: {_escaped(axis.value)}")
            for rule in p.rules:
                st.markdown(f"- `{rule.id}` {_escaped(rule.why)}")
            for axis in p.open_axes:
                choices = ", ".join(f"{c.value} ({c.code})" for c in axis.choices[:6])
                st.markdown(f"- open, {axis.axis}: {_escaped(choices)}")


def _claim_panel(report: Report) -> None:
    check = report.claim
    if check is None:
        st.caption("Enter claim lines on the left to check them against the note and the policies.")
        return
    if check.assumed_diagnoses:
        st.warning("The claim names no diagnoses: the proposed codes stand in for them.")
    for v in check.lines:
        icon = _VERDICT_ICON.get(v.verdict, ":material/error:")
        with st.container(border=True):
            st.markdown(f"{icon} **Line {v.line}&ensp;{v.code}**&ensp;{v.verdict}&ensp;{', '.join(v.diagnoses)}")
            st.write(_escaped(v.why))
            if v.policy:
                version = f", version {v.policy.version}" if v.policy.version is not None else ""
                st.caption(f"{v.policy.kind} {v.policy.id}{version}: {_escaped(v.policy.title)} ({v.policy.basis})")
            for item in v.missing:
                st.markdown(f"- missing: {_escaped(item)}")
            if v.carc:
                st.caption(f"If denied: CARC {v.carc}" + (f", RARC {v.rarc}" if v.rarc else "") + f"; liable: {v.liability}")
            if v.supported_but_not_pointed:
                st.info(f"Supported by the note but not pointed to: {', '.join(v.supported_but_not_pointed)}")
    for e in check.edits:
        place = f"line {e.line}" if e.line else (e.dx or "claim")
        st.markdown(f"- **{e.severity}** {place}: {_escaped(e.why)} `{e.edit}`")
    for name, codes in (("Billed, not documented", check.undocumented), ("Documented, not billed", check.unbilled)):
        if codes:
            st.markdown(f"{name}: {', '.join(codes)}")
    for risk in report.denial_risks:
        st.markdown(f"- denial risk **{risk.level}**, {risk.cause}: {_escaped(risk.why)}")
    for notice in check.notices:
        st.caption(notice)


def _gaps_panel(report: Report) -> None:
    if not report.gaps:
        st.caption("No gap found.")
    for gap in report.gaps:
        with st.container(border=True):
            st.markdown(f"**{gap.priority}&ensp;{_escaped(gap.ask)}**")
            st.caption(f"{gap.missing} · {gap.kind} · `{gap.rule}` · {_escaped(gap.source)}")
            if gap.options:
                st.write(_escaped(" / ".join(gap.options)))
            if gap.would_change and gap.would_change.to:
                st.caption(f"Would change {gap.would_change.from_code} to {', '.join(gap.would_change.to)}")
    rows = [
        {"problem": p.problem, "code": p.code, "symptoms": p.elements.symptoms, "history": p.elements.history,
         "exam": p.elements.exam, "results": p.elements.results, "rationale": p.elements.rationale}
        for p in report.problem_elements
    ]  # fmt: skip
    if rows:
        st.caption("What the note documents for each problem")
        st.dataframe(rows, hide_index=True, width="stretch")


def _level_panel(report: Report) -> None:
    em = report.em
    if em is None:
        st.caption("No office visit to level.")
        return
    st.markdown(f"The note supports **{' or '.join(em.supports)}** ({em.mdm} medical decision making).")
    if em.billed:
        st.markdown(f"Billed: {em.billed}. {em.flag or ''}")
    for reason in em.reasons:
        st.markdown(f"- {reason.element}: {_escaped(reason.why)}")


def _escaped(text: str) -> str:
    """Text of a note or a file, shown as it is: no Markdown, no HTML."""
    return "".join("\\" + c if c in "\\`*_{}[]()#+-.!|~>$:<" else c for c in text)
