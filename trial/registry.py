"""The registry record NCT04825496 as data, letter for letter: the only text of the protocol that is public.

Its English is not corrected. `tests/test_registry.py` compares it with the record.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Criterion:
    """An eligibility criterion as registered. I-01 to I-11 include, E-01 to E-18 exclude."""

    id: str
    text: str


@dataclass(frozen=True)
class Registration:
    """The facts of the record, named as the record heads them."""

    number: str
    title: str
    sponsor: str
    status: str
    phase: str
    conditions: str
    treatments: tuple[str, ...]
    study_type: str
    funder_types: tuple[str, ...]
    identifiers: tuple[str, ...]
    about: str
    primary_objectives: tuple[str, ...]
    secondary_objectives: tuple[str, ...]
    response_objectives: tuple[str, ...]
    enrolment: int
    sex: str
    ages: str
    volunteers: str
    primary_purpose: str
    allocation: str
    interventional_model: str
    masking: str
    arm: str
    arm_kind: str
    arm_description: str
    arm_treatments: tuple[str, ...]
    locations: int
    contact: str


REGISTRATION = Registration(
    number="NCT04825496",
    title=(
        "Clinical Study of ssCART-19 Cells in Patients With CD19 Positive Relapsed or Refractory Acute "
        "Lymphoblastic Leukemia"
    ),
    sponsor="Shanghai Unicar-Therapy Bio-medicine Technology",
    status="Enrolling",
    phase="Phase 1",
    conditions="Relapsed or Refractory Acute Lymphoblastic Leukemia",
    treatments=("Drug: Fludarabine", "Drug: Cyclophosphamide", "Genetic: ssCART-19 Cells"),
    study_type="Interventional",
    funder_types=("Other", "Industry"),
    identifiers=("NCT04825496", "ssCART-19"),
    about=(
        "This is a single arm, open-label, non-randomized, dose-escalation, phase I study to determine the "
        "safety and efficacy of ssCART-19 in the treatment of patients with CD19 positive relapsed or "
        "refractory acute lymphoblastic leukemia."
    ),
    primary_objectives=(
        "Determine the safety and tolerability of ssCART-19 cells in patients with refractory or relapsed "
        "acute lymphoblastic leukemia.",
    ),
    secondary_objectives=(
        "Observe the anti-tumor response of ssCART-19 cells to refractory or relapsed acute lymphoblastic "
        "leukemia.",
        "To characterize the in vivo cellular pharmacokinetic (PK) profile of ssCART-19 cells.",
        "To characterize the pharmacodynamic (PD) profile of ssCART-19 cells.",
    ),
    response_objectives=(
        "Overall remission rate (ORR) assessment during the 3 months after ssCART-19 administration,ORR "
        "includes CR and CRi",
        "Duration of response (DOR)",
        "Progression-free survival (PFS)",
        "Overall survival (OS)",
    ),
    enrolment=18,
    sex="All",
    ages="18 to 65 years old",
    volunteers="No Healthy Volunteers",
    primary_purpose="Treatment",
    allocation="N/A",
    interventional_model="Single Group Assignment",
    masking="None (Open label)",
    arm="ssCART-19 Cells",
    arm_kind="Experimental group",
    arm_description=(
        "Route of administration: Intravenous injection. Lymphodepletion conditioning: Lymphodepletion "
        "will be conducted several days prior to ssCART-19 cells infusion. A combination of fludarabine "
        "and cyclophosphamide will be used for lymphodepletion."
    ),
    arm_treatments=("Genetic: ssCART-19 Cells", "Drug: Cyclophosphamide", "Drug: Fludarabine"),
    locations=1,
    contact="Liqing Kang, Dr.; Xiaoyan Lou, Dr.",
)

CRITERIA: tuple[Criterion, ...] = (
    Criterion(
        "I-01",
        "Relapsed or refractory acute lymphoblastic leukemia (ALL):(1)Any Relaps after first remission OR "
        "(2)Any BM relapse after allogeneic SCT and must be ≥ 3 months from SCT at the time of ssCART-19 "
        "infusion OR (3)failed to reach CR after 2 cycles of induction chemotherapy regimen OR (4)Patients "
        "with Ph+ ALL are eligible if they are intolerant to or have failed two lines of TKI therapy, or "
        "if TKI therapy is contraindicated",
    ),
    Criterion(
        "I-02",
        "CD19 tumor expression demonstrated in bone marrow or peripheral blood by flow cytometry",
    ),
    Criterion(
        "I-03",
        "Bone marrow with ≥ 5% lymphoblasts by morphologic assessment",
    ),
    Criterion(
        "I-04",
        "Adequate organ function defined as:(1)left ventricular ejection fraction ≥ 50% by "
        "echocardiogram;(2)creatinine ≤ 1.6mg/dl;(3)ALT and AST≤3 times the ULN for age, total bilirubin ≤ "
        "2.0mg/dl;(4)Must have a minimum level of pulmonary reserve defined as ≤ Grade 1 dyspnea and pulse "
        "oxygenation > 91% on room air",
    ),
    Criterion("I-05", "Informed consent is signed by the subject"),
    Criterion("I-06", "Age 18 to 65"),
    Criterion(
        "I-07",
        "Fertility of men, to ensure that sexual partners can effectively contraception; Women with "
        "fertility use effective contraceptive measures and agree to use contraceptive measures throughout "
        "the study period",
    ),
    Criterion("I-08", "Qualified T cell amplification"),
    Criterion("I-09", "Eastern cooperative oncology group (ECOG) performance status of 0 to 1"),
    Criterion("I-10", "Vascular conditions for apheresis"),
    Criterion("I-11", "The estimated survival time is more than 3 months"),
    Criterion("E-01", "Isolated extra-medullary disease relapse"),
    Criterion("E-02", "Combined with other malignant tumors"),
    Criterion(
        "E-03",
        "Has had treatment with any prior anti-CD19/anti-CD3 therapy, or any other antiCD19 therapy",
    ),
    Criterion(
        "E-04",
        "Has had immunosuppressants or hormones within 2 weeks before signing informed consent, or plan to "
        "use immunosuppressants or hormones after signing informed consent",
    ),
    Criterion(
        "E-05",
        "Patients complying with any of hepatitis B surface antigen (HBsAg) and/or hepatitis B e antigen "
        "(HBeAg) positive, hepatitis B e antibody (HBe-Ab) and/or hepatitis B core antibody (HBc-Ab) "
        "positive and HBV-DNA copies being more than the lower limit of detection, hepatitis C antibody "
        "(HCV-Ab) positive, anti-treponemia pallidum antibody (TP-Ab) positive, EBV-DNA, and CMV-DNA "
        "copies being more than the lower limit of detection",
    ),
    Criterion("E-06", "Has uncontrolled bacteria, fungi, viruses, mycoplasma or other types of infections"),
    Criterion("E-07", "Infected with HIV, syphilis or COVID-19"),
    Criterion("E-08", "Has a history of severe immediate hypersensitivity to aminoglycosides"),
    Criterion(
        "E-09",
        "Has past or present CNS diseases, such as epilepsy, cerebrovascular ischemia/hemorrhage, "
        "dementia, cerebellar diseases or any CNS-related autoimmune diseases",
    ),
    Criterion(
        "E-10",
        "Has undergone cardiac angioplasty or stent implantation within 12 months before signing informed "
        "consent, or having a history of myocardial infarction, unstable angina pectoris or other "
        "clinically significant heart diseases",
    ),
    Criterion("E-11", "With primary immunodeficiency"),
    Criterion(
        "E-12",
        "Has had severe immediate hypersensitivity reaction to any drug to be used in this study",
    ),
    Criterion("E-13", "Has had treat with live vaccine within 6 weeks prior to screening"),
    Criterion("E-14", "Pregnant or lactating women"),
    Criterion("E-15", "Has active autoimmune diseases"),
    Criterion(
        "E-16",
        "Has active acute or chronic graft-versus-host disease (GVHD) before signing informed consent",
    ),
    Criterion(
        "E-17",
        "Patient has an investigational medicinal product within 3 months before signing informed consent",
    ),
    Criterion(
        "E-18",
        "Patients with other conditions making the patients unsuitable for receiving cell therapy as "
        "judged by the investigator",
    ),
)

_BY_ID = {one.id: one for one in CRITERIA}


def criterion(id_: str) -> Criterion:
    """The criterion with this id. Raises KeyError when the record has no such criterion."""
    return _BY_ID[id_]
