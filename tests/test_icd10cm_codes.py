"""The built-in release, FY2027 on top of it, and which of them holds on a date."""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from code_maps.icd10cm import (
    CodeSet,
    UnknownCode,
    UnknownRelease,
    diff,
    load,
    open_release,
    parse_codes,
    releases,
)
from code_maps.icd10cm.release import forget, known_changes
from code_maps.icd10cm.search import search

OFFICIAL = Path(__file__).resolve().parents[2] / "shared/data/icd10cm"
official = pytest.mark.skipif(not OFFICIAL.is_dir(), reason="the official sample files are not here")


@pytest.fixture(scope="module", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHARTPROOF_HOME", str(tmp_path_factory.mktemp("home")))
        forget()
        yield
    forget()


@pytest.fixture(scope="module")
def codes() -> CodeSet:
    return load(dt.date(2026, 5, 12))


@pytest.fixture(scope="module")
def next_year() -> CodeSet:
    return load(dt.date(2026, 10, 1))


def bare(codes: Iterator[str]) -> set[str]:
    return {code.replace(".", "") for code in codes}


def test_the_number_of_billable_codes_is_the_one_that_cms_states(codes: CodeSet, next_year: CodeSet) -> None:
    assert codes.billable_count == 74_719
    assert next_year.billable_count == 74_879
    assert [info.billable for info in releases()] == [74_719, 74_879]


@official
@pytest.mark.parametrize(
    ("on", "file"),
    [
        (dt.date(2026, 5, 12), "fy2026-april/derived_billable_codes_fy2026_april.json"),
        (dt.date(2026, 10, 1), "fy2027-addenda/derived_billable_codes_fy2027.json"),
    ],
)
def test_the_billable_codes_are_the_official_ones(on: dt.date, file: str) -> None:
    assert bare(load(on).billable()) == set(json.loads((OFFICIAL / file).read_text()))


@pytest.mark.parametrize(
    "code",
    [
        "B20",
        "F99",
        "P84",
        "R99",
        "Z66",
        "I10",
        "I50.22",
        "S82.101A",
        "T14.8XXA",
        "T07.XXXA",
        "QA0.0101",
        "S06.1X7A",
    ],
)
def test_a_code_without_anything_below_is_billable(codes: CodeSet, code: str) -> None:
    assert code in codes
    assert codes.is_billable(code)


@pytest.mark.parametrize(
    "code",
    [
        "C50",
        "Z68",
        "I50",
        "I50.2",
        "S82.101",
        "T14.8",
        "T14.8XX",
        "S06.1X7D",
        "S82.101Z",
        "I50.99",
        "I5022",
        "i50.22",
        "B20-B20",
        "9",
        "",
        "I50.22A",
        "E11.3211X",
    ],
)
def test_headings_and_what_is_no_code_are_not_billable(codes: CodeSet, code: str) -> None:
    assert not codes.is_billable(code)


def test_nodes_are_exactly_what_the_code_set_contains(codes: CodeSet) -> None:
    nodes = list(codes.nodes())
    assert len(nodes) == len(set(nodes)) > 98_000
    assert all(node in codes for node in nodes)
    assert "9" not in codes
    assert "I30-I5A" not in codes
    assert None not in codes


def test_parents_and_children_agree(codes: CodeSet) -> None:
    for node in codes.nodes():
        parent = codes.parent(node)
        assert parent is not None
        assert node in codes.children(parent)


def test_every_node_leads_through_category_and_block_to_its_chapter(codes: CodeSet) -> None:
    assert codes.ancestors("I50.22") == ("I50.2", "I50", "I30-I5A", "9")
    assert codes.ancestors("T14.8XXA")[:3] == ("T14.8", "T14", "T14-T14")
    assert codes.ancestors("B20") == ("B20-B20", "1")
    assert codes.ancestors("C7A.00")[-3:] == ("C7A-C7A", "C00-C96", "2")
    kinds = {tuple(codes.kind(node) for node in codes.ancestors(code)[-1:]) for code in codes.nodes() if len(code) == 3}
    assert kinds == {("chapter",)}


@pytest.mark.parametrize(
    ("node", "kind"),
    [
        ("9", "chapter"),
        ("I30-I5A", "block"),
        ("B20-B20", "block"),
        ("B20", "category"),
        ("I50.2", "code"),
        ("S82.101A", "code"),
    ],
)
def test_kinds(codes: CodeSet, node: str, kind: str) -> None:
    assert codes.kind(node) == kind


def test_titles_and_places(codes: CodeSet) -> None:
    assert codes.title("T14.8XXA") == "Other injury of unspecified body region, initial encounter"
    assert codes.title("9") == "Diseases of the circulatory system"
    assert codes.chapter("QA0.0101") == "17"
    assert codes.category("I50.22") == "I50"
    assert "Congestive heart failure NOS" in codes.inclusion_terms("I50.9")
    assert codes.inclusion_terms("S82.101A") == ()


def test_an_unknown_code_is_named_with_its_release(codes: CodeSet) -> None:
    with pytest.raises(UnknownCode, match=r"'I50\.99' is not in ICD-10-CM FY2026-04"):
        codes.title("I50.99")


def test_seventh_characters_come_from_the_nearest_definition(codes: CodeSet) -> None:
    assert codes.seventh_characters("S52.521")["A"] == "initial encounter for closed fracture"
    assert "B" not in codes.seventh_characters("S52.521")
    assert "B" in codes.seventh_characters("S52.501")
    assert codes.seventh_characters("S06.1X7") == {"A": "initial encounter"}
    assert codes.seventh_characters("I50.22") == {}
    assert codes.extend("T14.8", "A") == "T14.8XXA"
    assert codes.extend("T14.8", "Z") is codes.extend("S82", "A") is codes.extend("I50.22", "A") is None


def test_extending_a_stem_gives_its_children(codes: CodeSet) -> None:
    for stem in ("S82.101", "T07", "H40.1111"[:7], "O31.11"):
        made = {codes.extend(stem, character) for character in codes.seventh_characters(stem)}
        assert made == set(codes.children(stem))
        assert all(codes.parent(code) == stem for code in made if code)


def test_notes_are_own_first_then_those_of_every_ancestor(codes: CodeSet) -> None:
    origins = [note.origin for note in codes.notes("E11.9")]
    order = ["E11.9", *codes.ancestors("E11.9")]
    assert origins == sorted(origins, key=order.index)
    assert {"E11", "4"} <= set(origins)
    assert {note.kind for note in codes.notes("E11.9", "excludes1")} == {"excludes1"}


@pytest.mark.parametrize(
    ("a", "b", "origin"),
    [
        ("E10.9", "E11.9", "E10"),
        ("E11.9", "E10.9", "E10"),
        ("I50.22", "I50.22", None),
        ("I50", "I50.22", None),
        ("E11.22", "N18.31", None),
        ("J60", "J65", "J60"),
        ("A15.0", "A18.01", None),
        ("A15.0", "J65", "A15-A19"),
        ("D72", "D72.824", None),
        ("D72.820", "D72.824", "D72"),
    ],
)
def test_excludes1_is_inherited_and_works_both_ways(codes: CodeSet, a: str, b: str, origin: str | None) -> None:
    for note in (codes.excludes1(a, b), codes.excludes1(b, a)):
        assert (note.origin if note else None) in ({origin} if origin is None else {origin, "E11", "J65"})
    assert (codes.excludes1(a, b) is None) == (origin is None)


# What looks like a code and is none: antigens, receptors, genes, a vitamin, muscular dystrophies.
_NO_CODES = re.compile(r"\w+4A-related|CD30|G6PD|[AH]/H\dN\d|\bK[MD]\w\d\w|\bSCN8A|O157|[Vv]itamin B12|LGMD R\d\d")


def test_every_code_in_every_note_is_read(codes: CodeSet) -> None:
    tables = codes._tables
    categories = {code for code in tables.titles if len(code) == 3}
    lost, unknown = [], []
    for node, notes in tables.notes.items():
        for _, text in notes:
            ends = {end for span in parse_codes(text) for end in (span.low, span.high)}
            for token in re.findall(r"[A-Z][0-9][0-9A-Z](?:\.[0-9A-Z]+)?|QA0", _NO_CODES.sub(" ", text)):
                if token.replace(".", "") not in ends:
                    lost.append((node, token))
            unknown.extend((node, end) for end in ends if end[:3] not in categories)
    assert lost == []
    # Ends of WHO ranges without a category of their own in ICD-10-CM.
    assert {end for _, end in unknown} == {"I64", "K93", "Y89"}


def test_every_condition_on_characters_leaves_some_code(codes: CodeSet) -> None:
    nodes = sorted(bare(codes.nodes()))
    spans = {
        span for notes in codes._tables.notes.values() for _, text in notes for span in parse_codes(text) if span.only
    }
    assert len(spans) > 40
    assert [span for span in spans if not any(span.holds(node) for node in nodes)] == []


def test_the_date_of_service_chooses_the_release() -> None:
    april, december, october = (
        load(dt.date(2026, 4, 1)),
        load(dt.date(2025, 12, 1)),
        load(dt.date(2026, 10, 1)),
    )
    assert (april.release, april.covers, april.notices) == ("FY2026-04", True, ())
    assert december.release == "FY2026-04"
    assert "notes and index terms may differ" in december.notices[0]
    assert october.release == "FY2027"
    assert "bring no notes" in october.notices[0]
    assert april.effective == (dt.date(2025, 10, 1), dt.date(2026, 9, 30))


def test_a_date_that_no_release_covers_is_said_and_the_nearest_release_used() -> None:
    before, after = load(dt.date(2023, 5, 1)), load(dt.date(2028, 5, 1))
    assert (before.release, before.covers) == ("FY2026-04", False)
    assert "Import the FY2023 tabular" in before.notices[0]
    assert (after.release, after.covers) == ("FY2027", False)


def test_without_a_date_the_newest_installed_release_is_used_and_said() -> None:
    assert load().release == "FY2026-04"
    assert "No date of service" in load().notices[0]


def test_loading_again_gives_the_same_object() -> None:
    assert load(dt.date(2026, 5, 12)) is load(dt.date(2026, 5, 12))


def test_a_release_that_is_not_installed_is_an_error_that_lists_the_others() -> None:
    with pytest.raises(UnknownRelease, match="FY2026-04, FY2027"):
        open_release("FY1999")


def test_new_codes_of_fy2027_stand_where_their_prefix_says(next_year: CodeSet, codes: CodeSet) -> None:
    assert codes.is_billable("I42.0")
    assert not next_year.is_billable("I42.0")
    assert next_year.children("I42.0") == ("I42.00", "I42.01", "I42.09")
    assert next_year.parent("M86.8X11") == "M86.8X1"
    assert "T52.8X1A" in codes
    assert "T52.8X1A" not in next_year
    assert next_year.is_billable("T52.891A")
    assert next_year.ancestors("K6A.01") == ("K6A.0", "K6A", "11")
    assert next_year.chapter("J4B") == "10"
    assert next_year.notes("I42.00", "excludes1") == codes.notes("I42.0", "excludes1")
    order = list(next_year.nodes())
    assert order[order.index("I42") : order.index("I42.1")] == ["I42", "I42.0", "I42.00", "I42.01", "I42.09"]


def test_every_row_of_the_fy2027_file_holds(next_year: CodeSet, codes: CodeSet) -> None:
    facts = known_changes()
    assert (len(facts["added"]), len(facts["deleted"]), len(facts["revised"])) == (190, 30, 4)
    for code, title in facts["added"].items():
        assert next_year.is_billable(code)
        assert next_year.title(code) == title
        assert not codes.is_billable(code)
    for code, title in facts["headings"].items():
        assert code in next_year
        assert not next_year.is_billable(code)
        assert next_year.title(code) == title
    for code in facts["deleted"]:
        assert codes.is_billable(code)
        assert not next_year.is_billable(code)
    for code in facts["deleted_headings"]:
        assert code not in next_year


def test_the_difference_is_what_cms_counts() -> None:
    changes = diff("FY2026-04", "FY2027")
    assert (len(changes.added), len(changes.deleted), len(changes.revised)) == (190, 30, 4)
    assert ("I42.0", "Dilated cardiomyopathy") in changes.deleted
    assert changes.revised[-1] == (
        "Z29.14",
        "Encounter for prophylactic rabies immune globin",
        "Encounter for prophylactic rabies immune globulin",
    )
    assert diff("FY2026-04", "FY2026-04").added == ()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("right knee pain", "M25.561"),
        ("heart failure", "I50"),
        ("I50.22", "I50.22"),
        ("fractures of the shaft of tibia", "S82.2"),
        ("COVID-19", "U07.1"),
    ],
)
def test_searching_finds_the_code_first(codes: CodeSet, words: str, code: str) -> None:
    hits = search(codes, words, 5)
    assert hits[0][0] == code
    assert len(hits) == 5
    assert [score for _, _, score in hits] == sorted((score for _, _, score in hits), reverse=True)


@pytest.mark.parametrize("words", ["", "the of", "qqqq"])
def test_searching_for_nothing_finds_nothing(codes: CodeSet, words: str) -> None:
    assert search(codes, words, 5) == []


def test_the_package_that_ships_the_tabular_is_never_imported() -> None:
    program = (
        "import sys, datetime; from code_maps.icd10cm import load; "
        "load(datetime.date(2026, 5, 12)).title('I10'); print('simple_icd_10_cm' in sys.modules)"
    )
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
