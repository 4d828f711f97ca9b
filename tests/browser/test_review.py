"""The Review page in a real browser: the main path, marks and codes both ways, and that a note stays text."""

from __future__ import annotations

import json
import os
from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import ROOT

SAMPLE = "diabetes-ckd"
TITLE = "Diabetes, kidney disease and hypertension in primary care"
HOSTILE = """ASSESSMENT
1. Hypertension <script>window.pwned = 1</script> on lisinopril.
2. Type 2 diabetes <img src="http://evil.example/x.png" onerror="window.pwned = 1"> **bold** $\\frac{1}{0}$.
3. Asthma ![x](http://evil.example/y.png) <style>* { display: none }</style> \u202eZebrafishitis\u202c.
"""

pytestmark = pytest.mark.skipif(not (ROOT / "sample_notes" / SAMPLE).is_dir(), reason=f"no sample {SAMPLE}")


def pick_sample(page, title=TITLE):
    page.get_by_role("combobox", name="Sample note").click()
    page.get_by_role("option", name=title).click()
    page.locator(".cp-answer").wait_for()
    page.locator(".note mark").first.wait_for()
    page.wait_for_timeout(400)


def paste(page, text):
    box = page.get_by_role("textbox", name="Note", exact=True)
    box.fill(text)
    box.press("Control+Enter")
    page.locator(".cp-answer").wait_for()
    page.locator(".note mark").first.wait_for()


def search(page, words):
    page.get_by_role("link", name="Reference").click()
    box = page.get_by_placeholder("A code, words of a title")
    box.fill(words)
    box.press("Enter")


def test_from_a_sample_to_the_downloaded_report(page, tmp_path):
    pick_sample(page)
    assert page.locator(".note mark.a-coded").count() >= 3
    assert page.locator(".note mark.a-negated").count() >= 1
    assert "codes supported" in page.locator(".cp-answer").inner_text()

    page.get_by_role("button", name="N18.32").click()
    page.locator(".note mark.lit").first.wait_for()
    lit = page.locator(".note mark.lit").first
    page.wait_for_timeout(900)
    frame, mark = page.locator(".scroll").bounding_box(), lit.bounding_box()
    assert frame["y"] <= page.locator(".note mark.lit").last.bounding_box()["y"] <= frame["y"] + frame["height"] or (
        frame["y"] <= mark["y"] <= frame["y"] + frame["height"]
    )
    assert page.locator(".cp-crumb").inner_text().replace("\n", " ").count("N18") >= 2

    page.get_by_role("tab", name="Claim").click()
    page.locator(".cp-matrix").wait_for()
    assert page.locator(".cp-matrix tbody tr").count() == 3

    page.get_by_role("button", name="Report").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    path = tmp_path / "report.json"
    download.value.save_as(path)
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report["schema"] == "chartproof.report/1"
    assert {p["code"] for p in report["proposals"]} >= {"N18.32"}
    text = (ROOT / "sample_notes" / SAMPLE / "note.txt").read_text(encoding="utf-8")
    assert all(text[f["start"] : f["end"]] == f["text"] for f in report["findings"])


def test_clicking_marked_words_opens_the_code_that_rests_on_them(page):
    pick_sample(page)
    page.get_by_role("tab", name="Gaps").click()
    page.locator("[class*=st-key-gap_]").first.wait_for()
    page.locator(".note mark.a-coded", has_text="Mixed hyperlipidemia").click()
    page.locator("[class*=st-key-code_][class*=_open]", has_text="E78.2").wait_for()
    assert page.get_by_role("tab", name="Codes").get_attribute("aria-selected") == "true"


def test_marks_are_reached_and_opened_by_keyboard(page):
    pick_sample(page)
    mark = page.locator(".note mark.a-coded", has_text="Mixed hyperlipidemia")
    mark.focus()
    assert "E78.2" in page.locator(".about").inner_text()
    page.keyboard.press("Enter")
    page.locator("[class*=st-key-code_][class*=_open]", has_text="E78.2").wait_for()


def test_filters_take_marks_away_and_bring_them_back(page):
    pick_sample(page)
    shown = page.locator(".note mark:not(.off)")
    everything = shown.count()
    button = page.get_by_role("button", name="hide negated")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert shown.count() == everything - page.locator(".note mark.a-negated").count() < everything
    button.click()
    page.locator(".legend button.k-treatment").click()
    assert page.locator(".note mark.k-treatment:not(.off)").count() == 0
    page.locator(".legend button.k-treatment").click()
    assert shown.count() == everything


def test_the_note_shown_is_the_note_given(page):
    pick_sample(page)
    text = (ROOT / "sample_notes" / SAMPLE / "note.txt").read_text(encoding="utf-8")
    assert page.locator(".note").evaluate("note => note.textContent") == text


def test_a_hostile_note_runs_nothing_asks_nobody_and_leaves_no_trace(page, server):
    paste(page, HOSTILE)
    assert page.locator(".note").evaluate("note => note.textContent") == HOSTILE
    for tab in ("Claim", "Gaps", "E/M", "Why not", "Codes"):
        page.get_by_role("tab", name=tab, exact=True).click()
        page.wait_for_timeout(300)
    page.locator("[class*=st-key-pick_] button").first.click()
    page.locator(".note mark.lit").first.wait_for()
    assert page.evaluate("window.pwned") is None
    assert page.locator("img[src*=evil]").count() == 0
    assert "Zebra" not in page.url
    assert urlsplit(page.url).query == ""
    assert "Zebrafishitis" not in server[1].read_text()


def test_what_is_typed_into_the_claim_is_shown_as_text(page):
    page.get_by_role("textbox", name="Diagnoses, A to L").fill("<b>E11.9</b>")
    page.get_by_role("textbox", name="Diagnoses, A to L").press("Enter")
    page.locator(".cp-dx").wait_for()
    assert page.locator(".cp-dx b b").count() == 0
    assert page.get_by_text("Traceback").count() == 0


def test_the_reference_page_shows_a_code_and_the_note_is_still_there_on_return(page):
    pick_sample(page)
    search(page, "E11.22")
    page.locator(".cp-tab h2", has_text="E11.22").wait_for()
    page.get_by_role("link", name="Review").click()
    page.locator(".note mark").first.wait_for()
    assert page.get_by_role("textbox", name="Note", exact=True).input_value().startswith("INTERNAL MEDICINE")


@pytest.mark.skipif(
    os.environ.get("CHARTPROOF_SCREENSHOTS") != "1", reason="CHARTPROOF_SCREENSHOTS=1 makes the pictures"
)
def test_the_pictures_in_the_docs(page):
    pick_sample(page, "Heart failure, a letter from cardiology")
    page.get_by_role("button", name="I50.23").click()
    page.locator(".note mark.lit").first.wait_for()
    page.mouse.move(2, 798)
    page.wait_for_timeout(1200)
    page.screenshot(path=ROOT / "docs" / "review.png")
    search(page, "I50.23")
    page.locator(".cp-tab h2", has_text="I50.23").wait_for()
    page.wait_for_timeout(800)
    page.screenshot(path=ROOT / "docs" / "reference.png")
