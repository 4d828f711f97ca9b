"""Diseases that stay, events that pass, and words that tell whether something is still treated.

ConText can't tell "history of hypertension" (current: OCG FY2026 section IV.I, chronic diseases are coded as often as
they are treated) from "history of pneumonia" (over: section I.C.21.c.4). These patterns can. They are read on the words
of the finding, or on the few words that follow it.
"""

from __future__ import annotations

import re


def _any(patterns: str) -> re.Pattern[str]:
    """One pattern per line; blank lines and lines with # don't count."""
    lines = (line.strip() for line in patterns.splitlines())
    return re.compile(r"\b(?:" + "|".join(x for x in lines if x and not x.startswith("#")) + r")\b", re.IGNORECASE)


# Don't go away, with or without treatment.
CHRONIC = _any(r"""
    hypertension|htn|high blood pressure|pulmonary hypertension
    diabet\w*|t[12]?dm|dm ?[12]?|dm ?ii?|niddm|iddm|neuropathy|retinopathy|nephropathy
    copd|emphysema|asthma|sarcoidosis|cystic fibrosis|(?:obstructive )?sleep apnea|osa
    (?:coronary )?(?:artery|heart) disease|cad|chd|ihd|(?:congestive )?heart failure|chf|hf[pr]ef|cardiomyopathy
    atrial fib\w*|a-?fib|(?:peripheral )?vascular disease|pad|pvd
    hyperlipid\w*|hypercholest\w*|dyslipid\w*|hld|obesity
    ckd|esrd|(?:end[- ]stage )?(?:renal|kidney) disease
    hiv\w*|aids|cirrhosis|hepatitis [bc]
    multiple sclerosis|parkinson\w*|alzheimer\w*|dementia|epilepsy|seizure disorder|migraines?|myasthenia\w*
    hypothyroid\w*|hyperthyroid\w*|graves\w*|hashimoto\w*
    rheumatoid arthritis|osteoarthritis|arthritis|lupus|sle|gout|osteoporosis|fibromyalgia
    crohn\w*|ulcerative colitis|ibd|ibs|celiac\w*|gerd|reflux(?: disease)?
    psoria\w*|eczema|vitiligo|alopecia|glaucoma|macular degeneration|bph
    bipolar\w*|schizo\w*|depress\w*|anxiety|ptsd|adhd|autis\w+
    sickle cell|hemophilia|von willebrand\w*|thalassemia|down syndrome|cerebral palsy|spina bifida
    chronic\b.*
""")

# From birth or childhood to the end of life: current even where only a history of them is named.
LIFELONG = _any(r"""
    sickle cell|cystic fibrosis|down syndrome|haemophilia|hemophilia|von willebrand|thalassemia
    cerebral palsy|autis\w+|spina bifida|trisomy|congenital
    (?:type (?:1|i)|t1) ?(?:dm|diabetes)\w*
""")

# Pass, though their name holds a chronic disease's.
EVENT = _any(r"gestational|acute|pneumonia|infarct\w*|stroke|exacerbation|flare|crisis|attack|ketoacidosis|dka")

CANCER = _any(r"""
    cancers?|ca|carcinomas?|adenocarcinomas?|lymphomas?|leukemias?|melanomas?|sarcomas?|myelomas?|seminomas?|gliomas?
    malignan\w+|tumou?rs?|neoplasms?|[a-z]+blastomas?
""")

# Said of a chronic disease that is still there.
TREATED = _any(r"""
    on|takes|taking|uses|using|managed|controlled|treated with|followed by|follows|continues?|medicated
    current|currently|now|uncontrolled|stable|active|(?<!as )well(?! as)|poorly|maintained|ongoing
    requiring|requires|monitoring|monitored|refills?|a1c|mg|units|inhalers?|cpap|oxygen
    insulin|warfarin|levothyroxine|hydroxychloroquine
    \w+(?:pril|sartan|olol|statin|formin|gliptin|flozin|glutide|mab|xaban|azole|dipine|trexate|thiazide)
    \w+(?:prazole|tropium|terol|triptan|oxetine|alopram)
""")

# Said of a cancer that is still there or still treated.
UNDER_TREATMENT = _any(r"""
    on|undergoing|receiving|currently|ongoing|cycle|awaiting|scheduled|starting|planned
    metasta\w+|recurren(?:t|ce of)|active|progress\w+|stage i?v|advanced|widespread
""")

# Habits and allergies, which are history also where they are denied (as the ConText test sentences label them).
HABIT = _any(r"""
    alcohol|etoh|tobacco|smok\w+|cigarettes?|drugs?|illicit\w*|substances?|cocaine|heroin|marijuana|cannabis|allerg\w+
""")

# Said when something began rather than when it was.
SINCE = _any(r"since|diagnosed|dx|dx'd|diagnosis|onset|began|started|noticed|first|found|discovered|last")
