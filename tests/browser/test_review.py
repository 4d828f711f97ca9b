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


@pytest.fixture(autouse=True)
def patience(page):
    """What doesn't come in half a minute, code sets compiled and all, doesn't come."""
    page.set_default_timeout(30_000)


def pick_sample(page, title=TITLE):
    page.get_by_role("combobox", name="Sample note").click()
    page.get_by_role("option", name=title).click()
    page.locator(".cp-answer").wait_for()
    page.locator(".note mark").first.wait_for()
    page.wait_for_timeout(400)


def note_field(page):
    """The editor: open on an empty page, else behind Edit."""
    box = page.get_by_role("textbox", name="Note", exact=True)
    page.locator(".cp textarea").wait_for(state="attached")
    page.wait_for_timeout(150)
    if not box.is_visible():
        page.get_by_role("button", name="Edit", exact=True).click()
    return box


def paste(page, text):
    box = note_field(page)
    box.fill(text)
    box.press("Control+Enter")
    page.locator(".cp-answer").wait_for()
    page.locator(".note mark").first.wait_for()


def lit(page):
    return page.locator(".note mark.lit, .note i.said").all_inner_texts()


def search(page, words):
    page.get_by_role("link", name="Reference").click()
    box = page.get_by_label("Search codes, services, policies and rules")
    box.fill(words)
    box.press("Enter")


def test_from_a_sample_to_the_downloaded_report(page, tmp_path):
    pick_sample(page)
    assert page.locator(".note mark.a-coded").count() >= 3
    assert page.locator(".note mark.a-negated").count() >= 1
    assert "codes supported" in page.locator(".cp-answer").inner_text()

    page.get_by_role("button", name="N18.32").click()
    page.locator(".note mark.lit").first.wait_for()
    page.wait_for_timeout(900)
    frame = page.locator(".scroll").bounding_box()
    tops = [m.bounding_box()["y"] for m in page.locator(".note mark.lit").all()]
    assert any(frame["y"] <= top <= frame["y"] + frame["height"] for top in tops)
    assert page.locator(".cp-crumb").inner_text().replace("\n", " ").count("N18") >= 2

    page.get_by_role("tab", name="Claim").click()
    page.locator(".cp-matrix").wait_for()
    assert page.locator(".cp-matrix tbody tr").count() == 3

    got = {}
    page.get_by_role("button", name="Report", exact=False).first.click()
    for name in ("PDF", "Word", "HTML", "Markdown", "JSON", "Codes as CSV", "Gaps as CSV"):
        with page.expect_download() as download:
            page.get_by_role("button", name=name, exact=True).click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        got[path.suffix, path.stem] = path.read_bytes()
    assert got[".pdf", "report"].startswith(b"%PDF")
    assert got[".docx", "report"].startswith(b"PK")
    assert b"N18.32" in got[".csv", "codes"]
    assert all(got.values())
    report = json.loads(got[".json", "report"])
    assert report["schema"] == "chartproof.report/1"
    assert {p["code"] for p in report["proposals"]} >= {"N18.32"}
    text = (ROOT / "sample_notes" / SAMPLE / "note.txt").read_text(encoding="utf-8")
    assert all(text[f["start"] : f["end"]] == f["text"] for f in report["findings"])


def test_clicking_marked_words_opens_the_code_that_rests_on_them(page):
    pick_sample(page)
    page.get_by_role("tab", name="Gaps").click()
    page.get_by_text("What the note documents").wait_for()
    page.locator(".note mark.a-coded", has_text="Mixed hyperlipidemia").click()
    page.locator(".st-key-open_card", has_text="E78.2").wait_for()
    assert page.get_by_role("tab", name="Codes").get_attribute("aria-selected") == "true"


def test_marks_are_reached_and_opened_by_keyboard(page):
    pick_sample(page)
    mark = page.locator(".note mark.a-coded", has_text="Mixed hyperlipidemia")
    mark.focus()
    assert "E78.2" in page.locator(".about").inner_text()
    page.keyboard.press("Enter")
    page.locator(".st-key-open_card", has_text="E78.2").wait_for()


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
    page.locator("[data-result]").first.click()
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
    assert page.locator(".note").inner_text().startswith("INTERNAL MEDICINE")


def test_a_quote_shows_its_words_without_opening_anything_and_lets_go_again(page):
    pick_sample(page)
    quote = page.locator(".cp-quote").nth(2)
    quote.click()
    words = quote.locator("q").inner_text()
    assert "".join(lit(page)).replace("\n", " ").startswith(words.rstrip("…"))
    assert page.locator(".st-key-open_card").count() == 0
    quote.click()
    assert lit(page) == []


@pytest.mark.parametrize("tab", ["Codes", "Claim", "Gaps", "E/M", "Why not"])
def test_every_result_with_words_shows_them_in_the_note(page, tab):
    pick_sample(page)
    page.get_by_role("tab", name=tab, exact=True).click()
    page.wait_for_timeout(600)
    quotes = page.locator(".st-key-results [data-show]:visible")
    assert quotes.count() > 0
    for n in range(min(quotes.count(), 6)):
        quotes.nth(n).click()
        assert lit(page), (tab, n)


