"""The Reference page, run without a browser: the search box, the tree, and every tab, with and without imports."""

from __future__ import annotations

import datetime as dt
import html
import json

import pytest

pytest.importorskip("streamlit.testing.v1", reason="streamlit isn't installed")
from streamlit.testing.v1 import AppTest

from code_maps.coverage.catalogue import catalogue
from code_maps.coverage.mcd import import_paths
from code_maps.edits.importer import import_edits
from code_maps.icd10cm import load, releases
from code_maps.services import change_favourites, favourites
from pipeline.explain import every_rule
from pipeline.queries import lint
from tests.test_edits_import import MUE, MUE_NAME
from tests.test_mcd_import import article, basic, given_download, of
from ui.reference.found import exact
from ui.reference.parts import Asked
from ui.reference.tree import visible_rows

TABS = ("Codes", "Services", "Policies", "Rules", "Query linter", "Status")
BAD_QUERY = "Sepsis query\nPlease document sepsis; it pays more. Yes or no?"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home of its own with nothing imported; the compiled code set is shared, for speed."""
    place = tmp_path / "home"
    place.mkdir()
    from code_maps.home import home as usual

    cache = usual() / "cache"
    if cache.is_dir():
        (place / "cache").symlink_to(cache)
    monkeypatch.setenv("CHARTPROOF_HOME", str(place))
    return place


def run_page() -> AppTest:
    def draw() -> None:
        from ui.reference import page

        page()

    return AppTest.from_function(draw, default_timeout=120)


@pytest.fixture
def app(home):
    return sound(run_page().run())


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    return app


def shown(app: AppTest) -> str:
    return html.unescape("\n".join(h.value for h in app.html if not h.value.startswith("<style")))


def ask(app: AppTest, words: str) -> AppTest:
    return sound(app.text_input(key="asked").set_value(words).run())


def open_tab(app: AppTest, name: str) -> AppTest:
    app.session_state["ref_tab"] = name
    return sound(app.run())


def tree(app: AppTest) -> dict:
    [component] = app.get("bidi_component")
    return json.loads(component.proto.mixed.json if component.proto.HasField("mixed") else component.proto.json)


def keys(app: AppTest, start: str) -> list[str]:
    return [b.key.removeprefix(start) for b in app.button if b.key and b.key.startswith(start)]


# --- the search box --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "kind", "key"),
    [
        ("e11.22", "code", "E11.22"),
        (" I50 ", "code", "I50"),
        ("83036", "service", "83036"),
        ("g0296", "service", "G0296"),
        ("integral-symptom", "rule", "integral-symptom"),
        ("NCD-190-23-lipid-testing", "policy", "ncd-190-23-lipid-testing"),
    ],
)
def test_an_id_opens_what_it_names(app, written, kind, key):
    ask(app, written)
    assert app.session_state[f"ref_{kind}"] == key
    assert (
        app.session_state["ref_tab"]
        == {"code": "Codes", "service": "Services", "rule": "Rules", "policy": "Policies"}[kind]
    )
    assert key in shown(app)


def test_what_may_be_a_code_or_a_service_is_not_guessed(app):
    codes = load()
    assert "J11.00" in codes
    assert exact("J1100", Asked(codes, None, None)) is None
    ask(app, "J1100")
    assert "J11.00" in keys(app, "hit_")
    assert "J1100" in keys(app, "hit_service_")


def test_words_find_codes_services_policies_and_rules_in_groups(app):
    ask(app, "lipid")
    page = shown(app)
    assert "E75.6" in keys(app, "hit_")
    assert "80061" in keys(app, "hit_service_")
    assert "ncd-190-23-lipid-testing" in keys(app, "hit_policy_")
    assert "Codes ·" in page and "Services ·" in page and "Policies ·" in page
    app.button(key="hit_policy_ncd-190-23-lipid-testing").click()
    sound(app.run())
    assert app.text_input(key="asked").value == ""
    assert "ncd-190-23-lipid-testing" in shown(app)


@pytest.mark.parametrize("written", ["zzzzqqqq", "]]((", "%", "`~#"])
def test_what_nothing_has_is_said(app, written):
    ask(app, written)
    assert "Nothing has these words" in shown(app)
    assert not app.query_params


@pytest.mark.parametrize("written", ["<script>alert(1)</script>", "$x$ **y**", "' OR 1=1 --", "../../a", "\u202eab"])
def test_whatever_is_searched_for_is_no_markup_and_gets_no_address(app, written):
    ask(app, written)
    assert "<script" not in "".join(h.value for h in app.html)
    assert not app.query_params


# --- addresses -------------------------------------------------------------------------------------------------------


def test_only_ids_that_exist_get_an_address(app):
    ask(app, "E11.22")
    assert dict(app.query_params) == {"code": "E11.22"}
    ask(app, "a patient with shortness of breath")
    assert not app.query_params
    ask(app, "integral-symptom")
    assert dict(app.query_params) == {"rule": "integral-symptom"}
    open_tab(app, "Query linter")
    app.text_area(key="ref_query").set_value(BAD_QUERY)
    sound(app.run())
    assert not app.query_params


@pytest.mark.parametrize(
    ("kind", "key", "says"),
    [
        ("code", "I50.22", "Chronic systolic"),
        ("rule", "integral-symptom", "Why"),
        ("policy", "ncd-190-22-thyroid-testing", "Source"),
    ],
)
def test_an_address_opens_what_it_names(home, kind, key, says):
    app = run_page()
    app.query_params[kind] = key
    sound(app.run())
    assert key in shown(app)
    assert says in shown(app)


@pytest.mark.parametrize("key", ["<b>x</b>", "X99.999", "../../etc", "a" * 500, ""])
@pytest.mark.parametrize("kind", ["code", "rule", "policy"])
def test_an_address_of_nothing_is_calm(home, kind, key):
    app = run_page()
    app.query_params[kind] = key
    sound(app.run())
    assert "<b>x</b>" not in "".join(h.value for h in app.html)


# --- codes -----------------------------------------------------------------------------------------------------------


def test_the_tree_opens_node_by_node_and_shows_each_code_once():
    codes = load(dt.date(2026, 5, 12))
    closed = visible_rows(codes, ())
    assert [row["id"] for row in closed] == list(codes.roots)
    assert len(closed) == 22
    assert all(row["open"] is False and row["level"] == 1 for row in closed)
    opened = visible_rows(codes, {"9", "I30-I5A", "I50", "E11"})
    ids = [row["id"] for row in opened]
    assert len(ids) == len(set(ids))
    assert ids.index("9") < ids.index("I30-I5A") < ids.index("I50") < ids.index("I50.1")
    assert "E11" not in ids
    by_id = {row["id"]: row for row in opened}
    assert (by_id["I50.1"]["billable"], by_id["I50.1"]["open"], by_id["I50"]["open"]) == (True, None, True)
    assert by_id["I50.1"]["level"] == by_id["I50"]["level"] + 1


def test_opening_a_code_opens_the_tree_down_to_it(app):
    assert len(tree(app)["rows"]) == 22
    ask(app, "E11.22")
    assert tree(app)["chosen"] == "E11.22"
    assert {"4", "E08-E13", "E11", "E11.2", "E11.22"} <= {row["id"] for row in tree(app)["rows"]}


def test_a_code_page_says_where_each_note_is_from_and_its_seventh_characters(app):
    page = shown(ask(app, "S82.101"))
    assert "not billable" in page
    assert "Seventh characters" in page
    assert "initial encounter for closed fracture" in page
    page = shown(ask(app, "E11.22"))
    assert "✓ billable" in page
    assert "from E11" in page
    assert "Chapter 4" in page
    assert "Excludes1: never together" in page


def test_a_code_says_what_became_of_it_by_date(app):
    old, new = releases()[-2:]
    from code_maps.icd10cm import diff

    found = diff(old.id, new.id)
    gained = found.added[0][0]
    page = shown(ask(app, gained))
    assert f"not in ICD-10-CM {old.id}" in page
    assert f"+ new</b> from {new.effective[0]}" in page
    app.date_input(key="reference_on").set_value(new.effective[0])
    assert "✓ billable" in shown(sound(app.run()))
    gone = found.deleted[0][0]
    app.date_input(key="reference_on").set_value(old.effective[0])
    page = shown(ask(app, gone))
    assert "− gone" in page or "▸ now a heading" in page
    page = shown(ask(app, gained[:3]))
    assert f"Below it, {old.id} to {new.id}" in page
    assert gained in page


def test_a_code_of_another_release_says_where_it_stands(app):
    app.date_input(key="reference_on").set_value(dt.date(2026, 5, 12))
    page = shown(ask(app, "I10"))
    assert "The same in every installed release" in page


# --- services --------------------------------------------------------------------------------------------------------


def test_a_service_has_its_quick_reference_and_becomes_a_favourite_and_back(app):
    ask(app, "83036")
    assert "glycated" in shown(app)
    assert "Supported by" in shown(app)
    app.button(key="star").click()
    sound(app.run())
    assert favourites() == ("83036",)
    assert keys(app, "favourite_") == ["83036"]
    app.button(key="drop_83036").click()
    sound(app.run())
    assert favourites() == ()
    assert keys(app, "favourite_") == []


def test_a_service_is_found_by_words_and_asked_for_date_state_and_payer(app):
    open_tab(app, "Services")
    app.text_input(key="ref_service_words").set_value("prothrombin")
    sound(app.run())
    app.button(key="service_85610").click()
    app.date_input(key="reference_on").set_value(dt.date(2026, 5, 12))
    app.text_input(key="reference_state").set_value("fl")
    sound(app.run())
    assert "on 2026-05-12, in FL, medicare" in shown(app)
    app.text_input(key="ref_payer").set_value("acme health")
    sound(app.run())
    assert "No policy at hand speaks of it" in shown(app)


def test_damaged_favourites_are_one_clear_line(home):
    (home / "favourites.json").write_text("{")
    app = run_page().run()
    app.session_state["ref_tab"] = "Services"
    app.run()
    assert not app.exception
    assert "favourites can't be read" in app.error[0].value.replace("\\", "")


def test_a_favourite_that_another_window_removed_is_one_clear_line(app):
    change_favourites(["83036"])
    ask(app, "83036")
    change_favourites(remove=["83036"])
    app.button(key="unstar").click()
    app.run()
    assert not app.exception
    assert "no favourite" in app.error[0].value


# --- policies --------------------------------------------------------------------------------------------------------


def several():
    """An article in force, one that begins later, one retired, and one proposed, in Florida."""
    now, later, over, draft = (
        article(100),
        article(200, article_eff_date="2027-01-01 00:00:00"),
        article(300, date_retired="2025-01-01 00:00:00", status="R"),
        article(400, status="P", display_id="DA400"),
    )
    tables = basic(article=[now, later, over, draft])
    for name in (
        "article_x_contractor",
        "article_x_hcpc_code",
        "article_x_icd10_covered",
        "article_x_icd10_covered_group",
    ):
        tables[name] = [{**row, **of(n)} for row in tables[name] for n in (100, 200, 300, 400)]
    return tables


def test_without_imports_the_starter_policies_are_listed_and_the_command_is_told(app):
    open_tab(app, "Policies")
    assert "chartproof policies import" in shown(app)
    assert f"of {len(catalogue())}" in shown(app)
    assert keys(app, "policy_")


def test_policies_are_listed_by_state_status_and_kind(app, tmp_path):
    import_paths([given_download(tmp_path, several())])
    app.date_input(key="reference_on").set_value(dt.date(2026, 5, 12))
    open_tab(app, "Policies")
    app.multiselect(key="ref_policy_kinds").set_value(["Article"])
    sound(app.run())
    assert keys(app, "policy_") == ["A100", "A200", "A300", "A400"]
    for status, ids in (("in force", []), ("future", ["A200"]), ("retired", ["A300"]), ("proposed", ["A400"])):
        app.multiselect(key="ref_policy_status").set_value([status])
        sound(app.run())
        assert keys(app, "policy_") in (ids, ["A100"] if status == "in force" else ids), status
    app.multiselect(key="ref_policy_status").set_value([])
    app.text_input(key="reference_state").set_value("TX")
    sound(app.run())
    assert keys(app, "policy_") == []
    app.text_input(key="reference_state").set_value("FL")
    app.text_input(key="ref_policy_words").set_value("widget a200")
    sound(app.run())
    assert keys(app, "policy_") == ["A200"]


def test_a_download_too_old_for_the_date_makes_its_policies_out_of_date(app, tmp_path):
    import_paths([given_download(tmp_path)])
    app.date_input(key="reference_on").set_value(dt.date.today() + dt.timedelta(days=60))
    open_tab(app, "Policies")
    app.multiselect(key="ref_policy_status").set_value(["out of date"])
    sound(app.run())
    assert keys(app, "policy_") == ["A100"]
    app.button(key="policy_A100").click()
    sound(app.run())
    assert "days old on" in shown(app)


def test_a_policy_page_has_dates_procedures_lists_source_and_text(app, tmp_path):
    import_paths([given_download(tmp_path)])
    page = shown(ask(app, "a100"))
    for said in ("Article A100", "from 2024-01-01", "FL", "10001, 10002", "E11.9", "These codes support the test.",
                 "articleId=100&ver=3", "General text."):  # fmt: skip
        assert said in page
    assert "SECRET" not in page
    assert dict(app.query_params) == {"policy": "A100"}


def test_a_damaged_import_is_one_clear_line_and_the_codes_are_still_there(home, tmp_path):
    import_paths([given_download(tmp_path)])
    (home / "coverage" / "current.json").write_text("{")
    app = run_page().run()
    assert not app.exception
    assert tree(app)["rows"]
    app.session_state["ref_tab"] = "Policies"
    app.run()
    assert not app.exception
    assert "can't be read" in app.error[0].value.replace("\\", "")


# --- rules -----------------------------------------------------------------------------------------------------------


def test_every_rule_has_a_page(app):
    open_tab(app, "Rules")
    for rule in every_rule():
        if rule.family == "policy":
            continue
        app.session_state["ref_rule"] = rule.id
        page = shown(sound(app.run()))
        assert f"<h2>{rule.id}</h2>" in page
        for said in (rule.title, rule.why, *rule.limits):
            assert " ".join(said.split()) in page, rule.id
        assert page.count("ref-example") == len(rule.examples), rule.id


def test_rules_are_listed_by_family_and_words(app):
    open_tab(app, "Rules")
    app.pills(key="ref_rule_family").set_value("query")
    sound(app.run())
    assert sorted(keys(app, "rule_")) == sorted(r.id for r in every_rule() if r.family == "query")
    app.text_input(key="ref_rule_words").set_value("r-j2")
    sound(app.run())
    assert keys(app, "rule_") == ["query-money"]


# --- the query linter ------------------------------------------------------------------------------------------------


def test_a_query_is_graded_rule_by_rule_with_what_would_be_right(app):
    open_tab(app, "Query linter")
    assert "R-J10" in shown(app)
    app.text_area(key="ref_query").set_value(BAD_QUERY)
    page = shown(sound(app.run()))
    found = lint(BAD_QUERY, "outpatient")
    assert "not compliant" in page
    for code, why, instead in zip(found.violations, found.why, found.suggestions, strict=True):
        assert code in page and why in page and instead in page
    app.button(key=f"lint_rule_{found.violations[0]}").click()
    sound(app.run())
    assert app.session_state["ref_tab"] == "Rules"


def test_a_query_is_not_kept(app):
    open_tab(app, "Query linter")
    app.text_area(key="ref_query").set_value(BAD_QUERY)
    sound(app.run())
    open_tab(app, "Status")
    assert "pays more" not in repr(app.session_state)
    open_tab(app, "Query linter")
    assert app.text_area(key="ref_query").value == ""


def test_a_query_of_markup_is_shown_as_text(app):
    open_tab(app, "Query linter")
    app.text_area(key="ref_query").set_value("<img src=x onerror=alert(1)> Please document <b>sepsis</b> for payment?")
    sound(app.run())
    assert "<img" not in "".join(h.value for h in app.html)


# --- status ----------------------------------------------------------------------------------------------------------


def test_without_imports_every_tab_says_calmly_what_to_import(app):
    for tab in TABS:
        open_tab(app, tab)
    page = shown(app)
    assert "chartproof edits import" in page
    assert "chartproof policies import" in page
    assert "mue-exceeded" in page


def test_the_date_of_the_status_is_shown_and_can_be_chosen(app):
    open_tab(app, "Status")
    today = dt.date.today()
    assert f"As of {today} (today)" in shown(app)
    app.date_input(key="ref_as_of").set_value(dt.date(2031, 1, 1))
    page = shown(sound(app.run()))
    assert "As of 2031-01-01:" in page
    assert "out of date: no installed release covers 2031-01-01" in page
    assert "chartproof codes import" in page


def test_the_status_counts_what_changed_between_the_two_newest_releases(app):
    from code_maps.icd10cm import diff

    old, new = releases()[-2:]
    found = diff(old.id, new.id)
    page = shown(open_tab(app, "Status"))
    assert f"What changed from {old.id} to {new.id}" in page
    for count, what in ((len(found.added), "new"), (len(found.deleted), "gone"), (len(found.revised), "revised")):
        assert f"{count:,} {what}" in page
    assert found.added[0][0] in page


def test_the_status_of_edits_names_dates_rows_and_what_changed(app, tmp_path):
    old, new = tmp_path / f"{MUE_NAME}.csv", tmp_path / "MUE_Eff_07-01-2026.csv"
    old.write_text(MUE)
    new.write_text(MUE.replace("04/01/2026", "07/01/2026").replace("83036,1,", "83036,4,"))
    import_edits([old, new])
    app.session_state["ref_as_of"] = dt.date(2026, 5, 12)
    page = shown(open_tab(app, "Status"))
    assert "from 2026-04-01 to 2026-06-30" in page
    assert "covers it" in page and "doesn't cover it" in page
    assert "1 changed" in page
    app.date_input(key="ref_as_of").set_value(dt.date(2027, 5, 12))
    assert "out of date on 2027-05-12: medically unlikely edits" in shown(sound(app.run()))


def test_the_status_of_policies_tells_age_and_what_takes_effect(app, tmp_path):
    import_paths([given_download(tmp_path, several())])
    app.session_state["ref_as_of"] = dt.date(2026, 12, 1)
    page = shown(open_tab(app, "Status"))
    assert "Will take effect or end after 2026-12-01" in page
    assert "A200" in page
    assert "current_article.zip" in page
    app.date_input(key="ref_as_of").set_value(dt.date.today() + dt.timedelta(days=20))
    assert "out of date: " in shown(sound(app.run()))
