"""Many notes on their way in: read, reviewed and kept by a thread, so that the page answers meanwhile.

What is done stays done: notes are kept in small groups as their reviews arrive, and stopping ends after the group
under way. Nothing here draws anything, and note text is only ever in memory and in the store.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from exchange.notes_in import read_many
from models.problem import InputProblem
from models.record import NoteRecord, validated
from models.report import Report
from models.worklist import Saved
from pipeline.batch import review_many
from pipeline.review import review
from store import Store

_log = logging.getLogger("chartproof.ui")
_TOGETHER = 20
_SECONDS = 0.5  # the longest that a reviewed note waits to be kept, while others come
_FEW = 24  # notes that one process has reviewed before others would have started
_MOST_PROCESSES = 4
_MOST_SHOWN = 200

State = Literal["reading", "reviewing", "stopped", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Defaults:
    """What is taken for notes that don't say it themselves."""

    date_of_service: dt.date | None = None
    setting: str = "outpatient"
    provider: str = ""

    def fill(self, record: dict[str, Any]) -> dict[str, Any]:
        """A record with what it lacks."""
        claim = record.get("claim")
        dated = record.get("date_of_service") or (isinstance(claim, dict) and claim.get("date_of_service"))
        return {
            **record,
            **({} if dated or not self.date_of_service else {"date_of_service": self.date_of_service.isoformat()}),
            **({} if record.get("setting") else {"setting": self.setting}),
            **({} if record.get("provider") or not self.provider else {"provider": self.provider}),
        }


@dataclass(slots=True)
class Intake:
    """One upload under way. The fields are written by its thread alone and may be read by any."""

    name: str
    state: State = "reading"
    total: int = 0
    done: int = 0
    counts: dict[str, int] = field(default_factory=lambda: {"new": 0, "new version": 0, "unchanged": 0})
    opened: int = 0
    resolved: int = 0
    failed: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)
    why: str = ""
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def running(self) -> bool:
        """Whether there is more to come."""
        return self.state in ("reading", "reviewing")

    def stop(self) -> None:
        """Ask the thread to end after the group under way."""
        self._stop.set()

    def start(self, data: bytes, store: Store, who: str, defaults: Defaults) -> threading.Thread:
        """Read, review and keep what the file holds, in a thread of its own."""
        thread = threading.Thread(target=self._run, args=(data, store, who, defaults), daemon=True)
        thread.start()
        return thread

    def _run(self, data: bytes, store: Store, who: str, defaults: Defaults) -> None:
        try:
            records = [defaults.fill(record) for record in read_many(self.name, data)]
            self.total, self.state = len(records), "reviewing"
            self._review(records, store, who)
            self.state = "stopped" if self._stop.is_set() and self.done < self.total else "done"
        except InputProblem as problem:
            self.state, self.why = "failed", str(problem)
        except Exception as error:  # What an unforeseen error says may quote a note: its kind and place must do.
            trace = error.__traceback__
            while trace and trace.tb_next:
                trace = trace.tb_next
            where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "unknown"
            _log.error("upload failed: %s at %s", type(error).__name__, where)
            self.state, self.why = "failed", f"{type(error).__name__} while reviewing; what was done before is kept"

    def _review(self, records: list[dict[str, Any]], store: Store, who: str) -> None:
        first, again = _apart(records, store)
        workers = 1 if len(first) <= _FEW else min(os.cpu_count() or 1, _MOST_PROCESSES)
        waiting: list[tuple[NoteRecord, dict[str, Any]]] = []
        kept = time.monotonic()
        for record, answer in zip(first, review_many(self._until_stopped(first), workers), strict=False):
            if "error" in answer:
                self._problem(str(answer["id"]), str(answer["error"]))
            else:
                waiting.append((validated(NoteRecord, record, "a record"), answer["report"]))
            if len(waiting) >= _TOGETHER or time.monotonic() - kept > _SECONDS:
                self._count(store.save_many(waiting, who=who, when=dt.datetime.now(dt.UTC)) if waiting else ())
                waiting, kept = [], time.monotonic()
        self._count(store.save_many(waiting, who=who, when=dt.datetime.now(dt.UTC)) if waiting else ())
        for record in self._until_stopped(again):
            try:
                self._count((save_version(store, validated(NoteRecord, record, "a record"), who),))
            except InputProblem as problem:
                self._problem(str(record.get("id", "")), str(problem))

    def _until_stopped(self, records: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for record in records:
            if self._stop.is_set():
                return
            yield record

    def _problem(self, id: str, said: str) -> None:
        self.failed += 1
        self.done += 1
        if len(self.problems) < _MOST_SHOWN:
            self.problems.append((id, said))

    def _count(self, saved: tuple[Saved, ...]) -> None:
        for one in saved:
            self.counts[one.as_] += 1
            self.opened += one.opened
            self.resolved += one.resolved
        self.done += len(saved)


def save_version(store: Store, record: NoteRecord, who: str, report: Report | None = None) -> Saved:
    """Review a note that may be kept already and keep it, as a new version where it says something new.

    What somebody closed isn't asked again on the same words. Raises InputProblem.
    """
    if report is None:
        report = review(record.note(), record.claim, settled=store.settled(record.id) or None)
    now = dt.datetime.now(dt.UTC)
    return store.save_note(record, report.to_dict(), who=who, when=now, further=report.further_gaps)


def _apart(records: list[dict[str, Any]], store: Store) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Notes that are new here, and those that are versions of a kept one or of one earlier in the file."""
    seen = set(store.known(str(record.get("id", "")) for record in records))
    first: list[dict[str, Any]] = []
    again: list[dict[str, Any]] = []
    for record in records:
        id = str(record.get("id", ""))
        (again if id in seen and "error" not in record else first).append(record)
        seen.add(id)
    return first, again
