"""What DV-46, 47, 48 and 50 say of the other subjects and the committee, in both languages, and what they show."""

from collections.abc import Sequence

import pytest

from dosing.models import DoseAllocation, Infusion
from safety.rules import RULES
from safety.trialbook import Review, Treated, TrialBook
from tests.books import at, book
from tests.test_rules_cohort import cohort, found, review, treated
from trial.protocol import V1

INVESTIGATOR = ("investigator",)
unsigned = review("DL1", "ESCALATE", "2026-02-19", roles=INVESTIGATOR)
signed = review("DL1", "STAY", "2026-02-19")
down = review("DL-1", "DEESCALATE", "2026-02-19")
at_lowest = review("DL-1", "STAY", "2026-02-19")
lower = treated(3, "DL1", "2026-01-22")
unknown = treated(4, "", "2026-02-13")
NOT_DECIDED = "the committee has not decided on it."
Told = tuple[str, str, tuple[Treated | Review, ...], dict[str, str], tuple[str, str, str], list[str]]
TOLD: list[Told] = [
    # rule, level, others, more facts of the subject infused on 20 February; en, zh, limit; what it shows of others
    (
        "DV-46", "", (), {},
        ("Infused on 2026-02-20, but no dose level is allocated; how the infusion stands to others cannot be told.",
         "已于 2026-02-20 回输,但未分配剂量水平;无法判定与其他受试者的关系。", ""),
        [],
    ),
    (
        "DV-46", "DL1", (treated(1, "DL1", "2026-02-07"),), {},
        ("Infused on 2026-02-20 at DL1, 13 days after 01-101 (2026-02-07), number 1 of the level; at least 14 days.",
         "于 2026-02-20 以 DL1 回输,距该水平第 1 例 01-101(2026-02-07)13 天;至少 14 天。", "≥ 14 d"),
        ["01-101 DL1 2026-02-07"],
    ),
    (
        "DV-46", "DL1", (treated(1, "DL1", "2026-01-22"), treated(2, "DL1", "2026-02-14")), {},
        ("Infused on 2026-02-20 at DL1, 6 days after 01-102 (2026-02-14), number 2 of the level; at least 7 days.",
         "于 2026-02-20 以 DL1 回输,距该水平第 2 例 01-102(2026-02-14)6 天;至少 7 天。", "≥ 7 d"),
        ["01-102 DL1 2026-02-14"],
    ),
    (
        "DV-46", "DL1", (treated(3, "", "2026-02-10"), unknown), {},
        ("Infused on 2026-02-20; 01-104 was infused on 2026-02-13 at a level that is not recorded, so the interval "
         "cannot be told.",
         "于 2026-02-20 回输;01-104 于 2026-02-13 回输但剂量水平未记录,无法判定间隔。", "≥ 14 d"),
        ["01-104 ? 2026-02-13"],
    ),
    (
        "DV-47", "DL1", tuple(cohort("DL1", 6, "2025-06-01")), {"evaluable": "YES"},
        ("Infused at DL1 after 6 evaluable subjects and 0 not assessed yet; at most 6 evaluable ones are treated at a "
         "level.",
         "在 DL1 回输,此前已有 6 例可评价及 0 例待评价;每一水平最多 6 例可评价。", "≤ 6"),
        [f"01-10{n} DL1 {day}" for n, day in enumerate(
            ("2025-06-01", "2025-06-15", "2025-06-29", "2025-07-13", "2025-07-27", "2025-08-10"), start=1)],
    ),
    (
        "DV-47", "DL1", tuple(cohort("DL1", 7, "2025-06-01", "PENDING")), {"evaluable": "YES"},
        ("Infused at DL1 after 0 evaluable subjects and 7 not assessed yet; at most 6 evaluable ones are treated at a "
         "level. Not all of them are assessed yet.",
         "在 DL1 回输,此前已有 0 例可评价及 7 例待评价;每一水平最多 6 例可评价。其中部分尚未完成评价。", "≤ 6"),
        [f"01-10{n} DL1 {day}" for n, day in enumerate(
            ("2025-06-15", "2025-06-29", "2025-07-13", "2025-07-27", "2025-08-10", "2025-08-24"), start=2)],
    ),
    (
        "DV-47", "DL2", (lower,), {},
        (f"Infused on 2026-02-20 at DL2 while DL1 is open: {NOT_DECIDED}",
         "于 2026-02-20 在 DL2 回输,而 DL1 尚未结束:委员会尚未作出决定。", "DL1: > 28 d, decided"),
        [],
    ),
    (
        "DV-47", "DL2", (treated(3, "DL1", "2026-01-23"), signed), {},
        ("Infused on 2026-02-20 at DL2 while DL1 is open: 01-103 (2026-01-23) is not past day 28 and had no "
         "dose-limiting toxicity.",
         "于 2026-02-20 在 DL2 回输,而 DL1 尚未结束:01-103(2026-01-23)未满 28 天且无剂量限制性毒性。",
         "DL1: > 28 d, decided"),
        ["01-103 DL1 2026-01-23"],
    ),
    (
        "DV-48", "DL2", (), {},
        ("First infusion at DL2, on 2026-02-20: no review of DL1 decided to escalate by then.",
         "DL2 首例回输(2026-02-20):此前无 DL1 的递增决定。", "DL1: Escalate to the next level ≤ 2026-02-20"),
        [],
    ),
    (
        "DV-48", "DL2", (review("DL1", "ESCALATE", "2026-02-01", roles=()), unsigned), {},
        ("First infusion at DL2, on 2026-02-20: its review of 2026-02-19 lacks the signature of medical monitor, "
         "statistician.",
         "DL2 首例回输(2026-02-20):2026-02-19 的评审缺少医学监查员、统计师的签名。",
         "DL1: Escalate to the next level ≤ 2026-02-20"),
        ["DL1 ESCALATE 2026-02-19"],  # the newest
    ),
    (
        "DV-50", "DL2", (), {"allocated": "2026-02-21"},
        ("DL2 was allocated; no review permits more than the starting level.",
         "已分配 DL2;无评审允许高于起始水平。", "≤ DL1"),
        [],
    ),
    (
        "DV-50", "DL2", (signed,), {"allocated": "2026-02-21"},
        ("DL2 was allocated; the review of 2026-02-19 on DL1 decided “Treat more at this level”, the design "
         "recommended “Treat more at this level”.",
         "已分配 DL2;2026-02-19 对 DL1 的评审决定“在本剂量水平继续入组”,设计方案建议“在本剂量水平继续入组”。", "≤ DL1"),
        ["DL1 STAY 2026-02-19"],
    ),
    (
        "DV-50", "DL1", (at_lowest,), {"allocated": "2026-02-21"},
        ("DL1 was allocated; the review of 2026-02-19 on DL-1 decided “Treat more at this level”, the design "
         "recommended “Treat more at this level”.",
         "已分配 DL1;2026-02-19 对 DL-1 的评审决定“在本剂量水平继续入组”,设计方案建议“在本剂量水平继续入组”。", "≤ DL-1"),
        ["DL-1 STAY 2026-02-19"],
    ),
    (
        "DV-50", "DL-1", (down,), {"allocated": "2026-02-21"},
        ("DL-1 was allocated; the review of 2026-02-19 on DL-1 decided “De-escalate”, the design recommended "
         "“De-escalate”.",
         "已分配 DL-1;2026-02-19 对 DL-1 的评审决定“递减剂量”,设计方案建议“递减剂量”。", "≤ –"),
        ["DL-1 DEESCALATE 2026-02-19"],
    ),
    (
        "DV-50", "DL2", (unsigned,), {"allocated": "2026-02-21"},
        ("DL2 was allocated; the review of 2026-02-19 would permit it, but lacks the signature of medical monitor, "
         "statistician.",
         "已分配 DL2;2026-02-19 的评审允许该水平,但缺少医学监查员、统计师的签名。", "≤ DL1"),
        ["DL1 ESCALATE 2026-02-19"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "level", "around", "more", "words", "others"), TOLD)
def test_what_is_said_of_the_cohorts(
    rule: str,
    level: str,
    around: Sequence[Treated | Review],
    more: dict[str, str],
    words: tuple[str, str, str],
    others: list[str],
) -> None:
    (one,) = found(rule, level, "2026-02-20", *around, **more)
    assert (one.en, one.zh, one.limit) == words
    in_chinese = {"DV-48": "DL1:递增至下一剂量水平 ≤ 2026-02-20"}.get(rule, "")
    assert one.limit_zh == ("DL1:> 28 d,已有决定" if "decided" in one.limit else in_chinese)
    own = ("dose_allocation", "level") if rule == "DV-50" else ("infusion", "inf_start_dt")
    assert (one.form, one.field) == own
    assert [f.value for f in one.facts if f.record is None or f.form == "src_review"] == others


def test_an_allocation_without_a_day_is_told() -> None:
    (one,) = found("DV-50", "DL2", "")
    assert (one.en, one.zh) == ("DL2 was allocated; its day is not entered.", "已分配 DL2;未填写分配日期。")


def test_a_hold_is_told_with_its_hour() -> None:
    trial = TrialBook(holds=((at("2026-02-01", "09:00"), None),))
    told = book(DoseAllocation(level="DL1"), Infusion(inf_start_dt=at("2026-02-20")), trial=trial)
    (one,) = RULES["DV-47"](told, V1)
    assert one.en == "Infused 2026-02-20 10:00 while enrolment was on hold since 2026-02-01 09:00."
    assert one.zh == "于 2026-02-20 10:00 回输,而自 2026-02-01 09:00 起暂停入组。"
    assert (one.limit, one.limit_zh) == ("no hold", "无暂停")
