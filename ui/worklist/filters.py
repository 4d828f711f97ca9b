"""Which gaps the Worklist shows: by provider, billed service, family of gap, and status."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import streamlit as st

from code_maps.services import service_name
from models.worklist import LIVE, STATUSES, Choices, GapFilter
from ui.parts import plain_label

_KEYS = ("wl_providers", "wl_services", "wl_kinds", "wl_statuses")
_NOBODY = "no provider"


def filters(choices: Choices) -> GapFilter:
    """The filters in one row. They stay as they are while a row is open or another page is looked at."""
    state = st.session_state
    state.setdefault("wl_kept", {"wl_statuses": list(LIVE)})
    offered = {
        "wl_providers": choices.providers, "wl_services": tuple(_services(choices.services)),
        "wl_kinds": choices.kinds, "wl_statuses": STATUSES,
    }  # fmt: skip
    for key in _KEYS:
        chosen = state.get(key, state["wl_kept"].get(key, []))
        state[key] = [one for one in chosen if one in offered[key]]
    services = _services(choices.services)
    one, two, three, four = st.columns([1, 1.1, 1, 1.6], gap="small")
    one.multiselect(
        "Provider", offered["wl_providers"], key="wl_providers", placeholder="All providers", label_visibility="collapsed",
        format_func=lambda name: plain_label(name or _NOBODY),
    )  # fmt: skip
    two.multiselect(
        "Billed service", offered["wl_services"], key="wl_services", placeholder="All services",
        label_visibility="collapsed", format_func=lambda name: plain_label(name),
    )  # fmt: skip
    three.multiselect(
        "Family of gap", offered["wl_kinds"], key="wl_kinds", placeholder="All families", label_visibility="collapsed"
    )
    four.multiselect(
        "Status", offered["wl_statuses"], key="wl_statuses", placeholder="Every status", label_visibility="collapsed"
    )
    before = dict(state["wl_kept"])
    state["wl_kept"] = {key: list(state[key]) for key in _KEYS}
    if before != state["wl_kept"]:
        state["wl_page"] = 0
    return GapFilter(
        statuses=tuple(state["wl_statuses"]),
        providers=tuple(state["wl_providers"]),
        kinds=tuple(state["wl_kinds"]),
        services=tuple(dict.fromkeys(code for name in state["wl_services"] for code in services[name])),
    )


def live(wanted: GapFilter) -> GapFilter:
    """The same, for gaps that haven't been asked about."""
    return replace(wanted, statuses=("open",))


def whatever_the_status(wanted: GapFilter) -> GapFilter:
    """The same, for gaps in every state."""
    return replace(wanted, statuses=())


def _services(codes: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """What can be chosen -> the codes that it means: each code, and each family of which several are billed."""
    families: dict[str, list[str]] = defaultdict(list)
    offered: dict[str, tuple[str, ...]] = {}
    for code in codes:
        name = service_name(code)
        offered[f"{code} {name}" if name else code] = (code,)
        if name:
            families[name].append(code)
    return {f"all {name}": tuple(mine) for name, mine in families.items() if len(mine) > 1} | offered
