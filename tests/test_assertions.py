"""How findings are asserted, in sentences of our own: cues, scope, lists, boxes, relatives, time, and what must not fire."""

from __future__ import annotations

import subprocess
import sys

import pytest

from code_maps.examples import parse_marked
from models.text import Layout, Section, Sentence, Span
from pipeline.assertions import assert_sentence, assert_spans, plain_layout
from pipeline.language import language, ner, tokens

SENTENCES = {
    "negation": [
        "No {wheezing: negated}, {rales: negated}, or {rhonchi: negated}.",
        "She denies {dizziness: negated} and {syncope: negated}.",
        "Pt denied any {hematuria: negated}.",
        "Patient denies: {fever: negated}, {chills: negated}.",
        "The wound is without {erythema: negated} or {drainage: negated}.",
        "There is no evidence of acute {fracture: negated} or {dislocation: negated}.",
        "CT was negative for {hemorrhage: negated}.",
        "The rapid test is negative for {influenza: negated}.",
        "{Fracture: negated} is not seen.",
        "{Nodes: negated} not palpable, no {splenomegaly: negated}.",
        "He has never had {asthma: negated}.",
        "She doesn't have {diabetes: negated}.",
        "Never experienced {palpitations: negated}.",
        "The abdomen is free of {masses: negated}.",
        "Lacks {photophobia: negated}.",
        "{Sepsis: negated} was excluded.",
        "{Torsion: negated} has been ruled out by ultrasound.",
        "Neither {cough: negated} nor {fever: negated}.",
        "The picture is not suggestive of {lupus: negated}.",
        "No signs of {dehydration: negated}.",
        "Nontender, no {guarding: negated}.",
        "{Edema: negated}: none.",
        "{Murmur: negated} absent.",
        "{Rash: negated} - no",
        "Pertinent negatives: {melena: negated}, {weight loss: negated}.",
        "Patient is not having {suicidal ideation: negated}.",
        "w/o {calf pain: negated}",
        "I do not think she has {meningitis: negated}.",
        "No lesion suspicious for {melanoma: negated}.",
        "Ultrasound failed to show {gallstones: negated}.",
        "She has had no {seizures: negated} since March.",
    ],
    "where negation ends": [
        "No {fever: negated}, but {cough: present} for a week.",
        "Denies {nausea: negated}; reports {heartburn: present}.",
        "No {rash: negated} except for {dry skin: present} on the elbows.",
        "Without {fever: negated} however {chills: present} at night.",
        "Denies {chest pain: negated}, has {dyspnea: present} on stairs.",
        "No {vomiting: negated} and she has {diarrhea: present}.",
        "He cannot sleep because of {back pain: present}.",
        "{Hypothyroidism: present} without {goiter: negated}.",
        "{Cough: present}, no {fever: negated}.",
        "Apart from {tinnitus: present} no {hearing loss: negated}.",
        "Positive for {myalgia: present}, negative for {rash: negated}.",
    ],
    "not a negation": [
        "No change in {tremor: present}.",
        "There has been no improvement in her {sciatica: present}.",
        "{Diabetes: present} not at goal.",
        "{Gout: present} is not well controlled.",
        "Not only {migraine: present} but also {vertigo: present}.",
        "{Psoriasis: present} has not improved.",
        "{Headache: present} not relieved by ibuprofen.",
        "She stopped taking her pills for {hypertension: present}.",
        "Not on medication for {asthma: present}.",
        "Does not take her statin for {hyperlipidemia: present}.",
        "No longer takes methotrexate for {rheumatoid arthritis: present}.",
        "The insurer denied coverage for {obesity: present} surgery.",
        "Negative pressure therapy for the {foot ulcer: present}.",
        "Gram-negative {bacteremia: present}.",
        "No treatment for {hepatitis C: present} so far.",
        "She cannot deny {palpitations: present}.",
    ],
    "uncertain": [
        "Probable {gastritis: uncertain}.",
        "Questionable {infiltrate: uncertain} in the left base.",
        "Suspected {appendicitis: uncertain}.",
        "{Appendicitis: uncertain} suspected.",
        "Suspect {tendinitis: uncertain}.",
        "{Dyspnea: present}, likely {asthma: uncertain}.",
        "{Asthma: uncertain} is most likely.",
        "Compatible with {sarcoidosis: uncertain}.",
        "{Rash: present} suggestive of {psoriasis: uncertain}.",
        "Concern for {malignancy: uncertain}.",
        "Worrisome for {perforation: uncertain}.",
        "{Fatigue: present}, rule out {anemia: uncertain}.",
        "{Fatigue: present} r/o {anemia: uncertain}",
        "{Anemia: uncertain} cannot be excluded.",
        "Cannot rule out {infarct: uncertain}.",
        "Presumptive diagnosis: {scabies: uncertain}.",
        "{Scabies: uncertain} vs {eczema: uncertain}.",
        "Differential includes {viral syndrome: uncertain}, {strep: uncertain} and {mono: uncertain}.",
        "?{fracture: uncertain}",
        "? {gout: uncertain}",
        "Could be {shingles: uncertain}.",
        "Might represent an early {pneumonia: uncertain}.",
        "MRI to evaluate for {stenosis: uncertain}.",
        "Labs to check for {celiac disease: uncertain}.",
        "It is felt to be {vertigo: uncertain}.",
        "{Lyme disease: uncertain} is in the differential.",
        "{TIA: uncertain} remains a possibility.",
        "Doubt {dissection: uncertain}.",
        "Possibly {GERD: uncertain}.",
        "Query {cellulitis: uncertain}.",
        "High index of suspicion for {PE: uncertain}.",
        "Workup for {hyperthyroidism: uncertain} pending.",
        "{Pyelonephritis: uncertain}, presumed.",
        "{Stroke: uncertain} not ruled out.",
    ],
    "not uncertain": [
        "Biopsy confirmed {celiac disease: present}.",
        "There is evidence of {cardiomegaly: present}.",
        "Consistent with prior studies, {emphysema: present} is seen.",
        "{Bronchitis: present}, probable discharge today.",
        "Known {cirrhosis: present}.",
        "{Dyspnea: present} likely due to {anemia: uncertain}.",
        "The etiology of the {syncope: present} is unclear.",
        "Worried about his {tremor: present}.",
        "No doubt this is {shingles: present}.",
    ],
    "hypothetical": [
        "Return for {fever: hypothetical}, {vomiting: hypothetical} or {worsening pain: hypothetical}.",
        "Call the office if you develop {hives: hypothetical}.",
        "If {bleeding: hypothetical} occurs, hold the aspirin.",
        "Should {swelling: hypothetical} occur, elevate the leg.",
        "Go to the ER for {chest pain: hypothetical}.",
        "ER precautions: {syncope: hypothetical}, {dyspnea: hypothetical}.",
        "Screening for {cervical cancer: hypothetical} is due.",
        "Here for {lung cancer: hypothetical} screening.",
        "At high risk for {falls: hypothetical}.",
        "Increased risk of {stroke: hypothetical}.",
        "Heparin for {DVT: hypothetical} prophylaxis.",
        "Aspirin to prevent {stroke: hypothetical}.",
        "Side effects include {dizziness: hypothetical} and {cough: hypothetical}.",
        "Risks including {infection: hypothetical} and {bleeding: hypothetical} were explained.",
        "The drug may cause {drowsiness: hypothetical}.",
        "Ondansetron as needed for {nausea: hypothetical}.",
        "Tylenol PRN {headache: hypothetical}.",
        "Monitor for {hyperkalemia: hypothetical}.",
        "Watch for signs of {infection: hypothetical}.",
        "Vaccinated against {hepatitis B: hypothetical}.",
        "No visit needed unless {swelling: hypothetical} develops.",
        "Use the inhaler in case of {wheezing: hypothetical}.",
        "Felt as if she was going to {pass out: hypothetical}.",
        "She was warned about {weight gain: hypothetical}.",
        "Return precautions given for {fever: hypothetical}.",
    ],
    "not hypothetical": [
        "If the {cough: present} persists, order a film.",
        "If {back pain: present} does not improve in six weeks, refer to therapy.",
        "Returns for {hypertension: present} follow-up.",
        "{Pneumonia: present}: if no better, switch antibiotics.",
        "Uses albuterol as needed for her {asthma: present}.",
        "{Atrial fibrillation: present}, on apixaban to prevent {stroke: hypothetical}.",
        "Presents to the ER with {chest pain: present}.",
        "She developed {hives: present} after penicillin.",
        "{Osteoporosis: present} with high fracture risk.",
    ],
    "historical": [
        "History of {hepatitis A: historical}.",
        "H/o {pancreatitis: historical} in 2012.",
        "Status post {appendectomy: historical}.",
        "S/p {hip fracture: historical} repair.",
        "Remote {peptic ulcer: historical}.",
        "{Pneumonia: historical} resolved.",
        "The {rash: historical} has resolved.",
        "{Otitis media: historical} as a child.",
        "{DVT: historical} in 2009.",
        "{Breast cancer: historical} s/p mastectomy in 2011, NED.",
        "Previous {ectopic pregnancy: historical}.",
        "She no longer has {heartburn: historical}.",
        "History of {melanoma: historical}, excised in 2014.",
        "{Cellulitis: historical}, resolved.",
        "He had a {stroke: historical} many years ago.",
        "No history of {stroke: negated}.",
    ],
    "not historical": [
        "Three-day history of {sore throat: present}.",
        "2 week history of {cough: present}.",
        "History of {hypertension: present}, takes amlodipine.",
        "H/o {COPD: present} on tiotropium.",
        "PMH: {diabetes: present}, {appendicitis: historical}.",
        "{Fever: present} has not resolved.",
        "{Cough: present} is resolving.",
        "{Coronary artery disease: present} s/p CABG.",
        "{Breast cancer: present} on letrozole.",
        "{Diabetes: present} since 2010.",
        "{Asthma: present} diagnosed in 2003.",
        "She has had {headaches: present} for years.",
        "{Sickle cell disease: present} with history of {stroke: historical}.",
        "Old records reviewed; {edema: present} today.",
    ],
    "family and others": [
        "Mother with {breast cancer: family}.",
        "Father died of {MI: family} at 50.",
        "Family history of {colon cancer: family}.",
        "{Colon cancer: family} in her father.",
        "Maternal aunt had {ovarian cancer: family}.",
        "Brother has {asthma: family}; patient has {eczema: present}.",
        "FHx: {glaucoma: family}.",
        "No family history of {melanoma: family, negated}.",
        "Sister's {lupus: family} is severe.",
        "{Hemophilia: family} runs in the family.",
        "Husband has {influenza: other}.",
        "Wife diagnosed with {shingles: other}.",
        "Stepfather has {tuberculosis: other}.",
        "Mother-in-law had {covid: other}.",
        "Exposed to {scabies: other} at school.",
        "Coworker tested positive for {strep: other}.",
        "Adoptive mother has {diabetes: other}.",
        "Kidney donor had {hepatitis C: other}.",
        "She cares for her husband, who has {Parkinson disease: other}.",
    ],
    "not a relative's": [
        "Mother reports {fever: present} for two days.",
        "Mom says he has had {ear pain: present}.",
        "Per daughter, {confusion: present} is worse.",
        "Accompanied by his wife for {memory loss: present}.",
        "Wife states he has {snoring: present}.",
        "Parents are concerned about {developmental delay: present}.",
        "Lives with her mother; has {asthma: present}.",
        "Her son drove her here because of {vertigo: present}.",
        "Infant with {jaundice: present}.",
        "{Anxiety: present} about her mother's illness.",
    ],
    "boxes, signs, answers": [
        "[ ] {fever: negated} [x] {cough: present}",
        "☐ {fever: negated} ☑ {cough: present}",
        "{Fever: negated}: No  {Cough: present}: Yes",
        "{Fever: negated}? no",
        "{Nausea: present}: positive",
        "+{SOB: present}, -{CP: negated}",
        "(+) {cough: present} (-) {fever: negated}",
        "{cough: present} (+), {fever: negated} (-)",
        "- {fever: present}\n- {cough: present}",
        "{Jaundice: negated}: denies",
        "{Dysuria: negated} [ ] yes [x] no",
        "{Lungs: present}: no wheezes",
    ],
    "mixed": [
        "She reports {fatigue: present}, {joint pain: present}, and {poor sleep: present}.",
        "Exam: {pallor: present}; no {icterus: negated}.",
        "{Hypertension: present}: not controlled, add a second drug.",
        "ROS negative for {fever: negated}, {rash: negated}, otherwise as above.",
        "All other systems negative. {Knee pain: present} since a fall.",
        "Chest x-ray without {infiltrate: negated}, {effusion: negated}, or {pneumothorax: negated}.",
        "He is not short of breath and has no {cough: negated}.",
        "{Tobacco use: present}, trying to quit.",
        "She quit smoking; {COPD: present} stable.",
        "Will treat as {sinusitis: present}.",
        "{Hypokalemia: present}, replaced.",
        "Given {chest pain: present} and {dyspnea: present}, will admit.",
        "Evaluate {chest pain: present} with a stress test.",
        "{UTI: present}, start nitrofurantoin.",
        "Follow-up of {hypothyroidism: present}.",
        "Follow up for {gout: present} in two weeks.",
        "{Anemia: present} due to {iron deficiency: present}.",
        "Chronic {low back pain: present}, worse with sitting.",
        "{Diabetes: present} complicated by {neuropathy: present}.",
        "Patient has {hypertension: present}, {hyperlipidemia: present}, but no {diabetes: negated}.",
        "Ruled out for {MI: negated}.",
        "{MI: negated} ruled out.",
        "{Meningitis: uncertain} less likely.",
        "{Pneumonia: uncertain} appears likely.",
        "Impression: likely {viral URI: uncertain}.",
        "{Fever: present} of unclear cause, ?{drug reaction: uncertain}",
        "Treated empirically for possible {UTI: uncertain}.",
        "No focal {weakness: negated}, {numbness: negated} or {tingling: negated} in the legs.",
        "Return to clinic if not improving. {Sinusitis: present} should clear in a week.",
        "{Wound infection: negated} not present.",
        "She had {COVID: historical} in 2021.",
        "{Chickenpox: historical} in childhood.",
        "Past history of {kidney stones: historical}.",
        "{Seizures: present}, last one two days ago.",
        "Allergic to penicillin. {Rash: present} on the arms today.",
        "Denies personal or family history of {breast cancer: negated}.",
        "Grandmother had {stroke: family}, grandfather {lung cancer: family}.",
        "Sister and mother both with {migraine: family}.",
        "Boyfriend treated for {chlamydia: other}.",
        "Contact with a person with {measles: other}.",
        "The patient's husband noticed {jaundice: present}.",
        "Teacher reports {inattention: present} in class.",
        "Her mother has {dementia: family} and she is under {stress: present}.",
        "Consider {Addison disease: uncertain}.",
        "Low concern for {DVT: uncertain}.",
        "Tests to exclude {celiac disease: uncertain}.",
        "{Lesion: present} concerning for {malignancy: uncertain}.",
        "Suspicion of {abuse: uncertain} was raised.",
        "Avoid ibuprofen, which may worsen {kidney disease: hypothetical}.",
        "Counseled on the risk of {hypoglycemia: hypothetical}.",
        "Educated about signs of {stroke: hypothetical}.",
        "Statin for primary prevention of {heart attack: hypothetical}.",
        "Follow with labs, watching for {anemia: hypothetical}.",
        "In the event of a {seizure: hypothetical}, call 911.",
        "He had {surgery: historical} in 2015.",
        "{Skin cancer: historical} removed in 2018, no recurrence.",
        "{Depression: present}, stable on sertraline.",
        "{Obesity: present} with BMI 34.",
        "Cannot tolerate metformin; {diabetes: present} on insulin.",
        "No surgical history. No {bleeding disorder: negated}.",
        "{Nausea: negated}/{vomiting: negated}: neg",
        "Neg {fever: negated}, pos {cough: present}",
        "no f/c, n/v, {abd pain: negated}",
        "{SOB: negated}: N, {cough: present}: Y",
        "Deferred: {rash: present} exam next visit.",
    ],
    "more of each": [
        "No acute {distress: negated}.",
        "Denies any history of {seizures: negated}.",
        "He has not had any {chest pain: negated} since the stent.",
        "Not currently experiencing {nausea: negated}.",
        "She is afebrile, with no {rigors: negated} reported.",
        "Neurologic: No {aphasia: negated}. No {ataxia: negated}.",
        "{Carotid bruits: negated} absent bilaterally.",
        "No known {coronary disease: negated}.",
        "CXR: clear, no {consolidation: negated}",
        "Without overt {bleeding: negated}",
        "{Pneumothorax: negated} is no longer seen.",
        "Echo rules out {endocarditis: negated}.",
        "There are no complaints of {dysphagia: negated} or {odynophagia: negated}.",
        "No personal history of {melanoma: negated}.",
        "Never diagnosed with {asthma: negated}.",
        "Resolution of {pneumonia: historical} on the film.",
        "{Rash: historical} cleared up last week.",
        "{Mono: historical} at age 16.",
        "Treated for {Lyme disease: historical} in 2016.",
        "{Kidney stone: historical} passed two years ago.",
        "{Colon cancer: historical}, resected 2010, no evidence of recurrence.",
        "Prostate cancer survivor, {prostate cancer: historical} treated with radiation 2012.",
        "{Hepatitis C: historical}, cured with sofosbuvir.",
        "In remission from {lymphoma: historical} since 2015.",
        "{Tobacco use: historical}, quit 2005.",
        "Possible early {dementia: uncertain} versus {depression: uncertain}.",
        "{Edema: present} suspicious for {DVT: uncertain}.",
        "{Chest pain: present}, atypical, doubt {ACS: uncertain}.",
        "Unable to exclude {TIA: uncertain}.",
        "It is unclear whether she has {bipolar disorder: uncertain}.",
        "?{PE: uncertain} vs ?{pneumonia: uncertain}",
        "Suspicious {lesion: present} on the back.",
        "{Syncope: present}, suspect {vasovagal: uncertain} etiology.",
        "{Hematuria: present} - r/o {stone: uncertain}",
        "Imaging ordered to look for {abscess: uncertain}.",
        "{Thyroid nodule: present}, indeterminate, FNA to exclude {malignancy: uncertain}.",
        "Assess for {osteomyelitis: uncertain}.",
        "Presumably {viral: uncertain}.",
        "Likely represents a {cyst: uncertain}.",
        "Symptoms seem to be {allergic rhinitis: uncertain}.",
        "{Migraine: present} with aura, no {weakness: negated}.",
        "Patient should return if {chest pain: hypothetical}, {dyspnea: hypothetical}, or {syncope: hypothetical}.",
        "Seek immediate care for {vision loss: hypothetical}.",
        "Please call with any {bleeding: hypothetical}.",
        "Advised to go to the ED if {suicidal thoughts: hypothetical} occur.",
        "Discussed the risks of surgery, including {infection: hypothetical}, {nerve damage: hypothetical}, and {death: hypothetical}.",
        "The risks of {bleeding: hypothetical} were discussed.",
        "Possible side effects such as {rash: hypothetical} reviewed.",
        "Lorazepam prn {anxiety: hypothetical}.",
        "Zofran 4 mg q8h prn for {nausea: hypothetical}.",
        "Take with food to avoid {stomach upset: hypothetical}.",
        "Routine {breast cancer: hypothetical} screening mammogram.",
        "Depression screening today. {Depression: present} is stable.",
        "Patient is at increased risk of {osteoporosis: hypothetical} because of steroids.",
        "ASCVD risk 12 percent; {hyperlipidemia: present} on statin.",
        "Return in 3 months for {diabetes: present} follow up.",
        "Follow up sooner if {symptoms: hypothetical} worsen.",
        "Call if {headache: present} persists.",
        "If {rash: present} does not resolve, biopsy.",
        "Dad has {hypertension: family} and {diabetes: family}.",
        "Mother: {breast cancer: family}. Father: {CAD: family}.",
        "{Breast cancer: family} (mother), {stroke: family} (grandfather)",
        "Positive family history for {aneurysm: family}.",
        "Has a brother with {schizophrenia: family}.",
        "Strong family hx {colon polyps: family}.",
        "Two aunts with {ovarian cancer: family}.",
        "Her children have {asthma: family}.",
        "Her husband says she has {sleep apnea: present} spells.",
        "Spouse has {herpes: other}.",
        "His girlfriend has {gonorrhea: other}.",
        "Roommate has {mono: other}.",
        "Recent exposure to {COVID: other}.",
        "Received a kidney from a donor with {CMV: other}.",
        "Patient's mother states that patient has {fever: present}.",
        "Mother had {preeclampsia: family} during the pregnancy with the patient.",
        "Lives with wife who has {dementia: other}.",
        "{Headache: negated}: [ ]  {Nausea: present}: [x]",
        "( ) {fever: negated} (x) {chills: present}",
        "{Chest pain: negated}: denies, {cough: present}: yes",
        "{Fever: negated}/{chills: negated}: no",
        "Neg: {fever: negated}, {chills: negated}. Pos: {cough: present}.",
        "-{fever: negated}, -{chills: negated}, +{cough: present}",
        "No {fever: negated}. +{cough: present}. No {rash: negated}.",
        "{Cough: present} x 3 days, -{fever: negated}",
        "Has {diabetes: present}; no {retinopathy: negated}; {neuropathy: present} present.",
        "Type 2 {diabetes: present}, no complications, on metformin.",
        "No relief of {pain: present} with tylenol.",
        "No new {lesions: negated}.",
        "Denies worsening of {back pain: present}.",
        "Not bothered by {tinnitus: present}.",
        "{Asthma: present}, no recent exacerbations.",
        "Nothing makes the {pain: present} better.",
        "No further {vomiting: negated} today.",
        "{Pain: present} is not severe.",
        "Cannot walk due to {knee pain: present}.",
        "Not eating well since the {stroke: present}.",
        "Lab: no growth. {UTI: present} treated.",
        "{Anemia: present}: no transfusion needed.",
        "{Hyperlipidemia: present} - not on statin.",
        "{Obesity: present}, no interest in surgery.",
        "Absent {reflexes: negated} at the ankles.",
        "She came in because her {cough: present} has not gone away.",
        "Patient has a known history of {COPD: present} and uses oxygen.",
        "Longstanding history of {hypertension: present}, currently on losartan.",
        "Past medical history includes {asthma: present}, using albuterol.",
        "Recurrent {UTIs: present}.",
        "{MI: historical} 2012 s/p stent.",
        "Old {infarct: historical} on MRI.",
        "s/p {cholecystectomy: historical} 2001",
        "{Knee pain: present} s/p arthroscopy.",
    ],
    "what presupposes a finding": [
        "I believe this is a flare of her {psoriasis: present}.",
        "It sounds like his {insomnia: present} is better.",
        "The most likely cause of the {neck pain: present} is {muscle strain: uncertain}.",
        "Seen for evaluation of {wrist pain: present}.",
        "If she continues to have {cramps: present}, check the potassium.",
        "Heat did not relieve the {stiffness: present}.",
        "{Cramps: present} more often in the past few weeks.",
        "Films to evaluate the {deformity: present}.",
    ],
    "reported by users of other readers": [
        "{3 pillow orthopnea: present}, no {PND: negated}.",
        "she denies {chest pain: negated}, {orthopnea: negated} or {PND: negated}",
        "{Cough: uncertain} possible, {fever: present}",
        "The result does not allow us to exclude {ischemia: uncertain}.",
        "is negative for {stroke: negated}/{CVA: negated}",
        "{Fever: present}; however, {cough: present}.",
    ],
}
CASES = [(topic, text) for topic, texts in SENTENCES.items() for text in texts]


