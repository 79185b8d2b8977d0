"""DV-45, 49 and 63 in time: the evening of Day 0, the signed assessment, and the contacts of fifteen years."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from dosing.models import Infusion
from safety.adverse_events import DltAssessment
from safety.rules import RULES
from subjects.models import Death
from tests.books import at, book, signature
from tests.followed import vitals
from tests.people import also, changed, clean
from tests.said import shown
from tests.test_rules_visits import contacts, noon
from trial.protocol import V1

# --- DV-45 -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "counts"),
    [
        ("2026-03-16T00:00", True),  # of Day 0, hours before the infusion
        ("2026-03-15T23:59", False),
        ("2026-03-17T01:30", True),  # the end of the last timepoint
        ("2026-03-17T01:31", False),
    ],
)
def test_day_0_lasts_from_its_midnight_to_the_end_of_its_last_timepoint(when: str, counts: bool) -> None:
    """Infused at 21:00: the check after four hours ends at 01:30 of the next day."""
    signs = vitals(at(*when.split("T")), "UNSCHED", "INF_4H")
    told = book(Infusion(inf_start_dt=at("2026-03-16", "21:00")), signs, now=at("2026-03-20"))
    found = {one.limit for one in RULES["DV-45"](told, V1)}
    assert ("INF_4H" not in found) is counts
    assert {"INF_15M", "INF_30M", "INF_1H", "INF_2H"} <= found


def test_signs_without_a_time_count_by_their_visit() -> None:
    for visit, counts in (("D0", True), ("D1", False)):
        signs = vitals(at("2026-03-16"), visit, "INF_4H")
        signs.vs_dt = None
        told = book(Infusion(inf_start_dt=at("2026-03-16", "10:00")), signs, now=at("2026-03-20"))
        assert ("INF_4H" not in {one.limit for one in RULES["DV-45"](told, V1)}) is counts


# --- DV-49 -------------------------------------------------------------------------------------------------------

TWO_ROLES = replace(
    V1, dlt_signing_roles=replace(V1.dlt_signing_roles, value=("investigator", "medical_monitor"))
)
INVESTIGATOR, MONITOR = "investigator", "medical_monitor"
DUE = "The signed assessment of dose-limiting toxicity was due on 2026-04-20; "
OWN = "infusion.inf_start_dt 2026-03-16T10:00:00+08:00"
JUDGED = f"{OWN}; dlt_assessment.evaluable YES; dlt_assessment.any_dlt NO"


@pytest.mark.parametrize(
    ("signed", "protocol", "said"),
    [
        (None, V1, (DUE + "there is none.", "尚无评价。", "infusion.inf_start_dt", OWN)),
        ({}, V1, (DUE + "its signature is missing.", "缺少签名。", "dlt_assessment.evaluable", JUDGED)),
        (
            {INVESTIGATOR: "2026-04-21"},
            V1,
            (DUE + "it was signed late.", "签名迟于截止日。", "dlt_assessment.evaluable", JUDGED),
        ),
        ({INVESTIGATOR: "2026-04-20"}, V1, None),
        ({INVESTIGATOR: "2026-04-20", MONITOR: "2026-04-20"}, TWO_ROLES, None),
        (
            {INVESTIGATOR: "2026-04-20"},
            TWO_ROLES,
            (DUE + "its signature is missing.", "缺少签名。", "dlt_assessment.evaluable", JUDGED),
        ),
        (
            {INVESTIGATOR: "2026-04-20", MONITOR: "2026-04-21"},
            TWO_ROLES,
            (DUE + "it was signed late.", "签名迟于截止日。", "dlt_assessment.evaluable", JUDGED),
        ),
    ],
)
def test_every_role_signs_the_assessment_in_time(
    signed: dict[str, str] | None, protocol: Any, said: Any
) -> None:
    """Day 28 and seven days more are the 20th of April."""
    row = DltAssessment(evaluable="YES", any_dlt="NO", status="COMPLETE")
    given = [signature(row, "DLT", role, day) for role, day in (signed or {}).items()]
    forms = [] if signed is None else [row, *given]
    told = RULES["DV-49"](
        book(Infusion(inf_start_dt=at("2026-03-16")), *forms, now=at("2026-05-01")), protocol
    )
    if said is None:
        assert not told
    else:
        (one,) = told
        assert (one.en, one.zh.partition(";")[2], f"{one.form}.{one.field}", shown(one)) == said
        assert (one.limit, one.pending) == ("≤ 2026-04-20", False)


# --- DV-63 -------------------------------------------------------------------------------------------------------

FOLLOW_UP = "Long-term follow-up: contact was due within 13 months of "


@pytest.mark.parametrize(
    ("days", "now", "said"),
    [
        # the long-term follow-up begins on 16 March 2028, two years after the infusion
        (
            (),
            "2029-04-17",
            (
                FOLLOW_UP + "2028-03-16, by 2029-04-16; there was none since.",
                "长期随访:自 2028-03-16 起 13 个月内(不晚于 2029-04-16)应有联系;此后无联系。",
                "infusion.inf_start_dt",
                OWN,
            ),
        ),
        (
            ("2028-03-20",),
            "2029-04-21",
            (
                FOLLOW_UP + "2028-03-20, by 2029-04-20; there was none since.",
                "长期随访:自 2028-03-20 起 13 个月内(不晚于 2029-04-20)应有联系;此后无联系。",
                "survival_ltfu.contact_date",
                "survival_ltfu.contact_date 2028-03-20",
            ),
        ),
        (
            ("2028-03-20", "2029-05-01"),
            "2029-05-02",
            (
                FOLLOW_UP + "2028-03-20, by 2029-04-20; the next was on 2029-05-01.",
                "长期随访:自 2028-03-20 起 13 个月内(不晚于 2029-04-20)应有联系;下次联系为 2029-05-01。",
                "survival_ltfu.contact_date",
                "survival_ltfu.contact_date 2028-03-20",
            ),
        ),
        (
            ("2029-05-01", "2028-03-20"),
            "2029-05-01",  # reached today, too late
            (
                FOLLOW_UP + "2028-03-20, by 2029-04-20; the next was on 2029-05-01.",
                "长期随访:自 2028-03-20 起 13 个月内(不晚于 2029-04-20)应有联系;下次联系为 2029-05-01。",
                "survival_ltfu.contact_date",
                "survival_ltfu.contact_date 2028-03-20",
            ),
        ),
        (("2027-01-16",), "2028-03-16", None),  # fourteen months, yet the long-term follow-up begins today
        (
            ("2027-01-16",),
            "2028-03-17",
            (
                FOLLOW_UP + "2027-01-16, by 2028-02-16; there was none since.",
                "长期随访:自 2027-01-16 起 13 个月内(不晚于 2028-02-16)应有联系;此后无联系。",
                "survival_ltfu.contact_date",
                "survival_ltfu.contact_date 2027-01-16",
            ),
        ),
        (("2027-09-16", "2028-03-16"), "2029-04-16", None),  # the contact of that very day counts
        (("2028-03-20", "2028-03-20", "2029-04-20"), "2029-04-21", None),
    ],
)
def test_a_gap_between_contacts_is_told_from_where_it_began(
    days: tuple[str, ...], now: str, said: Any
) -> None:
    found = changed(contacts(*days)).of("DV-63", noon(now))
    told = [(one.en, one.zh, f"{one.form}.{one.field}", shown(one)) for one in found.values()]
    assert told == ([] if said is None else [said])
    assert all(one.limit == "≤ 13 mo" and one.record for one in found.values())


def test_of_two_gaps_each_is_a_finding() -> None:
    found = changed(contacts("2029-05-01", "2031-05-01")).of("DV-63", noon("2031-06-01"))
    assert set(found) == {"since:2028-03-16", "since:2029-05-01"}


def test_contact_is_owed_up_to_death() -> None:
    """The last contact was thirteen months and a day before the death, so one was owed the day before."""
    for died, keys in ((date(2029, 4, 20), set()), (date(2029, 4, 21), {"since:2028-03-20"})):
        subject = changed(contacts("2028-03-20"), also(Death(death_date=died.isoformat())))
        assert set(subject.of("DV-63", noon("2035-01-01"))) == keys


def test_contact_is_owed_to_the_end_of_the_last_visit() -> None:
    """No contact at all: the finding is the same on that day and ten years later."""
    subject, last = clean(), datetime(2041, 3, 16)
    assert set(subject.of("DV-63", noon((last + timedelta(days=3650)).date().isoformat()))) == {
        "since:2028-03-16"
    }
