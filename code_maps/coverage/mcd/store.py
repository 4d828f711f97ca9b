"""Where imported coverage tables live: one SQLite file for each download, and a manifest that says which are in use.

`home()/coverage/current.json` names the file of each kind. A new file is built beside it under a hidden name and put
to use by replacing the manifest at once (`os.replace`), so another process sees the old import or the new one, never
half of one, and an import that fails or is interrupted changes nothing.

SQLite and not DuckDB: measured with the 431,000 covered diagnoses of CMS's article download (two cores, busy): to
load the rows 0.8 s against 1.1 s, to fetch one article's list 0.27 ms against 1.7 ms, 66 MB against 19 MB on the disk.
A claim line asks for single articles, and SQLite comes with Python.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from code_maps.coverage.mcd.tables import INDEXES, NUMBERS
from code_maps.home import home
from code_maps.icd10cm.problems import ImportProblem

SCHEMA = 1
_BUILDING = re.compile(r"\.building-(\d+)-[0-9a-f]+\.sqlite")


def folder() -> Path:
    """The folder of imported coverage tables; it may not exist yet."""
    return home() / "coverage"


@dataclass(frozen=True)
class TableCount:
    """What became of one table's rows: loaded, or left out with reasons."""

    loaded: int
    refused: int = 0


@dataclass(frozen=True)
class Imported:
    """One download in use.

    source   name of the file or folder that it came from
    date     the date that the download bears (the newest file in it), ISO; "" where unknown
    digest   of all its tables: two imports of one download have the same
    tables   rows by table
    notices  what the user should know on every look at it
    """

    kind: str
    file: str
    source: str
    date: str
    digest: str
    tables: dict[str, TableCount] = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """A short name for the import, the same for the same download."""
        return f"{self.kind} {self.date} {self.digest[:8]}".strip()


def read_manifest(where: Path | None = None) -> dict[str, Imported]:
    """The downloads in use by kind; none when nothing was imported. Raises ImportProblem for a damaged manifest."""
    path = (where or folder()) / "current.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ImportProblem(f"it can't be read ({type(error).__name__})", str(path), _AGAIN) from None
    try:
        if data["schema"] != SCHEMA:
            raise ImportProblem(f"it has schema {data['schema']}; this program uses {SCHEMA}", str(path), _AGAIN)
        return {kind: _imported(entry) for kind, entry in data["kinds"].items()}
    except (KeyError, TypeError, AttributeError):
        raise ImportProblem("it isn't what an import writes", str(path), _AGAIN) from None


_AGAIN = "Import the downloads again with `chartproof policies import`."


def _imported(entry: dict[str, Any]) -> Imported:
    tables = {name: TableCount(**count) for name, count in entry["tables"].items()}
    return Imported(**{**entry, "tables": tables, "notices": tuple(entry["notices"])})


class Builder:
    """One download's tables being written. `close` leaves a finished file, `discard` leaves nothing."""

    def __init__(self, where: Path) -> None:
        where.mkdir(parents=True, exist_ok=True)
        self.path = where / f".building-{os.getpid()}-{secrets.token_hex(6)}.sqlite"
        self._db = sqlite3.connect(self.path, isolation_level=None)
        # The file isn't used before it is complete, so nothing needs to be kept for a crash.
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE", "cache_size=-65536"):
            self._db.execute(f"PRAGMA {pragma}")

    def create(self, table: str, columns: Sequence[str]) -> str:
        """Make a table and give back the statement that adds a row."""
        typed = ", ".join(f'"{c}" {"INTEGER" if c in NUMBERS else "TEXT"}' for c in columns)
        self._db.execute(f'CREATE TABLE "{table}" ({typed})')
        self._db.execute("BEGIN")
        return f'INSERT INTO "{table}" VALUES ({", ".join("?" * len(columns))})'

    def add(self, statement: str, rows: Iterable[Sequence[str]]) -> None:
        """Add rows."""
        self._db.executemany(statement, rows)

    def finish_table(self, table: str) -> None:
        """Commit a table's rows and index what a lookup asks for."""
        self._db.execute("COMMIT")
        if columns := INDEXES.get(table):
            self._db.execute(f'CREATE INDEX "i_{table}" ON "{table}" ({", ".join(columns)})')
        if table.endswith("_x_hcpc_code"):
            self._db.execute(f'CREATE INDEX "c_{table}" ON "{table}" (hcpc_code_id)')
        if table == "article_related_documents":
            self._db.execute(f'CREATE INDEX "r_{table}" ON "{table}" (r_lcd_id)')

    def close(self) -> None:
        """Write what is left to the disk."""
        self._db.close()
        with self.path.open("rb") as file:
            os.fsync(file.fileno())

    def discard(self) -> None:
        """Remove the file, if it hasn't been put to use."""
        with contextlib.suppress(sqlite3.Error):
            self._db.close()
        self.path.unlink(missing_ok=True)


