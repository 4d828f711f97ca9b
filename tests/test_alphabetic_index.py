"""An imported Alphabetic Index as terms: small indexes that the test writes, read into a home of their own."""

from __future__ import annotations

import datetime as dt

import pytest

from code_maps.guidelines.index_links import index_links
from code_maps.icd10cm import import_paths, load
from code_maps.icd10cm.release import forget
from code_maps.terms.alphabetic_index import index_rows, index_stamp, with_links
from models.text import Note
from pipeline.review import review

DAY = dt.date(2026, 5, 12)
RELEASE = "FY2026-04"

DISEASES = """<?xml version="1.0" encoding="utf-8"?>
<ICD10CM.index>
  <version>2026</version>
  <title>ICD-10-CM INDEX TO DISEASES and INJURIES</title>
  <letter><title>A</title>
    <mainTerm><title>Aarskog's syndrome</title><code>Q87.19</code></mainTerm>
    <mainTerm><title>Abandonment</title><see>Maltreatment</see></mainTerm>
    <mainTerm><title>Abasia<nemod>(-astasia) (hysterical)</nemod></title><code>F44.4</code></mainTerm>
    <mainTerm><title>Abdomen, abdominal</title><seeAlso>condition</seeAlso>
      <term level="1"><title>acute</title><code>R10.0</code></term>
      <term level="1"><title>angina</title><code>K55.1</code></term>
    </mainTerm>
    <mainTerm><title>Aberrant<nemod>(congenital)</nemod></title>
      <term level="1"><title>artery<nemod>(peripheral)</nemod></title><code>Q27.8</code>
        <term level="2"><title>basilar NEC</title><code>Q28.1</code></term>
        <term level="2"><title>specified NEC</title><code>Q27.8</code></term>
      </term>
    </mainTerm>
    <mainTerm><title>Abnormal, abnormality, abnormalities</title>
      <term level="1"><title>auditory perception</title><code>H93.29-</code></term>
      <term level="1"><title>hearing of sounds</title><see>Abnormal, auditory perception</see></term>
      <term level="1"><title>out of date</title><code>A99.99</code></term>
    </mainTerm>
    <mainTerm><title>Ager</title><code>Q99.9</code></mainTerm>
    <mainTerm><title>Nap</title><code>G47.8</code></mainTerm>
    <mainTerm><title>Diabetes, diabetic</title><code>E11.9</code>
      <term level="1"><title>with</title>
        <term level="2"><title>amyotrophy</title><code>E11.44</code></term>
        <term level="2"><title>kidney complications NEC</title><code>E11.29</code></term>
        <term level="2"><title>specified complication</title><code>E11.69</code></term>
      </term>
    </mainTerm>
    <mainTerm><title>Sarcoid, sarcoidosis</title><code>D86.9</code>
      <term level="1"><title>with</title>
        <term level="2"><title>polyarthritis</title><code>D86.86</code></term>
      </term>
    </mainTerm>
    <mainTerm><title>Anemia</title><code>D64.9</code>
      <term level="1"><title>in<nemod>(due to)(with)</nemod></title>
        <term level="2"><title>end stage renal disease</title><code>D63.1</code></term>
      </term>
    </mainTerm>
    <mainTerm><title>Lightning<nemod>(effects)</nemod></title><seecat>T75.0</seecat></mainTerm>
  </letter>
</ICD10CM.index>
"""
CAUSES = """<?xml version="1.0" encoding="utf-8"?>
<ICD10CM.index>
  <version>2026</version>
  <title>ICD-10-CM EXTERNAL CAUSE of INJURIES INDEX</title>
  <letter><title>F</title>
    <mainTerm><title>Fall, falling<nemod>(accidental)</nemod></title><code>W19</code>
      <term level="1"><title>from, off, out of</title><code>W17.89</code>
        <term level="2"><title>ladder</title><code>W11</code></term>
      </term>
    </mainTerm>
    <mainTerm><title>Accident<nemod>(to)</nemod></title><code>X58</code>
      <term level="1"><title>barefoot water skier</title><code>V94.4</code></term>
    </mainTerm>
  </letter>
</ICD10CM.index>
"""


