"""The store: what the user chose to keep, and the life of each gap. Records go in and out; nothing of the database does.

Every writing method is told when it happens and who does it. A note that comes again under its id is a new version of
it: gaps that are still there keep their place in life, gaps that are gone are resolved by the addendum, and what was
dismissed or resolved doesn't come back on the same words.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from models.gap import Gap, WouldChange
from models.problem import InputProblem
from models.proposal import Evidence
from models.query import Query
from models.record import NoteRecord, validated
from models.report import plain
from models.worklist import (
    BY_ADDENDUM,
    LIVE,
    NEEDS_REASON,
    NEXT,
    STATUSES,
    AuditEntry,
    AuditHead,
    Choices,
    CodeDecision,
    Decision,
    ExerciseResult,
    GapFilter,
    KeptGap,
    KeptNote,
    Purged,
    Saved,
    SentQuery,
    Status,
    Step,
    StoreStatus,
    Verified,
)
from store import audit, purging
from store.audit import Trail, new_id, sealed
from store.database import connect, database_url, reading, shown, writing
from store.schema import audit as audit_table
from store.schema import decisions, gaps, notes, queries, results, steps

_MOST_NAME = 200
Row = Mapping[Any, Any]
Reviewed = tuple[NoteRecord, Mapping[str, Any]]


def open_store(url: str | None = None) -> Store:
    """The store at `url`, else at CHARTPROOF_DATABASE, else in CHARTPROOF_HOME; made if it isn't there yet.

    Raises InputProblem where it can't be opened.
    """
    return Store(connect(database_url(url)))


@dataclass(frozen=True, slots=True)
class Store:
    """Notes, gaps, queries, decisions, results, and their audit trail. Threads and processes may share it."""

    _engine: sa.Engine

    @property
    def where(self) -> str:
        """The file or the address, without a password."""
        return shown(self._engine.url)

    @property
    def is_file(self) -> bool:
        """Whether all of it is a file on this machine."""
        return self._engine.dialect.name == "sqlite"

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    # --- notes -----------------------------------------------------------------------------------------------------

    def save_note(
        self,
        record: NoteRecord,
        report: Mapping[str, Any],
        *,
        who: str,
        when: datetime,
        further: Iterable[Gap] = (),
    ) -> Saved:
        """Keep a reviewed note with its gaps; `report` is the report's JSON.

        `further` are gaps that the report leaves out for more important ones: they open nothing, but what was asked
        before isn't answered by being left out.
        """
        with writing(self._engine) as connection:
            trail = Trail(connection, clean(who), when)
            saved = _save(connection, trail, record, report, clean(who), when, tuple(further))
            trail.close()
        return saved

    def save_many(self, reviewed: Iterable[Reviewed], *, who: str, when: datetime) -> tuple[Saved, ...]:
        """Keep several reviewed notes in one transaction: all of them, or none."""
        with writing(self._engine) as connection:
            trail = Trail(connection, clean(who), when)
            saved = tuple(_save(connection, trail, record, report, clean(who), when) for record, report in reviewed)
            trail.close()
        return saved

    def note(self, id: str) -> KeptNote:
        """One version of a note by our id. Raises InputProblem when it isn't kept."""
        with reading(self._engine) as connection:
            row = connection.execute(sa.select(notes).where(notes.c.id == id)).mappings().one_or_none()
        if row is None:
            raise InputProblem("no such note is kept", id, "it may have been purged")
        return _note(row)

    def versions(self, external_id: str) -> tuple[KeptNote, ...]:
        """The versions of a note by its own id, oldest first."""
        wanted = sa.select(notes).where(notes.c.external_id == name_of(external_id)).order_by(notes.c.version)
        with reading(self._engine) as connection:
            return tuple(_note(row) for row in connection.execute(wanted).mappings())

    def known(self, external_ids: Iterable[str]) -> frozenset[str]:
        """Those of some notes' own ids under which a note is kept already."""
        asked = {name_of(id): id for id in external_ids}
        found: set[str] = set()
        with reading(self._engine) as connection:
            for some in purging.several(list(asked)):
                wanted = sa.select(notes.c.external_id).where(notes.c.external_id.in_(some))
                found.update(asked[name] for name in connection.execute(wanted).scalars())
        return frozenset(found)

    def settled(self, external_id: str) -> frozenset[str]:
        """The fingerprints of gaps of a note that somebody dismissed or validated: the next review needn't show them."""
        closed = sa.select(gaps.c.id, gaps.c.fingerprint, gaps.c.status)
        closed = closed.join(notes, notes.c.id == gaps.c.note).where(
            notes.c.external_id == name_of(external_id), gaps.c.status.in_(("dismissed", "resolved"))
        )
        with reading(self._engine) as connection:
            return frozenset(
                print_
                for id, print_, status in connection.execute(closed).all()
                if status == "dismissed" or _last_reason(connection, id) != BY_ADDENDUM
            )

    def notes_by_provider(self) -> Mapping[str, int]:
        """How many notes are kept of each provider; versions of one note count once."""
        counted = sa.select(notes.c.provider, sa.func.count(sa.distinct(notes.c.series))).group_by(notes.c.provider)
        with reading(self._engine) as connection:
            return dict(connection.execute(counted).all())

    # --- gaps ------------------------------------------------------------------------------------------------------

    def queue(self, wanted: GapFilter = GapFilter()) -> tuple[KeptGap, ...]:  # noqa: B008  (frozen)
        """The gaps that are asked for, the most important first, then the oldest."""
        chosen = _gap_rows().order_by(gaps.c.priority, gaps.c.opened_at, notes.c.external_id, gaps.c.key, gaps.c.id)
        if wanted.statuses:
            chosen = chosen.where(gaps.c.status.in_(wanted.statuses))
        if wanted.providers:
            chosen = chosen.where(notes.c.provider.in_(wanted.providers))
        if wanted.kinds:
            chosen = chosen.where(gaps.c.kind.in_(wanted.kinds))
        if wanted.services:
            chosen = chosen.where(
                sa.or_(*(notes.c.services.contains(f" {s} ", autoescape=True) for s in wanted.services))
            )
        if wanted.series:
            chosen = chosen.where(gaps.c.series == wanted.series)
        if wanted.limit is not None:
            chosen = chosen.limit(wanted.limit)
        with reading(self._engine) as connection:
            return tuple(_gap(row) for row in connection.execute(chosen).mappings())

    def gap(self, id: str) -> KeptGap:
        """One gap. Raises InputProblem when it isn't kept."""
        with reading(self._engine) as connection:
            return _gap(_row_of_gap(connection, id))

    def choices(self) -> Choices:
        """What there is to filter by, and how many gaps stand where."""
        with reading(self._engine) as connection:
            providers = connection.execute(sa.select(notes.c.provider).distinct()).scalars()
            kinds = connection.execute(sa.select(gaps.c.kind).distinct()).scalars()
            services = connection.execute(sa.select(notes.c.services).distinct()).scalars()
            return Choices(
                tuple(sorted(providers)),
                tuple(sorted(kinds)),
                tuple(sorted({code for billed in services for code in billed.split()})),
                _statuses(connection),
            )

    def move(self, gap: str, to: Status, *, who: str, when: datetime, reason: str = "") -> KeptGap:
        """Take a gap a step on. Raises InputProblem when the step isn't one from where it stands, or lacks its reason."""
        with writing(self._engine) as connection:
            trail = Trail(connection, clean(who), when)
            _move(connection, trail, _row_of_gap(connection, gap), to, clean(who), when, clean(reason))
            trail.close()
            return _gap(_row_of_gap(connection, gap))

    def send_query(self, gap: str, query: Query, *, who: str, when: datetime) -> SentQuery:
        """Keep a query as it was sent; the gap is queried from then on. Raises InputProblem as `move` does."""
        with writing(self._engine) as connection:
            trail = Trail(connection, clean(who), when)
            asked = _row_of_gap(connection, gap)
            _move(connection, trail, asked, "queried", clean(who), when, "")
            row: dict[str, Any] = {
                "id": new_id(), "gap": gap, "provider": clean(query.provider), "title": query.title,
                "text": query.text, "sent_at": when, "sent_by": clean(who), "salt": new_id(),
            }  # fmt: skip
            facts = {"gap": gap, "note": asked["note"], "seal": sealed("query sent", row)}
            connection.execute(queries.insert(), {**row, "seq": trail.add("query sent", row["id"], facts)})
            trail.close()
        return SentQuery(**{name: row[name] for name in SentQuery.__dataclass_fields__})

    def history(self, gap: str) -> tuple[Step, ...]:
        """The steps of a gap, oldest first."""
        wanted = sa.select(steps).where(steps.c.gap == gap).order_by(steps.c.seq)
        with reading(self._engine) as connection:
            return tuple(
                Step(r.gap, r.from_status, r.to_status, r.at, r.who, r.reason) for r in connection.execute(wanted)
            )

    def queries(self, gap: str) -> tuple[SentQuery, ...]:
        """The queries sent about a gap, oldest first."""
        wanted = sa.select(queries).where(queries.c.gap == gap).order_by(queries.c.seq)
        with reading(self._engine) as connection:
            return tuple(
                SentQuery(r.id, r.gap, r.provider, r.title, r.text, r.sent_at, r.sent_by)
                for r in connection.execute(wanted)
            )

    # --- codes and exercises ---------------------------------------------------------------------------------------

    def decide(
        self,
        note: str,
        code: str,
        decision: Decision,
        *,
        who: str,
        when: datetime,
        reason: str = "",
        replacement: str | None = None,
    ) -> CodeDecision:
        """Keep what a coder decided about a code of a kept note. Raises InputProblem for a decision that isn't one.

        To reject or to replace needs a reason, to replace the code that takes its place.
        """
        where = f"the decision about {clean(code)[:16]}"
        if decision not in ("accept", "reject", "replace"):
            raise InputProblem(f"{decision!r} is no decision", where, "accept, reject or replace")
        if decision != "accept" and not clean(reason):
            raise InputProblem("no reason is given", where, "say why in a few words")
        if (decision == "replace") != bool(replacement):
            raise InputProblem("a replacement belongs to replace, and to nothing else", where)
        row: dict[str, Any] = {
            "id": new_id(), "note": note, "code": clean(code)[:16], "decision": decision,
            "replacement": clean(replacement)[:16] if replacement else None, "reason": clean(reason), "at": when,
            "who": clean(who), "salt": new_id(),
        }  # fmt: skip
        with writing(self._engine) as connection:
            if connection.execute(sa.select(notes.c.id).where(notes.c.id == note)).one_or_none() is None:
                raise InputProblem("no such note is kept", note, "save the note first")
            trail = Trail(connection, clean(who), when)
            facts = {"note": note, "decision": decision, "seal": sealed("code decided", row)}
            connection.execute(decisions.insert(), {**row, "seq": trail.add("code decided", row["id"], facts)})
            trail.close()
        return _decision(row)

    def decisions(self, note: str) -> tuple[CodeDecision, ...]:
        """What was decided about the codes of a note, oldest first; the last about a code is the one that counts."""
        wanted = sa.select(decisions).where(decisions.c.note == note).order_by(decisions.c.seq)
        with reading(self._engine) as connection:
            return tuple(_decision(row) for row in connection.execute(wanted).mappings())

    def keep_result(self, result: ExerciseResult) -> None:
        """Keep a learner's answer to an exercise. Raises InputProblem for a score outside 0 to 1."""
        if not 0 <= result.score <= 1:
            raise InputProblem(f"{result.score} is no score", "the exercise's result", "from 0 to 1")
        row: dict[str, Any] = {
            "id": new_id(), "learner": clean(result.learner), "exercise": clean(result.exercise),
            "score": float(result.score), "wrong_rules": list(result.wrong_rules), "at": result.at, "salt": new_id(),
        }  # fmt: skip
        with writing(self._engine) as connection:
            trail = Trail(connection, row["learner"], result.at)
            facts = {"seal": sealed("result kept", row)}
            connection.execute(results.insert(), {**row, "seq": trail.add("result kept", row["id"], facts)})
            trail.close()

    def results(self, learner: str | None = None) -> tuple[ExerciseResult, ...]:
        """The results of a class, or of one learner, oldest first."""
        wanted = sa.select(results).order_by(results.c.seq)
        if learner is not None:
            wanted = wanted.where(results.c.learner == clean(learner))
        with reading(self._engine) as connection:
            return tuple(
                ExerciseResult(r.learner, r.exercise, r.score, tuple(r.wrong_rules), r.at)
                for r in connection.execute(wanted)
            )

    # --- the whole -------------------------------------------------------------------------------------------------

    def status(self) -> StoreStatus:
        """Where things are kept, how many, since when, and the head of the audit trail."""
        with reading(self._engine) as connection:
            counts = {
                table.name: int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
                for table in (notes, gaps, queries, decisions, results)
            }
            oldest = connection.execute(sa.select(notes.c.saved_at).order_by(notes.c.saved_at).limit(1)).scalar()
            return StoreStatus(self.where, counts, _statuses(connection), oldest, audit.head(connection))

    def audit_trail(self, *subjects: str) -> tuple[AuditEntry, ...]:
        """The audit trail, oldest first; only what is about `subjects` where any are named."""
        with reading(self._engine) as connection:
            return audit.entries(connection, subjects)

    def verify(self, witness: AuditHead | None = None) -> Verified:
        """Whether the audit trail is whole, passes through `witness`, and what it vouches for is as it was."""
        with reading(self._engine) as connection:
            return audit.verify(connection, witness)

    def purge_older_than(self, days: int, *, who: str, when: datetime) -> Purged:
        """Remove for good notes whose newest version, and results that, were saved more than `days` ago."""
        if days < 0:
            raise InputProblem(f"{days} days", "purge", "a number from 0 up")
        before = when - timedelta(days=days)
        return purging.purge(self._engine, before=before, facts={"older than days": days}, who=clean(who), when=when)

    def purge_note(self, external_id: str, *, who: str, when: datetime) -> Purged:
        """Remove for good one note, by its own id, in all its versions. Raises InputProblem when it isn't kept."""
        name = name_of(external_id)
        purged = purging.purge(self._engine, external_id=name, facts={"on": "request"}, who=clean(who), when=when)
        if not purged.notes:
            raise InputProblem("no such note is kept", external_id, "`chartproof store status` says how many are")
        return purged

    def export(self, *, who: str, when: datetime) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
        """Everything that is kept, as named tables of plain JSON rows, from one state of the database.

        The rows of a table must be read before the next table is asked for. That it was exported is in the trail.
        """
        with writing(self._engine) as connection:
            trail = Trail(connection, clean(who), when)
            trail.add("exported", "everything", {})
            trail.close()
        tables = (
            (notes, notes.c.saved_at, notes.c.external_id, notes.c.version), (gaps, gaps.c.opened_at, gaps.c.id),
            (steps, steps.c.seq), (queries, queries.c.seq), (decisions, decisions.c.seq), (results, results.c.seq),
            (audit_table, audit_table.c.seq),
        )  # fmt: skip
        with reading(self._engine) as connection:
            for table, *order in tables:
                yield table.name, _exported(connection, sa.select(table).order_by(*order))


