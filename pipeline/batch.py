"""Many notes: reviewed in processes, answered in the order in which they came.

One record's failure is its own answer; the others go on. Memory stays flat: only a window of records is under way.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

from models.problem import InputProblem
from models.record import NoteRecord, validated
from pipeline.review import review
from pipeline.suppose import with_supposed


def review_record(record: dict[str, Any], would_change: bool = False) -> dict[str, Any]:
    """{"id", "report"} or {"id", "error"} for one record. An error never holds words of the note.

    `would_change` adds to each gap what its answers would change.
    """
    key = str(record.get("id", ""))
    if "error" in record and "text" not in record:
        return {"id": key, "error": record["error"]}
    try:
        read = validated(NoteRecord, record, f"record {key!r}")
        note = read.note()
        report = review(note, read.claim)
        if would_change:
            report = with_supposed(note, read.claim, report)
        return {"id": read.id, "report": report.to_dict()}
    except InputProblem as problem:
        return {"id": key, "error": str(problem)}
    except Exception as error:
        # The kind and the place in our code say enough to find it; the message may quote the note.
        return {"id": key, "error": f"record {key!r}: {type(error).__name__} while reviewing; please report it"}


def review_many(
    records: Iterable[dict[str, Any]], workers: int = 1, would_change: bool = False
) -> Iterator[dict[str, Any]]:
    """Answers to `records`, in their order, by `workers` processes; `would_change` as in `review_record`."""
    if workers <= 1:
        yield from (review_record(record, would_change) for record in records)
        return
    # "spawn" everywhere: forked copies of a process with threads may hang, and Windows knows nothing else.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        under_way: deque[Future[dict[str, Any]]] = deque()
        for record in records:
            under_way.append(pool.submit(review_record, dict(record), would_change))
            if len(under_way) >= workers * 8:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
