"""Policies at hand as one list, explanations of all of them, and files of downloads read whole within limits."""

from __future__ import annotations

import datetime as dt
import io
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cli
from code_maps.archives import Limits, contents
from code_maps.coverage import policies
from code_maps.coverage.catalogue import Entry, catalogue, out_of_date, policy_of, prose_of, turns
from code_maps.coverage.mcd import import_paths
from code_maps.coverage.mcd.reader import Version, in_force
from code_maps.edits.imported import newest_changes
from code_maps.edits.importer import import_edits
from code_maps.icd10cm import diff, history, load, releases
from code_maps.icd10cm.problems import ImportProblem
from code_maps.services import find_services
from models.problem import InputProblem
from pipeline.explain import explain
from pipeline.quick_reference import card, shown_services
from tests.test_edits_import import MUE, MUE_NAME
from tests.test_mcd_import import article, basic, given_download, of

DAY = dt.date(2026, 5, 12)
TEMPLATE = Path(__file__).parent.parent / "docs" / "payer-policy-template.toml"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CHARTPROOF_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def two_versions():
    tables = basic(article=[article(version=3), article(version=4, article_eff_date="2026-10-01 00:00:00")])
    for name in (
        "article_x_contractor",
        "article_x_hcpc_code",
        "article_x_icd10_covered",
        "article_x_icd10_covered_group",
    ):
        tables[name] = [{**row, **of(version=v)} for row in tables[name] for v in (3, 4)]
    return tables


# --- the list --------------------------------------------------------------------------------------------------------


def test_without_imports_the_list_is_the_starter_set(home):
    assert [e.id for e in catalogue()] == [p.id for p in policies()]
    assert out_of_date(DAY) == {}


def test_an_imported_article_is_listed_once_with_its_versions_and_states(home, tmp_path):
    import_paths([given_download(tmp_path, two_versions())])
    [entry] = [e for e in catalogue() if e.origin == "imported"]
    assert (entry.id, entry.kind, entry.states) == ("A100", "Article", frozenset({"FL"}))
    assert entry.holds_in("FL") and entry.holds_in("fl") and not entry.holds_in("GA")
    assert entry.version_on(DAY).number == 3
    assert entry.version_on(dt.date(2026, 10, 1)).number == 4
    assert policy_of(entry, DAY).version == 3
    assert ("Text", "General text.") in prose_of(entry, DAY)
    assert [(t.id, t.version, t.what) for t in turns([entry], dt.date(2026, 9, 1))] == [("A100", 4, "takes effect")]
    assert turns([entry], dt.date(2026, 9, 1), dt.date(2026, 9, 30)) == []


def test_a_download_is_out_of_date_after_two_weeks(home, tmp_path):
    import_paths([given_download(tmp_path)])
    today = dt.date.today()
    assert out_of_date(today + dt.timedelta(days=10)) == {}
    assert set(out_of_date(today + dt.timedelta(days=30))) == {"Article"}


DATES = st.none() | st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1))


@given(
    st.lists(st.tuples(DATES, DATES, st.booleans(), st.booleans()), min_size=1, max_size=5),
    st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1)),
)
def test_a_document_is_in_force_exactly_when_one_of_its_versions_is(rows, day):
    versions = tuple(
        Version(1, n, "t", since, to, retired, draft) for n, (since, to, retired, draft) in enumerate(rows)
    )
    entry = Entry("A1", "Article", "t", "imported", versions=versions)
    status = entry.state_on(day)
    assert (status == "in force") == (in_force(versions, day) is not None)
    assert (status == "proposed") == all(v.proposed for v in versions)
    if status == "future":
        assert all(v.proposed or v.effective > day for v in versions)
    assert entry.version_on(day) in versions


# --- explanations ----------------------------------------------------------------------------------------------------


def test_an_imported_policy_is_explained(home, tmp_path):
    import_paths([given_download(tmp_path)])
    text = explain("A100")
    assert "Test of a widget" in text
    assert "These codes support the test." in text


def test_a_payer_policy_is_explained(home):
    (home / "policies").mkdir(parents=True)
    name = next(
        line.split('"')[1] for line in TEMPLATE.read_text(encoding="utf-8").splitlines() if line.startswith("id ")
    )
    (home / "policies" / f"{name}.toml").write_bytes(TEMPLATE.read_bytes())
    assert explain(name).startswith(f"{name}  (policy)")


@pytest.mark.parametrize(
    ("asked", "near"), [("A1000", "A100"), ("a10", "A100"), ("integral-symptoms", "integral-symptom")]
)
def test_an_id_that_nothing_has_gives_near_ones(home, tmp_path, asked, near):
    import_paths([given_download(tmp_path)])
    with pytest.raises(InputProblem, match=f"near it: .*{near}"):
        explain(asked)


def test_damaged_imports_dont_hide_that_an_id_is_unknown(home, tmp_path):
    import_paths([given_download(tmp_path)])
    (home / "coverage" / "current.json").write_text("{")
    assert explain("integral-symptom")
    with pytest.raises((InputProblem, ImportProblem)):
        explain("no-such-rule")


# --- codes, services, edits, cards -----------------------------------------------------------------------------------


