"""Coverage policies: every example of every policy file runs, and the reader refuses what it doesn't know."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from code_maps.coverage import PolicyBook, PolicyList, is_medicare, parse_policy, policies, policy_book
from code_maps.coverage.payer import add_payer_policy, parse_payer_policy, payer_source, read_payer_policy
from code_maps.coverage.policy import Frequency
from code_maps.icd10cm import load
from code_maps.icd10cm.problems import ImportProblem
from code_maps.rulefile import RuleProblem
from models.claim import Claim
from models.proposal import Proposal
from pipeline.claims import NoteEvidence, best_pointers, check_claim, reached

EXAMPLES = [(p, n, e) for p in policies() for n, e in enumerate(p.rule.examples, 1)]
EXAMPLE_KEYS = {
    "on", "code", "diagnoses", "pointers", "history", "age", "sex", "note", "modifiers", "contract", "abn_on_file",
    "verdict", "group", "reasons", "missing", "modifiers_suggested", "liability",
}  # fmt: skip


def claim_of(example):
    diagnoses = example["diagnoses"]
    history = example.get("history")
    return Claim.model_validate({
        "date_of_service": example["on"],
        "contract": example.get("contract", "B"),
        "state": "FL",
        "patient": {"age": example.get("age"), "sex": example.get("sex")},
        "diagnoses": diagnoses,
        "lines": [{
            "code": example["code"],
            "modifiers": example.get("modifiers", []),
            "pointers": example.get("pointers", list(range(1, len(diagnoses) + 1))),
        }],
        "history": None if history is None else [{"code": c, "date_of_service": d} for c, d in history],
        "abn_on_file": example.get("abn_on_file", False),
    })  # fmt: skip


@pytest.mark.parametrize(("policy", "number", "example"), EXAMPLES, ids=[f"{p.id}-{n}" for p, n, _ in EXAMPLES])
def test_an_example_of_a_policy_gets_its_verdict(policy, number, example):
    assert set(example) <= EXAMPLE_KEYS
    note = NoteEvidence(example["note"]) if "note" in example else None
    book = PolicyBook((PolicyList((policy,)),))
    line = check_claim(claim_of(example), load, note, book).lines[0]
    assert line.verdict == example["verdict"], line.why
    assert (line.policy.group if line.policy else None) == example.get("group")
    assert set(example.get("reasons", [])) <= set(line.reasons)
    assert set(example.get("missing", [])) <= set(line.missing)
    if "modifiers_suggested" in example:
        assert list(line.modifiers_suggested) == example["modifiers_suggested"]
    if "liability" in example:
        assert line.liability == example["liability"]


@pytest.mark.parametrize("policy", policies(), ids=lambda p: p.id)
def test_a_policy_has_an_example_that_passes_or_denies_and_one_outside_its_dates(policy):
    verdicts = [e["verdict"] for e in policy.rule.examples]
    assert len(set(verdicts)) > 1
    early = [e for e in policy.rule.examples if policy.effective and e["on"] < policy.effective]
    assert early
    assert all(e["verdict"] == "NO_POLICY" for e in early)


@pytest.mark.parametrize("policy", policies(), ids=lambda p: p.id)
def test_every_diagnosis_place_of_a_policy_is_in_the_release(policy):
    release = load(dt.date(2026, 5, 12))
    lists = [g.codes for g in policy.groups] + [g.marked for g in policy.groups] + [n.codes for n in policy.noncovered]
    for codes in lists:
        for place in (*codes.places, *(end for ends in codes.ranges for end in ends)):
            assert place in release, place


@pytest.mark.parametrize("policy", policies(), ids=lambda p: p.id)
def test_marked_codes_lie_in_their_group(policy):
    for group in policy.groups:
        for place in group.marked.places:
            assert group.codes.match(place), place


def test_the_policies_of_one_procedure_and_date_never_contradict_by_number():
    codes = [c for p in policies() for c in p.services.codes]
    assert len(codes) == len(set(codes))


def test_medicare_advantage_is_not_medicare_fee_for_service():
    assert is_medicare("Medicare  Part B")
    assert not is_medicare("Medicare Advantage")
    assert not is_medicare("aetna")


def test_the_book_says_why_it_has_no_policy():
    book = policy_book()
    day = dt.date(2026, 5, 12)
    assert book.find("99213", day, "FL", "B", "medicare").reason == "no-article"
    assert book.find("83036", day, "FL", "DME", "medicare").reason == "contract-type-mismatch"
    assert book.find("83036", dt.date(2010, 1, 1), "FL", "B", "medicare").reason == "not-effective-on-dos"


HEADER = """
id = "x"
title = "t"
why = "w"
limits = ["l"]
kind = "NCD"
services = ["1"]
basis = "indications"
[[source]]
title = "s"
[[example]]
code = "1"
"""


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('[[group]]\nnumber = 1\ncodez = ["I10"]', "codez"),
        ("[[group]]\nnumber = 1", "codes"),
        ('[[group]]\nnumber = 1\ncodes = ["I10"]\nrequires = [2]', "requires group 2"),
        ("[[frequency]]\nat_most = 1\nfull_months = 2", "exactly one"),
        ('[[criterion]]\ntext = "a"\nways = [{ wordz = ["b"] }]', "wordz"),
    ],
)
def test_a_policy_file_with_an_unknown_or_missing_key_is_refused_by_name(more, says):
    with pytest.raises(RuleProblem, match=says):
        parse_policy(HEADER + more, "x.toml")


@pytest.mark.parametrize(
    ("limit", "last", "on", "expected"),
    [
        (Frequency(fewer_than_days=90), "2026-02-12", "2026-05-12", True),
        (Frequency(fewer_than_days=90), "2026-02-11", "2026-05-12", False),
        (Frequency(at_least_months=3), "2026-02-13", "2026-05-12", True),
        (Frequency(at_least_months=3), "2026-02-12", "2026-05-12", False),
        (Frequency(at_least_months=1), "2026-01-31", "2026-02-28", False),
        (Frequency(full_months=11), "1998-01-31", "1998-12-31", True),
        (Frequency(full_months=11), "1998-01-31", "1999-01-01", False),
        (Frequency(at_most=1), "2025-05-13", "2026-05-12", True),
        (Frequency(at_most=1), "2025-05-12", "2026-05-12", False),
        (Frequency(at_most=1, per="calendar year"), "2025-12-31", "2026-01-01", False),
        (Frequency(at_most=1, per="ever"), "1990-12-31", "2026-01-01", True),
        (Frequency(at_most=1, per="ever"), "2026-12-31", "2026-01-01", False),
    ],
)
def test_a_limit_in_time_is_reached_on_the_right_day(limit, last, on, expected):
    assert reached(limit, dt.date.fromisoformat(on), [dt.date.fromisoformat(last)]) is expected


def test_the_starter_set_covers_the_services_that_fill_outpatient_claims():
    assert len(policies()) >= 40
    book = PolicyBook((PolicyList(policies()),))
    day = dt.date(2026, 5, 12)
    for code in ("87086", "85025", "85610", "82728", "82947", "83036", "84443", "80061", "84153", "82272", "77080",
                 "G0105", "G0121", "G0328", "81528", "77067", "G0123", "G0101", "G0103", "G0117", "G0472", "G0444",
                 "G0442", "G0447", "99406", "G0446", "G0108", "97802", "71271", "95810", "93798", "94626", "93784",
                 "97110", "11721", "G0008", "90677", "90746", "98941", "97810", "78815", "V5010", "D0150"):  # fmt: skip
        assert book.find(code, day, "FL", "B", "medicare").policies, code
    for code in ("E0601", "E1390", "E0784", "E0607"):
        assert book.find(code, day, "FL", "DME", "medicare").policies, code


@pytest.mark.parametrize("policy", policies(), ids=lambda p: p.id)
def test_a_policy_is_cited_limited_and_asks_for_more_than_codes(policy):
    assert policy.quote
    assert all(s.title and (s.place or s.edition) for s in policy.rule.sources)
    assert policy.rule.limits
    covered_anyway = {"statute-influenza-vaccine", "statute-covid-19-vaccine"}
    assert policy.criteria or policy.never_covered or policy.id in covered_anyway


# --- a payer's own policies --------------------------------------------------------------------------------------

TEMPLATE = Path(__file__).parent.parent / "docs" / "payer-policy-template.toml"


def payer_claim(example):
    claim = claim_of(example)
    return claim.model_copy(update={"payer": example["payer"]})


@pytest.mark.parametrize("number", range(3))
def test_an_example_of_the_template_gets_its_verdict(number):
    policy = read_payer_policy(TEMPLATE)
    example = policy.rule.examples[number]
    book = PolicyBook((PolicyList((policy,)),))
    line = check_claim(payer_claim(example), load, None, book).lines[0]
    assert (line.verdict, line.policy.group if line.policy else None) == (example["verdict"], example.get("group"))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('kind = "payer"', 'kind = "LCD"', "kind is 'LCD'"),
        ('payers = ["Acme Health", "Acme Health PPO"]', "payers = []", "payers"),
        ('payers = ["Acme Health", "Acme Health PPO"]', 'payers = ["Medicare Part B"]', "Medicare"),
        ('services = ["83036", "82985"]', 'services = "83036"', "services is '83036'"),
        ('services = ["83036", "82985"]', "services = [83036]", r"services is \[83036\]"),
        ('codes = ["E08-E13", "O24", "R73"]', 'codes = ["E1122"]', r"\[\[group\]\] 1: codes"),
        ('codes = ["E08-E13", "O24", "R73"]', 'codes = ["E13-E08"]', "codes"),
        ("number = 1                                                # needed, and unique", 'number = "1"', "number"),
        ("at_least_months = 3", 'at_least_months = "3"', r"\[\[frequency\]\] 1: at_least_months"),
        ("at_least_months = 3", "at_least_months = 3\nat_most = 1", "exactly one"),
        ('{ words = ["last a1c", "previous a1c", "first test"] }', '{ words = "a1c" }', "ways: words"),
        ("in_force = { from = 2026-01-01 }", 'in_force = { from = "2026-01-01" }', "in_force"),
        ('contracts = ["B"]', 'contracts = ["A"]', "contracts"),
        ('carc = "50"  ', "carc = 50  ", "carc is 50"),
        ('version = 3 ', 'versoin = 3 ', "versoin"),
        ('id = "payer-policy-template"', 'id = "other"', "file's name"),
        ("[[group]]", "[[group]", "not TOML"),
    ],
)  # fmt: skip
def test_a_payer_policy_with_a_mistake_is_refused_by_file_and_key(old, new, says):
    text = TEMPLATE.read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(ImportProblem, match=says) as problem:
        parse_payer_policy(text.replace(old, new, 1), TEMPLATE.name)
    assert str(problem.value).startswith(TEMPLATE.name)


def test_payer_policies_of_the_folder_are_used_and_a_bad_one_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("CHARTPROOF_HOME", str(tmp_path))
    claim = payer_claim({"on": "2026-05-12", "payer": "ACME  Health", "code": "83036", "diagnoses": ["I10"]})
    assert check_claim(claim, load).lines[0].verdict == "UNVERIFIED_PAYER"
    assert add_payer_policy(TEMPLATE).id == "payer-policy-template"
    line = check_claim(claim, load).lines[0]
    assert (line.verdict, line.policy.id, line.policy.kind) == ("FAIL_DX", "payer-policy-template", "payer")
    (tmp_path / "policies" / "bad.toml").write_text("id = 1", encoding="utf-8")
    checked = check_claim(claim, load)
    assert checked.lines[0].verdict == "FAIL_DX"
    assert any("bad.toml" in notice for notice in checked.notices)
    assert payer_source().problems
    medicare = claim.model_copy(update={"payer": "medicare"})
    assert check_claim(medicare, load).lines[0].policy.id == "ncd-190-21-glycated-hemoglobin"


def test_a_payer_policy_that_cannot_be_read_keeps_the_folder_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setenv("CHARTPROOF_HOME", str(tmp_path / "home"))
    bad = tmp_path / "x.toml"
    bad.write_bytes(b"\xff\xfe")
    for path in (bad, tmp_path / "absent.toml"):
        with pytest.raises(ImportProblem):
            add_payer_policy(path)
    assert not (tmp_path / "home" / "policies").exists()


# --- pointers ----------------------------------------------------------------------------------------------------


def proposed(*codes):
    return tuple(Proposal(code, "", 0.9, (), ()) for code in codes)


def pointed(diagnoses, code, pointers, documented, **more):
    claim = Claim.model_validate({
        "date_of_service": "2026-05-12", "state": "FL", "diagnoses": diagnoses,
        "lines": [{"code": code, "pointers": pointers}], **more,
    })  # fmt: skip
    return best_pointers(claim, proposed(*documented), load, PolicyBook((PolicyList(policies()),)))[0]


def test_the_best_pointers_support_the_line_and_are_documented():
    assert pointed(["I10", "E11.9"], "83036", [1], ["I10", "E11.9"]) == (2,)
    assert pointed(["I10", "E11.9"], "83036", [1], ["I10"]) == (1,)
    assert pointed(["I10", "E11.9"], "83036", [1], []) == ()
    assert pointed(["M79.674", "I10", "B35.1"], "11721", [1], ["M79.674", "I10", "B35.1"]) == (1, 3)
    assert pointed(["Z12.11", "Z80.0"], "G0105", [1], ["Z80.0", "Z12.11"]) == (2,)


def test_pointers_are_at_most_four_among_the_first_twelve():
    sugar = ["E11.9", "R73.01", "R73.03", "E11.65", "E11.22", "R73.9"]
    assert len(pointed(sugar, "83036", [], sugar)) == 4
    many = [f"S61.{n}" for n in range(12)] + ["E11.9"]
    assert pointed(many, "83036", [13], ["E11.9"]) == ()


def test_a_line_without_policy_keeps_its_documented_pointers():
    assert pointed(["I10", "E11.9", "J44.9"], "99213", [3, 2], ["J44.9", "I10"]) == (3,)
    assert pointed(["I10", "E11.9"], "99213", [], ["E11.9", "I10"]) == (1, 2)


def test_better_pointers_are_told_only_where_the_line_needs_them():
    claim = Claim.model_validate({
        "date_of_service": "2026-05-12", "state": "FL", "diagnoses": ["I10", "E11.9"],
        "lines": [{"code": "83036", "pointers": [1]}, {"code": "83036", "pointers": [2]},
                  {"code": "99213", "pointers": [7]}],
    })  # fmt: skip
    note = NoteEvidence("Diabetes, hypertension. A1c today.", (), proposed("I10", "E11.9"))
    lines = check_claim(claim, load, note).lines
    assert [line.pointers_suggested for line in lines] == [(2,), (), (1, 2)]
    assert [line.pointers_suggested for line in check_claim(claim, load).lines] == [(), (), ()]
