"""What the tests share: a CHARTPROOF_HOME of their own, the release of one day, and a quick way to review a text."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile

import pytest
from hypothesis import HealthCheck, settings

# Set before anything of ours is imported, and inherited by every process that a test starts: the user's own folder
# is never read or written. One folder for the whole run, so that releases and terms are compiled once.
_HOME = tempfile.mkdtemp(prefix="chartproof-tests-")
os.environ["CHARTPROOF_HOME"] = _HOME
os.environ["NO_COLOR"] = "1"

settings.register_profile(
    "quick", deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("deep", deadline=None, max_examples=2000, suppress_health_check=list(HealthCheck))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

DAY = dt.date(2026, 5, 12)


def pytest_sessionfinish() -> None:
    """Remove the folder of the run."""
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def codes():
    """The release of DAY."""
    from code_maps.icd10cm import load

    return load(DAY)


@pytest.fixture(scope="session")
def reviewed():
    """reviewed(text, setting=…, age=…, sex=…, claim=…) -> Report, on DAY."""
    from models.text import Note, Patient
    from pipeline.review import review

    def of(text, setting="outpatient", age=None, sex=None, claim=None, on=DAY):
        return review(Note(text, setting, on, Patient(age, sex)), claim)

    return of


@pytest.fixture(scope="session")
def coded(reviewed):
    """coded(text, …) -> the proposed codes in order."""
    return lambda text, **about: [p.code for p in reviewed(text, **about).proposals]


@pytest.fixture(scope="session")
def kept_back(reviewed):
    """kept_back(text, …) -> {(code, rule)} of what is withheld."""
    return lambda text, **about: {(w.code, w.rule) for w in reviewed(text, **about).withheld}
