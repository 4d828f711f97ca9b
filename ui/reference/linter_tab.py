"""Query linter: a query to a provider, graded rule by rule. What is pasted is kept nowhere."""

from __future__ import annotations

import streamlit as st

from code_maps.queries import query_rules
from pipeline.queries import MAX_QUERY, lint
from ui.parts import esc, plain_label
from ui.reference.parts import Asked, chip, go, quiet, unlink

_SETTINGS = {"outpatient": "Outpatient", "inpatient": "Inpatient"}


def draw(asked: Asked) -> None:
    """The Query linter tab."""
    unlink()
    left, right = st.columns([0.48, 0.52], gap="medium")
    with left:
        text = st.text_area(
            "Query to a provider", key="ref_query", height=300, max_chars=MAX_QUERY,
            placeholder="Title, clinical indicators with source and date, the question, the answers offered",
        )  # fmt: skip
        setting = st.segmented_control(
            "Setting", list(_SETTINGS), key="ref_query_setting", default="outpatient", required=True,
            format_func=_SETTINGS.__getitem__,
        )  # fmt: skip
        st.button("Grade", key="ref_grade")
        quiet("The query is graded on this machine and forgotten when you open another tab or page.")
    with right:
        if text.strip():
            _graded(text, setting)
        else:
            quiet("The query is tested against ten statements of the AHIMA/ACDIS practice brief of 2022:")
            st.html(
                "".join(f'<div class="cp-edit"><b>{esc(c)}</b> {esc(r.title)}</div>' for c, r in query_rules().items())
            )


def _graded(text: str, setting: str) -> None:
    found = lint(text, setting)
    rules = query_rules()
    passed = len(rules) - len(found.violations)
    verdict = chip("ok", "compliant") if found.compliant else chip("risk", "not compliant")
    st.html(
        f'<div class="cp-answer" role="status">{verdict} <span>{passed} of {len(rules)} statements met</span></div>'
    )
    for number, (code, why, instead) in enumerate(zip(found.violations, found.why, found.suggestions, strict=True)):
        rule = rules[code]
        with st.container(key=f"gap_lint_{number}", gap=None):
            st.html(
                f'<div class="cp-top"><b>! {esc(code)}</b> {esc(why)}</div>'
                f'<div class="cp-suppose"><b>Instead:</b> {esc(instead)}</div>'
            )
            st.button(
                f"Rule {plain_label(rule.id)}", key=f"lint_rule_{code}", type="tertiary", on_click=go,
                args=("rule", rule.id),
            )  # fmt: skip
    met = [(code, rule.title) for code, rule in rules.items() if code not in found.violations]
    rows = "".join(f'<div class="cp-edit"><b>✓ {esc(code)}</b> {esc(title)}</div>' for code, title in met)
    if rows:
        st.html(f'<details class="ref-more"><summary>Statements met ({len(met)})</summary>{rows}</details>')
