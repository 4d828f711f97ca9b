"""The Worklist in a real browser: notes in, a row opened, queried and resolved by an addendum, charts, and access."""

from __future__ import annotations

import csv
import io
import os
import re
import zipfile

import pytest

from tests.browser.conftest import ROOT

NOTE = """HPI: {0} comes for follow-up.
ASSESSMENT AND PLAN
1. Heart failure. Continue furosemide.
2. Knee pain, x-ray ordered.
"""
HOSTILE = (
    "ASSESSMENT\n1. Heart failure <script>window.pwned=1</script> on furosemide, Zebrafishitis.\n"
    "2. Knee pain <img src='http://evil.example/x.png' onerror='window.pwned=1'> **bold**.\n"
)
PROBLEMS = (
    "Heart failure. Continue furosemide 40 mg.", "Type 2 diabetes with CKD. Metformin 500 mg.", "Knee pain, x-ray ordered.",
    "Asthma. Albuterol as needed.", "COPD. Tiotropium.", "Anemia. Check ferritin.", "Depression. Sertraline 50 mg.",
    "Osteoarthritis of the knee. Physical therapy for 6 weeks.", "Hypertension, well controlled on lisinopril.",
    "Ankle sprain. Brace.", "Atrial fibrillation on apixaban.", "Chronic kidney disease. Creatinine 1.9.",
    "Pressure ulcer of the heel. Offloading.", "Malnutrition. Supplements.",
)  # fmt: skip
PROVIDERS = ("Dr. Okafor", "Dr. Lindqvist", "Dr. Haddad", "Dr. Moreau")


def zipped(**notes):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in notes.items():
            archive.writestr(f"{name}.txt", text)
    return {"name": "clinic.zip", "mimeType": "application/zip", "buffer": packed.getvalue()}


def table(count, prefix, problems=PROBLEMS):
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["id", "text", "date_of_service", "provider", "claim"])
    for n in range(count):
        said = "\n".join(f"{k}. {problems[(n * 5 + k * 3) % len(problems)]}" for k in range(1, 2 + n % 3))
        code = ("99214", "99213", "83036", "20610")[n % 4]
        writer.writerow([f"{prefix}-{n:04}", f"HPI: Follow-up.\nASSESSMENT AND PLAN\n{said}\n", f"2026-05-{1 + n % 28:02}",
                         PROVIDERS[n % 4], f'{{"lines": [{{"code": "{code}", "pointers": [1]}}]}}'])  # fmt: skip
    return {"name": f"{prefix}.csv", "mimeType": "text/csv", "buffer": out.getvalue().encode()}


@pytest.fixture
def worklist(page):
    # The Review page loads its tables first; a page left in the midst of that takes the next one's progress away.
    page.locator("[data-test-script-state=notRunning]").first.wait_for(timeout=120_000)
    page.get_by_role("link", name="Worklist").click()
    page.get_by_role("button", name="Review and store").wait_for()
    return page


def upload(page, file, on=None):
    page.locator("[data-testid=stSidebar] input[type=file]").set_input_files(file)
    if on:
        page.locator("[data-testid=stExpander]", has_text="For notes that don't say it").locator("summary").click()
        page.get_by_role("group", name="Date of service").get_by_role("spinbutton").first.click()
        page.keyboard.type(on.replace("-", ""))
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        page.wait_for_timeout(800)
    button = page.get_by_role("button", name="Review and store")
    page.wait_for_function(
        "() => [...document.querySelectorAll('button')].some(b => b.innerText.includes('Review and store') && !b.disabled)"
    )
    button.click()


def finish(page, seconds=90):
    page.get_by_role("button", name="Close").wait_for(timeout=seconds * 1000)
    return page.locator(".st-key-wl_progress").inner_text()


def row(page, note, words):
    return page.locator("tbody tr", has_text=note).filter(has_text=words)


def grave(violations):
    return [v for v in violations() if v.startswith(("serious", "critical", "moderate"))]


def test_from_a_zip_to_a_gap_that_an_addendum_resolves(worklist, violations, tmp_path):
    page = worklist
    assert not grave(violations)
    upload(page, zipped(visit1=NOTE.format("Patient"), visit2=HOSTILE), on="2026-05-12")
    assert "2 new" in finish(page)
    laterality = row(page, "visit1", "laterality")
    laterality.wait_for()
    assert not grave(violations)

    laterality.get_by_role("button").click()
    page.locator(".note mark.lit").first.wait_for()
    assert page.locator(".note").evaluate("note => note.textContent") == NOTE.format("Patient")
    assert page.get_by_role("button", name="Edit").is_hidden()
    assert not grave(violations)
    query = page.locator("[data-testid=stCode]").inner_text()
    assert "05/12/2026" in query
    with page.expect_download() as download:
        page.locator(".st-key-wl_query").get_by_role("button", name="Word").click()
    download.value.save_as(tmp_path / "query.docx")
    assert (tmp_path / "query.docx").read_bytes()[:2] == b"PK"
    page.get_by_role("button", name="Mark as sent").click()
    page.locator(".w-card .w-queried").wait_for()
    page.locator(".w-history", has_text="query sent").wait_for()

    page.locator(".st-key-wl_addendum summary").click()
    box = page.get_by_label("What the provider added")
    box.fill("The knee pain is in the right knee.")
    box.press("Control+Enter")
    page.get_by_role("button", name="Add and review again").click()
    page.locator(".w-card .w-resolved").wait_for(timeout=20_000)
    assert "right knee" in page.locator(".note").inner_text()
    page.locator(".w-title", has_text="version 2").wait_for()
    assert not grave(violations)

    page.get_by_role("button", name="Queue", exact=True).click()
    page.get_by_role("tab", name="Charts").click()
    page.locator("[data-testid=stVegaLiteChart]").nth(2).wait_for()
    page.wait_for_timeout(1000)
    assert not grave(violations)
    page.get_by_role("tab", name="Scorecards").click()
    page.locator(".w-cards").wait_for()
    assert not grave(violations)
    page.get_by_role("tab", name="Query sheet").click()
    page.get_by_role("button", name=re.compile("Mark .* as queried")).wait_for()
    assert not grave(violations)


