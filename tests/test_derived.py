"""What follows from a casebook: every expected number is worked out by hand beside its test."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dosing.models import DoseAllocation, Infusion, Lymphodepletion, Manufacturing
from safety.adverse_events import AdverseEvent, DltAssessment
from safety.derived.every import DERIVATIONS, READS, derive
from safety.derived.stored import digests, kept
from safety.derived.vocabulary import GROUPS, Derived, hash_of, plain
from subjects.models import (
    Death,
    Demographics,
    DiseaseHistory,
    EndOfStudy,
    InformedConsent,
    SubsequentTherapy,
)
from tests.books import at, book
from tests.people import chemistry
from trial.edit_checks import calculate
from trial.protocol import V1, Protocol
from visits.models import (
    BoneMarrow,
    Chemistry,
    Coagulation,
    ConMeds,
    CrsAssessment,
    Csf,
    Haematology,
    IcansAssessment,
    PdBcell,
    PdCytokine,
    PkSample,
    Response,
    SurvivalLtfu,
    Transfusion,
    Visit,
    VitalSigns,
)

D = Decimal
READY: dict[str, Any] = {"status": "COMPLETE"}


def amended(**values: Any) -> Protocol:
    """Version 1 with some values replaced."""
    return replace(V1, **{k: replace(getattr(V1, k), value=v) for k, v in values.items()})


def told(name: str, *forms: Any, protocol: Protocol = V1, now: datetime | None = None) -> list[Derived]:
    """What one derivation says of a subject with these forms; calculated items are filled in first."""
    for form in forms:
        calculate(form)
    made = book(*forms, now=now) if now else book(*forms)
    return DERIVATIONS[name](made, protocol)


def value(name: str, *forms: Any, protocol: Protocol = V1) -> dict[str, Any]:
    """The one value of a derivation, as it is kept."""
    (found,) = told(name, *forms, protocol=protocol)
    kept_: dict[str, Any] = plain(dict(found.value))
    return kept_


def infusion(day: str = "2026-03-16", **facts: Any) -> Infusion:
    return Infusion(inf_start_dt=at(day), **{**READY, **facts})


# --- every derivation --------------------------------------------------------------------------------------------


def test_every_derivation_says_how_from_what_and_where_it_stands() -> None:
    for how in DERIVATIONS.values():
        assert how.text and how.cites and how.method and how.group in GROUPS, how.name
        assert how.zh and how.zh != how.en and all(one.zh for one in how.says), how.name
        assert set(how.reads) <= set(READS)


def test_nothing_follows_from_nothing_but_a_status() -> None:
    found = derive(book(), V1)
    assert {key: dict(one.value) for key, (_, one) in found.items()} == {
        ("subject_status", ""): {"status": "NEW"},
        ("analysis_sets", ""): {"sets": []},
    }


def test_a_value_is_kept_with_its_inputs_their_versions_and_its_method() -> None:
    row = Lymphodepletion(drug="FLUDARABINE", height_cm=D(170), weight_kg=D("70.0"), version=3)
    (one,) = told("bsa", row)
    told_ = kept(DERIVATIONS["bsa"], one, V1)
    assert told_["value"] == {"bsa_m2": "1.82", "exact": "1.818118685772619068583692415"}
    assert told_["inputs"] == [
        {
            "form": "lymphodepletion",
            "record": str(row.pk),
            "field": "height_cm",
            "value": "170",
            "version": 3,
        },
        {
            "form": "lymphodepletion",
            "record": str(row.pk),
            "field": "weight_kg",
            "value": "70.0",
            "version": 3,
        },
    ]
    assert (told_["method"], told_["protocol_version"], told_["stands"]) == ("MOSTELLER1987", "1.0", True)
    assert (told_["form"], told_["record_id"], told_["differs"]) == ("lymphodepletion", row.pk, False)


def test_a_lock_changes_no_hash_and_a_changed_answer_does() -> None:
    row = Lymphodepletion(drug="FLUDARABINE", height_cm=D(170), weight_kg=D(70))
    (first,) = told("bsa", row)
    row.version = 9
    (locked,) = told("bsa", row)
    row.weight_kg = D("70.01")
    (changed,) = told("bsa", row)
    assert hash_of(first.inputs) == hash_of(locked.inputs) != hash_of(changed.inputs)
    assert dict(first.value)["bsa_m2"] == dict(changed.value)["bsa_m2"]  # the same result from other answers


def test_a_protocol_version_is_part_of_what_is_kept() -> None:
    made = book(infusion())
    one, other = digests(derive(made, V1), V1), digests(derive(made, V1), replace(V1, version="9"))
    assert set(one) == set(other) and not set(one.values()) & set(other.values())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (D("1.500"), "1.5"),
        (D("100"), "100"),
        (D("1E+3"), "1000"),
        (D("0.000"), "0"),
        (date(2026, 3, 1), "2026-03-01"),
        (at("2026-03-01"), "2026-03-01T02:00:00+00:00"),
        ([D("1.0"), None, True, 3], ["1", None, True, 3]),
    ],
)
def test_how_a_value_is_written(given: Any, said: Any) -> None:
    assert plain(given) == said


# --- the subject -------------------------------------------------------------------------------------------------


def consent(day: str = "2026-02-09") -> InformedConsent:
    return InformedConsent(consent_type="INITIAL", consent_dt=at(day), **READY)


@pytest.mark.parametrize(
    ("born", "years"),
    [
        ("1980-02-09", (46, None, None)),
        ("1980-02-10", (45, None, None)),
        ("1980-02", (None, 45, 46)),
        ("1980", (None, 45, 46)),
        ("1979-03", (46, None, None)),
        ("2004-02-29", (21, None, None)),
    ],
)
def test_age_at_consent(born: str, years: tuple[int | None, ...]) -> None:
    assert tuple(value("age", consent(), Demographics(birth_date=born)).values()) == years
    assert not told("age", Demographics(birth_date=born)) and not told("age", consent())


def test_the_window_of_limiting_toxicity_ends_on_day_28() -> None:
    assert value("dlt_window", infusion()) == {"first": "2026-03-16", "last": "2026-04-13"}
    assert not told("dlt_window")


@pytest.mark.parametrize(
    ("forms", "status"),
    [
        ([], "NEW"),
        ([consent()], "CONSENTED"),
        ([consent(), Lymphodepletion(admin_dt=at("2026-03-11"))], "LD"),
        ([consent(), Manufacturing(mfg_start_date=date(2026, 2, 20))], "MFG"),
        ([consent(), infusion("2026-06-01")], "INFUSED"),
        ([consent(), infusion("2026-05-30")], "INFUSED"),
        ([consent(), infusion("2026-05-29")], "FOLLOW_UP"),
        ([consent(), infusion("2024-06-30")], "FOLLOW_UP"),
        ([consent(), infusion("2024-06-29")], "LTFU"),
        ([infusion(), EndOfStudy(phase="STUDY", reason="COMPLETED")], "COMPLETED"),
        ([infusion(), EndOfStudy(phase="STUDY", reason="LOST")], "WITHDRAWN"),
        ([infusion(), EndOfStudy(phase="TREATMENT", reason="AE")], "FOLLOW_UP"),
        ([consent(), EndOfStudy(phase="TREATMENT", reason="SCREEN_FAILURE")], "SCREEN_FAILED"),
        ([infusion(), InformedConsent(consent_type="WITHDRAWAL")], "WITHDRAWN"),
        ([infusion(), EndOfStudy(phase="STUDY", reason="DEATH"), Death(death_date="2026-04")], "DEAD"),
    ],
)
def test_status(forms: list[Any], status: str) -> None:
    assert value("subject_status", *forms) == {"status": status}  # today is 30 June 2026


def test_analysis_sets() -> None:
    def sets(*forms: Any) -> list[str]:
        found: list[str] = value("analysis_sets", *forms)["sets"]
        return found

    sample = PkSample(collect_dt=at("2026-03-20"), assay="QPCR", result_text="BLQ")
    early = PkSample(collect_dt=at("2026-03-15"), assay="QPCR", result_text="BLQ")
    judged = DltAssessment(evaluable="YES")
    assert sets(sample, judged) == []
    assert sets(infusion(), early) == ["ENROLLED", "SAFETY", "EFFICACY"]
    assert sets(infusion(), sample, judged) == ["ENROLLED", "SAFETY", "DLT", "EFFICACY", "PK"]
    assert sets(infusion(), DltAssessment(evaluable="NO")) == ["ENROLLED", "SAFETY", "EFFICACY"]


# --- doses -------------------------------------------------------------------------------------------------------

MAN = Demographics(birth_date="1995-06-01", sex="M")


def fludarabine(**facts: Any) -> Lymphodepletion:
    usual = {"height_cm": D(170), "weight_kg": D(70), "planned_mg_m2": D(30), "planned_mg": D("54.6")}
    given = {"drug": "FLUDARABINE", "admin_dt": at("2026-03-11"), "planned_day": -5}
    return Lymphodepletion(**{**usual, **given, **READY, **facts})


def creatinine(day: str = "2026-03-10", mg_dl: str = "0.9") -> Chemistry:
    return chemistry(day, creatinine_value=D(mg_dl), creatinine_unit="mg/dL")


def test_clearance_as_in_the_example() -> None:
    # 70 kg, 0.9 mg/dL, 30 years: (140 - 30) * 70 / (72 * 0.9) = 118.8
    found = value("crcl", fludarabine(), MAN, creatinine())
    assert D(found["crcl_ml_min"]).quantize(D("0.1")) == D("118.8")
    assert (found["age"], found["factor"], found["not_to_be_given"]) == (30, "1", False)


@pytest.mark.parametrize(
    ("day", "mg_dl", "there"),
    [("2026-03-08", "0.9", True), ("2026-03-07", "0.9", False), ("2026-03-12", "0.9", False)],
)
def test_creatinine_is_of_the_three_days_before(day: str, mg_dl: str, there: bool) -> None:
    assert bool(told("crcl", fludarabine(), MAN, creatinine(day, mg_dl))) is there


def test_a_birth_date_known_in_part_counts_where_every_age_gives_the_same_factor() -> None:
    # 140 - age over 72 * 1.35 times 70: 79.9 at 29 and 79.2 at 30, both 0.8; at 1.34 mg/dL 80.5 and 79.8: open
    year = Demographics(birth_date="1996", sex="M")
    found = value("crcl", fludarabine(), year, creatinine(mg_dl="1.35"))
    assert (found["age"], found["factor"]) == (30, "0.8")
    assert not told("crcl", fludarabine(), year, creatinine(mg_dl="1.34"))


@pytest.mark.parametrize(
    ("mg_dl", "entered", "due", "agrees"),
    [
        ("0.9", "54.6", "54.6", True),
        ("0.9", "54.7", "54.6", True),
        ("0.9", "54.8", "54.6", False),
        ("1.5", "43.7", "43.7", True),  # clearance 71.3: factor 0.8, 30 * 0.8 * 1.82 = 43.68
        ("1.5", "54.6", "43.7", False),
        ("5.0", "10", "0", False),  # clearance 21.4: not to be given
    ],
)
def test_fludarabine_due(mg_dl: str, entered: str, due: str, agrees: bool) -> None:
    found = value("ld_dose", fludarabine(planned_mg=D(entered)), MAN, creatinine(mg_dl=mg_dl))
    assert (D(found["planned_mg"]), found["agrees"]) == (D(due), agrees)


def test_cyclophosphamide_needs_no_kidney_and_a_draft_is_not_contradicted() -> None:
    row = fludarabine(planned_mg_m2=None, planned_mg=D(500))
    row.drug = "CYCLOPHOSPHAMIDE"
    (found,) = told("ld_dose", row)
    assert (found.value["planned_mg"], found.value["agrees"], found.differs) == (D("546.0"), False, True)
    row.status = "DRAFT"
    (found,) = told("ld_dose", row)
    assert (found.value["agrees"], found.differs) == (None, False)
    assert not told("ld_dose", fludarabine(), MAN)  # no creatinine, no dose due


def batch(**facts: Any) -> Manufacturing:
    usual = {"cells_per_ml": D(2_000_000), "viability_pct": D(90), "cd3_pct": D(95), "car_pos_pct": D(40)}
    return Manufacturing(**{**usual, "volume_ml": D(100), "endotoxin_eu_ml": D("0.7"), **facts})


def dosed(made: Manufacturing, **facts: Any) -> Infusion:
    usual = {"volume_infused_ml": D(100), "dosing_weight_kg": D(70), "actual_per_kg": D(977_143)}
    return infusion(batch_id=made.pk, **{**usual, **facts})


def test_dose_given() -> None:
    # 100 mL * 2e6 * 0.90 * 0.95 * 0.40 = 68.4e6 cells; over 70 kg 977142.857...
    made = batch()
    found = value("dose_given", made, dosed(made))
    assert D(found["cells"]) == D(68_400_000) and found["per_kg"].startswith("977142.857142857")
    assert (found["entered"], found["agrees"]) == ("977143", True)


@pytest.mark.parametrize(
    ("entered", "agrees"),
    [("986914.2857", True), ("986914.2858", False), ("967371.4286", True), ("967371.4285", False)],
)
def test_a_dose_entered_agrees_within_one_per_cent(entered: str, agrees: bool) -> None:
    # 977142.857142 +- 1 %: 967371.42857 to 986914.28571
    made = batch()
    (found,) = told("dose_given", made, dosed(made, actual_per_kg=D(entered)))
    assert (found.value["agrees"], found.differs) == (agrees, not agrees)


def test_the_weight_to_dose_by_is_that_of_lymphodepletion_unless_day_0_differs_much() -> None:
    made, before = batch(), fludarabine()

    def weighed(kg: str) -> VitalSigns:
        return VitalSigns(vs_dt=at("2026-03-16", "08:00"), weight_kg=D(kg))

    row = dosed(made, dosing_weight_kg=None)
    assert value("dose_given", made, row, before, weighed("77.0"))["weight_kg"] == "70"
    assert value("dose_given", made, row, before, weighed("77.1"))["weight_kg"] == "77.1"
    assert value("dose_given", made, dosed(made), before, weighed("80"))["weight_due_kg"] == "80"


@pytest.mark.parametrize(
    ("volume", "off", "within", "evaluable"),
    [
        ("100", "0", True, True),  # 68.4e6 cells over 68.4 kg: a million per kg
        ("120", "20", True, True),
        ("120.1", "20.1", False, True),
        ("80", "-20", True, True),
        ("79.9", "-20.1", False, False),
    ],
)
def test_dose_against_plan(volume: str, off: str, within: bool, evaluable: bool) -> None:
    made, plan = batch(), DoseAllocation(level="DL1")
    row = dosed(made, volume_infused_ml=D(volume), dosing_weight_kg=D("68.4"))
    found = value("dose_total", made, row, plan)
    assert (found["deviation_pct"], found["within"], found["evaluable"]) == (off, within, evaluable)
    assert (found["level"], found["planned_per_kg"]) == ("DL1", "1000000")


def test_the_limit_of_a_dose_is_compared_before_anything_is_rounded() -> None:
    # 84 / 70 * 1e6 has no end in decimals; 120 % of 814285.7142857142... does neither
    made, plan = (
        batch(cells_per_ml=D(3), viability_pct=D(100), cd3_pct=D(100), car_pos_pct=D(100)),
        DoseAllocation(level="DL1"),
    )
    plan.planned_per_kg = D("1.25")
    rows = [dosed(made, volume_infused_ml=D(1), dosing_weight_kg=D(9)) for _ in range(3)]  # thirds: 1 in all
    (found,) = DERIVATIONS["dose_total"](book(made, plan, *rows), V1)
    assert (found.value["within"], found.value["evaluable"]) == (True, True)  # exactly 80 %


def test_parts_of_a_dose_add_up_and_one_unknown_part_leaves_it_open() -> None:
    made, plan = batch(), DoseAllocation(level="DL1", planned_per_kg=D(1_000_000))
    halves = [dosed(made, volume_infused_ml=D(50)), dosed(made, volume_infused_ml=D(50))]
    halves[1].inf_start_dt = at("2026-03-17")
    (found,) = DERIVATIONS["dose_total"](book(made, plan, *halves), V1)
    assert found.value["cells"] == D(68_400_000) and found.value["per_kg"].quantize(D(1)) == D(977143)
    halves[1].batch_id = None
    assert not DERIVATIONS["dose_total"](book(made, plan, *halves), V1)


def test_endotoxin_per_kg() -> None:
    made = batch()  # 0.7 EU/mL * 100 mL / 70 kg = 1
    assert value("endotoxin", made, dosed(made)) == {"eu_per_kg": "1", "weight_kg": "70"}
    assert not told("endotoxin", made)


# --- CRS and ICANS -----------------------------------------------------------------------------------------------


def crs(day: str, time: str = "08:00", **facts: Any) -> CrsAssessment:
    """Fever alone: grade 1, unless facts say otherwise."""
    usual: dict[str, Any] = {
        "temp_c": D("38.5"),
        "fever_other_cause": False,
        "hypotension": False,
        "vasopressors": ["NONE"],
        "hypoxia": False,
        "oxygen_device": "NONE",
    }
    return CrsAssessment(assess_dt=at(day, time), **{**usual, **READY, **facts})


COOL: dict[str, Any] = {"temp_c": D("36.8")}
LOW: dict[str, Any] = {"hypotension": True, "vasopressors": ["NOREPINEPHRINE"]}


def drug(kind: str, start: str, **facts: Any) -> ConMeds:
    usual = {"drug": kind.lower(), "end_dt": "", "ongoing": False, "indication": "CRS"}
    return ConMeds(drug_class=kind, start_dt=start, **{**usual, **facts})


def grades(*forms: Any) -> list[int | None]:
    """CRS grades in the order of time."""
    found = {one.key: one.value["grade"] for one in told("crs_grade", *forms)}
    rows = sorted((f for f in forms if isinstance(f, CrsAssessment)), key=lambda f: f.assess_dt)
    return [found[str(row.pk)] for row in rows]


def test_fever_is_needed_until_it_was_treated() -> None:
    course = [crs("2026-03-17"), crs("2026-03-18", **COOL, **LOW)]
    assert grades(*course) == [1, 0]
    assert grades(*course, drug("TOCILIZUMAB", "2026-03-17T10:00+08:00")) == [1, 3]
    assert grades(*course, drug("ANAKINRA", "2026-03-17")) == [1, 3]
    assert grades(*course, drug("CORTICOSTEROID", "2026-03-17")) == [1, 3]
    assert grades(*course, drug("SILTUXIMAB", "2026-03-17")) == [1, 3]
    assert grades(*course, drug("ANTIPYRETIC", "2026-03-18T08:00+08:00")) == [
        1,
        3,
    ]  # at the assessment itself
    assert grades(*course, drug("ANTIBIOTIC", "2026-03-17")) == [1, 0]
    assert grades(*course, drug("ANTIPYRETIC", "2026-03-18T08:01+08:00")) == [
        1,
        0,
    ]  # given after the assessment


@pytest.mark.parametrize(
    ("start", "facts", "expected"),
    [
        ("2026-03-17T07:59+08:00", {}, 0),  # before the fever
        ("2026-03-17T08:00+08:00", {}, 3),  # exactly 24 h before
        ("2026-03-16", {"ongoing": True}, 3),  # begun before the fever, still given
        ("2026-03-16", {"end_dt": "2026-03-17T09:00+08:00"}, 3),
        ("2026-03-16", {"end_dt": "2026-03-16"}, 0),
        ("2026-03", {}, 3),  # could have been then
    ],
)
def test_within_24_hours_of_an_assessment(start: str, facts: dict[str, Any], expected: int) -> None:
    course = [crs("2026-03-17"), crs("2026-03-18", **COOL, **LOW)]
    assert grades(*course, drug("ANTIPYRETIC", start, **facts))[1] == expected


def test_a_drug_given_before_the_fever_or_long_before_the_assessment_treated_nothing() -> None:
    evening = [crs("2026-03-17"), crs("2026-03-17", "20:00", **COOL, **LOW)]
    assert grades(*evening, drug("ANTIPYRETIC", "2026-03-17T07:00+08:00")) == [1, 0]
    assert grades(*evening, drug("ANTIPYRETIC", "2026-03-17T09:00+08:00")) == [1, 3]
    two_days = [crs("2026-03-17"), crs("2026-03-19", **COOL, **LOW)]
    assert grades(*two_days, drug("ANTIPYRETIC", "2026-03-17T20:00+08:00")) == [1, 0]


def test_fever_at_38_degrees_begins_an_episode() -> None:
    drugs = drug("TOCILIZUMAB", "2026-03-17T20:00+08:00")
    warm = crs("2026-03-17", temp_c=D("38.0"))
    assert grades(warm, crs("2026-03-18", **COOL, **LOW), drugs) == [1, 3]
    cause = crs("2026-03-17", fever_other_cause=True)
    assert grades(cause, crs("2026-03-18", **COOL, **LOW), drugs) == [0, 0]


def test_once_treated_fever_is_not_asked_for_again_in_that_episode() -> None:
    course = [
        crs("2026-03-17"),
        crs("2026-03-18", **COOL, **LOW),
        crs("2026-03-20", **COOL, **LOW),  # more than 24 h after the drug, the same episode
        crs("2026-03-23", **COOL, **LOW),  # three days on: still the same
        crs("2026-03-27", **COOL, **LOW),  # four days on: a new episode needs fever of its own
    ]
    assert grades(*course, drug("TOCILIZUMAB", "2026-03-17T20:00+08:00")) == [1, 3, 3, 3, 0]


def test_two_clear_days_end_the_treated_fever() -> None:
    course = [
        crs("2026-03-17"),
        crs("2026-03-18", **COOL),
        crs("2026-03-19", **COOL),
        crs("2026-03-20", **COOL, **LOW),
    ]
    toci = drug("TOCILIZUMAB", "2026-03-17T20:00+08:00")
    assert grades(*course, toci) == [1, 0, 0, 0]
    assert grades(course[0], course[1], course[3], toci) == [1, 0, 3]


def test_death_by_crs_on_the_day_of_the_last_assessment() -> None:
    course = [crs("2026-03-17"), crs("2026-03-18", **LOW)]
    died = Death(death_date="2026-03-18", primary_cause="CRS")
    assert grades(*course, died) == [1, 5]
    assert grades(*course, Death(death_date="2026-03-18", primary_cause="INFECTION")) == [1, 3]
    assert grades(*course, Death(death_date="2026-03-19", primary_cause="CRS")) == [1, 3]
    assert grades(*course, Death(death_date="2026-03", primary_cause="CRS")) == [1, 3]


@pytest.mark.parametrize(
    ("said", "status", "agrees"),
    [(1, "COMPLETE", True), (2, "COMPLETE", False), (2, "DRAFT", None), (None, "COMPLETE", None)],
)
def test_the_investigators_grade_stands_beside(said: int | None, status: str, agrees: bool | None) -> None:
    (found,) = told("crs_grade", crs("2026-03-17", investigator_grade=said, status=status))
    assert (found.value["grade"], found.value["agrees"], found.differs) == (1, agrees, agrees is False)


def icans(day: str, **facts: Any) -> IcansAssessment:
    """ICE 10 and no sign: grade 0, unless facts say otherwise."""
    points = dict.fromkeys(("orient_year", "orient_month", "orient_city", "orient_hospital"), 1)
    usual: dict[str, Any] = {
        **points,
        **{"naming": 3, "commands": 1, "writing": 1, "attention": 1, "unable_reason": ""},
        **{"consciousness": "NORMAL", "seizure": "NONE", "motor_weakness_focal": False, "edema": "NONE"},
    }
    return IcansAssessment(assess_dt=at(day, "08:00"), **{**usual, "attributable": True, **READY, **facts})


def test_icans_grade_and_its_ice_score() -> None:
    found = value("icans_grade", icans("2026-03-18", naming=1, attention=0, writing=0, investigator_grade=1))
    assert found == {"ice": 6, "grade": 2, "investigator": 1, "agrees": False}
    died = Death(death_date="2026-03-18", primary_cause="ICANS")
    assert value("icans_grade", icans("2026-03-18"), died)["grade"] == 5


def course_of(*said: tuple[str, int]) -> list[CrsAssessment]:
    """Assessments of these grades: day of March and time, grade."""
    facts: dict[int, dict[str, Any]] = {
        0: COOL,
        1: {},
        2: {"hypotension": True},
        3: LOW,
        4: {"hypotension": True, "vasopressors": ["NOREPINEPHRINE", "EPINEPHRINE"]},
    }
    return [crs(f"2026-03-{when[:2]}", when[3:] or "08:00", **facts[grade]) for when, grade in said]


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        # onset, worst, over, seen over, days
        ([("17", 1), ("18", 2), ("19", 0), ("20", 0)], [("2026-03-17", 2, "2026-03-19", True, 3)]),
        ([("17", 1), ("18", 1)], [("2026-03-17", 1, "2026-03-18", False, 2)]),
        ([("17", 1), ("18", 0), ("20", 0)], [("2026-03-17", 1, "2026-03-17", False, 1)]),
        ([("17", 1), ("18", 0), ("19", 1), ("20", 0), ("21", 0)], [("2026-03-17", 1, "2026-03-20", True, 4)]),
        ([("17", 1), ("20", 1)], [("2026-03-17", 1, "2026-03-20", False, 4)]),
        ([("17", 1), ("21", 1)], [("2026-03-17", 1, "2026-03-17", False, 1), ("2026-03-21", 1, "2026-03-21", False, 1)]),
        (
            [("17", 1), ("18", 0), ("19", 0), ("20", 2)],
            [("2026-03-17", 1, "2026-03-18", True, 2), ("2026-03-20", 2, "2026-03-20", False, 1)],
        ),
        ([("17", 0), ("18", 0)], []),
        ([("17 08:00", 0), ("17 20:00", 1), ("18", 0), ("19", 0)], [("2026-03-17", 1, "2026-03-18", True, 2)]),
        ([("17", 1), ("18 08:00", 0), ("18 20:00", 1), ("19", 0), ("20", 0)], [("2026-03-17", 1, "2026-03-19", True, 3)]),
    ],
)  # fmt: skip
def test_episodes(course: list[tuple[str, int]], expected: list[tuple[Any, ...]]) -> None:
    found = [plain(dict(one.value)) for one in told("crs_episode", *course_of(*course))]
    names = ("onset", "worst", "over", "seen_over", "days")
    assert [tuple(one[n] for n in names) for one in found] == expected
    assert [one["number"] for one in found] == list(range(1, len(found) + 1))


@pytest.mark.parametrize(
    ("course", "hours", "open_"),
    [
        ([("17 08:00", 1), ("18 08:00", 3), ("18 20:00", 4), ("19 02:00", 2)], "18", False),
        ([("17 08:00", 3), ("17 20:30", 2), ("18 08:00", 3), ("19 08:00", 0)], "36.5", False),
        ([("17 08:00", 2), ("18 08:00", 3)], "0", True),
        ([("17 08:00", 2), ("18 08:00", 1)], "0", False),
    ],
)
def test_time_at_grade_3_or_above(course: list[tuple[str, int]], hours: str, open_: bool) -> None:
    (found,) = told("crs_episode", *course_of(*course))
    assert (plain(found.value["hours_severe"]), found.value["severe_open"]) == (hours, open_)


def test_an_episode_names_the_treatment_given_for_it() -> None:
    course = course_of(("17", 1), ("18", 2), ("19", 0), ("20", 0))
    drugs = [
        drug("TOCILIZUMAB", "2026-03-18T10:00+08:00"),
        drug("CORTICOSTEROID", "2026-03-17"),
        drug("CORTICOSTEROID", "2026-03-20"),  # after its last day
        drug("CORTICOSTEROID", "2026-03-16"),  # before
        drug("TOCILIZUMAB", "2026-03-18", indication="ICANS"),
        drug("ANTIBIOTIC", "2026-03-18"),
    ]
    (found,) = told("crs_episode", *course, *drugs)
    assert [(d["class"], d["start"][:10]) for d in found.value["treatment"]] == [
        ("CORTICOSTEROID", "2026-03-17"),
        ("TOCILIZUMAB", "2026-03-18"),
    ]


@pytest.mark.parametrize(
    ("died", "worst", "over"),
    [("2026-03-20", 5, "2026-03-20"), ("2026-03-21", 5, "2026-03-21"), ("2026-03-22", 2, "2026-03-18")],
)
def test_an_episode_that_ends_in_death(died: str, worst: int, over: str) -> None:
    course = course_of(("17", 1), ("18", 2))
    found = value("crs_episode", *course, Death(death_date=died, primary_cause="CRS"))
    assert (found["worst"], found["over"]) == (worst, over)


def test_episodes_of_icans() -> None:
    course = [icans("2026-03-18", naming=2, writing=0, attention=0), icans("2026-03-19"), icans("2026-03-20")]
    found = value("icans_episode", *course, drug("CORTICOSTEROID", "2026-03-18", indication="ICANS"))
    assert (found["onset"], found["worst"], found["over"], found["days"]) == (
        "2026-03-18",
        1,
        "2026-03-19",
        2,
    )
    assert [d["class"] for d in found["treatment"]] == ["CORTICOSTEROID"]


# --- laboratory --------------------------------------------------------------------------------------------------

LD = Lymphodepletion(drug="FLUDARABINE", admin_dt=at("2026-03-11"), planned_day=-5, actual_mg=D(50))


def blood(day: str, **facts: Any) -> Haematology:
    usual = {"plt_lln": D(125), "plt_uln": D(350), "anc_lln": D("1.8"), "anc_uln": D(7)}
    return Haematology(lb_dt=at(day, "08:00"), **{**usual, **READY, **facts})


def results(*forms: Any) -> list[dict[str, Any]]:
    """The graded results of each record, in the order of time."""
    found = [plain(dict(one.value)) for one in told("lab_grade", *forms)]
    return found


def test_a_result_is_graded_with_its_range_and_baseline() -> None:
    base = chemistry("2026-03-10", alt_value=D(80), alt_uln=D(40))  # twice the limit
    after = chemistry("2026-03-20", alt_value=D(330), alt_uln=D(50))  # 4.125 times baseline: grade 2
    told_ = results(LD, base, after)[1]["results"]["alt"]
    assert (told_["value"], told_["high"], told_["baseline"], told_["baseline_high"]) == (
        "330",
        "50",
        "80",
        "40",
    )
    (graded,) = told_["grades"]
    assert (graded["grade"], graded["baseline_grade"], graded["baseline_assumed_normal"]) == (2, 1, False)
    (alone,) = results(LD, after)[0]["results"]["alt"]["grades"]
    assert (alone["grade"], alone["baseline_assumed_normal"]) == (3, True)  # 6.6 times the limit


def test_the_baseline_is_the_last_value_before_lymphodepletion() -> None:
    older, last, during = (
        chemistry(day, alt_value=D(n), alt_uln=D(40))
        for day, n in (("2026-03-01", 200), ("2026-03-10", 50), ("2026-03-12", 999))
    )
    after = chemistry("2026-03-20", alt_value=D(60), alt_uln=D(40))
    assert results(LD, older, last, during, after)[-1]["results"]["alt"]["baseline"] == "50"
    assert results(LD, older, last)[0]["results"]["alt"]["baseline"] is None


def test_both_directions_are_graded() -> None:
    row = chemistry("2026-03-20", potassium_value=D("2.9"), potassium_lln=D("3.5"), potassium_uln=D("5.3"))
    told_ = results(LD, row)[0]["results"]["potassium"]["grades"]
    assert [(g["term"], g["direction"], g["grade"]) for g in told_] == [
        ("Hypokalemia", "low", 3),
        ("Hyperkalemia", "high", 0),
    ]


def test_calcium_is_corrected_and_without_albumin_it_is_not_graded() -> None:
    facts = {"calcium_value": D("1.90"), "calcium_lln": D("2.1"), "calcium_uln": D("2.6")}
    row = chemistry("2026-03-20", albumin_value=D(30), **facts)  # 1.90 + 0.02 * 10 = 2.10
    told_ = results(LD, row)[0]["results"]["calcium"]
    assert told_["corrected"] == "2.1" and [g["grade"] for g in told_["grades"]] == [0, 0]
    bare = results(LD, chemistry("2026-03-20", **facts))[0]["results"]["calcium"]["grades"]
    assert [(g["grade"], g["missing"]) for g in bare] == [(None, ["albumin"])] * 2


def test_units_are_brought_to_the_terms() -> None:
    row = blood("2026-03-20", hgb_value=D("9.9"), hgb_unit="g/dL", hgb_lln=D("13"), hgb_uln=D("17"))
    told_ = results(LD, row)[0]["results"]["hgb"]
    assert (told_["value"], told_["unit"], told_["low"]) == ("99", "g/L", "130")
    assert told_["grades"][0]["grade"] == 2


def test_inr_on_an_anticoagulant_is_held_against_baseline() -> None:
    base, after = (
        Coagulation(lb_dt=at(day), inr_value=D(n), **READY)
        for day, n in (("2026-03-10", "2.0"), ("2026-03-20", "2.4"))
    )
    warfarin = drug("ANTICOAGULANT", "2026-03-01", ongoing=True)
    assert results(LD, base, after)[-1]["results"]["inr"]["grades"][0]["grade"] == 2
    assert results(LD, base, after, warfarin)[-1]["results"]["inr"]["grades"][0]["grade"] == 1
    stopped = drug("ANTICOAGULANT", "2026-03-01", end_dt="2026-03-19")
    assert results(LD, base, after, stopped)[-1]["results"]["inr"]["grades"][0]["grade"] == 2


def asked(*forms: Any) -> list[list[str]]:
    return [one["ask"] for one in results(*forms)]


def test_an_event_is_asked_about_once_in_a_run() -> None:
    low = [
        blood(f"2026-03-{day}", plt_value=D(n))
        for day, n in ((18, 60), (19, 49), (20, 20), (21, 80), (22, 40))
    ]
    assert asked(LD, *low) == [[], ["plt"], [], [], ["plt"]]


def test_two_grades_above_baseline_are_asked_about() -> None:
    base = blood("2026-03-10", plt_value=D(200))
    assert asked(LD, base, blood("2026-03-20", plt_value=D(74)))[1] == ["plt"]  # grade 2 from 0
    assert asked(LD, base, blood("2026-03-20", plt_value=D(75)))[1] == []  # grade 1
    bad = blood("2026-03-10", plt_value=D(100))
    assert asked(LD, bad, blood("2026-03-20", plt_value=D(74)))[1] == []  # grade 2 from 1


@pytest.mark.parametrize(
    ("event", "asks"),
    [
        ({"term": "Platelet count decreased", "start_dt": "2026-03-20"}, []),
        ({"term": "3级血小板计数降低", "start_dt": "2026-03"}, []),
        ({"term": "Platelet count decreased", "start_dt": "2026-03-21"}, ["plt"]),
        ({"term": "Platelet count decreased", "start_dt": "2026-03-01", "end_dt": "2026-03-19"}, ["plt"]),
        ({"term": "Anemia", "start_dt": "2026-03-20"}, ["plt"]),
    ],
)
def test_an_event_on_record_answers_it(event: dict[str, Any], asks: list[str]) -> None:
    row = blood("2026-03-20", plt_value=D(20))
    assert asked(LD, row, AdverseEvent(**event)) == [asks]


# --- response ----------------------------------------------------------------------------------------------------


def marrow(day: str, blasts: str | None, **facts: Any) -> BoneMarrow:
    pct = None if blasts is None else D(blasts)
    usual = {"aspirate_adequate": True, "blast_pct_morph": pct}
    return BoneMarrow(bm_dt=at(day), **{**usual, **READY, **facts})


def assessment(day: str, of: BoneMarrow | None = None, **facts: Any) -> Response:
    usual: dict[str, Any] = {
        "circulating_blasts": False,
        "extramedullary_disease": False,
        "anc": D("1.5"),
        "plt": D(150),
        "bone_marrow_id": None if of is None else of.pk,
    }
    return Response(assess_date=date.fromisoformat(day), **{**usual, **READY, **facts})


def said(*forms: Any) -> list[str]:
    """The responses in the order of time."""
    return [one.value["response"] for one in told("response", *forms)]


def test_a_complete_remission_and_the_investigators_word() -> None:
    one = marrow("2026-04-13", "2")
    row = assessment("2026-04-14", one, investigator_response="CRi")
    (found,) = told("response", infusion(), one, row)
    assert (found.value["response"], found.value["agrees"], found.differs) == ("CR", False, True)
    assert {i.form for i in found.inputs} == {"response", "bone_marrow"}
    row.investigator_response = "CR"
    assert told("response", infusion(), one, row)[0].differs is False


def test_what_cannot_be_told_contradicts_nobody() -> None:
    row = assessment("2026-04-14", investigator_response="CR")
    (found,) = told("response", infusion(), row)
    assert (found.value["response"], found.value["agrees"], found.differs) == ("NE", None, False)


@pytest.mark.parametrize(
    ("bag", "response"),
    [
        (Transfusion(product="PLATELET", start_dt=at("2026-04-06")), "CRi"),
        (Transfusion(product="PLATELET", start_dt=at("2026-04-05")), "CR"),
        (Transfusion(product="PLATELET", start_dt=at("2026-04-14")), "CR"),
        (Transfusion(product="RBC", start_dt=at("2026-04-10")), "CR"),
        (ConMeds(drug_class="GCSF", start_dt="2026-04-01", ongoing=True), "CRi"),
        (ConMeds(drug_class="GCSF", start_dt="2026-04-01", end_dt="2026-04-06", ongoing=False), "CRi"),
        (ConMeds(drug_class="GCSF", start_dt="2026-04-01", end_dt="2026-04-05", ongoing=False), "CR"),
        (ConMeds(drug_class="GCSF", start_dt="2026-04-05", ongoing=False), "CR"),
        (ConMeds(drug_class="GCSF", start_dt="2026-04-14", ongoing=True), "CR"),
        (ConMeds(drug_class="ANTIBIOTIC", start_dt="2026-04-10", ongoing=True), "CR"),
    ],
)
def test_support_within_seven_days(bag: Any, response: str) -> None:
    one = marrow("2026-04-13", "2")
    assert said(infusion(), one, assessment("2026-04-14", one), bag) == [response]


@pytest.mark.parametrize(
    ("day", "response"),
    [("2026-04-10", "CR"), ("2026-04-16", "CR"), ("2026-04-09", "NE"), ("2026-04-17", "NE")],
)
def test_counts_within_three_days_of_the_marrow(day: str, response: str) -> None:
    one = marrow("2026-04-13", "2")
    row = assessment("2026-04-14", one, anc=None, plt=None)
    assert said(infusion(), one, row, blood(day, anc_value=D(2), plt_value=D(200))) == [response]


def test_the_nearest_counts_speak() -> None:
    one = marrow("2026-04-13", "2")
    row = assessment("2026-04-14", one, anc=None, plt=None)
    near, far = (
        blood("2026-04-12", anc_value=D("0.5"), plt_value=D(200)),
        blood("2026-04-15", anc_value=D(2), plt_value=D(200)),
    )
    assert said(infusion(), one, row, near, far) == ["CRi"]


def test_the_marrow_of_the_same_visit_stands_in_and_an_inadequate_one_does_not() -> None:
    one = marrow("2026-04-13", "2", visit="D28")
    assert said(infusion(), one, assessment("2026-04-14", visit="D28")) == ["CR"]
    assert said(infusion(), one, assessment("2026-04-14", visit="M2")) == ["NE"]
    one.aspirate_adequate = False
    assert said(infusion(), one, assessment("2026-04-14", one)) == ["NE"]


def test_relapse_needs_a_remission_before_and_progression_a_baseline() -> None:
    base = marrow("2026-03-10", "40")
    first, back = marrow("2026-04-13", "2"), marrow("2026-06-15", "5")
    rows = [assessment("2026-04-13", first), assessment("2026-06-15", back)]
    assert said(infusion(), LD, base, first, back, *rows) == ["CR", "RELAPSE"]
    assert said(infusion(), LD, base, back, rows[1]) == ["NR"]
    worse = marrow("2026-04-13", "50")
    assert said(infusion(), LD, base, worse, assessment("2026-04-13", worse)) == ["PD"]
    assert said(infusion(), LD, worse, assessment("2026-04-13", worse)) == ["NR"]


def test_cns3_is_extramedullary_disease_and_new_where_there_was_none() -> None:
    one, fluid = (
        marrow("2026-04-13", "2"),
        Csf(lp_dt=at("2026-04-13"), cns_status="CNS3", csf_blasts="POSITIVE", csf_wbc=9, csf_rbc=0),
    )
    row = assessment("2026-04-13", one, csf_id=fluid.pk)
    history = DiseaseHistory(cns_status="CNS1", extramedullary_sites=[])
    assert said(infusion(), one, fluid, row) == ["NR"]
    assert said(infusion(), one, fluid, row, history) == ["PD"]
    history.cns_status = "CNS3"
    assert said(infusion(), one, fluid, row, history) == ["NR"]
    history.cns_status, history.extramedullary_sites = "CNS1", ["SKIN"]
    assert said(infusion(), one, fluid, row, history) == ["NR"]


def test_residual_disease() -> None:
    row = marrow("2026-04-13", "2", mrd_method="FLOW", mrd_result="NOT_DETECTED", mrd_sensitivity=D("0.0001"))
    assert value("mrd", row)["category"] == "NEGATIVE"
    row.mrd_sensitivity = D("0.001")
    assert value("mrd", row)["category"] == "NEGATIVE_INSUFFICIENT_SENSITIVITY"
    row.mrd_result, row.mrd_level = "DETECTED", D("0.0001")
    assert value("mrd", row)["category"] == "POSITIVE"
    assert not told("mrd", marrow("2026-04-13", "2"))


def followed_up(*course: tuple[str, str]) -> list[Any]:
    """Marrows and assessments on these days, with these blasts."""
    made: list[Any] = []
    for day, blasts in course:
        one = marrow(day, blasts)
        made += [one, assessment(day, one, investigator_response="CR")]
    return made


@pytest.mark.parametrize(
    ("course", "best", "confirmed"),
    [
        ([("2026-04-13", "2")], ("CR", "2026-04-13"), False),
        ([("2026-04-13", "40"), ("2026-06-23", "2")], ("CR", "2026-06-23"), False),  # 16 June + 7 days
        ([("2026-04-13", "40"), ("2026-06-24", "2")], ("NR", "2026-04-13"), False),
        ([("2026-04-13", "2"), ("2026-05-11", "2")], ("CR", "2026-04-13"), True),  # 28 days apart
        ([("2026-04-13", "2"), ("2026-05-10", "2")], ("CR", "2026-04-13"), False),
        ([], ("NE", None), False),
    ],
)
def test_best_response(course: list[tuple[str, str]], best: tuple[str, str | None], confirmed: bool) -> None:
    plan = DoseAllocation(level="DL2")
    found = value("best_response", infusion(), plan, *followed_up(*course))
    assert ((found["best"], found["on"]), found["confirmed"]) == (best, confirmed)
    assert (found["until"], found["level"], found["responder"]) == ("2026-06-23", "DL2", best[0] == "CR")
    assert found["investigator"] == ("CR" if course else "NE")
    assert not told("best_response", *followed_up(*course))


# --- time to event -----------------------------------------------------------------------------------------------


def time_of(name: str, *forms: Any, protocol: Protocol = V1) -> tuple[Any, ...]:
    found = value(name, infusion("2026-03-16"), *forms, protocol=protocol)
    return found["days"], found["event"], found["reason"], found["until"]


def test_overall_survival() -> None:
    seen = Visit(visit="D28", actual_date=date(2026, 4, 13))
    assert time_of("os") == (1, False, "NO_EVENT", "2026-03-16")
    assert time_of("os", seen) == (29, False, "NO_EVENT", "2026-04-13")
    assert time_of("os", seen, Death(death_date="2026-04-20")) == (36, True, "DEATH", "2026-04-20")
    alive = SurvivalLtfu(contact_date=date(2026, 6, 1), vital_status="ALIVE")
    lost = SurvivalLtfu(contact_date=date(2026, 6, 1), vital_status="LOST", last_known_alive=date(2026, 5, 1))
    assert time_of("os", seen, alive)[3] == "2026-06-01"
    assert time_of("os", seen, lost)[3] == "2026-05-01"


def test_a_day_of_death_known_in_part_leaves_the_time_open() -> None:
    found = value("os", infusion("2026-03-16"), Death(death_date="2026-04"))
    assert (found["days"], found["event"], found["reason"]) == (None, True, "DEATH")
    assert (found["days_low"], found["days_high"]) == (17, 46)  # 1 and 30 April


def test_progression_free_survival() -> None:
    good = followed_up(("2026-04-13", "2"))
    back = followed_up(("2026-06-15", "30"))
    assert time_of("pfs", *good) == (29, False, "NO_EVENT", "2026-04-13")
    assert time_of("pfs", *good, *back) == (92, True, "PROGRESSION", "2026-06-15")
    told_by_phone = SurvivalLtfu(
        contact_date=date(2026, 6, 1), disease_status="RELAPSED", vital_status="ALIVE"
    )
    assert time_of("pfs", *good, *back, told_by_phone) == (78, True, "PROGRESSION", "2026-06-01")
    assert time_of("pfs") == (1, False, "NO_ASSESSMENT", "2026-03-16")


def test_new_therapy_censors_and_a_transplant_in_remission_does_not() -> None:
    good, back = followed_up(("2026-04-13", "2")), followed_up(("2026-06-15", "30"))
    chemo = SubsequentTherapy(type="CHEMO", start_date=date(2026, 5, 1), in_remission="YES")
    sct = SubsequentTherapy(type="ALLO_SCT", start_date=date(2026, 5, 1), in_remission="YES")
    late = SubsequentTherapy(type="ALLO_SCT", start_date=date(2026, 5, 1), in_remission="NO")
    early = SubsequentTherapy(type="CHEMO", start_date=date(2026, 3, 16), in_remission="NO")
    after = SubsequentTherapy(type="CHEMO", start_date=date(2026, 6, 16), in_remission="NO")
    assert time_of("pfs", *good, *back, chemo) == (29, False, "NEW_THERAPY", "2026-04-13")
    assert time_of("pfs", *good, *back, late)[2] == "NEW_THERAPY"
    for one in (sct, early, after):
        assert time_of("pfs", *good, *back, one)[2] == "PROGRESSION"
    assert time_of("pfs", *good, *back, sct, protocol=amended(sct_censors_pfs=True))[2] == "TRANSPLANT"


def test_no_response_at_month_3_counts_only_where_the_protocol_says_so() -> None:
    one = marrow("2026-06-16", "30")
    row = assessment("2026-06-16", one, visit="M3")
    assert time_of("pfs", one, row) == (93, False, "NO_EVENT", "2026-06-16")
    assert time_of("pfs", one, row, protocol=amended(nr_is_pfs_event=True)) == (
        93,
        True,
        "NO_RESPONSE",
        "2026-06-16",
    )


def test_duration_of_response() -> None:
    good, back = followed_up(("2026-04-13", "2")), followed_up(("2026-06-15", "30"))
    assert time_of("dor", *good, *back) == (64, True, "PROGRESSION", "2026-06-15")
    assert not told("dor", infusion(), *back)
    assert not told("dor", *good)


# --- kinetics, cytokines, B cells --------------------------------------------------------------------------------


def sample(day: int, result: str, **facts: Any) -> PkSample:
    """A qPCR result of blood so many whole days after the infusion."""
    copies = None if result == "BLQ" else D(result)
    usual: dict[str, Any] = {"assay": "QPCR", "specimen": "PB", "copies_per_ug": copies, "lloq": D(50)}
    return PkSample(
        collect_dt=at("2026-03-16") + timedelta(days=day), result_text=result, **{**usual, **READY, **facts}
    )


PROFILE = [
    sample(d, c) for d, c in ((0, "BLQ"), (4, "1000"), (7, "8000"), (14, "2000"), (21, "500"), (28, "125"))
]


def test_kinetics_of_one_assay_by_hand() -> None:
    # up: (0+1000)/2*4 = 2000, (1000+8000)/2*3 = 13500; down, each 7 days by a factor of 4:
    # 7*(6000+1500+375)/ln 4 = 55125/1.386294361 = 39764.28...; half-life 3.5 days
    found = value("pk", infusion(), *PROFILE)
    assert (found["cmax"], found["tmax"], found["clast"], found["tlast"]) == ("8000", "7", "125", "28")
    assert (found["first_detected"], found["flag"], found["samples"]) == ("4", None, 6)
    assert abs(D(found["auc0_28"]) - D("55264.28")) < D("0.01")
    assert abs(D(found["half_life_days"]) - D("3.5")) < D("1e-20")


def test_assays_and_specimens_are_never_mixed() -> None:
    flow = [
        sample(d, str(c), assay="FLOW", copies_per_ug=None, car_pct_cd3=D(c), lloq=None)
        for d, c in ((7, 40), (28, 1))
    ]
    marrow_ = [sample(28, "900", specimen="BM")]
    found = {one.key: one.value for one in told("pk", infusion(), *PROFILE, *flow, *marrow_)}
    assert set(found) == {"QPCR:PB", "QPCR:BM", "FLOW:PB"}
    assert (found["FLOW:PB"]["cmax"], found["FLOW:PB"]["unit"]) == (D(40), "%")
    assert (found["QPCR:PB"]["cmax"], found["QPCR:BM"]["samples"]) == (D(8000), 1)


def test_too_short_a_follow_up_has_no_area() -> None:
    found = value("pk", infusion(), *PROFILE[:5])
    assert (found["auc0_28"], found["flag"], found["cmax"]) == (None, "INSUFFICIENT_SAMPLING", "8000")
    assert not told("pk", *PROFILE)


def cytokine(day: int, il6: str, qual: str = "", hours: int = 0) -> PdCytokine:
    when = at("2026-03-16") + timedelta(days=day, hours=hours)
    return PdCytokine(collect_dt=when, il6_value=D(il6), il6_qual=qual, **READY)


def test_the_peak_of_a_cytokine() -> None:
    rows = [cytokine(-1, "5"), cytokine(2, "400", hours=12), cytokine(4, "400"), cytokine(7, "20")]
    found = value("cytokine_peak", infusion(), *rows)
    assert (found["cytokine"], found["peak"], found["unit"], found["day"]) == ("il6", "400", "pg/mL", "2.5")
    assert (found["before"], found["fold"], found["after_tocilizumab"]) == ("5", "80", False)


@pytest.mark.parametrize(
    ("start", "after", "samples"),
    [
        ("2026-03-18T22:00+08:00", True, 2),
        ("2026-03-18T22:01+08:00", False, 1),
        ("2026-03-10", False, 0),  # before the infusion
        ("2026-03-18", True, 2),  # could have been before the sample
    ],
)
def test_samples_after_tocilizumab_are_flagged(start: str, after: bool, samples: int) -> None:
    rows = [cytokine(-1, "5"), cytokine(2, "400", hours=12), cytokine(7, "20")]
    found = value("cytokine_peak", infusion(), *rows, drug("TOCILIZUMAB", start))
    assert (found["after_tocilizumab"], found["tocilizumab_samples"]) == (after, samples)


def test_no_fold_from_a_bounded_result_and_none_from_nothing() -> None:
    assert value("cytokine_peak", infusion(), cytokine(-1, "2", "<"), cytokine(2, "400"))["fold"] is None
    assert value("cytokine_peak", infusion(), cytokine(2, "400"))["before"] is None
    assert value("cytokine_peak", infusion(), cytokine(-1, "2"), cytokine(2, "400", ">"))["fold"] is None
    assert not told("cytokine_peak", infusion(), cytokine(-1, "2"))


def b_cells(day: str, share: str, qual: str = "") -> PdBcell:
    return PdBcell(collect_dt=at(day), cd19_pct_lymph_value=D(share), cd19_pct_lymph_qual=qual, **READY)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("2026-04-13", "0.5", ""), ("2026-06-16", "4", "")], (28, True, 64)),
        ([("2026-04-13", "0.5", ""), ("2026-06-16", "2.9", "")], (28, False, 64)),
        ([("2026-04-13", "3", ""), ("2026-06-16", "3", "<")], (92, False, 0)),
        ([("2026-04-13", "5", "<"), ("2026-06-16", "1", "<")], (92, False, 0)),
        ([("2026-04-13", "3", "<="), ("2026-06-16", "5", ">")], (None, None, None)),
        ([("2026-04-13", "1", "<="), ("2026-06-16", "2", ">")], (28, False, 0)),
        ([("2026-04-13", "1", "<="), ("2026-06-16", "3", ">=")], (28, True, 64)),
        ([("2026-03-10", "0.5", "")], (None, None, None)),
    ],
)
def test_aplasia(rows: list[tuple[str, str, str]], expected: tuple[Any, ...]) -> None:
    found = value("b_cell_aplasia", infusion(), *(b_cells(*row) for row in rows))
    assert (found["onset_day"], found["recovered"], found["duration_days"]) == expected
