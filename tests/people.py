"""A subject who was enrolled, treated and followed as the protocol asks, to change one fact of."""

from collections.abc import Callable
from copy import copy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from dosing.models import Apheresis, DoseAllocation, Infusion, Lymphodepletion, Manufacturing
from safety.adverse_events import AdverseEvent
from safety.engine import find
from safety.rules import RULES
from subjects.models import (
    Contraception,
    Demographics,
    DiseaseHistory,
    Eligibility,
    InformedConsent,
    MedicalHistory,
    PregnancyTest,
    PriorTherapy,
    SurvivalEstimate,
    ViralSerology,
)
from tests.books import at, book, signature
from tests.followed import followed
from trial.protocol import V1, Protocol
from trial.rules import Finding
from visits.models import (
    BoneMarrow,
    Cd19Flow,
    Chemistry,
    ConMeds,
    Echo,
    Ecog,
    Haematology,
    Pulmonary,
    Visit,
)
from visits.schedule import SCHEDULE

D = Decimal
NOW = datetime(2026, 3, 20, 4, 0, tzinfo=UTC)
ENROLLED, LD_START, INFUSED = date(2026, 2, 12), date(2026, 3, 11), date(2026, 3, 16)
READY: dict[str, Any] = {"status": "COMPLETE"}


class Subject(dict[str, Any]):
    """A subject's forms by a short name, so that a row can say which fact it changes."""

    def findings(self, now: datetime = NOW, protocol: Protocol = V1) -> dict[tuple[str, str], Finding]:
        """Everything found, by rule id and key."""
        forms = [form for form in self.values() if form is not None]
        return {key: finding for key, (_, finding) in find(book(*forms, now=now), protocol).items()}

    def of(self, rule: str, now: datetime = NOW, protocol: Protocol = V1) -> dict[str, Finding]:
        """What one rule finds, by key."""
        forms = [form for form in self.values() if form is not None]
        told = find(book(*forms, now=now), protocol, [RULES[rule]])
        return {key: finding for (_, key), (_, finding) in told.items()}

    def says(self, rule: str, now: datetime = NOW) -> bool | None:
        """What one rule says: None where it is kept, else whether all that it finds is pending."""
        found = self.of(rule, now).values()
        return all(one.pending for one in found) if found else None

    def judged(self, now: datetime = NOW) -> dict[str, bool]:
        """Rule id → whether it is only pending."""
        verdicts: dict[str, bool] = {}
        for (rule, _), finding in self.findings(now).items():
            verdicts[rule] = finding.pending and verdicts.get(rule, True)
        return verdicts


def clean() -> Subject:
    """A man of 45, infused on 16 March 2026 at DL1, with everything as the protocol asks. Each test has its own copy."""
    return Subject({name: copy(form) for name, form in _clean().items()})


@cache
def _clean() -> Subject:
    subject = Subject({**_screening(), **_treatment()})
    for name, milestone, day in (
        ("eligibility", "SCREENING", "2026-02-12"),
        ("before_apheresis", "PRE_APHERESIS", "2026-02-15"),
        ("before_ld", "PRE_LD", "2026-03-10"),
        ("before_infusion", "PRE_INFUSION", "2026-03-16"),
    ):
        checklist = Eligibility(
            milestone=milestone, assessed_date=date.fromisoformat(day), overall="ELIGIBLE", **READY
        )
        subject[name] = checklist
        subject[f"{name}_signed"] = signature(checklist, "ELIGIBILITY", "investigator", day)
    return followed(Subject({**subject, **_rechecks(), **_visits()}))


