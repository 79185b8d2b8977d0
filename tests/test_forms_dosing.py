"""Forms on product, dose and adverse events: what they compute, refuse and ask. One fact changes per row."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dosing import models
from dosing.arithmetic import body_surface, minutes
from dosing.codelists import DOSE_LEVEL
from dosing.levels import LEVELS, planned_per_kg
from safety.models import AdverseEvent, AdverseEventGrade, DltAssessment
from subjects.crf import CRF
from trial.edit_checks import calculate, impossible
from trial.item import Basis, items
from trial.text import both

D = Decimal
NOON = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)
FORMS: dict[str, tuple[type[CRF], str, str]] = {
    "apheresis": (models.Apheresis, "log", "PR"),
    "bridging": (models.Bridging, "log", "CM"),
    "manufacturing": (models.Manufacturing, "log", ""),
    "chain_of_identity": (models.ChainOfIdentity, "log", ""),
    "lymphodepletion": (models.Lymphodepletion, "log", "EC"),
    "dose_allocation": (models.DoseAllocation, "one", ""),
    "infusion": (models.Infusion, "log", "EC"),
    "adverse_event": (AdverseEvent, "log", "AE"),
    "adverse_event_grade": (AdverseEventGrade, "log", "FA"),
    "dlt_assessment": (DltAssessment, "one", ""),
}


def refused(record: CRF) -> list[tuple[str, str]]:
    """Which fields contradict others, and how."""
    return [(problem.field, problem.code) for problem in record.contradictions()]


def asked(record: CRF) -> list[tuple[str, str]]:
    """Which fields are asked about, and by which check."""
    return [(doubt.field, doubt.check) for doubt in record.doubts()]


def after(minutes_: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=minutes_)


@pytest.mark.parametrize("name", FORMS)
def test_form_states_what_it_is(name: str) -> None:
    model, repeats, domain = FORMS[name]
    assert (model.form, model.repeats, model.domain) == (name, repeats, domain)
    assert not model.dated_by or model.dated_by in items(model)
    assert all(meaning.en and meaning.zh for meaning in items(model).values())


@pytest.mark.parametrize("name", FORMS)
def test_conditions_and_date_orders_name_items_of_the_form_and_codes_of_the_list(name: str) -> None:
    meanings = items(FORMS[name][0])
    for meaning in meanings.values():
        for other in (meaning.not_before, meaning.strictly_after):
            assert not other or other in meanings
        for other, answers in meaning.when.items():
            known = meanings[other].codes
            assert known is None or set(answers) <= set(known.codes)


@pytest.mark.parametrize("name", FORMS)
def test_an_empty_form_is_neither_refused_nor_asked_about(name: str) -> None:
    record = FORMS[name][0]()
    calculate(record)
    assert refused(record) == [] and asked(record) == []


# Dose levels


def test_levels_are_the_published_ones_and_one_default_below() -> None:
    assert [(level.code, level.per_kg, level.basis) for level in LEVELS] == [
        ("DL-1", D("0.5e6"), Basis.DEFAULT),
        ("DL1", D("1e6"), Basis.PUBLISHED),
        ("DL2", D("5e6"), Basis.PUBLISHED),
        ("DL3", D("1e7"), Basis.PUBLISHED),
    ]
    assert [level.code for level in LEVELS if level.expansion] == ["DL1"]
    assert DOSE_LEVEL.codes == tuple(level.code for level in LEVELS)


@pytest.mark.parametrize(
    ("level", "cells"),
    [("DL-1", D(500_000)), ("DL2", D(5_000_000)), ("DL3", D(10_000_000)), ("DL4", None), ("", None)],
)
def test_planned_dose_follows_the_level(level: str, cells: Decimal | None) -> None:
    record = models.DoseAllocation(level=level)
    calculate(record)
    assert record.planned_per_kg == cells == planned_per_kg(level)


@pytest.mark.parametrize(
    ("volume", "share", "weight", "grams"),
    [
        ("50", "7.5", "60", "0.069"),
        ("100", "10", "55.5", "0.198"),
        ("600", "10", "60", "1.100"),
        ("100", "0", "60", "0.000"),
        ("100", None, "60", None),
        (None, "10", "60", None),
        ("100", "10", None, None),
    ],
)
def test_dmso_per_kg_is_worked_out_and_asked_about_above_one_gram(
    volume: str | None, share: str | None, weight: str | None, grams: str | None
) -> None:
    given = {"volume_infused_ml": volume, "dmso_pct": share, "dosing_weight_kg": weight}
    record = models.Infusion(**{name: text and Decimal(text) for name, text in given.items()})
    calculate(record)
    assert record.dmso_g_per_kg == (Decimal(grams) if grams else None)
    asked = [doubt.check for doubt in record.doubts() if doubt.check == "infusion.dmso"]
    assert asked == (["infusion.dmso"] if grams and Decimal(grams) > 1 else [])


# Lymphodepletion


@pytest.mark.parametrize(
    ("height", "weight", "surface"),
    [
        ("160", "60", "1.63"),  # Mosteller, vectors BSA-02, -04, -07, -17, -20
        ("165", "55", "1.59"),
        ("158", "52.5", "1.52"),
        ("183", "95.3", "2.20"),
        ("164", "49.9", "1.51"),
        ("170", "70", "1.82"),
    ],
)
def test_body_surface_at_two_decimals(height: str, weight: str, surface: str) -> None:
    assert str(body_surface(D(height), D(weight))) == surface


@pytest.mark.parametrize(
    ("height", "weight"), [(None, D(70)), (D(170), None), (D(-170), D(70)), (D(170), D(0))]
)
def test_no_body_surface_without_height_and_weight(height: Decimal | None, weight: Decimal | None) -> None:
    record = models.Lymphodepletion(height_cm=height, weight_kg=weight)
    calculate(record)
    assert record.bsa_m2 is None


def cyclophosphamide(**changed: Any) -> models.Lymphodepletion:
    """300 mg/m2 at 1.82 m2: 546.0 mg."""
    answers = {
        "drug": "CYCLOPHOSPHAMIDE",
        "height_cm": D(170),
        "weight_kg": D(70),
        "planned_mg_m2": D(300),
        "planned_mg": D("546.0"),
    }
    return models.Lymphodepletion(**{**answers, **changed})


PLANNED = ("planned_mg", "lymphodepletion.planned_dose")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"planned_mg": D("546.1")}, []),
        ({"planned_mg": D("546.2")}, [PLANNED]),
        ({"planned_mg": D("545.8")}, [PLANNED]),
        ({"weight_kg": None}, []),
        ({"planned_mg": None}, []),
        ({"drug": ""}, []),
        ({"drug": "FLUDARABINE"}, []),
        ({"drug": "FLUDARABINE", "planned_mg": D("436.8")}, []),  # a renal factor lowers the dose
        ({"drug": "FLUDARABINE", "planned_mg": D("600")}, [PLANNED]),  # and never raises it
    ],
)
def test_planned_dose_agrees_with_dose_per_m2(
    changed: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert asked(cyclophosphamide(**changed)) == expected


@pytest.mark.parametrize(
    ("given", "wanted"), [(D("0"), True), (D("0.0"), True), (D("54.6"), False), (None, False)]
)
def test_reason_is_asked_when_nothing_was_given(given: Decimal | None, wanted: bool) -> None:
    record = cyclophosphamide(actual_mg=given)
    assert items(record)["not_given_reason"].asked(record) is wanted


# Apheresis


def collection(**changed: Any) -> models.Apheresis:
    """10 × 10^9 nucleated cells, 40 % CD3+: 4 × 10^9."""
    return models.Apheresis(**{"tnc_e9": D(10), "cd3_pct": D(40), "cd3_e9": D(4), **changed})


PRODUCT = ("cd3_e9", "apheresis.cd3_product")


@pytest.mark.parametrize(
    ("changed", "refusals", "questions"),
    [
        ({}, [], []),
        ({"cd3_e9": D("4.4")}, [], []),
        ({"cd3_e9": D("4.41")}, [], [PRODUCT]),
        ({"cd3_e9": D("3.5")}, [], [PRODUCT]),
        ({"cd3_e9": D(10), "cd3_pct": D(100)}, [], []),
        ({"cd3_e9": D("10.001")}, [("cd3_e9", "part_exceeds_whole")], []),
        ({"tnc_e9": None}, [], []),
        ({"cd3_pct": None}, [], []),
    ],
)
def test_cd3_cells_are_part_of_nucleated_cells(
    changed: dict[str, Any], refusals: list[tuple[str, str]], questions: list[tuple[str, str]]
) -> None:
    record = collection(**changed)
    assert (refused(record), asked(record)) == (refusals, questions)


@pytest.mark.parametrize(("sequence", "wanted"), [(None, []), (1, []), (2, []), (3, ["apheresis.too_many"])])
def test_a_third_apheresis_is_asked_about(sequence: int | None, wanted: list[str]) -> None:
    doubts = list(models.Apheresis(sequence=sequence).doubts())
    assert [doubt.check for doubt in doubts] == wanted
    assert all("3" in doubt.message for doubt in doubts)


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [(True, []), (None, []), (False, [("tocilizumab_available", "infusion.tocilizumab")])],
)
def test_an_infusion_without_tocilizumab_on_site_is_asked_about(answer: bool | None, wanted: Any) -> None:
    assert asked(models.Infusion(tocilizumab_available=answer)) == wanted


@pytest.mark.parametrize(
    ("beads", "wanted"),
    [(None, []), (0, []), (99, []), (100, [("residual_beads", "manufacturing.beads")])],
)
def test_many_residual_beads_are_asked_about(beads: int | None, wanted: Any) -> None:
    assert asked(models.Manufacturing(residual_beads=beads)) == wanted


# Product


@pytest.mark.parametrize(
    ("volume", "concentration", "viability", "cd3", "car", "total"),
    [
        ("20", "1.0e7", "85", "97", "36.4", "60023600"),  # vectors DOSE-02, -08, -14, -23
        ("30", "1.2e7", "91", "98.5", "20", "64537200"),
        ("35", "9.0e6", "88", "98", "23.3", "63295848"),
        ("10", "1.5e7", "80.01", "100", "100", "120015000"),
        ("20", "1.0e7", None, "97", "36.4", None),
        (None, "1.0e7", "85", "97", "36.4", None),
    ],
)
def test_car_cells_of_the_batch(
    volume: str | None, concentration: str, viability: str | None, cd3: str, car: str, total: str | None
) -> None:
    def dec(text: str | None) -> Decimal | None:
        return None if text is None else D(text)

    record = models.Manufacturing(
        volume_ml=dec(volume),
        cells_per_ml=dec(concentration),
        viability_pct=dec(viability),
        cd3_pct=dec(cd3),
        car_pos_pct=dec(car),
    )
    calculate(record)
    assert record.car_cells_total == dec(total)


def test_absurd_amounts_reach_the_range_check_that_refuses_them() -> None:
    full = D("100.00")
    record = models.Manufacturing(volume_ml=D("999999.9"), cells_per_ml=D("9" * 20 + ".9999"))
    record.viability_pct = record.cd3_pct = record.car_pos_pct = full
    calculate(record)
    found = impossible(record, "Asia/Shanghai", NOON.date(), NOON)
    assert {problem.field for problem in found} == {"volume_ml", "cells_per_ml"}


PENDING = "manufacturing.released_while_pending"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"rcl": "PENDING"}, [("rcl", PENDING)]),
        (
            {"sterility": "PENDING", "mycoplasma": "PENDING"},
            [("sterility", PENDING), ("mycoplasma", PENDING)],
        ),
        ({"sterility": "NEGATIVE_TO_DATE"}, []),
        ({"rcl": "PENDING", "release_decision": "CONDITIONAL_RELEASE"}, []),
    ],
)
def test_unconditional_release_waits_for_its_tests(
    changed: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    answers = {
        "release_decision": "RELEASED",
        "sterility": "NO_GROWTH",
        "mycoplasma": "NEGATIVE",
        "rcl": "NEGATIVE",
    }
    assert asked(models.Manufacturing(**{**answers, **changed})) == expected


def test_question_about_a_release_speaks_both_languages() -> None:
    record = models.Manufacturing(release_decision="RELEASED", sterility="PENDING")
    words = both(next(record.doubts()).message)
    assert "Sterility" in words["en"] and "无菌检查" in words["zh"] and "无菌检查" not in words["en"]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        ("-196", "-150", []),
        ("-150", "-150", []),
        ("-150", "-196", [("temp_min_c", "low_above_high")]),
        (None, "-150", []),
    ],
)
def test_lowest_temperature_is_not_above_the_highest(
    low: str | None, high: str, expected: list[tuple[str, str]]
) -> None:
    record = models.ChainOfIdentity(temp_min_c=None if low is None else D(low), temp_max_c=D(high))
    assert refused(record) == expected


@pytest.mark.parametrize(
    ("performed", "verified", "expected"),
    [
        (1, 2, []),
        (1, 1, [("verified_by", "chain_of_identity.same_person")]),
        (1, None, []),
        (None, None, []),
    ],
)
def test_a_second_person_verifies(
    performed: int | None, verified: int | None, expected: list[tuple[str, str]]
) -> None:
    assert asked(models.ChainOfIdentity(performed_by_id=performed, verified_by_id=verified)) == expected


# Infusion


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (NOON, after(30), 30),
        (NOON, after(30.1), 31),  # a begun minute counts
        (NOON, NOON, 0),
        (None, NOON, None),
        (NOON, None, None),
    ],
)
def test_minutes_count_when_begun(start: datetime | None, end: datetime | None, expected: int | None) -> None:
    assert minutes(start, end) == expected


def test_infusion_works_out_its_intervals() -> None:
    record = models.Infusion(thaw_end_dt=NOON, inf_start_dt=after(12), inf_end_dt=after(40))
    calculate(record)
    assert (record.thaw_to_inf_min, record.duration_min) == (12, 28)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"thaw_start_dt": after(5)}, [("thaw_end_dt", "wrong_order")]),
        ({"thaw_start_dt": after(10), "thaw_end_dt": None}, [("inf_start_dt", "wrong_order")]),
        ({"thaw_end_dt": after(10)}, []),
        ({"thaw_end_dt": after(11)}, [("inf_start_dt", "wrong_order")]),
        ({"inf_end_dt": after(10)}, [("inf_end_dt", "wrong_order")]),
        ({"thaw_start_dt": None, "thaw_end_dt": None}, []),
    ],
)
def test_thawing_precedes_infusion(changed: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    times = {
        "thaw_start_dt": NOON,
        "thaw_end_dt": after(4),
        "inf_start_dt": after(10),
        "inf_end_dt": after(30),
    }
    record = models.Infusion(**{**times, **changed})
    found = impossible(record, "Asia/Shanghai", after(60).date(), after(60))
    assert [(problem.field, problem.code) for problem in found] == expected


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [(1, 2, []), (1, 1, [("verified_by_2", "infusion.same_person")]), (None, None, []), (1, None, [])],
)
def test_two_persons_check_at_the_bedside(
    one: int | None, two: int | None, expected: list[tuple[str, str]]
) -> None:
    assert asked(models.Infusion(verified_by_1_id=one, verified_by_2_id=two)) == expected


# Adverse events


def event(**changed: Any) -> AdverseEvent:
    """A serious, possibly related, unexpected event that has ended; the site knew at noon."""
    answers = {
        "start_dt": "2026-03-04T10:00+08:00",
        "end_dt": "2026-03-05T09:00+08:00",
        "ongoing": False,
        "max_grade": 3,
        "serious": True,
        "sae_criteria": ["HOSPITALISATION"],
        "sae_aware_dt": NOON,
        "rel_sscart19": "POSSIBLE",
        "expected": False,
        "action": ["DRUG"],
        "outcome": "RECOVERED",
    }
    return AdverseEvent(**{**answers, **changed})


@pytest.mark.parametrize(
    ("changed", "susar", "days"),
    [
        ({}, True, 15),
        ({"rel_sscart19": "RELATED"}, True, 15),
        ({"rel_sscart19": "UNLIKELY"}, False, None),
        ({"rel_sscart19": "UNRELATED", "expected": None}, False, None),
        ({"serious": False}, False, None),
        ({"expected": True}, False, None),
        ({"expected": None}, None, None),
        ({"rel_sscart19": ""}, None, None),
        ({"serious": None}, None, None),
        ({"sae_criteria": ["LIFE_THREATENING", "HOSPITALISATION"]}, True, 7),
        ({"sae_criteria": ["DEATH"]}, True, 7),
        ({"sae_aware_dt": None}, True, None),
    ],
)
def test_susar_and_when_it_is_due(changed: dict[str, Any], susar: bool | None, days: int | None) -> None:
    record = event(**changed)
    calculate(record)
    assert record.susar is susar
    assert record.sponsor_report_due == (None if days is None else NOON + timedelta(days=days))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"max_grade": 5}, [("outcome", "death_without_fatal_outcome")]),
        ({"max_grade": 5, "outcome": "FATAL"}, []),
        ({"max_grade": 5, "outcome": ""}, []),
        ({"max_grade": 5, "outcome": "FATAL", "serious": False}, [("serious", "death_not_serious")]),
        ({"ongoing": True}, [("ongoing", "over_and_ongoing")]),
        ({"ongoing": True, "outcome": "SEQUELAE"}, [("ongoing", "over_and_ongoing")]),
        ({"ongoing": True, "outcome": "RECOVERING"}, []),
        ({"action": ["NONE"]}, []),
        ({"action": ["NONE", "ICU"]}, [("action", "none_and_others")]),
        ({"end_dt": "2026-03-04T09:59+08:00"}, [("end_dt", "wrong_order")]),
        ({"end_dt": "2026-03-04T10:00+08:00"}, []),
        ({"end_dt": "2026-03-04"}, []),
        ({"end_dt": "2026-03-03T10:00+08:00"}, []),  # another day: refused by the order of the dates
    ],
)
def test_contradictions_of_an_adverse_event(changed: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert refused(event(**changed)) == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"outcome": "FATAL", "max_grade": 5, "sae_criteria": ["DEATH"]}, []),
        (
            {"outcome": "FATAL", "max_grade": 4, "sae_criteria": ["DEATH"]},
            [("max_grade", "adverse_event.fatal_below_grade_5")],
        ),
        ({"outcome": "FATAL", "max_grade": 5}, [("sae_criteria", "adverse_event.fatal_without_death")]),
        ({"outcome": "FATAL", "max_grade": 5, "sae_criteria": []}, []),
        ({"sae_criteria": ["DEATH"]}, [("outcome", "adverse_event.death_without_fatal")]),
        ({"sae_criteria": ["DEATH"], "outcome": ""}, []),
    ],
)
def test_doubts_about_an_adverse_event(changed: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert asked(event(**changed)) == expected


def test_a_refusal_speaks_both_languages() -> None:
    words = both(next(event(max_grade=5).contradictions()).message)
    assert "“Recovered”" in words["en"] and "“痊愈”" in words["zh"]


# Dose-limiting toxicity

REASON = ("reason", "dlt_assessment.reason")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"evaluable": "YES", "any_dlt": "NO"}, []),
        ({"evaluable": "PENDING", "any_dlt": "PENDING"}, []),
        ({"evaluable": "NO", "any_dlt": "NO"}, [REASON]),
        ({"evaluable": "NO", "any_dlt": "NO", "reason": "60 % of the planned dose"}, []),
        ({"evaluable": "YES", "any_dlt": "YES"}, [REASON]),
        ({"evaluable": "YES", "any_dlt": "YES", "reason": " "}, [REASON]),
        (
            {"evaluable": "NO", "any_dlt": "YES", "reason": "CRS grade 4"},
            [("evaluable", "dlt_assessment.toxic_not_evaluable")],
        ),
    ],
)
def test_doubts_about_a_judgement_on_toxicity(
    answers: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    assert asked(DltAssessment(**answers)) == expected