def test_hostile_words_stay_words_and_leave_no_trace(worklist, server):
    page = worklist
    upload(page, zipped(hostile=HOSTILE), on="2026-05-12")
    finish(page)
    row(page, "hostile", "").first.get_by_role("button").click()
    page.locator(".note mark").first.wait_for()
    assert page.locator(".note").evaluate("note => note.textContent") == HOSTILE
    assert page.evaluate("window.pwned") is None
    assert page.locator("img[src*=evil]").count() == 0
    assert "Zebra" not in page.url
    assert "Zebrafishitis" not in server[1].read_text()


def test_a_row_is_opened_and_a_gap_dismissed_by_keyboard(worklist):
    page = worklist
    upload(page, table(2, "keys"))
    finish(page)
    row(page, "keys-0000", "").first.get_by_role("button").focus()
    page.keyboard.press("Enter")
    page.locator(".w-card .w-open").wait_for()
    page.get_by_role("button", name="Dismiss").focus()
    page.keyboard.press("Enter")
    reason = page.get_by_role("combobox", name="Reason")
    reason.wait_for()
    reason.fill("Asked about before")
    reason.press("Enter")
    page.wait_for_function(
        "() => [...document.querySelectorAll('button')].some(b => b.innerText.includes('Dismiss this gap') && !b.disabled)"
    )
    page.get_by_role("button", name="Dismiss this gap").focus()
    page.keyboard.press("Enter")
    page.locator(".w-card .w-dismissed").wait_for()


@pytest.mark.slow
def test_a_thousand_notes_move_on_while_the_page_answers(worklist):
    page = worklist
    upload(page, table(1000, "many", ("Cough.", "Knee pain.", "Asthma.", "Anemia.")))
    seen = []
    switched = False
    for _ in range(1200):
        bar = page.locator(".st-key-wl_progress")
        said = bar.inner_text() if bar.count() else ""
        number = re.search(r"([\d,]+) of 1,000", said)
        if number and (not seen or seen[-1] != number[1]):
            seen.append(number[1])
        if len(seen) >= 3 and not switched:
            # Another control answers while notes are on their way.
            page.get_by_role("tab", name="Scorecards").click()
            page.locator(".w-cards").wait_for(timeout=15_000)
            page.get_by_role("button", name="Stop").wait_for(timeout=10_000)
            switched = True
        if "Close" in said:
            break
        page.wait_for_timeout(250)
    assert "1,000 new" in page.locator(".st-key-wl_progress").inner_text()
    assert switched
    assert len(seen) >= 5


@pytest.mark.slow
def test_an_upload_is_stopped_and_what_is_done_stays(worklist):
    page = worklist
    upload(page, table(400, "stopped"))
    page.wait_for_function(
        r"() => /[1-9]\d* of 400/.test(document.querySelector('.st-key-wl_progress')?.innerText || '')", timeout=120_000
    )
    page.get_by_role("button", name="Stop").click()
    said = finish(page)
    done = int(re.search(r"stopped after (\d+) of 400", said)[1])
    assert 0 < done < 400


@pytest.mark.skipif(
    os.environ.get("CHARTPROOF_SCREENSHOTS") != "1", reason="CHARTPROOF_SCREENSHOTS=1 makes the pictures"
)
def test_the_picture_in_the_docs(worklist):
    page = worklist
    upload(page, table(24, "visit"))
    finish(page)
    page.get_by_role("button", name="Close").click()
    page.locator(".st-key-wl_progress").wait_for(state="detached")
    for number in range(3):
        row(page, f"visit-000{number}", "").first.get_by_role("button").click()
        page.get_by_role("button", name="Mark as sent").click()
        page.locator(".w-card .w-queried").wait_for()
        page.get_by_role("button", name="Queue", exact=True).click()
        row(page, f"visit-000{number}", "queried").first.wait_for()
    page.mouse.move(2, 798)
    page.wait_for_timeout(1200)
    page.locator(".cp-sub code").first.evaluate(
        "code => { code.textContent = '~/.local/share/chartproof/chartproof.db'; }"
    )
    page.screenshot(path=ROOT / "docs" / "worklist.png")