def _screening() -> dict[str, Any]:
    """What makes the subject eligible, on 10 February."""
    scr = {**READY, "visit": "SCR"}
    day, when = date(2026, 2, 10), at("2026-02-10")
    negative = ("hbsag", "hbeag", "hbeab", "hbcab", "hcv_ab", "tp_ab", "hiv_ab", "sars_cov_2")
    undetected = ("hbv_dna_result", "ebv_dna_result", "cmv_dna_result")
    return {
        "consent": InformedConsent(
            consent_type="INITIAL",
            consent_dt=at("2026-02-09"),
            icf_version="1.0",
            signed_by_subject=True,
            **READY,
        ),
        "demographics": Demographics(birth_date="1980-05-01", sex="M", male_fertile="YES", **scr),
        "disease": DiseaseHistory(
            relapse_after_first_remission="YES",
            primary_refractory="NO",
            prior_allo_sct="NO",
            ph_status="NEGATIVE",
            number_of_relapses=1,
            relapse_type="BM_ISOLATED",
            cns_status="CNS1",
            **scr,
        ),
        "therapy": PriorTherapy(
            category="CHEMO",
            line_no=1,
            start_date="2024-01",
            ongoing=False,
            end_date="2024-06",
            investigational=False,
            **READY,
        ),
        "history": MedicalHistory(category="OTHER", ongoing=False, **READY),
        "drug": ConMeds(
            drug_class="ANTIBIOTIC", start_dt="2026-02-01", ongoing=False, end_dt="2026-02-05", **READY
        ),
        "ecog": Ecog(ecog_date=day, ecog=1, **scr),
        "marrow": BoneMarrow(bm_dt=when, blast_pct_morph=D(40), aspirate_adequate=True, **scr),
        "cd19": Cd19Flow(
            sample_date=day,
            specimen="BONE_MARROW",
            method="FLOW_CYTOMETRY",
            cd19_result="POSITIVE",
            cd19_pct_blasts=D(95),
            **scr,
        ),
        "echo": Echo(echo_date=day, method="ECHOCARDIOGRAM", lvef_pct=D(62), **scr),
        "chemistry": chemistry("2026-02-10", visit="SCR"),
        "haematology": Haematology(lb_dt=when, wbc_value=D(4), **scr),
        "lungs": lungs("2026-02-10", visit="SCR"),
        "serology": ViralSerology(
            lb_date=day,
            **dict.fromkeys(negative, "NEGATIVE"),
            **dict.fromkeys(undetected, "NOT_DETECTED"),
            **scr,
        ),
        "contraception": Contraception(agrees="YES", method=["CONDOM+SPERMICIDE"], **scr),
        "judgement": SurvivalEstimate(
            est_survival_gt_3m="YES",
            vascular_access_ok="YES",
            tcell_expansion_qualified="PENDING",
            uncontrolled_infection="NO",
            other_unsuitable="NO",
            planned_immunosuppression="NO",
            **scr,
        ),
    }


def chemistry(day: str, time: str = "08:00", **facts: Any) -> Chemistry:
    """Liver and kidney as they should be, some results apart."""
    usual = {
        "creatinine_value": D(80),
        "alt_value": D(30),
        "alt_uln": D(40),
        "ast_value": D(25),
        "ast_uln": D(35),
        "tbil_value": D(12),
    }
    return Chemistry(lb_dt=at(day, time), **{**usual, **READY, **facts})


def lungs(day: str, time: str = "08:00", **facts: Any) -> Pulmonary:
    """Breathing well on room air, some answers apart."""
    usual = {"dyspnea_grade": 0, "spo2_pct": D(98), "room_air": True}
    return Pulmonary(assess_dt=at(day, time), **{**usual, **READY, **facts})


def pregnancy_test(day: str, **facts: Any) -> PregnancyTest:
    """Negative and not lactating, some answers apart."""
    usual = {"pt_date": date.fromisoformat(day), "result": "NEGATIVE", "lactating": "NO"}
    return PregnancyTest(**{**usual, **READY, **facts})


