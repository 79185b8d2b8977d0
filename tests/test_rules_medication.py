"""DV-26 to DV-29: steroids, immunosuppressants and live vaccines, at both ends of their periods."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosing.models import Infusion
from safety.adverse_events import AdverseEvent
from safety.rules.exposure import overlaps, taken
from subjects.models import Death, EndOfStudy, InformedConsent
from tests.books import at, book
from tests.people import BROKEN, HELD, PENDING, READY, Change, also, both, changed, put, verdict, without
from trial.dates import Span, span
from trial.logic import Verdict
from visits.models import ConMeds

LOW, HIGH = date(2026, 3, 11), date(2026, 3, 23)
DOSES = tuple(f"{drug}{day}" for drug in ("flu", "cyc") for day in (-5, -4, -3))
NOT_INFUSED = without("infusion")
UNPLANNED = both(*(put(dose, planned_day=None) for dose in DOSES))
NEVER_ENROLLED = without(
    "eligibility", "before_apheresis", "before_ld", "before_infusion", "apheresis", "infusion", *DOSES
)
REACTION = AdverseEvent(category="INFUSION_REACTION")
RASH = AdverseEvent(category="NONHEM")
UNTOLD = AdverseEvent(category="")


def given_(kind: str, start: str, end: str = "", **facts: Any) -> Change:
    """A medication from one day to another, for another reason unless said."""
    usual: dict[str, Any] = {"drug": "X", "indication": "OTHER", "ongoing": False if end else None}
    return also(ConMeds(drug_class=kind, start_dt=start, end_dt=end, **{**usual, **READY, **facts}))


def steroid(start: str, end: str = "", **facts: Any) -> Change:
    return given_("CORTICOSTEROID", start, end, **facts)


def treating(event: AdverseEvent | None) -> Change:
    """A steroid on Day 1 for an adverse event."""
    row = steroid("2026-03-17", "2026-03-18", indication="AE", linked_ae_id=event.pk if event else None)
    return both(row, also(event)) if event else row


def vaccinated(day: str) -> Change:
    return given_("LIVE_VACCINE", day, day or "2026-03-20")


ROWS = [
    # DV-26: from 11 March to 23 March
    ("DV-26", steroid("2026-03-01", "2026-03-10"), HELD),
    ("DV-26", steroid("2026-03-01", "2026-03-11"), BROKEN),
    ("DV-26", steroid("2026-03-23", "2026-03-25"), BROKEN),
    ("DV-26", steroid("2026-03-24", "2026-03-25"), HELD),
    ("DV-26", steroid("2026-03-12", ongoing=True), BROKEN),
    ("DV-26", steroid("2026-03-12"), BROKEN),  # whenever it ended
    ("DV-26", steroid("2026-03-01"), PENDING),
    ("DV-26", steroid("2026-03", "2026-03-10"), HELD),
    ("DV-26", steroid("2026-03", "2026-03-24"), PENDING),
    ("DV-26", steroid("", "2026-03-15"), BROKEN),  # whenever it began
    ("DV-26", steroid("", "2026-03-24"), PENDING),
    ("DV-26", steroid("", ""), PENDING),
    ("DV-26", steroid("2026-03-17T02:00+08:00", "2026-03-17T03:00+08:00", indication="CRS"), HELD),
    ("DV-26", steroid("2026-03-17", "2026-03-17", indication="ICANS"), HELD),
    ("DV-26", steroid("2026-03-17", "2026-03-17", indication="IEC_HS"), BROKEN),
    ("DV-26", steroid("2026-03-16", "2026-03-16", indication="PREMEDICATION"), BROKEN),
    ("DV-26", steroid("2026-03-17", "2026-03-17", indication="PHYSIOLOGIC_REPLACEMENT"), BROKEN),
    ("DV-26", steroid("2026-03-17", "2026-03-17", indication=""), PENDING),
    ("DV-26", treating(REACTION), HELD),
    ("DV-26", treating(RASH), BROKEN),
    ("DV-26", treating(UNTOLD), PENDING),
    ("DV-26", treating(None), PENDING),
    ("DV-26", given_("RUXOLITINIB", "2026-03-17", "2026-03-17"), HELD),
    ("DV-26", both(steroid("2026-03-12", "2026-03-12"), without(*DOSES)), HELD),
    ("DV-26", both(steroid("2026-03-23", "2026-03-23"), NOT_INFUSED), BROKEN),  # planned Day 0 counts
    ("DV-26", both(steroid("2026-03-24", "2026-03-24"), NOT_INFUSED), HELD),
    (
        "DV-26",
        both(steroid("2026-03-14", "2026-03-14"), NOT_INFUSED, UNPLANNED),
        PENDING,
    ),
    ("DV-26", both(steroid("2026-03-01", "2026-03-10"), NOT_INFUSED, UNPLANNED), HELD),
    ("DV-26", both(steroid("2026-03-10", "2026-03-12"), NOT_INFUSED, UNPLANNED), BROKEN),  # its first day
    # DV-27
    ("DV-27", put("infusion", premed=["PARACETAMOL", "CORTICOSTEROID"]), BROKEN),
    ("DV-27", put("infusion", premed=["OTHER"]), HELD),
    ("DV-27", put("infusion", premed_given=False, premed=[]), HELD),
    ("DV-27", put("infusion", premed=[]), PENDING),
    ("DV-27", put("infusion", premed_given=None, premed=[]), PENDING),
    ("DV-27", put("infusion", premed_given=None, premed=["CORTICOSTEROID"]), BROKEN),
    ("DV-27", without("infusion"), HELD),
    # DV-28: after 9 February, before 16 March
    ("DV-28", steroid("2026-02-09", "2026-02-09"), HELD),  # DV-17
    ("DV-28", steroid("2026-02-10", "2026-02-10"), BROKEN),
    ("DV-28", steroid("2026-02-01", "2026-02-10"), BROKEN),
    ("DV-28", steroid("2026-03-15", "2026-03-15"), BROKEN),
    ("DV-28", steroid("2026-03-16", "2026-03-16"), HELD),  # DV-26
    ("DV-28", given_("CALCINEURIN_INHIB", "2026-02-20", "2026-02-21"), BROKEN),
    ("DV-28", given_("RUXOLITINIB", "2026-02-20", "2026-02-21"), BROKEN),
    ("DV-28", given_("OTHER_IMMUNOSUPPRESSANT", "2026-02-20", "2026-02-21"), BROKEN),
    ("DV-28", given_("TOCILIZUMAB", "2026-02-20", "2026-02-21"), HELD),
    ("DV-28", steroid("2026-02-20", "2026-02-21", indication="BRIDGING"), HELD),
    ("DV-28", steroid("2026-02-20", "2026-02-21", indication="PHYSIOLOGIC_REPLACEMENT"), HELD),
    ("DV-28", steroid("2026-02-20", "2026-02-21", indication="PROPHYLAXIS"), BROKEN),
    ("DV-28", steroid("2026-02-20", "2026-02-21", indication=""), PENDING),
    ("DV-28", steroid("2026-02", "2026-02"), PENDING),
    ("DV-28", steroid("2026-01-01"), PENDING),
    ("DV-28", steroid("2026-01-01", ongoing=True), BROKEN),
    ("DV-28", both(steroid("2026-03-18", "2026-03-18"), NOT_INFUSED), BROKEN),  # an infusion may still come
    (
        "DV-28",
        both(steroid("2026-03-18", "2026-03-18"), NOT_INFUSED, also(Death(death_date="2026-03-17"))),
        HELD,
    ),
    (
        "DV-28",
        both(
            steroid("2026-03-18", "2026-03-18"),
            NOT_INFUSED,
            also(EndOfStudy(phase="TREATMENT", date=date(2026, 3, 17))),
        ),
        HELD,
    ),
    ("DV-28", both(steroid("2026-02-20", "2026-02-21"), NEVER_ENROLLED), HELD),
    ("DV-28", both(steroid("2026-02-20", "2026-02-21"), without("consent")), HELD),  # DV-03
    # DV-29: after 10 February; infused on 16 March
    ("DV-29", vaccinated("2026-02-10"), HELD),  # DV-20
    ("DV-29", vaccinated("2026-02-11"), BROKEN),
    ("DV-29", vaccinated("2026-09-16"), BROKEN),  # six months to the day
    ("DV-29", vaccinated("2026-09-17"), HELD),
    ("DV-29", vaccinated("2026-09"), PENDING),
    ("DV-29", vaccinated("2026-05"), BROKEN),
    ("DV-29", vaccinated("2026-02"), PENDING),
    ("DV-29", vaccinated("2025"), HELD),
    ("DV-29", vaccinated(""), PENDING),
    ("DV-29", given_("NON_LIVE_VACCINE", "2026-04-01", "2026-04-01"), HELD),
    ("DV-29", both(vaccinated("2026-03-18"), NOT_INFUSED), BROKEN),
    (
        "DV-29",
        both(vaccinated("2026-03-18"), NOT_INFUSED, also(EndOfStudy(phase="STUDY", date=date(2026, 3, 17)))),
        HELD,
    ),
    ("DV-29", both(vaccinated("2026-02-11"), NEVER_ENROLLED), HELD),
]


@pytest.mark.parametrize(("rule", "change", "expected"), ROWS)
def test_one_changed_fact(rule: str, change: Change, expected: str) -> None:
    assert verdict(rule, changed(change)) == expected


def test_the_finding_names_medication_period_reason_and_limit() -> None:
    subject = changed(steroid("2026-03-12", "2026-03-13", drug="Dexamethasone", indication="PROPHYLAXIS"))
    finding = next(iter(subject.of("DV-26").values()))
    assert finding.field == "indication"
    for said in ("Dexamethasone", "2026-03-12 – 2026-03-13"):
        assert said in finding.en and said in finding.zh
    assert "Prophylaxis" in finding.en and "预防" in finding.zh
    assert finding.limit == "Cytokine release syndrome, ICANS, Adverse event; 2026-03-11 – 2026-03-23"


@pytest.mark.parametrize(
    ("facts", "field", "said"),
    [
        ({"premed": ["CORTICOSTEROID"], "premed_given": None}, "premed", "Corticosteroid; without"),
        ({"premed": [], "premed_given": True}, "premed", "not answered"),
        ({"premed": [], "premed_given": None}, "premed_given", "not answered"),
    ],
)
def test_premedication_points_at_the_answer_that_says_it(
    facts: dict[str, Any], field: str, said: str
) -> None:
    finding = next(iter(changed(put("infusion", **facts)).of("DV-27").values()))
    assert finding.field == field and said in finding.en


def test_every_part_of_an_infusion_is_judged() -> None:
    second = Infusion(inf_start_dt=at("2026-03-17"), premed_given=True, premed=["CORTICOSTEROID"], part_no=2)
    assert set(changed(also(second)).of("DV-27")) == {f"infusion:{second.pk}"}


def test_an_ongoing_steroid_is_shown_as_such() -> None:
    finding = next(iter(changed(steroid("2026-03-12", ongoing=True)).of("DV-26").values()))
    assert "2026-03-12 – …" in finding.en and not finding.pending and "cannot be told" not in finding.en
    finding = next(iter(changed(steroid("2026-03-01")).of("DV-26").values()))
    assert "2026-03-01 – ?" in finding.en and "cannot be told" in finding.en
    event = next(iter(changed(treating(RASH)).of("DV-26").values()))
    assert {fact.field: fact.value for fact in event.facts}["linked_ae"] == str(RASH.pk)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (Span(LOW, LOW), Span(LOW, LOW), Verdict.MET),
        (Span(HIGH, HIGH), Span(HIGH, date(2026, 4, 1)), Verdict.MET),
        (Span(HIGH, date(2026, 3, 25)), Span(HIGH, date(2026, 3, 25)), Verdict.UNKNOWN),
        (Span(date(2026, 3, 1), date(2026, 3, 5)), Span(date(2026, 3, 9), LOW), Verdict.UNKNOWN),
        (
            Span(date(2026, 3, 1), date(2026, 3, 5)),
            Span(date(2026, 3, 9), date(2026, 3, 10)),
            Verdict.NOT_MET,
        ),
        (
            Span(date(2026, 3, 24), date(2026, 3, 25)),
            Span(date(2026, 3, 26), date(2026, 3, 26)),
            Verdict.NOT_MET,
        ),
    ],
)
def test_both_ends_of_the_period_count(first: Span, last: Span, expected: Verdict) -> None:
    assert overlaps((first, last), LOW, HIGH) is expected


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (steroid("2026-03-01"), "end_dt"),
        (steroid("2026-03", "2026-03-24"), "start_dt"),
        (steroid("2026-03-17", "2026-03-17", indication=""), "indication"),
        (treating(None), "linked_ae"),
    ],
)
def test_what_is_pending_points_at_the_answer_to_complete(change: Change, field: str) -> None:
    finding = next(iter(changed(change).of("DV-26").values()))
    assert (finding.field, finding.pending) == (field, True)


def test_who_withdrew_from_assessments_is_followed_no_longer() -> None:
    withdrawn = InformedConsent(
        consent_type="WITHDRAWAL", consent_dt=at("2026-03-17"), withdrawal_scope=["TREATMENT", "ASSESSMENTS"]
    )
    assert verdict("DV-29", changed(vaccinated("2026-03-18"), NOT_INFUSED, also(withdrawn))) == HELD


def test_today_is_that_of_the_site() -> None:
    subject = changed(steroid("2026-03-18", ongoing=True), NOT_INFUSED)
    assert verdict("DV-28", subject, datetime(2026, 3, 17, 15, 59, tzinfo=UTC)) == HELD
    assert verdict("DV-28", subject, datetime(2026, 3, 17, 16, 1, tzinfo=UTC)) == BROKEN


partials = st.builds(
    lambda day, length: day.isoformat()[:length],
    st.dates(date(2026, 2, 20), date(2026, 4, 10)),
    st.sampled_from((7, 10)),
)


@pytest.mark.req("R-29")
@settings(max_examples=200, deadline=None)
@given(partials, partials)
def test_an_overlap_of_partial_dates_holds_for_every_day_they_could_be_or_is_not_known(
    start: str, end: str
) -> None:
    begun, ended = span(start), span(end)
    pairs = [(a, b) for a in days(begun) for b in days(ended) if a <= b]
    if not pairs:
        return
    answers = {a <= HIGH and b >= LOW for a, b in pairs}
    expected = Verdict.UNKNOWN if len(answers) == 2 else Verdict.of(answers.pop())
    row = ConMeds(start_dt=start, end_dt=end)
    assert overlaps(taken(book(), row), LOW, HIGH) is expected


def days(could: Span) -> list[date]:
    return [date.fromordinal(n) for n in range(could.first.toordinal(), could.last.toordinal() + 1)]
