"""Term matching: which words of a note make one term, and which must not."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from code_maps.icd10cm import load
from code_maps.terms import TermIndex, term_index, term_words
from pipeline.findings import kind_of, match_terms, read_words
from pipeline.sections import read_layout

DAY = dt.date(2026, 5, 12)


def index_of(**terms):
    """A small index: place -> term, each under its first word."""
    entries = [(term_words(term), place.replace("_", "."), "table") for place, term in terms.items()]
    by_word = {}
    for number, (said, _, _) in enumerate(entries):
        by_word.setdefault(said[0], []).append(number)
    return TermIndex(entries, by_word, {})


def matches(text, index, long_forms=()):
    """[(words of the note, place)] of all matches."""
    layout = read_layout(text)
    found = match_terms(read_words(text, layout, index, long_forms), index)
    return [(text[m.start : m.end], m.place) for _, m in found]


KNEE = index_of(M25_56="knee pain", R52="pain")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Knee pain.", "Knee pain"),
        ("Pain in the knee.", "Pain in the knee"),
        ("pain of his left knee", "pain of his left knee"),
        ("KNEE PAINS", "KNEE PAINS"),
    ],
)
def test_a_term_matches_in_any_order_number_and_case(text, said):
    assert (said, "M25.56") in matches(text, KNEE)


@pytest.mark.parametrize(
    "text",
    [
        "The knee is stable and cool, moves freely; hand examined too, with pain.",
        "Pain when he gets up early in the morning and then later walks with a stiff knee.",
    ],
)
def test_words_far_from_one_another_are_no_term(text):
    assert "M25.56" not in [place for _, place in matches(text, KNEE)]


@pytest.mark.parametrize(
    "text",
    [
        "Pain. Knee normal.",
        "Pain; knee normal.",
        "Pain\nKnee normal",
        "Pain: knee normal",
        "Pain | knee",
        "Pain - knee",
    ],
)
def test_a_clause_boundary_keeps_words_apart(text):
    found = matches(text, KNEE)
    assert "M25.56" not in [place for _, place in found]
    assert ("Pain", "R52") in found  # … and what stands alone is still found


def test_a_boundary_inside_a_word_or_number_is_none():
    index = index_of(M25_56="knee pain", R79_9="low sodium")
    assert ("knee, pain", "M25.56") not in matches("knee, pain", index)
    assert matches("low-sodium", index) == [("low-sodium", "R79.9")]


def test_the_longest_match_wins_over_those_inside_it():
    index = index_of(
        I50="heart failure", I50_2="systolic heart failure", I50_23="acute on chronic systolic heart failure"
    )
    found = matches("Acute on chronic systolic heart failure.", index)
    assert found == [("Acute on chronic systolic heart failure", "I50.23")]
    assert matches("Heart failure.", index) == [("Heart failure", "I50")]
    # the shorter term elsewhere in the same sentence is a mention of its own
    both = matches("Systolic heart failure today; heart failure clinic next week.", index)
    assert [place for _, place in both] == ["I50.2", "I50"]


def test_every_mention_of_a_term_is_found():
    text = "Asthma. She has asthma. Her asthma is better, but asthma runs in the family."
    assert Counter(place for _, place in matches(text, index_of(J45="asthma"))) == {"J45": 4}


def test_a_stage_keeps_its_number_to_itself():
    index = index_of(
        N18="chronic kidney disease", N18_3="stage 3 kidney disease", E11="type 2 diabetes", E10="type 1 diabetes"
    )
    places = [p for _, p in matches("Type 2 diabetes and stage 3a chronic kidney disease", index)]
    assert "E11" in places and "N18" in places and "E10" not in places
    assert [p for _, p in matches("Type 1 diabetes, CKD stage 2", index)] == ["E10"]


def test_a_roman_stage_is_read_as_its_number():
    index = index_of(N18_3="stage 3 kidney disease")
    assert [p for _, p in matches("Kidney disease, stage III", index_of(N18="kidney disease"))] == ["N18"]
    assert [p for _, p in matches("Stage III kidney disease", index)] == ["N18.3"]
    assert matches("Stage IV kidney disease", index) == []


SIDES = index_of(M25_561="right knee pain", M25_562="left knee pain", M25_56="knee pain")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("R knee pain", "M25.561"),
        ("Rt knee pain", "M25.561"),
        ("right-sided knee pain", "M25.561"),
        ("L knee pain", "M25.562"),
        pytest.param(
            "lt. knee pain", "M25.562", marks=pytest.mark.xfail(reason='known fault: "lt." ends a clause', strict=False)
        ),
        ("knee pain", "M25.56"),
    ],
)
def test_a_letter_stands_for_a_side(text, place):
    assert place in [p for _, p in matches(text, SIDES)]


@pytest.mark.parametrize("text", ["2 L drained, knee pain", "2 L of saline for knee pain", "10 L, knee pain"])
def test_a_letter_behind_a_number_is_no_side(text):
    assert [p for _, p in matches(text, SIDES)] == ["M25.56"]


def test_an_abbreviation_is_read_in_full_at_its_own_place():
    index = index_of(I50="heart failure", I50_1="left ventricular failure")
    assert matches("CHF today", index) == []
    assert matches("CHF today", index, [(0, 3, "congestive heart failure")]) == [("CHF", "I50")]
    # only where it was said to stand, and not once more elsewhere
    assert matches("CHF, then CHF", index, [(0, 3, "congestive heart failure")]) == [("CHF", "I50")]


def test_positions_point_at_the_text_as_it_was_given():
    text = "\ufeffDx:\r\n\t• Knee\u00a0pain, é\u0301 and 𝔘nicode\r\n\r\nknee pain\r"
    for said, place in matches(text, KNEE):
        assert said in text and place in ("M25.56", "R52")
    assert [said for said, _ in matches(text, KNEE)] == ["Knee\u00a0pain", "knee pain"]


@pytest.mark.parametrize("text", ["", " ", "\n\n\r\n", "\t", "\u200b", "…", "1234", "🙂" * 50])
def test_a_text_without_words_has_no_terms(text):
    assert matches(text, KNEE) == []


@pytest.mark.parametrize(
    ("place", "section", "kind"),
    [
        ("R07.9", "chief_complaint", "symptom"),
        ("R73.9", "labs", "result"),
        ("I10", "past_medical_history", "condition"),
        ("Z85.3", "assessment", "history"),
        ("Z79.4", "medications", "status"),
        ("I21", "family_history", "history"),
        ("S82.6", "assessment", "condition"),
    ],
)
def test_the_kind_follows_from_the_place(place, section, kind):
    assert kind_of(place, section) == kind


# --- with the real terms -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real():
    index = term_index(load(DAY))

    def of(text):
        return [place for _, place in matches(text, index)]

    return of


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Pain in the right knee.", "M25"),
        ("Left-sided chest pain.", "R07"),
        ("Kidney stones on both sides.", "N20"),
        ("Haemorrhoids.", "K64"),
        ("Iron deficiency anaemia.", "D50"),
        ("Anemia due to iron deficiency.", "D50"),
        ("Gastro-oesophageal reflux.", "K21"),
        pytest.param(
            "Oesophageal reflux disease.",
            "K21",
            marks=pytest.mark.xfail(reason="known fault: K22.9 wins", strict=False),
        ),
        ("Crohn's disease.", "K50"),
        ("Fracture of the left distal radius.", "S52"),
        ("Urinary tract infection.", "N39"),
        ("Migraine without aura.", "G43"),
    ],
)
def test_what_clinicians_write_leads_to_its_category(text, category, real):
    assert category in {place[:3] for place in real(text)}


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("The chest is clear. Pain in the knee.", "R07"),
        ("Heart sounds normal; renal failure.", "I50"),
        ("Type 1 diabetes.", "E11"),
        ("Hypotension.", "I10"),
        ("Hypothyroidism.", "E05"),
        ("Pneumonia on the right; effusion of the left knee.", "J90"),
        ("2 L of oxygen for pneumonia", "J81"),
    ],
)
def test_words_of_two_things_make_no_third(text, category, real):
    assert category not in {place[:3] for place in real(text)}


@pytest.mark.xfail(reason="known fault: CKD, read in full, is matched again inside the longer term", strict=False)
@pytest.mark.parametrize("text", ["CKD stage 3a", "stage 3 CKD", "anemia of chronic kidney disease"])
def test_a_term_inside_a_longer_one_is_not_matched_again(text, reviewed):
    found = [f for f in reviewed(text).findings if f.place]
    assert len({(f.start, f.end) for f in found}) == 1
    assert len([p for p in reviewed(text).proposals if p.code[:3] == "D63"]) <= 1
