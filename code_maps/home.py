"""Where this installation keeps what it imports and compiles."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path

import platformdirs


def home() -> Path:
    """The folder for imported code sets and policies, the compiled cache and the default database.

    CHARTPROOF_HOME names it; without it, the platform's user data folder. The folder may not exist yet:
    whoever writes creates it. Read on every call, so that one process can be pointed elsewhere (the tests
    do)."""
    named = os.environ.get("CHARTPROOF_HOME", "").strip()
    if not named:
        return _default()
    return _resolved(named) if os.path.isabs(named) else Path(named).expanduser().resolve()


def replace_file(target: Path, data: bytes) -> None:
    """Write a file of the home folder at once or not at all; its folder is made. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        os.chmod(temporary, 0o644)  # two users may share the folder; mkstemp would keep it to one
        os.replace(temporary, target)
    finally:
        Path(temporary).unlink(missing_ok=True)


@cache
def _resolved(named: str) -> Path:
    # Asked for several times by every claim; resolving costs 40 µs.
    return Path(named).resolve()


@cache
def _default() -> Path:
    return Path(platformdirs.user_data_dir("chartproof", appauthor=False))