@pytest.fixture(scope="module")
def indexed(tmp_path_factory):
    """The release of DAY with the two indexes imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHARTPROOF_HOME", str(tmp_path_factory.mktemp("home")))
        forget()
        folder = tmp_path_factory.mktemp("in")
        assert list(index_rows(load(DAY))) == []
        assert list(with_links(load(DAY))) == []
        assert index_stamp(load(DAY).release) == ""
        paths = []
        for name, text in (("index-2026.xml", DISEASES), ("eindex-2026.xml", CAUSES)):
            paths.append(folder / name)
            paths[-1].write_text(text, encoding="utf-8")
        import_paths(paths, release=load(DAY).release)
        yield load(DAY)
        forget()
    forget()


@pytest.fixture(scope="module")
def found(indexed):
    places = {}
    for said, place in index_rows(indexed):
        places.setdefault(frozenset(said), set()).add(place)
    return places


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("aarskog syndrome", "Q87.19"),
        ("abasia", "F44.4"),  # the modifiers in parentheses don't count
        ("abdomen acute", "R10.0"),
        ("abdomen angina", "K55.1"),  # "abdominal" folds to the noun
        ("aberrant artery", "Q27.8"),
        ("aberrant artery basilar", "Q28.1"),  # NEC is dropped
        ("abnormal auditory perception", "H93.29"),  # a dash is open below
        ("abnormality auditory perception", "H93.29"),  # every form of the main term
        ("abnormal hearing sound", "H93.29"),  # "see" another line
        ("diabetes amyotrophy", "E11.44"),
        ("fall ladder off out", "W11"),
        ("accident barefoot skier water", "V94.4"),
    ],
)
def test_a_line_gives_its_words_and_its_place(words, place, found):
    said = {key: places for key, places in found.items() if key == frozenset(words.split())}
    assert list(said.values()) == [{place}], sorted(map(sorted, found))


@pytest.mark.parametrize(
    "words",
    [
        "nap",  # one short word
        "fall",  # one word for a cause
        "abandonment",  # "see" a line that isn't there
        "abnormal date out",  # a code that the release doesn't have
        "aberrant artery specified",  # a residual line
        "diabetes complication specified",
    ],
)
def test_a_line_that_says_too_little_gives_nothing(words, found):
    assert frozenset(words.split()) not in found


def test_see_category_is_followed(found):
    assert found[frozenset({"lightning"})] == {"T75.0"}


def test_with_and_in_give_links_and_what_is_not_elsewhere_classified_does_not(indexed):
    links = set(with_links(indexed))
    assert (("diabetes",), ("amyotrophy",), "E11.9", "E11.44") in links
    assert {(link[0], link[2]) for link in links if link[3] == "D63.1"} == {(("anemia",), "D64.9")}
    assert not [link for link in links if link[3] in ("E11.29", "E11.69")]


def test_a_link_of_the_index_joins_what_the_note_lists_apart(indexed):
    note = "Assessment:\n1. Sarcoidosis.\n2. Polyarthritis."
    report = review(Note(note, date_of_service=DAY))
    assert [p.code for p in report.proposals] == ["D86.86"]
    held = {w.code: w for w in report.withheld}
    assert held["D86.9"].rule == held["M13.0"].rule == "with-convention"
    assert "Alphabetic Index" in held["M13.0"].why


def test_the_providers_word_that_the_two_are_unrelated_wins_over_the_index(indexed):
    note = "Assessment:\n1. Sarcoidosis.\n2. Polyarthritis, not due to sarcoidosis."
    codes = [p.code for p in review(Note(note, date_of_service=DAY)).proposals]
    assert sorted(codes) == ["D86.9", "M13.0"]


def test_a_partner_that_the_code_first_note_asks_for_stays(indexed):
    row = next(row for row in index_links(indexed)["D64"] if row.becomes == "D63.1")
    assert list(row.condition) == ["N18.6"]
    assert row.drop == ("D64.9",)


def test_without_an_imported_index_nothing_is_linked(tmp_path, monkeypatch):
    monkeypatch.setenv("CHARTPROOF_HOME", str(tmp_path))
    forget()
    assert index_links(load(DAY)) == {}
    codes = [
        p.code for p in review(Note("Assessment:\n1. Sarcoidosis.\n2. Polyarthritis.", date_of_service=DAY)).proposals
    ]
    assert sorted(codes) == ["D86.9", "M13.0"]
    forget()


def test_every_place_is_in_the_release_and_every_pair_comes_once(indexed):
    rows = list(index_rows(indexed))
    assert all(place in indexed and said for said, place in rows)
    assert len({(frozenset(said), place) for said, place in rows}) == len(rows)


def test_the_stamp_changes_with_what_was_imported(indexed, tmp_path, monkeypatch):
    monkeypatch.setenv("CHARTPROOF_HOME", str(tmp_path))
    assert index_stamp(indexed.release) == ""
    folder = tmp_path / "releases" / indexed.release
    folder.mkdir(parents=True)
    (folder / "index-diseases.part").write_bytes(b"one")
    first = index_stamp(indexed.release)
    (folder / "index-diseases.part").write_bytes(b"another")
    assert first and index_stamp(indexed.release) not in ("", first)
