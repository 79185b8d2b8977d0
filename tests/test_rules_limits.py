"""Rules at the very moment or day at which they begin and end to hold."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from dosing.models import DoseAllocation, Infusion
from safety.rules import RULES
from safety.trialbook import TrialBook
from subjects.models import Death, InformedConsent, SubsequentTherapy
from tests.books import at, book
from tests.followed import crs, vitals
from tests.people import Change, also, both, changed, put, without
from tests.test_rules_visits import TOCI, day, drug
from trial.models import IcfVersion
from trial.protocol import V1
from visits.models import Response

D = Decimal
BROKEN, HELD, OPEN = False, None, True


def relapsed(when: str) -> Response:
    """Progression on a day."""
    return Response(assess_date=date.fromisoformat(when), investigator_response="PD")


ROWS: list[tuple[str, Change, bool | None]] = [
    # DV-57: 12 hours before tocilizumab on 18 March at 10:00, an assessment without a grade
    (
        "DV-57",
        also(drug(TOCI, "2026-03-18T10:00+08:00", dose_number=1), crs(day(1, "22:00"), "D1", None)),
        OPEN,
    ),
    (
        "DV-57",
        also(drug(TOCI, "2026-03-18T10:00+08:00", dose_number=1), crs(day(1, "21:59"), "D1", None)),
        BROKEN,
    ),
    (
        "DV-57",
        also(drug(TOCI, "2026-03-18T10:00+08:00", dose_number=1), crs(day(2, "10:00"), "D2", None)),
        OPEN,
    ),
    (
        "DV-57",
        also(drug(TOCI, "2026-03-18T10:00+08:00", dose_number=1), crs(day(2, "10:01"), "D2", None)),
        BROKEN,
    ),
    # only the day is known: from noon of the day before to midnight
    ("DV-57", also(drug(TOCI, "2026-03-18", dose_number=1), crs(day(1, "12:00"), "D1", None)), OPEN),
    ("DV-57", also(drug(TOCI, "2026-03-18", dose_number=1), crs(day(2, "23:59"), "D2", None)), OPEN),
    ("DV-57", also(drug(TOCI, "2026-03-16T10:00+08:00", dose_number=1)), BROKEN),  # as the infusion began
    ("DV-57", also(drug(TOCI, "2026-03-16T09:59+08:00", dose_number=1)), HELD),
    ("DV-57", also(drug(TOCI, "2026-03-16", dose_number=1)), OPEN),  # before the infusion or after
    # DV-58: twice within 8 hours, and the number of doses
    ("DV-58", also(*(drug(TOCI, f"2026-03-{n}T02:00+08:00") for n in (16, 17, 18, 19))), HELD),
    ("DV-58", also(*(drug(TOCI, f"2026-03-{n}T02:00+08:00") for n in (16, 17, 18, 19, 20))), BROKEN),
    ("DV-58", also(drug(TOCI, "2026-03-18T20:00+08:00"), drug(TOCI, "2026-03-19")), OPEN),
    ("DV-58", also(drug(TOCI, "2026-03-18T15:59+08:00"), drug(TOCI, "2026-03-19")), HELD),
    (
        "DV-58",
        # two surely too near, whatever the hour of a third
        also(drug(TOCI, "2026-03-18"), *(drug(TOCI, f"2026-03-18T{hour}:00+08:00") for hour in ("02", "09"))),
        BROKEN,
    ),
    # DV-61: from 11 March to 16 June
    ("DV-61", also(drug("CHEMO", "2026-06-16", route="IV", drug="vincristine")), BROKEN),
    ("DV-61", also(drug("CHEMO", "2026-06-17", route="IV", drug="vincristine")), HELD),
    ("DV-61", also(drug("TKI", "", end_dt="2026-03-16")), HELD),  # whenever it began, it was over
    ("DV-61", also(drug("TKI", "", end_dt="2026-03-17")), OPEN),
    ("DV-61", also(drug("TKI", "", end_dt="")), OPEN),
    ("DV-61", also(drug("TKI", "2026-06-16", end_dt="")), BROKEN),
    # therapy of the leukaemia is free from the day of progression on
    (
        "DV-61",
        also(drug("CHEMO", "2026-03-18", route="IV", drug="vincristine"), relapsed("2026-03-19")),
        BROKEN,
    ),
    (
        "DV-61",
        also(drug("CHEMO", "2026-03-19", route="IV", drug="vincristine"), relapsed("2026-03-19")),
        HELD,
    ),
    ("DV-61", also(drug("TKI", "2026-03-17"), relapsed("2026-03-17")), HELD),
    ("DV-61", also(drug("TKI", "2026-03-17"), relapsed("2026-03-18")), BROKEN),
    # DV-62
    *(
        ("DV-62", also(SubsequentTherapy(type="CHEMO", start_date=start, in_remission="YES")), verdict)
        for start, verdict in ((date(2026, 3, 16), BROKEN), (date(2026, 3, 15), HELD))
    ),
    # DV-45
    (
        "DV-45",
        also(vitals(at("2026-03-16", "14:01"), "D0", "INF_4H", spo2_pct=None)),
        HELD,  # the other one has it
    ),
    ("DV-45", both(without("D0 INF_30M"), also(Death(death_date="2026-03-16"))), HELD),
    ("DV-45", both(without("D0 INF_30M"), also(Death(death_date="2026-03-17"))), BROKEN),
    # DV-54: the sample of Day 1 may be of Day 0 to 2
    ("DV-54", both(without("D1 pk"), also(Death(death_date="2026-03-18"))), BROKEN),
    ("DV-54", both(without("D1 pk"), also(Death(death_date="2026-03-17"))), HELD),
]


@pytest.mark.parametrize(("rule", "change", "verdict"), ROWS)
def test_one_changed_fact(rule: str, change: Change, verdict: bool | None) -> None:
    assert changed(change).says(rule) is verdict


@pytest.mark.parametrize(
    ("since", "until", "verdict"),
    [
        ("10:00", "", BROKEN),
        ("10:01", "", HELD),
        ("09:00", "10:00", HELD),  # released that very moment
        ("09:00", "10:01", BROKEN),
        ("10:01", "10:02", HELD),
    ],
)
def test_nobody_is_infused_while_enrolment_is_held(since: str, until: str, verdict: bool | None) -> None:
    holds = ((at("2026-02-20", since), at("2026-02-20", until) if until else None),)
    told = book(
        DoseAllocation(level="DL1"), Infusion(inf_start_dt=at("2026-02-20")), trial=TrialBook(holds=holds)
    )
    found = RULES["DV-47"](told, V1)
    assert (all(one.pending for one in found) if found else None) is verdict


@pytest.mark.parametrize(
    ("signed", "fields"),
    [
        ("2021-03-31", ["consent_dt", "icf_version"]),  # the site was activated on 1 April
        ("2021-04-01", ["icf_version"]),
        ("2021-04-30", ["icf_version"]),
        ("2021-05-01", []),  # approved that day
        ("2022-05-01", []),  # valid to that day
        ("2022-05-02", ["icf_version"]),
    ],
)
@pytest.mark.parametrize("kind", ["INITIAL", "RECONSENT"])
def test_a_consent_is_signed_on_the_form_of_that_day(signed: str, fields: list[str], kind: str) -> None:
    version = IcfVersion(
        label="2.0",
        irb_approval_date=date(2021, 5, 1),
        version_date=date(2021, 4, 1),
        valid_to=date(2022, 5, 1),
        protocol_version="1.0",
    )
    consent = InformedConsent(consent_type=kind, icf_version="2.0", consent_dt=at(signed))
    withdrawn = InformedConsent(consent_type="WITHDRAWAL", consent_dt=at(signed))
    told = book(withdrawn, consent)
    told = replace(told, site=replace(told.site, icf_versions=(*told.site.icf_versions, version)))
    assert [one.field for one in RULES["DV-04"](told, V1)] == fields


def test_an_unmeasured_saturation_is_pointed_at_only_when_nobody_measured_it() -> None:
    (found,) = changed(put("D0 INF_4H", spo2_pct=None)).of("DV-45").values()
    assert (found.form, found.field, found.pending) == ("vital_signs", "spo2_pct", True)


@pytest.mark.parametrize(
    ("cells", "said"), [("799999", "-20"), ("1200001", "+20"), ("500000", "-50"), ("2000000", "+100")]
)
def test_how_far_a_dose_is_off_is_told_in_per_cent(cells: str, said: str) -> None:
    (found,) = changed(put("infusion", actual_per_kg=D(cells))).of("DV-43").values()
    assert said in found.en, found.en


@pytest.mark.parametrize(("hour", "pending"), [("15:59", False), ("16:00", True)])
def test_an_hour_of_the_day_that_would_keep_the_interval_leaves_it_open(hour: str, pending: bool) -> None:
    """Sixteen hours are asked for. Of the first dose the day is known: given at midnight it is sixteen hours before."""
    sixteen = replace(V1, tocilizumab_interval_hours=replace(V1.tocilizumab_interval_hours, value=16))
    doses = (drug(TOCI, "2026-03-18"), drug(TOCI, f"2026-03-18T{hour}+08:00"))
    (found,) = RULES["DV-58"](book(*doses), sixteen)
    assert found.pending is pending
