"""Official files brought in: recognised, checked, stored, and refused with a reason."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from code_maps.icd10cm import ImportProblem, diff, import_paths, load, open_release, releases
from code_maps.icd10cm.release import forget

OFFICIAL = Path(__file__).resolve().parents[2] / "shared/data/icd10cm"
official = pytest.mark.skipif(not OFFICIAL.is_dir(), reason="the official sample files are not here")

TABULAR = """<?xml version="1.0" encoding="utf-8"?>
<ICD10CM.tabular>
  <version>{year}</version>
  <chapter>
    <name>1</name><desc>Invented diseases (A00-B99)</desc>
    <excludes1><note>invented injury (S00-S09)</note></excludes1>
    <sectionIndex><sectionRef first="A00" last="A09" id="A00-A09"/></sectionIndex>
    <section id="A00-A09">
      <desc>Invented fevers (A00-A09)</desc>
      <diag><name>A00</name><desc>Blue fever</desc>
        <includes><note>fever,
            blue</note></includes>
        <diag><name>A00.0</name><desc>Blue fever, mild</desc><inclusionTerm><note>Sky fever</note></inclusionTerm></diag>
        <diag><name>A00.9</name><desc>{title}</desc></diag>
      </diag>
    </section>
    <section id="B20"><desc>Green fever (B20)</desc><diag><name>B20</name><desc>Green fever</desc></diag></section>
  </chapter>
  <chapter>
    <name>19</name><desc>Invented injuries (S00-T88)</desc>
    <section id="S00-S09"><desc>Head (S00-S09)</desc>
      <diag><name>S00</name><desc>Bump</desc>
        <sevenChrNote><note>The appropriate 7th character is to be added to each code from category S00</note></sevenChrNote>
        <sevenChrDef><extension char="A">initial encounter</extension><extension char="S">sequela</extension></sevenChrDef>
        <diag><name>S00.1</name><desc>Bump of nose</desc></diag>
      </diag>
    </section>
  </chapter>
</ICD10CM.tabular>
"""
INDEX = """<?xml version="1.0" encoding="utf-8"?>
<ICD10CM.index><version>2019</version><title>ICD-10-CM INDEX TO DISEASES and INJURIES</title>
  <letter><title>F</title>
    <mainTerm><title>Fever<nemod>(high)</nemod> NEC</title><seeAlso>Heat</seeAlso>
      <term level="1"><title>blue</title><code>A00.9</code>
        <term level="2"><title>mild</title><code>A00.0</code><manif>B20</manif></term></term>
      <term level="1"><title>red</title><see>Fever, blue</see></term>
      <term level="1"><title>by colour</title><term level="2"><title>green</title><subcat>B20</subcat></term></term>
    </mainTerm></letter></ICD10CM.index>
"""
TABLE = """<?xml version="1.0" encoding="utf-8"?>
<ICD10CM.index><version>2019</version>
  <indexHeading><head col="1">Substance</head><head col="2">Poisoning Accidental</head><head col="3">Adverse effect</head></indexHeading>
  <letter><title>A</title><mainTerm><title>Ale</title><cell col="2">T51.0X1</cell><cell col="3">--</cell></mainTerm></letter>
