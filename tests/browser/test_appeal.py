"""The Appeal page in a real browser: from a sample's denied line to a letter in Word."""

from __future__ import annotations

import os

import pytest

from tests.browser.conftest import ROOT

SAMPLE = "sleep-apnea"
pytestmark = pytest.mark.skipif(not (ROOT / "sample_notes" / SAMPLE).is_dir(), reason=f"no sample {SAMPLE}")


def open_appeal(page):
    page.get_by_role("link", name="Appeal").click()
    page.locator(".ap-point").first.wait_for()
    page.get_by_role("textbox", name="Letter").wait_for()
    page.wait_for_timeout(500)


def choose(page, box, option):
    page.get_by_role("combobox", name=box).click()
    page.get_by_role("option", name=option).click()
    page.wait_for_timeout(900)


def test_from_a_denied_line_to_a_letter_in_word(page, tmp_path):
    from docx import Document

    open_appeal(page)
    assert "E0601" in page.get_by_role("textbox", name="Letter").input_value()
    box = page.get_by_role("textbox", name="Letter")
    box.fill(box.input_value().replace("[Signature]", "Jo Example, MD"))
    box.press("Control+Enter")
    page.get_by_role("button", name="Write it anew").and_(page.locator(":not([disabled])")).wait_for()
    page.wait_for_timeout(900)
    with page.expect_download() as download:
        page.get_by_role("button", name="Word").click()
    path = tmp_path / "letter.docx"
    download.value.save_as(path)
    document = Document(str(path))
    words = "\n".join(
        [*(p.text for p in document.paragraphs), *(c.text for t in document.tables for r in t.rows for c in r.cells)]
    )
    assert "Jo Example, MD" in words and "Obstructive sleep apnea, severe (AHI 38)." in words
    assert "240.4" in words


def test_each_point_has_words_of_the_note_or_says_that_they_lack(page):
    open_appeal(page)
    note = (ROOT / "sample_notes" / SAMPLE / "note.txt").read_text(encoding="utf-8")
    points = page.locator(".ap-point")
    assert points.count() >= 3
    for number in range(points.count()):
        point = points.nth(number)
        quotes = point.locator("q").all_inner_texts()
        flat = " ".join(note.split())
        assert all(" ".join(quote.strip('“”"').split()) in flat for quote in quotes)
        label = point.locator(".cp-chip").inner_text()
        assert bool(quotes) == ("in the note" in label)


def test_the_note_of_the_review_page_is_taken_over(page):
    page.get_by_role("combobox", name="Sample note").click()
    page.get_by_role("option", name="Knee").first.click()
    page.locator(".cp-answer").wait_for()
    page.locator(".note mark").first.wait_for()
    page.wait_for_timeout(500)
    open_appeal(page)
    assert page.get_by_role("combobox", name="Note and claim").input_value() == "The note open on the Review page"
    choose(page, "Denied line", "20610")
    assert "20610" in page.get_by_role("textbox", name="Letter").input_value()
    page.get_by_role("link", name="Review").click()
    page.locator(".note mark").first.wait_for()


def test_a_code_that_cannot_be_a_reason_code_is_refused_in_words(page):
    open_appeal(page)
    box = page.get_by_role("combobox", name="Reason code (CARC)")
    box.click()
    box.fill("nonsense")
    box.press("Enter")
    page.get_by_text("is no adjustment reason code").wait_for()
    assert page.get_by_text("Traceback").count() == 0


def test_the_page_has_no_accessibility_faults(page, violations):
    open_appeal(page)
    found = violations()
    assert found == [], "\n".join(found)


@pytest.mark.skipif(
    os.environ.get("CHARTPROOF_SCREENSHOTS") != "1", reason="CHARTPROOF_SCREENSHOTS=1 makes the pictures"
)
def test_the_picture_in_the_docs(page):
    page.set_viewport_size({"width": 1280, "height": 860})
    open_appeal(page)
    page.mouse.move(2, 798)
    page.wait_for_timeout(800)
    page.screenshot(path=ROOT / "docs" / "appeal.png")
