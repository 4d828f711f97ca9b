"""The coding guidelines at work on short notes: what is coded, what isn't, in which order, and by which rule."""

from __future__ import annotations

import itertools

import pytest

# --- assessed or only mentioned (OCG IV.G, IV.J) -------------------------------------------------------------------


def test_what_is_assessed_is_coded_and_what_is_only_mentioned_is_not(reviewed):
    report = reviewed("PMH: Gout in 2015. Migraine.\n\nAssessment:\n1. Acute sinusitis - amoxicillin.\n")
    codes = [p.code for p in report.proposals]
    assert codes[0].startswith("J01")
    assert not any(code.startswith(("M10", "M1A")) for code in codes)
    assert any(c.code.startswith(("M10", "M1A", "Z87")) for c in [*report.candidates, *report.withheld])


def test_a_chronic_disease_that_is_treated_is_coded_from_the_history(coded):
    note = "PMH: Hypertension.\nMedications: lisinopril 10 mg daily.\n\nAssessment:\n1. Acute bronchitis."
    assert "I10" in coded(note)
    assert coded("PMH: none.\nMedications: none.\n\nAssessment:\n1. Acute bronchitis.") == ["J20.9"]


def test_a_symptom_that_is_all_there_is_is_coded(coded):
    assert coded("Assessment:\n1. Headache.") == ["R51.9"]
    assert coded("CC: cough\nHPI: Cough for a week. Lungs clear.") == ["R05.9"]


def test_an_empty_note_and_one_without_findings_propose_nothing(coded):
    assert coded("") == []
    assert coded("Assessment:\nNo complaints today. Doing well.") == []


# --- negated, uncertain, hypothetical, others (OCG IV.H, II.H) -----------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        "No pneumonia.",
        "Denies chest pain.",
        "Pneumonia was ruled out.",
        "No evidence of heart failure.",
        "Negative for asthma.",
    ],
)
def test_what_is_denied_is_not_coded_and_said_to_be_denied(said, reviewed):
    report = reviewed(f"Assessment:\n1. Hypertension.\n2. {said}")
    assert [p.code for p in report.proposals] == ["I10"]
    assert any(w.rule == "negated-finding" for w in report.withheld)


@pytest.mark.parametrize("doubt", ["Possible", "Probable", "Suspected", "Likely", "Rule out", "Concern for"])
def test_a_doubtful_diagnosis_is_not_coded_in_an_outpatient_note_and_the_symptom_is(doubt, reviewed):
    report = reviewed(f"CC: cough\nHPI: Cough for a week.\nAssessment:\n1. Cough. {doubt} pneumonia.")
    assert [p.code for p in report.proposals] == ["R05.9"]
    assert ("J18.9", "outpatient-uncertain") in {(w.code, w.rule) for w in report.withheld}


def test_the_same_diagnosis_without_doubt_is_coded(coded):
    assert coded("CC: cough\nHPI: Cough for a week.\nAssessment:\n1. Pneumonia.") == ["J18.9"]


def test_a_doubtful_diagnosis_at_discharge_is_coded_for_an_inpatient(coded):
    note = "DISCHARGE DIAGNOSES:\n1. Probable pneumonia"
    assert coded(note, setting="inpatient") == ["J18.9"]
    assert "J18.9" not in coded(note, setting="outpatient")


@pytest.mark.parametrize("said", ["COVID-19", "HIV disease"])
def test_what_counts_only_when_confirmed_is_not_coded_even_for_an_inpatient(said, coded):
    assert coded(f"DISCHARGE DIAGNOSES:\n1. Hypokalemia\n2. Probable {said}", setting="inpatient") == ["E87.6"]
    assert len(coded(f"DISCHARGE DIAGNOSES:\n1. Hypokalemia\n2. {said}", setting="inpatient")) == 2


def test_a_relatives_disease_is_not_the_patients(reviewed):
    report = reviewed("Family history: mother breast cancer, father stroke.\nAssessment:\n1. Hypertension.")
    assert [p.code for p in report.proposals] == ["I10"]
    assert "Z80.3" in {c.code for c in report.candidates}
    assert "family-history" in {w.rule for w in report.withheld}