def test_the_history_of_a_code_agrees_with_the_difference_of_releases():
    old, new = releases()[-2:]
    found = diff(old.id, new.id)
    for code, _ in found.added[:5]:
        [*_, before, now] = history(code)
        assert (before.release, now.release) == (old.id, new.id)
        assert (before.state != "billable", now.state) == (True, "billable")
        assert now.what in ("new", "now billable")
    for code, _, title in found.revised[:5]:
        assert (history(code)[-1].what, history(code)[-1].title) == ("revised", title)
    assert all(not stand.what for stand in history("I10"))
    assert [stand.state for stand in history("Z99.9999")] == ["absent"] * len(releases())


def test_services_are_found_by_code_and_by_words():
    assert ("83036", "glycated hemoglobin or protein") in find_services("8303")
    assert all("lipid" in name for _, name in find_services("lipid"))
    assert find_services("") == []
    assert find_services("lipid zebra") == []


def test_two_quarters_of_unit_limits_differ_by_what_was_changed(home, tmp_path):
    one, two = tmp_path / f"{MUE_NAME}.csv", tmp_path / "MUE_Eff_07-01-2026.csv"
    one.write_text(MUE)
    import_edits([one])
    assert newest_changes("unit-limits") is None
    two.write_text(MUE.replace("04/01/2026", "07/01/2026").replace("83036,1,", "83036,4,"))
    import_edits([two])
    found = newest_changes("unit-limits")
    assert [code for code, _, _ in found.changed] == ["83036"]
    assert found.changed[0][1].startswith("1 ") and found.changed[0][2].startswith("4 ")
    assert (found.added, found.deleted) == ((), ())
    assert newest_changes("mce") is None


def test_a_card_without_a_service_holds_every_group_and_says_for_which_service():
    codes = load(DAY)
    for policy in policies():
        whole = card(policy, codes)
        assert [s.group for s in whole.supports] == [g.number for g in policy.groups]
        for support, group in zip(whole.supports, policy.groups, strict=True):
            if group.services:
                assert support.needs[0] == f"for {shown_services(group.services)}"


# --- files of downloads ----------------------------------------------------------------------------------------------


def zip_of(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_files_folders_and_zips_in_zips_are_read_whole(tmp_path):
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "b.zip").write_bytes(zip_of({"x/c.txt": "two", "inner.zip": zip_of({"d.txt": "three"})}))
    (tmp_path / "e.xlsx").write_bytes(zip_of({"f.xml": "four"}))
    read = {f.name: f for f in contents([tmp_path], Limits(whole=(".xlsx",)))}
    assert {name: f.container for name, f in read.items()} == {
        "a.txt": tmp_path.name, "c.txt": "b.zip", "d.txt": "inner.zip", "e.xlsx": tmp_path.name,
    }  # fmt: skip
    assert read["d.txt"].data == b"three"
    assert not any(f.named for f in read.values())
    assert [f.named for f in contents([tmp_path / "a.txt", tmp_path / "b.zip"], Limits())] == [True, False, False]


@pytest.mark.parametrize(
    ("files", "limits", "says"),
    [
        ({"../a.txt": "x"}, Limits(), "points outside"),
        ({"C:/a.txt": "x"}, Limits(), "points outside"),
        ({"a.txt": b"0" * 5_000_000}, Limits(), "packed far more tightly"),
        ({f"{n}.txt": "x" for n in range(4)}, Limits(members=3), "more than the limit of 3"),
        ({"a.txt": "x" * 60}, Limits(file=50), "larger than it may be"),
        ({"a.txt": "x" * 60, "b.txt": "y" * 60}, Limits(total=100), "far more than official ones"),
        ({"a.zip": zip_of({"b.zip": zip_of({"c.zip": zip_of({"d.txt": "x"})})})}, Limits(), "nested too deep"),
    ],
)
def test_a_zip_beyond_the_limits_is_refused(tmp_path, files, limits, says):
    path = tmp_path / "x.zip"
    path.write_bytes(zip_of(files))
    with pytest.raises(ImportProblem, match=says):
        list(contents([path], limits))
    assert [p.name for p in tmp_path.iterdir()] == ["x.zip"]


def test_a_file_beyond_the_limit_is_refused_unread(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("x" * 60)
    with pytest.raises(ImportProblem, match="less than 50"):
        list(contents([path], Limits(file=50)))


# --- commands that take a date ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (("codes", "unreached", "--counts"), "No date of service was given: release"),
        (("codes", "search", "cholera"), "No date of service was given: release"),
        (("policies", "status"), f"as of {dt.date.today()}, today"),
        (("policies", "status", "--on", "2026-05-12"), "as of 2026-05-12\n"),
    ],
)
def test_a_command_without_a_date_says_which_one_it_takes(monkeypatch, capsys, call, says):
    monkeypatch.setattr(sys, "argv", ["chartproof", *call])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code
    assert says in capsys.readouterr().err


def test_payer_policies_are_listed_and_shown(home, monkeypatch, capsys):
    (home / "policies").mkdir(parents=True)
    (home / "policies" / TEMPLATE.name).write_bytes(TEMPLATE.read_bytes())
    for call in (("policies", "list"), ("policies", "show", TEMPLATE.stem)):
        monkeypatch.setattr(sys, "argv", ["chartproof", *call])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert not end.value.code
        assert TEMPLATE.stem in capsys.readouterr().out
