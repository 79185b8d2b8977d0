"""DV-16, DV-17, DV-19, DV-20, DV-22, DV-23: what the histories say of the time before consent or screening."""

from collections.abc import Iterator
from dataclasses import replace

from safety.casebook import Casebook
from safety.eligibility.stood import READS, stood
from safety.milestones import enrolment
from safety.rules.criteria import history
from subjects.models import MedicalHistory, PriorTherapy, PriorTransplant
from trial.item import Basis
from trial.protocol import Protocol
from trial.rules import Finding, Severity, rule
from visits.models import ConMeds


@rule(
    "DV-16",
    en="Prior therapy against CD19 or CD3",
    zh="既往接受抗 CD19 或抗 CD3 治疗",
    cites="Registry E-03: any prior anti-CD19/anti-CD3 therapy, or any other antiCD19 therapy",
    basis=Basis.REGISTRY,
    severity=Severity.IMPORTANT,
    category="ELIGIBILITY",
    reads=READS,
)
def no_prior_cd19_therapy(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """No prior therapy of an enrolled subject was directed against CD19 or CD3, however long ago. One finding for
    each therapy; a therapy whose targets are not recorded, or a log that is not complete, is pending."""
    yield from history(book, protocol, "E-03", PriorTherapy)


@rule(
    "DV-17",
    en="Immunosuppressant or steroid within 14 days before consent",
    zh="签署知情同意前 14 天内使用免疫抑制剂或糖皮质激素",
    cites="Registry E-04: immunosuppressants or hormones within 2 weeks before signing informed consent",
    basis=Basis.REGISTRY,
    severity=Severity.IMPORTANT,
    category="ELIGIBILITY",
    reads=READS,
)
def no_immunosuppressant_before_consent(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """An enrolled subject had no immunosuppressant or glucocorticoid on any day from 14 days before consent to the
    day of consent, both included. One finding for each medication; dates that leave it open are pending."""
    reached = enrolment(book)
    if reached is None:
        return
    told = stood(book, protocol, reached)
    yield from history(book, protocol, "E-04", ConMeds, facts=replace(told.valid, planned="NO"))


@rule(
    "DV-19",
    en="Cardiac event that excludes",
    zh="存在排除性心脏事件",
    cites="Registry E-10: cardiac angioplasty or stent implantation within 12 months before signing informed consent, "
    "or myocardial infarction, unstable angina pectoris or other clinically significant heart diseases",
    basis=Basis.REGISTRY,
    severity=Severity.IMPORTANT,
    category="ELIGIBILITY",
    reads=READS,
)
def no_excluding_cardiac_event(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """An enrolled subject had no angioplasty or stent within 12 months before consent, both ends included, and no
    infarction, unstable angina or other significant heart disease at any time. One finding for each illness."""
    yield from history(book, protocol, "E-10", MedicalHistory)


@rule(
    "DV-20",
    en="Live vaccine within 6 weeks before screening",
    zh="筛选前 6 周内接种活疫苗",
    cites="Registry E-13: live vaccine within 6 weeks prior to screening",
    basis=Basis.REGISTRY,
    severity=Severity.IMPORTANT,
    category="ELIGIBILITY",
    reads=READS,
)
def no_live_vaccine_before_screening(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """An enrolled subject had no live vaccine on any day from 42 days before screening to its day, both included.
    Other vaccines never count. One finding for each vaccine; a date that leaves it open is pending."""
    yield from history(book, protocol, "E-13", ConMeds)


@rule(
    "DV-22",
    en="Investigational product within 3 months before consent",
    zh="签署知情同意前 3 个月内使用试验用药品",
    cites="Registry E-17: an investigational medicinal product within 3 months before signing informed consent",
    basis=Basis.REGISTRY,
    severity=Severity.IMPORTANT,
    category="ELIGIBILITY",
    reads=READS,
)
def no_investigational_product_before_consent(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The last day of an investigational product given to an enrolled subject lies more than three calendar months
    before consent; exactly three months before still counts. One finding for each therapy."""
    yield from history(book, protocol, "E-17", PriorTherapy)


@rule(
    "DV-23",
    en="Active GVHD at consent",
    zh="签署知情同意时存在活动性移植物抗宿主病",
    cites="Registry E-16: active acute or chronic graft-versus-host disease (GVHD) before signing informed consent",
    basis=Basis.REGISTRY,
    severity=Severity.IMPORTANT,
    category="ELIGIBILITY",
    reads=READS,
)
def no_active_gvhd_at_consent(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """An enrolled subject who had an allogeneic transplant had no active graft-versus-host disease at consent; not
    knowing it is pending."""
    yield from history(book, protocol, "E-16", PriorTransplant)
