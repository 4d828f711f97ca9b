"""One compiled release (or one part of it) in one file: quick to read, safe to share, noticed when damaged.

The file is a JSON header line and JSON blobs whose sizes and digests the header names. JSON because reading
it can't run anything, and it was measured: 4.6 MB of codes and titles parse in about 20 ms. Writing goes
through a temporary file in the same folder and `os.replace`, so that another process sees the old file or the
new one, never half of one."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from code_maps.icd10cm.problems import ImportProblem

SCHEMA = 1
"""Raise it when what stands in the blobs changes: caches are then rebuilt, imported releases are asked for
again."""


class Damaged(Exception):
    """The file isn't what was written: cut short, changed, or of another schema."""


@dataclass(slots=True)
class Compiled:
    """A compiled file in memory: `about` says what it is; blobs are parsed when they are asked for."""

    about: dict[str, Any]
    _blobs: dict[str, bytes]

    def take(self, name: str) -> Any:  # noqa: ANN401  (JSON: the caller knows what it wrote)
        """Parse one blob and let go of its bytes; each can be taken once."""
        with uncollected():
            return json.loads(self._blobs.pop(name))


@contextmanager
def uncollected() -> Iterator[None]:
    """Without garbage collection: it would go through all that is being read, again and again, and find nothing. It
    takes two thirds of the time of reading a few 100,000 records."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def write(path: Path, about: dict[str, Any], blobs: dict[str, Any]) -> None:
    """Write a compiled file at once or not at all. Raises OSError where the folder can't be written."""
    commit([(stage(path, about, blobs), path)])


def stage(path: Path, about: dict[str, Any], blobs: dict[str, Any]) -> Path:
    """Write a compiled file under a temporary name beside its place; `commit` puts it there."""
    encoded = {
        name: json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() for name, value in blobs.items()
    }
    header = {
        "schema": SCHEMA,
        "about": about,
        "blobs": [[name, len(data), _digest(data)] for name, data in encoded.items()],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(json.dumps(header, ensure_ascii=False).encode() + b"\n")
            for data in encoded.values():
                file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # Official codes are no secret, and two users may share the folder; mkstemp would keep it to one.
        os.chmod(temporary, 0o644)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return Path(temporary)


def commit(staged: Iterable[tuple[Path, Path]]) -> None:
    """Put staged files in their places."""
    for temporary, path in staged:
        os.replace(temporary, path)


def put(parts: Iterable[tuple[Path, dict[str, Any], dict[str, Any]]], where: Path) -> None:
    """Write several compiled files (place, about, blobs), all or none. Raises ImportProblem, which names `where`."""
    staged: list[tuple[Path, Path]] = []
    try:
        for path, about, blobs in parts:
            staged.append((stage(path, about, blobs), path))
        commit(staged)
    except OSError as error:
        raise ImportProblem(
            f"it can't be written ({error.strerror or type(error).__name__})",
            str(where),
            "Make room, or let CHARTPROOF_HOME name a folder that can be written.",
        ) from None
    finally:
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)


def read(path: Path) -> Compiled:
    """Read a compiled file. Raises FileNotFoundError, or Damaged when it isn't what `write` wrote."""
    data = path.read_bytes()
    end = data.find(b"\n")
    header = _header(data[:end])
    blobs: dict[str, bytes] = {}
    at = end + 1
    try:
        for name, size, digest in header["blobs"]:
            blobs[name] = data[at : at + size]
            at += size
            if _digest(blobs[name]) != digest:
                raise Damaged(f"{path.name}: the part {name!r} has changed since it was written")
        return Compiled(header["about"], blobs)
    except (KeyError, TypeError, ValueError) as error:
        raise Damaged(f"{path.name}: its header can't be read") from error


def about(path: Path) -> dict[str, Any]:
    """Only what the file says about itself: cheap, for lists. Raises like `read`."""
    with path.open("rb") as file:
        header = _header(file.readline().rstrip(b"\n"))
    found: dict[str, Any] = header["about"]
    return found


def _header(line: bytes) -> dict[str, Any]:
    try:
        header: dict[str, Any] = json.loads(line)
        if header["schema"] != SCHEMA:
            raise Damaged(f"compiled with schema {header['schema']}; this program uses {SCHEMA}")
        if not isinstance(header["about"], dict):
            raise Damaged("its header can't be read")
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged("its header can't be read") from error
    return header


def _digest(data: bytes) -> str:
    # BLAKE2 notices damage; it isn't a signature: whoever may write to the user's folder may also write a
    # digest.
    return hashlib.blake2b(data, digest_size=16).hexdigest()