@pytest.mark.parametrize(("topic", "example"), CASES, ids=[f"{a}: {b[:50]}" for a, b in CASES])
def test_a_sentence_is_asserted_as_marked(topic: str, example: str) -> None:
    text, marks = parse_marked(example)
    layout = plain_layout(text)
    for (start, end, wanted), answer in zip(
        marks, assert_spans(text, layout, [Span(a, b) for a, b, _ in marks]), strict=True
    ):
        found = {answer.presence, answer.temporality, answer.experiencer}
        assert set(wanted) <= found, (text[start:end], answer)
        if wanted == ("present",):
            assert found == {"present", "current", "patient"}, (text[start:end], answer)


def note(parts: list[tuple[str, str, list[str]]]) -> tuple[str, Layout]:
    """A note of (category, heading, lines) as a reader of sections gives it: no bullets in sentences."""
    text, sections, sentences = "", [], []
    for number, (category, heading, lines) in enumerate(parts):
        start = len(text)
        text += heading + "\n"
        body = len(text)
        for line in lines:
            lead = len(line) - len(line.lstrip("-* "))
            sentences.append(Sentence(len(text) + lead, len(text) + len(line), number))
            text += line + "\n"
        sections.append(Section(category, heading, start, len(text), body))
    return text, Layout(tuple(sections), tuple(sentences))


