"""What the user imported, as sources of the policy book."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

from code_maps.coverage.book import Found, PolicySource, is_medicare
from code_maps.coverage.mcd import store
from code_maps.coverage.mcd.reader import McdPolicies


class McdSource:
    """Imported articles as a source: they are Medicare fee-for-service's, no other payer's."""

    def __init__(self, policies: McdPolicies) -> None:
        self.policies = policies
        self._medicare: dict[str, bool] = {}

    def find(self, code: str, on: dt.date | None, state: str | None, contract: str, payer: str) -> Found:
        """The articles for one procedure, or the reason why none holds."""
        medicare = self._medicare.get(payer)
        if medicare is None:
            medicare = self._medicare[payer] = is_medicare(payer)
        return Found(*self.policies.lookup(code, on, state, contract)) if medicare else Found()

    def knows_payer(self, payer: str) -> bool:
        """No: other payers don't publish there."""
        return False


_lock = threading.Lock()
_at_hand: dict[Path, tuple[tuple[int, int, int], tuple[PolicySource, ...]]] = {}


def imported_sources() -> tuple[PolicySource, ...]:
    """The sources for what is imported now. An import by another process is noticed on the next call.

    Raises ImportProblem where the manifest is damaged.
    """
    where = store.folder()
    try:
        stat = (where / "current.json").stat()
    except OSError:
        return ()
    stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
    known = _at_hand.get(where)
    if known is not None and known[0] == stamp:
        return known[1]
    with _lock:
        manifest = store.read_manifest(where)
        sources: tuple[PolicySource, ...] = ()
        if "article" in manifest:
            sources = (McdSource(McdPolicies(manifest, where)),)
        _at_hand[where] = (stamp, sources)
    return sources