def test_a_second_click_on_words_opens_the_gap_that_rests_on_them(page):
    paste(page, "ASSESSMENT\n1. Asthma, on albuterol.\n")
    mark = page.locator(".note mark", has_text="Asthma")
    mark.click()
    page.locator(".st-key-open_card", has_text="J45.909").wait_for()
    mark.click()
    page.locator(".st-key-open_card", has_text="Asthma").locator("text=Query").first.wait_for()
    assert page.get_by_role("tab", name="Gaps").get_attribute("aria-selected") == "true"


def test_editing_the_note_reviews_it_again_and_keeps_the_place(page):
    pick_sample(page)
    scroll = page.locator(".scroll")
    scroll.evaluate("box => { box.style.scrollBehavior = 'auto'; box.scrollTop = 300; }")
    before = scroll.evaluate("box => box.scrollTop")
    page.keyboard.press("Alt+e")
    box = page.get_by_role("textbox", name="Note", exact=True)
    text = box.input_value()
    assert page.evaluate("document.activeElement.shadowRoot?.activeElement?.tagName") == "TEXTAREA"
    box.press("Escape")
    assert not box.is_visible()
    paste(page, text.rstrip() + "\n9. Gout, on allopurinol.\n")
    page.locator("[data-result]", has_text="M10.9").wait_for()
    assert not box.is_visible()
    assert abs(scroll.evaluate("box => box.scrollTop") - before) < 60
    page.locator(".note mark", has_text="Gout").wait_for()


def test_an_edit_that_is_left_changes_nothing(page):
    pick_sample(page)
    box = note_field(page)
    box.fill("something else")
    page.get_by_role("button", name="Back to the marks").click()
    assert page.locator(".note").inner_text().startswith("INTERNAL MEDICINE")
    assert note_field(page).input_value().startswith("INTERNAL MEDICINE")


def test_codes_are_decided_by_keyboard_alone(page):
    pick_sample(page)
    page.keyboard.press("Alt+ArrowDown")  # still in the list of samples: there the keys open the list
    assert page.locator(".st-key-open_card").count() == 0
    page.keyboard.press("Escape")
    page.locator(".scroll").focus()
    page.keyboard.press("Alt+ArrowDown")
    page.locator(".st-key-open_card").wait_for()
    first = page.locator(".st-key-open_card .cp-pick b").inner_text()
    page.keyboard.press("Alt+a")
    page.locator(".cp-made", has_text="accepted").first.wait_for()
    page.keyboard.press("Alt+ArrowDown")
    page.wait_for_function(
        "first => { const b = document.querySelector('.st-key-open_card .cp-pick b'); return b && b.textContent !== first }",
        arg=first,
    )
    page.wait_for_timeout(500)
    page.keyboard.press("Alt+x")
    reason = page.get_by_role("combobox", name="Reason")
    reason.wait_for()
    reason.focus()
    page.keyboard.type("Not addressed today")
    page.keyboard.press("Enter")
    page.locator(".cp-made", has_text="rejected: Not addressed today").first.wait_for()


def test_everything_is_reached_by_tab_and_the_focus_is_seen(page):
    pick_sample(page)
    seen = set()
    for _ in range(140):
        page.keyboard.press("Tab")
        seen.add(
            page.evaluate("""() => {
            let e = document.activeElement;
            while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
            const s = getComputedStyle(e), around = e.closest("[data-baseweb], label, div");
            return e.className?.split?.(" ")[0] + "|" + e.tagName + "|" + (e.dataset?.result ? "result" : "");
        }""")
        )
    text = " ".join(seen)
    for wanted in ("cp-pick|BUTTON|result", "edit|BUTTON", "MARK", "cp-quote|BUTTON", "scroll|DIV"):
        assert wanted in text, (wanted, sorted(seen))
    page.locator("[data-result]").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    outline = page.locator("[data-result]").first.evaluate("b => getComputedStyle(b).outlineStyle")
    assert outline == "solid"


def test_codes_are_looked_up_while_typing_and_go_into_the_claim(page):
    field = page.get_by_role("combobox", name="Find a diagnosis or service")
    field.press_sequentially("primary osteoarthritis right kn", delay=15)
    page.get_by_role("option", name="M17.11").wait_for()
    field.press("ArrowDown")
    assert field.get_attribute("aria-activedescendant")
    page.get_by_role("option", name="M17.11").click()
    page.locator(".cp-dx", has_text="M17.11").wait_for()
    assert page.get_by_role("textbox", name="Diagnoses, A to L").input_value() == "M17.11"