def test_what_might_come_is_not_coded(reviewed):
    report = reviewed("Assessment:\n1. Hypertension. Return if chest pain or dyspnea occurs.")
    assert [p.code for p in report.proposals] == ["I10"]


def test_an_empty_box_is_a_no_and_a_ticked_one_a_yes(coded):
    assert coded("Assessment:\n[x] Hypertension\n[ ] Asthma\n[ ] Gout") == ["I10"]
    assert coded("Assessment:\n[ ] Hypertension\n[x] Asthma\n[ ] Gout") == ["J45.909"]


# --- history (OCG I.C.21.c.4, IV.I) --------------------------------------------------------------------------------


def test_a_disease_that_is_over_is_a_history_code(reviewed):
    report = reviewed("Assessment:\n1. History of breast cancer, no evidence of disease.")
    codes = [p.code for p in report.proposals]
    assert "Z85.3" in codes and not any(code.startswith("C50") for code in codes)


def test_a_lifelong_disease_is_not_over_because_it_is_a_history_of(coded):
    assert coded("Assessment:\n1. History of hypertension, on lisinopril.") == ["I10"]
    assert "J45.909" in coded("Assessment:\n1. History of asthma, uses albuterol.")


# --- symptoms and signs that belong to a diagnosis (OCG I.B.5) ------------------------------------------------------


@pytest.mark.parametrize(
    ("note", "kept", "gone"),
    [
        ("1. Pneumonia with cough and fever.", "J18.9", {"R05.9", "R50.9"}),
        ("1. Primary osteoarthritis of the right knee with right knee pain.", "M17.11", {"M25.561"}),
        ("1. Migraine with headache.", "G43.909", {"R51.9"}),
        ("1. Acute on chronic systolic heart failure with edema and dyspnea.", "I50.23", {"R60.9", "R06.00"}),
    ],
)
def test_a_symptom_of_the_diagnosis_is_not_coded_beside_it(note, kept, gone, coded):
    codes = coded(f"Assessment:\n{note}")
    assert kept in codes
    assert not gone & set(codes)


def test_a_symptom_of_its_own_is_coded_beside_an_unrelated_diagnosis(coded):
    codes = coded("Assessment:\n1. Hypertension.\n2. Headache.")
    assert codes == ["I10", "R51.9"]


def test_pain_elsewhere_is_no_part_of_the_arthritis(coded):
    codes = coded("Assessment:\n1. Primary osteoarthritis of the right knee.\n2. Chest pain.")
    assert codes == ["M17.11", "R07.9"]


# --- the more specific (OCG I.B.2) and combination codes (I.A.15, I.B.9) --------------------------------------------


def test_of_two_names_of_one_disease_the_more_specific_is_coded(coded):
    codes = coded("HPI: CKD.\nAssessment:\n1. CKD.\n2. Chronic kidney disease stage 4.")
    assert [code for code in codes if code.startswith("N18")] == ["N18.4"]


def test_a_detail_said_elsewhere_in_the_note_counts(coded):
    assert coded(
        "HPI: Her left knee has hurt since May.\nAssessment:\n1. Primary osteoarthritis of the knee, left."
    ) == ["M17.12"]


def test_hypertension_and_kidney_disease_are_one_code_and_the_stage_follows(coded):
    codes = coded("Assessment:\n1. Hypertension.\n2. CKD stage 3a.")
    assert codes == ["I12.9", "N18.31"]
    assert coded("Assessment:\n1. Hypertension.\n2. Gout.")[0] == "I10"


def test_hypertension_and_heart_failure_are_one_code_and_the_failure_follows(coded):
    codes = coded("Assessment:\n1. Hypertension.\n2. Chronic diastolic heart failure.")
    assert codes == ["I11.0", "I50.32"]


