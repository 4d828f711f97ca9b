"""What the tabs of the Reference page share: what is open, its address, lists of links, and pieces of HTML."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import streamlit as st

from code_maps.icd10cm import CodeSet
from ui.parts import esc, plain_label

Kind = Literal["code", "service", "policy", "rule"]

TAB: dict[Kind, str] = {"code": "Codes", "service": "Services", "policy": "Policies", "rule": "Rules"}
_LINKED: tuple[Kind, ...] = ("code", "policy", "rule")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9. -]{0,79}")
# Fields that Streamlit forgets while another page or tab is shown. The query of the linter is meant to be forgotten.
_KEPT = (
    "asked", "reference_on", "reference_state", "ref_tab", "ref_payer", "ref_policy_words", "ref_policy_kinds",
    "ref_policy_status", "ref_rule_words", "ref_rule_family", "ref_as_of",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """The release for the date of service, that date, and the state, as they stand above the tabs."""

    codes: CodeSet
    on: dt.date | None
    state: str | None

    def day(self) -> tuple[dt.date, str]:
        """The date of service, else today, and how to say which of them it is."""
        if self.on is not None:
            return self.on, str(self.on)
        today = dt.date.today()
        return today, f"{today} (today; choose a date of service above)"


def restore() -> None:
    """Bring back what was entered before another page or tab was shown."""
    state = st.session_state
    for name, value in state.get("reference_kept", {}).items():
        if name not in state:
            state[name] = value


def keep() -> None:
    """Remember what is entered, for this session only."""
    state = st.session_state
    state["reference_kept"] = {
        **state.get("reference_kept", {}), **{name: state[name] for name in _KEPT if name in state}
    }  # fmt: skip


def go(kind: Kind, key: str) -> None:
    """Open one code, service, policy or rule in its tab."""
    state = st.session_state
    state["asked"] = ""
    state["ref_tab"] = TAB[kind]
    state[f"ref_{kind}"] = key


def opened(kind: Kind) -> str | None:
    """What is open in a tab."""
    key: str | None = st.session_state.get(f"ref_{kind}")
    return key


def follow_link() -> None:
    """Open what the address names, once for each address."""
    given = {k: st.query_params[k] for k in _LINKED if k in st.query_params}
    if len(given) != 1:
        return
    [(kind, key)] = given.items()
    if st.session_state.get("ref_address") != (kind, key):
        st.session_state["ref_address"] = (kind, key)
        if _ID.fullmatch(key):
            go(kind, key)


def link(kind: Kind, key: str) -> None:
    """Give what is open an address. `key` must be an id that exists: nothing that was merely typed gets here."""
    if _ID.fullmatch(key) and st.query_params.to_dict() != {kind: key}:
        st.session_state["ref_address"] = (kind, key)
        st.query_params.from_dict({kind: key})


def unlink() -> None:
    """Take the address of what was open away."""
    st.session_state.pop("ref_address", None)
    if st.query_params.to_dict():
        st.query_params.clear()


# --- pieces of the page ----------------------------------------------------------------------------------------------


def quiet(text: str) -> None:
    """One calm line of text."""
    st.html(f'<p class="cp-quiet">{esc(text)}</p>')


def command(says: str, typed: str) -> None:
    """What isn't at hand, and the command that brings it."""
    st.html(f'<p class="cp-quiet">{esc(says)} <code class="ref-command">{esc(typed)}</code></p>')


def links(name: str, kind: Kind, rows: Iterable[tuple[str, str]], prefix: str = "open", heading: str = "") -> None:
    """A list of buttons that open something; (id, what it is)."""
    at = opened(kind)
    with st.container(key=f"ref_list_{name}", gap=None):
        if heading:
            st.html(f'<h2 class="cp-h">{esc(heading)}</h2>')
        for key, text in rows:
            mark = "▸ " if key == at else ""
            st.button(
                f"{mark}**{plain_label(key)}**&ensp;{plain_label(text)}", key=f"{prefix}_{key}", type="tertiary",
                on_click=go, args=(kind, key),
            )  # fmt: skip


def table(head: Iterable[str], rows: Iterable[Iterable[object]], label: str) -> str:
    """A plain table as HTML; every cell is text."""
    top = "".join(f'<th scope="col">{esc(cell)}</th>' for cell in head)
    body = "".join(
        "<tr>" + "".join(_cell(n, cell) for n, cell in enumerate(row)) + "</tr>" for row in rows
    )  # fmt: skip
    return (
        f'<div class="cp-scroll" tabindex="0" role="region" aria-label="{esc(label)}"><table class="cp-table cp-wide">'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(number: int, cell: object) -> str:
    return f'<th scope="row">{esc(cell)}</th>' if number == 0 else f"<td>{esc(cell)}</td>"


def chip(state: Literal["ok", "warn", "risk", "quiet"], text: str) -> str:
    """A short word on a state; the sign says it without its colour."""
    sign = {"ok": "✓", "warn": "?", "risk": "!", "quiet": "·"}[state]
    return f'<span class="cp-chip s-{state}">{sign} {esc(text)}</span>'


def web(url: str | None) -> str:
    """A link to a source; nothing is fetched before it is clicked."""
    if not url or not url.startswith(("https://", "http://")):
        return ""
    where = (urlsplit(url).hostname or "").removeprefix("www.")
    return f' <a href="{esc(url)}" target="_blank" rel="noopener noreferrer">read it at {esc(where)}</a>'


def named(kind: str, key: str) -> str:
    """A policy's id with its kind, where the id doesn't begin with it: Article A56680, ncd-190-23-lipid-testing."""
    return key if key.casefold().startswith(kind.casefold()) else f"{kind} {key}"


def dates(since: dt.date | None, to: dt.date | None) -> str:
    """Dates of effect in words."""
    return f"from {since or 'the beginning'}{f' to {to}' if to else ''}"
