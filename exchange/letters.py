"""The letter of an appeal as PDF, Word and plain text: a draft with blanks for whatever note and claim don't hold.

Every quotation is of the note or of the policy, word for word. Names, numbers and addresses are left blank, and no
amount of money stands anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable

from code_maps.appeals import denials
from exchange import paper
from exchange.paper import Block, Heading, Items, Panel, Paper, Quote, Text
from models.appeal import Appeal, Point
from models.proposal import Evidence

FORMATS = ("docx", "pdf", "txt")
FOOT = "Draft from the note and the claim; quotations are verbatim. Read it and fill its blanks before it is signed."


def as_text(appeal: Appeal) -> str:
    """The draft as plain text, what has to be known before sending on top."""
    return paper.as_plain(as_paper(appeal))


def as_pdf(appeal: Appeal) -> bytes:
    """The draft as a PDF."""
    return paper.as_pdf(as_paper(appeal))


def as_docx(appeal: Appeal) -> bytes:
    """The draft as a Word document."""
    return paper.as_docx(as_paper(appeal))


def as_paper(appeal: Appeal, notes: bool = True) -> Paper:
    """The draft as a document; without `notes` the letter alone, without what only its writer has to know."""
    blocks: list[Block] = []
    if notes:
        blocks += [Panel(("Before you send this:", *(f"• {line}" for line in before_sending(appeal))), "warning")]
    blocks += _opening(appeal)
    blocks += _points(appeal)
    blocks += _closing(appeal)
    return Paper("", "", tuple(blocks), FOOT)


def before_sending(appeal: Appeal) -> tuple[str, ...]:
    """What the writer of the letter has to know, what weighs most first."""
    lines = list(appeal.warnings)
    if not appeal.arguable:
        lines.insert(0, "Note and claim don't carry this line as it stands: the draft asks for nothing.")
    if appeal.policy is None and appeal.medicare:
        lines.append("No coverage policy for this service is at hand; look in the denial for one, and answer it.")
    if appeal.answer:
        lines.append(appeal.answer)
    level = denials().level
    if appeal.medicare:
        lines.append(
            f"{level.name}: ask for it within {level.days} days of receiving the initial determination, which is "
            f"presumed {level.presumed} days after its date. On form {level.form}, or in writing with {level.holds}."
        )
    else:
        lines.append("Not Medicare fee-for-service: the payer's own levels of appeal and time limits apply.")
    return tuple(lines)


def _opening(appeal: Appeal) -> Iterable[Block]:
    yield Text("[Date]")
    who = "Medicare contractor that decided the claim" if appeal.medicare else "Payer"
    yield Text(f"[{who}; address for appeals, from the remittance advice]")
    yield Text("Request for a redetermination" if appeal.medicare else "Appeal of a denied claim line", "strong")
    modifiers = f"-{'-'.join(appeal.modifiers)}" if appeal.modifiers else ""
    service = f"{appeal.code}{modifiers}" + (f", {appeal.service}" if appeal.service else "")
    diagnoses = "; ".join(f"{dx} {title}".strip() for dx, title in appeal.diagnoses) or "none pointed to"
    codes = " ".join([f"CARC {appeal.carc}"] * bool(appeal.carc) + [f"RARC {appeal.rarc}"] * bool(appeal.rarc))
    number = "Medicare number (MBI)" if appeal.medicare else "Member number"
    yield Panel(
        (
            "Beneficiary: [name]" if appeal.medicare else "Patient: [name]",
            f"{number}: [number]",
            "Claim number: [number]",
            "Initial determination: [date of the remittance advice]",
            f"Date of service: {appeal.date_of_service or '[date]'}",
            f"Line {appeal.line}: {service}",
            f"Diagnoses of the line: {diagnoses}",
            f"Reason of the denial: {codes or '[code]'}",
        )
    )
    yield Text("To whom it may concern:")
    cause = f"The reason given is that {appeal.cause}." if appeal.cause else "The reason given is [reason]."
    if appeal.arguable:
        yield Text(f"We disagree with the denial of {service}. {cause} The note of the visit answers this as follows.")
    else:
        yield Text(
            f"The line {service} was denied. {cause} This draft asks for no reversal: by note and claim alone the line "
            "isn't carried. What they show, and what they don't, is set side by side below."
        )


def _points(appeal: Appeal) -> Iterable[Block]:
    policy = appeal.policy
    if policy:
        yield Heading("What the policy asks for")
        version = f", version {policy.version}" if policy.version is not None else ""
        effective = f", in effect from {policy.effective}" if policy.effective else ""
        group = f", group {policy.group}" if policy.group is not None and policy.basis == "code list" else ""
        named = f"{policy.kind} {policy.id}: {policy.title.rstrip('.')}{version}{effective}"
        yield Text(f"{appeal.citation or named}{group}.")
        if policy.quote:
            yield Quote(policy.quote, policy.url or "")
    elif appeal.medicare:
        necessity = denials().necessity
        yield Heading("What is asked for")
        yield Text(f"{necessity.words} ({necessity.source})")
    shown = [p for p in appeal.points if p.state in ("shown", "on the claim")]
    if shown:
        yield Heading("What the record shows")
    for number, point in enumerate(shown, 1):
        yield Heading(f"{number}. {point.asked.rstrip('.')}", 2)
        yield from _proofs(appeal, point)
    against = [p for p in appeal.points if p.state == "contradicted"]
    if against:
        yield Heading("What the claim speaks against")
        yield Items(tuple(_with_facts(p) for p in against))
    lacking = [p for p in appeal.points if p.state == "not documented"]
    if lacking:
        yield Heading("What this note doesn't say")
        yield Items(tuple(_with_facts(p) for p in lacking))
        if appeal.arguable:
            yield Text("[Enclose other records of the same time that say it, or leave this part as it is.]")


def _proofs(appeal: Appeal, point: Point) -> Iterable[Block]:
    for excerpt in point.excerpts:
        yield Quote(excerpt.text, place_of(excerpt, appeal))
    if point.facts:
        yield Text(f"From the claim: {', '.join(point.facts)}.")


def place_of(excerpt: Evidence, appeal: Appeal) -> str:
    """Where an excerpt stands: its section and the date of the note."""
    section = excerpt.section.replace("_", " ").capitalize() or "Note"
    return f"{section}, {appeal.date_of_service}" if appeal.date_of_service else section


def _with_facts(point: Point) -> str:
    return point.asked.rstrip(".") + (f" (from the claim: {', '.join(point.facts)})" if point.facts else "")


def _closing(appeal: Appeal) -> Iterable[Block]:
    if appeal.arguable:
        yield Heading("Request")
        on = f" of {appeal.date_of_service}" if appeal.date_of_service else ""
        yield Text(
            f"We ask that the determination on line {appeal.line} be reversed. The note{on} is enclosed in full."
        )
    yield Text("Sincerely,")
    yield Panel(("[Signature]", "[Name of the party or its representative, and title]", "[Provider, NPI, telephone]"))
    if appeal.sources:
        yield Heading("Sources")
        yield Items(appeal.sources)
