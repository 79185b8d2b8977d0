"""Upon which answers every derived value rests: those, no other, and the version of each that was read."""

from copy import copy
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from dosing.models import Apheresis, DoseAllocation, Manufacturing
from safety.adverse_events import DltAssessment
from safety.derived.vocabulary import Derived
from subjects.models import (
    Death,
    DiseaseHistory,
    EndOfStudy,
    InformedConsent,
    SubsequentTherapy,
)
from tests.books import at
from tests.test_derived import (
    LD,
    MAN,
    assessment,
    b_cells,
    batch,
    blood,
    consent,
    creatinine,
    crs,
    cytokine,
    dosed,
    drug,
    fludarabine,
    icans,
    infusion,
    marrow,
    sample,
    told,
)
from visits.models import (
    Csf,
    Response,
    SurvivalLtfu,
    Transfusion,
    Visit,
    VitalSigns,
)

D = Decimal
START = "infusion.inf_start_dt=2026-03-16T10:00:00+08:00"
RESIDUAL = {
    "mrd_method": "FLOW",
    "mrd_result": "DETECTED",
    "mrd_sensitivity": D("0.0001"),
    "mrd_level": D("0.00001"),
}
MARROW = """
    bone_marrow.bm_dt=2026-04-13T10:00:00+08:00 bone_marrow.aspirate_adequate=True bone_marrow.blast_pct_morph=2"""
MRD = """
    bone_marrow.mrd_result=DETECTED bone_marrow.mrd_level=0.00001 bone_marrow.mrd_sensitivity=0.0001
    bone_marrow.mrd_method=FLOW"""
CLEARANCE = """
    lymphodepletion.admin_dt=2026-03-11T10:00:00+08:00 lymphodepletion.weight_kg=70
    demographics.birth_date=1995-06-01 demographics.sex=M
    chemistry.lb_dt=2026-03-10T08:00:00+08:00 chemistry.creatinine_value=0.9 chemistry.creatinine_unit=mg/dL"""
TOCILIZUMAB = """
    con_meds.drug_class=TOCILIZUMAB con_meds.start_dt=2026-03-17T07:00+08:00 con_meds.end_dt=2026-03-18
    con_meds.ongoing=False"""
LOOKED_AT = {"circulating_blasts": False, "extramedullary_disease": False}


def toci(**facts: Any) -> Any:
    """Tocilizumab at seven on the first day after the infusion."""
    return drug("TOCILIZUMAB", "2026-03-17T07:00+08:00", end_dt="2026-03-18", **facts)


def evidence(one: Derived) -> list[str]:
    """Its answers in their order."""
    return [f"{i.form}.{i.field}={i.value}" for i in one.inputs]


def looked(day: str, of: Any, **facts: Any) -> Response:
    """An assessment without counts of its own."""
    return assessment(day, of, anc=None, plt=None, **facts)


def of_the_doses() -> dict[str, tuple[list[Any], str]]:
    """Doses: lymphodepletion on 11 March, cells on the 16th."""
    made, weighed = batch(), VitalSigns(vs_dt=at("2026-03-16", "08:00"), weight_kg=D("77.1"))
    parts = [dosed(made), dosed(made, dosing_weight_kg=D(71))]
    parts[1].inf_start_dt = at("2026-03-17")
    conditioned = [fludarabine(), fludarabine(admin_dt=at("2026-03-12"), weight_kg=D(72))]
    toxin = "manufacturing.endotoxin_eu_ml=0.7 manufacturing.volume_ml=100"
    given = f"""
        infusion.volume_infused_ml=100 infusion.dosing_weight_kg=70 infusion.batch={made.pk} infusion.actual_per_kg=977143
        manufacturing.cells_per_ml=2000000 manufacturing.viability_pct=90 manufacturing.cd3_pct=95
        manufacturing.car_pos_pct=40 lymphodepletion.weight_kg=70 vital_signs.weight_kg=77.1"""
    return {
        "bsa": ([fludarabine()], "lymphodepletion.height_cm=170 lymphodepletion.weight_kg=70"),
        "crcl": ([fludarabine(), MAN, creatinine()], CLEARANCE),
        "ld_dose": (
            [fludarabine(), MAN, creatinine()],
            """lymphodepletion.drug=FLUDARABINE lymphodepletion.height_cm=170 lymphodepletion.weight_kg=70
            lymphodepletion.planned_mg_m2=30 lymphodepletion.planned_mg=54.6"""
            + CLEARANCE,
        ),
        "dose_given": ([made, parts[0], fludarabine(), weighed], given),
        "dose_total": (
            [made, parts[0], fludarabine(), weighed, DoseAllocation(level="DL1")],
            given + " dose_allocation.level=DL1 dose_allocation.planned_per_kg=1000000",
        ),
        "endotoxin": (
            [made, *parts],  # by the weight of the first part
            f"{toxin} infusion.dosing_weight_kg=70",
        ),
        "endotoxin, by the second part": (
            [made, dosed(made, dosing_weight_kg=None), parts[1], weighed],
            f"{toxin} infusion.dosing_weight_kg=71",
        ),
        "endotoxin, by lymphodepletion": (
            [made, conditioned[1], conditioned[0], LD, weighed],  # the last that was weighed
            f"{toxin} lymphodepletion.weight_kg=72",
        ),
        "endotoxin, as measured": (
            [made, LD, weighed, VitalSigns(vs_dt=at("2026-03-15", "08:00"), weight_kg=D("76"))],
            f"{toxin} vital_signs.weight_kg=77.1",
        ),
    }


