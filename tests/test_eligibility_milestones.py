"""When a milestone is judged, as of which day, under which signature; and what has to be written of it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from dosing.models import Apheresis, Infusion, Lymphodepletion, Manufacturing
from safety.casebook import Casebook
from safety.eligibility import milestones, stood, stored
from safety.eligibility.evaluate import CRITERION_IDS, MILESTONES
from safety.eligibility.stored import Key, Stored
from safety.milestones import lymphodepletion
from subjects import models as s
from tests.books import at, signature
from tests.test_eligibility_criteria import casebook, changed, eligible
from tests.test_eligibility_stored import checklist
from trial.fields import uuid7
from trial.protocol import V1
from visits import models as v

TODAY = date(2026, 6, 30)
APHERESIS, DEPLETION = Apheresis(aph_start_dt=at("2026-05-25")), Lymphodepletion(admin_dt=at("2026-06-10"))
INFUSION = Infusion(inf_start_dt=at("2026-06-15"))


@pytest.mark.parametrize(
    ("added", "reached"),
    [
        ([], 1),
        ([checklist()], 1),
        ([Manufacturing()], 3),  # cells were collected
        ([APHERESIS], 3),
        ([DEPLETION], 4),
        ([INFUSION], 4),
        ([checklist("PRE_APHERESIS")], 2),
        ([checklist("PRE_LD")], 3),
        ([checklist("PRE_INFUSION")], 4),
        ([checklist("PRE_LD"), checklist("PRE_APHERESIS")], 3),
    ],
)
def test_which_milestones_are_in_reach(added: list[Any], reached: int) -> None:
    assert milestones.in_reach(casebook(*added)) == MILESTONES[:reached]


def test_a_checklist_is_reached_even_without_consent() -> None:
    assert milestones.in_reach(casebook(checklist(), without="consent")) == ("SCREENING",)


def test_the_newest_complete_checklist_of_a_milestone_counts() -> None:
    older, newer = checklist(), checklist(day=date(2026, 5, 22))
    draft, other = checklist(day=date(2026, 5, 28)), checklist("PRE_LD", date(2026, 5, 29))
    draft.status = "DRAFT"
    undated = checklist()
    undated.assessed_date = None
    for rows in ((older, newer, draft, other, undated), (undated, other, draft, newer, older)):
        assert milestones.checklist(casebook(*rows), "SCREENING") is newer
    assert milestones.checklist(casebook(undated), "SCREENING") is undated
    assert milestones.checklist(casebook(draft, other), "SCREENING") is None


def test_of_two_checklists_of_one_day_that_entered_last_counts() -> None:
    first, second = checklist(), checklist()
    first.sequence, second.sequence = 1, 2
    for rows in ((first, second), (second, first)):
        assert milestones.checklist(casebook(*rows), "SCREENING") is second


def test_the_signature_of_the_investigator_stands_for_the_checklist() -> None:
    row = checklist()
    approved = signature(row, "ELIGIBILITY", "investigator")
    assert milestones.signed(casebook(row, approved), "SCREENING") is approved
    assert milestones.signed(casebook(row, approved), "PRE_LD") is None
    assert milestones.signed(casebook(row, signature(row, "REVIEW", "investigator")), "SCREENING") is None
    assert milestones.signed(casebook(row, signature(row, "ELIGIBILITY", "coordinator")), "SCREENING") is None


def as_of(milestone: str, *added: Any) -> date:
    """The day a milestone is judged on."""
    return milestones.as_of(casebook(*added), milestone)


@pytest.mark.parametrize(
    ("milestone", "added", "day"),
    [
        ("SCREENING", [], TODAY),
        ("SCREENING", [checklist(day=date(2026, 7, 1))], TODAY),  # never in the future
        ("SCREENING", [APHERESIS, DEPLETION, INFUSION], date(2026, 5, 25)),
        ("PRE_APHERESIS", [APHERESIS, DEPLETION, INFUSION], date(2026, 5, 25)),
        ("PRE_LD", [APHERESIS, DEPLETION, INFUSION], date(2026, 6, 10)),
        ("PRE_INFUSION", [APHERESIS, DEPLETION, INFUSION], date(2026, 6, 15)),
        ("PRE_LD", [APHERESIS], TODAY),
        ("PRE_LD", [APHERESIS, INFUSION], date(2026, 6, 15)),
        ("PRE_LD", [checklist("PRE_LD", date(2026, 6, 9)), DEPLETION], date(2026, 6, 9)),
        ("PRE_APHERESIS", [APHERESIS, Apheresis(aph_start_dt=at("2026-05-24"))], date(2026, 5, 24)),
        ("PRE_LD", [APHERESIS, s.EndOfStudy(phase="STUDY", date=date(2026, 6, 1))], date(2026, 6, 1)),
        ("PRE_LD", [DEPLETION, s.EndOfStudy(phase="STUDY", date=date(2026, 6, 1))], date(2026, 6, 1)),
    ],
)
def test_the_day_on_which_a_milestone_is_judged(milestone: str, added: list[Any], day: date) -> None:
    assert as_of(milestone, *added) == day


def test_a_checklist_without_a_day_leaves_it_to_the_step() -> None:
    undated = checklist("PRE_LD")
    undated.assessed_date = None
    assert as_of("PRE_LD", undated, DEPLETION) == date(2026, 6, 10)


# --- what has to be written --------------------------------------------------------------------------------------


def kept(book: Casebook, milestone: str = "SCREENING", **other: Any) -> dict[Key, Stored]:
    """The rows of a milestone as they stand once everything was written, with some columns as they were before."""
    rows = dict(stored.wanted_rows(book, V1, milestone, {}))
    return {
        key: Stored(**{"id": uuid7(), "milestone": key[0], "criterion": key[1], **row, **other})
        for key, row in rows.items()
    }


def one_row(rows: Mapping[Key, Stored], criterion: str, **other: Any) -> dict[Key, Stored]:
    """These rows with one of them as it was before."""
    key = ("SCREENING", criterion)
    return {**rows, key: rows[key]._replace(**other)}


def moved(book: Casebook, rows: Mapping[Key, Stored]) -> set[str]:
    """The criteria whose rows have to be written anew."""
    found = stored.changes(book, V1, rows)
    assert not found.fresh
    return {one.criterion for one in rows.values() if one.id in found.moved}


def test_at_first_every_row_is_new() -> None:
    book = casebook(checklist())
    found = stored.changes(book, V1, {})
    assert not found.moved and [row["criterion"] for row in found.fresh] == list(CRITERION_IDS)
    assert len({row["id"] for row in found.fresh}) == 29
    for row in found.fresh:
        told = (row["version"], row["subject_id"], row["site_id"], row["milestone"], row["verdict_now"])
        assert told == (1, book.subject_id, book.site.id, "SCREENING", "")
        assert row["decided_at"] and row["signature_id"] is None


def test_what_stands_is_not_written_again() -> None:
    book = casebook(checklist())
    assert moved(book, kept(book)) == set()


def test_only_rows_that_are_not_there_are_new() -> None:
    book = casebook(checklist())
    rows = kept(book)
    del rows["SCREENING", "E-10"]
    found = stored.changes(book, V1, rows)
    assert [row["criterion"] for row in found.fresh] == ["E-10"] and not found.moved


@pytest.mark.parametrize(
    "other",
    [
        {"verdict": "UNKNOWN"},
        {"asked": None},
        {"protocol_version": "0.9"},
        {"rule_version": "0.9"},
        {"signature_id": uuid7()},
        {"verdict_now": "NOT_MET"},
        {"reason_en": "x"},
        {"reason_zh": "x"},
        {"evidence": {}},
        {"as_of": date(2026, 5, 19)},
    ],
)
def test_a_row_that_differs_is_written(other: dict[str, Any]) -> None:
    book = casebook(checklist())
    assert moved(book, one_row(kept(book), "I-09", **other)) == {"I-09"}


def test_the_passing_of_days_alone_writes_nothing() -> None:
    open_ = casebook()  # judged as of today, which is 30 June
    assert moved(open_, kept(open_, as_of=date(2026, 6, 29))) == set()
    settled = casebook(checklist())
    assert moved(settled, kept(settled, as_of=date(2026, 5, 19))) == set(CRITERION_IDS)
    today = casebook(checklist(day=TODAY))
    assert moved(today, kept(today, as_of=date(2026, 6, 29))) == set()


def test_what_was_signed_keeps_its_words_and_says_what_the_data_say_now() -> None:
    row = checklist()
    approved = signature(row, "ELIGIBILITY", "investigator")
    rows = kept(casebook(row, approved))
    assert {one.signature_id for one in rows.values()} == {approved.pk}
    weaker = changed("ecog", ecog=2)
    now = casebook(*weaker.of(v.Ecog), row, approved, without="ecog")
    found = stored.changes(now, V1, rows)
    assert not found.fresh and found.moved == {rows["SCREENING", "I-09"].id: {"verdict_now": "NOT_MET"}}
    said = one_row(rows, "I-09", verdict_now="NOT_MET")
    assert moved(now, said) == set() and moved(casebook(row, approved), said) == {"I-09"}
    # a row under another signature was not signed as it stands
    assert "I-09" in moved(now, one_row(rows, "I-09", signature_id=uuid7()))
    assert stored.signatures(now) == [approved.pk] and stored.signatures(casebook(row)) == []


def verdicts_of(book: Casebook, milestone: str = "SCREENING") -> dict[Key, str]:
    """The verdicts of a milestone as they stand."""
    return {key: row.verdict for key, row in kept(book, milestone).items()}


def test_only_a_milestone_that_is_judged_as_of_today_can_fall_out_of_step() -> None:
    today = casebook(checklist(day=TODAY))
    right = verdicts_of(today)
    assert not stored.out_of_step(today, V1, right)
    assert stored.out_of_step(today, V1, {**right, ("SCREENING", "E-18"): "MET"})
    assert stored.out_of_step(today, V1, {})
    settled = casebook(checklist())  # of 20 May
    assert not stored.out_of_step(settled, V1, {})
    # screening is settled, the next milestone is not
    both = casebook(checklist(), checklist("PRE_APHERESIS", TODAY))
    assert stored.out_of_step(both, V1, {})
    assert not stored.out_of_step(both, V1, verdicts_of(both, "PRE_APHERESIS"))


def test_what_is_not_known_where_it_is_awaited_does_not_hold_the_subject_back() -> None:
    facts = eligible(tcell_expansion=None, ecog=None, cns_history="YES")
    for milestone, held in (
        ("SCREENING", ["I-09", "E-09"]),
        ("PRE_LD", ["I-08", "I-09", "E-09"]),
    ):
        found = stored.holding(stored.evaluate(facts, V1, milestone))
        assert [one.criterion for one in found] == held
    assert stored.holding(stored.evaluate(eligible(), V1, "PRE_LD")) == []


def test_nothing_is_said_of_who_is_not_enrolled() -> None:
    assert stood.verdicts(casebook(), V1) == {}
    assert set(stood.verdicts(casebook(DEPLETION), V1)) == set(CRITERION_IDS)


def test_an_answer_that_is_too_old_is_told_as_the_last_one_and_what_is_missing_stays_missing() -> None:
    book = casebook(DEPLETION, without="ecog")  # the chemistry of 18 May is 23 days old
    reached = lymphodepletion(book)
    assert reached is not None
    found = stood.stood(book, V1, reached)
    assert found.valid.alt is None and found.valid.lacking["alt"] == (
        "older than 7 d: 2026-05-18",
        "早于 7 天:2026-05-18",
    )
    assert found.last.alt == 30 and found.last.sources["alt"].day == "2026-05-18"
    assert not {"alt", "alt_uln", "creatinine"} & set(found.last.lacking)
    assert found.last.ecog is None and found.last.lacking["ecog"] == ("missing", "缺失")
    assert stood.stood(book, V1, reached) is found


def test_a_day_is_settled_once_it_lies_behind_the_site() -> None:
    """At one in the morning in Shanghai it is still yesterday in London."""
    night = replace(casebook(), now=datetime(2026, 6, 30, 17, 0, tzinfo=UTC))
    assert milestones.as_of(night, "SCREENING") == date(2026, 7, 1)
