"""The descent: from a place and the words around a finding to the code that they carry, and what stays open."""

from __future__ import annotations

import datetime as dt

import pytest

from code_maps.axes.branches import SIDES, branches
from code_maps.axes.descent import Evidence, descend
from code_maps.icd10cm import load
from code_maps.terms import term_index
from models.text import Layout, Sentence
from pipeline.findings import read_words

CODES = load(dt.date(2026, 5, 12))
INDEX = term_index(CODES)


DENIALS = {"without", "no", "not"}


def said(text, wanted=lambda behind: not behind):
    """The words of a text as the descent sees them, with their places; those behind a denial apart."""
    layout = Layout(sentences=(Sentence(0, len(text)),) if text else ())
    found = {}
    for row in read_words(text, layout, INDEX).sentences:
        behind = None
        for token in row:
            if token.word in DENIALS:
                behind = token.clause
            elif wanted(token.clause == behind):
                found.setdefault(token.word, (token.start, token.end))
    return found


def evidence(*tiers, both=None, denied=()):
    """Evidence from texts, nearest first; what stands behind "without" in the nearest is denied."""
    words = [said(text) for text in tiers]
    denied = {*denied, *(said(tiers[0], bool) if tiers else ())}
    sides = {word: at for tier in reversed(words) for word, at in tier.items() if word in SIDES}
    if both is None:
        both = "bilateral" in sides
    return Evidence(words, sides, both, frozenset(denied))


def codes_of(place, *tiers, **more):
    return [path.code for path in descend(CODES, place, evidence(*tiers, **more))]


@pytest.mark.parametrize(
    ("place", "words", "code"),
    [
        # side
        ("M25.56", "right knee", "M25.561"),
        ("M25.56", "L knee", "M25.562"),
        ("M25.56", "knee", "M25.569"),
        ("M17", "primary osteoarthritis right knee", "M17.11"),
        ("M17", "primary osteoarthritis of both knees", "M17.0"),
        ("H66.0", "acute suppurative, right ear, without rupture", "H66.001"),
        # type and acuity
        ("I50", "acute on chronic systolic heart failure", "I50.23"),
        ("I50", "chronic diastolic heart failure", "I50.32"),
        ("I50", "HFpEF", "I50.30"),
        ("I50", "acute systolic heart failure", "I50.21"),
        ("I48", "paroxysmal atrial fibrillation", "I48.0"),
        ("I48", "permanent atrial fibrillation", "I48.21"),
        ("J45", "mild persistent asthma", "J45.30"),
        ("J45", "mild persistent asthma with acute exacerbation", "J45.31"),
        ("J45", "severe persistent asthma with status asthmaticus", "J45.52"),
        ("J44", "COPD with acute exacerbation", "J44.1"),
        # stage
        ("N18", "stage 3a", "N18.31"),
        ("N18", "stage 3b", "N18.32"),
        ("N18", "stage 3", "N18.30"),
        ("N18", "stage IV", "N18.4"),
        ("N18", "stage 5", "N18.5"),
        ("N18", "end stage renal disease", "N18.6"),
        ("L89.15", "sacral pressure ulcer stage 2", "L89.152"),
        # severity, course
        ("F33", "recurrent major depressive disorder, moderate", "F33.1"),
        ("F32", "major depression, single episode, severe without psychotic features", "F32.2"),
        ("G43.7", "chronic migraine without aura, intractable, with status migrainosus", "G43.711"),
        # complication
        ("E11", "diabetes with hyperglycemia", "E11.65"),
        ("E11", "diabetic polyneuropathy", "E11.42"),
        ("K57.3", "diverticulosis of large intestine with bleeding", "K57.31"),
        ("K57.3", "diverticulosis of large intestine", "K57.30"),
        ("K64", "first degree hemorrhoids", "K64.0"),
        # site
        ("S82.6", "nondisplaced fracture of lateral malleolus, left", "S82.65"),
        ("S82.6", "displaced fracture of lateral malleolus of the right fibula", "S82.61"),
        ("C50", "upper-outer quadrant of left female breast", "C50.412"),
    ],
)
def test_a_place_and_its_words_lead_to_a_code(place, words, code):
    assert codes_of(place, words) == [code]


@pytest.mark.parametrize(
    ("place", "words", "default"),
    [
        ("E11", "diabetes", "E11.9"),
        ("I50", "heart failure", "I50.9"),
        ("J18", "pneumonia", "J18.9"),
        ("G40", "epilepsy", "G40.909"),
        ("G43", "migraine", "G43.909"),
        ("H66", "otitis media", "H66.90"),
        ("S52.5", "fracture of the distal radius", "S52.509"),
        ("N18", "chronic kidney disease", "N18.9"),
        ("J45", "asthma", "J45.909"),
        ("J44", "COPD", "J44.9"),
        ("I25.1", "coronary artery disease", "I25.10"),
        ("F32", "depression", "F32.A"),
        ("K21", "reflux", "K21.9"),
        ("M54.5", "low back pain", "M54.50"),
        ("E78.5", "hyperlipidemia", "E78.5"),
        ("N40", "enlarged prostate", "N40.0"),
        ("I48.9", "atrial fibrillation", "I48.91"),
        ("R05", "cough", "R05.9"),
        ("L03.11", "cellulitis of the limb", "L03.119"),
    ],
)
def test_without_a_word_the_child_that_adds_nothing_is_taken(place, words, default):
    assert codes_of(place, words) == [default]
    assert codes_of(place, "") == [default]


