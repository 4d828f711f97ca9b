"""The compiled cache: shared by processes, rebuilt when damaged or out of date, never in the way."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from code_maps.home import home as chartproof_home
from code_maps.icd10cm import cache, load
from code_maps.icd10cm.release import forget

ROOT = Path(__file__).resolve().parent.parent
DAY = dt.date(2026, 5, 12)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("CHARTPROOF_HOME", str(tmp_path))
    forget()
    yield tmp_path
    forget()


def compiled(home: Path) -> Path:
    (path,) = home.glob("cache/*.compiled")
    return path


def test_a_file_says_what_it_is_and_gives_back_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "x" / "one.part"
    cache.write(path, {"release": "FY2019"}, {"first": ["é", 1], "second": {"a": None}})
    read = cache.read(path)
    assert cache.about(path) == read.about == {"release": "FY2019"}
    assert read.take("second") == {"a": None}
    assert read.take("first") == ["é", 1]
    assert [entry.name for entry in path.parent.iterdir()] == ["one.part"]


def test_every_changed_or_missing_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "one.part"
    cache.write(path, {"a": 1}, {"first": "some words", "second": [1, 2]})
    whole = path.read_bytes()
    start = whole.index(b"\n") + 1
    for at in range(start, len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(cache.Damaged):
            cache.read(path)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(cache.Damaged):
            cache.read(path)


def test_another_schema_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "one.part"
    cache.write(path, {}, {"first": 1})
    monkeypatch.setattr(cache, "SCHEMA", cache.SCHEMA + 1)
    with pytest.raises(cache.Damaged, match="schema"):
        cache.read(path)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "one.part"
    cache.write(path, {}, {"first": 1})
    with pytest.raises(TypeError):
        cache.write(path, {}, {"first": object()})
    assert cache.read(path).take("first") == 1
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "other source", "words"])
def test_a_damaged_or_outdated_cache_is_rebuilt(home: Path, damage: str) -> None:
    load(DAY)
    path = compiled(home)
    whole = path.read_bytes()
    header, _, rest = whole.partition(b"\n")
    if damage == "other source":
        facts = json.loads(header)
        facts["about"]["size"] += 1
        header = json.dumps(facts).encode()
    bad = {
        "cut": whole[:-1000],
        "changed": header + b"\n" + rest[:3000].replace(b"A00", b"A01") + rest[3000:],
        "empty": b"",
        "other source": header + b"\n" + rest,
        "words": b"not a cache\n" * 10,
    }[damage]
    assert bad != whole
    path.write_bytes(bad)
    forget()
    codes = load(DAY)
    assert codes.title("A00") == "Cholera"
    assert codes.billable_count == 74_719
    assert path.read_bytes() == whole


def test_without_a_place_to_write_it_works_and_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "cache").write_text("a file where the folder should be")
    codes = load(DAY)
    assert codes.is_billable("I50.22")
    assert "can't be kept" in codes.notices[0]


def test_processes_that_start_at_once_agree_and_leave_one_sound_cache(home: Path) -> None:
    program = (
        "import datetime; from code_maps.icd10cm import load; "
        "cs = load(datetime.date(2026, 5, 12)); print(cs.billable_count, len(cs.notes('I50.22')), cs.notices)"
    )
    environment = {**os.environ, "CHARTPROOF_HOME": str(home)}
    started = [
        subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]  # fmt: skip
    results = {process.communicate(timeout=120) for process in started}
    assert len(results) == 1
    output, errors = results.pop()
    assert output.startswith("74719 ")
    assert output.endswith("()\n")
    assert errors == ""
    assert [path.name for path in (home / "cache").iterdir()] == [compiled(home).name]
    cache.read(compiled(home))


def test_the_compiled_release_loads_in_well_under_half_a_second(home: Path) -> None:
    load(DAY)
    times = []
    for _ in range(3):
        forget()
        start = time.perf_counter()
        load(DAY)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.4


def test_the_home_folder_is_the_one_named_else_the_platforms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHARTPROOF_HOME", str(tmp_path / "here"))
    assert chartproof_home() == (tmp_path / "here").resolve()
    monkeypatch.delenv("CHARTPROOF_HOME")
    assert chartproof_home().name == "chartproof"
    monkeypatch.setenv("CHARTPROOF_HOME", " ")
    assert chartproof_home().name == "chartproof"
