"""Import of coverage downloads: every row loaded or counted, damage refused and nothing changed by it, the right version."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from code_maps.coverage import policy_book
from code_maps.coverage.mcd import import_paths, read_manifest, store
from code_maps.coverage.mcd.reader import Version, in_force, why_none
from code_maps.coverage.mcd.tables import COLUMNS, NEEDED
from code_maps.icd10cm import load
from code_maps.icd10cm.problems import ImportProblem
from models.claim import Claim
from pipeline.claims import check_claim

ROOT = Path(__file__).parent.parent
ON = dt.date(2026, 5, 12)
HELD = [[5, 9, 1]]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CHARTPROOF_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def article(number=100, version=3, **cells):
    row = {
        "article_id": number, "article_version": version, "article_type": 6, "title": "Test of a widget",
        "article_eff_date": "2024-01-01 00:00:00", "status": "A", "description": "<p>General text.</p>",
    }  # fmt: skip
    return {**row, **cells}


def of(number=100, version=3, **cells):
    return {"article_id": number, "article_version": version, **cells}


def basic(**more):
    """The tables of a download with one article: widget tests 10001 and 10002 in Florida."""
    tables = {
        "article": [article()],
        "article_x_contractor": [of(contractor_id=5, contractor_type_id=9, contractor_version=1)],
        "article_x_hcpc_code": [
            of(hcpc_code_id=c, hcpc_code_group=1, range="N", long_description="A SECRET NAME") for c in ("10001", "10002")
        ],
        "article_x_icd10_covered": [
            of(icd10_code_id=c, icd10_covered_group=1, range="N", sort_order=n) for n, c in enumerate(("I10", "E11.9"), 1)
        ],
        "article_x_icd10_covered_group": [of(icd10_covered_group=1, paragraph="<p>These codes support the test.</p>")],
        "contractor": [{"contractor_id": 5, "contractor_type_id": 9, "contractor_version": 1, "contractor_subtype_id": 2}],
        "contractor_jurisdiction": [
            {"contractor_id": 5, "contractor_type_id": 9, "contractor_version": 1, "state_id": 12,
             "active_date": "2008-01-01 00:00:00"}
        ],
        "state_lookup": [{"state_id": 12, "state_abbrev": "FL"}, {"state_id": 63, "state_abbrev": "DN"}],
        "article_future_retire": [],
    }  # fmt: skip
    return {**tables, **more}


def as_csv(name, rows, columns=None, encoding="cp1252"):
    columns = columns or [
        *COLUMNS.get(name, ()),
        *(["long_description"] if "hcpc_code" in name else []),
        "last_updated",
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, quoting=csv.QUOTE_ALL, lineterminator="\r\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def files_of(tables, kind="article"):
    return {f"{name}.csv": as_csv(name, tables.get(name, ())) for name in {*NEEDED[kind], *tables}}


def zipped(path, files, nested=True, order=None):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in order or sorted(files):
            archive.writestr(name, files[name])
    if not nested:
        path.write_bytes(inner.getvalue())
        return path
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("current_article_csv.zip", inner.getvalue())
        archive.writestr("readme_first.txt", "about")
    return path


def given_download(tmp_path, tables=None, name="current_article.zip", **changed):
    return zipped(tmp_path / name, {**files_of(tables or basic()), **changed})


def line(code="10001", diagnoses=("I10",), pointers=None, on=ON, **more):
    claim = {
        "date_of_service": on, "state": "FL", "diagnoses": list(diagnoses),
        "lines": [{"code": code, "pointers": pointers or list(range(1, len(diagnoses) + 1)), "modifiers": more.pop("modifiers", [])}],
        **more,
    }  # fmt: skip
    return check_claim(Claim.model_validate(claim), load).lines[0]


def everything_in(folder):
    return sorted((str(p.relative_to(folder)), p.read_bytes()) for p in folder.rglob("*") if p.is_file())


# --- what is read ------------------------------------------------------------------------------------------------


def test_an_imported_article_decides_a_line_and_is_quoted(tmp_path, home):
    report = import_paths([given_download(tmp_path)])
    assert not report.warnings
    assert report.imported[0].tables["article_x_icd10_covered"].loaded == 2
    verdict = line()
    assert (verdict.verdict, verdict.policy.id, verdict.policy.version, verdict.policy.group) == ("PASS", "A100", 3, 1)
    assert verdict.policy.quote == "These codes support the test."
    assert line(diagnoses=["R53.83"]).verdict == "FAIL_DX"
    assert line(code="10003").verdict == "NO_POLICY"


def test_descriptors_of_procedures_never_reach_the_store(tmp_path, home):
    import_paths([given_download(tmp_path)])
    assert not any(b"SECRET" in data for _, data in everything_in(home))


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig"])
def test_each_file_is_read_in_its_own_encoding(tmp_path, home, encoding):
    rows = [of(icd10_covered_group=1, paragraph="<p>Sjögren’s – codes that support</p>")]
    name = "article_x_icd10_covered_group"
    import_paths([given_download(tmp_path, **{f"{name}.csv": as_csv(name, rows, encoding=encoding)})])
    assert line().policy.quote == "Sjögren’s – codes that support"


def test_entities_escaped_twice_and_line_ends_in_cells_are_undone(tmp_path, home):
    rows = [
        of(icd10_covered_group=1, paragraph="<p>One &amp;amp; two&amp;nbsp;three</p>\n<p>&lt;b&gt;four&lt;/b&gt;</p>")
    ]
    import_paths([given_download(tmp_path, basic(article_x_icd10_covered_group=rows))])
    assert line().policy.quote == "One & two three\nfour"


def test_a_folder_and_its_single_files_are_a_download_too(tmp_path, home):
    folder = tmp_path / "unpacked"
    folder.mkdir()
    for name, data in files_of(basic()).items():
        (folder / name).write_bytes(data)
    import_paths([folder])
    first = read_manifest()["article"].digest
    import_paths(sorted(folder.glob("*.csv")))
    assert read_manifest()["article"].digest == first


def test_the_order_of_members_does_not_matter(tmp_path, home):
    files = files_of(basic())
    import_paths([zipped(tmp_path / "a.zip", files, order=sorted(files, reverse=True))])
    assert line().verdict == "PASS"


def test_requestor_letters_are_read_with_and_without_a_header(tmp_path, home):
    letters = '"930101","3","1","Someone","/a.pdf","1","1","2024-01-01 00:00:00"\r\n'
    header = "lcd_id,lcd_version,letter_id,requestor_name,letter_path,size,sort_order,last_updated\r\n"
    shared = basic()
    for text in (letters, header + letters):
        tables = {name: shared.get(name, []) for name in NEEDED["lcd"]}
        files = {**files_of(tables, "lcd"), "lcd_x_requestor_letters.csv": text.encode()}
        report = import_paths([zipped(tmp_path / "current_lcd.zip", files)])
        assert report.imported[0].tables["lcd_x_requestor_letters"].loaded == 1
        assert [str(w) for w in report.warnings] == ["lcd.csv: missing: titles, dates and texts of LCDs are unknown"]


def test_an_lcd_import_keeps_the_articles_and_gives_dme_procedures(tmp_path, home):
    contractor = [{"contractor_id": 5, "contractor_type_id": 10, "contractor_version": 1, "contractor_subtype_id": 4}]
    places = [{"contractor_id": 5, "contractor_type_id": 10, "contractor_version": 1, "state_id": 12}]
    tables = basic(
        article_x_hcpc_code=[of(hcpc_code_id="XX000", hcpc_code_group=1)],
        article_x_contractor=[of(contractor_id=5, contractor_type_id=10, contractor_version=1)],
        article_related_documents=[of(r_lcd_id=900, r_lcd_version=2)],
        contractor=contractor, contractor_jurisdiction=places,
        article_x_icd10_covered_group=[of(icd10_covered_group=1, paragraph="The KX modifier must be on the line.")],
    )  # fmt: skip
    import_paths([given_download(tmp_path, tables)])
    assert line("K0999", contract="DME").verdict == "NO_POLICY"
    lcd = {
        "lcd_x_hcpc_code": [{"lcd_id": 900, "lcd_version": 2, "hcpc_code_id": "K0999", "hcpc_code_group": 1}],
        "lcd_x_contractor": [], "contractor": contractor, "contractor_jurisdiction": places,
        "state_lookup": tables["state_lookup"],
    }  # fmt: skip
    import_paths([zipped(tmp_path / "current_lcd.zip", files_of(lcd, "lcd"))])
    assert set(read_manifest()) == {"article", "lcd"}
    assert line("K0999", contract="DME", modifiers=["KX"]).verdict == "PASS"
    assert line("K0999", contract="DME").reasons == ("dx-covered", "modifier-condition")
    assert line("K0999").reasons == ("contract-type-mismatch",)


# --- which article and version -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"status": "P"}, "article-proposed"),
        ({"display_id": "DA100"}, "article-proposed"),
        ({"article_eff_date": "2026-05-13 00:00:00"}, "not-effective-on-dos"),
        ({"article_rev_end_date": "2026-05-11 00:00:00"}, "not-effective-on-dos"),
        ({"date_retired": "2026-05-11 23:59:59", "status": "R"}, "article-retired"),
        ({"article_end_date": "2026-05-11"}, "article-retired"),
    ],
)
def test_an_article_out_of_use_says_why(tmp_path, home, cells, reason):
    import_paths([given_download(tmp_path, basic(article=[article(**cells)]))])
    assert line().reasons == (reason,)


def test_an_end_date_is_the_last_day(tmp_path, home):
    import_paths([given_download(tmp_path, basic(article=[article(date_retired="2026-05-12 00:00:00.123000000")]))])
    assert line().verdict == "PASS"


def test_a_retirement_announced_for_later_ends_the_article_then(tmp_path, home):
    retire = [{"article_id": 100, "retire_dt": "2026-06-30 00:00:00"}]
    import_paths([given_download(tmp_path, basic(article_future_retire=retire))])
    assert line(on=dt.date(2026, 6, 30)).verdict == "PASS"
    assert line(on=dt.date(2026, 7, 1)).reasons == ("article-retired",)


def test_version_ten_comes_after_version_nine(tmp_path, home):
    both = [article(version=9), article(version=10)]
    tables = basic(
        article=both,
        article_x_contractor=[of(version=v, contractor_id=5, contractor_type_id=9, contractor_version=1) for v in (9, 10)],
        article_x_hcpc_code=[of(version=v, hcpc_code_id="10001", hcpc_code_group=1) for v in (9, 10)],
        article_x_icd10_covered=[of(version=10, icd10_code_id="I10", icd10_covered_group=1)],
    )  # fmt: skip
    import_paths([given_download(tmp_path, tables)])
    assert line().policy.version == 10


def test_a_part_of_a_state_counts_as_the_state_and_an_ended_jurisdiction_does_not(tmp_path, home):
    where = {"contractor_id": 5, "contractor_type_id": 9, "contractor_version": 1}
    places = [{**where, "state_id": 63}, {**where, "state_id": 12, "term_date": "2026-05-11 00:00:00"}]
    import_paths([given_download(tmp_path, basic(contractor_jurisdiction=places))])
    assert line(state="NY").verdict == "PASS"
    assert line(state="FL").reasons == ("not-in-jurisdiction",)
    assert line(state=None).reasons == ("not-in-jurisdiction",)


def test_a_part_a_contractor_holds_no_part_b_line(tmp_path, home):
    contractor = [{"contractor_id": 5, "contractor_type_id": 9, "contractor_version": 1, "contractor_subtype_id": 1}]
    import_paths([given_download(tmp_path, basic(contractor=contractor))])
    assert line().reasons == ("contract-type-mismatch",)


def test_medicare_articles_hold_for_no_other_payer(tmp_path, home):
    import_paths([given_download(tmp_path)])
    assert line(payer="Aetna").verdict == "UNVERIFIED_PAYER"


DAYS = st.dates(dt.date(2020, 1, 1), dt.date(2020, 2, 10))
VERSIONS = st.lists(
    st.builds(Version, st.just(1), st.integers(1, 30), st.just("t"), DAYS, st.none() | DAYS, st.booleans(), st.booleans()),
    max_size=6, unique_by=lambda v: v.number,
)  # fmt: skip


@given(VERSIONS, DAYS)
def test_the_version_in_force_is_the_latest_to_take_effect_that_has_not_ended(versions, day):
    chosen = in_force(versions, day)
    usable = [
        v for v in versions if not v.proposed and v.effective <= day and (v.ended is None or day <= v.ended)
    ]  # fmt: skip
    if chosen is None:
        assert not usable
        assert why_none(versions, day) in ("article-proposed", "article-retired", "not-effective-on-dos")
    else:
        assert chosen in usable
        assert all((v.effective, v.number) <= (chosen.effective, chosen.number) for v in usable)


@given(VERSIONS, DAYS, st.randoms())
def test_the_order_of_versions_in_the_file_does_not_matter(versions, day, chance):
    mixed = list(versions)
    chance.shuffle(mixed)
    assert in_force(mixed, day) == in_force(versions, day)


# --- lists -------------------------------------------------------------------------------------------------------


def covered(*rows):
    return [of(icd10_covered_group=1, sort_order=n, **row) for n, row in enumerate(rows, 1)]


def test_a_range_without_middle_rows_holds_every_code_between(tmp_path, home):
    rows = covered({"icd10_code_id": "I20.0", "range": "B"}, {"icd10_code_id": "I25.9", "range": "E"})
    import_paths([given_download(tmp_path, basic(article_x_icd10_covered=rows))])
    assert "range-match" in line(diagnoses=["I21.4"]).reasons
    assert line(diagnoses=["I26.99"]).verdict == "FAIL_DX"


def test_a_range_with_middle_rows_holds_only_what_is_listed(tmp_path, home):
    rows = covered(*({"icd10_code_id": c, "range": r} for c, r in (("I20.0", "B"), ("I21.4", "M"), ("I25.9", "E"))))
    import_paths([given_download(tmp_path, basic(article_x_icd10_covered=rows))])
    assert line(diagnoses=["I21.4"]).verdict == "PASS"
    assert line(diagnoses=["I21.3"]).verdict == "FAIL_DX"


def test_a_placeholder_is_no_code_and_an_article_without_lists_asks_for_criteria(tmp_path, home):
    import_paths([given_download(tmp_path, basic(article_x_icd10_covered=covered({"icd10_code_id": "XX000"})))])
    assert line().reasons == ("criteria-only",)


def test_a_code_with_an_asterisk_needs_what_a_claim_cannot_show(tmp_path, home):
    rows = covered({"icd10_code_id": "I10", "asterisk": "*"}, {"icd10_code_id": "E11.9"})
    import_paths([given_download(tmp_path, basic(article_x_icd10_covered=rows))])
    assert line().reasons == ("dx-covered", "asterisk-condition")
    assert line(diagnoses=["I10", "E11.9"]).verdict == "PASS"


def test_a_procedure_group_that_is_never_covered_denies_and_is_quoted(tmp_path, home):
    groups = [of(hcpc_code_group=1, paragraph="<p>These tests are <b>never covered</b>.</p>")]
    import_paths([given_download(tmp_path, basic(article_x_hcpc_code_group=groups))])
    assert (line().verdict, line().reasons) == ("NON_COVERED", ("service-noncovered",))
    assert line().policy.quote == "These tests are never covered."


@pytest.mark.parametrize(
    ("more", "verdict"), [("", "PASS"), (" even when a covered code is reported too", "NON_COVERED")]
)
def test_a_list_that_denies_yields_to_a_covered_code_unless_its_text_says_otherwise(tmp_path, home, more, verdict):
    rows = [of(icd10_code_id="R53.83", icd10_noncovered_group=1)]
    prose = [of(icd10_noncovered_group=1, paragraph=f"The service will be denied for these codes{more}.")]
    import_paths(
        [given_download(tmp_path, basic(article_x_icd10_noncovered=rows, article_x_icd10_noncovered_group=prose))]
    )
    assert line(diagnoses=["I10", "R53.83"]).verdict == verdict
    assert line(diagnoses=["R53.83"]).verdict == "NON_COVERED"


# --- damage ------------------------------------------------------------------------------------------------------


def damaged(tmp_path, kind):
    """A download with one kind of damage, and words of the message that refuses it."""
    path = tmp_path / "bad.zip"
    files = files_of(basic())
    if kind == "empty":
        path.write_bytes(b"")
        return path, "0 bytes"
    if kind == "text":
        path.write_bytes(b"this is no zip")
        return path, "not a valid zip"
    if kind == "truncated":
        data = zipped(path, files).read_bytes()
        path.write_bytes(data[: len(data) * 6 // 10])
        return path, "truncated"
    if kind == "traversal":
        return zipped(path, {**files, "../../evil.csv": b"x"}), "unsafe path"
    if kind == "absolute":
        return zipped(path, {**files, "/evil.csv": b"x"}), "unsafe path"
    if kind == "bomb":
        return zipped(path, {**files, "article_x_more.csv": b"0" * 20_000_000}), "too large"
    if kind == "bits":
        data = bytearray(zipped(path, files, nested=False).read_bytes())
        at = data.find(b"article_x_icd10_covered.csv") + 60
        data[at : at + 8] = b"\xff" * 8
        path.write_bytes(data)
        return path, "damaged"
    if kind == "missing table":
        del files["article_x_icd10_covered.csv"]
        return zipped(path, files), "article_x_icd10_covered.csv is missing"
    name = "article_x_icd10_covered_group"
    if kind == "missing column":
        files[f"{name}.csv"] = as_csv(name, [], [c for c in COLUMNS[name] if c != "paragraph"])
        return zipped(path, files), "column paragraph is missing"
    if kind == "utf-16":
        files[f"{name}.csv"] = files[f"{name}.csv"].decode().encode("utf-16")
        return zipped(path, files), "encoding is UTF-16"
    if kind == "utf-16 without mark":
        files[f"{name}.csv"] = files[f"{name}.csv"].decode().encode("utf-16-le")
        return zipped(path, files), "encoding"
    if kind == "binary":
        files[f"{name}.csv"] += bytes([0x81, 0x9D]) * 40
        return zipped(path, files), "encoding"
    if kind == "html":
        files["article.csv"] = b"<!DOCTYPE html><html><body>Error</body></html>"
        return zipped(path, files), "HTML"
    if kind == "no header":
        files["article.csv"] = b'"1","2","3"\r\n'
        return zipped(path, files), "header of article.csv"
    if kind == "empty table":
        files["article.csv"] = b""
        return zipped(path, files), "header is missing"
    if kind == "open quote":
        files["article.csv"] += b'"100","4","a title that never ends'
        return zipped(path, files), "isn't CSV"
    if kind == "no download":
        return zipped(path, {"other.csv": b"a,b\n"}), "no coverage download"
    raise AssertionError(kind)


@pytest.mark.parametrize(
    "kind",
    ["empty", "text", "truncated", "traversal", "absolute", "bomb", "bits", "missing table", "missing column", "utf-16",
     "utf-16 without mark", "binary", "html", "no header", "empty table", "open quote", "no download"],
)  # fmt: skip
def test_a_damaged_download_is_refused_and_changes_nothing(tmp_path, home, kind):
    import_paths([given_download(tmp_path)])
    before, outside = everything_in(home), {p.name for p in tmp_path.parent.iterdir()}
    path, says = damaged(tmp_path, kind)
    with pytest.raises(ImportProblem, match=says) as caught:
        import_paths([path])
    assert "bad.zip" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert everything_in(home) == before
    assert {p.name for p in tmp_path.parent.iterdir()} == outside
    assert line().verdict == "PASS"


def test_a_path_that_is_not_there_is_said_so(home):
    with pytest.raises(ImportProblem, match="no such file"):
        import_paths(["nowhere.zip"])


def test_two_downloads_of_one_kind_are_refused_by_name(tmp_path, home):
    first, second = given_download(tmp_path), given_download(tmp_path, name="all_article.zip")
    with pytest.raises(ImportProblem, match=r"current_article\.zip"):
        import_paths([first, second])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (as_csv("article_x_icd10_covered", []), "header is repeated"),
        (b'"100","3","I11.9"\r\n', "wrong number of fields"),
        (b",".join([b'"x"'] * 12) + b"\r\n", "wrong number of fields"),
        (b'"a","3","I11.9","1","N","3","","2024-01-01"\r\n', "article_id is no number"),
    ],
)
def test_a_row_that_cannot_be_used_is_left_out_and_counted_with_its_line(tmp_path, home, row, reason):
    name = "article_x_icd10_covered.csv"
    report = import_paths([given_download(tmp_path, **{name: files_of(basic())[name] + row})])
    (warning,) = report.warnings
    assert (warning.table, warning.rows, warning.first_line) == (name, 1, 4)
    assert reason in warning.reason
    count = report.imported[0].tables["article_x_icd10_covered"]
    assert (count.loaded, count.refused) == (2, 1)


def test_an_article_whose_date_is_none_is_left_out_and_counted(tmp_path, home):
    rows = [article(), article(101, article_eff_date="13/45/2024")]
    report = import_paths([given_download(tmp_path, basic(article=rows))])
    assert "article_eff_date is no date" in str(report.warnings[0])
    assert report.imported[0].tables["article"].loaded == 1


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=12))
def test_whatever_bytes_are_changed_an_import_gives_a_report_or_one_clear_refusal(tmp_path_factory, place, bytes_):
    folder = tmp_path_factory.mktemp("any")
    data = bytearray(given_download(folder).read_bytes())
    at = place % len(data)
    data[at : at + len(bytes_)] = bytes_
    path = folder / "changed.zip"
    path.write_bytes(data)
    before = os.environ["CHARTPROOF_HOME"]
    os.environ["CHARTPROOF_HOME"] = str(folder / "home")
    try:
        with contextlib.suppress(ImportProblem):
            import_paths([path])
        left = [p.name for p in (folder / "home" / "coverage").iterdir()]
        assert not any(name.startswith(".") for name in left)
    finally:
        os.environ["CHARTPROOF_HOME"] = before


# --- interruptions and processes ---------------------------------------------------------------------------------


def test_an_import_that_is_interrupted_leaves_the_one_before(tmp_path, home):
    import_paths([given_download(tmp_path)])
    before = everything_in(home)

    def stop(table, done, total):
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_paths([given_download(tmp_path, basic(article=[article(version=4)]))], stop)
    assert everything_in(home) == before


def test_an_import_that_cannot_replace_the_manifest_leaves_the_one_before(tmp_path, home, monkeypatch):
    import_paths([given_download(tmp_path)])
    before = everything_in(home)

    def refuse(where, manifest):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "_write_manifest", refuse)
    with pytest.raises(ImportProblem, match="No space left"):
        import_paths([given_download(tmp_path)])
    assert everything_in(home) == before


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_stopped_leaves_nothing_half_done(tmp_path, home, how):
    import_paths([given_download(tmp_path)])
    before = everything_in(home)
    rows = covered(*({"icd10_code_id": "I10"} for _ in range(300_000)))
    path = given_download(tmp_path, basic(article_x_icd10_covered=rows), name="large.zip")
    run = subprocess.Popen(
        [sys.executable, "-m", "cli", "policies", "import", str(path)], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    for _ in range(2_000):
        if list((home / "coverage").glob(".building-*")) or run.poll() is not None:
            break
        time.sleep(0.005)
    run.send_signal(how)
    assert run.wait(timeout=60) != 0
    assert everything_in(home) == before


def test_what_a_killed_import_left_is_removed_by_the_next(tmp_path, home):
    import_paths([given_download(tmp_path)])
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = home / "coverage" / f".building-{dead.pid}-abcdef123456.sqlite"
    left.write_bytes(b"half")
    import_paths([given_download(tmp_path)])
    assert not left.exists()
    assert len(list((home / "coverage").glob("article-*.sqlite"))) == 1


def test_two_processes_may_import_at_once(tmp_path, home):
    articles = given_download(tmp_path)
    lcd = zipped(tmp_path / "current_lcd.zip", files_of({n: basic().get(n, []) for n in NEEDED["lcd"]}, "lcd"))
    runs = [
        subprocess.Popen([sys.executable, "-m", "cli", "policies", "import", str(path)], cwd=ROOT, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
        for path in (articles, lcd, articles, lcd)
    ]  # fmt: skip
    assert [run.wait(timeout=120) for run in runs] == [0, 0, 0, 0]
    assert set(read_manifest()) == {"article", "lcd"}
    assert sorted(p.name for p in (home / "coverage").iterdir()) == sorted(
        ["current.json", *(entry.file for entry in read_manifest().values())]
    )
    assert line().verdict == "PASS"


def test_a_process_notices_what_another_imports(tmp_path, home):
    import_paths([given_download(tmp_path)])
    assert line().policy.version == 3
    changed = {**basic(), "article": [article(article_version=3, title="Changed")]}
    path = given_download(tmp_path, changed)
    subprocess.run(
        [sys.executable, "-m", "cli", "policies", "import", str(path)], cwd=ROOT, check=True, capture_output=True
    )
    assert line().policy.title == "Changed"


def test_a_damaged_store_is_one_clear_line(tmp_path, home):
    import_paths([given_download(tmp_path)])
    file = next((home / "coverage").glob("article-*.sqlite"))
    file.write_bytes(b"not a database" * 100)
    with pytest.raises(ImportProblem, match="Import the downloads again"):
        policy_book().find("10001", ON, "FL", "B", "medicare")
    import_paths([given_download(tmp_path)])
    assert line().verdict == "PASS"


# --- the command -------------------------------------------------------------------------------------------------


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "cli", "policies", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True
    )


def test_the_command_imports_lists_shows_and_tells_the_state(tmp_path, home):
    done = command("import", given_download(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "article_x_icd10_covered.csv" in done.stdout
    assert "A100" in command("list").stdout
    shown = command("show", "A100").stdout
    assert "Test of a widget" in shown
    assert "group 1: 2 codes" in shown
    assert "out of date" in command("status", "--on", "2099-01-01").stdout
    missing = command("show", "A999")
    assert (missing.returncode, missing.stdout) == (2, "")


def test_the_command_says_in_one_line_why_it_refuses(tmp_path, home):
    path, _ = damaged(tmp_path, "html")
    refused = command("import", path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert len(refused.stderr.splitlines()) == 1
    assert "Traceback" not in refused.stderr


def test_a_warning_names_table_and_line(tmp_path, home):
    name = "article_x_hcpc_code.csv"
    told = command("import", given_download(tmp_path, **{name: files_of(basic())[name] + b'"1","2"\r\n'}))
    assert told.returncode == 0
    assert "article_x_hcpc_code.csv: 1 row left out: wrong number of fields" in told.stderr
    assert "line 4" in told.stderr


def test_many_rows_take_little_memory_for_their_number(tmp_path, home):
    chance = random.Random(1)
    rows = covered(*({"icd10_code_id": chance.choice(["I10", "E11.9"])} for _ in range(30_000)))
    report = import_paths([given_download(tmp_path, basic(article_x_icd10_covered=rows))])
    assert report.imported[0].tables["article_x_icd10_covered"].loaded == 30_000
