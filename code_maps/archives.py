"""Files, folders and zips of official downloads, walked without unpacking anything to where a name could lead.

A zip may hold further zips (CMS puts one in another). Names that point outside, encrypted members, far too many or
far too large ones, and members that expand beyond reason are refused from the zip's own directory, before their
content is read; while reading, no member gives more bytes than its directory entry states.
"""

from __future__ import annotations

import datetime as dt
import io
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from code_maps.icd10cm.problems import ImportProblem

_AGAIN = "Download it again and import it unchanged."


@dataclass(frozen=True)
class Limits:
    """What a download may hold. `ratio` is unpacked to packed bytes, tested from `ratio_from` bytes on.

    `file` is the most that a single file may have. `members` and `total` count what is in one zip, `total` also what is
    in all of them together. Files with one of the `whole` endings, such as workbooks, aren't opened though they are zips.
    """

    members: int = 1_000
    total: int = 8_000_000_000
    ratio: int = 200
    ratio_from: int = 1_000_000
    depth: int = 3
    file: int = 8_000_000_000
    whole: tuple[str, ...] = ()


@dataclass(frozen=True)
class Member:
    """One file: its name, the zip or folder right around it, and the path that the user gave.

    where     how messages name it
    name      its own name, without folders
    holder    identity of the innermost zip, or of the folder, that holds it
    given     the outermost file or folder that it came from
    modified  the date in the zip's directory or of the file
    path      where it lies inside the innermost zip; "" outside of zips
    """

    where: str
    name: str
    holder: str
    given: Path
    size: int
    modified: dt.date | None
    _open: Callable[[], IO[bytes]]
    path: str = ""

    def chunks(self, size: int = 1 << 18) -> Iterator[bytes]:
        """Its bytes. Raises ImportProblem where the member is damaged or longer than stated."""
        with self.open() as file:
            while block := file.read(size):
                yield block

    def open(self) -> Reading:
        """Its bytes as a file that turns damage into an ImportProblem."""
        return Reading(self)


