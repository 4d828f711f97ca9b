"""Quick reference: what a service's policies and edits say on a date; favourites are kept; no AMA descriptor stands."""

from __future__ import annotations

import datetime as dt
import sys

import pytest

import cli
from code_maps.coverage import PolicyBook, PolicyList, parse_policy, policies
from code_maps.coverage.policy import Services
from code_maps.edits import CmsTables, UnitLimit
from code_maps.services import _names, change_favourites, favourites, favourites_file, service_name
from models.problem import InputProblem
from pipeline.quick_reference import as_text, quick_reference

DAY = dt.date(2026, 5, 12)
TABLES = CmsTables(
    unit_limits={"83036": UnitLimit(1, 2), "17003": UnitLimit(13, 1)},
    addon_primaries={"17003": frozenset({"17000"})},
    global_days={"11721": "000", "83036": "XXX"},
    bilateral={"11721": "0", "20610": "1"},
)


@pytest.fixture
def asked(codes):
    """asked(code, …) -> the quick reference on DAY with TABLES."""

    def of(code, on=DAY, state="FL", tables=TABLES, **more):
        return quick_reference(code, codes, on, state, tables=tables, **more)

    return of


@pytest.fixture
def empty_home(tmp_path, monkeypatch):
    monkeypatch.setenv("CHARTPROOF_HOME", str(tmp_path))
    return tmp_path


def test_diagnoses_documentation_and_limits_come_from_the_policy_of_the_date(asked):
    found = asked("83036")
    (card,) = found.policies
    assert card.id == "ncd-190-21-glycated-hemoglobin"
    assert found.name == "glycated hemoglobin or protein"
    places = dict(card.supports[0].places)
    assert places["R73"] == "Elevated blood glucose level"
    assert "E08-E13" in places
    assert card.refused[0].places[0][0] == "Z00.0"
    assert any("not within 3 months" in limit for limit in card.limits)
    assert "shared decision" in " ".join(asked("71271").policies[0].documentation)
    assert asked("83036", on=dt.date(2014, 5, 12)).policies == ()
    assert "isn't in force" in asked("83036", on=dt.date(2014, 5, 12)).reason


def test_partners_modifiers_and_conditions_are_said(asked):
    (card,) = asked("11721").policies
    needs = {s.group: " ".join(s.needs) for s in card.supports}
    assert "Q7 or Q8 or Q9" in needs[1]
    assert "a code of group 3 as well" in needs[2]
    assert "never alone" in needs[3]
    assert [s.group for s in asked("11719").policies[0].supports] == [1]


def test_edits_that_bear_on_the_code_are_listed(asked):
    edits = {bite.edit: bite.says for bite in asked("83036").edits}
    assert edits["mue-exceeded"] == "At most 1 unit a day (indicator 2)."
    assert "modifier-25-not-em" in edits
    assert "em-missing-25" not in edits
    edits = {bite.edit: bite.says for bite in asked("17003").edits}
    assert "on a line" in edits["mue-exceeded"]
    assert "17000" in edits["addon-without-primary"]
    edits = {bite.edit for bite in asked("11721").edits}
    assert {"em-missing-25", "bilateral-modifier-invalid"} <= edits
    edits = {bite.edit for bite in asked("99203").edits}
    assert {"em-missing-25", "em-new-but-established"} <= edits
    assert "modifier-25-not-em" not in edits
    assert "procedure-deleted" in {bite.edit for bite in asked("99201").edits}


def test_what_is_not_imported_is_said(asked):
    found = asked("83036", tables=CmsTables())
    assert any("unit limits" in notice and "not shown" in notice for notice in found.notices)
    assert "mue-exceeded" not in {bite.edit for bite in found.edits}
    assert not any("not shown" in notice for notice in asked("83036").notices)


def test_without_a_policy_nothing_is_claimed(asked):
    found = asked("99213")
    assert found.policies == ()
    assert "neither covered nor not covered" in found.reason


