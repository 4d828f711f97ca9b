"""Import of CMS's edit files: every layout, dates of effect, refused rows, guards, and that a failure keeps the old."""

from __future__ import annotations

import datetime as dt
import io
import sys
import zipfile

import openpyxl
import pytest

import cli
from code_maps.edits import UnitLimit
from code_maps.edits.imported import editions, forget, pair_changes, status_lines, tables_on
from code_maps.edits.importer import import_edits
from code_maps.edits.layouts import as_date, date_in_name, quarter
from code_maps.icd10cm.problems import ImportProblem
from models.claim import Claim
from pipeline.claim_edits import claim_edits

DAY = dt.date(2026, 5, 12)
MUE_NAME = "MCR_MUE_PractitionerServices_Eff_04-01-2026"
MUE_HEADER = '"HCPCS/\nCPT Code",Practitioner Services MUE Values,MUE Adjudication Indicator,MUE Rationale\n'
MUE = (
    '"Codes only.\nEffective 04/01/2026"\n'
    + MUE_HEADER
    + "83036,1,2 Date of Service Edit: Policy,Nature\n96372,5,3 Date of Service Edit: Clinical,Data\n"
    + "V5364,0,3 Date of Service Edit: Clinical,CMS Policy\n"
)
AOC_HEADER = [
    "AOC_Edit_Type", "Add-On_Code", "AOC_DelDT", "Primary_Code", "Primary_Code_DelDT", "AOC_Edit_EffDT",
    "AOC_Edit_DelDT", "Special_Instruction_Notes",
]  # fmt: skip
AOC_ROWS = [
    ["1", "17003", "", "17000", "", "2013091", "", ""],
    ["1", "99417", "", "99205", "", "2021001", "", ""],
    ["2", "0054T", "", "CCCCC", "", "2013091", "", "Contractor Defined Primary Codes"],
    ["1", "11045", "", "11042", "", "2013091", "2025365", ""],
    ["1", "11046", "", "11043", "", "2026182", "", ""],
]
ADDONS = (
    "Add-on Code,Primary Code,Type,Effective Date,Deletion Date\n17003,17000,1,2013-04-01,\n0054T,CCCCC,2,2013-04-01,\n"
)
FEES = (
    '"2026 National Physician Fee Schedule Relative Value File April Release",,,,,,\n'
    "RELEASED 03/10/2026,,,,,,\n"
    ",,,,,,\n"
    ",,,STATUS,WORK,GLOB,BILAT\n"
    "HCPCS,MOD,DESCRIPTION,CODE,RVU,DAYS,SURG\n"
    "11102,,made up words,A,0.66,000,0\n"
    "20610,,made up words,A,0.79,000,1\n"
    "71046,,made up words,A,0.18,XXX,0\n"
    "71046,26,made up words,A,0.18,XXX,0\n"
)
MCE = "Edit,Code,Description\nage_newborn,P220,x\nage_maternity,O0900,x\nmanifestation_not_pdx,F0280,x\nunacceptable_pdx,Z370,x\n"
AGES = "A34\t2 maternity (age 12-55)\r\nP220\t0 newborn (age 0)\r\n"
SEXES = "C61\t1 male\r\nO0900\t2 female\r\n"
PAIRS = "Column 1,Column 2,Effective Date,Deletion Date,Modifier,Source\n15271,C5271,2026-03-31,,0,MCR_NCCI_OCE_Deletions_Eff_04-01-2026.txt\n"


