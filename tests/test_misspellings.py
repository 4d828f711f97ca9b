"""Misspelled words: corrected when nothing else can be meant, left alone otherwise, never turned into another disease."""

from __future__ import annotations

import random
import string

import pytest

from code_maps.terms import fold, term_index
from code_maps.terms import misspellings as spelling
from code_maps.terms.misspellings import LEAST, corrected


@pytest.fixture(scope="module")
def index(codes):
    return term_index(codes)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("pnuemonia", "pneumonia"),
        ("diarhea", "diarrhea"),
        ("vomitting", "vomiting"),
        ("appendictis", "appendicitis"),
        ("bronchitus", "bronchitis"),
        ("diabetis", "diabetes"),
        ("osteoarthrits", "osteoarthritis"),
        ("osteoprosis", "osteoporosis"),
        ("fibromylagia", "fibromyalgia"),
        ("lympyhadenopathy", "lymphadenopathy"),
        ("crytococcal", "cryptococcal"),
        ("schizophernia", "schizophrenia"),
        ("gastroentritis", "gastroenteritis"),
    ],
)
def test_a_slip_in_a_long_word_is_corrected(typed, meant, index):
    assert corrected(fold(typed), index) == fold(meant)


@pytest.mark.parametrize(
    "word",
    [
        "", "a", "asthma", "astma",  # short
        "pneumonia", "hypertension", "hypotension", "metformin", "patient", "yesterday",  # known
        "hypetension", "hypoertension", "hypyrtension",  # hyper- or hypo-?
        "dysphaia", "dysphaxia",  # dysphagia or dysphasia?
        "hemithorax", "periprostatic", "myocutaneous", "micrographia", "epididymidis",  # words of their own, near another
        "inferiorly", "sublingually", "endoscopist",  # another word of the family
        "lamictol", "zestoretic", "atenalol", "prednisolane",  # drugs
        "qqqqqqqqqq", "123456789", "covid19", "x" * 400, "ınfection", "pneumonıa",
    ],
)  # fmt: skip
def test_what_is_short_known_or_doubtful_is_left_alone(word, index):
    assert corrected(fold(word), index) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hypertension", "hypotension"),
        ("hyperglycemia", "hypoglycemia"),
        ("hyperthyroidism", "hypothyroidism"),
        ("hyperkalemia", "hypokalemia"),
        ("hypernatremia", "hyponatremia"),
        ("diverticulitis", "diverticulosis"),
        ("dysphagia", "dysphasia"),
        ("bradycardia", "tachycardia"),
        ("ureteral", "urethral"),
        ("perineal", "peroneal"),
        ("tendinitis", "tendinosis"),
        ("cholelithiasis", "choledocholithiasis"),
        ("menorrhagia", "metrorrhagia"),
        ("thrombocytopenia", "thrombocytosis"),
        ("leukopenia", "leukocytosis"),
        ("hematemesis", "hematochezia"),
        ("laryngitis", "pharyngitis"),
        ("hemothorax", "pneumothorax"),
    ],
)
def test_no_slip_turns_a_word_into_its_look_alike(one, other, index):
    for word, wrong in ((one, other), (other, one)):
        for typed in _slips(word):
            assert corrected(typed, index) != fold(wrong), typed


def _slips(word, letters=string.ascii_lowercase):
    """Every word that is one slip away from `word`, its first letter kept."""
    for i in range(1, len(word)):
        yield word[:i] + word[i + 1 :]
        yield from (word[:i] + letter + word[i + 1 :] for letter in letters if letter != word[i])
        yield from (word[:i] + letter + word[i:] for letter in letters)
        if i + 1 < len(word):
            yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]


def test_a_slip_never_makes_another_disease_word(index):
    """A sample of all long words of the terms: one slip each is corrected to the word itself or left alone."""
    chance = random.Random(20260512)
    some = chance.sample(sorted(spelling._target_words(index)), 400)
    right = wrong = 0
    for word in some:
        for typed in chance.sample(list(_slips(word)), 8):
            answer = corrected(typed, index)
            if answer is not None and not spelling._same(answer, word):
                wrong += 1
            right += answer == word
    assert wrong == 0
    assert right > 400 * 8 * 0.6


def test_a_correction_is_a_word_of_the_terms_that_begins_alike(index):
    targets = spelling._target_words(index)
    for word in sorted(targets)[:: len(targets) // 100]:
        answer = corrected(word[:-2] + word[-1] if len(word) > LEAST else word, index)
        assert answer is None or (answer in targets and answer[0] == word[0])


def test_the_answer_doesnt_depend_on_what_was_asked_before(index):
    first = corrected("pnuemonia", index)
    spelling._vocabularies.clear()
    assert corrected("osteoprosis", index) == "osteoporosis"
    assert corrected("pnuemonia", index) == first