def test_hypertension_with_heart_and_kidney_is_i13(coded):
    codes = coded("Assessment:\n1. Hypertension.\n2. Chronic systolic heart failure.\n3. CKD stage 3b.")
    assert codes[0] == "I13.0" and {"I50.22", "N18.32"} <= set(codes)
    assert not {"I10", "I11.0", "I12.9"} & set(codes)


def test_diabetes_and_kidney_disease_are_assumed_to_go_together_unless_the_note_says_otherwise(coded):
    together = coded("Assessment:\n1. Type 2 diabetes.\n2. CKD stage 3a.")
    assert "E11.22" in together and "N18.31" in together and "E11.9" not in together
    apart = coded("Assessment:\n1. Type 2 diabetes.\n2. CKD stage 3a, not due to diabetes.")
    assert "E11.22" not in apart and "E11.9" in apart


def test_insulin_and_tablets_of_a_diabetic_are_coded_and_sliding_scale_is_not(coded):
    long_term = coded("Assessment:\n1. Type 2 diabetes. Continue insulin glargine and metformin.")
    assert {"Z79.4", "Z79.84"} <= set(long_term)
    short = coded(
        "HOSPITAL COURSE: Sliding scale insulin during the stay.\nDISCHARGE DIAGNOSES:\n1. Type 2 diabetes",
        setting="inpatient",
    )
    assert "Z79.4" not in short


@pytest.mark.parametrize(
    ("index", "code"), [("19.9", "Z68.1"), ("33.1", "Z68.33"), ("39.9", "Z68.39"), ("41.2", "Z68.41"), ("71", "Z68.45")]
)
def test_the_index_is_coded_beside_a_weight_diagnosis_and_behind_it(index, code, coded):
    codes = coded(f"Vitals: BMI {index}\nAssessment:\n1. Obesity.")
    assert codes[0].startswith("E66") and code in codes[1:]


# --- Excludes1 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "note",
    [
        "1. Type 1 diabetes.\n2. Type 2 diabetes.",
        "1. Low back pain.\n2. Low back pain with sciatica.",
        "1. Gestational hypertension.\n2. Essential hypertension.",
        "1. Cough.\n2. Cough with hemoptysis.\n3. Acute bronchitis.\n4. Chronic bronchitis.",
        "1. Anxiety.\n2. Depression.\n3. Bipolar disorder.\n4. Major depressive disorder, recurrent.",
    ],
)
def test_codes_that_exclude_each_other_are_not_proposed_together(note, reviewed, codes):
    report = reviewed(f"Assessment:\n{note}")
    assert report.proposals
    for one, other in itertools.combinations([p.code for p in report.proposals], 2):
        assert codes.excludes1(one, other) is None, (one, other)


def test_codes_that_do_not_exclude_each_other_stay(coded):
    assert {"I10", "E78.5", "K21.9"} <= set(coded("Assessment:\n1. Hypertension.\n2. Hyperlipidemia.\n3. GERD."))


# --- order (OCG I.A.13, IV.G) -----------------------------------------------------------------------------------------


def test_the_order_of_the_assessment_is_kept(coded):
    assert coded("Assessment:\n1. Gout.\n2. Asthma.\n3. Hypothyroidism.")[1:] == ["J45.909", "E03.9"]
    assert coded("Assessment:\n1. Hypothyroidism.\n2. Asthma.\n3. Headache.") == ["E03.9", "J45.909", "R51.9"]


def test_a_cause_comes_before_what_it_causes(coded):
    codes = coded("Assessment:\n1. Acute on chronic systolic heart failure.\n2. Hypertension.")
    assert codes.index("I11.0") < codes.index("I50.23")


def test_ranks_are_counted_and_the_first_is_first_listed(reviewed):
    report = reviewed("Assessment:\n1. Hypothyroidism.\n2. Asthma.\n3. Migraine.")
    assert [p.rank for p in report.proposals] == [1, 2, 3]
    assert [p.first_listed for p in report.proposals] == [True, False, False]