</ICD10CM.index>
"""
ORDER = [("A00", 0, "Blue fever"), ("A000", 1, "Blue fever, mild"), ("A009", 1, "Blue fever, unspecified"), ("B20", 1, "Green fever"),
         ("S00", 0, "Bump"), ("S001", 0, "Bump of nose"), ("S001XXA", 1, "Bump of nose, initial encounter"), ("S001XXS", 1, "Bump of nose, sequela")]  # fmt: skip


def order_file(rows: list[tuple[str, int, str]]) -> str:
    lines = [f"{n:05} {code:<7} {flag} {title[:60]:<60} {title}" for n, (code, flag, title) in enumerate(rows, 1)]
    return "\r\n".join(lines) + "\r\n"


def addenda_line(action: str, flag: int, code: str, title: str) -> str:
    return f"{action + ':':<13}{flag} {code:<7} {title[:60]:<60} {title}"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    place = tmp_path / "home"
    monkeypatch.setenv("CHARTPROOF_HOME", str(place))
    # The packaged release is not needed here, and compiling it for every test would take most of the time.
    monkeypatch.setattr("code_maps.icd10cm.release._packaged", lambda: None)
    forget()
    yield place
    forget()


@pytest.fixture
def put(tmp_path: Path):
    def put(name: str, text: str | bytes) -> Path:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return put


def tabular(year: int = 2019, title: str = "Blue fever, unspecified") -> str:
    return TABULAR.format(year=year, title=title)


def test_a_tabular_is_imported_for_its_dates(put) -> None:
    (result,) = import_paths([put("icd10cm-tabular-2019.xml", tabular())])
    assert (result.part, result.release, result.count) == ("tabular", "FY2019", 5)
    assert result.effective == (dt.date(2018, 10, 1), dt.date(2019, 9, 30))
    codes = load(dt.date(2019, 3, 1))
    assert (codes.release, codes.covers) == ("FY2019", True)
    assert list(codes.billable()) == ["A00.0", "A00.9", "B20", "S00.1XXA", "S00.1XXS"]
    assert codes.ancestors("B20") == ("B20-B20", "1")
    assert next((note.kind, note.text) for note in codes.notes("A00")) == ("includes", "fever, blue")
    note = codes.excludes1("A00.0", "S00.1XXA")
    assert note is not None
    assert note.origin == "1"


def test_an_update_is_told_by_the_month_in_the_file_name_and_follows_the_october_edition(put) -> None:
    import_paths([put("tab-2019.xml", tabular()), put("tab-April-1-2019.xml", tabular(title="Blue fever NOS"))])
    assert [info.id for info in releases()] == ["FY2019", "FY2019-04"]
    assert load(dt.date(2019, 3, 31)).title("A00.9") == "Blue fever, unspecified"
    assert load(dt.date(2019, 4, 1)).title("A00.9") == "Blue fever NOS"
    assert diff("FY2019", "FY2019-04").revised == (("A00.9", "Blue fever, unspecified", "Blue fever NOS"),)


def test_the_month_in_the_name_of_the_zip_counts(tmp_path: Path) -> None:
    archive = tmp_path / "2019-tables-april.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("Table and Index/icd10cm_tabular_2019.xml", tabular())
        file.writestr("readme.pdf", b"%PDF-1.7 \x00")
    imported, skipped = sorted(import_paths([archive]), key=lambda result: result.part == "skipped")
    assert imported.release == "FY2019-04"
    assert (skipped.part, skipped.release) == ("skipped", None)


@pytest.mark.parametrize(("form", "part"), [("order", "order"), ("codes", "codes")])
def test_a_list_of_codes_gives_titles_parents_and_billable_codes_without_notes(put, form: str, part: str) -> None:
    text = order_file(ORDER) if form == "order" else "".join(f"{c:<8}{t}\n" for c, flag, t in ORDER if flag)
    (result,) = import_paths([put(f"icd10cm-{form}-2019.txt", text)])
    assert (result.part, result.release, result.count) == (part, "FY2019", 5)
    codes = load(dt.date(2019, 3, 1))
    assert list(codes.billable()) == ["A00.0", "A00.9", "B20", "S00.1XXA", "S00.1XXS"]
    assert codes.ancestors("S00.1XXA")[-1] == "S00"
    assert codes.notes("A00.0") == ()
    assert any("no notes" in notice for notice in codes.notices)
    assert not releases()[0].has_notes
    if form == "order":
        assert codes.title("A00") == "Blue fever"
        assert codes.seventh_characters("S00.1XXA") == {"A": "initial encounter", "S": "sequela"}
        assert codes.extend("S00.1", "S") == "S00.1XXS"


def test_the_tabular_stays_in_use_when_a_list_of_the_same_release_comes_in(put) -> None:
    import_paths([put("tab-2019.xml", tabular())])
    same, other = order_file(ORDER), order_file([*ORDER[:3], *ORDER[4:]])
    assert "are those of the release in use" in import_paths([put("order-2019.txt", same)])[0].notices[-1]
    assert "1 billable codes differ" in " ".join(import_paths([put("order-2019.txt", other)])[0].notices)
    assert load(dt.date(2019, 3, 1)).notes("A00.0") != ()


def addenda(after: int = 6) -> str:
    lines = [
        addenda_line("Delete", 1, "A009", "Blue fever, unspecified"),
        addenda_line("Add", 0, "A009", "Blue fever, unspecified"),
        addenda_line("Add", 1, "A0091", "Blue fever of the young"),
        addenda_line("Add", 1, "A0099", "Blue fever, other"),
        addenda_line("Revise from", 1, "B20", "Green fever"),
        addenda_line("Revise to", 1, "B20", "Green fever, any"),
        "",
        "Codes",
        "      5 codes in icd10cm_order_2019.txt",
        f"      {after} codes in icd10cm_order_2020.txt",
    ]
    return "\n".join(lines)


def test_addenda_apply_on_the_release_before(put) -> None:
    import_paths([put("tab-2019.xml", tabular())])
    (result,) = import_paths([put("order_addenda_2020.txt", addenda())])
    assert (result.part, result.release, result.count) == ("addenda", "FY2020", 5)
    codes = load(dt.date(2019, 10, 1))
    assert codes.release == "FY2020"
    assert list(codes.billable()) == ["A00.0", "A00.91", "A00.99", "B20", "S00.1XXA", "S00.1XXS"]
    assert codes.title("B20") == "Green fever, any"
    assert [note.origin for note in codes.notes("A00.91")] == ["A00", "1"]
    assert any("no notes until" in notice for notice in codes.notices)


def test_addenda_that_lack_a_line_or_their_base_are_refused(put) -> None:
    with pytest.raises(ImportProblem, match="FY2019 with 5 billable codes, which isn't installed"):
        import_paths([put("order_addenda_2020.txt", addenda())])
    import_paths([put("tab-2019.xml", tabular())])
    with pytest.raises(ImportProblem, match="gives 6 billable codes; its summary says 7"):
        import_paths([put("order_addenda_2020.txt", addenda(after=7))])
    assert [info.id for info in releases()] == ["FY2019"]


def test_single_seventh_characters_come_and_go(put) -> None:
    import_paths([put("tab-2019.xml", tabular())])
    lines = [
        addenda_line("Delete", 0, "S00", "Bump"),
        addenda_line("Add", 0, "S00", "Bump of the head"),
        addenda_line("Delete", 1, "S001XXS", "Bump of nose, sequela"),
        addenda_line("Add", 1, "S001XXD", "Bump of nose, subsequent encounter"),
        addenda_line("Add", 0, "A02", "Grey fever"),
        addenda_line("Add", 1, "A020", "Grey fever, mild"),
        addenda_line("Add", 1, "C00", "Far fever"),
    ]
    import_paths([put("order_addenda_2020.txt", "\n".join(lines))])
    codes = load(dt.date(2020, 3, 1))
    assert codes.children("S00.1") == ("S00.1XXA", "S00.1XXD")
    assert codes.title("S00") == "Bump of the head"
    assert codes.title("S00.1XXD") == "Bump of nose, subsequent encounter"
    assert codes.ancestors("A02.0") == ("A02", "A00-A09", "1")
    assert codes.parent("C00") is None
    assert codes.chapter("C00") == ""
    assert list(codes.nodes()) == [
        *("A00", "A00.0", "A00.9", "A02", "A02.0", "B20", "C00", "S00", "S00.1", "S00.1XXA", "S00.1XXD")
    ]
    assert load(dt.date(2019, 3, 1)).children("S00.1") == ("S00.1XXA", "S00.1XXS")


def test_an_index_gives_its_lines_with_paths_codes_and_references(put) -> None:
    import_paths([put("tab-2019.xml", tabular()), put("index-2019.xml", INDEX), put("drug-2019.xml", TABLE)])
    entries = list(load(dt.date(2019, 3, 1)).index_entries())
    assert [(entry.terms, entry.code, entry.see, entry.see_also) for entry in entries if entry.table == "diseases"] == [
        (("Fever NEC",), None, None, "Heat"),
        (("Fever NEC", "blue"), "A00.9", None, None),
        (("Fever NEC", "blue", "mild"), "A00.0", None, None),
        (("Fever NEC", "red"), None, "Fever, blue", None),
        (("Fever NEC", "by colour", "green"), "B20-", None, None),
    ]
    assert entries[2].manifestation == "B20"
    assert entries[0].nonessential == ("(high)",)
    drugs = [entry for entry in entries if entry.table == "drugs"]
    assert [(entry.terms, entry.code, entry.column) for entry in drugs] == [
        (("Ale",), "T51.0X1", "Poisoning Accidental")
    ]
    assert releases()[0].has_index


def test_an_index_waits_for_its_release(put) -> None:
    (result,) = import_paths([put("index-2019.xml", INDEX)])
    assert "used once that release's codes are imported" in result.notices[-1]
    assert releases() == ()
    import_paths([put("tab-2019.xml", tabular())])
    assert releases()[0].has_index


def test_the_user_may_name_the_release(put) -> None:
    assert import_paths([put("orders.txt", order_file(ORDER))], release="fy2019-04")[0].release == "FY2019-04"
    assert import_paths([put("orders.txt", order_file(ORDER))], release="FY2018-10")[0].release == "FY2018"


BAD = [
    ("cut.xml", tabular()[:900], None, "malformed at line"),
    ("bomb-2019.xml", '<!DOCTYPE a [<!ENTITY x "y">]><ICD10CM.tabular>&x;</ICD10CM.tabular>', None, "declares entities"),
    ("other-2019.xml", "<html><body/></html>", None, "no ICD-10-CM file"),
    ("empty-2019.xml", "<ICD10CM.tabular><version>2019</version></ICD10CM.tabular>", None, "no chapters"),
    ("year.xml", tabular().replace("<version>2019", "<version>soon"), None, "no fiscal year"),
    ("nameless-2019.xml", tabular().replace("<name>A00.0</name>", "<name/>"), None, "no name"),
    ("tab-2019.xml", tabular(), "FY2020", "the file says it is of fiscal year"),
    ("tab-2019.xml", tabular(), "2020", "named like FY2026"),
    ("index-2019.xml", INDEX.replace("INDEX TO DISEASES", "LIST OF THINGS"), None, "which index"),
    ("index-2019.xml", INDEX.split("<letter>")[0] + "</ICD10CM.index>", None, "no index terms"),
    ("order.txt", order_file(ORDER), None, "of which fiscal year"),
    ("order-2019.txt", order_file(ORDER).replace("00003", "00004"), None, "order number 00004 where 00003 follows"),
    ("order-2019.txt", order_file(ORDER)[:700], None, "isn't a line of an order file"),
    ("order-2019.txt", order_file(ORDER[:1]), None, "A00 is marked as a heading, but nothing is below"),
    ("order-2019.txt", order_file([("A00", 1, "x"), *ORDER[1:]]), None, "A00 is marked as billable, but other"),
    ("codes-2019.txt", "A000    Blue fever\nA001\n", None, "line 2 isn't a code and its title"),
    ("addenda-2019.txt", addenda_line("Add", 1, "A000", "x") + "\nDelete: A009", None, "line 2"),
    ("notes.txt", "Patient seen for SECRETWORD today.", None, "no ICD-10-CM file"),
    ("photo.png", b"\x89PNG\x00\x00", None, "no ICD-10-CM file"),
    ("empty.txt", "", None, "no ICD-10-CM file"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "release", "message"), BAD, ids=[f"{name}-{message}" for name, _, _, message in BAD]
)
def test_a_bad_file_is_refused_with_what_where_and_what_would_be_right(
    put, home: Path, name, text, release, message
) -> None:
    import_paths([put("tab-2017.xml", tabular(2017))])
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    with pytest.raises(ImportProblem, match=message) as caught:
        import_paths([put("good-2018.xml", tabular(2018)), put(name, text)], release=release)
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before
    problem = caught.value
    assert problem.what
    assert problem.right
    assert "SECRETWORD" not in str(problem)
    assert problem.__cause__ is None or release == "2020"


def test_a_path_that_is_not_there_and_a_folder_without_official_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportProblem, match="can't be read"):
        import_paths([tmp_path / "nothing.xml"])
    with pytest.raises(ImportProblem, match="no ICD-10-CM file among"):
        import_paths([tmp_path])


def test_two_different_files_for_one_release_are_refused_and_twins_passed_over(put) -> None:
    one, two = put("a/tab-2019.xml", tabular()), put("b/tab-2019.xml", tabular(title="Something else"))
    with pytest.raises(ImportProblem, match="two different files for FY2019"):
        import_paths([one, two])
    results = import_paths([one, put("c/tab-2019.xml", tabular())])
    assert [result.part for result in results] == ["tabular", "skipped"]


@pytest.mark.parametrize("name", ["../tab-2019.xml", "/tab-2019.xml", "a\\..\\..\\tab-2019.xml", "C:/tab-2019.xml"])
def test_a_zip_with_a_name_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(name, tabular())
    with pytest.raises(ImportProblem, match="points outside"):
        import_paths([archive])
    assert not (tmp_path / "home" / "releases").exists()


def test_a_zip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("tab-2019.xml", tabular() + " " * 2_000_000)
    monkeypatch.setattr("code_maps.icd10cm.importer.MAX_FILE", 1_000_000)
    with pytest.raises(ImportProblem, match="larger than it may be"):
        import_paths([archive])
    monkeypatch.setattr("code_maps.icd10cm.importer.MAX_ZIP", 1_000_000)
    with pytest.raises(ImportProblem, match="far more than official ones"):
        import_paths([archive])


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("tab-2019.xml", tabular())
    data = bytearray(archive.read_bytes())
    data[60:400] = bytes(340)
    archive.write_bytes(data)
    with pytest.raises(ImportProblem, match="the zip is damaged"):
        import_paths([archive])


def test_a_damaged_imported_release_asks_to_be_imported_again(put, home: Path) -> None:
    import_paths([put("tab-2019.xml", tabular())])
    (part,) = home.rglob("*.part")
    part.write_bytes(part.read_bytes()[:-10])
    forget()
    with pytest.raises(ImportProblem, match="Import its files again"):
        load(dt.date(2019, 3, 1))
    import_paths([put("tab-2019.xml", tabular())])
    assert load(dt.date(2019, 3, 1)).is_billable("B20")


def test_nothing_is_left_behind_when_the_disk_is_full(put, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import_paths([put("tab-2017.xml", tabular(2017))])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("code_maps.icd10cm.cache.os.fsync", full)
    with pytest.raises(ImportProblem, match="No space left"):
        import_paths([put("tab-2019.xml", tabular())])
    assert [path.name for path in home.rglob("*") if path.is_file()] == ["tabular.part"]
    assert [info.id for info in releases()] == ["FY2017"]


@official
def test_the_official_order_file_and_tabular_of_a_year_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    results = import_paths([OFFICIAL / "fy2021"])
    assert {(result.release, result.count) for result in results} == {
        ("FY2021", 72_621),
        ("FY2021-01", 72_621),
    }
    changes = diff("FY2021", "FY2021-01")
    assert changes.added == changes.deleted == ()
    # The order file is ASCII, the tabular writes Charcôt and Ménière; nothing else differs in 72,621 titles.
    plain = str.maketrans("éèôöäçñü", "eeooacnu")
    assert [code for code, old, new in changes.revised if old.translate(plain) != new] == []


@official
def test_the_official_files_of_april_2025_and_2026_are_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    results = import_paths([OFFICIAL / "fy2025-april", OFFICIAL / "fy2026-april"])
    assert {result.part: result.count for result in results if result.release == "FY2026-04"} == {
        "tabular": 74_719,
        "index-drugs": 40_139,
        "index-external-causes": 7_515,
        "index-neoplasms": 9_092,
    }
    changes = diff("FY2025-04", "FY2026-04")
    assert (len(changes.added), len(changes.deleted), len(changes.revised)) == (487, 28, 38)
    codes = open_release("FY2026-04")
    entries = list(codes.index_entries())
    named = [entry.code for entry in entries if entry.code]
    known = [code for code in named if code.rstrip("-").rstrip(".") in codes]
    assert len(known) / len(named) > 0.999
