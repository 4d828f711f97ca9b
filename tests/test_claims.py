"""Verdicts of claim lines: precedence, pointers, partners, conditions, and what note and claim share."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from code_maps.coverage import (
    CodeList,
    CoveragePolicy,
    Group,
    NonCovered,
    PolicyBook,
    PolicyList,
    Services,
    policies,
)
from code_maps.icd10cm import load
from code_maps.rulefile import Rule, Source
from models.claim import Claim
from models.finding import Assertion, Finding
from models.problem import InputProblem
from models.proposal import Evidence, Proposal
from models.text import Note
from pipeline.claims import NoteEvidence, assume, check_claim
from pipeline.review import check_claim as check_as_json
from pipeline.review import review

DAY = dt.date(2026, 5, 12)


def listed(*codes):
    return CodeList(codes=frozenset(codes))


def article(**changes):
    """A synthetic article as an importer would make it: exact codes, several groups."""
    data = {
        "rule": Rule("A1", "policy", "Synthetic", "w", (Source("made up"),)),
        "kind": "Article",
        "services": Services.of(["11720", "11721"]),
        "version": 3,
        "groups": (
            Group(1, listed("B35.1"), requires=(2,)),
            Group(2, listed("M79.674", "R26.2"), secondary=True),
            Group(3, listed("E11.51"), modifiers=("Q7", "Q8")),
        ),
        **changes,
    }
    return CoveragePolicy(**data)


def verdict(policy, diagnoses, pointers=None, code="11721", **claim):
    line = {
        "code": code,
        "pointers": pointers or list(range(1, len(diagnoses) + 1)),
        "modifiers": claim.pop("modifiers", []),
    }
    data = {"date_of_service": DAY, "state": "FL", "diagnoses": diagnoses, "lines": [line], **claim}
    book = PolicyBook((PolicyList((policy,)),))
    return check_claim(Claim.model_validate(data), load, None, book).lines[0]


@pytest.mark.parametrize(
    ("diagnoses", "pointers", "modifiers", "expected", "group", "reason"),
    [
        (["B35.1"], None, [], "FAIL_SECONDARY_MISSING", 1, "secondary-missing"),
        (["B35.1", "M79.674"], None, [], "PASS", 1, "dx-secondary-covered"),
        (["R26.2", "B35.1"], None, [], "PASS", 1, "dx-secondary-covered"),
        (["B35.1", "M79.674"], [1], [], "FAIL_NOT_LINKED", None, "covered-dx-not-pointed"),
        (["M79.674"], None, [], "FAIL_DX", None, "primary-missing"),
        (["E11.51"], None, ["Q8"], "PASS", 3, "dx-covered"),
        (["E11.51"], None, [], "PASS_DX_DOC_GAP", 3, "modifier-condition"),
        (["B35.1", "I10"], None, [], "FAIL_SECONDARY_MISSING", 1, "secondary-missing"),
        (["B35.1", "E11.51"], None, ["Q7"], "PASS", 3, "dx-covered"),
        (["I10"], None, [], "FAIL_DX", None, "no-covered-dx"),
        (["E11.5"], None, ["Q7"], "FAIL_DX", None, "dx-not-valid-on-dos"),
    ],
)
def test_groups_with_partners_and_conditions(diagnoses, pointers, modifiers, expected, group, reason):
    line = verdict(article(), diagnoses, pointers, modifiers=modifiers)
    assert (line.verdict, line.policy.group) == (expected, group)
    assert reason in line.reasons


def test_a_list_of_non_covered_diagnoses_gives_way_to_a_covered_one_unless_the_text_says_otherwise():
    soft = article(groups=(Group(1, listed("E53.8")),), noncovered=(NonCovered(1, listed("R53.83")),))
    hard = article(groups=(Group(1, listed("E53.8")),), noncovered=(NonCovered(1, listed("R53.83"), absolute=True),))
    assert verdict(soft, ["R53.83", "E53.8"]).verdict == "PASS"
    assert "dx-noncovered" in verdict(soft, ["R53.83", "E53.8"]).reasons
    assert verdict(soft, ["R53.83", "E53.8"], [1]).verdict == "FAIL_NOT_LINKED"
    assert verdict(soft, ["R53.83"]).verdict == "NON_COVERED"
    assert verdict(hard, ["R53.83", "E53.8"]).verdict == "NON_COVERED"
    assert verdict(hard, ["E53.8", "R53.83"], [1]).verdict == "PASS"


def test_a_policy_with_a_non_covered_list_only_passes_everything_else():
    line = verdict(article(groups=(), noncovered=(NonCovered(1, listed("Z00.00")),)), ["I10"])
    assert (line.verdict, line.policy.group) == ("PASS", None)
    assert "not-on-noncovered-list" in line.reasons


def test_a_policy_without_diagnoses_for_the_procedure_passes_with_a_gap():
    scoped = article(groups=(Group(1, listed("I10"), services=Services.of(["11720"])),))
    assert "no-group-for-code" in verdict(scoped, ["I10"]).reasons
    assert "criteria-only" in verdict(article(groups=()), ["I10"]).reasons


def test_unreadable_prose_goes_to_a_person_and_never_makes_an_unlisted_code_sufficient():
    odd = article(groups=(Group(1, listed("H18.611"), unreadable="see text"), Group(2, listed("H40.003"))))
    assert verdict(odd, ["H18.611"]).verdict == "MANUAL_REVIEW"
    assert verdict(odd, ["H52.13"]).verdict == "FAIL_DX"
    assert verdict(odd, ["H18.611", "H40.003"]).verdict == "PASS"


def test_an_old_listed_heading_sends_its_child_to_a_person_after_linkage_was_tried():
    old = article(groups=(Group(1, listed("M54.5", "M79.18")),))
    assert verdict(old, ["M54.50"]).verdict == "MANUAL_REVIEW"
    assert verdict(old, ["M54.50", "M79.18"], [1]).verdict == "FAIL_NOT_LINKED"
    assert verdict(old, ["M54.5"]).reasons == ("no-covered-dx", "dx-not-valid-on-dos")


def test_only_diagnoses_that_the_line_points_to_count_and_dangling_pointers_beside_good_ones_are_ignored():
    line = verdict(article(groups=(Group(1, listed("I10")),)), ["I10", "E78.5"], [1, 7])
    assert line.verdict == "PASS"
    assert "dangling-pointer" in line.reasons


@pytest.mark.parametrize(
    ("claim", "expected", "reason"),
    [
        ({"payer": "aetna"}, "UNVERIFIED_PAYER", "payer-not-medicare"),
        ({"payer": "Medicare Advantage"}, "UNVERIFIED_PAYER", "payer-not-medicare"),
        ({"diagnoses": []}, "ERROR_NO_DX", "no-diagnosis"),
        ({"lines": [{"code": "83036", "pointers": []}]}, "ERROR_NO_DX", "no-pointer"),
        ({"lines": [{"code": "83036", "pointers": [5]}]}, "ERROR_NO_DX", "dangling-pointer"),
        ({"lines": [{"code": "99213", "pointers": [1]}]}, "NO_POLICY", "no-article"),
        ({"contract": "DME"}, "NO_POLICY", "contract-type-mismatch"),
        ({"date_of_service": "2014-01-01"}, "NO_POLICY", "not-effective-on-dos"),
    ],
)
def test_what_is_answered_before_any_policy_is_asked(claim, expected, reason):
    data = {"date_of_service": DAY, "diagnoses": ["E11.9"], "lines": [{"code": "83036", "pointers": [1]}], **claim}
    line = check_claim(Claim.model_validate(data), load).lines[0]
    assert (line.verdict, line.reasons, line.policy) == (expected, (reason,), None)


@pytest.mark.parametrize(("abn", "liability", "modifiers"), [(True, "patient", ("GA",)), (False, "provider", ("GZ",))])
def test_who_pays_for_a_denial_depends_on_the_notice(abn, liability, modifiers):
    line = verdict(article(), ["I10"], abn_on_file=abn)
    assert (line.liability, line.modifiers_suggested) == (liability, modifiers)
    assert line.carc == "50"


def test_a_missing_pointer_is_put_right_and_no_notice_is_suggested():
    line = verdict(article(), ["I10", "E11.51"], [1], modifiers=["Q8"])
    assert (line.verdict, line.modifiers_suggested, line.supported_but_not_pointed) == (
        "FAIL_NOT_LINKED",
        (),
        ("E11.51",),
    )


def of_id(key, kind="Article", **changes):
    return article(rule=Rule(key, "policy", f"Synthetic {key}", "w", (Source("made up"),)), kind=kind, **changes)


def judged(policies, diagnoses, pointers=None):
    line = {"code": "11721", "pointers": pointers or list(range(1, len(diagnoses) + 1))}
    claim = Claim.model_validate({"date_of_service": DAY, "state": "FL", "diagnoses": diagnoses, "lines": [line]})
    return check_claim(claim, load, None, PolicyBook((PolicyList(tuple(policies)),))).lines[0]


FEET = of_id("A10", groups=(Group(1, listed("B35.1")),))
HEARTS = of_id("A20", groups=(Group(4, listed("I10")),), noncovered=(NonCovered(9, listed("L84")),))
NO_LISTS = of_id("A05", groups=())


@pytest.mark.parametrize(
    ("diagnoses", "pointers", "expected", "used", "other"),
    [
        (["B35.1"], None, "PASS", "A10", ("A20", "FAIL_DX")),
        (["I10"], None, "PASS", "A20", ("A10", "FAIL_DX")),
        (["R05.9"], None, "FAIL_DX", "A10", ("A20", "FAIL_DX")),
        (["L84"], None, "NON_COVERED", "A20", ("A10", "FAIL_DX")),
        (["L84", "I10"], [1], "FAIL_NOT_LINKED", "A20", ("A10", "FAIL_DX")),
    ],
)
def test_of_several_articles_the_one_that_applies_to_the_diagnoses_decides(diagnoses, pointers, expected, used, other):
    for order in ((FEET, HEARTS), (HEARTS, FEET)):
        found = judged(order, diagnoses, pointers)
        assert (found.verdict, found.policy.id) == (expected, used)
        assert [(o.id, o.verdict) for o in found.other_policies] == [other]
        assert "several-policies" in found.reasons
        assert f"{other[0]} ({other[1]})" in found.why


def test_an_article_without_lists_does_not_excuse_a_line_that_another_lists_diagnoses_for():
    found = judged((NO_LISTS, FEET), ["R05.9"])
    assert (found.verdict, found.policy.id, found.other_policies) == ("FAIL_DX", "A10", ())
    assert judged((NO_LISTS,), ["R05.9"]).verdict == "PASS_DX_DOC_GAP"


def test_an_ncd_is_judged_alone_whatever_articles_stand_beside_it():
    ncd = of_id("n", kind="NCD", groups=(Group(1, listed("E11.51")),))
    found = judged((FEET, ncd), ["B35.1"])
    assert (found.verdict, found.policy.id, found.other_policies) == ("FAIL_DX", "n", ())


def test_proposed_diagnoses_are_pointed_to_by_any_of_several_articles():
    claim = Claim.model_validate({"date_of_service": DAY, "state": "FL", "lines": [{"code": "11721"}]})
    proposals = [proposal("R05.9"), proposal("I10")]
    assumed = assume(claim, proposals, load, PolicyBook((PolicyList((FEET, HEARTS)),)))
    assert assumed.lines[0].pointers == (2,)


def proposal(code, text="words", start=0):
    return Proposal(code, "", 0.9, ("f1",), (Evidence(start, start + len(text), text),))


NOTE_TEXT = "Type 2 diabetes with hyperglycemia. Right knee osteoarthritis. Hyperlipidemia."


@pytest.mark.parametrize(
    ("billed", "undocumented"),
    [
        (["E11.65"], ()),  # proposed
        (["M17.9"], ()),  # says less than what is proposed
        (["M17.12"], ("M17.12",)),  # another side
        (["E11.22"], ("E11.22",)),  # more than what is proposed
        (["I10"], ("I10",)),
        (["E78.5"], ()),  # found, though not proposed
        (["XYZ"], ()),  # no code: an edit says so
    ],
)
def test_a_billed_diagnosis_is_documented_when_the_note_says_at_least_as_much(billed, undocumented):
    found = Finding("f9", "condition", "Hyperlipidemia", 63, 77, Assertion(), place="E78.5")
    note = NoteEvidence(NOTE_TEXT, (found,), (proposal("E11.65"), proposal("M17.11")))
    claim = Claim(date_of_service=DAY, diagnoses=tuple(billed))
    assert check_claim(claim, load, note).undocumented == undocumented


def test_proposals_that_are_not_billed_are_named():
    note = NoteEvidence(NOTE_TEXT, (), (proposal("E11.65"), proposal("M17.11")))
    assert check_claim(Claim(date_of_service=DAY, diagnoses=("M17.11",)), load, note).unbilled == ("E11.65",)


def test_a_line_supported_by_a_diagnosis_that_the_note_does_not_show_says_so():
    claim = Claim.model_validate(
        {"date_of_service": DAY, "diagnoses": ["E11.9"], "lines": [{"code": "83036", "pointers": [1]}]}
    )
    line = check_claim(claim, load, NoteEvidence("Knee pain.", (), ())).lines[0]
    assert line.verdict == "PASS"
    assert "dx-not-documented" in line.reasons
    assert line.missing == ("Documentation of E11.9",)


def test_proposals_stand_in_for_diagnoses_and_the_supporting_one_is_pointed_to_first():
    claim = Claim.model_validate(
        {"date_of_service": DAY, "lines": [{"code": "83036"}, {"code": "99213"}, {"code": "84153"}]}
    )
    assumed = assume(claim, [proposal("M17.11"), proposal("E11.65")], load)
    assert assumed.diagnoses == ("M17.11", "E11.65")
    assert [line.pointers for line in assumed.lines] == [(2,), (1, 2), (1,)]
    assert [v.verdict for v in check_claim(assumed, load).lines] == ["PASS", "NO_POLICY", "FAIL_DX"]


def test_a_claim_with_diagnoses_is_left_as_it_is():
    claim = Claim.model_validate({"date_of_service": DAY, "diagnoses": ["I10"], "lines": [{"code": "83036"}]})
    assert assume(claim, [proposal("E11.65")], load) is claim


TEXT = "ASSESSMENT AND PLAN\n1. Type 2 diabetes with hyperglycemia. Increase metformin to 1000 mg twice daily.\n2. Hypertension, stable. Continue lisinopril 20 mg."


def test_a_review_with_lines_and_no_diagnoses_assumes_the_proposed_ones():
    claim = Claim.model_validate({"date_of_service": DAY, "lines": [{"code": "83036"}]})
    report = review(Note(TEXT, date_of_service=DAY), claim)
    assert report.claim is not None
    assert report.claim.assumed_diagnoses
    assert report.claim.lines[0].verdict == "PASS"
    assert all(TEXT[e.start : e.end] == e.text for e in report.claim.lines[0].evidence)


def test_the_check_of_a_claim_is_plain_json():
    claim = Claim.model_validate(
        {"date_of_service": DAY, "diagnoses": ["E11.9"], "lines": [{"code": "83036", "pointers": [1]}]}
    )
    answer = check_as_json(claim)
    assert answer["lines"][0]["policy"]["effective"] == "2015-10-01"
    assert answer["edits"] == []
    assert check_as_json(claim, TEXT)["undocumented"] == []


ALL_SERVICES = sorted({c for p in policies() for c in p.services.codes} | {"99214", "20610"})


@settings(max_examples=25, deadline=None)
@given(
    services=st.lists(st.sampled_from(ALL_SERVICES), min_size=1, max_size=4),
    diagnoses=st.lists(st.sampled_from(["E11.9", "C61", "Z12.31", "G47.33", "B35.1", "nonsense"]), max_size=4),
)
def test_adding_a_claim_or_a_policy_never_changes_the_proposals(services, diagnoses):
    claim = Claim.model_validate({
        "date_of_service": DAY, "diagnoses": diagnoses,
        "lines": [{"code": c, "pointers": [1]} for c in services],
    })  # fmt: skip
    alone = review(Note(TEXT, date_of_service=DAY))
    with_claim = review(Note(TEXT, date_of_service=DAY), claim)
    assert with_claim.proposals == alone.proposals
    assert with_claim.candidates == alone.candidates
    documented = {p.code for p in alone.proposals} | set(diagnoses)
    assert {dx for v in with_claim.claim.lines for dx in (*v.diagnoses, *v.supported_but_not_pointed)} <= documented


def test_a_named_model_adds_findings_where_nothing_was_found_and_no_proposal(monkeypatch):
    text = "ASSESSMENT\nHypertension. Zorbitis of the knee. Seen by John."
    at = text.index("Zorbitis")
    found = [(at, at + 8, "DISEASE"), (11, 23, "DISEASE"), (text.index("John"), len(text) - 1, "PERSON")]
    monkeypatch.setattr("pipeline.review.ner", lambda name: lambda _: found)
    with_model = review(Note(text, date_of_service=DAY), model="made_up")
    added = [f for f in with_model.findings if f.source == "model"]
    assert [(f.text, f.kind) for f in added] == [("Zorbitis", "condition")]
    assert with_model.proposals == review(Note(text, date_of_service=DAY)).proposals


def test_a_model_that_is_not_installed_is_said_in_one_line():
    with pytest.raises(InputProblem, match="not installed"):
        review(Note("Cough.", date_of_service=DAY), model="no_such_model")