def _rechecks() -> dict[str, Any]:
    """What is measured again before lymphodepletion and before the infusion."""
    ld, day0 = {"visit": "LD-5"}, {"visit": "D0"}
    return {
        "echo_ld": Echo(echo_date=date(2026, 3, 10), method="ECHOCARDIOGRAM", lvef_pct=D(60), **ld, **READY),
        "chemistry_ld": chemistry("2026-03-10", **ld),
        "lungs_ld": lungs("2026-03-10", **ld),
        "chemistry_d0": chemistry("2026-03-16", **day0),
        "lungs_d0": lungs("2026-03-16", **day0),
    }


def _treatment() -> dict[str, Any]:
    batch = Manufacturing(batch_no="B1", release_decision="RELEASED", expiry_date=date(2026, 9, 1))
    given: dict[str, Any] = {
        "apheresis": Apheresis(aph_start_dt=at("2026-02-16")),
        "batch": batch,
        "level": DoseAllocation(level="DL1", planned_per_kg=D(1_000_000)),
        "infusion": Infusion(
            inf_start_dt=at("2026-03-16"),
            inf_end_dt=at("2026-03-16", "10:20"),
            batch_id=batch.pk,
            actual_per_kg=D(1_000_000),
            bedside_id_check=True,
            verified_by_1_id=1,
            verified_by_2_id=2,
            thaw_to_inf_min=10,
            duration_min=20,
            premed_given=True,
            premed=["PARACETAMOL", "DIPHENHYDRAMINE"],
        ),
        "event": AdverseEvent(
            serious=True, sae_aware_dt=at("2026-03-18"), sae_report_dt=at("2026-03-19", "09:59")
        ),
    }
    for day, drug in ((d, g) for d in (-5, -4, -3) for g in ("FLUDARABINE", "CYCLOPHOSPHAMIDE")):
        given[f"{drug[:3].lower()}{day}"] = Lymphodepletion(
            drug=drug,
            planned_day=day,
            admin_dt=at("2026-03-16") + timedelta(days=day),
            planned_mg=D("54.6"),
            actual_mg=D("54.6"),
        )
    return given


def _visits() -> dict[str, Any]:
    """Screening on 10 February, apheresis on the 16th, and every day from Day -5 to Day 3."""
    days = {"SCR": date(2026, 2, 10), "APH": date(2026, 2, 16)}
    days |= {f"LD{n}": INFUSED + timedelta(days=n) for n in (-5, -4, -3)}
    days |= {f"D{n}": INFUSED + timedelta(days=n) for n in range(-2, 4)}
    known = [visit.code for visit in SCHEDULE if visit.code in days]
    return {code: Visit(visit=code, actual_date=days[code]) for code in known}


Change = Callable[[Subject], Any]


def put(name: str, **facts: Any) -> Change:
    """Change facts of one form."""

    def change(subject: Subject) -> None:
        for fact, value in facts.items():
            setattr(subject[name], fact, value)

    return change


def without(*names: str) -> Change:
    """Take forms away."""
    return lambda subject: [subject.pop(name) for name in names]


def also(*forms: Any) -> Change:
    """Add forms."""
    return lambda subject: subject.update({f"added {n} {form.pk}": form for n, form in enumerate(forms)})


def both(*changes: Change) -> Change:
    """Make several changes."""
    return lambda subject: [change(subject) for change in changes]


def changed(*changes: Change) -> Subject:
    """The clean subject with these changes."""
    subject = clean()
    for change in changes:
        change(subject)
    return subject


BROKEN, PENDING, HELD = "broken", "pending", "held"


def verdict(rule: str, subject: Subject, now: datetime = NOW) -> str:
    """What one rule says of a subject. Whatever it finds must be complete: place, value, limit, both languages."""
    found = subject.of(rule, now)
    for key, finding in found.items():
        assert key and finding.form and finding.field and finding.limit and finding.facts, (rule, finding)
        assert finding.en and finding.zh and finding.en != finding.zh, (rule, finding)
        stand = {getattr(form, "pk", None) for form in subject.values()}
        assert finding.record is None or finding.record in stand, (rule, finding)
    if not found:
        return HELD
    return PENDING if all(finding.pending for finding in found.values()) else BROKEN
