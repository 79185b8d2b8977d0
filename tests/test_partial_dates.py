"""A date known in part is judged as every day it could be: where a verdict is given, each of them gives the same.

Not one rule by one rule: any form that holds such a date, with any answers beside it, is put into a treated subject's
casebook; then every rule that reads the form, and every criterion at every milestone, is asked with the date as far as
it is known and again with each day that would complete it.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, assume, given, note, settings
from hypothesis import strategies as st

from dosing.models import Infusion
from safety.calendar import left_on, windows
from safety.casebook import Casebook
from safety.eligibility.evaluate import CRITERION_IDS, JUDGES, MILESTONES
from safety.eligibility.from_casebook import screening
from safety.engine import find
from safety.forms import FORMS
from safety.rules import RULES
from subjects import models as s
from tests.books import SHANGHAI, at, book
from tests.people import Change, Subject, changed, put, without
from tests.test_rules import BROKEN
from trial.dates import add_months, as_read, local_day, moments_of, span, span_of
from trial.edit_checks import impossible
from trial.fields import PartialDateField, PartialDateTimeField
from trial.item import items
from trial.protocol import V1
from visits.models import ConMeds, CrsAssessment, SurvivalLtfu, Visit

EXAMPLES = int(os.environ.get("EDC_EXAMPLES", "10"))
"""Casebooks for each date; a few hundred were tried without a difference."""
NOW = datetime(2026, 7, 20, 4, 0, tzinfo=UTC)
TODAY = local_day(NOW, SHANGHAI)
ANCHORS = (date(2026, 2, 9), date(2026, 2, 12), date(2026, 3, 11), date(2026, 3, 16), date(2026, 6, 16))
"""Consent, enrolment, lymphodepletion, infusion, month 3: what the rules count from."""
PARTIAL = tuple(
    (form, column.name)
    for form in FORMS
    for column in form._meta.fields
    if isinstance(column, PartialDateField | PartialDateTimeField)
)
TELLING: dict[str, tuple[Any, ...]] = {
    "drug_class": ("CORTICOSTEROID", "TOCILIZUMAB", "LIVE_VACCINE", "CALCINEURIN_INHIB", "CHEMO", "TKI"),
    "indication": ("CRS", "ICANS", "AE", "OTHER", "BRIDGING"),
    "route": ("IV", "PO", ""),
    "sct_type": ("ALLO", "ALLO", ""),
    "investigational": (True,),
    "ongoing": (False,),
    "subtype": ("ANGIOPLASTY_STENT",),
    "serious": (True,),
}
"""Answers that rules ask for: they are drawn most of the time, any other ones else."""
STAGES: tuple[Change, ...] = (
    lambda subject: None,
    lambda subject: None,
    without("eligibility", "before_apheresis", "before_ld", "before_infusion"),
    without("infusion"),
    without("infusion", *(f"{drug}{day}" for drug in ("flu", "cyc") for day in (-5, -4, -3))),
)
"""How far the subject has come: followed, without a checklist, before the infusion, before lymphodepletion."""
OLD = {"birth_date": (-66, -18), "sct_date": (0,), "diagnosis_date": (-2,)}


def days(name: str) -> st.SearchStrategy[date]:
    """Days near where a rule could turn: some months or weeks before or after an anchor, give or take a few days."""
    years = st.sampled_from(OLD.get(name, (0,)))
    months = st.sampled_from((0, 0, -1, -2, -3, -12, 1, 3))
    made = st.builds(
        lambda anchor, y, m, d: add_months(anchor, 12 * y + m) + timedelta(days=d),
        st.sampled_from(ANCHORS),
        years,
        months,
        st.integers(-45, 20),
    )
    return made.filter(lambda day: day <= TODAY)


def texts(name: str) -> st.SearchStrategy[str]:
    """A date as far as it is known."""
    return st.builds(lambda day, n: day.isoformat()[:n], days(name), st.sampled_from((10, 10, 7, 4, 0)))


@st.composite
def rows(draw: Any, form: Any, name: str) -> Any:
    """A complete row of a form with any coded answers, any other dates, and the date in question known to the day."""
    row = form(status="COMPLETE", sequence=7)
    for item, meaning in items(form).items():
        column: Any = form._meta.get_field(item)
        if meaning.calc is not None or item == name:
            continue
        if item in TELLING and draw(st.integers(0, 3)):
            setattr(row, item, draw(st.sampled_from(TELLING[item])))
            continue
        if isinstance(column, PartialDateField | PartialDateTimeField):
            setattr(row, item, draw(texts(item)))
        elif hasattr(column, "base_field"):
            setattr(row, item, draw(st.lists(st.sampled_from(meaning.codes.codes), max_size=2, unique=True)))
        elif meaning.codes is not None:
            setattr(row, item, draw(st.sampled_from(("", *meaning.codes.codes))))
        elif column.get_internal_type() == "BooleanField":
            setattr(row, item, draw(st.sampled_from((None, True, False))))
    setattr(row, name, draw(days(name)).isoformat())
    return row


def completions(partial: str) -> Iterator[str]:
    """Every day of a month; of a year the ends of its months and some days between; of a day its hours and ends."""
    could = span(partial)
    if len(partial) == 10:
        yield from (f"{partial}T{hour:02}:00+08:00" for hour in range(24))
        yield f"{partial}T23:59+08:00"
        return
    day = could.first
    while day <= could.last:
        tomorrow = day + timedelta(days=1)
        if len(partial) == 7 or day.day in (1, 9, 16, 23) or tomorrow.day == 1:
            yield day.isoformat()
        day = tomorrow


def refused(row: Any) -> set[tuple[str, str]]:
    """What the door would refuse the row for."""
    return {(one.field, one.code) for one in impossible(row, SHANGHAI, TODAY, NOW)}


def answered(row: Any) -> str:
    """The answers of a row, for the report of a failure."""
    columns = [row._meta.get_field(name).attname for name in items(row)]
    told = {name: getattr(row, name) for name in columns if getattr(row, name) not in (None, "", [])}
    return f"{row.form} {row.pk}: {told}"


def said(subject: Subject, form: Any) -> tuple[dict[Any, str], dict[Any, str]]:
    """By rule and key what is found, and by milestone and criterion the verdict."""
    told: Casebook = book(*(one for one in subject.values() if one is not None), now=NOW)
    reading = [rule for rule in RULES.values() if form in rule.reads]
    found = {key: "pending" if one.pending else "broken" for key, (_, one) in find(told, V1, reading).items()}
    # That a criterion could not be told at enrolment is what DV-06 finds; DV-02 leaves it to that rule.
    unknown = {key for rule, key in found if rule == "DV-06"}
    found = {key: one for key, one in found.items() if key[0] != "DV-06"}
    found |= {("DV-02", key): "pending" for key in unknown if ("DV-02", key) not in found}
    verdicts = {}
    for milestone, day in zip(MILESTONES, ANCHORS, strict=False):
        facts = screening(told, milestone, day, V1)
        verdicts |= {(milestone, id_): str(JUDGES[id_].check(facts, V1)) for id_ in CRITERION_IDS}
    return found, verdicts


def differing(subject: Subject, row: Any, name: str, partial: str) -> Iterator[Any]:
    """Where a verdict is given on the partial date that one of its completions does not bear out."""
    setattr(row, name, partial)
    wrong, (found, verdicts) = refused(row), said(subject, type(row))
    assume(not {code for _, code in wrong} & {"wrong_order", "future"})
    for day in completions(partial):
        setattr(row, name, day)
        if refused(row) - wrong:
            continue  # nobody could complete the date so
        other, others = said(subject, type(row))
        for key in {*found, *other}:
            if found.get(key) != "pending" and found.get(key) != other.get(key):
                yield key, found.get(key, "held"), day, other.get(key, "held")
        for criterion, verdict in verdicts.items():
            if verdict not in ("UNKNOWN", others[criterion]):
                yield criterion, verdict, day, others[criterion]


@pytest.mark.parametrize(("form", "name"), PARTIAL, ids=[f"{form.form}.{name}" for form, name in PARTIAL])
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
@given(data=st.data())
def test_a_verdict_on_a_partial_date_holds_for_every_day_it_could_be(form: Any, name: str, data: Any) -> None:
    row = data.draw(rows(form, name))
    subject = changed(data.draw(st.sampled_from(STAGES)))
    once = next((key for key, one in subject.items() if type(one) is form), None)
    subject[once if once and form.repeats == "one" else "the row"] = row
    if isinstance(row, s.PriorTransplant) and "disease" in subject:
        put("disease", prior_allo_sct="YES")(subject)
    if form.repeats == "log" and data.draw(st.booleans()):
        subject["another row"] = data.draw(rows(form, name))
    if isinstance(row, ConMeds):
        row.linked_ae_id = data.draw(st.sampled_from((None, subject["event"].pk)))
        subject["fever"] = CrsAssessment(assess_dt=at("2026-03-17", "22:00"), investigator_grade=1)
    note("\n".join(answered(one) for one in (row, subject.get("another row")) if one is not None))
    times = isinstance(form._meta.get_field(name), PartialDateTimeField)
    length = data.draw(st.sampled_from((10, 7, 4) if times else (7, 7, 4)))
    assert list(differing(subject, row, name, getattr(row, name)[:length])) == []


# --- what is known exactly means the same day wherever it was typed and wherever the site lies ---------------------

OFFSETS = ("UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Apia")
ZONES = ("America/New_York", "Europe/Lisbon", "Asia/Kathmandu", "Pacific/Apia")


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 12, 31)), st.sampled_from(OFFSETS))
def test_a_moment_with_another_offset_is_of_the_sites_day(wall: datetime, zone: str) -> None:
    """Which day it is depends on the moment and the site, not on the clock it was read from."""
    moment = wall.replace(second=0, microsecond=0, tzinfo=UTC)
    text = moment.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes")
    exact = span_of(text, SHANGHAI)
    assert exact is not None and exact.known and exact.first == local_day(moment, SHANGHAI)
    assert moments_of(text, SHANGHAI) == (moment, moment)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-02-08T15:30+00:00", {"con_meds:": "broken"}),  # 23:30 on the day before consent
        ("2026-02-09T16:30+00:00", {}),  # 00:30 on the day after consent
        ("2026-02-10T00:30+08:00", {}),
        ("2026-02-09T23:30+08:00", {"con_meds:": "broken"}),
    ],
)
def test_a_steroid_counts_on_the_sites_day(text: str, found: dict[str, str]) -> None:
    row = ConMeds(
        drug_class="CORTICOSTEROID",
        start_dt=text,
        end_dt=text,
        ongoing=False,
        indication="OTHER",
        status="COMPLETE",
    )
    told = changed(lambda subject: subject.update({"the row": row})).of("DV-17", NOW)
    assert {key[:9]: "pending" if one.pending else "broken" for key, one in told.items()} == found


def elsewhere(subject: Subject, zone: str) -> Casebook:
    """The same subject at a site where the clocks showed the same times."""

    def moved(moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(SHANGHAI)).replace(tzinfo=ZoneInfo(zone))

    for row in subject.values():
        for column in row._meta.concrete_fields if row is not None else ():
            if isinstance(value := getattr(row, column.attname), datetime):
                setattr(row, column.attname, moved(value))
    told = book(*(one for one in subject.values() if one is not None), now=moved(NOW))
    return replace(told, site=replace(told.site, time_zone=zone))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("rule", "change"), BROKEN, ids=[f"{r}-{n}" for n, (r, _) in enumerate(BROKEN)])
def test_a_rule_goes_by_the_sites_own_days(zone: str, rule: str, change: Change) -> None:
    """Days are those of the site's calendar, also where summer time begins between screening and infusion."""
    here = changed(change).of(rule, NOW)
    assert {key.split(":")[0] for key in here}
    there = find(elsewhere(changed(change), zone), V1, [RULES[rule]])
    assert sorted(_words(key) for key in here) == sorted(_words(key) for _, key in there)


