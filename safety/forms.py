"""Every form of the study, in the order of the protocol."""

from dosing.committee import SrcReview
from dosing.models import (
    Apheresis,
    Bridging,
    ChainOfIdentity,
    DoseAllocation,
    Infusion,
    Lymphodepletion,
    Manufacturing,
)
from safety.models import AdverseEvent, AdverseEventGrade, DltAssessment, ProtocolDeviation
from subjects.crf import CRF, StudyForm
from subjects.models import (
    Contraception,
    Death,
    Demographics,
    DiseaseHistory,
    Eligibility,
    EndOfStudy,
    InformedConsent,
    MedicalHistory,
    PregnancyTest,
    PriorTherapy,
    PriorTransplant,
    SubsequentTherapy,
    SurvivalEstimate,
    ViralSerology,
)
from visits.models import (
    BoneMarrow,
    Cd19Flow,
    Chemistry,
    Coagulation,
    ConMeds,
    CrsAssessment,
    Csf,
    Ecg,
    Echo,
    Ecog,
    Haematology,
    IcansAssessment,
    PdBcell,
    PdCytokine,
    PkSample,
    Pulmonary,
    Response,
    SurvivalLtfu,
    Transfusion,
    Urinalysis,
    Visit,
    VitalSigns,
)

FORMS: tuple[type[CRF], ...] = (
    InformedConsent,
    Demographics,
    DiseaseHistory,
    PriorTransplant,
    PriorTherapy,
    MedicalHistory,
    Visit,
    VitalSigns,
    Ecog,
    Haematology,
    Chemistry,
    Coagulation,
    Urinalysis,
    ViralSerology,
    Echo,
    Ecg,
    Pulmonary,
    PregnancyTest,
    Contraception,
    Cd19Flow,
    BoneMarrow,
    Csf,
    SurvivalEstimate,
    Eligibility,
    Apheresis,
    Manufacturing,
    ChainOfIdentity,
    Bridging,
    Lymphodepletion,
    DoseAllocation,
    Infusion,
    CrsAssessment,
    IcansAssessment,
    PkSample,
    PdCytokine,
    PdBcell,
    Response,
    DltAssessment,
    AdverseEvent,
    AdverseEventGrade,
    ConMeds,
    Transfusion,
    SubsequentTherapy,
    SurvivalLtfu,
    ProtocolDeviation,
    EndOfStudy,
    Death,
)
STUDY_FORMS: tuple[type[StudyForm], ...] = (SrcReview,)
"""Forms of the study itself, about no single subject."""
FORM: dict[str, type[CRF]] = {form.form: form for form in FORMS}
STUDY_FORM: dict[str, type[StudyForm]] = {form.form: form for form in STUDY_FORMS}
ANY_FORM: dict[str, type[CRF] | type[StudyForm]] = {**FORM, **STUDY_FORM}


def order(form: type[CRF]) -> int:
    """A form's place in the order of the protocol."""
    return FORMS.index(form)