def of(text: str, layout: Layout, words: str):
    start = text.index(words)
    return assert_spans(text, layout, [Span(start, start + len(words))])[0]


def test_a_section_decides_whose_and_when() -> None:
    text, layout = note(
        [
            ("family_history", "Family History", ["stroke, glaucoma", "Negative for melanoma"]),
            (
                "past_medical_history",
                "Past Medical History",
                ["hypertension", "gallstones", "gout on allopurinol"],
            ),
            ("past_surgical_history", "Surgical History", ["tonsillectomy"]),
            ("allergies", "Allergies", ["penicillin (hives)"]),
            ("assessment", "Assessment", ["bronchitis"]),
        ]
    )
    assert of(text, layout, "glaucoma").experiencer == "family"
    assert (of(text, layout, "melanoma").presence, of(text, layout, "melanoma").experiencer) == (
        "negated",
        "family",
    )
    assert of(text, layout, "hypertension").temporality == "current"
    assert of(text, layout, "gallstones").temporality == "historical"
    assert of(text, layout, "gout").temporality == "current"
    assert of(text, layout, "tonsillectomy").temporality == "historical"
    assert of(text, layout, "hives").temporality == "historical"
    assert of(text, layout, "bronchitis") == assert_sentence("bronchitis", 0, 10)