def test_a_status_code_never_comes_first(coded):
    codes = coded("SH: former smoker.\nAssessment:\n1. COPD.")
    assert codes[0] == "J44.9"


# --- seventh characters -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("note", "code"),
    [
        ("Assessment: Sprain of the right ankle.", "S93.401A"),
        (
            "Follow-up of a right ankle sprain, healing well.\nAssessment: Sprain of the right ankle, subsequent encounter.",
            "S93.401D",
        ),
    ],
)
def test_the_episode_of_care_is_the_seventh_character(note, code, coded):
    assert code in coded(note)


# --- a note that names one code more than once -----------------------------------------------------------------------


def test_a_code_is_proposed_once_however_often_it_is_named(reviewed):
    report = reviewed("CC: asthma\nHPI: Asthma since childhood.\nAssessment:\n1. Asthma.\nPlan: albuterol for asthma.")
    assert [p.code for p in report.proposals].count("J45.909") == 1
    (asthma,) = [p for p in report.proposals if p.code == "J45.909"]
    assert asthma.evidence


# --- what goes wrong today ---------------------------------------------------------------------------------------------


@pytest.mark.xfail(reason="known fault of the engine when the samples were read", strict=False)
@pytest.mark.parametrize(
    ("note", "there", "absent"),
    [
        ("Assessment:\n1. Primary osteoarthritis of the right knee.\n2. Left knee pain.", "M25.562", "M25.561"),
        ("Assessment:\n1. Primary osteoarthritis of the right knee.\n2. Left elbow pain.", "M25.522", ""),
        ("Vitals: BMI 33.1\nAssessment:\n1. Hypertension.", "I10", "Z68.33"),
        # the words of one term reach across the cue that doubts it
        ("Assessment:\n1. Lesion of the left forearm, suspicious for basal cell carcinoma.", "", "C44.619"),
        ("Assessment:\n1. Anemia of chronic kidney disease.", "D63.1", "D63.8"),
        ("Assessment:\n1. Right lower lobe pneumonia.", "J18.9", "J18.1"),
        ("Assessment:\n1. Gestational hypertension, third trimester.", "O13.3", "O10.013"),
        (
            "DISCHARGE DIAGNOSES:\n1. Sepsis due to E. coli\n2. Acute kidney injury due to sepsis, resolved",
            "A41.51",
            "Z86.19",
        ),
        ("Assessment:\n1. Internal hemorrhoids, first degree.", "K64.0", "K64.8"),
        ("Past surgical history: cataract surgery.\nAssessment:\n1. Type 2 diabetes.", "E11.9", "E11.36"),
        (
            "PMH: type 2 diabetes, osteoarthritis of hands, cataract surgery 2021.\nAssessment:\n1. Type 2 diabetes.",
            "E11.9",
            "E11.36",
        ),
        ("PMH: hyperlipidemia.\nMedications: atorvastatin.\nAssessment:\n1. Mixed hyperlipidemia.", "E78.2", "E78.5"),
        ("Assessment:\n1. Major depressive disorder, recurrent, moderate.", "F33.1", "F33.8"),
    ],
)
def test_what_a_coder_would_code(note, there, absent, coded):
    codes = coded(note, setting="inpatient" if "DISCHARGE" in note else "outpatient")
    assert there in codes or not there
    assert absent not in codes


def test_a_short_name_in_the_history_is_the_full_name_of_the_assessment(reviewed):
    report = reviewed("HPI: Known cardiomyopathy, takes carvedilol.\nAssessment:\n1. Ischemic cardiomyopathy.")
    assert [p.code for p in report.proposals] == ["I25.5"]
    assert ("I42.9", "more-specific-documented") in {(w.code, w.rule) for w in report.withheld}


# --- kinds of mistakes met on notes that nobody had tuned to -------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Tinnitus, left.", "H93.12"),
        ("Cerumen impaction, right, removed.", "H61.21"),
        ("Otitis externa, left.", "H60.92"),
    ],
)
def test_a_side_alone_leads_to_its_code_though_the_titles_repeat_the_part(said, code, coded):
    assert code in coded(f"Assessment:\n1. {said}")