def of_the_toxicities() -> dict[str, tuple[list[Any], str]]:
    """CRS and ICANS on 17 and 18 March, and death by them."""
    first = crs("2026-03-17", investigator_grade=1, o2_flow_lpm=D(4), ppv_reason="HYPOXIA")
    after = crs("2026-03-18", investigator_grade=2, hypotension=True)
    died = {"CRS": Death(death_date="2026-03-18", primary_cause="CRS"),
            "ICANS": Death(death_date="2026-03-18", primary_cause="ICANS")}  # fmt: skip
    confused = icans("2026-03-18", naming=1, investigator_grade=1, unable_reason="LANGUAGE")
    antibiotic = drug("ANTIBIOTIC", "2026-03-17")
    return {
        "crs_grade": (
            [first, toci(), antibiotic, drug("ANAKINRA", "2026-03-18"), died["ICANS"]],
            """crs_assessment.assess_dt=2026-03-17T08:00:00+08:00 crs_assessment.temp_c=38.5
            crs_assessment.fever_other_cause=False crs_assessment.hypotension=False crs_assessment.vasopressors=NONE
            crs_assessment.hypoxia=False crs_assessment.oxygen_device=NONE crs_assessment.o2_flow_lpm=4
            crs_assessment.ppv_reason=HYPOXIA crs_assessment.investigator_grade=1"""
            + TOCILIZUMAB,
        ),
        "crs_episode": (
            [first, after, toci(), antibiotic, died["CRS"]],
            f"""crs_assessment.assess_dt=2026-03-17T08:00:00+08:00 crs_assessment.investigator_grade=1
            crs_assessment.derived:crs_grade=1
            crs_assessment.assess_dt=2026-03-18T08:00:00+08:00 crs_assessment.investigator_grade=2
            crs_assessment.derived:crs_grade=5
            con_meds.drug=tocilizumab{TOCILIZUMAB} death.death_date=2026-03-18 death.primary_cause=CRS""",
        ),
        "icans_grade": (
            [confused, died["ICANS"]],
            """icans_assessment.assess_dt=2026-03-18T08:00:00+08:00 icans_assessment.orient_year=1
            icans_assessment.orient_month=1 icans_assessment.orient_city=1 icans_assessment.orient_hospital=1
            icans_assessment.naming=1 icans_assessment.commands=1 icans_assessment.writing=1
            icans_assessment.attention=1 icans_assessment.unable_reason=LANGUAGE icans_assessment.consciousness=NORMAL
            icans_assessment.seizure=NONE icans_assessment.motor_weakness_focal=False icans_assessment.edema=NONE
            icans_assessment.attributable=True icans_assessment.investigator_grade=1
            death.death_date=2026-03-18 death.primary_cause=ICANS""",
        ),
        "icans_episode": (
            [confused, drug("CORTICOSTEROID", "2026-03-18", indication="ICANS")],
            """icans_assessment.assess_dt=2026-03-18T08:00:00+08:00 icans_assessment.investigator_grade=1
            icans_assessment.derived:icans_grade=1
            con_meds.drug=corticosteroid con_meds.drug_class=CORTICOSTEROID con_meds.start_dt=2026-03-18
            con_meds.ongoing=False""",
        ),
    }


