"""The sidebar of the Review page: which note, the encounter and the claim, read into records."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from code_maps.icd10cm import load
from code_maps.icd10cm.problems import UnknownRelease
from code_maps.services import service_name
from exchange.notes_in import read_note_file
from models.claim import Claim
from models.problem import InputProblem
from models.record import NoteRecord, validated
from models.text import Setting
from ui import decisions
from ui.lookup import lookup
from ui.parts import plain_label
from ui.samples import samples

LETTERS = "ABCDEFGHIJKL"
_FIELDS = (
    "sample", "on", "setting", "age", "sex", "payer", "state", "diagnoses", "contract", "last_seen",
    "history", "abn",
)  # fmt: skip
_BLANK: Mapping[str, Any] = {"code": "", "modifiers": "", "units": 1.0, "pointers": "", "on": ""}


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was entered beside the note. Problems with the claim leave the note reviewable."""

    setting: Setting = "outpatient"
    on: dt.date | None = None
    age: float | None = None
    sex: str | None = None
    claim: Claim | None = None
    claim_problems: tuple[str, ...] = ()
    file_problem: str = ""
    file_notice: str = ""

    def record(self, text: str) -> NoteRecord:
        """The note with its encounter. Raises InputProblem."""
        patient = {"age": self.age, "sex": self.sex}
        data = {"id": "note", "text": text, "setting": self.setting, "date_of_service": self.on, "patient": patient}
        return validated(NoteRecord, data, "the form")


def set_text(text: str) -> None:
    """Another note, or an edited one. What was decided stays where most of the lines stay."""
    state = st.session_state
    before, after = (set(filter(None, map(str.strip, t.splitlines()))) for t in (state.get("text", ""), text))
    if 2 * len(before & after) < max(len(before), len(after), 1):
        decisions.forget()
        state["open"] = None
    state["text"] = text


def take_sample(name: str | None = None) -> None:
    """Fill the form from a sample: the one named, or the one chosen in the form."""
    state = st.session_state
    if name is not None:
        state["sample"] = name
    sample = samples().get(state.get("sample") or "")
    if sample is None:
        return
    claim, encounter = sample.claim, sample.encounter
    patient = {**claim.get("patient", {}), **encounter.get("patient", {})}
    on = encounter.get("date_of_service") or claim.get("date_of_service")
    age = patient.get("age")
    seen = claim.get("patient", {})
    decisions.forget()
    state["text"], state["open"] = sample.text, None
    state["setting"] = encounter.get("setting", "outpatient")
    state["on"] = dt.date.fromisoformat(on) if on else None
    state["age"], state["sex"] = None if age is None else float(age), patient.get("sex")
    state["payer"], state["state"] = claim.get("payer") or "", claim.get("state") or ""
    state["contract"], state["abn"] = claim.get("contract", "B"), bool(claim.get("abn_on_file"))
    state["last_seen"] = (seen["last_seen"] or "never") if "last_seen" in seen else ""
    past = claim.get("history")
    state["history"] = "" if past is None else ", ".join(f"{p['code']} {p['date_of_service']}" for p in past) or "none"
    state["diagnoses"] = ", ".join(claim.get("diagnoses", []))
    _set_lines(
        {"code": line["code"], "modifiers": " ".join(line.get("modifiers", [])), "units": float(line.get("units", 1)),
         "pointers": " ".join(LETTERS[p - 1] if 0 < p <= len(LETTERS) else str(p) for p in line.get("pointers", [])),
         "on": line.get("date_of_service") or ""}
        for line in claim.get("lines", [])
    )  # fmt: skip
    state["file_problem"] = state["file_notice"] = ""


def clear() -> None:
    """Empty the whole form."""
    for name in _FIELDS:
        st.session_state.pop(name, None)
    st.session_state.pop("kept", None)
    st.session_state["file_problem"] = st.session_state["text"] = ""
    decisions.forget()
    _set_lines(())


