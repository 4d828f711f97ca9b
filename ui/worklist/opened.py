"""One gap of the queue: the note with its words, the query, what can be done next, the addendum, and its history."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence

import streamlit as st

from exchange.documents import as_docx
from exchange.notes_in import ENDINGS, read_note
from models.gap import Gap
from models.problem import InputProblem
from models.query import ProviderQueries, Query
from models.report import Report
from models.worklist import NEXT, KeptGap, KeptNote, Status
from pipeline.queries import QueryProblem
from pipeline.review import review
from pipeline.versions import versions, with_addendum
from store import Store
from ui.access import current_user
from ui.note_view import show_note
from ui.parts import esc, heading, plain_label, quote
from ui.results import Shown
from ui.worklist.intake import save_version
from ui.worklist.queue_view import SIGNS, age, dots, title, title_of
from ui.worklist.sheet import query_of

_log = logging.getLogger("chartproof.ui")
_DISMISSALS = (
    "Not clinically relevant", "Documented elsewhere in the record", "Asked about before",
    "Wouldn't change what is coded", "The words mean something else",
)  # fmt: skip
_MOST_ADDENDUM = 100_000


def opened(store: Store, id: str, now: dt.datetime) -> None:
    """The opened gap. Raises InputProblem when it isn't kept any more."""
    gap = store.gap(id)
    note = _newest(store, gap)
    _bar(gap, note)
    report = _report(note)
    left, right = st.columns([0.55, 0.45], gap="medium")
    with left:
        if report is None:
            st.text(note.record.text)
        else:
            spans = tuple((e.start, e.end) for e in gap.gap.evidence)
            show_note(report, note.record.text, Shown(f"kept:{gap.id}", spans), lambda: None, fixed=True)
    with right, st.container(key="results"):
        st.html(_card(gap, now))
        _said()
        _query(store, gap)
        _next(store, gap)
        _addendum(store, gap, note)
        _history(store, gap)


def _newest(store: Store, gap: KeptGap) -> KeptNote:
    """The newest version of the note, if all that the gap's own version says still stands in it where it stood."""
    own, newest = store.note(gap.note), store.versions(gap.external_id)[-1]
    return newest if newest.record.text.startswith(own.record.text) else own


def _bar(gap: KeptGap, note: KeptNote) -> None:
    """Back to the queue, and on to its neighbours."""
    ids: tuple[str, ...] = st.session_state.get("wl_ids", ())
    at = ids.index(gap.id) if gap.id in ids else -1
    with st.container(horizontal=True, vertical_alignment="center", key="wl_bar"):
        st.button("Queue", icon=":material/arrow_back:", on_click=_go, args=(None,), key="wl_back")
        st.html(
            f'<h1 class="w-title"><bdi>{esc(gap.external_id)}</bdi> '
            f"<span>{f'version {note.version} · ' if note.version > 1 else ''}{gap.date_of_service or 'no date of service'}"
            f" · {gap.setting} · <bdi>{esc(gap.provider or 'no provider')}</bdi>"
            f"{' · billed ' + esc(', '.join(gap.services)) if gap.services else ''}</span></h1>",
            width="stretch",
        )
        if len(ids) > 1 and at >= 0:
            st.html(f'<span class="cp-sub">{at + 1:,} of {len(ids):,}</span>', width="content")
            st.button("Previous gap", icon=":material/chevron_left:", disabled=at == 0, on_click=_go,
                      args=(ids[at - 1],), key="wl_before")  # fmt: skip
            st.button("Next gap", icon=":material/chevron_right:", disabled=at == len(ids) - 1, on_click=_go,
                      args=(ids[min(at + 1, len(ids) - 1)],), key="wl_after")  # fmt: skip


def _go(id: str | None) -> None:
    st.session_state["wl_gap"] = id
    st.session_state["wl_said"] = None


def _report(note: KeptNote) -> Report | None:
    """The note as it reads now; the last one is kept with the session."""
    known = st.session_state.get("wl_report")
    if known and known[0] == note.id:
        return known[1]  # type: ignore[no-any-return]
    try:
        report = review(note.record.note(), note.record.claim)
    except Exception as error:  # Neither page nor log may show what it says: it can quote the note.
        _log.error("a kept note can't be reviewed: %s", type(error).__name__)
        st.error("This note can't be reviewed any more; its text is shown plain.", icon=":material/error:")
        return None
    st.session_state["wl_report"] = (note.id, report)
    return report


