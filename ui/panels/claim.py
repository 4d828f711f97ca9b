"""The claim against the note: lines x diagnoses, a verdict for each line with its policy, edits, and risks of denial."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from code_maps.icd10cm import CodeSet
from code_maps.services import service_name
from exchange.rendered import edit_why, verdict_words, words
from models.claim import Claim, ClaimCheck, ClaimLine, Verdict
from models.report import Report
from ui.parts import act, chip, esc, heading, quiet, quote

LETTERS = "ABCDEFGHIJKL"


def letters(pointers: Sequence[int]) -> str:
    """Pointers as the letters of the diagnoses."""
    return " ".join(LETTERS[p - 1] if 0 < p <= len(LETTERS) else str(p) for p in pointers)


def claim_panel(report: Report, claim: Claim | None, codes: CodeSet, opened: str | None) -> None:
    """Lines against diagnoses, a verdict for each line with its policy, then the edits and the risks of denial."""
    check = report.claim
    if claim is None:
        st.html(quiet("No claim yet. Enter diagnoses and lines on the left to check them.") + _risks(report))
        return
    if check is None:
        st.html(quiet("This release doesn't check claims yet.") + _matrix(claim, None, codes, report))
        return
    parts = []
    if check.assumed_diagnoses:
        parts.append(f"<p>{chip('warn', 'The claim names no diagnoses: the proposed codes stand in for them.')}</p>")
    parts.append(_matrix(claim, check, codes, report))
    parts += [_verdict(v, claim, check.assumed_diagnoses, f"line:{v.line}" == opened) for v in check.lines]
    parts += [_shared(check), _edits(check), _risks(report)]
    parts += [quiet(notice) for notice in check.notices]
    st.html("".join(parts))


def _cell(line: ClaimLine, position: int, code: str, v: Verdict | None) -> tuple[str, str, str]:
    """A cell of the matrix: how it weighs, its sign, and its words."""
    pointed = position in line.pointers
    if v is None:
        return ("plain", "●", "pointed") if pointed else ("none", "·", "")
    if v.verdict in ("NO_POLICY", "UNVERIFIED_PAYER"):
        return ("quiet", "●", "no policy") if pointed else ("none", "·", "")
    if not pointed:
        return ("warn", "○", "not pointed") if code in v.supported_but_not_pointed else ("none", "·", "")
    if code in v.diagnoses and verdict_words(v.verdict)[0] in ("ok", "warn"):
        return "ok", "✓", "supports"
    return "risk", "✗", "no support"


def _matrix(claim: Claim, check: ClaimCheck | None, codes: CodeSet, report: Report) -> str:
    """Lines x diagnoses; under each diagnosis whether the note has it."""
    diagnoses: Sequence[str] = claim.diagnoses
    lines: Sequence[ClaimLine] = claim.lines
    verdicts = {v.line: v for v in check.lines} if check else {}
    if check and check.assumed_diagnoses:
        diagnoses = tuple(dict.fromkeys(p.code for p in report.proposals))[:12]
        lines = [
            line.model_copy(update={"pointers": [n for n, d in enumerate(diagnoses, 1) if d in verdicts[k].diagnoses]})
            if k in verdicts else line
            for k, line in enumerate(lines, 1)
        ]  # fmt: skip
    if not diagnoses or not lines:
        return ""
    proposed = {p.code for p in report.proposals}
    missing = set(check.undocumented) if check else set()
    head = []
    for letter, d in zip(LETTERS, diagnoses, strict=False):
        title = codes.title(d) if d in codes else "not in this release"
        near = next((p for p in report.proposals if p.code[:3] == d[:3]), None)
        sign, said, state = ("", "", "")
        if d in proposed:
            sign, said, state = "✓", "in the note", "s-ok"
        elif d in missing:
            sign, said, state = "✗", "not in the note", "s-risk"
        elif near:
            sign, said, state = "≈", f"note: {near.code}", "s-warn"
        head.append(
            f'<th scope="col" title="{esc(title)}"><small>{letter}</small>{esc(d)}'
            f'<span class="cp-in {state}">{sign} {esc(said)}</span></th>'
        )
    rows = []
    for number, line in enumerate(lines, 1):
        cells = []
        for position, d in enumerate(diagnoses[:12], 1):
            state, sign, said = _cell(line, position, d, verdicts.get(number))
            cells.append(
                f'<td class="s-{state}" title="{esc(f"line {number}, {d}: {said}") if said else ""}">'
                f"{sign}<span>{said}</span></td>"
            )
        label = f"{esc(line.code)} {esc(' '.join(line.modifiers))}".strip()
        rows.append(f'<tr><th scope="row"><small>{number}</small>{label}</th>{"".join(cells)}</tr>')
    return (
        f'<div class="cp-scroll"><table class="cp-matrix"><thead><tr><td></td>{"".join(head)}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _verdict(v: Verdict, claim: Claim, assumed: bool, is_open: bool) -> str:
    state, said = verdict_words(v.verdict)
    key = f"line:{v.line}"
    name = service_name(v.code)
    parts = [
        f'<div class="cp-card s-{state}{" cp-opened" if is_open else ""}"><button class="cp-pick" data-result="{key}" '
        f'data-do="{key}" aria-expanded="{str(is_open).lower()}"><b>Line {v.line} {esc(v.code)}</b> '
        f"<span>{esc(name or '')}</span></button>"
        f'<div class="cp-top">{chip(state, said)}<code class="cp-end">{esc(v.verdict)}</code></div>'
    ]
    if v.why:
        parts.append(f"<p>{esc(v.why)}</p>")
    if v.supported_but_not_pointed:
        parts.append(
            f"<p>○ Supported, but the line doesn't point to it: {esc(', '.join(v.supported_but_not_pointed))}</p>"
        )
    suggested = letters(v.pointers_suggested)
    if v.pointers_suggested and not assumed and suggested != letters(claim.lines[v.line - 1].pointers):
        named = ", ".join(claim.diagnoses[p - 1] for p in v.pointers_suggested if 0 < p <= len(claim.diagnoses))
        take = act(f"point:{v.line}", f"Point line {v.line} to {esc(suggested)}")
        parts.append(f"<p>○ Pointers suggested: <b>{esc(suggested)}</b> ({esc(named)}) {take}</p>")
    parts.extend(f"<p>Missing: {esc(item)}</p>" for item in v.missing)
    parts.extend(quote(e) for e in v.evidence[:3])
    if v.modifiers_suggested:
        parts.append(f"<p>Modifier to consider: {esc(', '.join(v.modifiers_suggested))}</p>")
    facts = []
    if v.policy:
        p = v.policy
        about = [f"version {p.version}"] * (p.version is not None) + [f"group {p.group}"] * (p.group is not None)
        about += [f"since {p.effective}"] * bool(p.effective) + [f"by {p.basis}"]
        facts.append(f"<b>{esc(p.kind)} {esc(p.id)}</b> {esc(p.title)} <span>({esc(', '.join(about))})</span>")
        if p.quote:
            facts.append(f"<blockquote>{esc(words(p.quote, 600))}</blockquote>")
        if p.url:
            facts.append(f"<span>{esc(p.url)}</span>")
    if v.carc:
        rarc = f", RARC {esc(v.rarc)}" if v.rarc else ""
        liable = "" if v.liability == "none" else f"; liable: the {esc(v.liability)}"
        facts.append(f"If denied, likely CARC {esc(v.carc)}{rarc}{liable}")
    if v.reasons:
        facts.append(f"Reasons: {esc(', '.join(v.reasons))}")
    if facts:
        named = "Policy and codes" if v.policy else "More"
        parts.append(f"<details><summary>{named}</summary>{''.join(f'<div>{f}</div>' for f in facts)}</details>")
    return "".join(parts) + "</div>"


def _shared(check: ClaimCheck) -> str:
    rows = []
    if check.undocumented:
        rows.append(f"<p>{chip('risk', 'Billed, not in the note')} {esc(', '.join(check.undocumented))}</p>")
    if check.unbilled:
        rows.append(f"<p>{chip('warn', 'In the note, not billed')} {esc(', '.join(check.unbilled))}</p>")
    return "".join(rows)


def _edits(check: ClaimCheck) -> str:
    if not check.edits:
        return ""
    weight = {"error": "risk", "warning": "warn", "info": "quiet"}
    order = {"error": 0, "warning": 1, "info": 2}
    rows = []
    for e in sorted(check.edits, key=lambda e: order[e.severity]):
        rows.append(
            f'<div class="cp-edit">{chip(weight[e.severity], e.severity)} {esc(edit_why(e))} '
            f'<code title="{esc(e.source)}">{esc(e.edit)}</code></div>'
        )
    return heading("Claim edits") + "".join(rows)


def _risks(report: Report) -> str:
    if not report.denial_risks:
        return ""
    weight = {"high": "risk", "medium": "warn", "low": "quiet"}
    rows = []
    for r in report.denial_risks:
        lines = " ".join(act(f"line:{n}", f"line {n}", "cp-do cp-small") for n in r.lines)
        rows.append(
            f'<div class="cp-edit">{chip(weight[r.level], r.level)} <b>{esc(r.cause)}</b> {esc(r.why)} {lines}</div>'
        )
    return heading("Risk of denial") + "".join(rows)
