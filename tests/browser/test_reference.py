"""The Reference page in a real browser: the tree by keyboard, a policy, a favourite, a graded query, and its addresses."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import pytest

from code_maps.icd10cm import load
from tests.browser.conftest import ROOT

BAD_QUERY = "Sepsis query\nPlease document sepsis; it pays more. Yes or no?"


def reference(page):
    page.get_by_role("link", name="Reference").click()
    page.locator("[role=treeitem]").first.wait_for()


def tab(page, name):
    page.get_by_role("tab", name=name, exact=True).click()


def search(page, words):
    box = page.get_by_label("Search codes, services, policies and rules")
    box.fill(words)
    box.press("Enter")


def row(page, node):
    return page.locator(f"[role=treeitem][data-id='{node}']")


def test_a_code_is_found_through_the_tree_by_keyboard_alone(page):
    codes = load()
    *way, code = [*reversed(codes.ancestors("I50.1")), "I50.1"]
    reference(page)
    assert page.locator("[role=treeitem][tabindex='0']").count() == 1
    page.locator("[role=treeitem][tabindex='0']").focus()
    focused = page.locator("[role=treeitem]:focus")
    for node in way:
        go_down(page, focused, node)
        page.keyboard.press("ArrowRight")
        row(page, node).and_(page.locator("[aria-expanded=true]")).wait_for()
        page.wait_for_timeout(300)
        assert focused.get_attribute("data-id") == node
    go_down(page, focused, code)
    page.keyboard.press("Enter")
    page.locator(".cp-tab h2", has_text=code).wait_for()
    page.wait_for_timeout(300)
    assert focused.get_attribute("data-id") == code
    page.keyboard.press("ArrowLeft")
    assert focused.get_attribute("data-id") == way[-1]


def go_down(page, focused, node):
    for _ in range(60):
        if focused.get_attribute("data-id") == node:
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"{node} isn't reached by the arrow key")


def test_what_is_open_has_an_address_that_opens_it_again(page):
    reference(page)
    search(page, "I50.1")
    page.locator(".cp-tab h2", has_text="I50.1").wait_for()
    page.wait_for_timeout(300)
    assert row(page, "I50.1").get_attribute("aria-selected") == "true"
    assert urlsplit(page.url).query == "code=I50.1"
    page.reload()
    page.locator(".cp-tab h2", has_text="I50.1").wait_for()
    search(page, "short of breath for two weeks")
    page.get_by_text("Codes · 25 or more").wait_for()
    page.wait_for_timeout(300)
    assert urlsplit(page.url).query == ""


def test_a_service_becomes_a_favourite_and_is_let_go_of(page, violations):
    reference(page)
    tab(page, "Services")
    page.get_by_label("Find a service").fill("82523")
    page.get_by_label("Find a service").press("Enter")
    page.get_by_role("button", name="Add favourite").click()
    page.get_by_role("button", name="Remove favourite").wait_for()
    assert page.locator(".st-key-ref_favourites").get_by_text("82523").count() == 1
    assert violations() == []
    page.get_by_role("button", name="Remove favourite").click()
    page.get_by_role("button", name="Add favourite").wait_for()


def test_a_policy_is_looked_at(page, violations):
    reference(page)
    tab(page, "Policies")
    page.get_by_label("Words or an id").fill("glycated")
    page.get_by_label("Words or an id").press("Enter")
    page.locator(".st-key-ref_list_policies button").filter(has_text="ncd-190-23-lipid").wait_for(state="detached")
    page.locator(".st-key-ref_list_policies button").first.click()
    page.locator(".ref-facts").wait_for()
    assert "ncd-190-21-glycated-hemoglobin" in page.locator(".cp-tab h2").inner_text()
    assert urlsplit(page.url).query == "policy=ncd-190-21-glycated-hemoglobin"
    assert violations() == []


def test_a_query_is_graded_and_stands_in_no_address_and_no_log(page, server, violations):
    reference(page)
    tab(page, "Query linter")
    page.get_by_label("Query to a provider").fill(BAD_QUERY)
    page.get_by_role("button", name="Grade").click()
    page.locator(".cp-answer", has_text="not compliant").wait_for()
    page.locator("[class*=st-key-gap_lint_]").nth(2).wait_for()
    assert urlsplit(page.url).query == ""
    assert "pays more" not in server[1].read_text()
    assert violations() == []
    tab(page, "Rules")
    page.get_by_label("Words or an id").wait_for()
    tab(page, "Query linter")
    assert page.get_by_label("Query to a provider").input_value() == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_tab_is_accessible(page, violations, scheme):
    page.emulate_media(color_scheme=scheme)
    reference(page)
    search(page, "S82.101")
    page.locator(".cp-tab h2", has_text="S82.101").wait_for()
    page.wait_for_timeout(600)
    assert violations() == []
    for name, there in (
        ("Services", "Find a service"),
        ("Policies", "Kind"),
        ("Rules", "Family"),
        ("Status", "Out of date as of"),
    ):
        tab(page, name)
        page.get_by_text(there, exact=True).first.wait_for()
        page.wait_for_timeout(600)
        assert violations() == [], name
    search(page, "heart failure")
    page.get_by_text("Codes · 25 or more").wait_for()
    page.wait_for_timeout(400)
    assert violations() == []


@pytest.mark.skipif(
    os.environ.get("CHARTPROOF_SCREENSHOTS") != "1", reason="CHARTPROOF_SCREENSHOTS=1 makes the picture"
)
def test_the_picture_in_the_docs(page):
    reference(page)
    search(page, "E11.22")
    page.locator(".cp-tab h2", has_text="E11.22").wait_for()
    page.get_by_role("tab", name="Codes").click()
    page.wait_for_timeout(900)
    page.screenshot(path=ROOT / "docs" / "reference.png")