def of_the_leukaemia() -> dict[str, tuple[list[Any], str]]:
    """Marrow on 13 April, assessed on the 14th; relapse told, another therapy and death in June."""
    after, before = marrow("2026-04-13", "2", **RESIDUAL), marrow("2026-03-01", "40")
    fluid = Csf(lp_dt=at("2026-04-13"), csf_blasts="NEGATIVE", csf_wbc=2, csf_rbc=0)
    history = DiseaseHistory(cns_status="CNS1", extramedullary_sites=["SKIN", "TESTIS"])
    bag = Transfusion(product="PLATELET", start_dt=at("2026-04-10"))
    growth = drug("GCSF", "2026-04-01", end_dt="2026-04-12")
    row = looked("2026-04-14", after, csf_id=fluid.pk, investigator_response="CR", **LOOKED_AT)
    counts = blood(
        "2026-04-12",
        anc_value=D(2),
        plt_value=D(200),
        anc_qual="<=",
        plt_qual=">",
        anc_unit="10^9/L",
        plt_unit="10^9/L",
    )
    platelets = blood("2026-03-20", plt_value=D(20), plt_qual="<", plt_unit="10^9/L")
    return {
        "lab_grade": (
            [platelets],
            """haematology.lb_dt=2026-03-20T08:00:00+08:00 haematology.plt_value=20 haematology.plt_qual=<
            haematology.plt_unit=10^9/L haematology.plt_lln=125 haematology.plt_uln=350""",
        ),
        "mrd": ([after], "bone_marrow.bm_dt=2026-04-13T10:00:00+08:00" + MRD),
        "response": (
            [infusion(), LD, before, history, after, fluid, row, counts, bag, growth],
            f"""response.assess_date=2026-04-14 response.circulating_blasts=False response.extramedullary_disease=False
            response.investigator_response=CR{MARROW}{MRD}
            csf.lp_dt=2026-04-13T10:00:00+08:00 csf.cns_status=CNS1
            haematology.lb_dt=2026-04-12T08:00:00+08:00 haematology.anc_value=2 haematology.anc_qual=<=
            haematology.anc_unit=10^9/L haematology.plt_value=200 haematology.plt_qual=> haematology.plt_unit=10^9/L
            transfusion.product=PLATELET transfusion.start_dt=2026-04-10T10:00:00+08:00
            con_meds.drug_class=GCSF con_meds.start_dt=2026-04-01 con_meds.end_dt=2026-04-12
            bone_marrow.bm_dt=2026-03-01T10:00:00+08:00 bone_marrow.aspirate_adequate=True
            bone_marrow.blast_pct_morph=40
            disease_history.extramedullary_sites=SKIN,TESTIS disease_history.cns_status=CNS1""",
        ),
        "best_response": (
            [infusion(), DoseAllocation(level="DL2"), after, row],
            f"""{START} response.assess_date=2026-04-14 response.investigator_response=CR
            response.derived:response=NE dose_allocation.level=DL2""",
        ),
        "os": (
            [
                infusion(),
                after,
                row,
                SurvivalLtfu(
                    contact_date=date(2026, 6, 1),
                    vital_status="LOST",
                    disease_status="RELAPSED",
                    last_known_alive=date(2026, 5, 1),
                ),
                SubsequentTherapy(type="CHEMO", start_date=date(2026, 6, 2), in_remission="NO"),
                Death(death_date="2026-06-05", primary_cause="INFECTION"),
                Visit(visit="D28", actual_date=date(2026, 4, 13)),
                Visit(visit="D14", actual_date=date(2026, 3, 30)),
                Visit(visit="M2"),
            ],
            f"""{START} response.derived:response=2026-04-14_NE
            survival_ltfu.contact_date=2026-06-01 survival_ltfu.vital_status=LOST
            survival_ltfu.last_known_alive=2026-05-01 survival_ltfu.disease_status=RELAPSED
            subsequent_therapy.type=CHEMO subsequent_therapy.start_date=2026-06-02 subsequent_therapy.in_remission=NO
            death.death_date=2026-06-05 visit.actual_date=2026-04-13""",
        ),
    }


