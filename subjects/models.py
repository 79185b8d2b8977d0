"""Forms about who the subject is, in the order of the study."""

from subjects.attachment import Attachment, AttachmentCopy, AttachmentPart
from subjects.checklist import Eligibility
from subjects.consent import Demographics, InformedConsent
from subjects.crf import CRF, Subject
from subjects.disease import DiseaseHistory
from subjects.disposition import Death, EndOfStudy, SubsequentTherapy
from subjects.history import MedicalHistory, PriorTherapy, PriorTransplant
from subjects.screening import Contraception, PregnancyTest, SurvivalEstimate
from subjects.serology import ViralSerology
from subjects.signature import Signature

__all__ = [
    "CRF",
    "Attachment",
    "AttachmentCopy",
    "AttachmentPart",
    "Contraception",
    "Death",
    "Demographics",
    "DiseaseHistory",
    "Eligibility",
    "EndOfStudy",
    "InformedConsent",
    "MedicalHistory",
    "PregnancyTest",
    "PriorTherapy",
    "PriorTransplant",
    "Signature",
    "Subject",
    "SubsequentTherapy",
    "SurvivalEstimate",
    "ViralSerology",
]
