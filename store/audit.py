"""The audit trail: append-only, each entry bound to the one before it by its hash.

An entry's hash is the SHA-256 of the hash before it and the entry as canonical JSON. Entries hold ids and hashes, never
words of a note, of a query or of a reason, so that they outlive a purge. What a row says is sealed in its entry with a
random salt that stands in the row: while the row is kept, a change of it is found; when it is gone, the seal tells nothing.

`verify` finds entries that were changed, deleted, inserted or put in another order, a tail that was cut off (the head
keeps count and last hash), and kept notes, steps, queries, decisions and results that were changed or removed behind
the trail's back. Triggers in the database refuse all that to everybody who doesn't first remove the triggers.

What can't be noticed from inside: somebody who may write to the database, removes the triggers, and computes every hash
and the head anew, or puts back an older copy of the whole database. For that, note the head (`chartproof store status`)
somewhere else from time to time and give it to `verify`. What an entry says is as true as the program that wrote it:
names are those that people gave or signed in with.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from models.worklist import AuditEntry, AuditHead, Verified
from store import schema
from store.schema import audit, audit_head, canonical

START = "0" * 64


def new_id() -> str:
    """A random id; says nothing about what it names."""
    return secrets.token_hex(16)


def seal(salt: str, content: Any) -> str:  # noqa: ANN401
    """A hash of some content that nobody can guess back without the salt."""
    return hashlib.sha256((salt + canonical(content)).encode()).hexdigest()


def _link(previous: str, entry: Mapping[Any, Any]) -> str:
    said = {name: entry[name] for name in ("seq", "at", "who", "action", "subject", "facts")}
    return hashlib.sha256((previous + canonical(said)).encode()).hexdigest()


def head(connection: sa.Connection) -> AuditHead:
    """Where the trail ends."""
    row = connection.execute(sa.select(audit_head.c.count, audit_head.c.hash)).one_or_none()
    return AuditHead(row[0], row[1]) if row else AuditHead(0, "")


class Trail:
    """Appends entries inside one writing transaction, which holds the head's lock; `close` writes them."""

    def __init__(self, connection: sa.Connection, who: str, when: datetime) -> None:
        self._connection, self._who = connection, who
        self._at = when.astimezone(UTC).isoformat(timespec="microseconds")
        self._head = head(connection)
        self._rows: list[dict[str, Any]] = []

    def add(self, action: str, subject: str, facts: Mapping[str, Any]) -> int:
        """Append an entry and give its number."""
        last = self._rows[-1] if self._rows else None
        row = {
            "seq": (last["seq"] if last else self._head.count) + 1, "at": self._at, "who": self._who,
            "action": action, "subject": subject, "facts": canonical(facts),
            "previous": last["hash"] if last else self._head.hash,
        }  # fmt: skip
        row["hash"] = _link(str(row["previous"]), row)
        self._rows.append(row)
        return int(row["seq"])

    def close(self) -> None:
        """Write the entries one by one, the head going forward with each: the database's guards check every step."""
        for row in self._rows:
            self._connection.execute(audit.insert(), row)
            self._connection.execute(audit_head.update().values(count=row["seq"], hash=row["hash"]))
        self._rows = []


def entries(connection: sa.Connection, subjects: tuple[str, ...] = ()) -> tuple[AuditEntry, ...]:
    """The entries in order; only those about `subjects` where any are named."""
    wanted = sa.select(audit).order_by(audit.c.seq)
    if subjects:
        wanted = wanted.where(audit.c.subject.in_(subjects))
    return tuple(
        AuditEntry(r.seq, r.at, r.who, r.action, r.subject, json.loads(r.facts), r.previous, r.hash)
        for r in connection.execute(wanted)
    )


# --- what is sealed ------------------------------------------------------------------------------------------------

Row = Mapping[Any, Any]