def test_equipment_is_found_under_its_own_contract(asked):
    assert asked("E1390").policies[0].id == "ncd-240-2-home-oxygen"


def test_a_policy_of_some_states_is_shown_for_them_only(asked):
    text = """
id = "x"
title = "t"
why = "w"
limits = ["l"]
kind = "LCD"
services = ["64483"]
basis = "code list"
states = ["FL"]
[[group]]
number = 1
codes = ["M54.16"]
[[source]]
title = "s"
place = "p"
[[example]]
code = "1"
"""
    book = PolicyBook((PolicyList((parse_policy(text, "x.toml"),)),))
    assert asked("64483", book=book).policies[0].supports[0].places == (("M54.16", "Radiculopathy, lumbar region"),)
    assert "don't hold in this state" in asked("64483", state="GA", book=book).reason


@pytest.mark.parametrize("policy", policies(), ids=lambda p: p.id)
def test_every_starter_policy_can_be_shown_for_each_of_its_services(policy, asked):
    for code in sorted(policy.services.codes)[:3]:
        found = asked(code)
        assert policy.id in [card.id for card in found.policies]
        assert policy.title in as_text(found)


@pytest.mark.parametrize("policy", policies(), ids=lambda p: p.id)
def test_the_services_of_the_starter_policies_have_a_name_of_ours(policy):
    few = policy.id in ("statute-other-immunizations", "statute-vaccines-for-drug-plans")  # many products, one name
    unnamed = [code for code in policy.services.codes if service_name(code) is None]
    assert few or not unnamed


def test_names_are_short_words_of_ours_and_no_code_has_two():
    seen: dict[str, str] = {}
    for services, name in _names():
        assert isinstance(services, Services)
        assert 3 < len(name) <= 60
        for code in services.codes:
            assert code not in seen, code
            seen[code] = name


@pytest.mark.parametrize("code", ["", "8303", "hello", "83036X", "M54.50"])
def test_what_is_no_procedure_code_is_refused(code, asked):
    with pytest.raises(InputProblem, match="CPT or HCPCS"):
        asked(code)


def test_favourites_are_kept_in_order_and_once(empty_home):
    assert favourites() == ()
    assert change_favourites(add=["83036", "g0296", "83036"]) == ("83036", "G0296")
    assert favourites() == ("83036", "G0296")
    assert change_favourites(add=["99213"], remove=["83036"]) == ("G0296", "99213")
    assert [p.name for p in empty_home.iterdir()] == ["favourites.json"]


def test_a_mistake_changes_no_favourites(empty_home):
    change_favourites(add=["83036"])
    with pytest.raises(InputProblem, match="no favourite"):
        change_favourites(add=["99213"], remove=["99214"])
    with pytest.raises(InputProblem, match="CPT or HCPCS"):
        change_favourites(add=["x"])
    assert favourites() == ("83036",)
    favourites_file().write_text("{}", encoding="utf-8")
    with pytest.raises(InputProblem, match="no list"):
        favourites()
    favourites_file().write_text("[", encoding="utf-8")
    with pytest.raises(InputProblem, match="can't be read"):
        change_favourites(add=["83036"])


def run(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["chartproof", *words])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return stop.value.code


def test_the_commands_show_a_service_and_keep_favourites(monkeypatch, capsys, tmp_path):
    assert run(monkeypatch, "services", "show", "83036", "--on", "2026-05-12", "--state", "fl") == 0
    said = capsys.readouterr().out
    assert "Elevated blood glucose level" in said
    assert "on 2026-05-12, FL" in said
    assert run(monkeypatch, "services", "show", "nothing") == 2
    assert "CPT or HCPCS" in capsys.readouterr().err
    monkeypatch.setenv("CHARTPROOF_HOME", str(tmp_path))
    assert run(monkeypatch, "services", "favourites", "--add", "83036") == 0
    assert run(monkeypatch, "services", "favourites") == 0
    assert capsys.readouterr().out.count("83036  glycated") == 2
    assert run(monkeypatch, "services", "favourites", "--remove", "99213") == 2
