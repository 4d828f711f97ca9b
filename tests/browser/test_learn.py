"""The Learn page in a real browser: a lesson that is changed as one types, a graded exercise, a checklist to print."""

from __future__ import annotations

import json
import os

import pytest

from tests.browser.conftest import ROOT


@pytest.fixture
def learn(page, server):
    """The Learn page with its first lesson open."""
    page.get_by_role("link", name="Learn").click()
    page.locator(".learn-side.no").wait_for()
    page.wait_for_timeout(400)
    return page


def open_tab(page, name):
    page.get_by_role("tab", name=name, exact=True).click()
    page.wait_for_timeout(1200)


def find_code(page, words, code):
    box = page.get_by_role("combobox", name="Find a code")
    box.fill(words)
    page.get_by_role("option", name=code).first.click()
    page.locator("[class*=st-key-learn_code_]", has_text=code).wait_for()


def test_an_example_is_reviewed_again_while_it_is_changed(learn):
    assert "Cough. Possible pneumonia." in learn.locator(".learn-side.yes .learn-text").inner_text()
    assert learn.locator(".learn-side.yes mark", has_text="Possible pneumonia").count() == 1
    learn.get_by_role("button", name="Try it").click()
    field = learn.get_by_role("textbox", name="The example, to be changed")
    field.wait_for()
    learn.locator(".learn-live").first.get_by_text("J18.9", exact=True).first.wait_for()
    assert "suspected diagnosis" in learn.locator(".learn-live").first.inner_text()
    field.press_sequentially(" Acute sinusitis.")
    learn.locator(".learn-live").first.get_by_text("J01.90", exact=True).wait_for()
    assert field.input_value().endswith("Acute sinusitis.")
    assert learn.evaluate("document.activeElement?.shadowRoot ? 'shadow' : document.activeElement.tagName") in (
        "shadow",
        "TEXTAREA",
    )


def test_lessons_are_found_by_words_and_family(learn):
    box = learn.get_by_role("textbox", name="Words or an id")
    box.fill("laterality")
    box.press("Enter")
    learn.locator("[class*=st-key-learn_list_edit] button", has_text="side").first.click()
    learn.locator(".learn-head h2").wait_for()
    learn.locator(".cp-sub", has_text="Claim edits").wait_for()


def test_a_minimal_pair_shows_the_words_that_go(learn):
    open_tab(learn, "Minimal pairs")
    learn.locator(".learn-note del").wait_for(timeout=60_000)
    first = learn.locator(".learn-note del").inner_text()
    learn.locator("[class*=st-key-learn_pair_1] button").click()
    learn.wait_for_timeout(800)
    assert learn.locator(".learn-note del").inner_text() != first
    text = (ROOT / "sample_notes" / "knee-osteoarthritis" / "note.txt").read_text(encoding="utf-8")
    assert learn.locator(".learn-note").evaluate("n => n.textContent").rstrip() == text.rstrip()


def test_an_exercise_is_coded_and_graded(learn):
    open_tab(learn, "Practice")
    learn.get_by_role("combobox", name="Exercise").fill("possible pneumonia")
    learn.get_by_role("option", name="Possible pneumonia").click()
    learn.get_by_text("productive cough").wait_for()
    assert "R05.9" not in learn.locator("body").inner_text()
    find_code(learn, "cough unsp", "R05.9")
    find_code(learn, "J18.9", "J18.9")
    learn.get_by_role("button", name="Grade").click()
    learn.locator(".learn-score").wait_for()
    cards = learn.locator(".cp-card").all_inner_texts()
    assert any("R05.9" in c and "right" in c for c in cards)
    assert any("J18.9" in c and "not in the note" in c and "outpatient-uncertain" in c for c in cards)
    assert any("R50.9" in c and "missed" in c for c in cards)
    assert learn.locator(".learn-note mark").count() >= 2
    learn.get_by_role("button", name="A suspected diagnosis").click()
    learn.locator(".learn-head h2", has_text="A suspected diagnosis").wait_for()


def test_a_checklist_is_downloaded(learn, tmp_path):
    open_tab(learn, "Checklists")
    learn.get_by_role("button", name="E0601").click()
    learn.locator(".learn-sheet h2", has_text="E0601").wait_for()
    with learn.expect_download() as download:
        learn.get_by_role("button", name="Page to print").click()
    download.value.save_as(tmp_path / "c.html")
    page = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert "G47.33" in page and "@page" in page
    with learn.expect_download() as download:
        learn.get_by_role("button", name="Word").click()
    download.value.save_as(tmp_path / "c.docx")
    assert (tmp_path / "c.docx").read_bytes()[:2] == b"PK"


def test_a_result_is_kept_for_the_class(learn):
    open_tab(learn, "Practice")
    learn.get_by_role("textbox", name="Your name or number").fill("Learner 7")
    learn.get_by_role("textbox", name="Your name or number").press("Enter")
    learn.wait_for_timeout(500)
    learn.get_by_role("button", name="Grade").click()
    learn.locator(".learn-score").wait_for()
    learn.get_by_role("button", name="Keep for the class").click()
    learn.get_by_text("Kept").wait_for()
    open_tab(learn, "Class")
    learn.locator(".learn-class", has_text="Learner 7").wait_for()
    with learn.expect_download() as download:
        learn.get_by_role("button", name="Download all as CSV").click()
    assert download.value.suggested_filename == "class-results.csv"


def test_a_note_of_ones_own_stays_text(learn):
    open_tab(learn, "Minimal pairs")
    learn.get_by_role("combobox", name="Note", exact=True).fill("own")
    learn.get_by_role("option", name="A note of your own").click()
    box = learn.get_by_role("textbox", name="Note", exact=True)
    box.fill(
        "Assessment:\n1. Primary osteoarthritis of the right knee <img src=x onerror='window.pwned=1'> **b**, worse.\n"
    )
    box.press("Control+Enter")
    learn.locator(".learn-note del").wait_for()
    assert learn.evaluate("window.pwned") is None
    assert "<img src=x" in learn.locator(".learn-note").evaluate("n => n.textContent")


@pytest.mark.parametrize("tab", ["Lessons", "Minimal pairs", "Practice", "Checklists", "Class"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_has_no_accessibility_fault(learn, violations, tab, scheme):
    learn.emulate_media(color_scheme=scheme)
    open_tab(learn, tab)
    if tab == "Minimal pairs":
        learn.locator(".learn-note del").wait_for(timeout=60_000)
    if tab == "Practice":
        assert json.dumps(violations()) == "[]"
        learn.get_by_role("button", name="Grade").click()
        learn.locator(".learn-score").wait_for()
    if tab == "Checklists":
        learn.get_by_role("button", name="E0601").click()
        learn.locator(".learn-sheet").wait_for()
    learn.wait_for_timeout(800)
    assert json.dumps(violations()) == "[]"


@pytest.mark.skipif(
    os.environ.get("CHARTPROOF_SCREENSHOTS") != "1", reason="CHARTPROOF_SCREENSHOTS=1 makes the pictures"
)
def test_the_pictures_in_the_docs(learn):
    learn.mouse.move(2, 798)
    learn.wait_for_timeout(3000)
    learn.screenshot(path=ROOT / "docs" / "learn.png")
