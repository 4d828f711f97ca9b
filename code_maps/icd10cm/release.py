"""Which releases there are, and which one holds on a date of service.

There are three origins. *Built in*: the tabular that the package simple_icd_10_cm ships; its XML is compiled
once into `home()/cache` (the package itself is never imported: that takes 2.3 s and 200 MB). *Known changes*:
our dated fact file, applied on its base release. *Imported*: official files that the user brought in, under
`home()/releases/<id>/`, one compiled file for each part."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from code_maps.home import home
from code_maps.icd10cm import cache, editions, tabular
from code_maps.icd10cm.codeset import CodeSet, Content, IndexEntry
from code_maps.icd10cm.problems import ImportProblem, UnknownRelease
from code_maps.icd10cm.tables import Changes, Tables, apply

Origin = Literal["built in", "known changes", "imported"]

PARTS = ("tabular", "addenda", "order", "codes")
"""Imported parts that make a release on their own, best first; every other part is an index."""

# Where a release is on offer more than once, what has notes counts most, then what the user brought in.
_PREFERENCE = ("tabular", "built in", "addenda", "known changes", "order", "codes")


@dataclass(frozen=True)
class ReleaseInfo:
    """One release for lists: dates of service served (both ends included), where it comes from, what it
    holds."""

    id: str
    effective: tuple[dt.date, dt.date]
    source: str
    billable: int
    has_notes: bool
    has_index: bool

    def __str__(self) -> str:
        start, end = self.effective
        lacks = [name for name, there in (("notes", self.has_notes), ("index", self.has_index)) if not there]
        missing = f", without {' and '.join(lacks)}" if lacks else ""
        return f"{self.id:10}  {start} to {end}  {self.billable:,} billable codes, {self.source}{missing}"


@dataclass(frozen=True)
class _Known:
    """A release that can be opened. `since` is the edition's own first day; it may serve earlier dates as
    well."""

    id: str
    since: dt.date
    effective: tuple[dt.date, dt.date]
    part: str
    folder: Path | None = None

    @property
    def origin(self) -> Origin:
        """Where it comes from."""
        if self.part == "built in":
            return "built in"
        return "known changes" if self.part == "known changes" else "imported"


def load(on: dt.date | None = None) -> CodeSet:
    """The release for a date of service.

    Without a date, the newest installed release (built in or imported); its notices say so. For a date that
    no release covers, the nearest one, with `covers` False and a notice that says what to import. Asking
    again gives the same object; what another process imports meanwhile is seen after a restart."""
    return _load(on, home())


def open_release(release: str) -> CodeSet:
    """A release by its name (`FY2026-04`). Raises UnknownRelease with the names of those installed."""
    folder = home()
    for known in _known(folder):
        if known.id == release:
            return _view(known, None, folder)
    raise UnknownRelease(release, installed())


def releases() -> tuple[ReleaseInfo, ...]:
    """All releases that can be used, oldest first."""
    folder = home()
    return tuple(
        ReleaseInfo(
            known.id,
            known.effective,
            known.origin,
            _billable(known, folder),
            known.part not in ("order", "codes"),
            any((folder / "releases" / known.id).glob("index-*.part")),
        )
        for known in _known(folder)
    )


def _billable(known: _Known, folder: Path) -> int:
    """How many billable codes a release has, from what was written down when it was made, else counted."""
    if known.origin == "known changes":
        counted: int = known_changes()["counts"]["billable_after"]
        return counted
    if known.folder is not None:
        try:
            return int(cache.about(known.folder / f"{known.part}.part")["billable"])
        except (OSError, KeyError, cache.Damaged):
            pass
    return _view(known, None, folder).billable_count


def installed() -> tuple[str, ...]:
    """The names of all releases that can be used, oldest first."""
    return tuple(known.id for known in _known(home()))


def tables_of(release: str) -> Tables:
    """A release's tables, for the importer. Raises UnknownRelease."""
    return _named_content(release, home()).tables


def base_tables() -> Tables | None:
    """The built-in release's tables, which lend their chapters and blocks to lists of codes; None without
    it."""
    folder = home()
    return next((_content(known, folder).tables for known in _known(folder) if known.origin == "built in"), None)


def forget() -> None:
    """Drop what is held in memory, so that the next `load` sees what was just imported."""
    _load.cache_clear()
    _content.cache_clear()
    _known.cache_clear()


@lru_cache(maxsize=1024)
def _load(on: dt.date | None, folder: Path) -> CodeSet:
    known = _known(folder)
    if not known:
        raise UnknownRelease(
            "for any date (the package simple_icd_10_cm is missing: reinstall, or import a tabular list)", ()
        )
    if on is None:
        installed = [one for one in known if one.origin != "known changes"] or list(known)
        newest = max(installed, key=lambda one: one.since)
        return _view(newest, None, folder, f"No date of service was given: release {newest.id} is used.")
    covering = [one for one in known if one.effective[0] <= on <= one.effective[1]]
    if covering:
        # An edition that was in force counts before one that only serves the date because its codes are the
        # same.
        best = max(covering, key=lambda one: (one.since <= on, -abs((on - one.since).days)))
        return _view(best, on, folder)
    nearest = min(known, key=lambda one: min(abs(on - one.effective[0]), abs(on - one.effective[1])))
    year = editions.named(on.year + (on.month >= 10))
    return _view(
        nearest,
        on,
        folder,
        f"No installed release covers {on}: {nearest.id} ({nearest.effective[0]} to {nearest.effective[1]}) "
        f"is used instead. Import the {year} tabular list with `chartproof codes import`.",
        covers=False,
    )