def _set_lines(lines: Iterable[dict[str, Any]]) -> None:
    st.session_state["lines"] = list(lines) or [dict(_BLANK)]
    st.session_state["grid"] = st.session_state.get("grid", 0) + 1


def _take_file() -> None:
    state = st.session_state
    upload = state.get("upload")
    state["file_problem"] = state["file_notice"] = ""
    if upload is None:
        return
    try:
        read = read_note_file(upload.name, upload.getvalue())
    except InputProblem as problem:
        state["file_problem"] = str(problem)
        return
    state["sample"], state["file_notice"] = "", " ".join(read.notices)
    set_text(read.text)


def _restore() -> None:
    """Bring back what was entered before another page was shown: Streamlit forgets fields that aren't drawn."""
    state = st.session_state
    for name, value in state.get("kept", {}).items():
        if name not in state:
            state[name] = value
    if "lines" not in state:
        _set_lines(())
    elif f"grid{state['grid']}" not in state and state.get("kept_lines") and state.get("kept_grid") == state["grid"]:
        _set_lines(state["kept_lines"])
    if state.get("setting") is None:
        state["setting"] = "outpatient"
    if state.get("contract") is None:
        state["contract"] = "B"


def sidebar() -> Inputs:
    """Draw the form and read it."""
    _restore()
    state = st.session_state
    known = samples()
    with st.sidebar:
        if known:
            st.selectbox(
                "Sample note", ["", *known], key="sample", on_change=take_sample,
                format_func=lambda n: known[n].title if n else "Choose one, or paste your own",
            )  # fmt: skip
        sample = known.get(state.get("sample") or "")
        one, two = st.columns(2)
        with one.popover("Upload", icon=":material/upload_file:", width="stretch", key="uploads"):
            st.file_uploader(
                "A note as .txt, .docx or .pdf", type=["txt", "docx", "pdf"], key="upload", on_change=_take_file
            )
        if sample and sample.text == state.get("text") and sample.about:
            with two.popover("Lesson", icon=":material/school:", width="stretch"):
                st.markdown(sample.about)
        else:
            two.button("Clear", on_click=clear, icon=":material/ink_eraser:", width="stretch")
        _heading("Encounter")
        one, two = st.columns([1.4, 1])
        on = one.date_input(
            "Date of service", key="on", value=None, min_value=dt.date(2015, 10, 1), format="YYYY-MM-DD"
        )
        setting = two.segmented_control(
            "Setting", ["outpatient", "inpatient"], key="setting", required=True,
            format_func=lambda s: {"outpatient": "OP", "inpatient": "IP"}[s],
        )  # fmt: skip
        one, two = st.columns([1.4, 1])
        age = one.number_input("Age", min_value=0.0, max_value=130.0, value=None, step=1.0, key="age", format="%g")
        sex = two.selectbox("Sex", [None, "female", "male"], key="sex", format_func=lambda s: s or "unknown")
        _heading("Claim")
        one, two = st.columns([2, 1])
        payer = one.text_input("Payer", key="payer", placeholder="medicare")
        us_state = two.text_input("State", key="state", max_chars=2, placeholder="FL")
        diagnoses = st.text_input("Diagnoses, A to L", key="diagnoses", placeholder="M17.11, I10")
        codes = diagnoses.replace(",", " ").upper().split()
        _lettered(codes, on)
        if _known(on):
            lookup("Find a diagnosis or service", "find_any", load(on), _add, services=True)
        lines = st.data_editor(
            state["lines"], num_rows="dynamic", key=f"grid{state['grid']}", hide_index=True, width="stretch",
            column_order=("code", "modifiers", "units", "pointers", "on"),
            column_config={
                "code": st.column_config.TextColumn("Service", help="CPT or HCPCS code", width=76),
                "modifiers": st.column_config.TextColumn("Mod", help="Modifiers, such as 25 RT", width=58),
                "units": st.column_config.NumberColumn("Qty", help="Units", width=52, min_value=0),
                "pointers": st.column_config.TextColumn("Dx", help="Letters of its diagnoses, such as A B", width=68),
                "on": st.column_config.TextColumn("Date", help="Where it differs: 2026-05-12", width=86),
            },
        )  # fmt: skip
        beside = st.container()
        with st.expander("More about the claim"):
            contract = st.segmented_control("Contract", ["B", "DME"], key="contract", required=True)
            last_seen = st.text_input("Last seen", key="last_seen", placeholder="2026-01-20, never; empty is unknown")
            history = st.text_input(
                "Earlier services", key="history", placeholder="83036 2026-01-20; none; empty is unknown"
            )
            abn = st.checkbox("An ABN is on file", key="abn")
        claim, problems = _claim(
            {"date_of_service": on, "payer": payer.strip() or "medicare", "state": us_state.strip().upper() or None,
             "contract": contract or "B", "diagnoses": codes, "abn_on_file": abn},
            {"age": age, "sex": sex}, lines, last_seen, history,
        )  # fmt: skip
        with beside:
            _named(lines)
            if problems:
                said = "\n\n".join(plain_label(p) for p in problems)
                st.error(f"The claim isn't checked.\n\n{said}", icon=":material/error:")
    state["kept"] = {name: state[name] for name in _FIELDS if name in state}
    state["kept_lines"], state["kept_grid"] = [dict(line) for line in lines], state["grid"]
    return Inputs(
        "inpatient" if setting == "inpatient" else "outpatient", on, age, sex, claim, problems,
        state.get("file_problem") or "", state.get("file_notice") or "",
    )  # fmt: skip


