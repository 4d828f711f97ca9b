"""Layout: sections, sentences and problems of notes written for these tests."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from code_maps.sections.headings import CATEGORIES, fold, headings
from models.text import Layout
from pipeline.sections import read_layout


def sections(text: str) -> list[tuple[str, str]]:
    layout = read_layout(text)
    return [(s.category, " ".join(text[s.body : s.end].split())) for s in layout.sections]


def categories(text: str) -> list[str]:
    return [category for category, _ in sections(text)]


def sentences(text: str) -> list[str]:
    return [text[s.start : s.end] for s in read_layout(text).sentences]


def titles(text: str) -> list[str]:
    return [text[p.title_start : p.title_end] for p in read_layout(text).problems]


def check(text: str) -> Layout:
    """The promises of a layout, on any text."""
    layout = read_layout(text)
    last = 0
    for section in layout.sections:
        assert last <= section.start <= section.body <= section.end <= len(text)
        assert text[section.start : section.end].strip()
        assert section.category in CATEGORIES
        last = section.end
    last = 0
    for sentence in layout.sentences:
        assert last <= sentence.start < sentence.end <= len(text)
        words = text[sentence.start : sentence.end]
        assert words == words.strip()
        last = sentence.end
        if sentence.section >= 0:
            section = layout.sections[sentence.section]
            assert section.body <= sentence.start
            assert sentence.end <= section.end
        else:
            assert not layout.sections or sentence.end <= layout.sections[0].start
        if sentence.problem >= 0:
            problem = layout.problems[sentence.problem]
            assert problem.start <= sentence.start < problem.end
            assert problem.section == sentence.section
    last = 0
    for problem in layout.problems:
        assert last <= problem.start < problem.end <= len(text)
        assert problem.start <= problem.title_start < problem.title_end <= problem.end
        assert text[problem.title_start : problem.title_end].strip()
        last = problem.end
    return layout


# --- headings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "category"),
    [
        ("CHIEF COMPLAINT", "chief_complaint"),
        ("CC:", "chief_complaint"),
        ("Reason for visit:", "chief_complaint"),
        ("HPI:", "history_of_present_illness"),
        ("Subjective:", "history_of_present_illness"),
        ("PMHx:", "past_medical_history"),
        ("PAST MEDICAL HISTORY", "past_medical_history"),
        ("Past Surgical Hx:", "past_surgical_history"),
        ("Family Hx:", "family_history"),
        ("SOCIAL HISTORY", "social_history"),
        ("Drug allergies:", "allergies"),
        ("Meds:", "medications"),
        ("Current Medications (reconciled today):", "medications"),
        ("ROS:", "review_of_systems"),
        ("Vital signs:", "vitals"),
        ("Vitals (0815):", "vitals"),
        ("Physical examination", "physical_exam"),
        ("EXAM:", "physical_exam"),
        ("Foot exam:", "physical_exam"),
        ("Labs 03/14:", "labs"),
        ("Laboratory data:", "labs"),
        ("Chest x-ray:", "imaging"),
        ("CT abdomen/pelvis:", "imaging"),
        ("RESULTS", "results"),
        ("EKG:", "results"),
        ("Assessment:", "assessment"),
        ("IMPRESSION", "assessment"),
        ("A/P:", "assessment_plan"),
        ("A&P:", "assessment_plan"),
        ("Assessment & Plan", "assessment_plan"),
        ("ASSESSMENT/PLAN:", "assessment_plan"),
        ("Impression and recommendations:", "assessment_plan"),
        ("Plan:", "plan"),
        ("RECOMMENDATIONS:", "plan"),
        ("Dx:", "diagnoses"),
        ("Visit diagnoses:", "diagnoses"),
        ("Postop dx:", "diagnoses"),
        ("Post-operative Diagnosis:", "diagnoses"),
        ("Preop dx:", "indication"),
        ("Indications for procedure:", "indication"),
        ("Discharge diagnoses:", "discharge_diagnoses"),
        ("HOSPITAL COURSE:", "hospital_course"),
        ("Description of procedure:", "procedure"),
        ("Return precautions:", "instructions"),
        ("Patient education:", "patient_education"),
        ("OB history:", "obstetric_history"),
        ("Immunizations:", "immunizations"),
        ("Medical Decision Making:", "mdm"),
        ("Patient agreements:", "counseling"),
        ("Code status:", "other"),
    ],
)
def test_a_heading_is_known(heading: str, category: str) -> None:
    inline = heading if heading.endswith(":") else heading + ":"
    assert categories(f"{heading}\nWords of the section.") == [category]
    assert sections(f"{inline} Words of the section.") == [(category, "Words of the section.")]
    assert categories(f"{inline.upper()}\r\n\r\nWords.") == [category]


@pytest.mark.parametrize(
    "text",
    [
        "The assessment was discussed and the plan was accepted.",
        "His plan: none that he would tell.",
        "We went over the history of the problem with him.",
        "Exam today shows nothing new.",
        "Ratio 3:1, seen at 12:30, see http://example.org/plan",
        "Working diagnosis: pneumonia.",
        "Differential diagnosis: gout, septic joint.",
        "History of hypertension and gout.",
        "s/p appendectomy",
        "",
        " \n\t\r\n",
        "no headings here\njust two lines",
    ],
)
def test_running_prose_has_no_heading(text: str) -> None:
    assert categories(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "PMH: HTN, gout. Meds: losartan 50 mg. Allergies: none. Assessment: HTN. Plan: same.",
            ["past_medical_history", "medications", "allergies", "assessment", "plan"],
        ),
        (
            "S: cough for a week. no fever.\nO: T 98.6 P: 82 R: 16\nA: bronchitis\nP: rest",
            ["history_of_present_illness", "physical_exam", "assessment", "plan"],
        ),
        (
            "S/ cough\nO/ clear lungs\nA/P bronchitis",
            ["history_of_present_illness", "physical_exam", "assessment_plan"],
        ),
        ("A: Hip pain. P: cane.", ["assessment", "plan"]),
        ("## HPI\nSore hip.\n## Assessment\nBursitis.", ["history_of_present_illness", "assessment"]),
        ("**Assessment:** bursitis\n**Plan:** ice", ["assessment", "plan"]),
        ("** IMPRESSION **\nBursitis.", ["assessment"]),
        ("__PLAN__\nIce.", ["plan"]),
        ("=== Plan ===\nIce.", ["plan"]),
        ("Assessment - bursitis\nPlan - ice", ["assessment", "plan"]),
        ("| Item | Text |\n|---|---|\n| Assessment | bursitis |\n| Plan | ice |", ["assessment", "plan"]),
        ("PMH\tgout\nPlan\tice", ["past_medical_history", "plan"]),
        ("PMH gout, HTN\nPSH none", ["past_medical_history", "past_surgical_history"]),
        (
            "PHYSICAL EXAM Gen: well. Vitals: BP 120/80. HEENT: normal.",
            ["physical_exam", "vitals", "physical_exam"],
        ),
        ("Vitals: BP 120/80\nLungs: clear\nAbdomen: soft", ["vitals", "physical_exam"]),
        ("Neurologic: ankle jerks absent; gait steady.", ["physical_exam"]),
        (
            "ROS:\nGeneral: no fever\nCV: no chest pain\nPE:\nGeneral: well",
            ["review_of_systems", "physical_exam"],
        ),
        (
            "PREOPERATIVE DIAGNOSIS:,  Hernia.,POSTOPERATIVE DIAGNOSIS:,  Hernia.,PROCEDURE:,  Repair.",
            ["indication", "diagnoses", "procedure"],
        ),
        (
            "RESULTS\n\nCT head.\nImpression: normal study.\n\nASSESSMENT\nHeadache.",
            ["results", "assessment"],
        ),
        ("CT HEAD: done.\nIMPRESSION: normal.\nASSESSMENT: headache.", ["imaging", "imaging", "assessment"]),
        ("HOSPITAL COURSE: short.\nFinal diagnosis: cellulitis.", ["hospital_course", "discharge_diagnoses"]),
        ("Final diagnosis: cellulitis.", ["diagnoses"]),
        ("IMPRESSION:\n1. Gout\n\nElectronically signed by A. Roe", ["assessment", "other"]),
        ("H&P (05/09): dyspnea. Impression: COPD.", ["history_of_present_illness", "assessment"]),
    ],
)
def test_sections_of_different_layouts(text: str, expected: list[str]) -> None:
    assert categories(text) == expected
    check(text)


def test_a_section_reaches_to_the_next_heading_and_text_before_is_in_none() -> None:
    text = "CLINIC NOTE 4\nHPI: knee pain.\n\nPLAN\nBrace."
    layout = check(text)
    first, second = layout.sections
    assert text[first.start : first.body] == "HPI: "
    assert first.end == second.start == text.index("PLAN")
    assert (second.title, second.end) == ("PLAN", len(text))
    assert [s.section for s in layout.sentences] == [-1, 0, 1]


def test_labels_inside_a_problem_begin_no_section() -> None:
    text = (
        "ASSESSMENT AND PLAN\n\nGout.\n• Medical Reasoning: flare of the toe.\n• Additional Testing: uric acid.\n"
        "• Medical Treatment: colchicine.\n• Patient Education and Counseling: diet.\n\nHypertension.\n"
        "• Medical Reasoning: at goal.\n• Labs: BMP.\n"
    )
    assert categories(text) == ["assessment_plan"]
    assert titles(text) == ["Gout", "Hypertension"]


def test_assessment_and_plan_repeated_under_each_problem_stay_in_it() -> None:
    text = "ASSESSMENT AND PLAN:\n1. Gout\nAssessment: better\nPlan: same\n2. Asthma\nAssessment: worse\nPlan: steroid"
    assert categories(text) == ["assessment_plan"]
    assert titles(text) == ["Gout", "Asthma"]


# --- sentences ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Seen by Dr. Roe. She is well.", ["Seen by Dr. Roe.", "She is well."]),
        ("Take 5 mg. p.o. b.i.d. with food. Then stop.", ["Take 5 mg. p.o. b.i.d. with food.", "Then stop."]),
        ("A1c 8.1. Weight 81.5 kg.", ["A1c 8.1.", "Weight 81.5 kg."]),
        ("Mr. J. Doe came, e.g. for gout.", ["Mr. J. Doe came, e.g. for gout."]),
        ("cough x 3 days. no fever. denies chills.", ["cough x 3 days.", "no fever.", "denies chills."]),
        ("Lungs clear; heart regular; no edema.", ["Lungs clear; heart regular; no edema."]),
        ("- order CBC\n- ice\n* heat", ["order CBC", "ice", "heat"]),
        ("1. Gout\n2) Asthma\n3. Low back pain", ["Gout", "Asthma", "Low back pain"]),
        ("HTN\nDM type 2\nCKD", ["HTN", "DM type 2", "CKD"]),
        ("Takes vitamin D. Denies falls.", ["Takes vitamin D.", "Denies falls."]),
        ("[ ] fever\n[x] cough", ["[ ] fever", "[x] cough"]),
        ("Grew E. coli twice. H. pylori treated.", ["Grew E. coli twice.", "H. pylori treated."]),
        ("INR 2.5? Yes! Fine.", ["INR 2.5?", "Yes!", "Fine."]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_line_break_within_prose_is_no_end() -> None:
    text = "She has had pain over the front of the knee that is worse on\nstairs and better with rest. No locking."
    assert len(sentences(text)) == 2
    assert len(sentences(text.replace("\n", "\r\n"))) == 2


def test_inline_numbers_are_items_and_a_type_is_not() -> None:
    text = "A/P: 1. DM type 2. Start metformin. 2. Gout - stable. 3. CKD stage 3. No change."
    assert titles(text) == ["DM type 2", "Gout", "CKD stage 3"]


def test_a_long_run_without_stops_is_cut() -> None:
    text = "word, " * 3000
    found = sentences(text)
    assert all(len(s.split()) <= 400 for s in found)
    assert sum(len(s.split()) for s in found) == 3000
    assert all(len(s) <= 4000 for s in sentences("x" * 20000))


# --- problems -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Assessment: HTN, DM2, CKD.", ["HTN, DM2, CKD"]),
        (
            "A/P:\n1. Gout - flare. Colchicine.\n2. Diabetes mellitus: A1c 8, more metformin.",
            ["Gout", "Diabetes mellitus"],
        ),
        ("A/P\n# HTN\n- same\n# DM2: A1c 8\n1. metformin", ["HTN", "DM2"]),
        ("## Assessment\n# HTN\nsame drug\n# Gout\n## Plan\nsee in May", ["HTN", "Gout"]),
        ("Assessment:\n- Gout\n- Asthma, mild", ["Gout", "Asthma, mild"]),
        ("Diagnosis:\nHTN\nGout", ["HTN", "Gout"]),
        ("Plan:\n- HTN: same\n- Start aspirin\n- Gout: colchicine", ["HTN", "Gout"]),
        ("Plan:\n- Start aspirin\n- Order CBC", []),
        (
            "ASSESSMENT\nRegarding her hypertension, it is at goal.\nAs for the gout, no flare.\n"
            "For his first problem, back pain, therapy.",
            ["hypertension", "gout", "back pain"],
        ),
        ("HPI:\n1. Gout\n2. Asthma", []),
        ("A/P:\n1. Gout.\n- Start colchicine.\n2. Order labs\n3. Asthma", ["Gout", "Asthma"]),
    ],
)
def test_problems_are_named(text: str, expected: list[str]) -> None:
    assert titles(text) == expected
    check(text)


def test_sentences_carry_their_problem() -> None:
    text = "A/P:\n1. Gout. Flare today.\n- colchicine\n2. Asthma. Quiet.\n\nINSTRUCTIONS\nCome back."
    layout = check(text)
    assert [s.problem for s in layout.sentences] == [0, 0, 0, 1, 1, -1]


# --- any text -----------------------------------------------------------------------------------

PIECES = st.sampled_from(
    ["\n", "\r\n", "\n\n", " ", "Assessment", "PLAN", ":", "- ", "• ", "1. ", "2) ", "# ", "## ", "**", "HTN", ". ", ", ", "é",
     "\u2028", "\t", "|", "P:", "S/", "A/P", "Vitals", "Lungs:", "e.g.", "Dr. ", "5 mg. ", "：", "\u00a0", "___", "---", "(", ")",
     "Regarding her ", "he is ", "😀", "ROS", "\x85", "\ufeff", ".,", "For his first problem, ", "\x00", "İ"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=40).map("".join)))
def test_any_text_has_a_layout_that_keeps_its_promises(text: str) -> None:
    check(text)


@settings(max_examples=50, deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join))
def test_every_letter_is_in_a_sentence_or_a_heading(text: str) -> None:
    layout = check(text)
    covered = set()
    for s in layout.sentences:
        covered.update(range(s.start, s.end))
    for section in layout.sections:
        covered.update(range(section.start, section.body))
    missing = [i for i, c in enumerate(text) if c.isalpha() and i not in covered]
    assert not missing, [text[i] for i in missing]


@pytest.mark.parametrize(
    "unit", ["a", ":", " ", "-", "A: ", "1. ", ". ", "• ", "# a\n", "(", "A/P\n1. HTN\n- x\n", "Plan: x. "]
)
def test_time_grows_with_length(unit: str) -> None:
    def took(size: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size]
        best = 9.0
        for _ in range(2):
            start = time.process_time()
            read_layout(text)
            best = min(best, time.process_time() - start)
        return best

    took(2000)
    assert took(120_000) < 14 * max(took(30_000), 0.01)


# --- the table ----------------------------------------------------------------------------------


def test_the_table_names_only_known_categories() -> None:
    table = headings()
    assert {row.category for row in table.rows.values()} - {""} == CATEGORIES


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("PAST MEDICAL HX", "Past medical history"),
        ("Pre-op Dx", "preoperative diagnosis"),
        ("FOLLOW-UP", "follow up"),
        ("A & P", "a/p"),
        ("Labs (today) 05/10", "lab"),
        ("X-rays", "x ray"),
    ],
)
def test_labels_are_compared_without_spelling(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_labels_of_different_meaning_stay_apart() -> None:
    assert fold("family history") != fold("social history")
    assert fold("discharge diagnosis") != fold("differential diagnosis")