def test_both_eyes_have_the_seventh_character_of_both(coded):
    assert "E11.3293" in coded("Assessment:\n1. Mild NPDR OU without macular edema, type 2 diabetes.")
    assert "E11.3299" in coded("Assessment:\n1. Mild NPDR without macular edema, type 2 diabetes.")


def test_a_doubted_kind_specifies_nothing_in_an_outpatient_note(coded):
    assert "I50.30" in coded("Assessment:\n1. Heart failure, diastolic.")
    assert coded("Assessment:\n1. Heart failure, likely diastolic.") == ["I50.9"]


def test_the_unspecified_code_of_a_category_gives_way_to_one_that_says_more(coded):
    note = "HPI: Seizure disorder since childhood.\nAssessment:\n1. Juvenile myoclonic epilepsy - levetiracetam."
    assert [c for c in coded(note) if c.startswith("G40")] == ["G40.B09"]


def test_an_injury_of_no_kind_gives_way_to_the_one_that_is_told_but_not_to_that_of_the_other_side(coded):
    told = coded("CC: Left shoulder injury.\nAssessment:\n1. Traumatic left rotator cuff tear.")
    assert not any(code.startswith("S49") for code in told)
    both = coded("Assessment:\n1. Right shoulder injury.\n2. Traumatic left rotator cuff tear.")
    assert any(code.startswith("S49.91") for code in both)


def test_a_healed_scar_makes_no_injury_a_subsequent_visit(coded):
    note = "Exam: well healed scars of the other knee.\nAssessment:\n1. Right ankle sprain."
    assert "S93.401A" in coded(note)
    assert "S93.401D" in coded("Assessment:\n1. Right ankle sprain, healing well.")


def test_opposite_ears_dont_exclude_each_other(coded):
    note = "Assessment:\n1. Sudden hearing loss, right ear.\n2. Cerumen impaction, {} ear."
    assert {"H91.21", "H61.22"} <= set(coded(note.format("left")))
    assert len({"H91.21", "H61.21"} & set(coded(note.format("right")))) == 1


def test_an_order_for_every_other_day_is_no_underdosing(coded):
    said = coded("Assessment:\n1. Hypertension. Takes lisinopril every morning, misses no doses.")
    assert said == ["I10"]
    assert any(c.startswith("T46.4X6") for c in coded("Assessment:\n1. Hypertension. Skips lisinopril, misses doses."))


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        ("Opioid-induced constipation.", ["K59.03", "T40.2X5A"]),
        ("Constipation due to opioids.", ["K59.03", "T40.2X5A"]),
        ("Oxaliplatin-induced peripheral neuropathy.", ["G62.0", "T45.1X5A"]),
        ("Anemia due to chemotherapy.", ["D64.81", "T45.1X5A"]),
        ("Constipation. Takes opioids for her back.", ["K59.00"]),
    ],
)
def test_what_a_class_of_drugs_brought_on_has_its_own_code_and_the_drugs(said, codes, coded):
    assert [c for c in coded(f"Assessment:\n1. {said}") if c[0] != "Z"] == codes


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        ("Start insulin NPH 10 units at bedtime.", "O24.414"),
        ("Metformin 500 mg twice daily.", "O24.415"),
        ("Well on diet alone.", "O24.410"),
        ("Seen today.", "O24.419"),
    ],
)
def test_gestational_diabetes_says_what_controls_it_and_has_no_drug_status(plan, code, coded):
    found = coded(f"OB visit at 28w3d.\nAssessment:\n1. Gestational diabetes. {plan}")
    assert code in found
    assert not any(c.startswith("Z79") for c in found)


def test_a_cesarean_of_the_past_is_a_scar_in_the_next_pregnancy(coded):
    pregnant = coded(
        "OB visit, 30 weeks pregnant.\nAssessment:\n1. Anemia in pregnancy, iron deficiency.\n2. Previous cesarean."
    )
    assert "O34.219" in pregnant and "Z98.891" not in pregnant
    assert {"O99.013", "D50.9"} <= set(pregnant) and "E61.1" not in pregnant