def _at(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")


# Kind of entry -> the table that its subject stands in, and what of a row is sealed.
SEALED: Mapping[str, tuple[sa.Table, Callable[[Row], Any]]] = {
    "note saved": (schema.notes, lambda r: [r["external_id"], r["version"], r["text"], r["encounter"], r["provider"]]),
    "gap moved": (
        schema.steps,
        lambda r: [r["gap"], r["from_status"], r["to_status"], _at(r["at"]), r["who"], r["reason"]],
    ),
    "query sent": (schema.queries, lambda r: [r["gap"], r["provider"], r["title"], r["text"], _at(r["sent_at"])]),
    "code decided": (
        schema.decisions,
        lambda r: [r["note"], r["code"], r["decision"], r["replacement"], r["reason"], _at(r["at"]), r["who"]],
    ),
    "result kept": (
        schema.results,
        lambda r: [r["learner"], r["exercise"], r["score"], r["wrong_rules"], _at(r["at"])],
    ),
}


def sealed(action: str, row: Row) -> str:
    """The seal of a row, for the entry of that kind."""
    return seal(row["salt"], SEALED[action][1](row))


# --- verification --------------------------------------------------------------------------------------------------


def verify(connection: sa.Connection, witness: AuditHead | None = None) -> Verified:
    """Whether the trail is whole and what it vouches for is as it was; the first fault found, in the trail's order.

    `witness` is a head that was noted earlier: the trail must still pass through it.
    """
    end = head(connection)
    if not end.hash:
        return Verified(end, 0, "the head of the trail is gone")
    previous, count, status = START, 0, {}
    sealed_in: dict[str, tuple[int, str, str, str]] = {}
    purged: set[str] = set()
    for row in connection.execution_options(yield_per=1000).execute(sa.select(audit).order_by(audit.c.seq)).mappings():
        count += 1
        if row["seq"] != count:
            return Verified(end, count, f"entry {count} is missing; entry {row['seq']} comes next")
        if row["previous"] != previous or row["hash"] != _link(previous, row):
            return Verified(end, count, f"entry {count} was changed, or isn't in its place")
        previous = row["hash"]
        if witness and witness.count == count and witness.hash != previous:
            return Verified(end, count, f"entry {count} isn't the one that was noted")
        facts = json.loads(row["facts"])
        if row["action"] in SEALED:
            sealed_in[row["subject"]] = (count, row["action"], facts["seal"], facts.get("note", ""))
        if row["action"] == "gap moved":
            status[facts["gap"]] = (count, facts["to"], facts["note"])
        elif row["action"] in ("note saved", "note reviewed"):
            status.update(dict.fromkeys(facts["opened"], (count, "open", row["subject"])))
        elif row["action"] == "purged":
            purged.update(facts["removed"])
    if (count, previous) != (end.count, end.hash):
        return Verified(end, count + 1, f"the trail ends at entry {count}, its head says {end.count}")
    if witness and witness.count > count:
        return Verified(end, count + 1, f"the trail ends at entry {count}; {witness.count} were noted")
    return _verify_rows(connection, end, sealed_in, status, purged)


def _verify_rows(
    connection: sa.Connection,
    end: AuditHead,
    sealed_in: Mapping[str, tuple[int, str, str, str]],
    status: Mapping[str, tuple[int, str, str]],
    purged: set[str],
) -> Verified:
    faults: list[tuple[int, str]] = []
    seen: set[str] = set()
    for action, (table, _) in SEALED.items():
        left_out = [] if action != "note saved" else ["report"]
        columns = [c for c in table.c if c.name not in left_out]
        for row in connection.execution_options(yield_per=200).execute(sa.select(*columns)).mappings():
            seen.add(row["id"])
            number, _, kept, _ = sealed_in.get(row["id"], (0, "", "", ""))
            if not number:
                faults.append((end.count + 1, f"a row of {table.name} isn't in the trail"))
            elif kept != sealed(action, row):
                faults.append((number, f"what entry {number} ({action}) vouches for was changed"))
    for subject, (number, action, _, note) in sealed_in.items():
        if subject not in seen and not {subject, note} & purged:
            faults.append((number, f"what entry {number} ({action}) vouches for is gone, and no purge removed it"))
    gaps = dict(connection.execute(sa.select(schema.gaps.c.id, schema.gaps.c.status)).all())
    for gap, (number, said, note) in status.items():
        if gap in gaps and gaps[gap] != said:
            faults.append((number, f"a gap isn't where entry {number} left it"))
        elif gap not in gaps and note not in purged:
            faults.append((number, f"a gap of entry {number} is gone, and no purge removed it"))
    if any(gap not in status for gap in gaps):
        faults.append((end.count + 1, "a gap isn't in the trail"))
    return Verified(end, *min(faults)) if faults else Verified(end)