def _card(gap: KeptGap, now: dt.datetime) -> str:
    shown = gap.gap
    code = f" <code>{esc(shown.code)}</code>" if shown.code else ""
    times = [f"opened {age(gap.opened_at, now)} ago".replace("now ago", "just now")]
    if gap.queried_at:
        times.append(f"queried {gap.queried_at:%Y-%m-%d}")
    if gap.answered_at:
        times.append(f"answered {gap.answered_at:%Y-%m-%d}")
    change = ""
    if shown.would_change and shown.would_change.to:
        to = ", ".join(shown.would_change.to[:6]) + (" …" if len(shown.would_change.to) > 6 else "")
        change = f"<p>Would change <b>{esc(shown.would_change.from_code)}</b> → <b>{esc(to)}</b></p>"
    source = f" {esc(shown.source)}." if shown.source else ""
    return (
        f'<section class="cp-card w-card"><div class="cp-top"><span class="cp-dots" aria-hidden="true">{dots(shown.priority)}</span>'
        f'<h2 dir="auto">{esc(title(gap))}</h2>{code}'
        f'<span class="w-chip w-{gap.status} cp-end">{SIGNS[gap.status]} {gap.status}</span></div>'
        f'<div class="cp-meta">{esc(shown.kind)} · priority {shown.priority} in its note · {esc(" · ".join(times))}</div>'
        + "".join(quote(e) for e in shown.evidence[:4])
        + change
        + f"<details><summary>Why</summary><div>{esc(shown.why)}{source} <code>{esc(shown.rule)}</code></div></details></section>"
    )


def _said() -> None:
    """What the last step came to."""
    said = st.session_state.get("wl_said")
    if said:
        kind, text = said
        (st.error if kind == "error" else st.success)(
            plain_label(text), icon=":material/error:" if kind == "error" else ":material/check:"
        )


def _query(store: Store, gap: KeptGap) -> None:
    """The query: as it was sent, or ready to send."""
    sent = store.queries(gap.id)
    if sent and gap.status != "open":
        st.html(heading(f"Query sent {sent[-1].sent_at:%Y-%m-%d} by {sent[-1].sent_by}"))
        st.code(sent[-1].text, language=None, wrap_lines=True)
        return
    if "queried" not in NEXT[gap.status]:
        return
    st.html(heading("Query"))
    on = None
    if gap.date_of_service is None:
        on = st.date_input("Date of service, to quote the note with", value=None, key="wl_on", format="YYYY-MM-DD")
    try:
        query = query_of(gap, on)
    except QueryProblem as problem:
        st.html(f'<p class="cp-quiet">No query for this gap: {esc(problem)}.</p>')
        if gap.status == "open":
            st.button("Mark as queried", key="wl_queried", on_click=_move, args=(store, gap, "queried"))
        return
    st.code(query.text, language=None, wrap_lines=True)
    with st.container(horizontal=True, key="wl_query"):
        st.button(
            "Mark as sent", icon=":material/send:", type="primary" if gap.status == "open" else "secondary", key="wl_send",
            on_click=_send, args=(store, gap, query),
        )  # fmt: skip
        st.download_button(
            "Word", lambda: as_docx([ProviderQueries(query.provider, (query,))]), "query.docx", on_click="ignore",
            mime="application/vnd.openxmlformats-officedocument.wordprocessingml.document", key="wl_one_docx",
        )  # fmt: skip
        st.download_button("Text", query.text + "\n", "query.txt", "text/plain", on_click="ignore", key="wl_one_text")


def _next(store: Store, gap: KeptGap) -> None:
    """The steps from where the gap stands."""
    steps = NEXT[gap.status]
    if "open" in steps:
        reason = st.text_input("Why it is opened again", key=f"wl_again_{gap.id}", max_chars=500)
        st.button("Open again", icon=":material/undo:", key="wl_reopen", disabled=not reason.strip(),
                  on_click=_move, args=(store, gap, "open", reason))  # fmt: skip
        return
    st.html(heading("Decide"))
    with st.container(horizontal=True, key="wl_steps"):
        if "answered" in steps:
            st.button("Answered", icon=":material/reply:", type="primary", key="wl_answered", on_click=_move,
                      args=(store, gap, "answered"))  # fmt: skip
        with st.popover("Resolve", icon=":material/check:"):
            why = st.text_input("How it was resolved", key=f"wl_how_{gap.id}", max_chars=500,
                                placeholder="Provider confirmed; documented in the chart")  # fmt: skip
            st.button("Resolved", key="wl_resolve", type="primary", on_click=_move, args=(store, gap, "resolved", why))
        with st.popover("Dismiss", icon=":material/block:"):
            reason = st.selectbox(
                "Reason", _DISMISSALS, index=None, accept_new_options=True, key=f"wl_reason_{gap.id}",
                placeholder="Choose a reason or type one",
            )  # fmt: skip
            st.button("Dismiss this gap", key="wl_dismiss", type="primary", disabled=not (reason or "").strip(),
                      on_click=_move, args=(store, gap, "dismissed", reason or ""))  # fmt: skip
            st.html('<p class="cp-sub">It stays dismissed as long as the note says the same words.</p>')