def _words(key: str) -> str:
    """A key without the identifier of its record, which every making of a subject draws anew."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "", key)


# --- leap days ----------------------------------------------------------------------------------------------------

LEAP: list[tuple[str, str, str, int, str]] = [
    # transplant, infusion: three months later, clamped to the end of February
    ("sct", "2023-11-29", "2024-02-28", 0, "broken"),
    ("sct", "2023-11-29", "2024-02-29", 0, "held"),
    ("sct", "2023-11-30", "2024-02-28", 0, "broken"),
    ("sct", "2023-11-30", "2024-02-29", 0, "held"),
    ("sct", "2023-11", "2024-02-29", 0, "held"),  # every day of November is long enough ago
    ("sct", "2023-11", "2024-02-28", 0, "pending"),
    ("sct", "2024-11", "2025-02-28", 0, "held"),
    ("sct", "2024-11-30", "2025-02-27", 0, "broken"),
    ("sct", "2024-02-29", "2024-05-28", 0, "broken"),
    ("sct", "2024-02-29", "2024-05-29", 0, "held"),
    # vaccine, infusion: six months after
    ("vaccine", "2024-02-29", "2023-08-31", 0, "broken"),
    ("vaccine", "2024-03-01", "2023-08-31", 0, "held"),
    ("vaccine", "2025-02-28", "2024-08-31", 0, "broken"),
    ("vaccine", "2025-03-01", "2024-08-31", 0, "held"),
    ("vaccine", "2024-02", "2023-08-28", 0, "pending"),
    # birth on a leap day, consent of the same year as the infusion, so many days before
    ("birth", "2008-02-29", "2026-03-10", 10, "broken"),  # 28 February: not 18 yet
    ("birth", "2008-02-29", "2026-03-10", 9, "held"),  # 1 March
    ("birth", "1960-02-29", "2026-03-10", 10, "held"),  # not 66 yet
    ("birth", "1960-02-29", "2026-03-10", 9, "broken"),
    ("birth", "1960-02", "2026-03-10", 10, "pending"),
]


@pytest.mark.parametrize(("kind", "day", "infused", "before", "verdict"), LEAP)
def test_leap_days(kind: str, day: str, infused: str, before: int, verdict: str) -> None:
    start = at(infused)
    consent = s.InformedConsent(consent_type="INITIAL", consent_dt=start - timedelta(days=before or 40))
    eligible = s.Eligibility(
        milestone="SCREENING", overall="ELIGIBLE", assessed_date=(start - timedelta(days=5)).date()
    )
    forms = {
        "sct": s.PriorTransplant(sct_date=day, sct_type="ALLO"),
        "vaccine": ConMeds(drug_class="LIVE_VACCINE", start_dt=day, status="COMPLETE"),
        "birth": s.Demographics(birth_date=day),
    }
    rule = {"sct": "DV-01", "vaccine": "DV-29", "birth": "DV-08"}[kind]
    told = book(Infusion(inf_start_dt=start), consent, eligible, forms[kind], now=NOW)
    found = [one.pending for one in RULES[rule](told, V1)]
    assert (["broken", "pending"][found[0]] if found else "held") == verdict


# --- a death of which only the month is known --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("died", "expected"),
    [
        ("2026-03", "pending"),  # it may have been on or after Day 5
        ("2026-04", "broken"),  # surely after it
        ("2026-02", "held"),
        ("2026-03-20", "held"),
        ("2026-03-25", "broken"),
        ("2026", "pending"),
    ],
)
def test_what_was_due_before_a_death_of_unknown_day(died: str, expected: str) -> None:
    """Day 5, 21 March, has no visit."""
    death = s.Death(death_date=died, status="COMPLETE")
    found = changed(lambda subject: subject.update({"death": death})).of("DV-52", NOW)
    day_5 = found.get("visit:D5")
    assert ("held" if day_5 is None else "pending" if day_5.pending else "broken") == expected
    if day_5 is not None and day_5.pending:
        assert died in day_5.en and died in day_5.zh and day_5.facts[-1].field == "death_date"


@pytest.mark.parametrize(
    ("died", "expected"),
    [("2026-03", "broken"), ("2026", "broken"), ("2026-03-20", "held"), ("2026-02", "held")],
)
def test_who_was_seen_later_was_surely_due_before(died: str, expected: str) -> None:
    """Day 5, 21 March, has no visit; a visit on 28 March shows that the subject lived until then."""
    more = {"death": s.Death(death_date=died, status="COMPLETE"), "seen": seen("2026-03-28")}
    found = changed(lambda subject: subject.update(more)).of("DV-52", NOW)
    day_5 = found.get("visit:D5")
    assert ("held" if day_5 is None else "pending" if day_5.pending else "broken") == expected


def seen(day: str) -> Any:
    """An unscheduled visit."""
    return Visit(visit="UNSCHED", actual_date=date.fromisoformat(day), status="COMPLETE")


@pytest.mark.parametrize(
    ("died", "forms", "left"),
    [
        ("2026", [], "2026-03-16"),  # the infusion is the last that is known
        ("2026", [seen("2026-06-10")], "2026-06-10"),
        ("2026", [SurvivalLtfu(contact_date=date(2026, 7, 1), vital_status="ALIVE")], "2026-07-01"),
        ("2026", [SurvivalLtfu(contact_date=date(2026, 7, 1), vital_status="DEAD")], "2026-03-16"),
        (
            "2026",
            [
                SurvivalLtfu(
                    contact_date=date(2026, 7, 1), vital_status="LOST", last_known_alive=date(2026, 5, 2)
                )
            ],
            "2026-05-02",
        ),
        ("2026-04", [], "2026-04-01"),
        ("2026-04", [seen("2026-05-02")], "2026-04-01"),  # after every day it could be: a contradiction
        ("2026-04", [seen("2026-04-30")], "2026-04-30"),
        ("2026-04-12", [seen("2026-04-20")], "2026-04-12"),
    ],
)
def test_expectations_end_with_the_last_day_of_certain_life(died: str, forms: list[Any], left: str) -> None:
    told = book(Infusion(inf_start_dt=at("2026-03-16")), s.Death(death_date=died), *forms, now=NOW)
    assert left_on(told) == date.fromisoformat(left)
    assert windows(told)["D28"].expected is (left >= "2026-04-15")  # its window closes on Day 30


@pytest.mark.parametrize(
    ("kept", "read"),
    [
        ("2026-03-05T10:42+08:00", "2026-03-05 10:42 +08:00"),
        ("2026-03-05T02:42+00:00", "2026-03-05 02:42 +00:00"),
        ("2026-03-05", "2026-03-05"),
        ("2026-03", "2026-03"),
        ("", ""),
    ],
)
def test_a_moment_known_in_part_is_read_with_the_offset_it_was_entered_by(kept: str, read: str) -> None:
    assert as_read(kept) == read
