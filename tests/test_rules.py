"""The deviation rules: a subject who breaks none, and one fact changed per row."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from safety.engine import find
from safety.rules import RULES
from tests.books import at, book
from tests.people import NOW, Change, both, clean, put, without
from trial.protocol import V1
from trial.rules import Severity

D = Decimal


def test_the_clean_subject_breaks_no_rule() -> None:
    assert clean().judged() == {}


BROKEN = [
    ("DV-03", put("echo", echo_date=date(2026, 2, 8))),
    ("DV-03", without("consent", "demographics", "ecog", "marrow", "eligibility")),
    ("DV-04", put("consent", icf_version="0.9")),
    ("DV-04", put("consent", consent_dt=at("2021-03-31"))),
    ("DV-08", put("demographics", birth_date="1960-02-09")),  # 66 today
    ("DV-08", put("demographics", birth_date="2008-02-10")),  # 18 tomorrow
    ("DV-08", put("demographics", birth_date="1950")),
    ("DV-09", put("ecog", ecog=2)),
    ("DV-10", put("marrow", blast_pct_morph=D("4.99"))),
    ("DV-25", without("flu-5", "flu-4", "flu-3")),
    ("DV-25", put("flu-4", drug="MELPHALAN")),
    ("DV-25", both(put("flu-4", drug="MELPHALAN"), without("infusion"))),
    ("DV-30", put("flu-4", actual_mg=D("49.1"))),  # -10.07 %
    ("DV-30", put("cyc-4", actual_mg=D("60.1"))),
    ("DV-30", put("cyc-4", planned_mg=D(0))),  # nothing was planned
    (
        "DV-34",
        put("infusion", inf_start_dt=at("2026-03-28"), inf_end_dt=at("2026-03-28", "10:20")),
    ),  # 15 days
    ("DV-35", put("batch", release_decision="REJECTED")),
    ("DV-35", put("batch", release_decision="OUT_OF_SPEC_EXCEPTION")),  # nobody signed it
    ("DV-37", put("batch", expiry_date=date(2026, 3, 15))),
    ("DV-39", put("infusion", verified_by_2_id=1)),
    ("DV-39", put("infusion", bedside_id_check=False)),
    ("DV-42", put("infusion", thaw_to_inf_min=31)),
    ("DV-42", put("infusion", duration_min=61)),
    ("DV-43", put("infusion", actual_per_kg=D(799_999))),
    ("DV-43", put("infusion", actual_per_kg=D(1_200_001))),
    ("DV-51", put("D2", actual_date=date(2026, 3, 19))),
    ("DV-52", without("D2")),
    ("DV-59", put("event", sae_report_dt=at("2026-03-19", "10:01"))),
    ("DV-59", put("event", sae_report_dt=None)),
]


@pytest.mark.parametrize(("rule", "change"), BROKEN)
def test_one_changed_fact_breaks_the_rule(rule: str, change: Change) -> None:
    subject = clean()
    change(subject)
    later = max(NOW, datetime(2026, 3, 30, tzinfo=UTC))
    assert subject.says(rule, later if rule == "DV-34" else NOW) is False


HELD = [
    ("DV-03", put("echo", echo_date=date(2026, 2, 9))),  # the day of consent
    ("DV-08", put("demographics", birth_date="1960-02-10")),  # 65, 66 tomorrow
    ("DV-08", put("demographics", birth_date="2008-02-09")),  # 18 today
    ("DV-09", put("ecog", ecog=0)),
    ("DV-10", put("marrow", blast_pct_morph=D("5.00"))),
    ("DV-30", put("flu-4", actual_mg=D("49.14"))),  # exactly -10 %
    ("DV-30", put("flu-4", actual_mg=D("60.06"))),  # exactly +10 %
    (
        "DV-34",
        put("infusion", inf_start_dt=at("2026-03-27"), inf_end_dt=at("2026-03-27", "10:20")),
    ),  # 14 days
    ("DV-25", put("flu-4", drug="MELPHALAN", actual_mg=D(0))),  # it was not given
    ("DV-25", without("flu-5", "flu-4", "flu-3", "infusion")),  # it may still be
    ("DV-37", put("batch", expiry_date=date(2026, 3, 16))),
    ("DV-42", put("infusion", thaw_to_inf_min=30, duration_min=60)),
    ("DV-42", both(put("infusion", thaw_to_inf_min=None), put("batch", formulation="FRESH"))),
    ("DV-43", put("infusion", actual_per_kg=D(800_000))),
    ("DV-43", put("infusion", actual_per_kg=D(1_200_000))),
    ("DV-59", put("event", sae_report_dt=at("2026-03-19", "10:00"))),  # 24 hours to the minute
    ("DV-59", put("event", serious=False, sae_report_dt=None)),
]


@pytest.mark.parametrize(("rule", "change"), HELD)
def test_on_the_limit_the_rule_is_kept(rule: str, change: Change) -> None:
    subject = clean()
    change(subject)
    assert subject.says(rule) is None


PENDING = [
    ("DV-08", put("demographics", birth_date="1960-02")),
    ("DV-08", put("demographics", birth_date="2008")),  # 17, or 18 at the most
    ("DV-30", put("flu-4", actual_mg=None)),
    ("DV-30", put("flu-4", planned_mg=None)),
    ("DV-35", put("batch", release_decision="")),
    ("DV-39", put("infusion", bedside_id_check=None)),
    ("DV-43", without("level")),
    ("DV-43", put("infusion", actual_per_kg=None)),
    ("DV-08", put("demographics", birth_date="")),
    ("DV-08", without("demographics")),
    ("DV-09", without("ecog")),
    ("DV-09", put("ecog", ecog=None)),
    ("DV-10", put("marrow", blast_pct_morph=None)),
    ("DV-10", put("marrow", aspirate_adequate=False, blast_pct_morph=D(4))),  # it shows nothing
    ("DV-37", put("batch", expiry_date=None)),
    ("DV-37", put("infusion", batch_id=None)),
    ("DV-42", put("infusion", thaw_to_inf_min=None)),
    ("DV-42", put("infusion", duration_min=None)),
]


@pytest.mark.parametrize(("rule", "change"), PENDING)
def test_what_the_data_cannot_decide_is_pending(rule: str, change: Change) -> None:
    subject = clean()
    change(subject)
    assert subject.says(rule) is True


def test_the_clock_alone_breaks_a_rule() -> None:
    """Nothing is entered; D3 passes, and 24 hours after awareness pass."""
    subject = clean()
    subject["event"].sae_report_dt = None
    assert subject.says("DV-59", datetime(2026, 3, 19, 1, 59, tzinfo=UTC)) is None
    assert subject.says("DV-59", datetime(2026, 3, 19, 2, 1, tzinfo=UTC)) is not None
    assert subject.says("DV-52", datetime(2026, 3, 20, 15, 59, tzinfo=UTC)) is None  # 23:59 of D4 in Shanghai
    day_4_is_over = datetime(2026, 3, 20, 16, 1, tzinfo=UTC)
    assert subject.says("DV-52", day_4_is_over) is not None


def test_a_missed_critical_visit_weighs_more() -> None:
    subject = clean()
    found = find(book(*subject.values(), now=datetime(2026, 8, 1, tzinfo=UTC)), V1)
    assert found[("DV-52", "visit:D28")][1].severity == Severity.MAJOR
    assert found[("DV-52", "visit:D21")][1].severity == Severity.MINOR


def test_nothing_is_expected_after_death() -> None:
    from subjects.models import Death

    subject = clean()
    subject["death"] = Death(death_date="2026-03-19")
    assert subject.says("DV-52", datetime(2026, 12, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_is_cited_titled_and_explained(rule: Any) -> None:
    assert rule.id.startswith("DV-") and rule.cites and rule.en and rule.zh and rule.category
    assert len(rule.text) > 40, "the docstring is the rule's text"
    assert rule.reads, "a rule says which forms it reads"


@pytest.mark.parametrize(("rule", "change"), BROKEN + PENDING)
def test_every_finding_points_at_a_field_and_shows_its_facts(rule: str, change: Change) -> None:
    subject = clean()
    change(subject)
    for (id_, key), (_, finding) in find(book(*subject.values(), now=NOW), V1).items():
        assert key and finding.en and finding.zh and finding.en != finding.zh, id_
        assert finding.form and finding.field, id_
        assert finding.facts, id_
