"""Extractors on passages written for these tests: what they find, and what they leave alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from code_maps.elements import elements
from code_maps.terms.abbreviations import readings_of
from models.finding import Mention
from pipeline.extractors import extract
from pipeline.extractors.abbreviations import definitions, expand
from pipeline.extractors.quantities import quantities
from pipeline.sections import read_layout


def found(text: str, kind: str) -> list[str]:
    return [text[m.start : m.end] for m in extract(text, read_layout(text)) if m.kind == kind]


def numbers(text: str) -> list[dict[str, object]]:
    return [dict(m.values) for m in quantities(text, read_layout(text))]


def values(text: str, words: str) -> dict[str, object]:
    mentions = [m for m in extract(text, read_layout(text)) if words in text[m.start : m.end]]
    assert mentions, f"nothing found over {words!r}"
    return dict(max(mentions, key=lambda m: len(m.values)).values)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("HPI: right hip pain when climbing.", "symptom", "hip pain"),
        ("She complains of jaw clicking and a dry mouth.", "symptom", "jaw clicking"),
        ("He is unable to raise the arm.", "symptom", "unable to raise"),
        ("Her fingers turn white in the cold.", "symptom", "fingers turn white"),
        ("CC: lump behind the ear", "symptom", "lump"),
        ("ROS: positive for night sweats, no cough.", "symptom", "night sweats"),
        ("PMH: gout since 2015, asthma", "history", "gout since 2015"),
        ("Family history: uncle with glaucoma", "history", "uncle with glaucoma"),
        ("His father died of a stroke.", "history", "father died of a stroke"),
        ("She smokes half a pack a day.", "history", "smokes"),
        ("Allergies: latex gives a rash", "history", "latex"),
        ("He was exposed to asbestos for years.", "history", "exposed to asbestos"),
        ("OB: G2P1", "history", "G2P1"),
        ("Lungs: fine crackles at both bases.", "exam", "crackles"),
        ("EXAM\nKnee\nJoint line tender, 2+ effusion.", "exam", "Joint line tender"),
        ("Left calf is tender with 2+ pitting edema.", "exam", "pitting edema"),
        ("Regular rate and rhythm, no murmur.", "exam", "Regular rate and rhythm"),
        ("Vitals: BP 128/76", "exam", "BP 128/76"),
        ("CT showed a small stone.", "result", "CT showed a small stone"),
        ("Chest film: clear.", "result", "clear"),
        ("Ferritin was 11 ng/mL.", "result", "Ferritin was 11"),
        ("RESULTS\nNo fracture.", "result", "No fracture"),
        ("Rapid strep negative.", "result", "strep negative"),
        ("EKG: sinus rhythm.", "result", "sinus rhythm"),
        ("Plan: losartan 50 mg daily.", "treatment", "losartan 50 mg daily"),
        ("We injected the shoulder with triamcinolone.", "treatment", "triamcinolone"),
        ("She wears a wrist splint at night.", "treatment", "wrist splint"),
        ("He attends physical therapy.", "treatment", "physical therapy"),
        ("Home oxygen at 2 L continued.", "treatment", "Home oxygen"),
        ("We will order an MRI of the hip.", "order", "MRI of the hip"),
        ("Referred to the spine clinic.", "order", "spine clinic"),
        ("Plan:\n- TSH\n- return in May", "order", "TSH"),
        ("Cardiology consult requested.", "order", "Cardiology consult"),
        ("MRI hip because the pain persists.", "rationale", "because the pain persists"),
        ("Hold metformin given the falling eGFR.", "rationale", "given the falling eGFR"),
        ("Ultrasound to rule out a clot.", "rationale", "to rule out a clot"),
        ("Losartan was stopped due to cough.", "rationale", "due to cough"),
        (
            "Biologic requested, the patient having failed methotrexate.",
            "rationale",
            "having failed methotrexate",
        ),
        ("Head CT obtained as he takes warfarin and fell.", "rationale", "as he takes warfarin and fell"),
        ("Start apixaban in view of the stroke risk.", "rationale", "in view of the stroke risk"),
        ("We switched the drug since sugars remain high.", "rationale", "since sugars remain high"),
    ],
)
def test_an_element_is_found(text: str, kind: str, words: str) -> None:
    assert any(words in phrase for phrase in found(text, kind)), found(text, kind)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("PMH: gout since 2015.", "rationale"),  # a date
        ("Ibuprofen as needed.", "rationale"),
        ("The injection was given in the left arm.", "rationale"),
        ("Seen for follow up in two weeks.", "rationale"),
        ("HPI: presents for evaluation of knee pain.", "rationale"),
        ("We need to check on him.", "rationale"),
        ("CT showed a small stone.", "order"),
        ("Last colonoscopy in 2019 was normal.", "order"),
        ("PHYSICAL EXAM\nAbdomen soft.", "symptom"),
        ("Irritable bowel syndrome, no change.", "symptom"),
        ("Plan: order CBC.", "result"),
        ("We will obtain a CT of the chest.", "result"),
        ("Allergies: penicillin.", "treatment"),
        ("Digoxin level today.", "treatment"),
        ("It rained in April.", "treatment"),
        ("We discussed the natural history of the disease.", "history"),
        ("Medications reviewed.", "exam"),
        ("PHYSICAL EXAM\nCardiovascular\n", "exam"),
    ],
)
def test_an_element_is_not_invented(text: str, kind: str) -> None:
    assert found(text, kind) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BP 158/96", {"analyte": "blood_pressure", "quantity": 158, "second": 96, "unit": "mmHg"}),
        ("BP of 140 over 80", {"analyte": "blood_pressure", "quantity": 140, "second": 80, "unit": "mmHg"}),
        ("Vitals: pulse 82", {"analyte": "heart_rate", "quantity": 82, "unit": "bpm"}),
        ("Vitals: RR 16", {"analyte": "respiratory_rate", "quantity": 16, "unit": "/min"}),
        ("Temp 38.9 C", {"analyte": "temperature", "quantity": 38.9, "unit": "C"}),
        ("temperature 101.2", {"analyte": "temperature", "quantity": 101.2, "unit": "F"}),
        ("SpO2 is 91 %", {"analyte": "oxygen_saturation", "quantity": 91, "unit": "%"}),
        ("88% on room air", {"analyte": "oxygen_saturation", "quantity": 88, "unit": "%"}),
        ("Weight: 180 lbs", {"analyte": "weight", "quantity": 180, "unit": "lb"}),
        ("height 5 feet 9 inches", {"analyte": "height", "quantity": 69, "unit": "in"}),
        ("BMI 38.2", {"analyte": "bmi", "quantity": 38.2, "unit": "kg/m2"}),
        ("A1c came back at 9.1%", {"analyte": "hemoglobin_a1c", "quantity": 9.1, "unit": "%"}),
        ("eGFR 45 mL/min/1.73m2", {"analyte": "egfr", "quantity": 45, "unit": "mL/min"}),
        ("creatinine was 1.9 mg/dL", {"analyte": "creatinine", "quantity": 1.9, "unit": "mg/dL"}),
        ("creatinine 150 umol/L", {"analyte": "creatinine", "quantity": 150, "unit": "umol/L"}),
        ("creatinine 150", None),
        ("haemoglobin 8.6", {"analyte": "hemoglobin", "quantity": 8.6, "unit": "g/dL"}),
        ("sodium low at 128", {"analyte": "sodium", "quantity": 128, "unit": "mmol/L", "flag": "low"}),
        ("PSA <0.1", {"analyte": "psa", "quantity": 0.1, "unit": "ng/mL", "comparator": "<"}),
        (
            "fasting sugars stay above 180",
            {"analyte": "glucose", "quantity": 180, "unit": "mg/dL", "comparator": ">"},
        ),
        ("LVEF is 35%", {"analyte": "ejection_fraction", "quantity": 35, "unit": "%"}),
        ("T-score -2.7 at the hip", {"analyte": "t_score", "quantity": -2.7, "unit": ""}),
        ("PHQ-9 score of 14", {"analyte": "phq9", "quantity": 14, "unit": ""}),
        ("pain 7/10", {"analyte": "pain_score", "quantity": 7, "unit": "/10"}),
        ("AHI of 32 events/hour", {"analyte": "ahi", "quantity": 32, "unit": "/h"}),
        ("platelets 90", {"analyte": "platelets", "quantity": 90, "unit": "K/uL"}),
        ("a 30 pack-year history", {"analyte": "pack_years", "quantity": 30, "unit": "pack-years"}),
        ("smokes 1 ppd", {"analyte": "packs_per_day", "quantity": 1, "unit": "packs/day"}),
        ("a 46-year-old", {"analyte": "age", "quantity": 46, "unit": "y"}),
        ("cough x 3 days", {"analyte": "duration", "quantity": 3, "unit": "d"}),
        ("pain for two weeks", {"analyte": "duration", "quantity": 2, "unit": "wk"}),
        ("ill since 2019", {"analyte": "since", "quantity": 2019, "unit": "year"}),
        ("32 weeks pregnant", {"analyte": "gestational_age", "quantity": 32, "unit": "wk"}),
        ("ANA 1:320", {"analyte": "titer", "quantity": 1, "second": 320, "unit": ""}),
        ("A1c in 2019", None),
        ("CT of 3/4/24", None),
        ("potassium 48", None),
    ],
)
def test_a_number_is_read_with_its_measure(text: str, expected: dict[str, object] | None) -> None:
    read = [v for v in numbers(text) if v.get("analyte") != "since" or "since" in text]
    assert read == ([expected] if expected else [])


def test_bedside_measures_are_exam_and_laboratory_values_results() -> None:
    text = "BP 120/80, A1c 8.1, a 20 pack-year history, for 3 weeks."
    kinds = {dict(m.values)["analyte"]: m.kind for m in quantities(text, read_layout(text))}
    assert kinds == {
        "blood_pressure": "exam",
        "hemoglobin_a1c": "result",
        "pack_years": "history",
        "duration": "status",
    }


@pytest.mark.parametrize(
    ("text", "drug", "action"),
    [
        ("Plan: Start losartan 50 mg daily.", "losartan", "started"),
        ("Plan: Continue metformin.", "metformin", "continued"),
        ("Plan: Increase lisinopril to 20 mg.", "lisinopril", "increased"),
        ("Plan: naproxen was discontinued.", "naproxen", "stopped"),
        ("Plan: Hold warfarin.", "warfarin", "held"),
        ("Plan: Refilled albuterol.", "albuterol", "refilled"),
        ("He is on sertraline.", "sertraline", None),
    ],
)
def test_what_was_done_with_a_drug(text: str, drug: str, action: str | None) -> None:
    assert values(text, drug).get("action") == action


def test_a_dose_becomes_a_value_of_its_drug() -> None:
    text = "Plan: Start losartan 50 mg daily."
    mentions = [m for m in extract(text, read_layout(text)) if m.kind == "treatment"]
    assert [text[m.start : m.end] for m in mentions] == ["losartan 50 mg daily"]
    assert dict(mentions[0].values) == {"action": "started", "quantity": 50, "unit": "mg"} | (
        {"class": dict(mentions[0].values)["class"]} if "class" in dict(mentions[0].values) else {}
    )


# --- abbreviations ------------------------------------------------------------------------------

TABLE = readings_of(
    [
        {"short": "MS", "long": "multiple sclerosis", "when": "neurology; demyelinating", "note": ""},
        {"short": "MS", "long": "mitral stenosis", "when": "valve; murmur", "note": ""},
        {"short": "AS", "long": "aortic stenosis", "when": "murmur valve", "note": "upper"},
        {"short": "C. diff", "long": "Clostridioides difficile", "when": "", "note": ""},
        {"short": "hep B", "long": "hepatitis B", "when": "", "note": ""},
        {"short": "HTN", "long": "hypertension", "when": "", "note": ""},
        {"short": "RA", "long": "room air", "when": "section:vitals", "note": ""},
        {"short": "RA", "long": "rheumatoid arthritis", "when": "joint; methotrexate", "note": ""},
        {"short": "ALL", "long": "acute lymphoblastic leukemia", "when": "", "note": ""},
    ]
)


def expanded(text: str) -> list[tuple[str, str]]:
    return [(text[s:e], long) for s, e, long in expand(text, read_layout(text), TABLE)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HTN is stable. htn.", [("HTN", "hypertension"), ("htn", "hypertension")]),
        ("all is well.", []),
        ("as for the MAC, none; AS with a murmur.", [("AS", "aortic stenosis")]),
        ("C. diff again. hep B.", [("C. diff", "Clostridioides difficile"), ("hep B", "hepatitis B")]),
        ("MS with a loud murmur.", [("MS", "mitral stenosis")]),
        ("MS per neurology.", [("MS", "multiple sclerosis")]),
        ("MS noted.", []),
        ("MS: murmur, demyelinating plaques.", []),
        ("Vitals: 97% RA", [("RA", "room air")]),
        ("RA on methotrexate.", [("RA", "rheumatoid arthritis")]),
        (
            "Polymyalgia rheumatica (PMR) in May. PMR is better.",
            [("PMR", "Polymyalgia rheumatica")],
        ),
        ("Marginal sinus (MS) clot. MS by murmur.", [("MS", "Marginal sinus")]),
        ("She left (AMA). AMA again.", []),
    ],
)
def test_abbreviations_are_expanded_where_they_are_decided(text: str, expected: list[tuple[str, str]]) -> None:
    assert expanded(text) == expected


def test_a_definition_keeps_its_places() -> None:
    text = "known supraventricular tachycardia (SVT), quiet"
    begin, end, low, high = definitions(text, read_layout(text))["SVT"]
    assert (text[begin:end], text[low:high]) == ("supraventricular tachycardia", "SVT")


def test_a_reading_that_stands_twice_is_refused() -> None:
    row = {"short": "MS", "long": "mitral stenosis", "when": "", "note": ""}
    with pytest.raises(ValueError, match="row 3"):
        readings_of([row, row])


# --- any text -----------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        "BP",
        "158/96",
        "A1c",
        "9.1",
        "%",
        "mg",
        "losartan",
        "order",
        "MRI",
        "because",
        "given",
        "since",
        "as",
        "for",
        "to",
        "rule",
        "out",
        "pain",
        "denies",
        "father",
        "had",
        "stroke",
        ",",
        ".",
        ":",
        ";",
        "(",
        ")",
        "\n",
        "Plan:",
        "PMH:",
        "Exam:",
        "Labs:",
        "1.",
        "-",
        "tender",
        "lungs",
        "clear",
        "CT",
        "showed",
        "referred",
        "cardiology",
        "3",
        "weeks",
        "46",
        "year",
        "old",
        "-",
        "/",
        "<",
        "stopped",
        "SVT",
        "É",
        "😀",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=150), st.lists(WORDS, max_size=40).map(" ".join)))
def test_mentions_of_any_text_are_in_range_ordered_and_not_blank(text: str) -> None:
    layout = read_layout(text)
    mentions = extract(text, layout)
    last = (0, 0)
    for m in mentions:
        assert 0 <= m.start < m.end <= len(text)
        assert text[m.start : m.end].strip()
        assert (m.start, m.end) >= last
        assert any(s.start <= m.start and m.end <= s.end for s in layout.sentences)
        last = (m.start, m.end)
    assert len({(m.start, m.end, m.kind) for m in mentions}) == len(mentions)
    assert extract(text, layout) == mentions
    for start, end, long in expand(text, layout):
        assert 0 <= start < end <= len(text)
        assert long


def test_every_module_finds_alone_what_it_finds_together() -> None:
    from pipeline.extractors.exam import exam
    from pipeline.extractors.history import history
    from pipeline.extractors.orders import orders
    from pipeline.extractors.rationale import rationale
    from pipeline.extractors.results import results
    from pipeline.extractors.symptoms import symptoms
    from pipeline.extractors.treatments import treatments

    text = "HPI: hip pain. PMH: gout. Exam: hip tender. Labs: A1c 8. Plan: MRI because pain persists. Start losartan."
    layout = read_layout(text)
    together = {(m.kind, m.start, m.end) for m in extract(text, layout)}
    alone: list[Mention] = []
    for function in (symptoms, history, exam, results, treatments, orders, rationale, quantities):
        mentions = function(text, layout)
        assert mentions
        alone.extend(mentions)
    assert {(m.kind, m.start, m.end) for m in alone} == together


@pytest.mark.parametrize(
    "name",
    [
        "symptoms",
        "history",
        "exam",
        "studies",
        "treatments",
        "orders",
        "rationale",
        "quantities",
        "abbreviations",
    ],
)
def test_a_word_list_says_where_it_is_from(name: str) -> None:
    tables = elements(name)
    assert tables
    assert "title" not in tables


def test_an_unknown_word_list_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        elements("nothing")