class Reading(io.RawIOBase):
    """A member being read; damage becomes an ImportProblem that names it."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self._left = member.size
        self._file = member._open()

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401  (a writable buffer of any kind)
        """Fill a buffer with the next bytes; 0 at the end."""
        try:
            block = self._file.read(len(buffer))
        except (
            zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError, RuntimeError, ValueError,
        ) as error:  # fmt: skip
            what = "the zip is" if self.member.path else "it is"
            why = f"{what} damaged or incomplete ({error or type(error).__name__})"
            raise ImportProblem(why, self.member.where, _AGAIN) from None
        self._left -= len(block)
        if self._left < 0:
            raise ImportProblem("it is larger than the zip's directory says", self.member.where, _AGAIN)
        buffer[: len(block)] = block
        return len(block)


@dataclass
class _Walk:
    limits: Limits
    stack: ExitStack
    spool: Path | None
    total: int = 0
    packed: dict[Path, int] = field(default_factory=dict)
    unpacked: dict[Path, int] = field(default_factory=dict)
    found: list[Member] = field(default_factory=list)


@contextmanager
def opened(paths: Iterable[Path], limits: Limits | None = None, spool: Path | None = None) -> Iterator[list[Member]]:
    """Every file below some paths; zips are opened, also those inside zips. Files stay readable inside the block.

    `spool` is a folder for zips inside zips that are too large for memory; what is put there has no name and is gone
    when the block ends, whatever ends it. Raises ImportProblem for a path or zip that can't be used.
    """
    with ExitStack() as stack:
        walk = _Walk(limits or Limits(), stack, spool)
        for path in paths:
            _walk_path(walk, path)
        yield walk.found


@contextmanager
def opened_zip(name: str, data: bytes, limits: Limits | None = None) -> Iterator[list[Member]]:
    """Every file in a zip that is in memory. A zip inside it is in memory too as long as `limits` keep it below 64 MB.

    Raises ImportProblem as `opened` does.
    """
    with ExitStack() as stack:
        walk = _Walk(limits or Limits(), stack, None)
        _walk_zip(walk, io.BytesIO(data), name, Path(name), len(data), 1)
        yield walk.found


@dataclass(frozen=True)
class FileRead:
    """A small file, read whole: how messages name it, its own name, and that of the zip or folder right around it.

    `named` is true when the user named this very file: then it must be one that can be used.
    """

    where: str
    name: str
    container: str
    data: bytes
    named: bool


def contents(paths: Iterable[Path], limits: Limits) -> Iterator[FileRead]:
    """Every file below some paths with its content, one after the other. Raises ImportProblem as `opened` does."""
    for path in paths:
        with opened([path], limits) as members:
            for member in members:
                around = Path(member.holder.rpartition(" > ")[2]).resolve().name
                named = not member.path and path.is_file()
                yield FileRead(member.where, member.name, around, b"".join(member.chunks()), named)


def decoded(data: bytes) -> str | None:
    """A text file's text; None for what isn't text. CMS files are ASCII, UTF-8 or cp1252."""
    if b"\0" in data[:4000]:
        return None
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _walk_path(walk: _Walk, given: Path) -> None:
    if given.is_dir():
        for below in sorted(given.rglob("*")):
            hidden = any(part.startswith((".", "__MACOSX")) for part in below.relative_to(given).parts)
            if below.is_file() and not hidden:
                _walk_file(walk, below, given, named=False)
        return
    if not given.exists():
        raise ImportProblem(
            "it can't be read: there is no such file or folder",
            str(given),
            "Name a download, or a folder of its files.",
        )
    _walk_file(walk, given, given, named=True)


def _walk_file(walk: _Walk, path: Path, given: Path, *, named: bool) -> None:
    try:
        stat = path.stat()
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise ImportProblem(
            f"it can't be read ({error.strerror})", str(path), "Check the path and its rights."
        ) from None
    is_zip = path.suffix.lower() == ".zip" or head == b"PK\x03\x04"
    if is_zip and path.suffix.lower() not in walk.limits.whole:
        if not stat.st_size:
            raise ImportProblem("it is empty (0 bytes), not a valid zip", str(path), _AGAIN)
        file = walk.stack.enter_context(path.open("rb"))
        _walk_zip(walk, file, str(path), given, stat.st_size, 1)
        return
    if stat.st_size > walk.limits.file:
        raise ImportProblem(
            f"it has {stat.st_size:,} bytes", str(path), f"Official files have less than {walk.limits.file:,}."
        )
    modified = dt.datetime.fromtimestamp(stat.st_mtime, dt.UTC).date()
    walk.found.append(
        Member(str(path), path.name, str(path.parent), given, stat.st_size, modified, lambda: path.open("rb"))
    )


def _walk_zip(walk: _Walk, file: IO[bytes], where: str, given: Path, packed: int, depth: int) -> None:
    try:
        archive = walk.stack.enter_context(zipfile.ZipFile(file))
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, EOFError):
        file.seek(0)
        cut = file.read(2) == b"PK"
        what = "the zip is damaged or truncated: not a valid zip" if cut else "it is not a zip: not a valid zip"
        raise ImportProblem(what, where, _AGAIN) from None
    if depth == 1:
        walk.packed[given] = walk.packed.get(given, 0) + packed
    infos = [info for info in archive.infolist() if info.filename and not info.is_dir()]
    _check(walk, infos, where, packed, given, depth)
    for info in infos:
        name = PurePosixPath(info.filename.replace("\\", "/"))
        if any(part.startswith((".", "__MACOSX")) for part in name.parts):
            continue
        inside = f"{where} ({name.name})"
        if name.suffix.lower() == ".zip":
            if depth >= walk.limits.depth:
                raise ImportProblem("zips are nested too deep in it", where, _AGAIN)
            modified = _date_of(info)
            member = Member(inside, name.name, where, given, info.file_size, modified, _opener(archive, info))
            inner = walk.stack.enter_context(
                tempfile.SpooledTemporaryFile(1 << 26, dir=str(walk.spool) if walk.spool else None)  # noqa: SIM115
            )
            for block in member.chunks():
                inner.write(block)
            inner.seek(0)
            _walk_zip(walk, cast("IO[bytes]", inner), f"{where} > {name.name}", given, info.file_size, depth + 1)
        else:
            walk.found.append(
                Member(
                    inside, name.name, where, given, info.file_size, _date_of(info), _opener(archive, info), str(name)
                )
            )


def _opener(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    def read() -> IO[bytes]:
        try:
            return archive.open(info)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, EOFError) as error:
            where = f"{archive.filename or 'zip'} ({PurePosixPath(info.filename).name})"
            raise ImportProblem(f"it is damaged ({error})", where, _AGAIN) from None

    return read


def _check(walk: _Walk, infos: list[zipfile.ZipInfo], where: str, packed: int, given: Path, depth: int) -> None:
    """Everything that a zip's directory tells without reading a member."""
    limits = walk.limits
    if len(infos) > limits.members:
        raise ImportProblem(f"it holds {len(infos):,} files, more than the limit of {limits.members:,}", where, _AGAIN)
    size = sum(info.file_size for info in infos)
    if size > limits.total:
        raise ImportProblem(f"it holds {size:,} bytes, far more than official ones: too large", where, _AGAIN)
    for info in infos:
        name = PurePosixPath(info.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or (name.parts and ":" in name.parts[0]):
            raise ImportProblem("unsafe path: a name in the zip points outside of it", where, _AGAIN)
        if info.flag_bits & 1:
            raise ImportProblem(f"{name.name} is encrypted", where, "Unpack it and import what is in it.")
        if info.file_size > limits.file:
            raise ImportProblem(
                f"{name.name} is larger than it may be ({info.file_size:,} bytes): too large", where, _AGAIN
            )
        if info.file_size > limits.ratio_from and info.file_size > limits.ratio * max(info.compress_size, 1):
            times = info.file_size // max(info.compress_size, 1)
            raise ImportProblem(
                f"{name.name} is packed far more tightly than such files are: it expands {times:,} times "
                f"(ratio limit {limits.ratio}): too large",
                where, _AGAIN,
            )  # fmt: skip
    if size > limits.ratio_from and size > limits.ratio * max(packed, 1):
        raise ImportProblem(f"it expands to {size:,} bytes (ratio limit {limits.ratio}): too large", where, _AGAIN)
    walk.total += size
    walk.unpacked[given] = walk.unpacked.get(given, 0) + size
    if depth > 1 and size > limits.ratio_from and walk.unpacked[given] > limits.ratio * max(walk.packed[given], 1):
        raise ImportProblem(
            f"it expands to {walk.unpacked[given]:,} bytes in all (ratio limit {limits.ratio}): too large",
            where,
            _AGAIN,
        )
    if walk.total > limits.total:
        raise ImportProblem(f"it expands to more than the limit of {limits.total:,} bytes: too large", where, _AGAIN)


def _date_of(info: zipfile.ZipInfo) -> dt.date | None:
    try:
        return dt.date(*info.date_time[:3])
    except ValueError:
        return None
