"""The wheel: built, installed into an empty folder, and used from another place. Fails when a data file is missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ["models", "code_maps", "pipeline", "exchange", "store", "ui", "sample_notes"]
DATA = (".toml", ".csv", ".txt", ".json", ".md", ".html", ".css")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder into which the wheel was installed."""
    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"  # a copy, so that no build folder is left in the working tree or reused from it
    source.mkdir()
    for name in [*PACKAGES, "app.py", "cli.py", "pyproject.toml", "README.md", "LICENSE", "NOTICE"]:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / name).is_file():
            shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    # pip brings the build system's setuptools along unless the environment has it.
    isolation = ["--no-build-isolation"] if int(version("setuptools").split(".")[0]) >= 77 else []
    for command in (
        [*pip, "wheel", "--no-deps", *isolation, "--wheel-dir", str(place / "dist"), str(source)],
        [*pip, "install", "--no-deps", "--no-index", "--target", str(place / "site"), "DIST"],
    ):
        if command[-1] == "DIST":
            (wheel,) = (place / "dist").glob("*.whl")
            command[-1] = str(wheel)
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr[-2000:]
    return place / "site"


def test_every_data_file_of_the_packages_is_in_the_wheel(installed):
    missing = [
        str(path.relative_to(ROOT))
        for name in PACKAGES
        for path in sorted((ROOT / name).rglob("*"))
        if path.suffix in (*DATA, ".py") and "__pycache__" not in path.parts
        and not (installed / path.relative_to(ROOT)).is_file()
    ]  # fmt: skip
    assert missing == []


def test_nothing_else_is_installed_at_the_top(installed):
    found = {p.name for p in installed.iterdir() if not p.name.endswith(".dist-info")} - {"bin", "__pycache__"}
    assert found - {"app.py", "cli.py"} <= set(PACKAGES)


def test_the_installed_wheel_reviews_a_note_from_another_folder(installed, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    code = (
        "import json, sys\n"
        "import cli, pipeline.review, exchange.rendered\n"
        "from ui.samples import samples\n"
        "sys.argv = ['chartproof', 'review', sys.argv[1], '--on', '2026-05-12', '--format', 'json']\n"
        "try:\n    cli.main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "ours = ('models', 'code_maps', 'pipeline', 'exchange', 'ui', 'cli')\n"
        "files = [m.__file__ for n, m in sys.modules.items() if n.split('.')[0] in ours and getattr(m, '__file__', None)]\n"
        "print(json.dumps({'files': files, 'samples': sorted(samples())}), file=sys.stderr)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "sample_notes/knee-osteoarthritis/note.txt")],
        cwd=tmp_path / "work", capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(installed), "CHARTPROOF_HOME": str(tmp_path / "home")},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert "M17.11" in [p["code"] for p in json.loads(ran.stdout)["proposals"]]
    about = json.loads(ran.stderr.strip().splitlines()[-1])
    assert about["samples"] == sorted(p.parent.name for p in (ROOT / "sample_notes").glob("*/note.txt"))
    assert [file for file in about["files"] if not Path(file).is_relative_to(installed)] == []
    assert list((tmp_path / "home").rglob("*"))  # compiled there …
    assert not list((tmp_path / "work").iterdir())  # … and nothing here