def test_a_healed_fracture_of_an_osteoporotic_is_history(coded):
    assert coded("Assessment:\n1. Osteoporosis with previous vertebral fracture, healed.") == ["M81.0", "Z87.310"]
    healed = coded("Assessment:\n1. Osteoporosis with vertebral compression fracture in 2021, healed.")
    assert set(healed) == {"M81.0", "Z87.310"}
    assert "M80.08XA" in coded("Assessment:\n1. Osteoporosis with vertebral compression fracture.")


@pytest.mark.parametrize(
    ("said", "given"),
    [("Tdap given.", True), ("Flu shot today.", True), ("Flu shot declined.", False), ("Flu shot recommended.", False)],
)
def test_a_vaccine_is_coded_when_it_is_given_at_the_visit(said, given, coded):
    assert ("Z23" in coded(f"Assessment:\n1. Hypertension. BP at goal.\nPlan:\n{said}")) == given


def test_influenza_a_has_an_identified_virus_and_a_week_has_none(coded):
    assert coded("Assessment:\n1. Influenza A - oseltamivir.") == ["J10.1"]
    assert coded("Assessment:\n1. Influenza a week ago, still weak.")[:1] != ["J10.1"]


@pytest.mark.parametrize(
    "said",
    [
        "Preterm labor and preeclampsia precautions reviewed.",
        "Redness or pus could mean cellulitis.",
        "Smokes none.",
    ],
)
def test_what_is_watched_for_or_answered_with_none_is_not_coded(said, coded):
    assert coded(f"Assessment:\n1. Hypothyroidism.\n{said}") == ["E03.9"]


def test_a_cancer_that_is_only_looked_for_is_not_coded(coded):
    start = "HPI: Feels well. No complaints. Works full time. Sleeps well.\nAssessment:\n1. Chronic hepatitis B."
    assert coded(f"{start} Ultrasound for liver cancer surveillance.") == ["B18.1"]
    assert "C22.9" in coded(f"{start}\n2. Liver cancer.")


def test_a_stroke_with_a_residual_weakness_is_coded_as_its_sequela(coded):
    assert coded("Assessment:\n1. History of ischemic stroke with residual left hemiparesis.") == ["I69.354"]


def test_anemia_of_ckd_is_one_anemia(coded):
    assert [c for c in coded("Assessment:\n1. Anemia of CKD.") if c.startswith("D63")] == ["D63.1"]


def test_a_disorder_in_remission_says_so_behind_its_severity(coded):
    assert coded("Assessment:\n1. Alcohol use disorder, severe, in sustained remission.") == ["F10.21"]
    assert coded("Assessment:\n1. Alcohol use disorder, severe.") == ["F10.20"]


def test_a_flare_is_an_abnormal_finding_of_a_well_child_visit(coded):
    note = "Assessment:\n1. Well child visit, 5 years.\n2. Atopic dermatitis{}."
    assert "Z00.121" in coded(note.format(", flare"))
    assert "Z00.129" in coded(note.format(", stable"))


def test_an_abbreviation_without_company_is_read_as_elsewhere_in_the_note(coded):
    note = "PMH: RA, gout.\nAssessment:\n1. RA - continue the current plan.\n2. Gout."
    assert [c for c in coded(note) if c.startswith("M0")] == ["M06.9"]


def test_a_final_diagnosis_that_resolved_in_the_stay_is_coded(reviewed):
    note = "DISCHARGE DIAGNOSES:\n1. Acute hypoxic respiratory failure, resolved.\n2. Pneumonia."
    assert {p.code for p in reviewed(note, setting="inpatient").proposals} == {"J96.01", "J18.9"}
    note = "Assessment:\n1. Pneumonia, resolved.\n2. Hypertension."
    assert "J18.9" not in {p.code for p in reviewed(note).proposals}