def test_a_word_with_a_default_of_its_own_leads_to_it():
    assert codes_of("F32", "major depressive disorder") == ["F32.9"]
    assert codes_of("F32", "major depressive disorder, moderate") == ["F32.1"]


def test_a_fracture_without_more_is_closed_and_at_its_first_visit(coded):
    assert "S52.501A" in coded("Assessment:\n1. Fracture of the lower end of the right radius.")
    assert "S52.501B" not in coded("Assessment:\n1. Fracture of the lower end of the right radius.")


@pytest.mark.parametrize(
    ("place", "words", "axis", "some"),
    [
        ("I50", "heart failure", "type", {"I50.2", "I50.3"}),
        ("I50.2", "systolic heart failure", "acuity", {"I50.21", "I50.22"}),
        ("M25.56", "knee pain", "laterality", {"M25.561", "M25.562"}),
        ("N18", "chronic kidney disease", "stage", {"N18.4", "N18.5"}),
        ("J45", "asthma", "severity", {"J45.2", "J45.3"}),
    ],
)
def test_what_the_note_does_not_say_is_an_open_axis_with_its_choices(place, words, axis, some):
    (path,) = descend(CODES, place, evidence(words))
    choices = {opened.axis: {c.code for c in opened.choices} for opened in path.open_axes}
    assert axis in choices, choices
    assert some <= choices[axis]
    assert path.code not in choices[axis]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("I50", "acute systolic heart failure"),
        ("M25.56", "right knee pain"),
        ("N18", "stage 3a"),
        ("I10", "hypertension"),
    ],
)
def test_what_the_note_says_leaves_no_axis_open(place, words):
    (path,) = descend(CODES, place, evidence(words))
    assert path.open_axes == ()
    assert path.conflict is None and path.complete


def test_an_axis_that_was_decided_points_at_its_words():
    text = "acute systolic heart failure"
    (path,) = descend(CODES, "I50", evidence(text))
    assert {text[a.start : a.end] for a in path.axes} >= {"acute", "systolic"}
    (path,) = descend(CODES, "M25.56", evidence("pain, R knee"))
    assert [(a.axis, a.value, a.start, a.end) for a in path.axes if a.axis == "laterality"] == [
        ("laterality", "right", 6, 7)
    ]


def test_both_sides_are_one_code_where_there_is_one_and_two_where_there_is_none():
    assert codes_of("M17", "bilateral primary osteoarthritis of the knee") == ["M17.0"]
    assert codes_of("M25.56", "pain in both knees") == ["M25.561", "M25.562"]
    assert codes_of("M25.56", "pain in the right and the left knee", both=True) == ["M25.561", "M25.562"]


def test_two_sides_that_contradict_each_other_decide_nothing_and_say_so():
    (path,) = descend(CODES, "M25.56", evidence("knee pain", "left", "right", both=False))
    assert path.code == "M25.569"
    assert path.conflict == "laterality"


def test_the_nearest_words_decide_and_farther_ones_only_where_nearer_are_silent():
    assert codes_of("I50", "chronic systolic heart failure", "acute diastolic heart failure") == ["I50.22"]
    assert codes_of("I50", "heart failure", "chronic systolic dysfunction") == ["I50.22"]
    assert codes_of("N18", "chronic kidney disease", "", "stage 4") == ["N18.4"]


def test_a_denied_word_does_not_lead_there():
    assert codes_of("J45", "asthma exacerbation", denied={"exacerbation"}) != ["J45.901"]
    assert codes_of("J45", "asthma exacerbation") == ["J45.901"]


def test_words_of_another_thing_do_not_lead_astray():
    assert codes_of("I50", "heart failure, left knee pain, stage 3") == ["I50.9"]
    assert codes_of("E11", "type 2 diabetes, cough, sprained ankle") == ["E11.9"]


NODES = [node for node in CODES.nodes() if CODES.children(node) and len(node) < 7]
SAMPLE = NODES[::23]


@pytest.mark.parametrize(
    "words", ["", "acute on chronic severe, right", "with and without complication, stage 2, left, type 2"]
)
def test_no_branch_is_invented(words):
    """Whatever is said, the descent ends in the release, below where it began, and every choice exists."""
    heard = evidence(words)
    for node in SAMPLE:
        for path in descend(CODES, node, heard):
            assert path.code in CODES
            # an "unspecified" place may be lifted to the node that it is the unspecified child of
            home = CODES.category(node) if len(node) > 3 else node
            assert path.code == node or home in CODES.ancestors(path.code) or CODES.kind(node) in ("chapter", "block")
            for opened in path.open_axes:
                for choice in opened.choices:
                    assert choice.code in CODES
                    assert choice.value.strip()
            if path.complete:
                assert CODES.is_billable(path.code) or CODES.seventh_characters(path.code), (node, path.code)


def test_every_node_has_at_most_one_default():
    for node in NODES[::5]:
        options = branches(CODES, node)
        assert sum(option.default for option in options) <= 1, node
        assert [option.code for option in options] == [c for c in CODES.children(node) if len(c) < 8]


def test_a_descent_from_a_leaf_stays_there():
    (path,) = descend(CODES, "I10", evidence("right acute severe hypertension"))
    assert path.code == "I10" and path.open_axes == () and path.axes == ()