def commit(built: Sequence[tuple[Builder, Imported]], where: Path) -> dict[str, Imported]:
    """Put finished files to use, all at once; kinds that aren't among them stay. Gives back the new manifest."""
    with _locked(where):
        manifest = _readable_manifest(where)
        placed: list[Path] = []
        try:
            for builder, entry in built:
                os.replace(builder.path, where / entry.file)
                placed.append(where / entry.file)
                manifest[entry.kind] = entry
            _write_manifest(where, manifest)
        except BaseException:
            for path in placed:
                path.unlink(missing_ok=True)
            raise
        _sweep(where, {entry.file for entry in manifest.values()})
        return manifest


def _readable_manifest(where: Path) -> dict[str, Imported]:
    """The manifest in use; a damaged one counts as none: the import that mends it must not fail on it."""
    try:
        return read_manifest(where)
    except ImportProblem:
        return {}


def _write_manifest(where: Path, manifest: dict[str, Imported]) -> None:
    path = where / "current.json"
    temporary = where / f".building-{os.getpid()}-{secrets.token_hex(6)}.sqlite"
    data = {"schema": SCHEMA, "kinds": {kind: asdict(entry) for kind, entry in sorted(manifest.items())}}
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            json.dump(data, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _sweep(where: Path, used: set[str]) -> None:
    """Remove files of earlier imports, and what an import left behind whose process was killed."""
    for path in where.iterdir():
        building = _BUILDING.fullmatch(path.name)
        stale = building is not None and not _alive(int(building[1]))
        if stale or (path.suffix == ".sqlite" and building is None and path.name not in used):
            # Another system may refuse while a reader has it open: the next import tries again.
            with contextlib.suppress(OSError):
                path.unlink()


def _alive(pid: int) -> bool:
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


@contextmanager
def _locked(where: Path) -> Iterator[None]:
    """One import at a time puts its files to use. The lock goes with the process, however it ends."""
    if os.name == "nt":
        import msvcrt  # only there

        with (where / ".lock").open("a+b") as file:
            getattr(msvcrt, "locking")(file.fileno(), getattr(msvcrt, "LK_LOCK"), 1)  # noqa: B009
            try:
                yield
            finally:
                file.seek(0)
                getattr(msvcrt, "locking")(file.fileno(), getattr(msvcrt, "LK_UNLCK"), 1)  # noqa: B009
        return
    import fcntl

    handle = os.open(where, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def new_name(kind: str, digest: str) -> str:
    """A file name for a finished download."""
    return f"{kind}-{digest[:8]}-{secrets.token_hex(4)}.sqlite"


def attach(db: sqlite3.Connection, files: dict[str, Path]) -> None:
    """Give a connection finished files for reading, each under the name of its kind. Raises sqlite3.Error."""
    for kind, path in files.items():
        db.execute(f'ATTACH ? AS "{kind}"', (_uri(path),))


def _uri(path: Path) -> str:
    # Files are never changed once they are in use; immutable spares every lock.
    return f"file:{quote(path.as_posix())}?mode=ro&immutable=1"