def _addendum(store: Store, gap: KeptGap, note: KeptNote) -> None:
    """What the provider added: it goes under the note, which is reviewed again."""
    with st.expander("Addendum", icon=":material/post_add:", key="wl_addendum"):
        text = st.text_area(
            "What the provider added", key=f"wl_added_{note.id}", height=110, max_chars=_MOST_ADDENDUM,
            placeholder="Paste the addendum as it was written",
        )  # fmt: skip
        file = st.file_uploader("or a file", type=[ending[1:] for ending in ENDINGS], key=f"wl_added_file_{note.id}")
        if st.button("Add and review again", key="wl_add", type="primary", disabled=not (text.strip() or file)):
            try:
                added = read_note(file.name, file.getvalue()) if file is not None else text
                _add(store, gap, added)
            except InputProblem as problem:
                st.session_state["wl_said"] = ("error", str(problem))
            st.rerun()


def _add(store: Store, gap: KeptGap, addendum: str) -> None:
    """Keep a new version of the note with the addendum; gaps that it answers are resolved."""
    newest = store.versions(gap.external_id)[-1]
    record = newest.record.model_copy(update={"text": with_addendum(newest.record.text, addendum)})
    with st.spinner("Reading the note again …"):
        before = review(newest.record.note(), newest.record.claim, settled=store.settled(newest.record.id) or None)
        after = review(record.note(), record.claim, settled=store.settled(record.id) or None)
    changed = versions(before, after, newest.record.text, record.text)
    saved = save_version(store, record, current_user(), after)
    st.session_state["wl_report"] = (saved.note, after)
    said = [f"Version {saved.version} is kept."]
    said += [
        f"{name}: {_listed(gaps)}." for name, gaps in (("Resolved", changed.resolved), ("New", changed.opened)) if gaps
    ]
    st.session_state["wl_said"] = ("done", " ".join(said if len(said) > 1 else [*said, "It answers no gap."]))


def _listed(gaps: Sequence[Gap]) -> str:
    return ", ".join(title_of(gap) for gap in gaps)


def _send(store: Store, gap: KeptGap, query: Query) -> None:
    try:
        store.send_query(gap.id, query, who=current_user(), when=dt.datetime.now(dt.UTC))
        st.session_state["wl_said"] = ("done", f"Kept as sent to {query.provider}.")
    except InputProblem as problem:
        st.session_state["wl_said"] = ("error", str(problem))


def _move(store: Store, gap: KeptGap, to: Status, reason: str = "") -> None:
    try:
        store.move(gap.id, to, who=current_user(), when=dt.datetime.now(dt.UTC), reason=reason)
        st.session_state["wl_said"] = ("done", f"This gap is {to} now.")
    except InputProblem as problem:
        st.session_state["wl_said"] = ("error", str(problem))


def _history(store: Store, gap: KeptGap) -> None:
    """Everything that happened to this gap and its note, oldest first."""
    happened = [(gap.opened_at, "opened by the review", "")]
    happened += [
        (v.saved_at, f"version {v.version} of the note saved by {v.saved_by}", "")
        for v in store.versions(gap.external_id)
    ]
    happened += [(s.at, f"{s.from_status} → {s.to_status} by {s.who}", s.reason) for s in store.history(gap.id)]
    happened += [(q.sent_at, f"query sent to {q.provider} by {q.sent_by}", "") for q in store.queries(gap.id)]
    rows = "".join(
        f"<li><time>{at:%Y-%m-%d %H:%M}</time> <bdi>{esc(what)}</bdi>{f': <q><bdi>{esc(why)}</bdi></q>' if why else ''}</li>"
        for at, what, why in sorted(happened, key=lambda h: h[0])
    )
    st.html(f'{heading("History (UTC)")}<ol class="w-history">{rows}</ol>')