# --- saving --------------------------------------------------------------------------------------------------------


def clean(name: str) -> str:
    """A name, an id or a reason as one line that every database takes: no control characters, at most 2,000 long."""
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in name)
    return " ".join(kept.split())[:2000]


def name_of(text: str) -> str:
    """A name or id that fits its column; a longer one is cut, and stays itself by its hash."""
    name = clean(text)
    if len(name) <= _MOST_NAME:
        return name
    return name[: _MOST_NAME - 17] + "…" + hashlib.sha256(name.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Found:
    """A gap of a review as its row holds it. One that the report doesn't ask has no rank, and opens nothing."""

    key: str
    fingerprint: str
    body: dict[str, Any]
    asked: bool = True

    @classmethod
    def of(cls, gap: Mapping[str, Any], asked: bool = True) -> _Found:
        return cls(name_of(gap["id"]), name_of(gap_of(gap).fingerprint), dict(gap), asked)

    def columns(self) -> dict[str, Any]:
        """What a row says about the gap as the review has it."""
        body = self.body
        ranked = {"priority": body["priority"]} if self.asked else {}
        return {
            "key": self.key, "fingerprint": self.fingerprint, "rule": name_of(body["rule"]), "kind": body["kind"],
            "body": body, **ranked,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a review means for the gaps that a note already has."""

    opened: tuple[tuple[str, _Found], ...]
    kept: tuple[tuple[Row, _Found], ...]
    gone: tuple[Row, ...]


def _plan(rows: Iterable[Row], found: Iterable[_Found]) -> _Plan:
    """Match the gaps of a review with the rows of earlier versions.

    The same gap on the same words is the same row, whatever became of it; a gap that is still asked about stays the
    same row when its words change; what was closed and rests on other words now is opened anew. What the review only
    leaves out, or lists as settled, stays where it is.
    """
    order = (*LIVE, "dismissed", "resolved")
    left = sorted(rows, key=lambda r: (order.index(r["status"]), r["id"]))
    waiting: list[_Found] = []
    kept = []
    for gap in found:
        same = next((r for r in left if (r["key"], r["fingerprint"]) == (gap.key, gap.fingerprint)), None)
        if same is None:
            waiting.append(gap)
        else:
            left.remove(same)
            kept.append((same, gap))
    opened = []
    for gap in waiting:
        same = next((r for r in left if r["key"] == gap.key and r["status"] in LIVE), None)
        if same is not None:
            left.remove(same)
            kept.append((same, gap))
        elif gap.asked:
            opened.append((new_id(), gap))
    return _Plan(tuple(opened), tuple(kept), tuple(r for r in left if r["status"] in LIVE))


def _save(
    connection: sa.Connection,
    trail: Trail,
    record: NoteRecord,
    report: Mapping[str, Any],
    who: str,
    when: datetime,
    further: tuple[Gap, ...] = (),
) -> Saved:
    external, report = name_of(record.id), dict(report)
    encounter = record.model_dump(mode="json", exclude={"text"}, exclude_unset=True)
    newest = sa.select(notes).where(notes.c.external_id == external).order_by(notes.c.version.desc()).limit(1)
    latest = connection.execute(newest).mappings().one_or_none()
    known: list[Row] = []
    if latest is not None:
        known = list(connection.execute(sa.select(gaps).where(gaps.c.series == latest["series"])).mappings())
    found = [_Found.of(gap) for gap in report.get("gaps", ())]
    found += [_Found.of(gap, asked=False) for gap in (*report.get("settled", ()), *map(plain, further))]
    plan = _plan(known, found)
    opened = [id for id, _ in plan.opened]
    if latest is not None and latest["text"] == record.text and latest["encounter"] == encounter:
        id, series, version, as_ = latest["id"], latest["series"], latest["version"], "unchanged"
        if latest["report"] == report:
            return Saved(id, external, version, "unchanged", kept=len(plan.kept))
        # The same note, read by newer rules or a newer release.
        connection.execute(notes.update().where(notes.c.id == id).values(report=report))
        trail.add("note reviewed", id, {"opened": opened})
    else:
        id, claim = new_id(), record.claim
        series, version = (latest["series"], latest["version"] + 1) if latest is not None else (id, 1)
        as_ = "new version" if latest is not None else "new"
        row = {
            "id": id, "series": series, "external_id": external, "version": version,
            "earlier": latest["id"] if latest is not None else None, "text": record.text, "encounter": encounter,
            "report": report, "provider": name_of(record.provider or ""),
            "services": f" {' '.join(dict.fromkeys(clean(n.code)[:16] for n in claim.lines))} " if claim else "",
            "date_of_service": record.date_of_service or (claim.date_of_service if claim else None),
            "saved_at": when, "saved_by": who, "salt": new_id(),
        }  # fmt: skip
        connection.execute(notes.insert(), row)
        facts = {"version": version, "earlier": row["earlier"], "opened": opened, "seal": sealed("note saved", row)}
        trail.add("note saved", id, facts)
    _settle(connection, trail, plan, id, series, who, when)
    return Saved(id, external, version, as_, len(opened), len(plan.kept), len(plan.gone))  # type: ignore[arg-type]


def _settle(
    connection: sa.Connection, trail: Trail, plan: _Plan, note: str, series: str, who: str, when: datetime
) -> None:
    """Write what a review means for the gaps of a note."""
    if plan.opened:
        rows = [
            {**gap.columns(), "id": id, "note": note, "series": series, "status": "open", "opened_at": when, "changed_at": when}
            for id, gap in plan.opened
        ]  # fmt: skip
        connection.execute(gaps.insert(), rows)
    for row in plan.gone:
        _move(connection, trail, row, "resolved", who, when, BY_ADDENDUM)
    for row, gap in plan.kept:
        connection.execute(gaps.update().where(gaps.c.id == row["id"]).values(note=note, **gap.columns()))
        if gap.asked and row["status"] == "resolved" and _last_reason(connection, row["id"]) == BY_ADDENDUM:
            _move(connection, trail, row, "open", who, when, "in the note again")


def _last_reason(connection: sa.Connection, gap: str) -> str:
    last = sa.select(steps.c.reason).where(steps.c.gap == gap).order_by(steps.c.seq.desc()).limit(1)
    return str(connection.execute(last).scalar() or "")


def _move(connection: sa.Connection, trail: Trail, gap: Row, to: Status, who: str, when: datetime, reason: str) -> None:
    """One step of a gap's row, with its entry in the trail."""
    at = gap["status"]
    if to not in STATUSES or to not in NEXT[at]:
        raise InputProblem(f"a gap that is {at} can't become {to}", "the gap", f"from here: {', '.join(NEXT[at])}")
    if to in NEEDS_REASON and not reason:
        raise InputProblem("no reason is given", f"{at} to {to}", "say why in a few words")
    row = {
        "id": new_id(), "gap": gap["id"], "from_status": at, "to_status": to, "at": when, "who": who,
        "reason": reason, "salt": new_id(),
    }  # fmt: skip
    facts = {"gap": gap["id"], "note": gap["note"], "from": at, "to": to, "seal": sealed("gap moved", row)}
    connection.execute(steps.insert(), {**row, "seq": trail.add("gap moved", row["id"], facts)})
    changes: dict[str, Any] = {"status": to, "changed_at": when}
    if to in ("queried", "answered") and gap[f"{to}_at"] is None:
        changes[f"{to}_at"] = when
    if to in ("resolved", "dismissed", "open"):
        changes["closed_at"] = None if to == "open" else when
    connection.execute(gaps.update().where(gaps.c.id == gap["id"]).values(changes))


# --- rows as records -----------------------------------------------------------------------------------------------


def _gap_rows() -> sa.Select[Any]:
    of_note = (notes.c.external_id, notes.c.version, notes.c.provider, notes.c.services, notes.c.date_of_service)
    return sa.select(gaps, *of_note, notes.c.encounter).join(notes, notes.c.id == gaps.c.note)


def _row_of_gap(connection: sa.Connection, id: str) -> Row:
    row = connection.execute(_gap_rows().where(gaps.c.id == id)).mappings().one_or_none()
    if row is None:
        raise InputProblem("no such gap is kept", id, "its note may have been purged")
    return row


def _gap(row: Row) -> KeptGap:
    return KeptGap(
        id=row["id"], note=row["note"], external_id=row["external_id"], version=row["version"],
        provider=row["provider"], date_of_service=row["date_of_service"],
        setting=row["encounter"].get("setting", "outpatient"), services=tuple(row["services"].split()),
        gap=gap_of(row["body"]), status=row["status"], opened_at=row["opened_at"], changed_at=row["changed_at"],
        queried_at=row["queried_at"], answered_at=row["answered_at"], closed_at=row["closed_at"],
    )  # fmt: skip


def gap_of(body: Mapping[str, Any]) -> Gap:
    """A gap from the JSON of a report."""
    change = body.get("would_change")
    return Gap(
        id=body["id"], kind=body["kind"], code=body["code"], missing=body["missing"], about=body["about"],
        evidence=tuple(Evidence(e["start"], e["end"], e["text"], e.get("section", "")) for e in body["evidence"]),
        ask=body["ask"], options=tuple(body["options"]), why=body["why"], rule=body["rule"], source=body["source"],
        would_change=WouldChange(change["from"], tuple(change["to"])) if change else None, priority=body["priority"],
    )  # fmt: skip


def _note(row: Row) -> KeptNote:
    record = validated(NoteRecord, {**row["encounter"], "text": row["text"]}, "a kept note")
    return KeptNote(
        row["id"],
        row["series"],
        row["version"],
        row["earlier"],
        record,
        row["report"],
        row["saved_at"],
        row["saved_by"],
    )


def _decision(row: Row) -> CodeDecision:
    return CodeDecision(**{name: row[name] for name in CodeDecision.__dataclass_fields__})


def _statuses(connection: sa.Connection) -> dict[Status, int]:
    counted: dict[str, int] = dict(
        connection.execute(sa.select(gaps.c.status, sa.func.count()).group_by(gaps.c.status)).all()
    )
    return {status: int(counted.get(status, 0)) for status in STATUSES}


def _exported(connection: sa.Connection, wanted: sa.Select[Any]) -> Iterator[dict[str, Any]]:
    for row in connection.execution_options(yield_per=200).execute(wanted).mappings():
        yield {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in row.items()
            if name != "salt"
        }
