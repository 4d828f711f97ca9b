"""The search box: an id opens what it names; words find codes, services, policies and rules, in groups."""

from __future__ import annotations

import re
from collections.abc import Iterator

import streamlit as st

from code_maps.coverage.catalogue import Entry, catalogue
from code_maps.icd10cm import CodeSet, dotted, load, releases, search
from code_maps.services import find_services, service_name
from pipeline.explain import every_rule
from ui.parts import plain_label
from ui.reference.parts import Asked, Kind, go, links, quiet

_SERVICE = re.compile(r"[0-9A-Z]\d{3}[0-9A-Z]")
_MOST = 25


def exact(written: str, asked: Asked) -> tuple[Kind, str] | None:
    """What an id names, if it names one thing: I50.22, 83036, A56680, ncd-190-23-lipid-testing, integral-symptom.

    Five characters without a dot may be a service and a code (J1100, J11.00): then it isn't told.
    """
    key = written.strip()
    code = key.upper()
    if any(code in release for release in _at_hand(asked)):
        return "code", code
    if any(rule.id == key for rule in every_rule() if rule.family != "policy"):
        return "rule", key
    policy = policy_id(key)
    if policy:
        return "policy", policy
    if _SERVICE.fullmatch(code) and dotted(code) not in asked.codes:
        return "service", code
    return None


def _at_hand(asked: Asked) -> Iterator[CodeSet]:
    yield asked.codes
    for info in releases():
        yield load(info.effective[0])


def policy_id(written: str) -> str | None:
    """The id of a policy at hand, however it is written: a56680, NCD240, NCD 240."""
    bare = written.replace(" ", "").casefold()
    return next((e.id for e in catalogue() if e.id.replace(" ", "").casefold() == bare), None) if bare else None


def policies_with(words: str, entries: list[Entry]) -> list[Entry]:
    """Policies whose id, kind or title has all words."""
    asked = words.casefold().split()
    return [e for e in entries if all(w in f"{e.id} {e.kind} {e.title}".casefold() for w in asked)]


def draw(written: str, asked: Asked) -> None:
    """Everything that has the words, by kind."""
    wanted = written.strip()
    code = dotted(wanted.upper()) if _SERVICE.fullmatch(wanted.upper()) else ""
    codes = [(c, title) for c, title, _ in search(asked.codes, wanted, _MOST)]
    if code in asked.codes and all(c != code for c, _ in codes):
        codes.insert(0, (code, asked.codes.title(code)))
    services = find_services(wanted, 12)
    if _SERVICE.fullmatch(wanted.upper()) and all(c != wanted.upper() for c, _ in services):
        services.insert(0, (wanted.upper(), service_name(wanted.upper()) or "service"))
    policies = policies_with(wanted, catalogue())
    low = wanted.casefold()
    rules = [
        r for r in every_rule() if r.family != "policy" and any(low in t.casefold() for t in (r.id, r.title, r.why))
    ]
    if not (codes or services or policies or rules):
        quiet("Nothing has these words. Try fewer, or a code.")
        return
    left, right = st.columns(2, gap="large")
    with left, st.container(key="hits", gap=None):
        several = f"{_MOST} or more" if len(codes) >= _MOST else len(codes)
        st.html(f'<h2 class="cp-h">Codes · {several}</h2>')
        for c, title in codes:
            mark = "" if asked.codes.is_billable(c) else " (heading)"
            st.button(
                f"**{c}**&ensp;{plain_label(title)}{mark}", key=f"hit_{c}", type="tertiary",
                on_click=go, args=("code", c),
            )  # fmt: skip
    with right:
        if services:
            rows = ((c.partition("-")[0], name) for c, name in services)
            links("hit_services", "service", rows, "hit_service", f"Services · {len(services)}")
        if policies:
            rows = ((e.id, f"{e.title} ({e.kind})") for e in policies[:_MOST])
            links("hit_policies", "policy", rows, "hit_policy", f"Policies · {len(policies)}")
        if rules:
            rows = ((r.id, r.title) for r in rules[:_MOST])
            links("hit_rules", "rule", rows, "hit_rule", f"Rules · {len(rules)}")
        nothing = [name for name, at in (("service", services), ("policy", policies), ("rule", rules)) if not at]
        if nothing:
            quiet(f"No {' or '.join(nothing)} has these words.")
