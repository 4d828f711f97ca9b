"""The query sheet: every gap not yet asked about, as one document with a part for each provider."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from exchange.documents import as_docx, as_text
from exchange.kept import gaps_csv
from models.problem import InputProblem
from models.query import ProviderQueries, Query, Unasked
from models.worklist import KeptGap
from pipeline.queries import QueryProblem, by_provider, write_query
from store import Store
from ui.access import current_user
from ui.parts import esc, plain_label

D = TypeVar("D", str, bytes)
NOBODY = "Provider of the note"


def query_of(gap: KeptGap, note_date: dt.date | None = None) -> Query:
    """The query for a gap. Raises QueryProblem where no compliant one can be written."""
    return write_query(gap.gap, gap.date_of_service or note_date, gap.provider or NOBODY, gap.setting)


def queries(gaps: Sequence[KeptGap]) -> tuple[ProviderQueries, ...]:
    """The queries for some gaps, a group for each provider; what can't be asked about stands in `unasked`."""
    found = []
    for gap in gaps:
        provider = gap.provider or NOBODY
        try:
            found.append(ProviderQueries(provider, (query_of(gap),)))
        except QueryProblem as problem:
            found.append(ProviderQueries(provider, (), (Unasked(gap.gap.id, str(problem)),)))
    return by_provider(found)


def sheet(store: Store, gaps: Sequence[KeptGap]) -> None:
    """How many queries there are for whom, the document to take along, and all of them marked as sent."""
    if not gaps:
        st.html('<p class="cp-quiet">Every gap with these filters has been asked about or closed.</p>')
        return
    undated = sum(gap.date_of_service is None for gap in gaps)
    asked = Counter(gap.provider or NOBODY for gap in gaps)
    rows = "".join(
        f'<tr><th scope="row"><bdi>{esc(name)}</bdi></th><td>{count:,}</td></tr>'
        for name, count in sorted(asked.items())
    )
    st.html(
        f"<p><b>{len(gaps):,} gaps</b> not asked about yet, with these filters, for {len(asked):,} "
        f"provider{'s' * (len(asked) != 1)}.</p>"
        + (f"<p>{undated:,} have no date of service and can't be quoted: no query for them.</p>" if undated else "")
        + '<table class="cp-table w-narrow"><thead><tr><th scope="col">Provider</th><th scope="col">Gaps</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )
    with st.container(horizontal=True, key="wl_sheet"):
        st.download_button(
            "Word", _later(gaps, as_docx), "queries.docx", on_click="ignore", icon=":material/description:",
            mime="application/vnd.openxmlformats-officedocument.wordprocessingml.document", key="wl_docx",
        )  # fmt: skip
        st.download_button(
            "Text", _later(gaps, as_text), "queries.txt", "text/plain", on_click="ignore", icon=":material/article:",
            key="wl_text",
        )  # fmt: skip
        st.download_button(
            "Gaps as CSV", lambda: gaps_csv(gaps), "gaps.csv", "text/csv", on_click="ignore",
            icon=":material/table:", key="wl_csv",
        )  # fmt: skip
        if st.button(f"Mark {len(gaps):,} as queried", icon=":material/send:", key="wl_send_all"):
            _send_all(store, gaps)
    left = st.session_state.pop("wl_unasked", None)
    if left:
        st.warning(plain_label(left), icon=":material/warning:")


def _later(gaps: Sequence[KeptGap], document: Callable[[Sequence[ProviderQueries]], D]) -> Callable[[], D]:
    """Written only when it is asked for: a query takes some twenty milliseconds."""
    return lambda: document(queries(gaps))


def _send_all(store: Store, gaps: Sequence[KeptGap]) -> None:
    left = 0
    bar = st.progress(0.0, text="writing the queries")
    for number, gap in enumerate(gaps, 1):
        try:
            store.send_query(gap.id, query_of(gap), who=current_user(), when=dt.datetime.now(dt.UTC))
        except (QueryProblem, InputProblem):
            left += 1
        bar.progress(number / len(gaps), text=f"{number:,} of {len(gaps):,}")
    if left:
        st.session_state["wl_unasked"] = f"{left:,} stay open: no compliant query can be written for them."
    st.rerun()