def test_a_lead_governs_the_items_below_it_and_no_more() -> None:
    text, layout = note(
        [
            (
                "review_of_systems",
                "ROS",
                ["Patient denies:", "- fever", "- cough", "Reports: fatigue", "- anorexia"],
            )
        ]
    )
    assert of(text, layout, "fever").presence == "negated"
    assert of(text, layout, "cough").presence == "negated"
    assert of(text, layout, "fatigue").presence == "present"
    assert of(text, layout, "anorexia").presence == "present"


def test_a_heading_with_a_cue_governs_its_items() -> None:
    text, layout = note(
        [
            ("instructions", "Return precautions", ["- fever", "- calf pain"]),
            ("past_medical_history", "Inactive problems", ["- kidney stones"]),
            ("past_medical_history", "Active problems", ["- plantar fasciitis"]),
        ]
    )
    assert of(text, layout, "calf pain").presence == "hypothetical"
    assert of(text, layout, "kidney stones").temporality == "historical"
    assert of(text, layout, "plantar fasciitis").temporality == "current"


def test_cues_are_the_words_of_the_note() -> None:
    text = "Family Hx: none. She denies chest pain."
    start = text.index("chest")
    answer = assert_sentence(text, start, start + 10, Layout(sentences=(Sentence(0, 16), Sentence(17, len(text)))))
    assert [(c.text, c.role) for c in answer.cues] == [("denies", "negation")]
    assert all(text[c.start : c.end] == c.text for c in answer.cues)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        " ",
        "?",
        "No",
        "fever:",
        "[ ]",
        "…",
        "no no no",
        "a" * 5000,
        "\n\n-",
        "if",
        "s/p",
        "\U0001f600 no fever",
    ],
)
def test_any_text_and_any_span_is_answered(text: str) -> None:
    for start in range(0, min(len(text), 12)):
        for end in (start + 1, len(text)):
            layouts = (
                Layout(),
                Layout(sentences=(Sentence(0, len(text)),)),
                Layout(sentences=(Sentence(0, 1),)),
            )
            for layout in layouts:
                answer = assert_spans(text, layout, [Span(start, end)])[0]
                assert all(text[c.start : c.end] == c.text for c in answer.cues)