def test_a_code_is_replaced_by_one_looked_up(page):
    paste(page, "ASSESSMENT\n1. Hypertension, on lisinopril.\n")
    page.get_by_role("button", name="I10").click()
    page.get_by_role("button", name="Replace").click()
    field = page.get_by_role("combobox", name="Find the code")
    field.press_sequentially("I15.9", delay=15)
    page.get_by_role("option", name="I15.9").click()
    reason = page.get_by_role("combobox", name="Reason")
    reason.click()
    page.get_by_role("option", name="The words mean another condition").click()
    page.locator(".cp-made", has_text="replaced by I15.9").first.wait_for()


def test_suggested_pointers_are_taken_over_with_one_click(page):
    pick_sample(page, "Heart failure, a letter from cardiology")
    page.get_by_role("tab", name="Claim").click()
    button = page.get_by_role("button", name="Point line 3 to D", exact=True)
    button.click()
    button.wait_for(state="detached")
    assert "points to no diagnosis" not in page.locator(".st-key-results").inner_text()


def test_the_other_setting_shows_what_changes(page):
    paste(page, "ASSESSMENT\n1. Probable pneumonia, on ceftriaxone.\n2. Hypertension, on lisinopril.\n")
    page.get_by_text("IP", exact=True).click()
    changes = page.locator(".cp-diff")
    changes.wait_for()
    assert "J18.9" in changes.inner_text()
    changes.locator(".cp-said").first.click()
    assert any("pneumonia" in words for words in lit(page))


@pytest.mark.parametrize("ending", ["txt", "docx"])
def test_a_file_is_uploaded_and_reviewed(page, tmp_path, ending):
    path = tmp_path / f"visit.{ending}"
    lines = ["ASSESSMENT", "1. Gout, on allopurinol."]
    if ending == "docx":
        docx = pytest.importorskip("docx")
        document = docx.Document()
        for line in lines:
            document.add_paragraph(line)
        document.save(path)
    else:
        path.write_text("\n".join(lines), encoding="utf-8")
    page.get_by_role("button", name="Upload").first.click()
    page.locator("input[type=file]").set_input_files(path)
    page.locator("[data-result]", has_text="M10.9").wait_for()


def test_saving_says_where_and_keeps_the_note_only_then(page):
    pick_sample(page)
    page.get_by_role("button", name="Save").click()
    page.locator("code", has_text="kept.db").wait_for()
    page.get_by_role("button", name="Save on this machine").click()
    page.get_by_text("Saved, 0 decisions").wait_for()


def test_a_note_of_500_kb_neither_hangs_the_page_nor_loses_a_character(page):
    text = HOSTILE * (500_000 // len(HOSTILE))
    box = note_field(page)
    box.evaluate("(box, text) => { box.value = text; }", text)  # at once, as a paste is; `fill` types
    box.press("Control+Enter")
    page.locator(".note mark").first.wait_for(timeout=120_000)
    assert page.locator(".note").evaluate("note => note.textContent.length") == page.evaluate("t => t.length", text)
    # The page answers: a filter, a quote, another tab.
    page.locator(".legend button.k-treatment").click()
    page.locator(".cp-quote").first.click()
    assert lit(page)
    page.get_by_role("tab", name="Gaps", exact=True).click(timeout=20_000)
    page.get_by_text("What the note documents").wait_for(timeout=20_000)
    assert page.evaluate("window.pwned") is None


def test_a_note_from_right_to_left_keeps_its_words_and_its_direction(page):
    text = "\u05d0\u05d1\u05d7\u05e0\u05d4: Hypertension, \u05e2\u05dc lisinopril.\nASSESSMENT\n1. Asthma \U0001f9e0, on albuterol.\n"
    paste(page, text)
    assert page.locator(".note").evaluate("note => note.textContent") == text
    page.locator(".cp-quote", has_text="Asthma").first.click()
    assert lit(page) == ["Asthma"]


# Rules of axe that Streamlit's own markup breaks and that can't be mended from here, each with what is behind it.
STREAMLITS_OWN: set[str] = set()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_accessibility_fault_on_the_review_page(page, violations, scheme):
    page.emulate_media(color_scheme=scheme)
    page.wait_for_timeout(800)
    found = {"empty": violations()}
    pick_sample(page, "Heart failure, a letter from cardiology")
    for tab in ("Claim", "Gaps", "E/M", "Why not", "Codes"):
        page.get_by_role("tab", name=tab, exact=True).click()
        page.wait_for_timeout(700)
        if tab in ("Codes", "Gaps"):
            page.locator("[data-result]:visible").first.click()
            page.locator(".st-key-open_card").wait_for()
            page.wait_for_timeout(500)
            if tab == "Codes":
                page.keyboard.press("Alt+x")
                page.get_by_role("combobox", name="Reason").wait_for()
        found[tab] = violations()
    page.keyboard.press("Alt+e")
    found["editor"] = violations()
    ours = {name: [v for v in some if v.split(" ")[1] not in STREAMLITS_OWN] for name, some in found.items()}
    assert not any(ours.values()), ours


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
    page.get_by_role("tab", name="Claim").click()
    page.emulate_media(color_scheme="dark")
    page.mouse.move(2, 798)
    page.wait_for_timeout(1200)
    page.screenshot(path=ROOT / "docs" / "review-dark.png")