def _add(code: str) -> None:
    """A code that was found goes into the claim: a diagnosis to the diagnoses, a service to the lines."""
    state = st.session_state
    if not code[:1].isalpha() or service_name(code):
        lines = [line for line in state.get("kept_lines", []) if str(line.get("code") or "").strip()]
        _set_lines([*lines, {**_BLANK, "code": code}])
        return
    written = state.get("diagnoses") or ""
    if code not in written.replace(",", " ").upper().split():
        state["diagnoses"] = f"{written.rstrip(', ')}, {code}".lstrip(", ")


def point(line: int, pointers: Iterable[int]) -> None:
    """Take over the pointers that were suggested for a claim line. `line` counts those with a service, from 1."""
    lines = [dict(row) for row in st.session_state.get("kept_lines", [])]
    billed = [row for row in lines if str(row.get("code") or "").strip()]
    if 0 < line <= len(billed):
        billed[line - 1]["pointers"] = " ".join(LETTERS[p - 1] for p in pointers if 0 < p <= len(LETTERS))
        _set_lines(lines)


def _named(rows: Iterable[Mapping[str, Any]]) -> None:
    """The services of the lines in our own words, as far as we have a name for them."""
    shown = []
    for number, row in enumerate(rows, 1):
        code = str(row.get("code") or "").strip().upper()
        if code:
            name = service_name(code) or "no name on file"
            shown.append(
                f"<div><b>{number}</b> <code>{html.escape(code)}</code> <span>{html.escape(name)}</span></div>"
            )
    if shown:
        st.html(f'<div class="cp-dx">{"".join(shown)}</div>')


def _heading(text: str) -> None:
    st.html(f'<div class="cp-side">{text}</div>')


def _known(on: dt.date | None) -> bool:
    """Whether there is a code set for the date."""
    try:
        load(on)
    except UnknownRelease:
        return False
    return True


def _lettered(codes: list[str], on: dt.date | None) -> None:
    """The diagnoses of the claim with the letters that lines point by."""
    if not codes:
        return
    if not _known(on):
        return
    release = load(on)
    rows = []
    for letter, code in zip(LETTERS, codes, strict=False):
        title = release.title(code) if code in release else f"not in ICD-10-CM {release.release}"
        rows.append(
            f'<div title="{html.escape(title, quote=True)}"><b>{letter}</b> <code>{html.escape(code)}</code> '
            f"<span>{html.escape(title)}</span></div>"
        )
    if len(codes) > len(LETTERS):
        rows.append(f"<div>A claim takes 12 diagnoses; {len(codes) - 12} more are ignored by pointers.</div>")
    st.html(f'<div class="cp-dx">{"".join(rows)}</div>')