def test_overlapping_and_repeated_spans_each_get_their_answer_in_order() -> None:
    text = "No chest pain but cough."
    layout = Layout(sentences=(Sentence(0, len(text)),))
    spans = [Span(18, 23), Span(3, 13), Span(9, 13), Span(3, 13)]
    assert [a.presence for a in assert_spans(text, layout, spans)] == [
        "present",
        "negated",
        "negated",
        "negated",
    ]


def test_a_very_long_sentence_takes_time_in_proportion_to_its_length() -> None:
    import time

    def seconds(times: int) -> float:
        text = "no fever, cough, rash, and " * times
        layout = Layout(sentences=(Sentence(0, len(text)),))
        spans = [Span(i, i + 5) for i in range(3, len(text) - 27, 27)]
        begin = time.perf_counter()
        assert_spans(text, layout, spans)
        return time.perf_counter() - begin

    seconds(20)
    assert min(seconds(800) for _ in range(3)) < 12 * min(seconds(200) for _ in range(3))


def test_the_tokenizer_keeps_the_text_and_the_shorthand() -> None:
    for text in ("a  b \n c ", " s/p", "", "x\u00a0y", "T2DM\t\tw/o"):
        assert language()(text).text == text
    words = [t.text for t in language()("w/o SOB s/p CABG h/o MI r/o PE ?CHF +fever [ ] cough [x] T2DM 3a")]
    assert {"w/o", "s/p", "h/o", "r/o", "?", "+", "[ ]", "[x]", "T2DM", "3a"} <= set(words)
    assert tokens("no pain") == [(0, 2), (3, 7)]