@pytest.fixture
def there(tmp_path, monkeypatch):
    """A home of its own, and a folder to put files in: there(name, content) -> path."""
    monkeypatch.setenv("CHARTPROOF_HOME", str(tmp_path / "home"))
    forget()

    def put(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    yield put
    forget()


def zipped(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return out.getvalue()


def workbook(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_unit_limits_below_a_notice_and_a_header_with_line_breaks(there):
    (result,) = import_edits([there(f"{MUE_NAME}.csv", MUE)])
    assert (result.kind, result.count, result.refused) == ("unit-limits", 3, ())
    assert result.dates == (dt.date(2026, 4, 1), dt.date(2026, 6, 30))
    tables = tables_on(DAY)
    assert tables.unit_limits == {"83036": UnitLimit(1, 2), "96372": UnitLimit(5, 3), "V5364": UnitLimit(0, 3)}


def test_the_same_limits_as_tabbed_text_and_as_a_workbook_in_a_zip(there):
    text = MUE.replace(",", "\t")
    rows = [["Codes only. Effective 04/01/2026"], ["HCPCS/\nCPT Code", "Practitioner Services MUE Values",
            "MUE Adjudication Indicator", "MUE Rationale"], [83036, 1, "2 Date of Service Edit: Policy", "n"],
            [96372, 5.0, "3 Date of Service Edit: Clinical", "n"], ["V5364", 0, "3 Date", "n"]]  # fmt: skip
    path = there("mue.zip", zipped(**{f"{MUE_NAME}__txt": text, f"{MUE_NAME}__xlsx": workbook(*rows)}))
    results = import_edits([path])
    assert [r.kind for r in results] == ["unit-limits", "skipped"]
    assert "the same as" in results[1].notices[0]
    assert tables_on(DAY).unit_limits["96372"] == UnitLimit(5, 3)


def test_a_spreadsheet_number_gets_its_leading_zeros_back(there):
    rows = [["HCPCS", "GLOB DAYS", "BILAT SURG"], [100, "XXX", 9], [11102, 0, 0]]
    import_edits([there("global_days_bilateral_2026_April.xlsx", workbook(*rows))])
    assert dict(tables_on(DAY).global_days) == {"00100": "XXX", "11102": "000"}


def test_several_quarters_stand_side_by_side_and_the_date_of_service_chooses(there):
    later = MUE.replace("04/01/2026", "07/01/2026").replace("83036,1,", "83036,4,")
    import_edits([there(f"{MUE_NAME}.csv", MUE)])
    import_edits([there("MCR_MUE_PractitionerServices_Eff_07-01-2026.csv", later)])
    assert tables_on(dt.date(2026, 6, 30)).unit_limits["83036"].units == 1
    assert tables_on(dt.date(2026, 7, 1)).unit_limits["83036"].units == 4
    outside = tables_on(dt.date(2026, 3, 31))
    assert outside.unit_limits is None
    assert "2026-04-01 to 2026-06-30" in outside.uncovered["unit_limits"]


def test_addon_codes_in_cms_columns_with_ordinal_dates(there):
    text = "\n".join("\t".join(row) for row in [["notice"], AOC_HEADER, *AOC_ROWS])
    (result,) = import_edits([there("AOC_V2026Q2-MCR.txt", text)])
    assert (result.count, result.dates) == (5, (dt.date(2026, 4, 1), None))
    assert tables_on(DAY).addon_primaries == {"17003": frozenset({"17000"}), "99417": frozenset({"99205"})}
    assert "11045" in tables_on(dt.date(2025, 12, 31)).addon_primaries
    assert "11046" in tables_on(dt.date(2026, 7, 1)).addon_primaries


def test_addon_codes_as_a_workbook_and_as_plain_csv(there):
    import_edits([there("AOC_V2026Q2-MCR.xlsx", workbook(["notice"], AOC_HEADER, *AOC_ROWS))])
    assert "17003" in tables_on(DAY).addon_primaries
    import_edits([there("add_on_codes_2026Q3.csv", ADDONS)])
    assert [e.since for e in editions("addons")] == [dt.date(2026, 4, 1), dt.date(2026, 7, 1)]
    assert "99417" not in tables_on(dt.date(2026, 8, 1)).addon_primaries


def test_global_days_below_a_header_of_several_rows_and_rows_of_modifiers_counted(there):
    (result,) = import_edits([there("PPRRVU2026_Apr_nonQPP.csv", FEES)])
    assert (result.count, result.dates) == (3, (dt.date(2026, 4, 1), dt.date(2026, 12, 31)))
    ((reason, n, row),) = result.refused
    assert reason.startswith("a row for a modifier")
    assert (n, row) == (1, 9)
    tables = tables_on(DAY)
    assert (tables.global_days["11102"], tables.bilateral["20610"]) == ("000", "1")
    stored = b"".join(p.read_bytes() for p in editions("global-days")[0].path.parent.iterdir())
    assert b"made up words" not in stored


def test_global_days_of_the_fixed_width_text_are_read_where_they_stand(there):
    def line(code, days, side):
        return f"{code:5}{'':2}{'made up words':50}A".ljust(140) + days + "0" * 18 + "2" + f"{side}".ljust(20)

    text = "\n".join(["HDR 2026 National Physician Fee Schedule April Release", line("11102", "000", "0"),
                      line("20610", "000", "1")])  # fmt: skip
    (result,) = import_edits([there("PPRRVU2026_Apr.txt", text)])
    assert result.count == 2
    assert tables_on(DAY).bilateral["20610"] == "1"
    with pytest.raises(ImportProblem, match="141-143"):
        import_edits([there("PPRRVU2026_Jul.txt", text.replace("A      ", "A "))])


def test_lists_of_diagnoses_from_both_kinds_of_file(there):
    import_edits([there("x_AGE.TXT", AGES), there("x_SEX.TXT", SEXES)])
    assert tables_on(DAY).age_classes["P22.0"] == "newborn"
    assert tables_on(DAY).manifestations is None
    import_edits([there("mce_v43_1.csv", MCE)])
    tables = tables_on(DAY)
    assert dict(tables.age_classes) == {"P22.0": "newborn", "O09.00": "maternity"}
    assert tables.manifestations == {"F02.80"}
    assert tables.sexes["C61"] == "male"
    assert tables.lasting == ()
    assert "2026-04-01 are used" in tables_on(dt.date(2026, 10, 1)).lasting[0]


def test_changes_of_pairs_are_a_layer_of_their_own(there):
    (result,) = import_edits([there("ncci_ptp_changes_2026_04.csv", PAIRS)])
    assert "the name counts" in result.notices[0]
    (change,) = pair_changes("15271")
    assert (change.change, change.since, change.setting) == ("deleted", dt.date(2026, 4, 1), "hospital outpatient")
    assert pair_changes("99213") == ()


def test_rows_that_cannot_be_used_are_counted_with_their_reason(there):
    bad = MUE + "9903X6,1,2 Date,x\n99213,many,2 Date,x\n99214,1,7 Date,x\n83036,1,2 Date,x\n83036,9,2 Date,x\n"
    with pytest.raises(ImportProblem, match="can't be used"):
        import_edits([there(f"{MUE_NAME}.csv", bad + "x,1,1,x\n" * 9)])
    bad += "".join(f"9921{n},1,2 Date,x\n" for n in range(5, 9))
    (result,) = import_edits([there(f"{MUE_NAME}.csv", bad)])
    assert result.count == 7
    assert {reason: n for reason, n, _ in result.refused} == {
        "no CPT or HCPCS code": 1,
        "the value is no whole number": 1,
        "the adjudication indicator isn't 1, 2 or 3": 1,
        "repeats a row": 1,
        "contradicts an earlier row of the code": 1,
    }


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", "<html><body>Sign in</body></html>", "no file for claim edits"),
        ("a.csv", "", "no file for claim edits"),
        ("a.zip", b"this is no zip", "not a valid zip"),
        ("a.zip", zipped(a__csv=MUE)[:-40], "damaged"),
        ("a.zip", zipped(**{"../a__csv": MUE}), "outside"),
        ("a.zip", zipped(a__txt=b"0" * 5_000_000), "packed far more tightly"),
        ("a.xlsx", workbook(["x"])[:-60], "damaged"),
        ("a.csv", MUE.replace("Effective 04/01/2026", ""), "from which day"),
        ("MCR_MUE_Eff_07-01-2026.csv", MUE, "its name 2026-07-01"),
        (f"{MUE_NAME}.csv", MUE.replace("MUE Adjudication Indicator", "Indicator"), "mueadjudicationindicator"),
        (f"{MUE_NAME}.csv", MUE.replace("Practitioner Services", "DME Supplier Services"), "another setting"),
        (f"{MUE_NAME}.csv", MUE_HEADER, "no rows"),
        ("a.csv", ADDONS, "which quarter"),
        ("x_2026Q3.csv", ADDONS.replace("Type", "Kind"), "no column 'type'"),
        ("x_2026Q3.csv", ADDONS.replace("Deletion Date", "Type"), "twice"),
        ("mce.csv", MCE, "version"),
        ("rates.csv", FEES.replace("April Release", "").replace("2026", ""), "which release"),
        ("PPRRVU2026_Apr.csv", FEES.replace("GLOB", "GLOBAL"), None),
        ("PPRRVU2026_Apr.csv", FEES.replace("BILAT", "SIDE"), "BILAT SURG"),
        ("ccipra-v321r0-f1.csv", "Column 1,Column 2,Effective Date,Deletion Date,Modifier\n", "whole file"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_and_what_was_there_stays(there, name, content, says):
    import_edits([there("first_2026Q2.csv", ADDONS)])
    before = tables_on(DAY)
    if says is None:
        import_edits([there(name, content)])
        return
    with pytest.raises(ImportProblem, match=says):
        import_edits([there("mce_v43_1.csv", MCE), there(name, content)])
    assert [e.kind for e in editions()] == ["addons"]
    assert tables_on(DAY).addon_primaries == before.addon_primaries


def test_two_files_of_one_kind_and_date_that_differ_are_refused(there):
    other = MUE.replace("83036,1,", "83036,2,")
    with pytest.raises(ImportProblem, match="differs from"):
        import_edits([there(f"{MUE_NAME}.csv", MUE), there(f"x{MUE_NAME}.csv", other)])
    assert editions() == ()


def test_a_folder_passes_over_what_is_no_edit_file(there, tmp_path):
    there("readme.txt", "Nothing of use.")
    there(f"{MUE_NAME}.csv", MUE)
    there("MCR_MUE_OutpatientHospital_Eff_04-01-2026.csv", MUE.replace("Practitioner", "Outpatient Hospital"))
    kinds = sorted(r.kind for r in import_edits([tmp_path]))
    assert kinds == ["skipped", "skipped", "unit-limits"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImportProblem, match="no file for claim edits"):
        import_edits([tmp_path / "empty"])
    with pytest.raises(ImportProblem, match="can't be read"):
        import_edits([tmp_path / "absent.csv"])


def test_a_relative_value_zip_is_read_with_its_other_tables_and_medicaid_is_passed_over(there):
    cap = "HCPCS,MOD,PROCSTAT,CARRIER,FACILITY PRICE\n70010,TC,A,01112,100.00\n"
    path = there("rvu26b.zip", zipped(**{"PPRRVU2026_Apr_nonQPP__csv": FEES, "OPPSCAP_Apr__csv": cap, "RVU26B__pdf": b"%PDF\0",
                                         "PPRRVU2026_Apr_nonQPP__txt": "HDR 2026 April Release\n11102  x A\n",
                                         "MCD_MUE_Eff_04-01-2026__csv": MUE}))  # fmt: skip
    assert sorted(r.kind for r in import_edits([path])) == ["global-days", *["skipped"] * 4]


def claim(**more):
    return Claim.model_validate({
        "date_of_service": DAY, "diagnoses": ["E11.9"],
        "lines": [{"code": "83036", "pointers": [1], "units": 2}], **more,
    })  # fmt: skip


def test_claims_are_checked_with_what_is_imported_for_their_date(there, codes):
    edits, notices = claim_edits(claim(), lambda on: codes)
    assert edits == ()
    assert any("mue-exceeded" in n and "nothing imported" in n for n in notices)
    import_edits([there(f"{MUE_NAME}.csv", MUE)])
    edits, notices = claim_edits(claim(), lambda on: codes)
    assert [e.edit for e in edits] == ["mue-exceeded"]
    assert not any("mue-exceeded" in n for n in notices)
    edits, notices = claim_edits(claim(date_of_service="2026-07-02"), lambda on: codes)
    assert edits == ()
    assert any("covers 2026-07-02: mue-exceeded (imported: 2026-04-01 to 2026-06-30)" in n for n in notices)


def test_a_line_of_another_quarter_has_the_limits_of_its_own_date(there, codes):
    later = MUE.replace("04/01/2026", "07/01/2026").replace("83036,1,", "83036,4,")
    import_edits([there(f"{MUE_NAME}.csv", MUE), there("MUE_Eff_07-01-2026.csv", later)])
    lines = [{"code": "83036", "pointers": [1], "units": 2},
             {"code": "83036", "pointers": [1], "units": 2, "date_of_service": "2026-07-01"}]  # fmt: skip
    edits, _ = claim_edits(claim(lines=lines), lambda on: codes)
    assert [(e.edit, e.line) for e in edits] == [("mue-exceeded", 1)]


def test_status_names_what_is_there_and_what_waits(there):
    import_edits([there(f"{MUE_NAME}.csv", MUE)])
    said = "\n".join(status_lines())
    assert "2026-04-01 to 2026-06-30" in said
    assert "3 rows" in said
    assert "addon-without-primary" in said
    assert "mue-exceeded" not in said


@pytest.mark.parametrize("keep", [20, -20])
def test_a_damaged_table_is_named_and_the_import_heals_it(there, keep):
    import_edits([there(f"{MUE_NAME}.csv", MUE)])
    path = editions("unit-limits")[0].path
    path.write_bytes(path.read_bytes()[:keep])
    forget()
    if keep > 0:
        assert any("damaged" in line for line in status_lines())
    else:
        with pytest.raises(ImportProblem, match="again"):
            tables_on(DAY)
    import_edits([there(f"{MUE_NAME}.csv", MUE)])
    assert tables_on(DAY).unit_limits["83036"].units == 1


def test_the_command_says_what_is_wrong_in_one_line_and_exits_with_2(there, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["chartproof", "edits", "import", str(there("a.csv", "<html>"))])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "a.csv" in said.err


@pytest.mark.parametrize(
    ("written", "day"),
    [("2026091", "2026-04-01"), ("20260401", "2026-04-01"), ("04/01/2026", "2026-04-01"), ("2026-04-01 00:00", "2026-04-01"),
     ("", None), ("*", None)],
)  # fmt: skip
def test_dates_are_read_as_cms_writes_them(written, day):
    assert as_date(written) == (dt.date.fromisoformat(day) if day else None)
    with pytest.raises(ValueError, match=r"."):
        as_date("soon")


def test_the_last_quarter_ends_with_the_year():
    assert quarter(dt.date(2026, 11, 5)) == (dt.date(2026, 10, 1), dt.date(2026, 12, 31))
    assert date_in_name("AOC_V2026Q3-MCR.txt") == dt.date(2026, 7, 1)
    assert date_in_name("readme") is None