def _claim(
    data: dict[str, Any], patient: dict[str, Any], rows: Iterable[Mapping[str, Any]], last_seen: str, history: str
) -> tuple[Claim | None, tuple[str, ...]]:
    """The claim of the form (None where neither lines nor diagnoses are entered), or everything that is wrong with it."""
    lines, problems = [], []
    for number, row in enumerate(rows, 1):
        try:
            line = _line(row, number)
        except InputProblem as problem:
            problems.append(str(problem))
            continue
        if line is not None:
            lines.append(line)
    data = {**data, "patient": patient, "lines": lines}
    try:
        if last_seen.strip():
            seen = None if last_seen.strip().lower() == "never" else _date(last_seen, "Last seen")
            data["patient"] = {**patient, "last_seen": seen}
    except InputProblem as problem:
        problems.append(str(problem))
    try:
        if history.strip():
            data["history"] = _history(history)
    except InputProblem as problem:
        problems.append(str(problem))
    if problems:
        return None, tuple(problems)
    if not lines and not data["diagnoses"]:
        return None, ()
    try:
        return validated(Claim, data, "the claim"), ()
    except InputProblem as problem:
        return None, (str(problem),)


def _line(row: Mapping[str, Any], number: int) -> dict[str, Any] | None:
    """One line of the grid; None for an empty one. Raises InputProblem that names the line."""
    where = f"Claim line {number}"
    code = str(row.get("code") or "").strip().upper()
    pointers = _pointers(str(row.get("pointers") or ""), number)
    modifiers = str(row.get("modifiers") or "").replace(",", " ").upper().split()
    day = str(row.get("on") or "").strip()
    if not code:
        if pointers or modifiers or day:
            left = "pointers" if pointers else "modifiers" if modifiers else "a date"
            raise InputProblem(f"{left} without a service", where, "enter its CPT or HCPCS code")
        return None
    if not (len(code) == 5 and code.isascii() and code.isalnum()):
        raise InputProblem(f"{code!r} is no CPT or HCPCS code", where, "write five letters or digits, such as 20610")
    for modifier in modifiers:
        if len(modifier) != 2 or not modifier.isalnum():
            raise InputProblem(f"{modifier!r} is no modifier", where, "write two letters or digits, such as 25 RT")
    units = row.get("units")
    return {
        "code": code,
        "modifiers": modifiers,
        "units": 1 if units is None or units != units else units,
        "pointers": pointers,
        "date_of_service": _date(day, where) if day else None,
    }


def _pointers(entered: str, line: int) -> list[int]:
    found = []
    for letter in entered.upper().replace(",", " ").split():
        for one in letter if letter.isalpha() else [letter]:
            if one not in LETTERS:
                raise InputProblem(
                    f"{one!r} is no pointer",
                    f"Claim line {line}",
                    "write the letters of the diagnoses, A to L, such as A B",
                )
            found.append(LETTERS.index(one) + 1)
    return found


def _date(entered: str, where: str) -> dt.date:
    try:
        return dt.date.fromisoformat(entered.strip())
    except ValueError:
        raise InputProblem(f"{entered.strip()!r} is no date", where, "write it as 2026-01-20") from None


def _history(entered: str) -> list[dict[str, Any]]:
    if entered.strip().lower() == "none":
        return []
    found = []
    for item in entered.replace(";", ",").split(","):
        words = item.split()
        if len(words) != 2:
            raise InputProblem(
                f"{item.strip()!r} is no service", "Earlier services", "write a code and its date: 83036 2026-01-20"
            )
        found.append({"code": words[0].upper(), "date_of_service": _date(words[1], "Earlier services")})
    return found
