"""The prose beside an article's code lists: what is read from sentences such as contractors write, all of them ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from code_maps.coverage.policy import Frequency, Services
from code_maps.coverage.prose import (
    Listed,
    frequency_limits,
    is_never_covered,
    plain_text,
    read_denial,
    read_groups,
    required_modifiers,
)

PROCEDURES = frozenset({"10001", "10002", "10003", "10004", "10009", "20001", "G0444"})
LISTED = Listed(PROCEDURES, {1: ("10001", "10002"), 2: ("20001", "G0444")}, {}, {1: ("Q7", "Q8")})


def read(*paragraphs, **more):
    return read_groups(dict(enumerate(paragraphs, 1)), listed=LISTED, **more)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("<p>One&nbsp;two</p>\n<p>three</p>", "One two\nthree"),
        ("CPT<sup>&reg;</sup> codes", "CPT® codes"),
        ("&amp;lt;p&amp;gt;Twice&amp;lt;/p&amp;gt;", "Twice"),
        ("below 7 &lt; 9 &amp;ge; 3", "below 7 < 9 ≥ 3"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("", ""),
    ],
)
def test_cells_become_plain_text(cell, text):
    assert plain_text(cell) == text


@pytest.mark.parametrize(
    ("sentence", "services"),
    [
        (
            "The following ICD-10-CM codes support medical necessity for CPT codes 10001-10004 only.",
            "10001 10002 10003 10004",
        ),
        ("Group 1 (CPT codes 10001, 10002 and 10004):", "10001 10002 10004"),
        ("Codes for 10002 through 10009", "10002 10003 10004 10009"),
        ("These apply to HCPCS G0444.", "G0444"),
        ("The list applies to CPT 10001. Do not use it for CPT 10002.", "10001"),
        ("All codes support every procedure except CPT code 20001.", "10001 10002 10003 10004 10009 G0444"),
        ("For the procedures in CPT/HCPCS Group 2, the following codes apply.", "20001 G0444"),
        ("The codes are covered for CPT 10001 when billed with CPT 10002.", "10001"),
        ("The codes support CPT 77777.", "77777"),
    ],
)
def test_a_list_serves_the_procedures_that_its_prose_names(sentence, services):
    assert read(sentence)[1].services == frozenset(services.split())


def test_a_list_whose_prose_names_no_procedure_serves_all():
    assert read("These codes support the service in 12345 people of 2024.")[1].services is None


@pytest.mark.parametrize(
    ("paragraphs", "requires", "secondary"),
    [
        (
            ("Group 1 must be billed with a secondary code from Group 3.", "These support coverage.", "Group 3"),
            ((3,),),
            {3},
        ),
        (("One code from Group 1 AND one from Group 2 must be reported.", "Group 2 codes"), ((2,),), {2}),
        (("One code from Group 1 and one code from Group 2 are required.",) * 2, ((2,),), {2}),
        (("These need an additional diagnosis from Group 2 or Group 3.", "Group 2:", "Group 3:"), ((2,), (3,)), {2, 3}),
        (("Report them with at least one code from each of Groups 2 and 3.", "x", "y"), ((2, 3),), {2, 3}),
        (
            ("Each must be accompanied by a code from Group 2.", "These do not support the service by themselves."),
            ((2,),),
            {2},
        ),
        (("Payable only if a code from Group 2 is also reported.", ""), ((2,),), {2}),
        (("Group 1 codes may not be reported without a code from Group 2.", ""), ((2,),), {2}),
        (("Never sufficient alone; one code from Group 2 is needed as well.", "list"), ((2,),), {2}),
        (("Codes in Group I need a partner from Group II.", "Group II: partner codes"), ((2,),), {2}),
        (("They need a code from Group 2.", "These codes support the service too."), ((2,),), set()),
        (("The codes are payable.", "Report Group 2 codes with a primary diagnosis from Group 1."), (), {2}),
        (("The codes are payable.", "Secondary diagnoses (not payable when reported alone):"), (), {2}),
        (("Group 1 codes may be reported without a code from Group 2.", "These support the service."), (), set()),
        (("Group 1 does not require a secondary diagnosis.", ""), (), set()),
        (("Either a code from Group 1 or a code from Group 2 supports the service.", ""), (), set()),
        (("Refer to Group 2 for further codes.", ""), (), set()),
        (("Code Z79.4 may be reported as a secondary diagnosis.", ""), (), set()),
    ],
)
def test_a_list_may_need_a_code_of_another(paragraphs, requires, secondary):
    found = read(*paragraphs)
    assert found[1].requires == requires
    assert {n for n, prose in found.items() if prose.secondary} == secondary
    assert not any(prose.unreadable or prose.condition for prose in found.values())


def test_a_list_that_is_not_there_makes_the_prose_unreadable():
    assert read("These must be combined with a code from Group 7 in the list.")[1].unreadable


@pytest.mark.parametrize(
    "sentence",
    [
        "Codes of this list are read with the grid in Appendix C, jointly with those named earlier.",
        "Entries may be combined with each other or with the former list as the case may be.",
        "Apply the decision tree of the companion manual to determine which of these codes qualify.",
        "A code counts where column B of the worksheet allows it, either by itself or paired with another.",
    ],
)
def test_a_relation_between_codes_that_is_not_understood_is_unreadable(sentence):
    assert read(sentence)[1].unreadable == sentence


@pytest.mark.parametrize(
    "sentence",
    [
        "These codes are covered only when the record documents failure of six weeks of exercise.",
        "Payable only for members who failed a trial of splinting.",
        "The chart must contain a signed order and the pain score.",
        "The patient must have been seen by the treating physician in the prior six months.",
        "Coverage of these diagnoses requires a prior abnormal film.",
        "Documentation of an ejection fraction below 35% is required.",
        "Allowed provided that conservative care was tried.",
    ],
)
def test_a_condition_on_patient_or_record_is_one_that_a_claim_cannot_show(sentence):
    prose = read(sentence)[1]
    assert (prose.condition, prose.unreadable) == (sentence, "")


@pytest.mark.parametrize(
    "sentence",
    [
        "N/A",
        "ICD-10-CM codes must be coded to the highest level of specificity.",
        "Use of these codes does not guarantee payment.",
        "The service must be reasonable and necessary and must meet the criteria of the attached determination.",
        "Covered only when one of the following codes is reported.",
        "The codes are considered necessary for patients with one of the following diagnoses:",
        "Please refer to the LCD for further limits.",
        "These are the only codes that support medical necessity.",
        "If a covered diagnosis is not on the claim, the edit will deny the service.",
        "Group 1 codes:",
    ],
)
def test_general_words_put_no_condition(sentence):
    prose = read(sentence)[1]
    assert not (prose.condition or prose.unreadable or prose.requires or prose.secondary or prose.modifiers)


@pytest.mark.parametrize(
    ("sentence", "modifiers"),
    [
        ("Append modifier 59 or XU to the line.", ("59", "XU")),
        ("The KX modifier must be added.", ("KX",)),
        ("The line must carry one of the modifiers (Q7, Q8 or Q9).", ("Q7", "Q8", "Q9")),
        ("Claims without the KX modifier will be denied.", ("KX",)),
        ("A class findings modifier must be reported.", ("LT", "RT")),
        ("Modifier -25 is not required.", ()),
        ("The GA modifier must be used if a notice was signed.", ()),
        ("A code must be reported.", ()),
    ],
)
def test_modifiers_that_a_line_must_carry(sentence, modifiers):
    assert required_modifiers(sentence, ("LT", "RT")) == modifiers


def test_the_prose_of_a_modifier_group_holds_for_the_lists_that_it_names():
    listed = Listed(
        PROCEDURES, {}, {}, {1: ("Q7", "Q8")}, {1: "One of these must be on the line for Group 2 diagnosis codes."}
    )
    found = read_groups({1: "a", 2: "b"}, listed=listed)
    assert (found[1].modifiers, found[2].modifiers) == ((), ("Q7", "Q8"))


def test_the_prose_of_a_procedure_group_says_which_lists_its_procedures_need():
    listed = Listed(PROCEDURES, {1: ("10001",)}, {1: "See ICD-10-CM Group 2 for the diagnoses of these procedures."})
    found = read_groups({1: "a", 2: "b"}, listed=listed)
    assert found[2].services is not None
    assert "10001" in found[2].services
    assert "10001" not in (found[1].services or ())


@pytest.mark.parametrize(
    ("sentence", "first"),
    [
        ("One of these codes must be listed first on the line.", True),
        ("Report the code as the primary diagnosis.", True),
        ("They need not be the primary diagnosis.", False),
        ("Report these with a primary diagnosis from Group 2.", False),
    ],
)
def test_the_first_pointer_is_asked_for_only_where_the_text_does(sentence, first):
    assert read(sentence, "These support coverage.")[1].first_pointer is first


def test_the_condition_of_an_asterisk_is_no_condition_of_the_list():
    prose = read("The codes support the test. *The patient must be on treatment.")[1]
    assert (prose.condition, prose.marked) == ("", "*The patient must be on treatment.")
    needing = read("*Codes with an asterisk require a code from Group 2.", "x")[1]
    assert needing.marked_requires == ((2,),)


TESTED = frozenset({"10001"})


@pytest.mark.parametrize(
    ("sentence", "limit"),
    [
        ("CPT code 10001 is limited to once per 12 months.", Frequency(at_most=1)),
        ("No more than 4 services in any 12-month period are covered for CPT 10001.", Frequency(at_most=4)),
        ("More than three (3) 10001 injections in a 12-month period will be denied.", Frequency(at_most=3)),
        ("CPT 10001 may be billed no more than twice per calendar year.", Frequency(at_most=2, per="calendar year")),
        ("HCPCS 10001 is covered once annually.", Frequency(at_most=1, per="calendar year")),
        ("CPT 10001 is allowed 2 times per rolling year.", Frequency(at_most=2)),
        ("A repeat of CPT 10001 within 30 days of the previous test will be denied.", Frequency(fewer_than_days=30)),
        ("CPT 10001 done less than 60 days after the last one is not covered.", Frequency(fewer_than_days=60)),
        ("CPT 10001 must not be billed more often than every 90 days.", Frequency(fewer_than_days=90)),
        ("At least 6 months must elapse between services of CPT 10001.", Frequency(at_least_months=6)),
        ("Not more than one 10001 every 3 years is covered.", Frequency(at_least_months=36)),
        ("CPT 10001: one (1) service every six months.", Frequency(at_least_months=6)),
        ("At least 11 full months must pass after the month of the last 10001.", Frequency(full_months=11)),
        ("CPT 10001 is limited to one per lifetime.", Frequency(at_most=1, per="ever")),
        ("Four or more 10001 services per calendar year will be denied.", Frequency(at_most=3, per="calendar year")),
    ],
)
def test_limits_in_time_are_read(sentence, limit):
    (found,) = frequency_limits(sentence, PROCEDURES)
    assert found == Frequency(
        services=Services(TESTED), quote=sentence, fewer_than_days=limit.fewer_than_days, full_months=limit.full_months,
        at_least_months=limit.at_least_months, at_most=limit.at_most, per=limit.per,
    )  # fmt: skip


@pytest.mark.parametrize(
    "sentence",
    [
        "CPT 10001 is not expected more than once a year.",
        "Symptoms must have lasted at least 3 months since the last flare.",
        "Coverage is limited to 2 units per day.",
        "The patient was last seen within 6 months.",
        "Records are kept for 7 years.",
        "No more than 2 in any 6-month period are covered.",  # can't be expressed: never stricter than the text
    ],
)
def test_what_is_no_limit_or_cannot_be_expressed_is_left_out(sentence):
    assert frequency_limits(sentence, PROCEDURES) == []


def test_a_limit_holds_for_the_procedure_that_the_paragraph_named_last():
    text = "CPT 10001 is a test. It is limited to once per 12 months.\nServices are limited to 3 per calendar year."
    first, second = frequency_limits(text, PROCEDURES)
    assert first.services.codes == TESTED
    assert not second.services


@pytest.mark.parametrize(
    ("sentence", "never"),
    [
        ("The following codes are not covered.", True),
        ("These services are considered investigational.", True),
        ("Services in this group are considered not medically necessary and will be denied.", True),
        ("They are not reasonable and necessary for any indication.", True),
        ("Not covered when performed for screening.", False),
        ("Covered services", False),
        ("These codes are not separately payable.", False),
    ],
)
def test_a_procedure_group_is_never_covered_only_without_conditions(sentence, never):
    assert bool(is_never_covered(sentence)) is never


@pytest.mark.parametrize(
    ("sentence", "absolute", "services"),
    [
        ("These diagnoses do not support CPT 10001 regardless of other diagnoses.", True, {"10001"}),
        ("The following deny the service even when a covered diagnosis is present.", True, None),
        ("Codes that do not support medical necessity.", False, None),
    ],
)
def test_a_list_that_denies(sentence, absolute, services):
    said = read_denial(sentence, PROCEDURES)
    assert (said.absolute, said.services) == (absolute, frozenset(services) if services else None)


@given(st.text(max_size=300), st.text(max_size=200))
def test_any_text_is_read_without_error_and_deterministically(first, second):
    cells = {1: plain_text(first), 2: plain_text(second)}
    assert read_groups(cells, cells, LISTED, first) == read_groups(cells, cells, LISTED, first)
    frequency_limits(cells[1], PROCEDURES)
    is_never_covered(cells[1])
    read_denial(cells[1], PROCEDURES)


@pytest.mark.parametrize(
    "text", ["a " * 20_000, "not " * 5_000 + "alone", "1 test " * 5_000, "Group 1 and " * 3_000, "<p" * 20_000]
)
def test_long_texts_take_no_long_time(text):
    plain = plain_text(text)
    read(plain)
    frequency_limits(plain, PROCEDURES)