def test_a_model_that_is_not_installed_is_a_clear_error() -> None:
    with pytest.raises(ValueError, match=r"en_no_such_model.*not installed"):
        ner("en_no_such_model")


def test_nothing_heavy_is_imported_and_nothing_is_logged() -> None:
    code = (
        "import sys\n"
        "from pipeline.assertions import assert_sentence\n"
        "assert assert_sentence('No chest pain.', 3, 13).presence == 'negated'\n"
        "heavy = {'loguru', 'PyRuSH', 'quickumls', 'nltk', 'medspacy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_medspacy_can_be_imported_before_and_after() -> None:
    use = "from pipeline.assertions import assert_sentence; assert assert_sentence('No pain.', 3, 7).presence == 'negated'\n"
    load = "import medspacy; medspacy.load(medspacy_enable=['medspacy_context'])\n"
    for code in (use + load, load + use):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_text_without_layout_is_parted_by_lines_and_full_stops() -> None:
    text = "No fever. Cough for 2.5 days\nRash? "
    assert [text[s.start : s.end] for s in plain_layout(text).sentences] == [
        "No fever.",
        "Cough for 2.5 days",
        "Rash?",
    ]
    assert plain_layout("").sentences == ()
    assert plain_layout("\n \n").sentences == ()
    assert assert_sentence(text, 10, 15).presence == "present"