def _view(known: _Known, on: dt.date | None, folder: Path, *notices: str, covers: bool = True) -> CodeSet:
    """A release as seen from a date, with everything that the user should know about it."""
    more = list(notices)
    if covers and on is not None and on < known.since:
        more.append(
            f"Release {known.id} is used for {on}: its codes were the same then, notes and index terms may differ."
        )
    return CodeSet(_content(known, folder), known.effective, tuple(more), covers)


@lru_cache(maxsize=8)
def _known(folder: Path) -> tuple[_Known, ...]:
    """Every release that can be opened, oldest first, one for each name."""
    found: dict[str, _Known] = {}

    def offer(release: str, part: str, where: Path | None = None) -> None:
        if release not in found or _PREFERENCE.index(part) < _PREFERENCE.index(found[release].part):
            found[release] = _Known(release, editions.dates(release)[0], editions.serves(release), part, where)

    packaged = _packaged()
    if packaged is not None:
        offer(packaged[0], "built in")
    for path in sorted(folder.glob("releases/FY*/*.part")):
        if path.stem in PARTS:
            offer(path.parent.name, path.stem, path.parent)
    changes = known_changes()
    if changes["base"] in found:
        offer(changes["id"], "known changes")
    return tuple(sorted(found.values(), key=lambda one: one.since))


@lru_cache(maxsize=8)
def _content(known: _Known, folder: Path) -> Content:
    """Open a release. Raises ImportProblem when an imported one can't be read any more."""
    notices: tuple[str, ...] = ()
    if known.origin == "built in":
        tables, notices = _compiled(folder)
    elif known.origin == "known changes":
        facts = known_changes()
        tables = apply(_as_changes(facts), _named_content(facts["base"], folder).tables)
        notices = tuple(f"{known.id}: {limit}" for limit in facts["limits"])
    else:
        tables, notices = _imported(known, folder)
    indexes = sorted(path for path in (folder / "releases" / known.id).glob("index-*.part"))
    return Content(known.id, tables, partial(_entries, indexes), notices)


def _named_content(release: str, folder: Path) -> Content:
    for known in _known(folder):
        if known.id == release:
            return _content(known, folder)
    raise UnknownRelease(release, tuple(known.id for known in _known(folder)))


@lru_cache(maxsize=1)
def known_changes() -> dict[str, Any]:
    """Our dated file of the changes of 1 October 2026, as it stands in fy2027_changes.toml."""
    return tomllib.loads(files(__package__).joinpath("fy2027_changes.toml").read_text(encoding="utf-8"))


def _as_changes(facts: dict[str, Any]) -> Changes:
    def rows(billable: str, headings: str) -> tuple[tuple[str, str, bool], ...]:
        return (
            *((code, title, True) for code, title in facts[billable].items()),
            *((code, title, False) for code, title in facts[headings].items()),
        )

    revised = tuple((code, title, True) for code, title in facts["revised"].items())
    return Changes(rows("added", "headings"), rows("deleted", "deleted_headings"), revised)


def _packaged() -> tuple[str, Path] | None:
    """The packaged tabular: release name and path. Looked up without importing the package."""
    spec = find_spec("simple_icd_10_cm")
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        for path in sorted(Path(place).glob("data/*tabular*.xml")):
            year = editions.year_in(path.name)
            if year is not None:
                return editions.named(year, editions.month_in(path.name) or 10), path
    return None


def _compiled(folder: Path) -> tuple[Tables, tuple[str, ...]]:
    """The built-in release from the cache, which is made anew when it is missing, damaged or out of date."""
    packaged = _packaged()
    assert packaged is not None, "only asked for when the packaged tabular was found"
    release, source = packaged
    stat = source.stat()
    about = {"release": release, "file": source.name, "size": stat.st_size, "modified": stat.st_mtime_ns}
    path = folder / "cache" / f"icd10cm-{release}.compiled"
    try:
        compiled = cache.read(path)
        if compiled.about == about:
            return Tables.from_blobs(compiled.take), ()
    except (OSError, cache.Damaged):
        pass
    tables = tabular.read_tabular(tabular.parse_xml(source.read_bytes(), source.name), source.name)
    try:
        cache.write(path, about, tables.blobs())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return tables, (f"The compiled code set can't be kept in {path.parent} ({reason}): every start is slower.",)
    return tables, ()


def _imported(known: _Known, folder: Path) -> tuple[Tables, tuple[str, ...]]:
    """An imported release from the best of its parts, and the notices that were stored with it."""
    assert known.folder is not None, "imported releases have a folder"
    path = known.folder / f"{known.part}.part"
    compiled = _part(path)
    notices = tuple(compiled.about.get("notices", ()))
    if known.part == "addenda":
        rows = {name: tuple(map(tuple, value)) for name, value in compiled.take("changes").items()}
        return apply(Changes(**rows), _named_content(compiled.about["base"], folder).tables), notices
    return Tables.from_blobs(compiled.take), notices


def _entries(indexes: list[Path]) -> Iterator[IndexEntry]:
    """The lines of the imported indexes, read when they are asked for."""
    for path in indexes:
        for row in _part(path).take("entries"):
            yield IndexEntry._make((tuple(row[0]), *row[1:7], tuple(row[7])))


def _part(path: Path) -> cache.Compiled:
    try:
        return cache.read(path)
    except (OSError, cache.Damaged) as error:
        raise ImportProblem(
            f"the imported release can't be read any more ({error})",
            str(path),
            f"Import its files again with `chartproof codes import`, or remove {path.parent}.",
        ) from None