def of_the_cells() -> dict[str, tuple[list[Any], str]]:
    """Samples after the infusion."""
    flow = sample(7, "40", assay="FLOW", copies_per_ug=None, car_pct_cd3=D(40), lloq=None)
    peak = [cytokine(-2, "5"), cytokine(-1, "4", "<"), cytokine(2, "400")]
    for row in peak:
        row.il6_unit = "pg/mL"
    cells = b_cells("2026-04-13", "0.5", "<")
    cells.cd19_pct_lymph_unit = "%"
    return {
        "pk": (
            [infusion(), sample(14, "1000"), sample(4, "BLQ")],  # in the order of time
            f"""{START}
            pk_sample.collect_dt=2026-03-20T10:00:00+08:00 pk_sample.assay=QPCR pk_sample.specimen=PB
            pk_sample.result_text=BLQ pk_sample.lloq=50
            pk_sample.collect_dt=2026-03-30T10:00:00+08:00 pk_sample.assay=QPCR pk_sample.specimen=PB
            pk_sample.result_text=1000 pk_sample.lloq=50 pk_sample.copies_per_ug=1000""",
        ),
        "pk by flow": (
            [infusion(), flow],
            f"""{START} pk_sample.collect_dt=2026-03-23T10:00:00+08:00 pk_sample.assay=FLOW pk_sample.specimen=PB
            pk_sample.result_text=40 pk_sample.car_pct_cd3=40""",
        ),
        "cytokine_peak": (
            [infusion(), *peak, toci()],  # the last value before counts, and every later one
            f"""{START} pd_cytokine.collect_dt=2026-03-15T10:00:00+08:00 pd_cytokine.il6_value=4
            pd_cytokine.il6_qual=< pd_cytokine.il6_unit=pg/mL
            pd_cytokine.collect_dt=2026-03-18T10:00:00+08:00 pd_cytokine.il6_value=400 pd_cytokine.il6_unit=pg/mL
            con_meds.drug_class=TOCILIZUMAB con_meds.start_dt=2026-03-17T07:00+08:00""",
        ),
        "b_cell_aplasia": (
            [infusion(), cells],
            f"""{START} pd_bcell.collect_dt=2026-04-13T10:00:00+08:00 pd_bcell.cd19_pct_lymph_value=0.5
            pd_bcell.cd19_pct_lymph_qual=< pd_bcell.cd19_pct_lymph_unit=%""",
        ),
    }


def of_the_subject() -> dict[str, tuple[list[Any], str]]:
    """The subject as a whole."""
    collected = Apheresis(aph_start_dt=at("2026-02-16"))
    left = EndOfStudy(phase="STUDY", reason="LOST", date=date(2026, 5, 1))
    ended = "end_of_study.phase=STUDY end_of_study.reason={} end_of_study.date=2026-05-01"
    failed = EndOfStudy(phase="STUDY", reason="SCREEN_FAILURE", date=date(2026, 5, 1))
    gone = InformedConsent(
        consent_type="WITHDRAWAL", consent_dt=at("2026-05-01"), withdrawal_scope=["TREATMENT", "SAMPLES"]
    )
    return {
        "age": (
            [consent(), MAN],
            "demographics.birth_date=1995-06-01 informed_consent.consent_dt=2026-02-09T10:00:00+08:00",
        ),
        "dlt_window": ([infusion("2026-03-20"), infusion()], START),
        "subject_status": ([infusion(), Death(death_date="2026-04", primary_cause="CRS")], "death.death_date=2026-04"),
        "subject_status, lost": ([infusion(), left], ended.format("LOST")),
        "subject_status, not eligible": ([consent(), failed], ended.format("SCREEN_FAILURE")),
        "subject_status, withdrawn": (
            [consent(), gone],
            """informed_consent.consent_type=WITHDRAWAL informed_consent.consent_dt=2026-05-01T10:00:00+08:00
            informed_consent.withdrawal_scope=TREATMENT,SAMPLES""",
        ),
        "subject_status, infused": ([consent(), LD, infusion()], START),
        "subject_status, conditioned": ([LD, collected], "lymphodepletion.admin_dt=2026-03-11T10:00:00+08:00"),
        "subject_status, made": ([Manufacturing(mfg_start_date=date(2026, 2, 20)), collected],
                                 "manufacturing.mfg_start_date=2026-02-20"),
        "subject_status, collected": ([consent(), collected], "apheresis.aph_start_dt=2026-02-16T10:00:00+08:00"),
        "subject_status, consented": ([consent()], "informed_consent.consent_dt=2026-02-09T10:00:00+08:00"),
        "analysis_sets": (
            [collected, infusion(), DltAssessment(evaluable="YES"), sample(4, "1000")],
            f"""apheresis.aph_start_dt=2026-02-16T10:00:00+08:00 {START} dlt_assessment.evaluable=YES
            pk_sample.collect_dt=2026-03-20T10:00:00+08:00 pk_sample.result_text=1000""",
        ),
    }  # fmt: skip


RESTS_ON = {
    **of_the_subject(),
    **of_the_doses(),
    **of_the_toxicities(),
    **of_the_leukaemia(),
    **of_the_cells(),
}


@pytest.mark.parametrize("name", RESTS_ON)
def test_a_value_rests_on_these_answers_and_no_other(name: str) -> None:
    forms, answers = [copy(form) for form in RESTS_ON[name][0]], RESTS_ON[name][1]
    for form in forms:
        form.version = 7
    one = told(name.split(",")[0].split()[0], *forms)[0]
    assert evidence(one) == [said.replace("_NE", " NE") for said in answers.split()]
    stand = {form.pk: form.form for form in forms}
    assert all((stand[i.record], i.version) == (i.form, 7) for i in one.inputs)
