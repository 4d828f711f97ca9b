"""Brings official ICD-10-CM files in: files, folders and zips; recognised by what is in them, not by their
names.

Everything is read and checked before anything is stored, so a failed import changes nothing. What is stored
is compiled: `home()/releases/<release>/<part>.part`, one file for each part."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from code_maps import archives
from code_maps.home import home
from code_maps.icd10cm import cache, editions, lists
from code_maps.icd10cm.codeset import CodeSet, Content
from code_maps.icd10cm.index import read_index, which_index
from code_maps.icd10cm.problems import ImportProblem
from code_maps.icd10cm.release import base_tables, forget, installed, open_release, releases, tables_of
from code_maps.icd10cm.tables import Tables, apply
from code_maps.icd10cm.tabular import parse_xml, read_tabular, version

MAX_FILE = 200_000_000
"""Bytes of one file. The largest official ones have 15 million."""
MAX_MEMBERS = 500
MAX_ZIP = 600_000_000
"""Bytes of all files in one zip, unpacked."""

_NO_MONTH = (
    "The file name gives no month: taken as the October edition. Name the release (FY2026-04) if it is an update."
)
_FEW = 60_000


@dataclass(frozen=True)
class ImportResult:
    """What became of one file. `release` is None for a file that was passed over; `notices` say why, or what
    to know.

    part   'tabular', 'order', 'codes', 'addenda', 'index-diseases', 'index-external-causes',
           'index-neoplasms', 'index-drugs' or 'skipped'
    count  billable codes, lines of an index, or changes of an addenda file
    """

    file: str
    part: str
    release: str | None
    effective: tuple[dt.date, dt.date] | None
    count: int
    notices: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.release is None or self.effective is None:
            return f"{self.file}: left out, {'; '.join(self.notices)}"
        dates = f"{self.effective[0]} to {self.effective[1]}"
        said = "".join(f"\n  ! {notice}" for notice in self.notices)
        return f"{self.file}: {self.part} of {self.release} ({dates}), {self.count:,} entries{said}"


@dataclass(frozen=True)
class _Part:
    """A file read and checked, ready to be stored."""

    result: ImportResult
    digest: str
    about: dict[str, Any]
    blobs: dict[str, Any]


def import_paths(paths: Iterable[str | Path], release: str | None = None) -> list[ImportResult]:
    """Import official files, folders of them and zips; one result for each file found.

    `release` (such as FY2026-04) says which release the files are of, where that can't be seen from them.
    Raises ImportProblem for a file that can't be used; nothing has been stored then. In folders and zips,
    files of other kinds are passed over and reported as 'skipped'."""
    if release is not None:
        try:
            release = editions.canonical(release)
        except ValueError as error:
            raise ImportProblem(str(error), "--release", "Give the fiscal year, and the month of an update.") from None
    results: list[ImportResult] = []
    parts: dict[tuple[str, str], _Part] = {}
    places = [Path(path) for path in paths]
    limits = archives.Limits(members=MAX_MEMBERS, total=MAX_ZIP, file=MAX_FILE)
    for file in archives.contents(places, limits):
        part = _read(file, release)
        if isinstance(part, ImportResult):
            results.append(part)
            continue
        assert part.result.release is not None, "a part that was read has a release"
        key = (part.result.release, part.result.part)
        twin = parts.get(key)
        if twin is not None and twin.digest != part.digest:
            raise ImportProblem(
                f"there are two different files for {key[0]} ({key[1]}), the other is {twin.result.file}",
                file.where,
                "Import one of them, or one at a time with the release named.",
            )
        if twin is None:
            parts[key] = part
            results.append(part.result)
        else:
            results.append(_skipped(file, f"the same as {twin.result.file}"))
    if not parts:
        raise ImportProblem(
            "there is no ICD-10-CM file among what was given",
            ", ".join(str(place) for place in places) or "the call",
            "Give the tabular XML, order file, code list, order addenda or index XML, or a zip of them.",
        )
    _store(parts)
    return results


def _store(parts: dict[tuple[str, str], _Part]) -> None:
    where = home() / "releases"
    cache.put(((where / release / f"{name}.part", p.about, p.blobs) for (release, name), p in parts.items()), where)
    forget()


# Reading one file


def _read(file: archives.FileRead, release: str | None) -> _Part | ImportResult:
    head = file.data[:4000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"<"):
        part = _read_xml(file, release)
    else:
        part = _read_text(file, release)
    if part is not None:
        return part
    if file.named:
        raise ImportProblem(
            "it is no ICD-10-CM file that can be used",
            file.where,
            "Give the tabular XML, order file, code list (code and title), order addenda or index XML.",
        )
    return _skipped(file, "no ICD-10-CM file that can be used")


def _skipped(file: archives.FileRead, why: str) -> ImportResult:
    return ImportResult(file.where, "skipped", None, None, 0, (why,))


def _read_xml(file: archives.FileRead, release: str | None) -> _Part | None:
    if b"<ICD10CM." not in file.data[:4000]:
        return None
    root = parse_xml(file.data, file.where)
    # With a release named by the user, a year in the file must agree; without one, it decides.
    year = version(root, file.where) if release is None or root.find("version") is not None else None
    release, notices = _release_of(file, release, year)
    if root.tag == "ICD10CM.tabular":
        return _codes_part(file, "tabular", release, read_tabular(root, file.where), notices)
    if root.tag != "ICD10CM.index":
        return None
    rows = read_index(root, file.where)
    name = "index-" + which_index(root, file.where).replace(" ", "-")
    if release not in installed():
        notices = (
            *notices,
            f"The index is kept for {release} and used once that release's codes are imported.",
        )
    return _part(file, name, release, len(rows), {}, {"entries": rows}, notices)


def _read_text(file: archives.FileRead, release: str | None) -> _Part | None:
    text = archives.decoded(file.data)
    first = next((line for line in (text or "").splitlines() if line.strip()), "")
    if text is None:
        return None
    if lists.ADDENDA_LINE.match(first):
        return _addenda_part(file, text, release)
    kind = "order" if lists.ORDER_LINE.match(first) else "codes" if lists.CODE_LINE.fullmatch(first.rstrip()) else None
    if kind is None:
        return None
    base = base_tables()
    read = lists.read_order if kind == "order" else lists.read_code_list
    tables = read(text, file.where, base)
    release, notices = _release_of(file, release, None)
    notices = (
        *notices,
        f"{release} comes from a list of codes: it has no notes. Import its tabular list to have them.",
    )
    if base is not None:
        notices = (*notices, f"{release}: chapters and blocks are those of the built-in release.")
    if kind == "codes":
        notices = (*notices, f"{release}: titles of headings are those of the built-in release.")
    return _codes_part(file, kind, release, tables, notices)


def _addenda_part(file: archives.FileRead, text: str, release: str | None) -> _Part:
    addenda = lists.read_addenda(text, file.where)
    release, notices = _release_of(file, release, addenda.after[0] if addenda.after else None)
    since = editions.dates(release)[0]
    earlier = [info for info in releases() if editions.dates(info.id)[0] < since]
    if addenda.before is not None:
        year, count = addenda.before
        fitting = [info for info in earlier if info.id.startswith(f"FY{year}") and info.billable == count]
        wanted = f"FY{year} with {count:,} billable codes"
    else:
        fitting, wanted = earlier, "the release before"
    if not fitting:
        raise ImportProblem(
            f"its changes apply to {wanted}, which isn't installed", file.where, "Import that release first."
        )
    base = fitting[-1].id
    count = _billable(release, apply(addenda.changes, tables_of(base)))
    if addenda.after is not None and count != addenda.after[1]:
        raise ImportProblem(
            f"applied on {base} it gives {count:,} billable codes; its summary says {addenda.after[1]:,}",
            file.where,
            "Lines are missing: download the file again and import it unchanged.",
        )
    lasting = f"{release} comes from the changes to {base}: new codes bring no notes until its tabular is imported."
    notices = (*notices, lasting)
    changes = addenda.changes
    blobs = {"changes": {"added": changes.added, "deleted": changes.deleted, "revised": changes.revised}}
    total = len(changes.added) + len(changes.deleted) + len(changes.revised)
    return _part(
        file,
        "addenda",
        release,
        total,
        {"base": base, "notices": [lasting], "billable": count},
        blobs,
        notices,
    )


# What the parts have in common


def _release_of(file: archives.FileRead, release: str | None, year: int | None) -> tuple[str, tuple[str, ...]]:
    """The release a file is of: the one named, else by the year in the file or its name, and the month in its
    name.

    CMS names the file alike in October and April and the zip by the month, so the name of the zip or folder
    counts where it gives the same year."""
    if release is not None:
        if year is not None and editions.dates(release)[1].year != year:
            raise ImportProblem(
                f"the file says it is of fiscal year {year}",
                file.where,
                f"It can't be imported as {release}.",
            )
        return release, ()
    around = editions.year_in(file.container)
    year = year or editions.year_in(file.name) or around
    if year is None:
        raise ImportProblem(
            "neither the file nor its name says of which fiscal year it is",
            file.where,
            "Name the release, such as `--release FY2026-04`.",
        )
    month = editions.month_in(file.name) or (editions.month_in(file.container) if around == year else None)
    return editions.named(year, month or 10), () if month else (_NO_MONTH,)


def _codes_part(file: archives.FileRead, kind: str, release: str, tables: Tables, notices: tuple[str, ...]) -> _Part:
    count = _billable(release, tables)
    if count < _FEW:
        notices = (
            *notices,
            f"{release}: only {count:,} billable codes; a full release has more than {_FEW:,}.",
        )
    if kind != "tabular" and release in installed():
        notices = (*notices, _agreement(release, tables))
    # What the user should be told on every use, not only at the import.
    lasting = tuple(notice for notice in notices if notice.startswith(release))
    return _part(file, kind, release, count, {"notices": lasting, "billable": count}, tables.blobs(), notices)


def _agreement(release: str, tables: Tables) -> str:
    """How a list of codes compares with the same release as it is in use; one that has notes stays in use."""
    listed = set(CodeSet(Content(release, tables), editions.dates(release)).billable())
    differing = len(listed.symmetric_difference(open_release(release).billable()))
    if not differing:
        return "Its billable codes are those of the release in use."
    return f"{differing:,} billable codes differ from the release in use: its tabular list decides."


def _part(
    file: archives.FileRead,
    name: str,
    release: str,
    count: int,
    about: dict[str, Any],
    blobs: dict[str, Any],
    notices: tuple[str, ...],
) -> _Part:
    digest = hashlib.sha256(file.data).hexdigest()
    result = ImportResult(file.where, name, release, editions.serves(release), count, notices)
    about = {"release": release, "part": name, "file": file.name, "sha256": digest, "count": count, **about}
    return _Part(result, digest, about, blobs)


def _billable(release: str, tables: Tables) -> int:
    return CodeSet(Content(release, tables), editions.dates(release)).billable_count
