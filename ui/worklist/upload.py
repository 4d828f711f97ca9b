"""The sidebar of the Worklist: who is working, notes in with their progress, and notes out for good."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from exchange.notes_in import MANY_ENDINGS
from models.problem import InputProblem
from store import Store
from ui.access import current_user, user_menu
from ui.parts import esc, plain_label
from ui.worklist.intake import Defaults, Intake

_EVERY = 0.7  # seconds between two looks at the progress


def sidebar(store: Store) -> None:
    """Who, upload, purge."""
    user_menu()
    st.html('<div class="cp-side">Notes in</div>')
    number = st.session_state.setdefault("wl_upload", 0)
    file = st.file_uploader(
        "File with notes", type=[ending[1:] for ending in MANY_ENDINGS], key=f"wl_file_{number}",
        help="CSV, JSON lines or Parquet with the columns id and text; or a ZIP of text, Word or PDF files.",
    )  # fmt: skip
    with st.expander("For notes that don't say it"):
        on = st.date_input("Date of service", value=None, key="wl_default_on", format="YYYY-MM-DD")
        setting = st.segmented_control(
            "Setting", ["outpatient", "inpatient"], default="outpatient", required=True, key="wl_default_setting"
        )
        provider = st.text_input("Provider", key="wl_default_provider", max_chars=200)
    st.html(
        f'<p class="cp-sub">Notes uploaded here are <b>stored</b> on this machine, in <code>{esc(store.where)}</code>, '
        "until you remove them.</p>"
        if store.is_file
        else f'<p class="cp-sub">Notes uploaded here are <b>stored</b> in the database <code>{esc(store.where)}</code>, '
        "until you remove them.</p>"
    )
    running = _intake() is not None and _intake().running  # type: ignore[union-attr]
    go = st.button(
        "Review and store", icon=":material/playlist_add:", type="primary", width="stretch", key="wl_go",
        disabled=file is None or running,
    )  # fmt: skip
    if go and file is not None:
        intake = Intake(file.name)
        st.session_state["wl_intake"] = intake
        st.session_state["wl_upload"] = number + 1  # an empty uploader: the file's bytes go with the thread alone
        defaults = Defaults(on, setting or "outpatient", provider.strip())
        intake.start(file.getvalue(), store, current_user(), defaults)
        st.rerun()
    with st.expander("Remove notes"):
        _removal(store)


def _intake() -> Intake | None:
    return st.session_state.get("wl_intake")  # type: ignore[no-any-return]


def under_way(quietly: bool = False) -> None:
    """How far the upload is, or how it ended; quietly, the end is told later, when there is room for it."""
    intake = _intake()
    if intake is not None and (intake.running or not quietly):
        st.fragment(_progress, run_every=_EVERY if intake.running else None)(intake.running)


def _progress(was_running: bool) -> None:
    """One look at the upload; when it has ended the whole page is drawn again, with what came in."""
    intake = _intake()
    if intake is None:
        return
    if was_running and not intake.running:
        st.rerun()
    with st.container(key="wl_progress"):
        if intake.running:
            of = f"{intake.done:,} of {intake.total:,} notes" if intake.total else "reading the file"
            bar, stop = st.columns([1, 0.14], vertical_alignment="center")
            bar.progress(intake.done / intake.total if intake.total else 0.0, text=f"{plain_label(intake.name)}: {of}")
            stop.button("Stop", icon=":material/stop:", on_click=intake.stop, key="wl_stop", width="stretch")
        else:
            said, close = st.columns([1, 0.14], vertical_alignment="center")
            said.html(f'<div class="cp-sub" role="status"><b>{esc(intake.name)}</b>: {esc(ended(intake))}</div>')
            close.button("Close", key="wl_close", on_click=_forget, width="stretch", type="tertiary")
        if intake.problems:
            with st.expander(f"{intake.failed:,} not read", key="wl_problems"):
                rows = "".join(f"<li><b><bdi>{esc(id)}</bdi></b> {esc(said)}</li>" for id, said in intake.problems)
                more = intake.failed - len(intake.problems)
                st.html(f'<ul class="cp-facts">{rows}</ul>' + (f"<p>and {more:,} more</p>" if more > 0 else ""))


def ended(intake: Intake) -> str:
    """How an upload ended, in one line."""
    parts = [f"{count:,} {name}" for name, count in intake.counts.items() if count] or ["no note kept"]
    parts.append(f"{intake.opened:,} gaps opened")
    if intake.resolved:
        parts.append(f"{intake.resolved:,} resolved by addenda")
    if intake.failed:
        parts.append(f"{intake.failed:,} not read")
    if intake.state == "stopped":
        parts.insert(0, f"stopped after {intake.done:,} of {intake.total:,}")
    if intake.state == "failed":
        parts.insert(0, intake.why)
    return " · ".join(parts)


def _forget() -> None:
    st.session_state["wl_intake"] = None


def _removal(store: Store) -> None:
    """Purge by age or of one note: gone from the database's files too, and an entry of the audit trail."""
    how = st.segmented_control("Which", ["by age", "one note"], default="by age", required=True, key="wl_purge_how")
    if how == "by age":
        days = st.number_input("Saved more than … days ago", min_value=0, value=365, step=1, key="wl_purge_days")
        named, ready = f"all notes saved more than {days} days ago", True
    else:
        note = st.text_input("The note's id", key="wl_purge_note").strip()
        named, ready = "this note in all its versions", bool(note)
    sure = st.checkbox(f"Remove {named} for good", key=f"wl_purge_sure_{st.session_state.get('wl_purges', 0)}")
    if st.button("Remove", icon=":material/delete:", key="wl_purge", disabled=not (sure and ready), width="stretch"):
        now = dt.datetime.now(dt.UTC)
        try:
            if how == "by age":
                purged = store.purge_older_than(int(days), who=current_user(), when=now)
            else:
                purged = store.purge_note(note, who=current_user(), when=now)
        except InputProblem as problem:
            st.error(plain_label(str(problem)), icon=":material/error:")
            return
        st.session_state["wl_purges"] = st.session_state.get("wl_purges", 0) + 1
        st.session_state["wl_gap"] = None
        st.session_state["wl_removed"] = f"Removed {purged.notes:,} notes and {purged.gaps:,} gaps."
        st.rerun()
    if st.session_state.get("wl_removed"):
        st.success(st.session_state.pop("wl_removed"), icon=":material/check:")
